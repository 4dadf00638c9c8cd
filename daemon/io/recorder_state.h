/*
 * The inside of the recorder, for recorder.c (the loop's side) and recorder_thread.c.
 */
#ifndef LUMBAR_IO_RECORDER_STATE_H
#define LUMBAR_IO_RECORDER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "core/config.h"
#include "core/tape_pack.h"
#include "io/recorder.h"
#include "io/recorder_file.h"

#define RECORDER_TRACKS (2 * CONFIG_ROOMS_MAX) /* rooms, and those that a reload took away */

/* Messages on their way from the loop to the disk. Belongs to the loop until it is handed over. */
struct recorder_job {
    struct recorder_job *next;
    unsigned track;
    struct tape_header header; /* of the tape that it goes on */
    struct tape_gather gather;
    uint64_t from, to;     /* places of its messages in the spool; from == to: it has none */
    struct tape_block gap; /* to be noted before them; kind 0: none */
    bool ends;             /* the tape is finished with it */
    int64_t begun_ms;      /* hub time of its first message */
};

struct recorder_queue {
    struct recorder_job *first, *last;
};

/* The loop's view of a room's tape. */
struct recorder_track {
    char room[64]; /* "" free */
    bool open, wanted;
    uint64_t session, covered; /* below `covered` everything is on the tape, or was given up */
    bool others;               /* the room has tapes of another ring only: see takes() */
    bool proven;               /* a block of this run was handed over */
    int64_t opened_ms, heard_ms;
    struct recorder_job *filling;
    struct tape_block lost; /* what could not be taken: count, from, to, times; kind 0: nothing */
};

struct recorder {
    struct recorder_options options; /* days, size_bytes: under the lock */
    char folder_name[512];
    int folder;
    uint8_t *memory; /* of all gathers */
    struct recorder_job *jobs;
    unsigned job_count;
    struct tape_packer *packer; /* the thread's */

    struct recorder_track tracks[RECORDER_TRACKS];
    unsigned track_of_room[CONFIG_ROOMS_MAX]; /* of room - 1 */
    uint64_t tracks_refused;
    struct log_limit complaint; /* of messages that are lost */

    struct recorder_file files[RECORDER_TRACKS]; /* the thread's, once it runs */
    int64_t newest_name_ms[RECORDER_TRACKS];     /* start in the room's newest name */

    pthread_t thread;
    bool started;
    _Atomic int64_t turned_ms; /* mono: when the thread last came round */
    pthread_mutex_t mutex;     /* of what follows */
    pthread_cond_t due, freed;
    struct recorder_queue free, queue;
    struct recorder_job *writing; /* taken from the queue, not yet on disk */
    uint64_t synced;              /* recorder_synced() */
    bool stop;
    int64_t swept_ms;   /* mono: when what is too old was looked for; 0: not yet */
    int64_t refused_ms; /* mono: since when the disk refuses; 0: it does not */
    struct recorder_stats stats;
};

/* Makes the folder if need be, opens and locks it. A disk that refuses to make it is no error: then
 * recorder->folder stays -1, with errno, and it is tried again for the first tape. */
int recorder_open_folder(struct recorder *recorder, struct diag *diag);

/* recorder_thread.c */
void *recorder_run(void *user);

/* Removes the finished tape that is too old, or the oldest of too many; one at a time. Says whether
 * there may be more. */
bool recorder_sweep(struct recorder *recorder, int64_t wall_ms);

#endif
