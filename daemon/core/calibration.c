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
    uint64_t change;
};

struct calibration {
    struct entry **entries; /* by device; NULL: never calibrated */
    uint32_t devices_max;
    uint64_t change, newest; /* newest: number */
    calibration_news_cb *on_news;
    void *user;
};

/* ---- Life ---- */

struct calibration *calibration_create(uint32_t devices_max, calibration_news_cb *on_news,
                                       void *user)
{
    struct calibration *calibration = calloc(1, sizeof(*calibration));
    if (calibration == NULL)
        return NULL;
    calibration->devices_max = devices_max;
    calibration->on_news = on_news;
    calibration->user = user;
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

static void tell(struct calibration *calibration, uint32_t device, enum calibration_news news)
{
    calibration->entries[device]->change = ++calibration->change;
    if (calibration->on_news != NULL)
        calibration->on_news(calibration->user, device, news);
}

uint64_t calibration_change(const struct calibration *calibration)
{
    return calibration->change;
}

uint64_t calibration_changed(const struct calibration *calibration, uint32_t device)
{
    const struct entry *entry = entry_of(calibration, device);
    return entry != NULL ? entry->change : 0;
}

void calibration_go_on(struct calibration *calibration, uint64_t newest)
{
    if (newest > calibration->newest)
        calibration->newest = newest;
}

static bool is_angle(const struct lumbar_metric *metric)
{
    return metric->kind == LUMBAR_GAUGE && strcmp(metric->unit, "deg") == 0;
}

/* ---- Neutral posture ---- */

/* Those that this device has ever told: not each has every sensor of its kind. What the test of
 * range says is no angle of now: it comes more rarely than once a second. */
static uint32_t list_angles(const struct device *device,
                            struct neutral_angle angles[CALIBRATION_ANGLES])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < device->driver->plugin->metric_count && count < CALIBRATION_ANGLES;
         i++) {
        const struct lumbar_metric *metric = &device->driver->metrics[i];
        if (is_angle(metric) && metric->period_ms <= 1000 && device->values[i].time_ms != 0)
            angles[count++] =
                (struct neutral_angle){.metric = i, .low = INFINITY, .high = -INFINITY};
    }
    return count;
}

int calibration_neutral_begin(struct calibration *calibration, const struct device *device,
                              int64_t for_ms, int64_t holds_ms, int64_t now_ms, struct diag *diag)
{
    struct neutral_angle angles[CALIBRATION_ANGLES];
    if (for_ms < NEUTRAL_LEAST_MS || for_ms > NEUTRAL_MOST_MS)
        return diag_set(diag, ERR_RANGE, "a neutral posture is held for %d..%d s",
                        NEUTRAL_LEAST_MS / 1000, NEUTRAL_MOST_MS / 1000);
    uint32_t count = list_angles(device, angles);
    if (count == 0)
        return diag_set(diag, ERR_CONFLICT, "%s has told no angle", device->name);
    struct entry *entry = entry_make(calibration, device, diag);
    if (entry == NULL)
        return ERR_FULL;
    struct neutral *neutral = &entry->neutral;
    memcpy(neutral->angles, angles, sizeof(angles[0]) * count);
    neutral->angle_count = count;
    neutral->state = CALIBRATION_UNDER_WAY;
    neutral->reason[0] = '\0';
    neutral->has_boot = neutral->restarted = false;
    neutral->began_ms = now_ms;
    neutral->until_ms = now_ms + for_ms;
    neutral->holds_ms = holds_ms;
    tell(calibration, device->id, NEUTRAL_BEGUN);
    return 0;
}

const struct neutral *calibration_neutral(const struct calibration *calibration, uint32_t device)
{
    const struct entry *entry = entry_of(calibration, device);
    return entry != NULL ? &entry->neutral : NULL;
}

int calibration_restore(struct calibration *calibration, const struct device *device,
                        const struct neutral_zero *zero, struct diag *diag)
{
    bool possible = zero->taken_ms > 0 && zero->count > 0 && zero->count <= CALIBRATION_ANGLES;
    for (uint32_t a = 0; a < zero->count && possible; a++)
        possible = zero->angles[a].metric < device->driver->plugin->metric_count &&
                   isfinite(zero->angles[a].deg);
    if (!possible)
        return diag_set(diag, ERR_RANGE, "no zero of %s", device->name);
    struct entry *entry = entry_make(calibration, device, diag);
    if (entry == NULL)
        return ERR_FULL;
    entry->neutral.state = CALIBRATION_DONE;
    entry->neutral.zero = *zero;
    entry->change = ++calibration->change; /* known where it comes from: no news */
    calibration_go_on(calibration, zero->number);
    return 0;
}

void calibration_neutral_end(struct calibration *calibration, uint32_t device, const char *reason,
                             int64_t now_ms)
{
    struct entry *entry = entry_of(calibration, device);
    if (entry == NULL || entry->neutral.zero.taken_ms == 0)
        return;
    struct neutral *neutral = &entry->neutral;
    if (neutral->state != CALIBRATION_UNDER_WAY)
        neutral->state = CALIBRATION_IDLE;
    snprintf(neutral->reason, sizeof(neutral->reason), "%s", reason);
    if (now_ms < neutral->zero.expires_ms)
        neutral->zero.expires_ms = now_ms;
    tell(calibration, device, NEUTRAL_ENDED);
    neutral->zero = (struct neutral_zero){.taken_ms = 0};
}

void calibration_belongs(struct calibration *calibration, uint32_t device, uint64_t session)
{
    struct entry *entry = entry_of(calibration, device);
    if (entry == NULL || entry->neutral.zero.taken_ms == 0 ||
        entry->neutral.zero.session == session)
        return;
    entry->neutral.zero.session = session;
    tell(calibration, device, NEUTRAL_TAKEN);
}

/* Does it hold for what was measured then? */
static bool holds_at(const struct neutral_zero *zero, int64_t time_ms)
{
    return zero->taken_ms != 0 && time_ms >= zero->taken_ms && time_ms < zero->expires_ms;
}

static double zero_of(const struct neutral_zero *zero, uint32_t metric)
{
    for (uint32_t a = 0; a < zero->count; a++)
        if (zero->angles[a].metric == metric)
            return zero->angles[a].deg;
    return 0;
}

double calibration_zero(const struct calibration *calibration, uint32_t device, uint32_t metric,
                        int64_t time_ms)
{
    const struct entry *entry = entry_of(calibration, device);
    return entry != NULL && holds_at(&entry->neutral.zero, time_ms)
               ? zero_of(&entry->neutral.zero, metric)
               : 0;
}

void calibration_apply(const struct calibration *calibration, const struct device *device,
                       struct drivers *drivers, struct decoded *decoded, int64_t offset_ms)
{
    const struct entry *entry = entry_of(calibration, device->id);
    if (entry == NULL || entry->neutral.zero.taken_ms == 0)
        return;
    const struct neutral_zero *zero = &entry->neutral.zero;
    for (uint32_t s = 0; s < decoded->batch.series_count; s++) {
        const struct lumbar_series *series = &decoded->batch.series[s];
        double deg = zero_of(zero, series->metric);
        uint32_t from = 0, to = series->count;
        if (deg == 0)
            continue;
        while (from < to && series->time_ms[from] + offset_ms < zero->taken_ms)
            from++;
        while (to > from && series->time_ms[to - 1] + offset_ms >= zero->expires_ms)
            to--;
        if (from < to)
            drivers_shift(drivers, device->driver, decoded, s, from, to, -deg);
    }
}

static void neutral_take(struct neutral *neutral, const struct lumbar_series *series,
                         int64_t offset_ms)
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
}

/* All angles or none: half a calibration would be taken for a whole one. */
static bool is_still(struct neutral *neutral)
{
    if (neutral->restarted) {
        snprintf(neutral->reason, sizeof(neutral->reason), "the device started anew meanwhile");
        return false;
    }
    for (uint32_t a = 0; a < neutral->angle_count; a++) {
        const struct neutral_angle *angle = &neutral->angles[a];
        if (angle->count < CALIBRATION_LEAST) {
            snprintf(neutral->reason, sizeof(neutral->reason),
                     "only %u values of an angle were heard", angle->count);
            return false;
        }
        if (angle->high - angle->low > CALIBRATION_STILL_DEG) {
            snprintf(neutral->reason, sizeof(neutral->reason),
                     "it moved by %.1f deg; %.0f deg is still", angle->high - angle->low,
                     CALIBRATION_STILL_DEG);
            return false;
        }
    }
    return true;
}

static void neutral_done(struct calibration *calibration, uint32_t device, int64_t now_ms)
{
    struct neutral *neutral = &calibration->entries[device]->neutral;
    if (!is_still(neutral)) {
        neutral->state = CALIBRATION_REFUSED;
        tell(calibration, device, NEUTRAL_REFUSED);
        return;
    }
    uint64_t session = neutral->zero.session; /* of the same wearing */
    calibration_neutral_end(calibration, device, "", now_ms);
    struct neutral_zero *zero = &neutral->zero;
    *zero = (struct neutral_zero){.number = ++calibration->newest,
                                  .session = session,
                                  .taken_ms = neutral->until_ms,
                                  .expires_ms = neutral->until_ms + neutral->holds_ms,
                                  .has_boot = neutral->has_boot,
                                  .boot_id = neutral->boot_id,
                                  .count = neutral->angle_count};
    for (uint32_t a = 0; a < neutral->angle_count; a++) {
        zero->angles[a].metric = neutral->angles[a].metric;
        zero->angles[a].deg = neutral->angles[a].sum / neutral->angles[a].count;
    }
    neutral->state = CALIBRATION_DONE;
    tell(calibration, device, NEUTRAL_TAKEN);
}

/* ---- Range of motion ---- */

int calibration_range_begin(struct calibration *calibration, const struct device *device,
                            uint32_t metric, uint32_t repetitions, uint64_t session, int64_t now_ms,
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
        .session = session,
        .metric = metric,
        .wanted = repetitions,
        .began_ms = now_ms,
    };
    tell(calibration, device->id, RANGE_BEGUN);
    return 0;
}

static void range_done(struct calibration *calibration, uint32_t device, int64_t time_ms)
{
    struct range_test *test = &calibration->entries[device]->range;
    test->state = CALIBRATION_DONE;
    test->number = ++calibration->newest;
    test->ended_ms = time_ms;
    tell(calibration, device, RANGE_DONE);
}

static void range_refuse(struct calibration *calibration, uint32_t device, const char *reason)
{
    struct range_test *test = &calibration->entries[device]->range;
    test->state = CALIBRATION_REFUSED;
    snprintf(test->reason, sizeof(test->reason), "%s", reason);
    tell(calibration, device, RANGE_REFUSED);
}

int calibration_range_end(struct calibration *calibration, const struct device *device,
                          int64_t now_ms, struct diag *diag)
{
    const struct entry *entry = entry_of(calibration, device->id);
    if (entry == NULL || entry->range.state != CALIBRATION_UNDER_WAY)
        return diag_set(diag, ERR_CONFLICT, "no test of %s is under way", device->name);
    if (entry->range.count > 0)
        range_done(calibration, device->id, now_ms);
    else
        range_refuse(calibration, device->id, "it was ended before the first repetition");
    return 0;
}

void calibration_forget(struct calibration *calibration, uint64_t session)
{
    for (uint32_t i = 0; i < calibration->devices_max; i++) {
        struct entry *entry = calibration->entries[i];
        if (entry == NULL || entry->range.session != session ||
            entry->range.state == CALIBRATION_UNDER_WAY)
            continue;
        entry->range = (struct range_test){.session = 0};
        entry->change = ++calibration->change;
    }
}

const struct range_test *calibration_range(const struct calibration *calibration, uint32_t device)
{
    const struct entry *entry = entry_of(calibration, device);
    return entry != NULL ? &entry->range : NULL;
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

/* True: a repetition ended. */
static bool range_value(struct range_test *test, double value)
{
    if (!test->started) {
        test->started = true;
        test->start = value;
    }
    double way = value - test->start;
    if (test->direction == 0 && fabs(way) >= RANGE_LEAST_DEG)
        test->direction = way > 0 ? 1 : -1; /* the first one says which movement it is */
    double out = way * test->direction;
    if (test->out) {
        test->peak = fmax(test->peak, out);
        if (out >= test->peak / 2)
            return false;
        test->out = false;
        test->valley = out;
        test->peaks[test->count++] = test->peak;
        return true;
    }
    /* The way back from one is not the way out of the next. */
    test->valley = fmin(test->valley, out);
    test->out = out >= RANGE_LEAST_DEG && out - test->valley >= RANGE_LEAST_DEG;
    test->peak = out;
    return false;
}

static void range_take(struct calibration *calibration, uint32_t device,
                       const struct lumbar_series *series, int64_t offset_ms)
{
    struct range_test *test = &calibration->entries[device]->range;
    for (uint32_t i = 0; i < series->count && test->state == CALIBRATION_UNDER_WAY; i++) {
        int64_t time_ms = series->time_ms[i] + offset_ms;
        if (isnan(series->value[i]) || time_ms < test->began_ms ||
            !range_value(test, series->value[i]))
            continue;
        if (test->count == test->wanted)
            range_done(calibration, device, time_ms);
        else
            tell(calibration, device, RANGE_REPEATED);
    }
}

/* ---- Both ---- */

/* Of a batch; INT64_MIN where it has none. */
static int64_t newest_ms(const struct lumbar_batch *batch, int64_t offset_ms)
{
    int64_t newest = INT64_MIN;
    for (uint32_t s = 0; s < batch->series_count; s++) {
        int64_t time_ms = batch->series[s].time_ms[batch->series[s].count - 1] + offset_ms;
        newest = time_ms > newest ? time_ms : newest;
    }
    return newest;
}

/* A device that started anew may sit otherwise. What it had kept of before says nothing of it. */
static void look_at_boot(struct calibration *calibration, uint32_t device,
                         const struct lumbar_batch *batch, int64_t time_ms)
{
    struct neutral *neutral = &calibration->entries[device]->neutral;
    if ((batch->flags & LUMBAR_HAS_SEQUENCE) == 0)
        return;
    if (neutral->state == CALIBRATION_UNDER_WAY && time_ms >= neutral->began_ms) {
        neutral->restarted |= neutral->has_boot && neutral->boot_id != batch->boot_id;
        neutral->has_boot = true;
        neutral->boot_id = batch->boot_id;
    }
    if (holds_at(&neutral->zero, time_ms) && neutral->zero.has_boot &&
        neutral->zero.boot_id != batch->boot_id)
        calibration_neutral_end(calibration, device, "the device started anew", time_ms);
}

void calibration_touch(struct calibration *calibration, const struct device *device,
                       const struct lumbar_batch *batch, int64_t offset_ms)
{
    struct entry *entry = entry_of(calibration, device->id);
    if (entry == NULL)
        return;
    look_at_boot(calibration, device->id, batch, newest_ms(batch, offset_ms));
    bool neutral = entry->neutral.state == CALIBRATION_UNDER_WAY;
    bool range = entry->range.state == CALIBRATION_UNDER_WAY;
    for (uint32_t s = 0; (neutral || range) && s < batch->series_count; s++) {
        if (neutral)
            neutral_take(&entry->neutral, &batch->series[s], offset_ms);
        if (range && batch->series[s].metric == entry->range.metric)
            range_take(calibration, device->id, &batch->series[s], offset_ms);
    }
}

void calibration_tick(struct calibration *calibration, int64_t now_ms)
{
    for (uint32_t id = 1; id <= calibration->devices_max; id++) {
        struct entry *entry = calibration->entries[id];
        if (entry == NULL)
            continue;
        if (entry->neutral.state == CALIBRATION_UNDER_WAY && now_ms >= entry->neutral.until_ms)
            neutral_done(calibration, id, now_ms);
        if (entry->neutral.zero.taken_ms != 0 && now_ms >= entry->neutral.zero.expires_ms)
            calibration_neutral_end(calibration, id, "it has grown old", now_ms);
        if (entry->range.state == CALIBRATION_UNDER_WAY &&
            now_ms - entry->range.began_ms >= RANGE_MOST_MS)
            range_refuse(calibration, id, "it was not done within five minutes");
    }
}

enum range_change range_change_of(double before_deg, double after_deg)
{
    double change = fabs(after_deg - before_deg);
    return change < RANGE_MDC_LOW_DEG     ? RANGE_NO_CHANGE
           : change <= RANGE_MDC_HIGH_DEG ? RANGE_UNCERTAIN
                                          : RANGE_CHANGED;
}

const char *range_change_words(enum range_change change)
{
    static const char *const words[] = {
        [RANGE_NO_CHANGE] = "no change beyond measurement error",
        [RANGE_UNCERTAIN] = "a change that may be measurement error",
        [RANGE_CHANGED] = "a change beyond measurement error",
    };
    return words[change];
}
