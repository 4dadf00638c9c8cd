/*
 * The JSON API, without its transport: a table of endpoints, and the walk from a request's bytes to
 * the handler that answers it.
 *
 * An endpoint is a method, a path pattern ("/alarms/{id}/ack", below /api/v1) and a handler. What
 * is wrong with a request before it reaches a handler (no such path, another method, no JSON, an
 * unknown member) is answered here, as problem details (RFC 9457). A handler whose answer has to
 * wait, until something is on disk for example, keeps the call's ticket and says API_LATER; the
 * transport takes the answer with web_api_answer() when it is there.
 * Memory: JSON comes from jansson and is freed when the answer is written; nothing is kept. Pure.
 */
#ifndef LUMBAR_CORE_API_H
#define LUMBAR_CORE_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/access.h"

#define API_ROOT       "/api/v1"
#define API_BODY_BYTES 16384 /* of a request; a longer one is answered with 413 */
#define API_IDS_MAX    3
#define API_ID_BYTES   128
#define API_QUERY_MAX  8
#define API_TAG_BYTES  24
#define API_PAGE_MOST  1000 /* of a list in one answer */

/* API_LIVE is a message of /live: it has no handler, and stands in the table for who may send it.
 */
enum api_method { API_GET, API_POST, API_PUT, API_DELETE, API_LIVE, API_OTHER };

/* A request as it came: the path is decoded, the query cut into "name=value". */
struct api_request {
    enum api_method method;
    const char *path;
    const char *query[API_QUERY_MAX];
    size_t query_count;
    const char *type; /* Content-Type; "" none */
    const char *if_match, *if_none_match; /* "" or NULL: none */
    const char *key;                      /* Idempotency-Key; "" or NULL: none */
    const char *body; /* not terminated */
    size_t body_bytes;
    const struct access *who; /* NULL: nobody looked, and nobody is let in where somebody does */
    const unsigned char *address; /* 16 bytes, as IPv6; NULL: not known */
    bool origin;                  /* came from a page of ours, for all that a browser says */
    bool tls;
    uint64_t ticket; /* for an answer that comes later */
};

/* What a handler is given. */
struct api_call {
    const struct api_request *request;
    char ids[API_IDS_MAX][API_ID_BYTES]; /* what stood in the place of {...}, in order */
    const json_t *body;                  /* an object; NULL: none came */
};

struct api_answer {
    int status;
    json_t *body;    /* owned */
    bool is_problem; /* the body is problem details */
    char allow[40];  /* of 405 */
    char *text;      /* owned (malloc): the body as it goes out, in place of one of JSON */
    size_t text_bytes;
    const char *type; /* of that text; NULL: it is JSON */
    const char *policy; /* its own Content-Security-Policy; NULL: that of all answers */
    char file[64];      /* what it is saved as; "": it is shown */
    char tag[API_TAG_BYTES]; /* ETag, with its quotes; "": none */
    char location[3 * API_ID_BYTES]; /* of what was created; "": none */
    char cookie[200];                /* a Set-Cookie; "": none */
    int retry_s;                     /* of 429: not before; 0: nothing is said of it */
};

enum api_outcome { API_DONE, API_LATER };

struct api_endpoint {
    enum api_method method;
    const char *path;
    enum api_outcome (*handle)(void *user, const struct api_call *call, struct api_answer *answer);
    const char *const *members; /* that the body may have, NULL at the end; NULL: no body */
    unsigned may;               /* roles (core/access.h) */
    enum access_scope scope;
};

typedef bool api_admit(void *user, const struct api_endpoint *endpoint, const struct api_call *call,
                       struct api_answer *answer);

struct api {
    const struct api_endpoint *table;
    size_t count;
    void *user; /* of the handlers */
    /* Is it for who asks? False: answered. By their role, before anything of the body is looked at;
     * and, when that is well formed, by the room that it is about, before the handler. NULL:
     * everything is for everybody (tests). */
    api_admit *admit, *admit_room;
    /* What became of it; NULL: it is answered later. Not called for what was no request of a row
     * of the table. */
    void (*note)(void *user, const struct api_endpoint *endpoint, const struct api_call *call,
                 const struct api_answer *answer);
};

/* Finds and calls the handler. On API_DONE the answer is complete, whatever happened. */
enum api_outcome api_serve(const struct api *api, const struct api_request *request,
                           struct api_answer *answer);

const char *api_method_name(enum api_method method);

/* May a socket watch this room, or the wall (0)? By the rows of API_LIVE. */
bool api_may_watch(const struct api *api, const struct access *who, uint32_t room);

/* The table, a line of JSON for each row: method, path, roles, scope, members of the body. */
void api_print(const struct api *api, FILE *out);

/* The answer's body as text, which the caller frees; NULL without memory. Drops the answer's. */
char *api_write(struct api_answer *answer, size_t *bytes);
void api_drop(struct api_answer *answer); /* an answer that nobody wants any more */

/* Its Content-Type. */
const char *api_type(const struct api_answer *answer);

/* ---- for handlers; those that give an outcome return API_DONE, for `return api_...` ---- */

/* Takes the reference. NULL (no memory) becomes a problem. */
enum api_outcome api_give(struct api_answer *answer, int status, json_t *body);

/* The same with a text of malloc's, of a type ("text/csv; ..."; NULL: it is JSON), as 200. */
enum api_outcome api_give_text(struct api_answer *answer, const char *type, char *text,
                               size_t bytes);

/* {"type":"about:blank","title":...,"status":...,"detail":...}; the detail is a sentence. */
enum api_outcome api_problem(struct api_answer *answer, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a request lacks: the first complaint is kept, later ones change nothing. So a handler reads
 * all it needs and asks once at the end. */
struct api_reader {
    const struct api_call *call;
    char complaint[200]; /* "" none */
};

/* A string of the body, of min..max bytes; the fallback where it is absent, a complaint where that
 * is NULL. No control characters. */
const char *api_text(struct api_reader *reader, const char *name, size_t min, size_t max,
                     const char *fallback);

/* A whole number of the body, min..max; the fallback where it is absent, if that is in the range,
 * else a complaint. */
int64_t api_integer(struct api_reader *reader, const char *name, int64_t min, int64_t max,
                    int64_t fallback);

/* The same of the query. */
const char *api_query(const struct api_call *call, const char *name); /* NULL: absent */
int64_t api_query_integer(struct api_reader *reader, const char *name, int64_t min, int64_t max,
                          int64_t fallback);

/* A time of the query, as instant.h has it. */
int64_t api_query_instant(struct api_reader *reader, const char *name, int64_t fallback);

/* A number of the path, from 1; 0 and a complaint where it is none. */
uint64_t api_id(struct api_reader *reader, size_t place);

/* ?after=PLACE&limit=N of a list: the answer has "next", the place to go on after, or null. */
struct api_page {
    uint32_t after;
    size_t limit; /* API_PAGE_MOST, unless it is asked for less */
};
void api_read_page(struct api_reader *reader, uint32_t most, struct api_page *page);
json_t *api_next(bool more, uint32_t place);

/* The tag of a document that can be edited, from its text. */
void api_tag(char tag[API_TAG_BYTES], const char *text);

/* May it be changed (PUT) or removed (DELETE), whose tag is this (NULL: it is not there)? PUT over
 * what is there says If-Match; `*` overwrites whatever it is. False: answered, with 412 or 428. */
bool api_may_edit(const struct api_call *call, const char *tag, struct api_answer *answer);

/* The complaint as 422. */
enum api_outcome api_refuse(const struct api_reader *reader, struct api_answer *answer);

/* RFC 3339 in UTC with milliseconds; null for 0. */
json_t *api_instant(int64_t ms);

/* A number as a sensor says it, with so many decimals; null where it is not finite. */
json_t *api_number(double value, unsigned decimals);

#endif
