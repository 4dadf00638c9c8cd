/*
 * Sessions as they are kept, for who reads them later: reports, courses, exports.
 *
 * Read in uv's pool on a read-only connection of its own; what waits in the open batch is not yet
 * seen. Loop thread, but for what says otherwise.
 */
#ifndef LUMBAR_IO_STORE_RECORD_H
#define LUMBAR_IO_STORE_RECORD_H

#include <uv.h>

#include "core/report.h"
#include "io/store.h"

struct store_record {
    int code; /* 0, or why there is nothing: then words say it */
    char words[160];
    bool found;
    uint64_t client;       /* its number; 0: nobody */
    char room[64];         /* the name of the last one */
    struct report *report; /* owned: what the rows tell; room, clinic and traces are left */
};

typedef void store_record_cb(void *user, struct store_record *record);

/* The session of this number, with the alarms of its devices and what was calibrated in it.
 * `on_record` is called from the loop, not before this returns; the record goes with the call, but
 * for its report, if it is taken (set to NULL). 0, or ERR_MEMORY. */
int store_record(struct store *store, uv_loop_t *loop, uint64_t session,
                 const struct drivers *drivers, const struct body *body, store_record_cb *on_record,
                 void *user);

#endif
