/*
 * What a backup is made of, for what makes one and what puts one back (backup_make.c,
 * backup_restore.c); backup_file.h is for all others. Any thread; no state.
 */
#ifndef LUMBAR_IO_BACKUP_PARTS_H
#define LUMBAR_IO_BACKUP_PARTS_H

#include "io/backup_file.h"

void backup_trailer_write(uint8_t out[BACKUP_TRAILER_BYTES], const struct backup_facts *facts);

/* A file with a trailer that this program reads; close() it. ERR_MALFORMED, ERR_VERSION. */
int backup_open(const char *path, int *fd, struct backup_facts *facts, struct diag *diag);

/* Sums the first bytes of a file, and copies them where there is somewhere to (-1: there is not).
 * ERR_LIMIT: the pace ended it. */
int backup_sum(int fd, uint64_t bytes, int to, const struct backup_pace *pace, uint64_t *sum,
               struct diag *diag);

/* Is every byte what was written? They go to `to` as well, where there is somewhere to (-1). */
int backup_verify_open(int fd, int to, const struct backup_pace *pace,
                       const struct backup_facts *facts, struct diag *diag);

/* Each byte and each page of it, and nothing of its base. */
int backup_verify_alone(const char *path, const struct backup_pace *pace,
                        struct backup_facts *facts, struct diag *diag);

bool backup_is_stopped(const struct backup_pace *pace); /* asked for by NULL: never */
bool backup_write_all(int fd, const uint8_t *bytes, size_t count);

#endif
