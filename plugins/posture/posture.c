/*
 * The posture wearable: proto/posture.proto to the metrics of README.md beside this file.
 */
#include <string.h>

#include "columns.h"
#include "golden.h"
#include "lumbar/plugin.h"
#include "posture.pb-c.h"

typedef Lumbar__Posture__V1__Telemetry Telemetry;
typedef Lumbar__Posture__V1__Status Status;

enum metric {
    FLEXION,
    FLEXION_VELOCITY,
    INCLINATION,
    LATERAL_FLEXION,
    ROTATION,
    POSTURE,
    SLOUCH_DURATION,
    SITTING_BOUT,
    ROM_FLEXION_MAX,
    CONTACT,
    BATTERY,
    RSSI,
    METRIC_COUNT
};

/* In the order of enum Posture, less POSTURE_UNKNOWN, which is no value. */
static const char *const postures[] = {"upright", "slouched", "forward", "backward", "left",
                                       "right",   "lying",    "moving",  "off_body", NULL};
enum { POSTURE_COUNT = sizeof(postures) / sizeof(postures[0]) - 1 };

static const char *const contacts[] = {"off_skin", "on_skin", NULL};

/* Ranges: what the sensor can say (its mounting and full scale), not what is healthy. Decimals: an
 * inertial sensor repeats itself to about 0.1 deg, but a range-of-motion test only to several
 * degrees (MDC90 5-15 deg, PMC5034504). Periods: a device batches up to 1 s; what is slow may come
 * more rarely. */
static const struct lumbar_metric metrics[METRIC_COUNT] = {
    [FLEXION] = {.name = "lumbar_flexion",
                 .title = "Lumbar flexion",
                 .unit = "deg",
                 .kind = LUMBAR_GAUGE,
                 .min = -40,
                 .max = 100,
                 .decimals = 1,
                 .period_ms = 1000},
    [FLEXION_VELOCITY] = {.name = "lumbar_flexion_velocity",
                          .title = "Lumbar flexion velocity",
                          .unit = "deg/s",
                          .kind = LUMBAR_GAUGE,
                          .min = -300,
                          .max = 300,
                          .decimals = 0,
                          .period_ms = 1000},
    [INCLINATION] = {.name = "trunk_inclination",
                     .title = "Trunk inclination",
                     .unit = "deg",
                     .kind = LUMBAR_GAUGE,
                     .flags = LUMBAR_KEY,
                     .min = -30,
                     .max = 120,
                     .decimals = 1,
                     .period_ms = 1000},
    [LATERAL_FLEXION] = {.name = "lumbar_lateral_flexion",
                         .title = "Lumbar lateral flexion",
                         .unit = "deg",
                         .kind = LUMBAR_GAUGE,
                         .min = -45,
                         .max = 45,
                         .decimals = 1,
                         .period_ms = 1000},
    [ROTATION] = {.name = "lumbar_rotation",
                  .title = "Lumbar rotation",
                  .unit = "deg",
                  .kind = LUMBAR_GAUGE,
                  .min = -25,
                  .max = 25,
                  .decimals = 1,
                  .period_ms = 1000},
    [POSTURE] = {.name = "posture",
                 .title = "Posture",
                 .unit = "1",
                 .kind = LUMBAR_STATE,
                 .flags = LUMBAR_KEY,
                 .max = POSTURE_COUNT - 1,
                 .period_ms = 1000,
                 .labels = postures},
    [SLOUCH_DURATION] = {.name = "slouch_duration",
                         .title = "Time in this slouch",
                         .unit = "s",
                         .kind = LUMBAR_GAUGE,
                         .max = 14400,
                         .period_ms = 10000},
    [SITTING_BOUT] = {.name = "sitting_bout",
                      .title = "Sitting without a break",
                      .unit = "min",
                      .kind = LUMBAR_GAUGE,
                      .max = 480,
                      .period_ms = 10000},
    [ROM_FLEXION_MAX] = {.name = "rom_flexion_max",
                         .title = "Flexion reached in the last range-of-motion test",
                         .unit = "deg",
                         .kind = LUMBAR_GAUGE,
                         .min = 10,
                         .max = 100,
                         .period_ms = 60000},
    [CONTACT] = {.name = "contact",
                 .title = "Sensor on the skin",
                 .unit = "1",
                 .kind = LUMBAR_STATE,
                 .flags = LUMBAR_HEALTH,
                 .max = 1,
                 .period_ms = 10000,
                 .labels = contacts},
    [BATTERY] = {.name = "battery",
                 .title = "Battery",
                 .unit = "%",
                 .kind = LUMBAR_GAUGE,
                 .flags = LUMBAR_HEALTH,
                 .max = 100,
                 .period_ms = 60000},
    /* UCUM has no dBm; a bel with its reference as an annotation is valid and keeps the number. */
    [RSSI] = {.name = "rssi",
              .title = "Radio signal",
              .unit = "dB{mW}",
              .kind = LUMBAR_GAUGE,
              .flags = LUMBAR_HEALTH,
              .min = -110,
              .max = 0,
              .period_ms = 60000},
};

#define COLUMN(metric, field, divisor)                                                             \
    {                                                                                              \
        metric, offsetof(Telemetry, n_##field), offsetof(Telemetry, field), divisor                \
    }
static const struct scaled_column scaled[] = {
    COLUMN(FLEXION, lumbar_flexion, 100),
    COLUMN(FLEXION_VELOCITY, lumbar_flexion_velocity, 10),
    COLUMN(INCLINATION, trunk_inclination, 100),
    COLUMN(LATERAL_FLEXION, lumbar_lateral_flexion, 100),
    COLUMN(ROTATION, lumbar_rotation, 100),
};

static int take_telemetry(const Telemetry *message, struct lumbar_scratch *scratch,
                          struct lumbar_batch *batch)
{
    struct columns columns = columns_begin(scratch, METRIC_COUNT);
    columns_rows(&columns, message->has_start_ms, message->start_ms, message->dt_ms,
                 message->n_dt_ms);
    batch->now_ms = columns_now(&columns, message->has_now_ms, message->now_ms);
    if (message->has_boot_id && message->has_sequence) {
        batch->flags |= LUMBAR_HAS_SEQUENCE;
        batch->boot_id = message->boot_id;
        batch->sequence = message->sequence;
        batch->held_from = message->held_from;
    }
    if (message->wall_clock && message->has_now_ms)
        batch->flags |= LUMBAR_WALL_CLOCK;

    columns_scaled(&columns, message, scaled, sizeof(scaled) / sizeof(scaled[0]));
    columns_enums(&columns, POSTURE, (const int32_t *)message->posture, message->n_posture,
                  LUMBAR__POSTURE__V1__POSTURE__POSTURE_UPRIGHT, POSTURE_COUNT);
    columns_value(&columns, SLOUCH_DURATION, message->has_slouch_duration_s,
                  message->slouch_duration_s);
    columns_value(&columns, SITTING_BOUT, message->has_sitting_bout_s,
                  message->sitting_bout_s / 60.0);
    columns_value(&columns, ROM_FLEXION_MAX, message->has_rom_flexion_max,
                  message->rom_flexion_max / 100.0);
    columns_value(&columns, CONTACT, message->has_contact, message->contact != 0);
    columns_value(&columns, BATTERY, message->has_battery, message->battery);
    columns_value(&columns, RSSI, message->has_rssi, message->rssi);
    return columns_end(&columns, batch);
}

static int take_status(const Status *message, struct lumbar_scratch *scratch,
                       struct lumbar_batch *batch)
{
    struct columns columns = columns_begin(scratch, METRIC_COUNT);
    batch->now_ms = columns_now(&columns, message->has_now_ms, message->now_ms);
    if (message->wall_clock && message->has_now_ms)
        batch->flags |= LUMBAR_WALL_CLOCK;
    columns_value(&columns, CONTACT, message->has_contact, message->contact != 0);
    columns_value(&columns, BATTERY, message->has_battery, message->battery);
    columns_value(&columns, RSSI, message->has_rssi, message->rssi);
    return columns_end(&columns, batch);
}

static int decode(void *state, const struct lumbar_message *message, struct lumbar_scratch *scratch,
                  struct lumbar_batch *batch)
{
    (void)state;
    ProtobufCAllocator arena = columns_allocator(scratch);
    if (strcmp(message->leaf, "telemetry") == 0) {
        const Telemetry *telemetry = lumbar__posture__v1__telemetry__unpack(
            &arena, message->payload_bytes, message->payload);
        return telemetry != NULL ? take_telemetry(telemetry, scratch, batch) : LUMBAR_MALFORMED;
    }
    if (strcmp(message->leaf, "status") == 0) {
        const Status *status =
            lumbar__posture__v1__status__unpack(&arena, message->payload_bytes, message->payload);
        return status != NULL ? take_status(status, scratch, batch) : LUMBAR_MALFORMED;
    }
    return LUMBAR_IGNORED;
}

static const char *const leaves[] = {"telemetry", "status", NULL};

static const struct ProtobufCMessageDescriptor *const messages[] = {
    &lumbar__posture__v1__telemetry__descriptor, &lumbar__posture__v1__status__descriptor, NULL};

const struct lumbar_plugin lumbar_plugin = {
    .abi = LUMBAR_PLUGIN_ABI,
    .size = sizeof(struct lumbar_plugin),
    .metric_bytes = sizeof(struct lumbar_metric),
    .golden_bytes = sizeof(struct lumbar_golden),
    .kind = "posture",
    .title = "Posture wearable",
    .version = "1.0.0",
    .topic = "lumbar/v1/posture/{device}/{leaf}",
    .leaves = leaves,
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .golden = golden,
    .golden_count = sizeof(golden) / sizeof(golden[0]),
    .messages = messages,
    .decode = decode,
};
