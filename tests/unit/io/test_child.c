/* A process that works for the hub: this program again, with another argument. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/child.h"

/* ---- the other process ---- */

static int echo(void)
{
    char line[256];
    while (fgets(line, sizeof(line), stdin) != NULL)
        printf("said: %s", line);
    return 0;
}

static int be_loud(void)
{
    char bytes[4096];
    memset(bytes, 'x', sizeof(bytes));
    while (write(1, bytes, sizeof(bytes)) > 0)
        ;
    return 0;
}

static int be_one(const char *what)
{
    if (strcmp(what, "echo") == 0)
        return echo();
    if (strcmp(what, "loud") == 0)
        return be_loud();
    if (strcmp(what, "fail") == 0)
        return 1;
    if (strcmp(what, "die") == 0)
        kill(getpid(), SIGKILL);
    for (;;) /* "sleep" */
        pause();
}

/* ---- the tests ---- */

struct end {
    uint64_t ticket;
    enum child_end end;
    char answer[64];
    size_t bytes;
};

struct world {
    uv_loop_t loop;
    struct child *child;
    struct end ends[8];
    unsigned count, wanted; /* at so many it is stopped */
};

static void on_done(void *user, uint64_t ticket, enum child_end how, const char *answer,
                    size_t bytes)
{
    struct world *world = user;
    struct end *end = &world->ends[world->count++];
    *end = (struct end){.ticket = ticket, .end = how, .bytes = bytes};
    if (bytes > 0)
        memcpy(end->answer, answer, bytes < 63 ? bytes : 63);
    if (world->count == world->wanted)
        child_stop(world->child);
}

static void open_world(struct world *world, const char *what, unsigned patience_ms)
{
    const char *const arguments[] = {what, NULL};
    struct diag diag = {0};
    memset(world, 0, sizeof(*world));
    assert_int_equal(uv_loop_init(&world->loop), 0);
    assert_int_equal(
        child_create(&world->child, &world->loop, arguments, patience_ms, on_done, world, &diag),
        0);
}

static bool begin(struct world *world, uint64_t ticket, const char *task)
{
    char *copy = strdup(task);
    bool begun = child_begin(world->child, ticket, copy, strlen(copy));
    if (!begun)
        free(copy);
    return begun;
}

static void close_world(struct world *world)
{
    child_stop(world->child);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    child_destroy(world->child);
    assert_int_equal(uv_loop_close(&world->loop), 0);
}

static void tasks_are_done_in_turn_and_too_many_are_refused(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, "echo", 30000);
    world.wanted = 1 + CHILD_WAITING;
    assert_true(begin(&world, 1, "first\n"));
    for (unsigned i = 0; i < CHILD_WAITING; i++)
        assert_true(begin(&world, 2 + i, "more\n"));
    assert_false(begin(&world, 9, "too many\n"));
    assert_int_equal(world.count, 0); /* nobody is told before it returned */
    struct child_stats stats;
    child_stats(world.child, &stats);
    assert_int_equal(stats.held, 1 + CHILD_WAITING);
    assert_int_equal(stats.refused, 1);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    child_stats(world.child, &stats);
    assert_int_equal(stats.held, 0);
    assert_int_equal(world.count, 1 + CHILD_WAITING);
    assert_int_equal(world.ends[0].ticket, 1);
    assert_string_equal(world.ends[0].answer, "said: first\n");
    for (unsigned i = 0; i < world.count; i++)
        assert_int_equal(world.ends[i].end, CHILD_ANSWERED);
    assert_string_equal(world.ends[1].answer, "said: more\n");
    assert_false(begin(&world, 10, "after the end\n"));
    close_world(&world);
}

static void what_does_not_end_well_is_told_as_that(void **state)
{
    static const struct {
        const char *what;
        unsigned patience_ms;
        enum child_end end;
    } cases[] = {
        {"fail", 30000, CHILD_FAILED},
        {"die", 30000, CHILD_FAILED},
        {"loud", 30000, CHILD_FAILED}, /* more than CHILD_ANSWER_BYTES */
        {"sleep", 50, CHILD_LATE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world world;
        open_world(&world, cases[i].what, cases[i].patience_ms);
        world.wanted = 1;
        assert_true(begin(&world, 7, "task\n"));
        uv_run(&world.loop, UV_RUN_DEFAULT);
        assert_int_equal(world.count, 1);
        assert_int_equal(world.ends[0].end, cases[i].end);
        assert_true(world.ends[0].bytes <= CHILD_ANSWER_BYTES);
        close_world(&world);
    }
}

static void a_stop_ends_what_works_and_what_waits(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, "sleep", 30000);
    assert_true(begin(&world, 1, "task\n"));
    assert_true(begin(&world, 2, "task\n"));
    uv_run(&world.loop, UV_RUN_NOWAIT);
    child_stop(world.child);
    assert_int_equal(world.count, 2);
    assert_int_equal(world.ends[0].end, CHILD_STOPPED);
    assert_int_equal(world.ends[1].end, CHILD_STOPPED);
    close_world(&world);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_are_done_in_turn_and_too_many_are_refused),
        cmocka_unit_test(what_does_not_end_well_is_told_as_that),
        cmocka_unit_test(a_stop_ends_what_works_and_what_waits),
    };
    if (getenv("LUMBAR_UNDER") != NULL) {
        puts("skipped: under valgrind /proc/self/exe is valgrind's own");
        return 0;
    }
    signal(SIGPIPE, SIG_IGN); /* as in the hub */
    return argc > 1 ? be_one(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
