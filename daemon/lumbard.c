#include "lumbard.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "core/topic.h"
#include "accounts.h"
#include "api/api.h"
#include "audit.h"
#include "hub.h"
#include "io/child.h"
#include "io/certificate.h"
#include "io/notify.h"

#define DRAIN_MS     3    /* between drains while messages come: a wake-up for each is dear */
#define KEEP_MS      25   /* between two looks at what store, recorder and spool wait for */
#define DRAIN_MOST   512  /* messages a drain, so that timers and sockets get their turn */
#define DRAIN_IDLE   8    /* empty drains before the loop sleeps again */
#define TICK_MS      250  /* delays, acknowledgements, health, watchdog */
#define STOP_MQTT_MS 2000 /* what the broker may take to say goodbye */

static const int signal_numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};

/* ---- the way of a message, second half: what it caused ---- */

static void on_alarm(void *user, const struct alarm *alarm)
{
    hub_tell_alarm(user, alarm);
}

static void on_worse(void *user, const struct alarm *alarm)
{
    hub_take_worse(user, alarm);
}

static void on_overflow(void *user, const struct rule_event *event)
{
    (void)user;
    log_error("alarm %s of device %u waits for a place: %d alarms stand already", event->rule->name,
              event->device, ALARMS_MAX);
}

/* QoS 0: it may not take the room of alarms in the queue, and is asked for again where it matters.
 */
static bool on_command(void *user, const struct device *device, const char *leaf,
                       const uint8_t *command, size_t bytes)
{
    struct lumbard *hub = user;
    _Static_assert(LUMBAR_COMMAND_MAX <= MQTT_OUT_BYTES, "a command has room in the queue");
    return !hub->recovering && hub->mqtt != NULL &&
           hub_tell_device(hub, device, leaf, command, bytes);
}

static void put_into_quarantine(struct lumbard *hub, const struct device *device,
                                const char *reason, const struct ingest_message *message)
{
    char sender[QUARANTINE_SENDER_BYTES] = "";
    if (device != NULL)
        snprintf(sender, sizeof(sender), "%s/%s", device->driver->plugin->kind, device->name);
    quarantine_put(hub->quarantine, &(struct quarantine_entry){
                                        .sender = sender,
                                        .topic = message->topic,
                                        .topic_bytes = message->topic_bytes,
                                        .payload = message->payload,
                                        .payload_bytes = message->payload_bytes,
                                        .reason = reason,
                                        .wall_ms = clock_wall_ms(),
                                    });
}

static void log_refusal(const struct device *device, const char *reason,
                        const struct ingest_message *message, uint64_t count)
{
    char topic[TOPIC_MAX_BYTES + 1];
    snprintf(topic, sizeof(topic), "%.*s", (int)message->topic_bytes, message->topic);
    log_fields(LOG_WARN,
               (const struct log_field[]){
                   {"LUMBAR_TOPIC", topic},
                   {"LUMBAR_KIND", device != NULL ? device->driver->plugin->kind : ""},
                   {"LUMBAR_DEVICE", device != NULL ? device->name : ""},
                   {NULL, NULL}},
               "message on %s refused: %s (%llu of them)", topic, reason,
               (unsigned long long)count);
}

/* Counted by ingest; here it is said, once a minute for a device and reason, and kept. */
static void on_refused(void *user, struct device *device, enum refusal refusal, const char *reason,
                       const struct ingest_message *message)
{
    struct lumbard *hub = user;
    if (hub->remembering)
        return;
    struct log_limit *limit = device != NULL ? &device->complaint[refusal] : &hub->unknown;
    uint64_t count = log_limit_hit(limit, hub_now_ms(hub));
    if (count > 0)
        log_refusal(device, reason, message, count);
    if (refusal == REFUSED_MALFORMED)
        put_into_quarantine(hub, device, reason, message);
}

/* ---- the way of a message, first half: broker, spool, ingest ---- */

/* Paho's thread. What is kept here survives a kill, so it may be acknowledged. */
static bool on_message(void *user, const char *topic, size_t topic_bytes, const void *payload,
                       size_t payload_bytes, int qos)
{
    struct lumbard *hub = user;
    return spool_put(hub->spool, topic, topic_bytes, payload, payload_bytes, qos, clock_wall_ms(),
                     clock_mono_ns());
}

/* Any thread. */
void hub_wake(struct lumbard *hub)
{
    uv_mutex_lock(&hub->wake_lock);
    if (!hub->wake_closed)
        uv_async_send(&hub->wake);
    uv_mutex_unlock(&hub->wake_lock);
}

static void on_wake_wanted(void *user)
{
    hub_wake(user);
}

/* Of a boot before, only the wall clock tells when it came; and where a power cut has set the clock
 * back (a machine without a battery for it), it seems to come from the future: it came just now. */
static struct ingest_message message_of(const struct lumbard *hub, const struct ring_record *record,
                                        int64_t now_ms)
{
    bool mono_counts = spool_mono_counts(hub->spool, record);
    int64_t came_ms = mono_counts ? record->mono_ns / 1000000 + hub->offset_ms : record->wall_ms;
    struct ingest_message message = {
        .topic = ring_topic(record),
        .topic_bytes = record->topic_bytes,
        .payload = ring_payload(record),
        .payload_bytes = record->payload_bytes,
        .received_ms = came_ms < now_ms ? came_ms : now_ms,
        .position = record->position,
    };
    return message;
}

static enum ring_outcome on_record(void *user, const struct ring_record *record, bool again)
{
    struct lumbard *hub = user;
    const int64_t now_ms = hub_now_ms(hub);
    struct ingest_message message = message_of(hub, record, now_ms);
    message.used = again && atomic_load(&record->outcome) == RING_USED;
    hub->remembering = again;
    if (again && message.received_ms > hub->heard_ms)
        hub->heard_ms = message.received_ms;
    hub_prepare_record(hub, record, again);
    if (!hub->ingest.quiet) /* it is not in the store already */
        store_heard(hub->store, message.received_ms);
    if (hub->taken.until_ms != 0 && !hub->ingest.quiet)
        hub_note_taken(hub, &message);
    enum ingest_result result =
        ingest_take(&hub->ingest, &message, again ? message.received_ms : now_ms);
    hub_miss(hub, result);
    if (!again && hub->web != NULL && hub->ingest.heard != NULL)
        web_heard(hub->web, hub->ingest.heard->room, (int64_t)record->mono_ns);
    hub_record(hub, record, &message, result, again);
    if (hub->ingest.held)
        spool_held(hub->spool);
    switch (result) {
    case INGEST_USED:
        return RING_USED;
    case INGEST_REPEATED:
        return RING_REPEATED;
    default:
        return RING_REFUSED;
    }
}

static void on_drain(uv_timer_t *timer)
{
    struct lumbard *hub = timer->data;
    if (!store_can_take(hub->store, hub_now_ms(hub))) {
        hub_keep(hub); /* a batch is full, and the one before on its way to the disk */
        return;
    }
    if (spool_drain(hub->spool, DRAIN_MOST, on_record, hub) > 0) {
        hub->idle_drains = 0;
        if (hub_now_ms(hub) - hub->kept_ms >= KEEP_MS)
            hub_keep(hub);
        web_news(hub->web);
    } else if (++hub->idle_drains >= DRAIN_IDLE && spool_doze(hub->spool)) {
        uv_timer_stop(timer);
    }
}

static void on_wake(uv_async_t *async)
{
    struct lumbard *hub = async->data;
    if (uv_is_closing((uv_handle_t *)&hub->drain))
        return;
    hub->idle_drains = 0;
    if (!uv_is_active((uv_handle_t *)&hub->drain))
        uv_timer_start(&hub->drain, on_drain, DRAIN_MS, DRAIN_MS);
    on_drain(&hub->drain);
    hub_keep(hub); /* it may be the store that woke us: answers wait for it */
}

static bool is_condemned(void *user, const struct ingest_message *message)
{
    const struct lumbard *hub = user;
    return quarantine_is_condemned(hub->quarantine, message->topic, message->topic_bytes,
                                   message->payload, message->payload_bytes);
}

/* Where none is known, as nearly always, no message is looked up. */
static void look_out_for_condemned(struct lumbard *hub)
{
    hub->ingest.is_condemned = quarantine_condemned(hub->quarantine) > 0 ? is_condemned : NULL;
}

/* A message whose decoding killed the hub. It was acknowledged to the broker and not to its device,
 * which sends it again. */
static void on_poisonous(void *user, const struct ring_record *record)
{
    struct lumbard *hub = user;
    log_error("message on %.*s killed the hub when it was decoded; it is in quarantine",
              (int)record->topic_bytes, ring_topic(record));
    quarantine_condemn(hub->quarantine, &(struct quarantine_entry){
                                            .sender = "",
                                            .topic = ring_topic(record),
                                            .topic_bytes = record->topic_bytes,
                                            .payload = ring_payload(record),
                                            .payload_bytes = record->payload_bytes,
                                            .reason = "its decoding killed the hub",
                                            .wall_ms = record->wall_ms,
                                        });
    look_out_for_condemned(hub);
    hub_blame_plugin(hub, ring_topic(record), record->topic_bytes);
}

/* ---- stop ---- */

static void say_goodbye(uv_work_t *work)
{
    struct lumbard *hub = work->data;
    mqtt_stop(hub->mqtt, STOP_MQTT_MS);
}

static void close_handles(struct lumbard *hub)
{
    uv_mutex_lock(&hub->wake_lock);
    hub->wake_closed = true;
    uv_mutex_unlock(&hub->wake_lock);
    uv_close((uv_handle_t *)&hub->wake, NULL);
    uv_close((uv_handle_t *)&hub->drain, NULL);
    uv_close((uv_handle_t *)&hub->tick, NULL);
    if (hub->webhook != NULL)
        webhook_stop(hub->webhook);
    for (unsigned i = 0; i < SIGNALS; i++) {
        uv_close((uv_handle_t *)&hub->signals[i], NULL);
        signal(signal_numbers[i], SIG_IGN); /* a second SIGTERM must not cut the end short */
    }
}

/* The broker is gone: what came meanwhile is drained, then every handle is closed. */
static void after_goodbye(uv_work_t *work, int status)
{
    struct lumbard *hub = work->data;
    (void)status;
    while (spool_drain(hub->spool, DRAIN_MOST, on_record, hub) > 0)
        ;
    backup_stop(hub->backup);
    spool_stop(hub->spool);
    recorder_stop(hub->recorder); /* after: its blocks may not go beyond the spool's copy */
    hub_store_worse(hub, true);
    hub_log_audit_head(hub);
    hub_stop_store(hub);
    hub_drop_answers(hub);
    passwords_stop(hub->passwords);
    child_stop(hub->trying);
    web_stop(hub->web, "the hub stops");
    close_handles(hub);
}

/* The loop goes on draining while the broker is told, so that no producer waits for room. */
void hub_stop(struct lumbard *hub)
{
    if (hub->stopping)
        return;
    hub->stopping = true;
    log_notice("stopping");
    notify_send("STOPPING=1");
    hub->goodbye.data = hub;
    uv_queue_work(&hub->loop, &hub->goodbye, say_goodbye, after_goodbye);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct lumbard *hub = handle->data;
    if (number == SIGHUP && !hub->stopping)
        hub_reload(hub, &(struct diag){0});
    else if (number != SIGHUP)
        hub_stop(hub);
}

/* ---- start, in order ---- */

static int open_loop(struct lumbard *hub, struct diag *diag)
{
    if (uv_loop_init(&hub->loop) != 0)
        return diag_set(diag, ERR_IO, "no event loop could be made");
    signal(SIGPIPE, SIG_IGN);
    uv_async_init(&hub->loop, &hub->wake, on_wake);
    uv_mutex_lock(&hub->wake_lock);
    hub->wake_closed = false;
    uv_mutex_unlock(&hub->wake_lock);
    uv_timer_init(&hub->loop, &hub->drain);
    uv_timer_init(&hub->loop, &hub->tick);
    hub->wake.data = hub->drain.data = hub->tick.data = hub;
    for (unsigned i = 0; i < SIGNALS; i++) {
        uv_signal_init(&hub->loop, &hub->signals[i]);
        hub->signals[i].data = hub;
        uv_signal_start(&hub->signals[i], on_signal, signal_numbers[i]);
    }
    return 0;
}

static int open_core(struct lumbard *hub, struct diag *diag)
{
    struct config *config = hub->setup.config;
    hub->ingest = (struct ingest){
        .config = config,
        .drivers = &hub->setup.drivers,
        .derive = hub->setup.derive,
        .rules = hub->setup.rules,
        .devices =
            devices_create((uint32_t)config->devices.max, (uint32_t)config->devices.rate_per_s),
        .routes = routes_create((uint32_t)config->devices.max),
        .alarms = alarms_create(),
        .suppressions = &hub->suppressions,
        .pauses = &hub->pauses,
        .feed = feed_create((size_t)config->feed.size_bytes),
        .user = hub,
        .on_alarm = on_alarm,
        .on_worse = on_worse,
        .on_overflow = on_overflow,
        .on_refused = on_refused,
        .on_command = on_command,
    };
    if (hub->ingest.devices == NULL || hub->ingest.routes == NULL || hub->ingest.alarms == NULL ||
        hub->ingest.feed == NULL)
        return diag_set(diag, ERR_MEMORY, "out of memory for devices, alarms or feed");
    int code = hub_open_sessions(hub, diag);
    if (code == 0)
        code = hub_open_placements(hub, diag);
    if (code != 0)
        return code;
    struct diag assign = {0};
    if (ingest_assign(&hub->ingest, &assign) != 0)
        log_warn("%s", assign.text);
    uint64_t instance = 0;
    if (getrandom(&instance, sizeof(instance), 0) != (ssize_t)sizeof(instance))
        instance = (uint64_t)clock_mono_ns();
    hub->publisher = publisher_create();
    if (hub->publisher == NULL)
        return diag_set(diag, ERR_MEMORY, "out of memory for what the broker is told");
    hub->frame = frame_create(&(struct frame_world){.config = config,
                                                    .drivers = &hub->setup.drivers,
                                                    .devices = hub->ingest.devices,
                                                    .rules = hub->setup.rules,
                                                    .alarms = hub->ingest.alarms,
                                                    .feed = hub->ingest.feed,
                                                    .sessions = hub->ingest.sessions,
                                                    .calibration = hub->ingest.calibration,
                                                    .suppressions = &hub->suppressions,
                                                    .pauses = &hub->pauses},
                              instance);
    return hub->frame != NULL ? 0 : diag_set(diag, ERR_MEMORY, "out of memory for frames");
}

static int open_spool(struct lumbard *hub, struct diag *diag)
{
    const struct config *config = hub->setup.config;
    struct spool_options options = {
        .ring_file = config->spool.ring,
        .copy_file = config->spool.copy,
        .size_bytes = (size_t)config->spool.size_bytes,
        .sync_ms = config->spool.sync_ms,
        .held_ms = config->spool.held_ms,
        .patience_ms = config->spool.patience_ms,
    };
    int code = spool_open(&hub->spool, &options, diag);
    if (code == 0)
        code = quarantine_open(&hub->quarantine, config->quarantine.file,
                               (size_t)config->quarantine.size_bytes, diag);
    if (code == 0)
        look_out_for_condemned(hub);
    if (code == 0)
        code = hub_open_recorder(hub, diag);
    if (code == 0)
        code = hub_open_store(hub, diag);
    hub->recovering = true;
    if (code == 0)
        code = spool_recover(hub->spool, on_record, hub, on_poisonous, diag);
    if (code == 0)
        hub_settle(hub);
    if (code == 0) {
        struct publish_world world = hub_publish_world(hub);
        publisher_begin(hub->publisher, &world);
        hub_store_rooms(hub);
    }
    hub->recovering = hub->remembering = hub->ingest.quiet = false;
    hub->ingest.messages = hub->ingest.refused = 0; /* counted from the start on */
    if (hub->heard_ms != 0)
        devices_set_away(hub->ingest.devices, hub_now_ms(hub) - hub->heard_ms);
    return code;
}

/* What to subscribe to: each leaf of each plugin. */
static unsigned write_filters(const struct drivers *drivers,
                              char filters[MQTT_FILTERS_MAX][MQTT_FILTER_BYTES])
{
    _Static_assert(MQTT_FILTERS_MAX >= DRIVERS_FILTERS_MAX && MQTT_FILTER_BYTES > TOPIC_MAX_BYTES,
                   "what plugins may hear can be subscribed to");
    unsigned count = 0;
    for (uint32_t i = 0; i < drivers->count; i++) {
        const struct lumbar_plugin *plugin = drivers->list[i].plugin;
        for (const char *const *leaf = plugin->leaves; *leaf != NULL; leaf++)
            topic_filter(plugin->topic, *leaf, filters[count++], MQTT_FILTER_BYTES);
    }
    return count;
}

static int open_mqtt(struct lumbard *hub, struct diag *diag)
{
    char password[SETUP_PASSWORD_BYTES];
    char filters[MQTT_FILTERS_MAX][MQTT_FILTER_BYTES];
    struct mqtt_options options;
    int code = setup_broker(hub->setup.config, &options, password, diag);
    if (code == 0) {
        options.filters = (const char(*)[MQTT_FILTER_BYTES])filters;
        options.filter_count = write_filters(&hub->setup.drivers, filters);
        code = mqtt_create(&hub->mqtt, &options, on_message, on_wake_wanted, hub, diag);
    }
    explicit_bzero(password, sizeof(password));
    return code;
}

/* From here on other threads run. */
static int go(struct lumbard *hub, struct diag *diag)
{
    hub_keep(hub);
    int code = spool_start(hub->spool, on_wake_wanted, hub, diag);
    if (code == 0)
        code = hub_start_backups(hub, diag);
    if (code == 0)
        code = mqtt_start(hub->mqtt, diag);
    if (code != 0)
        return code;
    hub->health.disk = true;
    uv_timer_start(&hub->drain, on_drain, DRAIN_MS, DRAIN_MS);
    uv_timer_start(&hub->tick, hub_on_tick, 0, TICK_MS);
    hub_call_again(hub, 0);
    log_notice("listening on http%s://%s:%d/", hub->certificate != NULL ? "s" : "",
               hub->setup.config->web.listen, web_port(hub->web));
    notify_send("READY=1\nSTATUS=waiting for the broker");
    if (hub->kept.complaint[0] == '\0')
        hub_keep_setup(hub);
    memory_give_back();
    return 0;
}

static int start(struct lumbard *hub, struct diag *diag)
{
    int code = hub_load_setup(hub, diag);
    if (code == 0)
        hub_leave_out(hub);
    if (code == 0)
        code = open_core(hub, diag);
    if (code == 0)
        code = open_spool(hub, diag);
    if (code == 0)
        code = open_loop(hub, diag);
    if (code == 0)
        code = hub_open_webhook(hub, diag);
    if (code == 0)
        code = hub_open_accounts(hub, diag);
    if (code == 0)
        code = hub_open_trying(hub, diag);
    if (code == 0)
        code = hub_open_page(hub, diag);
    if (code == 0)
        code = open_mqtt(hub, diag);
    return code == 0 ? go(hub, diag) : code;
}

/* Ends what a failed start has begun, as a stop would. */
static void undo_start(struct lumbard *hub)
{
    if (hub->spool != NULL)
        spool_stop(hub->spool);
    backup_stop(hub->backup);
    recorder_stop(hub->recorder);
    if (hub->store != NULL)
        hub_stop_store(hub);
    if (hub->web != NULL)
        web_stop(hub->web, "the hub could not start");
    if (!hub->wake_closed)
        close_handles(hub);
}

/* Runs it to its end, and proves that nothing is left in it. */
static int run_loop(struct lumbard *hub, struct diag *diag)
{
    uv_run(&hub->loop, UV_RUN_DEFAULT);
    web_destroy(hub->web);
    hub->web = NULL;
    if (uv_loop_close(&hub->loop) == 0)
        return 0;
    log_error("the loop was not empty at the end");
    uv_print_all_handles(&hub->loop, stderr);
    return diag_set(diag, ERR_CONFLICT, "the loop was not empty at the end");
}

/* Everything that start() opened and the loop did not close; the order is the reverse. */
static void release(struct lumbard *hub)
{
    mqtt_destroy(hub->mqtt);
    hub_erase_end(hub);
    hub_changing_end(hub);
    web_destroy(hub->web);
    certificate_destroy(hub->certificate);
    webhook_destroy(hub->webhook);
    child_destroy(hub->trying);
    spool_close(hub->spool);
    recorder_close(hub->recorder);
    free(hub->noted_devices);
    backup_destroy(hub->backup);
    rebuild_destroy(hub->rebuild);
    free(hub->taken.sums);
    store_close(hub->store);
    heard_list_destroy(hub->heard);
    quarantine_close(hub->quarantine);
    frame_destroy(hub->frame);
    publisher_destroy(hub->publisher);
    passwords_destroy(hub->passwords);
    placements_destroy(hub->placements);
    users_destroy(hub->users);
    shelf_destroy(hub->tailored);
    shelf_destroy(hub->clients);
    calibration_destroy(hub->ingest.calibration);
    sessions_destroy(hub->ingest.sessions);
    feed_destroy(hub->ingest.feed);
    alarms_destroy(hub->ingest.alarms);
    routes_destroy(hub->ingest.routes);
    devices_destroy(hub->ingest.devices);
    setup_fini(&hub->setup);
}

static int run_once(struct lumbard *hub, const struct lumbard_options *options, struct diag *diag)
{
    memset(hub, 0, sizeof(*hub));
    memory_forget(hub, sizeof(*hub)); /* most of its tables are never filled */
    hub->options = options;
    hub->offset_ms = clock_hub_offset_ms();
    hub->pid = getpid();
    hub->wake_closed = true; /* until there is a loop */
    if (uv_mutex_init(&hub->wake_lock) != 0)
        return diag_set(diag, ERR_MEMORY, "no lock could be made");
    hub->started_ms = hub_now_ms(hub);
    int code = start(hub, diag), ended = 0;
    bool has_loop = !hub->wake_closed;
    if (code != 0)
        undo_start(hub);
    if (has_loop)
        ended = run_loop(hub, diag);
    release(hub);
    if (code == 0)
        log_notice("stopped");
    return code != 0 ? code : ended;
}

int lumbard_run(const struct lumbard_options *options, struct diag *diag)
{
    static struct lumbard hub; /* large, and needed to the end: Paho's threads point to it */
    int code = run_once(&hub, options, diag);
    /* The store was found to be damaged half-way, and was begun anew: nobody was told of anything
     * yet, and no thread of others runs. */
    for (int again = 0; code == ERR_AGAIN && again < 3; again++) {
        *diag = (struct diag){.code = 0};
        code = run_once(&hub, options, diag);
    }
    return code;
}
