/*
 * TLS of the webhook: plain bytes on one side, those of the wire on the other; no socket. Shared by
 * webhook.c and webhook_tls.c only.
 */
#ifndef LUMBAR_IO_WEBHOOK_TLS_H
#define LUMBAR_IO_WEBHOOK_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct tls_trust; /* certificates that are believed */
int tls_trust_create(struct tls_trust **out, const char *ca_file, struct diag *diag);
void tls_trust_destroy(struct tls_trust *trust);

struct tls;
/* A connection to this host, whose certificate has to name it; NULL: no memory. */
struct tls *tls_create(const struct tls_trust *trust, const char *host);
void tls_destroy(struct tls *tls);

/* Goes on with the handshake. 1: done; 0: more has to come; -1: failed. */
int tls_shake(struct tls *tls);
bool tls_write(struct tls *tls, const void *plain, size_t bytes); /* after the handshake */
/* Bytes that came from the wire; false: no memory. */
bool tls_feed(struct tls *tls, const void *wire, size_t bytes);
/* Plain bytes that are there, 0: none; -1: failed, or over. */
int tls_read(struct tls *tls, void *plain, size_t room);
/* Bytes for the wire; 0: none. */
size_t tls_drain(struct tls *tls, void *wire, size_t room);

/* Why it failed, as words. */
const char *tls_error(const struct tls *tls, char *out, size_t bytes);

#endif
