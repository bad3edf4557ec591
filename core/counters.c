/* NM_OP_COUNTERS: the counters of one ring. PASSIVE, control lock held. */
#include "core/control.h"
#include "core/name.h"
#include "core/pipe.h"

static struct nm_adapter *find_port(struct nm_handle *handle, const char *name)
{
    struct nm_adapter *adapter = handle->core->adapters;

    if (name[0] == '\0')
        return handle->adapter;
    while (adapter != NULL && !nm_name_equal(adapter->name, name))
        adapter = adapter->next;
    return adapter;
}

int nm_counters_get(struct nm_handle *handle, struct nm_request_counters *request)
{
    struct nm_adapter *adapter;
    const struct nm_kring *kring;
    int direction = request->is_tx != 0 ? NM_TX : NM_RX;

    request->name[sizeof(request->name) - 1] = '\0';
    adapter = find_port(handle, request->name);
    if (adapter == NULL || adapter->krings[direction] == NULL)
        return nm_fail(handle, NM_ENXIO, "%s: no such port is open", request->name);
    if (request->ring >= adapter->geometry.num_rings[direction])
        return nm_fail(handle, NM_EINVAL, "%s has no %s ring %u", adapter->name,
                       direction == NM_TX ? "tx" : "rx", request->ring);
    kring = &adapter->krings[direction][request->ring];
    memset(&request->counters, 0, sizeof(request->counters));
    request->counters.frames = nm_load64(&kring->counters.frames);
    request->counters.bytes = nm_load64(&kring->counters.bytes);
    request->counters.resets = nm_load64(&kring->counters.resets);
    if (kring->door != NULL) /* the client edge checks head and cur, and counts there */
        request->counters.resets += nm_load64(&kring->door->resets);
    for (int cause = 0; cause < NM_DROP_CAUSES; cause++)
        request->counters.drops[cause] = nm_load64(&kring->counters.drops[cause]);
    if (kring->door != NULL && adapter->kind == NM_PORT_PIPE)
        request->counters.frames = nm_pipe_door_frames(kring);
    return 0;
}
