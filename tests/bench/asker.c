#include "asker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/instant.h"
#include "usage.h"

#define ANSWER_BYTES  (1 << 20)
#define REQUEST_BYTES 512

static _Noreturn void give_up(struct asker *asker, const struct asker_question *question,
                              const char *what)
{
    snprintf(asker->wrong, sizeof(asker->wrong), "%s%s %s: %.120s", question->client,
             question->device, question->metric, what);
    _exit(1);
}

static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    return -1;
}

/* To the end of the connection; false: it does not fit, or breaks. */
static bool read_answer(int fd, char *answer)
{
    size_t have = 0;
    for (ssize_t n; have < ANSWER_BYTES - 1; have += (size_t)n) {
        n = read(fd, answer + have, ANSWER_BYTES - 1 - have);
        if (n < 0)
            return false;
        if (n == 0)
            break;
    }
    answer[have] = '\0';
    return have > 0 && have < ANSWER_BYTES - 1;
}

static unsigned parts_in(const char *answer, const char *mark)
{
    unsigned count = 0;
    for (const char *at = answer; (at = strstr(at, mark)) != NULL; at++)
        count++;
    return count;
}

static void write_path(const struct asker_question *question, char out[REQUEST_BYTES / 2])
{
    char from[INSTANT_BYTES], to[INSTANT_BYTES];
    instant_write(question->from_ms, from);
    instant_write(question->to_ms, to);
    if (question->client[0] != '\0')
        snprintf(out, REQUEST_BYTES / 2, "clients/%s/course?from=%s&to=%s", question->client, from,
                 to);
    else
        snprintf(out, REQUEST_BYTES / 2, "history?device=%s&metric=%s&from=%s&to=%s",
                 question->device, question->metric, from, to);
}

static int64_t ask(struct asker *asker, const struct asker_question *question, int port)
{
    static char answer[ANSWER_BYTES];
    char request[REQUEST_BYTES], path[REQUEST_BYTES / 2];
    const char *mark = question->client[0] != '\0' ? "\"started\":" : "\"mean\":";
    write_path(question, path);
    int length = snprintf(request, sizeof(request),
                          "GET /api/v1/%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                          "Connection: close\r\n\r\n",
                          path, port);
    int64_t from_ns = usage_mono_ns();
    int fd = connect_to(port);
    if (fd < 0 || write(fd, request, (size_t)length) != length || !read_answer(fd, answer))
        give_up(asker, question, "no answer");
    close(fd);
    int64_t took_ns = usage_mono_ns() - from_ns;
    if (strncmp(answer, "HTTP/1.1 200", 12) != 0)
        give_up(asker, question, answer);
    if (parts_in(answer, mark) < question->least) {
        char what[64];
        snprintf(what, sizeof(what), "%u buckets or sessions, not %u", parts_in(answer, mark),
                 question->least);
        give_up(asker, question, what);
    }
    return took_ns;
}

pid_t asker_start(struct asker *asker, int port, int rest_ms)
{
    const struct timespec rest = {rest_ms / 1000, rest_ms % 1000 * 1000000L};
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (unsigned i = 0; i < asker->count; i++) {
        asker->ns[i] = ask(asker, &asker->questions[i], port);
        nanosleep(&rest, NULL);
    }
    _exit(0);
}
