/* What mosquitto's dynamic-security plugin begins with, in its own format (2.0). */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "dynsec.h"

#define ITERATIONS 101 /* as mosquitto_ctrl does; the words are random ones of 256 bits */
#define SALT_BYTES 12
#define HASH_BYTES 64

int dynsec_make_word(char word[DYNSEC_WORD_BYTES], struct diag *diag)
{
    unsigned char bytes[32], text[4 * ((sizeof(bytes) + 2) / 3) + 1];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return diag_set(diag, ERR_IO, "there is no randomness");
    EVP_EncodeBlock(text, bytes, sizeof(bytes));
    for (size_t i = 0; i < DYNSEC_WORD_BYTES - 1; i++)
        word[i] = (char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]);
    word[DYNSEC_WORD_BYTES - 1] = '\0';
    OPENSSL_cleanse(bytes, sizeof(bytes));
    OPENSSL_cleanse(text, sizeof(text));
    return 0;
}

json_t *dynsec_acl(const char *type, const char *topic)
{
    return json_pack("{s:s, s:s, s:i, s:b}", "acltype", type, "topic", topic, "priority", 0,
                     "allow", 1);
}

static json_t *client(const char *name, const char *role, const char *word)
{
    unsigned char salt[SALT_BYTES], hash[HASH_BYTES];
    char salt_text[4 * SALT_BYTES], hash_text[4 * HASH_BYTES];
    if (RAND_bytes(salt, sizeof(salt)) != 1 ||
        PKCS5_PBKDF2_HMAC(word, (int)strlen(word), salt, sizeof(salt), ITERATIONS, EVP_sha512(),
                          sizeof(hash), hash) != 1)
        return NULL;
    EVP_EncodeBlock((unsigned char *)salt_text, salt, sizeof(salt));
    EVP_EncodeBlock((unsigned char *)hash_text, hash, sizeof(hash));
    return json_pack("{s:s, s:s, s:s, s:i, s:[{s:s}]}", "username", name, "password", hash_text,
                     "salt", salt_text, "iterations", ITERATIONS, "roles", "rolename", role);
}

static json_t *role(const char *name, const char *const *topics)
{
    static const char *const types[] = {"publishClientSend", "publishClientReceive",
                                        "subscribePattern", "unsubscribePattern"};
    json_t *acls = json_array();
    for (; *topics != NULL; topics++)
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
            json_array_append_new(acls, dynsec_acl(types[i], *topics));
    return json_pack("{s:s, s:o}", "rolename", name, "acls", acls);
}

json_t *dynsec_first_file(const char *admin_word, const char *hub, const char *hub_word)
{
    static const char *const control[] = {"$CONTROL/dynamic-security/#", NULL};
    static const char *const everything[] = {"#", "$SYS/#", NULL};
    return json_pack("{s:{s:b, s:b, s:b, s:b}, s:[o, o], s:[], s:[o, o]}", "defaultACLAccess",
                     "publishClientSend", 0, "publishClientReceive", 0, "subscribe", 0,
                     "unsubscribe", 1, "clients", client(DYNSEC_ADMIN, "admin", admin_word),
                     client(hub, "hub", hub_word), "groups", "roles", role("admin", control),
                     role("hub", everything));
}
