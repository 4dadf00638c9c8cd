/*
 * What derived metrics come to, as a table: a sentence, a metric, and what happens, each with the
 * value that must be derived of it. Times are in ms since START.
 */
#ifndef LUMBAR_TESTS_DERIVE_ROWS_H
#define LUMBAR_TESTS_DERIVE_ROWS_H

#include <math.h>
#include <stdint.h>

#define START     INT64_C(1700000000000) /* what the rows' times are added to */
#define STEPS_MAX 20

enum step_kind { END, VALUE, OTHER, SESSION };

struct step {
    enum step_kind kind;
    int64_t at_ms;
    double value; /* NaN: the sensor said nothing */
    double gives; /* what is derived then; NONE: no value, NaN: an unknown one */
    uint64_t session;
    uint32_t phase;
};

#define NONE (-1e9)

/* v: a value comes, and the metric is this; other: a message without the source; in: a session and
 * its phase begin; out: it ends. */
#define v(at, value, gives)                                                                        \
    {                                                                                              \
        VALUE, at, value, gives, 0, 0                                                              \
    }
#define other(at, gives)                                                                           \
    {                                                                                              \
        OTHER, at, 0, gives, 0, 0                                                                  \
    }
#define in(at, session, phase)                                                                     \
    {                                                                                              \
        SESSION, at, 0, NONE, session, phase                                                       \
    }
#define out(at)                                                                                    \
    {                                                                                              \
        SESSION, at, 0, NONE, 0, 0                                                                 \
    }

#define DOSE "metric: warmth, dose: {full: 360 min, at: 44 Cel, doubles: 1 Cel, from: 43 Cel}"
#define S44  (100.0 / 360 / 60) /* % for a second at 44 Cel */

/* warmth is stale after 3 s, angle after 2, pose after 3. */
static const struct row {
    const char *proves;
    const char *derived; /* its lines in flow style, without the name */
    const char *source;
    struct step steps[STEPS_MAX];
} rows[] = {
    {"a_value_holds_until_the_next_comes",
     "metric: angle, time: {above: 20 deg}, unit: s",
     "angle",
     {v(0, 10, 0), v(1000, 30, 0), v(1500, 30, 0.5), v(2500, 10, 1.5), v(3500, 30, 1.5)}},
    {"time_is_in_minutes_where_nothing_is_said",
     "metric: angle, time: {above: 20 deg}",
     "angle",
     {v(0, 30, 0), v(1500, 30, 0.025), v(3000, 30, 0.05)}},
    {"time_in_hours",
     "metric: angle, time: {above: 20 deg}, unit: h",
     "angle",
     {v(0, 30, 0), v(1800, 30, 0.0005)}},
    {"the_limit_itself_is_not_above_it",
     "metric: angle, time: {above: 20 deg}, unit: s",
     "angle",
     {v(0, 20, 0), v(1000, 20, 0), v(2000, 20.5, 0), v(3000, 20, 1)}},
    {"time_below",
     "metric: angle, time: {below: -10 deg}, unit: s",
     "angle",
     {v(0, -10, 0), v(1000, -11, 0), v(2000, 0, 1), v(3000, 0, 1)}},
    {"time_within_has_both_ends",
     "metric: angle, time: {within: [10 deg, 20 deg]}, unit: s",
     "angle",
     {v(0, 10, 0), v(1000, 20, 1), v(2000, 21, 2), v(3000, 9, 2), v(4000, 15, 2)}},
    {"time_outside_has_neither",
     "metric: angle, time: {outside: [10 deg, 20 deg]}, unit: s",
     "angle",
     {v(0, 10, 0), v(1000, 20, 0), v(2000, 21, 0), v(3000, 9, 1), v(4000, 15, 2)}},
    {"time_in_a_state",
     "metric: pose, time: {is: slouched}, unit: s",
     "pose",
     {v(0, 1, 0), v(1000, 1, 1), v(2000, 0, 2), v(3000, 1, 2)}},
    {"a_gap_beyond_the_stale_time_counts_for_nothing",
     "metric: angle, time: {above: 20 deg}, unit: s",
     "angle",
     {v(0, 30, 0), v(2000, 30, 2), v(4001, 30, 2), v(5000, 30, 2.999)}},
    {"what_the_sensor_does_not_know_does_not_hold",
     "metric: angle, time: {above: 20 deg}, unit: s",
     "angle",
     {v(0, 30, 0), v(1000, NAN, NAN), v(1500, 30, 1), v(2000, 30, 1.5)}},
    {"older_than_what_was_counted_counts_for_nothing",
     "metric: angle, time: {above: 20 deg}, unit: s",
     "angle",
     {v(0, 30, 0), v(1000, 30, 1), v(500, 30, NONE), v(2000, 30, 2)}},
    {"a_value_from_a_future_that_was_wrong_gives_way",
     "metric: angle, time: {above: 20 deg}, unit: s",
     "angle",
     {v(100000, 30, 0), v(0, 30, 0), v(1000, 30, 1)}},
    {"a_count_is_of_beginnings",
     "metric: angle, count: {above: 20 deg}",
     "angle",
     {v(0, 10, 0), v(100, 21, 1), v(200, 40, 1), v(300, 20, 1), v(400, 21, 2)}},
    {"what_has_begun_when_it_is_first_seen_is_counted",
     "metric: angle, count: {above: 20 deg}",
     "angle",
     {v(0, 30, 1), v(100, 30, 1)}},
    {"within_the_deadband_an_excursion_goes_on",
     "metric: angle, count: {above: 20 deg, deadband: 5 deg}",
     "angle",
     {v(0, 21, 1), v(100, 16, 1), v(200, 21, 1), v(300, 15, 1), v(400, 21, 2)}},
    {"deadband_below",
     "metric: angle, count: {below: 20 deg, deadband: 5 deg}",
     "angle",
     {v(0, 19, 1), v(100, 24, 1), v(200, 19, 1), v(300, 25, 1), v(400, 19, 2)}},
    {"deadband_outside",
     "metric: angle, count: {outside: [-20 deg, 20 deg], deadband: 5 deg}",
     "angle",
     {v(0, -21, 1), v(100, -16, 1), v(200, 21, 1), v(300, 0, 1), v(400, 21, 2)}},
    {"deadband_within",
     "metric: angle, count: {within: [0 deg, 20 deg], deadband: 5 deg}",
     "angle",
     {v(0, 10, 1), v(100, 25, 1), v(200, 10, 1), v(300, 26, 1), v(400, 0, 2)}},
    {"a_state_is_counted_each_time_it_begins",
     "metric: pose, count: {is: slouched}",
     "pose",
     {v(0, 1, 1), v(100, 1, 1), v(200, 0, 1), v(300, 1, 2)}},
    {"an_event_is_counted_each_time_it_happens",
     "metric: fault, count: {is: overheat}",
     "fault",
     {v(0, 1, 1), v(0, 1, 2), v(500, 0, 2), v(9000000, 1, 3)}},
    {"an_unknown_value_ends_no_excursion",
     "metric: angle, count: {above: 20 deg}",
     "angle",
     {v(0, 30, 1), v(100, NAN, NAN), v(200, 30, 1)}},
    {"a_dose_is_what_lies_above_over_time",
     "metric: angle, dose: {above: 20 deg}, unit: s, max: 1000 deg.s",
     "angle",
     {v(0, 30, 0), v(1000, 20, 10), v(2000, 10, 10), v(3000, 25, 10), v(3500, 25, 12.5)}},
    {"a_second_at_44_is_the_measure", DOSE, "warmth", {v(0, 44, 0), v(1000, 44, S44)}},
    {"each_degree_doubles",
     DOSE,
     "warmth",
     {v(0, 45, 0), v(1000, 46, 2 * S44), v(2000, 48, 6 * S44), v(3000, 43.5, 22 * S44)}},
    {"nothing_below_43_counts",
     DOSE,
     "warmth",
     {v(0, 42.9, 0), v(1000, 43, 0), v(2000, 42.9, 0.5 * S44), v(3000, 44, 0.5 * S44)}},
    {"a_lost_sensor_gives_no_dose",
     DOSE,
     "warmth",
     {v(0, 44, 0), v(3000, 44, 3 * S44), v(7000, 44, 3 * S44), v(8000, 44, 4 * S44)}},
    {"beyond_the_most_it_stays_there",
     "metric: angle, dose: {above: 0 deg}, unit: s, max: 50 deg.s",
     "angle",
     {v(0, 100, 0), v(400, 100, 40), v(1000, 100, 50), v(2000, 100, 50)}},
    {"never_reset_it_counts_over_sessions",
     "metric: angle, time: {above: 20 deg}, unit: s",
     "angle",
     {v(0, 30, 0), in(500, 7, 0), v(1000, 30, 1), out(1500), v(2000, 30, 2)}},
    {"a_session_begins_at_0",
     "metric: angle, time: {above: 20 deg}, unit: s, reset: session",
     "angle",
     {in(0, 7, 0), v(0, 30, 0), v(1000, 30, 1), in(1500, 8, 0), v(2000, 30, 0), v(3000, 30, 1)}},
    {"outside_of_a_session_it_is_0",
     "metric: angle, time: {above: 20 deg}, unit: s, reset: session",
     "angle",
     {v(0, 30, 0), v(1000, 30, 0), in(1500, 7, 0), v(2000, 30, 0), v(3000, 30, 1), out(3500),
      v(4000, 30, 0), v(5000, 30, 0)}},
    {"what_was_measured_before_the_session_is_not_of_it",
     "metric: angle, time: {above: 20 deg}, unit: s, reset: session",
     "angle",
     {in(2000, 7, 0), v(0, 30, 0), v(1000, 30, 0), v(2000, 30, 0), v(3000, 30, 1)}},
    {"another_phase_is_the_same_session",
     "metric: angle, time: {above: 20 deg}, unit: s, reset: session",
     "angle",
     {in(0, 7, 0), v(0, 30, 0), v(1000, 30, 1), in(1500, 7, 1), v(2000, 30, 2)}},
    {"a_phase_begins_at_0",
     "metric: angle, time: {above: 20 deg}, unit: s, reset: phase",
     "angle",
     {in(0, 7, 0), v(0, 30, 0), v(1000, 30, 1), in(1500, 7, 1), v(2000, 30, 0), v(3000, 30, 1)}},
    {"the_end_is_told_though_the_source_is_silent",
     "metric: angle, count: {above: 20 deg}, reset: session",
     "angle",
     {in(0, 7, 0), v(0, 30, 1), other(500, NONE), out(900), other(1000, 0), other(1500, NONE)}},
    {"an_event_of_the_last_session_is_not_of_the_next",
     "metric: fault, count: {is: overheat}, reset: session",
     "fault",
     {in(0, 7, 0), v(0, 1, 1), in(500, 8, 0), other(600, 0), v(700, 1, 1)}},
};

#endif
