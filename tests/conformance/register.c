/* NETMAP_REQ_REGISTER: what is accepted, what is filled in, who is refused and why. */
#include "tests/conformance/ports.h"

#include <stdio.h>

static int try_geometry(uint32_t tx_slots, uint32_t rx_slots, uint16_t tx_rings, uint16_t rx_rings)
{
    struct nmreq_register reg = {
        .nr_mode = NR_REG_ALL_NIC,
        .nr_tx_slots = tx_slots,
        .nr_rx_slots = rx_slots,
        .nr_tx_rings = tx_rings,
        .nr_rx_rings = rx_rings,
    };

    return register_outcome("vale1:a", &reg);
}

TEST(register_fills_the_reply, 10)
{
    struct port *port = port_open("vale1:a");

    REQUIRE(port != NULL);
    CHECK_EQ(port->reg.nr_tx_rings, 1);
    CHECK_EQ(port->reg.nr_rx_rings, 1);
    CHECK_MSG(port->reg.nr_tx_slots >= 2 && port->reg.nr_tx_slots <= 4096, "nr_tx_slots is %u",
              port->reg.nr_tx_slots);
    CHECK_MSG(port->reg.nr_rx_slots >= 2 && port->reg.nr_rx_slots <= 4096, "nr_rx_slots is %u",
              port->reg.nr_rx_slots);
    CHECK_EQ(port->reg.nr_mode, NR_REG_ALL_NIC);
    CHECK_MSG(port->reg.nr_mem_id > 1, "nr_mem_id is %u, expected a private region (> 1)",
              port->reg.nr_mem_id);
    CHECK_MSG(port->reg.nr_memsize > 0 && port->reg.nr_memsize % 4096 == 0,
              "nr_memsize is %llu, expected whole pages", (unsigned long long)port->reg.nr_memsize);
    CHECK_MSG(port->reg.nr_offset + sizeof(struct netmap_if) <= port->reg.nr_memsize,
              "nr_offset %llu is not inside nr_memsize %llu",
              (unsigned long long)port->reg.nr_offset, (unsigned long long)port->reg.nr_memsize);
    CHECK_EQ(port->reg.nr_extra_bufs, 0);
}

TEST(register_twice_on_one_descriptor, 10)
{
    struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC};
    struct port *port = port_open("vale1:a");

    REQUIRE(port != NULL);
    CHECK_ERR(request_send(port->fd, NETMAP_REQ_REGISTER, "vale1:a", &reg), EBUSY);
    CHECK_MSG(last_message()[0] != '\0', "EBUSY without a message");
    CHECK_ERR(request_send(port->fd, NETMAP_REQ_REGISTER, "vale1:b", &reg), EBUSY);
    /* The port is none the worse for it. */
    CHECK_ERR(port_txsync(port), 0);
}

TEST(register_again_after_failure, 10)
{
    struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC, .nr_tx_rings = 17};
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(fd >= 0);
    CHECK_ERR(request_send(fd, NETMAP_REQ_REGISTER, "vale1:a", &reg), EINVAL);
    reg = (struct nmreq_register){.nr_mode = NR_REG_ALL_NIC};
    CHECK_ERR(request_send(fd, NETMAP_REQ_REGISTER, "vale1:a", &reg), 0);
    close(fd);
}

TEST(register_exclusive_first, 10)
{
    struct nmreq_register shared = {.nr_mode = NR_REG_ALL_NIC};
    struct nmreq_register exclusive = {.nr_mode = NR_REG_ALL_NIC, .nr_flags = NR_EXCLUSIVE};
    struct port *port = port_open_as("vale1:a", &exclusive);

    REQUIRE(port != NULL);
    CHECK_ERR(register_outcome("vale1:a", &shared), EBUSY);
    CHECK_MSG(strstr(last_message(), "vale1:a") != NULL,
              "the message does not name the port: \"%s\"", last_message());
    CHECK_ERR(register_outcome("vale1:a", &exclusive), EBUSY);
    CHECK_ERR(register_outcome("vale1:b", &exclusive), 0);
    port_close(port);
    CHECK_ERR(register_outcome("vale1:a", &shared), 0);
    CHECK_ERR(register_outcome("vale1:a", &exclusive), 0);
}

TEST(register_exclusive_second, 10)
{
    struct nmreq_register exclusive = {.nr_mode = NR_REG_ALL_NIC, .nr_flags = NR_EXCLUSIVE};
    struct port *port = port_open("vale1:a");

    REQUIRE(port != NULL);
    CHECK_ERR(register_outcome("vale1:a", &exclusive), EBUSY);
    CHECK_ERR(register_outcome("vale1:a", NULL), 0);
    port_close(port);
    CHECK_ERR(register_outcome("vale1:a", &exclusive), 0);
}

TEST(register_exclusive_by_ring, 10)
{
    struct nmreq_register one = {.nr_mode = NR_REG_ONE_NIC, .nr_flags = NR_EXCLUSIVE};
    struct port *all = port_open_with("vale1:a", .nr_tx_rings = 2, .nr_rx_rings = 2);
    struct port *first;

    REQUIRE(all != NULL);
    CHECK_ERR(register_outcome("vale1:a", &one), EBUSY);
    port_close(all);

    one.nr_tx_rings = one.nr_rx_rings = 2;
    first = port_open_as("vale1:a", &one);
    REQUIRE(first != NULL);
    CHECK_ERR(register_outcome("vale1:a", &one), EBUSY);
    one.nr_ringid = 1;
    CHECK_ERR(register_outcome("vale1:a", &one), 0);
    CHECK_ERR(register_outcome("vale1:a", NULL), EBUSY);
}

TEST(register_exclusive_pipe, 10)
{
    struct nmreq_register exclusive = {.nr_mode = NR_REG_ALL_NIC, .nr_flags = NR_EXCLUSIVE};
    struct port *master = port_open_as("x{1", &exclusive);

    REQUIRE(master != NULL);
    CHECK_ERR(register_outcome("x{1", NULL), EBUSY);
    /* The other end is another port. */
    CHECK_ERR(register_outcome("x}1", &exclusive), 0);
}

TEST(register_geometry_limits, 20)
{
    CHECK_ERR(try_geometry(0, 0, 17, 1), EINVAL);
    CHECK_MSG(strstr(last_message(), "vale1:a") != NULL,
              "the message does not name the port: \"%s\"", last_message());
    CHECK_ERR(try_geometry(0, 0, 1, 17), EINVAL);
    CHECK_ERR(try_geometry(0, 0, 65535, 65535), EINVAL);
    CHECK_ERR(try_geometry(4097, 0, 0, 0), EINVAL);
    CHECK_ERR(try_geometry(0, 4097, 0, 0), EINVAL);
    CHECK_ERR(try_geometry(UINT32_MAX, 0, 0, 0), EINVAL);
    CHECK_ERR(try_geometry(1, 0, 0, 0), EINVAL);
    CHECK_ERR(try_geometry(0, 1, 0, 0), EINVAL);
    CHECK_ERR(try_geometry(2, 2, 1, 1), 0);
    CHECK_ERR(try_geometry(4096, 4096, 1, 1), 0);
    CHECK_ERR(try_geometry(64, 64, 16, 16), 0);
}

TEST(register_geometry_limits_pipe, 20)
{
    struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC, .nr_tx_slots = 4097};

    CHECK_ERR(register_outcome("x{1", &reg), EINVAL);
    reg.nr_tx_slots = 0;
    reg.nr_rx_slots = 1;
    CHECK_ERR(register_outcome("x{1", &reg), EINVAL);
    reg.nr_rx_slots = 0;
    reg.nr_tx_rings = 257;
    CHECK_ERR(register_outcome("x{1", &reg), EINVAL);
    reg = (struct nmreq_register){.nr_mode = NR_REG_ALL_NIC,
                                  .nr_tx_rings = 256,
                                  .nr_rx_rings = 256,
                                  .nr_tx_slots = 4,
                                  .nr_rx_slots = 4};
    CHECK_ERR(register_outcome("x{1", &reg), 0);
}

TEST(register_geometry_is_honoured, 10)
{
    static const struct nmreq_register wants[] = {
        {.nr_tx_slots = 128, .nr_rx_slots = 256, .nr_tx_rings = 2, .nr_rx_rings = 3},
        {.nr_tx_slots = 2, .nr_rx_slots = 4096, .nr_tx_rings = 1, .nr_rx_rings = 1},
        {.nr_tx_slots = 1000, .nr_rx_slots = 1000, .nr_tx_rings = 4, .nr_rx_rings = 1},
    };

    for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
        struct nmreq_register want = wants[i];
        struct port *port;

        want.nr_mode = NR_REG_ALL_NIC;
        port = port_open_as("vale1:a", &want);
        REQUIRE(port != NULL);
        CHECK_EQ(port->reg.nr_tx_slots, want.nr_tx_slots);
        CHECK_EQ(port->reg.nr_rx_slots, want.nr_rx_slots);
        CHECK_EQ(port->reg.nr_tx_rings, want.nr_tx_rings);
        CHECK_EQ(port->reg.nr_rx_rings, want.nr_rx_rings);
        CHECK_EQ(port->nifp->ni_tx_rings, want.nr_tx_rings);
        CHECK_EQ(port->nifp->ni_rx_rings, want.nr_rx_rings);
        for (unsigned r = 0; r < want.nr_tx_rings; r++)
            CHECK_EQ(tx_ring(port, r)->num_slots, want.nr_tx_slots);
        for (unsigned r = 0; r < want.nr_rx_rings; r++)
            CHECK_EQ(rx_ring(port, r)->num_slots, want.nr_rx_slots);
        port_close(port);
    }
}

TEST(register_bad_names, 20)
{
    static const char *const names[] = {
        "",   "vale1:",   "vale1",     "vale",       "vale:",       "vale1:a{", "vale1:a}",
        "x{", "x}",       "vale1:a/b", "vale1:a:b",  "vale1:a{b c", "x{1}2",    "{1",
        "}1", "vale1:{1", "vale1:a\n", "vale1:\x01", "x{*",         "vale1:a@", "vale/1:a",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int error = register_outcome(names[i], NULL);

        CHECK_MSG(error == EINVAL, "\"%s\": %s, expected EINVAL", names[i], errno_name(error));
        CHECK_MSG(last_message()[0] != '\0', "\"%s\" is refused without a message", names[i]);
    }
}

TEST(register_good_names, 20)
{
    static const char *const names[] = {
        "vale0:a",
        "vale:a",
        "vale7:port_1",
        "valeabc:x_y.z",
        "vale1:a{1",
        "vale1:a}xyz",
        "x{1",
        "x}1",
        "x{abc9",
        "longparent12345{1",
        /* 63 characters, the longest there is. */
        "vale1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int error = register_outcome(names[i], NULL);

        CHECK_MSG(error == 0, "\"%s\": %s (%s)", names[i], errno_name(error), last_message());
    }
}

TEST(register_no_such_nic, 10)
{
    CHECK_ERR(register_outcome("nosuchnic0", NULL), ENXIO);
    CHECK_MSG(strstr(last_message(), "nosuchnic0") != NULL,
              "the message does not name the port: \"%s\"", last_message());
}

TEST(register_bad_mode, 10)
{
    for (uint32_t mode = 9; mode < 16; mode++) {
        struct nmreq_register reg = {.nr_mode = mode};

        CHECK_ERR(register_outcome("vale1:a", &reg), EINVAL);
    }
    CHECK_ERR(register_outcome("vale1:a", &(struct nmreq_register){.nr_mode = 0xffffffffu}),
              EINVAL);
}

TEST(register_ring_number_out_of_range, 10)
{
    struct nmreq_register reg = {
        .nr_mode = NR_REG_ONE_NIC, .nr_ringid = 2, .nr_tx_rings = 2, .nr_rx_rings = 2};

    CHECK_ERR(register_outcome("vale1:a", &reg), EINVAL);
    reg.nr_ringid = 65535;
    CHECK_ERR(register_outcome("vale1:a", &reg), EINVAL);
    reg.nr_ringid = 1;
    CHECK_ERR(register_outcome("vale1:a", &reg), 0);
}

TEST(register_one_ring_binds_one_ring, 10)
{
    struct nmreq_register want = {
        .nr_mode = NR_REG_ONE_NIC, .nr_ringid = 1, .nr_tx_rings = 2, .nr_rx_rings = 2};
    struct port *all = port_open_with("vale1:a", .nr_tx_rings = 2, .nr_rx_rings = 2);
    struct port *one = port_open_as("vale1:a", &want);
    struct port *peer = port_open_with("vale1:b", .nr_tx_rings = 2, .nr_rx_rings = 2);
    struct frame frame = frame_between(1, 2, 7, 100);

    REQUIRE(all != NULL && one != NULL && peer != NULL);
    CHECK_EQ(one->reg.nr_ringid, 1);
    CHECK_EQ(one->reg.nr_tx_rings, 2); /* of the port, not of the binding */

    /* A frame in ring 0 is none of its business; one in ring 1 is. */
    CHECK(frame_put(all, 0, &frame));
    CHECK_ERR(port_txsync(one), 0);
    frames_none(peer);
    CHECK(frame_put(one, 1, &frame));
    CHECK_ERR(port_txsync(one), 0);
    CHECK_ERR(port_rxsync(peer), 0);
    CHECK_EQ(ring_room(rx_ring(peer, 0)), 0);
    frame_expect(peer, 1, &frame);
    CHECK_ERR(port_txsync(all), 0);
    CHECK_ERR(port_rxsync(peer), 0);
    frame_expect(peer, 0, &frame);
}

TEST(register_region_too_large, 10)
{
    struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC, .nr_extra_bufs = 0x7fffffff};

    CHECK_ERR(register_outcome("vale1:a", &reg), ENOMEM);
    CHECK_MSG(strstr(last_message(), "vale1:a") != NULL,
              "the message does not name the port: \"%s\"", last_message());
    reg.nr_extra_bufs = UINT32_MAX;
    CHECK_ERR(register_outcome("vale1:a", &reg), ENOMEM);
    CHECK_ERR(register_outcome("x{1", &reg), ENOMEM);
    CHECK_ERR(register_outcome("vale1:a", NULL), 0);
}

TEST(register_second_open_of_a_port, 10)
{
    struct port *first = port_open_with("vale1:a", .nr_tx_slots = 64, .nr_rx_slots = 128,
                                        .nr_tx_rings = 2, .nr_rx_rings = 2);
    struct port *second = port_open("vale1:a");

    REQUIRE(first != NULL && second != NULL);
    CHECK_EQ(second->reg.nr_tx_slots, 64);
    CHECK_EQ(second->reg.nr_rx_slots, 128);
    CHECK_EQ(second->reg.nr_tx_rings, 2);
    CHECK_EQ(second->reg.nr_rx_rings, 2);
    CHECK_EQ(second->reg.nr_mem_id, first->reg.nr_mem_id);
    CHECK_EQ(second->reg.nr_memsize, first->reg.nr_memsize);
    CHECK_MSG(second->reg.nr_offset != first->reg.nr_offset,
              "both opens have the same netmap_if at %llu",
              (unsigned long long)first->reg.nr_offset);
    CHECK_EQ((char *)tx_ring(second, 0) - second->memory,
             (char *)tx_ring(first, 0) - first->memory);
    CHECK_EQ((char *)rx_ring(second, 1) - second->memory,
             (char *)rx_ring(first, 1) - first->memory);
}

TEST(register_regions_are_private, 10)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct port *pipe = port_open("x{1");

    REQUIRE(a != NULL && b != NULL && pipe != NULL);
    CHECK_MSG(a->reg.nr_mem_id != b->reg.nr_mem_id, "two VALE ports share region %u",
              a->reg.nr_mem_id);
    CHECK_MSG(a->reg.nr_mem_id != pipe->reg.nr_mem_id, "a pipe shares region %u of vale1:a",
              a->reg.nr_mem_id);
    CHECK_MSG(pipe->reg.nr_mem_id > 1, "a pipe of its own is in region %u", pipe->reg.nr_mem_id);
}

TEST(register_many_ports, 60)
{
    enum { COUNT = FAST_OR_SLOW(100, 20) };
    struct port *ports[COUNT];
    char name[32];

    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < COUNT; i++) {
            snprintf(name, sizeof(name), "vale1:p%u", i);
            ports[i] = port_open_with(name, .nr_tx_slots = 16, .nr_rx_slots = 16);
            REQUIRE(ports[i] != NULL);
        }
        for (unsigned i = 0; i < COUNT; i++)
            port_close(ports[(i * 7) % COUNT]);
    }
}

TEST(register_open_close_leaks_nothing, 60)
{
    unsigned rounds = FAST_OR_SLOW(300, 30);
    struct port *stays = port_open("vale1:stays");

    REQUIRE(stays != NULL);
    for (unsigned i = 0; i < rounds; i++) {
        struct port *port = port_open_with("vale1:a", .nr_extra_bufs = 8);

        REQUIRE(port != NULL);
        port_close(port);
    }
}
