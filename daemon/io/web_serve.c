#include "io/web_state.h"

#include <string.h>

#include "io/web_page.h"

void web_header(struct lws *wsi, enum lws_token_indexes token, char out[HTTP_VALUE_BYTES])
{
    int length = lws_hdr_copy(wsi, out, HTTP_VALUE_BYTES, token);
    if (length < 0 || (size_t)length != strlen(out))
        memcpy(out, "?", 2);
}

/* By the page's port; of our own socket lws thinks so, too. */
static bool is_tls(struct lws *wsi)
{
    const struct web *web = lws_context_user(lws_get_context(wsi));
    const struct client *client = lws_get_opaque_user_data(wsi);
    return web->server.tls && (client == NULL || !client->local);
}

#define COOKIE_BYTES                                                                               \
    2048 /* programs beside us on this machine set cookies of the same name of host */

/* As a header, but longer; "" where it cannot be used: then there is none. */
static void long_header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t bytes)
{
    int length = lws_hdr_copy(wsi, out, (int)bytes, token);
    if (length < 0 || (size_t)length != strlen(out))
        out[0] = '\0';
}

void web_see_who(struct web *web, struct client *client, struct lws *wsi)
{
    char cookie[COOKIE_BYTES], authorization[HTTP_VALUE_BYTES];
    if (web->see_who == NULL) {
        client->access = access_all(client->local ? ACCESS_LOCAL : ACCESS_OPEN,
                                    client->local ? "lumbarctl" : "page");
        return;
    }
    long_header(wsi, WSI_TOKEN_HTTP_COOKIE, cookie, sizeof(cookie));
    long_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, authorization, sizeof(authorization));
    const struct web_claim claim = {.local = client->local,
                                    .uid = client->uid,
                                    .tls = is_tls(wsi),
                                    .cookie = cookie,
                                    .authorization = authorization};
    web->see_who(web->people, &claim, &client->access);
    explicit_bzero(cookie, sizeof(cookie));
    explicit_bzero(authorization, sizeof(authorization));
}

struct request_text {
    char path[HTTP_VALUE_BYTES], host[HTTP_VALUE_BYTES], origin[HTTP_VALUE_BYTES];
    char subprotocol[HTTP_VALUE_BYTES], version[HTTP_VALUE_BYTES], key[HTTP_VALUE_BYTES];
};

static struct http_request read_request(const struct client *client, struct lws *wsi,
                                        struct request_text *text)
{
    static const struct {
        enum lws_token_indexes token;
        enum http_method method;
    } methods[] = {
        {WSI_TOKEN_GET_URI, HTTP_GET},       {WSI_TOKEN_HEAD_URI, HTTP_HEAD},
        {WSI_TOKEN_POST_URI, HTTP_POST},     {WSI_TOKEN_PUT_URI, HTTP_PUT},
        {WSI_TOKEN_DELETE_URI, HTTP_DELETE}, {WSI_TOKEN_PATCH_URI, HTTP_OTHER},
        {WSI_TOKEN_OPTIONS_URI, HTTP_OTHER},
    };
    struct http_request request = {
        HTTP_OTHER,        text->path,    text->host, text->origin,
        text->subprotocol, text->version, text->key,  client != NULL && client->local};
    text->path[0] = '\0';
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (lws_hdr_total_length(wsi, methods[i].token) > 0) {
            request.method = methods[i].method;
            web_header(wsi, methods[i].token, text->path);
            break;
        }
    web_header(wsi, WSI_TOKEN_HOST, text->host);
    web_header(wsi, WSI_TOKEN_ORIGIN, text->origin);
    web_header(wsi, WSI_TOKEN_PROTOCOL, text->subprotocol);
    web_header(wsi, WSI_TOKEN_VERSION, text->version);
    web_header(wsi, WSI_TOKEN_KEY, text->key);
    return request;
}

/* One answer, and the end of the connection: so a socket's buffer takes it whole, and nobody makes
 * us hold answers by asking for more without reading. Returns -1, which makes lws flush and close.
 */
int web_send(struct lws *wsi, const struct http_answer *answer, const void *body)
{
    unsigned char head[LWS_PRE + HTTP_HEAD_BYTES];
    struct http_answer whole = *answer;
    whole.tls = is_tls(wsi);
    size_t length = http_write_head((char *)head + LWS_PRE, HTTP_HEAD_BYTES, &whole);
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
    return web_send(wsi, &answer, head ? NULL : words);
}

static int send_page(struct lws *wsi, const struct page_file *file, bool head)
{
    char accepts[HTTP_VALUE_BYTES], known[HTTP_VALUE_BYTES];
    web_header(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING, accepts);
    web_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, known);
    struct http_answer answer = {.status = 200, .type = file->type, .etag = file->etag};
    if (file->etag != NULL && http_etag_matches(known, file->etag)) {
        answer.status = 304;
        return web_send(wsi, &answer, NULL);
    }
    /* Nothing that is sent packed holds a secret; documents, which once might, are not packed where
     * somebody could measure that (BREACH). */
    bool is_document = strncmp(file->type, "text/html", 9) == 0;
    answer.gzip = file->gzip != NULL && http_takes_gzip(accepts) &&
                  !(is_document && is_tls(wsi));
    answer.body_bytes = answer.gzip ? file->gzip_bytes : file->plain_bytes;
    return web_send(wsi, &answer, head ? NULL : answer.gzip ? file->gzip : file->plain);
}

int web_serve_request(struct web *web, struct client *client, struct lws *wsi)
{
    struct request_text text;
    struct http_request request = read_request(client, wsi, &text);
    bool head = request.method == HTTP_HEAD;
    web->requests++;
    int status = client->over ? 503 : http_judge(&web->server, &request);
    if (http_path_is_api(request.path) && web->api.count > 0) {
        web->refused += status != 0;
        return status != 0 ? web_api_refuse(wsi, status, head)
                           : web_api_request(web, client, wsi, &request);
    }
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
    web_header(wsi, WSI_TOKEN_UPGRADE, upgrade);
    struct http_request request = read_request(client, wsi, &text);
    web->requests++;
    if (client->over)
        return refuse(web, wsi, 503, false);
    if (strcasecmp(upgrade, "websocket") != 0)
        return refuse(web, wsi, 400, false);
    int status = http_judge_upgrade(&web->server, &request);
    if (status == 0) {
        web_see_who(web, client, wsi);
        if (!api_may_watch(&web->api, &client->access, 0))
            status = client->access.kind == ACCESS_NOBODY ? 401 : 403;
    }
    return status != 0 ? refuse(web, wsi, status, false) : 0;
}

/* The second fence, after lws chose a protocol: nothing comes by but what web_serve_upgrade let. */
int web_serve_filter(struct web *web, struct lws *wsi)
{
    struct request_text text;
    struct http_request request = read_request(lws_get_opaque_user_data(wsi), wsi, &text);
    if (http_judge_upgrade(&web->server, &request) == 0 &&
        strcmp(lws_get_protocol(wsi)->name, HTTP_SUBPROTOCOL) == 0)
        return 0;
    web->refused++;
    return -1;
}
