/*
 * The hub itself, as far as it says something of what it stands on: proto/hub.proto. It is a device
 * from when it first has something to say.
 */
#include <string.h>

#include "columns.h"
#include "hub.pb-c.h"
#include "lumbar/plugin.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

enum { TROUBLE, METRIC_COUNT };

/* In the order of enum Trouble, less TROUBLE_NONE; what a newer hub says is the last of them. */
static const char *const troubles[] = {"broker_dropped", "other", NULL};
enum { TROUBLE_COUNT = COUNT(troubles) - 1 };

static const struct lumbar_metric metrics[METRIC_COUNT] = {
    [TROUBLE] = {.name = "trouble",
                 .title = "Trouble of the hub",
                 .unit = "1",
                 .kind = LUMBAR_EVENT,
                 .flags = LUMBAR_HEALTH,
                 .max = TROUBLE_COUNT - 1,
                 .labels = troubles},
};

/* By the field numbers of proto/hub.proto. */
static const struct column telemetry[WIRE_FIELDS] = {
    COLUMN(1, EVENTS, .metric = TROUBLE, .labels = TROUBLE_COUNT),
};

static int decode(void *state, const struct lumbar_message *message, struct lumbar_scratch *scratch,
                  struct lumbar_batch *batch)
{
    (void)state;
    if (strcmp(message->leaf, "telemetry") != 0)
        return LUMBAR_IGNORED;
    return columns_decode(telemetry, message->payload, message->payload_bytes, scratch, batch);
}

static const char *const leaves[] = {"telemetry", NULL};

/* troubles: [TROUBLE_BROKER_DROPPED], as protoc made it; and of a newer hub. */
static const uint8_t dropped[] = {0x0a, 0x01, 0x01}, newer[] = {0x0a, 0x02, 0x00, 0x63};
static const struct lumbar_golden golden[] = {
    {"telemetry", dropped, sizeof(dropped), "trouble", 1, 0},
    {"telemetry", newer, sizeof(newer), "trouble", 1, 1},
};

static const struct ProtobufCMessageDescriptor *const messages[] = {
    &lumbar__hub__v1__telemetry__descriptor, NULL};

const struct lumbar_plugin lumbar_plugin = {
    .abi = LUMBAR_PLUGIN_ABI,
    .size = sizeof(struct lumbar_plugin),
    .metric_bytes = sizeof(struct lumbar_metric),
    .golden_bytes = sizeof(struct lumbar_golden),
    .kind = "hub",
    .title = "Hub",
    .version = "1.0.0",
    .topic = "lumbar/v1/hub/{device}/{leaf}",
    .leaves = leaves,
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .golden = golden,
    .golden_count = COUNT(golden),
    .messages = messages,
    .decode = decode,
};
