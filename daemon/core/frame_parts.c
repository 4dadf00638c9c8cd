#include "core/frame_wire.h"

#include <string.h>

#define VARINT_MAX_BYTES 10

static size_t varint_write(uint8_t *out, uint64_t value)
{
    size_t length = 0;
    for (; value > 127; value >>= 7)
        out[length++] = (uint8_t)(value | 128);
    out[length++] = (uint8_t)value;
    return length;
}

uint8_t *wire_put_field(struct wire *wire, enum wire_field field, size_t count)
{
    uint8_t key[2 * VARINT_MAX_BYTES];
    size_t key_bytes = varint_write(key, field << 3 | 2); /* 2: with its length */
    key_bytes += varint_write(key + key_bytes, count);
    if (wire->length > wire->capacity || wire->capacity - wire->length < key_bytes + count)
        return NULL;
    memcpy(wire->bytes + wire->length, key, key_bytes);
    uint8_t *at = wire->bytes + wire->length + key_bytes;
    wire->length += key_bytes + count;
    return at;
}

bool wire_put(struct wire *wire, enum wire_field field, const ProtobufCMessage *message)
{
    uint8_t *at = wire_put_field(wire, field, protobuf_c_message_get_packed_size(message));
    if (at != NULL)
        protobuf_c_message_pack(message, at);
    return at != NULL;
}

bool wire_put_bytes(struct wire *wire, enum wire_field field, const uint8_t *bytes, size_t count)
{
    uint8_t *at = wire_put_field(wire, field, count);
    if (at != NULL && count > 0)
        memcpy(at, bytes, count);
    return at != NULL;
}

bool frame_put_device(struct wire *wire, const struct device *device)
{
    Lumbar__Live__V1__Device out = LUMBAR__LIVE__V1__DEVICE__INIT;
    out.has_id = out.has_kind = out.has_room = out.has_heard_ms = out.has_messages = 1;
    out.id = device->id;
    out.name = (char *)device->name;
    out.kind = device->driver->index;
    out.room = device->room;
    out.heard_ms = device->heard_ms;
    out.messages = device->messages;
    out.has_lost = out.has_duplicates = out.has_late = out.has_refused = out.has_out_of_range = 1;
    out.lost = device->lost;
    out.duplicates = device->duplicates;
    out.late = device->late;
    for (int i = 0; i < REFUSED_COUNT_; i++)
        out.refused += device->refused[i];
    out.out_of_range = device->out_of_range;
    out.has_has_skew = 1;
    out.has_skew = device->has_skew;
    out.has_skew_ms = device->has_skew;
    out.skew_ms = device->skew_ms;
    return wire_put(wire, WIRE_FRAME_DEVICES, &out.base);
}

static const char *room_title(const struct config *config, uint32_t room)
{
    return room == ROOM_NONE || room > config->room_count ? "no room"
                                                          : config->rooms[room - 1].title;
}

/* One of the rule's texts with its words filled in; NULL where it has none. */
static char *sentence_of(char *buffer, size_t bytes, const char *words, const struct rule *rule,
                         const struct rule_facts *facts)
{
    struct text text = text_in(buffer, bytes);
    if (words[0] == '\0')
        return NULL;
    rule_write_text(&text, rule, words, facts);
    return buffer;
}

/* NULL where nobody did it. */
static Lumbar__Live__V1__Hand *hand_of(Lumbar__Live__V1__Hand *out, const struct alarm_hand *hand,
                                       int64_t until_ms)
{
    lumbar__live__v1__hand__init(out);
    if (hand->at_ms == 0)
        return NULL;
    out->has_at_ms = 1;
    out->at_ms = hand->at_ms;
    out->by = (char *)hand->who;
    out->why = (char *)hand->why;
    out->has_until_ms = until_ms != 0;
    out->until_ms = until_ms;
    return out;
}

static void fill_alarm(Lumbar__Live__V1__Alarm *out, const struct alarm *alarm)
{
    out->has_rule = out->has_device = out->has_presence = out->has_priority = 1;
    out->rule = alarm->rule->id;
    out->device = alarm->device;
    out->presence = alarm->presence != ALARM_OFF ? LUMBAR__LIVE__V1__ALARM__PRESENCE__ON
                                                 : LUMBAR__LIVE__V1__ALARM__PRESENCE__OFF;
    out->priority = (Lumbar__Live__V1__Priority)alarm_priority(alarm);
    out->has_since_ms = out->has_raised_ms = out->has_technical = out->has_number = 1;
    out->since_ms = alarm->since_ms;
    out->raised_ms = alarm->raised_ms;
    out->technical = alarm->rule->technical;
    out->number = alarm->number;
    out->has_value = !isnan(alarm->value);
    out->value = alarm->value;
    out->has_latched = out->has_unknown_ms = out->has_of_loss = out->has_escalated = 1;
    out->latched = alarm->presence == ALARM_LATCHED;
    out->unknown_ms = alarm->lost_ms;
    out->of_loss = alarm->state == STATE_LOST_ACK;
    out->escalated = alarm->escalated;
    out->has_behind = out->has_hides = 1;
    out->behind = alarm->behind;
    out->hides = alarm->hides;
}

bool frame_put_alarm(struct wire *wire, const struct frame_world *world, const struct alarm *alarm,
                     enum access_sight sight)
{
    const struct rule *rule = alarm->rule;
    const struct device *device = devices_at(world->devices, alarm->device);
    if (device == NULL)
        return true;
    const struct rule_facts facts = {.device = device->name,
                                     .room = room_title(world->config, device->room),
                                     .phase = alarm->phase,
                                     .value = alarm->value,
                                     .limit = alarm->limit};
    char text[512], plain[512], action[512];
    Lumbar__Live__V1__Hand acked, shelved;
    Lumbar__Live__V1__Worst worst = LUMBAR__LIVE__V1__WORST__INIT;
    Lumbar__Live__V1__Alarm out = LUMBAR__LIVE__V1__ALARM__INIT;
    fill_alarm(&out, alarm);
    out.text = sentence_of(text, sizeof(text), rule->text, rule, &facts);
    out.plain = sentence_of(plain, sizeof(plain), rule->plain, rule, &facts);
    out.action = sentence_of(action, sizeof(action), rule->action, rule, &facts);
    if (alarm->state != STATE_OFF)
        out.acknowledged = hand_of(&acked, &alarm->acked, 0);
    out.shelved = hand_of(&shelved, &alarm->shelved, alarm->shelved_until_ms);
    worst.has_value = 1;
    worst.value = alarm->worst;
    if (!isnan(alarm->worst) && alarm->worst != alarm->value)
        out.worst = &worst;
    if (sight != SIGHT_CARE) /* what somebody wrote is for who treats */
        acked.why = shelved.why = (char *)protobuf_c_empty_string;
    return wire_put(wire, WIRE_FRAME_ALARMS, &out.base);
}

static void fill_phase(const struct session *session, Lumbar__Live__V1__Session *out)
{
    const struct plan *plan = &session->plan;
    out->has_phase = out->has_phase_count = 1;
    out->phase_count = plan->phase_count;
    if (session->phase >= plan->phase_count)
        return;
    out->phase = session->phase + 1;
    out->phase_title = (char *)plan->phases[session->phase].title;
    out->phase_kind = (char *)(uintptr_t)plan_kind_name(plan->phases[session->phase].kind);
    if (session->phase + 1 < plan->phase_count)
        out->next_title = (char *)plan->phases[session->phase + 1].title;
    out->has_phase_ms = 1;
    out->phase_ms = (uint32_t)plan->phases[session->phase].time_ms;
    /* At the instant it last began to run nothing since was spent, so the end stands fast. */
    int64_t from_ms = session->phases[session->phase].began_ms > session->resumed_ms
                          ? session->phases[session->phase].began_ms
                          : session->resumed_ms;
    out->has_phase_end_ms = session->state == SESSION_RUNNING;
    out->phase_end_ms = from_ms + session_left_ms(session, from_ms);
    out->has_phase_left_ms = session->state == SESSION_PAUSED;
    out->phase_left_ms = session_left_ms(session, from_ms);
}

/* NULL where the arena is used up. */
static Lumbar__Live__V1__Suppressed *suppressed_of(struct lumbar_scratch *arena,
                                                   const struct frame_world *world,
                                                   const struct suppressed *entry)
{
    const size_t most = 512;
    const struct device *device = devices_at(world->devices, entry->device);
    Lumbar__Live__V1__Suppressed *out = lumbar_scratch_alloc(arena, sizeof(*out));
    char *text = lumbar_scratch_alloc(arena, most);
    if (out == NULL || text == NULL)
        return NULL;
    lumbar__live__v1__suppressed__init(out);
    out->has_rule = out->has_device = out->has_since_ms = out->has_in_session = 1;
    out->rule = entry->rule->id;
    out->device = entry->device;
    out->since_ms = entry->since_ms;
    out->in_session = entry->phase != NULL;
    out->text = sentence_of(text, most, entry->rule->text, entry->rule,
                            &(struct rule_facts){.device = device->name,
                                                 .room = room_title(world->config, device->room),
                                                 .phase = entry->phase,
                                                 .value = entry->value,
                                                 .limit = entry->limit});
    return out;
}

bool frame_put_suppressed(struct wire *wire, struct lumbar_scratch arena,
                          const struct frame_world *world, const struct frame_veil *veil)
{
    const struct suppressions *all = world->suppressions;
    Lumbar__Live__V1__Suppressed *items[SUPPRESSED_TOLD];
    Lumbar__Live__V1__SuppressedList out = LUMBAR__LIVE__V1__SUPPRESSED_LIST__INIT;
    bool room = true;
    for (uint32_t i = 0; i < all->count; i++) {
        const struct suppressed *entry = &all->list[i];
        if (!access_rooms_have(&veil->rooms, devices_at(world->devices, entry->device)->room) ||
            (veil->sight == SIGHT_DEVICES && !entry->rule->technical))
            continue;
        Lumbar__Live__V1__Suppressed *item =
            room && out.n_items < SUPPRESSED_TOLD ? suppressed_of(&arena, world, entry) : NULL;
        room = item != NULL;
        if (room)
            items[out.n_items++] = item;
        else
            out.more++;
    }
    out.items = items;
    out.has_more = 1;
    return wire_put(wire, WIRE_FRAME_SUPPRESSED, &out.base);
}

static bool add_pause(struct lumbar_scratch *arena, Lumbar__Live__V1__PauseList *out, uint32_t room,
                      enum pause_kind kind, const struct pause *pause)
{
    Lumbar__Live__V1__Pause *item = lumbar_scratch_alloc(arena, sizeof(*item));
    Lumbar__Live__V1__Hand *hand = lumbar_scratch_alloc(arena, sizeof(*hand));
    if (item == NULL || hand == NULL)
        return false;
    lumbar__live__v1__pause__init(item);
    item->has_room = item->has_type = 1;
    item->room = room;
    item->type = (Lumbar__Live__V1__Pause__Type)kind; /* in the same order */
    item->hand = hand_of(hand, &pause->hand, pause->until_ms);
    out->pauses[out->n_pauses++] = item;
    return true;
}

bool frame_put_pauses(struct wire *wire, struct lumbar_scratch arena,
                      const struct frame_world *world, const struct frame_veil *veil)
{
    Lumbar__Live__V1__Pause *list[CONFIG_ROOMS_MAX * PAUSE_KINDS_];
    Lumbar__Live__V1__PauseList out = LUMBAR__LIVE__V1__PAUSE_LIST__INIT;
    out.pauses = list;
    for (uint32_t room = 1; room <= CONFIG_ROOMS_MAX; room++)
        for (int kind = 0; kind < PAUSE_KINDS_; kind++)
            if (access_rooms_have(&veil->rooms, room) &&
                pauses_has(world->pauses, room, (enum pause_kind)kind) &&
                !add_pause(&arena, &out, room, (enum pause_kind)kind,
                           &world->pauses->rooms[room][kind]))
                return false;
    return wire_put(wire, WIRE_FRAME_PAUSES, &out.base);
}

void frame_add_limits(struct frame_limits *limits, const struct rules *rules, uint32_t rule,
                      uint32_t room)
{
    struct rule_bound bounds[RULE_BOUNDS_MAX];
    uint32_t count = rules_bounds(rules, rule, room, bounds);
    for (uint32_t i = 0; i < count && limits->count < LIMITS_TOLD; i++) {
        Lumbar__Live__V1__Limit *out = &limits->items[limits->count];
        lumbar__live__v1__limit__init(out);
        out->has_rule = room != ROOM_NONE;
        out->rule = rule;
        out->has_metric = 1;
        out->metric = bounds[i].metric;
        out->has_above = bounds[i].above;
        out->has_below = !bounds[i].above;
        out->above = out->below = bounds[i].limit;
        limits->list[limits->count++] = out;
    }
}

bool frame_put_session(struct wire *wire, const struct frame_world *world,
                       const struct session *session, enum access_sight sight)
{
    Lumbar__Live__V1__Session out = LUMBAR__LIVE__V1__SESSION__INIT;
    struct frame_limits limits = {.count = 0};
    for (uint32_t rule = 0; sight == SIGHT_CARE && rule < rules_count(world->rules); rule++)
        frame_add_limits(&limits, world->rules, rule, session->room);
    out.limits = limits.list;
    out.n_limits = limits.count;
    out.has_id = out.has_room = out.has_state = out.has_started_ms = 1;
    out.id = session->id;
    out.room = session->room;
    out.state = (Lumbar__Live__V1__Session__State)session->state; /* in the same order */
    out.client = (char *)session->client.name;
    out.therapist = (char *)session->therapist;
    out.plan = (char *)session->plan.title;
    out.started_ms = session->started_ms;
    fill_phase(session, &out);
    if (sight != SIGHT_CARE)
        return wire_put(wire, WIRE_FRAME_SESSIONS, &out.base);
    out.has_pain_before = session->pain[SESSION_BEFORE] != SESSION_NO_SCORE;
    out.pain_before = (uint32_t)session->pain[SESSION_BEFORE];
    out.has_pain_after = session->pain[SESSION_AFTER] != SESSION_NO_SCORE;
    out.pain_after = (uint32_t)session->pain[SESSION_AFTER];
    out.has_ask_to_stop = out.has_adverse = 1;
    out.ask_to_stop = session->ask_to_stop;
    out.adverse = session->adverse[0] != '\0';
    return wire_put(wire, WIRE_FRAME_SESSIONS, &out.base);
}

static Lumbar__Live__V1__Calibration__State calibration_state(enum calibration_state state)
{
    return (Lumbar__Live__V1__Calibration__State)state; /* in the same order */
}

static void fill_range(const struct device *device, const struct range_test *test,
                       Lumbar__Live__V1__Calibration *out)
{
    struct range_result result;
    out->has_range = 1;
    out->range = calibration_state(test->state);
    if (test->state == CALIBRATION_IDLE)
        return;
    out->has_metric = out->has_wanted = out->has_repeated = 1;
    out->range_reason = (char *)test->reason;
    out->metric = device->driver->first_metric + test->metric;
    out->wanted = test->wanted;
    out->repeated = test->count;
    if (!calibration_range_result(test, &result))
        return;
    out->has_best = out->has_mean = out->has_measured_ms = out->has_downwards = 1;
    out->best = result.best;
    out->mean = result.mean;
    out->has_spread = !isnan(result.spread);
    out->spread = result.spread;
    out->measured_ms = result.measured_ms;
    out->downwards = test->direction < 0;
}

bool frame_put_calibration(struct wire *wire, const struct frame_world *world,
                           const struct device *device)
{
    Lumbar__Live__V1__Calibration out = LUMBAR__LIVE__V1__CALIBRATION__INIT;
    const struct neutral *neutral = calibration_neutral(world->calibration, device->id);
    out.has_device = out.has_neutral = out.has_taken_ms = out.has_expires_ms = 1;
    out.device = device->id;
    out.neutral = calibration_state(neutral->state);
    out.neutral_reason = (char *)neutral->reason;
    out.has_until_ms = neutral->state == CALIBRATION_UNDER_WAY;
    out.until_ms = neutral->until_ms;
    out.taken_ms = neutral->zero.taken_ms;
    out.expires_ms = neutral->zero.expires_ms;
    fill_range(device, calibration_range(world->calibration, device->id), &out);
    return wire_put(wire, WIRE_FRAME_CALIBRATIONS, &out.base);
}

bool frame_put_latest(struct wire *wire, const struct device *device, uint32_t flags,
                      int64_t now_ms)
{
    const struct driver *driver = device->driver;
    uint32_t metric[DRIVER_METRICS_MAX], value[DRIVER_METRICS_MAX], age_ms[DRIVER_METRICS_MAX];
    Lumbar__Live__V1__Latest out = LUMBAR__LIVE__V1__LATEST__INIT;
    size_t count = 0;
    for (uint32_t i = 0; i < driver->metric_count; i++) {
        const struct device_value *newest = &device->values[i];
        const struct lumbar_metric *of = &driver->metrics[i];
        bool is_key = of->phases != 0 && (flags & LUMBAR_KEY) != 0; /* in some phase */
        if (newest->time_ms == 0 || (flags != 0 && (of->flags & flags) == 0 && !is_key))
            continue;
        int64_t age = now_ms - newest->time_ms;
        metric[count] = driver->first_metric + i;
        value[count] = metric_quantise(&driver->metrics[i], newest->value);
        age_ms[count] = age < 0 ? 0 : age > UINT32_MAX ? UINT32_MAX : (uint32_t)age;
        count++;
    }
    if (count == 0)
        return true;
    out.has_device = 1;
    out.device = device->id;
    out.metric = metric;
    out.value = value;
    out.age_ms = age_ms;
    out.n_metric = out.n_value = out.n_age_ms = count;
    return wire_put(wire, WIRE_FRAME_LATEST, &out.base);
}

/* A column as differences; NULL where the arena is used up. */
static Lumbar__Live__V1__Points__Column *points_column(struct lumbar_scratch *arena,
                                                       const struct device *device,
                                                       const struct feed_column *column)
{
    Lumbar__Live__V1__Points__Column *out = lumbar_scratch_alloc(arena, sizeof(*out));
    int32_t *delta = lumbar_scratch_alloc(arena, column->count * sizeof(*delta));
    if (out == NULL || delta == NULL)
        return NULL;
    int32_t before = 0;
    for (uint32_t i = 0; i < column->count; i++) {
        delta[i] = column->value[i] - before;
        before = column->value[i];
    }
    lumbar__live__v1__points__column__init(out);
    out->has_metric = 1;
    out->metric = device->driver->first_metric + column->metric;
    out->n_delta = column->count;
    out->delta = delta;
    return out;
}

static bool points_times(struct lumbar_scratch *arena, Lumbar__Live__V1__Points *points,
                         const struct feed_column *column, int64_t start_ms)
{
    uint32_t *dt_ms = lumbar_scratch_alloc(arena, column->count * sizeof(*dt_ms));
    if (dt_ms == NULL)
        return false;
    dt_ms[0] = 0;
    for (uint32_t i = 1; i < column->count; i++)
        dt_ms[i] = (uint32_t)(column->dt_ms[i] - column->dt_ms[i - 1]);
    points->has_start_ms = 1;
    points->start_ms = start_ms + column->dt_ms[0];
    points->n_dt_ms = column->count;
    points->dt_ms = dt_ms;
    return true;
}

/* Writes the columns from `column` on that have the same times; `column` then is the next one. */
static bool put_columns(struct wire *wire, struct lumbar_scratch arena, const struct device *device,
                        const struct feed_record *record, uint32_t *position,
                        struct feed_column *column, bool *more)
{
    Lumbar__Live__V1__Points__Column *columns[DRIVER_METRICS_MAX];
    Lumbar__Live__V1__Points points = LUMBAR__LIVE__V1__POINTS__INIT;
    struct feed_column first = *column;
    if (!points_times(&arena, &points, &first, record->start_ms))
        return false;
    while (*more && column->dt_ms == first.dt_ms && column->count == first.count &&
           points.n_columns < DRIVER_METRICS_MAX) {
        columns[points.n_columns] = points_column(&arena, device, column);
        if (columns[points.n_columns] == NULL)
            return false;
        points.n_columns++;
        *more = feed_column(record, position, column);
    }
    points.has_device = 1;
    points.device = device->id;
    points.columns = columns;
    return wire_put(wire, WIRE_FRAME_POINTS, &points.base);
}

bool frame_put_points(struct wire *wire, struct lumbar_scratch arena, const struct device *device,
                      const struct feed_record *record)
{
    size_t length = wire->length;
    uint32_t position = 0;
    struct feed_column column;
    bool more = feed_column(record, &position, &column);
    while (more)
        if (!put_columns(wire, arena, device, record, &position, &column, &more)) {
            wire->length = length; /* a record is sent whole */
            return false;
        }
    return true;
}
