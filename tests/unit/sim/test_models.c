/* The people and the devices on them: within what the plugins' metrics call possible, smooth, the
 * same for the same seed, and a day with a few alarms, not a storm. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "applicator.h"
#include "massage.pb-c.h"
#include "posture.pb-c.h"
#include "wearable.h"

#define COUNT(list)   (sizeof(list) / sizeof((list)[0]))
#define STATE(name)   LUMBAR__MASSAGE__V1__STATE__STATE_##name
#define FAULT(name)   LUMBAR__MASSAGE__V1__FAULT__FAULT_##name
#define POSTURE(name) LUMBAR__POSTURE__V1__POSTURE__POSTURE_##name

struct ward {
    struct room room;
    struct wearable wearable;
    struct applicator applicator;
};

static const struct applicator_faults sound = {0};

static void open_ward(struct ward *ward, uint64_t seed, unsigned number)
{
    room_init(&ward->room, seed, number);
    wearable_init(&ward->wearable, seed, number);
    applicator_init(&ward->applicator, seed, number);
}

static void step(struct ward *ward, double dt_s)
{
    room_step(&ward->room, dt_s);
    wearable_step(&ward->wearable, &ward->room, false, dt_s);
    applicator_step(&ward->applicator, &ward->room, sound, dt_s);
}

static void within(const char *name, double value, double low, double high)
{
    if (!isnan(value) && !(value >= low && value <= high))
        fail_msg("%s is %g, not within %g to %g", name, value, low, high);
}

static void check_ranges(const struct ward *ward)
{
    const struct posture_angles *angles = &ward->wearable.measured;
    within("flexion", angles->flexion, -10, 70);
    within("velocity", angles->velocity, -100, 100);
    within("trunk", angles->trunk, -10, 60);
    within("lateral", angles->lateral, -25, 25);
    within("rotation", angles->rotation, -20, 20);
    within("battery", ward->wearable.battery, 0, 100);
    within("rssi", ward->wearable.rssi, -85, -30);
    const struct massage_values *values = &ward->applicator.measured;
    within("pressure", values->pressure, 0, 120);
    within("force", values->force, 0, 120);
    within("frequency", values->frequency, 0, 60);
    within("amplitude", values->amplitude, 0, 20);
    within("skin", values->skin, 20, 45);
    within("surface", values->surface, 20, 48);
    within("current", values->current, 0, 5);
    within("motor", values->motor, 20, 90);
    within("vibration", values->vibration, 0, 30);
    within("battery", ward->applicator.battery, 0, 100);
}

static void values_stay_plausible_for_hours_at_any_step(void **state)
{
    (void)state;
    static const double steps[] = {0.05, 0.2, 1, 5};
    for (size_t i = 0; i < COUNT(steps); i++) {
        for (unsigned number = 1; number <= 4; number++) {
            struct ward ward;
            open_ward(&ward, 7 + i, number);
            for (double at = 0; at < 3 * 3600; at += steps[i]) {
                step(&ward, steps[i]);
                check_ranges(&ward);
            }
        }
    }
}

static void a_body_moves_without_jumps(void **state)
{
    (void)state;
    struct ward ward;
    open_ward(&ward, 3, 4);
    step(&ward, 0.02);
    for (int i = 0; i < 2 * 3600 * 50; i++) {
        double before = ward.wearable.flexion.angle;
        step(&ward, 0.02);
        /* 60 deg/s is 1.2 deg a row: nobody bends faster here. */
        within("change of flexion a row", ward.wearable.flexion.angle - before, -1.2, 1.2);
    }
}

static void the_same_seed_is_the_same_day_and_another_seed_another(void **state)
{
    (void)state;
    struct ward one, same, other;
    open_ward(&one, 42, 3);
    open_ward(&same, 42, 3);
    open_ward(&other, 43, 3);
    unsigned differing = 0;
    for (int i = 0; i < 20000; i++) {
        step(&one, 0.1);
        step(&same, 0.1);
        step(&other, 0.1);
        assert_memory_equal(&one.wearable.measured, &same.wearable.measured,
                            sizeof(one.wearable.measured));
        assert_memory_equal(&one.applicator.measured, &same.applicator.measured,
                            sizeof(one.applicator.measured));
        differing += one.wearable.measured.flexion != other.wearable.measured.flexion;
    }
    assert_true(differing > 15000);
}

static void every_phase_comes_and_rooms_are_out_of_step(void **state)
{
    (void)state;
    struct ward wards[6];
    for (unsigned i = 0; i < 6; i++)
        open_ward(&wards[i], 1, i + 1);
    unsigned seen = 0, most_alike = 0;
    for (int at = 0; at < 3600; at++) {
        unsigned alike[PHASE_COUNT_] = {0};
        for (unsigned i = 0; i < 6; i++) {
            step(&wards[i], 1);
            seen |= 1u << wards[i].room.phase;
            alike[wards[i].room.phase]++;
        }
        for (unsigned phase = 0; phase < PHASE_COUNT_; phase++)
            most_alike = alike[phase] > most_alike ? alike[phase] : most_alike;
    }
    assert_int_equal(seen, (1u << PHASE_COUNT_) - 1);
    assert_true(most_alike < 6);
}

static void off_the_body_it_has_no_angles_and_no_good_posture(void **state)
{
    (void)state;
    struct ward ward;
    open_ward(&ward, 1, 1);
    step(&ward, 0.02);
    assert_false(isnan(ward.wearable.measured.trunk));
    wearable_step(&ward.wearable, &ward.room, true, 0.02);
    assert_true(isnan(ward.wearable.measured.trunk) && isnan(ward.wearable.measured.flexion));
    assert_int_equal(ward.wearable.firmware.posture, POSTURE(OFF_BODY));
    assert_false(ward.wearable.contact);
}

static void firmware_tells_postures_apart(void **state)
{
    (void)state;
    static const struct {
        struct posture_angles angles;
        bool contact;
        unsigned posture;
    } cases[] = {
        {{5, 0, 2, 0, 0}, true, POSTURE(UPRIGHT)},
        {{36, 0, 10, 0, 0}, true, POSTURE(SLOUCHED)},
        {{36, 0, 2, 0, 0}, true, POSTURE(UPRIGHT)}, /* round, but over the seat */
        {{36, 0, 30, 0, 0}, true, POSTURE(FORWARD)},
        {{0, 0, -20, 0, 0}, true, POSTURE(BACKWARD)},
        {{5, 0, 2, 20, 0}, true, POSTURE(RIGHT)},
        {{5, 0, 2, -20, 0}, true, POSTURE(LEFT)},
        {{5, 0, 88, 0, 0}, true, POSTURE(LYING)},
        {{20, 30, 10, 0, 0}, true, POSTURE(MOVING)},
        {{20, -30, 10, 0, 0}, true, POSTURE(MOVING)},
        {{NAN, NAN, NAN, NAN, NAN}, true, POSTURE(UNKNOWN)},
        {{5, 0, 2, 0, 0}, false, POSTURE(OFF_BODY)},
        {{NAN, NAN, 2, NAN, NAN}, true, POSTURE(UPRIGHT)}, /* one sensor only */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct posture_firmware firmware;
        firmware_init(&firmware, &posture_limits_standing);
        firmware_judge(&firmware, &cases[i].angles, cases[i].contact, 0.02);
        if (firmware.posture != cases[i].posture)
            fail_msg("case %zu: posture %u", i, firmware.posture);
    }
}

static void a_slouch_counts_through_a_fidget_and_ends_when_upright(void **state)
{
    (void)state;
    const struct posture_angles slouched = {36, 0, 10, 0, 0}, upright = {5, 0, 2, 0, 0};
    const struct posture_angles silent = {NAN, NAN, NAN, NAN, NAN};
    struct posture_firmware firmware;
    firmware_init(&firmware, &posture_limits_standing);
    for (int i = 0; i < 100; i++)
        firmware_judge(&firmware, &slouched, true, 1);
    assert_true(firmware.slouch_s == 100);
    for (int i = 0; i < 4; i++)
        firmware_judge(&firmware, &upright, true, 1);
    assert_true(firmware.slouch_s == 100);
    for (int i = 0; i < 50; i++) /* silence neither counts nor ends it */
        firmware_judge(&firmware, &silent, true, 1);
    assert_true(firmware.slouch_s == 100);
    for (int i = 0; i < 2; i++)
        firmware_judge(&firmware, &upright, true, 1);
    assert_true(firmware.slouch_s == 0);
}

/* Runs a running applicator with a fault; the seconds until the firmware reports it, or -1. */
static int reported_after(struct ward *ward, struct applicator_faults faults, unsigned fault)
{
    for (int i = 0; i < 6000; i++) {
        applicator_step(&ward->applicator, &ward->room, faults, 0.1);
        if (ward->applicator.fault == fault)
            return i / 10;
    }
    return -1;
}

static void open_massage(struct ward *ward)
{
    open_ward(ward, 1, 3);
    while (ward->room.phase != PHASE_MASSAGE || ward->room.treatment.state != STATE(RUNNING))
        room_step(&ward->room, 0.1);
    for (int i = 0; i < 100; i++)
        applicator_step(&ward->applicator, &ward->room, sound, 0.1);
    assert_int_equal(ward->applicator.state, STATE(RUNNING));
}

static void a_blocked_motor_draws_much_then_is_switched_off_and_told(void **state)
{
    (void)state;
    struct ward ward;
    open_massage(&ward);
    struct applicator_faults stall = {.stall = true};
    applicator_step(&ward.applicator, &ward.room, stall, 0.1);
    assert_true(ward.applicator.measured.current > 6);
    int after = reported_after(&ward, stall, FAULT(STALL));
    assert_in_range(after, 2, 6);
    applicator_step(&ward.applicator, &ward.room, stall, 0.1);
    assert_int_equal(ward.applicator.state, STATE(FAULT));
    assert_int_equal(ward.applicator.fault, FAULT(NONE)); /* told once */
    assert_true(ward.applicator.measured.current < 0.5);
    applicator_step(&ward.applicator, &ward.room, sound, 0.1);
    assert_int_equal(ward.applicator.state, STATE(RUNNING));
}

static void a_stuck_thermostat_warms_the_skin_until_the_fuse_goes(void **state)
{
    (void)state;
    struct ward ward;
    open_massage(&ward);
    struct applicator_faults overheat = {.overheat = true};
    int after = reported_after(&ward, overheat, FAULT(OVERHEAT));
    assert_in_range(after, 30, 300);
    within("skin when the fuse goes", ward.applicator.skin, 43, 50);
    applicator_step(&ward.applicator, &ward.room, overheat, 0.1);
    assert_int_equal(ward.applicator.state, STATE(FAULT));
}

/* How often a value stays above a limit for longer than a time, as a rule would count. */
struct count {
    double limit, delay_s, above_s;
    unsigned alarms;
};

static void count_value(struct count *count, double value, double dt_s)
{
    if (!(value > count->limit)) {
        count->above_s = 0;
        return;
    }
    bool was = count->above_s >= count->delay_s && count->above_s > 0;
    count->above_s += dt_s;
    count->alarms += !was && count->above_s >= count->delay_s;
}

static void a_day_has_some_alarms_of_each_sort_but_no_storm(void **state)
{
    (void)state;
    unsigned all = 0, flexion = 0, slouch = 0, skin = 0;
    for (unsigned number = 1; number <= 6; number++) {
        struct ward ward;
        open_ward(&ward, 1, number);
        struct count counts[] = {{45, 5, 0, 0},   {20, 5, 0, 0},  {300, 0, 0, 0},
                                 {1800, 0, 0, 0}, {43, 10, 0, 0}, {48, 10, 0, 0}};
        for (int i = 0; i < 8 * 3600 * 10; i++) {
            step(&ward, 0.1);
            count_value(&counts[0], ward.wearable.measured.flexion, 0.1);
            count_value(&counts[1], ward.wearable.measured.trunk, 0.1);
            count_value(&counts[2], ward.wearable.firmware.slouch_s, 0.1);
            count_value(&counts[3], ward.wearable.firmware.sitting_s, 0.1);
            count_value(&counts[4], ward.applicator.measured.skin, 0.1);
            count_value(&counts[5], ward.applicator.measured.surface, 0.1);
        }
        flexion += counts[0].alarms;
        slouch += counts[2].alarms;
        skin += counts[4].alarms;
        for (size_t i = 0; i < COUNT(counts); i++)
            all += counts[i].alarms;
    }
    /* Six rooms, eight hours. */
    assert_in_range(flexion, 3, 40);
    assert_in_range(slouch, 5, 60);
    assert_in_range(skin, 2, 20);
    assert_in_range(all, 40, 200);
}

static void rooms_1_and_2_show_an_alarm_within_two_minutes(void **state)
{
    (void)state;
    struct ward one, two;
    open_ward(&one, 1, 1);
    open_ward(&two, 1, 2);
    double slouch_at = -1, skin_at = -1;
    for (double at = -ROOM_PAST_S; at < 120; at += 0.1) {
        step(&one, 0.1);
        step(&two, 0.1);
        if (slouch_at < 0 && one.wearable.firmware.slouch_s > 300)
            slouch_at = at;
        if (skin_at < 0 && two.applicator.skin > 43)
            skin_at = at;
    }
    within("the slouch passes 300 s", slouch_at, 5, 110);
    within("the skin passes 43 Cel", skin_at, 5, 110);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stay_plausible_for_hours_at_any_step),
        cmocka_unit_test(a_body_moves_without_jumps),
        cmocka_unit_test(the_same_seed_is_the_same_day_and_another_seed_another),
        cmocka_unit_test(every_phase_comes_and_rooms_are_out_of_step),
        cmocka_unit_test(off_the_body_it_has_no_angles_and_no_good_posture),
        cmocka_unit_test(firmware_tells_postures_apart),
        cmocka_unit_test(a_slouch_counts_through_a_fidget_and_ends_when_upright),
        cmocka_unit_test(a_blocked_motor_draws_much_then_is_switched_off_and_told),
        cmocka_unit_test(a_stuck_thermostat_warms_the_skin_until_the_fuse_goes),
        cmocka_unit_test(a_day_has_some_alarms_of_each_sort_but_no_storm),
        cmocka_unit_test(rooms_1_and_2_show_an_alarm_within_two_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
