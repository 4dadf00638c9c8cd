/*
 * All that is kept of one client: rows of the store, and recordings of the client's sessions.
 *
 * Reads the file on a connection of its own, which only reads; what waits in the open batch is not
 * yet seen. For the pool's threads.
 */
#ifndef LUMBAR_IO_STORE_CLIENT_H
#define LUMBAR_IO_STORE_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/store.h"
#include "io/tape_folder.h"

struct store_sessions {
    uint64_t *ids; /* rising; free() */
    size_t count;
};

/* The numbers of the client's sessions. */
int store_client_sessions(struct store *store, uint64_t client, struct store_sessions *sessions,
                          struct diag *diag);

/* Every row that is of the client or the client's sessions, by table; times in ms since 1970. What
 * was measured is told by session: /sessions/{id}/csv. */
int store_client_document(struct store *store, uint64_t client, json_t **document,
                          struct diag *diag);

/* The recordings of these sessions in a folder; free() the list. `open`: one of them goes on. */
struct store_tapes {
    struct store_tape {
        char file[TAPE_NAME_BYTES];
        uint64_t session, bytes;
    } * list;
    size_t count;
    bool open;
};
int store_client_tapes(const char *folder, const struct store_sessions *sessions,
                       struct store_tapes *tapes, struct diag *diag);

#endif
