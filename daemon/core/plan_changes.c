/* What is another one in a plan, for who reads later what was changed. */
#include "core/plan.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

enum { NOWHERE = PLAN_PHASES_MAX };

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool is_namesake(const struct plan_phase *a, const struct plan_phase *b)
{
    return a->kind == b->kind && strcmp(a->title, b->title) == 0;
}

/* Where the other plan has this phase, of the same kind and name: the first, second ... of such. */
static uint32_t counterpart(const struct plan *plan, uint32_t index, const struct plan *other)
{
    const struct plan_phase *phase = &plan->phases[index];
    uint32_t before = 0;
    for (uint32_t i = 0; i < index; i++)
        before += is_namesake(&plan->phases[i], phase);
    for (uint32_t i = 0; i < other->phase_count; i++)
        if (is_namesake(&other->phases[i], phase) && before-- == 0)
            return i;
    return NOWHERE;
}

/* What the other plan calls a phase of this one: its place there may be another. */
static uint32_t phase_there(const struct plan *plan, uint32_t phase, const struct plan *other)
{
    return phase < plan->phase_count ? counterpart(plan, phase, other) : phase;
}

static bool is_alike(const struct plan_band *a, const struct plan_band *b, uint32_t phase)
{
    return a->metric == b->metric && a->phase == phase && a->regions == b->regions &&
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
    uint32_t before = 0, there = phase_there(plan, band->phase, other);
    for (uint32_t i = 0; i < index; i++)
        before += is_alike(&plan->bands[i], band, band->phase);
    for (uint32_t i = 0; i < other->band_count; i++)
        if (is_alike(&other->bands[i], band, there) && before-- == 0)
            return &other->bands[i];
    return NULL;
}

static const char *after(const struct text *text)
{
    return text->length > 0 ? "; " : "";
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
    text_add(text, "%s%s", after(text), metric->name);
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

static void tell_minutes(struct text *text, int64_t ms)
{
    text_add_number(text, (double)ms / 60000, 2);
    text_add(text, " min");
}

static void tell_phase(struct text *text, const struct plan_phase *phase,
                       const struct plan_phase *old)
{
    if (old == NULL || phase->time_ms != old->time_ms) {
        text_add(text, "%s%s: ", after(text), phase->title);
        tell_minutes(text, phase->time_ms);
        text_add(text, ", was ");
        if (old != NULL)
            tell_minutes(text, old->time_ms);
        else
            text_add(text, "none");
    }
    if (old != NULL && phase->regions != old->regions)
        text_add(text, "%s%s: other regions", after(text), phase->title);
}

/* Times, what is new or gone, and whether those that stay changed places among each other. */
static void tell_phases(struct text *text, const struct plan *plan, const struct plan *old)
{
    bool is_moved = false;
    uint32_t last = 0;
    for (uint32_t i = 0; i < plan->phase_count; i++) {
        uint32_t there = counterpart(plan, i, old);
        tell_phase(text, &plan->phases[i], there == NOWHERE ? NULL : &old->phases[there]);
        if (there == NOWHERE)
            continue;
        is_moved |= there < last;
        last = there;
    }
    for (uint32_t i = 0; i < old->phase_count; i++)
        if (counterpart(old, i, plan) == NOWHERE)
            text_add(text, "%s%s: taken out", after(text), old->phases[i].title);
    if (is_moved)
        text_add(text, "%sother order of phases", after(text));
}

static bool has_same_goals(const struct plan *plan, const struct plan *old)
{
    bool alike = plan->goal_count == old->goal_count;
    for (uint32_t i = 0; alike && i < plan->goal_count; i++)
        alike = strcmp(plan->goals[i], old->goals[i]) == 0;
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
    tell_phases(text, plan, old);
    if (strcmp(plan->title, old->title) != 0)
        text_add(text, "%stitle: %s, was %s", after(text), plan->title, old->title);
    if (plan->regions != old->regions)
        text_add(text, "%sother regions", after(text));
    if (!has_same_goals(plan,
                        old)) /* not what they are: they are of the client, and this is kept */
        text_add(text, "%sother goals", after(text));
}
