#include "hub.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROOM_DEVICES 16
#define PATIENT_MS   20000

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "hub: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void write_rooms(FILE *out, const struct hub *hub)
{
    fprintf(out, "rooms:%s\n", hub->rooms == 0 ? " []" : "");
    for (unsigned room = 0; room < hub->rooms; room++) {
        fprintf(out, "  - name: room-%u\n    devices: [", room + 1);
        const char *before = "";
        if (hub->clinic)
            fprintf(out, "posture/p-%02u, massage/m-%02u", room + 1, room + 1);
        for (unsigned i = 0; i < ROOM_DEVICES && room + i * hub->rooms < hub->devices; i++) {
            fprintf(out, "%sposture/p-%04u", before, room + i * hub->rooms + 1);
            before = ", ";
        }
        fprintf(out, "]\n");
    }
}

static void write_config(const struct hub *hub)
{
    char file[128];
    snprintf(file, sizeof(file), "%s/lumbard.yaml", hub->folder);
    FILE *out = fopen(file, "w");
    if (out == NULL)
        give_up(file);
    fprintf(out,
            "clinic: Bench\naccounts: false\nbroker:\n  host: 127.0.0.1\n  port: %d\n  client_id: "
            "lumbard\n"
            "web:\n  listen: 127.0.0.1\n  port: 0\n  clients: 64\n"
            "api:\n  socket: %s/ctl\n"
            "spool:\n  ring: %s\n  copy: %s/copy\n  size: %s\n"
            "quarantine:\n  file: %s\n  size: 1 MiB\n"
            "recorder:\n  folder: %s\n  always: %s\nhistory:\n  file: %s\nplugins:\n  folder: %s\n"
            "devices:\n  max: 400\n  rate: 100000\nfeed:\n  size: 3 MiB\n"
            "rules:\n  folder: \"%s\"\n%s",
            hub->broker_port, hub->folder, hub->ring, hub->folder, hub->ring_size, hub->quarantine,
            hub->recordings, hub->recorded ? "true" : "false", hub->history, hub->plugins,
            hub->rules, hub->more != NULL ? hub->more : "");
    write_rooms(out, hub);
    if (fclose(out) != 0)
        give_up(file);
}

void hub_prepare(struct hub *hub)
{
    snprintf(hub->folder, sizeof(hub->folder), "/tmp/lumbar-hub-XXXXXX");
    snprintf(hub->ring_folder, sizeof(hub->ring_folder), "%s",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm/lumbar-hub-XXXXXX"
                                           : "/tmp/lumbar-ring-XXXXXX");
    if (mkdtemp(hub->folder) == NULL || mkdtemp(hub->ring_folder) == NULL)
        give_up("folders");
    snprintf(hub->ring, sizeof(hub->ring), "%s/ring", hub->ring_folder);
    snprintf(hub->quarantine, sizeof(hub->quarantine), "%s/quarantine", hub->folder);
    snprintf(hub->recordings, sizeof(hub->recordings), "%s/%srecordings", hub->folder,
             hub->disk_apart ? "disk/" : "");
    if (hub->history[0] == '\0')
        snprintf(hub->history, sizeof(hub->history), "%s/%shistory.db", hub->folder,
                 hub->disk_apart ? "disk/" : "");
    snprintf(hub->log, sizeof(hub->log), "%s/log", hub->folder);
    write_config(hub);
}

void hub_start(struct hub *hub)
{
    char program[256], file[128];
    const char *arguments[16];
    int count = 0;
    snprintf(program, sizeof(program), "%s/daemon/lumbard", hub->build);
    snprintf(file, sizeof(file), "%s/lumbard.yaml", hub->folder);
    for (; hub->launch != NULL && hub->launch[count] != NULL && count < 10; count++)
        arguments[count] = hub->launch[count];
    arguments[count++] = program;
    arguments[count++] = "--config";
    arguments[count++] = file;
    arguments[count] = NULL;
    hub->pid = fork();
    if (hub->pid < 0)
        give_up("fork");
    if (hub->pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int log = open(hub->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execvp(arguments[0], (char *const *)arguments);
    _exit(127);
}

int hub_end(struct hub *hub, int signal)
{
    int status = 0;
    if (hub->pid == 0)
        return 0;
    if (signal != 0)
        kill(hub->pid, signal);
    if (waitpid(hub->pid, &status, 0) != hub->pid)
        give_up("wait");
    hub->pid = 0;
    return status;
}

bool hub_has_ended(struct hub *hub, int *status)
{
    if (hub->pid == 0 || waitpid(hub->pid, status, WNOHANG) != hub->pid)
        return false;
    hub->pid = 0;
    return true;
}

/* The port of the newest "listening on http://127.0.0.1:PORT/" in the log; 0: none yet. */
static int port_in_log(const char *file)
{
    static const char words[] = "listening on http://127.0.0.1:";
    char line[512];
    int port = 0;
    FILE *in = fopen(file, "r");
    if (in == NULL)
        return 0;
    while (fgets(line, sizeof(line), in) != NULL) {
        const char *at = strstr(line, words);
        if (at != NULL)
            port = atoi(at + sizeof(words) - 1);
    }
    fclose(in);
    return port;
}

int hub_web_port(const struct hub *hub)
{
    static const struct timespec rest = {0, 20000000};
    for (int ms = 0; ms < PATIENT_MS; ms += 20) {
        int port = port_in_log(hub->log);
        if (port != 0)
            return port;
        nanosleep(&rest, NULL);
    }
    errno = ETIMEDOUT;
    give_up(hub->log);
}

void hub_clear(struct hub *hub, bool keep_log)
{
    char command[256];
    hub_end(hub, SIGKILL);
    if (keep_log)
        snprintf(command, sizeof(command), "cat %s >&2", hub->log);
    if (keep_log && system(command) != 0)
        fprintf(stderr, "no log of the hub\n");
    snprintf(command, sizeof(command), "rm -r %s %s", hub->folder, hub->ring_folder);
    if (system(command) != 0)
        give_up("remove the folders");
}
