/*
 * What a hub has to go through: it is killed at random moments while a broker stand-in, which keeps
 * the list of what was acknowledged, floods it, and its disk refuses now and then. For the tests
 * that then look at what it has kept.
 */
#ifndef LUMBAR_TESTS_ORDEAL_H
#define LUMBAR_TESTS_ORDEAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hub.h"
#include "source.h"

#define ORDEAL_PATIENT 20000 /* ms that a condition is waited for */

struct ordeal {
    const char *name;
    int rounds;
    const char *ring_size;
    unsigned devices, rooms;
    uint64_t rate; /* messages a second */
    bool recorded;
    uint64_t file_most; /* no file grows beyond, now and then; 0: files may */
    const char *disk;   /* the size of a file system of its own, which is full now and then; NULL:
                         * there is none */
    void (*after_kill)(const struct hub *hub, int round); /* or NULL */
};

unsigned ordeal_random(unsigned limit); /* 0..limit-1 */

/* LUMBAR_ROUNDS: other than the usual number of them, for who has the time. */
int ordeal_rounds(int usual);

/* All that was published is acknowledged, and all that is in the ring used. */
void ordeal_drain(struct hub *hub, struct source *source, struct source_shared *shared);

/* Goes through it; then the hub runs once more until it has used everything, and ends. `look` is
 * called before the files are removed. Says that it was skipped where no file system can be
 * mounted. */
void ordeal_go(const struct ordeal *ordeal,
               void (*look)(const struct hub *hub, const struct source *source,
                            const struct ordeal *ordeal));

/* Everything that was acknowledged is in the recordings, once (taped.c); everything that was
 * published, which by then is acknowledged, in the buckets of a sound database, once (stored.c). */
void taped_compare(const struct hub *hub, const struct source *source, const struct ordeal *ordeal);
void stored_compare(const struct hub *hub, const struct source *source,
                    const struct ordeal *ordeal);

/* For other looks at the database. */
struct sqlite3;
struct sqlite3 *stored_open(const struct hub *hub);
int64_t stored_number(struct sqlite3 *db, const char *sql);
/* Samples of one metric of one device. */
uint64_t stored_samples(struct sqlite3 *db, const char *device, const char *metric);

#endif
