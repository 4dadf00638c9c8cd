/*
 * One-time codes of a telephone (RFC 6238: six digits, 30 s, SHA-1, as every application has them),
 * by liboath. A step is used once: the caller keeps the last one. Any thread.
 */
#ifndef LUMBAR_IO_TOTP_H
#define LUMBAR_IO_TOTP_H

#include <stdbool.h>
#include <stdint.h>

#define TOTP_SECRET_BYTES 33 /* 160 bits in base32, terminated */

int totp_begin(void); /* once; not 0: there is no liboath to speak of */
bool totp_make(char secret[TOTP_SECRET_BYTES]);

/* Is it the code of now, or of the step before or after, and of a step later than *used? Then that
 * is the last one used. */
bool totp_fits(const char *secret, const char *code, int64_t wall_ms, int64_t *used);

#endif
