/* Derived metrics: what values become, as a table with time as numbers; and what the loader says.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clinic_drivers.h"
#include "core/derive.h"
#include "derive_rows.h"

#define DEVICES 4

struct world {
    struct drivers drivers;
    struct devices *devices;
    struct device *device;
    struct derive *derive;
    struct derive_session session;
};

static int load(struct world *world, const char *text, struct diag *diag)
{
    struct rules_text file = {"f.yaml", text, strlen(text), false};
    return derive_load(&world->derive, &file, 1, &world->drivers, DEVICES, diag);
}

static void open_world(struct world *world, const char *text)
{
    struct diag diag = {0};
    char sentence[600];
    memset(world, 0, sizeof(*world));
    clinic_init(&world->drivers);
    if (load(world, text, &diag) != 0)
        fail_msg("%s\n%s", text, diag_sentence(&diag, sentence, sizeof(sentence)));
    world->devices = devices_create(DEVICES, 1000);
    world->device = devices_hear(world->devices, &world->drivers.list[0], "b-01", 4);
}

static void close_world(struct world *world)
{
    devices_destroy(world->devices);
    drivers_fini(&world->drivers);
    derive_destroy(world->derive);
}

static uint32_t metric_of(const struct world *world, const char *name)
{
    const struct driver *driver = world->device->driver;
    for (uint32_t i = 0; i < driver->metric_count; i++)
        if (strcmp(driver->metrics[i].name, name) == 0)
            return i;
    fail_msg("no metric %s", name);
    return 0;
}

static const struct lumbar_series *series_of(const struct decoded *message, uint32_t metric)
{
    for (uint32_t i = 0; i < message->batch.series_count; i++)
        if (message->batch.series[i].metric == metric)
            return &message->batch.series[i];
    return NULL;
}

/* A message with these samples; its clock is 10 s behind the hub's. */
static struct decoded say(struct world *world, uint32_t metric, uint32_t count,
                          const int64_t *at_ms, const double *values)
{
    static int64_t times[64];
    static struct lumbar_series series;
    static struct extent extent;
    struct decoded message = {.out_of_range = 0};
    for (uint32_t i = 0; i < count; i++)
        times[i] = START + at_ms[i] - 10000;
    if (count > 0) {
        series = (struct lumbar_series){metric, count, times, values};
        extent = extent_of(&series);
        message.batch.series = &series;
        message.batch.series_count = 1;
        message.extents = &extent;
    }
    derive_take(world->derive, world->device, &world->session,
                START + (count > 0 ? at_ms[count - 1] : 0), 10000, &message);
    return message;
}

static void take_step(struct world *world, const struct step *step)
{
    if (step->session != world->session.id)
        world->session.began_ms = START + step->at_ms;
    world->session.id = step->session;
    world->session.phase = step->phase;
    world->session.phase_ms = START + step->at_ms;
}

static struct decoded play_step(struct world *world, const struct row *row, const struct step *step)
{
    const char *source = step->kind == OTHER ? "battery" : row->source;
    double value = step->kind == OTHER ? 50 : step->value;
    return say(world, metric_of(world, source), 1, &step->at_ms, &value);
}

static void play_row(const struct row *row)
{
    char text[300];
    struct world world;
    snprintf(text, sizeof(text), "derived: [{name: made, %s}]", row->derived);
    open_world(&world, text);
    for (unsigned i = 0; i < STEPS_MAX && row->steps[i].kind != END; i++) {
        const struct step *step = &row->steps[i];
        if (step->kind == SESSION) {
            take_step(&world, step);
            continue;
        }
        struct decoded message = play_step(&world, row, step);
        const struct lumbar_series *made = series_of(&message, metric_of(&world, "made"));
        if ((made == NULL) != (step->gives == NONE))
            fail_msg("%s: step %u: %s", row->proves, i, made ? "a value" : "no value");
        if (made == NULL)
            continue;
        double got = made->value[0];
        bool right = isnan(step->gives) ? isnan(got) : fabs(got - step->gives) < 1e-9;
        if (!right || made->count != 1 || made->time_ms[0] + 10000 != START + step->at_ms)
            fail_msg("%s: step %u: %.12f at %lld, not %.12f", row->proves, i, got,
                     (long long)(made->time_ms[0] + 10000 - START), step->gives);
    }
    close_world(&world);
}

static void every_row_of_the_table(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        play_row(&rows[i]);
}

/* ---- What a message becomes ---- */

static const char two[] = "derived:\n"
                          "  - {name: hot, metric: warmth, time: {above: 41 Cel}, unit: s}\n"
                          "  - {name: bent, metric: angle, time: {above: 20 deg}, unit: s}\n"
                          "  - {name: bends, metric: angle, count: {above: 20 deg}, key: true,"
                          " phases: [exercise, rest]}\n";

static void a_batch_gives_one_value_behind_its_own(void **state)
{
    (void)state;
    struct world world;
    const int64_t at_ms[] = {0, 500, 1000, 1500};
    const double values[] = {30, 10, 30, 30};
    open_world(&world, two);
    struct decoded message = say(&world, metric_of(&world, "angle"), 4, at_ms, values);
    assert_int_equal(message.batch.series_count, 3);
    assert_ptr_equal(message.batch.series[0].value, values);
    assert_true(message.extents[0].max == 30 && message.extents[0].known);
    const struct lumbar_series *bent = series_of(&message, metric_of(&world, "bent"));
    const struct lumbar_series *bends = series_of(&message, metric_of(&world, "bends"));
    assert_true(fabs(bent->value[0] - 1) < 1e-9);
    assert_true(bends->value[0] == 2);
    assert_true(message.extents[2].max == 2 && message.extents[2].known);
    assert_ptr_equal(bent->time_ms, bends->time_ms); /* kept once */
    assert_null(series_of(&message, metric_of(&world, "hot")));
    message = say(&world, metric_of(&world, "strokes"), 1, at_ms, values);
    assert_int_equal(message.batch.series_count, 1);
    close_world(&world);
}

static void metrics_describe_themselves(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, two);
    const struct lumbar_metric *bends = &world.device->driver->metrics[metric_of(&world, "bends")];
    const struct lumbar_metric *hot = &world.device->driver->metrics[metric_of(&world, "hot")];
    assert_string_equal(bends->unit, "1");
    assert_int_equal(bends->kind, LUMBAR_COUNTER);
    assert_int_equal(bends->flags, LUMBAR_KEY);
    assert_int_equal(bends->phases, LUMBAR_EXERCISE | LUMBAR_REST);
    assert_int_equal(bends->period_ms, 100);
    assert_true(metric_step(bends) == 1);
    assert_string_equal(hot->unit, "s");
    assert_string_equal(hot->title, "hot");
    assert_int_equal(hot->period_ms, 1000);
    assert_int_equal(derive_count(world.derive), 3);
    /* Of the next kind of device they are not, and its own keep their numbers. */
    assert_int_equal(drivers_find(&world.drivers, "speed", NULL),
                     world.drivers.list[1].first_metric + 1);
    close_world(&world);
}

/* ---- Health ---- */

static const char health[] = "derived:\n"
                             "  - {name: loss, health: loss, of: back}\n"
                             "  - {name: skew, title: Clock, health: clock_skew}\n"
                             "  - {name: refused, health: refused, of: back}\n";

static double told(struct world *world, int64_t at_ms, const char *name)
{
    const double value = 50;
    struct decoded message = say(world, metric_of(world, "battery"), 1, &at_ms, &value);
    const struct lumbar_series *series = series_of(&message, metric_of(world, name));
    return series != NULL ? series->value[0] : NONE;
}

static void loss_is_of_the_last_minute(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, health);
    /* A message a second; from the 70th on each tenth is lost. */
    for (int64_t second = 0; second < 300; second++) {
        world.device->messages++;
        world.device->lost += second >= 70 && second < 200 && second % 10 == 9;
        double loss = told(&world, second * 1000, "loss");
        if (second % 10 != 0 || second < 60)
            assert_true(loss == NONE);
        else if (second <= 70)
            assert_true(loss == 0);
        else if (second >= 130 && second <= 200)
            assert_true(fabs(loss - 100.0 * 6 / 66) < 1e-9);
        else if (second >= 260)
            assert_true(loss == 0);
    }
    world.device->lost -= 5; /* late, and not lost after all */
    assert_true(told(&world, 300000, "loss") == 0);
    close_world(&world);
}

static void skew_and_refusals_are_told_each_ten_seconds(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, health);
    assert_true(told(&world, 0, "skew") == NONE);
    world.device->has_skew = true;
    world.device->skew_ms = -7500;
    assert_true(told(&world, 9999, "skew") == NONE);
    assert_true(told(&world, 10000, "skew") == -7.5);
    world.device->skew_ms = -100000000;
    assert_true(told(&world, 20000, "skew") == -86400);
    world.device->refused[REFUSED_MALFORMED] = 3;
    world.device->refused[REFUSED_RATE] = 2;
    assert_true(told(&world, 30000, "refused") == 5);
    assert_true(told(&world, 90000, "refused") == 5);
    for (int64_t at_ms = 100000; at_ms < 200000; at_ms += 10000)
        told(&world, at_ms, "refused");
    assert_true(told(&world, 200000, "refused") == 0);
    close_world(&world);
}

static void a_refused_message_tells_of_health_alone(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, health);
    world.device->refused[REFUSED_MALFORMED] = 1;
    struct decoded message = say(&world, 0, 0, NULL, NULL);
    assert_int_equal(message.batch.series_count, 0); /* since when? */
    message = (struct decoded){.out_of_range = 0};
    world.device->refused[REFUSED_MALFORMED] = 4;
    derive_take(world.derive, world.device, &world.session, START + 10000, 0, &message);
    assert_int_equal(message.batch.series_count, 1);
    assert_int_equal(message.batch.series[0].time_ms[0], START + 10000);
    assert_true(message.batch.series[0].value[0] == 3);
    close_world(&world);
}

/* ---- Over a restart ---- */

/* A process ends after any step and the next goes on from what was kept: nothing is lost of it. */
static void restart(struct world *world)
{
    struct derive_kept kept[DERIVE_MAX];
    char names[DERIVE_MAX][LUMBAR_NAME_MAX + 1];
    uint32_t count = 0;
    for (; derive_keep(world->derive, world->device, count, &kept[count]); count++) {
        memcpy(names[count], kept[count].name, strlen(kept[count].name) + 1);
        kept[count].name = names[count];
    }
    derive_clear(world->derive);
    for (uint32_t i = 0; i < count; i++)
        assert_true(derive_restore(world->derive, world->device, &kept[i]));
}

static void a_restart_after_any_step_changes_nothing(void **state)
{
    (void)state;
    for (unsigned r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        char text[300];
        struct world whole, cut;
        const struct row *row = &rows[r];
        snprintf(text, sizeof(text), "derived: [{name: made, %s}]", row->derived);
        open_world(&whole, text);
        open_world(&cut, text);
        for (unsigned i = 0; i < STEPS_MAX && row->steps[i].kind != END; i++) {
            const struct step *step = &row->steps[i];
            restart(&cut);
            if (step->kind == SESSION) {
                take_step(&whole, step);
                take_step(&cut, step);
                continue;
            }
            struct decoded a = play_step(&whole, row, step);
            const struct lumbar_series *made = series_of(&a, metric_of(&whole, "made"));
            double wanted = made != NULL ? made->value[0] : NONE;
            struct decoded b = play_step(&cut, row, step);
            made = series_of(&b, metric_of(&cut, "made"));
            /* What is too old is known by the accounting of messages, too. */
            if (made != NULL && wanted != NONE && !isnan(wanted) && made->value[0] != wanted)
                fail_msg("%s: step %u: %f, not %f", row->proves, i, made->value[0], wanted);
        }
        close_world(&whole);
        close_world(&cut);
    }
}

static void what_has_changed_is_said_once(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, two);
    assert_false(derive_has_news(world.derive, world.device));
    told(&world, 0, "bends"); /* no source of anything */
    assert_false(derive_has_news(world.derive, world.device));
    const int64_t at_ms = 0;
    const double value = 30;
    say(&world, metric_of(&world, "angle"), 1, &at_ms, &value);
    assert_true(derive_has_news(world.derive, world.device));
    assert_false(derive_has_news(world.derive, world.device));
    close_world(&world);
}

static void what_is_made_in_another_way_is_not_taken_up(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, two);
    struct derive_kept kept = {.name = "bent", .what = "time", .sum = 5};
    assert_true(derive_restore(world.derive, world.device, &kept));
    kept.what = "dose";
    assert_false(derive_restore(world.derive, world.device, &kept));
    kept = (struct derive_kept){.name = "gone", .what = "time"};
    assert_false(derive_restore(world.derive, world.device, &kept));
    close_world(&world);
}

/* ---- What the loader says ---- */

#define ONE(...) "derived:\n  - {" __VA_ARGS__ "}"

static const struct {
    const char *text, *sentence; /* NULL: good */
} texts[] = {
    {"", NULL},
    {"rules: []", NULL},
    {"derived: []", NULL},
    {"- a", NULL}, /* the rules complain of it */
    {ONE("name: a, metric: warmth, time: {above: 41 Cel}"), NULL},
    {ONE("name: a, metric: back/battery, time: {below: 20 %}, unit: h"), NULL},
    {ONE("name: a, metric: strokes, count: {above: 10}"), NULL},
    {ONE("name: loss, health: loss"), NULL},
    {"derived: {a: b}", "f.yaml:1:10: derived: expected a list"},
    {"derived: [a]", "f.yaml:1:11: derived[0]: expected a map of 'key: value' here"},
    {ONE("name: a, metric: warmth"),
     "f.yaml:2:5: derived[0]: expected one of time, count, dose and health"},
    {ONE("name: a, metric: warmth, time: {above: 41 Cel}, count: {above: 41 Cel}"),
     "f.yaml:2:5: derived[0]: expected one of time, count, dose and health"},
    {ONE("name: a, metrik: warmth, time: {above: 41 Cel}"),
     "f.yaml:2:23: derived[0]: unknown key 'metrik'; did you mean 'metric'?"},
    {ONE("metric: warmth, time: {above: 41 Cel}"), "f.yaml:2:5: derived[0].name: is needed"},
    {ONE("name: A, metric: warmth, time: {above: 41 Cel}"),
     "f.yaml:2:12: derived[0].name: expected a letter and up to 46 of a-z 0-9 _"},
    {ONE("name: angle, metric: warmth, time: {above: 41 Cel}"),
     "f.yaml:2:12: derived[0].name: back has a metric angle already"},
    {ONE("name: a, metric: warmth, time: {above: 41 Cel}}\n  - {name: a, health: loss"),
     "f.yaml:3:12: derived[1].name: back has a metric a already"},
    {ONE("name: a, time: {above: 41 Cel}"), "f.yaml:2:5: derived[0].metric: is needed"},
    {ONE("name: a, metric: warmht, time: {above: 41 Cel}"),
     "f.yaml:2:23: derived[0].metric: there is no metric \"warmht\"; did you mean \"warmth\"?"},
    {ONE("name: a, metric: battery, time: {below: 20 %}"),
     "f.yaml:2:23: derived[0].metric: \"battery\" is a metric of two kinds of device: say "
     "back/battery or pad/battery"},
    {ONE("name: a, metric: warmth, time: {above: 41 deg}"),
     "f.yaml:2:45: derived[0].above: warmth is measured in Cel: write '41 Cel', not '41 deg'"},
    {ONE("name: a, metric: warmth, time: {above: 90 Cel}"),
     "f.yaml:2:45: derived[0].above: warmth is 20..50 Cel, never '90 Cel'"},
    {ONE("name: a, metric: warmth, time: {above: hot}"),
     "f.yaml:2:45: derived[0].above: expected a number with the unit Cel"},
    {ONE("name: a, metric: warmth, time: {}"),
     "f.yaml:2:37: derived[0]: expected one of above, below, within, outside and is"},
    {ONE("name: a, metric: warmth, time: {above: 41 Cel, below: 30 Cel}"),
     "f.yaml:2:37: derived[0]: expected one of above, below, within, outside and is"},
    {ONE("name: a, metric: warmth, time: {abov: 41 Cel}"),
     "f.yaml:2:44: derived[0]: unknown key 'abov'; did you mean 'above'?"},
    {ONE("name: a, metric: warmth, time: {within: 41 Cel}"),
     "f.yaml:2:46: derived[0].within: expected two values, as [10 Cel, 20 Cel]"},
    {ONE("name: a, metric: warmth, time: {within: [41 Cel, 40 Cel]}"),
     "f.yaml:2:46: derived[0].within: the lower value comes first"},
    {ONE("name: a, metric: warmth, time: {is: hot}"),
     "f.yaml:2:42: derived[0].is: warmth has no labels"},
    {ONE("name: a, metric: pose, time: {is: sloched}"),
     "f.yaml:2:40: derived[0].is: pose is never 'sloched'; did you mean 'slouched'?"},
    {ONE("name: a, metric: pose, time: {above: 1}"),
     "f.yaml:2:35: derived[0].above: pose is not measured in numbers"},
    {ONE("name: a, metric: fault, time: {is: stall}"),
     "f.yaml:2:36: derived[0]: fault is an event, which does not last"},
    {ONE("name: a, metric: warmth, time: {above: 41 Cel, deadband: 1 Cel}"),
     "f.yaml:2:63: derived[0].deadband: only a count of values has one"},
    {ONE("name: a, metric: warmth, count: {above: 41 Cel, deadband: 1 deg}"),
     "f.yaml:2:64: derived[0].deadband: warmth is measured in Cel: write '1 Cel', not '1 deg'"},
    {ONE("name: a, metric: warmth, count: {above: 41 Cel}, unit: s"),
     "f.yaml:2:61: derived[0].unit: a count has none"},
    {ONE("name: a, metric: warmth, time: {above: 41 Cel}, unit: m"),
     "f.yaml:2:60: derived[0].unit: no 'm' here; it can be 'min', for one"},
    {ONE("name: a, metric: pose, dose: {above: 1}"),
     "f.yaml:2:35: derived[0]: pose is not measured"},
    {ONE("name: a, metric: warmth, dose: {above: 41 Cel}"),
     "f.yaml:2:5: derived[0].max: is needed: the most that is told of"},
    {ONE("name: a, metric: warmth, dose: {above: 41 Cel}, max: 10 Cel.h"),
     "f.yaml:2:59: derived[0].max: a is measured in Cel.min: write '10 Cel.min', not '10 Cel.h'"},
    {ONE("name: a, metric: warmth, dose: {above: 41 Cel}, max: 0 Cel.min"),
     "f.yaml:2:59: derived[0].max: has to be above 0"},
    {ONE("name: a, metric: warmth, dose: {above: 41 Cel, full: 1 min}, max: 0 Cel.min"),
     "f.yaml:2:59: derived[0]: unknown key 'full'"},
    {ONE("name: a, metric: warmth, dose: {full: 1 min, at: 44 Cel}"),
     "f.yaml:2:37: derived[0].doubles: is needed (or 'above': what lies above it counts)"},
    {ONE("name: a, metric: warmth, dose: {full: 9 ms, at: 44 Cel, doubles: 1 Cel}"),
     "f.yaml:2:44: derived[0].full: 1 s .. 1440 min, not '9 ms'"},
    {ONE("name: a, metric: warmth, dose: {full: 9 s, at: 44 Cel, doubles: 0 Cel}"),
     "f.yaml:2:70: derived[0].doubles: has to be more than that"},
    {ONE("name: a, health: lost"),
     "f.yaml:2:23: derived[0].health: no 'lost' here; did you mean 'loss'?"},
    {ONE("name: a, health: loss, of: bak"),
     "f.yaml:2:33: derived[0].of: no 'bak' here; did you mean 'back'?"},
    {ONE("name: a, health: loss, metric: angle"),
     "f.yaml:2:37: derived[0].metric: health is of the device, not of a metric"},
    {ONE("name: a, health: loss, reset: session"),
     "f.yaml:2:36: derived[0].reset: this is of the last minute"},
    {ONE("name: a, metric: angle, of: back, time: {above: 1 deg}"),
     "f.yaml:2:34: derived[0].of: the metric says whose it is"},
    {ONE("name: a, metric: angle, time: {above: 1 deg}, reset: sesion"),
     "f.yaml:2:59: derived[0].reset: no 'sesion' here; did you mean 'session'?"},
    {ONE("name: a, metric: angle, time: {above: 1 deg}, phases: [rest, masage]"),
     "f.yaml:2:67: derived[0].phases: no 'masage' here; did you mean 'massage'?"},
    {ONE("name: a, metric: angle, time: {above: 1 deg}, phases: rest"),
     "f.yaml:2:60: derived[0].phases: expected a list, as [exercise]"},
};

static void every_fault_has_its_place_and_the_nearest_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct world world;
        struct diag diag = {0};
        char sentence[600] = "";
        memset(&world, 0, sizeof(world));
        clinic_init(&world.drivers);
        uint32_t metrics = world.drivers.metric_count;
        int code = load(&world, texts[i].text, &diag);
        diag_sentence(&diag, sentence, sizeof(sentence));
        if ((code == 0) != (texts[i].sentence == NULL) ||
            (code != 0 && strcmp(sentence, texts[i].sentence) != 0))
            fail_msg("%s\nsaid: %s", texts[i].text, sentence);
        if (code != 0) { /* nothing of it is there */
            assert_int_equal(world.drivers.metric_count, metrics);
            assert_null(world.derive);
        }
        drivers_fini(&world.drivers);
        derive_destroy(world.derive);
    }
}

static void a_kind_of_device_has_so_many_at_most(void **state)
{
    (void)state;
    struct drivers drivers;
    struct derive *derive;
    struct diag diag = {0};
    char lines[4000];
    struct text text = text_in(lines, sizeof(lines));
    text_add(&text, "derived:\n");
    for (unsigned i = 0; i < DERIVE_MAX + 1; i++)
        text_add(&text, "  - {name: m%u, metric: pose, count: {is: upright}}\n", i);
    clinic_init(&drivers);
    struct rules_text file = {"f.yaml", lines, text.length, false};
    assert_int_equal(derive_load(&derive, &file, 1, &drivers, DEVICES, &diag), ERR_LIMIT);
    assert_int_equal(diag.line, DERIVE_MAX + 2);
    drivers_fini(&drivers);
}

static void a_reload_that_derives_in_another_way_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {two, ""},
        {"derived:\n"
         "  - {name: hot, metric: warmth, time: {above: 42 Cel}, unit: s}\n",
         "f.yaml:2:5: hot is derived anew, or in another way: that needs a restart"},
        {"derived:\n"
         "  - {name: hot, metric: warmth, time: {above: 41 Cel}, unit: s}\n",
         "3 metrics are derived now, and 1 by the files: that needs a restart"},
        {"derived:\n"
         "  - {name: very_hot, metric: hot, count: {above: 41 s}}\n",
         "f.yaml:2:30: derived[0].metric: hot is derived itself"},
        {"rules: []", "3 metrics are derived now, and 0 by the files: that needs a restart"},
    };
    struct world world;
    open_world(&world, two);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rules_text file = {"f.yaml", cases[i].text, strlen(cases[i].text), false};
        struct diag diag = {0};
        char sentence[600];
        int code = derive_check(world.derive, &file, 1, &world.drivers, &diag);
        assert_int_equal(code != 0, cases[i].sentence[0] != '\0');
        if (code != 0)
            assert_string_equal(diag_sentence(&diag, sentence, sizeof(sentence)),
                                cases[i].sentence);
    }
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table),
        cmocka_unit_test(a_batch_gives_one_value_behind_its_own),
        cmocka_unit_test(metrics_describe_themselves),
        cmocka_unit_test(loss_is_of_the_last_minute),
        cmocka_unit_test(skew_and_refusals_are_told_each_ten_seconds),
        cmocka_unit_test(a_refused_message_tells_of_health_alone),
        cmocka_unit_test(a_restart_after_any_step_changes_nothing),
        cmocka_unit_test(what_has_changed_is_said_once),
        cmocka_unit_test(what_is_made_in_another_way_is_not_taken_up),
        cmocka_unit_test(every_fault_has_its_place_and_the_nearest_name),
        cmocka_unit_test(a_kind_of_device_has_so_many_at_most),
        cmocka_unit_test(a_reload_that_derives_in_another_way_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
