#include "core/cookie.h"

#include <stdio.h>
#include <string.h>

#define VALUE_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* What stands before the next ';': its begin, and its length without blanks around it. */
static const char *cut_item(const char **header, size_t *length)
{
    const char *item = *header + strspn(*header, " \t");
    size_t count = strcspn(item, ";");
    *header = item + count + (item[count] == ';');
    while (count > 0 && (item[count - 1] == ' ' || item[count - 1] == '\t'))
        count--;
    *length = count;
    return item;
}

bool cookie_find(const char *header, const char *name, char *out, size_t bytes)
{
    size_t wanted = strlen(name), length;
    unsigned found = 0;
    out[0] = '\0';
    while (*header != '\0') {
        const char *item = cut_item(&header, &length);
        if (length <= wanted || strncmp(item, name, wanted) != 0 || item[wanted] != '=')
            continue;
        const char *value = item + wanted + 1;
        size_t rest = length - wanted - 1;
        if (++found > 1 || rest == 0 || rest >= bytes || strspn(value, VALUE_CHARS) != rest) {
            out[0] = '\0';
            return false;
        }
        memcpy(out, value, rest);
        out[rest] = '\0';
    }
    return found == 1;
}

void cookie_write(char *out, size_t bytes, bool tls, const char *value, long long max_age_s)
{
    snprintf(out, bytes, "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s",
             tls ? COOKIE_NAME_TLS : COOKIE_NAME_PLAIN, value, max_age_s, tls ? "; Secure" : "");
}
