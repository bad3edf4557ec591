/*
 * Regions: the memory that a port and its program share, one segment each.
 *
 * Layout of the segment, offsets from its start:
 *   0 ............. netmap_if objects   \
 *   ring pool ..... netmap_ring objects  | what programs map (nr_memsize bytes)
 *   buffer pool ... packet buffers      /
 *   doors ......... one struct nm_door per ring object      \  hosts with doors only; mapped by the
 *   bells ......... one struct nm_bell per ring object       | client edge, part of no program's
 *   owners ........ one uint16_t per buffer                 /  picture of netmap
 *
 * Programs that map one region trust each other; the host trusts nothing in it. Everything the
 * host decides on (free lists, geometry, who uses what) is in struct nm_region, private memory.
 * All functions: PASSIVE, control lock held.
 */
#ifndef NM_CORE_REGION_H
#define NM_CORE_REGION_H

#include "core/core.h"

struct nm_region_layout {
    uint32_t if_size, if_num;
    uint32_t ring_size, ring_num;
    uint32_t buf_size, buf_num;
    uint64_t ring_offset, buf_offset;
    uint64_t memsize; /* what programs map */
    uint64_t door_offset, bell_offset, owner_offset;
    uint64_t total_size; /* of the segment */
};

/*
 * Owner tags say who took a buffer last: 0 a ring that is no pipe's, or nobody; a descriptor's
 * netmap_if object + 1; for descriptors on a pipe end, the end's first tx ring object + if_num + 1,
 * so that the peer knows it without asking. In shared memory they are hints, and treated as such.
 */
struct nm_region {
    struct nm_region *next;
    struct nm_core *core;
    uint16_t id; /* nr_mem_id */
    uint32_t references;
    struct nm_region_layout layout;
    struct nm_os_segment *segment; /* NULL until activated */
    uint8_t *base;
    uint16_t *owners; /* in the segment (doors) or private (no doors) */
    /* free objects */
    uint8_t *if_used;     /* one byte per object */
    uint8_t *ring_used;
    uint8_t *buf_state;   /* NM_BUF_* */
    uint32_t *buf_free;   /* stack of indices that were given back */
    uint32_t buf_free_count;
    uint32_t buf_fresh;   /* indices from here on have never been given out */
    uint32_t search;      /* scratch of nm_region_place */
};

#define NM_BUF_ALLOCATED 1
#define NM_BUF_DIRTY     2 /* has belonged to somebody: cleared before it is given out again */
#define NM_BUF_LIVE      4 /* scratch of nm_region_sweep: a living ring shows it */
#define NM_BUF_HERE      8 /* scratch of nm_pipe_end_closed: a slot of the dead end shows it */
#define NM_BUF_PLACED    16 /* likewise: and it may stay there */
#define NM_BUF_LISTED    32 /* scratch of nm_region_sweep: a living descriptor's list shows it */

/* What a private region must have room for. */
struct nm_region_needs {
    uint32_t rings;       /* ring objects, pipes included */
    uint32_t max_slots;   /* of one ring */
    uint64_t buffers;     /* without the two reserved ones */
    uint32_t rings_per_if;
};

/* Compute a private region's layout. 0; NM_ENOMEM when it exceeds config.max_region. */
int nm_region_layout_private(const struct nm_core *core, const struct nm_region_needs *needs,
                             struct nm_region_layout *layout);

/* A new private region with one reference; its segment is made by the first activation. */
int nm_region_create(struct nm_core *core, const struct nm_region_layout *layout,
                     struct nm_region **region);
void nm_region_get(struct nm_region *region);
void nm_region_put(struct nm_region *region);
struct nm_region *nm_region_find(struct nm_core *core, uint16_t id);

/* Make the segment exist. 0 or NM_ENOMEM (machine-wide limit, or the system's). */
int nm_region_activate(struct nm_region *region);

/* Objects. Each returns an index, or NM_NO_OBJECT. The memory of a new object is zeroed. */
#define NM_NO_OBJECT UINT32_MAX
uint32_t nm_region_if_alloc(struct nm_region *region);
void nm_region_if_free(struct nm_region *region, uint32_t object);
uint32_t nm_region_ring_alloc(struct nm_region *region);
void nm_region_ring_free(struct nm_region *region, uint32_t object);
uint32_t nm_region_buf_alloc(struct nm_region *region, uint16_t owner);
void nm_region_buf_free(struct nm_region *region, uint32_t index);

struct netmap_if *nm_region_if(struct nm_region *region, uint32_t object);
struct netmap_ring *nm_region_ring(struct nm_region *region, uint32_t object);
struct nm_door *nm_region_door(struct nm_region *region, uint32_t object); /* NULL: no doors */
struct nm_bell *nm_region_bell(struct nm_region *region, uint32_t object);
uint16_t *nm_region_owners(struct nm_region *region);
uint8_t *nm_region_buf(struct nm_region *region, uint32_t index);

/* ---- core/sweep.c: whose buffer is it? ---- */

/* The tag of the extra buffers of a descriptor. */
uint16_t nm_handle_tag(const struct nm_handle *handle);

/*
 * Take back `wanted` buffers after rings (dying), or a descriptor with extra buffers (leaving), went
 * away; the other is NULL. Programs move buffers between their rings and lists, so what is freed is
 * found, not remembered; in this order:
 *   - what the leaving descriptor's list of extra buffers shows, as far as it can be followed
 *   - what the dying rings' slots show
 *   - what carries the leaving descriptor's tag and nobody shows
 *   - any buffer that no living ring and no living descriptor with extra buffers can hold
 * Never one that a living ring shows, and never more than wanted.
 */
void nm_region_sweep(struct nm_region *region, struct nm_kring *dying, uint32_t num_dying,
                     const struct nm_handle *leaving, uint32_t wanted);

/* A tag is about to have no owner: the buffers that still carry it, wherever programs have moved
 * them, must not pass for those of the next owner. */
void nm_region_untag(struct nm_region *region, uint16_t tag);

/* For nm_pipe_end_closed (core/pipe.c). */
/* Add a mark to a buffer, if the index from shared memory names an allocated one. */
void nm_region_mark(struct nm_region *region, uint32_t index, uint8_t mark);
/* Mark every buffer that a ring of another adapter shows NM_BUF_LIVE. */
void nm_region_mark_others(struct nm_region *region, const struct nm_adapter *except);
/* Let a slot of a dead owner's keep its buffer, unless it shows nothing valid or what another slot
 * shows as well: then it gets one of the owner's that no slot shows, when there is one. */
void nm_region_place(struct nm_region *region, struct netmap_slot *slot, uint16_t owner);
void nm_region_unmark(struct nm_region *region);

#endif
