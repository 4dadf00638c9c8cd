/*
 * lumbarctl session csv --samples: every value of a session, decoded from its recordings.
 *
 * Where nobody can say whose samples are whose, nothing is told at all, unless it is wanted all the
 * same.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "ask.h"
#include "base/instant.h"
#include "base/text.h"
#include "ctl.h"
#include "session.h"
#include "session_cut.h"

struct table {
    FILE *out;
    int64_t lost, damaged; /* gaps; parts of a file */
};

void session_print_sample(FILE *out, const struct device *device,
                          const struct lumbar_metric *metric, int64_t time_ms, double value)
{
    char at[INSTANT_BYTES], number[64], unit[2 * LUMBAR_NAME_MAX];
    struct text text = text_in(number, sizeof(number)), units = text_in(unit, sizeof(unit));
    text_add_number(&text, value, metric->decimals);
    text_add_csv(&units, metric->unit);
    fprintf(out, "%s,%s/%s,%s,%s,%s\r\n", instant_write(time_ms, at), device->driver->plugin->kind,
            device->name, metric->name, unit,
            metric->labels != NULL ? metric->labels[(size_t)value] : number);
}

static void on_sample(void *user, const struct device *device, const struct lumbar_metric *metric,
                      int64_t time_ms, double value)
{
    const struct table *table = user;
    session_print_sample(table->out, device, metric, time_ms, value);
}

static void on_gap(void *user)
{
    ((struct table *)user)->lost++;
}

static void on_damage(void *user, const struct tape_part *part)
{
    fprintf(stderr, "lumbarctl: %zu bytes at %zu are passed over: %s\n", part->bytes, part->offset,
            part->why);
    ((struct table *)user)->damaged++;
}

/* ---- can they be cut? ---- */

#define INSIST "samples of others may be among them; --uncut tells them all the same"

static int check(const struct session_cut *cut, const struct diag *why, bool uncut,
                 struct diag *diag)
{
    if (why->code != 0 && !uncut)
        return diag_set(diag, why->code, "%s: of its recordings nothing is told, as " INSIST,
                        why->text);
    if (why->code != 0)
        fprintf(stderr, "lumbarctl: %s\n", why->text);
    for (size_t i = 0; i < cut->own; i++) {
        const struct cut_tape *tape = &cut->tapes[i];
        if (tape->uncut && !uncut)
            return diag_set(diag, ERR_CONFLICT,
                            "%s tells other times than session %" PRIu64 ": " INSIST, tape->name,
                            cut->session);
        if (tape->uncut)
            fprintf(stderr,
                    "lumbarctl: %s tells other times than the session: it is not cut at its "
                    "ends\n",
                    tape->name);
    }
    return 0;
}

/* ---- told ---- */

static int tell(struct session_cut *cut, struct recording_place *place, const char *out, bool json)
{
    struct table table = {.out = session_out(out)};
    const struct cut_listener listener = {
        .user = &table, .on_sample = on_sample, .on_gap = on_gap, .on_damage = on_damage};
    struct diag diag = {0};
    if (table.out == NULL)
        return CTL_FAILED;
    fputs(SESSION_SAMPLES_HEAD, table.out);
    int code = cut_run(cut, place, &listener, &diag) == 0 ? 0 : ctl_complain(&diag);
    int closed = session_close_out(table.out, out, json);
    code = code != 0 ? code : closed;
    if (code == 0 && table.lost + table.damaged > 0) {
        fprintf(stderr,
                "lumbarctl: the recording is not whole: %" PRId64 " gaps, %" PRId64
                " damaged parts\n",
                table.lost, table.damaged);
        return CTL_FAILED;
    }
    return code;
}

int session_samples(const struct ask *ask, const char *id, const char *out, bool uncut)
{
    struct recording_place place = {.config = ask->config};
    struct session_cut cut = {.session = strtoull(id, NULL, 10)};
    struct diag diag = {0}, why = {0};
    if (cut.session == 0) {
        fprintf(stderr, "lumbarctl: '%s' is no number of a session\n", id);
        return CTL_ARGUMENTS;
    }
    int code = cut_find(&cut, &place, &why, &diag);
    if (code == 0)
        code = check(&cut, &why, uncut, &diag);
    code = code == 0 ? tell(&cut, &place, out, ask->json) : ctl_complain(&diag);
    cut_fini(&cut);
    return code;
}
