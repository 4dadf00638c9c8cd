#include "io/webhook_tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

struct tls {
    SSL *ssl;
    BIO *in, *out; /* of the wire; the SSL's */
};

static const char *reason(void)
{
    const char *words = ERR_reason_error_string(ERR_peek_last_error());
    return words != NULL ? words : "no reason was given";
}

int tls_trust_create(struct tls_trust **out, const char *ca_file, struct diag *diag)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    *out = (struct tls_trust *)context;
    if (context == NULL)
        return diag_set(diag, ERR_MEMORY, "no TLS: %s", reason());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    int done = ca_file[0] != '\0' ? SSL_CTX_load_verify_locations(context, ca_file, NULL)
                                  : SSL_CTX_set_default_verify_paths(context);
    int code = done == 1 ? 0
                         : diag_set(diag, ERR_IO, "no certificates in %s: %s",
                                    ca_file[0] != '\0' ? ca_file : "the system", reason());
    ERR_clear_error();
    if (code != 0) {
        SSL_CTX_free(context);
        *out = NULL;
    }
    return code;
}

void tls_trust_destroy(struct tls_trust *trust)
{
    SSL_CTX_free((SSL_CTX *)trust);
}

/* A certificate names an address otherwise than a host. */
static bool expect(SSL *ssl, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct tls *tls_create(const struct tls_trust *trust, const char *host)
{
    struct tls *tls = calloc(1, sizeof(*tls));
    if (tls == NULL)
        return NULL;
    tls->ssl = SSL_new((SSL_CTX *)(uintptr_t)trust);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    if (tls->ssl == NULL || tls->in == NULL || tls->out == NULL || !expect(tls->ssl, host)) {
        BIO_free(tls->in);
        BIO_free(tls->out);
        SSL_free(tls->ssl);
        free(tls);
        return NULL;
    }
    BIO_set_mem_eof_return(tls->in, -1); /* empty: more may come */
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    SSL_set_connect_state(tls->ssl);
    return tls;
}

void tls_destroy(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl); /* with both ends of the wire */
    free(tls);
    ERR_clear_error();
}

static bool wants_more(const struct tls *tls, int result)
{
    int error = SSL_get_error(tls->ssl, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

int tls_shake(struct tls *tls)
{
    ERR_clear_error();
    int result = SSL_do_handshake(tls->ssl);
    return result == 1 ? 1 : wants_more(tls, result) ? 0 : -1;
}

bool tls_write(struct tls *tls, const void *plain, size_t bytes)
{
    ERR_clear_error();
    return SSL_write(tls->ssl, plain, (int)bytes) == (int)bytes; /* memory takes all of it */
}

bool tls_feed(struct tls *tls, const void *wire, size_t bytes)
{
    return BIO_write(tls->in, wire, (int)bytes) == (int)bytes;
}

int tls_read(struct tls *tls, void *plain, size_t room)
{
    ERR_clear_error();
    int result = SSL_read(tls->ssl, plain, (int)room);
    return result > 0 ? result : wants_more(tls, result) ? 0 : -1;
}

size_t tls_drain(struct tls *tls, void *wire, size_t room)
{
    int result = BIO_read(tls->out, wire, (int)room);
    return result > 0 ? (size_t)result : 0;
}

const char *tls_error(const struct tls *tls, char *out, size_t bytes)
{
    long verified = SSL_get_verify_result(tls->ssl);
    snprintf(out, bytes, "%s",
             verified != X509_V_OK ? X509_verify_cert_error_string(verified) : reason());
    return out;
}
