#include "when.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/instant.h"
#include "base/text.h"

/* Today's date, where only a time is given. */
static bool read_fields(const char *text, int64_t now_ms, struct tm *at)
{
    static const char *const formats[] = {
        "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
        "%Y-%m-%d",          "%H:%M:%S",          "%H:%M"};
    time_t now = (time_t)(now_ms / 1000);
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        localtime_r(&now, at);
        at->tm_hour = at->tm_min = at->tm_sec = 0;
        const char *end = strptime(text, formats[i], at);
        if (end != NULL && *end == '\0')
            return true;
    }
    return false;
}

static bool same_clock(const struct tm *a, const struct tm *b)
{
    return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
           a->tm_hour == b->tm_hour && a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

/* How many moments the clock shows as this: with and without summer time each is tried. */
static unsigned moments(const struct tm *shown, time_t found[2])
{
    unsigned count = 0;
    for (int summer = 0; summer < 2; summer++) {
        struct tm at = *shown, again;
        at.tm_isdst = summer;
        time_t seconds = mktime(&at);
        if (seconds < 0 || localtime_r(&seconds, &again) == NULL || !same_clock(&again, shown))
            continue;
        if (count == 0 || found[0] != seconds)
            found[count++] = seconds;
    }
    return count;
}

bool when_read(const char *text, int64_t now_ms, int64_t *ms)
{
    struct tm at;
    time_t found[2];
    if (instant_read(text, ms))
        return true;
    *ms = now_ms;
    if (strcmp(text, "now") == 0)
        return true;
    if (text[0] == '-' && text_duration_ms(text + 1, ms)) {
        *ms = now_ms - *ms;
        return true;
    }
    if (!read_fields(text, now_ms, &at)) {
        fprintf(stderr,
                "lumbarctl: '%s' is no time: give -2h, 19:07, \"2026-11-25 19:07\" or "
                "2026-11-25T19:07:00Z\n",
                text);
        return false;
    }
    unsigned count = moments(&at, found);
    if (count == 1) {
        *ms = (int64_t)found[0] * 1000;
        return true;
    }
    fprintf(stderr,
            "lumbarctl: '%s' was shown by the clock %s, for it was changed: give it with its zone, "
            "as 2026-10-25T02:30:00+02:00\n",
            text, count == 0 ? "never" : "twice");
    return false;
}

const char *when_write(int64_t ms, char out[WHEN_BYTES])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm at;
    out[0] = '\0';
    if (localtime_r(&seconds, &at) != NULL)
        strftime(out, WHEN_BYTES, "%Y-%m-%d %H:%M:%S %z", &at);
    return out;
}
