/* <sys/ioctl.h> for netmap descriptors on Windows; see netmap_posix.h. */
#ifndef NM_WINDOWS_SYS_IOCTL_H
#define NM_WINDOWS_SYS_IOCTL_H

#include <stdarg.h>

#include <netmap_posix.h>

/* Requests without an argument may be called without one: what is read then is not used. */
static inline int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    void *argument;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    return nm_posix_ioctl(fd, request, argument);
}

#endif
