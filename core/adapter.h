/* Adapters: finding or making the port a request names, and bringing its rings to life. */
#ifndef NM_CORE_ADAPTER_H
#define NM_CORE_ADAPTER_H

#include "core/core.h"

/* What a request asks of a port that does not exist yet; 0 means the default. */
struct nm_port_wish {
    struct nm_ring_geometry geometry;
    uint32_t num_extra; /* extra buffers the region should have room for */
    uint16_t region_id; /* share this region; 0: a private one */
};

/* The port of that name, made if need be, with a reference for the caller. Order of look-up: pipe,
 * VALE, NIC. 0; NM_EINVAL (name, geometry), NM_ENXIO (no such NIC, no switch left), NM_ENOMEM.
 * Control lock. */
int nm_adapter_get(struct nm_handle *handle, const char *name, const struct nm_port_wish *wish,
                   struct nm_adapter **adapter);
void nm_adapter_put(struct nm_adapter *adapter);

/* One more descriptor uses the port's rings: the first creates them and connects the port. 0, or
 * an error with nothing left behind. Control lock. */
int nm_adapter_activate(struct nm_handle *handle, struct nm_adapter *adapter);
/* One less: the last disconnects the port and gives the rings' memory back. */
void nm_adapter_deactivate(struct nm_adapter *adapter);

/* Netmap's default geometry of the region that NICs share, for requests without a name. */
void nm_adapter_global_layout(uint64_t *memsize, uint32_t counts[3], uint32_t sizes[3]);

#endif
