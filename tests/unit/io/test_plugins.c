/* Opening plugins: each bad one is refused in one sentence, and harms nothing. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/plugins.h"

#define START_DELAY_NS INT64_C(7000000000) /* that a plugin may cause: 5 s to open, 2 s to test */
#define COUNT(list)    (sizeof(list) / sizeof((list)[0]))

/* What was refused, one sentence a line. */
struct refusals {
    char text[4096];
    unsigned count;
};

static void on_refused(void *user, const char *sentence)
{
    struct refusals *refusals = user;
    size_t used = strlen(refusals->text);
    snprintf(refusals->text + used, sizeof(refusals->text) - used, "%s\n", sentence);
    refusals->count++;
}

static unsigned open_files(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* An emulator of another processor takes RLIMIT_AS and does not keep it. */
static bool memory_is_limited(void)
{
    enum { KEPT = 3, BYTES = 1 << 30 };
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_AS, &(struct rlimit){BYTES / 2, BYTES / 2});
        _exit(mmap(NULL, BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? KEPT
                                                                                             : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == KEPT;
}

static void each_bad_plugin_is_refused_in_one_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *sentence; /* behind the path; NULL: it is good */
    } cases[] = {
        {"sound", NULL},
        {"nested", NULL}, /* nested messages, not recursive ones */
        {"fragile", NULL},
        {"wrong_abi", "built for plugin ABI 99, this hub speaks 2"},
        {"short_struct", "struct lumbar_plugin is short: 64 bytes, not 112"},
        {"bad_name", "metric 0 of plugin variant has a bad name ([a-z][a-z0-9_]*, 1 to 47)"},
        {"doubled_name", "two metrics of plugin variant are called level"},
        {"recursive", "message type lumbar.fixtures.recursive contains itself, and protobuf-c puts "
                      "no bound on the depth of nesting"},
        {"mutual_recursive", "message type lumbar.fixtures.mutual_recursive contains itself, and "
                             "protobuf-c puts no bound on the depth of nesting"},
        {"failing_golden", "golden message 0 gave 42 as the first level, not 43"},
        {"crashing_golden", "crashed in its self-test (Segmentation fault)"},
        {"hanging_golden", "took more than 5 s in its self-test"},
        {"sleeping_golden", "took more than 5 s in its self-test"},
        {"greedy_golden", "crashed in its self-test (Aborted)"},
        {"exiting_golden", "ended the process with status 3 in its self-test"},
        {"wild_table", "crashed when its tables were read (Segmentation fault)"},
        {"dozing_golden", "took more than 5 s in its self-test"}, /* each message for a while */
        {"sleeping_load", "took more than 5 s when it was opened"},
        {"crashing_load", "crashed when it was opened (Segmentation fault)"},
        {"no_symbol", "exports no symbol lumbar_plugin, so it is no plugin"},
        {"missing_symbol", "cannot be opened: undefined symbol: nowhere_defined"},
        {"garbage", "cannot be opened: file too short"},
        {"empty", "cannot be opened: file too short"},
        {"folder", "is no regular file"},
    };
    bool limited = memory_is_limited();
    for (size_t i = 0; i < COUNT(cases); i++) {
        char folder[512], expected[1024] = "";
        if (!limited && strcmp(cases[i].name, "greedy_golden") == 0) {
            printf("skipped %s: no limit of memory is kept here\n", cases[i].name);
            continue;
        }
        snprintf(folder, sizeof(folder), "%s/%s", FIXTURE_FOLDER, cases[i].name);
        if (cases[i].sentence != NULL)
            snprintf(expected, sizeof(expected), "%s/%s.so: %s\n", folder, cases[i].name,
                     cases[i].sentence);
        struct refusals refusals = {.count = 0};
        struct drivers drivers;
        struct diag diag = {.code = 0};
        unsigned files = open_files();
        int64_t began_ns = clock_mono_ns();
        drivers_init(&drivers);
        int code = plugins_load(folder, &drivers, on_refused, &refusals, &diag);
        assert_string_equal(refusals.text, expected);
        assert_int_equal(code, cases[i].sentence != NULL ? ERR_PLUGIN : 0);
        assert_int_equal(drivers.count, cases[i].sentence == NULL);
        assert_in_range(clock_mono_ns() - began_ns, 0, START_DELAY_NS);
        drivers_fini(&drivers);
        assert_int_equal(open_files(), files);
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(errno, ECHILD);
}

static void a_folder_without_plugins_is_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *folder;
        int code;
        const char *sentence;
    } cases[] = {
        {FIXTURE_FOLDER "/nothing", ERR_PLUGIN, "there is no plugin in " FIXTURE_FOLDER "/nothing"},
        {FIXTURE_FOLDER "/garbage", ERR_PLUGIN,
         "no plugin of " FIXTURE_FOLDER "/garbage could be used"},
        {FIXTURE_FOLDER "/absent", ERR_IO,
         "the plugin folder " FIXTURE_FOLDER "/absent cannot be read: No such file or directory"},
        {FIXTURE_FOLDER "/garbage/garbage.so", ERR_IO,
         "the plugin folder " FIXTURE_FOLDER "/garbage/garbage.so cannot be read: Not a directory"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct refusals refusals = {.count = 0};
        struct drivers drivers;
        struct diag diag = {.code = 0};
        drivers_init(&drivers);
        assert_int_equal(plugins_load(cases[i].folder, &drivers, on_refused, &refusals, &diag),
                         cases[i].code);
        assert_string_equal(diag.text, cases[i].sentence);
        drivers_fini(&drivers);
    }
}

/* A folder of links, which goes away with its test. */
struct link_folder {
    char path[64];
};

static void link_into(const struct link_folder *folder, const char *target, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    assert_int_equal(symlink(target, path), 0);
}

static void remove_folder(const struct link_folder *folder)
{
    DIR *entries = opendir(folder->path);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", folder->path, entry->d_name);
        if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
            unlink(path);
    }
    closedir(entries);
    assert_int_equal(rmdir(folder->path), 0);
}

static void plugins_are_taken_in_the_order_of_their_names_and_a_kind_and_a_topic_once(void **state)
{
    (void)state;
    struct link_folder folder = {"/tmp/lumbar-plugins-XXXXXX"};
    assert_non_null(mkdtemp(folder.path));
    link_into(&folder, PLUGIN_FOLDER "/posture.so", "20-posture.so");
    link_into(&folder, FIXTURE_FOLDER "/doubled_kind/doubled_kind.so", "30-posture.so");
    link_into(&folder, FIXTURE_FOLDER "/fragile/fragile.so", "10-fragile.so");
    link_into(&folder, PLUGIN_FOLDER "/massage.so", ".hidden.so");
    link_into(&folder, PLUGIN_FOLDER "/massage.so", "massage.so.old");
    link_into(&folder, "/nowhere/at/all.so", "40-dangling.so");
    link_into(&folder, FIXTURE_FOLDER "/sound/sound.so", "50-sound.so");
    link_into(&folder, FIXTURE_FOLDER "/nested/nested.so", "60-nested.so"); /* topics of sound */

    struct refusals refusals = {.count = 0};
    struct drivers drivers;
    struct diag diag = {.code = 0};
    drivers_init(&drivers);
    assert_int_equal(plugins_load(folder.path, &drivers, on_refused, &refusals, &diag), 0);
    assert_int_equal(drivers.count, 3);
    assert_string_equal(drivers.list[0].plugin->kind, "fragile");
    assert_string_equal(drivers.list[1].plugin->kind, "posture");
    assert_string_equal(drivers.list[2].plugin->kind, "sound");
    char expected[1024];
    snprintf(expected, sizeof(expected),
             "%s/30-posture.so: a plugin of kind posture is there already (\"Posture wearable\", "
             "version 1.0.0)\n%s/40-dangling.so: cannot be read: No such file or directory\n"
             "%s/60-nested.so: the topic lumbar/v1/variant/+/telemetry of plugin nested meets "
             "lumbar/v1/variant/+/telemetry of plugin sound\n",
             folder.path, folder.path, folder.path);
    assert_string_equal(refusals.text, expected);
    drivers_fini(&drivers);
    remove_folder(&folder);
}

static void our_own_plugins_pass(void **state)
{
    (void)state;
    struct refusals refusals = {.count = 0};
    struct drivers drivers;
    struct diag diag = {.code = 0};
    drivers_init(&drivers);
    assert_int_equal(plugins_load(PLUGIN_FOLDER, &drivers, on_refused, &refusals, &diag), 0);
    assert_string_equal(refusals.text, "");
    assert_true(drivers.count >= 3);
    assert_string_equal(drivers.list[0].plugin->kind, "hub");
    assert_string_equal(drivers.list[1].plugin->kind, "massage");
    assert_string_equal(drivers.list[2].plugin->kind, "posture");
    drivers_fini(&drivers);
}

/* The row that the page of a plugin must have of a metric. */
static void write_row(const struct lumbar_metric *metric, char *row, size_t bytes)
{
    int at = snprintf(row, bytes, "\n| `%s` | %s | ", metric->name, metric->unit);
    if (metric->labels == NULL)
        at += snprintf(row + at, bytes - (size_t)at, "%g .. %g", metric->min, metric->max);
    for (unsigned i = 0; metric->labels != NULL && metric->labels[i] != NULL; i++)
        at += snprintf(row + at, bytes - (size_t)at, "%s%s", i > 0 ? ", " : "", metric->labels[i]);
    if (metric->period_ms > 0)
        snprintf(row + at, bytes - (size_t)at, " | %g s |\n", metric->period_ms / 1000.0);
    else
        snprintf(row + at, bytes - (size_t)at, " | - |\n");
}

static void the_page_of_a_plugin_says_what_its_table_says(void **state)
{
    (void)state;
    struct refusals refusals = {.count = 0};
    struct drivers drivers;
    struct diag diag = {.code = 0};
    drivers_init(&drivers);
    assert_int_equal(plugins_load(PLUGIN_FOLDER, &drivers, on_refused, &refusals, &diag), 0);
    for (uint32_t i = 0; i < drivers.count; i++) {
        const struct lumbar_plugin *plugin = drivers.list[i].plugin;
        char path[512], page[16384], row[512];
        snprintf(path, sizeof(path), "%s/plugins/%s/README.md", SOURCE_FOLDER, plugin->kind);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
        fclose(file);
        for (uint32_t m = 0; m < plugin->metric_count; m++) {
            write_row(&plugin->metrics[m], row, sizeof(row));
            if (strstr(page, row) == NULL)
                fail_msg("%s has no row: %s", path, row);
        }
    }
    drivers_fini(&drivers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bad_plugin_is_refused_in_one_sentence),
        cmocka_unit_test(a_folder_without_plugins_is_an_error),
        cmocka_unit_test(plugins_are_taken_in_the_order_of_their_names_and_a_kind_and_a_topic_once),
        cmocka_unit_test(our_own_plugins_pass),
        cmocka_unit_test(the_page_of_a_plugin_says_what_its_table_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
