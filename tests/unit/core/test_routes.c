/* Topics are found again as a whole, however many there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/routes.h"

static void a_topic_leads_where_it_was_told_to(void **state)
{
    (void)state;
    static const char *const topics[] = {"lumbar/v1/posture/p-01/telemetry",
                                         "lumbar/v1/posture/p-01/status",
                                         "lumbar/v1/posture/p-02/telemetry",
                                         "lumbar/v1/posture/p-01/telemetr",
                                         "a/b",
                                         "a",
                                         "12345678",
                                         "123456789",
                                         ""};
    enum { COUNT = sizeof(topics) / sizeof(topics[0]) };
    struct routes *routes = routes_create(100);
    struct device devices[COUNT] = {{.id = 1}};
    for (unsigned i = 0; i < COUNT; i++) {
        char told[64]; /* another copy each time, which is gone afterwards */
        snprintf(told, sizeof(told), "%s", topics[i]);
        assert_null(routes_find(routes, told, strlen(told)));
        routes_add(routes, told, strlen(told), (struct route){&devices[i], topics[i]});
        memset(told, 'x', sizeof(told));
    }
    for (unsigned i = 0; i < COUNT; i++) {
        const struct route *route = routes_find(routes, topics[i], strlen(topics[i]));
        assert_non_null(route);
        assert_ptr_equal(route->device, &devices[i]);
        assert_ptr_equal(route->leaf, topics[i]);
    }
    assert_null(routes_find(routes, "lumbar/v1/posture/p-03/telemetry", 32));
    routes_destroy(routes);
}

static void the_first_route_of_a_topic_stays(void **state)
{
    (void)state;
    struct routes *routes = routes_create(1);
    struct device first = {.id = 1}, second = {.id = 2};
    routes_add(routes, "topic", 5, (struct route){&first, ""});
    routes_add(routes, "topic", 5, (struct route){&second, ""});
    assert_ptr_equal(routes_find(routes, "topic", 5)->device, &first);
    routes_destroy(routes);
}

static void a_full_table_takes_no_more_and_still_answers(void **state)
{
    (void)state;
    struct routes *routes = routes_create(50);
    struct device device = {.id = 1};
    char topic[32];
    unsigned kept = 0;
    for (unsigned i = 0; i < 5000; i++) {
        int bytes = snprintf(topic, sizeof(topic), "lumbar/v1/%04u/telemetry", i);
        routes_add(routes, topic, (size_t)bytes, (struct route){&device, ""});
    }
    for (unsigned i = 0; i < 5000; i++) {
        int bytes = snprintf(topic, sizeof(topic), "lumbar/v1/%04u/telemetry", i);
        const struct route *route = routes_find(routes, topic, (size_t)bytes);
        assert_true(route != NULL ? i == kept : i >= kept); /* the first ones, and no other */
        kept += route != NULL;
    }
    assert_true(kept >= 100 && kept < 1000);
    routes_destroy(routes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_leads_where_it_was_told_to),
        cmocka_unit_test(the_first_route_of_a_topic_stays),
        cmocka_unit_test(a_full_table_takes_no_more_and_still_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
