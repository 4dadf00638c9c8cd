/*
 * Text: bounded building, parsing of numbers with units, names and their nearest neighbour.
 *
 * Nothing here allocates. Strings are UTF-8, given as NUL-terminated or as pointer and length.
 */
#ifndef LUMBAR_BASE_TEXT_H
#define LUMBAR_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A buffer that text is added to. What does not fit is cut behind a whole character, `cut` says so,
 * and nothing is added any more; always terminated. */
struct text {
    char *at;
    size_t bytes, length;
    bool cut;
};

struct text text_in(char *buffer, size_t bytes);
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds a JSON string with its quotes. Invalid UTF-8 becomes U+FFFD, control characters \u00xx. */
void text_add_json(struct text *text, const char *string);

/* Adds what a browser shows as this string, in HTML and in its attributes. Invalid UTF-8 and
 * control characters become U+FFFD. */
void text_add_html(struct text *text, const char *string);

/* Adds a field of CSV (RFC 4180), in quotes where it needs them. A field that a spreadsheet would
 * take for a formula gets an apostrophe before it. */
void text_add_csv(struct text *text, const char *string);

/* Adds a number in its shortest form with at most `decimals` (6) digits after the point; "null" if
 * it is not finite. */
void text_add_number(struct text *text, double value, unsigned decimals);

/* A number followed by a unit: "42.5 Cel", "10s", "7 deg", "16 MiB". The unit (may be "") points
 * into the string. Returns false where there is no number, or more than 15 digits before the
 * point. No exponents, no locale. */
bool text_quantity(const char *string, double *value, const char **unit);

/* A time with its unit (ms, s, min, h) in ms; false if it is none or not a whole number of ms. */
bool text_duration_ms(const char *string, int64_t *ms);

/* A size with its unit (B, KiB, MiB, GiB) in bytes; false if it is none. */
bool text_size_bytes(const char *string, int64_t *bytes);

/* Of names[0..count), the one nearest to a misspelt name, near enough to propose; else NULL. */
const char *text_nearest(const char *name, const char *const *names, size_t count);

/* A device or room name as it may stand in a topic: 1..63 of A-Z a-z 0-9 _ - . */
bool text_is_label(const char *string, size_t length);

/* A metric, rule or kind name: [a-z][a-z0-9_]*, up to LUMBAR_NAME_MAX. */
bool text_is_name(const char *string, size_t length);

#endif
