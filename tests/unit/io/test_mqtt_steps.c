/* A broker that hangs up at each step of a connection in turn, and then the real one in its place:
 * the hub finds its way, and says that it is there. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "io/mqtt.h"
#include "mosquitto.h"

/* The packet behind which it hangs up; 0: behind accept(). */
static const uint8_t last_packets[] = {
    0,    /* before CONNECT is read */
    0x10, /* CONNECT, not answered */
    0x82, /* SUBSCRIBE, not answered */
    0x32, /* the status: QoS 1, not acknowledged */
};
#define STEPS (sizeof(last_packets) / sizeof(last_packets[0]))

struct stand_in {
    int listener;
    _Atomic unsigned done; /* steps */
    bool broke_off;        /* the client said something that it should not have */
};

static bool read_all(int fd, uint8_t *out, size_t bytes)
{
    while (bytes > 0) {
        ssize_t got = recv(fd, out, bytes, 0);
        if (got <= 0)
            return false;
        out += got;
        bytes -= (size_t)got;
    }
    return true;
}

/* A packet's first byte; 0 where there is none. Its body goes into `body`. */
static uint8_t read_packet(int fd, uint8_t body[2048], size_t *bytes)
{
    uint8_t kind, digit;
    *bytes = 0;
    if (!read_all(fd, &kind, 1))
        return 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        if (!read_all(fd, &digit, 1))
            return 0;
        *bytes |= (size_t)(digit & 0x7f) << shift;
        if ((digit & 0x80) == 0)
            break;
    }
    if (*bytes > 2048 || !read_all(fd, body, *bytes))
        return 0;
    return kind & 0xf0u ? (uint8_t)(kind & ~1u) : 0; /* retained or not */
}

static void answer(int fd, uint8_t kind, const uint8_t *body, size_t bytes)
{
    uint8_t out[64] = {0};
    size_t length = 0;
    if (kind == 0x10) {
        memcpy(out, "\x20\x02\0\0", length = 4);
    } else if (kind == 0x82) {
        uint8_t filters = 0;
        for (size_t at = 2; at + 2 < bytes; filters++)
            at += 2u + ((size_t)body[at] << 8 | body[at + 1]) + 1u;
        out[0] = 0x90;
        out[1] = (uint8_t)(2 + filters);
        memcpy(out + 2, body, 2); /* granted: QoS 0, which is no refusal */
        length = 4u + filters;
    }
    if (length > 0)
        (void)!send(fd, out, length, MSG_NOSIGNAL);
}

static void serve(struct stand_in *stand_in, int fd, uint8_t last)
{
    uint8_t body[2048], kind = 0;
    size_t bytes;
    while (last != 0 && (kind = read_packet(fd, body, &bytes)) != 0 && kind != last)
        answer(fd, kind, body, bytes);
    stand_in->broke_off |= kind != last;
    close(fd);
}

static void *run_stand_in(void *context)
{
    struct stand_in *stand_in = context;
    for (size_t step = 0; step < STEPS; step++) {
        int fd = accept4(stand_in->listener, NULL, NULL, SOCK_CLOEXEC);
        serve(stand_in, fd, last_packets[step]);
        atomic_fetch_add(&stand_in->done, 1);
    }
    close(stand_in->listener);
    return NULL;
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof(address)), errno);
    assert_return_code(listen(fd, 4), errno);
    return fd;
}

static bool on_message(void *user, const char *topic, size_t topic_bytes, const void *payload,
                       size_t payload_bytes, int qos)
{
    (void)user, (void)topic, (void)topic_bytes, (void)payload, (void)payload_bytes, (void)qos;
    return true;
}

static struct mqtt_state state_of(const struct mqtt *mqtt)
{
    struct mqtt_state state;
    mqtt_state(mqtt, &state);
    return state;
}

static void await_steps(struct stand_in *stand_in)
{
    for (int ms = 0; ms < 4 * PATIENT && atomic_load(&stand_in->done) < STEPS; ms += 10)
        rest_ms(10);
    assert_int_equal(atomic_load(&stand_in->done), STEPS);
    assert_false(stand_in->broke_off);
}

static void a_broker_that_hangs_up_at_each_step_is_tried_again(void **unused)
{
    (void)unused;
    static const char filters[][MQTT_FILTER_BYTES] = {"lumbar/v1/posture/+/telemetry"};
    struct broker broker;
    struct diag diag = {0};
    struct mqtt *mqtt = NULL;
    pthread_t thread;
    broker_init(&broker, "allow_anonymous true\n");
    struct stand_in stand_in = {.listener = listen_on(broker.port)};
    struct mqtt_options options = {.host = "127.0.0.1",
                                   .port = broker.port,
                                   .client_id = "hub-test",
                                   .filters = filters,
                                   .filter_count = 1};
    assert_int_equal(pthread_create(&thread, NULL, run_stand_in, &stand_in), 0);
    assert_int_equal(mqtt_create(&mqtt, &options, on_message, NULL, NULL, &diag), 0);
    assert_int_equal(mqtt_start(mqtt, &diag), 0);
    await_steps(&stand_in);
    pthread_join(thread, NULL);
    uint64_t before = state_of(mqtt).connects;
    broker_run(&broker);
    for (int ms = 0; ms < PATIENT && state_of(mqtt).connects == before; ms += 10)
        rest_ms(10);
    assert_true(state_of(mqtt).connects > before && state_of(mqtt).failures >= STEPS);
    char status[128] = "";
    for (int ms = 0; ms < PATIENT && strstr(status, "online") == NULL; ms += 1000)
        retained(&broker, "lumbar/v1/hub/hub-test/status", status, sizeof(status));
    assert_non_null(strstr(status, "\"state\":\"online\""));
    mqtt_stop(mqtt, 5000);
    mqtt_destroy(mqtt);
    broker_fini(&broker);
}

int main(void)
{
    log_set_level((enum log_level)0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broker_that_hangs_up_at_each_step_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
