/* What stands, for those who ask and those who could not keep it; and going on where a run before
 * ended. */
#include <math.h>

#include "core/rules_judge.h"

/* ---- What nobody could keep ---- */

void rules_untold(struct rules *rules, const struct rule_event *event)
{
    state_of(rules, event->device, event->rule->id)->untold = true;
}

/* Is it on, so that somebody has to be told? What is over or suppressed need not be told any more.
 */
static bool is_untold(struct rule_state *state)
{
    state->untold = state->untold && is_on(state) && !state->suppressed;
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
                judge_tell(&judge, true, judge.input->value, now_ms);
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
        judge_go(&judge, phase, since_ms);
}

/* A device has states of its own driver's rules only. */
void rules_calm(struct rules *rules, struct devices *devices, rules_stands_cb *stands, void *user)
{
    for (uint32_t d = 1; d <= devices_count(devices) && d <= rules->max_devices; d++) {
        uint32_t driver = devices_at(devices, d)->driver->index;
        for (uint32_t i = rules->driver_first[driver]; i < rules->driver_first[driver + 1]; i++) {
            uint32_t id = rules->of_driver[i];
            const struct rule_state *state = state_of(rules, d, id);
            if (is_on(state) && !state->suppressed && !stands(user, &rules->list[id], d))
                set_phase(rules, id, d, PHASE_IDLE, state->since_ms);
        }
    }
}

double rules_worst(const struct rules *rules, const struct rule *rule, uint32_t device)
{
    if (device == 0 || device > rules->max_devices || rule->worse == WORSE_NEITHER ||
        !is_on(state_of(rules, device, rule->id)))
        return NAN;
    return *worst_of(rules, device, rule->id);
}

void rules_stand(struct rules *rules, const struct rule *rule, uint32_t device, int64_t since_ms,
                 double worst)
{
    if (device == 0 || device > rules->max_devices)
        return;
    struct rule_state *state = state_of(rules, device, rule->id);
    bool was_on = is_on(state);
    if (!was_on)
        set_phase(rules, rule->id, device, PHASE_ON, since_ms);
    double *since = worst_of(rules, device, rule->id);
    if (rule->worse != WORSE_NEITHER)
        *since = rule_worse(rule, rule->low, rule->high, worst, was_on ? *since : NAN);
    state->suppressed = false; /* somebody was told: if it is not armed any more, they will be */
}
