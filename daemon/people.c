/* Clients and their plans: on their shelves, and in the store. */
#include <string.h>

#include "base/log.h"
#include "hub.h"
#include "io/store_rows.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* ---- from the store ---- */

static void take(struct shelf *shelf, const struct shelf_entry *entry)
{
    struct diag diag = {0};
    if (shelf_put(shelf, entry, &diag) == NULL)
        log_error("store: number %llu cannot be taken up: %s", (unsigned long long)entry->id,
                  err_words(diag.code)); /* not who or what it is: the log is no place for that */
}

static void on_client(void *user, const struct store_value *values, unsigned count)
{
    struct lumbard *hub = user;
    (void)count;
    if (values[1].type == STORE_TEXT && values[4].type == STORE_TEXT)
        take(hub->clients, &(struct shelf_entry){.id = (uint64_t)values[0].integer,
                                                 .created_ms = values[2].integer,
                                                 .name = values[1].text,
                                                 .text = values[4].text});
}

static void on_plan(void *user, const struct store_value *values, unsigned count)
{
    struct lumbard *hub = user;
    (void)count;
    if (values[3].type == STORE_TEXT && values[6].type == STORE_TEXT)
        take(hub->tailored, &(struct shelf_entry){.id = (uint64_t)values[0].integer,
                                                  .owner = (uint64_t)values[1].integer,
                                                  .created_ms = values[4].integer,
                                                  .name = values[3].text,
                                                  .text = values[6].text});
}

int hub_load_people(struct lumbard *hub, struct diag *diag)
{
    hub->clients = shelf_create(HUB_CLIENTS_MAX);
    hub->tailored = shelf_create(HUB_CLIENTS_MAX);
    if (hub->clients == NULL || hub->tailored == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for the clients");
    int code = store_load(hub->store, STORE_CLIENT, NULL, on_client, hub, diag);
    if (code == 0)
        code = store_load(hub->store, STORE_PLAN, "client IS NOT NULL", on_plan, hub, diag);
    uint64_t client = 0, plan = 0;
    if (code == 0)
        code = store_load_numbers(hub->store, &client, &plan, diag);
    shelf_go_on(hub->clients, client);
    shelf_go_on(hub->tailored, plan);
    return code;
}

/* ---- into the store ---- */

static void note_unstored(uint64_t *first, uint64_t id)
{
    if (*first == 0 || id < *first)
        *first = id;
}

void hub_store_client(struct lumbard *hub, const struct shelf_entry *client)
{
    const struct store_value row[] = {store_int((int64_t)client->id), store_text(client->name),
                                      store_int(client->created_ms), store_null(),
                                      store_text(client->text)};
    if (!store_put(hub->store, STORE_CLIENT, row, COUNT(row)))
        note_unstored(&hub->unstored.client, client->id);
}

void hub_store_plan(struct lumbard *hub, const struct shelf_entry *plan)
{
    const struct store_value row[] = {
        store_int((int64_t)plan->id), store_int((int64_t)plan->owner), store_null(),
        store_text(plan->name),       store_int(plan->created_ms),     store_null(),
        store_text(plan->text)};
    if (!store_put(hub->store, STORE_PLAN, row, COUNT(row)))
        note_unstored(&hub->unstored.plan, plan->id);
}

void hub_remove_row(struct lumbard *hub, unsigned table, uint64_t id)
{
    struct hub_unstored *unstored = &hub->unstored;
    const struct store_value key = store_int((int64_t)id);
    if (store_remove(hub->store, (enum store_table)table, &key, 1))
        return;
    if (unstored->removal_count < HUB_REMOVALS_MAX) {
        unstored->removals[unstored->removal_count++] = (struct hub_removal){table, id};
    } else {
        hub->removals_lost++;
        log_error("store: what is erased cannot be noted any more: number %llu stays",
                  (unsigned long long)id);
    }
}

void hub_forget_plan(struct lumbard *hub, uint64_t id)
{
    hub_remove_row(hub, STORE_PLAN, id);
    shelf_remove(hub->tailored, id);
}

void hub_forget_client(struct lumbard *hub, uint64_t id)
{
    const struct shelf_entry *plan;
    for (uint32_t i = 0; (plan = shelf_at(hub->tailored, i)) != NULL;)
        if (plan->owner == id)
            hub_forget_plan(hub, plan->id);
        else
            i++;
    hub_forget_repeats(hub, REPEAT_CLIENT, id);
    hub_remove_row(hub, STORE_CLIENT, id);
    shelf_remove(hub->clients, id);
}

void hub_drop_client(struct lumbard *hub, uint64_t id)
{
    const struct shelf_entry *plan;
    for (uint32_t i = 0; (plan = shelf_at(hub->tailored, i)) != NULL;)
        if (plan->owner == id)
            shelf_remove(hub->tailored, plan->id);
        else
            i++;
    hub_forget_repeats(hub, REPEAT_CLIENT, id);
    shelf_remove(hub->clients, id);
}

/* Those from the first one that found no room, for there may be others behind it. */
static void put_again(struct lumbard *hub, const struct shelf *shelf, uint64_t *first,
                      void (*put)(struct lumbard *hub, const struct shelf_entry *entry))
{
    const struct shelf_entry *entry;
    uint64_t from = *first;
    *first = 0;
    for (uint32_t i = 0; from != 0 && *first == 0 && (entry = shelf_at(shelf, i)) != NULL; i++)
        if (entry->id >= from)
            put(hub, entry); /* which notes it where there still is none */
}

void hub_store_people_again(struct lumbard *hub)
{
    struct hub_unstored *unstored = &hub->unstored;
    while (unstored->removal_count > 0) {
        const struct hub_removal *removal = &unstored->removals[unstored->removal_count - 1];
        const struct store_value key = store_int((int64_t)removal->id);
        if (!store_remove(hub->store, (enum store_table)removal->table, &key, 1))
            return;
        unstored->removal_count--;
    }
    put_again(hub, hub->clients, &unstored->client, hub_store_client);
    put_again(hub, hub->tailored, &unstored->plan, hub_store_plan);
}

const struct shelf_entry *hub_keep_client(struct lumbard *hub, const struct shelf_entry *old,
                                          const struct client *client, struct diag *diag)
{
    char written[HUB_TEXT_BYTES];
    struct text text = text_in(written, sizeof(written));
    client_write(&text, client, &hub->setup.drivers, &hub->setup.body);
    if (text.cut) {
        diag_set(diag, ERR_RANGE, "This is more than can be kept of a client.");
        return NULL;
    }
    const struct shelf_entry *entry = shelf_put(
        hub->clients,
        &(struct shelf_entry){.id = old != NULL ? old->id : 0,
                              .created_ms = old != NULL ? old->created_ms : hub_now_ms(hub),
                              .name = client->name,
                              .text = written},
        diag);
    if (entry != NULL)
        hub_store_client(hub, entry);
    return entry;
}

/* ---- read ---- */

int hub_read_client(const struct lumbard *hub, const char *text, struct client *client,
                    struct diag *diag)
{
    return client_parse(client, "body", text, strlen(text), &hub->setup.drivers, &hub->setup.body,
                        diag);
}

int hub_read_plan(const struct lumbard *hub, const char *text, struct plan *plan, struct diag *diag)
{
    return plan_parse(plan, "body", text, strlen(text), &hub->setup.drivers, &hub->setup.body,
                      diag);
}

int hub_find_plan(struct lumbard *hub, const char *client, const char *name, struct plan *plan,
                  struct diag *diag)
{
    const struct shelf_entry *owner = shelf_find(hub->clients, 0, client);
    const struct shelf_entry *own =
        owner != NULL ? shelf_find(hub->tailored, owner->id, name) : NULL;
    if (own != NULL)
        return hub_read_plan(hub, own->text, plan, diag);
    const struct plan *template = plans_find(hub->setup.plans, name, diag);
    if (template == NULL)
        return ERR_UNKNOWN;
    *plan = *template;
    return 0;
}
