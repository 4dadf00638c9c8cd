#include "core/plan.h"

#include <string.h>

#include "core/plan_reader.h"

#define PHASE_MOST_MS (4 * 3600 * INT64_C(1000))
#define OWN_MOST      150 /* %: a limit may lie beyond the own range, to see it grow */

static const char *const kinds[PLAN_KINDS] = {
    [PLAN_WARM_UP] = "warm_up",
    [PLAN_HEAT] = "heat",
    [PLAN_MASSAGE] = "massage",
    [PLAN_PERCUSSION] = "percussion",
    [PLAN_STRETCHING] = "stretching",
    [PLAN_EXERCISE] = "exercise",
    [PLAN_REST] = "rest",
};
static const char *const kind_titles[PLAN_KINDS] = {
    [PLAN_WARM_UP] = "Warm-up",
    [PLAN_HEAT] = "Heat",
    [PLAN_MASSAGE] = "Massage",
    [PLAN_PERCUSSION] = "Percussion",
    [PLAN_STRETCHING] = "Stretching",
    [PLAN_EXERCISE] = "Exercise",
    [PLAN_REST] = "Rest",
};

const char *plan_kind_name(enum plan_kind kind)
{
    return kinds[kind];
}

const char *plan_kind_find(const char *name)
{
    for (int i = 0; i < PLAN_KINDS; i++)
        if (strcmp(kinds[i], name) == 0)
            return kinds[i];
    return NULL;
}

/* ---- Bands ---- */

static void read_pair(struct plan_reader *reader, const struct yaml_node *node, const char *key,
                      const struct lumbar_metric *metric, struct plan_band *band)
{
    if (node->kind != YAML_LIST || node->count != 2) {
        reader_complain(reader, node, key, ERR_SYNTAX, "expected two values, as [10 %s, 20 %s]",
                        metric->unit, metric->unit);
        return;
    }
    reader_value(reader, &node->children[0], key, metric, &band->low);
    reader_value(reader, &node->children[1], key, metric, &band->high);
    if (!reader_failed(reader) && band->low >= band->high)
        reader_complain(reader, node, key, ERR_RANGE, "the lower value comes first");
}

/* One way to say the band, or none where it is a share of the own range. */
static void read_ends(struct plan_reader *reader, const struct yaml_node *map,
                      const struct lumbar_metric *metric, struct plan_band *band)
{
    static const char *const limits[] = {"above", "below", "outside"};
    static const char *const targets[] = {"between", "least", "most"};
    const char *const *ways = band->target ? targets : limits;
    const struct yaml_node *said = NULL;
    for (int i = 0; i < 3; i++) {
        const struct yaml_node *node = yaml_get(map, ways[i]);
        if (node == NULL)
            continue;
        if (said != NULL) {
            reader_complain(reader, node, ways[i], ERR_CONFLICT, "stands beside '%s'", said->key);
            return;
        }
        said = node;
        if (strcmp(ways[i], "outside") == 0 || strcmp(ways[i], "between") == 0)
            read_pair(reader, node, ways[i], metric, band);
        else if (strcmp(ways[i], "above") == 0 || strcmp(ways[i], "most") == 0)
            reader_value(reader, node, ways[i], metric, &band->high);
        else
            reader_value(reader, node, ways[i], metric, &band->low);
    }
    if (said == NULL && band->own == 0)
        reader_complain(reader, map, "", ERR_SYNTAX, "says no %s: %s, %s, %s or own",
                        band->target ? "target" : "limit", ways[0], ways[1], ways[2]);
}

static void read_band(struct plan_reader *reader, const struct yaml_node *map,
                      struct plan_band *band)
{
    static const char *const limit_keys[] = {"metric", "regions", "above",
                                             "below",  "outside", "own"};
    static const char *const target_keys[] = {"metric", "regions", "between",
                                              "least",  "most",    "own"};
    band->low = band->high = NAN;
    reader_map(reader, map, band->target ? target_keys : limit_keys, 6);
    const struct lumbar_metric *metric = reader_metric(reader, map, &band->metric);
    if (metric == NULL)
        return;
    reader_regions(reader, map, &band->regions);
    reader_share(reader, map, "own", 1, OWN_MOST, &band->own);
    if (!reader_failed(reader))
        read_ends(reader, map, metric, band);
}

/* False: it names what is there no longer. */
static bool read_kept_band(struct plan_reader *reader, const struct yaml_node *map,
                           struct plan_band *band)
{
    struct diag trouble = {0}, *diag = reader->diag;
    const struct yaml_node *regions = yaml_get(map, "regions");
    reader->diag = &trouble;
    read_band(reader, map, band);
    reader->diag = diag;
    /* Of a band on regions that are all gone would remain one that holds everywhere. */
    bool anywhere = regions == NULL || (regions->kind == YAML_LIST && regions->count == 0);
    bool read = trouble.code == 0 && (anywhere || band->regions != 0);
    if (!read)
        reader->lost |= UINT32_C(1) << (reader->read & 31);
    reader->read++;
    return read;
}

static void read_bands(struct plan_reader *reader, const struct yaml_node *map, struct plan *plan,
                       uint32_t phase, bool target)
{
    const char *key = target ? "targets" : "limits";
    const struct yaml_node *list = reader_list(reader, map, key, PLAN_BANDS_MAX - plan->band_count);
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        struct plan_band *band = &plan->bands[plan->band_count++];
        size_t mark = reader_enter(reader, key, (int)i);
        band->phase = phase;
        band->target = target;
        if (!reader->kept)
            read_band(reader, &list->children[i], band);
        else if (!read_kept_band(reader, &list->children[i], band))
            memset(&plan->bands[--plan->band_count], 0, sizeof(*band));
        reader_leave(reader, mark);
    }
}

/* ---- Phases ---- */

static void read_kind(struct plan_reader *reader, const struct yaml_node *map, enum plan_kind *kind)
{
    const struct yaml_node *node = reader_failed(reader) ? NULL : yaml_get(map, "kind");
    if (reader_failed(reader))
        return;
    const char *name = node != NULL && node->kind == YAML_SCALAR ? node->scalar : NULL;
    if (name == NULL) {
        reader_complain(reader, node != NULL ? node : map, "kind", ERR_SYNTAX,
                        "a phase has a kind, as 'massage'");
        return;
    }
    for (int i = 0; i < PLAN_KINDS; i++)
        if (strcmp(kinds[i], name) == 0) {
            *kind = (enum plan_kind)i;
            return;
        }
    if (reader->kept) {
        *kind = PLAN_REST;
        return;
    }
    const char *nearest = text_nearest(name, kinds, PLAN_KINDS);
    reader_complain(reader, node, "kind", ERR_UNKNOWN, "no kind of phase '%.40s'; %s '%s'%s", name,
                    nearest ? "did you mean" : "it can be", nearest ? nearest : kinds[0],
                    nearest ? "?" : ", for one");
}

static void read_phase(struct plan_reader *reader, const struct yaml_node *map, struct plan *plan,
                       uint32_t index)
{
    static const char *const keys[] = {"kind", "title", "time", "regions", "limits", "targets"};
    struct plan_phase *phase = &plan->phases[index];
    reader_map(reader, map, keys, sizeof(keys) / sizeof(keys[0]));
    if (reader_failed(reader))
        return;
    read_kind(reader, map, &phase->kind);
    reader_line(reader, yaml_get(map, "title"), "title", true, phase->title, sizeof(phase->title));
    if (phase->title[0] == '\0')
        memcpy(phase->title, kind_titles[phase->kind], strlen(kind_titles[phase->kind]) + 1);
    if (yaml_get(map, "time") == NULL)
        reader_complain(reader, map, "time", ERR_SYNTAX, "is needed, as '5 min'");
    reader_duration(reader, map, "time", 1000, PHASE_MOST_MS, &phase->time_ms);
    reader_regions(reader, map, &phase->regions);
    read_bands(reader, map, plan, index, false);
    read_bands(reader, map, plan, index, true);
}

static void read_all(struct plan_reader *reader, const struct yaml_node *root, struct plan *plan)
{
    static const char *const keys[] = {"name",   "title",  "client",  "goals",
                                       "phases", "limits", "regions", "targets"};
    reader_map(reader, root, keys, sizeof(keys) / sizeof(keys[0]));
    reader_label(reader, root, "name", true, plan->name, sizeof(plan->name));
    if (reader_failed(reader))
        return;
    reader_line(reader, yaml_get(root, "title"), "title", true, plan->title, sizeof(plan->title));
    if (plan->title[0] == '\0')
        memcpy(plan->title, plan->name, strlen(plan->name) + 1);
    reader_label(reader, root, "client", false, plan->client, sizeof(plan->client));
    const struct yaml_node *goals = reader_list(reader, root, "goals", PLAN_GOALS_MAX);
    for (size_t i = 0; goals != NULL && i < goals->count; i++)
        reader_line(reader, &goals->children[i], "goals", true, plan->goals[plan->goal_count++],
                    PLAN_GOAL_BYTES);
    reader_regions(reader, root, &plan->regions);
    read_bands(reader, root, plan, PLAN_ANY_PHASE, false);
    read_bands(reader, root, plan, PLAN_ANY_PHASE, true);
    const struct yaml_node *phases = reader_list(reader, root, "phases", PLAN_PHASES_MAX);
    for (size_t i = 0; phases != NULL && i < phases->count; i++) {
        size_t mark = reader_enter(reader, "phases", (int)i);
        read_phase(reader, &phases->children[i], plan, plan->phase_count++);
        reader_leave(reader, mark);
    }
}

int plan_parse(struct plan *plan, const char *file, const char *text, size_t bytes,
               const struct drivers *drivers, const struct body *body, struct diag *diag)
{
    struct plan_reader reader;
    struct yaml *yaml;
    struct diag unheard = {0};
    if (diag == NULL)
        diag = &unheard; /* the reader goes by it */
    memset(plan, 0, sizeof(*plan));
    int code = reader_open(&reader, &yaml, file, text, bytes, drivers, body, diag);
    if (code != 0)
        return code;
    read_all(&reader, yaml_root(yaml), plan);
    yaml_destroy(yaml);
    if (diag->code != 0)
        memset(plan, 0, sizeof(*plan));
    return diag->code;
}

int plan_parse_kept(struct plan *plan, const char *text, size_t bytes,
                    const struct drivers *drivers, const struct body *body, uint32_t *lost)
{
    struct plan_reader reader;
    struct yaml *yaml;
    struct diag diag = {0};
    _Static_assert(PLAN_BANDS_MAX <= 32, "a bit each");
    memset(plan, 0, sizeof(*plan));
    *lost = 0;
    int code = reader_open(&reader, &yaml, "store", text, bytes, drivers, body, &diag);
    if (code != 0)
        return code;
    reader.kept = true;
    read_all(&reader, yaml_root(yaml), plan);
    yaml_destroy(yaml);
    if (diag.code != 0)
        memset(plan, 0, sizeof(*plan));
    *lost = reader.lost;
    plan->lost_bands = (uint32_t)__builtin_popcount(reader.lost);
    return diag.code;
}

/* ---- Written ---- */

struct writer {
    struct text *text;
    const struct plan *plan;
    const struct drivers *drivers;
    const struct body *body;
};

static void write_ends(struct writer *writer, const struct plan_band *band,
                       const struct lumbar_metric *metric)
{
    struct text *text = writer->text;
    bool low = !isnan(band->low), high = !isnan(band->high);
    if (low && high) {
        text_add(text, ", \"%s\": [", band->target ? "between" : "outside");
        writer_value(text, metric, band->low);
        text_add(text, ", ");
        writer_value(text, metric, band->high);
        text_add(text, "]");
    } else if (high) {
        text_add(text, ", \"%s\": ", band->target ? "most" : "above");
        writer_value(text, metric, band->high);
    } else if (low) {
        text_add(text, ", \"%s\": ", band->target ? "least" : "below");
        writer_value(text, metric, band->low);
    }
}

static void write_band(struct writer *writer, const struct plan_band *band)
{
    struct text *text = writer->text;
    text_add(text, "{\"metric\": ");
    writer_metric(text, writer->drivers, band->metric);
    if (band->regions != 0) {
        text_add(text, ", \"regions\": ");
        writer_regions(text, writer->body, band->regions);
    }
    write_ends(writer, band, drivers_metric(writer->drivers, band->metric, NULL));
    if (band->own > 0) {
        text_add(text, ", \"own\": \"");
        text_add_number(text, band->own * 100, 6);
        text_add(text, " %%\"");
    }
    text_add(text, "}");
}

static void write_bands(struct writer *writer, uint32_t phase, bool target)
{
    const char *between = "";
    text_add(writer->text, ", \"%s\": [", target ? "targets" : "limits");
    for (uint32_t i = 0; i < writer->plan->band_count; i++) {
        const struct plan_band *band = &writer->plan->bands[i];
        if (band->phase != phase || band->target != target)
            continue;
        text_add(writer->text, "%s", between);
        write_band(writer, band);
        between = ", ";
    }
    text_add(writer->text, "]");
}

static void write_phase(struct writer *writer, uint32_t index)
{
    const struct plan_phase *phase = &writer->plan->phases[index];
    struct text *text = writer->text;
    text_add(text, "{\"kind\": \"%s\", \"title\": ", kinds[phase->kind]);
    text_add_json(text, phase->title);
    text_add(text, ", \"time\": \"%lld ms\", \"regions\": ", (long long)phase->time_ms);
    writer_regions(text, writer->body, phase->regions);
    write_bands(writer, index, false);
    write_bands(writer, index, true);
    text_add(text, "}");
}

void plan_write(struct text *text, const struct plan *plan, const struct drivers *drivers,
                const struct body *body)
{
    struct writer writer = {text, plan, drivers, body};
    text_add(text, "{\"name\": ");
    text_add_json(text, plan->name);
    text_add(text, ", \"title\": ");
    text_add_json(text, plan->title);
    text_add(text, ", \"client\": ");
    text_add_json(text, plan->client);
    text_add(text, ", \"goals\": [");
    for (uint32_t i = 0; i < plan->goal_count; i++) {
        text_add(text, i > 0 ? ", " : "");
        text_add_json(text, plan->goals[i]);
    }
    text_add(text, "], \"regions\": ");
    writer_regions(text, body, plan->regions);
    write_bands(&writer, PLAN_ANY_PHASE, false);
    write_bands(&writer, PLAN_ANY_PHASE, true);
    text_add(text, ", \"phases\": [");
    for (uint32_t i = 0; i < plan->phase_count; i++) {
        text_add(text, i > 0 ? ", " : "");
        write_phase(&writer, i);
    }
    text_add(text, "]}");
}

/* ---- For a client ---- */

void plan_tailor(struct plan *plan, const struct client *client, int64_t now_ms, int64_t max_age_ms)
{
    for (uint32_t i = 0; i < plan->band_count; i++) {
        struct plan_band *band = &plan->bands[i];
        if (band->own == 0)
            continue;
        struct client_own own;
        if (!client_find_own(client, band->metric, band->regions, now_ms, max_age_ms, &own))
            continue;
        if (!isnan(own.low))
            band->low = own.low * band->own;
        if (!isnan(own.high))
            band->high = own.high * band->own;
    }
}

int64_t plan_time_ms(const struct plan *plan)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < plan->phase_count; i++)
        sum += plan->phases[i].time_ms;
    return sum;
}
