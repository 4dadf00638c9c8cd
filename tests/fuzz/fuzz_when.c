/* Times as they are typed and as other programs write them, on a clock that is put forward and back
 * twice a year: what is read is a moment, and means the same when it is written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/instant.h"
#include "ctl/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW     INT64_C(1793000000000) /* 2026-10-26, a day after the clocks changed */
#define MOST_MS INT64_C(253402300799999)

static void must(bool truth)
{
    if (!truth)
        abort(); /* in every build */
}

static void begin(void)
{
    static bool begun;
    if (begun)
        return;
    begun = true;
    setenv("TZ", ":Europe/Berlin", 1);
    tzset();
    stderr = fopen("/dev/null", "w"); /* every refusal is said there */
    must(stderr != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size), shown[WHEN_BYTES], written[INSTANT_BYTES];
    int64_t ms = -1, again = -1;
    begin();
    must(text != NULL);
    if (instant_read(text, &ms)) {
        must(ms >= 0 && ms <= MOST_MS);
        must(instant_read(instant_write(ms, written), &again) && again == ms);
        must(when_read(text, NOW, &again) && again == ms); /* it is a time that may be typed */
    }
    if (when_read(text, NOW, &ms)) {
        must(ms <= MOST_MS);
        when_write(ms, shown);
        instant_write(ms, written);
        must(memchr(shown, '\0', sizeof(shown)) != NULL);
        must(memchr(written, '\0', sizeof(written)) != NULL);
    }
    free(text);
    return 0;
}
