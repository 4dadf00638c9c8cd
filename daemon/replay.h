/*
 * A recording through the real pipeline: the same plugins, accounting and rules as in the hub
 * (core/ingest), at full speed, in the recording's own time.
 *
 * The devices of the recording are in its room, whatever the configuration says of them. Sessions
 * and zeros are as its notes have them (core/tape_note.h). Rules are looked after each 250 ms of
 * the recording, as the hub does. Several recordings of one session are one, in the order in which
 * they are gone through: devices, what is derived and alarms go on from one to the next. One
 * thread; nothing is read but the recording, nothing is written.
 */
#ifndef LUMBAR_REPLAY_H
#define LUMBAR_REPLAY_H

#include "core/ingest.h"
#include "core/tape_note.h"
#include "core/tape_pack.h"
#include "setup.h"

/* What was decoded of one metric of one device. */
struct replay_series {
    const struct device *device;
    const struct lumbar_metric *metric;
    uint64_t samples; /* values; where the sensor was silent there is none */
    int64_t first_ms, last_ms;
};

struct replay_counts {
    uint64_t messages, used, repeated, refused;
    uint64_t samples, raised, ended;
    uint64_t lost, damaged_bytes; /* of gaps; of the file */
    int64_t first_ms, last_ms;    /* of messages; 0: none */
};

/* What is told on the way; NULL: not wanted. Times are hub time of the recording. */
struct replay_listener {
    void *user;
    /* A value, in the metric's unit (of a state or event its label's number). */
    void (*on_sample)(void *user, const struct device *device, const struct lumbar_metric *metric,
                      int64_t time_ms, double value);
    /* After its samples. Notes are none. */
    void (*on_taken)(void *user, const struct tape_message *message, enum ingest_result result);
    void (*on_alarm)(void *user, const struct alarm *alarm, const struct device *device);
    void (*on_refused)(void *user, int64_t time_ms, const char *topic, size_t topic_bytes,
                       const char *reason);
    /* Of a session; what it tells of times is moved as what lies at this place of the tape is. */
    void (*on_account)(void *user, const struct note_account *piece, const struct tape_moves *moves,
                       uint64_t place);
    void (*on_gap)(void *user, const struct tape_block *gap);
    void (*on_damage)(void *user, const struct tape_part *part); /* why is not NULL */
    /* Asked before each message: where its samples are gathered. NULL: nowhere. */
    struct history *(*history_for)(void *user, const struct tape_message *message);
};

struct replay;

/* For recordings that begin in this room. The setup is lent until replay_destroy(): its
 * configuration has this one room only, meanwhile. */
int replay_create(struct replay **out, struct setup *setup, const char *room,
                  const struct replay_listener *listener, struct diag *diag);
void replay_destroy(struct replay *replay);

/* The recording that follows is of this room: its session has moved. */
void replay_enter(struct replay *replay, const char *room);

/* Goes through a tape from where its reader stands. */
void replay_run(struct replay *replay, struct tape_reader *reader);

const struct replay_counts *replay_counts(const struct replay *replay);
struct devices *replay_devices(struct replay *replay); /* those that were heard */
const struct device *replay_device(const struct replay *replay, uint32_t id); /* NULL: none */
uint32_t replay_standing(const struct replay *replay); /* alarms, at the end */

/* Series by their place, from 0; NULL behind the last one. */
const struct replay_series *replay_series_at(const struct replay *replay, size_t place);

#endif
