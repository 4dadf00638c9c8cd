/*
 * A rule file of any bytes up to the first NUL; what follows plays devices against the rules and
 * the derived metrics that were read, three bytes a step: what happens, a value, how much later.
 * Two sets play side by side: one is given series, the other their samples one by one, and both
 * must say the same.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/core/clinic_drivers.h"
#include "core/derive.h"

#define DEVICES 3
#define RULES   64 /* that are watched for raising twice */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
    if (!holds)
        abort();
}

/* One set, and what it has said. */
struct side {
    struct devices *devices;
    struct rules *rules;
    bool on[DEVICES + 1][RULES];
    uint64_t said; /* a sum over the events: their order between rules is free */
};

struct play {
    struct drivers *drivers;
    struct derive *derive;
    struct devices *devices;
    struct side series, single;
    int64_t now_ms;
};

/* Raised and over must take turns; the sentence must be valid text of one line. */
static void on_event(void *user, const struct rule_event *event)
{
    struct side *side = user;
    char sentence[200];
    struct text text = text_in(sentence, sizeof(sentence));
    struct rule_facts facts = {
        .device = "b-01", .room = "Room 1", .value = event->value, .limit = event->limit};
    demand(event->device >= 1 && event->device <= DEVICES);
    demand(rules_at(side->rules, event->rule->id) == event->rule);
    demand(isnan(event->value) || event->rule->condition != RULE_ABSENT);
    demand(event->rule->tree != NULL ||
           isnan(event->value) == (event->rule->condition == RULE_ABSENT));
    demand(!event->on || !event->suppressed);
    if (event->rule->id < RULES) {
        bool *on = &side->on[event->device][event->rule->id];
        /* A rule that is suppressed says so, and when it no longer is, without having been on. */
        demand(*on != event->on || (!event->on && event->rule->armed != ARMED_ALWAYS));
        *on = event->on;
    }
    rule_write_text(&text, event->rule, event->rule->text, &facts);
    demand(strlen(sentence) == text.length);
    rule_write_text(&text, event->rule, event->rule->plain, &facts);
    rule_write_text(&text, event->rule, event->rule->action, &facts);
    demand(strlen(sentence) == text.length);
    uint64_t hash = (uint64_t)event->time_ms * 2654435761u + event->rule->id * 977u +
                    event->device * 31u + event->on;
    side->said += (hash ^ hash >> 29) * UINT64_C(0x9e3779b97f4a7c15) +
                  (isnan(event->value) ? 7 : (uint64_t)(event->value * 1024 + 1e6));
}

/* The metric's range in steps, and NaN. */
static double value_of(const struct lumbar_metric *metric, uint8_t byte)
{
    if (byte == 255)
        return NAN;
    if (metric->labels != NULL)
        return byte % ((unsigned)metric->max + 1);
    return metric->min + (metric->max - metric->min) * byte / 254;
}

/* Sessions that come and go with the time of the play. */
static const char *phase_of(void *user, uint32_t room)
{
    static const char *const phases[] = {NULL, "", "heat", "massage"};
    const struct play *play = user;
    return room == ROOM_NONE ? NULL : phases[play->now_ms / 4096 % 4];
}

static bool limit_of(void *user, uint32_t room, uint32_t metric, bool high, double *limit)
{
    const struct play *play = user;
    *limit = (double)(play->now_ms / 1024 % 64) + metric + room - (high ? 0 : 80);
    return play->now_ms / 512 % 3 != 0;
}

static bool range_of(void *user, uint32_t room, uint32_t metric, double *low, double *high)
{
    *low = -20;
    return limit_of(user, room, metric, true, high);
}

static void judge(struct side *side, const struct device *device,
                  const struct lumbar_series *series, int64_t now_ms)
{
    struct extent extent = extent_of(series);
    struct decoded message = {{.series = series, .series_count = 1}, &extent, 0};
    rules_judge(side->rules, side->devices, device, &message, now_ms, on_event, side);
}

/* What is derived is within the range of its metric. */
static void derive(struct play *play, const struct device *device,
                   const struct lumbar_series *series, uint8_t session)
{
    struct extent extent = extent_of(series);
    struct decoded message = {{.series = series, .series_count = 1}, &extent, 0};
    struct derive_session of = {.id = session / 16u, .phase = session % 4u};
    derive_take(play->derive, device, &of, play->now_ms, play->now_ms, &message);
    for (uint32_t i = 0; i < message.batch.series_count; i++) {
        const struct lumbar_series *each = &message.batch.series[i];
        const struct lumbar_metric *metric = &device->driver->metrics[each->metric];
        demand(i == 0 || each->count == 1);
        for (uint32_t v = 0; v < each->count; v++)
            demand(isnan(each->value[v]) ||
                   (each->value[v] >= metric->min && each->value[v] <= metric->max));
    }
    for (uint32_t place = 0; place < derive_count(play->derive); place++) {
        struct derive_kept kept;
        if (derive_keep(play->derive, device, place, &kept))
            demand(kept.sum >= 0 && derive_restore(play->derive, device, &kept));
    }
}

static void sample(struct play *play, uint8_t what, uint8_t byte)
{
    struct device *device = devices_at(play->devices, what % DEVICES + 1);
    const struct driver *driver = device->driver;
    uint32_t metric = (what / DEVICES) % driver->metric_count;
    double values[2] = {value_of(&driver->metrics[metric], byte),
                        value_of(&driver->metrics[metric], (uint8_t)(byte ^ what))};
    int64_t times[2] = {-100, what % 7 ? 0 : 3600000};
    struct lumbar_series series = {.metric = metric, .count = 2, .time_ms = times, .value = values};
    if (metric < driver->plugin->metric_count)
        derive(play, device, &series, what);
    judge(&play->series, device, &series, play->now_ms);
    series.count = 1;
    judge(&play->single, device, &series, play->now_ms);
    series.time_ms++;
    series.value++;
    judge(&play->single, device, &series, play->now_ms);
}

static void tick(struct play *play)
{
    rules_tick(play->series.rules, play->devices, play->now_ms, on_event, &play->series);
    rules_tick(play->single.rules, play->devices, play->now_ms, on_event, &play->single);
}

static void step(struct play *play, const uint8_t bytes[3])
{
    play->now_ms += (int64_t)bytes[2] * 37;
    if (bytes[0] < 200)
        sample(play, bytes[0], bytes[1]);
    else if (bytes[0] < 250)
        tick(play);
    else
        devices_assign(play->devices, devices_at(play->devices, bytes[1] % DEVICES + 1),
                       bytes[0] % 2);
    demand(play->series.said == play->single.said);
}

/* Takes the place of the set that was there, if any. */
static void load(const struct play *play, struct side *side, const struct rules_text *file)
{
    struct rules *fresh;
    struct diag diag = {0};
    demand(rules_load(&fresh, file, 1, play->drivers, DEVICES, &diag) == 0);
    rules_ask(fresh, &(struct rules_lookup){(void *)(uintptr_t)play, phase_of, limit_of, range_of});
    if (side->rules != NULL)
        rules_adopt(fresh, side->rules, play->devices);
    rules_destroy(side->rules);
    side->rules = fresh;
}

static void play_steps(struct play *play, const struct rules_text *file, const uint8_t *bytes,
                       size_t size)
{
    play->devices = devices_create(DEVICES, 1000);
    demand(play->devices != NULL);
    for (unsigned i = 0; i < DEVICES; i++) {
        char name[] = {'d', (char)('0' + i)};
        devices_hear(play->devices, &play->drivers->list[i == 0], name, 2);
    }
    play->now_ms = 1700000000000;
    play->series.devices = play->single.devices = play->devices;
    load(play, &play->series, file);
    load(play, &play->single, file);
    for (size_t at = 0; at + 3 <= size; at += 3)
        step(play, bytes + at);
    load(play, &play->series, file); /* nothing may be raised twice because of it */
    for (size_t at = 0; at + 3 <= size; at += 3)
        step(play, bytes + at);
    rules_destroy(play->series.rules);
    rules_destroy(play->single.rules);
    devices_destroy(play->devices);
}

/* The same text as changes of two rules: all of it, or a complaint. */
static void load_as_changes(const struct drivers *drivers, const struct rules_text *file)
{
    static const char text[] =
        "rules:\n"
        "- {name: a, metric: angle, above: 20 deg, priority: low, text: A}\n"
        "- {name: b, metric: angle, below: 0 deg, for: 2 s, priority: high, text: B}\n";
    struct rules_text files[] = {{"rules.yaml", text, sizeof(text) - 1, false}, *file};
    struct diag diag = {0};
    struct rules *rules = NULL;
    files[1].changes = true;
    int code = rules_load(&rules, files, 2, drivers, DEVICES, &diag);
    demand((code == 0) == (rules != NULL) && (code == 0 || diag.text[0] != '\0'));
    uint32_t off = 0;
    while (code == 0 && rules_off(rules, off) != NULL)
        off++;
    demand(code != 0 || (rules_written(rules) + off >= 2 && rules_changed(rules) + off <= 2));
    for (uint32_t i = 0; code == 0 && i < rules_written(rules); i++)
        demand(rules_source(rules, i)->written != NULL);
    rules_destroy(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct drivers drivers;
    clinic_init(&drivers);
    size_t yaml_bytes = 0;
    while (yaml_bytes < size && data[yaml_bytes] != 0)
        yaml_bytes++;
    struct rules_text file = {"fuzz.yaml", (const char *)data, yaml_bytes, false};
    struct play play = {.drivers = &drivers};
    struct diag diag = {0};
    struct rules *rules = NULL;
    int code = derive_load(&play.derive, &file, 1, &drivers, DEVICES, &diag);
    demand((code == 0) == (play.derive != NULL));
    if (code == 0)
        code = rules_load(&rules, &file, 1, &drivers, DEVICES, &diag);
    demand((code == 0) == (rules != NULL) && diag.code == code);
    demand(code == 0 || diag.text[0] != '\0');
    if (code == 0 && yaml_bytes < size)
        play_steps(&play, &file, data + yaml_bytes + 1, size - yaml_bytes - 1);
    rules_destroy(rules);
    load_as_changes(&drivers, &file);
    drivers_fini(&drivers);
    derive_destroy(play.derive);
    return 0;
}
