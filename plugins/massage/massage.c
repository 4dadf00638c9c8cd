/*
 * The massage device: proto/massage.proto to the metrics of README.md beside this file.
 */
#include <string.h>

#include "columns.h"
#include "golden.h"
#include "lumbar/plugin.h"
#include "massage.pb-c.h"

typedef Lumbar__Massage__V1__Telemetry Telemetry;
typedef Lumbar__Massage__V1__Status Status;

enum metric {
    PRESSURE,
    FORCE,
    FREQUENCY,
    AMPLITUDE,
    SKIN_TEMPERATURE,
    SURFACE_TEMPERATURE,
    MOTOR_CURRENT,
    MOTOR_TEMPERATURE,
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
    FAULT_COUNT = COUNT(faults) - 1,
    FAULT_OTHER = FAULT_COUNT - 1
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
                  .period_ms = 1000},
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
                   .period_ms = 1000},
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
                          .period_ms = 1000},
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
    COLUMN(PRESSURE, massage_pressure, 10),
    COLUMN(FORCE, massage_force, 10),
    COLUMN(FREQUENCY, percussion_frequency, 100),
    COLUMN(AMPLITUDE, percussion_amplitude, 100),
    COLUMN(SKIN_TEMPERATURE, skin_temperature, 100),
    COLUMN(SURFACE_TEMPERATURE, surface_temperature, 100),
    COLUMN(MOTOR_CURRENT, motor_current, 1000),
    COLUMN(MOTOR_TEMPERATURE, motor_temperature, 100),
};

static void take_faults(struct columns *columns, const Telemetry *message)
{
    size_t count = 0;
    for (size_t i = 0; i < message->n_faults; i++)
        count += message->faults[i] != LUMBAR__MASSAGE__V1__FAULT__FAULT_NONE;
    double *values = count > 0 ? columns_events(columns, FAULT, count) : NULL;
    for (size_t i = 0; values != NULL && i < message->n_faults; i++) {
        int64_t label = (int64_t)(int32_t)message->faults[i] - 1; /* FAULT_STALL is the first */
        if (label == -1)
            continue;
        *values++ = label >= 0 && label < FAULT_OTHER ? (double)label : FAULT_OTHER;
    }
}

static void take_present(struct columns *columns, const Telemetry *message)
{
    columns_enum(columns, STATE, message->has_state, (int32_t)message->state,
                 LUMBAR__MASSAGE__V1__STATE__STATE_IDLE, STATE_COUNT);
    columns_enum(columns, PROGRAM, message->has_program, (int32_t)message->program,
                 LUMBAR__MASSAGE__V1__PROGRAM__PROGRAM_NONE, PROGRAM_COUNT);
    columns_enum(columns, REGION, message->has_region, (int32_t)message->region,
                 LUMBAR__MASSAGE__V1__REGION__REGION_NONE, REGION_COUNT);
    columns_value(columns, REGION_TIME, message->has_region_time_s, message->region_time_s / 60.0);
    take_faults(columns, message);
    columns_value(columns, CONTACT, message->has_contact, message->contact != 0);
    columns_value(columns, BATTERY, message->has_battery, message->battery);
    columns_value(columns, RSSI, message->has_rssi, message->rssi);
}

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
    columns_scaled(&columns, message, scaled, COUNT(scaled));
    take_present(&columns, message);
    return columns_end(&columns, batch);
}

static int take_status(const Status *message, struct lumbar_scratch *scratch,
                       struct lumbar_batch *batch)
{
    struct columns columns = columns_begin(scratch, METRIC_COUNT);
    batch->now_ms = columns_now(&columns, message->has_now_ms, message->now_ms);
    if (message->wall_clock && message->has_now_ms)
        batch->flags |= LUMBAR_WALL_CLOCK;
    columns_enum(&columns, STATE, message->has_state, (int32_t)message->state,
                 LUMBAR__MASSAGE__V1__STATE__STATE_IDLE, STATE_COUNT);
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
        const Telemetry *telemetry = lumbar__massage__v1__telemetry__unpack(
            &arena, message->payload_bytes, message->payload);
        return telemetry != NULL ? take_telemetry(telemetry, scratch, batch) : LUMBAR_MALFORMED;
    }
    if (strcmp(message->leaf, "status") == 0) {
        const Status *status =
            lumbar__massage__v1__status__unpack(&arena, message->payload_bytes, message->payload);
        return status != NULL ? take_status(status, scratch, batch) : LUMBAR_MALFORMED;
    }
    return LUMBAR_IGNORED;
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
    .version = "1.0.0",
    .topic = "lumbar/v1/massage/{device}/{leaf}",
    .leaves = leaves,
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .golden = golden,
    .golden_count = COUNT(golden),
    .messages = messages,
    .decode = decode,
};
