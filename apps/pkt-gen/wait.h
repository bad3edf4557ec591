/*
 * Telling the host about our rings and waiting for it: the only part that differs between pkt-gen,
 * which sleeps in poll(), and pkt-gen-b, which asks again and again (BUSYWAIT).
 *
 * All return false when the worker cannot go on; they have said why and set worker->failed. True
 * promises nothing about the rings: the caller looks.
 */
#ifndef NM_PKT_GEN_WAIT_H
#define NM_PKT_GEN_WAIT_H

#include "apps/pkt-gen/worker.h"

extern const char program_name[];
extern const bool program_busy_waits;

/* Hands over what is in the tx rings, and waits until one has room, timeout_ms at most. */
bool wait_for_room(struct worker *worker, int timeout_ms);

/* Gives back what was read from the rx rings, and waits until one has frames. */
bool wait_for_frames(struct worker *worker, int timeout_ms);

/* Both at once; never wait. */
bool sync_tx(struct worker *worker);
bool sync_rx(struct worker *worker);

/*
 * Waits until the host has taken everything from the tx rings: as long as it takes something, but
 * not longer than patience_ms without any progress. Marks the end of the run where it was made.
 */
bool drain_tx(struct worker *worker, unsigned patience_ms);

static inline struct netmap_ring *tx_ring(const struct worker *worker, unsigned ring)
{
    return NETMAP_TXRING(worker->port->nifp, ring);
}

static inline struct netmap_ring *rx_ring(const struct worker *worker, unsigned ring)
{
    return NETMAP_RXRING(worker->port->nifp, ring);
}

/* Whether any rx ring has a frame. */
bool rx_has_frames(const struct worker *worker);

#endif
