#include "made.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ingest.h"
#include "ward.h"

#define DAY_MS        INT64_C(86400000)
#define FIRST_MS      (INT64_C(19675) * DAY_MS) /* days are told apart, so that clocks go on */
#define HISTORY_BYTES (32u << 20)               /* a room's day: thirty values */

/* A room that is simulated. */
struct making {
    struct ingest *ingest;
    uint64_t position;
    int64_t now_ms;
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "bench-history: %s\n", what);
    exit(2);
}

static bool on_send(void *user, const char *topic, const uint8_t *bytes, size_t length)
{
    struct making *making = user;
    struct ingest_message message = {.topic = topic,
                                     .topic_bytes = strlen(topic),
                                     .payload = bytes,
                                     .payload_bytes = length,
                                     .received_ms = making->now_ms,
                                     .position = making->position};
    making->position += 64 + length;
    if (ingest_take(making->ingest, &message, making->now_ms) != INGEST_USED)
        give_up("a simulated message was not used");
    return true;
}

static struct made_series *series_of(struct made_day *day, uint32_t device, uint32_t metric)
{
    for (unsigned i = day->count; i-- > 0;) /* it is nearly always one of the last */
        if (day->series[i].device == device && day->series[i].metric == metric)
            return &day->series[i];
    day->series = realloc(day->series, (day->count + 1) * sizeof(*day->series));
    if (day->series == NULL)
        give_up("no memory");
    day->series[day->count] = (struct made_series){.device = device, .metric = metric};
    return &day->series[day->count++];
}

static void keep(struct made_day *day, const struct history *history, uint32_t number,
                 int64_t first_minute)
{
    struct block block;
    struct history_block of = history_at(history, number, &block);
    struct made_series *series = series_of(day, of.device, of.metric);
    int64_t minute = of.minute - first_minute;
    if (minute < 0 || minute >= (int64_t)day->hours * 60)
        return; /* what a device says of the time before, and of its last moment */
    if (day->room - day->used < BLOCK_MAX_BYTES + 2) {
        day->room = day->room == 0 ? 1 << 20 : day->room * 2;
        day->bytes = realloc(day->bytes, day->room);
        if (day->bytes == NULL)
            give_up("no memory");
    }
    uint8_t *at = day->bytes + day->used;
    size_t bytes = block_pack(&block, at + 2);
    at[0] = (uint8_t)bytes;
    at[1] = (uint8_t)(bytes >> 8);
    series->at[minute] = (uint32_t)day->used + 1;
    day->used += bytes + 2;
}

static void make_room(struct made_day *day, struct ingest *ingest, unsigned room, unsigned number)
{
    const int64_t from_ms = FIRST_MS + number * DAY_MS;
    struct making making = {.ingest = ingest, .position = 4096 + (uint64_t)number * (1u << 30)};
    struct ward *ward = ward_create(number + 1, room, on_send, &making);
    history_clear(ingest->history);
    for (int64_t row = 0; row < (int64_t)day->hours * 3600 * WARD_RATE; row++) {
        making.now_ms = from_ms + row * 1000 / WARD_RATE;
        ward_row(ward, row, making.now_ms);
    }
    ward_destroy(ward);
    if (history_lost(ingest->history) != 0)
        give_up("a room's day is more than was reckoned with");
    for (uint32_t i = 0; i < history_count(ingest->history); i++)
        keep(day, ingest->history, i, from_ms / HISTORY_MINUTE_MS);
}

void made_day_make(struct made_day *day, struct setup *setup, struct devices *devices,
                   unsigned rooms, unsigned hours, unsigned number)
{
    if (hours > MADE_HOURS_MAX)
        give_up("a day has fewer hours");
    *day = (struct made_day){.hours = hours};
    struct ingest ingest = {.config = setup->config,
                            .drivers = &setup->drivers,
                            .derive = setup->derive,
                            .rules = setup->rules,
                            .devices = devices,
                            .routes = routes_create(2 * rooms),
                            .alarms = alarms_create(),
                            .feed = feed_create(1 << 20),
                            .history = history_create(HISTORY_BYTES, 2 * rooms, &setup->drivers)};
    if (ingest.routes == NULL || ingest.alarms == NULL || ingest.feed == NULL ||
        ingest.history == NULL)
        give_up("no memory");
    for (unsigned room = 1; room <= rooms; room++)
        make_room(day, &ingest, room, number);
    history_destroy(ingest.history);
    feed_destroy(ingest.feed);
    alarms_destroy(ingest.alarms);
    routes_destroy(ingest.routes);
}

void made_day_free(struct made_day *day)
{
    free(day->series);
    free(day->bytes);
    *day = (struct made_day){.count = 0};
}

bool made_block(const struct made_day *day, const struct made_series *series, unsigned minute,
                struct block *block)
{
    if (series->at[minute] == 0)
        return false;
    const uint8_t *at = day->bytes + series->at[minute] - 1;
    if (!block_unpack(block, at + 2, (size_t)(at[0] | at[1] << 8)))
        give_up("a block that was packed cannot be unpacked");
    return true;
}
