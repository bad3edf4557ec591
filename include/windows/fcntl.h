/* The system's <fcntl.h> with the flags that programs for Linux pass to open("/dev/netmap"). */
#ifndef NM_WINDOWS_FCNTL_H
#define NM_WINDOWS_FCNTL_H

#ifdef __GNUC__
#pragma GCC system_header
#endif
#include_next <fcntl.h>

#ifndef O_CLOEXEC
#define O_CLOEXEC _O_NOINHERIT /* netmap descriptors are never inherited */
#endif
#ifndef O_NONBLOCK
#define O_NONBLOCK 0 /* no call but poll() waits */
#endif

#endif
