/*
 * One plain rule on one device, at work: shared by rules.c (samples), rules_tick.c (time) and
 * rules_stand.c (what stood before).
 */
#ifndef LUMBAR_CORE_RULES_JUDGE_H
#define LUMBAR_CORE_RULES_JUDGE_H

#include "core/rules_set.h"

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

static inline struct judge judge_of(struct rules *rules, uint32_t device, uint32_t id,
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

void judge_go(const struct judge *judge, enum rule_phase phase, int64_t since_ms);
void judge_tell(const struct judge *judge, bool on, double value, int64_t time_ms);

/* Was a value not known for so long before `time_ms` that nothing can be said to have held? */
bool judge_is_gap(const struct judge *judge, int64_t time_ms);

/* What a delay has waited for is so, or is over. */
void judge_end_delays(const struct judge *judge, double value, int64_t time_ms);

#endif
