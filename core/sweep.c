/*
 * Whose buffer is it? What is taken back when rings or descriptors go away, and what a pipe end
 * holds whose program has died. Programs write the slots and lists that tell, so everything read
 * here is checked, and a wrong tale costs buffers of its own region at most.
 */
#include "core/pipe.h"
#include "core/region.h"

/* Nothing but allocated: no slot and no list that was looked at shows it. */
#define UNSEEN (NM_BUF_ALLOCATED | NM_BUF_DIRTY)

/* An index read from shared memory that may be freed: in range, allocated. */
static bool freeable(const struct nm_region *region, uint32_t index)
{
    return index >= 2 && index < region->buf_fresh &&
           (region->buf_state[index] & NM_BUF_ALLOCATED) != 0;
}

void nm_region_mark(struct nm_region *region, uint32_t index, uint8_t mark)
{
    if (freeable(region, index))
        region->buf_state[index] |= mark;
}

void nm_region_unmark(struct nm_region *region)
{
    region->search = 2;
    for (uint32_t i = 2; i < region->buf_fresh; i++)
        region->buf_state[i] &= (uint8_t)UNSEEN;
}

/* ---- who is alive ---- */

static void mark_ring(struct nm_region *region, const struct nm_kring *kring)
{
    for (uint32_t i = 0; i < kring->num_slots; i++)
        nm_region_mark(region, nm_load32(&kring->ring->slot[i].buf_idx), NM_BUF_LIVE);
}

/* The rings of an adapter that exist and are not dying. Rx first: see nm_pipe_mark_lane. Nothing
 * is under way from `closed`, the end of a pipe whose last program has gone; NULL for none. */
static void mark_adapter(struct nm_region *region, const struct nm_adapter *adapter,
                         const struct nm_kring *dying, uint32_t num_dying,
                         const struct nm_adapter *closed)
{
    for (int direction = NM_RX; direction >= NM_TX; direction--) {
        struct nm_kring *krings = adapter->krings[direction];

        for (uint32_t i = 0; krings != NULL && i < adapter->geometry.num_rings[direction]; i++) {
            if (krings[i].ring == NULL) /* its creation failed or is yet to come */
                continue;
            if (&krings[i] >= dying && &krings[i] < dying + num_dying)
                continue;
            if (adapter->kind == NM_PORT_PIPE && direction == NM_RX &&
                adapter->pipe->ends[!adapter->pipe_role] != closed)
                nm_pipe_mark_lane(&krings[i]);
            mark_ring(region, &krings[i]);
        }
    }
}

void nm_region_mark_others(struct nm_region *region, const struct nm_adapter *except)
{
    for (const struct nm_adapter *adapter = region->core->adapters; adapter != NULL;
         adapter = adapter->next)
        if (adapter->region == region && adapter != except)
            mark_adapter(region, adapter, NULL, 0, except);
}

static void mark_living(struct nm_region *region, const struct nm_kring *dying, uint32_t num_dying)
{
    for (const struct nm_adapter *adapter = region->core->adapters; adapter != NULL;
         adapter = adapter->next)
        if (adapter->region == region)
            mark_adapter(region, adapter, dying, num_dying, NULL);
}

/*
 * The next buffer on a descriptor's list of extra buffers; 0 at its end. A buffer that a living
 * ring shows ends it too: then the program has used its buffers and the list is out of date.
 */
static uint32_t list_next(const struct nm_region *region, uint32_t index)
{
    if (!freeable(region, index) || (region->buf_state[index] & NM_BUF_LIVE) != 0)
        return 0;
    return nm_load32((const uint32_t *)(const void *)(region->base + region->layout.buf_offset +
                                                      (uint64_t)index * region->layout.buf_size));
}

static void mark_lists(struct nm_region *region, const struct nm_handle *leaving)
{
    for (const struct nm_handle *handle = region->core->handles; handle != NULL;
         handle = handle->next) {
        uint32_t index;

        if (handle == leaving || handle->adapter == NULL || handle->adapter->region != region ||
            handle->num_extra == 0)
            continue;
        index = nm_load32(&handle->netmap_if->ni_bufs_head);
        for (uint32_t i = 0; i < handle->num_extra && index != 0; i++) {
            uint32_t next = list_next(region, index);

            if (freeable(region, index) && (region->buf_state[index] & NM_BUF_LIVE) == 0)
                region->buf_state[index] |= NM_BUF_LISTED;
            index = next;
        }
    }
}

/* Could a living descriptor hold this buffer without showing it? */
static bool claimed(const struct nm_region *region, uint32_t index, uint16_t dying_owner)
{
    uint16_t owner = nm_load16(&region->owners[index]);

    if (owner == 0 || owner == dying_owner)
        return false;
    for (const struct nm_handle *handle = region->core->handles; handle != NULL;
         handle = handle->next)
        if (handle->adapter != NULL && handle->adapter->region == region &&
            handle->num_extra > 0 && nm_handle_tag(handle) == owner)
            return true;
    return false;
}

uint16_t nm_handle_tag(const struct nm_handle *handle)
{
    return handle->adapter->kind == NM_PORT_PIPE ? handle->adapter->owner_tag
                                                 : (uint16_t)(handle->if_object + 1);
}

void nm_region_untag(struct nm_region *region, uint16_t tag)
{
    for (uint32_t i = 2; i < region->buf_fresh; i++)
        if (nm_load16(&region->owners[i]) == tag)
            nm_store16(&region->owners[i], 0);
}

/* ---- taking back ---- */

static uint32_t sweep_list(struct nm_region *region, const struct nm_handle *leaving,
                           uint32_t wanted)
{
    uint32_t index = nm_load32(&leaving->netmap_if->ni_bufs_head), freed = 0;

    while (freed < wanted && index != 0) {
        uint32_t next = list_next(region, index);

        if (!freeable(region, index) || region->buf_state[index] != UNSEEN)
            break;
        nm_region_buf_free(region, index);
        freed++;
        index = next;
    }
    return freed;
}

static uint32_t sweep_slots(struct nm_region *region, const struct nm_kring *dying, uint32_t wanted)
{
    uint32_t freed = 0;

    for (uint32_t i = 0; i < dying->num_slots && freed < wanted; i++) {
        uint32_t index = nm_load32(&dying->ring->slot[i].buf_idx);

        if (freeable(region, index) && (region->buf_state[index] & NM_BUF_LIVE) == 0) {
            nm_region_buf_free(region, index);
            freed++;
        }
    }
    return freed;
}

void nm_region_sweep(struct nm_region *region, struct nm_kring *dying, uint32_t num_dying,
                     const struct nm_handle *leaving, uint32_t wanted)
{
    uint16_t owner = leaving != NULL ? nm_handle_tag(leaving) : 0;
    uint32_t freed = 0;

    mark_living(region, dying, num_dying);
    mark_lists(region, leaving);
    if (leaving != NULL)
        freed += sweep_list(region, leaving, wanted);
    for (uint32_t r = 0; r < num_dying; r++)
        freed += sweep_slots(region, &dying[r], wanted - freed);
    for (uint32_t i = 2; owner != 0 && i < region->buf_fresh && freed < wanted; i++) {
        if (region->buf_state[i] == UNSEEN && nm_load16(&region->owners[i]) == owner) {
            nm_region_buf_free(region, i);
            freed++;
        }
    }
    if (freed < wanted)
        mark_living(region, dying, num_dying); /* look twice: living programs move buffers */
    for (uint32_t i = 2; i < region->buf_fresh && freed < wanted; i++) {
        if (region->buf_state[i] == UNSEEN && !claimed(region, i, owner)) {
            nm_region_buf_free(region, i);
            freed++;
        }
    }
    nm_region_unmark(region);
    if (leaving != NULL && leaving->adapter->kind != NM_PORT_PIPE)
        nm_region_untag(region, owner);
}

/* ---- a pipe end whose last program has gone ---- */

/* The next of the owner's buffers that nobody shows; NM_NO_OBJECT when there is none left. The
 * search goes on where the last one ended: rings full of nonsense cost one pass over the region,
 * not one for each slot. */
static uint32_t find_missing(struct nm_region *region, uint16_t owner)
{
    while (region->search < region->buf_fresh) {
        uint32_t i = region->search++;

        if (region->buf_state[i] == UNSEEN && nm_load16(&region->owners[i]) == owner)
            return i;
    }
    return NM_NO_OBJECT;
}

void nm_region_place(struct nm_region *region, struct netmap_slot *slot, uint16_t owner)
{
    uint32_t index = nm_load32(&slot->buf_idx);

    if (!freeable(region, index) ||
        (region->buf_state[index] & (NM_BUF_LIVE | NM_BUF_PLACED)) != 0) {
        uint32_t missing = find_missing(region, owner);

        if (missing == NM_NO_OBJECT)
            return;
        nm_store32(&slot->buf_idx, missing);
        index = missing;
    }
    region->buf_state[index] |= NM_BUF_PLACED;
}
