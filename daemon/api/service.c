/* What systemctl does, for lumbarctl: with an answer that says how it went. */
#include "api/api.h"
#include "io/notify.h"

enum api_outcome api_reload(void *user, const struct api_call *call, struct api_answer *answer)
{
    (void)call;
    struct lumbard *hub = user;
    struct diag diag = {0};
    char sentence[512];
    if (hub_reload(hub, &diag) != 0)
        return api_problem(answer, 409, "Nothing changed: %s",
                           diag_sentence(&diag, sentence, sizeof(sentence)));
    return api_give(answer, 200, json_pack("{s:i}", "kept", (int)hub->kept.number));
}

/* It ends, as for a SIGTERM, and whoever looks after it starts it again. */
enum api_outcome api_restart(void *user, const struct api_call *call, struct api_answer *answer)
{
    (void)call;
    struct lumbard *hub = user;
    if (!notify_is_heard())
        return api_problem(answer, 409, "No service manager would start the hub again.");
    hub_stop(hub);
    return api_give(answer, 202, json_object());
}
