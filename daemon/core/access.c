#include "core/access.h"

#include <stdio.h>
#include <string.h>

static const char *const role_names[ROLES_ + 1] = {
    [ROLE_ADMIN] = "admin",     [ROLE_LEAD] = "lead",       [ROLE_THERAPIST] = "therapist",
    [ROLE_DISPLAY] = "display", [ROLE_AUDITOR] = "auditor", [ROLE_NONE] = "anyone",
};

static const char *const scope_names[SCOPES_] = {
    [SCOPE_NONE] = "none",   [SCOPE_LISTS] = "lists",     [SCOPE_ROOM] = "room",
    [SCOPE_INTO] = "into",   [SCOPE_DEVICE] = "device",   [SCOPE_MEASURE] = "measure",
    [SCOPE_ALARM] = "alarm", [SCOPE_SESSION] = "session", [SCOPE_RECORD] = "record",
};

struct access access_all(enum access_kind kind, const char *name)
{
    struct access access = {.kind = kind, .role = ROLE_LEAD};
    snprintf(access.name, sizeof(access.name), "%s", name);
    return access;
}

bool access_may(const struct access *access, unsigned may, bool changes)
{
    switch (access->kind) {
    case ACCESS_OPEN:
    case ACCESS_LOCAL:
        return true;
    case ACCESS_NOBODY:
        return (may & MAY(ROLE_NONE)) != 0;
    case ACCESS_LOGIN:
    case ACCESS_TOKEN:
        break;
    }
    if (changes && access->reads)
        return false;
    /* Broken glass lets see; who does not treat does not begin to by it. */
    if (access->glass && !changes && (may & MAY(ROLE_THERAPIST)) != 0)
        return true;
    return (may & MAY(access->role)) != 0;
}

bool access_sees(const struct access *access, uint32_t room)
{
    if (access->kind == ACCESS_NOBODY)
        return false;
    return access->glass || access_rooms_have(&access->rooms, room);
}

bool access_rooms_have(const struct access_rooms *rooms, uint32_t room)
{
    return !rooms->some ||
           (room > 0 && room <= CONFIG_ROOMS_MAX && (rooms->bits[room / 64] >> room % 64 & 1) != 0);
}

enum access_sight access_sight(const struct access *access)
{
    if (access->kind == ACCESS_OPEN || access->kind == ACCESS_LOCAL || access->glass)
        return SIGHT_CARE;
    if (access->kind == ACCESS_NOBODY)
        return SIGHT_DEVICES;
    if (access->role == ROLE_LEAD || access->role == ROLE_THERAPIST)
        return SIGHT_CARE;
    return access->role == ROLE_DISPLAY ? SIGHT_WALL : SIGHT_DEVICES;
}

void access_add_room(struct access_rooms *rooms, uint32_t room)
{
    rooms->some = true;
    if (room > 0 && room <= CONFIG_ROOMS_MAX)
        rooms->bits[room / 64] |= UINT64_C(1) << room % 64;
}

const char *access_role_name(enum access_role role)
{
    return role_names[role <= ROLES_ ? role : ROLES_];
}

enum access_role access_role_named(const char *name)
{
    int role = 0;
    while (role < ROLES_ && strcmp(role_names[role], name) != 0)
        role++;
    return (enum access_role)role;
}

const char *access_scope_name(enum access_scope scope)
{
    return scope_names[scope];
}
