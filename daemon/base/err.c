#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

const char *err_words(int code)
{
    switch (code) {
#define X(name, words)                                                                             \
    case name:                                                                                     \
        return words;
        ERR_LIST(X)
#undef X
    default:
        return code == ERR_OK ? "no error" : "an unknown error";
    }
}

__attribute__((format(printf, 6, 0))) static int diag_keep(struct diag *diag, int code,
                                                           const char *file, int line, int column,
                                                           const char *format, va_list args)
{
    if (diag == NULL || diag->code != 0)
        return code;
    diag->code = code;
    diag->line = line;
    diag->column = column;
    snprintf(diag->file, sizeof(diag->file), "%s", file);
    vsnprintf(diag->text, sizeof(diag->text), format, args);
    return code;
}

int diag_set(struct diag *diag, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    code = diag_keep(diag, code, "", 0, 0, format, args);
    va_end(args);
    return code;
}

int diag_at(struct diag *diag, int code, const char *file, int line, int column, const char *format,
            ...)
{
    va_list args;
    va_start(args, format);
    code = diag_keep(diag, code, file, line, column, format, args);
    va_end(args);
    return code;
}

const char *diag_sentence(const struct diag *diag, char *out, unsigned bytes)
{
    if (diag->file[0] != '\0' && diag->line > 0)
        snprintf(out, bytes, "%s:%d:%d: %s", diag->file, diag->line, diag->column, diag->text);
    else if (diag->file[0] != '\0')
        snprintf(out, bytes, "%s: %s", diag->file, diag->text);
    else
        snprintf(out, bytes, "%s", diag->text);
    return out;
}
