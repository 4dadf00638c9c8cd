#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NEAREST_BYTES 64   /* longer names are not compared */
#define MANTISSA_MAX  9e14 /* one digit more is still exact in a double */
#define NAME_BYTES    47   /* LUMBAR_NAME_MAX of the contract, which this floor does not see */
#define LABEL_BYTES   63

struct text text_in(char *buffer, size_t bytes)
{
    struct text text = {.at = buffer, .bytes = bytes};
    if (bytes > 0)
        buffer[0] = '\0';
    return text;
}

/* Cuts behind the last whole character: half of one would make the text invalid where it goes. */
static size_t whole_characters(const char *at, size_t length)
{
    size_t start = length;
    while (start > 0 && length - start < 4 && ((unsigned char)at[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return length;
    unsigned char lead = (unsigned char)at[start - 1];
    size_t needs = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    return length - (start - 1) < needs ? start - 1 : length;
}

/* What follows a cut is left out as well, even where it would fit: a sentence ends once. */
static void end_cut(struct text *text)
{
    text->cut = true;
    if (text->bytes == 0)
        return;
    text->length = whole_characters(text->at, text->length);
    text->at[text->length] = '\0';
}

void text_add(struct text *text, const char *format, ...)
{
    if (text->cut)
        return;
    size_t room = text->bytes - text->length;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(room > 0 ? text->at + text->length : NULL, room, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= room) {
        text->length = room > 0 && length >= 0 ? text->bytes - 1 : text->length;
        end_cut(text);
        return;
    }
    text->length += (size_t)length;
}

static void add_bytes(struct text *text, const char *bytes, size_t length)
{
    if (text->cut)
        return;
    if (length >= text->bytes - text->length) {
        end_cut(text);
        return;
    }
    memcpy(text->at + text->length, bytes, length);
    text->length += length;
    text->at[text->length] = '\0';
}

/* The bytes of the character that begins here; 0 where none does: stray or missing continuation,
 * overlong form, surrogate, beyond U+10FFFF (RFC 3629). */
static size_t utf8_length(const unsigned char *at)
{
    unsigned char lead = at[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    unsigned char least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < least || at[1] > most)
        return 0;
    size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

void text_add_json(struct text *text, const char *string)
{
    add_bytes(text, "\"", 1);
    const unsigned char *at = (const unsigned char *)string;
    while (*at != '\0') {
        size_t length = utf8_length(at);
        if (length == 0)
            add_bytes(text, "\xef\xbf\xbd", 3);
        else if (*at == '"' || *at == '\\')
            text_add(text, "\\%c", *at);
        else if (*at < 0x20 || *at == 0x7f)
            text_add(text, "\\u%04x", *at);
        else
            add_bytes(text, (const char *)at, length);
        at += length > 0 ? length : 1;
    }
    add_bytes(text, "\"", 1);
}

void text_add_html(struct text *text, const char *string)
{
    const unsigned char *at = (const unsigned char *)string;
    while (*at != '\0') {
        size_t length = utf8_length(at);
        const char *named = *at == '<'    ? "&lt;"
                            : *at == '>'  ? "&gt;"
                            : *at == '&'  ? "&amp;"
                            : *at == '"'  ? "&quot;"
                            : *at == '\'' ? "&#39;"
                                          : NULL;
        if (named != NULL)
            add_bytes(text, named, strlen(named));
        else if (length == 0 || *at < 0x20 || *at == 0x7f)
            add_bytes(text, "\xef\xbf\xbd", 3);
        else
            add_bytes(text, (const char *)at, length);
        at += length > 0 ? length : 1;
    }
}

void text_add_csv(struct text *text, const char *string)
{
    bool formula = string[0] != '\0' && strchr("=+-@\t\r", string[0]) != NULL;
    bool quoted = formula || strpbrk(string, ",\"\r\n") != NULL;
    add_bytes(text, "\"'", quoted ? 1 + (size_t)formula : 0);
    for (const char *at = string; *at != '\0'; at++)
        add_bytes(text, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
    add_bytes(text, "\"", quoted);
}

/* By whole numbers: the decimal point of printf() is the locale's. The fraction is scaled by
 * itself, so that a large number keeps all the digits it has. */
void text_add_number(struct text *text, double value, unsigned decimals)
{
    static const long long scales[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    if (!isfinite(value)) {
        text_add(text, "null");
        return;
    }
    if (fabs(value) >= 1e15) { /* no fraction worth a digit */
        text_add(text, "%.0f", value);
        return;
    }
    decimals = decimals > 6 ? 6 : decimals;
    long long whole = (long long)fabs(value);
    long long part = llround((fabs(value) - (double)whole) * (double)scales[decimals]);
    whole += part / scales[decimals]; /* rounded up to 1 */
    part %= scales[decimals];
    while (decimals > 0 && part % 10 == 0) {
        part /= 10;
        decimals--;
    }
    text_add(text, "%s%lld", value < 0 && (whole > 0 || part > 0) ? "-" : "", whole);
    if (decimals > 0)
        text_add(text, ".%0*lld", (int)decimals, part);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits with at most one point, at least one digit; NULL where there are none, or too many before
 * the point. Division by an exact power of ten rounds once, so 0.1 is the nearest double to it. */
static const char *scan_digits(const char *at, double *value)
{
    double mantissa = 0, scale = 1;
    bool point = false, any = false;
    for (; is_digit(*at) || (*at == '.' && !point); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        any = true;
        if (mantissa >= MANTISSA_MAX) {
            if (!point)
                return NULL;
            continue;
        }
        mantissa = mantissa * 10 + (*at - '0');
        scale = point ? scale * 10 : scale;
        if (scale > 1e21)
            return NULL;
    }
    *value = mantissa / scale;
    return any ? at : NULL;
}

bool text_quantity(const char *string, double *value, const char **unit)
{
    bool negative = *string == '-';
    if (*string == '-' || *string == '+')
        string++;
    double number;
    const char *at = scan_digits(string, &number);
    if (at == NULL)
        return false;
    while (*at == ' ')
        at++;
    *value = negative ? -number : number;
    *unit = at;
    return true;
}

struct scale {
    const char *unit;
    double factor;
};

/* A quantity in one of the units, as a whole number of the smallest, not negative. */
static bool scaled_quantity(const char *string, const struct scale *scales, size_t count,
                            int64_t *out)
{
    double value;
    const char *unit;
    if (!text_quantity(string, &value, &unit) || value < 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(unit, scales[i].unit) != 0)
            continue;
        double scaled = value * scales[i].factor;
        if (scaled > 9e15 || fabs(scaled - rint(scaled)) > 1e-6)
            return false;
        *out = (int64_t)rint(scaled);
        return true;
    }
    return false;
}

bool text_duration_ms(const char *string, int64_t *ms)
{
    static const struct scale scales[] = {{"ms", 1}, {"s", 1e3}, {"min", 6e4}, {"h", 3.6e6}};
    return scaled_quantity(string, scales, sizeof(scales) / sizeof(scales[0]), ms);
}

bool text_size_bytes(const char *string, int64_t *bytes)
{
    static const struct scale scales[] = {
        {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}};
    return scaled_quantity(string, scales, sizeof(scales) / sizeof(scales[0]), bytes);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Edits from one name to the other: insert, delete, replace, swap two neighbours; a change of case
 * is none. Three rows are all that swapping needs. */
static unsigned edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][NEAREST_BYTES + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            bool same = lower(a[i - 1]) == lower(b[j - 1]);
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + !same);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b_length];
}

const char *text_nearest(const char *name, const char *const *names, size_t count)
{
    size_t length = strlen(name);
    if (length == 0 || length > NEAREST_BYTES)
        return NULL;
    const char *nearest = NULL;
    unsigned nearest_edits = 0;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(names[i]);
        if (other == 0 || other > NEAREST_BYTES)
            continue;
        unsigned edits = edit_distance(name, length, names[i], other);
        if (edits > (length > other ? length : other) / 3)
            continue;
        if (nearest == NULL || edits < nearest_edits) {
            nearest = names[i];
            nearest_edits = edits;
        }
    }
    return nearest;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

bool text_is_label(const char *string, size_t length)
{
    if (length == 0 || length > LABEL_BYTES)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = string[i];
        if (!is_lower(lower(c)) && !is_digit(c) && c != '_' && c != '-' && c != '.')
            return false;
    }
    return true;
}

bool text_is_name(const char *string, size_t length)
{
    if (length == 0 || length > NAME_BYTES || !is_lower(string[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_lower(string[i]) && !is_digit(string[i]) && string[i] != '_')
            return false;
    return true;
}
