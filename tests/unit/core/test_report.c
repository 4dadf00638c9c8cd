/* Reports: what the page, the table and the bundle say of a session. */
#include "treatment.h"

#include "base/text.h"
#include "core/report.h"

#define NOW    INT64_C(1700000000000)
#define SECOND INT64_C(1000)

static const char back_text[] =
    "{name: back, title: \"Back & <hip>\", limits: [{metric: angle, above: 45 deg}],"
    " phases: [{kind: massage, title: Massage, time: 5 min}, {kind: rest, time: 1 min}]}";

struct world {
    struct treatment treatment;
    struct report report;
    struct report_point points[16];
    char page[262144];
};

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct report *report = &world->report;
    struct diag diag = {0};
    treatment_init(&world->treatment);
    report->drivers = &world->treatment.drivers;
    report->body = &world->treatment.body;
    report->version = "1.2.3";
    report->made_ms = NOW + 3600 * SECOND;
    report->zone_ms = 3600 * SECOND;
    snprintf(report->clinic, sizeof(report->clinic), "Lindenhof <1>");
    snprintf(report->room, sizeof(report->room), "Salon");
    struct session *session = &report->session;
    *session = (struct session){.id = 12,
                                .state = SESSION_DONE,
                                .opened_ms = NOW - 60 * SECOND,
                                .started_ms = NOW,
                                .ended_ms = NOW + 600 * SECOND,
                                .pain = {6, SESSION_NO_SCORE, 3},
                                .rmdq = SESSION_NO_SCORE,
                                .odi = 22,
                                .phase = 2,
                                .device_count = 1};
    assert_int_equal(plan_parse(&session->plan, "plan", back_text, strlen(back_text),
                                report->drivers, report->body, &diag),
                     0);
    session->devices[0].from_ms = NOW;
    snprintf(report->devices[0], sizeof(report->devices[0]), "sensor/p-01");
    session->phases[0] = (struct session_phase){NOW, NOW + 300 * SECOND, 290 * SECOND};
    session->phases[1] = (struct session_phase){NOW + 300 * SECOND, NOW + 600 * SECOND, 61000};
    session->bands[0] =
        (struct session_band){.within_ms = 90000, .above_ms = 10000, .excursions = 2};
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    treatment_fini(&world->treatment);
    free(world);
    return 0;
}

/* A trace of the angle: these means, ten seconds each; NaN: nothing was heard. */
static void measure(struct world *world, const double *means, size_t count)
{
    struct report_trace *trace = &world->report.traces[0];
    *trace = (struct report_trace){.metric = &world->treatment.drivers.list[0].metrics[ANGLE],
                                   .step_ms = 10 * SECOND,
                                   .points = world->points};
    for (size_t i = 0; i < count; i++)
        if (!isnan(means[i]))
            world->points[trace->count++] = (struct report_point){
                NOW + (int64_t)i * 10 * SECOND, 100, means[i] - 1, means[i], means[i] + 1};
    world->report.trace_count = 1;
}

static const char *page_of(struct world *world)
{
    struct text text = text_in(world->page, sizeof(world->page));
    report_html(&text, &world->report, "b{color:red}", "style-src 'none'");
    assert_false(text.cut);
    return world->page;
}

static unsigned count_of(const char *in, const char *what)
{
    unsigned count = 0;
    for (const char *at = in; (at = strstr(at, what)) != NULL; at += strlen(what))
        count++;
    return count;
}

static void must_say(const char *page, const char *words)
{
    if (strstr(page, words) == NULL)
        fail_msg("'%s' is not in %s", words, page);
}

static void pain_is_held_against_what_matters(void **state)
{
    static const struct {
        int before, after, change;
    } rows[] = {
        {6, 4, -1}, {6, 5, 0}, {6, 6, 0},  {6, 7, 0},   {6, 8, 1}, /* 2 of 10 */
        {3, 2, -1}, {4, 3, 0}, {2, 1, -1}, {1, 0, -1},             /* or 30 % */
        {0, 0, 0},  {0, 1, 0}, {0, 2, 1},  {10, 8, -1}, /* of nothing there is no share */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(report_pain_change(rows[i].before, rows[i].after), rows[i].change);
}

static void a_page_says_what_was_done_on_the_clinics_clock(void **state)
{
    struct world *world = *state;
    measure(world, (double[]){10, 20, 46}, 3);
    const char *page = page_of(world);
    must_say(page, "<style>b{color:red}</style>");
    must_say(page, "content=\"style-src &#39;none&#39;\"");
    must_say(page, "Lindenhof &lt;1&gt;");
    must_say(page, "Back &amp; &lt;hip&gt;");
    must_say(page, "14 Nov 2023, 23:13–23:23"); /* NOW is 22:13:20 UTC */
    must_say(page, "<td>Massage</td><td class=\"n\">4:50</td><td class=\"n\">5:00</td>");
    must_say(page, "limit ≤ 45.0°, all phases</small></td><td class=\"n\">90 %</td>");
    must_say(page, "0:10 · 2 times");
    must_say(page, "Less pain, by as much as matters");
    must_say(page, "9.0 … 47.0°, mean 25.3°");
    must_say(page, "class=\"l\""); /* the limit, drawn */
    must_say(page, "(UTC+01:00) · Lumbar 1.2.3");
    world->report.language = REPORT_GERMAN;
    page = page_of(world);
    must_say(page, "<html lang=\"de\">");
    must_say(page, "14.11.2023, 23:13–23:23");
    must_say(page, "9,0 … 47,0°, im Mittel 25,3°");
    must_say(page, "Grenze ≤ 45,0°, alle Phasen");
}

static void a_gap_is_a_gap_and_nothing_is_said_of_what_was_not_measured(void **state)
{
    struct world *world = *state;
    measure(world, (double[]){10, 20, NAN, 30, 40}, 5);
    assert_int_equal(count_of(page_of(world), "<polyline"), 2);
    measure(world, (double[]){NAN}, 1);
    must_say(page_of(world), "Nothing was measured.");
    world->report.session.bands[0] = (struct session_band){.within_ms = 0};
    must_say(page_of(world), "not measured");
    world->report.session.plan.bands[0].high = NAN; /* asks for an own range that nobody took */
    const char *page = page_of(world);
    must_say(page, "limit no value yet");
    assert_null(strstr(page, "100 %"));
    world->report.lost = 1;
    must_say(page_of(world), "History has lost part of this time");
}

static void what_people_wrote_cannot_become_markup(void **state)
{
    struct world *world = *state;
    struct session *session = &world->report.session;
    static const char evil[] = "</style><script>alert(\"1\")</script>'&";
    snprintf(session->adverse, sizeof(session->adverse), "%s", evil);
    snprintf(session->client.name, sizeof(session->client.name), "%s", "<i>");
    session->note_count = 1;
    snprintf(session->notes[0].text, sizeof(session->notes[0].text), "%s", evil);
    const char *page = page_of(world);
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<i>"));
    assert_int_equal(count_of(page, "&lt;/style&gt;&lt;script&gt;alert(&quot;1&quot;)"), 2);
}

static void a_page_without_room_is_cut_and_says_so(void **state)
{
    struct world *world = *state;
    char small[1000];
    struct text text = text_in(small, sizeof(small));
    measure(world, (double[]){10, 20}, 2);
    report_html(&text, &world->report, "", "");
    assert_true(text.cut && strlen(small) < sizeof(small));
}

static void a_table_has_a_line_a_bucket(void **state)
{
    struct world *world = *state;
    measure(world, (double[]){10, NAN, 20.05}, 3);
    struct text text = text_in(world->page, sizeof(world->page));
    report_csv(&text, &world->report);
    assert_string_equal(world->page,
                        "at,device,metric,unit,count,min,mean,max\r\n"
                        "2023-11-14T22:13:20.000Z,sensor/p-01,angle,deg,100,9,10,11\r\n"
                        "2023-11-14T22:13:40.000Z,sensor/p-01,angle,deg,100,19.05,"
                        "20.05,21.05\r\n");
}

static const json_t *find(const json_t *bundle, const char *type, size_t place)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(json_object_get(bundle, "entry"), i, entry)
    {
        const json_t *resource = json_object_get(entry, "resource");
        if (strcmp(json_string_value(json_object_get(resource, "resourceType")), type) == 0 &&
            place-- == 0)
            return resource;
    }
    return NULL;
}

static void a_bundle_is_told_the_same_each_time_and_names_nobody(void **state)
{
    struct world *world = *state;
    measure(world, (double[]){10, 20}, 2);
    json_t *first = report_fhir(&world->report), *second = report_fhir(&world->report);
    assert_true(json_equal(first, second));
    assert_null(find(first, "Patient", 0));
    const json_t *subject = json_object_get(find(first, "Procedure", 0), "subject");
    assert_string_equal(json_string_value(json_object_get(subject, "display")), "not named");
    const json_t *pain = find(first, "Observation", 1); /* after; during was not asked */
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(pain, "valueQuantity"), "value")), 3);
    json_decref(second);

    snprintf(world->report.session.client.name, CLIENT_NAME_BYTES, "kiefer-7");
    second = report_fhir(&world->report);
    const json_t *identifier =
        json_array_get(json_object_get(find(second, "Patient", 0), "identifier"), 0);
    assert_string_equal(json_string_value(json_object_get(identifier, "value")), "kiefer-7");
    json_decref(first);
    json_decref(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pain_is_held_against_what_matters),
        TEST(a_page_says_what_was_done_on_the_clinics_clock),
        TEST(a_gap_is_a_gap_and_nothing_is_said_of_what_was_not_measured),
        TEST(what_people_wrote_cannot_become_markup),
        TEST(a_page_without_room_is_cut_and_says_so),
        TEST(a_table_has_a_line_a_bucket),
        TEST(a_bundle_is_told_the_same_each_time_and_names_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
