#include "core/frame_wire.h"

#include <math.h>
#include <stdlib.h>

_Static_assert(1 << PLAN_WARM_UP == LUMBAR_WARM_UP && 1 << PLAN_MASSAGE == LUMBAR_MASSAGE &&
                   1 << PLAN_EXERCISE == LUMBAR_EXERCISE && 1 << PLAN_REST == LUMBAR_REST &&
                   1 << PLAN_KINDS == 2 * LUMBAR_REST,
               "a kind of phase is its bit in lumbar_phase");

/* Makes room for one more part; the block doubles. */
static bool reserve(struct wire *wire, size_t more)
{
    if (wire->capacity - wire->length >= more)
        return true;
    size_t capacity = 2 * (wire->capacity + more);
    uint8_t *bytes = realloc(wire->bytes, capacity);
    if (bytes == NULL)
        return false;
    wire->bytes = bytes;
    wire->capacity = capacity;
    return true;
}

static bool put(struct wire *wire, enum wire_field field, const ProtobufCMessage *message)
{
    return reserve(wire, protobuf_c_message_get_packed_size(message) + 16) &&
           wire_put(wire, field, message);
}

static bool put_kind(struct wire *wire, const struct driver *driver)
{
    Lumbar__Live__V1__Kind kind = LUMBAR__LIVE__V1__KIND__INIT;
    kind.has_id = 1;
    kind.id = driver->index;
    kind.name = (char *)driver->plugin->kind;
    kind.title = (char *)driver->plugin->title;
    return put(wire, WIRE_HELLO_KINDS, &kind.base);
}

/* The names of the phases in which it is what matters most; returns how many. */
static size_t phases_of(const struct lumbar_metric *metric, char **names)
{
    size_t count = 0;
    for (uint32_t kind = 0; kind < PLAN_KINDS; kind++) /* its bit in lumbar_phase */
        if ((metric->phases >> kind & 1) != 0)
            names[count++] = (char *)(uintptr_t)plan_kind_name((enum plan_kind)kind);
    return count;
}

static bool put_metric(struct wire *wire, const struct driver *driver, uint32_t index)
{
    static const Lumbar__Live__V1__Metric__Type types[] = {
        [LUMBAR_GAUGE] = LUMBAR__LIVE__V1__METRIC__TYPE__GAUGE,
        [LUMBAR_COUNTER] = LUMBAR__LIVE__V1__METRIC__TYPE__COUNTER,
        [LUMBAR_STATE] = LUMBAR__LIVE__V1__METRIC__TYPE__STATE,
        [LUMBAR_EVENT] = LUMBAR__LIVE__V1__METRIC__TYPE__EVENT,
    };
    const struct lumbar_metric *metric = &driver->metrics[index];
    Lumbar__Live__V1__Metric out = LUMBAR__LIVE__V1__METRIC__INIT;
    out.has_id = out.has_kind = out.has_type = out.has_decimals = 1;
    out.id = driver->first_metric + index;
    out.kind = driver->index;
    out.type = types[metric->kind];
    out.decimals = metric->decimals;
    out.name = (char *)metric->name;
    out.title = (char *)metric->title;
    out.unit = (char *)metric->unit;
    out.has_key = out.has_health = 1;
    out.key = (metric->flags & LUMBAR_KEY) != 0;
    out.health = (metric->flags & LUMBAR_HEALTH) != 0;
    out.has_stale_ms = out.has_offline_ms = 1;
    out.stale_ms = (uint32_t)metric_stale_ms(metric);
    out.offline_ms = (uint32_t)metric_offline_ms(metric);
    out.has_min = out.has_step = out.has_max = 1;
    out.min = metric->min;
    out.step = metric_step(metric);
    out.max = metric->max;
    out.has_role = metric->role != LUMBAR_ROLE_NONE;
    out.role = (Lumbar__Live__V1__Metric__Role)metric->role; /* in the same order */
    char *phases[PLAN_KINDS];
    out.phases = phases;
    out.n_phases = phases_of(metric, phases);
    out.labels = (char **)(uintptr_t)metric->labels;
    while (metric->labels != NULL && metric->labels[out.n_labels] != NULL)
        out.n_labels++;
    return put(wire, WIRE_HELLO_METRICS, &out.base);
}

static bool put_driver(struct wire *wire, const struct driver *driver)
{
    if (!put_kind(wire, driver))
        return false;
    for (uint32_t i = 0; i < driver->metric_count; i++)
        if (!put_metric(wire, driver, i))
            return false;
    return true;
}

static bool put_room(struct wire *wire, const struct config_room *room, uint32_t id)
{
    Lumbar__Live__V1__Room out = LUMBAR__LIVE__V1__ROOM__INIT;
    out.has_id = 1;
    out.id = id;
    out.name = (char *)room->name;
    out.title = (char *)room->title;
    return put(wire, WIRE_HELLO_ROOMS, &out.base);
}

static bool put_rule(struct wire *wire, const struct rules *rules, const struct rule *rule)
{
    struct frame_limits limits = {.count = 0};
    Lumbar__Live__V1__Rule out = LUMBAR__LIVE__V1__RULE__INIT;
    out.has_id = out.has_metric = out.has_priority = out.has_technical = 1;
    out.id = rule->id;
    out.metric = rule->metric;
    out.priority = (Lumbar__Live__V1__Priority)rule->priority;
    out.technical = rule->technical;
    out.name = (char *)rule->name;
    out.title = (char *)rule->title;
    out.action = (char *)rule->action;
    out.has_above =
        !isnan(rule->high) && (rule->condition == RULE_ABOVE || rule->condition == RULE_OUTSIDE);
    out.above = rule->high;
    out.has_below =
        !isnan(rule->low) && (rule->condition == RULE_BELOW || rule->condition == RULE_OUTSIDE);
    out.below = rule->low;
    frame_add_limits(&limits, rules, rule->id, ROOM_NONE);
    out.limits = limits.list;
    out.n_limits = limits.count;
    return put(wire, WIRE_HELLO_RULES, &out.base);
}

static bool put_all(struct wire *wire, struct frame_hello_rooms *rooms,
                    const struct frame_world *world, uint64_t instance)
{
    Lumbar__Live__V1__Hello hello = LUMBAR__LIVE__V1__HELLO__INIT;
    hello.has_instance = 1;
    hello.instance = instance;
    hello.version = (char *)LUMBAR_VERSION;
    hello.clinic = (char *)world->config->clinic;
    if (!reserve(wire, lumbar__live__v1__hello__get_packed_size(&hello)))
        return false;
    wire->length += lumbar__live__v1__hello__pack(&hello, wire->bytes);
    for (uint32_t i = 0; i < world->drivers->count; i++)
        if (!put_driver(wire, &world->drivers->list[i]))
            return false;
    rooms->count = world->config->room_count;
    for (uint32_t i = 0; i < rooms->count; i++) {
        rooms->at[i + 1] = (uint32_t)wire->length;
        if (!put_room(wire, &world->config->rooms[i], i + 1))
            return false;
    }
    rooms->at[rooms->count + 1] = (uint32_t)wire->length;
    for (uint32_t i = 0; i < rules_count(world->rules); i++)
        if (!put_rule(wire, world->rules, rules_at(world->rules, i)))
            return false;
    return true;
}

int frame_hello_make(uint8_t **out, size_t *bytes, struct frame_hello_rooms *rooms,
                     const struct frame_world *world, uint64_t instance)
{
    struct wire wire = {NULL, 0, 0};
    if (!put_all(&wire, rooms, world, instance)) {
        free(wire.bytes);
        return ERR_MEMORY;
    }
    *out = wire.bytes;
    *bytes = wire.length;
    return 0;
}
