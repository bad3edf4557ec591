/*
 * Other names for the functions that hosts/linux/client/posix.c puts before the C library's, for
 * posix.c and everything that is to call them; included first, by the compiler's command line.
 *
 * TSan's start-up opens files and maps memory before dlsym works, and has to see every mmap and
 * munmap to forget what was at an address before. Under their own names they would be in its way.
 */
#ifndef NM_SANITIZE_POSIX_NAMES_H
#define NM_SANITIZE_POSIX_NAMES_H

#define open     netmap_open
#define open64   netmap_open64
#define openat   netmap_openat
#define openat64 netmap_openat64
#define close    netmap_close
#define ioctl    netmap_ioctl_any
#define mmap     netmap_mmap
#define mmap64   netmap_mmap64
#define munmap   netmap_munmap
#define poll     netmap_poll
#define ppoll    netmap_ppoll

#endif
