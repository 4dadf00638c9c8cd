/* The acknowledgement on the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ack.pb-c.h"
#include "core/ack.h"

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    static const struct {
        uint64_t boot_id, sequence;
        size_t bytes; /* fixed64 with its key: 9; the sequence's key and 1 to 10 bytes */
    } cases[] = {
        {0, 0, 11},
        {1, 127, 11},
        {0x0123456789abcdef, 300, 12},
        {UINT64_MAX, UINT64_MAX, 20},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t out[ACK_MAX_BYTES];
        size_t bytes = ack_write(out, cases[i].boot_id, cases[i].sequence);
        assert_int_equal(bytes, cases[i].bytes);
        Lumbar__Ack__V1__Ack *ack = lumbar__ack__v1__ack__unpack(NULL, bytes, out);
        assert_non_null(ack);
        assert_true(ack->has_boot_id && ack->has_sequence);
        assert_true(ack->boot_id == cases[i].boot_id && ack->sequence == cases[i].sequence);
        lumbar__ack__v1__ack__free_unpacked(ack, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_written_is_read_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
