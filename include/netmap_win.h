/*
 * netmap_win.h - netmap for Windows programs that work with HANDLEs.
 *
 * A program that is written for Windows can wait for netmap together with everything else it waits
 * for: with WaitForMultipleObjects, with an I/O completion port, or with a thread pool.
 *
 *     HANDLE device = netmap_win_open();
 *     netmap_win_control(device, &header);              // NETMAP_REQ_REGISTER, net/netmap.h
 *     DeviceIoControl(device, NETMAP_WIN_MAP, NULL, 0, &map, sizeof(map), NULL, &overlapped);
 *     ...
 *     struct netmap_win_poll poll = {NETMAP_WIN_READABLE, -1};
 *     DeviceIoControl(device, NETMAP_WIN_POLL, &poll, sizeof(poll), &reply, sizeof(reply), NULL,
 *                     &overlapped);                      // ERROR_IO_PENDING: wait for overlapped
 *
 * The device is opened for overlapped I/O, so every DeviceIoControl needs an OVERLAPPED. A port
 * opened with libnetmap works as well: netmap_win_handle(d->fd) is its handle.
 *
 * Programs that are portable use poll() and ioctl() instead; see include/windows/netmap_posix.h.
 *
 * This header needs no other; the codes are for DeviceIoControl of <windows.h>.
 */
#ifndef NETMAP_WIN_H
#define NETMAP_WIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NETMAP_WIN_DEVICE_PATH "\\\\.\\netmap"

/*
 * Control codes of the device. All are METHOD_BUFFERED and need read and write access. A call whose
 * buffers have the wrong length fails with ERROR_INVALID_USER_BUFFER and changes nothing; calls
 * other than registering fail with ERROR_DEVICE_NOT_CONNECTED before the handle is bound to a port.
 */
#define NETMAP_WIN_DEVICE_TYPE  0x9C40u
#define NETMAP_WIN_CODE(number) ((NETMAP_WIN_DEVICE_TYPE << 16) | (3u << 14) | ((number) << 2))

/*
 * What NIOCTXSYNC and NIOCRXSYNC do: hand over the frames of all tx rings, look for new ones in
 * all rx rings. Buffers are neither needed nor looked at. ERROR_INVALID_PARAMETER: a ring held
 * nonsense and was reset.
 */
#define NETMAP_WIN_TXSYNC NETMAP_WIN_CODE(0x901u)
#define NETMAP_WIN_RXSYNC NETMAP_WIN_CODE(0x902u)

/*
 * Wait until the port is ready. In: struct netmap_win_poll. Out: struct netmap_win_poll_reply.
 * Does the syncs that poll() does. The request stays pending until one of the events is there, the
 * time is over (success, with no event), it is cancelled (CancelIoEx), or the handle is closed; the
 * latter two give ERROR_OPERATION_ABORTED. Any number may wait on one handle.
 */
#define NETMAP_WIN_POLL NETMAP_WIN_CODE(0x903u)

#define NETMAP_WIN_READABLE   1u
#define NETMAP_WIN_WRITABLE   2u
#define NETMAP_WIN_POLL_ERROR 4u

struct netmap_win_poll {
    uint32_t wanted;    /* NETMAP_WIN_READABLE, NETMAP_WIN_WRITABLE; errors are always reported */
    int32_t timeout_ms; /* -1: for ever; 0: do not wait */
};

struct netmap_win_poll_reply {
    uint32_t ready; /* 0: the time is over */
    uint32_t reserved;
};

/*
 * Map the port's memory region into the calling process, which must be the one that registered the
 * handle (else ERROR_ACCESS_DENIED). No input. Out: struct netmap_win_map. All handles that a
 * process has on one region get the same address; the mapping goes away when the last of them is
 * closed, and cannot be unmapped before.
 */
#define NETMAP_WIN_MAP NETMAP_WIN_CODE(0x904u)

struct netmap_win_map {
    uint64_t address;
    uint64_t size; /* bytes: nr_memsize of the registration */
};

/* ---- functions, in libnetmap; a void pointer to the system's object is a HANDLE ---- */

struct nmreq_header;

/* A handle bound to nothing, for CloseHandle(). INVALID_HANDLE_VALUE with GetLastError() when it
 * cannot be had; netmap_last_message() (netmap_posix.h) has the remedy. */
void *netmap_win_open(void);

/* Execute a request (net/netmap.h) and wait for its end. 0, or an errno value; body, options and
 * their statuses are written back, and netmap_last_message() has the host's message. */
int netmap_win_control(void *device, struct nmreq_header *header);

/* The handle behind a descriptor of open("/dev/netmap") or libnetmap; INVALID_HANDLE_VALUE when it
 * is none. It belongs to the descriptor: do not close it. */
void *netmap_win_handle(int fd);

#ifdef __cplusplus
}
#endif

#endif
