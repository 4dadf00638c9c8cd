#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl.h"
#include "recording.h"
#include "tape_copy.h"

static const char help[] =
    "usage: lumbarctl recording export [--config FILE | --folder FOLDER] [--json]\n"
    "                                  NAME OUT\n"
    "\n"
    "Writes one recording to the file OUT, which must not exist: every sound block, and an index.\n"
    "What is torn or damaged is left out, and said; then the exit code is 1. OUT can go with a "
    "bug\n"
    "report: it can be verified and replayed anywhere. It holds a client's data.\n"
    "\n"
    "  --config FILE    the hub's configuration, which names the folder\n"
    "                   (default " LUMBAR_CONFIG_FILE ")\n"
    "  --folder FOLDER  the folder itself\n"
    "  --json           an object, for programs\n";

static int export_to(struct tape_reader *reader, const char *path, bool json)
{
    struct tape_copy copy;
    struct diag diag = {0};
    if (tape_copy(&copy, reader, path, NULL, NULL, &diag) != 0)
        return ctl_complain(&diag);
    if (json)
        ctl_print_line(json_pack("{s:s, s:I, s:i, s:I, s:I}", "file", path, "messages",
                                 (json_int_t)copy.messages, "blocks", (int)copy.blocks, "bytes",
                                 (json_int_t)copy.bytes, "left_out_bytes",
                                 (json_int_t)copy.left_out_bytes));
    else
        printf("%s: %llu messages in %u blocks, %llu bytes\n", path,
               (unsigned long long)copy.messages, copy.blocks, (unsigned long long)copy.bytes);
    return copy.left_out_bytes > 0;
}

int recording_export(int count, char **arguments)
{
    static const struct option options[] = {RECORDING_OPTIONS, {NULL, 0, NULL, 0}};
    struct recording_place place = {.config = LUMBAR_CONFIG_FILE};
    struct diag diag = {0};
    struct tape_reader reader;
    uint8_t *bytes;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;)
        if (!recording_option(&place, c))
            return ctl_usage(help, c == RECORDING_HELP);
    if (optind + 2 != count)
        return ctl_usage(help, false);
    if (recording_load(&place, arguments[optind], &reader, &bytes, &diag) != 0)
        return ctl_complain(&diag);
    int code = export_to(&reader, arguments[optind + 1], place.json);
    free(bytes);
    return code;
}
