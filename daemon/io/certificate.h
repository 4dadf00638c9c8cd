/*
 * The certificate of the page: one from files, or one of the hub's own that it signed itself.
 *
 * Its own is made at the first start, P-256 and good for CERTIFICATE_DAYS, and written with its key
 * into one file that only the hub may read. It is renewed CERTIFICATE_EARLY_DAYS before its end,
 * with the same key. People know it by its fingerprint (SHA-256 of the certificate).
 * Blocks: small files, and no more than some milliseconds of arithmetic.
 */
#ifndef LUMBAR_IO_CERTIFICATE_H
#define LUMBAR_IO_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CERTIFICATE_DAYS        397 /* more, browsers do not take */
#define CERTIFICATE_EARLY_DAYS  30
#define CERTIFICATE_PRINT_BYTES 96 /* of a fingerprint: "AB:CD:..." */

struct certificate;

/* PEM: the certificate and those that signed it, and its key. The key's file is to be nobody else's
 * to read. */
int certificate_load(struct certificate **out, const char *certificate_file, const char *key_file,
                     struct diag *diag);

/* The hub's own, from its file, where it is there and not near its end; else a new one, put there.
 * `names`: host names and numeric addresses, with commas between, beside those of this machine. */
int certificate_own(struct certificate **out, const char *file, const char *names, int64_t wall_ms,
                    struct diag *diag);

/* The same of one that is there, as it is; makes none. */
int certificate_read_own(struct certificate **out, const char *file, struct diag *diag);

void certificate_destroy(struct certificate *certificate);

const char *certificate_fingerprint(const struct certificate *certificate);
int64_t certificate_until_ms(const struct certificate *certificate); /* wall clock */
bool certificate_is_own(const struct certificate *certificate);

/* Gives it to an OpenSSL SSL_CTX: connections that come from now on are shown it. False: refused.
 */
bool certificate_use(const struct certificate *certificate, void *ssl_context);

#endif
