/* io/password, io/secret, io/totp: what is kept of secrets, and how they are tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/password.h"
#include "io/secret.h"
#include "io/totp.h"

struct world {
    uv_loop_t loop;
    struct passwords *passwords;
    unsigned called, right;
    char sealed[PASSWORD_SEALED_BYTES];
};

static int open_world(void **state)
{
    static struct world world;
    struct diag diag = {0};
    world = (struct world){.called = 0};
    assert_int_equal(secret_begin(&diag), 0);
    assert_int_equal(uv_loop_init(&world.loop), 0);
    world.passwords = passwords_create(&world.loop);
    assert_non_null(world.passwords);
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    passwords_destroy(world->passwords);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    return 0;
}

static void on_done(void *user, bool right, const char *sealed)
{
    struct world *world = user;
    world->called++;
    world->right += right;
    snprintf(world->sealed, sizeof(world->sealed), "%s", sealed);
}

static bool fits(struct world *world, const char *password, const char *sealed)
{
    char kept[PASSWORD_SEALED_BYTES];
    snprintf(kept, sizeof(kept), "%s", sealed);
    world->right = 0;
    assert_int_equal(password_try(world->passwords, password, kept, on_done, world), 0);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    return world->right == 1;
}

static void a_password_fits_what_it_was_sealed_to_and_no_other(void **state)
{
    struct world *world = *state;
    char kept[PASSWORD_SEALED_BYTES];
    assert_int_equal(password_seal(world->passwords, "correct horse", on_done, world), 0);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(world->right, 1);
    assert_memory_equal(world->sealed, "$argon2id$v=19$m=32768,t=3,p=1$", 31);
    snprintf(kept, sizeof(kept), "%s", world->sealed);
    assert_true(fits(world, "correct horse", kept));
    assert_false(fits(world, "correct horsf", kept));
    assert_false(fits(world, "", kept));
    assert_false(fits(world, "correct horse", "")); /* of nobody */
    assert_false(fits(world, "correct horse", "$argon2id$nonsense"));
}

/* Of all threads of this process: the pool's are among them. */
static uint64_t processor_ns(void)
{
    struct timespec spent;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return (uint64_t)spent.tv_sec * 1000000000 + (uint64_t)spent.tv_nsec;
}

/* Where there is no account the same work is done: in processor time, which a busy machine does
 * not change much. */
static void nobody_takes_as_long_as_somebody(void **state)
{
    if (getenv("LUMBAR_UNDER") != NULL) /* memcheck: slow, and times tell nothing */
        skip();
    struct world *world = *state;
    char kept[PASSWORD_SEALED_BYTES];
    uint64_t took[2] = {UINT64_MAX, UINT64_MAX};
    password_seal(world->passwords, "correct horse", on_done, world);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    snprintf(kept, sizeof(kept), "%s", world->sealed);
    for (int i = 0; i < 8; i++) {
        uint64_t began = processor_ns();
        fits(world, "wrong", i % 2 == 0 ? kept : "");
        uint64_t ns = processor_ns() - began;
        took[i % 2] = ns < took[i % 2] ? ns : took[i % 2];
    }
    assert_in_range(took[1], took[0] / 2, took[0] * 2);
}

static void ten_may_knock_at_a_time_and_no_more(void **state)
{
    struct world *world = *state;
    const unsigned most = PASSWORD_AT_ONCE + PASSWORD_WAITING;
    for (unsigned i = 0; i < most; i++)
        assert_int_equal(password_try(world->passwords, "x", "", on_done, world), 0);
    assert_int_equal(password_try(world->passwords, "x", "", on_done, world), ERR_FULL);
    assert_int_equal(world->called, 0); /* none before the loop turns */
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(world->called, most);
    assert_true(!fits(world, "x", ""));
}

static void a_stop_lets_go_of_those_who_wait(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < PASSWORD_AT_ONCE + PASSWORD_WAITING; i++)
        password_try(world->passwords, "x", "", on_done, world);
    passwords_stop(world->passwords);
    assert_int_equal(world->called, PASSWORD_WAITING);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(world->called, PASSWORD_AT_ONCE + PASSWORD_WAITING);
    assert_int_equal(world->right, 0);
}

static void a_password_that_is_too_long_is_not_tried(void **state)
{
    struct world *world = *state;
    char password[PASSWORD_MAX_BYTES + 2];
    memset(password, 'x', sizeof(password) - 1);
    password[sizeof(password) - 1] = '\0';
    assert_int_equal(password_try(world->passwords, password, "", on_done, world), ERR_RANGE);
    assert_int_equal(uv_run(&world->loop, UV_RUN_DEFAULT), 0);
}

static void secrets_are_long_and_never_the_same(void **state)
{
    (void)state;
    char secrets[100][SECRET_TEXT_BYTES], hash[SECRET_HASH_BYTES];
    for (int i = 0; i < 100; i++) {
        secret_make(secrets[i]);
        assert_int_equal(strlen(secrets[i]), 43);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(secrets[i], secrets[j]);
    }
    secret_hash("abc", 3, hash); /* FIPS 180-2, B.1 */
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* RFC 6238, appendix B, cut to six digits; the secret is "12345678901234567890" in base32. */
static void codes_are_those_of_the_standard_and_hold_once(void **state)
{
    (void)state;
    static const char secret[] = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    static const struct {
        int64_t s;
        const char *code;
    } cases[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
                 {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    assert_int_equal(totp_begin(), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t used = 0, early = 0, late = 0, gone = 0;
        assert_true(totp_fits(secret, cases[i].code, cases[i].s * 1000, &used));
        assert_false(totp_fits(secret, cases[i].code, cases[i].s * 1000, &used));
        assert_true(totp_fits(secret, cases[i].code, (cases[i].s - 29) * 1000, &early));
        assert_true(totp_fits(secret, cases[i].code, (cases[i].s + 29) * 1000, &late));
        assert_false(totp_fits(secret, cases[i].code, (cases[i].s + 90) * 1000, &gone));
    }
    int64_t used = 0;
    assert_false(totp_fits(secret, "", 59000, &used));
    assert_false(totp_fits(secret, "2870821", 59000, &used));
    assert_false(totp_fits(secret, "28708a", 59000, &used));
    assert_false(totp_fits("not base32!", "287082", 59000, &used));
    char made[TOTP_SECRET_BYTES];
    assert_true(totp_make(made));
    assert_int_equal(strlen(made), 32);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        TEST(a_password_fits_what_it_was_sealed_to_and_no_other),
        TEST(nobody_takes_as_long_as_somebody),
        TEST(ten_may_knock_at_a_time_and_no_more),
        TEST(a_stop_lets_go_of_those_who_wait),
        TEST(a_password_that_is_too_long_is_not_tried),
        TEST(secrets_are_long_and_never_the_same),
        TEST(codes_are_those_of_the_standard_and_hold_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
