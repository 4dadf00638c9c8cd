/* lumbarctl alarms: what stands. */
#include "alarms.h"

#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "ctl.h"

static const char list_help[] =
    "usage: lumbarctl alarms list [--room NAME] [--over] [--json]\n"
    "\n"
    "One line an alarm that stands: number, priority, state, room, device, since when, what it "
    "says.\n"
    "Then what rules would raise, if they were armed: suppressed, and when they are not.\n"
    "\n" ASK_HELP_TEXT "  --room NAME     of this room only\n"
    "  --over          those that are over, too, as far as the hub remembers them\n";

/* "on, low, bent ..., shelved until 14:05" */
void alarms_print(const json_t *alarm)
{
    char time[ASK_TIME_BYTES], until[ASK_TIME_BYTES];
    const char *room = ask_string(alarm, "room");
    printf("%6lld  %-6s  %-11s  %-12s  %-20s  %s  %s", ask_integer(alarm, "number"),
           ask_string(alarm, "priority"), ask_string(alarm, "state"), room[0] != '\0' ? room : "-",
           ask_string(alarm, "device"), ask_time(alarm, "raised", time), ask_string(alarm, "text"));
    const json_t *acked = json_object_get(alarm, "acknowledged");
    const json_t *shelved = json_object_get(alarm, "shelved");
    if (acked != NULL)
        printf("  [acknowledged by %s]", ask_string(acked, "by"));
    if (shelved != NULL)
        printf("  [shelved until %s by %s: %s]", ask_time(shelved, "until", until),
               ask_string(shelved, "by"), ask_string(shelved, "why"));
    if (ask_integer(alarm, "hides") > 0)
        printf("  [%lld behind it]", ask_integer(alarm, "hides"));
    if (ask_string(alarm, "behind")[0] != '\0')
        printf("  [behind %s]", ask_string(alarm, "behind"));
    printf("\n");
}

/* It has no number: there is nothing to be done about it. */
static void print_suppressed(const json_t *entry)
{
    char time[ASK_TIME_BYTES];
    const char *room = ask_string(entry, "room"), *phase = ask_string(entry, "phase");
    printf("%6s  %-6s  %-11s  %-12s  %-20s  %s  %s  [not told %s]\n", "-",
           ask_string(entry, "priority"), "suppressed", room[0] != '\0' ? room : "-",
           ask_string(entry, "device"), ask_time(entry, "since", time), ask_string(entry, "text"),
           json_is_string(json_object_get(entry, "phase"))
               ? phase[0] != '\0' ? phase : "between phases"
               : "outside of sessions");
}

/* A page of the list; -1 behind the last one. */
static int list_page(const struct ask *ask, const char *query, long long *after, json_t *all,
                     json_t **suppressed)
{
    char path[640];
    json_t *page;
    snprintf(path, sizeof(path), "/api/v1/alarms?after=%lld%s", *after, query);
    int code = ask_hub(ask, "GET", path, NULL, &page);
    if (code != 0)
        return code;
    json_array_extend(all, json_object_get(page, "alarms"));
    json_decref(*suppressed);
    *suppressed = json_incref(json_object_get(page, "suppressed"));
    const json_t *next = json_object_get(page, "next");
    *after = json_is_integer(next) ? json_integer_value(next) : -1;
    json_decref(page);
    return 0;
}

static int list_alarms(int count, char **arguments)
{
    enum { ROOM = ASK_OTHER, OVER };
    static const struct option options[] = {ASK_OPTIONS,
                                            {"room", required_argument, NULL, ROOM},
                                            {"over", no_argument, NULL, OVER},
                                            {NULL, 0, NULL, 0}};
    struct ask ask = ASK_DEFAULT;
    char query[512] = "", room[384];
    long long after = 0;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        size_t have = strlen(query);
        if (c == ROOM)
            snprintf(query + have, sizeof(query) - have, "&room=%s",
                     ask_escape(optarg, room, sizeof(room)));
        else if (c == OVER)
            snprintf(query + have, sizeof(query) - have, "&over=1");
        else if (!ask_option(&ask, c))
            return ctl_usage(list_help, c == ASK_HELP);
    }
    if (optind < count)
        return ctl_usage(list_help, false);
    json_t *all = json_array(), *suppressed = NULL;
    int code = 0;
    while (code == 0 && after >= 0)
        code = list_page(&ask, query, &after, all, &suppressed);
    if (code == 0 && !ask.json)
        for (size_t i = 0; i < json_array_size(all); i++)
            alarms_print(json_array_get(all, i));
    else if (code == 0)
        ask_printed(&ask, json_incref(all));
    for (size_t i = 0; code == 0 && !ask.json && i < json_array_size(suppressed); i++)
        print_suppressed(json_array_get(suppressed, i));
    json_decref(all);
    json_decref(suppressed);
    return code;
}

static const struct ctl_command commands[] = {
    {"list", "[--room NAME] [--over]", "the alarms that stand or are shelved", list_alarms},
    {"history", "[--room NAME] [--rule NAME] [--from TIME] [--to TIME]", "what became of them",
     alarms_history},
    {"load", "[--from TIME] [--to TIME] [--halve]", "whether people can keep up with them",
     alarms_load},
    {"ack", "NUMBER [--why TEXT]", "somebody knows of it", alarms_deed},
    {"unack", "NUMBER [--why TEXT]", "takes that back", alarms_deed},
    {"shelve", "NUMBER --for TIME --why TEXT", "out of sight for a time", alarms_deed},
    {"unshelve", "NUMBER [--why TEXT]", "back before its time", alarms_deed},
    {"reset", "NUMBER [--why TEXT]", "ends what is latched", alarms_deed},
    {"silence", "ROOM --for TIME", "audio paused: no sound for the room", alarms_pause},
    {"pause", "ROOM --for TIME", "alarm paused: the room calls nobody", alarms_pause},
    {"resume", "ROOM", "ends both", alarms_pause},
};

int ctl_alarms(int count, char **arguments)
{
    return ctl_run("lumbarctl alarms", commands, sizeof(commands) / sizeof(commands[0]), count,
                   arguments);
}
