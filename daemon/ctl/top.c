/* lumbarctl top: the clinic in a terminal, live. */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "ask.h"
#include "ctl.h"

static const char help[] =
    "usage: lumbarctl top [--every SECONDS] [--json]\n"
    "\n"
    "A table of rooms and devices in the terminal, written anew each second, what needs somebody\n"
    "first; q ends it. Where the output is no terminal, or with --json, it is written once.\n"
    "\n" ASK_HELP_TEXT "  --every N       seconds between two looks (1)\n";

/* What is asked each time. */
static const char *const parts[] = {"status", "rooms", "devices", "alarms", "sessions"};
enum { STATUS, ROOMS, DEVICES, ALARMS, SESSIONS, PARTS };

struct screen {
    int rows, columns; /* 0: no end */
    int row;
};

/* ---- Lines ---- */

__attribute__((format(printf, 2, 3))) static void line(struct screen *screen, const char *format,
                                                       ...)
{
    char text[512];
    va_list arguments;
    if (screen->rows > 0 && screen->row >= screen->rows - 1)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    printf("%.*s%s\n", screen->columns > 0 ? screen->columns : (int)sizeof(text), text,
           screen->rows > 0 ? "\033[K" : "");
    screen->row++;
}

static void print_head(struct screen *screen, json_t *const *said)
{
    const json_t *status = said[STATUS], *broker = json_object_get(status, "broker");
    const json_t *wrong = json_object_get(status, "complaints");
    char span[ASK_TIME_BYTES];
    line(screen, "%s: up %s, %lld messages, %lld refused, broker %s, %lld alarms",
         ask_string(status, "clinic"), ask_span(ask_integer(status, "uptime_s") * 1000, span),
         ask_integer(status, "messages"), ask_integer(status, "refused"),
         json_is_true(json_object_get(broker, "connected")) ? "connected" : "away",
         ask_integer(said[ALARMS], "standing"));
    for (size_t i = 0; i < json_array_size(wrong); i++)
        line(screen, "! %s", json_string_value(json_array_get(wrong, i)));
}

static void print_alarms(struct screen *screen, json_t *const *said)
{
    static const char *const priorities[] = {"high", "medium", "low"};
    static const char *const marks[] = {"!!!", "!!", "!"};
    const json_t *list = json_object_get(said[ALARMS], "alarms");
    for (size_t p = 0; p < 3; p++)
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *alarm = json_array_get(list, i);
            char at[ASK_TIME_BYTES];
            if (strcmp(ask_string(alarm, "priority"), priorities[p]) == 0)
                line(screen, "%-3s %6lld  %-8s  %s", marks[p], ask_integer(alarm, "number"),
                     ask_time(alarm, "raised", at), ask_string(alarm, "text"));
        }
}

/* The session of a room, NULL where nobody is treated. */
static const json_t *session_in(json_t *const *said, const char *room)
{
    const json_t *list = json_object_get(said[SESSIONS], "sessions");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *session = json_array_get(list, i);
        const char *state = ask_string(session, "state");
        if (strcmp(ask_string(session, "room"), room) == 0 &&
            (strcmp(state, "running") == 0 || strcmp(state, "paused") == 0))
            return session;
    }
    return NULL;
}

static const json_t *find_device(json_t *const *said, const char *name)
{
    const json_t *list = json_object_get(said[DEVICES], "devices");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(ask_string(json_array_get(list, i), "name"), name) == 0)
            return json_array_get(list, i);
    return NULL;
}

/* Its key values: a number or label with its unit each, a dash where nothing is known. */
static void write_values(const json_t *device, char *out, size_t bytes)
{
    const char *name;
    json_t *value;
    size_t have = 0;
    out[0] = '\0';
    json_object_foreach(json_object_get(device, "values"), name, value)
    {
        const json_t *number = json_object_get(value, "value");
        if (!json_is_true(json_object_get(value, "key")) || have + 1 >= bytes)
            continue;
        int length =
            json_is_number(number) ? snprintf(out + have, bytes - have, "  %s %.1f %s", name,
                                              json_number_value(number), ask_string(value, "unit"))
            : json_is_string(number)
                ? snprintf(out + have, bytes - have, "  %s %s", name, json_string_value(number))
                : snprintf(out + have, bytes - have, "  %s -", name);
        have += length > 0 ? (size_t)length : 0;
    }
}

static void print_device(struct screen *screen, json_t *const *said, const char *name)
{
    char span[ASK_TIME_BYTES], values[256] = "";
    const json_t *device = find_device(said, name), *age = json_object_get(device, "age_ms");
    if (device != NULL)
        write_values(device, values, sizeof(values));
    line(screen, "    %-20s %10s %10lld %6.2f%s", name,
         json_is_integer(age) ? ask_span(json_integer_value(age), span) : "never",
         ask_integer(device, "messages"),
         json_number_value(json_object_get(device, "loss_percent")), values);
}

static void print_rooms(struct screen *screen, json_t *const *said)
{
    const json_t *rooms = json_object_get(said[ROOMS], "rooms");
    line(screen, "%-24s %10s %10s %6s  VALUES", "ROOM / DEVICE", "HEARD", "MESSAGES", "LOST %");
    for (size_t i = 0; i < json_array_size(rooms); i++) {
        const json_t *room = json_array_get(rooms, i), *list = json_object_get(room, "devices");
        const json_t *session = session_in(said, ask_string(room, "name"));
        const char *phase = ask_string(session, "phase_title");
        line(screen, "%s: %s%s%s%s", ask_string(room, "title"),
             session != NULL ? ask_string(session, "state") : "free", phase[0] != '\0' ? ", " : "",
             phase, ask_integer(room, "alarms") > 0 ? ", alarms" : "");
        for (size_t d = 0; d < json_array_size(list); d++)
            print_device(screen, said, json_string_value(json_array_get(list, d)));
    }
}

/* ---- The loop ---- */

static int look(const struct ask *ask, json_t *said[PARTS])
{
    int code = 0;
    for (size_t i = 0; i < PARTS; i++) {
        char path[40];
        said[i] = NULL;
        snprintf(path, sizeof(path), "/api/v1/%s", parts[i]);
        if (code == 0)
            code = ask_hub(ask, "GET", path, NULL, &said[i]);
    }
    return code;
}

static void forget(json_t *said[PARTS])
{
    for (size_t i = 0; i < PARTS; i++)
        json_decref(said[i]);
}

static void print(struct screen *screen, json_t *const *said)
{
    print_head(screen, said);
    print_alarms(screen, said);
    print_rooms(screen, said);
}

static int print_once(const struct ask *ask)
{
    json_t *said[PARTS];
    struct screen screen = {0};
    int code = look(ask, said);
    if (code == 0 && ask->json) {
        json_t *all = json_object();
        for (size_t i = 0; i < PARTS; i++)
            json_object_set(all, parts[i], said[i]);
        ask_printed(ask, all);
    } else if (code == 0) {
        print(&screen, said);
    }
    forget(said);
    return code;
}

/* Keys come one by one and are not seen, until the end. */
static struct termios quiet_keys(void)
{
    struct termios before = {0}, quiet;
    tcgetattr(STDIN_FILENO, &before);
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
    return before;
}

static bool wants_end(int wait_ms)
{
    struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};
    char key;
    return poll(&keys, 1, wait_ms) > 0 && (read(STDIN_FILENO, &key, 1) != 1 || key == 'q');
}

static int print_live(const struct ask *ask, int every_ms)
{
    json_t *said[PARTS];
    int code = 0;
    struct termios before = quiet_keys();
    printf("\033[2J");
    do {
        struct winsize size = {.ws_row = 24, .ws_col = 80};
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
        struct screen screen = {.rows = size.ws_row, .columns = size.ws_col};
        code = look(ask, said);
        printf("\033[H");
        if (code == 0)
            print(&screen, said);
        printf("\033[J");
        fflush(stdout);
        forget(said);
    } while (code == 0 && !wants_end(every_ms));
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return code;
}

int ctl_top(int count, char **arguments)
{
    static const struct option options[] = {
        ASK_OPTIONS, {"every", required_argument, NULL, ASK_OTHER}, {NULL, 0, NULL, 0}};
    struct ask ask = ASK_DEFAULT;
    double every_s = 1;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == ASK_OTHER)
            every_s = strtod(optarg, NULL);
        else if (!ask_option(&ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    if (optind < count || !(every_s >= 0.1 && every_s <= 3600))
        return ctl_usage(help, false);
    bool once = ask.json || isatty(STDOUT_FILENO) == 0 || isatty(STDIN_FILENO) == 0;
    return once ? print_once(&ask) : print_live(&ask, (int)(every_s * 1000));
}
