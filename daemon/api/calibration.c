/* Calibration of a wearable on whoever wears it: neutral posture, range of motion. */
#include "api/api.h"

#include <stdio.h>

#define SECONDS     5 /* a neutral posture is held for, unless told otherwise */
#define REPETITIONS 3

static const char *const state_names[] = {
    [CALIBRATION_IDLE] = "none",
    [CALIBRATION_UNDER_WAY] = "under_way",
    [CALIBRATION_DONE] = "done",
    [CALIBRATION_REFUSED] = "refused",
};

static json_t *reason_of(const char *reason)
{
    return reason[0] != '\0' ? json_string(reason) : json_null();
}

static json_t *neutral_of(const struct lumbard *hub, const struct device *device)
{
    const struct neutral *neutral = calibration_neutral(hub->ingest.calibration, device->id);
    if (neutral == NULL)
        return json_null();
    const struct neutral_zero *zero = &neutral->zero;
    json_t *zeros = json_object();
    for (uint32_t a = 0; a < zero->count; a++) {
        const struct lumbar_metric *metric = &device->driver->metrics[zero->angles[a].metric];
        json_object_set_new(zeros, metric->name,
                            api_number(zero->angles[a].deg, metric->decimals + 1));
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "state", state_names[neutral->state],
                     "reason", reason_of(neutral->reason), "until",
                     api_instant(neutral->state == CALIBRATION_UNDER_WAY ? neutral->until_ms : 0),
                     "taken", api_instant(zero->taken_ms), "age_ms",
                     zero->taken_ms != 0 ? json_integer(hub_now_ms(hub) - zero->taken_ms)
                                         : json_null(),
                     "expires", api_instant(zero->expires_ms), "zeros", zeros);
}

static json_t *range_of(const struct lumbard *hub, const struct device *device)
{
    const struct range_test *test = calibration_range(hub->ingest.calibration, device->id);
    if (test == NULL || test->state == CALIBRATION_IDLE)
        return json_null();
    const struct lumbar_metric *metric = &device->driver->metrics[test->metric];
    json_t *peaks = json_array();
    for (uint32_t i = 0; i < test->count; i++)
        json_array_append_new(peaks, api_number(test->peaks[i], metric->decimals));
    json_t *json = json_pack("{s:s, s:o, s:s, s:s, s:i, s:o}", "state", state_names[test->state],
                             "reason", reason_of(test->reason), "metric", metric->name, "unit",
                             metric->unit, "repetitions", (int)test->wanted, "peaks", peaks);
    struct range_result result;
    if (!calibration_range_result(test, &result))
        return json;
    json_t *more = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o}", "side", test->direction < 0 ? "low" : "high", "best",
        api_number(result.best, metric->decimals), "mean",
        api_number(result.mean, metric->decimals), "spread",
        api_number(result.spread, metric->decimals), "measured", api_instant(result.measured_ms),
        "expires", api_instant(result.measured_ms + hub_own_age_ms(hub)));
    json_object_update(json, more);
    json_decref(more);
    return json;
}

json_t *api_calibration(const struct lumbard *hub, const struct device *device)
{
    return json_pack("{s:o, s:o, s:o}", "device", api_device_name(device), "neutral",
                     neutral_of(hub, device), "range", range_of(hub, device));
}

enum api_outcome api_get_calibration(void *user, const struct api_call *call,
                                     struct api_answer *answer)
{
    const struct device *device = api_path_device(user, call, answer);
    return device != NULL ? api_give(answer, 200, api_calibration(user, device)) : API_DONE;
}

/* It has begun; what comes of it is seen by asking, and by the live page. */
enum api_outcome api_take_neutral(void *user, const struct api_call *call,
                                  struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    struct diag diag = {0};
    const struct device *device = api_path_device(hub, call, answer);
    int64_t seconds = api_integer(&reader, "seconds", 1, 30, SECONDS);
    if (device == NULL)
        return API_DONE;
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    int code = calibration_neutral_begin(hub->ingest.calibration, device, seconds * 1000,
                                         hub->setup.config->calibration.neutral_ms, hub_now_ms(hub),
                                         &diag);
    return code == 0 ? api_give(answer, 202, api_calibration(hub, device))
                     : api_complain(answer, code, &diag);
}

enum api_outcome api_forget_neutral(void *user, const struct api_call *call,
                                    struct api_answer *answer)
{
    struct lumbard *hub = user;
    const struct device *device = api_path_device(hub, call, answer);
    if (device == NULL)
        return API_DONE;
    const struct neutral *neutral = calibration_neutral(hub->ingest.calibration, device->id);
    if (neutral == NULL || neutral->zero.taken_ms == 0)
        return api_problem(answer, 409, "%s has no neutral posture.", device->name);
    calibration_neutral_end(hub->ingest.calibration, device->id, "it was taken back",
                            hub_now_ms(hub));
    return api_stored(hub, call, answer, 200, api_calibration(hub, device));
}

enum api_outcome api_test_range(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    struct diag diag = {0};
    char name[2 * (LUMBAR_NAME_MAX + 1)];
    const struct device *device = api_path_device(hub, call, answer);
    const char *metric = api_text(&reader, "metric", 1, LUMBAR_NAME_MAX, NULL);
    int64_t wanted = api_integer(&reader, "repetitions", 1, CALIBRATION_REPETITIONS, REPETITIONS);
    if (device == NULL)
        return API_DONE;
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    snprintf(name, sizeof(name), "%s/%s", device->driver->plugin->kind, metric);
    int64_t number = drivers_find(&hub->setup.drivers, name, &diag);
    if (number < 0)
        return api_complain(answer, diag.code, &diag);
    const struct session *session = sessions_of_device(hub->ingest.sessions, device->id);
    int code = calibration_range_begin(
        hub->ingest.calibration, device, (uint32_t)number - device->driver->first_metric,
        (uint32_t)wanted, session != NULL ? session->id : 0, hub_now_ms(hub), &diag);
    return code == 0 ? api_give(answer, 202, api_calibration(hub, device))
                     : api_complain(answer, code, &diag);
}

enum api_outcome api_end_range(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct diag diag = {0};
    const struct device *device = api_path_device(hub, call, answer);
    if (device == NULL)
        return API_DONE;
    int code = calibration_range_end(hub->ingest.calibration, device, hub_now_ms(hub), &diag);
    return code == 0 ? api_stored(hub, call, answer, 200, api_calibration(hub, device))
                     : api_complain(answer, code, &diag);
}
