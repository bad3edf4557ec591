/* Adapters: VALE ports, pipes and their parents. Everything here holds the control lock. */
#include "core/adapter.h"
#include "core/name.h"
#include "core/pipe.h"
#include "core/region.h"
#include "core/ring.h"
#include "core/vale.h"

static struct nm_adapter *find_adapter(struct nm_core *core, const char *name)
{
    struct nm_adapter *adapter = core->adapters;

    while (adapter != NULL && !nm_name_equal(adapter->name, name))
        adapter = adapter->next;
    return adapter;
}

static struct nm_adapter *new_adapter(struct nm_core *core, enum nm_port_kind kind,
                                      const char *name)
{
    struct nm_adapter *adapter = nm_alloc(core, sizeof(*adapter), NM_MEM_ADAPTER);

    if (adapter == NULL)
        return NULL;
    adapter->core = core;
    adapter->kind = kind;
    adapter->references = 1;
    nm_name_copy(adapter->name, name);
    adapter->next = core->adapters;
    core->adapters = adapter;
    return adapter;
}

static void free_adapter(struct nm_adapter *adapter)
{
    struct nm_adapter **link = &adapter->core->adapters;

    while (*link != adapter)
        link = &(*link)->next;
    *link = adapter->next;
    if (adapter->bridge != NULL)
        nm_switch_put(adapter->bridge);
    if (adapter->region != NULL)
        nm_region_put(adapter->region);
    nm_free(adapter->core, adapter, sizeof(*adapter), NM_MEM_ADAPTER);
}

/* ---- geometry ---- */

static int check_geometry(struct nm_handle *handle, const char *name,
                          const struct nm_port_wish *wish, uint32_t max_rings,
                          struct nm_ring_geometry *geometry)
{
    static const char *const direction_names[2] = {"tx", "rx"};

    *geometry = wish->geometry;
    for (int direction = 0; direction < 2; direction++) {
        uint32_t *slots = &geometry->num_slots[direction];
        uint32_t *rings = &geometry->num_rings[direction];

        if (*slots == 0)
            *slots = handle->core->config.vale_slots;
        if (*rings == 0)
            *rings = 1;
        if (*slots < NM_MIN_SLOTS || *slots > NM_MAX_SLOTS)
            return nm_fail(handle, NM_EINVAL, "%s: %u %s slots asked for; a ring has %u to %u",
                           name, *slots, direction_names[direction], NM_MIN_SLOTS, NM_MAX_SLOTS);
        if (*rings > max_rings)
            return nm_fail(handle, NM_EINVAL, "%s: %u %s rings asked for; such a port has 1 to %u",
                           name, *rings, direction_names[direction], max_rings);
    }
    return 0;
}

static void add_rings(struct nm_region_needs *needs, const struct nm_ring_geometry *geometry,
                      uint32_t times)
{
    uint32_t rings = geometry->num_rings[NM_TX] + geometry->num_rings[NM_RX];

    for (int direction = 0; direction < 2; direction++) {
        if (geometry->num_slots[direction] > needs->max_slots)
            needs->max_slots = geometry->num_slots[direction];
        needs->buffers += (uint64_t)geometry->num_rings[direction] *
                          geometry->num_slots[direction] * times;
    }
    needs->rings += rings * times;
    if (rings > needs->rings_per_if)
        needs->rings_per_if = rings;
}

/*
 * A region for a new port, or for a parent whose first pipe has the given geometry: its own rings,
 * that pipe, and room for default_pipes more (address space only, where the system allots pages on
 * first use).
 */
static int make_region(struct nm_handle *handle, struct nm_adapter *adapter,
                       const struct nm_ring_geometry *pipe, const struct nm_port_wish *wish)
{
    struct nm_core *core = handle->core;
    struct nm_ring_geometry usual = {{1, 1}, {core->config.vale_slots, core->config.vale_slots}};
    struct nm_region_needs needs;
    struct nm_region_layout layout;
    int error;

    if (wish->region_id != 0) {
        struct nm_region *region = nm_region_find(core, wish->region_id);

        if (region == NULL)
            return nm_fail(handle, NM_EINVAL, "%s: there is no memory region %u", adapter->name,
                           wish->region_id);
        nm_region_get(region);
        adapter->region = region;
        return 0;
    }
    memset(&needs, 0, sizeof(needs));
    add_rings(&needs, &adapter->geometry, 1);
    add_rings(&needs, &usual, 2 * core->config.default_pipes);
    if (pipe != NULL)
        add_rings(&needs, pipe, 2);
    needs.buffers += wish->num_extra;
    error = nm_region_layout_private(core, &needs, &layout);
    if (error != 0)
        return nm_fail(handle, error,
                       "%s: %llu buffers of %u bytes exceed the limit of %llu MiB for one region; "
                       "ask for fewer rings, slots or extra buffers",
                       adapter->name, (unsigned long long)needs.buffers, core->config.buf_size,
                       (unsigned long long)(core->config.max_region >> 20));
    error = nm_region_create(core, &layout, &adapter->region);
    if (error != 0)
        return nm_fail(handle, error, "%s: no memory to manage a region of %llu MiB",
                       adapter->name, (unsigned long long)(layout.total_size >> 20));
    return 0;
}

/* ---- VALE ports and parents ---- */

static int make_vale(struct nm_handle *handle, const struct nm_name *name,
                     const struct nm_port_wish *wish, const struct nm_ring_geometry *pipe,
                     struct nm_adapter **result)
{
    struct nm_ring_geometry geometry;
    struct nm_adapter *adapter;
    int error = check_geometry(handle, name->base, wish, NM_VALE_RINGS, &geometry);

    if (error != 0)
        return error;
    adapter = new_adapter(handle->core, NM_PORT_VALE, name->base);
    if (adapter == NULL)
        return nm_fail(handle, NM_ENOMEM, "%s: no memory for the port", name->base);
    adapter->geometry = geometry;
    error = nm_switch_get(handle, name->bridge, &adapter->bridge);
    if (error == 0)
        error = make_region(handle, adapter, pipe, wish);
    if (error != 0) {
        free_adapter(adapter);
        return error;
    }
    *result = adapter;
    return 0;
}

static int make_parent(struct nm_handle *handle, const struct nm_name *name,
                       const struct nm_port_wish *wish, const struct nm_ring_geometry *pipe,
                       struct nm_adapter **result)
{
    struct nm_adapter *adapter = new_adapter(handle->core, NM_PORT_PARENT, name->base);
    int error;

    if (adapter == NULL)
        return nm_fail(handle, NM_ENOMEM, "%s: no memory for the port", name->base);
    error = make_region(handle, adapter, pipe, wish);
    if (error != 0) {
        free_adapter(adapter);
        return error;
    }
    *result = adapter;
    return 0;
}

/* ---- pipes ---- */

static void free_pipe(struct nm_pipe *pipe)
{
    for (int role = 0; role < 2; role++)
        if (pipe->ends[role] != NULL)
            free_adapter(pipe->ends[role]);
    pipe->parent->num_pipes--;
    nm_adapter_put(pipe->parent);
    nm_free(pipe->core, pipe, sizeof(*pipe), NM_MEM_PIPE);
}

static void end_name(char *text, const struct nm_name *name, int role)
{
    char whole[2 * NM_NAME_SIZE];
    uint32_t length = 0;

    for (const char *c = name->base; *c != '\0'; c++)
        whole[length++] = *c;
    whole[length++] = role == NM_PIPE_MASTER ? '{' : '}';
    for (const char *c = name->pipe_id; *c != '\0'; c++)
        whole[length++] = *c;
    whole[length] = '\0';
    nm_name_copy(text, whole);
}

static int make_ends(struct nm_pipe *pipe, const struct nm_name *name,
                     const struct nm_ring_geometry *geometry)
{
    for (int role = 0; role < 2; role++) {
        bool mirrored = role != name->pipe_role;
        char text[NM_NAME_SIZE];
        struct nm_adapter *end;

        end_name(text, name, role);
        end = new_adapter(pipe->core, NM_PORT_PIPE, text);
        if (end == NULL)
            return NM_ENOMEM;
        end->references = 0; /* counted when looked up; the pipe owns its ends */
        pipe->ends[role] = end;
        end->pipe = pipe;
        end->pipe_role = (uint8_t)role;
        end->parent = pipe->parent;
        end->region = pipe->parent->region;
        nm_region_get(end->region);
        for (int direction = 0; direction < 2; direction++) {
            int of = mirrored ? !direction : direction;

            end->geometry.num_rings[direction] = geometry->num_rings[of];
            end->geometry.num_slots[direction] = geometry->num_slots[of];
        }
    }
    return 0;
}

static int check_room(struct nm_handle *handle, const char *name, const struct nm_adapter *parent,
                      const struct nm_ring_geometry *geometry)
{
    uint32_t rings = geometry->num_rings[NM_TX] + geometry->num_rings[NM_RX];

    if (sizeof(struct netmap_if) + 8ull * rings > parent->region->layout.if_size)
        return nm_fail(handle, NM_ENOMEM,
                       "%s: %u rings do not fit the if_size %u of region %u, which '%s' was opened "
                       "with; open it with as many rings",
                       name, rings, parent->region->layout.if_size, parent->region->id,
                       parent->name);
    for (int direction = 0; direction < 2; direction++) {
        uint32_t bytes = (uint32_t)sizeof(struct netmap_ring) + 16 * geometry->num_slots[direction];

        if (bytes > parent->region->layout.ring_size)
            return nm_fail(handle, NM_ENOMEM,
                           "%s: %u slots do not fit the ring_size %u of region %u, which '%s' was "
                           "opened with; open it with as many slots",
                           name, geometry->num_slots[direction], parent->region->layout.ring_size,
                           parent->region->id, parent->name);
    }
    if (parent->num_pipes >= NM_PIPES)
        return nm_fail(handle, NM_EBUSY, "%s: '%s' has %u pipes already, no more are possible",
                       name, parent->name, NM_PIPES);
    return 0;
}

static int make_pipe(struct nm_handle *handle, const struct nm_name *name,
                     const struct nm_port_wish *wish, const char *text,
                     struct nm_adapter **result)
{
    struct nm_core *core = handle->core;
    struct nm_adapter *parent = find_adapter(core, name->base);
    struct nm_port_wish parent_wish = *wish;
    struct nm_ring_geometry geometry;
    struct nm_pipe *pipe;
    int error = check_geometry(handle, text, wish, NM_MAX_RINGS, &geometry);

    if (error != 0)
        return error;
    memset(&parent_wish.geometry, 0, sizeof(parent_wish.geometry));
    if (parent != NULL)
        parent->references++;
    else if (name->is_vale)
        error = make_vale(handle, name, &parent_wish, &geometry, &parent);
    else
        error = make_parent(handle, name, &parent_wish, &geometry, &parent);
    if (error != 0)
        return error;
    error = check_room(handle, text, parent, &geometry);
    if (error == 0) {
        pipe = nm_alloc(core, sizeof(*pipe), NM_MEM_PIPE);
        if (pipe != NULL) {
            pipe->core = core;
            pipe->parent = parent;
            parent->num_pipes++;
            nm_name_copy(pipe->id, name->pipe_id);
            if (make_ends(pipe, name, &geometry) == 0) {
                *result = pipe->ends[name->pipe_role];
                (*result)->references = 1;
                return 0;
            }
            free_pipe(pipe);
            return nm_fail(handle, NM_ENOMEM, "%s: no memory for the pipe", text);
        }
        error = nm_fail(handle, NM_ENOMEM, "%s: no memory for the pipe", text);
    }
    nm_adapter_put(parent);
    return error;
}

/* ---- look-up ---- */

int nm_adapter_get(struct nm_handle *handle, const char *text, const struct nm_port_wish *wish,
                   struct nm_adapter **result)
{
    struct nm_adapter *adapter = find_adapter(handle->core, text);
    struct nm_name name;
    int error = nm_name_parse(handle, text, &name);

    if (error != 0)
        return error;
    if (adapter != NULL && adapter->kind != NM_PORT_PARENT) {
        if (wish->region_id != 0 && wish->region_id != adapter->region->id)
            return nm_fail(handle, NM_EINVAL, "%s uses memory region %u, not %u", text,
                           adapter->region->id, wish->region_id);
        adapter->references++;
        *result = adapter;
        return 0;
    }
    if (name.is_pipe)
        return make_pipe(handle, &name, wish, text, result);
    if (name.is_vale)
        return make_vale(handle, &name, wish, NULL, result);
    return nm_fail(handle, NM_ENXIO,
                   "%s: there is no such interface; use vale<switch>:<port>, or <name>{<id> for a "
                   "pipe",
                   text);
}

void nm_adapter_put(struct nm_adapter *adapter)
{
    adapter->references--;
    if (adapter->kind == NM_PORT_PIPE) {
        struct nm_pipe *pipe = adapter->pipe;

        if (pipe->ends[0]->references == 0 && pipe->ends[1]->references == 0)
            free_pipe(pipe);
    } else if (adapter->references == 0) {
        free_adapter(adapter);
    }
}

/* ---- rings ---- */

static int create_rings(struct nm_adapter *adapter)
{
    int error = nm_krings_create(adapter, NM_TX);

    if (error == 0) {
        error = nm_krings_create(adapter, NM_RX);
        if (error != 0)
            nm_krings_delete(adapter, NM_TX);
    }
    return error;
}

static void delete_forwards(struct nm_adapter *adapter)
{
    struct nm_kring *krings = adapter->krings[NM_TX];

    for (uint32_t i = 0; krings != NULL && i < adapter->geometry.num_rings[NM_TX]; i++)
        nm_free(adapter->core, krings[i].forward, nm_forward_size(), NM_MEM_SCRATCH);
}

static void delete_rings(struct nm_adapter *adapter)
{
    delete_forwards(adapter);
    nm_krings_delete(adapter, NM_TX);
    nm_krings_delete(adapter, NM_RX);
}

static int create_vale_rings(struct nm_adapter *adapter)
{
    int error = create_rings(adapter);

    if (error != 0)
        return error;
    for (uint32_t i = 0; i < adapter->geometry.num_rings[NM_TX]; i++) {
        struct nm_forward *forward =
            nm_alloc(adapter->core, nm_forward_size(), NM_MEM_SCRATCH);

        if (forward == NULL) {
            delete_rings(adapter);
            return NM_ENOMEM;
        }
        nm_forward_init(forward);
        adapter->krings[NM_TX][i].forward = forward;
    }
    error = nm_switch_attach(adapter->bridge, adapter);
    if (error != 0)
        delete_rings(adapter);
    return error;
}

/* The buffers an end begins with are its own: a peer that hands one of them back is found out. */
static void tag_buffers(struct nm_adapter *end)
{
    uint16_t *owners = nm_region_owners(end->region);

    for (int direction = 0; direction < 2; direction++) {
        for (uint32_t i = 0; i < end->geometry.num_rings[direction]; i++) {
            const struct nm_kring *kring = &end->krings[direction][i];

            for (uint32_t slot = 0; slot < kring->num_slots; slot++) {
                uint32_t index = nm_load32(&kring->ring->slot[slot].buf_idx);

                if (index < kring->num_buffers) /* others may scribble already */
                    nm_store16(&owners[index], end->owner_tag);
            }
        }
    }
}

/* Both ends' rings exist while one end is open. */
static int create_pipe_rings(struct nm_pipe *pipe)
{
    int error = create_rings(pipe->ends[0]);

    if (error == 0) {
        error = create_rings(pipe->ends[1]);
        if (error != 0)
            delete_rings(pipe->ends[0]);
    }
    for (int role = 0; error == 0 && role < 2; role++) {
        struct nm_adapter *end = pipe->ends[role];

        end->owner_tag = (uint16_t)(pipe->parent->region->layout.if_num + 1 +
                                    end->krings[NM_TX][0].ring_object);
        tag_buffers(end);
    }
    return error;
}

static bool rings_needed(const struct nm_adapter *adapter)
{
    if (adapter->kind == NM_PORT_PIPE)
        return adapter->pipe->ends[0]->active > 0 || adapter->pipe->ends[1]->active > 0;
    return adapter->active > 0;
}

static int fail_activation(struct nm_handle *handle, const struct nm_adapter *adapter, int error)
{
    const struct nm_region_layout *layout = &adapter->region->layout;

    if (error == NM_ENOSPC)
        return nm_fail(handle, error, "%s: switch %s has %u ports already, no more are possible",
                       adapter->name, adapter->bridge->name, NM_VALE_PORTS);
    if (adapter->region->segment == NULL)
        return nm_fail(handle, error,
                       "%s: a region of %llu MiB is more than this machine gives now; ask for "
                       "fewer slots or close other ports",
                       adapter->name, (unsigned long long)(layout->total_size >> 20));
    return nm_fail(handle, error,
                   "%s: region %u has no room for these rings (%u buffers, %u rings in all); "
                   "raise default_pipes, or open the parent with more",
                   adapter->name, adapter->region->id, layout->buf_num, layout->ring_num);
}

int nm_adapter_activate(struct nm_handle *handle, struct nm_adapter *adapter)
{
    int error = nm_region_activate(adapter->region);

    if (error == 0 && !rings_needed(adapter)) {
        if (adapter->kind == NM_PORT_PIPE)
            error = create_pipe_rings(adapter->pipe);
        else
            error = create_vale_rings(adapter);
    }
    if (error != 0)
        return fail_activation(handle, adapter, error);
    if (adapter->active++ == 0) {
        adapter->bell = adapter->krings[NM_TX][0].ring_object;
        nm_os_rings_start(adapter);
    }
    return 0;
}

void nm_adapter_deactivate(struct nm_adapter *adapter)
{
    if (--adapter->active > 0)
        return;
    nm_os_rings_stop(adapter);
    if (adapter->kind == NM_PORT_PIPE) {
        if (!rings_needed(adapter)) {
            for (int role = 0; role < 2; role++) {
                delete_rings(adapter->pipe->ends[role]);
                nm_region_untag(adapter->region, adapter->pipe->ends[role]->owner_tag);
            }
        }
    } else {
        nm_switch_detach(adapter->bridge, adapter);
        delete_rings(adapter);
    }
}

void nm_adapter_global_layout(uint64_t *memsize, uint32_t counts[3], uint32_t sizes[3])
{
    static const uint32_t number[3] = {100, 200, 163840};
    static const uint32_t size[3] = {1024, 36864, 2048};

    *memsize = 0;
    for (int i = 0; i < 3; i++) {
        counts[i] = number[i];
        sizes[i] = size[i];
        *memsize += ((uint64_t)number[i] * size[i] + NM_PAGE - 1) / NM_PAGE * NM_PAGE;
    }
}
