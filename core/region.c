/* Regions: pools of netmap_if, netmap_ring and buffer objects in one shared segment. */
#include "core/region.h"

#define IF_OBJECT_MIN 1024u

static uint64_t round_up(uint64_t value, uint64_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

int nm_region_layout_private(const struct nm_core *core, const struct nm_region_needs *needs,
                             struct nm_region_layout *layout)
{
    const struct nm_config *config = &core->config;
    uint64_t if_size = sizeof(struct netmap_if) + 8ull * needs->rings_per_if;
    uint64_t ring_size = sizeof(struct netmap_ring) + (uint64_t)needs->max_slots * 16;
    uint64_t bytes;

    memset(layout, 0, sizeof(*layout));
    layout->if_size = (uint32_t)round_up(if_size < IF_OBJECT_MIN ? IF_OBJECT_MIN : if_size, 64);
    layout->if_num = config->if_num;
    layout->ring_size = (uint32_t)round_up(ring_size, 128);
    layout->ring_num = needs->rings;
    layout->buf_size = config->buf_size;
    bytes = (needs->buffers + 2) * layout->buf_size; /* buffers 0 and 1 are reserved */
    if (needs->buffers > UINT32_MAX - 2 || bytes > config->max_region)
        return NM_ENOMEM;
    layout->buf_num = (uint32_t)needs->buffers + 2;

    layout->ring_offset = round_up((uint64_t)layout->if_size * layout->if_num, NM_PAGE);
    layout->buf_offset = round_up(
        layout->ring_offset + (uint64_t)layout->ring_size * layout->ring_num, NM_PAGE);
    layout->memsize = round_up(layout->buf_offset + bytes, NM_PAGE);
    layout->total_size = layout->memsize;
    if (config->doors) {
        layout->door_offset = layout->memsize;
        layout->bell_offset =
            layout->door_offset + (uint64_t)layout->ring_num * sizeof(struct nm_door);
        layout->owner_offset =
            layout->bell_offset + (uint64_t)layout->ring_num * sizeof(struct nm_bell);
        layout->total_size = round_up(layout->owner_offset + 2ull * layout->buf_num, NM_PAGE);
    }
    if (layout->ring_num + layout->if_num > UINT16_MAX) /* owner tags */
        return NM_ENOMEM;
    return layout->total_size > config->max_region ? NM_ENOMEM : 0;
}

static void region_free(struct nm_region *region)
{
    struct nm_core *core = region->core;
    const struct nm_region_layout *layout = &region->layout;

    if (region->segment != NULL) {
        nm_os_segment_destroy(region->segment);
        core->memory_count[NM_MEM_SEGMENT]--;
        core->memory_bytes[NM_MEM_SEGMENT] -= layout->total_size;
        core->region_bytes -= layout->total_size;
        if (!core->config.doors)
            nm_free(core, region->owners, 2ull * layout->buf_num, NM_MEM_REGION);
    }
    nm_free(core, region->if_used, layout->if_num, NM_MEM_REGION);
    nm_free(core, region->ring_used, layout->ring_num, NM_MEM_REGION);
    nm_free(core, region->buf_state, layout->buf_num, NM_MEM_REGION);
    nm_free(core, region->buf_free, 4ull * layout->buf_num, NM_MEM_REGION);
    nm_free(core, region, sizeof(*region), NM_MEM_REGION);
}

static bool id_in_use(const struct nm_core *core, uint16_t id)
{
    for (const struct nm_region *region = core->regions; region != NULL; region = region->next)
        if (region->id == id)
            return true;
    return false;
}

int nm_region_create(struct nm_core *core, const struct nm_region_layout *layout,
                     struct nm_region **result)
{
    struct nm_region *region = nm_alloc(core, sizeof(*region), NM_MEM_REGION);

    if (region == NULL)
        return NM_ENOMEM;
    region->core = core;
    region->layout = *layout;
    region->references = 1;
    region->if_used = nm_alloc(core, layout->if_num, NM_MEM_REGION);
    region->ring_used = nm_alloc(core, layout->ring_num, NM_MEM_REGION);
    region->buf_state = nm_alloc(core, layout->buf_num, NM_MEM_REGION);
    region->buf_free = nm_alloc(core, 4ull * layout->buf_num, NM_MEM_REGION);
    if (region->if_used == NULL || region->ring_used == NULL || region->buf_state == NULL ||
        region->buf_free == NULL) {
        region_free(region);
        return NM_ENOMEM;
    }
    region->buf_fresh = 2; /* 0 and 1 are reserved */
    region->search = 2;
    /* Ids are taken in turn, so that a stale id does not soon name another region. */
    do {
        core->last_region_id = (uint16_t)(core->last_region_id + 1);
    } while (core->last_region_id <= NM_REGION_GLOBAL || id_in_use(core, core->last_region_id));
    region->id = core->last_region_id;
    region->next = core->regions;
    core->regions = region;
    *result = region;
    return 0;
}

void nm_region_get(struct nm_region *region)
{
    region->references++;
}

void nm_region_put(struct nm_region *region)
{
    struct nm_region **link;

    if (--region->references > 0)
        return;
    for (link = &region->core->regions; *link != region; link = &(*link)->next)
        ;
    *link = region->next;
    region_free(region);
}

struct nm_region *nm_region_find(struct nm_core *core, uint16_t id)
{
    struct nm_region *region = core->regions;

    while (region != NULL && region->id != id)
        region = region->next;
    return region;
}

int nm_region_activate(struct nm_region *region)
{
    struct nm_core *core = region->core;
    const struct nm_region_layout *layout = &region->layout;
    void *base;
    int error;

    if (region->segment != NULL)
        return 0;
    if (core->region_bytes + layout->total_size > core->config.max_memory)
        return NM_ENOMEM;
    if (!core->config.doors) {
        region->owners = nm_alloc(core, 2ull * layout->buf_num, NM_MEM_REGION);
        if (region->owners == NULL)
            return NM_ENOMEM;
    }
    error = nm_os_segment_create(&region->segment, layout->total_size, &base);
    if (error != 0) {
        region->segment = NULL;
        if (!core->config.doors) {
            nm_free(core, region->owners, 2ull * layout->buf_num, NM_MEM_REGION);
            region->owners = NULL;
        }
        return error;
    }
    region->base = base;
    if (core->config.doors)
        region->owners = (uint16_t *)(void *)(region->base + layout->owner_offset);
    core->memory_count[NM_MEM_SEGMENT]++;
    core->memory_bytes[NM_MEM_SEGMENT] += layout->total_size;
    core->region_bytes += layout->total_size;
    return 0;
}

static uint32_t take_object(uint8_t *used, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (used[i] == 0) {
            used[i] = 1;
            return i;
        }
    }
    return NM_NO_OBJECT;
}

struct netmap_if *nm_region_if(struct nm_region *region, uint32_t object)
{
    return (struct netmap_if *)(void *)(region->base + (uint64_t)object * region->layout.if_size);
}

struct netmap_ring *nm_region_ring(struct nm_region *region, uint32_t object)
{
    return (struct netmap_ring *)(void *)(region->base + region->layout.ring_offset +
                                          (uint64_t)object * region->layout.ring_size);
}

struct nm_door *nm_region_door(struct nm_region *region, uint32_t object)
{
    if (!region->core->config.doors)
        return NULL;
    return (struct nm_door *)(void *)(region->base + region->layout.door_offset) + object;
}

struct nm_bell *nm_region_bell(struct nm_region *region, uint32_t object)
{
    if (!region->core->config.doors)
        return NULL;
    return (struct nm_bell *)(void *)(region->base + region->layout.bell_offset) + object;
}

uint16_t *nm_region_owners(struct nm_region *region)
{
    return region->owners;
}

uint8_t *nm_region_buf(struct nm_region *region, uint32_t index)
{
    return region->base + region->layout.buf_offset + (uint64_t)index * region->layout.buf_size;
}

uint32_t nm_region_if_alloc(struct nm_region *region)
{
    uint32_t object = take_object(region->if_used, region->layout.if_num);

    if (object == NM_NO_OBJECT)
        return object;
    memset(nm_region_if(region, object), 0, region->layout.if_size);
    return object;
}

void nm_region_if_free(struct nm_region *region, uint32_t object)
{
    region->if_used[object] = 0;
}

uint32_t nm_region_ring_alloc(struct nm_region *region)
{
    uint32_t object = take_object(region->ring_used, region->layout.ring_num);

    if (object == NM_NO_OBJECT)
        return object;
    memset(nm_region_ring(region, object), 0, region->layout.ring_size);
    if (region->core->config.doors) {
        struct nm_door *door = nm_region_door(region, object);

        memset(door, 0, sizeof(*door));
        nm_door_disarm(&door->head_event);
        nm_door_disarm(&door->tail_event);
        memset(nm_region_bell(region, object), 0, sizeof(struct nm_bell));
    }
    return object;
}

void nm_region_ring_free(struct nm_region *region, uint32_t object)
{
    region->ring_used[object] = 0;
}

uint32_t nm_region_buf_alloc(struct nm_region *region, uint16_t owner)
{
    uint32_t index;

    if (region->buf_free_count > 0)
        index = region->buf_free[--region->buf_free_count];
    else if (region->buf_fresh < region->layout.buf_num)
        index = region->buf_fresh++;
    else
        return NM_NO_OBJECT;
    if ((region->buf_state[index] & NM_BUF_DIRTY) != 0)
        memset(nm_region_buf(region, index), 0, region->layout.buf_size);
    region->buf_state[index] = NM_BUF_ALLOCATED | NM_BUF_DIRTY;
    nm_store16(&region->owners[index], owner);
    return index;
}

void nm_region_buf_free(struct nm_region *region, uint32_t index)
{
    region->buf_state[index] = NM_BUF_DIRTY;
    nm_store16(&region->owners[index], 0);
    region->buf_free[region->buf_free_count++] = index;
}
