/*
 * What the hub answers below /api/v1: handlers over its whole state, in files of their own. The
 * table in api.c is what paths there are; transport and errors of form are not seen here.
 */
#ifndef LUMBAR_API_H
#define LUMBAR_API_H

#include "core/api.h"
#include "hub.h"

/* Every endpoint, a line each: its method, its path, and what its body may have. */
void api_print_endpoints(void);

/* The API over this hub, for web_options. */
struct api hub_api(struct lumbard *hub);

/* admit.c: is this row of the table for who asks, and the room that the request is about? For
 * struct api. */
api_admit hub_admit, hub_admit_room;

/* Handlers; `user` is the hub. */
typedef enum api_outcome api_handler(void *user, const struct api_call *call,
                                     struct api_answer *answer);

/* service.c */
api_handler api_reload, api_restart;

/* plugins.c */
api_handler api_get_plugins, api_enable_plugin;
api_handler api_get_rules;

json_t *api_rule_source(const struct rule_source *source); /* how it is written */

/* rule_changes.c: what the page changes of them. */
api_handler api_get_rule_changes, api_put_rule_changes;
api_handler api_try_rule_changes;                        /* rule_trial.c */
api_handler api_edit_rule_text;                          /* rule_text.c */
const char *api_changes_file(const struct lumbard *hub); /* what complaints call it */
/* The rules that the text names, as a list of maps; JSON's null where it cannot be read. */
json_t *api_changes_said(const struct lumbard *hub, const char *text);
/* Is it good with all other rules? False: answered, with the line of what is wrong. */
bool api_changes_good(struct lumbard *hub, const char *text, struct api_answer *answer);
/* The text of a body; NULL: answered, there is none, or nothing can be changed now. */
const char *api_changes_text(const struct lumbard *hub, const struct api_call *call,
                             struct api_answer *answer);

/* status.c */
api_handler api_get_health, api_get_status, api_get_rooms;

/* metrics.c: at /metrics and /healthz, too. */
api_handler api_get_metrics, api_get_healthz;

/* devices.c */
api_handler api_get_devices, api_get_device, api_identify;

/* place.c */
api_handler api_get_place, api_put_place;

/* calibration.c */
api_handler api_get_calibration, api_take_neutral, api_forget_neutral, api_test_range,
    api_end_range;
json_t *api_calibration(const struct lumbard *hub, const struct device *device);

/* backups.c */
api_handler api_get_backups, api_make_backup;
json_t *api_backup_status(const struct lumbard *hub);
json_t *api_backups(struct lumbard *hub); /* a list of them */

/* history.c */
api_handler api_get_history;

/* alarms.c */
api_handler api_get_alarms, api_get_alarm;
json_t *api_alarm(const struct lumbard *hub, const struct alarm *alarm);

#define API_NOT_THEIRS "Your account has no part in this room."

#define API_QUESTIONS_MOST 32          /* to the store at a time; each holds a megabyte at most */
bool api_may_ask(struct lumbard *hub); /* is there room for one more? answers.c */
#define API_REPORTS_MOST 8 /* of sessions, courses, the trail, at a time: more of it is read */
bool api_may_report(struct lumbard *hub);

/* metrics_bounds.c: gauge and overflow counter of each bound and queue */
void hub_put_bounds(FILE *out, const struct lumbard *hub);

/* alarm_log.c */
api_handler api_get_alarm_log;

/* load.c */
api_handler api_get_load;

/* alarm_deeds.c */
api_handler api_ack_alarm, api_unack_alarm, api_shelve_alarm, api_unshelve_alarm, api_reset_alarm;

/* pauses.c: the path is the room's name. */
api_handler api_pause_room, api_resume_room;
void api_add_pauses(json_t *object, const struct lumbard *hub, uint32_t room);

/* clients.c: the path is the name. */
api_handler api_get_clients, api_post_client, api_get_client, api_put_client, api_delete_client;
api_handler api_get_client_plan, api_put_client_plan, api_delete_client_plan;
api_handler api_get_plans, api_get_plan;

/* sessions.c */
api_handler api_get_sessions, api_get_session, api_open_session, api_do_session, api_name_session;

/* Parts of one, wherever it is told of. */
json_t *api_phases(const struct session *session, int64_t now_ms);
json_t *api_notes(const struct session *session);
json_t *api_bands(const struct lumbard *hub, const struct session *session);
json_t *api_doses(const struct lumbard *hub, const struct session *session);

/* amend.c: may this be said of a session when it is over? */
bool api_is_amendment(const struct session_order *order);
/* Keeps who said it, and when; `done`: the session has it already. False: no room. */
bool api_put_amendment(struct lumbard *hub, uint64_t id, const struct session_order *order,
                       const char *who, bool done);
/* Of one that is not the last of its room any more. */
enum api_outcome api_amend(struct lumbard *hub, const struct api_call *call, uint64_t id,
                           const struct session_order *order, const char *who,
                           struct api_answer *answer);

/* report.c */
api_handler api_get_report, api_get_table, api_get_fhir, api_get_record;

/* archive.c */
struct report;
api_handler api_get_past;
/* What a screen shows of a session; `room`: its name. */
json_t *api_record(const struct lumbard *hub, const struct report *report, const char *room);

/* erase.c */
api_handler api_export_client, api_erase_client;

/* course.c */
api_handler api_get_course;

/* login.c */
api_handler api_get_me, api_get_door, api_login, api_logout, api_logout_everywhere, api_enrol,
    api_own_password;

/* users.c: the path is the name. */
api_handler api_get_users, api_post_user, api_put_user, api_reset_user, api_end_user, api_set_up;

/* own.c: what people do with their own account. */
api_handler api_make_codes, api_begin_codes, api_end_codes;

/* tokens.c, glass.c: the path is the number. */
api_handler api_get_tokens, api_post_token, api_delete_token;
api_handler api_break_glass, api_mend_glass, api_get_glass, api_see_glass;

/* audit.c */
api_handler api_get_audit;

/* Answers when what was put into the store until now is on the disk, with "stored" in the body;
 * false there, and at once, where the disk refuses. Takes the body. */
enum api_outcome api_stored(struct lumbard *hub, const struct api_call *call,
                            struct api_answer *answer, int status, json_t *body);

/* The same for what is in an earlier batch, and there may be nothing in the open one. */
enum api_outcome api_stored_in(struct lumbard *hub, const struct api_call *call,
                               struct api_answer *answer, int status, json_t *body, uint64_t batch);

/* repeat.c. What was created already by the same key; NULL: nothing. False: answered. */
bool api_repeat(struct lumbard *hub, const struct api_call *call, const struct repeat **before,
                struct api_answer *answer);
/* Keeps the key of what was created now, in the same batch. */
void api_created(struct lumbard *hub, const struct api_call *call, enum repeat_kind kind,
                 uint64_t id);

/* "posture/p-01": the device of this name, NULL where none was heard. */
struct device *api_find_device(const struct lumbard *hub, const char *name);

/* The same of a path's two parts; a problem where there is none. */
struct device *api_path_device(const struct lumbard *hub, const struct api_call *call,
                               struct api_answer *answer);

/* The complaint of what was asked of the core, as a sentence and with its status. */
enum api_outcome api_complain(struct api_answer *answer, int code, const struct diag *diag);

/* Who did it: the account's name; without accounts what `by` says, or the door it came by. */
const char *api_who(struct api_reader *reader);

/* May who asks be told of this room (ROOM_NONE: of what is in none)? */
bool api_sees(const struct api_call *call, uint32_t room);

/* The names of the rooms that who asks may be told of, a line each, to be freed; NULL: all of them,
 * and what is in none. False: no memory. */
bool api_name_rooms(const struct lumbard *hub, const struct api_call *call, char **names);

uint32_t api_room_named(const struct lumbard *hub, const char *name); /* or ROOM_NONE */

/* "posture/p-01", and the room's name or null. */
json_t *api_device_name(const struct device *device);
json_t *api_room_name(const struct lumbard *hub, uint32_t room);

#endif
