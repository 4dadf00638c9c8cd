#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/tape_note.h"
#include "ctl.h"
#include "recording.h"
#include "tape_copy.h"

static const char help[] =
    "usage: lumbarctl recording export [--config FILE | --folder FOLDER] [--account]\n"
    "                                  [--json] NAME OUT\n"
    "\n"
    "Writes one recording to the file OUT, which must not exist: every sound block, and an index.\n"
    "What is torn or damaged is left out, and said; then the exit code is 1. OUT can go with a "
    "bug\n"
    "report: it can be verified and replayed anywhere. It holds what was measured of a client. "
    "What\n"
    "was done and said in the session (pain, scores, notes) is left out: no replay needs it.\n"
    "\n"
    "  --account        that too, for a rebuild of the history\n"
    "  --config FILE    the hub's configuration, which names the folder\n"
    "                   (default " LUMBAR_CONFIG_FILE ")\n"
    "  --folder FOLDER  the folder itself\n"
    "  --json           an object, for programs\n";

static bool is_no_account(void *user, const struct tape_message *message)
{
    (void)user;
    return !note_is(message, NOTE_ACCOUNT);
}

static int export_to(struct tape_reader *reader, const char *path, bool account, bool json)
{
    struct tape_copy copy;
    struct diag diag = {0};
    if (tape_copy(&copy, reader, path, account ? NULL : is_no_account, NULL, &diag) != 0)
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
    enum { ACCOUNT = RECORDING_OTHER };
    static const struct option options[] = {
        RECORDING_OPTIONS, {"account", no_argument, NULL, ACCOUNT}, {NULL, 0, NULL, 0}};
    struct recording_place place = {.config = LUMBAR_CONFIG_FILE};
    bool account = false;
    struct diag diag = {0};
    struct tape_reader reader;
    uint8_t *bytes;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;)
        if (c == ACCOUNT)
            account = true;
        else if (!recording_option(&place, c))
            return ctl_usage(help, c == RECORDING_HELP);
    if (optind + 2 != count)
        return ctl_usage(help, false);
    if (recording_load(&place, arguments[optind], &reader, &bytes, &diag) != 0)
        return ctl_complain(&diag);
    int code = export_to(&reader, arguments[optind + 1], account, place.json);
    free(bytes);
    return code;
}
