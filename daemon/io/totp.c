#include "io/totp.h"

#include <liboath/oath.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define STEP_S 30
#define DIGITS 6
#define AROUND 1 /* steps before and after, for clocks that differ */

int totp_begin(void)
{
    return oath_init();
}

bool totp_make(char secret[TOTP_SECRET_BYTES])
{
    unsigned char bytes[20];
    char *text = NULL;
    size_t length = 0;
    randombytes_buf(bytes, sizeof(bytes));
    bool made = oath_base32_encode((const char *)bytes, sizeof(bytes), &text, &length) == OATH_OK &&
                length < TOTP_SECRET_BYTES;
    if (made)
        memcpy(secret, text, length + 1);
    if (text != NULL)
        sodium_memzero(text, length);
    free(text);
    sodium_memzero(bytes, sizeof(bytes));
    return made;
}

/* All steps are tried, whichever fits. */
static int64_t step_of(const char *key, size_t length, const char *code, int64_t now)
{
    int64_t found = 0;
    for (int64_t step = now - AROUND; step <= now + AROUND; step++) {
        char wanted[DIGITS + 1];
        if (oath_hotp_generate(key, length, (uint64_t)step, DIGITS, false,
                               OATH_HOTP_DYNAMIC_TRUNCATION, wanted) == OATH_OK &&
            sodium_memcmp(wanted, code, DIGITS) == 0)
            found = step;
    }
    return found;
}

bool totp_fits(const char *secret, const char *code, int64_t wall_ms, int64_t *used)
{
    char *key = NULL;
    size_t length = 0;
    if (strlen(code) != DIGITS || strspn(code, "0123456789") != DIGITS ||
        oath_base32_decode(secret, strlen(secret), &key, &length) != OATH_OK)
        return false;
    int64_t step = step_of(key, length, code, wall_ms / 1000 / STEP_S);
    sodium_memzero(key, length);
    free(key);
    if (step == 0 || step <= *used)
        return false;
    *used = step;
    return true;
}
