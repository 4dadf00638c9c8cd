#include "tar.h"

#include <string.h>

#define BLOCK 512

/* POSIX.1-1988, ustar: all of it is text, numbers octal. */
struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], owner[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

static void seal(struct header *header)
{
    unsigned sum = 0;
    memset(header->checksum, ' ', sizeof(header->checksum));
    for (size_t i = 0; i < sizeof(*header); i++)
        sum += ((const unsigned char *)header)[i];
    snprintf(header->checksum, sizeof(header->checksum), "%06o", sum & 0777777u);
}

bool tar_add(FILE *out, const char *name, const void *bytes, size_t count, int64_t seconds)
{
    static const char zeros[BLOCK];
    struct header header = {.type = '0', .magic = "ustar", .version = {'0', '0'}};
    snprintf(header.name, sizeof(header.name), "%.99s", name);
    snprintf(header.mode, sizeof(header.mode), "%07o", 0600u);
    snprintf(header.uid, sizeof(header.uid), "%07o", 0u);
    snprintf(header.gid, sizeof(header.gid), "%07o", 0u);
    snprintf(header.size, sizeof(header.size), "%011llo",
             (unsigned long long)count & 077777777777ull);
    snprintf(header.mtime, sizeof(header.mtime), "%011llo",
             (unsigned long long)seconds & 077777777777ull);
    seal(&header);
    size_t padding = (BLOCK - count % BLOCK) % BLOCK;
    return fwrite(&header, 1, sizeof(header), out) == sizeof(header) &&
           fwrite(bytes, 1, count, out) == count && fwrite(zeros, 1, padding, out) == padding;
}

bool tar_end(FILE *out)
{
    static const char zeros[2 * BLOCK];
    return fwrite(zeros, 1, sizeof(zeros), out) == sizeof(zeros);
}
