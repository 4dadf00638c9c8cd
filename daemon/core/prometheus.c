#include "core/prometheus.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

/* UCUM to the base units that Prometheus wants. */
static const struct {
    const char *ucum, *name;
    double factor;
} units[] = {
    {"1", "", 1},
    {"%", "_ratio", 0.01},
    {"Cel", "_celsius", 1},
    {"s", "_seconds", 1},
    {"ms", "_seconds", 0.001},
    {"min", "_seconds", 60},
    {"h", "_seconds", 3600},
    {"deg", "_degrees", 1},
    {"deg/s", "_degrees_per_second", 1},
    {"kPa", "_pascals", 1000},
    {"kPa.min", "_pascal_seconds", 60000},
    {"N", "_newtons", 1},
    {"Hz", "_hertz", 1},
    {"mm", "_meters", 0.001},
    {"m/s2", "_meters_per_second_squared", 1},
    {"A", "_amperes", 1},
    {"V", "_volts", 1},
    {"dB{mW}", "_dbm", 1},
};

/* Of a unit that is not known here: what letters and digits it has. */
static void add_unit(struct text *out, const char *ucum)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(units[i].ucum, ucum) == 0) {
            text_add(out, "%s", units[i].name);
            return;
        }
    text_add(out, "_");
    for (const char *at = ucum; *at != '\0'; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9');
        bool upper = *at >= 'A' && *at <= 'Z';
        text_add(out, "%c", plain ? *at : upper ? *at - 'A' + 'a' : '_');
    }
}

static double factor_of(const char *ucum)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(units[i].ucum, ucum) == 0)
            return units[i].factor;
    return 1;
}

struct prometheus_name prometheus_name_of(const char *kind, const struct lumbar_metric *metric)
{
    struct prometheus_name name = {.factor = factor_of(metric->unit)};
    struct text out = text_in(name.text, sizeof(name.text));
    text_add(&out, "lumbar_%s_%s", kind, metric->name);
    if (metric->labels == NULL)
        add_unit(&out, metric->unit);
    if (metric->kind == LUMBAR_COUNTER)
        text_add(&out, "_total");
    return name;
}

static void write_escaped(FILE *out, const char *text, bool quoted)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\' || (quoted && *text == '"'))
            fprintf(out, "\\%c", *text);
        else if (*text == '\n')
            fputs("\\n", out);
        else
            fputc(*text, out);
    }
}

void prometheus_family(FILE *out, const char *name, enum prometheus_kind kind, const char *help)
{
    static const char *const kinds[] = {"gauge", "counter", "histogram"};
    fprintf(out, "# HELP %s ", name);
    write_escaped(out, help, false);
    fprintf(out, "\n# TYPE %s %s\n", name, kinds[kind]);
}

static void write_value(FILE *out, double value)
{
    if (isnan(value))
        fputs(" NaN\n", out);
    else if (isinf(value))
        fputs(value > 0 ? " +Inf\n" : " -Inf\n", out);
    else
        fprintf(out, " %.12g\n", value);
}

void prometheus_sample(FILE *out, const char *name, double value, const char *const *labels)
{
    fputs(name, out);
    for (unsigned i = 0; labels != NULL && labels[i] != NULL; i += 2) {
        fprintf(out, "%c%s=\"", i == 0 ? '{' : ',', labels[i]);
        write_escaped(out, labels[i + 1], true);
        fputc('"', out);
    }
    if (labels != NULL && labels[0] != NULL)
        fputc('}', out);
    write_value(out, value);
}

void prometheus_one(FILE *out, const char *name, enum prometheus_kind kind, const char *help,
                    double value)
{
    prometheus_family(out, name, kind, help);
    prometheus_sample(out, name, value, NULL);
}

void prometheus_one_histogram(FILE *out, const char *name, const char *help,
                              const struct prometheus_histogram *histogram)
{
    char part[PROMETHEUS_NAME_BYTES], bound[32];
    uint64_t sum = 0;
    prometheus_family(out, name, PROMETHEUS_HISTOGRAM, help);
    snprintf(part, sizeof(part), "%s_bucket", name);
    for (unsigned i = 0; i <= histogram->bound_count; i++) {
        bool last = i == histogram->bound_count;
        sum += histogram->counts[i];
        snprintf(bound, sizeof(bound), "%.6g", last ? 0 : histogram->bounds[i]);
        prometheus_sample(out, part, (double)sum,
                          (const char *const[]){"le", last ? "+Inf" : bound, NULL});
    }
    snprintf(part, sizeof(part), "%s_sum", name);
    prometheus_sample(out, part, histogram->sum, NULL);
    snprintf(part, sizeof(part), "%s_count", name);
    prometheus_sample(out, part, (double)sum, NULL);
}
