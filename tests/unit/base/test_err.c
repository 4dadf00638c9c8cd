#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"

static void every_code_is_negative_and_has_words_of_its_own(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *words;
    } cases[] = {
#define X(code, words) {code, words},
        ERR_LIST(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(cases[i].code < 0);
        assert_string_equal(err_words(cases[i].code), cases[i].words);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(cases[i].code, cases[j].code);
            assert_string_not_equal(cases[i].words, cases[j].words);
        }
    }
    assert_string_equal(err_words(0), "no error");
    assert_string_equal(err_words(12345), "an unknown error");
    assert_string_equal(err_words(ERR_FIRST_), "an unknown error");
}

static void the_first_complaint_is_kept(void **state)
{
    (void)state;
    struct diag diag = {0};
    char sentence[600];
    assert_int_equal(diag_at(&diag, ERR_SYNTAX, "a.yaml", 3, 7, "the %s", "first"), ERR_SYNTAX);
    assert_int_equal(diag_set(&diag, ERR_IO, "the second"), ERR_IO);
    assert_int_equal(diag_at(&diag, ERR_FULL, "b.yaml", 1, 1, "the third"), ERR_FULL);
    assert_int_equal(diag.code, ERR_SYNTAX);
    assert_string_equal(diag_sentence(&diag, sentence, sizeof(sentence)), "a.yaml:3:7: the first");
}

static void a_sentence_has_as_much_place_as_there_is(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        int line, column;
        const char *sentence;
    } cases[] = {
        {"f.yaml", 3, 7, "f.yaml:3:7: wrong"},
        {"f.yaml", 0, 0, "f.yaml: wrong"},
        {"", 0, 0, "wrong"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct diag diag = {0};
        char sentence[64];
        diag_at(&diag, ERR_IO, cases[i].file, cases[i].line, cases[i].column, "wrong");
        assert_string_equal(diag_sentence(&diag, sentence, sizeof(sentence)), cases[i].sentence);
    }
}

static void long_complaints_are_cut_and_terminated(void **state)
{
    (void)state;
    char file[400], text[800], sentence[32];
    memset(file, 'f', sizeof(file));
    memset(text, 't', sizeof(text));
    file[sizeof(file) - 1] = text[sizeof(text) - 1] = '\0';
    struct diag diag = {0};
    diag_at(&diag, ERR_IO, file, 1, 1, "%s", text);
    assert_int_equal(strlen(diag.file), sizeof(diag.file) - 1);
    assert_int_equal(strlen(diag.text), sizeof(diag.text) - 1);
    assert_int_equal(strlen(diag_sentence(&diag, sentence, sizeof(sentence))), 31);
}

static void a_caller_may_not_want_to_know(void **state)
{
    (void)state;
    assert_int_equal(diag_set(NULL, ERR_IO, "nobody reads this"), ERR_IO);
    assert_int_equal(diag_at(NULL, ERR_FULL, "f", 1, 1, "nor this"), ERR_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_is_negative_and_has_words_of_its_own),
        cmocka_unit_test(the_first_complaint_is_kept),
        cmocka_unit_test(a_sentence_has_as_much_place_as_there_is),
        cmocka_unit_test(long_complaints_are_cut_and_terminated),
        cmocka_unit_test(a_caller_may_not_want_to_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
