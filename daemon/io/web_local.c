/* The hub's own socket, for lumbarctl: who may open the file, may ask. */
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/web_state.h"

#define BACKLOG 16

/* Does anybody listen there? A file that nobody listens at was left by a hub that was killed. */
static bool is_served(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool served = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
    if (fd >= 0)
        close(fd);
    return served;
}

static int remove_stale(const struct sockaddr_un *address, struct diag *diag)
{
    struct stat status;
    if (lstat(address->sun_path, &status) != 0)
        return 0;
    if (!S_ISSOCK(status.st_mode))
        return diag_set(diag, ERR_TAKEN, "api: %s is there, and is no socket", address->sun_path);
    if (is_served(address))
        return diag_set(diag, ERR_TAKEN, "api: %s is in use by another program", address->sun_path);
    unlink(address->sun_path);
    return 0;
}

static int give_to_group(const char *path, const char *name, struct diag *diag)
{
    if (name == NULL || name[0] == '\0')
        return 0;
    const struct group *group = getgrnam(name);
    if (group == NULL)
        return diag_set(diag, ERR_UNKNOWN, "api: there is no group '%s'", name);
    if (chown(path, (uid_t)-1, group->gr_gid) != 0)
        return diag_set(diag, ERR_IO, "api: %s cannot be given to the group '%s': %s", path, name,
                        strerror(errno));
    return 0;
}

int web_local_bind(struct web *web, const struct web_options *options, struct diag *diag)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (options->socket == NULL || options->socket[0] == '\0')
        return 0;
    if (strlen(options->socket) >= sizeof(address.sun_path))
        return diag_set(diag, ERR_LIMIT, "api: the path of a socket has at most %zu bytes, not %s",
                        sizeof(address.sun_path) - 1, options->socket);
    strcpy(address.sun_path, options->socket);
    int code = remove_stale(&address, diag);
    if (code != 0)
        return code;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177); /* nobody gets in before it has its group */
    int failed = fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ? errno : 0;
    umask(mask);
    if (failed == 0) {
        web->local_fd = fd;
        strcpy(web->local_path, address.sun_path);
        code = give_to_group(web->local_path, options->group, diag);
        if (code != 0)
            return code;
        failed = chmod(web->local_path, 0660) != 0 || listen(fd, BACKLOG) != 0 ? errno : 0;
    } else if (fd >= 0) {
        close(fd);
    }
    if (failed != 0)
        return diag_set(diag, ERR_IO, "api: cannot listen on %s: %s", options->socket,
                        strerror(failed));
    return 0;
}

void web_local_close(struct web *web)
{
    if (web->local_fd < 0)
        return;
    close(web->local_fd);
    unlink(web->local_path);
    web->local_fd = -1;
}

static unsigned free_places(const struct web *web)
{
    unsigned count = 0;
    for (unsigned i = 0; i < web->places; i++)
        count += web->clients[i].wsi == NULL;
    return count;
}

/* Of whom it is that connected; the system knows. */
static uid_t uid_of(int fd)
{
    struct ucred peer;
    socklen_t bytes = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 ? peer.uid : (uid_t)-1;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct web *web = poll->data;
    (void)status, (void)events;
    for (unsigned i = 0; i < BACKLOG && !web->stopping; i++) {
        int fd = accept4(web->local_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (free_places(web) == 0) {
            web->refused++;
            close(fd);
            continue;
        }
        web->adopting = true;
        web->adopting_uid = uid_of(fd);
        if (lws_adopt_descriptor_vhost(web->vhost, LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP,
                                       (lws_sock_file_fd_type){.sockfd = fd}, NULL, NULL) == NULL) /* which has closed it then */
            web->refused++;
        web->adopting = false;
    }
}

void web_local_start(struct web *web)
{
    if (web->local_fd < 0)
        return;
    uv_poll_init(web->loop, &web->local_poll, web->local_fd);
    web->local_poll.data = web;
    uv_poll_start(&web->local_poll, UV_READABLE, on_readable);
}

void web_local_stop(struct web *web)
{
    if (web->local_fd < 0)
        return;
    uv_close((uv_handle_t *)&web->local_poll, NULL);
    web_local_close(web);
}
