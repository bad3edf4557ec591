/* Ports on the fake host; see unit.h. */
#include "tests/unit/unit.h"

void core_config(struct nm_config *config, bool doors)
{
    nm_config_defaults(config);
    config->vale_slots = 16;
    config->default_pipes = 2;
    config->if_num = 16;
    config->doors = doors;
}

void core_begin_with(struct nm_core *core, const struct nm_config *config)
{
    fake_forget();
    memset(core, 0, sizeof(*core));
    assert_int_equal(nm_core_start(core, config), 0);
}

void core_begin(struct nm_core *core, bool doors)
{
    struct nm_config config;

    core_config(&config, doors);
    core_begin_with(core, &config);
}

void core_end(struct nm_core *core)
{
    assert_null(core->handles);
    assert_null(core->adapters);
    assert_null(core->regions);
    assert_int_equal(core->region_bytes, 0);
    assert_int_equal(nm_core_stop(core), 0);
    for (int kind = 0; kind < NM_MEM_KINDS; kind++) {
        assert_int_equal(core->memory_count[kind], 0);
        assert_int_equal(core->memory_bytes[kind], 0);
    }
    assert_int_equal(fake.errors, 0);
    assert_int_equal(fake.starts, fake.stops);
    fake_assert_empty();
}

/* ---- open, request, close ---- */

int port_request(struct nm_handle *handle, uint16_t reqtype, const char *name, void *body,
                 char *message)
{
    static struct nm_request request;
    struct nmreq_header header;
    int error;

    memset(&header, 0, sizeof(header));
    header.nr_version = NETMAP_API;
    header.nr_reqtype = reqtype;
    snprintf(header.nr_name, sizeof(header.nr_name), "%s", name);
    header.nr_body = (uintptr_t)body;
    assert_int_equal(nm_request_pack(&request, &header), 0);
    error = nm_control(handle, &request, request.size);
    assert_int_equal(request.error, error);
    if (error != 0)
        assert_int_not_equal(request.message[0], '\0'); /* every error says something */
    if (message != NULL)
        memcpy(message, request.message, NM_REQUEST_MESSAGE);
    nm_request_unpack(&request, &header);
    return error;
}

int port_try(struct port *port, struct nm_core *core, const char *name,
             const struct nmreq_register *wish)
{
    uint64_t memsize, total;
    int error;

    memset(port, 0, sizeof(*port));
    port->core = core;
    port->handle = nm_handle_open(core);
    if (port->handle == NULL)
        return NM_ENOMEM;
    if (wish != NULL)
        port->reg = *wish;
    if (port->reg.nr_mode == NR_REG_DEFAULT)
        port->reg.nr_mode = NR_REG_ALL_NIC;
    error = port_request(port->handle, NETMAP_REQ_REGISTER, name, &port->reg, port->message);
    if (error != 0) {
        assert_null(port->handle->adapter);
        nm_handle_close(port->handle);
        port->handle = NULL;
        return error;
    }
    assert_non_null(nm_handle_segment(port->handle, &memsize, &total));
    assert_int_equal(memsize, port->reg.nr_memsize);
    assert_true(total >= memsize);
    assert_true(port->reg.nr_offset + sizeof(struct netmap_if) <= memsize);
    port->nif = (struct netmap_if *)(void *)(port->handle->adapter->region->base +
                                             port->reg.nr_offset);
    assert_ptr_equal(port->nif, port->handle->netmap_if);
    if (core->config.doors)
        assert_true(edge_on_core(&port->edge, &port->map, port->handle));
    return 0;
}

void port_open_with(struct port *port, struct nm_core *core, const char *name,
                    struct nmreq_register wish)
{
    int error = port_try(port, core, name, &wish);

    if (error != 0)
        fail_msg("%s: error %d: %s", name, error, port->message);
}

void port_open(struct port *port, struct nm_core *core, const char *name)
{
    port_open_with(port, core, name, (struct nmreq_register){.nr_mode = NR_REG_ALL_NIC});
}

void port_close(struct port *port)
{
    if (port->handle == NULL)
        return;
    nm_handle_close(port->handle);
    port->handle = NULL;
    edge_off_core(&port->edge);
}

/* ---- rings ---- */

static struct netmap_ring *ring_at(const struct port *port, uint32_t index)
{
    return (struct netmap_ring *)(void *)((uint8_t *)port->nif + port->nif->ring_ofs[index]);
}

struct netmap_ring *tx_ring(const struct port *port, uint32_t ring)
{
    return ring_at(port, ring);
}

struct netmap_ring *rx_ring(const struct port *port, uint32_t ring)
{
    return ring_at(port, port->nif->ni_tx_rings + ring);
}

uint32_t ring_next(const struct netmap_ring *ring, uint32_t index)
{
    return index + 1 == ring->num_slots ? 0 : index + 1;
}

uint32_t ring_room(const struct netmap_ring *ring)
{
    return nm_ring_distance(ring->cur, ring->tail, ring->num_slots);
}

struct nm_kring *tx_kring(const struct port *port, uint32_t ring)
{
    return &port->handle->adapter->krings[NM_TX][ring];
}

struct nm_kring *rx_kring(const struct port *port, uint32_t ring)
{
    return &port->handle->adapter->krings[NM_RX][ring];
}

uint8_t *slot_buffer(const struct port *port, const struct netmap_slot *slot)
{
    const struct nm_region *region = port->handle->adapter->region;

    assert_true(slot->buf_idx >= 2 && slot->buf_idx < region->layout.buf_num);
    return region->base + region->layout.buf_offset +
           (uint64_t)slot->buf_idx * region->layout.buf_size;
}

/* What netmapd's worker does with a tx ring: until nothing is pending. */
static void run_kring(struct nm_kring *kring)
{
    while (nm_kring_run(kring, kring->adapter->core->config.bridge_batch) > 0)
        ;
    assert_int_equal(nm_load64(&kring->door->head), kring->head_count);
}

int port_txsync(struct port *port)
{
    struct nm_handle *handle = port->handle;
    int error = 0;

    if (!port->core->config.doors)
        return nm_handle_txsync(handle);
    for (uint32_t i = 0; i < port->edge.num_rings[NM_TX]; i++) {
        int result = edge_ring_txsync(&port->edge, &port->edge.rings[NM_TX][i], true);

        error = result != 0 ? result : error;
    }
    if (port->edge.kind == NM_ATTACH_PIPE)
        return error;
    for (uint32_t i = handle->first_ring[NM_TX]; i < handle->end_ring[NM_TX]; i++)
        run_kring(&handle->adapter->krings[NM_TX][i]);
    for (uint32_t i = 0; i < port->edge.num_rings[NM_TX]; i++) {
        int result = edge_ring_txsync(&port->edge, &port->edge.rings[NM_TX][i], true);

        error = result != 0 ? result : error;
    }
    return error;
}

int port_rxsync(struct port *port)
{
    int error = 0;

    if (!port->core->config.doors)
        return nm_handle_rxsync(port->handle);
    for (uint32_t i = 0; i < port->edge.num_rings[NM_RX]; i++) {
        int result = edge_ring_rxsync(&port->edge, &port->edge.rings[NM_RX][i]);

        error = result != 0 ? result : error;
    }
    return error;
}

uint64_t drops(const struct nm_kring *kring, unsigned cause)
{
    return kring->counters.drops[cause];
}

uint64_t all_drops(const struct nm_kring *kring)
{
    uint64_t sum = 0;

    for (int cause = 0; cause < NM_DROP_CAUSES; cause++)
        sum += kring->counters.drops[cause];
    return sum;
}

/* ---- frames ---- */

static void put_address(uint8_t *bytes, unsigned station)
{
    static const uint8_t all[6] = {255, 255, 255, 255, 255, 255};
    const uint8_t address[6] = {2, 0, 0, 0, (uint8_t)(station >> 8), (uint8_t)station};

    if (station == NOBODY)
        memset(bytes, 0, 6);
    else
        memcpy(bytes, station == BROADCAST ? all : address, 6);
}

static uint8_t pattern(uint32_t number, uint32_t at)
{
    return (uint8_t)(number * 31 + at * 7 + (at >> 8));
}

void frame_fill(uint8_t *bytes, uint32_t length, unsigned destination, unsigned source,
                uint32_t number)
{
    uint8_t header[HEADER + 4];

    put_address(header, destination);
    put_address(header + 6, source);
    header[12] = 0x88;
    header[13] = 0xb5;
    memcpy(header + HEADER, &number, sizeof(number));
    memcpy(bytes, header, length < sizeof(header) ? length : sizeof(header));
    for (uint32_t i = sizeof(header); i < length; i++)
        bytes[i] = pattern(number, i);
}

bool frame_good(const uint8_t *bytes, uint32_t length, uint32_t *number)
{
    *number = 0;
    if (length < HEADER + 4)
        return length >= HEADER;
    memcpy(number, bytes + HEADER, sizeof(*number));
    for (uint32_t i = HEADER + 4; i < length; i++)
        if (bytes[i] != pattern(*number, i))
            return false;
    return true;
}

bool put_slot(struct port *port, uint32_t ring, const uint8_t *bytes, uint32_t length,
              uint16_t flags)
{
    struct netmap_ring *to = tx_ring(port, ring);
    struct netmap_slot *slot = &to->slot[to->cur];

    if (ring_room(to) == 0)
        return false;
    if (bytes != NULL)
        memcpy(slot_buffer(port, slot), bytes, length);
    slot->len = (uint16_t)length;
    slot->flags = flags;
    to->head = to->cur = ring_next(to, to->cur);
    return true;
}

bool put_frame(struct port *port, uint32_t ring, unsigned destination, unsigned source,
               uint32_t number, uint32_t length)
{
    uint8_t bytes[2048];

    frame_fill(bytes, length, destination, source, number);
    return put_slot(port, ring, bytes, length, 0);
}

void send_frame(struct port *port, unsigned destination, unsigned source, uint32_t number)
{
    assert_true(put_frame(port, 0, destination, source, number, 60));
    assert_int_equal(port_txsync(port), 0);
}

bool take_slot(struct port *port, uint32_t ring, struct netmap_slot *slot, uint8_t *bytes)
{
    struct netmap_ring *from = rx_ring(port, ring);

    if (ring_room(from) == 0)
        return false;
    *slot = from->slot[from->cur];
    if (bytes != NULL)
        memcpy(bytes, slot_buffer(port, slot), slot->len);
    from->head = from->cur = ring_next(from, from->cur);
    return true;
}

unsigned take_all(struct port *port, uint32_t ring, uint32_t *numbers, unsigned most)
{
    struct netmap_slot slot;
    uint8_t bytes[2048];
    unsigned taken = 0;

    assert_int_equal(port_rxsync(port), 0);
    for (; take_slot(port, ring, &slot, bytes); taken++) {
        uint32_t number;

        assert_true(frame_good(bytes, slot.len, &number));
        if (numbers != NULL && taken < most)
            numbers[taken] = number;
    }
    assert_int_equal(port_rxsync(port), 0);
    return taken;
}

/* ---- buffers ---- */

uint32_t buffers_allocated(const struct nm_region *region)
{
    uint32_t number = 0;

    for (uint32_t i = 0; i < region->layout.buf_num; i++)
        if ((region->buf_state[i] & NM_BUF_ALLOCATED) != 0)
            number++;
    return number;
}

uint32_t buffers_held(const struct nm_core *core, const struct nm_region *region)
{
    uint32_t number = 0;

    for (const struct nm_adapter *a = core->adapters; a != NULL; a = a->next)
        for (int direction = 0; a->region == region && direction < 2; direction++)
            if (a->krings[direction] != NULL)
                number += a->geometry.num_rings[direction] * a->geometry.num_slots[direction];
    for (const struct nm_handle *h = core->handles; h != NULL; h = h->next)
        if (h->adapter != NULL && h->adapter->region == region)
            number += h->num_extra;
    return number;
}

static void see(const struct nm_region *region, uint8_t *seen, uint32_t index, const char *where)
{
    if (index < 2 || index >= region->layout.buf_num)
        fail_msg("buffer %u in %s is out of range", index, where);
    if ((region->buf_state[index] & NM_BUF_ALLOCATED) == 0)
        fail_msg("buffer %u in %s is free", index, where);
    if (seen[index]++ != 0)
        fail_msg("buffer %u in %s is in another place too", index, where);
}

void buffers_check(const struct nm_core *core, const struct nm_region *region,
                   const struct port *const *ports, unsigned number)
{
    uint8_t *seen = calloc(region->layout.buf_num, 1);

    assert_non_null(seen);
    for (const struct nm_adapter *a = core->adapters; a != NULL; a = a->next)
        for (int direction = 0; a->region == region && direction < 2; direction++)
            for (uint32_t i = 0; a->krings[direction] != NULL &&
                                 i < a->geometry.num_rings[direction]; i++)
                for (uint32_t s = 0; s < a->geometry.num_slots[direction]; s++)
                    see(region, seen, a->krings[direction][i].ring->slot[s].buf_idx, a->name);
    for (unsigned p = 0; p < number; p++) {
        uint32_t index = ports[p]->nif->ni_bufs_head, length = 0;

        for (; index != 0; length++) {
            see(region, seen, index, "a list");
            memcpy(&index, region->base + region->layout.buf_offset +
                               (uint64_t)index * region->layout.buf_size, sizeof(index));
        }
        assert_int_equal(length, ports[p]->reg.nr_extra_bufs);
    }
    assert_int_equal(buffers_allocated(region), buffers_held(core, region));
    free(seen);
}

uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}
