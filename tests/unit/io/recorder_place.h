/*
 * A folder with recordings in it, for the tests of io/recorder: messages to be taken, and what is
 * found on the tapes.
 */
#ifndef LUMBAR_TESTS_RECORDER_PLACE_H
#define LUMBAR_TESTS_RECORDER_PLACE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/tape_pack.h"
#include "io/recorder.h"
#include "io/recorder_state.h"
#include "io/tape_folder.h"

#define NOW      INT64_C(1700000000000)
#define RING     UINT64_C(77)
#define HOUR_MS  3600000
#define PATIENT  5000 /* ms that a test waits for the thread */
#define POSITION 4096 /* of message 0; each takes 64 */

static char folder[64];
static struct tape_packer *packer;
static const char *const rooms[] = {"one", "two"};

static inline int prepare(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    log_set_level((enum log_level)0);
    packer = tape_packer_create();
    return packer == NULL;
}

static inline int finish(void **state)
{
    (void)state;
    tape_packer_destroy(packer);
    return 0;
}

static inline int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/lumbar-recorder-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static inline int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static inline const char *tapes_folder(void)
{
    static char path[96];
    snprintf(path, sizeof(path), "%s/tapes", folder);
    return path;
}

static inline struct recorder *open_with(struct recorder_options options)
{
    struct recorder *recorder;
    struct diag diag = {0};
    options.folder = tapes_folder();
    if (recorder_open(&recorder, &options, &diag) != 0 || recorder_start(recorder, &diag) != 0)
        fail_msg("%s", diag.text);
    recorder_rooms(recorder, rooms, 2);
    return recorder;
}

static const struct recorder_options usual = {.rooms = 2,
                                              .days = 30,
                                              .size_bytes = 1 << 30,
                                              .patience_ms = 60000,
                                              .ring = RING,
                                              .head = UINT64_MAX};

static inline struct recorder *open_recorder(void)
{
    return open_with(usual);
}

/* Message i of a room: its payload says its number; its place follows from it. */
static inline struct recorder_message message_of(unsigned room, unsigned i)
{
    static char payload[32];
    int bytes = snprintf(payload, sizeof(payload), "%u", i);
    return (struct recorder_message){.room = room,
                                     .topic = "lumbar/v1/x/a/telemetry",
                                     .topic_bytes = 23,
                                     .payload = (const uint8_t *)payload,
                                     .payload_bytes = (size_t)bytes,
                                     .received_ms = NOW + i,
                                     .position = POSITION + 64 * (uint64_t)i};
}

static inline void take(struct recorder *recorder, unsigned room, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        struct recorder_message message = message_of(room, i);
        recorder_take(recorder, &message);
    }
}

/* What the folder holds. */
struct found {
    unsigned tapes, open, messages, gaps, lost, bad;
    unsigned times[4000]; /* by number of the message */
    struct tape_name newest;
};

static inline void read_tape(struct found *found, const char *file)
{
    char path[256], number[32];
    uint8_t *bytes;
    size_t count;
    struct tape_reader reader;
    struct tape_part part;
    struct tape_message message;
    uint32_t topic;
    struct diag diag = {0};
    snprintf(path, sizeof(path), "%s/%s", tapes_folder(), file);
    assert_int_equal(tape_file_load(path, &bytes, &count, &diag), 0);
    assert_int_equal(tape_open(&reader, bytes, count, &diag), 0);
    for (enum tape_step step; (step = tape_next(&reader, &part)) != TAPE_END;) {
        found->bad += step != TAPE_BLOCK;
        if (step == TAPE_BLOCK && part.block.kind == TAPE_GAP) {
            found->gaps++;
            found->lost += part.block.count;
        }
        if (step != TAPE_BLOCK || part.block.kind != TAPE_MESSAGES)
            continue;
        assert_true(tape_unpack(packer, &part.block, part.stored));
        while (tape_message(packer, &message, &topic)) {
            snprintf(number, sizeof(number), "%.*s", (int)message.payload_bytes,
                     (const char *)message.payload);
            unsigned i = (unsigned)atoi(number);
            assert_true(i < 4000);
            assert_int_equal(message.received_ms, NOW + i);
            found->times[i]++;
            found->messages++;
        }
    }
    free(bytes);
}

static inline struct found *look(void)
{
    static struct found found;
    struct tape_name *list;
    size_t count;
    struct diag diag = {0};
    memset(&found, 0, sizeof(found));
    if (tape_folder_list(tapes_folder(), &list, &count, &diag) != 0)
        return &found;
    for (size_t i = 0; i < count; i++) {
        read_tape(&found, list[i].file);
        found.tapes++;
        found.open += list[i].open;
        found.newest = list[i];
    }
    free(list);
    return &found;
}

/* Each of [0, count) once, and nothing else. */
static inline void assert_once(const struct found *found, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (found->times[i] != 1)
            fail_msg("message %u is there %u times", i, found->times[i]);
    assert_int_equal(found->messages, count);
    assert_int_equal(found->bad, 0);
}

static inline void wait_for_needs(struct recorder *recorder, uint64_t needs)
{
    static const struct timespec rest = {0, 5000000};
    for (int ms = 0; ms < PATIENT && recorder_needs(recorder, NULL) != needs; ms += 5)
        nanosleep(&rest, NULL);
    assert_true(recorder_needs(recorder, NULL) == needs);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

#endif
