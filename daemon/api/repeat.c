/* What was created, by the key that its caller gave: kept with what was created, in one batch. */
#include <string.h>

#include "api/api.h"
#include "io/store_rows.h"

static const char *const kind_names[REPEAT_KINDS_] = {"", "client", "session", "user", "token"};

static uint64_t hash_of(const struct api_request *request)
{
    const struct access *who = request->who; /* a key is its owner's */
    uint64_t hash = repeats_hash(0, &who->kind, sizeof(who->kind));
    hash = repeats_hash(hash, who->name, strlen(who->name));
    hash = repeats_hash(hash, request->path, strlen(request->path));
    return repeats_hash(hash, request->body, request->body_bytes);
}

bool api_repeat(struct lumbard *hub, const struct api_call *call, const struct repeat **before,
                struct api_answer *answer)
{
    const char *key = call->request->key;
    *before = NULL;
    if (key == NULL || key[0] == '\0')
        return true;
    if (!repeats_key_is_good(key)) {
        api_problem(answer, 400, "An Idempotency-Key is 1..%d visible characters of ASCII.",
                    REPEATS_KEY_BYTES - 1);
        return false;
    }
    *before = repeats_find(&hub->repeats, key, hub_now_ms(hub));
    if (*before == NULL || (*before)->request == hash_of(call->request))
        return true;
    api_problem(answer, 422, "This Idempotency-Key was used for another request.");
    return false;
}

void api_created(struct lumbard *hub, const struct api_call *call, enum repeat_kind kind,
                 uint64_t id)
{
    struct repeat repeat = {
        .request = hash_of(call->request),
        .at_ms = hub_now_ms(hub),
        .kind = kind,
        .id = id,
        .batch = store_rows_batch(hub->store),
    };
    if (call->request->key == NULL || !repeats_key_is_good(call->request->key))
        return;
    memcpy(repeat.key, call->request->key, strlen(call->request->key) + 1);
    uint32_t place = repeats_add(&hub->repeats, &repeat);
    const struct store_value row[] = {
        store_int(place),        store_text(repeat.key),       store_int((int64_t)repeat.request),
        store_int(repeat.at_ms), store_text(kind_names[kind]), store_int((int64_t)id)};
    /* Without room there is none for what was created either: it is put again, and the key holds
     * as long as this run. */
    store_put(hub->store, STORE_REPEAT, row, sizeof(row) / sizeof(row[0]));
}

void hub_forget_repeats(struct lumbard *hub, enum repeat_kind kind, uint64_t id)
{
    for (uint32_t place; repeats_forget(&hub->repeats, kind, id, &place);)
        hub_remove_row(hub, STORE_REPEAT, place);
}

static void on_row(void *user, const struct store_value *values, unsigned count)
{
    struct lumbard *hub = user;
    struct repeat repeat = {.request = (uint64_t)values[2].integer,
                            .at_ms = values[3].integer,
                            .id = (uint64_t)values[5].integer};
    const char *key = values[1].text, *name = values[4].text;
    (void)count;
    if (key == NULL || name == NULL || !repeats_key_is_good(key))
        return; /* the file is damaged */
    memcpy(repeat.key, key, strlen(key) + 1);
    for (int kind = REPEAT_CLIENT; kind < REPEAT_KINDS_; kind++)
        if (strcmp(name, kind_names[kind]) == 0)
            repeat.kind = (enum repeat_kind)kind;
    if (repeat.kind != REPEAT_NONE)
        repeats_load(&hub->repeats, (uint32_t)values[0].integer, &repeat);
}

int hub_load_repeats(struct lumbard *hub, struct diag *diag)
{
    return store_load(hub->store, STORE_REPEAT, NULL, on_row, hub, diag);
}
