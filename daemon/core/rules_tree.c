/*
 * Rules that are more than a number on one metric: several conditions, limits that come from
 * somewhere, windows, arming. Slower than rules.c, and only for those who look at the metric.
 */
#include <math.h>
#include <string.h>

#include "core/rules_view.h"

/* ---- Phases ---- */

static void go(const struct view *view, enum rule_phase phase, int64_t since_ms)
{
    struct rule_state *state = view->state;
    int32_t more = (phase != PHASE_IDLE) - (state->phase != PHASE_IDLE);
    for (uint32_t i = 0; more != 0 && i < view->tree->probe_count; i++) {
        const struct rule_probe *probe = &view->tree->probes[i];
        if (probe->driver == view->rule->driver) /* others are never passed over */
            input_of(view->rules, view->device, probe->metric - probe->driver->first_metric)
                ->busy += (uint32_t)more;
    }
    state->phase = (uint8_t)phase;
    state->since_ms = since_ms;
    active_note(view->rules, view->device, view->rule->id);
}

static void tell(struct view *view, bool on, int64_t time_ms)
{
    const struct rule_term *term = &view->tree->terms[0];
    const struct limits *limits = &view->limits[0];
    double *worst = worst_of(view->rules, view->device, view->rule->id);
    double value = term->condition == RULE_ABSENT ? NAN : view_value(view, term, time_ms);
    if (on)
        *worst = view->rule->worse != WORSE_NEITHER ? value : NAN;
    bool low =
        term->condition == RULE_BELOW || (term->condition == RULE_OUTSIDE && value < limits->low);
    struct rule_event event = {.rule = view->rule,
                               .device = view->device,
                               .on = on && view->armed,
                               .suppressed = on && !view->armed,
                               .value = value,
                               .limit = low                   ? limits->low
                                        : term_has_high(term) ? limits->high
                                                              : NAN,
                               .worst = *worst,
                               .time_ms = time_ms};
    if (term->window == WINDOW_COUNT)
        event.limit = term->times;
    view->on_event(view->user, &event);
}

/* Armed or not any more: what stands is suppressed; what was, has its on-delay before it. */
static void take_arming(struct view *view, int64_t time_ms)
{
    struct rule_state *state = view->state;
    if (state->suppressed == !view->armed)
        return;
    state->suppressed = !view->armed;
    if (state->phase == PHASE_PENDING) {
        go(view, PHASE_PENDING, time_ms);
    } else if (state->phase != PHASE_IDLE && !view->armed) {
        tell(view, true, time_ms);
    } else if (state->phase != PHASE_IDLE) {
        bool holds = state->phase == PHASE_ON;
        go(view, holds ? PHASE_PENDING : PHASE_IDLE, time_ms);
        tell(view, false, time_ms);
    }
}

static void take_truth(struct view *view, enum truth hold, enum truth stay, int64_t time_ms)
{
    struct rule_state *state = view->state;
    bool gap = state->gap;
    switch (state->phase) {
    case PHASE_IDLE:
        if (hold == YES)
            go(view, PHASE_PENDING, time_ms);
        break;
    case PHASE_PENDING:
        if (hold == NO)
            go(view, PHASE_IDLE, time_ms);
        else if (hold == YES && gap)
            go(view, PHASE_PENDING, time_ms);
        break;
    case PHASE_ON:
        if (stay == NO)
            go(view, PHASE_CLEARING, time_ms);
        break;
    case PHASE_CLEARING:
        if (stay == YES)
            go(view, PHASE_ON, time_ms);
        else if (stay == NO && gap)
            go(view, PHASE_CLEARING, time_ms);
        break;
    }
    int64_t held_ms = time_ms - state->since_ms;
    if (state->phase == PHASE_PENDING && hold == YES && held_ms >= view->rule->on_delay_ms) {
        go(view, PHASE_ON, time_ms);
        tell(view, true, time_ms);
    } else if (state->phase == PHASE_CLEARING && stay == NO &&
               held_ms >= view->rule->off_delay_ms) {
        go(view, PHASE_IDLE, time_ms);
        tell(view, false, time_ms);
    }
}

static void note_worst(struct view *view, int64_t time_ms)
{
    double *worst = worst_of(view->rules, view->device, view->rule->id);
    const struct limits *limits = &view->limits[0];
    if (view->rule->worse != WORSE_NEITHER)
        *worst = rule_worse(view->rule, limits->low, limits->high, *worst,
                            view_value(view, &view->tree->terms[0], time_ms));
}

static void step(struct view *view, int64_t time_ms)
{
    struct rule_state *state = view->state;
    if (state->since_ms > time_ms) /* it began when a clock was mapped too far ahead */
        state->since_ms = time_ms;
    take_arming(view, time_ms);
    bool idle = state->phase == PHASE_IDLE || state->phase == PHASE_PENDING;
    enum truth stay = idle ? UNKNOWN : view_truth(view, true, time_ms);
    enum truth hold = idle ? view_truth(view, false, time_ms) : UNKNOWN;
    if (hold == UNKNOWN && stay == UNKNOWN) {
        state->gap = state->gap || view->stale;
        return;
    }
    if (is_on(state))
        note_worst(view, time_ms);
    take_truth(view, hold, stay, time_ms);
    state->gap = false;
}

/* ---- A message ---- */

/* A series of the message that a probe looks at. */
struct walked {
    const struct lumbar_series *series; /* NULL: none */
    uint32_t at;
};

static void find_series(const struct judged *judged, const struct view *view, struct walked *walked)
{
    const struct lumbar_batch *batch = &judged->message->batch;
    for (uint32_t i = 0; i < view->tree->probe_count; i++) {
        const struct rule_probe *probe = &view->tree->probes[i];
        walked[i] = (struct walked){NULL, 0};
        if (probe->driver != judged->from->driver || view->probes[i].device != judged->from->id)
            continue;
        for (uint32_t s = 0; s < batch->series_count && walked[i].series == NULL; s++)
            if (batch->series[s].metric + probe->driver->first_metric == probe->metric)
                walked[i].series = &batch->series[s];
    }
}

/* The time of the next sample of any series. False: there is none left. */
static bool next_time(const struct view *view, const struct walked *walked, int64_t *time_ms)
{
    bool any = false;
    for (uint32_t i = 0; i < view->tree->probe_count; i++) {
        const struct walked *each = &walked[i];
        if (each->series == NULL || each->at == each->series->count)
            continue;
        int64_t at_ms = each->series->time_ms[each->at];
        *time_ms = !any || at_ms < *time_ms ? at_ms : *time_ms;
        any = true;
    }
    return any;
}

static void feed_windows(const struct view *view, uint32_t probe, double value, int64_t time_ms)
{
    for (uint32_t i = 0; i < view->tree->term_count; i++) {
        const struct rule_term *term = &view->tree->terms[i];
        if (term->probe == probe && is_gathered(term))
            window_add(window_of(view->rules, view->device, term), term, value, time_ms);
    }
}

/* False for what is older than the newest judged. */
static bool take_sample(const struct view *view, struct rule_input *input, uint32_t probe,
                        double value, int64_t time_ms)
{
    if (input->judged && time_ms < input->last_ms &&
        (view->rules->now_ms == 0 || input->last_ms <= view->rules->now_ms + AHEAD_MS))
        return false;
    input->judged = true;
    input->last_ms = time_ms;
    input->unknown = isnan(value);
    if (input->unknown)
        return true;
    feed_windows(view, probe, value, time_ms);
    input->given = true;
    input->value = value;
    input->value_ms = time_ms;
    return true;
}

/* Takes every sample of this time; false where all of them are late. Two of the same time in one
 * series are two moments. */
static bool take_moment(struct view *view, struct walked *walked, int64_t time_ms,
                        int64_t offset_ms)
{
    bool any = false, gap = false;
    for (uint32_t i = 0; i < view->tree->probe_count; i++) {
        struct rule_input *input = &view->probes[i].input;
        struct walked *each = &walked[i];
        if (each->series == NULL || each->at == each->series->count ||
            each->series->time_ms[each->at] != time_ms)
            continue;
        gap = gap ||
              (input->given && probe_is_stale(&view->tree->probes[i], input, time_ms + offset_ms));
    }
    /* Did it matter? Only if nothing could be said without that value. */
    bool idle = view->state->phase == PHASE_IDLE || view->state->phase == PHASE_PENDING;
    if (gap && view_truth(view, !idle, time_ms + offset_ms) == UNKNOWN)
        view->state->gap = true;
    for (uint32_t i = 0; i < view->tree->probe_count; i++) {
        struct walked *each = &walked[i];
        if (each->series == NULL || each->at == each->series->count ||
            each->series->time_ms[each->at] != time_ms)
            continue;
        double value = each->series->value[each->at++];
        any |= take_sample(view, &view->probes[i].input, i, value, time_ms + offset_ms);
    }
    return any;
}

/* ---- At a glance ---- */

/* May a condition hold of any value of the message, or of the one before it? */
static bool may_hold_of(const struct judged *judged, const struct view *view, uint32_t index,
                        const struct walked *walked)
{
    const struct rule_term *term = &view->tree->terms[index];
    const struct limits *limits = &view->limits[index];
    const struct rule_input *input = &view->probes[term->probe].input;
    struct extent extent = {input->value, input->value, input->given};
    const struct lumbar_series *series = walked[term->probe].series;
    if (series != NULL) {
        const struct extent *of = &judged->message->extents[series - judged->message->batch.series];
        if (!of->known)
            return true;
        extent.min = !extent.known || of->min < extent.min ? of->min : extent.min;
        extent.max = !extent.known || of->max > extent.max ? of->max : extent.max;
        extent.known = true;
    }
    if (!extent.known)
        return false;
    if (term->condition == RULE_IS)
        return extent.min <= term->label && extent.max >= term->label;
    return (term_has_high(term) && extent.max > limits->high) ||
           (term_has_low(term) && extent.min < limits->low);
}

static bool may_hold_at(const struct judged *judged, const struct view *view, uint32_t at,
                        const struct walked *walked)
{
    const struct rule_node *node = &view->tree->nodes[at];
    if (node->kind == NODE_TERM)
        return may_hold_of(judged, view, node->term, walked);
    for (uint32_t child = at + 1; child < node->end; child = view->tree->nodes[child].end)
        if (may_hold_at(judged, view, child, walked) == (node->kind == NODE_ANY))
            return node->kind == NODE_ANY;
    return node->kind == NODE_ALL;
}

/* Nearly always nothing of a message can make an idle rule hold: then it stays idle, whatever the
 * order of the values was. Not where a condition depends on more than its value. */
static bool may_hold(const struct judged *judged, const struct view *view,
                     const struct walked *walked)
{
    if (view->state->phase != PHASE_IDLE || !view->tree->plain)
        return true;
    return may_hold_at(judged, view, 0, walked);
}

static void judge_device(const struct judged *judged, uint32_t rule, const struct device *device)
{
    struct view view;
    struct walked walked[PROBES_MAX];
    int64_t time_ms = 0;
    view_init(&view, judged->rules, judged->devices, device, judged->from, rule);
    view.on_event = judged->on_event;
    view.user = judged->user;
    find_series(judged, &view, walked);
    if (!may_hold(judged, &view, walked))
        return;
    while (next_time(&view, walked, &time_ms))
        if (take_moment(&view, walked, time_ms, judged->offset_ms))
            step(&view, time_ms + judged->offset_ms);
}

void tree_judge(const struct judged *judged, uint32_t rule)
{
    const struct driver *driver = judged->rules->list[rule].driver;
    const struct device *from = judged->from;
    uint32_t count = judged->devices != NULL ? devices_count(judged->devices) : 0;
    if (from->driver == driver) {
        judge_device(judged, rule, from);
        return;
    }
    for (uint32_t id = 1; from->room != ROOM_NONE && id <= count; id++) {
        const struct device *device = devices_at(judged->devices, id);
        if (device->room == from->room && device->driver == driver &&
            id <= judged->rules->max_devices)
            judge_device(judged, rule, device);
    }
}

void tree_tick(struct rules *rules, struct devices *devices, const struct device *device,
               uint32_t rule, int64_t now_ms, rules_event_cb *on_event, void *user)
{
    const struct rule_tree *tree = rules->details[rule].tree;
    struct view view;
    if (state_of(rules, device->id, rule)->phase == PHASE_IDLE && !tree->ticks)
        return;
    for (uint32_t i = 0; tree->ticks && i < tree->term_count; i++)
        if (tree->terms[i].condition == RULE_ABSENT && tree->terms[i].driver == device->driver)
            input_expect(
                input_of(rules, device->id, tree->terms[i].metric - device->driver->first_metric),
                device->room != ROOM_NONE, now_ms);
    view_init(&view, rules, devices, device, NULL, rule);
    view.on_event = on_event;
    view.user = user;
    step(&view, now_ms);
}

void tree_retell(struct rules *rules, struct devices *devices, const struct device *device,
                 uint32_t rule, int64_t now_ms, rules_event_cb *on_event, void *user)
{
    struct view view;
    view_init(&view, rules, devices, device, NULL, rule);
    view.on_event = on_event;
    view.user = user;
    tell(&view, true, now_ms);
}

/* ---- A new set, and who wants to see ---- */

bool tree_knows(struct rules *rules, struct devices *devices, const struct device *device,
                uint32_t rule, int64_t now_ms)
{
    struct view view;
    view_init(&view, rules, devices, device, NULL, rule);
    return view_truth(&view, true, now_ms) != UNKNOWN;
}

static bool term_same(const struct rule_term *a, const struct rule_term *b)
{
    return a->metric == b->metric && a->condition == b->condition && a->label == b->label &&
           a->window == b->window && a->window_ms == b->window_ms;
}

bool tree_same(const struct rule *rule, const struct rule *old)
{
    const struct rule_tree *a = rule->tree, *b = old->tree;
    if (a == NULL || b == NULL) /* one on a metric may get a tree, or lose it, and be the same */
        return (a == NULL || a->node_count == 1) && (b == NULL || b->node_count == 1) &&
               rule->window == WINDOW_NONE && old->window == WINDOW_NONE;
    if (a->term_count != b->term_count || a->node_count != b->node_count ||
        memcmp(a->nodes, b->nodes, a->node_count * sizeof(a->nodes[0])) != 0)
        return false;
    for (uint32_t i = 0; i < a->term_count; i++)
        if (!term_same(&a->terms[i], &b->terms[i]))
            return false;
    return true;
}

void tree_adopt(struct rules *rules, uint32_t rule, const struct rules *old, uint32_t before,
                uint32_t device)
{
    const struct rule_tree *tree = rules->details[rule].tree, *was = old->details[before].tree;
    struct view view = {.rules = rules,
                        .rule = &rules->list[rule],
                        .tree = tree,
                        .state = state_of(rules, device, rule),
                        .device = device};
    struct rule_state state = *state_of(old, device, before);
    state.active = false;
    *view.state = (struct rule_state){.phase = PHASE_IDLE};
    go(&view, (enum rule_phase)state.phase, state.since_ms);
    state.active = view.state->active;
    *view.state = state;
    *worst_of(rules, device, rule) = *worst_of(old, device, before);
    for (uint32_t i = 0; was != NULL && i < tree->term_count; i++)
        if (is_gathered(&tree->terms[i]))
            *window_of(rules, device, &tree->terms[i]) = *window_of(old, device, &was->terms[i]);
}

void tree_go(struct rules *rules, uint32_t rule, uint32_t device, enum rule_phase phase,
             int64_t since_ms)
{
    struct view view = {.rules = rules,
                        .rule = &rules->list[rule],
                        .tree = rules->details[rule].tree,
                        .state = state_of(rules, device, rule),
                        .device = device};
    go(&view, phase, since_ms);
}

enum rule_standing tree_standing(const struct rules *rules, uint32_t rule,
                                 const struct device *device)
{
    struct view view = {.rules = (struct rules *)(uintptr_t)rules,
                        .rule = &rules->list[rule],
                        .tree = rules->details[rule].tree,
                        .state = state_of(rules, device->id, rule),
                        .device = device->id,
                        .room = device->room};
    bool armed = view.armed = view_is_armed(&view);
    view_limits(&view);
    bool standing = view.state->phase == PHASE_ON || view.state->phase == PHASE_CLEARING;
    if (standing && (!view.armed || view.state->suppressed))
        return STANDING_SUPPRESSED;
    if (!view.armed)
        return armed ? STANDING_NO_LIMIT : STANDING_UNARMED;
    return standing                             ? STANDING_ON
           : view.state->phase == PHASE_PENDING ? STANDING_WAITING
                                                : STANDING_CALM;
}
