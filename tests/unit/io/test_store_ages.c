/* What is older than it shall be kept goes, some at a time, and nothing else. */
#include "store_place.h"

#include "io/store_rows.h"
#include "io/store_state.h"

#define DAY INT64_C(86400000)

static void put(struct world *world, enum store_table table, const struct store_value *row,
                unsigned count)
{
    if (store_put(world->store, table, row, count))
        return;
    assert_true(store_flush(world->store, NOW, 70000));
    assert_true(store_put(world->store, table, row, count));
}

/* Each with a note, a device and a calibration; 0 for what never was. */
static void put_session(struct world *world, int64_t id, int64_t started_ms, int64_t ended_ms)
{
    const struct store_value none = store_null();
    const struct store_value start = started_ms != 0 ? store_int(started_ms) : none,
                             end = ended_ms != 0 ? store_int(ended_ms) : none;
    const struct store_value row[] = {store_int(id), none,
                                      none,          store_text("room-a"),
                                      none,          store_text(ended_ms != 0 ? "done" : "running"),
                                      none,          store_int(1),
                                      start,         end,
                                      none,          none,
                                      none,          none,
                                      none,          none},
                             note[] = {store_int(id),      store_int(0), store_int(1),
                                       store_text("note"), none,         store_text("n")},
                             device[] = {store_int(id),     store_int(0), store_text("sensor"),
                                         store_text("s-1"), store_int(1), none},
                             test[] = {store_int(id),
                                       none,
                                       store_int(id),
                                       store_text("range"),
                                       store_text("sensor/s-1"),
                                       store_text("angle"),
                                       store_int(1),
                                       none,
                                       store_text("{}")};
    put(world, STORE_SESSION, row, 16);
    put(world, STORE_SESSION_NOTE, note, 6);
    put(world, STORE_SESSION_DEVICE, device, 6);
    put(world, STORE_CALIBRATION, test, 9);
}

static void put_alarm(struct world *world, int64_t number, int64_t raised_ms, int64_t presence)
{
    struct store_value alarm[28], turn[8];
    char rule[32];
    snprintf(rule, sizeof(rule), "rule-%lld", (long long)number);
    for (unsigned i = 0; i < 28; i++)
        alarm[i] = i >= 16 ? store_null() : i > 0 && i < 6 ? store_text(rule) : store_int(number);
    alarm[8] = store_int(presence);
    alarm[9] = store_int(raised_ms);
    for (unsigned i = 0; i < 8; i++)
        turn[i] = i < 4 ? store_int(number) : store_null();
    put(world, STORE_ALARM, alarm, 28);
    put(world, STORE_ALARM_TRANSITION, turn, 8);
}

/* The writer's steps, until nothing is left to be done; how many it took. */
static unsigned keep_up(struct world *world)
{
    bool more = true;
    unsigned steps = 0;
    for (; more && steps < 1000; steps++)
        assert_int_equal(store_upkeep(world->store, NOW, &more), STORE_DONE);
    return steps;
}

static void sessions_and_alarms_go_when_they_are_old(void **state)
{
    struct world *world = *state;
    struct store_stats stats;
    world->options.sessions_days = 30;
    world->options.alarms_days = 10;
    start_store(world);
    for (int64_t id = 1; id <= 100; id++) { /* a day each, up to now */
        int64_t at = NOW - (100 - id) * DAY - 1;
        put_session(world, id, id % 10 != 0 ? at : 0, at);
        put_alarm(world, id, at, 0);
    }
    put_session(world, 101, NOW - 90 * DAY, 0); /* goes on still */
    put_alarm(world, 101, NOW - 90 * DAY, 1);   /* stands still */
    put_session(world, 102, NOW, NOW);
    put_alarm(world, 102, NOW, 0);
    stop_store(world, 71000);
    open_store(world);
    assert_true(keep_up(world) >= 7); /* none of the steps is a long one */
    store_stats(world->store, &stats);
    assert_int_equal(stats.dropped, 70 + 90);
    assert_int_equal(number_of("SELECT count(*) FROM session"), 32);
    assert_int_equal(number_of("SELECT min(id) FROM session"), 71);
    assert_int_equal(number_of("SELECT count(*) FROM session_note"), 32);
    assert_int_equal(number_of("SELECT count(*) FROM session_device"), 32);
    assert_int_equal(number_of("SELECT count(*) FROM calibration"), 32);
    assert_int_equal(number_of("SELECT count(*) FROM alarm"), 12);
    assert_int_equal(number_of("SELECT count(*) FROM alarm_transition"), 12);
    assert_int_equal(number_of("SELECT min(number) FROM alarm"), 91);
}

/* Numbers go on from the newest. */
static void the_newest_stays_however_old_it_is(void **state)
{
    struct world *world = *state;
    world->options.sessions_days = world->options.alarms_days = 1;
    start_store(world);
    for (int64_t id = 1; id <= 3; id++) {
        put_session(world, id, NOW - 900 * DAY, NOW - 900 * DAY);
        put_alarm(world, id, NOW - 900 * DAY, 0);
    }
    stop_store(world, 71000);
    open_store(world);
    keep_up(world);
    assert_int_equal(number_of("SELECT group_concat(id) FROM session"), 3);
    assert_int_equal(number_of("SELECT group_concat(number) FROM alarm"), 3);
}

static void by_itself_nothing_goes(void **state)
{
    struct world *world = *state;
    start_store(world);
    put_session(world, 1, 1000, 2000);
    put_session(world, 2, 1000, 2000);
    put_alarm(world, 1, 1000, 0);
    put_alarm(world, 2, 1000, 0);
    stop_store(world, 71000);
    open_store(world);
    keep_up(world);
    assert_int_equal(number_of("SELECT count(*) FROM session"), 2);
    assert_int_equal(number_of("SELECT count(*) FROM alarm"), 2);
}

/* Seconds whose hours have their minutes; then it is at the least that it can be. */
static void another_bound_takes_the_oldest_seconds_and_says_when_none_is_left(void **state)
{
    struct world *world = *state;
    struct store_stats stats;
    start_store(world);
    for (int64_t at = NOW - 3 * 3600000; at < NOW; at += 1000) {
        if (store_history(world->store) == NULL)
            assert_true(store_flush(world->store, NOW, 70000));
        say(world, at, (double)(at / 1000 % 89));
    }
    stop_store(world, 71000);
    open_store(world);
    keep_up(world);
    store_stats(world->store, &stats);
    assert_true(stats.content_bytes > 0 && !stats.at_least && stats.dropped == 0);
    store_limit(world->store, 1);
    keep_up(world);
    store_stats(world->store, &stats);
    assert_true(stats.at_least);
    assert_true(stats.dropped > 100);
    assert_true(number_of("SELECT count(*) FROM second") < 60); /* those of this hour */
    assert_true(number_of("SELECT count(*) FROM minute") >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(sessions_and_alarms_go_when_they_are_old),
        CASE(the_newest_stays_however_old_it_is),
        CASE(by_itself_nothing_goes),
        CASE(another_bound_takes_the_oldest_seconds_and_says_when_none_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
