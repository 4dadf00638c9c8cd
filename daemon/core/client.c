#include "core/client.h"

#include <string.h>

#include "core/plan_reader.h"

#define DAY_MS INT64_C(86400000)

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

static int64_t days_before(int year)
{
    int64_t y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 - 719162; /* of 1970 */
}

static bool digits(const char *text, int count, int *number)
{
    *number = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *number = *number * 10 + text[i] - '0';
    }
    return true;
}

bool client_read_day(const char *text, int64_t *ms)
{
    int year, month, day;
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' || !digits(text, 4, &year) ||
        !digits(text + 5, 2, &month) || !digits(text + 8, 2, &day))
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
        return false;
    int64_t days = days_before(year) + day - 1;
    for (int m = 1; m < month; m++)
        days += days_in(year, m);
    *ms = days * DAY_MS;
    return true;
}

void client_write_day(struct text *text, int64_t ms)
{
    int64_t days = ms / DAY_MS;
    int year = 1970, month = 1;
    while (days >= 365 + is_leap(year))
        days -= 365 + is_leap(year++);
    while (days >= days_in(year, month))
        days -= days_in(year, month++);
    text_add(text, "\"%04d-%02d-%02d\"", year, month, (int)days + 1);
}

static void read_measured(struct plan_reader *reader, const struct yaml_node *map, int64_t *ms)
{
    const struct yaml_node *node = reader_failed(reader) ? NULL : yaml_get(map, "measured");
    if (reader_failed(reader))
        return;
    if (node == NULL)
        reader_complain(reader, map, "measured", ERR_SYNTAX, "is needed: it grows old");
    else if (node->kind != YAML_SCALAR || !client_read_day(node->scalar, ms))
        reader_complain(reader, node, "measured", ERR_SYNTAX, "expected a day, as 2024-05-03");
}

static void read_end(struct plan_reader *reader, const struct yaml_node *map, const char *key,
                     const struct lumbar_metric *metric, double *value)
{
    const struct yaml_node *node = reader_failed(reader) ? NULL : yaml_get(map, key);
    *value = NAN;
    if (node != NULL)
        reader_value(reader, node, key, metric, value);
}

static void read_own(struct plan_reader *reader, const struct yaml_node *map,
                     struct client_own *own)
{
    static const char *const keys[] = {"metric", "regions", "low", "high", "measured"};
    reader_map(reader, map, keys, sizeof(keys) / sizeof(keys[0]));
    const struct lumbar_metric *metric = reader_metric(reader, map, &own->metric);
    if (metric == NULL)
        return;
    reader_regions(reader, map, &own->regions);
    read_end(reader, map, "low", metric, &own->low);
    read_end(reader, map, "high", metric, &own->high);
    read_measured(reader, map, &own->measured_ms);
    if (!reader_failed(reader) && isnan(own->low) && isnan(own->high))
        reader_complain(reader, map, "", ERR_SYNTAX, "what was measured: low, high or both?");
    else if (own->low >= own->high)
        reader_complain(reader, map, "", ERR_RANGE, "low is not below high");
}

static void read_all(struct plan_reader *reader, const struct yaml_node *root,
                     struct client *client)
{
    static const char *const keys[] = {"name", "goals", "own"};
    reader_map(reader, root, keys, sizeof(keys) / sizeof(keys[0]));
    reader_label(reader, root, "name", true, client->name, sizeof(client->name));
    const struct yaml_node *goals = reader_list(reader, root, "goals", CLIENT_GOALS_MAX);
    for (size_t i = 0; goals != NULL && i < goals->count; i++)
        reader_line(reader, &goals->children[i], "goals", true, client->goals[client->goal_count++],
                    CLIENT_GOAL_BYTES);
    const struct yaml_node *own = reader_list(reader, root, "own", CLIENT_OWN_MAX);
    for (size_t i = 0; own != NULL && i < own->count; i++) {
        size_t mark = reader_enter(reader, "own", (int)i);
        read_own(reader, &own->children[i], &client->own[client->own_count++]);
        reader_leave(reader, mark);
    }
}

int client_parse(struct client *client, const char *file, const char *text, size_t bytes,
                 const struct drivers *drivers, const struct body *body, struct diag *diag)
{
    struct plan_reader reader;
    struct yaml *yaml;
    struct diag unheard = {0};
    if (diag == NULL)
        diag = &unheard; /* the reader goes by it */
    memset(client, 0, sizeof(*client));
    int code = reader_open(&reader, &yaml, file, text, bytes, drivers, body, diag);
    if (code != 0)
        return code;
    read_all(&reader, yaml_root(yaml), client);
    yaml_destroy(yaml);
    if (diag->code != 0)
        memset(client, 0, sizeof(*client));
    return diag->code;
}

static void write_own(struct text *text, const struct client_own *own,
                      const struct drivers *drivers, const struct body *body)
{
    const struct lumbar_metric *metric = drivers_metric(drivers, own->metric, NULL);
    text_add(text, "{\"metric\": ");
    writer_metric(text, drivers, own->metric);
    if (own->regions != 0) {
        text_add(text, ", \"regions\": ");
        writer_regions(text, body, own->regions);
    }
    if (!isnan(own->low)) {
        text_add(text, ", \"low\": ");
        writer_value(text, metric, own->low);
    }
    if (!isnan(own->high)) {
        text_add(text, ", \"high\": ");
        writer_value(text, metric, own->high);
    }
    text_add(text, ", \"measured\": ");
    client_write_day(text, own->measured_ms);
    text_add(text, "}");
}

void client_write(struct text *text, const struct client *client, const struct drivers *drivers,
                  const struct body *body)
{
    text_add(text, "{\"name\": ");
    text_add_json(text, client->name);
    text_add(text, ", \"goals\": [");
    for (uint32_t i = 0; i < client->goal_count; i++) {
        text_add(text, i > 0 ? ", " : "");
        text_add_json(text, client->goals[i]);
    }
    text_add(text, "], \"own\": [");
    for (uint32_t i = 0; i < client->own_count; i++) {
        text_add(text, i > 0 ? ", " : "");
        write_own(text, &client->own[i], drivers, body);
    }
    text_add(text, "]}");
}

bool client_find_own(const struct client *client, uint32_t metric, uint64_t regions, int64_t now_ms,
                     int64_t max_age_ms, struct client_own *own)
{
    const struct client_own *low = NULL, *high = NULL;
    for (uint32_t i = 0; i < client->own_count; i++) {
        const struct client_own *at = &client->own[i];
        bool fits = at->regions == 0 || (regions != 0 && (regions & ~at->regions) == 0);
        if (at->metric != metric || !fits || now_ms - at->measured_ms > max_age_ms)
            continue;
        if (!isnan(at->low) && (low == NULL || at->measured_ms > low->measured_ms))
            low = at;
        if (!isnan(at->high) && (high == NULL || at->measured_ms > high->measured_ms))
            high = at;
    }
    if (low == NULL && high == NULL)
        return false;
    bool low_is_older = high == NULL || (low != NULL && low->measured_ms < high->measured_ms);
    *own = low_is_older ? *low : *high;
    own->low = low != NULL ? low->low : NAN;
    own->high = high != NULL ? high->high : NAN;
    return true;
}

int client_learn(struct client *client, const struct client_own *own)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < client->own_count; i++) {
        struct client_own at = client->own[i];
        if (at.metric == own->metric && at.regions == own->regions) {
            at.low = isnan(own->low) ? at.low : NAN;
            at.high = isnan(own->high) ? at.high : NAN;
        }
        if (!isnan(at.low) || !isnan(at.high))
            client->own[kept++] = at;
    }
    client->own_count = kept;
    if (kept == CLIENT_OWN_MAX)
        return ERR_FULL;
    client->own[client->own_count++] = *own;
    return 0;
}
