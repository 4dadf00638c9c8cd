/*
 * A Cookie header, hostile: what is found stands in it as a whole item of that very name, is the
 * only one, and is made of nothing but what a secret of ours is made of.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/cookie.h"

#define ROOM 44

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool right)
{
    if (!right)
        abort();
}

/* The same, told in another way: each item in turn, copied and compared. */
static unsigned count_items(const char *header, const char *name, char value[ROOM])
{
    unsigned count = 0;
    char *copy = strdup(header), *rest = copy;
    must(copy != NULL);
    for (char *item; (item = strsep(&rest, ";")) != NULL;) {
        item += strspn(item, " \t");
        char *equals = strchr(item, '=');
        if (equals == NULL || (size_t)(equals - item) != strlen(name) ||
            memcmp(item, name, strlen(name)) != 0)
            continue;
        count++;
        strncpy(value, equals + 1, ROOM - 1);
    }
    free(copy);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {COOKIE_NAME_TLS, COOKIE_NAME_PLAIN};
    if (size > 4096)
        return 0;
    char *header = strndup((const char *)data, size);
    must(header != NULL);
    for (int i = 0; i < 2; i++) {
        char out[ROOM], value[ROOM] = "";
        bool found = cookie_find(header, names[i], out, sizeof(out));
        unsigned count = count_items(header, names[i], value);
        must(strlen(out) < ROOM && found == (out[0] != '\0'));
        must(strspn(out, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
             strlen(out));
        if (found)
            must(count == 1 && strncmp(value, out, strlen(out)) == 0 &&
                 strspn(value + strlen(out), " \t") == strlen(value + strlen(out)));
    }
    free(header);
    return 0;
}
