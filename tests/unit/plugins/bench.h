/*
 * A plugin on the bench: opened as the hub does, fed messages, asked what came out.
 */
#ifndef LUMBAR_TESTS_PLUGINS_BENCH_H
#define LUMBAR_TESTS_PLUGINS_BENCH_H

#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/driver.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct drivers drivers;
static struct lumbar_batch batch;
static uint32_t out_of_range;

static const struct lumbar_plugin *plugin_under_test(void)
{
    return drivers.list[0].plugin;
}

static inline int open_plugin(const char *file)
{
    struct diag diag = {.code = 0};
    void *object = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const struct lumbar_plugin *plugin = object ? dlsym(object, "lumbar_plugin") : NULL;
    if (plugin == NULL) {
        print_error("%s\n", dlerror());
        return -1;
    }
    drivers_init(&drivers);
    if (driver_check(plugin, &diag) == 0 && drivers_add(&drivers, plugin, &diag) == 0)
        return 0;
    print_error("%s\n", diag.text);
    return -1;
}

static inline int close_plugin(void **state)
{
    (void)state;
    drivers_fini(&drivers);
    return 0;
}

/* Decodes a copy of the payload of its own size, so that a sanitizer sees a read beyond it. */
static inline int decode(const char *leaf, const void *payload, size_t bytes)
{
    uint8_t *copy = malloc(bytes + (bytes == 0));
    assert_non_null(copy);
    if (bytes > 0)
        memcpy(copy, payload, bytes);
    struct lumbar_message message = {leaf, copy, bytes};
    struct decoded out;
    int result = driver_decode(&drivers, &drivers.list[0], NULL, &message, &out);
    batch = out.batch;
    out_of_range = out.out_of_range;
    free(copy);
    return result;
}

/* The series of a metric in the batch; NULL if there is none. */
static inline const struct lumbar_series *series_of(const char *metric)
{
    for (uint32_t i = 0; i < batch.series_count; i++)
        if (strcmp(plugin_under_test()->metrics[batch.series[i].metric].name, metric) == 0)
            return &batch.series[i];
    return NULL;
}

/* Is it exactly these values at these times? NaN is equal to NaN here. */
static inline void assert_series(const char *metric, uint32_t count, const double *values,
                                 const int64_t *times)
{
    const struct lumbar_series *series = series_of(metric);
    if (series == NULL || series->count != count) {
        fail_msg("%u values of %s, not %u", series != NULL ? series->count : 0, metric, count);
        return; /* for the analyzer: fail_msg() does not come back */
    }
    for (uint32_t i = 0; i < count; i++) {
        bool both_silent = isnan(values[i]) && isnan(series->value[i]);
        if (!both_silent && !(fabs(series->value[i] - values[i]) < 1e-9))
            fail_msg("%s[%u] is %g, not %g", metric, i, series->value[i], values[i]);
        assert_int_equal(series->time_ms[i], times[i]);
    }
}

/* A metric as it must describe itself. */
struct expected_metric {
    const char *name, *unit;
    enum lumbar_metric_kind kind;
    double min, max;
    uint32_t flags;
};

static inline void assert_metrics(const struct expected_metric *expected, size_t count)
{
    const struct lumbar_plugin *plugin = plugin_under_test();
    assert_int_equal(plugin->metric_count, count);
    for (size_t i = 0; i < count; i++) {
        const struct lumbar_metric *metric = &plugin->metrics[i];
        assert_string_equal(metric->name, expected[i].name);
        assert_string_equal(metric->unit, expected[i].unit);
        assert_int_equal(metric->kind, expected[i].kind);
        assert_true(metric->min == expected[i].min && metric->max == expected[i].max);
        assert_int_equal(metric->flags, expected[i].flags);
    }
}

/* Bytes that are wrong or unusual whatever the kind; those with a result of both kinds' fields
 * 1 boot_id, 2 sequence, 4 now_ms, 6 start_ms, 7 dt_ms, 8 and 9 packed sint32. */
struct wire_case {
    const char *what;
    const char *bytes;
    size_t length;
    int result;
    uint32_t series, rows; /* if decoded: how many, and of how many values the first is */
};

#define WIRE(what, bytes, result, series, rows)                                                    \
    {                                                                                              \
        what, bytes, sizeof(bytes) - 1, result, series, rows                                       \
    }

static const struct wire_case wire_cases[] = {
    WIRE("two rows of one column", "\x30\x00\x3a\x02\x00\x01\x42\x02\x02\x04", LUMBAR_DECODED, 1,
         2),
    WIRE("a column before its rows", "\x42\x02\x02\x04\x3a\x02\x00\x01\x30\x00", LUMBAR_DECODED, 1,
         2),
    WIRE("rows one by one", "\x30\x00\x38\x00\x38\x01\x40\x02\x40\x04", LUMBAR_DECODED, 1, 2),
    WIRE("a column in two pieces", "\x30\x00\x3a\x02\x00\x01\x42\x01\x02\x42\x01\x04",
         LUMBAR_DECODED, 1, 2),
    WIRE("a column packed and one by one", "\x30\x00\x3a\x02\x00\x01\x42\x01\x02\x40\x04",
         LUMBAR_DECODED, 1, 2),
    WIRE("rows in two pieces around their column",
         "\x30\x00\x3a\x01\x00\x42\x02\x02\x04\x3a\x01\x01", LUMBAR_DECODED, 1, 2),
    WIRE("a length in more bytes than it needs", "\x30\x00\x3a\x81\x00\x00\x42\x81\x80\x00\x02",
         LUMBAR_DECODED, 1, 1),
    WIRE("unknown fields of every type",
         "\x30\x00\x3a\x01\x00\xf8\x01\x05\xfa\x01\x02\xff\xff\xf9\x01zzzzzzzz\xfd\x01zzzz\x42\x01"
         "\x02",
         LUMBAR_DECODED, 1, 1),
    WIRE("the greatest field number", "\xf8\xff\xff\xff\x0f\x01", LUMBAR_DECODED, 0, 0),
    WIRE("nothing", "", LUMBAR_DECODED, 0, 0),
    WIRE("empty columns", "\x30\x00\x3a\x00\x42\x00", LUMBAR_DECODED, 0, 0),
    WIRE("rows without a column", "\x30\x00\x3a\x02\x00\x01", LUMBAR_DECODED, 0, 0),
    WIRE("a column of more than the rows", "\x30\x00\x3a\x02\x00\x01\x42\x03\x02\x04\x06",
         LUMBAR_MALFORMED, 0, 0),
    WIRE("a column of fewer", "\x30\x00\x3a\x02\x00\x01\x42\x01\x02", LUMBAR_MALFORMED, 0, 0),
    WIRE("a column without rows", "\x42\x01\x02", LUMBAR_MALFORMED, 0, 0),
    WIRE("rows without a start", "\x3a\x01\x00\x42\x01\x02", LUMBAR_MALFORMED, 0, 0),
    WIRE("a start at the end of time", "\x30\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x3a\x01\x01",
         LUMBAR_MALFORMED, 0, 0),
    WIRE("a start before the beginning", "\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x3a\x01\x01",
         LUMBAR_MALFORMED, 0, 0),
    WIRE("a torn tag", "\x80", LUMBAR_MALFORMED, 0, 0),
    WIRE("a torn varint", "\x10\x80", LUMBAR_MALFORMED, 0, 0),
    WIRE("a varint of 11 bytes", "\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
         LUMBAR_MALFORMED, 0, 0),
    WIRE("a torn fixed64", "\x09\x01\x02\x03\x04\x05\x06\x07", LUMBAR_MALFORMED, 0, 0),
    WIRE("a torn fixed32", "\xfd\x01zzz", LUMBAR_MALFORMED, 0, 0),
    WIRE("a torn column", "\x30\x00\x3a\x05\x00", LUMBAR_MALFORMED, 0, 0),
    WIRE("a column that ends inside a value", "\x30\x00\x3a\x01\x00\x42\x01\x80", LUMBAR_MALFORMED,
         0, 0),
    WIRE("a length beyond everything", "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
         LUMBAR_MALFORMED, 0, 0),
    WIRE("field 0", "\x00\x01", LUMBAR_MALFORMED, 0, 0),
    WIRE("a group", "\x0b\x0c", LUMBAR_MALFORMED, 0, 0),
    WIRE("a type that was never defined", "\x0e", LUMBAR_MALFORMED, 0, 0),
    WIRE("a boot id of another type", "\x08\x01", LUMBAR_MALFORMED, 0, 0),
    WIRE("a column of another type", "\x41zzzzzzzz", LUMBAR_MALFORMED, 0, 0),
    WIRE("sequence 0", "\x09\x01\x00\x00\x00\x00\x00\x00\x00\x10\x00", LUMBAR_MALFORMED, 0, 0),
};

static inline void assert_wire_cases(void)
{
    for (size_t i = 0; i < COUNT(wire_cases); i++) {
        const struct wire_case *at = &wire_cases[i];
        int result = decode("telemetry", at->bytes, at->length);
        uint32_t rows = batch.series_count > 0 ? batch.series[0].count : 0;
        if (result != at->result || batch.series_count != at->series || rows != at->rows)
            fail_msg("%s: %d, %u series of %u", at->what, result, batch.series_count, rows);
    }
}

#endif
