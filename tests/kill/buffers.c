/* Is every buffer in one place? See kill.h. */
#include "tests/kill/kill.h"

struct places {
    uint8_t *seen;
    uint32_t limit, number;
    char *why;
    size_t size;
    const struct netmap_ring *rings[600];
    unsigned num_rings;
};

static bool add(struct places *places, uint32_t index, const char *where)
{
    if (index < 2 || index >= places->limit) {
        snprintf(places->why, places->size, "buffer %u in %s: there is none", index, where);
        return false;
    }
    if (places->seen[index]++ != 0) {
        snprintf(places->why, places->size, "buffer %u in %s is in another place too", index,
                 where);
        return false;
    }
    places->number++;
    return true;
}

/* Each descriptor has a mapping of its own: a ring is known by its place in the region. */
static bool add_ring(struct places *places, const struct port *port, struct netmap_ring *ring)
{
    const struct netmap_ring *key =
        (const struct netmap_ring *)(uintptr_t)((uint8_t *)ring - port->memory);
    char where[64];

    for (unsigned i = 0; i < places->num_rings; i++)
        if (places->rings[i] == key)
            return true;
    places->rings[places->num_rings++] = key;
    for (uint32_t i = 0; i < ring->num_slots; i++) {
        snprintf(where, sizeof(where), "slot %u of %s ring %u of %s", i, ring->dir ? "rx" : "tx",
                 ring->ringid, port->nif->ni_name);
        if (!add(places, ring->slot[i].buf_idx, where))
            return false;
    }
    return true;
}

static bool add_list(struct places *places, const struct port *port)
{
    struct netmap_ring *ring = NETMAP_TXRING(port->nif, 0);
    uint32_t index = port->nif->ni_bufs_head;

    for (uint32_t i = 0; i < port->reg.nr_extra_bufs; i++) {
        if (!add(places, index, "a list of extra buffers"))
            return false;
        index = *(uint32_t *)(void *)NETMAP_BUF(ring, index);
    }
    return true;
}

uint32_t buffers_count(const struct port *const *ports, unsigned number, uint32_t limit,
                       char *why, size_t size)
{
    struct places places = {.seen = calloc(limit, 1), .limit = limit, .why = why, .size = size};
    bool good = places.seen != NULL;

    why[0] = '\0';
    for (unsigned p = 0; good && p < number; p++) {
        const struct port *port = ports[p];

        for (uint32_t i = 0; good && i < port->nif->ni_tx_rings; i++)
            good = add_ring(&places, port, NETMAP_TXRING(port->nif, i));
        for (uint32_t i = 0; good && i < port->nif->ni_rx_rings; i++)
            good = add_ring(&places, port, NETMAP_RXRING(port->nif, i));
        good = good && add_list(&places, port);
    }
    free(places.seen);
    return good ? places.number : 0;
}
