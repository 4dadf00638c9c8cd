#include "io/certificate.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "io/certificate_names.h"
#include "io/files.h"

#define DAY_MS      INT64_C(86400000)
#define CHAIN_MAX   10
#define OLDEST_MS   INT64_C(1767225600000) /* 2026: before it no clock is right */
#define SERIAL_BITS 127

struct certificate {
    X509 *own; /* the first of the file */
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
    bool is_own;
    int64_t until_ms;
    char fingerprint[CERTIFICATE_PRINT_BYTES];
};

/* OpenSSL's last complaint; the queue is empty afterwards. */
static const char *reason(void)
{
    const char *words = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return words != NULL ? words : "no reason was given";
}

void certificate_destroy(struct certificate *certificate)
{
    if (certificate == NULL)
        return;
    X509_free(certificate->own);
    sk_X509_pop_free(certificate->chain, X509_free);
    EVP_PKEY_free(certificate->key);
    free(certificate);
}

const char *certificate_fingerprint(const struct certificate *certificate)
{
    return certificate->fingerprint;
}

int64_t certificate_until_ms(const struct certificate *certificate)
{
    return certificate->until_ms;
}

bool certificate_is_own(const struct certificate *certificate)
{
    return certificate->is_own;
}

bool certificate_use(const struct certificate *certificate, void *ssl_context)
{
    bool done = SSL_CTX_use_cert_and_key(ssl_context, certificate->own, certificate->key,
                                         certificate->chain, 1) == 1;
    ERR_clear_error();
    return done;
}

/* ---- What can be told of it ---- */

static bool tell_end(struct certificate *certificate)
{
    struct tm end;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate->own), &end) != 1)
        return false;
    certificate->until_ms = (int64_t)timegm(&end) * 1000;
    return true;
}

static bool tell_fingerprint(struct certificate *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    struct text text = text_in(certificate->fingerprint, sizeof(certificate->fingerprint));
    if (X509_digest(certificate->own, EVP_sha256(), digest, &count) != 1)
        return false;
    for (unsigned i = 0; i < count; i++)
        text_add(&text, "%s%02X", i > 0 ? ":" : "", digest[i]);
    return true;
}

/* ---- From PEM ---- */

/* A key with a password would make OpenSSL ask for it at the terminal. */
static int no_password(char *out, int bytes, int writes, void *user)
{
    (void)out, (void)bytes, (void)writes, (void)user;
    return -1;
}

static bool read_chain(struct certificate *certificate, BIO *pem)
{
    certificate->own = PEM_read_bio_X509(pem, NULL, no_password, NULL);
    certificate->chain = sk_X509_new_null();
    X509 *next = NULL;
    while (certificate->own != NULL && certificate->chain != NULL &&
           sk_X509_num(certificate->chain) < CHAIN_MAX &&
           (next = PEM_read_bio_X509(pem, NULL, no_password, NULL)) != NULL)
        if (sk_X509_push(certificate->chain, next) == 0) {
            X509_free(next);
            return false;
        }
    ERR_clear_error(); /* the end of the file is one */
    return certificate->own != NULL && certificate->chain != NULL;
}

static struct certificate *read_pem(const char *chain, size_t chain_bytes, const char *key,
                                    size_t key_bytes)
{
    struct certificate *certificate = calloc(1, sizeof(*certificate));
    BIO *chain_pem = BIO_new_mem_buf(chain, (int)chain_bytes);
    BIO *key_pem = BIO_new_mem_buf(key, (int)key_bytes);
    bool good = certificate != NULL && chain_pem != NULL && key_pem != NULL &&
                read_chain(certificate, chain_pem);
    if (good)
        certificate->key = PEM_read_bio_PrivateKey(key_pem, NULL, no_password, NULL);
    BIO_free(chain_pem);
    BIO_free(key_pem);
    if (good && certificate->key != NULL && tell_end(certificate) && tell_fingerprint(certificate))
        return certificate;
    certificate_destroy(certificate);
    return NULL;
}

/* The words name the files and the fault, in place of OpenSSL's. */
static int check(const struct certificate *certificate, const char *certificate_file,
                 const char *key_file, struct diag *diag)
{
    if (certificate == NULL)
        return diag_set(diag, ERR_MALFORMED, "no certificate in %s, or no key in %s: %s",
                        certificate_file, key_file, reason());
    if (X509_check_private_key(certificate->own, certificate->key) != 1) {
        ERR_clear_error();
        return diag_set(diag, ERR_CONFLICT, "the key in %s is not that of %s", key_file,
                        certificate_file);
    }
    return 0;
}

int certificate_load(struct certificate **out, const char *certificate_file, const char *key_file,
                     struct diag *diag)
{
    char *chain = NULL, *key = NULL;
    size_t chain_bytes = 0, key_bytes = 0;
    *out = NULL;
    int code = files_read(certificate_file, &chain, &chain_bytes, diag);
    if (code == 0)
        code = files_read_secret(key_file, &key, &key_bytes, diag);
    if (code == 0) {
        *out = read_pem(chain, chain_bytes, key, key_bytes);
        code = check(*out, certificate_file, key_file, diag);
    }
    files_free_secret(key, key_bytes);
    free(chain);
    if (code != 0) {
        certificate_destroy(*out);
        *out = NULL;
    }
    return code;
}

/* ---- Its own ---- */

static bool set_serial(X509 *made)
{
    BIGNUM *number = BN_new();
    bool done = number != NULL &&
                BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made)) != NULL;
    BN_free(number);
    return done;
}

static bool add_extension(X509 *made, int what, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, made, made, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, what, value);
    bool done = extension != NULL && X509_add_ext(made, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return done;
}

/* A day back, for clocks that differ. A clock that was never set must not make one that ends before
 * it is used. */
static bool set_times(X509 *made, int64_t wall_ms)
{
    time_t from = (time_t)((wall_ms > OLDEST_MS ? wall_ms : OLDEST_MS) / 1000 - 86400);
    return X509_time_adj_ex(X509_getm_notBefore(made), 0, 0, &from) != NULL &&
           X509_time_adj_ex(X509_getm_notAfter(made), CERTIFICATE_DAYS, 0, &from) != NULL;
}

static X509 *sign(EVP_PKEY *key, const char *names, int64_t wall_ms)
{
    char alternatives[CERTIFICATE_NAMES_BYTES], host[256];
    certificate_names(names, alternatives, host);
    X509 *made = X509_new();
    X509_NAME *name = made != NULL ? X509_get_subject_name(made) : NULL;
    if (made != NULL && X509_set_version(made, 2) && set_serial(made) && set_times(made, wall_ms) &&
        X509_set_pubkey(made, key) &&
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Lumbar", -1,
                                   -1, 0) &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)host, -1, -1,
                                   0) &&
        X509_set_issuer_name(made, name) &&
        add_extension(made, NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(made, NID_key_usage, "critical,digitalSignature") &&
        add_extension(made, NID_ext_key_usage, "serverAuth") &&
        add_extension(made, NID_subject_key_identifier, "hash") &&
        add_extension(made, NID_subject_alt_name, alternatives) &&
        X509_sign(made, key, EVP_sha256()) > 0)
        return made;
    X509_free(made);
    return NULL;
}

/* Beside the file and then in its place: whoever reads it finds the old one or the new one. */
static int write_own(const struct certificate *certificate, const char *file, struct diag *diag)
{
    char beside[1100];
    snprintf(beside, sizeof(beside), "%s.new", file);
    unlink(beside);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool written = out != NULL &&
                   PEM_write_PrivateKey(out, certificate->key, NULL, NULL, 0, NULL, NULL) == 1 &&
                   PEM_write_X509(out, certificate->own) == 1 && fflush(out) == 0 && fsync(fd) == 0;
    if (out != NULL)
        written = fclose(out) == 0 && written;
    else if (fd >= 0)
        close(fd);
    if (written && rename(beside, file) == 0)
        return 0;
    unlink(beside);
    ERR_clear_error();
    return diag_set(diag, ERR_IO, "the certificate cannot be written to %s", file);
}

static struct certificate *make_own(EVP_PKEY *key, const char *names, int64_t wall_ms)
{
    struct certificate *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return NULL;
    made->key = key != NULL && EVP_PKEY_up_ref(key) ? key : EVP_EC_gen("P-256");
    made->own = made->key != NULL ? sign(made->key, names, wall_ms) : NULL;
    made->chain = sk_X509_new_null();
    if (made->own != NULL && made->chain != NULL && tell_end(made) && tell_fingerprint(made))
        return made;
    certificate_destroy(made);
    return NULL;
}

int certificate_read_own(struct certificate **out, const char *file, struct diag *diag)
{
    char *text;
    size_t bytes;
    *out = NULL;
    int code = files_read_secret(file, &text, &bytes, diag);
    if (code != 0)
        return code;
    *out = read_pem(text, bytes, text, bytes);
    files_free_secret(text, bytes);
    code = check(*out, file, file, diag);
    if (code != 0) {
        certificate_destroy(*out);
        *out = NULL;
    }
    return code;
}

int certificate_own(struct certificate **out, const char *file, const char *names, int64_t wall_ms,
                    struct diag *diag)
{
    struct certificate *old = NULL;
    *out = NULL;
    int code = files_exists(file) ? certificate_read_own(&old, file, diag) : 0;
    if (code == 0 && (old == NULL || old->until_ms - wall_ms < CERTIFICATE_EARLY_DAYS * DAY_MS)) {
        *out = make_own(old != NULL ? old->key : NULL, names, wall_ms);
        code = *out != NULL
                   ? write_own(*out, file, diag)
                   : diag_set(diag, ERR_MEMORY, "no certificate could be made: %s", reason());
        /* One near its end is better than none: that it ends is said often enough. */
        if (code != 0 && old != NULL && old->until_ms > wall_ms) {
            certificate_destroy(*out);
            *out = old;
            old = NULL;
            code = 0;
        }
    } else if (code == 0) {
        *out = old;
        old = NULL;
    }
    certificate_destroy(old);
    if (code != 0) {
        certificate_destroy(*out);
        *out = NULL;
        return code;
    }
    (*out)->is_own = true;
    return 0;
}
