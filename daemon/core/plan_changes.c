/* What is another one in a plan, for who reads later what was changed. */
#include "core/plan.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool is_alike(const struct plan_band *a, const struct plan_band *b)
{
    return a->metric == b->metric && a->phase == b->phase && a->regions == b->regions &&
           a->target == b->target;
}

static bool says_same(const struct plan_band *a, const struct plan_band *b)
{
    return same(a->low, b->low) && same(a->high, b->high) && a->own == b->own;
}

/* The one that stands for it in the other plan: the first, second ... of its kind. */
static const struct plan_band *partner(const struct plan *plan, uint32_t index,
                                       const struct plan *other)
{
    const struct plan_band *band = &plan->bands[index];
    uint32_t before = 0;
    for (uint32_t i = 0; i < index; i++)
        before += is_alike(&plan->bands[i], band);
    for (uint32_t i = 0; i < other->band_count; i++)
        if (is_alike(&other->bands[i], band) && before-- == 0)
            return &other->bands[i];
    return NULL;
}

static void tell_ends(struct text *text, const struct plan_band *band,
                      const struct lumbar_metric *metric)
{
    const char *unit = strcmp(metric->unit, "1") == 0 ? "" : metric->unit;
    const struct {
        const char *word;
        double end;
    } ends[] = {{band->target ? "at least" : "below", band->low},
                {band->target ? "at most" : "above", band->high}};
    const char *between = "";
    for (size_t i = 0; i < 2; i++) {
        if (isnan(ends[i].end))
            continue;
        text_add(text, "%s%s ", between, ends[i].word);
        text_add_number(text, ends[i].end, 6);
        text_add(text, "%s%s", *unit ? " " : "", unit);
        between = ", ";
    }
    if (band->own != 0) {
        text_add(text, "%s", between);
        text_add_number(text, band->own * 100, 0);
        text_add(text, " %% of the own range");
    }
}

static void tell_band(struct text *text, const struct plan *plan, const struct plan_band *band,
                      const struct plan_band *old, const struct drivers *drivers)
{
    const struct plan_band *of = band != NULL ? band : old;
    const struct lumbar_metric *metric = drivers_metric(drivers, of->metric, NULL);
    text_add(text, "%s%s", text->length > 0 ? "; " : "", metric->name);
    if (of->phase != PLAN_ANY_PHASE && of->phase < plan->phase_count)
        text_add(text, " in %s", plan->phases[of->phase].title);
    text_add(text, ": ");
    if (band != NULL)
        tell_ends(text, band, metric);
    else
        text_add(text, "none");
    text_add(text, ", was ");
    if (old != NULL)
        tell_ends(text, old, metric);
    else
        text_add(text, "none");
}

static bool is_else_same(const struct plan *plan, const struct plan *old)
{
    bool alike = strcmp(plan->title, old->title) == 0 && plan->goal_count == old->goal_count &&
                 plan->regions == old->regions && plan->phase_count == old->phase_count;
    for (uint32_t i = 0; alike && i < plan->goal_count; i++)
        alike = strcmp(plan->goals[i], old->goals[i]) == 0;
    for (uint32_t i = 0; alike && i < plan->phase_count; i++) {
        const struct plan_phase *a = &plan->phases[i], *b = &old->phases[i];
        alike = a->kind == b->kind && a->time_ms == b->time_ms && a->regions == b->regions &&
                strcmp(a->title, b->title) == 0;
    }
    return alike;
}

void plan_tell_changes(struct text *text, const struct plan *plan, const struct plan *old,
                       const struct drivers *drivers)
{
    for (uint32_t i = 0; i < plan->band_count; i++) {
        const struct plan_band *before = partner(plan, i, old);
        if (before == NULL || !says_same(&plan->bands[i], before))
            tell_band(text, plan, &plan->bands[i], before, drivers);
    }
    for (uint32_t i = 0; i < old->band_count; i++)
        if (partner(old, i, plan) == NULL)
            tell_band(text, old, NULL, &old->bands[i], drivers);
    if (!is_else_same(plan, old))
        text_add(text, "%sother parts", text->length > 0 ? "; " : "");
}
