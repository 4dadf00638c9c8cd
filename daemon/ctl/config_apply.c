/* lumbarctl config apply, rollback: another configuration, or the present one again. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "check.h"
#include "config.h"
#include "ctl.h"
#include "setup.h"

#define COMES_BACK_S 40 /* a hub that is started anew; a bad configuration costs it tries */

static const struct option own_options[] = {{"list", no_argument, NULL, CONFIG_LIST},
                                            {"restart", no_argument, NULL, CONFIG_RESTART},
                                            {NULL, 0, NULL, 0}};

/* ---- Files ---- */

static const char *join(char out[PATH_MAX], const char *folder, const char *name)
{
    struct text text = text_in(out, PATH_MAX);
    text_add(&text, "%s/%s", folder, name);
    return out;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool has(const struct files_rules *files, const char *name)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(base_name(files->list[i].file), name) == 0)
            return true;
    return false;
}

/* What came since is no rule any more, and yet not lost: NAME.yaml.before. */
static void set_aside(const char *folder, const struct files_rules *files)
{
    char path[PATH_MAX], aside[PATH_MAX];
    DIR *names = opendir(folder);
    if (names == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(names)) != NULL;) {
        size_t bytes = strlen(entry->d_name);
        if (bytes < 6 || strcmp(entry->d_name + bytes - 5, ".yaml") != 0 ||
            has(files, entry->d_name))
            continue;
        struct text text = text_in(aside, sizeof(aside));
        text_add(&text, "%s.before", join(path, folder, entry->d_name));
        if (rename(path, aside) == 0)
            fprintf(stderr, "lumbarctl: %s was set aside as %s\n", path, base_name(aside));
    }
    closedir(names);
}

static int put_files(const char *config_file, const char *folder, const struct files_rules *files,
                     struct diag *diag)
{
    char place[PATH_MAX], path[PATH_MAX];
    struct stat status;
    int code = 0;
    if (folder[0] == '\0')
        return 0;
    files_beside(config_file, folder, place, sizeof(place));
    if (files->count > 0 && stat(place, &status) != 0 && mkdir(place, 0755) != 0)
        return diag_set(diag, ERR_IO, "cannot make %s: %s", place, strerror(errno));
    set_aside(place, files);
    for (size_t i = 0; i < files->count && code == 0; i++)
        code = files_put(join(path, place, base_name(files->list[i].file)), files->list[i].text,
                         files->list[i].bytes, diag);
    return code;
}

/* What the page changed. None then is none now: it would change other rules than it was made for.
 */
static int put_changes(const char *config_file, const char *name, const struct files_rules *changes,
                       struct diag *diag)
{
    char path[PATH_MAX], aside[PATH_MAX];
    struct text text = text_in(aside, sizeof(aside));
    if (name[0] == '\0')
        return 0;
    files_beside(config_file, name, path, sizeof(path));
    if (changes->count > 0)
        return files_put(path, changes->list[0].text, changes->list[0].bytes, diag);
    text_add(&text, "%s.before", path);
    if (files_exists(path) && rename(path, aside) == 0)
        fprintf(stderr, "lumbarctl: %s was set aside as %s\n", path, base_name(aside));
    return 0;
}

/* Rules and plans first: the configuration names them. */
static int put_set(const char *file, const struct kept_set *set, const struct config *config,
                   struct diag *diag)
{
    int code = put_files(file, config->rules.folder, &set->rules, diag);
    if (code == 0)
        code = put_files(file, config->plans.folder, &set->plans, diag);
    if (code == 0)
        code = put_changes(file, config->rules.changes, &set->changes, diag);
    return code == 0 ? files_put(file, set->text, set->bytes, diag) : code;
}

/* ---- The hub ---- */

static json_t *look(const struct configuring *place)
{
    struct ask ask = place->ask;
    json_t *status = NULL;
    ask.quiet = true;
    ask_hub(&ask, "GET", "/api/v1/status", NULL, &status);
    return status;
}

/* Until another process answers than before, and with what it was started. */
static int restart(const struct configuring *place)
{
    json_t *before = look(place), *answer = NULL;
    long long pid = ask_integer(before, "pid");
    json_decref(before);
    int code = ask_hub(&place->ask, "POST", "/api/v1/restart", NULL, &answer);
    json_decref(answer);
    for (int tenths = 0; code == 0 && tenths < COMES_BACK_S * 10; tenths++) {
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        json_t *status = look(place);
        bool is_other = status != NULL && ask_integer(status, "pid") != pid;
        const char *complaint = ask_string(json_object_get(status, "config"), "complaint");
        if (is_other && complaint[0] != '\0')
            fprintf(stderr, "lumbarctl: the hub did not take it: %s\n", complaint);
        code = is_other && complaint[0] != '\0' ? CTL_FAILED : 0;
        json_decref(status);
        if (is_other)
            return code;
    }
    if (code == 0)
        fprintf(stderr, "lumbarctl: the hub has not come back within %d s\n", COMES_BACK_S);
    return code == 0 ? CTL_FAILED : code;
}

static int reload(const struct configuring *place)
{
    json_t *answer = NULL;
    int code = ask_hub(&place->ask, "POST", "/api/v1/reload", NULL, &answer);
    json_decref(answer);
    return code;
}

/* 0 as well where no hub runs: the next one takes it. */
static int tell(const struct configuring *place)
{
    int code = place->restart ? restart(place) : reload(place);
    if (code != CTL_NO_HUB)
        return code;
    fprintf(stderr, "lumbarctl: it is in place, and taken when the hub is started\n");
    return 0;
}

/* ---- apply ---- */

static const char apply_help[] =
    "usage: lumbarctl config apply [FILE] [--restart]\n"
    "\n"
    "Checks FILE, puts it in the place of the hub's configuration, and has the hub take it. Where "
    "it\n"
    "is not good, or the hub refuses it, the one that was there is put back. Without FILE it is "
    "the\n"
    "present one that is taken, with rules and plans as they are now. What a reload cannot change\n"
    "wants --restart, which takes half a second and loses nothing.\n"
    "\n" ASK_HELP_TEXT;

/* Is what would be there good? Checked in its place, for it names rules beside it; what is wrong is
 * said of the file that it comes from. */
static int check_beside(const char *file, const char *from, const char *words, size_t bytes,
                        struct diag *diag)
{
    char beside[PATH_MAX];
    struct text text = text_in(beside, sizeof(beside));
    text_add(&text, "%s.try", file);
    int code = files_put(beside, words, bytes, diag);
    if (code == 0)
        code = check_config(beside, NULL, diag);
    if (strncmp(diag->file, beside, sizeof(diag->file) - 1) == 0)
        snprintf(diag->file, sizeof(diag->file), "%s", from);
    unlink(beside);
    return code;
}

/* Another file's words in the place of the configuration; as before where they are not taken. */
static int apply_words(const struct configuring *place, const char *from, const char *words,
                       size_t bytes, struct diag *diag)
{
    const char *file = place->ask.config;
    char *old = NULL;
    size_t old_bytes = 0;
    struct diag none = {0};
    int code = check_beside(file, from, words, bytes, diag);
    if (code == 0) {
        files_read(file, &old, &old_bytes, &none); /* a first one has none before it */
        code = files_put(file, words, bytes, diag);
    }
    if (code == 0 && (code = tell(place)) != 0 && old != NULL &&
        files_put(file, old, old_bytes, diag) == 0) {
        fprintf(stderr, "lumbarctl: %s is again as it was\n", file);
        if (place->restart)
            reload(place);
    }
    free(old);
    return code;
}

int config_apply(int count, char **arguments)
{
    struct configuring place;
    struct diag diag = {0};
    char *words;
    size_t bytes;
    int code;
    if (!config_options(&place, own_options, count, arguments, apply_help, 1, &code))
        return code;
    const char *file = optind < count ? arguments[optind] : place.ask.config;
    if (optind < count) {
        code = files_read(file, &words, &bytes, &diag);
        if (code == 0) {
            code = apply_words(&place, file, words, bytes, &diag);
            free(words);
        }
    } else {
        code = check_config(file, NULL, &diag);
        code = code == 0 ? tell(&place) : code;
    }
    if (diag.code != 0)
        ctl_complain(&diag);
    if (code == 0 && place.ask.json)
        ask_printed(&place.ask, json_pack("{s:s, s:b}", "applied", file, "restart", place.restart));
    else if (code == 0)
        printf("applied: %s\n", file);
    return code < 0 ? CTL_FAILED : code;
}

/* ---- rollback ---- */

static const char rollback_help[] =
    "usage: lumbarctl config rollback [NUMBER] [--restart] | --list [--json]\n"
    "\n"
    "Puts a configuration that the hub came up with before, rules and plans with it, in the place "
    "of\n"
    "the present one, and has the hub take it. Without NUMBER it is the newest that is another.\n"
    "Files that came since are set aside as NAME.yaml.before. --list says which there are.\n"
    "\n" ASK_HELP_TEXT "  --state FOLDER  where the hub keeps them (default " LUMBAR_STATE_FOLDER
    ")\n";

static int list(const struct configuring *place)
{
    char file[PATH_MAX], when[ASK_TIME_BYTES];
    struct diag diag = {0};
    if (config_look(place, &diag) != 0)
        return ctl_complain(&diag);
    json_t *all = json_array();
    for (uint32_t at = UINT32_MAX; (at = kept_below(place->kept, at)) != 0;) {
        struct stat status = {0};
        struct tm local;
        stat(kept_file(place->kept, at, file, sizeof(file)), &status);
        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&status.st_mtime, &local));
        json_array_append_new(
            all, json_pack("{s:i, s:s, s:s}", "number", (int)at, "since", when, "file", file));
    }
    if (ask_printed(&place->ask, all))
        return 0;
    printf("%6s  %-19s  %s\n", "NUMBER", "FIRST TRIED", "FILE");
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i);
        printf("%6lld  %-19s  %s\n", ask_integer(one, "number"), ask_time(one, "since", when),
               ask_string(one, "file"));
    }
    json_decref(all);
    return 0;
}

/* The newest that is not what stands there now. */
static uint32_t find_other(const struct configuring *place, const struct kept_set *present)
{
    struct kept_set set;
    struct diag diag = {0};
    for (uint32_t at = UINT32_MAX; (at = kept_below(place->kept, at)) != 0;) {
        if (kept_read_number(&set, place->kept, at, &diag) != 0)
            continue;
        bool same = present != NULL && kept_equal(&set, present);
        kept_free(&set);
        if (!same)
            return at;
    }
    return 0;
}

static int roll_back(const struct configuring *place, uint32_t number, struct diag *diag)
{
    const char *file = place->ask.config;
    struct kept_set set, present;
    struct config *config = NULL, *config_now = NULL;
    struct diag unreadable = {0};
    if (config_look(place, diag) != 0)
        return CTL_FAILED;
    bool was = config_load_file(file, &present, &config_now, &unreadable) == 0;
    if (number == 0)
        number = find_other(place, was ? &present : NULL);
    int code = number == 0 ? diag_set(diag, ERR_UNKNOWN, "no other configuration is kept in %s",
                                      place->kept)
                           : config_load_number(place, number, &set, &config, diag);
    if (code == 0 && config != NULL) {
        code = put_set(file, &set, config, diag);
        if (code == 0)
            code = tell(place);
        if (code != 0 && was && put_set(file, &present, config_now, diag) == 0)
            fprintf(stderr, "lumbarctl: %s is again as it was\n", file);
        kept_free(&set);
        config_destroy(config);
    }
    if (was) {
        kept_free(&present);
        config_destroy(config_now);
    }
    if (code == 0 && place->ask.json)
        ask_printed(&place->ask, json_pack("{s:i}", "applied", (int)number));
    else if (code == 0)
        printf("applied: configuration %u\n", number);
    return code;
}

int config_rollback(int count, char **arguments)
{
    struct configuring place;
    struct diag diag = {0};
    int code;
    if (!config_options(&place, own_options, count, arguments, rollback_help, 1, &code))
        return code;
    if (place.list)
        return list(&place);
    char none[1] = "", *end = none;
    unsigned long number = optind < count ? strtoul(arguments[optind], &end, 10) : 0;
    if (*end != '\0' || (optind < count && (number == 0 || number >= UINT32_MAX)))
        return ctl_usage(rollback_help, false);
    code = roll_back(&place, (uint32_t)number, &diag);
    if (diag.code != 0)
        ctl_complain(&diag);
    return code < 0 ? CTL_FAILED : code;
}
