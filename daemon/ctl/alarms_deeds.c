/* lumbarctl alarms ack, unack, shelve, unshelve, reset: what is done with one alarm. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alarms.h"
#include "ask.h"
#include "base/text.h"
#include "ctl.h"

static const char help[] =
    "usage: lumbarctl alarms ack|unack|unshelve|reset NUMBER [--why TEXT] [--by NAME]\n"
    "       lumbarctl alarms shelve NUMBER --for TIME --why TEXT [--by NAME]\n"
    "\n"
    "ack       somebody knows, and it need not be told again\n"
    "unack     takes that back\n"
    "shelve    out of sight for a time (1 s .. 24 h); it returns by itself, unacknowledged\n"
    "unshelve  takes it back before its time: acknowledged\n"
    "reset     ends a latched alarm, whose cause is over\n"
    "\n"
    "The number is the one that `lumbarctl alarms list` shows. Done is what is on the hub's disk.\n"
    "\n" ASK_HELP_TEXT "  --why TEXT      the reason, kept with the alarm\n"
    "  --by NAME       who does it (default: who you are on this machine)\n"
    "  --for TIME      of a shelf: 90s, 15min, 2h\n";

static const char *own_name(void)
{
    const struct passwd *entry = getpwuid(getuid());
    return entry != NULL ? entry->pw_name : "lumbarctl";
}

struct wish {
    struct ask ask;
    const char *why, *by;
    int64_t shelf_ms;
};

/* 0: read; 1: help is asked for; -1: they are wrong. */
static int read_wish(int count, char **arguments, struct wish *wish)
{
    enum { WHY = ASK_OTHER, BY, FOR };
    static const struct option options[] = {
        ASK_OPTIONS,
        {"why", required_argument, NULL, WHY},
        {"by", required_argument, NULL, BY},
        {"for", required_argument, NULL, FOR},
        {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == WHY)
            wish->why = optarg;
        else if (c == BY)
            wish->by = optarg;
        else if (c == FOR && (!text_duration_ms(optarg, &wish->shelf_ms) || wish->shelf_ms < 1000))
            return -1;
        else if (c != FOR && !ask_option(&wish->ask, c))
            return c == ASK_HELP ? 1 : -1;
    }
    return 0;
}

int alarms_deed(int count, char **arguments)
{
    struct wish wish = {.ask = ASK_DEFAULT, .by = own_name()};
    const char *deed = arguments[0];
    bool shelves = strcmp(deed, "shelve") == 0;
    char path[128], number[32];
    json_t *answer;
    int code = read_wish(count, arguments, &wish);
    if (code != 0)
        return ctl_usage(help, code > 0);
    if (optind != count - 1 || shelves != (wish.shelf_ms != 0) || (shelves && wish.why == NULL))
        return ctl_usage(help, false);
    json_t *body = json_pack("{s:s, s:s*}", "by", wish.by, "why", wish.why);
    if (shelves)
        json_object_set_new(body, "seconds", json_integer(wish.shelf_ms / 1000));
    snprintf(path, sizeof(path), "/api/v1/alarms/%s/%s",
             ask_escape(arguments[optind], number, sizeof(number)), deed);
    code = ask_hub(&wish.ask, "POST", path, body, &answer);
    if (code != 0 || ask_printed(&wish.ask, answer))
        return code;
    alarms_print(answer);
    bool stored = json_is_true(json_object_get(answer, "stored"));
    if (!stored)
        fprintf(stderr, "lumbarctl: the hub did it, but its disk refuses: a restart forgets it\n");
    json_decref(answer);
    return stored ? 0 : CTL_FAILED;
}
