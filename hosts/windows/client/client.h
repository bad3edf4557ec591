/*
 * The client edge: netmap descriptors on top of DeviceIoControl. Inside of it only; programs see
 * include/windows/netmap_posix.h and include/netmap_win.h.
 *
 * Every function may be called by any number of threads.
 */
#ifndef NM_WINDOWS_CLIENT_H
#define NM_WINDOWS_CLIENT_H

#include <stdint.h>

#include <windows.h>

#include "core/compiler.h"

/* At most this many descriptors in one poll: what WaitForMultipleObjects can wait for. */
#define NM_CLIENT_POLL_MAX MAXIMUM_WAIT_OBJECTS

/* ---- error.c: errno and messages ---- */

/* A number of core/errors.h as the C library numbers it. */
int nm_client_errno(int error);

/* Likewise a Windows error, from the driver (hosts/windows/netmap/status.c) or the system. */
int nm_client_errno_of_system(DWORD system_error);

/* The calling thread's message, which netmap_last_message returns. */
void nm_client_message(const char *format, ...) NM_PRINTF(1, 2);

/* Set errno and return -1. */
int nm_client_fail(int error_number);

/* ---- thread.c: what a thread keeps ---- */

struct nm_client_thread {
    char message[256];
    HANDLE events[NM_CLIENT_POLL_MAX]; /* manual reset; made when first needed */
};

/* Never NULL: a thread for which there is no memory shares one that belongs to nobody. */
struct nm_client_thread *nm_client_thread(void);

/* The thread's event number index; NULL when the system has none left. */
HANDLE nm_client_event(unsigned index);

/* ---- device.c: the device ---- */

/* INVALID_HANDLE_VALUE, errno and a message on failure. */
HANDLE nm_client_device_open(void);

/* One control code, waiting for its end. 0 or a Windows error; *written is the reply's length. */
DWORD nm_client_device_call(HANDLE device, DWORD code, const void *in, size_t in_size, void *out,
                            size_t out_size, DWORD *written);

/* ---- table.c: descriptors ---- */

struct nm_client_descriptor {
    HANDLE device;
    LONG references; /* one of the table, one per call in progress */
    LONG closed;     /* taken out of the table */
};

/* A new descriptor that owns the device handle; -1 and errno when there are too many. */
int nm_client_add(HANDLE device);

/* Use a descriptor; NULL when fd is none. Put ends the use. */
struct nm_client_descriptor *nm_client_get(int fd);
void nm_client_put(struct nm_client_descriptor *descriptor);

/* Take it out of the table; calls that wait on it return. False when fd is none. */
bool nm_client_remove(int fd);

#endif
