/* The nm_open() family of net/netmap_user.h: the only file that compiles it in. */
#define NETMAP_WITH_LIBS
#include "tests/conformance/ports.h"

#include <stdio.h>
#include <stdlib.h>

/* nm_open() says on stderr what went wrong: look at that. */
static char said[2048];

static struct nm_desc *open_and_listen(const char *name, const struct nmreq *req, uint64_t flags)
{
    FILE *file = tmpfile();
    struct nm_desc *d;
    size_t size = 0;
    int saved = -1;
    int error;

    said[0] = '\0';
    fflush(stderr);
    if (CHECK(file != NULL)) {
        saved = dup(2);
        dup2(fileno(file), 2);
    }
    errno = 0;
    d = nm_open(name, req, flags, NULL);
    error = errno;
    fflush(stderr);
    if (file != NULL) {
        dup2(saved, 2);
        close(saved);
        rewind(file);
        size = fread(said, 1, sizeof(said) - 1, file);
        fclose(file);
    }
    said[size] = '\0';
    errno = error;
    return d;
}

struct collected {
    unsigned frames;
    unsigned wrong;
    uint64_t next;
};

static void collect(unsigned char *argument, const struct nm_pkthdr *header,
                    const unsigned char *data)
{
    struct collected *collected = (struct collected *)(void *)argument;
    struct frame frame = frame_between(1, 2, collected->next, 60 + (uint32_t)collected->next % 900);

    collected->frames++;
    if (header->len != frame.length || header->caplen != frame.length ||
        !frame_matches(data, &frame))
        collected->wrong++;
    collected->next++;
}

static bool inject(struct nm_desc *d, uint64_t sequence)
{
    static uint8_t data[2048];
    struct frame frame = frame_between(1, 2, sequence, 60 + (uint32_t)sequence % 900);

    frame_build(data, &frame);
    return nm_inject(d, data, frame.length) == (int)frame.length;
}

static void send_and_dispatch(const char *from_name, const char *to_name)
{
    struct nm_desc *from = nm_open(from_name, NULL, 0, NULL);
    struct nm_desc *to = nm_open(to_name, NULL, 0, NULL);
    struct collected collected = {0};
    struct pollfd entry;

    if (!CHECK(from != NULL) || !CHECK(to != NULL))
        goto out;
    CHECK(IS_NETMAP_DESC(from));
    for (uint64_t i = 0; i < 100; i++)
        CHECK_MSG(inject(from, i), "nm_inject refuses frame %u", (unsigned)i);
    CHECK_EQ(ioctl(NETMAP_FD(from), NIOCTXSYNC, NULL), 0);
    entry = (struct pollfd){.fd = NETMAP_FD(to), .events = POLLIN};
    CHECK_EQ(poll(&entry, 1, 2000), 1);
    CHECK_EQ(nm_dispatch(to, 10, collect, (unsigned char *)&collected), 10);
    CHECK_EQ(nm_dispatch(to, -1, collect, (unsigned char *)&collected), 90);
    CHECK_EQ(collected.frames, 100);
    CHECK_EQ(collected.wrong, 0);
    CHECK_EQ(nm_dispatch(to, -1, collect, (unsigned char *)&collected), 0);
out:
    if (from != NULL)
        CHECK_EQ(nm_close(from), 0);
    if (to != NULL)
        CHECK_EQ(nm_close(to), 0);
}

TEST(nm_open_vale, 10)
{
    send_and_dispatch("vale1:a", "vale1:b");
}

TEST(nm_open_pipe, 10)
{
    send_and_dispatch("netmap:x{1", "netmap:x}1");
    send_and_dispatch("vale1:a}1", "vale1:a{1");
}

TEST(nm_open_nextpkt, 10)
{
    struct nm_desc *from = nm_open("vale1:a", NULL, 0, NULL);
    struct nm_desc *to = nm_open("vale1:b", NULL, 0, NULL);
    struct nm_pkthdr header;
    struct collected collected = {0};
    const unsigned char *data;

    if (!CHECK(from != NULL) || !CHECK(to != NULL))
        goto out;
    CHECK(nm_nextpkt(to, &header) == NULL);
    for (uint64_t i = 0; i < 20; i++)
        CHECK(inject(from, i));
    CHECK_EQ(ioctl(NETMAP_FD(from), NIOCTXSYNC, NULL), 0);
    CHECK_EQ(ioctl(NETMAP_FD(to), NIOCRXSYNC, NULL), 0);
    while ((data = nm_nextpkt(to, &header)) != NULL)
        collect((unsigned char *)&collected, &header, data);
    CHECK_EQ(collected.frames, 20);
    CHECK_EQ(collected.wrong, 0);
out:
    if (from != NULL)
        nm_close(from);
    if (to != NULL)
        nm_close(to);
}

TEST(nm_open_inject_until_full, 10)
{
    struct nm_desc *d = nm_open("vale1:a", NULL, 0, NULL);
    uint32_t slots;
    uint64_t count = 0;

    REQUIRE(d != NULL);
    slots = d->req.nr_tx_slots;
    while (count < slots + 10u && inject(d, count))
        count++;
    CHECK_EQ(count, slots - 1);
    CHECK_EQ(ioctl(NETMAP_FD(d), NIOCTXSYNC, NULL), 0);
    CHECK(inject(d, count));
    nm_close(d);
}

TEST(nm_open_request_values, 10)
{
    struct nmreq req;
    struct nm_desc *d;

    memset(&req, 0, sizeof(req));
    req.nr_version = NETMAP_API;
    req.nr_tx_slots = 128;
    req.nr_rx_slots = 64;
    req.nr_tx_rings = 2;
    req.nr_rx_rings = 2;
    req.nr_arg3 = 5;
    d = nm_open("vale1:a", &req, 0, NULL);
    REQUIRE(d != NULL);
    CHECK_EQ(d->req.nr_tx_slots, 128);
    CHECK_EQ(d->req.nr_rx_slots, 64);
    CHECK_EQ(d->first_tx_ring, 0);
    CHECK_EQ(d->last_tx_ring, 1);
    CHECK_EQ(d->last_rx_ring, 1);
    CHECK_EQ(d->req.nr_arg3, 5);
    CHECK_MSG(d->nifp->ni_bufs_head != 0, "no extra buffers");
    CHECK_MSG(d->memsize == d->req.nr_memsize, "memsize is %llu, the request says %u",
              (unsigned long long)d->memsize, d->req.nr_memsize);
    nm_close(d);

    d = nm_open("vale1:a-1", &req, 0, NULL);
    REQUIRE(d != NULL);
    CHECK_EQ(d->first_tx_ring, 1);
    CHECK_EQ(d->last_tx_ring, 1);
    CHECK_EQ(d->first_rx_ring, 1);
    CHECK_EQ(d->last_rx_ring, 1);
    nm_close(d);
}

TEST(nm_open_shares_a_mapping, 10)
{
    struct nm_desc *parent = nm_open("vale1:a", NULL, 0, NULL);
    struct nm_desc *child;

    REQUIRE(parent != NULL);
    child = nm_open("vale1:a", NULL, NM_OPEN_NO_MMAP, parent);
    if (CHECK(child != NULL)) {
        CHECK_MSG(child->mem == parent->mem, "the child has a mapping of its own");
        CHECK(NETMAP_TXRING(child->nifp, 0) == NETMAP_TXRING(parent->nifp, 0));
        nm_close(child);
    }
    CHECK_EQ(ioctl(NETMAP_FD(parent), NIOCTXSYNC, NULL), 0);
    nm_close(parent);
}

static void expect_refused(const char *name, const struct nmreq *req, int expected)
{
    struct nm_desc *d = open_and_listen(name, req, 0);
    int error = errno;

    if (!CHECK_MSG(d == NULL, "nm_open(\"%s\") works", name)) {
        nm_close(d);
        return;
    }
    CHECK_MSG(error == expected, "nm_open(\"%s\"): %s, expected %s", name, errno_name(error),
              errno_name(expected));
    if (strncmp(name, "netmap:", 7) == 0)
        name += 7; /* the message may name the port without it */
    CHECK_MSG(strstr(said, name) != NULL, "nm_open(\"%s\") does not name it: \"%s\"", name, said);
}

TEST(nm_open_refusals, 20)
{
    struct port *port = port_open_with("vale1:busy", .nr_flags = NR_EXCLUSIVE);
    struct nmreq req;

    REQUIRE(port != NULL);
    expect_refused("vale1:", NULL, EINVAL);
    expect_refused("vale1", NULL, EINVAL);
    expect_refused("netmap:x{", NULL, EINVAL);
    expect_refused("rubbish", NULL, EINVAL);
    expect_refused("vale1:a{", NULL, EINVAL);
    expect_refused("netmap:nosuchnic0", NULL, ENXIO);
    expect_refused("vale1:busy", NULL, EBUSY);
    memset(&req, 0, sizeof(req));
    req.nr_version = NETMAP_API;
    req.nr_tx_rings = 17;
    expect_refused("vale1:a", &req, EINVAL);
    req.nr_tx_rings = 0;
    req.nr_rx_slots = 5000;
    expect_refused("vale1:a", &req, EINVAL);
    req.nr_rx_slots = 0;
    req.nr_arg3 = 0x7fffffff;
    expect_refused("vale1:a", &req, ENOMEM);
}
