/*
 * Forwarding: from a tx ring of one VALE port into rx rings of others, in two passes.
 *
 * Pass 1 reads each slot once into private memory, validates it, prefetches the frame, learns its
 * source and looks up its destination; frames are strung on one list per destination port, and
 * one for frames that go to all. Pass 2 takes the destinations one by one: one lock, one
 * publication and at most one wake-up per batch and destination.
 */
#include "core/vale.h"
#include "core/copy.h"
#include "core/ring.h"

#define BATCH      256u /* slots; larger batches break the pipelining between programs */
#define LOOK_AHEAD 16u /* frames and buffers fetched ahead; measured, like the next */
#define SLOT_AHEAD 32u /* slots; may run past the ring's end, which is harmless */
#define ETHERNET_HEADER 14u
#define END_OF_LIST 0xffffu

struct entry {
    uint32_t buf;
    uint16_t len;
    uint16_t frags; /* on the first slot of a frame: slots in it */
    uint16_t next;  /* first slot of the next frame for the same destination */
};

struct list {
    uint16_t head, tail;
};

struct nm_forward {
    struct entry entries[BATCH];
    struct list unicast[NM_VALE_PORTS];
    struct list broadcast;
    uint16_t touched[BATCH]; /* ports with a unicast list */
    uint32_t num_touched;
    uint32_t broadcast_frames;
    bool skipping; /* the next slots belong to a chain that has been dropped as too long */
};

size_t nm_forward_size(void)
{
    return sizeof(struct nm_forward);
}

/* Where pass 1 stands: the addresses of the frame before, whose lookup need not be repeated. */
struct lookup {
    struct nm_switch *bridge;
    const struct nm_port_table *ports;
    uint64_t source, destination;
    uint32_t port; /* of destination; NM_MAC_UNKNOWN: to all */
    uint16_t own_port;
    uint8_t age;
};

static void append(struct nm_forward *forward, struct list *list, uint16_t index)
{
    forward->entries[index].next = END_OF_LIST;
    if (list->head == END_OF_LIST)
        list->head = index;
    else
        forward->entries[list->tail].next = index;
    list->tail = index;
}

/* Learn the frame's source and find its destination. header: the frame's first bytes. */
static uint32_t route(struct lookup *lookup, const uint8_t *header, bool learn)
{
    uint64_t first, source, destination;
    uint32_t last;

    /* One copy of the addresses: the program may rewrite them while we look. */
    memcpy(&first, header, sizeof(first));
    memcpy(&last, header + 8, sizeof(last));
    destination = first & 0xffffffffffffull;
    source = first >> 48 | (uint64_t)last << 16;
    if (NM_UNLIKELY(source != lookup->source) && learn) {
        lookup->source = source;
        if (!nm_mac_is_multicast(source) && source != 0)
            nm_mac_learn(&lookup->bridge->macs, source, (uint8_t)lookup->own_port, lookup->age);
    }
    if (NM_UNLIKELY(destination != lookup->destination)) {
        uint32_t port = NM_MAC_UNKNOWN;

        if (!nm_mac_is_multicast(destination))
            port = nm_mac_lookup(&lookup->bridge->macs, destination, lookup->age);
        if (port != NM_MAC_UNKNOWN &&
            nm_load_pointer_acquire((void *const *)&lookup->ports->port[port]) == NULL)
            port = NM_MAC_UNKNOWN;
        lookup->destination = destination;
        lookup->port = port;
    }
    return lookup->port;
}

static void classify(struct nm_kring *kring, struct nm_forward *forward, struct lookup *lookup,
                     uint32_t index, uint32_t flags)
{
    const struct entry *entry = &forward->entries[index];
    uint32_t port;

    if (NM_UNLIKELY(entry->len < ETHERNET_HEADER)) {
        nm_kring_drop(kring, NM_DROP_SHORT, 1);
        return;
    }
    port = route(lookup, kring->buffers + (size_t)entry->buf * kring->buffer_size,
                 (flags & NS_NO_LEARN) == 0);
    if (NM_UNLIKELY(port == lookup->own_port)) {
        nm_kring_drop(kring, NM_DROP_NO_PORT, 1);
    } else if (port == NM_MAC_UNKNOWN) {
        append(forward, &forward->broadcast, (uint16_t)index);
        forward->broadcast_frames++;
    } else {
        if (forward->unicast[port].head == END_OF_LIST)
            forward->touched[forward->num_touched++] = (uint16_t)port;
        append(forward, &forward->unicast[port], (uint16_t)index);
    }
}

/* What pass 1 counts; added to the ring's counters once. */
struct totals {
    uint64_t frames, bytes;
};

/* What becomes of a frame: NM_DROP_* for a reason to drop it, or one of these. */
#define KEEP NM_DROP_CAUSES       /* nothing speaks against it */
#define REST (NM_DROP_CAUSES + 1) /* the rest of a chain that was too long and has been counted */

/* Read a slot once and check it. KEEP, or why it must not be used. */
static uint32_t read_slot(struct nm_kring *kring, const struct netmap_slot *slot,
                          struct entry *entry, uint32_t *flags)
{
    uint64_t value = nm_slot_load(slot);

    entry->buf = nm_slot_buf(value);
    entry->len = (uint16_t)nm_slot_len(value);
    entry->frags = 1;
    *flags = nm_slot_flags(value);
    if (NM_UNLIKELY(entry->buf < 2 || entry->buf >= kring->num_buffers ||
                    entry->len > kring->buffer_size)) {
        nm_kring_fault(kring);
        return NM_DROP_BAD_SLOT;
    }
    if (NM_UNLIKELY((*flags & NS_INDIRECT) != 0))
        /* The client edge resolves these; slot->ptr is never followed here. */
        return NM_DROP_UNSUPPORTED;
    return KEEP;
}

/* Start fetching the frame of a slot we shall read soon. The index is only a hint here. */
static void prefetch_frame(const struct nm_kring *kring, uint32_t slot_index)
{
    uint32_t buf = nm_load32(&kring->ring->slot[slot_index].buf_idx);

    NM_PREFETCH_READ(&kring->ring->slot[slot_index + SLOT_AHEAD]);
    NM_PREFETCH_READ(kring->buffers + (size_t)buf * kring->buffer_size);
}

/*
 * Pass 1 over at most `number` slots. Returns the slots taken; a chain that does not fit into the
 * batch is left for the next one, unless it can never be completed. Every frame is counted once,
 * and when it is dropped so is the reason, once, the first that was found.
 */
static uint32_t collect(struct nm_kring *kring, struct nm_forward *forward, struct lookup *lookup,
                        uint32_t number, bool final)
{
    uint32_t at = kring->hwcur, ahead, chain = 0, chain_flags = 0, chain_bytes = 0, i;
    uint32_t fate = forward->skipping ? REST : KEEP; /* of the chain in progress */
    struct totals totals = {0, 0};

    ahead = at;
    for (i = 0; i < LOOK_AHEAD && i < number; i++) {
        prefetch_frame(kring, ahead);
        ahead = nm_ring_advance(ahead, 1, kring->num_slots);
    }
    for (i = 0; i < number; i++) {
        struct entry *entry = &forward->entries[i];
        uint32_t flags, slot_fate;

        if (i + LOOK_AHEAD < number) {
            prefetch_frame(kring, ahead);
            ahead = nm_ring_advance(ahead, 1, kring->num_slots);
        }
        slot_fate = read_slot(kring, &kring->ring->slot[at], entry, &flags);
        if (NM_UNLIKELY(slot_fate != KEEP) && fate == KEEP)
            fate = slot_fate;
        at = nm_ring_advance(at, 1, kring->num_slots);
        chain_bytes += entry->len;
        chain_flags |= flags;
        chain++;
        if (NM_UNLIKELY((flags & NS_MOREFRAG) != 0))
            continue;
        if (NM_UNLIKELY(chain > NETMAP_MAX_FRAGS) && fate == KEEP)
            fate = NM_DROP_BAD_CHAIN;
        if (NM_LIKELY(fate == KEEP)) {
            forward->entries[i + 1 - chain].frags = (uint16_t)chain;
            classify(kring, forward, lookup, i + 1 - chain, chain_flags);
        } else if (fate != REST) {
            nm_kring_drop(kring, fate, 1);
        }
        totals.frames += fate != REST;
        totals.bytes += chain_bytes;
        fate = KEEP;
        chain = chain_flags = chain_bytes = 0;
    }
    forward->skipping = false;
    if (NM_UNLIKELY(chain > 0)) {
        if (final || chain > NETMAP_MAX_FRAGS || fate == REST) {
            if (fate != REST) {
                nm_kring_drop(kring, fate == KEEP ? (uint32_t)NM_DROP_BAD_CHAIN : fate, 1);
                totals.frames++;
            }
            totals.bytes += chain_bytes;
            forward->skipping = !final;
        } else {
            i -= chain;
        }
    }
    nm_store64(&kring->counters.frames, kring->counters.frames + totals.frames);
    nm_store64(&kring->counters.bytes, kring->counters.bytes + totals.bytes);
    return i;
}

/* The next frame for a destination, in the order of the tx ring, out of its own list and the one
 * for all. */
static uint32_t take_next(const struct nm_forward *forward, uint16_t *unicast, uint16_t *broadcast)
{
    uint32_t index;

    if (*unicast <= *broadcast) { /* END_OF_LIST is the largest */
        index = *unicast;
        *unicast = forward->entries[index].next;
    } else {
        index = *broadcast;
        *broadcast = forward->entries[index].next;
    }
    return index;
}

/* False when the receiver's slot names no buffer: it gets an empty one back. */
static bool copy_slot(const struct nm_kring *source, struct nm_kring *kring, uint32_t at,
                      const struct entry *entry, uint32_t flags)
{
    struct netmap_slot *slot = &kring->ring->slot[at];
    uint32_t buf = nm_load32(&slot->buf_idx);
    uint32_t len = entry->len;
    bool good = true;

    if (NM_LIKELY(buf >= 2 && buf < kring->num_buffers && len <= kring->buffer_size)) {
        nm_copy_frame(kring->buffers + (size_t)buf * kring->buffer_size,
                      source->buffers + (size_t)entry->buf * source->buffer_size, len);
    } else {
        nm_kring_fault(kring);
        len = 0;
        good = false;
    }
    /* len and flags in one store; the buffer index stays the program's. */
    nm_store32((uint32_t *)(void *)&slot->len, len | flags << 16);
    return good;
}

static void prefetch_slot(const struct nm_kring *kring, uint32_t at)
{
    uint32_t buf = nm_load32(&kring->ring->slot[at].buf_idx);

    NM_PREFETCH_WRITE(&kring->ring->slot[at + SLOT_AHEAD]);
    NM_PREFETCH_WRITE(kring->buffers + (size_t)buf * kring->buffer_size);
}

/* Pass 2 for one rx ring. Its lock is held. */
static void fill_ring(const struct nm_kring *source, const struct nm_forward *forward,
                      struct nm_kring *kring, uint16_t unicast, uint16_t broadcast)
{
    uint32_t space = nm_kring_rx_space(kring), at = kring->hwtail, num_slots = kring->num_slots;
    uint64_t frames = 0, bytes = 0, full = 0;

    for (uint32_t i = 0; i < LOOK_AHEAD && i < space; i++)
        prefetch_slot(kring, nm_ring_advance(at, i, num_slots));
    while (unicast != END_OF_LIST || broadcast != END_OF_LIST) {
        uint32_t index = take_next(forward, &unicast, &broadcast);
        const struct entry *entry = &forward->entries[index];
        uint32_t frags = entry->frags, size = 0;
        bool good = true;

        if (NM_UNLIKELY(frags > space)) {
            full++;
            continue;
        }
        space -= frags;
        for (uint32_t i = 0; i < frags; i++) {
            uint32_t flags = frags << 8 | (i + 1 < frags ? NS_MOREFRAG : 0);

            if (space >= LOOK_AHEAD)
                prefetch_slot(kring, nm_ring_advance(at, LOOK_AHEAD, num_slots));
            good = copy_slot(source, kring, at, &entry[i], flags) && good;
            size += entry[i].len;
            at = nm_ring_advance(at, 1, num_slots);
        }
        if (NM_LIKELY(good)) {
            frames++;
            bytes += size;
        } else {
            nm_kring_drop(kring, NM_DROP_RX_SLOT, 1);
        }
    }
    nm_store64(&kring->counters.frames, kring->counters.frames + frames);
    nm_store64(&kring->counters.bytes, kring->counters.bytes + bytes);
    if (NM_UNLIKELY(full > 0))
        nm_kring_drop(kring, NM_DROP_FULL, full);
    if (at != kring->hwtail)
        nm_kring_publish(kring, at);
}

static uint64_t list_length(const struct nm_forward *forward, uint16_t index)
{
    uint64_t length = 0;

    for (; index != END_OF_LIST; index = forward->entries[index].next)
        length++;
    return length;
}

static void deliver(struct nm_kring *source, struct nm_forward *forward,
                    struct nm_adapter *adapter, uint16_t unicast)
{
    uint32_t rings = adapter->geometry.num_rings[NM_RX], ring = source->id;
    uint16_t broadcast = forward->broadcast.head;
    struct nm_kring *kring;

    while (rings > 0 && ring >= rings) /* at most NM_VALE_RINGS steps; no division here */
        ring -= rings;
    if (rings == 0 || nm_load16(&adapter->krings[NM_RX][ring].users) == 0) {
        nm_kring_drop(source, NM_DROP_NO_PORT,
                      list_length(forward, unicast) + list_length(forward, broadcast));
        return;
    }
    kring = &adapter->krings[NM_RX][ring];
    nm_os_lock(&kring->lock);
    fill_ring(source, forward, kring, unicast, broadcast);
    nm_os_unlock(&kring->lock);
}

static void distribute(struct nm_kring *kring, struct nm_forward *forward,
                       const struct nm_port_table *ports, uint32_t own_port)
{
    uint32_t delivered = 0;

    if (forward->broadcast_frames > 0) {
        uint32_t number = nm_load32_acquire(&ports->num_active);

        for (uint32_t i = 0; i < number; i++) {
            uint32_t port = nm_load16(&ports->active[i]);
            struct nm_adapter *adapter =
                nm_load_pointer_acquire((void *const *)&ports->port[port]);

            if (port == own_port || adapter == NULL)
                continue;
            deliver(kring, forward, adapter, forward->unicast[port].head);
            forward->unicast[port].head = END_OF_LIST;
            delivered++;
        }
        if (delivered == 0)
            nm_kring_drop(kring, NM_DROP_NO_PORT, forward->broadcast_frames);
        forward->broadcast.head = END_OF_LIST;
    }
    for (uint32_t i = 0; i < forward->num_touched; i++) {
        uint32_t port = forward->touched[i];
        struct nm_adapter *adapter = nm_load_pointer_acquire((void *const *)&ports->port[port]);

        if (forward->unicast[port].head == END_OF_LIST)
            continue;
        if (adapter != NULL)
            deliver(kring, forward, adapter, forward->unicast[port].head);
        else
            nm_kring_drop(kring, NM_DROP_NO_PORT,
                          list_length(forward, forward->unicast[port].head));
        forward->unicast[port].head = END_OF_LIST;
    }
    forward->num_touched = 0;
    forward->broadcast_frames = 0;
}

void nm_forward_init(struct nm_forward *forward)
{
    for (uint32_t i = 0; i < NM_VALE_PORTS; i++)
        forward->unicast[i].head = END_OF_LIST;
    forward->broadcast.head = END_OF_LIST;
}

uint32_t nm_vale_forward(struct nm_kring *kring, uint32_t number, bool final)
{
    struct nm_adapter *adapter = kring->adapter;
    struct nm_epoch *epoch = &adapter->core->epoch;
    nm_epoch_token token = nm_epoch_enter(epoch);
    struct lookup lookup;
    uint32_t taken;

    if (number > BATCH) {
        number = BATCH;
        final = false;
    }
    lookup.bridge = adapter->bridge;
    lookup.ports = nm_load_pointer_acquire((void *const *)&adapter->bridge->ports);
    lookup.source = 0;
    lookup.destination = 0; /* 0 is nobody's address: it is looked up as unknown */
    lookup.port = NM_MAC_UNKNOWN;
    lookup.own_port = adapter->port_index;
    lookup.age = (uint8_t)(nm_os_time_ns() >> NM_MAC_AGE_SHIFT);
    taken = collect(kring, kring->forward, &lookup, number, final);
    distribute(kring, kring->forward, lookup.ports, adapter->port_index);
    nm_epoch_leave(epoch, token);
    return taken;
}
