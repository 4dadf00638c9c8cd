#include "core/calibration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEUTRAL_LEAST_MS 1000
#define NEUTRAL_MOST_MS  30000
#define RANGE_MOST_MS    300000 /* a test that nobody ends has ended */

struct entry {
    struct neutral neutral;
    struct range_test range;
};

struct calibration {
    struct entry **entries; /* by device; NULL: never calibrated */
    uint32_t devices_max;
};

/* ---- Life ---- */

struct calibration *calibration_create(uint32_t devices_max)
{
    struct calibration *calibration = calloc(1, sizeof(*calibration));
    if (calibration == NULL)
        return NULL;
    calibration->devices_max = devices_max;
    calibration->entries = calloc((size_t)devices_max + 1, sizeof(*calibration->entries));
    if (calibration->entries == NULL) {
        free(calibration);
        return NULL;
    }
    return calibration;
}

void calibration_destroy(struct calibration *calibration)
{
    if (calibration == NULL)
        return;
    for (uint32_t id = 0; id <= calibration->devices_max; id++)
        free(calibration->entries[id]);
    free(calibration->entries);
    free(calibration);
}

static struct entry *entry_of(const struct calibration *calibration, uint32_t device)
{
    return device <= calibration->devices_max ? calibration->entries[device] : NULL;
}

static struct entry *entry_make(struct calibration *calibration, const struct device *device,
                                struct diag *diag)
{
    if (device->id > calibration->devices_max) {
        diag_set(diag, ERR_FULL, "no place to calibrate %s", device->name);
        return NULL;
    }
    struct entry **entry = &calibration->entries[device->id];
    if (*entry == NULL)
        *entry = calloc(1, sizeof(**entry));
    if (*entry == NULL)
        diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    return *entry;
}

static bool is_angle(const struct lumbar_metric *metric)
{
    return metric->kind == LUMBAR_GAUGE && strcmp(metric->unit, "deg") == 0;
}

/* ---- Neutral posture ---- */

int calibration_neutral_begin(struct calibration *calibration, const struct device *device,
                              int64_t for_ms, int64_t now_ms, struct diag *diag)
{
    struct neutral_angle angles[CALIBRATION_ANGLES];
    uint32_t count = 0;
    if (for_ms < NEUTRAL_LEAST_MS || for_ms > NEUTRAL_MOST_MS)
        return diag_set(diag, ERR_RANGE, "a neutral posture is held for %d..%d s",
                        NEUTRAL_LEAST_MS / 1000, NEUTRAL_MOST_MS / 1000);
    for (uint32_t i = 0; i < device->driver->metric_count && count < CALIBRATION_ANGLES; i++)
        /* What the test of range says is no angle of now: it comes more rarely than once a second.
         */
        if (is_angle(&device->driver->metrics[i]) && device->driver->metrics[i].period_ms <= 1000)
            angles[count++] =
                (struct neutral_angle){.metric = i, .low = INFINITY, .high = -INFINITY};
    if (count == 0)
        return diag_set(diag, ERR_CONFLICT, "%s measures no angle", device->name);
    struct entry *entry = entry_make(calibration, device, diag);
    if (entry == NULL)
        return ERR_FULL;
    struct neutral *neutral = &entry->neutral;
    for (uint32_t i = 0; i < count; i++)
        angles[i].zero = neutral->taken_ms != 0 ? neutral->angles[i].zero : 0;
    memcpy(neutral->angles, angles, sizeof(angles[0]) * count);
    neutral->angle_count = count;
    neutral->state = CALIBRATION_UNDER_WAY;
    neutral->reason[0] = '\0';
    neutral->listened_boots = device->boots;
    neutral->restarted = false;
    neutral->began_ms = now_ms;
    neutral->until_ms = now_ms + for_ms;
    return 0;
}

const struct neutral *calibration_neutral(const struct calibration *calibration, uint32_t device)
{
    const struct entry *entry = entry_of(calibration, device);
    return entry != NULL ? &entry->neutral : NULL;
}

static void neutral_take(struct neutral *neutral, const struct device *device,
                         const struct lumbar_series *series, int64_t offset_ms)
{
    for (uint32_t a = 0; a < neutral->angle_count; a++) {
        struct neutral_angle *angle = &neutral->angles[a];
        for (uint32_t i = 0; angle->metric == series->metric && i < series->count; i++) {
            int64_t time_ms = series->time_ms[i] + offset_ms;
            double value = series->value[i];
            if (isnan(value) || time_ms < neutral->began_ms || time_ms >= neutral->until_ms)
                continue;
            angle->count++;
            angle->sum += value;
            angle->low = fmin(angle->low, value);
            angle->high = fmax(angle->high, value);
        }
    }
    neutral->restarted = neutral->restarted || device->boots != neutral->listened_boots;
}

static void neutral_refuse(struct neutral *neutral, const char *reason)
{
    neutral->state = CALIBRATION_REFUSED;
    snprintf(neutral->reason, sizeof(neutral->reason), "%s", reason);
}

/* All angles or none: half a calibration would be taken for a whole one. */
static void neutral_end(struct neutral *neutral)
{
    char reason[120];
    if (neutral->restarted) {
        neutral_refuse(neutral, "the device started anew meanwhile");
        return;
    }
    for (uint32_t a = 0; a < neutral->angle_count; a++) {
        const struct neutral_angle *angle = &neutral->angles[a];
        if (angle->count < CALIBRATION_LEAST) {
            snprintf(reason, sizeof(reason), "only %u values of an angle were heard", angle->count);
            neutral_refuse(neutral, reason);
            return;
        }
        if (angle->high - angle->low > CALIBRATION_STILL_DEG) {
            snprintf(reason, sizeof(reason), "it moved by %.1f deg; %.0f deg is still",
                     angle->high - angle->low, CALIBRATION_STILL_DEG);
            neutral_refuse(neutral, reason);
            return;
        }
    }
    for (uint32_t a = 0; a < neutral->angle_count; a++)
        neutral->angles[a].zero = neutral->angles[a].sum / neutral->angles[a].count;
    neutral->state = CALIBRATION_DONE;
    neutral->taken_ms = neutral->until_ms;
    neutral->boots = neutral->listened_boots;
}

double calibration_zero(const struct calibration *calibration, const struct device *device,
                        uint32_t metric, int64_t now_ms, int64_t max_age_ms)
{
    const struct entry *entry = entry_of(calibration, device->id);
    const struct neutral *neutral = entry != NULL ? &entry->neutral : NULL;
    if (neutral == NULL || neutral->taken_ms == 0 || neutral->boots != device->boots ||
        now_ms - neutral->taken_ms > max_age_ms)
        return 0;
    for (uint32_t a = 0; a < neutral->angle_count; a++)
        if (neutral->angles[a].metric == metric)
            return neutral->angles[a].zero;
    return 0;
}

/* ---- Range of motion ---- */

int calibration_range_begin(struct calibration *calibration, const struct device *device,
                            uint32_t metric, uint32_t repetitions, int64_t now_ms,
                            struct diag *diag)
{
    if (metric >= device->driver->metric_count || !is_angle(&device->driver->metrics[metric]))
        return diag_set(diag, ERR_CONFLICT, "a range of motion is that of an angle");
    if (repetitions < 1 || repetitions > CALIBRATION_REPETITIONS)
        return diag_set(diag, ERR_RANGE, "1..%d repetitions", CALIBRATION_REPETITIONS);
    struct entry *entry = entry_make(calibration, device, diag);
    if (entry == NULL)
        return ERR_FULL;
    entry->range = (struct range_test){
        .state = CALIBRATION_UNDER_WAY,
        .metric = metric,
        .wanted = repetitions,
        .began_ms = now_ms,
    };
    return 0;
}

const struct range_test *calibration_range(const struct calibration *calibration, uint32_t device)
{
    const struct entry *entry = entry_of(calibration, device);
    return entry != NULL ? &entry->range : NULL;
}

static void range_value(struct range_test *test, double value, int64_t time_ms)
{
    if (!test->started) {
        test->started = true;
        test->start = value;
    }
    double way = value - test->start;
    if (test->direction == 0 && fabs(way) >= RANGE_LEAST_DEG)
        test->direction = way > 0 ? 1 : -1; /* the first one says which movement it is */
    double out = way * test->direction;
    if (!test->out && out >= RANGE_LEAST_DEG) {
        test->out = true;
        test->peak = out;
    } else if (test->out && out > test->peak) {
        test->peak = out;
    } else if (test->out && out < test->peak / 2) {
        test->out = false;
        test->peaks[test->count++] = test->peak;
        if (test->count == test->wanted) {
            test->state = CALIBRATION_DONE;
            test->ended_ms = time_ms;
        }
    }
}

static void range_take(struct range_test *test, const struct lumbar_series *series,
                       int64_t offset_ms)
{
    for (uint32_t i = 0; i < series->count && test->state == CALIBRATION_UNDER_WAY; i++) {
        int64_t time_ms = series->time_ms[i] + offset_ms;
        if (!isnan(series->value[i]) && time_ms >= test->began_ms)
            range_value(test, series->value[i], time_ms);
    }
}

bool calibration_range_result(const struct range_test *test, struct range_result *result)
{
    if (test == NULL || test->state != CALIBRATION_DONE)
        return false;
    double sum = 0, squares = 0;
    *result = (struct range_result){.count = test->count, .measured_ms = test->ended_ms};
    for (uint32_t i = 0; i < test->count; i++) {
        sum += test->peaks[i];
        result->best = fmax(result->best, test->peaks[i]);
    }
    result->mean = sum / test->count;
    for (uint32_t i = 0; i < test->count; i++)
        squares += (test->peaks[i] - result->mean) * (test->peaks[i] - result->mean);
    result->spread = test->count > 1 ? sqrt(squares / (test->count - 1)) : NAN;
    return true;
}

/* ---- Both ---- */

void calibration_touch(struct calibration *calibration, const struct device *device,
                       const struct lumbar_batch *batch, int64_t offset_ms)
{
    struct entry *entry = entry_of(calibration, device->id);
    if (entry == NULL)
        return;
    bool neutral = entry->neutral.state == CALIBRATION_UNDER_WAY;
    bool range = entry->range.state == CALIBRATION_UNDER_WAY;
    for (uint32_t s = 0; (neutral || range) && s < batch->series_count; s++) {
        if (neutral)
            neutral_take(&entry->neutral, device, &batch->series[s], offset_ms);
        if (range && batch->series[s].metric == entry->range.metric)
            range_take(&entry->range, &batch->series[s], offset_ms);
    }
}

void calibration_tick(struct calibration *calibration, int64_t now_ms)
{
    for (uint32_t id = 1; id <= calibration->devices_max; id++) {
        struct entry *entry = calibration->entries[id];
        if (entry == NULL)
            continue;
        if (entry->neutral.state == CALIBRATION_UNDER_WAY && now_ms >= entry->neutral.until_ms)
            neutral_end(&entry->neutral);
        if (entry->range.state == CALIBRATION_UNDER_WAY &&
            now_ms - entry->range.began_ms >= RANGE_MOST_MS)
            entry->range.state = CALIBRATION_REFUSED;
    }
}

enum range_change calibration_change(double before_deg, double after_deg)
{
    double change = fabs(after_deg - before_deg);
    return change < RANGE_MDC_LOW_DEG     ? RANGE_NO_CHANGE
           : change <= RANGE_MDC_HIGH_DEG ? RANGE_UNCERTAIN
                                          : RANGE_CHANGED;
}

const char *calibration_change_words(enum range_change change)
{
    static const char *const words[] = {
        [RANGE_NO_CHANGE] = "no change beyond measurement error",
        [RANGE_UNCERTAIN] = "a change that may be measurement error",
        [RANGE_CHANGED] = "a change beyond measurement error",
    };
    return words[change];
}
