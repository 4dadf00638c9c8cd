/*
 * bench-ingest: the hub against a bare Paho subscriber, in turn, in one run.
 *
 *   bench-ingest [--short] [flood] [mosquitto] [medium] [latency] [alarms]
 *
 * Prints throughput, CPU, memory and latency, and each target beside its figure. Exit 0: all were
 * met; 1: not all.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bed.h"
#include "usage.h"

#define MEDIUM_RATE 4000

static struct bed bed; /* large */
static int rounds = 3, measure_ms = 5000, alarm_trials = 150, slow_ms = 40000;
static bool all_met = true;

static void say_target(const char *what, double value, const char *unit, bool at_most, double limit)
{
    bool met = at_most ? value <= limit : value >= limit;
    all_met &= met;
    printf("  %-44s %9.2f %-5s %s %g: %s\n", what, value, unit, at_most ? "at most" : "at least",
           limit, met ? "met" : "NOT MET");
    fflush(stdout);
}

struct pace {
    double per_s;      /* messages used */
    double cpu_us;     /* of the subject, a message */
    double source_cpu; /* cores of the load */
    int64_t rss_kib, ring_kib;
};

/* Runs a subject at a rate and says what it did, after a while to get going. */
static struct pace measure(const struct bed_options *options, uint64_t rate)
{
    struct pace pace;
    int64_t from_ns, to_ns;
    bed_make(&bed, options);
    bed_run(&bed, rate, 1500);
    uint64_t from = bed_used(&bed, &from_ns);
    int64_t start_ns = usage_mono_ns();
    int64_t cpu = usage_cpu_ns(bed_subject(&bed)), source_cpu = usage_cpu_ns(bed.source);
    bed_run(&bed, rate, measure_ms);
    uint64_t to = bed_used(&bed, &to_ns);
    double seconds = (double)(usage_mono_ns() - start_ns) / 1e9;
    cpu = usage_cpu_ns(bed_subject(&bed)) - cpu;
    source_cpu = usage_cpu_ns(bed.source) - source_cpu;
    pace.per_s = (double)(to - from) / ((double)(to_ns - from_ns) / 1e9);
    pace.cpu_us = (double)cpu / 1e3 / (pace.per_s * seconds);
    pace.source_cpu = (double)source_cpu / 1e9 / seconds;
    pace.rss_kib = usage_rss_kib(bed_subject(&bed), "/lumbar-hub-", &pace.ring_kib);
    bed_clear(&bed);
    return pace;
}

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

/* bare, hub, bare, hub ...: what else the machine does then falls on both. */
static void compare(const char *what, bool mosquitto, unsigned devices, uint64_t rate,
                    double least_pace, double most_cpu)
{
    double pace_ratio[16], cpu_ratio[16], rss[16];
    printf("%s\n", what);
    for (int i = 0; i < rounds; i++) {
        struct bed_options options = {.mosquitto = mosquitto, .devices = devices};
        struct pace bare = measure(&options, rate);
        options.hub = true;
        struct pace hub = measure(&options, rate);
        printf("  bare %7.0f /s %6.2f us  |  hub %7.0f /s %6.2f us, %lld KiB and %lld of the ring"
               "  |  load %.2f, %.2f cores\n",
               bare.per_s, bare.cpu_us, hub.per_s, hub.cpu_us, (long long)hub.rss_kib,
               (long long)hub.ring_kib, bare.source_cpu, hub.source_cpu);
        fflush(stdout);
        pace_ratio[i] = hub.per_s / bare.per_s;
        cpu_ratio[i] = hub.cpu_us / bare.cpu_us;
        rss[i] = (double)hub.rss_kib / 1024;
    }
    if (least_pace > 0)
        say_target("throughput against bare", median(pace_ratio, rounds), "", false, least_pace);
    if (most_cpu > 0)
        say_target("CPU a message against bare", median(cpu_ratio, rounds), "", true, most_cpu);
    if (devices == 400)
        say_target("resident memory, 400 devices, 10 dashboards", median(rss, rounds), "MiB", true,
                   16);
}

static void measure_latency(uint64_t rate, unsigned devices, int ms, double most_p99)
{
    struct bed_options options = {
        .hub = true, .devices = devices, .decode = true, .one_room = devices == 1};
    char what[64];
    bed_make(&bed, &options);
    bed_run(&bed, rate, 2000);
    for (unsigned i = 0; i < bed.dashboard_count; i++)
        bed.dashboards[i].sampling = true;
    bed_run(&bed, rate, ms);
    samples_sort(&bed.values);
    printf("publish to frame at %llu/s: %zu values, p50 %.2f ms, p99 %.2f ms, max %.2f ms\n",
           (unsigned long long)rate, bed.values.count, samples_ms(&bed.values, 0.5),
           samples_ms(&bed.values, 0.99), samples_ms(&bed.values, 1));
    snprintf(what, sizeof(what), "p99 publish to frame at %llu/s", (unsigned long long)rate);
    double p99 = samples_ms(&bed.values, 0.99);
    say_target(what, p99 < 0 ? 1e9 : p99, "ms", true, most_p99);
    bed_clear(&bed);
}

/* Until the first dashboard that watches the device has been told; how long that took, in ns. */
static int64_t await_alarm(unsigned device, bool on)
{
    struct dashboard *dashboard = &bed.dashboards[device];
    bed.shared->bent[device] = on;
    for (int i = 0; i < 5000 && dashboard->on[device] != on; i++)
        dashboards_run(bed.dashboards, bed.dashboard_count, 1);
    if (dashboard->on[device] != on) {
        fprintf(stderr, "bench-ingest: the alarm of device %u did not %s\n", device + 1,
                on ? "come" : "go");
        exit(2);
    }
    return dashboard->alarm_ns[device] - bed.shared->bent_ns[device];
}

static void measure_alarms(uint64_t rate, unsigned devices)
{
    struct bed_options options = {.hub = true, .devices = devices, .decode = true};
    struct samples taken = {0};
    bed_make(&bed, &options);
    bed_run(&bed, rate, 1500);
    for (int i = 0; i < alarm_trials; i++) {
        unsigned device = (unsigned)i % BED_DASHBOARDS;
        samples_add(&taken, await_alarm(device, true));
        await_alarm(device, false);
        bed_run(&bed, rate, 20 + i * 7 % 60);
    }
    samples_sort(&taken);
    printf(
        "publish to alarm's frame at %llu/s: %zu alarms, p50 %.2f ms, p99 %.2f ms, max %.2f ms\n",
        (unsigned long long)rate, taken.count, samples_ms(&taken, 0.5), samples_ms(&taken, 0.99),
        samples_ms(&taken, 1));
    say_target("p99 publish to alarm's frame", samples_ms(&taken, 0.99), "ms", true, 5);
    samples_clear(&taken);
    bed_clear(&bed);
}

static void saturated_flood(void)
{
    compare("saturated, behind the flood source, 100 devices", false, 100, SOURCE_FLAT_OUT, 0.95,
            1.15);
}

static void saturated_mosquitto(void)
{
    compare("saturated, behind mosquitto, 100 devices", true, 100, SOURCE_FLAT_OUT, 0.90, 0);
}

static void medium_load(void)
{
    compare("4000/s, behind the flood source, 400 devices", false, 400, MEDIUM_RATE, 0, 1.35);
}

static void latency(void)
{
    measure_latency(1, 1, slow_ms, 25);
    measure_latency(100, 10, 8000, 25);
    measure_latency(MEDIUM_RATE, 400, 10000, 25);
}

static void alarms(void)
{
    measure_alarms(MEDIUM_RATE, 400);
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

int main(int count, char **arguments)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    count--;
    arguments++;
    if (count > 0 && strcmp(arguments[0], "--short") == 0) {
        rounds = 1;
        measure_ms = 3000;
        alarm_trials = 100;
        slow_ms = 12000;
        count--;
        arguments++;
    }
    signal(SIGPIPE, SIG_IGN);
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
    printf("%s\n", all_met ? "all targets met" : "not all targets met");
    return all_met ? 0 : 1;
}
