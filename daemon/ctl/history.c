/* lumbarctl history: one value of one device over a span. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/clock.h"
#include "base/instant.h"
#include "ctl.h"
#include "when.h"

static const char help[] =
    "usage: lumbarctl history DEVICE METRIC [--from TIME] [--to TIME] [--points N]\n"
    "                         [--csv | --json]\n"
    "\n"
    "One line a bucket: when it begins, how many values were heard, the least, the mean and the\n"
    "greatest. Buckets are of a second or more, so that there are no more than --points of them.\n"
    "Where nothing was heard there is none, and a line says so.\n"
    "TIME is -2h (before now), 19:07, \"2026-11-25 19:07:30\" on this machine's clock, or has its\n"
    "zone, as 2026-11-25T19:07:30Z. In --csv and --json all times are UTC.\n"
    "\n" ASK_HELP_TEXT "  --from TIME     (default an hour before --to)\n"
    "  --to TIME       (default now)\n"
    "  --points N      buckets at most, 1..5000 (default 600)\n"
    "  --csv           as a table for other programs: at,count,min,mean,max\n";

struct wanted {
    struct ask ask;
    const char *device, *metric, *points;
    int64_t from_ms, to_ms;
    bool csv;
};

/* ---- what the hub says, in lines ---- */

static int64_t instant_of(const json_t *object, const char *name)
{
    int64_t ms;
    return instant_read(ask_string(object, name), &ms) ? ms : 0;
}

static double number_of(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

static void print_bucket(const json_t *answer, const json_t *bucket)
{
    char at[WHEN_BYTES];
    int digits = (int)ask_integer(answer, "decimals") + 1;
    printf("%s  %8lld  %12.*f  %12.*f  %12.*f\n", when_write(instant_of(bucket, "at"), at),
           ask_integer(bucket, "count"), digits, number_of(bucket, "min"), digits,
           number_of(bucket, "mean"), digits, number_of(bucket, "max"));
}

static void print_gap(const json_t *gap)
{
    char at[WHEN_BYTES], span[ASK_TIME_BYTES];
    int64_t from_ms = instant_of(gap, "from");
    printf("%s  nothing was heard for %s\n", when_write(from_ms, at),
           ask_span(instant_of(gap, "to") - from_ms, span));
}

static void print_lost(const json_t *lost)
{
    char from[WHEN_BYTES], to[WHEN_BYTES];
    printf("lost between %s and %s: %s\n", when_write(instant_of(lost, "from"), from),
           when_write(instant_of(lost, "to"), to), ask_string(lost, "why"));
}

/* Buckets and gaps in the order of time. */
static void print_table(const json_t *answer)
{
    const json_t *buckets = json_object_get(answer, "buckets");
    const json_t *gaps = json_object_get(answer, "gaps"), *lost = json_object_get(answer, "lost");
    char mean[32];
    size_t gap = 0;
    snprintf(mean, sizeof(mean), "MEAN %s", ask_string(answer, "unit"));
    printf("%-25s  %8s  %12s  %12s  %12s\n", "TIME", "COUNT", "MIN", mean, "MAX");
    for (size_t i = 0; i <= json_array_size(buckets); i++) {
        const json_t *bucket = json_array_get(buckets, i);
        for (; gap < json_array_size(gaps); gap++) {
            const json_t *next = json_array_get(gaps, gap);
            if (bucket != NULL && instant_of(next, "from") > instant_of(bucket, "at"))
                break;
            print_gap(next);
        }
        if (bucket != NULL)
            print_bucket(answer, bucket);
    }
    for (size_t i = 0; i < json_array_size(lost); i++)
        print_lost(json_array_get(lost, i));
}

static void print_csv(const json_t *answer)
{
    const json_t *buckets = json_object_get(answer, "buckets");
    int digits = (int)ask_integer(answer, "decimals") + 1;
    puts("at,count,min,mean,max");
    for (size_t i = 0; i < json_array_size(buckets); i++) {
        const json_t *bucket = json_array_get(buckets, i);
        printf("%s,%lld,%.*f,%.*f,%.*f\n", ask_string(bucket, "at"), ask_integer(bucket, "count"),
               digits, number_of(bucket, "min"), digits, number_of(bucket, "mean"), digits,
               number_of(bucket, "max"));
    }
}

/* ---- asking ---- */

static int show(const struct wanted *wanted)
{
    char path[1024], device[400], metric[200], from[INSTANT_BYTES], to[INSTANT_BYTES], points[64];
    json_t *answer;
    snprintf(path, sizeof(path), "/api/v1/history?device=%s&metric=%s&from=%s&to=%s&points=%s",
             ask_escape(wanted->device, device, sizeof(device)),
             ask_escape(wanted->metric, metric, sizeof(metric)),
             instant_write(wanted->from_ms, from), instant_write(wanted->to_ms, to),
             ask_escape(wanted->points, points, sizeof(points)));
    int code = ask_hub(&wanted->ask, "GET", path, NULL, &answer);
    if (code != 0 || ask_printed(&wanted->ask, answer))
        return code;
    if (wanted->csv)
        print_csv(answer);
    else
        print_table(answer);
    json_decref(answer);
    return 0;
}

int ctl_history(int count, char **arguments)
{
    enum { FROM = ASK_OTHER, TO, POINTS, CSV };
    static const struct option options[] = {ASK_OPTIONS,
                                            {"from", required_argument, NULL, FROM},
                                            {"to", required_argument, NULL, TO},
                                            {"points", required_argument, NULL, POINTS},
                                            {"csv", no_argument, NULL, CSV},
                                            {NULL, 0, NULL, 0}};
    const char *from = NULL, *to = "now";
    struct wanted wanted = {.ask = ASK_DEFAULT, .points = "600"};
    int64_t now_ms = clock_wall_ms();
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == FROM)
            from = optarg;
        else if (c == TO)
            to = optarg;
        else if (c == POINTS)
            wanted.points = optarg;
        else if (c == CSV)
            wanted.csv = true;
        else if (!ask_option(&wanted.ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    if (optind + 2 != count || (wanted.csv && wanted.ask.json))
        return ctl_usage(help, false);
    wanted.device = arguments[optind];
    wanted.metric = arguments[optind + 1];
    if (!when_read(to, now_ms, &wanted.to_ms))
        return CTL_ARGUMENTS;
    wanted.from_ms = wanted.to_ms - 3600000;
    if (from != NULL && !when_read(from, now_ms, &wanted.from_ms))
        return CTL_ARGUMENTS;
    return show(&wanted);
}
