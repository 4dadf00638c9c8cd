/*
 * What the web server thinks of a request: pure checks of what came from the network, so that they
 * can be tested and fuzzed without a socket. Nothing here allocates or keeps anything.
 *
 * Host and Origin are the defence against other people's pages: a page of another site can make the
 * browser call this hub, and a name of its own can be pointed at the hub's address (DNS
 * rebinding), but the browser then sends that site's name, which is not ours.
 */
#ifndef LUMBAR_IO_WEB_HTTP_H
#define LUMBAR_IO_WEB_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_VALUE_BYTES 320  /* of one header; a longer one is unusable */
#define HTTP_HEAD_BYTES  1280 /* of an answer */
#define HTTP_SUBPROTOCOL "lumbar.live.v1"
#define HTTP_LIVE_PATH   "/live"
#define HTTP_STRICT       "Strict-Transport-Security"
#define HTTP_STRICT_VALUE "max-age=31536000"
#define HTTP_API_PATH    "/api/" /* and everything below */
#define HTTP_METRICS      "/metrics" /* of the API as well, where monitors look for them */
#define HTTP_HEALTH       "/healthz"

/* Ourselves, as a browser may name us. */
struct http_server {
    const char *listen; /* the numeric address we listen on */
    int port;
    bool tls;
    const char *host;   /* more names, with or without a port, with commas between; "" none */
    const char *origin; /* origins beside our own, the same; "" none */
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OTHER };

/* Header values are terminated; "" where the header is absent or empty. */
struct http_request {
    enum http_method method;
    const char *path; /* decoded, without the query */
    const char *host, *origin;
    const char *subprotocol, *version, *key; /* Sec-WebSocket-..., for an upgrade */
    bool local; /* by the hub's own socket, where no browser comes: any Host will do */
};

/* The status to refuse it with, or 0. What stands below /api/ may be changed, all else only read.
 */
int http_judge(const struct http_server *server, const struct http_request *request);

/* The same for an upgrade to WebSocket, which also needs an Origin, the path and the one
 * subprotocol. */
int http_judge_upgrade(const struct http_server *server, const struct http_request *request);

bool http_path_is_api(const char *path);
bool http_path_is_short(const char *path); /* it is, without what the API's begin with */

/* The length of a body that Content-Length announces ("" none), at most `most`: 0, or the status to
 * refuse it with. A Transfer-Encoding is refused: what two programs could understand differently
 * is understood by none. */
int http_body_length(const char *content_length, const char *transfer_encoding, size_t most,
                     size_t *bytes);

bool http_host_is_ours(const struct http_server *server, const char *host);
bool http_origin_is_host(const char *origin, const char *host);

/* A page of ours (over TLS only one that came so), or of an origin that the configuration names. */
bool http_origin_is_good(const struct http_server *server, const char *origin, const char *host);

/* Accept-Encoding: would it take gzip? */
bool http_takes_gzip(const char *accept_encoding);

/* If-None-Match: is this entity tag (with its quotes) among them? Weak comparison, RFC 9110. */
bool http_etag_matches(const char *if_none_match, const char *etag);

/* May it name a file below a folder: "/a/b.c", of A-Z a-z 0-9 . _ -, no part beginning with a dot?
 * So there is no way up and nothing hidden. */
bool http_path_is_plain(const char *path);

/* The media type by the path's ending. */
const char *http_type_of(const char *path);

struct http_answer {
    int status;
    const char *type, *etag; /* NULL: without */
    const char *allow;       /* of a 405; NULL: GET, HEAD */
    const char *policy;      /* in place of that of http_headers; NULL: that one */
    const char *location;    /* of what was created; NULL: nothing was */
    const char *file;        /* what the body is saved as; NULL: it is shown */
    const char *cookie;      /* a Set-Cookie; NULL: none */
    int retry_s;             /* not before; 0: nothing is said of it */
    bool gzip;
    bool tls; /* never again without, for a year (HSTS) */
    size_t body_bytes;
};

/* Writes the head of an answer, security headers included; returns its length, 0 if it does not
 * fit. The connection always closes after it. */
size_t http_write_head(char *out, size_t bytes, const struct http_answer *answer);

/* A line for people that goes as the body of a refusal. */
const char *http_words(int status);

/* The headers of every answer, as name and value; ends with a NULL name. */
struct http_header {
    const char *name, *value;
};
extern const struct http_header http_headers[];

#endif
