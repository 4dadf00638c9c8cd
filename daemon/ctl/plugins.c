/* lumbarctl plugins: which kinds of device the hub understands. */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "ctl.h"

static const char help[] =
    "usage: lumbarctl plugins list [--json]\n"
    "       lumbarctl plugins enable KIND [--json]\n"
    "\n"
    "list     one line a plugin: kind, version, metrics, how often it killed the hub\n"
    "enable   uses one again that was left out, for it killed the hub twice\n"
    "\n"
    "Exit code of list: 1 where one is left out.\n"
    "\n" ASK_HELP_TEXT;

static int list(const struct ask *ask)
{
    json_t *answer;
    int code = ask_hub(ask, "GET", "/api/v1/plugins", NULL, &answer);
    if (code != 0)
        return code;
    const json_t *all = json_object_get(answer, "plugins");
    for (size_t i = 0; i < json_array_size(all); i++)
        if (json_is_true(json_object_get(json_array_get(all, i), "left_out")))
            code = CTL_FAILED;
    if (ask_printed(ask, answer))
        return code;
    printf("%-16s %-12s %7s %7s  TITLE\n", "KIND", "VERSION", "METRICS", "CRASHES");
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i);
        printf("%-16s %-12s %7lld %7lld  %s%s\n", ask_string(one, "kind"),
               ask_string(one, "version"), ask_integer(one, "metrics"), ask_integer(one, "crashes"),
               ask_string(one, "title"),
               json_is_true(json_object_get(one, "left_out")) ? ", LEFT OUT" : "");
    }
    json_decref(answer);
    return code;
}

static int enable(const struct ask *ask, const char *kind)
{
    char path[600], escaped[400];
    json_t *answer;
    snprintf(path, sizeof(path), "/api/v1/plugins/%s/enable",
             ask_escape(kind, escaped, sizeof(escaped)));
    int code = ask_hub(ask, "POST", path, json_object(), &answer);
    if (code != 0 || ask_printed(ask, answer))
        return code;
    printf("%s is used\n", ask_string(answer, "kind"));
    json_decref(answer);
    return 0;
}

static int plugins_command(int count, char **arguments)
{
    static const struct option options[] = {ASK_OPTIONS, {NULL, 0, NULL, 0}};
    struct ask ask = ASK_DEFAULT;
    bool enables = strcmp(arguments[0], "enable") == 0;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;)
        if (!ask_option(&ask, c))
            return ctl_usage(help, c == ASK_HELP);
    if (count - optind != enables)
        return ctl_usage(help, false);
    return enables ? enable(&ask, arguments[optind]) : list(&ask);
}

static const struct ctl_command commands[] = {
    {"list", "", "the plugins, and one that is left out", plugins_command},
    {"enable", "KIND", "uses one again", plugins_command},
};

int ctl_plugins(int count, char **arguments)
{
    return ctl_run("lumbarctl plugins", commands, sizeof(commands) / sizeof(commands[0]), count,
                   arguments);
}
