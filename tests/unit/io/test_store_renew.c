/* A damaged file: what comes in its place has all that a backup has, and says what it lacks. */
#include "store_place.h"

#include <fcntl.h>
#include <signal.h>

#include "io/backup_file.h"
#include "io/store_rows.h"
#include "io/store_state.h"

static void put_client(struct world *world, int64_t id, const char *alias)
{
    const struct store_value client[] = {store_int(id), store_text(alias), store_int(NOW),
                                         store_null(), store_text("{}")};
    assert_true(store_put(world->store, STORE_CLIENT, client, 5));
}

static void put_session(struct world *world, int64_t id, const char *state)
{
    const struct store_value none = store_null();
    const struct store_value row[] = {store_int(id),  none,
                                      none,           store_text("room-a"),
                                      none,           store_text(state),
                                      none,           store_int(NOW),
                                      store_int(NOW), none,
                                      none,           none,
                                      none,           none,
                                      none,           store_text("{}")};
    assert_true(store_put(world->store, STORE_SESSION, row, 16));
}

static void put_alarm(struct world *world, int64_t number, int64_t presence)
{
    struct store_value alarm[28], turn[8];
    for (unsigned i = 0; i < 28; i++)
        alarm[i] = i < 6 && i > 0 ? store_text("x") : store_int(i == 0 ? number : 0);
    for (unsigned i = 0; i < 8; i++)
        turn[i] = i < 4 ? store_int(i == 0 ? number : 1) : store_null();
    alarm[2] = store_text("sensor");
    alarm[3] = store_text("s-1");
    alarm[8] = store_int(presence);
    for (unsigned i = 16; i < 28; i++)
        alarm[i] = store_null();
    assert_true(store_put(world->store, STORE_ALARM, alarm, 28));
    assert_true(store_put(world->store, STORE_ALARM_TRANSITION, turn, 8));
}

/* Two hours, up to now; one sample a second. */
static void say_hours(struct world *world)
{
    for (int64_t at = NOW - 7200000; at < NOW; at += 1000) {
        if (store_history(world->store) == NULL)
            assert_true(store_flush(world->store, NOW, 60000));
        say(world, at, 10);
    }
}

static void begin(struct world *world)
{
    world->options.backups = folder;
    start_store(world);
    say_hours(world);
    put_client(world, 1, "Ahorn");
    put_session(world, 7, "running");
    put_alarm(world, 3, 1);
    store_heard(world->store, NOW - 1);
    stop_store(world, 70000);
    bool more = true;
    open_store(world); /* hours that are over get their minutes */
    for (int i = 0; i < 100 && more; i++)
        assert_int_equal(store_upkeep(world->store, NOW + 3600000, &more), STORE_DONE);
    store_close(world->store);
    world->store = NULL;
}

static struct backup_name make_backup(int64_t at_ms)
{
    struct backup_name made;
    struct diag diag = {0};
    if (backup_make(file, NULL, folder, NULL, at_ms, NULL, &made, &diag) != 0)
        fail_msg("%s", diag.text);
    return made;
}

static void write_noise(const char *path, off_t at, size_t bytes)
{
    static char noise[65536];
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    memset(noise, 0x5a, sizeof(noise));
    assert_int_equal(pwrite(fd, noise, bytes, at), bytes);
    close(fd);
}

/* The writer's steps, with no thread beside the test but the one that verifies. */
static void keep_up(struct world *world)
{
    bool more = true;
    for (int i = 0; i < 2000 && (more || store_is_rebuilding(world->store)); i++) {
        assert_int_equal(store_upkeep(world->store, NOW + 3600000, &more), STORE_DONE);
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
}

static int64_t counted(const char *table)
{
    char sql[96];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
    return number_of(sql);
}

/* Samples of all seconds, and of all minutes, of the one value. */
static uint64_t samples_in(const char *table, int64_t from, int64_t to)
{
    uint64_t sum = 0;
    for (int64_t number = from; number <= to; number++) {
        struct block block = stored(table, number);
        for (unsigned i = 0; i < BLOCK_SLOTS; i++)
            sum += block.slots[i].count;
    }
    return sum;
}

static void at_start_the_backup_is_gone_on_with(void **state)
{
    struct world *world = *state;
    struct store_lack lack;
    char damaged[STORE_NAME_BYTES];
    begin(world);
    make_backup(NOW);
    int64_t minutes = counted("minute"), seconds = counted("second");
    write_noise(file, 0, 4096);
    open_store(world);
    assert_int_equal(store_position(world->store), 70000); /* what came later is taken again */
    assert_int_equal(store_renewals(world->store), 1);
    assert_true(store_damaged(world->store, damaged));
    assert_true(store_is_rebuilding(world->store));
    assert_int_equal(counted("client"), 1);
    assert_int_equal(number_of("SELECT count(*) FROM session WHERE state = 'running'"), 1);
    assert_int_equal(number_of("SELECT count(*) FROM alarm WHERE presence = 1"), 1);
    assert_int_equal(counted("second"), 0); /* by and by */
    store_lack(world->store, &lack);
    assert_true(lack.is_there && lack.open);
    assert_int_equal(lack.from_ms, NOW - 1);

    store_heard(world->store, NOW + 50); /* the first that comes: so far it lacks something */
    store_lack(world->store, &lack);
    assert_false(lack.open);
    assert_int_equal(lack.to_ms, NOW + 49);
    say(world, NOW - 1000, 10); /* late: of a minute that the backup has as well */
    struct diag diag = {0};
    assert_int_equal(store_start(world->store, NULL, NULL, &diag), 0);
    assert_true(store_fill(world->store, NULL));
    stop_store(world, 71000);
    assert_int_equal(counted("lack"), 0);

    open_store(world); /* as after a kill: it goes on there */
    keep_up(world);
    assert_false(store_is_rebuilding(world->store));
    store_close(world->store);
    world->store = NULL;
    assert_int_equal(counted("merge"), 0);
    assert_int_equal(counted("second"), seconds);
    assert_int_equal(counted("minute"), minutes);
    assert_int_equal(samples_in("second", MINUTE - 121, MINUTE), 7201);
    assert_int_equal(samples_in("minute", MINUTE / 60 - 3, MINUTE / 60), 7201);
    assert_int_equal(counted("gap WHERE why LIKE 'damaged%'"), 1);
}

/* A minute that the base has otherwise counts once, as the changes have it. */
static void changes_are_gone_on_with_and_their_base(void **state)
{
    struct world *world = *state;
    struct backup_name base, made;
    struct diag diag = {0};
    begin(world);
    base = make_backup(NOW);
    start_store(world);
    say(world, NOW - 1000, 10);
    say(world, NOW + 4000, 10);
    put_client(world, 2, "Birke");
    stop_store(world, 72000);
    bool more = true;
    open_store(world);
    for (int i = 0; i < 100 && more; i++)
        assert_int_equal(store_upkeep(world->store, NOW + 3600000, &more), STORE_DONE);
    store_close(world->store);
    if (backup_make(file, NULL, folder, &base, NOW + 86400000, NULL, &made, &diag) != 0)
        fail_msg("%s", diag.text);
    int64_t minutes = counted("minute"), seconds = counted("second");
    write_noise(file, 0, 4096);
    open_store(world);
    world->store->lack.is_there = false; /* nobody is there to fill it */
    assert_int_equal(counted("client"), 2);
    keep_up(world);
    store_close(world->store);
    world->store = NULL;
    assert_int_equal(counted("merge"), 0);
    assert_int_equal(counted("second"), seconds);
    assert_int_equal(counted("minute"), minutes);
    assert_int_equal(samples_in("second", MINUTE - 121, MINUTE), 7202);
    assert_int_equal(samples_in("minute", MINUTE / 60 - 3, MINUTE / 60), 7202);
}

/* A hub at work knows better what goes on; and what it lacks ends with what was on the disk. */
static void at_work_the_backup_says_what_is_over(void **state)
{
    struct world *world = *state;
    struct store_lack lack;
    struct diag diag = {0};
    begin(world);
    make_backup(NOW);
    start_store(world);
    say(world, NOW + 4000, 10);
    store_heard(world->store, NOW + 5000);
    assert_true(store_flush(world->store, NOW, 72000));
    assert_int_equal(store_begin_anew(world->store, "a test", &diag), 0); /* as the writer would */
    store_lack(world->store, &lack);
    assert_true(lack.is_there && !lack.open);
    assert_int_equal(lack.from_ms, NOW - 1);
    assert_int_equal(lack.to_ms, NOW + 5000);
    assert_int_equal(lack.alarms, 4);
    assert_int_equal(number_of("SELECT count(*) FROM session WHERE state = 'aborted'"), 1);
    assert_int_equal(number_of("SELECT count(*) FROM alarm WHERE presence = 1"), 0);
    stop_store(world, 73000);
    assert_int_equal(number_of("SELECT position FROM spool"), 73000);
}

/* A newer one that is damaged is passed over, in its head or where only the checksum tells. */
static void a_backup_that_is_damaged_is_passed_over(void **state)
{
    struct world *world = *state;
    char path[160];
    begin(world);
    make_backup(NOW);
    struct backup_name newer = make_backup(NOW + 86400000);
    snprintf(path, sizeof(path), "%s/%s", folder, newer.file);
    write_noise(path, 0, 4096);
    write_noise(file, 0, 4096);
    open_store(world);
    assert_int_equal(counted("client"), 1);
    keep_up(world);
    store_close(world->store);
    world->store = NULL;
    assert_int_equal(samples_in("second", MINUTE - 121, MINUTE), 7200);
}

static void history_is_taken_of_a_whole_backup_only(void **state)
{
    struct world *world = *state;
    char path[160];
    begin(world);
    struct backup_name made = make_backup(NOW);
    snprintf(path, sizeof(path), "%s/%s", folder, made.file);
    write_noise(path, (off_t)made.bytes - BACKUP_TRAILER_BYTES - 200, 100);
    write_noise(file, 0, 4096);
    open_store(world);
    world->store->lack.is_there = false; /* nobody is there to fill it */
    keep_up(world);
    store_close(world->store);
    world->store = NULL;
    assert_int_equal(counted("merge"), 0);
    assert_int_equal(counted("second"), 0);
}

/* What was rebuilt: sessions that are missing, alarms under numbers that are free. */
static void what_was_rebuilt_is_taken_over_once(void **state)
{
    struct world *world = *state;
    char rebuilt[128], kept[96];
    begin(world);
    memcpy(kept, file, sizeof(kept));
    snprintf(rebuilt, sizeof(rebuilt), "%s/history.db.rebuilt", folder);
    world->options.file = rebuilt;
    start_store(world);
    put_session(world, 7, "done"); /* is there already */
    put_session(world, 8, "done");
    put_alarm(world, 1, 1);
    say(world, NOW - 1000, 10); /* of a minute that is there */
    say(world, NOW + 1000, 10);
    stop_store(world, 5);

    world->options.file = kept;
    start_store(world);
    assert_int_equal(store_note_lack(world->store, NOW, true), 0);
    world->store->lack = (struct store_lack){.is_there = true, .from_ms = NOW, .alarms = 4};
    assert_true(store_fill(world->store, rebuilt));
    stop_store(world, 71000);
    open_store(world);
    keep_up(world);
    store_close(world->store);
    world->store = NULL;
    assert_int_equal(number_of("SELECT count(*) FROM session WHERE id = 7 AND state = 'running'"),
                     1);
    assert_int_equal(number_of("SELECT count(*) FROM session WHERE id = 8"), 1);
    assert_int_equal(number_of("SELECT count(*) FROM alarm WHERE number = 4 AND presence = 0"), 1);
    /* of one rule and device, one is there at a time */
    assert_int_equal(number_of("SELECT count(*) FROM alarm WHERE number = 3 AND presence = 0"), 1);
    assert_int_equal(counted("alarm_transition"), 2);
    assert_int_equal(samples_in("second", MINUTE - 121, MINUTE), 7202);
    assert_int_equal(samples_in("minute", MINUTE / 60 - 3, MINUTE / 60), 7202);
    assert_int_not_equal(access(rebuilt, F_OK), 0);
}

static void what_left_the_spool_unstored_is_lacking(void **state)
{
    struct world *world = *state;
    struct store_lack lack;
    begin(world);
    world->options.tail = 75000;
    open_store(world);
    store_lack(world->store, &lack);
    assert_true(lack.is_there && lack.open);
    assert_int_equal(lack.from_ms, NOW - 1);
    assert_int_equal(lack.alarms, 0); /* the file is the same: none were lost */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(at_start_the_backup_is_gone_on_with),
        CASE(changes_are_gone_on_with_and_their_base),
        CASE(at_work_the_backup_says_what_is_over),
        CASE(a_backup_that_is_damaged_is_passed_over),
        CASE(history_is_taken_of_a_whole_backup_only),
        CASE(what_was_rebuilt_is_taken_over_once),
        CASE(what_left_the_spool_unstored_is_lacking),
    };
    signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
