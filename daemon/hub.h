/*
 * The inside of the hub, for lumbard.c (start, stop, reload, the way of a message), tick.c (what is
 * done four times a second), and the files beside them, which are named below. Loop thread only,
 * but for what says otherwise.
 */
#ifndef LUMBAR_HUB_H
#define LUMBAR_HUB_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "base/clock.h"
#include "core/api.h"
#include "core/audit.h"
#include "core/flood.h"
#include "core/throttle.h"
#include "core/users.h"
#include "core/ingest.h"
#include "core/shelf.h"
#include "core/publish.h"
#include "core/repeats.h"
#include "io/backup.h"
#include "io/kept.h"
#include "io/mqtt.h"
#include "io/password.h"
#include "io/quarantine.h"
#include "io/recorder.h"
#include "io/spool.h"
#include "io/store.h"
#include "io/store_heard.h"
#include "io/web.h"
#include "io/webhook.h"
#include "lumbard.h"
#include "rebuild.h"
#include "setup.h"

enum { SIGNALS = 3 };

#define HUB_CLIENTS_MAX 20000
#define HUB_TEXT_BYTES  32768 /* of a document; what a request may say is half of it */

/* The machine's wall clock, as it was last looked at. */
struct hub_clock {
    bool is_set, is_synchronised;
    int64_t off_ms; /* it was set by so much since the start, and hub time was not; 0: it was not */
    int64_t seen_ms; /* the same, of one look: two have to agree */
    int64_t looked_ms;
    int64_t busy_ms;         /* when somebody was last treated, or the hub started */
    int64_t wall_offset_ms;  /* of the start: the wall clock less the monotonic one */
    int64_t doubted_from_ms; /* since when nobody vouches for it, in hub time; 0: somebody does */
    bool is_behind;          /* it was before what is known already, and hub time is not */
};

/* An answer of the API that waits until a batch is on the disk. */
#define HUB_ANSWERS_MAX 32
struct hub_answer {
    uint64_t ticket, batch; /* ticket 0: free */
    struct api_answer answer;
};

/* What found no room in the store: put again when there is some. */
#define HUB_REMOVALS_MAX 64
struct hub_unstored {
    uint64_t alarm, session; /* the first change of each kind; 0: none */
    uint64_t client, plan;   /* the lowest number; 0: none */
    bool calibration;
    struct hub_removal {
        unsigned table; /* enum store_table */
        uint64_t id;
    } removals[HUB_REMOVALS_MAX];
    unsigned removal_count;
    bool pauses, places, accounts, glass;
};

/* The audit trail: where it stands, what waits for room in the store, what was told of just now. */
#define HUB_AUDIT_WAITING    64
#define HUB_AUDIT_SEEN       128
#define HUB_AUDIT_TOLD_WRONG 32
struct hub_audit {
    uint64_t newest;
    char head[AUDIT_HASH_BYTES];
    struct audit_line lines[HUB_AUDIT_WAITING];
    unsigned waiting;
    uint64_t lost; /* that found no room to wait in */
    struct hub_anchor {
        uint64_t id; /* lines up to it have gone for their age; 0: none has */
        int64_t at_ms;
        char hash[AUDIT_HASH_BYTES]; /* of that line */
    } anchor;
    int64_t prune_ms;      /* when to look for more of them */
    int64_t prune_day_ms;  /* when the day began in which only lines go that */
    int64_t prune_most_ms; /* are older than this; 0: not known yet */
    bool pruning;
    struct hub_seen {
        uint64_t key;
        int64_t at_ms;
    } seen[HUB_AUDIT_SEEN];
    unsigned seen_next;
    char about[AUDIT_ABOUT_BYTES], why[AUDIT_WHY_BYTES]; /* of the request at hand */
    uint64_t logged;                                     /* the head was, up to this line */
    int64_t logged_ms;
    /* Lines that were told by a wrong clock, and how far it was off; the newest of them. Written
     * before the loop runs, and read by the pool's threads. */
    struct hub_told_wrong {
        uint64_t first, last;
        int64_t by_ms;
    } told_wrong[HUB_AUDIT_TOLD_WRONG];
    unsigned told_wrong_count;
};

/* Glass that was broken, the newest of it: told to the leads until one of them has seen it. */
#define HUB_GLASS 64
struct hub_glass {
    uint64_t id; /* 0: none */
    char who[ACCESS_NAME_BYTES], role[16], why[PASS_WHY_BYTES];
    int64_t at_ms, until_ms;
    char seen_by[ACCESS_NAME_BYTES];
    int64_t seen_ms; /* 0: not yet */
};

/* Who came by the hub's own socket, by number. */
#define HUB_LOCALS 16
struct hub_local {
    uid_t uid;
    char name[ACCESS_NAME_BYTES];
};

/* What was last noted on a tape, of a room or a device. */
struct hub_noted {
    uint64_t session, change;
    int64_t at_ms;                /* hub time; 0: nothing yet */
    uint64_t position;            /* of the room's last message */
    uint64_t account_of, account; /* session, and its change, when all of it was noted */
};

/* The configurations that the hub can fall back on, and what it makes of the present one. */
struct hub_kept {
    char folder[PATH_MAX]; /* "": none are kept */
    uint32_t number;       /* the newest that the hub came up with; 0: none */
    uv_work_t work;        /* what is new of them is being synced, */
    bool syncing, again;   /* and more of it has come meanwhile */
    char complaint[512];   /* why it runs with that, and not with what the file says; "": it does */
};

struct lumbard {
    const struct lumbard_options *options;
    int64_t offset_ms; /* hub time less the monotonic clock */
    struct setup setup;
    char state[PATH_MAX]; /* folder of what outlives the hub, and is no data; "": none */
    struct hub_kept kept;
    struct ingest ingest;
    struct suppressions suppressions;
    struct pauses pauses;
    struct repeats repeats;
    struct frame *frame;
    struct publisher *publisher;
    struct quarantine *quarantine;
    struct spool *spool;
    struct recorder *recorder;
    struct store *store;
    struct backup *backup;
    struct heard_list *heard; /* what devices said before the start */
    struct rebuild *rebuild;  /* of what the store lacks; NULL: none is under way */
    bool rebuild_failed;
    char rebuilt[PATH_MAX];
    struct hub_taken { /* while it is not sure what recordings have that the store has not */
        uint64_t *sums;
        size_t count, room;
        int64_t until_ms; /* messages received up to then are noted; 0: none are */
    } taken;
    struct hub_bound {
        int64_t looked_ms, recordings; /* so much of them is left to be kept; 0: not yet looked */
        bool over;
    } bound;
    unsigned renewals; /* of the store, as far as it was told all that is known here */
    struct hub_noted noted_rooms[CONFIG_ROOMS_MAX + 1], *noted_devices; /* by number, by id */
    struct shelf *clients, *tailored; /* plans, of a client each */
    struct placements *placements;
    struct users *users; /* accounts, and what lets in */
    struct passwords *passwords;
    struct hub_audit audit;
    struct hub_glass glass[HUB_GLASS]; /* by number */
    uint64_t newest_glass, glass_unseen_lost;
    struct throttle throttle;
    struct hub_local locals[HUB_LOCALS];
    unsigned local_count;
    int64_t looked_ms; /* for passes that hold no more */
    struct mqtt *mqtt;
    struct web *web;
    struct certificate *certificate;                     /* of the page; NULL: no TLS */
    int64_t certificate_looked_ms, certificate_tried_ms; /* hub time */
    int64_t certificate_days;                            /* left of it */
    struct webhook *webhook;                             /* NULL: there is no loop yet */
    struct child *trying;                                /* rules, on recordings */

    uv_loop_t loop;
    uv_async_t wake; /* from Paho's thread: a message after a sleep, or the connection changed */
    uv_mutex_t wake_lock;
    bool wake_closed; /* under the lock: other threads begin before the loop, and outlive it */
    uv_timer_t drain, tick;
    uv_signal_t signals[SIGNALS];
    uv_work_t goodbye;

    bool remembering; /* records of a run before are gone through: nothing is said of them */
    bool stopping;
    bool certificate_ends; /* the page's, within 30 days */
    bool reloading;        /* rooms may have other numbers than the configuration says */
    bool recovering; /* the spool gives what a run before left; perhaps in a child that tries it */
    pid_t pid;
    bool settled; /* old messages were gone through: rules and alarms are as they were stored */
    bool lost;    /* history had no room for the message that is being taken */
    uint64_t acked_from; /* nothing beyond this place is acknowledged; STORE_NONE: see hub_keep() */
    uint64_t let_go;     /* up to here the spool did not wait for store and recorder */
    int64_t heard_ms;    /* of the run before: when it took its last message; 0: not known */
    bool history;        /* it was not suspended when that was last looked at */
    int64_t kept_ms;     /* when hub_keep() last looked */
    int64_t flushed_ms;  /* when the spool last needed its places back */
    unsigned idle_drains;
    int certificate_warned;    /* how often, as its end came nearer */
    unsigned questions;        /* to the store, on their way */
    struct asking *erasing;    /* erase.c: whom nothing refuses any more; NULL: nobody */
    struct changing *changing; /* api/rule_changes.c: being written; NULL: nothing */
    uint64_t questions_refused, reports_refused; /* that found no room */
    uint64_t answers_refused, removals_lost, logins_ended;
    unsigned reports;          /* of sessions, on their way */
    int64_t started_ms;        /* hub time */
    int64_t fed_ms, status_ms; /* when the watchdog was fed and the status told */
    struct log_limit unknown;  /* refusals that no device can be blamed for */
    uint64_t oversize;         /* of mqtt's, as far as it was said */
    struct log_limit too_large;
    struct frame_health health;
    struct hub_clock clock;
    struct hub_drops { /* of the broker */
        bool known;    /* what it said last */
        uint64_t count;
        uint64_t lately; /* since it was last well; */
        int64_t at_ms;   /* the last of them, hub time */
    } drops;
    uint64_t connects; /* of the broker, when all alarms were last told */
    struct flood flood;
    int64_t ticked_ms;
    struct hub_blame {              /* for devices that are silent */
        int64_t since_ms, until_ms; /* 0: not to blame */
    } own_blame, broker_blame;
    struct hub_unstored unstored;
    struct hub_worse {   /* of standing alarms, what is not yet stored of it */
        uint64_t change; /* the first; 0: none */
        int64_t stored_ms;
    } worse;
    uint64_t refused_rows; /* of the store's, as far as it was looked at */
    struct hub_answer answers[HUB_ANSWERS_MAX];
    int64_t amended_ms; /* when something was last said of a session that is over */
};

static inline int64_t hub_now_ms(const struct lumbard *hub)
{
    return clock_mono_ns() / 1000000 + hub->offset_ms;
}

void hub_wake(struct lumbard *hub); /* any thread: the loop has something to do */

/* What people read of a room; "unassigned" where there is none. */
static inline const char *hub_room_title(const struct lumbard *hub, uint32_t room)
{
    return room == ROOM_NONE ? "unassigned" : hub->setup.config->rooms[room - 1].title;
}

/* keep.c: what is kept of a message beyond its time in the spool. */
int hub_open_recorder(struct lumbard *hub, struct diag *diag);
void hub_assign_recorder(struct lumbard *hub); /* rooms and limits as they are configured now */
void hub_record(struct lumbard *hub, const struct ring_record *record,
                const struct ingest_message *message, enum ingest_result result, bool again);
/* After a record was ingested and recorded: its device is not told that it were kept, if it is not.
 */
void hub_miss(struct lumbard *hub, enum ingest_result result);
int hub_open_store(struct lumbard *hub, struct diag *diag);
/* note.c: behind a message that was recorded, what a replay has to know of its time. */
void hub_note(struct lumbard *hub, const struct recorder_message *message,
              const struct device *device);
void hub_note_change(struct lumbard *hub, const struct session *session); /* at once */
/* Before a record is ingested: does history take it, and may rules speak? */
void hub_prepare_record(struct lumbard *hub, const struct ring_record *record, bool again);
void hub_settle(struct lumbard *hub); /* no old messages come any more */
void hub_stop_store(struct lumbard *hub);
/* renew.c: where its file was damaged. */
void hub_renew_store(struct lumbard *hub);
void hub_skip_lost_sessions(struct lumbard *hub);
void hub_hold_bound(struct lumbard *hub, int64_t now_ms); /* bound.c */
void hub_note_taken(struct lumbard *hub, const struct ingest_message *message);
/* backups.c */
void hub_backups_folder(const struct lumbard *hub, char out[PATH_MAX]);
int hub_start_backups(struct lumbard *hub, struct diag *diag);
void hub_assign_backups(struct lumbard *hub); /* how often and how many, as it is configured now */
void hub_keep(struct lumbard *hub);           /* tells the spool what is still needed of it */

/* tell.c: an alarm changed: stored, logged, shown, published. */
/* Says this to the device, QoS 0, not retained; false: not now, for the broker is away or the queue
 * full, or never, for its plugin's topic has no leaf. */
bool hub_tell_device(struct lumbard *hub, const struct device *device, const char *leaf,
                     const uint8_t *payload, size_t bytes);

void hub_tell_alarm(struct lumbard *hub, const struct alarm *alarm);
void hub_take_worse(struct lumbard *hub, const struct alarm *alarm); /* than it was */
void hub_store_worse(struct lumbard *hub, bool now);                 /* or when it is time */
void hub_store_rooms(struct lumbard *hub); /* of alarms that stand, after a reload and a start */
void hub_store_again(struct lumbard *hub); /* what found no room while the disk refused */
struct publish_world hub_publish_world(const struct lumbard *hub);
void hub_publish(struct lumbard *hub); /* what the broker has not been told yet */

/* call.c: who is told outside of the clinic, of what nobody inside has answered. */
int hub_open_webhook(struct lumbard *hub, struct diag *diag);
void hub_call(struct lumbard *hub, const struct alarm *alarm); /* that changed */
void hub_call_again(struct lumbard *hub, uint32_t room); /* of what waits in it; 0: anywhere */

void hub_changing_end(struct lumbard *hub); /* api/rule_changes.c: no loop runs any more */

/* api/rule_trial.c: there is a loop. */
int hub_open_trying(struct lumbard *hub, struct diag *diag);

/* pause.c: rooms that call nobody for a time. */
int hub_load_pauses(struct lumbard *hub, struct diag *diag);
void hub_begin_pause(struct lumbard *hub, uint32_t room, enum pause_kind kind, int64_t until_ms,
                     const char *who);
bool hub_end_pause(struct lumbard *hub, uint32_t room, enum pause_kind kind); /* false: none was */
void hub_store_pauses_again(struct lumbard *hub); /* those that found no room */
void hub_tick_pauses(struct lumbard *hub, int64_t now_ms);
void hub_note_pauses(struct lumbard *hub, const struct alarm *alarm,
                     uint32_t room); /* it changed */

/* place.c: devices that people put into another room than the configuration gives them. */
int hub_open_placements(struct lumbard *hub, struct diag *diag);
int hub_load_placements(struct lumbard *hub, struct diag *diag);
void hub_adopt_placements(struct lumbard *hub);       /* by the configuration as it is now */
void hub_store_placements_again(struct lumbard *hub); /* those that found no room */
/* From now on; ROOM_NONE: in none. Alarms and the part that it has in a session go with it. */
int hub_place(struct lumbard *hub, struct device *device, uint32_t room, const char *who,
              struct diag *diag);

/* api/repeat.c: what was created by a key, so that it is not created twice. */
int hub_load_repeats(struct lumbard *hub, struct diag *diag);
void hub_forget_repeats(struct lumbard *hub, enum repeat_kind kind, uint64_t id); /* it is erased */

/* page.c: the page's port, and its certificate (NULL, and all is well, where there is no TLS). */
int hub_open_page(struct lumbard *hub, struct diag *diag);
int hub_read_certificate(const struct config *config, struct certificate **certificate,
                         struct diag *diag);
void hub_take_certificate(struct lumbard *hub,
                          struct certificate *certificate); /* owned; or NULL */
void hub_tick_certificate(struct lumbard *hub, int64_t now_ms);

/* api/answers.c: what waits for the disk, sent when it is there or refuses; all of it, at the end.
 */
void hub_send_answers(struct lumbard *hub);
void hub_drop_answers(struct lumbard *hub);

/* people.c: clients, and the plans that are theirs, in memory and in the store. */
int hub_load_people(struct lumbard *hub, struct diag *diag);
void hub_store_client(struct lumbard *hub, const struct shelf_entry *client);
void hub_store_plan(struct lumbard *hub, const struct shelf_entry *plan);
void hub_store_people_again(struct lumbard *hub); /* who found no room */
/* A row by its number: noted, and removed later, where there is no room. */
void hub_remove_row(struct lumbard *hub, unsigned table, uint64_t id);
void hub_forget_client(struct lumbard *hub, uint64_t id); /* with the plans */
void hub_drop_client(struct lumbard *hub, uint64_t id);   /* from memory alone */
void hub_forget_plan(struct lumbard *hub, uint64_t id);
/* Puts what is known of a client now in the place of what was; NULL with a complaint. */
const struct shelf_entry *hub_keep_client(struct lumbard *hub, const struct shelf_entry *old,
                                          const struct client *client, struct diag *diag);
int hub_read_client(const struct lumbard *hub, const char *text, struct client *client,
                    struct diag *diag);
int hub_read_plan(const struct lumbard *hub, const char *text, struct plan *plan,
                  struct diag *diag);
/* The client's own plan of this name, or the template. */
int hub_find_plan(struct lumbard *hub, const char *client, const char *name, struct plan *plan,
                  struct diag *diag);

/* accounts.c: people who log in; what its header does not say to the others. */
int hub_load_accounts(struct lumbard *hub, struct diag *diag);
int hub_open_accounts(struct lumbard *hub, struct diag *diag); /* there is a loop */
void hub_store_accounts_again(struct lumbard *hub);            /* what found no room */
void hub_tick_accounts(struct lumbard *hub, int64_t now_ms);   /* logins come to their end */

/* audit.c: who did and saw what; what its header does not say to the others. */
int hub_load_audit(struct lumbard *hub, struct diag *diag);
int hub_load_audit_anchor(struct lumbard *hub, struct diag *diag); /* audit_prune.c */
void hub_prune_audit(struct lumbard *hub);       /* now and then: what is too old */
void hub_store_audit_again(struct lumbard *hub); /* what found no room */
void hub_tick_audit(struct lumbard *hub, int64_t now_ms);

/* audit_clock.c: lines that were told by a wrong clock. One more line says so once the clock was
 * put right, for no line is ever changed. */
int hub_load_told_wrong(struct lumbard *hub, struct diag *diag);
int hub_audit_clock(struct lumbard *hub, struct diag *diag);      /* when all else is loaded */
int64_t hub_audit_off_ms(const struct lumbard *hub, uint64_t id); /* to be added; any thread */

/* api/glass.c */
int hub_load_glass(struct lumbard *hub, struct diag *diag);
void hub_store_glass_again(struct lumbard *hub); /* what found no room */

/* treat.c: sessions, from the configuration and the clock. */
int hub_open_sessions(struct lumbard *hub, struct diag *diag);
int hub_load_sessions(struct lumbard *hub, struct diag *diag); /* as the store has them */
void hub_store_sessions(struct lumbard *hub);                  /* those under way, all of it */
void hub_store_sessions_again(struct lumbard *hub);            /* those that found no room */
void hub_gather_sessions(void *hub); /* for the store: what is accounted of them */
void hub_tick_sessions(struct lumbard *hub, int64_t now_ms);
/* An alarm was raised: if its rule stops phases, the session is paused. And which one of a
 * session's still waits for somebody, so that it may not go on; NULL: none. */
void hub_stop_phase(struct lumbard *hub, const struct alarm *alarm);
const struct alarm *hub_stopped_by(const struct lumbard *hub, const struct session *session);
int64_t hub_own_age_ms(const struct lumbard *hub);         /* own ranges no older count */
struct store_clinic hub_clinic(const struct lumbard *hub); /* what names of a session mean */
uint64_t hub_running_session(const struct lumbard *hub, uint32_t room); /* or paused; 0: none */

/* calibrate.c: neutral postures and tests of range, kept with the client and followed. */
int hub_open_calibration(struct lumbard *hub, struct diag *diag);
int hub_load_calibration(struct lumbard *hub, struct diag *diag); /* after the sessions */
void hub_name_calibration(struct lumbard *hub, const struct session *session); /* it has a client */
void hub_store_calibration_again(struct lumbard *hub); /* what found no room */
void hub_end_calibration(struct lumbard *hub, const struct session *session); /* with it */
void hub_tick_calibration(struct lumbard *hub, int64_t now_ms);

/* wrong_clock.c: a clock that nobody has set yet, and what was told by it. With the store open, and
 * before anything is loaded. */
void hub_take_clock(struct lumbard *hub);

/* health.c: broker, disk, clock, floods: for the page, the log and the retained status. */
void hub_look_at_health(struct lumbard *hub, int64_t now_ms);
void hub_look_for_blame(struct lumbard *hub, int64_t now_ms); /* before alarms may be raised */

void hub_stop(struct lumbard *hub); /* begins the end, as a signal does */

/* reload.c: everything or nothing; a complaint where it is nothing. */
int hub_reload(struct lumbard *hub, struct diag *diag);
/* Every page is told all of it anew. */
int hub_show_anew(struct lumbard *hub, const struct config *config, const struct rules *rules,
                  struct diag *diag);

/* erase.c: of those who were erased, whoever came back: with a backup that was restored, after a
 * crash in the middle, or after the store was begun anew. */
void hub_erase_again(struct lumbard *hub, bool renewed);
void hub_erase_on(struct lumbard *hub); /* one that waited for room in the store, if there is one */
void hub_erase_end(struct lumbard *hub);
bool hub_is_erasing(const struct lumbard *hub, uint64_t client); /* no session may begin */

/* fallback.c: the file's configuration, or, where the hub cannot start with it, the last one that
 * it came up with. */
int hub_load_setup(struct lumbard *hub, struct diag *diag);
void hub_keep_setup(struct lumbard *hub); /* it is up with the file's, by a start or a reload */
/* The file with what the page changed of the rules that count now; returns out, "" where there is
 * none. */
const char *hub_changes_file(const struct lumbard *hub, char out[PATH_MAX]);

/* leave_out.c: plugins that killed the hub. */
void hub_leave_out(struct lumbard *hub); /* those that did so too often, at a start */
void hub_blame_plugin(struct lumbard *hub, const char *topic, size_t topic_bytes);
bool hub_take_back(struct lumbard *hub, const char *kind); /* false: there is none of this kind */

/* Delays and absence, acknowledgements, health, status, watchdog. */
void hub_on_tick(uv_timer_t *timer);

#endif
