#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/tape_pack.h"
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
    struct tape_packer *packer;
    struct tape_gather gather;
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

/* The copy has no list of moved times beside it: what is on it is written anew, of times that are
 * right. False: there is no room for it. */
static bool move_block(struct copy *copy, struct tape_part *part, const struct tape_moves *moves,
                       uint64_t salt)
{
    struct tape_block *block = &part->block;
    struct tape_message message;
    uint32_t topic;
    const uint8_t *made;
    int64_t first_ms = tape_moved_ms(moves, part->offset, block->first_ms);
    int64_t last_ms = tape_moved_ms(moves, part->offset, block->last_ms);
    if (last_ms == block->last_ms ||
        (block->kind == TAPE_MESSAGES && !tape_unpack(copy->packer, block, part->stored)))
        return true;
    if (block->kind == TAPE_GAP) {
        block->first_ms = first_ms;
        block->last_ms = last_ms;
        return true;
    }
    tape_gather_clear(&copy->gather);
    while (tape_message(copy->packer, &message, &topic)) {
        message.received_ms = tape_moved_ms(moves, part->offset, message.received_ms);
        if (!tape_gather_add(&copy->gather, &message))
            return false;
    }
    tape_pack(copy->packer, &copy->gather, block, salt, &made);
    part->stored = made + TAPE_HEAD_BYTES;
    return true;
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

/* Memory to write blocks anew; ended by copy_fini(), also where there is none. */
static bool copy_init(struct copy *copy)
{
    *copy = (struct copy){.packer = tape_packer_create(),
                          .gather = {.bytes = malloc(TAPE_GATHER_BYTES)}};
    errno = ENOMEM;
    return copy->packer != NULL && copy->gather.bytes != NULL;
}

static void copy_fini(struct copy *copy)
{
    tape_packer_destroy(copy->packer);
    free(copy->gather.bytes);
    free(copy->entries);
}

static bool put_all(struct copy *copy, struct tape_reader *reader)
{
    struct tape_part part;
    struct tape_block before = {0};
    struct tape_header header = reader->header;
    uint8_t bytes[TAPE_HEADER_BYTES];
    header.start_ms = tape_moved_ms(&reader->moves, 0, header.start_ms);
    uint64_t salt = tape_write_header(bytes, &header);
    if (!put(copy, bytes, sizeof(bytes)))
        return false;
    for (enum tape_step step; (step = tape_next(reader, &part)) != TAPE_END;) {
        if (step == TAPE_BLOCK) {
            if (!move_block(copy, &part, &reader->moves, salt) || !put_block(copy, &part, salt))
                return false;
            before = part.block;
            continue;
        }
        copy->left_out += part.bytes;
        fprintf(stderr, "lumbarctl: left out: %zu bytes at %zu: %s\n", part.bytes, part.offset,
                part.why);
        if (step == TAPE_DAMAGED && !put_gap(copy, &before, salt))
            return false;
    }
    return put_index(copy, salt);
}

static int export_to(struct tape_reader *reader, const char *path, bool json)
{
    struct copy copy;
    struct diag diag = {0};
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "wb");
    if (out == NULL) {
        diag_set(&diag, ERR_IO, "cannot make %s: %s", path, strerror(errno));
        return ctl_complain(&diag);
    }
    bool done = copy_init(&copy);
    copy.out = out;
    done = done && put_all(&copy, reader);
    int error = errno;
    done = fclose(out) == 0 && done;
    copy_fini(&copy);
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
