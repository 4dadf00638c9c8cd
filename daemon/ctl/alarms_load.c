/* lumbarctl alarms load: do alarms come as people can answer them, and what would quieten the noisiest? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarms.h"
#include "ask.h"
#include "base/clock.h"
#include "base/instant.h"
#include "ctl.h"
#include "quieten.h"
#include "when.h"

#define WEEK_MS INT64_C(604800000)

static const char help[] =
    "usage: lumbarctl alarms load [--from TIME] [--to TIME] [--halve] [--json]\n"
    "\n"
    "How many alarms came in ten minutes, floods, the ten worst rules, how long it took until\n"
    "somebody acknowledged one, and how many ended before. TIME is as in lumbarctl history.\n"
    "\n" ASK_HELP_TEXT "  --from TIME     (default a week before --to)\n"
    "  --to TIME       (default now)\n"
    "  --halve         which delay or deadband would have halved the alarms of the noisiest rule, by\n"
    "                  trying it on all recordings of the configuration's folder\n";

struct wanted {
    struct ask ask;
    int64_t from_ms, to_ms;
    bool halve;
};

static const char *local_time(const json_t *object, const char *name, char out[WHEN_BYTES])
{
    int64_t ms;
    return instant_read(ask_string(object, name), &ms) ? when_write(ms, out) : "-";
}

static void print_floods(const json_t *load)
{
    const json_t *floods = json_object_get(load, "first_floods");
    char from[WHEN_BYTES], to[WHEN_BYTES];
    printf("floods          %lld, of more than %lld alarms in ten minutes\n",
           ask_integer(load, "floods"), ask_integer(load, "flood_limit"));
    for (size_t i = 0; i < json_array_size(floods); i++) {
        const json_t *flood = json_array_get(floods, i);
        printf("  %s .. %s  %lld alarms\n", local_time(flood, "from", from),
               local_time(flood, "to", to), ask_integer(flood, "alarms"));
    }
}

static void print_rules(const json_t *load)
{
    const json_t *rules = json_object_get(load, "worst_rules");
    printf("%-28s  %7s  %6s  %s\n", "RULE", "ALARMS", "SHARE", "ENDED UNACKNOWLEDGED");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        printf("%-28s  %7lld  %4.0f %%  %lld\n", ask_string(rule, "rule"),
               ask_integer(rule, "alarms"),
               100 * json_number_value(json_object_get(rule, "share")),
               ask_integer(rule, "unacknowledged"));
    }
}

static void print_load(const json_t *load)
{
    char from[WHEN_BYTES], to[WHEN_BYTES], span[ASK_TIME_BYTES];
    long long ended = ask_integer(load, "ended"), unacked = ask_integer(load, "ended_unacknowledged");
    const json_t *median = json_object_get(load, "median_to_acknowledge_ms");
    printf("from            %s\nto              %s\n", local_time(load, "from", from),
           local_time(load, "to", to));
    printf("alarms          %lld, %.2f in ten minutes on average, %lld at most",
           ask_integer(load, "alarms"),
           json_number_value(json_object_get(load, "per_ten_minutes")), ask_integer(load, "most"));
    if (ask_integer(load, "most") > 0)
        printf(" (%s)", local_time(load, "most_from", from));
    printf("\nacknowledged    %lld", ask_integer(load, "acknowledged"));
    if (json_is_integer(median))
        printf(", half of them within %s", ask_span(json_integer_value(median), span));
    printf("\nended           %lld, %lld of them unacknowledged", ended, unacked);
    if (ended > 0)
        printf(" (%.0f %%)", 100.0 * (double)unacked / (double)ended);
    putchar('\n');
    print_floods(load);
    print_rules(load);
}

static int show(const struct wanted *wanted)
{
    char path[200], from[INSTANT_BYTES], to[INSTANT_BYTES];
    json_t *load;
    snprintf(path, sizeof(path), "/api/v1/alarms/load?from=%s&to=%s",
             instant_write(wanted->from_ms, from), instant_write(wanted->to_ms, to));
    int code = ask_hub(&wanted->ask, "GET", path, NULL, &load);
    if (code != 0 || ask_printed(&wanted->ask, load))
        return code;
    print_load(load);
    const char *noisiest = ask_string(json_array_get(json_object_get(load, "worst_rules"), 0), "rule");
    if (wanted->halve && noisiest[0] != '\0')
        code = quieten(wanted->ask.config, noisiest);
    json_decref(load);
    return code;
}

int alarms_load(int count, char **arguments)
{
    enum { FROM = ASK_OTHER, TO, HALVE };
    static const struct option options[] = {ASK_OPTIONS,
                                            {"from", required_argument, NULL, FROM},
                                            {"to", required_argument, NULL, TO},
                                            {"halve", no_argument, NULL, HALVE},
                                            {NULL, 0, NULL, 0}};
    struct wanted wanted = {.ask = ASK_DEFAULT};
    const char *from = NULL, *to = "now";
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == FROM)
            from = optarg;
        else if (c == TO)
            to = optarg;
        else if (c == HALVE)
            wanted.halve = true;
        else if (!ask_option(&wanted.ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    if (optind < count)
        return ctl_usage(help, false);
    int64_t now_ms = clock_wall_ms();
    if (!when_read(to, now_ms, &wanted.to_ms))
        return CTL_ARGUMENTS;
    wanted.from_ms = wanted.to_ms - WEEK_MS;
    if (from != NULL && !when_read(from, now_ms, &wanted.from_ms))
        return CTL_ARGUMENTS;
    return show(&wanted);
}
