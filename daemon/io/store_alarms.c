#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/plan.h"
#include "core/publish.h"
#include "io/store_rows.h"
#include "io/store_state.h"

#define NUMBERS_LEFT 100000 /* for alarms that were lost, and may be found in recordings */

/* Places in a row of the table, as they are loaded. */
enum {
    NUMBER,
    RULE,
    KIND,
    DEVICE,
    ROOM,
    METRIC,
    PRIORITY,
    TECHNICAL,
    PRESENCE,
    RAISED,
    SINCE,
    VALUE,
    PASSED,
    CHANGE,
    STATE,
    ESCALATED,
    WAITS,
    LOST,
    ACKED,
    ACKED_BY,
    ACKED_WHY,
    SHELVED,
    SHELVED_BY,
    SHELVED_WHY,
    SHELVED_UNTIL,
    PHASE,
    BEHIND,
    WORST,
    COLUMNS
};

/* 0 is never. */
static struct store_value instant(int64_t at_ms)
{
    return at_ms != 0 ? store_int(at_ms) : store_null();
}

static struct store_value words(const char *text)
{
    return text[0] != '\0' ? store_text(text) : store_null();
}

static bool put_transition(struct store *store, const struct store_value *row,
                           const struct alarm *alarm, const struct alarm_hand *hand)
{
    const struct store_value transition[] = {
        row[NUMBER],      row[CHANGE],      store_int(alarm->deed_ms),
        row[PRESENCE],    row[VALUE],       store_text(alarm_deed_word(alarm->deed)),
        words(hand->who), words(hand->why),
    };
    return store_put(store, STORE_ALARM_TRANSITION, transition,
                     sizeof(transition) / sizeof(transition[0]));
}

static void write_row(struct store_value *row, const struct alarm *alarm,
                      const struct device *device, const char *room)
{
    const struct rule *rule = alarm->rule;
    const struct driver *driver = rule->driver;
    const struct store_value values[COLUMNS] = {
        [NUMBER] = store_int((int64_t)alarm->number),
        [RULE] = store_text(rule->name),
        [KIND] = store_text(driver->plugin->kind),
        [DEVICE] = store_text(device->name),
        [ROOM] = words(room),
        [METRIC] = store_text(driver->metrics[rule->metric - driver->first_metric].name),
        [PRIORITY] = store_int(alarm_priority(alarm)),
        [TECHNICAL] = store_int(rule->technical),
        [PRESENCE] = store_int(alarm->presence),
        [RAISED] = store_int(alarm->raised_ms),
        [SINCE] = store_int(alarm->since_ms),
        [VALUE] = store_real(alarm->value),
        [PASSED] = store_real(alarm->limit),
        [CHANGE] = store_int((int64_t)alarm->change),
        [STATE] = store_int(alarm->state),
        [ESCALATED] = store_int(alarm->escalated),
        [WAITS] = instant(alarm->waits_ms),
        [LOST] = instant(alarm->lost_ms),
        [ACKED] = instant(alarm->acked.at_ms),
        [ACKED_BY] = words(alarm->acked.who),
        [ACKED_WHY] = words(alarm->acked.why),
        [SHELVED] = instant(alarm->shelved.at_ms),
        [SHELVED_BY] = words(alarm->shelved.who),
        [SHELVED_WHY] = words(alarm->shelved.why),
        [SHELVED_UNTIL] = instant(alarm->shelved_until_ms),
        [PHASE] = words(alarm->phase != NULL ? alarm->phase : ""),
        [BEHIND] = alarm->behind != 0 ? store_int(alarm->behind) : store_null(),
        [WORST] = store_real(alarm->worst),
    };
    memcpy(row, values, sizeof(values));
}

bool store_alarm(struct store *store, const struct alarm *alarm, const struct device *device,
                 const char *room, const struct alarm_hand *hand)
{
    struct store_value row[COLUMNS];
    write_row(row, alarm, device, room);
    return store_put(store, STORE_ALARM, row, COLUMNS) && put_transition(store, row, alarm, hand);
}

bool store_alarm_room(struct store *store, const struct alarm *alarm, const struct device *device,
                      const char *room)
{
    struct store_value row[COLUMNS];
    write_row(row, alarm, device, room);
    return store_put(store, STORE_ALARM, row, COLUMNS);
}

struct loading {
    struct store *store;
    const struct store_alarms_world *world;
    int64_t now_ms;
    uint64_t numbers, change, restored;
};

static const struct driver *driver_of(const struct drivers *drivers, const char *kind)
{
    for (uint32_t i = 0; i < drivers->count; i++)
        if (strcmp(drivers->list[i].plugin->kind, kind) == 0)
            return &drivers->list[i];
    return NULL;
}

/* Nobody could say any more what it was. */
static void end_alarm(struct loading *loading, const struct store_value *values)
{
    static const struct alarm_hand hand = {.who = "hub",
                                           .why = "its rule or its device is no longer there"};
    struct store_value row[COLUMNS];
    memcpy(row, values, sizeof(row));
    row[PRESENCE] = store_int(ALARM_OFF);
    row[STATE] = store_int(STATE_OFF);
    row[SHELVED_UNTIL] = row[BEHIND] = store_null();
    row[SINCE] = store_int(loading->now_ms);
    row[CHANGE] = store_int((int64_t)++loading->change);
    const struct alarm ended = {.deed = DEED_END, .deed_ms = loading->now_ms};
    store_put(loading->store, STORE_ALARM, row, COLUMNS);
    put_transition(loading->store, row, &ended, &hand);
    log_notice("store: alarm %s of %s ended: its rule or its device is no longer there",
               values[RULE].text, values[DEVICE].text);
}

static void on_number(void *user, const struct store_value *values, unsigned count)
{
    struct loading *loading = user;
    (void)count;
    if ((uint64_t)values[NUMBER].integer > loading->numbers)
        loading->numbers = (uint64_t)values[NUMBER].integer;
    if ((uint64_t)values[CHANGE].integer > loading->change)
        loading->change = (uint64_t)values[CHANGE].integer;
}

static void on_count(void *user, const struct store_value *values, unsigned count)
{
    uint64_t *standing = user;
    (void)values, (void)count;
    (*standing)++;
}

/* SQLite gives a whole number back as one. */
static double real_of(const struct store_value *value)
{
    return value->type == STORE_REAL  ? value->real
           : value->type == STORE_INT ? (double)value->integer
                                      : (double)NAN;
}

static struct alarm_hand hand_of(const struct store_value *values)
{
    struct alarm_hand hand = {.at_ms = values[0].integer};
    const char *who = values[1].text, *why = values[2].text;
    snprintf(hand.who, sizeof(hand.who), "%s", who != NULL ? who : "");
    snprintf(hand.why, sizeof(hand.why), "%s", why != NULL ? why : "");
    return hand;
}

/* All but rule and device. */
static struct alarm alarm_of(const struct store_value *values)
{
    int64_t state = values[STATE].integer;
    return (struct alarm){
        .number = (uint64_t)values[NUMBER].integer,
        .state = state >= 0 && state < STATES_ ? (enum alarm_state)state : STATE_ON,
        .raised_ms = values[RAISED].integer,
        .since_ms = values[SINCE].integer,
        .value = real_of(&values[VALUE]),
        .limit = real_of(&values[PASSED]),
        .worst = real_of(&values[WORST]),
        .change = (uint64_t)values[CHANGE].integer,
        .lost_ms = values[LOST].integer,
        .waits_ms = values[WAITS].integer,
        .escalated = (uint32_t)values[ESCALATED].integer,
        .acked = hand_of(&values[ACKED]),
        .shelved = hand_of(&values[SHELVED]),
        .shelved_until_ms = values[SHELVED_UNTIL].integer,
        .phase = values[PHASE].type == STORE_TEXT ? plan_kind_find(values[PHASE].text) : NULL,
        .behind = values[BEHIND].integer,
    };
}

static void on_standing(void *user, const struct store_value *values, unsigned count)
{
    struct loading *loading = user;
    (void)count;
    if (values[RULE].text == NULL || values[KIND].text == NULL || values[DEVICE].text == NULL)
        return; /* the file is damaged */
    if (loading->world->publisher != NULL && values[PRESENCE].integer != ALARM_OFF)
        publisher_was(loading->world->publisher, values[ROOM].text != NULL ? values[ROOM].text : "",
                      values[RULE].text);
    const struct rule *rule = rules_find(loading->world->rules, values[RULE].text);
    const struct driver *driver = driver_of(loading->world->drivers, values[KIND].text);
    const char *name = values[DEVICE].text;
    struct device *device = driver != NULL && rule != NULL && rule->driver == driver
                                ? devices_hear(loading->world->devices, driver, name, strlen(name))
                                : NULL;
    struct alarm alarm = alarm_of(values);
    alarm.rule = rule;
    alarm.device = device != NULL ? device->id : 0;
    if (device == NULL || !alarms_restore(loading->world->alarms, &alarm))
        end_alarm(loading, values);
    else
        loading->restored++;
}

int store_load_alarms(struct store *store, const struct store_alarms_world *world, int64_t now_ms,
                      struct diag *diag)
{
    struct loading loading = {.store = store, .world = world, .now_ms = now_ms};
    int code = store_load(store, STORE_ALARM,
                          "number = (SELECT max(number) FROM alarm)"
                          " OR change = (SELECT max(change) FROM alarm)",
                          on_number, &loading, diag);
    uint64_t standing = 0;
    if (code == 0)
        code = store_load(store, STORE_ALARM, "presence <> 0", on_count, &standing, diag);
    if (code == 0 && world->publisher != NULL &&
        publisher_prepare(world->publisher, rules_count(world->rules), (uint32_t)standing) != 0)
        code = diag_set(diag, ERR_MEMORY, "out of memory for alarms that stood");
    if (code == 0)
        code = store_load(store, STORE_ALARM, "presence <> 0 OR shelved_until_ms IS NOT NULL",
                          on_standing, &loading, diag);
    if (code != 0)
        return code;
    struct store_lack lack;
    store_lack(store, &lack);
    if (lack.is_there && lack.open && lack.alarms != 0) /* what was lost may be found, and gets the numbers between */
        loading.numbers += NUMBERS_LEFT;
    alarms_go_on(world->alarms, loading.numbers, loading.change);
    if (loading.restored > 0)
        log_notice("store: %llu alarms still stand or are shelved",
                   (unsigned long long)loading.restored);
    return 0;
}
