#include "io/secret.h"

#include <sodium.h>

int secret_begin(struct diag *diag)
{
    return sodium_init() < 0 ? diag_set(diag, ERR_IO, "libsodium did not start") : 0;
}

void secret_make(char text[SECRET_TEXT_BYTES])
{
    unsigned char bytes[32];
    _Static_assert(sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_URLSAFE_NO_PADDING) ==
                       SECRET_TEXT_BYTES,
                   "a secret has room");
    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2base64(text, SECRET_TEXT_BYTES, bytes, sizeof(bytes),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof(bytes));
}

uint64_t secret_seed(void)
{
    uint64_t seed;
    randombytes_buf(&seed, sizeof(seed));
    return seed;
}

void secret_hash(const void *bytes, size_t count, char hash[SECRET_HASH_BYTES])
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(digest, bytes, count);
    sodium_bin2hex(hash, SECRET_HASH_BYTES, digest, sizeof(digest));
}

void secret_wipe(void *bytes, size_t count)
{
    sodium_memzero(bytes, count);
}
