#include "io/plugins.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <protobuf-c/protobuf-c.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

/* What the child that tries a plugin may use. Its golden messages take microseconds, but all
 * of a machine starts with the hub; opening it may wait for a slow disk. */
#define OPEN_S       5                   /* until its self-test begins */
#define SELF_TEST_S  5                   /* for all golden messages together */
#define TRIAL_CPU_S  5                   /* of processor time, for both */
#define TRIAL_MEMORY ((rlim_t)256 << 20) /* beyond what the process has already */
#define LOOK_MS      50                  /* between looks whether the self-test has begun */

#define TYPES_MAX 256 /* message types of one plugin, nested ones among them */

#define refuse(diag, ...) diag_set(diag, ERR_PLUGIN, __VA_ARGS__)

/* Written by the child. The parent reads the steps as they come, the rest after its death. */
struct trial {
    const char *_Atomic doing; /* a literal: the same address in both */
    atomic_llong self_test_ns; /* when it began, by clock_mono_ns(); 0: it has not */
    bool passed;
    struct diag diag;
};

/* The message types seen on a walk: those before `open` on the stack are being walked. */
struct type_walk {
    const ProtobufCMessageDescriptor *seen[TYPES_MAX];
    bool open[TYPES_MAX];
    unsigned count;
};

/* Refuses a type that contains itself, by whatever way. Each type is walked once, so neither depth
 * nor time goes beyond TYPES_MAX. */
static int walk_type(struct type_walk *walk, const ProtobufCMessageDescriptor *type,
                     struct diag *diag)
{
    if (type->magic != PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC)
        return refuse(diag, "its list of messages holds something that is no message descriptor");
    for (unsigned i = 0; i < walk->count; i++) {
        if (walk->seen[i] != type)
            continue;
        if (!walk->open[i])
            return 0;
        return refuse(diag,
                      "message type %.80s contains itself, and protobuf-c puts no bound on the "
                      "depth of nesting",
                      type->name);
    }
    if (walk->count == TYPES_MAX)
        return refuse(diag, "it has more than %d message types", TYPES_MAX);
    unsigned mine = walk->count++;
    walk->seen[mine] = type;
    walk->open[mine] = true;
    int code = 0;
    for (unsigned i = 0; i < type->n_fields && code == 0; i++)
        if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
            code = walk_type(walk, type->fields[i].descriptor, diag);
    walk->open[mine] = false;
    return code;
}

static int check_types(const struct lumbar_plugin *plugin, struct diag *diag)
{
    struct type_walk walk = {.count = 0};
    int code = 0;
    for (unsigned i = 0; plugin->messages != NULL && plugin->messages[i] != NULL && code == 0; i++)
        code = walk_type(&walk, plugin->messages[i], diag);
    return code;
}

/* Is what came out of a golden message what must come out? */
static int compare(const struct lumbar_plugin *plugin, uint32_t index, int result,
                   const struct lumbar_batch *batch, struct diag *diag)
{
    const struct lumbar_golden *golden = &plugin->golden[index];
    if (result == LUMBAR_MALFORMED || (result == LUMBAR_IGNORED && golden->metric != NULL))
        return refuse(diag, "golden message %u was %s, not decoded", index,
                      result == LUMBAR_MALFORMED ? "refused as malformed" : "ignored");
    if (golden->metric == NULL) {
        if (batch->series_count == 0)
            return 0;
        return refuse(diag, "golden message %u gave %u series, not none", index,
                      batch->series_count);
    }
    for (uint32_t i = 0; i < batch->series_count; i++) {
        const struct lumbar_series *series = &batch->series[i];
        const struct lumbar_metric *metric = &plugin->metrics[series->metric];
        if (strcmp(metric->name, golden->metric) != 0)
            continue;
        if (series->count != golden->count)
            return refuse(diag, "golden message %u gave %u values of %s, not %u", index,
                          series->count, metric->name, golden->count);
        double tolerance = 1e-6 * (metric->max - metric->min);
        if (fabs(series->value[0] - golden->first) <= tolerance)
            return 0;
        return refuse(diag, "golden message %u gave %g as the first %s, not %g", index,
                      series->value[0], metric->name, golden->first);
    }
    return refuse(diag, "golden message %u gave no %s", index, golden->metric);
}

static int decode_golden(struct drivers *drivers, uint32_t index, struct diag *diag)
{
    const struct lumbar_plugin *plugin = drivers->list[0].plugin;
    const struct lumbar_golden *golden = &plugin->golden[index];
    void *state = NULL;
    if (plugin->state_bytes > 0 && (state = calloc(1, plugin->state_bytes)) == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for the state of %s", plugin->kind);
    struct lumbar_message message = {golden->leaf, golden->payload, golden->payload_bytes};
    struct decoded out;
    int result = driver_decode(drivers, &drivers->list[0], state, &message, &out);
    int code = compare(plugin, index, result, &out.batch, diag);
    free(state);
    return code;
}

static int self_test(const struct lumbar_plugin *plugin, struct diag *diag)
{
    struct drivers alone;
    drivers_init(&alone);
    int code = drivers_add(&alone, plugin, diag);
    for (uint32_t i = 0; i < plugin->golden_count && code == 0; i++)
        code = decode_golden(&alone, i, diag);
    drivers_fini(&alone);
    return code;
}

/* dlerror() begins with the path, which our sentence has already. */
static int refuse_by_linker(const char *path, struct diag *diag)
{
    const char *words = dlerror();
    size_t bytes = strlen(path);
    if (words == NULL)
        words = "the dynamic linker does not say why";
    else if (strncmp(words, path, bytes) == 0 && strncmp(words + bytes, ": ", 2) == 0)
        words += bytes + 2;
    return refuse(diag, "cannot be opened: %s", words);
}

/* Opens and examines a plugin; the trial always says what is being done. */
static int open_plugin(const char *path, const struct lumbar_plugin **out, struct trial *trial,
                       struct diag *diag)
{
    trial->doing = "when it was opened";
    /* Never closed: what it has given out lives as long as the process. */
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (object == NULL)
        return refuse_by_linker(path, diag);
    const struct lumbar_plugin *plugin = dlsym(object, "lumbar_plugin");
    if (plugin == NULL)
        return refuse(diag, "exports no symbol lumbar_plugin, so it is no plugin");
    trial->doing = "when its tables were read";
    int code = driver_check(plugin, diag);
    if (code == 0)
        code = check_types(plugin, diag);
    trial->doing = "in its self-test";
    trial->self_test_ns = clock_mono_ns();
    if (code == 0)
        code = self_test(plugin, diag);
    *out = plugin;
    return code;
}

static void limit(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit limits = {soft, hard};
    setrlimit(resource, &limits);
}

/* Bounds the child: on processor time, on memory beyond what it has; no core file. */
static void limit_child(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(OPEN_S + SELF_TEST_S + 1); /* should the parent be stopped */
    limit(RLIMIT_CPU, TRIAL_CPU_S, TRIAL_CPU_S + 1);
    limit(RLIMIT_CORE, 0, 0);
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (statm != NULL) {
        if (fscanf(statm, "%lu", &pages) == 1) {
            rlim_t bytes = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + TRIAL_MEMORY;
            limit(RLIMIT_AS, bytes, bytes);
        }
        fclose(statm);
    }
    /* A sanitizer's or the hub's handlers would make an exit of what is a crash. */
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU, SIGALRM};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (unsigned i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
        signal(deadly[i], SIG_DFL);
}

/* How long the child may still go on with what it is doing. */
static int64_t time_left_ms(const struct trial *trial, int64_t began_ns)
{
    int64_t self_test_ns = trial->self_test_ns;
    int64_t until_ns = self_test_ns != 0 ? self_test_ns + INT64_C(1000000000) * SELF_TEST_S
                                         : began_ns + INT64_C(1000000000) * OPEN_S;
    return (until_ns - clock_mono_ns()) / 1000000;
}

/* Waits until the child has gone or is late, which is its death. */
static int reap(pid_t child, int gone, const struct trial *trial, bool *late)
{
    int64_t began_ns = clock_mono_ns();
    struct pollfd end = {.fd = gone, .events = POLLIN};
    *late = true;
    for (int64_t left; *late && (left = time_left_ms(trial, began_ns)) > 0;)
        *late = poll(&end, 1, left < LOOK_MS ? (int)left : LOOK_MS) <= 0;
    if (*late)
        kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

/* The sentence for a child that did not live to write its own. Whether it slept or worked, it is
 * the same to who waits for the start: both limits say how long. */
static int refuse_dead(const struct trial *trial, int status, bool late, struct diag *diag)
{
    int limit_s = late && trial->self_test_ns == 0 ? OPEN_S : SELF_TEST_S;
    if (late ||
        (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL)))
        return refuse(diag, "took more than %d s %s", limit_s, trial->doing);
    if (!WIFSIGNALED(status))
        return refuse(diag, "ended the process with status %d %s", WEXITSTATUS(status),
                      trial->doing);
    return refuse(diag, "crashed %s (%s)", trial->doing, strsignal(WTERMSIG(status)));
}

static _Noreturn void try_plugin(const char *path, struct trial *trial)
{
    limit_child();
    const struct lumbar_plugin *plugin;
    trial->passed = open_plugin(path, &plugin, trial, &trial->diag) == 0;
    _exit(0);
}

/* Does everything with the plugin in a child first, so that one that crashes harms nothing. */
static int try_in_child(const char *path, struct diag *diag)
{
    int code = 0, gone[2];
    struct trial *trial =
        mmap(NULL, sizeof(*trial), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (trial == MAP_FAILED)
        return diag_set(diag, ERR_MEMORY, "no memory to try a plugin");
    trial->doing = "before it was opened";
    if (pipe2(gone, O_CLOEXEC) != 0) {
        code = diag_set(diag, ERR_IO, "no pipe to try a plugin: %s", strerror(errno));
        goto unmap;
    }
    pid_t child = fork();
    if (child == 0)
        try_plugin(path, trial);
    close(gone[1]); /* now only the child holds it: its end is the child's */
    if (child < 0) {
        code = diag_set(diag, ERR_IO, "no process to try a plugin: %s", strerror(errno));
        goto close;
    }
    bool late;
    int status = reap(child, gone[0], trial, &late);
    if (trial->diag.code != 0)
        code = diag_set(diag, trial->diag.code, "%.300s", trial->diag.text);
    else if (!trial->passed)
        code = refuse_dead(trial, status, late, diag);
close:
    close(gone[0]);
unmap:
    munmap(trial, sizeof(*trial));
    return code;
}

static int load_one(const char *path, struct drivers *drivers, struct diag *diag)
{
    struct stat stat_of;
    if (stat(path, &stat_of) != 0)
        return diag_set(diag, ERR_IO, "cannot be read: %s", strerror(errno));
    if (!S_ISREG(stat_of.st_mode))
        return refuse(diag, "is no regular file");
    const struct lumbar_plugin *plugin = NULL;
    struct trial again = {.passed = false}; /* for good this time, and nobody looks at it */
    int code = try_in_child(path, diag);
    if (code == 0)
        code = open_plugin(path, &plugin, &again, diag);
    return code == 0 ? drivers_add(drivers, plugin, diag) : code;
}

static int is_shared_object(const struct dirent *entry)
{
    size_t bytes = strlen(entry->d_name);
    return entry->d_name[0] != '.' && bytes > 3 && strcmp(entry->d_name + bytes - 3, ".so") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* not alphasort(), which goes by the locale */
}

int plugins_load(const char *folder, struct drivers *drivers, plugins_refused_cb *on_refused,
                 void *user, struct diag *diag)
{
    struct dirent **names;
    int count = scandir(folder, &names, is_shared_object, by_name);
    if (count < 0)
        return diag_set(diag, ERR_IO, "the plugin folder %s cannot be read: %s", folder,
                        strerror(errno));
    uint32_t before = drivers->count;
    for (int i = 0; i < count; i++) {
        char path[4096], sentence[sizeof(path) + sizeof(diag->text) + 2];
        struct diag why = {.code = 0};
        if (snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name) >= (int)sizeof(path))
            diag_set(&why, ERR_LIMIT, "its path is too long");
        else
            load_one(path, drivers, &why);
        if (why.code != 0) {
            snprintf(sentence, sizeof(sentence), "%s: %s", path, why.text);
            on_refused(user, sentence);
        }
        free(names[i]);
    }
    free(names);
    if (drivers->count > before)
        return 0;
    return refuse(diag, count == 0 ? "there is no plugin in %s" : "no plugin of %s could be used",
                  folder);
}
