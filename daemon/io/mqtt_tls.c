#include "io/mqtt_client.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

/* The reason that OpenSSL gives for its last failure. */
static const char *reason(void)
{
    const char *words = ERR_reason_error_string(ERR_peek_last_error());
    return words != NULL ? words : "not a PEM file of that kind";
}

static int check_readable(const char *file, struct diag *diag)
{
    if (access(file, R_OK) == 0)
        return 0;
    return diag_set(diag, ERR_IO, "cannot read the broker's %s: %s", file, strerror(errno));
}

static int check_trust(SSL_CTX *context, const char *file, struct diag *diag)
{
    int code = check_readable(file, diag);
    if (code == 0 && SSL_CTX_load_verify_locations(context, file, NULL) != 1)
        code = diag_set(diag, ERR_SYNTAX, "the broker's ca_file %s holds no certificate: %s", file,
                        reason());
    return code;
}

static int check_certificate(SSL_CTX *context, const char *file, const char *key_file,
                             struct diag *diag)
{
    int code = check_readable(file, diag);
    if (code == 0)
        code = check_readable(key_file, diag);
    if (code != 0)
        return code;
    if (SSL_CTX_use_certificate_chain_file(context, file) != 1)
        return diag_set(diag, ERR_SYNTAX, "the broker's certificate_file %s holds none: %s", file,
                        reason());
    if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1)
        return diag_set(diag, ERR_CONFLICT, "the broker's key_file %s does not fit %s: %s",
                        key_file, file, reason());
    return 0;
}

/* What is wrong with these files Paho would find at each connect, and keep to itself. */
int mqtt_check_tls(const struct mqtt_options *options, struct diag *diag)
{
    if (options->ca_file[0] == '\0')
        return diag_set(diag, ERR_CONFLICT, "TLS to the broker needs a ca_file to trust");
    if ((options->certificate_file[0] == '\0') != (options->key_file[0] == '\0'))
        return diag_set(diag, ERR_CONFLICT, "certificate_file and key_file go together");
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL)
        return diag_set(diag, ERR_MEMORY, "no TLS: %s", reason());
    int code = check_trust(context, options->ca_file, diag);
    if (code == 0 && options->certificate_file[0] != '\0')
        code = check_certificate(context, options->certificate_file, options->key_file, diag);
    SSL_CTX_free(context);
    ERR_clear_error();
    return code;
}
