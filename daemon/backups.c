/* Backups of the store: where, how often, and what is done when one finds it damaged. */
#include "base/log.h"
#include "hub.h"
#include "io/files.h"

/* The backup's thread: what it could not copy, the writer looks at. */
static void on_damage(void *user)
{
    struct lumbard *hub = user;
    store_doubt(hub->store);
}

void hub_backups_folder(const struct lumbard *hub, char out[PATH_MAX])
{
    const struct config *config = hub->setup.config;
    files_beside(config->history.file, config->backup.folder, out, PATH_MAX);
}

int hub_start_backups(struct lumbard *hub, struct diag *diag)
{
    const struct config *config = hub->setup.config;
    char folder[PATH_MAX], rules[PATH_MAX];
    hub_backups_folder(hub, folder);
    const struct backup_options options = {
        .store = config->history.file,
        .folder = folder,
        .rules = hub_changes_file(hub, rules),
        .first_ms = BACKUP_FIRST_MS,
        .every_ms = config->backup.every_ms,
        .keep = (unsigned)config->backup.keep,
        .size_bytes = (uint64_t)config->backup.size_bytes,
        .on_damage = on_damage,
        .user = hub,
    };
    int code = backup_create(&hub->backup, &options, diag);
    return code == 0 ? backup_start(hub->backup, diag) : code;
}

void hub_assign_backups(struct lumbard *hub)
{
    const struct config *config = hub->setup.config;
    char rules[PATH_MAX];
    backup_keep(hub->backup, hub_changes_file(hub, rules), config->backup.every_ms,
                (unsigned)config->backup.keep, (uint64_t)config->backup.size_bytes);
}
