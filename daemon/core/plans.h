/*
 * Plans to start from: a folder of templates, one a file, found by name. Pure; one block.
 */
#ifndef LUMBAR_CORE_PLANS_H
#define LUMBAR_CORE_PLANS_H

#include "core/plan.h"
#include "core/rules.h"

struct plans;

/* From YAML files; none are an empty set. Refuses a second plan of a name, and one that was tailored
 * to a client: those are not kept in files. */
int plans_load(struct plans **out, const struct rules_text *files, size_t count,
               const struct drivers *drivers, const struct body *body, struct diag *diag);
void plans_destroy(struct plans *plans);

uint32_t plans_count(const struct plans *plans);
const struct plan *plans_at(const struct plans *plans, uint32_t index);

/* By name; NULL, with the nearest one in diag, where there is none. */
const struct plan *plans_find(const struct plans *plans, const char *name, struct diag *diag);

#endif
