/* What people are told, checked: an alarm must never be raised with a hole in its sentence. */
#include <string.h>

#include "core/rules_loader.h"

/* Has the rule something to put where the word stands? */
static bool has_words_for(const struct rule *rule, size_t word)
{
    bool absent = rule->condition == RULE_ABSENT;
    bool lasts = absent || rule->on_delay_ms > 0 || rule->window_ms > 0;
    return word > 2 || (word < 2 ? !absent : lasts);
}

static int check_placeholder(struct loader *loader, const struct yaml_node *node, const char *at,
                             size_t length)
{
    static const char *const words[] = {"value", "limit",  "for",  "device",
                                        "room",  "metric", "phase"};
    for (size_t i = 0; i < COUNT(words); i++) {
        if (strlen(words[i]) != length || memcmp(words[i], at, length) != 0)
            continue;
        return has_words_for(loader->rule, i)
                   ? 0
                   : COMPLAIN(loader, node, ERR_CONFLICT, "'%s' has nothing to say for {%s}",
                              loader->rule->name, words[i]);
    }
    char word[32];
    struct text text = text_in(word, sizeof(word));
    text_add(&text, "%.*s", (int)length, at);
    const char *nearest = text_nearest(word, words, COUNT(words));
    return COMPLAIN(loader, node, ERR_UNKNOWN, "{%s} is not known here; %s{%s}%s", word,
                    nearest ? "did you mean "
                            : "there are {value} {limit} {for} {device} {room} {metric} ",
                    nearest ? nearest : "phase", nearest ? "?" : "");
}

static int check_words(struct loader *loader, const char *key, const char *words)
{
    const struct yaml_node *node = yaml_get(loader->map, key);
    int code = 0;
    for (const char *at = strchr(words, '{'); at != NULL && code == 0; at = strchr(at + 1, '{')) {
        const char *end = strchr(at, '}');
        if (end == NULL)
            return COMPLAIN(loader, node, ERR_SYNTAX, "a '{' without its '}'");
        code = check_placeholder(loader, node, at + 1, (size_t)(end - at - 1));
    }
    return code;
}

int loader_read_words(struct loader *loader)
{
    struct rule *rule = loader->rule;
    const struct {
        const char *key;
        const char *fallback;
        const char **out;
    } texts[] = {
        {"text", NULL, &rule->text}, {"plain", "", &rule->plain}, {"action", "", &rule->action}};
    int code = loader_read_line(loader, "title", 100, rule->name, &rule->title);
    for (size_t i = 0; i < COUNT(texts) && code == 0; i++) {
        code = loader_read_line(loader, texts[i].key, 200, texts[i].fallback, texts[i].out);
        if (code == 0)
            code = check_words(loader, texts[i].key, *texts[i].out);
    }
    return code;
}
