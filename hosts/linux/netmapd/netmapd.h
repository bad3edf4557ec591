/*
 * netmapd: the user-space host. One control thread serves the connections (server.c), one worker
 * moves frames between VALE ports (worker.c).
 *
 * The worker holds its lock except while it sleeps; the control thread takes the lock whenever it
 * changes what the worker can reach, and the worker lets it in at the end of each pass.
 */
#ifndef NM_NETMAPD_H
#define NM_NETMAPD_H

#include "core/core.h"

#include <sys/types.h>

struct netmapd_options {
    char directory[96];      /* holds the socket, the lock and the log */
    bool system;             /* the system instance: group, permissions */
    bool foreground;
    unsigned idle_ms;        /* leave after that long without a descriptor; 0: stay */
    unsigned verbose;
    int ready_fd;            /* closed when connections are accepted; -1 for none */
};

/* Serve until idle, SIGTERM or SIGINT (netmapd_stop in a test). Returns an exit status:
 * 0; 1 could not start; 3 something was not released (a bug). */
int netmapd_run(const struct netmapd_options *options);
/* Ask a running netmapd_run of this process to end. Async-signal-safe. */
void netmapd_stop(void);

/* ---- worker.c ---- */
int worker_start(void);
void worker_stop(void);

/* Watch an eventfd through which a client wakes the worker for one served adapter. Returns a
 * number for worker_unwatch, -1 when out of memory. */
int worker_watch(int event_fd, struct nm_adapter *adapter);
void worker_unwatch(int watch);

/* The worker is outside the data path between these. Not recursive. */
void worker_pause(void);
void worker_resume(void);

/* ---- os.c ---- */
struct segment_view {
    int fd;        /* a sealed memfd */
    uint64_t size;
};
void os_segment_view(const struct nm_os_segment *segment, struct segment_view *view);
void os_log_open(const char *path, unsigned verbose); /* NULL: stderr */

#endif
