#include "core/plans.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define NAMES_MAX 64 /* looked at for the nearest */

struct plans {
    uint32_t count;
    struct plan list[];
};

static int add(struct plans *plans, const struct rules_text *file, const struct drivers *drivers,
               const struct body *body, struct diag *diag)
{
    struct plan *plan = &plans->list[plans->count];
    int code = plan_parse(plan, file->file, file->text, file->bytes, drivers, body, diag);
    if (code != 0)
        return code;
    if (plan->client[0] != '\0')
        return diag_at(diag, ERR_CONFLICT, file->file, 1, 1, "a plan in a file is of no client");
    if (plans_find(plans, plan->name, NULL) != NULL)
        return diag_at(diag, ERR_CONFLICT, file->file, 1, 1, "a second plan '%s'", plan->name);
    plans->count++;
    return 0;
}

int plans_load(struct plans **out, const struct rules_text *files, size_t count,
               const struct drivers *drivers, const struct body *body, struct diag *diag)
{
    *out = NULL;
    struct plans *plans = calloc(1, sizeof(*plans) + count * sizeof(plans->list[0]));
    if (plans == NULL)
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++)
        code = add(plans, &files[i], drivers, body, diag);
    if (code != 0) {
        plans_destroy(plans);
        return code;
    }
    *out = plans;
    return 0;
}

void plans_destroy(struct plans *plans)
{
    free(plans);
}

uint32_t plans_count(const struct plans *plans)
{
    return plans->count;
}

const struct plan *plans_at(const struct plans *plans, uint32_t index)
{
    return index < plans->count ? &plans->list[index] : NULL;
}

const struct plan *plans_find(const struct plans *plans, const char *name, struct diag *diag)
{
    const char *names[NAMES_MAX];
    for (uint32_t i = 0; i < plans->count; i++) {
        if (strcmp(plans->list[i].name, name) == 0)
            return &plans->list[i];
        if (i < NAMES_MAX)
            names[i] = plans->list[i].name;
    }
    const char *nearest =
        text_nearest(name, names, plans->count < NAMES_MAX ? plans->count : NAMES_MAX);
    diag_set(diag, ERR_UNKNOWN, "there is no plan '%.60s'%s%s%s", name,
             nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    return NULL;
}
