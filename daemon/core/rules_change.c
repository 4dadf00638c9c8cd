/* The file of changes: rules of the other files with other values, without touching those. */
#include <stdlib.h>
#include <string.h>

#include "core/rules_loader.h"

static const char *name_of(const struct yaml_node *map)
{
    const struct yaml_node *name = yaml_get(map, "name");
    return name != NULL && name->kind == YAML_SCALAR ? name->scalar : "";
}

/* Each has a name, and none has another's. */
static int check_names(struct loader *loader)
{
    for (size_t i = 0; i < loader->changes->count; i++) {
        const struct yaml_node *map = &loader->changes->children[i];
        if (name_of(map)[0] == '\0')
            return COMPLAIN(loader, map, ERR_SYNTAX, "a rule has a name");
        for (size_t j = 0; j < i; j++)
            if (strcmp(name_of(&loader->changes->children[j]), name_of(map)) == 0)
                return COMPLAIN(loader, map, ERR_CONFLICT,
                                "'%.60s' is changed twice; first in line %d", name_of(map),
                                loader->changes->children[j].line);
    }
    return 0;
}

int loader_begin_changes(struct loader *loader)
{
    const struct yaml_node *derived = NULL;
    if (loader->changing == NULL)
        return 0;
    loader->yaml = loader->changing;
    int code = loader_read_list(loader, &loader->changes);
    if (code == 0)
        derived = yaml_get(yaml_root(loader->changing), "derived");
    if (derived != NULL)
        return COMPLAIN(loader, derived, ERR_CONFLICT,
                        "changes are of rules; what is derived stands in their folder");
    if (code != 0 || loader->changes == NULL)
        return code;
    loader->changed = calloc(loader->changes->count + 1, sizeof(bool));
    loader->rules->off = calloc(loader->changes->count + 1, sizeof(struct rule_source));
    if (loader->changed == NULL || loader->rules->off == NULL)
        return diag_set(loader->diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    return check_names(loader);
}

/* `off: true`, which is no key of a rule that is read. */
static int read_off(struct loader *loader, const struct yaml_node *change, bool *off)
{
    const struct yaml_node *node = yaml_get(change, "off");
    *off = node != NULL;
    if (node == NULL || (node->kind == YAML_SCALAR && strcmp(node->scalar, "true") == 0))
        return 0;
    return COMPLAIN(loader, node, ERR_SYNTAX, "off is true; a rule that is not off says nothing");
}

int loader_change(struct loader *loader, const struct yaml_node **map, struct rule_source *source)
{
    size_t count = loader->changes != NULL ? loader->changes->count : 0, at = 0;
    while (at < count && strcmp(name_of(&loader->changes->children[at]), name_of(*map)) != 0)
        at++;
    source->written = *map;
    if (at == count)
        return 0;
    const struct yaml_node *change = &loader->changes->children[at];
    int code = read_off(loader, change, &source->off);
    if (code != 0)
        return code;
    if (loader->changed[at])
        return 0; /* a second rule of this name, which is said of it */
    loader->changed[at] = true;
    source->before = *map;
    source->written = yaml_merge(loader->changing, *map, change);
    if (source->written == NULL)
        return diag_set(loader->diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    if (source->off)
        loader->rules->off[loader->rules->off_count++] = *source;
    *map = source->written;
    return 0;
}

int loader_read_new(struct loader *loader)
{
    size_t count = loader->changes != NULL ? loader->changes->count : 0;
    int code = count > 0 ? loader_reserve(loader->rules, count, loader->diag) : 0;
    loader->yaml = loader->changing;
    for (size_t i = 0; i < count && code == 0; i++) {
        const struct yaml_node *map = &loader->changes->children[i];
        const struct yaml_node *off = yaml_get(map, "off");
        if (loader->changed[i])
            continue;
        if (off != NULL)
            return COMPLAIN(loader, off, ERR_UNKNOWN, "there is no rule '%.60s' to leave out",
                            name_of(map));
        code = loader_read_rule(loader, map, &(struct rule_source){.written = map});
    }
    return code;
}

const struct rule_source *rules_source(const struct rules *rules, uint32_t id)
{
    return id < rules->written ? &rules->details[id].source : NULL;
}

uint32_t rules_changed(const struct rules *rules)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < rules->written; i++)
        count += rules->details[i].source.before != NULL;
    return count;
}

const struct rule_source *rules_off(const struct rules *rules, uint32_t place)
{
    return place < rules->off_count ? &rules->off[place] : NULL;
}
