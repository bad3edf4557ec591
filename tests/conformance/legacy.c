/* The older ioctls: NIOCREGIF and NIOCGINFO with struct nmreq. */
#include "tests/conformance/ports.h"

#include <stdio.h>

static void legacy_set(struct nmreq *req, const char *name)
{
    memset(req, 0, sizeof(*req));
    req->nr_version = NETMAP_API;
    snprintf(req->nr_name, sizeof(req->nr_name), "%s", name);
}

/* 0 or an errno value. */
static int legacy_send(int fd, unsigned long what, struct nmreq *req)
{
    errno = 0;
    return ioctl(fd, what, req) == 0 ? 0 : errno;
}

/* NIOCREGIF on a descriptor of its own; what the port looks like is left in *req. */
static int legacy_outcome(struct nmreq *req)
{
    int fd = open(DEVICE, O_RDWR);
    int error;

    if (fd < 0)
        return errno;
    error = legacy_send(fd, NIOCREGIF, req);
    close(fd);
    return error;
}

TEST(legacy_register, 10)
{
    struct nmreq req, info;
    struct netmap_if *nifp;
    struct netmap_ring *ring;
    char *memory;
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(fd >= 0);
    legacy_set(&req, "vale1:a");
    req.nr_flags = NR_REG_ALL_NIC;
    req.nr_tx_slots = 128;
    req.nr_rx_slots = 256;
    req.nr_tx_rings = 2;
    req.nr_rx_rings = 3;
    CHECK_ERR(legacy_send(fd, NIOCREGIF, &req), 0);
    CHECK_EQ(req.nr_tx_slots, 128);
    CHECK_EQ(req.nr_rx_slots, 256);
    CHECK_EQ(req.nr_tx_rings, 2);
    CHECK_EQ(req.nr_rx_rings, 3);
    CHECK_MSG(req.nr_arg2 > 1, "nr_arg2 (the region) is %u, expected a private one", req.nr_arg2);
    CHECK_EQ(req.nr_arg3, 0);
    CHECK_MSG(req.nr_memsize > 0 && req.nr_offset < req.nr_memsize, "offset %u of %u",
              req.nr_offset, req.nr_memsize);
    memory = mmap(NULL, req.nr_memsize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE(memory != MAP_FAILED);
    nifp = NETMAP_IF(memory, req.nr_offset);
    CHECK_EQ(nifp->ni_tx_rings, 2);
    CHECK_EQ(nifp->ni_rx_rings, 3);
    ring = NETMAP_RXRING(nifp, 2);
    CHECK_EQ(ring->num_slots, 256);
    CHECK_EQ(ring->ringid, 2);
    CHECK_EQ(ring->dir, 1);

    legacy_set(&info, "vale1:a");
    CHECK_ERR(legacy_send(fd, NIOCGINFO, &info), 0);
    CHECK_EQ(info.nr_tx_slots, req.nr_tx_slots);
    CHECK_EQ(info.nr_rx_slots, req.nr_rx_slots);
    CHECK_EQ(info.nr_tx_rings, req.nr_tx_rings);
    CHECK_EQ(info.nr_rx_rings, req.nr_rx_rings);
    CHECK_EQ(info.nr_memsize, req.nr_memsize);
    CHECK_EQ(info.nr_arg2, req.nr_arg2);

    CHECK_ERR(legacy_send(fd, NIOCREGIF, &req), EBUSY);
    munmap(memory, req.nr_memsize);
    close(fd);
}

TEST(legacy_version, 10)
{
    static const struct {
        uint32_t version;
        int expected;
    } cases[] = {{0, EINVAL}, {3, EINVAL}, {13, EINVAL}, {14, 0}, {15, 0}, {16, 0}, {20, 0}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct nmreq req;
        int error;

        legacy_set(&req, "vale1:a");
        req.nr_flags = NR_REG_ALL_NIC;
        req.nr_version = cases[i].version;
        error = legacy_outcome(&req);
        CHECK_MSG(error == cases[i].expected, "NIOCREGIF, version %u: %s, expected %s",
                  cases[i].version, errno_name(error), errno_name(cases[i].expected));
    }
}

TEST(legacy_names, 10)
{
    struct nmreq req;

    legacy_set(&req, "vale1:");
    CHECK_ERR(legacy_outcome(&req), EINVAL);
    legacy_set(&req, "");
    CHECK_ERR(legacy_outcome(&req), EINVAL);
    legacy_set(&req, "x{");
    CHECK_ERR(legacy_outcome(&req), EINVAL);
    legacy_set(&req, "nosuchnic0");
    CHECK_ERR(legacy_outcome(&req), ENXIO);
}

/* nr_flags 0: nr_ringid says which rings. */
TEST(legacy_ring_bits, 10)
{
    struct nmreq req;

    legacy_set(&req, "vale1:a");
    req.nr_tx_rings = req.nr_rx_rings = 2;
    CHECK_ERR(legacy_outcome(&req), 0);

    legacy_set(&req, "vale1:a");
    req.nr_tx_rings = req.nr_rx_rings = 2;
    req.nr_ringid = NETMAP_HW_RING | 1;
    CHECK_ERR(legacy_outcome(&req), 0);
    CHECK_EQ(req.nr_ringid & NETMAP_RING_MASK, 1);

    legacy_set(&req, "vale1:a");
    req.nr_tx_rings = req.nr_rx_rings = 2;
    req.nr_ringid = NETMAP_HW_RING | 2;
    CHECK_ERR(legacy_outcome(&req), EINVAL);
}

TEST(legacy_one_ring_is_bound, 10)
{
    struct port *all = port_open_with("vale1:a", .nr_tx_rings = 2, .nr_rx_rings = 2);
    struct port *peer = port_open("vale1:b");
    struct frame frame = frame_between(1, 2, 7, 100);
    struct nmreq req;
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(all != NULL && peer != NULL && fd >= 0);
    legacy_set(&req, "vale1:a");
    req.nr_ringid = NETMAP_HW_RING | 1;
    CHECK_ERR(legacy_send(fd, NIOCREGIF, &req), 0);
    CHECK(frame_put(all, 0, &frame));
    CHECK_EQ(ioctl(fd, NIOCTXSYNC, NULL), 0);
    frames_none(peer);
    CHECK(frame_put(all, 1, &frame));
    CHECK_EQ(ioctl(fd, NIOCTXSYNC, NULL), 0);
    CHECK_ERR(port_rxsync(peer), 0);
    frame_expect(peer, 0, &frame);
    frames_none(peer);
    close(fd);
}

/* Modes 5 and 6 with a number in nr_ringid are the pipe's name written another way. */
TEST(legacy_pipe_modes, 10)
{
    struct nmreq req;
    struct port *slave;
    struct frame frame = frame_between(1, 2, 3, 200);
    struct netmap_ring *ring;
    char *memory;
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(fd >= 0);
    legacy_set(&req, "x");
    req.nr_flags = NR_REG_PIPE_MASTER;
    req.nr_ringid = 5;
    CHECK_ERR(legacy_send(fd, NIOCREGIF, &req), 0);
    slave = port_open("x}5");
    REQUIRE(slave != NULL);
    CHECK_EQ(slave->reg.nr_mem_id, req.nr_arg2);
    memory = mmap(NULL, req.nr_memsize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE(memory != MAP_FAILED);
    ring = NETMAP_TXRING(NETMAP_IF(memory, req.nr_offset), 0);
    frame_build((uint8_t *)NETMAP_BUF(ring, ring->slot[0].buf_idx), &frame);
    ring->slot[0].len = 200;
    ring->head = ring->cur = 1;
    CHECK_EQ(ioctl(fd, NIOCTXSYNC, NULL), 0);
    CHECK_ERR(port_rxsync(slave), 0);
    frame_expect(slave, 0, &frame);
    munmap(memory, req.nr_memsize);
    close(fd);

    legacy_set(&req, "x");
    req.nr_flags = NR_REG_PIPE_SLAVE;
    req.nr_ringid = 6;
    CHECK_ERR(legacy_outcome(&req), 0);
}

TEST(legacy_extra_buffers, 10)
{
    struct nmreq req;
    struct netmap_if *nifp;
    struct netmap_ring *ring;
    char *memory;
    uint32_t index;
    unsigned count = 0;
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(fd >= 0);
    legacy_set(&req, "vale1:a");
    req.nr_flags = NR_REG_ALL_NIC;
    req.nr_arg3 = 40;
    CHECK_ERR(legacy_send(fd, NIOCREGIF, &req), 0);
    CHECK_EQ(req.nr_arg3, 40);
    memory = mmap(NULL, req.nr_memsize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE(memory != MAP_FAILED);
    nifp = NETMAP_IF(memory, req.nr_offset);
    ring = NETMAP_TXRING(nifp, 0);
    for (index = nifp->ni_bufs_head; index != 0 && count <= 40; count++)
        memcpy(&index, NETMAP_BUF(ring, index), sizeof(index));
    CHECK_EQ(count, 40);
    munmap(memory, req.nr_memsize);
    close(fd);
}

TEST(legacy_info_without_binding, 10)
{
    struct nmreq req;
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(fd >= 0);
    legacy_set(&req, "vale1:a");
    CHECK_ERR(legacy_send(fd, NIOCGINFO, &req), 0);
    CHECK_MSG(req.nr_tx_slots >= 2 && req.nr_tx_rings == 1, "%u tx rings of %u slots",
              req.nr_tx_rings, req.nr_tx_slots);
    legacy_set(&req, "nosuchnic0");
    CHECK_ERR(legacy_send(fd, NIOCGINFO, &req), ENXIO);
    legacy_set(&req, "vale1:a");
    req.nr_version = 13;
    CHECK_ERR(legacy_send(fd, NIOCGINFO, &req), EINVAL);
    CHECK_EQ(ioctl(fd, NIOCRXSYNC, NULL), -1);
    close(fd);
}

TEST(legacy_passthrough_is_refused, 10)
{
    static const uint16_t commands[] = {NETMAP_PT_HOST_CREATE, NETMAP_PT_HOST_DELETE,
                                        NETMAP_BDG_REGOPS, 13, 255};
    struct nmreq req;

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        int error;

        legacy_set(&req, "vale1:a");
        req.nr_cmd = commands[i];
        error = legacy_outcome(&req);
        CHECK_MSG(error != 0, "nr_cmd %u is accepted", commands[i]);
    }
}

TEST(legacy_exclusive, 10)
{
    struct port *port = port_open("vale1:a");
    struct nmreq req;

    REQUIRE(port != NULL);
    legacy_set(&req, "vale1:a");
    req.nr_flags = NR_REG_ALL_NIC | NR_EXCLUSIVE;
    CHECK_ERR(legacy_outcome(&req), EBUSY);
    port_close(port);
    legacy_set(&req, "vale1:a");
    req.nr_flags = NR_REG_ALL_NIC | NR_EXCLUSIVE;
    CHECK_ERR(legacy_outcome(&req), 0);
}
