#include "ordeal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/tape_pack.h"
#include "io/tape_folder.h"

struct tally {
    uint64_t messages, strangers, lost, damaged;
    unsigned tapes, open, devices;
    uint8_t *recorded[SOURCE_DEVICES_MAX]; /* by sequence: how often */
    uint64_t room[SOURCE_DEVICES_MAX];
};

static void count_message(struct tally *tally, const struct tape_message *message)
{
    int device = source_device_of(message->topic, message->topic_bytes);
    uint64_t sequence = source_sequence_of(message->payload, message->payload_bytes);
    tally->messages++;
    if (device < 0 || device >= (int)tally->devices || sequence == 0 ||
        sequence >= tally->room[device])
        tally->strangers++;
    else
        tally->recorded[device][sequence]++;
}

static void count_tape(struct tally *tally, struct tape_packer *packer, const char *path)
{
    uint8_t *bytes;
    size_t count;
    struct tape_reader reader;
    struct tape_part part;
    struct tape_message message;
    uint32_t topic;
    struct diag diag = {0};
    if (tape_file_load(path, &bytes, &count, &diag) != 0 ||
        tape_open(&reader, bytes, count, &diag) != 0)
        fail_msg("%s: %s", path, diag.text);
    for (enum tape_step step; (step = tape_next(&reader, &part)) != TAPE_END;) {
        tally->damaged += step != TAPE_BLOCK;
        /* Without a number it is no loss: the spool has given places away that others needed. */
        if (step == TAPE_BLOCK && part.block.kind == TAPE_GAP)
            tally->lost += part.block.count;
        if (step != TAPE_BLOCK || part.block.kind != TAPE_MESSAGES)
            continue;
        assert_true(tape_unpack(packer, &part.block, part.stored));
        while (tape_message(packer, &message, &topic))
            count_message(tally, &message);
    }
    free(bytes);
}

static void count_all(struct tally *tally, const struct hub *hub, const struct source *source)
{
    struct tape_name *list;
    size_t count;
    struct diag diag = {0};
    struct tape_packer *packer = tape_packer_create();
    assert_non_null(packer);
    for (unsigned i = 0; i < tally->devices; i++) {
        tally->room[i] = source_published(source, i) + 1;
        tally->recorded[i] = calloc(tally->room[i], 1);
        assert_non_null(tally->recorded[i]);
    }
    assert_int_equal(tape_folder_list(hub->recordings, &list, &count, &diag), 0);
    for (size_t i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", hub->recordings, list[i].file);
        count_tape(tally, packer, path);
        tally->tapes++;
        tally->open += list[i].open;
    }
    free(list);
    tape_packer_destroy(packer);
}

void taped_compare(const struct hub *hub, const struct source *source, const struct ordeal *ordeal)
{
    static struct tally tally;
    uint64_t acknowledged = 0, missing = 0, doubled = 0;
    memset(&tally, 0, sizeof(tally));
    tally.devices = ordeal->devices;
    count_all(&tally, hub, source);
    for (unsigned device = 0; device < tally.devices; device++) {
        for (uint64_t s = 1; s < tally.room[device]; s++) {
            bool was = source_is_acknowledged(source, device, s);
            acknowledged += was;
            missing += was && tally.recorded[device][s] == 0;
            doubled += tally.recorded[device][s] > 1;
        }
        free(tally.recorded[device]);
    }
    printf("%s: killed %d times: %llu messages acknowledged, %llu of them not recorded (%llu noted "
           "as lost), %llu recorded twice, %u tapes\n",
           ordeal->name, ordeal->rounds, (unsigned long long)acknowledged,
           (unsigned long long)missing, (unsigned long long)tally.lost, (unsigned long long)doubled,
           tally.tapes);
    assert_true(acknowledged > (uint64_t)ordeal->rounds * ordeal->rate / 20);
    assert_int_equal(missing, 0);
    assert_int_equal(doubled, 0);
    assert_int_equal(tally.strangers, 0);
    assert_int_equal(tally.damaged, 0);
    assert_int_equal(tally.lost, 0);
    assert_int_equal(tally.tapes, ordeal->rooms);
    assert_int_equal(tally.open, ordeal->rooms); /* a stop ends no tape: the next start goes on */
}
