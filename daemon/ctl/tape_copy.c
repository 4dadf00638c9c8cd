#include "tape_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct copying {
    FILE *out;
    struct tape_copy *copy;
    const struct tape_moves *moves;
    uint64_t salt; /* of the copy */
    tape_copy_wants *wants;
    void *user;
    struct tape_packer *from, *to;
    struct tape_gather gather;
    struct tape_entry *entries;
    uint32_t room; /* of entries */
};

static bool put(struct copying *copying, const void *bytes, size_t count)
{
    copying->copy->bytes += count;
    return fwrite(bytes, 1, count, copying->out) == count;
}

static bool note(struct copying *copying, const struct tape_block *block)
{
    struct tape_copy *copy = copying->copy;
    if (copy->blocks == copying->room) {
        copying->room = copying->room == 0 ? 256 : copying->room * 2;
        struct tape_entry *grown =
            realloc(copying->entries, copying->room * sizeof(*copying->entries));
        if (grown == NULL)
            return false;
        copying->entries = grown;
    }
    copying->entries[copy->blocks++] = (struct tape_entry){
        copy->bytes, block->first_ms, block->last_ms, block->kind, block->count};
    return true;
}

/* Blocks are numbered anew: where some are left out, the index still counts them all. */
static bool put_block(struct copying *copying, struct tape_block block, const uint8_t *stored)
{
    uint8_t head[TAPE_HEAD_BYTES];
    block.number = copying->copy->blocks;
    tape_write_head(head, &block, copying->salt);
    if (block.kind == TAPE_MESSAGES)
        copying->copy->messages += block.count;
    return note(copying, &block) && put(copying, head, sizeof(head)) &&
           put(copying, stored, block.stored_bytes);
}

/* What was left out is a gap of the copy, so that nobody takes it for silence. */
static bool put_gap(struct copying *copying, const struct tape_block *before)
{
    const struct tape_block gap = {.kind = TAPE_GAP,
                                   .ring = before->ring,
                                   .from = before->to,
                                   .to = before->to,
                                   .first_ms = before->last_ms,
                                   .last_ms = before->last_ms,
                                   .checksum = tape_sum("", 0)};
    return put_block(copying, gap, (const uint8_t *)"");
}

static bool put_messages(struct copying *copying, const struct tape_part *part)
{
    struct tape_block block = part->block;
    struct tape_message message;
    const uint8_t *out;
    uint32_t topic;
    bool same = true;
    if (!tape_unpack(copying->from, &block, part->stored)) {
        copying->copy->left_out_bytes += part->bytes; /* as good as damaged */
        block.last_ms = tape_moved_ms(copying->moves, part->offset, block.last_ms);
        return put_gap(copying, &block);
    }
    tape_gather_clear(&copying->gather);
    while (tape_message(copying->from, &message, &topic)) {
        int64_t told_ms = message.received_ms;
        bool wanted = copying->wants == NULL || copying->wants(copying->user, &message);
        message.received_ms = tape_moved_ms(copying->moves, part->offset, told_ms);
        same = same && wanted && message.received_ms == told_ms;
        if (wanted && !tape_gather_add(&copying->gather, &message))
            return false; /* it had room in the block */
    }
    if (same)
        return put_block(copying, block, part->stored);
    if (copying->gather.count == 0)
        return true;
    tape_pack(copying->to, &copying->gather, &block, copying->salt, &out);
    return put_block(copying, block, out + TAPE_HEAD_BYTES);
}

static bool put_part(struct copying *copying, const struct tape_part *part)
{
    struct tape_block block = part->block;
    if (block.kind == TAPE_MESSAGES)
        return put_messages(copying, part);
    block.first_ms = tape_moved_ms(copying->moves, part->offset, block.first_ms);
    block.last_ms = tape_moved_ms(copying->moves, part->offset, block.last_ms);
    return put_block(copying, block, part->stored);
}

static bool put_index(struct copying *copying)
{
    size_t bytes = tape_index_bytes(copying->copy->blocks);
    uint8_t *index = malloc(bytes);
    if (index == NULL)
        return false;
    tape_write_index(index, copying->entries, copying->copy->blocks, copying->copy->bytes,
                     copying->salt);
    bool done = put(copying, index, bytes);
    free(index);
    return done && fflush(copying->out) == 0 && fsync(fileno(copying->out)) == 0;
}

static bool put_all(struct copying *copying, struct tape_reader *reader)
{
    struct tape_part part;
    struct tape_block before = {0};
    struct tape_header header = reader->header;
    uint8_t bytes[TAPE_HEADER_BYTES];
    header.start_ms = tape_moved_ms(&reader->moves, 0, header.start_ms);
    copying->salt = tape_write_header(bytes, &header);
    if (!put(copying, bytes, sizeof(bytes)))
        return false;
    for (enum tape_step step; (step = tape_next(reader, &part)) != TAPE_END;) {
        if (step == TAPE_BLOCK) {
            before = part.block;
            before.last_ms = tape_moved_ms(&reader->moves, part.offset, before.last_ms);
            if (!put_part(copying, &part))
                return false;
            continue;
        }
        copying->copy->left_out_bytes += part.bytes;
        fprintf(stderr, "lumbarctl: left out: %zu bytes at %zu: %s\n", part.bytes, part.offset,
                part.why);
        if (step == TAPE_DAMAGED && !put_gap(copying, &before))
            return false;
    }
    return put_index(copying);
}

/* Memory to write blocks anew. */
static bool prepare(struct copying *copying)
{
    copying->from = tape_packer_create();
    copying->to = tape_packer_create();
    copying->gather.bytes = malloc(TAPE_GATHER_BYTES);
    errno = ENOMEM;
    return copying->from != NULL && copying->to != NULL && copying->gather.bytes != NULL;
}

int tape_copy(struct tape_copy *copy, struct tape_reader *reader, const char *path,
              tape_copy_wants *wants, void *user, struct diag *diag)
{
    struct copying copying = {.copy = copy, .moves = &reader->moves, .wants = wants, .user = user};
    *copy = (struct tape_copy){.blocks = 0};
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || (copying.out = fdopen(fd, "wb")) == NULL)
        return diag_set(diag, ERR_IO, "cannot make %s: %s", path, strerror(errno));
    bool done = prepare(&copying) && put_all(&copying, reader);
    int error = errno;
    done = fclose(copying.out) == 0 && done;
    tape_packer_destroy(copying.from);
    tape_packer_destroy(copying.to);
    free(copying.gather.bytes);
    free(copying.entries);
    if (done)
        return 0;
    unlink(path);
    return diag_set(diag, ERR_IO, "cannot write %s: %s", path, strerror(error));
}
