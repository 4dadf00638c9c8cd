/*
 * Rows as they may stand in a history that somebody else wrote, or a disk has changed, at the
 * start: alarms, sessions and what is derived are taken up from them, or passed over, and said to
 * be.
 *
 * An input is lines, each a row: the table's name, and its values behind tabs: "i12" a number,
 * "r1.5" one that is not whole, "tabc" a text, anything else is none. The file is a copy of an
 * empty one.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/core/clinic_drivers.h"
#include "base/log.h"
#include "core/alarms.h"
#include "core/derive.h"
#include "core/sessions.h"
#include "core/shelf.h"
#include "io/store_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW      INT64_C(1793000000000)
#define ROWS_MAX 64

static char folder[64], file[96];
static unsigned char *empty; /* the bytes of a history in which nothing is */
static size_t empty_bytes;

static void must(bool truth)
{
    if (!truth)
        abort(); /* in every build */
}

struct world {
    struct drivers drivers;
    struct devices *devices;
    struct body body;
    struct sessions *sessions;
    struct alarms *alarms;
    struct rules *rules;
    struct derive *derive;
    struct config *config;
    struct shelf *clients;
};

static void open_world(struct world *world)
{
    static const char config[] = "rooms: [{name: a, devices: [back/x]}, {name: b}]";
    static const char rules[] =
        "rules: [{name: bent, title: B, metric: angle, above: 45 deg, priority: low, text: T}]\n"
        "derived: [{name: bends, title: Bends, metric: angle, count: {above: 25 deg}}]";
    struct rules_text text = {"rules.yaml", rules, sizeof(rules) - 1, false};
    struct diag diag = {0};
    clinic_init(&world->drivers);
    must(derive_load(&world->derive, &text, 1, &world->drivers, 8, &diag) == 0);
    must(rules_load(&world->rules, &text, 1, &world->drivers, 8, &diag) == 0);
    must(config_parse(&world->config, "c.yaml", config, sizeof(config) - 1, &diag) == 0);
    world->devices = devices_create(8, 1000);
    body_init(&world->body, &world->drivers);
    world->sessions = sessions_create(8, &world->drivers, &world->body, NULL, NULL);
    world->alarms = alarms_create();
    world->clients = shelf_create(16);
}

static void close_world(struct world *world)
{
    shelf_destroy(world->clients);
    alarms_destroy(world->alarms);
    sessions_destroy(world->sessions);
    devices_destroy(world->devices);
    config_destroy(world->config);
    rules_destroy(world->rules);
    drivers_fini(&world->drivers);
    derive_destroy(world->derive);
}

static struct store *open_store(struct world *world)
{
    const struct store_options options = {.file = file,
                                          .history_bytes = 512 << 10,
                                          .max_devices = 8,
                                          .drivers = &world->drivers,
                                          .devices = world->devices,
                                          .size_bytes = INT64_C(1) << 40,
                                          .patience_ms = 60000,
                                          .ring = 7,
                                          .tail = 65536,
                                          .head = 1 << 30};
    struct store *store = NULL;
    struct diag diag = {0};
    must(store_open(&store, &options, NOW, &diag) == 0);
    return store;
}

/* ---- the file ---- */

static void remove_folder(void)
{
    char path[128];
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", file, ends[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void begin(void)
{
    struct world world;
    struct stat status;
    log_set_level((enum log_level)0);
    snprintf(folder, sizeof(folder), "%s/lumbar-rows.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
    snprintf(file, sizeof(file), "%s/history.db", folder);
    open_world(&world);
    store_close(open_store(&world));
    close_world(&world);
    int fd = open(file, O_RDONLY);
    must(fd >= 0 && fstat(fd, &status) == 0);
    empty_bytes = (size_t)status.st_size;
    empty = malloc(empty_bytes);
    must(empty != NULL && read(fd, empty, empty_bytes) == status.st_size);
    close(fd);
}

static void write_empty(void)
{
    remove_folder();
    must(mkdir(folder, 0700) == 0);
    int fd = open(file, O_WRONLY | O_CREAT, 0600);
    must(fd >= 0 && write(fd, empty, empty_bytes) == (ssize_t)empty_bytes);
    close(fd);
}

static void bind(sqlite3_stmt *insert, int place, const char *word)
{
    if (word != NULL && word[0] == 'i')
        sqlite3_bind_int64(insert, place, strtoll(word + 1, NULL, 10));
    else if (word != NULL && word[0] == 'r')
        sqlite3_bind_double(insert, place, strtod(word + 1, NULL));
    else if (word != NULL && word[0] == 't')
        sqlite3_bind_text(insert, place, word + 1, -1, SQLITE_STATIC);
}

static void insert_row(sqlite3 *db, char *line)
{
    static const char *const tables[] = {"alarm",         "session",      "session_device",
                                         "session_phase", "session_note", "derived",
                                         "client",        "plan",         "device"};
    char sql[64], *name = strsep(&line, "\t");
    sqlite3_stmt *columns = NULL, *insert = NULL;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (strcmp(tables[i], name) != 0)
            continue;
        snprintf(sql, sizeof(sql), "SELECT * FROM %s", tables[i]);
        must(sqlite3_prepare_v2(db, sql, -1, &columns, NULL) == SQLITE_OK);
        int count = sqlite3_column_count(columns);
        int length = snprintf(sql, sizeof(sql), "INSERT INTO %s VALUES(?", tables[i]);
        char whole[256];
        snprintf(whole, sizeof(whole), "%.*s%.*s)", length, sql, 2 * (count - 1),
                 ",?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?");
        must(sqlite3_prepare_v2(db, whole, -1, &insert, NULL) == SQLITE_OK);
        for (int place = 1; place <= count; place++)
            bind(insert, place, line != NULL ? strsep(&line, "\t") : NULL);
        sqlite3_step(insert); /* what the table does not take is not there */
    }
    sqlite3_finalize(columns);
    sqlite3_finalize(insert);
}

static void write_rows(char *text)
{
    sqlite3 *db = NULL;
    must(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    sqlite3_exec(db, "PRAGMA synchronous = OFF; BEGIN", NULL, NULL, NULL);
    for (int i = 0; text != NULL && i < ROWS_MAX; i++)
        insert_row(db, strsep(&text, "\n"));
    must(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world;
    struct diag diag = {0};
    if (empty == NULL)
        begin();
    char *text = strndup((const char *)data, size);
    must(text != NULL);
    write_empty();
    write_rows(text);
    open_world(&world);
    struct store *store = open_store(&world);
    const struct store_alarms_world alarms = {.alarms = world.alarms,
                                              .rules = world.rules,
                                              .devices = world.devices,
                                              .drivers = &world.drivers};
    const struct store_clinic clinic = {.config = world.config,
                                        .drivers = &world.drivers,
                                        .devices = world.devices,
                                        .body = &world.body,
                                        .clients = world.clients};
    store_load_alarms(store, &alarms, NOW, &diag);
    store_load_sessions(store, world.sessions, &clinic, &diag);
    store_load_derived(store, world.derive, &world.drivers, world.devices, &diag);
    must(diag.code == 0); /* rows are no reason not to start */
    store_close(store);
    close_world(&world);
    free(text);
    return 0;
}
