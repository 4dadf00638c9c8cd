#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl.h"
#include "io/tape_folder.h"
#include "recording.h"

static const char help[] =
    "usage: lumbarctl recording ls [--config FILE | --folder FOLDER] [--json]\n"
    "\n"
    "One line a recording, oldest first: name, room, session, first and last message (UTC),\n"
    "messages, bytes, and what is to be known of it: open (it goes on, or the hub was ended while\n"
    "it did), gaps (messages that the hub could not record), torn or damaged bytes.\n"
    "\n"
    "  --config FILE    the hub's configuration, which names the folder\n"
    "                   (default " LUMBAR_CONFIG_FILE ")\n"
    "  --folder FOLDER  the folder itself\n"
    "  --json           an object a line, for programs\n";

static void print_state(const struct tape_name *name, const struct tape_summary *summary)
{
    if (name->open)
        printf(", open");
    else if (!summary->whole)
        printf(", without its index");
    if (summary->gaps > 0)
        printf(", %u gaps (%llu messages at least)", summary->gaps,
               (unsigned long long)summary->lost);
    if (summary->torn_bytes > 0)
        printf(", torn: %llu bytes", (unsigned long long)summary->torn_bytes);
    if (summary->damaged_bytes > 0)
        printf(", damaged: %llu bytes", (unsigned long long)summary->damaged_bytes);
    putchar('\n');
}

static void print_json(const struct tape_name *name, const struct tape_summary *summary)
{
    char first[RECORDING_DATE_BYTES], last[RECORDING_DATE_BYTES];
    bool any = summary->messages > 0;
    ctl_print_line(json_pack(
        "{s:s, s:s, s:I, s:s?, s:s?, s:I, s:I, s:b, s:b, s:i, s:I, s:I, s:I}", "file", name->file,
        "room", summary->header.room, "session", (json_int_t)summary->header.session, "first",
        any ? recording_date(summary->first_ms, first) : NULL, "last",
        any ? recording_date(summary->last_ms, last) : NULL, "messages",
        (json_int_t)summary->messages, "bytes", (json_int_t)summary->file_bytes, "open", name->open,
        "whole", summary->whole, "gaps", (int)summary->gaps, "lost", (json_int_t)summary->lost,
        "torn_bytes", (json_int_t)summary->torn_bytes, "damaged_bytes",
        (json_int_t)summary->damaged_bytes));
}

static int print_one(const char *folder, const struct tape_name *name, bool json)
{
    char path[PATH_MAX + TAPE_NAME_BYTES], first[RECORDING_DATE_BYTES], last[RECORDING_DATE_BYTES];
    struct tape_summary summary;
    struct diag diag = {0};
    snprintf(path, sizeof(path), "%s/%s", folder, name->file);
    if (tape_file_summary(path, &summary, &diag) != 0) {
        if (json)
            ctl_print_line(json_pack("{s:s, s:s}", "file", name->file, "wrong", diag.text));
        else
            printf("%s  %s\n", name->file, diag.text);
        return 1;
    }
    if (json) {
        print_json(name, &summary);
        return 0;
    }
    printf("%s  %s", name->file, summary.header.room);
    if (summary.header.session != 0)
        printf("  session %llu", (unsigned long long)summary.header.session);
    if (summary.messages > 0)
        printf("  %s .. %s", recording_date(summary.first_ms, first),
               recording_date(summary.last_ms, last));
    printf("  %llu messages, %llu bytes", (unsigned long long)summary.messages,
           (unsigned long long)summary.file_bytes);
    print_state(name, &summary);
    return 0;
}

int recording_ls(int count, char **arguments)
{
    static const struct option options[] = {RECORDING_OPTIONS, {NULL, 0, NULL, 0}};
    struct recording_place place = {.config = LUMBAR_CONFIG_FILE};
    struct diag diag = {0};
    struct tape_name *list;
    size_t names;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;)
        if (!recording_option(&place, c))
            return ctl_usage(help, c == RECORDING_HELP);
    if (optind < count)
        return ctl_usage(help, false);
    const char *folder = recording_folder(&place, &diag);
    if (folder == NULL || tape_folder_list(folder, &list, &names, &diag) != 0)
        return ctl_complain(&diag);
    int code = 0;
    for (size_t i = 0; i < names; i++)
        code |= print_one(folder, &list[i], place.json);
    free(list);
    return code;
}
