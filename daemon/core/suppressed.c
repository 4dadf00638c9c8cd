#include "core/suppressed.h"

#include <string.h>

/* Its place, or `count`. */
static uint32_t find(const struct suppressions *suppressions, const struct rule *rule,
                     uint32_t device)
{
    uint32_t at = 0;
    while (at < suppressions->count && (suppressions->list[at].rule != rule ||
                                        suppressions->list[at].device != device))
        at++;
    return at;
}

static void forget(struct suppressions *suppressions, uint32_t at)
{
    struct suppressed *list = suppressions->list;
    memmove(&list[at], &list[at + 1], (suppressions->count - at - 1) * sizeof(*list));
    suppressions->count--;
    suppressions->change++;
}

void suppressions_take(struct suppressions *suppressions, const struct rule_event *event)
{
    uint32_t at = find(suppressions, event->rule, event->device);
    bool known = at < suppressions->count;
    if (!event->suppressed) {
        if (known)
            forget(suppressions, at);
        return;
    }
    if (!known && suppressions->count == SUPPRESSED_MAX) {
        suppressions->lost++;
        return;
    }
    suppressions->list[at] = (struct suppressed){.rule = event->rule,
                                                 .device = event->device,
                                                 .since_ms = event->time_ms,
                                                 .value = event->value,
                                                 .limit = event->limit,
                                                 .phase = event->phase};
    suppressions->count += !known;
    suppressions->change++;
}

void suppressions_adopt(struct suppressions *suppressions, const struct rules *rules)
{
    for (uint32_t at = suppressions->count; at-- > 0;) {
        struct suppressed *entry = &suppressions->list[at];
        const struct rule *rule = rules_find(rules, entry->rule->name);
        if (rule == NULL || !rule_continues(rule, entry->rule) || rule->armed == ARMED_ALWAYS)
            forget(suppressions, at);
        else
            entry->rule = rule;
    }
    suppressions->change++; /* the rules have other numbers */
}
