/*
 * What netmapd and its clients say to each other over a SOCK_SEQPACKET connection.
 *
 * One connection is one open of /dev/netmap: the descriptor a program holds is the socket, so
 * dup, fork and passing it on work as for any descriptor, and the last close releases everything,
 * even after SIGKILL. Each message is a struct nm_message, then `size` bytes of payload.
 */
#ifndef NM_LINUX_PROTOCOL_H
#define NM_LINUX_PROTOCOL_H

#include "core/request.h"

#define NM_PROTOCOL_VERSION 1u

enum nm_message_type {
    NM_MSG_HELLO = 1, /* to netmapd: a version (uint32_t). Answer: the same, netmapd's */
    NM_MSG_REQUEST,   /* to netmapd: a struct nm_request. Answer: the same, executed; after a
                         request that bound the descriptor, an NM_MSG_ATTACH follows */
    NM_MSG_ATTACH,    /* to netmapd: empty. Answer: a struct nm_attach, with two descriptors: the
                         region's memory and the eventfd that wakes netmapd's worker */
};

struct nm_message {
    uint32_t type;
    uint32_t size;
};

/* The two objects that belong to a bound ring: its own and, for pipes, the peer's on the other
 * side of the lane (tx: the peer's rx ring; rx: the peer's tx ring). */
struct nm_attach_ring {
    uint32_t object;
    uint32_t peer_object;
};

#define NM_ATTACH_VALE 1u
#define NM_ATTACH_PIPE 2u

/* All a client edge needs to drive the rings of a bound descriptor. Offsets are from the start of
 * the region's memory. The edge believes this and never the copies in shared memory. */
struct nm_attach {
    uint32_t kind;        /* NM_ATTACH_VALE or NM_ATTACH_PIPE */
    uint32_t num_buffers;
    uint32_t buffer_size;
    uint32_t ring_size;
    uint64_t memsize;     /* what the program maps */
    uint64_t total_size;  /* of the memory, doors included */
    uint64_t ring_offset, door_offset, bell_offset, owner_offset;
    uint64_t flags;       /* NR_* of the REGISTER */
    uint32_t num_slots[2];
    uint32_t bell, peer_bell; /* objects */
    uint16_t own_tag, peer_tag;
    uint16_t first_ring[2];
    uint16_t num_rings[2]; /* bound */
    char name[64];
    struct nm_attach_ring rings[]; /* bound tx rings, then bound rx rings */
};

#define NM_MESSAGE_MAX                                                                             \
    (sizeof(struct nm_message) + sizeof(struct nm_attach) + 512 * sizeof(struct nm_attach_ring) + \
     sizeof(struct nm_request))

/* Where instances live, below their directory. */
#define NM_SYSTEM_DIRECTORY "/run/netmap"
#define NM_SOCKET_NAME      "netmap.sock"
#define NM_GROUP            "netmap"

#endif
