/*
 * The system's <winsock2.h> without its struct pollfd, whose name belongs to <poll.h> here.
 * WSAPOLLFD and WSAPoll() are as ever. MSVC: needs a compiler that knows #include_next, or
 * <poll.h> and <winsock2.h> in different files.
 */
#ifndef NM_WINDOWS_WINSOCK2_H
#define NM_WINDOWS_WINSOCK2_H

#ifdef __GNUC__
#pragma GCC system_header
#endif
#define pollfd nm_winsock_pollfd
#include_next <winsock2.h>
#undef pollfd

#endif
