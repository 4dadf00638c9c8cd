/*
 * The audit trail in the running hub (core/audit.h is a line of it): where lines come from, and how
 * they reach the store. Each deed is a line; who looks at the same for longer is told of once a
 * minute. Loop thread.
 */
#ifndef LUMBAR_AUDIT_H
#define LUMBAR_AUDIT_H

#include "api/api.h"
#include "core/audit.h"
#include "hub.h"
#include "io/store_rows.h"

/* A deed; and what was only seen, or tried. `about` and `why` may be "". */
void hub_audit(struct lumbard *hub, const struct access *who, const char *what, const char *about,
               int outcome, const char *why);
void hub_audit_sight(struct lumbard *hub, const struct access *who, const char *what,
                     const char *about, int outcome);

/* Before a handler: what its request is about, for what may be gone behind it. */
void hub_name_subject(struct lumbard *hub, const struct api_endpoint *endpoint,
                      const struct api_call *call);

/* For struct api and web_options. */
void hub_note_call(void *hub, const struct api_endpoint *endpoint, const struct api_call *call,
                   const struct api_answer *answer);
void hub_note_watch(void *hub, const struct access *who, uint32_t room);

void hub_say_why(struct lumbard *hub, const char *why); /* of the request at hand */
void hub_log_audit_head(struct lumbard *hub);           /* into the journal */

/* A row of the table as a line; and an address in words. */
void audit_take_row(struct audit_line *line, const struct store_value *values);
const char *audit_address(const unsigned char address[16], char out[64]);

#endif
