#include "faults.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* One table: names, whether a value is asked for and in which range. */
static const struct fault_kind {
    const char *name;
    const char *value; /* what the value is called; NULL: it takes none */
    double low, high;
    bool massage_only;
} kinds[FAULT_COUNT_] = {
    [FAULT_SILENCE] = {.name = "silence"},
    [FAULT_LOSS] = {.name = "loss", .value = "PCT", .low = 0, .high = 100},
    [FAULT_DUPLICATES] = {.name = "duplicates", .value = "PCT", .low = 0, .high = 100},
    [FAULT_REORDER] = {.name = "reorder"},
    [FAULT_CLOCK] = {.name = "clock", .value = "SECONDS", .low = -86400, .high = 86400},
    [FAULT_MALFORMED] = {.name = "malformed"},
    [FAULT_BATTERY] = {.name = "battery", .value = "PCT", .low = 0, .high = 100},
    [FAULT_OVERHEAT] = {.name = "overheat", .massage_only = true},
    [FAULT_STALL] = {.name = "stall", .massage_only = true},
    [FAULT_CONTACT] = {.name = "contact"},
    [FAULT_REBOOT] = {.name = "reboot"},
};

/* The parts of a SPEC, cut out of a copy of it. */
struct parts {
    char copy[128];
    char *room, *kind, *what, *value, *start, *duration;
};

static char *cut(char *string, char at)
{
    char *found = string != NULL ? strchr(string, at) : NULL;
    if (found == NULL)
        return NULL;
    *found = '\0';
    return found + 1;
}

static int split(struct parts *parts, const char *spec, struct diag *diag)
{
    size_t length = strlen(spec);
    if (length >= sizeof(parts->copy)) {
        diag_set(diag, ERR_LIMIT, "--fault: longer than %zu bytes", sizeof(parts->copy) - 1);
        return ERR_LIMIT;
    }
    *parts = (struct parts){.copy = ""};
    memcpy(parts->copy, spec, length + 1);
    parts->room = parts->copy;
    parts->kind = cut(parts->room, ':');
    parts->what = cut(parts->kind, ':');
    parts->start = cut(parts->what, '@');
    parts->duration = cut(parts->start, '+');
    parts->value = cut(parts->what, '=');
    if (parts->start == NULL)
        return diag_set(diag, ERR_SYNTAX, "--fault %s: is not ROOM:KIND:WHAT@START[+DURATION]",
                        spec);
    return 0;
}

static bool number(const char *string, double low, double high, double *out)
{
    char *end;
    *out = strtod(string, &end);
    return end != string && *end == '\0' && *out >= low && *out <= high; /* NaN fails */
}

static int read_where(struct fault *out, const struct parts *parts, const char *spec,
                      struct diag *diag)
{
    double room = 0;
    if (strcmp(parts->room, "all") != 0 && !number(parts->room, 1, 9999, &room))
        return diag_set(diag, ERR_RANGE, "--fault %s: room '%s' is neither 1..9999 nor all", spec,
                        parts->room);
    out->room = (unsigned)room;
    if (strcmp(parts->kind, "posture") == 0)
        out->kind = KIND_POSTURE;
    else if (strcmp(parts->kind, "massage") == 0)
        out->kind = KIND_MASSAGE;
    else
        return diag_set(diag, ERR_UNKNOWN, "--fault %s: kind '%s' is neither posture nor massage",
                        spec, parts->kind);
    return 0;
}

static int find_kind(const char *name, const char *spec, struct diag *diag)
{
    const char *names[FAULT_COUNT_];
    for (int i = 0; i < FAULT_COUNT_; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return i;
        names[i] = kinds[i].name;
    }
    const char *nearest = text_nearest(name, names, FAULT_COUNT_);
    if (nearest != NULL)
        return diag_set(diag, ERR_UNKNOWN, "--fault %s: there is no fault '%s'; did you mean %s?",
                        spec, name, nearest);
    return diag_set(diag, ERR_UNKNOWN, "--fault %s: there is no fault '%s'", spec, name);
}

static int read_what(struct fault *out, const struct parts *parts, const char *spec,
                     struct diag *diag)
{
    int found = find_kind(parts->what, spec, diag);
    if (found < 0)
        return found;
    const struct fault_kind *kind = &kinds[found];
    out->what = (enum fault_what)found;
    if (kind->massage_only && out->kind != KIND_MASSAGE)
        return diag_set(diag, ERR_CONFLICT, "--fault %s: only a massage device can have %s", spec,
                        kind->name);
    if (kind->value == NULL && parts->value != NULL)
        return diag_set(diag, ERR_SYNTAX, "--fault %s: %s takes no value", spec, kind->name);
    if (kind->value == NULL)
        return 0;
    if (parts->value == NULL)
        return diag_set(diag, ERR_SYNTAX, "--fault %s: %s needs =%s", spec, kind->name,
                        kind->value);
    if (!number(parts->value, kind->low, kind->high, &out->value))
        return diag_set(diag, ERR_RANGE, "--fault %s: %s of '%s' is not %g to %g", spec,
                        kind->value, parts->value, kind->low, kind->high);
    return 0;
}

static int read_when(struct fault *out, const struct parts *parts, const char *spec,
                     struct diag *diag)
{
    double start, duration = 0;
    if (!number(parts->start, 0, 1e6, &start))
        return diag_set(diag, ERR_RANGE, "--fault %s: START '%s' is not 0 to 1000000 seconds", spec,
                        parts->start);
    if (parts->duration != NULL && !number(parts->duration, 0, 1e6, &duration))
        return diag_set(diag, ERR_RANGE, "--fault %s: DURATION '%s' is not 0 to 1000000 seconds",
                        spec, parts->duration);
    out->start_ms = (int64_t)(start * 1000);
    out->duration_ms = (int64_t)(duration * 1000);
    if (parts->duration == NULL)
        out->duration_ms = out->what == FAULT_REBOOT ? 3000 : FAULT_FOR_EVER;
    return 0;
}

int fault_parse(struct fault *out, const char *spec, struct diag *diag)
{
    *out = (struct fault){0};
    struct parts parts;
    int error = split(&parts, spec, diag);
    if (error == 0)
        error = read_where(out, &parts, spec, diag);
    if (error == 0)
        error = read_what(out, &parts, spec, diag);
    if (error == 0)
        error = read_when(out, &parts, spec, diag);
    return error;
}

const struct fault *fault_find(const struct fault *faults, unsigned count, unsigned room,
                               enum kind kind, enum fault_what what, int64_t at_ms)
{
    for (unsigned i = 0; i < count; i++) {
        const struct fault *fault = &faults[i];
        if (fault->kind != kind || fault->what != what || (fault->room != 0 && fault->room != room))
            continue;
        if (at_ms >= fault->start_ms &&
            (fault->duration_ms == FAULT_FOR_EVER || at_ms < fault->start_ms + fault->duration_ms))
            return fault;
    }
    return NULL;
}

const char *fault_help(void)
{
    return "silence, loss=PCT, duplicates=PCT, reorder, clock=+SECONDS, malformed, battery=PCT,\n"
           "contact, reboot; of massage devices also overheat, stall";
}
