/* Switches: creation, and the published table of ports. All of it under the control lock. */
#include "core/name.h"
#include "core/vale.h"

static void switch_free(struct nm_switch *bridge)
{
    struct nm_core *core = bridge->core;

    nm_free(core, bridge->ports, sizeof(*bridge->ports), NM_MEM_SWITCH);
    nm_free(core, bridge->macs.entries, nm_mac_table_size(), NM_MEM_SWITCH);
    nm_free(core, bridge, sizeof(*bridge), NM_MEM_SWITCH);
}

static struct nm_switch *switch_new(struct nm_core *core, const char *name)
{
    struct nm_switch *bridge = nm_alloc(core, sizeof(*bridge), NM_MEM_SWITCH);

    if (bridge == NULL)
        return NULL;
    bridge->core = core;
    nm_name_copy(bridge->name, name);
    bridge->ports = nm_alloc(core, sizeof(*bridge->ports), NM_MEM_SWITCH);
    bridge->macs.entries = nm_alloc(core, nm_mac_table_size(), NM_MEM_SWITCH);
    if (bridge->ports == NULL || bridge->macs.entries == NULL) {
        switch_free(bridge);
        return NULL;
    }
    return bridge;
}

int nm_switch_get(struct nm_handle *handle, const char *name, struct nm_switch **result)
{
    struct nm_core *core = handle->core;
    uint32_t vacant = core->config.max_bridges;
    struct nm_switch *bridge;

    for (uint32_t i = 0; i < core->config.max_bridges; i++) {
        bridge = core->switches[i];
        if (bridge == NULL) {
            if (vacant == core->config.max_bridges)
                vacant = i;
        } else if (nm_name_equal(bridge->name, name)) {
            bridge->references++;
            *result = bridge;
            return 0;
        }
    }
    if (vacant == core->config.max_bridges)
        return nm_fail(handle, NM_ENXIO,
                       "%s: all %u switches are in use; raise max_bridges or close some", name,
                       core->config.max_bridges);
    bridge = switch_new(core, name);
    if (bridge == NULL)
        return nm_fail(handle, NM_ENOMEM, "%s: no memory for another switch", name);
    bridge->references = 1;
    bridge->index = vacant;
    core->switches[vacant] = bridge;
    *result = bridge;
    return 0;
}

void nm_switch_put(struct nm_switch *bridge)
{
    if (--bridge->references > 0)
        return;
    bridge->core->switches[bridge->index] = NULL;
    switch_free(bridge);
}

static void publish(struct nm_switch *bridge, struct nm_port_table *table)
{
    struct nm_port_table *old = bridge->ports;

    nm_store_pointer_release((void **)&bridge->ports, table);
    nm_epoch_wait(&bridge->core->epoch);
    nm_free(bridge->core, old, sizeof(*old), NM_MEM_SWITCH);
}

int nm_switch_attach(struct nm_switch *bridge, struct nm_adapter *adapter)
{
    struct nm_port_table *table;
    uint32_t index = 0;

    while (index < NM_VALE_PORTS && bridge->ports->port[index] != NULL)
        index++;
    if (index == NM_VALE_PORTS)
        return NM_ENOSPC;
    table = nm_alloc(bridge->core, sizeof(*table), NM_MEM_SWITCH);
    if (table == NULL)
        return NM_ENOMEM;
    memcpy(table, bridge->ports, sizeof(*table));
    table->port[index] = adapter;
    table->active[table->num_active++] = (uint16_t)index;
    adapter->port_index = (uint16_t)index;
    adapter->attached = true;
    publish(bridge, table);
    return 0;
}

/* Attach needs memory for a new table and may fail; detach must not, so it edits the table in
 * place: a reader sees the port or does not, and the epoch waits out those that do. */
void nm_switch_detach(struct nm_switch *bridge, struct nm_adapter *adapter)
{
    struct nm_port_table *table = bridge->ports;
    struct nm_port_table *copy = nm_alloc(bridge->core, sizeof(*copy), NM_MEM_SWITCH);
    uint32_t i = 0;

    if (copy != NULL) {
        memcpy(copy, table, sizeof(*copy));
        copy->port[adapter->port_index] = NULL;
        while (copy->active[i] != adapter->port_index)
            i++;
        copy->active[i] = copy->active[--copy->num_active];
        publish(bridge, copy);
    } else {
        nm_store_pointer_release((void **)&table->port[adapter->port_index], NULL);
        nm_epoch_wait(&bridge->core->epoch);
        while (table->active[i] != adapter->port_index)
            i++;
        /* Readers may walk the list meanwhile: they meet an index twice or a port that is gone. */
        nm_store16(&table->active[i], table->active[table->num_active - 1]);
        nm_store32_release(&table->num_active, table->num_active - 1);
    }
    adapter->attached = false;
    nm_mac_forget_port(&bridge->macs, (uint8_t)adapter->port_index);
}
