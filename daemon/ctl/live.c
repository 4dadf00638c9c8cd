#include "live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl.h"
#include "live.pb-c.h"

#define START_BYTES 131072
#define MOST_BYTES  ((size_t)8 << 20) /* of a frame: a hello of very many rules */
#define NAME_BYTES  128

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 }; /* opcodes */

typedef Lumbar__Live__V1__Frame frame_message;
typedef Lumbar__Live__V1__Hello hello_message;

struct live {
    int fd;
    uint8_t *in;
    size_t room, held, used; /* used: of the frame that was given last */
    frame_message *known;    /* the last with a hello: what numbers mean */
    char (*devices)[NAME_BYTES];
    size_t device_count;
};

/* ---- WebSocket ---- */

static bool send_bytes(int fd, const uint8_t *bytes, size_t count)
{
    return send(fd, bytes, count, MSG_NOSIGNAL) == (ssize_t)count;
}

static bool send_message(struct live *live, uint8_t opcode, const uint8_t *bytes, size_t count)
{
    /* Masked by a key of zeros, which is a key like any other; nothing between us and the hub could
     * take it for something else. */
    uint8_t message[6 + 125] = {(uint8_t)(0x80 | opcode), (uint8_t)(0x80 | count)};
    if (count > 125)
        return false;
    if (count > 0)
        memcpy(message + 6, bytes, count);
    return send_bytes(live->fd, message, 6 + count);
}

static bool watch(struct live *live, uint32_t room)
{
    uint8_t bytes[64];
    Lumbar__Live__V1__Watch message = LUMBAR__LIVE__V1__WATCH__INIT;
    message.has_room = message.has_backlog_s = 1;
    message.room = room;
    return send_message(live, BINARY, bytes, lumbar__live__v1__watch__pack(&message, bytes));
}

/* To the end of the answer's head, byte by byte: frames may follow at once. */
static bool shake_hands(int fd)
{
    static const char request[] = "GET /live HTTP/1.1\r\nHost: localhost\r\n"
                                  "Origin: http://localhost\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: bHVtYmFyY3RsIHdhdGNoLg==\r\n"
                                  "Sec-WebSocket-Protocol: lumbar.live.v1\r\n\r\n";
    char head[1024] = "";
    if (!send_bytes(fd, (const uint8_t *)request, sizeof(request) - 1))
        return false;
    for (size_t have = 0; have + 1 < sizeof(head); have++) {
        if (recv(fd, head + have, 1, 0) != 1)
            return false;
        if (have >= 3 && memcmp(head + have - 3, "\r\n\r\n", 4) == 0)
            return strncmp(head, "HTTP/1.1 101", 12) == 0;
    }
    return false;
}

/* A whole message is there: its opcode, and where its payload lies; 0: not yet. */
static int look(const struct live *live, const uint8_t **payload, size_t *bytes)
{
    const uint8_t *at = live->in + live->used;
    size_t held = live->held - live->used;
    size_t length = held >= 2 ? at[1] & 0x7f : 0, head = length == 126 ? 4 : length == 127 ? 10 : 2;
    if (held < head)
        return 0;
    if (length == 126)
        length = (size_t)at[2] << 8 | at[3];
    else if (length == 127)
        length = (size_t)at[6] << 24 | (size_t)at[7] << 16 | (size_t)at[8] << 8 | at[9];
    if (held < head + length)
        return 0;
    *payload = at + head;
    *bytes = length;
    return at[0] & 0x0f;
}

/* More bytes into the buffer, which grows where a frame is larger. */
static bool receive(struct live *live)
{
    memmove(live->in, live->in + live->used, live->held - live->used);
    live->held -= live->used;
    live->used = 0;
    if (live->held == live->room) {
        uint8_t *larger = live->room < MOST_BYTES ? realloc(live->in, live->room * 2) : NULL;
        if (larger == NULL)
            return false;
        live->in = larger;
        live->room *= 2;
    }
    ssize_t got;
    do
        got = recv(live->fd, live->in + live->held, live->room - live->held, 0);
    while (got < 0 && errno == EINTR);
    live->held += got > 0 ? (size_t)got : 0;
    return got > 0;
}

/* The next frame as bytes; false: there is none any more. */
static bool next_message(struct live *live, const uint8_t **payload, size_t *bytes)
{
    for (;;) {
        int opcode = look(live, payload, bytes);
        if (opcode == 0 && !receive(live))
            return false;
        if (opcode == CLOSE || (opcode == PING && !send_message(live, PONG, *payload, *bytes)))
            return false;
        if (opcode != 0)
            live->used = (size_t)(*payload - live->in) + *bytes;
        if (opcode == BINARY)
            return true;
    }
}

/* ---- What numbers mean ---- */

static const hello_message *hello_of(const struct live *live)
{
    static const hello_message none = LUMBAR__LIVE__V1__HELLO__INIT;
    return live->known != NULL ? live->known->hello : &none;
}

static const Lumbar__Live__V1__Metric *find_metric(const struct live *live, uint32_t id)
{
    const hello_message *hello = hello_of(live);
    for (size_t i = 0; i < hello->n_metrics; i++)
        if (hello->metrics[i]->id == id)
            return hello->metrics[i];
    return NULL;
}

static void note_device(struct live *live, const Lumbar__Live__V1__Device *device)
{
    const hello_message *hello = hello_of(live);
    const char *kind = "?";
    if (device->id >= live->device_count) {
        size_t count = (size_t)device->id + 64;
        void *larger = realloc(live->devices, count * sizeof(*live->devices));
        if (larger == NULL)
            return;
        live->devices = larger;
        memset(live->devices + live->device_count, 0,
               (count - live->device_count) * sizeof(*live->devices));
        live->device_count = count;
    }
    for (size_t i = 0; i < hello->n_kinds; i++)
        if (hello->kinds[i]->id == device->kind)
            kind = hello->kinds[i]->name;
    snprintf(live->devices[device->id], NAME_BYTES, "%s/%s", kind, device->name);
}

/* "posture/p-01" for a field called device, and so on; NULL where it is a number that means one. */
static const char *name_of(const struct live *live, const char *field, uint32_t id)
{
    const hello_message *hello = hello_of(live);
    if (strcmp(field, "device") == 0)
        return id < live->device_count && live->devices[id][0] != '\0' ? live->devices[id] : NULL;
    if (strcmp(field, "metric") == 0)
        return find_metric(live, id) != NULL ? find_metric(live, id)->name : NULL;
    for (size_t i = 0; strcmp(field, "room") == 0 && i < hello->n_rooms; i++)
        if (hello->rooms[i]->id == id)
            return hello->rooms[i]->name;
    for (size_t i = 0; strcmp(field, "rule") == 0 && i < hello->n_rules; i++)
        if (hello->rules[i]->id == id)
            return hello->rules[i]->name;
    for (size_t i = 0; strcmp(field, "kind") == 0 && i < hello->n_kinds; i++)
        if (hello->kinds[i]->id == id)
            return hello->kinds[i]->name;
    return NULL;
}

/* ---- JSON, by the descriptors that protobuf-c has of each message ---- */

static json_t *message_json(const struct live *live, const ProtobufCMessage *message);

static json_t *number_json(const struct live *live, const char *field, uint32_t number)
{
    const char *name = name_of(live, field, number);
    return name != NULL ? json_string(name) : json_integer(number);
}

static json_t *enum_json(const ProtobufCFieldDescriptor *field, int value)
{
    const ProtobufCEnumValue *found =
        protobuf_c_enum_descriptor_get_value(field->descriptor, value);
    return found != NULL ? json_string(found->name) : json_integer(value);
}

static json_t *value_json(const struct live *live, const ProtobufCFieldDescriptor *field,
                          const void *at)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT32:
        return number_json(live, field->name, *(const uint32_t *)at);
    case PROTOBUF_C_TYPE_SINT32:
        return json_integer(*(const int32_t *)at);
    case PROTOBUF_C_TYPE_SINT64:
        return json_integer(*(const int64_t *)at);
    case PROTOBUF_C_TYPE_UINT64:
        return json_integer((json_int_t) * (const uint64_t *)at);
    case PROTOBUF_C_TYPE_FIXED64: /* an identity, not a number */
        return json_sprintf("%016llx", (unsigned long long)*(const uint64_t *)at);
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(*(const protobuf_c_boolean *)at);
    case PROTOBUF_C_TYPE_DOUBLE:
        return json_real(*(const double *)at);
    case PROTOBUF_C_TYPE_ENUM:
        return enum_json(field, *(const int *)at);
    case PROTOBUF_C_TYPE_STRING:
        return json_string(*(const char *const *)at);
    case PROTOBUF_C_TYPE_MESSAGE:
        return message_json(live, *(const ProtobufCMessage *const *)at);
    default:
        return NULL;
    }
}

static size_t value_bytes(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    default:
        return 4;
    }
}

/* NULL: it is not set. */
static json_t *field_json(const struct live *live, const ProtobufCFieldDescriptor *field,
                          const unsigned char *message)
{
    const unsigned char *at = message + field->offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t count = *(const size_t *)(const void *)(message + field->quantifier_offset);
        const unsigned char *list = *(unsigned char *const *)(const void *)at;
        json_t *all = count > 0 ? json_array() : NULL;
        for (size_t i = 0; i < count; i++)
            json_array_append_new(all, value_json(live, field, list + i * value_bytes(field)));
        return all;
    }
    bool points = value_bytes(field) == sizeof(void *) &&
                  (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE);
    bool set =
        points
            ? *(const void *const *)(const void *)at != NULL
            : *(const protobuf_c_boolean *)(const void *)(message + field->quantifier_offset) != 0;
    return set ? value_json(live, field, at) : NULL;
}

/* A quantised value in its unit; a label where it has them; null where the sensor said nothing. */
static json_t *sample_json(const Lumbar__Live__V1__Metric *metric, int64_t quantised)
{
    if (metric == NULL || quantised == 65535)
        return json_null();
    if (quantised >= 0 && (size_t)quantised < metric->n_labels)
        return json_string(metric->labels[quantised]);
    double scale = 1, value = metric->min + (double)quantised * metric->step;
    for (uint32_t i = 0; i <= metric->decimals && i < 7; i++) /* one more than the sensor has */
        scale *= 10;
    return json_real((double)(int64_t)(value * scale + (value < 0 ? -0.5 : 0.5)) / scale);
}

static json_t *latest_json(const struct live *live, const Lumbar__Live__V1__Latest *latest)
{
    json_t *values = json_object();
    for (size_t i = 0; i < latest->n_metric; i++) {
        const Lumbar__Live__V1__Metric *metric = find_metric(live, latest->metric[i]);
        if (metric != NULL && i < latest->n_value && i < latest->n_age_ms)
            json_object_set_new(values, metric->name,
                                json_pack("{s:o, s:I}", "value",
                                          sample_json(metric, latest->value[i]), "age_ms",
                                          (json_int_t)latest->age_ms[i]));
    }
    return json_pack("{s:o, s:o}", "device", number_json(live, "device", latest->device), "values",
                     values);
}

static json_t *points_json(const struct live *live, const Lumbar__Live__V1__Points *points)
{
    json_t *at = json_array(), *columns = json_object();
    int64_t ms = points->start_ms;
    for (size_t i = 0; i < points->n_dt_ms; i++)
        json_array_append_new(at, json_integer(ms += points->dt_ms[i]));
    for (size_t c = 0; c < points->n_columns; c++) {
        const Lumbar__Live__V1__Points__Column *column = points->columns[c];
        const Lumbar__Live__V1__Metric *metric = find_metric(live, column->metric);
        json_t *values = json_array();
        int64_t quantised = 0;
        for (size_t i = 0; i < column->n_delta; i++)
            json_array_append_new(values, sample_json(metric, quantised += column->delta[i]));
        json_object_set_new(columns, metric != NULL ? metric->name : "?", values);
    }
    return json_pack("{s:o, s:o, s:o}", "device", number_json(live, "device", points->device),
                     "at_ms", at, "values", columns);
}

static json_t *message_json(const struct live *live, const ProtobufCMessage *message)
{
    if (message->descriptor == &lumbar__live__v1__latest__descriptor)
        return latest_json(live, (const Lumbar__Live__V1__Latest *)message);
    if (message->descriptor == &lumbar__live__v1__points__descriptor)
        return points_json(live, (const Lumbar__Live__V1__Points *)message);
    json_t *object = json_object();
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        json_t *value = field_json(live, field, (const unsigned char *)message);
        if (value != NULL)
            json_object_set_new(object, field->name, value);
    }
    return object;
}

/* ---- Frames ---- */

static frame_message *next_frame(struct live *live)
{
    const uint8_t *payload;
    size_t bytes;
    if (!next_message(live, &payload, &bytes))
        return NULL;
    frame_message *frame = lumbar__live__v1__frame__unpack(NULL, bytes, payload);
    if (frame == NULL)
        return NULL;
    if (frame->hello != NULL) {
        if (live->known != NULL)
            lumbar__live__v1__frame__free_unpacked(live->known, NULL);
        live->known = frame;
    }
    for (size_t i = 0; i < frame->n_devices; i++)
        note_device(live, frame->devices[i]);
    return frame;
}

json_t *live_next(struct live *live)
{
    frame_message *frame = next_frame(live);
    if (frame == NULL)
        return NULL;
    json_t *json = message_json(live, &frame->base);
    if (frame != live->known)
        lumbar__live__v1__frame__free_unpacked(frame, NULL);
    return json;
}

/* Its number is known from the first hello. */
static int watch_room(struct live *live, const char *room)
{
    frame_message *frame = next_frame(live);
    const hello_message *hello = hello_of(live);
    for (size_t i = 0; frame != NULL && i < hello->n_rooms; i++)
        if (strcmp(hello->rooms[i]->name, room) == 0)
            return watch(live, hello->rooms[i]->id) ? 0 : CTL_FAILED;
    fprintf(stderr, "lumbarctl: there is no room %s\n", room);
    return CTL_FAILED;
}

int live_open(struct live **out, const struct ask *ask, const char *room)
{
    struct live *live = calloc(1, sizeof(*live));
    *out = NULL;
    if (live == NULL || (live->in = malloc(START_BYTES)) == NULL) {
        free(live);
        return CTL_FAILED;
    }
    live->room = START_BYTES;
    int code = ask_connect(ask, &live->fd);
    if (code != 0) {
        free(live->in);
        free(live);
        return code;
    }
    if (!shake_hands(live->fd) || !watch(live, 0)) {
        fprintf(stderr, "lumbarctl: the hub shows nothing here\n");
        code = CTL_FAILED;
    } else if (room[0] != '\0') {
        code = watch_room(live, room);
    }
    if (code != 0)
        live_close(live);
    else
        *out = live;
    return code;
}

void live_close(struct live *live)
{
    if (live == NULL)
        return;
    if (live->known != NULL)
        lumbar__live__v1__frame__free_unpacked(live->known, NULL);
    close(live->fd);
    free(live->devices);
    free(live->in);
    free(live);
}
