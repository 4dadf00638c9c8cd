#include "core/account.h"

#include <string.h>

/* A jump of the sequence beyond this is no loss that anybody could believe, and one back no repeat:
 * a new start. */
#define SEQUENCE_JUMP_MAX 1000000u
#define SEQUENCE_PER_MS                                                                            \
    1u /* no device says more; what it says in bursts, the window has room for */

#define CLOCK_HALF_MS    30000 /* half of the window for the lowest delay */
#define CLOCK_SILENCE_MS 5000  /* what a silence counts at most in that window */
#define CLOCK_STEP_MS    5000  /* a difference beyond this is no jitter */

/* ---- Sequence ---- */

static uint64_t seen_bit(uint64_t sequence)
{
    return (uint64_t)1 << (sequence % 64);
}

static uint64_t *seen_word(struct account_window *window, uint64_t sequence)
{
    return &window->seen[sequence % DEVICE_WINDOW / 64];
}

static void window_begin(struct account_window *window, uint64_t sequence, uint64_t held_from)
{
    memset(window, 0, sizeof(*window));
    window->first = window->newest = sequence;
    window->whole = held_from > 0 && held_from <= sequence ? held_from - 1 : sequence - 1;
    *seen_word(window, sequence) |= seen_bit(sequence);
}

/* Makes `sequence` the newest; those between were not seen. */
static void window_advance(struct account_window *window, uint64_t sequence)
{
    if (sequence - window->newest >= DEVICE_WINDOW)
        memset(window->seen, 0, sizeof(window->seen));
    else
        for (uint64_t skipped = window->newest + 1; skipped < sequence; skipped++)
            *seen_word(window, skipped) &= ~seen_bit(skipped);
    *seen_word(window, sequence) |= seen_bit(sequence);
    window->newest = sequence;
}

/* Takes an older sequence. False: it was seen. Below the window nothing is known of single ones:
 * what lies beyond a gap that old is taken, for a value twice is better than a value lost. */
static bool window_fill(struct account_window *window, uint64_t sequence)
{
    if (window->newest - sequence >= DEVICE_WINDOW) {
        if (sequence <= window->whole)
            return false;
        if (sequence == window->whole + 1)
            window->whole = sequence;
        return true;
    }
    if ((*seen_word(window, sequence) & seen_bit(sequence)) != 0)
        return false;
    *seen_word(window, sequence) |= seen_bit(sequence);
    return true;
}

/* Moves `whole` up. A gap below held_from is not waited for: the device cannot fill it any more
 * (0: it holds nothing, so no gap at all is). */
static void window_close_gaps(struct account_window *window, uint64_t held_from)
{
    if (held_from == 0 || held_from > window->newest)
        held_from = window->newest;
    if (window->whole < held_from - 1)
        window->whole = held_from - 1;
    while (window->whole < window->newest && window->newest - window->whole <= DEVICE_WINDOW &&
           (*seen_word(window, window->whole + 1) & seen_bit(window->whole + 1)) != 0)
        window->whole++;
}

/* For acknowledgements it does not matter how often a sequence came. */
static void window_keep(struct account_window *window, uint64_t sequence)
{
    if (sequence > window->newest)
        window_advance(window, sequence);
    else
        window_fill(window, sequence);
}

/* Forgets all beyond a sequence. */
static void window_forget(struct account_window *window, uint64_t beyond)
{
    *window = (struct account_window){.first = beyond, .newest = beyond, .whole = beyond};
}

/* ---- Clock ---- */

/*
 * hub time = device time + offset. A message reaches us a delay of 0 or more after it was sent, so
 *
 *     received - now = offset + delay >= offset
 *
 * and the lowest of the last 30 to 60 s is the offset as near as it can be known. A message that
 * waited in a queue has a long delay, which the lowest ignores: its samples land in the past, where
 * they belong, and jitter of the network does not move them. The minute makes the estimate follow a
 * clock that drifts. It counts time in which messages came: a silence hardly ages the estimate, so
 * what a device had kept through five minutes without network still meets the offset from before.
 *
 * A hub that never heard the device before a queue is emptied can only learn as it empties.
 */
static int64_t clock_offset(const struct account_clock *clock)
{
    return clock->lowest[0] < clock->lowest[1] ? clock->lowest[0] : clock->lowest[1];
}

static void clock_begin(struct account_clock *clock, int64_t now_ms, int64_t received_ms)
{
    *clock = (struct account_clock){
        .known = true,
        .lowest = {received_ms - now_ms, INT64_MAX},
        .received_ms = received_ms,
        .now_ms = INT64_MIN,
    };
}

static void clock_slide(struct account_clock *clock, int64_t raw_ms, int64_t received_ms)
{
    int64_t heard = received_ms - clock->received_ms;
    heard = heard < 0 ? 0 : heard > CLOCK_SILENCE_MS ? CLOCK_SILENCE_MS : heard;
    clock->received_ms = received_ms;
    clock->settled_ms += heard;
    clock->half_ms += heard;
    if (clock->half_ms >= CLOCK_HALF_MS) {
        clock->half_ms = 0;
        clock->lowest[1] = clock->lowest[0];
        clock->lowest[0] = raw_ms;
    } else if (raw_ms < clock->lowest[0]) {
        clock->lowest[0] = raw_ms;
    }
}

/* Does the message show that the device's clock was set?
 * Back: now falls though the sequence grows. Forward: the delay would have to be negative by far.
 * Back by less than a silence: cannot be told from a queue; the sliding minute learns it. */
static bool clock_was_set(const struct account_clock *clock, int64_t now_ms, int64_t received_ms,
                          bool ordered)
{
    return (ordered && now_ms < clock->now_ms) ||
           received_ms - now_ms < clock_offset(clock) - CLOCK_STEP_MS;
}

/* Takes the clock of a message newer than all before. True: a clock that was known was set. In the
 * first seconds it may as well be a queue that empties, which is not counted. */
static bool clock_hear(struct account_clock *clock, int64_t now_ms, int64_t received_ms,
                       bool ordered)
{
    bool set = clock->known && clock_was_set(clock, now_ms, received_ms, ordered);
    bool counts = set && (now_ms < clock->now_ms || clock->settled_ms >= CLOCK_STEP_MS);
    if (!clock->known || set)
        clock_begin(clock, now_ms, received_ms);
    else
        clock_slide(clock, received_ms - now_ms, received_ms);
    if (ordered)
        clock->now_ms = now_ms;
    return counts;
}

/* The latest time in the batch, on the device's clock; INT64_MIN where it has no samples. */
static int64_t batch_latest(const struct lumbar_batch *batch)
{
    int64_t latest_ms = INT64_MIN;
    for (uint32_t i = 0; i < batch->series_count; i++) {
        int64_t last_ms = batch->series[i].time_ms[batch->series[i].count - 1];
        if (last_ms > latest_ms)
            latest_ms = last_ms;
    }
    return latest_ms;
}

/* What is to be added to the batch's times. Samples from the future (beyond what jitter explains)
 * are not believed: the batch is moved so that it ends now. */
static int64_t batch_offset(struct device *device, const struct account_clock *clock,
                            const struct lumbar_batch *batch, int64_t received_ms)
{
    int64_t offset = batch->now_ms == 0 ? received_ms : clock_offset(clock);
    int64_t latest_ms = batch_latest(batch);
    if (latest_ms != INT64_MIN && latest_ms + offset > received_ms + CLOCK_STEP_MS) {
        device->clock_jumps++;
        return received_ms - latest_ms;
    }
    return offset;
}

/* For who wants the times of a repeat all the same; it changes nothing. */
static int64_t repeat_offset(const struct account_clock *clock, const struct lumbar_batch *batch,
                             int64_t received_ms)
{
    if (batch->now_ms == 0)
        return received_ms;
    return clock->known ? clock_offset(clock) : received_ms - batch->now_ms;
}

/* ---- What was heard and is not kept ---- */

static void missed_drop(struct account_boot *boot, unsigned at)
{
    boot->missed_count--;
    memmove(&boot->missed[at], &boot->missed[at + 1],
            (boot->missed_count - at) * sizeof(boot->missed[0]));
}

/* They come in their order nearly always, so one span holds them all. Where there are more than
 * have a place, the oldest is given up: it stays a gap. */
static void missed_add(struct device_account *account, uint64_t sequence, unsigned what)
{
    struct account_boot *boot = account->heard;
    for (unsigned i = 0; i < boot->missed_count; i++) {
        struct account_missed *span = &boot->missed[i];
        if (span->what == what && sequence + 1 >= span->from && sequence <= span->to + 1) {
            span->from = sequence < span->from ? sequence : span->from;
            span->to = sequence > span->to ? sequence : span->to;
            return;
        }
    }
    if (boot->missed_count == DEVICE_MISSED_MAX) {
        missed_drop(boot, 0);
        account->given_up++;
    }
    boot->missed[boot->missed_count++] = (struct account_missed){sequence, sequence, what};
}

/* It came again. What it is wanted for; it is not, from now on. */
static unsigned missed_take(struct device_account *account, struct account_boot *boot,
                            uint64_t sequence)
{
    unsigned what = 0;
    for (unsigned i = boot->missed_count; i-- > 0;) {
        struct account_missed span = boot->missed[i];
        if (sequence < span.from || sequence > span.to)
            continue;
        what |= span.what;
        missed_drop(boot, i);
        if (sequence > span.from)
            boot->missed[boot->missed_count++] =
                (struct account_missed){span.from, sequence - 1, span.what};
        if (sequence == span.to)
            continue;
        if (boot->missed_count < DEVICE_MISSED_MAX)
            boot->missed[boot->missed_count++] =
                (struct account_missed){sequence + 1, span.to, span.what};
        else
            account->given_up++;
    }
    return what;
}

/* What the device holds no longer cannot come again. */
static void missed_release(struct account_boot *boot, uint64_t held_from)
{
    for (unsigned i = boot->missed_count; i-- > 0;) {
        struct account_missed *span = &boot->missed[i];
        if (held_from == 0 || span->to < held_from)
            missed_drop(boot, i);
        else if (span->from < held_from)
            span->from = held_from;
    }
}

void device_miss(struct device *device, unsigned what)
{
    struct device_account *account = device->account;
    if (account->heard != NULL && what != 0)
        missed_add(account, account->heard_sequence, what);
}

unsigned device_missing(const struct device *device)
{
    return device->account->missing;
}

void devices_missed(struct devices *devices, struct devices_missed *out)
{
    *out = (struct devices_missed){0};
    for (uint32_t id = 1; id <= devices_count(devices); id++) {
        const struct device_account *account = devices_at(devices, id)->account;
        out->given_up += account->given_up;
        for (int i = 0; i < 2; i++)
            if (account->boot[i].missed_count > out->most)
                out->most = account->boot[i].missed_count;
    }
}

/* ---- One message ---- */

static struct account_boot *boot_begin(struct device *device, uint64_t id, uint64_t sequence,
                                       uint64_t held_from)
{
    struct account_boot *boot = &device->account->boot[0];
    if (boot->known && boot->id != id)
        device->account->boot[1] = *boot;
    memset(boot, 0, sizeof(*boot));
    boot->known = boot->alone = true;
    boot->id = id;
    window_begin(&boot->window, sequence, held_from);
    boot->ack.kept = boot->window;
    device->boots++;
    return boot;
}

static struct account_boot *boot_find(struct device *device, uint64_t id)
{
    for (int i = 0; i < 2; i++)
        if (device->account->boot[i].known && device->account->boot[i].id == id)
            return &device->account->boot[i];
    return NULL;
}

/* Counts an older sequence of a boot. False: a repeat. */
static bool account_older(struct device *device, struct account_boot *boot, uint64_t sequence)
{
    if (!window_fill(&boot->window, sequence)) {
        device->duplicates++;
        boot->ack.repeated = true;
        return false;
    }
    device->late++;
    if (sequence > boot->window.first && device->lost > 0)
        device->lost--;
    return true;
}

/* Repeats too: the record that came first may be lost. */
static void account_owe(struct account_boot *boot, uint64_t position, uint64_t sequence,
                        uint64_t held_from)
{
    struct account_ack *ack = &boot->ack;
    uint64_t before = ack->kept.whole;
    if (ack->first == 0)
        ack->first = position;
    ack->last = position;
    window_keep(&ack->kept, sequence);
    window_close_gaps(&ack->kept, held_from);
    if (held_from == 0 || (ack->kept.whole == before && ack->reached.sequence == before))
        return;
    ack->reached.sequence = ack->kept.whole;
    ack->reached.position = position;
}

/* Is this number neither a loss nor a repeat that could be believed? `most`: of a loss. Where one
 * message is all that is known, that one may be wrong. */
static bool is_far_off(const struct account_boot *boot, uint64_t sequence, uint64_t most)
{
    const struct account_window *window = &boot->window;
    if (sequence > window->newest)
        return sequence - window->newest - 1 > most;
    uint64_t back = window->newest - sequence;
    return back > SEQUENCE_JUMP_MAX ||
           (boot->alone && back >= DEVICE_WINDOW && sequence <= window->whole);
}

/* How many messages may have been lost, at most, since the newest one: by the hub's clock or, where
 * a queue is emptied in which some are missing, by the device's. */
static uint64_t believable_loss(const struct account_clock *clock, const struct lumbar_batch *batch,
                                int64_t silent_ms)
{
    if (batch->now_ms != 0 && clock->known && clock->now_ms != INT64_MIN &&
        batch->now_ms - clock->now_ms > silent_ms)
        silent_ms = batch->now_ms - clock->now_ms;
    uint64_t most =
        DEVICE_WINDOW + (silent_ms > 0 ? (uint64_t)silent_ms * SEQUENCE_PER_MS : (uint64_t)0);
    return most < SEQUENCE_JUMP_MAX ? most : SEQUENCE_JUMP_MAX;
}

/* A second number bears out the one that was doubted: a long loss, or a new start. */
static struct account_boot *believe(struct device *device, struct account_boot *boot,
                                    uint64_t position)
{
    struct account_doubt doubt = boot->doubt;
    if (is_far_off(boot, doubt.sequence, SEQUENCE_JUMP_MAX)) {
        boot = boot_begin(device, boot->id, doubt.sequence, doubt.held_from);
    } else {
        device->lost += doubt.sequence - boot->window.newest - 1;
        window_advance(&boot->window, doubt.sequence);
    }
    account_owe(boot, position, doubt.sequence, doubt.held_from);
    if (boot->ack.first > doubt.position)
        boot->ack.first = doubt.position;
    boot->doubt = (struct account_doubt){.sequence = 0};
    return boot;
}

/* Where a message stands among those of its boot. */
enum place { PLACE_NEWEST, PLACE_OLDER, PLACE_REPEAT };

/* Finds the boot of a message with a sequence and counts it there. One number that is wrong (a bit
 * that fell over) is kept in doubt and moves nothing: else each right one after it would be a
 * repeat for ever. */
static enum place account_sequence(struct device *device, const struct lumbar_batch *batch,
                                   int64_t silent_ms, uint64_t position,
                                   struct account_boot **found)
{
    uint64_t sequence = batch->sequence;
    struct account_boot *boot = *found = boot_find(device, batch->boot_id);
    if (boot == NULL) {
        *found = boot_begin(device, batch->boot_id, sequence, batch->held_from);
        return PLACE_NEWEST;
    }
    uint64_t most = believable_loss(&boot->clock, batch, silent_ms);
    if (is_far_off(boot, sequence, most)) {
        struct account_doubt *doubt = &boot->doubt;
        if (sequence == doubt->sequence) {
            device->duplicates++;
            return PLACE_REPEAT;
        }
        if (doubt->sequence == 0 || sequence - doubt->sequence > DEVICE_WINDOW) {
            *doubt = (struct account_doubt){sequence, batch->held_from, position};
            return PLACE_OLDER;
        }
        boot = *found = believe(device, boot, position);
    } else if (sequence == boot->doubt.sequence) {
        boot->doubt.sequence = 0;
    }
    boot->alone = false;
    if (sequence <= boot->window.newest)
        return account_older(device, boot, sequence) ? PLACE_OLDER : PLACE_REPEAT;
    device->lost += sequence - boot->window.newest - 1;
    window_advance(&boot->window, sequence);
    return PLACE_NEWEST;
}

enum device_verdict device_account(struct device *device, const struct lumbar_batch *batch,
                                   int64_t received_ms, uint64_t position, int64_t *offset_ms)
{
    enum place place = PLACE_NEWEST;
    bool ordered = (batch->flags & LUMBAR_HAS_SEQUENCE) != 0 && batch->sequence > 0;
    struct account_boot *boot = &device->account->boot[0];
    int64_t silent_ms = received_ms - device->heard_ms;

    device->messages++;
    device->heard_ms = received_ms;
    device->account->heard = NULL;
    device->account->missing = 0;
    if (ordered) {
        device->account->news = true;
        place = account_sequence(device, batch, silent_ms, position, &boot);
        device->account->heard = boot;
        device->account->heard_sequence = batch->sequence;
        missed_release(boot, batch->held_from);
        bool in_doubt = batch->sequence == boot->doubt.sequence;
        if (!in_doubt)
            account_owe(boot, position, batch->sequence, batch->held_from);
        if (place == PLACE_REPEAT) {
            *offset_ms = repeat_offset(&boot->clock, batch, received_ms);
            device->account->missing = missed_take(device->account, boot, batch->sequence);
            return device->account->missing != 0 ? DEVICE_WANTED : DEVICE_DUPLICATE;
        }
        if (!in_doubt)
            window_close_gaps(&boot->window, batch->held_from);
    }
    if (batch->now_ms != 0 && (place == PLACE_NEWEST || !boot->clock.known) &&
        clock_hear(&boot->clock, batch->now_ms, received_ms, ordered))
        device->clock_jumps++;
    *offset_ms = batch_offset(device, &boot->clock, batch, received_ms);
    if (batch->now_ms != 0 && (batch->flags & LUMBAR_WALL_CLOCK) != 0) {
        device->has_skew = true;
        device->skew_ms = clock_offset(&boot->clock);
    }
    return DEVICE_NEW;
}

bool device_is_restored(const struct device *device)
{
    return device->account->restored;
}

/* ---- Acknowledgement ---- */

/* What lies below `lost` and was not found on disk in time is gone: it is not owed any more. */
static void ack_lose(struct account_ack *ack, uint64_t lost)
{
    if (ack->first == 0 || ack->first >= lost)
        return;
    window_forget(&ack->kept, ack->safe);
    ack->reached = ack->waiting = (struct account_mark){.sequence = ack->safe};
    ack->first = ack->last = 0;
}

static void ack_settle(struct account_ack *ack, uint64_t synced)
{
    if (ack->last < synced)
        ack->first = ack->last = 0;
    else if (ack->first < synced)
        ack->first = synced;
    if (ack->reached.position < synced)
        ack->safe = ack->reached.sequence;
    else if (ack->waiting.position < synced)
        ack->safe = ack->waiting.sequence;
    if (ack->waiting.sequence <= ack->safe)
        ack->waiting = ack->reached;
}

/* Up to which sequence its device may let go of what it holds. */
static uint64_t ack_sequence(const struct account_boot *boot)
{
    uint64_t safe = boot->ack.safe;
    for (unsigned i = 0; i < boot->missed_count; i++)
        if (boot->missed[i].from <= safe)
            safe = boot->missed[i].from - 1;
    return safe;
}

static bool ack_due(const struct account_ack *ack, uint64_t safe, int64_t now_ms,
                    int64_t interval_ms)
{
    if (safe == 0 || (safe == ack->said && !ack->repeated))
        return false;
    return ack->said == 0 || now_ms - ack->said_ms >= interval_ms;
}

static void ack_note_said(struct account_ack *ack, uint64_t safe, int64_t now_ms)
{
    ack->said = safe;
    ack->said_ms = now_ms;
    ack->repeated = false;
}

void devices_acks(struct devices *devices, uint64_t synced, uint64_t lost, int64_t now_ms,
                  int64_t interval_ms, devices_ack_cb *on_ack, void *user)
{
    for (uint32_t id = 1; id <= devices_count(devices); id++) {
        struct device *device = devices_at(devices, id);
        for (int i = 0; i < 2; i++) {
            struct account_boot *boot = &device->account->boot[i];
            ack_lose(&boot->ack, lost);
            ack_settle(&boot->ack, synced);
            uint64_t safe = ack_sequence(boot);
            if (ack_due(&boot->ack, safe, now_ms, interval_ms) &&
                on_ack(user, device, boot->id, safe))
                ack_note_said(&boot->ack, safe, now_ms);
        }
    }
}
