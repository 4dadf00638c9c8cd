/*
 * lumbarctl config: what its commands share.
 */
#ifndef LUMBAR_CTL_CONFIG_H
#define LUMBAR_CTL_CONFIG_H

#include <jansson.h>
#include <stdint.h>

#include "ask.h"
#include "io/kept.h"

#ifndef LUMBAR_STATE_FOLDER
#define LUMBAR_STATE_FOLDER "/var/lib/lumbard"
#endif

/* What the options said. */
struct configuring {
    struct ask ask;     /* the hub that is told; its configuration is the one that is changed */
    const char *state;  /* the hub's state folder */
    bool list, restart; /* of those commands that have them */
    char kept[4096];    /* configurations that the hub came up with, in that folder */
};

/* Reads options, of which `own` has those beside the common ones; false: usage was printed, and
 * *code is the exit code. optind is where arguments begin, `most` of them. */
bool config_options(struct configuring *place, const struct option *own, int count,
                    char **arguments, const char *help, int most, int *code);
enum { CONFIG_STATE = ASK_OTHER, CONFIG_LIST, CONFIG_RESTART };

/* Can those that are kept be read? That there are none is no error. */
int config_look(const struct configuring *place, struct diag *diag);

/* What is other in b: [{"what": "broker.port", "from": ..., "to": ..., "restart": true}, ...];
 * NULL: no memory. */
json_t *config_differences(const struct kept_set *a, const struct config *config_a,
                           const struct kept_set *b, const struct config *config_b);
void config_print_differences(const json_t *list);

/* A kept one, or that of a file, with what it names. */
int config_load_number(const struct configuring *place, uint32_t number, struct kept_set *set,
                       struct config **config, struct diag *diag);
int config_load_file(const char *file, struct kept_set *set, struct config **config,
                     struct diag *diag);

/* config_apply.c */
int config_apply(int count, char **arguments);
int config_rollback(int count, char **arguments);

#endif
