#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/tape_note.h"
#include "core/tape_pack.h"
#include "ctl.h"
#include "io/tape_folder.h"
#include "recording.h"

static const char help[] =
    "usage: lumbarctl recording verify [--config FILE | --folder FOLDER] [--json]\n"
    "                                  [NAME ...]\n"
    "\n"
    "Reads every byte of the recordings (without a name: of all): the checksums, what each block\n"
    "holds, the order of the blocks and of what they cover, and the index. One line each; the "
    "exit\n"
    "code is 1 where something is wrong. A recording that goes on has no index yet: that is "
    "right.\n"
    "\n"
    "  --config FILE    the hub's configuration, which names the folder\n"
    "                   (default " LUMBAR_CONFIG_FILE ")\n"
    "  --folder FOLDER  the folder itself\n"
    "  --json           an object a line, for programs\n";

struct check {
    struct tape_packer *packer;
    struct tape_block before; /* the block before; kind 0: none */
    uint32_t blocks, gaps;
    uint64_t messages, accounts, lost;
    char wrong[200]; /* the first thing that is; "" nothing */
    unsigned wrongs;
};

__attribute__((format(printf, 2, 3))) static void complain(struct check *check, const char *format,
                                                           ...)
{
    va_list args;
    if (check->wrongs++ > 0)
        return;
    va_start(args, format);
    vsnprintf(check->wrong, sizeof(check->wrong), format, args);
    va_end(args);
}

/* What a rebuild of the history would have of the session. */
static void check_accounts(struct check *check, const struct tape_part *part)
{
    struct tape_message message;
    struct note_account piece;
    uint32_t topic;
    while (tape_message(check->packer, &message, &topic)) {
        if (!note_is(&message, NOTE_ACCOUNT))
            continue;
        if (!note_read_account(&piece, &message))
            complain(check, "block %u at byte %zu: an account of the session cannot be read",
                     part->block.number, part->offset);
        else
            check->accounts += piece.part + 1 == piece.parts;
    }
}

static void check_block(struct check *check, const struct tape_part *part)
{
    const struct tape_block *block = &part->block, *before = &check->before;
    if (block->number != check->blocks)
        complain(check, "block %u at byte %zu: blocks %u to %u are not there", block->number,
                 part->offset, check->blocks, block->number - 1);
    else if (before->kind != 0 && before->ring == block->ring && block->from < before->to)
        complain(check, "block %u at byte %zu: it covers again what the one before it covers",
                 block->number, part->offset);
    check->blocks = block->number + 1;
    check->before = *block;
    if (block->kind == TAPE_GAP) {
        check->gaps++;
        check->lost += block->count;
    } else if (tape_unpack(check->packer, block, part->stored)) {
        check->messages += block->count;
        check_accounts(check, part);
    } else {
        complain(check, "block %u at byte %zu: its messages cannot be read", block->number,
                 part->offset);
    }
}

/* Holds the entry of a block's number against where the block was found. */
static void check_entry(struct check *check, const struct tape_part *index, uint32_t number,
                        const struct tape_part *block)
{
    struct tape_entry entry;
    tape_read_entry(index->stored + (size_t)number * TAPE_ENTRY_BYTES, &entry);
    if (entry.offset != block->offset || entry.kind != block->block.kind ||
        entry.count != block->block.count || entry.first_ms != block->block.first_ms ||
        entry.last_ms != block->block.last_ms)
        complain(check, "the index: its entry of block %u is wrong", number);
}

/* A second walk: now the index is known. */
static void check_index(struct check *check, const struct tape_reader *walked,
                        const struct tape_part *index)
{
    struct tape_reader reader;
    struct tape_part part;
    struct diag diag = {0};
    tape_open(&reader, walked->bytes, walked->count, &diag);
    for (enum tape_step step; (step = tape_next(&reader, &part)) != TAPE_END;)
        if (step == TAPE_BLOCK && part.block.number < index->block.count)
            check_entry(check, index, part.block.number, &part);
    if (check->blocks != index->block.count)
        complain(check, "the index: it has %u blocks, and the recording %u", index->block.count,
                 check->blocks);
}

static void print_result(bool json, const char *name, bool open, const struct check *check)
{
    if (json) {
        ctl_print_line(json_pack("{s:s, s:b, s:s, s:b, s:I, s:I, s:i, s:i, s:I, s:i}", "file", name,
                                 "good", check->wrongs == 0, "wrong", check->wrong, "open", open,
                                 "messages", (json_int_t)check->messages, "accounts",
                                 (json_int_t)check->accounts, "blocks", (int)check->blocks, "gaps",
                                 (int)check->gaps, "lost", (json_int_t)check->lost, "wrongs",
                                 (int)check->wrongs));
        return;
    }
    printf("%s: %s%s (%s%llu messages in %u blocks", name,
           check->wrongs == 0 ? "good" : "not good: ", check->wrong, open ? "open, " : "",
           (unsigned long long)check->messages, check->blocks);
    if (check->accounts > 0)
        printf(", the session's account %llu times", (unsigned long long)check->accounts);
    if (check->gaps > 0)
        printf(", %u gaps with %llu lost at least", check->gaps, (unsigned long long)check->lost);
    if (check->wrongs > 1)
        printf(", %u more things are wrong", check->wrongs - 1);
    puts(")");
}

static int verify(struct tape_packer *packer, struct recording_place *place, const char *name,
                  bool open)
{
    struct check check = {.packer = packer};
    struct tape_reader reader;
    struct tape_part part;
    struct diag diag = {0};
    uint8_t *bytes;
    if (recording_load(place, name, &reader, &bytes, &diag) != 0)
        return ctl_complain(&diag);
    for (enum tape_step step; (step = tape_next(&reader, &part)) != TAPE_END;) {
        if (step == TAPE_BLOCK)
            check_block(&check, &part);
        else
            complain(&check, "%s at byte %zu: %s; %zu bytes %s",
                     step == TAPE_TORN ? "torn" : "damaged", part.offset, part.why, part.bytes,
                     step == TAPE_TORN ? "up to the end are lost" : "are lost");
    }
    if (part.block.kind == TAPE_INDEX)
        check_index(&check, &reader, &part);
    else if (!open && check.wrongs == 0)
        complain(&check, "it has no index: cut short behind block %u", check.blocks);
    print_result(place->json, name, open, &check);
    free(bytes);
    return check.wrongs > 0;
}

static int verify_all(struct tape_packer *packer, struct recording_place *place)
{
    struct diag diag = {0};
    struct tape_name *list;
    size_t count;
    const char *folder = recording_folder(place, &diag);
    if (folder == NULL || tape_folder_list(folder, &list, &count, &diag) != 0)
        return ctl_complain(&diag);
    int code = 0;
    for (size_t i = 0; i < count; i++)
        code |= verify(packer, place, list[i].file, list[i].open);
    free(list);
    return code;
}

/* By its name; one that somebody renamed has to be whole. */
static bool is_open(const char *path)
{
    struct tape_name name;
    const char *slash = strrchr(path, '/');
    return tape_name_parse(&name, slash != NULL ? slash + 1 : path) && name.open;
}

int recording_verify(int count, char **arguments)
{
    static const struct option options[] = {RECORDING_OPTIONS, {NULL, 0, NULL, 0}};
    struct recording_place place = {.config = LUMBAR_CONFIG_FILE};
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;)
        if (!recording_option(&place, c))
            return ctl_usage(help, c == RECORDING_HELP);
    struct tape_packer *packer = tape_packer_create();
    struct diag diag = {0};
    if (packer == NULL) {
        diag_set(&diag, ERR_MEMORY, "out of memory");
        return ctl_complain(&diag);
    }
    int code = optind == count ? verify_all(packer, &place) : 0;
    for (int i = optind; i < count; i++)
        code |= verify(packer, &place, arguments[i], is_open(arguments[i]));
    tape_packer_destroy(packer);
    return code;
}
