/* Pauses of rooms: begin, end, and other configurations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/pauses.h"

#define NOW INT64_C(1700000000000)

struct ended {
    unsigned count;
    uint32_t room;
    enum pause_kind kind;
};

static void on_end(void *user, uint32_t room, enum pause_kind kind)
{
    struct ended *ended = user;
    ended->count++;
    ended->room = room;
    ended->kind = kind;
}

static void a_pause_ends_by_itself_and_by_hand(void **state)
{
    (void)state;
    static struct pauses pauses;
    struct ended ended = {0};
    pauses_begin(&pauses, 3, PAUSE_AUDIO, NOW, NOW + 120000, "Ana");
    pauses_begin(&pauses, 3, PAUSE_ALARM, NOW, NOW + 60000, "Ben");
    assert_true(pauses_has(&pauses, 3, PAUSE_AUDIO) && pauses_has(&pauses, 3, PAUSE_ALARM));
    assert_false(pauses_has(&pauses, 2, PAUSE_AUDIO));
    assert_string_equal(pauses.rooms[3][PAUSE_ALARM].hand.who, "Ben");
    pauses_tick(&pauses, NOW + 59999, on_end, &ended);
    assert_int_equal(ended.count, 0);
    pauses_tick(&pauses, NOW + 60000, on_end, &ended);
    assert_int_equal(ended.count, 1);
    assert_int_equal(ended.room, 3);
    assert_int_equal(ended.kind, PAUSE_ALARM);
    assert_true(pauses_has(&pauses, 3, PAUSE_AUDIO));
    uint64_t change = pauses.change;
    assert_true(pauses_end(&pauses, 3, PAUSE_AUDIO));
    assert_int_equal(pauses.change, change + 1);
    assert_false(pauses_end(&pauses, 3, PAUSE_AUDIO));
    assert_int_equal(pauses.change, change + 1);
    assert_false(pauses_has(&pauses, CONFIG_ROOMS_MAX + 1, PAUSE_AUDIO));
}

static void one_that_is_paused_again_is_paused_anew(void **state)
{
    (void)state;
    static struct pauses pauses;
    struct ended ended = {0};
    char longest[100];
    memset(longest, 'w', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    pauses_begin(&pauses, 1, PAUSE_AUDIO, NOW, NOW + 1000, "Ana");
    pauses_begin(&pauses, 1, PAUSE_AUDIO, NOW + 500, NOW + 2000, longest);
    pauses_tick(&pauses, NOW + 1500, on_end, &ended);
    assert_int_equal(ended.count, 0);
    assert_int_equal(strlen(pauses.rooms[1][PAUSE_AUDIO].hand.who), ALARM_WHO_BYTES - 1);
}

static struct config *parse(const char *yaml)
{
    struct config *config = NULL;
    struct diag diag = {0};
    if (config_parse(&config, "t.yaml", yaml, strlen(yaml), &diag) != 0)
        fail_msg("%s", diag.text);
    return config;
}

static void a_pause_goes_with_the_name_of_its_room(void **state)
{
    (void)state;
    static struct pauses pauses;
    struct config *old = parse("rooms: [{name: a}, {name: b}, {name: c}]\n");
    struct config *fresh = parse("rooms: [{name: c}, {name: d}, {name: a}]\n");
    pauses_begin(&pauses, 1, PAUSE_AUDIO, NOW, NOW + 1000, "a");
    pauses_begin(&pauses, 2, PAUSE_ALARM, NOW, NOW + 1000, "b");
    pauses_begin(&pauses, 3, PAUSE_ALARM, NOW, NOW + 1000, "c");
    uint64_t change = pauses.change;
    pauses_adopt(&pauses, old, fresh);
    assert_true(pauses.change > change);
    assert_string_equal(pauses.rooms[1][PAUSE_ALARM].hand.who, "c");
    assert_string_equal(pauses.rooms[3][PAUSE_AUDIO].hand.who, "a");
    assert_false(pauses_has(&pauses, 2, PAUSE_ALARM));
    assert_false(pauses_has(&pauses, 1, PAUSE_AUDIO));
    config_destroy(old);
    config_destroy(fresh);
}

static void kinds_have_words(void **state)
{
    (void)state;
    enum pause_kind kind;
    assert_true(pause_find("alarm", &kind) && kind == PAUSE_ALARM);
    assert_true(pause_find("audio", &kind) && kind == PAUSE_AUDIO);
    assert_false(pause_find("", &kind) || pause_find("alarms", &kind));
    assert_string_equal(pause_word(PAUSE_AUDIO), "audio");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_ends_by_itself_and_by_hand),
        cmocka_unit_test(one_that_is_paused_again_is_paused_anew),
        cmocka_unit_test(a_pause_goes_with_the_name_of_its_room),
        cmocka_unit_test(kinds_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
