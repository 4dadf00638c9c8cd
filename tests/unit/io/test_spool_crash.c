/* What a killed or crashed hub leaves behind, and what the next one makes of it. A hub is a child
 * process here: it is really killed, and it really crashes. */
#include "spool_place.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "io/quarantine.h"

/* --- kill -9 at random moments -----------------------------------------------------------------
 */

#define NUMBERS (4u << 20)
#define KILLS   60

/* Shared by the hubs and the test; it outlives each of them. */
struct diary {
    _Atomic uint64_t next;        /* below it: acknowledged, or not put (given up by a kill) */
    _Atomic uint64_t in_hand;     /* being put */
    _Atomic uint64_t again_count; /* remembered by this hub */
    _Atomic uint64_t wrong;       /* things that must not be */
    uint8_t acknowledged[NUMBERS], decoded[NUMBERS], ended[NUMBERS];
};
static struct diary *diary;

static enum ring_outcome decode(void *user, const struct ring_record *record, bool again)
{
    (void)user;
    uint64_t number = number_of(record);
    if (!is_whole(record) || again != diary->ended[number])
        atomic_fetch_add(&diary->wrong, 1); /* torn, or used and given as new, or the reverse */
    if (again) {
        atomic_fetch_add(&diary->again_count, 1);
        return RING_USED;
    }
    diary->decoded[number]++;
    for (volatile int i = 0; i < 2000; i++) /* long enough to be killed in */
        continue;
    return RING_USED;
}

static void *acknowledge(void *user)
{
    struct spool *spool = user;
    for (uint64_t n = atomic_load(&diary->next); n < NUMBERS; n++) {
        atomic_store(&diary->in_hand, n);
        if (!put(spool, n, 1))
            break;
        diary->acknowledged[n] = 1;
        atomic_store(&diary->next, n + 1);
    }
    return NULL;
}

/* A hub: recovers, then works until it is killed; or only ends what it finds. */
static _Noreturn void run_hub(bool work)
{
    struct diag diag = {0};
    struct spool *spool;
    pthread_t producer;
    atomic_store(&diary->again_count, 0);
    if (spool_open(&spool, &options, &diag) != 0 ||
        spool_recover(spool, decode, NULL, NULL, &diag) != 0 ||
        spool_start(spool, on_wake, NULL, &diag) != 0 ||
        (work && pthread_create(&producer, NULL, acknowledge, spool) != 0)) {
        fprintf(stderr, "hub: %s\n", diag.text);
        _exit(1);
    }
    while (spool_drain(spool, 64, decode, NULL) != 0 || work)
        nanosleep(&(struct timespec){0, 20000}, NULL);
    spool_close(spool);
    _exit(0);
}

struct census {
    uint64_t used, waiting, refused, doubled;
    uint64_t last;
    bool any;
};

static void take_census(void *user, const struct ring_record *record)
{
    struct census *census = user;
    uint64_t number = number_of(record);
    census->doubled += census->any && number <= census->last;
    census->any = true;
    census->last = number;
    uint32_t outcome = atomic_load(&record->outcome);
    if (outcome == RING_USED) {
        census->used++;
        diary->ended[number] = 1;
    }
    census->waiting += outcome == RING_WAITING;
    census->refused += outcome == RING_REFUSED;
}

/* The ring as a kill has left it; marks what has ended. */
static struct census census_now(void)
{
    struct census census = {0};
    struct diag diag = {0};
    if (ring_walk(options.ring_file, take_census, &census, &diag) != 0)
        fail_msg("%s", diag.text);
    return census;
}

/* At any moment of its life, its start and recovery included; or after so much work. */
static void kill_hub(uint32_t dice)
{
    uint64_t before = atomic_load(&diary->next);
    pid_t hub = fork_hub();
    if (hub == 0)
        run_hub(true);
    if (dice & 1)
        WAIT_UNTIL(atomic_load(&diary->next) >= before + (dice >> 8) % 500);
    nanosleep(&(struct timespec){0, 200000 + (long)(dice >> 8) % 30000000}, NULL);
    kill(hub, SIGKILL);
    int status;
    assert_int_equal(waitpid(hub, &status, 0), hub);
    assert_true(WIFSIGNALED(status));
}

static void killed_at_sixty_moments_it_loses_nothing_and_repeats_nothing(void **state)
{
    (void)state;
    diary = mmap(NULL, sizeof(*diary), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(diary != MAP_FAILED);
    uint32_t dice = (uint32_t)clock_mono_ns();
    print_message("seed %u\n", dice);
    for (int kills = 0; kills < KILLS; kills++) {
        dice = dice * 1664525u + 1013904223u;
        kill_hub(dice >> 3);
        assert_int_equal(atomic_load(&diary->wrong), 0);
        if (access(options.ring_file, F_OK) != 0)
            continue; /* killed before it had one */
        struct census census = census_now();
        assert_int_equal(census.refused, 0);
        assert_int_equal(census.doubled, 0);
        /* The one in hand is in the ring or not, and was not acknowledged: both are right. */
        atomic_store(&diary->next, atomic_load(&diary->in_hand) + 1);
    }
    struct census census = census_now();
    pid_t hub = fork_hub();
    if (hub == 0)
        run_hub(false);
    int status;
    waitpid(hub, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(atomic_load(&diary->wrong), 0);
    assert_int_equal(atomic_load(&diary->again_count), census.used);
    assert_int_equal(census_now().waiting, 0);

    uint64_t acknowledged = 0, missing = 0, cut_short = 0;
    for (uint64_t n = 0; n < NUMBERS; n++) {
        acknowledged += diary->acknowledged[n];
        missing += diary->acknowledged[n] && diary->decoded[n] == 0;
        cut_short += diary->decoded[n] > 1;
    }
    print_message("%llu acknowledged, %llu missing, %llu killed in their decoding\n",
                  (unsigned long long)acknowledged, (unsigned long long)missing,
                  (unsigned long long)cut_short);
    assert_true(acknowledged > 1000);
    assert_int_equal(missing, 0);
    assert_true(cut_short <= KILLS);
    munmap(diary, sizeof(*diary));
}

/* --- messages that end the hub -----------------------------------------------------------------
 */

#define MESSAGES 100u
#define POISON   50u
#define FINISHED 42 /* how a hub says that it has come to its end */

struct ward { /* shared by the hubs */
    _Atomic uint32_t begun, used[MESSAGES];
};
static struct ward *ward;
static pid_t hub_pid; /* of the hub, not of its trial */
static struct quarantine *quarantine;
static char quarantine_file[96];
static void (*poison)(void), (*poison_again)(void);

static void segfault(void)
{
    *(volatile char *)mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) = 1;
}

static void give_up(void)
{
    abort();
}

static void leave(void)
{
    exit(0);
}

static void spin(void)
{
    for (volatile unsigned i = 0;; i++)
        continue;
}

static void sleep_for_ever(void)
{
    pause();
}

static void recurse(void)
{
    volatile char room[4096];
    room[0] = 1;
    void (*volatile self)(void) = recurse;
    self();
    if (room[0] == 0)
        _exit(1);
}

static void crash_the_hub_only(void)
{
    if (getpid() == hub_pid)
        segfault();
}

static void be_killed_twice(void)
{
    if (getpid() == hub_pid && atomic_fetch_add(&ward->begun, 1) < 2)
        raise(SIGKILL);
}

static void be_quarantined_and_killed_once(void)
{
    quarantine_put(quarantine, &(struct quarantine_entry){.sender = "",
                                                          .topic = TOPIC,
                                                          .topic_bytes = sizeof(TOPIC) - 1,
                                                          .payload = (const uint8_t *)"bytes",
                                                          .payload_bytes = 5,
                                                          .reason = "malformed"});
    if (getpid() == hub_pid && atomic_fetch_add(&ward->begun, 1) < 1)
        raise(SIGKILL);
}

static void be_killed_at_first(void)
{
    if (atomic_fetch_add(&ward->begun, 1) == 0)
        raise(SIGKILL);
}

static enum ring_outcome treat(void *user, const struct ring_record *record, bool again)
{
    (void)user;
    uint64_t number = number_of(record);
    if (number == POISON && again && poison_again != NULL)
        poison_again();
    if (number == POISON && !again && poison != NULL)
        poison();
    if (number == MESSAGES - 1 && !again && poison_again != NULL)
        be_killed_at_first(); /* so that there is a next hub which has to remember */
    if (!again && getpid() == hub_pid)
        atomic_fetch_add(&ward->used[number], 1);
    return RING_USED;
}

static void keep(void *user, const struct ring_record *record)
{
    (void)user;
    quarantine_put(quarantine, &(struct quarantine_entry){.sender = "",
                                                          .topic = ring_topic(record),
                                                          .topic_bytes = record->topic_bytes,
                                                          .payload = ring_payload(record),
                                                          .payload_bytes = record->payload_bytes,
                                                          .reason = "ended the hub",
                                                          .wall_ms = record->wall_ms});
}

static _Noreturn void run_ward(bool first)
{
    static const int loud[] = {SIGSEGV, SIGBUS, SIGABRT};
    for (int i = 0; i < 3; i++)
        signal(loud[i], SIG_DFL); /* the sanitizers' reports are not wanted here */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setrlimit(RLIMIT_STACK, &(struct rlimit){1 << 20, 1 << 20});
    hub_pid = getpid();
    struct diag diag = {0};
    struct spool *spool;
    if (quarantine_open(&quarantine, quarantine_file, 65536, &diag) != 0 ||
        spool_open(&spool, &options, &diag) != 0 ||
        spool_recover(spool, treat, NULL, keep, &diag) != 0) {
        fprintf(stderr, "hub: %s\n", diag.text);
        _exit(1);
    }
    for (uint64_t n = 0; first && n < MESSAGES; n++)
        put(spool, n, 1);
    while (spool_drain(spool, 16, treat, NULL) != 0)
        continue;
    spool_close(spool);
    _exit(FINISHED);
}

/* Runs hubs until one finishes; returns how many did not. One that hangs is killed, as by a
 * watchdog. */
static unsigned count_deaths(void)
{
    for (unsigned deaths = 0; deaths < 10; deaths++) {
        pid_t hub = fork_hub();
        if (hub == 0)
            run_ward(deaths == 0);
        int status = 0;
        int64_t from = clock_mono_ns(), limit = deaths == 0 ? 1000000000 : 20000000000;
        while (waitpid(hub, &status, WNOHANG) == 0) {
            if (clock_mono_ns() - from > limit)
                kill(hub, SIGKILL);
            nanosleep(&(struct timespec){0, 1000000}, NULL);
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == FINISHED)
            return deaths;
    }
    fail_msg("the hub never came to its end");
    return 0;
}

static unsigned kept;

static void on_kept(void *user, const struct quarantine_entry *entry)
{
    uint8_t payload[512];
    const char *reason = user;
    assert_string_equal(entry->reason, reason);
    assert_int_equal(entry->topic_bytes, sizeof(TOPIC) - 1);
    assert_memory_equal(entry->topic, TOPIC, sizeof(TOPIC) - 1);
    if (strcmp(reason, "malformed") != 0) {
        assert_int_equal(entry->payload_bytes, payload_of(POISON, payload));
        assert_memory_equal(entry->payload, payload, entry->payload_bytes);
    }
    kept++;
}

static uint32_t outcomes[MESSAGES];

static void note_outcome(void *user, const struct ring_record *record)
{
    (void)user;
    outcomes[number_of(record)] = atomic_load(&record->outcome);
}

static void a_message_that_ends_the_hub_costs_what_it_may(void **state)
{
    (void)state;
    enum { NOT_KEPT = 0, ONCE = 1, TWICE = 2 };
    static const struct {
        const char *what;
        void (*first)(void), (*again)(void);
        unsigned deaths;
        enum ring_outcome outcome;
        unsigned kept;
    } cases[] = {
        /* Whatever kills the hub in decoding kills its trial: one restart, quarantine. */
        {"nothing", NULL, NULL, 0, RING_USED, NOT_KEPT},
        {"a segmentation fault", segfault, NULL, 1, RING_REFUSED, ONCE},
        {"abort()", give_up, NULL, 1, RING_REFUSED, ONCE},
        {"exit(0)", leave, NULL, 1, RING_REFUSED, ONCE},
        {"an endless loop", spin, NULL, 1, RING_REFUSED, ONCE},
        {"an endless sleep", sleep_for_ever, NULL, 1, RING_REFUSED, ONCE},
        {"an endless recursion", recurse, NULL, 1, RING_REFUSED, ONCE},
        /* The trial lives, the hub does not: after the third time it is believed. */
        {"a crash in the hub only", crash_the_hub_only, NULL, 3, RING_REFUSED, ONCE},
        /* Two kills by chance in the same message refuse nothing. */
        {"two kills by chance", be_killed_twice, NULL, 2, RING_USED, NOT_KEPT},
        /* A trial keeps nothing: two entries are the hub's own two decodings. */
        {"a kill behind quarantine_put()", be_quarantined_and_killed_once, NULL, 1, RING_USED,
         TWICE},
        /* Used well, and deadly when it is remembered: the kill that leads to it, and one crash. */
        {"a crash when remembered", NULL, segfault, 2, RING_REFUSED, ONCE},
    };
    ward = mmap(NULL, sizeof(*ward), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    snprintf(quarantine_file, sizeof(quarantine_file), "%s/quarantine", folder);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("- %s\n", cases[i].what);
        memset(ward, 0, sizeof(*ward));
        kept = 0;
        poison = cases[i].first;
        poison_again = cases[i].again;
        assert_int_equal(count_deaths(), cases[i].deaths);
        struct diag diag = {0};
        char reason[] = "ended the hub";
        char malformed[] = "malformed";
        assert_int_equal(quarantine_walk(quarantine_file, on_kept,
                                         cases[i].kept == TWICE ? malformed : reason, &diag),
                         0);
        assert_int_equal(kept, cases[i].kept);
        assert_int_equal(ring_walk(options.ring_file, note_outcome, NULL, &diag), 0);
        for (unsigned n = 0; n < MESSAGES; n++) {
            assert_int_equal(outcomes[n], n == POISON ? cases[i].outcome : RING_USED);
            if (n != POISON)
                assert_int_equal(atomic_load(&ward->used[n]), 1);
        }
        remove_files();
    }
    munmap(ward, sizeof(*ward));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(killed_at_sixty_moments_it_loses_nothing_and_repeats_nothing),
        CASE(a_message_that_ends_the_hub_costs_what_it_may),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
