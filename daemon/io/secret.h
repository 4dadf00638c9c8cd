/*
 * Secrets: random ones of 256 bits that open something, and their digests, which are what is kept.
 * A secret that was drawn at random needs no slow hash: nobody can guess it. Passwords are another
 * matter (password.h). Any thread, after secret_begin().
 */
#ifndef LUMBAR_IO_SECRET_H
#define LUMBAR_IO_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SECRET_TEXT_BYTES 44 /* base64url without padding, terminated */
#define SECRET_HASH_BYTES 65 /* hexadecimal, terminated */

int secret_begin(struct diag *diag); /* once, before anything else here */

void secret_make(char text[SECRET_TEXT_BYTES]);
uint64_t secret_seed(void);
void secret_hash(const void *bytes, size_t count, char hash[SECRET_HASH_BYTES]); /* SHA-256 */
void secret_wipe(void *bytes, size_t count);

#endif
