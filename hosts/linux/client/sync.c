/* Rings in the client: publishing, exchanging, refreshing. All of it under the edge's lock. */
#include "hosts/linux/client/edge.h"
#include "core/errors.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void edge_wake_bell(struct nm_bell *bell)
{
    if (nm_bell_ring(bell))
        syscall(SYS_futex, &bell->word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

/* Wake netmapd's worker for a door whose event it reached: the event is taken back first, so that
 * it is rung once. */
static void ring_netmapd(struct edge *edge, struct nm_door *door)
{
    uint64_t event = nm_load64(&door->head_event), one = 1;

    if (event != NM_EVENT_NEVER && nm_cas64(&door->head_event, event, NM_EVENT_NEVER))
        (void)!write(edge->event_fd, &one, sizeof(one));
}

/* ---- starting from what the doors say ---- */

static struct netmap_slot *slots_at(uint8_t *base, const struct nm_attach *attach, uint32_t object)
{
    uint64_t offset = attach->ring_offset + (uint64_t)object * attach->ring_size;

    return ((struct netmap_ring *)(void *)(base + offset))->slot;
}

static struct nm_door *door_at(uint8_t *base, const struct nm_attach *attach, uint32_t object)
{
    return (struct nm_door *)(void *)(base + attach->door_offset) + object;
}

static void init_lane(struct edge_ring *ring, uint8_t *base, const struct nm_attach *attach,
                      const struct nm_attach_ring *place)
{
    struct nm_pipe_lane *lane = &ring->lane;

    lane->tx = slots_at(base, attach, place->object);
    lane->rx = slots_at(base, attach, place->peer_object);
    lane->journal = ring->door->journal;
    lane->owners = (uint16_t *)(void *)(base + attach->owner_offset);
    lane->num_slots = ring->num_slots;
    lane->num_buffers = attach->num_buffers;
    lane->buffer_size = attach->buffer_size;
    lane->own_tag = attach->own_tag;
    lane->peer_tag = attach->peer_tag;
}

/* Counts run from 0 at slot 0, so a count tells its slot: the only division, once per open. */
static void init_counts(struct edge_ring *ring, int direction)
{
    uint64_t head, tail, n = ring->num_slots;

    if (ring->peer_door != NULL) { /* pipe tx: our side fills, the peer's releases */
        head = nm_load64_acquire(&ring->peer_door->tail);
        tail = nm_load64_acquire(&ring->peer_door->head);
    } else {
        head = nm_load64_acquire(&ring->door->head);
        tail = nm_load64_acquire(&ring->door->tail);
    }
    ring->head_count = head;
    ring->tail_count = tail;
    ring->hwcur = (uint32_t)(head % n);
    ring->hwtail = (uint32_t)(direction == NM_TX ? (tail + n - 1) % n : tail % n);
    ring->faults = nm_load64(&ring->door->faults);
    nm_store32(&ring->ring->tail, ring->hwtail);
}

void edge_rings_init(struct edge *edge, const struct nm_attach *attach)
{
    uint8_t *base = edge->map->base;
    uint32_t at = 0;

    edge->kind = attach->kind;
    edge->flags = attach->flags;
    memcpy(edge->name, attach->name, sizeof(edge->name));
    edge->bell = (struct nm_bell *)(void *)(base + attach->bell_offset) + attach->bell;
    edge->peer_bell = (struct nm_bell *)(void *)(base + attach->bell_offset) + attach->peer_bell;
    for (int direction = 0; direction < 2; direction++) {
        edge->num_rings[direction] = attach->num_rings[direction];
        for (uint32_t i = 0; i < edge->num_rings[direction]; i++) {
            struct edge_ring *ring = &edge->rings[direction][i];
            const struct nm_attach_ring *place = &attach->rings[at++];

            ring->ring = (struct netmap_ring *)(void *)(base + attach->ring_offset +
                                                        (uint64_t)place->object *
                                                            attach->ring_size);
            ring->door = door_at(base, attach, place->object);
            ring->num_slots = attach->num_slots[direction];
            if (attach->kind == NM_ATTACH_PIPE && direction == NM_TX) {
                ring->peer_door = door_at(base, attach, place->peer_object);
                init_lane(ring, base, attach, place);
            }
            init_counts(ring, direction);
        }
    }
}

/* ---- the program's words ---- */

static int reset(struct edge_ring *ring)
{
    nm_store32(&ring->ring->head, ring->hwcur);
    nm_store32(&ring->ring->cur, ring->hwcur);
    nm_store32(&ring->ring->tail, ring->hwtail);
    return NM_EINVAL;
}


/* Our side of the ring may have moved without us: another process that shares the descriptor, or
 * another descriptor on the same ring. Its published count says how far. */
static void follow_own_side(struct edge_ring *ring, const uint64_t *own_count)
{
    uint64_t count = nm_load64(own_count), moved = count - ring->head_count;

    if (NM_LIKELY(moved == 0))
        return;
    ring->hwcur = moved < ring->num_slots
                      ? nm_ring_advance(ring->hwcur, (uint32_t)moved, ring->num_slots)
                      : (uint32_t)(count % ring->num_slots);
    ring->head_count = count;
}

/* Let hwtail follow the other side's count; a nonsensical one is ignored. */
static void follow_other_side(struct edge_ring *ring, const uint64_t *other_count, uint32_t room)
{
    uint64_t count = nm_load64_acquire(other_count), moved = count - ring->tail_count;

    if (NM_LIKELY(moved <= room)) {
        ring->hwtail = nm_ring_advance(ring->hwtail, (uint32_t)moved, ring->num_slots);
        ring->tail_count = count;
    }
}

/* Read head and cur once each; 0, or NM_EINVAL after a reset. Beyond the tail we know there may be
 * slots that another descriptor on the same ring has shown the program: look before judging. */
static int fetch_head(struct edge_ring *ring, uint32_t *head, const uint64_t *other_count,
                      uint32_t room)
{
    uint32_t cur = nm_load32(&ring->ring->cur);

    *head = nm_load32_acquire(&ring->ring->head);
    if (NM_LIKELY(nm_ring_indices_valid(*head, cur, ring->hwcur, ring->hwtail, ring->num_slots)))
        return 0;
    follow_other_side(ring, other_count, room);
    if (nm_ring_indices_valid(*head, cur, ring->hwcur, ring->hwtail, ring->num_slots))
        return 0;
    nm_store64(&ring->door->resets, nm_load64(&ring->door->resets) + 1);
    return reset(ring);
}

static void show_tail(struct edge_ring *ring)
{
    nm_store32_release(&ring->ring->tail, ring->hwtail);
}

/* The host met a bad slot of ours since we last looked. */
static int check_faults(struct edge_ring *ring)
{
    uint64_t faults = nm_load64(&ring->door->faults);

    if (NM_LIKELY(faults == ring->faults))
        return 0;
    ring->faults = faults;
    return reset(ring);
}

/* tx: slots given away and not yet back; never more than the ring has. */
static uint32_t outstanding(const struct edge_ring *ring)
{
    uint64_t used = ring->head_count - ring->tail_count;

    return used < ring->num_slots ? (uint32_t)used : ring->num_slots - 1;
}

/* Give the slots before head to the other side, through the ring's own door. True when that side
 * asked to be woken for them. */
static bool publish_head(struct edge_ring *ring, uint32_t head)
{
    uint32_t number = nm_ring_distance(ring->hwcur, head, ring->num_slots);

    if (number == 0)
        return false;
    ring->hwcur = head;
    ring->head_count += number;
    return nm_door_publish(&ring->door->head, ring->head_count, &ring->door->head_event);
}

/* ---- VALE ---- */

static int vale_txsync(struct edge *edge, struct edge_ring *ring, bool flush)
{
    struct nm_door *door = ring->door;
    uint32_t head;

    follow_own_side(ring, &door->head);
    if (fetch_head(ring, &head, &door->tail, outstanding(ring)) != 0)
        return NM_EINVAL;
    if (publish_head(ring, head))
        ring_netmapd(edge, door);
    follow_other_side(ring, &door->tail, outstanding(ring));
    if (flush && ring->head_count != ring->tail_count)
        ring_netmapd(edge, door);
    show_tail(ring);
    return check_faults(ring);
}

/* ---- pipes ---- */

static int pipe_txsync(struct edge *edge, struct edge_ring *ring, bool flush)
{
    struct nm_door *door = ring->peer_door;
    uint32_t head, wanted, used, space, moved;
    enum nm_pipe_fault fault;
    uint32_t n = ring->num_slots;

    follow_own_side(ring, &door->tail);
    if (fetch_head(ring, &head, &door->head, outstanding(ring)) != 0)
        return NM_EINVAL;
    wanted = nm_ring_distance(ring->hwcur, head, n);
    used = outstanding(ring);
    /* The peer's line is looked at when an up-to-date tail was asked for, or room is short. */
    if (flush || wanted == 0 || n - 1 - used < wanted + n / 8) {
        follow_other_side(ring, &door->head, used);
        used = outstanding(ring);
    }
    space = n - 1 - used;
    moved = nm_pipe_move(&ring->lane, ring->hwcur, wanted < space ? wanted : space, &fault);
    if (moved > 0) {
        ring->hwcur = nm_ring_advance(ring->hwcur, moved, n);
        ring->head_count += moved;
        if (nm_door_publish(&door->tail, ring->head_count, &door->tail_event))
            edge_wake_bell(edge->peer_bell);
    }
    show_tail(ring);
    return NM_LIKELY(fault == NM_PIPE_GOOD) ? 0 : reset(ring);
}

int edge_ring_txsync(struct edge *edge, struct edge_ring *ring, bool flush)
{
    return edge->kind == NM_ATTACH_PIPE ? pipe_txsync(edge, ring, flush)
                                         : vale_txsync(edge, ring, flush);
}

/* rx: slots the other side can still fill. */
static uint32_t rx_room(const struct edge_ring *ring)
{
    return ring->num_slots - 1 - nm_ring_distance(ring->hwcur, ring->hwtail, ring->num_slots);
}

int edge_ring_rxsync(struct edge *edge, struct edge_ring *ring)
{
    struct nm_door *door = ring->door;
    uint32_t head;

    follow_own_side(ring, &door->head);
    if (fetch_head(ring, &head, &door->tail, rx_room(ring)) != 0)
        return NM_EINVAL;
    if (publish_head(ring, head))
        edge_wake_bell(edge->peer_bell); /* only the sender of a pipe asks for this */
    follow_other_side(ring, &door->tail, rx_room(ring));
    show_tail(ring);
    return check_faults(ring);
}

bool edge_ring_busy(const struct edge_ring *ring)
{
    return ring->peer_door == NULL && ring->head_count != ring->tail_count;
}

uint32_t edge_ring_ready(const struct edge_ring *ring)
{
    return nm_ring_distance(nm_load32(&ring->ring->cur), ring->hwtail, ring->num_slots);
}
