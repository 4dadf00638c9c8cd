/* What a monitor asks of each bound of memory and each queue: what it holds, what it may hold, and
 * how often something found no room. One family each, so that a new bound is in every dashboard. */
#include "api/api.h"

#include <stdio.h>

#include "accounts.h"
#include "core/prometheus.h"
#include "io/child.h"
#include "io/password.h"
#include "io/store_rows.h"

struct held {
    double used, size, overflow;
};

static struct held hold_ring(const struct lumbard *hub)
{
    struct spool_stats spool;
    spool_stats(hub->spool, &spool);
    return (struct held){(double)spool.used_bytes, (double)spool.size_bytes,
                         (double)(spool.dropped + spool.waited)};
}

static struct held hold_broker_queue(const struct lumbard *hub)
{
    struct mqtt_state broker;
    mqtt_state(hub->mqtt, &broker);
    return (struct held){broker.waiting, MQTT_OUT_MAX, (double)broker.refused};
}

static struct held hold_devices(const struct lumbard *hub)
{
    const struct devices *devices = hub->ingest.devices;
    return (struct held){devices_count(devices), (double)hub->setup.config->devices.max,
                         (double)devices_refused(devices)};
}

static struct held hold_feed(const struct lumbard *hub)
{
    struct web_stats web;
    web_stats(hub->web, &web);
    return (struct held){(double)(feed_head(hub->ingest.feed) - feed_tail(hub->ingest.feed)),
                         (double)hub->setup.config->feed.size_bytes, (double)web.skipped};
}

static struct held hold_alarms(const struct lumbard *hub)
{
    const struct alarms *alarms = hub->ingest.alarms;
    unsigned used = 0;
    for (const struct alarm *at = NULL; (at = alarms_next(alarms, at)) != NULL;)
        used += at->state != STATE_OFF || at->shelved_until_ms != 0;
    return (struct held){used, ALARMS_MAX, (double)alarms_overflow(alarms)};
}

static struct held hold_causes(const struct lumbard *hub)
{
    const struct alarms *alarms = hub->ingest.alarms;
    return (struct held){alarms_causes(alarms), ALARMS_CAUSES_MAX,
                         (double)alarms_causes_lost(alarms)};
}

static struct held hold_suppressed(const struct lumbard *hub)
{
    return (struct held){hub->suppressions.count, SUPPRESSED_MAX, (double)hub->suppressions.lost};
}

static struct held hold_history(const struct lumbard *hub)
{
    struct store_stats store;
    store_stats(hub->store, &store);
    return (struct held){store.held_blocks, store.most_blocks, (double)store.lost};
}

static struct held hold_rows(const struct lumbard *hub)
{
    struct store_stats store;
    store_stats(hub->store, &store);
    return (struct held){(double)store.held_row_bytes, STORE_ROWS_BYTES,
                         (double)store_refused_rows(hub->store)};
}

static struct held hold_recorder(const struct lumbard *hub)
{
    struct recorder_stats recorder;
    recorder_stats(hub->recorder, &recorder);
    return (struct held){recorder.held_blocks, recorder.most_blocks, (double)recorder.lost};
}

static struct held hold_tracks(const struct lumbard *hub)
{
    struct recorder_stats recorder;
    recorder_stats(hub->recorder, &recorder);
    return (struct held){recorder.tracks, recorder.most_tracks, (double)recorder.tracks_refused};
}

static struct held hold_quarantine(const struct lumbard *hub)
{
    struct quarantine_room room;
    quarantine_room(hub->quarantine, &room);
    return (struct held){(double)room.bytes, (double)room.size, (double)room.pushed_out};
}

static struct held hold_condemned(const struct lumbard *hub)
{
    struct quarantine_room room;
    quarantine_room(hub->quarantine, &room);
    return (struct held){(double)room.condemned, QUARANTINE_CONDEMNED_MAX, (double)room.forgotten};
}

static struct held hold_webhook(const struct lumbard *hub)
{
    struct webhook_stats webhook;
    webhook_stats(hub->webhook, &webhook);
    return (struct held){webhook.waiting, WEBHOOK_POSTS, (double)webhook.dropped};
}

static struct held hold_connections(const struct lumbard *hub)
{
    struct web_stats web;
    web_stats(hub->web, &web);
    return (struct held){web.clients, (double)hub->setup.config->web.clients, (double)web.refused};
}

static struct held hold_questions(const struct lumbard *hub)
{
    return (struct held){hub->questions, API_QUESTIONS_MOST, (double)hub->questions_refused};
}

static struct held hold_reports(const struct lumbard *hub)
{
    return (struct held){hub->reports, API_REPORTS_MOST, (double)hub->reports_refused};
}

static struct held hold_answers(const struct lumbard *hub)
{
    unsigned used = 0;
    for (unsigned i = 0; i < HUB_ANSWERS_MAX; i++)
        used += hub->answers[i].ticket != 0;
    return (struct held){used, HUB_ANSWERS_MAX, (double)hub->answers_refused};
}

static struct held hold_passwords(const struct lumbard *hub)
{
    struct password_stats passwords;
    passwords_stats(hub->passwords, &passwords);
    return (struct held){passwords.held, PASSWORD_AT_ONCE + PASSWORD_WAITING,
                         (double)passwords.refused};
}

static struct held hold_accounts(const struct lumbard *hub)
{
    struct users_stats users;
    users_stats(hub->users, &users);
    return (struct held){users.users, USERS_MAX, (double)users.users_refused};
}

static struct held hold_passes(const struct lumbard *hub)
{
    struct users_stats users;
    users_stats(hub->users, &users);
    return (struct held){users.passes, USERS_PASSES_MAX, (double)users.passes_refused};
}

static struct held hold_logins(const struct lumbard *hub)
{
    return (struct held){hub_most_logins(hub), HUB_LOGINS_MAX, (double)hub->logins_ended};
}

static struct held hold_glass(const struct lumbard *hub)
{
    unsigned unseen = 0;
    for (unsigned i = 0; i < HUB_GLASS; i++)
        unseen += hub->glass[i].id != 0 && hub->glass[i].seen_ms == 0;
    return (struct held){unseen, HUB_GLASS, (double)hub->glass_unseen_lost};
}

static struct held hold_notes(const struct lumbard *hub)
{
    struct sessions_held most;
    sessions_held(hub->ingest.sessions, &most);
    return (struct held){most.notes, SESSION_NOTES_MAX, (double)most.notes_refused};
}

static struct held hold_assignments(const struct lumbard *hub)
{
    struct sessions_held most;
    sessions_held(hub->ingest.sessions, &most);
    return (struct held){most.devices, SESSION_DEVICES_MAX, (double)most.devices_refused};
}

static struct held hold_missed(const struct lumbard *hub)
{
    struct devices_missed missed;
    devices_missed(hub->ingest.devices, &missed);
    return (struct held){missed.most, DEVICE_MISSED_MAX, (double)missed.given_up};
}

static struct held hold_trials(const struct lumbard *hub)
{
    struct child_stats trials;
    child_stats(hub->trying, &trials);
    return (struct held){trials.held, 1 + CHILD_WAITING, (double)trials.refused};
}

static struct held hold_clients(const struct lumbard *hub)
{
    return (struct held){shelf_count(hub->clients), HUB_CLIENTS_MAX,
                         (double)shelf_refused(hub->clients)};
}

static struct held hold_plans(const struct lumbard *hub)
{
    return (struct held){shelf_count(hub->tailored), HUB_CLIENTS_MAX,
                         (double)shelf_refused(hub->tailored)};
}

static struct held hold_keys(const struct lumbard *hub)
{
    return (struct held){repeats_held(&hub->repeats, hub_now_ms(hub)), REPEATS_MAX,
                         (double)hub->repeats.lost};
}

static struct held hold_trail(const struct lumbard *hub)
{
    return (struct held){hub->audit.waiting, HUB_AUDIT_WAITING, (double)hub->audit.lost};
}

static struct held hold_removals(const struct lumbard *hub)
{
    return (struct held){hub->unstored.removal_count, HUB_REMOVALS_MAX, (double)hub->removals_lost};
}

/* In bytes or in pieces, as lumbard(8) says of each what happens when it is full. */
static const struct bound {
    const char *name;
    struct held (*hold)(const struct lumbard *hub);
} bounds[] = {
    {"spool", hold_ring},
    {"broker_queue", hold_broker_queue},
    {"devices", hold_devices},
    {"feed", hold_feed},
    {"alarms", hold_alarms},
    {"causes", hold_causes},
    {"suppressed", hold_suppressed},
    {"history_blocks", hold_history},
    {"store_rows", hold_rows},
    {"recorder_blocks", hold_recorder},
    {"recorder_tracks", hold_tracks},
    {"quarantine", hold_quarantine},
    {"condemned", hold_condemned},
    {"webhook_calls", hold_webhook},
    {"connections", hold_connections},
    {"questions", hold_questions},
    {"reports", hold_reports},
    {"answers", hold_answers},
    {"passwords", hold_passwords},
    {"clients", hold_clients},
    {"plans", hold_plans},
    {"keys", hold_keys},
    {"accounts", hold_accounts},
    {"passes", hold_passes},
    {"audit_lines", hold_trail},
    {"removals", hold_removals},
    {"trials", hold_trials},
    /* of the one that holds most */
    {"logins", hold_logins},
    {"glass", hold_glass},
    {"session_notes", hold_notes},
    {"session_devices", hold_assignments},
    {"device_missed", hold_missed},
};

#define BOUNDS (sizeof(bounds) / sizeof(bounds[0]))

void hub_put_bounds(FILE *out, const struct lumbard *hub)
{
    static const struct {
        const char *name, *help;
        enum prometheus_kind kind;
        size_t offset;
    } families[] = {
        {"lumbar_bound_used", "What each bound of memory and each queue holds.", PROMETHEUS_GAUGE,
         offsetof(struct held, used)},
        {"lumbar_bound_size", "What it may hold.", PROMETHEUS_GAUGE, offsetof(struct held, size)},
        {"lumbar_bound_overflow_total", "How often something found no room in it.",
         PROMETHEUS_COUNTER, offsetof(struct held, overflow)},
    };
    struct held held[BOUNDS];
    for (size_t i = 0; i < BOUNDS; i++)
        held[i] = bounds[i].hold(hub);
    for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
        prometheus_family(out, families[f].name, families[f].kind, families[f].help);
        for (size_t i = 0; i < BOUNDS; i++)
            prometheus_sample(out, families[f].name,
                              *(const double *)((const char *)&held[i] + families[f].offset),
                              (const char *const[]){"bound", bounds[i].name, NULL});
    }
}
