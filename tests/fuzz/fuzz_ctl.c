/*
 * What the hub answers, to lumbarctl: any bytes, over a real Unix socket. The first byte of an
 * input says which command asks; the rest is sent to it, and then the connection is closed.
 *
 * Whatever comes, the command ends, with an exit code of its own. What was cut short, or is longer
 * than it says, is no answer.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/ctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORDS_MAX 8

static const struct question {
    int (*run)(int count, char **arguments);
    const char *words[WORDS_MAX];
} questions[] = {
    {ctl_status, {"status"}},
    {ctl_rooms, {"rooms"}},
    {ctl_devices, {"devices", "--room", "a"}},
    {ctl_place, {"place", "a/b", "c"}},
    {ctl_history, {"history", "posture/p-01", "lumbar_flexion"}},
    {ctl_history, {"history", "posture/p-01", "lumbar_flexion", "--csv"}},
    {ctl_alarms, {"alarms", "list"}},
    {ctl_alarms, {"alarms", "list", "--over"}},
    {ctl_alarms, {"alarms", "load"}},
    {ctl_alarms, {"alarms", "shelve", "7", "--for", "5 min", "--why", "w"}},
    {ctl_alarms, {"alarms", "pause", "a", "--for", "1 min"}},
    {ctl_session, {"session", "list"}},
    {ctl_session, {"session", "report", "7"}},
    {ctl_session, {"session", "csv", "7"}},
    {ctl_client, {"client", "list"}},
    {ctl_client, {"client", "course", "kiefer-7"}},
    {ctl_calibration, {"calibration", "show", "posture/p-01"}},
    {ctl_calibration, {"calibration", "neutral", "posture/p-01"}},
    {ctl_calibration, {"calibration", "range", "posture/p-01", "lumbar_flexion"}},
    {ctl_status, {"status", "--json"}},
    {ctl_watch, {"watch"}}, /* a WebSocket, and frames of live.proto in it */
    {ctl_watch, {"watch", "--room", "salon", "--frames", "2"}},
};

static struct {
    char folder[32], path[64];
    int listener;
    pthread_mutex_t lock; /* of what follows: a command may hang up while it is still given */
    uint8_t answer[1 << 20];
    size_t bytes;
    FILE *nowhere; /* where the command prints; a sanitizer has descriptor 2 for itself */
    unsigned left; /* so often it is given; else a command that waits would wait for ever */
} hub = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void must(bool truth)
{
    if (!truth)
        abort(); /* in every build */
}

/* The whole question: closing with some of it unread would reset the connection. */
static bool hear(int fd)
{
    char text[8192];
    size_t have = 0;
    for (;;) {
        ssize_t count = recv(fd, text + have, sizeof(text) - 1 - have, 0);
        if (count <= 0)
            return false;
        have += (size_t)count;
        text[have] = '\0';
        const char *body = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
        size_t more = length != NULL ? strtoul(length + 16, NULL, 10) : 0;
        if (body != NULL && have >= (size_t)(body + 4 - text) + more)
            return true;
    }
}

static void answer(int fd)
{
    size_t sent = 0;
    pthread_mutex_lock(&hub.lock);
    for (ssize_t count = 1; hub.left > 0 && sent < hub.bytes && count > 0; sent += (size_t)count)
        count = send(fd, hub.answer + sent, hub.bytes - sent, MSG_NOSIGNAL);
    hub.left -= hub.left > 0;
    pthread_mutex_unlock(&hub.lock);
    shutdown(fd, SHUT_WR);
}

static void *serve(void *argument)
{
    (void)argument;
    for (int fd; (fd = accept(hub.listener, NULL, NULL)) >= 0; close(fd))
        if (hear(fd))
            answer(fd);
    return NULL;
}

static void remove_place(void)
{
    unlink(hub.path);
    rmdir(hub.folder);
}

static void begin(void)
{
    static pthread_t thread;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(hub.folder, sizeof(hub.folder), "/tmp/lumbar-ctl.XXXXXX");
    must(mkdtemp(hub.folder) != NULL);
    snprintf(hub.path, sizeof(hub.path), "%s/s", hub.folder);
    memcpy(address.sun_path, hub.path, sizeof(hub.path));
    hub.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(hub.listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    must(listen(hub.listener, 4) == 0 && atexit(remove_place) == 0);
    must((hub.nowhere = fopen("/dev/null", "w")) != NULL);
    must(pthread_create(&thread, NULL, serve, NULL) == 0);
}

/* It says how long its body is, and that is not so. */
static bool is_cut(const uint8_t *answer, size_t bytes)
{
    static const char start[] = "HTTP/1.1 200 OK\r\nContent-Length: ";
    char *text = strndup((const char *)answer, bytes);
    must(text != NULL);
    const char *body = strstr(text, "\r\n\r\n");
    bool cut = body != NULL && strncmp(text, start, sizeof(start) - 1) == 0 &&
               strtoull(text + sizeof(start) - 1, NULL, 10) != bytes - (size_t)(body + 4 - text);
    free(text);
    return cut;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char words[WORDS_MAX][32], *arguments[WORDS_MAX + 3];
    int count = 0;
    if (size < 1 || size > sizeof(hub.answer))
        return 0;
    if (hub.listener == 0)
        begin();
    const struct question *question =
        &questions[data[0] % (sizeof(questions) / sizeof(questions[0]))];
    for (; count < WORDS_MAX && question->words[count] != NULL; count++) {
        snprintf(words[count], sizeof(words[count]), "%s", question->words[count]);
        arguments[count] = words[count];
    }
    char socket_option[] = "--socket";
    arguments[count++] = socket_option;
    arguments[count++] = hub.path;
    arguments[count] = NULL;
    pthread_mutex_lock(&hub.lock);
    memcpy(hub.answer, data + 1, size - 1);
    hub.bytes = size - 1;
    hub.left = 2;
    pthread_mutex_unlock(&hub.lock);
    optind = 0; /* getopt begins anew */
    FILE *out = stdout, *err = stderr;
    stdout = stderr = hub.nowhere;
    int code = question->run(count, arguments);
    stdout = out;
    stderr = err;
    must(code == 0 || code == CTL_FAILED || code == CTL_NO_HUB || code == CTL_NOT_ALLOWED);
    must(code != 0 || !is_cut(hub.answer, hub.bytes));
    return 0;
}
