/* The massage device: what it sends against what comes out. */
#include "bench.h"

#include "massage.pb-c.h"

typedef Lumbar__Massage__V1__Telemetry Telemetry;
typedef Lumbar__Massage__V1__Status Status;

static uint8_t packed[65536];

static int open_massage(void **state)
{
    (void)state;
    return open_plugin(PLUGIN_FOLDER "/massage.so");
}

static int decode_telemetry(const Telemetry *telemetry)
{
    return decode("telemetry", packed, lumbar__massage__v1__telemetry__pack(telemetry, packed));
}

static void it_measures_what_the_clinic_asks_for(void **state)
{
    (void)state;
    static const struct expected_metric expected[] = {
        {"massage_pressure", "kPa", LUMBAR_GAUGE, 0, 1000, LUMBAR_KEY},
        {"massage_force", "N", LUMBAR_GAUGE, 0, 300, 0},
        {"percussion_frequency", "Hz", LUMBAR_GAUGE, 0, 60, 0},
        {"percussion_amplitude", "mm", LUMBAR_GAUGE, 0, 20, 0},
        {"skin_temperature", "Cel", LUMBAR_GAUGE, 20, 50, LUMBAR_KEY},
        {"surface_temperature", "Cel", LUMBAR_GAUGE, 0, 80, 0},
        {"motor_current", "A", LUMBAR_GAUGE, 0, 20, 0},
        {"motor_temperature", "Cel", LUMBAR_GAUGE, 0, 120, 0},
        {"motor_vibration", "m/s2", LUMBAR_GAUGE, 0, 160, 0},
        {"state", "1", LUMBAR_STATE, 0, 3, LUMBAR_KEY},
        {"program", "1", LUMBAR_STATE, 0, 5, 0},
        {"region", "1", LUMBAR_STATE, 0, 6, 0},
        {"region_time", "min", LUMBAR_GAUGE, 0, 60, 0},
        {"fault", "1", LUMBAR_EVENT, 0, 4, LUMBAR_HEALTH},
        {"contact", "1", LUMBAR_STATE, 0, 1, LUMBAR_HEALTH},
        {"battery", "%", LUMBAR_GAUGE, 0, 100, LUMBAR_HEALTH},
        {"rssi", "dB{mW}", LUMBAR_GAUGE, -110, 0, LUMBAR_HEALTH},
    };
    assert_metrics(expected, COUNT(expected));
}

static void columns_become_series_that_share_their_times(void **state)
{
    (void)state;
    uint32_t dt_ms[] = {0, 500};
    int32_t pressure[] = {0, 10000}, force[] = {1, 3000}, frequency[] = {2950, 6000};
    int32_t amplitude[] = {1, 2000}, skin[] = {2000, 4305}, surface[] = {0, 8000};
    int32_t current[] = {1, 20000}, motor[] = {0, 12000}, vibration[] = {1, 16000};
    Telemetry telemetry = LUMBAR__MASSAGE__V1__TELEMETRY__INIT;
    telemetry.has_start_ms = 1;
    telemetry.start_ms = -500;
    telemetry.n_dt_ms = telemetry.n_massage_pressure = telemetry.n_massage_force = 2;
    telemetry.n_percussion_frequency = telemetry.n_percussion_amplitude = 2;
    telemetry.n_skin_temperature = telemetry.n_surface_temperature = 2;
    telemetry.n_motor_current = telemetry.n_motor_temperature = telemetry.n_motor_vibration = 2;
    telemetry.dt_ms = dt_ms;
    telemetry.massage_pressure = pressure;
    telemetry.massage_force = force;
    telemetry.percussion_frequency = frequency;
    telemetry.percussion_amplitude = amplitude;
    telemetry.skin_temperature = skin;
    telemetry.surface_temperature = surface;
    telemetry.motor_current = current;
    telemetry.motor_temperature = motor;
    telemetry.motor_vibration = vibration;
    assert_int_equal(decode_telemetry(&telemetry), LUMBAR_DECODED);

    static const int64_t times[] = {-500, 0};
    static const struct {
        const char *metric;
        double values[2];
    } cases[] = {
        {"massage_pressure", {0, 1000}},      {"massage_force", {0.1, 300}},
        {"percussion_frequency", {29.5, 60}}, {"percussion_amplitude", {0.01, 20}},
        {"skin_temperature", {20, 43.05}},    {"surface_temperature", {0, 80}},
        {"motor_current", {0.001, 20}},       {"motor_temperature", {0, 120}},
        {"motor_vibration", {0.01, 160}},
    };
    assert_int_equal(batch.series_count, COUNT(cases));
    assert_int_equal(out_of_range, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_series(cases[i].metric, 2, cases[i].values, times);
        assert_ptr_equal(series_of(cases[i].metric)->time_ms, batch.series[0].time_ms);
    }
}

static void state_program_and_region_have_the_words_of_the_proto(void **state)
{
    (void)state;
    static const struct {
        const char *metric;
        int32_t enumerator;
        const char *label; /* NULL: NaN */
    } cases[] = {
        {"state", 0, NULL}, /* unknown */
        {"state", 1, "idle"},
        {"state", 2, "running"},
        {"state", 3, "paused"},
        {"state", 4, "fault"},
        {"state", 5, NULL}, /* a newer firmware's */
        {"state", -1, NULL},
        {"program", 0, "none"},
        {"program", 1, "warm_up"},
        {"program", 2, "heat"},
        {"program", 3, "massage"},
        {"program", 4, "percussion"},
        {"program", 5, "stretching"},
        {"program", 6, NULL},
        {"region", 0, "none"},
        {"region", 1, "lower_back_left"},
        {"region", 2, "lower_back_right"},
        {"region", 3, "glute_left"},
        {"region", 4, "glute_right"},
        {"region", 5, "hip_left"},
        {"region", 6, "hip_right"},
        {"region", 7, NULL},
        {"region", INT32_MIN, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Telemetry telemetry = LUMBAR__MASSAGE__V1__TELEMETRY__INIT;
        telemetry.has_state = telemetry.has_program = telemetry.has_region = 1;
        telemetry.state = (Lumbar__Massage__V1__State)cases[i].enumerator;
        telemetry.program = (Lumbar__Massage__V1__Program)cases[i].enumerator;
        telemetry.region = (Lumbar__Massage__V1__Region)cases[i].enumerator;
        assert_int_equal(decode_telemetry(&telemetry), LUMBAR_DECODED);
        const struct lumbar_series *series = series_of(cases[i].metric);
        assert_non_null(series);
        assert_int_equal(series->count, 1);
        assert_int_equal(isnan(series->value[0]) != 0, cases[i].label == NULL);
        const struct lumbar_metric *metric = &plugin_under_test()->metrics[series->metric];
        if (cases[i].label != NULL)
            assert_string_equal(metric->labels[(unsigned)series->value[0]], cases[i].label);
    }
}

static void each_fault_is_an_event_now(void **state)
{
    (void)state;
    static const struct {
        int32_t faults[5];
        size_t count;
        double labels[5];
        uint32_t events;
    } cases[] = {
        {{0}, 0, {0}, 0},
        {{0, 0}, 2, {0}, 0}, /* FAULT_NONE is no event */
        {{1, 2, 3, 4}, 4, {0, 1, 2, 3}, 4},
        {{2, 0, 2}, 3, {1, 1}, 2},
        {{5, INT32_MAX, -1, INT32_MIN}, 4, {4, 4, 4, 4}, 4}, /* of a newer firmware: other */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Lumbar__Massage__V1__Fault faults[5];
        for (size_t j = 0; j < cases[i].count; j++)
            faults[j] = (Lumbar__Massage__V1__Fault)cases[i].faults[j];
        Telemetry telemetry = LUMBAR__MASSAGE__V1__TELEMETRY__INIT;
        telemetry.has_now_ms = 1;
        telemetry.now_ms = 4711;
        telemetry.n_faults = cases[i].count;
        telemetry.faults = faults;
        assert_int_equal(decode_telemetry(&telemetry), LUMBAR_DECODED);
        assert_int_equal(out_of_range, 0);
        static const int64_t times[] = {4711, 4711, 4711, 4711, 4711};
        if (cases[i].events == 0)
            assert_null(series_of("fault"));
        else
            assert_series("fault", cases[i].events, cases[i].labels, times);
    }
}

static void more_than_1024_faults_are_refused(void **state)
{
    (void)state;
    static Lumbar__Massage__V1__Fault faults[1025];
    for (size_t i = 0; i < COUNT(faults); i++)
        faults[i] = LUMBAR__MASSAGE__V1__FAULT__FAULT_STALL;
    Telemetry telemetry = LUMBAR__MASSAGE__V1__TELEMETRY__INIT;
    telemetry.faults = faults;
    telemetry.n_faults = 1024;
    assert_int_equal(decode_telemetry(&telemetry), LUMBAR_DECODED);
    telemetry.n_faults = 1025;
    assert_int_equal(decode_telemetry(&telemetry), LUMBAR_MALFORMED);
}

static void single_values_stand_at_the_devices_clock(void **state)
{
    (void)state;
    Telemetry telemetry = LUMBAR__MASSAGE__V1__TELEMETRY__INIT;
    telemetry.has_now_ms = telemetry.has_region_time_s = telemetry.has_battery = 1;
    telemetry.has_rssi = telemetry.has_contact = 1;
    telemetry.now_ms = 99;
    telemetry.region_time_s = 3600;
    telemetry.battery = 101; /* beyond what a battery can say */
    telemetry.rssi = 0;
    telemetry.contact = 0;
    assert_int_equal(decode_telemetry(&telemetry), LUMBAR_DECODED);
    static const int64_t now = 99;
    static const struct {
        const char *metric;
        double value;
    } cases[] = {{"region_time", 60}, {"battery", NAN}, {"rssi", 0}, {"contact", 0}};
    assert_int_equal(batch.series_count, COUNT(cases));
    assert_int_equal(out_of_range, 1);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_series(cases[i].metric, 1, &cases[i].value, &now);
}

static void status_tells_of_health_and_state(void **state)
{
    (void)state;
    Status status = LUMBAR__MASSAGE__V1__STATUS__INIT;
    status.has_now_ms = status.has_battery = status.has_rssi = 1;
    status.has_contact = status.has_state = 1;
    status.now_ms = 31;
    status.battery = 100;
    status.rssi = -40;
    status.contact = 1;
    status.state = LUMBAR__MASSAGE__V1__STATE__STATE_PAUSED;
    status.firmware = (char *)(uintptr_t) "2.0.0";
    size_t bytes = lumbar__massage__v1__status__pack(&status, packed);
    assert_int_equal(decode("status", packed, bytes), LUMBAR_DECODED);
    static const int64_t now = 31;
    static const struct {
        const char *metric;
        double value;
    } cases[] = {{"battery", 100}, {"rssi", -40}, {"contact", 1}, {"state", 2}};
    assert_int_equal(batch.series_count, COUNT(cases));
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_series(cases[i].metric, 1, &cases[i].value, &now);
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
        cmocka_unit_test(state_program_and_region_have_the_words_of_the_proto),
        cmocka_unit_test(each_fault_is_an_event_now),
        cmocka_unit_test(more_than_1024_faults_are_refused),
        cmocka_unit_test(single_values_stand_at_the_devices_clock),
        cmocka_unit_test(status_tells_of_health_and_state),
        cmocka_unit_test(the_wire_is_read_as_protobuf_has_it),
    };
    return cmocka_run_group_tests(tests, open_massage, close_plugin);
}
