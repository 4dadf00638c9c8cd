/*
 * What a start, a check and a reload have in common: configuration, plugins and rules, read from
 * their files and held against each other. Opens no socket, starts no thread.
 */
#ifndef LUMBAR_SETUP_H
#define LUMBAR_SETUP_H

#include "base/err.h"
#include "core/config.h"
#include "core/derive.h"
#include "core/driver.h"
#include "core/plans.h"
#include "core/rules.h"
#include "io/mqtt.h"
#include "io/webhook.h"

struct setup {
    struct config *config;
    struct drivers drivers;
    struct derive *derive; /* of the drivers, which have its metrics */
    struct rules *rules;
    struct body body; /* of the drivers */
    struct plans *plans;
    unsigned plugins_refused;         /* each was said in the log */
    const struct rules_text *changes; /* lent: in the place of what rules.changes names; or NULL */
};

/* Reads everything that the configuration file names. On an error nothing is kept. */
int setup_load(struct setup *setup, const char *config_file, struct diag *diag);
void setup_fini(struct setup *setup);

/* The same of a configuration that io/kept.h has kept: its rules and plans lie beside it. */
int setup_load_kept(struct setup *setup, const char *config_file, struct diag *diag);

/* The configuration and its plugins only; `derive`, `rules` and `plans` stay NULL. */
int setup_load_plugins(struct setup *setup, const char *config_file, struct diag *diag);

/* For a reload: a fresh configuration and its rules, against the plugins of the running hub. */
int setup_read_config(const char *config_file, struct config **config, struct diag *diag);
int setup_read_rules(const char *config_file, const struct config *config,
                     const struct drivers *drivers, const struct derive *derive,
                     struct rules **rules, struct diag *diag);
/* With these changes in the place of what rules.changes names; NULL: those. */
int setup_read_changed(const char *config_file, const struct config *config,
                       const struct drivers *drivers, const struct derive *derive,
                       const struct rules_text *changes, struct rules **rules, struct diag *diag);

/* For a start, after the plugins: the rules of a folder (as seen from the configuration's), and
 * what they derive, which the drivers then have. */
int setup_load_rules(struct setup *setup, const char *config_file, struct diag *diag);

/* The plans of plans.folder, which need not be there; and each plan that a room names is among
 * them. */
int setup_read_plans(const char *config_file, const struct config *config,
                     const struct drivers *drivers, const struct body *body, struct plans **plans,
                     struct diag *diag);

/* What the broker's options say; the password is read from its file, and the caller wipes it. The
 * rest of `options` points into the configuration; its filters are left to the caller. */
#define SETUP_PASSWORD_BYTES 256
int setup_broker(const struct config *config, struct mqtt_options *options,
                 char password[SETUP_PASSWORD_BYTES], struct diag *diag);

/* Where the webhook's options lead, which the caller owns; NULL: nowhere. */
int setup_webhook(const struct config *config, struct webhook_target **target, struct diag *diag);

/* Every metric of every plugin with unit and range, as `lumbard --plugins` prints it. */
void setup_print_plugins(const struct drivers *drivers);

#endif
