/*
 * Files that are read whole: configuration, rules, and secrets (files_secret.c).
 */
#ifndef LUMBAR_IO_FILES_H
#define LUMBAR_IO_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "core/rules.h"

#define FILES_MAX_BYTES (1024 * 1024) /* of one file */
#define FILES_MAX_RULES 64            /* rule files of a folder */

/* The file's text, terminated; free() it. Refuses what is no regular file, or too large. */
int files_read(const char *path, char **text, size_t *bytes, struct diag *diag);

/* Its first line without the line end, in a buffer. */
int files_read_line(const char *path, char *line, size_t bytes, struct diag *diag);

/* The same of what nobody else may read, a key or a password, or its first line without the line
 * end. "credential:NAME" is a file of systemd's
 * (LoadCredential=). Refuses a file that others than its owner and group may read. Wipes what it
 * copied on the way; files_free_secret() wipes what it gave, which core dumps leave out. */
#define FILES_SECRET_BYTES 65536
int files_read_secret(const char *path, char **text, size_t *bytes, struct diag *diag);
int files_read_secret_line(const char *path, char *line, size_t bytes, struct diag *diag);
void files_free_secret(char *text, size_t bytes); /* NULL is fine */

/* Is it one that may be used, for who opens it himself? */
int files_check_secret(const char *path, struct diag *diag);

/* Every *.yaml of a folder, in the order of their names, or one file; files_free_rules() it. "" is
 * none. */
struct files_rules {
    struct rules_text list[FILES_MAX_RULES + 1]; /* one more: files_add_changes() */
    size_t count;
};
int files_read_rules(const char *folder, struct files_rules *rules, struct diag *diag);
void files_free_rules(struct files_rules *rules);

/* Adds the file of their changes; none where it is not there, or path is "". On an error all are
 * freed. */
int files_add_changes(struct files_rules *rules, const char *path, struct diag *diag);
/* The same with this text, which is copied, in the place of the file's. */
int files_add_text(struct files_rules *rules, const struct rules_text *changes, struct diag *diag);

/* Puts this text in the place of what is there, whole or not at all, and as readable as that was
 * (0644 where there was none). On the disk when it returns. */
int files_put(const char *path, const char *text, size_t bytes, struct diag *diag);

bool files_exists(const char *path);

/* `path` as seen from the folder of the file `from`; returns out. */
const char *files_beside(const char *from, const char *path, char *out, size_t bytes);

#endif
