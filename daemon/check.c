#include "check.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/ingest.h"
#include "core/options.h"
#include "io/certificate.h"
#include "io/files.h"
#include "io/mqtt.h"
#include "setup.h"

/* ---- the broker ---- */

int check_broker(const struct config *config, struct diag *diag)
{
    char password[SETUP_PASSWORD_BYTES];
    struct mqtt_options broker;
    int code = setup_broker(config, &broker, password, diag);
    explicit_bzero(password, sizeof(password));
    if (code != 0 || !broker.tls)
        return code;
    struct diag trouble = {0};
    code = mqtt_check_tls(&broker, &trouble);
    return code == 0 ? 0 : config_complain(config, "broker.tls", diag, code, "%s", trouble.text);
}

/* ---- the webhook ---- */

int check_webhook(const struct config *config, struct diag *diag)
{
    struct webhook_target *target;
    int code = setup_webhook(config, &target, diag);
    webhook_target_destroy(target);
    return code;
}

/* ---- the page ---- */

int check_certificate(const struct config *config, struct diag *diag)
{
    struct certificate *certificate = NULL;
    struct diag trouble = {0};
    const char *file = config->web.certificate_file, *own = config->web.own_certificate;
    if (!config->web.tls || (file[0] == '\0' && !files_exists(own)))
        return 0;
    int code = file[0] != '\0'
                   ? certificate_load(&certificate, file, config->web.key_file, &trouble)
                   : certificate_read_own(&certificate, own, &trouble);
    certificate_destroy(certificate);
    return code == 0
               ? 0
               : config_complain(config,
                                 file[0] != '\0' ? "web.certificate_file" : "web.own_certificate",
                                 diag, code, "%s", trouble.text);
}

/* ---- places ---- */

enum place_kind {
    A_FILE,     /* is made anew where it is not there */
    A_DATABASE, /* the same, and its log beside it at any time */
    A_FOLDER,   /* is made for the first file in it */
    A_SOCKET,   /* is made anew at each start */
};

static const struct place {
    const char *option;
    enum place_kind kind;
    mode_t type; /* what is there already must be this */
    const char *words;
} places[] = {
    {"spool.ring", A_FILE, S_IFREG, "file"},
    {"spool.copy", A_FILE, S_IFREG, "file"},
    {"quarantine.file", A_FILE, S_IFREG, "file"},
    {"recorder.folder", A_FOLDER, S_IFDIR, "folder"},
    {"history.file", A_DATABASE, S_IFREG, "file"},
    {"api.socket", A_SOCKET, S_IFSOCK, "socket"},
    {"web.own_certificate", A_FILE, S_IFREG, "file"},
};

static const char *path_of(const struct config *config, const struct place *place)
{
    return *(const char *const *)((const char *)config + option_find(place->option)->offset);
}

/* "/var/lib" of "/var/lib/lumbard". */
static void folder_of(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(folder, PATH_MAX, ".");
    else
        snprintf(folder, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

static int check_place(const struct config *config, const struct place *place, struct diag *diag)
{
    const char *path = path_of(config, place);
    bool unused = strcmp(place->option, "web.own_certificate") == 0 &&
                  (!config->web.tls || config->web.certificate_file[0] != '\0');
    char folder[PATH_MAX];
    struct stat status;
    if (path[0] == '\0' || unused) /* api.socket: none */
        return 0;
    bool is_there = stat(path, &status) == 0;
    if (!is_there && errno != ENOENT)
        return config_complain(config, place->option, diag, ERR_IO, "cannot look at %s: %s", path,
                               strerror(errno));
    if (is_there && (status.st_mode & S_IFMT) != place->type)
        return config_complain(config, place->option, diag, ERR_CONFLICT, "%s is no %s", path,
                               place->words);
    if (is_there && place->kind != A_SOCKET &&
        access(path, R_OK | W_OK | (place->kind == A_FOLDER ? X_OK : 0)) != 0)
        return config_complain(config, place->option, diag, ERR_IO, "cannot write %s: %s", path,
                               strerror(errno));
    if (is_there && (place->kind == A_FILE || place->kind == A_FOLDER))
        return 0;
    folder_of(path, folder);
    if (access(folder, W_OK | X_OK) != 0)
        return config_complain(config, place->option, diag, ERR_IO,
                               "cannot make %s: the folder %s: %s", path, folder, strerror(errno));
    return 0;
}

int check_places(const struct config *config, struct diag *diag)
{
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        int code = check_place(config, &places[i], diag);
        if (code != 0)
            return code;
    }
    if (config->api.group[0] != '\0' && getgrnam(config->api.group) == NULL)
        return config_complain(config, "api.group", diag, ERR_UNKNOWN, "there is no group '%s'",
                               config->api.group);
    return 0;
}

/* ---- all of it ---- */

int check_setup(const struct setup *setup, struct diag *diag)
{
    int code = ingest_check(setup->config, &setup->drivers, NULL, diag);
    if (code == 0)
        code = check_broker(setup->config, diag);
    if (code == 0)
        code = check_webhook(setup->config, diag);
    if (code == 0)
        code = check_certificate(setup->config, diag);
    return code == 0 ? check_places(setup->config, diag) : code;
}

/* What the page made of the rules. */
static void print_changes(const struct setup *setup, const char *config_file, FILE *out)
{
    char path[PATH_MAX];
    uint32_t off = 0;
    files_beside(config_file, setup->config->rules.changes, path, sizeof(path));
    if (path[0] == '\0' || !files_exists(path))
        return;
    while (rules_off(setup->rules, off) != NULL)
        off++;
    fprintf(out, "%s: changes %u of these rules, and leaves out %u\n", path,
            rules_changed(setup->rules), off);
}

int check_config(const char *config_file, FILE *out, struct diag *diag)
{
    struct setup setup;
    int code = setup_load(&setup, config_file, diag);
    if (code != 0)
        return code;
    code = check_setup(&setup, diag);
    if (code == 0 && setup.plugins_refused > 0)
        code = ERR_PLUGIN;
    if (out != NULL) {
        fprintf(out, "%s: %u rooms, %u plugins, %u rules, %u plans%s\n", config_file,
                setup.config->room_count, setup.drivers.count, rules_written(setup.rules),
                plans_count(setup.plans), code == 0 ? ": good" : ": not good");
        print_changes(&setup, config_file, out);
    }
    setup_fini(&setup);
    return code;
}
