/* A client's data, whole: given out, and erased. What is read of the disk is read in uv's pool. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/instant.h"
#include "base/log.h"
#include "api.h"
#include "io/store_client.h"
#include "io/store_rows.h"

#define LEDGER_LINE 96

/* One that is on its way. */
struct asking {
    struct lumbard *hub;
    uint64_t ticket, client;
    int64_t created_ms, now_ms;
    char name[CLIENT_NAME_BYTES], who[ALARM_WHO_BYTES];
    char file[PATH_MAX], recordings[PATH_MAX];
    bool erases;
    uv_work_t work;

    /* The pool's. */
    struct store_sessions sessions;
    struct store_tapes tapes;
    json_t *document, *aside;
    struct diag diag;
};

/* ---- the ledger: who was erased, by number, so that no backup brings anybody back ---- */

static void ledger_of(const char *file, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%.*s.erased", PATH_MAX - 16, file);
}

static int note_in_ledger(struct asking *asking)
{
    char path[PATH_MAX], line[LEDGER_LINE];
    ledger_of(asking->file, path);
    int bytes = snprintf(line, sizeof(line), "%llu %lld %lld\n", (unsigned long long)asking->client,
                         (long long)asking->created_ms, (long long)asking->now_ms);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    bool done = fd >= 0 && write(fd, line, (size_t)bytes) == bytes && fsync(fd) == 0;
    if (!done)
        diag_set(&asking->diag, ERR_IO, "%s cannot be written: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return done ? 0 : ERR_IO;
}

/* One who has the number and was not yet there then is somebody else. */
static bool is_back(const struct lumbard *hub, uint64_t client, int64_t created_ms)
{
    const struct shelf_entry *entry = shelf_by_id(hub->clients, client);
    return entry != NULL && entry->created_ms == created_ms;
}

void hub_erase_again(struct lumbard *hub, bool renewed)
{
    char path[PATH_MAX], line[LEDGER_LINE];
    ledger_of(hub->setup.config->history.file, path);
    FILE *in = fopen(path, "re");
    while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
        unsigned long long client;
        long long created_ms;
        if (sscanf(line, "%llu %lld", &client, &created_ms) != 2)
            continue;
        bool back = is_back(hub, client, created_ms);
        if (!back && !(renewed && shelf_by_id(hub->clients, client) == NULL))
            continue;
        if (back)
            log_notice("client %llu was erased, and came back with a backup: erased again", client);
        store_erase(hub->store, client);
        hub_drop_client(hub, client);
    }
    if (in != NULL)
        fclose(in);
}

/* ---- the pool's part ---- */

/* Files beside the store that may hold all that it held: they are somebody's to decide on. */
static void look_aside(struct asking *asking)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%s", asking->file);
    char *slash = strrchr(folder, '/');
    const char *base = slash != NULL ? slash + 1 : folder;
    size_t bytes = strlen(base);
    char name[PATH_MAX];
    snprintf(name, sizeof(name), "%s", base);
    if (slash != NULL)
        *slash = '\0';
    asking->aside = json_array();
    DIR *entries = opendir(slash == NULL ? "." : *folder != '\0' ? folder : "/");
    for (const struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;)
        if (strncmp(entry->d_name, name, bytes) == 0 &&
            (strncmp(entry->d_name + bytes, ".damaged-", 9) == 0 ||
             strncmp(entry->d_name + bytes, ".before-", 8) == 0))
            json_array_append_new(asking->aside, json_string(entry->d_name));
    if (entries != NULL)
        closedir(entries);
}

/* Before the rows that say whose they are. */
static int remove_tapes(struct asking *asking)
{
    if (asking->tapes.open)
        return diag_set(&asking->diag, ERR_CONFLICT,
                        "a recording of the client's is just being "
                        "finished: ask again in a moment");
    for (size_t i = 0; i < asking->tapes.count; i++) {
        char path[PATH_MAX + TAPE_NAME_BYTES];
        snprintf(path, sizeof(path), "%s/%s", asking->recordings, asking->tapes.list[i].file);
        if (unlink(path) != 0 && errno != ENOENT)
            return diag_set(&asking->diag, ERR_IO, "%s cannot be removed: %s", path,
                            strerror(errno));
    }
    return 0;
}

static void on_work(uv_work_t *work)
{
    struct asking *asking = work->data;
    int code =
        store_client_sessions(asking->file, asking->client, &asking->sessions, &asking->diag);
    if (code == 0)
        code = store_client_tapes(asking->recordings, &asking->sessions, &asking->tapes,
                                  &asking->diag);
    look_aside(asking);
    if (code == 0 && !asking->erases)
        code =
            store_client_document(asking->file, asking->client, &asking->document, &asking->diag);
    if (code == 0 && asking->erases)
        code = remove_tapes(asking);
    if (code == 0 && asking->erases)
        note_in_ledger(asking);
}

/* ---- what is answered ---- */

static json_t *tapes_json(const struct asking *asking)
{
    json_t *list = json_array();
    for (size_t i = 0; i < asking->tapes.count; i++) {
        const struct store_tape *tape = &asking->tapes.list[i];
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "name", tape->file, "session",
                                              (json_int_t)tape->session, "bytes",
                                              (json_int_t)tape->bytes));
    }
    return list;
}

static json_t *sessions_json(const struct asking *asking)
{
    json_t *list = json_array();
    for (size_t i = 0; i < asking->sessions.count; i++)
        json_array_append_new(list, json_integer((json_int_t)asking->sessions.ids[i]));
    return list;
}

/* Those that were made since the client was known. */
static json_t *backups_json(const struct asking *asking)
{
    json_t *list = json_array();
    json_t *all = api_backups(asking->hub);
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *one = json_array_get(all, i);
        int64_t made_ms;
        const char *made = json_string_value(json_object_get(one, "made"));
        if (made != NULL && instant_read(made, &made_ms) && made_ms >= asking->created_ms - 1000)
            json_array_append(list, one);
    }
    json_decref(all);
    return list;
}

/* What else holds something of the client, and until when. */
static json_t *elsewhere_json(const struct asking *asking)
{
    return json_pack("{s:o, s:O, s:s}", "backups", backups_json(asking), "set_aside", asking->aside,
                     "spool",
                     "messages of devices, without a name, until newer ones take their "
                     "place");
}

static void drop(struct asking *asking)
{
    asking->hub->questions--;
    free(asking->sessions.ids);
    free(asking->tapes.list);
    json_decref(asking->document);
    json_decref(asking->aside);
    free(asking);
}

static void answer_export(struct asking *asking, struct api_answer *out)
{
    json_t *document = json_incref(asking->document);
    json_object_set_new(document, "exported", api_instant(asking->now_ms));
    json_object_set_new(document, "recordings", tapes_json(asking));
    json_object_set_new(document, "recordings_folder", json_string(asking->recordings));
    json_object_set_new(document, "elsewhere", elsewhere_json(asking));
    log_notice("client %llu: all data given out to %s", (unsigned long long)asking->client,
               asking->who);
    api_give(out, 200, document);
}

static const struct session *open_session(const struct lumbard *hub, const char *client)
{
    for (uint32_t room = 1; room <= hub->setup.config->room_count; room++) {
        const struct session *session = sessions_at(hub->ingest.sessions, room);
        if (session != NULL && session->ended_ms == 0 && strcmp(session->client.name, client) == 0)
            return session;
    }
    return NULL;
}

/* From here on nothing in memory knows of the client. */
static void forget_sessions(struct asking *asking)
{
    struct lumbard *hub = asking->hub;
    for (uint32_t room = 1; room <= hub->setup.config->room_count; room++) {
        const struct session *session = sessions_at(hub->ingest.sessions, room);
        if (session == NULL || strcmp(session->client.name, asking->name) != 0)
            continue;
        calibration_forget(hub->ingest.calibration, session->id);
        sessions_forget(hub->ingest.sessions, room);
    }
    struct diag diag = {0};
    if (hub_show_anew(hub, hub->setup.config, hub->setup.rules, &diag) != 0)
        log_error("page: %s; it may show an erased client until it is loaded anew", diag.text);
}

/* API_LATER where the answer waits for the disk. */
static enum api_outcome answer_erasure(struct asking *asking, struct api_answer *out)
{
    struct lumbard *hub = asking->hub;
    const struct shelf_entry *entry = shelf_by_id(hub->clients, asking->client);
    if (entry == NULL)
        return api_problem(out, 404, "There is no client '%s'.", asking->name);
    if (open_session(hub, asking->name) != NULL)
        return api_problem(out, 409, "Client '%s' is in a session by now.", asking->name);
    if (!store_erase(hub->store, asking->client))
        return api_problem(out, 503, "There is no room to note it while the disk refuses.");
    forget_sessions(asking);
    hub_drop_client(hub, asking->client);
    log_notice("client %llu erased by %s: %zu sessions, %zu recordings",
               (unsigned long long)asking->client, asking->who, asking->sessions.count,
               asking->tapes.count);
    const struct api_request request = {.ticket = asking->ticket};
    const struct api_call call = {.request = &request};
    return api_stored(hub, &call, out, 200,
                      json_pack("{s:s, s:o, s:o, s:o}", "erased", asking->name, "sessions",
                                sessions_json(asking), "recordings", tapes_json(asking),
                                "elsewhere", elsewhere_json(asking)));
}

static void after_work(uv_work_t *work, int status)
{
    struct asking *asking = work->data;
    struct api_answer out = {0};
    enum api_outcome outcome = API_DONE;
    (void)status;
    if (asking->diag.code != 0)
        api_complain(&out, asking->diag.code, &asking->diag);
    else if (asking->erases)
        outcome = answer_erasure(asking, &out);
    else
        answer_export(asking, &out);
    if (outcome == API_DONE)
        web_api_answer(asking->hub->web, asking->ticket, &out);
    drop(asking);
}

/* ---- asked for ---- */

static enum api_outcome ask(struct lumbard *hub, const struct api_call *call,
                            const struct asking *wanted, struct api_answer *answer)
{
    const struct shelf_entry *entry = shelf_find(hub->clients, 0, call->ids[0]);
    if (entry == NULL)
        return api_problem(answer, 404, "There is no client '%s'.", call->ids[0]);
    const struct session *session = open_session(hub, entry->name);
    if (wanted->erases && session != NULL)
        return api_problem(answer, 409, "Client '%s' is in session %llu: end it first.",
                           entry->name, (unsigned long long)session->id);
    struct asking *asking = hub->questions < API_QUESTIONS_MOST ? malloc(sizeof(*asking)) : NULL;
    if (asking == NULL)
        return api_problem(answer, 503, "Too much is asked for at a time.");
    *asking = *wanted;
    asking->hub = hub;
    asking->ticket = call->request->ticket;
    asking->client = entry->id;
    asking->created_ms = entry->created_ms;
    asking->now_ms = hub_now_ms(hub);
    asking->work.data = asking;
    snprintf(asking->name, sizeof(asking->name), "%s", entry->name);
    snprintf(asking->file, sizeof(asking->file), "%s", hub->setup.config->history.file);
    snprintf(asking->recordings, sizeof(asking->recordings), "%s",
             hub->setup.config->recorder.folder);
    hub->questions++;
    if (uv_queue_work(&hub->loop, &asking->work, on_work, after_work) == 0)
        return API_LATER;
    drop(asking);
    return api_problem(answer, 503, "There is no memory for it.");
}

enum api_outcome api_export_client(void *user, const struct api_call *call,
                                   struct api_answer *answer)
{
    struct api_reader reader = {.call = call};
    struct asking wanted = {.erases = false};
    snprintf(wanted.who, sizeof(wanted.who), "%s", api_who(&reader));
    return ask(user, call, &wanted, answer);
}

enum api_outcome api_erase_client(void *user, const struct api_call *call,
                                  struct api_answer *answer)
{
    struct api_reader reader = {.call = call};
    struct asking wanted = {.erases = true};
    snprintf(wanted.who, sizeof(wanted.who), "%s", api_who(&reader));
    return reader.complaint[0] != '\0' ? api_refuse(&reader, answer)
                                       : ask(user, call, &wanted, answer);
}
