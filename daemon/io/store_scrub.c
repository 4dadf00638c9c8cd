/*
 * What SQLite deletes it overwrites (secure_delete), but where it moves rows from page to page,
 * copies of them stay behind in the free room of pages until that is used again. So after an
 * erasure all pages of the file are gone through, some at a time, and their free room is filled
 * with zeros: the gap before the cells, and the blocks between them.
 *
 * SQLite has no call for it. It is done in the file itself, in bytes that nobody reads, by the one
 * thread that writes, when all of the log is in the file and the log is empty, so that no other
 * copy of a page can come back; and the writer's own copies are let go. Like SQLite it counts on
 * disks that leave alone what lies beside the bytes that are written.
 */
#include <stdio.h>

#include "io/store_state.h"

#define STEP_PAGES 1024
#define PAGE_MAX   65536
#define PAGES_MAX  (1 << 25) /* beyond, a page that is no tree's may look like one */

/* Layout of the file's pages: https://www.sqlite.org/fileformat2.html */
enum {
    FILE_HEADER = 100,
    RESERVED_AT = 20, /* in it: bytes at the end of each page that are not used */
    INDEX_INTERIOR = 2,
    TABLE_INTERIOR = 5,
    INDEX_LEAF = 10,
    TABLE_LEAF = 13,
};

struct scrubbed {
    sqlite3_file *file;
    sqlite3_int64 at;      /* of the page in the file */
    unsigned size, usable; /* of each page */
    const uint8_t *page;
};

static unsigned read_u16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* Zeros over what is not zero yet. */
static int clear(const struct scrubbed *of, unsigned from, unsigned to)
{
    static const uint8_t zeros[PAGE_MAX];
    while (from < to && of->page[from] == 0)
        from++;
    while (to > from && of->page[to - 1] == 0)
        to--;
    return from < to ? of->file->pMethods->xWrite(of->file, zeros, (int)(to - from), of->at + from)
                     : SQLITE_OK;
}

/* The blocks that are free between cells, rising; each begins with where the next is, and its size.
 */
static int clear_blocks(const struct scrubbed *of, unsigned block, unsigned content)
{
    int rc = SQLITE_OK;
    while (block != 0 && rc == SQLITE_OK) {
        if (block < content || block + 4 > of->usable)
            return SQLITE_CORRUPT;
        unsigned next = read_u16(of->page + block), bytes = read_u16(of->page + block + 2);
        if (bytes < 4 || block + bytes > of->usable || (next != 0 && next < block + bytes))
            return SQLITE_CORRUPT;
        rc = clear(of, block + 4, block + bytes);
        block = next;
    }
    return rc;
}

/* Of a page that is of no tree, nothing: it was cleared when it became free, or it is full. */
static int clear_page(const struct scrubbed *of)
{
    const uint8_t *head = of->page + (of->at == 0 ? FILE_HEADER : 0);
    bool leaf = head[0] == INDEX_LEAF || head[0] == TABLE_LEAF;
    if (!leaf && head[0] != INDEX_INTERIOR && head[0] != TABLE_INTERIOR)
        return SQLITE_OK;
    unsigned content = read_u16(head + 5);
    unsigned gap = (unsigned)(head - of->page) + (leaf ? 8 : 12) + 2 * read_u16(head + 3);
    content = content == 0 ? PAGE_MAX : content;
    if (gap > content || content > of->usable)
        return SQLITE_CORRUPT;
    int rc = clear(of, gap, content);
    return rc == SQLITE_OK ? clear_blocks(of, read_u16(head + 1), content) : rc;
}

/* ---- a step ---- */

static int64_t ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    int64_t number = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

static int clear_pages(struct store *store, int64_t first, int64_t last)
{
    uint8_t page[PAGE_MAX];
    struct scrubbed of = {.size = (unsigned)ask(store->db.db, "PRAGMA page_size"), .page = page};
    int rc = sqlite3_file_control(store->db.db, "main", SQLITE_FCNTL_FILE_POINTER, &of.file);
    if (rc == SQLITE_OK)
        rc = of.file->pMethods->xRead(of.file, page, FILE_HEADER, 0);
    of.usable = of.size - page[RESERVED_AT];
    for (int64_t number = first; number <= last && rc == SQLITE_OK; number++) {
        of.at = (number - 1) * of.size;
        rc = of.file->pMethods->xRead(of.file, page, (int)of.size, of.at);
        if (rc == SQLITE_OK)
            rc = clear_page(&of);
    }
    if (rc == SQLITE_OK)
        rc = of.file->pMethods->xSync(of.file, SQLITE_SYNC_NORMAL);
    sqlite3_db_release_memory(store->db.db);
    return rc;
}

static int note(struct store *store, int64_t page)
{
    char sql[64];
    snprintf(sql, sizeof(sql), "UPDATE scrub SET page = %lld", (long long)page);
    return sqlite3_exec(store->db.db, page > 0 ? sql : "DELETE FROM scrub", NULL, NULL, NULL);
}

int store_scrub(struct store *store, bool *more)
{
    uint64_t committed = atomic_load(&store->committed);
    int64_t first = ask(store->db.db, "SELECT page FROM scrub");
    *more = first > 0;
    if (!*more) {
        atomic_store(&store->scrubbed, committed);
        return 0;
    }
    int rc = sqlite3_wal_checkpoint_v2(store->db.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    *more = rc == SQLITE_OK;
    if (rc != SQLITE_OK)
        return (rc & 0xff) == SQLITE_BUSY ? 0 : rc; /* a reader is in the way: the next time */
    store->log_pages = 0;
    int64_t pages = ask(store->db.db, "PRAGMA page_count");
    int64_t last = first + STEP_PAGES - 1 < pages ? first + STEP_PAGES - 1 : pages;
    if (pages >= PAGES_MAX) {
        log_error("store: %s is too large to be cleared of what was erased: its free room may hold "
                  "copies",
                  store->file);
        return note(store, 0);
    }
    rc = clear_pages(store, first, last);
    if (rc != SQLITE_OK)
        return rc;
    if (last == pages)
        log_notice("store: of what was erased, nothing is left in %s", store->file);
    return note(store, last == pages ? 0 : last + 1);
}
