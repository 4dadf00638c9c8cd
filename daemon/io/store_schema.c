#include <stdio.h>

#include "io/store_state.h"

/*
 * Migrations, by number: a file of version N has had the first N. One that has landed is never
 * changed; what is new is appended.
 *
 * Times are ms since 1970 in hub time, minutes and hours are counted since 1970. Bodies are JSON.
 * The minutes of all values lie side by side (second), for so they are written; the hours of one
 * value do (minute), for so they are read.
 */
static const char *const migrations[] = {
    "CREATE TABLE spool (one INTEGER PRIMARY KEY CHECK (one = 1), ring INTEGER NOT NULL,"
    "  position INTEGER NOT NULL, batch INTEGER NOT NULL, sealed_ms INTEGER NOT NULL,"
    "  clean INTEGER NOT NULL, seconds_from INTEGER NOT NULL);"
    "INSERT INTO spool VALUES (1, 0, 0, 0, 0, 1, 0);"

    "CREATE TABLE device (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,"
    "  UNIQUE (kind, name));"
    "CREATE TABLE metric (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,"
    "  unit TEXT NOT NULL, min REAL NOT NULL, step REAL NOT NULL,"
    "  UNIQUE (kind, name, min, step));"
    "CREATE TABLE second (minute INTEGER NOT NULL, device INTEGER NOT NULL,"
    "  metric INTEGER NOT NULL, block BLOB NOT NULL, PRIMARY KEY (minute, device, metric))"
    "  WITHOUT ROWID;"
    "CREATE TABLE minute (device INTEGER NOT NULL, metric INTEGER NOT NULL,"
    "  hour INTEGER NOT NULL, block BLOB NOT NULL, PRIMARY KEY (device, metric, hour))"
    "  WITHOUT ROWID;"
    /* Hours whose seconds are not yet, or not all, in their minutes. */
    "CREATE TABLE rollup (hour INTEGER PRIMARY KEY);"
    "CREATE TABLE gap (id INTEGER PRIMARY KEY, from_ms INTEGER NOT NULL,"
    "  to_ms INTEGER NOT NULL, messages INTEGER, why TEXT NOT NULL);"

    "CREATE TABLE client (id INTEGER PRIMARY KEY, alias TEXT NOT NULL UNIQUE,"
    "  created_ms INTEGER NOT NULL, archived_ms INTEGER, body TEXT);"
    "CREATE TABLE plan (id INTEGER PRIMARY KEY, client INTEGER, template INTEGER,"
    "  name TEXT NOT NULL, created_ms INTEGER NOT NULL, archived_ms INTEGER,"
    "  body TEXT NOT NULL);"
    "CREATE INDEX plan_of_client ON plan (client);"
    "CREATE TABLE session (id INTEGER PRIMARY KEY, client INTEGER, plan INTEGER,"
    "  room TEXT NOT NULL, therapist TEXT, state TEXT NOT NULL, reason TEXT,"
    "  created_ms INTEGER NOT NULL, started_ms INTEGER, ended_ms INTEGER,"
    "  pain_before INTEGER, pain_after INTEGER, rmdq INTEGER, odi INTEGER, adverse TEXT,"
    "  body TEXT);"
    "CREATE INDEX session_of_client ON session (client, started_ms);"
    "CREATE INDEX session_by_time ON session (started_ms);"
    "CREATE TABLE session_device (session INTEGER NOT NULL, number INTEGER NOT NULL,"
    "  kind TEXT NOT NULL, name TEXT NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER,"
    "  PRIMARY KEY (session, number)) WITHOUT ROWID;"
    "CREATE TABLE session_phase (session INTEGER NOT NULL, number INTEGER NOT NULL,"
    "  name TEXT NOT NULL, target_ms INTEGER, started_ms INTEGER, ended_ms INTEGER, body TEXT,"
    "  PRIMARY KEY (session, number)) WITHOUT ROWID;"
    "CREATE TABLE session_note (session INTEGER NOT NULL, number INTEGER NOT NULL,"
    "  at_ms INTEGER NOT NULL, kind TEXT NOT NULL, author TEXT, text TEXT,"
    "  PRIMARY KEY (session, number)) WITHOUT ROWID;"
    "CREATE TABLE calibration (id INTEGER PRIMARY KEY, client INTEGER, session INTEGER,"
    "  kind TEXT NOT NULL, device TEXT NOT NULL, metric TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    "  expires_ms INTEGER, body TEXT NOT NULL);"
    "CREATE INDEX calibration_of_client ON calibration (client, at_ms);"

    "CREATE TABLE derived (kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,"
    "  PRIMARY KEY (kind, name)) WITHOUT ROWID;"

    "CREATE TABLE alarm (number INTEGER PRIMARY KEY, rule TEXT NOT NULL, kind TEXT NOT NULL,"
    "  device TEXT NOT NULL, room TEXT, metric TEXT NOT NULL, priority INTEGER NOT NULL,"
    "  technical INTEGER NOT NULL, presence INTEGER NOT NULL, raised_ms INTEGER NOT NULL,"
    "  since_ms INTEGER NOT NULL, value REAL, passed REAL, change INTEGER NOT NULL,"
    "  state INTEGER NOT NULL, escalated INTEGER NOT NULL, waits_ms INTEGER, lost_ms INTEGER,"
    "  acked_ms INTEGER, acked_by TEXT, acked_why TEXT,"
    "  shelved_ms INTEGER, shelved_by TEXT, shelved_why TEXT, shelved_until_ms INTEGER,"
    "  phase TEXT, behind INTEGER);"
    "CREATE INDEX alarm_standing ON alarm (presence) WHERE presence <> 0;"
    "CREATE INDEX alarm_shelved ON alarm (shelved_until_ms) WHERE shelved_until_ms IS NOT NULL;"
    "CREATE INDEX alarm_by_time ON alarm (raised_ms);"
    "CREATE INDEX alarm_by_change ON alarm (change);"
    "CREATE TABLE alarm_transition (alarm INTEGER NOT NULL, change INTEGER NOT NULL,"
    "  at_ms INTEGER NOT NULL, presence INTEGER NOT NULL, value REAL, what TEXT, who TEXT,"
    "  why TEXT, PRIMARY KEY (alarm, change)) WITHOUT ROWID;",

    /* One of a rule and device is there at a time. Where the end of one was not kept, for the disk
     * refused too long, it ended when the next began. */
    "CREATE INDEX alarm_of_device ON alarm (rule, kind, device)"
    "  WHERE presence <> 0 OR shelved_until_ms IS NOT NULL;"
    "CREATE TRIGGER alarm_takes_its_place AFTER INSERT ON alarm BEGIN"
    "  UPDATE alarm SET presence = 0, state = 0, since_ms = NEW.raised_ms,"
    "    shelved_until_ms = NULL"
    "    WHERE rule = NEW.rule AND kind = NEW.kind AND device = NEW.device"
    "      AND number < NEW.number AND (presence <> 0 OR shelved_until_ms IS NOT NULL);"
    "  END;",

    /* A start looks for sessions under way and for the last one of each room, a report for what was
     * calibrated: none of it may go through the sessions of years. */
    "CREATE INDEX session_under_way ON session (state)"
    "  WHERE state IN ('planned', 'running', 'paused');"
    "CREATE INDEX session_of_room ON session (room, id);"
    "CREATE INDEX calibration_of_session ON calibration (session);"
    /* Numbers of who was erased stand in rows that stay: they are not given again. */
    "CREATE TABLE numbered (what TEXT PRIMARY KEY, newest INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO numbered SELECT 'client', coalesce(max(id), 0) FROM client;"
    "INSERT INTO numbered SELECT 'plan', coalesce(max(id), 0) FROM plan;"
    "CREATE TRIGGER client_is_numbered AFTER INSERT ON client BEGIN"
    "  UPDATE numbered SET newest = NEW.id WHERE what = 'client' AND newest < NEW.id;"
    "  END;"
    "CREATE TRIGGER plan_is_numbered AFTER INSERT ON plan BEGIN"
    "  UPDATE numbered SET newest = NEW.id WHERE what = 'plan' AND newest < NEW.id;"
    "  END;",

    "CREATE TABLE pause (room TEXT NOT NULL, what TEXT NOT NULL,"
    "  at_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, who TEXT NOT NULL,"
    "  PRIMARY KEY (room, what)) WITHOUT ROWID;",

    /* Clients who were erased, by the number that they had; and, where something of them may be
     * left in the file, the page at which to go on looking for it. */
    "CREATE TABLE erasure (id INTEGER PRIMARY KEY, client INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    "  sessions INTEGER NOT NULL);"
    "CREATE TABLE scrub (one INTEGER PRIMARY KEY CHECK (one = 1), page INTEGER NOT NULL);",

    /* When the newest message was received that is in the file: where recordings have to go on,
     * once the file is one that lay in a backup. */
    "ALTER TABLE spool ADD COLUMN heard_ms INTEGER NOT NULL DEFAULT 0;",

    /* What was created, by the key that its caller gave: a ring, so the table grows no further. */
    ("CREATE TABLE repeat (place INTEGER PRIMARY KEY, key TEXT NOT NULL, request INTEGER NOT NULL,"
     "  at_ms INTEGER NOT NULL, kind TEXT NOT NULL, id INTEGER NOT NULL);"),

    /* The worst value since the alarm was raised; NULL: not known, or none is worse than another.
     */
    "ALTER TABLE alarm ADD COLUMN worst REAL;",

    /* Which messages of a device all that is in this file was made of (core/account_kept.h). */
    "CREATE TABLE heard (kind TEXT NOT NULL, name TEXT NOT NULL,"
    "  body TEXT NOT NULL,"
    "  PRIMARY KEY (kind, name)) WITHOUT ROWID;",

    /* Accounts of people; and what lets in, by the digest of its secret: logins, tokens,
     * invitations. */
    ("CREATE TABLE account (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL,"
     "  rooms TEXT NOT NULL, disabled INTEGER NOT NULL, sealed TEXT NOT NULL, totp TEXT NOT NULL,"
     "  totp_step INTEGER NOT NULL, created_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL);"
     "CREATE TABLE pass (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, account INTEGER NOT NULL,"
     "  token INTEGER NOT NULL, hash TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,"
     "  used_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, name TEXT NOT NULL,"
     "  role TEXT NOT NULL, rooms TEXT NOT NULL, reads INTEGER NOT NULL,"
     "  glass_ms INTEGER NOT NULL, why TEXT NOT NULL);"
     /* Who did and saw what, in a chain of digests, and where it ends; and who saw what the account
      * would have kept from them, and why. */
     "CREATE TABLE audit (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL,"
     "  role TEXT NOT NULL, door TEXT NOT NULL, what TEXT NOT NULL, about TEXT NOT NULL,"
     "  outcome INTEGER NOT NULL, why TEXT NOT NULL, hash TEXT NOT NULL);"
     "CREATE TABLE audit_head (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL,"
     "  hash TEXT NOT NULL);"
     "CREATE TABLE glass (id INTEGER PRIMARY KEY, who TEXT NOT NULL, role TEXT NOT NULL,"
     "  why TEXT NOT NULL, at_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
     "  seen_by TEXT NOT NULL, seen_ms INTEGER NOT NULL);"),

    /* What a file lacks that was begun anew (to_ms NULL: up to what comes first), and the files
     * that are taken over by and by: how far each was come through. */
    "CREATE TABLE lack (from_ms INTEGER PRIMARY KEY, to_ms INTEGER, alarms INTEGER NOT NULL);"
    "CREATE TABLE merge (path TEXT PRIMARY KEY, records INTEGER NOT NULL, stage INTEGER NOT NULL,"
    "  a INTEGER NOT NULL, b INTEGER NOT NULL, c INTEGER NOT NULL);",

    /* What was said of a session when it was over. Of one that the hub still holds it is done
     * already; of others it is put into its place here. */
    "CREATE TABLE amendment (session INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    "  what TEXT NOT NULL, number INTEGER, text TEXT, who TEXT NOT NULL, done INTEGER NOT NULL,"
    "  PRIMARY KEY (session, at_ms)) WITHOUT ROWID;"
    "CREATE TRIGGER amendment_is_done AFTER INSERT ON amendment WHEN NEW.done = 0 BEGIN"
    "  UPDATE session SET"
    "    pain_before = iif(NEW.what = 'pain_before', NEW.number, pain_before),"
    "    pain_after = iif(NEW.what = 'pain_after', NEW.number, pain_after),"
    "    rmdq = iif(NEW.what = 'rmdq', NEW.number, rmdq),"
    "    odi = iif(NEW.what = 'odi', NEW.number, odi),"
    "    adverse = iif(NEW.what = 'adverse', NEW.text, adverse) WHERE id = NEW.session;"
    "  INSERT INTO session_note SELECT NEW.session, (SELECT coalesce(max(number) + 1, 0)"
    "      FROM session_note WHERE session = NEW.session), NEW.at_ms, 'note', NEW.who, NEW.text"
    "    WHERE NEW.what = 'note';"
    "  END;",

    /* The few lines of the trail that say of others that their clock was wrong: each start asks. */
    "CREATE INDEX audit_of_clock ON audit (id) WHERE what = 'clock set';",

    /* From when on times were moved, as they were told by a clock that was wrong: none is twice. */
    "CREATE TABLE moved (from_ms INTEGER PRIMARY KEY, by_ms INTEGER NOT NULL);",

    /* What is left of the beginning of the trail, which goes with its age: its last line's number,
     * digest and time. */
    "CREATE TABLE audit_anchor (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL,"
    "  hash TEXT NOT NULL, at_ms INTEGER NOT NULL);",

    /* Devices that somebody put into another room than the configuration gives them. */
    "CREATE TABLE placement (kind TEXT NOT NULL, name TEXT NOT NULL, room TEXT NOT NULL,"
    "  configured TEXT NOT NULL, at_ms INTEGER NOT NULL, who TEXT NOT NULL,"
    "  PRIMARY KEY (kind, name)) WITHOUT ROWID;",

    /* Has a line of the trail said so? Of those before it one has. */
    "ALTER TABLE moved ADD COLUMN told INTEGER NOT NULL DEFAULT 1;",
};

#define VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

int store_file_version(void)
{
    return VERSION;
}

static int version_of(sqlite3 *db, int *version)
{
    sqlite3_stmt *statement;
    int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL);
    if (rc != SQLITE_OK)
        return rc;
    rc = sqlite3_step(statement);
    *version = rc == SQLITE_ROW ? sqlite3_column_int(statement, 0) : 0;
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int migrate(sqlite3 *db, int number)
{
    char stamp[64];
    snprintf(stamp, sizeof(stamp), "PRAGMA user_version = %d", number + 1);
    int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, migrations[number], NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, stamp, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

int store_file_migrate(sqlite3 *db, const char *file, struct diag *diag)
{
    int version, rc = version_of(db, &version);
    if (rc == SQLITE_OK && version > VERSION)
        return diag_set(diag, ERR_VERSION,
                        "%s was made by a newer version of Lumbar (%d, this one knows up to %d): "
                        "use that one, or move the file away",
                        file, version, VERSION);
    for (; rc == SQLITE_OK && version < VERSION; version++)
        rc = migrate(db, version);
    if (rc == SQLITE_OK)
        return 0;
    int code = store_outcome_of(rc) == STORE_DAMAGED ? ERR_MALFORMED : ERR_IO;
    return diag_set(diag, code, "%s: %s", file, sqlite3_errmsg(db));
}
