#include "core/config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/options.h"
#include "core/yaml.h"

#define PATH_BYTES 128
#define NAMES_MAX  64 /* keys of one map in the options' tree */
#define KEY_BYTES  32
#define UNASSIGNED "unassigned"

struct reader {
    const struct yaml *yaml;
    struct config *config;
    struct diag *diag;
};

/* The keys that may stand in the map at a prefix ("" the top, "broker."), each once. */
struct keys {
    char text[NAMES_MAX][KEY_BYTES];
    const char *list[NAMES_MAX];
    size_t count;
};

static void add_key(struct keys *keys, const char *at, size_t length)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strlen(keys->list[i]) == length && memcmp(keys->list[i], at, length) == 0)
            return;
    assert(keys->count < NAMES_MAX && length < KEY_BYTES);
    memcpy(keys->text[keys->count], at, length);
    keys->text[keys->count][length] = '\0';
    keys->list[keys->count] = keys->text[keys->count];
    keys->count++;
}

static void find_keys(struct keys *keys, const char *prefix)
{
    size_t length = strlen(prefix);
    keys->count = 0;
    for (size_t i = 0; i < option_count; i++)
        if (strncmp(options[i].path, prefix, length) == 0)
            add_key(keys, options[i].path + length, strcspn(options[i].path + length, "."));
    if (length == 0)
        add_key(keys, "rooms", 5);
}

static bool is_section(const char *path)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < option_count; i++)
        if (strncmp(options[i].path, path, length) == 0 && options[i].path[length] == '.')
            return true;
    return false;
}

/* "key:" with nothing behind it. */
static bool is_empty(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->scalar[0] == '\0';
}

static int read_option(struct reader *reader, const struct option *option,
                       const struct yaml_node *node)
{
    struct diag complaint = {0};
    if (node->kind != YAML_SCALAR)
        return yaml_complain(reader->yaml, node, reader->diag, ERR_SYNTAX,
                             "%s has one value, not a %s", option->path,
                             node->kind == YAML_MAP ? "map" : "list");
    int code = option_set(option, node->scalar, reader->config, &complaint);
    if (code != 0)
        yaml_complain(reader->yaml, node, reader->diag, code, "%s", complaint.text);
    return code;
}

static int read_section(struct reader *reader, const struct yaml_node *map, const char *prefix);

static int read_key(struct reader *reader, const struct yaml_node *node, const char *prefix)
{
    char path[PATH_BYTES];
    struct text text = text_in(path, sizeof(path));
    text_add(&text, "%s%s", prefix, node->key);
    const struct option *option = option_find(path);
    if (option != NULL)
        return read_option(reader, option, node);
    if (!is_section(path)) /* rooms: by themselves */
        return 0;
    text_add(&text, ".");
    return read_section(reader, node, path);
}

static int read_section(struct reader *reader, const struct yaml_node *map, const char *prefix)
{
    if (is_empty(map))
        return 0;
    if (map->kind != YAML_MAP)
        return yaml_complain(reader->yaml, map, reader->diag, ERR_SYNTAX,
                             "expected a map of 'key: value' here");
    struct keys keys;
    find_keys(&keys, prefix);
    int code = yaml_only(reader->yaml, map, keys.list, keys.count, reader->diag);
    for (size_t i = 0; i < map->count && code == 0; i++)
        code = read_key(reader, &map->children[i], prefix);
    return code;
}

/* A scalar of a room; NULL with a complaint where it is something else. */
static const char *room_text(struct reader *reader, const struct yaml_node *node, const char *what)
{
    if (node->kind == YAML_SCALAR && node->scalar[0] != '\0' && strlen(node->scalar) <= 100)
        return node->scalar;
    yaml_complain(reader->yaml, node, reader->diag, ERR_SYNTAX, "%s is text of 1..100 bytes", what);
    return NULL;
}

static const struct config_room *room_of(const struct config *config, const char *device)
{
    for (uint32_t i = 0; i < config->room_count; i++)
        for (uint32_t j = 0; j < config->rooms[i].device_count; j++)
            if (strcmp(config->rooms[i].devices[j], device) == 0)
                return &config->rooms[i];
    return NULL;
}

static int read_device(struct reader *reader, const struct yaml_node *node,
                       struct config_room *room)
{
    const char *device = room_text(reader, node, "a device");
    if (device == NULL)
        return ERR_SYNTAX;
    const char *slash = strchr(device, '/');
    if (slash == NULL || !text_is_name(device, (size_t)(slash - device)) ||
        !text_is_label(slash + 1, strlen(slash + 1)))
        return yaml_complain(reader->yaml, node, reader->diag, ERR_SYNTAX,
                             "a device is written kind/name, as posture/p-01, not '%.60s'", device);
    const struct config_room *other = room_of(reader->config, device);
    if (other != NULL)
        return yaml_complain(reader->yaml, node, reader->diag, ERR_CONFLICT,
                             "%s is already in room '%s' (line %d)", device, other->name,
                             other->line);
    if (room->device_count == CONFIG_ROOM_DEVICES_MAX)
        return yaml_complain(reader->yaml, node, reader->diag, ERR_LIMIT,
                             "more than %d devices in one room", CONFIG_ROOM_DEVICES_MAX);
    room->device_places[room->device_count] = (struct config_place){node->line, node->column};
    room->devices[room->device_count++] = device;
    return 0;
}

static int read_room_name(struct reader *reader, const struct yaml_node *node,
                          struct config_room *room)
{
    room->name = room_text(reader, node, "a room's name");
    if (room->name == NULL)
        return ERR_SYNTAX;
    if (!text_is_label(room->name, strlen(room->name)))
        return yaml_complain(reader->yaml, node, reader->diag, ERR_SYNTAX,
                             "a room's name is 1..63 of A-Z a-z 0-9 _ - ., not '%.60s'; "
                             "its title may be anything",
                             room->name);
    if (strcmp(room->name, UNASSIGNED) == 0)
        return yaml_complain(reader->yaml, node, reader->diag, ERR_CONFLICT,
                             "'" UNASSIGNED "' stands for devices without a room");
    for (const struct config_room *other = reader->config->rooms; other < room; other++)
        if (strcmp(other->name, room->name) == 0)
            return yaml_complain(reader->yaml, node, reader->diag, ERR_CONFLICT,
                                 "a second room '%s'; the first is in line %d", room->name,
                                 other->line);
    return 0;
}

static int read_room_devices(struct reader *reader, const struct yaml_node *list,
                             struct config_room *room)
{
    if (list == NULL || is_empty(list))
        return 0;
    if (list->kind != YAML_LIST)
        return yaml_complain(reader->yaml, list, reader->diag, ERR_SYNTAX,
                             "devices are a list, as [posture/p-01, massage/m-01]");
    int code = 0;
    for (size_t i = 0; i < list->count && code == 0; i++)
        code = read_device(reader, &list->children[i], room);
    return code;
}

/* Whether its devices open sessions, and by which plan. */
static int read_room_session(struct reader *reader, const struct yaml_node *map,
                             struct config_room *room)
{
    const struct yaml_node *automatic = yaml_get(map, "auto"), *plan = yaml_get(map, "plan");
    const char *text = automatic != NULL ? room_text(reader, automatic, "a room's auto") : "false";
    room->plan = plan != NULL ? room_text(reader, plan, "a room's plan") : "";
    if (text == NULL || room->plan == NULL)
        return ERR_SYNTAX;
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return yaml_complain(reader->yaml, automatic, reader->diag, ERR_SYNTAX,
                             "a room's auto is true or false, not '%.60s'", text);
    room->automatic = text[0] == 't';
    if (plan != NULL && !text_is_label(room->plan, strlen(room->plan)))
        return yaml_complain(reader->yaml, plan, reader->diag, ERR_SYNTAX,
                             "a plan's name is 1..63 of A-Z a-z 0-9 _ - ., not '%.60s'",
                             room->plan);
    if (plan != NULL && !room->automatic)
        return yaml_complain(reader->yaml, plan, reader->diag, ERR_CONFLICT,
                             "a room's plan is of no use without auto: true");
    return 0;
}

static int read_room(struct reader *reader, const struct yaml_node *map)
{
    static const char *const keys[] = {"name", "title", "devices", "auto", "plan"};
    if (map->kind != YAML_MAP)
        return yaml_complain(reader->yaml, map, reader->diag, ERR_SYNTAX,
                             "a room is a map of name, title, devices, auto and plan");
    if (reader->config->room_count == CONFIG_ROOMS_MAX)
        return yaml_complain(reader->yaml, map, reader->diag, ERR_LIMIT, "more than %d rooms",
                             CONFIG_ROOMS_MAX);
    int code = yaml_only(reader->yaml, map, keys, sizeof(keys) / sizeof(keys[0]), reader->diag);
    if (code != 0)
        return code;
    const struct yaml_node *name = yaml_get(map, "name"), *title = yaml_get(map, "title");
    if (name == NULL)
        return yaml_complain(reader->yaml, map, reader->diag, ERR_SYNTAX, "a room has a name");
    struct config_room *room = &reader->config->rooms[reader->config->room_count];
    *room = (struct config_room){.line = map->line, .column = map->column};
    if ((code = read_room_name(reader, name, room)) != 0)
        return code;
    room->title = title != NULL ? room_text(reader, title, "a room's title") : room->name;
    if (room->title == NULL)
        return ERR_SYNTAX;
    if ((code = read_room_session(reader, map, room)) != 0)
        return code;
    reader->config->room_count++; /* before its devices: they are looked for in it too */
    return read_room_devices(reader, yaml_get(map, "devices"), room);
}

static int read_rooms(struct reader *reader, const struct yaml_node *rooms)
{
    if (rooms == NULL || is_empty(rooms))
        return 0;
    if (rooms->kind != YAML_LIST)
        return yaml_complain(reader->yaml, rooms, reader->diag, ERR_SYNTAX, "rooms are a list");
    int code = 0;
    for (size_t i = 0; i < rooms->count && code == 0; i++)
        code = read_room(reader, &rooms->children[i]);
    return code;
}

/* Options that make sense only together. */
static int check_pairs(struct reader *reader)
{
    const struct config *config = reader->config;
    const struct {
        bool wrong;
        const char *section, *key, *complaint;
    } pairs[] = {
        {config->broker.tls && !*config->broker.ca_file, "broker", "tls",
         "broker.tls needs broker.ca_file, to know the broker by"},
        {!config->broker.tls && *config->broker.ca_file, "broker", "ca_file",
         "broker.ca_file is of no use without broker.tls: true"},
        {!config->broker.tls && *config->broker.certificate_file, "broker", "certificate_file",
         "broker.certificate_file is of no use without broker.tls: true"},
        {*config->broker.certificate_file && !*config->broker.key_file, "broker",
         "certificate_file", "broker.certificate_file needs broker.key_file"},
        {*config->broker.key_file && !*config->broker.certificate_file, "broker", "key_file",
         "broker.key_file needs broker.certificate_file"},
        {*config->broker.password_file && !*config->broker.username, "broker", "password_file",
         "broker.password_file needs broker.username"},
        {!config->web.tls && !option_is_loopback(config->web.listen), "web", "listen",
         "web.listen may be another address than loopback only with web.tls: true"},
        {!config->accounts && !option_is_loopback(config->web.listen), "web", "listen",
         "web.listen must be on loopback with accounts: false, for whoever reaches the page may do "
         "everything then"},
        {!config->web.tls && *config->web.certificate_file, "web", "certificate_file",
         "web.certificate_file is of no use without web.tls: true"},
        {*config->web.certificate_file && !*config->web.key_file, "web", "certificate_file",
         "web.certificate_file needs web.key_file"},
        {*config->web.key_file && !*config->web.certificate_file, "web", "key_file",
         "web.key_file needs web.certificate_file"},
        {strcmp(config->spool.ring, config->spool.copy) == 0, "spool", "copy",
         "spool.copy must be another file than spool.ring"},
        {config->spool.patience_ms <= config->spool.sync_ms, "spool", "patience",
         "spool.patience must be longer than spool.sync"},
    };
    const struct yaml_node *root = yaml_root(reader->yaml);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (pairs[i].wrong)
            return yaml_complain(reader->yaml,
                                 yaml_get(yaml_get(root, pairs[i].section), pairs[i].key),
                                 reader->diag, ERR_CONFLICT, "%s", pairs[i].complaint);
    return 0;
}

static void set_defaults(struct config *config)
{
    for (size_t i = 0; i < option_count; i++) {
        int code = option_set(&options[i], options[i].fallback, config, NULL);
        assert(code == 0);
        (void)code;
    }
}

static int read_all(struct reader *reader)
{
    const struct yaml_node *root = yaml_root(reader->yaml);
    set_defaults(reader->config);
    if (root == NULL || is_empty(root))
        return diag_at(
            reader->diag, ERR_SYNTAX, yaml_file(reader->yaml), 0, 0,
            "nothing is in it: {} is a configuration that leaves all as it is by default");
    int code = read_section(reader, root, "");
    if (code == 0)
        code = read_rooms(reader, yaml_get(root, "rooms"));
    return code == 0 ? check_pairs(reader) : code;
}

int config_parse(struct config **out, const char *file, const char *text, size_t bytes,
                 struct diag *diag)
{
    struct yaml *yaml;
    *out = NULL;
    int code = yaml_parse(&yaml, file, text, bytes, diag);
    if (code != 0)
        return code;
    struct config *config = calloc(1, sizeof(*config));
    if (config == NULL) {
        yaml_destroy(yaml);
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    }
    config->text = yaml;
    struct reader reader = {.yaml = yaml, .config = config, .diag = diag};
    code = read_all(&reader);
    if (code != 0) {
        config_destroy(config);
        return code;
    }
    *out = config;
    return 0;
}

void config_destroy(struct config *config)
{
    if (config == NULL)
        return;
    yaml_destroy(config->text);
    free(config);
}

const char *config_file(const struct config *config)
{
    return yaml_file(config->text);
}

/* Where "section.key" is written; NULL if it is not. */
static const struct yaml_node *node_of(const struct config *config, const char *option)
{
    const struct yaml_node *node = yaml_root(config->text);
    while (node != NULL && option != NULL) {
        char key[KEY_BYTES];
        size_t length = strcspn(option, ".");
        assert(length < sizeof(key));
        memcpy(key, option, length);
        key[length] = '\0';
        node = yaml_get(node, key);
        option = option[length] == '.' ? option + length + 1 : NULL;
    }
    return node;
}

int config_complain(const struct config *config, const char *option, struct diag *diag, int code,
                    const char *format, ...)
{
    char words[sizeof(diag->text)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    return yaml_complain(config->text, node_of(config, option), diag, code, "%s", words);
}

const char *config_default(const char *option)
{
    return option_find(option)->fallback;
}

static const char *value_of(const struct config *config, const struct option *option)
{
    const struct yaml_node *node = node_of(config, option->path);
    return node != NULL ? node->scalar : option->fallback;
}

void config_compare(const struct config *a, const struct config *b, config_differs_cb *each,
                    void *user)
{
    for (size_t i = 0; i < option_count; i++)
        if (!option_equal(&options[i], a, b))
            each(user, options[i].path, value_of(a, &options[i]), value_of(b, &options[i]),
                 options[i].reloadable);
}

int config_check_reload(const struct config *old, const struct config *fresh, struct diag *diag)
{
    for (size_t i = 0; i < option_count; i++)
        if (!options[i].reloadable && !option_equal(&options[i], old, fresh))
            return config_complain(fresh, options[i].path, diag, ERR_CONFLICT,
                                   "%s cannot be changed while the hub runs; restart it",
                                   options[i].path);
    return 0;
}

void config_print_options(FILE *out)
{
    for (size_t i = 0; i < option_count; i++) {
        char expected[120];
        const struct option *option = &options[i];
        fprintf(out, "%s\n    %s.\n    %s%s%s; default: %s%s\n\n", option->path, option->help,
                option_describe(option, expected, sizeof(expected)),
                option->unit != NULL ? " " : "", option->unit != NULL ? option->unit : "",
                option->fallback[0] != '\0' ? option->fallback : "empty",
                option->reloadable ? "; a reload may change it" : "");
    }
    fprintf(out,
            "rooms\n    the treatment rooms and the devices in them.\n"
            "    a list of at most %d maps:\n"
            "      name     1..63 of A-Z a-z 0-9 _ - .; stands in topics; needed\n"
            "      title    what people read; default: the name\n"
            "      devices  a list of at most %d, as [posture/p-01, massage/m-01]\n"
            "      auto     true: a device that works opens a session; default: false\n"
            "      plan     with auto: its plan, of plans.folder; default: none\n"
            "    default: empty; a reload may change it\n",
            CONFIG_ROOMS_MAX, CONFIG_ROOM_DEVICES_MAX);
}
