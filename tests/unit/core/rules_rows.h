/*
 * What the rule engine must do, as a table: a sentence, a rule, and a list of values and ticks,
 * each with what it must cause. Times are in ms since START.
 */
#ifndef LUMBAR_TESTS_RULES_ROWS_H
#define LUMBAR_TESTS_RULES_ROWS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define START     INT64_C(1700000000000) /* what the rows' times are added to */
#define STEPS_MAX 24
#define LOST      NAN

enum step_kind { END, VALUE, TICK, ADOPT };

struct step {
    enum step_kind kind;
    int64_t at_ms;
    double value;
    char event; /* what it must cause: '+' raised, '-' over, 0 nothing */
};

/* v: a value comes; t: the tick. _on, _over: and this is what the rule says to it. */
#define v(at, value)                                                                               \
    {                                                                                              \
        VALUE, at, value, 0                                                                        \
    }
#define v_on(at, value)                                                                            \
    {                                                                                              \
        VALUE, at, value, '+'                                                                      \
    }
#define v_over(at, value)                                                                          \
    {                                                                                              \
        VALUE, at, value, '-'                                                                      \
    }
#define t(at)                                                                                      \
    {                                                                                              \
        TICK, at, 0, 0                                                                             \
    }
#define t_on(at)                                                                                   \
    {                                                                                              \
        TICK, at, 0, '+'                                                                           \
    }
#define t_over(at)                                                                                 \
    {                                                                                              \
        TICK, at, 0, '-'                                                                           \
    }
#define adopt                                                                                      \
    {                                                                                              \
        ADOPT, 0, 0, 0                                                                             \
    }

struct row {
    const char *proves;
    const char *rule;   /* its lines in flow style */
    const char *reload; /* of the set that adopts; NULL: the same rule */
    struct step steps[STEPS_MAX];
};

#define ABOVE_20    "metric: angle, above: 20 deg"
#define BAND        ABOVE_20 ", clear: 18 deg"
#define FOR_2       ABOVE_20 ", for: 2 s"
#define CLEAR_FOR_2 ABOVE_20 ", clear_for: 2 s"
#define WARM        "metric: warmth, above: 43 Cel, clear: 42.5 Cel, for: 10 s, clear_for: 60 s"
#define SLOUCHED    "metric: pose, is: slouched"
#define ABSENT_5    "metric: angle, absent: 5 s"
#define STALL       "metric: fault, is: stall, clear_for: 10 s"

static const struct row rows[] = {
    /* above */
    {"above raises at once without a delay", ABOVE_20, NULL, {v(0, 19), v_on(100, 20.1)}},
    {"above the limit is not at it", ABOVE_20, NULL, {v(0, 20), v(100, 20), v_on(200, 20.0001)}},
    {"above is over at the limit", ABOVE_20, NULL, {v_on(0, 21), v_over(100, 20)}},
    {"above says it once", ABOVE_20, NULL, {v_on(0, 21), v(100, 30), v(200, 99), v(300, 20.5)}},
    {"above raises again after it was over",
     ABOVE_20,
     NULL,
     {v_on(0, 21), v_over(100, 0), v_on(200, 21), v_over(300, 20)}},
    {"a tick alone never changes what has no delay",
     ABOVE_20,
     NULL,
     {t(0), v_on(100, 21), t(200), t(9000), t(90000), v_over(90100, 3)}},
    /* below */
    {"below raises under the limit only",
     "metric: angle, below: 5 deg",
     NULL,
     {v(0, 5), v_on(100, 4.9), v_over(200, 5)}},
    {"below has its clear limit above",
     "metric: angle, below: 5 deg, clear: 8 deg",
     NULL,
     {v_on(0, 4), v(100, 7.9), v_over(200, 8), v(300, 7.9), v_on(400, 4)}},
    {"below works with negative limits",
     "metric: angle, below: -10 deg",
     NULL,
     {v(0, -10), v_on(100, -10.5), v_over(200, -9)}},
    /* outside */
    {"outside raises under the lower limit",
     "metric: angle, outside: [-5 deg, 20 deg]",
     NULL,
     {v(0, -5), v_on(100, -5.1), v_over(200, -5)}},
    {"outside raises over the upper limit",
     "metric: angle, outside: [-5 deg, 20 deg]",
     NULL,
     {v(0, 20), v_on(100, 20.1), v_over(200, 20)}},
    {"outside stays on from one side to the other",
     "metric: angle, outside: [-5 deg, 20 deg]",
     NULL,
     {v_on(0, 30), v(100, -30), v(200, 30), v_over(300, 0)}},
    {"outside is over within both clear limits only",
     "metric: angle, outside: [-5 deg, 20 deg], clear: [0 deg, 18 deg]",
     NULL,
     {v_on(0, 30), v(100, 19), v(200, -1), v_over(300, 0), v(400, -4), v_on(500, -6), v(600, -1),
      v_over(700, 18)}},
    {"outside holds over a jump through the middle between two samples",
     "metric: angle, outside: [-5 deg, 20 deg], for: 1 s",
     NULL,
     {v(0, 30), v_on(1000, -30)}},
    /* is */
    {"is raises on its label and is over on any other",
     SLOUCHED,
     NULL,
     {v(0, 0), v(1000, 2), v_on(2000, 1), v(3000, 1), v_over(4000, 2), v_on(5000, 1),
      v_over(6000, 0)}},
    {"is has delays",
     SLOUCHED ", for: 3 s, clear_for: 2 s",
     NULL,
     {v(0, 1), v(1000, 1), v(2000, 1), v_on(3000, 1), v(4000, 0), v(5000, 0), v_over(6000, 0)}},
    {"is looks at one label only",
     SLOUCHED ", for: 3 s",
     NULL,
     {v(0, 1), v(1000, 2), v(2000, 1), v(3000, 1), v(4000, 1), v_on(5000, 1)}},
    /* counters */
    {"a counter can be judged",
     "metric: strokes, above: 1000",
     NULL,
     {v(0, 999), v_on(1000, 1001), v(2000, 1500), v_over(3000, 0)}},
    /* clear limit */
    {"between the limits nothing changes while it is on",
     BAND,
     NULL,
     {v_on(0, 21), v(100, 19), v(200, 18.1), v_over(300, 18)}},
    {"between the limits nothing is raised",
     BAND,
     NULL,
     {v(0, 19), v(100, 20), v_on(200, 21), v_over(300, 17), v(400, 19.9)}},
    {"trembling between the limits gives one alarm",
     BAND,
     NULL,
     {v_on(0, 20.5), v(100, 19.5), v(200, 20.5), v(300, 18.5), v(400, 20.5), v_over(500, 17)}},
    /* on-delay */
    {"the on-delay is held from its first sample to its last",
     FOR_2,
     NULL,
     {v(0, 25), v(1000, 25), v(1999, 25), v_on(2000, 25)}},
    {"one sample within starts the on-delay again",
     FOR_2,
     NULL,
     {v(0, 25), v(1000, 25), v(1500, 20), v(1600, 25), v(3599, 25), v_on(3600, 25)}},
    {"the band between the limits does not hold for the on-delay",
     BAND ", for: 2 s",
     NULL,
     {v(0, 25), v(1000, 19), v(2000, 25), v(3000, 25), v_on(4000, 25)}},
    {"a sample after the on-delay that is good again raises nothing",
     FOR_2,
     NULL,
     {v(0, 25), v(1900, 25), v(2100, 10), t(2200), v(2300, 25), v(4200, 25)}},
    {"the tick raises when the on-delay passes without a sample",
     FOR_2,
     NULL,
     {v(0, 25), t(250), v(500, 25), t(1000), t(1999), t_on(2000), t(2250)}},
    {"a slow value is believed while it is fresh",
     "metric: back/battery, below: 20 %, for: 10 s",
     NULL,
     {v(0, 15), t(5000), t(9999), t_on(10000), v(60000, 15), v_over(120000, 30)}},
    {"the tick raises nothing from a value that is stale",
     FOR_2,
     NULL,
     {v(0, 25), v(500, 25), t(2600), t(3000)}}, /* late tick: seen 2.1 s ago */
    {"a stale value begins its on-delay again",
     FOR_2,
     NULL,
     {v(0, 25), t(2001), v(2500, 25), v(3500, 25), t(4499), t_on(4500)}},
    {"a gap as long as the stale time is none", FOR_2, NULL, {v(0, 25), v_on(2000, 25)}},
    {"a gap longer than the stale time is not holding",
     FOR_2,
     NULL,
     {v(0, 25), v(2001, 25), v(4000, 25), v_on(4001, 25)}},
    {"a gap before the first bad value costs nothing",
     FOR_2,
     NULL,
     {v(0, 5), v(60000, 25), v(61000, 25), v_on(62000, 25)}},
    {"an on-delay of 20 s is held through many samples and ticks",
     "metric: angle, above: 20 deg, for: 20 s",
     NULL,
     {v(0, 21), v(2000, 21), t(3000), v(4000, 21), v(6000, 21), v(8000, 21), v(10000, 21),
      v(12000, 21), v(14000, 21), t(14100), v(16000, 21), v(18000, 21), t(19999), t_on(20000)}},
    /* off-delay */
    {"the off-delay is held from its first sample to its last",
     CLEAR_FOR_2,
     NULL,
     {v_on(0, 25), v(1000, 10), v(2000, 10), v(2999, 10), v_over(3000, 10)}},
    {"a bad value within ends the off-delay without a word",
     CLEAR_FOR_2,
     NULL,
     {v_on(0, 25), v(1000, 10), v(2000, 25), v(2500, 10), v(3500, 10), v_over(4500, 10)}},
    {"the band between the limits ends the off-delay",
     BAND ", clear_for: 2 s",
     NULL,
     {v_on(0, 25), v(1000, 10), v(2000, 19), v(2500, 10), v(3500, 10), v_over(4500, 10)}},
    {"the tick ends it when the off-delay passes without a sample",
     CLEAR_FOR_2,
     NULL,
     {v_on(0, 25), v(1000, 10), t(2000), v(2500, 10), t(2999), t_over(3000)}},
    {"the tick ends nothing by a value that is stale",
     CLEAR_FOR_2,
     NULL,
     {v_on(0, 25), v(1000, 10), t(3001), t(60000)}},
    {"a gap begins the off-delay again",
     CLEAR_FOR_2,
     NULL,
     {v_on(0, 25), v(1000, 10), v(3500, 10), v(4500, 10), t(5499), v_over(5500, 10)}},
    {"a temperature raised after 10 s is not over while its signal is lost",
     WARM,
     NULL,
     {v(0, 43.5), v(2000, 43.5), v(4000, 43.5), v(6000, 43.5), v(8000, 43.5), v_on(10000, 43.6),
      v(12000, 42.9), v(14000, 42.4), v(16000, 42.6), v(17000, 42.5), t(19000), v(20000, 42),
      t(22000), v(75000, 42), v(76000, 42), v(78000, 42)}},
    /* loss never ends an alarm */
    {"a lost signal never ends an alarm",
     ABOVE_20,
     NULL,
     {v_on(0, 25), t(5000), t(60000), t(3600000), v(3600100, 25), v_over(3600200, 10)}},
    {"an alarm goes on over a gap and says nothing",
     CLEAR_FOR_2,
     NULL,
     {v_on(0, 25), t(60000), v(60100, 25), v(60200, 10), v(62100, 10), v_over(62200, 10)}},
    {"NaN never ends an alarm",
     ABOVE_20,
     NULL,
     {v_on(0, 25), v(100, LOST), v(200, LOST), t(300), v_over(400, 10)}},
    {"NaN never raises one", ABOVE_20, NULL, {v(0, LOST), v(100, LOST), t(5000), v(5100, 10)}},
    {"NaN below is no low value", "metric: angle, below: 5 deg", NULL, {v(0, LOST), v_on(100, 1)}},
    {"NaN outside is not outside", "metric: angle, outside: [0 deg, 9 deg]", NULL, {v(0, LOST)}},
    {"NaN is not another label", SLOUCHED, NULL, {v_on(0, 1), v(1000, LOST), v_over(2000, 0)}},
    {"a short NaN does not break the on-delay",
     FOR_2,
     NULL,
     {v(0, 25), v(500, LOST), v(1000, 25), v_on(2000, 25)}},
    {"NaN longer than the stale time does",
     FOR_2,
     NULL,
     {v(0, 25), v(500, LOST), v(1500, LOST), v(2100, 25), v(3100, 25), v_on(4100, 25)}},
    {"the tick raises nothing while the newest is NaN",
     FOR_2,
     NULL,
     {v(0, 25), v(1000, 25), v(1900, LOST), t(2000), v_on(2100, 25)}},
    {"the tick ends nothing while the newest is NaN",
     CLEAR_FOR_2,
     NULL,
     {v_on(0, 25), v(100, 10), v(1000, 10), v(2000, LOST), t(2100), v_over(2101, 10)}},
    /* late and wrong times */
    {"a sample older than the newest judged is passed over",
     ABOVE_20,
     NULL,
     {v(1000, 10), v(900, 25), v(999, 25), v_on(1001, 25), v(1000, 10), v_over(1002, 10)}},
    {"a late sample does not fill an on-delay",
     FOR_2,
     NULL,
     {v(1000, 25), v(0, 25), v(2000, 25), v_on(3000, 25)}},
    {"a late good sample does not break an on-delay",
     FOR_2,
     NULL,
     {v(1000, 25), v(2000, 25), v(1500, 10), v_on(3000, 25)}},
    {"a late good value does not turn time back",
     ABOVE_20,
     NULL,
     {v(1000, 10), v(800, 10), v(900, 25), v_on(1001, 25)}},
    {"older than a NaN is late too", ABOVE_20, NULL, {v(1000, LOST), v(900, 25), v_on(1001, 25)}},
    {"two samples of one time are both judged", ABOVE_20, NULL, {v_on(0, 25), v_over(0, 10)}},
    {"a sample from the future does not make the rule deaf",
     ABOVE_20,
     NULL,
     {t(0), v(3600000, 10), t(1000), v_on(1100, 25), v_over(1200, 10)}},
    {"a sample slightly ahead does not let time run back",
     ABOVE_20,
     NULL,
     {t(0), v(4000, 10), t(1000), v(1100, 25), v_on(4100, 25)}},
    {"an on-delay begun in the future begins again now",
     FOR_2,
     NULL,
     {t(0), v(3600000, 25), t(1000), v(1100, 25), v(2100, 25), v_on(3100, 25)}},
    {"history that comes in order is judged by its own times",
     FOR_2,
     NULL,
     {t(600000), v(0, 25), v(1000, 25), v_on(2000, 25), v_over(3000, 10)}},
    {"history leaves nothing for the tick to raise",
     FOR_2,
     NULL,
     {t(600000), v(0, 25), v(1000, 25), t(600250), t(603000)}},
    /* absent */
    {"absent after the last value",
     ABSENT_5,
     NULL,
     {v(0, 1), t(250), v(1000, 1), t(5999), t_on(6000), t(6250), v_over(7000, 1)}},
    {"absent for a device that was never heard, from the first tick",
     ABSENT_5,
     NULL,
     {t(0), t(4999), t_on(5000), t(60000), v_over(60100, 1)}},
    {"never absent while values come",
     ABSENT_5,
     NULL,
     {t(0), v(4000, 1), t(5000), v(8000, 1), t(12000), v(12500, 1), t(17499)}},
    {"NaN is no value for absent",
     ABSENT_5,
     NULL,
     {v(0, 1), v(1000, LOST), v(4000, LOST), t(4999), t_on(5000), v(6000, LOST), t(7000),
      v_over(8000, 1)}},
    {"absent is over after its off-delay",
     ABSENT_5 ", clear_for: 2 s",
     NULL,
     {v(0, 1), t_on(5000), v(6000, 1), v(7000, 1), v_over(8000, 1)}},
    {"absent is over by the tick while the value is fresh",
     ABSENT_5 ", clear_for: 2 s",
     NULL,
     {v(0, 1), t_on(5000), v(6000, 1), v(7500, 1), t(7999), t_over(8000)}},
    {"one value alone does not end absence that has an off-delay",
     ABSENT_5 ", clear_for: 3 s",
     NULL,
     {v(0, 1), t_on(5000), v(6000, 1), t(9000), t(11000), t(20000), v(21000, 1), v(22500, 1),
      v_over(24000, 1)}},
    {"absent again after it was over",
     ABSENT_5,
     NULL,
     {v(0, 1), t_on(5000), v_over(6000, 1), t(10999), t_on(11000)}},
    {"a late value does not end absence that it is older than",
     ABSENT_5,
     NULL,
     {v(1000, 1), t_on(6000), v(500, 1), t(6250), v_over(7000, 1)}},
    {"what was held back does not end absence until it is younger than the silence",
     ABSENT_5,
     NULL,
     {v(0, 1), t_on(5000), t(20000), v(9000, 1), v(15000, 1), t(20250), v_over(15251, 1)}},
    {"a device that spoke from the future once is missed like any other",
     ABSENT_5,
     NULL,
     {t(0), v(3600000, 1), t(1000), t(5999), t_on(6000)}},
    {"absent is not over while the newest is NaN",
     ABSENT_5 ", clear_for: 2 s",
     NULL,
     {v(0, 1), t_on(5000), v(6000, 1), v(7000, 1), v(7900, LOST), t(8000), v_over(8100, 1)}},
    {"absent is not over at the moment it begins again",
     "metric: angle, absent: 2 s, clear_for: 2 s",
     NULL,
     {v(0, 1), t_on(2000), v(3000, 1), t(5000), v(6000, 1), v(7000, 1), v_over(8000, 1)}},
    /* events */
    {"an event raises at once and is over after its off-delay",
     STALL,
     NULL,
     {v(0, 1), t(500), v_on(1000, 0), t(1250), t(10999), t_over(11000), t(20000)}},
    {"an event that comes again puts the end off",
     STALL,
     NULL,
     {v_on(0, 0), t(9000), v(9500, 0), t(10000), t(19499), t_over(19500)}},
    {"another event does not end it",
     STALL,
     NULL,
     {v_on(0, 0), v(1000, 1), t(2000), t_over(10000)}},
    {"an event that was long ago is raised and over",
     STALL,
     NULL,
     {t(600000), v_on(0, 0), t_over(600250)}},
    {"an event does not need to be fresh to end", STALL, NULL, {v_on(0, 0), t_over(3600000)}},
    /* a new set */
    {"the time of the last tick goes on over a reload",
     ABOVE_20,
     NULL,
     {t(0), v(3600000, 10), t(1000), adopt, v_on(1100, 25)}},
    {"an alarm stays on over a reload",
     BAND,
     NULL,
     {v_on(0, 25), adopt, v(100, 19), t(200), v_over(300, 17)}},
    {"an on-delay goes on over a reload",
     FOR_2,
     NULL,
     {v(0, 25), v(1000, 25), adopt, v_on(2000, 25)}},
    {"the tick knows of an on-delay that was adopted",
     FOR_2,
     NULL,
     {v(0, 25), v(1000, 25), adopt, t_on(2000)}},
    {"an off-delay goes on over a reload",
     CLEAR_FOR_2,
     NULL,
     {v_on(0, 25), v(1000, 10), v(2000, 10), adopt, t_over(3000)}},
    {"absence goes on over a reload", ABSENT_5, NULL, {v(0, 1), t(4000), adopt, t_on(5000)}},
    {"an event goes on over a reload", STALL, NULL, {v_on(0, 0), adopt, t(9999), t_over(10000)}},
    {"a moved limit is judged with the next sample",
     ABOVE_20,
     "metric: angle, above: 30 deg",
     {v_on(0, 25), adopt, t(100), v_over(200, 25)}},
    {"a shorter on-delay counts from the same beginning",
     "metric: angle, above: 20 deg, for: 9 s",
     FOR_2,
     {v(0, 25), v(1000, 25), adopt, v_on(2000, 25)}},
    {"another condition begins anew",
     ABOVE_20,
     "metric: angle, below: 20 deg",
     {v_on(0, 25), adopt, v(100, 25), v_on(200, 10)}},
    {"another label begins anew",
     SLOUCHED,
     "metric: pose, is: off_body",
     {v_on(0, 1), adopt, v(1000, 1), v_on(2000, 2)}},
    {"another metric begins anew",
     ABOVE_20,
     "metric: warmth, above: 43 Cel",
     {v_on(0, 25), adopt, v(100, 25), v_on(200, 44)}},
};

#endif
