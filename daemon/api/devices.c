/* Devices: how well each is heard, its newest values, and which one it is. */
#include "api/api.h"

#include <string.h>

#include "core/identify.h"
#include "core/topic.h"

#define DEVICES_MOST 10000 /* devices.max may be as much */

static json_t *value_of(const struct device *device, uint32_t index, int64_t now_ms)
{
    static const char *const states[] = {"fresh", "stale", "offline"};
    const struct lumbar_metric *metric = &device->driver->metrics[index];
    const struct device_value *newest = &device->values[index];
    json_t *value = metric->labels != NULL && newest->time_ms != 0 && !isnan(newest->value)
                        ? json_string(metric->labels[(size_t)newest->value])
                        : api_number(newest->value, metric->decimals);
    return json_pack("{s:o, s:s, s:b, s:o, s:s}", "value", value, "unit", metric->unit, "key",
                     (metric->flags & LUMBAR_KEY) != 0, "age_ms",
                     newest->time_ms != 0 ? json_integer(now_ms - newest->time_ms) : json_null(),
                     "state", states[device_freshness(device, index, now_ms)]);
}

/* Who may not be told of clients is told how the device itself is. */
static json_t *values_of(const struct device *device, bool all, int64_t now_ms)
{
    json_t *values = json_object();
    const struct driver *driver = device->driver;
    for (uint32_t i = 0; i < driver->metric_count; i++)
        if (all || (driver->metrics[i].flags & LUMBAR_HEALTH) != 0)
            json_object_set_new(values, driver->metrics[i].name, value_of(device, i, now_ms));
    return values;
}

static json_t *device_of(const struct lumbard *hub, const struct api_call *call,
                         const struct device *device)
{
    int64_t now_ms = hub_now_ms(hub);
    bool all = access_sight(call->request->who) != SIGHT_DEVICES;
    uint64_t refused = 0, sent = device->messages + device->lost;
    for (unsigned i = 0; i < REFUSED_COUNT_; i++)
        refused += device->refused[i];
    double loss = sent > 0 ? 100.0 * (double)device->lost / (double)sent : 0;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
        "name", api_device_name(device), "room", api_room_name(hub, device->room), "heard",
        api_instant(device->heard_ms), "age_ms",
        device->heard_ms != 0 ? json_integer(now_ms - device->heard_ms) : json_null(), "messages",
        (json_int_t)device->messages, "lost", (json_int_t)device->lost, "loss_percent",
        api_number(loss, 2), "duplicates", (json_int_t)device->duplicates, "late",
        (json_int_t)device->late, "refused", (json_int_t)refused, "out_of_range",
        (json_int_t)device->out_of_range, "boots", (json_int_t)device->boots, "commands",
        (json_int_t)device->commands, "commands_refused", (json_int_t)device->commands_refused,
        "clock_jumps", (json_int_t)device->clock_jumps, "skew_ms",
        device->has_skew ? json_integer(device->skew_ms) : json_null(), "values",
        values_of(device, all, now_ms));
}

/* ?room=NAME, ?after=PLACE&limit=N: a page at a time. */
enum api_outcome api_get_devices(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    const char *room = api_query(call, "room");
    struct api_reader reader = {.call = call};
    struct api_page page;
    uint32_t count = devices_count(hub->ingest.devices);
    api_read_page(&reader, DEVICES_MOST, &page);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    json_t *list = json_array();
    uint32_t id = page.after + 1;
    for (; id <= count && json_array_size(list) < page.limit; id++) {
        const struct device *device = devices_at(hub->ingest.devices, id);
        if (api_sees(call, device->room) &&
            (room == NULL || (device->room != ROOM_NONE &&
                              strcmp(hub->setup.config->rooms[device->room - 1].name, room) == 0)))
            json_array_append_new(list, device_of(hub, call, device));
    }
    return api_give(
        answer, 200,
        json_pack("{s:o, s:o}", "devices", list, "next", api_next(id <= count, id - 1)));
}

enum api_outcome api_get_device(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    const struct device *device = api_path_device(hub, call, answer);
    return device != NULL ? api_give(answer, 200, device_of(hub, call, device)) : API_DONE;
}

/* QoS 0, and not to a device that is away: what is asked of it now is not to be done in an hour. */
enum api_outcome api_identify(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    uint8_t message[IDENTIFY_MAX_BYTES];
    char topic[TOPIC_MAX_BYTES + 1];
    const struct device *device = api_path_device(hub, call, answer);
    int64_t seconds = api_integer(&reader, "seconds", 0, IDENTIFY_MAX_S, IDENTIFY_DEFAULT_S);
    if (device == NULL)
        return API_DONE;
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (topic_filter(device->driver->plugin->topic, TOPIC_IDENTIFY_LEAF, topic, sizeof(topic)) == 0)
        return api_problem(answer, 409, "%s cannot be told anything.", device->name);
    if (device->heard_ms == 0 || device_is_gone(device, hub_now_ms(hub)))
        return api_problem(answer, 409, "%s is offline: it does not hear.", device->name);
    if (!hub->health.broker || !hub_tell_device(hub, device, TOPIC_IDENTIFY_LEAF, message,
                                                identify_write(message, (uint32_t)seconds)))
        return api_problem(answer, 503, "The broker cannot be reached: %s was not asked.",
                           device->name);
    return api_give(
        answer, 202,
        json_pack("{s:o, s:I}", "device", api_device_name(device), "seconds", (json_int_t)seconds));
}
