#include "core/shelf.h"

#include <stdlib.h>
#include <string.h>

struct shelf {
    uint32_t max, count;
    uint64_t newest_id, refused;
    struct shelf_entry *list[]; /* by id; each is one block with its texts */
};

struct shelf *shelf_create(uint32_t max)
{
    struct shelf *shelf = calloc(1, sizeof(*shelf) + max * sizeof(shelf->list[0]));
    if (shelf != NULL)
        shelf->max = max;
    return shelf;
}

void shelf_destroy(struct shelf *shelf)
{
    for (uint32_t i = 0; shelf != NULL && i < shelf->count; i++)
        free(shelf->list[i]);
    free(shelf);
}

uint32_t shelf_count(const struct shelf *shelf)
{
    return shelf->count;
}

uint64_t shelf_refused(const struct shelf *shelf)
{
    return shelf->refused;
}

const struct shelf_entry *shelf_at(const struct shelf *shelf, uint32_t index)
{
    return index < shelf->count ? shelf->list[index] : NULL;
}

const struct shelf_entry *shelf_find(const struct shelf *shelf, uint64_t owner, const char *name)
{
    for (uint32_t i = 0; i < shelf->count; i++)
        if (shelf->list[i]->owner == owner && strcmp(shelf->list[i]->name, name) == 0)
            return shelf->list[i];
    return NULL;
}

/* Where the id is, or where it would go. */
static uint32_t place_of(const struct shelf *shelf, uint64_t id)
{
    uint32_t from = 0, to = shelf->count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (shelf->list[middle]->id < id)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

const struct shelf_entry *shelf_by_id(const struct shelf *shelf, uint64_t id)
{
    uint32_t place = place_of(shelf, id);
    return place < shelf->count && shelf->list[place]->id == id ? shelf->list[place] : NULL;
}

static struct shelf_entry *copy_of(const struct shelf_entry *entry)
{
    size_t name = strlen(entry->name) + 1, text = strlen(entry->text) + 1;
    struct shelf_entry *copy = malloc(sizeof(*copy) + name + text);
    if (copy == NULL)
        return NULL;
    char *texts = (char *)(copy + 1);
    *copy = *entry;
    copy->name = memcpy(texts, entry->name, name);
    copy->text = memcpy(texts + name, entry->text, text);
    return copy;
}

const struct shelf_entry *shelf_put(struct shelf *shelf, const struct shelf_entry *entry,
                                    struct diag *diag)
{
    const struct shelf_entry *named = shelf_find(shelf, entry->owner, entry->name);
    if (named != NULL && named->id != entry->id) {
        diag_set(diag, ERR_CONFLICT, "there is '%s' already", entry->name);
        return NULL;
    }
    uint64_t id = entry->id != 0 ? entry->id : shelf->newest_id + 1;
    uint32_t place = place_of(shelf, id);
    bool replaces = place < shelf->count && shelf->list[place]->id == id;
    if (!replaces && shelf->count == shelf->max) {
        shelf->refused++;
        diag_set(diag, ERR_FULL, "there are %u of them, and no room for more", shelf->max);
        return NULL;
    }
    struct shelf_entry *copy = copy_of(entry);
    if (copy == NULL) {
        diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
        return NULL;
    }
    copy->id = id;
    if (replaces) {
        free(shelf->list[place]);
    } else {
        memmove(&shelf->list[place + 1], &shelf->list[place],
                (shelf->count - place) * sizeof(shelf->list[0]));
        shelf->count++;
    }
    if (id > shelf->newest_id)
        shelf->newest_id = id;
    return shelf->list[place] = copy;
}

void shelf_go_on(struct shelf *shelf, uint64_t newest_id)
{
    if (newest_id > shelf->newest_id)
        shelf->newest_id = newest_id;
}

bool shelf_remove(struct shelf *shelf, uint64_t id)
{
    uint32_t place = place_of(shelf, id);
    if (place == shelf->count || shelf->list[place]->id != id)
        return false;
    free(shelf->list[place]);
    memmove(&shelf->list[place], &shelf->list[place + 1],
            (--shelf->count - place) * sizeof(shelf->list[0]));
    return true;
}
