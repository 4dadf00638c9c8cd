/* lumbarctl watch: what the page is shown, as lines for programs. */
#include <stdio.h>
#include <stdlib.h>

#include "ctl.h"
#include "live.h"

static const char help[] =
    "usage: lumbarctl watch [--room NAME] [--frames N]\n"
    "\n"
    "One line of JSON for each frame that a page would be shown, as long as the hub runs: "
    "devices,\n"
    "alarms, sessions, and the newest values of all devices; of a room, every value of its "
    "devices.\n"
    "Names stand in the place of numbers, and values are in their metrics' units. The first frame\n"
    "(\"hello\") says what there is.\n"
    "\n" ASK_HELP_TEXT "  --room NAME     every value of this room\n"
    "  --frames N      so many, and then the end\n";

int ctl_watch(int count, char **arguments)
{
    enum { ROOM = ASK_OTHER, FRAMES };
    static const struct option options[] = {ASK_OPTIONS,
                                            {"room", required_argument, NULL, ROOM},
                                            {"frames", required_argument, NULL, FRAMES},
                                            {NULL, 0, NULL, 0}};
    struct ask ask = ASK_DEFAULT;
    struct live *live;
    const char *room = "";
    long most = -1;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == ROOM)
            room = optarg;
        else if (c == FRAMES)
            most = strtol(optarg, NULL, 10);
        else if (!ask_option(&ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    if (optind < count || most == 0)
        return ctl_usage(help, false);
    int code = live_open(&live, &ask, room);
    if (code != 0)
        return code;
    json_t *frame = NULL;
    for (; most != 0 && (frame = live_next(live)) != NULL; most -= most > 0) {
        json_dumpf(frame, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
        putchar('\n');
        json_decref(frame);
        if (fflush(stdout) != 0) /* nobody reads any more */
            break;
    }
    live_close(live);
    if (most != 0 && frame == NULL)
        fprintf(stderr, "lumbarctl: the hub has hung up\n");
    return most == 0 ? 0 : CTL_NO_HUB;
}
