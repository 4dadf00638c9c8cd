#include "api.h"

#include <stdio.h>
#include <string.h>

static const char *const pause_members[] = {"what", "seconds", "by", NULL};
static const char *const resume_members[] = {"what", "by", NULL};
static const char *const deed_members[] = {"by", "why", NULL};
static const char *const shelve_members[] = {"by", "why", "seconds", NULL};

static const char *const client_members[] = {"name", "goals", "own", NULL};
static const char *const plan_members[] = {"template", "title",   "goals",  "regions",
                                           "limits",   "targets", "phases", NULL};

/* Of sessions; an order is the last part of its path. */
static const char *const open_members[] = {"room", "therapist", "client", "plan", NULL};
static const char *const no_members[] = {NULL};
static const char *const reason_members[] = {"reason", NULL};
static const char *const text_members[] = {"text", NULL};
static const char *const pain_members[] = {"pain", "when", NULL};
static const char *const score_members[] = {"score", NULL};
static const char *const device_members[] = {"device", NULL};
static const char *const name_members[] = {"client", "therapist", NULL};
static const char *const room_members[] = {"room", NULL};

static const char *const neutral_members[] = {"seconds", NULL};
static const char *const range_members[] = {"metric", "repetitions", NULL};

static const struct api_endpoint endpoints[] = {
    {API_GET, "/health", api_get_health, NULL},
    {API_GET, "/status", api_get_status, NULL},
    {API_GET, "/rooms", api_get_rooms, NULL},
    {API_POST, "/rooms/{room}/pause", api_pause_room, pause_members},
    {API_POST, "/rooms/{room}/resume", api_resume_room, resume_members},
    {API_GET, "/devices", api_get_devices, NULL},
    {API_GET, "/devices/{kind}/{name}", api_get_device, NULL},
    {API_GET, "/devices/{kind}/{name}/calibration", api_get_calibration, NULL},
    {API_POST, "/devices/{kind}/{name}/neutral", api_take_neutral, neutral_members},
    {API_DELETE, "/devices/{kind}/{name}/neutral", api_forget_neutral, NULL},
    {API_POST, "/devices/{kind}/{name}/range", api_test_range, range_members},
    {API_POST, "/devices/{kind}/{name}/range/end", api_end_range, no_members},
    {API_GET, "/history", api_get_history, NULL},
    {API_GET, "/backups", api_get_backups, NULL},
    {API_POST, "/backups", api_make_backup, no_members},
    {API_GET, "/alarms", api_get_alarms, NULL},
    {API_GET, "/alarms/load", api_get_load, NULL},
    {API_GET, "/alarms/{number}", api_get_alarm, NULL},
    {API_POST, "/alarms/{number}/ack", api_ack_alarm, deed_members},
    {API_POST, "/alarms/{number}/unack", api_unack_alarm, deed_members},
    {API_POST, "/alarms/{number}/shelve", api_shelve_alarm, shelve_members},
    {API_POST, "/alarms/{number}/unshelve", api_unshelve_alarm, deed_members},
    {API_POST, "/alarms/{number}/reset", api_reset_alarm, deed_members},
    {API_GET, "/clients", api_get_clients, NULL},
    {API_POST, "/clients", api_post_client, client_members},
    {API_GET, "/clients/{name}", api_get_client, NULL},
    {API_PUT, "/clients/{name}", api_put_client, client_members},
    {API_DELETE, "/clients/{name}", api_delete_client, NULL},
    {API_GET, "/clients/{name}/course", api_get_course, NULL},
    {API_GET, "/clients/{name}/plans/{plan}", api_get_client_plan, NULL},
    {API_PUT, "/clients/{name}/plans/{plan}", api_put_client_plan, plan_members},
    {API_DELETE, "/clients/{name}/plans/{plan}", api_delete_client_plan, NULL},
    {API_GET, "/plans", api_get_plans, NULL},
    {API_GET, "/plans/{plan}", api_get_plan, NULL},
    {API_GET, "/sessions", api_get_sessions, NULL},
    {API_POST, "/sessions", api_open_session, open_members},
    {API_GET, "/sessions/{id}", api_get_session, NULL},
    {API_GET, "/sessions/{id}/report", api_get_report, NULL},
    {API_GET, "/sessions/{id}/csv", api_get_table, NULL},
    {API_GET, "/sessions/{id}/fhir", api_get_fhir, NULL},
    {API_POST, "/sessions/{id}/start", api_do_session, no_members},
    {API_POST, "/sessions/{id}/pause", api_do_session, no_members},
    {API_POST, "/sessions/{id}/resume", api_do_session, no_members},
    {API_POST, "/sessions/{id}/next", api_do_session, no_members},
    {API_POST, "/sessions/{id}/end", api_do_session, no_members},
    {API_POST, "/sessions/{id}/abort", api_do_session, reason_members},
    {API_POST, "/sessions/{id}/note", api_do_session, text_members},
    {API_POST, "/sessions/{id}/marker", api_do_session, text_members},
    {API_POST, "/sessions/{id}/pain", api_do_session, pain_members},
    {API_POST, "/sessions/{id}/rmdq", api_do_session, score_members},
    {API_POST, "/sessions/{id}/odi", api_do_session, score_members},
    {API_POST, "/sessions/{id}/adverse", api_do_session, text_members},
    {API_POST, "/sessions/{id}/assign", api_do_session, device_members},
    {API_POST, "/sessions/{id}/unassign", api_do_session, device_members},
    {API_POST, "/sessions/{id}/move", api_do_session, room_members},
    {API_POST, "/sessions/{id}/name", api_name_session, name_members},
};

struct api hub_api(struct lumbard *hub)
{
    return (struct api){endpoints, sizeof(endpoints) / sizeof(endpoints[0]), hub};
}

void api_print_endpoints(void)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        const struct api_endpoint *endpoint = &endpoints[i];
        printf("%s %s", methods[endpoint->method], endpoint->path);
        for (size_t m = 0; endpoint->members != NULL && endpoint->members[m] != NULL; m++)
            printf(" %s", endpoint->members[m]);
        puts("");
    }
}

struct device *api_find_device(const struct lumbard *hub, const char *name)
{
    const struct driver *driver = ingest_driver_of(&hub->setup.drivers, name);
    const char *slash = strchr(name, '/');
    return driver != NULL && slash != NULL
               ? devices_find(hub->ingest.devices, driver, slash + 1, strlen(slash + 1))
               : NULL;
}

struct device *api_path_device(const struct lumbard *hub, const struct api_call *call,
                               struct api_answer *answer)
{
    char name[2 * API_ID_BYTES];
    snprintf(name, sizeof(name), "%s/%s", call->ids[0], call->ids[1]);
    struct device *device = api_find_device(hub, name);
    if (device == NULL)
        api_problem(answer, 404, "There is no device %s.", name);
    return device;
}

enum api_outcome api_complain(struct api_answer *answer, int code, const struct diag *diag)
{
    int status = code == ERR_UNKNOWN                       ? 404
                 : code == ERR_MEMORY                      ? 500
                 : code == ERR_RANGE || code == ERR_SYNTAX ? 422
                                                           : 409;
    char sentence[sizeof(diag->text)];
    memcpy(sentence, diag->text, sizeof(sentence));
    if (sentence[0] >= 'a' && sentence[0] <= 'z')
        sentence[0] = (char)(sentence[0] - 'a' + 'A');
    return api_problem(answer, status, "%s%s", sentence, strchr(sentence, '?') != NULL ? "" : ".");
}

const char *api_door(const struct api_call *call)
{
    return call->request->local ? "lumbarctl" : "page";
}

json_t *api_device_name(const struct device *device)
{
    return json_sprintf("%s/%s", device->driver->plugin->kind, device->name);
}

json_t *api_room_name(const struct lumbard *hub, uint32_t room)
{
    return room == ROOM_NONE ? json_null() : json_string(hub->setup.config->rooms[room - 1].name);
}
