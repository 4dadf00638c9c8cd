/*
 * Configurations that the hub came up with, so that a bad one cannot keep it from starting.
 *
 * Each has a number in a folder of the state: FOLDER/7/lumbard.yaml and rules/, plans/ and
 * changes.yaml beside it, as the files stood. What is tried now lies in FOLDER/trying until the hub
 * is up with it; then it has the next number. What was tried KEPT_TRIES times and never came up (it
 * crashes the hub, or wants what is not there) is not tried again until it is changed. A number's
 * folder appears by a rename; until kept_sync() it has a mark in it that names this boot of the
 * machine, for a power cut may leave it without its texts: with another boot's mark it is passed
 * over, and the next kept_sync() removes it. The newest KEPT_MOST stay. An empty FOLDER keeps
 * nothing. Before the loop or by it, but for kept_sync().
 */
#ifndef LUMBAR_IO_KEPT_H
#define LUMBAR_IO_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"
#include "io/files.h"

#define KEPT_MOST    10
#define KEPT_TRIES   2
#define KEPT_RULES   "rules" /* folders beside a kept lumbard.yaml, whatever their names were */
#define KEPT_PLANS   "plans"
#define KEPT_CHANGES "changes.yaml" /* what rules.changes named; not there where that was not */

/* The texts of a configuration: its file, and all that it names. */
struct kept_set {
    char *text;
    size_t bytes;
    struct files_rules rules, plans, changes; /* of changes: one, or none */
};
int kept_read(struct kept_set *set, const char *config_file, const struct config *config,
              struct diag *diag);
/* The same of a number, whose configuration need not be understood. */
int kept_read_number(struct kept_set *set, const char *folder, uint32_t number, struct diag *diag);
void kept_free(struct kept_set *set);
bool kept_equal(const struct kept_set *a, const struct kept_set *b);

/* Takes down what is about to be tried. How often just this was tried before, and the hub did not
 * come up; 0 too for what is known to be good. An error only where it cannot be read. */
int kept_try(const char *folder, const char *config_file, const struct config *config,
             unsigned *tries, struct diag *diag);
void kept_drop(const char *folder); /* it was refused, and nothing came of it */

/* The hub is up with it. Gives the newest number, 0 where there is none. */
uint32_t kept_good(const char *folder);

/* Syncs those that are not on the disk yet, a file after the other: no work for the loop. What the
 * disk refuses is said, and tried again the next time. */
void kept_sync(const char *folder);

/* The greatest number below this one that is whole; 0: none. */
uint32_t kept_below(const char *folder, uint32_t number);

/* "FOLDER/7/lumbard.yaml"; returns out. */
const char *kept_file(const char *folder, uint32_t number, char *out, size_t bytes);

#endif
