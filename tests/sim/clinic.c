#include "clinic.h"

#include "massage.pb-c.h"

#define TOO_WARM_PAD 46.5 /* Cel: the skin passes 43 after some minutes */

#define STATE(name)   LUMBAR__MASSAGE__V1__STATE__STATE_##name
#define PROGRAM(name) LUMBAR__MASSAGE__V1__PROGRAM__PROGRAM_##name
#define REGION(name)  LUMBAR__MASSAGE__V1__REGION__REGION_##name

static void move_to(struct room *room, struct pose pose, double hold_s)
{
    room->pose = pose;
    room->pose_left_s = hold_s;
}

static struct pose standing(struct prng *prng)
{
    return (struct pose){.flexion = prng_between(prng, 0, 6),
                         .trunk = prng_between(prng, -1, 4),
                         .lateral = prng_between(prng, -3, 3),
                         .rotation = prng_between(prng, -3, 3),
                         .pace = 1.5};
}

/* In a massage chair: astride, chest against the rest. */
static struct pose leaning(struct prng *prng)
{
    return (struct pose){.flexion = prng_between(prng, 18, 26),
                         .trunk = prng_between(prng, 9, 16),
                         .lateral = prng_between(prng, -2, 2),
                         .rotation = prng_between(prng, -2, 2),
                         .pace = 0.8};
}

/* Sitting upright, or sunk together near the end of the range: that is what a slouch is. */
static void sit(struct room *room)
{
    struct prng *prng = &room->prng;
    bool slouched = room->slouches && room->phase_s > 20;
    struct pose pose = {.flexion =
                            slouched ? prng_between(prng, 34, 40) : prng_between(prng, 16, 23),
                        .trunk = slouched ? prng_between(prng, 8, 14) : prng_between(prng, 0, 5),
                        .lateral = prng_between(prng, -5, 5),
                        .rotation = prng_between(prng, -5, 5),
                        .pace = 1.0};
    move_to(room, pose, prng_between(prng, 8, 40));
}

/* Exercise: down and up again. Some hold it longer than they should, a few are hasty. */
static void bend(struct room *room, double deepest)
{
    struct prng *prng = &room->prng;
    bool upright = room->pose.flexion < 15;
    if (!upright) {
        move_to(room, standing(prng), prng_between(prng, 3, 9));
        return;
    }
    double flexion = prng_between(prng, 25, deepest);
    struct pose pose = {.flexion = flexion,
                        .trunk = flexion * prng_between(prng, 0.7, 1.05),
                        .lateral = prng_between(prng, -12, 12),
                        .rotation = prng_between(prng, -6, 6),
                        .pace = prng_chance(prng, 0.03) ? 2.6 : 1.4};
    move_to(room, pose, prng_chance(prng, 0.02) ? 9 : prng_between(prng, 2, 3.2));
}

static void change_pose(struct room *room)
{
    switch (room->phase) {
    case PHASE_TALK:
    case PHASE_PAUSE:
        sit(room);
        break;
    case PHASE_WARM_UP:
        bend(room, 46);
        break;
    case PHASE_STRETCHING:
        bend(room, 54);
        break;
    case PHASE_HEAT:
    case PHASE_MASSAGE:
        move_to(room, leaning(&room->prng), prng_between(&room->prng, 15, 60));
        break;
    case PHASE_CHANGE:
    case PHASE_COUNT_:
        move_to(room, standing(&room->prng), 60);
        break;
    }
}

/* The hands go on: region after region, pressure by region, each third spell with percussion, and
 * between two of them a short stop. */
static void next_massage_spell(struct room *room)
{
    static const unsigned order[] = {REGION(LOWER_BACK_LEFT), REGION(LOWER_BACK_RIGHT),
                                     REGION(GLUTE_LEFT),      REGION(GLUTE_RIGHT),
                                     REGION(HIP_LEFT),        REGION(HIP_RIGHT)};
    struct prng *prng = &room->prng;
    unsigned spell = room->spell++;
    if (spell % 2 == 1) {
        room->treatment.state = STATE(PAUSED);
        room->treatment.pressure = 0;
        room->treatment.frequency = 0;
        room->spell_left_s = prng_between(prng, 6, 15);
        return;
    }
    bool percussion = (spell / 2) % 3 == 2;
    unsigned region = order[(spell / 2) % 6];
    bool gluteal = region == REGION(GLUTE_LEFT) || region == REGION(GLUTE_RIGHT);
    room->treatment = (struct treatment){
        .state = STATE(RUNNING),
        .program = percussion ? PROGRAM(PERCUSSION) : PROGRAM(MASSAGE),
        .region = region,
        .pressure = prng_between(prng, 25, 55) * (gluteal ? 1.4 : 1.0),
        .frequency = percussion ? prng_between(prng, 28, 42) : 0,
    };
    room->spell_left_s = prng_between(prng, 70, 130);
}

static void change_treatment(struct room *room)
{
    room->spell_left_s = 3600;
    switch (room->phase) {
    case PHASE_HEAT:
        room->treatment = (struct treatment){.state = STATE(RUNNING),
                                             .program = PROGRAM(HEAT),
                                             .region = REGION(LOWER_BACK_LEFT),
                                             .pressure = 4, /* the pad's own weight */
                                             .pad = room->warm_pad};
        break;
    case PHASE_MASSAGE:
        next_massage_spell(room);
        break;
    case PHASE_WARM_UP:
        room->treatment = (struct treatment){.state = STATE(IDLE), .program = PROGRAM(WARM_UP)};
        break;
    case PHASE_STRETCHING:
        room->treatment = (struct treatment){.state = STATE(IDLE), .program = PROGRAM(STRETCHING)};
        break;
    default:
        room->treatment = (struct treatment){.state = STATE(IDLE), .program = PROGRAM(NONE)};
    }
}

static double phase_length_s(struct prng *prng, enum phase phase)
{
    static const struct {
        double low, high;
    } lengths[PHASE_COUNT_] = {
        [PHASE_TALK] = {240, 600},    [PHASE_WARM_UP] = {150, 240}, [PHASE_HEAT] = {360, 540},
        [PHASE_MASSAGE] = {600, 900}, [PHASE_PAUSE] = {90, 240},    [PHASE_STRETCHING] = {180, 300},
        [PHASE_CHANGE] = {20, 45},
    };
    return prng_between(prng, lengths[phase].low, lengths[phase].high);
}

static void begin(struct room *room, enum phase phase)
{
    struct prng *prng = &room->prng;
    room->phase = phase;
    room->phase_s = 0;
    room->phase_left_s = phase_length_s(prng, phase);
    room->spell = 0;
    room->away = phase == PHASE_CHANGE;
    room->slouches = (phase == PHASE_TALK || phase == PHASE_PAUSE) && prng_chance(prng, 0.4);
    /* A pad at 42 Cel brings most skins to about 40; one client in eight has it too warm. */
    if (room->warm_pad == 0)
        room->warm_pad = prng_chance(prng, 0.12) ? TOO_WARM_PAD : prng_between(prng, 40.5, 43);
    if (phase == PHASE_CHANGE)
        room->warm_pad = 0; /* the next client's own */
    change_pose(room);
    change_treatment(room);
}

void room_init(struct room *room, uint64_t seed, unsigned number)
{
    *room = (struct room){.prng = prng_seed(seed, number)};
    if (number == 1) { /* the slouch passes 300 s about a minute after the start */
        begin(room, PHASE_TALK);
        room->slouches = true;
        room->phase_left_s = 620;
        return;
    }
    if (number == 2) { /* heat has been on for some minutes, with a pad too warm */
        begin(room, PHASE_WARM_UP);
        room->phase_left_s = ROOM_PAST_S - 210;
        room->warm_pad = TOO_WARM_PAD;
        return;
    }
    begin(room, (enum phase)((number * 5u + 1u) % PHASE_COUNT_));
    /* Not all at the beginning of something either. */
    int steps = (int)prng_between(&room->prng, 0, 1200);
    for (int i = 0; i < steps; i++)
        room_step(room, 0.5);
}

void room_step(struct room *room, double dt_s)
{
    room->phase_s += dt_s;
    room->phase_left_s -= dt_s;
    room->pose_left_s -= dt_s;
    room->spell_left_s -= dt_s;
    if (room->phase_left_s <= 0) {
        begin(room, (enum phase)((room->phase + 1) % PHASE_COUNT_));
        return;
    }
    if (room->pose_left_s <= 0)
        change_pose(room);
    if (room->spell_left_s <= 0)
        change_treatment(room);
}

const char *phase_name(enum phase phase)
{
    static const char *const names[PHASE_COUNT_] = {
        [PHASE_TALK] = "talk",       [PHASE_WARM_UP] = "warm-up", [PHASE_HEAT] = "heat",
        [PHASE_MASSAGE] = "massage", [PHASE_PAUSE] = "pause",     [PHASE_STRETCHING] = "stretching",
        [PHASE_CHANGE] = "change",
    };
    return names[phase];
}
