#include "trying.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <signal.h>

#include "base/clock.h"
#include "core/api.h"
#include "io/tape_folder.h"
#include "trial.h"

#define OTHERS_MOST                                                                                \
    200 /* recordings of other sessions that are passed over before it is enough                   \
         */

enum { NOW, THEN, SIDES };

/* An alarm of a recording, from its beginning to its end. */
struct span {
    const struct trial_event *event;
    int64_t end_ms;
    bool met; /* on the other side there is one of the same rule and device at that time */
};

struct spans {
    struct span *list;
    size_t count;
};

/* How often, of a rule, a session or all. */
struct counts {
    int64_t now, then, fewer, more, other_priority;
};

struct session_of {
    uint64_t id;
    char room[64];
    int64_t from_ms, to_ms;
    struct counts counts;
    bool tried, damaged;
};

struct trying {
    json_t *wanted;
    struct rules_text changes;
    struct trial *sides[SIDES];
    char folder[PATH_MAX];
    struct session_of sessions[TRYING_SESSIONS_MAX];
    size_t count, most;
    json_t *rules; /* by name: {"now": 3, ...} */
    struct counts all;
    int64_t judged_ms, until_ns;
    bool complete;
};

/* ---- one recording, both ways ---- */

static int list_spans(const struct trial *trial, struct spans *spans, struct diag *diag)
{
    size_t events = 0;
    while (trial_at(trial, events) != NULL)
        events++;
    spans->count = 0;
    spans->list = calloc(events + 1, sizeof(*spans->list));
    if (spans->list == NULL)
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    for (size_t i = 0; i < events; i++)
        if (trial_at(trial, i)->on)
            spans->list[spans->count++] =
                (struct span){.event = trial_at(trial, i), .end_ms = trial_end_ms(trial, i)};
    return 0;
}

/* A delay or a limit that is another moves an alarm's beginning and end; it is still that one. */
static bool is_same(const struct span *a, const struct span *b)
{
    return a->event->time_ms <= b->end_ms && b->event->time_ms <= a->end_ms &&
           strcmp(a->event->device, b->event->device) == 0 &&
           strcmp(a->event->rule->name, b->event->rule->name) == 0;
}

static struct span *find_same(struct spans *spans, const struct span *span)
{
    for (size_t i = 0; i < spans->count; i++)
        if (!spans->list[i].met && is_same(&spans->list[i], span))
            return &spans->list[i];
    return NULL;
}

static void add_to_rule(struct trying *trying, const struct rule *rule, const char *what)
{
    json_t *of = json_object_get(trying->rules, rule->name);
    if (of == NULL) {
        of = json_pack("{s:s, s:s, s:i, s:i, s:i, s:i}", "name", rule->name, "title", rule->title,
                       "now", 0, "then", 0, "fewer", 0, "more", 0);
        json_object_set_new(trying->rules, rule->name, of);
    }
    json_object_set_new(of, what, json_integer(json_integer_value(json_object_get(of, what)) + 1));
}

static void compare(struct trying *trying, struct spans *now, struct spans *then,
                    struct counts *counts)
{
    counts->now += (int64_t)now->count;
    counts->then += (int64_t)then->count;
    for (size_t i = 0; i < now->count; i++) {
        struct span *span = &now->list[i], *same = find_same(then, span);
        add_to_rule(trying, span->event->rule, "now");
        if (same == NULL) {
            add_to_rule(trying, span->event->rule, "fewer");
            counts->fewer++;
            continue;
        }
        same->met = true;
        counts->other_priority += same->event->rule->priority != span->event->rule->priority;
    }
    for (size_t i = 0; i < then->count; i++) {
        const struct span *span = &then->list[i];
        add_to_rule(trying, span->event->rule, "then");
        if (span->met)
            continue;
        add_to_rule(trying, span->event->rule, "more");
        counts->more++;
    }
}

static int judge(struct trying *trying, const struct tape_reader *reader,
                 struct session_of *session, struct diag *diag)
{
    struct spans spans[SIDES] = {0};
    int code = 0;
    for (int side = 0; side < SIDES && code == 0; side++) {
        struct tape_reader own = *reader;
        code = trial_run(trying->sides[side], &own, diag);
        if (code == 0)
            code = list_spans(trying->sides[side], &spans[side], diag);
    }
    if (code == 0) {
        const struct replay_counts *counts = trial_counts(trying->sides[NOW]);
        compare(trying, &spans[NOW], &spans[THEN], &session->counts);
        trying->judged_ms += counts->last_ms - counts->first_ms;
        session->tried = true;
        session->damaged = session->damaged || counts->damaged_bytes > 0;
        if (session->from_ms == 0 || counts->first_ms < session->from_ms)
            session->from_ms = counts->first_ms;
        if (counts->last_ms > session->to_ms)
            session->to_ms = counts->last_ms;
    }
    free(spans[NOW].list);
    free(spans[THEN].list);
    return code;
}

static int try_tape(struct trying *trying, const char *path, struct session_of *session,
                    struct diag *diag)
{
    struct tape_reader reader;
    uint8_t *bytes;
    int code = tape_file_open(path, &reader, &bytes, diag);
    if (code == 0)
        code = judge(trying, &reader, session, diag);
    else
        session->damaged = true; /* or the clean-up was quicker */
    free(bytes);
    return code == ERR_MEMORY ? code : 0;
}

/* ---- which ones ---- */

static bool is_of_rooms(const struct trying *trying, const char *room)
{
    const json_t *rooms = json_object_get(trying->wanted, "rooms");
    for (size_t i = 0; i < json_array_size(rooms); i++)
        if (strcmp(json_string_value(json_array_get(rooms, i)), room) == 0)
            return true;
    return !json_is_array(rooms);
}

/* The session's place; a new one where there is room; NULL: it is not one of those. */
static struct session_of *session_of(struct trying *trying, const struct tape_header *header)
{
    for (size_t i = 0; i < trying->count; i++)
        if (trying->sessions[i].id == header->session)
            return &trying->sessions[i];
    if (trying->count == trying->most)
        return NULL;
    struct session_of *session = &trying->sessions[trying->count++];
    *session = (struct session_of){.id = header->session};
    memcpy(session->room, header->room, sizeof(session->room));
    return session;
}

/* The newest first, and what is still written not at all. */
static int try_folder(struct trying *trying, struct diag *diag)
{
    struct tape_name *list;
    size_t count;
    unsigned others = 0;
    int code = tape_folder_list(trying->folder, &list, &count, diag);
    if (code != 0)
        return code;
    trying->complete = true;
    for (size_t i = count; i-- > 0 && code == 0 && others < OTHERS_MOST;) {
        char path[PATH_MAX + TAPE_NAME_BYTES];
        struct tape_header header;
        snprintf(path, sizeof(path), "%s/%s", trying->folder, list[i].file);
        if (list[i].open || !is_of_rooms(trying, list[i].room) ||
            !tape_file_header(path, &header) || header.session == 0)
            continue;
        struct session_of *session = session_of(trying, &header);
        others = session == NULL ? others + 1 : 0;
        if (session == NULL)
            continue;
        if (clock_mono_ns() > trying->until_ns)
            trying->complete = false;
        else
            code = try_tape(trying, path, session, diag);
    }
    free(list);
    return code;
}

/* ---- what came of it ---- */

static json_t *counts_json(const struct counts *counts)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "now", (json_int_t)counts->now, "then",
                     (json_int_t)counts->then, "fewer", (json_int_t)counts->fewer, "more",
                     (json_int_t)counts->more, "other_priority",
                     (json_int_t)counts->other_priority);
}

static json_t *sessions_json(struct trying *trying)
{
    json_t *list = json_array();
    for (size_t i = 0; i < trying->count; i++) {
        struct session_of *of = &trying->sessions[i];
        if (!of->tried)
            continue;
        json_t *one = counts_json(&of->counts);
        json_t *more = json_pack("{s:I, s:s, s:o, s:o, s:b}", "id", (json_int_t)of->id, "room",
                                 of->room, "from", api_instant(of->from_ms), "to",
                                 api_instant(of->to_ms), "damaged", of->damaged);
        json_object_update(one, more);
        json_decref(more);
        json_array_append_new(list, one);
        trying->all.now += of->counts.now;
        trying->all.then += of->counts.then;
        trying->all.fewer += of->counts.fewer;
        trying->all.more += of->counts.more;
        trying->all.other_priority += of->counts.other_priority;
    }
    return list;
}

static int say(struct trying *trying, FILE *out, struct diag *diag)
{
    json_t *rules = json_array(), *of;
    const char *name;
    json_object_foreach(trying->rules, name, of) json_array_append(rules, of);
    json_t *sessions = sessions_json(trying), *answer = counts_json(&trying->all);
    json_t *more =
        json_pack("{s:o, s:o, s:f, s:b}", "sessions", sessions, "rules", rules, "judged_s",
                  (double)trying->judged_ms / 1000, "complete", trying->complete);
    json_object_update(answer, more);
    bool written = more != NULL && json_dumpf(answer, out, JSON_COMPACT) == 0 && fflush(out) == 0;
    json_decref(more);
    json_decref(answer);
    return written ? 0 : diag_set(diag, ERR_IO, "the answer cannot be written");
}

/* ---- all of it ---- */

static int open_sides(struct trying *trying, const char *config_file, struct diag *diag)
{
    struct config *config;
    int code = setup_read_config(config_file, &config, diag);
    if (code != 0)
        return code;
    snprintf(trying->folder, sizeof(trying->folder), "%s", config->recorder.folder);
    config_destroy(config);
    for (int side = 0; side < SIDES && code == 0; side++)
        code = trial_open(&trying->sides[side], config_file, NULL, diag);
    if (code == 0)
        trial_change(trying->sides[THEN], &trying->changes);
    return code;
}

static int read_wanted(struct trying *trying, FILE *in, struct diag *diag)
{
    json_int_t sessions = 0;
    trying->wanted = json_loadf(in, 0, NULL);
    if (trying->wanted == NULL ||
        json_unpack(trying->wanted, "{s:s%, s:I}", "text", &trying->changes.text,
                    &trying->changes.bytes, "sessions", &sessions) != 0 ||
        sessions < 1 || sessions > TRYING_SESSIONS_MAX)
        return diag_set(diag, ERR_SYNTAX, "the standard input says nothing to be tried");
    trying->changes.file = "changes";
    trying->changes.changes = true;
    trying->most = (size_t)sessions;
    return 0;
}

int trying_run(const char *config_file, FILE *in, FILE *out, struct diag *diag)
{
    struct trying *trying = calloc(1, sizeof(*trying));
    if (trying == NULL)
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    /* Whatever the hub does goes first, and who waits for it gets an answer beside that: a tenth of
     * a busy core, as sched(7) weighs it, where 19 had left it a seventieth. It does not outlive
     * the hub. */
    setpriority(PRIO_PROCESS, 0, 10);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    trying->until_ns = clock_mono_ns() + TRYING_BUDGET_MS * INT64_C(1000000);
    trying->rules = json_object();
    int code = read_wanted(trying, in, diag);
    if (code == 0)
        code = open_sides(trying, config_file, diag);
    if (code == 0)
        code = try_folder(trying, diag);
    if (code == 0)
        code = say(trying, out, diag);
    trial_close(trying->sides[NOW]);
    trial_close(trying->sides[THEN]);
    json_decref(trying->rules);
    json_decref(trying->wanted);
    free(trying);
    return code;
}
