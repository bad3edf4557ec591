/*
 * What netmap.sys and the client edge say to each other beyond what programs may use themselves,
 * which is in include/netmap_win.h. Private to this tree and free to change with it.
 */
#ifndef NM_WINDOWS_PROTOCOL_H
#define NM_WINDOWS_PROTOCOL_H

#include <netmap_win.h>

/*
 * In and out: the bytes of a struct nm_request (core/request.h) in use; the output buffer is at
 * least as long as the input. Nothing in it is a pointer. Success says only that the request was
 * read: its outcome is in `error` and `message` of the reply.
 */
#define NETMAP_WIN_CONTROL NETMAP_WIN_CODE(0x900u)

#endif
