#include "table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static struct row *next_row(struct table *table)
{
    assert(table->count < TABLE_ROWS);
    return &table->rows[table->count++];
}

void table_head(struct table *table, const char *format, ...)
{
    va_list arguments;
    struct row *row = next_row(table);
    *row = (struct row){.unit = NULL};
    va_start(arguments, format);
    vsnprintf(row->what, sizeof(row->what), format, arguments);
    va_end(arguments);
}

void table_add(struct table *table, const char *what, double value, const char *unit,
               enum wanted wanted, double limit)
{
    struct row *row = next_row(table);
    *row = (struct row){.value = value, .unit = unit, .wanted = wanted, .limit = limit};
    snprintf(row->what, sizeof(row->what), "%s", what);
}

static bool is_met(const struct row *row)
{
    if (row->unit == NULL || row->wanted == NOTHING)
        return true;
    return row->wanted == AT_MOST ? row->value <= row->limit : row->value >= row->limit;
}

static void print_row(const struct row *row)
{
    if (row->unit == NULL) {
        printf("\n%s\n", row->what);
        return;
    }
    int decimals = row->value < 1000 ? 2 : 0;
    printf("  %-52s %9.*f %-5s", row->what, decimals, row->value, row->unit);
    if (row->wanted != NOTHING)
        printf(" %s %-5g %s", row->wanted == AT_MOST ? "<=" : ">=", row->limit,
               is_met(row) ? "met" : "NOT MET");
    putchar('\n');
}

bool table_print(const struct table *table)
{
    unsigned wanted = 0, met = 0;
    for (unsigned i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        print_row(row);
        wanted += row->unit != NULL && row->wanted != NOTHING;
        met += row->unit != NULL && row->wanted != NOTHING && is_met(row);
    }
    printf("\n%u of %u targets met\n", met, wanted);
    return met == wanted;
}
