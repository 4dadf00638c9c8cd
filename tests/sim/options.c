#include "options.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum option_type { OPTION_NUMBER, OPTION_WHOLE, OPTION_TEXT, OPTION_FLAG, OPTION_FAULT };
enum option_use { USE_CLINIC = 1, USE_REPLAY = 2, USE_BOTH = 3 };

static const struct option {
    const char *name, *value;
    enum option_type type;
    enum option_use use;
    size_t offset;
    double low, high;
    const char *help;
} table[] = {
#define AT(member) offsetof(struct options, member)
    {"--host", "HOST", OPTION_TEXT, USE_BOTH, AT(host), 0, 0, "the broker (127.0.0.1)"},
    {"--port", "P", OPTION_WHOLE, USE_BOTH, AT(port), 1, 65535, "its port (1883)"},
    {"--accounts", "FILE", OPTION_TEXT, USE_BOTH, AT(accounts), 0, 0,
     "passwords of the devices, by lumbarctl device add; each then has a connection of its own"},
    {"--rooms", "N", OPTION_WHOLE, USE_CLINIC, AT(rooms), 1, ROOMS_MAX, "treatment rooms (6)"},
    {"--seed", "N", OPTION_WHOLE, USE_CLINIC, AT(seed), 0, 1e15, "another day (1)"},
    {"--rate", "N", OPTION_NUMBER, USE_CLINIC, AT(rate), 0.1, 2000,
     "posture rows a second (50); massage devices make a fifth of them"},
    {"--batch", "MS", OPTION_WHOLE, USE_BOTH, AT(batch_ms), 10, 10000,
     "rows in a message, as a time (200)"},
    {"--speed", "X", OPTION_NUMBER, USE_BOTH, AT(speed), 0.01, 1000,
     "the world and the firmware's counters run X times faster; time stamps stay real (1)"},
    {"--seconds", "N", OPTION_NUMBER, USE_BOTH, AT(seconds), 0.1, 1e9, "ends by itself"},
    {"--fault", "SPEC", OPTION_FAULT, USE_CLINIC, 0, 0, 0, "ROOM:KIND:WHAT@START[+DURATION]"},
    {"--as", "KIND/NAME", OPTION_TEXT, USE_REPLAY, AT(as), 0, 0, "the device: posture/p-01"},
    {"--neutral", "FILE", OPTION_TEXT, USE_REPLAY, AT(neutral), 0, 0,
     "recording of the pose that angles are relative to"},
    {"--verbose", NULL, OPTION_FLAG, USE_BOTH, AT(verbose), 0, 0, "says on stderr what it does"},
    {"--help", NULL, OPTION_FLAG, USE_BOTH, AT(help), 0, 0, "this"},
#undef AT
};

#define OPTION_COUNT (sizeof(table) / sizeof(table[0]))

static const struct option *find(const char *name, struct diag *diag)
{
    const char *names[OPTION_COUNT];
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
        names[i] = table[i].name;
    }
    const char *nearest = text_nearest(name, names, OPTION_COUNT);
    if (nearest != NULL)
        diag_set(diag, ERR_UNKNOWN, "there is no option %s; did you mean %s?", name, nearest);
    else
        diag_set(diag, ERR_UNKNOWN, "there is no option %s; see --help", name);
    return NULL;
}

static int set_number(double *out, const struct option *option, const char *value,
                      struct diag *diag)
{
    char *end;
    double number = strtod(value, &end);
    bool whole = option->type == OPTION_WHOLE;
    if (end == value || *end != '\0' || !(number >= option->low && number <= option->high) ||
        (whole && number != floor(number)))
        return diag_set(diag, ERR_RANGE, "%s %s: not a %snumber from %.15g to %.15g", option->name,
                        value, whole ? "whole " : "", option->low, option->high);
    *out = number;
    return 0;
}

static int set_value(struct options *out, const struct option *option, const char *value,
                     struct diag *diag)
{
    char *member = (char *)out + option->offset;
    switch (option->type) {
    case OPTION_FLAG:
        *(bool *)member = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)member = value;
        return 0;
    case OPTION_FAULT:
        if (out->fault_count == OPTIONS_FAULTS)
            return diag_set(diag, ERR_LIMIT, "more than %d faults", OPTIONS_FAULTS);
        return fault_parse(&out->faults[out->fault_count++], value, diag);
    default:
        return set_number((double *)member, option, value, diag);
    }
}

static int add_file(struct options *out, const char *path, struct diag *diag)
{
    if (!out->replay)
        return diag_set(diag, ERR_SYNTAX, "'%s': only replay takes files; see --help", path);
    if (out->file_count == OPTIONS_FILES)
        return diag_set(diag, ERR_LIMIT, "more than %d files", OPTIONS_FILES);
    out->files[out->file_count++] = path;
    return 0;
}

static int check(const struct options *options, struct diag *diag)
{
    if (options->help || !options->replay)
        return 0;
    if (options->file_count == 0)
        return diag_set(diag, ERR_SYNTAX, "replay: which file?");
    if (options->as == NULL)
        return diag_set(diag, ERR_SYNTAX, "replay: --as KIND/NAME is missing");
    const char *slash = strchr(options->as, '/');
    if (slash == NULL || !text_is_label(slash + 1, strlen(slash + 1)) ||
        (strncmp(options->as, "posture/", 8) != 0 && strncmp(options->as, "massage/", 8) != 0))
        return diag_set(diag, ERR_SYNTAX, "--as %s: is not posture/NAME or massage/NAME",
                        options->as);
    return 0;
}

int options_parse(struct options *out, int argc, char **argv, struct diag *diag)
{
    *out = (struct options){.host = "127.0.0.1",
                            .port = 1883,
                            .rooms = 6,
                            .seed = 1,
                            .rate = 50,
                            .batch_ms = 200,
                            .speed = 1};
    int at = 1;
    if (argc > 1 && strcmp(argv[1], "replay") == 0) {
        out->replay = true;
        at = 2;
    }
    int error = 0;
    for (; at < argc && error == 0; at++) {
        if (argv[at][0] != '-') {
            error = add_file(out, argv[at], diag);
            continue;
        }
        const struct option *option = find(argv[at], diag);
        if (option == NULL)
            return diag->code;
        if (!(option->use & (out->replay ? USE_REPLAY : USE_CLINIC)))
            return diag_set(diag, ERR_CONFLICT, "%s is %s replay", option->name,
                            out->replay ? "not for" : "only for");
        if (option->type != OPTION_FLAG && ++at == argc)
            return diag_set(diag, ERR_SYNTAX, "%s needs %s", option->name, option->value);
        error = set_value(out, option, argv[at], diag);
    }
    return error != 0 ? error : check(out, diag);
}

void options_help(FILE *out)
{
    fprintf(out, "lumbar-sim [OPTION]...                       plays a clinic over MQTT\n"
                 "lumbar-sim replay FILE... --as KIND/NAME     plays recordings as a device\n\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &table[i];
        char name[32];
        snprintf(name, sizeof(name), "%s %s", option->name,
                 option->value != NULL ? option->value : "");
        fprintf(out, "  %-20s %s%s\n", name, option->help,
                option->use == USE_CLINIC   ? " [clinic]"
                : option->use == USE_REPLAY ? " [replay]"
                                            : "");
    }
    fprintf(out, "\nWHAT of a fault: %s\n", fault_help());
}
