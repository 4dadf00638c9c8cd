/*
 * Suppressed: what rules would raise, if they were armed. It is no alarm: nobody has to do anything,
 * nothing is stored, and it sounds nowhere. But it is shown, so that nobody takes a silent rule for
 * a good value.
 *
 * One entry a rule and device, from when the rule would have raised until it is armed, or over.
 * After a restart what comes again brings them back. Memory: fixed; what finds no place is counted.
 * Pure.
 */
#ifndef LUMBAR_CORE_SUPPRESSED_H
#define LUMBAR_CORE_SUPPRESSED_H

#include <stdbool.h>
#include <stdint.h>

#include "core/rules.h"

#define SUPPRESSED_MAX 512

struct suppressed {
    const struct rule *rule;
    uint32_t device;
    int64_t since_ms; /* hub time */
    double value, limit;
    const char *phase; /* in which it began, of core/plan.h; NULL: no session ran */
};

struct suppressions {
    struct suppressed list[SUPPRESSED_MAX]; /* the oldest first */
    uint32_t count;
    uint64_t change; /* grows with each change */
    uint64_t lost;   /* that found no place */
};

/* Takes what a rule found. */
void suppressions_take(struct suppressions *suppressions, const struct rule_event *event);

/* A new set of rules: what is suppressed of a rule that goes on, and may be, is. */
void suppressions_adopt(struct suppressions *suppressions, const struct rules *rules);

#endif
