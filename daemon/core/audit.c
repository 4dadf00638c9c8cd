#include "core/audit.h"

#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* The texts of a line, in the order in which they are written. */
static const struct {
    const char *name;
    size_t offset, bytes;
} texts[] = {
#define TEXT(field)                                                                                \
    {                                                                                              \
#field, offsetof(struct audit_line, field), sizeof(((struct audit_line *)0)->field)        \
    }
    TEXT(who), TEXT(role), TEXT(door), TEXT(what), TEXT(about), TEXT(why),
#undef TEXT
};

bool audit_write(struct text *text, const char *before, const struct audit_line *line)
{
    text_add(text, "%s{\"id\":%llu,\"at_ms\":%lld", before, (unsigned long long)line->id,
             (long long)line->at_ms);
    for (size_t i = 0; i < COUNT(texts); i++) {
        text_add(text, ",\"%s\":", texts[i].name);
        text_add_json(text, (const char *)line + texts[i].offset);
    }
    text_add(text, ",\"outcome\":%d}", line->outcome);
    return !text->cut;
}

json_t *audit_json(const struct audit_line *line)
{
    json_t *json =
        json_pack("{s:I, s:I}", "id", (json_int_t)line->id, "at_ms", (json_int_t)line->at_ms);
    for (size_t i = 0; i < COUNT(texts); i++)
        json_object_set_new(json, texts[i].name, json_string((const char *)line + texts[i].offset));
    json_object_set_new(json, "outcome", json_integer(line->outcome));
    json_object_set_new(json, "hash", json_string(line->hash));
    return json;
}

static bool read_text(const json_t *json, const char *name, char *out, size_t bytes)
{
    const char *text = json_string_value(json_object_get(json, name));
    if (text == NULL || strlen(text) >= bytes)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

bool audit_read(const json_t *json, struct audit_line *line)
{
    *line = (struct audit_line){
        .id = (uint64_t)json_integer_value(json_object_get(json, "id")),
        .at_ms = json_integer_value(json_object_get(json, "at_ms")),
        .outcome = (int)json_integer_value(json_object_get(json, "outcome")),
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        if (!read_text(json, texts[i].name, (char *)line + texts[i].offset, texts[i].bytes))
            return false;
    return read_text(json, "hash", line->hash, sizeof(line->hash));
}
