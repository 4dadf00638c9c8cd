#include "core/rules.h"

#include <math.h>
#include <string.h>

#include "core/rules_judge.h"

uint32_t rules_count(const struct rules *rules)
{
    return rules->count;
}

const struct rule *rules_at(const struct rules *rules, uint32_t id)
{
    return id < rules->count ? &rules->list[id] : NULL;
}

const struct rule *rules_find(const struct rules *rules, const char *name)
{
    for (uint32_t i = 0; i < rules->count; i++)
        if (strcmp(rules->list[i].name, name) == 0)
            return &rules->list[i];
    return NULL;
}

void rules_ask(struct rules *rules, const struct rules_lookup *lookup)
{
    rules->lookup = *lookup;
}

const char *rules_phase(const struct rules *rules, uint32_t room)
{
    const struct rules_lookup *lookup = &rules->lookup;
    return lookup->phase != NULL && room != ROOM_NONE ? lookup->phase(lookup->user, room) : NULL;
}

bool rule_continues(const struct rule *rule, const struct rule *old)
{
    return strcmp(rule->name, old->name) == 0 && rule->metric == old->metric &&
           rule->condition == old->condition && rule->label == old->label && tree_same(rule, old);
}

/* What is known of a device's metrics, but for the rules that are busy with them. */
static void adopt_inputs(struct rules *rules, const struct rules *old, uint32_t device)
{
    uint32_t width =
        rules->inputs_width < old->inputs_width ? rules->inputs_width : old->inputs_width;
    for (uint32_t metric = 0; metric < width; metric++) {
        struct rule_input *input = input_of(rules, device, metric);
        *input = *input_of(old, device, metric);
        input->busy = 0;
    }
}

/* How far it lies outside. */
static double beyond(double value, double low, double high)
{
    return value < low ? low - value : value - high;
}

double rule_worse(const struct rule *rule, double low, double high, double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) ? b : a;
    bool worse = rule->worse == WORSE_HIGHER  ? b > a
                 : rule->worse == WORSE_LOWER ? b < a
                                              : beyond(b, low, high) > beyond(a, low, high);
    return worse ? b : a;
}

/* One rule on one device, which is of its kind. */
static void adopt_state(struct rules *rules, const struct rule *rule, const struct rules *old,
                        uint32_t before, uint32_t device)
{
    if (rule->tree != NULL) {
        tree_adopt(rules, rule->id, old, before, device);
        return;
    }
    struct rule_state *state = state_of(rules, device, rule->id);
    *state = *state_of(old, device, before);
    state->active = false;
    if (state->suppressed) /* nobody was told; armed now, it has its on-delay before it */
        *state = (struct rule_state){.phase = PHASE_IDLE};
    *worst_of(rules, device, rule->id) = *worst_of(old, device, before);
    input_of(rules, device, rule->metric - rule->driver->first_metric)->busy +=
        state->phase != PHASE_IDLE;
    active_note(rules, device, rule->id);
}

void rules_adopt(struct rules *rules, const struct rules *old, struct devices *devices)
{
    uint32_t count = rules->max_devices < old->max_devices ? rules->max_devices : old->max_devices;
    count = devices_count(devices) < count ? devices_count(devices) : count;
    rules->now_ms = old->now_ms;
    rules->begun_ms = old->begun_ms;
    rules->lookup = old->lookup;
    for (uint32_t device = 1; device <= count; device++)
        adopt_inputs(rules, old, device);
    for (uint32_t r = 0; r < rules->count; r++) {
        const struct rule *rule = &rules->list[r], *before = rules_find(old, rule->name);
        if (before == NULL || !rule_continues(rule, before))
            continue;
        for (uint32_t device = 1; device <= count; device++)
            if (devices_at(devices, device)->driver == rule->driver)
                adopt_state(rules, rule, old, before->id, device);
    }
}

void judge_go(const struct judge *judge, enum rule_phase phase, int64_t since_ms)
{
    struct rule_state *state = judge->state;
    judge->input->busy -= state->phase != PHASE_IDLE;
    judge->input->busy += phase != PHASE_IDLE;
    state->phase = (uint8_t)phase;
    state->since_ms = since_ms;
    active_note(judge->rules, judge->device, judge->rule->id);
}

/* Which of a rule's limits this value is held against. */
static double limit_at(const struct rule *rule, double value)
{
    switch (rule->condition) {
    case RULE_ABOVE:
        return rule->high;
    case RULE_BELOW:
        return rule->low;
    case RULE_OUTSIDE:
        return value < rule->low ? rule->low : rule->high;
    case RULE_IS:
    case RULE_ABSENT:
        break;
    }
    return NAN;
}

void judge_tell(const struct judge *judge, bool on, double value, int64_t time_ms)
{
    double *worst = worst_of(judge->rules, judge->device, judge->rule->id);
    if (on)
        *worst = judge->rule->worse != WORSE_NEITHER ? value : NAN;
    struct rule_event event = {.rule = judge->rule,
                               .device = judge->device,
                               .on = on,
                               .value = judge->rule->condition == RULE_ABSENT ? NAN : value,
                               .limit = limit_at(judge->rule, value),
                               .worst = *worst,
                               .time_ms = time_ms};
    judge->on_event(judge->user, &event);
}

static bool holds(const struct rule *rule, double value)
{
    switch (rule->condition) {
    case RULE_ABOVE:
        return value > rule->high;
    case RULE_BELOW:
        return value < rule->low;
    case RULE_OUTSIDE:
        return value < rule->low || value > rule->high;
    case RULE_IS:
        return value == (double)rule->label;
    case RULE_ABSENT:
        break;
    }
    return false;
}

/* Between holding and over lies the dead band, where nothing changes. What was held back says
 * nothing of now: a signal is there again once a sample is younger than the silence that is looked
 * for. */
static bool is_over(const struct judge *judge, double value, int64_t time_ms)
{
    const struct rule *rule = judge->rule;
    switch (rule->condition) {
    case RULE_ABOVE:
        return value <= rule->clear_high;
    case RULE_BELOW:
        return value >= rule->clear_low;
    case RULE_OUTSIDE:
        return value >= rule->clear_low && value <= rule->clear_high;
    case RULE_IS:
        return value != (double)rule->label && !judge->detail->event;
    case RULE_ABSENT:
        return judge->rules->now_ms - time_ms < rule->absent_ms;
    }
    return true;
}

bool judge_is_gap(const struct judge *judge, int64_t time_ms)
{
    const struct rule_input *input = judge->input;
    return judge->detail->stale_ms > 0 && input->given &&
           time_ms - input->value_ms > judge->detail->stale_ms;
}

void judge_end_delays(const struct judge *judge, double value, int64_t time_ms)
{
    const struct rule_state *state = judge->state;
    int64_t held_ms = time_ms - state->since_ms;
    if (state->phase == PHASE_PENDING && held_ms >= judge->rule->on_delay_ms) {
        judge_go(judge, PHASE_ON, time_ms);
        judge_tell(judge, true, value, time_ms);
    } else if (state->phase == PHASE_CLEARING && held_ms >= judge->rule->off_delay_ms) {
        judge_go(judge, PHASE_IDLE, time_ms);
        judge_tell(judge, false, value, time_ms);
    }
}

static void note_worst(const struct judge *judge, double value)
{
    const struct rule *rule = judge->rule;
    double *worst = worst_of(judge->rules, judge->device, rule->id);
    if (rule->worse != WORSE_NEITHER)
        *worst = rule_worse(rule, rule->low, rule->high, *worst, value);
}

static void take_value(const struct judge *judge, double value, int64_t time_ms)
{
    const struct rule_state *state = judge->state;
    bool gap = judge_is_gap(judge, time_ms);
    if (is_on(state))
        note_worst(judge, value);
    switch (state->phase) {
    case PHASE_IDLE:
        if (holds(judge->rule, value))
            judge_go(judge, PHASE_PENDING, time_ms);
        break;
    case PHASE_PENDING:
        if (!holds(judge->rule, value))
            judge_go(judge, PHASE_IDLE, time_ms);
        else if (gap)
            judge_go(judge, PHASE_PENDING, time_ms);
        break;
    case PHASE_ON:
        if (is_over(judge, value, time_ms))
            judge_go(judge, PHASE_CLEARING, time_ms);
        else if (judge->detail->event && holds(judge->rule, value))
            judge_go(judge, PHASE_ON, time_ms); /* it happened again */
        break;
    case PHASE_CLEARING:
        if (!is_over(judge, value, time_ms))
            judge_go(judge, PHASE_ON, time_ms);
        else if (gap)
            judge_go(judge, PHASE_CLEARING, time_ms);
        break;
    }
    judge_end_delays(judge, value, time_ms);
}

/* A device's series on its way through the rules of its metric. */
struct judging {
    struct rules *rules;
    const struct rule_watch *watch;
    struct rule_input *input;
    uint32_t device;
    rules_event_cb *on_event;
    void *user;
};

/* The device's clock was mapped too far ahead: what began then cannot have begun after `time_ms`.
 */
static void come_back(const struct judging *judging, int64_t time_ms)
{
    for (uint32_t i = judging->watch->first; i < judging->watch->end; i++) {
        struct rule_state *state =
            state_of(judging->rules, judging->device, judging->rules->of_metric[i]);
        state->since_ms = time_ms < state->since_ms ? time_ms : state->since_ms;
    }
}

/* False for what is older than the newest judged. */
static bool take_time(const struct judging *judging, int64_t time_ms)
{
    struct rule_input *input = judging->input;
    if (input->judged && time_ms < input->last_ms) {
        int64_t now_ms = judging->rules->now_ms;
        if (now_ms == 0 || input->last_ms <= now_ms + AHEAD_MS)
            return false;
        come_back(judging, time_ms);
    }
    input->judged = true;
    input->last_ms = time_ms;
    return true;
}

static void take_sample(const struct judging *judging, double value, int64_t time_ms)
{
    struct rule_input *input = judging->input;
    if (!take_time(judging, time_ms))
        return;
    input->unknown = isnan(value);
    if (input->unknown)
        return;
    for (uint32_t i = judging->watch->first; i < judging->watch->end; i++) {
        struct judge judge = judge_of(judging->rules, judging->device, judging->rules->of_metric[i],
                                      judging->on_event, judging->user);
        take_value(&judge, value, time_ms);
    }
    input->given = true;
    input->value = value;
    input->value_ms = time_ms;
}

/* Can no rule hold of any of these values? Of labels all between the lowest and the highest count.
 */
static bool is_calm(const struct rule_calm *calm, const struct extent *extent)
{
    if (!extent->known || extent->min < calm->low || extent->max > calm->high)
        return false;
    if (calm->labels == 0)
        return true;
    uint64_t up_to_max = UINT64_MAX >> (LUMBAR_LABELS_MAX - 1 - (uint32_t)extent->max);
    return (calm->labels & up_to_max) >> (uint32_t)extent->min == 0;
}

/* Kept out of the way of what nearly always happens. */
__attribute__((noinline)) static void
judge_series(struct judging *judging, const struct lumbar_series *series, int64_t offset_ms)
{
    for (uint32_t i = 0; i < series->count; i++)
        take_sample(judging, series->value[i], series->time_ms[i] + offset_ms);
}

/* Nearly always nothing holds and nothing did: then the newest value is all there is to keep. What
 * is skipped would have led from idle to idle. */
static inline bool passes(const struct rule_calm *calm, const struct rule_input *input,
                          const struct lumbar_series *series, const struct extent *extent,
                          int64_t offset_ms)
{
    return input->busy == 0 && is_calm(calm, extent) &&
           (series->time_ms[0] + offset_ms >= input->last_ms || !input->judged);
}

/* The rules with a tree, each of them once. They come first: they go through the message in the
 * order of time, from what was known before it. */
__attribute__((noinline)) static void judge_trees(const struct judged *judged)
{
    struct rules *rules = judged->rules;
    const struct driver *driver = judged->from->driver;
    const struct lumbar_batch *batch = &judged->message->batch;
    rules->stamp++;
    for (uint32_t i = 0; i < batch->series_count; i++) {
        const struct lumbar_series *series = &batch->series[i];
        const struct rule_watch *watch = &rules->watches[driver->first_metric + series->metric];
        if (watch->trees == watch->trees_end ||
            passes(&watch->trees_calm, input_of(rules, judged->from->id, series->metric), series,
                   &judged->message->extents[i], judged->offset_ms))
            continue;
        for (uint32_t t = watch->trees; t < watch->trees_end; t++) {
            struct rule_detail *detail = &rules->details[rules->of_metric[t]];
            if (detail->stamp == rules->stamp)
                continue;
            detail->stamp = rules->stamp;
            tree_judge(judged, rules->of_metric[t]);
        }
    }
}

void rules_judge(struct rules *rules, struct devices *devices, const struct device *device,
                 const struct decoded *message, int64_t offset_ms, rules_event_cb *on_event,
                 void *user)
{
    const struct lumbar_batch *batch = &message->batch;
    if (device->id == 0 || device->id > rules->max_devices)
        return;
    const struct rule_watch *watches = &rules->watches[device->driver->first_metric];
    struct rule_input *inputs = input_of(rules, device->id, 0);
    if (rules->tree_of[device->driver->index])
        judge_trees(&(struct judged){rules, devices, device, message, offset_ms, on_event, user});
    for (uint32_t i = 0; i < batch->series_count; i++) {
        const struct lumbar_series *series = &batch->series[i];
        const struct rule_watch *watch = &watches[series->metric];
        struct rule_input *input = &inputs[series->metric];
        if (watch->first == watch->trees_end)
            continue;
        if (passes(&watch->calm, input, series, &message->extents[i], offset_ms)) {
            uint32_t last = series->count - 1;
            input->judged = input->given = true;
            input->unknown = false;
            input->value = series->value[last];
            input->last_ms = input->value_ms = series->time_ms[last] + offset_ms;
            continue;
        }
        struct judging judging = {rules, watch, input, device->id, on_event, user};
        judge_series(&judging, series, offset_ms);
    }
}
