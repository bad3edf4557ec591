/*
 * One ring: the arithmetic of its indices, the program's slots read once and checked, and the
 * publication of what the host has done.
 *
 * Indices run from 0 to num_slots - 1 and are never divided: they advance by differences that have
 * been checked against the ring. A slot is read with two loads and written with one, so a program
 * that changes it meanwhile changes nothing that has been decided.
 */
#ifndef NM_CORE_RING_H
#define NM_CORE_RING_H

#include "core/core.h"

NM_INLINE uint32_t nm_ring_advance(uint32_t index, uint32_t count, uint32_t num_slots)
{
    index += count;
    return index >= num_slots ? index - num_slots : index;
}

/* Slots from one index up to another. */
NM_INLINE uint32_t nm_ring_distance(uint32_t from, uint32_t to, uint32_t num_slots)
{
    return to >= from ? to - from : to + num_slots - from;
}

/* The first eight bytes of a slot: buf_idx, len, flags. */
NM_INLINE uint64_t nm_slot_load(const struct netmap_slot *slot)
{
    return nm_load64((const uint64_t *)(const void *)slot);
}
NM_INLINE void nm_slot_store(struct netmap_slot *slot, uint64_t value)
{
    nm_store64((uint64_t *)(void *)slot, value);
}
NM_INLINE uint32_t nm_slot_buf(uint64_t slot)
{
    return (uint32_t)slot;
}
NM_INLINE uint32_t nm_slot_len(uint64_t slot)
{
    return (uint32_t)(slot >> 32) & 0xffffu;
}
NM_INLINE uint32_t nm_slot_flags(uint64_t slot)
{
    return (uint32_t)(slot >> 48);
}
NM_INLINE uint64_t nm_slot_make(uint32_t buf, uint32_t len, uint32_t flags)
{
    return (uint64_t)buf | (uint64_t)len << 32 | (uint64_t)flags << 48;
}

/*
 * What a program's head and cur must satisfy: for a tx ring the program owns [hwcur, hwtail] up to
 * the last free slot, for an rx ring [hwcur, hwtail); head and cur lie there, head first.
 * Shared by the hosts and the Linux client edge. True when they do.
 */
NM_INLINE bool nm_ring_indices_valid(uint32_t head, uint32_t cur, uint32_t hwcur, uint32_t hwtail,
                                     uint32_t num_slots)
{
    uint32_t owned, to_head, to_cur;

    if (head >= num_slots || cur >= num_slots)
        return false;
    owned = nm_ring_distance(hwcur, hwtail, num_slots);
    to_head = nm_ring_distance(hwcur, head, num_slots);
    to_cur = nm_ring_distance(hwcur, cur, num_slots);
    return to_head <= to_cur && to_cur <= owned;
}

/* Create the rings of one direction of an adapter: memory, initial indices, buffers with owner
 * tag 0. On failure nothing is left. PASSIVE, control lock. */
int nm_krings_create(struct nm_adapter *adapter, int direction);
/* Give the rings' memory back, the buffers in their slots included (nm_region_sweep). */
void nm_krings_delete(struct nm_adapter *adapter, int direction);

/* Count `number` frames dropped on this ring. Lock of the ring held. */
NM_INLINE void nm_kring_drop(struct nm_kring *kring, enum nm_drop_cause cause, uint64_t number)
{
    nm_store64(&kring->counters.drops[cause], nm_load64(&kring->counters.drops[cause]) + number);
}

/* A fault of the program on this ring: its next sync reports it. Lock of the ring held. */
NM_INLINE void nm_kring_fault(struct nm_kring *kring)
{
    kring->faults++;
    if (kring->door != NULL)
        nm_store64(&kring->door->faults, kring->faults);
}

/* Let hwcur of an rx ring follow what the program has released through its door. Returns the free
 * slots. Lock of the ring held. On hosts without doors rxsync moves hwcur and this only counts. */
uint32_t nm_kring_rx_space(struct nm_kring *kring);

/* The program now owns the ring up to hwtail: publish and wake. Lock of the ring held. */
void nm_kring_publish(struct nm_kring *kring, uint32_t hwtail);

/* Bad head or cur on a host without doors: reset the program's words, count, report. */
void nm_kring_reset(struct nm_kring *kring);

/* A program binds a ring that nobody has: it begins where the last sync of the one before ended,
 * whatever head and cur that one left behind. peer: the other side of a pipe's ring, else NULL.
 * PASSIVE, control lock. */
void nm_kring_rewind(struct nm_kring *kring, const struct nm_kring *peer);

#endif
