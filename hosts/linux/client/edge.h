/*
 * The client edge on Linux: what makes a socket to netmapd behave as a descriptor of /dev/netmap.
 *
 * It lives in the program's process. It packs requests, maps regions, and drives the rings of its
 * descriptors: for a VALE port through the doors to netmapd, for a pipe by exchanging slots with
 * the peer itself. Every function returns 0 or a positive Linux error number.
 */
#ifndef NM_LINUX_EDGE_H
#define NM_LINUX_EDGE_H

#include "core/pipe_exchange.h"
#include "hosts/linux/protocol.h"

#include <pthread.h>

struct edge_ring {
    struct netmap_ring *ring;
    struct nm_door *door;
    struct nm_door *peer_door; /* pipe tx: the door of the peer's rx ring */
    struct nm_pipe_lane lane;  /* pipe tx */
    uint32_t num_slots;
    /* Our own view, never read back from memory the program can write. */
    uint32_t hwcur, hwtail;
    uint64_t head_count; /* VALE tx: published; rx: released; pipe tx: filled */
    uint64_t tail_count; /* VALE tx: reclaimed; rx: filled; pipe tx: released by the peer */
    uint64_t faults;
    uint32_t last_batch; /* slots at the last look that found any: a busy ring gets a window */
};

/* One mapping of a region, shared by what maps it: the edge itself and the program's mmap. */
struct edge_map {
    uint8_t *base;
    uint64_t total_size;
    uint64_t memsize;
    uint32_t references; /* the edge while open, plus one per mmap; under the edge's table lock */
};

#define EDGE_DIRECTORY 96 /* bytes, as in a socket's address with the socket's name */

struct edge {
    int fd;
    char directory[EDGE_DIRECTORY]; /* of the instance */
    pthread_mutex_t lock; /* rings and requests; not held while asleep */
    bool bound;
    bool dead;            /* netmapd has gone */
    int event_fd;
    uint32_t calls;       /* syncs so far; every so many look whether netmapd is still there */
    uint32_t kind;        /* NM_ATTACH_* */
    uint64_t flags;       /* NR_* */
    char name[64];
    struct edge_map *map;
    struct nm_bell *bell, *peer_bell;
    struct edge_ring *rings[2];
    uint32_t num_rings[2];
};

/* ---- connect.c ---- */
/* Connect to the instance this process is to use, starting it if need be; says which it is. */
int edge_connect(int *fd, char directory[EDGE_DIRECTORY]);
/* Wait until the instance has served everything it was told before, the end of a descriptor
 * included: netmapd takes events in the order they came. No error when it is gone. */
void edge_wait_served(const char *directory);

/* ---- edge.c ---- */
int edge_open(struct edge **edge);
/* Release everything but mappings the program still has; closes the descriptor. */
void edge_close(struct edge *edge);
int edge_control(struct edge *edge, struct nmreq_header *header);
int edge_legacy(struct edge *edge, enum nm_request_op op, struct nmreq *legacy);
int edge_counters(struct edge *edge, const char *port, bool is_tx, uint32_t ring,
                  struct netmap_counters *counters);
/* The region's address, valid until edge_unmap of it. */
int edge_mmap(struct edge *edge, size_t length, void **address);
/* False: not a mapping of ours. */
bool edge_munmap(void *address, size_t length, int *error);
/* Is netmapd still there? Marks the edge dead when not. */
bool edge_alive(struct edge *edge);

/* ---- message.c ---- */
void edge_message(const char *format, ...) NM_PRINTF(1, 2);
void edge_message_clear(void);

/* ---- sync.c; edge->lock held ---- */
void edge_rings_init(struct edge *edge, const struct nm_attach *attach);
/* Publish what the program has put into a tx ring and refresh its tail. `flush` wakes whoever
 * handles it even when it asked for more. NM_EINVAL after a reset of the ring. */
int edge_ring_txsync(struct edge *edge, struct edge_ring *ring, bool flush);
int edge_ring_rxsync(struct edge *edge, struct edge_ring *ring);
/* A VALE tx ring whose frames netmapd has not all taken yet. */
bool edge_ring_busy(const struct edge_ring *ring);
/* Slots the program may use beyond its cur. */
uint32_t edge_ring_ready(const struct edge_ring *ring);
void edge_wake_bell(struct nm_bell *bell);

/* ---- wait.c ---- */
/* NIOCTXSYNC with its barrier, NIOCRXSYNC. */
int edge_txsync(struct edge *edge);
int edge_rxsync(struct edge *edge);

struct edge_poll {
    struct edge *edge;
    short events;
    short revents;
    uint32_t armed; /* while waiting: the value of the bell to sleep on */
};
/* poll() over netmap descriptors alone. Returns the number with revents, 0 at the time-out, or
 * minus an error number (EINTR). timeout_ns < 0: for ever. */
int edge_poll(struct edge_poll *polls, unsigned number, int64_t timeout_ns);

/* The text of the last error of this thread, "" for none. Part of the library's interface. */
const char *netmap_last_message(void);

#endif
