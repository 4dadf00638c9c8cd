/* lumbarctl status: is all well? */
#include <stdio.h>

#include "ask.h"
#include "ctl.h"

static const char help[] = "usage: lumbarctl status [--json]\n"
                           "\n"
                           "What the hub is doing, and what is wrong with it. Exit code 0: nothing "
                           "is; 1: something.\n"
                           "\n" ASK_HELP_TEXT;

static void print_status(const json_t *status)
{
    char span[ASK_TIME_BYTES];
    const json_t *broker = json_object_get(status, "broker");
    const json_t *spool = json_object_get(status, "spool");
    const json_t *web = json_object_get(status, "web");
    printf("lumbard %s, %s, up %s\n", ask_string(status, "version"), ask_string(status, "clinic"),
           ask_span(ask_integer(status, "uptime_s") * 1000, span));
    printf("  rooms      %lld, devices %lld\n", ask_integer(status, "rooms"),
           ask_integer(status, "devices"));
    printf("  alarms     %lld\n", ask_integer(status, "alarms"));
    printf("  messages   %lld, refused %lld\n", ask_integer(status, "messages"),
           ask_integer(status, "refused"));
    printf("  broker     %s, heartbeat %lld ms\n",
           json_is_true(json_object_get(broker, "connected")) ? "connected" : "away",
           ask_integer(broker, "heartbeat_ms"));
    printf("  spool      %s, %lld of %lld bytes, dropped %lld\n",
           json_is_true(json_object_get(spool, "safe")) ? "safe" : "not on disk",
           ask_integer(spool, "used_bytes"), ask_integer(spool, "size_bytes"),
           ask_integer(spool, "dropped"));
    printf("  recorder   %s\n",
           json_is_true(json_object_get(status, "recorder_safe")) ? "ok" : "cannot write");
    printf("  page       %lld sockets, %lld watching\n", ask_integer(web, "clients"),
           ask_integer(web, "watching"));
}

int ctl_status(int count, char **arguments)
{
    static const struct option options[] = {ASK_OPTIONS, {NULL, 0, NULL, 0}};
    struct ask ask = ASK_DEFAULT;
    json_t *status;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;)
        if (!ask_option(&ask, c))
            return ctl_usage(help, c == ASK_HELP);
    if (optind < count)
        return ctl_usage(help, false);
    int code = ask_hub(&ask, "GET", "/api/v1/status", NULL, &status);
    if (code != 0)
        return code;
    const json_t *complaints = json_object_get(status, "complaints");
    code = json_array_size(complaints) > 0 ? CTL_FAILED : 0;
    if (ask_printed(&ask, status))
        return code;
    print_status(status);
    for (size_t i = 0; i < json_array_size(complaints); i++)
        printf("  wrong      %s\n", json_string_value(json_array_get(complaints, i)));
    json_decref(status);
    return code;
}
