/* lumbarctl setup, users: who may come in. Nobody's password is ever an argument: a link is given,
 * by which people set their own. */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "ctl.h"
#include "people.h"

static const char help[] =
    "usage: lumbarctl users list [--json]\n"
    "       lumbarctl users add NAME --role ROLE [--rooms ROOM,ROOM]\n"
    "       lumbarctl users set NAME [--role ROLE] [--rooms ROOM,ROOM|all]\n"
    "       lumbarctl users disable|enable|reset|logout NAME\n"
    "\n"
    "add      an account, and a link by which its owner sets the password, once, within a day\n"
    "set      another role, or other rooms; whoever is logged in by it is out\n"
    "disable  nobody comes in by it any more, and who is in is out; enable takes that back\n"
    "reset    the password and one-time codes are gone, and a new link is made\n"
    "logout   whoever is logged in by it is out\n"
    "\n" ASK_HELP_TEXT
    "  --role ROLE     admin (accounts and the hub; nothing of clients), lead, therapist,\n"
    "                  display (looks only), auditor (reads the audit trail)\n"
    "  --rooms LIST    names of rooms that are theirs (default: all)\n";

struct wish {
    struct ask ask;
    const char *role, *rooms;
};

static void print_user(const json_t *user)
{
    char seen[ASK_TIME_BYTES], rooms[512];
    people_rooms(user, rooms, sizeof(rooms));
    printf("%-20s %-10s %-20s %6lld  %s%s%s%s\n", ask_string(user, "name"),
           ask_string(user, "role"), ask_time(user, "seen", seen), ask_integer(user, "logins"),
           rooms, json_is_true(json_object_get(user, "disabled")) ? "  disabled" : "",
           json_is_true(json_object_get(user, "password")) ? "" : "  has set no password yet",
           json_is_true(json_object_get(user, "codes")) ? "  with codes" : "");
}

static int list(const struct wish *wish)
{
    json_t *answer;
    int code = ask_hub(&wish->ask, "GET", "/api/v1/users", NULL, &answer);
    if (code != 0 || ask_printed(&wish->ask, answer))
        return code;
    const json_t *users = json_object_get(answer, "users");
    printf("%-20s %-10s %-20s %6s  ROOMS\n", "NAME", "ROLE", "LAST LOGIN", "LOGINS");
    for (size_t i = 0; i < json_array_size(users); i++)
        print_user(json_array_get(users, i));
    json_decref(answer);
    return 0;
}

/* Says what became of the account; the link is for one person's eyes. */
static int tell(const struct wish *wish, const char *method, const char *path, json_t *body)
{
    json_t *answer;
    char until[ASK_TIME_BYTES];
    int code = ask_hub(&wish->ask, method, path, body, &answer);
    if (code != 0 || ask_printed(&wish->ask, answer))
        return code;
    const char *link = ask_string(answer, "link");
    if (*link == '\0')
        print_user(answer);
    else
        printf("%s (%s) sets the password here, once, until %s:\n\n    %s\n\n",
               ask_string(answer, "name"), ask_string(answer, "role"),
               ask_time(answer, "until", until), link);
    json_decref(answer);
    return 0;
}

static json_t *body_of(const struct wish *wish)
{
    json_t *body = json_object();
    if (wish->role != NULL)
        json_object_set_new(body, "role", json_string(wish->role));
    if (wish->rooms != NULL)
        json_object_set_new(body, "rooms", people_room_list(wish->rooms));
    return body;
}

static int act(const struct wish *wish, const char *order, const char *name)
{
    char path[200], escaped[100];
    json_t *body = body_of(wish);
    ask_escape(name, escaped, sizeof(escaped));
    if (strcmp(order, "add") == 0) {
        json_object_set_new(body, "name", json_string(name));
        return tell(wish, "POST", "/api/v1/users", body);
    }
    if (strcmp(order, "reset") == 0 || strcmp(order, "logout") == 0) {
        snprintf(path, sizeof(path), "/api/v1/users/%s/%s", escaped, order);
        return tell(wish, "POST", path, body);
    }
    if (strcmp(order, "set") != 0)
        json_object_set_new(body, "disabled", json_boolean(strcmp(order, "disable") == 0));
    snprintf(path, sizeof(path), "/api/v1/users/%s", escaped);
    return tell(wish, "PUT", path, body);
}

static int users_command(int count, char **arguments)
{
    enum { ROLE = ASK_OTHER, ROOMS };
    static const struct option options[] = {ASK_OPTIONS,
                                            {"role", required_argument, NULL, ROLE},
                                            {"rooms", required_argument, NULL, ROOMS},
                                            {NULL, 0, NULL, 0}};
    struct wish wish = {.ask = ASK_DEFAULT};
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == ROLE)
            wish.role = optarg;
        else if (c == ROOMS)
            wish.rooms = optarg;
        else if (!ask_option(&wish.ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    bool lists = strcmp(arguments[0], "list") == 0, adds = strcmp(arguments[0], "add") == 0;
    bool sets = adds || strcmp(arguments[0], "set") == 0;
    if (optind + !lists != count || (adds && wish.role == NULL) ||
        (!sets && (wish.role != NULL || wish.rooms != NULL)))
        return ctl_usage(help, false);
    return lists ? list(&wish) : act(&wish, arguments[0], arguments[optind]);
}

static const struct ctl_command commands[] = {
    {"list", "", "the accounts", users_command},
    {"add", "NAME --role ROLE [--rooms LIST]", "another one, and a link for its owner",
     users_command},
    {"set", "NAME [--role ROLE] [--rooms LIST]", "its role or rooms", users_command},
    {"disable", "NAME", "nobody comes in by it any more", users_command},
    {"enable", "NAME", "takes that back", users_command},
    {"reset", "NAME", "a new link, for who forgot the password", users_command},
    {"logout", "NAME", "whoever is logged in by it is out", users_command},
};

int ctl_users(int count, char **arguments)
{
    return ctl_run("lumbarctl users", commands, sizeof(commands) / sizeof(commands[0]), count,
                   arguments);
}

static const char set_up_help[] =
    "usage: lumbarctl setup [--name NAME]\n"
    "\n"
    "Makes the first administrator's account, and prints a link by which the password is set, "
    "once,\n"
    "within a day. There is no password before.\n"
    "\n" ASK_HELP_TEXT "  --name NAME     of the account (default admin)\n";

int ctl_setup(int count, char **arguments)
{
    enum { NAME = ASK_OTHER };
    static const struct option options[] = {
        ASK_OPTIONS, {"name", required_argument, NULL, NAME}, {NULL, 0, NULL, 0}};
    struct wish wish = {.ask = ASK_DEFAULT};
    const char *name = NULL;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == NAME)
            name = optarg;
        else if (!ask_option(&wish.ask, c))
            return ctl_usage(set_up_help, c == ASK_HELP);
    }
    if (optind < count)
        return ctl_usage(set_up_help, false);
    json_t *body = json_object();
    if (name != NULL)
        json_object_set_new(body, "name", json_string(name));
    return tell(&wish, "POST", "/api/v1/setup", body);
}
