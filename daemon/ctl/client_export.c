/* lumbarctl client export, erase: all that is kept of one client. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"

#define LOOK_MS   500
#define LOOKS_MAX 600

static int failed(const char *path)
{
    fprintf(stderr, "lumbarctl: cannot write %s: %s\n", path, strerror(errno));
    return CTL_FAILED;
}

static int save(const char *folder, const char *name, const char *text, size_t bytes)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *out = fopen(path, "wxe");
    bool done = out != NULL && fwrite(text, 1, bytes, out) == bytes;
    if (out == NULL || fclose(out) != 0 || !done)
        return failed(path);
    return 0;
}

static int copy(const char *from, const char *to)
{
    static char piece[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC), code = 0;
    if (in < 0) {
        fprintf(stderr, "lumbarctl: cannot read %s: %s\n", from, strerror(errno));
        return CTL_FAILED;
    }
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (out < 0)
        code = failed(to);
    for (ssize_t have; code == 0 && (have = read(in, piece, sizeof(piece))) > 0;)
        if (write(out, piece, (size_t)have) != have)
            code = failed(to);
    if (out >= 0)
        close(out);
    close(in);
    return code;
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
        code = save(folder, name, text, bytes);
        free(text);
    }
    return code;
}

static int export_recordings(const char *folder, const json_t *document)
{
    const json_t *list = json_object_get(document, "recordings");
    int code = 0;
    for (size_t i = 0; code == 0 && i < json_array_size(list); i++) {
        char from[PATH_MAX], to[PATH_MAX];
        const char *name = ask_string(json_array_get(list, i), "name");
        snprintf(from, sizeof(from), "%s/%s", ask_string(document, "recordings_folder"), name);
        snprintf(to, sizeof(to), "%s/%s", folder, name);
        code = copy(from, to);
    }
    return code;
}

static int export_all(const struct ask *ask, const char *folder, const json_t *document)
{
    char *text = json_dumps(document, JSON_INDENT(2));
    int code = text != NULL ? save(folder, "client.json", text, strlen(text)) : CTL_FAILED;
    const json_t *sessions = json_object_get(document, "sessions");
    free(text);
    for (size_t i = 0; code == 0 && i < json_array_size(sessions); i++)
        code = export_session(ask, folder, ask_integer(json_array_get(sessions, i), "id"));
    return code == 0 ? export_recordings(folder, document) : code;
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
    if (code == 0 && folder != NULL && ask->json)
        ctl_print_line(json_pack(
            "{s:s, s:I, s:I}", "folder", folder, "sessions",
            (json_int_t)json_array_size(json_object_get(document, "sessions")), "recordings",
            (json_int_t)json_array_size(json_object_get(document, "recordings"))));
    else if (code == 0 && folder != NULL)
        printf("%s: %zu sessions, %zu recordings\n", folder,
               json_array_size(json_object_get(document, "sessions")),
               json_array_size(json_object_get(document, "recordings")));
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
