/*
 * The massage device: proto/massage.proto to the metrics of README.md beside this file.
 */
#include <string.h>

#include "columns.h"
#include "golden.h"
#include "lumbar/plugin.h"
#include "massage.pb-c.h"

enum metric {
    PRESSURE,
    FORCE,
    FREQUENCY,
    AMPLITUDE,
    SKIN_TEMPERATURE,
    SURFACE_TEMPERATURE,
    MOTOR_CURRENT,
    MOTOR_TEMPERATURE,
    MOTOR_VIBRATION,
    STATE,
    PROGRAM,
    REGION,
    REGION_TIME,
    FAULT,
    CONTACT,
    BATTERY,
    RSSI,
    METRIC_COUNT
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Each in the order of its enum in the .proto. STATE_UNKNOWN is no value, FAULT_NONE no event. */
static const char *const states[] = {"idle", "running", "paused", "fault", NULL};
static const char *const programs[] = {"none",       "warm_up",    "heat", "massage",
                                       "percussion", "stretching", NULL};
static const char *const regions[] = {
    "none",        "lower_back_left", "lower_back_right", "glute_left",
    "glute_right", "hip_left",        "hip_right",        NULL};
/* "other": a fault that only a newer firmware knows is a fault still. */
static const char *const faults[] = {"stall", "overheat", "sensor", "supply", "other", NULL};
static const char *const contacts[] = {"off_skin", "on_skin", NULL};
enum {
    STATE_COUNT = COUNT(states) - 1,
    PROGRAM_COUNT = COUNT(programs) - 1,
    REGION_COUNT = COUNT(regions) - 1,
    FAULT_COUNT = COUNT(faults) - 1
};

/* Ranges: what the sensor can say, not what is safe; limits are the rules'. A device batches up to
 * 1 s; what is slow may come more rarely. */
static const struct lumbar_metric metrics[METRIC_COUNT] = {
    [PRESSURE] = {.name = "massage_pressure",
                  .title = "Massage pressure",
                  .unit = "kPa",
                  .kind = LUMBAR_GAUGE,
                  .flags = LUMBAR_KEY,
                  .max = 1000,
                  .decimals = 1,
                  .period_ms = 1000,
                  .phases = LUMBAR_MASSAGE},
    [FORCE] = {.name = "massage_force",
               .title = "Massage force",
               .unit = "N",
               .kind = LUMBAR_GAUGE,
               .max = 300,
               .decimals = 1,
               .period_ms = 1000},
    [FREQUENCY] = {.name = "percussion_frequency",
                   .title = "Percussion frequency",
                   .unit = "Hz",
                   .kind = LUMBAR_GAUGE,
                   .max = 60,
                   .decimals = 1,
                   .period_ms = 1000,
                   .phases = LUMBAR_PERCUSSION},
    [AMPLITUDE] = {.name = "percussion_amplitude",
                   .title = "Percussion amplitude",
                   .unit = "mm",
                   .kind = LUMBAR_GAUGE,
                   .max = 20,
                   .decimals = 1,
                   .period_ms = 1000},
    [SKIN_TEMPERATURE] = {.name = "skin_temperature",
                          .title = "Skin temperature",
                          .unit = "Cel",
                          .kind = LUMBAR_GAUGE,
                          .flags = LUMBAR_KEY,
                          .min = 20,
                          .max = 50,
                          .decimals = 1,
                          .period_ms = 1000,
                          .phases =
                              LUMBAR_WARM_UP | LUMBAR_HEAT | LUMBAR_MASSAGE | LUMBAR_PERCUSSION},
    [SURFACE_TEMPERATURE] = {.name = "surface_temperature",
                             .title = "Handle surface temperature",
                             .unit = "Cel",
                             .kind = LUMBAR_GAUGE,
                             .max = 80,
                             .decimals = 1,
                             .period_ms = 1000},
    [MOTOR_CURRENT] = {.name = "motor_current",
                       .title = "Motor current",
                       .unit = "A",
                       .kind = LUMBAR_GAUGE,
                       .max = 20,
                       .decimals = 2,
                       .period_ms = 1000},
    [MOTOR_TEMPERATURE] = {.name = "motor_temperature",
                           .title = "Motor temperature",
                           .unit = "Cel",
                           .kind = LUMBAR_GAUGE,
                           .max = 120,
                           .decimals = 1,
                           .period_ms = 1000},
    /* Up to what an accelerometer of 16 g can say. */
    [MOTOR_VIBRATION] = {.name = "motor_vibration",
                         .title = "Motor vibration",
                         .unit = "m/s2",
                         .kind = LUMBAR_GAUGE,
                         .max = 160,
                         .decimals = 2,
                         .period_ms = 1000},
    [STATE] = {.name = "state",
               .title = "State",
               .unit = "1",
               .kind = LUMBAR_STATE,
               .flags = LUMBAR_KEY,
               .max = STATE_COUNT - 1,
               .period_ms = 5000,
               .labels = states},
    [PROGRAM] = {.name = "program",
                 .title = "Program",
                 .unit = "1",
                 .kind = LUMBAR_STATE,
                 .max = PROGRAM_COUNT - 1,
                 .period_ms = 5000,
                 .labels = programs},
    [REGION] = {.name = "region",
                .title = "Body region",
                .unit = "1",
                .kind = LUMBAR_STATE,
                .max = REGION_COUNT - 1,
                .period_ms = 5000,
                .labels = regions},
    [REGION_TIME] = {.name = "region_time",
                     .title = "Time on this region",
                     .unit = "min",
                     .kind = LUMBAR_GAUGE,
                     .max = 60,
                     .decimals = 1,
                     .period_ms = 5000},
    [FAULT] = {.name = "fault",
               .title = "Device fault",
               .unit = "1",
               .kind = LUMBAR_EVENT,
               .flags = LUMBAR_HEALTH,
               .max = FAULT_COUNT - 1,
               .labels = faults},
    [CONTACT] = {.name = "contact",
                 .title = "Applicator on the skin",
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

/* By the field numbers of proto/massage.proto. */
static const struct column telemetry[WIRE_FIELDS] = {
    COLUMN_ACCOUNT(1, BOOT_ID),
    COLUMN_ACCOUNT(2, SEQUENCE),
    COLUMN_ACCOUNT(3, HELD_FROM),
    COLUMN_ACCOUNT(4, NOW),
    COLUMN_ACCOUNT(5, WALL_CLOCK),
    COLUMN_ACCOUNT(6, START),
    COLUMN_ACCOUNT(7, DT),
    COLUMN(8, SCALED, .metric = PRESSURE, .divisor = 10),
    COLUMN(9, SCALED, .metric = FORCE, .divisor = 10),
    COLUMN(10, SCALED, .metric = FREQUENCY, .divisor = 100),
    COLUMN(11, SCALED, .metric = AMPLITUDE, .divisor = 100),
    COLUMN(12, SCALED, .metric = SKIN_TEMPERATURE, .divisor = 100),
    COLUMN(13, SCALED, .metric = SURFACE_TEMPERATURE, .divisor = 100),
    COLUMN(14, SCALED, .metric = MOTOR_CURRENT, .divisor = 1000),
    COLUMN(15, SCALED, .metric = MOTOR_TEMPERATURE, .divisor = 100),
    COLUMN(16, LABEL, .metric = STATE, .first = 1, .labels = STATE_COUNT),
    COLUMN(17, LABEL, .metric = PROGRAM, .labels = PROGRAM_COUNT),
    COLUMN(18, LABEL, .metric = REGION, .labels = REGION_COUNT),
    COLUMN(19, UNSIGNED, .metric = REGION_TIME, .divisor = 60),
    COLUMN(20, EVENTS, .metric = FAULT, .labels = FAULT_COUNT),
    COLUMN(21, UNSIGNED, .metric = BATTERY, .divisor = 1),
    COLUMN(22, SIGNED, .metric = RSSI, .divisor = 1),
    COLUMN(23, BOOL, .metric = CONTACT),
    COLUMN(24, SCALED, .metric = MOTOR_VIBRATION, .divisor = 100),
};

static const struct column status[WIRE_FIELDS] = {
    COLUMN_ACCOUNT(1, BOOT_ID),
    COLUMN_ACCOUNT(2, NOW),
    COLUMN_ACCOUNT(3, WALL_CLOCK),
    COLUMN(4, UNSIGNED, .metric = BATTERY, .divisor = 1),
    COLUMN(5, SIGNED, .metric = RSSI, .divisor = 1),
    COLUMN(6, BOOL, .metric = CONTACT),
    COLUMN_ACCOUNT(7, NONE), /* firmware */
    COLUMN(8, LABEL, .metric = STATE, .first = 1, .labels = STATE_COUNT),
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
    &lumbar__massage__v1__telemetry__descriptor, &lumbar__massage__v1__status__descriptor, NULL};

const struct lumbar_plugin lumbar_plugin = {
    .abi = LUMBAR_PLUGIN_ABI,
    .size = sizeof(struct lumbar_plugin),
    .metric_bytes = sizeof(struct lumbar_metric),
    .golden_bytes = sizeof(struct lumbar_golden),
    .kind = "massage",
    .title = "Massage device",
    .version = "1.1.0",
    .topic = "lumbar/v1/massage/{device}/{leaf}",
    .leaves = leaves,
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .golden = golden,
    .golden_count = COUNT(golden),
    .messages = messages,
    .decode = decode,
};
