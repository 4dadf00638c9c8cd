/* core/users: accounts, and what lets in for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/users.h"

#define NOW    INT64_C(1700000000000)
#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

static const char config_text[] = "rooms:\n  - {name: north}\n  - {name: south}\n";

struct world {
    struct users *users;
    struct config *config;
    struct user *anna;
};

static struct user *add(struct world *world, const char *name, enum access_role role,
                        const char *rooms)
{
    struct user user = {.role = role, .sealed = "sealed"};
    struct diag diag = {0};
    snprintf(user.name, sizeof(user.name), "%s", name);
    snprintf(user.rooms, sizeof(user.rooms), "%s", rooms);
    struct user *added = users_add(world->users, &user, &diag);
    assert_non_null(added);
    return added;
}

static int open_world(void **state)
{
    static struct world world;
    struct diag diag = {0};
    world.users = users_create();
    assert_int_equal(config_parse(&world.config, "test", config_text, strlen(config_text), &diag),
                     0);
    world.anna = add(&world, "anna", ROLE_THERAPIST, "south");
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    users_destroy(world->users);
    config_destroy(world->config);
    return 0;
}

static struct pass *let_in(struct world *world, struct pass wanted)
{
    struct diag diag = {0};
    static unsigned number;
    snprintf(wanted.hash, sizeof(wanted.hash), "digest-%u", ++number);
    if (wanted.until_ms == 0)
        wanted.until_ms = NOW + 12 * HOUR;
    wanted.made_ms = wanted.used_ms = NOW;
    struct pass *pass = passes_add(world->users, &wanted, &diag);
    assert_non_null(pass);
    return pass;
}

static bool opens(struct world *world, const struct pass *pass, int64_t now_ms)
{
    struct access access;
    bool opened = pass_access(world->users, pass, world->config, now_ms, &access);
    assert_int_equal(opened, access.kind != ACCESS_NOBODY);
    return opened;
}

static void a_login_speaks_for_its_account_in_its_rooms(void **state)
{
    struct world *world = *state;
    struct access who;
    struct pass *login = let_in(world, (struct pass){.user = world->anna->id});
    assert_true(pass_access(world->users, login, world->config, NOW, &who));
    assert_string_equal(who.name, "anna");
    assert_int_equal(who.kind, ACCESS_LOGIN);
    assert_int_equal(who.role, ROLE_THERAPIST);
    assert_false(access_sees(&who, 1));
    assert_true(access_sees(&who, 2));
    assert_false(who.reads || who.glass);
}

static void a_login_ends_when_it_is_not_used_or_at_its_time(void **state)
{
    struct world *world = *state;
    struct pass *login = let_in(world, (struct pass){.user = world->anna->id});
    int64_t idle = pass_idle_ms(ROLE_THERAPIST);
    assert_true(opens(world, login, NOW + idle - 1));
    assert_false(opens(world, login, NOW + idle));
    login->used_ms = NOW + 12 * HOUR - 1; /* used all the time */
    assert_true(opens(world, login, NOW + 12 * HOUR - 1));
    assert_false(opens(world, login, NOW + 12 * HOUR));
}

static void who_rules_accounts_is_logged_in_for_less_long(void **state)
{
    (void)state;
    assert_true(pass_idle_ms(ROLE_ADMIN) < pass_idle_ms(ROLE_THERAPIST));
    assert_true(pass_most_ms(ROLE_ADMIN) < pass_most_ms(ROLE_THERAPIST));
    for (int role = 0; role <= ROLES_; role++)
        if (role != ROLE_DISPLAY)
            assert_true(pass_idle_ms((enum access_role)role) > 0 &&
                        pass_most_ms((enum access_role)role) > 0);
}

static void a_disabled_account_opens_nothing(void **state)
{
    struct world *world = *state;
    struct pass *login = let_in(world, (struct pass){.user = world->anna->id});
    world->anna->disabled = true;
    assert_false(opens(world, login, NOW));
    struct pass *orphan = let_in(world, (struct pass){.user = 99});
    assert_false(opens(world, orphan, NOW));
}

static void an_invitation_lets_nobody_in(void **state)
{
    struct world *world = *state;
    struct pass *invite =
        let_in(world, (struct pass){.kind = PASS_INVITE, .user = world->anna->id});
    assert_true(pass_holds(world->users, invite, NOW));
    assert_false(opens(world, invite, NOW));
}

static void a_wall_is_in_as_long_as_its_token_is(void **state)
{
    struct world *world = *state;
    struct access who;
    struct pass *token = let_in(world, (struct pass){.kind = PASS_TOKEN,
                                                     .name = "wall",
                                                     .role = ROLE_DISPLAY,
                                                     .rooms = "north",
                                                     .reads = true,
                                                     .until_ms = NOW + 9000 * HOUR});
    struct pass *login =
        let_in(world, (struct pass){.token = token->id, .until_ms = token->until_ms});
    assert_true(pass_access(world->users, login, world->config, NOW + 8000 * HOUR, &who));
    assert_string_equal(who.name, "wall");
    assert_true(who.reads && access_sees(&who, 1) && !access_sees(&who, 2));
    assert_true(opens(world, token, NOW));
    passes_remove(world->users, token->id); /* revoked */
    assert_false(opens(world, login, NOW));
}

static void a_room_that_was_renamed_opens_no_other(void **state)
{
    struct world *world = *state;
    struct access who;
    snprintf(world->anna->rooms, sizeof(world->anna->rooms), "cellar");
    struct pass *login = let_in(world, (struct pass){.user = world->anna->id});
    assert_true(pass_access(world->users, login, world->config, NOW, &who));
    assert_false(access_sees(&who, 0) || access_sees(&who, 1) || access_sees(&who, 2));
    char which[2 * USER_NAME_BYTES];
    assert_false(users_rooms_known("north cellar", world->config, which));
    assert_string_equal(which, "cellar");
    assert_true(users_rooms_known("", world->config, which));
    assert_true(users_rooms_known("south north", world->config, which));
    assert_false(users_rooms_known("sout", world->config, which));
    assert_false(users_rooms_known("southern", world->config, which));
}

static void broken_glass_is_whole_again_at_its_time(void **state)
{
    struct world *world = *state;
    struct access who;
    struct pass *login =
        let_in(world, (struct pass){.user = world->anna->id, .glass_ms = NOW + HOUR});
    login->used_ms = NOW + HOUR;
    assert_true(pass_access(world->users, login, world->config, NOW + HOUR - 1, &who));
    assert_true(who.glass && access_sees(&who, 1));
    assert_true(pass_access(world->users, login, world->config, NOW + HOUR, &who));
    assert_false(who.glass || access_sees(&who, 1));
}

static void names_are_given_once(void **state)
{
    struct world *world = *state;
    struct diag diag = {0};
    assert_null(users_add(world->users, world->anna, &diag));
    assert_int_equal(diag.code, ERR_CONFLICT);
    assert_ptr_equal(users_find(world->users, "anna"), world->anna);
    assert_null(users_find(world->users, "Anna"));
    assert_ptr_equal(users_by_id(world->users, world->anna->id), world->anna);
    assert_null(users_by_id(world->users, 0));
}

/* Removed from the middle, the others are found; a number is not given again. */
static void passes_are_found_whichever_go(void **state)
{
    struct world *world = *state;
    uint64_t ids[50];
    for (int i = 0; i < 50; i++)
        ids[i] = let_in(world, (struct pass){.user = world->anna->id})->id;
    for (int i = 0; i < 50; i += 3)
        passes_remove(world->users, ids[i]);
    passes_remove(world->users, 100000);
    for (int i = 0; i < 50; i++) {
        const struct pass *pass = passes_by_id(world->users, ids[i]);
        assert_int_equal(pass != NULL, i % 3 != 0);
        if (pass != NULL)
            assert_ptr_equal(passes_find(world->users, pass->hash), pass);
    }
    passes_remove(world->users, ids[49]);
    assert_true(let_in(world, (struct pass){.user = 1})->id > ids[49]);
}

static void what_is_full_refuses(void **state)
{
    struct world *world = *state;
    struct diag diag = {0};
    struct pass pass = {.user = 1};
    for (int i = 0; i < USERS_PASSES_MAX; i++)
        assert_non_null(passes_add(world->users, &pass, &diag));
    assert_null(passes_add(world->users, &pass, &diag));
    assert_int_equal(diag.code, ERR_FULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        TEST(a_login_speaks_for_its_account_in_its_rooms),
        TEST(a_login_ends_when_it_is_not_used_or_at_its_time),
        TEST(who_rules_accounts_is_logged_in_for_less_long),
        TEST(a_disabled_account_opens_nothing),
        TEST(an_invitation_lets_nobody_in),
        TEST(a_wall_is_in_as_long_as_its_token_is),
        TEST(a_room_that_was_renamed_opens_no_other),
        TEST(broken_glass_is_whole_again_at_its_time),
        TEST(names_are_given_once),
        TEST(passes_are_found_whichever_go),
        TEST(what_is_full_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
