/* lumbarctl tokens: of walls and programs. A secret is shown once, when its token is made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "ctl.h"
#include "people.h"

static const char help[] =
    "usage: lumbarctl tokens list [--json]\n"
    "       lumbarctl tokens add NAME [--role ROLE] [--rooms LIST] [--days N] [--writes]\n"
    "       lumbarctl tokens revoke ID\n"
    "\n"
    "add     a token, with a link for the browser of a wall, and the secret for a program, which\n"
    "        sends it as \"Authorization: Bearer SECRET\"; both are shown now and never again\n"
    "revoke  it, and every wall that came in by it\n"
    "\n" ASK_HELP_TEXT "  --role ROLE     display (default), therapist, lead or auditor\n"
    "  --rooms LIST    names of rooms, with commas between (default: all)\n"
    "  --days N        it holds so long (default 365)\n"
    "  --writes        it may change something; else it only reads\n";

struct wish {
    struct ask ask;
    const char *role, *rooms;
    int days;
    bool writes;
};

static void print_token(const json_t *token)
{
    char used[ASK_TIME_BYTES], until[ASK_TIME_BYTES], rooms[512];
    printf("%6lld  %-20s %-10s %-20s %-20s %-8s %s%s\n", ask_integer(token, "id"),
           ask_string(token, "name"), ask_string(token, "role"), ask_time(token, "used", used),
           ask_time(token, "until", until),
           json_is_true(json_object_get(token, "reads")) ? "reads" : "writes",
           people_rooms(token, rooms, sizeof(rooms)),
           json_is_true(json_object_get(token, "holds")) ? "" : "  is over");
}

static int list(const struct wish *wish)
{
    json_t *answer;
    int code = ask_hub(&wish->ask, "GET", "/api/v1/tokens", NULL, &answer);
    if (code != 0 || ask_printed(&wish->ask, answer))
        return code;
    const json_t *tokens = json_object_get(answer, "tokens");
    printf("%6s  %-20s %-10s %-20s %-20s %-8s ROOMS\n", "ID", "NAME", "ROLE", "LAST USED", "UNTIL",
           "MAY");
    for (size_t i = 0; i < json_array_size(tokens); i++)
        print_token(json_array_get(tokens, i));
    json_decref(answer);
    return 0;
}

static int add(const struct wish *wish, const char *name)
{
    json_t *answer, *body = json_pack("{s:s, s:b}", "name", name, "writes", wish->writes);
    if (wish->role != NULL)
        json_object_set_new(body, "role", json_string(wish->role));
    if (wish->rooms != NULL)
        json_object_set_new(body, "rooms", people_room_list(wish->rooms));
    if (wish->days > 0)
        json_object_set_new(body, "days", json_integer(wish->days));
    int code = ask_hub(&wish->ask, "POST", "/api/v1/tokens", body, &answer);
    if (code != 0 || ask_printed(&wish->ask, answer))
        return code;
    char until[ASK_TIME_BYTES];
    printf("token %lld, %s (%s), until %s\n\n    a wall:    %s\n    a program: %s\n\n",
           ask_integer(answer, "id"), ask_string(answer, "name"), ask_string(answer, "role"),
           ask_time(answer, "until", until), ask_string(answer, "link"),
           ask_string(answer, "secret"));
    json_decref(answer);
    return 0;
}

static int revoke(const struct wish *wish, const char *id)
{
    char path[120], escaped[60];
    json_t *answer;
    snprintf(path, sizeof(path), "/api/v1/tokens/%s", ask_escape(id, escaped, sizeof(escaped)));
    int code = ask_hub(&wish->ask, "DELETE", path, NULL, &answer);
    if (code != 0 || ask_printed(&wish->ask, answer))
        return code;
    printf("revoked: %s\n", ask_string(answer, "revoked"));
    json_decref(answer);
    return 0;
}

static int tokens_command(int count, char **arguments)
{
    enum { ROLE = ASK_OTHER, ROOMS, DAYS, WRITES };
    static const struct option options[] = {ASK_OPTIONS,
                                            {"role", required_argument, NULL, ROLE},
                                            {"rooms", required_argument, NULL, ROOMS},
                                            {"days", required_argument, NULL, DAYS},
                                            {"writes", no_argument, NULL, WRITES},
                                            {NULL, 0, NULL, 0}};
    struct wish wish = {.ask = ASK_DEFAULT};
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == ROLE)
            wish.role = optarg;
        else if (c == ROOMS)
            wish.rooms = optarg;
        else if (c == DAYS && (wish.days = (int)strtol(optarg, NULL, 10)) > 0)
            continue;
        else if (c == WRITES)
            wish.writes = true;
        else if (!ask_option(&wish.ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    bool lists = strcmp(arguments[0], "list") == 0, adds = strcmp(arguments[0], "add") == 0;
    if (optind + !lists != count ||
        (!adds && (wish.role || wish.rooms || wish.days || wish.writes)))
        return ctl_usage(help, false);
    return lists ? list(&wish) : (adds ? add : revoke)(&wish, arguments[optind]);
}

static const struct ctl_command commands[] = {
    {"list", "", "the tokens, and when each was last used", tokens_command},
    {"add", "NAME [--role ROLE] [--rooms LIST] [--days N]", "another one", tokens_command},
    {"revoke", "ID", "the end of one, at once", tokens_command},
};

int ctl_tokens(int count, char **arguments)
{
    return ctl_run("lumbarctl tokens", commands, sizeof(commands) / sizeof(commands[0]), count,
                   arguments);
}
