/* The JSON API's transport: a body in pieces, an answer at once or later. */
#include <stdlib.h>
#include <string.h>

#include "io/web_state.h"

#define BODY_MS 10000 /* for a body to come, however slowly it drips */
#define LATER_S 60    /* for an answer to come; then the connection ends without one */

struct web_call {
    enum api_method method;
    bool head;
    bool origin; /* there was one, and it was ours */
    char path[HTTP_VALUE_BYTES], type[HTTP_VALUE_BYTES];
    char if_match[HTTP_VALUE_BYTES], if_none_match[HTTP_VALUE_BYTES], key[HTTP_VALUE_BYTES];
    char query[API_QUERY_MAX][HTTP_VALUE_BYTES];
    size_t query_count;
    int64_t until_ms;         /* monotonic: the body is here */
    uint64_t ticket;          /* of an answer that is waited for; 0: none is */
    struct api_answer answer; /* that came */
    bool answered;
    size_t body_bytes, have; /* announced, and come */
    char body[];
};

static enum api_method method_of(enum http_method method)
{
    switch (method) {
    case HTTP_GET:
    case HTTP_HEAD:
        return API_GET;
    case HTTP_POST:
        return API_POST;
    case HTTP_PUT:
        return API_PUT;
    case HTTP_DELETE:
        return API_DELETE;
    case HTTP_OTHER:
        break;
    }
    return API_OTHER;
}

static int send_answer(struct lws *wsi, struct api_answer *answer, bool head)
{
    size_t bytes;
    const char *type = api_type(answer);
    char *text = api_write(answer, &bytes);
    struct http_answer out = {
        .status = text != NULL ? answer->status : 500,
        .type = type,
        .allow = answer->allow[0] != '\0' ? answer->allow : NULL,
        .policy = answer->policy,
        .etag = answer->tag[0] != '\0' && !answer->is_problem ? answer->tag : NULL,
        .location = answer->location[0] != '\0' && !answer->is_problem ? answer->location : NULL,
        .file = answer->file[0] != '\0' ? answer->file : NULL,
        .cookie = answer->cookie[0] != '\0' ? answer->cookie : NULL,
        .retry_s = answer->retry_s,
        .body_bytes = bytes,
    };
    int result = web_send(wsi, &out, head ? NULL : text);
    free(text);
    return result;
}

int web_api_refuse(struct lws *wsi, int status, bool head)
{
    struct api_answer answer = {0};
    char words[120];
    snprintf(words, sizeof(words), "%s", http_words(status));
    words[strcspn(words, "\n")] = '\0';
    api_problem(&answer, status, "%s", words);
    return send_answer(wsi, &answer, head);
}

void web_api_drop(struct client *client)
{
    if (client->call == NULL)
        return;
    if (client->call->answered)
        api_drop(&client->call->answer);
    explicit_bzero(client->call->body, client->call->have); /* it may have been a password */
    free(client->call);
    client->call = NULL;
}

/* Each "name=value" on its own, decoded: an '&' in a value is not where the next one begins. */
static void read_query(struct lws *wsi, struct web_call *call)
{
    while (call->query_count < API_QUERY_MAX) {
        char *item = call->query[call->query_count];
        int length = lws_hdr_copy_fragment(wsi, item, HTTP_VALUE_BYTES, WSI_TOKEN_HTTP_URI_ARGS,
                                           (int)call->query_count);
        if (length <= 0 || (size_t)length != strlen(item))
            break;
        call->query_count++;
    }
}

/* A header that lws has no token for. What is too long becomes a key that is refused. */
static void read_key(struct lws *wsi, char key[HTTP_VALUE_BYTES])
{
    static const char name[] = "idempotency-key:";
    int bytes = (int)sizeof(name) - 1;
    key[0] = '\0';
    int length = lws_hdr_custom_length(wsi, name, bytes);
    if (length > 0 && lws_hdr_custom_copy(wsi, key, HTTP_VALUE_BYTES, name, bytes) != length)
        memcpy(key, "? ?", 4);
}

/* The body's length; 0, or the status to refuse it with. What is only read has none. */
static int read_length(struct lws *wsi, enum http_method method, size_t *bytes)
{
    char length[HTTP_VALUE_BYTES], encoding[HTTP_VALUE_BYTES];
    *bytes = 0;
    if (method == HTTP_GET || method == HTTP_HEAD)
        return 0;
    web_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, length);
    web_header(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING, encoding);
    if (method == HTTP_DELETE && length[0] == '\0' && encoding[0] == '\0')
        return 0;
    return http_body_length(length, encoding, API_BODY_BYTES, bytes);
}

static int serve(struct web *web, struct client *client)
{
    struct web_call *call = client->call;
    struct api_request request = {
        .method = call->method,
        .path = call->path,
        .query_count = call->query_count,
        .type = call->type,
        .if_match = call->if_match,
        .if_none_match = call->if_none_match,
        .key = call->key,
        .body = call->body,
        .body_bytes = call->have,
        .who = &client->access,
        .address = client->address.s6_addr,
        .tls = web->server.tls && !client->local,
        .origin = call->origin,
        .ticket = ++web->tickets,
    };
    for (size_t i = 0; i < call->query_count; i++)
        request.query[i] = call->query[i];
    call->ticket = request.ticket; /* before: the handler may be told at once */
    struct api_answer answer;
    if (api_serve(&web->api, &request, &answer) == API_LATER) {
        lws_set_timeout(client->wsi, PENDING_TIMEOUT_HTTP_CONTENT, LATER_S);
        return 0;
    }
    bool head = call->head;
    web_api_drop(client);
    return send_answer(client->wsi, &answer, head);
}

int web_api_request(struct web *web, struct client *client, struct lws *wsi,
                    const struct http_request *request)
{
    size_t bytes;
    bool head = request->method == HTTP_HEAD;
    int status = client->call != NULL ? 400 : read_length(wsi, request->method, &bytes);
    if (status == 0) {
        client->call = calloc(1, sizeof(*client->call) + bytes);
        status = client->call != NULL ? 0 : 503;
    }
    if (status != 0) {
        web->refused++;
        return web_api_refuse(wsi, status, head);
    }
    struct web_call *call = client->call;
    call->method = method_of(request->method);
    call->head = head;
    call->origin = request->origin[0] != '\0';
    web_see_who(web, client, wsi);
    call->body_bytes = bytes;
    call->until_ms = web_mono_ms() + BODY_MS;
    snprintf(call->path, sizeof(call->path), "%s%s",
             http_path_is_short(request->path) ? API_ROOT : "", request->path);
    web_header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, call->type);
    web_header(wsi, WSI_TOKEN_HTTP_IF_MATCH, call->if_match);
    web_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, call->if_none_match);
    read_key(wsi, call->key);
    read_query(wsi, call);
    return bytes > 0 ? 0 : serve(web, client);
}

int web_api_body(struct web *web, struct client *client, const void *in, size_t bytes)
{
    struct web_call *call = client->call;
    if (call == NULL || bytes > call->body_bytes - call->have || web_mono_ms() > call->until_ms) {
        web->refused++;
        return -1;
    }
    if (bytes > 0) /* of none, lws gives no address either */
        memcpy(call->body + call->have, in, bytes);
    call->have += bytes;
    return 0;
}

int web_api_complete(struct web *web, struct client *client)
{
    struct web_call *call = client->call;
    if (call == NULL || call->have < call->body_bytes)
        return -1;
    /* lws tells the end of a body of nothing, too, whose call waits already. */
    return call->ticket == 0 ? serve(web, client) : 0;
}

int web_api_write(struct client *client)
{
    struct web_call *call = client->call;
    if (call == NULL || !call->answered)
        return 0;
    struct api_answer answer = call->answer;
    bool head = call->head;
    call->answered = false;
    web_api_drop(client);
    return send_answer(client->wsi, &answer, head);
}

void web_api_answer(struct web *web, uint64_t ticket, struct api_answer *answer)
{
    for (unsigned i = 0; !web->stopping && i < web->places; i++) {
        struct web_call *call = web->clients[i].call;
        if (call == NULL || call->ticket != ticket || call->answered)
            continue;
        call->answer = *answer;
        call->answered = true;
        lws_callback_on_writable(web->clients[i].wsi);
        return;
    }
    api_drop(answer);
}
