/* lumbarctl config: the hub's configuration, without the risk of a hub that does not start. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "check.h"
#include "ctl.h"
#include "setup.h"

#define OPTIONS_MOST 8

bool config_options(struct configuring *place, const struct option *own, int count,
                    char **arguments, const char *help, int most, int *code)
{
    struct option table[OPTIONS_MOST + 6] = {ASK_OPTIONS,
                                             {"state", required_argument, NULL, CONFIG_STATE}};
    for (size_t at = 5; own != NULL && own->name != NULL; own++)
        table[at++] = *own;
    *place = (struct configuring){.ask = ASK_DEFAULT, .state = LUMBAR_STATE_FOLDER};
    for (int c; (c = getopt_long(count, arguments, "", table, NULL)) != -1;) {
        if (c == CONFIG_STATE) {
            place->state = optarg;
        } else if (c == CONFIG_LIST) {
            place->list = true;
        } else if (c == CONFIG_RESTART) {
            place->restart = true;
        } else if (!ask_option(&place->ask, c)) {
            *code = ctl_usage(help, c == ASK_HELP);
            return false;
        }
    }
    struct text text = text_in(place->kept, sizeof(place->kept));
    text_add(&text, "%s/config", place->state);
    if (count - optind <= most)
        return true;
    *code = ctl_usage(help, false);
    return false;
}

int config_load_file(const char *file, struct kept_set *set, struct config **config,
                     struct diag *diag)
{
    int code = setup_read_config(file, config, diag);
    if (code == 0 && (code = kept_read(set, file, *config, diag)) != 0)
        config_destroy(*config);
    return code;
}

int config_load_number(const struct configuring *place, uint32_t number, struct kept_set *set,
                       struct config **config, struct diag *diag)
{
    char file[4200];
    int code = kept_read_number(set, place->kept, number, diag);
    if (code != 0)
        return code;
    kept_file(place->kept, number, file, sizeof(file));
    code = config_parse(config, file, set->text, set->bytes, diag);
    if (code != 0)
        kept_free(set);
    return code;
}

int config_look(const struct configuring *place, struct diag *diag)
{
    DIR *folder = opendir(place->kept);
    if (folder != NULL)
        closedir(folder);
    else if (errno != ENOENT)
        return diag_set(diag, ERR_IO, "cannot read %s: %s", place->kept, strerror(errno));
    return 0;
}

/* ---- check ---- */

static const char check_help[] =
    "usage: lumbarctl config check [FILE] [--json]\n"
    "\n"
    "All that a start of the hub does with its configuration, short of opening sockets. FILE is "
    "the\n"
    "configuration's, where it is not that of --config. Exit code 0: it is good.\n"
    "\n" ASK_HELP_TEXT;

static int config_check(int count, char **arguments)
{
    struct configuring place;
    struct diag diag = {0};
    char sentence[512];
    int code;
    if (!config_options(&place, NULL, count, arguments, check_help, 1, &code))
        return code;
    const char *file = optind < count ? arguments[optind] : place.ask.config;
    FILE *said = place.ask.json ? NULL : stdout;
    bool good = check_config(file, said, &diag) == 0;
    if (place.ask.json)
        ask_printed(
            &place.ask,
            json_pack("{s:s, s:b, s:s?}", "file", file, "good", good, "complaint",
                      diag.code != 0 ? diag_sentence(&diag, sentence, sizeof(sentence)) : NULL));
    else if (diag.code != 0)
        ctl_complain(&diag);
    return good ? 0 : CTL_FAILED;
}

/* ---- diff ---- */

static const char diff_help[] =
    "usage: lumbarctl config diff [FILE | NUMBER] [--json]\n"
    "\n"
    "What is other in FILE (if it is not said: in the hub's own file) than in the configuration\n"
    "that the hub last came up with; with NUMBER, what was other in that one (see rollback "
    "--list).\n"
    "\"restart\": a reload cannot change it. Exit code 0 where nothing is, 5 where something is.\n"
    "\n" ASK_HELP_TEXT "  --state FOLDER  where the hub keeps them (default " LUMBAR_STATE_FOLDER
    ")\n";

static void add(json_t *list, const char *what, const char *from, const char *to, bool restart)
{
    json_array_append_new(list, json_pack("{s:s, s:s?, s:s?, s:b}", "what", what, "from", from,
                                          "to", to, "restart", restart));
}

static void on_option(void *user, const char *option, const char *from, const char *to,
                      bool reloadable)
{
    add(user, option, from, to, !reloadable);
}

/* "Room 1: posture/p-01, massage/m-01"; NULL: there is none of this name. */
static const char *describe_room(const struct config *config, const char *name, char *out,
                                 size_t bytes)
{
    struct text text = text_in(out, bytes);
    for (uint32_t r = 0; r < config->room_count; r++) {
        const struct config_room *room = &config->rooms[r];
        if (strcmp(room->name, name) != 0)
            continue;
        text_add(&text, "%s:", room->title);
        for (uint32_t d = 0; d < room->device_count; d++)
            text_add(&text, " %s", room->devices[d]);
        text_add(&text, "%s%s", room->automatic ? ", auto, plan " : "", room->plan);
        return out;
    }
    return NULL;
}

static void compare_rooms(json_t *list, const struct config *a, const struct config *b)
{
    char what[80], in_a[1500], in_b[1500];
    for (uint32_t r = 0; r < a->room_count + b->room_count; r++) {
        bool second = r >= a->room_count;
        const char *name = second ? b->rooms[r - a->room_count].name : a->rooms[r].name;
        const char *from = describe_room(a, name, in_a, sizeof(in_a));
        const char *to = describe_room(b, name, in_b, sizeof(in_b));
        snprintf(what, sizeof(what), "room %.63s", name);
        if (second ? from == NULL : to == NULL || strcmp(from, to) != 0)
            add(list, what, from, to, false);
    }
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static const struct rules_text *find(const struct files_rules *files, const char *name)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(base_name(files->list[i].file), name) == 0)
            return &files->list[i];
    return NULL;
}

static void compare_files(json_t *list, const char *kind, const struct files_rules *a,
                          const struct files_rules *b)
{
    char what[300];
    for (size_t i = 0; i < a->count + b->count; i++) {
        bool second = i >= a->count;
        const char *name = base_name((second ? &b->list[i - a->count] : &a->list[i])->file);
        const struct rules_text *from = find(a, name), *to = find(b, name);
        snprintf(what, sizeof(what), "%s %.200s", kind, name);
        if (from == NULL && second)
            add(list, what, NULL, "new", false);
        else if (to == NULL)
            add(list, what, "there", NULL, false);
        else if (!second && from != NULL &&
                 (from->bytes != to->bytes || memcmp(from->text, to->text, from->bytes) != 0))
            add(list, what, "there", "changed", false);
    }
}

/* What the page changes of the rules: one file, whatever its name is. */
static void compare_changes(json_t *list, const struct files_rules *a, const struct files_rules *b)
{
    const struct rules_text *from = a->count > 0 ? &a->list[0] : NULL;
    const struct rules_text *to = b->count > 0 ? &b->list[0] : NULL;
    if (from != NULL && to != NULL &&
        (from->bytes != to->bytes || memcmp(from->text, to->text, from->bytes) != 0))
        add(list, "changes of rules", "there", "changed", false);
    else if ((from == NULL) != (to == NULL))
        add(list, "changes of rules", from != NULL ? "there" : NULL, to != NULL ? "new" : NULL,
            false);
}

json_t *config_differences(const struct kept_set *a, const struct config *config_a,
                           const struct kept_set *b, const struct config *config_b)
{
    json_t *list = json_array();
    config_compare(config_a, config_b, on_option, list);
    compare_rooms(list, config_a, config_b);
    compare_files(list, "rules", &a->rules, &b->rules);
    compare_files(list, "plan", &a->plans, &b->plans);
    compare_changes(list, &a->changes, &b->changes);
    return list;
}

void config_print_differences(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *from = ask_string(one, "from"), *to = ask_string(one, "to");
        printf("%s: %s -> %s%s\n", ask_string(one, "what"), from[0] != '\0' ? from : "(none)",
               to[0] != '\0' ? to : "(none)",
               json_is_true(json_object_get(one, "restart")) ? "  (restart)" : "");
    }
}

static int config_diff(int count, char **arguments)
{
    struct configuring place;
    struct kept_set a, b;
    struct config *config_a, *config_b;
    struct diag diag = {0};
    int code;
    if (!config_options(&place, NULL, count, arguments, diff_help, 1, &code))
        return code;
    const char *file = optind < count ? arguments[optind] : place.ask.config;
    if (config_look(&place, &diag) != 0)
        return ctl_complain(&diag);
    uint32_t newest = kept_below(place.kept, UINT32_MAX);
    uint32_t number = (uint32_t)strtoul(file, NULL, 10);
    if (newest == 0)
        diag_set(&diag, ERR_UNKNOWN, "no configuration is kept in %s yet", place.kept);
    if (newest == 0 || config_load_number(&place, newest, &a, &config_a, &diag) != 0)
        return ctl_complain(&diag);
    code = number > 0 ? config_load_number(&place, number, &b, &config_b, &diag)
                      : config_load_file(file, &b, &config_b, &diag);
    json_t *list = code == 0 ? config_differences(&a, config_a, &b, config_b) : NULL;
    kept_free(&a);
    config_destroy(config_a);
    if (code != 0)
        return ctl_complain(&diag);
    kept_free(&b);
    config_destroy(config_b);
    code = json_array_size(list) > 0 ? CTL_OTHER : 0;
    if (ask_printed(&place.ask, list))
        return code;
    config_print_differences(list);
    json_decref(list);
    return code;
}

/* ---- The table ---- */

static const struct ctl_command commands[] = {
    {"check", "[FILE]", "is it good?", config_check},
    {"diff", "[FILE | NUMBER]", "what is other than what the hub runs with", config_diff},
    {"apply", "[FILE] [--restart]", "checks it, puts it in place, and has it taken", config_apply},
    {"rollback", "[NUMBER] [--restart] | --list", "one that the hub ran with before",
     config_rollback},
};

int ctl_config(int count, char **arguments)
{
    return ctl_run("lumbarctl config", commands, sizeof(commands) / sizeof(commands[0]), count,
                   arguments);
}
