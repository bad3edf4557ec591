/* Descriptors: open, close, and what a host needs to map a port's memory. PASSIVE. */
#include "core/control.h"
#include "core/region.h"

struct nm_handle *nm_handle_open(struct nm_core *core)
{
    struct nm_handle *handle = nm_alloc(core, sizeof(*handle), NM_MEM_HANDLE);

    if (handle == NULL)
        return NULL;
    handle->core = core;
    nm_os_mutex_lock(&core->control);
    handle->next = core->handles;
    core->handles = handle;
    nm_os_mutex_unlock(&core->control);
    return handle;
}

void nm_handle_close(struct nm_handle *handle)
{
    struct nm_core *core = handle->core;
    struct nm_handle **link = &core->handles;

    nm_os_mutex_lock(&core->control);
    nm_unregister(handle);
    while (*link != handle)
        link = &(*link)->next;
    *link = handle->next;
    nm_os_mutex_unlock(&core->control);
    nm_free(core, handle, sizeof(*handle), NM_MEM_HANDLE);
}

struct nm_os_segment *nm_handle_segment(const struct nm_handle *handle, uint64_t *memsize,
                                        uint64_t *total_size)
{
    const struct nm_region *region;

    if (handle->adapter == NULL)
        return NULL;
    region = handle->adapter->region;
    *memsize = region->layout.memsize;
    *total_size = region->layout.total_size;
    return region->segment;
}
