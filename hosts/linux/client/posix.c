/*
 * /dev/netmap through the system's own calls: functions of the C library's names that serve
 * netmap descriptors themselves and pass everything else on untouched.
 *
 * They stand in libnetmap.so, libnetmap.a and nothing else, so a program linked with either uses
 * open, ioctl, mmap, poll and close as it would with a kernel module.
 */
#include "hosts/linux/client/real.h"
#include "core/errors.h"
#include "hosts/linux/client/edge.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT    __attribute__((visibility("default")))
#define DEVICE    "/dev/netmap"
#define MAX_FDS   65536
#define SLICE_MS  5

static _Atomic(struct edge *) edges[MAX_FDS];

static struct edge *edge_of(int fd)
{
    return fd >= 0 && fd < MAX_FDS ? atomic_load_explicit(&edges[fd], memory_order_acquire) : NULL;
}

/* ---- the next definition of each function: the C library's, or a sanitizer's ---- */

#define NEXT(type, name)                                                                           \
    static _Atomic(type) next;                                                                     \
    type function = atomic_load_explicit(&next, memory_order_relaxed);                             \
    if (function == NULL) {                                                                        \
        *(void **)&function = dlsym(RTLD_NEXT, name);                                              \
        atomic_store_explicit(&next, function, memory_order_relaxed);                              \
    }

typedef int (*openat_function)(int, const char *, int, ...);
typedef int (*close_function)(int);
typedef int (*ioctl_function)(int, unsigned long, ...);
typedef void *(*mmap_function)(void *, size_t, int, int, int, off_t);
typedef int (*munmap_function)(void *, size_t);
typedef int (*poll_function)(struct pollfd *, nfds_t, int);
typedef int (*ppoll_function)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);

int real_openat(int directory, const char *path, int flags, mode_t mode)
{
    NEXT(openat_function, "openat")
    return function(directory, path, flags, mode);
}

int real_open(const char *path, int flags, mode_t mode)
{
    return real_openat(AT_FDCWD, path, flags, mode);
}

int real_close(int fd)
{
    NEXT(close_function, "close")
    return function(fd);
}

int real_ioctl(int fd, unsigned long request, void *argument)
{
    NEXT(ioctl_function, "ioctl")
    return function(fd, request, argument);
}

/* The sanitizers map memory before dlsym works. */
void *real_mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

int real_munmap(void *address, size_t length)
{
    return (int)syscall(SYS_munmap, address, length);
}

int real_poll(struct pollfd *fds, nfds_t number, int timeout)
{
    NEXT(poll_function, "poll")
    return function(fds, number, timeout);
}

int real_ppoll(struct pollfd *fds, nfds_t number, const struct timespec *timeout,
               const sigset_t *mask)
{
    NEXT(ppoll_function, "ppoll")
    return function(fds, number, timeout, mask);
}

static int result(int error)
{
    if (error == 0)
        return 0;
    errno = error; /* our numbers are Linux's */
    return -1;
}

/* ---- open, close ---- */

static int open_netmap(int flags)
{
    struct edge *edge;
    int error = edge_open(&edge);

    if (error != 0)
        return result(error);
    if (edge->fd >= MAX_FDS) {
        edge_message("descriptor %d is beyond %d, the most a netmap program can use", edge->fd,
                     MAX_FDS);
        edge_close(edge);
        return result(NM_EMFILE);
    }
    if ((flags & O_CLOEXEC) == 0)
        fcntl(edge->fd, F_SETFD, 0);
    atomic_store_explicit(&edges[edge->fd], edge, memory_order_release);
    return edge->fd;
}

static mode_t mode_of(int flags, va_list arguments)
{
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE
               ? (mode_t)va_arg(arguments, unsigned)
               : 0;
}

static int open_any(int directory, const char *path, int flags, mode_t mode)
{
    if (path != NULL && strcmp(path, DEVICE) == 0)
        return open_netmap(flags);
    return real_openat(directory, path, flags, mode);
}

#define DEFINE_OPEN(name, extra)                                                                   \
    EXPORT int name(const char *path, int flags, ...);                                             \
    EXPORT int name(const char *path, int flags, ...)                                              \
    {                                                                                              \
        va_list arguments;                                                                         \
        mode_t mode;                                                                               \
        va_start(arguments, flags);                                                                \
        mode = mode_of(flags, arguments);                                                          \
        va_end(arguments);                                                                         \
        return open_any(AT_FDCWD, path, flags | (extra), mode);                                    \
    }

#define DEFINE_OPENAT(name, extra)                                                                 \
    EXPORT int name(int directory, const char *path, int flags, ...);                              \
    EXPORT int name(int directory, const char *path, int flags, ...)                               \
    {                                                                                              \
        va_list arguments;                                                                         \
        mode_t mode;                                                                               \
        va_start(arguments, flags);                                                                \
        mode = mode_of(flags, arguments);                                                          \
        va_end(arguments);                                                                         \
        return open_any(directory, path, flags | (extra), mode);                                   \
    }

DEFINE_OPEN(open, 0)
DEFINE_OPEN(open64, O_LARGEFILE)
DEFINE_OPENAT(openat, 0)
DEFINE_OPENAT(openat64, O_LARGEFILE)

EXPORT int close(int fd)
{
    struct edge *edge = edge_of(fd);

    if (edge == NULL)
        return real_close(fd);
    atomic_store_explicit(&edges[fd], NULL, memory_order_release);
    edge_close(edge);
    return 0;
}

/* ---- ioctl ---- */

static int netmap_ioctl(struct edge *edge, unsigned long request, void *argument)
{
    switch ((uint32_t)request) {
    case NIOCTXSYNC:
        return edge_txsync(edge);
    case NIOCRXSYNC:
        return edge_rxsync(edge);
    case FIONBIO:
    case FIOASYNC:
        return 0; /* syncs do not wait for packets anyway */
    default:
        break;
    }
    if (argument == NULL)
        return NM_EFAULT;
    switch ((uint32_t)request) {
    case NIOCCTRL:
        return edge_control(edge, argument);
    case NIOCREGIF:
        return edge_legacy(edge, NM_OP_REGIF, argument);
    case NIOCGINFO:
        return edge_legacy(edge, NM_OP_GINFO, argument);
    default:
        edge_message("ioctl 0x%lx is not one of netmap's", request);
        return NM_ENOTTY;
    }
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
    struct edge *edge = edge_of(fd);
    va_list arguments;
    void *argument;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    return edge == NULL ? real_ioctl(fd, request, argument)
                        : result(netmap_ioctl(edge, request, argument));
}

EXPORT int netmap_get_counters(int fd, const char *port, int is_tx, unsigned ring,
                               struct netmap_counters *counters)
{
    struct edge *edge = edge_of(fd);

    return result(edge == NULL ? NM_EBADF : edge_counters(edge, port, is_tx != 0, ring, counters));
}

EXPORT const char *netmap_drop_name(unsigned cause)
{
    return nm_drop_cause_name(cause);
}

/* ---- mmap ---- */

EXPORT void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    struct edge *edge = (flags & MAP_ANONYMOUS) != 0 ? NULL : edge_of(fd);
    int error;

    if (edge == NULL)
        return real_mmap(address, length, protection, flags, fd, offset);
    if ((flags & MAP_FIXED) != 0 || offset != 0) {
        edge_message("netmap's memory is mapped whole and where there is room: no MAP_FIXED, "
                     "offset 0");
        error = NM_EINVAL;
    } else {
        error = edge_mmap(edge, length, &address);
    }
    if (error == 0)
        return address;
    errno = error;
    return MAP_FAILED;
}

EXPORT void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset)
{
    return mmap(address, length, protection, flags, fd, offset);
}

EXPORT int munmap(void *address, size_t length)
{
    int error;

    if (edge_munmap(address, length, &error))
        return result(error);
    return real_munmap(address, length);
}

/* ---- poll ---- */

/* Netmap descriptors among others: both kinds in turn, in slices. Returns as poll. */
static int poll_mixed(struct pollfd *fds, nfds_t number, struct edge_poll *polls, unsigned used,
                      int64_t timeout_ns)
{
    struct timespec start, now;
    int64_t slice = 0, elapsed = 0;

    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        int ready, others;

        if (timeout_ns >= 0 && slice > timeout_ns - elapsed)
            slice = timeout_ns - elapsed;
        ready = edge_poll(polls, used, slice);
        if (ready < 0)
            return result(-ready);
        /* poll skips entries whose descriptor is negative: ours are hidden from the system. */
        for (nfds_t i = 0; i < number; i++)
            if (edge_of(fds[i].fd) != NULL)
                fds[i].fd = ~fds[i].fd;
        others = real_poll(fds, number, 0);
        for (nfds_t i = 0; i < number; i++)
            if (fds[i].fd < 0 && edge_of(~fds[i].fd) != NULL)
                fds[i].fd = ~fds[i].fd;
        if (others < 0 || ready + others > 0)
            return others < 0 ? others : ready + others;
        clock_gettime(CLOCK_MONOTONIC, &now);
        elapsed = (now.tv_sec - start.tv_sec) * 1000000000ll + (now.tv_nsec - start.tv_nsec);
        if (timeout_ns >= 0 && elapsed >= timeout_ns)
            return 0;
        slice = SLICE_MS * 1000000ll;
    }
}

static int poll_any(struct pollfd *fds, nfds_t number, unsigned used, int64_t timeout_ns)
{
    struct edge_poll few[8], *polls = few;
    unsigned at = 0;
    int ready;

    if (used > 8 && (polls = malloc(used * sizeof(*polls))) == NULL)
        return result(ENOMEM);
    for (nfds_t i = 0; i < number; i++) {
        struct edge *edge = edge_of(fds[i].fd);

        fds[i].revents = 0;
        if (edge != NULL) {
            polls[at].edge = edge;
            polls[at].events = fds[i].events;
            polls[at++].revents = 0;
        }
    }
    if (used == number) {
        ready = edge_poll(polls, used, timeout_ns);
        if (ready < 0)
            ready = result(-ready);
    } else {
        ready = poll_mixed(fds, number, polls, used, timeout_ns);
    }
    at = 0;
    for (nfds_t i = 0; i < number; i++)
        if (edge_of(fds[i].fd) != NULL)
            fds[i].revents = polls[at++].revents;
    if (polls != few)
        free(polls);
    return ready;
}

static unsigned count_netmap(const struct pollfd *fds, nfds_t number)
{
    unsigned used = 0;

    for (nfds_t i = 0; i < number; i++)
        if (edge_of(fds[i].fd) != NULL)
            used++;
    return used;
}

EXPORT int poll(struct pollfd *fds, nfds_t number, int timeout)
{
    unsigned used = count_netmap(fds, number);

    if (used == 0)
        return real_poll(fds, number, timeout);
    return poll_any(fds, number, used, timeout < 0 ? -1 : timeout * 1000000ll);
}

EXPORT int ppoll(struct pollfd *fds, nfds_t number, const struct timespec *timeout,
                 const sigset_t *mask)
{
    unsigned used = count_netmap(fds, number);
    sigset_t before;
    int ready, error;

    if (used == 0)
        return real_ppoll(fds, number, timeout, mask);
    if (mask != NULL)
        pthread_sigmask(SIG_SETMASK, mask, &before);
    ready = poll_any(fds, number, used,
                     timeout == NULL ? -1 : timeout->tv_sec * 1000000000ll + timeout->tv_nsec);
    error = errno;
    if (mask != NULL)
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return ready;
}
