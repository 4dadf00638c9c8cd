#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ctl.h"
#include "io/tape_folder.h"
#include "publish.h"
#include "recording.h"
#include "replay.h"

static const char help[] =
    "usage: lumbarctl recording replay [--config FILE] [--folder FOLDER] [--rules FOLDER] NAME\n"
    "\n"
    "Sends a recording through the hub's own pipeline, at full speed: the plugins and rules that\n"
    "the configuration names, in the recording's time. Prints every alarm raised and ended, then\n"
    "what was decoded of each metric. Times are UTC. The exit code is 1 where the recording is "
    "not\n"
    "whole. A hub that runs is not touched.\n"
    "\n"
    "  --config FILE    the hub's configuration, which names folder, plugins and rules\n"
    "                   (default " LUMBAR_CONFIG_FILE ")\n"
    "  --folder FOLDER  where recordings are\n"
    "  --rules FOLDER   other rules than the configuration's; \"\" for none\n"
    "  --json           an object a line, for programs\n"
    "\n"
    "       lumbarctl recording replay --mqtt HOST:PORT [--speed N] [--folder FOLDER] NAME\n"
    "\n"
    "Publishes the messages to a broker instead, with QoS 1. A hub that has heard these devices\n"
    "before knows them as repeats: give it to one that has not.\n"
    "\n"
    "  --speed N        times as quick as it was (1); 0: as quickly as the broker confirms\n";

static const char *const priorities[] = {"", "low", "medium", "high"};

enum { RULES = RECORDING_OTHER, BROKER, SPEED };

struct wanted {
    struct recording_place place;
    const char *rules, *broker; /* NULL: not said */
    double speed;
};

struct told {
    const char *room;
    uint64_t refusals;
    bool json;
};

#define REFUSALS_TOLD 10

static void on_alarm(void *user, const struct alarm *alarm, const struct device *device)
{
    struct told *told = user;
    const struct rule *rule = alarm->rule;
    char date[RECORDING_DATE_BYTES], sentence[320];
    struct text text = text_in(sentence, sizeof(sentence));
    rule_write_text(&text, rule, rule->text,
                    &(struct rule_facts){.device = device->name,
                                         .room = told->room,
                                         .phase = alarm->phase,
                                         .value = alarm->value,
                                         .limit = alarm->limit});
    const char *kind = device->driver->plugin->kind;
    if (told->json) {
        ctl_print_line(json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s}", "what", "alarm", "at",
                                 recording_date(alarm->deed_ms, date), "presence",
                                 alarm->deed == DEED_RAISE ? "on" : "off", "priority",
                                 priorities[rule->priority], "device",
                                 json_sprintf("%s/%s", kind, device->name), "rule", rule->name,
                                 "text", sentence));
        return;
    }
    printf("%s  %s  %s  %s/%s  %s  %s\n", recording_date(alarm->deed_ms, date),
           alarm->deed == DEED_RAISE ? "raised" : "ended ", priorities[rule->priority], kind,
           device->name, rule->name, sentence);
}

static void on_refused(void *user, int64_t time_ms, const char *topic, size_t topic_bytes,
                       const char *reason)
{
    struct told *told = user;
    char date[RECORDING_DATE_BYTES];
    if (++told->refusals > REFUSALS_TOLD)
        return;
    if (told->json)
        ctl_print_line(json_pack("{s:s, s:s, s:o, s:s}", "what", "refused", "at",
                                 recording_date(time_ms, date), "topic",
                                 json_stringn(topic, topic_bytes), "why", reason));
    else
        printf("%s  refused  %.*s: %s\n", recording_date(time_ms, date), (int)topic_bytes, topic,
               reason);
}

static void on_gap(void *user, const struct tape_block *gap)
{
    char first[RECORDING_DATE_BYTES], last[RECORDING_DATE_BYTES];
    const struct told *told = user;
    if (told->json) {
        ctl_print_line(json_pack("{s:s, s:s, s:s, s:i}", "what", "gap", "from",
                                 recording_date(gap->first_ms, first), "to",
                                 recording_date(gap->last_ms, last), "messages", (int)gap->count));
        return;
    }
    printf("%s  gap  up to %s, ", recording_date(gap->first_ms, first),
           recording_date(gap->last_ms, last));
    if (gap->count > 0)
        printf("%u messages were not recorded\n", gap->count);
    else
        printf("what was not recorded is not known\n");
}

static void on_damage(void *user, const struct tape_part *part)
{
    (void)user;
    fprintf(stderr, "lumbarctl: %zu bytes at %zu are passed over: %s\n", part->bytes, part->offset,
            part->why);
}

/* The same as lines below say, in objects. */
static void print_json(const struct replay *replay, int64_t took_ns)
{
    const struct replay_counts *counts = replay_counts(replay);
    const struct replay_series *series;
    char first[RECORDING_DATE_BYTES], last[RECORDING_DATE_BYTES];
    for (size_t i = 0; (series = replay_series_at(replay, i)) != NULL; i++)
        if (series->samples > 0)
            ctl_print_line(json_pack(
                "{s:s, s:o, s:s, s:I, s:s, s:s}", "what", "series", "device",
                json_sprintf("%s/%s", series->device->driver->plugin->kind, series->device->name),
                "metric", series->metric->name, "samples", (json_int_t)series->samples, "first",
                recording_date(series->first_ms, first), "last",
                recording_date(series->last_ms, last)));
    ctl_print_line(
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:f}", "what", "end",
                  "messages", (json_int_t)counts->messages, "used", (json_int_t)counts->used,
                  "repeated", (json_int_t)counts->repeated, "refused", (json_int_t)counts->refused,
                  "samples", (json_int_t)counts->samples, "lost", (json_int_t)counts->lost,
                  "raised", (json_int_t)counts->raised, "ended", (json_int_t)counts->ended,
                  "standing", (int)replay_standing(replay), "took_s", (double)took_ns / 1e9));
}

static void print_devices(const struct replay *replay)
{
    const struct device *device;
    for (uint32_t id = 1; (device = replay_device(replay, id)) != NULL; id++)
        printf("%s/%s  %llu messages, %llu lost, %llu repeated, %llu late, %llu starts\n",
               device->driver->plugin->kind, device->name, (unsigned long long)device->messages,
               (unsigned long long)device->lost, (unsigned long long)device->duplicates,
               (unsigned long long)device->late, (unsigned long long)device->boots);
}

static void print_series(const struct replay *replay)
{
    const struct replay_series *series;
    char first[RECORDING_DATE_BYTES], last[RECORDING_DATE_BYTES];
    for (size_t i = 0; (series = replay_series_at(replay, i)) != NULL; i++)
        if (series->samples > 0)
            printf("%s/%s  %-26s  %10llu samples  %s .. %s\n", series->device->driver->plugin->kind,
                   series->device->name, series->metric->name, (unsigned long long)series->samples,
                   recording_date(series->first_ms, first), recording_date(series->last_ms, last));
}

static void print_end(const struct replay *replay, int64_t took_ns)
{
    const struct replay_counts *counts = replay_counts(replay);
    double seconds = (double)(counts->last_ms - counts->first_ms) / 1000;
    double took_s = (double)took_ns / 1e9;
    printf("%llu messages: %llu used, %llu repeated, %llu refused; %llu samples\n",
           (unsigned long long)counts->messages, (unsigned long long)counts->used,
           (unsigned long long)counts->repeated, (unsigned long long)counts->refused,
           (unsigned long long)counts->samples);
    if (counts->lost > 0)
        printf("%llu messages at least were not recorded\n", (unsigned long long)counts->lost);
    printf("%llu alarms raised, %llu ended, %u stand\n", (unsigned long long)counts->raised,
           (unsigned long long)counts->ended, replay_standing(replay));
    printf("%.1f s replayed in %.3f s, %.0f x real time\n", seconds, took_s,
           took_s > 0 ? seconds / took_s : 0);
}

static int replay_it(struct setup *setup, struct tape_reader *reader, bool json, struct diag *diag)
{
    struct told told = {.room = reader->header.room, .json = json};
    const struct replay_listener listener = {.user = &told,
                                             .on_alarm = on_alarm,
                                             .on_refused = on_refused,
                                             .on_gap = on_gap,
                                             .on_damage = on_damage};
    struct replay *replay;
    char date[RECORDING_DATE_BYTES];
    int code = replay_create(&replay, setup, reader->header.room, &listener, diag);
    if (code != 0)
        return code;
    told.room = setup->config->rooms[0].title;
    if (!json)
        printf("room %s, session %llu, recorded by lumbard %s from %s on; %u rules\n",
               reader->header.room, (unsigned long long)reader->header.session,
               reader->header.version,
               recording_date(tape_moved_ms(&reader->moves, 0, reader->header.start_ms), date),
               rules_written(setup->rules));
    int64_t began_ns = clock_mono_ns();
    replay_run(replay, reader);
    int64_t took_ns = clock_mono_ns() - began_ns;
    if (json) {
        print_json(replay, took_ns);
    } else {
        print_devices(replay);
        print_series(replay);
        print_end(replay, took_ns);
    }
    code = replay_counts(replay)->damaged_bytes > 0 ? 1 : 0;
    replay_destroy(replay);
    return code;
}

static int load_setup(struct setup *setup, const char *config, const char *rules, struct diag *diag)
{
    if (rules == NULL)
        return setup_load(setup, config, diag);
    int code = setup_load_plugins(setup, config, diag);
    if (code != 0)
        return code;
    setup->config->rules.folder = rules;
    setup->config->rules.changes = ""; /* they are of other rules */
    /* As seen from here, not from the configuration's folder. */
    code = setup_load_rules(setup, "", diag);
    if (code != 0)
        setup_fini(setup);
    return code;
}

static int publish_it(struct tape_reader *reader, const char *broker, double speed, bool json,
                      struct diag *diag)
{
    struct publish_result result;
    int code = publish_tape(reader, broker, speed, &result, diag);
    if (json)
        ctl_print_line(json_pack("{s:s, s:s, s:I}", "what", "published", "broker", broker,
                                 "messages", (json_int_t)result.messages));
    else
        printf("%llu messages were published to %s\n", (unsigned long long)result.messages, broker);
    return code == 0 && result.damaged_bytes > 0 ? 1 : code;
}

static int play_it(const struct wanted *wanted, struct tape_reader *reader, struct diag *diag)
{
    struct setup setup;
    if (wanted->broker != NULL)
        return publish_it(reader, wanted->broker, wanted->speed, wanted->place.json, diag);
    int code = load_setup(&setup, wanted->place.config, wanted->rules, diag);
    if (code == 0) {
        code = replay_it(&setup, reader, wanted->place.json, diag);
        setup_fini(&setup);
    }
    return code;
}

/* False: help is to be shown. */
static bool take_option(struct wanted *wanted, int option, const char *value)
{
    char *end;
    switch (option) {
    case RECORDING_CONFIG:
    case RECORDING_FOLDER:
    case RECORDING_JSON:
        return recording_option(&wanted->place, option);
    case RULES:
        wanted->rules = value;
        return true;
    case BROKER:
        wanted->broker = value;
        return true;
    case SPEED:
        wanted->speed = strtod(value, &end);
        return *value != '\0' && *end == '\0' && wanted->speed >= 0;
    default:
        return false;
    }
}

int recording_replay(int count, char **arguments)
{
    static const struct option options[] = {RECORDING_OPTIONS,
                                            {"rules", required_argument, NULL, RULES},
                                            {"mqtt", required_argument, NULL, BROKER},
                                            {"speed", required_argument, NULL, SPEED},
                                            {NULL, 0, NULL, 0}};
    struct wanted wanted = {.place = {.config = LUMBAR_CONFIG_FILE}, .speed = 1};
    struct diag diag = {0};
    struct tape_reader reader;
    uint8_t *bytes;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;)
        if (!take_option(&wanted, c, optarg))
            return ctl_usage(help, c == RECORDING_HELP);
    if (optind + 1 != count)
        return ctl_usage(help, false);
    if (recording_load(&wanted.place, arguments[optind], &reader, &bytes, &diag) != 0)
        return ctl_complain(&diag);
    int code = play_it(&wanted, &reader, &diag);
    free(bytes);
    return code < 0 ? ctl_complain(&diag) : code;
}
