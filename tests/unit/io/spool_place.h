/*
 * A folder with the files of a spool, and messages that carry a number. For the tests of io/spool.
 */
#ifndef LUMBAR_TESTS_SPOOL_PLACE_H
#define LUMBAR_TESTS_SPOOL_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/ring_file.h"
#include "io/spool.h"

#define TOPIC "lumbar/v1/posture/p1/telemetry"

static char folder[64];
static struct spool_options options; /* of every spool_of_test(); a test may change them */

static inline int enter_folder(void **state)
{
    static char ring[96], copy[96];
    (void)state;
    log_set_level((enum log_level)0);
    snprintf(folder, sizeof(folder), "/tmp/test_spool.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(ring, sizeof(ring), "%s/ring", folder);
    snprintf(copy, sizeof(copy), "%s/copy", folder);
    options = (struct spool_options){.ring_file = ring,
                                     .copy_file = copy,
                                     .size_bytes = 256 * 1024,
                                     .sync_ms = 5,
                                     .patience_ms = 60000};
    return 0;
}

static inline unsigned count_files(const char *part)
{
    unsigned count = 0;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += entry->d_name[0] != '.' && strstr(entry->d_name, part) != NULL;
    closedir(listing);
    return count;
}

static inline void remove_files(void)
{
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(listing), entry->d_name, 0);
    closedir(listing);
}

static inline int leave_folder(void **state)
{
    (void)state;
    remove_files();
    return rmdir(folder);
}

static inline struct spool *spool_of_test(void)
{
    struct diag diag = {0};
    struct spool *spool = NULL;
    if (spool_open(&spool, &options, &diag) != 0)
        fail_msg("%s", diag.text);
    return spool;
}

static inline void on_wake(void *user)
{
    (void)user;
}

/* Does the clock of the record at (or after) this position count? */
static inline bool counts_at(const struct spool *spool, uint64_t position)
{
    const struct ring_record record = {.position = position};
    return spool_mono_counts(spool, &record);
}

static inline void start(struct spool *spool)
{
    struct diag diag = {0};
    assert_int_equal(spool_start(spool, on_wake, NULL, &diag), 0);
}

/* Of 8 to 300 bytes, each following from the number. */
static inline size_t payload_of(uint64_t number, uint8_t *out)
{
    size_t bytes = 8 + number * 2654435761u % 293;
    for (size_t i = 8; i < bytes; i++)
        out[i] = (uint8_t)(number + i);
    memcpy(out, &number, 8);
    return bytes;
}

static inline bool put(struct spool *spool, uint64_t number, int qos)
{
    uint8_t payload[512];
    size_t bytes = payload_of(number, payload);
    return spool_put(spool, TOPIC, sizeof(TOPIC) - 1, payload, bytes, qos, (int64_t)number, 1);
}

static inline uint64_t number_of(const struct ring_record *record)
{
    uint64_t number;
    memcpy(&number, ring_payload(record), 8);
    return number;
}

static inline bool is_whole(const struct ring_record *record)
{
    uint8_t payload[512];
    uint64_t number = number_of(record);
    size_t bytes = payload_of(number, payload);
    return record->payload_bytes == bytes && record->wall_ms == (int64_t)number &&
           memcmp(ring_payload(record), payload, bytes) == 0 &&
           record->topic_bytes == sizeof(TOPIC) - 1 &&
           memcmp(ring_topic(record), TOPIC, sizeof(TOPIC) - 1) == 0;
}

/* What a spool gave: the numbers remembered and the numbers decoded, in their order. */
struct given {
    uint64_t again[20000], fresh[20000];
    size_t again_count, fresh_count;
    uint64_t last_position;
};

static inline enum ring_outcome take(void *user, const struct ring_record *record, bool again)
{
    struct given *given = user;
    assert_true(is_whole(record));
    assert_true(record->position > given->last_position);
    given->last_position = record->position;
    if (again) {
        assert_true(given->again_count < 20000);
        given->again[given->again_count++] = number_of(record);
    } else {
        assert_true(given->fresh_count < 20000);
        given->fresh[given->fresh_count++] = number_of(record);
    }
    return RING_USED;
}

/* Everything that a newly opened spool holds. */
static inline void take_all(struct spool *spool, struct given *given)
{
    struct diag diag = {0};
    memset(given, 0, sizeof(*given));
    assert_int_equal(spool_recover(spool, take, given, NULL, &diag), 0);
    while (spool_drain(spool, 100, take, given) != 0)
        continue;
}

static inline struct spool_stats stats_of(const struct spool *spool)
{
    struct spool_stats stats;
    spool_stats(spool, &stats);
    return stats;
}

static inline void cut_power(void)
{
    assert_int_equal(unlink(options.ring_file), 0);
}

static inline void change(const char *file, uint64_t offset, const void *bytes, size_t count)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, count, (off_t)offset), count);
    close(fd);
}

/* Makes a ring or a copy one of an earlier boot of the machine. */
static inline void garble_boot(const char *file)
{
    static char bytes[8192];
    char boot[RING_BOOT_BYTES];
    ring_boot_now(boot);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, bytes, sizeof(bytes)), sizeof(bytes));
    close(fd);
    char *at = memmem(bytes, sizeof(bytes), boot, strlen(boot));
    assert_non_null(at);
    change(file, (uint64_t)(at - bytes), "another boot!", 13);
}

/* Waits up to 10 s. */
/* A child that ends with its test, which may be ended itself. */
static inline pid_t fork_hub(void)
{
    pid_t hub = fork();
    if (hub == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return hub;
}

#define WAIT_UNTIL(condition)                                                                      \
    for (int64_t from_ = clock_mono_ns(); !(condition);                                            \
         nanosleep(&(struct timespec){0, 1000000}, NULL))                                          \
        if (clock_mono_ns() - from_ > 10000000000)                                                 \
    fail_msg("not within 10 s: %s", #condition)

#define CASE(function) cmocka_unit_test_setup_teardown(function, enter_folder, leave_folder)

#endif
