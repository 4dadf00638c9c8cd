/* A hostile or garbled file in the folder of recordings: who lists the folder, sums it up from its
 * index, or goes on with one that a run before left open must neither crash, hang nor believe more
 * than there is; and what was taken up and finished must be whole.
 *
 * The first byte says what the rest is:
 *   0  the file itself
 *   1  changes to a sound one: offset (2 bytes), length (1 byte), bytes; all checksums are set
 *      right after them, so that what lies behind them is reached
 *   2  the same to one without an index, as a killed hub leaves it
 *   3  a name in the folder
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "../unit/core/tape_made.h"
#include "base/log.h"
#include "io/recorder_file.h"
#include "io/tape_folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WHOLE, CHANGED, OPEN, NAME, KINDS };

static char folder[64];
static int folder_fd = -1;
static struct made sound; /* with its index, which begins at without_index */
static size_t without_index;
static struct tape_name open_name = {.room = "room-1", .start_ms = 1700000000000, .open = true};
static struct tape_name last_name = {.room = "room-1", .start_ms = 1700000000000};

static void must(bool right)
{
    if (!right)
        abort();
}

static void leave(void)
{
    unlinkat(folder_fd, open_name.file, 0);
    unlinkat(folder_fd, last_name.file, 0);
    rmdir(folder);
}

static void prepare(void)
{
    struct tape_packer *packer = tape_packer_create();
    must(packer != NULL);
    log_set_level((enum log_level)0);
    made_begin(&sound, "room-1");
    made_messages(&sound, packer, 9);
    made_gap(&sound, 3);
    made_messages(&sound, packer, 20);
    without_index = sound.count;
    made_index(&sound);
    tape_packer_destroy(packer);
    tape_name_write(&open_name);
    tape_name_write(&last_name);
    snprintf(folder, sizeof(folder), "%s/fuzz_tape_file.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(folder) != NULL);
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(folder_fd >= 0);
    atexit(leave);
}

static void write_file(const struct tape_name *name, const uint8_t *bytes, size_t count)
{
    int fd = openat(folder_fd, name->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && write(fd, bytes, count) == (ssize_t)count);
    close(fd);
}

static bool sum_up(const struct tape_name *name, uint64_t count, struct tape_summary *summary)
{
    char path[256];
    struct diag diag = {0};
    snprintf(path, sizeof(path), "%s/%s", folder, name->file);
    if (tape_file_summary(path, summary, &diag) != 0) {
        must(diag.text[0] != '\0');
        return false;
    }
    must(summary->file_bytes == count);
    must(summary->damaged_bytes + summary->torn_bytes <= count);
    must(summary->gaps <= summary->blocks && summary->blocks <= count / TAPE_ENTRY_BYTES);
    return true;
}

/* A hub finds it open after a kill. */
static void go_on(uint64_t count)
{
    struct recorder_file file;
    uint64_t torn_bytes = 0;
    if (!recorder_file_take_up(&file, folder_fd, &open_name, &torn_bytes)) {
        must(file.fd < 0);
        return;
    }
    must(file.offset + torn_bytes == count && file.offset >= TAPE_HEADER_BYTES);
    must(lseek(file.fd, 0, SEEK_END) == (off_t)file.offset); /* the torn tail is cut off */
    uint32_t blocks = file.count;
    struct tape_block gap = {
        .count = 1, .first_ms = file.last_ms, .last_ms = file.last_ms, .ring = 5};
    must(recorder_file_add_gap(&file, &gap) && file.count == blocks + 1);
    must(recorder_file_finish(&file, folder_fd));
    struct tape_name finished = open_name;
    finished.open = false;
    tape_name_write(&finished);
    struct tape_block newest;
    must(recorder_file_newest(folder_fd, &finished, &newest));
    must(newest.kind == TAPE_GAP && newest.number == blocks);
    struct tape_summary summary;
    struct stat status;
    must(fstatat(folder_fd, finished.file, &status, 0) == 0);
    must(sum_up(&finished, (uint64_t)status.st_size, &summary) && summary.whole);
    must(summary.blocks == blocks + 1 && summary.gaps > 0);
}

static void look_at(const uint8_t *bytes, size_t count)
{
    struct tape_summary summary;
    struct tape_block newest;
    write_file(&last_name, bytes, count);
    write_file(&open_name, bytes, count);
    sum_up(&last_name, count, &summary);
    recorder_file_newest(folder_fd, &last_name, &newest);
    unlinkat(folder_fd, last_name.file, 0);
    go_on(count);
}

static void seal_block(uint8_t *bytes, uint64_t offset, uint64_t salt)
{
    uint8_t *head = bytes + offset;
    uint32_t stored;
    memcpy(&stored, head + 12, 4);
    if (stored <= sound.count - offset - TAPE_HEAD_BYTES) {
        uint64_t sum = tape_sum(head + TAPE_HEAD_BYTES, stored);
        memcpy(head + 64, &sum, 8);
    }
    uint64_t sum = XXH3_64bits_withSeed(head, TAPE_HEAD_BYTES - 8, salt);
    memcpy(head + TAPE_HEAD_BYTES - 8, &sum, 8);
}

static void set_sums_right(uint8_t *bytes)
{
    uint64_t salt = XXH3_64bits(bytes, TAPE_HEADER_BYTES - 8);
    memcpy(bytes + TAPE_HEADER_BYTES - 8, &salt, 8);
    for (uint32_t i = 0; i < sound.blocks; i++)
        seal_block(bytes, sound.entries[i].offset, salt);
    seal_block(bytes, without_index, salt);
    uint8_t *trailer = bytes + sound.count - TAPE_TRAILER_BYTES;
    uint64_t sum = XXH3_64bits_withSeed(trailer, TAPE_TRAILER_BYTES - 8, salt);
    memcpy(trailer + TAPE_TRAILER_BYTES - 8, &sum, 8);
}

static void change(const uint8_t *data, size_t size, size_t count)
{
    uint8_t *bytes = malloc(sound.count);
    memcpy(bytes, sound.bytes, sound.count);
    while (size > 3) {
        size_t offset = ((size_t)data[0] << 8 | data[1]) % sound.count, much = data[2];
        data += 3;
        size -= 3;
        much = much < size ? much : size;
        much = much < sound.count - offset ? much : sound.count - offset;
        memcpy(bytes + offset, data, much);
        data += much;
        size -= much;
    }
    set_sums_right(bytes);
    look_at(bytes, count);
    free(bytes);
}

static void try_name(const uint8_t *data, size_t size)
{
    char file[300];
    struct tape_name name, again;
    size_t bytes = size < sizeof(file) - 1 ? size : sizeof(file) - 1;
    memcpy(file, data, bytes);
    file[bytes] = '\0';
    if (!tape_name_parse(&name, file))
        return;
    must(strlen(name.room) > 0 && strchr(name.room, '/') == NULL);
    again = name;
    tape_name_write(&again);
    must(strcmp(again.file, file) == 0); /* one name, one recording */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (folder_fd < 0)
        prepare();
    if (size == 0)
        return 0;
    switch (data[0] % KINDS) {
    case WHOLE:
        look_at(data + 1, size - 1);
        break;
    case CHANGED:
        change(data + 1, size - 1, sound.count);
        break;
    case OPEN:
        change(data + 1, size - 1, without_index);
        break;
    default:
        try_name(data + 1, size - 1);
    }
    unlinkat(folder_fd, open_name.file, 0);
    unlinkat(folder_fd, last_name.file, 0);
    return 0;
}
