#include "harness.h"

#include <net/netmap_user.h>

bool port_open(struct port *port, const char *name)
{
    struct netmap_win_map map;
    uint64_t offset = 0;
    int error;

    port->device = device_open();
    error = device_register_at(port->device, name, 0, &offset);
    if (error != 0 ||
        device_call(port->device, NETMAP_WIN_MAP, NULL, 0, &map, sizeof(map), NULL) != 0) {
        test_fail(__FILE__, __LINE__, "cannot open %s: error %d", name, error);
        CloseHandle(port->device);
        return false;
    }
    port->memory = (uint8_t *)(uintptr_t)map.address;
    port->nifp = NETMAP_IF(port->memory, offset);
    port->tx = NETMAP_TXRING(port->nifp, 0);
    port->rx = NETMAP_RXRING(port->nifp, 0);
    return true;
}

void port_close(struct port *port)
{
    CloseHandle(port->device);
}

bool port_put(struct port *port)
{
    struct netmap_ring *ring = port->tx;
    uint8_t *frame;

    if (nm_ring_empty(ring))
        return false;
    frame = (uint8_t *)NETMAP_BUF(ring, ring->slot[ring->head].buf_idx);
    memset(frame, 0xff, 6);
    memset(frame + 6, 2, 54);
    ring->slot[ring->head].len = 60;
    ring->head = ring->cur = nm_ring_next(ring, ring->head);
    return true;
}

unsigned port_take(struct port *port)
{
    unsigned count = 0;

    CHECK_EQUAL(device_call(port->device, NETMAP_WIN_RXSYNC, NULL, 0, NULL, 0, NULL), 0);
    while (!nm_ring_empty(port->rx)) {
        port->rx->head = port->rx->cur = nm_ring_next(port->rx, port->rx->head);
        count++;
    }
    CHECK_EQUAL(device_call(port->device, NETMAP_WIN_RXSYNC, NULL, 0, NULL, 0, NULL), 0);
    return count;
}
