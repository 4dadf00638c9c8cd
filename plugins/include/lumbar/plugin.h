/*
 * The contract between the hub and a device plugin: all of it.
 *
 * A plugin is a shared object that exports one symbol,
 *
 *     const struct lumbar_plugin lumbar_plugin;
 *
 * and turns the messages of one kind of device into samples. It is pure: it opens nothing, starts
 * nothing, keeps nothing but the state block that the host gives it, and calls nothing in the hub.
 * So its unit test and its fuzzer need no hub.
 *
 * Threads: decode() is called by one thread at a time. It must not block.
 * Memory: everything decode() puts into the batch lives in the scratch arena, which the host takes
 * back whole after the message. Nothing is freed one by one.
 * Link with -Wl,-z,defs -Wl,-z,now; the host opens it with RTLD_NOW and never closes it.
 */
#ifndef LUMBAR_PLUGIN_H
#define LUMBAR_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when a plugin built against an older header can no longer be used. */
#define LUMBAR_PLUGIN_ABI 2u

/* Bounds that the host checks at load; one sentence says which one was passed. */
#define LUMBAR_NAME_MAX    47   /* bytes of a name: [a-z][a-z0-9_]* */
#define LUMBAR_METRICS_MAX 64   /* metrics of one plugin */
#define LUMBAR_LABELS_MAX  64   /* labels of one state or event metric */
#define LUMBAR_COMMAND_MAX 1024 /* bytes of a command to a device */

enum lumbar_metric_kind {
    LUMBAR_GAUGE,   /* a measured value that goes up and down */
    LUMBAR_COUNTER, /* only grows, and starts again at 0 when the device does */
    LUMBAR_STATE,   /* one of labels[]; the value is the index */
    LUMBAR_EVENT,   /* something that happened, labels[value]; never goes stale */
};

enum lumbar_metric_flag {
    LUMBAR_KEY = 1,    /* a key value of the device: shown on the wall */
    LUMBAR_HEALTH = 2, /* about the device, not about the person: battery, signal */
};

/* What a metric is to a page that draws it in a way of its own. Angles are gauges in deg, and 0 is
 * upright; battery and signal are gauges about the device. */
enum lumbar_role {
    LUMBAR_ROLE_NONE,
    LUMBAR_ROLE_FLEXION,     /* of the lumbar spine, pelvis against ribs; forward is more */
    LUMBAR_ROLE_INCLINATION, /* of the trunk against the vertical; forward is more */
    LUMBAR_ROLE_LATERAL,     /* of the lumbar spine; to the right is more */
    LUMBAR_ROLE_ROTATION,    /* of the lumbar spine; to the right is more */
    LUMBAR_ROLE_BATTERY,     /* what is left of it */
    LUMBAR_ROLE_SIGNAL,      /* how strongly the device is received; more is better */
};

/* Kinds of phases that a treatment has; a set of them. */
enum lumbar_phase {
    LUMBAR_WARM_UP = 1,
    LUMBAR_HEAT = 2,
    LUMBAR_MASSAGE = 4,
    LUMBAR_PERCUSSION = 8,
    LUMBAR_STRETCHING = 16,
    LUMBAR_EXERCISE = 32,
    LUMBAR_REST = 64,
};

/* A metric describes itself; page, rules, availability and exports know nothing else of it. */
struct lumbar_metric {
    const char *name;  /* "skin_temperature"; unique in the plugin */
    const char *title; /* "Skin temperature": what a therapist reads */
    const char *unit;  /* UCUM: "Cel", "deg", "kPa", "%"; "1" where there is none */
    enum lumbar_metric_kind kind;
    uint32_t flags;            /* of lumbar_metric_flag */
    double min, max;           /* what the sensor can say; values beyond are refused and counted */
    uint32_t decimals;         /* digits after the point that the sensor really has, 0..6 */
    uint32_t period_ms;        /* longest expected time between two values; 0 only for events.
                                  Stale after 3 periods (2 s at least), offline after 10. */
    const char *const *labels; /* NULL-terminated, for states and events; else NULL */
    const char *code;          /* "LOINC 38208-5" where a standard has one; else NULL */
    enum lumbar_role role;
    uint32_t phases; /* of lumbar_phase: in these it is what matters most, and shown first */
};

/* One message as it came. The payload is not terminated and not aligned. */
struct lumbar_message {
    const char *leaf; /* the last part of the topic: "telemetry" */
    const uint8_t *payload;
    size_t payload_bytes;
};

/* The arena of one message: a pointer that moves up. Never free what comes from it. */
struct lumbar_scratch {
    unsigned char *at, *end;
};

/* Memory for this message, aligned to 16, not zeroed; NULL when the arena is used up, which makes
 * the message malformed: return LUMBAR_MALFORMED. */
static inline void *lumbar_scratch_alloc(struct lumbar_scratch *scratch, size_t bytes)
{
    uintptr_t from = ((uintptr_t)scratch->at + 15u) & ~(uintptr_t)15u;
    if (from > (uintptr_t)scratch->end || bytes > (uintptr_t)scratch->end - from)
        return NULL;
    scratch->at = (unsigned char *)(from + bytes);
    return (unsigned char *)from;
}

/* The samples of one metric, as columns, times not falling. Series sampled together point to the
 * same array of times: the host then keeps it once. */
struct lumbar_series {
    uint32_t metric;        /* index into metrics[] */
    uint32_t count;         /* of both arrays, 1 or more */
    const int64_t *time_ms; /* on the device's clock */
    const double *value;    /* in the metric's unit; NaN where the sensor had nothing to say */
};

enum lumbar_batch_flag {
    LUMBAR_HAS_SEQUENCE = 1, /* boot_id, sequence and held_from are set */
    LUMBAR_WALL_CLOCK = 2,   /* the device's clock is meant to be UTC in ms since 1970, so the host
                                may speak of its skew; without it only differences count */
};

/* What a message said. The host gives it zeroed. */
struct lumbar_batch {
    uint32_t flags; /* of lumbar_batch_flag */

    /* The device's own accounting: the host finds loss, repeats and order with it. */
    uint64_t boot_id;   /* another one each time the device starts */
    uint64_t sequence;  /* 1, 2, 3 ... of the messages since then */
    uint64_t held_from; /* the oldest sequence the device still holds and could send again;
                           0: it holds none */

    /* The device's clock when it sent this. Sample times stand on the same clock. A device that
     * has none gives 0 and times of 0 or less: "so long before it was sent". */
    int64_t now_ms;

    const struct lumbar_series *series; /* in the scratch arena */
    uint32_t series_count;

    /* What the plugin wants said to the device, if anything. The host publishes it on this leaf of
     * the device's topic (QoS 0, not retained), or does not: of a repeat or an old message, while
     * the broker is away, and more than once a second. So ask again with the next message as long
     * as there is need. */
    const char *command_leaf; /* NULL: nothing; none that the plugin hears, not "ack" or "identify" */
    const uint8_t *command;
    size_t command_bytes; /* LUMBAR_COMMAND_MAX at most */
};

/* What decode() returns. */
enum lumbar_result {
    LUMBAR_DECODED = 0,    /* the batch is filled; it may hold no series */
    LUMBAR_IGNORED = 1,    /* well formed, of no interest (an unknown leaf) */
    LUMBAR_MALFORMED = -1, /* cannot be used: the host counts it and keeps its bytes to look at */
};

/* A message that the plugin knows, and what must come out: its self-test. The host decodes all of
 * them, each with a zeroed state, in a child process with limits, before it trusts the plugin. */
struct lumbar_golden {
    const char *leaf;
    const uint8_t *payload;
    size_t payload_bytes;
    const char *metric; /* a metric that must be in the batch; NULL: none may be */
    uint32_t count;     /* how many values of it */
    double first;       /* the first of them, to within 1e-6 of the metric's range */
};

struct ProtobufCMessageDescriptor; /* of protobuf-c; a plugin without protobuf needs it not */

struct lumbar_plugin {
    /* Checked before anything else is believed. */
    uint32_t abi;          /* LUMBAR_PLUGIN_ABI */
    uint32_t size;         /* sizeof(struct lumbar_plugin) */
    uint32_t metric_bytes; /* sizeof(struct lumbar_metric) */
    uint32_t golden_bytes; /* sizeof(struct lumbar_golden) */

    const char *kind;    /* "posture": [a-z][a-z0-9_]*; one plugin a kind */
    const char *title;   /* "Posture wearable" */
    const char *version; /* "1.0.0" */

    /* Where its devices speak. {device} stands for one whole level, {leaf} for another one. No
     * topic may be another kind's as well, nor one of the hub's own. */
    const char *topic;         /* "lumbar/v1/posture/{device}/{leaf}" */
    const char *const *leaves; /* the leaves that it hears, NULL-terminated; {"", NULL} for a topic
                                  without {leaf} */

    const struct lumbar_metric *metrics;
    uint32_t metric_count;

    const struct lumbar_golden *golden;
    uint32_t golden_count; /* at least 1 */

    /* Every protobuf message type it decodes at top level, NULL-terminated, or NULL. A type that
     * contains itself is refused: protobuf-c puts no bound on the depth of nesting. */
    const struct ProtobufCMessageDescriptor *const *messages;

    size_t state_bytes; /* of each device's state, zeroed when first heard; 0..65536 */

    /* state: this device's block, or NULL if state_bytes is 0. Returns a lumbar_result. */
    int (*decode)(void *state, const struct lumbar_message *message, struct lumbar_scratch *scratch,
                  struct lumbar_batch *batch);
};

/* The one symbol. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
extern const struct lumbar_plugin lumbar_plugin;

#ifdef __cplusplus
}
#endif
#endif
