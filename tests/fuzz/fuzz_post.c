/* Where a webhook leads, and what its server answers. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/post.h"

static void must(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "not so: %s\n", what);
    abort();
}

/* What is taken can be asked for in one request, and no line of it is the address's own. */
static void hold(const struct post_place *place)
{
    char head[POST_HEAD_BYTES];
    size_t length = post_write_head(head, place, "word", 7), lines = 0;
    must(length > 0 && length == strlen(head), "a place fits into a head");
    must(place->port >= 1 && place->port <= 65535 && place->path[0] == '/', "a port and a path");
    for (const char *at = head; (at = strstr(at, "\r\n")) != NULL; at += 2)
        lines++;
    must(lines == 8, "seven lines and an empty one");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct post_place place;
    struct diag diag = {.code = 0};
    char *url = malloc(size + 1);
    memcpy(url, data, size);
    url[size] = '\0';
    if (post_read_place(&place, url, &diag) == 0)
        hold(&place);
    else
        must(diag.text[0] != '\0', "a refusal has a sentence");
    free(url);

    int whole = post_read_status((const char *)data, size);
    for (size_t part = 0; part < size && part < 16; part++) {
        int before = post_read_status((const char *)data, part);
        must(before == 0 || before == whole, "more bytes change no answer");
    }
    return 0;
}
