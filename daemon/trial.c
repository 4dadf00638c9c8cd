#include "trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trial {
    const char *config_file, *rules; /* as they were given */
    struct setup setup;
    struct replay *replay;
    struct trial_event *events;
    size_t count, room;
    bool memory; /* there was none for an event */
    struct {
        const char *rule; /* NULL: none is varied */
        int64_t on_delay_ms;
        double band;
    } varied;
};

static void on_alarm(void *user, const struct alarm *alarm, const struct device *device)
{
    struct trial *trial = user;
    if (trial->count == trial->room) {
        size_t room = trial->room == 0 ? 256 : trial->room * 2;
        struct trial_event *grown = realloc(trial->events, room * sizeof(*grown));
        if (grown == NULL) {
            trial->memory = true;
            return;
        }
        trial->events = grown;
        trial->room = room;
    }
    struct trial_event *event = &trial->events[trial->count++];
    *event = (struct trial_event){
        .time_ms = alarm->deed_ms, .rule = alarm->rule, .on = alarm->deed == DEED_RAISE};
    snprintf(event->device, sizeof(event->device), "%s/%s", device->driver->plugin->kind,
             device->name);
    struct text text = text_in(event->text, sizeof(event->text));
    rule_write_text(&text, alarm->rule, alarm->rule->text,
                    &(struct rule_facts){.device = device->name,
                                         .room = trial->setup.config->rooms[0].title,
                                         .phase = alarm->phase,
                                         .value = alarm->value,
                                         .limit = alarm->limit});
}

static void use_rules(struct trial *trial)
{
    if (trial->rules != NULL) {
        trial->setup.config->rules.folder = trial->rules;
        trial->setup.config->rules.changes = ""; /* they are of other rules */
    }
}

/* A path that was given is seen from here, one of the configuration from its folder. */
static const char *seen_from(const struct trial *trial)
{
    return trial->rules != NULL ? "" : trial->config_file;
}

int trial_open(struct trial **out, const char *config_file, const char *rules, struct diag *diag)
{
    *out = NULL;
    struct trial *trial = calloc(1, sizeof(*trial));
    if (trial == NULL)
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    trial->config_file = config_file;
    trial->rules = rules;
    int code = setup_load_plugins(&trial->setup, config_file, diag);
    if (code == 0) {
        use_rules(trial);
        code = setup_load_rules(&trial->setup, seen_from(trial), diag);
        if (code != 0)
            setup_fini(&trial->setup);
    }
    if (code != 0) {
        free(trial);
        return code;
    }
    *out = trial;
    return 0;
}

void trial_close(struct trial *trial)
{
    if (trial == NULL)
        return;
    replay_destroy(trial->replay);
    setup_fini(&trial->setup);
    free(trial->events);
    free(trial);
}

/* Configuration and rules as they were read at first: a replay changes both. */
static int begin_anew(struct trial *trial, struct diag *diag)
{
    struct setup *setup = &trial->setup;
    struct config *config;
    struct rules *rules;
    replay_destroy(trial->replay);
    trial->replay = NULL;
    trial->count = 0;
    int code = setup_read_config(trial->config_file, &config, diag);
    if (code != 0)
        return code;
    config_destroy(setup->config);
    setup->config = config;
    use_rules(trial);
    code = setup_read_changed(seen_from(trial), config, &setup->drivers, setup->derive,
                              setup->changes, &rules, diag);
    if (code != 0)
        return code;
    rules_destroy(setup->rules);
    setup->rules = rules;
    if (trial->varied.rule != NULL)
        rules_vary(rules, trial->varied.rule, trial->varied.on_delay_ms, trial->varied.band);
    derive_clear(setup->derive);
    return 0;
}

int trial_run(struct trial *trial, struct tape_reader *reader, struct diag *diag)
{
    const struct replay_listener listener = {.user = trial, .on_alarm = on_alarm};
    int code = begin_anew(trial, diag);
    if (code == 0)
        code = replay_create(&trial->replay, &trial->setup, reader->header.room, &listener, diag);
    if (code != 0)
        return code;
    replay_run(trial->replay, reader);
    return trial->memory ? diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY)) : 0;
}

void trial_change(struct trial *trial, const struct rules_text *changes)
{
    trial->setup.changes = changes;
}

void trial_vary(struct trial *trial, const char *rule, int64_t on_delay_ms, double band)
{
    trial->varied.rule = rule;
    trial->varied.on_delay_ms = on_delay_ms;
    trial->varied.band = band;
}

const struct drivers *trial_drivers(const struct trial *trial)
{
    return &trial->setup.drivers;
}

const struct rules *trial_rules(const struct trial *trial)
{
    return trial->setup.rules;
}

const struct replay_counts *trial_counts(const struct trial *trial)
{
    return replay_counts(trial->replay);
}

const struct trial_event *trial_at(const struct trial *trial, size_t place)
{
    return place < trial->count ? &trial->events[place] : NULL;
}

int64_t trial_end_ms(const struct trial *trial, size_t place)
{
    const struct trial_event *raised = &trial->events[place];
    for (size_t i = place + 1; i < trial->count; i++)
        if (trial->events[i].rule == raised->rule && !trial->events[i].on &&
            strcmp(trial->events[i].device, raised->device) == 0)
            return trial->events[i].time_ms;
    int64_t last_ms = trial_counts(trial)->last_ms;
    return last_ms > raised->time_ms ? last_ms : raised->time_ms;
}

int64_t trial_stood_ms(const struct trial *trial, const struct rule *rule)
{
    int64_t stood_ms = 0;
    for (size_t i = 0; i < trial->count; i++)
        if (trial->events[i].rule == rule && trial->events[i].on)
            stood_ms += trial_end_ms(trial, i) - trial->events[i].time_ms;
    return stood_ms;
}

unsigned trial_raised(const struct trial *trial, const struct rule *rule)
{
    unsigned raised = 0;
    for (size_t i = 0; i < trial->count; i++)
        raised += trial->events[i].rule == rule && trial->events[i].on;
    return raised;
}
