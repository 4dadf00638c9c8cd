#include "bed.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bare.h"
#include "usage.h"

#define WINDOW      1000  /* mosquitto.conf: max_inflight_messages */
#define QUEUED_MOST 30000 /* messages that wait in mosquitto: far from what it drops */
#define PATIENT_MS  20000
#define SLICE_MS    20
#define TRICKLE     100 /* messages a second, while a bed gets ready */
#define BUILD       BUILD_FOLDER
#define RULES_COMMAND                                                                              \
    "mkdir %s/rules.d && cp " SOURCE_FOLDER "/config/rules.d/*.yaml %s/rules.d/ && "               \
    "cat > %s/rules.d/zz-bench.yaml <<'END'\nrules:\n  - name: " BED_RULE "\n    title: Bent\n"    \
    "    metric: trunk_inclination\n    above: 25 deg\n    clear: 20 deg\n    priority: low\n"     \
    "    text: Bent.\nEND\n"

/* The beds that stand, for the loop that reads their dashboards and for the end. */
static struct bed *beds[BED_MAX];
static volatile sig_atomic_t ended; /* a signal */

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "bed: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void *shared_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        give_up("memory");
    return memory;
}

static void rest(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        give_up("port");
    close(fd);
    return ntohs(address.sin_port);
}

static void await_port(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int ms = 0; ms < PATIENT_MS; ms += SLICE_MS) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool answers = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
        close(fd);
        if (answers)
            return;
        rest(SLICE_MS);
    }
    give_up("nobody listens");
}

static pid_t fork_child(void)
{
    pid_t pid = fork();
    if (pid < 0)
        give_up("fork");
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    memset(beds, 0, sizeof(beds)); /* they are the parent's to clear */
    return 0;
}

static void end_child(pid_t *pid)
{
    if (*pid <= 0)
        return;
    kill(*pid, SIGKILL);
    waitpid(*pid, NULL, 0);
    *pid = 0;
}

/* --- the parts --- */

static void start_source(struct bed *bed)
{
    struct source_options options = {
        .port = bed->options.mosquitto ? 0 : bed->port,
        .connect_port = bed->options.mosquitto ? bed->port : 0,
        .devices = bed->options.devices,
        .window = WINDOW,
        .qos = 1,
        .lean = bed->options.lean,
        .shared = bed->shared,
    };
    bed->source = fork_child();
    if (bed->source != 0)
        return;
    struct source *source = source_create(&options);
    for (;;)
        source_run(source, 1000);
}

static void start_mosquitto(struct bed *bed)
{
    char command[1024], file[128];
    strcpy(bed->broker_folder, "/tmp/lumbar-broker-XXXXXX");
    if (mkdtemp(bed->broker_folder) == NULL)
        give_up("folder");
    snprintf(file, sizeof(file), "%s/mosquitto.conf", bed->broker_folder);
    snprintf(command, sizeof(command),
             "grep -vE '^ *(listener|log_dest|persistence_location|user) ' " SOURCE_FOLDER
             "/config/mosquitto.conf > %s && printf '%s listener %d 127.0.0.1\\n"
             "allow_anonymous true\\npersistence_location %s/\\nlog_dest none\\n' | sed 's/^ *//' >> %s",
             file, geteuid() == 0 ? "user root\\n" : "", bed->port, bed->broker_folder, file);
    if (system(command) != 0)
        give_up("mosquitto.conf");
    bed->broker = fork_child();
    if (bed->broker == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        execlp("mosquitto", "mosquitto", "-c", file, (char *)NULL);
        _exit(127);
    }
    await_port(bed->port);
}

static void start_bare(struct bed *bed)
{
    bed->bare = fork_child();
    if (bed->bare == 0)
        bare_run(bed->port, bed->heard);
}

static void start_hub(struct bed *bed)
{
    char command[2048];
    bed->hub = (struct hub){.build = BUILD,
                            .plugins = BUILD "/plugins",
                            .broker_port = bed->port,
                            .rooms = BED_ROOMS,
                            .devices = bed->options.devices,
                            .ring_size = "16 MiB",
                            .rules = "rules.d"};
    if (bed->options.history != NULL)
        snprintf(bed->hub.history, sizeof(bed->hub.history), "%s", bed->options.history);
    hub_prepare(&bed->hub);
    snprintf(command, sizeof(command), RULES_COMMAND, bed->hub.folder, bed->hub.folder,
             bed->hub.folder);
    if (system(command) != 0)
        give_up("rules");
    hub_start(&bed->hub);
    int port = hub_web_port(&bed->hub);
    bed->dashboard_count = BED_DASHBOARDS;
    for (unsigned i = 0; i < BED_DASHBOARDS; i++) {
        struct dashboard *dashboard = &bed->dashboards[i];
        memset(dashboard, 0, sizeof(*dashboard));
        dashboard->decode = bed->options.decode || i == 0;
        dashboard->shared = bed->shared;
        dashboard->values = &bed->values;
        dashboard->rule = BED_RULE;
        /* When frames are not timed, half of the screens show the wall. */
        unsigned room = bed->options.one_room ? 1 : i + 1;
        dashboard_open(dashboard, port, !bed->options.decode && i % 2 != 0 ? 0 : room);
    }
}

/* --- life --- */

static void on_signal(int number)
{
    ended = number;
}

static void clear_all(void)
{
    for (int i = 0; i < BED_MAX; i++)
        if (beds[i] != NULL)
            bed_clear(beds[i]);
}

static void register_bed(struct bed *bed)
{
    static bool registered;
    if (!registered) {
        registered = true;
        atexit(clear_all);
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
    }
    for (int i = 0; i < BED_MAX; i++)
        if (beds[i] == NULL) {
            beds[i] = bed;
            return;
        }
    errno = ENOSPC;
    give_up("beds");
}

static void forget_bed(const struct bed *bed)
{
    for (int i = 0; i < BED_MAX; i++)
        if (beds[i] == bed)
            beds[i] = NULL;
}

static bool is_ready(const struct bed *bed)
{
    return bed->options.hub ? bed->dashboards[0].broker : bed->heard->subscribed != 0;
}

static uint64_t used_so_far(const struct bed *bed)
{
    return bed->options.hub ? bed->dashboards[0].messages : bed->heard->count;
}

void bed_make(struct bed *bed, const struct bed_options *options)
{
    memset(bed, 0, sizeof(*bed));
    bed->options = *options;
    bed->shared = shared_memory(sizeof(*bed->shared));
    bed->heard = shared_memory(sizeof(*bed->heard));
    bed->shared->until = UINT64_MAX;
    register_bed(bed);
    bed->port = free_port();
    if (options->mosquitto)
        start_mosquitto(bed);
    else
        start_source(bed);
    await_port(bed->port);
    if (options->hub)
        start_hub(bed);
    else
        start_bare(bed);
    for (int ms = 0; ms < PATIENT_MS && !is_ready(bed); ms += SLICE_MS)
        beds_run(SLICE_MS);
    if (options->mosquitto)
        start_source(bed);
    bed_load(bed, TRICKLE);
    for (int ms = 0; ms < PATIENT_MS && used_so_far(bed) == 0; ms += SLICE_MS)
        beds_run(SLICE_MS);
    if (used_so_far(bed) == 0) {
        errno = ETIMEDOUT;
        give_up(options->hub ? "the hub hears nothing" : "the bare subscriber hears nothing");
    }
}

static void clear_hub(struct bed *bed)
{
    for (unsigned i = 0; i < bed->dashboard_count; i++)
        dashboard_close(&bed->dashboards[i]);
    bed->dashboard_count = 0;
    int status = hub_end(&bed->hub, SIGTERM);
    hub_clear(&bed->hub, status != 0);
    if (status != 0) {
        errno = ECHILD;
        give_up("the hub did not end well");
    }
}

void bed_clear(struct bed *bed)
{
    char command[128];
    forget_bed(bed);
    if (bed->options.hub && bed->hub.pid != 0)
        clear_hub(bed);
    end_child(&bed->bare);
    end_child(&bed->source);
    end_child(&bed->broker);
    if (bed->broker_folder[0] != '\0') {
        snprintf(command, sizeof(command), "rm -r %s", bed->broker_folder);
        if (system(command) != 0)
            give_up("remove");
    }
    samples_clear(&bed->values);
    munmap(bed->shared, sizeof(*bed->shared));
    munmap(bed->heard, sizeof(*bed->heard));
}

/* --- what is measured --- */

pid_t bed_subject(const struct bed *bed)
{
    return bed->options.hub ? bed->hub.pid : bed->bare;
}

void bed_load(struct bed *bed, uint64_t rate)
{
    bed->rate = rate;
    bed->shared->rate = rate;
}

void beds_run(int ms)
{
    struct dashboard *dashboards[BED_MAX * BED_DASHBOARDS];
    for (; ms > 0; ms -= SLICE_MS) {
        unsigned count = 0;
        for (int i = 0; i < BED_MAX; i++) {
            struct bed *bed = beds[i];
            if (bed == NULL)
                continue;
            if (bed->options.mosquitto)
                bed->shared->until = used_so_far(bed) + QUEUED_MOST;
            for (unsigned d = 0; d < bed->dashboard_count; d++)
                dashboards[count++] = &bed->dashboards[d];
        }
        int slice_ms = ms < SLICE_MS ? ms : SLICE_MS;
        if (count > 0)
            dashboards_run(dashboards, count, slice_ms);
        else
            rest(slice_ms);
        if (ended)
            exit(128 + ended);
    }
}

void bed_settle(struct bed *bed)
{
    uint64_t few = bed->rate + bed->options.devices;
    for (int ms = 0; ms < PATIENT_MS; ms += SLICE_MS) {
        if (used_so_far(bed) + few >= bed->shared->published)
            return;
        beds_run(SLICE_MS);
    }
    errno = ETIMEDOUT;
    give_up("the subject does not use what was published");
}

int64_t bed_used(struct bed *bed, uint64_t *messages)
{
    int64_t before = bed->dashboards[0].messages_ns;
    if (!bed->options.hub) {
        *messages = bed->heard->count;
        return usage_mono_ns();
    }
    for (int ms = 0; ms < PATIENT_MS && bed->dashboards[0].messages_ns == before; ms++)
        beds_run(1);
    *messages = bed->dashboards[0].messages;
    return bed->dashboards[0].messages_ns;
}
