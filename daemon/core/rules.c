#include "core/rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rules_set.h"

/* A device's clock that was mapped too far ahead, once, must not make its rules deaf until then. */
#define AHEAD_MS 5000

void rules_destroy(struct rules *rules)
{
    if (rules == NULL)
        return;
    for (size_t i = 0; i < rules->file_count; i++)
        yaml_destroy(rules->files[i]);
    free(rules->files);
    free(rules->list);
    free(rules->details);
    free(rules->of_metric);
    free(rules->metric_first);
    free(rules->of_driver);
    free(rules->states);
    free(rules->running);
    free(rules);
}

static void index_metrics(struct rules *rules)
{
    uint32_t filled = 0;
    for (uint32_t m = 0; m < rules->drivers->metric_count; m++) {
        rules->metric_first[m] = filled;
        for (uint32_t r = 0; r < rules->count; r++)
            if (rules->list[r].metric == m)
                rules->of_metric[filled++] = r;
    }
    rules->metric_first[rules->drivers->metric_count] = filled;
}

static void index_drivers(struct rules *rules)
{
    uint32_t filled = 0;
    for (uint32_t d = 0; d < DRIVERS_MAX; d++) {
        rules->driver_first[d] = filled;
        for (uint32_t r = 0; r < rules->count; r++) {
            if (rules->list[r].driver->index != d)
                continue;
            rules->details[r].slot = filled - rules->driver_first[d];
            rules->of_driver[filled++] = r;
        }
        uint32_t width = filled - rules->driver_first[d];
        rules->width = width > rules->width ? width : rules->width;
    }
    rules->driver_first[DRIVERS_MAX] = filled;
}

int rules_index(struct rules *rules, struct diag *diag)
{
    /* One more than needed: calloc(0) may be NULL without being an error. */
    rules->of_metric = calloc(rules->count + 1, sizeof(*rules->of_metric));
    rules->of_driver = calloc(rules->count + 1, sizeof(*rules->of_driver));
    rules->metric_first = calloc(rules->drivers->metric_count + 1, sizeof(*rules->metric_first));
    rules->running = calloc((size_t)rules->max_devices + 1, sizeof(*rules->running));
    if (rules->of_metric == NULL || rules->of_driver == NULL || rules->metric_first == NULL ||
        rules->running == NULL)
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    index_metrics(rules);
    index_drivers(rules);
    rules->states = calloc((size_t)rules->max_devices * rules->width + 1, sizeof(*rules->states));
    return rules->states != NULL ? 0 : diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
}

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

static struct rule_state *state_of(const struct rules *rules, uint32_t device, uint32_t rule)
{
    return &rules->states[(size_t)(device - 1) * rules->width + rules->details[rule].slot];
}

/* Must the tick look at it? Absence it always does. */
static bool runs(const struct rules *rules, const struct rule *rule, enum rule_phase phase)
{
    if (rule->condition == RULE_ABSENT)
        return false;
    return phase == PHASE_PENDING || phase == PHASE_CLEARING ||
           (phase == PHASE_ON && rules->details[rule->id].event);
}

static bool is_same(const struct rule *a, const struct rule *b)
{
    return a->metric == b->metric && a->condition == b->condition && a->label == b->label;
}

void rules_adopt(struct rules *rules, const struct rules *old)
{
    uint32_t devices =
        rules->max_devices < old->max_devices ? rules->max_devices : old->max_devices;
    rules->now_ms = old->now_ms;
    for (uint32_t r = 0; r < rules->count; r++) {
        const struct rule *rule = &rules->list[r], *before = rules_find(old, rule->name);
        if (before == NULL || !is_same(rule, before))
            continue;
        for (uint32_t device = 1; device <= devices; device++) {
            struct rule_state *state = state_of(rules, device, r);
            *state = *state_of(old, device, before->id);
            rules->running[device] += runs(rules, rule, state->phase);
        }
    }
}

/* One rule on one device, at work. */
struct judge {
    struct rules *rules;
    const struct rule *rule;
    const struct rule_detail *detail;
    struct rule_state *state;
    uint32_t device;
    rules_event_cb *on_event;
    void *user;
};

static struct judge judge_of(struct rules *rules, uint32_t device, uint32_t rule,
                             rules_event_cb *on_event, void *user)
{
    return (struct judge){.rules = rules,
                          .rule = &rules->list[rule],
                          .detail = &rules->details[rule],
                          .state = state_of(rules, device, rule),
                          .device = device,
                          .on_event = on_event,
                          .user = user};
}

static void go(const struct judge *judge, enum rule_phase phase, int64_t since_ms)
{
    struct rule_state *state = judge->state;
    uint32_t *running = &judge->rules->running[judge->device];
    *running -= runs(judge->rules, judge->rule, state->phase);
    *running += runs(judge->rules, judge->rule, phase);
    state->phase = (uint8_t)phase;
    state->since_ms = since_ms;
}

static void tell(const struct judge *judge, bool on, double value, int64_t time_ms)
{
    struct rule_event event = {.rule = judge->rule,
                               .device = judge->device,
                               .on = on,
                               .value = judge->rule->condition == RULE_ABSENT ? NAN : value,
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

/* Between holding and over lies the dead band, where nothing changes. */
static bool is_over(const struct judge *judge, double value)
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
        break;
    }
    return true;
}

/* A value was not known for so long before `time_ms` that nothing can be said to have held. */
static bool is_gap(const struct judge *judge, int64_t time_ms)
{
    const struct rule_state *state = judge->state;
    return judge->detail->stale_ms > 0 && state->given &&
           time_ms - state->value_ms > judge->detail->stale_ms;
}

static void end_delays(const struct judge *judge, double value, int64_t time_ms)
{
    const struct rule_state *state = judge->state;
    int64_t held_ms = time_ms - state->since_ms;
    if (state->phase == PHASE_PENDING && held_ms >= judge->rule->on_delay_ms) {
        go(judge, PHASE_ON, time_ms);
        tell(judge, true, value, time_ms);
    } else if (state->phase == PHASE_CLEARING && held_ms >= judge->rule->off_delay_ms) {
        go(judge, PHASE_IDLE, time_ms);
        tell(judge, false, value, time_ms);
    }
}

static void take_value(const struct judge *judge, double value, int64_t time_ms)
{
    const struct rule_state *state = judge->state;
    bool gap = is_gap(judge, time_ms);
    switch (state->phase) {
    case PHASE_IDLE:
        if (holds(judge->rule, value))
            go(judge, PHASE_PENDING, time_ms);
        break;
    case PHASE_PENDING:
        if (!holds(judge->rule, value))
            go(judge, PHASE_IDLE, time_ms);
        else if (gap)
            go(judge, PHASE_PENDING, time_ms);
        break;
    case PHASE_ON:
        if (is_over(judge, value))
            go(judge, PHASE_CLEARING, time_ms);
        else if (judge->detail->event && holds(judge->rule, value))
            go(judge, PHASE_ON, time_ms); /* it happened again */
        break;
    case PHASE_CLEARING:
        if (!is_over(judge, value))
            go(judge, PHASE_ON, time_ms);
        else if (gap)
            go(judge, PHASE_CLEARING, time_ms);
        break;
    }
    end_delays(judge, value, time_ms);
}

/* False for what is older than the newest judged. */
static bool take_time(const struct judge *judge, int64_t time_ms)
{
    struct rule_state *state = judge->state;
    if (state->judged && time_ms < state->last_ms) {
        int64_t now_ms = judge->rules->now_ms;
        if (now_ms == 0 || state->last_ms <= now_ms + AHEAD_MS)
            return false;
        state->since_ms = time_ms < state->since_ms ? time_ms : state->since_ms;
    }
    state->judged = true;
    state->last_ms = time_ms;
    return true;
}

static void take_sample(const struct judge *judge, double value, int64_t time_ms)
{
    struct rule_state *state = judge->state;
    if (!take_time(judge, time_ms))
        return;
    state->unknown = isnan(value);
    if (state->unknown)
        return;
    take_value(judge, value, time_ms);
    state->given = true;
    state->value = value;
    state->value_ms = time_ms;
}

/* What a series says as a whole, found once for all rules of its metric. */
struct extent {
    double min, max;
    int64_t first_ms, last_ms;
    bool known; /* no NaN among the values */
};

static struct extent extent_of(const struct lumbar_series *series, int64_t offset_ms)
{
    uint32_t last = series->count - 1;
    struct extent extent = {series->value[0], series->value[0], series->time_ms[0] + offset_ms,
                            series->time_ms[last] + offset_ms, true};
    for (uint32_t i = 0; i < series->count; i++) {
        double value = series->value[i];
        extent.known &= !isnan(value);
        extent.min = value < extent.min ? value : extent.min;
        extent.max = value > extent.max ? value : extent.max;
    }
    return extent;
}

/* Nearly always nothing holds and nothing did: then the newest value is all there is to keep. True
 * if so; what it skips would have led from idle to idle. */
static bool stays_idle(const struct judge *judge, const struct extent *extent, double newest)
{
    struct rule_state *state = judge->state;
    const struct rule *rule = judge->rule;
    if (state->phase != PHASE_IDLE || !extent->known ||
        (state->judged && extent->first_ms < state->last_ms))
        return false;
    /* A label between two others is not seen in their extent. */
    if (rule->condition == RULE_IS ? extent->min <= rule->label && rule->label <= extent->max
                                   : holds(rule, extent->min) || holds(rule, extent->max))
        return false;
    state->judged = state->given = true;
    state->unknown = false;
    state->value = newest;
    state->last_ms = state->value_ms = extent->last_ms;
    return true;
}

void rules_sample(struct rules *rules, const struct device *device,
                  const struct lumbar_series *series, int64_t offset_ms, rules_event_cb *on_event,
                  void *user)
{
    uint32_t metric = device->driver->first_metric + series->metric;
    uint32_t end = rules->metric_first[metric + 1];
    if (device->id == 0 || device->id > rules->max_devices)
        return;
    if (rules->metric_first[metric] == end)
        return;
    struct extent extent = extent_of(series, offset_ms);
    for (uint32_t i = rules->metric_first[metric]; i < end; i++) {
        struct judge judge = judge_of(rules, device->id, rules->of_metric[i], on_event, user);
        if (stays_idle(&judge, &extent, series->value[series->count - 1]))
            continue;
        for (uint32_t s = 0; s < series->count; s++)
            take_sample(&judge, series->value[s], series->time_ms[s] + offset_ms);
    }
}

/* Delays pass without a sample only while the last one still says what is. */
static void tick_delays(const struct judge *judge, int64_t now_ms)
{
    const struct rule_state *state = judge->state;
    if (judge->detail->event) {
        if (state->phase == PHASE_ON && now_ms - state->since_ms >= judge->rule->off_delay_ms) {
            go(judge, PHASE_IDLE, now_ms);
            tell(judge, false, state->value, now_ms);
        }
        return;
    }
    if (!state->unknown && !is_gap(judge, now_ms))
        end_delays(judge, state->value, now_ms);
}

static void tick_absent(const struct judge *judge, bool assigned, int64_t now_ms)
{
    struct rule_state *state = judge->state;
    if (!state->given && !state->missed && assigned) {
        state->missed = true;
        state->value_ms = now_ms;
    }
    if (!state->given && !assigned) /* nobody waits for it; counting begins when somebody does */
        state->missed = false;
    if (!state->given && !state->missed)
        return;
    if (state->value_ms > now_ms + AHEAD_MS)
        state->value_ms = now_ms;
    bool absent = now_ms - state->value_ms >= judge->rule->absent_ms;
    if (absent && state->phase == PHASE_IDLE) {
        go(judge, PHASE_ON, now_ms);
        tell(judge, true, NAN, now_ms);
    } else if (!absent && state->phase == PHASE_CLEARING && !state->unknown &&
               !is_gap(judge, now_ms)) {
        end_delays(judge, NAN, now_ms);
    }
}

static void tick_device(struct rules *rules, const struct device *device, int64_t now_ms,
                        rules_event_cb *on_event, void *user)
{
    uint32_t driver = device->driver->index;
    uint32_t end = rules->driver_first[driver + 1];
    for (uint32_t i = rules->driver_first[driver]; i < end; i++) {
        uint32_t id = rules->of_driver[i];
        bool absent = rules->list[id].condition == RULE_ABSENT;
        if (!absent && rules->running[device->id] == 0)
            continue;
        struct judge judge = judge_of(rules, device->id, id, on_event, user);
        if (absent)
            tick_absent(&judge, device->room != ROOM_NONE, now_ms);
        else
            tick_delays(&judge, now_ms);
    }
}

void rules_tick(struct rules *rules, struct devices *devices, int64_t now_ms,
                rules_event_cb *on_event, void *user)
{
    rules->now_ms = now_ms;
    uint32_t count = devices_count(devices);
    if (count > rules->max_devices)
        count = rules->max_devices;
    for (uint32_t id = 1; id <= count; id++)
        tick_device(rules, devices_at(devices, id), now_ms, on_event, user);
}
