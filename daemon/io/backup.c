#include "io/backup.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/files.h"

#define TURN_MS  60000  /* the clock may be set meanwhile */
#define AGAIN_MS 600000 /* after one that failed */
#define LATE_MS  3600000
#define WHOLE_MS (7 * INT64_C(86400000)) /* between two whole ones */
#define DROPPED  (-1)

struct backup {
    struct backup_options options;
    char store[PATH_MAX], folder[PATH_MAX];
    int64_t started_ms; /* mono */
    int64_t turned_ns;  /* the thread's: when it last rested */
    pthread_t thread;
    bool started;
    _Atomic bool stop;
    pthread_mutex_t mutex; /* of what follows, and of every_ms, keep and size_bytes */
    char rules[PATH_MAX];
    pthread_cond_t due;
    bool wished, wished_whole;
    int64_t failed_ms; /* mono; 0: the last one did not */
    struct backup_state state;
    struct backup_name list[BACKUP_LIST_MAX];
};

static int64_t mono_ms(void)
{
    return clock_mono_ns() / 1000000;
}

/* ---- the thread ---- */

/* Called every few milliseconds of work: as long again is rest. */
static bool on_pace(void *user)
{
    struct backup *backup = user;
    int64_t worked_ns = clock_mono_ns() - backup->turned_ns;
    if (worked_ns > 0 && worked_ns < 1000000000)
        nanosleep(&(struct timespec){0, (long)worked_ns}, NULL);
    backup->turned_ns = clock_mono_ns();
    return atomic_load(&backup->stop);
}

/* The newest of them, if there are more than the list holds. */
static void look(struct backup *backup)
{
    struct backup_name *list;
    size_t count;
    struct diag diag = {0};
    if (backup_folder_list(backup->folder, &list, &count, &diag) != 0)
        count = 0, list = NULL;
    size_t left_out = count > BACKUP_LIST_MAX ? count - BACKUP_LIST_MAX : 0;
    pthread_mutex_lock(&backup->mutex);
    backup->state.count = (unsigned)(count - left_out);
    backup->state.bytes = 0;
    backup->state.newest_ms = count > 0 ? list[count - 1].made_ms : 0;
    for (size_t i = left_out; i < count; i++) {
        backup->list[i - left_out] = list[i];
        backup->state.bytes += list[i].bytes;
    }
    pthread_mutex_unlock(&backup->mutex);
    free(list);
}

static void drop(const struct backup *backup, const struct backup_name *name, const char *why)
{
    char path[PATH_MAX + BACKUP_NAME_BYTES];
    snprintf(path, sizeof(path), "%s/%s", backup->folder, name->file);
    if (unlink(path) == 0)
        log_info("backup: %s was removed, %s", name->file, why);
}

/* When the base of one was made, in seconds, as names tell it; of a whole one: itself. One that
 * cannot be read stands alone. */
static int64_t base_of(const struct backup *backup, const struct backup_name *name)
{
    char path[PATH_MAX + BACKUP_NAME_BYTES];
    struct backup_facts facts;
    struct diag diag = {0};
    snprintf(path, sizeof(path), "%s/%s", backup->folder, name->file);
    bool told = name->changes && backup_read(path, &facts, &diag) == 0;
    return (told ? facts.base_ms : name->made_ms) / 1000;
}

/* What goes together: a whole one, and what tells of changes since. Not all that lies between them
 * does: the clock may have been set back, or another hub's been put there. */
struct group {
    unsigned count;
    uint64_t bytes;
};

static struct group group_of(const struct backup *backup, const int64_t *bases, int64_t base)
{
    struct group group = {0};
    for (unsigned i = 0; i < backup->state.count; i++)
        if (bases[i] == base) {
            group.count++;
            group.bytes += backup->list[i].bytes;
        }
    return group;
}

/* The base last: what a kill leaves of them can still be restored. */
static void drop_group(const struct backup *backup, int64_t *bases, int64_t base, const char *why)
{
    for (int whole = 0; whole < 2; whole++)
        for (unsigned i = backup->state.count; i-- > 0;)
            if (bases[i] == base && backup->list[i].changes == !whole) {
                drop(backup, &backup->list[i], why);
                bases[i] = DROPPED;
            }
}

static void drop_old(struct backup *backup, unsigned keep, uint64_t size_bytes)
{
    int64_t bases[BACKUP_LIST_MAX];
    uint64_t all = backup->state.bytes; /* only this thread writes it */
    unsigned count = backup->state.count, left = count;
    for (unsigned i = 0; i < count; i++)
        bases[i] = base_of(backup, &backup->list[i]);
    for (unsigned i = 0; i < count; i++) {
        if (bases[i] == DROPPED || bases[i] == bases[count - 1])
            continue;
        struct group group = group_of(backup, bases, bases[i]);
        bool many = left - group.count >= keep;
        if (!many && all <= size_bytes)
            break;
        drop_group(backup, bases, bases[i],
                   many ? "there are more than backup.keep" : "they are more than backup.size");
        left -= group.count;
        all -= group.bytes;
    }
    look(backup);
}

/* What a kill left behind. */
static void drop_parts(const struct backup *backup)
{
    DIR *entries = opendir(backup->folder);
    if (entries == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        struct backup_name name;
        char *end = strstr(entry->d_name, ".part");
        if (end == NULL || end[5] != '\0')
            continue;
        char file[sizeof(entry->d_name)];
        snprintf(file, sizeof(file), "%.*s", (int)(end - entry->d_name), entry->d_name);
        if (backup_name_parse(&name, file))
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    closedir(entries);
}

static void note(struct backup *backup, int code, const struct backup_name *made,
                 const struct diag *diag)
{
    pthread_mutex_lock(&backup->mutex);
    struct backup_state *state = &backup->state;
    bool again = strcmp(state->error, diag->text) == 0;
    state->busy = backup->wished; /* meanwhile */
    backup->failed_ms = code == 0 ? 0 : mono_ms();
    snprintf(state->error, sizeof(state->error), "%s", code == 0 ? "" : diag->text);
    state->made += code == 0;
    state->failed += code != 0;
    pthread_mutex_unlock(&backup->mutex);
    if (code == 0)
        log_notice("backup: %s is made and verified, %llu bytes", made->file,
                   (unsigned long long)made->bytes);
    else if (!again)
        log_error("backup: %s", diag->text);
}

/* The newest whole one, if it is not too old to tell changes of; NULL: all is to be copied. */
static const struct backup_name *find_base(const struct backup *backup, int64_t now_ms)
{
    for (unsigned i = backup->state.count; i-- > 0;)
        if (!backup->list[i].changes) {
            int64_t age_ms = now_ms - backup->list[i].made_ms;
            return age_ms >= 0 && age_ms < WHOLE_MS ? &backup->list[i] : NULL;
        }
    return NULL;
}

/* What the page changes of the rules; free() it. A file that cannot be read keeps nobody from a
 * backup of all the rest. */
static char *read_rules(struct backup *backup)
{
    char path[PATH_MAX], *text = NULL;
    size_t bytes;
    struct diag diag = {0};
    pthread_mutex_lock(&backup->mutex);
    memcpy(path, backup->rules, sizeof(path));
    pthread_mutex_unlock(&backup->mutex);
    if (path[0] != '\0' && files_exists(path) && files_read(path, &text, &bytes, &diag) != 0)
        log_error("backup: without what the page changed of the rules: %s", diag.text);
    return text;
}

static void make_one(struct backup *backup, bool whole, unsigned keep, uint64_t size_bytes)
{
    struct backup_pace pace = {on_pace, backup};
    struct backup_name made;
    struct diag diag = {0};
    drop_parts(backup);
    backup->turned_ns = clock_mono_ns();
    int64_t now_ms = clock_wall_ms();
    const struct backup_name *base = whole ? NULL : find_base(backup, now_ms);
    char *rules = read_rules(backup);
    int code = backup_make(backup->store, rules, backup->folder, base, now_ms, &pace, &made, &diag);
    if (code == ERR_UNKNOWN) {
        log_warn("backup: %s; a whole one is made", diag.text);
        diag = (struct diag){.code = 0};
        code = backup_make(backup->store, rules, backup->folder, NULL, now_ms, &pace, &made, &diag);
    }
    free(rules);
    if (atomic_load(&backup->stop))
        return;
    look(backup);
    if (code == 0)
        drop_old(backup, keep, size_bytes);
    note(backup, code, &made, &diag);
    if (code == ERR_MALFORMED && backup->options.on_damage != NULL)
        backup->options.on_damage(backup->options.user);
}

/* One that is newer than now was made before the clock was set: it counts as just made. Lock held.
 */
static bool is_due(const struct backup *backup)
{
    int64_t every_ms = backup->options.every_ms;
    int64_t age_ms = clock_wall_ms() - backup->state.newest_ms, now = mono_ms();
    if (backup->wished)
        return true;
    if (every_ms == 0 || now - backup->started_ms < backup->options.first_ms ||
        (backup->failed_ms != 0 && now - backup->failed_ms < AGAIN_MS))
        return false;
    return backup->state.newest_ms == 0 || age_ms >= every_ms;
}

static void *run(void *user)
{
    struct backup *backup = user;
    look(backup);
    pthread_mutex_lock(&backup->mutex);
    while (!atomic_load(&backup->stop)) {
        if (!is_due(backup)) {
            int64_t at = clock_mono_ns() + TURN_MS * INT64_C(1000000);
            struct timespec until = {at / 1000000000, at % 1000000000};
            pthread_cond_timedwait(&backup->due, &backup->mutex, &until);
            continue;
        }
        bool whole = backup->wished_whole;
        backup->state.busy = true;
        backup->wished = backup->wished_whole = false;
        unsigned keep = backup->options.keep;
        uint64_t size_bytes = backup->options.size_bytes;
        pthread_mutex_unlock(&backup->mutex);
        make_one(backup, whole, keep, size_bytes);
        pthread_mutex_lock(&backup->mutex);
    }
    pthread_mutex_unlock(&backup->mutex);
    return NULL;
}

/* ---- the loop's side ---- */

int backup_create(struct backup **out, const struct backup_options *options, struct diag *diag)
{
    struct backup *backup = calloc(1, sizeof(*backup));
    *out = backup;
    if (backup == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for backups");
    backup->options = *options;
    snprintf(backup->store, sizeof(backup->store), "%s", options->store);
    snprintf(backup->folder, sizeof(backup->folder), "%s", options->folder);
    snprintf(backup->rules, sizeof(backup->rules), "%s", options->rules);
    backup->started_ms = mono_ms();
    pthread_mutex_init(&backup->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&backup->due, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return 0;
}

int backup_start(struct backup *backup, struct diag *diag)
{
    sigset_t all, before; /* signals are the loop's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&backup->thread, NULL, run, backup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return diag_set(diag, ERR_MEMORY, "cannot start the thread of backups: %s", strerror(rc));
    pthread_setname_np(backup->thread, "backup");
    backup->started = true;
    return 0;
}

void backup_keep(struct backup *backup, const char *rules, int64_t every_ms, unsigned keep,
                 uint64_t size_bytes)
{
    pthread_mutex_lock(&backup->mutex);
    snprintf(backup->rules, sizeof(backup->rules), "%s", rules);
    backup->options.every_ms = every_ms;
    backup->options.keep = keep;
    backup->options.size_bytes = size_bytes;
    pthread_cond_signal(&backup->due);
    pthread_mutex_unlock(&backup->mutex);
}

void backup_wish(struct backup *backup, bool whole)
{
    pthread_mutex_lock(&backup->mutex);
    backup->wished = backup->state.busy = true;
    backup->wished_whole |= whole;
    pthread_cond_signal(&backup->due);
    pthread_mutex_unlock(&backup->mutex);
}

void backup_state(struct backup *backup, struct backup_state *state)
{
    int64_t wall_ms = clock_wall_ms();
    pthread_mutex_lock(&backup->mutex);
    *state = backup->state;
    int64_t every_ms = backup->options.every_ms;
    bool ran_long = every_ms != 0 && mono_ms() - backup->started_ms > every_ms + LATE_MS;
    state->every_ms = every_ms;
    state->overdue = ran_long && wall_ms - state->newest_ms > every_ms + LATE_MS;
    pthread_mutex_unlock(&backup->mutex);
}

size_t backup_list(struct backup *backup, struct backup_name list[BACKUP_LIST_MAX])
{
    pthread_mutex_lock(&backup->mutex);
    size_t count = backup->state.count;
    memcpy(list, backup->list, count * sizeof(*list));
    pthread_mutex_unlock(&backup->mutex);
    return count;
}

void backup_stop(struct backup *backup)
{
    if (backup == NULL || !backup->started)
        return;
    pthread_mutex_lock(&backup->mutex);
    atomic_store(&backup->stop, true);
    pthread_cond_signal(&backup->due);
    pthread_mutex_unlock(&backup->mutex);
    pthread_join(backup->thread, NULL);
    backup->started = false;
}

void backup_destroy(struct backup *backup)
{
    if (backup == NULL)
        return;
    backup_stop(backup);
    pthread_cond_destroy(&backup->due);
    pthread_mutex_destroy(&backup->mutex);
    free(backup);
}
