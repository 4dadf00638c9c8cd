#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "ctl.h"

#ifdef LUMBAR_LEAK_CHECK
#include <sanitizer/lsan_interface.h>
#endif

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

static int print_version(int count, char **arguments)
{
    (void)count, (void)arguments;
    puts("lumbarctl " LUMBAR_VERSION);
    return 0;
}

static const struct ctl_command commands[] = {
    {"status", "[--json]", "what the hub does, and what is wrong", ctl_status},
    {"top", "[--every SECONDS]", "rooms and devices in the terminal, live", ctl_top},
    {"watch", "[--room NAME]", "what the page is shown, as lines of JSON", ctl_watch},
    {"fingerprint", "", "of the page's certificate", ctl_fingerprint},
    {"rooms", "[--json]", "the rooms, and what is in them", ctl_rooms},
    {"devices", "[--room NAME] [--json]", "how well each device is heard", ctl_devices},
    {"alarms", "list ...", "what stands, and what is done about it", ctl_alarms},
    {"history", "DEVICE METRIC [--from TIME] [--to TIME] [--csv]", "what a sensor said",
     ctl_history},
    {"session", "list|report|csv|fhir ...", "treatments, and what is told of them afterwards",
     ctl_session},
    {"client", "list|course ...", "who is treated, by pseudonym, and their course", ctl_client},
    {"calibration", "show|neutral|range ...", "of a wearable on whoever wears it", ctl_calibration},
    {"setup", "[--name NAME]", "the first administrator's account", ctl_setup},
    {"users", "list|add|set|disable ...", "who may come in", ctl_users},
    {"rules", "test|try ...", "rules, as files", ctl_rules},
    {"config", "check|diff|apply|rollback ...", "the configuration, without risk", ctl_config},
    {"diagnose", "[--out FILE]", "a bundle for who helps, without client data", ctl_diagnose},
    {"recording", "ls|export|verify|replay ...", "recordings of rooms, as files", ctl_recording},
    {"backup", "now|ls|verify|restore ...", "copies of history, sessions and alarms, and back",
     ctl_backup},
    {"--version", "", "the version of this program", print_version},
};

int main(int count, char **arguments)
{
    log_set_level(LOG_WARN);
    int code =
        ctl_run("lumbarctl", commands, sizeof(commands) / sizeof(commands[0]), count, arguments);
    /* Not exit(): Paho's threads may still run, and its own clean-up races with them. */
    fflush(NULL);
#ifdef LUMBAR_LEAK_CHECK
    __lsan_do_leak_check();
#endif
    _exit(code);
}
