/* REGISTER, PORT_INFO_GET, POOLS_INFO_GET. PASSIVE, control lock held. */
#include "core/adapter.h"
#include "core/control.h"
#include "core/pipe.h"
#include "core/region.h"
#include "core/ring.h"

static bool all_rings(uint32_t mode)
{
    return mode == NR_REG_DEFAULT || mode == NR_REG_ALL_NIC || mode == NR_REG_PIPE_MASTER ||
           mode == NR_REG_PIPE_SLAVE;
}

/* Which rings a mode and its flags bind. */
static int choose_rings(struct nm_handle *handle, const struct nm_adapter *adapter,
                        const struct nmreq_register *reg)
{
    uint32_t mode = reg->nr_mode & NR_REG_MASK;

    for (int direction = 0; direction < 2; direction++) {
        uint32_t number = adapter->geometry.num_rings[direction];

        if (all_rings(mode)) {
            handle->first_ring[direction] = 0;
            handle->end_ring[direction] = (uint16_t)number;
        } else if (mode == NR_REG_ONE_NIC) {
            uint32_t ring = reg->nr_ringid & NETMAP_RING_MASK;

            if (ring >= adapter->geometry.num_rings[NM_TX] &&
                ring >= adapter->geometry.num_rings[NM_RX])
                return nm_fail(handle, NM_EINVAL, "%s has no ring %u: tx rings %u, rx rings %u",
                               adapter->name, ring, adapter->geometry.num_rings[NM_TX],
                               adapter->geometry.num_rings[NM_RX]);
            handle->first_ring[direction] = (uint16_t)(ring < number ? ring : number);
            handle->end_ring[direction] = (uint16_t)(ring < number ? ring + 1 : number);
        } else {
            return nm_fail(handle, NM_EINVAL,
                           "%s: mode %u asks for host rings, which only a NIC has",
                           adapter->name, mode);
        }
    }
    if ((reg->nr_flags & NR_RX_RINGS_ONLY) != 0)
        handle->end_ring[NM_TX] = handle->first_ring[NM_TX];
    if ((reg->nr_flags & NR_TX_RINGS_ONLY) != 0)
        handle->end_ring[NM_RX] = handle->first_ring[NM_RX];
    return 0;
}

/* Bound rings, or none of them: exclusive means alone, in both directions of time. */
static int claim_rings(struct nm_handle *handle, struct nm_adapter *adapter, bool exclusive)
{
    for (int direction = 0; direction < 2; direction++) {
        for (uint32_t i = handle->first_ring[direction]; i < handle->end_ring[direction]; i++) {
            const struct nm_kring *kring = &adapter->krings[direction][i];

            if (kring->exclusive || (exclusive && kring->users > 0))
                return nm_fail(handle, NM_EBUSY,
                               "%s: %s ring %u is in use%s; close the other program first",
                               adapter->name, direction == NM_TX ? "tx" : "rx", i,
                               kring->exclusive ? " exclusively" : "");
        }
    }
    for (int direction = 0; direction < 2; direction++) {
        for (uint32_t i = handle->first_ring[direction]; i < handle->end_ring[direction]; i++) {
            struct nm_kring *kring = &adapter->krings[direction][i];

            if (kring->users == 0)
                nm_kring_rewind(kring, adapter->kind == NM_PORT_PIPE ? nm_pipe_peer(kring) : NULL);
            nm_store16(&kring->users, (uint16_t)(kring->users + 1));
            kring->exclusive = exclusive;
        }
    }
    return 0;
}

static void release_rings(struct nm_handle *handle)
{
    for (int direction = 0; direction < 2; direction++) {
        for (uint32_t i = handle->first_ring[direction]; i < handle->end_ring[direction]; i++) {
            struct nm_kring *kring = &handle->adapter->krings[direction][i];

            nm_store16(&kring->users, (uint16_t)(kring->users - 1));
            kring->exclusive = false;
        }
    }
}

/* Chain extra buffers from ni_bufs_head, as many of those asked for as the region has. */
static uint32_t give_extra(struct nm_handle *handle, uint32_t wanted)
{
    struct nm_region *region = handle->adapter->region;
    uint32_t given = 0, head = 0;

    for (; given < wanted; given++) {
        uint32_t index = nm_region_buf_alloc(region, nm_handle_tag(handle));

        if (index == NM_NO_OBJECT)
            break;
        nm_store32((uint32_t *)(void *)nm_region_buf(region, index), head);
        head = index;
    }
    nm_store32(&handle->netmap_if->ni_bufs_head, head);
    return given;
}

/* ring_ofs: tx rings, then rx rings (host rings between them, when a port has any). */
static void fill_netmap_if(struct nm_handle *handle)
{
    struct nm_adapter *adapter = handle->adapter;
    struct netmap_if image, *netmap_if = handle->netmap_if;
    uint32_t at = 0;

    memset(&image, 0, sizeof(image));
    for (uint32_t i = 0; i < sizeof(image.ni_name) - 1 && adapter->name[i] != '\0'; i++)
        image.ni_name[i] = adapter->name[i];
    *(uint32_t *)(uintptr_t)&image.ni_version = NETMAP_API;
    *(uint32_t *)(uintptr_t)&image.ni_flags =
        adapter->region->id == NM_REGION_GLOBAL ? 0 : NI_PRIV_MEM;
    *(uint32_t *)(uintptr_t)&image.ni_tx_rings = adapter->geometry.num_rings[NM_TX];
    *(uint32_t *)(uintptr_t)&image.ni_rx_rings = adapter->geometry.num_rings[NM_RX];
    memcpy(netmap_if, &image, sizeof(image));
    for (int direction = 0; direction < 2; direction++) {
        for (uint32_t i = 0; i < adapter->geometry.num_rings[direction]; i++) {
            int64_t offset = (uint8_t *)adapter->krings[direction][i].ring - (uint8_t *)netmap_if;

            nm_store64((uint64_t *)(uintptr_t)&netmap_if->ring_ofs[at++], (uint64_t)offset);
        }
    }
}

static void fill_reply(const struct nm_handle *handle, struct nmreq_register *reg)
{
    const struct nm_adapter *adapter = handle->adapter;

    reg->nr_offset = (uint64_t)handle->if_object * adapter->region->layout.if_size;
    reg->nr_memsize = adapter->region->layout.memsize;
    reg->nr_tx_slots = adapter->geometry.num_slots[NM_TX];
    reg->nr_rx_slots = adapter->geometry.num_slots[NM_RX];
    reg->nr_tx_rings = (uint16_t)adapter->geometry.num_rings[NM_TX];
    reg->nr_rx_rings = (uint16_t)adapter->geometry.num_rings[NM_RX];
    reg->nr_host_tx_rings = 0;
    reg->nr_host_rx_rings = 0;
    reg->nr_mem_id = adapter->region->id;
    reg->nr_extra_bufs = handle->num_extra;
}

static int check_flags(struct nm_handle *handle, const char *name,
                       const struct nmreq_register *reg)
{
    if ((reg->nr_flags & (NR_MONITOR_TX | NR_MONITOR_RX | NR_ZCOPY_MON)) != 0)
        return nm_fail(handle, NM_EOPNOTSUPP, "%s: monitors are not there yet", name);
    if ((reg->nr_mode & NR_REG_MASK) == NR_REG_NULL)
        return nm_fail(handle, NM_EOPNOTSUPP, "%s: null ports are not there yet", name);
    if ((reg->nr_mode & NR_REG_MASK) > NR_REG_ONE_SW)
        return nm_fail(handle, NM_EINVAL, "%s: there is no mode %u", name,
                       reg->nr_mode & NR_REG_MASK);
    if (reg->nr_extra_bufs > NM_MAX_EXTRA)
        return nm_fail(handle, NM_ENOMEM, "%s: %u extra buffers asked for, %u at most", name,
                       reg->nr_extra_bufs, NM_MAX_EXTRA);
    return 0;
}

/* The adapter is found and referenced; make its rings live and bind them. */
static int bind(struct nm_handle *handle, struct nm_adapter *adapter,
                const struct nmreq_register *reg)
{
    uint32_t object;
    int error = choose_rings(handle, adapter, reg);

    if (error == 0)
        error = nm_adapter_activate(handle, adapter);
    if (error != 0)
        return error;
    object = nm_region_if_alloc(adapter->region);
    if (object == NM_NO_OBJECT)
        error = nm_fail(handle, NM_ENOMEM, "%s: region %u is open %u times, the most it can be",
                        adapter->name, adapter->region->id, adapter->region->layout.if_num);
    else
        error = claim_rings(handle, adapter, (reg->nr_flags & NR_EXCLUSIVE) != 0);
    if (error != 0) {
        if (object != NM_NO_OBJECT)
            nm_region_if_free(adapter->region, object);
        nm_adapter_deactivate(adapter);
        return error;
    }
    handle->adapter = adapter;
    handle->if_object = object;
    handle->netmap_if = nm_region_if(adapter->region, object);
    handle->mode = reg->nr_mode;
    handle->flags = reg->nr_flags;
    return 0;
}

static void wish_from(const struct nmreq_register *reg, struct nm_port_wish *wish)
{
    wish->geometry.num_slots[NM_TX] = reg->nr_tx_slots;
    wish->geometry.num_slots[NM_RX] = reg->nr_rx_slots;
    wish->geometry.num_rings[NM_TX] = reg->nr_tx_rings;
    wish->geometry.num_rings[NM_RX] = reg->nr_rx_rings;
    wish->num_extra = reg->nr_extra_bufs;
    wish->region_id = reg->nr_mem_id;
}

int nm_register(struct nm_handle *handle, const char *name, struct nmreq_register *reg)
{
    struct nm_adapter *adapter;
    struct nm_port_wish wish;
    int error;

    if (handle->adapter != NULL)
        return nm_fail(handle, NM_EBUSY, "%s: this descriptor is bound to %s already; open another",
                       name, handle->adapter->name);
    error = check_flags(handle, name, reg);
    if (error != 0)
        return error;
    wish_from(reg, &wish);
    error = nm_adapter_get(handle, name, &wish, &adapter);
    if (error != 0)
        return error;
    error = bind(handle, adapter, reg);
    if (error != 0) {
        nm_adapter_put(adapter);
        return error;
    }
    fill_netmap_if(handle);
    handle->num_extra = give_extra(handle, reg->nr_extra_bufs);
    fill_reply(handle, reg);
    return 0;
}

/* Frames committed before the end are delivered: the program saw its sync return. */
static void drain(struct nm_handle *handle)
{
    struct nm_adapter *adapter = handle->adapter;

    if (adapter->kind == NM_PORT_PIPE || !adapter->core->config.doors)
        return; /* moved in the program's own sync */
    for (uint32_t i = handle->first_ring[NM_TX]; i < handle->end_ring[NM_TX]; i++)
        for (uint32_t round = 0; round < NM_MAX_SLOTS; round++)
            if (nm_kring_run(&adapter->krings[NM_TX][i], NM_MAX_SLOTS) == 0)
                break;
}

void nm_unregister(struct nm_handle *handle)
{
    struct nm_adapter *adapter = handle->adapter;

    if (adapter == NULL)
        return;
    drain(handle);
    if (adapter->kind == NM_PORT_PIPE)
        nm_pipe_repair_rings(handle);
    release_rings(handle);
    if (handle->num_extra > 0)
        nm_region_sweep(adapter->region, NULL, 0, handle, handle->num_extra);
    if (adapter->kind == NM_PORT_PIPE && adapter->active == 1)
        nm_pipe_end_closed(adapter);
    nm_region_if_free(adapter->region, handle->if_object);
    handle->adapter = NULL;
    handle->netmap_if = NULL;
    nm_adapter_deactivate(adapter);
    nm_adapter_put(adapter);
}

/* ---- information ---- */

int nm_port_info_get(struct nm_handle *handle, const char *name,
                     struct nmreq_port_info_get *info)
{
    struct nm_adapter *adapter;
    struct nm_port_wish wish;
    int error;

    if (name[0] == '\0') {
        struct nmreq_pools_info pools;

        memset(&pools, 0, sizeof(pools));
        pools.nr_mem_id = info->nr_mem_id;
        error = nm_pools_info_get(handle, name, &pools);
        memset(info, 0, sizeof(*info));
        info->nr_memsize = pools.nr_memsize;
        info->nr_mem_id = pools.nr_mem_id;
        return error;
    }
    memset(&wish, 0, sizeof(wish));
    wish.geometry.num_slots[NM_TX] = info->nr_tx_slots;
    wish.geometry.num_slots[NM_RX] = info->nr_rx_slots;
    wish.geometry.num_rings[NM_TX] = info->nr_tx_rings;
    wish.geometry.num_rings[NM_RX] = info->nr_rx_rings;
    wish.region_id = info->nr_mem_id;
    error = nm_adapter_get(handle, name, &wish, &adapter);
    if (error != 0)
        return error;
    info->nr_memsize = adapter->region->layout.memsize;
    info->nr_tx_slots = adapter->geometry.num_slots[NM_TX];
    info->nr_rx_slots = adapter->geometry.num_slots[NM_RX];
    info->nr_tx_rings = (uint16_t)adapter->geometry.num_rings[NM_TX];
    info->nr_rx_rings = (uint16_t)adapter->geometry.num_rings[NM_RX];
    info->nr_host_tx_rings = 0;
    info->nr_host_rx_rings = 0;
    info->nr_mem_id = adapter->region->id;
    nm_adapter_put(adapter);
    return 0;
}

static void pools_of_global(struct nmreq_pools_info *info)
{
    uint32_t counts[3], sizes[3];
    uint64_t memsize;

    nm_adapter_global_layout(&memsize, counts, sizes);
    info->nr_memsize = memsize;
    info->nr_mem_id = NM_REGION_GLOBAL;
    info->nr_if_pool_offset = 0;
    info->nr_if_pool_objtotal = counts[0];
    info->nr_if_pool_objsize = sizes[0];
    info->nr_ring_pool_offset = ((uint64_t)counts[0] * sizes[0] + NM_PAGE - 1) / NM_PAGE * NM_PAGE;
    info->nr_ring_pool_objtotal = counts[1];
    info->nr_ring_pool_objsize = sizes[1];
    info->nr_buf_pool_offset = info->nr_memsize - (uint64_t)counts[2] * sizes[2];
    info->nr_buf_pool_objtotal = counts[2];
    info->nr_buf_pool_objsize = sizes[2];
}

static void pools_of(const struct nm_region *region, struct nmreq_pools_info *info)
{
    const struct nm_region_layout *layout = &region->layout;

    info->nr_memsize = layout->memsize;
    info->nr_mem_id = region->id;
    info->nr_if_pool_offset = 0;
    info->nr_if_pool_objtotal = layout->if_num;
    info->nr_if_pool_objsize = layout->if_size;
    info->nr_ring_pool_offset = layout->ring_offset;
    info->nr_ring_pool_objtotal = layout->ring_num;
    info->nr_ring_pool_objsize = layout->ring_size;
    info->nr_buf_pool_offset = layout->buf_offset;
    info->nr_buf_pool_objtotal = layout->buf_num;
    info->nr_buf_pool_objsize = layout->buf_size;
}

int nm_pools_info_get(struct nm_handle *handle, const char *name, struct nmreq_pools_info *info)
{
    struct nm_adapter *adapter;
    struct nm_port_wish wish;
    int error;

    memset(&wish, 0, sizeof(wish));
    wish.region_id = info->nr_mem_id;
    if (name[0] == '\0') {
        struct nm_region *region = nm_region_find(handle->core, info->nr_mem_id);

        if (region != NULL)
            pools_of(region, info);
        else if (info->nr_mem_id <= NM_REGION_GLOBAL)
            pools_of_global(info);
        else
            return nm_fail(handle, NM_EINVAL, "there is no memory region %u", info->nr_mem_id);
        return 0;
    }
    error = nm_adapter_get(handle, name, &wish, &adapter);
    if (error != 0)
        return error;
    pools_of(adapter->region, info);
    nm_adapter_put(adapter);
    return 0;
}
