/* io/notify against a real datagram socket, by path and by abstract name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/notify.h"

/* Listens as a service manager does; name: a path, or "@..." for an abstract one. */
static int open_manager(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    memcpy(address.sun_path, name, length);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, bytes + (name[0] == '/')), 0);
    return fd;
}

static void expect(int fd, const char *message)
{
    char got[1024];
    ssize_t length = recv(fd, got, sizeof(got) - 1, 0);
    assert_true(length >= 0);
    got[length] = '\0';
    assert_string_equal(got, message);
}

static void a_message_comes_by_path_and_by_abstract_name(void **state)
{
    (void)state;
    char path[64], abstract[64];
    snprintf(path, sizeof(path), "/tmp/lumbar-notify-%d", (int)getpid());
    snprintf(abstract, sizeof(abstract), "@lumbar-notify-%d", (int)getpid());
    const char *names[] = {path, abstract};
    for (int i = 0; i < 2; i++) {
        int fd = open_manager(names[i]);
        setenv("NOTIFY_SOCKET", names[i], 1);
        notify_send("READY=1\nSTATUS=%d rooms", 6);
        expect(fd, "READY=1\nSTATUS=6 rooms");
        notify_send("WATCHDOG=1");
        expect(fd, "WATCHDOG=1");
        close(fd);
    }
    unlink(path);
}

static void a_message_too_long_is_cut(void **state)
{
    (void)state;
    char name[64], text[2000];
    snprintf(name, sizeof(name), "@lumbar-notify-long-%d", (int)getpid());
    int fd = open_manager(name);
    setenv("NOTIFY_SOCKET", name, 1);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    notify_send("STATUS=%s", text);
    char got[2000];
    assert_int_equal(recv(fd, got, sizeof(got), 0), 511);
    assert_memory_equal(got, "STATUS=xxx", 10);
    close(fd);
}

static void nobody_to_tell_harms_nothing(void **state)
{
    (void)state;
    char too_long[256];
    memset(too_long, 'x', sizeof(too_long) - 1);
    too_long[0] = '/';
    too_long[sizeof(too_long) - 1] = '\0';
    unsetenv("NOTIFY_SOCKET");
    notify_send("READY=1");
    const char *const places[] = {"",          "@",      "relative", "/tmp/lumbar-nobody-here",
                                  "@nobody-h", too_long, "vsock:1:2"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        setenv("NOTIFY_SOCKET", places[i], 1);
        notify_send("READY=1");
    }
    unsetenv("NOTIFY_SOCKET");
}

static void a_manager_that_does_not_read_does_not_stop_us(void **state)
{
    (void)state;
    char name[64];
    snprintf(name, sizeof(name), "@lumbar-notify-deaf-%d", (int)getpid());
    int fd = open_manager(name);
    setenv("NOTIFY_SOCKET", name, 1);
    alarm(20); /* a send that blocks would end the test */
    for (int i = 0; i < 10000; i++)
        notify_send("WATCHDOG=1");
    alarm(0);
    close(fd);
}

static void the_watchdog_is_fed_at_half_its_time(void **state)
{
    (void)state;
    char self[32], other[32];
    snprintf(self, sizeof(self), "%d", (int)getpid());
    snprintf(other, sizeof(other), "%d", (int)getpid() + 1);
    const struct {
        const char *usec, *pid;
        int64_t ms;
    } cases[] = {
        {"20000000", NULL, 10000},
        {"20000000", self, 10000},
        {"20000000", other, 0}, /* meant for another process */
        {"20000000", "", 0},
        {NULL, NULL, 0},
        {"", NULL, 0},
        {"soon", NULL, 0},
        {"-5", NULL, 0},
        {"20000000x", NULL, 0},
        {"99999999999999999999", NULL, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (cases[i].usec != NULL)
            setenv("WATCHDOG_USEC", cases[i].usec, 1);
        if (cases[i].pid != NULL)
            setenv("WATCHDOG_PID", cases[i].pid, 1);
        assert_int_equal(notify_watchdog_ms(), cases[i].ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_comes_by_path_and_by_abstract_name),
        cmocka_unit_test(a_message_too_long_is_cut),
        cmocka_unit_test(nobody_to_tell_harms_nothing),
        cmocka_unit_test(a_manager_that_does_not_read_does_not_stop_us),
        cmocka_unit_test(the_watchdog_is_fed_at_half_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
