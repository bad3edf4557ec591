/*
 * VALE: learning Ethernet switches whose ports are netmap ports.
 *
 * A switch's ports are published as an immutable table: forwarding reads it inside an epoch, and
 * attaching or detaching a port publishes a new one and waits the old one out.
 */
#ifndef NM_CORE_VALE_H
#define NM_CORE_VALE_H

#include "core/core.h"
#include "core/vale_table.h"

struct nm_port_table {
    uint32_t num_active;
    uint16_t active[NM_VALE_PORTS];              /* port indices, no particular order */
    struct nm_adapter *port[NM_VALE_PORTS];      /* NULL: no such port */
};

struct nm_switch {
    struct nm_core *core;
    uint32_t index;          /* in core->switches */
    uint32_t references;     /* adapters that name it; control lock */
    char name[NM_NAME_SIZE]; /* "vale1" */
    struct nm_port_table *ports; /* published; writers hold the control lock */
    struct nm_mac_table macs;
};

/* Find the switch, or make it. A reference is taken. 0; NM_ENXIO when all max_bridges switches
 * are in use; NM_ENOMEM. PASSIVE, control lock. */
int nm_switch_get(struct nm_handle *handle, const char *name, struct nm_switch **result);
void nm_switch_put(struct nm_switch *bridge);

/* Connect an adapter whose rings exist; from then on frames are forwarded to it. 0; NM_ENOSPC when
 * the switch has NM_VALE_PORTS ports; NM_ENOMEM. PASSIVE, control lock. */
int nm_switch_attach(struct nm_switch *bridge, struct nm_adapter *adapter);
/* Disconnect: when it returns no forwarder can reach the adapter any more. Never fails. */
void nm_switch_detach(struct nm_switch *bridge, struct nm_adapter *adapter);

/* Scratch memory of the forwarder, one per tx ring of a VALE port. */
size_t nm_forward_size(void);

void nm_forward_init(struct nm_forward *forward);

/* Forward `number` slots of a tx ring, beginning at hwcur. Returns how many were taken: all of
 * them, or fewer when a chain was cut by the batch limit (call again with the rest); the slots
 * taken have been delivered or dropped. `final` says that no slot follows these, so that an
 * unfinished chain is an error. ANY; the tx ring's lock held. */
uint32_t nm_vale_forward(struct nm_kring *kring, uint32_t number, bool final);

#endif
