/* Plugins: which there are, and one that was left out is used again. */
#include "api/api.h"
#include "io/crashes.h"

static json_t *plugin_of(const struct lumbard *hub, const struct driver *driver)
{
    const struct lumbar_plugin *plugin = driver->plugin;
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:b}", "kind", plugin->kind, "title",
                     plugin->title, "version", plugin->version, "topic", plugin->topic, "metrics",
                     (int)driver->metric_count, "crashes",
                     (int)crashes_count(hub->state, plugin->kind, plugin->version), "left_out",
                     driver->left_out);
}

enum api_outcome api_get_plugins(void *user, const struct api_call *call, struct api_answer *answer)
{
    (void)call;
    const struct lumbard *hub = user;
    json_t *list = json_array();
    for (uint32_t i = 0; i < hub->setup.drivers.count; i++)
        json_array_append_new(list, plugin_of(hub, &hub->setup.drivers.list[i]));
    return api_give(answer, 200, json_pack("{s:o}", "plugins", list));
}

enum api_outcome api_enable_plugin(void *user, const struct api_call *call,
                                   struct api_answer *answer)
{
    struct lumbard *hub = user;
    const char *kind = call->ids[0];
    if (!hub_take_back(hub, kind))
        return api_problem(answer, 404, "There is no plugin %s.", kind);
    return api_give(answer, 200, json_pack("{s:s, s:b}", "kind", kind, "left_out", false));
}
