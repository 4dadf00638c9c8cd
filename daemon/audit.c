/* The audit trail: what is asked for below /api and seen by /live becomes a line of it. */
#include "audit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "io/secret.h"
#include "io/store_rows.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define AGAIN_MS    60000             /* who looks at the same for longer is told of once */
#define HEAD_MS     INT64_C(86400000) /* the head goes to the journal, where nobody rewrites it */

/* ---- the store ---- */

static bool put_line(struct lumbard *hub, const struct audit_line *line)
{
    const struct store_value row[] = {store_int((int64_t)line->id), store_int(line->at_ms),
                                      store_text(line->who),        store_text(line->role),
                                      store_text(line->door),       store_text(line->what),
                                      store_text(line->about),      store_int(line->outcome),
                                      store_text(line->why),        store_text(line->hash)};
    const struct store_value head[] = {store_int(1), store_int((int64_t)line->id),
                                       store_text(line->hash)};
    return store_put(hub->store, STORE_AUDIT, row, COUNT(row)) &&
           store_put(hub->store, STORE_AUDIT_HEAD, head, COUNT(head));
}

/* Lines that found no room wait here, in their order; beyond that the trail has a gap, which it
 * shows. */
static void put(struct lumbard *hub, const struct audit_line *line)
{
    struct hub_audit *audit = &hub->audit;
    if (audit->waiting == 0 && put_line(hub, line))
        return;
    if (audit->waiting < HUB_AUDIT_WAITING) {
        audit->lines[audit->waiting++] = *line;
    } else {
        audit->lost++;
        log_error("audit: a line finds no room, and is lost");
    }
}

void hub_store_audit_again(struct lumbard *hub)
{
    struct hub_audit *audit = &hub->audit;
    unsigned done = 0;
    while (done < audit->waiting && put_line(hub, &audit->lines[done]))
        done++;
    audit->waiting -= done;
    memmove(audit->lines, &audit->lines[done], audit->waiting * sizeof(audit->lines[0]));
}

void audit_take_row(struct audit_line *line, const struct store_value *values)
{
    static const struct {
        unsigned column;
        size_t offset, bytes;
    } texts[] = {
        {2, offsetof(struct audit_line, who), sizeof(line->who)},
        {3, offsetof(struct audit_line, role), sizeof(line->role)},
        {4, offsetof(struct audit_line, door), sizeof(line->door)},
        {5, offsetof(struct audit_line, what), sizeof(line->what)},
        {6, offsetof(struct audit_line, about), sizeof(line->about)},
        {8, offsetof(struct audit_line, why), sizeof(line->why)},
        {9, offsetof(struct audit_line, hash), sizeof(line->hash)},
    };
    *line = (struct audit_line){.id = (uint64_t)values[0].integer,
                                .at_ms = values[1].integer,
                                .outcome = (int)values[7].integer};
    for (size_t i = 0; i < COUNT(texts); i++)
        snprintf((char *)line + texts[i].offset, texts[i].bytes, "%s",
                 values[texts[i].column].type == STORE_TEXT ? values[texts[i].column].text : "");
}

static void on_head(void *user, const struct store_value *values, unsigned count)
{
    struct hub_audit *audit = user;
    (void)count;
    audit->newest = (uint64_t)values[1].integer;
    snprintf(audit->head, sizeof(audit->head), "%s",
             values[2].type == STORE_TEXT ? values[2].text : AUDIT_BEGIN);
}

static void on_last(void *user, const struct store_value *values, unsigned count)
{
    struct audit_line *line = user;
    (void)count;
    audit_take_row(line, values);
}

int hub_load_audit(struct lumbard *hub, struct diag *diag)
{
    struct hub_audit *audit = &hub->audit;
    struct audit_line last = {.id = 0};
    memcpy(audit->head, AUDIT_BEGIN, sizeof(AUDIT_BEGIN));
    int code = store_load(hub->store, STORE_AUDIT_HEAD, NULL, on_head, audit, diag);
    if (code == 0)
        code = hub_load_audit_anchor(hub, diag);
    if (code == 0)
        code = store_load(hub->store, STORE_AUDIT, "id = (SELECT max(id) FROM audit)", on_last,
                          &last, diag);
    if (code != 0)
        return code;
    if (last.id != audit->newest || (last.id != 0 && strcmp(last.hash, audit->head) != 0))
        log_error("audit: the trail ends with line %llu and should end with %llu: "
                  "`lumbarctl audit verify` tells more",
                  (unsigned long long)last.id, (unsigned long long)audit->newest);
    if (last.id > audit->newest)
        audit->newest = last.id; /* a number stands once */
    return hub_load_told_wrong(hub, diag);
}

/* ---- lines ---- */

static const char *door_of(const struct access *who)
{
    static const char *const doors[] = {"", "page", "socket", "page", "token"};
    return doors[who->kind];
}

static void copy(char *out, size_t bytes, const char *text)
{
    struct text cut = text_in(out, bytes);
    text_add(&cut, "%s", text);
}

void hub_audit(struct lumbard *hub, const struct access *who, const char *what, const char *about,
               int outcome, const char *why)
{
    struct hub_audit *audit = &hub->audit;
    struct audit_line line = {.id = ++audit->newest, .at_ms = hub_now_ms(hub), .outcome = outcome};
    bool known = who->kind == ACCESS_LOGIN || who->kind == ACCESS_TOKEN;
    char written[AUDIT_LINE_BYTES];
    struct text text = text_in(written, sizeof(written));
    copy(line.who, sizeof(line.who), who->name);
    copy(line.role, sizeof(line.role), known ? access_role_name(who->role) : "");
    copy(line.door, sizeof(line.door), door_of(who));
    copy(line.what, sizeof(line.what), what);
    copy(line.about, sizeof(line.about), about);
    copy(line.why, sizeof(line.why), who->glass && why[0] == '\0' ? "glass broken" : why);
    audit_write(&text, audit->head, &line);
    secret_hash(written, text.length, line.hash);
    memcpy(audit->head, line.hash, sizeof(audit->head));
    put(hub, &line);
}

/* Was the same told of a moment ago? */
static bool is_again(struct lumbard *hub, const struct access *who, const char *what,
                     const char *about, int outcome)
{
    struct hub_audit *audit = &hub->audit;
    char said[512];
    int64_t now_ms = hub_now_ms(hub);
    int length = snprintf(said, sizeof(said), "%d %s %s %s %d %d", (int)who->kind, who->name, what,
                          about, outcome, who->glass);
    uint64_t key = throttle_key(&hub->throttle, said, (size_t)length % sizeof(said), 9);
    for (unsigned i = 0; i < HUB_AUDIT_SEEN; i++)
        if (audit->seen[i].key == key && now_ms - audit->seen[i].at_ms < AGAIN_MS)
            return true;
    audit->seen[audit->seen_next] = (struct hub_seen){key, now_ms};
    audit->seen_next = (audit->seen_next + 1) % HUB_AUDIT_SEEN;
    return false;
}

void hub_audit_sight(struct lumbard *hub, const struct access *who, const char *what,
                     const char *about, int outcome)
{
    if (!is_again(hub, who, what, about, outcome))
        hub_audit(hub, who, what, about, outcome, "");
}

/* ---- what a request is about ---- */

static void name_client(const struct lumbard *hub, const char *alias, char *out)
{
    const struct shelf_entry *client = shelf_find(hub->clients, 0, alias);
    snprintf(out, AUDIT_ABOUT_BYTES, client != NULL ? "client %llu" : "a client who is not known",
             client != NULL ? (unsigned long long)client->id : 0ULL);
}

void hub_name_subject(struct lumbard *hub, const struct api_endpoint *endpoint,
                      const struct api_call *call)
{
    char *about = hub->audit.about;
    const char *text;
    about[0] = '\0';
    switch (endpoint->scope) {
    case SCOPE_ROOM:
        snprintf(about, AUDIT_ABOUT_BYTES, "%s", call->ids[0]);
        return;
    case SCOPE_INTO:
        text = json_string_value(json_object_get(call->body, "room"));
        snprintf(about, AUDIT_ABOUT_BYTES, "%.64s", text != NULL ? text : "");
        return;
    case SCOPE_DEVICE:
        text = json_string_value(json_object_get(call->body, "room"));
        snprintf(about, AUDIT_ABOUT_BYTES, "%.40s/%.64s%s%.64s", call->ids[0], call->ids[1],
                 text != NULL ? " in " : "", text != NULL ? text : "");
        return;
    case SCOPE_MEASURE:
        text = api_query(call, "device");
        snprintf(about, AUDIT_ABOUT_BYTES, "%.120s", text != NULL ? text : "");
        return;
    case SCOPE_ALARM:
        snprintf(about, AUDIT_ABOUT_BYTES, "alarm %.20s", call->ids[0]);
        return;
    case SCOPE_SESSION:
    case SCOPE_RECORD:
        snprintf(about, AUDIT_ABOUT_BYTES, "session %.20s", call->ids[0]);
        return;
    default:
        break;
    }
    if (strncmp(endpoint->path, "/clients/", 9) == 0)
        name_client(hub, call->ids[0], about);
    else if (call->ids[0][0] != '\0')
        snprintf(about, AUDIT_ABOUT_BYTES, "%.64s", call->ids[0]);
}

/* What nobody but who treats may see is of clients, and looking at it is told of as well. Each step
 * in a form of rules is a question, of which nothing is kept: what is done is to apply it. */
static bool is_sight(const struct api_endpoint *endpoint)
{
    return (endpoint->method == API_GET && (endpoint->may & (MAY_ADMIN | MAY(ROLE_NONE))) == 0) ||
           endpoint->handle == api_edit_rule_text;
}

static void note(struct lumbard *hub, const struct api_endpoint *endpoint, const struct access *who,
                 int outcome)
{
    char what[120];
    bool refused = outcome == 401 || outcome == 403;
    snprintf(what, sizeof(what), "%s %s", api_method_name(endpoint->method), endpoint->path);
    if (is_sight(endpoint) || refused)
        hub_audit_sight(hub, who, what, hub->audit.about, outcome);
    else if (endpoint->method != API_GET)
        hub_audit(hub, who, what, hub->audit.about, outcome, hub->audit.why);
}

void hub_note_call(void *user, const struct api_endpoint *endpoint, const struct api_call *call,
                   const struct api_answer *answer)
{
    struct lumbard *hub = user;
    const struct access *who = call->request->who;
    /* Coming in is told of where it is known who came. */
    if (who != NULL && who->kind != ACCESS_NOBODY && (endpoint->may & MAY(ROLE_NONE)) == 0)
        note(hub, endpoint, who, answer != NULL ? answer->status : 0);
    hub->audit.about[0] = hub->audit.why[0] = '\0';
}

void hub_say_why(struct lumbard *hub, const char *why)
{
    copy(hub->audit.why, sizeof(hub->audit.why), why);
}

void hub_note_watch(void *user, const struct access *who, uint32_t room)
{
    struct lumbard *hub = user;
    if (room == 0)
        hub_audit_sight(hub, who, "LIVE /live/wall", "", 101);
    else if (room <= hub->setup.config->room_count)
        hub_audit_sight(hub, who, "LIVE /live/room", hub->setup.config->rooms[room - 1].name, 101);
}

const char *audit_address(const unsigned char address[16], char out[64])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    out[0] = '\0';
    if (memcmp(address, mapped, 12) == 0)
        inet_ntop(AF_INET, address + 12, out, 64);
    else
        inet_ntop(AF_INET6, address, out, 64);
    return out;
}

void hub_tick_audit(struct lumbard *hub, int64_t now_ms)
{
    struct hub_audit *audit = &hub->audit;
    if (audit->newest == audit->logged || now_ms - audit->logged_ms < HEAD_MS)
        return;
    hub_log_audit_head(hub);
    audit->logged_ms = now_ms;
}

void hub_log_audit_head(struct lumbard *hub)
{
    if (hub->audit.newest == hub->audit.logged)
        return;
    hub->audit.logged = hub->audit.newest;
    log_notice("audit: %llu lines, the last is %s", (unsigned long long)hub->audit.newest,
               hub->audit.head);
}
