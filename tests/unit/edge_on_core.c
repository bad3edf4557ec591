/* See edge_on_core.h. What netmapd tells a client (fill_attach), from the core's objects. */
#include "tests/unit/edge_on_core.h"
#include "core/pipe.h"
#include "core/region.h"

#include <stdlib.h>
#include <string.h>

static void fill_layout(struct nm_attach *attach, const struct nm_handle *handle)
{
    const struct nm_adapter *adapter = handle->adapter;
    const struct nm_region_layout *layout = &adapter->region->layout;

    attach->kind = adapter->kind == NM_PORT_PIPE ? NM_ATTACH_PIPE : NM_ATTACH_VALE;
    attach->num_buffers = layout->buf_num;
    attach->buffer_size = layout->buf_size;
    attach->ring_size = layout->ring_size;
    attach->memsize = layout->memsize;
    attach->total_size = layout->total_size;
    attach->ring_offset = layout->ring_offset;
    attach->door_offset = layout->door_offset;
    attach->bell_offset = layout->bell_offset;
    attach->owner_offset = layout->owner_offset;
    attach->flags = handle->flags;
    attach->bell = adapter->bell;
    memcpy(attach->name, adapter->name, sizeof(attach->name));
    if (adapter->kind == NM_PORT_PIPE) {
        const struct nm_adapter *peer = adapter->pipe->ends[!adapter->pipe_role];

        attach->peer_bell = peer->krings[NM_TX][0].ring_object;
        attach->own_tag = adapter->owner_tag;
        attach->peer_tag = peer->owner_tag;
    }
}

bool edge_on_core(struct edge *edge, struct edge_map *map, const struct nm_handle *handle)
{
    const struct nm_adapter *adapter = handle->adapter;
    struct nm_attach *attach =
        calloc(1, sizeof(*attach) + 2 * NM_MAX_RINGS * sizeof(struct nm_attach_ring));
    uint32_t at = 0;

    if (attach == NULL)
        return false;
    memset(edge, 0, sizeof(*edge));
    fill_layout(attach, handle);
    for (int direction = 0; direction < 2; direction++) {
        uint32_t first = handle->first_ring[direction];

        attach->num_slots[direction] = adapter->geometry.num_slots[direction];
        attach->first_ring[direction] = (uint16_t)first;
        attach->num_rings[direction] = (uint16_t)(handle->end_ring[direction] - first);
        for (uint32_t i = 0; i < attach->num_rings[direction]; i++) {
            const struct nm_kring *kring = &adapter->krings[direction][first + i];

            attach->rings[at].object = kring->ring_object;
            attach->rings[at++].peer_object = adapter->kind == NM_PORT_PIPE
                                                  ? nm_pipe_peer(kring)->ring_object
                                                  : NM_NO_OBJECT;
        }
        edge->rings[direction] =
            calloc(attach->num_rings[direction] + 1u, sizeof(struct edge_ring));
    }
    if (edge->rings[0] != NULL && edge->rings[1] != NULL) {
        pthread_mutex_init(&edge->lock, NULL);
        map->base = adapter->region->base;
        map->total_size = attach->total_size;
        map->memsize = attach->memsize;
        edge->map = map;
        edge->fd = -1;
        edge->event_fd = -1;
        edge_rings_init(edge, attach);
        edge->bound = true;
    }
    free(attach);
    return edge->bound;
}

void edge_off_core(struct edge *edge)
{
    if (edge->bound)
        pthread_mutex_destroy(&edge->lock);
    free(edge->rings[0]);
    free(edge->rings[1]);
    memset(edge, 0, sizeof(*edge));
}
