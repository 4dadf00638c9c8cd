/*
 * Who asks, and what they may: roles, rooms, and the question whether a row of the table of
 * endpoints (core/api.h) is for them. The table alone says what is open to whom; handlers ask only
 * which rooms they may tell of. Pure; nothing is allocated.
 */
#ifndef LUMBAR_CORE_ACCESS_H
#define LUMBAR_CORE_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"

#define ACCESS_NAME_BYTES 48

enum access_role {
    ROLE_ADMIN,     /* accounts and the hub itself; nothing of clients, but for broken glass */
    ROLE_LEAD,      /* treats, and is told of broken glass */
    ROLE_THERAPIST, /* treats, in the rooms that are theirs */
    ROLE_DISPLAY,   /* a wall: looks, and sees pseudonyms only */
    ROLE_AUDITOR,   /* reads the audit trail */
    ROLES_,
    ROLE_NONE = ROLES_, /* nobody who is known: what is open without a login */
};

/* Sets of roles, for the table. */
#define MAY(role) (1u << (role))
enum {
    MAY_ADMIN = MAY(ROLE_ADMIN),
    MAY_LEAD = MAY(ROLE_LEAD),
    MAY_CARE = MAY(ROLE_LEAD) | MAY(ROLE_THERAPIST),
    MAY_WATCH = MAY(ROLE_LEAD) | MAY(ROLE_THERAPIST) | MAY(ROLE_DISPLAY),
    MAY_RUN = MAY(ROLE_ADMIN) | MAY(ROLE_LEAD) | MAY(ROLE_AUDITOR), /* how the hub itself is */
    MAY_AUDIT = MAY(ROLE_AUDITOR),
    MAY_KNOWN = MAY(ROLES_) - 1,          /* who has logged in */
    MAY_ALL = MAY_KNOWN | MAY(ROLE_NONE), /* anybody */
};

/* What of a request says which room it is about. A role alone is not enough then. */
enum access_scope {
    SCOPE_NONE,    /* it is about none */
    SCOPE_LISTS,   /* the answer tells only of rooms that may be seen */
    SCOPE_ROOM,    /* {room} in the path */
    SCOPE_INTO,    /* `room` in the body */
    SCOPE_DEVICE,  /* the device in the path */
    SCOPE_MEASURE, /* `device` in the query */
    SCOPE_ALARM,   /* {number} in the path: the room of its device */
    SCOPE_SESSION, /* {id} in the path, of a room as it stands; and what the body names */
    SCOPE_RECORD,  /* {id} in the path, of any session: known when its rows were read */
    SCOPES_
};

/* Rooms by number, as the configuration has them. */
struct access_rooms {
    bool some; /* else all of them, and what is in no room */
    uint64_t bits[CONFIG_ROOMS_MAX / 64 + 1];
};

enum access_kind {
    ACCESS_NOBODY, /* no session, or none that holds */
    ACCESS_OPEN,   /* there are no accounts: whoever reaches the page */
    ACCESS_LOCAL,  /* the hub's own socket, whose group may do everything */
    ACCESS_LOGIN,  /* a person, by cookie */
    ACCESS_TOKEN,  /* a program, by bearer */
};

struct access {
    enum access_kind kind;
    enum access_role role;
    bool reads;             /* may change nothing */
    bool glass;             /* was broken: sees what the role or rooms would keep from them */
    uint64_t person, login; /* numbers of the account or token, and of what they came in by */
    char name[ACCESS_NAME_BYTES];
    struct access_rooms rooms;
};

/* Everything: what a hub without accounts gives to whoever reaches it, and its own socket. */
struct access access_all(enum access_kind kind, const char *name);

/* May they, as far as roles go? `changes`: it is no question. */
bool access_may(const struct access *access, unsigned may, bool changes);

/* Does their account have a part in this room (0: what is in none)? */
bool access_sees(const struct access *access, uint32_t room);

/* Whether they are told who is treated and what is measured of them; else only pseudonyms, or only
 * how devices are. */
enum access_sight { SIGHT_CARE, SIGHT_WALL, SIGHT_DEVICES };
enum access_sight access_sight(const struct access *access);

bool access_rooms_have(const struct access_rooms *rooms, uint32_t room); /* 0: what is in none */
void access_add_room(struct access_rooms *rooms, uint32_t room);

const char *access_role_name(enum access_role role);  /* "lead"; ROLE_NONE: "anyone" */
enum access_role access_role_named(const char *name); /* ROLE_NONE: there is none */
const char *access_scope_name(enum access_scope scope);

#endif
