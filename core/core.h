/*
 * The core's objects and what a host calls. See docs/architecture.md for the shape of the house.
 *
 * Locks, in the order they are taken:
 *   core->control      (mutex, PASSIVE)  everything that creates, binds or deletes
 *   tx kring->lock     (lock, ANY)       one sync of one tx ring
 *   rx kring->lock     (lock, ANY)       one batch into, or one sync of, one rx ring
 * A tx lock may be held while an rx lock is taken (forwarding), never the reverse, never two of
 * one kind. Readers of a switch's port table take none: they are inside an epoch (core/epoch.h).
 */
#ifndef NM_CORE_CORE_H
#define NM_CORE_CORE_H

#include "core/compiler.h"
#include "core/door.h"
#include "core/epoch.h"
#include "core/errors.h"
#include "core/os.h"
#include "core/request.h"

#define NM_TX 0
#define NM_RX 1

#define NM_NAME_SIZE     64  /* NETMAP_REQ_IFNAMSIZ */
#define NM_MAX_RINGS     256 /* per direction: pipes; VALE ports have at most NM_VALE_RINGS */
#define NM_MIN_SLOTS     2
#define NM_MAX_SLOTS     4096
#define NM_VALE_RINGS    16
#define NM_VALE_PORTS    254 /* per switch */
#define NM_PIPES         64  /* per parent */
#define NM_MAX_EXTRA     (1u << 17) /* extra buffers of one descriptor; chaining touches each */
#define NM_REGION_GLOBAL 1   /* nr_mem_id of the region that NICs share */

struct nm_core;
struct nm_region;
struct nm_switch;
struct nm_pipe;

/* What is allocated, counted by kind; all counts are zero after nm_core_stop. */
enum nm_memory_kind {
    NM_MEM_HANDLE,
    NM_MEM_ADAPTER,
    NM_MEM_KRING,
    NM_MEM_REGION,
    NM_MEM_SWITCH,
    NM_MEM_PIPE,
    NM_MEM_SCRATCH,
    NM_MEM_SEGMENT, /* counted in segments and their bytes */
    NM_MEM_KINDS
};

/* Causes of drops, as the public header names them. */
#define nm_drop_cause       netmap_drop_cause
#define NM_DROP_SHORT       NETMAP_DROP_SHORT
#define NM_DROP_BAD_SLOT    NETMAP_DROP_BAD_SLOT
#define NM_DROP_BAD_CHAIN   NETMAP_DROP_BAD_CHAIN
#define NM_DROP_FULL        NETMAP_DROP_FULL
#define NM_DROP_NO_PORT     NETMAP_DROP_NO_PORT
#define NM_DROP_RX_SLOT     NETMAP_DROP_RX_SLOT
#define NM_DROP_UNSUPPORTED NETMAP_DROP_UNSUPPORTED
#define NM_DROP_CAUSES      NETMAP_DROP_CAUSES

/* Written under the ring's lock, read by anybody at any time (64-bit loads are atomic). */
struct nm_ring_counters {
    uint64_t frames;                 /* tx: taken from the program; rx: delivered to it */
    uint64_t bytes;
    uint64_t drops[NM_DROP_CAUSES];  /* tx: by the sender's fault or for want of a destination;
                                        rx: frames meant for this ring that it had no room for */
    uint64_t resets;                 /* head or cur out of range */
};

/* Tunables, one set per core; see facts in docs/. Set before nm_core_start or through requests. */
struct nm_config {
    uint32_t vale_slots;      /* slots of a VALE or pipe ring when the request says 0 */
    uint32_t max_bridges;     /* switches, 1..64 */
    uint32_t bridge_batch;    /* frames forwarded in one go */
    uint32_t default_pipes;   /* pipes a private region keeps room for */
    uint32_t buf_size;        /* bytes of a buffer of a private region: multiple of 64, 64..65535 */
    uint32_t if_num;          /* netmap_if objects of a private region */
    uint64_t max_region;      /* bytes of one region at most */
    uint64_t max_memory;      /* bytes of all regions together at most */
    bool doors;               /* the host drives rings through doors (Linux) */
    uint32_t verbose;
};
void nm_config_defaults(struct nm_config *config);

enum nm_port_kind {
    NM_PORT_VALE,   /* a port of a switch */
    NM_PORT_PARENT, /* stands in for the missing parent of a pipe; has a region and no rings */
    NM_PORT_PIPE,   /* one end of a pipe */
};

/* One ring as the host sees it. Everything here is private to the host. */
struct nm_kring {
    /* Set when the rings are created. */
    struct nm_adapter *adapter;
    struct netmap_ring *ring; /* the host's view of shared memory: hostile */
    struct nm_door *door;     /* likewise; NULL on hosts without doors */
    uint8_t *buffers;         /* buffer 0, host's view */
    uint32_t buffer_size;     /* bytes */
    uint32_t num_buffers;     /* indices 2 .. num_buffers - 1 are valid */
    uint32_t num_slots;
    uint32_t ring_object;     /* index of the ring (and door) in the region's pools */
    uint32_t held;            /* buffers that belong to the ring: one per slot */
    uint16_t id;              /* within the adapter and direction */
    uint8_t direction;        /* NM_TX or NM_RX */
    uint16_t users;           /* descriptors bound to it; control lock */
    bool exclusive;           /* control lock */

    /* Under lock, except that the indices are published with release stores and may be read with
     * acquire loads by the other side: hwcur by whoever consumes, hwtail by whoever fills. */
    NM_ALIGNED(128) struct nm_os_lock lock;
    uint32_t hwcur;      /* first slot the program has not given to the host yet */
    uint32_t hwtail;     /* first slot that belongs to the host */
    uint32_t shown_tail; /* no doors: the tail the program has been shown */
    uint64_t head_count; /* doors: door->head up to which hwcur has advanced */
    uint64_t tail_count; /* doors: what door->tail says */
    uint64_t faults;     /* bad slots, counts and indices met */
    uint64_t faults_reported; /* no doors: up to which a sync has said so */
    struct nm_ring_counters counters;
    uint32_t journal[NM_JOURNAL_SLOTS]; /* pipes without doors: see core/pipe_exchange.h */
    uint32_t held_first, held_slots; /* scratch of nm_pipe_end_closed; control lock */
    struct nm_forward *forward; /* VALE tx rings: scratch memory of the forwarder */
    struct nm_os_ring os;
};

struct nm_ring_geometry {
    uint32_t num_rings[2];
    uint32_t num_slots[2];
};

struct nm_adapter {
    struct nm_adapter *next; /* in core->adapters; control lock */
    struct nm_core *core;
    char name[NM_NAME_SIZE];
    enum nm_port_kind kind;
    uint32_t references;     /* control lock: handles, a lookup, pipes on their parent */
    uint32_t active;         /* control lock: descriptors that have its rings bound */
    struct nm_ring_geometry geometry;
    struct nm_kring *krings[2]; /* arrays; NULL while not active */
    struct nm_region *region;   /* one reference */
    uint32_t bell; /* index into the region's bells, while active; doors only */
    /* VALE */
    struct nm_switch *bridge; /* one reference */
    uint16_t port_index;      /* while attached */
    bool attached;            /* in the switch's table of ports */
    /* pipes */
    struct nm_adapter *parent; /* of a pipe end: one reference */
    struct nm_pipe *pipe;
    uint8_t pipe_role;         /* NM_PIPE_MASTER or NM_PIPE_SLAVE */
    uint16_t owner_tag;        /* of a pipe end, while its rings exist; see core/region.h */
    uint32_t num_pipes;        /* of a parent */
    struct nm_os_adapter os;
};

/* One open of /dev/netmap. The host embeds nothing in it but os. */
struct nm_handle {
    struct nm_core *core;
    struct nm_handle *next; /* in core->handles; control lock */
    struct nm_adapter *adapter; /* NULL until REGISTER */
    struct netmap_if *netmap_if; /* host's view */
    uint32_t if_object;
    uint16_t first_ring[2];
    uint16_t end_ring[2];       /* one past the last bound ring; equal to first_ring: none */
    uint32_t mode;              /* NR_REG_* */
    uint64_t flags;             /* NR_* */
    uint32_t num_extra;         /* extra buffers it was given */
    char message[NM_REQUEST_MESSAGE]; /* of the request in progress; control lock */
    struct nm_os_handle os;
};

struct nm_core {
    struct nm_config config;
    struct nm_os_mutex control;
    struct nm_epoch epoch;
    struct nm_adapter *adapters;
    struct nm_handle *handles;
    struct nm_region *regions;
    struct nm_switch **switches; /* config.max_bridges entries */
    uint16_t last_region_id;
    uint64_t region_bytes;
    uint64_t memory_count[NM_MEM_KINDS];
    uint64_t memory_bytes[NM_MEM_KINDS];
    bool started;
};

/* ---- life of the core (core/core.c) ---- */

/* Start a core in caller-provided, zeroed memory. 0 or NM_ENOMEM. PASSIVE. */
int nm_core_start(struct nm_core *core, const struct nm_config *config);

/* Stop: every handle must be closed. Returns the number of allocations still alive (a bug when not
 * zero; each kind is logged). Safe after a failed or missing start. PASSIVE. */
uint64_t nm_core_stop(struct nm_core *core);

/* ---- descriptors (core/handle.c, core/control.c) ---- */

/* A new descriptor, bound to nothing; NULL when out of memory. PASSIVE. */
struct nm_handle *nm_handle_open(struct nm_core *core);

/* Close: frames committed before are delivered, then everything the descriptor held is released.
 * The host guarantees that no other call on this handle is running. PASSIVE. */
void nm_handle_close(struct nm_handle *handle);

/*
 * Execute a request in place; request->error and message hold the outcome, which is also returned.
 * received is the number of bytes the program really sent; everything in the buffer is checked
 * against it. The buffer must be private to the host (the program cannot change it meanwhile) and
 * have room for a whole struct nm_request. PASSIVE.
 */
int nm_control(struct nm_handle *handle, struct nm_request *request, size_t received);

/* ---- data path (core/sync.c); hosts whose rings have no doors ---- */

/* NIOCTXSYNC / NIOCRXSYNC on all rings the handle has bound. 0, NM_ENXIO when bound to no port,
 * NM_EINVAL when a ring had to be reset. ANY level; any number of threads. */
int nm_handle_txsync(struct nm_handle *handle);
int nm_handle_rxsync(struct nm_handle *handle);

/* What poll would report right now, after the implicit syncs that NR_NO_TX_POLL and NR_DO_RX_POLL
 * ask for: a set of NM_READABLE, NM_WRITABLE, NM_POLL_ERROR out of those wanted (error always).
 * It never waits: the host pends the request, calls again after nm_os_ring_wake, and so on. ANY. */
#define NM_READABLE   1u
#define NM_WRITABLE   2u
#define NM_POLL_ERROR 4u
unsigned nm_handle_poll(struct nm_handle *handle, unsigned wanted);

/* ---- data path (core/sync.c); hosts with doors ---- */

/* Process what the program has published on a tx ring of a VALE port, at most budget slots.
 * Returns the number of slots taken (0: nothing pending). ANY. */
uint32_t nm_kring_run(struct nm_kring *kring, uint32_t budget);

/* ---- regions as hosts hand them to programs (core/region.h has the rest) ---- */

/* The segment that holds the port's memory, and the bytes a program may map (nr_memsize); doors
 * and bells follow after them. NULL before REGISTER. */
struct nm_os_segment *nm_handle_segment(const struct nm_handle *handle, uint64_t *memsize,
                                        uint64_t *total_size);

/* ---- memory, counted (core/core.c). PASSIVE ---- */
void *nm_alloc(struct nm_core *core, size_t size, enum nm_memory_kind kind);
void nm_free(struct nm_core *core, void *memory, size_t size, enum nm_memory_kind kind);

/* Record a message for the request in progress and pass the error on: return nm_fail(...). */
int nm_fail(struct nm_handle *handle, int error, const char *format, ...) NM_PRINTF(3, 4);

#endif
