/* lumbarctl rules try: other rules on recordings, beside the present ones. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ctl.h"
#include "io/tape_folder.h"
#include "recording.h"
#include "rules.h"
#include "trial.h"

static const char help[] =
    "usage: lumbarctl rules try RULES [--config FILE] [--folder FOLDER]\n"
    "                           --recording NAME ... | --session ID | --all\n"
    "\n"
    "Judges recordings by the rules of the file or folder RULES, and by those of the "
    "configuration:\n"
    "what would have been raised and ended, and when, beside what the present rules raise. All "
    "goes\n"
    "through the hub's own pipeline, in the recording's time, with its sessions. Times are UTC. A\n"
    "hub that runs is not touched. What the page changed of the present rules changes none of "
    "RULES.\n"
    "The exit code is 1 where a recording is not whole.\n"
    "\n"
    "  =  both    -  the present rules only    +  RULES only\n"
    "\n"
    "  --config FILE     the hub's configuration, which names plugins, rules and folder\n"
    "                    (default " LUMBAR_CONFIG_FILE ")\n"
    "  --folder FOLDER   where recordings are\n"
    "  --recording NAME  one of them, or a file; more may follow\n"
    "  --session ID      all of this session\n"
    "  --all             all of the folder\n"
    "  --changes         only what is not the same\n"
    "  --json            an object a line, for programs\n";

enum { RECORDINGS = RECORDING_OTHER, SESSION, ALL, CHANGES };
enum { PRESENT, TRIED, SIDES };

/* What is wanted, and how it goes. */
struct trying {
    struct recording_place place;
    const char *rules;
    uint64_t session;
    bool all, changes;
    struct trial *sides[SIDES];
    uint64_t recordings, damaged_bytes;
    int64_t judged_ms, took_ns;
    unsigned same, gone, fresh; /* alarms raised */
};

/* ---- one recording ---- */

static const char *const priorities[] = {"", "low", "medium", "high"};

static bool is_same(const struct trial_event *a, const struct trial_event *b)
{
    return a->time_ms == b->time_ms && a->on == b->on && strcmp(a->device, b->device) == 0 &&
           strcmp(a->rule->name, b->rule->name) == 0;
}

static void print_event(struct trying *trying, char mark, const struct trial_event *event)
{
    char date[RECORDING_DATE_BYTES];
    if (event->on)
        ++*(mark == '=' ? &trying->same : mark == '-' ? &trying->gone : &trying->fresh);
    if (mark == '=' && trying->changes)
        return;
    if (trying->place.json)
        ctl_print_line(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "what", "alarm", "by",
                                 mark == '='   ? "both"
                                 : mark == '-' ? "present"
                                               : "tried",
                                 "at", recording_date(event->time_ms, date), "presence",
                                 event->on ? "on" : "off", "priority",
                                 priorities[event->rule->priority], "device", event->device, "rule",
                                 event->rule->name, "text", event->text));
    else
        printf("%c  %s  %s  %-6s  %s  %s  %s\n", mark, recording_date(event->time_ms, date),
               event->on ? "raised" : "ended ", priorities[event->rule->priority], event->device,
               event->rule->name, event->text);
}

/* Is there, further on and at the same time, what is the same as this? Its place, or 0. */
static size_t find_same(const struct trial *trial, size_t from, const struct trial_event *event,
                        const bool *taken)
{
    const struct trial_event *at;
    for (size_t i = from; (at = trial_at(trial, i)) != NULL && at->time_ms == event->time_ms; i++)
        if (!taken[i] && is_same(at, event))
            return i + 1;
    return 0;
}

/* Both lists by time; what is in both stands once. */
static int print_events(struct trying *trying, struct diag *diag)
{
    const struct trial *present = trying->sides[PRESENT], *tried = trying->sides[TRIED];
    size_t count = 0, i = 0, j = 0;
    while (trial_at(tried, count) != NULL)
        count++;
    bool *taken = calloc(count + 1, sizeof(*taken));
    if (taken == NULL)
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    for (;;) {
        const struct trial_event *a = trial_at(present, i), *b = trial_at(tried, j);
        if (a == NULL && b == NULL)
            break;
        if (b != NULL && taken[j]) {
            j++;
        } else if (a == NULL || (b != NULL && b->time_ms < a->time_ms)) {
            print_event(trying, '+', b);
            j++;
        } else {
            size_t same = find_same(tried, j, a, taken);
            if (same != 0)
                taken[same - 1] = true;
            print_event(trying, same != 0 ? '=' : '-', a);
            i++;
        }
    }
    free(taken);
    return 0;
}

static int judge(struct trying *trying, const struct tape_reader *reader, struct diag *diag)
{
    int64_t began_ns = clock_mono_ns();
    for (int side = 0; side < SIDES; side++) {
        struct tape_reader own = *reader;
        int code = trial_run(trying->sides[side], &own, diag);
        if (code != 0)
            return code;
    }
    const struct replay_counts *counts = trial_counts(trying->sides[TRIED]);
    trying->took_ns += clock_mono_ns() - began_ns;
    trying->judged_ms += counts->last_ms - counts->first_ms;
    trying->damaged_bytes += counts->damaged_bytes;
    trying->recordings++;
    if (counts->damaged_bytes > 0 && !trying->place.json)
        printf("%llu bytes are damaged, and passed over\n",
               (unsigned long long)counts->damaged_bytes);
    return print_events(trying, diag);
}

/* ---- what came of it, rule by rule ---- */

static void print_side(const struct trial *trial, const char *rule)
{
    const struct rule *of = rules_find(trial_rules(trial), rule);
    if (of == NULL)
        printf("  %6s  %9s", "-", "-");
    else
        printf("  %6u  %7.0f s", trial_raised(trial, of), (double)trial_stood_ms(trial, of) / 1000);
}

static bool was_raised(const struct trial *trial, const char *rule)
{
    const struct rule *of = rules_find(trial_rules(trial), rule);
    return of != NULL && trial_raised(trial, of) > 0;
}

static void print_rules(const struct trying *trying)
{
    const struct trial *present = trying->sides[PRESENT], *tried = trying->sides[TRIED];
    if (trying->place.json)
        return;
    const struct trial *const both[SIDES] = {present, tried};
    printf("%-28s  present          RULES\n%-28s  raised      stood  raised      stood\n", "", "");
    for (int side = 0; side < SIDES; side++)
        for (uint32_t i = 0; i < rules_count(trial_rules(both[side])); i++) {
            const char *name = rules_at(trial_rules(both[side]), i)->name;
            if (side == TRIED && rules_find(trial_rules(present), name) != NULL)
                continue;
            if (!was_raised(present, name) && !was_raised(tried, name))
                continue;
            printf("%-28s", name);
            print_side(present, name);
            print_side(tried, name);
            putchar('\n');
        }
}

static int try_recording(struct trying *trying, const char *name, struct diag *diag)
{
    struct tape_reader reader;
    uint8_t *bytes;
    char date[RECORDING_DATE_BYTES];
    int code = recording_load(&trying->place, name, &reader, &bytes, diag);
    if (code != 0)
        return code;
    if (trying->session == 0 || reader.header.session == trying->session) {
        if (!trying->place.json)
            printf("%s: room %s, session %llu, from %s on\n", name, reader.header.room,
                   (unsigned long long)reader.header.session,
                   recording_date(tape_moved_ms(&reader.moves, 0, reader.header.start_ms), date));
        code = judge(trying, &reader, diag);
        if (code == 0)
            print_rules(trying);
    }
    free(bytes);
    return code;
}

static int try_folder(struct trying *trying, struct diag *diag)
{
    struct tape_name *list;
    size_t count;
    const char *folder = recording_folder(&trying->place, diag);
    int code = folder != NULL ? tape_folder_list(folder, &list, &count, diag) : diag->code;
    if (code != 0)
        return code;
    for (size_t i = 0; i < count && code == 0; i++) {
        char path[PATH_MAX + TAPE_NAME_BYTES];
        snprintf(path, sizeof(path), "%s/%s", folder, list[i].file);
        code = try_recording(trying, path, diag);
    }
    free(list);
    if (code == 0 && trying->recordings == 0)
        code = diag_set(diag, ERR_UNKNOWN, "%s has no recording%s", folder,
                        trying->session != 0 ? " of this session" : "");
    return code;
}

static int try_all(struct trying *trying, char **names, size_t count, struct diag *diag)
{
    int code = trial_open(&trying->sides[PRESENT], trying->place.config, NULL, diag);
    if (code == 0)
        code = trial_open(&trying->sides[TRIED], trying->place.config, trying->rules, diag);
    for (size_t i = 0; i < count && code == 0; i++)
        code = try_recording(trying, names[i], diag);
    if (code == 0 && count == 0)
        code = try_folder(trying, diag);
    trial_close(trying->sides[PRESENT]);
    trial_close(trying->sides[TRIED]);
    if (code != 0)
        return code;
    double seconds = (double)trying->judged_ms / 1000, took_s = (double)trying->took_ns / 1e9;
    if (trying->place.json) {
        ctl_print_line(json_pack("{s:s, s:i, s:i, s:i, s:f, s:I, s:f, s:I}", "what", "end", "both",
                                 (int)trying->same, "present", (int)trying->gone, "tried",
                                 (int)trying->fresh, "judged_s", seconds, "recordings",
                                 (json_int_t)trying->recordings, "took_s", took_s, "damaged_bytes",
                                 (json_int_t)trying->damaged_bytes));
        return trying->damaged_bytes > 0 ? CTL_FAILED : 0;
    }
    printf("alarms raised: %u by both, %u by the present rules only, %u by RULES only\n",
           trying->same, trying->gone, trying->fresh);
    printf("%.1f s of %llu recordings judged twice in %.3f s, %.0f x real time\n", seconds,
           (unsigned long long)trying->recordings, took_s, took_s > 0 ? seconds / took_s : 0);
    return trying->damaged_bytes > 0 ? CTL_FAILED : 0;
}

/* ---- arguments ---- */

/* False: help is to be shown. */
static bool take_option(struct trying *trying, int option, const char *value)
{
    char *end;
    switch (option) {
    case RECORDING_CONFIG:
    case RECORDING_FOLDER:
    case RECORDING_JSON:
        return recording_option(&trying->place, option);
    case SESSION:
        trying->session = strtoull(value, &end, 10);
        return *value != '\0' && *value != '-' && *end == '\0' && trying->session > 0;
    case ALL:
        trying->all = true;
        return true;
    case CHANGES:
        trying->changes = true;
        return true;
    default:
        return false;
    }
}

int rules_try(int count, char **arguments)
{
    static const struct option options[] = {RECORDING_OPTIONS,
                                            {"recording", required_argument, NULL, RECORDINGS},
                                            {"session", required_argument, NULL, SESSION},
                                            {"all", no_argument, NULL, ALL},
                                            {"changes", no_argument, NULL, CHANGES},
                                            {NULL, 0, NULL, 0}};
    struct trying trying = {.place = {.config = LUMBAR_CONFIG_FILE}};
    struct diag diag = {0};
    char **names = calloc((size_t)count + 1, sizeof(*names));
    size_t named = 0;
    int code = names != NULL ? 0 : CTL_FAILED;
    for (int c; code == 0 && (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == RECORDINGS)
            names[named++] = optarg;
        else if (!take_option(&trying, c, optarg))
            code = ctl_usage(help, c == RECORDING_HELP) == 0 ? -1 : CTL_ARGUMENTS;
    }
    if (code == 0 && optind < count)
        trying.rules = arguments[optind++];
    while (code == 0 && named > 0 && optind < count)
        names[named++] = arguments[optind++];
    if (code == 0 && (trying.rules == NULL || optind < count ||
                      (named > 0) + (trying.session > 0) + trying.all != 1))
        code = ctl_usage(help, false);
    if (code == 0)
        code = try_all(&trying, names, named, &diag);
    free(names);
    return diag.code != 0 ? ctl_complain(&diag) : code < 0 ? 0 : code;
}
