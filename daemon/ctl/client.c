/* lumbarctl client: who is treated, by pseudonym, and what is told of their course. */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "base/clock.h"
#include "base/instant.h"
#include "ctl.h"
#include "when.h"

static const char help[] =
    "usage: lumbarctl client list [--json]\n"
    "       lumbarctl client course NAME [--from TIME] [--to TIME] [--lang en|de] [--json]\n"
    "       lumbarctl client export NAME [--out FOLDER]\n"
    "       lumbarctl client erase NAME --yes\n"
    "\n"
    "list    the clients that the hub knows, with the session that they are in\n"
    "course  sessions over months: pain before and after, scores, dose, and ranges that were\n"
    "        tested; and what may be said of the changes, held against measurement error and\n"
    "        against what matters to people. TIME as in `lumbarctl history`.\n"
    "export  all that is kept of a client: rows of the database as JSON, and with --out, in a folder\n"
    "        that is made for it, each session as CSV, page and FHIR, and its recordings. A message\n"
    "        that reaches into the session of somebody else, or that cannot be decoded, is left\n"
    "        out of them (client.json says how many); the client's own samples of it are in\n"
    "        session-ID.ends.csv. A recording that cannot be cut is not given: exit code 1.\n"
    "erase   all of it, for ever: rows, what was measured in the sessions, recordings; and every\n"
    "        copy in the file. Backups and files set aside are not changed: those that hold the\n"
    "        client still are named. One that is restored later has the client erased again.\n"
    "\n" ASK_HELP_TEXT "  --from TIME     (default a year before --to)\n"
    "  --to TIME       (default now)\n"
    "  --lang en|de    of what is said (default en)\n"
    "  --out FOLDER    is made, and must not be there\n"
    "  --yes           to be sure: nothing brings it back\n";

struct wish {
    struct ask ask;
    const char *from, *to, *language, *out;
    bool sure;
};

/* ---- list ---- */

static int list_page(const struct ask *ask, long long *after, json_t *all)
{
    char path[96];
    json_t *page;
    snprintf(path, sizeof(path), "/api/v1/clients?after=%lld", *after);
    int code = ask_hub(ask, "GET", path, NULL, &page);
    if (code != 0)
        return code;
    json_array_extend(all, json_object_get(page, "clients"));
    const json_t *next = json_object_get(page, "next");
    *after = json_is_integer(next) ? json_integer_value(next) : -1;
    json_decref(page);
    return 0;
}

static int list(const struct wish *wish)
{
    json_t *all = json_array();
    long long after = 0;
    int code = 0;
    while (code == 0 && after >= 0)
        code = list_page(&wish->ask, &after, all);
    if (code == 0 && ask_printed(&wish->ask, all))
        return 0;
    for (size_t i = 0; i < json_array_size(all) && code == 0; i++) {
        const json_t *client = json_array_get(all, i);
        char since[ASK_TIME_BYTES];
        printf("%-32s  since %s", ask_string(client, "name"), ask_time(client, "created", since));
        if (json_is_integer(json_object_get(client, "session")))
            printf("  in session %lld", ask_integer(client, "session"));
        putchar('\n');
    }
    json_decref(all);
    return code;
}

/* ---- course ---- */

static const char *number_of(const json_t *object, const char *name, int digits, char out[32])
{
    const json_t *value = json_object_get(object, name);
    snprintf(out, 32, "-");
    if (json_is_number(value))
        snprintf(out, 32, "%.*f", digits, json_number_value(value));
    return out;
}

static void print_session(const json_t *session, const char *unit)
{
    char opened[ASK_TIME_BYTES], before[32], after[32], rmdq[32], odi[32], sum[32];
    const json_t *pain = json_object_get(session, "pain"), *dose = json_object_get(session, "dose");
    printf("%6lld  %-19s  %-8s  %6s  %6s  %4s  %4s  %7.1f min", ask_integer(session, "id"),
           ask_time(session, "opened", opened), ask_string(session, "state"),
           number_of(pain, "before", 0, before), number_of(pain, "after", 0, after),
           number_of(session, "rmdq", 0, rmdq), number_of(session, "odi", 0, odi),
           (double)ask_integer(dose, "time_ms") / 60000);
    if (json_is_number(json_object_get(dose, "sum")))
        printf("  %8s %s.min", number_of(dose, "sum", 0, sum), unit);
    printf("%s\n", json_is_true(json_object_get(session, "adverse")) ? "  adverse event" : "");
}

static void print_range(const json_t *range)
{
    char at[ASK_TIME_BYTES], best[32], mean[32], spread[32];
    printf("%s  %s (%s): best %s, mean %s, spread %s of %lld\n", ask_time(range, "at", at),
           ask_string(range, "title"), ask_string(range, "side"), number_of(range, "best", 1, best),
           number_of(range, "mean", 1, mean), number_of(range, "spread", 1, spread),
           ask_integer(range, "repetitions"));
}

static void print_course(const json_t *course, const char *language)
{
    const json_t *told = json_object_get(course, "told");
    const json_t *sessions = json_object_get(course, "sessions");
    const json_t *ranges = json_object_get(course, "ranges");
    for (size_t i = 0; i < json_array_size(told); i++) {
        const json_t *one = json_array_get(told, i);
        char first[32], last[32];
        printf("%s  (%s, then %s)\n", ask_string(json_object_get(one, "words"), language),
               number_of(json_object_get(one, "first"), "value", 0, first),
               number_of(json_object_get(one, "last"), "value", 0, last));
    }
    printf("%6s  %-19s  %-8s  %6s  %6s  %4s  %4s  %s\n", "ID", "OPENED", "STATE", "BEFORE", "AFTER",
           "RMDQ", "ODI", "DOSE");
    for (size_t i = 0; i < json_array_size(sessions); i++)
        print_session(json_array_get(sessions, i), ask_string(course, "unit"));
    for (size_t i = 0; i < json_array_size(ranges); i++)
        print_range(json_array_get(ranges, i));
    if (json_is_true(json_object_get(course, "more")))
        printf("there are older ones: see --from and --to\n");
}

static int add_time(char *path, size_t bytes, const char *name, const char *said)
{
    int64_t ms;
    char at[INSTANT_BYTES];
    size_t have = strlen(path);
    if (said == NULL)
        return 0;
    if (!when_read(said, clock_wall_ms(), &ms))
        return CTL_ARGUMENTS;
    snprintf(path + have, bytes - have, "%c%s=%s", strchr(path, '?') != NULL ? '&' : '?', name,
             instant_write(ms, at));
    return 0;
}

static int course(const struct wish *wish, const char *name)
{
    char path[512], escaped[200];
    json_t *answer;
    snprintf(path, sizeof(path), "/api/v1/clients/%s/course",
             ask_escape(name, escaped, sizeof(escaped)));
    int code = add_time(path, sizeof(path), "from", wish->from);
    if (code == 0)
        code = add_time(path, sizeof(path), "to", wish->to);
    if (code == 0)
        code = ask_hub(&wish->ask, "GET", path, NULL, &answer);
    if (code != 0 || ask_printed(&wish->ask, answer))
        return code;
    print_course(answer, wish->language);
    json_decref(answer);
    return 0;
}

static int client_command(int count, char **arguments)
{
    enum { FROM = ASK_OTHER, TO, LANGUAGE, OUT, YES };
    static const struct option options[] = {ASK_OPTIONS,
                                            {"from", required_argument, NULL, FROM},
                                            {"to", required_argument, NULL, TO},
                                            {"lang", required_argument, NULL, LANGUAGE},
                                            {"out", required_argument, NULL, OUT},
                                            {"yes", no_argument, NULL, YES},
                                            {NULL, 0, NULL, 0}};
    struct wish wish = {.ask = ASK_DEFAULT, .language = "en"};
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == FROM)
            wish.from = optarg;
        else if (c == TO)
            wish.to = optarg;
        else if (c == LANGUAGE)
            wish.language = optarg;
        else if (c == OUT)
            wish.out = optarg;
        else if (c == YES)
            wish.sure = true;
        else if (!ask_option(&wish.ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    bool lists = strcmp(arguments[0], "list") == 0;
    if (optind + !lists != count ||
        (strcmp(wish.language, "en") != 0 && strcmp(wish.language, "de") != 0))
        return ctl_usage(help, false);
    if (strcmp(arguments[0], "export") == 0)
        return client_export(&wish.ask, arguments[optind], wish.out);
    if (strcmp(arguments[0], "erase") == 0)
        return wish.sure ? client_erase(&wish.ask, arguments[optind]) : ctl_usage(help, false);
    return lists ? list(&wish) : course(&wish, arguments[optind]);
}

static const struct ctl_command commands[] = {
    {"list", "", "the clients that the hub knows", client_command},
    {"course", "NAME [--from TIME] [--to TIME]", "sessions over months", client_command},
    {"export", "NAME [--out FOLDER]", "all that is kept of a client", client_command},
    {"erase", "NAME --yes", "removes all of it, for ever", client_command},
};

int ctl_client(int count, char **arguments)
{
    return ctl_run("lumbarctl client", commands, sizeof(commands) / sizeof(commands[0]), count,
                   arguments);
}
