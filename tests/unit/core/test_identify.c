/* What asks a device to show itself, on the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/identify.h"
#include "identify.pb-c.h"

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    static const uint32_t seconds[] = {0, 1, IDENTIFY_DEFAULT_S, IDENTIFY_MAX_S};
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        uint8_t out[IDENTIFY_MAX_BYTES];
        size_t bytes = identify_write(out, seconds[i]);
        assert_int_equal(bytes, 2); /* 0 is said: it is what ends it */
        Lumbar__Identify__V1__Identify *identify =
            lumbar__identify__v1__identify__unpack(NULL, bytes, out);
        assert_non_null(identify);
        assert_true(identify->has_seconds && identify->seconds == seconds[i]);
        lumbar__identify__v1__identify__free_unpacked(identify, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_written_is_read_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
