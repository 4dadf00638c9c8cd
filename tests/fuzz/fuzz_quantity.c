/* Numbers with units, names and bounded text, from any bytes. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
    if (!holds)
        abort();
}

static void read_numbers(const char *string)
{
    const char *unit = NULL;
    double value = NAN;
    int64_t whole = -1;
    if (text_quantity(string, &value, &unit)) {
        demand(isfinite(value) && fabs(value) < 1e16);
        demand(unit > string && unit <= string + strlen(string) && *unit != ' ');
        char again[64];
        struct text text = text_in(again, sizeof(again));
        double read_back;
        text_add_number(&text, value, 6);
        if (fabs(value) < 1e9) { /* what is written is what was meant, to six digits */
            demand(text_quantity(again, &read_back, &unit) && *unit == '\0');
            demand(fabs(read_back - value) <= 0.5000001e-6);
        }
    }
    if (text_duration_ms(string, &whole))
        demand(whole >= 0);
    if (text_size_bytes(string, &whole))
        demand(whole >= 0);
}

static void read_names(const char *string)
{
    static const char *const names[] = {"port", "skin_temperature", "", "Cel", "rooms"};
    size_t length = strlen(string);
    const char *nearest = text_nearest(string, names, sizeof(names) / sizeof(names[0]));
    demand(nearest == NULL || nearest[0] != '\0');
    if (text_is_name(string, length)) /* a name is a label, too */
        demand(text_is_label(string, length) && text_nearest(string, &string, 1) == string);
}

/* Well-formed UTF-8, by the bits: another way than text.c goes. */
static void check_utf8(const unsigned char *at)
{
    while (*at != '\0') {
        unsigned extra = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
        uint32_t point = extra == 0 ? *at : *at & (0x3fu >> extra);
        demand(*at < 0x80 || *at >= 0xc0);
        for (at++; extra > 0; extra--, at++) {
            demand((*at & 0xc0) == 0x80);
            point = point << 6 | (*at & 0x3fu);
        }
        demand(point <= 0x10ffff && (point < 0xd800 || point > 0xdfff));
    }
}

static void write_json(const char *string, size_t room)
{
    char buffer[700];
    room = room < sizeof(buffer) ? room : sizeof(buffer) - 1;
    buffer[room] = 'x'; /* behind the buffer that is given */
    struct text text = text_in(buffer, room);
    text_add_json(&text, string);
    demand(buffer[room] == 'x' && (room == 0 || strlen(buffer) == text.length));
    if (room == 0)
        return;
    check_utf8((const unsigned char *)buffer);
    for (size_t i = 0; i < text.length; i++)
        demand((unsigned char)buffer[i] >= 0x20 && buffer[i] != 0x7f);
    if (!text.cut)
        demand(text.length >= 2 && buffer[0] == '"' && buffer[text.length - 1] == '"');
}

/* The first byte is the room of a buffer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *string = malloc(size);
    demand(string != NULL);
    memcpy(string, data + 1, size - 1);
    string[size - 1] = '\0';
    read_numbers(string);
    read_names(string);
    write_json(string, data[0]);
    write_json(string, 699);
    char cut[256];
    struct text text = text_in(cut, data[0]);
    text_add(&text, "%s", string);
    demand(data[0] == 0 || strlen(cut) == text.length);
    free(string);
    return 0;
}
