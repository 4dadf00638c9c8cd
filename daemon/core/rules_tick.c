/* Time: delays, and what does not come.
 *
 * A tick costs what is due, not what there are rules and devices. A rule that has begun to hold, or
 * ceased to, is in the list of what is active, and looked at each time. One that waits for silence
 * has an entry in a wheel of DUE_SLOTS slots: it is looked at when the silence would be long enough
 * if nothing came any more; if something came, that is later by now.
 */
#include <math.h>

#include "core/rules_judge.h"

/* ---- What is looked at each time ---- */

static bool is_active(const struct rules *rules, uint32_t rule, enum rule_phase phase)
{
    const struct rule *of = &rules->list[rule];
    if (of->tree != NULL || of->lost)
        return phase != PHASE_IDLE;
    if (of->condition == RULE_ABSENT) /* the wheel's */
        return false;
    return phase == PHASE_PENDING || phase == PHASE_CLEARING ||
           (phase == PHASE_ON && rules->details[rule].event);
}

void active_note(struct rules *rules, uint32_t device, uint32_t rule)
{
    struct rule_state *state = state_of(rules, device, rule);
    if (state->active || !is_active(rules, rule, (enum rule_phase)state->phase))
        return;
    state->active = true;
    rules->active[rules->active_count++] = (struct rule_place){device, rule};
}

/* ---- One rule on one device ---- */

/* Delays pass without a sample only while the last one still says what is. */
static void tick_delays(const struct judge *judge, int64_t now_ms)
{
    const struct rule_state *state = judge->state;
    if (judge->detail->event) {
        if (state->phase == PHASE_ON && now_ms - state->since_ms >= judge->rule->off_delay_ms) {
            judge_go(judge, PHASE_IDLE, now_ms);
            judge_tell(judge, false, judge->input->value, now_ms);
        }
        return;
    }
    if (!judge->input->unknown && !judge_is_gap(judge, now_ms))
        judge_end_delays(judge, judge->input->value, now_ms);
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
        judge_go(judge, PHASE_ON, now_ms);
        judge_tell(judge, true, NAN, now_ms);
    } else if (!absent && phase == PHASE_CLEARING && !input->unknown &&
               !judge_is_gap(judge, now_ms)) {
        judge_end_delays(judge, NAN, now_ms);
    }
}

/* Nobody has missed it since the tick before: the value is back, or no alarm needs it any more. */
static void tick_lost(const struct judge *judge, int64_t now_ms)
{
    struct rule_state *state = judge->state;
    bool missed = state->missed;
    state->missed = false;
    if (state->phase == PHASE_PENDING && !missed)
        judge_go(judge, PHASE_IDLE, now_ms);
    else if (state->phase == PHASE_ON && !missed)
        judge_go(judge, PHASE_CLEARING, now_ms);
    else if (state->phase == PHASE_CLEARING && missed)
        judge_go(judge, PHASE_ON, now_ms);
    judge_end_delays(judge, NAN, now_ms);
}

/* A tick on its way. */
struct tick {
    struct rules *rules;
    struct devices *devices;
    int64_t now_ms;
    rules_event_cb *on_event;
    void *user;
};

static void tick_one(const struct tick *tick, const struct device *device, uint32_t rule)
{
    const struct rule *of = &tick->rules->list[rule];
    if (of->tree != NULL) {
        tree_tick(tick->rules, tick->devices, device, rule, tick->now_ms, tick->on_event,
                  tick->user);
        return;
    }
    struct judge judge = judge_of(tick->rules, device->id, rule, tick->on_event, tick->user);
    if (of->lost)
        tick_lost(&judge, tick->now_ms);
    else if (of->condition == RULE_ABSENT)
        tick_absent(&judge, device->room != ROOM_NONE, tick->now_ms);
    else
        tick_delays(&judge, tick->now_ms);
}

static void tick_active(const struct tick *tick)
{
    struct rules *rules = tick->rules;
    for (uint32_t i = 0; i < rules->active_count;) {
        const struct rule_place place = rules->active[i];
        struct rule_state *state = state_of(rules, place.device, place.rule);
        if (is_active(rules, place.rule, (enum rule_phase)state->phase)) {
            tick_one(tick, devices_at(tick->devices, place.device), place.rule);
            i++;
        } else {
            state->active = false;
            rules->active[i] = rules->active[--rules->active_count];
        }
    }
}

/* ---- What waits for silence ---- */

static int64_t turn_of(int64_t time_ms)
{
    return (time_ms < 0 ? 0 : time_ms) / DUE_SLOT_MS;
}

static void due_put(struct rules *rules, uint32_t place, int64_t at_ms)
{
    uint32_t *slot = &rules->due_slots[turn_of(at_ms) % DUE_SLOTS];
    rules->dues[place] = (struct rule_due){.at_ms = at_ms, .next = *slot};
    *slot = place + 1;
}

/* The next look at a metric: when its silence would be long enough. One that was never given may
 * cease to be waited for at any time; one that is silent for long enough already tells nothing new.
 */
static int64_t look_ms(const struct rules *rules, const struct device *device, uint32_t metric,
                       int64_t absent_ms, int64_t now_ms)
{
    const struct rule_input *input =
        input_of(rules, device->id, metric - device->driver->first_metric);
    int64_t at_ms = input->value_ms + absent_ms, latest_ms = now_ms + DUE_MOST_MS;
    if (!input->given)
        return now_ms;
    return at_ms > now_ms && at_ms < latest_ms ? at_ms : latest_ms;
}

/* Whatever comes before that makes it later. */
static int64_t due_ms(const struct rules *rules, const struct device *device, uint32_t rule,
                      int64_t now_ms)
{
    const struct rule *of = &rules->list[rule];
    if (state_of(rules, device->id, rule)->phase != PHASE_IDLE)
        return now_ms;
    if (of->tree == NULL)
        return look_ms(rules, device, of->metric, of->absent_ms, now_ms);
    int64_t due_ms = now_ms + DUE_MOST_MS;
    for (uint32_t i = 0; i < of->tree->term_count; i++) {
        const struct rule_term *term = &of->tree->terms[i];
        if (term->condition != RULE_ABSENT)
            continue;
        if (term->driver != device->driver) /* of whoever was heard last in the room */
            return now_ms;
        int64_t at_ms = look_ms(rules, device, term->metric, term->absent_ms, now_ms);
        due_ms = at_ms < due_ms ? at_ms : due_ms;
    }
    return due_ms;
}

/* Devices that are heard of for the first time: all that may wait is looked at once. */
static void due_welcome(const struct tick *tick, uint32_t count)
{
    struct rules *rules = tick->rules;
    for (; rules->welcomed < count; rules->welcomed++) {
        const struct device *device = devices_at(tick->devices, rules->welcomed + 1);
        for (uint32_t i = 0; i < rules->waiting[device->driver->index]; i++)
            due_put(rules, rules->welcomed * rules->dues_width + i, tick->now_ms);
    }
}

static void tick_slot(const struct tick *tick, uint32_t *slot)
{
    struct rules *rules = tick->rules;
    uint32_t next = *slot;
    *slot = 0;
    while (next != 0) {
        uint32_t place = next - 1;
        const struct device *device = devices_at(tick->devices, place / rules->dues_width + 1);
        int64_t at_ms = rules->dues[place].at_ms;
        next = rules->dues[place].next;
        if (at_ms <= tick->now_ms) {
            uint32_t rule = rules->of_driver[rules->driver_first[device->driver->index] +
                                             place % rules->dues_width];
            tick_one(tick, device, rule);
            at_ms = due_ms(rules, device, rule, tick->now_ms);
        }
        due_put(rules, place, at_ms);
    }
}

void rules_tick(struct rules *rules, struct devices *devices, int64_t now_ms,
                rules_event_cb *on_event, void *user)
{
    const struct tick tick = {rules, devices, now_ms, on_event, user};
    uint32_t count = devices_count(devices);
    int64_t from = turn_of(rules->now_ms), to = turn_of(now_ms);
    if (to < from || to - from >= DUE_SLOTS)
        from = to - DUE_SLOTS + 1;
    rules->now_ms = now_ms;
    if (rules->begun_ms == 0)
        rules->begun_ms = now_ms;
    due_welcome(&tick, count < rules->max_devices ? count : rules->max_devices);
    for (int64_t turn = from; turn <= to; turn++)
        tick_slot(&tick, &rules->due_slots[(turn + DUE_SLOTS) % DUE_SLOTS]);
    tick_active(&tick);
}
