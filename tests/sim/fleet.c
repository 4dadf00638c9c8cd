#include "fleet.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "accounts.h"
#include "link.h"

/* A connection and its devices. */
struct group {
    struct fleet *fleet;
    struct link *link;
    struct device *devices;
    unsigned count;
    const char *topics[2 * FLEET_PER_LINK]; /* what each hears: two */
    char name[80];                          /* of its account */
};

struct fleet {
    char uri[160];
    struct accounts *accounts; /* NULL: nobody asks for any */
    unsigned per_link;
    struct device *devices;
    unsigned count, room;
    struct group *groups;
    unsigned group_count;
    int64_t now_ms;
};

uint64_t fleet_boot_id(void)
{
    uint64_t id = 0;
    while (id == 0) {
        if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
            id = 0;
    }
    return id;
}

int fleet_create(struct fleet **out, const struct options *options, unsigned count,
                 struct diag *diag)
{
    struct accounts *accounts = NULL;
    if (options->accounts != NULL && accounts_read(&accounts, options->accounts, diag) != 0)
        return diag->code;
    struct fleet *fleet = calloc(1, sizeof(*fleet));
    if (fleet == NULL)
        goto no_memory;
    fleet->accounts = accounts;
    fleet->room = count;
    fleet->per_link = accounts != NULL ? 1 : FLEET_PER_LINK;
    fleet->group_count = (count + fleet->per_link - 1) / fleet->per_link;
    fleet->devices = calloc(count, sizeof(*fleet->devices));
    fleet->groups = calloc(fleet->group_count, sizeof(*fleet->groups));
    if (fleet->devices == NULL || fleet->groups == NULL)
        goto no_memory;
    snprintf(fleet->uri, sizeof(fleet->uri), "tcp://%s:%u", options->host, (unsigned)options->port);
    *out = fleet;
    return 0;

no_memory:
    if (fleet != NULL) {
        free(fleet->devices);
        free(fleet->groups);
    }
    free(fleet);
    accounts_destroy(accounts);
    return diag_set(diag, ERR_MEMORY, "no memory for %u devices", count);
}

static bool on_send(void *user, const char *topic, const uint8_t *bytes, size_t length)
{
    struct group *group = user;
    return link_publish(group->link, topic, bytes, length);
}

struct device *fleet_add(struct fleet *fleet, enum kind kind, const char *name, uint32_t columns,
                         uint64_t seed, int64_t batch_ms)
{
    assert(fleet->count < fleet->room);
    struct group *group = &fleet->groups[fleet->count / fleet->per_link];
    struct device *device = &fleet->devices[fleet->count++];
    device_init(device, kind, name, columns, fleet_boot_id(), seed, batch_ms, on_send, group);
    if (group->count == 0)
        *group = (struct group){.fleet = fleet, .devices = device};
    group->topics[2 * group->count] = device->ack;
    group->topics[2 * group->count + 1] = device->identify;
    group->count++;
    return device;
}

static void on_up(void *user)
{
    struct group *group = user;
    for (unsigned i = 0; i < group->count; i++)
        device_connected(&group->devices[i]);
    log_debug("%u devices connected to %s", group->count, group->fleet->uri);
}

/* A real one would blink. */
static void show(const struct device *device, int seconds)
{
    if (seconds > 0)
        printf("%s shows itself for %d s\n", device->name, seconds);
    else if (seconds == 0)
        printf("%s shows itself no more\n", device->name);
    fflush(stdout);
}

static void on_message(void *user, const char *topic, const uint8_t *bytes, size_t length)
{
    struct group *group = user;
    for (unsigned i = 0; i < group->count; i++) {
        struct device *device = &group->devices[i];
        if (strcmp(device->ack, topic) == 0)
            device_hear_ack(device, bytes, length, group->fleet->now_ms);
        else if (strcmp(device->identify, topic) == 0)
            show(device, device_hear_identify(device, bytes, length));
    }
}

/* The name and password of the one device of a group; none without accounts. */
static int find_account(const struct group *group, char *name, size_t bytes, const char **word,
                        struct diag *diag)
{
    const struct device *device = group->devices;
    if (group->fleet->accounts == NULL)
        return 0;
    snprintf(name, bytes, "%s/%s", device->kind == KIND_POSTURE ? "posture" : "massage",
             device->name);
    *word = accounts_password(group->fleet->accounts, name);
    return *word != NULL ? 0 : diag_set(diag, ERR_UNKNOWN, "there is no account of %s", name);
}

int fleet_start(struct fleet *fleet, struct diag *diag)
{
    for (unsigned i = 0; i < fleet->group_count; i++) {
        struct group *group = &fleet->groups[i];
        char client_id[48];
        snprintf(client_id, sizeof(client_id), "lumbar-sim-%ld-%u", (long)getpid(), i);
        struct link_events events = {.on_up = on_up, .on_message = on_message, .user = group};
        const char *word = NULL;
        int error = find_account(group, group->name, sizeof(group->name), &word, diag);
        struct link_account account = {word != NULL ? group->name : NULL, word};
        if (error == 0)
            error = link_create(&group->link, fleet->uri, client_id, &account, group->topics,
                                2 * group->count, &events, diag);
        if (error != 0)
            return error;
    }
    return 0;
}

void fleet_pump(struct fleet *fleet, int64_t now_ms, bool all)
{
    fleet->now_ms = now_ms;
    for (unsigned i = 0; i < fleet->group_count; i++)
        link_poll(fleet->groups[i].link, now_ms);
    for (unsigned i = 0; i < fleet->count; i++)
        device_pump(&fleet->devices[i], now_ms, all);
}

bool fleet_is_up(struct fleet *fleet)
{
    for (unsigned i = 0; i < fleet->group_count; i++) {
        if (!link_is_up(fleet->groups[i].link))
            return false;
    }
    return true;
}

uint64_t fleet_pending(struct fleet *fleet)
{
    uint64_t pending = 0;
    for (unsigned i = 0; i < fleet->group_count; i++)
        pending += link_pending(fleet->groups[i].link);
    return pending;
}

struct device_counts fleet_counts(const struct fleet *fleet)
{
    struct device_counts all = {0};
    for (unsigned i = 0; i < fleet->count; i++) {
        const struct device_counts *one = &fleet->devices[i].counts;
        all.rows += one->rows;
        all.messages += one->messages;
        all.sent += one->sent;
        all.resends += one->resends;
        all.stalls += one->stalls;
    }
    return all;
}

void fleet_stop(struct fleet *fleet)
{
    for (unsigned i = 0; i < fleet->group_count; i++)
        link_disconnect(fleet->groups[i].link);
}
