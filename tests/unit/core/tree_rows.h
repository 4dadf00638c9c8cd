/*
 * What rules with several conditions, limits from elsewhere, windows and arming must do: a
 * sentence, a rule, and a list of steps, each with what it must cause. Times are in ms since START;
 * every device is in room 1 until it is moved.
 */
#ifndef LUMBAR_TESTS_TREE_ROWS_H
#define LUMBAR_TESTS_TREE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#define START INT64_C(1700000000000)

struct row {
    const char *proves;
    const char *rule;   /* its lines in flow style */
    const char *reload; /* of the set that adopts; NULL: the same rule */
    const char *steps;
};

#define BENT_WARM                                                                                  \
    "all: [{metric: angle, above: 20 deg, clear: 18 deg}, {metric: warmth, above: 40 Cel}]"
#define BENT_OR_WARM "any: [{metric: angle, above: 20 deg}, {metric: warmth, above: 40 Cel}]"
#define NOT_BENT     "all: [{metric: warmth, above: 40 Cel}, {not: {metric: angle, above: 20 deg}}]"
#define BENT_FAST    "all: [{metric: angle, above: 20 deg}, {metric: speed, above: 40 deg/s}]"
#define NOT_IN_HEAT  "metric: warmth, above: 41 Cel, clear: 40.5 Cel, armed: {except: [heat]}"
#define IN_SESSION   "metric: angle, above: 20 deg, armed: session"
#define OVER_PLAN    "metric: angle, above: limit(angle), deadband: 2 deg"
#define OVER_RANGE   "metric: angle, above: 80 % of own_range(angle)"
#define MEAN         "metric: angle, mean: 8 s, above: 20 deg"
#define STALLS       "metric: fault, is: stall, count: 1 min, times: 3"

static const struct row rows[] = {
    /* all */
    {"all holds when each does, in whatever order", BENT_WARM, NULL,
     "A0=25 W100=41:+ W200=39:- A300=10 W400=41 A500=21:+"},
    {"all does not hold of one alone", BENT_WARM, NULL, "A0=25 A100=90 W200=40 W300=39 T400"},
    {"all is over when one is over, in its band nothing changes", BENT_WARM, NULL,
     "W0=41 A100=21:+ A200=19 A300=18.1 A400=18:- A500=19"},
    {"all is unknown while one never came", BENT_WARM, NULL, "A0=25 T100 A1900=25 T2000"},
    {"all does not raise of a value that is stale", BENT_WARM, NULL,
     "W0=41 A3100=25 A3200=25 W3300=41:+"},
    {"all does not end when one gets stale", BENT_WARM, NULL,
     "W0=41 A100=25:+ T5000 A5100=25 T9000 W9100=41 A9200=9:-"},
    {"all ends by what is known to be good, whatever is lost", BENT_WARM, NULL,
     "W0=41 A100=25:+ T5000 A5100=10:-"},
    {"all: NaN of one neither raises nor ends", BENT_WARM, NULL,
     "A0=25 W100=- W200=41:+ A300=- W400=42 A500=17:-"},
    {"all has an on-delay from when the last begins", BENT_WARM ", for: 2 s", NULL,
     "A0=25 W500=41 A1500=25 W2400=41 A2500=25:+"},
    {"all has an on-delay that the tick ends", BENT_WARM ", for: 2 s", NULL,
     "A0=25 W500=41 A1500=25 T2499 T2500:+"},
    {"all begins its on-delay again when one fails", BENT_WARM ", for: 2 s", NULL,
     "A0=25 W500=41 A1500=10 A1600=25 W2500=41 A3599=25 A3600=25:+"},
    {"all begins its on-delay again after a gap", BENT_WARM ", for: 2 s", NULL,
     "W0=41 A100=25 W2900=41 A2950=25 W4000=41 A4949=25 A4950=25:+"},
    {"all is told of a gap by the tick as well", BENT_WARM ", for: 2 s", NULL,
     "W0=41 A100=25 T2200 A2250=25 W2300=41 A4249=25 A4250=25:+"},
    {"all is over after its off-delay", BENT_WARM ", clear_for: 2 s", NULL,
     "W0=41 A100=25:+ A200=10 A1000=10 A2199=10 A2200=10:-"},
    {"all's off-delay ends without a word when it holds again", BENT_WARM ", clear_for: 2 s", NULL,
     "W0=41 A100=25:+ A200=10 A1000=25 W1500=41 A1600=10 A3500=10 T3600:-"},
    {"all on one metric twice is a band",
     "all: [{metric: angle, above: 20 deg}, {metric: angle, below: 40 deg}]", NULL,
     "A0=50 A100=30:+ A200=40:- A300=21:+ A400=20:-"},
    /* any */
    {"any holds when one does", BENT_OR_WARM, NULL, "A0=25:+ W100=41 A200=10 W300=39:- W400=41:+"},
    {"any is raised by what is known, whatever is lost", BENT_OR_WARM, NULL, "W0=41:+ T100"},
    {"any is not over while one is not known", BENT_OR_WARM, NULL,
     "A0=25:+ A100=10 T200 W300=30:-"},
    {"any is over by the tick when the last one knows", BENT_OR_WARM ", clear_for: 1 s", NULL,
     "W0=30 A0=25:+ A100=10 T1099 T1100:-"},
    /* not */
    {"not holds when its condition does not", NOT_BENT, NULL, "W0=41 A100=30 A200=10:+ A300=21:-"},
    {"not of what is unknown is unknown", NOT_BENT, NULL,
     "W0=41 T100 W1000=41 A1100=- A1200=5:+ T4000"},
    {"not turns the band between the limits round",
     "not: {metric: angle, above: 20 deg, clear: 15 deg}", NULL,
     "A0=25 A100=17 A200=15:+ A300=18 A400=20 A500=20.5:- A600=16"},
    {"not of not is what it was", "not: {not: {metric: angle, above: 20 deg, clear: 15 deg}}", NULL,
     "A0=20 A100=21:+ A200=16 A300=15:-"},
    {"not any is none",
     "not: {any: [{metric: angle, above: 20 deg}, {metric: warmth, above: 40 Cel}]}", NULL,
     "A0=10 W100=30:+ A200=30:- W300=41 A400=10 W500=30:+"},
    {"groups nest",
     "all: [{metric: pose, is: slouched}, {any: [{metric: angle, above: 20 deg}, {all: [{metric: "
     "warmth, above: 40 Cel}, {metric: strokes, above: 100}]}]}]",
     NULL, "P0=1 A100=10 W200=41 C300=100 C400=101:+ P500=0:- A600=30 P700=1:+"},
    {"a label is one of the conditions",
     "all: [{metric: angle, above: 20 deg}, {metric: pose, is: slouched}]", NULL,
     "A0=25 P100=0 P200=1:+ P300=2:-"},
    {"absence is one of the conditions",
     "all: [{metric: angle, above: 20 deg}, {metric: warmth, absent: 4 s}]", NULL,
     "W0=30 A1000=25 A2900=25 T3999 T4000:+ W4100=30:-"},
    {"absence of what never came counts from when it is waited for",
     "any: [{metric: warmth, absent: 4 s}, {metric: angle, above: 20 deg}]", NULL,
     "T0 T3999 T4000:+ W4100=30 A4200=10:-"},
    {"what was held back does not end an alarm of absence until it is younger than the silence",
     "any: [{metric: warmth, absent: 4 s}, {metric: angle, above: 20 deg}]", NULL,
     "T0 T4000:+ T20000 W9000=30 A9100=10 T20250 W16300=30 A16400=10:-"},
    {"an alarm of absence alone goes through not as well",
     "all: [{metric: angle, above: 20 deg}, {not: {metric: warmth, absent: 4 s}}]", NULL,
     "A0=25 W100=30:+ A2000=25 T4099 T4100:- W4200=30 A4250=25:+"},
    /* another device of the room */
    {"the room's other device is looked at", BENT_FAST, NULL,
     "A0=25 S100=50:+ S200=40:- S300=41:+ A400=10:-"},
    {"of another room it is not", BENT_FAST, NULL, "pad=2 A0=25 S100=50 A200=25 pad=1 A300=25:+"},
    {"without a room there is no other device", BENT_FAST, NULL,
     "pad=0 A0=25 S100=50 T200 A300=25"},
    {"what went away neither ends an alarm nor raises one", BENT_FAST, NULL,
     "A0=25 S100=50:+ pad=2 S200=10 A300=25 T400 A500=5:-"},
    {"the other device's delay is driven by its samples", BENT_FAST ", for: 1 s", NULL,
     "A0=25 S100=50 A500=25 S1099=50 S1100=50:+"},
    /* another metric as the limit */
    {"another metric is the limit", "metric: warmth, above: metric(warmth) + 2 Cel", NULL,
     "W0=30 W100=45"}, /* never above itself */
    {"another metric with an offset is the limit, of either's samples",
     "metric: pad/battery, below: metric(back/battery) - 10 %", NULL,
     "B0=50"}, /* nobody knows the other one */
    {"a limit that is a metric moves with it", "metric: angle, above: metric(angle) - 5 deg", NULL,
     "A0=10:+ A100=- A200=10"},
    /* the plan's limit, the client's range */
    {"a plan's limit is one in a session", OVER_PLAN, NULL,
     "in=massage plan=30 A0=25 A100=31:+ A200=29 A300=28:-"},
    {"without a plan's limit it is suppressed, and not silently good", OVER_PLAN, NULL,
     "in=massage plan=- A0=90 T100 plan=30 A200=90:+"},
    {"a plan's limit that is moved counts from the next sample", OVER_PLAN, NULL,
     "in=massage plan=30 A0=35:+ plan=40 A100=35:-"},
    {"a plan has a limit for each side", "metric: angle, below: limit(angle)", NULL,
     "in=massage plan=15 A0=-10 A100=-16:+ A200=-14:-"},
    {"a plan's limit that goes away suppresses what stands", OVER_PLAN, NULL,
     "in=massage plan=30 A0=35:+ plan=- A100=35:s A200=35"},
    {"a session that ends suppresses what stands, at the tick", OVER_PLAN, NULL,
     "in=massage plan=30 A0=35:+ out T100:s T200"},
    {"a share of the client's own range is a limit", OVER_RANGE, NULL,
     "in=massage range=50 A0=40 A100=40.5:+ A200=40:-"},
    {"own range has a lower end, as far from the neutral pose",
     "metric: angle, below: 80 % of own_range(angle)", NULL,
     "in=massage range=50 A0=-20 A100=-20.5:+ A200=-20:-"},
    {"outside one's own range is beyond either end",
     "metric: angle, outside: own_range(angle), deadband: 1 deg", NULL,
     "in=massage range=50 A0=51:+ A100=49.5 A200=-24.5 A300=-24:- A400=-25.5:+"},
    {"a range that is not known suppresses", OVER_RANGE, NULL, "in=massage range=- A0=90 T100"},
    /* arming */
    {"in a session only: without one it is suppressed, and says so", IN_SESSION, NULL,
     "A0=25:s A100=25 A200=10:-"},
    {"in a session it raises", IN_SESSION, NULL, "in=heat A0=25:+ A100=10:-"},
    {"a phase without a name is in a session", IN_SESSION, NULL, "in= A0=25:+"},
    {"a session that begins raises what holds, at the tick", IN_SESSION, NULL,
     "A0=25:s in=heat T100:2"},
    {"what was suppressed has its on-delay before it when its time comes", IN_SESSION ", for: 2 s",
     NULL, "A0=25 A1900=25 A2000=25:s in=heat A3000=25:- A4900=25 A5000=25:+"},
    {"an on-delay that began unarmed begins again", IN_SESSION ", for: 2 s", NULL,
     "A0=25 A1500=25 in=heat A1900=25 A3800=25 A3900=25:+"},
    {"a session that ends in the on-delay raises nothing", IN_SESSION ", for: 2 s", NULL,
     "in=heat A0=25 A1500=25 out A2500=25 A3500=25 A4500=25:s"},
    {"what is over while suppressed is not raised later", IN_SESSION ", clear_for: 2 s", NULL,
     "A0=25:s A100=10 in=heat A200=10:- A300=10 T9000"},
    {"named phases arm, others do not", "metric: angle, above: 20 deg, armed: [massage, heat]",
     NULL, "in=rest A0=25:s A100=10:- in=heat A200=25:+ A300=10:- in= A400=25:s"},
    {"41 Cel is suppressed in heat, and raised when it is still there after it",
     NOT_IN_HEAT ", for: 2 s", NULL,
     "in=heat W0=42 W2000=42:s W3000=42 in=massage W4000=42:- W5000=42 W6000=42:+"},
    {"41 Cel that heat brought is not raised when it is gone in time", NOT_IN_HEAT ", for: 2 s",
     NULL, "in=heat W0=42 W2000=42:s in=massage W3000=41.5:- W4000=40.8 W5000=40.5 W6000=40"},
    {"an alarm that heat begins to explain is suppressed", NOT_IN_HEAT, NULL,
     "in=massage W0=42:+ in=heat W1000=42:s W2000=40:-"},
    {"except in a phase is outside of sessions, too", NOT_IN_HEAT ", for: 1 s", NULL,
     "W0=42 W1000=42:+ in=heat W2000=42:s out W3000=42:- W4000=42:+"},
    {"except in a phase is between phases, too", NOT_IN_HEAT, NULL, "in= W0=42:+"},
    {"several conditions are armed as one", BENT_WARM ", armed: [massage]", NULL,
     "in=rest A0=25 W100=41:s A200=10:- in=massage A300=25:+"},
    /* windows: of 8 s, 4 slots of 2 s */
    {"a mean is unknown until the window is full", MEAN, NULL,
     "A0=90 A1000=90 A2000=90 A3000=90 T3500 A4000=30 A6000=30:+"},
    {"a mean is of what the window holds", MEAN, NULL,
     "A0=20 A2000=20 A4000=20 A6000=20 A7000=21:+ A8000=20 A8500=10:-"},
    {"a short peak does not move a mean as it would a value", MEAN, NULL,
     "A0=10 A1000=10 A2000=10 A3000=10 A4000=10 A5000=10 A6000=60 A6500=10 A7000=10"},
    {"a mean forgets what is older than its window", MEAN, NULL,
     "A0=100 A2000=100 A4000=0 A6000=0:+ A8000=0 A9000=0:-"},
    {"a mean has holes, a quarter of its whole slots at most",
     "metric: angle, mean: 10 s, above: 20 deg", NULL, "A0=30 A2000=30 A6000=30 A8000=30:+"},
    {"a mean with more holes is unknown, and ends nothing",
     "metric: angle, mean: 10 s, above: 20 deg", NULL,
     "A0=30 A2000=30 A4000=30 A6000=30:+ A14000=0 A16000=0 A18000=0 A20000=0:-"},
    {"a mean passes over NaN", MEAN, NULL,
     "A0=30 A1000=- A2000=30 A4000=30 A6000=30:+ A7000=- T7100 A7200=30"},
    {"a mean of a value that is stale is unknown", MEAN ", for: 3 s", NULL,
     "A0=30 A2000=30 A4000=30 A6000=30 T8001 T9000 A9100=30 A11000=30 A12099=30 A12100=30:+"},
    {"the lowest of a window above a limit: all of it is", "metric: angle, min: 8 s, above: 20 deg",
     NULL, "A0=30 A2000=19 A4000=30 A6000=30 A8000=30 A10000=30:+ A10100=10:-"},
    {"the highest of a window below a limit: all of it is",
     "metric: angle, max: 8 s, below: 20 deg", NULL,
     "A0=30 A2000=10 A4000=10 A6000=10 A8000=10:+ A8100=30:-"},
    {"a rate is the change from the oldest to the newest",
     "metric: warmth, rate: 12 s, above: 30 Cel/min", NULL,
     "W0=30 W3000=31 W6000=33 W9000=36:+ W12000=36.5 W15000=36:-"},
    {"a rate falls as well", "metric: warmth, rate: 12 s, below: -0.5 Cel/s", NULL,
     "W0=45 W3000=44 W6000=42 W9000=39:+"},
    {"a rate of a counter goes on when the device starts anew",
     "metric: strokes, rate: 12 s, above: 2.9/s", NULL,
     "C0=1000 C3000=1009 C6000=0 C9000=9 C12000=18 C15000=30:+"},
    {"a rate has a clear limit", "metric: warmth, rate: 12 s, above: 30 Cel/min, clear: 6 Cel/min",
     NULL, "W0=30 W3000=31 W6000=33 W9000=36:+ W12000=36 W15000=36 W18000=36:-"},
    /* counts */
    {"events are counted", STALLS, NULL, "F0=0 F1000=1 F2000=0 F3000=0:+ T4000 T50000 T61000:-"},
    {"two events in the window are not three", STALLS, NULL, "F0=0 F30000=0 F62000=0 F70000=0:+"},
    {"a label is counted when it comes, not while it stays",
     "metric: pose, is: slouched, count: 1 min, times: 2", NULL,
     "P0=1 P1000=1 P2000=1 P3000=0 P4000=1:+"},
    {"excursions are counted, with the band between the limits",
     "metric: angle, above: 20 deg, clear: 15 deg, count: 1 min, times: 2", NULL,
     "A0=25 A100=18 A200=25 A300=15 A400=25:+"},
    {"fewer is good only of a value that still comes",
     "metric: angle, above: 20 deg, count: 1 min, times: 2", NULL,
     "A0=25 A100=10 A200=25:+ T70000 A70100=10:-"},
    {"a count beside a condition",
     "all: [{metric: fault, is: stall, count: 1 min, times: 2}, {metric: angle, above: 20 deg}]",
     NULL, "F0=0 F1000=0 A2000=10 A3000=25:+ A4000=10:-"},
    /* times */
    {"a late sample is passed over", BENT_WARM, NULL,
     "W1000=41 A1000=10 A900=25 A1100=25:+ W500=30 A1200=10:-"},
    {"a sample from the future does not make a rule deaf", BENT_WARM, NULL,
     "T0 W100=41 A3600000=10 T200 A300=25:+"},
    /* reload, in each state */
    {"an alarm of several goes on over a reload", BENT_WARM, NULL,
     "W0=41 A100=25:+ reload A200=25 T300 A400=10:-"},
    {"an on-delay of several goes on over a reload", BENT_WARM ", for: 2 s", NULL,
     "W0=41 A100=25 A1500=25 reload T2099 T2100:+"},
    {"an off-delay of several goes on over a reload", BENT_WARM ", clear_for: 2 s", NULL,
     "W0=41 A100=25:+ A200=10 A1500=10 reload T2199 T2200:-"},
    {"a calm rule of several is calm after a reload", BENT_WARM, NULL,
     "W0=41 A100=10 reload T200 A300=25:+"},
    {"a suppressed rule is suppressed after a reload", IN_SESSION, NULL,
     "A0=25:s reload T100 A200=25 in=heat A300=25:2"},
    {"a window goes on over a reload", MEAN, NULL, "A0=30 A2000=30 A4000=30 reload A6000=30:+"},
    {"another window begins anew", MEAN, "metric: angle, mean: 10 s, above: 20 deg",
     "A0=30 A2000=30 A4000=30 A6000=30:+ reload A8000=30 A10000=30 A12000=30 A14000=30:+"},
    {"other conditions begin anew", BENT_WARM, BENT_OR_WARM, "W0=41 A100=25:+ reload A200=25:+"},
    {"a moved limit of several counts from the next sample", BENT_WARM,
     "all: [{metric: angle, above: 30 deg}, {metric: warmth, above: 40 Cel}]",
     "W0=41 A100=25:+ reload A200=25:-"},
    {"a rule that gets armed goes on", "metric: angle, above: 20 deg", IN_SESSION,
     "A0=25:+ reload A100=25:s in=heat A200=25:2"},
    {"a rule that is always armed from now on raises what was suppressed", IN_SESSION,
     "metric: angle, above: 20 deg", "A0=25:s reload A100=25:+ A200=10:-"},
};

#endif
