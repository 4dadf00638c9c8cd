/*
 * bench-rules: what rules cost that look at other metrics than a message has.
 *
 *   bench-rules                        instructions (by callgrind, in runs of its own) and
 *                                      nanoseconds a message, with 10 and with 1,000 such rules
 *   bench-rules --run RULES MESSAGES   so many of them, nanoseconds only
 *
 * The message is one of 5 samples of trunk_inclination, which goes through topic, decoding,
 * accounting, feed and rules. Of four rules one each is a number on one metric, two metrics at
 * once, a limit of the client's plan, and a mean over time; none of them on that metric.
 * Exit 0: 1,000 rules cost at most 1 % more instructions than 10; 1: more; 77: no valgrind.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "core/ingest.h"
#include "source.h"
#include "telemetry.h"

#define DEVICES    100
#define PERIOD_MS  100 /* of a device's messages */
#define TICK_MS    250
#define MESSAGES   200000u
#define FEW        20000u /* under callgrind */
#define RATIO_MOST 1.01
#define START_MS   INT64_C(1700000000000)

static const unsigned sets[] = {10, 1000};

struct bench {
    struct drivers drivers;
    struct ingest ingest;
    int64_t now_ms;
    struct telemetry telemetry[DEVICES];
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "bench-rules: %s\n", what);
    exit(2);
}

static void write_rule(struct text *out, unsigned number)
{
    static const char *const conditions[] = {
        "metric: lumbar_rotation, above: 20 deg",
        ("all: [{metric: lumbar_flexion, above: 45 deg},"
         " {metric: lumbar_lateral_flexion, above: 20 deg}]"),
        "metric: lumbar_flexion, above: limit(lumbar_flexion)",
        "metric: lumbar_flexion_velocity, mean: 30 s, above: 20 deg/s",
    };
    text_add(out, "- {name: r%u, %s, for: 5 s, priority: low, text: Text}\n", number,
             conditions[number % 4]);
}

static struct rules *load_rules(const struct drivers *drivers, unsigned count)
{
    struct rules *rules;
    struct diag diag = {0};
    size_t bytes = 64 + (size_t)count * 200;
    char *yaml = malloc(bytes);
    if (yaml == NULL)
        give_up("no memory");
    struct text text = text_in(yaml, bytes);
    text_add(&text, "rules:\n");
    for (unsigned i = 0; i < count; i++)
        write_rule(&text, i);
    struct rules_text file = {"bench", yaml, text.length, false};
    if (text.cut || rules_load(&rules, &file, 1, drivers, DEVICES, &diag) != 0)
        give_up(text.cut ? "the rules are longer than their text" : diag.text);
    free(yaml);
    return rules;
}

static void open_bench(struct bench *bench, unsigned rules)
{
    struct diag diag = {0};
    void *plugin = dlopen(BUILD_FOLDER "/plugins/posture.so", RTLD_NOW | RTLD_LOCAL);
    drivers_init(&bench->drivers);
    if (plugin == NULL || drivers_add(&bench->drivers, dlsym(plugin, "lumbar_plugin"), &diag) != 0)
        give_up("the plugin of posture wearables cannot be loaded");
    bench->now_ms = START_MS;
    bench->ingest = (struct ingest){.drivers = &bench->drivers,
                                    .rules = load_rules(&bench->drivers, rules),
                                    .devices = devices_create(DEVICES, 100000),
                                    .routes = routes_create(DEVICES),
                                    .alarms = alarms_create(),
                                    .feed = feed_create(4 << 20)};
}

static void close_bench(struct bench *bench)
{
    feed_destroy(bench->ingest.feed);
    alarms_destroy(bench->ingest.alarms);
    routes_destroy(bench->ingest.routes);
    devices_destroy(bench->ingest.devices);
    rules_destroy(bench->ingest.rules);
    drivers_fini(&bench->drivers);
}

/* Callgrind collects in here only. */
__attribute__((noinline)) static void take_one(struct bench *bench,
                                               const struct ingest_message *message)
{
    if (ingest_take(&bench->ingest, message, bench->now_ms) != INGEST_USED)
        give_up("a message was not used");
}

static int64_t thread_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

static int64_t send_one(struct bench *bench, unsigned device)
{
    uint8_t payload[TELEMETRY_BYTES];
    char topic[64];
    struct telemetry *t = &bench->telemetry[device];
    t->lean = true;
    t->boot_id = 1000 + device;
    t->sequence++;
    t->now_ms = bench->now_ms;
    t->last_ms = bench->now_ms - PERIOD_MS;
    t->rotation = source_code_value(t->sequence);
    struct ingest_message message = {.topic = topic,
                                     .topic_bytes =
                                         (size_t)source_topic(topic, sizeof(topic), device),
                                     .payload = payload,
                                     .payload_bytes = telemetry_write(payload, t),
                                     .received_ms = bench->now_ms,
                                     .position = t->sequence};
    int64_t from = thread_ns();
    take_one(bench, &message);
    return thread_ns() - from;
}

/* Returns ns a message; the clock that is asked for each is in them, in all sets alike. */
static double run(unsigned rules, unsigned messages)
{
    static struct bench bench;
    int64_t used_ns = 0, tick_ns = 0, ticks = 0;
    memset(&bench, 0, sizeof(bench));
    open_bench(&bench, rules);
    for (unsigned done = 0; done < messages; done++) {
        if (done % DEVICES == 0)
            bench.now_ms += PERIOD_MS;
        used_ns += send_one(&bench, done % DEVICES);
        if (done % (DEVICES * TICK_MS / PERIOD_MS) == 0) {
            int64_t from = thread_ns();
            ingest_tick(&bench.ingest, bench.now_ms);
            tick_ns += thread_ns() - from;
            ticks++;
        }
    }
    double each = (double)used_ns / messages;
    printf("%u rules on other metrics: %.0f ns a message; a tick, each %d ms, of %d devices: "
           "%.0f us\n",
           rules, each, TICK_MS, DEVICES, (double)tick_ns / (double)ticks / 1000);
    fflush(stdout);
    close_bench(&bench);
    return each;
}

/* Runs itself under callgrind; instructions a message, 0 where that is impossible. */
static double count_instructions(const char *self, unsigned rules)
{
    char command[512], line[256];
    unsigned long long instructions = 0;
    snprintf(command, sizeof(command),
             "valgrind --tool=callgrind --callgrind-out-file=/dev/null "
             "--toggle-collect='take_one*' %s --run %u %u 2>&1",
             self, rules, FEW);
    FILE *in = popen(command, "r");
    if (in == NULL)
        return 0;
    while (fgets(line, sizeof(line), in) != NULL) {
        const char *at = strstr(line, "Collected :");
        if (at != NULL)
            sscanf(at, "Collected : %llu", &instructions);
    }
    return pclose(in) == 0 ? (double)instructions / FEW : 0;
}

int main(int count, char **arguments)
{
    double ns[2], instructions[2];
    if (count == 4 && strcmp(arguments[1], "--run") == 0) {
        run((unsigned)atoi(arguments[2]), (unsigned)atoi(arguments[3]));
        return 0;
    }
    if (count > 1) {
        fprintf(stderr, "usage: bench-rules [--run RULES MESSAGES]\n");
        return 2;
    }
    for (unsigned i = 0; i < 2; i++)
        ns[i] = run(sets[i], MESSAGES);
    for (unsigned i = 0; i < 2; i++) {
        instructions[i] = count_instructions(arguments[0], sets[i]);
        if (instructions[i] <= 0) {
            printf("skipped: no instructions counted, is valgrind there?\n");
            return 77;
        }
        printf("%u rules on other metrics: %.1f instructions a message\n", sets[i],
               instructions[i]);
    }
    double ratio = instructions[1] / instructions[0];
    bool met = ratio <= RATIO_MOST;
    printf("1,000 rules cost %.3f of the instructions of 10 (and %.2f of the time), at most %.2f: "
           "%s\n",
           ratio, ns[1] / ns[0], RATIO_MOST, met ? "met" : "not met");
    return met ? 0 : 1;
}
