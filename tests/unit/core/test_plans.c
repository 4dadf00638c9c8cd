/* The templates: each found by its name, none twice, none of a client. */
#include "treatment.h"

#include "core/plans.h"

#define FILE_OF(name, text)                                                                        \
    {                                                                                              \
        name, text, sizeof(text) - 1, false                                                               \
    }

static void plans_are_found_by_name(void **state)
{
    static const struct rules_text files[] = {FILE_OF("a.yaml", "{name: back}"),
                                              FILE_OF("b.yaml", "{name: hips, title: The hips}")};
    struct treatment treatment;
    struct plans *plans;
    struct diag diag = {0};
    (void)state;
    treatment_init(&treatment);
    assert_int_equal(plans_load(&plans, files, 2, &treatment.drivers, &treatment.body, &diag), 0);
    assert_int_equal(plans_count(plans), 2);
    assert_string_equal(plans_find(plans, "hips", NULL)->title, "The hips");
    assert_string_equal(plans_at(plans, 0)->name, "back");
    assert_null(plans_at(plans, 2));
    assert_null(plans_find(plans, "bakc", &diag));
    assert_string_equal(diag.text, "there is no plan 'bakc'; did you mean 'back'?");
    plans_destroy(plans);
    assert_int_equal(plans_load(&plans, NULL, 0, &treatment.drivers, &treatment.body, NULL), 0);
    assert_null(plans_find(plans, "back", NULL)); /* none at all is a set, too */
    plans_destroy(plans);
    treatment_fini(&treatment);
}

static void one_that_is_wrong_refuses_all(void **state)
{
    static const struct {
        struct rules_text files[2];
        int code;
        const char *sentence;
    } rows[] = {
        {{FILE_OF("a.yaml", "{name: a}"), FILE_OF("b.yaml", "{name: a}")},
         ERR_CONFLICT,
         "b.yaml:1:1: a second plan 'a'"},
        {{FILE_OF("a.yaml", "{name: a}"), FILE_OF("b.yaml", "{name: b, client: c}")},
         ERR_CONFLICT,
         "b.yaml:1:1: a plan in a file is of no client"},
        {{FILE_OF("a.yaml", "{name: a}"), FILE_OF("b.yaml", "{name: b, phase: []}")},
         ERR_UNKNOWN,
         "b.yaml:1:18: unknown key 'phase'; did you mean 'phases'?"},
    };
    struct treatment treatment;
    (void)state;
    treatment_init(&treatment);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct plans *plans;
        struct diag diag = {0};
        char sentence[600];
        assert_int_equal(
            plans_load(&plans, rows[i].files, 2, &treatment.drivers, &treatment.body, &diag),
            rows[i].code);
        assert_null(plans);
        diag_sentence(&diag, sentence, sizeof(sentence));
        if (strstr(sentence, rows[i].sentence) == NULL)
            fail_msg("%s", sentence);
    }
    treatment_fini(&treatment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_found_by_name),
        cmocka_unit_test(one_that_is_wrong_refuses_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
