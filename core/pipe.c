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
    lane->journal = tx->door != NULL ? tx->door->journal : (uint32_t *)(uintptr_t)tx->journal;
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

void nm_pipe_repair_rings(struct nm_handle *handle)
{
    struct nm_adapter *adapter = handle->adapter;

    for (uint32_t i = handle->first_ring[NM_TX]; i < handle->end_ring[NM_TX]; i++) {
        const struct nm_kring *kring = &adapter->krings[NM_TX][i];
        struct nm_pipe_lane lane;

        if (kring->users > 1)
            continue; /* somebody else may be sending at this moment */
        nm_pipe_lane_init(&lane, kring);
        if (nm_pipe_repair(&lane) > NM_JOURNAL_SLOTS)
            nm_os_log(NM_LOG_WARNING, "%s: ring %u was full of nonsense when its program ended",
                      adapter->name, i);
    }
}

/* Which slots of a dead end's rx ring the living end does not touch: filled, not given back. */
static void find_held_slots(struct nm_kring *kring)
{
    uint64_t head, filled;

    if (kring->door == NULL) {
        nm_os_lock(&kring->lock);
        kring->held_first = kring->hwcur;
        kring->held_slots = nm_ring_distance(kring->hwcur, kring->hwtail, kring->num_slots);
        nm_os_unlock(&kring->lock);
        return;
    }
    head = nm_load64(&kring->door->head);
    filled = nm_load64_acquire(&kring->door->tail) - head;
    kring->held_first = (uint32_t)(head % kring->num_slots);
    kring->held_slots = filled < kring->num_slots ? (uint32_t)filled : 0; /* else nonsense */
}

/* A buffer on its way from the rx ring to the tx ring is met in one of three places, read in this
 * order: it is in the journal while both slots show the buffer that goes the other way. */
void nm_pipe_mark_lane(const struct nm_kring *rx)
{
    const struct nm_adapter *sender = rx->adapter->pipe->ends[!rx->adapter->pipe_role];
    struct nm_region *region = rx->adapter->region;
    const struct nm_kring *tx;
    struct nm_pipe_lane lane;

    if (sender->active == 0)
        return; /* nobody sends, and the rings may be going */
    tx = &sender->krings[NM_TX][rx->id];
    nm_pipe_lane_init(&lane, tx);
    for (uint32_t i = 0; i < rx->num_slots; i++) {
        uint32_t before = nm_load32_acquire(&rx->ring->slot[i].buf_idx);
        uint32_t between = nm_load32_acquire(&lane.journal[i % NM_JOURNAL_SLOTS]);
        uint32_t after = nm_load32_acquire(&tx->ring->slot[i].buf_idx);

        nm_region_mark(region, after, NM_BUF_LIVE);
        if (nm_ring_distance(rx->held_first, i, rx->num_slots) < rx->held_slots)
            continue;
        nm_region_mark(region, before, NM_BUF_LIVE);
        if (before == after)
            nm_region_mark(region, between, NM_BUF_LIVE);
    }
}

static void mark_here(struct nm_region *region, struct netmap_slot *slot, uint16_t owner)
{
    (void)owner;
    nm_region_mark(region, nm_load32(&slot->buf_idx), NM_BUF_HERE);
}

/* Every slot that only the dead end could change: of its rx rings those it held, so that frames
 * that have arrived are the last to lose their buffer, then all of its tx rings. */
static void for_dead_slots(struct nm_adapter *end,
                           void (*what)(struct nm_region *, struct netmap_slot *, uint16_t))
{
    for (uint32_t r = 0; r < end->geometry.num_rings[NM_RX]; r++) {
        const struct nm_kring *kring = &end->krings[NM_RX][r];
        uint32_t at = kring->held_first;

        for (uint32_t i = 0; i < kring->held_slots; i++) {
            what(end->region, &kring->ring->slot[at], end->owner_tag);
            at = nm_ring_advance(at, 1, kring->num_slots);
        }
    }
    for (uint32_t r = 0; r < end->geometry.num_rings[NM_TX]; r++)
        for (uint32_t i = 0; i < end->krings[NM_TX][r].num_slots; i++)
            what(end->region, &end->krings[NM_TX][r].ring->slot[i], end->owner_tag);
}

/*
 * A program that moves buffers between slots of its own can be killed between two stores as well:
 * then one buffer is in two of its slots, and another, which carries the end's tag, in none.
 */
void nm_pipe_end_closed(struct nm_adapter *adapter)
{
    struct nm_region *region = adapter->region;

    if (adapter->pipe->ends[!adapter->pipe_role]->active == 0)
        return; /* the rings go too */
    for (uint32_t r = 0; r < adapter->geometry.num_rings[NM_RX]; r++)
        find_held_slots(&adapter->krings[NM_RX][r]);
    for (uint32_t r = 0; r < adapter->geometry.num_rings[NM_RX]; r++)
        nm_pipe_mark_lane(&adapter->krings[NM_RX][r]);
    nm_region_mark_others(region, adapter);
    for_dead_slots(adapter, mark_here);
    for_dead_slots(adapter, nm_region_place);
    nm_region_unmark(region);
    for (uint32_t r = 0; r < adapter->geometry.num_rings[NM_RX]; r++)
        adapter->krings[NM_RX][r].held_slots = 0;
}
