/*
 * Requests to the running hub, whole: its own table of endpoints and every handler behind it, as
 * lumbarctl and the page reach them, over its Unix socket. The hub runs in this process, so that a
 * sanitizer sees into it; it has two rooms, their devices, plans, no broker, and lives through all
 * inputs, so that what one has made meets the next.
 *
 * An input is lines of "METHOD PATH BODY"; each is one request. Before the body may stand an
 * If-Match, which begins with " or *, and #KEY, an Idempotency-Key. Whatever comes, each gets one
 * whole answer, of JSON where it says so, and the hub goes on; at the end its loop closes empty.
 */
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "core/api.h"
#include "lumbard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUESTS_MAX 8
#define ANSWER_BYTES (1 << 20)

static struct {
    char folder[64], config[96], socket[96];
    pthread_t thread;
    pid_t pid;
} hub;

static void must(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "not so: %s\n", what);
    abort(); /* in every build */
}

static void *run(void *argument)
{
    const struct lumbard_options options = {.config_file = hub.config};
    struct diag diag = {0};
    (void)argument;
    int code = lumbard_run(&options, &diag);
    must(code == 0, code == 0 ? "" : diag.text);
    return NULL;
}

static void write_config(void)
{
    FILE *out = fopen(hub.config, "w");
    must(out != NULL, "a configuration can be written");
    fprintf(out,
            "broker: {port: 1}\nweb: {port: 0}\napi: {socket: %s}\n"
            "spool: {ring: %s/ring, copy: %s/copy, size: 1 MiB}\n"
            "quarantine: {file: %s/quarantine, size: 1 MiB}\nrecorder: {folder: %s/recordings}\n"
            "history: {file: %s/history.db}\nplugins: {folder: %s}\nplans: {folder: %s}\n"
            "rules: {folder: %s}\ndevices: {max: 16}\nfeed: {size: 1 MiB}\n"
            "rooms: [{name: a, devices: [posture/p-01, massage/m-01]}, {name: b}]\n",
            hub.socket, hub.folder, hub.folder, hub.folder, hub.folder, hub.folder, PLUGIN_FOLDER,
            SOURCE_FOLDER "/config/plans.d", SOURCE_FOLDER "/config/rules.d");
    must(fclose(out) == 0, "a configuration can be written");
}

/* By a shell's rm: the hub makes folders of its own in it. */
static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", hub.folder);
    must(system(command) == 0, "its files can be removed"); /* NOLINT: no word of an input */
}

/* Paho's threads outlive the hub, so the end is _exit(), as in the program itself. */
static void stop(int status, void *argument)
{
    (void)argument;
    if (getpid() != hub.pid)
        return; /* a child in which a plugin was tried */
    kill(getpid(), SIGTERM);
    pthread_join(hub.thread, NULL);
    remove_folder();
    fflush(NULL);
    _exit(status);
}

static int connect_hub(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", hub.socket);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void start(void)
{
    snprintf(hub.folder, sizeof(hub.folder), "%s/lumbar-fuzz.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(hub.folder) != NULL, "a folder can be made");
    snprintf(hub.config, sizeof(hub.config), "%s/lumbard.yaml", hub.folder);
    snprintf(hub.socket, sizeof(hub.socket), "%s/ctl", hub.folder);
    write_config();
    log_set_level(LOG_ERROR_);
    hub.pid = getpid();
    must(pthread_create(&hub.thread, NULL, run, NULL) == 0, "a thread can be made");
    must(on_exit(stop, NULL) == 0, "the end can be seen to");
    for (int tries = 0; tries < 2000; tries++) {
        int fd = connect_hub();
        if (fd >= 0) {
            close(fd);
            return;
        }
        usleep(10000);
    }
    must(false, "the hub starts");
}

/* ---- one request ---- */

struct request {
    const char *method, *path, *if_match, *key, *body;
};

static void send_request(int fd, const struct request *request)
{
    char head[1024];
    const char *body = request->body;
    int length = snprintf(head, sizeof(head),
                          "%.8s %.300s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
                          request->method, request->path);
    if (request->if_match[0] != '\0')
        length += snprintf(head + length, sizeof(head) - (size_t)length, "If-Match: %.100s\r\n",
                           request->if_match);
    if (request->key[0] != '\0')
        length += snprintf(head + length, sizeof(head) - (size_t)length,
                           "Idempotency-Key: %.200s\r\n", request->key);
    length +=
        snprintf(head + length, sizeof(head) - (size_t)length,
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", strlen(body));
    /* One that is refused early may hang up while we still speak. */
    if (send(fd, head, (size_t)length, MSG_NOSIGNAL) == length && body[0] != '\0')
        (void)!send(fd, body, strlen(body), MSG_NOSIGNAL);
}

static size_t read_answer(int fd, char *text)
{
    size_t have = 0;
    for (ssize_t count; have < ANSWER_BYTES; have += (size_t)count)
        if ((count = recv(fd, text + have, ANSWER_BYTES - have, 0)) <= 0)
            break;
    text[have] = '\0';
    return have;
}

static void check_answer(const char *text, size_t bytes)
{
    int status = 0;
    const char *body = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "content-length:");
    must(body != NULL && sscanf(text, "HTTP/1.%*d %d", &status) == 1, text);
    must(status >= 200 && status < 600 && status != 500, "it is no fault of the hub");
    body += 4;
    if (length == NULL || length > body)
        return;
    must(strtoul(length + 15, NULL, 10) == bytes - (size_t)(body - text), "the answer is whole");
    if (strcasestr(text, "json") == NULL || strcasestr(text, "json") > body || *body == '\0')
        return;
    json_t *json = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    must(json != NULL, "the answer is JSON");
    json_decref(json);
}

static void ask(char *line)
{
    static char text[ANSWER_BYTES + 1];
    static char nothing[] = "";
    struct request request = {strsep(&line, " "), nothing, nothing, nothing, nothing};
    if (line != NULL)
        request.path = strsep(&line, " ");
    if (line != NULL && (line[0] == '"' || line[0] == '*'))
        request.if_match = strsep(&line, " ");
    if (line != NULL && line[0] == '#')
        request.key = strsep(&line, " ") + 1;
    if (line != NULL)
        request.body = line;
    if (request.path[0] == '\0')
        return;
    int fd = connect_hub();
    must(fd >= 0, "the hub goes on");
    send_request(fd, &request);
    size_t bytes = read_answer(fd, text);
    close(fd);
    if (bytes > 0) /* no HTTP, no answer */
        check_answer(text, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 8 || size > API_BODY_BYTES)
        return 0;
    if (hub.pid == 0)
        start();
    char *copy = strndup((const char *)data, size), *rest = copy;
    must(copy != NULL, "there is memory");
    for (int i = 0; i < REQUESTS_MAX && rest != NULL; i++)
        ask(strsep(&rest, "\n"));
    free(copy);
    return 0;
}
