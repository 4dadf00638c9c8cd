/*
 * The promise of the spool, held against the real hub: it is killed at random moments while a
 * broker stand-in, which keeps the list of what was acknowledged, floods it.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "hub.h"
#include "io/quarantine.h"
#include "io/spool.h"
#include "source.h"

#define ROUNDS     50
#define DEVICES    50
#define RATE       8000 /* messages a second: all rounds together fill less than the ring */
#define LEAST      700  /* acknowledged in a round of a hub at work */
#define RING_SIZE  "128 MiB"
#define RING_BYTES (UINT64_C(128) << 20)
#define PATIENT    20000 /* ms */

/* The devices bend and straighten from round to round, so that messages raise and end alarms in
 * every state that a kill may leave. */
static const char rules_text[] = "rules:\n"
                                 "  - name: bent\n"
                                 "    title: Bent forward\n"
                                 "    metric: trunk_inclination\n"
                                 "    above: 25 deg\n"
                                 "    clear: 20 deg\n"
                                 "    priority: low\n"
                                 "    text: Trunk bent {value}.\n";

#define FRAGILE_TOPIC "lumbar/v1/fragile/f-1/telemetry"

struct walk {
    uint64_t records, waiting, refused, first_position;
    bool any;
    /* By device and sequence: how often a record was used, how often it was a repeat. */
    uint8_t *used[DEVICES], *repeated[DEVICES];
    uint64_t room[DEVICES];
    unsigned strangers; /* records that the source did not send */
};

static void on_record(void *user, const struct ring_record *record)
{
    struct walk *walk = user;
    if (!walk->any)
        walk->first_position = record->position;
    walk->any = true;
    walk->records++;
    walk->waiting += record->outcome == RING_WAITING;
    walk->refused += record->outcome == RING_REFUSED;
    int device = source_device_of(ring_topic(record), record->topic_bytes);
    uint64_t sequence = source_sequence_of(ring_payload(record), record->payload_bytes);
    if (device < 0 || device >= DEVICES || sequence == 0 || sequence >= walk->room[device]) {
        walk->strangers++;
        return;
    }
    if (record->outcome == RING_USED)
        walk->used[device][sequence]++;
    if (record->outcome == RING_REPEATED)
        walk->repeated[device][sequence]++;
}

static void walk_ring(struct walk *walk, const struct hub *hub, const struct source *source)
{
    struct diag diag = {0};
    memset(walk, 0, sizeof(*walk));
    for (unsigned i = 0; i < DEVICES; i++) {
        walk->room[i] = source_published(source, i) + 1;
        walk->used[i] = calloc(walk->room[i], 1);
        walk->repeated[i] = calloc(walk->room[i], 1);
        assert_true(walk->used[i] != NULL && walk->repeated[i] != NULL);
    }
    if (spool_walk(hub->ring, on_record, walk, &diag) != 0)
        fail_msg("%s", diag.text);
}

static void walk_end(struct walk *walk)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        free(walk->used[i]);
        free(walk->repeated[i]);
    }
}

static void count_waiting(void *user, const struct ring_record *record)
{
    *(uint64_t *)user += record->outcome == RING_WAITING;
}

static uint64_t waiting_in(const struct hub *hub)
{
    struct diag diag = {0};
    uint64_t waiting = 0;
    spool_walk(hub->ring, count_waiting, &waiting, &diag);
    return waiting;
}

static unsigned random_below(unsigned limit)
{
    unsigned number = 0;
    assert_int_equal(getrandom(&number, sizeof(number), 0), sizeof(number));
    return number % limit;
}

/* All that is in flight is acknowledged, and all that is in the ring decoded. */
static void drain(struct hub *hub, struct source *source, struct source_shared *shared)
{
    shared->until = shared->published;
    source_run(source, 50); /* sees that the one which was killed is gone */
    for (int ms = 0; ms < PATIENT; ms += 50) {
        if (source_has_sink(source) && source_in_flight(source) == 0)
            break;
        source_run(source, 50);
    }
    assert_int_equal(source_in_flight(source), 0);
    for (int ms = 0; ms < PATIENT && waiting_in(hub) > 0; ms += 200)
        source_run(source, 200);
    assert_int_equal(waiting_in(hub), 0);
}

static void compare(const struct walk *walk, const struct source *source)
{
    uint64_t acknowledged = 0, missing = 0, doubled = 0, repeats = 0;
    for (unsigned device = 0; device < DEVICES; device++)
        for (uint64_t s = 1; s < walk->room[device]; s++) {
            bool was = source_is_acknowledged(source, device, s);
            acknowledged += was;
            missing += was && walk->used[device][s] == 0;
            doubled += walk->used[device][s] > 1;
            repeats += walk->repeated[device][s];
        }
    printf("killed %d times: %llu messages acknowledged, %llu of them missing, %llu used twice, "
           "%llu repeats recognised, %llu refused\n",
           ROUNDS, (unsigned long long)acknowledged, (unsigned long long)missing,
           (unsigned long long)doubled, (unsigned long long)repeats,
           (unsigned long long)walk->refused);
    assert_true(acknowledged > ROUNDS * (uint64_t)RATE / 20);
    assert_int_equal(missing, 0);
    assert_int_equal(doubled, 0);
    assert_int_equal(walk->refused, 0);
    assert_int_equal(walk->waiting, 0);
    assert_int_equal(walk->strangers, 0);
    assert_true(repeats > 0);
    assert_int_equal(walk->first_position % RING_BYTES, 0); /* nothing was overwritten */
}

static void write_rules(const struct hub *hub)
{
    char name[128];
    snprintf(name, sizeof(name), "%s/%s", hub->folder, hub->rules);
    assert_int_equal(mkdir(name, 0700), 0);
    snprintf(name, sizeof(name), "%s/%s/bent.yaml", hub->folder, hub->rules);
    FILE *out = fopen(name, "w");
    assert_non_null(out);
    assert_true(fputs(rules_text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

/* How often the hub said that an alarm was raised. */
static unsigned alarms_said(const struct hub *hub)
{
    char line[512];
    unsigned count = 0;
    FILE *in = fopen(hub->log, "r");
    assert_non_null(in);
    while (fgets(line, sizeof(line), in) != NULL)
        count += strstr(line, "alarm bent on") != NULL;
    fclose(in);
    return count;
}

static void every_acknowledged_message_is_used_once_however_often_the_hub_is_killed(void **unused)
{
    (void)unused;
    static struct source_shared shared;
    shared.rate = RATE;
    shared.until = UINT64_MAX;
    struct source_options options = {
        .devices = DEVICES, .window = 500, .qos = 1, .ledger = true, .shared = &shared};
    struct source *source = source_create(&options);
    struct hub hub = {.build = BUILD_FOLDER,
                      .plugins = BUILD_FOLDER "/plugins",
                      .broker_port = source_port(source),
                      .rooms = 10,
                      .devices = DEVICES,
                      .ring_size = RING_SIZE,
                      .rules = "rules.d"};
    hub_prepare(&hub);
    write_rules(&hub);
    unsigned with_progress = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t before = shared.acknowledged;
        for (unsigned device = 0; device < DEVICES; device++)
            shared.bent[device] = (round + (int)device) % 2;
        hub_start(&hub);
        /* Most fall on a hub at work, however slow the machine is, some on one that is starting or
         * remembering. */
        source_run(source, (int)(20 + random_below(1400)));
        for (int ms = 0; round % 4 != 0 && shared.acknowledged < before + LEAST && ms < PATIENT;
             ms += 10)
            source_run(source, 10);
        if (round % 3 == 0) {
            source_lose_acknowledgements(source);
            source_run(source, 10);
        }
        assert_int_equal(WTERMSIG(hub_end(&hub, SIGKILL)), SIGKILL);
        with_progress += shared.acknowledged > before;
    }
    assert_true(with_progress > ROUNDS / 2);
    assert_true(alarms_said(&hub) > ROUNDS);
    hub_start(&hub);
    drain(&hub, source, &shared);
    assert_int_equal(hub_end(&hub, SIGTERM), 0);
    struct walk walk;
    walk_ring(&walk, &hub, source);
    compare(&walk, source);
    walk_end(&walk);
    source_destroy(source);
    hub_clear(&hub, false);
}

/* What tests/fixtures/fragile.c decodes, and with "CRASH" behind it, dies of. */
struct fragile {
    uint64_t boot_id, sequence;
    int64_t now_ms;
    double level;
    char rest[8];
};

static struct fragile fragile_of(uint64_t sequence, const char *rest)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct fragile message = {.boot_id = 77,
                              .sequence = sequence,
                              .now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
                              .level = 5};
    snprintf(message.rest, sizeof(message.rest), "%s", rest);
    return message;
}

static void send_fragile(struct source *source, struct fragile message)
{
    for (int ms = 0; ms < PATIENT && !source_has_sink(source); ms += 10)
        source_run(source, 10);
    assert_true(source_send(source, FRAGILE_TOPIC, &message, sizeof(message)));
}

struct kept {
    unsigned count;
    bool crash;
    char reason[QUARANTINE_REASON_BYTES];
};

static void on_entry(void *user, const struct quarantine_entry *entry)
{
    struct kept *kept = user;
    kept->count++;
    kept->crash |= memmem(entry->payload, entry->payload_bytes, "CRASH", 5) != NULL;
    snprintf(kept->reason, sizeof(kept->reason), "%s", entry->reason);
}

/* Runs the hub as the service manager does, until nothing is in flight; how often it had to be
 * started anew. */
static unsigned keep_running(struct hub *hub, struct source *source)
{
    unsigned restarts = 0;
    int status;
    int quiet = 0;
    for (int ms = 0; ms < PATIENT && quiet < 1500; ms += 10) {
        source_run(source, 10);
        if (hub_has_ended(hub, &status)) {
            assert_int_not_equal(status, 0); /* a sanitizer makes an exit code of a signal */
            restarts++;
            hub_start(hub);
        }
        quiet = source_in_flight(source) == 0 && source_has_sink(source) ? quiet + 10 : 0;
    }
    return restarts;
}

static void count_used(void *user, const struct ring_record *record)
{
    unsigned *count = user;
    count[record->outcome]++;
}

/* `known`: the hub has heard the device before it sends what kills. */
static void crash_once(bool known)
{
    static struct source_shared shared;
    struct source_options options = {
        .devices = 1, .window = 100, .qos = 1, .sink_topic = FRAGILE_TOPIC, .shared = &shared};
    struct source *source = source_create(&options);
    struct hub hub = {.build = BUILD_FOLDER,
                      .plugins = BUILD_FOLDER "/fixtures/fragile",
                      .broker_port = source_port(source),
                      .ring_size = "1 MiB",
                      .rules = ""};
    struct diag diag = {0};
    struct kept kept = {0};
    unsigned outcomes[4] = {0};
    hub_prepare(&hub);
    hub_start(&hub);
    if (known)
        send_fragile(source, fragile_of(1, "fine"));
    assert_int_equal(keep_running(&hub, source), 0);
    struct fragile deadly = fragile_of(2, "CRASH");
    send_fragile(source, deadly);
    send_fragile(source, deadly); /* before the hub, started anew, has looked at the first */
    if (known)
        send_fragile(source, fragile_of(3, "fine"));
    assert_int_equal(keep_running(&hub, source), 1);
    send_fragile(source, deadly); /* its device was not acknowledged it, so it comes again */
    send_fragile(source, fragile_of(4, "fine"));
    assert_int_equal(keep_running(&hub, source), 0);
    assert_int_equal(hub_end(&hub, SIGTERM), 0);
    hub_start(&hub); /* and it stays there: another start remembers it without decoding it */
    send_fragile(source, deadly);
    assert_int_equal(keep_running(&hub, source), 0);
    assert_int_equal(hub_end(&hub, SIGTERM), 0);
    assert_int_equal(spool_walk(hub.ring, count_used, outcomes, &diag), 0);
    assert_int_equal(outcomes[RING_USED], known ? 3 : 1);
    assert_int_equal(outcomes[RING_REFUSED], 4);
    assert_int_equal(outcomes[RING_WAITING], 0);
    assert_int_equal(quarantine_walk(hub.quarantine, on_entry, &kept, &diag), 0);
    assert_int_equal(kept.count, 1);
    assert_true(kept.crash);
    printf("crash: one restart, in quarantine: %s\n", kept.reason);
    source_destroy(source);
    hub_clear(&hub, false);
}

static void
a_payload_that_crashes_a_plugin_costs_one_restart_however_often_it_is_sent(void **unused)
{
    (void)unused;
    crash_once(true);
}

static void the_first_message_of_a_device_that_crashes_a_plugin_costs_one_restart(void **unused)
{
    (void)unused;
    crash_once(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_acknowledged_message_is_used_once_however_often_the_hub_is_killed),
        cmocka_unit_test(
            a_payload_that_crashes_a_plugin_costs_one_restart_however_often_it_is_sent),
        cmocka_unit_test(the_first_message_of_a_device_that_crashes_a_plugin_costs_one_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
