#include "ctl.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define COMMANDS_MAX 32

int ctl_complain(const struct diag *diag)
{
    char sentence[512];
    fprintf(stderr, "lumbarctl: %s\n", diag_sentence(diag, sentence, sizeof(sentence)));
    return 1;
}

int ctl_usage(const char *help, bool asked)
{
    fputs(help, asked ? stdout : stderr);
    return asked ? 0 : CTL_ARGUMENTS;
}

void ctl_print_line(json_t *line)
{
    json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
    putchar('\n');
    json_decref(line);
}

static void print_usage(FILE *out, const char *program, const struct ctl_command *table,
                        size_t commands)
{
    fprintf(out, "usage: %s COMMAND ...\n\n", program);
    for (size_t i = 0; i < commands; i++)
        fprintf(out, "  %s %s\n      %s\n", table[i].name, table[i].arguments, table[i].summary);
    fprintf(
        out,
        "\n%s COMMAND --help says more.\n\n"
        "Exit codes: 0 done, and nothing is wrong; 1 it could not be done, or what was looked at "
        "is\nnot sound; 2 the arguments are wrong; 3 no hub answers; 4 you may not do this.\n",
        program);
}

int ctl_run(const char *program, const struct ctl_command *table, size_t commands, int count,
            char **arguments)
{
    const char *names[COMMANDS_MAX];
    if (count < 2) {
        print_usage(stderr, program, table, commands);
        return 2;
    }
    if (strcmp(arguments[1], "--help") == 0) {
        print_usage(stdout, program, table, commands);
        return 0;
    }
    if (strcmp(arguments[1], "--list") == 0) { /* for the shell's completion */
        for (size_t i = 0; i < commands; i++)
            puts(table[i].name);
        return 0;
    }
    for (size_t i = 0; i < commands; i++) {
        if (strcmp(table[i].name, arguments[1]) == 0)
            return table[i].run(count - 1, arguments + 1);
        names[i] = table[i].name;
    }
    const char *nearest = text_nearest(arguments[1], names, commands);
    fprintf(stderr, "%s: there is no command '%s'%s%s%s\n", program, arguments[1],
            nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
            nearest != NULL ? "'?" : "; see --help");
    return 2;
}
