/* What is accounted of derived metrics, into its table and back after a restart. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/derive.h"
#include "io/store_rows.h"

static json_t *kept_json(const struct derive_kept *kept)
{
    return json_pack("{s:s, s:f, s:f, s:I, s:I, s:i, s:b}", "what", kept->what, "sum", kept->sum,
                     "last", kept->last, "at_ms", (json_int_t)kept->at_ms, "session",
                     (json_int_t)kept->session, "phase", (int)kept->phase, "inside", kept->inside);
}

bool store_derived(struct store *store, const struct derive *derive, const struct device *device)
{
    json_t *body = json_object();
    struct derive_kept kept;
    for (uint32_t i = 0; derive_keep(derive, device, i, &kept); i++)
        json_object_set_new(body, kept.name, kept_json(&kept));
    char *text = json_dumps(body, JSON_COMPACT);
    const struct store_value row[] = {store_text(device->driver->plugin->kind),
                                      store_text(device->name), store_text(text)};
    bool put = text != NULL && store_put(store, STORE_DERIVED, row, sizeof(row) / sizeof(row[0]));
    free(text);
    json_decref(body);
    return put;
}

struct loading {
    struct derive *derive;
    const struct drivers *drivers;
    struct devices *devices;
};

static bool read_kept(const char *name, json_t *from, struct derive_kept *kept)
{
    const char *what;
    json_int_t at_ms, session;
    int phase, inside;
    if (json_unpack(from, "{s:s, s:F, s:F, s:I, s:I, s:i, s:b}", "what", &what, "sum", &kept->sum,
                    "last", &kept->last, "at_ms", &at_ms, "session", &session, "phase", &phase,
                    "inside", &inside) != 0)
        return false;
    kept->name = name;
    kept->what = what;
    kept->at_ms = at_ms;
    kept->session = (uint64_t)session;
    kept->phase = (uint32_t)phase;
    kept->inside = inside != 0;
    return true;
}

/* A device of which nothing is accounted need not be known before it speaks. */
static bool says_something(json_t *body)
{
    const char *name;
    json_t *each;
    json_object_foreach(body, name,
                        each) if (json_number_value(json_object_get(each, "sum")) > 0) return true;
    return false;
}

static void restore(const struct loading *loading, const struct device *device, json_t *body)
{
    const char *name;
    json_t *each;
    json_object_foreach(body, name, each)
    {
        struct derive_kept kept;
        if (!read_kept(name, each, &kept) || !derive_restore(loading->derive, device, &kept))
            log_notice("store: %s of %s is no longer derived", name, device->name);
    }
}

static void on_row(void *user, const struct store_value *values, unsigned count)
{
    const struct loading *loading = user;
    const struct driver *driver = NULL;
    (void)count;
    if (values[0].type != STORE_TEXT || values[1].type != STORE_TEXT ||
        values[2].type != STORE_TEXT)
        return;
    for (uint32_t i = 0; i < loading->drivers->count; i++)
        if (strcmp(loading->drivers->list[i].plugin->kind, values[0].text) == 0)
            driver = &loading->drivers->list[i];
    json_t *body = json_loads(values[2].text, 0, NULL);
    if (driver != NULL && says_something(body)) {
        const struct device *device =
            devices_hear(loading->devices, driver, values[1].text, strlen(values[1].text));
        if (device != NULL)
            restore(loading, device, body);
        else
            log_error("store: no place for %s, of which something is accounted", values[1].text);
    }
    json_decref(body);
}

int store_load_derived(struct store *store, struct derive *derive, const struct drivers *drivers,
                       struct devices *devices, struct diag *diag)
{
    struct loading loading = {derive, drivers, devices};
    return store_load(store, STORE_DERIVED, NULL, on_row, &loading, diag);
}
