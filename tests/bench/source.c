#include "source.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "telemetry.h"
#include "wire.h"

#define CLIENTS_MAX  16
#define FILTERS_MAX  64
#define FILTER_BYTES 256
#define ID_BYTES     64
#define IN_BYTES     65536u
#define OUT_BYTES    524288u
#define OUT_ENOUGH   131072u /* more than this waits for the socket: publish later */
#define PACKET_BYTES (TELEMETRY_BYTES + SOURCE_EXTRA_MAX + 320)
#define NOBODY       (-1) /* the device of a message of another's making */

struct session { /* outlives the connection */
    char id[ID_BYTES];
    char filters[FILTERS_MAX][FILTER_BYTES];
    unsigned filter_count;
    struct client *client; /* NULL: away */
};

struct client {
    int fd; /* 0: free */
    struct session *session;
    uint8_t in[IN_BYTES], out[OUT_BYTES];
    size_t in_bytes, out_bytes;
};

struct slot {        /* a message in flight; its packet id is its index + 1 */
    uint64_t number; /* 0: free */
    int device;
    uint64_t sequence;
    size_t bytes;
    uint8_t packet[PACKET_BYTES];
};

struct device {
    uint64_t boot_id, sequence;
    int64_t last_ms;
    uint8_t *acknowledged; /* the ledger, by sequence */
    uint64_t room;
};

struct source {
    struct source_options options;
    int epoll, listener, port;
    struct client clients[CLIENTS_MAX];
    struct session sessions[CLIENTS_MAX];
    unsigned session_count;
    struct session *sink;
    bool deaf; /* acknowledgements are lost */

    struct slot *slots;
    unsigned free[SOURCE_WINDOW_MAX];
    unsigned free_count;
    uint64_t number;

    struct device devices[SOURCE_DEVICES_MAX];
    unsigned next_device;
    uint64_t rate; /* that the credit was made at */
    double credit; /* messages that are due */
    int64_t credit_ns;
    uint8_t extra[SOURCE_EXTRA_MAX];
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "source: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- connections --- */

static void watch(struct source *source, struct client *client, bool writable)
{
    struct epoll_event event = {.events = EPOLLIN | (writable ? EPOLLOUT : 0), .data.ptr = client};
    epoll_ctl(source->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

static void hang_up(struct client *client)
{
    if (client->session != NULL)
        client->session->client = NULL;
    close(client->fd);
    client->fd = 0;
    client->session = NULL;
}

static void flush(struct source *source, struct client *client)
{
    if (client->out_bytes == 0)
        return;
    ssize_t sent = send(client->fd, client->out, client->out_bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        hang_up(client);
        return;
    }
    if (sent > 0) {
        client->out_bytes -= (size_t)sent;
        memmove(client->out, client->out + sent, client->out_bytes);
    }
    watch(source, client, client->out_bytes > 0);
}

/* False: no room; what is not in flight is then dropped. */
static bool put(struct client *client, const void *packet, size_t bytes)
{
    if (client->out_bytes + bytes > OUT_BYTES)
        return false;
    memcpy(client->out + client->out_bytes, packet, bytes);
    client->out_bytes += bytes;
    return true;
}

static void take_socket(struct source *source, int fd)
{
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &source->clients[i];
        if (client->fd != 0)
            continue;
        client->fd = fd;
        client->session = NULL;
        client->in_bytes = client->out_bytes = 0;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        epoll_ctl(source->epoll, EPOLL_CTL_ADD, fd, &event);
        return;
    }
    close(fd);
}

/* --- packets --- */

static bool wants(const struct session *session, const char *topic, size_t bytes)
{
    for (unsigned i = 0; i < session->filter_count; i++)
        if (wire_matches(session->filters[i], topic, bytes))
            return true;
    return false;
}

/* What was not acknowledged goes out again, in order, marked as a repeat. */
static void send_again(struct source *source)
{
    uint64_t last = 0;
    for (;;) {
        struct slot *next = NULL;
        for (unsigned i = 0; i < source->options.window; i++) {
            struct slot *slot = &source->slots[i];
            if (slot->number > last && (next == NULL || slot->number < next->number))
                next = slot;
        }
        if (next == NULL)
            return;
        last = next->number;
        next->packet[0] |= 8; /* DUP */
        if (!put(source->sink->client, next->packet, next->bytes)) {
            errno = ENOBUFS;
            give_up("window larger than the buffer");
        }
    }
}

static struct session *session_of(struct source *source, const char *id, bool *present)
{
    for (unsigned i = 0; i < source->session_count; i++)
        if (strcmp(source->sessions[i].id, id) == 0) {
            *present = true;
            return &source->sessions[i];
        }
    *present = false;
    if (source->session_count == CLIENTS_MAX)
        return NULL;
    struct session *session = &source->sessions[source->session_count++];
    memset(session, 0, sizeof(*session));
    snprintf(session->id, sizeof(session->id), "%s", id);
    return session;
}

static void on_connect(struct source *source, struct client *client, const uint8_t *at,
                       size_t bytes)
{
    char id[ID_BYTES];
    bool present;
    if (bytes < 12 || memcmp(at, "\0\4MQTT\4", 7) != 0) {
        hang_up(client);
        return;
    }
    snprintf(id, sizeof(id), "%.*s", (int)wire_u16(at + 10), (const char *)at + 12);
    struct session *session = session_of(source, id, &present);
    if (session == NULL) {
        hang_up(client);
        return;
    }
    if (session->client != NULL)
        hang_up(session->client); /* one connection a client id: the newer one */
    bool clean = (at[7] & 2) != 0;
    if (clean)
        session->filter_count = 0;
    session->client = client;
    client->session = session;
    const uint8_t answer[4] = {CONNACK, 2, present && !clean, 0};
    put(client, answer, sizeof(answer));
    if (session == source->sink)
        source->deaf = false;
    if (session == source->sink && !clean)
        send_again(source);
}

static void on_subscribe(struct source *source, struct client *client, const uint8_t *at,
                         size_t bytes)
{
    uint8_t answer[4 + FILTERS_MAX] = {SUBACK, 2, at[0], at[1]};
    struct session *session = client->session;
    char topic[64];
    for (size_t i = 2; i + 2 < bytes && answer[1] < FILTERS_MAX;) {
        size_t length = wire_u16(at + i);
        char filter[FILTER_BYTES];
        snprintf(filter, sizeof(filter), "%.*s", (int)length, (const char *)at + i + 2);
        i += 2 + length + 1;
        answer[2 + answer[1]++] = at[i - 1] > 0; /* QoS 1 at most */
        bool known = false;
        for (unsigned f = 0; f < session->filter_count; f++)
            known |= strcmp(session->filters[f], filter) == 0;
        if (!known && session->filter_count < FILTERS_MAX)
            memcpy(session->filters[session->filter_count++], filter, sizeof(filter));
    }
    put(client, answer, 2u + answer[1]);
    source_topic(topic, sizeof(topic), 0);
    const char *wanted = source->options.sink_topic;
    if (wanted == NULL)
        wanted = topic;
    if (source->sink == NULL && wants(session, wanted, strlen(wanted)))
        source->sink = session;
}

/* What a client publishes goes to whom it wire_matches, QoS 0. */
static void on_publish(struct source *source, struct client *client, uint8_t first,
                       const uint8_t *at, size_t bytes)
{
    uint8_t packet[PACKET_BYTES];
    size_t topic_bytes = wire_u16(at);
    size_t start = 2 + topic_bytes + ((first & 6) != 0 ? 2 : 0);
    if (start > bytes || bytes > sizeof(packet) - 16) {
        hang_up(client);
        return;
    }
    const char *topic = (const char *)at + 2;
    size_t length = wire_publish(packet, topic, topic_bytes, at + start, bytes - start, 0);
    for (unsigned i = 0; i < source->session_count; i++) {
        struct session *session = &source->sessions[i];
        if (session->client != NULL && wants(session, topic, topic_bytes))
            put(session->client, packet, length);
    }
    if ((first & 6) != 0) {
        const uint8_t answer[4] = {PUBACK, 2, at[start - 2], at[start - 1]};
        put(client, answer, sizeof(answer));
    }
}

static void enter(struct device *device, uint64_t sequence)
{
    if (sequence >= device->room) {
        device->room = sequence * 2 + 1024;
        device->acknowledged = realloc(device->acknowledged, device->room);
        if (device->acknowledged == NULL)
            give_up("ledger");
        memset(device->acknowledged + sequence, 0, device->room - sequence);
    }
    device->acknowledged[sequence] = 0;
}

static void on_puback(struct source *source, unsigned id)
{
    if (id == 0 || id > source->options.window || source->slots[id - 1].number == 0 || source->deaf)
        return;
    struct slot *slot = &source->slots[id - 1];
    if (slot->device != NOBODY && source->options.ledger)
        source->devices[slot->device].acknowledged[slot->sequence] = 1;
    slot->number = 0;
    source->free[source->free_count++] = id - 1;
    atomic_fetch_add_explicit(&source->options.shared->acknowledged, 1, memory_order_relaxed);
}

static void on_packet(struct source *source, struct client *client, uint8_t first,
                      const uint8_t *at, size_t bytes)
{
    static const uint8_t pong[2] = {PINGRESP, 0};
    uint8_t kind = first & 0xf0;
    bool stranger = client->session == NULL && kind != CONNECT;
    if (stranger || kind == DISCONNECT)
        hang_up(client);
    else if (kind == CONNECT)
        on_connect(source, client, at, bytes);
    else if (kind == SUBSCRIBE && bytes >= 5)
        on_subscribe(source, client, at, bytes);
    else if (kind == PUBLISH && bytes >= 2)
        on_publish(source, client, first, at, bytes);
    else if (kind == PUBACK && bytes >= 2)
        on_puback(source, wire_u16(at));
    else if (kind == PINGREQ)
        put(client, pong, sizeof(pong));
}

static void on_readable(struct source *source, struct client *client)
{
    ssize_t got = recv(client->fd, client->in + client->in_bytes, IN_BYTES - client->in_bytes, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            hang_up(client);
        return;
    }
    client->in_bytes += (size_t)got;
    size_t done = 0, head = 0, length;
    while (client->fd != 0 &&
           (length = wire_whole(client->in + done, client->in_bytes - done, &head)) > 0) {
        const uint8_t *packet = client->in + done;
        on_packet(source, client, packet[0], packet + head, length - head);
        done += length;
    }
    client->in_bytes -= done;
    memmove(client->in, client->in + done, client->in_bytes);
}

/* --- the generator --- */

static struct client *sink_of(const struct source *source)
{
    return source->sink != NULL ? source->sink->client : NULL;
}

static bool has_room(const struct source *source, const struct client *sink)
{
    return sink->out_bytes < OUT_ENOUGH && (source->options.qos == 0 || source->free_count > 0);
}

/* Puts a message for the sink; QoS 1 stays in its slot until it is acknowledged. */
static void send_message(struct source *source, const char *topic, size_t topic_bytes,
                         const uint8_t *payload, size_t bytes, int device, uint64_t sequence)
{
    uint8_t packet[PACKET_BYTES];
    if (source->options.qos == 0) {
        put(sink_of(source), packet, wire_publish(packet, topic, topic_bytes, payload, bytes, 0));
        return;
    }
    unsigned index = source->free[--source->free_count];
    struct slot *slot = &source->slots[index];
    slot->number = ++source->number;
    slot->device = device;
    slot->sequence = sequence;
    slot->bytes = wire_publish(slot->packet, topic, topic_bytes, payload, bytes, index + 1);
    put(sink_of(source), slot->packet, slot->bytes);
}

static void publish_next(struct source *source, int64_t mono_ns, int64_t wall_ms)
{
    uint8_t payload[TELEMETRY_BYTES + SOURCE_EXTRA_MAX];
    char topic[64];
    struct source_shared *shared = source->options.shared;
    unsigned index = source->next_device;
    struct device *device = &source->devices[index];
    source->next_device = (index + 1) % source->options.devices;
    bool fresh = device->last_ms == 0 || wall_ms - device->last_ms > 2000;
    struct telemetry telemetry = {
        .boot_id = device->boot_id,
        .sequence = ++device->sequence,
        .last_ms = fresh ? wall_ms - 100 : device->last_ms,
        .now_ms = wall_ms,
        .rotation = source_code_value(device->sequence),
        .bent = atomic_load_explicit(&shared->bent[index], memory_order_relaxed) != 0,
        .lean = source->options.lean,
        .extra = source->extra,
        .extra_bytes = source->options.extra_bytes,
    };
    device->last_ms = wall_ms;
    if (source->options.ledger)
        enter(device, device->sequence);
    size_t bytes = telemetry_write(payload, &telemetry);
    send_message(source, topic, (size_t)source_topic(topic, sizeof(topic), index), payload, bytes,
                 (int)index, device->sequence);
    shared->code_ns[index][device->sequence % SOURCE_CODES] = mono_ns;
    if (telemetry.bent != (shared->bent_ns[index] > 0))
        shared->bent_ns[index] = telemetry.bent ? mono_ns : 0;
    atomic_fetch_add_explicit(&shared->published, 1, memory_order_relaxed);
}

/* How many messages are due by the clock. */
static double due(struct source *source, int64_t now)
{
    uint64_t rate = source->options.shared->rate;
    if (rate == SOURCE_FLAT_OUT)
        return 1e9;
    if (rate != source->rate) {
        source->rate = rate;
        source->credit = 0;
    } else {
        source->credit += (double)(now - source->credit_ns) * (double)rate / 1e9;
    }
    source->credit_ns = now;
    if (source->credit > (double)rate + 1)
        source->credit = (double)rate + 1; /* a second's worth: nobody was there to hear it */
    return source->credit;
}

static void pump(struct source *source)
{
    struct client *sink = sink_of(source);
    int64_t now = now_ns(CLOCK_MONOTONIC);
    double most = due(source, now);
    if (sink == NULL)
        return;
    int64_t wall_ms = now_ns(CLOCK_REALTIME) / 1000000;
    struct source_shared *shared = source->options.shared;
    while (most >= 1 && has_room(source, sink) && shared->published < shared->until) {
        publish_next(source, now_ns(CLOCK_MONOTONIC), wall_ms);
        most -= 1;
        source->credit -= 1;
    }
    flush(source, sink);
}

/* --- outside --- */

static int listen_on(int port, int *bound)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 16) != 0)
        give_up("listen");
    getsockname(fd, (struct sockaddr *)&address, &length);
    *bound = ntohs(address.sin_port);
    return fd;
}

/* Connects to a broker and is its client: the session is our own, the sink is the broker. */
static void connect_to(struct source *source, int port)
{
    static const uint8_t hello[] = {CONNECT, 18, 0, 4, 'M', 'Q', 'T', 'T', 4,   2,
                                    0,       0,  0, 6, 's', 'o', 'u', 'r', 'c', 'e'};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint8_t answer[4];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        send(fd, hello, sizeof(hello), 0) != sizeof(hello) ||
        recv(fd, answer, sizeof(answer), MSG_WAITALL) != sizeof(answer) || answer[3] != 0)
        give_up("connect");
    take_socket(source, fd);
    bool present;
    source->sink = session_of(source, "broker", &present);
    source->sink->client = &source->clients[0];
    source->clients[0].session = source->sink;
}

struct source *source_create(const struct source_options *options)
{
    struct source *source = calloc(1, sizeof(*source));
    if (source == NULL || options->window == 0 || options->window > SOURCE_WINDOW_MAX ||
        options->devices == 0 || options->devices > SOURCE_DEVICES_MAX ||
        options->extra_bytes > SOURCE_EXTRA_MAX)
        give_up("options");
    source->options = *options;
    source->epoll = epoll_create1(EPOLL_CLOEXEC);
    source->slots = calloc(options->window, sizeof(*source->slots));
    if (source->slots == NULL || source->epoll < 0)
        give_up("create");
    for (unsigned i = options->window; i > 0; i--)
        source->free[source->free_count++] = i - 1;
    for (unsigned i = 0; i < options->devices; i++)
        if (getrandom(&source->devices[i].boot_id, 8, 0) != 8)
            give_up("random");
    if (getrandom(source->extra, sizeof(source->extra), 0) < 0)
        give_up("random");
    if (options->connect_port != 0) {
        connect_to(source, options->connect_port);
        return source;
    }
    source->listener = listen_on(options->port, &source->port);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(source->epoll, EPOLL_CTL_ADD, source->listener, &event);
    return source;
}

void source_destroy(struct source *source)
{
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (source->clients[i].fd != 0)
            hang_up(&source->clients[i]);
    if (source->listener != 0)
        close(source->listener);
    for (unsigned i = 0; i < SOURCE_DEVICES_MAX; i++)
        free(source->devices[i].acknowledged);
    close(source->epoll);
    free(source->slots);
    free(source);
}

int source_port(const struct source *source)
{
    return source->port;
}

static void serve(struct source *source, const struct epoll_event *event)
{
    struct client *client = event->data.ptr;
    if (client == NULL) {
        int fd = accept4(source->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            take_socket(source, fd);
        return;
    }
    if (client->fd != 0 && (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        on_readable(source, client);
    if (client->fd != 0)
        flush(source, client);
}

void source_run(struct source *source, int ms)
{
    static const struct timespec rest = {0, 1000000};
    struct source_shared *shared = source->options.shared;
    int64_t end = now_ns(CLOCK_MONOTONIC) + ms * INT64_C(1000000);
    while (!shared->stop && now_ns(CLOCK_MONOTONIC) < end) {
        struct epoll_event events[CLIENTS_MAX];
        /* Flat out, acknowledgements are taken once a ms, not one by one: the window is deep
         * enough for that, and the cores are for those who are measured. */
        bool flat_out = shared->rate == SOURCE_FLAT_OUT && sink_of(source) != NULL;
        if (flat_out)
            nanosleep(&rest, NULL);
        int count = epoll_wait(source->epoll, events, CLIENTS_MAX, flat_out ? 0 : 1);
        for (int i = 0; i < count; i++)
            serve(source, &events[i]);
        pump(source);
    }
}

bool source_send(struct source *source, const char *topic, const void *payload, size_t bytes)
{
    struct client *sink = sink_of(source);
    if (sink == NULL || !has_room(source, sink) || strlen(topic) + bytes > PACKET_BYTES - 16)
        return false;
    send_message(source, topic, strlen(topic), payload, bytes, NOBODY, 0);
    flush(source, sink);
    return true;
}

void source_lose_acknowledgements(struct source *source)
{
    source->deaf = true;
}

bool source_has_sink(const struct source *source)
{
    return sink_of(source) != NULL;
}

unsigned source_in_flight(const struct source *source)
{
    return source->options.window - source->free_count;
}

uint64_t source_published(const struct source *source, unsigned device)
{
    return source->devices[device].sequence;
}

bool source_is_acknowledged(const struct source *source, unsigned device, uint64_t sequence)
{
    return source->devices[device].acknowledged[sequence] != 0;
}
