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

/*
 * Do now what closing the last handle of this open does: cancel waits, unmap, leave the port. No
 * buffers. Only for the edge under Wine, where CloseHandle returns before the driver hears of it,
 * so that a program could not open a port again that it has just closed.
 */
#define NETMAP_WIN_RELEASE NETMAP_WIN_CODE(0x905u)

#endif
