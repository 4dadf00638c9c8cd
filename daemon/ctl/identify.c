/* lumbarctl identify: which one is it? */
#include <stdio.h>
#include <stdlib.h>

#include "ask.h"
#include "core/identify.h"
#include "ctl.h"

static const char help[] =
    "usage: lumbarctl identify DEVICE [--seconds N] [--json]\n"
    "\n"
    "Asks a device to show itself: it blinks, beeps or buzzes, whatever it has. One that is "
    "offline\n"
    "is not asked; whether it does, the hub does not know.\n"
    "\n" ASK_HELP_TEXT "  --seconds N     for so long (default 10, most 60); 0 ends it\n";

int ctl_identify(int count, char **arguments)
{
    static const struct option options[] = {
        ASK_OPTIONS, {"seconds", required_argument, NULL, ASK_OTHER}, {NULL, 0, NULL, 0}};
    struct ask ask = ASK_DEFAULT;
    long long seconds = IDENTIFY_DEFAULT_S;
    json_t *answer;
    char *end = NULL;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == ASK_OTHER)
            seconds = strtoll(optarg, &end, 10);
        else if (!ask_option(&ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    if (count - optind != 1 || (end != NULL && *end != '\0'))
        return ctl_usage(help, false);
    int code = ask_device(&ask, "POST", arguments[optind], "identify",
                          json_pack("{s:I}", "seconds", (json_int_t)seconds), &answer);
    if (code != 0 || ask_printed(&ask, answer))
        return code;
    if (seconds > 0)
        printf("%s was asked to show itself for %lld s\n", ask_string(answer, "device"), seconds);
    else
        printf("%s was asked to end it\n", ask_string(answer, "device"));
    json_decref(answer);
    return 0;
}
