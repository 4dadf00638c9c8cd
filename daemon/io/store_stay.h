/*
 * When which device was in a session, as the file of the store tells: for who reads recordings,
 * whether a hub runs or not.
 */
#ifndef LUMBAR_IO_STORE_STAY_H
#define LUMBAR_IO_STORE_STAY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/devices.h"

struct store_stay {
    char kind[LUMBAR_NAME_MAX + 1], name[DEVICE_NAME_BYTES];
    int64_t from_ms, to_ms; /* since 1970; to_ms INT64_MAX: it still is */
};

/* All of a session; free() the list. ERR_UNKNOWN: the file has no such session. */
int store_stays(const char *file, uint64_t session, struct store_stay **list, size_t *count,
                struct diag *diag);

#endif
