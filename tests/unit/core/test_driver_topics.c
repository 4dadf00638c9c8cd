/* Each topic belongs to one kind of device, and none of the hub's own to any. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/driver.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static int decode(void *state, const struct lumbar_message *message, struct lumbar_scratch *scratch,
                  struct lumbar_batch *batch)
{
    (void)state, (void)message, (void)scratch, (void)batch;
    return LUMBAR_IGNORED;
}

static const struct lumbar_metric level = {
    .name = "level", .title = "Level", .unit = "mm", .max = 100, .period_ms = 1000};

/* A good plugin that hears these leaves. */
struct subject {
    struct lumbar_plugin plugin;
    struct lumbar_golden golden;
};

static void make_subject(struct subject *subject, const char *kind, const char *topic,
                         const char *const *leaves)
{
    subject->golden = (struct lumbar_golden){.leaf = leaves[0]};
    subject->plugin = (struct lumbar_plugin){
        .abi = LUMBAR_PLUGIN_ABI,
        .size = sizeof(struct lumbar_plugin),
        .metric_bytes = sizeof(struct lumbar_metric),
        .golden_bytes = sizeof(struct lumbar_golden),
        .kind = kind,
        .title = "Title",
        .version = "1.0",
        .topic = topic,
        .leaves = leaves,
        .metrics = &level,
        .metric_count = 1,
        .golden = &subject->golden,
        .golden_count = 1,
        .decode = decode,
    };
}

static const char *const both[] = {"telemetry", "status", NULL};
static const char *const telemetry[] = {"telemetry", NULL};
static const char *const status[] = {"status", NULL};
static const char *const none[] = {"", NULL};

static void two_kinds_whose_topics_meet_are_refused_in_one_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        const char *const *leaves;
        const char *other;
        const char *const *others;
        const char *sentence; /* "": they are apart */
    } cases[] = {
        {"a/one/{device}/{leaf}", both, "a/two/{device}/{leaf}", both, ""},
        {"a/{device}/{leaf}", both, "a/{device}", none, ""}, /* another depth */
        {"a/{device}/x/{leaf}", both, "a/{device}/y/{leaf}", both, ""},
        {"a/{leaf}/{device}", telemetry, "a/{leaf}/{device}", telemetry,
         "the topic a/telemetry/+ of plugin second meets a/telemetry/+ of plugin first"},
        {"a/{device}/{leaf}", both, "a/{device}/{leaf}", both,
         "the topic a/+/telemetry of plugin second meets a/+/telemetry of plugin first"},
        {"a/{device}/{leaf}", both, "a/{device}/{leaf}", status,
         "the topic a/+/status of plugin second meets a/+/status of plugin first"},
        /* No message is for both, but an acknowledgement is. */
        {"a/{device}/{leaf}", telemetry, "a/{device}/{leaf}", status,
         "the topic a/+/ack of plugin second meets a/+/ack of plugin first"},
        {"a/{device}/{leaf}", telemetry, "{device}/b/{leaf}", telemetry,
         "the topic +/b/telemetry of plugin second meets a/+/telemetry of plugin first"},
        {"a/{device}/{leaf}", telemetry, "a/{device}/telemetry", none,
         "the topic a/+/telemetry of plugin second meets a/+/telemetry of plugin first"},
        /* What one is told, the other would hear. */
        {"a/{device}/{leaf}", telemetry, "a/{device}/ack", none,
         "the topic a/+/ack of plugin second meets a/+/ack of plugin first"},
        {"{device}", none, "{device}", none,
         "the topic + of plugin second meets + of plugin first"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct subject first, second;
        struct drivers drivers;
        struct diag diag = {.code = 0};
        make_subject(&first, "first", cases[i].topic, cases[i].leaves);
        make_subject(&second, "second", cases[i].other, cases[i].others);
        drivers_init(&drivers);
        assert_int_equal(driver_check(&first.plugin, &diag), 0);
        assert_int_equal(driver_check(&second.plugin, &diag), 0);
        assert_int_equal(drivers_add(&drivers, &first.plugin, &diag), 0);
        int code = drivers_add(&drivers, &second.plugin, &diag);
        assert_string_equal(diag.text, cases[i].sentence);
        assert_int_equal(code, *cases[i].sentence != '\0' ? ERR_PLUGIN : 0);
        assert_int_equal(drivers.count, code == 0 ? 2 : 1);
        drivers_fini(&drivers);
    }
}

static void no_plugin_hears_what_the_hub_says(void **state)
{
    (void)state;
    static const char *const pump[] = {"pump", NULL};
    static const struct {
        const char *topic;
        const char *const *leaves;
        const char *sentence; /* "": it is good */
    } cases[] = {
        {"lumbar/v1/hub/{device}/{leaf}", telemetry, ""},
        {"lumbar/v1/hub/{device}/{leaf}", status,
         "plugin first hears lumbar/v1/hub/+/status, which meets lumbar/v1/hub/+/status, where the "
         "hub speaks"},
        {"lumbar/v1/alarm/{device}/{leaf}", pump,
         "plugin first hears lumbar/v1/alarm/+/pump, which meets lumbar/v1/alarm/+/+, where the "
         "hub speaks"},
        {"lumbar/v1/{device}/x/heartbeat", none,
         "plugin first hears lumbar/v1/+/x/heartbeat, which meets lumbar/v1/hub/+/heartbeat, where "
         "the hub speaks"},
        {"lumbar/v1/{device}/{leaf}", both, ""},
        {"lumbar/v2/alarm/{device}/{leaf}", both, ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct subject subject;
        struct diag diag = {.code = 0};
        make_subject(&subject, "first", cases[i].topic, cases[i].leaves);
        int code = driver_check(&subject.plugin, &diag);
        assert_string_equal(diag.text, cases[i].sentence);
        assert_int_equal(code, *cases[i].sentence != '\0' ? ERR_PLUGIN : 0);
    }
}

static void there_are_at_most_64_subscriptions(void **state)
{
    (void)state;
    static const char *const leaves[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
                                         "j", "k", "l", "m", "n", "o", "p", NULL};
    static const char *const kinds[] = {"one", "two", "three", "four", "five"};
    static const char *const topics[] = {"one/{device}/{leaf}", "two/{device}/{leaf}",
                                         "three/{device}/{leaf}", "four/{device}/{leaf}",
                                         "five/{device}"};
    struct subject subjects[COUNT(kinds)];
    struct drivers drivers;
    struct diag diag = {.code = 0};
    drivers_init(&drivers);
    for (size_t i = 0; i < COUNT(kinds); i++)
        make_subject(&subjects[i], kinds[i], topics[i], i == 4 ? none : leaves);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(drivers_add(&drivers, &subjects[i].plugin, &diag), 0);
    assert_int_equal(drivers_add(&drivers, &subjects[4].plugin, &diag), ERR_FULL);
    assert_string_equal(diag.text,
                        "the 1 leaves of plugin five would make more than 64 subscriptions");
    assert_int_equal(drivers.count, 4);
    assert_int_equal(drivers.filter_count, 64);
    drivers_fini(&drivers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_kinds_whose_topics_meet_are_refused_in_one_sentence),
        cmocka_unit_test(no_plugin_hears_what_the_hub_says),
        cmocka_unit_test(there_are_at_most_64_subscriptions),
    };
    return cmocka_run_group_tests_name("driver_topics", tests, NULL, NULL);
}
