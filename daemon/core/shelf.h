/*
 * A shelf of documents by name: clients, and the plans that were tailored to each of them.
 *
 * A document is kept as the JSON that its own module writes and reads (client_write(),
 * plan_write()): a clinic knows thousands of clients and needs a handful at a time, and text is a
 * tenth of the block. Names are unique with an owner (0: none). Numbers are never used again.
 * Memory: one block a document, up to a bound; what is beyond it is refused. Pure.
 */
#ifndef LUMBAR_CORE_SHELF_H
#define LUMBAR_CORE_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct shelf_entry {
    uint64_t id, owner;
    int64_t created_ms;
    const char *name, *text; /* both terminated */
};

struct shelf;

struct shelf *shelf_create(uint32_t max); /* NULL: no memory */
void shelf_destroy(struct shelf *shelf);

uint32_t shelf_count(const struct shelf *shelf);
uint64_t shelf_refused(const struct shelf *shelf); /* so many were beyond the bound */
/* In the order of their numbers; NULL beyond the last. What is given holds until the next change.
 */
const struct shelf_entry *shelf_at(const struct shelf *shelf, uint32_t index);
const struct shelf_entry *shelf_find(const struct shelf *shelf, uint64_t owner, const char *name);
const struct shelf_entry *shelf_by_id(const struct shelf *shelf, uint64_t id);

/* Puts a new one (id 0: the next number), or takes the place of the one with this id. NULL with a
 * complaint: ERR_CONFLICT where the owner has another of that name, ERR_FULL, ERR_MEMORY. */
const struct shelf_entry *shelf_put(struct shelf *shelf, const struct shelf_entry *entry,
                                    struct diag *diag);
/* The numbers up to this one are taken, though what had them is not here. */
void shelf_go_on(struct shelf *shelf, uint64_t newest_id);
bool shelf_remove(struct shelf *shelf, uint64_t id);

#endif
