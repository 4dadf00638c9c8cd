/* The posture wearable: what it sends against what comes out. */
#include "bench.h"

#include "posture.pb-c.h"

typedef Lumbar__Posture__V1__Telemetry Telemetry;
typedef Lumbar__Posture__V1__Status Status;

static uint8_t packed[65536];

static int open_posture(void **state)
{
    (void)state;
    return open_plugin(PLUGIN_FOLDER "/posture.so");
}

static int decode_telemetry(const Telemetry *telemetry)
{
    return decode("telemetry", packed, lumbar__posture__v1__telemetry__pack(telemetry, packed));
}

static void it_measures_what_the_clinic_asks_for(void **state)
{
    (void)state;
    static const struct expected_metric expected[] = {
        {"lumbar_flexion", "deg", LUMBAR_GAUGE, -40, 100, 0},
        {"lumbar_flexion_velocity", "deg/s", LUMBAR_GAUGE, -300, 300, 0},
        {"trunk_inclination", "deg", LUMBAR_GAUGE, -30, 120, LUMBAR_KEY},
        {"lumbar_lateral_flexion", "deg", LUMBAR_GAUGE, -45, 45, 0},
        {"lumbar_rotation", "deg", LUMBAR_GAUGE, -25, 25, 0},
        {"posture", "1", LUMBAR_STATE, 0, 8, LUMBAR_KEY},
        {"slouch_duration", "s", LUMBAR_GAUGE, 0, 14400, 0},
        {"sitting_bout", "min", LUMBAR_GAUGE, 0, 480, 0},
        {"rom_flexion_max", "deg", LUMBAR_GAUGE, 10, 100, 0},
        {"contact", "1", LUMBAR_STATE, 0, 1, LUMBAR_HEALTH},
        {"battery", "%", LUMBAR_GAUGE, 0, 100, LUMBAR_HEALTH},
        {"rssi", "dB{mW}", LUMBAR_GAUGE, -110, 0, LUMBAR_HEALTH},
    };
    assert_metrics(expected, COUNT(expected));
}

static void columns_become_series_that_share_their_times(void **state)
{
    (void)state;
    uint32_t dt_ms[] = {0, 100, 250};
    int32_t flexion[] = {-4000, 0, 10000}, velocity[] = {-3000, 5, 3000};
    int32_t inclination[] = {-3000, 715, 12000}, lateral[] = {-4500, -1, 4500};
    int32_t rotation[] = {-2500, 1, 2500};
    Lumbar__Posture__V1__Posture posture[] = {1, 2, 9};
    Telemetry telemetry = LUMBAR__POSTURE__V1__TELEMETRY__INIT;
    telemetry.has_start_ms = telemetry.has_now_ms = 1;
    telemetry.start_ms = 5000;
    telemetry.now_ms = 5500;
    telemetry.n_dt_ms = telemetry.n_lumbar_flexion = telemetry.n_lumbar_flexion_velocity = 3;
    telemetry.n_trunk_inclination = telemetry.n_lumbar_lateral_flexion = 3;
    telemetry.n_lumbar_rotation = telemetry.n_posture = 3;
    telemetry.dt_ms = dt_ms;
    telemetry.lumbar_flexion = flexion;
    telemetry.lumbar_flexion_velocity = velocity;
    telemetry.trunk_inclination = inclination;
    telemetry.lumbar_lateral_flexion = lateral;
    telemetry.lumbar_rotation = rotation;
    telemetry.posture = posture;
    assert_int_equal(decode_telemetry(&telemetry), LUMBAR_DECODED);

    static const int64_t times[] = {5000, 5100, 5350};
    static const struct {
        const char *metric;
        double values[3];
    } cases[] = {
        {"lumbar_flexion", {-40, 0, 100}},       {"lumbar_flexion_velocity", {-300, 0.5, 300}},
        {"trunk_inclination", {-30, 7.15, 120}}, {"lumbar_lateral_flexion", {-45, -0.01, 45}},
        {"lumbar_rotation", {-25, 0.01, 25}},    {"posture", {0, 1, 8}},
    };
    assert_int_equal(batch.series_count, COUNT(cases));
    assert_int_equal(batch.now_ms, 5500);
    assert_int_equal(out_of_range, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_series(cases[i].metric, 3, cases[i].values, times);
        assert_ptr_equal(series_of(cases[i].metric)->time_ms, batch.series[0].time_ms);
    }
}

static void single_values_stand_at_the_devices_clock(void **state)
{
    (void)state;
    Telemetry telemetry = LUMBAR__POSTURE__V1__TELEMETRY__INIT;
    telemetry.has_now_ms = telemetry.has_slouch_duration_s = telemetry.has_sitting_bout_s = 1;
    telemetry.has_rom_flexion_max = telemetry.has_battery = telemetry.has_rssi = 1;
    telemetry.has_contact = 1;
    telemetry.now_ms = 1700000000000;
    telemetry.slouch_duration_s = 900;
    telemetry.sitting_bout_s = 90;
    telemetry.rom_flexion_max = 7225;
    telemetry.battery = 0;
    telemetry.rssi = -110;
    telemetry.contact = 1;
    assert_int_equal(decode_telemetry(&telemetry), LUMBAR_DECODED);
    static const int64_t now = 1700000000000;
    static const struct {
        const char *metric;
        double value;
    } cases[] = {
        {"slouch_duration", 900}, {"sitting_bout", 1.5}, {"rom_flexion_max", 72.25},
        {"battery", 0},           {"rssi", -110},        {"contact", 1},
    };
    assert_int_equal(batch.series_count, COUNT(cases));
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_series(cases[i].metric, 1, &cases[i].value, &now);
}

static void what_the_sensor_did_not_say_is_nan_and_what_it_cannot_say_is_counted(void **state)
{
    (void)state;
    static const struct {
        int32_t inclination; /* 0.01 deg */
        int32_t posture;     /* the enumerator */
        double value, label;
        uint32_t out_of_range;
    } cases[] = {
        {725, 2, 7.25, 1, 0},      {INT32_MIN, 1, NAN, 0, 0}, /* silent */
        {12001, 1, NAN, 0, 1},                                /* beyond the sensor */
        {INT32_MAX, 1, NAN, 0, 1}, {INT32_MIN + 1, 1, NAN, 0, 1},
        {0, 0, 0, NAN, 0},  /* posture unknown */
        {0, 10, 0, NAN, 0}, /* a newer firmware's */
        {0, -1, 0, NAN, 0},        {0, INT32_MAX, 0, NAN, 0},
        {0, INT32_MIN, 0, NAN, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t dt_ms = 0;
        int32_t inclination = cases[i].inclination;
        Lumbar__Posture__V1__Posture posture = (Lumbar__Posture__V1__Posture)cases[i].posture;
        Telemetry telemetry = LUMBAR__POSTURE__V1__TELEMETRY__INIT;
        telemetry.has_start_ms = 1;
        telemetry.start_ms = 77;
        telemetry.n_dt_ms = telemetry.n_trunk_inclination = telemetry.n_posture = 1;
        telemetry.dt_ms = &dt_ms;
        telemetry.trunk_inclination = &inclination;
        telemetry.posture = &posture;
        assert_int_equal(decode_telemetry(&telemetry), LUMBAR_DECODED);
        static const int64_t time = 77;
        assert_series("trunk_inclination", 1, &cases[i].value, &time);
        assert_series("posture", 1, &cases[i].label, &time);
        assert_int_equal(out_of_range, cases[i].out_of_range);
    }
}

static void accounting_needs_both_boot_and_sequence(void **state)
{
    (void)state;
    static const struct {
        bool boot, sequence, now, wall;
        uint32_t flags;
    } cases[] = {
        {true, true, true, true, LUMBAR_HAS_SEQUENCE | LUMBAR_WALL_CLOCK},
        {true, true, true, false, LUMBAR_HAS_SEQUENCE},
        {true, false, true, true, LUMBAR_WALL_CLOCK},
        {false, true, true, true, LUMBAR_WALL_CLOCK},
        {true, true, false, true, LUMBAR_HAS_SEQUENCE}, /* no clock, so none to be skewed */
        {false, false, false, false, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Telemetry telemetry = LUMBAR__POSTURE__V1__TELEMETRY__INIT;
        telemetry.has_boot_id = cases[i].boot;
        telemetry.has_sequence = cases[i].sequence;
        telemetry.has_held_from = 1;
        telemetry.has_now_ms = cases[i].now;
        telemetry.has_wall_clock = 1;
        telemetry.wall_clock = cases[i].wall;
        telemetry.boot_id = UINT64_MAX;
        telemetry.sequence = UINT64_MAX - 1;
        telemetry.held_from = UINT64_MAX - 2;
        telemetry.now_ms = -12345;
        assert_int_equal(decode_telemetry(&telemetry), LUMBAR_DECODED);
        assert_int_equal(batch.flags, cases[i].flags);
        assert_int_equal(batch.now_ms, cases[i].now ? -12345 : 0);
        if ((batch.flags & LUMBAR_HAS_SEQUENCE) == 0)
            continue;
        assert_true(batch.boot_id == UINT64_MAX);
        assert_true(batch.sequence == UINT64_MAX - 1);
        assert_true(batch.held_from == UINT64_MAX - 2);
    }
}

static void without_a_clock_the_last_row_is_now(void **state)
{
    (void)state;
    uint32_t dt_ms[] = {0, 200};
    Telemetry telemetry = LUMBAR__POSTURE__V1__TELEMETRY__INIT;
    telemetry.has_start_ms = telemetry.has_battery = 1;
    telemetry.start_ms = -200;
    telemetry.n_dt_ms = 2;
    telemetry.dt_ms = dt_ms;
    telemetry.battery = 50;
    assert_int_equal(decode_telemetry(&telemetry), LUMBAR_DECODED);
    static const int64_t time = 0;
    static const double value = 50;
    assert_int_equal(batch.now_ms, 0);
    assert_series("battery", 1, &value, &time);
}

static void more_than_1024_rows_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t rows;
        int result;
    } cases[] = {{1024, LUMBAR_DECODED}, {1025, LUMBAR_MALFORMED}, {4000, LUMBAR_MALFORMED}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        static uint32_t dt_ms[4000];
        static int32_t flexion[4000];
        dt_ms[1] = UINT32_MAX; /* 49 days at a step: no overflow anywhere */
        Telemetry telemetry = LUMBAR__POSTURE__V1__TELEMETRY__INIT;
        telemetry.has_start_ms = 1;
        telemetry.n_dt_ms = telemetry.n_lumbar_flexion = cases[i].rows;
        telemetry.dt_ms = dt_ms;
        telemetry.lumbar_flexion = flexion;
        assert_int_equal(decode_telemetry(&telemetry), cases[i].result);
        if (cases[i].result == LUMBAR_DECODED)
            assert_int_equal(batch.series[0].time_ms[1023], UINT32_MAX);
    }
}

static void status_tells_of_the_devices_health(void **state)
{
    (void)state;
    Status status = LUMBAR__POSTURE__V1__STATUS__INIT;
    status.has_boot_id = status.has_now_ms = status.has_wall_clock = 1;
    status.has_battery = status.has_rssi = status.has_contact = 1;
    status.boot_id = 9;
    status.now_ms = 1700000000000;
    status.wall_clock = 1;
    status.battery = 20;
    status.rssi = -85;
    status.contact = 0;
    status.firmware = (char *)(uintptr_t) "1.2.3";
    size_t bytes = lumbar__posture__v1__status__pack(&status, packed);
    assert_int_equal(decode("status", packed, bytes), LUMBAR_DECODED);
    static const int64_t now = 1700000000000;
    static const double battery = 20, rssi = -85, contact = 0;
    assert_int_equal(batch.series_count, 3);
    assert_int_equal(batch.flags, LUMBAR_WALL_CLOCK); /* it is not of the sequence */
    assert_series("battery", 1, &battery, &now);
    assert_series("rssi", 1, &rssi, &now);
    assert_series("contact", 1, &contact, &now);
}

static void a_leaf_that_it_does_not_know_is_ignored(void **state)
{
    (void)state;
    assert_int_equal(decode("ack", "\x08\x01", 2), LUMBAR_IGNORED);
    assert_int_equal(decode("", "", 0), LUMBAR_IGNORED);
}

static void the_wire_is_read_as_protobuf_has_it(void **state)
{
    (void)state;
    assert_wire_cases();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_measures_what_the_clinic_asks_for),
        cmocka_unit_test(columns_become_series_that_share_their_times),
        cmocka_unit_test(single_values_stand_at_the_devices_clock),
        cmocka_unit_test(what_the_sensor_did_not_say_is_nan_and_what_it_cannot_say_is_counted),
        cmocka_unit_test(accounting_needs_both_boot_and_sequence),
        cmocka_unit_test(without_a_clock_the_last_row_is_now),
        cmocka_unit_test(more_than_1024_rows_are_refused),
        cmocka_unit_test(status_tells_of_the_devices_health),
        cmocka_unit_test(a_leaf_that_it_does_not_know_is_ignored),
        cmocka_unit_test(the_wire_is_read_as_protobuf_has_it),
    };
    return cmocka_run_group_tests(tests, open_posture, close_plugin);
}
