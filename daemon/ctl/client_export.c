/* lumbarctl client export, erase: all that is kept of one client. */
#include "client.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "ctl.h"

#define LOOK_MS   500
#define LOOKS_MAX 600

static int failed(const char *path)
{
    fprintf(stderr, "lumbarctl: cannot write %s: %s\n", path, strerror(errno));
    return CTL_FAILED;
}

int client_save(const char *folder, const char *name, const char *text, size_t bytes)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *out = fopen(path, "wxe");
    bool done = out != NULL && fwrite(text, 1, bytes, out) == bytes;
    if (out == NULL || fclose(out) != 0 || !done)
        return failed(path);
    return 0;
}

/* ---- export ---- */

/* What was measured in a session, second by second, and its page. */
static int export_session(const struct ask *ask, const char *folder, long long id)
{
    static const struct {
        const char *what, *end;
    } kinds[] = {{"csv", "csv"}, {"report", "html"}, {"fhir", "fhir.json"}};
    int code = 0;
    for (unsigned i = 0; code == 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char path[96], name[64], *text;
        size_t bytes;
        snprintf(path, sizeof(path), "/api/v1/sessions/%lld/%s", id, kinds[i].what);
        code = ask_hub_text(ask, path, &text, &bytes);
        if (code != 0)
            break;
        snprintf(name, sizeof(name), "session-%lld.%s", id, kinds[i].end);
        code = client_save(folder, name, text, bytes);
        free(text);
    }
    return code;
}

/* What came of each recording stands in the document, which is the last. */
static int export_all(const struct ask *ask, const char *folder, json_t *document)
{
    const json_t *sessions = json_object_get(document, "sessions");
    bool any = json_array_size(json_object_get(document, "recordings")) > 0;
    int code = 0, given = 0;
    for (size_t i = 0; code == 0 && i < json_array_size(sessions); i++) {
        long long id = ask_integer(json_array_get(sessions, i), "id");
        code = export_session(ask, folder, id);
        if (code == 0 && any)
            given |= client_give_tapes(ask, folder, document, (uint64_t)id);
    }
    char *text = json_dumps(document, JSON_INDENT(2));
    if (code == 0)
        code = text != NULL ? client_save(folder, "client.json", text, strlen(text)) : CTL_FAILED;
    free(text);
    return code == 0 && given != 0 ? CTL_FAILED : code;
}

static size_t recordings_given(const json_t *document)
{
    const json_t *list = json_object_get(document, "recordings");
    size_t given = 0;
    for (size_t i = 0; i < json_array_size(list); i++)
        given += json_is_true(json_object_get(json_array_get(list, i), "given"));
    return given;
}

static void print_export(const struct ask *ask, const char *folder, const json_t *document)
{
    size_t sessions = json_array_size(json_object_get(document, "sessions"));
    size_t recordings = recordings_given(document);
    if (ask->json)
        ctl_print_line(json_pack("{s:s, s:I, s:I}", "folder", folder, "sessions",
                                 (json_int_t)sessions, "recordings", (json_int_t)recordings));
    else
        printf("%s: %zu sessions, %zu recordings\n", folder, sessions, recordings);
}

int client_export(const struct ask *ask, const char *name, const char *folder)
{
    char path[320], escaped[200];
    json_t *document;
    snprintf(path, sizeof(path), "/api/v1/clients/%s/export",
             ask_escape(name, escaped, sizeof(escaped)));
    int code = ask_hub(ask, "GET", path, NULL, &document);
    if (code != 0 || (folder == NULL && ask_printed(ask, document)))
        return code;
    if (folder == NULL) {
        json_dumpf(document, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (mkdir(folder, 0750) != 0) {
        code = failed(folder);
    } else {
        code = export_all(ask, folder, document);
    }
    if (code == 0 && folder != NULL)
        print_export(ask, folder, document);
    json_decref(document);
    return code;
}

/* ---- erase ---- */

/* Until no copy is left in the free room of the file. */
static int wait_cleared(const struct ask *ask)
{
    for (int i = 0; i < LOOKS_MAX; i++) {
        json_t *status;
        int code = ask_hub(ask, "GET", "/api/v1/status", NULL, &status);
        if (code != 0)
            return code;
        bool clearing =
            json_is_true(json_object_get(json_object_get(status, "history"), "erasing"));
        json_decref(status);
        if (!clearing)
            return 0;
        nanosleep(&(struct timespec){0, LOOK_MS * 1000000L}, NULL);
    }
    fprintf(stderr, "lumbarctl: the file is still being cleared of copies; see lumbarctl status\n");
    return CTL_FAILED;
}

static void print_elsewhere(const json_t *answer)
{
    const json_t *elsewhere = json_object_get(answer, "elsewhere");
    const json_t *backups = json_object_get(elsewhere, "backups");
    const json_t *aside = json_object_get(elsewhere, "set_aside");
    if (json_array_size(backups) + json_array_size(aside) > 0)
        printf("still in, until they are removed:\n");
    for (size_t i = 0; i < json_array_size(backups); i++) {
        const json_t *one = json_array_get(backups, i);
        printf("  backup %s of %s\n", ask_string(one, "name"), ask_string(one, "made"));
    }
    for (size_t i = 0; i < json_array_size(aside); i++)
        printf("  %s\n", json_string_value(json_array_get(aside, i)));
    printf("spool: %s\n", ask_string(elsewhere, "spool"));
}

int client_erase(const struct ask *ask, const char *name)
{
    char path[320], escaped[200];
    const char *user = getenv("USER");
    json_t *answer, *body = json_object();
    if (user != NULL && *user != '\0')
        json_object_set_new(body, "by", json_string(user));
    snprintf(path, sizeof(path), "/api/v1/clients/%s/erase",
             ask_escape(name, escaped, sizeof(escaped)));
    int code = ask_hub(ask, "POST", path, body, &answer);
    if (code != 0)
        return code;
    if (json_is_true(json_object_get(answer, "stored")))
        code = wait_cleared(ask);
    if (ask_printed(ask, answer))
        return code;
    printf("%s is erased: %zu sessions, %zu recordings\n", name,
           json_array_size(json_object_get(answer, "sessions")),
           json_array_size(json_object_get(answer, "recordings")));
    print_elsewhere(answer);
    json_decref(answer);
    return code;
}
