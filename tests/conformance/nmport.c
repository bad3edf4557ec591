/* The nmport_open() family of libnetmap.h, against a host. */
#include "tests/conformance/ports.h"

#include <stdio.h>
#include <stdlib.h>

#include <libnetmap.h>

static char said[2048];
static unsigned messages;

static void listen_to(struct nmctx *ctx, const char *message)
{
    (void)ctx;
    messages++;
    snprintf(said, sizeof(said), "%s", message);
}

/* nmport_open() with its messages kept instead of printed. */
static struct nmport_d *open_and_listen(const char *spec)
{
    static struct nmctx ctx;
    struct nmctx *before;
    struct nmport_d *d;
    int error;

    ctx.error = listen_to;
    said[0] = '\0';
    messages = 0;
    before = nmctx_set_default(&ctx);
    errno = 0;
    d = nmport_open(spec);
    error = errno;
    nmctx_set_default(before);
    errno = error;
    return d;
}

static void there_and_back(const char *one_spec, const char *other_spec)
{
    struct nmport_d *one = nmport_open(one_spec);
    struct nmport_d *other = nmport_open(other_spec);
    struct pollfd entry;
    static uint8_t data[2048];

    if (!CHECK_MSG(one != NULL, "%s: %s", one_spec, errno_name(errno)) ||
        !CHECK_MSG(other != NULL, "%s: %s", other_spec, errno_name(errno)))
        goto out;
    for (uint64_t i = 0; i < 50; i++) {
        struct frame frame = frame_between(1, 2, i, 60 + (uint32_t)i * 20);
        struct netmap_ring *ring = NETMAP_RXRING(other->nifp, other->first_rx_ring);
        const struct netmap_slot *slot;

        frame_build(data, &frame);
        CHECK_EQ(nmport_inject(one, data, frame.length), (int)frame.length);
        CHECK_EQ(ioctl(one->fd, NIOCTXSYNC, NULL), 0);
        entry = (struct pollfd){.fd = other->fd, .events = POLLIN};
        CHECK_EQ(poll(&entry, 1, 2000), 1);
        if (!CHECK(!nm_ring_empty(ring)))
            break;
        slot = &ring->slot[ring->cur];
        CHECK_EQ(slot->len, frame.length);
        CHECK(frame_matches((const uint8_t *)NETMAP_BUF(ring, slot->buf_idx), &frame));
        ring->head = ring->cur = nm_ring_next(ring, ring->cur);
    }
out:
    nmport_close(one);
    nmport_close(other);
}

TEST(nmport_vale, 10)
{
    there_and_back("vale1:a", "vale1:b");
}

TEST(nmport_pipe, 10)
{
    there_and_back("netmap:x{abc", "netmap:x}abc");
    there_and_back("vale0:a}1", "vale0:a{1");
}

TEST(nmport_mode_and_conf, 10)
{
    struct nmport_d *d = nmport_open("vale1:a@conf:rings=3,slots=64,rx-slots=32");
    struct nmport_d *one;

    REQUIRE(d != NULL);
    CHECK_EQ(d->reg.nr_tx_rings, 3);
    CHECK_EQ(d->reg.nr_rx_rings, 3);
    CHECK_EQ(d->reg.nr_tx_slots, 64);
    CHECK_EQ(d->reg.nr_rx_slots, 32);
    CHECK_EQ(d->first_tx_ring, 0);
    CHECK_EQ(d->last_tx_ring, 2);
    one = nmport_open("vale1:a-2");
    if (CHECK(one != NULL)) {
        CHECK_EQ(one->first_tx_ring, 2);
        CHECK_EQ(one->last_tx_ring, 2);
        CHECK_EQ(one->first_rx_ring, 2);
        CHECK_EQ(one->last_rx_ring, 2);
        nmport_close(one);
    }
    nmport_close(d);
}

/* Ports of one region share one mapping of it in the process. */
TEST(nmport_one_mapping_for_a_region, 10)
{
    struct nmport_d *master = nmport_open("netmap:x{1");
    struct nmport_d *slave = nmport_open("netmap:x}1");
    struct nmport_d *clone = NULL;

    if (!CHECK(master != NULL) || !CHECK(slave != NULL))
        goto out;
    CHECK_EQ(master->reg.nr_mem_id, slave->reg.nr_mem_id);
    CHECK_MSG(master->mem->mem == slave->mem->mem, "two mappings of one region");
    clone = nmport_clone(master);
    if (CHECK(clone != NULL)) {
        if (CHECK_MSG(nmport_open_desc(clone) == 0, "the clone: %s", errno_name(errno)))
            CHECK(NETMAP_TXRING(clone->nifp, 0) == NETMAP_TXRING(master->nifp, 0));
    }
out:
    nmport_close(master);
    if (clone != NULL) /* lives on when what it was made from is closed */
        CHECK_EQ(ioctl(clone->fd, NIOCTXSYNC, NULL), 0);
    nmport_close(clone);
    nmport_close(slave);
}

TEST(nmport_step_by_step, 10)
{
    struct nmport_d *d = nmport_prepare("vale1:a");

    REQUIRE(d != NULL);
    d->reg.nr_extra_bufs = 7;
    d->reg.nr_flags |= NR_EXCLUSIVE;
    CHECK_EQ(nmport_register(d), 0);
    CHECK_EQ(d->reg.nr_extra_bufs, 7);
    CHECK_EQ(nmport_mmap(d), 0);
    CHECK_MSG(d->nifp->ni_bufs_head != 0, "no extra buffers");
    CHECK_ERR(register_outcome("vale1:a", NULL), EBUSY);
    nmport_undo_open_desc(d);
    CHECK_ERR(register_outcome("vale1:a", NULL), 0);
    CHECK_EQ(nmport_open_desc(d), 0);
    nmport_close(d);
    CHECK_ERR(register_outcome("vale1:a", NULL), 0);
}

TEST(nmport_options_the_host_refuses, 10)
{
    struct nmport_d *d = nmport_prepare("vale1:a");
    struct nmreq_option option = {.nro_reqtype = 1000};

    REQUIRE(d != NULL);
    nmreq_push_option(&d->hdr, &option);
    nmctx_get()->error = listen_to;
    CHECK_EQ(nmport_open_desc(d), -1);
    CHECK_ERR(errno, EOPNOTSUPP);
    CHECK_ERR((int)option.nro_status, EOPNOTSUPP);
    nmctx_get()->error = NULL;
    nmreq_remove_option(&d->hdr, &option);
    CHECK_EQ(nmport_open_desc(d), 0);
    nmport_close(d);
}

static void expect_refused(const char *spec, const char *port, int expected)
{
    struct nmport_d *d = open_and_listen(spec);
    int error = errno;

    if (!CHECK_MSG(d == NULL, "nmport_open(\"%s\") works", spec)) {
        nmport_close(d);
        return;
    }
    CHECK_MSG(error == expected, "nmport_open(\"%s\"): %s, expected %s", spec, errno_name(error),
              errno_name(expected));
    CHECK_MSG(messages == 1, "nmport_open(\"%s\") gives %u messages", spec, messages);
    CHECK_MSG(strstr(said, port) != NULL, "nmport_open(\"%s\") does not name it: \"%s\"", spec,
              said);
}

TEST(nmport_refusals, 20)
{
    struct port *port = port_open_with("vale1:busy", .nr_flags = NR_EXCLUSIVE);

    REQUIRE(port != NULL);
    expect_refused("vale1:", "vale1:", EINVAL);
    expect_refused("vale1", "vale1", EINVAL);
    expect_refused("", "", EINVAL);
    expect_refused("rubbish", "rubbish", EINVAL);
    expect_refused("netmap:x{", "netmap:x{", EINVAL);
    expect_refused("netmap:nosuchnic0", "nosuchnic0", ENXIO);
    expect_refused("vale1:busy", "vale1:busy", EBUSY);
    expect_refused("vale1:a@conf:rings=17", "vale1:a", EINVAL);
    expect_refused("vale1:a@conf:slots=4097", "vale1:a", EINVAL);
    expect_refused("vale1:a-5", "vale1:a", EINVAL);
    expect_refused("vale1:a@nonsense=1", "nonsense", EINVAL);
}
