/*
 * netmap_posix.h - the POSIX face of netmap descriptors on Windows.
 *
 * Compile a portable netmap program with -Iinclude/windows and link it with libnetmap: <poll.h>,
 * <sys/ioctl.h>, <sys/mman.h> and <net/if.h> of this directory then give it ioctl(), mmap(),
 * munmap() and poll() for descriptors of "/dev/netmap"; open() and close() come from libnetmap and
 * pass everything else on to the C library. Programs need no #ifdef and normally do not include
 * this file themselves.
 *
 * Descriptors are small integers above all those of the C library; read(), write(), dup() and
 * select() do not know them. Any number of threads may use one at the same time.
 */
#ifndef NETMAP_POSIX_H
#define NETMAP_POSIX_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pollfd;

/* As their POSIX namesakes, for netmap descriptors: -1 (or MAP_FAILED) and errno on failure. */
int nm_posix_open(const char *path, int flags);
int nm_posix_close(int fd);
int nm_posix_ioctl(int fd, unsigned long request, void *argument);
/* MAP_SHARED of a registered descriptor, or MAP_PRIVATE | MAP_ANONYMOUS memory. What is mapped
 * from a descriptor stays until the last descriptor on that region is closed: munmap() of it
 * succeeds and does nothing. */
void *nm_posix_mmap(void *address, size_t length, int protection, int flags, int fd,
                    long long offset);
int nm_posix_munmap(void *address, size_t length);
/* At most 64 netmap descriptors at once. */
int nm_posix_poll(struct pollfd *fds, unsigned long count, int timeout_ms);

/* Is this one of ours? */
int nm_posix_is_netmap(int fd);

/* What went wrong in the last netmap call of this thread that failed, and the remedy, in one line;
 * empty when there is nothing to say beyond errno. Valid until the thread's next call. */
const char *netmap_last_message(void);

#ifdef __cplusplus
}
#endif

#endif
