/* core/access: who may what, and of which rooms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/access.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct access of(enum access_kind kind, enum access_role role)
{
    return (struct access){.kind = kind, .role = role};
}

/* Every role against every set that the table is made of: a letter for each role in its order. */
static void a_role_may_what_the_table_says_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        unsigned may;
        const char *who; /* admin, lead, therapist, display, auditor, anyone */
    } sets[] = {
        {MAY_ADMIN, "a....."}, {MAY_LEAD, ".l...."}, {MAY_CARE, ".lt..."},
        {MAY_WATCH, ".ltd.."}, {MAY_RUN, "al..u."},  {MAY_AUDIT, "....u."},
        {MAY_KNOWN, "altdu."}, {MAY_ALL, "altdu?"},  {0, "......"},
    };
    for (size_t i = 0; i < COUNT(sets); i++) {
        for (int role = 0; role < ROLES_; role++) {
            struct access who = of(ACCESS_LOGIN, (enum access_role)role);
            assert_int_equal(access_may(&who, sets[i].may, true), sets[i].who[role] != '.');
            who.kind = ACCESS_TOKEN;
            assert_int_equal(access_may(&who, sets[i].may, true), sets[i].who[role] != '.');
            /* A kind without an account is not helped by a role. */
            who.kind = ACCESS_NOBODY;
            assert_int_equal(access_may(&who, sets[i].may, false), sets[i].who[ROLES_] != '.');
            who.kind = ACCESS_LOCAL;
            assert_true(access_may(&who, sets[i].may, true));
        }
    }
}

static void who_only_reads_changes_nothing(void **state)
{
    (void)state;
    struct access who = of(ACCESS_TOKEN, ROLE_THERAPIST);
    who.reads = true;
    assert_true(access_may(&who, MAY_CARE, false));
    assert_false(access_may(&who, MAY_CARE, true));
    assert_false(access_may(&who, MAY_ALL, true));
}

static void rooms_are_those_of_the_account(void **state)
{
    (void)state;
    struct access who = of(ACCESS_LOGIN, ROLE_THERAPIST);
    for (uint32_t room = 0; room <= CONFIG_ROOMS_MAX; room++)
        assert_true(access_sees(&who, room));
    access_add_room(&who.rooms, 7);
    access_add_room(&who.rooms, CONFIG_ROOMS_MAX);
    for (uint32_t room = 0; room <= CONFIG_ROOMS_MAX + 64; room++)
        assert_int_equal(access_sees(&who, room), room == 7 || room == CONFIG_ROOMS_MAX);
    who.kind = ACCESS_NOBODY;
    assert_false(access_sees(&who, 7));
}

/* A room that the configuration has no more leaves fewer, never all. */
static void a_room_that_is_gone_opens_no_other(void **state)
{
    (void)state;
    struct access who = of(ACCESS_LOGIN, ROLE_THERAPIST);
    access_add_room(&who.rooms, 0);
    access_add_room(&who.rooms, CONFIG_ROOMS_MAX + 1);
    for (uint32_t room = 0; room <= CONFIG_ROOMS_MAX; room++)
        assert_false(access_sees(&who, room));
}

static void broken_glass_lets_see_and_not_do(void **state)
{
    (void)state;
    struct access admin = of(ACCESS_LOGIN, ROLE_ADMIN),
                  therapist = of(ACCESS_LOGIN, ROLE_THERAPIST);
    access_add_room(&therapist.rooms, 1);
    assert_false(access_may(&admin, MAY_CARE, false));
    assert_int_equal(access_sight(&admin), SIGHT_DEVICES);
    admin.glass = therapist.glass = true;
    assert_true(access_may(&admin, MAY_CARE, false));
    assert_false(access_may(&admin, MAY_CARE, true));
    assert_false(access_may(&admin, MAY_AUDIT, false));
    assert_int_equal(access_sight(&admin), SIGHT_CARE);
    assert_true(access_sees(&therapist, 2));
}

static void sight_goes_by_role(void **state)
{
    (void)state;
    static const enum access_sight wanted[] = {[ROLE_ADMIN] = SIGHT_DEVICES,
                                               [ROLE_LEAD] = SIGHT_CARE,
                                               [ROLE_THERAPIST] = SIGHT_CARE,
                                               [ROLE_DISPLAY] = SIGHT_WALL,
                                               [ROLE_AUDITOR] = SIGHT_DEVICES};
    for (int role = 0; role < ROLES_; role++) {
        struct access who = of(ACCESS_LOGIN, (enum access_role)role);
        assert_int_equal(access_sight(&who), wanted[role]);
        assert_int_equal(access_role_named(access_role_name(who.role)), who.role);
    }
    struct access nobody = of(ACCESS_NOBODY, ROLE_LEAD);
    assert_int_equal(access_sight(&nobody), SIGHT_DEVICES);
    assert_int_equal(access_role_named("root"), ROLE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_may_what_the_table_says_and_nothing_else),
        cmocka_unit_test(who_only_reads_changes_nothing),
        cmocka_unit_test(rooms_are_those_of_the_account),
        cmocka_unit_test(a_room_that_is_gone_opens_no_other),
        cmocka_unit_test(broken_glass_lets_see_and_not_do),
        cmocka_unit_test(sight_goes_by_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
