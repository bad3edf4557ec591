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
    bool served; /* its tx rings are the worker's */
};

/* The worker's lists (hosts/linux/netmapd/worker.c); under the worker's lock. */
struct nm_kring;
struct nm_os_ring {
    struct nm_kring *next;       /* tx: in the list of active rings */
    bool active;                 /* tx: polled by the worker; otherwise its door is armed */
};

struct nm_os_handle {
    char unused;
};

#endif
