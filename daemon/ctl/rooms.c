/* lumbarctl rooms: the rooms, and what is in them. */
#include <stdio.h>

#include "ask.h"
#include "ctl.h"

static const char help[] = "usage: lumbarctl rooms [--json]\n"
                           "\n"
                           "One line a room: its name, alarms that stand, devices, title.\n"
                           "\n" ASK_HELP_TEXT;

static void print_room(const json_t *room)
{
    const json_t *devices = json_object_get(room, "devices");
    printf("%-16s %6lld  ", ask_string(room, "name"), ask_integer(room, "alarms"));
    for (size_t i = 0; i < json_array_size(devices); i++)
        printf("%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(devices, i)));
    printf("  (%s)\n", ask_string(room, "title"));
}

int ctl_rooms(int count, char **arguments)
{
    static const struct option options[] = {ASK_OPTIONS, {NULL, 0, NULL, 0}};
    struct ask ask = ASK_DEFAULT;
    json_t *answer;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;)
        if (!ask_option(&ask, c))
            return ctl_usage(help, c == ASK_HELP);
    if (optind < count)
        return ctl_usage(help, false);
    int code = ask_hub(&ask, "GET", "/api/v1/rooms", NULL, &answer);
    if (code != 0 || ask_printed(&ask, answer))
        return code;
    const json_t *list = json_object_get(answer, "rooms");
    printf("%-16s %6s  DEVICES (TITLE)\n", "ROOM", "ALARMS");
    for (size_t i = 0; i < json_array_size(list); i++)
        print_room(json_array_get(list, i));
    json_decref(answer);
    return 0;
}
