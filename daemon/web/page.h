/*
 * The page, built into the program: made by build.mjs from the sources in this folder.
 */
#ifndef LUMBAR_WEB_PAGE_H
#define LUMBAR_WEB_PAGE_H

#include <stddef.h>
#include <stdint.h>

struct page_file {
    const char *path; /* "/app.js"; the page itself is "/" */
    const char *type; /* "text/javascript; charset=utf-8" */
    const char *etag; /* with its quotes */
    const uint8_t *plain, *gzip;
    size_t plain_bytes, gzip_bytes;
};

extern const struct page_file page_files[]; /* ends with a NULL path */

/* What is put into a report, and the policy under which it is shown: nothing but this style. */
extern const char page_report_style[], page_report_policy[];

#endif
