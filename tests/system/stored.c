#include "ordeal.h"

#include <stdio.h>

#include <sqlite3.h>

#include "core/block.h"
#include "telemetry.h"

sqlite3 *stored_open(const struct hub *hub)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(hub->history, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    return db;
}

static void must_be_sound(sqlite3 *db)
{
    sqlite3_stmt *check;
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(check), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(check, 0), "ok");
    sqlite3_finalize(check);
}

uint64_t stored_samples(sqlite3 *db, const char *device, const char *metric)
{
    sqlite3_stmt *list;
    uint64_t samples = 0;
    int rc;
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT block FROM second"
                                        " JOIN device ON device.id = second.device"
                                        " JOIN metric ON metric.id = second.metric"
                                        " WHERE device.name = ?1 AND metric.name = ?2",
                                        -1, &list, NULL),
                     SQLITE_OK);
    sqlite3_bind_text(list, 1, device, -1, SQLITE_STATIC);
    sqlite3_bind_text(list, 2, metric, -1, SQLITE_STATIC);
    while ((rc = sqlite3_step(list)) == SQLITE_ROW) {
        struct block block;
        assert_true(block_unpack(&block, sqlite3_column_blob(list, 0),
                                 (size_t)sqlite3_column_bytes(list, 0)));
        samples += block_sum(&block).count;
    }
    assert_int_equal(rc, SQLITE_DONE);
    sqlite3_finalize(list);
    return samples;
}

int64_t stored_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

void stored_compare(const struct hub *hub, const struct source *source, const struct ordeal *ordeal)
{
    static const struct {
        const char *name;
        uint64_t each; /* samples in a message */
    } metrics[] = {
        {"lumbar_rotation", TELEMETRY_ROWS}, {"posture", TELEMETRY_ROWS}, {"battery", 1}};
    uint64_t messages = 0, missing = 0, doubled = 0;
    sqlite3 *db = stored_open(hub);
    must_be_sound(db);
    for (unsigned i = 0; i < ordeal->devices; i++) {
        char device[16];
        snprintf(device, sizeof(device), "p-%04u", i + 1);
        uint64_t published = source_published(source, i);
        messages += published;
        for (unsigned m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
            uint64_t want = published * metrics[m].each;
            uint64_t have = stored_samples(db, device, metrics[m].name);
            missing += have < want ? want - have : 0;
            doubled += have > want ? have - want : 0;
        }
    }
    printf("%s: killed %d times: %llu messages acknowledged, %llu samples missing, %llu too many, "
           "%lld batches, %lld gaps\n",
           ordeal->name, ordeal->rounds, (unsigned long long)messages, (unsigned long long)missing,
           (unsigned long long)doubled, (long long)stored_number(db, "SELECT batch FROM spool"),
           (long long)stored_number(db, "SELECT count(*) FROM gap"));
    assert_true(messages > (uint64_t)ordeal->rounds * ordeal->rate / 20);
    assert_int_equal(missing, 0);
    assert_int_equal(doubled, 0);
    assert_int_equal(stored_number(db, "SELECT count(*) FROM gap"), 0);
    assert_int_equal(stored_number(db, "SELECT clean FROM spool"), 1);
    sqlite3_close(db);
}
