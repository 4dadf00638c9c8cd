/* A POST as text: places, heads, answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/post.h"

static void a_place_is_taken_apart(void **state)
{
    static const struct {
        const char *url, *host, *path;
        unsigned port;
        bool tls;
    } cases[] = {
        {"http://127.0.0.1:8080/alarm?x=1", "127.0.0.1", "/alarm?x=1", 8080, false},
        {"http://pager", "pager", "/", 80, false},
        {"https://pager.example/", "pager.example", "/", 443, true},
        {"https://pager.example:444?x", "pager.example", "/?x", 444, true},
        {"http://[::1]:9/a/b", "::1", "/a/b", 9, false},
        {"http://[fe80::1]", "fe80::1", "/", 80, false},
        {"http://a:65535", "a", "/", 65535, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct post_place place;
        struct diag diag = {0};
        if (post_read_place(&place, cases[i].url, &diag) != 0)
            fail_msg("%s: %s", cases[i].url, diag.text);
        assert_string_equal(place.host, cases[i].host);
        assert_string_equal(place.path, cases[i].path);
        assert_int_equal(place.port, cases[i].port);
        assert_int_equal(place.tls, cases[i].tls);
    }
}

static void what_is_no_place_is_refused_in_a_sentence(void **state)
{
    static const struct {
        const char *url, *words;
    } cases[] = {
        {"", "does not begin with http"},       {"ftp://a/", "does not begin with http"},
        {"HTTP://a/", "does not begin"},        {"http://", "no host"},
        {"http://:80/", "no host"},             {"http://a:/", "no host and port"},
        {"http://a:0/", "no host and port"},    {"http://a:65536/", "no host and port"},
        {"http://a:8o/", "no host and port"},   {"http://a:123456/", "no host and port"},
        {"http://user@a/", "no host and port"}, {"http://[::1/", "no host and port"},
        {"http://[::1]x/", "no host and port"}, {"http://[]/", "no host"},
        {"http://a/b c", "space"},              {"http://a/\r\nX: y", "space"},
        {"http://a/#b", "'#'"},
    };
    char longest[1000] = "http://a/";
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct post_place place;
        struct diag diag = {0};
        assert_int_not_equal(post_read_place(&place, cases[i].url, &diag), 0);
        if (strstr(diag.text, cases[i].words) == NULL)
            fail_msg("%s: %s", cases[i].url, diag.text);
    }
    struct post_place place;
    struct diag diag = {0};
    memset(longest + 9, 'p', sizeof(longest) - 10);
    assert_int_equal(post_read_place(&place, longest, &diag), ERR_LIMIT);
    memcpy(longest, "http://ppp", 10);
    diag = (struct diag){0};
    assert_int_equal(post_read_place(&place, longest, &diag), ERR_SYNTAX);
}

static void a_head_says_where_to_who_and_how_much(void **state)
{
    char head[POST_HEAD_BYTES];
    struct post_place place;
    (void)state;
    assert_int_equal(post_read_place(&place, "http://[::1]:81/a", NULL), 0);
    size_t length = post_write_head(head, &place, "", 12);
    assert_int_equal(length, strlen(head));
    assert_string_equal(head, "POST /a HTTP/1.1\r\nHost: [::1]:81\r\nUser-Agent: lumbard/" LUMBAR_VERSION
                              "\r\nContent-Type: application/json\r\nContent-Length: 12\r\n"
                              "Connection: close\r\n\r\n");
    post_write_head(head, &place, "secret", 0);
    assert_non_null(strstr(head, "\r\nAuthorization: Bearer secret\r\n"));
    char word[POST_HEAD_BYTES];
    memset(word, 'w', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    assert_int_equal(post_write_head(head, &place, word, 0), 0);
}

static void an_answer_is_read_as_it_comes(void **state)
{
    static const struct {
        const char *bytes;
        int status;
    } cases[] = {
        {"", 0},
        {"HTT", 0},
        {"HTTP/1.1 20", 0},
        {"HTTP/1.1 200", 200},
        {"HTTP/1.0 503 No\r\n\r\n", 503},
        {"HTTP/2 200 x ", -1},
        {"HTTP/1.1 2x0 ", -1},
        {"HTTP/1.1 099 ", -1},
        {"HTTP/1.1 999 ", -1},
        {"SSH-2.0-Open", -1},
        {"S", -1},
        {"HTTP/1.1_200", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (post_read_status(cases[i].bytes, strlen(cases[i].bytes)) != cases[i].status)
            fail_msg("'%s' is not %d", cases[i].bytes, cases[i].status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_taken_apart),
        cmocka_unit_test(what_is_no_place_is_refused_in_a_sentence),
        cmocka_unit_test(a_head_says_where_to_who_and_how_much),
        cmocka_unit_test(an_answer_is_read_as_it_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
