/* Plans and clients: read, complained of, written, tailored. */
#include "treatment.h"

#include "core/plan.h"

#define NOW     INT64_C(1714694400000) /* 2024-05-03 */
#define DAY     INT64_C(86400000)
#define AGE_MAX (90 * DAY)

static const char whole_plan[] = "name: back-basic\n"
                                 "title: Lower back, first weeks\n"
                                 "goals: [Sit an hour, Pain below 4]\n"
                                 "regions: [lower_back, hip_left]\n"
                                 "limits:\n"
                                 "  - {metric: angle, above: 45 deg, own: 80 %}\n"
                                 "  - {metric: temperature, below: 25.5 Cel}\n"
                                 "phases:\n"
                                 "  - {kind: warm_up, time: 5 min}\n"
                                 "  - kind: massage\n"
                                 "    title: \"Massage, with care\"\n"
                                 "    time: 90 s\n"
                                 "    regions: lower_back\n"
                                 "    limits: [{metric: rotation, outside: [-10 deg, 10 deg]}]\n"
                                 "    targets:\n"
                                 "      - {metric: pressure, between: [120 kPa, 250 kPa],\n"
                                 "         regions: lower_back}\n"
                                 "      - {metric: pressure, own: 70 %}\n";

static int open_room(void **state)
{
    *state = calloc(1, sizeof(struct treatment));
    treatment_init(*state);
    return 0;
}

static int close_room(void **state)
{
    treatment_fini(*state);
    free(*state);
    return 0;
}

static struct plan parse(const struct treatment *treatment, const char *text)
{
    struct plan plan;
    struct diag diag = {0};
    char sentence[600];
    if (plan_parse(&plan, "plan.yaml", text, strlen(text), &treatment->drivers, &treatment->body,
                   &diag) != 0)
        fail_msg("%s", diag_sentence(&diag, sentence, sizeof(sentence)));
    return plan;
}

/* What a session has kept of the plan above, with a word of it replaced. */
static struct plan kept_with(const struct treatment *treatment, const char *word, const char *other,
                             uint32_t *lost)
{
    char bytes[2048];
    struct text text = text_in(bytes, sizeof(bytes));
    struct plan plan;
    const char *at = strstr(whole_plan, word);
    assert_non_null(at);
    text_add(&text, "%.*s%s%s", (int)(at - whole_plan), whole_plan, other, at + strlen(word));
    assert_int_equal(
        plan_parse_kept(&plan, bytes, text.length, &treatment->drivers, &treatment->body, lost), 0);
    return plan;
}

static void a_kept_plan_outlives_what_it_names(void **state)
{
    static const struct {
        const char *word, *other;
        uint32_t lost, bands;
    } rows[] = {
        {"angle", "angle", 0, 5},                       /* as it was */
        {"{metric: angle", "{metric: old_angle", 1, 4}, /* a metric was renamed */
        {"temperature", "heat", 2, 4},
        {"pressure, between", "squeeze, between", 8, 4},
        {"25.5 Cel", "25.5 K", 2, 4},                     /* its unit is another */
        {"kind: massage", "kind: kneading", 0, 5},        /* a kind of phase is gone */
        {"hip_left", "tail", 0, 5},                       /* a region of the whole is */
        {"regions: lower_back}", "regions: tail}", 8, 4}, /* one that a band held on alone */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t lost;
        struct plan plan = kept_with(*state, rows[i].word, rows[i].other, &lost);
        assert_int_equal(lost, rows[i].lost);
        assert_int_equal(plan.band_count, rows[i].bands);
        assert_int_equal(plan.lost_bands, 5 - rows[i].bands);
        assert_int_equal(plan.phase_count, 2);
        assert_string_equal(plan.title, "Lower back, first weeks");
        assert_string_equal(plan.phases[1].title, "Massage, with care");
        assert_int_equal(plan.phases[1].time_ms, 90000);
    }
}

static struct client parse_client(const struct treatment *treatment, const char *text)
{
    struct client client;
    struct diag diag = {0};
    char sentence[600];
    if (client_parse(&client, "client", text, strlen(text), &treatment->drivers, &treatment->body,
                     &diag) != 0)
        fail_msg("%s", diag_sentence(&diag, sentence, sizeof(sentence)));
    return client;
}

static void a_plan_has_what_stands_in_it(void **state)
{
    struct treatment *treatment = *state;
    struct plan plan = parse(treatment, whole_plan);
    assert_string_equal(plan.name, "back-basic");
    assert_string_equal(plan.title, "Lower back, first weeks");
    assert_int_equal(plan.goal_count, 2);
    assert_string_equal(plan.goals[1], "Pain below 4");
    assert_int_equal(plan.regions, 7);
    assert_int_equal(plan.phase_count, 2);
    assert_int_equal(plan.phases[0].kind, PLAN_WARM_UP);
    assert_string_equal(plan.phases[0].title, "Warm-up"); /* of its kind, for want of another */
    assert_int_equal(plan.phases[0].time_ms, 300000);
    assert_string_equal(plan.phases[1].title, "Massage, with care");
    assert_int_equal(plan.phases[1].regions, 3);
    assert_int_equal(plan_time_ms(&plan), 390000);

    assert_int_equal(plan.band_count, 5);
    assert_int_equal(plan.bands[0].metric, treatment_metric(treatment, "angle"));
    assert_int_equal(plan.bands[0].phase, PLAN_ANY_PHASE);
    assert_true(isnan(plan.bands[0].low) && plan.bands[0].high == 45 && plan.bands[0].own == 0.8);
    assert_true(plan.bands[1].low == 25.5 && isnan(plan.bands[1].high));
    assert_true(plan.bands[2].low == -10 && plan.bands[2].high == 10 && !plan.bands[2].target);
    assert_int_equal(plan.bands[2].phase, 1);
    assert_true(plan.bands[3].target && plan.bands[3].low == 120 && plan.bands[3].regions == 3);
    assert_true(isnan(plan.bands[4].low) && isnan(plan.bands[4].high) && plan.bands[4].own == 0.7);
}

static void what_is_written_reads_to_the_same(void **state)
{
    struct treatment *treatment = *state;
    static char json[32768], again[32768];
    struct plan first = parse(treatment, whole_plan);
    struct text text = text_in(json, sizeof(json));
    plan_write(&text, &first, &treatment->drivers, &treatment->body);
    assert_false(text.cut);
    struct plan second = parse(treatment, json);
    struct text text_again = text_in(again, sizeof(again));
    plan_write(&text_again, &second, &treatment->drivers, &treatment->body);
    assert_string_equal(json, again);
    assert_int_equal(second.band_count, first.band_count);
    assert_int_equal(second.phases[1].time_ms, 90000);
    assert_non_null(strstr(json, "\"outside\": [\"-10 deg\", \"10 deg\"]"));
    assert_non_null(strstr(json, "\"regions\": [\"lower_back_left\", \"lower_back_right\"]"));
}

/* %s: where in a plan it stands does not matter to the rows. */
static void what_is_wrong_is_said_with_its_place(void **state)
{
    static const struct {
        const char *text;
        int code;
        const char *sentence; /* a part of it */
    } rows[] = {
        {"", ERR_SYNTAX, "plan:1:1: there is nothing in it"},
        {"[]", ERR_SYNTAX, "expected a map"},
        {"{}", ERR_SYNTAX, "name: is needed"},
        {"{name: a b}", ERR_SYNTAX, "plan:1:8: name: expected 1..63 of A-Z"},
        {"{name: a, titel: b}", ERR_UNKNOWN, "unknown key 'titel'; did you mean 'title'?"},
        {"{name: a, title: \"\"}", ERR_SYNTAX, "title: expected one line of 1..100 bytes"},
        {"{name: a, client: [b]}", ERR_SYNTAX, "client: expected"},
        {"{name: a, goals: b}", ERR_SYNTAX, "goals: expected a list"},
        {"{name: a, goals: [a, a, a, a, a, a, a, a, a]}", ERR_LIMIT, "9 of them, 8 at most"},
        {"{name: a, regions: [hip_lefd]}", ERR_UNKNOWN, "regions: no region 'hip_lefd'"},
        {"{name: a, regions: {}}", ERR_SYNTAX, "regions: expected a region"},
        {"{name: a, phases: [b]}", ERR_SYNTAX, "phases[0]: expected a map"},
        {"{name: a, phases: [{time: 5 min}]}", ERR_SYNTAX, "phases[0].kind: a phase has a kind"},
        {"{name: a, phases: [{kind: masage, time: 5 min}]}", ERR_UNKNOWN,
         "phases[0].kind: no kind of phase 'masage'; did you mean 'massage'?"},
        {"{name: a, phases: [{kind: heat}]}", ERR_SYNTAX, "phases[0].time: is needed"},
        {"{name: a, phases: [{kind: heat, time: 5}]}", ERR_SYNTAX,
         "phases[0].time: expected a time with its unit, as '5 min', not '5'"},
        {"{name: a, phases: [{kind: heat, time: 5 h}]}", ERR_RANGE, "1 s .. 240 min, not '5 h'"},
        {"{name: a, phases: [{kind: heat, time: 0 s}]}", ERR_RANGE, "1 s .. 240 min"},
        {"{name: a, limits: [{above: 5 deg}]}", ERR_SYNTAX, "limits[0].metric: is needed"},
        {"{name: a, limits: [{metric: angel, above: 5 deg}]}", ERR_UNKNOWN,
         "plan:1:29: limits[0].metric: there is no metric"},
        {"{name: a, limits: [{metric: posture, above: 1}]}", ERR_CONFLICT,
         "posture is not measured in numbers"},
        {"{name: a, limits: [{metric: angle}]}", ERR_SYNTAX,
         "limits[0]: says no limit: above, below, outside or own"},
        {"{name: a, targets: [{metric: angle}]}", ERR_SYNTAX,
         "targets[0]: says no target: between, least, most or own"},
        {"{name: a, limits: [{metric: angle, above: 45}]}", ERR_RANGE,
         "limits[0].above: angle is measured in deg: write '45 deg', not '45'"},
        {"{name: a, limits: [{metric: angle, above: 45 Cel}]}", ERR_RANGE, "write '45 deg'"},
        {"{name: a, limits: [{metric: angle, above: 145 deg}]}", ERR_RANGE,
         "angle is -40..100 deg, never '145 deg'"},
        {"{name: a, limits: [{metric: angle, above: high}]}", ERR_SYNTAX, "a number with the unit"},
        {"{name: a, limits: [{metric: angle, above: 4 deg, below: 1 deg}]}", ERR_CONFLICT,
         "limits[0].below: stands beside 'above'"},
        {"{name: a, limits: [{metric: angle, between: [1 deg, 2 deg]}]}", ERR_UNKNOWN,
         "unknown key 'between'"},
        {"{name: a, limits: [{metric: angle, outside: [2 deg, 1 deg]}]}", ERR_RANGE,
         "the lower value comes first"},
        {"{name: a, limits: [{metric: angle, outside: [2 deg]}]}", ERR_SYNTAX,
         "expected two values, as [10 deg, 20 deg]"},
        {"{name: a, limits: [{metric: angle, own: 80}]}", ERR_SYNTAX, "expected a share"},
        {"{name: a, limits: [{metric: angle, own: 500 %}]}", ERR_RANGE, "1..150 %, not '500 %'"},
        {"{name: a, phases: [{kind: heat, time: 5 s, limits: [{metric: angle, above: 1}]}]}",
         ERR_RANGE, "phases[0].limits[0].above: angle is measured in deg"},
    };
    struct treatment *treatment = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct plan plan;
        struct diag diag = {0};
        char sentence[600];
        int code = plan_parse(&plan, "plan", rows[i].text, strlen(rows[i].text),
                              &treatment->drivers, &treatment->body, &diag);
        diag_sentence(&diag, sentence, sizeof(sentence));
        if (code != rows[i].code || strstr(sentence, rows[i].sentence) == NULL)
            fail_msg("%s: %d, %s", rows[i].text, code, sentence);
        assert_int_equal(plan.phase_count + plan.band_count, 0); /* nothing of it is left */
    }
}

/* 33 limits: over the whole plan, wherever they stand. */
static void bands_are_bounded_over_the_whole_plan(void **state)
{
    struct treatment *treatment = *state;
    char text[4096] = "{name: a, phases: [{kind: heat, time: 5 s, limits: [";
    for (int i = 0; i < 20; i++)
        strcat(text, "{metric: angle, above: 4 deg}, ");
    strcat(text, "]}], limits: [");
    for (int i = 0; i < 13; i++)
        strcat(text, "{metric: angle, above: 4 deg}, ");
    strcat(text, "]}");
    struct plan plan;
    struct diag diag = {0};
    assert_int_equal(
        plan_parse(&plan, "plan", text, strlen(text), &treatment->drivers, &treatment->body, &diag),
        ERR_LIMIT);
    assert_non_null(strstr(diag.text, "phases[0].limits: 20 of them, 19 at most"));
}

/* ---- Clients ---- */

static const char whole_client[] =
    "{\"name\": \"kiefer-7\", \"goals\": [\"Garden again\"], \"own\": ["
    "{\"metric\": \"angle\", \"low\": \"-15 deg\", \"high\": \"60 deg\", \"measured\": "
    "\"2024-02-29\"}, "
    "{\"metric\": \"pressure\", \"regions\": [\"hip_left\"], \"high\": \"310 kPa\", \"measured\": "
    "\"2024-05-03\"}]}";

static void a_client_reads_and_writes_to_the_same(void **state)
{
    struct treatment *treatment = *state;
    char json[4096];
    struct client client = parse_client(treatment, whole_client);
    assert_string_equal(client.name, "kiefer-7");
    assert_int_equal(client.own_count, 2);
    assert_int_equal(client.own[0].measured_ms, INT64_C(1709164800000));
    struct text text = text_in(json, sizeof(json));
    client_write(&text, &client, &treatment->drivers, &treatment->body);
    assert_string_equal(json, whole_client);
}

static void what_is_wrong_with_a_client_is_said(void **state)
{
    static const struct {
        const char *text;
        const char *sentence;
    } rows[] = {
        {"{name: Frau Doktor}", "name: expected 1..32 of A-Z"}, /* no place for a name */
        {"{name: abcdefghijabcdefghijabcdefghijabc}", "name: expected 1..32"},
        {"{name: a, born: 1980}", "unknown key 'born'"},
        {"{name: a, own: [{metric: angle, high: 5 deg}]}", "own[0].measured: is needed"},
        {"{name: a, own: [{metric: angle, high: 5 deg, measured: 2024-02-30}]}",
         "own[0].measured: expected a day, as 2024-05-03"},
        {"{name: a, own: [{metric: angle, high: 5 deg, measured: 2023-02-29}]}", "expected a day"},
        {"{name: a, own: [{metric: angle, high: 5 deg, measured: 1969-12-31}]}", "expected a day"},
        {"{name: a, own: [{metric: angle, measured: 2024-02-03}]}", "low, high or both?"},
        {"{name: a, own: [{metric: angle, low: 5 deg, high: 5 deg, measured: 2024-02-03}]}",
         "low is not below high"},
    };
    struct treatment *treatment = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct client client;
        struct diag diag = {0};
        client_parse(&client, "client", rows[i].text, strlen(rows[i].text), &treatment->drivers,
                     &treatment->body, &diag);
        if (strstr(diag.text, rows[i].sentence) == NULL)
            fail_msg("%s: %s", rows[i].text, diag.text);
    }
}

static void a_day_is_a_day_of_the_calendar(void **state)
{
    static const char *const days[] = {"1970-01-01", "1999-12-31", "2000-02-29",
                                       "2024-12-31", "2100-02-28", "2100-03-01"};
    (void)state;
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        char written[20];
        int64_t ms;
        struct text text = text_in(written, sizeof(written));
        assert_true(client_read_day(days[i], &ms));
        client_write_day(&text, ms);
        assert_memory_equal(written + 1, days[i], 10);
    }
    int64_t first = 0, second = 0;
    assert_true(client_read_day("2100-02-28", &first) && client_read_day("2100-03-01", &second));
    assert_int_equal(second - first, DAY); /* 2100 is no leap year */
    assert_true(client_read_day("2024-05-03", &first));
    assert_int_equal(first, NOW);
}

/* ---- Tailoring ---- */

static void the_own_range_takes_the_place_of_a_limit_while_it_is_young(void **state)
{
    struct treatment *treatment = *state;
    struct client client = parse_client(treatment, whole_client);
    struct plan plan = parse(treatment, whole_plan);
    plan_tailor(&plan, &client, NOW, AGE_MAX);
    assert_true(plan.bands[0].low == -12 && plan.bands[0].high == 48); /* 80 % of -15 and 60 */
    assert_true(plan.bands[1].low == 25.5);                            /* asks for none */
    assert_true(isnan(plan.bands[4].high)); /* measured on the hip only, wanted anywhere */

    plan = parse(treatment, whole_plan);
    plan_tailor(&plan, &client, NOW + 27 * DAY, AGE_MAX); /* 91 days after 29 February */
    assert_true(isnan(plan.bands[0].low) && plan.bands[0].high == 45);
}

static void of_two_measurements_the_newer_counts(void **state)
{
    struct treatment *treatment = *state;
    struct client client = parse_client(
        treatment, "{name: a, own: [{metric: angle, high: 60 deg, measured: 2024-04-03},"
                   " {metric: angle, high: 70 deg, measured: 2024-05-01},"
                   " {metric: angle, high: 50 deg, measured: 2024-03-03}]}");
    uint32_t angle = treatment_metric(treatment, "angle");
    struct client_own own;
    assert_true(client_find_own(&client, angle, 0, NOW, AGE_MAX, &own) && own.high == 70);
    assert_true(isnan(own.low));
    assert_false(client_find_own(&client, angle + 1, 0, NOW, AGE_MAX, &own));
}

static void each_side_has_its_own_day(void **state)
{
    struct treatment *treatment = *state;
    struct client client = parse_client(
        treatment, "{name: a, own: [{metric: angle, low: -15 deg, measured: 2024-04-03},"
                   " {metric: angle, high: 70 deg, measured: 2024-05-01}]}");
    uint32_t angle = treatment_metric(treatment, "angle");
    struct client_own own;
    assert_true(client_find_own(&client, angle, 0, NOW, AGE_MAX, &own));
    assert_true(own.low == -15 && own.high == 70);
    assert_int_equal(own.measured_ms, client.own[0].measured_ms); /* of the older side */
    struct plan plan = parse(treatment, whole_plan);
    client.own_count = 1; /* to the other side the limit stays as it is written */
    plan_tailor(&plan, &client, NOW, AGE_MAX);
    assert_true(plan.bands[0].low == -12 && plan.bands[0].high == 45);
}

static void what_is_measured_anew_takes_the_place_of_its_side(void **state)
{
    struct treatment *treatment = *state;
    struct client client = parse_client(
        treatment,
        "{name: a, own: [{metric: angle, low: -15 deg, high: 50 deg, measured: 2024-04-03},"
        " {metric: angle, high: 70 deg, measured: 2024-05-01},"
        " {metric: pressure, high: 300 kPa, measured: 2024-05-01}]}");
    uint32_t angle = treatment_metric(treatment, "angle");
    struct client_own own, fresh = {angle, 0, NAN, 62, NOW};
    assert_int_equal(client_learn(&client, &fresh), 0);
    assert_int_equal(client.own_count, 3); /* one says nothing any more */
    assert_true(client_find_own(&client, angle, 0, NOW, AGE_MAX, &own));
    assert_true(own.low == -15 && own.high == 62);
    assert_true(
        client_find_own(&client, treatment_metric(treatment, "pressure"), 0, NOW, AGE_MAX, &own));
    while (client.own_count < CLIENT_OWN_MAX)
        client.own[client.own_count++] = client.own[2];
    fresh.regions = 1;
    assert_int_equal(client_learn(&client, &fresh), ERR_FULL);
}

static void what_was_measured_of_a_region_counts_there_only(void **state)
{
    struct treatment *treatment = *state;
    struct client client = parse_client(
        treatment,
        "{name: a, own: [{metric: pressure, regions: lower_back, high: 300 kPa, measured: "
        "2024-05-01}]}");
    uint32_t pressure = treatment_metric(treatment, "pressure");
    struct client_own own;
    assert_true(client_find_own(&client, pressure, 1, NOW, AGE_MAX, &own));
    assert_true(client_find_own(&client, pressure, 3, NOW, AGE_MAX, &own));
    assert_false(client_find_own(&client, pressure, 5, NOW, AGE_MAX, &own)); /* and the hip */
    assert_false(client_find_own(&client, pressure, 0, NOW, AGE_MAX, &own)); /* anywhere */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kept_plan_outlives_what_it_names),
        cmocka_unit_test(a_plan_has_what_stands_in_it),
        cmocka_unit_test(what_is_written_reads_to_the_same),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(bands_are_bounded_over_the_whole_plan),
        cmocka_unit_test(a_client_reads_and_writes_to_the_same),
        cmocka_unit_test(what_is_wrong_with_a_client_is_said),
        cmocka_unit_test(a_day_is_a_day_of_the_calendar),
        cmocka_unit_test(the_own_range_takes_the_place_of_a_limit_while_it_is_young),
        cmocka_unit_test(of_two_measurements_the_newer_counts),
        cmocka_unit_test(each_side_has_its_own_day),
        cmocka_unit_test(what_is_measured_anew_takes_the_place_of_its_side),
        cmocka_unit_test(what_was_measured_of_a_region_counts_there_only),
    };
    return cmocka_run_group_tests(tests, open_room, close_room);
}
