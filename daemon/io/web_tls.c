/* TLS on the page's port: OpenSSL, behind libwebsockets, made as strict as browsers allow. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "io/certificate.h"
#include "io/web_state.h"

/* Forward secrecy and authenticated encryption; what else TLS 1.2 knows has had its attacks. */
#define CIPHERS                                                                                    \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"     \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

void web_tls_context(struct web *web, void *context)
{
    SSL_CTX *ssl = context;
    web->ssl = ssl;
    SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(ssl, CIPHERS);
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);         /* an idle browser costs no 32 KB */
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF); /* tickets need no memory of ours */
    SSL_CTX_set_num_tickets(ssl, 1);
    ERR_clear_error();
}

bool web_take_certificate(struct web *web, const struct certificate *certificate)
{
    return web->ssl != NULL && certificate_use(certificate, web->ssl);
}
