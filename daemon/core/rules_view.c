/* What a rule with a tree sees of a device and its room, and whether it holds: three values. */
#include <math.h>
#include <string.h>

#include "core/rules_view.h"

/* ---- Where values and limits come from ---- */

/* The device of this kind in the room that gave the metric last; of those that gave nothing, any.
 */
static const struct device *partner(const struct rules *rules, struct devices *devices,
                                    uint32_t room, const struct rule_probe *probe)
{
    const struct device *best = NULL;
    uint32_t count = devices != NULL && room != ROOM_NONE ? devices_count(devices) : 0;
    int64_t best_ms = INT64_MIN;
    for (uint32_t id = 1; id <= count && id <= rules->max_devices; id++) {
        const struct device *device = devices_at(devices, id);
        if (device->room != room || device->driver != probe->driver)
            continue;
        const struct rule_input *input =
            input_of(rules, id, probe->metric - probe->driver->first_metric);
        int64_t given_ms = input->given ? input->value_ms : INT64_MIN;
        if (best == NULL || given_ms > best_ms) {
            best = device;
            best_ms = given_ms;
        }
    }
    return best;
}

/* `from`: a device that speaks now, and so is the one of its kind that was heard last. */
static void view_probes(struct view *view, struct devices *devices, const struct device *device,
                        const struct device *from)
{
    for (uint32_t i = 0; i < view->tree->probe_count; i++) {
        const struct rule_probe *probe = &view->tree->probes[i];
        const struct device *of = device;
        if (probe->driver != device->driver)
            of = from != NULL && from->driver == probe->driver
                     ? from
                     : partner(view->rules, devices, device->room, probe);
        view->probes[i] = (struct probed){.device = of != NULL ? of->id : 0};
        if (of != NULL)
            view->probes[i].input =
                *input_of(view->rules, of->id, probe->metric - probe->driver->first_metric);
    }
}

double rules_asked(const struct rules *rules, uint32_t room, const struct rule_limit *limit,
                   bool high)
{
    const struct rules_lookup *lookup = &rules->lookup;
    double ends[2] = {NAN, NAN};
    if (limit->source == LIMIT_PLAN &&
        (lookup->limit == NULL ||
         !lookup->limit(lookup->user, room, limit->metric, high, &ends[high])))
        return NAN;
    if (limit->source == LIMIT_OWN_RANGE &&
        (lookup->own_range == NULL ||
         !lookup->own_range(lookup->user, room, limit->metric, &ends[0], &ends[1])))
        return NAN;
    return ends[high] * limit->share + limit->offset;
}

/* Limits of plan and range hold for a whole message; those that other metrics are, for a moment. */
void view_limits(struct view *view)
{
    bool known = true;
    for (uint32_t i = 0; i < view->tree->term_count; i++) {
        const struct rule_term *term = &view->tree->terms[i];
        struct limits *limits = &view->limits[i];
        *limits = (struct limits){term->high, term->low, term->clear_high, term->clear_low};
        if (term_has_high(term) && limit_is_asked(&term->from_high)) {
            limits->high = rules_asked(view->rules, view->room, &term->from_high, true);
            limits->clear_high = limits->high - term->deadband;
            known = known && !isnan(limits->high);
        }
        if (term_has_low(term) && limit_is_asked(&term->from_low)) {
            limits->low = rules_asked(view->rules, view->room, &term->from_low, false);
            limits->clear_low = limits->low + term->deadband;
            known = known && !isnan(limits->low);
        }
    }
    view->armed = view->armed && known;
}

static bool is_phase(const struct rule *rule, const char *phase)
{
    for (uint32_t i = 0; i < rule->phase_count; i++)
        if (strcmp(rule->phases[i], phase) == 0)
            return true;
    return false;
}

bool view_is_armed(const struct view *view)
{
    if (view->rule->armed == ARMED_ALWAYS)
        return true;
    const char *phase = rules_phase(view->rules, view->room);
    if (phase == NULL) /* where there are no phases, none of them explains anything */
        return view->rule->armed == ARMED_EXCEPT;
    if (view->rule->armed == ARMED_SESSION)
        return true;
    return is_phase(view->rule, phase) == (view->rule->armed == ARMED_PHASES);
}

void view_init(struct view *view, struct rules *rules, struct devices *devices,
               const struct device *device, const struct device *from, uint32_t id)
{
    /* Not as a whole: what of probes and limits is not used need not be cleared. */
    view->rules = rules;
    view->rule = &rules->list[id];
    view->tree = rules->details[id].tree;
    view->state = state_of(rules, device->id, id);
    view->device = device->id;
    view->room = device->room;
    view->stale = false;
    view->on_event = NULL;
    view->user = NULL;
    view->armed = view_is_armed(view);
    view_probes(view, devices, device, from);
    view_limits(view);
}

/* ---- Three values ---- */

/* The newest value of a probe, NaN where it is not known. */
static double newest(struct view *view, uint32_t probe, int64_t time_ms)
{
    const struct probed *probed = &view->probes[probe];
    bool stale =
        probed->device == 0 || probe_is_stale(&view->tree->probes[probe], &probed->input, time_ms);
    view->stale = view->stale || stale;
    return stale || probed->input.unknown ? NAN : probed->input.value;
}

/* The newest value, though it may be stale, or the sensor have nothing to say since. */
static double last(const struct view *view, const struct rule_term *term, int64_t time_ms)
{
    const struct probed *probed = &view->probes[term->probe];
    bool known = probed->device != 0 && probed->input.given &&
                 time_ms - probed->input.value_ms <= term->window_ms;
    return known ? probed->input.value : NAN;
}

/* What the term looks at: a value, or what its window comes to. */
double view_value(struct view *view, const struct rule_term *term, int64_t time_ms)
{
    if (term->window == WINDOW_LAST)
        return last(view, term, time_ms);
    double value = term->event ? 0 : newest(view, term->probe, time_ms);
    if (term->window == WINDOW_NONE)
        return value;
    double counted = window_value(window_of(view->rules, view->device, term), term, time_ms);
    if (term->window == WINDOW_COUNT && counted >= term->times)
        return counted;
    return isnan(value) ? NAN : counted;
}

static void moment_limits(struct view *view, const struct rule_term *term, struct limits *limits,
                          int64_t time_ms)
{
    const struct rule_limit *high = &term->from_high, *low = &term->from_low;
    if (term_has_high(term) && high->source == LIMIT_METRIC) {
        limits->high = newest(view, high->probe, time_ms) * high->share + high->offset;
        limits->clear_high = limits->high - term->deadband;
    }
    if (term_has_low(term) && low->source == LIMIT_METRIC) {
        limits->low = newest(view, low->probe, time_ms) * low->share + low->offset;
        limits->clear_low = limits->low + term->deadband;
    }
}

static bool beyond(const struct rule_term *term, double value, double low, double high)
{
    switch (term->condition) {
    case RULE_ABOVE:
        return value > high;
    case RULE_BELOW:
        return value < low;
    case RULE_OUTSIDE:
        return value < low || value > high;
    case RULE_IS:
        return value == (double)term->label;
    case RULE_ABSENT:
        break;
    }
    return false;
}

bool term_holds(const struct rule_term *term, double value)
{
    return beyond(term, value, term->low, term->high);
}

bool term_stays(const struct rule_term *term, double value)
{
    return beyond(term, value, term->clear_low, term->clear_high);
}

static enum truth absence(const struct view *view, const struct rule_term *term, int64_t time_ms)
{
    const struct probed *probed = &view->probes[term->probe];
    if (probed->device == 0 || (!probed->input.given && !probed->input.missed))
        return UNKNOWN;
    /* What was held back is judged at its own time, and its signal is no less absent now. */
    int64_t now_ms = view->rules->now_ms > time_ms ? view->rules->now_ms : time_ms;
    return now_ms - probed->input.value_ms >= term->absent_ms ? YES : NO;
}

/* `stays`: does it hold still, with the limits at which it is over? Behind a `not` the two change
 * places, so that the band between them always leaves things as they are. */
static enum truth term_truth(struct view *view, uint32_t index, bool stays, int64_t time_ms)
{
    const struct rule_term *term = &view->tree->terms[index];
    struct limits *limits = &view->limits[index];
    if (term->condition == RULE_ABSENT)
        return absence(view, term, time_ms);
    double value = view_value(view, term, time_ms);
    if (isnan(value))
        return UNKNOWN;
    if (term->window == WINDOW_COUNT)
        return value >= term->times ? YES : NO;
    moment_limits(view, term, limits, time_ms);
    double high = stays != term->inverted ? limits->clear_high : limits->high;
    double low = stays != term->inverted ? limits->clear_low : limits->low;
    if ((term_has_high(term) && isnan(high)) || (term_has_low(term) && isnan(low)))
        return UNKNOWN;
    return beyond(term, value, low, high) ? YES : NO;
}

static enum truth node_truth(struct view *view, uint32_t at, bool stays, int64_t time_ms)
{
    const struct rule_node *node = &view->tree->nodes[at];
    if (node->kind == NODE_TERM)
        return term_truth(view, node->term, stays, time_ms);
    if (node->kind == NODE_NOT) {
        enum truth inner = node_truth(view, at + 1, stays, time_ms);
        return inner == UNKNOWN ? UNKNOWN : inner == YES ? NO : YES;
    }
    enum truth decides = node->kind == NODE_ALL ? NO : YES;
    enum truth all = decides == NO ? YES : NO;
    for (uint32_t child = at + 1; child < node->end; child = view->tree->nodes[child].end) {
        enum truth truth = node_truth(view, child, stays, time_ms);
        if (truth == decides)
            return decides;
        if (truth == UNKNOWN)
            all = UNKNOWN;
    }
    return all;
}

enum truth view_truth(struct view *view, bool stays, int64_t time_ms)
{
    view->stale = false;
    return node_truth(view, 0, stays, time_ms);
}
