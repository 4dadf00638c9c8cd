/*
 * The audit trail: what people did and what they saw, a line each, in a chain.
 *
 * A line is written as JSON in one way only, so that its digest can be made again by whoever reads
 * it. The digest is of the one before and of this line: one that was changed, left out or moved
 * shows, and so does every line behind it. A client stands here by number, never by pseudonym, so
 * that who is erased need not be looked for in a trail that nobody may change.
 * Pure: the digest itself is the caller's (io/secret.h).
 */
#ifndef LUMBAR_CORE_AUDIT_H
#define LUMBAR_CORE_AUDIT_H

#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define AUDIT_HASH_BYTES  65
#define AUDIT_ABOUT_BYTES 160
#define AUDIT_WHY_BYTES   256
#define AUDIT_LINE_BYTES  2048 /* as JSON */

/* What stands in the place of the digest before the first line. */
#define AUDIT_BEGIN "0000000000000000000000000000000000000000000000000000000000000000"

/* A line of the hub's own: those up to a number have gone for their age, and what the digest of the
 * last of them was. The anchor that is kept beside the trail says the same. */
#define AUDIT_PRUNED       "trail pruned"
#define AUDIT_PRUNED_ABOUT "lines to %" PRIu64 ", the last was %s"

struct audit_line {
    uint64_t id; /* from 1, without gaps */
    int64_t at_ms;
    char who[49], role[16], door[64]; /* "anna", "lead", "page" */
    char what[120];                   /* "POST /sessions/{id}/start" */
    char about[AUDIT_ABOUT_BYTES];    /* "session 12"; "" nothing */
    int outcome;                      /* HTTP status; 0: it came later */
    char why[AUDIT_WHY_BYTES];
    char hash[AUDIT_HASH_BYTES];
};

/* Digest, then the line: what the digest of this line is made of. False: it does not fit. */
bool audit_write(struct text *text, const char *before, const struct audit_line *line);

/* The same line as an export has it, with its own digest, and read from there. */
json_t *audit_json(const struct audit_line *line);
bool audit_read(const json_t *json, struct audit_line *line);

#endif
