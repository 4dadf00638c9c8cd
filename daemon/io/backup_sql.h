/*
 * What SQLite does for backups: copies of the store, what has changed in it since one, and looking
 * through them. Files and their trailers are backup_file.c's. Any thread; no state.
 *
 * Changes are a file of the store's tables, all whole but the two large ones, `second` and
 * `minute`: of these it has the rows that the base (a copy of all, from before) has not or has
 * otherwise, and in `gone_second` and `gone_minute` the keys of those that only the base has.
 *
 * What the page changed of the rules is no part of the store, and of its state all the same: a
 * table `page_rules` of either kind has it, of one row, where there was any, and the store never.
 */
#ifndef LUMBAR_IO_BACKUP_SQL_H
#define LUMBAR_IO_BACKUP_SQL_H

#include <sqlite3.h>

#include "io/backup_file.h"

/* A copy of all that SQLite writes anew, row by row: nothing of what was deleted is in it, and
 * where the store is damaged there is none (ERR_MALFORMED). */
int backup_sql_copy(const char *store, const char *to, const struct backup_pace *pace,
                    struct diag *diag);

/* What has changed since `base` was copied; the store may be at work. */
int backup_sql_changes(const char *store, const char *base, const char *to,
                       const struct backup_pace *pace, struct diag *diag);

/* Puts the text into a copy that is not sealed yet. */
int backup_sql_put_rules(const char *part, const char *text, struct diag *diag);
/* What was put there, free() it; NULL: nothing was. */
int backup_sql_rules(const char *file, char **text, struct diag *diag);

/* Makes a copy of what is whole a store. */
int backup_sql_strip(const char *to, struct diag *diag);

/* Makes a copy of the base what the store was when the changes were written. After an error it is
 * to be thrown away. */
int backup_sql_apply(const char *changes, const char *to, struct diag *diag);

/* Lets a connection to changes, the file being its `main`, read `second` and `minute` whole. */
int backup_sql_view(sqlite3 *db, const char *base);

/* Each page, each index; what version it is of, and how far it goes. */
int backup_sql_check(const char *file, const struct backup_pace *pace, struct backup_facts *facts,
                     struct diag *diag);

#endif
