#include "people.h"

#include <string.h>

#include "base/text.h"

json_t *people_room_list(const char *text)
{
    json_t *list = json_array();
    if (strcmp(text, "all") == 0)
        return list;
    for (size_t length; *text != '\0'; text += length + (text[length] == ',')) {
        length = strcspn(text, ",");
        if (length > 0)
            json_array_append_new(list, json_stringn(text, length));
    }
    return list;
}

const char *people_rooms(const json_t *object, char *out, size_t bytes)
{
    const json_t *list = json_object_get(object, "rooms");
    struct text text = text_in(out, bytes);
    for (size_t i = 0; i < json_array_size(list); i++)
        text_add(&text, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(list, i)));
    if (json_array_size(list) == 0)
        text_add(&text, "all rooms");
    return out;
}
