#include "io/quarantine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/ring.h"

#define TOPIC_BYTES (RING_TOPIC_MAX - QUARANTINE_REASON_BYTES)
#define CONDEMNED   1u /* a flag of the record */

/* A ring whose records may all be overwritten. A record's topic is the reason, a NUL, the topic. */
struct quarantine {
    struct ring *ring;
    pid_t owner;
    uint64_t condemned[QUARANTINE_CONDEMNED_MAX]; /* hashes, in turn */
    uint64_t condemned_count;
};

static size_t at_most(size_t bytes, size_t most)
{
    return bytes < most ? bytes : most;
}

/* Of as much as an entry keeps, so that it is the same when it is read from the file. */
static uint64_t hash_of(const char *topic, size_t topic_bytes, const void *payload,
                        size_t payload_bytes)
{
    return XXH3_64bits_withSeed(payload, at_most(payload_bytes, RING_PAYLOAD_MAX),
                                XXH3_64bits(topic, at_most(topic_bytes, TOPIC_BYTES)));
}

/* The entry that a record holds; false: a ring, but no quarantine's. */
static bool read_entry(const struct ring_record *record, struct quarantine_entry *entry)
{
    const char *reason = ring_topic(record);
    const char *nul = memchr(reason, '\0', record->topic_bytes);
    if (nul == NULL)
        return false;
    *entry = (struct quarantine_entry){
        .topic = nul + 1,
        .topic_bytes = record->topic_bytes - (size_t)(nul + 1 - reason),
        .payload = ring_payload(record),
        .payload_bytes = record->payload_bytes,
        .reason = reason,
        .wall_ms = record->wall_ms,
    };
    return true;
}

static void condemn(struct quarantine *quarantine, uint64_t hash)
{
    quarantine->condemned[quarantine->condemned_count++ % QUARANTINE_CONDEMNED_MAX] = hash;
}

static void load(struct quarantine *quarantine)
{
    uint64_t at = ring_tail(quarantine->ring);
    struct quarantine_entry entry;
    for (const struct ring_record *record; (record = ring_next(quarantine->ring, &at)) != NULL;)
        if ((record->flags & CONDEMNED) != 0 && read_entry(record, &entry))
            condemn(quarantine,
                    hash_of(entry.topic, entry.topic_bytes, entry.payload, entry.payload_bytes));
}

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
    load(quarantine);
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

static void keep(struct quarantine *quarantine, const struct quarantine_entry *entry,
                 uint16_t flags)
{
    /* A child that tries a message (spool_recover) keeps nothing: the hub will do it again. */
    if (getpid() != quarantine->owner)
        return;
    char words[RING_TOPIC_MAX];
    size_t reason_bytes = strnlen(entry->reason, QUARANTINE_REASON_BYTES - 1);
    memcpy(words, entry->reason, reason_bytes);
    words[reason_bytes++] = '\0';
    size_t topic_bytes = at_most(entry->topic_bytes, TOPIC_BYTES);
    if (topic_bytes != 0)
        memcpy(words + reason_bytes, entry->topic, topic_bytes);
    const struct ring_message message = {.topic = words,
                                         .topic_bytes = reason_bytes + topic_bytes,
                                         .payload = entry->payload,
                                         .payload_bytes =
                                             at_most(entry->payload_bytes, RING_PAYLOAD_MAX),
                                         .wall_ms = entry->wall_ms,
                                         .flags = flags};
    ring_put(quarantine->ring, &message, ring_head(quarantine->ring));
}

void quarantine_put(struct quarantine *quarantine, const char *topic, size_t topic_bytes,
                    const void *payload, size_t payload_bytes, const char *reason, int64_t wall_ms)
{
    const struct quarantine_entry entry = {topic,         topic_bytes, payload,
                                           payload_bytes, reason,      wall_ms};
    keep(quarantine, &entry, 0);
}

void quarantine_condemn(struct quarantine *quarantine, const char *topic, size_t topic_bytes,
                        const void *payload, size_t payload_bytes, const char *reason,
                        int64_t wall_ms)
{
    const struct quarantine_entry entry = {topic,         topic_bytes, payload,
                                           payload_bytes, reason,      wall_ms};
    keep(quarantine, &entry, CONDEMNED);
    condemn(quarantine, hash_of(topic, topic_bytes, payload, payload_bytes));
}

unsigned quarantine_condemned(const struct quarantine *quarantine)
{
    return (unsigned)at_most(quarantine->condemned_count, QUARANTINE_CONDEMNED_MAX);
}

bool quarantine_is_condemned(const struct quarantine *quarantine, const char *topic,
                             size_t topic_bytes, const void *payload, size_t payload_bytes)
{
    unsigned count = quarantine_condemned(quarantine);
    uint64_t hash = count > 0 ? hash_of(topic, topic_bytes, payload, payload_bytes) : 0;
    for (unsigned i = 0; i < count; i++)
        if (quarantine->condemned[i] == hash)
            return true;
    return false;
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
    struct quarantine_entry entry;
    if (read_entry(record, &entry))
        walk->each(walk->user, &entry);
}

int quarantine_walk(const char *file,
                    void (*each)(void *user, const struct quarantine_entry *entry), void *user,
                    struct diag *diag)
{
    struct walk walk = {each, user};
    return ring_walk(file, on_record, &walk, diag);
}
