#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "io/tape_folder.h"
#include "recording.h"

static const char help[] =
    "usage: lumbarctl recording export [--config FILE | --folder FOLDER] [--json]\n"
    "                                  NAME OUT\n"
    "\n"
    "Writes one recording to the file OUT, which must not exist: every sound block, and an index.\n"
    "What is torn or damaged is left out, and said; then the exit code is 1. OUT can go with a "
    "bug\n"
    "report: it can be verified and replayed anywhere. It holds a client's data.\n"
    "\n"
    "  --config FILE    the hub's configuration, which names the folder\n"
    "                   (default " LUMBAR_CONFIG_FILE ")\n"
    "  --folder FOLDER  the folder itself\n"
    "  --json           an object, for programs\n";

struct copy {
    FILE *out;
    uint64_t offset, messages, left_out;
    struct tape_entry *entries;
    uint32_t count, room;
};

static bool put(struct copy *copy, const void *bytes, size_t count)
{
    copy->offset += count;
    return fwrite(bytes, 1, count, copy->out) == count;
}

static bool note(struct copy *copy, const struct tape_block *block)
{
    if (copy->count == copy->room) {
        copy->room = copy->room == 0 ? 256 : copy->room * 2;
        struct tape_entry *grown = realloc(copy->entries, copy->room * sizeof(*grown));
        if (grown == NULL)
            return false;
        copy->entries = grown;
    }
    copy->entries[copy->count++] = (struct tape_entry){copy->offset, block->first_ms,
                                                       block->last_ms, block->kind, block->count};
    return true;
}

/* Blocks are numbered anew: where some are left out, the index still counts them all. */
static bool put_block(struct copy *copy, const struct tape_part *part, uint64_t salt)
{
    uint8_t head[TAPE_HEAD_BYTES];
    struct tape_block block = part->block;
    block.number = copy->count;
    tape_write_head(head, &block, salt);
    if (block.kind == TAPE_MESSAGES)
        copy->messages += block.count;
    return note(copy, &block) && put(copy, head, sizeof(head)) &&
           put(copy, part->stored, block.stored_bytes);
}

/* What was left out is a gap of the copy, so that nobody takes it for silence. */
static bool put_gap(struct copy *copy, const struct tape_block *before, uint64_t salt)
{
    struct tape_block gap = {.kind = TAPE_GAP,
                             .ring = before->ring,
                             .from = before->to,
                             .to = before->to,
                             .first_ms = before->last_ms,
                             .last_ms = before->last_ms,
                             .checksum = tape_sum("", 0)};
    struct tape_part part = {.block = gap, .stored = (const uint8_t *)""};
    return put_block(copy, &part, salt);
}

static bool put_index(struct copy *copy, uint64_t salt)
{
    size_t bytes = tape_index_bytes(copy->count);
    uint8_t *index = malloc(bytes);
    if (index == NULL)
        return false;
    tape_write_index(index, copy->entries, copy->count, copy->offset, salt);
    bool done = put(copy, index, bytes);
    free(index);
    return done && fflush(copy->out) == 0 && fsync(fileno(copy->out)) == 0;
}

static bool put_all(struct copy *copy, struct tape_reader *reader)
{
    struct tape_part part;
    struct tape_block before = {0};
    if (!put(copy, reader->bytes, TAPE_HEADER_BYTES))
        return false;
    for (enum tape_step step; (step = tape_next(reader, &part)) != TAPE_END;) {
        if (step == TAPE_BLOCK) {
            before = part.block;
            if (!put_block(copy, &part, reader->salt))
                return false;
            continue;
        }
        copy->left_out += part.bytes;
        fprintf(stderr, "lumbarctl: left out: %zu bytes at %zu: %s\n", part.bytes, part.offset,
                part.why);
        if (step == TAPE_DAMAGED && !put_gap(copy, &before, reader->salt))
            return false;
    }
    return put_index(copy, reader->salt);
}

static int export_to(struct tape_reader *reader, const char *path, bool json)
{
    struct copy copy = {0};
    struct diag diag = {0};
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || (copy.out = fdopen(fd, "wb")) == NULL) {
        diag_set(&diag, ERR_IO, "cannot make %s: %s", path, strerror(errno));
        return ctl_complain(&diag);
    }
    bool done = put_all(&copy, reader);
    int error = errno;
    done = fclose(copy.out) == 0 && done;
    free(copy.entries);
    if (!done) {
        unlink(path);
        diag_set(&diag, ERR_IO, "cannot write %s: %s", path, strerror(error));
        return ctl_complain(&diag);
    }
    if (json)
        ctl_print_line(json_pack("{s:s, s:I, s:i, s:I, s:I}", "file", path, "messages",
                                 (json_int_t)copy.messages, "blocks", (int)copy.count, "bytes",
                                 (json_int_t)copy.offset, "left_out_bytes",
                                 (json_int_t)copy.left_out));
    else
        printf("%s: %llu messages in %u blocks, %llu bytes\n", path,
               (unsigned long long)copy.messages, copy.count, (unsigned long long)copy.offset);
    return copy.left_out > 0;
}

int recording_export(int count, char **arguments)
{
    static const struct option options[] = {RECORDING_OPTIONS, {NULL, 0, NULL, 0}};
    struct recording_place place = {.config = LUMBAR_CONFIG_FILE};
    struct diag diag = {0};
    struct tape_reader reader;
    uint8_t *bytes;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;)
        if (!recording_option(&place, c))
            return ctl_usage(help, c == RECORDING_HELP);
    if (optind + 2 != count)
        return ctl_usage(help, false);
    if (recording_load(&place, arguments[optind], &reader, &bytes, &diag) != 0)
        return ctl_complain(&diag);
    int code = export_to(&reader, arguments[optind + 1], place.json);
    free(bytes);
    return code;
}
