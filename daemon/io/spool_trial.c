#include "io/spool_trial.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* The child's limits, and how it says that it lived. */
#define TRIAL_WALL_MS    3000
#define TRIAL_CPU_S      2
#define TRIAL_MORE_BYTES (256u << 20)
#define TRIAL_LIVED      77 /* not 0: code that calls exit(0) would end the hub as well */

static int64_t now_ms(void)
{
    return clock_mono_ns() / 1000000;
}

static void limit_child(void)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU, SIGTERM};
    for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
        signal(deadly[i], SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setrlimit(RLIMIT_CPU, &(struct rlimit){TRIAL_CPU_S, TRIAL_CPU_S});
    struct rlimit memory;
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (statm != NULL && fscanf(statm, "%lu", &pages) == 1) {
        memory.rlim_cur = memory.rlim_max =
            pages * (rlim_t)sysconf(_SC_PAGESIZE) + TRIAL_MORE_BYTES;
        setrlimit(RLIMIT_AS, &memory);
    }
    if (statm != NULL)
        fclose(statm);
}

/* Did the child come to its end? It is killed when it takes too long. */
static bool child_lived(pid_t child)
{
    int64_t deadline = now_ms() + TRIAL_WALL_MS;
    for (int status;;) {
        pid_t got = waitpid(child, &status, WNOHANG);
        if (got == child)
            return WIFEXITED(status) && WEXITSTATUS(status) == TRIAL_LIVED;
        if (got < 0 && errno != EINTR)
            return false;
        if (now_ms() > deadline)
            kill(child, SIGKILL);
        nanosleep(&(struct timespec){0, 500000}, NULL);
    }
}

bool spool_survives_trial(struct ring *ring, const struct ring_record *record, spool_use_cb *use,
                          void *user, bool again)
{
    pid_t parent = getpid(), child = fork();
    if (child < 0) {
        log_warn("spool: a message cannot be tried: %s", strerror(errno));
        return true;
    }
    if (child != 0)
        return child_lived(child);
    limit_child();
    if (getppid() != parent)
        _exit(1);
    ring_make_readonly(ring);
    use(user, record, again);
    _exit(TRIAL_LIVED);
}
