#include "core/identify.h"

#include <assert.h>

#include "identify.pb-c.h"

size_t identify_write(uint8_t *out, uint32_t seconds)
{
    Lumbar__Identify__V1__Identify identify = LUMBAR__IDENTIFY__V1__IDENTIFY__INIT;
    identify.has_seconds = 1;
    identify.seconds = seconds;
    assert(seconds <= IDENTIFY_MAX_S);
    assert(lumbar__identify__v1__identify__get_packed_size(&identify) <= IDENTIFY_MAX_BYTES);
    return lumbar__identify__v1__identify__pack(&identify, out);
}
