#include "api/api.h"

#include <stdio.h>
#include <string.h>

#include "audit.h"

static const char *const pause_members[] = {"what", "seconds", "by", NULL};
static const char *const resume_members[] = {"what", "by", NULL};
static const char *const deed_members[] = {"by", "why", NULL};
static const char *const shelve_members[] = {"by", "why", "seconds", NULL};

static const char *const erase_members[] = {"by", NULL};
static const char *const client_members[] = {"name", "goals", "own", NULL};
static const char *const plan_members[] = {"template", "title",   "goals",  "regions",
                                           "limits",   "targets", "phases", NULL};

/* Of sessions; an order is the last part of its path. */
static const char *const open_members[] = {"room", "therapist", "client", "plan", NULL};
static const char *const no_members[] = {NULL};
static const char *const reason_members[] = {"reason", NULL};
static const char *const text_members[] = {"text", "by", NULL};
static const char *const marker_members[] = {"text", NULL};
static const char *const pain_members[] = {"pain", "when", "by", NULL};
static const char *const score_members[] = {"score", "by", NULL};
static const char *const device_members[] = {"device", NULL};
static const char *const name_members[] = {"client", "therapist", NULL};
static const char *const change_rules_members[] = {"text", NULL};
static const char *const edit_rules_members[] = {"text", "rule", "set", NULL};
static const char *const try_rules_members[] = {"text", "sessions", NULL};
static const char *const room_members[] = {"room", NULL};

static const char *const place_members[] = {"room", "by", NULL};
static const char *const backup_members[] = {"whole", NULL};
static const char *const identify_members[] = {"seconds", NULL};
static const char *const neutral_members[] = {"seconds", NULL};
static const char *const range_members[] = {"metric", "repetitions", NULL};

static const char *const login_members[] = {"name", "password", "code", "token", NULL};
static const char *const enrol_members[] = {"secret", "password", NULL};
static const char *const user_members[] = {"name", "role", "rooms", NULL};
static const char *const change_members[] = {"role", "rooms", "disabled", NULL};
static const char *const set_up_members[] = {"name", NULL};

static const char *const password_members[] = {"old", "new", NULL};
static const char *const code_members[] = {"code", NULL};
static const char *const glass_members[] = {"why", "minutes", NULL};
static const char *const token_members[] = {"name", "role", "rooms", "days", "writes", NULL};

#define MAY_LOCAL 0U /* no role: on the machine itself, by the hub's own socket */

static const struct api_endpoint endpoints[] = {
    {API_GET, "/door", api_get_door, NULL, MAY_ALL, SCOPE_NONE},
    {API_POST, "/login", api_login, login_members, MAY_ALL, SCOPE_NONE},
    {API_POST, "/enrol", api_enrol, enrol_members, MAY_ALL, SCOPE_NONE},
    {API_GET, "/me", api_get_me, NULL, MAY_KNOWN, SCOPE_NONE},
    {API_POST, "/logout", api_logout, no_members, MAY_KNOWN, SCOPE_NONE},
    {API_POST, "/logout/everywhere", api_logout_everywhere, no_members, MAY_KNOWN, SCOPE_NONE},
    {API_POST, "/setup", api_set_up, set_up_members, MAY_LOCAL, SCOPE_NONE},
    {API_POST, "/me/password", api_own_password, password_members, MAY_KNOWN, SCOPE_NONE},
    {API_POST, "/me/codes", api_make_codes, no_members, MAY_KNOWN, SCOPE_NONE},
    {API_POST, "/me/codes/begin", api_begin_codes, code_members, MAY_KNOWN, SCOPE_NONE},
    {API_POST, "/me/codes/end", api_end_codes, code_members, MAY_KNOWN, SCOPE_NONE},
    {API_GET, "/glass", api_get_glass, NULL, MAY_LEAD, SCOPE_NONE},
    {API_POST, "/glass", api_break_glass, glass_members, MAY_ADMIN | MAY_CARE, SCOPE_NONE},
    {API_POST, "/glass/mend", api_mend_glass, no_members, MAY_ADMIN | MAY_CARE, SCOPE_NONE},
    {API_POST, "/glass/{id}/seen", api_see_glass, no_members, MAY_LEAD, SCOPE_NONE},
    {API_GET, "/tokens", api_get_tokens, NULL, MAY_ADMIN, SCOPE_NONE},
    {API_POST, "/tokens", api_post_token, token_members, MAY_ADMIN, SCOPE_NONE},
    {API_DELETE, "/tokens/{id}", api_delete_token, NULL, MAY_ADMIN, SCOPE_NONE},
    {API_GET, "/audit", api_get_audit, NULL, MAY_AUDIT, SCOPE_NONE},
    {API_GET, "/users", api_get_users, NULL, MAY_ADMIN, SCOPE_NONE},
    {API_POST, "/users", api_post_user, user_members, MAY_ADMIN, SCOPE_NONE},
    {API_PUT, "/users/{name}", api_put_user, change_members, MAY_ADMIN, SCOPE_NONE},
    {API_POST, "/users/{name}/reset", api_reset_user, no_members, MAY_ADMIN, SCOPE_NONE},
    {API_POST, "/users/{name}/logout", api_end_user, no_members, MAY_ADMIN, SCOPE_NONE},
    {API_GET, "/healthz", api_get_healthz, NULL, MAY_ALL, SCOPE_NONE},
    {API_GET, "/metrics", api_get_metrics, NULL, MAY_RUN, SCOPE_NONE},
    {API_GET, "/health", api_get_health, NULL, MAY_KNOWN, SCOPE_NONE},
    {API_GET, "/status", api_get_status, NULL, MAY_RUN, SCOPE_NONE},
    {API_POST, "/reload", api_reload, no_members, MAY_ADMIN, SCOPE_NONE},
    {API_POST, "/restart", api_restart, no_members, MAY_ADMIN, SCOPE_NONE},
    {API_GET, "/plugins", api_get_plugins, NULL, MAY_RUN, SCOPE_NONE},
    {API_POST, "/plugins/{kind}/enable", api_enable_plugin, no_members, MAY_ADMIN, SCOPE_NONE},
    {API_GET, "/rules", api_get_rules, NULL, MAY_KNOWN, SCOPE_NONE},
    {API_GET, "/rules/changes", api_get_rule_changes, NULL, MAY_KNOWN, SCOPE_NONE},
    {API_PUT, "/rules/changes", api_put_rule_changes, change_rules_members, MAY_ADMIN | MAY_LEAD,
     SCOPE_NONE},
    {API_POST, "/rules/text", api_edit_rule_text, edit_rules_members, MAY_ADMIN | MAY_LEAD,
     SCOPE_NONE},
    {API_POST, "/rules/try", api_try_rule_changes, try_rules_members, MAY_ADMIN | MAY_LEAD,
     SCOPE_LISTS},
    {API_GET, "/rooms", api_get_rooms, NULL, MAY_KNOWN, SCOPE_LISTS},
    {API_POST, "/rooms/{room}/pause", api_pause_room, pause_members, MAY_CARE, SCOPE_ROOM},
    {API_POST, "/rooms/{room}/resume", api_resume_room, resume_members, MAY_CARE, SCOPE_ROOM},
    {API_GET, "/devices", api_get_devices, NULL, MAY_KNOWN, SCOPE_LISTS},
    {API_GET, "/devices/{kind}/{name}", api_get_device, NULL, MAY_KNOWN, SCOPE_DEVICE},
    {API_GET, "/devices/{kind}/{name}/room", api_get_place, NULL, MAY_ADMIN | MAY_CARE,
     SCOPE_DEVICE},
    {API_PUT, "/devices/{kind}/{name}/room", api_put_place, place_members, MAY_ADMIN | MAY_CARE,
     SCOPE_DEVICE},
    {API_POST, "/devices/{kind}/{name}/identify", api_identify, identify_members,
     MAY_ADMIN | MAY_CARE, SCOPE_DEVICE},
    {API_GET, "/devices/{kind}/{name}/calibration", api_get_calibration, NULL, MAY_CARE,
     SCOPE_DEVICE},
    {API_POST, "/devices/{kind}/{name}/neutral", api_take_neutral, neutral_members, MAY_CARE,
     SCOPE_DEVICE},
    {API_DELETE, "/devices/{kind}/{name}/neutral", api_forget_neutral, NULL, MAY_CARE,
     SCOPE_DEVICE},
    {API_POST, "/devices/{kind}/{name}/range", api_test_range, range_members, MAY_CARE,
     SCOPE_DEVICE},
    {API_POST, "/devices/{kind}/{name}/range/end", api_end_range, no_members, MAY_CARE,
     SCOPE_DEVICE},
    {API_GET, "/history", api_get_history, NULL, MAY_CARE, SCOPE_MEASURE},
    {API_GET, "/backups", api_get_backups, NULL, MAY_RUN, SCOPE_NONE},
    {API_POST, "/backups", api_make_backup, backup_members, MAY_ADMIN, SCOPE_NONE},
    {API_GET, "/alarms", api_get_alarms, NULL, MAY_CARE, SCOPE_LISTS},
    {API_GET, "/alarms/history", api_get_alarm_log, NULL, MAY_CARE, SCOPE_LISTS},
    {API_GET, "/alarms/load", api_get_load, NULL, MAY_CARE, SCOPE_NONE},
    {API_GET, "/alarms/{number}", api_get_alarm, NULL, MAY_CARE, SCOPE_ALARM},
    {API_POST, "/alarms/{number}/ack", api_ack_alarm, deed_members, MAY_CARE, SCOPE_ALARM},
    {API_POST, "/alarms/{number}/unack", api_unack_alarm, deed_members, MAY_CARE, SCOPE_ALARM},
    {API_POST, "/alarms/{number}/shelve", api_shelve_alarm, shelve_members, MAY_CARE, SCOPE_ALARM},
    {API_POST, "/alarms/{number}/unshelve", api_unshelve_alarm, deed_members, MAY_CARE,
     SCOPE_ALARM},
    {API_POST, "/alarms/{number}/reset", api_reset_alarm, deed_members, MAY_CARE, SCOPE_ALARM},
    {API_GET, "/clients", api_get_clients, NULL, MAY_CARE, SCOPE_NONE},
    {API_POST, "/clients", api_post_client, client_members, MAY_CARE, SCOPE_NONE},
    {API_GET, "/clients/{name}", api_get_client, NULL, MAY_CARE, SCOPE_NONE},
    {API_PUT, "/clients/{name}", api_put_client, client_members, MAY_CARE, SCOPE_NONE},
    {API_DELETE, "/clients/{name}", api_delete_client, NULL, MAY_LEAD, SCOPE_NONE},
    {API_GET, "/clients/{name}/export", api_export_client, NULL, MAY_LEAD, SCOPE_NONE},
    {API_POST, "/clients/{name}/erase", api_erase_client, erase_members, MAY_LEAD, SCOPE_NONE},
    {API_GET, "/clients/{name}/course", api_get_course, NULL, MAY_CARE, SCOPE_LISTS},
    {API_GET, "/clients/{name}/plans/{plan}", api_get_client_plan, NULL, MAY_CARE, SCOPE_NONE},
    {API_PUT, "/clients/{name}/plans/{plan}", api_put_client_plan, plan_members, MAY_CARE,
     SCOPE_NONE},
    {API_DELETE, "/clients/{name}/plans/{plan}", api_delete_client_plan, NULL, MAY_CARE,
     SCOPE_NONE},
    {API_GET, "/plans", api_get_plans, NULL, MAY_CARE, SCOPE_NONE},
    {API_GET, "/plans/{plan}", api_get_plan, NULL, MAY_CARE, SCOPE_NONE},
    {API_GET, "/sessions", api_get_sessions, NULL, MAY_CARE, SCOPE_LISTS},
    {API_POST, "/sessions", api_open_session, open_members, MAY_CARE, SCOPE_INTO},
    {API_GET, "/archive", api_get_past, NULL, MAY_CARE, SCOPE_LISTS},
    {API_GET, "/sessions/{id}", api_get_session, NULL, MAY_CARE, SCOPE_SESSION},
    {API_GET, "/sessions/{id}/report", api_get_report, NULL, MAY_CARE, SCOPE_RECORD},
    {API_GET, "/sessions/{id}/record", api_get_record, NULL, MAY_CARE, SCOPE_RECORD},
    {API_GET, "/sessions/{id}/csv", api_get_table, NULL, MAY_CARE, SCOPE_RECORD},
    {API_GET, "/sessions/{id}/fhir", api_get_fhir, NULL, MAY_CARE, SCOPE_RECORD},
    {API_POST, "/sessions/{id}/start", api_do_session, no_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/pause", api_do_session, no_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/resume", api_do_session, no_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/next", api_do_session, no_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/end", api_do_session, no_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/abort", api_do_session, reason_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/note", api_do_session, text_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/marker", api_do_session, marker_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/pain", api_do_session, pain_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/rmdq", api_do_session, score_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/odi", api_do_session, score_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/adverse", api_do_session, text_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/assign", api_do_session, device_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/unassign", api_do_session, device_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/move", api_do_session, room_members, MAY_CARE, SCOPE_SESSION},
    {API_POST, "/sessions/{id}/name", api_name_session, name_members, MAY_CARE, SCOPE_SESSION},
    /* Messages of /live: what a Watch asks for. */
    {API_LIVE, "/live/wall", NULL, NULL, MAY_KNOWN, SCOPE_LISTS},
    {API_LIVE, "/live/room", NULL, NULL, MAY_WATCH, SCOPE_ROOM},
};

struct api hub_api(struct lumbard *hub)
{
    return (struct api){
        endpoints,    sizeof(endpoints) / sizeof(endpoints[0]), hub, hub_admit, hub_admit_room,
        hub_note_call};
}

void api_print_endpoints(void)
{
    const struct api api = hub_api(NULL);
    api_print(&api, stdout);
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

uint32_t api_room_named(const struct lumbard *hub, const char *name)
{
    for (uint32_t room = 1; room <= hub->setup.config->room_count; room++)
        if (strcmp(hub->setup.config->rooms[room - 1].name, name) == 0)
            return room;
    return ROOM_NONE;
}

bool api_sees(const struct api_call *call, uint32_t room)
{
    return call->request->who != NULL && access_sees(call->request->who, room);
}

bool api_name_rooms(const struct lumbard *hub, const struct api_call *call, char **names)
{
    const struct config *config = hub->setup.config;
    size_t bytes = 0;
    *names = NULL;
    if (api_sees(call, ROOM_NONE))
        return true;
    FILE *out = open_memstream(names, &bytes);
    for (uint32_t room = 1; out != NULL && room <= config->room_count; room++)
        if (api_sees(call, room))
            fprintf(out, "%s\n", config->rooms[room - 1].name);
    return out != NULL && fclose(out) == 0;
}

const char *api_who(struct api_reader *reader)
{
    const struct access *who = reader->call->request->who;
    bool named = who != NULL && (who->kind == ACCESS_LOGIN || who->kind == ACCESS_TOKEN);
    bool local = who != NULL && who->kind == ACCESS_LOCAL;
    const char *said = api_text(reader, "by", 1, ALARM_WHO_BYTES - 1, local ? "lumbarctl" : "page");
    return named ? who->name : said;
}

json_t *api_device_name(const struct device *device)
{
    return json_sprintf("%s/%s", device->driver->plugin->kind, device->name);
}

json_t *api_room_name(const struct lumbard *hub, uint32_t room)
{
    return room == ROOM_NONE ? json_null() : json_string(hub->setup.config->rooms[room - 1].name);
}
