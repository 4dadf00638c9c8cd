/* lumbarctl alarms history: what became of alarms. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarms.h"
#include "ask.h"
#include "base/clock.h"
#include "base/instant.h"
#include "base/text.h"
#include "ctl.h"
#include "when.h"

#define WEEK_MS INT64_C(604800000)
#define PAGE    100

static const char help[] =
    "usage: lumbarctl alarms history [--room NAME] [--rule NAME] [--from TIME] [--to TIME]\n"
    "                                [--limit N] [--json]\n"
    "\n"
    "One line an alarm, the newest first: number, priority, room, device, rule, when it was "
    "raised\n"
    "and for how long, the value that raised it and the worst since. Below it what became of it:\n"
    "acknowledged by whom, escalated, shelved, ended. TIME is as in lumbarctl history.\n"
    "\n" ASK_HELP_TEXT "  --room NAME     of this room only\n"
    "  --rule NAME     of this rule only\n"
    "  --from TIME     (default a week before --to)\n"
    "  --to TIME       (default now)\n"
    "  --limit N       so many at most, 1..10000 (default 100)\n";

struct wanted {
    struct ask ask;
    const char *room, *rule;
    int64_t from_ms, to_ms;
    long limit;
};

/* ---- what the hub says, in lines ---- */

static int64_t instant_of(const json_t *object, const char *name)
{
    int64_t ms;
    return instant_read(ask_string(object, name), &ms) ? ms : 0;
}

static void print_value(const json_t *alarm, const char *name, const char *words)
{
    const json_t *value = json_object_get(alarm, name);
    char buffer[64];
    struct text text = text_in(buffer, sizeof(buffer));
    if (!json_is_number(value))
        return;
    text_add_number(&text, json_number_value(value), 6);
    printf("%s%s %s", words, buffer, ask_string(alarm, "unit"));
}

static void print_transition(const json_t *transition)
{
    char at[WHEN_BYTES];
    const char *by = ask_string(transition, "by"), *why = ask_string(transition, "why");
    printf("        %s  %s%s%s%s%s\n", when_write(instant_of(transition, "at"), at),
           ask_string(transition, "what"), by[0] != '\0' ? " by " : "", by,
           why[0] != '\0' ? ": " : "", why);
}

static void print_alarm(const json_t *alarm)
{
    char at[WHEN_BYTES], span[ASK_TIME_BYTES];
    const json_t *list = json_object_get(alarm, "transitions");
    const char *room = ask_string(alarm, "room");
    int64_t raised_ms = instant_of(alarm, "raised"), ended_ms = instant_of(alarm, "ended");
    printf("%6lld  %-6s  %-12s  %-20s  %s  %s  ", ask_integer(alarm, "number"),
           ask_string(alarm, "priority"), room[0] != '\0' ? room : "-", ask_string(alarm, "device"),
           ask_string(alarm, "rule"), when_write(raised_ms, at));
    if (ended_ms != 0)
        printf("for %s", ask_span(ended_ms - raised_ms, span));
    else
        printf("stands (%s)", ask_string(alarm, "state"));
    print_value(alarm, "value", "  ");
    print_value(alarm, "worst", ", at worst ");
    printf("\n");
    for (size_t i = 1; i < json_array_size(list); i++) /* the first is that it was raised */
        print_transition(json_array_get(list, i));
}

/* ---- asking ---- */

/* A page behind this number; -1 behind the last one. */
static int add_page(const struct wanted *wanted, long long *before, json_t *all)
{
    char path[1200], from[INSTANT_BYTES], to[INSTANT_BYTES], name[400];
    struct text text = text_in(path, sizeof(path));
    long left = wanted->limit - (long)json_array_size(all);
    json_t *page;
    text_add(&text, "/api/v1/alarms/history?from=%s&to=%s&before=%lld&limit=%ld",
             instant_write(wanted->from_ms, from), instant_write(wanted->to_ms, to), *before,
             left < PAGE ? left : PAGE);
    if (wanted->room != NULL)
        text_add(&text, "&room=%s", ask_escape(wanted->room, name, sizeof(name)));
    if (wanted->rule != NULL)
        text_add(&text, "&rule=%s", ask_escape(wanted->rule, name, sizeof(name)));
    int code = ask_hub(&wanted->ask, "GET", path, NULL, &page);
    if (code != 0)
        return code;
    json_array_extend(all, json_object_get(page, "alarms"));
    const json_t *next = json_object_get(page, "next");
    *before = json_is_integer(next) ? json_integer_value(next) : -1;
    json_decref(page);
    return 0;
}

static int show(const struct wanted *wanted)
{
    json_t *all = json_array();
    long long before = 0;
    int code = 0;
    while (code == 0 && before >= 0 && (long)json_array_size(all) < wanted->limit)
        code = add_page(wanted, &before, all);
    if (code == 0 && !ask_printed(&wanted->ask, json_incref(all))) {
        for (size_t i = 0; i < json_array_size(all); i++)
            print_alarm(json_array_get(all, i));
        json_decref(all);
        if (before > 0)
            printf("There are older ones: --limit, or --to.\n");
    }
    json_decref(all);
    return code;
}

int alarms_history(int count, char **arguments)
{
    enum { ROOM = ASK_OTHER, RULE, FROM, TO, LIMIT };
    static const struct option options[] = {ASK_OPTIONS,
                                            {"room", required_argument, NULL, ROOM},
                                            {"rule", required_argument, NULL, RULE},
                                            {"from", required_argument, NULL, FROM},
                                            {"to", required_argument, NULL, TO},
                                            {"limit", required_argument, NULL, LIMIT},
                                            {NULL, 0, NULL, 0}};
    struct wanted wanted = {.ask = ASK_DEFAULT, .limit = 100};
    const char *from = NULL, *to = "now";
    char *end = NULL;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == ROOM)
            wanted.room = optarg;
        else if (c == RULE)
            wanted.rule = optarg;
        else if (c == FROM)
            from = optarg;
        else if (c == TO)
            to = optarg;
        else if (c == LIMIT)
            wanted.limit = strtol(optarg, &end, 10);
        else if (!ask_option(&wanted.ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    if (optind < count || (end != NULL && *end != '\0') || wanted.limit < 1 || wanted.limit > 10000)
        return ctl_usage(help, false);
    int64_t now_ms = clock_wall_ms();
    if (!when_read(to, now_ms, &wanted.to_ms))
        return CTL_ARGUMENTS;
    wanted.from_ms = wanted.to_ms - WEEK_MS;
    if (from != NULL && !when_read(from, now_ms, &wanted.from_ms))
        return CTL_ARGUMENTS;
    return show(&wanted);
}
