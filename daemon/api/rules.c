/* The rules that alarms are made of, as they were read, and those built in. */
#include "api/api.h"
#include "core/yaml.h"

static json_t *seconds(int64_t ms)
{
    return ms > 0 ? json_real((double)ms / 1000) : json_null();
}

/* In which phases it holds, or does not. */
static json_t *phases_of(const struct rule *rule)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < rule->phase_count; i++)
        json_array_append_new(list, json_string(rule->phases[i]));
    return list;
}

/* {"file": ..., "line": ..., "now": its map, "before": the map that is changed, or null} */
json_t *api_rule_source(const struct rule_source *source)
{
    if (source == NULL)
        return json_null();
    return json_pack("{s:s, s:i, s:o, s:o}", "file", source->written->file, "line",
                     source->written->line, "now", yaml_json(source->written), "before",
                     yaml_json(source->before));
}

static json_t *left_out_json(const struct rules *rules)
{
    json_t *list = json_array();
    const struct rule_source *source;
    for (uint32_t i = 0; (source = rules_off(rules, i)) != NULL; i++)
        json_array_append_new(list, api_rule_source(source));
    return list;
}

static json_t *rule_json(const struct lumbard *hub, const struct rule *rule, bool built_in)
{
    static const char *const priorities[] = {"none", "low", "medium", "high"};
    static const char *const armed[] = {"always", "session", "phases", "except"};
    const struct lumbar_metric *metric = drivers_metric(&hub->setup.drivers, rule->metric, NULL);
    json_t *name = json_sprintf("%s/%s", rule->driver->plugin->kind, metric->name);
    return json_pack(
        "{s:s, s:s, s:o, s:b, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:o, s:b, s:o, s:o, s:b, "
        "s:o}",
        "name", rule->name, "title", rule->title, "metric", name, "several", rule->tree != NULL,
        "kind", rule->technical ? "technical" : "clinical", "priority", priorities[rule->priority],
        "text", rule->text, "plain", rule->plain, "action", rule->action, "for",
        seconds(rule->on_delay_ms), "clear_for", seconds(rule->off_delay_ms), "armed",
        armed[rule->armed], "phases", phases_of(rule), "latch", rule->latch, "escalate",
        seconds(rule->escalate_ms), "realarm", seconds(rule->realarm_ms), "built_in", built_in,
        "written", api_rule_source(rules_source(hub->ingest.rules, rule->id)));
}

enum api_outcome api_get_rules(void *user, const struct api_call *call, struct api_answer *answer)
{
    const struct lumbard *hub = user;
    const struct rules *rules = hub->ingest.rules;
    json_t *list = json_array();
    (void)call;
    for (uint32_t i = 0; i < rules_count(rules); i++)
        json_array_append_new(list, rule_json(hub, rules_at(rules, i), i >= rules_written(rules)));
    return api_give(answer, 200,
                    json_pack("{s:o, s:o}", "rules", list, "left_out", left_out_json(rules)));
}
