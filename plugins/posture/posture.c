/*
 * The posture wearable: proto/posture.proto to the metrics of README.md beside this file.
 */
#include <string.h>

#include "columns.h"
#include "golden.h"
#include "lumbar/plugin.h"
#include "posture.pb-c.h"

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
                 .period_ms = 1000,
                 .role = LUMBAR_ROLE_FLEXION,
                 .phases = LUMBAR_STRETCHING | LUMBAR_EXERCISE},
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
                     .period_ms = 1000,
                     .role = LUMBAR_ROLE_INCLINATION,
                     .phases = LUMBAR_WARM_UP | LUMBAR_STRETCHING | LUMBAR_REST},
    [LATERAL_FLEXION] = {.name = "lumbar_lateral_flexion",
                         .title = "Lumbar lateral flexion",
                         .unit = "deg",
                         .kind = LUMBAR_GAUGE,
                         .min = -45,
                         .max = 45,
                         .decimals = 1,
                         .period_ms = 1000,
                         .role = LUMBAR_ROLE_LATERAL},
    [ROTATION] = {.name = "lumbar_rotation",
                  .title = "Lumbar rotation",
                  .unit = "deg",
                  .kind = LUMBAR_GAUGE,
                  .min = -25,
                  .max = 25,
                  .decimals = 1,
                  .period_ms = 1000,
                  .role = LUMBAR_ROLE_ROTATION},
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
                         .title = "Flexion in the last range test",
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
                 .period_ms = 60000,
                 .role = LUMBAR_ROLE_BATTERY},
    /* UCUM has no dBm; a bel with its reference as an annotation is valid and keeps the number. */
    [RSSI] = {.name = "rssi",
              .title = "Radio signal",
              .unit = "dB{mW}",
              .kind = LUMBAR_GAUGE,
              .flags = LUMBAR_HEALTH,
              .min = -110,
              .max = 0,
              .period_ms = 60000,
              .role = LUMBAR_ROLE_SIGNAL},
};

/* By the field numbers of proto/posture.proto. */
static const struct column telemetry[WIRE_FIELDS] = {
    COLUMN_ACCOUNT(1, BOOT_ID),
    COLUMN_ACCOUNT(2, SEQUENCE),
    COLUMN_ACCOUNT(3, HELD_FROM),
    COLUMN_ACCOUNT(4, NOW),
    COLUMN_ACCOUNT(5, WALL_CLOCK),
    COLUMN_ACCOUNT(6, START),
    COLUMN_ACCOUNT(7, DT),
    COLUMN(8, SCALED, .metric = FLEXION, .divisor = 100),
    COLUMN(9, SCALED, .metric = FLEXION_VELOCITY, .divisor = 10),
    COLUMN(10, SCALED, .metric = INCLINATION, .divisor = 100),
    COLUMN(11, SCALED, .metric = LATERAL_FLEXION, .divisor = 100),
    COLUMN(12, SCALED, .metric = ROTATION, .divisor = 100),
    COLUMN(13, LABELS, .metric = POSTURE, .first = 1, .labels = POSTURE_COUNT),
    COLUMN(14, UNSIGNED, .metric = SLOUCH_DURATION, .divisor = 1),
    COLUMN(15, UNSIGNED, .metric = SITTING_BOUT, .divisor = 60),
    COLUMN(16, SIGNED, .metric = ROM_FLEXION_MAX, .divisor = 100),
    COLUMN(17, UNSIGNED, .metric = BATTERY, .divisor = 1),
    COLUMN(18, SIGNED, .metric = RSSI, .divisor = 1),
    COLUMN(19, BOOL, .metric = CONTACT),
};

static const struct column status[WIRE_FIELDS] = {
    COLUMN_ACCOUNT(1, BOOT_ID),
    COLUMN_ACCOUNT(2, NOW),
    COLUMN_ACCOUNT(3, WALL_CLOCK),
    COLUMN(4, UNSIGNED, .metric = BATTERY, .divisor = 1),
    COLUMN(5, SIGNED, .metric = RSSI, .divisor = 1),
    COLUMN(6, BOOL, .metric = CONTACT),
    COLUMN_ACCOUNT(7, NONE), /* firmware */
};

static int decode(void *state, const struct lumbar_message *message, struct lumbar_scratch *scratch,
                  struct lumbar_batch *batch)
{
    (void)state;
    const struct column *fields = NULL;
    if (strcmp(message->leaf, "telemetry") == 0)
        fields = telemetry;
    else if (strcmp(message->leaf, "status") == 0)
        fields = status;
    if (fields == NULL)
        return LUMBAR_IGNORED;
    return columns_decode(fields, message->payload, message->payload_bytes, scratch, batch);
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
