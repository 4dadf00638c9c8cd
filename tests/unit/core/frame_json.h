/* For the test of recorded frames: what a frame means, in words that the page's tests read too. */
#ifndef LUMBAR_TESTS_FRAME_JSON_H
#define LUMBAR_TESTS_FRAME_JSON_H

#include "ward.h"

struct json {
    struct text text;
    const struct drivers *drivers;
};

/* Every field begins with its comma but the first one of an object or array. */
static inline void separate(struct json *json, const char *between)
{
    char before = json->text.length > 0 ? json->text.at[json->text.length - 1] : '{';
    if (before != '{' && before != '[')
        text_add(&json->text, "%s", between);
}

static inline void comma(struct json *json)
{
    separate(json, ", ");
}

static inline void key(struct json *json, const char *name)
{
    comma(json);
    text_add(&json->text, "\"%s\": ", name);
}

static inline void integer(struct json *json, const char *name, int64_t value)
{
    key(json, name);
    text_add(&json->text, "%lld", (long long)value);
}

static inline void boolean(struct json *json, const char *name, bool value)
{
    key(json, name);
    text_add(&json->text, value ? "true" : "false");
}

static inline void string(struct json *json, const char *name, const char *value)
{
    key(json, name);
    text_add_json(&json->text, value);
}

static inline void number(struct json *json, const char *name, double value)
{
    key(json, name);
    text_add_number(&json->text, value, 9);
}

/* In the metric's unit; null where the sensor had nothing to say. */
static inline void quantised(struct json *json, uint32_t metric, uint32_t value)
{
    if (value == METRIC_NONE)
        text_add(&json->text, "null");
    else
        text_add_number(&json->text,
                        metric_value(drivers_metric(json->drivers, metric, NULL), (uint16_t)value),
                        4);
}

static inline void open_(struct json *json, const char *name, const char *bracket)
{
    key(json, name);
    text_add(&json->text, "%s", bracket);
}

static inline void item(struct json *json)
{
    separate(json, ",");
    text_add(&json->text, "\n  {");
}

static inline void strings(struct json *json, const char *name, char *const *list, size_t count)
{
    open_(json, name, "[");
    for (size_t i = 0; i < count; i++) {
        comma(json);
        text_add_json(&json->text, list[i]);
    }
    text_add(&json->text, "]");
}

static inline void put_metric(struct json *json, const Lumbar__Live__V1__Metric *metric)
{
    static const char *const types[] = {"gauge", "counter", "state", "event"};
    item(json);
    integer(json, "id", metric->id);
    integer(json, "kind", metric->kind);
    string(json, "name", metric->name);
    string(json, "title", metric->title);
    string(json, "unit", metric->unit);
    string(json, "type", types[metric->type]);
    boolean(json, "key", metric->key);
    boolean(json, "health", metric->health);
    integer(json, "decimals", metric->decimals);
    integer(json, "stale_ms", metric->stale_ms);
    integer(json, "offline_ms", metric->offline_ms);
    number(json, "min", metric->min);
    number(json, "max", metric->max);
    integer(json, "role", metric->role);
    strings(json, "phases", metric->phases, metric->n_phases);
    strings(json, "labels", metric->labels, metric->n_labels);
    text_add(&json->text, "}");
}

static inline void put_limits(struct json *json, Lumbar__Live__V1__Limit *const *limits,
                              size_t count)
{
    open_(json, "limits", "[");
    for (size_t i = 0; i < count; i++) {
        separate(json, ", ");
        text_add(&json->text, "{");
        if (limits[i]->has_rule)
            integer(json, "rule", limits[i]->rule);
        integer(json, "metric", limits[i]->metric);
        if (limits[i]->has_above)
            number(json, "above", limits[i]->above);
        if (limits[i]->has_below)
            number(json, "below", limits[i]->below);
        text_add(&json->text, "}");
    }
    text_add(&json->text, "]");
}

static inline void put_rule(struct json *json, const Lumbar__Live__V1__Rule *rule)
{
    item(json);
    integer(json, "id", rule->id);
    string(json, "name", rule->name);
    string(json, "title", rule->title);
    integer(json, "metric", rule->metric);
    if (rule->has_above)
        number(json, "above", rule->above);
    if (rule->has_below)
        number(json, "below", rule->below);
    integer(json, "priority", rule->priority);
    string(json, "action", rule->action);
    put_limits(json, rule->limits, rule->n_limits);
    text_add(&json->text, "}");
}

static inline void put_hello(struct json *json, const Lumbar__Live__V1__Hello *hello)
{
    char instance[24];
    snprintf(instance, sizeof(instance), "%llu", (unsigned long long)hello->instance);
    open_(json, "hello", "{");
    string(json, "instance", instance); /* too long for a number of JavaScript */
    string(json, "version", hello->version);
    string(json, "clinic", hello->clinic);
    open_(json, "kinds", "[");
    for (size_t i = 0; i < hello->n_kinds; i++) {
        item(json);
        integer(json, "id", hello->kinds[i]->id);
        string(json, "name", hello->kinds[i]->name);
        string(json, "title", hello->kinds[i]->title);
        text_add(&json->text, "}");
    }
    text_add(&json->text, "]");
    open_(json, "rooms", "[");
    for (size_t i = 0; i < hello->n_rooms; i++) {
        item(json);
        integer(json, "id", hello->rooms[i]->id);
        string(json, "name", hello->rooms[i]->name);
        string(json, "title", hello->rooms[i]->title);
        text_add(&json->text, "}");
    }
    text_add(&json->text, "]");
    open_(json, "metrics", "[");
    for (size_t i = 0; i < hello->n_metrics; i++)
        put_metric(json, hello->metrics[i]);
    text_add(&json->text, "]");
    open_(json, "rules", "[");
    for (size_t i = 0; i < hello->n_rules; i++)
        put_rule(json, hello->rules[i]);
    text_add(&json->text, "]}");
}

static inline void put_device(struct json *json, const Lumbar__Live__V1__Device *device)
{
    item(json);
    integer(json, "id", device->id);
    string(json, "name", device->name);
    integer(json, "kind", device->kind);
    integer(json, "room", device->room);
    integer(json, "heard_ms", device->heard_ms);
    integer(json, "messages", (int64_t)device->messages);
    integer(json, "lost", (int64_t)device->lost);
    integer(json, "duplicates", (int64_t)device->duplicates);
    integer(json, "late", (int64_t)device->late);
    integer(json, "refused", (int64_t)device->refused);
    if (device->has_skew)
        integer(json, "skew_ms", device->skew_ms);
    text_add(&json->text, "}");
}

static inline void put_hand(struct json *json, const char *name, const Lumbar__Live__V1__Hand *hand)
{
    if (hand == NULL)
        return;
    open_(json, name, "{");
    integer(json, "at_ms", hand->at_ms);
    string(json, "by", hand->by);
    string(json, "why", hand->why);
    if (hand->has_until_ms)
        integer(json, "until_ms", hand->until_ms);
    text_add(&json->text, "}");
}

static inline void put_alarm(struct json *json, const Lumbar__Live__V1__Alarm *alarm)
{
    item(json);
    integer(json, "rule", alarm->rule);
    integer(json, "device", alarm->device);
    string(json, "presence", alarm->presence ? "on" : "off");
    integer(json, "priority", alarm->priority);
    integer(json, "since_ms", alarm->since_ms);
    integer(json, "raised_ms", alarm->raised_ms);
    string(json, "text", alarm->text);
    if (alarm->has_value)
        number(json, "value", alarm->value);
    boolean(json, "technical", alarm->technical);
    integer(json, "number", (int64_t)alarm->number);
    boolean(json, "latched", alarm->latched);
    integer(json, "unknown_ms", alarm->unknown_ms);
    put_hand(json, "acknowledged", alarm->acknowledged);
    boolean(json, "of_loss", alarm->of_loss);
    put_hand(json, "shelved", alarm->shelved);
    integer(json, "escalated", alarm->escalated);
    integer(json, "behind", alarm->behind);
    integer(json, "hides", alarm->hides);
    if (alarm->worst != NULL) {
        open_(json, "worst", "{");
        number(json, "value", alarm->worst->value);
        text_add(&json->text, "}");
    }
    if (alarm->plain != NULL)
        string(json, "plain", alarm->plain);
    if (alarm->action != NULL)
        string(json, "action", alarm->action);
    text_add(&json->text, "}");
}

static inline void put_calibration(struct json *json,
                                   const Lumbar__Live__V1__Calibration *calibration)
{
    item(json);
    integer(json, "device", calibration->device);
    integer(json, "neutral", calibration->neutral);
    string(json, "neutral_reason", calibration->neutral_reason);
    integer(json, "until_ms", calibration->until_ms);
    integer(json, "taken_ms", calibration->taken_ms);
    integer(json, "expires_ms", calibration->expires_ms);
    integer(json, "range", calibration->range);
    integer(json, "metric", calibration->metric);
    integer(json, "wanted", calibration->wanted);
    integer(json, "repeated", calibration->repeated);
    if (calibration->has_best) {
        number(json, "best", calibration->best);
        number(json, "mean", calibration->mean);
        integer(json, "measured_ms", calibration->measured_ms);
        boolean(json, "downwards", calibration->downwards);
    }
    if (calibration->has_spread)
        number(json, "spread", calibration->spread);
    text_add(&json->text, "}");
}

static inline void put_session(struct json *json, const Lumbar__Live__V1__Session *session)
{
    static const char *const states[] = {"none", "planned", "running", "paused", "done", "aborted"};
    item(json);
    integer(json, "id", (int64_t)session->id);
    integer(json, "room", session->room);
    string(json, "state", states[session->state]);
    string(json, "client", session->client);
    string(json, "therapist", session->therapist);
    string(json, "plan", session->plan);
    integer(json, "started_ms", session->started_ms);
    integer(json, "phase", session->phase);
    integer(json, "phase_count", session->phase_count);
    if (session->phase_title != NULL)
        string(json, "phase_title", session->phase_title);
    integer(json, "phase_ms", session->phase_ms);
    if (session->has_phase_end_ms)
        integer(json, "phase_end_ms", session->phase_end_ms);
    if (session->has_phase_left_ms)
        integer(json, "phase_left_ms", session->phase_left_ms);
    if (session->next_title != NULL)
        string(json, "next_title", session->next_title);
    if (session->has_pain_before)
        integer(json, "pain_before", session->pain_before);
    boolean(json, "ask_to_stop", session->ask_to_stop);
    boolean(json, "adverse", session->adverse);
    put_limits(json, session->limits, session->n_limits);
    if (session->phase_kind != NULL)
        string(json, "phase_kind", session->phase_kind);
    text_add(&json->text, "}");
}

static inline void put_progress(struct json *json, const Lumbar__Live__V1__Progress *progress)
{
    open_(json, "progress", "{");
    integer(json, "session", (int64_t)progress->session);
    open_(json, "regions", "[");
    for (size_t i = 0; i < progress->n_regions; i++) {
        const Lumbar__Live__V1__Progress__Region *region = progress->regions[i];
        item(json);
        string(json, "name", region->name);
        boolean(json, "target", region->target);
        integer(json, "planned_ms", region->planned_ms);
        integer(json, "time_ms", region->time_ms);
        if (region->has_mean)
            number(json, "mean", region->mean);
        boolean(json, "now", region->now);
        text_add(&json->text, "}");
    }
    text_add(&json->text, "]");
    open_(json, "own", "[");
    for (size_t i = 0; i < progress->n_own; i++) {
        item(json);
        integer(json, "metric", progress->own[i]->metric);
        if (progress->own[i]->has_low)
            number(json, "low", progress->own[i]->low);
        if (progress->own[i]->has_high)
            number(json, "high", progress->own[i]->high);
        text_add(&json->text, "}");
    }
    text_add(&json->text, "]}");
}

static inline void put_latest(struct json *json, const Lumbar__Live__V1__Latest *latest)
{
    for (size_t i = 0; i < latest->n_metric; i++) {
        item(json);
        integer(json, "device", latest->device);
        integer(json, "metric", latest->metric[i]);
        key(json, "value");
        quantised(json, latest->metric[i], latest->value[i]);
        integer(json, "age_ms", latest->age_ms[i]);
        text_add(&json->text, "}");
    }
}

static inline void put_points(struct json *json, const Lumbar__Live__V1__Points *points)
{
    for (size_t c = 0; c < points->n_columns; c++) {
        const Lumbar__Live__V1__Points__Column *column = points->columns[c];
        int64_t time_ms = points->start_ms;
        int32_t value = 0;
        item(json);
        integer(json, "device", points->device);
        integer(json, "metric", column->metric);
        open_(json, "time_ms", "[");
        for (size_t i = 0; i < points->n_dt_ms; i++) {
            comma(json);
            text_add(&json->text, "%lld", (long long)(time_ms += points->dt_ms[i]));
        }
        text_add(&json->text, "]");
        open_(json, "value", "[");
        for (size_t i = 0; i < column->n_delta; i++) {
            comma(json);
            quantised(json, column->metric, (uint32_t)(value += column->delta[i]));
        }
        text_add(&json->text, "]}");
    }
}

static inline void put_single(struct json *json, const Frame *frame)
{
    if (frame->gap != NULL) {
        open_(json, "gap", "{");
        if (frame->gap->has_from_ms)
            integer(json, "from_ms", frame->gap->from_ms);
        integer(json, "to_ms", frame->gap->to_ms);
        text_add(&json->text, "}");
    }
    if (frame->health != NULL) {
        open_(json, "health", "{");
        boolean(json, "broker", frame->health->broker);
        boolean(json, "disk", frame->health->disk);
        integer(json, "heartbeat_ms", frame->health->heartbeat_ms);
        integer(json, "messages", (int64_t)frame->health->messages);
        integer(json, "refused", (int64_t)frame->health->refused);
        integer(json, "dropped", (int64_t)frame->health->dropped);
        integer(json, "alarms_begun", frame->health->alarms_begun);
        boolean(json, "flood", frame->health->flood);
        integer(json, "alarms_lost", (int64_t)frame->health->alarms_lost);
        boolean(json, "clock_unset", frame->health->clock_unset);
        integer(json, "clock_off_ms", frame->health->clock_off_ms);
        integer(json, "oversize", (int64_t)frame->health->oversize);
        integer(json, "quarantined", (int64_t)frame->health->quarantined);
        boolean(json, "settling", frame->health->settling);
        text_add(&json->text, "}");
    }
    if (frame->bye != NULL)
        string(json, "bye", frame->bye->reason);
}

static inline void put_pauses(struct json *json, const Lumbar__Live__V1__PauseList *list)
{
    open_(json, "pauses", "{");
    open_(json, "pauses", "[");
    for (size_t i = 0; i < list->n_pauses; i++) {
        item(json);
        integer(json, "room", list->pauses[i]->room);
        integer(json, "type", list->pauses[i]->type);
        put_hand(json, "hand", list->pauses[i]->hand);
        text_add(&json->text, "}");
    }
    text_add(&json->text, "]}");
}

static inline void put_suppressed(struct json *json, const Lumbar__Live__V1__SuppressedList *list)
{
    open_(json, "suppressed", "{");
    open_(json, "items", "[");
    for (size_t i = 0; i < list->n_items; i++) {
        const Lumbar__Live__V1__Suppressed *item = list->items[i];
        separate(json, ",\n    ");
        text_add(&json->text, "{");
        integer(json, "rule", item->rule);
        integer(json, "device", item->device);
        integer(json, "since_ms", item->since_ms);
        string(json, "text", item->text);
        boolean(json, "in_session", item->in_session);
        text_add(&json->text, "}");
    }
    text_add(&json->text, "]");
    integer(json, "more", list->more);
    text_add(&json->text, "}");
}

static inline void frame_json_put(struct json *json, const Frame *frame)
{
    text_add(&json->text, "{");
    integer(json, "hub_ms", frame->hub_ms);
    if (frame->has_cursor)
        integer(json, "cursor", (int64_t)frame->cursor);
    if (frame->hello != NULL)
        put_hello(json, frame->hello);
    open_(json, "devices", "[");
    for (size_t i = 0; i < frame->n_devices; i++)
        put_device(json, frame->devices[i]);
    text_add(&json->text, "]");
    open_(json, "alarms", "[");
    for (size_t i = 0; i < frame->n_alarms; i++)
        put_alarm(json, frame->alarms[i]);
    text_add(&json->text, "]");
    if (frame->n_calibrations > 0) {
        open_(json, "calibrations", "[");
        for (size_t i = 0; i < frame->n_calibrations; i++)
            put_calibration(json, frame->calibrations[i]);
        text_add(&json->text, "]");
    }
    if (frame->pauses != NULL)
        put_pauses(json, frame->pauses);
    if (frame->progress != NULL)
        put_progress(json, frame->progress);
    if (frame->suppressed != NULL)
        put_suppressed(json, frame->suppressed);
    if (frame->n_sessions > 0) {
        open_(json, "sessions", "[");
        for (size_t i = 0; i < frame->n_sessions; i++)
            put_session(json, frame->sessions[i]);
        text_add(&json->text, "]");
    }
    open_(json, "latest", "[");
    for (size_t i = 0; i < frame->n_latest; i++)
        put_latest(json, frame->latest[i]);
    text_add(&json->text, "]");
    open_(json, "points", "[");
    for (size_t i = 0; i < frame->n_points; i++)
        put_points(json, frame->points[i]);
    text_add(&json->text, "]");
    put_single(json, frame);
    text_add(&json->text, "}\n");
}

#endif
