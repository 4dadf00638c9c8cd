#include "ask.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "setup.h"

bool ask_option(struct ask *ask, int option)
{
    if (option == ASK_CONFIG)
        ask->config = optarg;
    else if (option == ASK_SOCKET)
        ask->socket = optarg;
    else if (option == ASK_JSON)
        ask->json = true;
    else
        return false;
    return true;
}

static int find_socket(const struct ask *ask, struct sockaddr_un *address)
{
    struct config *config = NULL;
    struct diag diag = {0};
    const char *path = ask->socket;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (path == NULL && setup_read_config(ask->config, &config, &diag) != 0) {
        if (!ask->quiet)
            ctl_complain(&diag);
        if (diag.code == ERR_IO)
            return CTL_FAILED;
    }
    /* What is wrong in a configuration keeps no hub from running, nor us from asking it. */
    if (path == NULL)
        path = config != NULL ? config->api.socket : config_default("api.socket");
    size_t length = strlen(path);
    if (length == 0)
        fprintf(stderr, "lumbarctl: %s sets no api.socket\n", ask->config);
    else if (length >= sizeof(address->sun_path))
        fprintf(stderr, "lumbarctl: the path of the socket is too long: %s\n", path);
    else
        memcpy(address->sun_path, path, length);
    config_destroy(config);
    return address->sun_path[0] != '\0' ? 0 : CTL_FAILED;
}

static void say(const struct ask *ask, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(const struct ask *ask, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!ask->quiet)
        vfprintf(stderr, format, arguments);
    va_end(arguments);
}

/* Connects, and says what to do where that fails. */
int ask_connect(const struct ask *ask, int *fd)
{
    struct sockaddr_un address;
    struct timeval limit = {.tv_sec = ASK_SECONDS};
    int code = find_socket(ask, &address);
    if (code != 0)
        return code;
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd >= 0 && connect(*fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
        setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        return 0;
    }
    int failed = errno;
    if (*fd >= 0)
        close(*fd);
    if (failed == EACCES || failed == EPERM) {
        say(ask, "lumbarctl: you may not use %s; be root, or a member of the socket's group\n",
            address.sun_path);
        return CTL_NOT_ALLOWED;
    }
    say(ask, "lumbarctl: no hub answers at %s: %s; is lumbard running?\n", address.sun_path,
        strerror(failed));
    return CTL_NO_HUB;
}

static bool send_all(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        count -= (size_t)sent;
    }
    return true;
}

/* Until the hub closes; terminated. NULL: too long, too late, or no memory. */
static char *read_all(int fd, size_t *length)
{
    size_t room = 65536, have = 0;
    char *text = malloc(room + 1);
    while (text != NULL) {
        ssize_t got = recv(fd, text + have, room - have, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        have += (size_t)got;
        if (got == 0) {
            text[have] = '\0';
            *length = have;
            return text;
        }
        if (have < room)
            continue;
        room *= 2;
        char *larger = room <= ASK_MOST_BYTES ? realloc(text, room + 1) : NULL;
        if (larger == NULL)
            break;
        text = larger;
    }
    free(text);
    return NULL;
}

static int say_refusal(const struct ask *ask, int status, const json_t *problem)
{
    const char *detail = ask_string(problem, "detail");
    if (detail[0] != '\0')
        say(ask, "lumbarctl: %s\n", detail);
    else
        say(ask, "lumbarctl: the hub answers with %d\n", status);
    return status == 403 ? CTL_NOT_ALLOWED : CTL_FAILED;
}

/* As long as it says: a hub that ends in the middle of a table must not leave half of one. */
static bool is_whole(const char *text, const char *body, size_t bytes)
{
    static const char field[] = "\r\ncontent-length:";
    const char *found = strcasestr(text, field);
    if (found == NULL || found >= body)
        return true;
    return strtoull(found + sizeof(field) - 1, NULL, 10) == bytes;
}

/* The body of a whole answer whose status is good; NULL: it was refused, and that was said. */
static const char *body_of(const struct ask *ask, const char *text, size_t length, int *code)
{
    int status = 0;
    const char *body = strstr(text, "\r\n\r\n");
    *code = CTL_FAILED;
    if (sscanf(text, "HTTP/1.%*d %d", &status) != 1 || body == NULL) {
        say(ask, "lumbarctl: the hub did not answer\n");
        return NULL;
    }
    body += 4;
    if (!is_whole(text, body, length - (size_t)(body - text))) {
        fprintf(stderr, "lumbarctl: the hub's answer was cut short\n");
        return NULL;
    }
    if (status >= 200 && status < 300)
        return body;
    json_t *problem = json_loadb(body, length - (size_t)(body - text), 0, NULL);
    *code = say_refusal(ask, status, problem);
    json_decref(problem);
    return NULL;
}

static int take_answer(const struct ask *ask, const char *text, size_t length, json_t **answer)
{
    int code;
    const char *body = body_of(ask, text, length, &code);
    if (body == NULL)
        return code;
    *answer = json_loadb(body, length - (size_t)(body - text), 0, NULL);
    return *answer != NULL ? 0 : say_refusal(ask, 500, NULL);
}

/* Who asks from here changes what is there, whatever version that is: an administrator's last word.
 */
static bool send_question(int fd, const char *method, const char *path, const json_t *body)
{
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL, *head = NULL;
    size_t bytes = text != NULL ? strlen(text) : 0;
    int length = asprintf(&head,
                          "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s"
                          "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                          method, path, strcmp(method, "PUT") == 0 ? "If-Match: *\r\n" : "", bytes);
    bool sent = length > 0 && send_all(fd, head, (size_t)length) &&
                (bytes == 0 || send_all(fd, text, bytes));
    if (length > 0)
        free(head);
    free(text);
    return sent;
}

int ask_hub(const struct ask *ask, const char *method, const char *path, json_t *body,
            json_t **answer)
{
    int fd;
    size_t length;
    *answer = NULL;
    int code = ask_connect(ask, &fd);
    if (code == 0) {
        /* A hub that refuses early may close while we still speak: what it says is what counts. */
        send_question(fd, method, path, body);
        char *text = read_all(fd, &length);
        code = take_answer(ask, text != NULL ? text : "", text != NULL ? length : 0, answer);
        free(text);
        close(fd);
    }
    json_decref(body);
    return code;
}

int ask_hub_text(const struct ask *ask, const char *path, char **text, size_t *bytes)
{
    int fd;
    size_t length = 0;
    *text = NULL;
    int code = ask_connect(ask, &fd);
    if (code != 0)
        return code;
    send_question(fd, "GET", path, NULL);
    char *answer = read_all(fd, &length);
    const char *body = body_of(ask, answer != NULL ? answer : "", length, &code);
    close(fd);
    if (body != NULL) {
        *bytes = length - (size_t)(body - answer);
        memmove(answer, body, *bytes);
        *text = answer;
        return 0;
    }
    free(answer);
    return code;
}

bool ask_printed(const struct ask *ask, json_t *answer)
{
    if (!ask->json)
        return false;
    json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    putchar('\n');
    json_decref(answer);
    return true;
}

const char *ask_escape(const char *text, char *out, size_t bytes)
{
    size_t have = 0;
    for (; *text != '\0' && have + 4 < bytes; text++) {
        bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                     (*text >= '0' && *text <= '9') || strchr("-_.", *text) != NULL;
        if (plain)
            out[have++] = *text;
        else
            have += (size_t)snprintf(out + have, bytes - have, "%%%02X", (unsigned char)*text);
    }
    out[have] = '\0';
    return out;
}

int ask_device(const struct ask *ask, const char *method, const char *device, const char *rest,
               json_t *body, json_t **answer)
{
    char kind[200], name[200], part[64], path[512];
    const char *slash = strchr(device, '/');
    if (slash == NULL || (size_t)(slash - device) >= sizeof(part)) {
        json_decref(body);
        fprintf(stderr, "lumbarctl: '%s' is no device: it is named as posture/p-01\n", device);
        return CTL_ARGUMENTS;
    }
    snprintf(part, sizeof(part), "%.*s", (int)(slash - device), device);
    snprintf(path, sizeof(path), "/api/v1/devices/%s/%s/%s", ask_escape(part, kind, sizeof(kind)),
             ask_escape(slash + 1, name, sizeof(name)), rest);
    return ask_hub(ask, method, path, body, answer);
}

const char *ask_string(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

long long ask_integer(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

const char *ask_time(const json_t *object, const char *name, char out[ASK_TIME_BYTES])
{
    struct tm at = {0}, now_at;
    time_t now = time(NULL);
    snprintf(out, ASK_TIME_BYTES, "-");
    if (strptime(ask_string(object, name), "%Y-%m-%dT%H:%M:%S", &at) == NULL)
        return out;
    time_t seconds = timegm(&at);
    localtime_r(&seconds, &at);
    localtime_r(&now, &now_at);
    bool today = at.tm_yday == now_at.tm_yday && at.tm_year == now_at.tm_year;
    strftime(out, ASK_TIME_BYTES, today ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &at);
    return out;
}

const char *ask_span(long long ms, char out[ASK_TIME_BYTES])
{
    long long s = ms / 1000;
    if (s < 120)
        snprintf(out, ASK_TIME_BYTES, "%lld s", s);
    else if (s < 7200)
        snprintf(out, ASK_TIME_BYTES, "%lld min", s / 60);
    else
        snprintf(out, ASK_TIME_BYTES, "%lld h", s / 3600);
    return out;
}
