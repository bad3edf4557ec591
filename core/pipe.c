/* Pipes on the host's side: lanes, repair, and the exchange for hosts without doors. */
#include "core/pipe.h"
#include "core/region.h"

struct nm_kring *nm_pipe_peer(const struct nm_kring *kring)
{
    struct nm_adapter *peer = kring->adapter->pipe->ends[!kring->adapter->pipe_role];

    return &peer->krings[!kring->direction][kring->id];
}

void nm_pipe_lane_init(struct nm_pipe_lane *lane, const struct nm_kring *tx)
{
    const struct nm_kring *rx = nm_pipe_peer(tx);
    struct nm_region *region = tx->adapter->region;

    lane->tx = tx->ring->slot;
    lane->rx = rx->ring->slot;
    /* A pipe's tx ring has no use for its door's head: the receiver's door counts for both. */
    lane->journal = tx->door != NULL ? (uint32_t *)(void *)&tx->door->head
                                     : (uint32_t *)(uintptr_t)&tx->journal;
    lane->owners = nm_region_owners(region);
    lane->num_slots = tx->num_slots;
    lane->num_buffers = tx->num_buffers;
    lane->buffer_size = tx->buffer_size;
    lane->own_tag = tx->adapter->owner_tag;
    lane->peer_tag = rx->adapter->owner_tag;
}

uint64_t nm_pipe_door_frames(const struct nm_kring *kring)
{
    const struct nm_kring *rx = kring->direction == NM_RX ? kring : nm_pipe_peer(kring);

    return nm_load64(&rx->door->tail);
}

int nm_pipe_txsync(struct nm_kring *kring, uint32_t head)
{
    struct nm_kring *peer = nm_pipe_peer(kring);
    uint32_t wanted = nm_ring_distance(kring->hwcur, head, kring->num_slots), space, moved;
    enum nm_pipe_fault fault = NM_PIPE_GOOD;
    struct nm_pipe_lane lane;
    int error = 0;

    nm_os_lock(&peer->lock);
    space = nm_kring_rx_space(peer);
    nm_pipe_lane_init(&lane, kring);
    moved = nm_pipe_move(&lane, kring->hwcur, wanted < space ? wanted : space, &fault);
    if (moved > 0) {
        kring->hwcur = nm_ring_advance(kring->hwcur, moved, kring->num_slots);
        kring->counters.frames += moved;
        peer->counters.frames += moved;
        nm_kring_publish(peer, nm_ring_advance(peer->hwtail, moved, peer->num_slots));
        space -= moved;
    }
    if (fault != NM_PIPE_GOOD) {
        nm_kring_drop(kring, fault == NM_PIPE_BAD_TX ? NM_DROP_BAD_SLOT : NM_DROP_RX_SLOT, 1);
        nm_kring_fault(kring);
        error = NM_EINVAL;
    }
    nm_store32_release(&kring->hwtail, nm_ring_advance(kring->hwcur, space, kring->num_slots));
    nm_os_unlock(&peer->lock);
    return error;
}

void nm_pipe_end_closed(struct nm_adapter *adapter)
{
    for (uint32_t i = 0; i < adapter->geometry.num_rings[NM_TX]; i++) {
        struct nm_pipe_lane lane;

        nm_pipe_lane_init(&lane, &adapter->krings[NM_TX][i]);
        if (nm_pipe_repair(&lane) > 1)
            nm_os_log(NM_LOG_WARNING, "%s: ring %u was full of nonsense when its program ended",
                      adapter->name, i);
    }
}
