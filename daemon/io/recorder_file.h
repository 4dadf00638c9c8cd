/*
 * A tape on the disk that is being written. For the recorder's thread, and before it starts.
 *
 * What was added is on the disk when a function says so; where one fails, the file is as before,
 * and it may be tried again.
 */
#ifndef LUMBAR_IO_RECORDER_FILE_H
#define LUMBAR_IO_RECORDER_FILE_H

#include "core/tape.h"
#include "io/tape_folder.h"

struct recorder_file {
    int fd; /* -1: there is none */
    struct tape_name name;
    struct tape_header header;
    uint64_t salt, offset; /* of the next block */
    struct tape_entry *entries;
    uint32_t count, room;      /* of the entries */
    struct tape_block newest;  /* its kind is 0 where there is none */
    int64_t first_ms, last_ms; /* of its messages */
};

/* A new one, synced; its name begins where `header` does, or later: behind `after_ms`, and where
 * there is no such file yet. False with errno. */
bool recorder_file_make(struct recorder_file *file, int folder, const struct tape_header *header,
                        int64_t after_ms);

/* Goes on with one that was left open. A torn tail is cut off; *torn_bytes says how much. False
 * with errno, 0 if it is no tape. */
bool recorder_file_take_up(struct recorder_file *file, int folder, const struct tape_name *name,
                           uint64_t *torn_bytes);

/* Removes one whose hub was killed before its header was whole: nothing is in it. False: it is no
 * such file, or stays. */
bool recorder_file_drop_begun(int folder, const struct tape_name *name);

/* Adds a block: head and what it stores. */
bool recorder_file_add(struct recorder_file *file, const struct tape_block *block,
                       const uint8_t *bytes, size_t count);
bool recorder_file_add_gap(struct recorder_file *file, struct tape_block *gap);

/* Adds the index, gives it its last name, closes it. */
bool recorder_file_finish(struct recorder_file *file, int folder);
void recorder_file_close(struct recorder_file *file);

/* The last block that a finished tape has, from its index; false: it cannot be told. */
bool recorder_file_newest(int folder, const struct tape_name *name, struct tape_block *newest);

#endif
