#include "io/web_state.h"

#include <string.h>

#include "io/web_page.h"

/* A header as a string; "?" (which nothing accepts) where it is too long or holds a NUL. */
static void copy_header(struct lws *wsi, enum lws_token_indexes token, char *out)
{
    int length = lws_hdr_copy(wsi, out, HTTP_VALUE_BYTES, token);
    if (length < 0 || (size_t)length != strlen(out))
        memcpy(out, "?", 2);
}

struct request_text {
    char path[HTTP_VALUE_BYTES], host[HTTP_VALUE_BYTES], origin[HTTP_VALUE_BYTES];
    char subprotocol[HTTP_VALUE_BYTES], version[HTTP_VALUE_BYTES], key[HTTP_VALUE_BYTES];
};

static struct http_request read_request(struct lws *wsi, struct request_text *text)
{
    struct http_request request = {HTTP_OTHER,        text->path,    text->host, text->origin,
                                   text->subprotocol, text->version, text->key};
    text->path[0] = '\0';
    if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0) {
        request.method = HTTP_GET;
        copy_header(wsi, WSI_TOKEN_GET_URI, text->path);
    } else if (lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0) {
        request.method = HTTP_HEAD;
        copy_header(wsi, WSI_TOKEN_HEAD_URI, text->path);
    }
    copy_header(wsi, WSI_TOKEN_HOST, text->host);
    copy_header(wsi, WSI_TOKEN_ORIGIN, text->origin);
    copy_header(wsi, WSI_TOKEN_PROTOCOL, text->subprotocol);
    copy_header(wsi, WSI_TOKEN_VERSION, text->version);
    copy_header(wsi, WSI_TOKEN_KEY, text->key);
    return request;
}

/* One answer, and the end of the connection: so a socket's buffer takes it whole, and nobody makes
 * us hold answers by asking for more without reading. Returns -1, which makes lws flush and close.
 */
static int send_answer(struct lws *wsi, const struct http_answer *answer, const void *body)
{
    unsigned char head[LWS_PRE + HTTP_HEAD_BYTES];
    size_t length = http_write_head((char *)head + LWS_PRE, HTTP_HEAD_BYTES, answer);
    if (length == 0 || lws_write(wsi, head + LWS_PRE, length, LWS_WRITE_HTTP_HEADERS) < 0)
        return -1;
    if (body != NULL && answer->body_bytes > 0)
        lws_write(wsi, (unsigned char *)(uintptr_t)body, answer->body_bytes, LWS_WRITE_HTTP_FINAL);
    return -1;
}

static int refuse(struct web *web, struct lws *wsi, int status, bool head)
{
    const char *words = http_words(status);
    struct http_answer answer = {
        .status = status, .type = "text/plain; charset=utf-8", .body_bytes = strlen(words)};
    web->refused++;
    return send_answer(wsi, &answer, head ? NULL : words);
}

static int send_page(struct lws *wsi, const struct page_file *file, bool head)
{
    char accepts[HTTP_VALUE_BYTES], known[HTTP_VALUE_BYTES];
    copy_header(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING, accepts);
    copy_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, known);
    struct http_answer answer = {.status = 200, .type = file->type, .etag = file->etag};
    if (file->etag != NULL && http_etag_matches(known, file->etag)) {
        answer.status = 304;
        return send_answer(wsi, &answer, NULL);
    }
    answer.gzip = file->gzip != NULL && http_takes_gzip(accepts);
    answer.body_bytes = answer.gzip ? file->gzip_bytes : file->plain_bytes;
    return send_answer(wsi, &answer, head ? NULL : answer.gzip ? file->gzip : file->plain);
}

int web_serve_request(struct web *web, struct client *client, struct lws *wsi)
{
    struct request_text text;
    struct http_request request = read_request(wsi, &text);
    bool head = request.method == HTTP_HEAD;
    web->requests++;
    int status = client->over ? 503 : http_judge(&web->server, &request);
    if (status != 0)
        return refuse(web, wsi, status, head);
    struct web_page page;
    const char *folder = web->web_root[0] != '\0' ? web->web_root : NULL;
    if (!web_page_find(&page, folder, request.path))
        return refuse(web, wsi, 404, head);
    int result = send_page(wsi, &page.file, head);
    web_page_fini(&page);
    return result;
}

/* Every upgrade comes by here before lws does anything for it. Without an Upgrade header lws has
 * refused it already (it was neither websocket nor h2c) and calls us nonetheless, with a pointer to
 * what it has freed: only hang up. */
int web_serve_upgrade(struct web *web, struct client *client, struct lws *wsi)
{
    if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) <= 0)
        return -1;
    char upgrade[HTTP_VALUE_BYTES];
    struct request_text text;
    copy_header(wsi, WSI_TOKEN_UPGRADE, upgrade);
    struct http_request request = read_request(wsi, &text);
    web->requests++;
    if (client->over)
        return refuse(web, wsi, 503, false);
    if (strcasecmp(upgrade, "websocket") != 0)
        return refuse(web, wsi, 400, false);
    int status = http_judge_upgrade(&web->server, &request);
    return status != 0 ? refuse(web, wsi, status, false) : 0;
}

/* The second fence, after lws chose a protocol: nothing comes by but what web_serve_upgrade let. */
int web_serve_filter(struct web *web, struct lws *wsi)
{
    struct request_text text;
    struct http_request request = read_request(wsi, &text);
    if (http_judge_upgrade(&web->server, &request) == 0 &&
        strcmp(lws_get_protocol(wsi)->name, HTTP_SUBPROTOCOL) == 0)
        return 0;
    web->refused++;
    return -1;
}
