/*
 * A rule file of any bytes up to the first NUL; what follows plays devices against the rules that
 * were read, three bytes a step: what happens, a value, how much later.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/core/clinic_drivers.h"
#include "core/rules.h"

#define DEVICES 3
#define RULES   64 /* that are watched for raising twice */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
    if (!holds)
        abort();
}

struct play {
    struct drivers *drivers;
    struct devices *devices;
    struct rules *rules;
    bool on[DEVICES + 1][RULES];
    int64_t now_ms;
};

/* Raised and over must take turns; the sentence must be valid text of one line. */
static void on_event(void *user, const struct rule_event *event)
{
    struct play *play = user;
    char sentence[200];
    struct text text = text_in(sentence, sizeof(sentence));
    const struct lumbar_metric *metric = drivers_metric(play->drivers, event->rule->metric, NULL);
    demand(event->device >= 1 && event->device <= DEVICES);
    demand(rules_at(play->rules, event->rule->id) == event->rule);
    demand(isnan(event->value) == (event->rule->condition == RULE_ABSENT));
    if (event->rule->id < RULES) {
        bool *on = &play->on[event->device][event->rule->id];
        demand(*on != event->on);
        *on = event->on;
    }
    rule_write_text(&text, event->rule, metric, "b-01", "Room 1", event->value);
    demand(strlen(sentence) == text.length);
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

static void sample(struct play *play, uint8_t what, uint8_t byte)
{
    struct device *device = devices_at(play->devices, what % DEVICES + 1);
    const struct lumbar_plugin *plugin = device->driver->plugin;
    uint32_t metric = (what / DEVICES) % plugin->metric_count;
    double values[2] = {value_of(&plugin->metrics[metric], byte),
                        value_of(&plugin->metrics[metric], (uint8_t)(byte ^ what))};
    int64_t times[2] = {-100, what % 7 ? 0 : 3600000};
    struct lumbar_series series = {.metric = metric, .count = 2, .time_ms = times, .value = values};
    rules_sample(play->rules, device, &series, play->now_ms, on_event, play);
}

static void step(struct play *play, const uint8_t bytes[3])
{
    play->now_ms += (int64_t)bytes[2] * 37;
    if (bytes[0] < 200)
        sample(play, bytes[0], bytes[1]);
    else if (bytes[0] < 250)
        rules_tick(play->rules, play->devices, play->now_ms, on_event, play);
    else
        devices_assign(play->devices, devices_at(play->devices, bytes[1] % DEVICES + 1),
                       bytes[0] % 2);
}

static void reload(struct play *play, const struct rules_text *file)
{
    struct rules *fresh;
    struct diag diag = {0};
    demand(rules_load(&fresh, file, 1, play->drivers, DEVICES, &diag) == 0);
    rules_adopt(fresh, play->rules);
    rules_destroy(play->rules);
    play->rules = fresh;
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
    for (size_t at = 0; at + 3 <= size; at += 3)
        step(play, bytes + at);
    reload(play, file); /* nothing may be raised twice because of it */
    for (size_t at = 0; at + 3 <= size; at += 3)
        step(play, bytes + at);
    devices_destroy(play->devices);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct drivers drivers;
    clinic_init(&drivers);
    size_t yaml_bytes = 0;
    while (yaml_bytes < size && data[yaml_bytes] != 0)
        yaml_bytes++;
    struct rules_text file = {"fuzz.yaml", (const char *)data, yaml_bytes};
    struct play play = {.drivers = &drivers};
    struct diag diag = {0};
    int code = rules_load(&play.rules, &file, 1, &drivers, DEVICES, &diag);
    demand((code == 0) == (play.rules != NULL) && diag.code == code);
    demand(code == 0 || diag.text[0] != '\0');
    if (code == 0 && yaml_bytes < size)
        play_steps(&play, &file, data + yaml_bytes + 1, size - yaml_bytes - 1);
    rules_destroy(play.rules);
    drivers_fini(&drivers);
    return 0;
}
