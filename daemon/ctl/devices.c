/* lumbarctl devices: how well each is heard. */
#include <stdio.h>

#include "ask.h"
#include "ctl.h"

static const char help[] =
    "usage: lumbarctl devices [--room NAME] [--json]\n"
    "\n"
    "One line a device: its room, when it was last heard, messages and the share that was lost,\n"
    "refused ones, its clock against the hub's, battery and signal. --json has every value.\n"
    "\n" ASK_HELP_TEXT "  --room NAME     of this room only\n";

/* A health value with its unit, "-" where the device has none. */
static void print_value(const json_t *device, const char *name)
{
    const json_t *value = json_object_get(json_object_get(device, "values"), name);
    const json_t *number = json_object_get(value, "value");
    if (json_is_number(number))
        printf("  %5.0f", json_number_value(number));
    else
        printf("  %5s", "-");
}

static void print_device(const json_t *device)
{
    char span[ASK_TIME_BYTES], skew[ASK_TIME_BYTES] = "-";
    const json_t *age = json_object_get(device, "age_ms");
    const char *room = ask_string(device, "room");
    const json_t *skew_ms = json_object_get(device, "skew_ms");
    if (json_is_integer(skew_ms))
        snprintf(skew, sizeof(skew), "%.1f s", (double)json_integer_value(skew_ms) / 1000);
    printf("%-24s %-12s %9s %10lld %6.2f %8lld %9s", ask_string(device, "name"),
           room[0] != '\0' ? room : "-",
           json_is_integer(age) ? ask_span(json_integer_value(age), span) : "never",
           ask_integer(device, "messages"),
           json_number_value(json_object_get(device, "loss_percent")),
           ask_integer(device, "refused"), skew);
    print_value(device, "battery");
    print_value(device, "rssi");
    putchar('\n');
}

int ctl_devices(int count, char **arguments)
{
    static const struct option options[] = {
        ASK_OPTIONS, {"room", required_argument, NULL, ASK_OTHER}, {NULL, 0, NULL, 0}};
    struct ask ask = ASK_DEFAULT;
    char path[512] = "/api/v1/devices", room[384];
    json_t *answer;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == ASK_OTHER)
            snprintf(path, sizeof(path), "/api/v1/devices?room=%s",
                     ask_escape(optarg, room, sizeof(room)));
        else if (!ask_option(&ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    if (optind < count)
        return ctl_usage(help, false);
    int code = ask_hub(&ask, "GET", path, NULL, &answer);
    if (code != 0 || ask_printed(&ask, answer))
        return code;
    const json_t *list = json_object_get(answer, "devices");
    printf("%-24s %-12s %9s %10s %6s %8s %9s  %5s  %5s\n", "DEVICE", "ROOM", "HEARD", "MESSAGES",
           "LOST %", "REFUSED", "SKEW", "BATT", "RSSI");
    for (size_t i = 0; i < json_array_size(list); i++)
        print_device(json_array_get(list, i));
    json_decref(answer);
    return 0;
}
