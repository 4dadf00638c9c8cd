#include "io/store_heard.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/account_kept.h"
#include "io/store_rows.h"

/* A run is two numbers of at most 20 digits; in the worst case every second sequence is missing. */
#define BODY_BYTES (KEPT_BOOTS * (KEPT_RUNS_MAX * 42 + KEPT_MISSED_MAX * 44 + 256))

/* ---- Written: each minute for each device, so without allocating ---- */

/* JSON has no unsigned numbers of 64 bits: a boot's id is read back as it was all the same. */
static void write_boot(struct text *text, const struct kept_boot *boot)
{
    text_add(text, "[%lld,%lld,%lld,%lld,%lld,", (long long)boot->id, (long long)boot->first,
             (long long)boot->newest, (long long)boot->whole, (long long)boot->safe);
    if (boot->has_clock)
        text_add(text, "[%lld,%lld,%lld],[", (long long)boot->offset_ms,
                 (long long)boot->received_ms, (long long)boot->now_ms);
    else
        text_add(text, "null,[");
    for (uint32_t i = 0; i < boot->run_count; i++)
        text_add(text, "%s%lld,%lld", i > 0 ? "," : "", (long long)boot->runs[i].from,
                 (long long)boot->runs[i].to);
    text_add(text, "],[");
    for (uint32_t i = 0; i < boot->missed_count; i++)
        text_add(text, "%s%lld,%lld,%u", i > 0 ? "," : "", (long long)boot->missed[i].of.from,
                 (long long)boot->missed[i].of.to, boot->missed[i].what);
    text_add(text, "]]");
}

bool store_numbering(struct store *store, const struct device *device)
{
    static char body[BODY_BYTES]; /* the loop's thread only */
    static struct kept_boot boot;
    struct text text = text_in(body, sizeof(body));
    text_add(&text, "[");
    for (unsigned i = 0; device_keep(device, i, &boot); i++) {
        text_add(&text, "%s", i > 0 ? "," : "");
        write_boot(&text, &boot);
    }
    text_add(&text, "]");
    const struct store_value row[] = {store_text(device->driver->plugin->kind),
                                      store_text(device->name), store_text(body)};
    return !text.cut && store_put(store, STORE_HEARD, row, sizeof(row) / sizeof(row[0]));
}

/* ---- Read ---- */

struct heard_row {
    char kind[LUMBAR_NAME_MAX + 1], name[DEVICE_NAME_BYTES];
    char *body; /* NULL: it was given */
};

struct heard_list {
    struct heard_row *rows; /* by kind and name */
    size_t count, room;
    bool full; /* no memory */
};

static void on_row(void *user, const struct store_value *values, unsigned count)
{
    struct heard_list *list = user;
    (void)count;
    if (values[0].type != STORE_TEXT || values[1].type != STORE_TEXT ||
        values[2].type != STORE_TEXT || values[0].bytes > LUMBAR_NAME_MAX ||
        values[1].bytes >= DEVICE_NAME_BYTES || list->full)
        return;
    if (list->count == list->room) {
        size_t room = list->room > 0 ? 2 * list->room : 64;
        struct heard_row *rows = realloc(list->rows, room * sizeof(*rows));
        if (rows == NULL) {
            list->full = true;
            return;
        }
        list->rows = rows;
        list->room = room;
    }
    struct heard_row *row = &list->rows[list->count];
    memcpy(row->kind, values[0].text, values[0].bytes + 1);
    memcpy(row->name, values[1].text, values[1].bytes + 1);
    row->body = strdup(values[2].text);
    list->full = row->body == NULL;
    list->count += row->body != NULL;
}

int store_load_heard(struct store *store, struct heard_list **out, struct diag *diag)
{
    struct heard_list *list = *out = calloc(1, sizeof(*list));
    int code = list == NULL ? ERR_MEMORY : store_load(store, STORE_HEARD, NULL, on_row, list, diag);
    if (code == 0 && !list->full)
        return 0;
    heard_list_destroy(list);
    *out = NULL;
    return code != 0 && code != ERR_MEMORY
               ? code
               : diag_set(diag, ERR_MEMORY, "no memory for what devices said before");
}

void heard_list_destroy(struct heard_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->count; i++)
        free(list->rows[i].body);
    free(list->rows);
    free(list);
}

static int64_t number_at(const json_t *list, size_t place)
{
    return json_integer_value(json_array_get(list, place));
}

static bool read_boot(const json_t *from, struct kept_boot *boot)
{
    const json_t *clock = json_array_get(from, 5), *runs = json_array_get(from, 6);
    size_t count = json_array_size(runs) / 2;
    if (!json_is_array(runs) || count > KEPT_RUNS_MAX)
        return false;
    boot->id = (uint64_t)number_at(from, 0);
    boot->first = (uint64_t)number_at(from, 1);
    boot->newest = (uint64_t)number_at(from, 2);
    boot->whole = (uint64_t)number_at(from, 3);
    boot->safe = (uint64_t)number_at(from, 4);
    boot->has_clock = json_is_array(clock);
    boot->offset_ms = number_at(clock, 0);
    boot->received_ms = number_at(clock, 1);
    boot->now_ms = number_at(clock, 2);
    boot->run_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        boot->runs[i] = (struct kept_run){(uint64_t)number_at(runs, 2 * i),
                                          (uint64_t)number_at(runs, 2 * i + 1)};
    const json_t *missed = json_array_get(from, 7);
    boot->missed_count = (uint32_t)(json_array_size(missed) / 3);
    for (size_t i = 0; i < boot->missed_count && i < KEPT_MISSED_MAX; i++)
        boot->missed[i] = (struct kept_missed){
            {(uint64_t)number_at(missed, 3 * i), (uint64_t)number_at(missed, 3 * i + 1)},
            (unsigned)number_at(missed, 3 * i + 2)};
    return kept_is_possible(boot);
}

static int compare(const void *key, const void *element)
{
    const struct device *device = key;
    const struct heard_row *row = element;
    int order = strcmp(device->driver->plugin->kind, row->kind);
    return order != 0 ? order : strcmp(device->name, row->name);
}

void heard_list_give(struct heard_list *list, struct device *device)
{
    static struct kept_boot boots[KEPT_BOOTS]; /* the loop's thread only */
    struct heard_row *row =
        list != NULL && list->count > 0
            ? bsearch(device, list->rows, list->count, sizeof(*list->rows), compare)
            : NULL;
    if (row == NULL || row->body == NULL)
        return;
    json_t *body = json_loads(row->body, 0, NULL);
    unsigned count = 0;
    for (size_t i = 0; i < json_array_size(body) && count < KEPT_BOOTS; i++)
        count += read_boot(json_array_get(body, i), &boots[count]);
    device_restore(device, boots, count);
    json_decref(body);
    free(row->body);
    row->body = NULL;
}
