/* What its device holds may wait for its copy, and nothing else may. */
#include "spool_place.h"

#include <sys/wait.h>

#define LONG_MS 3600000 /* longer than any test */

static struct given given;

static int enter(void **state)
{
    int rc = enter_folder(state);
    memset(&given, 0, sizeof(given));
    options.held_ms = LONG_MS;
    return rc;
}

/* Even numbers are held by their device. */
static struct spool *spool_in_use;

static enum ring_outcome take_held(void *user, const struct ring_record *record, bool again)
{
    if (number_of(record) % 2 == 0)
        spool_held(spool_in_use);
    return take(user, record, again);
}

static void live(struct spool *spool, uint64_t number)
{
    assert_true(put(spool, number, 1));
    assert_int_equal(spool_drain(spool, 10, take_held, &given), 1);
}

/* Many turns of the copier. */
static void wait_turns(const struct spool *spool)
{
    for (int i = 0; i < 10; i++) {
        int64_t before = spool_copied_ms(spool);
        WAIT_UNTIL(spool_copied_ms(spool) > before);
    }
}

static struct spool *start_spool(void)
{
    spool_in_use = spool_of_test();
    start(spool_in_use);
    return spool_in_use;
}

static void what_is_held_waits_and_goes_with_what_is_not(void **state)
{
    (void)state;
    struct spool *spool = start_spool();
    uint64_t synced = spool_synced(spool, NULL), syncs = stats_of(spool).syncs;
    for (uint64_t n = 0; n < 20; n += 2)
        live(spool, n);
    wait_turns(spool);
    assert_int_equal(spool_synced(spool, NULL), synced);
    assert_int_equal(stats_of(spool).syncs, syncs);
    assert_true(spool_is_safe(spool)); /* waiting is no refusing */
    live(spool, 21);
    WAIT_UNTIL(spool_synced(spool, NULL) == spool_head(spool));
    live(spool, 22);
    wait_turns(spool);
    assert_true(spool_synced(spool, NULL) < spool_head(spool));
    spool_close(spool); /* and at the end it is copied */
    cut_power();
    spool = spool_of_test();
    take_all(spool, &given);
    assert_int_equal(given.again_count, 12);
    assert_int_equal(given.again[11], 22);
    spool_close(spool);
}

static void it_waits_no_longer_than_it_may(void **state)
{
    (void)state;
    options.held_ms = 200;
    struct spool *spool = start_spool();
    int64_t from_ms = clock_mono_ns() / 1000000;
    live(spool, 2);
    WAIT_UNTIL(spool_synced(spool, NULL) == spool_head(spool));
    assert_true(clock_mono_ns() / 1000000 - from_ms >= 200);
    spool_close(spool);
}

static void who_waits_for_it_says_so(void **state)
{
    (void)state;
    struct spool *spool = start_spool();
    live(spool, 2);
    spool_hurry(spool);
    WAIT_UNTIL(spool_synced(spool, NULL) == spool_head(spool));
    spool_close(spool);
}

static void a_ring_that_fills_is_copied(void **state)
{
    (void)state;
    struct spool *spool = start_spool();
    for (uint64_t n = 0; n < 8000; n += 2) /* four laps, as fast as it can */
        live(spool, n);
    assert_int_equal(stats_of(spool).dropped, 0);
    assert_true(stats_of(spool).syncs >= 3);
    spool_close(spool);
}

static void what_nobody_takes_is_copied(void **state)
{
    (void)state;
    struct spool *spool = start_spool();
    assert_true(put(spool, 2, 1));
    WAIT_UNTIL(spool_synced(spool, NULL) == spool_head(spool));
    spool_close(spool);
}

/* A hub that starts does not know what it was of what a killed one has not copied. */
static void what_a_kill_left_is_copied(void **state)
{
    (void)state;
    pid_t hub = fork_hub();
    if (hub == 0) {
        struct spool *spool = start_spool();
        live(spool, 2);
        raise(SIGKILL);
    }
    WAIT_UNTIL(waitpid(hub, NULL, WNOHANG) == hub);
    struct spool *spool = spool_of_test();
    assert_true(spool_synced(spool, NULL) < spool_head(spool));
    take_all(spool, &given);
    start(spool);
    WAIT_UNTIL(spool_synced(spool, NULL) == spool_head(spool));
    spool_close(spool);
}

#define HELD_CASE(function) cmocka_unit_test_setup_teardown(function, enter, leave_folder)

int main(void)
{
    const struct CMUnitTest cases[] = {
        HELD_CASE(what_is_held_waits_and_goes_with_what_is_not),
        HELD_CASE(it_waits_no_longer_than_it_may),
        HELD_CASE(who_waits_for_it_says_so),
        HELD_CASE(a_ring_that_fills_is_copied),
        HELD_CASE(what_nobody_takes_is_copied),
        HELD_CASE(what_a_kill_left_is_copied),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
