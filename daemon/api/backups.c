/* Backups: those that there are, and one more. Restoring is for a hub that is stopped. */
#include "api/api.h"

json_t *api_backups(struct lumbard *hub)
{
    static struct backup_name list[BACKUP_LIST_MAX]; /* the loop's thread only */
    size_t count = backup_list(hub->backup, list);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(all, json_pack("{s:s, s:o, s:I, s:b}", "name", list[i].file, "made",
                                             api_instant(list[i].made_ms), "bytes",
                                             (json_int_t)list[i].bytes, "whole", !list[i].changes));
    return all;
}

json_t *api_backup_status(const struct lumbard *hub)
{
    struct backup_state state;
    backup_state(hub->backup, &state);
    return json_pack("{s:b, s:I, s:o, s:i, s:I, s:I, s:I, s:o}", "busy", state.busy, "every_s",
                     (json_int_t)(state.every_ms / 1000), "newest", api_instant(state.newest_ms),
                     "count", (int)state.count, "bytes", (json_int_t)state.bytes, "made",
                     (json_int_t)state.made, "failed", (json_int_t)state.failed, "error",
                     state.error[0] != '\0' ? json_string(state.error) : json_null());
}

enum api_outcome api_get_backups(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    json_t *status = api_backup_status(hub);
    (void)call;
    json_object_set_new(status, "backups", api_backups(hub));
    return api_give(answer, 200, status);
}

/* It takes as long as the disk does: who wants to know asks again. */
enum api_outcome api_make_backup(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    const json_t *whole = json_object_get(call->body, "whole");
    if (whole != NULL && !json_is_boolean(whole))
        return api_problem(answer, 422, "'whole' is true or false.");
    json_t *status = api_backup_status(hub); /* before it has failed, or is made */
    json_object_set_new(status, "busy", json_true());
    backup_wish(hub->backup, whole == NULL || json_is_true(whole));
    return api_give(answer, 202, status);
}
