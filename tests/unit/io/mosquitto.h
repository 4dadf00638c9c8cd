/*
 * A real mosquitto for a unit test, on a free loopback port and in a folder of its own, started and
 * ended by its process id. Include after cmocka.h.
 */
#ifndef LUMBAR_TESTS_MOSQUITTO_H
#define LUMBAR_TESTS_MOSQUITTO_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENT 15000 /* ms that anything may take which is bound to come */

struct broker {
    char folder[64];
    char extra[512]; /* lines of its configuration */
    int port;
    pid_t pid;
};

static inline void rest_ms(int ms)
{
    struct timespec rest = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&rest, NULL);
}

static inline int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof(address)), errno);
    assert_return_code(getsockname(fd, (struct sockaddr *)&address, &length), errno);
    close(fd);
    return ntohs(address.sin_port);
}

static inline bool port_answers(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool answers = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return answers;
}

/* A child that cannot outlive the test. */
static inline pid_t launch(const char *command, const char *out_file)
{
    pid_t pid = fork();
    assert_return_code(pid, errno);
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int fd = open(out_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

__attribute__((format(printf, 1, 2))) static inline int shell(const char *format, ...)
{
    char command[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    int status = 0;
    waitpid(launch(command, "/dev/null"), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void broker_run(struct broker *broker)
{
    char file[96], log[96];
    snprintf(file, sizeof(file), "%s/mosquitto.conf", broker->folder);
    snprintf(log, sizeof(log), "%s/mosquitto.log", broker->folder);
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fprintf(out,
            "listener %d 127.0.0.1\n%spersistence true\npersistence_location %s/\n"
            "log_dest stderr\n%s",
            broker->port, geteuid() == 0 ? "user root\n" : "", broker->folder, broker->extra);
    fclose(out);
    char command[128];
    snprintf(command, sizeof(command), "exec mosquitto -c %s", file);
    broker->pid = launch(command, log);
    for (int i = 0; i < PATIENT / 20 && !port_answers(broker->port); i++)
        rest_ms(20);
    assert_true(port_answers(broker->port));
}

static inline void broker_end(struct broker *broker, int how)
{
    kill(broker->pid, how);
    waitpid(broker->pid, NULL, 0);
}

static inline void broker_init(struct broker *broker, const char *extra)
{
    memset(broker, 0, sizeof(*broker));
    strcpy(broker->folder, "/tmp/lumbar-mqtt-XXXXXX");
    assert_non_null(mkdtemp(broker->folder));
    snprintf(broker->extra, sizeof(broker->extra), "%s", extra);
    broker->port = free_port();
}

static inline void broker_fini(struct broker *broker)
{
    broker_end(broker, SIGTERM);
    assert_int_equal(shell("rm -r %s", broker->folder), 0);
}

static inline void publish(const struct broker *broker, const char *topic, const char *payload)
{
    assert_int_equal(
        shell("mosquitto_pub -p %d -q 1 -t '%s' -m '%s'", broker->port, topic, payload), 0);
}

/* The retained message of a topic, as mosquitto_sub sees it; "" where there is none. */
static inline void retained(const struct broker *broker, const char *topic, char *out, size_t bytes)
{
    shell("mosquitto_sub -p %d -W 1 -C 1 --retained-only -t '%s' > %s/retained", broker->port,
          topic, broker->folder);
    char file[96];
    snprintf(file, sizeof(file), "%s/retained", broker->folder);
    int fd = open(file, O_RDONLY);
    assert_return_code(fd, errno);
    ssize_t length = read(fd, out, bytes - 1);
    out[length > 0 ? length : 0] = '\0';
    close(fd);
}

#endif
