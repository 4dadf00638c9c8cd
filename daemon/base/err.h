/*
 * Errors: one list of codes, and the first complaint as a sentence.
 *
 * Functions return 0 or one negative code. At start, check and reload a struct diag goes along and
 * keeps the first, deepest complaint; later ones change nothing. Codes are for the world; asserts
 * are for the programmer. Nothing here allocates or is shared between threads.
 */
#ifndef LUMBAR_BASE_ERR_H
#define LUMBAR_BASE_ERR_H

#include <stdbool.h>

#define ERR_LIST(X)                                                                                \
    X(ERR_MEMORY, "out of memory")                                                                 \
    X(ERR_SYNTAX, "not well formed")                                                               \
    X(ERR_UNKNOWN, "an unknown name")                                                              \
    X(ERR_RANGE, "a value out of range")                                                           \
    X(ERR_CONFLICT, "two things contradict each other")                                            \
    X(ERR_FULL, "no room left")                                                                    \
    X(ERR_IO, "the system refused a file or socket")                                               \
    X(ERR_TAKEN, "in use by another program")                                                      \
    X(ERR_PLUGIN, "a plugin was refused")                                                          \
    X(ERR_MALFORMED, "a message cannot be used")                                                   \
    X(ERR_LIMIT, "a limit was passed")                                                             \
    X(ERR_VERSION, "made by another version")                                                      \
    X(ERR_RESTART, "takes a new start")                                                            \
    X(ERR_AGAIN, "to be begun once more")

enum err {
    ERR_OK = 0,
    ERR_FIRST_ = -100,
#define X(code, words) code,
    ERR_LIST(X)
#undef X
};

/* The words of a code; never NULL. */
const char *err_words(int code);

/* A complaint with its place. Zero it before use. */
struct diag {
    int code; /* 0: nothing to complain of */
    char file[160];
    int line, column; /* from 1; 0: no place */
    char text[320];
};

/* Keeps the complaint if it is the first one; returns the code, for `return diag_set(...)`. */
int diag_set(struct diag *diag, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, with a place in a file. */
int diag_at(struct diag *diag, int code, const char *file, int line, int column, const char *format,
            ...) __attribute__((format(printf, 6, 7)));

/* "file:line:column: text", as much of it as there is; returns out. */
const char *diag_sentence(const struct diag *diag, char *out, unsigned bytes);

#endif
