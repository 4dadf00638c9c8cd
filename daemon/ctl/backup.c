/* lumbarctl backup: copies of the store. `now` asks the running hub; the others work on files. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "check.h"
#include "ctl.h"
#include "io/backup_file.h"
#include "io/files.h"
#include "recording.h"
#include "setup.h"

#define LOOK_MS 200 /* between two looks whether the hub is done */

static const char help[] =
    "usage: lumbarctl backup now [--changes] [--config FILE | --socket PATH] [--json]\n"
    "       lumbarctl backup ls [--config FILE | --folder FOLDER] [--json]\n"
    "       lumbarctl backup verify [--config FILE | --folder FOLDER] [NAME ...]\n"
    "       lumbarctl backup restore [--config FILE | --folder FOLDER] NAME\n"
    "\n"
    "now      the running hub makes one; ends when it is verified, or has failed\n"
    "ls       those that there are: name, when each was made, bytes, version of the hub\n"
    "verify   reads them whole (those named, or all): each byte, each page, and of their base\n"
    "restore  puts one in the place of history.file, while no hub runs; what was there is kept\n"
    "         beside it. What the hub still holds of messages, and what recordings have that is\n"
    "         newer than the backup, is added when it starts. What the page had changed of the\n"
    "         rules goes to rules.changes, where there is none and the rules take it; else it is\n"
    "         laid beside that, as *.of-backup.\n"
    "\n"
    "A backup holds what history.file does: clients, plans, sessions, calibrations, alarms, and\n"
    "what was measured, in seconds and minutes; and what the page changed of the rules. It does\n"
    "not hold recordings (finished files in recorder.folder never change, and can be copied as\n"
    "they are) nor the rest of the configuration.\n"
    "NAME is one of the folder, or a path. A *.backup is whole, one file to take elsewhere; a\n"
    "*.changes tells what has changed since one, and needs it beside it.\n"
    "\n" ASK_HELP_TEXT "  --folder FOLDER the folder of backups itself\n"
    "  --changes       what has changed since the newest whole one is enough\n";

enum { FOLDER = ASK_OTHER, CHANGES };

struct wish {
    struct ask ask;
    const char *folder;     /* NULL: what the configuration says */
    bool changes;           /* it need not be whole */
    char backups[PATH_MAX]; /* as it was found */
    char store[PATH_MAX];   /* history.file; "": not asked for */
    char rules[PATH_MAX];   /* rules.changes, as the store */
};

/* ---- where ---- */

static int find_folder(struct wish *wish, bool store, struct diag *diag)
{
    struct config *config;
    if (wish->folder != NULL)
        snprintf(wish->backups, sizeof(wish->backups), "%s", wish->folder);
    if (wish->folder != NULL && !store)
        return 0;
    int code = setup_read_config(wish->ask.config, &config, diag);
    if (code != 0)
        return code;
    snprintf(wish->store, sizeof(wish->store), "%s", config->history.file);
    files_beside(wish->ask.config, config->rules.changes, wish->rules, sizeof(wish->rules));
    if (wish->folder == NULL)
        files_beside(config->history.file, config->backup.folder, wish->backups,
                     sizeof(wish->backups));
    config_destroy(config);
    return 0;
}

static const char *path_of(const struct wish *wish, const char *name, char out[PATH_MAX])
{
    if (strchr(name, '/') != NULL || access(name, F_OK) == 0)
        snprintf(out, PATH_MAX, "%s", name);
    else
        snprintf(out, PATH_MAX, "%.*s/%.*s", PATH_MAX - 100, wish->backups, 90, name);
    return out;
}

/* ---- now ---- */

static void rest(void)
{
    nanosleep(&(struct timespec){0, LOOK_MS * 1000000L}, NULL);
}

static int now(struct wish *wish)
{
    json_t *answer;
    int code = ask_hub(&wish->ask, "POST", "/api/v1/backups",
                       json_pack("{s:b}", "whole", !wish->changes), &answer);
    long long failed = 0;
    for (bool first = true; code == 0; first = false) {
        bool busy = json_is_true(json_object_get(answer, "busy"));
        if (first)
            failed = ask_integer(answer, "failed");
        if (!busy)
            break;
        json_decref(answer);
        rest();
        code = ask_hub(&wish->ask, "GET", "/api/v1/backups", NULL, &answer);
    }
    if (code != 0)
        return code;
    code = ask_integer(answer, "failed") > failed ? CTL_FAILED : 0;
    if (ask_printed(&wish->ask, answer))
        return code;
    const json_t *list = json_object_get(answer, "backups");
    const json_t *newest = json_array_get(list, json_array_size(list) - 1);
    if (code != 0)
        fprintf(stderr, "lumbarctl: %s\n", ask_string(answer, "error"));
    else
        printf("%s  %lld bytes, verified\n", ask_string(newest, "name"),
               ask_integer(newest, "bytes"));
    json_decref(answer);
    return code;
}

/* ---- ls, verify, restore ---- */

static json_t *facts_json(const struct backup_name *name, const char *path, int *code)
{
    struct backup_facts facts;
    struct diag diag = {0};
    char made[RECORDING_DATE_BYTES], heard[RECORDING_DATE_BYTES];
    json_t *json = json_pack("{s:s, s:s, s:I}", "name", name->file, "made",
                             recording_date(name->made_ms, made), "bytes", (json_int_t)name->bytes);
    if (backup_read(path, &facts, &diag) != 0) {
        *code = CTL_FAILED;
        json_object_set_new(json, "error", json_string(diag.text));
        return json;
    }
    char base[BACKUP_NAME_BYTES];
    backup_name_write(base, facts.base_ms, false);
    json_object_set_new(json, "version", json_string(facts.version));
    json_object_set_new(json, "base", facts.base_ms != 0 ? json_string(base) : json_null());
    json_object_set_new(json, "until",
                        facts.heard_ms != 0 ? json_string(recording_date(facts.heard_ms, heard))
                                            : json_null());
    return json;
}

static int ls(struct wish *wish)
{
    struct backup_name *list;
    size_t count;
    struct diag diag = {0};
    int code = find_folder(wish, false, &diag);
    if (code != 0 || backup_folder_list(wish->backups, &list, &count, &diag) != 0)
        return ctl_complain(&diag);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - 100, wish->backups, list[i].file);
        json_array_append_new(all, facts_json(&list[i], path, &code));
    }
    free(list);
    if (ask_printed(&wish->ask, all))
        return code;
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i);
        const char *error = ask_string(one, "error"), *base = ask_string(one, "base");
        printf("%s  %s  %lld bytes  %s%s%s%s\n", ask_string(one, "name"), ask_string(one, "made"),
               ask_integer(one, "bytes"), *error != '\0' ? error : "Lumbar ",
               ask_string(one, "version"), *base != '\0' ? "  what has changed since " : "", base);
    }
    json_decref(all);
    return code;
}

static int verify_one(const struct wish *wish, const char *name)
{
    char path[PATH_MAX];
    struct backup_facts facts;
    struct diag diag = {0};
    int code = backup_verify(path_of(wish, name, path), NULL, &facts, &diag);
    if (wish->ask.json)
        ctl_print_line(json_pack("{s:s, s:b, s:s*}", "name", name, "sound", code == 0, "error",
                                 code != 0 ? diag.text : NULL));
    if (code != 0)
        return ctl_complain(&diag);
    if (!wish->ask.json)
        printf("%s  sound\n", name);
    return 0;
}

static int verify(struct wish *wish, int count, char **names)
{
    struct backup_name *list;
    size_t all;
    struct diag diag = {0};
    int code = 0;
    if (find_folder(wish, false, &diag) != 0)
        return ctl_complain(&diag);
    for (int i = 0; i < count; i++)
        code |= verify_one(wish, names[i]);
    if (count > 0)
        return code;
    if (backup_folder_list(wish->backups, &list, &all, &diag) != 0)
        return ctl_complain(&diag);
    for (size_t i = 0; i < all; i++)
        code |= verify_one(wish, list[i].file);
    free(list);
    return code;
}

/* Are they those that are here? */
static bool is_there(const char *file, const char *rules)
{
    char *text = NULL;
    size_t bytes;
    struct diag diag = {0};
    bool same = files_read(file, &text, &bytes, &diag) == 0 && strcmp(text, rules) == 0;
    free(text);
    return same;
}

/* Tells where what the page had changed of the rules went: "" where nothing is new. Never in the
 * place of others, and only where a hub would start with it: else `why` says why it is beside. */
static int put_rules(const struct wish *wish, const char *rules, char file[PATH_MAX],
                     struct diag *why, struct diag *diag)
{
    char beside[PATH_MAX];
    file[0] = '\0';
    if (wish->rules[0] == '\0' || is_there(wish->rules, rules))
        return 0;
    if (snprintf(beside, sizeof(beside), "%s.of-backup", wish->rules) >= (int)sizeof(beside))
        return diag_set(diag, ERR_LIMIT, "the path of %s is too long", wish->rules);
    bool others = files_exists(wish->rules);
    snprintf(file, PATH_MAX, "%s", others ? beside : wish->rules);
    int code = files_put(file, rules, strlen(rules), diag);
    if (others)
        diag_set(why, ERR_TAKEN, "the rules here are others");
    if (code != 0 || others)
        return code;
    int refused = check_config(wish->ask.config, NULL, why);
    if (refused == 0)
        return 0;
    diag_set(why, refused, "the configuration here cannot be used"); /* unless it said why */
    if (rename(wish->rules, beside) != 0)
        return diag_set(diag, ERR_IO, "cannot rename %s: %s", wish->rules, strerror(errno));
    snprintf(file, PATH_MAX, "%s", beside);
    return 0;
}

static int restore_rules(const struct wish *wish, const char *path, char file[PATH_MAX],
                         struct diag *why)
{
    char *rules;
    struct diag diag = {0};
    file[0] = '\0';
    int code = backup_rules(path, &rules, &diag);
    if (code == 0 && rules != NULL)
        code = put_rules(wish, rules, file, why, &diag);
    free(rules);
    return code == 0 ? 0 : ctl_complain(&diag);
}

static int restore(struct wish *wish, const char *name)
{
    char path[PATH_MAX], kept[PATH_MAX], rules[PATH_MAX], beside[512];
    struct diag diag = {0}, why = {0};
    if (find_folder(wish, true, &diag) != 0)
        return ctl_complain(&diag);
    int code = backup_restore(path_of(wish, name, path), wish->store, kept, &diag);
    if (code == ERR_TAKEN)
        fprintf(stderr, "lumbarctl: the hub runs: stop it first (systemctl stop lumbard)\n");
    if (code != 0)
        return code == ERR_TAKEN ? CTL_FAILED : ctl_complain(&diag);
    code = restore_rules(wish, path, rules, &why);
    diag_sentence(&why, beside, sizeof(beside));
    if (wish->ask.json)
        ctl_print_line(json_pack("{s:s, s:s, s:s*, s:s*, s:s*}", "restored", wish->store, "of",
                                 name, "kept", kept[0] != '\0' ? kept : NULL, "rules",
                                 rules[0] != '\0' ? rules : NULL, "rules_beside",
                                 why.code != 0 ? beside : NULL));
    else
        printf("%s is what %s held%s%s\n", wish->store, name,
               kept[0] != '\0' ? "; what was there is kept as " : "", kept);
    if (!wish->ask.json && rules[0] != '\0')
        printf("what the page had changed of the rules is %s%s%s\n", rules,
               why.code != 0 ? ", for " : "", why.code != 0 ? beside : "");
    return code;
}

static int backup_command(int count, char **arguments)
{
    static const struct option options[] = {ASK_OPTIONS,
                                            {"folder", required_argument, NULL, FOLDER},
                                            {"changes", no_argument, NULL, CHANGES},
                                            {NULL, 0, NULL, 0}};
    struct wish wish = {.ask = ASK_DEFAULT};
    const char *what = arguments[0];
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == FOLDER)
            wish.folder = optarg;
        else if (c == CHANGES)
            wish.changes = true;
        else if (!ask_option(&wish.ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    int given = count - optind;
    if (strcmp(what, "now") == 0 && given == 0)
        return now(&wish);
    if (strcmp(what, "ls") == 0 && given == 0)
        return ls(&wish);
    if (strcmp(what, "verify") == 0)
        return verify(&wish, given, arguments + optind);
    if (strcmp(what, "restore") == 0 && given == 1)
        return restore(&wish, arguments[optind]);
    return ctl_usage(help, false);
}

static const struct ctl_command commands[] = {
    {"now", "[--changes]", "the running hub makes one", backup_command},
    {"ls", "[--folder FOLDER]", "those that there are", backup_command},
    {"verify", "[--folder FOLDER] [NAME ...]", "reads them whole", backup_command},
    {"restore", "[--folder FOLDER] NAME", "puts one in the place of what is there", backup_command},
};

int ctl_backup(int count, char **arguments)
{
    return ctl_run("lumbarctl backup", commands, sizeof(commands) / sizeof(commands[0]), count,
                   arguments);
}
