/*
 * Accounts at the broker, by mosquitto's dynamic-security plugin: commands to it over MQTT, as its
 * administrator, and the file that it begins with. Blocks, DYNSEC_SECONDS at most for an answer.
 */
#ifndef LUMBAR_CTL_DYNSEC_H
#define LUMBAR_CTL_DYNSEC_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "core/config.h"

#define DYNSEC_SECONDS    15
#define DYNSEC_ADMIN      "lumbar-admin"
#define DYNSEC_WORD_BYTES 44 /* of a password: 256 bits in base64url, terminated */

struct dynsec;

/* Connects to the configuration's broker; the first line of the file is the administrator's
 * password. */
int dynsec_open(struct dynsec **out, const struct config *config, const char *admin_file,
                struct diag *diag);
void dynsec_close(struct dynsec *dynsec);

/* Sends commands (taken), and waits for as many answers, owned by the caller: objects, with "error"
 * where one was refused. */
int dynsec_ask(struct dynsec *dynsec, json_t *commands, json_t **answers, struct diag *diag);

/* A random password. The caller wipes it. */
int dynsec_make_word(char word[DYNSEC_WORD_BYTES], struct diag *diag);

/* {"acltype": type, "topic": topic, "priority": 0, "allow": true} */
json_t *dynsec_acl(const char *type, const char *topic);

/* What the plugin begins with: nobody may do anything, but for the administrator, who rules over
 * the plugin, and the hub, who hears and says everything. NULL: no memory, no randomness. */
json_t *dynsec_first_file(const char *admin_word, const char *hub, const char *hub_word);

#endif
