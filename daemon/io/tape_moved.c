/* The file "moved" of a folder of recordings: what a clock told that nobody had set. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/text.h"
#include "io/files.h"
#include "io/tape_folder.h"

#define FILE_NAME  "moved"
#define LINE_BYTES (TAPE_NAME_BYTES + 72)
#define DAY_MS     INT64_C(86400000) /* a recording that began so long before has ended */

static const char *join(char out[PATH_MAX], const char *folder, const char *name)
{
    struct text text = text_in(out, PATH_MAX);
    text_add(&text, "%s/%s", folder, name);
    return out;
}

/* One that goes on is finished some day, and is meant by the same line. */
static int finished_bytes(const char *file)
{
    size_t bytes = strlen(file), open = strlen(".part");
    return (int)(bytes > open && strcmp(file + bytes - open, ".part") == 0 ? bytes - open : bytes);
}

/* ---- the file ---- */

static bool add(struct tape_moved *moved, const struct tape_moved_line *line)
{
    struct tape_moved_line *grown = realloc(moved->lines, (moved->count + 1) * sizeof(*grown));
    if (grown == NULL)
        return false;
    moved->lines = grown;
    moved->lines[moved->count++] = *line;
    return true;
}

int tape_moved_read(struct tape_moved *moved, const char *folder, struct diag *diag)
{
    char path[PATH_MAX], *text, *rest;
    size_t bytes;
    *moved = (struct tape_moved){.lines = NULL};
    if (!files_exists(join(path, folder, FILE_NAME)))
        return 0;
    int code = files_read(path, &text, &bytes, diag);
    if (code != 0)
        return code;
    for (char *at = strtok_r(text, "\n", &rest); at != NULL; at = strtok_r(NULL, "\n", &rest)) {
        struct tape_moved_line line;
        struct tape_move *move = &line.move;
        if (sscanf(at, "%111s %" SCNu64 " %" SCNd64 " %" SCNd64, line.file, &move->bytes,
                   &move->from_ms, &move->by_ms) == 4 &&
            !add(moved, &line))
            code = diag_set(diag, ERR_MEMORY, "no memory to read %s", path);
    }
    free(text);
    return code;
}

void tape_moved_of(const struct tape_moved *moved, const char *file, struct tape_moves *moves)
{
    size_t bytes = (size_t)finished_bytes(file);
    moves->count = 0;
    for (size_t i = 0; i < moved->count && moves->count < TAPE_MOVES_MAX; i++)
        if (strncmp(moved->lines[i].file, file, bytes) == 0 && moved->lines[i].file[bytes] == '\0')
            moves->list[moves->count++] = moved->lines[i].move;
}

static int write_lines(const struct tape_moved *moved, const char *folder, struct diag *diag)
{
    char path[PATH_MAX];
    size_t room = moved->count * LINE_BYTES + 1;
    char *words = malloc(room);
    if (words == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory to write what was moved");
    struct text text = text_in(words, room);
    for (size_t i = 0; i < moved->count; i++) {
        const struct tape_move *move = &moved->lines[i].move;
        text_add(&text, "%s %" PRIu64 " %" PRId64 " %" PRId64 "\n", moved->lines[i].file,
                 move->bytes, move->from_ms, move->by_ms);
    }
    int code = files_put(join(path, folder, FILE_NAME), words, text.length, diag);
    free(words);
    return code;
}

/* ---- a clock that was set ---- */

/* Recordings that are gone need no line. */
static void keep_lines_of(struct tape_moved *moved, const struct tape_name *list, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < moved->count; i++) {
        bool there = false;
        for (size_t j = 0; j < count && !there; j++)
            there = strncmp(list[j].file, moved->lines[i].file, strlen(moved->lines[i].file)) == 0;
        if (there)
            moved->lines[kept++] = moved->lines[i];
    }
    moved->count = kept;
}

/* Those that tell a time of that clock; what cannot be read tells none. */
static bool add_lines(struct tape_moved *moved, const char *folder, const struct tape_name *list,
                      size_t count, int64_t from_ms, int64_t by_ms)
{
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX];
        struct tape_summary summary;
        struct diag diag = {0};
        if ((!list[i].open && list[i].began_ms < from_ms - DAY_MS) ||
            tape_file_summary(join(path, folder, list[i].file), &summary, &diag) != 0 ||
            summary.messages == 0 || summary.last_ms < from_ms)
            continue;
        if (summary.moves.count == TAPE_MOVES_MAX) {
            log_error("recorder: %s was put right %d times already: times that it tells of since "
                      "the machine was switched on stay wrong",
                      list[i].file, TAPE_MOVES_MAX);
            continue;
        }
        struct tape_moved_line line = {.move = {summary.file_bytes, from_ms, by_ms}};
        snprintf(line.file, sizeof(line.file), "%.*s", finished_bytes(list[i].file), list[i].file);
        if (!add(moved, &line))
            return false;
    }
    return true;
}

static bool was_said(const struct tape_moved *moved, int64_t from_ms, int64_t *by_ms)
{
    for (size_t i = 0; i < moved->count; i++)
        if (moved->lines[i].move.from_ms == from_ms) {
            *by_ms = moved->lines[i].move.by_ms;
            return true;
        }
    return false;
}

int tape_folder_move(const char *folder, int64_t from_ms, int64_t *by_ms, struct diag *diag)
{
    struct tape_moved moved;
    struct tape_name *list = NULL;
    size_t count = 0;
    if (!files_exists(folder))
        return 0;
    int code = tape_moved_read(&moved, folder, diag);
    if (code != 0 || was_said(&moved, from_ms, by_ms)) {
        free(moved.lines);
        return code;
    }
    code = tape_folder_list(folder, &list, &count, diag);
    if (code == 0) {
        keep_lines_of(&moved, list, count);
        size_t kept = moved.count;
        if (!add_lines(&moved, folder, list, count, from_ms, *by_ms))
            code = diag_set(diag, ERR_MEMORY, "no memory to note what is moved");
        else if (moved.count > kept)
            code = write_lines(&moved, folder, diag);
    }
    free(list);
    free(moved.lines);
    return code;
}
