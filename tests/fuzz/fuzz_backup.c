/* A hostile or garbled file in the folder of backups: who lists, reads or verifies it must neither
 * crash nor hang, and believes nothing that its checksum does not say.
 *
 * The first byte says what the rest is:
 *   0  the file itself
 *   1  a trailer and what lies before it; size and checksums are set right, so that what lies
 *      behind them is reached: the facts, and SQLite's own check
 *   2  a name in the folder
 *   3  changes, without a trailer, that are put onto a base
 */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "io/backup_sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WHOLE, SUMMED, NAME, CHANGES, KINDS };

#define FILE_MOST (1u << 20)

static char folder[64], path[128];

static void require(int condition)
{
    if (!condition)
        abort();
}

static void leave(void)
{
    unlink(path);
    rmdir(folder);
}

static void prepare(void)
{
    snprintf(folder, sizeof(folder), "/tmp/lumbar-fuzz-XXXXXX");
    require(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/lumbar-20261126T064500Z.backup", folder);
    atexit(leave);
}

static void put(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void look_at(const uint8_t *bytes, size_t count)
{
    struct backup_facts facts = {0}, again = {0};
    struct backup_name *list;
    size_t listed;
    struct diag diag = {0};
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    require(fd >= 0 && write(fd, bytes, count) == (ssize_t)count && close(fd) == 0);
    require(backup_folder_list(folder, &list, &listed, &diag) == 0 && listed == 1);
    require(list[0].bytes == count);
    free(list);
    int read = backup_read(path, &facts, &diag);
    if (read == 0) {
        require(facts.bytes + BACKUP_TRAILER_BYTES == count);
        require(memchr(facts.version, '\0', sizeof(facts.version)) != NULL);
    }
    int verified = backup_verify(path, NULL, &again, &diag);
    require(read == 0 || verified != 0);
    require(verified != 0 || XXH3_64bits(bytes, count - BACKUP_TRAILER_BYTES) == again.checksum);
}

/* The trailer comes first, so that it keeps its place while the fuzzer changes the rest. */
static void look_at_summed(const uint8_t *bytes, size_t count)
{
    static uint8_t file[FILE_MOST];
    if (count < BACKUP_TRAILER_BYTES || count > FILE_MOST)
        return;
    size_t body = count - BACKUP_TRAILER_BYTES;
    uint8_t *trailer = file + body;
    memcpy(file, bytes + BACKUP_TRAILER_BYTES, body);
    memcpy(trailer, bytes, BACKUP_TRAILER_BYTES);
    put(trailer + 32, body);
    put(trailer + 40, XXH3_64bits(file, body));
    put(trailer + 120, XXH3_64bits(trailer, 120));
    look_at(file, count);
}

static void try_name(const uint8_t *bytes, size_t count)
{
    char text[BACKUP_NAME_BYTES * 2], again[BACKUP_NAME_BYTES];
    struct backup_name name;
    if (count >= sizeof(text))
        return;
    memcpy(text, bytes, count);
    text[count] = '\0';
    if (!backup_name_parse(&name, text))
        return;
    backup_name_write(again, name.made_ms, name.changes);
    require(strcmp(again, text) == 0 && strcmp(name.file, text) == 0);
}

/* Onto a base with little in it; what comes of it is looked through, as a restore does. */
static void put_onto_a_base(const uint8_t *bytes, size_t count)
{
    char base[160];
    sqlite3 *db;
    struct backup_facts facts = {0};
    struct diag diag = {0};
    snprintf(base, sizeof(base), "%s/base", folder);
    unlink(base);
    require(sqlite3_open(base, &db) == SQLITE_OK);
    require(sqlite3_exec(db,
                         "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; BEGIN;"
                         "CREATE TABLE client (id INTEGER PRIMARY KEY, alias TEXT);"
                         "CREATE TABLE second (minute, device, metric, block,"
                         " PRIMARY KEY (minute, device, metric)) WITHOUT ROWID;"
                         "CREATE TABLE minute (device, metric, hour, block,"
                         " PRIMARY KEY (device, metric, hour)) WITHOUT ROWID;"
                         "INSERT INTO second VALUES (1, 1, 1, x'00'), (2, 1, 1, x'00'); COMMIT",
                         NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    require(fd >= 0 && write(fd, bytes, count) == (ssize_t)count && close(fd) == 0);
    if (backup_sql_apply(path, base, &diag) == 0)
        backup_sql_check(base, NULL, &facts, &diag);
    unlink(base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (folder[0] == '\0')
        prepare();
    if (size == 0)
        return 0;
    if (data[0] % KINDS == WHOLE)
        look_at(data + 1, size - 1);
    else if (data[0] % KINDS == SUMMED)
        look_at_summed(data + 1, size - 1);
    else if (data[0] % KINDS == CHANGES)
        put_onto_a_base(data + 1, size - 1);
    else
        try_name(data + 1, size - 1);
    return 0;
}
