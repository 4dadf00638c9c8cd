/*
 * lumbard: arguments and exit codes.
 *
 *   0  ended as asked, or the check found nothing
 *   1  could not start, or the check found something
 *   2  the arguments are wrong
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/api.h"
#include "base/log.h"
#include "base/memory.h"
#include "check.h"
#include "io/files.h"
#include "io/quarantine.h"
#include "lumbard.h"
#include "setup.h"
#include "trying.h"

#ifdef LUMBAR_LEAK_CHECK
#include <sanitizer/lsan_interface.h>
#endif

#ifndef LUMBAR_CONFIG_FILE
#define LUMBAR_CONFIG_FILE "/etc/lumbar/lumbard.yaml"
#endif

static const char usage_text[] =
    "usage: lumbard [--config FILE] [--state FOLDER] [--web-root FOLDER] [--verbose]\n"
    "       lumbard [--config FILE] --check | --plugins | --quarantine | --try\n"
    "       lumbard --options | --endpoints | --version | --help\n"
    "\n"
    "  --config FILE      the configuration (default " LUMBAR_CONFIG_FILE ")\n"
    "  --check            do all that a start does, short of opening sockets; run it as\n"
    "                     the hub's user\n"
    "  --plugins          list every metric with unit and range\n"
    "  --options          list every option of the configuration\n"
    "  --endpoints        list what may be asked for, by whom and of which rooms, as JSON\n"
    "  --quarantine       list the messages that could not be used\n"
    "  --try              for the hub itself: changes of rules, from the standard input, on\n"
    "                     recordings\n"
    "  --state FOLDER     where configurations that were good are kept, to fall back on\n"
    "                     (default: $STATE_DIRECTORY, as systemd gives it; else none)\n"
    "  --web-root FOLDER  serve the page from a folder while it is worked on\n"
    "  --verbose          say more in the log\n";

static int complain(const struct diag *diag)
{
    char sentence[512];
    log_error("%s", diag_sentence(diag, sentence, sizeof(sentence)));
    return 1;
}

static int check(const char *config_file)
{
    struct diag diag = {0};
    int code = check_config(config_file, stdout, &diag);
    return diag.code != 0 ? complain(&diag) : code == 0 ? 0 : 1;
}

static int list_plugins(const char *config_file)
{
    struct setup setup;
    struct diag diag = {0};
    if (setup_load_plugins(&setup, config_file, &diag) != 0)
        return complain(&diag);
    int code = setup.plugins_refused > 0 ? 1 : 0;
    if (setup_load_rules(&setup, config_file, &diag) != 0) /* they may derive metrics */
        code = complain(&diag);
    setup_print_plugins(&setup.drivers);
    setup_fini(&setup);
    return code;
}

/* Time, reason, topic and the first bytes: enough to know the sender and the fault. */
static void print_entry(void *user, const struct quarantine_entry *entry)
{
    (void)user;
    char date[32];
    time_t seconds = (time_t)(entry->wall_ms / 1000);
    struct tm utc;
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    printf("%s  %.*s  %zu bytes: %s\n  ", date, (int)entry->topic_bytes, entry->topic,
           entry->payload_bytes, entry->reason);
    for (size_t i = 0; i < entry->payload_bytes && i < 64; i++)
        printf("%02x", entry->payload[i]);
    printf("%s\n", entry->payload_bytes > 64 ? "..." : "");
}

static int try_rules(const char *config_file)
{
    struct diag diag = {0};
    return trying_run(config_file, stdin, stdout, &diag) == 0 ? 0 : complain(&diag);
}

static int list_quarantine(const char *config_file)
{
    struct config *config;
    struct diag diag = {0};
    if (setup_read_config(config_file, &config, &diag) != 0)
        return complain(&diag);
    int code = quarantine_walk(config->quarantine.file, print_entry, NULL, &diag);
    config_destroy(config);
    return code == 0 ? 0 : complain(&diag);
}

enum action {
    RUN = 256,
    CHECK,
    PLUGINS,
    OPTIONS,
    ENDPOINTS,
    QUARANTINE,
    TRY,
    VERSION,
    HELP,
    CONFIG,
    STATE,
    WEB_ROOT,
    LOUD
};

static const struct option arguments[] = {
    {"config", required_argument, NULL, CONFIG},
    {"web-root", required_argument, NULL, WEB_ROOT},
    {"state", required_argument, NULL, STATE},
    {"check", no_argument, NULL, CHECK},
    {"plugins", no_argument, NULL, PLUGINS},
    {"options", no_argument, NULL, OPTIONS},
    {"quarantine", no_argument, NULL, QUARANTINE},
    {"try", no_argument, NULL, TRY},
    {"verbose", no_argument, NULL, LOUD},
    {"version", no_argument, NULL, VERSION},
    {"help", no_argument, NULL, HELP},
    {"endpoints", no_argument, NULL, ENDPOINTS},
    {NULL, 0, NULL, 0},
};

static int act(int action, const struct lumbard_options *options)
{
    struct diag diag = {0};
    switch (action) {
    case CHECK:
        return check(options->config_file);
    case PLUGINS:
        return list_plugins(options->config_file);
    case QUARANTINE:
        return list_quarantine(options->config_file);
    case TRY:
        return try_rules(options->config_file);
    case OPTIONS:
        config_print_options(stdout);
        return 0;
    case ENDPOINTS:
        api_print_endpoints();
        return 0;
    case VERSION:
        puts("lumbard " LUMBAR_VERSION);
        return 0;
    case HELP:
        fputs(usage_text, stdout);
        return 0;
    default:
        return lumbard_run(options, &diag) == 0 ? 0 : complain(&diag);
    }
}

int main(int argc, char **argv)
{
    struct lumbard_options options = {.config_file = LUMBAR_CONFIG_FILE,
                                      .state = getenv("STATE_DIRECTORY")};
    int action = RUN;
    int wrong = 0;
    memory_keep_secrets();
    memory_begin();
    for (int c; (c = getopt_long(argc, argv, "", arguments, NULL)) != -1;) {
        if (c == CONFIG)
            options.config_file = optarg;
        else if (c == STATE)
            options.state = optarg;
        else if (c == WEB_ROOT)
            options.web_root = optarg;
        else if (c == LOUD)
            log_set_level(LOG_DEBUG_);
        else if (c == '?' || action != RUN)
            wrong = 1;
        else
            action = c;
    }
    if (wrong || optind < argc) {
        fputs(usage_text, stderr);
        return 2;
    }
    signal(SIGXFSZ, SIG_IGN); /* a limit of file sizes is an error of the write, not the end */
    int code = act(action, &options);
    /* Not exit(): Paho's threads may still run, and its own clean-up races with them. */
    fflush(NULL);
#ifdef LUMBAR_LEAK_CHECK
    __lsan_do_leak_check(); /* _exit() would pass it over; a leak ends here, with its own code */
#endif
    _exit(code);
}
