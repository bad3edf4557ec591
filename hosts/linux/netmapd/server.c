/*
 * The control thread: accepts connections, executes requests, hands out regions, notices when a
 * connection ends, and leaves when nothing needs it.
 *
 * A client cannot hold the server up: sockets are non-blocking, and one that does not take its
 * answers is closed.
 */
#include "hosts/linux/netmapd/netmapd.h"
#include "core/pipe.h"
#include "core/region.h"
#include "hosts/linux/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_STRAY 253 /* descriptors in one message: the system's limit */

struct connection {
    struct connection *next;
    int fd;
    int event_fd;
    int watch;       /* of the worker; -1 for none */
    int *stray_fds;  /* descriptors it sent uninvited; NULL for none */
    size_t num_stray;
    bool greeted;
    struct nm_handle *handle;
};

static struct {
    const struct netmapd_options *options;
    struct nm_core core;
    int lock_fd, listen_fd, epoll_fd, stop_fd;
    int reserve_fd; /* given up for a moment to refuse a connection when there are no more */
    char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct connection *connections;
    uint64_t idle_since_ms;
} server = {.stop_fd = -1};

static union {
    struct nm_message header;
    uint8_t bytes[NM_MESSAGE_MAX];
} incoming, outgoing;

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- answers ---- */

/* Send the first `size` payload bytes of `outgoing`, with descriptors. False: drop the client. */
static bool answer(struct connection *connection, enum nm_message_type type, size_t size,
                   const int *fds, size_t num_fds)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec vector = {outgoing.bytes, sizeof(struct nm_message) + size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};

    outgoing.header.type = (uint32_t)type;
    outgoing.header.size = (uint32_t)size;
    if (num_fds > 0) {
        struct cmsghdr *part;

        memset(&control, 0, sizeof(control));
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(num_fds * sizeof(int));
        part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(num_fds * sizeof(int));
        memcpy(CMSG_DATA(part), fds, num_fds * sizeof(int));
    }
    return sendmsg(connection->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static uint16_t fill_attach_rings(const struct nm_handle *handle, int direction,
                                  struct nm_attach_ring *rings)
{
    uint16_t number = 0;

    for (uint32_t i = handle->first_ring[direction]; i < handle->end_ring[direction]; i++) {
        const struct nm_kring *kring = &handle->adapter->krings[direction][i];

        rings[number].object = kring->ring_object;
        rings[number].peer_object = handle->adapter->kind == NM_PORT_PIPE
                                        ? nm_pipe_peer(kring)->ring_object
                                        : NM_NO_OBJECT;
        number++;
    }
    return number;
}

static size_t fill_attach(const struct nm_handle *handle, struct nm_attach *attach)
{
    const struct nm_adapter *adapter = handle->adapter;
    const struct nm_region_layout *layout = &adapter->region->layout;

    memset(attach, 0, sizeof(*attach));
    attach->kind = adapter->kind == NM_PORT_PIPE ? NM_ATTACH_PIPE : NM_ATTACH_VALE;
    attach->num_buffers = layout->buf_num;
    attach->buffer_size = layout->buf_size;
    attach->ring_size = layout->ring_size;
    attach->memsize = layout->memsize;
    attach->total_size = layout->total_size;
    attach->ring_offset = layout->ring_offset;
    attach->door_offset = layout->door_offset;
    attach->bell_offset = layout->bell_offset;
    attach->owner_offset = layout->owner_offset;
    attach->flags = handle->flags;
    attach->bell = adapter->bell;
    if (adapter->kind == NM_PORT_PIPE) {
        const struct nm_adapter *peer = adapter->pipe->ends[!adapter->pipe_role];

        attach->peer_bell = peer->krings[NM_TX][0].ring_object;
        attach->own_tag = adapter->owner_tag;
        attach->peer_tag = peer->owner_tag;
    }
    memcpy(attach->name, adapter->name, sizeof(attach->name));
    for (int direction = 0; direction < 2; direction++) {
        attach->num_slots[direction] = adapter->geometry.num_slots[direction];
        attach->first_ring[direction] = handle->first_ring[direction];
    }
    attach->num_rings[NM_TX] = fill_attach_rings(handle, NM_TX, attach->rings);
    attach->num_rings[NM_RX] =
        fill_attach_rings(handle, NM_RX, attach->rings + attach->num_rings[NM_TX]);
    return sizeof(*attach) + (size_t)(attach->num_rings[NM_TX] + attach->num_rings[NM_RX]) *
                                 sizeof(struct nm_attach_ring);
}

static bool send_attach(struct connection *connection)
{
    struct nm_handle *handle = connection->handle;
    struct segment_view view;
    int fds[2];
    size_t size;

    if (handle->adapter == NULL)
        return answer(connection, NM_MSG_ATTACH, 0, NULL, 0);
    os_segment_view(handle->adapter->region->segment, &view);
    size = fill_attach(handle, (struct nm_attach *)(void *)(outgoing.bytes +
                                                            sizeof(struct nm_message)));
    fds[0] = view.fd;
    fds[1] = connection->event_fd;
    return answer(connection, NM_MSG_ATTACH, size, fds, 2);
}

/* ---- requests ---- */

static bool on_hello(struct connection *connection, size_t size)
{
    uint32_t version = NM_PROTOCOL_VERSION;

    if (size != sizeof(version))
        return false;
    connection->greeted = true;
    memcpy(outgoing.bytes + sizeof(struct nm_message), &version, sizeof(version));
    return answer(connection, NM_MSG_HELLO, sizeof(version), NULL, 0);
}

/* A descriptor has become bound: let its client wake the worker. */
static bool on_bound(struct connection *connection)
{
    if (connection->handle->adapter->kind == NM_PORT_VALE) {
        connection->watch = worker_watch(connection->event_fd, connection->handle->adapter);
        if (connection->watch < 0)
            return false;
    }
    return send_attach(connection);
}

static bool on_request(struct connection *connection, const uint8_t *payload, size_t size)
{
    static struct nm_request request; /* one control thread; too large for a stack */
    bool was_bound = connection->handle->adapter != NULL;

    if (size < offsetof(struct nm_request, u) || size > sizeof(request))
        return false;
    memcpy(&request, payload, size);
    nm_control(connection->handle, &request, size);
    memcpy(outgoing.bytes + sizeof(struct nm_message), &request, size);
    if (!answer(connection, NM_MSG_REQUEST, size, NULL, 0))
        return false;
    return was_bound || connection->handle->adapter == NULL || on_bound(connection);
}

/* Receive one message into `incoming`. Descriptors in it are kept for close_socket. */
static ssize_t receive(struct connection *connection, int flags)
{
    union {
        char bytes[CMSG_SPACE(MAX_STRAY * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec vector = {incoming.bytes, sizeof(incoming)};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1,
                             .msg_control = control.bytes, .msg_controllen = sizeof(control)};
    ssize_t received = recvmsg(connection->fd, &message, flags | MSG_CMSG_CLOEXEC);
    struct cmsghdr *part = received < 0 ? NULL : CMSG_FIRSTHDR(&message);

    if (part != NULL && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS) {
        size_t number = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        int *larger = realloc(connection->stray_fds,
                              (connection->num_stray + number) * sizeof(int));

        if (larger != NULL) {
            memcpy(larger + connection->num_stray, CMSG_DATA(part), number * sizeof(int));
            connection->stray_fds = larger;
            connection->num_stray += number;
        }
    }
    return received;
}

/* One message; false when the connection is to be closed. */
static bool on_message(struct connection *connection)
{
    ssize_t received = receive(connection, MSG_TRUNC);
    size_t size;

    if (received < 0)
        return errno == EAGAIN || errno == EINTR;
    if (received < (ssize_t)sizeof(struct nm_message) || (size_t)received > sizeof(incoming) ||
        connection->num_stray > 0)
        return false;
    size = (size_t)received - sizeof(struct nm_message);
    if (incoming.header.size != size ||
        (!connection->greeted && incoming.header.type != NM_MSG_HELLO))
        return false;
    switch (incoming.header.type) {
    case NM_MSG_HELLO:
        return on_hello(connection, size);
    case NM_MSG_REQUEST:
        return on_request(connection, incoming.bytes + sizeof(struct nm_message), size);
    case NM_MSG_ATTACH:
        return send_attach(connection);
    default:
        return false;
    }
}

/* ---- connections ---- */

/* What a client sent along or left in the queue can take its time to close: a descriptor of a file
 * system in user space, a TCP socket that lingers. Not in the control thread. */
static void *close_slowly(void *argument)
{
    struct connection *connection = argument;

    for (size_t i = 0; i < connection->num_stray; i++)
        close(connection->stray_fds[i]);
    free(connection->stray_fds);
    close(connection->fd);
    free(connection);
    return NULL;
}

/* Close the socket and free the connection. */
static void close_socket(struct connection *connection)
{
    pthread_t thread;
    char byte;

    shutdown(connection->fd, SHUT_RDWR); /* nothing more can be queued */
    if (connection->num_stray == 0 &&
        recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) {
        close(connection->fd);
        free(connection);
    } else if (pthread_create(&thread, NULL, close_slowly, connection) == 0) {
        pthread_detach(thread);
    } else {
        close_slowly(connection);
    }
}

static void close_connection(struct connection *connection)
{
    struct connection **link = &server.connections;

    if (connection->watch >= 0)
        worker_unwatch(connection->watch);
    nm_handle_close(connection->handle);
    while (*link != connection)
        link = &(*link)->next;
    *link = connection->next;
    close(connection->event_fd);
    epoll_ctl(server.epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    close_socket(connection);
    if (server.connections == NULL)
        server.idle_since_ms = now_ms();
}

/* No descriptor is left for a connection that waits: take it with the spare one and end it, or
 * epoll would report it for ever. */
static void refuse(void)
{
    int fd;

    close(server.reserve_fd);
    fd = accept4(server.listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        close(fd);
        nm_os_log(NM_LOG_WARNING, "a connection was refused: no descriptors left");
    }
    server.reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_accept(void)
{
    int fd = accept4(server.listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN};
    struct connection *connection;

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE)
            refuse();
        return;
    }
    connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        close(fd);
        return;
    }
    connection->fd = fd;
    connection->watch = -1;
    connection->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    connection->handle = nm_handle_open(&server.core);
    event.data.ptr = connection;
    if (connection->event_fd < 0 || connection->handle == NULL ||
        epoll_ctl(server.epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        nm_os_log(NM_LOG_WARNING, "a connection was refused: %s", strerror(errno));
        if (connection->handle != NULL)
            nm_handle_close(connection->handle);
        if (connection->event_fd >= 0)
            close(connection->event_fd);
        close(fd);
        free(connection);
        return;
    }
    connection->next = server.connections;
    server.connections = connection;
}

static void on_event(struct connection *connection, uint32_t events)
{
    bool keep = true;

    if ((events & EPOLLIN) != 0)
        keep = on_message(connection);
    else if ((events & (EPOLLHUP | EPOLLERR)) != 0)
        keep = false;
    if (!keep)
        close_connection(connection);
}

/* ---- start and end ---- */

static int fail(const char *what)
{
    nm_os_log(NM_LOG_ERROR, "%s/%s: %s: %s", server.options->directory, NM_SOCKET_NAME, what,
              strerror(errno));
    return -1;
}

/* Who may connect: everybody the socket's mode lets through. System: root and the group. */
static int set_permissions(void)
{
    struct group *group = getgrnam(NM_GROUP);

    if (!server.options->system || group == NULL)
        return chmod(server.socket_path, 0600);
    if (chown(server.socket_path, (uid_t)-1, group->gr_gid) != 0)
        return -1;
    return chmod(server.socket_path, 0660);
}

static void socket_address(struct sockaddr_un *address)
{
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s", server.options->directory,
             NM_SOCKET_NAME);
}

/* Does whoever has the lock take connections? Then it is not about to leave. */
static bool is_served(void)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    bool served;

    if (fd < 0)
        return false;
    socket_address(&address);
    served = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    errno = EWOULDBLOCK;
    return served;
}

/* One netmapd per directory: whoever has the lock. Another one may just be leaving. */
static int take_lock(void)
{
    char path[sizeof(server.options->directory) + 8];

    snprintf(path, sizeof(path), "%s/lock", server.options->directory);
    server.lock_fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (server.lock_fd < 0)
        return fail("cannot open the lock file");
    for (int attempt = 0; flock(server.lock_fd, LOCK_EX | LOCK_NB) != 0; attempt++) {
        if (errno != EWOULDBLOCK || attempt == 100 || is_served())
            return fail("another netmapd serves this directory");
        nm_os_sleep_us(10000);
    }
    return 0;
}

static int open_socket(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct sockaddr_un address;

    socket_address(&address);
    memcpy(server.socket_path, address.sun_path, sizeof(server.socket_path));
    unlink(server.socket_path); /* left by one that was killed; we hold the lock */
    server.listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server.listen_fd < 0 ||
        bind(server.listen_fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return fail("cannot make the socket");
    if (set_permissions() != 0)
        return fail("cannot set the socket's permissions");
    if (listen(server.listen_fd, 128) != 0)
        return fail("cannot listen");
    event.data.ptr = &server.listen_fd;
    if (epoll_ctl(server.epoll_fd, EPOLL_CTL_ADD, server.listen_fd, &event) != 0)
        return fail("cannot watch the socket");
    return 0;
}

/* The directory must be ours alone to change: others could put a socket of theirs there. */
static int make_directory(void)
{
    const char *path = server.options->directory;
    char log_path[sizeof(server.options->directory) + 16];
    struct stat status;

    if (mkdir(path, server.options->system ? 0755 : 0700) != 0 && errno != EEXIST)
        return fail("cannot make the directory");
    if (lstat(path, &status) != 0)
        return fail("cannot look at the directory");
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 0022) != 0) {
        errno = EPERM;
        return fail("the directory is not this user's own; remove it or choose another");
    }
    if (!server.options->foreground) {
        snprintf(log_path, sizeof(log_path), "%s/netmapd.log", path);
        os_log_open(log_path, server.options->verbose);
    }
    return 0;
}

static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) { /* three descriptors per connection */
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int start(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct nm_config config;

    nm_config_defaults(&config);
    config.doors = true;
    config.vale_slots = 4096; /* fewer wake-ups than 1024: docs/architecture.md */
    config.default_pipes = NM_PIPES; /* address space only */
    config.max_region = 16ull << 30;
    config.verbose = server.options->verbose;
    raise_limits();
    if (make_directory() != 0 || take_lock() != 0)
        return -1;
    server.reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    server.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    event.data.ptr = &server.stop_fd;
    if (server.epoll_fd < 0 || server.stop_fd < 0 ||
        epoll_ctl(server.epoll_fd, EPOLL_CTL_ADD, server.stop_fd, &event) != 0)
        return fail("cannot wait for events");
    memset(&server.core, 0, sizeof(server.core));
    if (nm_core_start(&server.core, &config) != 0 || worker_start() != 0)
        return fail("cannot start");
    return open_socket();
}

/* The socket goes first, so that a program that connects now starts a new netmapd; one that
 * connected a moment ago sees its connection end before the greeting, and tries again. */
static int finish(int status)
{
    if (server.listen_fd >= 0) {
        unlink(server.socket_path);
        close(server.listen_fd);
    }
    while (server.connections != NULL)
        close_connection(server.connections);
    worker_stop();
    if (nm_core_stop(&server.core) != 0)
        status = 3;
    if (server.epoll_fd >= 0)
        close(server.epoll_fd);
    if (server.reserve_fd >= 0)
        close(server.reserve_fd);
    if (server.lock_fd >= 0)
        close(server.lock_fd);
    return status;
}

static int idle_timeout(void)
{
    uint64_t elapsed;

    if (server.connections != NULL || server.options->idle_ms == 0)
        return -1;
    elapsed = now_ms() - server.idle_since_ms;
    return elapsed >= server.options->idle_ms ? 0 : (int)(server.options->idle_ms - elapsed);
}

static void serve(void)
{
    for (;;) {
        struct epoll_event events[32];
        int timeout = idle_timeout();
        int number = epoll_wait(server.epoll_fd, events, 32, timeout);

        if (number == 0 && timeout >= 0 && idle_timeout() == 0)
            return;
        for (int i = 0; i < number; i++) {
            if (events[i].data.ptr == &server.stop_fd)
                return;
            if (events[i].data.ptr == &server.listen_fd)
                on_accept();
            else
                on_event(events[i].data.ptr, events[i].events);
        }
    }
}

void netmapd_stop(void)
{
    uint64_t one = 1;

    (void)!write(server.stop_fd, &one, sizeof(one));
}

int netmapd_run(const struct netmapd_options *options)
{
    int status = 1;

    server.options = options;
    server.listen_fd = server.epoll_fd = server.lock_fd = server.reserve_fd = -1;
    server.connections = NULL;
    server.idle_since_ms = now_ms();
    if (server.stop_fd < 0)
        server.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (start() == 0) {
        nm_os_log(NM_LOG_DEBUG, "serving %s", server.socket_path);
        if (options->ready_fd >= 0)
            close(options->ready_fd);
        serve();
        status = 0;
    }
    return finish(status);
}
