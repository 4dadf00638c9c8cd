/*
 * What plans and clients are read with: private to plan*.c and client.c.
 *
 * Their text is YAML or, what is a part of it, JSON. A complaint says the path of the field besides
 * its line: "phases[1].time: ...", since JSON often stands in one line. The first complaint stays;
 * every further step is a no-op.
 */
#ifndef LUMBAR_CORE_PLAN_READER_H
#define LUMBAR_CORE_PLAN_READER_H

#include "base/text.h"
#include "core/body.h"
#include "core/yaml.h"

struct plan_reader {
    const struct yaml *yaml;
    const struct drivers *drivers;
    const struct body *body;
    struct diag *diag;
    bool kept;        /* what names something that is there no longer is passed over */
    uint32_t read;    /* bands, those left out among them */
    uint32_t lost;    /* bits of those */
    struct text path; /* of the map that is read */
    char path_bytes[120];
};

int reader_open(struct plan_reader *reader, struct yaml **yaml, const char *file, const char *text,
                size_t bytes, const struct drivers *drivers, const struct body *body,
                struct diag *diag);
bool reader_failed(const struct plan_reader *reader);

/* Goes down to "key[index]" (index below 0: "key"), and up again with what enter() returned. */
size_t reader_enter(struct plan_reader *reader, const char *key, int index);
void reader_leave(struct plan_reader *reader, size_t mark);

void reader_complain(struct plan_reader *reader, const struct yaml_node *node, const char *key,
                     int code, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* It is a map, of these keys only. */
void reader_map(struct plan_reader *reader, const struct yaml_node *map, const char *const *keys,
                size_t count);

/* A list under the key, of `most` at most; NULL where there is none. */
const struct yaml_node *reader_list(struct plan_reader *reader, const struct yaml_node *map,
                                    const char *key, size_t most);

/* A line of text of less than `bytes`, copied out; "" where there is none and it may lack. */
void reader_line(struct plan_reader *reader, const struct yaml_node *node, const char *key,
                 bool needed, char *out, size_t bytes);

/* The same, as a label (text_is_label). */
void reader_label(struct plan_reader *reader, const struct yaml_node *map, const char *key,
                  bool needed, char *out, size_t bytes);

void reader_duration(struct plan_reader *reader, const struct yaml_node *map, const char *key,
                     int64_t least_ms, int64_t most_ms, int64_t *ms);

/* Regions of the body, one or a list; 0 where the key lacks. */
void reader_regions(struct plan_reader *reader, const struct yaml_node *map, uint64_t *set);

/* The metric under "metric"; NULL with a complaint. */
const struct lumbar_metric *reader_metric(struct plan_reader *reader, const struct yaml_node *map,
                                          uint32_t *number);

/* A value of the metric with exactly its unit, of what its sensor can say. */
void reader_value(struct plan_reader *reader, const struct yaml_node *node, const char *key,
                  const struct lumbar_metric *metric, double *value);

/* A whole number with the unit %, as a share of 1. */
void reader_share(struct plan_reader *reader, const struct yaml_node *map, const char *key,
                  int least, int most, double *share);

/* ---- and written: JSON that the same functions read ---- */

void writer_regions(struct text *text, const struct body *body, uint64_t set);
void writer_metric(struct text *text, const struct drivers *drivers, uint32_t metric);
void writer_value(struct text *text, const struct lumbar_metric *metric, double value);

#endif
