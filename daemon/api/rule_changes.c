/*
 * What the page changes of the rules: a file beside what the hub keeps (rules.changes), for what
 * the administrator installed in rules.folder is not the hub's to write. It is put there as
 * `lumbarctl config apply` does it: only what was found good, taken by a reload, and as before
 * where that refuses. What was there is kept with the configuration, for undoing and for `config
 * rollback`.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "audit.h"
#include "base/log.h"
#include "base/text.h"
#include "core/yaml.h"
#include "io/files.h"
#include "io/kept.h"
#include "setup.h"

#define RETRY_S 2

/* The file's text; "" where there is none. Free() it; NULL with a complaint. */
static char *read_text(const char *path, struct diag *diag)
{
    char *text = NULL;
    size_t bytes;
    if (path[0] != '\0' && files_exists(path))
        return files_read(path, &text, &bytes, diag) == 0 ? text : NULL;
    text = strdup("");
    if (text == NULL)
        diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    return text;
}

/* ---- what was there before ---- */

/* Of the newest configuration that was kept with other changes: what to go back to. */
static json_t *before_json(const struct lumbard *hub, const char *text)
{
    char file[PATH_MAX], path[PATH_MAX];
    for (uint32_t at = UINT32_MAX; (at = kept_below(hub->kept.folder, at)) != 0;) {
        struct diag diag = {0};
        kept_file(hub->kept.folder, at, file, sizeof(file));
        char *kept = read_text(files_beside(file, KEPT_CHANGES, path, sizeof(path)), &diag);
        json_t *json = kept != NULL && strcmp(kept, text) != 0
                           ? json_pack("{s:i, s:s}", "number", (int)at, "text", kept)
                           : NULL;
        free(kept);
        if (json != NULL)
            return json;
    }
    return json_null();
}

static enum api_outcome give(const struct lumbard *hub, const char *text, struct api_answer *answer)
{
    char path[PATH_MAX];
    hub_changes_file(hub, path);
    api_tag(answer->tag, text);
    return api_give(answer, 200,
                    json_pack("{s:s?, s:s, s:o, s:o}", "file", path[0] != '\0' ? path : NULL,
                              "text", text, "rules", api_changes_said(hub, text), "before",
                              before_json(hub, text)));
}

enum api_outcome api_get_rule_changes(void *user, const struct api_call *call,
                                      struct api_answer *answer)
{
    const struct lumbard *hub = user;
    char path[PATH_MAX];
    struct diag diag = {0};
    char *text = read_text(hub_changes_file(hub, path), &diag);
    (void)call;
    if (text == NULL)
        return api_complain(answer, diag.code, &diag);
    give(hub, text, answer);
    free(text);
    return API_DONE;
}

/* ---- another one ---- */

static bool node_equal(const struct yaml_node *a, const struct yaml_node *b)
{
    if (a->kind != b->kind || a->count != b->count)
        return false;
    if (a->kind == YAML_SCALAR)
        return strcmp(a->scalar, b->scalar) == 0;
    for (size_t i = 0; i < a->count; i++) {
        const struct yaml_node *other =
            a->kind == YAML_MAP ? yaml_get(b, a->children[i].key) : &b->children[i];
        if (other == NULL || !node_equal(&a->children[i], other))
            return false;
    }
    return true;
}

/* How a rule of this name is written; NULL: it is not among them, or left out. */
static const struct yaml_node *find_written(const struct rules *rules, const char *name)
{
    const struct rule *rule = rules_find(rules, name);
    const struct rule_source *source = rule != NULL ? rules_source(rules, rule->id) : NULL;
    return source != NULL ? source->written : NULL;
}

/* For the audit trail: "changed: flexion-held, bends; off: sitting-long". */
static void say_changes(struct lumbard *hub, const struct rules *old, const struct rules *fresh)
{
    char why[AUDIT_WHY_BYTES];
    struct text text = text_in(why, sizeof(why));
    for (int gone = 0; gone < 2; gone++) {
        const struct rules *of = gone ? old : fresh, *other = gone ? fresh : old;
        const char *begin = gone ? "off: " : "changed: ";
        for (uint32_t i = 0; i < rules_written(of); i++) {
            const char *name = rules_at(of, i)->name;
            const struct yaml_node *there = find_written(other, name);
            if (there != NULL && (gone || node_equal(there, find_written(of, name))))
                continue;
            text_add(&text, "%s%s%s", gone && text.length > 0 && begin[0] == 'o' ? "; " : "", begin,
                     name);
            begin = ", ";
        }
    }
    hub_say_why(hub, text.length > 0 ? why : "nothing changed");
}

/* All that a rule can be wrong in, before anything is written. */
static int check_text(struct lumbard *hub, const char *text, struct diag *diag)
{
    struct rules *rules;
    struct rules_text changes = {
        .file = api_changes_file(hub), .text = text, .bytes = strlen(text)};
    int code = setup_read_changed(hub->options->config_file, hub->setup.config, &hub->setup.drivers,
                                  hub->setup.derive, &changes, &rules, diag);
    if (code != 0)
        return code;
    say_changes(hub, hub->ingest.rules, rules);
    rules_destroy(rules);
    return 0;
}

bool api_changes_good(struct lumbard *hub, const char *text, struct api_answer *answer)
{
    char sentence[512];
    struct diag diag = {0};
    if (check_text(hub, text, &diag) == 0)
        return true;
    api_problem(answer, 422, "Nothing changed: %s",
                diag_sentence(&diag, sentence, sizeof(sentence)));
    return false;
}

const char *api_changes_text(const struct lumbard *hub, const struct api_call *call,
                             struct api_answer *answer)
{
    const char *text = json_string_value(json_object_get(call->body, "text"));
    if (text == NULL)
        api_problem(answer, 422,
                    "'text' is missing: a file of changes, as lumbar-rules(5) has it.");
    else if (hub->setup.config->rules.changes[0] == '\0')
        api_problem(answer, 409, "No file is configured for changes of rules (rules.changes).");
    else if (hub->kept.complaint[0] != '\0')
        api_problem(answer, 409,
                    "The hub goes on with an earlier configuration, for the present one cannot be "
                    "used: that has to be mended first.");
    else
        return text;
    return NULL;
}

/* ---- put there ---- */

/* The worker's, which may wait for a slow disk: the loop is not held. */
struct changing {
    uv_work_t work;
    struct lumbard *hub;
    uint64_t ticket;
    char path[PATH_MAX];
    char *text, *old;
    bool was;            /* there was a file */
    struct diag diag;    /* what the hub said to it; code 0: nothing, it is taken */
    struct diag written; /* what the disk did */
};

static void drop(struct changing *changing)
{
    if (changing->hub->changing == changing)
        changing->hub->changing = NULL;
    free(changing->text);
    free(changing->old);
    free(changing);
}

static void end(struct changing *changing, struct api_answer *answer)
{
    web_api_answer(changing->hub->web, changing->ticket, answer);
    drop(changing);
}

static void refuse(struct changing *changing, int status, const struct diag *diag)
{
    char sentence[512];
    struct api_answer answer = {0};
    api_problem(&answer, status, "Nothing changed: %s",
                diag_sentence(diag, sentence, sizeof(sentence)));
    end(changing, &answer);
}

static void on_put_back(uv_work_t *work)
{
    struct changing *changing = work->data;
    files_put(changing->path, changing->old, strlen(changing->old), &changing->written);
}

static void after_put_back(uv_work_t *work, int status)
{
    struct changing *changing = work->data;
    (void)status;
    if (changing->written.code != 0)
        log_error("rules: %s is not again as it was: %s", changing->path, changing->written.text);
    refuse(changing, 409, &changing->diag);
}

static void put_back(struct changing *changing)
{
    if (changing->was &&
        uv_queue_work(&changing->hub->loop, &changing->work, on_put_back, after_put_back) == 0)
        return;
    if (!changing->was)
        unlink(changing->path);
    refuse(changing, 409, &changing->diag);
}

static void on_put(uv_work_t *work)
{
    struct changing *changing = work->data;
    files_put(changing->path, changing->text, strlen(changing->text), &changing->written);
}

static void after_put(uv_work_t *work, int status)
{
    struct changing *changing = work->data;
    struct lumbard *hub = changing->hub;
    struct api_answer answer = {0};
    (void)status;
    if (changing->written.code != 0) {
        refuse(changing, 503, &changing->written);
    } else if (hub->stopping) {
        api_problem(&answer, 503, "The hub stops, and takes it when it starts again.");
        end(changing, &answer);
    } else if (hub_reload(hub, &changing->diag) != 0) {
        put_back(changing);
    } else {
        give(hub, changing->text, &answer);
        end(changing, &answer);
    }
}

void hub_changing_end(struct lumbard *hub)
{
    if (hub->changing != NULL)
        drop(hub->changing);
}

/* Takes `old` over. */
static enum api_outcome apply(struct lumbard *hub, const struct api_call *call, const char *path,
                              const char *text, char *old, struct api_answer *answer)
{
    struct changing *changing = calloc(1, sizeof(*changing));
    char *copy = strdup(text);
    if (changing == NULL || copy == NULL) {
        free(changing);
        free(copy);
        free(old);
        return api_problem(answer, 503, "There is no memory for it.");
    }
    *changing = (struct changing){.hub = hub,
                                  .ticket = call->request->ticket,
                                  .text = copy,
                                  .old = old,
                                  .was = files_exists(path),
                                  .work.data = changing};
    snprintf(changing->path, sizeof(changing->path), "%s", path);
    if (uv_queue_work(&hub->loop, &changing->work, on_put, after_put) != 0) {
        drop(changing);
        return api_problem(answer, 503, "There is no memory for it.");
    }
    hub->changing = changing;
    return API_LATER;
}

enum api_outcome api_put_rule_changes(void *user, const struct api_call *call,
                                      struct api_answer *answer)
{
    struct lumbard *hub = user;
    char path[PATH_MAX], tag[API_TAG_BYTES];
    struct diag diag = {0};
    const char *text = api_changes_text(hub, call, answer);
    if (text == NULL)
        return API_DONE;
    if (hub->changing != NULL) {
        answer->retry_s = RETRY_S;
        return api_problem(answer, 429, "Others change rules just now: try again in %d s.",
                           RETRY_S);
    }
    char *old = read_text(hub_changes_file(hub, path), &diag);
    if (old == NULL)
        return api_complain(answer, diag.code, &diag);
    api_tag(tag, old);
    if (api_may_edit(call, tag, answer) && api_changes_good(hub, text, answer))
        return apply(hub, call, path, text, old, answer);
    free(old);
    return API_DONE;
}
