/* <poll.h> for netmap descriptors on Windows; see netmap_posix.h. */
#ifndef NM_WINDOWS_POLL_H
#define NM_WINDOWS_POLL_H

#include <netmap_posix.h>

/* <winsock2.h> has a structure of the same name with a wider fd; ours follows POSIX, and the
 * <winsock2.h> of this directory keeps the two apart. The constants are the same. */
struct pollfd {
    int fd;
    short events;
    short revents;
};

typedef unsigned long nfds_t;

#ifndef POLLIN
#define POLLRDNORM 0x0100
#define POLLRDBAND 0x0200
#define POLLIN     (POLLRDNORM | POLLRDBAND)
#define POLLPRI    0x0400

#define POLLWRNORM 0x0010
#define POLLOUT    (POLLWRNORM)
#define POLLWRBAND 0x0020

#define POLLERR  0x0001
#define POLLHUP  0x0002
#define POLLNVAL 0x0004
#endif

static inline int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    return nm_posix_poll(fds, count, timeout_ms);
}

#endif
