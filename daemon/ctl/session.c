/* lumbarctl session: sessions of the running hub, and what is told of them afterwards. */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "ctl.h"

static const char help[] =
    "usage: lumbarctl session list [--room NAME] [--json]\n"
    "       lumbarctl session report ID [--lang en|de] [--out FILE]\n"
    "       lumbarctl session csv ID [--samples [--uncut]] [--out FILE]\n"
    "       lumbarctl session fhir ID [--out FILE]\n"
    "       lumbarctl session amend ID WHAT VALUE [--by NAME]\n"
    "\n"
    "list    the last session of each room\n"
    "report  one page to print, as HTML\n"
    "csv     what was measured, a line a second: at,device,metric,unit,count,min,mean,max (UTC)\n"
    "        --samples: every value as the sensor said it, decoded from the recording:\n"
    "        at,device,metric,unit,value; needs no running hub. Refused where the history does "
    "not\n"
    "        tell when the session had which device: a message may reach into that of somebody "
    "else\n"
    "        --uncut: all the same, for recovery\n"
    "fhir    the same for other systems: a FHIR R4 Bundle\n"
    "amend   says more of it when it is over: pain-before, pain-after, rmdq, odi, note, adverse\n"
    "\n"
    "Without --out it goes to standard output, in its own format: --json then wants --out, and "
    "names\n"
    "the file. It holds a client's data.\n"
    "\n" ASK_HELP_TEXT "  --room NAME     of this room only\n"
    "  --lang en|de    of the report (default en)\n"
    "  --by NAME       who says it\n"
    "  --out FILE      a new file; one that is there is not touched\n";

struct wish {
    struct ask ask;
    const char *room, *language, *out, *who;
    bool samples, uncut;
};

/* ---- list ---- */

static void print_session(const json_t *session)
{
    char opened[ASK_TIME_BYTES], ended[ASK_TIME_BYTES];
    const char *client = ask_string(session, "client"), *phase = ask_string(session, "phase_title");
    const char *therapist = ask_string(session, "therapist"), *plan = ask_string(session, "plan");
    printf("%6lld  %-8s  %-12s  %-16s  %-8s  %-16s  %s  %s  %s\n", ask_integer(session, "id"),
           ask_string(session, "state"), ask_string(session, "room"),
           client[0] != '\0' ? client : "-", therapist[0] != '\0' ? therapist : "-",
           plan[0] != '\0' ? plan : "-", ask_time(session, "opened", opened),
           ask_time(session, "ended", ended), phase);
}

static int list(struct wish *wish)
{
    char path[512] = "/api/v1/sessions", room[384];
    json_t *answer;
    if (wish->room != NULL)
        snprintf(path, sizeof(path), "/api/v1/sessions?room=%s",
                 ask_escape(wish->room, room, sizeof(room)));
    int code = ask_hub(&wish->ask, "GET", path, NULL, &answer);
    if (code != 0 || ask_printed(&wish->ask, answer))
        return code;
    const json_t *sessions = json_object_get(answer, "sessions");
    for (size_t i = 0; i < json_array_size(sessions); i++)
        print_session(json_array_get(sessions, i));
    json_decref(answer);
    return 0;
}

/* ---- told ---- */

FILE *session_out(const char *file)
{
    FILE *out = file != NULL ? fopen(file, "wxe") : stdout;
    if (out == NULL)
        fprintf(stderr, "lumbarctl: cannot make %s: %s\n", file, strerror(errno));
    return out;
}

int session_close_out(FILE *out, const char *file, bool json)
{
    bool written = fflush(out) == 0 && ferror(out) == 0;
    if (file != NULL && fclose(out) != 0)
        written = false;
    if (!written)
        fprintf(stderr, "lumbarctl: cannot write %s: %s\n", file != NULL ? file : "the output",
                strerror(errno));
    if (written && file != NULL && json)
        ctl_print_line(json_pack("{s:s}", "file", file));
    return written ? 0 : CTL_FAILED;
}

static int tell(struct wish *wish, const char *what, const char *id)
{
    char path[128], number[64], *text;
    size_t bytes;
    snprintf(path, sizeof(path), "/api/v1/sessions/%s/%s%s%s",
             ask_escape(id, number, sizeof(number)), what, wish->language != NULL ? "?lang=" : "",
             wish->language != NULL ? wish->language : "");
    int code = ask_hub_text(&wish->ask, path, &text, &bytes);
    if (code != 0)
        return code;
    FILE *out = session_out(wish->out);
    code = CTL_FAILED;
    if (out != NULL) {
        fwrite(text, 1, bytes, out);
        code = session_close_out(out, wish->out, wish->ask.json);
    }
    free(text);
    return code;
}

static int session_command(int count, char **arguments)
{
    enum { ROOM = ASK_OTHER, LANGUAGE, OUT, SAMPLES, UNCUT, WHO };
    static const struct option options[] = {ASK_OPTIONS,
                                            {"room", required_argument, NULL, ROOM},
                                            {"lang", required_argument, NULL, LANGUAGE},
                                            {"out", required_argument, NULL, OUT},
                                            {"by", required_argument, NULL, WHO},
                                            {"samples", no_argument, NULL, SAMPLES},
                                            {"uncut", no_argument, NULL, UNCUT},
                                            {NULL, 0, NULL, 0}};
    struct wish wish = {.ask = ASK_DEFAULT};
    const char *what = arguments[0];
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == ROOM)
            wish.room = optarg;
        else if (c == LANGUAGE)
            wish.language = optarg;
        else if (c == OUT)
            wish.out = optarg;
        else if (c == WHO)
            wish.who = optarg;
        else if (c == SAMPLES)
            wish.samples = true;
        else if (c == UNCUT)
            wish.uncut = true;
        else if (!ask_option(&wish.ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    bool lists = strcmp(what, "list") == 0, amends = strcmp(what, "amend") == 0;
    if (optind + (amends ? 3 : !lists) != count || (wish.who != NULL && !amends) ||
        (wish.samples && strcmp(what, "csv") != 0) || (wish.uncut && !wish.samples) ||
        (wish.language != NULL && strcmp(what, "report") != 0))
        return ctl_usage(help, false);
    bool other = strcmp(what, "report") == 0 || strcmp(what, "csv") == 0;
    if (other && wish.ask.json && wish.out == NULL) {
        fprintf(stderr, "lumbarctl: a %s is no JSON; with --out FILE, --json names the file\n",
                what);
        return CTL_ARGUMENTS;
    }
    if (lists)
        return list(&wish);
    if (amends)
        return session_amend(&wish.ask, arguments[optind], arguments[optind + 1],
                             arguments[optind + 2], wish.who);
    return wish.samples ? session_samples(&wish.ask, arguments[optind], wish.out, wish.uncut)
                        : tell(&wish, what, arguments[optind]);
}

static const struct ctl_command commands[] = {
    {"list", "[--room NAME]", "the last session of each room", session_command},
    {"report", "ID [--lang en|de]", "one page to print", session_command},
    {"csv", "ID [--samples [--uncut]]", "what was measured, as a table", session_command},
    {"fhir", "ID", "the same as a FHIR R4 Bundle", session_command},
    {"amend", "ID WHAT VALUE", "says more of one that is over", session_command},
};

int ctl_session(int count, char **arguments)
{
    return ctl_run("lumbarctl session", commands, sizeof(commands) / sizeof(commands[0]), count,
                   arguments);
}
