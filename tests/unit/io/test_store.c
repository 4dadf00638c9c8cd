/* The store: what is put in comes out, with the spool's place, whatever file is found. */
#include "store_place.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "core/alarms.h"
#include "core/plan.h"
#include "io/store_rows.h"
#include "io/store_session_rows.h"

static unsigned count_files(const char *part)
{
    unsigned count = 0;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += entry->d_name[0] != '.' && strstr(entry->d_name, part) != NULL;
    closedir(listing);
    return count;
}

/* ---- batches ---- */

static void a_batch_holds_samples_and_the_place_of_the_spool(void **state)
{
    struct world *world = *state;
    start_store(world);
    assert_int_equal(store_position(world->store), 0);
    assert_int_equal(store_needs(world->store), 0);
    say(world, NOW, 10);
    say(world, NOW + 1000, 20);
    assert_true(store_flush(world->store, NOW, 70000));
    assert_int_equal(store_position(world->store), 70000);
    assert_int_equal(store_needs(world->store), 70000);
    say(world, NOW + 1500, 40); /* the same second, sealed a second time */
    say(world, NOW - 3600000, 5);
    stop_store(world, 80000);

    struct block block = stored("second", MINUTE);
    assert_int_equal(block.slots[20].count, 1);
    assert_int_equal(block.slots[21].count, 2);
    assert_int_equal(block.slots[21].mean, metric_quantise(&sensor_metrics[ANGLE], 30));
    assert_int_equal(stored("second", MINUTE - 60).slots[20].count, 1);
    assert_int_equal(number_of("SELECT position FROM spool"), 80000);
    assert_int_equal(number_of("SELECT clean FROM spool"), 1);
    assert_int_equal(number_of("SELECT count(*) FROM rollup"), 2);

    start_store(world); /* and goes on there */
    assert_int_equal(store_position(world->store), 80000);
    say(world, NOW + 1600, 40);
    assert_true(store_flush(world->store, NOW, 90000));
    assert_int_equal(stored("second", MINUTE).slots[21].count, 3);
    assert_int_equal(number_of("SELECT clean FROM spool"), 0);
    assert_int_equal(number_of("SELECT count(*) FROM device"), 1);
    assert_int_equal(number_of("SELECT count(*) FROM metric"), 1);
}

/* When a batch goes: each turn is a moment, and `sealed` says whether the open batch is another. */
static void a_batch_is_sealed_when_it_is_due(void **state)
{
    struct world *world = *state;
    static const struct {
        int64_t after_ms;
        bool sample, row, hurry, sealed;
    } cases[] = {
        {59000, true, false, false, false}, /* the minute is not over */
        {60000, true, false, false, true},
        {60000, false, false, false, false}, /* nothing came */
        {900, false, true, false, false},    /* a row waits a second, not a minute */
        {1000, false, true, false, true},
        {200, true, false, true, false}, /* the spool needs its places, but not at any price */
        {250, true, false, true, true},
    };
    start_store(world);
    uint64_t position = 70000;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t now_ms = NOW + i * 1000000;
        const struct store_value client[] = {store_int(i + 1), store_text("a"), store_int(0),
                                             store_null(), store_null()};
        assert_true(store_flush(world->store, now_ms, position));
        uint64_t batch = store_batch(world->store);
        if (cases[i].sample)
            say(world, now_ms, 1);
        if (cases[i].row)
            assert_true(store_put(world->store, STORE_CLIENT, client, 5));
        store_turn(world->store, now_ms + cases[i].after_ms, position, STORE_NONE, cases[i].hurry);
        if ((store_batch(world->store) != batch) != cases[i].sealed)
            fail_msg("case %u", i);
    }
}

static void a_batch_never_goes_beyond_the_copy_of_the_spool(void **state)
{
    struct world *world = *state;
    start_store(world);
    say(world, NOW, 1);
    store_turn(world->store, NOW + 60000, 70000, 69999, false);
    struct timespec rest = {0, 100000000};
    nanosleep(&rest, NULL);
    assert_int_equal(store_committed(world->store), 0);
    store_turn(world->store, NOW + 60100, 75000, 70000, false);
    for (int i = 0; i < 100 && store_committed(world->store) == 0; i++)
        nanosleep(&rest, NULL);
    assert_int_equal(store_committed(world->store), 1);
    store_turn(world->store, NOW + 60200, 75000, 70000, false);
    assert_int_equal(store_position(world->store), 70000);
}

static void the_place_is_believed_only_of_the_same_spool(void **state)
{
    struct world *world = *state;
    static const struct {
        uint64_t ring, tail, head, position;
        int64_t gaps;
    } cases[] = {
        {RING, 65536, 90000, 80000, 0},
        {RING, 80000, 90000, 80000, 0},     /* just what was stored has gone */
        {RING, 85000, 90000, 80000, 1},     /* and more than that */
        {RING, 65536, 79000, 79000, 0},     /* the copy was behind, when the power was cut */
        {RING + 1, 65536, 95000, 95000, 0}, /* another one: nobody knows, none twice */
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world->options.ring = RING;
        world->options.tail = 65536;
        world->options.head = 80000;
        start_store(world);
        assert_true(store_flush(world->store, NOW, 80000));
        stop_store(world, 80000);
        run_sql("DELETE FROM gap");
        world->options.ring = cases[i].ring;
        world->options.tail = cases[i].tail;
        world->options.head = cases[i].head;
        start_store(world);
        if (store_position(world->store) != cases[i].position)
            fail_msg("case %u: %llu", i, (unsigned long long)store_position(world->store));
        stop_store(world, cases[i].head);
        assert_int_equal(number_of("SELECT count(*) FROM gap"), cases[i].gaps);
    }
}

/* ---- what is looked for ---- */

static void what_a_start_and_a_report_look_for_has_its_index(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *table, *where, *index;
    } cases[] = {
        {"session", SESSIONS_UNDER_WAY, "USING INDEX session_under_way"},
        {"session", SESSIONS_LAST, "USING COVERING INDEX session_of_room"},
        {"calibration", "session = 7", "USING INDEX calibration_of_session"},
    };
    open_store(world);
    sqlite3 *db = open_file();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char sql[256], plan[1024] = "";
        sqlite3_stmt *statement;
        snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN SELECT * FROM %s WHERE %s ORDER BY 1, 2",
                 cases[i].table, cases[i].where);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(statement, 3);
            snprintf(plan + strlen(plan), sizeof(plan) - strlen(plan), "%s; ", step);
            if (strncmp(step, "SCAN", 4) == 0 && strstr(step, "COVERING INDEX") == NULL)
                fail_msg("%s: %s", sql, step); /* every row with its body */
        }
        if (strstr(plan, cases[i].index) == NULL)
            fail_msg("%s: %s", sql, plan);
        sqlite3_finalize(statement);
    }
    sqlite3_close(db);
    store_close(world->store);
    world->store = NULL;
}

/* ---- files ---- */

static void a_newer_file_is_refused_in_a_sentence_and_left(void **state)
{
    struct world *world = *state;
    struct diag diag = {0};
    start_store(world);
    stop_store(world, 0);
    run_sql("PRAGMA user_version = 4711");
    assert_int_equal(store_open(&world->store, &world->options, NOW, &diag), ERR_VERSION);
    assert_null(world->store);
    assert_non_null(strstr(diag.text, "was made by a newer version of Lumbar (4711, "));
    assert_int_equal(count_files("damaged"), 0);
    assert_int_equal(number_of("PRAGMA user_version"), 4711);
}

static void a_file_that_another_hub_has_is_refused_in_a_sentence(void **state)
{
    struct world *world = *state;
    struct store *second;
    struct diag diag = {0};
    start_store(world);
    assert_int_equal(store_open(&second, &world->options, NOW, &diag), ERR_TAKEN);
    assert_null(second);
    assert_non_null(strstr(diag.text, "history.db is in use by another program"));
    stop_store(world, 0);
    start_store(world);
}

static void damage(const char *how)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    char noise[4096];
    assert_true(fd >= 0);
    memset(noise, 0x5a, sizeof(noise));
    if (strcmp(how, "head") == 0)
        assert_int_equal(pwrite(fd, noise, sizeof(noise), 0), sizeof(noise));
    if (strcmp(how, "schema") == 0)
        assert_int_equal(pwrite(fd, noise, 2000, 100), 2000);
    if (strcmp(how, "pages") == 0)
        for (off_t at = 4096; at < 40960; at += 4096)
            assert_int_equal(pwrite(fd, noise, sizeof(noise), at), sizeof(noise));
    if (strcmp(how, "short") == 0)
        assert_int_equal(ftruncate(fd, 10000), 0);
    close(fd);
}

static void a_damaged_file_is_set_aside_and_a_new_one_begun(void **state)
{
    struct world *world = *state;
    static const char *const ways[] = {"head", "schema", "pages", "short"};
    for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        start_store(world);
        say(world, NOW, 1);
        stop_store(world, 70000);
        damage(ways[i]);
        start_store(world);
        if (store_position(world->store) != 0)
            fail_msg("%s was not noticed", ways[i]);
        say(world, NOW, 2);
        assert_true(store_flush(world->store, NOW, 75000));
        assert_int_equal(stored("second", MINUTE).slots[20].count, 1);
        stop_store(world, 75000);
        if (count_files("damaged") != 1) /* the file; its log went when it was closed */
            fail_msg("%s: %u files", ways[i], count_files("damaged"));
        char command[160];
        snprintf(command, sizeof(command), "rm %s/*", folder);
        assert_int_equal(system(command), 0);
    }
}

static void damage_that_is_met_at_work_costs_the_old_file_and_not_the_batch(void **state)
{
    struct world *world = *state;
    start_store(world);
    for (int minute = 0; minute < 200; minute++) /* the table has several pages */
        for (int second = 0; second < 60; second++)
            say(world, NOW + minute * 60000 + second * 1000, second * minute % 89);
    stop_store(world, 70000);
    sqlite3 *db = open_file();
    sqlite3_stmt *find;
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT rootpage FROM sqlite_master WHERE name = 'second'",
                                        -1, &find, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(find), SQLITE_ROW);
    off_t page = sqlite3_column_int(find, 0);
    sqlite3_finalize(find);
    sqlite3_close(db);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    char noise[4096];
    memset(noise, 0x5a, sizeof(noise));
    assert_int_equal(pwrite(fd, noise, sizeof(noise), (page - 1) * 4096), sizeof(noise));
    close(fd);

    start_store(world);
    assert_int_equal(store_position(world->store), 70000);
    say(world, NOW, 3);
    store_flush(world->store, NOW, 80000); /* false where it came back at the first refusal */
    struct timespec rest = {0, 100000000};
    for (int i = 0; i < 100 && store_committed(world->store) < 2; i++)
        nanosleep(&rest, NULL);
    stop_store(world, 80000);
    assert_int_equal(count_files("damaged"), 1);
    assert_int_equal(stored("second", MINUTE).slots[20].count, 1);
    assert_int_equal(number_of("SELECT position FROM spool"), 80000);
}

static void a_disk_that_refuses_costs_nothing_while_it_lasts(void **state)
{
    struct world *world = *state;
    struct rlimit before, limit;
    struct timespec rest = {0, 50000000};
    world->options.patience_ms = 100;
    start_store(world);
    say(world, NOW, 1);
    assert_true(store_flush(world->store, NOW, 70000));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 8192;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    say(world, NOW + 1000, 2);
    assert_false(store_flush(world->store, NOW, 71000));
    for (int i = 0; i < 100 && store_is_safe(world->store); i++)
        nanosleep(&rest, NULL);
    assert_false(store_is_safe(world->store));
    assert_int_equal(store_needs(world->store), STORE_NONE); /* the spool is let go */
    assert_int_equal(store_position(world->store), 70000);
    say(world, NOW + 2000, 3); /* still gathered */
    store_lose(world->store, NOW + 2500);
    store_lose(world->store, NOW + 2600);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    for (int i = 0; i < 100 && !store_is_safe(world->store); i++)
        nanosleep(&rest, NULL);
    stop_store(world, 73000);
    struct block block = stored("second", MINUTE);
    assert_int_equal(block.slots[20].count, 1);
    assert_int_equal(block.slots[21].count, 1);
    assert_int_equal(block.slots[22].count, 1);
    assert_int_equal(number_of("SELECT position FROM spool"), 73000);
    assert_int_equal(number_of("SELECT messages FROM gap"), 2);
    assert_int_equal(number_of("SELECT to_ms - from_ms FROM gap"), 100);
}

/* With a file and without. */
static void a_store_opens_with_a_full_disk_and_writes_when_there_is_room(void **state)
{
    struct world *world = *state;
    struct rlimit before, limit;
    struct timespec rest = {0, 50000000};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (uint64_t batch = 1; batch <= 3; batch += 2) {
        limit = before;
        limit.rlim_cur = 100;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        start_store(world);
        assert_int_equal(store_position(world->store), batch == 1 ? 0 : 71000);
        say(world, NOW, 1);
        assert_false(store_flush(world->store, NOW, 70000 + batch));
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        for (int i = 0; i < 100 && store_committed(world->store) < batch; i++)
            nanosleep(&rest, NULL);
        stop_store(world, 71000);
        assert_int_equal(stored("second", MINUTE).slots[20].count, batch / 2 + 1);
        assert_int_equal(number_of("SELECT position FROM spool"), 71000);
    }
    struct diag diag = {0}; /* what is wrong otherwise is said, and not waited for */
    world->options.file = "/nowhere/history.db";
    assert_int_equal(store_open(&world->store, &world->options, NOW, &diag), ERR_IO);
    assert_non_null(strstr(diag.text, "/nowhere/history.db: unable to open database file"));
}

/* ---- rows ---- */

struct rows {
    unsigned count;
    struct store_value last[STORE_COLUMNS_MAX];
    char text[64];
};

static void on_row(void *user, const struct store_value *values, unsigned count)
{
    struct rows *rows = user;
    rows->count++;
    memcpy(rows->last, values, count * sizeof(*values));
    snprintf(rows->text, sizeof(rows->text), "%s", values[1].text != NULL ? values[1].text : "-");
}

static void rows_are_put_again_removed_and_loaded(void **state)
{
    struct world *world = *state;
    struct diag diag = {0};
    start_store(world);
    const struct store_value first[] = {store_int(1), store_text("Ahorn"), store_int(NOW),
                                        store_null(), store_text("{}")},
                             renamed[] = {store_int(1), store_text("Birke"), store_int(NOW),
                                          store_int(NOW + 5), store_null()},
                             second[] = {store_int(2), store_text("Eiche"), store_int(NOW),
                                         store_null(), store_null()},
                             same[] = {store_int(3), store_text("Eiche"), store_int(NOW),
                                       store_null(), store_null()};
    assert_true(store_put(world->store, STORE_CLIENT, first, 5));
    assert_true(store_put(world->store, STORE_CLIENT, renamed, 5));
    assert_true(store_put(world->store, STORE_CLIENT, second, 5));
    assert_true(store_put(world->store, STORE_CLIENT, same, 5)); /* an alias twice: not taken */
    stop_store(world, 70000);

    struct rows rows = {0};
    open_store(world);
    assert_int_equal(store_load(world->store, STORE_CLIENT, NULL, on_row, &rows, &diag), 0);
    assert_int_equal(rows.count, 2);
    assert_string_equal(rows.text, "Eiche");
    rows.count = 0;
    assert_int_equal(
        store_load(world->store, STORE_CLIENT, "archived_ms IS NOT NULL", on_row, &rows, &diag), 0);
    assert_int_equal(rows.count, 1);
    assert_string_equal(rows.text, "Birke");
    assert_int_equal(rows.last[3].integer, NOW + 5);
    assert_int_equal(rows.last[4].type, STORE_NULL);
    assert_int_equal(store_start(world->store, NULL, NULL, &diag), 0);
    assert_true(store_remove(world->store, STORE_CLIENT, first, 1));
    stop_store(world, 71000);
    assert_int_equal(number_of("SELECT count(*) FROM client"), 1);
}

static void rows_beyond_the_room_are_refused_whole(void **state)
{
    struct world *world = *state;
    static char body[100001];
    memset(body, 'x', 100000);
    start_store(world);
    unsigned taken = 0;
    for (int i = 1; i <= 30; i++) {
        const struct store_value plan[] = {store_int(i),    store_null(), store_null(),
                                           store_text("p"), store_int(0), store_null(),
                                           store_text(body)};
        taken += store_put(world->store, STORE_PLAN, plan, 7);
    }
    assert_int_equal(taken, STORE_ROWS_BYTES / 100000);
    stop_store(world, 70000);
    assert_int_equal(number_of("SELECT count(*) FROM plan"), STORE_ROWS_BYTES / 100000);
    assert_int_equal(number_of("SELECT min(length(body)) FROM plan"), 100000);
}

/* ---- alarms ---- */

static const char rules_text[] =
    "rules:\n"
    "  - {name: bent, title: Bent, metric: angle, above: 45 deg, priority: low, text: Bent}\n"
    "  - {name: cold, title: Cold, metric: temperature, below: 25 Cel, priority: low, text: C}\n";

static struct rules *load_rules(struct world *world, const char *yaml)
{
    struct rules *rules = NULL;
    struct diag diag = {0};
    struct rules_text text = {"rules.yaml", yaml, strlen(yaml), false};
    if (rules_load(&rules, &text, 1, &world->drivers, 4, &diag) != 0)
        fail_msg("%s", diag.text);
    return rules;
}

static void take(struct world *world, struct alarms *alarms, const struct rules *rules,
                 const char *rule, bool on, int64_t at_ms)
{
    struct rule_event event = {.rule = rules_find(rules, rule),
                               .device = world->device->id,
                               .on = on,
                               .value = 50,
                               .limit = NAN,
                               .time_ms = at_ms,
                               .phase = plan_kind_find("heat")};
    const struct alarm *alarm = alarms_take(alarms, &event);
    assert_non_null(alarm);
    assert_true(store_alarm(world->store, alarm, world->device, "salon", alarms_hand(alarms)));
}

static void load_alarms(struct world *world, struct alarms *alarms, const struct rules *rules,
                        int64_t now_ms)
{
    struct diag diag = {0};
    const struct store_alarms_world where = {
        .alarms = alarms, .rules = rules, .devices = world->devices, .drivers = &world->drivers};
    assert_int_equal(store_load_alarms(world->store, &where, now_ms, &diag), 0);
}

static void alarms_that_stood_stand_again(void **state)
{
    struct world *world = *state;
    struct rules *rules = load_rules(world, rules_text);
    struct alarms *alarms = alarms_create();
    struct diag diag = {0};
    start_store(world);
    take(world, alarms, rules, "bent", true, NOW);
    take(world, alarms, rules, "cold", true, NOW + 1);
    take(world, alarms, rules, "bent", false, NOW + 2);
    stop_store(world, 70000);
    alarms_destroy(alarms);
    assert_int_equal(number_of("SELECT count(*) FROM alarm"), 2);
    assert_int_equal(number_of("SELECT count(*) FROM alarm_transition"), 3);

    alarms = alarms_create();
    open_store(world);
    load_alarms(world, alarms, rules, NOW + 100);
    assert_int_equal(alarms_standing(alarms), 1);
    const struct alarm *cold = alarms_next(alarms, NULL);
    assert_ptr_equal(cold->rule, rules_find(rules, "cold"));
    assert_int_equal(cold->device, world->device->id);
    assert_int_equal(cold->number, 2);
    assert_int_equal(cold->raised_ms, NOW + 1);
    assert_true(cold->value == 50);
    assert_ptr_equal(cold->phase, plan_kind_find("heat"));
    assert_int_equal(store_start(world->store, NULL, NULL, &diag), 0);
    take(world, alarms, rules, "bent", true, NOW + 200); /* the next number, the next change */
    take(world, alarms, rules, "cold", false, NOW + 201);
    stop_store(world, 71000);
    alarms_destroy(alarms);
    assert_int_equal(number_of("SELECT count(*) FROM alarm_transition"), 5);
    assert_int_equal(number_of("SELECT max(number) FROM alarm"), 3);
    rules_destroy(rules);

    /* Its rule is gone meanwhile. */
    rules = load_rules(world, "rules: []\n");
    alarms = alarms_create();
    open_store(world);
    load_alarms(world, alarms, rules, NOW + 300);
    assert_int_equal(alarms_standing(alarms), 0);
    assert_int_equal(store_start(world->store, NULL, NULL, &diag), 0);
    stop_store(world, 72000);
    assert_int_equal(number_of("SELECT count(*) FROM alarm WHERE presence <> 0"), 0);
    assert_int_equal(number_of("SELECT count(*) FROM alarm_transition WHERE who = 'hub'"), 1);
    alarms_destroy(alarms);
    rules_destroy(rules);
}

/* In words that tell where it came from; by number, for the next run has another table. */
static void order(struct world *world, struct alarms *alarms, uint64_t number, enum alarm_deed deed)
{
    const struct alarm_order order = {.deed = deed,
                                      .now_ms = NOW + 10,
                                      .until_ms = NOW + 600000,
                                      .who = "Ana Ö.",
                                      .why = "\"pad\" moved"};
    const struct alarm *alarm;
    assert_int_equal(alarms_order(alarms, number, &order, &alarm), 0);
    assert_true(store_alarm(world->store, alarm, world->device, "", alarms_hand(alarms)));
}

static void an_alarm_is_restored_with_all_that_people_did(void **state)
{
    struct world *world = *state;
    struct rules *rules = load_rules(
        world, "rules:\n"
               "  - {name: bent, title: B, metric: angle, above: 45 deg, priority: low, text: B,"
               " latch: true}\n"
               "  - {name: cold, title: C, metric: temperature, below: 25 Cel, priority: low,"
               " text: C}\n");
    struct alarms *alarms = alarms_create();
    struct diag diag = {0};
    start_store(world);
    take(world, alarms, rules, "bent", true, NOW);
    order(world, alarms, 1, DEED_ACK);
    take(world, alarms, rules, "bent", false, NOW + 20); /* latched, and somebody knows */
    take(world, alarms, rules, "cold", true, NOW + 1);
    order(world, alarms, 2, DEED_SHELVE);
    take(world, alarms, rules, "cold", false, NOW + 30); /* over, and shelved still */
    const struct alarm bent = *alarms_by_number(alarms, 1), cold = *alarms_by_number(alarms, 2);
    stop_store(world, 70000);
    alarms_destroy(alarms);

    alarms = alarms_create();
    open_store(world);
    load_alarms(world, alarms, rules, NOW + 100);
    const struct alarm *again = alarms_by_number(alarms, 1);
    assert_int_equal(again->state, STATE_LATCHED_ACK);
    assert_string_equal(again->acked.who, "Ana Ö.");
    assert_string_equal(again->acked.why, "\"pad\" moved");
    assert_int_equal(again->acked.at_ms, bent.acked.at_ms);
    assert_int_equal(again->since_ms, bent.since_ms);
    assert_int_equal(again->raised_ms, NOW);
    again = alarms_by_number(alarms, 2);
    assert_int_equal(again->state, STATE_OFF);
    assert_int_equal(again->shelved_until_ms, cold.shelved_until_ms);
    assert_string_equal(again->shelved.why, "\"pad\" moved");
    assert_int_equal(alarms_standing(alarms), 1);
    assert_int_equal(store_start(world->store, NULL, NULL, &diag), 0);
    stop_store(world, 71000);
    assert_int_equal(number_of("SELECT count(*) FROM alarm_transition WHERE who = 'Ana Ö.'"), 2);
    alarms_destroy(alarms);
    rules_destroy(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_batch_holds_samples_and_the_place_of_the_spool),
        CASE(a_batch_is_sealed_when_it_is_due),
        CASE(a_batch_never_goes_beyond_the_copy_of_the_spool),
        CASE(the_place_is_believed_only_of_the_same_spool),
        CASE(what_a_start_and_a_report_look_for_has_its_index),
        CASE(a_newer_file_is_refused_in_a_sentence_and_left),
        CASE(a_file_that_another_hub_has_is_refused_in_a_sentence),
        CASE(a_damaged_file_is_set_aside_and_a_new_one_begun),
        CASE(damage_that_is_met_at_work_costs_the_old_file_and_not_the_batch),
        CASE(a_disk_that_refuses_costs_nothing_while_it_lasts),
        CASE(a_store_opens_with_a_full_disk_and_writes_when_there_is_room),
        CASE(rows_are_put_again_removed_and_loaded),
        CASE(rows_beyond_the_room_are_refused_whole),
        CASE(alarms_that_stood_stand_again),
        CASE(an_alarm_is_restored_with_all_that_people_did),
    };
    signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
