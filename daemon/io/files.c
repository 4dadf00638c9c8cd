#include "io/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads exactly what fstat promised; a file that shrinks meanwhile is an error, not a short text.
 */
static int read_all(int fd, const char *path, char *text, size_t bytes, struct diag *diag)
{
    size_t have = 0;
    while (have < bytes) {
        ssize_t n = read(fd, text + have, bytes - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return diag_set(diag, ERR_IO, "cannot read %s: %s", path, strerror(errno));
        if (n == 0)
            return diag_set(diag, ERR_IO, "cannot read %s: it changed meanwhile", path);
        have += (size_t)n;
    }
    text[bytes] = '\0';
    return 0;
}

int files_read(const char *path, char **text, size_t *bytes, struct diag *diag)
{
    /* O_NONBLOCK: a pipe in the place of the file must not hang the start. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return diag_set(diag, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    struct stat info;
    int code = 0;
    *text = NULL;
    if (fstat(fd, &info) != 0)
        code = diag_set(diag, ERR_IO, "cannot read %s: %s", path, strerror(errno));
    else if (!S_ISREG(info.st_mode))
        code = diag_set(diag, ERR_IO, "cannot read %s: not a regular file", path);
    else if (info.st_size > FILES_MAX_BYTES)
        code = diag_set(diag, ERR_LIMIT, "cannot read %s: larger than 1 MiB", path);
    if (code != 0)
        goto close_file;
    *bytes = (size_t)info.st_size;
    *text = malloc(*bytes + 1);
    if (*text == NULL)
        code = diag_set(diag, ERR_MEMORY, "cannot read %s: out of memory", path);
    else
        code = read_all(fd, path, *text, *bytes, diag);
    if (code != 0) {
        free(*text);
        *text = NULL;
    }
close_file:
    close(fd);
    return code;
}

int files_read_line(const char *path, char *line, size_t bytes, struct diag *diag)
{
    char *text;
    size_t count;
    int code = files_read(path, &text, &count, diag);
    if (code != 0)
        return code;
    size_t length = strcspn(text, "\r\n");
    if (length >= bytes)
        code = diag_set(diag, ERR_LIMIT, "the first line of %s is too long", path);
    else
        snprintf(line, bytes, "%.*s", (int)length, text);
    free(text);
    return code;
}

static int is_yaml(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 5 &&
           strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

/* A file of a folder; name "": the file itself. */
static int read_rule_file(struct files_rules *rules, const char *folder, const char *name,
                          struct diag *diag)
{
    if (rules->count == FILES_MAX_RULES)
        return diag_set(diag, ERR_LIMIT, "more than %d rule files in %s", FILES_MAX_RULES, folder);
    char *path, *text;
    if (asprintf(&path, "%s%s%s", folder, name[0] != '\0' ? "/" : "", name) < 0)
        return diag_set(diag, ERR_MEMORY, "out of memory");
    struct rules_text *file = &rules->list[rules->count];
    int code = files_read(path, &text, &file->bytes, diag);
    if (code != 0) {
        free(path);
        return code;
    }
    file->file = path;
    file->text = text;
    file->changes = false;
    rules->count++;
    return 0;
}

int files_read_rules(const char *folder, struct files_rules *rules, struct diag *diag)
{
    struct stat status;
    rules->count = 0;
    if (folder[0] == '\0')
        return 0;
    if (stat(folder, &status) == 0 && S_ISREG(status.st_mode))
        return read_rule_file(rules, folder, "", diag);
    struct dirent **entries;
    int count = scandir(folder, &entries, is_yaml, alphasort);
    if (count < 0)
        return diag_set(diag, ERR_IO, "cannot read the folder of rules %s: %s", folder,
                        strerror(errno));
    int code = 0;
    for (int i = 0; i < count; i++) {
        if (code == 0)
            code = read_rule_file(rules, folder, entries[i]->d_name, diag);
        free(entries[i]);
    }
    free(entries);
    if (code != 0)
        files_free_rules(rules);
    return code;
}

/* Takes over what malloc gave. */
static int add_changes(struct files_rules *rules, char *file, char *text, size_t bytes,
                       struct diag *diag)
{
    if (file == NULL || text == NULL) {
        free(file);
        free(text);
        files_free_rules(rules);
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    }
    rules->list[rules->count++] =
        (struct rules_text){.file = file, .text = text, .bytes = bytes, .changes = true};
    return 0;
}

int files_add_changes(struct files_rules *rules, const char *path, struct diag *diag)
{
    char *text;
    size_t bytes;
    if (path[0] == '\0' || !files_exists(path))
        return 0;
    int code = files_read(path, &text, &bytes, diag);
    if (code == 0)
        return add_changes(rules, strdup(path), text, bytes, diag);
    files_free_rules(rules);
    return code;
}

int files_add_text(struct files_rules *rules, const struct rules_text *changes, struct diag *diag)
{
    return add_changes(rules, strdup(changes->file), strndup(changes->text, changes->bytes),
                       changes->bytes, diag);
}

void files_free_rules(struct files_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        free((char *)rules->list[i].file);
        free((char *)rules->list[i].text);
    }
    rules->count = 0;
}

/* Without it a power cut may bring the old name back. */
static bool sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 0 : slash == path ? 1 : (int)(slash - path);
    snprintf(folder, sizeof(folder), "%.*s", length, path);
    int fd = open(length == 0 ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return synced;
}

int files_put(const char *path, const char *text, size_t bytes, struct diag *diag)
{
    char fresh[PATH_MAX + 8];
    struct stat old = {.st_mode = 0644};
    bool was = stat(path, &old) == 0;
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    FILE *file = fopen(fresh, "we");
    if (file == NULL)
        return diag_set(diag, ERR_IO, "cannot write %s: %s", fresh, strerror(errno));
    bool written = fwrite(text, 1, bytes, file) == bytes && fflush(file) == 0 &&
                   fsync(fileno(file)) == 0 && fchmod(fileno(file), old.st_mode & 0777) == 0;
    if (was && fchown(fileno(file), old.st_uid, old.st_gid) != 0)
        written = written && geteuid() != 0; /* who may write it may not give it away */
    if (fclose(file) == 0 && written && rename(fresh, path) == 0 && sync_folder_of(path))
        return 0;
    diag_set(diag, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    unlink(fresh);
    return diag->code;
}

bool files_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

const char *files_beside(const char *from, const char *path, char *out, size_t bytes)
{
    const char *slash = strrchr(from, '/');
    if (path[0] == '/' || path[0] == '\0' || slash == NULL)
        snprintf(out, bytes, "%s", path);
    else
        snprintf(out, bytes, "%.*s/%s", (int)(slash - from), from, path);
    return out;
}
