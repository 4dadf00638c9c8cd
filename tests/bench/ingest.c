/*
 * bench-ingest: the hub against a bare Paho subscriber, in turn, in one run.
 *
 *   bench-ingest [--short] [flood] [mosquitto] [medium] [latency] [alarms]
 *
 * The subscriber does what the hub must at least do: it takes each message from Paho, counts it,
 * and has it acknowledged. Both stand at the same time, and load is given to one after the other,
 * a second or two each, several times over: what else the machine does then falls on both alike.
 * Figures are medians of these turns. Exit 0: all targets were met; 1: not all; 2: not measured.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"
#include "table.h"
#include "usage.h"

#define MEDIUM_RATE 4000
#define TURNS_MAX   11
#define WARM_MS     400
#define SLOW_BEDS   4 /* at 1 message a second each: a p99 wants a hundred messages */

static struct bed beds[BED_MAX]; /* large */
static struct table table;
static int turns = 11, turn_ms = 1500, alarm_trials = 150, slow_ms = 30000, latency_ms = 8000,
           fill_ms = 65000;

static int by_number(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *numbers, int count)
{
    qsort(numbers, (size_t)count, sizeof(*numbers), by_number);
    return count % 2 != 0 ? numbers[count / 2] : (numbers[count / 2 - 1] + numbers[count / 2]) / 2;
}

/* --- in turn --- */

struct pace {
    double per_s;                        /* messages used */
    double all_us, receiver_us, loop_us; /* CPU time a message: in all, and of two threads */
};

/* Between two moments at which the subject says how far it is. */
static struct pace take_turn(struct bed *bed, uint64_t rate)
{
    uint64_t from, to;
    bed_load(bed, rate);
    beds_run(WARM_MS);
    int64_t from_ns = bed_used(bed, &from);
    struct usage before = usage_of(bed_subject(bed));
    beds_run(turn_ms);
    int64_t to_ns = bed_used(bed, &to);
    struct usage after = usage_of(bed_subject(bed));
    /* Not to zero: devices that fall silent raise alarms. */
    bed_load(bed, bed->options.devices);
    bed_settle(bed);
    double count = (double)(to - from);
    return (struct pace){
        .per_s = count / ((double)(to_ns - from_ns) / 1e9),
        .all_us = (double)(after.all - before.all) / 1e3 / count,
        .receiver_us = (double)(after.receiver - before.receiver) / 1e3 / count,
        .loop_us = (double)(after.first - before.first) / 1e3 / count,
    };
}

struct comparison {
    const char *what;
    bool mosquitto, lean;
    unsigned devices;
    uint64_t rate;
    double least_pace, most_cpu, most_mib; /* 0: not wanted */
};

enum { PACE, BARE_PACE, CPU, BARE_CPU, PACE_RATIO, CPU_RATIO, RECEIVER, LOOP, FIGURES };

static void note_turn(double figures[FIGURES][TURNS_MAX], int turn, const struct pace *bare,
                      const struct pace *hub)
{
    figures[PACE][turn] = hub->per_s;
    figures[BARE_PACE][turn] = bare->per_s;
    figures[CPU][turn] = hub->all_us;
    figures[BARE_CPU][turn] = bare->all_us;
    figures[PACE_RATIO][turn] = hub->per_s / bare->per_s;
    figures[CPU_RATIO][turn] = hub->all_us / bare->all_us;
    figures[RECEIVER][turn] = hub->receiver_us;
    figures[LOOP][turn] = hub->loop_us;
    printf("  bare %7.0f /s %6.2f us  |  hub %7.0f /s %6.2f us: receiver %.2f, loop %.2f\n",
           bare->per_s, bare->all_us, hub->per_s, hub->all_us, hub->receiver_us, hub->loop_us);
}

static void add_comparison(const struct comparison *of, double figures[FIGURES][TURNS_MAX])
{
    static const struct {
        const char *what, *unit;
        int figure;
    } told[] = {
        {"hub", "/s", PACE},
        {"bare subscriber", "/s", BARE_PACE},
        {"hub, CPU a message", "us", CPU},
        {"  of it Paho's receiving thread", "us", RECEIVER},
        {"  of it the loop's thread", "us", LOOP},
        {"bare subscriber, CPU a message", "us", BARE_CPU},
    };
    table_head(&table, "%s", of->what);
    table_add(&table, "throughput, hub / bare", median(figures[PACE_RATIO], turns), "",
              of->least_pace > 0 ? AT_LEAST : NOTHING, of->least_pace);
    table_add(&table, "CPU a message, hub / bare", median(figures[CPU_RATIO], turns), "",
              of->most_cpu > 0 ? AT_MOST : NOTHING, of->most_cpu);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        table_add(&table, told[i].what, median(figures[told[i].figure], turns), told[i].unit,
                  NOTHING, 0);
}

/* After so long that the feed has gone round and a minute of history was stored. */
static void add_memory(struct bed *hub, double most_mib)
{
    int64_t ring_kib;
    if (most_mib > 0) {
        bed_load(hub, MEDIUM_RATE);
        beds_run(fill_ms);
    }
    double rss = (double)usage_rss_kib(bed_subject(hub), "/lumbar-hub-", &ring_kib) / 1024;
    table_add(&table, "hub, resident memory", rss, "MiB", most_mib > 0 ? AT_MOST : NOTHING,
              most_mib);
    table_add(&table, "hub, pages of the spool's ring besides", (double)ring_kib / 1024, "MiB",
              NOTHING, 0);
}

static void compare(const struct comparison *of)
{
    double figures[FIGURES][TURNS_MAX];
    struct bed *bare = &beds[0], *hub = &beds[1];
    struct bed_options options = {
        .mosquitto = of->mosquitto, .lean = of->lean, .devices = of->devices};
    printf("%s\n", of->what);
    bed_make(bare, &options);
    options.hub = true;
    bed_make(hub, &options);
    for (int turn = 0; turn < turns; turn++) {
        struct pace a = take_turn(bare, of->rate), b = take_turn(hub, of->rate);
        note_turn(figures, turn, &a, &b);
    }
    add_comparison(of, figures);
    add_memory(hub, of->most_mib);
    table_add(&table, "messages refused or dropped", (double)hub->dashboards[0].lost, "", AT_MOST,
              0);
    bed_clear(bare);
    bed_clear(hub);
}

/* --- publish to frame --- */

static void add_latency(const char *what, struct samples *samples, double most_p99)
{
    samples_sort(samples);
    table_head(&table, "%s: %zu values", what, samples->count);
    table_add(&table, "p50", samples_ms(samples, 0.5), "ms", NOTHING, 0);
    double p99 = samples_ms(samples, 0.99);
    table_add(&table, "p99", p99 < 0 ? 1e9 : p99, "ms", AT_MOST, most_p99);
    table_add(&table, "max", samples_ms(samples, 1), "ms", NOTHING, 0);
}

static void measure_latency(uint64_t rate, unsigned devices, unsigned count, int ms)
{
    struct bed_options options = {
        .hub = true, .devices = devices, .decode = true, .one_room = devices == 1};
    struct samples all = {0};
    char what[96];
    for (unsigned b = 0; b < count; b++)
        bed_make(&beds[b], &options);
    for (unsigned b = 0; b < count; b++) {
        bed_load(&beds[b], rate);
        beds_run((int)(137 * b)); /* not all at the same moment */
    }
    beds_run(2000);
    for (unsigned b = 0; b < count; b++)
        for (unsigned i = 0; i < beds[b].dashboard_count; i++)
            beds[b].dashboards[i].sampling = true;
    beds_run(ms);
    for (unsigned b = 0; b < count; b++) {
        for (size_t i = 0; i < beds[b].values.count; i++)
            samples_add(&all, beds[b].values.ns[i]);
        bed_clear(&beds[b]);
    }
    snprintf(what, sizeof(what), "publish to frame at %llu/s%s", (unsigned long long)rate,
             count > 1 ? " (four hubs at once)" : "");
    printf("%s\n", what);
    add_latency(what, &all, 25);
    samples_clear(&all);
}

/* Until the dashboard that watches the device has been told; how long that took, in ns. */
static int64_t await_alarm(struct bed *bed, unsigned device, bool on)
{
    const struct dashboard *dashboard = &bed->dashboards[device];
    bed->shared->bent[device] = on;
    for (int ms = 0; ms < 5000 && dashboard->on[device] != on; ms++)
        beds_run(1);
    if (dashboard->on[device] != on) {
        fprintf(stderr, "bench-ingest: the alarm of device %u did not %s\n", device + 1,
                on ? "come" : "go");
        exit(2);
    }
    return dashboard->alarm_ns[device] - bed->shared->bent_ns[device];
}

/* --- the parts --- */

/* What the targets speak of is a message of five samples; a wearable's full one stands beside it.
 */

static void saturated_flood(void)
{
    compare(&(struct comparison){
        .what = "saturated, behind the flood source, 5 samples a message, 100 devices",
        .lean = true,
        .devices = 100,
        .rate = SOURCE_FLAT_OUT,
        .least_pace = 0.95,
        .most_cpu = 1.15,
    });
    compare(&(struct comparison){
        .what = "the same, 34 samples a message",
        .devices = 100,
        .rate = SOURCE_FLAT_OUT,
    });
}

static void saturated_mosquitto(void)
{
    compare(&(struct comparison){
        .what = "saturated, behind mosquitto, 5 samples a message, 100 devices",
        .mosquitto = true,
        .lean = true,
        .devices = 100,
        .rate = SOURCE_FLAT_OUT,
        .least_pace = 0.90,
        .most_cpu = 1.15,
    });
}

static void medium_load(void)
{
    compare(&(struct comparison){
        .what = "4000/s, behind the flood source, 5 samples a message, 400 devices",
        .lean = true,
        .devices = 400,
        .rate = MEDIUM_RATE,
        .most_cpu = 1.35,
        .most_mib = 16,
    });
    compare(&(struct comparison){
        .what = "the same, 34 samples a message",
        .devices = 400,
        .rate = MEDIUM_RATE,
    });
}

static void latency(void)
{
    measure_latency(1, 1, SLOW_BEDS, slow_ms);
    measure_latency(100, 10, 1, latency_ms);
    measure_latency(MEDIUM_RATE, 400, 1, latency_ms);
}

static void alarms(void)
{
    struct bed_options options = {.hub = true, .devices = 400, .decode = true};
    struct samples taken = {0};
    struct bed *bed = &beds[0];
    bed_make(bed, &options);
    bed_load(bed, MEDIUM_RATE);
    beds_run(1500);
    for (int i = 0; i < alarm_trials; i++) {
        unsigned device = (unsigned)i % BED_DASHBOARDS;
        samples_add(&taken, await_alarm(bed, device, true));
        await_alarm(bed, device, false);
        beds_run(20 + i * 7 % 60);
    }
    printf("publish to an alarm's frame at %d/s\n", MEDIUM_RATE);
    add_latency("publish to an alarm's frame at 4000/s", &taken, 5);
    samples_clear(&taken);
    bed_clear(bed);
}

static const struct part {
    const char *name;
    void (*run)(void);
} parts[] = {
    {"flood", saturated_flood}, {"mosquitto", saturated_mosquitto},
    {"medium", medium_load},    {"latency", latency},
    {"alarms", alarms},
};
enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

static bool is_wanted(const struct part *part, int count, char **arguments)
{
    for (int i = 0; i < count; i++)
        if (strcmp(arguments[i], part->name) == 0)
            return true;
    return count == 0;
}

static void say_load(const char *when)
{
    double load[3] = {0};
    getloadavg(load, 3);
    printf("load of the machine %s: %.2f %.2f %.2f\n", when, load[0], load[1], load[2]);
}

int main(int count, char **arguments)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    count--;
    arguments++;
    if (count > 0 && strcmp(arguments[0], "--short") == 0) {
        turns = 3;
        turn_ms = 1000;
        alarm_trials = 50;
        slow_ms = 12000;
        fill_ms = 5000;
        latency_ms = 4000;
        count--;
        arguments++;
    }
    signal(SIGPIPE, SIG_IGN);
    say_load("before");
    int run = 0;
    for (int i = 0; i < PARTS; i++)
        if (is_wanted(&parts[i], count, arguments)) {
            parts[i].run();
            run++;
        }
    if (run < count || run == 0) {
        fprintf(stderr,
                "usage: bench-ingest [--short] [flood] [mosquitto] [medium] [latency] [alarms]\n");
        return 2;
    }
    bool met = table_print(&table);
    say_load("after");
    return met ? 0 : 1;
}
