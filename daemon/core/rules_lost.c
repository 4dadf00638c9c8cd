/*
 * Rules that are built in: the loss of a value that an alarm needs is an alarm of its own, whatever
 * the files say. There is one for each metric that a rule looks at, unless a rule of the files
 * tells of its absence soon enough. It looks at nothing by itself: who knows which alarms stand
 * says what they miss (rules_miss), between two ticks; what nobody misses any more is over
 * (rules_tick.c).
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/rules_judge.h"
#include "core/rules_view.h"

#define LOST_FOR_MS   2000 /* beyond the stale time of its metric: our choice, as in rules.d */
#define LOST_CLEAR_MS 2000
#define SOON_MS       60000 /* a rule that tells of absence later than this does not do */

/* ---- Making them ---- */

/* Does a condition look at the value, or is the metric a limit: so that no value leaves it open? */
static bool needs(const struct rule_tree *tree, uint32_t probe)
{
    for (uint32_t i = 0; i < tree->term_count; i++) {
        const struct rule_term *term = &tree->terms[i];
        bool looks = term->condition != RULE_ABSENT && term->window != WINDOW_LAST;
        if ((term->probe == probe && looks) ||
            (term->from_high.source == LIMIT_METRIC && term->from_high.probe == probe) ||
            (term->from_low.source == LIMIT_METRIC && term->from_low.probe == probe))
            return true;
    }
    return false;
}

enum { UNNEEDED, NEEDED, TOLD };

static void note_rule(const struct rule *rule, uint8_t *metrics)
{
    bool absence = rule->condition == RULE_ABSENT;
    if (rule->tree == NULL && absence && rule->absent_ms <= SOON_MS)
        metrics[rule->metric] = TOLD;
    else if (rule->tree == NULL && !absence && metrics[rule->metric] == UNNEEDED)
        metrics[rule->metric] = NEEDED;
    for (uint32_t i = 0; rule->tree != NULL && i < rule->tree->probe_count; i++) {
        uint32_t metric = rule->tree->probes[i].metric;
        if (needs(rule->tree, i) && metrics[metric] == UNNEEDED)
            metrics[metric] = NEEDED;
    }
}

static void add(struct rules *rules, uint32_t metric)
{
    const struct driver *driver;
    const struct lumbar_metric *of = drivers_metric(rules->drivers, metric, &driver);
    char *name = rules->lost_names[rules->count - rules->written];
    int64_t stale_ms = metric_stale_ms(of);
    snprintf(name, RULE_NAME_BYTES, "%s.%s.lost", driver->plugin->kind, of->name);
    rules->details[rules->count] = (struct rule_detail){.stale_ms = stale_ms, .file = "built in"};
    rules->list[rules->count] = (struct rule){
        .id = rules->count,
        .name = name,
        .title = "Signal lost under an alarm",
        .text = "No {metric} from {device}: an alarm of it stands, and what is now is not known.",
        .plain = "What your device measures is not known at the moment.",
        .action = "Look at the client, then at the device.",
        .metric = metric,
        .driver = driver,
        .condition = RULE_ABSENT,
        .absent_ms = stale_ms + LOST_FOR_MS,
        .on_delay_ms = LOST_FOR_MS,
        .off_delay_ms = LOST_CLEAR_MS,
        .priority = PRIORITY_MEDIUM,
        .technical = true,
        .lost = true,
    };
    rules->lost_of[metric] = ++rules->count;
}

static int make_room(struct rules *rules, uint32_t more, struct diag *diag)
{
    size_t room = (size_t)rules->count + more + 1;
    struct rule *list = realloc(rules->list, room * sizeof(*list));
    rules->list = list != NULL ? list : rules->list;
    struct rule_detail *details = realloc(rules->details, room * sizeof(*details));
    rules->details = details != NULL ? details : rules->details;
    rules->lost_of = calloc((size_t)rules->drivers->metric_count + 1, sizeof(*rules->lost_of));
    rules->lost_names = calloc((size_t)more + 1, sizeof(*rules->lost_names));
    return list != NULL && details != NULL && rules->lost_of != NULL && rules->lost_names != NULL
               ? 0
               : diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
}

int rules_add_lost(struct rules *rules, struct diag *diag)
{
    uint32_t metrics = rules->drivers->metric_count, more = 0;
    uint8_t *needed = calloc((size_t)metrics + 1, 1);
    if (needed == NULL)
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    rules->written = rules->count;
    for (uint32_t r = 0; r < rules->count; r++)
        note_rule(&rules->list[r], needed);
    for (uint32_t m = 0; m < metrics; m++) {
        if (drivers_metric(rules->drivers, m, NULL)->kind == LUMBAR_EVENT)
            needed[m] = UNNEEDED; /* what does not come did not happen */
        more += needed[m] == NEEDED;
    }
    int code = make_room(rules, more, diag);
    for (uint32_t m = 0; m < metrics && code == 0; m++)
        if (needed[m] == NEEDED)
            add(rules, m);
    rules->loaded = code == 0 ? rules->count : rules->loaded;
    free(needed);
    return code;
}

uint32_t rules_written(const struct rules *rules)
{
    return rules->written;
}

/* ---- What is missed ---- */

static void miss(struct rules *rules, uint32_t metric, uint32_t device, bool begins, int64_t now_ms)
{
    if (rules->lost_of[metric] == 0)
        return;
    struct judge judge = judge_of(rules, device, rules->lost_of[metric] - 1, NULL, NULL);
    if (judge.state->phase == PHASE_IDLE && begins)
        judge_go(&judge, PHASE_PENDING, now_ms);
    judge.state->missed = judge.state->phase != PHASE_IDLE;
}

void rules_miss(struct rules *rules, struct devices *devices, const struct rule *rule,
                const struct device *device, enum rule_sight sight, int64_t now_ms)
{
    struct view view;
    bool begins = sight == SIGHT_LOST;
    if (sight == SIGHT_KNOWN || device->id > rules->max_devices)
        return;
    if (rule->tree == NULL) {
        miss(rules, rule->metric, device->id, begins, now_ms);
        return;
    }
    view_init(&view, rules, devices, device, NULL, rule->id);
    for (uint32_t i = 0; i < rule->tree->probe_count; i++) {
        const struct rule_probe *probe = &rule->tree->probes[i];
        const struct probed *probed = &view.probes[i];
        bool known = !probe_is_stale(probe, &probed->input, now_ms) && !probed->input.unknown;
        if (probed->device != 0 && !known && needs(rule->tree, i))
            miss(rules, probe->metric, probed->device, begins, now_ms);
    }
}
