#include "io/quarantine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ring.h"

#define TOPIC_BYTES (RING_TOPIC_MAX - QUARANTINE_REASON_BYTES)

/* A ring whose records may all be overwritten. A record's topic is the reason, a NUL, the topic. */
struct quarantine {
    struct ring *ring;
    pid_t owner;
};

int quarantine_open(struct quarantine **out, const char *file, size_t size_bytes, struct diag *diag)
{
    *out = NULL;
    struct quarantine *quarantine = calloc(1, sizeof(*quarantine));
    if (quarantine == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for the quarantine");
    int rc = ring_open(&quarantine->ring, file, size_bytes, diag);
    if (rc == 0 && quarantine->ring == NULL)
        rc = ring_make(&quarantine->ring, file, size_bytes, NULL, diag);
    if (rc != 0) {
        free(quarantine);
        return rc;
    }
    quarantine->owner = getpid();
    *out = quarantine;
    return 0;
}

void quarantine_close(struct quarantine *quarantine)
{
    if (quarantine == NULL)
        return;
    ring_close(quarantine->ring);
    free(quarantine);
}

static size_t at_most(size_t bytes, size_t most)
{
    return bytes < most ? bytes : most;
}

void quarantine_put(struct quarantine *quarantine, const char *topic, size_t topic_bytes,
                    const void *payload, size_t payload_bytes, const char *reason, int64_t wall_ms)
{
    /* A child that tries a message (spool_recover) keeps nothing: the hub will do it again. */
    if (getpid() != quarantine->owner)
        return;
    char words[RING_TOPIC_MAX];
    size_t reason_bytes = strnlen(reason, QUARANTINE_REASON_BYTES - 1);
    memcpy(words, reason, reason_bytes);
    words[reason_bytes++] = '\0';
    topic_bytes = at_most(topic_bytes, TOPIC_BYTES);
    if (topic_bytes != 0)
        memcpy(words + reason_bytes, topic, topic_bytes);
    const struct ring_message message = {.topic = words,
                                         .topic_bytes = reason_bytes + topic_bytes,
                                         .payload = payload,
                                         .payload_bytes = at_most(payload_bytes, RING_PAYLOAD_MAX),
                                         .wall_ms = wall_ms};
    ring_put(quarantine->ring, &message, ring_head(quarantine->ring));
}

uint64_t quarantine_count(const struct quarantine *quarantine)
{
    return ring_count(quarantine->ring);
}

struct walk {
    void (*each)(void *user, const struct quarantine_entry *entry);
    void *user;
};

static void on_record(void *user, const struct ring_record *record)
{
    const struct walk *walk = user;
    const char *reason = ring_topic(record);
    const char *nul = memchr(reason, '\0', record->topic_bytes);
    if (nul == NULL) /* a ring, but no quarantine's */
        return;
    const struct quarantine_entry entry = {
        .topic = nul + 1,
        .topic_bytes = record->topic_bytes - (size_t)(nul + 1 - reason),
        .payload = ring_payload(record),
        .payload_bytes = record->payload_bytes,
        .reason = reason,
        .wall_ms = record->wall_ms,
    };
    walk->each(walk->user, &entry);
}

int quarantine_walk(const char *file,
                    void (*each)(void *user, const struct quarantine_entry *entry), void *user,
                    struct diag *diag)
{
    struct walk walk = {each, user};
    return ring_walk(file, on_record, &walk, diag);
}
