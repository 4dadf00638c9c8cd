#include "base/instant.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define MOST_MS INT64_C(253402300799999) /* the last of the year 9999 */

const char *instant_write(int64_t ms, char out[INSTANT_BYTES])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    snprintf(out, INSTANT_BYTES, "-");
    if (ms < 0 || ms > MOST_MS || gmtime_r(&seconds, &utc) == NULL)
        return out;
    size_t length = strftime(out, INSTANT_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + length, INSTANT_BYTES - length, ".%03dZ", (int)(ms % 1000));
    return out;
}

/* Exactly so many digits; false leaves *text where it was. */
static bool digits(const char **text, int count, int *number)
{
    *number = 0;
    for (int i = 0; i < count; i++) {
        char digit = (*text)[i];
        if (digit < '0' || digit > '9')
            return false;
        *number = *number * 10 + (digit - '0');
    }
    *text += count;
    return true;
}

static bool skip(const char **text, char wanted)
{
    if (**text != wanted)
        return false;
    ++*text;
    return true;
}

static bool read_fraction(const char **text, int *ms)
{
    int digit, weight = 100;
    *ms = 0;
    if (!skip(text, '.'))
        return true;
    if (!digits(text, 1, &digit))
        return false;
    do {
        *ms += digit * weight;
        weight /= 10;
    } while (digits(text, 1, &digit));
    return true;
}

/* Z, or what the clock there is ahead of UTC. */
static bool read_offset(const char **text, int *minutes)
{
    int hours, rest;
    *minutes = 0;
    if (skip(text, 'Z'))
        return true;
    char sign = **text;
    if (sign != '+' && sign != '-')
        return false;
    ++*text;
    if (!digits(text, 2, &hours) || !skip(text, ':') || !digits(text, 2, &rest) || hours > 23 ||
        rest > 59)
        return false;
    *minutes = (hours * 60 + rest) * (sign == '-' ? -1 : 1);
    return true;
}

bool instant_read(const char *text, int64_t *ms)
{
    struct tm at = {0}, same;
    int fraction, offset;
    if (!digits(&text, 4, &at.tm_year) || !skip(&text, '-') || !digits(&text, 2, &at.tm_mon) ||
        !skip(&text, '-') || !digits(&text, 2, &at.tm_mday) || !skip(&text, 'T') ||
        !digits(&text, 2, &at.tm_hour) || !skip(&text, ':') || !digits(&text, 2, &at.tm_min) ||
        !skip(&text, ':') || !digits(&text, 2, &at.tm_sec) || !read_fraction(&text, &fraction) ||
        !read_offset(&text, &offset) || *text != '\0')
        return false;
    at.tm_year -= 1900;
    at.tm_mon -= 1;
    same = at;
    /* timegm() makes the 3rd of March of the 31st of February: then it is another day. */
    time_t seconds = timegm(&same);
    if (same.tm_mday != at.tm_mday || same.tm_mon != at.tm_mon || same.tm_hour != at.tm_hour ||
        same.tm_min != at.tm_min || same.tm_sec != at.tm_sec)
        return false;
    *ms = ((int64_t)seconds - (int64_t)offset * 60) * 1000 + fraction;
    return *ms >= 0 && *ms <= MOST_MS;
}
