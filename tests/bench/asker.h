/*
 * Who asks a hub for its history while others do other things: a process of its own, which asks by
 * HTTP as a browser does, one question after the other, and times the answers.
 */
#ifndef LUMBAR_BENCH_ASKER_H
#define LUMBAR_BENCH_ASKER_H

#include <stdint.h>
#include <sys/types.h>

#define ASKER_MOST 2000

/* A span of one value of one device, or of one client's course. */
struct asker_question {
    char client[32]; /* "": of the value */
    char device[32], metric[48];
    int64_t from_ms, to_ms;
    unsigned least; /* buckets or sessions that the answer must have */
    unsigned kind;  /* the caller's */
};

/* Shared with the process that asks. */
struct asker {
    unsigned count;
    struct asker_question questions[ASKER_MOST];
    int64_t ns[ASKER_MOST]; /* what the answer took; 0: not yet */
    char wrong[256];        /* what was wrong with one; "": nothing */
};

/* Asks all of them of the page's port, with so much rest between two. */
pid_t asker_start(struct asker *asker, int port, int rest_ms);

#endif
