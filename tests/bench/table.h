/*
 * The table of what was measured: a figure, what is wanted of it, and whether it is met.
 */
#ifndef LUMBAR_BENCH_TABLE_H
#define LUMBAR_BENCH_TABLE_H

#include <stdbool.h>

#define TABLE_ROWS 128

enum wanted { AT_MOST, AT_LEAST, NOTHING };

struct row {
    char what[96];
    double value;
    const char *unit;
    enum wanted wanted;
    double limit;
};

struct table {
    struct row rows[TABLE_ROWS]; /* one without a unit (NULL) is a heading */
    unsigned count;
};

void table_head(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `what` is copied; the unit must stay. */
void table_add(struct table *table, const char *what, double value, const char *unit,
               enum wanted wanted, double limit);

/* Prints it. False: something wanted is not met. */
bool table_print(const struct table *table);

#endif
