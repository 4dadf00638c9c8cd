#include "accounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_BYTES (1024 * 1024)

struct accounts {
    size_t bytes;
    char text[]; /* lines as they came, each terminated */
};

static int read_text(FILE *file, const char *path, struct accounts **out, struct diag *diag)
{
    struct stat info;
    if (fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > FILE_MAX_BYTES)
        return diag_set(diag, ERR_IO, "%s: is no file of accounts", path);
    if ((info.st_mode & (S_IROTH | S_IWOTH)) != 0)
        return diag_set(diag, ERR_CONFLICT, "%s: everybody may read it: chmod 0600", path);
    size_t size = (size_t)info.st_size;
    struct accounts *accounts = calloc(1, sizeof(*accounts) + size + 1);
    if (accounts == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for accounts");
    accounts->bytes = fread(accounts->text, 1, size, file);
    for (size_t i = 0; i < accounts->bytes; i++)
        if (accounts->text[i] == '\n')
            accounts->text[i] = '\0';
    *out = accounts;
    return 0;
}

int accounts_read(struct accounts **out, const char *path, struct diag *diag)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return diag_set(diag, ERR_IO, "%s: %s", path, strerror(errno));
    int code = read_text(file, path, out, diag);
    fclose(file);
    return code;
}

void accounts_destroy(struct accounts *accounts)
{
    if (accounts == NULL)
        return;
    explicit_bzero(accounts->text, accounts->bytes);
    free(accounts);
}

const char *accounts_password(const struct accounts *accounts, const char *device)
{
    size_t name = strlen(device);
    const char *word = NULL, *end = accounts->text + accounts->bytes;
    for (const char *line = accounts->text; line < end; line += strlen(line) + 1)
        if (strncmp(line, device, name) == 0 && line[name] == ' ' && line[name + 1] != '\0')
            word = line + name + 1;
    return word;
}
