/*
 * The promise of the recorder, held against the real hub: it is killed at random moments while
 * tails of what it was recording are torn, the spool is small, or the disk is full. Then every
 * acknowledged message is in the recordings, once.
 */
#include "ordeal.h"

#include <stdlib.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/tape.h"
#include "io/tape_folder.h"

#define FILE_MOST 40000 /* bytes: no tape grows beyond, as on a full disk */

/* As a power cut may leave it: cut short, or with something behind that was never written. */
static void tear(const struct hub *hub, bool longer)
{
    struct tape_name *list;
    size_t count;
    struct diag diag = {0};
    if (tape_folder_list(hub->recordings, &list, &count, &diag) != 0)
        return; /* killed before the first tape */
    for (size_t i = 0; i < count; i++) {
        char path[512];
        struct stat status;
        snprintf(path, sizeof(path), "%s/%s", hub->recordings, list[i].file);
        assert_int_equal(stat(path, &status), 0);
        off_t bytes = status.st_size;
        bytes += longer ? (off_t)ordeal_random(5000) : -(off_t)ordeal_random(5000);
        if (list[i].open && bytes > TAPE_HEADER_BYTES)
            assert_int_equal(truncate(path, bytes), 0);
    }
    free(list);
}

static void tear_now_and_then(const struct hub *hub, int round)
{
    if (round % 4 == 1)
        tear(hub, round % 8 == 1);
}

static void go_through(struct ordeal ordeal)
{
    ordeal.rooms = 5;
    ordeal.devices = 25;
    ordeal.rate = 4000;
    ordeal.recorded = true;
    ordeal_go(&ordeal, taped_compare);
}

/* The ring has to hold everything that a tail costs. */
static void torn_tails_are_taken_again_from_the_spool(void **unused)
{
    (void)unused;
    go_through((struct ordeal){.name = "torn tails",
                               .rounds = ordeal_rounds(20),
                               .ring_size = "128 MiB",
                               .after_kill = tear_now_and_then});
}

static void a_spool_that_is_lapped_keeps_what_is_not_yet_recorded(void **unused)
{
    (void)unused;
    go_through((struct ordeal){
        .name = "a small spool", .rounds = ordeal_rounds(12), .ring_size = "256 KiB"});
}

/* For less time than spool.patience. */
static void a_full_disk_for_a_while_costs_nothing(void **unused)
{
    (void)unused;
    go_through((struct ordeal){.name = "a full disk",
                               .rounds = ordeal_rounds(12),
                               .ring_size = "4 MiB",
                               .file_most = FILE_MOST});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torn_tails_are_taken_again_from_the_spool),
        cmocka_unit_test(a_spool_that_is_lapped_keeps_what_is_not_yet_recorded),
        cmocka_unit_test(a_full_disk_for_a_while_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
