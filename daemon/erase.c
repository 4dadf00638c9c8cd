/*
 * A client's data, whole: given out, and erased. What touches the disk is done in uv's pool.
 *
 * An erasure is refused before anything is gone, or not at all: it is looked what there is, the
 * loop decides, and lets nobody open a session of the client from then on; the ledger is written,
 * then go the recordings, and the rows follow with the next batch that has room for it. What a
 * crash leaves of it after the ledger is done at the next start.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/instant.h"
#include "base/log.h"
#include "api/api.h"
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
    bool noted; /* in the ledger: from here on nothing refuses it */
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

/* The descriptor, with the place where the line begins, or -1. */
static int note_in_ledger(struct asking *asking, off_t *begin)
{
    char path[PATH_MAX], line[LEDGER_LINE];
    ledger_of(asking->file, path);
    int bytes = snprintf(line, sizeof(line), "%llu %lld %lld\n", (unsigned long long)asking->client,
                         (long long)asking->created_ms, (long long)asking->now_ms);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    *begin = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
    if (*begin < 0 || write(fd, line, (size_t)bytes) != bytes || fsync(fd) != 0)
        diag_set(&asking->diag, ERR_IO, "%s cannot be written, and nothing is erased: %s", path,
                 strerror(errno));
    return fd;
}

/* A line that stays would erase at the next start whom it was refused for. */
static void take_back(const struct asking *asking, int fd, off_t begin)
{
    if (begin >= 0 && (ftruncate(fd, begin) != 0 || fsync(fd) != 0))
        log_error(
            "client %llu may be erased at the next start: the ledger cannot be taken back: %s",
            (unsigned long long)asking->client, strerror(errno));
}

static int remove_tapes(const char *folder, const struct store_tapes *tapes, struct diag *diag)
{
    for (size_t i = 0; i < tapes->count; i++) {
        char path[PATH_MAX + TAPE_NAME_BYTES];
        snprintf(path, sizeof(path), "%s/%s", folder, tapes->list[i].file);
        if (unlink(path) != 0 && errno != ENOENT)
            return diag_set(diag, ERR_IO,
                            "%zu of %zu recordings are removed, and nothing else: %s: %s", i,
                            tapes->count, path, strerror(errno));
    }
    return 0;
}

/* A crash may have come before they were gone. At the start, so on the loop's thread. */
static void remove_tapes_again(struct lumbard *hub, uint64_t client)
{
    const struct config *config = hub->setup.config;
    struct store_sessions sessions = {0};
    struct store_tapes tapes = {0};
    struct diag diag = {0};
    if (store_client_sessions(hub->store, client, &sessions, &diag) != 0 ||
        store_client_tapes(config->recorder.folder, &sessions, &tapes, &diag) != 0 ||
        remove_tapes(config->recorder.folder, &tapes, &diag) != 0)
        log_error("client %llu was erased, and recordings may be left: %s",
                  (unsigned long long)client, diag.text);
    free(sessions.ids);
    free(tapes.list);
}

/* One who has the number and was not yet there then is somebody else. */
static bool is_back(const struct lumbard *hub, uint64_t client, int64_t created_ms)
{
    const struct shelf_entry *entry = shelf_by_id(hub->clients, client);
    return entry != NULL && entry->created_ms == created_ms;
}

/* From here on nothing in memory knows of the client; the name may be the entry's own. */
static void forget(struct lumbard *hub, uint64_t client, const char *name)
{
    for (uint32_t room = 1; room <= hub->setup.config->room_count; room++) {
        const struct session *session = sessions_at(hub->ingest.sessions, room);
        if (session == NULL || strcmp(session->client.name, name) != 0)
            continue;
        calibration_forget(hub->ingest.calibration, session->id);
        sessions_forget(hub->ingest.sessions, room);
    }
    hub_drop_client(hub, client);
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
        if (is_back(hub, client, created_ms)) {
            log_notice("client %llu was erased, and is back: erased again", client);
            remove_tapes_again(hub, client);
            forget(hub, client, shelf_by_id(hub->clients, client)->name);
        } else if (!renewed || shelf_by_id(hub->clients, client) != NULL) {
            continue;
        }
        store_erase(hub->store, client);
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

static void on_look(uv_work_t *work)
{
    struct asking *asking = work->data;
    int code =
        store_client_sessions(asking->hub->store, asking->client, &asking->sessions, &asking->diag);
    if (code == 0)
        code = store_client_tapes(asking->recordings, &asking->sessions, &asking->tapes,
                                  &asking->diag);
    look_aside(asking);
    if (code == 0 && !asking->erases)
        store_client_document(asking->hub->store, asking->client, &asking->document, &asking->diag);
}

static void on_remove(uv_work_t *work)
{
    struct asking *asking = work->data;
    off_t begin;
    int fd = note_in_ledger(asking, &begin);
    asking->noted = asking->diag.code == 0 &&
                    remove_tapes(asking->recordings, &asking->tapes, &asking->diag) == 0;
    if (!asking->noted && fd >= 0)
        take_back(asking, fd, begin);
    if (fd >= 0)
        close(fd);
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

/* False: there is no room for it yet while the disk refuses. */
static bool erase_rows(struct asking *asking)
{
    struct lumbard *hub = asking->hub;
    if (!store_erase(hub->store, asking->client))
        return false;
    forget(hub, asking->client, asking->name);
    struct diag diag = {0};
    if (hub_show_anew(hub, hub->setup.config, hub->setup.rules, &diag) != 0)
        log_error("page: %s; it may show an erased client until it is loaded anew", diag.text);
    log_notice("client %llu erased by %s: %zu sessions, %zu recordings",
               (unsigned long long)asking->client, asking->who, asking->sessions.count,
               asking->tapes.count);
    struct api_answer out = {0};
    const struct api_request request = {.ticket = asking->ticket};
    const struct api_call call = {.request = &request};
    enum api_outcome outcome = api_stored(
        hub, &call, &out, 200,
        json_pack("{s:s, s:o, s:o, s:o}", "erased", asking->name, "sessions", sessions_json(asking),
                  "recordings", tapes_json(asking), "elsewhere", elsewhere_json(asking)));
    if (outcome == API_DONE)
        web_api_answer(hub->web, asking->ticket, &out);
    return true;
}

static void give_up(struct asking *asking, struct api_answer *answer)
{
    if (asking->hub->erasing == asking)
        asking->hub->erasing = NULL;
    web_api_answer(asking->hub->web, asking->ticket, answer);
    drop(asking);
}

void hub_erase_on(struct lumbard *hub)
{
    struct asking *asking = hub->erasing;
    if (asking == NULL || !asking->noted || !erase_rows(asking))
        return;
    hub->erasing = NULL;
    drop(asking);
}

static void after_remove(uv_work_t *work, int status)
{
    struct asking *asking = work->data;
    struct api_answer out = {0};
    (void)status;
    if (asking->noted) {
        hub_erase_on(asking->hub);
        return;
    }
    api_problem(&out, 500, "%s.", asking->diag.text);
    give_up(asking, &out);
}

/* Nothing is gone yet. */
static enum api_outcome decide(struct asking *asking, struct api_answer *out)
{
    struct lumbard *hub = asking->hub;
    if (shelf_by_id(hub->clients, asking->client) == NULL)
        return api_problem(out, 404, "There is no client '%s'.", asking->name);
    if (open_session(hub, asking->name) != NULL)
        return api_problem(out, 409, "Client '%s' is in a session by now.", asking->name);
    if (hub->rebuild != NULL || store_is_rebuilding(hub->store))
        return api_problem(out, 409,
                           "The history is being rebuilt from recordings, and sessions of the "
                           "client's may come back: ask again when it is done.");
    if (asking->tapes.open)
        return api_problem(out, 409,
                           "A recording of the client's is just being finished: ask "
                           "again in a moment.");
    if (hub->erasing != NULL)
        return api_problem(out, 409, "Another client is being erased: ask again in a moment.");
    if (uv_queue_work(&hub->loop, &asking->work, on_remove, after_remove) != 0)
        return api_problem(out, 503, "There is no memory for it.");
    hub->erasing = asking;
    return API_LATER;
}

static void after_look(uv_work_t *work, int status)
{
    struct asking *asking = work->data;
    struct api_answer out = {0};
    enum api_outcome outcome = API_DONE;
    (void)status;
    if (asking->diag.code != 0)
        api_complain(&out, asking->diag.code, &asking->diag);
    else if (asking->erases)
        outcome = decide(asking, &out);
    else
        answer_export(asking, &out);
    if (outcome == API_DONE)
        give_up(asking, &out);
}

void hub_erase_end(struct lumbard *hub)
{
    if (hub->erasing != NULL)
        drop(hub->erasing);
    hub->erasing = NULL;
}

bool hub_is_erasing(const struct lumbard *hub, uint64_t client)
{
    return hub->erasing != NULL && hub->erasing->client == client;
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
    struct asking *asking = api_may_ask(hub) ? malloc(sizeof(*asking)) : NULL;
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
    if (uv_queue_work(&hub->loop, &asking->work, on_look, after_look) == 0)
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
