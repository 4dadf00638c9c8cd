/* Backups: what is made can be read, whole; what cannot be read whole is refused, whole. */
#include "store_place.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "io/backup.h"
#include "io/store_rows.h"

static void put_client(struct world *world, int64_t id, const char *alias)
{
    const struct store_value client[] = {store_int(id), store_text(alias), store_int(NOW),
                                         store_null(), store_text("{}")};
    assert_true(store_put(world->store, STORE_CLIENT, client, 5));
}

/* A store at work, with some minutes and a client in it. */
static void begin(struct world *world)
{
    start_store(world);
    for (int second = 0; second < 600; second++)
        say(world, NOW + second * 1000, second % 80);
    put_client(world, 1, "Ahorn");
    store_heard(world->store, NOW + 599000);
    assert_true(store_flush(world->store, NOW, 70000));
}

static const char *path_of(const struct backup_name *name)
{
    static char path[160];
    snprintf(path, sizeof(path), "%s/%s", folder, name->file);
    return path;
}

static struct backup_name make(int64_t now_ms)
{
    struct backup_name made;
    struct diag diag = {0};
    if (backup_make(file, NULL, folder, NULL, now_ms, NULL, &made, &diag) != 0)
        fail_msg("%s", diag.text);
    return made;
}

static unsigned count_files(const char *part)
{
    unsigned count = 0;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += strstr(entry->d_name, part) != NULL;
    closedir(listing);
    return count;
}

/* ---- there and back ---- */

static void a_backup_of_a_store_at_work_is_sound_and_goes_back(void **state)
{
    struct world *world = *state;
    struct backup_facts facts;
    struct diag diag = {0};
    char kept[PATH_MAX];
    begin(world);
    struct backup_name made = make(NOW + 600500);
    assert_string_equal(made.file, "lumbar-20231114T222320Z.backup");
    assert_int_equal(backup_verify(path_of(&made), NULL, &facts, &diag), 0);
    assert_string_equal(facts.version, LUMBAR_VERSION);
    assert_int_equal(facts.made_ms, NOW + 600500);
    assert_int_equal(facts.heard_ms, NOW + 599000);
    assert_int_equal(facts.bytes + BACKUP_TRAILER_BYTES, made.bytes);

    put_client(world, 2, "Birke"); /* goes on */
    stop_store(world, 80000);
    assert_int_equal(number_of("SELECT count(*) FROM client"), 2);
    assert_int_equal(backup_restore(path_of(&made), file, kept, &diag), 0);
    assert_int_equal(number_of("SELECT count(*) FROM client"), 1);
    assert_int_equal(stored("second", MINUTE).slots[21].count, 1);
    start_store(world); /* and a hub goes on with it */
    assert_int_equal(store_position(world->store), 70000);
    put_client(world, 3, "Eiche");
    stop_store(world, 90000);
    assert_int_equal(number_of("SELECT count(*) FROM client"), 2);

    assert_true((size_t)snprintf(file, sizeof(file), "%.90s", kept) <
                sizeof(file)); /* what was there is there still */
    assert_int_equal(number_of("SELECT count(*) FROM client"), 2);
    assert_int_equal(number_of("SELECT count(*) FROM client WHERE alias = 'Birke'"), 1);
    assert_int_equal(count_files(".restored"), 0);
}

/* One that was killed leaves a log, which is not the restored file's. */
static void the_log_of_what_was_there_goes_with_it(void **state)
{
    struct world *world = *state;
    struct diag diag = {0};
    char kept[PATH_MAX], command[300];
    begin(world);
    struct backup_name made = make(NOW);
    put_client(world, 2, "Birke");
    assert_true(store_flush(world->store, NOW, 75000));
    snprintf(command, sizeof(command), "cd %s && for f in history.db*; do cp $f x-$f; done",
             folder);
    assert_int_equal(system(command), 0);
    stop_store(world, 80000);
    snprintf(command, sizeof(command), "cd %s && for f in x-*; do mv $f ${f#x-}; done", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(count_files("history.db-wal"), 1);
    assert_int_equal(backup_restore(path_of(&made), file, kept, &diag), 0);
    assert_int_equal(count_files("history.db-wal"), 0);
    assert_int_equal(number_of("SELECT count(*) FROM client"), 1);
    assert_true((size_t)snprintf(file, sizeof(file), "%.90s", kept) < sizeof(file));
    assert_int_equal(number_of("SELECT count(*) FROM client"), 2);
}

static void nothing_is_restored_beneath_a_hub(void **state)
{
    struct world *world = *state;
    struct diag diag = {0};
    char kept[PATH_MAX];
    begin(world);
    struct backup_name made = make(NOW);
    assert_int_equal(backup_restore(path_of(&made), file, kept, &diag), ERR_TAKEN);
    stop_store(world, 80000);
    assert_int_equal(count_files("history.db.before"), 0);
}

/* ---- refused whole ---- */

static void write_at(const char *path, off_t at, const void *bytes, size_t count)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, count, at), count);
    close(fd);
}

static void what_cannot_be_read_whole_is_refused_and_nothing_changes(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *what;
        int64_t at; /* below 0: from the end */
        int bytes;  /* 0: it ends there */
        int code;
        const char *words;
    } cases[] = {
        {"a byte in the middle", 9000, 1, ERR_MALFORMED, "its checksum is another one"},
        {"its first page", 20, 4, ERR_MALFORMED, "its checksum is another one"},
        {"the tail", -1, 0, ERR_MALFORMED, "it is no backup, or its end is missing"},
        {"the half of it", 8192, 0, ERR_MALFORMED, "it is no backup, or its end is missing"},
        {"nearly all", 100, 0, ERR_MALFORMED, "it is no backup, or its end is missing"},
        {"the trailer", -100, 1, ERR_MALFORMED, "its trailer is not what was written"},
    };
    char kept[PATH_MAX];
    begin(world);
    stop_store(world, 80000);
    int64_t clients = number_of("SELECT count(*) FROM client");
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct backup_name made = make(NOW + i * 1000);
        struct backup_facts facts;
        struct diag diag = {0}, again = {0};
        off_t at = (off_t)(cases[i].at < 0 ? (int64_t)made.bytes + cases[i].at : cases[i].at);
        if (cases[i].bytes == 0)
            assert_int_equal(truncate(path_of(&made), at), 0);
        else
            write_at(path_of(&made), at, "\x5a\xa5\x5a\xa5", (size_t)cases[i].bytes);
        int code = backup_verify(path_of(&made), NULL, &facts, &diag);
        if (code != cases[i].code || strstr(diag.text, cases[i].words) == NULL)
            fail_msg("%s: %d, %s", cases[i].what, code, diag.text);
        assert_int_equal(backup_restore(path_of(&made), file, kept, &again), cases[i].code);
        assert_string_equal(kept, "");
    }
    assert_int_equal(number_of("SELECT count(*) FROM client"), clients);
    assert_int_equal(count_files("before") + count_files("restored"), 0);
}

static void one_of_a_newer_version_is_refused_in_a_sentence(void **state)
{
    struct world *world = *state;
    struct diag diag = {0}, again = {0};
    struct backup_facts facts;
    char kept[PATH_MAX];
    begin(world);
    stop_store(world, 80000);
    run_sql("PRAGMA user_version = 4711");
    struct backup_name made = make(NOW);
    assert_int_equal(backup_read(path_of(&made), &facts, &diag), ERR_VERSION);
    assert_non_null(strstr(diag.text, "it was made by a newer version of Lumbar ("));
    assert_non_null(strstr(diag.text, "schema 4711; this one knows up to "));
    assert_int_equal(backup_restore(path_of(&made), file, kept, &again), ERR_VERSION);
}

static void a_store_that_is_damaged_gives_no_backup(void **state)
{
    struct world *world = *state;
    struct backup_name made;
    struct diag diag = {0};
    char noise[4096];
    begin(world);
    stop_store(world, 80000);
    memset(noise, 0x5a, sizeof(noise));
    for (off_t at = 8192; at < 40960; at += 4096)
        write_at(file, at, noise, sizeof(noise));
    assert_int_equal(backup_make(file, NULL, folder, NULL, NOW, NULL, &made, &diag), ERR_MALFORMED);
    assert_int_equal(count_files("lumbar-"), 0);
}

static bool at_once(void *user)
{
    (void)user;
    return true;
}

static void one_that_is_ended_leaves_nothing(void **state)
{
    struct world *world = *state;
    struct backup_pace pace = {at_once, NULL};
    struct backup_name made;
    struct diag diag = {0};
    begin(world);
    assert_int_equal(backup_make(file, NULL, folder, NULL, NOW, &pace, &made, &diag), ERR_LIMIT);
    assert_int_equal(count_files("lumbar-"), 0);
}

/* ---- what has changed since ---- */

static struct backup_name make_changes(const struct backup_name *base, int64_t now_ms)
{
    struct backup_name made;
    struct diag diag = {0};
    if (backup_make(file, NULL, folder, base, now_ms, NULL, &made, &diag) != 0)
        fail_msg("%s", diag.text);
    return made;
}

/* Rows of a table that one of two files has and the other has not. */
static int64_t differing(const char *other, const char *table)
{
    sqlite3 *db = open_file();
    sqlite3_stmt *statement;
    char *sql = sqlite3_mprintf("ATTACH %Q AS other", other);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_free(sql);
    sql = sqlite3_mprintf("SELECT (SELECT count(*) FROM (SELECT * FROM main.%w EXCEPT"
                          " SELECT * FROM other.%w)) + (SELECT count(*) FROM"
                          " (SELECT * FROM other.%w EXCEPT SELECT * FROM main.%w))",
                          table, table, table, table);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_free(sql);
    sqlite3_close(db);
    return count;
}

/* A whole backup, and after it what makes each kind of difference. */
static struct backup_name change_after(struct world *world)
{
    begin(world);
    struct backup_name base = make(NOW);
    say(world, NOW + 1500, 7); /* late: of a minute that is there */
    for (int second = 600; second < 900; second++)
        say(world, NOW + second * 1000, 3);
    put_client(world, 1, "Ahorn-2");
    put_client(world, 2, "Birke");
    assert_true(store_flush(world->store, NOW, 90000));
    stop_store(world, 95000);
    run_sql("DELETE FROM second WHERE minute = (SELECT min(minute) + 2 FROM second)");
    start_store(world);
    return base;
}

static void changes_and_their_base_are_the_store_as_it_was(void **state)
{
    static const char *const tables[] = {"second", "minute", "client",  "spool",
                                         "metric", "device", "numbered"};
    struct world *world = *state;
    struct backup_facts facts;
    struct diag diag = {0};
    char kept[PATH_MAX], whole[160];
    struct backup_name base = change_after(world);
    struct backup_name made = make_changes(&base, NOW + 60000);
    assert_string_equal(made.file, "lumbar-20231114T221420Z.changes");
    assert_true(made.changes);
    struct backup_name all = make(NOW + 120000); /* to compare with */
    snprintf(whole, sizeof(whole), "%s", path_of(&all));
    assert_int_equal(backup_verify(path_of(&made), NULL, &facts, &diag), 0);
    assert_int_equal(facts.base_ms, NOW);
    put_client(world, 3, "Eiche");
    stop_store(world, 99000);
    int64_t minutes = number_of("SELECT count(*) FROM second");

    assert_int_equal(backup_restore(path_of(&made), file, kept, &diag), 0);
    for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (differing(whole, tables[i]) != 0)
            fail_msg("%s", tables[i]);
    assert_int_equal(number_of("SELECT count(*) FROM second"), minutes);
    assert_int_equal(number_of("SELECT count(*) FROM client"), 2);
    assert_int_equal(number_of("SELECT count(*) FROM client WHERE alias = 'Ahorn-2'"), 1);
    assert_int_equal(number_of("SELECT count(*) FROM sqlite_master WHERE name LIKE 'gone%'"), 0);
    start_store(world); /* and a hub goes on with it */
    assert_int_equal(store_renewals(world->store), 0);
    stop_store(world, 99000);
}

/* Of a thousand minutes one is another: the changes are as small as that. */
static void changes_are_small(void **state)
{
    struct world *world = *state;
    start_store(world);
    for (int minute = 0; minute < 1000; minute++)
        for (int second = 0; second < 60; second += 2)
            say(world, NOW + minute * 60000 + second * 1000, (minute * 7 + second) % 80);
    assert_true(store_flush(world->store, NOW, 70000));
    struct backup_name base = make(NOW);
    say(world, NOW + 1000 * 60000, 5);
    assert_true(store_flush(world->store, NOW, 70000));
    stop_store(world, 80000);
    struct backup_name made = make_changes(&base, NOW + 1000);
    sqlite3_stmt *statement;
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(path_of(&made), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT (SELECT count(*) FROM second),"
                                        " (SELECT count(*) FROM gone_second)",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_in_range(sqlite3_column_int64(statement, 0), 1, 2);
    assert_int_equal(sqlite3_column_int64(statement, 1), 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void changes_without_their_base_are_refused_whole(void **state)
{
    static const struct {
        const char *what;
        int code;
        const char *words;
    } cases[] = {
        {"gone", ERR_UNKNOWN, "which is not beside it"},
        {"another", ERR_UNKNOWN, "since another lumbar-20231114T221320Z.backup"},
        {"damaged", ERR_MALFORMED, "its checksum is another one"},
        {"itself", ERR_MALFORMED, "its checksum is another one"},
    };
    struct world *world = *state;
    char path[160], changes[160], away[160], kept[PATH_MAX];
    struct backup_name base = change_after(world);
    snprintf(path, sizeof(path), "%s", path_of(&base));
    snprintf(away, sizeof(away), "%s/away", folder);
    struct backup_name made = make_changes(&base, NOW + 60000);
    snprintf(changes, sizeof(changes), "%s", path_of(&made));
    stop_store(world, 99000);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct backup_facts facts;
        struct diag diag = {0}, again = {0};
        if (i == 0)
            assert_int_equal(rename(path, away), 0);
        else if (i == 1)
            make(NOW); /* of the store as it is now */
        else if (i == 2)
            assert_int_equal(rename(away, path), 0);
        if (i >= 2)
            write_at(i == 2 ? path : changes, 4200, "zzzz", 4);
        int code = backup_verify(changes, NULL, &facts, &diag);
        if (code != cases[i].code || strstr(diag.text, cases[i].words) == NULL)
            fail_msg("%s: %d, %s", cases[i].what, code, diag.text);
        code = backup_restore(changes, file, kept, &again);
        if (code != cases[i].code || strstr(again.text, cases[i].words) == NULL)
            fail_msg("%s: %d, %s", cases[i].what, code, again.text);
        assert_string_equal(kept, "");
        assert_int_equal(number_of("SELECT count(*) FROM client"), 2);
        assert_int_equal(count_files(".restored"), 0);
    }
}

/* ---- by and by ---- */

static void wait_made(struct backup *backup, uint64_t made, uint64_t failed)
{
    struct backup_state now;
    for (int i = 0; i < 1000; i++) {
        backup_state(backup, &now);
        if (now.made >= made && now.failed >= failed && !now.busy)
            return;
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    fail_msg("%llu made, %llu failed", (unsigned long long)now.made,
             (unsigned long long)now.failed);
}

static struct backup *start_backups(int64_t every_ms, unsigned keep, uint64_t size_bytes,
                                    void (*on_damage)(void *user), void *user)
{
    struct backup *backup;
    struct diag diag = {0};
    const struct backup_options options = {.store = file,
                                           .folder = folder,
                                           .rules = "",
                                           .every_ms = every_ms,
                                           .keep = keep,
                                           .size_bytes = size_bytes,
                                           .on_damage = on_damage,
                                           .user = user};
    assert_int_equal(backup_create(&backup, &options, &diag), 0);
    assert_int_equal(backup_start(backup, &diag), 0);
    return backup;
}

/* Once something of it lies there. */
static bool die(void *user)
{
    struct stat status;
    char part[200];
    snprintf(part, sizeof(part), "%s/%s.part", folder, (const char *)user);
    if (stat(part, &status) == 0 && status.st_size > 0)
        raise(SIGKILL);
    return false;
}

/* What a power cut leaves counts as nothing, harms no other one, and goes with the next. */
static void one_that_is_killed_is_no_backup(void **state)
{
    struct world *world = *state;
    static struct backup_name list[BACKUP_LIST_MAX];
    struct backup_name base = change_after(world);
    stop_store(world, 99000);
    for (int changes = 0; changes < 2; changes++) {
        const int64_t now_ms = NOW + (1 + changes) * 60000;
        char name[BACKUP_NAME_BYTES];
        struct backup_name made;
        struct backup_facts facts;
        struct diag diag = {0};
        int status;
        backup_name_write(name, now_ms, changes != 0);
        pid_t child = fork();
        if (child == 0) {
            struct backup_pace pace = {die, name};
            backup_make(file, NULL, folder, changes != 0 ? &base : NULL, now_ms, &pace, &made,
                        &diag);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(count_files(".part"), 1);
        assert_int_equal(count_files("lumbar-"), 2);
        assert_int_equal(backup_verify(path_of(&base), NULL, &facts, &diag), 0);
        struct backup *backup = start_backups(0, 9, UINT64_C(1) << 40, NULL, NULL);
        backup_wish(backup, true);
        wait_made(backup, 1, 0);
        assert_int_equal(backup_list(backup, list), 2);
        assert_int_equal(count_files(".part"), 0);
        backup_destroy(backup);
        unlink(path_of(&list[1]));
    }
}

/* In the place of the system's: what a disk has left, and from which look on it has nothing. */
static struct {
    uint64_t bytes; /* 0: as much as anybody needs */
    unsigned looks, last;
} left;

int statvfs(const char *path, struct statvfs *disk)
{
    (void)path;
    bool gone = left.last != 0 && ++left.looks > left.last;
    uint64_t bytes = gone ? 0 : left.bytes != 0 ? left.bytes : UINT64_C(1) << 40;
    *disk = (struct statvfs){.f_bavail = bytes, .f_frsize = 1};
    return 0;
}

static void changes_ask_for_no_room_of_a_whole_one(void **state)
{
    struct world *world = *state;
    struct backup_name base = change_after(world), made;
    struct stat status;
    struct diag refused = {0}, given_up = {0}, none = {0};
    stop_store(world, 99000);
    assert_int_equal(stat(file, &status), 0);
    left.bytes = (uint64_t)status.st_size + 4096;
    assert_int_equal(backup_make(file, NULL, folder, NULL, NOW + 60000, NULL, &made, &refused),
                     ERR_FULL);
    left.last = 1; /* and then others fill it */
    assert_int_equal(backup_make(file, NULL, folder, &base, NOW + 60000, NULL, &made, &given_up),
                     ERR_FULL);
    assert_non_null(strstr(given_up.text, "0 MiB are left there"));
    assert_int_equal(count_files("lumbar-"), 1);
    left.last = 0;
    assert_int_equal(backup_make(file, NULL, folder, &base, NOW + 60000, NULL, &made, &none), 0);
    left.bytes = 0;
}

/* There was room when it began, and there is none in the middle: here, for so large a file. */
static void a_disk_that_is_full_leaves_nothing_half(void **state)
{
    struct world *world = *state;
    struct backup_name base = change_after(world), made;
    struct backup_facts facts;
    struct rlimit before, little;
    stop_store(world, 99000);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (int changes = 0; changes < 2; changes++) {
        struct diag diag = {0};
        little = (struct rlimit){.rlim_cur = 8192, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
        int code = backup_make(file, NULL, folder, changes != 0 ? &base : NULL, NOW + 60000, NULL,
                               &made, &diag);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(code, ERR_IO);
        assert_int_equal(count_files("lumbar-"), 1);
        assert_int_equal(backup_verify(path_of(&base), NULL, &facts, &diag), 0);
        made = make_changes(&base, NOW + 60000);
        unlink(path_of(&made));
    }
    signal(SIGXFSZ, SIG_DFL);
}

static void old_ones_go_and_the_newest_never(void **state)
{
    struct world *world = *state;
    static struct backup_name list[BACKUP_LIST_MAX];
    begin(world);
    for (int day = 5; day >= 1; day--)
        make(clock_wall_ms() - day * INT64_C(86400000));
    char part[160];
    snprintf(part, sizeof(part), "%s/lumbar-20231114T222320Z.backup.part", folder);
    close(open(part, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)); /* of one that was killed */
    struct backup *backup = start_backups(86400000, 3, UINT64_C(1) << 40, NULL, NULL);
    wait_made(backup, 1, 0); /* it was due */
    assert_int_equal(backup_list(backup, list), 3);
    assert_true(list[2].made_ms > clock_wall_ms() - 60000);
    assert_true(list[1].made_ms < clock_wall_ms() - 80000000);
    assert_int_equal(count_files("lumbar-"), 3);
    backup_keep(backup, "", 86400000, 3, 1000);
    nanosleep(&(struct timespec){1, 100000000}, NULL); /* another second has another name */
    backup_wish(backup, true);
    wait_made(backup, 2, 0);
    assert_int_equal(backup_list(backup, list), 1);
    assert_int_equal(count_files("lumbar-"), 1);
    backup_destroy(backup);
}

/* A whole one goes with what tells of changes since: not before them, and not without them. */
static void a_base_stays_as_long_as_its_changes(void **state)
{
    struct world *world = *state;
    static struct backup_name list[BACKUP_LIST_MAX];
    const int64_t now_ms = clock_wall_ms(), day_ms = 86400000;
    begin(world);
    for (int week = 2; week >= 1; week--) {
        struct backup_name base = make(now_ms - week * 4 * day_ms);
        for (int day = 1; day <= 2; day++)
            make_changes(&base, now_ms - week * 4 * day_ms + day * day_ms);
    }
    struct backup *backup = start_backups(day_ms, 4, UINT64_C(1) << 40, NULL, NULL);
    wait_made(backup, 1, 0);
    assert_int_equal(backup_list(backup, list), 4); /* three, and what was due; its base is young */
    assert_true(!list[0].changes && list[1].changes && list[2].changes && list[3].changes);
    assert_int_equal(list[0].made_ms / 1000, (now_ms - 4 * day_ms) / 1000);
    backup_keep(backup, "", day_ms, 3, UINT64_C(1) << 40);
    nanosleep(&(struct timespec){1, 100000000}, NULL);
    backup_wish(backup, true); /* whoever wishes one gets a whole one */
    wait_made(backup, 2, 0);
    assert_int_equal(backup_list(backup, list), 5); /* one goes with all, or none does */
    assert_false(list[4].changes);
    backup_keep(backup, "", day_ms, 1, UINT64_C(1) << 40);
    nanosleep(&(struct timespec){1, 100000000}, NULL);
    backup_wish(backup, true);
    wait_made(backup, 3, 0);
    assert_int_equal(backup_list(backup, list), 1);
    assert_int_equal(count_files("lumbar-"), 1);
    backup_destroy(backup);
}

/* After the clock was set back, or where somebody put another hub's beside them, a whole one lies
 * between a base and what tells of it. */
static void a_base_is_the_one_that_changes_name(void **state)
{
    struct world *world = *state;
    static struct backup_name list[BACKUP_LIST_MAX];
    struct backup_facts facts;
    struct diag diag = {0};
    const int64_t now_ms = clock_wall_ms(), day_ms = 86400000;
    begin(world);
    struct backup_name base = make(now_ms - 4 * day_ms);
    make(now_ms - 3 * day_ms);
    struct backup_name changes = make_changes(&base, now_ms - 2 * day_ms);
    struct backup *backup = start_backups(day_ms, 2, UINT64_C(1) << 40, NULL, NULL);
    wait_made(backup, 1, 0); /* of the second whole one */
    assert_int_equal(backup_list(backup, list), 2);
    assert_true(!list[0].changes && list[1].changes);
    if (backup_verify(path_of(&list[1]), NULL, &facts, &diag) != 0)
        fail_msg("%s", diag.text);
    assert_int_equal(facts.base_ms / 1000, list[0].made_ms / 1000);
    assert_true(access(path_of(&base), F_OK) != 0 && access(path_of(&changes), F_OK) != 0);
    backup_destroy(backup);
}

/* One that is a week old, that is damaged, or of the future, is no base. */
static void a_whole_one_is_made_where_there_is_no_base(void **state)
{
    struct world *world = *state;
    static struct backup_name list[BACKUP_LIST_MAX];
    const int64_t day_ms = 86400000, ages_ms[] = {7 * day_ms, 2 * day_ms};
    begin(world);
    for (unsigned i = 0; i < sizeof(ages_ms) / sizeof(ages_ms[0]); i++) {
        struct backup_name old = make(clock_wall_ms() - ages_ms[i]);
        if (i == 1)
            write_at(path_of(&old), 4200, "zzzz", 4);
        struct backup *backup = start_backups(day_ms, 9, UINT64_C(1) << 40, NULL, NULL);
        wait_made(backup, 1, 0);
        assert_int_equal(backup_list(backup, list), 2);
        assert_false(list[1].changes);
        backup_destroy(backup);
        unlink(path_of(&list[0]));
        unlink(path_of(&list[1]));
    }
}

static void on_damage(void *user)
{
    *(_Atomic int *)user += 1;
}

static void a_failure_is_said_and_damage_told(void **state)
{
    struct world *world = *state;
    _Atomic int told = 0;
    char noise[8192];
    struct backup_state now;
    begin(world);
    stop_store(world, 80000);
    memset(noise, 0x5a, sizeof(noise));
    write_at(file, 4096, noise, sizeof(noise));
    struct backup *backup = start_backups(0, 3, 1 << 20, on_damage, &told);
    backup_wish(backup, true);
    wait_made(backup, 0, 1);
    backup_state(backup, &now);
    assert_non_null(strstr(now.error, "no backup in "));
    for (int i = 0; i < 100 && told == 0; i++)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    assert_int_equal(told, 1);
    backup_destroy(backup);
}

static void names_are_those_of_a_time(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        int64_t made_ms; /* -1: it is none */
    } cases[] = {
        {"lumbar-20231114T222320Z.backup", INT64_C(1700000600000)},
        {"lumbar-20231114T222320Z.changes", INT64_C(1700000600000)},
        {"lumbar-20231114T222320Z.backup.part", -1},
        {"lumbar-20231114T222320Z.changes2", -1},
        {"lumbar-20231114T222320Z", -1},
        {"lumbar-20231131T222320Z.backup", -1},
        {"lumbar-20231114T2223.backup", -1},
        {"history.db", -1},
        {"", -1},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct backup_name name;
        bool is_one = backup_name_parse(&name, cases[i].file);
        if (is_one != (cases[i].made_ms >= 0) || (is_one && name.made_ms != cases[i].made_ms))
            fail_msg("%s", cases[i].file);
    }
}

static void assert_rules(const struct backup_name *name, const char *wanted)
{
    char *rules;
    struct diag diag = {0};
    assert_int_equal(backup_rules(path_of(name), &rules, &diag), 0);
    if (wanted == NULL)
        assert_null(rules);
    else
        assert_string_equal(rules, wanted);
    free(rules);
}

/* Of either kind, each with its own; and no table of theirs is in a store. */
static void what_the_page_changed_of_the_rules_is_in_it(void **state)
{
    static const char *const then = "rules:\n  - {name: 'bent', off: true} # \"ours\" \xc3\xa4\n";
    struct world *world = *state;
    struct backup_name base, changes, without;
    struct diag diag = {0};
    char kept[PATH_MAX];
    begin(world);
    without = make(NOW - 60000);
    assert_int_equal(backup_make(file, "rules: []\n", folder, NULL, NOW, NULL, &base, &diag), 0);
    put_client(world, 2, "Birke");
    assert_true(store_flush(world->store, NOW, 90000));
    assert_int_equal(backup_make(file, then, folder, &base, NOW + 60000, NULL, &changes, &diag), 0);
    stop_store(world, 99000);
    assert_rules(&without, NULL);
    assert_rules(&base, "rules: []\n");
    assert_rules(&changes, then);
    const struct backup_name *const all[] = {&without, &base, &changes};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(backup_restore(path_of(all[i]), file, kept, &diag), 0);
        assert_int_equal(number_of("SELECT count(*) FROM sqlite_master WHERE name = 'page_rules'"),
                         0);
        assert_int_equal(number_of("SELECT count(*) FROM client"), i == 2 ? 2 : 1);
        assert_int_equal(unlink(kept), 0); /* another one of this second has its name */
    }
    start_store(world);
    assert_int_equal(store_renewals(world->store), 0);
    stop_store(world, 99000);
}

/* A base of a version that kept none, or changes of one. */
static void the_rules_of_one_are_not_those_of_the_other(void **state)
{
    struct world *world = *state;
    struct diag diag = {0};
    struct backup_name base, changes;
    char kept[PATH_MAX];
    for (int older_base = 0; older_base < 2; older_base++) {
        int64_t at_ms = NOW + older_base * 600000;
        begin(world);
        assert_int_equal(backup_make(file, older_base ? NULL : "rules: []\n", folder, NULL, at_ms,
                                     NULL, &base, &diag),
                         0);
        assert_int_equal(backup_make(file, older_base ? "rules: []\n" : NULL, folder, &base,
                                     at_ms + 60000, NULL, &changes, &diag),
                         0);
        stop_store(world, 99000);
        assert_rules(&changes, older_base ? "rules: []\n" : NULL);
        assert_int_equal(backup_restore(path_of(&changes), file, kept, &diag), 0);
        assert_int_equal(number_of("SELECT count(*) FROM sqlite_master WHERE name = 'page_rules'"),
                         0);
        assert_int_equal(unlink(file), 0);
        assert_int_equal(unlink(kept), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_backup_of_a_store_at_work_is_sound_and_goes_back),
        CASE(the_log_of_what_was_there_goes_with_it),
        CASE(nothing_is_restored_beneath_a_hub),
        CASE(what_cannot_be_read_whole_is_refused_and_nothing_changes),
        CASE(one_of_a_newer_version_is_refused_in_a_sentence),
        CASE(a_store_that_is_damaged_gives_no_backup),
        CASE(changes_and_their_base_are_the_store_as_it_was),
        CASE(what_the_page_changed_of_the_rules_is_in_it),
        CASE(the_rules_of_one_are_not_those_of_the_other),
        CASE(changes_are_small),
        CASE(changes_without_their_base_are_refused_whole),
        CASE(a_base_stays_as_long_as_its_changes),
        CASE(a_base_is_the_one_that_changes_name),
        CASE(a_whole_one_is_made_where_there_is_no_base),
        CASE(one_that_is_ended_leaves_nothing),
        CASE(one_that_is_killed_is_no_backup),
        CASE(changes_ask_for_no_room_of_a_whole_one),
        CASE(a_disk_that_is_full_leaves_nothing_half),
        CASE(old_ones_go_and_the_newest_never),
        CASE(a_failure_is_said_and_damage_told),
        CASE(names_are_those_of_a_time),
    };
    signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
