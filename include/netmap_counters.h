/*
 * What a port's rings have counted: frames, bytes, and everything that was dropped, by cause.
 * Part of libnetmap on Linux and Windows; not part of the API that netmap has elsewhere.
 */
#ifndef NETMAP_COUNTERS_H
#define NETMAP_COUNTERS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why a frame was dropped, in the order of netmap_counters.drops. */
enum netmap_drop_cause {
    NETMAP_DROP_SHORT,       /* shorter than an Ethernet header (14 bytes) */
    NETMAP_DROP_BAD_SLOT,    /* length or buffer index out of range */
    NETMAP_DROP_BAD_CHAIN,   /* more than NETMAP_MAX_FRAGS slots, or unfinished at head */
    NETMAP_DROP_FULL,        /* no room in the destination's ring */
    NETMAP_DROP_NO_PORT,     /* no other port on the switch, or its ring is not bound */
    NETMAP_DROP_RX_SLOT,     /* the receiver's own slot held a bad buffer index */
    NETMAP_DROP_UNSUPPORTED, /* NS_INDIRECT that reached the host, and its like */
    NETMAP_DROP_CAUSES
};

#define NETMAP_DROPS_ROOM 16 /* of the array: causes to come */

/* Counted since the port's rings were made, that is since its first descriptor bound it. */
struct netmap_counters {
    uint64_t frames; /* tx: taken from the program; rx: delivered to it */
    uint64_t bytes;  /* likewise; 0 for pipes, whose frames nobody looks at */
    /* tx: by the sender's fault, or for want of a destination; rx: frames for this ring that were
     * lost on the way into it. By enum netmap_drop_cause. */
    uint64_t drops[NETMAP_DROPS_ROOM];
    uint64_t resets; /* times head or cur was out of range */
};

/*
 * Read the counters of one ring (tx when is_tx is not 0). fd is an open /dev/netmap descriptor;
 * port is a name as REGISTER takes it, or NULL for the port the descriptor is bound to.
 * 0, or -1 with errno: EINVAL no such ring, ENXIO no such port open, EIO netmapd ended.
 */
int netmap_get_counters(int fd, const char *port, int is_tx, unsigned ring,
                        struct netmap_counters *counters);

/* A word for a cause: "full"; "unknown" beyond the last. */
const char *netmap_drop_name(unsigned cause);

#ifdef __cplusplus
}
#endif

#endif
