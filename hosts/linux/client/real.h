/* The system's own calls, past the functions of the same names that posix.c puts before them. */
#ifndef NM_LINUX_REAL_H
#define NM_LINUX_REAL_H

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

int real_open(const char *path, int flags, mode_t mode);
int real_openat(int directory, const char *path, int flags, mode_t mode);
int real_close(int fd);
int real_ioctl(int fd, unsigned long request, void *argument);
void *real_mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset);
int real_munmap(void *address, size_t length);
int real_poll(struct pollfd *fds, nfds_t number, int timeout);
int real_ppoll(struct pollfd *fds, nfds_t number, const struct timespec *timeout,
               const sigset_t *mask);

#endif
