#include "core/topic.h"

#include <string.h>

#include "base/text.h"

#define DEVICE       "{device}"
#define LEAF         "{leaf}"
#define DEVICE_BYTES (sizeof(DEVICE) - 1)
#define LEAF_BYTES   (sizeof(LEAF) - 1)

/* How often a level of the pattern is the given one; the pattern is known to be bounded. */
static unsigned count_levels(const char *pattern, const char *wanted)
{
    unsigned count = 0;
    for (const char *at = pattern; *at != '\0';) {
        size_t bytes = strcspn(at, "/");
        count += strlen(wanted) == bytes && memcmp(at, wanted, bytes) == 0;
        at += bytes + (at[bytes] == '/');
    }
    return count;
}

static bool is_literal(const char *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (at[i] <= ' ' || at[i] > '~' || strchr("+#{}", at[i]) != NULL)
            return false;
    return bytes > 0;
}

int topic_check(const char *pattern, struct diag *diag)
{
    if (pattern == NULL || pattern[0] == '\0')
        return diag_set(diag, ERR_SYNTAX, "the topic pattern is empty");
    if (strnlen(pattern, TOPIC_PATTERN_MAX_BYTES + 1) > TOPIC_PATTERN_MAX_BYTES)
        return diag_set(diag, ERR_LIMIT, "the topic pattern is longer than %d bytes",
                        TOPIC_PATTERN_MAX_BYTES);
    unsigned level = 1;
    for (const char *at = pattern;; level++) {
        size_t bytes = strcspn(at, "/");
        bool place = (bytes == DEVICE_BYTES && memcmp(at, DEVICE, bytes) == 0) ||
                     (bytes == LEAF_BYTES && memcmp(at, LEAF, bytes) == 0);
        if (!place && !is_literal(at, bytes))
            return diag_set(diag, ERR_SYNTAX,
                            "level %u of the topic pattern is neither a plain word nor a whole "
                            "{device} or {leaf}",
                            level);
        if (at[bytes] == '\0')
            break;
        at += bytes + 1;
    }
    if (pattern[0] == '$')
        return diag_set(diag, ERR_SYNTAX, "the topic pattern \"%s\" begins with $", pattern);
    if (count_levels(pattern, DEVICE) != 1)
        return diag_set(diag, ERR_SYNTAX, "the topic pattern \"%s\" must have {device} once",
                        pattern);
    if (count_levels(pattern, LEAF) > 1)
        return diag_set(diag, ERR_SYNTAX, "the topic pattern \"%s\" has {leaf} more than once",
                        pattern);
    return 0;
}

bool topic_parse(const char *pattern, const char *topic, size_t topic_bytes, struct topic *out)
{
    if (topic_bytes > TOPIC_MAX_BYTES)
        return false;
    const char *at = topic, *end = topic + topic_bytes;
    *out = (struct topic){.leaf = ""};
    for (;;) {
        const char *place = strchrnul(pattern, '{');
        size_t literal = (size_t)(place - pattern);
        if ((size_t)(end - at) < literal || memcmp(at, pattern, literal) != 0)
            return false;
        at += literal;
        if (*place == '\0')
            return at == end;
        const char *stop = memchr(at, '/', (size_t)(end - at));
        size_t bytes = (size_t)((stop != NULL ? stop : end) - at);
        if (place[1] == 'd') {
            if (!text_is_label(at, bytes))
                return false;
            out->device = at;
            out->device_bytes = bytes;
            pattern = place + DEVICE_BYTES;
        } else {
            if (bytes == 0)
                return false;
            out->leaf = at;
            out->leaf_bytes = bytes;
            pattern = place + LEAF_BYTES;
        }
        at += bytes;
    }
}

size_t topic_filter(const char *pattern, const char *leaf, char *out, size_t bytes)
{
    return topic_make(pattern, "+", leaf, out, bytes);
}

bool topic_filters_meet(const char *filter, const char *other)
{
    for (;;) {
        size_t bytes = strcspn(filter, "/"), other_bytes = strcspn(other, "/");
        bool any = (bytes == 1 && *filter == '+') || (other_bytes == 1 && *other == '+');
        if (!any && (bytes != other_bytes || memcmp(filter, other, bytes) != 0))
            return false;
        filter += bytes;
        other += other_bytes;
        if (*filter == '\0' || *other == '\0')
            return *filter == *other;
        filter++;
        other++;
    }
}

size_t topic_make(const char *pattern, const char *device, const char *leaf, char *out,
                  size_t bytes)
{
    /* Where there is no {leaf}, a leaf has no place: without it an acknowledgement would go to the
     * very topic that the device's data come on. */
    if ((leaf[0] != '\0') != (strstr(pattern, LEAF) != NULL))
        return 0;
    struct text text = text_in(out, bytes);
    for (;;) {
        const char *place = strchrnul(pattern, '{');
        text_add(&text, "%.*s", (int)(place - pattern), pattern);
        if (*place == '\0')
            break;
        bool is_device = place[1] == 'd';
        text_add(&text, "%s", is_device ? device : leaf);
        pattern = place + (is_device ? DEVICE_BYTES : LEAF_BYTES);
    }
    return text.cut ? 0 : text.length;
}

bool topic_is_hubs(const char *leaf)
{
    return strcmp(leaf, TOPIC_ACK_LEAF) == 0 || strcmp(leaf, TOPIC_IDENTIFY_LEAF) == 0;
}
