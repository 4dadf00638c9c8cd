/* What the firmware makes of a recording's rows. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "massage.pb-c.h"
#include "played.h"
#include "posture.pb-c.h"

#define RAD           (3.14159265358979 / 180)
#define POSTURE(name) LUMBAR__POSTURE__V1__POSTURE__POSTURE_##name

static const struct neutral vertical = {0};

/* Two sensors tilted forward by so many deg, of 1.013 g: uncalibrated, as real ones. */
static struct recording_row tilted(double time_s, double l5, double t12)
{
    struct recording_row row = {.time_s = time_s};
    row.values[L5_X] = 1.013 * cos(l5 * RAD);
    row.values[L5_Z] = 1.013 * sin(l5 * RAD);
    row.values[T12_X] = 0.99 * cos(t12 * RAD);
    row.values[T12_Z] = 0.99 * sin(t12 * RAD);
    return row;
}

static void near(double value, double wanted, double by)
{
    if (!(fabs(value - wanted) <= by))
        fail_msg("%g, not %g", value, wanted);
}

static void angles_are_tilts_relative_to_the_neutral_pose(void **state)
{
    (void)state;
    struct played played;
    struct neutral neutral = {.l5_forward = 5, .t12_forward = -3};
    played_init(&played, RECORDING_SITTING, &neutral);
    for (int i = 0; i < 20; i++) {
        struct recording_row row = tilted(i * 0.02, 13 + i * 0.1, 12 + i * 0.3);
        played_row(&played, &row);
    }
    near(played.angles.trunk, 13 + 1.9 - 5, 0.001);
    near(played.angles.flexion, (12 + 5.7 + 3) - (13 + 1.9 - 5), 0.001);
    near(played.angles.velocity, 0.2 / 0.02, 0.01); /* 0.2 deg a row of 20 ms */
    assert_true(isnan(played.angles.rotation));
}

static void a_silent_sensor_makes_angles_silent_and_the_posture_unknown(void **state)
{
    (void)state;
    struct played played;
    played_init(&played, RECORDING_SITTING, &vertical);
    struct recording_row row = tilted(0, 0, 0);
    played_row(&played, &row);
    assert_int_equal(played.firmware.posture, POSTURE(UPRIGHT));
    row = tilted(0.02, NAN, 0);
    played_row(&played, &row);
    assert_true(isnan(played.angles.trunk) && isnan(played.angles.flexion));
    assert_int_equal(played.firmware.posture, POSTURE(UNKNOWN));
    assert_int_equal(played_now(&played).slouch_s, -1); /* not known either: left out */
    assert_int_equal(played_now(&played).contact, -1);
    row = tilted(0.04, 0, NAN); /* the other one alone: the trunk is known still */
    played_row(&played, &row);
    near(played.angles.trunk, 0, 0.001);
    assert_true(isnan(played.angles.flexion));
}

static void neutral_is_the_mean_of_what_was_said(void **state)
{
    (void)state;
    static const char text[] =
        "Index,L5_Acceleration X(g),L5_Acceleration Y(g),L5_Acceleration Z(g),"
        "T12_Acceleration X(g),T12_Acceleration Y(g),T12_Acceleration Z(g)\n"
        "0,1,0,0,1,0,0\n"
        "1,1,0,1,1,0,-1\n"
        "2,,,,1,0,1\n";
    struct neutral neutral;
    struct diag diag = {0};
    assert_int_equal(neutral_read(&neutral, "n", text, sizeof(text) - 1, RECORDING_SITTING, &diag),
                     0);
    near(neutral.l5_forward, 22.5, 0.001);
    near(neutral.t12_forward, 0, 0.001);
    assert_true(neutral_read(&neutral, "n", text, sizeof(text) - 1, RECORDING_LOWER_BACK, &diag) <
                0);
    assert_non_null(strstr(diag.text, "cannot be the neutral pose"));
}

static void walking_does_not_shake_the_filtered_tilt(void **state)
{
    (void)state;
    struct played played;
    played_init(&played, RECORDING_LOWER_BACK, &vertical);
    for (int i = 0; i < 2000; i++) {
        struct recording_row row = {.time_s = i * 0.01};
        row.values[ACC_X] = 1;
        row.values[ACC_Z] = -0.1 + 0.3 * sin(i * 0.01 * 2 * 3.14159 * 2); /* 2 steps a second */
        played_row(&played, &row);
        if (i > 500)
            near(played.angles.trunk, 5.7, 2.5); /* accelerometer alone: +-17 */
    }
    assert_true(isnan(played.angles.flexion)); /* one sensor knows nothing of it */
}

static void units_are_the_wires_and_negative_pressure_stays(void **state)
{
    (void)state;
    struct played played;
    played_init(&played, RECORDING_PUMP, &vertical);
    struct recording_row row = {0,
                                {[VIBRATION_1] = 0.2,
                                 [VIBRATION_2] = 0.3,
                                 [CURRENT] = 2.5,
                                 [PRESSURE] = -0.6,
                                 [MOTOR] = 88,
                                 [FLUID] = 29}};
    played_row(&played, &row);
    near(played.massage.current, 2.5, 0);
    near(played.massage.pressure, -60, 1e-9); /* bar to kPa: the hub refuses what cannot be */
    near(played.massage.motor, 88, 0);
    near(played.massage.surface, 29, 0);
    near(played.massage.vibration, 0.25 * 9.80665, 1e-9); /* g to m/s2, of both sensors */
    assert_true(isnan(played.massage.skin));
}

static void heat_is_on_while_the_heater_is(void **state)
{
    (void)state;
    struct played played;
    played_init(&played, RECORDING_HEATER, &vertical);
    struct recording_row row = {0, {[HEATER_1] = 100, [TEMPERATURE_1] = 43, [TEMPERATURE_2] = 30}};
    played_row(&played, &row);
    assert_int_equal(played_now(&played).program, LUMBAR__MASSAGE__V1__PROGRAM__PROGRAM_HEAT);
    near(played.massage.skin, 43, 0);
    near(played.massage.surface, 30, 0);
    row.values[HEATER_1] = 0;
    played_row(&played, &row);
    assert_int_equal(played_now(&played).state, LUMBAR__MASSAGE__V1__STATE__STATE_IDLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(angles_are_tilts_relative_to_the_neutral_pose),
        cmocka_unit_test(a_silent_sensor_makes_angles_silent_and_the_posture_unknown),
        cmocka_unit_test(neutral_is_the_mean_of_what_was_said),
        cmocka_unit_test(walking_does_not_shake_the_filtered_tilt),
        cmocka_unit_test(units_are_the_wires_and_negative_pressure_stays),
        cmocka_unit_test(heat_is_on_while_the_heater_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
