/* Edits that overwrite nobody's: entity tags and the preconditions of RFC 9110, and the pages of
 * long lists. */
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/api.h"

void api_tag(char tag[API_TAG_BYTES], const char *text)
{
    snprintf(tag, API_TAG_BYTES, "\"%016llx\"",
             (unsigned long long)XXH3_64bits(text, strlen(text)));
}

/* Strong comparison: what is weak ("W/...") equals nothing. */
static bool names_tag(const char *list, const char *tag)
{
    size_t wanted = strlen(tag);
    while (*list != '\0') {
        list += strspn(list, ", \t");
        size_t length = strcspn(list, ", \t");
        if ((length == 1 && *list == '*') ||
            (length == wanted && length > 0 && memcmp(list, tag, length) == 0))
            return true;
        list += length;
    }
    return false;
}

/* A value that cannot be used ("?") names no tag, and so refuses; it never passes for none. */
bool api_may_edit(const struct api_call *call, const char *tag, struct api_answer *answer)
{
    const struct api_request *request = call->request;
    const char *match = request->if_match != NULL ? request->if_match : "";
    const char *none = request->if_none_match != NULL ? request->if_none_match : "";
    bool given = match[0] != '\0', is_put = request->method == API_PUT;
    if (tag != NULL && none[0] != '\0' && names_tag(none, tag))
        api_problem(answer, 412, "It is there already.");
    else if (given && (tag == NULL || !names_tag(match, tag)))
        api_problem(answer, 412,
                    tag != NULL ? "It was changed meanwhile: read it anew, then change it."
                                : "It is not there any more.");
    else if (tag != NULL && is_put && !given)
        api_problem(answer, 428,
                    "Say with If-Match which version is changed: the ETag of what was read.");
    else
        return true;
    return false;
}

json_t *api_next(bool more, uint32_t place)
{
    return more ? json_integer(place) : json_null();
}

void api_read_page(struct api_reader *reader, uint32_t most, struct api_page *page)
{
    page->limit = (size_t)api_query_integer(reader, "limit", 1, API_PAGE_MOST, API_PAGE_MOST);
    page->after = (uint32_t)api_query_integer(reader, "after", 0, most, 0);
}
