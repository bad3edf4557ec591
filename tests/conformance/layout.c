/* What a program finds in the region: netmap_if, rings, buffers, extra buffers. */
#include "tests/conformance/buffers.h"

static void check_ring(const struct port *port, struct netmap_ring *ring, unsigned id, unsigned dir)
{
    const char *what = dir == 0 ? "tx" : "rx";
    uint64_t at = (uint64_t)((char *)ring - port->memory);
    uint32_t slots = dir == 0 ? port->reg.nr_tx_slots : port->reg.nr_rx_slots;
    int64_t buffers = (int64_t)at + ring->buf_ofs;

    REQUIRE_MSG(at + sizeof(*ring) + (uint64_t)slots * sizeof(struct netmap_slot) <=
                    port->reg.nr_memsize,
                "%s ring %u at %llu ends outside the region", what, id, (unsigned long long)at);
    CHECK_MSG((uintptr_t)ring % NM_CACHE_ALIGN == 0, "%s ring %u is not aligned to 128", what, id);
    CHECK_EQ(ring->ringid, id);
    CHECK_EQ(ring->dir, dir);
    CHECK_EQ(ring->num_slots, slots);
    CHECK_EQ(ring->nr_buf_size % 64, 0);
    CHECK_MSG(ring->nr_buf_size >= 2048, "nr_buf_size is %u", ring->nr_buf_size);
    CHECK_MSG(buffers > 0 && (uint64_t)buffers < port->reg.nr_memsize,
              "%s ring %u: buffer 0 at %lld", what, id, (long long)buffers);
    CHECK_EQ(ring->offset_mask, 0); /* no offsets were asked for */
    CHECK_EQ(ring->flags, 0);
    CHECK_EQ(ring->head, 0);
    CHECK_EQ(ring->cur, 0);
    CHECK_EQ(ring->tail, dir == 0 ? slots - 1 : 0);
    CHECK_EQ(nm_ring_space(ring), dir == 0 ? slots - 1 : 0);
    for (unsigned i = 0; i < slots; i++)
        if (!CHECK_MSG(ring->slot[i].flags == 0, "%s ring %u slot %u has flags 0x%x", what, id, i,
                       ring->slot[i].flags))
            break;
}

static void check_layout(const struct port *port, const char *name, uint32_t flags)
{
    const struct netmap_if *nifp = port->nifp;
    const struct netmap_ring *first = tx_ring(port, 0);
    int64_t buffers = (const char *)first - port->memory + first->buf_ofs;
    struct buffer_set set;

    CHECK_MSG(strncmp(nifp->ni_name, name, sizeof(nifp->ni_name) - 1) == 0,
              "ni_name is \"%.16s\", expected \"%s\"", nifp->ni_name, name);
    CHECK_EQ(nifp->ni_version, NETMAP_API);
    CHECK_EQ(nifp->ni_flags, flags);
    CHECK_EQ(nifp->ni_tx_rings, port->reg.nr_tx_rings);
    CHECK_EQ(nifp->ni_rx_rings, port->reg.nr_rx_rings);
    CHECK_EQ(nifp->ni_host_tx_rings, port->reg.nr_host_tx_rings);
    CHECK_EQ(nifp->ni_host_rx_rings, port->reg.nr_host_rx_rings);
    for (unsigned r = 0; r < nifp->ni_tx_rings; r++) {
        check_ring(port, tx_ring(port, r), r, 0);
        CHECK_EQ((char *)tx_ring(port, r) - port->memory + tx_ring(port, r)->buf_ofs, buffers);
    }
    for (unsigned r = 0; r < nifp->ni_rx_rings; r++) {
        check_ring(port, rx_ring(port, r), r, 1);
        CHECK_EQ((char *)rx_ring(port, r) - port->memory + rx_ring(port, r)->buf_ofs, buffers);
    }
    if (!buffers_start(&set, port))
        return;
    buffers_add_rings(&set, port);
    CHECK_EQ(buffers_add_extra(&set, port), port->reg.nr_extra_bufs);
    buffers_end(&set);
}

TEST(layout_vale_port, 10)
{
    struct port *port = port_open("vale1:a");

    REQUIRE(port != NULL);
    check_layout(port, "vale1:a", NI_PRIV_MEM);
}

TEST(layout_vale_port_many_rings, 10)
{
    struct port *port = port_open_with("vale1:a", .nr_tx_rings = 16, .nr_rx_rings = 7,
                                       .nr_tx_slots = 33, .nr_rx_slots = 100, .nr_extra_bufs = 50);

    REQUIRE(port != NULL);
    check_layout(port, "vale1:a", NI_PRIV_MEM);
}

TEST(layout_pipe, 10)
{
    struct port *master = port_open("x{1");
    struct port *slave = port_open("x}1");
    struct buffer_set set;

    REQUIRE(master != NULL && slave != NULL);
    check_layout(master, "x{1", NI_PRIV_MEM);
    check_layout(slave, "x}1", NI_PRIV_MEM);
    CHECK_EQ(master->reg.nr_mem_id, slave->reg.nr_mem_id);
    CHECK_EQ(master->reg.nr_memsize, slave->reg.nr_memsize);
    /* What one end sends the other receives: rings match crosswise. */
    CHECK_EQ(master->reg.nr_tx_rings, slave->reg.nr_rx_rings);
    CHECK_EQ(master->reg.nr_tx_slots, slave->reg.nr_rx_slots);
    CHECK_EQ(master->reg.nr_rx_slots, slave->reg.nr_tx_slots);
    REQUIRE(buffers_start(&set, master));
    buffers_add_rings(&set, master);
    buffers_add_rings(&set, slave);
    buffers_end(&set);
}

TEST(layout_long_name_is_cut, 10)
{
    struct port *port = port_open("vale1:abcdefghijklmnopqrstuvwxyz");

    REQUIRE(port != NULL);
    CHECK_EQ(port->nifp->ni_name[15], 0);
    check_layout(port, "vale1:abcdefghi", NI_PRIV_MEM);
}

TEST(layout_extra_buffers, 20)
{
    struct port *port = port_open_with("vale1:a", .nr_extra_bufs = 300);
    uint64_t memsize;

    REQUIRE(port != NULL);
    CHECK_EQ(port->reg.nr_extra_bufs, 300);
    check_layout(port, "vale1:a", NI_PRIV_MEM);
    memsize = port->reg.nr_memsize;
    port_close(port);

    port = port_open("vale1:a");
    REQUIRE(port != NULL);
    CHECK_EQ(port->nifp->ni_bufs_head, 0);
    CHECK_MSG(port->reg.nr_memsize < memsize, "300 extra buffers need no room: %llu and %llu bytes",
              (unsigned long long)memsize, (unsigned long long)port->reg.nr_memsize);
}

/* Buffers go back to a region that lives on: `name` is opened again and again with 64 extra ones,
 * while `stays` keeps the region alive. */
static void extra_buffers_come_back(const char *name, const char *stays_name)
{
    struct port *port = port_open_with(name, .nr_extra_bufs = 64);
    struct port *stays = port_open(stays_name);
    struct buffer_set set;

    REQUIRE(port != NULL && stays != NULL);
    for (unsigned round = 0; round < FAST_OR_SLOW(40, 12); round++) {
        /* An empty list, or a broken one, must not cost the region its buffers. */
        if (round % 4 == 1)
            port->nifp->ni_bufs_head = 0;
        if (round % 4 == 2)
            port->nifp->ni_bufs_head = 0xfffffff0u;
        if (round % 4 == 3)
            memcpy(NETMAP_BUF(tx_ring(port, 0), port->nifp->ni_bufs_head),
                   &port->nifp->ni_bufs_head, sizeof(uint32_t)); /* a list that loops */
        port_close(port);
        port = port_open_with(name, .nr_extra_bufs = 64);
        REQUIRE(port != NULL);
        REQUIRE_EQ(port->reg.nr_extra_bufs, 64);
        REQUIRE_EQ(port->reg.nr_mem_id, stays->reg.nr_mem_id);
        REQUIRE(buffers_start(&set, port));
        buffers_add_rings(&set, port);
        CHECK_EQ(buffers_add_extra(&set, port), 64);
        if (strcmp(name, stays_name) != 0)
            buffers_add_rings(&set, stays);
        buffers_end(&set);
    }
}

TEST(layout_extra_buffers_come_back_vale, 30)
{
    extra_buffers_come_back("vale1:a", "vale1:a");
}

TEST(layout_extra_buffers_come_back_pipe, 30)
{
    extra_buffers_come_back("x{1", "x}1");
}

/* A region made for the first open may have fewer extra buffers left than the second asks for:
 * then it says how many it gave. */
TEST(layout_extra_buffers_of_a_second_open, 10)
{
    struct nmreq_register want = {.nr_mode = NR_REG_ALL_NIC, .nr_extra_bufs = 20000};
    struct port *first = port_open("vale1:a");
    struct port *second;
    struct buffer_set set;
    int error = port_try("vale1:a", &want, &second);

    REQUIRE(first != NULL);
    if (error != 0) {
        CHECK_ERR(error, ENOMEM);
        return;
    }
    CHECK_MSG(second->reg.nr_extra_bufs <= 20000, "%u extra buffers, asked for were 20000",
              second->reg.nr_extra_bufs);
    REQUIRE(buffers_start(&set, second));
    buffers_add_rings(&set, second);
    CHECK_EQ(buffers_add_extra(&set, second), second->reg.nr_extra_bufs);
    buffers_end(&set);
}

TEST(layout_new_port_shows_no_old_data, 20)
{
    struct port *port = port_open("vale1:a");
    struct netmap_ring *ring;
    unsigned dirty = 0;

    REQUIRE(port != NULL);
    ring = tx_ring(port, 0);
    for (unsigned i = 0; i < ring->num_slots; i++)
        memset(NETMAP_BUF(ring, ring->slot[i].buf_idx), 0xa5, ring->nr_buf_size);
    port_close(port);
    port = port_open("vale1:b");
    REQUIRE(port != NULL);
    ring = tx_ring(port, 0);
    for (unsigned i = 0; i < ring->num_slots; i++) {
        const uint8_t *data = (const uint8_t *)NETMAP_BUF(ring, ring->slot[i].buf_idx);

        dirty += data[0] == 0xa5 || data[ring->nr_buf_size - 1] == 0xa5;
    }
    CHECK_MSG(dirty == 0, "%u buffers hold what another port wrote", dirty);
}

/* The mapping is shared with the host, and with whoever else opens the port. */
TEST(layout_mappings_show_the_same_memory, 10)
{
    struct port *first = port_open("vale1:a");
    struct port *second = port_open("vale1:a");
    struct netmap_ring *ring;
    char *buffer;

    REQUIRE(first != NULL && second != NULL);
    ring = tx_ring(first, 0);
    buffer = NETMAP_BUF(ring, ring->slot[0].buf_idx);
    strcpy(buffer, "written through the first");
    ring = tx_ring(second, 0);
    CHECK_MSG(strcmp(NETMAP_BUF(ring, ring->slot[0].buf_idx), "written through the first") == 0,
              "the second mapping shows something else");
}

/* A program may map the region once more; both mappings are the region. */
TEST(layout_map_twice, 10)
{
    struct port *port = port_open("vale1:a");
    char *again;

    REQUIRE(port != NULL);
    again =
        mmap(NULL, (size_t)port->reg.nr_memsize, PROT_READ | PROT_WRITE, MAP_SHARED, port->fd, 0);
    REQUIRE(again != MAP_FAILED);
    tx_ring(port, 0)->slot[0].ptr = 0x1234567890abcdefu;
    CHECK_EQ(NETMAP_TXRING(NETMAP_IF(again, port->reg.nr_offset), 0)->slot[0].ptr,
             0x1234567890abcdefu);
    CHECK_EQ(munmap(again, (size_t)port->reg.nr_memsize), 0);
    CHECK_ERR(port_txsync(port), 0);
}
