#include "csv.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 47 /* bytes of one; the longest in double precision has 25 */

/* For complaints: what a cell says, cut short, with nothing in it that could draw on a terminal. */
static const char *shown(const struct csv_cell *cell, char out[24])
{
    size_t length = cell->length < 20 ? cell->length : 20;
    for (size_t i = 0; i < length; i++)
        out[i] = isprint((unsigned char)cell->at[i]) ? cell->at[i] : '?';
    snprintf(out + length, 24 - length, "%s", cell->length > length ? "..." : "");
    return out;
}

static int complain(const struct csv *csv, const char *at, struct diag *diag, const char *words)
{
    return diag_at(diag, ERR_SYNTAX, csv->file, csv->line, (int)(at - csv->line_at) + 1, "%s",
                   words);
}

static int complain_cell(const struct csv *csv, unsigned column, struct diag *diag,
                         const char *words)
{
    char cell[24];
    const struct csv_cell *wrong = &csv->cells[column];
    return diag_at(diag, ERR_SYNTAX, csv->file, csv->line, (int)(wrong->at - csv->line_at) + 1,
                   "'%s' is not %s", shown(wrong, cell), words);
}

static struct csv_cell trimmed(const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (from < to && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    return (struct csv_cell){from, (size_t)(to - from)};
}

/* Cuts the line [from, to) into cells; returns their number or an error. */
static int split(struct csv *csv, const char *from, const char *to, struct diag *diag)
{
    unsigned count = 0;
    csv->line_at = from;
    for (;;) {
        if (count == CSV_CELLS_MAX)
            return complain(csv, from, diag, "more columns than 128");
        size_t left = (size_t)(to - from);
        const char *stop = left > 0 ? memchr(from, csv->separator, left) : NULL;
        csv->cells[count++] = trimmed(from, stop != NULL ? stop : to);
        if (stop == NULL)
            return (int)count;
        from = stop + 1;
    }
}

/* The next line as [from, to), without its end; false when there is none. */
static bool next_line(struct csv *csv, const char **from, const char **to)
{
    if (csv->at == csv->end)
        return false;
    csv->line++;
    *from = csv->at;
    const char *stop = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));
    *to = stop != NULL ? stop : csv->end;
    csv->at = stop != NULL ? stop + 1 : csv->end;
    if (*to > *from && (*to)[-1] == '\r')
        (*to)--;
    return true;
}

/* Quotes and NUL mean another kind of file: better said than guessed. */
static int check_line(struct csv *csv, const char *from, const char *to, struct diag *diag)
{
    csv->line_at = from;
    if (from == to)
        return 0;
    const char *quote = memchr(from, '"', (size_t)(to - from));
    if (quote != NULL)
        return complain(csv, quote, diag, "quoted cells are not understood");
    const char *nul = memchr(from, '\0', (size_t)(to - from));
    return nul != NULL ? complain(csv, nul, diag, "a NUL byte: this is no text") : 0;
}

int csv_open(struct csv *csv, const char *file, const char *text, size_t bytes, struct diag *diag)
{
    *csv = (struct csv){.file = file, .at = text, .end = text + bytes, .separator = ','};
    if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        csv->at += 3;
    const char *from, *to;
    if (!next_line(csv, &from, &to) || from == to)
        return diag_at(diag, ERR_SYNTAX, file, 1, 1, "there is no header line");
    int error = check_line(csv, from, to, diag);
    if (error != 0)
        return error;
    if (memchr(from, ';', (size_t)(to - from)) != NULL)
        csv->separator = ';';
    int count = split(csv, from, to, diag);
    if (count < 0)
        return count;
    csv->count = (unsigned)count;
    return 0;
}

int csv_find(const struct csv *csv, const char *title)
{
    size_t length = strlen(title);
    for (unsigned i = 0; i < csv->count; i++) {
        if (csv->cells[i].length == length && memcmp(csv->cells[i].at, title, length) == 0)
            return (int)i;
    }
    return -1;
}

static bool only_empty_lines_left(const struct csv *csv)
{
    for (const char *at = csv->at; at < csv->end; at++) {
        if (*at != '\n' && *at != '\r')
            return false;
    }
    return true;
}

int csv_next(struct csv *csv, struct diag *diag)
{
    const char *from, *to;
    if (only_empty_lines_left(csv) || !next_line(csv, &from, &to))
        return 0;
    int error = check_line(csv, from, to, diag);
    if (error != 0)
        return error;
    int count = split(csv, from, to, diag);
    if (count < 0)
        return count;
    if ((unsigned)count == csv->count)
        return 1;
    return diag_at(diag, ERR_SYNTAX, csv->file, csv->line, 1, "%d cells, but the header has %u",
                   count, csv->count);
}

int csv_number(const struct csv *csv, unsigned column, double *out, struct diag *diag)
{
    const struct csv_cell *cell = &csv->cells[column];
    *out = (double)NAN;
    if (cell->length == 0)
        return 0;
    char copy[NUMBER_MAX + 1];
    if (cell->length > NUMBER_MAX)
        return complain_cell(csv, column, diag, "a number");
    memcpy(copy, cell->at, cell->length);
    copy[cell->length] = '\0';
    /* strtod() knows more than a table should: hexadecimal, "nan", "infinity". */
    if (strspn(copy, "0123456789+-.eE") != cell->length)
        return complain_cell(csv, column, diag, "a number");
    char *end;
    double number = strtod(copy, &end);
    if (end == copy || *end != '\0' || !isfinite(number))
        return complain_cell(csv, column, diag, "a number");
    *out = number;
    return 0;
}

/* Days from 1970-01-01 to this day of the Gregorian calendar: years are counted from March, so
 * that the day that some of them have more is their last. */
static long days_since_1970(long year, unsigned month, unsigned day)
{
    if (month <= 2)
        year--;
    long era = year / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + (long)day_of_era - 719468;
}

int csv_datetime(const struct csv *csv, unsigned column, double *out, struct diag *diag)
{
    static const char shape[] = "dddd-dd-dd dd:dd:dd";
    const struct csv_cell *cell = &csv->cells[column];
    if (cell->length != sizeof(shape) - 1)
        return complain_cell(csv, column, diag, "a time as 2020-02-08 13:30:47");
    unsigned parts[6] = {0}, part = 0;
    for (size_t i = 0; i < cell->length; i++) {
        bool digit = cell->at[i] >= '0' && cell->at[i] <= '9';
        if (digit != (shape[i] == 'd') || (!digit && cell->at[i] != shape[i]))
            return complain_cell(csv, column, diag, "a time as 2020-02-08 13:30:47");
        if (digit)
            parts[part] = parts[part] * 10 + (unsigned)(cell->at[i] - '0');
        else
            part++;
    }
    if (parts[0] < 1970 || parts[1] < 1 || parts[1] > 12 || parts[2] < 1 || parts[2] > 31 ||
        parts[3] > 23 || parts[4] > 59 || parts[5] > 60)
        return complain_cell(csv, column, diag, "a time of the calendar");
    *out = (double)days_since_1970(parts[0], parts[1], parts[2]) * 86400 + parts[3] * 3600.0 +
           parts[4] * 60.0 + parts[5];
    return 0;
}
