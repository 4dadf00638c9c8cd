/* A plugin that killed the hub twice is left out: it is loaded, so that rules find its metrics, and
 * decodes nothing. Its devices are then not heard, which their alarms say. */
#include <string.h>

#include "base/log.h"
#include "core/topic.h"
#include "hub.h"
#include "io/crashes.h"

static void leave_out(struct driver *driver, unsigned crashes)
{
    const struct lumbar_plugin *plugin = driver->plugin;
    driver->left_out = true;
    log_fields(LOG_ERROR_, (const struct log_field[]){{"LUMBAR_KIND", plugin->kind}, {NULL, NULL}},
               "plugin %s %s killed the hub %u times, and is left out until it is another version, "
               "or lumbarctl plugins enable %s",
               plugin->kind, plugin->version, crashes, plugin->kind);
}

void hub_leave_out(struct lumbard *hub)
{
    struct drivers *drivers = &hub->setup.drivers;
    for (uint32_t i = 0; i < drivers->count; i++) {
        const struct lumbar_plugin *plugin = drivers->list[i].plugin;
        unsigned crashes = crashes_count(hub->state, plugin->kind, plugin->version);
        if (crashes >= CRASHES_MOST)
            leave_out(&drivers->list[i], crashes);
    }
}

void hub_blame_plugin(struct lumbard *hub, const char *topic, size_t topic_bytes)
{
    struct topic parsed;
    const struct driver *driver = drivers_match(&hub->setup.drivers, topic, topic_bytes, &parsed);
    if (driver == NULL)
        return;
    unsigned crashes = crashes_add(hub->state, driver->plugin->kind, driver->plugin->version);
    if (crashes >= CRASHES_MOST && !driver->left_out)
        leave_out(&hub->setup.drivers.list[driver->index], crashes);
}

bool hub_take_back(struct lumbard *hub, const char *kind)
{
    struct drivers *drivers = &hub->setup.drivers;
    for (uint32_t i = 0; i < drivers->count; i++) {
        if (strcmp(drivers->list[i].plugin->kind, kind) != 0)
            continue;
        if (drivers->list[i].left_out)
            log_notice("plugin %s is used again", kind);
        drivers->list[i].left_out = false;
        crashes_forget(hub->state, kind);
        return true;
    }
    return false;
}
