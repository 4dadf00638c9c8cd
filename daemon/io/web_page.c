#include "io/web_page.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/web_http.h"

static const struct page_file health = {
    .path = "/healthz",
    .type = "text/plain; charset=utf-8",
    .plain = (const uint8_t *)"ok\n",
    .plain_bytes = 3,
};

/* Reads it whole. A file that grows meanwhile is cut at what it was. */
static bool read_whole(int fd, struct web_page *page, size_t bytes)
{
    page->read = malloc(bytes + 1); /* an empty file has an address, too */
    if (page->read == NULL)
        return false;
    size_t have = 0;
    while (have < bytes) {
        ssize_t got = read(fd, (char *)page->read + have, bytes - have);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    page->file.plain = page->read;
    page->file.plain_bytes = have;
    return true;
}

static bool read_from(struct web_page *page, const char *folder, const char *path)
{
    char name[4096];
    if (!http_path_is_plain(path) ||
        (size_t)snprintf(name, sizeof(name), "%s%s", folder, path) >= sizeof(name))
        return false;
    /* Not to hang on a pipe that somebody put there. */
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    struct stat status;
    bool found = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                 status.st_size <= WEB_PAGE_MAX_BYTES &&
                 read_whole(fd, page, (size_t)status.st_size);
    close(fd);
    if (!found)
        return false;
    snprintf(page->etag, sizeof(page->etag), "\"%llx-%llx\"", (unsigned long long)status.st_size,
             (unsigned long long)status.st_mtim.tv_sec * 1000000000u +
                 (unsigned long long)status.st_mtim.tv_nsec);
    page->file.etag = page->etag;
    page->file.type = http_type_of(path);
    return true;
}

bool web_page_find(struct web_page *page, const char *folder, const char *path)
{
    *page = (struct web_page){0};
    if (strcmp(path, health.path) == 0) {
        page->file = health;
        return true;
    }
    if (folder != NULL)
        return read_from(page, folder, strcmp(path, "/") == 0 ? "/index.html" : path);
    for (const struct page_file *file = page_files; file->path != NULL; file++)
        if (strcmp(path, file->path) == 0) {
            page->file = *file;
            return true;
        }
    return false;
}

void web_page_fini(struct web_page *page)
{
    free(page->read);
    page->read = NULL;
}
