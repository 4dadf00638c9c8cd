#include "io/kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define FILE_NAME "lumbard.yaml"
#define TRYING    "trying"
#define TRIES     "tries"
#define UNSYNCED  "unsynced" /* made before all else in a folder, and removed when it is synced */

static const char *join(char out[PATH_MAX], const char *folder, const char *name)
{
    struct text text = text_in(out, PATH_MAX);
    text_add(&text, "%s/%s", folder, name);
    return out;
}

static const char *join_number(char out[PATH_MAX], const char *folder, uint32_t number)
{
    struct text text = text_in(out, PATH_MAX);
    text_add(&text, "%s/%u", folder, number);
    return out;
}

const char *kept_file(const char *folder, uint32_t number, char *out, size_t bytes)
{
    struct text text = text_in(out, bytes);
    text_add(&text, "%s/%u/" FILE_NAME, folder, number);
    return out;
}

/* What is not synced is as it was written until the machine starts anew. */
static bool is_whole(const char *path)
{
    char mark[PATH_MAX], boot[CLOCK_BOOT_BYTES], now[CLOCK_BOOT_BYTES];
    struct diag diag = {0};
    clock_boot(now);
    return !files_exists(join(mark, path, UNSYNCED)) ||
           (files_read_line(mark, boot, sizeof(boot), &diag) == 0 && now[0] != '\0' &&
            strcmp(boot, now) == 0);
}

/* ---- Texts ---- */

void kept_free(struct kept_set *set)
{
    free(set->text);
    files_free_rules(&set->rules);
    files_free_rules(&set->plans);
    files_free_rules(&set->changes);
    *set = (struct kept_set){.text = NULL};
}

static int read_set(struct kept_set *set, const char *file, const char *rules, const char *plans,
                    const char *changes, struct diag *diag)
{
    *set = (struct kept_set){.text = NULL};
    int code = files_read(file, &set->text, &set->bytes, diag);
    if (code == 0)
        code = files_read_rules(rules, &set->rules, diag);
    if (code == 0 && files_exists(plans))
        code = files_read_rules(plans, &set->plans, diag);
    if (code == 0)
        code = files_add_changes(&set->changes, changes, diag);
    if (code != 0)
        kept_free(set);
    return code;
}

int kept_read(struct kept_set *set, const char *config_file, const struct config *config,
              struct diag *diag)
{
    char rules[PATH_MAX], plans[PATH_MAX], changes[PATH_MAX];
    files_beside(config_file, config->rules.folder, rules, sizeof(rules));
    files_beside(config_file, config->plans.folder, plans, sizeof(plans));
    files_beside(config_file, config->rules.changes, changes, sizeof(changes));
    return read_set(set, config_file, rules, plans, changes, diag);
}

/* A set that was written below a folder. */
static int read_back(struct kept_set *set, const char *folder, struct diag *diag)
{
    char file[PATH_MAX], rules[PATH_MAX], plans[PATH_MAX], changes[PATH_MAX];
    return read_set(set, join(file, folder, FILE_NAME), join(rules, folder, KEPT_RULES),
                    join(plans, folder, KEPT_PLANS), join(changes, folder, KEPT_CHANGES), diag);
}

int kept_read_number(struct kept_set *set, const char *folder, uint32_t number, struct diag *diag)
{
    char path[PATH_MAX];
    join_number(path, folder, number);
    if (!is_whole(path))
        return diag_set(diag, ERR_MALFORMED,
                        "%s is not whole: the machine stopped before it was on the disk", path);
    return read_back(set, path, diag);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool files_equal(const struct files_rules *a, const struct files_rules *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) /* both in the order of their names */
        if ((strcmp(base_name(a->list[i].file), base_name(b->list[i].file)) != 0 &&
             !a->list[i].changes) ||
            a->list[i].bytes != b->list[i].bytes ||
            memcmp(a->list[i].text, b->list[i].text, a->list[i].bytes) != 0)
            return false;
    return true;
}

bool kept_equal(const struct kept_set *a, const struct kept_set *b)
{
    return a->bytes == b->bytes && memcmp(a->text, b->text, a->bytes) == 0 &&
           files_equal(&a->rules, &b->rules) && files_equal(&a->plans, &b->plans) &&
           files_equal(&a->changes, &b->changes);
}

/* ---- The folder ---- */

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status, (void)kind, (void)at;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int sync_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status, (void)kind, (void)at;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int rc = fsync(fd);
    close(fd);
    return rc;
}

static bool write_file(const char *folder, const char *name, const char *text, size_t bytes)
{
    char path[PATH_MAX];
    FILE *file = fopen(join(path, folder, name), "we");
    if (file == NULL)
        return false;
    bool written = fwrite(text, 1, bytes, file) == bytes;
    return fclose(file) == 0 && written;
}

static bool write_files(const char *folder, const char *name, const struct files_rules *files)
{
    char path[PATH_MAX];
    bool written = mkdir(join(path, folder, name), 0750) == 0;
    for (size_t i = 0; i < files->count && written; i++)
        written = write_file(path, base_name(files->list[i].file), files->list[i].text,
                             files->list[i].bytes);
    return written;
}

static bool write_set(const char *folder, const struct kept_set *set)
{
    char boot[CLOCK_BOOT_BYTES];
    clock_boot(boot);
    return mkdir(folder, 0750) == 0 && write_file(folder, UNSYNCED, boot, strlen(boot)) &&
           write_file(folder, FILE_NAME, set->text, set->bytes) &&
           write_files(folder, KEPT_RULES, &set->rules) &&
           write_files(folder, KEPT_PLANS, &set->plans) &&
           (set->changes.count == 0 || write_file(folder, KEPT_CHANGES, set->changes.list[0].text,
                                                  set->changes.list[0].bytes));
}

/* The greatest number below this one, whole or not. */
static uint32_t any_below(const char *folder, uint32_t number)
{
    uint32_t greatest = 0;
    DIR *names = folder[0] != '\0' ? opendir(folder) : NULL;
    if (names == NULL)
        return 0;
    for (const struct dirent *entry; (entry = readdir(names)) != NULL;) {
        char *end;
        unsigned long found = strtoul(entry->d_name, &end, 10);
        if (*end == '\0' && entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && found < number &&
            found > greatest)
            greatest = (uint32_t)found;
    }
    closedir(names);
    return greatest;
}

uint32_t kept_below(const char *folder, uint32_t number)
{
    char path[PATH_MAX];
    while ((number = any_below(folder, number)) != 0)
        if (is_whole(join_number(path, folder, number)))
            break;
    return number;
}

/* ---- Trying ---- */

static unsigned read_tries(const char *folder)
{
    char path[PATH_MAX], line[16];
    struct diag diag = {0};
    if (files_read_line(join(path, folder, TRIES), line, sizeof(line), &diag) != 0)
        return 0;
    return (unsigned)strtoul(line, NULL, 10);
}

void kept_drop(const char *folder)
{
    char path[PATH_MAX];
    if (folder[0] == '\0')
        return;
    remove_tree(join(path, folder, TRYING));
    unlink(join(path, folder, TRIES));
}

/* Is this what lies there? */
static bool is_at(const struct kept_set *set, const char *path)
{
    struct kept_set there;
    struct diag diag = {0};
    if (read_back(&there, path, &diag) != 0)
        return false;
    bool same = kept_equal(set, &there);
    kept_free(&there);
    return same;
}

static void begin(const char *folder, const struct kept_set *set, unsigned *tries)
{
    char trying[PATH_MAX], number[PATH_MAX], text[16];
    uint32_t newest = kept_below(folder, UINT32_MAX);
    join(trying, folder, TRYING);
    if (newest != 0 && is_at(set, join_number(number, folder, newest))) {
        kept_drop(folder);
        return;
    }
    if (is_at(set, trying))
        *tries = read_tries(folder);
    else
        kept_drop(folder);
    if (!files_exists(trying) && !write_set(trying, set)) {
        log_warn("config: it cannot be kept in %s: %s", folder, strerror(errno));
        kept_drop(folder);
        return;
    }
    int bytes = snprintf(text, sizeof(text), "%u\n", *tries + 1);
    write_file(folder, TRIES, text, (size_t)bytes);
}

int kept_try(const char *folder, const char *config_file, const struct config *config,
             unsigned *tries, struct diag *diag)
{
    struct kept_set set;
    *tries = 0;
    if (folder[0] == '\0')
        return 0;
    int code = kept_read(&set, config_file, config, diag);
    if (code != 0)
        return code;
    if (mkdir(folder, 0750) == 0 || errno == EEXIST)
        begin(folder, &set, tries);
    else
        log_warn("config: it cannot be kept in %s: %s", folder, strerror(errno));
    kept_free(&set);
    return 0;
}

uint32_t kept_good(const char *folder)
{
    char trying[PATH_MAX], path[PATH_MAX];
    uint32_t count = 0;
    if (folder[0] == '\0' || !files_exists(join(trying, folder, TRYING)))
        return kept_below(folder, UINT32_MAX);
    uint32_t number = any_below(folder, UINT32_MAX) + 1;
    if (rename(trying, join_number(path, folder, number)) != 0)
        return kept_below(folder, UINT32_MAX);
    kept_drop(folder);
    for (uint32_t at = number + 1; (at = any_below(folder, at)) != 0;)
        if (++count > KEPT_MOST)
            remove_tree(join_number(path, folder, at));
    return number;
}

static void sync_number(const char *folder, const char *path)
{
    char mark[PATH_MAX];
    struct stat status = {0};
    if (nftw(path, sync_one, 8, FTW_PHYS) != 0 || sync_one(folder, &status, FTW_D, NULL) != 0)
        log_error("what the hub came up with is not on the disk: %s: %s", path,
                  strerror(errno)); /* it keeps its mark, and is passed over until it is */
    else
        unlink(join(mark, path, UNSYNCED));
}

void kept_sync(const char *folder)
{
    char path[PATH_MAX], mark[PATH_MAX];
    for (uint32_t at = UINT32_MAX; (at = any_below(folder, at)) != 0;) {
        if (!files_exists(join(mark, join_number(path, folder, at), UNSYNCED)))
            continue;
        if (is_whole(path))
            sync_number(folder, path);
        else
            remove_tree(path); /* to sync it would call whole what a power cut left of it */
    }
}
