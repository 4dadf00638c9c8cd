/*
 * Rows of the store's tables, for who keeps something else than samples: a small door.
 *
 * A row is put into the open batch as its values, and is in the file with all else that came before
 * it, or not at all. Putting is an upsert by the table's key (its first columns, store_rows.c), so
 * a snapshot may be put as often as it changes. To add a table: a migration (store_schema.c), a
 * line in the enum and one in the list of store_rows.c.
 *
 *     const struct store_value row[] = {store_int(id), store_text(alias), ...};
 *     store_put(store, STORE_CLIENT, row, sizeof(row) / sizeof(row[0]));
 *     uint64_t when = store_batch(store);   // it is on the disk when store_committed() >= when
 *
 * Loop thread. Values are copied.
 */
#ifndef LUMBAR_IO_STORE_ROWS_H
#define LUMBAR_IO_STORE_ROWS_H

#include "io/store.h"

enum store_table {
    STORE_CLIENT,
    STORE_PLAN,
    STORE_SESSION,
    STORE_SESSION_DEVICE,
    STORE_SESSION_PHASE,
    STORE_SESSION_NOTE,
    STORE_CALIBRATION,
    STORE_ALARM,
    STORE_ALARM_TRANSITION,
    STORE_DERIVED,
    STORE_PAUSE,
    STORE_PLACEMENT,
    STORE_REPEAT,
    STORE_HEARD,
    STORE_AMENDMENT,
    STORE_ACCOUNT,
    STORE_PASS,
    STORE_AUDIT,
    STORE_AUDIT_HEAD,
    STORE_GLASS,
    STORE_LACK,
    STORE_MERGE,
    STORE_AUDIT_ANCHOR,
    STORE_MOVED,
    STORE_TABLES_
};

#define STORE_COLUMNS_MAX 28

/* Whose a session is in a store that is rebuilt from recordings: after a history was lost, the
 * number of a client may have been given to another one, who was entered at another time. */
#define STORE_WHOSE(client, created_ms)                                                            \
    ((int64_t)(created_ms)*1024 + (int64_t)((uint64_t)(client) % 1024))
#define STORE_WHOSE_SQL "created_ms * 1024 + (id & 1023)" /* of a row of `client` */

struct store_value {
    enum { STORE_NULL, STORE_INT, STORE_REAL, STORE_TEXT } type;
    int64_t integer;
    double real;
    const char *text; /* good until the call returns */
    size_t bytes;
};

struct store_value store_null(void);
struct store_value store_int(int64_t integer);
struct store_value store_real(double real);      /* NaN becomes NULL */
struct store_value store_text(const char *text); /* NULL becomes NULL */

/* All columns in their order. False: no room in the batch; nothing was put, and that was said. */
bool store_put(struct store *store, enum store_table table, const struct store_value *values,
               unsigned count);
/* Removes the rows whose first `count` columns are these; no more than the key has. */
bool store_remove(struct store *store, enum store_table table, const struct store_value *keys,
                  unsigned count);

/* The table's name, and those of its columns in their order, behind which stands NULL. */
const char *store_table_name(enum store_table table);
const char *const *store_columns(enum store_table table);

uint64_t store_refused_rows(const struct store *store); /* since it was opened: puts and removals */

/* Erases all that is of a client in the file: the row, plans, sessions with all that belongs to
 * them, calibrations, and what was measured and alarmed of the devices while they were in those
 * sessions. It is gone with the open batch; after that, in steps that keep no batch waiting, the
 * whole file is cleared of copies of it (store_erased_all()). False: as store_put(). */
bool store_erase(struct store *store, uint64_t client);
bool store_erased_all(const struct store *store); /* no copy is left of what was erased */

uint64_t store_batch(const struct store *store); /* number of the open batch, from 1 */
/* Of the newest that has a row: an open one without may stay open for a minute. */
uint64_t store_rows_batch(const struct store *store);
uint64_t store_committed(const struct store *store); /* of the newest that is on the disk */

/* At start, before store_start(): every row of the table, or those of a condition (a literal of the
 * caller's, as "presence <> 0"), in the order of the key. Texts are terminated. ERR_AGAIN: the file
 * was found to be damaged, and another one is in its place; what was read before is to be
 * forgotten, and the store to be opened again. */
typedef void store_row_cb(void *user, const struct store_value *values, unsigned count);
int store_load(struct store *store, enum store_table table, const char *where, store_row_cb *each,
               void *user, struct diag *diag);

/* The highest numbers that clients and their plans ever had, of those that are erased as well; at
 * start. */
int store_load_numbers(struct store *store, uint64_t *client, uint64_t *plan, struct diag *diag);

/* ---- alarms, as core/alarms.h has them ---- */

struct alarm;
struct alarms;
struct publisher;
struct rules;

/* An alarm that changed: its row, and the transition. `room` is the name, "" none; `hand`: whose
 * deed it was. */
struct alarm_hand;
bool store_alarm(struct store *store, const struct alarm *alarm, const struct device *device,
                 const char *room, const struct alarm_hand *hand);

/* One whose device is in another room now, or whose room has another name. */
bool store_alarm_room(struct store *store, const struct alarm *alarm, const struct device *device,
                      const char *room);

/* Where they go; all of it borrowed. */
struct store_alarms_world {
    struct alarms *alarms;
    const struct rules *rules;
    struct devices *devices;
    const struct drivers *drivers;
    struct publisher *publisher; /* told of the topics that they had; NULL: nobody is */
};

/* Those that stood or were shelved, and the highest number. An alarm whose rule or kind of device
 * is no longer there is ended at now_ms in the store. The publisher is prepared. */
int store_load_alarms(struct store *store, const struct store_alarms_world *world, int64_t now_ms,
                      struct diag *diag);

/* ---- sessions, as core/sessions.h has them ---- */

struct session;
struct sessions;
struct shelf;

/* What names and numbers of a session mean; all of it borrowed. */
struct store_clinic {
    const struct config *config;
    const struct drivers *drivers;
    struct devices *devices;
    const struct body *body;
    const struct shelf *clients; /* a session has the number of its client only */
    int64_t own_age_ms;          /* own ranges no older counted when it was opened */
};

/* A session that changed, with its devices, phases and notes; or only what is accounted of it. */
bool store_session(struct store *store, const struct session *session,
                   const struct store_clinic *clinic);
bool store_session_head(struct store *store, const struct session *session,
                        const struct store_clinic *clinic);

/* Those that were under way go on as they were at store_position(); of each other room the last.
 * One whose room or plugin is gone is aborted in the store, and that is said. */
int store_load_sessions(struct store *store, struct sessions *sessions,
                        const struct store_clinic *clinic, struct diag *diag);

/* ---- derived metrics, as core/derive.h accounts for them ---- */

struct derive;

/* What is accounted for a device: before the batch is sealed that has the messages it was made of.
 */
bool store_derived(struct store *store, const struct derive *derive, const struct device *device);

/* As it was at store_position(). The devices are known then, whether they speak or not. */
int store_load_derived(struct store *store, struct derive *derive, const struct drivers *drivers,
                       struct devices *devices, struct diag *diag);

#endif
