#include "io/quarantine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/ring.h"

#define TOPIC_BYTES (RING_TOPIC_MAX - QUARANTINE_REASON_BYTES - QUARANTINE_SENDER_BYTES)
#define CONDEMNED   1u /* a flag of the record */

/* Senders are told apart by so much of a hash: two that fall together have one share. */
#define SHARES 4096u
/* What one message may cause to be moved, so that the loop gets on however large the file is. */
#define MOVED_MAX_BYTES ((uint64_t)1024 * 1024)

/* A ring whose records may all be overwritten. A record's topic is reason, NUL, sender, NUL, topic;
 * its mono_ns is no time, but the number of the entry since the file was made. Where an entry shall
 * stay whose place is needed, it is put once more, with its number. */
struct quarantine {
    struct ring *ring;
    size_t size;
    pid_t owner;
    uint64_t condemned[QUARANTINE_CONDEMNED_MAX]; /* hashes, in turn */
    uint64_t condemned_count;

    /* What is held. Below `let_go` nothing counts, though some of it may not be overwritten yet. */
    uint64_t number, let_go, held, pushed_out;
    uint64_t bytes, condemned_bytes; /* of whom a share is asked, and of the others */
    uint32_t senders;                /* shares that are not empty */
    uint32_t share[SHARES];          /* bytes of a sender */
    unsigned char moving[RING_TOPIC_MAX + RING_PAYLOAD_MAX];
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
    const char *reason = ring_topic(record), *end = reason + record->topic_bytes;
    const char *sender = memchr(reason, '\0', record->topic_bytes);
    const char *topic =
        sender != NULL ? memchr(sender + 1, '\0', (size_t)(end - sender - 1)) : NULL;
    if (topic == NULL)
        return false;
    *entry = (struct quarantine_entry){
        .sender = sender + 1,
        .topic = topic + 1,
        .topic_bytes = (size_t)(end - topic - 1),
        .payload = ring_payload(record),
        .payload_bytes = record->payload_bytes,
        .reason = reason,
        .wall_ms = record->wall_ms,
    };
    return true;
}

/* ---- Shares ---- */

static uint32_t bytes_of(const struct ring_record *record)
{
    return (uint32_t)sizeof(*record) + record->topic_bytes + record->payload_bytes;
}

static uint32_t *share_of(struct quarantine *quarantine, const struct ring_record *record)
{
    struct quarantine_entry entry;
    const char *sender = read_entry(record, &entry) ? entry.sender : "";
    return &quarantine->share[XXH3_64bits(sender, strlen(sender)) % SHARES];
}

static void count_in(struct quarantine *quarantine, const struct ring_record *record)
{
    uint32_t bytes = bytes_of(record);
    quarantine->held++;
    if ((record->flags & CONDEMNED) != 0) {
        quarantine->condemned_bytes += bytes;
        return;
    }
    uint32_t *share = share_of(quarantine, record);
    quarantine->bytes += bytes;
    quarantine->senders += *share == 0;
    *share += bytes;
}

static void count_out(struct quarantine *quarantine, const struct ring_record *record)
{
    uint32_t bytes = bytes_of(record);
    quarantine->held--;
    if ((record->flags & CONDEMNED) != 0) {
        quarantine->condemned_bytes -= bytes;
        return;
    }
    uint32_t *share = share_of(quarantine, record);
    quarantine->bytes -= bytes;
    *share -= bytes;
    quarantine->senders -= *share == 0;
}

/* Shall it stay though its place is needed? What is condemned has half of the file, and who has
 * less than half the mean loses nothing: where all have about as much, the oldest goes. */
static bool shall_stay(struct quarantine *quarantine, const struct ring_record *record)
{
    bool is_condemned = (record->flags & CONDEMNED) != 0;
    if (is_condemned || quarantine->condemned_bytes * 2 > quarantine->size)
        return is_condemned == (quarantine->condemned_bytes * 2 <= quarantine->size);
    return (uint64_t)*share_of(quarantine, record) * quarantine->senders * 2 < quarantine->bytes;
}

static bool put(struct quarantine *quarantine, const struct ring_message *message)
{
    uint64_t at = ring_head(quarantine->ring);
    if (!ring_put(quarantine->ring, message, quarantine->let_go))
        return false;
    count_in(quarantine, ring_next(quarantine->ring, &at));
    return true;
}

/* Puts an entry once more, whose place was let go; so there is room for just this one. */
static void put_back(struct quarantine *quarantine, const struct ring_record *record)
{
    memcpy(quarantine->moving, ring_topic(record), record->topic_bytes);
    memcpy(quarantine->moving + record->topic_bytes, ring_payload(record), record->payload_bytes);
    put(quarantine, &(struct ring_message){
                        .topic = (const char *)quarantine->moving,
                        .topic_bytes = record->topic_bytes,
                        .payload = quarantine->moving + record->topic_bytes,
                        .payload_bytes = record->payload_bytes,
                        .wall_ms = record->wall_ms,
                        .mono_ns = record->mono_ns,
                        .flags = record->flags,
                    });
}

/* Puts a new one; as much goes as it needs. Whoever was put back in this turn has had its chance.
 */
static void put_new(struct quarantine *quarantine, const struct ring_message *message)
{
    struct ring *ring = quarantine->ring;
    uint64_t lap = ring_head(ring), moved = 0;
    if (quarantine->let_go < ring_tail(ring))
        quarantine->let_go = ring_tail(ring);
    while (!put(quarantine, message)) {
        const struct ring_record *oldest = ring_next(ring, &quarantine->let_go);
        if (oldest == NULL) { /* an empty ring has room for any */
            quarantine->let_go = ring_head(ring);
            continue;
        }
        bool stays =
            oldest->position < lap && moved < MOVED_MAX_BYTES && shall_stay(quarantine, oldest);
        count_out(quarantine, oldest);
        quarantine->pushed_out += !stays;
        if (stays) {
            moved += bytes_of(oldest);
            put_back(quarantine, oldest);
        }
    }
}

/* ---- The quarantine ---- */

static void condemn(struct quarantine *quarantine, uint64_t hash)
{
    quarantine->condemned[quarantine->condemned_count++ % QUARANTINE_CONDEMNED_MAX] = hash;
}

static void load(struct quarantine *quarantine)
{
    uint64_t at = ring_tail(quarantine->ring);
    struct quarantine_entry entry;
    for (const struct ring_record *record; (record = ring_next(quarantine->ring, &at)) != NULL;) {
        count_in(quarantine, record);
        if ((uint64_t)record->mono_ns > quarantine->number)
            quarantine->number = (uint64_t)record->mono_ns;
        if ((record->flags & CONDEMNED) != 0 && read_entry(record, &entry))
            condemn(quarantine,
                    hash_of(entry.topic, entry.topic_bytes, entry.payload, entry.payload_bytes));
    }
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
    quarantine->size = size_bytes;
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

/* A string and its NUL, of `room` bytes at most. */
static size_t write_string(char *out, const char *string, size_t room)
{
    size_t bytes = strnlen(string, room - 1);
    memcpy(out, string, bytes);
    out[bytes] = '\0';
    return bytes + 1;
}

static void keep(struct quarantine *quarantine, const struct quarantine_entry *entry,
                 uint16_t flags)
{
    /* A child that tries a message (spool_recover) keeps nothing: the hub will do it again. */
    if (getpid() != quarantine->owner)
        return;
    char words[RING_TOPIC_MAX];
    size_t bytes = write_string(words, entry->reason, QUARANTINE_REASON_BYTES);
    bytes += write_string(words + bytes, entry->sender, QUARANTINE_SENDER_BYTES);
    size_t topic_bytes = at_most(entry->topic_bytes, TOPIC_BYTES);
    if (topic_bytes != 0)
        memcpy(words + bytes, entry->topic, topic_bytes);
    put_new(quarantine, &(struct ring_message){
                            .topic = words,
                            .topic_bytes = bytes + topic_bytes,
                            .payload = entry->payload,
                            .payload_bytes = at_most(entry->payload_bytes, RING_PAYLOAD_MAX),
                            .wall_ms = entry->wall_ms,
                            .mono_ns = (int64_t)++quarantine->number,
                            .flags = flags,
                        });
}

void quarantine_put(struct quarantine *quarantine, const struct quarantine_entry *entry)
{
    keep(quarantine, entry, 0);
}

void quarantine_condemn(struct quarantine *quarantine, const struct quarantine_entry *entry)
{
    keep(quarantine, entry, CONDEMNED);
    condemn(quarantine,
            hash_of(entry->topic, entry->topic_bytes, entry->payload, entry->payload_bytes));
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
    return quarantine->number;
}

uint64_t quarantine_held(const struct quarantine *quarantine)
{
    return quarantine->held;
}

void quarantine_room(const struct quarantine *quarantine, struct quarantine_room *room)
{
    *room = (struct quarantine_room){
        .bytes = quarantine->bytes + quarantine->condemned_bytes,
        .size = quarantine->size,
        .pushed_out = quarantine->pushed_out,
        .condemned = quarantine_condemned(quarantine),
        .forgotten = quarantine->condemned_count - quarantine_condemned(quarantine),
    };
}

/* ---- A look at the file ---- */

/* Copies of its records, to be put in order. */
struct walk {
    struct ring_record **records;
    size_t count, room;
    bool failed; /* no memory */
};

static void on_record(void *user, const struct ring_record *record)
{
    struct walk *walk = user;
    if (walk->count == walk->room) {
        size_t room = walk->room > 0 ? 2 * walk->room : 256;
        struct ring_record **records = realloc(walk->records, room * sizeof(struct ring_record *));
        if (records == NULL) {
            walk->failed = true;
            return;
        }
        walk->records = records;
        walk->room = room;
    }
    struct ring_record *copy = malloc(bytes_of(record));
    if (copy == NULL) {
        walk->failed = true;
        return;
    }
    memcpy(copy, record, bytes_of(record));
    walk->records[walk->count++] = copy;
}

/* By number; of one that is there twice, by place. */
static int by_number(const void *one, const void *other)
{
    const struct ring_record *a = *(struct ring_record *const *)one;
    const struct ring_record *b = *(struct ring_record *const *)other;
    if (a->mono_ns != b->mono_ns)
        return a->mono_ns < b->mono_ns ? -1 : 1;
    return a->position < b->position ? -1 : 1;
}

int quarantine_walk(const char *file,
                    void (*each)(void *user, const struct quarantine_entry *entry), void *user,
                    struct diag *diag)
{
    struct walk walk = {.count = 0};
    int rc = ring_walk(file, on_record, &walk, diag);
    if (rc == 0 && walk.failed)
        rc = diag_set(diag, ERR_MEMORY, "no memory to read %s", file);
    if (walk.count > 0)
        qsort(walk.records, walk.count, sizeof(struct ring_record *), by_number);
    for (size_t i = 0; rc == 0 && i < walk.count; i++) {
        bool again = i > 0 && walk.records[i]->mono_ns == walk.records[i - 1]->mono_ns;
        struct quarantine_entry entry;
        if (!again && read_entry(walk.records[i], &entry))
            each(user, &entry);
    }
    for (size_t i = 0; i < walk.count; i++)
        free(walk.records[i]);
    free(walk.records);
    return rc;
}
