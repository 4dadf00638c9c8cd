/*
 * Derived metrics: what the hub itself makes of what devices say, by configuration.
 *
 * Each is one more metric of a kind of device, behind those of its plugin: so it is shown, kept,
 * and ruled on as they are. They stand in rule files, beside the rules that look at them:
 *
 *   derived:
 *     - name: thermal_dose               # grows by what a value is worth, for as long as it holds
 *       title: Thermal dose
 *       metric: skin_temperature
 *       dose: {full: 360 min, at: 44 Cel, doubles: 1 Cel, from: 43 Cel}
 *       reset: session
 *     - name: pressure_dose              # or by what lies above a value: in kPa.min
 *       metric: massage_pressure
 *       dose: {above: 0 kPa}
 *       max: 30000 kPa.min
 *     - name: bent_time                  # how long it is so: above, below, within, outside, is
 *       metric: lumbar_flexion
 *       time: {above: 45 deg}
 *     - name: bends                      # how often that began
 *       metric: lumbar_flexion
 *       count: {above: 45 deg, deadband: 5 deg}
 *     - {name: loss, health: loss, of: posture}   # loss, clock_skew, refused; of: one kind only
 *
 * `unit` (s, min, h; min if not said) is of `time` and `dose`; `max` is where a value stays when it
 * grows beyond; `key: true` shows it on the wall, `phases: [exercise]` first in phases of these
 * kinds. `reset` says when it begins at 0: never (if not
 * said), session, phase. With the last two, samples count from the session's (phase's) begin to its
 * end, pauses included, and outside of sessions the value is 0.
 *
 * A value holds until the next one comes, if that is before it is stale; so what was not measured
 * counts for nothing. Samples older than the newest that counted count for nothing either. A
 * message gives one value, at its newest sample; NaN where the sensor had nothing to say. Health is
 * told each 10 s, of the last minute. What was accounted outlives the process: derive_kept() with
 * each batch of the store, which says which messages are in it, and derive_restore(). Memory:
 * reserved at load for max_devices; nothing is allocated for a message. Pure.
 */
#ifndef LUMBAR_CORE_DERIVE_H
#define LUMBAR_CORE_DERIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/devices.h"
#include "core/rules.h"

#define DERIVE_MAX (DRIVER_METRICS_MAX - LUMBAR_METRICS_MAX) /* of one kind of device */

struct derive;

/* Reads what rule files have under `derived` and gives the drivers these metrics: before anything
 * keeps a metric's number. All of it or nothing; complaints name file, line, column and the nearest
 * known name. The drivers use its strings: they are to be forgotten before it is destroyed. */
int derive_load(struct derive **out, const struct rules_text *files, size_t count,
                struct drivers *drivers, uint32_t max_devices, struct diag *diag);
void derive_destroy(struct derive *derive);

/* Do these files derive exactly what is derived now? Else ERR_RESTART: metrics come and go with a
 * new start only, which takes up what was accumulated of those that stay. */
int derive_check(const struct derive *derive, const struct rules_text *files, size_t count,
                 const struct drivers *drivers, struct diag *diag);

uint32_t derive_count(const struct derive *derive); /* over all kinds */

/* Of a device: is anything derived, so that derive_take() has something to do? */
bool derive_is_of(const struct derive *derive, const struct device *device);

/* The session in which a device is, as derived metrics need it. */
struct derive_session {
    uint64_t id; /* 0: in none */
    uint32_t phase;
    int64_t began_ms, phase_ms; /* when the session and the phase began */
};

/* Accounts for a message, after device_account(), and puts what is derived behind its series; they
 * are good until the next call. A message that was refused is an empty one. Times plus offset_ms
 * are hub time. */
void derive_take(struct derive *derive, const struct device *device,
                 const struct derive_session *session, int64_t received_ms, int64_t offset_ms,
                 struct decoded *message);

/* As if nothing had ever come. */
void derive_clear(struct derive *derive);

/* ---- Over a restart ---- */

/* What is accounted of one metric. */
struct derive_kept {
    const char *name, *what; /* of the metric; "time", "count", "dose" */
    double sum, last;
    int64_t at_ms; /* of the last value; 0: none that still counts */
    uint64_t session;
    uint32_t phase;
    bool inside;
};

/* Has it changed since it was last asked for? Says so once. */
bool derive_has_news(struct derive *derive, const struct device *device);

void derive_tell_all(struct derive *derive); /* all of it counts as changed */

/* By place, from 0; false behind the last one. Health is not kept: it is of the last minute. */
bool derive_keep(const struct derive *derive, const struct device *device, uint32_t place,
                 struct derive_kept *kept);

/* False: there is no such metric any more, or it is made in another way. */
bool derive_restore(struct derive *derive, const struct device *device,
                    const struct derive_kept *kept);

#endif
