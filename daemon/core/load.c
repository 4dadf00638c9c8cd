#include "core/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "core/flood.h"

struct counted {
    char *name;
    uint64_t alarms, unacked;
};

struct load {
    int64_t from_ms, to_ms;
    uint32_t limit;
    struct counted *rules;
    size_t rule_count, rule_room;
    int64_t *waits_ms; /* until each was acknowledged */
    size_t wait_count, wait_room;
    int64_t slot; /* ten minutes of the clock, since 1970, of the newest alarm ... */
    uint64_t in_slot;
    struct flood flood;
    struct load_report report;
};

struct load *load_create(int64_t from_ms, int64_t to_ms, uint32_t limit)
{
    struct load *load = calloc(1, sizeof(*load));
    if (load == NULL)
        return NULL;
    load->from_ms = from_ms;
    load->to_ms = to_ms;
    load->limit = limit;
    return load;
}

void load_destroy(struct load *load)
{
    if (load == NULL)
        return;
    for (size_t i = 0; i < load->rule_count; i++)
        free(load->rules[i].name);
    free(load->rules);
    free(load->waits_ms);
    free(load);
}

/* Room for one more of `bytes`; false: no memory. */
static bool grow(void **list, size_t count, size_t *room, size_t bytes)
{
    if (count < *room)
        return true;
    size_t more = *room == 0 ? 64 : *room * 2;
    void *grown = realloc(*list, more * bytes);
    if (grown == NULL)
        return false;
    *list = grown;
    *room = more;
    return true;
}

static struct counted *rule_of(struct load *load, const char *name)
{
    for (size_t i = 0; i < load->rule_count; i++)
        if (strcmp(load->rules[i].name, name) == 0)
            return &load->rules[i];
    if (!grow((void **)&load->rules, load->rule_count, &load->rule_room, sizeof(*load->rules)))
        return NULL;
    char *copy = strdup(name);
    if (copy == NULL)
        return NULL;
    struct counted *rule = &load->rules[load->rule_count++];
    *rule = (struct counted){.name = copy};
    return rule;
}

static void note_slot(struct load *load, int64_t raised_ms)
{
    int64_t slot = raised_ms / FLOOD_SPAN_MS;
    load->in_slot = slot == load->slot ? load->in_slot + 1 : 1;
    load->slot = slot;
    if (load->in_slot > load->report.most) {
        load->report.most = load->in_slot;
        load->report.most_ms = slot * FLOOD_SPAN_MS;
    }
}

/* The open flood, if it is told. */
static struct load_flood *open_flood(struct load *load)
{
    struct load_report *report = &load->report;
    return load->flood.on && report->floods == report->flood_count
               ? &report->flood[report->flood_count - 1]
               : NULL;
}

/* Ends between two alarms are found to a tick of the flood's own slots. */
static void pass_time(struct load *load, int64_t until_ms)
{
    enum { TICK_MS = FLOOD_SPAN_MS / FLOOD_SLOTS };
    int64_t at_ms = load->flood.slot * TICK_MS + TICK_MS;
    for (; load->flood.on && at_ms < until_ms; at_ms += TICK_MS) {
        struct load_flood *flood = open_flood(load);
        if (flood_tick(&load->flood, load->limit, at_ms) && flood != NULL)
            flood->to_ms = at_ms;
    }
}

static void note_flood(struct load *load, int64_t raised_ms)
{
    struct load_report *report = &load->report;
    pass_time(load, raised_ms);
    flood_note(&load->flood, raised_ms);
    if (flood_tick(&load->flood, load->limit, raised_ms)) {
        report->floods++;
        if (report->flood_count < LOAD_FLOODS_MAX)
            report->flood[report->flood_count++] = (struct load_flood){
                .from_ms = raised_ms, .to_ms = load->to_ms, .alarms = load->flood.count};
        return;
    }
    struct load_flood *flood = open_flood(load);
    if (flood != NULL)
        flood->alarms++;
}

int load_add(struct load *load, const struct load_alarm *alarm)
{
    struct counted *rule = rule_of(load, alarm->rule);
    if (rule == NULL ||
        !grow((void **)&load->waits_ms, load->wait_count, &load->wait_room, sizeof(int64_t)))
        return ERR_MEMORY;
    rule->alarms++;
    load->report.alarms++;
    load->report.ended += alarm->over;
    if (alarm->acked_ms != 0)
        load->waits_ms[load->wait_count++] = alarm->acked_ms - alarm->raised_ms;
    else if (alarm->over)
        rule->unacked++;
    note_slot(load, alarm->raised_ms);
    note_flood(load, alarm->raised_ms);
    return 0;
}

static int by_time(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The most alarms first; of equals by name, so that an answer is always the same. */
static int by_alarms(const void *a, const void *b)
{
    const struct counted *left = a, *right = b;
    if (left->alarms != right->alarms)
        return left->alarms < right->alarms ? 1 : -1;
    return strcmp(left->name, right->name);
}

static int64_t median_of(int64_t *waits_ms, size_t count)
{
    if (count == 0)
        return -1;
    qsort(waits_ms, count, sizeof(*waits_ms), by_time);
    return count % 2 != 0 ? waits_ms[count / 2]
                          : (waits_ms[count / 2 - 1] + waits_ms[count / 2]) / 2;
}

void load_finish(struct load *load, struct load_report *report)
{
    pass_time(load, load->to_ms);
    if (load->rule_count > 0)
        qsort(load->rules, load->rule_count, sizeof(*load->rules), by_alarms);
    *report = load->report;
    double spans = (double)(load->to_ms - load->from_ms) / FLOOD_SPAN_MS;
    report->per_span = spans > 0 ? (double)report->alarms / spans : 0;
    report->acked = load->wait_count;
    report->ack_median_ms = median_of(load->waits_ms, load->wait_count);
    for (size_t i = 0; i < load->rule_count; i++) {
        const struct counted *rule = &load->rules[i];
        report->unacked += rule->unacked;
        if (i < LOAD_RULES_WORST)
            report->worst[report->worst_count++] =
                (struct load_rule){.name = rule->name,
                                   .alarms = rule->alarms,
                                   .unacked = rule->unacked,
                                   .share = (double)rule->alarms / (double)report->alarms};
    }
}
