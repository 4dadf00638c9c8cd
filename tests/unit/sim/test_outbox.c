/* The device's side of the acknowledgement, with time as a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "outbox.h"

#define BOOT 77

static struct outbox *a_box(unsigned messages)
{
    static struct outbox box;
    outbox_init(&box, BOOT);
    for (uint32_t i = 1; i <= messages; i++)
        assert_true(outbox_put(&box, (const uint8_t *)&i, sizeof(i)));
    return &box;
}

/* Sends what is to be sent; the sequences go into out. Returns how many. */
static unsigned send_all(struct outbox *box, int64_t now_ms, uint64_t *out, unsigned room)
{
    unsigned count = 0;
    uint64_t sequence;
    for (const struct outbox_message *message; (message = outbox_next(box, &sequence)) != NULL;) {
        uint32_t content;
        memcpy(&content, message->bytes, sizeof(content));
        assert_int_equal(content, sequence); /* what was put, where it was put */
        assert_true(count < room);
        out[count++] = sequence;
        outbox_sent(box, now_ms);
    }
    return count;
}

static void sequences_begin_at_1_and_are_sent_once_each(void **state)
{
    (void)state;
    struct outbox *box = a_box(3);
    uint64_t sent[8];
    assert_int_equal(outbox_held_from(box), 1);
    assert_int_equal(send_all(box, 0, sent, 8), 3);
    assert_int_equal(sent[0], 1);
    assert_int_equal(sent[2], 3);
    assert_int_equal(send_all(box, 1, sent, 8), 0);
    assert_int_equal(outbox_held_from(box), 1); /* sent is not confirmed */
    outbox_fini(box);
}

static void what_is_acknowledged_is_dropped_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        uint64_t boot, sequence;
        uint64_t held_from; /* afterwards, of 5 held */
    } cases[] = {
        {BOOT, 3, 4},          {BOOT, 5, 0}, /* all */
        {BOOT, 0, 1},                        /* none yet */
        {BOOT, 6, 1},                        /* beyond what there is: nonsense */
        {BOOT + 1, 3, 1},                    /* of another boot */
        {BOOT, UINT64_MAX, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct outbox *box = a_box(5);
        uint64_t sent[8];
        send_all(box, 0, sent, 8);
        outbox_ack(box, cases[i].boot, cases[i].sequence, 1);
        assert_int_equal(outbox_held_from(box), cases[i].held_from);
        outbox_fini(box);
    }
}

static void what_was_never_sent_is_kept_whatever_is_acknowledged(void **state)
{
    (void)state;
    struct outbox *box = a_box(5);
    uint64_t sequence;
    for (int i = 0; i < 3; i++) {
        assert_non_null(outbox_next(box, &sequence));
        outbox_sent(box, 0);
    }
    outbox_ack(box, BOOT, 4, 1); /* the hub cannot have it */
    assert_int_equal(outbox_held_from(box), 1);
    outbox_rewind(box); /* what was sent before a reconnect was sent */
    outbox_ack(box, BOOT, 3, 2);
    assert_int_equal(outbox_held_from(box), 4);
    outbox_fini(box);
}

static void a_reconnect_sends_again_only_what_is_above_the_acknowledgement(void **state)
{
    (void)state;
    struct outbox *box = a_box(6);
    uint64_t sent[8];
    send_all(box, 0, sent, 8);
    outbox_ack(box, BOOT, 4, 10);
    outbox_rewind(box);
    assert_int_equal(send_all(box, 20, sent, 8), 2);
    assert_int_equal(sent[0], 5);
    assert_int_equal(sent[1], 6);
    outbox_fini(box);
}

static void a_stall_begins_again_after_more_than_10_seconds_and_then_waits_longer(void **state)
{
    (void)state;
    struct outbox *box = a_box(2);
    uint64_t sent[8];
    assert_false(outbox_tick(box, 1000000)); /* nothing sent: nothing to wait for */
    send_all(box, 1000, sent, 8);
    assert_false(outbox_tick(box, 11000));
    assert_true(outbox_tick(box, 11001));
    assert_int_equal(send_all(box, 11001, sent, 8), 2);
    assert_false(outbox_tick(box, 31001)); /* twice as long */
    assert_true(outbox_tick(box, 31002));
    send_all(box, 31002, sent, 8);
    outbox_ack(box, BOOT, 1, 31003); /* progress: patience is as at first, from now on */
    assert_false(outbox_tick(box, 41003));
    assert_true(outbox_tick(box, 41004));
    outbox_fini(box);
}

static void all_confirmed_there_is_no_stall(void **state)
{
    (void)state;
    struct outbox *box = a_box(2);
    uint64_t sent[8];
    send_all(box, 1000, sent, 8);
    outbox_ack(box, BOOT, 2, 1001);
    assert_false(outbox_tick(box, 10000000));
    outbox_fini(box);
}

static void when_full_the_oldest_is_given_up_and_counted(void **state)
{
    (void)state;
    struct outbox *box = a_box(OUTBOX_MAX + 5);
    static uint64_t sent[OUTBOX_MAX];
    assert_int_equal(box->given_up, 5);
    assert_int_equal(outbox_held_from(box), 6);
    assert_int_equal(send_all(box, 0, sent, OUTBOX_MAX), OUTBOX_MAX);
    assert_int_equal(sent[0], 6);
    outbox_fini(box);
}

static void what_is_lost_inside_is_a_hole_and_holds_nothing_up(void **state)
{
    (void)state;
    struct outbox *box = a_box(5);
    uint64_t sent[8];
    outbox_lose(box, 1); /* the oldest */
    assert_int_equal(outbox_held_from(box), 2);
    outbox_lose(box, 3);
    outbox_lose(box, 4);
    outbox_lose(box, 9); /* never was */
    assert_int_equal(send_all(box, 0, sent, 8), 2);
    assert_int_equal(sent[0], 2);
    assert_int_equal(sent[1], 5);
    outbox_ack(box, BOOT, 2, 1);
    assert_int_equal(outbox_held_from(box), 5); /* past the holes: the hub learns of the loss */
    outbox_fini(box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_begin_at_1_and_are_sent_once_each),
        cmocka_unit_test(what_is_acknowledged_is_dropped_and_nothing_else),
        cmocka_unit_test(what_was_never_sent_is_kept_whatever_is_acknowledged),
        cmocka_unit_test(a_reconnect_sends_again_only_what_is_above_the_acknowledgement),
        cmocka_unit_test(a_stall_begins_again_after_more_than_10_seconds_and_then_waits_longer),
        cmocka_unit_test(all_confirmed_there_is_no_stall),
        cmocka_unit_test(when_full_the_oldest_is_given_up_and_counted),
        cmocka_unit_test(what_is_lost_inside_is_a_hole_and_holds_nothing_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
