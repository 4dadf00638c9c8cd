/*
 * Tables as text: comma or semicolon, one header line, no quoting. Parses from memory.
 *
 * The first complaint names file, line and column. Nothing is allocated: cells point into the text,
 * which must outlive the struct csv. Pure.
 */
#ifndef LUMBAR_SIM_CSV_H
#define LUMBAR_SIM_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CSV_CELLS_MAX 128

struct csv_cell { /* without the blanks around it; not terminated */
    const char *at;
    size_t length;
};

struct csv {
    const char *file; /* for complaints */
    const char *at, *end;
    const char *line_at; /* where the present line begins */
    char separator;
    int line;                             /* of the cells, from 1 */
    struct csv_cell cells[CSV_CELLS_MAX]; /* of the present line */
    unsigned count;                       /* of the header; every row has as many */
};

/* Reads the header line into the cells. A byte order mark is skipped; the separator is a semicolon
 * if the header has one. */
int csv_open(struct csv *csv, const char *file, const char *text, size_t bytes, struct diag *diag);

/* The column with this title in the header that the cells now hold, or -1. */
int csv_find(const struct csv *csv, const char *title);

/* The next row: 1, 0 at the end, or a negative error. Empty lines at the end are none. */
int csv_next(struct csv *csv, struct diag *diag);

/* A cell of the present row as a finite number; NaN if it is empty. Out of range ones and other
 * text are complained about. */
int csv_number(const struct csv *csv, unsigned column, double *out, struct diag *diag);

/* A cell as "2020-02-08 13:30:47", in seconds since 1970 as if it were UTC. */
int csv_datetime(const struct csv *csv, unsigned column, double *out, struct diag *diag);

#endif
