/*
 * A backup: the store, as it was at one moment. A whole one is one file that holds all of it; what
 * has changed since is a small one, and needs that base beside it: a card is worn by what is
 * written, and most of a store is as it was (backup_sql.h).
 *
 * Either is a SQLite file, which any program that reads those can open, with a trailer of
 * BACKUP_TRAILER_BYTES behind it that SQLite does not mind: what it is, which version made it and
 * when, of which base, and a checksum of every byte before. Its name is
 * "lumbar-<made, UTC>.backup", or ".changes"; while it is made, or is not yet verified, with
 * ".part" behind. What the page changed of the rules is in it, too. Recordings are files of their
 * own that never change once they are finished: they are not in it. Any thread; no state.
 */
#ifndef LUMBAR_IO_BACKUP_FILE_H
#define LUMBAR_IO_BACKUP_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define BACKUP_TRAILER_BYTES 128
#define BACKUP_NAME_BYTES    48

struct backup_name {
    char file[BACKUP_NAME_BYTES]; /* without the folder */
    bool changes;                 /* only what has changed since a whole one */
    int64_t made_ms;
    uint64_t bytes;
};

/* What its trailer says. */
struct backup_facts {
    char version[32]; /* of the hub */
    int schema;       /* of the store */
    int64_t made_ms;
    int64_t heard_ms; /* of the newest message that is in it; 0: not known */
    uint64_t bytes, checksum;
    int64_t base_ms; /* of changes: when their base was made, */
    uint64_t base;   /* and its checksum; 0, 0: it is whole */
};

void backup_name_write(char out[BACKUP_NAME_BYTES], int64_t made_ms, bool changes);
bool backup_name_parse(struct backup_name *name, const char *file); /* bytes stay 0 */

/* Every finished one of a folder, the oldest first; free() the list. A folder that is not there is
 * an empty one. */
int backup_folder_list(const char *folder, struct backup_name **list, size_t *count,
                       struct diag *diag);

/* What is asked now and then by what takes long: true ends it with ERR_LIMIT. NULL: never. */
struct backup_pace {
    bool (*stop)(void *user);
    void *user;
};

/* backup_make.c. Copies the store's file, while it is written by its hub, into the folder (made if
 * need be), and with it what the page changed of the rules (`rules`; NULL: nothing), looks through
 * the copy, and only then gives it its name. `base`, a whole one of that folder: only what has
 * changed since is copied; NULL: all is. Refuses to fill the disk: half a GiB, or as much as the
 * store has, stays free, or it is given up (ERR_FULL). ERR_MALFORMED: the store is damaged, and
 * there is no backup. ERR_UNKNOWN: it cannot be told from that base, and all is to be copied. */
int backup_make(const char *store, const char *rules, const char *folder,
                const struct backup_name *base, int64_t now_ms, const struct backup_pace *pace,
                struct backup_name *made, struct diag *diag);

/* The trailer alone: is it one, of a kind and version that this program reads? ERR_MALFORMED,
 * ERR_VERSION. */
int backup_read(const char *path, struct backup_facts *facts, struct diag *diag);

/* The base of changes that lie at this path, where it is beside them and the right one; "" of a
 * whole one. ERR_UNKNOWN. */
int backup_base(const char *path, const struct backup_facts *facts, char base[PATH_MAX],
                struct diag *diag);

/* All of it, and of its base: each byte by the checksum, each page by SQLite's own check. */
int backup_verify(const char *path, const struct backup_pace *pace, struct backup_facts *facts,
                  struct diag *diag);

/* What the page had changed of the rules when it was made; free() it. NULL: nothing, or it is of a
 * version that did not keep it. */
int backup_rules(const char *path, char **rules, struct diag *diag);

/* backup_restore.c. Puts what is in it in the place of a store that no hub has open, verified as it
 * lies there then, with the owner of the folder. What was there is kept beside, under `kept` ("":
 * nothing was). ERR_TAKEN: a hub runs. On any error all is as before. */
int backup_restore(const char *path, const char *store, char kept[PATH_MAX], struct diag *diag);

#endif
