#include "core/ack.h"

#include <assert.h>

#include "ack.pb-c.h"

size_t ack_write(uint8_t *out, uint64_t boot_id, uint64_t sequence)
{
    Lumbar__Ack__V1__Ack ack = LUMBAR__ACK__V1__ACK__INIT;
    ack.has_boot_id = ack.has_sequence = 1;
    ack.boot_id = boot_id;
    ack.sequence = sequence;
    assert(lumbar__ack__v1__ack__get_packed_size(&ack) <= ACK_MAX_BYTES);
    return lumbar__ack__v1__ack__pack(&ack, out);
}
