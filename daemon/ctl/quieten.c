#include "quieten.h"

#include <stdio.h>
#include <stdlib.h>

#include "ctl.h"
#include "io/tape_folder.h"
#include "recording.h"
#include "trial.h"

/* Delays that people would choose, and bands as shares of what the metric can be. */
static const int64_t delays_s[] = {1, 2, 3, 5, 10, 15, 30, 60, 120, 300, 600};
static const double bands[] = {0.005, 0.01, 0.02, 0.05, 0.1, 0.2};

struct quietening {
    struct recording_place place;
    struct trial *trial;
    const char *rule;
    struct tape_name *tapes;
    size_t count;
};

/* How often the rule raised on all recordings. */
static int raised_on_all(struct quietening *of, unsigned *raised, struct diag *diag)
{
    const char *folder = recording_folder(&of->place, diag);
    *raised = 0;
    for (size_t i = 0; i < of->count; i++) {
        char path[PATH_MAX + TAPE_NAME_BYTES];
        struct tape_reader reader;
        uint8_t *bytes;
        snprintf(path, sizeof(path), "%s/%s", folder, of->tapes[i].file);
        int code = recording_load(&of->place, path, &reader, &bytes, diag);
        if (code != 0)
            return code;
        code = trial_run(of->trial, &reader, diag);
        if (code == 0)
            *raised += trial_raised(of->trial, rules_find(trial_rules(of->trial), of->rule));
        free(bytes);
        if (code != 0)
            return code;
    }
    return 0;
}

/* The first longer delay that halves it. */
static int try_delays(struct quietening *of, int64_t present_ms, unsigned before, struct diag *diag)
{
    for (size_t i = 0; i < sizeof(delays_s) / sizeof(delays_s[0]); i++) {
        unsigned raised;
        if (delays_s[i] * 1000 <= present_ms)
            continue;
        trial_vary(of->trial, of->rule, delays_s[i] * 1000, 0);
        int code = raised_on_all(of, &raised, diag);
        if (code != 0)
            return code;
        if (raised * 2 <= before) {
            printf("  a delay of %lld s would have made them %u\n", (long long)delays_s[i], raised);
            return 0;
        }
    }
    printf("  no delay up to %lld s would have halved them\n",
           (long long)delays_s[sizeof(delays_s) / sizeof(delays_s[0]) - 1]);
    return 0;
}

static int try_bands(struct quietening *of, const struct lumbar_metric *metric, unsigned before,
                     struct diag *diag)
{
    for (size_t i = 0; i < sizeof(bands) / sizeof(bands[0]); i++) {
        unsigned raised;
        double band = bands[i] * (metric->max - metric->min);
        trial_vary(of->trial, of->rule, 0, band);
        int code = raised_on_all(of, &raised, diag);
        if (code != 0)
            return code;
        if (raised * 2 <= before) {
            printf("  a deadband wider by %.*f %s would have made them %u\n",
                   (int)metric->decimals + 1, band, metric->unit, raised);
            return 0;
        }
    }
    printf("  no deadband would have halved them\n");
    return 0;
}

static int try_all(struct quietening *of, struct diag *diag)
{
    unsigned before;
    const struct rule *rule = rules_find(trial_rules(of->trial), of->rule);
    if (rule == NULL)
        return diag_set(diag, ERR_UNKNOWN, "there is no rule %s any more", of->rule);
    const struct lumbar_metric *metric = drivers_metric(trial_drivers(of->trial), rule->metric, NULL);
    int64_t delay_ms = rule->condition == RULE_ABSENT && rule->tree == NULL ? rule->absent_ms
                                                                            : rule->on_delay_ms;
    bool banded = rule->tree == NULL && (rule->condition == RULE_ABOVE ||
                                         rule->condition == RULE_BELOW);
    int code = raised_on_all(of, &before, diag);
    if (code != 0)
        return code;
    printf("%s raised %u alarms on %zu recordings\n", of->rule, before, of->count);
    if (before == 0)
        return 0;
    code = try_delays(of, delay_ms, before, diag);
    return code == 0 && banded ? try_bands(of, metric, before, diag) : code;
}

int quieten(const char *config_file, const char *rule)
{
    struct quietening of = {.place = {.config = config_file}, .rule = rule};
    struct diag diag = {0};
    const char *folder = recording_folder(&of.place, &diag);
    int code = folder != NULL ? tape_folder_list(folder, &of.tapes, &of.count, &diag) : diag.code;
    if (code == 0)
        code = trial_open(&of.trial, config_file, NULL, &diag);
    if (code == 0)
        code = try_all(&of, &diag);
    trial_close(of.trial);
    free(of.tapes);
    return code != 0 ? ctl_complain(&diag) : 0;
}
