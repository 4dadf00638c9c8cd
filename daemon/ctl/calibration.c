/* lumbarctl calibration: a wearable's neutral posture, and a range of motion. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ask.h"
#include "base/text.h"
#include "ctl.h"

#define LOOK_MS 250 /* between two looks at how far it is */

static const char help[] =
    "usage: lumbarctl calibration show DEVICE\n"
    "       lumbarctl calibration neutral DEVICE [--for TIME]\n"
    "       lumbarctl calibration forget DEVICE\n"
    "       lumbarctl calibration range DEVICE METRIC [--repetitions N]\n"
    "\n"
    "neutral  whoever wears it stands still for a while (default 5s): from then on its angles are\n"
    "         told from that posture, until the session ends or the wearable is taken off\n"
    "forget   takes that back\n"
    "range    repetitions of one movement (default 3); the best one is kept with the client\n"
    "\n"
    "Both wait until it is done; the exit code is 1 where it was refused.\n"
    "\n" ASK_HELP_TEXT;

struct wish {
    struct ask ask;
    const char *device, *metric;
    int64_t for_ms;
    long repetitions;
};

/* ---- shown ---- */

static void print_neutral(const json_t *neutral)
{
    char time[ASK_TIME_BYTES];
    const char *name;
    const json_t *deg;
    if (!json_is_string(json_object_get(neutral, "taken"))) {
        const char *reason = ask_string(neutral, "reason");
        printf("neutral posture: none%s%s\n", reason[0] != '\0' ? ": " : "", reason);
        return;
    }
    printf("neutral posture: taken %s", ask_time(neutral, "taken", time));
    printf(", holds until %s\n", ask_time(neutral, "expires", time));
    json_object_foreach((json_t *)(uintptr_t)json_object_get(neutral, "zeros"), name, deg)
        printf("  %-28s zero at %6.1f deg\n", name, json_number_value(deg));
}

static double number_of(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

static void print_range(const json_t *range)
{
    char time[ASK_TIME_BYTES];
    const char *state = ask_string(range, "state"), *reason = ask_string(range, "reason");
    if (state[0] == '\0')
        return;
    size_t done = json_array_size(json_object_get(range, "peaks"));
    printf("range of motion: %s, ", ask_string(range, "metric"));
    if (strcmp(state, "done") != 0) {
        printf("%s, %zu of %lld repetitions%s%s\n",
               strcmp(state, "under_way") == 0 ? "under way" : "refused", done,
               ask_integer(range, "repetitions"), reason[0] != '\0' ? ": " : "", reason);
        return;
    }
    printf("best %.1f %s, mean %.1f", number_of(range, "best"), ask_string(range, "unit"),
           number_of(range, "mean"));
    if (json_is_number(json_object_get(range, "spread")))
        printf(", spread %.1f", number_of(range, "spread"));
    printf(" of %zu, measured %s\n", done, ask_time(range, "measured", time));
}

static void print_all(const json_t *answer)
{
    print_neutral(json_object_get(answer, "neutral"));
    print_range(json_object_get(answer, "range"));
}

/* ---- asked ---- */

/* Looks until `part` of the answer is no longer under way. */
static int wait_for(const struct wish *wish, const char *part, json_t **answer)
{
    size_t told = 0;
    for (;;) {
        const json_t *of = json_object_get(*answer, part);
        size_t done = json_array_size(json_object_get(of, "peaks"));
        for (; told < done && !wish->ask.json; told++)
            printf("repetition %zu: %.1f %s\n", told + 1,
                   json_number_value(json_array_get(json_object_get(of, "peaks"), told)),
                   ask_string(of, "unit"));
        fflush(stdout);
        if (strcmp(ask_string(of, "state"), "under_way") != 0)
            return 0;
        json_decref(*answer);
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
        int code = ask_device(&wish->ask, "GET", wish->device, "calibration", NULL, answer);
        if (code != 0)
            return code;
    }
}

static int show(struct wish *wish, const char *part, json_t *answer)
{
    const json_t *of = part != NULL ? json_object_get(answer, part) : NULL;
    bool done = part == NULL || strcmp(ask_string(of, "state"), "done") == 0;
    if (!done && !wish->ask.json)
        fprintf(stderr, "lumbarctl: refused: %s\n", ask_string(of, "reason"));
    if (ask_printed(&wish->ask, answer))
        return done ? 0 : CTL_FAILED;
    print_all(answer);
    json_decref(answer);
    return done ? 0 : CTL_FAILED;
}

static int begin(struct wish *wish, const char *part, json_t *body)
{
    json_t *answer;
    int code = ask_device(&wish->ask, "POST", wish->device, part, body, &answer);
    if (code == 0 && !wish->ask.json && strcmp(part, "neutral") == 0)
        printf("stand still ...\n");
    if (code == 0)
        code = wait_for(wish, part, &answer);
    return code == 0 ? show(wish, part, answer) : code;
}

static int run(struct wish *wish, const char *what)
{
    json_t *answer;
    if (strcmp(what, "neutral") == 0)
        return begin(wish, what, json_pack("{s:I}", "seconds", (json_int_t)(wish->for_ms / 1000)));
    if (strcmp(what, "range") == 0)
        return begin(wish, what,
                     json_pack("{s:s, s:I}", "metric", wish->metric, "repetitions",
                               (json_int_t)wish->repetitions));
    bool forget = strcmp(what, "forget") == 0;
    int code = ask_device(&wish->ask, forget ? "DELETE" : "GET", wish->device,
                          forget ? "neutral" : "calibration", NULL, &answer);
    return code == 0 ? show(wish, NULL, answer) : code;
}

static int calibration_command(int count, char **arguments)
{
    enum { FOR = ASK_OTHER, REPETITIONS };
    static const struct option options[] = {ASK_OPTIONS,
                                            {"for", required_argument, NULL, FOR},
                                            {"repetitions", required_argument, NULL, REPETITIONS},
                                            {NULL, 0, NULL, 0}};
    struct wish wish = {.ask = ASK_DEFAULT, .for_ms = 5000, .repetitions = 3};
    bool ranges = strcmp(arguments[0], "range") == 0;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == FOR && !text_duration_ms(optarg, &wish.for_ms))
            return ctl_usage(help, false);
        else if (c == REPETITIONS)
            wish.repetitions = strtol(optarg, NULL, 10);
        else if (c != FOR && !ask_option(&wish.ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    if (optind + 1 + ranges != count)
        return ctl_usage(help, false);
    wish.device = arguments[optind];
    wish.metric = ranges ? arguments[optind + 1] : NULL;
    return run(&wish, arguments[0]);
}

static const struct ctl_command commands[] = {
    {"show", "DEVICE", "what holds, and since when", calibration_command},
    {"neutral", "DEVICE [--for TIME]", "takes the neutral posture", calibration_command},
    {"forget", "DEVICE", "takes it back", calibration_command},
    {"range", "DEVICE METRIC [--repetitions N]", "tests a range of motion", calibration_command},
};

int ctl_calibration(int count, char **arguments)
{
    return ctl_run("lumbarctl calibration", commands, sizeof(commands) / sizeof(commands[0]), count,
                   arguments);
}
