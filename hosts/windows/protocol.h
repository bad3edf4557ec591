/*
 * What netmap.sys and the client edge say to each other: control codes on \\.\netmap and their
 * buffers. Private to this tree and free to change with it; programs use libnetmap, the headers in
 * include/windows, or include/netmap_win.h.
 *
 * All codes are METHOD_BUFFERED and need read and write access to the device. Nothing in a buffer
 * is a pointer. A call whose buffers have the wrong length fails with STATUS_INVALID_BUFFER_SIZE
 * and changes nothing.
 */
#ifndef NM_WINDOWS_PROTOCOL_H
#define NM_WINDOWS_PROTOCOL_H

#include <stdint.h>

#define NM_WIN_DEVICE_PATH  "\\\\.\\netmap" /* for programs */
#define NM_WIN_SERVICE_NAME "netmap"

/* CTL_CODE(type, function, METHOD_BUFFERED, FILE_READ_DATA | FILE_WRITE_DATA), spelled out because
 * the system headers of drivers and of programs define that macro in different places. */
#define NM_WIN_DEVICE_TYPE  0x9C40u
#define NM_WIN_CODE(number) ((NM_WIN_DEVICE_TYPE << 16) | (3u << 14) | ((number) << 2))

/*
 * In and out: the bytes of a struct nm_request (core/request.h) in use; the output buffer is at
 * least as long as the input. Success says only that the request was read: its outcome is in
 * `error` and `message` of the reply.
 */
#define NM_WIN_CONTROL NM_WIN_CODE(0x900u)

/* NIOCTXSYNC, NIOCRXSYNC; buffers are neither needed nor looked at. */
#define NM_WIN_TXSYNC NM_WIN_CODE(0x901u)
#define NM_WIN_RXSYNC NM_WIN_CODE(0x902u)

/*
 * Wait until the handle is ready. In: struct nm_win_poll. Out: struct nm_win_poll_reply. The
 * request stays pending until one of the events is there, the time is over (success with an empty
 * mask), it is cancelled, or the handle is closed (both STATUS_CANCELLED). Any number may wait on
 * one handle.
 */
#define NM_WIN_POLL NM_WIN_CODE(0x903u)

#define NM_WIN_READABLE   1u
#define NM_WIN_WRITABLE   2u
#define NM_WIN_POLL_ERROR 4u

struct nm_win_poll {
    uint32_t wanted;     /* NM_WIN_READABLE, NM_WIN_WRITABLE; an error is always reported */
    int32_t timeout_ms;  /* -1: for ever; 0: do not wait */
};

struct nm_win_poll_reply {
    uint32_t ready; /* 0: the time is over */
    uint32_t reserved;
};

/*
 * Map the port's memory region into the calling process, which must be the one that registered
 * the handle. No input. Out: struct nm_win_map. Every handle of a process that shares a region
 * gets the same address, and the mapping goes away when the last of them is closed.
 */
#define NM_WIN_MAP NM_WIN_CODE(0x904u)

struct nm_win_map {
    uint64_t address;
    uint64_t size; /* bytes: nr_memsize of the registration */
};

#endif
