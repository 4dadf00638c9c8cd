#include "io/quarantine.h"

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
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

#define SIZE 65536u

static char folder[64], file[96];

static int enter_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/test_quarantine.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/quarantine", folder);
    return 0;
}

static int leave_folder(void **state)
{
    (void)state;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(listing), entry->d_name, 0);
    closedir(listing);
    return rmdir(folder);
}

static struct quarantine *opened(void)
{
    struct diag diag = {0};
    struct quarantine *quarantine = NULL;
    if (quarantine_open(&quarantine, file, SIZE, &diag) != 0)
        fail_msg("%s", diag.text);
    return quarantine;
}

static struct quarantine_entry entry_of(const char *topic, size_t topic_bytes, const void *payload,
                                        size_t payload_bytes)
{
    return (struct quarantine_entry){.sender = "",
                                     .topic = topic,
                                     .topic_bytes = topic_bytes,
                                     .payload = payload,
                                     .payload_bytes = payload_bytes,
                                     .reason = "malformed",
                                     .wall_ms = 1};
}

static void put_number(struct quarantine *quarantine, uint64_t number)
{
    uint8_t payload[200];
    memset(payload, (int)(number & 0xff), sizeof(payload));
    memcpy(payload, &number, 8);
    struct quarantine_entry entry = entry_of("a/b", 3, payload, 8 + number % 192);
    entry.wall_ms = (int64_t)number;
    quarantine_put(quarantine, &entry);
}

struct found {
    uint64_t first, last, count;
};

static void find(void *user, const struct quarantine_entry *entry)
{
    struct found *found = user;
    uint64_t number;
    memcpy(&number, entry->payload, 8);
    if (found->count++ == 0)
        found->first = number;
    else
        assert_int_equal(number, found->last + 1);
    found->last = number;
    assert_int_equal(entry->wall_ms, number);
    assert_int_equal(entry->payload_bytes, 8 + number % 192);
    for (size_t i = 8; i < entry->payload_bytes; i++)
        assert_int_equal(entry->payload[i], number & 0xff);
    assert_int_equal(entry->topic_bytes, 3);
    assert_memory_equal(entry->topic, "a/b", 3);
    assert_string_equal(entry->reason, "malformed");
}

static struct found found_in_file(void)
{
    struct found found = {0};
    struct diag diag = {0};
    if (quarantine_walk(file, find, &found, &diag) != 0)
        fail_msg("%s", diag.text);
    return found;
}

static void keeps_the_newest_and_counts_all_through_restarts(void **state)
{
    (void)state;
    for (uint64_t run = 0; run < 5; run++) {
        struct quarantine *quarantine = opened();
        assert_int_equal(quarantine_count(quarantine), run * 1000);
        uint64_t held = quarantine_held(quarantine);
        assert_int_equal(held, found_in_file().count);
        for (uint64_t n = 0; n < 1000; n++)
            put_number(quarantine, run * 1000 + n);
        struct found found = found_in_file(); /* it may be looked at while the hub runs */
        struct quarantine_room room;
        quarantine_room(quarantine, &room);
        assert_int_equal(room.pushed_out + quarantine_held(quarantine), held + 1000);
        assert_in_range(room.bytes, SIZE / 2, SIZE);
        assert_int_equal(room.size, SIZE);
        assert_int_equal(found.last, run * 1000 + 999);
        assert_int_equal(found.first, found.last + 1 - found.count);
        assert_true(found.count > SIZE / 300);
        assert_in_range(quarantine_held(quarantine), found.count - 1, found.count);
        quarantine_close(quarantine);
    }
}

static struct {
    size_t topic_bytes, payload_bytes, reason_bytes, sender_bytes;
    unsigned count;
} last;

static void note(void *user, const struct quarantine_entry *entry)
{
    (void)user;
    last.topic_bytes = entry->topic_bytes;
    last.payload_bytes = entry->payload_bytes;
    last.reason_bytes = strlen(entry->reason);
    last.sender_bytes = strlen(entry->sender);
    last.count++;
}

static void cuts_what_is_too_long(void **state)
{
    (void)state;
    static const char bytes[20000];
    static const struct {
        size_t topic, payload, reason, sender;
        size_t topic_kept, payload_kept, reason_kept, sender_kept;
    } cases[] = {
        {0, 0, 0, 0, 0, 0, 0, 0},
        {255, 16384, 63, 111, 255, 16384, 63, 111},   /* the largest that the hub takes */
        {3000, 20000, 200, 200, 320, 16384, 63, 127}, /* larger than anything */
    };
    struct quarantine *quarantine = opened();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char words[256];
        memset(words, 'r', sizeof(words));
        struct quarantine_entry entry = entry_of(bytes, cases[i].topic, bytes, cases[i].payload);
        entry.reason = words + sizeof(words) - 1 - cases[i].reason;
        entry.sender = words + sizeof(words) - 1 - cases[i].sender;
        words[sizeof(words) - 1] = '\0';
        quarantine_put(quarantine, &entry);
        struct diag diag = {0};
        assert_int_equal(quarantine_walk(file, note, NULL, &diag), 0);
        assert_int_equal(last.topic_bytes, cases[i].topic_kept);
        assert_int_equal(last.payload_bytes, cases[i].payload_kept);
        assert_int_equal(last.reason_bytes, cases[i].reason_kept);
        assert_int_equal(last.sender_bytes, cases[i].sender_kept);
    }
    quarantine_close(quarantine);
}

/* ---- Shares ---- */

static void put_of(struct quarantine *quarantine, const char *sender, size_t payload_bytes,
                   int64_t wall_ms)
{
    static const uint8_t payload[16384];
    struct quarantine_entry entry = entry_of("a/b", 3, payload, payload_bytes);
    entry.sender = sender;
    entry.wall_ms = wall_ms;
    quarantine_put(quarantine, &entry);
}

/* How many entries of one sender are in the file, and which was put last of them and of all. */
struct sent {
    const char *sender;
    unsigned count;
    int64_t newest, newest_of_all;
    size_t bytes;
};

static void look(void *user, const struct quarantine_entry *entry)
{
    struct sent *sent = user;
    assert_true(entry->wall_ms > sent->newest_of_all); /* none twice, and in order */
    sent->newest_of_all = entry->wall_ms;
    if (strcmp(entry->sender, sent->sender) != 0)
        return;
    sent->count++;
    sent->bytes += entry->payload_bytes;
    sent->newest = entry->wall_ms;
}

static struct sent sent_by(const char *sender)
{
    struct sent sent = {.sender = sender};
    struct diag diag = {0};
    if (quarantine_walk(file, look, &sent, &diag) != 0)
        fail_msg("%s", diag.text);
    return sent;
}

static void a_flood_of_one_pushes_out_nothing_of_others(void **state)
{
    (void)state;
    static const char *const quiet[] = {"posture/p-1", "posture/p-2", "massage/m-1", ""};
    struct quarantine *quarantine = opened();
    int64_t wall_ms = 0;
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < 4; i++)
            put_of(quarantine, quiet[i], 400 * (i + 1), ++wall_ms);
    for (unsigned n = 0; n < 20000; n++) {
        put_of(quarantine, "posture/bad", n * 37 % 3000, ++wall_ms);
        if (n % 5000 == 4999) { /* shares are found in the file, too */
            quarantine_close(quarantine);
            quarantine = opened();
        }
    }
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(sent_by(quiet[i]).count, 3);
    struct sent bad = sent_by("posture/bad");
    assert_int_equal(bad.newest, wall_ms); /* what is newest is there */
    assert_true(bad.bytes > SIZE / 2);     /* and what others do not need, it has */
    assert_int_equal(quarantine_count(quarantine), wall_ms);
    quarantine_close(quarantine);
}

static void made_up_names_are_one_sender(void **state)
{
    (void)state;
    struct quarantine *quarantine = opened();
    put_of(quarantine, "posture/p-1", 3000, 1);
    for (int n = 0; n < 5000; n++)
        put_of(quarantine, "", 200, 2 + n);
    assert_int_equal(sent_by("posture/p-1").count, 1);
    assert_int_equal(sent_by("").newest, 5001);
    quarantine_close(quarantine);
}

/* All of them have the same, so each keeps about as much, however they take turns. */
static void many_bad_ones_share_evenly(void **state)
{
    (void)state;
    enum { SENDERS = 20, EACH = 300 };
    struct quarantine *quarantine = opened();
    char sender[32];
    for (int64_t n = 0; n < SENDERS * EACH; n++) {
        snprintf(sender, sizeof(sender), "x/%d", (int)(n * 7 % SENDERS));
        put_of(quarantine, sender, 300, n + 1);
    }
    for (int i = 0; i < SENDERS; i++) {
        snprintf(sender, sizeof(sender), "x/%d", i);
        struct sent sent = sent_by(sender);
        assert_in_range(sent.count, 5, 12); /* 65536 / 20 / (300 and what an entry has besides) */
        assert_true(sent.newest > SENDERS * EACH - 2 * SENDERS);
    }
    quarantine_close(quarantine);
}

static void a_large_message_of_a_newcomer_is_kept(void **state)
{
    (void)state;
    struct quarantine *quarantine = opened();
    char sender[32];
    for (int64_t n = 0; n < 150; n++) { /* full, and each has as much as any other */
        snprintf(sender, sizeof(sender), "x/%d", (int)n);
        put_of(quarantine, sender, 500, n + 1);
    }
    put_of(quarantine, "new/1", 16384, 1000);
    assert_int_equal(sent_by("new/1").count, 1);
    assert_int_equal(sent_by("x/149").count, 1);
    assert_true(quarantine_held(quarantine) > 60);
    quarantine_close(quarantine);
}

static void what_killed_the_hub_outlives_any_flood(void **state)
{
    (void)state;
    struct quarantine *quarantine = opened();
    struct quarantine_entry deadly = entry_of("a/b", 3, "deadly", 6);
    deadly.wall_ms = 1;
    quarantine_condemn(quarantine, &deadly);
    char sender[32];
    for (int64_t n = 0; n < 5000; n++) {
        snprintf(sender, sizeof(sender), "x/%d", (int)(n % 50));
        put_of(quarantine, sender, 400, 2 + n);
    }
    quarantine_close(quarantine);
    quarantine = opened();
    assert_true(quarantine_is_condemned(quarantine, "a/b", 3, "deadly", 6));
    assert_int_equal(sent_by("").count, 1);
    quarantine_close(quarantine);
}

/* A plugin that dies of everything must not fill the whole file with what killed it. */
static void what_killed_the_hub_takes_half_of_the_file_at_most(void **state)
{
    (void)state;
    struct quarantine *quarantine = opened();
    static uint8_t payload[4000];
    for (int64_t n = 0; n < 60; n++) {
        struct quarantine_entry deadly = entry_of("a/b", 3, payload, sizeof(payload));
        memcpy(payload, &n, sizeof(n));
        deadly.wall_ms = 2 * n + 1;
        quarantine_condemn(quarantine, &deadly);
        put_of(quarantine, "x/1", 500, 2 * n + 2);
    }
    struct quarantine_room room;
    quarantine_room(quarantine, &room);
    assert_int_equal(room.condemned, 60);
    assert_int_equal(room.forgotten, 0);
    struct sent deadly = sent_by(""), other = sent_by("x/1");
    assert_in_range(deadly.bytes, SIZE / 4, SIZE / 2 + 2 * sizeof(payload));
    assert_int_equal(deadly.newest, 119);
    assert_true(other.count > 20);
    quarantine_close(quarantine);
}

/* Writes until it is killed; `written` tells how many it has done. */
static _Noreturn void run_writer(_Atomic uint64_t *written)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct diag diag = {0};
    struct quarantine *quarantine;
    struct found found = {.last = UINT64_MAX};
    if (quarantine_open(&quarantine, file, SIZE, &diag) != 0 ||
        quarantine_walk(file, find, &found, &diag) != 0)
        _exit(1);
    for (uint64_t n = found.last + 1;; n++) {
        put_number(quarantine, n);
        atomic_fetch_add(written, 1);
    }
}

/* Each writer gets as far as it must, however slow the machine is; where in its work it then is,
 * chance decides. */
static void await_written(const _Atomic uint64_t *written, uint64_t least)
{
    for (int ms = 0; atomic_load(written) < least; ms++) {
        if (ms > 20000)
            fail_msg("%llu of %llu written in 20 s", (unsigned long long)atomic_load(written),
                     (unsigned long long)least);
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
}

static void survives_kill_9_at_thirty_moments(void **state)
{
    (void)state;
    uint64_t count = 0;
    _Atomic uint64_t *written =
        mmap(NULL, sizeof(*written), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(written, MAP_FAILED);
    for (uint64_t i = 0; i < 30; i++) {
        atomic_store(written, 0);
        pid_t writer = fork();
        if (writer == 0)
            run_writer(written);
        await_written(written, i * 5);
        nanosleep(&(struct timespec){0, (long)i * 100000}, NULL);
        kill(writer, SIGKILL);
        int status;
        waitpid(writer, &status, 0);
        assert_true(WIFSIGNALED(status));
        if (access(file, F_OK) != 0)
            continue;
        struct found found = found_in_file(); /* without a hole: find() looks */
        assert_true(found.count == 0 || found.last + 1 >= count + atomic_load(written));
        count = found.count == 0 ? 0 : found.last + 1;
        struct quarantine *quarantine = opened();
        quarantine_close(quarantine);
    }
    assert_true(count >= 5 * 29 * 30 / 2);
    munmap((void *)written, sizeof(*written));
}

static void a_child_writes_nothing(void **state)
{
    (void)state;
    struct quarantine *quarantine = opened();
    put_number(quarantine, 0);
    pid_t child = fork();
    if (child == 0) {
        put_number(quarantine, 1);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    assert_int_equal(quarantine_count(quarantine), 1);
    assert_int_equal(found_in_file().count, 1);
    quarantine_close(quarantine);
}

/* What is asked for, and whether it is known. */
static const struct {
    const char *topic;
    size_t topic_bytes, payload_bytes;
    uint8_t first;
    bool condemned;
} asked[] = {
    {"a/b", 3, 100, 'x', true},       {"a/b", 3, 100, 'y', false}, /* other bytes */
    {"a/b", 3, 99, 'x', false},                                    /* fewer of them */
    {"a/c", 3, 100, 'x', false},                                   /* of another device */
    {"a/bx", 4, 99, 'x', false},                                   /* the same, cut elsewhere */
    {"a/b", 3, 0, 'x', false},                                     /* nothing */
    {"long", 500, 16384, 'x', true},                               /* cut in the file */
    {"long", 500, 16384, 'y', false},
};

static void ask_all(const struct quarantine *quarantine)
{
    static uint8_t payload[16384];
    static char topic[512];
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        snprintf(topic, sizeof(topic), "%s", asked[i].topic);
        payload[0] = asked[i].first;
        assert_int_equal(quarantine_is_condemned(quarantine, topic, asked[i].topic_bytes, payload,
                                                 asked[i].payload_bytes),
                         asked[i].condemned);
    }
}

static void knows_again_what_killed_the_hub_in_later_runs_too(void **state)
{
    (void)state;
    static uint8_t payload[16384] = {'x'};
    static char longest[512] = "long";
    struct quarantine *quarantine = opened();
    struct quarantine_entry refused = entry_of("a/b", 3, "y", 1);
    struct quarantine_entry deadly = entry_of("a/b", 3, payload, 100);
    struct quarantine_entry large = entry_of(longest, 500, payload, 16384);
    quarantine_put(quarantine, &refused); /* not condemned */
    assert_int_equal(quarantine_condemned(quarantine), 0);
    assert_false(quarantine_is_condemned(quarantine, "a/b", 3, "y", 1));
    quarantine_condemn(quarantine, &deadly);
    quarantine_condemn(quarantine, &large);
    for (int run = 0; run < 3; run++) {
        assert_int_equal(quarantine_condemned(quarantine), 2);
        ask_all(quarantine);
        quarantine_close(quarantine);
        quarantine = opened();
    }
    for (uint64_t n = 0; n < QUARANTINE_CONDEMNED_MAX; n++) {
        struct quarantine_entry other = entry_of("a/b", 3, &n, sizeof(n));
        quarantine_condemn(quarantine, &other);
    }
    assert_int_equal(quarantine_condemned(quarantine), QUARANTINE_CONDEMNED_MAX);
    assert_false(quarantine_is_condemned(quarantine, "a/b", 3, payload, 100)); /* the first */
    quarantine_close(quarantine);
}

static void a_damaged_file_is_set_aside_and_a_missing_one_is_an_error_to_look_at(void **state)
{
    (void)state;
    struct diag diag = {0};
    assert_int_equal(quarantine_walk(file, note, NULL, &diag), ERR_IO);
    assert_non_null(strstr(diag.text, "No such file"));
    quarantine_close(opened());
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(fd, "garbage!garbage!", 16), 16);
    close(fd);
    diag = (struct diag){0};
    assert_int_equal(quarantine_walk(file, note, NULL, &diag), ERR_MALFORMED);
    struct quarantine *quarantine = opened();
    assert_int_equal(quarantine_count(quarantine), 0);
    quarantine_close(quarantine);
    unsigned damaged = 0;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        damaged += strstr(entry->d_name, "quarantine.damaged-") != NULL;
    closedir(listing);
    assert_int_equal(damaged, 1);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, enter_folder, leave_folder)

int main(void)
{
    log_set_level((enum log_level)0);
    const struct CMUnitTest cases[] = {
        CASE(keeps_the_newest_and_counts_all_through_restarts),
        CASE(cuts_what_is_too_long),
        CASE(a_flood_of_one_pushes_out_nothing_of_others),
        CASE(made_up_names_are_one_sender),
        CASE(many_bad_ones_share_evenly),
        CASE(a_large_message_of_a_newcomer_is_kept),
        CASE(what_killed_the_hub_outlives_any_flood),
        CASE(what_killed_the_hub_takes_half_of_the_file_at_most),
        CASE(survives_kill_9_at_thirty_moments),
        CASE(a_child_writes_nothing),
        CASE(knows_again_what_killed_the_hub_in_later_runs_too),
        CASE(a_damaged_file_is_set_aside_and_a_missing_one_is_an_error_to_look_at),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
