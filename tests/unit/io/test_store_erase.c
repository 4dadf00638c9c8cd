/* Erasing a client: what goes, what stays as it was, and that no copy is left in the file. */
#include "store_place.h"

#include "io/store_rows.h"
#include "io/store_state.h"

#define CLIENTS 60
#define BEGIN   (NOW + 3600000) /* of the sessions; each client has two, of ten minutes */

/* ---- a clinic ---- */

static void put(struct world *world, enum store_table table, const struct store_value *values,
                unsigned count)
{
    assert_true(store_put(world->store, table, values, count));
}

/* Recognised wherever it lies, and of its own length for each. */
static const char *mark(int64_t client, const char *of)
{
    static char text[8][400];
    static unsigned next;
    char *out = text[next++ % 8];
    int have = snprintf(out, sizeof(text[0]), "<%s of client %03lld>", of, (long long)client);
    memset(out + have, '.', (size_t)(client * 7 % 200));
    out[have + client * 7 % 200] = '\0';
    return out;
}

static void put_session(struct world *world, int64_t client, int64_t session, int64_t from_ms)
{
    const struct store_value row[] = {store_int(session),
                                      store_int(client),
                                      store_null(),
                                      store_text("room-a"),
                                      store_text("N."),
                                      store_text("ended"),
                                      store_null(),
                                      store_int(from_ms),
                                      store_int(from_ms),
                                      store_int(from_ms + 600000),
                                      store_int(5),
                                      store_int(3),
                                      store_null(),
                                      store_null(),
                                      store_text(mark(client, "adverse")),
                                      store_text(mark(client, "doses"))},
                             device[] = {store_int(session),   store_int(0),
                                         store_text("sensor"), store_text("s-1"),
                                         store_int(from_ms),   store_null()},
                             phase[] = {store_int(session),
                                        store_int(0),
                                        store_text("warm-up"),
                                        store_null(),
                                        store_int(from_ms),
                                        store_null(),
                                        store_text(mark(client, "phase"))},
                             note[] = {store_int(session), store_int(0),
                                       store_int(from_ms), store_text("note"),
                                       store_text("N."),   store_text(mark(client, "note"))};
    put(world, STORE_SESSION, row, 16);
    put(world, STORE_SESSION_DEVICE, device, 6);
    put(world, STORE_SESSION_PHASE, phase, 7);
    put(world, STORE_SESSION_NOTE, note, 6);
    const struct store_value amendment[] = {note[0],      note[2], store_text("note"),
                                            store_null(), note[5], store_text("AB"),
                                            store_int(1)};
    put(world, STORE_AMENDMENT, amendment, 7);
}

static void put_alarm(struct world *world, int64_t number, const char *device, int64_t at_ms,
                      const char *why)
{
    struct store_value alarm[28] = {[0] = store_int(number),
                                    store_text("sensor.angle.high"),
                                    store_text("sensor"),
                                    store_text(device),
                                    store_text("room-a"),
                                    store_text("angle"),
                                    store_int(1),
                                    store_int(0),
                                    store_int(0),
                                    store_int(at_ms),
                                    store_int(at_ms),
                                    store_null(),
                                    store_null(),
                                    store_int(number),
                                    store_int(0),
                                    store_int(0)};
    for (unsigned i = 16; i < 28; i++)
        alarm[i] = store_null();
    const struct store_value deed[] = {store_int(number), store_int(number), store_int(at_ms),
                                       store_int(0),      store_null(),      store_text("ack"),
                                       store_text("N."),  store_text(why)};
    put(world, STORE_ALARM, alarm, 28);
    put(world, STORE_ALARM_TRANSITION, deed, 8);
}

static void put_client(struct world *world, int64_t client)
{
    int64_t first = BEGIN + client * 1200000;
    const struct store_value row[] = {store_int(client), store_text(mark(client, "name")),
                                      store_int(NOW), store_null(),
                                      store_text(mark(client, "goal"))},
                             plan[] = {store_int(client),
                                       store_int(client),
                                       store_null(),
                                       store_text(mark(client, "plan")),
                                       store_int(NOW),
                                       store_null(),
                                       store_text(mark(client, "limit"))},
                             test[] = {store_int(client),
                                       store_int(client),
                                       store_int(client * 2),
                                       store_text("range"),
                                       store_text("sensor/s-1"),
                                       store_text("angle"),
                                       store_int(first),
                                       store_null(),
                                       store_text(mark(client, "range"))};
    put(world, STORE_CLIENT, row, 5);
    put(world, STORE_PLAN, plan, 7);
    put(world, STORE_CALIBRATION, test, 9);
    put_session(world, client, client * 2, first);
    put_session(world, client, client * 2 + 1, first + 600000);
    put_alarm(world, client * 2, "s-1", first + 1000, mark(client, "alarm"));
    put_alarm(world, client * 2 + 1, "s-2", first + 1000, "of nobody");
}

/* In no order, and each again: so that SQLite moves rows from page to page. */
static void fill(struct world *world)
{
    static uint64_t position = 70000;
    start_store(world);
    for (int round = 0; round < 2; round++)
        for (int64_t i = 0; i < CLIENTS; i++) {
            put_client(world, 1 + (i * 37 + round * 11) % CLIENTS);
            assert_true(store_flush(world->store, NOW, position += 8));
        }
    stop_store(world, position);
}

static void erase(struct world *world, int64_t client)
{
    start_store(world);
    assert_true(store_erase(world->store, (uint64_t)client));
    stop_store(world, 90000);
}

/* The writer's steps, with no thread beside the test. */
static void scrub(struct world *world)
{
    bool more = true;
    open_store(world);
    assert_false(store_erased_all(world->store)); /* nobody has looked yet */
    for (int i = 0; i < 10000 && more; i++)
        assert_int_equal(store_scrub(world->store, &more), 0);
    assert_true(store_erased_all(world->store));
    store_close(world->store);
    world->store = NULL;
}

static unsigned count_in(const char *path, const char *what)
{
    FILE *in = fopen(path, "r");
    if (in == NULL)
        return 0;
    static char bytes[4 << 20];
    size_t count = fread(bytes, 1, sizeof(bytes), in);
    unsigned found = 0;
    fclose(in);
    for (char *at = bytes; (at = memmem(at, count - (size_t)(at - bytes), what, strlen(what)));)
        found++, at++;
    return found;
}

/* In the file and its log, of whatever was of the client. */
static unsigned traces_of(int64_t client)
{
    char what[32], log[128];
    snprintf(what, sizeof(what), " of client %03lld>", (long long)client);
    snprintf(log, sizeof(log), "%s-wal", file);
    return count_in(file, what) + count_in(log, what);
}

/* All rows of all others, in all columns, as one number. */
static uint64_t sum_of_others(int64_t client)
{
    static const struct {
        const char *table, *of; /* a number that its rows are known by */
    } rows[] = {
        {"client", "id"},
        {"plan", "client"},
        {"calibration", "client"},
        {"session", "client"},
        {"session_device", "session / 2"},
        {"session_phase", "session / 2"},
        {"session_note", "session / 2"},
        {"amendment", "session / 2"},
        {"alarm", "number / 2.0"}, /* those between are of nobody */
        {"alarm_transition", "alarm / 2.0"},
    };
    uint64_t sum = 5381;
    sqlite3 *db = open_file();
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char sql[128];
        sqlite3_stmt *all;
        snprintf(sql, sizeof(sql), "SELECT * FROM %s WHERE %s <> %lld", rows[i].table, rows[i].of,
                 (long long)client);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &all, NULL), SQLITE_OK);
        while (sqlite3_step(all) == SQLITE_ROW)
            for (int column = 0; column < sqlite3_column_count(all); column++) {
                const unsigned char *text = sqlite3_column_text(all, column);
                for (; text != NULL && *text != '\0'; text++)
                    sum = sum * 33 + *text;
                sum = sum * 33;
            }
        sqlite3_finalize(all);
    }
    sqlite3_close(db);
    return sum;
}

/* ---- rows ---- */

static void all_of_a_client_goes_and_all_of_others_stays(void **state)
{
    struct world *world = *state;
    fill(world);
    uint64_t before = sum_of_others(23);
    erase(world, 23);
    assert_int_equal(sum_of_others(23), before);
    assert_int_equal(number_of("SELECT count(*) FROM client"), CLIENTS - 1);
    assert_int_equal(number_of("SELECT count(*) FROM session"), 2 * (CLIENTS - 1));
    static const char *const left[] = {
        "client WHERE id = 23",
        "plan WHERE client = 23",
        "session WHERE client = 23",
        "session_device WHERE session IN (46, 47)",
        "session_phase WHERE session IN (46, 47)",
        "session_note WHERE session IN (46, 47)",
        "amendment WHERE session IN (46, 47)",
        "calibration WHERE client = 23",
        "alarm WHERE number = 46",
        "alarm_transition WHERE alarm = 46",
    };
    for (unsigned i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        char sql[128];
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", left[i]);
        if (number_of(sql) != 0)
            fail_msg("%s", left[i]);
    }
    assert_int_equal(number_of("SELECT client FROM erasure"), 23);
    assert_int_equal(number_of("SELECT sessions FROM erasure"), 2);
}

static void an_alarm_that_stands_stays(void **state)
{
    struct world *world = *state;
    fill(world);
    run_sql("UPDATE alarm SET presence = 1 WHERE number = 46");
    erase(world, 23);
    assert_int_equal(number_of("SELECT count(*) FROM alarm WHERE number = 46"), 1);
}

/* ---- copies ---- */

static void no_copy_is_left_in_the_file(void **state)
{
    struct world *world = *state;
    fill(world);
    unsigned copies = 0;
    for (int64_t client = 5; client <= CLIENTS; client += 5)
        erase(world, client);
    for (int64_t client = 5; client <= CLIENTS; client += 5)
        copies += traces_of(client);
    assert_true(copies > 0); /* or there was nothing to be done */
    int64_t rows = number_of("SELECT count(*) FROM session_note");
    scrub(world);
    for (int64_t client = 1; client <= CLIENTS; client++)
        if ((traces_of(client) == 0) != (client % 5 == 0))
            fail_msg("client %lld: %u", (long long)client, traces_of(client));
    assert_int_equal(number_of("SELECT count(*) FROM pragma_integrity_check"
                               " WHERE integrity_check = 'ok'"),
                     1);
    assert_int_equal(number_of("SELECT count(*) FROM session_note"), rows);
    assert_int_equal(number_of("SELECT count(*) FROM scrub"), 0);
    assert_int_equal(number_of("SELECT count(*) FROM client WHERE alias || body NOT LIKE"
                               " printf('<name of client %03d>%%<goal of client %03d>%%', id, id)"),
                     0);
}

/* What a kill interrupted goes on, and a reader is waited for. */
static void a_reader_or_a_kill_only_delays_it(void **state)
{
    struct world *world = *state;
    bool more;
    fill(world);
    erase(world, 35);
    sqlite3 *reader = open_file();
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT * FROM client", NULL, NULL, NULL), 0);
    erase(world, 40); /* the reader still sees this one */
    open_store(world);
    assert_int_equal(store_scrub(world->store, &more), 0);
    assert_false(more);
    assert_false(store_erased_all(world->store));
    assert_int_equal(number_of("SELECT page FROM scrub"), 1);
    sqlite3_close(reader);
    store_close(world->store); /* as after a kill: nothing was said of it */
    world->store = NULL;
    scrub(world);
    assert_int_equal(traces_of(35) + traces_of(40), 0);
}

/* ---- what was measured ---- */

static void roll_up(struct world *world)
{
    bool more = true;
    open_store(world);
    for (int i = 0; i < 10000 && more; i++)
        assert_int_equal(store_upkeep(world->store, NOW + 86400000, &more), STORE_DONE);
    store_close(world->store);
    world->store = NULL;
}

/* Of one device, between two moments; the other was in no session. */
static void what_was_measured_in_the_sessions_is_cut_out(void **state)
{
    struct world *world = *state;
    int64_t from_ms = (MINUTE + 10) * 60000 + 30000; /* and ten minutes */
    start_store(world);
    struct device *other = devices_hear(world->devices, &world->drivers.list[0], "s-2", 3);
    for (int64_t at = MINUTE * 60000; at < (MINUTE + 40) * 60000; at += 1000) {
        say(world, at, 10);
        struct lumbar_series series = {ANGLE, 1, &at, (double[]){20}};
        history_add(store_history(world->store), other,
                    &(struct lumbar_batch){.series = &series, .series_count = 1}, 0);
    }
    const struct store_value client[] = {store_int(1), store_text("Ahorn"), store_int(NOW),
                                         store_null(), store_null()};
    put(world, STORE_CLIENT, client, 5);
    put_session(world, 1, 7, from_ms);
    stop_store(world, 80000);
    roll_up(world);
    assert_int_equal(number_of("SELECT count(*) FROM second WHERE device = 1"), 40);
    erase(world, 1);

    assert_int_equal(number_of("SELECT count(*) FROM second WHERE device = 1"), 40 - 9);
    assert_int_equal(number_of("SELECT count(*) FROM second WHERE device = 2"), 40);
    struct block edge = stored("second", MINUTE + 10);
    assert_int_equal(edge.slots[29].count, 1);
    assert_int_equal(edge.slots[30].count, 0);
    edge = stored("second", MINUTE + 20);
    assert_int_equal(edge.slots[29].count, 0);
    assert_int_equal(edge.slots[30].count, 1);
    for (int64_t minute = MINUTE; minute < MINUTE + 40; minute++) {
        struct block hour = stored("minute", minute / 60);
        unsigned expected = minute == MINUTE + 10 || minute == MINUTE + 20 ? 30
                            : minute > MINUTE + 10 && minute < MINUTE + 20 ? 0
                                                                           : 60;
        if (hour.slots[minute % 60].count != expected)
            fail_msg("minute %lld: %u", (long long)(minute - MINUTE),
                     hour.slots[minute % 60].count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(all_of_a_client_goes_and_all_of_others_stays),
        CASE(an_alarm_that_stands_stays),
        CASE(no_copy_is_left_in_the_file),
        CASE(a_reader_or_a_kill_only_delays_it),
        CASE(what_was_measured_in_the_sessions_is_cut_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
