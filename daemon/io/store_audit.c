#include "io/store_audit.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/store_state.h"

struct reader {
    struct store_trail trail;
    struct store *store;
    uint64_t after;
    unsigned limit;
    store_row_cb *on_line;
    store_trail_cb *on_end;
    void *user;
    uv_work_t work;
};

static void on_work(uv_work_t *work)
{
    struct reader *reader = work->data;
    sqlite3 *db = NULL;
    char where[160];
    snprintf(where, sizeof(where),
             "id IN (SELECT id FROM audit WHERE id > %llu ORDER BY id LIMIT %u)",
             (unsigned long long)reader->after, reader->limit);
    int rc = store_read_open(&db, reader->store);
    if (rc == SQLITE_OK)
        rc = store_rows_read(db, STORE_AUDIT, where, reader->on_line, reader->user);
    store_read_close(db, reader->store, rc);
    if (rc == SQLITE_DONE || rc == SQLITE_OK)
        return;
    reader->trail.code = ERR_IO;
    snprintf(reader->trail.words, sizeof(reader->trail.words), "the audit trail cannot be read: %s",
             sqlite3_errstr(rc));
}

static void after_work(uv_work_t *work, int status)
{
    struct reader *reader = work->data;
    (void)status;
    reader->on_end(reader->user, &reader->trail);
    free(reader);
}

int store_audit(struct store *store, uv_loop_t *loop, uint64_t after, unsigned limit,
                store_row_cb *on_line, store_trail_cb *on_end, void *user)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        return ERR_MEMORY;
    *reader = (struct reader){.after = after,
                              .limit = limit,
                              .on_line = on_line,
                              .on_end = on_end,
                              .user = user,
                              .work.data = reader};
    reader->store = store;
    if (uv_queue_work(loop, &reader->work, on_work, after_work) == 0)
        return 0;
    free(reader);
    return ERR_MEMORY;
}
