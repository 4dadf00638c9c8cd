#include "batch.h"

#include <assert.h>
#include <math.h>

#include "massage.pb-c.h"
#include "posture.pb-c.h"

const char *kind_name(enum kind kind)
{
    return kind == KIND_POSTURE ? "posture" : "massage";
}

void batch_init(struct batch *batch, enum kind kind, uint32_t columns)
{
    batch->kind = kind;
    batch->columns = columns;
    batch->rows = 0;
    batch->fault_count = 0;
    batch->now = batch_now_unknown();
}

struct batch_now batch_now_unknown(void)
{
    return (struct batch_now){.battery = -1,
                              .contact = -1,
                              .slouch_s = -1,
                              .sitting_s = -1,
                              .range = BATCH_SILENT,
                              .state = -1,
                              .program = -1,
                              .region = -1,
                              .region_s = -1};
}

static void add_time(struct batch *batch, int64_t time_ms)
{
    assert(batch->rows < BATCH_ROWS);
    assert(batch->rows == 0 || time_ms >= batch->last_ms);
    if (batch->rows == 0)
        batch->start_ms = batch->last_ms = time_ms;
    batch->dt_ms[batch->rows] = (uint32_t)(time_ms - batch->last_ms);
    batch->last_ms = time_ms;
}

/* What the wire cannot say is said as its end: far beyond what any sensor can, so the hub refuses
 * it. */
static int32_t quantise(double value, double steps)
{
    if (isnan(value))
        return BATCH_SILENT;
    return (int32_t)lround(fmax(-INT32_MAX, fmin(INT32_MAX, value * steps)));
}

void batch_add_posture(struct batch *batch, int64_t time_ms, const struct posture_angles *angles,
                       unsigned posture)
{
    add_time(batch, time_ms);
    uint32_t row = batch->rows++;
    batch->values[0][row] = quantise(angles->flexion, 100);
    batch->values[1][row] = quantise(angles->velocity, 10);
    batch->values[2][row] = quantise(angles->trunk, 100);
    batch->values[3][row] = quantise(angles->lateral, 100);
    batch->values[4][row] = quantise(angles->rotation, 100);
    batch->values[5][row] = (int32_t)posture;
}

void batch_add_massage(struct batch *batch, int64_t time_ms, const struct massage_values *values)
{
    add_time(batch, time_ms);
    uint32_t row = batch->rows++;
    batch->values[0][row] = quantise(values->pressure, 10);
    batch->values[1][row] = quantise(values->force, 10);
    batch->values[2][row] = quantise(values->frequency, 100);
    batch->values[3][row] = quantise(values->amplitude, 100);
    batch->values[4][row] = quantise(values->skin, 100);
    batch->values[5][row] = quantise(values->surface, 100);
    batch->values[6][row] = quantise(values->current, 1000);
    batch->values[7][row] = quantise(values->motor, 100);
    batch->values[8][row] = quantise(values->vibration, 100);
}

void batch_add_fault(struct batch *batch, unsigned fault)
{
    if (batch->fault_count < sizeof(batch->faults) / sizeof(batch->faults[0]))
        batch->faults[batch->fault_count++] = fault;
}

bool batch_is_full(const struct batch *batch)
{
    return batch->rows == BATCH_ROWS;
}

/* A packed column of the message, if the device has it. */
#define COLUMN(message, field, index, batch)                                                       \
    do {                                                                                           \
        if ((batch)->columns & 1u << (index)) {                                                    \
            (message).n_##field = (batch)->rows;                                                   \
            (message).field = (void *)(batch)->values[index];                                      \
        }                                                                                          \
    } while (0)

/* A field that is left out where nothing is known. */
#define OPTIONAL(message, field, known, given)                                                     \
    do {                                                                                           \
        (message).has_##field = (known);                                                           \
        (message).field = (given);                                                                 \
    } while (0)

static size_t encode_posture(struct batch *batch, uint64_t boot_id, uint64_t sequence, uint8_t *out)
{
    const struct batch_now *now = &batch->now;
    Lumbar__Posture__V1__Telemetry message = LUMBAR__POSTURE__V1__TELEMETRY__INIT;
    OPTIONAL(message, boot_id, true, boot_id);
    OPTIONAL(message, sequence, true, sequence);
    OPTIONAL(message, wall_clock, true, true);
    OPTIONAL(message, start_ms, true, batch->start_ms);
    message.n_dt_ms = batch->rows;
    message.dt_ms = batch->dt_ms;
    COLUMN(message, lumbar_flexion, 0, batch);
    COLUMN(message, lumbar_flexion_velocity, 1, batch);
    COLUMN(message, trunk_inclination, 2, batch);
    COLUMN(message, lumbar_lateral_flexion, 3, batch);
    COLUMN(message, lumbar_rotation, 4, batch);
    COLUMN(message, posture, 5, batch);
    OPTIONAL(message, slouch_duration_s, now->slouch_s >= 0, (uint32_t)now->slouch_s);
    OPTIONAL(message, sitting_bout_s, now->sitting_s >= 0, (uint32_t)now->sitting_s);
    OPTIONAL(message, rom_flexion_max, now->range != BATCH_SILENT, now->range);
    OPTIONAL(message, battery, now->battery >= 0, (uint32_t)now->battery);
    OPTIONAL(message, rssi, now->rssi != 0, now->rssi);
    OPTIONAL(message, contact, now->contact >= 0, now->contact > 0);
    assert(lumbar__posture__v1__telemetry__get_packed_size(&message) <= BATCH_BYTES);
    return lumbar__posture__v1__telemetry__pack(&message, out);
}

static size_t encode_massage(struct batch *batch, uint64_t boot_id, uint64_t sequence, uint8_t *out)
{
    const struct batch_now *now = &batch->now;
    Lumbar__Massage__V1__Telemetry message = LUMBAR__MASSAGE__V1__TELEMETRY__INIT;
    OPTIONAL(message, boot_id, true, boot_id);
    OPTIONAL(message, sequence, true, sequence);
    OPTIONAL(message, wall_clock, true, true);
    OPTIONAL(message, start_ms, true, batch->start_ms);
    message.n_dt_ms = batch->rows;
    message.dt_ms = batch->dt_ms;
    COLUMN(message, massage_pressure, 0, batch);
    COLUMN(message, massage_force, 1, batch);
    COLUMN(message, percussion_frequency, 2, batch);
    COLUMN(message, percussion_amplitude, 3, batch);
    COLUMN(message, skin_temperature, 4, batch);
    COLUMN(message, surface_temperature, 5, batch);
    COLUMN(message, motor_current, 6, batch);
    COLUMN(message, motor_temperature, 7, batch);
    COLUMN(message, motor_vibration, 8, batch);
    OPTIONAL(message, state, now->state >= 0, (Lumbar__Massage__V1__State)now->state);
    OPTIONAL(message, program, now->program >= 0, (Lumbar__Massage__V1__Program)now->program);
    OPTIONAL(message, region, now->region >= 0, (Lumbar__Massage__V1__Region)now->region);
    OPTIONAL(message, region_time_s, now->region_s >= 0, (uint32_t)now->region_s);
    message.n_faults = batch->fault_count;
    message.faults = (void *)batch->faults;
    OPTIONAL(message, battery, now->battery >= 0, (uint32_t)now->battery);
    OPTIONAL(message, rssi, now->rssi != 0, now->rssi);
    OPTIONAL(message, contact, now->contact >= 0, now->contact > 0);
    assert(lumbar__massage__v1__telemetry__get_packed_size(&message) <= BATCH_BYTES);
    return lumbar__massage__v1__telemetry__pack(&message, out);
}

size_t batch_encode(struct batch *batch, uint64_t boot_id, uint64_t sequence, uint8_t *out)
{
    size_t length = batch->kind == KIND_POSTURE ? encode_posture(batch, boot_id, sequence, out)
                                                : encode_massage(batch, boot_id, sequence, out);
    batch->rows = 0;
    batch->fault_count = 0;
    return length;
}

size_t batch_finish(enum kind kind, uint64_t held_from, int64_t now_ms, uint8_t *out)
{
    if (kind == KIND_POSTURE) {
        Lumbar__Posture__V1__Telemetry rest = LUMBAR__POSTURE__V1__TELEMETRY__INIT;
        OPTIONAL(rest, held_from, true, held_from);
        OPTIONAL(rest, now_ms, true, now_ms);
        return lumbar__posture__v1__telemetry__pack(&rest, out);
    }
    Lumbar__Massage__V1__Telemetry rest = LUMBAR__MASSAGE__V1__TELEMETRY__INIT;
    OPTIONAL(rest, held_from, true, held_from);
    OPTIONAL(rest, now_ms, true, now_ms);
    return lumbar__massage__v1__telemetry__pack(&rest, out);
}

static size_t posture_status(uint64_t boot_id, int64_t now_ms, const struct batch_now *now,
                             uint8_t *out, size_t bytes)
{
    char firmware[] = FIRMWARE_NAME;
    Lumbar__Posture__V1__Status status = LUMBAR__POSTURE__V1__STATUS__INIT;
    OPTIONAL(status, boot_id, true, boot_id);
    OPTIONAL(status, now_ms, true, now_ms);
    OPTIONAL(status, wall_clock, true, true);
    OPTIONAL(status, battery, now->battery >= 0, (uint32_t)now->battery);
    OPTIONAL(status, rssi, now->rssi != 0, now->rssi);
    OPTIONAL(status, contact, now->contact >= 0, now->contact > 0);
    status.firmware = firmware;
    assert(lumbar__posture__v1__status__get_packed_size(&status) <= bytes);
    (void)bytes;
    return lumbar__posture__v1__status__pack(&status, out);
}

size_t batch_status(enum kind kind, uint64_t boot_id, int64_t now_ms, const struct batch_now *now,
                    uint8_t *out, size_t bytes)
{
    if (kind == KIND_POSTURE)
        return posture_status(boot_id, now_ms, now, out, bytes);
    char firmware[] = FIRMWARE_NAME;
    Lumbar__Massage__V1__Status status = LUMBAR__MASSAGE__V1__STATUS__INIT;
    OPTIONAL(status, boot_id, true, boot_id);
    OPTIONAL(status, now_ms, true, now_ms);
    OPTIONAL(status, wall_clock, true, true);
    OPTIONAL(status, battery, now->battery >= 0, (uint32_t)now->battery);
    OPTIONAL(status, rssi, now->rssi != 0, now->rssi);
    OPTIONAL(status, contact, now->contact >= 0, now->contact > 0);
    OPTIONAL(status, state, now->state >= 0, (Lumbar__Massage__V1__State)now->state);
    status.firmware = firmware;
    assert(lumbar__massage__v1__status__get_packed_size(&status) <= bytes);
    return lumbar__massage__v1__status__pack(&status, out);
}
