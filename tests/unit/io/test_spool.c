/* The spool at work: order, overflow, sleep and wake. */
#include "spool_place.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

static struct given given;

static void drains_in_order_and_at_most_so_many(void **state)
{
    (void)state;
    memset(&given, 0, sizeof(given));
    struct spool *spool = spool_of_test();
    start(spool);
    for (uint64_t n = 0; n < 250; n++)
        assert_true(put(spool, n, 1));
    assert_int_equal(spool_drain(spool, 0, take, &given), 0);
    assert_int_equal(spool_drain(spool, 100, take, &given), 100);
    assert_int_equal(spool_drain(spool, 100, take, &given), 100);
    assert_int_equal(spool_drain(spool, 100, take, &given), 50);
    assert_int_equal(spool_drain(spool, 100, take, &given), 0);
    for (uint64_t n = 0; n < 250; n++)
        assert_int_equal(given.fresh[n], n);
    assert_int_equal(stats_of(spool).put, 250);
    WAIT_UNTIL(stats_of(spool).used_bytes == 0);
    assert_true(spool_is_safe(spool));
    assert_true(clock_mono_ns() / 1000000 - spool_copied_ms(spool) < 5000);
    spool_close(spool);
}

static void drops_and_counts_qos_0_when_full(void **state)
{
    (void)state;
    memset(&given, 0, sizeof(given));
    struct spool *spool = spool_of_test();
    start(spool);
    uint64_t taken = 0;
    while (put(spool, taken, 0))
        taken++;
    assert_false(put(spool, taken, 0));
    struct spool_stats stats = stats_of(spool);
    assert_int_equal(stats.dropped, 2);
    assert_int_equal(stats.put, taken);
    assert_int_equal(stats.waited, 0);
    assert_true(stats.used_bytes > stats.size_bytes - 1024);
    while (spool_drain(spool, 1000, take, &given) != 0)
        continue;
    assert_int_equal(given.fresh_count, taken);
    WAIT_UNTIL(put(spool, taken, 0)); /* room again as soon as the copy is synced */
    spool_close(spool);
}

static void a_place_is_not_free_before_it_is_both_used_and_synced(void **state)
{
    (void)state;
    memset(&given, 0, sizeof(given));
    struct spool *spool = spool_of_test(); /* not started: nothing is copied */
    uint64_t taken = 0;
    while (put(spool, taken, 0))
        taken++;
    while (spool_drain(spool, 1000, take, &given) != 0)
        continue;
    assert_int_equal(given.fresh_count, taken);
    assert_false(put(spool, taken, 0)); /* used, not synced */
    start(spool);
    WAIT_UNTIL(put(spool, taken, 0));
    while (put(spool, ++taken, 0))
        continue;
    WAIT_UNTIL(spool_synced(spool, NULL) > given.last_position + options.size_bytes / 2);
    assert_false(put(spool, taken, 0)); /* synced, not used */
    spool_close(spool);
}

/* Used and synced, but somebody else still needs it. */
static void a_place_is_not_free_while_it_is_kept(void **state)
{
    (void)state;
    options.size_bytes = RING_SIZE_MIN;
    struct spool *spool = spool_of_test();
    memset(&given, 0, sizeof(given));
    spool_keep(spool,
               UINT64_MAX); /* nothing is; what is drained from now on is, until it is said */
    start(spool);
    uint64_t number = 0;
    for (int full = 0; full < 500; number++) { /* much more than there is room for */
        full += !put(spool, number, 0);
        spool_drain(spool, 100, take, &given);
    }
    WAIT_UNTIL(spool_synced(spool, NULL) > given.last_position);
    assert_false(put(spool, number, 0));
    assert_true(stats_of(spool).used_bytes > RING_SIZE_MIN - 500);
    spool_keep(spool, given.last_position); /* the newest one only */
    assert_true(put(spool, number, 0));
    assert_true(stats_of(spool).used_bytes < 1000);
    for (int i = 0; i < 500; i++)
        put(spool, number, 0);
    assert_false(put(spool, number, 0));
    assert_true(spool_tail(spool) <= given.last_position);
    spool_close(spool);
}

static void never_takes_what_is_too_large(void **state)
{
    (void)state;
    static const uint8_t bytes[RING_PAYLOAD_MAX + 1];
    struct spool *spool = spool_of_test();
    start(spool);
    for (int qos = 0; qos <= 1; qos++)
        assert_false(spool_put(spool, TOPIC, sizeof(TOPIC) - 1, bytes, sizeof(bytes), qos, 1, 1));
    assert_int_equal(stats_of(spool).dropped, 2);
    assert_true(spool_put(spool, TOPIC, sizeof(TOPIC) - 1, bytes, RING_PAYLOAD_MAX, 1, 1, 1));
    spool_close(spool);
}

struct producer {
    struct spool *spool;
    uint64_t from, to;
    _Atomic uint64_t taken;
    _Atomic bool refused;
    unsigned dice; /* not 0: rests now and then */
};

static void *produce(void *user)
{
    struct producer *producer = user;
    for (uint64_t n = producer->from; n < producer->to; n++) {
        if (!put(producer->spool, n, 1)) {
            atomic_store(&producer->refused, true);
            break;
        }
        atomic_store(&producer->taken, n + 1);
        if (producer->dice != 0 && (producer->dice = producer->dice * 1664525u + 1u) >> 27 == 0)
            nanosleep(&(struct timespec){0, (long)(producer->dice & 0xffff)}, NULL);
    }
    return NULL;
}

static void waits_with_qos_1_until_there_is_room(void **state)
{
    (void)state;
    memset(&given, 0, sizeof(given));
    struct spool *spool = spool_of_test();
    start(spool);
    struct producer producer = {.spool = spool, .to = 5000}; /* four rings full */
    pthread_t thread;
    pthread_create(&thread, NULL, produce, &producer);
    WAIT_UNTIL(stats_of(spool).waited > 0);
    uint64_t taken = atomic_load(&producer.taken);
    nanosleep(&(struct timespec){0, 20000000}, NULL);
    assert_int_equal(atomic_load(&producer.taken), taken); /* it stands */
    WAIT_UNTIL((spool_drain(spool, 100, take, &given), given.fresh_count == 5000));
    pthread_join(thread, NULL);
    for (uint64_t n = 0; n < 5000; n++)
        assert_int_equal(given.fresh[n], n);
    assert_int_equal(stats_of(spool).dropped, 0);
    assert_false(atomic_load(&producer.refused));
    spool_close(spool);
}

static void a_stop_ends_a_waiting_producer_without_a_yes(void **state)
{
    (void)state;
    struct spool *spool = spool_of_test();
    start(spool);
    struct producer producer = {.spool = spool, .to = UINT64_MAX};
    pthread_t thread;
    pthread_create(&thread, NULL, produce, &producer);
    WAIT_UNTIL(stats_of(spool).waited > 0);
    spool_stop(spool);
    pthread_join(thread, NULL);
    assert_true(atomic_load(&producer.refused));
    assert_false(put(spool, 0, 1));
    spool_close(spool);

    spool = spool_of_test(); /* and everything that had its yes is there */
    take_all(spool, &given);
    assert_int_equal(given.fresh_count, atomic_load(&producer.taken));
    spool_close(spool);
}

/* A disk that lags must not be waited for until its next turn: the producer asks for one. */
static void a_full_ring_hurries_the_copy(void **state)
{
    (void)state;
    memset(&given, 0, sizeof(given));
    options.size_bytes = RING_SIZE_MIN;
    options.sync_ms = 60000;
    struct spool *spool = spool_of_test();
    start(spool);
    for (uint64_t n = 0; n < 5000; n++) {
        assert_true(put(spool, n, 1));
        spool_drain(spool, 10, take, &given);
    }
    assert_true(stats_of(spool).syncs > 10);
    spool_close(spool);
}

static void post(void *user)
{
    sem_post(user);
}

static void count_wake(void *user)
{
    ++*(unsigned *)user;
}

static void wakes_a_sleeper_once_and_lets_nobody_sleep_before_a_message(void **state)
{
    (void)state;
    memset(&given, 0, sizeof(given));
    struct diag diag = {0};
    unsigned wakes = 0;
    struct spool *spool = spool_of_test();
    assert_int_equal(spool_start(spool, count_wake, &wakes, &diag), 0);
    assert_true(put(spool, 0, 1));
    assert_int_equal(wakes, 0); /* nobody sleeps */
    assert_false(spool_doze(spool));
    assert_true(put(spool, 1, 1));
    assert_int_equal(wakes, 0); /* it did not go to sleep */
    assert_int_equal(spool_drain(spool, 10, take, &given), 2);
    assert_true(spool_doze(spool));
    assert_true(put(spool, 2, 1));
    assert_true(put(spool, 3, 1));
    assert_int_equal(wakes, 1);
    spool_close(spool);
}

static void no_message_is_slept_through(void **state)
{
    (void)state;
    memset(&given, 0, sizeof(given));
    struct diag diag = {0};
    sem_t woken;
    sem_init(&woken, 0, 0);
    struct spool *spool = spool_of_test();
    assert_int_equal(spool_start(spool, post, &woken, &diag), 0);
    struct producer producer = {.spool = spool, .to = 20000, .dice = 1};
    pthread_t thread;
    pthread_create(&thread, NULL, produce, &producer);
    unsigned sleeps = 0;
    while (given.fresh_count < producer.to) {
        if (spool_drain(spool, 64, take, &given) != 0 || !spool_doze(spool))
            continue;
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 20;
        assert_int_equal(sem_timedwait(&woken, &until), 0);
        sleeps++;
    }
    pthread_join(thread, NULL);
    assert_true(sleeps > 0);
    sem_destroy(&woken);
    spool_close(spool);
}

static void is_open_for_one_hub_only(void **state)
{
    (void)state;
    struct diag diag = {0};
    struct spool *spool = spool_of_test(), *second;
    assert_int_equal(spool_open(&second, &options, &diag), ERR_TAKEN);
    struct spool_options other = options; /* its own ring, but the same copy */
    char ring[128];
    snprintf(ring, sizeof(ring), "%s/ring2", folder);
    other.ring_file = ring;
    diag = (struct diag){0};
    assert_int_equal(spool_open(&second, &other, &diag), ERR_TAKEN);
    assert_non_null(strstr(diag.text, "copy is in use by another program"));
    assert_int_equal(count_files("damaged"), 0);
    spool_close(spool);
    spool_close(spool_of_test());
}

static void keeps_its_files_to_itself(void **state)
{
    (void)state;
    spool_close(spool_of_test());
    struct stat status;
    const char *const files[] = {options.ring_file, options.copy_file};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stat(files[i], &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
        assert_true(status.st_blocks * 512 >= (blkcnt_t)options.size_bytes);
    }
    assert_int_equal(count_files(""), 2);
}

static void complains_of_a_folder_that_is_not_there(void **state)
{
    (void)state;
    struct diag diag = {0};
    struct spool *spool;
    options.copy_file = "/nonexistent/copy";
    assert_int_equal(spool_open(&spool, &options, &diag), ERR_IO);
    assert_non_null(strstr(diag.text, "/nonexistent/copy.new"));
    options.ring_file = "/nonexistent/ring";
    diag = (struct diag){0};
    assert_int_equal(spool_open(&spool, &options, &diag), ERR_IO);
    assert_non_null(strstr(diag.text, "/nonexistent/ring.new"));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(drains_in_order_and_at_most_so_many),
        CASE(drops_and_counts_qos_0_when_full),
        CASE(a_place_is_not_free_before_it_is_both_used_and_synced),
        CASE(a_place_is_not_free_while_it_is_kept),
        CASE(never_takes_what_is_too_large),
        CASE(waits_with_qos_1_until_there_is_room),
        CASE(a_stop_ends_a_waiting_producer_without_a_yes),
        CASE(a_full_ring_hurries_the_copy),
        CASE(wakes_a_sleeper_once_and_lets_nobody_sleep_before_a_message),
        CASE(no_message_is_slept_through),
        CASE(is_open_for_one_hub_only),
        CASE(keeps_its_files_to_itself),
        CASE(complains_of_a_folder_that_is_not_there),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
