/*
 * The folder of recordings: names of its files, what is in it, and what is in one of them.
 *
 * A recording is "<room>_<start, UTC>.rec"; while it goes on, ".rec.part". Names of a room sort by
 * the time of their start. Nothing here changes a file. Any thread; no state.
 */
#ifndef LUMBAR_IO_TAPE_FOLDER_H
#define LUMBAR_IO_TAPE_FOLDER_H

#include "core/tape.h"

#define TAPE_NAME_BYTES 112
#define TAPE_FILE_MAX   (UINT64_C(1) << 30) /* of what is loaded into memory */

struct tape_name {
    char file[TAPE_NAME_BYTES]; /* without the folder */
    char room[64];
    int64_t start_ms;
    bool open; /* a hub writes it, or was ended while it did */
};

/* Fills `file` in from the rest. */
void tape_name_write(struct tape_name *name);

/* False: it is no recording's name. */
bool tape_name_parse(struct tape_name *name, const char *file);

/* Every recording of a folder, by start, then room; free() the list. */
int tape_folder_list(const char *folder, struct tape_name **list, size_t *count, struct diag *diag);

/* The whole file; free() the bytes. */
int tape_file_load(const char *path, uint8_t **bytes, size_t *count, struct diag *diag);

struct tape_summary {
    struct tape_header header;
    uint64_t file_bytes, messages, lost;
    uint32_t blocks, gaps;
    int64_t first_ms, last_ms;          /* of its messages; 0: there are none */
    bool whole;                         /* it has its index */
    uint64_t damaged_bytes, torn_bytes; /* looked for only where the index is missing */
};

/* What a file is of, from its first bytes; false: it is no tape. */
bool tape_file_header(const char *path, struct tape_header *header);

/* From the index; where there is none, from all blocks. */
int tape_file_summary(const char *path, struct tape_summary *summary, struct diag *diag);

#endif
