/* Which buffers of a region have been seen. */
#include "tests/conformance/buffers.h"

#include <stdlib.h>

bool buffers_start(struct buffer_set *set, const struct port *port)
{
    set->limit = port_buffer_limit(port);
    set->seen = calloc(set->limit + 1u, 1);
    set->count = 0;
    return CHECK(set->seen != NULL) && CHECK(set->limit > 2);
}

void buffers_end(struct buffer_set *set)
{
    free(set->seen);
    set->seen = NULL;
}

bool buffers_add(struct buffer_set *set, uint32_t index, const char *what, unsigned ring,
                 unsigned slot)
{
    if (!CHECK_MSG(index >= 2 && index < set->limit, "%s %u slot %u: buffer %u, valid are 2..%u",
                   what, ring, slot, index, set->limit - 1))
        return false;
    if (!CHECK_MSG(!set->seen[index], "%s %u slot %u: buffer %u is somewhere else as well", what,
                   ring, slot, index))
        return false;
    set->seen[index] = 1;
    set->count++;
    return true;
}

static bool add_ring(struct buffer_set *set, const struct netmap_ring *ring, const char *what,
                     unsigned number)
{
    for (unsigned i = 0; i < ring->num_slots; i++)
        if (!buffers_add(set, ring->slot[i].buf_idx, what, number, i))
            return false;
    return true;
}

bool buffers_add_rings(struct buffer_set *set, const struct port *port)
{
    for (unsigned r = 0; r < port->nifp->ni_tx_rings; r++)
        if (!add_ring(set, tx_ring(port, r), "tx ring", r))
            return false;
    for (unsigned r = 0; r < port->nifp->ni_rx_rings; r++)
        if (!add_ring(set, rx_ring(port, r), "rx ring", r))
            return false;
    return true;
}

uint32_t buffers_add_extra(struct buffer_set *set, const struct port *port)
{
    struct netmap_ring *ring = tx_ring(port, 0);
    uint32_t index = port->nifp->ni_bufs_head;
    uint32_t count = 0;

    while (index != 0) {
        if (!buffers_add(set, index, "extra buffer", 0, count))
            break; /* also ends a list that loops */
        count++;
        memcpy(&index, NETMAP_BUF(ring, index), sizeof(index));
    }
    return count;
}

uint32_t buffers_pop(const struct port *port)
{
    uint32_t index = port->nifp->ni_bufs_head;

    if (index != 0)
        memcpy(&port->nifp->ni_bufs_head, NETMAP_BUF(tx_ring(port, 0), index), sizeof(index));
    return index;
}

void buffers_push(const struct port *port, uint32_t index)
{
    memcpy(NETMAP_BUF(tx_ring(port, 0), index), &port->nifp->ni_bufs_head, sizeof(index));
    port->nifp->ni_bufs_head = index;
}
