/* PORT_INFO_GET and POOLS_INFO_GET: the numbers of REGISTER without binding. */
#include "tests/conformance/ports.h"

static void check_same(const struct nmreq_port_info_get *info, const struct nmreq_register *reg)
{
    CHECK_EQ(info->nr_tx_slots, reg->nr_tx_slots);
    CHECK_EQ(info->nr_rx_slots, reg->nr_rx_slots);
    CHECK_EQ(info->nr_tx_rings, reg->nr_tx_rings);
    CHECK_EQ(info->nr_rx_rings, reg->nr_rx_rings);
    CHECK_EQ(info->nr_host_tx_rings, reg->nr_host_tx_rings);
    CHECK_EQ(info->nr_host_rx_rings, reg->nr_host_rx_rings);
}

TEST(info_of_an_open_port, 10)
{
    struct port *port = port_open_with("vale1:a", .nr_tx_rings = 3, .nr_rx_rings = 2,
                                       .nr_tx_slots = 100, .nr_rx_slots = 200);
    struct nmreq_port_info_get info = {0};
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(port != NULL && fd >= 0);
    CHECK_ERR(request_send(fd, NETMAP_REQ_PORT_INFO_GET, "vale1:a", &info), 0);
    check_same(&info, &port->reg);
    CHECK_EQ(info.nr_memsize, port->reg.nr_memsize);
    CHECK_EQ(info.nr_mem_id, port->reg.nr_mem_id);
    /* Also on the descriptor that is bound to it. */
    memset(&info, 0, sizeof(info));
    CHECK_ERR(request_send(port->fd, NETMAP_REQ_PORT_INFO_GET, "vale1:a", &info), 0);
    check_same(&info, &port->reg);
    close(fd);
}

TEST(info_of_a_port_nobody_has_open, 10)
{
    struct nmreq_port_info_get info = {0};
    struct port *port;
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(fd >= 0);
    CHECK_ERR(request_send(fd, NETMAP_REQ_PORT_INFO_GET, "vale1:a", &info), 0);
    port = port_open("vale1:a");
    REQUIRE(port != NULL);
    check_same(&info, &port->reg);
    CHECK_EQ(info.nr_memsize, port->reg.nr_memsize);
    close(fd);
}

TEST(info_does_not_bind, 10)
{
    struct nmreq_port_info_get info = {0};
    struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC, .nr_flags = NR_EXCLUSIVE};
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(fd >= 0);
    CHECK_ERR(request_send(fd, NETMAP_REQ_PORT_INFO_GET, "vale1:a", &info), 0);
    CHECK_EQ(ioctl(fd, NIOCTXSYNC, NULL), -1);
    CHECK_ERR(register_outcome("vale1:a", &reg), 0);
    CHECK_ERR(request_send(fd, NETMAP_REQ_REGISTER, "vale1:b", &reg), 0);
    close(fd);
}

TEST(info_of_a_pipe, 10)
{
    struct port *port = port_open_with("x{1", .nr_tx_slots = 64, .nr_rx_slots = 128);
    struct nmreq_port_info_get info = {0};
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(port != NULL && fd >= 0);
    CHECK_ERR(request_send(fd, NETMAP_REQ_PORT_INFO_GET, "x{1", &info), 0);
    check_same(&info, &port->reg);
    CHECK_EQ(info.nr_mem_id, port->reg.nr_mem_id);
    close(fd);
}

TEST(info_of_nothing, 10)
{
    struct nmreq_port_info_get info = {0};
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(fd >= 0);
    CHECK_ERR(request_send(fd, NETMAP_REQ_PORT_INFO_GET, "nosuchnic0", &info), ENXIO);
    CHECK_ERR(request_send(fd, NETMAP_REQ_PORT_INFO_GET, "vale1:", &info), EINVAL);
    CHECK_ERR(request_send(fd, NETMAP_REQ_PORT_INFO_GET, "x{", &info), EINVAL);
    close(fd);
}

TEST(info_of_a_region, 10)
{
    struct port *port = port_open("vale1:a");
    struct nmreq_port_info_get info = {0};
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(port != NULL && fd >= 0);
    info.nr_mem_id = port->reg.nr_mem_id;
    CHECK_ERR(request_send(fd, NETMAP_REQ_PORT_INFO_GET, "", &info), 0);
    CHECK_EQ(info.nr_memsize, port->reg.nr_memsize);
    CHECK_EQ(info.nr_mem_id, port->reg.nr_mem_id);
    close(fd);
}

static void check_pools(const struct nmreq_pools_info *pools, const struct port *port)
{
    const struct netmap_ring *ring = tx_ring(port, 0);
    uint64_t ring_at = (uint64_t)((const char *)ring - port->memory);
    uint64_t buffers_at = ring_at + (uint64_t)ring->buf_ofs;
    uint64_t ring_bytes =
        sizeof(struct netmap_ring) + (uint64_t)ring->num_slots * sizeof(struct netmap_slot);
    uint32_t limit = pools->nr_buf_pool_objtotal;

    CHECK_EQ(pools->nr_memsize, port->reg.nr_memsize);
    CHECK_EQ(pools->nr_mem_id, port->reg.nr_mem_id);

    CHECK_EQ(pools->nr_if_pool_offset, 0);
    CHECK_MSG(pools->nr_if_pool_objsize >= sizeof(struct netmap_if) + 2 * sizeof(int64_t),
              "netmap_if objects of %u bytes", pools->nr_if_pool_objsize);
    CHECK_MSG(pools->nr_if_pool_objtotal >= 1, "no netmap_if objects");
    REQUIRE(pools->nr_if_pool_objsize > 0 && pools->nr_ring_pool_objsize > 0);
    CHECK_EQ((port->reg.nr_offset - pools->nr_if_pool_offset) % pools->nr_if_pool_objsize, 0);
    CHECK_MSG(pools->nr_if_pool_offset +
                      (uint64_t)pools->nr_if_pool_objtotal * pools->nr_if_pool_objsize <=
                  pools->nr_ring_pool_offset,
              "the netmap_if pool reaches into the ring pool");

    CHECK_MSG(pools->nr_ring_pool_objsize >= ring_bytes,
              "ring objects of %u bytes, a ring has %llu", pools->nr_ring_pool_objsize,
              (unsigned long long)ring_bytes);
    CHECK_EQ((ring_at - pools->nr_ring_pool_offset) % pools->nr_ring_pool_objsize, 0);
    CHECK_MSG((ring_at - pools->nr_ring_pool_offset) / pools->nr_ring_pool_objsize <
                  pools->nr_ring_pool_objtotal,
              "tx ring 0 is not in the ring pool");
    CHECK_MSG(pools->nr_ring_pool_offset +
                      (uint64_t)pools->nr_ring_pool_objtotal * pools->nr_ring_pool_objsize <=
                  pools->nr_buf_pool_offset,
              "the ring pool reaches into the buffer pool");

    CHECK_EQ(pools->nr_buf_pool_offset, buffers_at);
    CHECK_EQ(pools->nr_buf_pool_objsize, ring->nr_buf_size);
    CHECK_MSG(pools->nr_buf_pool_offset + (uint64_t)limit * pools->nr_buf_pool_objsize <=
                  pools->nr_memsize,
              "%u buffers of %u bytes at %llu do not fit into %llu", limit,
              pools->nr_buf_pool_objsize, (unsigned long long)pools->nr_buf_pool_offset,
              (unsigned long long)pools->nr_memsize);
    CHECK_MSG(limit >= port->reg.nr_tx_rings * port->reg.nr_tx_slots +
                           port->reg.nr_rx_rings * port->reg.nr_rx_slots + port->reg.nr_extra_bufs +
                           2,
              "%u buffers are fewer than the port has in use", limit);
    for (unsigned i = 0; i < ring->num_slots; i++)
        if (!CHECK_MSG(ring->slot[i].buf_idx >= 2 && ring->slot[i].buf_idx < limit,
                       "tx slot %u: buffer %u of %u", i, ring->slot[i].buf_idx, limit))
            break;
}

TEST(pools_of_an_open_port, 10)
{
    struct port *port = port_open_with("vale1:a", .nr_tx_rings = 2, .nr_rx_rings = 2,
                                       .nr_tx_slots = 100, .nr_rx_slots = 200, .nr_extra_bufs = 10);
    struct nmreq_pools_info pools = {0};
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(port != NULL && fd >= 0);
    CHECK_ERR(request_send(fd, NETMAP_REQ_POOLS_INFO_GET, "vale1:a", &pools), 0);
    check_pools(&pools, port);
    memset(&pools, 0, sizeof(pools));
    CHECK_ERR(request_send(port->fd, NETMAP_REQ_POOLS_INFO_GET, "vale1:a", &pools), 0);
    check_pools(&pools, port);
    close(fd);
}

TEST(pools_by_region, 10)
{
    struct port *port = port_open("x{1");
    struct nmreq_pools_info pools = {0};
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(port != NULL && fd >= 0);
    pools.nr_mem_id = port->reg.nr_mem_id;
    CHECK_ERR(request_send(fd, NETMAP_REQ_POOLS_INFO_GET, "", &pools), 0);
    check_pools(&pools, port);
    close(fd);
}

TEST(pools_of_nothing, 10)
{
    struct nmreq_pools_info pools = {0};
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(fd >= 0);
    CHECK_ERR(request_send(fd, NETMAP_REQ_POOLS_INFO_GET, "nosuchnic0", &pools), ENXIO);
    CHECK_ERR(request_send(fd, NETMAP_REQ_POOLS_INFO_GET, "vale1:", &pools), EINVAL);
    close(fd);
}
