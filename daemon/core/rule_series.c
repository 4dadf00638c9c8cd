#include "core/rule_series.h"

#include <math.h>
#include <string.h>

#define WORD_BYTES 64

/* "x12" at the end of a word: cuts it off. False where it is no number of steps. */
static bool take_times(char *word, int64_t *times)
{
    char *x = strrchr(word, 'x');
    *times = -1;
    if (x == NULL || x == word || x[1] == '\0' || strspn(x + 1, "0123456789") != strlen(x + 1))
        return true; /* a label may have an x */
    if (strlen(x + 1) > 7)
        return false;
    *times = 0;
    for (const char *digit = x + 1; *digit != '\0'; digit++)
        *times = *times * 10 + (*digit - '0');
    *x = '\0';
    return *times > 0;
}

static bool is_label(const char *word, const struct lumbar_metric *metric, double *value)
{
    for (uint32_t i = 0; metric->labels != NULL && metric->labels[i] != NULL; i++)
        if (strcmp(metric->labels[i], word) == 0) {
            *value = i;
            return true;
        }
    return false;
}

/* "20", "20+5" or "20-5". */
static bool read_number(const char *word, struct series_run *run)
{
    const char *rest;
    run->step = 0;
    if (!text_quantity(word, &run->first, &rest))
        return false;
    if (*rest == '\0')
        return true;
    char sign = *rest;
    if ((sign != '+' && sign != '-') || !text_quantity(rest + 1, &run->step, &rest) ||
        *rest != '\0')
        return false;
    run->step = sign == '-' ? -run->step : run->step;
    return true;
}

static bool can_say(const struct lumbar_metric *metric, const struct series_run *run)
{
    double last = run->first + run->step * (double)(run->count - 1);
    return run->first >= metric->min && run->first <= metric->max && last >= metric->min &&
           last <= metric->max;
}

static bool read_values(char *word, const struct lumbar_metric *metric, struct series_run *run,
                        struct text *why)
{
    char whole[WORD_BYTES];
    int64_t times = -1;
    memcpy(whole, word, sizeof(whole));
    if (!is_label(word, metric, &run->first)) {
        bool counted = take_times(word, &times);
        if (!counted || (metric->labels != NULL ? !is_label(word, metric, &run->first)
                                                : !read_number(word, run))) {
            text_add(why, "'%s' is no %s%s", whole,
                     metric->labels != NULL ? "label of " : "value, as 20, 20x4 or 20+5x4",
                     metric->labels != NULL ? metric->name : "");
            return false;
        }
    }
    run->count = times < 0 ? 1 : times + 1;
    if (can_say(metric, run))
        return true;
    text_add(why, "'%s' is beyond what %s can say: ", whole, metric->name);
    text_add_number(why, metric->min, 3);
    text_add(why, " to ");
    text_add_number(why, metric->max, 3);
    return false;
}

static bool read_word(char *word, const struct lumbar_metric *metric, struct series_run *run,
                      struct text *why)
{
    static const char *const words[] = {[SERIES_MISSING] = "_", [SERIES_SILENT] = "stale"};
    char bare[WORD_BYTES];
    int64_t times;
    memcpy(bare, word, sizeof(bare));
    *run = (struct series_run){.kind = SERIES_VALUE, .first = NAN};
    bool counted = take_times(bare, &times);
    for (enum series_kind kind = SERIES_MISSING; kind <= SERIES_SILENT; kind++)
        if (counted && strcmp(bare, words[kind]) == 0) {
            run->kind = kind;
            run->count = times < 0 ? 1 : times;
            return true;
        }
    return read_values(word, metric, run, why);
}

bool rule_series_read(struct rule_series *out, const char *words,
                      const struct lumbar_metric *metric, struct text *why)
{
    out->run_count = 0;
    out->steps = 0;
    for (const char *at = words + strspn(words, " \n"); *at != '\0'; at += strspn(at, " \n")) {
        char word[WORD_BYTES] = "";
        size_t length = strcspn(at, " \n");
        if (length >= sizeof(word)) {
            text_add(why, "'%.20s...' is too long a word", at);
            return false;
        }
        memcpy(word, at, length);
        at += length;
        struct series_run run;
        if (!read_word(word, metric, &run, why))
            return false;
        if (out->run_count == SERIES_RUNS_MAX || run.count > SERIES_STEPS_MAX - out->steps) {
            text_add(why, "more than %d words, or %d steps", SERIES_RUNS_MAX, SERIES_STEPS_MAX);
            return false;
        }
        out->runs[out->run_count++] = run;
        out->steps += run.count;
    }
    if (out->run_count == 0)
        text_add(why, "it has no values");
    return out->run_count > 0;
}

enum series_kind rule_series_at(const struct rule_series *series, int64_t step, double *value)
{
    *value = NAN;
    for (uint32_t i = 0; i < series->run_count; i++) {
        const struct series_run *run = &series->runs[i];
        if (step < run->count) {
            *value = run->first + run->step * (double)step; /* of what is missing: NaN */
            return run->kind;
        }
        step -= run->count;
    }
    return SERIES_SILENT;
}
