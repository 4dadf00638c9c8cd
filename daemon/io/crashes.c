#include "io/crashes.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "io/files.h"

#define FILE_NAME   "crashes"
#define LINES_MOST  64 /* kinds and versions; more are forgotten, the oldest first */
#define WORDS_BYTES 128

struct counts {
    struct line {
        char words[WORDS_BYTES]; /* "massage 1.0.0" */
        unsigned count;
    } list[LINES_MOST];
    unsigned lines;
};

static const char *path_of(char out[PATH_MAX], const char *folder, const char *more)
{
    struct text text = text_in(out, PATH_MAX);
    text_add(&text, "%s/" FILE_NAME "%s", folder, more);
    return out;
}

static void name(char out[WORDS_BYTES], const char *kind, const char *version)
{
    struct text text = text_in(out, WORDS_BYTES);
    text_add(&text, "%s %s", kind, version);
    for (char *at = out; *at != '\0'; at++)
        if (*at == '\n' || *at == '\t')
            *at = '?';
}

/* A file that cannot be read says nothing: plugins are then tried again. */
static void read_counts(struct counts *counts, const char *folder)
{
    char path[PATH_MAX], *text, *rest = NULL;
    size_t bytes;
    struct diag diag = {0};
    counts->lines = 0;
    if (folder[0] == '\0' || files_read(path_of(path, folder, ""), &text, &bytes, &diag) != 0)
        return;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL && counts->lines < LINES_MOST;
         line = strtok_r(NULL, "\n", &rest)) {
        struct line *of = &counts->list[counts->lines];
        char *tab = strchr(line, '\t');
        if (tab == NULL)
            continue;
        struct text words = text_in(of->words, sizeof(of->words));
        text_add(&words, "%.*s", (int)(tab - line), line);
        of->count = (unsigned)strtoul(tab + 1, NULL, 10);
        counts->lines++;
    }
    free(text);
}

static bool write_counts(const struct counts *counts, const char *folder)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    FILE *file = fopen(path_of(fresh, folder, ".new"), "we");
    if (file == NULL)
        return false;
    for (unsigned i = 0; i < counts->lines; i++)
        fprintf(file, "%s\t%u\n", counts->list[i].words, counts->list[i].count);
    bool written = fflush(file) == 0 && fsync(fileno(file)) == 0;
    return fclose(file) == 0 && written && rename(fresh, path_of(path, folder, "")) == 0;
}

static struct line *find(struct counts *counts, const char *words)
{
    for (unsigned i = 0; i < counts->lines; i++)
        if (strcmp(counts->list[i].words, words) == 0)
            return &counts->list[i];
    return NULL;
}

unsigned crashes_count(const char *folder, const char *kind, const char *version)
{
    struct counts counts;
    char words[WORDS_BYTES];
    read_counts(&counts, folder);
    name(words, kind, version);
    const struct line *line = find(&counts, words);
    return line != NULL ? line->count : 0;
}

static void drop(struct counts *counts, unsigned at)
{
    memmove(&counts->list[at], &counts->list[at + 1],
            (counts->lines - at - 1) * sizeof(counts->list[0]));
    counts->lines--;
}

unsigned crashes_add(const char *folder, const char *kind, const char *version)
{
    struct counts counts;
    char words[WORDS_BYTES];
    if (folder[0] == '\0')
        return 1;
    read_counts(&counts, folder);
    name(words, kind, version);
    struct line *line = find(&counts, words);
    if (line == NULL) {
        if (counts.lines == LINES_MOST)
            drop(&counts, 0);
        line = &counts.list[counts.lines++];
        memcpy(line->words, words, sizeof(words));
        line->count = 0;
    }
    line->count++;
    write_counts(&counts, folder);
    return line->count;
}

bool crashes_forget(const char *folder, const char *kind)
{
    struct counts counts;
    size_t length = strlen(kind);
    if (folder[0] == '\0')
        return true;
    read_counts(&counts, folder);
    for (unsigned i = counts.lines; i-- > 0;)
        if (strncmp(counts.list[i].words, kind, length) == 0 && counts.list[i].words[length] == ' ')
            drop(&counts, i);
    return write_counts(&counts, folder);
}
