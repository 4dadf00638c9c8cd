/* The text of changes that somebody is at, read and changed for the page's forms: the page knows no
 * YAML. Nothing of it is kept. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "core/rule_edit.h"

#define EDITS_MAX 32

const char *api_changes_file(const struct lumbard *hub)
{
    const char *path = hub->setup.config->rules.changes, *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

json_t *api_changes_said(const struct lumbard *hub, const char *text)
{
    struct diag unheard = {0};
    json_t *said = rule_edit_read(api_changes_file(hub), text, &unheard);
    return said != NULL ? said : json_null();
}

static enum api_outcome refuse(struct api_answer *answer, const struct diag *diag)
{
    char sentence[512];
    int status = diag->code == ERR_MEMORY ? 503 : diag->code == ERR_CONFLICT ? 409 : 422;
    return api_problem(answer, status, "%s", diag_sentence(diag, sentence, sizeof(sentence)));
}

/* The text after all edits, which the caller frees; NULL with a complaint. */
static char *edit(const char *file, const char *text, const char *rule, const json_t *edits,
                  struct diag *diag)
{
    char *now = strdup(text);
    for (size_t i = 0; now != NULL && i < json_array_size(edits); i++) {
        const json_t *each = json_array_get(edits, i);
        char *next = rule_edit(file, now, rule, json_object_get(each, "path"),
                               json_object_get(each, "value"), diag);
        free(now);
        now = next;
    }
    if (now == NULL && diag->code == 0)
        diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    return now;
}

/* {"text": ..., "rule": NAME, "set": [{"path": ["above"], "value": "45 deg"}]}; without "set" it is
 * only read. */
enum api_outcome api_edit_rule_text(void *user, const struct api_call *call,
                                    struct api_answer *answer)
{
    const struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    struct diag diag = {0};
    const char *text = json_string_value(json_object_get(call->body, "text"));
    const json_t *edits = json_object_get(call->body, "set");
    const char *rule = api_text(&reader, "rule", 1, LUMBAR_NAME_MAX, "");
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (text == NULL)
        return api_problem(answer, 422,
                           "'text' is missing: a file of changes, as lumbar-rules(5) "
                           "has it.");
    if (edits != NULL && (!json_is_array(edits) || json_array_size(edits) > EDITS_MAX))
        return api_problem(answer, 422,
                           "'set' is a list of up to %d changes, each a path and a "
                           "value.",
                           EDITS_MAX);
    if (edits != NULL && *rule == '\0')
        return api_problem(answer, 422, "'rule' is missing: the one that 'set' is about.");
    char *now = edit(api_changes_file(hub), text, rule, edits, &diag);
    json_t *said = now != NULL ? rule_edit_read(api_changes_file(hub), now, &diag) : NULL;
    enum api_outcome outcome =
        said != NULL ? api_give(answer, 200, json_pack("{s:s, s:o}", "text", now, "rules", said))
                     : refuse(answer, &diag);
    free(now);
    return outcome;
}
