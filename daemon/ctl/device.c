/* lumbarctl device: what wearables and massage devices are to the broker. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ask.h"
#include "base/text.h"
#include "core/ingest.h"
#include "core/topic.h"
#include "ctl.h"
#include "dynsec.h"
#include "io/files.h"
#include "setup.h"

#define ADMIN_FILE    "/etc/lumbar/broker-admin"
#define HUB_FILE      "/etc/lumbar/broker-password"
#define SECURITY_FILE "/var/lib/mosquitto/dynamic-security.json"
#define PLUGIN_FILES  "/usr/lib/*/mosquitto_dynamic_security.so"
#define ROLE_BYTES    300
#define DEVICES_MAX   1000 /* named at once */
#define LINE_BYTES    512  /* a device and its password */

#define HUB_WORD_BYTES 256 /* of one that somebody else made, too */

static const char help[] =
    "usage: lumbarctl device init [--security FILE] [--admin FILE] [--hub FILE] [--json]\n"
    "       lumbarctl device add KIND/NAME... [--accounts FILE] [--admin FILE] [--json]\n"
    "       lumbarctl device rotate|revoke KIND/NAME [--admin FILE] [--json]\n"
    "       lumbarctl device list [--admin FILE] [--json]\n"
    "\n"
    "Accounts of devices at mosquitto, by its dynamic-security plugin. A device may publish its\n"
    "own topics and hear what is for it alone. `add` and `rotate` print its password, once; where\n"
    "it is connected, `rotate` and `revoke` cut it off at once.\n"
    "\n"
    "`init` makes the plugin's file, with an administrator and the hub, whose passwords go into\n"
    "files, and prints the lines that mosquitto's configuration needs. The hub keeps a password\n"
    "that it has. The package does this where the machine's mosquitto has no accounts.\n"
    "\n"
    "  --config FILE     the hub's configuration, which names broker and plugins\n"
    "                    (default " LUMBAR_CONFIG_FILE ")\n"
    "  --accounts FILE   adds the passwords to a file, as lumbar-sim reads it, and prints none\n"
    "  --admin FILE      the administrator's password (default " ADMIN_FILE ")\n"
    "  --hub FILE        the hub's, for broker.password_file (default " HUB_FILE ")\n"
    "  --security FILE   the plugin's file (default " SECURITY_FILE ")\n"
    "  --json            print what was done as JSON\n";

struct wish {
    const char *config, *admin, *hub, *security, *accounts; /* accounts NULL: they are printed */
    const char *device;                                     /* "posture/p-01"; "" none */
    bool json;
};

/* ---- the broker's first accounts ---- */

/* A new file for its owner alone, or, with a group, for that to read. */
static int write_new(const char *file, const char *text, mode_t mode, uid_t owner, gid_t group,
                     struct diag *diag)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return diag_set(diag, errno == EEXIST ? ERR_TAKEN : ERR_IO, "%s: %s", file,
                        errno == EEXIST ? "is there already; take it away first" : strerror(errno));
    size_t bytes = strlen(text);
    bool written = write(fd, text, bytes) == (ssize_t)bytes && fchmod(fd, mode) == 0 &&
                   (geteuid() != 0 || fchown(fd, owner, group) == 0) && fsync(fd) == 0;
    int failed = errno;
    close(fd);
    if (written)
        return 0;
    unlink(file);
    return diag_set(diag, ERR_IO, "%s: %s", file, strerror(failed));
}

static int write_word(const char *file, const char *word, mode_t mode, gid_t group,
                      struct diag *diag)
{
    char line[HUB_WORD_BYTES + 1];
    snprintf(line, sizeof(line), "%s\n", word);
    int code = write_new(file, line, mode, 0, group, diag);
    explicit_bzero(line, sizeof(line));
    return code;
}

/* The plugin writes its file anew: it is to be whose folder it lies in. */
static int write_security(const char *file, const char *admin_word, const char *hub_word,
                          struct diag *diag)
{
    char folder[1024];
    struct stat status = {0};
    snprintf(folder, sizeof(folder), "%.*s",
             (int)(strrchr(file, '/') != NULL ? strrchr(file, '/') - file : 0), file);
    if (stat(folder[0] != '\0' ? folder : ".", &status) != 0)
        return diag_set(diag, ERR_IO, "%s: %s", folder, strerror(errno));
    json_t *first = dynsec_first_file(admin_word, "lumbard", hub_word);
    char *text = first != NULL ? json_dumps(first, JSON_INDENT(2)) : NULL;
    json_decref(first);
    int code = text == NULL ? diag_set(diag, ERR_MEMORY, "out of memory")
                            : write_new(file, text, 0600, status.st_uid, status.st_gid, diag);
    free(text);
    return code;
}

static void print_lines(const struct wish *wish)
{
    char lines[2048];
    glob_t found = {0};
    const char *plugin = "/usr/lib/.../mosquitto_dynamic_security.so";
    if (glob(PLUGIN_FILES, 0, NULL, &found) == 0)
        plugin = found.gl_pathv[0];
    struct text text = text_in(lines, sizeof(lines));
    text_add(
        &text,
        "# mosquitto: accounts of the hub and of its devices (lumbarctl device).\n"
        "allow_anonymous false\n"
        "# Else a device that calls itself as the hub does would take its place, and its queue.\n"
        "use_username_as_clientid true\n"
        "plugin %s\n"
        "plugin_opt_config_file %s\n",
        plugin, wish->security);
    globfree(&found);
    if (wish->json)
        ctl_print_line(json_pack("{s:s, s:s, s:s, s:s}", "security", wish->security, "admin",
                                 wish->admin, "hub", wish->hub, "mosquitto", lines));
    else
        fputs(lines, stdout);
    fprintf(stderr,
            "lumbarctl: made %s, %s and %s.\n"
            "For the hub: broker.username: lumbard, broker.password_file: %s\n",
            wish->security, wish->admin, wish->hub, wish->hub);
}

static int init(const struct wish *wish)
{
    char admin_word[DYNSEC_WORD_BYTES], hub_word[HUB_WORD_BYTES];
    struct diag diag = {0};
    const struct group *group = getgrnam("lumbard");
    bool has_word = files_exists(wish->hub);
    int code = dynsec_make_word(admin_word, &diag);
    if (code == 0 && has_word)
        code = files_read_secret_line(wish->hub, hub_word, sizeof(hub_word), &diag);
    else if (code == 0)
        code = dynsec_make_word(hub_word, &diag);
    if (code == 0)
        code = write_security(wish->security, admin_word, hub_word, &diag);
    if (code == 0 && (code = write_word(wish->admin, admin_word, 0600, 0, &diag)) != 0)
        unlink(wish->security);
    if (code == 0 && !has_word &&
        (code = write_word(wish->hub, hub_word, group != NULL ? 0640 : 0600,
                           group != NULL ? group->gr_gid : 0, &diag)) != 0) {
        unlink(wish->security);
        unlink(wish->admin);
    }
    explicit_bzero(admin_word, sizeof(admin_word));
    explicit_bzero(hub_word, sizeof(hub_word));
    if (code != 0)
        return ctl_complain(&diag);
    print_lines(wish);
    return 0;
}

/* ---- one device ---- */

/* What a device of this kind publishes, and that it hears what is below its own name. */
static json_t *acls_of(const struct lumbar_plugin *plugin, const char *device)
{
    json_t *acls = json_array();
    char topic[TOPIC_MAX_BYTES + 1];
    for (const char *const *leaf = plugin->leaves; *leaf != NULL; leaf++)
        if (topic_make(plugin->topic, device, *leaf, topic, sizeof(topic)) > 0)
            json_array_append_new(acls, dynsec_acl("publishClientSend", topic));
    if (topic_make(plugin->topic, device, "+", topic, sizeof(topic)) > 0) {
        json_array_append_new(acls, dynsec_acl("publishClientReceive", topic));
        json_array_append_new(acls, dynsec_acl("subscribePattern", topic));
    }
    return acls;
}

/* The plugin of "posture/p-01"; false, and it was said, where it is none of a kind. */
static bool find_plugin(const struct setup *setup, const char *name,
                        const struct lumbar_plugin **plugin)
{
    const struct driver *driver = ingest_driver_of(&setup->drivers, name);
    const char *slash = strchr(name, '/');
    bool good = driver != NULL && slash != NULL && text_is_label(slash + 1, strlen(slash + 1));
    if (!good)
        fprintf(stderr, "lumbarctl: a device is KIND/NAME of a plugin's kind, not '%s'\n", name);
    else
        *plugin = driver->plugin;
    return good;
}

/* The first refusal of the answers; "" none. `passed`: how many at the beginning may be refused. */
static const char *refusal(const json_t *answers, size_t passed)
{
    for (size_t i = passed; i < json_array_size(answers); i++) {
        const char *error = ask_string(json_array_get(answers, i), "error");
        if (error[0] != '\0')
            return error;
    }
    return "";
}

/* Asks the plugin, and says what it refuses; commands are taken. */
static int order(struct dynsec *dynsec, json_t *commands, size_t passed)
{
    struct diag diag = {0};
    json_t *answers;
    int code = dynsec_ask(dynsec, commands, &answers, &diag);
    if (code != 0)
        return ctl_complain(&diag);
    const char *error = refusal(answers, passed);
    if (error[0] != '\0')
        fprintf(stderr, "lumbarctl: the broker says: %s\n", error);
    code = error[0] != '\0' ? CTL_FAILED : 0;
    json_decref(answers);
    return code;
}

/* A line at the end of a file that is for its owner alone. */
static int keep_word(const char *file, const char *device, const char *word)
{
    char line[LINE_BYTES];
    struct diag diag = {0};
    int bytes = snprintf(line, sizeof(line), "%s %s\n", device, word);
    int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool kept = fd >= 0 && fchmod(fd, 0600) == 0 && write(fd, line, (size_t)bytes) == bytes &&
                fsync(fd) == 0;
    if (!kept)
        diag_set(&diag, ERR_IO, "%s: %s", file, strerror(errno));
    explicit_bzero(line, sizeof(line));
    if (fd >= 0)
        close(fd);
    return kept ? 0 : ctl_complain(&diag);
}

static void print_word(const struct wish *wish, const char *word)
{
    if (wish->json && wish->accounts != NULL)
        ctl_print_line(
            json_pack("{s:s, s:s}", "username", wish->device, "accounts", wish->accounts));
    if (wish->accounts != NULL)
        return;
    if (wish->json)
        ctl_print_line(json_pack("{s:s, s:s}", "username", wish->device, "password", word));
    else
        printf("username: %s\npassword: %s\n", wish->device, word);
    fprintf(stderr, "lumbarctl: the password is not shown again\n");
}

static int add(struct dynsec *dynsec, const struct wish *wish, const struct lumbar_plugin *plugin)
{
    char word[DYNSEC_WORD_BYTES], role[ROLE_BYTES];
    struct diag diag = {0};
    if (plugin == NULL)
        return CTL_ARGUMENTS;
    if (dynsec_make_word(word, &diag) != 0)
        return ctl_complain(&diag);
    snprintf(role, sizeof(role), "device %s", wish->device);
    /* A role that is left of a device that went is made anew; a device that is there is refused,
     * and keeps its own. */
    int code = order(dynsec,
                     json_pack("[{s:s, s:s, s:s}]", "command", "createClient", "username",
                               wish->device, "password", word),
                     0);
    if (code == 0)
        code =
            order(dynsec,
                  json_pack("[{s:s, s:s}, {s:s, s:s, s:o}, {s:s, s:s, s:s}]", "command",
                            "deleteRole", "rolename", role, "command", "createRole", "rolename",
                            role, "acls", acls_of(plugin, strchr(wish->device, '/') + 1), "command",
                            "addClientRole", "username", wish->device, "rolename", role),
                  1);
    if (code == 0 && wish->accounts != NULL)
        code = keep_word(wish->accounts, wish->device, word);
    if (code == 0)
        print_word(wish, word);
    explicit_bzero(word, sizeof(word));
    return code;
}

static int rotate(struct dynsec *dynsec, const struct wish *wish,
                  const struct lumbar_plugin *plugin)
{
    char word[DYNSEC_WORD_BYTES];
    struct diag diag = {0};
    (void)plugin;
    if (dynsec_make_word(word, &diag) != 0)
        return ctl_complain(&diag);
    int code = order(dynsec,
                     json_pack("[{s:s, s:s, s:s}]", "command", "setClientPassword", "username",
                               wish->device, "password", word),
                     0);
    if (code == 0)
        print_word(wish, word);
    explicit_bzero(word, sizeof(word));
    return code;
}

static int revoke_device(struct dynsec *dynsec, const struct wish *wish,
                         const struct lumbar_plugin *plugin)
{
    char role[ROLE_BYTES];
    (void)plugin;
    snprintf(role, sizeof(role), "device %s", wish->device);
    int code = order(dynsec,
                     json_pack("[{s:s, s:s}, {s:s, s:s}]", "command", "deleteClient", "username",
                               wish->device, "command", "deleteRole", "rolename", role),
                     0);
    if (code == 0 && wish->json)
        ctl_print_line(json_pack("{s:s}", "revoked", wish->device));
    return code;
}

static int list(struct dynsec *dynsec, const struct wish *wish, const struct lumbar_plugin *plugin)
{
    struct diag diag = {0};
    json_t *answers;
    (void)plugin;
    if (dynsec_ask(dynsec, json_pack("[{s:s}]", "command", "listClients"), &answers, &diag) != 0)
        return ctl_complain(&diag);
    const json_t *data = json_object_get(json_array_get(answers, 0), "data");
    const json_t *names = json_object_get(data, "clients");
    json_t *devices = json_array();
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name == NULL || strchr(name, '/') == NULL)
            continue;
        json_array_append_new(devices, json_string(name));
        if (!wish->json)
            puts(name);
    }
    json_decref(answers);
    if (wish->json)
        ctl_print_line(json_pack("{s:O}", "devices", devices));
    json_decref(devices);
    return 0;
}

/* ---- arguments ---- */

typedef int deed(struct dynsec *dynsec, const struct wish *wish,
                 const struct lumbar_plugin *plugin);

/* Each of the devices, or once with none; nothing is begun where one of them cannot be. */
static int at_the_broker(struct wish *wish, deed *what, char **devices, int count)
{
    struct setup setup;
    struct diag diag = {0};
    struct dynsec *dynsec = NULL;
    const struct lumbar_plugin *plugin = NULL;
    int code = 0;
    if (setup_load_plugins(&setup, wish->config, &diag) != 0)
        return ctl_complain(&diag);
    for (int i = 0; i < count && code == 0; i++)
        code = find_plugin(&setup, devices[i], &plugin) ? 0 : CTL_ARGUMENTS;
    if (code == 0 && dynsec_open(&dynsec, setup.config, wish->admin, &diag) != 0)
        code = ctl_complain(&diag);
    if (code == 0 && count == 0)
        code = what(dynsec, wish, NULL);
    for (int i = 0; i < count && code == 0; i++) {
        wish->device = devices[i];
        code = find_plugin(&setup, devices[i], &plugin) ? what(dynsec, wish, plugin) : CTL_FAILED;
    }
    dynsec_close(dynsec);
    setup_fini(&setup);
    return code;
}

static int device_command(int count, char **arguments)
{
    enum { ADMIN = ASK_OTHER, HUB, SECURITY, ACCOUNTS };
    static const struct option options[] = {{"config", required_argument, NULL, ASK_CONFIG},
                                            {"help", no_argument, NULL, ASK_HELP},
                                            {"admin", required_argument, NULL, ADMIN},
                                            {"hub", required_argument, NULL, HUB},
                                            {"security", required_argument, NULL, SECURITY},
                                            {"accounts", required_argument, NULL, ACCOUNTS},
                                            {"json", no_argument, NULL, ASK_JSON},
                                            {NULL, 0, NULL, 0}};
    static const struct {
        const char *name;
        deed *what;
        int least, most; /* devices that are named */
    } deeds[] = {{"add", add, 1, DEVICES_MAX},
                 {"rotate", rotate, 1, 1},
                 {"revoke", revoke_device, 1, 1},
                 {"list", list, 0, 0}};
    struct wish wish = {.config = LUMBAR_CONFIG_FILE,
                        .admin = ADMIN_FILE,
                        .hub = HUB_FILE,
                        .security = SECURITY_FILE,
                        .device = ""};
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == ASK_CONFIG)
            wish.config = optarg;
        else if (c == ADMIN)
            wish.admin = optarg;
        else if (c == HUB)
            wish.hub = optarg;
        else if (c == SECURITY)
            wish.security = optarg;
        else if (c == ACCOUNTS)
            wish.accounts = optarg;
        else if (c == ASK_JSON)
            wish.json = true;
        else
            return ctl_usage(help, c == ASK_HELP);
    }
    if (strcmp(arguments[0], "init") == 0)
        return optind == count ? init(&wish) : ctl_usage(help, false);
    size_t at = 0;
    while (strcmp(deeds[at].name, arguments[0]) != 0)
        at++;
    int named = count - optind;
    if (named < deeds[at].least || named > deeds[at].most)
        return ctl_usage(help, false);
    return at_the_broker(&wish, deeds[at].what, arguments + optind, named);
}

static const struct ctl_command commands[] = {
    {"init", "", "the broker's first accounts, and the lines of its configuration", device_command},
    {"add", "KIND/NAME...", "an account for each device", device_command},
    {"rotate", "KIND/NAME", "another password; it is cut off until it has it", device_command},
    {"revoke", "KIND/NAME", "it is cut off, and stays so", device_command},
    {"list", "", "the devices that have an account", device_command},
};

int ctl_device(int count, char **arguments)
{
    return ctl_run("lumbarctl device", commands, sizeof(commands) / sizeof(commands[0]), count,
                   arguments);
}
