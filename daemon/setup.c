#include "setup.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "io/files.h"
#include "io/kept.h"
#include "io/plugins.h"

int setup_read_config(const char *config_file, struct config **config, struct diag *diag)
{
    char *text;
    size_t bytes;
    int code = files_read(config_file, &text, &bytes, diag);
    if (code != 0)
        return code;
    code = config_parse(config, config_file, text, bytes, diag);
    free(text);
    return code;
}

static int read_rule_files(const char *config_file, const struct config *config,
                           const struct rules_text *changes, struct files_rules *files,
                           struct diag *diag)
{
    char path[PATH_MAX];
    files_beside(config_file, config->rules.folder, path, sizeof(path));
    int code = files_read_rules(path, files, diag);
    if (code != 0)
        return code;
    if (changes != NULL)
        return files_add_text(files, changes, diag);
    files_beside(config_file, config->rules.changes, path, sizeof(path));
    return files_add_changes(files, path, diag);
}

int setup_read_rules(const char *config_file, const struct config *config,
                     const struct drivers *drivers, const struct derive *derive,
                     struct rules **rules, struct diag *diag)
{
    return setup_read_changed(config_file, config, drivers, derive, NULL, rules, diag);
}

int setup_read_changed(const char *config_file, const struct config *config,
                       const struct drivers *drivers, const struct derive *derive,
                       const struct rules_text *changes, struct rules **rules, struct diag *diag)
{
    struct files_rules files;
    int code = read_rule_files(config_file, config, changes, &files, diag);
    if (code != 0)
        return code;
    code = derive_check(derive, files.list, files.count, drivers, diag);
    if (code == 0)
        code = rules_load(rules, files.list, files.count, drivers, (uint32_t)config->devices.max,
                          diag);
    files_free_rules(&files);
    return code;
}

int setup_load_rules(struct setup *setup, const char *config_file, struct diag *diag)
{
    uint32_t devices = (uint32_t)setup->config->devices.max;
    struct files_rules files;
    int code = read_rule_files(config_file, setup->config, setup->changes, &files, diag);
    if (code != 0)
        return code;
    code = derive_load(&setup->derive, files.list, files.count, &setup->drivers, devices, diag);
    if (code == 0)
        code = rules_load(&setup->rules, files.list, files.count, &setup->drivers, devices, diag);
    files_free_rules(&files);
    return code;
}

static int check_room_plans(const char *config_file, const struct config *config,
                            const struct plans *plans, struct diag *diag)
{
    for (uint32_t r = 0; r < config->room_count; r++) {
        const struct config_room *room = &config->rooms[r];
        struct diag complaint = {0};
        if (*room->plan != '\0' && plans_find(plans, room->plan, &complaint) == NULL)
            return diag_at(diag, complaint.code, config_file, room->line, room->column,
                           "room '%s': %s", room->name, complaint.text);
    }
    return 0;
}

int setup_read_plans(const char *config_file, const struct config *config,
                     const struct drivers *drivers, const struct body *body, struct plans **plans,
                     struct diag *diag)
{
    char folder[PATH_MAX];
    struct files_rules files = {.count = 0};
    files_beside(config_file, config->plans.folder, folder, sizeof(folder));
    int code = files_exists(folder) ? files_read_rules(folder, &files, diag) : 0;
    if (code != 0)
        return code;
    code = plans_load(plans, files.list, files.count, drivers, body, diag);
    files_free_rules(&files);
    if (code == 0 && (code = check_room_plans(config_file, config, *plans, diag)) != 0) {
        plans_destroy(*plans);
        *plans = NULL;
    }
    return code;
}

static void on_refused(void *user, const char *sentence)
{
    struct setup *setup = user;
    setup->plugins_refused++;
    log_error("plugin refused: %s", sentence);
}

static int load_plugins(struct setup *setup, struct diag *diag)
{
    drivers_init(&setup->drivers);
    int code =
        plugins_load(setup->config->plugins.folder, &setup->drivers, on_refused, setup, diag);
    if (code != 0)
        setup_fini(setup);
    return code;
}

int setup_load_plugins(struct setup *setup, const char *config_file, struct diag *diag)
{
    memset(setup, 0, sizeof(*setup));
    int code = setup_read_config(config_file, &setup->config, diag);
    return code == 0 ? load_plugins(setup, diag) : code;
}

/* Rules and plans, behind configuration and plugins. */
static int load_rest(struct setup *setup, const char *config_file, struct diag *diag)
{
    int code = setup_load_rules(setup, config_file, diag);
    body_init(&setup->body, &setup->drivers); /* after what rules may have added to them */
    if (code == 0)
        code = setup_read_plans(config_file, setup->config, &setup->drivers, &setup->body,
                                &setup->plans, diag);
    if (code != 0)
        setup_fini(setup);
    return code;
}

int setup_load(struct setup *setup, const char *config_file, struct diag *diag)
{
    int code = setup_load_plugins(setup, config_file, diag);
    return code == 0 ? load_rest(setup, config_file, diag) : code;
}

int setup_load_kept(struct setup *setup, const char *config_file, struct diag *diag)
{
    memset(setup, 0, sizeof(*setup));
    int code = setup_read_config(config_file, &setup->config, diag);
    if (code != 0)
        return code;
    setup->config->rules.folder = KEPT_RULES;
    setup->config->rules.changes = KEPT_CHANGES;
    setup->config->plans.folder = KEPT_PLANS;
    code = load_plugins(setup, diag);
    return code == 0 ? load_rest(setup, config_file, diag) : code;
}

int setup_broker(const struct config *config, struct mqtt_options *options,
                 char password[SETUP_PASSWORD_BYTES], struct diag *diag)
{
    const char *file = config->broker.password_file;
    struct diag trouble = {0};
    password[0] = '\0';
    if (file[0] != '\0') {
        int code = files_read_secret_line(file, password, SETUP_PASSWORD_BYTES, &trouble);
        if (code != 0)
            return config_complain(config, "broker.password_file", diag, code, "%s", trouble.text);
    }
    if (config->broker.key_file[0] != '\0') {
        int code = files_check_secret(config->broker.key_file, &trouble);
        if (code != 0)
            return config_complain(config, "broker.key_file", diag, code, "%s", trouble.text);
    }
    *options = (struct mqtt_options){
        .host = config->broker.host,
        .port = (int)config->broker.port,
        .client_id = config->broker.client_id,
        .username = config->broker.username,
        .password = password,
        .tls = config->broker.tls,
        .ca_file = config->broker.ca_file,
        .certificate_file = config->broker.certificate_file,
        .key_file = config->broker.key_file,
    };
    return 0;
}

int setup_webhook(const struct config *config, struct webhook_target **target, struct diag *diag)
{
    char token[SETUP_PASSWORD_BYTES] = "";
    struct diag trouble = {0};
    *target = NULL;
    if (config->webhook.token_file[0] != '\0') {
        int code = files_read_secret_line(config->webhook.token_file, token, SETUP_PASSWORD_BYTES,
                                          &trouble);
        if (code != 0)
            return config_complain(config, "webhook.token_file", diag, code, "%s", trouble.text);
    }
    struct webhook_options options = {config->webhook.url, token, config->webhook.ca_file};
    int code = webhook_target_create(target, &options, &trouble);
    explicit_bzero(token, sizeof(token));
    bool ca = code == ERR_IO;
    return code == 0 ? 0
                     : config_complain(config, ca ? "webhook.ca_file" : "webhook.url", diag, code,
                                       "%s", trouble.text);
}

void setup_fini(struct setup *setup)
{
    plans_destroy(setup->plans);
    rules_destroy(setup->rules);
    drivers_fini(&setup->drivers);
    derive_destroy(setup->derive);
    config_destroy(setup->config);
    memset(setup, 0, sizeof(*setup));
}

/* "upright, slouched, ..." or "-40 .. 100". */
static void print_range(const struct lumbar_metric *metric)
{
    if (metric->labels == NULL) {
        printf("%g .. %g", metric->min, metric->max);
        return;
    }
    for (unsigned i = 0; metric->labels[i] != NULL; i++)
        printf("%s%s", i > 0 ? ", " : "", metric->labels[i]);
}

void setup_print_plugins(const struct drivers *drivers)
{
    static const char *const kinds[] = {"gauge", "counter", "state", "event"};
    for (uint32_t i = 0; i < drivers->count; i++) {
        const struct lumbar_plugin *plugin = drivers->list[i].plugin;
        printf("%s %s (%s), topic %s\n", plugin->kind, plugin->version, plugin->title,
               plugin->topic);
        for (uint32_t m = 0; m < drivers->list[i].metric_count; m++) {
            const struct lumbar_metric *metric = &drivers->list[i].metrics[m];
            printf("  %-26s %-8s %-8s ", metric->name, kinds[metric->kind], metric->unit);
            print_range(metric);
            printf("\n");
        }
    }
}
