#include "io/child.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define ARGUMENTS_MAX 8
#define READ_BYTES    16384
#define PROGRAM       "/proc/self/exe" /* as it runs, though its file was replaced */

struct task {
    uint64_t ticket;
    char *text; /* owned; NULL: there is none */
    size_t bytes;
};

/* What is open of one process; freed when its last handle is closed. */
struct run {
    struct child *of; /* NULL: nobody waits for it any more */
    struct task task;
    uv_process_t process;
    uv_pipe_t in, out;
    uv_timer_t patience;
    uv_write_t write;
    unsigned open; /* handles */
    bool exited, read, late;
    int64_t status;
    char *answer; /* owned */
    size_t have, room;
};

struct child {
    uv_loop_t *loop;
    char *arguments[ARGUMENTS_MAX + 2];
    unsigned patience_ms;
    child_done_cb *on_done;
    void *user;
    struct run *run; /* NULL: none works */
    struct task waiting[CHILD_WAITING];
    unsigned count;
    uint64_t refused;
    bool stopped;
};

static void begin_next(struct child *child);

/* ---- the end ---- */

static void on_closed(uv_handle_t *handle)
{
    struct run *run = handle->data;
    if (--run->open > 0)
        return;
    free(run->answer);
    free(run->task.text);
    free(run);
}

static void close_run(struct run *run)
{
    uv_handle_t *const handles[] = {(uv_handle_t *)&run->process, (uv_handle_t *)&run->in,
                                    (uv_handle_t *)&run->out, (uv_handle_t *)&run->patience};
    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
        if (!uv_is_closing(handles[i]))
            uv_close(handles[i], on_closed);
}

static void finish(struct run *run, enum child_end end)
{
    struct child *child = run->of;
    if (child == NULL)
        return;
    run->of = NULL;
    child->run = NULL;
    child->on_done(child->user, run->task.ticket, end, run->answer, run->have);
    close_run(run);
    if (!child->stopped && child->run == NULL)
        begin_next(child);
}

/* The process is gone, and all that it said is here. */
static void look_for_end(struct run *run)
{
    if (run->exited && run->read)
        finish(run, run->late ? CHILD_LATE : run->status == 0 ? CHILD_ANSWERED : CHILD_FAILED);
}

static void on_exit_of(uv_process_t *process, int64_t status, int by_signal)
{
    struct run *run = process->data;
    run->exited = true;
    run->status = by_signal != 0 ? -1 : status;
    if (by_signal != 0 && !run->late)
        log_error("a process that worked for the hub ended by signal %d", by_signal);
    look_for_end(run);
}

static void on_late(uv_timer_t *timer)
{
    struct run *run = timer->data;
    run->late = true;
    uv_process_kill(&run->process, SIGKILL);
}

/* ---- what it says ---- */

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    struct run *run = handle->data;
    (void)wanted;
    *buffer = uv_buf_init(NULL, 0);
    if (run->room - run->have < READ_BYTES) {
        char *grown = run->room < CHILD_ANSWER_BYTES
                          ? realloc(run->answer, run->room + 2 * READ_BYTES)
                          : NULL;
        if (grown == NULL)
            return; /* the read ends with UV_ENOBUFS */
        run->answer = grown;
        run->room += 2 * (size_t)READ_BYTES;
    }
    *buffer = uv_buf_init(run->answer + run->have, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t bytes, const uv_buf_t *buffer)
{
    struct run *run = stream->data;
    (void)buffer;
    if (bytes >= 0) {
        run->have += (size_t)bytes;
        return;
    }
    uv_read_stop(stream);
    run->read = true;
    if (bytes != UV_EOF) {
        run->status = -1;
        uv_process_kill(&run->process, SIGKILL);
    }
    look_for_end(run);
}

/* It is read to its end by then, or the process is gone. */
static void on_written(uv_write_t *write, int status)
{
    struct run *run = write->handle->data;
    (void)status;
    if (!uv_is_closing((uv_handle_t *)&run->in))
        uv_close((uv_handle_t *)&run->in, on_closed);
}

/* ---- the beginning ---- */

static int spawn(struct child *child, struct run *run)
{
    uv_stdio_container_t stdio[] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&run->in},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&run->out},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
    };
    uv_process_options_t options = {.file = PROGRAM,
                                    .args = child->arguments,
                                    .stdio = stdio,
                                    .stdio_count = 3,
                                    .exit_cb = on_exit_of};
    return uv_spawn(child->loop, &run->process, &options);
}

static void init_handles(struct child *child, struct run *run)
{
    uv_pipe_init(child->loop, &run->in, 0);
    uv_pipe_init(child->loop, &run->out, 0);
    uv_timer_init(child->loop, &run->patience);
    run->process.data = run->in.data = run->out.data = run->patience.data = run;
    run->open = 4;
}

/* Tells of what could not be begun by a timer, so that nobody is told before it has begun. */
static void on_failed(uv_timer_t *timer)
{
    finish(timer->data, CHILD_FAILED);
}

static bool begin(struct child *child, struct task task)
{
    struct run *run = calloc(1, sizeof(*run));
    if (run == NULL)
        return false;
    run->of = child;
    run->task = task;
    child->run = run;
    init_handles(child, run);
    int code = spawn(child, run);
    if (code != 0) {
        log_error("a process to work for the hub cannot be begun: %s", uv_strerror(code));
        uv_timer_start(&run->patience, on_failed, 0, 0);
        return true;
    }
    uv_buf_t buffer = uv_buf_init(task.text, (unsigned)task.bytes);
    uv_timer_start(&run->patience, on_late, child->patience_ms, 0);
    uv_read_start((uv_stream_t *)&run->out, on_room, on_read);
    if (uv_write(&run->write, (uv_stream_t *)&run->in, &buffer, 1, on_written) != 0)
        uv_process_kill(&run->process, SIGKILL);
    return true;
}

static void begin_next(struct child *child)
{
    if (child->count == 0)
        return;
    struct task task = child->waiting[0];
    memmove(child->waiting, child->waiting + 1, --child->count * sizeof(task));
    if (begin(child, task))
        return;
    child->on_done(child->user, task.ticket, CHILD_FAILED, NULL, 0);
    free(task.text);
}

/* ---- for others ---- */

int child_create(struct child **out, uv_loop_t *loop, const char *const *arguments,
                 unsigned patience_ms, child_done_cb *on_done, void *user, struct diag *diag)
{
    struct child *child = calloc(1, sizeof(*child));
    *out = child;
    if (child == NULL)
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    child->loop = loop;
    child->patience_ms = patience_ms;
    child->on_done = on_done;
    child->user = user;
    child->arguments[0] = (char *)"lumbard";
    for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i] != NULL; i++)
        child->arguments[i + 1] = (char *)arguments[i];
    return 0;
}

bool child_begin(struct child *child, uint64_t ticket, char *text, size_t bytes)
{
    struct task task = {ticket, text, bytes};
    if (child->stopped)
        return false;
    if (child->run == NULL)
        return begin(child, task);
    if (child->count == CHILD_WAITING) {
        child->refused++;
        return false;
    }
    child->waiting[child->count++] = task;
    return true;
}

void child_stats(const struct child *child, struct child_stats *out)
{
    out->held = (child->run != NULL) + child->count;
    out->refused = child->refused;
}

void child_stop(struct child *child)
{
    if (child == NULL || child->stopped)
        return;
    child->stopped = true;
    if (child->run != NULL) {
        struct run *run = child->run;
        if (!run->exited && uv_is_active((uv_handle_t *)&run->process))
            uv_process_kill(&run->process, SIGKILL);
        finish(run, CHILD_STOPPED);
    }
    for (unsigned i = 0; i < child->count; i++) {
        child->on_done(child->user, child->waiting[i].ticket, CHILD_STOPPED, NULL, 0);
        free(child->waiting[i].text);
    }
    child->count = 0;
}

void child_destroy(struct child *child)
{
    free(child);
}
