/* lumbarctl audit: who did and saw what; and whether anybody has changed that since. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ask.h"
#include "core/audit.h"
#include "ctl.h"
#include "io/secret.h"

static const char help[] =
    "usage: lumbarctl audit list [--last N] [--json]\n"
    "       lumbarctl audit export [--out FILE]\n"
    "       lumbarctl audit verify [FILE] [--head NUMBER:DIGEST]\n"
    "\n"
    "list    the last lines of the trail (default 40)\n"
    "export  all of it, a line of JSON each\n"
    "verify  makes every digest again: of the trail of the running hub, or of an export. One that "
    "was\n"
    "        changed, left out or moved is named. --head is what the hub has told the journal\n"
    "        (\"audit: N lines, the last is DIGEST\"): that line has to be there as it was then.\n"
    "\n" ASK_HELP_TEXT "  --last N        so many lines\n"
    "  --out FILE      (default: standard output)\n";

struct wish {
    struct ask ask;
    long last;
    const char *out, *head;
};

/* A walk along the trail, in its order. */
struct walk {
    char before[AUDIT_HASH_BYTES]; /* digest of the line before */
    uint64_t id;                   /* of it */
    unsigned faults;
    uint64_t pruned, said_pruned; /* lines to here have gone: as the anchor, and the trail, say */
    int64_t pruned_ms;
    char said_hash[AUDIT_HASH_BYTES], anchor[AUDIT_HASH_BYTES];
    uint64_t head;      /* a line that has to be there, */
    const char *digest; /* with this digest; NULL: none */
    bool head_seen;
    json_t *said; /* complaints, with --json; else they are printed */
};

typedef void line_cb(void *user, const json_t *line);

/* ---- where lines come from ---- */

/* The anchor comes first, where lines have gone: {"pruned": {...}}. */
static int each_of_hub(const struct ask *ask, uint64_t after, line_cb *each, void *user,
                       json_t **head)
{
    bool first = after == 0;
    for (bool more = true; more;) {
        char path[96];
        json_t *page;
        snprintf(path, sizeof(path), "/api/v1/audit?after=%llu", (unsigned long long)after);
        int code = ask_hub(ask, "GET", path, NULL, &page);
        if (code != 0)
            return code;
        const json_t *lines = json_object_get(page, "lines");
        json_t *anchor = json_object_get(page, "pruned");
        if (first && json_is_object(anchor)) {
            json_t *line = json_pack("{s:O}", "pruned", anchor);
            each(user, line);
            json_decref(line);
        }
        first = false;
        for (size_t i = 0; i < json_array_size(lines); i++)
            each(user, json_array_get(lines, i));
        more = json_is_integer(json_object_get(page, "next"));
        after = (uint64_t)ask_integer(page, "next");
        if (!more && head != NULL)
            *head = json_deep_copy(json_object_get(page, "head"));
        json_decref(page);
    }
    return 0;
}

static int each_of_file(const char *file, line_cb *each, void *user)
{
    FILE *in = strcmp(file, "-") == 0 ? stdin : fopen(file, "r");
    char *text = NULL;
    size_t room = 0;
    if (in == NULL) {
        fprintf(stderr, "lumbarctl: %s cannot be read\n", file);
        return CTL_FAILED;
    }
    while (getline(&text, &room, in) > 0) {
        json_t *line = json_loads(text, 0, NULL);
        each(user, line);
        json_decref(line);
    }
    free(text);
    if (in != stdin)
        fclose(in);
    return 0;
}

/* ---- verify ---- */

static const char *date(long long ms, char out[ASK_TIME_BYTES])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;
    strftime(out, ASK_TIME_BYTES, "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &local));
    return out;
}

static void complain(struct walk *walk, uint64_t id, const char *what)
{
    if (++walk->faults > 20)
        return;
    if (walk->said == NULL)
        printf("line %llu %s\n", (unsigned long long)id, what);
    else
        json_array_append_new(walk->said,
                              json_pack("{s:I, s:s}", "line", (json_int_t)id, "what", what));
}

/* From where the chain goes on: it stands before all lines, or it is none. */
static bool take_anchor(struct walk *walk, const json_t *json)
{
    const json_t *anchor = json_object_get(json, "pruned");
    const char *hash = json_string_value(json_object_get(anchor, "hash"));
    uint64_t id = (uint64_t)ask_integer(anchor, "id");
    if (walk->id != 0 || walk->pruned != 0 || hash == NULL || id == 0 ||
        strlen(hash) != AUDIT_HASH_BYTES - 1)
        return false;
    walk->id = walk->pruned = id;
    walk->pruned_ms = ask_integer(anchor, "at_ms");
    memcpy(walk->before, hash, AUDIT_HASH_BYTES);
    memcpy(walk->anchor, hash, AUDIT_HASH_BYTES);
    return true;
}

/* The newest line that says so holds: the hub writes one with each anchor. */
static void take_pruning(struct walk *walk, const struct audit_line *line)
{
    uint64_t id;
    char hash[AUDIT_HASH_BYTES];
    if (strcmp(line->what, AUDIT_PRUNED) != 0 || strcmp(line->who, "hub") != 0 ||
        sscanf(line->about, "lines to %" SCNu64 ", the last was %64s", &id, hash) != 2)
        return;
    walk->said_pruned = id;
    memcpy(walk->said_hash, hash, sizeof(hash));
}

static void check_line(void *user, const json_t *json)
{
    struct walk *walk = user;
    struct audit_line line;
    char written[AUDIT_LINE_BYTES], hash[AUDIT_HASH_BYTES];
    struct text text = text_in(written, sizeof(written));
    if (json_object_get(json, "pruned") != NULL && take_anchor(walk, json))
        return;
    if (!audit_read(json, &line)) {
        complain(walk, walk->id + 1, "is no line of a trail");
        return;
    }
    if (line.id <= walk->id)
        complain(walk, line.id, "stands behind a later one");
    for (uint64_t id = walk->id + 1; id < line.id && walk->faults < 20; id++)
        complain(walk, id, "is missing");
    /* Behind a gap nobody can say what the digest before was: the line itself tells no more. */
    bool follows = line.id == walk->id + 1;
    bool whole = audit_write(&text, walk->before, &line);
    secret_hash(written, text.length, hash);
    if (follows && (!whole || strcmp(hash, line.hash) != 0))
        complain(walk, line.id, "was changed, or the one before it was");
    if (walk->digest != NULL && line.id == walk->head) {
        walk->head_seen = true;
        if (strcmp(line.hash, walk->digest) != 0)
            complain(walk, line.id, "has another digest than was told");
    }
    take_pruning(walk, &line);
    memcpy(walk->before, line.hash, sizeof(walk->before));
    walk->id = line.id;
}

/* Has the beginning gone as the hub says in the trail itself? */
static void check_anchor(struct walk *walk)
{
    if (walk->pruned != walk->said_pruned || strcmp(walk->anchor, walk->said_hash) != 0)
        complain(walk, walk->pruned,
                 "is where this begins anew, and the trail does not say that it would");
}

/* "120:3fa9...": what the journal has. */
static bool read_head(const char *text, struct walk *walk)
{
    char *end;
    walk->head = strtoull(text, &end, 10);
    walk->digest = *end == ':' ? end + 1 : NULL;
    return walk->digest != NULL && strlen(walk->digest) == AUDIT_HASH_BYTES - 1;
}

static int tell(struct walk *walk)
{
    char until[ASK_TIME_BYTES];
    check_anchor(walk);
    if (walk->digest != NULL && !walk->head_seen)
        complain(walk, walk->head, "is missing at the end");
    if (walk->said != NULL) {
        ctl_print_line(json_pack("{s:I, s:s, s:I, s:i, s:o}", "lines", (json_int_t)walk->id, "hash",
                                 walk->before, "pruned", (json_int_t)walk->pruned, "faults",
                                 (int)walk->faults, "wrong", walk->said));
        return walk->faults > 0 ? CTL_FAILED : 0;
    }
    if (walk->faults > 0) {
        printf("%u faults: this trail was tampered with, or its file is damaged\n", walk->faults);
        return CTL_FAILED;
    }
    if (walk->pruned > 0)
        printf("lines to %llu, until %s, have gone for their age, as the trail says\n",
               (unsigned long long)walk->pruned, date(walk->pruned_ms, until));
    printf("%llu lines, all as they were written; the last is %s\n", (unsigned long long)walk->id,
           walk->before);
    return 0;
}

static int verify(const struct wish *wish, const char *file)
{
    struct walk walk = {.before = AUDIT_BEGIN};
    struct diag diag = {0};
    json_t *head = NULL;
    if (secret_begin(&diag) != 0)
        return ctl_complain(&diag);
    if (wish->head != NULL && !read_head(wish->head, &walk))
        return ctl_usage(help, false);
    walk.said = wish->ask.json ? json_array() : NULL;
    int code = file != NULL ? each_of_file(file, check_line, &walk)
                            : each_of_hub(&wish->ask, 0, check_line, &walk, &head);
    /* What the hub itself knows to be the last may be on its way to the disk. */
    uint64_t last = (uint64_t)ask_integer(head, "id");
    if (code == 0 && head != NULL && walk.digest == NULL && last <= walk.id)
        code =
            strcmp(ask_string(head, "hash"), walk.before) != 0 && last == walk.id ? CTL_FAILED : 0;
    if (code == CTL_FAILED && file == NULL)
        complain(&walk, last, "is another one than the hub has written");
    if (code == 0 && head != NULL && last > walk.id + 64)
        complain(&walk, last, "and those before it are missing at the end");
    json_decref(head);
    if ((code != CTL_FAILED || walk.faults > 0) && code <= CTL_FAILED)
        return tell(&walk);
    json_decref(walk.said);
    return code;
}

/* ---- list, export ---- */

static void print_line(void *user, const json_t *line)
{
    char at[ASK_TIME_BYTES], told[ASK_TIME_BYTES];
    bool moved = json_object_get(line, "right_at_ms") != NULL;
    (void)user;
    if (json_object_get(line, "pruned") != NULL)
        return;
    date(ask_integer(line, moved ? "right_at_ms" : "at_ms"), at);
    printf("%6lld  %s  %-16s %-10s %-7s %4lld  %s%s%s", ask_integer(line, "id"), at,
           ask_string(line, "who"), ask_string(line, "role"), ask_string(line, "door"),
           ask_integer(line, "outcome"), ask_string(line, "what"),
           *ask_string(line, "about") != '\0' ? ": " : "", ask_string(line, "about"));
    if (*ask_string(line, "why") != '\0')
        printf("  (%s)", ask_string(line, "why"));
    if (moved)
        printf("  [told as %s by a wrong clock]", date(ask_integer(line, "at_ms"), told));
    putchar('\n');
}

static void print_json(void *user, const json_t *line)
{
    json_dumpf(line, user, JSON_COMPACT);
    fputc('\n', user);
}

static int list(const struct wish *wish)
{
    json_t *head = NULL;
    json_t *page;
    int code = ask_hub(&wish->ask, "GET", "/api/v1/audit?limit=1", NULL, &page);
    if (code != 0)
        return code;
    head = json_object_get(page, "head");
    uint64_t last = (uint64_t)ask_integer(head, "id");
    uint64_t after = last > (uint64_t)wish->last ? last - (uint64_t)wish->last : 0;
    json_decref(page);
    return each_of_hub(&wish->ask, after, wish->ask.json ? print_json : print_line, stdout, NULL);
}

static int export(const struct wish *wish)
{
    FILE *out = wish->out != NULL ? fopen(wish->out, "w") : stdout;
    if (out == NULL) {
        fprintf(stderr, "lumbarctl: %s cannot be written\n", wish->out);
        return CTL_FAILED;
    }
    int code = each_of_hub(&wish->ask, 0, print_json, out, NULL);
    bool written = fflush(out) == 0 && ferror(out) == 0;
    if (out != stdout)
        written &= fclose(out) == 0;
    return code == 0 && !written ? CTL_FAILED : code;
}

static int audit_command(int count, char **arguments)
{
    enum { LAST = ASK_OTHER, OUT, HEAD };
    static const struct option options[] = {ASK_OPTIONS,
                                            {"last", required_argument, NULL, LAST},
                                            {"out", required_argument, NULL, OUT},
                                            {"head", required_argument, NULL, HEAD},
                                            {NULL, 0, NULL, 0}};
    struct wish wish = {.ask = ASK_DEFAULT, .last = 40};
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (c == LAST && (wish.last = strtol(optarg, NULL, 10)) > 0)
            continue;
        if (c == OUT)
            wish.out = optarg;
        else if (c == HEAD)
            wish.head = optarg;
        else if (!ask_option(&wish.ask, c))
            return ctl_usage(help, c == ASK_HELP);
    }
    bool verifies = strcmp(arguments[0], "verify") == 0;
    if (count > optind + verifies || (!verifies && wish.head != NULL))
        return ctl_usage(help, false);
    if (verifies)
        return verify(&wish, optind < count ? arguments[optind] : NULL);
    return strcmp(arguments[0], "list") == 0 ? list(&wish) : export(&wish);
}

static const struct ctl_command commands[] = {
    {"list", "[--last N]", "the last lines", audit_command},
    {"export", "[--out FILE]", "all of it", audit_command},
    {"verify", "[FILE] [--head NUMBER:DIGEST]", "was anything changed since?", audit_command},
};

int ctl_audit(int count, char **arguments)
{
    return ctl_run("lumbarctl audit", commands, sizeof(commands) / sizeof(commands[0]), count,
                   arguments);
}
