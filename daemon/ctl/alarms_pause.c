/* lumbarctl alarms silence, pause, resume: a room that calls nobody for a time. */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alarms.h"
#include "ask.h"
#include "base/text.h"
#include "ctl.h"

static const char help[] =
    "usage: lumbarctl alarms silence|pause ROOM --for TIME [--by NAME]\n"
    "       lumbarctl alarms resume ROOM [--by NAME]\n"
    "\n"
    "silence  audio paused: no screen makes a sound for the room, until an alarm begins there\n"
    "pause    alarm paused: its alarms are shown, and call nobody at all\n"
    "resume   ends both\n"
    "\n"
    "It ends by itself. That an alarm is acknowledged is something else: see `ack`.\n"
    "\n" ASK_HELP_TEXT "  --for TIME      so long: 30s, 2min (10 min at most)\n"
    "  --by NAME       who does it (default: who you are on this machine)\n";

struct wish {
    struct ask ask;
    const char *by;
    int64_t ms;
};

/* 0: read; 1: help is asked for; -1: they are wrong. */
static int read_wish(int count, char **arguments, struct wish *wish)
{
    enum { FOR = ASK_OTHER, BY };
    static const struct option options[] = {
        ASK_OPTIONS,
        {"for", required_argument, NULL, FOR},
        {"by", required_argument, NULL, BY},
        {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == BY)
            wish->by = optarg;
        else if (c == FOR && (!text_duration_ms(optarg, &wish->ms) || wish->ms < 1000))
            return -1;
        else if (c != FOR && !ask_option(&wish->ask, c))
            return c == ASK_HELP ? 1 : -1;
    }
    return 0;
}

static void print_pause(const json_t *answer, const char *what, const char *words)
{
    char until[ASK_TIME_BYTES];
    const json_t *pause = json_object_get(json_object_get(answer, "paused"), what);
    if (pause != NULL)
        printf("%s: %s until %s by %s\n", ask_string(answer, "room"), words,
               ask_time(pause, "until", until), ask_string(pause, "by"));
}

static int order(const struct wish *wish, const char *room, const char *deed, const char *what,
                 bool last)
{
    char path[512], name[384];
    json_t *answer;
    json_t *body = json_pack("{s:s, s:s}", "what", what, "by", wish->by);
    if (strcmp(deed, "pause") == 0)
        json_object_set_new(body, "seconds", json_integer(wish->ms / 1000));
    snprintf(path, sizeof(path), "/api/v1/rooms/%s/%s", ask_escape(room, name, sizeof(name)), deed);
    int code = ask_hub(&wish->ask, "POST", path, body, &answer);
    if (code != 0)
        return code;
    if (!last || ask_printed(&wish->ask, answer)) {
        if (!last)
            json_decref(answer);
        return 0;
    }
    print_pause(answer, "audio", "audio paused");
    print_pause(answer, "alarm", "alarms paused");
    json_decref(answer);
    return 0;
}

/* What is not paused need not be resumed. */
static int resume(const struct wish *wish, const char *room)
{
    json_t *rooms = NULL;
    int code = ask_hub(&wish->ask, "GET", "/api/v1/rooms", NULL, &rooms), ended = 0;
    const json_t *list = code == 0 ? json_object_get(rooms, "rooms") : NULL;
    for (size_t i = 0; i < json_array_size(list) && code == 0; i++) {
        const json_t *at = json_array_get(list, i), *paused = json_object_get(at, "paused");
        if (strcmp(ask_string(at, "name"), room) != 0)
            continue;
        for (void *each = json_object_iter((json_t *)(uintptr_t)paused); each != NULL && code == 0;
             each = json_object_iter_next((json_t *)(uintptr_t)paused, each), ended++)
            code = order(wish, room, "resume", json_object_iter_key(each), false);
    }
    json_decref(rooms);
    if (code == 0 && ended > 0 && wish->ask.json)
        ctl_print_line(json_pack("{s:s, s:i}", "room", room, "resumed", ended));
    if (code == 0 && ended == 0) {
        fprintf(stderr, "lumbarctl: nothing is paused in '%s'\n", room);
        return CTL_FAILED;
    }
    return code;
}

int alarms_pause(int count, char **arguments)
{
    const struct passwd *entry = getpwuid(getuid());
    struct wish wish = {.ask = ASK_DEFAULT, .by = entry != NULL ? entry->pw_name : "lumbarctl"};
    const char *deed = arguments[0];
    bool resumes = strcmp(deed, "resume") == 0;
    int code = read_wish(count, arguments, &wish);
    if (code != 0)
        return ctl_usage(help, code > 0);
    if (optind != count - 1 || resumes != (wish.ms == 0))
        return ctl_usage(help, false);
    if (resumes)
        return resume(&wish, arguments[optind]);
    return order(&wish, arguments[optind], "pause",
                 strcmp(deed, "silence") == 0 ? "audio" : "alarm", true);
}
