/* lumbarctl diagnose: what somebody who helps from outside has to see, and nothing of a client. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "check.h"
#include "ctl.h"
#include "io/files.h"
#include "setup.h"
#include "tar.h"

static const char help[] =
    "usage: lumbarctl diagnose [--out FILE] [--json]\n"
    "\n"
    "One file (tar) to hand to somebody who helps: versions, status and health, how each device "
    "is\n"
    "heard, the configuration with rules and plans and what a check says of it, what systemd and "
    "the\n"
    "journal say of the hub. Nothing that was measured, no client, no session, no alarm's text, "
    "and\n"
    "no password: those are in files that are named and not read. Parts that cannot be had (no "
    "hub,\n"
    "no journal) are left out, and errors.txt says which.\n"
    "\n" ASK_HELP_TEXT
    "  --out FILE      a new file (default lumbar-diagnose-TIME.tar); - is the standard output\n";

#define OUTPUT_MOST 1000000 /* bytes of a command's output: the journal's last lines */

struct bundle {
    struct ask ask;
    FILE *out;
    int64_t seconds;
    bool whole; /* everything was written */
    unsigned parts;
    char errors[4096];
};

static void add(struct bundle *bundle, const char *name, const void *bytes, size_t count)
{
    bundle->whole = tar_add(bundle->out, name, bytes, count, bundle->seconds) && bundle->whole;
    bundle->parts++;
}

static void miss(struct bundle *bundle, const char *name, const char *why)
{
    size_t have = strlen(bundle->errors);
    snprintf(bundle->errors + have, sizeof(bundle->errors) - have, "%s: %s\n", name, why);
}

static void add_file(struct bundle *bundle, const char *name, const char *path)
{
    char *text;
    size_t bytes;
    struct diag diag = {0};
    if (files_read(path, &text, &bytes, &diag) != 0) {
        miss(bundle, name, diag.text);
        return;
    }
    add(bundle, name, text, bytes);
    free(text);
}

/* A command of the system's, which may not be there. */
static void add_output(struct bundle *bundle, const char *name, const char *command)
{
    char *text = malloc(OUTPUT_MOST);
    FILE *pipe = text != NULL ? popen(command, "re") : NULL;
    size_t bytes = pipe != NULL ? fread(text, 1, OUTPUT_MOST, pipe) : 0;
    if (pipe != NULL)
        pclose(pipe);
    if (bytes > 0)
        add(bundle, name, text, bytes);
    else
        miss(bundle, name, "the system does not say it");
    free(text);
}

/* ---- What the hub says ---- */

/* How each is heard, without what it measured. */
static void drop_values(json_t *answer)
{
    json_t *list = json_object_get(answer, "devices");
    for (size_t i = 0; i < json_array_size(list); i++)
        json_object_del(json_array_get(list, i), "values");
}

static void add_answer(struct bundle *bundle, const char *part)
{
    char path[64], name[64];
    json_t *answer;
    snprintf(path, sizeof(path), "/api/v1/%s", part);
    snprintf(name, sizeof(name), "%s.json", part);
    if (ask_hub(&bundle->ask, "GET", path, NULL, &answer) != 0) {
        miss(bundle, name, "the hub does not answer");
        return;
    }
    drop_values(answer);
    char *text = json_dumps(answer, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    if (text != NULL)
        add(bundle, name, text, strlen(text));
    free(text);
    json_decref(answer);
}

/* ---- What the files say ---- */

static void add_folder(struct bundle *bundle, const char *name, const char *folder)
{
    char place[4096], inside[200];
    struct files_rules files;
    struct diag diag = {0};
    files_beside(bundle->ask.config, folder, place, sizeof(place));
    if (files_read_rules(place, &files, &diag) != 0) {
        miss(bundle, name, diag.text);
        return;
    }
    for (size_t i = 0; i < files.count; i++) {
        const char *slash = strrchr(files.list[i].file, '/');
        snprintf(inside, sizeof(inside), "%s/%.90s", name,
                 slash != NULL ? slash + 1 : files.list[i].file);
        add(bundle, inside, files.list[i].text, files.list[i].bytes);
    }
    files_free_rules(&files);
}

static void add_configuration(struct bundle *bundle)
{
    struct config *config;
    struct diag diag = {0};
    char sentence[512] = "good\n", changes[4096], *text = NULL;
    size_t bytes = 0;
    add_file(bundle, "lumbard.yaml", bundle->ask.config);
    if (setup_read_config(bundle->ask.config, &config, &diag) == 0) {
        add_folder(bundle, "rules", config->rules.folder);
        add_folder(bundle, "plans", config->plans.folder);
        files_beside(bundle->ask.config, config->rules.changes, changes, sizeof(changes));
        if (changes[0] != '\0' && files_exists(changes))
            add_file(bundle, "changes.yaml", changes);
        config_destroy(config);
    }
    diag = (struct diag){0};
    FILE *said = open_memstream(&text, &bytes);
    if (said == NULL)
        return;
    check_config(bundle->ask.config, said, &diag);
    fprintf(said, "%s\n", diag.code != 0 ? diag_sentence(&diag, sentence, sizeof(sentence)) : "");
    fclose(said);
    add(bundle, "check.txt", text, bytes);
    free(text);
}

static void add_versions(struct bundle *bundle)
{
    char text[1024];
    struct utsname machine;
    uname(&machine);
    int bytes = snprintf(text, sizeof(text), "lumbarctl %s\n%s %s %s\n", LUMBAR_VERSION,
                         machine.sysname, machine.release, machine.machine);
    add(bundle, "version.txt", text, (size_t)bytes);
    add_file(bundle, "os-release", "/etc/os-release");
    add_output(bundle, "packages.txt",
               "dpkg-query -W 'lumbar*' mosquitto 'libwebsockets*' 'libpaho*' 2>/dev/null");
}

/* Warnings, and what is about the service itself: an alarm's line has what was measured. */
static void add_system(struct bundle *bundle)
{
    add_output(bundle, "systemctl.txt", "systemctl show --no-pager lumbard mosquitto 2>/dev/null");
    add_output(bundle, "journal.txt",
               "journalctl --no-pager -o short-iso -n 2000 -u lumbard -p warning 2>/dev/null");
    add_output(bundle, "journal-mosquitto.txt",
               "journalctl --no-pager -o short-iso -n 500 -u mosquitto -p warning 2>/dev/null");
    add_output(bundle, "disk.txt", "df -h / /var /run 2>/dev/null");
    add_output(bundle, "memory.txt", "cat /proc/meminfo /proc/loadavg 2>/dev/null");
}

static int write_bundle(struct bundle *bundle, const char *file)
{
    static const char *const answers[] = {"status", "health", "rooms", "devices"};
    add_versions(bundle);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        add_answer(bundle, answers[i]);
    add_configuration(bundle);
    add_system(bundle);
    if (bundle->errors[0] != '\0')
        add(bundle, "errors.txt", bundle->errors, strlen(bundle->errors));
    bundle->whole = tar_end(bundle->out) && bundle->whole;
    if (fclose(bundle->out) == 0 && bundle->whole)
        return 0;
    fprintf(stderr, "lumbarctl: %s could not be written: %s\n", file, strerror(errno));
    if (strcmp(file, "-") != 0)
        unlink(file);
    return CTL_FAILED;
}

int ctl_diagnose(int count, char **arguments)
{
    static const struct option options[] = {
        ASK_OPTIONS, {"out", required_argument, NULL, ASK_OTHER}, {NULL, 0, NULL, 0}};
    struct bundle bundle = {.ask = ASK_DEFAULT, .whole = true, .seconds = time(NULL)};
    char usual[64];
    const char *file = usual;
    struct tm now;
    time_t seconds = (time_t)bundle.seconds;
    strftime(usual, sizeof(usual), "lumbar-diagnose-%Y%m%dT%H%M%SZ.tar", gmtime_r(&seconds, &now));
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == ASK_OTHER)
            file = optarg;
        else if (!ask_option(&bundle.ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    if (optind < count)
        return ctl_usage(help, false);
    bool piped = strcmp(file, "-") == 0;
    if (piped && (bundle.ask.json || isatty(STDOUT_FILENO))) /* nobody could read either */
        return ctl_usage(help, false);
    bundle.ask.quiet = true;
    int fd = piped ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                   : open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bundle.out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (bundle.out == NULL) {
        fprintf(stderr, "lumbarctl: %s: %s\n", file, strerror(errno));
        return CTL_FAILED;
    }
    int code = write_bundle(&bundle, file);
    if (code == 0 && bundle.ask.json)
        ask_printed(&bundle.ask, json_pack("{s:s, s:i, s:s}", "file", file, "parts",
                                           (int)bundle.parts, "missing", bundle.errors));
    else if (code == 0)
        fprintf(piped ? stderr : stdout, "%s: %u parts\n%s", file, bundle.parts, bundle.errors);
    return code;
}
