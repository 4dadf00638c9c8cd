/* Calibrations: kept in the store and with the client, and ended with the session. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "hub.h"
#include "io/store_rows.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* As many of the newest rows are looked through for zeros that hold. */
#define LOOKED_THROUGH "SELECT max(id) - 2000 FROM calibration"

static const struct device *device_at(const struct lumbard *hub, uint32_t id)
{
    return devices_at(hub->ingest.devices, id);
}

static const char *metric_name(const struct device *device, uint32_t metric)
{
    return device->driver->metrics[metric].name;
}

/* ---- into the store ---- */

struct row {
    uint64_t number, session;
    const char *kind, *metric;
    int64_t at_ms, expires_ms;
};

/* The number of the session's client; NULL for one who is not known. */
static struct store_value client_value(const struct lumbard *hub, uint64_t session)
{
    const struct session *of = sessions_find(hub->ingest.sessions, session);
    const struct shelf_entry *entry = of != NULL && of->client.name[0] != '\0'
                                          ? shelf_find(hub->clients, 0, of->client.name)
                                          : NULL;
    return entry != NULL ? store_int((int64_t)entry->id) : store_null();
}

/* Takes the body. */
static void put_row(struct lumbard *hub, const struct device *device, const struct row *row,
                    json_t *body)
{
    char name[LUMBAR_NAME_MAX + 1 + DEVICE_NAME_BYTES];
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    snprintf(name, sizeof(name), "%s/%s", device->driver->plugin->kind, device->name);
    const struct store_value values[] = {
        store_int((int64_t)row->number),
        client_value(hub, row->session),
        row->session != 0 ? store_int((int64_t)row->session) : store_null(),
        store_text(row->kind),
        store_text(name),
        store_text(row->metric),
        store_int(row->at_ms),
        store_int(row->expires_ms),
        store_text(text != NULL ? text : "{}"),
    };
    if (!store_put(hub->store, STORE_CALIBRATION, values, COUNT(values)))
        hub->unstored.calibration = true;
    free(text);
    json_decref(body);
}

static void store_zero(struct lumbard *hub, const struct device *device,
                       const struct neutral_zero *zero)
{
    json_t *zeros = json_object(), *body = json_pack("{s:o}", "zeros", zeros);
    for (uint32_t a = 0; a < zero->count; a++)
        json_object_set_new(zeros, metric_name(device, zero->angles[a].metric),
                            json_real(zero->angles[a].deg));
    if (zero->has_boot) /* of 64 bits: more than a number of JSON can be sure of */
        json_object_set_new(body, "boot",
                            json_sprintf("%016llx", (unsigned long long)zero->boot_id));
    put_row(
        hub, device,
        &(struct row){zero->number, zero->session, "neutral", "", zero->taken_ms, zero->expires_ms},
        body);
}

static void store_range(struct lumbard *hub, const struct device *device,
                        const struct range_test *test, const struct range_result *result)
{
    json_t *peaks = json_array();
    for (uint32_t i = 0; i < test->count; i++)
        json_array_append_new(peaks, json_real(test->peaks[i]));
    json_t *body =
        json_pack("{s:i, s:f, s:f, s:o, s:o}", "direction", test->direction, "best", result->best,
                  "mean", result->mean, "spread",
                  isnan(result->spread) ? json_null() : json_real(result->spread), "peaks", peaks);
    put_row(hub, device,
            &(struct row){test->number, test->session, "range", metric_name(device, test->metric),
                          result->measured_ms, result->measured_ms + hub_own_age_ms(hub)},
            body);
}

/* ---- what follows from it ---- */

/* The best repetition is the person's own range to that side. */
static struct client_own own_of(const struct device *device, const struct range_test *test,
                                const struct range_result *result)
{
    const struct lumbar_metric *metric = &device->driver->metrics[test->metric];
    double end = fmin(fmax(result->best * test->direction, metric->min), metric->max);
    return (struct client_own){.metric = device->driver->first_metric + test->metric,
                               .low = test->direction < 0 ? end : NAN,
                               .high = test->direction > 0 ? end : NAN,
                               .measured_ms = result->measured_ms};
}

/* For sessions to come: it is kept with what is known of the client. */
static void keep_own(struct lumbard *hub, const struct session *session,
                     const struct client_own *own)
{
    const struct shelf_entry *entry =
        session->client.name[0] != '\0' ? shelf_find(hub->clients, 0, session->client.name) : NULL;
    struct client client;
    struct diag diag = {0};
    if (entry == NULL)
        return;
    if (hub_read_client(hub, entry->text, &client, &diag) != 0 || client_learn(&client, own) != 0 ||
        hub_keep_client(hub, entry, &client, &diag) == NULL)
        log_error("session %llu: the range of motion cannot be kept with the client: %s",
                  (unsigned long long)session->id,
                  diag.code != 0 ? diag.text : "too much was measured already");
}

/* Limits of the session follow at once. */
static void learn_range(struct lumbard *hub, const struct device *device,
                        const struct range_test *test, const struct range_result *result)
{
    const struct client_own own = own_of(device, test, result);
    const struct session *session = sessions_find(hub->ingest.sessions, test->session);
    if (session == NULL)
        return;
    sessions_learn(hub->ingest.sessions, session->id, &own, hub_own_age_ms(hub), hub_now_ms(hub));
    keep_own(hub, session, &own);
}

static void on_range(struct lumbard *hub, const struct device *device)
{
    const struct range_test *test = calibration_range(hub->ingest.calibration, device->id);
    struct range_result result;
    if (!calibration_range_result(test, &result))
        return;
    log_notice("%s: range of %s tested with %u repetitions", device->name,
               metric_name(device, test->metric), result.count);
    store_range(hub, device, test, &result);
    learn_range(hub, device, test, &result);
}

static void on_news(void *user, uint32_t id, enum calibration_news news)
{
    struct lumbard *hub = user;
    const struct device *device = device_at(hub, id);
    const struct neutral *neutral = calibration_neutral(hub->ingest.calibration, id);
    if (news == NEUTRAL_TAKEN || news == NEUTRAL_ENDED)
        store_zero(hub, device, &neutral->zero);
    if (news == NEUTRAL_ENDED && neutral->reason[0] != '\0')
        log_notice("%s: its neutral posture holds no longer: %s", device->name, neutral->reason);
    if (news == RANGE_DONE)
        on_range(hub, device);
    if (hub->web != NULL)
        web_alarm(hub->web); /* shown at once */
}

int hub_open_calibration(struct lumbard *hub, struct diag *diag)
{
    hub->ingest.calibration =
        calibration_create((uint32_t)hub->setup.config->devices.max, on_news, hub);
    return hub->ingest.calibration != NULL
               ? 0
               : diag_set(diag, ERR_MEMORY, "out of memory for calibrations");
}

/* ---- from the store ---- */

struct loading {
    struct lumbard *hub;
    uint64_t newest;
    int64_t now_ms;
};

static int64_t integer_of(const struct store_value *value)
{
    return value->type == STORE_INT ? value->integer : 0;
}

static void read_zeros(const struct device *device, const json_t *body, struct neutral_zero *zero)
{
    const json_t *zeros = json_object_get(body, "zeros");
    const char *boot = json_string_value(json_object_get(body, "boot"));
    zero->has_boot = boot != NULL;
    zero->boot_id = boot != NULL ? strtoull(boot, NULL, 16) : 0;
    for (uint32_t m = 0; m < device->driver->plugin->metric_count; m++) {
        const json_t *deg = json_object_get(zeros, metric_name(device, m));
        if (!json_is_number(deg) || zero->count == CALIBRATION_ANGLES)
            continue;
        zero->angles[zero->count].metric = m;
        zero->angles[zero->count++].deg = json_number_value(deg);
    }
}

static void on_row(void *user, const struct store_value *values, unsigned count)
{
    struct loading *loading = user;
    struct lumbard *hub = loading->hub;
    (void)count;
    struct neutral_zero zero = {.number = (uint64_t)values[0].integer,
                                .session = (uint64_t)integer_of(&values[2]),
                                .taken_ms = integer_of(&values[6]),
                                .expires_ms = integer_of(&values[7])};
    loading->newest = zero.number > loading->newest ? zero.number : loading->newest;
    if (values[3].type != STORE_TEXT || strcmp(values[3].text, "neutral") != 0 ||
        values[4].type != STORE_TEXT || values[8].type != STORE_TEXT ||
        zero.expires_ms <= loading->now_ms)
        return;
    const struct driver *driver = ingest_driver_of(&hub->setup.drivers, values[4].text);
    const char *name = strchr(values[4].text, '/');
    const struct device *device =
        driver != NULL && name != NULL
            ? devices_find(hub->ingest.devices, driver, name + 1, strlen(name + 1))
            : NULL;
    if (device == NULL)
        return;
    json_t *body = json_loads(values[8].text, 0, NULL);
    read_zeros(device, body, &zero);
    json_decref(body);
    calibration_restore(hub->ingest.calibration, device, &zero, NULL);
}

int hub_load_calibration(struct lumbard *hub, struct diag *diag)
{
    struct loading loading = {.hub = hub, .now_ms = hub_now_ms(hub)};
    int code = store_load(hub->store, STORE_CALIBRATION, "id > (" LOOKED_THROUGH ")", on_row,
                          &loading, diag);
    calibration_go_on(hub->ingest.calibration, loading.newest);
    return code;
}

/* ---- with the session ---- */

/* Does the wearable tell that it is not worn? */
static bool is_off(const struct lumbard *hub, const struct device *device, int64_t now_ms)
{
    const struct body_kind *kind = &hub->setup.body.kinds[device->driver->index];
    if (kind->contact < 0 || device_freshness(device, (uint32_t)kind->contact, now_ms) != FRESH)
        return false;
    return device->values[kind->contact].value != kind->on_skin;
}

void hub_name_calibration(struct lumbard *hub, const struct session *session)
{
    const struct calibration *calibration = hub->ingest.calibration;
    for (uint32_t i = 0; i < session->device_count; i++) {
        const struct device *device = device_at(hub, session->devices[i].device);
        const struct neutral *neutral = calibration_neutral(calibration, device->id);
        const struct range_test *test = calibration_range(calibration, device->id);
        struct range_result result;
        if (neutral != NULL && neutral->zero.taken_ms != 0 && neutral->zero.session == session->id)
            store_zero(hub, device, &neutral->zero);
        if (test == NULL || test->session != session->id ||
            !calibration_range_result(test, &result))
            continue;
        const struct client_own own = own_of(device, test, &result);
        store_range(hub, device, test, &result);
        keep_own(hub, session, &own);
    }
}

/* The newest of each device. */
void hub_store_calibration_again(struct lumbard *hub)
{
    const struct calibration *calibration = hub->ingest.calibration;
    bool due = hub->unstored.calibration;
    hub->unstored.calibration = false;
    for (uint32_t id = 1;
         due && !hub->unstored.calibration && id <= devices_count(hub->ingest.devices); id++) {
        const struct device *device = device_at(hub, id);
        const struct neutral *neutral = calibration_neutral(calibration, id);
        const struct range_test *test = calibration_range(calibration, id);
        struct range_result result;
        if (neutral != NULL && neutral->zero.taken_ms != 0)
            store_zero(hub, device, &neutral->zero);
        if (test != NULL && calibration_range_result(test, &result))
            store_range(hub, device, test, &result);
    }
}

void hub_end_calibration(struct lumbard *hub, const struct session *session)
{
    for (uint32_t i = 0; i < session->device_count; i++) {
        uint32_t id = session->devices[i].device;
        const struct neutral *neutral = calibration_neutral(hub->ingest.calibration, id);
        if (neutral != NULL && neutral->zero.session == session->id)
            calibration_neutral_end(hub->ingest.calibration, id, "its session is over",
                                    hub_now_ms(hub));
    }
}

/* A zero is of one person who wears the device: it ends with the session that it was taken for. One
 * that was taken before its session was opened belongs to that session. */
static void follow(struct lumbard *hub, uint32_t id, int64_t now_ms)
{
    struct calibration *calibration = hub->ingest.calibration;
    const struct neutral *neutral = calibration_neutral(calibration, id);
    if (neutral == NULL || neutral->zero.taken_ms == 0)
        return;
    const struct session *session = sessions_of_device(hub->ingest.sessions, id);
    uint64_t now_in = session != NULL ? session->id : 0;
    if (is_off(hub, device_at(hub, id), now_ms))
        calibration_neutral_end(calibration, id, "it was taken off", now_ms);
    else if (neutral->zero.session != 0 && neutral->zero.session != now_in)
        calibration_neutral_end(calibration, id, "its session is over", now_ms);
    else
        calibration_belongs(calibration, id, now_in);
}

void hub_tick_calibration(struct lumbard *hub, int64_t now_ms)
{
    calibration_tick(hub->ingest.calibration, now_ms);
    for (uint32_t id = 1; id <= devices_count(hub->ingest.devices); id++)
        follow(hub, id, now_ms);
}
