/* Against a real mosquitto on a free loopback port, started and ended here by its pid. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/mqtt.h"
#include "mosquitto.h"

#define SECRET "never-to-be-read-in-a-log"

/* --- the client under test --- */

struct heard {
    pthread_mutex_t lock;
    int count;
    char topic[300], payload[64]; /* the last one */
    _Atomic int changes;
    bool refuse;
};

static bool on_message(void *user, const char *topic, size_t topic_bytes, const void *payload,
                       size_t payload_bytes, int qos)
{
    struct heard *heard = user;
    (void)qos;
    pthread_mutex_lock(&heard->lock);
    heard->count++;
    snprintf(heard->topic, sizeof(heard->topic), "%.*s", (int)topic_bytes, topic);
    snprintf(heard->payload, sizeof(heard->payload), "%.*s", (int)payload_bytes,
             (const char *)payload);
    bool keep = !heard->refuse;
    pthread_mutex_unlock(&heard->lock);
    return keep;
}

static void on_change(void *user)
{
    ((struct heard *)user)->changes++;
}

static const char filters[][MQTT_FILTER_BYTES] = {"lumbar/v1/posture/+/telemetry",
                                                  "lumbar/v1/massage/+/telemetry"};

static struct mqtt_options options_for(const struct broker *broker)
{
    return (struct mqtt_options){
        .host = "127.0.0.1",
        .port = broker->port,
        .client_id = "hub-test",
        .username = "",
        .password = "",
        .ca_file = "",
        .certificate_file = "",
        .key_file = "",
        .filters = filters,
        .filter_count = 2,
    };
}

static struct mqtt *client_run(const struct mqtt_options *options, struct heard *heard)
{
    struct mqtt *mqtt = NULL;
    struct diag diag = {0};
    memset(heard, 0, sizeof(*heard));
    pthread_mutex_init(&heard->lock, NULL);
    assert_int_equal(mqtt_create(&mqtt, options, on_message, on_change, heard, &diag), 0);
    assert_int_equal(mqtt_start(mqtt, &diag), 0);
    return mqtt;
}

static void client_end(struct mqtt *mqtt)
{
    mqtt_stop(mqtt, 5000);
    mqtt_destroy(mqtt);
}

static struct mqtt_state state_of(const struct mqtt *mqtt)
{
    struct mqtt_state state;
    mqtt_state(mqtt, &state);
    return state;
}

static bool is_connected(const struct mqtt *mqtt, struct heard *heard, int number)
{
    (void)heard;
    return state_of(mqtt).connects >= (uint64_t)number && state_of(mqtt).connected;
}

static bool is_disconnected(const struct mqtt *mqtt, struct heard *heard, int number)
{
    (void)heard, (void)number;
    return !state_of(mqtt).connected;
}

static bool has_failed(const struct mqtt *mqtt, struct heard *heard, int number)
{
    (void)heard;
    return state_of(mqtt).failures >= (uint64_t)number;
}

static bool has_beaten(const struct mqtt *mqtt, struct heard *heard, int number)
{
    (void)heard, (void)number;
    return state_of(mqtt).heard_mono_ns != 0;
}

static bool has_published(const struct mqtt *mqtt, struct heard *heard, int number)
{
    (void)heard;
    return state_of(mqtt).published >= (uint64_t)number;
}

static bool has_dropped(const struct mqtt *mqtt, struct heard *heard, int number)
{
    (void)heard;
    return state_of(mqtt).oversize >= (uint64_t)number;
}

static bool has_heard(const struct mqtt *mqtt, struct heard *heard, int number)
{
    (void)mqtt;
    pthread_mutex_lock(&heard->lock);
    bool enough = heard->count >= number;
    pthread_mutex_unlock(&heard->lock);
    return enough;
}

typedef bool condition(const struct mqtt *mqtt, struct heard *heard, int number);

static void await(condition *is, const struct mqtt *mqtt, struct heard *heard, int number)
{
    for (int i = 0; i < PATIENT / 5 && !is(mqtt, heard, number); i++)
        rest_ms(5);
    assert_true(is(mqtt, heard, number));
}

/* --- the tests --- */

static void hears_what_is_published_and_measures_its_heartbeat(void **unused)
{
    (void)unused;
    struct broker broker;
    struct heard heard;
    broker_init(&broker, "allow_anonymous true\n");
    broker_run(&broker);
    struct mqtt_options options = options_for(&broker);
    struct mqtt *mqtt = client_run(&options, &heard);
    await(is_connected, mqtt, &heard, 1);
    assert_int_equal(heard.changes, 1);
    publish(&broker, "lumbar/v1/posture/p-01/telemetry", "upright");
    publish(&broker, "lumbar/v1/other/p-01/telemetry", "not subscribed");
    await(has_heard, mqtt, &heard, 1);
    await(has_beaten, mqtt, &heard, 1);
    assert_in_range(state_of(mqtt).heartbeat_ns, 1, 2000000000);
    int64_t first = state_of(mqtt).heard_mono_ns;
    rest_ms(1500);
    assert_true(state_of(mqtt).heard_mono_ns > first);
    assert_int_equal(heard.count, 1); /* heartbeats are not messages */
    assert_string_equal(heard.topic, "lumbar/v1/posture/p-01/telemetry");
    assert_string_equal(heard.payload, "upright");
    client_end(mqtt);
    broker_fini(&broker);
}

static void says_online_while_it_runs_and_offline_when_it_stops(void **unused)
{
    (void)unused;
    char status[128];
    struct broker broker;
    struct heard heard;
    broker_init(&broker, "allow_anonymous true\n");
    broker_run(&broker);
    struct mqtt_options options = options_for(&broker);
    struct mqtt *mqtt = client_run(&options, &heard);
    await(is_connected, mqtt, &heard, 1);
    await(has_beaten, mqtt, &heard, 1);
    retained(&broker, "lumbar/v1/hub/hub-test/status", status, sizeof(status));
    assert_string_equal(status, "{\"state\":\"online\",\"version\":\"" LUMBAR_VERSION "\"}\n");
    int64_t before = clock_mono_ns();
    mqtt_stop(mqtt, 5000);
    assert_in_range(clock_mono_ns() - before, 0, 2000000000);
    assert_false(state_of(mqtt).connected);
    mqtt_destroy(mqtt);
    retained(&broker, "lumbar/v1/hub/hub-test/status", status, sizeof(status));
    assert_string_equal(status, "{\"state\":\"offline\"}\n");
    broker_fini(&broker);
}

static void a_restarted_broker_is_found_again_and_its_session_read(void **unused)
{
    (void)unused;
    struct broker broker;
    struct heard heard;
    broker_init(&broker, "allow_anonymous true\n");
    broker_run(&broker);
    struct mqtt_options options = options_for(&broker);
    struct mqtt *mqtt = client_run(&options, &heard);
    await(is_connected, mqtt, &heard, 1);
    broker_end(&broker, SIGTERM);
    await(is_disconnected, mqtt, &heard, 0);
    assert_true(state_of(mqtt).last_error[0] != '\0');
    rest_ms(2500); /* the first attempts fail */
    broker_run(&broker);
    publish(&broker, "lumbar/v1/massage/m-01/telemetry", "meanwhile");
    await(has_heard, mqtt, &heard, 1);
    assert_string_equal(heard.payload, "meanwhile");
    await(is_connected, mqtt, &heard, 2);
    assert_int_equal(heard.changes, 3);
    publish(&broker, "lumbar/v1/massage/m-01/telemetry", "after");
    await(has_heard, mqtt, &heard, 2);
    client_end(mqtt);
    broker_fini(&broker);
}

/* A client in a process of its own, until it is killed. Started anew: of Paho's threads a forked
 * child would have only the belief that they run. */
static pid_t client_in_child(const struct broker *broker, const char *what)
{
    char self[256], command[512];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    assert_true(length > 0);
    self[length] = '\0';
    snprintf(command, sizeof(command), "exec %s %s %d", self, what, broker->port);
    return launch(command, "/dev/null");
}

static int run_child(const char *what, int port)
{
    struct broker broker = {.port = port};
    struct mqtt_options options = options_for(&broker);
    struct heard heard = {.lock = PTHREAD_MUTEX_INITIALIZER, .refuse = strcmp(what, "refuse") == 0};
    struct mqtt *mqtt = NULL;
    struct diag diag = {0};
    if (mqtt_create(&mqtt, &options, on_message, on_change, &heard, &diag) == 0 &&
        mqtt_start(mqtt, &diag) == 0)
        rest_ms(60000);
    _exit(1);
}

static void await_status(const struct broker *broker, const char *wanted)
{
    char status[128] = "";
    for (int i = 0; i < 10 && strstr(status, wanted) == NULL; i++)
        retained(broker, "lumbar/v1/hub/hub-test/status", status, sizeof(status));
    assert_non_null(strstr(status, wanted));
}

static void a_killed_client_is_offline_by_its_last_will(void **unused)
{
    (void)unused;
    struct broker broker;
    broker_init(&broker, "allow_anonymous true\n");
    broker_run(&broker);
    pid_t pid = client_in_child(&broker, "keep");
    await_status(&broker, "online");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    await_status(&broker, "offline");
    broker_fini(&broker);
}

static void what_could_not_be_kept_is_never_acknowledged(void **unused)
{
    (void)unused;
    struct broker broker;
    struct heard heard;
    broker_init(&broker, "allow_anonymous true\n");
    broker_run(&broker);
    struct mqtt_options options = options_for(&broker);
    pid_t pid = client_in_child(&broker, "refuse");
    await_status(&broker, "online");
    publish(&broker, "lumbar/v1/posture/p-01/telemetry", "kept by the broker");
    int status = 0;
    int64_t before = clock_mono_ns();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_true(clock_mono_ns() - before > (MQTT_REFUSED_MS - 1000) * INT64_C(1000000));
    struct mqtt *mqtt = client_run(&options, &heard);
    await(has_heard, mqtt, &heard, 1);
    assert_string_equal(heard.payload, "kept by the broker");
    client_end(mqtt);
    broker_fini(&broker);
}

static void a_wrong_password_is_said_clearly_and_kept_out_of_the_log(void **unused)
{
    (void)unused;
    struct broker broker;
    struct heard heard;
    broker_init(&broker, "");
    snprintf(broker.extra, sizeof(broker.extra), "password_file %s/passwords\n", broker.folder);
    assert_int_equal(shell("mosquitto_passwd -b -c %s/passwords hub right-one", broker.folder), 0);
    broker_run(&broker);
    char log[96];
    snprintf(log, sizeof(log), "%s/client.log", broker.folder);
    int terminal = dup(STDERR_FILENO);
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDERR_FILENO);
    close(fd);
    setenv("MQTT_C_CLIENT_TRACE", "ON", 1);
    setenv("MQTT_C_CLIENT_TRACE_LEVEL", "MAXIMUM", 1);
    struct mqtt_options options = options_for(&broker);
    options.username = "hub";
    options.password = SECRET;
    struct mqtt *mqtt = client_run(&options, &heard);
    await(has_failed, mqtt, &heard, 3); /* and goes on trying */
    assert_non_null(strstr(state_of(mqtt).last_error, "does not let this user in"));
    assert_false(state_of(mqtt).connected);
    client_end(mqtt);
    options.password = "right-one";
    mqtt = client_run(&options, &heard);
    await(is_connected, mqtt, &heard, 1);
    client_end(mqtt);
    dup2(terminal, STDERR_FILENO);
    close(terminal);
    assert_int_equal(shell("grep -q 'does not let this user in' %s", log), 0);
    assert_int_equal(shell("grep -q -e " SECRET " -e right-one %s", log), 1);
    broker_fini(&broker);
}

static void messages_wait_for_the_broker_and_too_many_are_refused(void **unused)
{
    (void)unused;
    char text[64];
    struct broker broker;
    struct heard heard;
    broker_init(&broker, "allow_anonymous true\nmax_queued_messages 10000\n");
    struct mqtt_options options = options_for(&broker);
    struct mqtt *mqtt = client_run(&options, &heard);
    await(has_failed, mqtt, &heard, 1); /* nobody there yet */
    assert_false(mqtt_publish(mqtt, "lumbar/v1/posture/p-01/ack", "a", 1, 0, false));
    assert_int_equal(state_of(mqtt).refused, 1);
    for (int i = 0; i < MQTT_OUT_MAX; i++) {
        snprintf(text, sizeof(text), "lumbar/v1/alarm/room-%d/rule", i % 100);
        char payload[16];
        int length = snprintf(payload, sizeof(payload), "%d", i);
        assert_true(mqtt_publish(mqtt, text, payload, (size_t)length, 1, true));
    }
    assert_false(mqtt_publish(mqtt, "lumbar/v1/alarm/room-0/rule", "late", 4, 1, true));
    assert_int_equal(state_of(mqtt).refused, 2);
    broker_run(&broker);
    await(has_published, mqtt, &heard, MQTT_OUT_MAX);
    for (int room = 0; room < 100; room += 33) { /* the last word of each topic is the retained */
        char wanted[16];
        snprintf(text, sizeof(text), "lumbar/v1/alarm/room-%d/rule", room);
        int last = (MQTT_OUT_MAX - 1 - room) / 100 * 100 + room;
        snprintf(wanted, sizeof(wanted), "%d\n", last);
        char seen[64];
        retained(&broker, text, seen, sizeof(seen));
        assert_string_equal(seen, wanted);
    }
    client_end(mqtt);
    broker_fini(&broker);
}

static void what_waits_is_published_before_it_stops(void **unused)
{
    (void)unused;
    char seen[64];
    struct broker broker;
    struct heard heard;
    broker_init(&broker, "allow_anonymous true\n");
    broker_run(&broker);
    struct mqtt_options options = options_for(&broker);
    struct mqtt *mqtt = client_run(&options, &heard);
    await(is_connected, mqtt, &heard, 1);
    for (int i = 0; i < 500; i++)
        assert_true(mqtt_publish(mqtt, "lumbar/v1/alarm/room-1/heat", "raised", 6, 1, true));
    assert_true(mqtt_publish(mqtt, "lumbar/v1/alarm/room-1/heat", "over", 4, 1, true));
    client_end(mqtt);
    retained(&broker, "lumbar/v1/alarm/room-1/heat", seen, sizeof(seen));
    assert_string_equal(seen, "over\n");
    broker_fini(&broker);
}

static void oversize_messages_are_counted_acknowledged_and_dropped(void **unused)
{
    (void)unused;
    struct broker broker;
    struct heard heard;
    broker_init(&broker, "allow_anonymous true\n");
    broker_run(&broker);
    struct mqtt_options options = options_for(&broker);
    struct mqtt *mqtt = client_run(&options, &heard);
    await(is_connected, mqtt, &heard, 1);
    /* One byte too many, just enough, and a topic too long. */
    static const char *const sizes[] = {"16385", "16384"};
    for (int i = 0; i < 2; i++)
        assert_int_equal(shell("head -c %s /dev/zero | mosquitto_pub -p %d -q 1 -s "
                               "-t lumbar/v1/posture/p-01/telemetry",
                               sizes[i], broker.port),
                         0);
    char topic[300];
    snprintf(topic, sizeof(topic), "lumbar/v1/posture/%0240d/telemetry", 0);
    publish(&broker, topic, "x");
    await(has_dropped, mqtt, &heard, 2);
    await(has_heard, mqtt, &heard, 1);
    assert_int_equal(state_of(mqtt).oversize, 2);
    client_end(mqtt);
    mqtt = client_run(&options, &heard); /* the same session: nothing is left in it */
    await(is_connected, mqtt, &heard, 1);
    publish(&broker, "lumbar/v1/posture/p-01/telemetry", "last");
    await(has_heard, mqtt, &heard, 1);
    assert_int_equal(state_of(mqtt).oversize, 0);
    assert_int_equal(heard.count, 1);
    client_end(mqtt);
    broker_fini(&broker);
}

static void a_heartbeat_that_does_not_return_is_a_broken_way(void **unused)
{
    (void)unused;
    struct broker broker;
    struct heard heard;
    broker_init(&broker, "allow_anonymous true\n");
    char acl[96];
    snprintf(acl, sizeof(acl), "%s/acl", broker.folder);
    FILE *out = fopen(acl, "w");
    assert_non_null(out);
    fputs("topic readwrite lumbar/v1/posture/#\ntopic write lumbar/v1/hub/hub-test/status\n", out);
    fclose(out);
    snprintf(broker.extra, sizeof(broker.extra), "allow_anonymous true\nacl_file %s\n", acl);
    broker_run(&broker);
    struct mqtt_options options = options_for(&broker);
    struct mqtt *mqtt = client_run(&options, &heard);
    await(is_connected, mqtt, &heard, 1);
    int64_t before = clock_mono_ns();
    rest_ms(10000);
    await(has_failed, mqtt, &heard, 1);
    assert_in_range((clock_mono_ns() - before) / 1000000, 13000, 20000);
    assert_non_null(strstr(state_of(mqtt).last_error, "heartbeat"));
    await(is_connected, mqtt, &heard, 2);
    client_end(mqtt);
    broker_fini(&broker);
}

static void make_certificates(const char *folder)
{
    static const char *const commands[] = {
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2",
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem "
        "-subj /CN=other -days 2",
        "openssl req -newkey rsa:2048 -nodes -keyout hub.key -out hub.csr -subj /CN=hub",
        "openssl x509 -req -in hub.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out hub.pem -days "
        "2",
        "openssl req -newkey rsa:2048 -nodes -keyout broker.key -out broker.csr -subj /CN=broker",
        "printf 'subjectAltName=IP:127.0.0.1' > san && openssl x509 -req -in broker.csr -CA ca.pem "
        "-CAkey ca.key -CAcreateserial -out broker.pem -days 2 -extfile san",
    };
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        assert_int_equal(shell("cd %s && %s", folder, commands[i]), 0);
}

struct tls_case {
    const char *what;
    const char *host, *ca, *certificate, *key; /* files in the broker's folder */
    const char *error;                         /* NULL: it connects */
};

static const struct tls_case tls_cases[] = {
    {"the right certificates", "127.0.0.1", "ca.pem", "hub.pem", "hub.key", NULL},
    {"a broker of another CA", "127.0.0.1", "other.pem", "hub.pem", "hub.key",
     "certificate verify failed"},
    {"a client that the broker cannot trust", "127.0.0.1", "ca.pem", "other.pem", "other.key",
     "no connection"},
    {"a client without certificate", "127.0.0.1", "ca.pem", NULL, NULL, "no connection"},
    {"a certificate for another host", "localhost", "ca.pem", "hub.pem", "hub.key",
     "certificate names another host"},
};

static void a_key_that_does_not_fit_is_found_before_anything_starts(const struct broker *broker)
{
    char file[3][96];
    static const char *const names[] = {"ca.pem", "hub.pem", "other.key"};
    for (int i = 0; i < 3; i++)
        snprintf(file[i], sizeof(file[i]), "%s/%s", broker->folder, names[i]);
    struct mqtt_options options = options_for(broker);
    struct diag diag = {0};
    struct mqtt *mqtt = NULL;
    options.tls = true;
    options.ca_file = file[0];
    options.certificate_file = file[1];
    options.key_file = file[2];
    assert_int_equal(mqtt_create(&mqtt, &options, on_message, on_change, NULL, &diag),
                     ERR_CONFLICT);
    assert_non_null(strstr(diag.text, "other.key does not fit"));
    assert_non_null(strstr(diag.text, "key values mismatch"));
}

static void try_tls(const struct broker *broker, const struct tls_case *c)
{
    char ca[96], certificate[96] = "", key[96] = "";
    struct heard heard;
    struct mqtt_options options = options_for(broker);
    snprintf(ca, sizeof(ca), "%s/%s", broker->folder, c->ca);
    if (c->certificate != NULL) {
        snprintf(certificate, sizeof(certificate), "%s/%s", broker->folder, c->certificate);
        snprintf(key, sizeof(key), "%s/%s", broker->folder, c->key);
    }
    options.tls = true;
    options.host = c->host;
    options.ca_file = ca;
    options.certificate_file = certificate;
    options.key_file = key;
    struct mqtt *mqtt = client_run(&options, &heard);
    if (c->error == NULL) {
        await(is_connected, mqtt, &heard, 1);
        await(has_beaten, mqtt, &heard, 1);
    } else {
        await(has_failed, mqtt, &heard, 1);
        if (strstr(state_of(mqtt).last_error, c->error) == NULL)
            fail_msg("%s: \"%s\"", c->what, state_of(mqtt).last_error);
        assert_int_equal(state_of(mqtt).connects, 0);
    }
    client_end(mqtt);
}

static void tls_takes_the_right_certificates_and_no_others(void **unused)
{
    (void)unused;
    struct broker broker;
    broker_init(&broker, "");
    const char *folder = broker.folder;
    snprintf(broker.extra, sizeof(broker.extra),
             "allow_anonymous true\ncafile %s/ca.pem\ncertfile %s/broker.pem\n"
             "keyfile %s/broker.key\nrequire_certificate true\n",
             folder, folder, folder);
    make_certificates(folder);
    broker_run(&broker);
    for (size_t i = 0; i < sizeof(tls_cases) / sizeof(tls_cases[0]); i++)
        try_tls(&broker, &tls_cases[i]);
    a_key_that_does_not_fit_is_found_before_anything_starts(&broker);
    broker_fini(&broker);
}

static void options_that_cannot_work_are_refused_in_a_sentence(void **unused)
{
    (void)unused;
    static const struct {
        const char *client_id, *ca, *certificate;
        unsigned filters;
        bool tls;
        const char *sentence;
    } cases[] = {
        {"", "", "", 1, false, "\"\" cannot be a client id"},
        {"a/b", "", "", 1, false, "\"a/b\" cannot be a client id"},
        {"hub", "", "", 0, false, "0 subscriptions, where 1 to 64 are possible"},
        {"hub", "", "", 1, true, "TLS to the broker needs a ca_file to trust"},
        {"hub", "/", "/x", 1, true, "certificate_file and key_file go together"},
        {"hub", "/nowhere", "", 1, true,
         "cannot read the broker's /nowhere: No such file or directory"},
        {"hub", "/dev/null", "", 1, true,
         "the broker's ca_file /dev/null holds no certificate: no certificate or crl found"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct broker nobody = {.port = 1};
        struct mqtt_options options = options_for(&nobody);
        struct diag diag = {0};
        struct mqtt *mqtt = NULL;
        options.client_id = cases[i].client_id;
        options.ca_file = cases[i].ca;
        options.certificate_file = cases[i].certificate;
        options.filter_count = cases[i].filters;
        options.tls = cases[i].tls;
        assert_true(mqtt_create(&mqtt, &options, on_message, on_change, NULL, &diag) < 0);
        assert_string_equal(diag.text, cases[i].sentence);
        assert_null(mqtt);
    }
}

int main(int count, char **arguments)
{
    if (count == 3)
        return run_child(arguments[1], atoi(arguments[2]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_that_cannot_work_are_refused_in_a_sentence),
        cmocka_unit_test(hears_what_is_published_and_measures_its_heartbeat),
        cmocka_unit_test(says_online_while_it_runs_and_offline_when_it_stops),
        cmocka_unit_test(a_restarted_broker_is_found_again_and_its_session_read),
        cmocka_unit_test(a_killed_client_is_offline_by_its_last_will),
        cmocka_unit_test(what_could_not_be_kept_is_never_acknowledged),
        cmocka_unit_test(a_wrong_password_is_said_clearly_and_kept_out_of_the_log),
        cmocka_unit_test(messages_wait_for_the_broker_and_too_many_are_refused),
        cmocka_unit_test(what_waits_is_published_before_it_stops),
        cmocka_unit_test(oversize_messages_are_counted_acknowledged_and_dropped),
        cmocka_unit_test(a_heartbeat_that_does_not_return_is_a_broken_way),
        cmocka_unit_test(tls_takes_the_right_certificates_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
