/*
 * A trial: recordings judged by a set of rules, through the hub's own pipeline (replay.h): what
 * would have been raised and ended, and when. Rules begin anew with each recording.
 */
#ifndef LUMBAR_TRIAL_H
#define LUMBAR_TRIAL_H

#include "replay.h"

struct trial_event {
    int64_t time_ms; /* hub time of the recording */
    const struct rule *rule;
    bool on; /* raised, else over */
    char device[LUMBAR_NAME_MAX + 1 + DEVICE_NAME_BYTES];
    char text[320]; /* for the therapist */
};

struct trial;

/* With the plugins that the configuration names, and its rules, or those of a file or folder. */
int trial_open(struct trial **out, const char *config_file, const char *rules, struct diag *diag);
void trial_close(struct trial *trial);

/* From the next recording on, with these changes in the place of what rules.changes names; lent. */
void trial_change(struct trial *trial, const struct rules_text *changes);

/* Judges a recording from where its reader stands. What it gives lasts until the next one. */
int trial_run(struct trial *trial, struct tape_reader *reader, struct diag *diag);

/* From the next recording on, with this rule varied (rules_vary()); its name outlives the trial. */
void trial_vary(struct trial *trial, const char *rule, int64_t on_delay_ms, double band);

const struct rules *trial_rules(const struct trial *trial);
const struct drivers *trial_drivers(const struct trial *trial);
const struct replay_counts *trial_counts(const struct trial *trial);

/* In the order of time; NULL behind the last one. */
const struct trial_event *trial_at(const struct trial *trial, size_t place);

/* When what was raised at this place was over, or the recording was. */
int64_t trial_end_ms(const struct trial *trial, size_t place);

/* How long a rule's alarms stood, over all devices. */
int64_t trial_stood_ms(const struct trial *trial, const struct rule *rule);
unsigned trial_raised(const struct trial *trial, const struct rule *rule);

#endif
