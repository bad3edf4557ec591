/*
 * Pipes: two ports that are the two ends of one wire, in the region of their parent.
 * The rings of both ends exist while either end is open, so frames wait for a peer that is not
 * there yet, or not any more; a full ring holds the sender back.
 */
#ifndef NM_CORE_PIPE_H
#define NM_CORE_PIPE_H

#include "core/core.h"
#include "core/pipe_exchange.h"

struct nm_pipe {
    struct nm_core *core;
    struct nm_adapter *parent;  /* one reference */
    struct nm_adapter *ends[2]; /* by role; they live and die together */
    char id[NM_NAME_SIZE];
};

/* The lane on which a tx ring of a pipe end sends. Control lock, or the tx ring's lock. */
void nm_pipe_lane_init(struct nm_pipe_lane *lane, const struct nm_kring *tx);

/* The ring on the other side: of a tx ring the peer's rx ring, and the reverse. */
struct nm_kring *nm_pipe_peer(const struct nm_kring *kring);

/* Hosts with doors: frames that have gone through a ring, as its receiver's door counts them. */
uint64_t nm_pipe_door_frames(const struct nm_kring *kring);

/* Hosts without doors: send up to head; move the tail of a tx ring. Returns an error number.
 * ANY; the tx ring's lock held. */
int nm_pipe_txsync(struct nm_kring *kring, uint32_t head);

/* A descriptor on a pipe end is being closed: complete the exchange its program may have left half
 * done on a tx ring that nobody else has bound. Control lock. */
void nm_pipe_repair_rings(struct nm_handle *handle);

/*
 * Mark the buffers that the sender into this rx ring may be exchanging at this moment, NM_BUF_LIVE,
 * without missing one. Of the slots that the rx ring's program holds (held_slots) only the sender's
 * side is marked. Control lock.
 */
void nm_pipe_mark_lane(const struct nm_kring *rx);

/* The last descriptor that had this end open is gone, and what it held has been given back: no
 * buffer may be in two places, and none lost, while the other end lives on. Control lock. */
void nm_pipe_end_closed(struct nm_adapter *adapter);

#endif
