/*
 * All promises at once, held against the real hub: it is killed at random moments under load, and
 * its file system is full at random moments. Then the database is sound, and every acknowledged
 * message is in the recordings and in the buckets, once.
 */
#include "ordeal.h"

static void look(const struct hub *hub, const struct source *source, const struct ordeal *ordeal)
{
    taped_compare(hub, source, ordeal);
    stored_compare(hub, source, ordeal);
}

/* The spool is so small that recorder and store have work all the time; while the disk is full, it
 * is full too after two seconds, and whoever sends waits. */
static void what_is_acknowledged_is_kept_once_however_often_it_is_killed(void **unused)
{
    (void)unused;
    ordeal_go(&(struct ordeal){.name = "kills and a full file system",
                               .rounds = ordeal_rounds(14),
                               .ring_size = "1 MiB",
                               .rooms = 8,
                               .devices = 40,
                               .rate = 1500,
                               .recorded = true,
                               .disk = "256m"},
              look);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_acknowledged_is_kept_once_however_often_it_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
