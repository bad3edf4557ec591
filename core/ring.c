/* Rings: creation, publication, reset. */
#include "core/ring.h"
#include "core/region.h"

static void ring_init(struct nm_kring *kring)
{
    struct nm_region *region = kring->adapter->region;
    struct netmap_ring *ring = kring->ring;
    struct netmap_ring geometry;
    int64_t ring_at = (int64_t)(region->layout.ring_offset +
                                (uint64_t)kring->ring_object * region->layout.ring_size);

    memset(&geometry, 0, sizeof(geometry));
    kring->hwcur = 0;
    kring->hwtail = kring->direction == NM_TX ? kring->num_slots - 1 : 0;
    kring->shown_tail = kring->hwtail;
    /* The const members are written through a copy; the program sees the ring only afterwards. */
    *(int64_t *)(uintptr_t)&geometry.buf_ofs = (int64_t)region->layout.buf_offset - ring_at;
    *(uint32_t *)(uintptr_t)&geometry.num_slots = kring->num_slots;
    *(uint32_t *)(uintptr_t)&geometry.nr_buf_size = kring->buffer_size;
    *(uint16_t *)(uintptr_t)&geometry.ringid = kring->id;
    *(uint16_t *)(uintptr_t)&geometry.dir = kring->direction;
    geometry.tail = kring->hwtail;
    memcpy(ring, &geometry, sizeof(geometry));
}

static int kring_create(struct nm_adapter *adapter, struct nm_kring *kring, int direction,
                        uint32_t id)
{
    struct nm_region *region = adapter->region;

    kring->adapter = adapter;
    kring->direction = (uint8_t)direction;
    kring->id = (uint16_t)id;
    kring->num_slots = adapter->geometry.num_slots[direction];
    kring->buffer_size = region->layout.buf_size;
    kring->num_buffers = region->layout.buf_num;
    kring->ring_object = nm_region_ring_alloc(region);
    if (kring->ring_object == NM_NO_OBJECT)
        return NM_ENOMEM;
    kring->ring = nm_region_ring(region, kring->ring_object);
    kring->door = nm_region_door(region, kring->ring_object);
    kring->buffers = nm_region_buf(region, 0);
    ring_init(kring);
    nm_os_lock_init(&kring->lock);
    for (uint32_t i = 0; i < kring->num_slots; i++) {
        uint32_t index = nm_region_buf_alloc(region, 0);

        if (index == NM_NO_OBJECT)
            return NM_ENOMEM;
        nm_slot_store(&kring->ring->slot[i], nm_slot_make(index, 0, 0));
        kring->held++;
    }
    return 0;
}

void nm_krings_delete(struct nm_adapter *adapter, int direction)
{
    struct nm_kring *krings = adapter->krings[direction];
    uint32_t number = adapter->geometry.num_rings[direction];
    uint32_t created = 0, buffers = 0;

    if (krings == NULL)
        return;
    while (created < number && krings[created].ring != NULL)
        buffers += krings[created++].held;
    if (created > 0)
        nm_region_sweep(adapter->region, krings, created, NULL, buffers);
    for (uint32_t i = 0; i < created; i++) {
        nm_region_ring_free(adapter->region, krings[i].ring_object);
        nm_os_lock_destroy(&krings[i].lock);
    }
    nm_free(adapter->core, krings, number * sizeof(*krings), NM_MEM_KRING);
    adapter->krings[direction] = NULL;
}

int nm_krings_create(struct nm_adapter *adapter, int direction)
{
    uint32_t number = adapter->geometry.num_rings[direction];
    struct nm_kring *krings;

    if (number == 0)
        return 0;
    krings = nm_alloc(adapter->core, number * sizeof(*krings), NM_MEM_KRING);
    if (krings == NULL)
        return NM_ENOMEM;
    adapter->krings[direction] = krings;
    for (uint32_t i = 0; i < number; i++) {
        int error = kring_create(adapter, &krings[i], direction, i);

        if (error != 0) {
            nm_krings_delete(adapter, direction);
            return error;
        }
    }
    return 0;
}

uint32_t nm_kring_rx_space(struct nm_kring *kring)
{
    uint32_t used = nm_ring_distance(kring->hwcur, kring->hwtail, kring->num_slots);

    if (kring->door != NULL) {
        uint64_t head = nm_load64_acquire(&kring->door->head);
        uint64_t released = head - kring->head_count;

        if (NM_LIKELY(released <= used)) {
            kring->hwcur = nm_ring_advance(kring->hwcur, (uint32_t)released, kring->num_slots);
            used -= (uint32_t)released;
        } else {
            nm_kring_fault(kring); /* hostile: released slots it never had */
        }
        kring->head_count = head;
    } else {
        used = nm_ring_distance(nm_load32_acquire(&kring->hwcur), kring->hwtail, kring->num_slots);
    }
    return kring->num_slots - 1 - used;
}

void nm_kring_publish(struct nm_kring *kring, uint32_t hwtail)
{
    uint32_t moved = nm_ring_distance(kring->hwtail, hwtail, kring->num_slots);

    if (kring->door != NULL) {
        kring->hwtail = hwtail;
        kring->tail_count += moved;
        if (nm_door_publish(&kring->door->tail, kring->tail_count, &kring->door->tail_event))
            nm_os_ring_wake(kring);
        return;
    }
    nm_store32_release(&kring->hwtail, hwtail);
    if (moved > 0)
        nm_os_ring_wake(kring);
}

void nm_kring_reset(struct nm_kring *kring)
{
    struct netmap_ring *ring = kring->ring;

    nm_store32(&ring->head, kring->hwcur);
    nm_store32(&ring->cur, kring->hwcur);
    nm_store32(&ring->tail, kring->hwtail);
    kring->counters.resets++;
}

void nm_kring_rewind(struct nm_kring *kring, const struct nm_kring *peer)
{
    const struct nm_door *door = kring->direction == NM_TX && peer != NULL ? peer->door
                                                                           : kring->door;
    uint32_t number = kring->num_slots;

    nm_os_lock(&kring->lock);
    if (door == NULL) {
        kring->shown_tail = nm_load32_acquire(&kring->hwtail);
        nm_store32(&kring->ring->head, kring->hwcur);
        nm_store32(&kring->ring->cur, kring->hwcur);
        nm_store32(&kring->ring->tail, kring->shown_tail);
    } else {
        /* The sender of a pipe fills the peer's rx ring, and tail is what it has filled. */
        uint64_t ours = door == kring->door ? nm_load64(&door->head) : nm_load64(&door->tail);
        uint64_t theirs = door == kring->door ? nm_load64(&door->tail) : nm_load64(&door->head);

        if (kring->direction == NM_TX)
            theirs += number - 1;
        nm_store32(&kring->ring->head, (uint32_t)(ours % number));
        nm_store32(&kring->ring->cur, (uint32_t)(ours % number));
        nm_store32(&kring->ring->tail, (uint32_t)(theirs % number));
    }
    nm_os_unlock(&kring->lock);
}
