/* The hub's own certificate: made, kept, renewed with the same key, refused where it is no secret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/certificate.h"
#include "io/certificate_names.h"

#define DAY_MS INT64_C(86400000)
#define NOW    INT64_C(1800000000000)

static char folder[] = "/tmp/lumbar-certificate-XXXXXX", file[64], print[CERTIFICATE_PRINT_BYTES];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    snprintf(file, sizeof(file), "%s/own.pem", mkdtemp(folder));
    return 0;
}

static int clear(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(folder);
}

/* The end of what is given at that time; its fingerprint in `print`. */
static int64_t own_at(int64_t wall_ms)
{
    struct certificate *certificate;
    struct diag diag = {0};
    if (certificate_own(&certificate, file, "hub.example", wall_ms, &diag) != 0)
        fail_msg("%s", diag.text);
    assert_true(certificate_is_own(certificate));
    int64_t until_ms = certificate_until_ms(certificate);
    strcpy(print, certificate_fingerprint(certificate));
    certificate_destroy(certificate);
    return until_ms;
}

static void it_is_made_once_for_the_hub_alone(void **state)
{
    (void)state;
    char first[CERTIFICATE_PRINT_BYTES];
    struct stat status;
    int64_t until_ms = own_at(NOW);
    assert_in_range(until_ms, NOW + 395 * DAY_MS, NOW + 398 * DAY_MS);
    assert_int_equal(strlen(print), 95);
    strcpy(first, print);
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(own_at(NOW + 300 * DAY_MS), until_ms);
    assert_string_equal(print, first);
}

static void it_is_renewed_before_its_end(void **state)
{
    (void)state;
    int64_t until_ms = own_at(NOW);
    assert_int_equal(own_at(until_ms - 31 * DAY_MS), until_ms);
    assert_true(own_at(until_ms - 29 * DAY_MS) > until_ms);
    assert_true(own_at(until_ms + 1000 * DAY_MS) > until_ms + 1000 * DAY_MS); /* and after it */
}

/* A Raspberry Pi has no clock of its own: it begins in 1970, or where it was switched off. */
static void a_clock_that_was_never_set_makes_none_that_has_ended(void **state)
{
    (void)state;
    assert_true(own_at(0) > INT64_C(1790000000000));
}

static void what_cannot_be_written_is_kept_while_it_holds(void **state)
{
    (void)state;
    struct certificate *certificate;
    struct diag diag = {0};
    char beside[80];
    int64_t until_ms = own_at(NOW);
    snprintf(beside, sizeof(beside), "%s.new", file);
    assert_int_equal(mkdir(beside, 0700), 0); /* where the new one would be written */
    assert_int_equal(own_at(until_ms - DAY_MS), until_ms);
    assert_int_not_equal(certificate_own(&certificate, file, "", until_ms + DAY_MS, &diag), 0);
    assert_null(certificate);
    assert_non_null(strstr(diag.text, file));
    rmdir(beside);
}

static void a_file_that_others_may_read_is_refused(void **state)
{
    (void)state;
    struct certificate *certificate;
    struct diag diag = {0};
    own_at(NOW);
    assert_int_equal(chmod(file, 0644), 0);
    assert_int_equal(certificate_own(&certificate, file, "", NOW, &diag), ERR_CONFLICT);
    assert_non_null(strstr(diag.text, "everybody"));
    struct diag again = {0};
    assert_int_equal(certificate_load(&certificate, file, file, &again), ERR_CONFLICT);
    assert_int_equal(chmod(file, 0600), 0);
    assert_int_equal(certificate_load(&certificate, file, file, NULL), 0);
    assert_false(certificate_is_own(certificate));
    certificate_destroy(certificate);
}

static void a_name_that_is_none_is_left_out(void **state)
{
    (void)state;
    char out[CERTIFICATE_NAMES_BYTES], first[256];
    certificate_names("hub.example:8443, [fd00::1]:8443,192.168.1.7, -x, a b, *, x/y,,:8", out,
                      first);
    assert_string_equal(first, "hub.example");
    assert_int_equal(strncmp(out, "DNS:hub.example,IP:fd00::1,IP:192.168.1.7,", 42), 0);
    assert_non_null(strstr(out, "DNS:localhost,IP:127.0.0.1,IP:::1"));
    assert_null(strpbrk(out, "*/ \n"));
    /* However long the list: what has no room is left out whole. */
    char many[8000] = "";
    for (int i = 0; i < 300; i++)
        snprintf(many + strlen(many), 32, "host-%d.clinic.example,", i);
    certificate_names(many, out, first);
    assert_true(strlen(out) < CERTIFICATE_NAMES_BYTES);
    assert_int_equal(strcmp(strrchr(out, '.'), ".example"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_made_once_for_the_hub_alone, set_up, clear),
        cmocka_unit_test_setup_teardown(it_is_renewed_before_its_end, set_up, clear),
        cmocka_unit_test_setup_teardown(a_clock_that_was_never_set_makes_none_that_has_ended,
                                        set_up, clear),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_kept_while_it_holds, set_up,
                                        clear),
        cmocka_unit_test_setup_teardown(a_file_that_others_may_read_is_refused, set_up, clear),
        cmocka_unit_test(a_name_that_is_none_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
