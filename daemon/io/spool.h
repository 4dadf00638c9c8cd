/*
 * The spool: the door between Paho's thread and the loop, and the promise that nothing
 * acknowledged is lost.
 *
 * Messages are put into a ring in tmpfs (base/ring.h), which a killed or crashed hub leaves
 * behind; what is new in it is copied to a file on disk and synced each sync_ms by a thread of its
 * own, against a power cut. While its device holds everything that is new, until it is told that
 * it is on disk, the copy waits for held_ms instead: a power cut costs nothing then that would not
 * be sent again, and the disk is written to in fewer and larger pieces. A place is free for newer
 * messages when its message was decoded and its copy synced; until it is overwritten it still
 * serves a restart to remember what was heard.
 *
 * Threads: spool_put() by one producer thread; spool_drain(), spool_doze() and the rest by the
 * loop; the copy by the spool's own thread. Overflow: QoS 0 is dropped and counted, QoS 1 waits.
 * When the copy cannot be written for longer than patience_ms, places are freed without it,
 * spool_synced() stands still, and spool_is_safe() is false until it can. Then what the ring still
 * holds is copied; what was overwritten meanwhile never comes to the disk, and spool_synced()
 * tells.
 */
#ifndef LUMBAR_IO_SPOOL_H
#define LUMBAR_IO_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ring.h"

struct spool_options {
    const char *ring_file; /* in tmpfs */
    const char *copy_file; /* on disk, allocated in full */
    size_t size_bytes;     /* of the ring; a multiple of 4096, 64 KiB at least */
    int64_t sync_ms, patience_ms;
    int64_t held_ms; /* less than sync_ms: nothing waits longer */
};

struct spool_stats {
    uint64_t put, dropped, waited;   /* messages; dropped: QoS 0 in a full ring */
    uint64_t recovered;              /* found waiting at open */
    uint64_t torn;                   /* found damaged at open */
    uint64_t used_bytes, size_bytes; /* used: not yet free for newer messages */
    uint64_t syncs, sync_failures;
    uint64_t uncopied_bytes; /* freed without a copy while the disk refused */
};

struct spool;

/* Maps the ring; takes what a run before left in it, or, when it is gone (a power cut), in the
 * copy. A file of another format or size is set aside (renamed), never overwritten. */
int spool_open(struct spool **out, const struct spool_options *options, struct diag *diag);

/* Did it come in this boot of the machine, so that its mono_ns counts? What waits may be older:
 * after a power cut the copy gives it back. */
bool spool_mono_counts(const struct spool *spool, const struct ring_record *record);

/* What happens to a record; called by the loop (or before it, by spool_recover). `again`: it was
 * used before a restart, and is given only to remember; the result is not kept then. */
typedef enum ring_outcome spool_use_cb(void *user, const struct ring_record *record, bool again);

/* At start, before any thread: gives all intact records that were already used, oldest first, as
 * `again`, repeats among them. A record whose decoding was begun and never ended killed the hub or
 * was killed with it: it is tried in a child process with limits, and refused if the child dies;
 * begun three times, it is refused without. The same holds for one that was begun to be remembered.
 * on_refused gets its bytes. In the child, `use` runs on the state as it is then and must write
 * nothing that is shared (the quarantine sees to that itself). */
int spool_recover(struct spool *spool, spool_use_cb *use, void *user,
                  void (*on_refused)(void *user, const struct ring_record *record),
                  struct diag *diag);

/* Starts the copying thread. `wake` is called from the producer's thread when a message comes
 * while the loop dozes. */
int spool_start(struct spool *spool, void (*wake)(void *user), void *user, struct diag *diag);

/* Producer: keeps a copy of the message. False: dropped (QoS 0, no room), or the spool stops. */
bool spool_put(struct spool *spool, const char *topic, size_t topic_bytes, const void *payload,
               size_t payload_bytes, int qos, int64_t wall_ms, int64_t mono_ns);

/* Loop: gives at most `most` waiting messages, oldest first; returns how many. */
unsigned spool_drain(struct spool *spool, unsigned most, spool_use_cb *use, void *user);

/* Loop, while a record is used: its sender holds it until it is acknowledged. */
void spool_held(struct spool *spool);

/* Loop or producer: somebody waits for what is used to be copied. */
void spool_hurry(struct spool *spool);

/* Loop: "I am going to sleep". False: a message is waiting, do not (and a wake may still come of
 * it, when both saw each other). */
bool spool_doze(struct spool *spool);

/* Loop: places from this one on are still needed by who made something of them, and not only the
 * ring's own (RING positions; beyond what was drained it is cut). Without a call none are. */
void spool_keep(struct spool *spool, uint64_t from);
uint64_t spool_done(const struct spool *spool); /* everything below it was drained */
uint64_t spool_id(const struct spool *spool);   /* of the ring that positions are of */
uint64_t spool_tail(const struct spool *spool); /* the oldest that is there */
uint64_t spool_head(const struct spool *spool); /* where the next message comes */

/* Positions below it are on disk, but for those of a gap: what was freed while the disk refused.
 * *lost is the end of the last gap, 0 if there was none; a gap begins where spool_synced() stood
 * before. `lost` may be NULL for a caller that knows of no gap. */
uint64_t spool_synced(const struct spool *spool, uint64_t *lost);
bool spool_is_safe(const struct spool *spool);
int64_t
spool_copied_ms(const struct spool *spool); /* mono ms of the copier's last turn: watchdog */
void spool_stats(const struct spool *spool, struct spool_stats *stats);

/* Ends waiting producers (they get false, and must not acknowledge), copies the rest, joins the
 * thread. Then close. */
void spool_stop(struct spool *spool);
void spool_close(struct spool *spool);

/* Walks a ring file read-only, oldest first; for tests and tools. */
int spool_walk(const char *ring_file, void (*each)(void *user, const struct ring_record *record),
               void *user, struct diag *diag);

#endif
