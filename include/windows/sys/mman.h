/* <sys/mman.h> for netmap descriptors on Windows; see netmap_posix.h. */
#ifndef NM_WINDOWS_SYS_MMAN_H
#define NM_WINDOWS_SYS_MMAN_H

#include <sys/types.h>

#include <netmap_posix.h>

#define PROT_NONE  0x0
#define PROT_READ  0x1
#define PROT_WRITE 0x2
#define PROT_EXEC  0x4

#define MAP_SHARED    0x01
#define MAP_PRIVATE   0x02
#define MAP_FIXED     0x10 /* refused */
#define MAP_ANONYMOUS 0x20
#define MAP_ANON      MAP_ANONYMOUS
#define MAP_POPULATE  0x00 /* the driver's pages are there already */
#define MAP_FAILED    ((void *)-1)

static inline void *mmap(void *address, size_t length, int protection, int flags, int fd,
                         off_t offset)
{
    return nm_posix_mmap(address, length, protection, flags, fd, offset);
}

static inline int munmap(void *address, size_t length)
{
    return nm_posix_munmap(address, length);
}

#endif
