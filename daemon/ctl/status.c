/* lumbarctl status: is all well? */
#include <stdio.h>

#include "ask.h"
#include "ctl.h"

static const char help[] = "usage: lumbarctl status [--json]\n"
                           "\n"
                           "What the hub is doing, and what is wrong with it. Exit code 0: nothing "
                           "is; 1: something.\n"
                           "\n" ASK_HELP_TEXT;

static bool is_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

static void print_hub(const json_t *status)
{
    char span[ASK_TIME_BYTES];
    const json_t *clock = json_object_get(status, "clock");
    printf("lumbard %s, %s, up %s\n", ask_string(status, "version"), ask_string(status, "clinic"),
           ask_span(ask_integer(status, "uptime_s") * 1000, span));
    printf("  clock      %s%s", is_true(clock, "set") ? "set" : "not set",
           is_true(clock, "synchronised") ? ", synchronised" : "");
    if (ask_integer(clock, "off_ms") != 0)
        printf(", by %+.1f s since the start", (double)ask_integer(clock, "off_ms") / 1000);
    printf("\n  rooms      %lld, devices %lld, refused %lld\n", ask_integer(status, "rooms"),
           ask_integer(status, "devices"), ask_integer(status, "devices_refused"));
    printf("  alarms     %lld, waiting for a place %lld\n", ask_integer(status, "alarms"),
           ask_integer(status, "alarms_waiting"));
}

static void print_input(const json_t *status)
{
    const json_t *broker = json_object_get(status, "broker");
    const json_t *spool = json_object_get(status, "spool");
    const json_t *quarantine = json_object_get(status, "quarantine");
    printf("  messages   %lld, refused %lld, too large %lld\n", ask_integer(status, "messages"),
           ask_integer(status, "refused"), ask_integer(broker, "oversize"));
    printf("  quarantine %lld of %lld, %lld killed the hub\n", ask_integer(quarantine, "held"),
           ask_integer(quarantine, "put"), ask_integer(quarantine, "condemned"));
    printf("  broker     %s, heartbeat %lld ms, connected %lld times, published %lld, refused "
           "%lld\n",
           is_true(broker, "connected") ? "connected" : "away", ask_integer(broker, "heartbeat_ms"),
           ask_integer(broker, "connects"), ask_integer(broker, "published"),
           ask_integer(broker, "refused"));
    printf("  spool      %s, %lld of %lld bytes, dropped %lld, waited %lld, torn %lld\n",
           is_true(spool, "safe") ? "safe" : "not on disk", ask_integer(spool, "used_bytes"),
           ask_integer(spool, "size_bytes"), ask_integer(spool, "dropped"),
           ask_integer(spool, "waited"), ask_integer(spool, "torn"));
}

static void print_output(const json_t *status)
{
    static const char *const stores[] = {"recorder", "history"};
    const json_t *web = json_object_get(status, "web");
    for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
        const json_t *store = json_object_get(status, stores[i]);
        printf("  %-10s %s, lost %lld, failures %lld\n", stores[i],
               is_true(store, "safe") ? "ok" : "cannot write", ask_integer(store, "lost"),
               ask_integer(store, "failures"));
    }
    printf("  page       %lld sockets, %lld watching, frames skipped %lld, refused %lld\n",
           ask_integer(web, "clients"), ask_integer(web, "watching"), ask_integer(web, "skipped"),
           ask_integer(web, "refused"));
    if (json_is_number(json_object_get(web, "most_within_ms")))
        printf("  frames     half within %g ms of their message, 99 %% within %g ms\n",
               json_number_value(json_object_get(web, "half_within_ms")),
               json_number_value(json_object_get(web, "most_within_ms")));
    const json_t *tls = json_object_get(web, "tls");
    char until[ASK_TIME_BYTES];
    if (json_is_object(tls))
        printf("  tls        %s until %s\n             %s\n",
               is_true(tls, "own") ? "the hub's own certificate" : "a certificate",
               ask_time(tls, "until", until), ask_string(tls, "fingerprint"));
}

static const char fingerprint_help[] =
    "usage: lumbarctl fingerprint\n"
    "\n"
    "The SHA-256 fingerprint of the page's certificate: what a browser shows before it is\n"
    "trusted is to be the same.\n"
    "\n" ASK_HELP_TEXT;

int ctl_fingerprint(int count, char **arguments)
{
    static const struct option options[] = {ASK_OPTIONS, {NULL, 0, NULL, 0}};
    struct ask ask = ASK_DEFAULT;
    json_t *status;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;)
        if (!ask_option(&ask, c))
            return ctl_usage(fingerprint_help, c == ASK_HELP);
    if (optind < count)
        return ctl_usage(fingerprint_help, false);
    int code = ask_hub(&ask, "GET", "/api/v1/status", NULL, &status);
    if (code != 0)
        return code;
    const json_t *tls = json_object_get(json_object_get(status, "web"), "tls");
    if (json_is_object(tls) && ask.json)
        ctl_print_line(json_deep_copy(tls));
    else if (json_is_object(tls))
        puts(ask_string(tls, "fingerprint"));
    else
        fprintf(stderr, "lumbarctl: the page has no certificate (web.tls is false)\n");
    code = json_is_object(tls) ? 0 : CTL_FAILED;
    json_decref(status);
    return code;
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
    print_hub(status);
    print_input(status);
    print_output(status);
    for (size_t i = 0; i < json_array_size(complaints); i++)
        printf("  wrong      %s\n", json_string_value(json_array_get(complaints, i)));
    json_decref(status);
    return code;
}
