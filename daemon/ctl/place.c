/* lumbarctl place: the room of a device. */
#include <stdio.h>

#include "ask.h"
#include "ctl.h"

static const char help[] =
    "usage: lumbarctl place DEVICE [ROOM | --out] [--json]\n"
    "\n"
    "Puts a device into another room than the configuration gives it, or out of any. It stays\n"
    "there, over a restart as well, until it is put back or the configuration says something new\n"
    "of it. Without a room: where it is, and who put it there.\n"
    "\n" ASK_HELP_TEXT "  --out           it is in no room\n";

static void print_place(const json_t *place)
{
    char time[ASK_TIME_BYTES];
    const char *room = ask_string(place, "room"), *configured = ask_string(place, "configured");
    printf("%s: %s", ask_string(place, "device"), room[0] != '\0' ? room : "in no room");
    if (json_is_string(json_object_get(place, "by")))
        printf(", put there by %s %s; configured: %s", ask_string(place, "by"),
               ask_time(place, "at", time), configured[0] != '\0' ? configured : "none");
    putchar('\n');
}

int ctl_place(int count, char **arguments)
{
    static const struct option options[] = {
        ASK_OPTIONS, {"out", no_argument, NULL, ASK_OTHER}, {NULL, 0, NULL, 0}};
    struct ask ask = ASK_DEFAULT;
    bool out = false;
    json_t *answer;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == ASK_OTHER)
            out = true;
        else if (!ask_option(&ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    int given = count - optind;
    if (given < 1 || given > (out ? 1 : 2))
        return ctl_usage(help, false);
    json_t *body = NULL;
    if (out || given == 2)
        body = json_pack("{s:o}", "room", out ? json_null() : json_string(arguments[optind + 1]));
    int code =
        ask_device(&ask, body != NULL ? "PUT" : "GET", arguments[optind], "room", body, &answer);
    if (code != 0 || ask_printed(&ask, answer))
        return code;
    print_place(answer);
    json_decref(answer);
    return 0;
}
