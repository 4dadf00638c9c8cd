/*
 * Telemetry of a posture wearable as the source makes it: protobuf of proto/posture.proto, written
 * field by field, since at 100,000 messages a second protobuf-c would be half of the load.
 */
#ifndef LUMBAR_BENCH_TELEMETRY_H
#define LUMBAR_BENCH_TELEMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TELEMETRY_ROWS    5
#define TELEMETRY_COLUMNS 6
#define TELEMETRY_SINGLES 4   /* a full message says them besides its columns */
#define TELEMETRY_BYTES   256 /* of a message without extra, at most */

struct telemetry {
    uint64_t boot_id, sequence;
    int64_t last_ms, now_ms; /* rows lie between the message before and now */
    double rotation;         /* deg */
    bool bent;
    bool lean; /* one column, nothing besides: five samples */
    const uint8_t *extra;
    size_t extra_bytes;
};

size_t telemetry_write(uint8_t *out, const struct telemetry *telemetry);

#endif
