/* A plugin's tables against the contract. */
#include "driver_subject.h"

/* name, what is done to a good plugin, the sentence ("" for none) */
#define BREACHES(X)                                                                                \
    X(nothing, (void)s, "")                                                                        \
    X(abi, s->plugin.abi = 1, "built for plugin ABI 1, this hub speaks 2")                         \
    X(short_struct, s->plugin.size = 96, "struct lumbar_plugin is short: 96 bytes, not 112")       \
    X(longer_struct, s->plugin.size = 200, "")                                                     \
    X(metric_size, s->plugin.metric_bytes = 64, "struct lumbar_metric is of 64 bytes, not 80")     \
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
    X(identify_leaf, s->leaves[1] = "identify",                                                    \
      "plugin pump hears the leaf identify, which is what the hub says")                           \
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
    X(role_9, s->metrics[LEVEL].role = (enum lumbar_role)9,                                        \
      "metric level has an unknown role (9)")                                                      \
    X(angle_in_percent, s->metrics[LEVEL].role = LUMBAR_ROLE_FLEXION,                              \
      "metric level has the role of an angle, but is not in deg")                                  \
    X(role_of_a_state, s->metrics[MODE].role = LUMBAR_ROLE_BATTERY,                                \
      "metric mode has a role, but is no gauge")                                                   \
    X(battery_of_nobody, s->metrics[LEVEL].role = LUMBAR_ROLE_BATTERY,                             \
      "metric level has a role of health, but not the flag")                                       \
    X(phase_128, s->metrics[LEVEL].phases = 128, "metric level names unknown phases (0x80)")       \
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_breach_of_the_contract_has_its_sentence),
        cmocka_unit_test(units_are_ucum_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
