/* What the broker is told of alarms: every topic ends with the word that is true. */
#include "sensor.h"

#include <jansson.h>

#include "core/publish.h"

#define NOW      INT64_C(1700000000000)
#define TOLD_MAX 64

static const char config_text[] = "rooms:\n"
                                  "  - {name: salon, title: Salon, devices: [sensor/a, sensor/b]}\n"
                                  "  - {name: quiet, title: Quiet, devices: [sensor/c]}\n";
static const char renamed_text[] = "rooms:\n"
                                   "  - {name: hall, title: Hall, devices: [sensor/a, sensor/b]}\n"
                                   "  - {name: quiet, title: Quiet, devices: [sensor/c]}\n";
static const char rules_text[] =
    "rules:\n"
    "  - {name: bent, title: Bent, metric: angle, above: 45 deg, priority: low, text: Bent}\n"
    "  - {name: hot, title: Hot, metric: temperature, above: 43 Cel, priority: high, text: Hot}\n";
static const char hot_only[] =
    "rules:\n"
    "  - {name: hot, title: Hot, metric: temperature, above: 43 Cel, priority: high, text: Hot}\n";

struct world {
    struct drivers drivers;
    struct config *config;
    struct rules *rules;
    struct devices *devices;
    struct alarms *alarms;
    struct publisher *publisher;
    unsigned sends, taken; /* of them so many are taken */
    struct {
        char topic[PUBLISH_TOPIC_BYTES], json[PUBLISH_BYTES];
    } told[TOLD_MAX]; /* as a broker retains: the last word of each topic */
    unsigned topics;
};

static struct config *parse(const char *yaml)
{
    struct config *config = NULL;
    struct diag diag = {0};
    assert_int_equal(config_parse(&config, "test", yaml, strlen(yaml), &diag), 0);
    return config;
}

static struct rules *load(const struct world *world, const char *yaml)
{
    struct rules *rules = NULL;
    struct diag diag = {0};
    struct rules_text text = {"test.yaml", yaml, strlen(yaml), false};
    if (rules_load(&rules, &text, 1, &world->drivers, 8, &diag) != 0)
        fail_msg("%s", diag.text);
    return rules;
}

static struct publish_world view_of(const struct world *world)
{
    return (struct publish_world){world->config, world->rules, world->devices, world->alarms};
}

static void assign(struct world *world)
{
    static const uint32_t rooms[] = {1, 1, 2, ROOM_NONE};
    for (uint32_t id = 1; id <= 4; id++)
        devices_assign(world->devices, devices_at(world->devices, id), rooms[id - 1]);
}

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct diag diag = {0};
    drivers_init(&world->drivers);
    assert_int_equal(drivers_add(&world->drivers, &sensor_plugin, &diag), 0);
    world->config = parse(config_text);
    world->rules = load(world, rules_text);
    world->devices = devices_create(8, 10);
    for (int i = 0; i < 4; i++)
        devices_hear(world->devices, &world->drivers.list[0],
                     (const char *[]){"a", "b", "c", "d"}[i], 1);
    assign(world);
    world->alarms = alarms_create();
    world->publisher = publisher_create();
    assert_int_equal(publisher_prepare(world->publisher, rules_count(world->rules), 0), 0);
    world->taken = UINT32_MAX;
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    publisher_destroy(world->publisher);
    alarms_destroy(world->alarms);
    devices_destroy(world->devices);
    rules_destroy(world->rules);
    config_destroy(world->config);
    drivers_fini(&world->drivers);
    free(world);
    return 0;
}

static bool retain(void *user, const char *topic, const char *json, size_t bytes)
{
    struct world *world = user;
    unsigned at = 0;
    json_error_t error;
    if (world->sends == world->taken)
        return false;
    world->sends++;
    assert_int_equal(strlen(json), bytes);
    json_t *object = json_loads(json, 0, &error);
    if (object == NULL)
        fail_msg("%s: %s", error.text, json);
    json_decref(object);
    while (at < world->topics && strcmp(world->told[at].topic, topic) != 0)
        at++;
    assert_true(at < TOLD_MAX);
    world->topics += at == world->topics;
    snprintf(world->told[at].topic, sizeof(world->told[at].topic), "%s", topic);
    snprintf(world->told[at].json, sizeof(world->told[at].json), "%s", json);
    return true;
}

static void flush(struct world *world)
{
    struct publish_world view = view_of(world);
    publisher_send(world->publisher, &view, 1000, retain, world);
}

/* "on", "off", ... or "" where the topic was never heard of. */
static const char *presence(const struct world *world, const char *topic)
{
    static char out[16];
    out[0] = '\0';
    for (unsigned i = 0; i < world->topics; i++)
        if (strcmp(world->told[i].topic + strlen("lumbar/v1/alarm/"), topic) == 0) {
            json_t *object = json_loads(world->told[i].json, 0, NULL);
            snprintf(out, sizeof(out), "%s",
                     json_string_value(json_object_get(object, "presence")));
            json_decref(object);
        }
    return out;
}

static void begin(struct world *world)
{
    struct publish_world view = view_of(world);
    publisher_begin(world->publisher, &view);
}

static void take(struct world *world, const char *rule, uint32_t device, bool on, int64_t at_ms)
{
    struct rule_event event = {.rule = rules_find(world->rules, rule),
                               .device = device,
                               .on = on,
                               .value = 50,
                               .limit = 45,
                               .time_ms = at_ms,
                               .phase = "heat"};
    assert_non_null(alarms_take(world->alarms, &event));
    publisher_mark(world->publisher, devices_at(world->devices, device)->room, event.rule);
}

static void each_word_is_told_and_once(void **state)
{
    struct world *world = *state;
    begin(world);
    flush(world);
    assert_int_equal(world->topics, 6); /* two rules in two rooms, and in none */
    assert_string_equal(presence(world, "unassigned/hot"), "off");
    unsigned before = world->sends;
    take(world, "bent", 1, true, NOW);
    take(world, "bent", 2, true, NOW + 1); /* the same room and rule: one word */
    flush(world);
    assert_int_equal(world->sends, before + 1);
    assert_string_equal(presence(world, "salon/bent"), "on");
    take(world, "bent", 1, false, NOW + 2);
    flush(world);
    assert_string_equal(presence(world, "salon/bent"), "on"); /* the other one stands */
    take(world, "bent", 2, false, NOW + 3);
    flush(world);
    assert_string_equal(presence(world, "salon/bent"), "off");
    flush(world);
    assert_int_equal(world->sends, before + 3);
}

static void a_word_that_was_refused_waits_and_is_then_true(void **state)
{
    struct world *world = *state;
    begin(world);
    flush(world);
    world->taken = world->sends; /* the queue is full */
    take(world, "hot", 1, true, NOW);
    take(world, "hot", 3, true, NOW);
    unsigned before = world->sends;
    flush(world);
    assert_int_equal(world->sends, before);
    take(world, "hot", 3, false, NOW + 1);
    world->taken++;
    flush(world);
    assert_int_equal(world->sends, before + 1);
    world->taken = UINT32_MAX;
    flush(world);
    flush(world); /* nothing waits any more */
    assert_int_equal(world->sends, before + 2);
    assert_string_equal(presence(world, "salon/hot"), "on");
    assert_string_equal(presence(world, "quiet/hot"), "off");
}

static void a_broker_that_forgot_is_told_again(void **state)
{
    struct world *world = *state;
    begin(world);
    take(world, "hot", 1, true, NOW);
    flush(world);
    world->topics = 0;
    flush(world);
    assert_string_equal(presence(world, "salon/hot"), "");
    struct publish_world view = view_of(world);
    publisher_mark_all(world->publisher, &view);
    flush(world);
    assert_string_equal(presence(world, "salon/hot"), "on");
    assert_string_equal(presence(world, "quiet/hot"), "off");
}

static void nothing(void *user, const struct alarm *alarm)
{
    (void)user, (void)alarm;
}

static void reload(struct world *world, const char *config_yaml, const char *rules_yaml)
{
    struct config *config = parse(config_yaml);
    struct rules *rules = load(world, rules_yaml);
    struct publish_world old = view_of(world);
    assert_int_equal(
        publisher_prepare(world->publisher, rules_count(rules), alarms_standing(world->alarms)), 0);
    publisher_were(world->publisher, &old);
    alarms_adopt(world->alarms, rules, NOW + 9, nothing, NULL);
    rules_destroy(world->rules);
    config_destroy(world->config);
    world->rules = rules;
    world->config = config;
    begin(world);
}

static void a_reload_leaves_no_topic_with_a_word_that_is_over(void **state)
{
    struct world *world = *state;
    begin(world);
    take(world, "bent", 1, true, NOW);
    take(world, "hot", 1, true, NOW);
    take(world, "hot", 3, true, NOW);
    flush(world);
    reload(world, renamed_text, hot_only); /* the room has another name, and a rule is gone */
    world->taken = world->sends;
    flush(world); /* the queue is full just then */
    world->taken = UINT32_MAX;
    flush(world);
    assert_string_equal(presence(world, "salon/bent"), "off");
    assert_string_equal(presence(world, "salon/hot"), "off");
    assert_string_equal(presence(world, "hall/hot"), "on");
    assert_string_equal(presence(world, "hall/bent"), "");
    assert_string_equal(presence(world, "quiet/hot"), "on");
    reload(world, config_text, rules_text); /* and back: topics again */
    flush(world);
    assert_string_equal(presence(world, "hall/hot"), "off");
    assert_string_equal(presence(world, "salon/hot"), "on");
    assert_string_equal(presence(world, "salon/bent"), "off");
}

/* What was told before a kill is known from the store: topics that are, and that are no more. */
static void a_restart_ends_what_ended_meanwhile(void **state)
{
    struct world *world = *state;
    assert_int_equal(publisher_prepare(world->publisher, rules_count(world->rules), 3), 0);
    publisher_was(world->publisher, "salon", "bent");
    publisher_was(world->publisher, "gone-room", "hot");
    publisher_was(world->publisher, "salon", "gone-rule");
    publisher_was(world->publisher, "salon", "gone-rule"); /* of another device */
    begin(world);
    flush(world);
    assert_string_equal(presence(world, "salon/bent"), "off");
    assert_string_equal(presence(world, "gone-room/hot"), "off");
    assert_string_equal(presence(world, "salon/gone-rule"), "off");
    assert_int_equal(world->sends, 6 + 2);
}

static void at_most_so_many_words_are_sent_at_a_time(void **state)
{
    struct world *world = *state;
    struct publish_world view = view_of(world);
    begin(world);
    publisher_send(world->publisher, &view, 4, retain, world);
    assert_int_equal(world->sends, 4);
    publisher_send(world->publisher, &view, 4, retain, world);
    publisher_send(world->publisher, &view, 4, retain, world);
    assert_int_equal(world->sends, 6);
}

/* The longest words there can be still make an object, with all facts and who did what. */
static void the_longest_words_give_way_to_the_facts(void **state)
{
    struct world *world = *state;
    static char yaml[8192], quotes[301];
    memset(quotes, '\'', sizeof(quotes) - 1);
    for (size_t i = 0; i < 300; i += 2)
        memcpy(quotes + i, "\\\"", 2);
    snprintf(yaml, sizeof(yaml),
             "rules:\n  - {name: hot, title: Hot, metric: temperature, above: 43 Cel,"
             " priority: high, text: \"%s\", plain: \"%s\", action: \"%s\"}\n",
             quotes, quotes, quotes);
    begin(world);
    reload(world, config_text, yaml);
    take(world, "hot", 1, true, NOW);
    char why[ALARM_WHY_BYTES];
    memset(why, '"', sizeof(why) - 1);
    why[sizeof(why) - 1] = '\0';
    const struct alarm *alarm;
    for (int i = 0; i < 2; i++) {
        const struct alarm_order order = {.deed = i == 0 ? DEED_SHELVE : DEED_ACK,
                                          .now_ms = NOW,
                                          .until_ms = NOW + 1000,
                                          .who = why,
                                          .why = why};
        assert_int_equal(alarms_order(world->alarms, 1, &order, &alarm), 0);
    }
    flush(world);
    assert_string_equal(presence(world, "salon/hot"), "ack");
    for (unsigned i = 0; i < world->topics; i++)
        if (strcmp(world->told[i].topic, "lumbar/v1/alarm/salon/hot") == 0) {
            assert_non_null(strstr(world->told[i].json, "\"shelved\":{\"by\":\"\\\""));
            assert_non_null(strstr(world->told[i].json, "\"value\":50,\"unit\":\"Cel\""));
            assert_null(strstr(world->told[i].json, "\"action\""));
        }
}

static void the_phase_is_that_in_which_it_was_raised(void **state)
{
    struct world *world = *state;
    begin(world);
    reload(world, config_text,
           "rules:\n  - {name: hot, title: Hot, metric: temperature, above: 43 Cel,"
           " priority: high, text: \"{value} in {phase}.\"}\n");
    take(world, "hot", 1, true, NOW);
    flush(world);
    bool found = false;
    for (unsigned i = 0; i < world->topics; i++)
        found = found || strstr(world->told[i].json, "\"text\":\"50 °C in heat.\"") != NULL;
    assert_true(found);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        CASE(each_word_is_told_and_once),
        CASE(a_word_that_was_refused_waits_and_is_then_true),
        CASE(a_broker_that_forgot_is_told_again),
        CASE(a_reload_leaves_no_topic_with_a_word_that_is_over),
        CASE(a_restart_ends_what_ended_meanwhile),
        CASE(at_most_so_many_words_are_sent_at_a_time),
        CASE(the_longest_words_give_way_to_the_facts),
        CASE(the_phase_is_that_in_which_it_was_raised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
