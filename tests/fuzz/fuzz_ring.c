/* A hostile or garbled ring, copy or quarantine file must never crash or hang who opens it, and
 * whatever is given out of it must lie within its own bounds.
 *
 * The first byte says which file, and whether the rest is the file itself or changes to a sound
 * one: records of offset (3 bytes), length (1 byte), bytes. Sound files are made once. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/ring_file.h"
#include "io/quarantine.h"
#include "io/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIZE       65536u
#define FILE_BYTES (SIZE + RING_DATA_OFFSET)
#define RECORDS    (SIZE / 48 + 1) /* more cannot be in a ring */

enum file { RING, COPY, QUARANTINE, FILES };

static char folder[64], paths[FILES][96];
static uint8_t sound[FILES][FILE_BYTES];

static void require(int condition)
{
    if (!condition)
        abort();
}

static void remove_files(void)
{
    DIR *listing = opendir(folder);
    require(listing != NULL);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(listing), entry->d_name, 0);
    closedir(listing);
}

static void at_exit(void)
{
    remove_files();
    rmdir(folder);
}

static unsigned given;

static void look_at(const struct ring_record *record)
{
    static volatile uint8_t sum;
    require(record->topic_bytes <= RING_TOPIC_MAX && record->payload_bytes <= RING_PAYLOAD_MAX);
    for (size_t i = 0; i < record->topic_bytes; i++)
        sum = (uint8_t)(sum + ring_topic(record)[i]);
    for (size_t i = 0; i < record->payload_bytes; i++)
        sum = (uint8_t)(sum + ring_payload(record)[i]);
    require(++given < 4 * RECORDS);
}

static enum ring_outcome use(void *user, const struct ring_record *record, bool again)
{
    (void)user, (void)again;
    look_at(record);
    return RING_USED;
}

static void on_refused(void *user, const struct ring_record *record)
{
    (void)user;
    look_at(record);
}

static void each(void *user, const struct ring_record *record)
{
    (void)user;
    look_at(record);
}

static void each_entry(void *user, const struct quarantine_entry *entry)
{
    (void)user;
    require(entry->topic_bytes <= RING_TOPIC_MAX && entry->payload_bytes <= RING_PAYLOAD_MAX);
    require(strlen(entry->reason) + strlen(entry->sender) < RING_TOPIC_MAX);
    require(++given < 4 * RECORDS);
}

static void wake(void *user)
{
    (void)user;
}

static void work_with_spool(void)
{
    const struct spool_options options = {paths[RING], paths[COPY], SIZE, 1000, 1000, 0};
    struct diag diag = {0};
    struct spool *spool;
    given = 0;
    if (ring_walk(paths[RING], each, NULL, &diag) != 0)
        require(diag.code != 0);
    diag = (struct diag){0};
    if (spool_open(&spool, &options, &diag) != 0) {
        require(diag.text[0] != '\0');
        return;
    }
    given = 0;
    require(spool_recover(spool, use, NULL, on_refused, &diag) == 0);
    while (spool_drain(spool, 100, use, NULL) != 0)
        continue;
    require(spool_start(spool, wake, NULL, &diag) == 0);
    for (int i = 0; i < 1000; i++) { /* more than a lap */
        require(spool_put(spool, "topic", 5, paths, 60, 1, 1, 1));
        require(spool_drain(spool, 2, use, NULL) == 1);
        given = 0;
    }
    spool_close(spool);
}

static void put(struct quarantine *quarantine, const char *sender, const void *payload,
                size_t bytes)
{
    quarantine_put(quarantine, &(struct quarantine_entry){.sender = sender,
                                                          .topic = "topic",
                                                          .topic_bytes = 5,
                                                          .payload = payload,
                                                          .payload_bytes = bytes,
                                                          .reason = "reason",
                                                          .wall_ms = 1});
}

static void work_with_quarantine(void)
{
    struct diag diag = {0};
    struct quarantine *quarantine;
    given = 0;
    if (quarantine_walk(paths[QUARANTINE], each_entry, NULL, &diag) != 0)
        require(diag.code != 0);
    diag = (struct diag){0};
    if (quarantine_open(&quarantine, paths[QUARANTINE], SIZE, &diag) != 0)
        return;
    for (int i = 0; i < 1000; i++)
        put(quarantine, i % 3 == 0 ? "" : "x/one", paths, 60);
    quarantine_close(quarantine);
    given = 0;
    require(quarantine_walk(paths[QUARANTINE], each_entry, NULL, &diag) == 0);
    require(given > 0);
}

static void write_file(const char *path, const uint8_t *bytes, size_t count)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    require(fd >= 0);
    require(write(fd, bytes, count) == (ssize_t)count);
    close(fd);
}

static void read_sound(enum file file)
{
    int fd = open(paths[file], O_RDONLY | O_CLOEXEC);
    require(fd >= 0 && read(fd, sound[file], FILE_BYTES) == (ssize_t)FILE_BYTES);
    close(fd);
}

/* A spool a lap and a half old with some messages waiting, and a quarantine. */
static void make_sound_files(void)
{
    const struct spool_options options = {paths[RING], paths[COPY], SIZE, 1, 1000, 0};
    static uint8_t payload[600];
    struct diag diag = {0};
    struct spool *spool;
    struct quarantine *quarantine;
    require(spool_open(&spool, &options, &diag) == 0);
    require(spool_start(spool, wake, NULL, &diag) == 0);
    for (unsigned i = 0; i < 300; i++) {
        require(spool_put(spool, "lumbar/v1/x/d/telemetry", 23, payload, i * 37 % 600, 1, i, i));
        given = 0;
        if (i < 290)
            spool_drain(spool, 1, use, NULL);
    }
    spool_close(spool);
    require(quarantine_open(&quarantine, paths[QUARANTINE], SIZE, &diag) == 0);
    for (unsigned i = 0; i < 300; i++)
        put(quarantine, i % 100 == 0 ? "x/other" : "x/one", payload, i * 37 % 600);
    quarantine_close(quarantine);
    for (enum file file = RING; file < FILES; file++)
        read_sound(file);
}

static void prepare(void)
{
    log_set_level((enum log_level)0);
    snprintf(folder, sizeof(folder), "%s/fuzz_ring.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    require(mkdtemp(folder) != NULL);
    static const char *const names[FILES] = {"ring", "copy", "quarantine"};
    for (enum file file = RING; file < FILES; file++)
        snprintf(paths[file], sizeof(paths[file]), "%s/%s", folder, names[file]);
    make_sound_files();
    atexit(at_exit);
}

static void change(uint8_t *bytes, const uint8_t *data, size_t size)
{
    while (size > 4) {
        size_t offset = ((size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2]) % FILE_BYTES;
        size_t count = data[3];
        data += 4;
        size -= 4;
        if (count > size)
            count = size;
        if (count > FILE_BYTES - offset)
            count = FILE_BYTES - offset;
        memcpy(bytes + offset, data, count);
        data += count;
        size -= count;
    }
}

/* A header's checksum is no secret: set it right, so that what lies behind it is reached. */
static void seal(enum file file, uint8_t *bytes)
{
    if (file != COPY) {
        uint64_t checksum = ring_header_checksum(bytes, 32);
        memcpy(bytes + 32, &checksum, 8);
        return;
    }
    for (size_t at = 0; at < RING_DATA_OFFSET; at += 4096) {
        uint64_t checksum = ring_header_checksum(bytes + at, 96);
        memcpy(bytes + at + 96, &checksum, 8);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[FILE_BYTES];
    if (folder[0] == '\0')
        prepare();
    if (size == 0)
        return 0;
    enum file file = (enum file)(data[0] % FILES);
    bool whole = data[0] & 0x80, alone = data[0] & 0x40, sealed = data[0] & 0x20;
    for (enum file other = RING; other < FILES; other++)
        if (other != file && !alone)
            write_file(paths[other], sound[other], FILE_BYTES);
    if (whole) {
        write_file(paths[file], data + 1, size - 1);
    } else {
        memcpy(bytes, sound[file], FILE_BYTES);
        change(bytes, data + 1, size - 1);
        if (sealed)
            seal(file, bytes);
        write_file(paths[file], bytes, FILE_BYTES);
    }
    if (file == QUARANTINE)
        work_with_quarantine();
    else
        work_with_spool();
    remove_files();
    return 0;
}
