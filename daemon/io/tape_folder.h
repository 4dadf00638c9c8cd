/*
 * The folder of recordings: names of its files, what is in it, and what is in one of them.
 *
 * A recording is "<room>_<start, UTC>.rec"; while it goes on, ".rec.part". Names of a room sort by
 * the time of their start. Nothing here changes a recording. Any thread; no state.
 *
 * What a clock that nobody had set told keeps its name and its bytes. A file of the folder,
 * "moved", says which recordings are meant, and by how much: a line each, of name, bytes, from_ms
 * and by_ms of core/tape.h. So it holds where the database is lost. It is written whole or not at
 * all, and each time rid of recordings that are gone (tape_moved.c).
 */
#ifndef LUMBAR_IO_TAPE_FOLDER_H
#define LUMBAR_IO_TAPE_FOLDER_H

#include "core/tape.h"

#define TAPE_NAME_BYTES 112
#define TAPE_FILE_MAX   (UINT64_C(1) << 30) /* of what is loaded into memory */

struct tape_name {
    char file[TAPE_NAME_BYTES]; /* without the folder */
    char room[64];
    int64_t start_ms; /* as the name says */
    int64_t began_ms; /* of tape_folder_list(): the same, where the clock was right */
    bool open;        /* a hub writes it, or was ended while it did */
};

/* Fills `file` in from the rest. */
void tape_name_write(struct tape_name *name);

/* False: it is no recording's name. */
bool tape_name_parse(struct tape_name *name, const char *file);

/* Every recording of a folder, by start, then room; free() the list. */
int tape_folder_list(const char *folder, struct tape_name **list, size_t *count, struct diag *diag);

/* The whole file; free() the bytes. */
int tape_file_load(const char *path, uint8_t **bytes, size_t *count, struct diag *diag);

/* The same, to be walked, with what is known of its times; the bytes are to be freed after the
 * last use of the reader, and NULL with a complaint. */
int tape_file_open(const char *path, struct tape_reader *reader, uint8_t **bytes,
                   struct diag *diag);

/* From now on all that the folder's recordings hold by now, and tell as from_ms or later, is off by
 * so much: a clock that nobody had set was set. Once: where that was said of this time before,
 * nothing changes, and *by_ms is what it was. On the disk when it returns. */
int tape_folder_move(const char *folder, int64_t from_ms, int64_t *by_ms, struct diag *diag);

/* tape_moved.c, for tape_folder.c. */
struct tape_moved {
    struct tape_moved_line {
        char file[TAPE_NAME_BYTES]; /* as it is when it is finished */
        struct tape_move move;
    } * lines;
    size_t count;
};
int tape_moved_read(struct tape_moved *moved, const char *folder, struct diag *diag);
void tape_moved_of(const struct tape_moved *moved, const char *file, struct tape_moves *moves);

struct tape_summary {
    struct tape_header header;
    struct tape_moves moves;
    uint64_t file_bytes, messages, lost;
    uint32_t blocks, gaps;
    int64_t first_ms, last_ms;          /* of its messages, moved; 0: there are none */
    bool whole;                         /* it has its index */
    uint64_t damaged_bytes, torn_bytes; /* looked for only where the index is missing */
};

/* What a file is of, from its first bytes; false: it is no tape. */
bool tape_file_header(const char *path, struct tape_header *header);

/* From the index; where there is none, from all blocks. */
int tape_file_summary(const char *path, struct tape_summary *summary, struct diag *diag);

#endif
