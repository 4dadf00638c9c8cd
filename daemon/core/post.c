#include "core/post.h"

#include <string.h>

#include "base/text.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Nothing that would end a line, or a word of one. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return false;
    return true;
}

static bool copy(char *out, size_t room, const char *from, size_t bytes)
{
    if (bytes >= room)
        return false;
    memcpy(out, from, bytes);
    out[bytes] = '\0';
    return true;
}

/* ":8080" or nothing. */
static bool read_port(struct post_place *place, const char *text, size_t bytes)
{
    place->port = place->tls ? 443 : 80;
    if (bytes == 0)
        return true;
    if (text[0] != ':' || bytes < 2 || bytes > 6)
        return false;
    place->port = 0;
    for (size_t i = 1; i < bytes; i++) {
        if (!is_digit(text[i]))
            return false;
        place->port = place->port * 10 + (unsigned)(text[i] - '0');
    }
    return place->port > 0 && place->port <= 65535;
}

/* "host", "host:port", "[::1]:port". */
static bool read_authority(struct post_place *place, const char *text, size_t bytes)
{
    bool bracket = bytes > 0 && text[0] == '[';
    const char *host = bracket ? text + 1 : text;
    const char *end = memchr(host, bracket ? ']' : ':', bytes - (size_t)(host - text));
    if (end == NULL && bracket)
        return false;
    if (end == NULL)
        end = text + bytes;
    const char *rest = bracket ? end + 1 : end;
    return end > host && memchr(text, '@', bytes) == NULL &&
           copy(place->host, sizeof(place->host), host, (size_t)(end - host)) &&
           read_port(place, rest, bytes - (size_t)(rest - text));
}

int post_read_place(struct post_place *place, const char *url, struct diag *diag)
{
    static const char plain[] = "http://", secure[] = "https://";
    *place = (struct post_place){.tls = strncmp(url, secure, sizeof(secure) - 1) == 0};
    if (!place->tls && strncmp(url, plain, sizeof(plain) - 1) != 0)
        return diag_set(diag, ERR_SYNTAX, "'%.100s' does not begin with http:// or https://", url);
    if (!is_plain(url) || strchr(url, '#') != NULL)
        return diag_set(diag, ERR_SYNTAX, "'%.100s' has a space or a '#' in it", url);
    const char *authority = url + (place->tls ? sizeof(secure) : sizeof(plain)) - 1;
    size_t bytes = strcspn(authority, "/?");
    const char *path = authority + bytes;
    if (!read_authority(place, authority, bytes))
        return diag_set(diag, ERR_SYNTAX, "'%.100s' names no host and port that could be asked",
                        url);
    struct text text = text_in(place->path, sizeof(place->path));
    text_add(&text, "%s%s", path[0] == '/' ? "" : "/", path);
    if (text.cut)
        return diag_set(diag, ERR_LIMIT, "a path has at most %d bytes", POST_PATH_BYTES - 1);
    return 0;
}

size_t post_write_head(char out[POST_HEAD_BYTES], const struct post_place *place, const char *word,
                       size_t body_bytes)
{
    struct text text = text_in(out, POST_HEAD_BYTES);
    bool bracket = strchr(place->host, ':') != NULL;
    text_add(&text, "POST %s HTTP/1.1\r\nHost: %s%s%s:%u\r\n", place->path, bracket ? "[" : "",
             place->host, bracket ? "]" : "", place->port);
    text_add(&text, "User-Agent: lumbard/" LUMBAR_VERSION "\r\nContent-Type: application/json\r\n");
    if (word[0] != '\0')
        text_add(&text, "Authorization: Bearer %s\r\n", word);
    text_add(&text, "Content-Length: %zu\r\nConnection: close\r\n\r\n", body_bytes);
    return text.cut ? 0 : text.length;
}

int post_read_status(const char *bytes, size_t count)
{
    static const char begin[] = "HTTP/1.";
    const size_t line = sizeof(begin) - 1 + 5; /* "HTTP/1.1 200" */
    if (memcmp(bytes, begin, count < sizeof(begin) - 1 ? count : sizeof(begin) - 1) != 0)
        return -1;
    if (count < line)
        return 0;
    const char *at = bytes + sizeof(begin) - 1;
    if (!is_digit(at[0]) || at[1] != ' ' || !is_digit(at[2]) || !is_digit(at[3]) ||
        !is_digit(at[4]))
        return -1;
    int status = (at[2] - '0') * 100 + (at[3] - '0') * 10 + at[4] - '0';
    return status >= 100 && status < 600 ? status : -1;
}
