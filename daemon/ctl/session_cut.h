/*
 * A session's samples, out of recordings, and nobody else's.
 *
 * A message lies whole on one tape, though it may reach over the session's begin or end, into the
 * session of somebody else. So each sample is held against the times at which its device was in the
 * session, as the history has them; and what the last message before the end of a session took over
 * it is looked for on the tapes of those that followed. The session's own tapes are one recording,
 * in their order (replay.h). Works on files, whether a hub runs or not.
 */
#ifndef LUMBAR_CTL_SESSION_CUT_H
#define LUMBAR_CTL_SESSION_CUT_H

#include "io/store_stay.h"
#include "io/tape_folder.h"
#include "recording.h"
#include "replay.h"

struct cut_tape {
    char path[PATH_MAX];
    const char *name;         /* within it */
    bool others;              /* of another session, or of none: it may have the last samples */
    uint64_t samples, timely; /* that it has; that are of the session's time */
    bool uncut; /* told by another clock: nothing of it is of the session's time. Set by
                   cut_find(); told all the same. */
};

struct session_cut {
    uint64_t session;
    struct store_stay *stays;
    size_t stay_count;
    struct cut_tape *tapes; /* the session's own, in their order, then those of others */
    size_t count, own;
};

/* What is told on the way; NULL: not wanted. */
struct cut_listener {
    void *user;
    /* A sample of the session; of a tape that is `uncut`, any. */
    void (*on_sample)(void *user, const struct device *device, const struct lumbar_metric *metric,
                      int64_t time_ms, double value);
    /* After the samples of each message of a tape: does all that it has belong to the session?
     * `refused`: it cannot be decoded, and nobody knows. */
    void (*on_message)(void *user, const struct cut_tape *tape, bool whole, bool refused);
    void (*on_gap)(void *user);
    void (*on_damage)(void *user, const struct tape_part *part);
};

/* Finds the recordings of cut->session in the folder, and when it had which device. ERR_UNKNOWN:
 * there is no recording of its own. Where it is not known when it had which device, `why` says so,
 * and all tapes are `uncut`; else those are that tell other times. cut_fini() in any case. */
int cut_find(struct session_cut *cut, struct recording_place *place, struct diag *why,
             struct diag *diag);
void cut_fini(struct session_cut *cut);

/* Tells of each tape, in their order. */
int cut_run(struct session_cut *cut, struct recording_place *place,
            const struct cut_listener *listener, struct diag *diag);

#endif
