/*
 * Backups of the store while it is at work: at set times and when somebody wishes one, on a thread
 * of its own that takes every other turn, so that neither loop nor writer waits for it.
 *
 * Once a week, and when somebody wishes it, it is a whole one; at the other times what has changed
 * since is enough, for a card is worn by what is written: in a year's store of 4 GB, a day changes
 * some ten MB.
 *
 * One counts when it is verified (backup_file.h). Then older ones go: those beyond `keep`, and the
 * oldest while all of them are more than `size_bytes`; the newest never does, nor a whole one that
 * changes which stay tell of. One that could not be
 * made is said, and tried again by and by. The first of a run waits for first_ms, for a hub that
 * is started again and again has other worries.
 * Loop thread, but for what says otherwise.
 */
#ifndef LUMBAR_IO_BACKUP_H
#define LUMBAR_IO_BACKUP_H

#include "io/backup_file.h"

#define BACKUP_FIRST_MS 600000
#define BACKUP_LIST_MAX 400

struct backup_options {
    const char *store, *folder; /* the store's file; where backups go */
    const char *rules;          /* the file of what the page changes of the rules; "": none */
    int64_t first_ms;           /* so long after the start, at least; BACKUP_FIRST_MS */
    int64_t every_ms;           /* 0: only when somebody wishes one */
    unsigned keep;
    uint64_t size_bytes;
    void (*on_damage)(void *user); /* the store's file is damaged; from the thread */
    void *user;
};

struct backup_state {
    bool busy;             /* one is made, or waits to be */
    uint64_t made, failed; /* of this run */
    int64_t newest_ms;     /* when the newest good one was made; 0: there is none */
    int64_t every_ms;
    char error[320]; /* why the last attempt failed; "": it did not */
    bool overdue;    /* there should be a newer one */
    unsigned count;  /* in the folder, */
    uint64_t bytes;  /* and what they take */
};

struct backup;

int backup_create(struct backup **out, const struct backup_options *options, struct diag *diag);
int backup_start(struct backup *backup, struct diag *diag);
void backup_keep(struct backup *backup, const char *rules, int64_t every_ms, unsigned keep,
                 uint64_t size_bytes);

void backup_wish(struct backup *backup, bool whole); /* now */
void backup_state(struct backup *backup, struct backup_state *state);

/* Those in the folder as the thread last saw it, the oldest first; returns how many. */
size_t backup_list(struct backup *backup, struct backup_name list[BACKUP_LIST_MAX]);

void backup_stop(struct backup *backup); /* one that is being made is given up */
void backup_destroy(struct backup *backup);

#endif
