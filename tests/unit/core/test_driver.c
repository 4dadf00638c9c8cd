/* A plugin's tables against the contract, its metrics by name, and what it decodes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/driver.h"
#include "core/topic.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

enum { LEVEL, MODE, TURNS, ALERT, METRIC_COUNT };

/* What the plugin under test does; decode() has no other way to be told. */
static int (*script)(struct lumbar_scratch *scratch, struct lumbar_batch *batch);

static int decode(void *state, const struct lumbar_message *message, struct lumbar_scratch *scratch,
                  struct lumbar_batch *batch)
{
    (void)state;
    (void)message;
    return script(scratch, batch);
}

/* A good plugin with one metric of each kind, writable. */
struct subject {
    struct lumbar_plugin plugin;
    struct lumbar_metric metrics[METRIC_COUNT];
    struct lumbar_golden golden[1];
    const char *modes[LUMBAR_LABELS_MAX + 3], *alerts[3], *leaves[20];
    char long_text[300];
};

static void make_subject(struct subject *s, const char *kind, const char *topic)
{
    *s = (struct subject){
        .metrics = {[LEVEL] = {"level", "Level", "mm", LUMBAR_GAUGE, LUMBAR_KEY, 0, 100, 1, 1000,
                               NULL, NULL},
                    [MODE] = {"mode", "Mode", "1", LUMBAR_STATE, 0, 0, 2, 0, 5000, s->modes, NULL},
                    [TURNS] = {"turns", "Turns", "1", LUMBAR_COUNTER, 0, 0, 1e9, 0, 1000, NULL,
                               NULL},
                    [ALERT] = {"alert", "Alert", "1", LUMBAR_EVENT, 0, 0, 1, 0, 0, s->alerts,
                               "LOINC 1-8"}},
        .golden = {{"telemetry", (const uint8_t *)"x", 1, "level", 1, 5}},
        .modes = {"off", "low", "high"},
        .alerts = {"stall", "heat"},
        .leaves = {"telemetry", "status"},
    };
    memset(s->long_text, 'a', sizeof(s->long_text)); /* has no end */
    s->plugin = (struct lumbar_plugin){
        .abi = LUMBAR_PLUGIN_ABI,
        .size = sizeof(struct lumbar_plugin),
        .metric_bytes = sizeof(struct lumbar_metric),
        .golden_bytes = sizeof(struct lumbar_golden),
        .kind = kind,
        .title = "Pump",
        .version = "1.0",
        .topic = topic,
        .leaves = s->leaves,
        .metrics = s->metrics,
        .metric_count = METRIC_COUNT,
        .golden = s->golden,
        .golden_count = 1,
        .decode = decode,
    };
}

/* name, what is done to a good plugin, the sentence ("" for none) */
#define BREACHES(X)                                                                                \
    X(nothing, (void)s, "")                                                                        \
    X(abi, s->plugin.abi = 2, "built for plugin ABI 2, this hub speaks 1")                         \
    X(short_struct, s->plugin.size = 96, "struct lumbar_plugin is short: 96 bytes, not 112")       \
    X(longer_struct, s->plugin.size = 200, "")                                                     \
    X(metric_size, s->plugin.metric_bytes = 64, "struct lumbar_metric is of 64 bytes, not 72")     \
    X(golden_size, s->plugin.golden_bytes = 1, "struct lumbar_golden is of 1 bytes, not 48")       \
    X(no_kind, s->plugin.kind = NULL, "the kind is not a name ([a-z][a-z0-9_]*, 1 to 47)")         \
    X(upper_kind, s->plugin.kind = "Pump", "the kind is not a name ([a-z][a-z0-9_]*, 1 to 47)")    \
    X(endless_kind, s->plugin.kind = s->long_text,                                                 \
      "the kind is not a name ([a-z][a-z0-9_]*, 1 to 47)")                                         \
    X(no_title, s->plugin.title = "", "plugin pump has no title of 1 to 79 bytes")                 \
    X(terminal_title, s->plugin.title = "\033[2J", "plugin pump has no title of 1 to 79 bytes")    \
    X(endless_version, s->plugin.version = s->long_text,                                           \
      "plugin pump has no version of 1 to 79 bytes")                                               \
    X(no_topic, s->plugin.topic = NULL, "the topic pattern is empty")                              \
    X(bad_topic, s->plugin.topic = "a/{leaf}",                                                     \
      "the topic pattern \"a/{leaf}\" must have {device} once")                                    \
    X(no_leaves, s->plugin.leaves = NULL, "plugin pump hears no leaf")                             \
    X(empty_leaves, s->leaves[0] = NULL, "plugin pump hears no leaf")                              \
    X(no_leaf_level, s->plugin.topic = "a/{device}",                                               \
      "the topic of plugin pump has no {leaf}, so its one leaf must be \"\"")                      \
    X(empty_leaf, s->leaves[1] = "", "leaf 1 of plugin pump is not 1 to 47 of A-Z a-z 0-9 _ - .")  \
    X(leaf_with_slash, s->leaves[1] = "a/b",                                                       \
      "leaf 1 of plugin pump is not 1 to 47 of A-Z a-z 0-9 _ - .")                                 \
    X(endless_leaf, s->leaves[1] = s->long_text,                                                   \
      "leaf 1 of plugin pump is not 1 to 47 of A-Z a-z 0-9 _ - .")                                 \
    X(ack_leaf, s->leaves[1] = "ack",                                                              \
      "plugin pump hears the leaf ack, which is what the hub says")                                \
    X(doubled_leaf, s->leaves[1] = "telemetry", "plugin pump hears the leaf telemetry twice")      \
    X(many_leaves, for (unsigned i = 0; i < 20; i++) s->leaves[i] = &"abcdefghijklmnopqrst"[i],    \
      "plugin pump hears more than 16 leaves, or the list does not end")                           \
    X(no_metrics, s->plugin.metrics = NULL, "plugin pump has no metrics")                          \
    X(zero_metrics, s->plugin.metric_count = 0, "plugin pump has no metrics")                      \
    X(many_metrics, s->plugin.metric_count = 65, "plugin pump has 65 metrics; at most 64")         \
    X(nameless_metric, s->metrics[MODE].name = NULL,                                               \
      "metric 1 of plugin pump has a bad name ([a-z][a-z0-9_]*, 1 to 47)")                         \
    X(bad_metric_name, s->metrics[MODE].name = "2x",                                               \
      "metric 1 of plugin pump has a bad name ([a-z][a-z0-9_]*, 1 to 47)")                         \
    X(endless_metric_name, s->metrics[MODE].name = s->long_text,                                   \
      "metric 1 of plugin pump has a bad name ([a-z][a-z0-9_]*, 1 to 47)")                         \
    X(doubled_metric, s->metrics[MODE].name = "level",                                             \
      "two metrics of plugin pump are called level")                                               \
    X(untitled_metric, s->metrics[LEVEL].title = "", "metric level has no title of 1 to 79 bytes") \
    X(no_unit, s->metrics[LEVEL].unit = NULL,                                                      \
      "the unit of metric level is no UCUM unit (\"1\" where there is none)")                      \
    X(degree_sign, s->metrics[LEVEL].unit = "\xc2\xb0",                                            \
      "the unit of metric level is no UCUM unit (\"1\" where there is none)")                      \
    X(kind_9, s->metrics[LEVEL].kind = (enum lumbar_metric_kind)9,                                 \
      "metric level is of an unknown kind (9)")                                                    \
    X(flag_4, s->metrics[LEVEL].flags = 4, "metric level has unknown flags (0x4)")                 \
    X(empty_range, s->metrics[LEVEL].max = 0, "the range of metric level is empty: 0 to 0")        \
    X(turned_range, s->metrics[LEVEL].min = 200, "the range of metric level is empty: 200 to 100") \
    X(nan_range, s->metrics[LEVEL].min = NAN, "the range of metric level is not finite")           \
    X(infinite_range, s->metrics[LEVEL].max = INFINITY, "the range of metric level is not finite") \
    X(too_wide_range, (s->metrics[LEVEL].min = -1e308, s->metrics[LEVEL].max = 1e308),             \
      "the range of metric level is not finite")                                                   \
    X(decimals, s->metrics[LEVEL].decimals = 7, "metric level says 7 decimals; at most 6")         \
    X(counter_from_5, s->metrics[TURNS].min = 5,                                                   \
      "metric turns is a counter, so its range must begin at 0, not 5")                            \
    X(no_period, s->metrics[MODE].period_ms = 0,                                                   \
      "metric mode has no period; only events have none")                                          \
    X(event_period, s->metrics[ALERT].period_ms = 1,                                               \
      "metric alert is an event, so its period must be 0")                                         \
    X(gauge_labels, s->metrics[LEVEL].labels = s->modes,                                           \
      "metric level has labels, but is neither a state nor an event")                              \
    X(no_labels, s->metrics[MODE].labels = NULL,                                                   \
      "metric mode is a state or an event and has no labels")                                      \
    X(no_label, s->modes[0] = NULL, "metric mode is a state or an event and has no labels")        \
    X(endless_labels, for (unsigned i = 0; i < COUNT(s->modes); i++) s->modes[i] = "x",            \
      "metric mode has more than 64 labels, or its list does not end with NULL")                   \
    X(bad_label, s->modes[2] = "high!",                                                            \
      "label 2 of metric mode is not a name ([a-z][a-z0-9_]*, 1 to 47)")                           \
    X(doubled_label, s->modes[2] = "off", "label \"off\" of metric mode is there twice")           \
    X(label_range, s->metrics[MODE].max = 3,                                                       \
      "metric mode has 3 labels, so its range must be 0 to 2, not 0 to 3")                         \
    X(endless_code, s->metrics[ALERT].code = s->long_text,                                         \
      "the code of metric alert is not 1 to 63 bytes of text")                                     \
    X(no_golden, s->plugin.golden_count = 0,                                                       \
      "plugin pump has no golden message to test itself with")                                     \
    X(many_golden, s->plugin.golden_count = 257,                                                   \
      "plugin pump has 257 golden messages; at most 256")                                          \
    X(golden_leaf, s->golden[0].leaf = "ack",                                                      \
      "golden message 0 of plugin pump is on a leaf that it does not hear")                        \
    X(golden_payload, s->golden[0].payload = NULL,                                                 \
      "golden message 0 of plugin pump has no payload of at most 16384 bytes")                     \
    X(golden_large, s->golden[0].payload_bytes = 16385,                                            \
      "golden message 0 of plugin pump has no payload of at most 16384 bytes")                     \
    X(golden_metric, s->golden[0].metric = "depth",                                                \
      "golden message 0 of plugin pump expects no value of a metric it has")                       \
    X(golden_count, s->golden[0].count = 0,                                                        \
      "golden message 0 of plugin pump expects no value of a metric it has")                       \
    X(state_size, s->plugin.state_bytes = 65537,                                                   \
      "plugin pump wants 65537 bytes of state a device; at most 65536")                            \
    X(no_decode, s->plugin.decode = NULL, "plugin pump has no decode function")

#define X(name, breach, sentence)                                                                  \
    static void breach_##name(struct subject *s)                                                   \
    {                                                                                              \
        breach;                                                                                    \
    }
BREACHES(X)
#undef X

static void each_breach_of_the_contract_has_its_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*breach)(struct subject *s);
        const char *sentence;
    } cases[] = {
#define X(name, breach, sentence) {#name, breach_##name, sentence},
        BREACHES(X)
#undef X
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct subject *subject = malloc(sizeof(*subject)); /* so that a sanitizer sees its ends */
        assert_non_null(subject);
        make_subject(subject, "pump", "lumbar/v1/pump/{device}/{leaf}");
        cases[i].breach(subject);
        struct diag diag = {.code = 0};
        int code = driver_check(&subject->plugin, &diag);
        if (strcmp(diag.text, cases[i].sentence) != 0 || (code == 0) != (diag.text[0] == '\0'))
            fail_msg("%s: \"%s\", not \"%s\"", cases[i].name, diag.text, cases[i].sentence);
        free(subject);
    }
}

static void units_are_ucum_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *unit;
        bool good;
    } cases[] = {
        {"1", true},
        {"%", true},
        {"deg", true},
        {"deg/s", true},
        {"Cel", true},
        {"kPa", true},
        {"dB{mW}", true},
        {"m/s2", true},
        {"mm[Hg]", true},
        {"10*3/uL", true},
        {"/min", true},
        {"(m.s-1)/K", true},
        {"{beats}/min", true},
        {"", false},
        {"deg C", false},
        {"\xc2\xb0"
         "C",
         false},
        {"mm[Hg", false},
        {"mm]Hg", false},
        {"{a[b}", false},
        {"((m)", false},
        {"m)(", false},
        {"m\n", false},
        {"*m", false},
        {"a;b", false},
        {"12345678901234567890123456789012", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct subject subject;
        make_subject(&subject, "pump", "lumbar/v1/pump/{device}/{leaf}");
        subject.metrics[LEVEL].unit = cases[i].unit;
        struct diag diag = {.code = 0};
        if ((driver_check(&subject.plugin, &diag) == 0) != cases[i].good)
            fail_msg("\"%s\": %s", cases[i].unit, diag.text);
    }
}

/* Two kinds of which both have every metric, and one that has another. */
struct ward {
    struct subject pump, valve, probe;
    struct drivers drivers;
};

static struct ward ward;

static int open_ward(void **state)
{
    (void)state;
    make_subject(&ward.pump, "pump", "lumbar/v1/pump/{device}/{leaf}");
    make_subject(&ward.valve, "valve", "acme/{device}");
    make_subject(&ward.probe, "probe", "acme/{device}/{leaf}");
    ward.valve.leaves[0] = "";
    ward.valve.leaves[1] = NULL;
    ward.valve.golden[0].leaf = "";
    ward.probe.plugin.metric_count = 1;
    ward.probe.metrics[0].name = "skin_temperature";
    ward.probe.golden[0].metric = "skin_temperature";
    drivers_init(&ward.drivers);
    struct diag diag = {.code = 0};
    const struct subject *subjects[] = {&ward.pump, &ward.valve, &ward.probe};
    for (size_t i = 0; i < COUNT(subjects); i++)
        if (driver_check(&subjects[i]->plugin, &diag) != 0 ||
            drivers_add(&ward.drivers, &subjects[i]->plugin, &diag) != 0)
            return -1;
    return 0;
}

static int close_ward(void **state)
{
    (void)state;
    drivers_fini(&ward.drivers);
    return 0;
}

static void a_kind_is_there_once_and_there_are_at_most_16(void **state)
{
    (void)state;
    struct diag diag = {.code = 0};
    assert_int_equal(drivers_add(&ward.drivers, &ward.pump.plugin, &diag), ERR_PLUGIN);
    assert_string_equal(diag.text,
                        "a plugin of kind pump is there already (\"Pump\", version 1.0)");
    struct subject more[DRIVERS_MAX];
    char kinds[DRIVERS_MAX][4], topics[DRIVERS_MAX][32];
    for (uint32_t i = 3; i < DRIVERS_MAX; i++) {
        snprintf(kinds[i], sizeof(kinds[i]), "k%c", (char)('a' + i));
        snprintf(topics[i], sizeof(topics[i]), "%s/{device}/{leaf}", kinds[i]);
        make_subject(&more[i], kinds[i], topics[i]);
        assert_int_equal(drivers_add(&ward.drivers, &more[i].plugin, &diag), 0);
    }
    make_subject(&more[0], "last", "last/{device}/{leaf}");
    assert_int_equal(drivers_add(&ward.drivers, &more[0].plugin, &diag), ERR_FULL);
    assert_int_equal(ward.drivers.count, DRIVERS_MAX);
}

static void a_topic_finds_its_driver_and_the_plugins_own_leaf(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        size_t bytes;
        const char *kind, *device, *leaf; /* kind NULL: nobody's */
    } cases[] = {
        {"lumbar/v1/pump/a/telemetry", 26, "pump", "a", "telemetry"},
        {"lumbar/v1/pump/a/status", 23, "pump", "a", "status"},
        {"lumbar/v1/pump/a/ack", 20, NULL, NULL, NULL}, /* a leaf it does not hear */
        {"lumbar/v1/pump/a/stat", 21, NULL, NULL, NULL},
        {"lumbar/v1/pump/a/status\0xxxxxxxx", 32, NULL, NULL, NULL},
        {"lumbar/v1/pumps/a/status", 24, NULL, NULL, NULL},
        {"acme/b", 6, "valve", "b", ""},
        {"acme/b/status", 13, "probe", "b", "status"}, /* the second that begins so */
        {"", 0, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct topic topic;
        const struct driver *driver =
            drivers_match(&ward.drivers, cases[i].topic, cases[i].bytes, &topic);
        assert_int_equal(driver != NULL, cases[i].kind != NULL);
        if (driver == NULL)
            continue;
        assert_string_equal(driver->plugin->kind, cases[i].kind);
        assert_int_equal(topic.device_bytes, strlen(cases[i].device));
        assert_memory_equal(topic.device, cases[i].device, topic.device_bytes);
        assert_string_equal(topic.leaf, cases[i].leaf); /* terminated, though the topic is not */
    }
}

static void metrics_are_numbered_through_all_drivers(void **state)
{
    (void)state;
    const struct driver *driver = NULL;
    assert_int_equal(ward.drivers.metric_count, 2 * METRIC_COUNT + 1);
    assert_ptr_equal(drivers_metric(&ward.drivers, 0, &driver), &ward.pump.metrics[0]);
    assert_int_equal(driver->index, 0);
    assert_ptr_equal(drivers_metric(&ward.drivers, METRIC_COUNT + MODE, &driver),
                     &ward.valve.metrics[MODE]);
    assert_int_equal(driver->index, 1);
    assert_ptr_equal(drivers_metric(&ward.drivers, 2 * METRIC_COUNT, NULL), &ward.probe.metrics[0]);
    assert_null(drivers_metric(&ward.drivers, 2 * METRIC_COUNT + 1, NULL));
    assert_null(drivers_metric(&ward.drivers, UINT32_MAX, NULL));
}

static void a_kind_is_given_metrics_that_the_hub_makes(void **state)
{
    (void)state;
    const struct lumbar_metric more = {
        .name = "loss", .title = "Loss", .unit = "%", .max = 100, .period_ms = 5000};
    const struct driver *driver = NULL;
    struct diag diag = {0};
    assert_int_equal(drivers_extend(&ward.drivers, 0, &more, &diag), 0);
    assert_int_equal(ward.drivers.metric_count, 2 * METRIC_COUNT + 2);
    const struct lumbar_metric *found = drivers_metric(&ward.drivers, METRIC_COUNT, &driver);
    assert_string_equal(found->name, "loss");
    assert_int_equal(driver->index, 0);
    assert_string_equal(drivers_metric(&ward.drivers, 1, NULL)->name, ward.pump.metrics[1].name);
    assert_ptr_equal(drivers_metric(&ward.drivers, METRIC_COUNT + 1 + MODE, &driver),
                     &ward.valve.metrics[MODE]); /* those behind it moved */
    assert_int_equal(drivers_find(&ward.drivers, "loss", &diag), METRIC_COUNT);
    assert_int_equal(drivers_extend(&ward.drivers, 0, &more, &diag), ERR_CONFLICT);
    diag = (struct diag){0};
    char names[DRIVER_METRICS_MAX][8];
    for (unsigned i = 0; i < DRIVER_METRICS_MAX; i++) {
        struct lumbar_metric each = more;
        snprintf(names[i], sizeof(names[i]), "m%u", i);
        each.name = names[i];
        int code = drivers_extend(&ward.drivers, 1, &each, &diag);
        assert_int_equal(code, i < DRIVER_METRICS_MAX - METRIC_COUNT ? 0 : ERR_LIMIT);
    }
}

static void metrics_are_found_by_a_name_that_is_not_ambiguous(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t metric;
        const char *sentence;
    } cases[] = {
        {"skin_temperature", 2 * METRIC_COUNT, ""},
        {"pump/mode", MODE, ""},
        {"valve/mode", METRIC_COUNT + MODE, ""},
        {"mode", -1, "\"mode\" is a metric of two kinds of device: say pump/mode or valve/mode"},
        {"skin_temprature", -1,
         "there is no metric \"skin_temprature\"; did you mean \"skin_temperature\"?"},
        {"qqqqqqqq", -1, "there is no metric \"qqqqqqqq\""},
        {"pump/mod", -1, "there is no pump metric \"mod\"; did you mean \"mode\"?"},
        {"pomp/mode", -1, "there is no kind of device \"pomp\"; did you mean \"pump\"?"},
        {"pump/", -1, "there is no pump metric \"\""},
        {"/mode", -1, "there is no kind of device \"\""},
        {"", -1, "there is no metric \"\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct diag diag = {.code = 0};
        int64_t metric = drivers_find(&ward.drivers, cases[i].name, &diag);
        assert_string_equal(diag.text, cases[i].sentence);
        assert_int_equal(metric, cases[i].metric);
    }
}

static void a_kind_longer_than_any_is_unknown_and_cut(void **state)
{
    (void)state;
    char name[400];
    memset(name, 'k', sizeof(name));
    memcpy(name + sizeof(name) - 6, "/mode", 6);
    struct diag diag = {.code = 0};
    assert_int_equal(drivers_find(&ward.drivers, name, &diag), -1);
    assert_non_null(strstr(diag.text, "there is no kind of device \"kkkk"));
}

static void values_are_stale_after_3_periods_and_offline_after_10(void **state)
{
    (void)state;
    static const struct {
        uint32_t period_ms;
        int64_t stale_ms, offline_ms;
    } cases[] = {
        {0, 0, 0},         /* an event is never */
        {1, 2000, 2000},   /* 2 s at least */
        {100, 2000, 2000}, /* offline never before stale */
        {1000, 3000, 10000}, {UINT32_MAX, 12884901885, 42949672950},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lumbar_metric metric = {.period_ms = cases[i].period_ms};
        assert_int_equal(metric_stale_ms(&metric), cases[i].stale_ms);
        assert_int_equal(metric_offline_ms(&metric), cases[i].offline_ms);
    }
}

static void values_survive_16_bits_to_half_a_step(void **state)
{
    (void)state;
    const struct lumbar_metric *level = &ward.pump.metrics[LEVEL];
    assert_int_equal(metric_quantise(level, 0), 0);
    assert_int_equal(metric_quantise(level, 100), METRIC_NONE - 1);
    for (double value = 0; value <= 100; value += 0.37)
        assert_true(fabs(metric_value(level, metric_quantise(level, value)) - value) <=
                    metric_step(level) / 2 + 1e-12);
    static const double none[] = {NAN, -0.001, 100.001, INFINITY, -INFINITY};
    for (size_t i = 0; i < COUNT(none); i++)
        assert_int_equal(metric_quantise(level, none[i]), METRIC_NONE);
    assert_true(isnan(metric_value(level, METRIC_NONE)));
    for (unsigned label = 0; label < 3; label++) {
        assert_int_equal(metric_quantise(&ward.pump.metrics[MODE], label), label);
        assert_true(metric_value(&ward.pump.metrics[MODE], (uint16_t)label) == label);
    }
}

/* Scripts: what decode() does. Each makes a good batch of two series and breaks one thing. */
struct made {
    struct lumbar_series *series;
    int64_t *times;
    double *level, *mode;
};

static struct made make_batch(struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    struct made made;
    made.series = lumbar_scratch_alloc(scratch, 4 * sizeof(*made.series));
    made.times = lumbar_scratch_alloc(scratch, 3 * sizeof(*made.times));
    made.level = lumbar_scratch_alloc(scratch, 3 * sizeof(*made.level));
    made.mode = lumbar_scratch_alloc(scratch, 3 * sizeof(*made.mode));
    for (int i = 0; i < 3; i++) {
        made.times[i] = 1000 + i;
        made.level[i] = 10 + i;
        made.mode[i] = i;
    }
    made.series[0] = (struct lumbar_series){LEVEL, 3, made.times, made.level};
    made.series[1] = (struct lumbar_series){MODE, 3, made.times, made.mode};
    batch->series = made.series;
    batch->series_count = 2;
    batch->now_ms = 1002;
    return made;
}

static const int64_t outside_times[3];
static const uint8_t byte;

/* name, what is broken, result, values out of range */
#define SCRIPTS(X)                                                                                 \
    X(nothing, (void)m, LUMBAR_DECODED, 0)                                                         \
    X(no_series, batch->series_count = 0, LUMBAR_DECODED, 0)                                       \
    X(unknown_metric, m.series[1].metric = METRIC_COUNT, LUMBAR_MALFORMED, 0)                      \
    X(huge_metric, m.series[1].metric = UINT32_MAX, LUMBAR_MALFORMED, 0)                           \
    X(no_values, m.series[1].count = 0, LUMBAR_MALFORMED, 0)                                       \
    X(more_than_the_arena, m.series[1].count = UINT32_MAX, LUMBAR_MALFORMED, 0)                    \
    X(more_values_than_16384, m.series[1].count = 16382, LUMBAR_MALFORMED, 0)                      \
    X(metric_twice, m.series[1].metric = LEVEL, LUMBAR_MALFORMED, 0)                               \
    X(more_series_than_metrics, batch->series_count = 5, LUMBAR_MALFORMED, 0)                      \
    X(null_series, batch->series = NULL, LUMBAR_MALFORMED, 0)                                      \
    X(falling_times, m.times[2] = 1000, LUMBAR_MALFORMED, 0)                                       \
    X(equal_times, m.times[1] = 1000, LUMBAR_DECODED, 0)                                           \
    X(endless_time, m.times[2] = INT64_MAX, LUMBAR_MALFORMED, 0)                                   \
    X(time_of_the_beginning, m.times[0] = INT64_MIN, LUMBAR_MALFORMED, 0)                          \
    X(relative_times, (m.times[0] = -200, m.times[1] = -100, m.times[2] = 0), LUMBAR_DECODED, 0)   \
    X(times_outside, m.series[1].time_ms = outside_times, LUMBAR_MALFORMED, 0)                     \
    X(null_times, m.series[1].time_ms = NULL, LUMBAR_MALFORMED, 0)                                 \
    X(null_values, m.series[1].value = NULL, LUMBAR_MALFORMED, 0)                                  \
    X(misaligned, m.series[1].value = (double *)(void *)((char *)m.mode + 4), LUMBAR_MALFORMED, 0) \
    X(before_the_arena, m.series[0].value = (double *)(void *)((char *)ward.drivers.arena - 8),    \
      LUMBAR_MALFORMED, 0)                                                                         \
    X(behind_the_arena,                                                                            \
      m.series[0].value =                                                                          \
          (double *)(void *)((char *)ward.drivers.arena + DRIVER_ARENA_BYTES - 16),                \
      LUMBAR_MALFORMED, 0)                                                                         \
    X(series_behind_the_arena,                                                                     \
      batch->series =                                                                              \
          (struct lumbar_series *)(void *)((char *)ward.drivers.arena + DRIVER_ARENA_BYTES - 24),  \
      LUMBAR_MALFORMED, 0)                                                                         \
    X(silent, m.level[1] = NAN, LUMBAR_DECODED, 0)                                                 \
    X(too_much, m.level[1] = 100.01, LUMBAR_DECODED, 1)                                            \
    X(too_little, m.level[1] = -0.01, LUMBAR_DECODED, 1)                                           \
    X(infinite, (m.level[0] = INFINITY, m.level[1] = -INFINITY), LUMBAR_DECODED, 2)                \
    X(no_such_label, m.mode[1] = 3, LUMBAR_DECODED, 1)                                             \
    X(half_a_label, m.mode[1] = 0.5, LUMBAR_DECODED, 1)                                            \
    X(label_below, m.mode[1] = -1, LUMBAR_DECODED, 1)                                              \
    X(label_unknown, m.mode[1] = NAN, LUMBAR_DECODED, 0)                                           \
    X(flags, batch->flags = 4, LUMBAR_MALFORMED, 0)                                                \
    X(sequence_0, batch->flags = LUMBAR_HAS_SEQUENCE, LUMBAR_MALFORMED, 0)                         \
    X(holds_the_future,                                                                            \
      (batch->flags = LUMBAR_HAS_SEQUENCE, batch->sequence = 5, batch->held_from = 6),             \
      LUMBAR_MALFORMED, 0)                                                                         \
    X(holds_itself,                                                                                \
      (batch->flags = LUMBAR_HAS_SEQUENCE, batch->sequence = 5, batch->held_from = 5),             \
      LUMBAR_DECODED, 0)                                                                           \
    X(now_beyond, batch->now_ms = DRIVER_TIME_MAX_MS + 1, LUMBAR_MALFORMED, 0)                     \
    X(now_before, batch->now_ms = INT64_MIN, LUMBAR_MALFORMED, 0)                                  \
    X(command, (batch->command_leaf = "set", batch->command = &byte, batch->command_bytes = 1),    \
      LUMBAR_DECODED, 0)                                                                           \
    X(command_elsewhere, batch->command_leaf = "../x", LUMBAR_MALFORMED, 0)                        \
    X(command_of_nothing, (batch->command_leaf = "set", batch->command_bytes = 1),                 \
      LUMBAR_MALFORMED, 0)                                                                         \
    X(command_too_large,                                                                           \
      (batch->command_leaf = "set", batch->command = &byte, batch->command_bytes = 1025),          \
      LUMBAR_MALFORMED, 0)                                                                         \
    X(command_to_itself, batch->command_leaf = "status", LUMBAR_MALFORMED, 0)                      \
    X(command_in_the_hubs_name, batch->command_leaf = "ack", LUMBAR_MALFORMED, 0)

#define X(name, break_it, result, out_of_range)                                                    \
    static int script_##name(struct lumbar_scratch *scratch, struct lumbar_batch *batch)           \
    {                                                                                              \
        struct made m = make_batch(scratch, batch);                                                \
        break_it;                                                                                  \
        (void)m;                                                                                   \
        return LUMBAR_DECODED;                                                                     \
    }
SCRIPTS(X)
#undef X

static const struct lumbar_message any_message = {"telemetry", (const uint8_t *)"x", 1};

/* Counts what is NaN, and holds the extent against the values that are not. */
static uint32_t count_silent(const struct lumbar_series *series, const struct extent *extent)
{
    uint32_t silent = 0;
    double min = INFINITY, max = -INFINITY;
    for (uint32_t k = 0; k < series->count; k++) {
        silent += isnan(series->value[k]) != 0;
        min = fmin(min, series->value[k]); /* of a number and NaN it is the number */
        max = fmax(max, series->value[k]);
    }
    assert_true(extent->min == min && extent->max == max && extent->known == (silent == 0));
    return silent;
}

static void what_a_plugin_decodes_is_checked_before_it_is_used(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int (*script)(struct lumbar_scratch *scratch, struct lumbar_batch *batch);
        int result;
        uint32_t out_of_range;
    } cases[] = {
#define X(name, break_it, result, out_of_range) {#name, script_##name, result, out_of_range},
        SCRIPTS(X)
#undef X
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct decoded out = {.out_of_range = 99};
        script = cases[i].script;
        int result = driver_decode(&ward.drivers, &ward.drivers.list[0], NULL, &any_message, &out);
        if (result != cases[i].result || out.out_of_range != cases[i].out_of_range)
            fail_msg("%s: %d, %u out of range", cases[i].name, result, out.out_of_range);
        if (result != LUMBAR_DECODED)
            assert_int_equal(out.batch.series_count, 0);
        uint32_t silent = 0;
        for (uint32_t j = 0; j < out.batch.series_count; j++)
            silent += count_silent(&out.batch.series[j], &out.extents[j]);
        bool said_nan =
            strcmp(cases[i].name, "silent") == 0 || strcmp(cases[i].name, "label_unknown") == 0;
        assert_int_equal(silent, cases[i].out_of_range + said_nan);
    }
}

/* The level's values are also the times of both: 1000, 1001, 1002 as integers are tiny numbers. */
static int script_overlap(struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    struct made made = make_batch(scratch, batch);
    made.times[2] = INT64_C(0x4059100000000000); /* 100.25 as a double; far beyond as a time */
    made.times[0] = made.times[1] = 0;
    made.series[0].value = (const double *)(const void *)made.times;
    made.series[0].time_ms = made.series[1].time_ms = lumbar_scratch_alloc(scratch, 24);
    memset((void *)(uintptr_t)made.series[0].time_ms, 0, 24);
    made.series[1].value = (const double *)(const void *)made.times; /* and the modes too */
    return LUMBAR_DECODED;
}

static void mending_one_series_does_not_change_what_another_shares(void **state)
{
    (void)state;
    struct decoded out;
    script = script_overlap;
    assert_int_equal(driver_decode(&ward.drivers, &ward.drivers.list[0], NULL, &any_message, &out),
                     LUMBAR_DECODED);
    assert_int_equal(out.out_of_range, 2); /* one of each, though they were the same array */
    const struct lumbar_series *series = out.batch.series;
    assert_ptr_not_equal(series[0].value, series[1].value);
    assert_true(isnan(series[0].value[2]) && isnan(series[1].value[2]));
}

static int script_ignore(struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    make_batch(scratch, batch);
    return LUMBAR_IGNORED;
}

static int script_malformed(struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    make_batch(scratch, batch);
    return LUMBAR_MALFORMED;
}

static int script_result_7(struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    make_batch(scratch, batch);
    return 7;
}

/* Asks the arena for all that it has, in pieces, and for more. */
static int script_devour(struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    (void)batch;
    size_t total = 0;
    if (lumbar_scratch_alloc(scratch, SIZE_MAX) != NULL)
        return 7;
    for (void *piece; (piece = lumbar_scratch_alloc(scratch, 1000)) != NULL; total += 1000)
        memset(piece, 0xff, 1000);
    return total <= DRIVER_ARENA_BYTES && total > DRIVER_ARENA_BYTES - 10000 ? LUMBAR_IGNORED : 7;
}

static void what_was_not_decoded_leaves_an_empty_batch(void **state)
{
    (void)state;
    static const struct {
        int (*script)(struct lumbar_scratch *scratch, struct lumbar_batch *batch);
        int result;
    } cases[] = {
        {script_ignore, LUMBAR_IGNORED},
        {script_malformed, LUMBAR_MALFORMED},
        {script_result_7, LUMBAR_MALFORMED}, /* what the contract does not know */
        {script_devour, LUMBAR_IGNORED},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct decoded out;
        script = cases[i].script;
        assert_int_equal(
            driver_decode(&ward.drivers, &ward.drivers.list[0], NULL, &any_message, &out),
            cases[i].result);
        assert_int_equal(out.batch.series_count, 0);
        assert_null(out.batch.series);
    }
}

static void a_payload_beyond_16_kib_reaches_no_plugin(void **state)
{
    (void)state;
    static const uint8_t payload[DRIVER_PAYLOAD_MAX_BYTES + 1];
    struct lumbar_message message = {"telemetry", payload, sizeof(payload)};
    struct decoded out;
    script = NULL; /* would crash */
    assert_int_equal(driver_decode(&ward.drivers, &ward.drivers.list[0], NULL, &message, &out),
                     LUMBAR_MALFORMED);
}

#define IN_WARD(test) cmocka_unit_test_setup_teardown(test, open_ward, close_ward)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_breach_of_the_contract_has_its_sentence),
        cmocka_unit_test(units_are_ucum_or_refused),
        IN_WARD(a_kind_is_there_once_and_there_are_at_most_16),
        IN_WARD(a_topic_finds_its_driver_and_the_plugins_own_leaf),
        IN_WARD(metrics_are_numbered_through_all_drivers),
        IN_WARD(a_kind_is_given_metrics_that_the_hub_makes),
        IN_WARD(metrics_are_found_by_a_name_that_is_not_ambiguous),
        IN_WARD(a_kind_longer_than_any_is_unknown_and_cut),
        cmocka_unit_test(values_are_stale_after_3_periods_and_offline_after_10),
        IN_WARD(values_survive_16_bits_to_half_a_step),
        IN_WARD(what_a_plugin_decodes_is_checked_before_it_is_used),
        IN_WARD(mending_one_series_does_not_change_what_another_shares),
        IN_WARD(what_was_not_decoded_leaves_an_empty_batch),
        IN_WARD(a_payload_beyond_16_kib_reaches_no_plugin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
