/*
 * A plugin against protobuf-c: the same bytes to both, and the same out of both.
 *
 * The plugin decodes through driver_decode(), so that the host's checks are fuzzed too; then
 * protobuf-c unpacks the message, and what it found is held against the batch, field by field.
 */
#ifndef LUMBAR_TESTS_FUZZ_AGAINST_H
#define LUMBAR_TESTS_FUZZ_AGAINST_H

#include <dlfcn.h>
#include <math.h>
#include <protobuf-c/protobuf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/driver.h"

/* A field of the message and the metric that it becomes. */
struct pair {
    const char *field, *metric;
    double divisor; /* 0: an enumerator, of which 1 is label 0 less `first` */
    int32_t first;
};

struct side {
    const char *leaf;
    const ProtobufCMessageDescriptor *type;
    const struct pair *pairs;
    size_t pair_count;
};

/* Nothing that a payload of 16 KiB unpacks to is larger. */
static unsigned char arena[64 << 20];

static void *arena_alloc(void *scratch, size_t bytes)
{
    return lumbar_scratch_alloc(scratch, bytes);
}

static void arena_free(void *scratch, void *pointer)
{
    (void)scratch;
    (void)pointer;
}

#define must(truth)                                                                                \
    do {                                                                                           \
        if (!(truth)) {                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #truth);                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static inline const void *place(const ProtobufCMessage *message, const char *name, bool *has,
                                size_t *count)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
    const char *base = (const char *)message;
    *has = false;
    *count = 0;
    if (field == NULL)
        return NULL;
    const void *quantifier = base + field->quantifier_offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        *count = *(const size_t *)quantifier;
        *has = *count > 0;
        return *(const void *const *)(const void *)(base + field->offset);
    }
    *has = *(const protobuf_c_boolean *)quantifier != 0;
    *count = 1;
    return base + field->offset;
}

static inline int64_t whole(const ProtobufCMessage *message, const char *name, bool *has)
{
    size_t count;
    const void *at = place(message, name, has, &count);
    return *has ? *(const int64_t *)at : 0;
}

static inline double expected(const struct pair *pair, const struct lumbar_metric *metric,
                              const void *at, bool is_unsigned, bool is_column)
{
    int32_t number = *(const int32_t *)at;
    double value;
    if (pair->divisor == 0)
        value = (double)number - pair->first;
    else if (is_column && number == INT32_MIN)
        value = NAN;
    else
        value = (is_unsigned ? (double)(uint32_t)number : (double)number) / pair->divisor;
    return value >= metric->min && value <= metric->max ? value : NAN;
}

static inline const struct lumbar_series *
series_of(const struct lumbar_plugin *plugin, const struct lumbar_batch *batch, const char *metric)
{
    for (uint32_t i = 0; i < batch->series_count; i++)
        if (strcmp(plugin->metrics[batch->series[i].metric].name, metric) == 0)
            return &batch->series[i];
    return NULL;
}

/* Is what protobuf-c found a message that the plugin must take? */
static inline bool takes(const struct side *side, const ProtobufCMessage *message)
{
    bool has, has_now, has_boot, has_sequence;
    size_t rows, count;
    const uint32_t *dt_ms = place(message, "dt_ms", &has, &rows);
    int64_t now_ms = whole(message, "now_ms", &has_now);
    int64_t time_ms = whole(message, "start_ms", &has);
    if (rows > 1024 || (rows > 0 && !has) || llabs(now_ms) > DRIVER_TIME_MAX_MS)
        return false;
    const int64_t start_ms = time_ms, most = INT64_C(1) << 53; /* columns.c */
    if (rows > 0 && (start_ms < -most || start_ms > most))
        return false;
    bool has_column = false;
    for (size_t i = 0; i < side->pair_count; i++) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(side->type, side->pairs[i].field);
        place(message, side->pairs[i].field, &has, &count);
        if (field->label != PROTOBUF_C_LABEL_REPEATED || count == 0)
            continue;
        if (count != rows)
            return false;
        has_column = true;
    }
    for (size_t i = 0; i < rows; i++)
        time_ms += dt_ms[i];
    /* The host looks at times that it is given: of a column, or of "now". */
    if (rows > 0 && (has_column || !has_now) && llabs(time_ms) > DRIVER_TIME_MAX_MS)
        return false;
    if (has_column && start_ms + dt_ms[0] < -DRIVER_TIME_MAX_MS)
        return false;
    whole(message, "boot_id", &has_boot);
    uint64_t sequence = (uint64_t)whole(message, "sequence", &has_sequence);
    uint64_t held_from = (uint64_t)whole(message, "held_from", &has);
    return !has_boot || !has_sequence || (sequence > 0 && held_from <= sequence);
}

static inline void compare(const struct lumbar_plugin *plugin, const struct side *side,
                           const ProtobufCMessage *message, const struct lumbar_batch *batch)
{
    for (size_t i = 0; i < side->pair_count; i++) {
        const struct pair *pair = &side->pairs[i];
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(side->type, pair->field);
        const struct lumbar_series *series = series_of(plugin, batch, pair->metric);
        bool has;
        size_t count;
        const int32_t *at = place(message, pair->field, &has, &count);
        must(has == (series != NULL));
        if (!has)
            continue;
        must(series->count == count);
        for (size_t j = 0; j < count; j++) {
            double value = expected(pair, &plugin->metrics[series->metric], at + j,
                                    field->type == PROTOBUF_C_TYPE_UINT32 ||
                                        field->type == PROTOBUF_C_TYPE_BOOL,
                                    field->label == PROTOBUF_C_LABEL_REPEATED);
            must((isnan(value) && isnan(series->value[j])) || value == series->value[j]);
        }
    }
}

static inline const struct lumbar_plugin *open_plugin(const char *file, struct drivers *drivers)
{
    void *object = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    const struct lumbar_plugin *plugin = object ? dlsym(object, "lumbar_plugin") : NULL;
    struct diag diag = {.code = 0};
    if (plugin == NULL)
        fprintf(stderr, "%s\n", dlerror());
    must(plugin != NULL);
    drivers_init(drivers);
    must(driver_check(plugin, &diag) == 0 && drivers_add(drivers, plugin, &diag) == 0);
    return plugin;
}

/* Does the message, which protobuf-c took, have something that a parser should refuse? protobuf-c
 * 1.4.1 takes field 0 in a tag of several bytes, cuts tags of more than 32 bits, and does not look
 * at the wire type of a bool. */
static inline bool is_lax(const ProtobufCMessageDescriptor *type, const uint8_t *at,
                          const uint8_t *end)
{
    while (at < end) {
        uint64_t tag = 0, length = 0;
        for (unsigned shift = 0; shift == 0 || (at[-1] & 0x80) != 0; shift += 7)
            tag |= (uint64_t)(*at++ & 0x7f) << shift;
        if (tag < 8 || tag > UINT32_MAX)
            return true;
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
        if (field != NULL && field->type == PROTOBUF_C_TYPE_BOOL && (tag & 7) != 0)
            return true;
        switch (tag & 7) {
        case 0:
            while ((*at++ & 0x80) != 0)
                continue;
            break;
        case 1:
            at += 8;
            break;
        case 2:
            for (unsigned shift = 0; shift == 0 || (at[-1] & 0x80) != 0; shift += 7)
                length |= (uint64_t)(*at++ & 0x7f) << shift;
            at += length;
            break;
        default:
            at += 4;
        }
    }
    return false;
}

/* One input: its first byte chooses the side. */
static inline void fuzz_against(struct drivers *drivers, const struct side *sides,
                                size_t side_count, const uint8_t *data, size_t size)
{
    if (size == 0 || size > DRIVER_PAYLOAD_MAX_BYTES)
        return;
    const struct side *side = &sides[data[0] % side_count];
    const struct lumbar_plugin *plugin = drivers->list[0].plugin;
    struct lumbar_message message = {side->leaf, data + 1, size - 1};
    struct decoded out;
    int result = driver_decode(drivers, &drivers->list[0], NULL, &message, &out);
    const struct lumbar_batch batch = out.batch;

    struct lumbar_scratch scratch = {arena, arena + sizeof(arena)};
    ProtobufCAllocator allocator = {arena_alloc, arena_free, &scratch};
    ProtobufCMessage *unpacked =
        protobuf_c_message_unpack(side->type, &allocator, size - 1, data + 1);
    if (unpacked == NULL) {
        must(result == LUMBAR_MALFORMED);
        return;
    }
    if (result == LUMBAR_MALFORMED && is_lax(side->type, data + 1, data + size))
        return;
    must(result == (takes(side, unpacked) ? LUMBAR_DECODED : LUMBAR_MALFORMED));
    if (result == LUMBAR_DECODED)
        compare(plugin, side, unpacked, &batch);
}

#endif
