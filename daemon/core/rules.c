#include "core/rules.h"

#include <math.h>
#include <string.h>

#include "core/rules_set.h"

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

/* Must the tick look at it? Absence it always does. */
static bool runs(const struct rules *rules, const struct rule *rule, enum rule_phase phase)
{
    if (rule->condition == RULE_ABSENT)
        return false;
    return phase == PHASE_PENDING || phase == PHASE_CLEARING ||
           (phase == PHASE_ON && rules->details[rule->id].event);
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

void rules_adopt(struct rules *rules, const struct rules *old)
{
    uint32_t devices =
        rules->max_devices < old->max_devices ? rules->max_devices : old->max_devices;
    rules->now_ms = old->now_ms;
    rules->begun_ms = old->begun_ms;
    rules->lookup = old->lookup;
    for (uint32_t device = 1; device <= devices; device++)
        adopt_inputs(rules, old, device);
    for (uint32_t r = 0; r < rules->count; r++) {
        const struct rule *rule = &rules->list[r], *before = rules_find(old, rule->name);
        if (before == NULL || !rule_continues(rule, before))
            continue;
        for (uint32_t device = 1; device <= devices; device++) {
            if (rule->tree != NULL) {
                tree_adopt(rules, r, old, before->id, device);
                continue;
            }
            struct rule_state *state = state_of(rules, device, r);
            *state = *state_of(old, device, before->id);
            if (state->suppressed) /* nobody was told; armed now, it has its on-delay before it */
                *state = (struct rule_state){.phase = PHASE_IDLE};
            rules->running[device] += runs(rules, rule, state->phase);
            input_of(rules, device, rule->metric - rule->driver->first_metric)->busy +=
                state->phase != PHASE_IDLE;
        }
    }
}

/* One rule on one device, at work. */
struct judge {
    struct rules *rules;
    const struct rule *rule;
    const struct rule_detail *detail;
    struct rule_state *state;
    struct rule_input *input;
    uint32_t device;
    rules_event_cb *on_event;
    void *user;
};

static struct judge judge_of(struct rules *rules, uint32_t device, uint32_t id,
                             rules_event_cb *on_event, void *user)
{
    const struct rule *rule = &rules->list[id];
    return (struct judge){.rules = rules,
                          .rule = rule,
                          .detail = &rules->details[id],
                          .state = state_of(rules, device, id),
                          .input =
                              input_of(rules, device, rule->metric - rule->driver->first_metric),
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
    judge->input->busy -= state->phase != PHASE_IDLE;
    judge->input->busy += phase != PHASE_IDLE;
    state->phase = (uint8_t)phase;
    state->since_ms = since_ms;
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

static void tell(const struct judge *judge, bool on, double value, int64_t time_ms)
{
    struct rule_event event = {.rule = judge->rule,
                               .device = judge->device,
                               .on = on,
                               .value = judge->rule->condition == RULE_ABSENT ? NAN : value,
                               .limit = limit_at(judge->rule, value),
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

/* A value was not known for so long before `time_ms` that nothing can be said to have held. */
static bool is_gap(const struct judge *judge, int64_t time_ms)
{
    const struct rule_input *input = judge->input;
    return judge->detail->stale_ms > 0 && input->given &&
           time_ms - input->value_ms > judge->detail->stale_ms;
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
        if (is_over(judge, value, time_ms))
            go(judge, PHASE_CLEARING, time_ms);
        else if (judge->detail->event && holds(judge->rule, value))
            go(judge, PHASE_ON, time_ms); /* it happened again */
        break;
    case PHASE_CLEARING:
        if (!is_over(judge, value, time_ms))
            go(judge, PHASE_ON, time_ms);
        else if (gap)
            go(judge, PHASE_CLEARING, time_ms);
        break;
    }
    end_delays(judge, value, time_ms);
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

/* Delays pass without a sample only while the last one still says what is. */
static void tick_delays(const struct judge *judge, int64_t now_ms)
{
    const struct rule_state *state = judge->state;
    if (judge->detail->event) {
        if (state->phase == PHASE_ON && now_ms - state->since_ms >= judge->rule->off_delay_ms) {
            go(judge, PHASE_IDLE, now_ms);
            tell(judge, false, judge->input->value, now_ms);
        }
        return;
    }
    if (!judge->input->unknown && !is_gap(judge, now_ms))
        end_delays(judge, judge->input->value, now_ms);
}

void input_expect(struct rule_input *input, bool assigned, int64_t now_ms)
{
    if (!input->given && !input->missed && assigned) {
        input->missed = true;
        input->value_ms = now_ms;
    }
    if (!input->given && !assigned) /* nobody waits for it; counting begins when somebody does */
        input->missed = false;
    if (input->value_ms > now_ms + AHEAD_MS)
        input->value_ms = now_ms;
}

static void tick_absent(const struct judge *judge, bool assigned, int64_t now_ms)
{
    struct rule_input *input = judge->input;
    uint8_t phase = judge->state->phase;
    input_expect(input, assigned, now_ms);
    if (!input->given && !input->missed)
        return;
    bool absent = now_ms - input->value_ms >= judge->rule->absent_ms;
    if (absent && phase == PHASE_IDLE) {
        go(judge, PHASE_ON, now_ms);
        tell(judge, true, NAN, now_ms);
    } else if (!absent && phase == PHASE_CLEARING && !input->unknown && !is_gap(judge, now_ms)) {
        end_delays(judge, NAN, now_ms);
    }
}

static void tick_device(struct rules *rules, struct devices *devices, const struct device *device,
                        int64_t now_ms, rules_event_cb *on_event, void *user)
{
    uint32_t driver = device->driver->index;
    uint32_t end = rules->driver_first[driver + 1];
    for (uint32_t i = rules->driver_first[driver]; i < end; i++) {
        uint32_t id = rules->of_driver[i];
        if (rules->list[id].tree != NULL) {
            tree_tick(rules, devices, device, id, now_ms, on_event, user);
            continue;
        }
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
    if (rules->begun_ms == 0)
        rules->begun_ms = now_ms;
    uint32_t count = devices_count(devices);
    if (count > rules->max_devices)
        count = rules->max_devices;
    for (uint32_t id = 1; id <= count; id++)
        tick_device(rules, devices, devices_at(devices, id), now_ms, on_event, user);
}

/* ---- What nobody could keep ---- */

void rules_untold(struct rules *rules, const struct rule_event *event)
{
    state_of(rules, event->device, event->rule->id)->untold = true;
}

/* Is it on, so that somebody has to be told? What is over or suppressed need not be told any more.
 */
static bool is_untold(struct rule_state *state)
{
    bool on = state->phase == PHASE_ON || state->phase == PHASE_CLEARING;
    state->untold = state->untold && on && !state->suppressed;
    return state->untold;
}

/* Of all, those of one priority. */
static uint32_t retell(struct rules *rules, struct devices *devices, enum rule_priority priority,
                       int64_t now_ms, uint32_t *most, rules_event_cb *on_event, void *user)
{
    uint32_t left = 0;
    for (uint32_t d = 1; d <= devices_count(devices) && d <= rules->max_devices; d++) {
        const struct device *device = devices_at(devices, d);
        uint32_t driver = device->driver->index;
        for (uint32_t i = rules->driver_first[driver]; i < rules->driver_first[driver + 1]; i++) {
            uint32_t id = rules->of_driver[i];
            struct rule_state *state = state_of(rules, d, id);
            if (rules->list[id].priority != priority || !is_untold(state))
                continue;
            if (*most == 0) {
                left++;
                continue;
            }
            --*most;
            state->untold = false;
            struct judge judge = judge_of(rules, d, id, on_event, user);
            if (judge.rule->tree != NULL)
                tree_retell(rules, devices, device, id, now_ms, on_event, user);
            else
                tell(&judge, true, judge.input->value, now_ms);
        }
    }
    return left;
}

uint32_t rules_retell(struct rules *rules, struct devices *devices, int64_t now_ms, uint32_t most,
                      rules_event_cb *on_event, void *user)
{
    uint32_t left = 0;
    for (int priority = PRIORITY_HIGH; priority >= PRIORITY_LOW; priority--)
        left += retell(rules, devices, (enum rule_priority)priority, now_ms, &most, on_event, user);
    return left;
}

static bool is_input_known(const struct rule_input *input, int64_t stale_ms, int64_t now_ms)
{
    return input->given && !input->unknown &&
           (stale_ms == 0 || now_ms - input->value_ms <= stale_ms);
}

enum rule_sight rules_know(struct rules *rules, struct devices *devices, const struct rule *rule,
                           const struct device *device, int64_t now_ms)
{
    const struct rule_detail *detail = &rules->details[rule->id];
    if (device->id > rules->max_devices || rule->condition == RULE_ABSENT || detail->event)
        return SIGHT_KNOWN; /* what does not come is what they are about, or did not happen */
    uint32_t metric = rule->metric - rule->driver->first_metric;
    bool known = rule->tree != NULL ? tree_knows(rules, devices, device, rule->id, now_ms)
                                    : is_input_known(input_of(rules, device->id, metric),
                                                     detail->stale_ms, now_ms);
    if (known)
        return SIGHT_KNOWN;
    bool early = rules->begun_ms == 0 || now_ms - rules->begun_ms <= detail->stale_ms;
    return early ? SIGHT_UNSAID : SIGHT_LOST;
}

enum rule_standing rules_standing(const struct rules *rules, uint32_t rule,
                                  const struct device *device)
{
    static const enum rule_standing of_phase[] = {
        [PHASE_IDLE] = STANDING_CALM,
        [PHASE_PENDING] = STANDING_WAITING,
        [PHASE_ON] = STANDING_ON,
        [PHASE_CLEARING] = STANDING_ON,
    };
    if (rule >= rules->count || device->id > rules->max_devices ||
        device->driver != rules->list[rule].driver)
        return STANDING_CALM;
    if (rules->list[rule].tree != NULL)
        return tree_standing(rules, rule, device);
    return of_phase[state_of(rules, device->id, rule)->phase];
}

/* ---- Going on where a run before ended ---- */

static void set_phase(struct rules *rules, uint32_t id, uint32_t device, enum rule_phase phase,
                      int64_t since_ms)
{
    const struct judge judge = judge_of(rules, device, id, NULL, NULL);
    if (judge.rule->tree != NULL)
        tree_go(rules, id, device, phase, since_ms);
    else
        go(&judge, phase, since_ms);
}

/* A device has states of its own driver's rules only. */
void rules_calm(struct rules *rules, struct devices *devices, rules_stands_cb *stands, void *user)
{
    for (uint32_t d = 1; d <= devices_count(devices) && d <= rules->max_devices; d++) {
        uint32_t driver = devices_at(devices, d)->driver->index;
        for (uint32_t i = rules->driver_first[driver]; i < rules->driver_first[driver + 1]; i++) {
            uint32_t id = rules->of_driver[i];
            const struct rule_state *state = state_of(rules, d, id);
            bool on = state->phase == PHASE_ON || state->phase == PHASE_CLEARING;
            if (on && !state->suppressed && !stands(user, &rules->list[id], d))
                set_phase(rules, id, d, PHASE_IDLE, state->since_ms);
        }
    }
}

void rules_stand(struct rules *rules, const struct rule *rule, uint32_t device, int64_t since_ms)
{
    if (device == 0 || device > rules->max_devices)
        return;
    struct rule_state *state = state_of(rules, device, rule->id);
    if (state->phase == PHASE_IDLE || state->phase == PHASE_PENDING)
        set_phase(rules, rule->id, device, PHASE_ON, since_ms);
    state->suppressed = false; /* somebody was told: if it is not armed any more, they will be */
}
