/*
 * A weighing scale of another vendor, as a third party would write it: nothing of this tree but
 * the installed <lumbar/plugin.h>, another vendor's topics, text instead of protobuf.
 *
 * Payload: "weight 72.35 kg" or "error".
 */
#include <lumbar/plugin.h>
#include <stdlib.h>
#include <string.h>

enum { WEIGHT, ERROR, METRIC_COUNT };

static const char *const errors[] = {"overload", NULL};

static const struct lumbar_metric metrics[METRIC_COUNT] = {
    [WEIGHT] = {.name = "body_weight",
                .title = "Body weight",
                .unit = "kg",
                .kind = LUMBAR_GAUGE,
                .flags = LUMBAR_KEY,
                .min = 0,
                .max = 250,
                .decimals = 2,
                .period_ms = 60000,
                .code = "LOINC 29463-7"},
    [ERROR] = {.name = "scale_error",
               .title = "Error of the scale",
               .unit = "1",
               .kind = LUMBAR_EVENT,
               .flags = LUMBAR_HEALTH,
               .labels = errors},
};

/* It has no clock: one value, of the instant in which it was sent. */
static int give(struct lumbar_scratch *scratch, struct lumbar_batch *batch, uint32_t metric,
                double value)
{
    static const int64_t just_now = 0;
    struct lumbar_series *series = lumbar_scratch_alloc(scratch, sizeof(*series));
    int64_t *time_ms = lumbar_scratch_alloc(scratch, sizeof(*time_ms));
    double *values = lumbar_scratch_alloc(scratch, sizeof(*values));
    if (series == NULL || time_ms == NULL || values == NULL)
        return LUMBAR_MALFORMED;
    *time_ms = just_now;
    *values = value;
    *series = (struct lumbar_series){metric, 1, time_ms, values};
    batch->series = series;
    batch->series_count = 1;
    return LUMBAR_DECODED;
}

static int decode(void *state, const struct lumbar_message *message, struct lumbar_scratch *scratch,
                  struct lumbar_batch *batch)
{
    (void)state;
    char text[32] = "", *end;
    if (message->payload_bytes >= sizeof(text))
        return LUMBAR_MALFORMED;
    if (message->payload_bytes > 0)
        memcpy(text, message->payload, message->payload_bytes);
    if (strcmp(text, "error") == 0)
        return give(scratch, batch, ERROR, 0);
    if (strncmp(text, "weight ", 7) != 0)
        return LUMBAR_MALFORMED;
    double weight = strtod(text + 7, &end);
    if (end == text + 7 || strcmp(end, " kg") != 0)
        return LUMBAR_MALFORMED;
    return give(scratch, batch, WEIGHT, weight);
}

static const char *const leaves[] = {"", NULL}; /* its topic has no {leaf} */

#define TEXT(text) (const uint8_t *)(text), sizeof(text) - 1
static const struct lumbar_golden golden[] = {
    {"", TEXT("weight 72.35 kg"), "body_weight", 1, 72.35},
    {"", TEXT("error"), "scale_error", 1, 0},
};

const struct lumbar_plugin lumbar_plugin = {
    .abi = LUMBAR_PLUGIN_ABI,
    .size = sizeof(struct lumbar_plugin),
    .metric_bytes = sizeof(struct lumbar_metric),
    .golden_bytes = sizeof(struct lumbar_golden),
    .kind = "scale",
    .title = "Weighing scale",
    .version = "0.3",
    .topic = "acme/scales/{device}/reading",
    .leaves = leaves,
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .golden = golden,
    .golden_count = sizeof(golden) / sizeof(golden[0]),
    .decode = decode,
};
