/* Upkeep and queries: minutes of hours, what is dropped, and every span at its resolution, with
 * what is not yet on the disk. */
#include "store_place.h"

#include "io/store_query.h"
#include "io/store_state.h"

#define HOUR   (MINUTE / 60)
#define DAY_MS INT64_C(86400000)

static void flush(struct world *world)
{
    static uint64_t position = 70000;
    assert_true(store_flush(world->store, NOW, position += 8));
}

/* The writer's upkeep, at a moment of our own. */
static void keep_up(struct world *world, int64_t wall_ms)
{
    bool more = true;
    for (int i = 0; i < 10000 && more; i++)
        assert_int_equal(store_upkeep(world->store, wall_ms, &more), STORE_DONE);
    assert_false(more);
}

/* With no thread beside the test. */
static void stop_and_keep_up(struct world *world, int64_t wall_ms)
{
    stop_store(world, 80000);
    open_store(world);
    keep_up(world, wall_ms);
}

static void restart(struct world *world)
{
    struct diag diag = {0};
    assert_int_equal(store_start(world->store, NULL, NULL, &diag), 0);
}

/* ---- hours ---- */

static void an_hour_that_is_over_gets_its_minutes(void **state)
{
    struct world *world = *state;
    start_store(world);
    for (int64_t at = HOUR * 3600000; at < HOUR * 3600000 + 3600000; at += 500)
        say(world, at, at / 60000 % 60); /* each minute its own value */
    say(world, (HOUR + 1) * 3600000, 5);
    stop_and_keep_up(world, (HOUR + 1) * 3600000 + 60000); /* a minute after: it may be late */
    assert_int_equal(number_of("SELECT count(*) FROM minute"), 0);
    keep_up(world, (HOUR + 1) * 3600000 + 120000);
    assert_int_equal(number_of("SELECT count(*) FROM minute"), 1);
    assert_int_equal(number_of("SELECT count(*) FROM rollup"), 1); /* the next one */
    struct block hour = stored("minute", HOUR);
    for (unsigned i = 0; i < BLOCK_SLOTS; i++) {
        assert_int_equal(hour.slots[i].count, 120);
        assert_int_equal(hour.slots[i].min, metric_quantise(&sensor_metrics[ANGLE], i));
        assert_int_equal(hour.slots[i].max, hour.slots[i].min);
    }
    restart(world); /* and what comes late is added to them */
    say(world, HOUR * 3600000 + 61000, 99);
    stop_and_keep_up(world, NOW + DAY_MS);
    hour = stored("minute", HOUR);
    assert_int_equal(hour.slots[0].count, 120);
    assert_int_equal(hour.slots[1].count, 121);
    assert_int_equal(hour.slots[1].max, metric_quantise(&sensor_metrics[ANGLE], 99));
    assert_int_equal(number_of("SELECT count(*) FROM rollup"), 0);
}

static void seconds_grow_old_and_their_minutes_stay(void **state)
{
    struct world *world = *state;
    world->options.seconds_days = 10;
    start_store(world);
    for (int day = 0; day < 20; day++)
        say(world, NOW + day * DAY_MS, day);
    stop_and_keep_up(world, NOW + 19 * DAY_MS + 3 * 3600000);
    assert_int_equal(number_of("SELECT count(*) FROM second"), 10);
    assert_int_equal(number_of("SELECT min(minute) FROM second"), MINUTE + 10 * 1440);
    assert_int_equal(number_of("SELECT count(*) FROM minute"), 20);
    assert_int_equal(number_of("SELECT seconds_from FROM spool"), MINUTE + 9 * 1440 + 1);

    restart(world); /* a device that was in a drawer: into the minutes, and its seconds go */
    say(world, NOW + DAY_MS + 500, 50);
    say(world, NOW + DAY_MS + 60000, 60);
    stop_and_keep_up(world, NOW + 20 * DAY_MS);
    struct block hour = stored("minute", HOUR + 24);
    assert_int_equal(hour.slots[MINUTE % 60].count, 2);
    assert_int_equal(hour.slots[MINUTE % 60].max, metric_quantise(&sensor_metrics[ANGLE], 50));
    assert_int_equal(hour.slots[MINUTE % 60 + 1].count, 1);
    assert_int_equal(number_of("SELECT count(*) FROM second WHERE minute < 28334773"), 0);
}

static void minutes_grow_old_where_they_shall(void **state)
{
    struct world *world = *state;
    world->options.seconds_days = 1;
    world->options.minutes_days = 5;
    start_store(world);
    for (int day = 0; day < 20; day++)
        say(world, NOW + day * DAY_MS, day);
    stop_and_keep_up(world, NOW + 19 * DAY_MS + 3 * 3600000);
    for (int i = 0; i < 10; i++) /* one value of one device at a time */
        keep_up(world, NOW + 19 * DAY_MS + 3 * 3600000);
    assert_int_equal(number_of("SELECT count(*) FROM minute"), 5);
}

static void too_much_costs_the_oldest_seconds(void **state)
{
    struct world *world = *state;
    world->options.size_bytes = 260000;
    start_store(world);
    for (int64_t second = 0; second < 40000; second++)
        say(world, NOW + second * 1000, (double)(second * 7919 % 130));
    stop_and_keep_up(world, NOW + DAY_MS);
    int64_t used = number_of("SELECT (SELECT * FROM pragma_page_count) -"
                             " (SELECT * FROM pragma_freelist_count)");
    assert_true(used * 4096 <= 260000);
    assert_true(number_of("SELECT min(minute) FROM second") > MINUTE);
    assert_int_equal(number_of("SELECT max(minute) FROM second"), MINUTE + 666);
    assert_int_equal(number_of("SELECT count(*) FROM minute"), 12);
}

/* ---- queries ---- */

static struct store_query *ask(struct world *world, int64_t from_ms, int64_t to_ms, unsigned points,
                               struct store_answer *answer)
{
    struct store_query *query = store_query_now(
        world->store, &(struct store_wanted){"sensor", "s-1", "angle", from_ms, to_ms, points},
        answer);
    if (answer->code != 0)
        fail_msg("%d: %s", answer->code, answer->words);
    return query;
}

/* A batch is gathered, then on its way, then in the file: each sample is there once at any time. */
static void what_is_not_yet_on_the_disk_is_in_the_answer_once(void **state)
{
    struct world *world = *state;
    struct store_answer answer;
    start_store(world);
    for (int round = 0; round < 3; round++) {
        for (int sealed = 0; sealed < 2; sealed++) {
            say(world, NOW + round * 1000, 10 * round);
            struct store_query *query = ask(world, NOW - 10000, NOW + 10000, 100, &answer);
            assert_int_equal(answer.step_ms, 1000);
            assert_int_equal(answer.count, round + 1);
            for (int i = 0; i <= round; i++) {
                assert_int_equal(answer.points[i].from_ms, NOW + i * 1000);
                assert_int_equal(answer.points[i].count, i < round ? 2 : sealed + 1);
                assert_true(fabs(answer.points[i].mean - 10 * i) < 0.01);
            }
            store_query_free(query);
            if (sealed == 0)
                flush(world);
        }
    }
    /* Sealed, and held back: on its way. */
    store_turn(world->store, NOW + 60000, 90000, 0, false);
    say(world, NOW, 7);
    struct store_query *query = ask(world, NOW, NOW + 1000, 100, &answer);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.points[0].count, 3);
    store_query_free(query);
    store_turn(world->store, NOW + 60000, 90000, STORE_NONE, false);
}

static void each_span_has_its_resolution(void **state)
{
    struct world *world = *state;
    static const struct {
        int64_t from_ms, to_ms;
        unsigned points;
        int64_t step_ms;
        size_t count;
        uint64_t samples;
    } cases[] = {
        {0, 60000, 60, 1000, 60, 60},
        {0, 60000, 59, 2000, 30, 60},
        {500, 1500, 60, 1000, 2, 2}, /* both seconds that it touches */
        {0, 3600000, 3600, 1000, 3600, 3600},
        {0, 3600000, 600, 10000, 360, 3600},
        {0, 3600000, 60, 60000, 60, 3600},  /* minutes, of seconds that wait for them */
        {0, 7200000, 30, 300000, 24, 7200}, /* one hour of minutes, one that waits */
        {0, 7200000, 1, 7200000, 1, 7200},
        {-3600000, 10800000, 4, 3600000, 2, 7200}, /* gaps on both sides */
        {0, 90 * DAY_MS, 10, 9 * DAY_MS, 1, 7200},
        {-7200000, -3600000, 600, 10000, 0, 0},
    };
    int64_t begin_ms = (NOW / 7200000 + 1) * 7200000;
    start_store(world);
    for (int64_t second = 0; second < 7200; second++)
        say(world, begin_ms + second * 1000, (double)(second % 60));
    stop_and_keep_up(world, begin_ms + 3600000 + 120000); /* the first hour is over */
    assert_int_equal(number_of("SELECT count(*) FROM minute"), 1);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct store_answer answer;
        uint64_t samples = 0;
        struct store_query *query = ask(world, begin_ms + cases[i].from_ms,
                                        begin_ms + cases[i].to_ms, cases[i].points, &answer);
        if (answer.step_ms != cases[i].step_ms || answer.count != cases[i].count)
            fail_msg("case %u: %zu of %lld ms", i, answer.count, (long long)answer.step_ms);
        for (size_t p = 0; p < answer.count; p++) {
            assert_int_equal(answer.points[p].from_ms % answer.step_ms, 0);
            assert_true(answer.points[p].min <= answer.points[p].mean &&
                        answer.points[p].mean <= answer.points[p].max);
            samples += answer.points[p].count;
        }
        assert_int_equal(samples, cases[i].samples);
        if (answer.step_ms >= 60000 && answer.count > 0) {
            assert_true(fabs(answer.points[0].mean - 29.5) < 0.01);
            assert_true(fabs(answer.points[0].min - 0) < 0.01);
            assert_true(fabs(answer.points[0].max - 59) < 0.01);
        }
        store_query_free(query);
    }
}

static void seconds_that_were_dropped_are_answered_in_minutes(void **state)
{
    struct world *world = *state;
    struct store_answer answer;
    start_store(world);
    for (int64_t second = 0; second < 600; second++)
        say(world, NOW + second * 1000, 1);
    stop_and_keep_up(world, NOW + 100 * DAY_MS);
    assert_int_equal(number_of("SELECT count(*) FROM second"), 0);
    struct store_query *query = ask(world, NOW, NOW + 600000, 600, &answer);
    assert_int_equal(answer.step_ms, 60000);
    assert_int_equal(answer.count, 11);
    store_query_free(query);
}

static void what_makes_no_sense_is_refused_and_what_nobody_knows_is_empty(void **state)
{
    struct world *world = *state;
    static const struct {
        struct store_wanted wanted;
        int code;
        bool known;
    } cases[] = {
        {{"sensor", "s-1", "angle", 10, 10, 5}, ERR_RANGE, false},
        {{"sensor", "s-1", "angle", 10, 5, 5}, ERR_RANGE, false},
        {{"sensor", "s-1", "angle", -10, 5, 5}, ERR_RANGE, false},
        {{"sensor", "s-1", "angle", 0, INT64_MAX, 5}, ERR_RANGE, false},
        {{"sensor", "s-1", "angle", 0, 10, 0}, ERR_RANGE, false},
        {{"sensor", "s-1", "angle", 0, 10, STORE_POINTS_MAX + 1}, ERR_RANGE, false},
        {{"sensor", "s-1", "angle", 0, 10, 5}, 0, true}, /* in the table of devices */
        {{"sensor", "s-0", "angle", 0, 10, 5}, 0, true}, /* in the file */
        {{"sensor", "s-2", "angle", 0, 10, 5}, 0, false},
        {{"sensor", "s-1", "angel", 0, 10, 5}, 0, true},
        {{"scale", "s-1", "angle", 0, INT64_C(253402300800000), 5}, 0, false},
    };
    start_store(world);
    run_sql("INSERT INTO device (kind, name) VALUES ('sensor', 's-0')");
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct store_answer answer;
        struct store_query *query = store_query_now(world->store, &cases[i].wanted, &answer);
        assert_int_equal(answer.code, cases[i].code);
        assert_int_equal(answer.known, cases[i].known);
        assert_int_equal(answer.count, 0);
        store_query_free(query);
    }
}

static void what_was_lost_is_told_with_its_span(void **state)
{
    struct world *world = *state;
    static const struct {
        int64_t from_ms, to_ms;
        size_t count;
        uint64_t messages; /* of the newest */
    } cases[] = {
        {0, 1000, 0, 0},    /* before */
        {0, 1001, 1, 5},    /* touches its first ms */
        {2000, 3000, 1, 5}, /* and its last */
        {2001, 3000, 0, 0}, /* behind it */
        {0, 10000, 2, 0},   /* a number that is not known */
    };
    start_store(world);
    run_sql("INSERT INTO gap (from_ms, to_ms, messages, why) VALUES (1000, 2000, 5, 'first'),"
            " (5000, 6000, NULL, 'second')");
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct store_answer answer;
        struct store_query *query = ask(world, cases[i].from_ms, cases[i].to_ms, 10, &answer);
        assert_int_equal(answer.lost_count, cases[i].count);
        if (answer.lost_count > 0) {
            assert_int_equal(answer.lost[0].messages, cases[i].messages);
            assert_string_equal(answer.lost[0].why, cases[i].messages == 5 ? "first" : "second");
        }
        store_query_free(query);
    }
}

static pthread_t loop_thread;
static _Atomic unsigned reads;

/* uv's pool. */
/* ---- what cannot be read ---- */

static void assert_unreadable(struct world *world, int64_t to_ms, unsigned points)
{
    struct store_wanted wanted = {"sensor", "s-1", "angle", NOW, to_ms, points};
    struct store_answer answer;
    struct store_query *query = store_query_now(world->store, &wanted, &answer);
    assert_int_equal(answer.code, ERR_IO);
    assert_non_null(strstr(answer.words, "cannot be read"));
    assert_int_equal(answer.count, 0);
    store_query_free(query);
}

/* The first page of a table, of which its others are found. */
static void damage_page(const char *table)
{
    char sql[96];
    snprintf(sql, sizeof(sql), "SELECT rootpage FROM sqlite_schema WHERE name = '%s'", table);
    int64_t page = number_of(sql), bytes = number_of("PRAGMA page_size");
    FILE *at = fopen(file, "r+b");
    assert_non_null(at);
    assert_int_equal(fseek(at, (long)((page - 1) * bytes), SEEK_SET), 0);
    for (int64_t i = 0; i < bytes; i++)
        assert_int_equal(fputc(0xee, at), 0xee);
    assert_int_equal(fclose(at), 0);
}

static void what_is_damaged_is_said_and_is_no_silence(void **state)
{
    struct world *world = *state;
    start_store(world);
    say(world, NOW, 1);
    stop_and_keep_up(world, NOW + DAY_MS); /* it has its minutes */
    stop_store(world, 80000);
    static const struct {
        const char *sql, *page; /* either */
        int64_t span_ms;        /* in seconds, in minutes */
        unsigned points;
    } cases[] = {
        {"UPDATE second SET block = x'ee'", NULL, 5000, 5},
        {"UPDATE minute SET block = x'ee'", NULL, 5 * DAY_MS, 5},
        {"INSERT INTO rollup SELECT hour FROM minute", NULL, 5 * DAY_MS, 5}, /* which waits */
        {NULL, "minute", 5 * DAY_MS, 5},
        {NULL, "second", 5000, 5},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cases[i].sql != NULL)
            run_sql(cases[i].sql);
        else
            damage_page(cases[i].page);
        open_store(world);
        assert_unreadable(world, NOW + cases[i].span_ms, cases[i].points);
        store_close(world->store);
        world->store = NULL;
    }
}

static void on_read(void *user, const struct store_answer *answer)
{
    (void)user;
    assert_int_equal(answer->count, 1);
    assert_false(pthread_equal(pthread_self(), loop_thread));
    atomic_fetch_add(&reads, 1);
}

static void on_answer(void *user, const struct store_answer *answer)
{
    unsigned *count = user;
    assert_true(pthread_equal(pthread_self(), loop_thread));
    assert_int_equal(answer->code, 0);
    assert_int_equal(answer->count, 1);
    assert_int_equal(answer->points[0].count, 1);
    (*count)++;
}

static void a_query_leaves_the_loop_empty(void **state)
{
    struct world *world = *state;
    unsigned answers = 0;
    uv_loop_t loop;
    loop_thread = pthread_self();
    start_store(world);
    say(world, NOW, 1);
    flush(world);
    assert_int_equal(uv_loop_init(&loop), 0);
    struct store_wanted wanted = {"sensor", "s-1", "angle", NOW, NOW + 1000, 5};
    for (int i = 0; i < 10; i++)
        assert_int_equal(store_query(world->store, &loop, &wanted, i % 2 == 0 ? on_read : NULL,
                                     on_answer, &answers),
                         0);
    assert_int_equal(answers, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(answers, 10);
    assert_int_equal(reads, 5);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_hour_that_is_over_gets_its_minutes),
        CASE(seconds_grow_old_and_their_minutes_stay),
        CASE(minutes_grow_old_where_they_shall),
        CASE(too_much_costs_the_oldest_seconds),
        CASE(what_is_not_yet_on_the_disk_is_in_the_answer_once),
        CASE(each_span_has_its_resolution),
        CASE(seconds_that_were_dropped_are_answered_in_minutes),
        CASE(what_makes_no_sense_is_refused_and_what_nobody_knows_is_empty),
        CASE(what_was_lost_is_told_with_its_span),
        CASE(what_is_damaged_is_said_and_is_no_silence),
        CASE(a_query_leaves_the_loop_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
