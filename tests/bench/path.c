/*
 * bench-path: what one message costs on the loop thread: out of the ring, topic, device, decoding,
 * accounting, feed, history, rules.
 *
 *   bench-path               instructions (by callgrind, in runs of its own) and nanoseconds
 *   bench-path --run LOAD N  N messages of a load, nanoseconds only
 *
 * Two loads: `lean`, 5 samples of one metric; `full`, 5 rows of 6 metrics and 4 single values.
 * Exit 0: at most 4000 instructions a lean message; 1: more; 2: a message did not go its way; 77: no
 * valgrind.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "core/ingest.h"
#include "hub.h"
#include "io/spool.h"
#include "setup.h"
#include "source.h"
#include "telemetry.h"

#define DEVICES           100
#define BATCH             2000 /* messages put, then drained */
#define PERIOD_MS         100  /* of a device's messages */
#define INSTRUCTIONS_MOST 4000

struct load {
    const char *name;
    bool lean;
    unsigned samples; /* of a message, over all metrics */
};

static const struct load loads[] = {
    {"lean", true, TELEMETRY_ROWS},
    {"full", false, TELEMETRY_ROWS *TELEMETRY_COLUMNS + TELEMETRY_SINGLES},
};

struct path {
    struct setup setup;
    struct ingest ingest;
    struct spool *spool;
    int64_t now_ms; /* hub time, made up */
    uint64_t alarms, refused;
    struct telemetry telemetry[DEVICES];
};

static void on_alarm(void *user, const struct alarm *alarm)
{
    struct path *path = user;
    (void)alarm;
    path->alarms++;
}

static void on_refused(void *user, struct device *device, enum refusal refusal, const char *reason,
                       const struct ingest_message *message)
{
    struct path *path = user;
    (void)device, (void)refusal, (void)message;
    if (path->refused++ == 0)
        fprintf(stderr, "bench-path: refused: %s\n", reason);
}

/* As lumbard.c's. */
static enum ring_outcome on_record(void *user, const struct ring_record *record, bool again)
{
    struct path *path = user;
    (void)again;
    struct ingest_message message = {
        .topic = ring_topic(record),
        .topic_bytes = record->topic_bytes,
        .payload = ring_payload(record),
        .payload_bytes = record->payload_bytes,
        .received_ms = record->mono_ns / 1000000,
        .position = record->position,
    };
    switch (ingest_take(&path->ingest, &message, path->now_ms)) {
    case INGEST_USED:
        return RING_USED;
    case INGEST_REPEATED:
        return RING_REPEATED;
    default:
        return RING_REFUSED;
    }
}

/* What this thread has had of a processor: others may use it as well. */
static int64_t thread_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/* Callgrind collects in here only. */
__attribute__((noinline)) static void drain_all(struct path *path)
{
    while (spool_drain(path->spool, 512, on_record, path) > 0)
        ;
}

static void put_message(struct path *path, unsigned device)
{
    uint8_t payload[TELEMETRY_BYTES];
    char topic[64];
    struct telemetry *t = &path->telemetry[device];
    t->boot_id = 1000 + device;
    t->sequence++;
    t->now_ms = path->now_ms;
    t->last_ms = path->now_ms - PERIOD_MS;
    t->rotation = source_code_value(t->sequence);
    size_t bytes = telemetry_write(payload, t);
    size_t topic_bytes = (size_t)source_topic(topic, sizeof(topic), device);
    if (!spool_put(path->spool, topic, topic_bytes, payload, bytes, 1, path->now_ms,
                   path->now_ms * 1000000)) {
        fprintf(stderr, "bench-path: the ring is full\n");
        exit(2);
    }
}

static void open_path(struct path *path, const struct hub *hub)
{
    struct diag diag = {0};
    char file[128], copy[128];
    snprintf(file, sizeof(file), "%s/lumbard.yaml", hub->folder);
    snprintf(copy, sizeof(copy), "%s/copy", hub->folder);
    struct spool_options options = {.ring_file = hub->ring,
                                    .copy_file = copy,
                                    .size_bytes = 128 << 20,
                                    .sync_ms = 100,
                                    .patience_ms = 1000};
    log_set_level(LOG_WARN);
    if (setup_load(&path->setup, file, &diag) != 0 ||
        spool_open(&path->spool, &options, &diag) != 0) {
        fprintf(stderr, "bench-path: %s\n", diag.text);
        exit(2);
    }
    path->ingest = (struct ingest){
        .config = path->setup.config,
        .drivers = &path->setup.drivers,
        .derive = path->setup.derive,
        .rules = path->setup.rules,
        .devices = devices_create(400, 100000),
        .routes = routes_create(400),
        .alarms = alarms_create(),
        .feed = feed_create(4 << 20),
        .history = history_create(4 << 20, 400, &path->setup.drivers),
        .user = path,
        .on_alarm = on_alarm,
        .on_refused = on_refused,
    };
    ingest_assign(&path->ingest, &diag);
}

static void close_path(struct path *path)
{
    spool_close(path->spool);
    history_destroy(path->ingest.history);
    feed_destroy(path->ingest.feed);
    alarms_destroy(path->ingest.alarms);
    routes_destroy(path->ingest.routes);
    devices_destroy(path->ingest.devices);
    setup_fini(&path->setup);
}

/* Was each message used, and nothing found in it but its samples and what is derived of them? Else
 * what was measured is another way. */
static bool is_sound(const struct path *path, unsigned done, unsigned gathered_messages,
                     unsigned of_each)
{
    uint64_t gathered = history_samples(path->ingest.history);
    uint64_t samples = (uint64_t)gathered_messages * of_each;
    uint64_t derived_most = (uint64_t)derive_count(path->setup.derive) * gathered_messages;
    if (path->refused == 0 && path->ingest.messages == done && path->alarms == 0 &&
        gathered >= samples && gathered - samples <= derived_most)
        return true;
    fprintf(stderr,
            "bench-path: %llu messages of %u, %llu refused, %llu alarms, %llu samples of %llu\n",
            (unsigned long long)path->ingest.messages, done, (unsigned long long)path->refused,
            (unsigned long long)path->alarms, (unsigned long long)gathered,
            (unsigned long long)samples);
    return false;
}

/* Returns the exit code: 2 where the messages did not go the way that is measured. */
static int run_path(const struct hub *hub, const struct load *load, unsigned count)
{
    struct path path = {.now_ms = 1700000000000};
    int64_t sealed_ms = path.now_ms;
    int64_t used_ns = 0;
    unsigned done = 0, gathered = 0;
    open_path(&path, hub);
    for (unsigned i = 0; i < DEVICES; i++)
        path.telemetry[i].lean = load->lean;
    while (done < count) {
        for (unsigned i = 0; i < BATCH; i++, done++) {
            if (done % DEVICES == 0)
                path.now_ms += PERIOD_MS;
            put_message(&path, done % DEVICES);
        }
        int64_t from = thread_ns();
        drain_all(&path);
        used_ns += thread_ns() - from;
        gathered += BATCH;
        if (path.now_ms - sealed_ms >= 60000) { /* as the store does each minute */
            history_clear(path.ingest.history);
            sealed_ms = path.now_ms;
            gathered = 0;
        }
    }
    int code = is_sound(&path, done, gathered, load->samples) ? 0 : 2;
    printf("%s: %u messages of %u samples, %u rules: %.0f ns a message\n", load->name, done,
           load->samples, rules_written(path.setup.rules), (double)used_ns / done);
    fflush(stdout);
    close_path(&path);
    return code;
}

/* Runs itself under callgrind; returns instructions of all messages, 0 where that is impossible. */
static uint64_t count_instructions(const char *self, const char *out, const struct load *load,
                                   unsigned count)
{
    char command[1024], line[256];
    unsigned long long instructions = 0;
    snprintf(command, sizeof(command),
             "valgrind --tool=callgrind --callgrind-out-file=%s --toggle-collect='drain_all*' "
             "%s --run %s %u 2>&1",
             out, self, load->name, count);
    FILE *in = popen(command, "r");
    if (in == NULL)
        return 0;
    while (fgets(line, sizeof(line), in) != NULL) {
        const char *at = strstr(line, "Collected :");
        if (at != NULL)
            sscanf(at, "Collected : %llu", &instructions);
    }
    return pclose(in) == 0 ? instructions : 0;
}

static void prepare(struct hub *hub)
{
    *hub = (struct hub){.build = BUILD_FOLDER,
                        .plugins = BUILD_FOLDER "/plugins",
                        .broker_port = 1883,
                        .rooms = 50,
                        .devices = DEVICES,
                        .ring_size = "128 MiB",
                        .rules = SOURCE_FOLDER "/config/rules.d"};
    hub_prepare(hub);
}

/* Measures all loads; returns the exit code. What callgrind wrote stays if KEEP_CALLGRIND names a
 * folder. */
static int measure(const struct hub *hub, const char *self)
{
    const unsigned few = 10 * BATCH;
    const char *keep = getenv("KEEP_CALLGRIND");
    int code = 0;
    for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
        const struct load *load = &loads[i];
        char out[256];
        int ran = run_path(hub, load, 100 * BATCH);
        if (ran != 0)
            return ran;
        snprintf(out, sizeof(out), "%s/callgrind.%s", keep != NULL ? keep : hub->folder,
                 load->name);
        uint64_t each = count_instructions(self, out, load, few) / few;
        if (each == 0) {
            printf("skipped: no instructions counted, is valgrind there?\n");
            return 77;
        }
        bool met = each <= INSTRUCTIONS_MOST;
        printf("%s: %llu instructions a message, at most %d: %s\n", load->name,
               (unsigned long long)each, INSTRUCTIONS_MOST, met ? "met" : "not met");
        if (load->lean && !met)
            code = 1;
    }
    return code;
}

int main(int count, char **arguments)
{
    const struct load *load = NULL;
    struct hub hub;
    int code = 0;
    for (size_t i = 0; count == 4 && i < sizeof(loads) / sizeof(loads[0]); i++)
        if (strcmp(arguments[1], "--run") == 0 && strcmp(arguments[2], loads[i].name) == 0)
            load = &loads[i];
    if (load == NULL && count > 1) {
        fprintf(stderr, "usage: bench-path [--run lean|full N]\n");
        return 2;
    }
    prepare(&hub);
    if (load != NULL)
        code = run_path(&hub, load, (unsigned)atoi(arguments[3]));
    else
        code = measure(&hub, arguments[0]);
    hub_clear(&hub, false);
    return code;
}
