#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../core/tape_made.h"
#include "io/tape_folder.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[64];
static struct tape_packer *packer;

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/lumbar-tapes-XXXXXX");
    packer = tape_packer_create();
    return mkdtemp(folder) == NULL || packer == NULL;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    tape_packer_destroy(packer);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void save(const char *name, const uint8_t *bytes, size_t count)
{
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    fclose(file);
}

static void a_name_is_written_and_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *room;
        int64_t start_ms;
        bool open;
        const char *file;
    } cases[] = {
        {"room-1", 0, false, "room-1_19700101T000000.000Z.rec"},
        {"a", 1700000000123, true, "a_20231114T221320.123Z.rec.part"},
        {"x_20231114T221320.123Z", 1700000000999, false, /* a label may look like a stamp */
         "x_20231114T221320.123Z_20231114T221320.999Z.rec"},
        {"r.rec", 1709164800000, false, "r.rec_20240229T000000.000Z.rec"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tape_name name = {.start_ms = cases[i].start_ms, .open = cases[i].open}, parsed;
        snprintf(name.room, sizeof(name.room), "%s", cases[i].room);
        tape_name_write(&name);
        assert_string_equal(name.file, cases[i].file);
        assert_true(tape_name_parse(&parsed, name.file));
        assert_string_equal(parsed.room, cases[i].room);
        assert_int_equal(parsed.start_ms, cases[i].start_ms);
        assert_int_equal(parsed.open, cases[i].open);
    }
}

static void other_names_are_no_recordings(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        ".",
        "..",
        ".rec",
        "room.rec",
        "20231114T221320.123Z.rec",
        "_20231114T221320.123Z.rec",
        "room 1_20231114T221320.123Z.rec",
        "room_20231114T221320.123.rec",
        "room_20231314T221320.123Z.rec",
        "room_20230231T221320.123Z.rec",
        "room_20231114T221360.123Z.rec",
        "room_19690101T000000.000Z.rec",
        "room_2023111xT221320.123Z.rec",
        "room_20231114T221320.123Z.rec.gz",
        "room_20231114T221320.123Z.part",
        "r\n_20231114T221320.123Z.rec",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_20231114T221320.123Z.rec",
    };
    struct tape_name name;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (tape_name_parse(&name, cases[i]))
            fail_msg("taken: %s", cases[i]);
}

static void a_folder_is_listed_by_time(void **state)
{
    (void)state;
    static const char *const files[] = {"b_20240101T000000.000Z.rec",
                                        "a_20240101T000000.001Z.rec.part", "notes.txt",
                                        "a_20230101T000000.000Z.rec", "a_20240101T000000.000Z.rec"};
    struct tape_name *list;
    size_t count;
    struct diag diag = {0};
    for (size_t i = 0; i < COUNT(files); i++)
        save(files[i], NULL, 0);
    assert_int_equal(tape_folder_list(folder, &list, &count, &diag), 0);
    assert_int_equal(count, 4);
    assert_string_equal(list[0].file, files[3]);
    assert_string_equal(list[1].file, files[4]);
    assert_string_equal(list[2].file, files[0]);
    assert_string_equal(list[3].file, files[1]);
    assert_true(list[3].open);
    free(list);
    for (size_t i = 0; i < COUNT(files); i++)
        unlink(path_of(files[i]));
    assert_int_equal(tape_folder_list(folder, &list, &count, &diag), 0);
    assert_int_equal(count, 0);
    free(list);
    assert_int_equal(tape_folder_list(path_of("nowhere"), &list, &count, &diag), ERR_IO);
}

/* The same figures with the index and without it; what is cut or damaged is said. */
static void a_summary_tells_what_a_file_holds(void **state)
{
    (void)state;
    struct made made;
    struct tape_summary whole, part;
    struct diag diag = {0};
    made_begin(&made, "room-1");
    made_messages(&made, packer, 5);
    made_gap(&made, 12);
    made_messages(&made, packer, 7);
    size_t end = made.count;
    made_index(&made);
    save("whole", made.bytes, made.count);
    assert_int_equal(tape_file_summary(path_of("whole"), &whole, &diag), 0);
    assert_true(whole.whole);
    assert_int_equal(whole.messages, 12);
    assert_int_equal(whole.blocks, 3);
    assert_int_equal(whole.gaps, 1);
    assert_int_equal(whole.lost, 12);
    assert_int_equal(whole.first_ms, made.entries[0].first_ms);
    assert_int_equal(whole.last_ms, made.entries[2].last_ms);
    assert_int_equal(whole.file_bytes, made.count);
    assert_string_equal(whole.header.room, "room-1");
    save("part", made.bytes, end);
    assert_int_equal(tape_file_summary(path_of("part"), &part, &diag), 0);
    assert_false(part.whole);
    part.whole = true;
    part.file_bytes = whole.file_bytes;
    assert_memory_equal(&part, &whole, sizeof(part));
    save("part", made.bytes, end - 1);
    assert_int_equal(tape_file_summary(path_of("part"), &part, &diag), 0);
    assert_int_equal(part.messages, 5);
    assert_int_equal(part.torn_bytes, end - 1 - made.entries[2].offset);
    made.bytes[made.count - 50] ^= 1; /* an index that contradicts its checksum is not believed */
    save("whole", made.bytes, made.count);
    assert_int_equal(tape_file_summary(path_of("whole"), &whole, &diag), 0);
    assert_false(whole.whole);
    assert_int_equal(whole.messages, 12);
    free(made.bytes);
}

/* Where the clock was set while a tape went on: what was on it by then is moved, and nothing that
 * came behind it, and not twice. One of before that clock keeps its times. */
static void what_a_wrong_clock_told_is_moved_once(void **state)
{
    static const char *const wrong = "a_20231114T221320.000Z.rec", *const open = "%s.part";
    static const char *const before = "a_20231114T221319.000Z.rec";
    const int64_t begin = 1700000000000, from = begin + 2, by = 7200000;
    int64_t by_ms = by, other_ms = by + 5;
    struct made made;
    struct tape_summary summary;
    struct tape_reader reader;
    struct tape_name *list;
    char part[64];
    uint8_t *bytes;
    size_t count;
    struct diag diag = {0};
    (void)state;
    snprintf(part, sizeof(part), open, wrong);
    made_begin(&made, "a");
    made_messages(&made, packer, 2);
    save(before, made.bytes, made.count); /* its last message came a millisecond earlier */
    free(made.bytes);
    made_begin(&made, "a");
    made_messages(&made, packer, 5);
    save(part, made.bytes, made.count);
    uint64_t until = made.count;
    assert_int_equal(tape_folder_move(folder, from, &by_ms, &diag), 0);
    made_messages(&made, packer, 3);
    made_index(&made);
    unlink(path_of(part));
    save(wrong, made.bytes, made.count);
    assert_int_equal(tape_folder_move(folder, from, &other_ms, &diag), 0);
    assert_int_equal(other_ms, by);
    assert_int_equal(tape_file_summary(path_of(wrong), &summary, &diag), 0);
    assert_int_equal(summary.moves.count, 1);
    assert_int_equal(summary.first_ms, begin); /* within a block, to the message */
    assert_int_equal(summary.last_ms, begin + 4 + by);
    assert_int_equal(tape_file_open(path_of(wrong), &reader, &bytes, &diag), 0);
    assert_int_equal(tape_moved_ms(&reader.moves, until - 1, from - 1), from - 1);
    assert_int_equal(tape_moved_ms(&reader.moves, until - 1, from), from + by);
    assert_int_equal(tape_moved_ms(&reader.moves, until, from), from);
    free(bytes);
    assert_int_equal(tape_file_summary(path_of(before), &summary, &diag), 0);
    assert_int_equal(summary.moves.count, 0);
    /* Once more, of times as they are now; and a recording that has gone needs no line. */
    unlink(path_of(before));
    by_ms = 1000;
    assert_int_equal(tape_folder_move(folder, begin - 10000, &by_ms, &diag), 0);
    assert_int_equal(tape_file_summary(path_of(wrong), &summary, &diag), 0);
    assert_int_equal(summary.first_ms, begin + 1000);
    assert_int_equal(summary.last_ms, begin + 4 + by + 1000);
    assert_int_equal(tape_folder_list(folder, &list, &count, &diag), 0);
    assert_int_equal(count, 1);
    assert_int_equal(list[0].start_ms, begin);
    assert_int_equal(list[0].began_ms, begin + 1000);
    free(list);
    /* So many times and no more: what is beyond that is left as it was, and does not fail the
     * others. */
    for (int i = 2; i < TAPE_MOVES_MAX + 2; i++) {
        by_ms = 1000;
        assert_int_equal(tape_folder_move(folder, begin - 10000 - i, &by_ms, &diag), 0);
    }
    assert_int_equal(tape_file_summary(path_of(wrong), &summary, &diag), 0);
    assert_int_equal(summary.moves.count, TAPE_MOVES_MAX);
    assert_int_equal(summary.first_ms, begin + (TAPE_MOVES_MAX - 1) * 1000);
    unlink(path_of(wrong));
    free(made.bytes);
}

static void what_cannot_be_read_is_said_with_its_path(void **state)
{
    (void)state;
    struct tape_summary summary;
    uint8_t *bytes;
    size_t count;
    struct diag diag = {0};
    assert_int_equal(tape_file_summary(path_of("none"), &summary, &diag), ERR_IO);
    assert_non_null(strstr(diag.text, "/none: No such file"));
    diag = (struct diag){0};
    assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
    assert_int_equal(tape_file_load(path_of("pipe"), &bytes, &count, &diag), ERR_IO);
    assert_non_null(strstr(diag.text, "not a regular file"));
    diag = (struct diag){0};
    save("words", (const uint8_t *)"words", 5);
    assert_int_equal(tape_file_summary(path_of("words"), &summary, &diag), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_written_and_parsed),
        cmocka_unit_test(other_names_are_no_recordings),
        cmocka_unit_test(a_folder_is_listed_by_time),
        cmocka_unit_test(what_a_wrong_clock_told_is_moved_once),
        cmocka_unit_test(a_summary_tells_what_a_file_holds),
        cmocka_unit_test(what_cannot_be_read_is_said_with_its_path),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
