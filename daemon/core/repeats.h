/*
 * Repeats: what was created, by the key that its caller gave (Idempotency-Key).
 *
 * Who asks for something new and hears no answer asks again with the same key, and is given what
 * the first request has made instead of a second one. The same key with another request is a
 * mistake of the caller's, and told.
 * Memory: a ring of fixed size, the oldest is overwritten; a key holds for REPEATS_MS at most. The
 * number of a place is its row's key in the store, so the table there grows no more than this.
 * Pure: the time is given.
 */
#ifndef LUMBAR_CORE_REPEATS_H
#define LUMBAR_CORE_REPEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPEATS_MAX       256
#define REPEATS_KEY_BYTES 65 /* with the NUL */
#define REPEATS_MS        (24 * INT64_C(3600000))

enum repeat_kind {
    REPEAT_NONE,
    REPEAT_CLIENT,
    REPEAT_SESSION,
    REPEAT_USER,
    REPEAT_TOKEN,
    REPEAT_KINDS_
};

struct repeat {
    char key[REPEATS_KEY_BYTES]; /* "" the place is free */
    uint64_t request;            /* hash of all that the request was */
    int64_t at_ms;
    enum repeat_kind kind;
    uint64_t id;    /* of what was made */
    uint64_t batch; /* in which it is stored; 0: it was, before this run */
};

struct repeats {
    struct repeat list[REPEATS_MAX];
    uint32_t next;
    uint64_t lost; /* keys that gave way to newer ones while they still held */
};

/* 1..64 visible characters of ASCII. */
bool repeats_key_is_good(const char *key);

uint64_t repeats_hash(uint64_t before, const void *bytes, size_t count);

/* What was made with this key; NULL: nothing that still holds. */
const struct repeat *repeats_find(const struct repeats *repeats, const char *key, int64_t now_ms);

/* How many hold. */
uint32_t repeats_held(const struct repeats *repeats, int64_t now_ms);

/* Keeps it in the place of the oldest; returns the number of that place. */
uint32_t repeats_add(struct repeats *repeats, const struct repeat *repeat);

/* The same from the store, in the place that it had there. */
void repeats_load(struct repeats *repeats, uint32_t place, const struct repeat *repeat);

/* Frees the place of what was made and is erased; false: it has none, or no further one. */
bool repeats_forget(struct repeats *repeats, enum repeat_kind kind, uint64_t id, uint32_t *place);

#endif
