/*
 * The one cookie that the hub knows, out of a Cookie header.
 *
 * The name is matched as a whole and by case, so that "x__Host-lumbar" or "__host-lumbar" is
 * another one. Where the name stands twice the request has no cookie: a page of a neighbouring
 * subdomain may set a second one with a longer path, and nobody could say which is ours (RFC 6265,
 * 5.4). Pure; nothing is allocated, and nothing of the header is ever logged.
 */
#ifndef LUMBAR_CORE_COOKIE_H
#define LUMBAR_CORE_COOKIE_H

#include <stdbool.h>
#include <stddef.h>

/* A browser keeps a cookie of the prefix __Host- only with Secure, and a Secure one never goes over
 * plain HTTP, which is served on loopback only: there it has the bare name. Neither door takes the
 * other's name, so what was set over plain HTTP is of no use at the one with TLS. */
#define COOKIE_NAME_TLS   "__Host-lumbar"
#define COOKIE_NAME_PLAIN "lumbar"

/* The value into `out`, of A-Z a-z 0-9 - _ only; false where there is none, or no usable one. */
bool cookie_find(const char *header, const char *name, char *out, size_t bytes);

/* A Set-Cookie value; max_age_s 0 takes it away. */
void cookie_write(char *out, size_t bytes, bool tls, const char *value, long long max_age_s);

#endif
