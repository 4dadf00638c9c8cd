#include "base/clock.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

int64_t clock_mono_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_hub_offset_ms(void)
{
    return clock_wall_ms() - clock_mono_ns() / 1000000;
}

bool clock_is_synchronised(void)
{
    /* systemd-timesyncd's mark. The kernel's word may be kept from a service (ProtectClock). */
    if (access("/run/systemd/timesync/synchronized", F_OK) == 0)
        return true;
    struct timex timex = {.modes = 0};
    int state = adjtimex(&timex);
    return state >= 0 && state != TIME_ERROR && (timex.status & STA_UNSYNC) == 0;
}

void clock_boot(char boot[CLOCK_BOOT_BYTES])
{
    char said[64] = "";
    const char *told = said;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, said, sizeof(said) - 1) <= 0)
        told = getenv("LUMBAR_BOOT");
    if (fd >= 0)
        close(fd);
    memset(boot, 0, CLOCK_BOOT_BYTES);
    for (size_t bytes = 0; told != NULL && *told != '\0' && bytes < CLOCK_BOOT_BYTES - 1; told++)
        if (isxdigit((unsigned char)*told)) /* the one has hyphens, the other none */
            boot[bytes++] = *told;
}
