/*
 * The derivations of files, being read: derive_load.c, and derive_gather.c for what is gathered of
 * a metric. Private to them.
 */
#ifndef LUMBAR_CORE_DERIVE_READING_H
#define LUMBAR_CORE_DERIVE_READING_H

#include "core/derive_set.h"
#include "core/plan.h"
#include "core/plan_reader.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define DERIVE_MOST 1e12 /* of what can be accounted */

/* The derivations of some files, being read. */
struct reading {
    struct plan_reader reader;
    struct derivation *list;
    uint32_t count;
    const struct yaml_node *map; /* the one that is read, */
    struct derivation *of;       /* into this, */
    const struct lumbar_metric *source;
    const struct yaml_node *inner; /* and what stands under time, count or dose */
};

#define COMPLAIN(reading, node, key, code, ...)                                                    \
    reader_complain(&(reading)->reader, node, key, code, __VA_ARGS__)

/* The place among these of the word under the key; 0, the first, where it is not set. */
size_t derive_read_word(struct reading *reading, const char *key, const char *const *words,
                        size_t count);

/* Complains where the key is set, for it says nothing there. */
void derive_refuse(struct reading *reading, const char *key, const char *why);

/* derive_gather.c. What stands under the key of this name, of the metric that is the source. */
void derive_read_time(struct reading *reading);
void derive_read_count(struct reading *reading);
void derive_read_dose(struct reading *reading);

#endif
