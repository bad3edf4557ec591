/* What netmapd keeps inside the core's objects. See core/os.h. */
#ifndef NM_OS_TYPES_H
#define NM_OS_TYPES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct nm_os_lock {
    pthread_mutex_t mutex;
};

struct nm_os_mutex {
    pthread_mutex_t mutex;
};

struct nm_os_adapter {
    bool started; /* its rings are the worker's */
};

/* Worker's lists; see hosts/linux/netmapd/worker.c. */
struct nm_kring;
struct nm_os_ring {
    struct nm_kring *next; /* in the worker's list of active rings */
    bool active;           /* polled by the worker; otherwise its door is armed */
    uint32_t idle_passes;
};

struct connection;
struct nm_os_handle {
    struct connection *connection;
};

#endif
