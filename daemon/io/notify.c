#include "io/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_BYTES 512

/* A path, or "@name" in the abstract space. Returns the length of the address, 0 if it is none. */
static socklen_t parse_address(const char *text, struct sockaddr_un *address)
{
    size_t length = strlen(text);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((text[0] != '/' && text[0] != '@') || length < 2 || length >= sizeof(address->sun_path))
        return 0;
    memcpy(address->sun_path, text, length);
    if (text[0] == '@')
        address->sun_path[0] = '\0'; /* abstract names are as long as the address says */
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (text[0] == '/'));
}

bool notify_is_heard(void)
{
    struct sockaddr_un address;
    const char *place = getenv("NOTIFY_SOCKET");
    return place != NULL && parse_address(place, &address) != 0;
}

void notify_send(const char *format, ...)
{
    const char *place = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t bytes = place != NULL ? parse_address(place, &address) : 0;
    if (bytes == 0)
        return;
    char message[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (length <= 0)
        return;
    if (length >= (int)sizeof(message))
        length = (int)sizeof(message) - 1;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    /* A service manager that does not listen must not stop the hub: MSG_DONTWAIT. */
    ssize_t sent = sendto(fd, message, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT,
                          (struct sockaddr *)&address, bytes);
    (void)sent;
    close(fd);
}

static int64_t parse_positive(const char *text)
{
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return 0;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' ? value : 0;
}

int64_t notify_watchdog_ms(void)
{
    /* Set for another process (a wrapper of ours, say) it is not for us. */
    const char *pid = getenv("WATCHDOG_PID");
    if (pid != NULL && parse_positive(pid) != getpid())
        return 0;
    return parse_positive(getenv("WATCHDOG_USEC")) / 2000;
}
