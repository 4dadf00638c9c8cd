/* A configuration that cannot be used does not keep the hub from starting: it goes on with the last
 * one that it came up with, and says so. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "check.h"
#include "hub.h"
#include "io/files.h"

/* systemd may name several state folders, of which the first is ours. */
static void find_folder(struct lumbard *hub)
{
    const char *state = hub->options->state;
    struct text text = text_in(hub->state, sizeof(hub->state));
    struct text kept = text_in(hub->kept.folder, sizeof(hub->kept.folder));
    if (state == NULL || state[0] == '\0')
        return;
    text_add(&text, "%.*s", (int)strcspn(state, ":"), state);
    text_add(&kept, "%s/config", hub->state);
}

/* As the file says, if the hub can start with it. */
static int load_file(struct lumbard *hub, struct diag *diag)
{
    const char *file = hub->options->config_file, *folder = hub->kept.folder;
    unsigned tries = 0;
    int code = setup_load(&hub->setup, file, diag);
    if (code != 0 || hub->kept.number == 0)
        return code; /* with nothing to fall back on it is tried, whatever becomes of it */
    code = check_setup(&hub->setup, diag);
    if (code == 0)
        code = kept_try(folder, file, hub->setup.config, &tries, diag);
    if (code == 0 && tries >= KEPT_TRIES)
        code = diag_set(diag, ERR_CONFLICT,
                        "%.200s was tried %u times, and the hub did not come up", file, tries);
    if (code != 0)
        setup_fini(&hub->setup);
    return code;
}

/* The newest that can be used. */
static int load_kept(struct lumbard *hub)
{
    char file[PATH_MAX];
    const char *folder = hub->kept.folder;
    for (uint32_t number = UINT32_MAX; (number = kept_below(folder, number)) != 0;) {
        struct diag diag = {0};
        if (setup_load_kept(&hub->setup, kept_file(folder, number, file, sizeof(file)), &diag) != 0)
            continue;
        if (check_setup(&hub->setup, &diag) == 0) {
            hub->kept.number = number;
            return 0;
        }
        setup_fini(&hub->setup);
    }
    return ERR_UNKNOWN;
}

int hub_load_setup(struct lumbard *hub, struct diag *diag)
{
    find_folder(hub);
    hub->kept.number = kept_below(hub->kept.folder, UINT32_MAX);
    int code = load_file(hub, diag);
    if (code == 0 || hub->kept.number == 0 || load_kept(hub) != 0)
        return code;
    diag_sentence(diag, hub->kept.complaint, sizeof(hub->kept.complaint));
    *diag = (struct diag){0};
    log_error("config: %s; the hub goes on with the last configuration that was good (%u in %s)",
              hub->kept.complaint, hub->kept.number, hub->kept.folder);
    return 0;
}

const char *hub_changes_file(const struct lumbard *hub, char out[PATH_MAX])
{
    char kept[PATH_MAX];
    const char *file = hub->kept.complaint[0] != '\0'
                           ? kept_file(hub->kept.folder, hub->kept.number, kept, sizeof(kept))
                           : hub->options->config_file;
    return files_beside(file, hub->setup.config->rules.changes, out, PATH_MAX);
}

/* ---- the hub is up with it ---- */

static void on_sync(uv_work_t *work)
{
    const struct lumbard *hub = work->data;
    kept_sync(hub->kept.folder);
}

static void after_sync(uv_work_t *work, int status);

/* A slow disk takes its time for each file: the page must not wait for that. */
static void sync_kept(struct lumbard *hub)
{
    struct hub_kept *kept = &hub->kept;
    kept->again = kept->syncing;
    if (kept->again)
        return;
    kept->work.data = hub;
    kept->syncing = uv_queue_work(&hub->loop, &kept->work, on_sync, after_sync) == 0;
}

static void after_sync(uv_work_t *work, int status)
{
    struct lumbard *hub = work->data;
    (void)status;
    hub->kept.syncing = false;
    if (hub->kept.again)
        sync_kept(hub);
}

void hub_keep_setup(struct lumbard *hub)
{
    unsigned tries;
    struct diag diag = {0};
    if (kept_try(hub->kept.folder, hub->options->config_file, hub->setup.config, &tries, &diag) !=
        0)
        return; /* it has been changed since, and is another's to try */
    hub->kept.number = kept_good(hub->kept.folder);
    hub->kept.complaint[0] = '\0';
    sync_kept(hub);
}
