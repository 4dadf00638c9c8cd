/* lumbarctl session amend: what is said of a session when it is over. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "ctl.h"
#include "session.h"

static const struct way {
    const char *name, *path, *member, *when; /* when: of pain; member: of a text, or a number */
    bool number;
} ways[] = {
    {"pain-before", "pain", "pain", "before", true}, {"pain-after", "pain", "pain", "after", true},
    {"rmdq", "rmdq", "score", NULL, true},           {"odi", "odi", "score", NULL, true},
    {"note", "note", "text", NULL, false},           {"adverse", "adverse", "text", NULL, false},
};

static json_t *body_of(const struct way *way, const char *value, const char *who)
{
    char *end;
    json_t *said = way->number ? json_integer(strtol(value, &end, 10)) : json_string(value);
    if (way->number && (*value == '\0' || *end != '\0')) {
        fprintf(stderr, "lumbarctl: '%s' is no number\n", value);
        json_decref(said);
        return NULL;
    }
    json_t *body = json_pack("{s:o}", way->member, said);
    if (way->when != NULL)
        json_object_set_new(body, "when", json_string(way->when));
    if (who != NULL)
        json_object_set_new(body, "by", json_string(who));
    return body;
}

int session_amend(const struct ask *ask, const char *id, const char *what, const char *value,
                  const char *who)
{
    char path[128], number[64];
    const struct way *way = NULL;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(ways[i].name, what) == 0)
            way = &ways[i];
    if (way == NULL) {
        fprintf(stderr, "lumbarctl: there is no '%s' of a session\n", what);
        return CTL_ARGUMENTS;
    }
    json_t *body = body_of(way, value, who), *answer;
    if (body == NULL)
        return CTL_ARGUMENTS;
    snprintf(path, sizeof(path), "/api/v1/sessions/%s/%s", ask_escape(id, number, sizeof(number)),
             way->path);
    int code = ask_hub(ask, "POST", path, body, &answer);
    if (code != 0 || ask_printed(ask, answer))
        return code;
    bool stored = json_is_true(json_object_get(answer, "stored"));
    if (!stored)
        fprintf(stderr, "lumbarctl: it is not on the disk, which refuses\n");
    json_decref(answer);
    return stored ? 0 : CTL_FAILED;
}
