/*
 * bench-history: a year of a clinic in the database, and what it costs to keep and to look at it.
 *
 *   bench-history [--days N] [FILE]   default: N 90, and a file that is removed
 *
 * 20 rooms, 8 hours on five days of each week of a year (year.h), of which the last N days have
 * their seconds. A FILE that is there is taken as it is. Then the hub is started with it, and while
 * it takes 4,000 messages a second of 400 devices and serves ten dashboards, one hour of one value,
 * one value's year, and one client's, are asked for by its API as a browser does. At last what its
 * backups write: a whole one, and what one more day of treatment has changed since.
 * Exit 0: what is wanted is met; 1: it is not.
 */
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asker.h"
#include "base/log.h"
#include "bed.h"
#include "io/backup_file.h"
#include "table.h"
#include "usage.h"
#include "year.h"

#define ROOMS     20
#define RATE      4000
#define DEVICES   400
#define STARTS    5
#define READY_MS  300
#define PATIENT_S 30
#define HOUR_MS   INT64_C(3600000)

enum kind { AN_HOUR, A_YEAR, A_COURSE };
enum { HOURS = 400, YEARS = 100, COURSES = 100, REST_MS = 30 };

static struct table table;

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "bench-history: %s\n", what);
    exit(2);
}

/* ---- the year ---- */

static void prepare_year(struct year *year, struct year_options *options)
{
    struct hub hub = {.build = BUILD_FOLDER,
                      .plugins = BUILD_FOLDER "/plugins",
                      .broker_port = 1883,
                      .rooms = ROOMS,
                      .clinic = true,
                      .ring_size = "1 MiB",
                      .rules = SOURCE_FOLDER "/config/rules.d"};
    static struct setup setup;
    struct diag diag = {0};
    char file[128];
    hub_prepare(&hub);
    snprintf(file, sizeof(file), "%s/lumbard.yaml", hub.folder);
    log_set_level(LOG_ERROR_);
    if (setup_load(&setup, file, &diag) != 0)
        give_up(diag.text);
    options->setup = &setup;
    int64_t from_ns = usage_mono_ns();
    year_make(year, options);
    printf("  made in %.0f s\n", (double)(usage_mono_ns() - from_ns) / 1e9);
    options->setup = NULL;
    setup_fini(&setup);
    hub_clear(&hub, false);
}

static void weigh(const struct year_options *options, const struct year *year)
{
    struct stat status;
    if (stat(options->file, &status) != 0)
        give_up(strerror(errno));
    table_head(&table, "a year of %d rooms, %u hours a day, seconds of the last %u days", ROOMS,
               options->hours, options->seconds_days);
    table_add(&table, "size on disk", (double)status.st_size / 1e9, "GB", AT_MOST, 5);
    if (year->blocks == 0)
        return;
    table_add(&table, "days of treatment", year->days, "", NOTHING, 0);
    table_add(&table, "  of them with seconds", year->second_days, "", NOTHING, 0);
    table_add(&table, "seconds, packed", (double)year->second_bytes / 1e9, "GB", NOTHING, 0);
    table_add(&table, "  a minute of one value", (double)year->second_bytes / (double)year->blocks,
              "bytes", NOTHING, 0);
    table_add(&table, "minutes, packed", (double)year->minute_bytes / 1e9, "GB", NOTHING, 0);
}

/* ---- a start ---- */

static int listen_for_ready(const struct hub *hub)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENT_S};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", hub->folder);
    unlink(address.sun_path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
        give_up(strerror(errno));
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    return fd;
}

static double ready_ms(struct hub *hub)
{
    char word[256] = "";
    int fd = listen_for_ready(hub);
    int64_t from_ns = usage_mono_ns();
    hub_start(hub);
    while (strstr(word, "READY=1") == NULL) {
        ssize_t n = recv(fd, word, sizeof(word) - 1, 0);
        if (n < 0)
            give_up("the hub does not get ready");
        word[n] = '\0';
    }
    double ms = (double)(usage_mono_ns() - from_ns) / 1e6;
    unsetenv("NOTIFY_SOCKET");
    close(fd);
    return ms;
}

static void measure_starts(const char *file)
{
    struct hub hub = {.build = BUILD_FOLDER,
                      .plugins = BUILD_FOLDER "/plugins",
                      .broker_port = 1, /* nobody's */
                      .rooms = ROOMS,
                      .clinic = true,
                      .ring_size = "16 MiB",
                      .rules = SOURCE_FOLDER "/config/rules.d"};
    double after_end = 0, after_kill = 0;
    snprintf(hub.history, sizeof(hub.history), "%s", file);
    hub_prepare(&hub);
    ready_ms(&hub); /* the file is one of another spool */
    for (int i = 0; i < STARTS; i++) {
        hub_end(&hub, SIGTERM);
        double ms = ready_ms(&hub);
        after_end = ms > after_end ? ms : after_end;
        hub_end(&hub, SIGKILL);
        ms = ready_ms(&hub);
        after_kill = ms > after_kill ? ms : after_kill;
    }
    hub_end(&hub, SIGTERM);
    hub_clear(&hub, false);
    table_add(&table, "READY after an end, longest of 5", after_end, "ms", AT_MOST, READY_MS);
    table_add(&table, "READY after a kill, longest of 5", after_kill, "ms", AT_MOST, READY_MS);
}

/* ---- questions ---- */

static uint32_t roll(uint32_t sides)
{
    static uint32_t dice = 1;
    dice = dice * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(dice >> 8) * sides >> 24);
}

static void choose_value(struct asker_question *question)
{
    static const char *const posture[] = {"lumbar_flexion", "lumbar_flexion_velocity",
                                          "trunk_inclination", "lumbar_lateral_flexion",
                                          "lumbar_rotation"};
    static const char *const massage[] = {"massage_pressure", "massage_force", "skin_temperature",
                                          "motor_current"};
    unsigned room = 1 + roll(ROOMS);
    bool is_posture = roll(2) == 0;
    snprintf(question->device, sizeof(question->device), "%s-%02u",
             is_posture ? "posture/p" : "massage/m", room);
    snprintf(question->metric, sizeof(question->metric), "%s",
             is_posture ? posture[roll(5)] : massage[roll(4)]);
}

/* An hour of a day with seconds, within its hours. */
static void choose_hour(struct asker_question *question, const struct year_options *options,
                        const struct year *year)
{
    int64_t begin_ms;
    while (!year_day(options, year, options->days - 1 - roll(options->seconds_days), &begin_ms))
        ;
    question->from_ms = begin_ms + roll(options->hours - 1) * HOUR_MS + roll(3600) * 1000;
    question->to_ms = question->from_ms + HOUR_MS;
    question->kind = AN_HOUR;
    question->least = 300; /* of 360; a device may lie in its cradle */
}

static void choose_course(struct asker_question *question, const struct year_options *options,
                          const struct year *year)
{
    *question =
        (struct asker_question){.from_ms = year->from_ms, .to_ms = year->to_ms, .kind = A_COURSE};
    snprintf(question->client, sizeof(question->client), "c-%u", 1 + roll(YEAR_CLIENTS));
    question->least = options->rooms * 4 * options->days / YEAR_CLIENTS - 1;
}

static struct asker *choose_questions(const struct year_options *options, const struct year *year)
{
    struct asker *asker =
        mmap(NULL, sizeof(*asker), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (asker == MAP_FAILED)
        give_up(strerror(errno));
    asker->count = HOURS + YEARS + COURSES;
    for (unsigned i = 0; i < asker->count; i++) {
        struct asker_question *question = &asker->questions[i];
        if (i % (asker->count / COURSES) == 1) {
            choose_course(question, options, year);
            continue;
        }
        choose_value(question);
        if (i % (asker->count / YEARS) != 0) {
            choose_hour(question, options, year);
            continue;
        }
        question->from_ms = year->from_ms;
        question->to_ms = year->to_ms;
        question->kind = A_YEAR;
        question->least = 200; /* of its days */
    }
    return asker;
}

static void add_answers(const struct asker *asker, enum kind kind, const char *what, double most)
{
    struct samples taken = {0};
    char words[96];
    for (unsigned i = 0; i < asker->count; i++)
        if (asker->questions[i].kind == kind)
            samples_add(&taken, asker->ns[i]);
    samples_sort(&taken);
    snprintf(words, sizeof(words), "%s, p50", what);
    table_add(&table, words, samples_ms(&taken, 0.5), "ms", NOTHING, 0);
    snprintf(words, sizeof(words), "%s, p99", what);
    table_add(&table, words, samples_ms(&taken, 0.99), "ms", AT_MOST, most);
    samples_clear(&taken);
}

static void measure_answers(const struct year_options *options, const struct year *year)
{
    static struct bed bed;
    struct asker *asker = choose_questions(options, year);
    int status = 0;
    bed_make(&bed, &(struct bed_options){
                       .hub = true, .devices = DEVICES, .decode = true, .history = options->file});
    bed_load(&bed, RATE);
    beds_run(2000);
    pid_t pid = asker_start(asker, hub_web_port(&bed.hub), REST_MS);
    for (unsigned i = 0; i < bed.dashboard_count; i++)
        bed.dashboards[i].sampling = true;
    while (waitpid(pid, &status, WNOHANG) == 0)
        beds_run(100);
    if (status != 0)
        give_up(asker->wrong[0] != '\0' ? asker->wrong : "nobody asked");
    samples_sort(&bed.values);
    table_head(&table, "while %d messages/s of %d devices come in, and ten dashboards look on",
               RATE, DEVICES);
    add_answers(asker, AN_HOUR, "an hour of one value", 10);
    add_answers(asker, A_YEAR, "a year of one value", 100);
    add_answers(asker, A_COURSE, "a client's year", 100);
    table_add(&table, "publish to frame, p99", samples_ms(&bed.values, 0.99), "ms", AT_MOST, 25);
    table_add(&table, "messages refused or dropped", (double)bed.dashboards[0].lost, "", AT_MOST,
              0);
    bed_clear(&bed);
    munmap(asker, sizeof(*asker));
}

/* ---- backups ---- */

static void run(const char *file, const char *base, const char *sql)
{
    sqlite3 *db;
    char *attach = sqlite3_mprintf("ATTACH %Q AS base", base);
    if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_exec(db, attach, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        give_up(sqlite3_errmsg(db));
    sqlite3_free(attach);
    sqlite3_close(db);
}

/* What the kernel counts for a backup, in bytes. */
static double back_up(const char *file, const char *folder, const struct backup_name *base,
                      int64_t now_ms, struct backup_name *made)
{
    struct diag diag = {0};
    int64_t before = usage_writes(getpid()).all;
    if (backup_make(file, NULL, folder, base, now_ms, NULL, made, &diag) != 0)
        give_up(diag.text);
    return (double)(usage_writes(getpid()).all - before);
}

/* The last day of treatment comes once more, a week later, and the first day's seconds go, as with
 * their age. Then all is as it was. */
static void measure_backups(const struct year_options *options, const struct year *year)
{
    static const char undone[] = "DELETE FROM second WHERE minute >= %lld;"
                                 "DELETE FROM minute WHERE hour >= %lld;"
                                 "INSERT OR IGNORE INTO second SELECT * FROM base.second"
                                 "  WHERE minute < %lld";
    struct backup_name whole, changes;
    char folder[160], base[240], sql[600];
    int64_t begin_ms, first_ms;
    unsigned day = options->days, first = options->days - options->seconds_days;
    while (!year_day(options, year, --day, &begin_ms))
        ;
    while (!year_day(options, year, first, &first_ms))
        first++;
    snprintf(folder, sizeof(folder), "%s.backups", options->file);
    double all = back_up(options->file, folder, NULL, year->to_ms, &whole);
    snprintf(base, sizeof(base), "%s/%s", folder, whole.file);
    long long minute = begin_ms / 60000, hour = begin_ms / HOUR_MS, end = first_ms / 60000 + 1440;
    snprintf(sql, sizeof(sql),
             "INSERT INTO second SELECT minute + 10080, device, metric, block FROM second"
             "  WHERE minute >= %lld;"
             "INSERT INTO minute SELECT device, metric, hour + 168, block FROM minute"
             "  WHERE hour >= %lld;"
             "DELETE FROM second WHERE minute < %lld",
             minute, hour, end);
    run(options->file, base, sql);
    double a_day = back_up(options->file, folder, &whole, year->to_ms + 86400000, &changes);
    snprintf(sql, sizeof(sql), undone, minute + 10080, hour + 168, end);
    run(options->file, base, sql);
    table_head(&table, "backups of it: a whole one a week, and each day what has changed since");
    table_add(&table, "a whole one writes", all / 1e9, "GB", NOTHING, 0);
    table_add(&table, "changes of a day write", a_day / 1e6, "MB", NOTHING, 0);
    table_add(&table, "on the average of a week",
              (all + (1 + 2 + 3 + 4 + 5 + 6) * a_day) / 604800e3, "KB/s", AT_MOST, 10);
    char command[240];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    if (system(command) != 0)
        give_up("the backups cannot be removed");
}

int main(int count, char **arguments)
{
    struct year_options options = {.rooms = ROOMS,
                                   .hours = 8,
                                   .days_a_week = 5,
                                   .days = 364,
                                   .seconds_days = 90,
                                   .made_days = 3};
    struct year year = {0};
    char own[] = "/tmp/lumbar-year-XXXXXX";
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    if (count > 2 && strcmp(arguments[1], "--days") == 0) {
        options.seconds_days = (unsigned)atoi(arguments[2]);
        count -= 2;
        arguments += 2;
    }
    if (count > 2 || options.seconds_days < 7 || options.seconds_days > options.days)
        give_up("usage: bench-history [--days 7..364] [FILE]");
    if (count == 1 && mkdtemp(own) == NULL)
        give_up(strerror(errno));
    char file[128];
    snprintf(file, sizeof(file), count == 2 ? "%s" : "%s/history.db",
             count == 2 ? arguments[1] : own);
    options.file = file;
    if (access(file, F_OK) == 0)
        year_find(&year, &options);
    else
        prepare_year(&year, &options);
    weigh(&options, &year);
    measure_starts(file);
    measure_answers(&options, &year);
    measure_backups(&options, &year);
    bool met = table_print(&table);
    if (count == 1) {
        char command[128];
        snprintf(command, sizeof(command), "rm -r %s", own);
        if (system(command) != 0)
            give_up("the year cannot be removed");
    }
    return met ? 0 : 1;
}
