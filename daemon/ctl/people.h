/*
 * What commands about accounts and tokens have in common: lists of rooms.
 */
#ifndef LUMBAR_CTL_PEOPLE_H
#define LUMBAR_CTL_PEOPLE_H

#include <jansson.h>
#include <stddef.h>

/* "room-1,room-2" as a list; "all" or "" as an empty one, which means all. */
json_t *people_room_list(const char *text);

/* A member `rooms` in words: "all rooms", or the names. */
const char *people_rooms(const json_t *object, char *out, size_t bytes);

#endif
