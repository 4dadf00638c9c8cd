/* A pattern and a topic, with a NUL between them; and the same topic against the shipped patterns.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/topic.h"

static void must(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "not so: %s\n", what);
    abort();
}

/* What was parsed must make the same topic again. */
static void hold(const char *pattern, const char *name, size_t bytes)
{
    struct topic topic;
    if (!topic_parse(pattern, name, bytes, &topic))
        return;
    must(bytes <= TOPIC_MAX_BYTES && topic.device_bytes >= 1 && topic.device_bytes <= 63,
         "a device of 1 to 63 bytes in a topic of at most 255");
    char device[64], leaf[TOPIC_MAX_BYTES + 1], again[2 * TOPIC_MAX_BYTES];
    memcpy(device, topic.device, topic.device_bytes);
    device[topic.device_bytes] = '\0';
    memcpy(leaf, topic.leaf, topic.leaf_bytes);
    leaf[topic.leaf_bytes] = '\0';
    if (strlen(leaf) != topic.leaf_bytes) /* with a NUL in it: no plugin's */
        return;
    size_t length = topic_make(pattern, device, leaf, again, sizeof(again));
    must(length == bytes && memcmp(again, name, bytes) == 0, "parsed and made again is the same");
    char filter[2 * TOPIC_MAX_BYTES];
    length = topic_filter(pattern, leaf, filter, sizeof(filter));
    must(length > 0 && memchr(filter, '+', length) != NULL, "a filter with a wildcard");
    must(topic_filters_meet(filter, again), "a filter takes the topics that fit its pattern");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
    if (nul == NULL)
        return 0;
    const char *pattern = (const char *)data, *name = (const char *)nul + 1;
    size_t bytes = size - (size_t)(nul + 1 - data);
    struct diag diag = {.code = 0};
    if (topic_check(pattern, &diag) == 0)
        hold(pattern, name, bytes);
    else
        must(diag.text[0] != '\0', "a refusal has a sentence");
    hold("lumbar/v1/posture/{device}/{leaf}", name, bytes);
    return 0;
}
