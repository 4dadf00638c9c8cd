/*
 * The files of the page: those built into the program, or, for work on it, those of a folder, read
 * anew at each request.
 */
#ifndef LUMBAR_IO_WEB_PAGE_H
#define LUMBAR_IO_WEB_PAGE_H

#include <stdbool.h>

#include "web/page.h"

#define WEB_PAGE_MAX_BYTES (4L * 1024 * 1024) /* of a file in a folder */

struct web_page {
    struct page_file file; /* etag NULL: none; gzip NULL: none */
    char etag[48];
    void *read; /* what was read for this request; free it with web_page_fini() */
};

/* Finds what stands at this path; folder: NULL for the program's own. False: nothing does. Blocks
 * while it reads, in a folder. */
bool web_page_find(struct web_page *page, const char *folder, const char *path);
void web_page_fini(struct web_page *page);

#endif
