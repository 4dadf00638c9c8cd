#include "io/web_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define POLICY "Content-Security-Policy"

const struct http_header http_headers[] = {
    {"Cache-Control", "no-cache"},
    {POLICY, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
             "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {NULL, NULL},
};

/* "name", "name:port" or "[address]:port", in lower case and without the brackets. */
struct authority {
    char name[256];
    int port; /* 0: not given */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        c = (char)(c | 0x20);
    return c;
}

static bool is_name_char(char c)
{
    c = lower(c);
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '.' || c == '-' || c == '_';
}

static bool is_address_char(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f') || c == ':' || c == '.';
}

/* After the name: nothing, or a colon and a port of digits only. */
static bool parse_port(const char *text, int *port)
{
    *port = 0;
    if (*text == '\0')
        return true;
    if (*text++ != ':' || !is_digit(*text))
        return false;
    for (; is_digit(*text); text++) {
        *port = *port * 10 + (*text - '0');
        if (*port > 65535)
            return false;
    }
    return *text == '\0' && *port > 0;
}

static bool parse_authority(const char *text, struct authority *authority)
{
    bool bracket = *text == '[';
    text += bracket;
    size_t length = 0;
    while (bracket ? is_address_char(text[length]) : is_name_char(text[length])) {
        if (length == sizeof(authority->name) - 1)
            return false;
        authority->name[length] = lower(text[length]);
        length++;
    }
    authority->name[length] = '\0';
    if (length == 0 || (bracket && text[length++] != ']'))
        return false;
    return parse_port(text + length, &authority->port);
}

/* A numeric address of either family, IPv4 as IPv6 sees it. */
static bool parse_address(const char *text, struct in6_addr *address)
{
    struct in_addr four;
    if (inet_pton(AF_INET, text, &four) == 1) {
        *address = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
        memcpy(&address->s6_addr[12], &four, 4);
        return true;
    }
    return inet_pton(AF_INET6, text, address) == 1;
}

static bool is_loopback(const struct in6_addr *address)
{
    return IN6_IS_ADDR_LOOPBACK(address) ||
           (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

static bool is_any(const struct in6_addr *address)
{
    static const unsigned char none[4];
    return IN6_IS_ADDR_UNSPECIFIED(address) ||
           (IN6_IS_ADDR_V4MAPPED(address) && memcmp(&address->s6_addr[12], none, 4) == 0);
}

/* Does the name mean the address that we listen on? Listening on all of them, every numeric one
 * may be ours: rebinding needs a name, an address cannot be pointed elsewhere. */
static bool is_our_name(const struct http_server *server, const char *name)
{
    struct in6_addr ours, theirs;
    if (!parse_address(server->listen, &ours))
        return false;
    if (strcmp(name, "localhost") == 0)
        return is_loopback(&ours) || is_any(&ours);
    if (!parse_address(name, &theirs))
        return false;
    return is_any(&ours) || memcmp(&ours, &theirs, sizeof(ours)) == 0 ||
           (is_loopback(&ours) && is_loopback(&theirs));
}

/* Cuts the next item of a list with commas: [*item, *item + length), without blanks around it.
 * Returns false at the end. */
static bool next_item(const char **list, const char **item, size_t *length)
{
    const char *at = *list + strspn(*list, ", \t");
    if (*at == '\0')
        return false;
    *item = at;
    size_t count = strcspn(at, ",");
    *list = at + count;
    while (count > 0 && (at[count - 1] == ' ' || at[count - 1] == '\t'))
        count--;
    *length = count;
    return true;
}

/* A configured name: with its port if it has one; else ours, or none, as behind a proxy. */
static bool is_configured_name(const struct http_server *server, const struct authority *host)
{
    const char *list = server->host != NULL ? server->host : "", *item;
    size_t length;
    while (next_item(&list, &item, &length)) {
        char name[sizeof(host->name) + 8];
        struct authority extra;
        snprintf(name, sizeof(name), "%.*s", (int)length, item);
        if (length >= sizeof(name) || !parse_authority(name, &extra) ||
            strcmp(extra.name, host->name) != 0)
            continue;
        if (extra.port != 0 ? host->port == extra.port
                            : host->port == 0 || host->port == server->port)
            return true;
    }
    return false;
}

bool http_host_is_ours(const struct http_server *server, const char *host)
{
    struct authority theirs;
    if (!parse_authority(host, &theirs))
        return false;
    if (is_configured_name(server, &theirs))
        return true;
    int port = theirs.port != 0 ? theirs.port : server->tls ? 443 : 80;
    return port == server->port && is_our_name(server, theirs.name);
}

bool http_origin_is_host(const char *origin, const char *host)
{
    int fallback;
    if (strncasecmp(origin, "http://", 7) == 0)
        fallback = 80;
    else if (strncasecmp(origin, "https://", 8) == 0)
        fallback = 443;
    else
        return false; /* "null" among them: a sandboxed frame or a file */
    struct authority from, to;
    if (!parse_authority(strchr(origin, '/') + 2, &from) || !parse_authority(host, &to))
        return false;
    int from_port = from.port != 0 ? from.port : fallback;
    int to_port = to.port != 0 ? to.port : fallback;
    return from_port == to_port && strcmp(from.name, to.name) == 0;
}

bool http_origin_is_good(const struct http_server *server, const char *origin, const char *host)
{
    const char *list = server->origin != NULL ? server->origin : "", *item;
    size_t length, wanted = strlen(origin);
    bool secure = strncasecmp(origin, "https://", 8) == 0;
    if (http_origin_is_host(origin, host) && (secure || !server->tls))
        return true;
    while (next_item(&list, &item, &length))
        if (length == wanted && strncasecmp(item, origin, length) == 0)
            return true;
    return false;
}

/* What HTTP and the upgrade have in common: who is asked, and by whose page. */
static int judge_names(const struct http_server *server, const struct http_request *request)
{
    if (request->host[0] == '\0' && !request->local)
        return 400;
    if (!request->local && !http_host_is_ours(server, request->host))
        return 421;
    if (request->origin[0] != '\0' &&
        !http_origin_is_good(server, request->origin, request->host))
        return 403;
    return 0;
}

int http_judge(const struct http_server *server, const struct http_request *request)
{
    int status = judge_names(server, request);
    if (status != 0)
        return status;
    bool reads = request->method == HTTP_GET || request->method == HTTP_HEAD;
    bool only_read = !http_path_is_api(request->path) || http_path_is_short(request->path);
    if (request->method == HTTP_OTHER || (!reads && only_read))
        return 405;
    return strcmp(request->path, HTTP_LIVE_PATH) == 0 ? 426 : 0;
}

bool http_path_is_short(const char *path)
{
    return strcmp(path, HTTP_METRICS) == 0 || strcmp(path, HTTP_HEALTH) == 0;
}

bool http_path_is_api(const char *path)
{
    return strncmp(path, HTTP_API_PATH, strlen(HTTP_API_PATH)) == 0 || http_path_is_short(path);
}

int http_body_length(const char *content_length, const char *transfer_encoding, size_t most,
                     size_t *bytes)
{
    *bytes = 0;
    if (transfer_encoding[0] != '\0')
        return 411;
    if (content_length[0] == '\0')
        return 411;
    for (const char *at = content_length; *at != '\0'; at++)
        if (!is_digit(*at))
            return 400; /* two of them come as "2,2" */
    for (const char *at = content_length; *at != '\0'; at++) {
        *bytes = *bytes * 10 + (size_t)(*at - '0');
        if (*bytes > most)
            return 413;
    }
    return 0;
}

/* Sixteen bytes in base64. */
static bool is_key(const char *key)
{
    size_t length = strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    return length == 22 && strcmp(key + length, "==") == 0;
}

int http_judge_upgrade(const struct http_server *server, const struct http_request *request)
{
    int status = judge_names(server, request);
    if (status != 0)
        return status;
    if (request->method != HTTP_GET)
        return 405;
    if (strcmp(request->path, HTTP_LIVE_PATH) != 0)
        return 404;
    /* Browsers always send it. What is no browser can send one as well, and then means it. */
    if (request->origin[0] == '\0')
        return 403;
    if (strcmp(request->version, "13") != 0)
        return 426;
    if (strcmp(request->subprotocol, HTTP_SUBPROTOCOL) != 0 || !is_key(request->key))
        return 400;
    return 0;
}

/* Of an item "gzip;q=0.5": is its weight above nothing? What is no weight counts as none given. */
static bool is_weighted(const char *item, size_t length)
{
    const char *end = item + length;
    const char *at = memchr(item, ';', length);
    if (at == NULL)
        return true;
    at++;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    if (end - at < 3 || lower(at[0]) != 'q' || at[1] != '=')
        return true;
    for (at += 2; at < end; at++)
        if (*at >= '1' && *at <= '9')
            return true;
    return false;
}

bool http_takes_gzip(const char *accept_encoding)
{
    const char *item;
    size_t length;
    while (next_item(&accept_encoding, &item, &length)) {
        size_t name = 0;
        while (name < length && item[name] != ';' && item[name] != ' ' && item[name] != '\t')
            name++;
        if (name == 4 && strncasecmp(item, "gzip", 4) == 0)
            return is_weighted(item, length);
    }
    return false;
}

bool http_etag_matches(const char *if_none_match, const char *etag)
{
    const char *item;
    size_t length, wanted = strlen(etag);
    while (next_item(&if_none_match, &item, &length)) {
        if (length == 1 && item[0] == '*')
            return true;
        if (length > 2 && item[0] == 'W' && item[1] == '/') {
            item += 2;
            length -= 2;
        }
        if (length == wanted && memcmp(item, etag, wanted) == 0)
            return true;
    }
    return false;
}

bool http_path_is_plain(const char *path)
{
    if (path[0] != '/' || strlen(path) >= HTTP_VALUE_BYTES)
        return false;
    for (const char *at = path; *at != '\0'; at++) {
        if (*at == '/' && (at[1] == '/' || at[1] == '.' || at[1] == '\0'))
            return false;
        if (*at != '/' && !is_name_char(*at))
            return false;
    }
    return true;
}

const char *http_type_of(const char *path)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".txt", "text/plain; charset=utf-8"},
    };
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        size_t ending = strlen(types[i].ending);
        if (length > ending && strcasecmp(path + length - ending, types[i].ending) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

static const struct {
    int status;
    const char *reason, *words, *header;
} statuses[] = {
    {200, "OK", "", ""},
    {201, "Created", "", ""},
    {202, "Accepted", "", ""},
    {304, "Not Modified", "", ""},
    {400, "Bad Request", "This request cannot be used.\n", ""},
    {401, "Unauthorized", "Log in first.\n", "WWW-Authenticate: Bearer\r\n"},
    {403, "Forbidden", "Pages of another site may not use this hub.\n", ""},
    {404, "Not Found", "There is nothing here.\n", ""},
    {405, "Method Not Allowed", "Only GET and HEAD are known here.\n", ""},
    {409, "Conflict", "This contradicts what is.\n", ""},
    {411, "Length Required", "A body says its Content-Length.\n", ""},
    {412, "Precondition Failed", "This was changed meanwhile.\n", ""},
    {413, "Content Too Large", "This body is too large.\n", ""},
    {415, "Unsupported Media Type", "Only JSON is taken here.\n", ""},
    {421, "Misdirected Request", "This hub does not go by that name.\n", ""},
    {422, "Unprocessable Content", "This cannot be done.\n", ""},
    {426, "Upgrade Required", "This is the place of a WebSocket.\n",
     "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"},
    {428, "Precondition Required", "A change says which version it is of.\n", ""},
    {429, "Too Many Requests", "Too often.\n", ""},
    {500, "Internal Server Error", "The hub could not do this.\n", ""},
    {503, "Service Unavailable", "Too many pages are open.\n", "Retry-After: 5\r\n"},
};

static size_t find_status(int status)
{
    size_t at = 0, count = sizeof(statuses) / sizeof(statuses[0]);
    while (at < count - 1 && statuses[at].status != status)
        at++;
    return at;
}

const char *http_words(int status)
{
    return statuses[find_status(status)].words;
}

size_t http_write_head(char *out, size_t bytes, const struct http_answer *answer)
{
    size_t status = find_status(answer->status);
    struct text head = text_in(out, bytes);
    text_add(&head, "HTTP/1.1 %d %s\r\nConnection: close\r\n%s", statuses[status].status,
             statuses[status].reason, statuses[status].header);
    for (const struct http_header *header = http_headers; header->name != NULL; header++) {
        bool own = answer->policy != NULL && strcmp(header->name, POLICY) == 0;
        text_add(&head, "%s: %s%s\r\n", header->name, own ? answer->policy : header->value,
                 own ? "; frame-ancestors 'none'" : "");
    }
    if (answer->tls)
        text_add(&head, HTTP_STRICT ": " HTTP_STRICT_VALUE "\r\n");
    if (answer->file != NULL)
        text_add(&head, "Content-Disposition: attachment; filename=\"%s\"\r\n", answer->file);
    if (answer->cookie != NULL)
        text_add(&head, "Set-Cookie: %s\r\n", answer->cookie);
    if (answer->retry_s > 0)
        text_add(&head, "Retry-After: %d\r\n", answer->retry_s);
    if (answer->status == 405)
        text_add(&head, "Allow: %s\r\n", answer->allow != NULL ? answer->allow : "GET, HEAD");
    if (answer->type != NULL)
        text_add(&head, "Content-Type: %s\r\nVary: Accept-Encoding\r\n", answer->type);
    if (answer->etag != NULL)
        text_add(&head, "ETag: %s\r\n", answer->etag);
    if (answer->location != NULL)
        text_add(&head, "Location: %s\r\n", answer->location);
    if (answer->gzip)
        text_add(&head, "Content-Encoding: gzip\r\n");
    if (answer->status != 304)
        text_add(&head, "Content-Length: %zu\r\n", answer->body_bytes);
    text_add(&head, "\r\n");
    return head.cut ? 0 : head.length;
}
