/* What is dropped is counted, by ring and by cause; what is not dropped is counted too. */
#include "tests/conformance/flow.h"

#include <netmap_counters.h>

static struct netmap_counters counters_of(const struct port *port, bool is_tx, unsigned ring)
{
    struct netmap_counters counters;

    memset(&counters, 0xee, sizeof(counters));
    errno = 0;
    CHECK_MSG(netmap_get_counters(port->fd, NULL, is_tx, ring, &counters) == 0,
              "counters of %s: %s (%s)", port->name, errno_name(errno), last_message());
    return counters;
}

/* Nothing but the one cause has drops. */
static void check_drops(const char *file, int line, const struct netmap_counters *counters,
                        unsigned cause, uint64_t expected)
{
    for (unsigned i = 0; i < NETMAP_DROPS_ROOM; i++)
        if (counters->drops[i] != (i == cause ? expected : 0))
            check_fail(file, line, "drops by \"%s\" are %llu, expected %llu", netmap_drop_name(i),
                       (unsigned long long)counters->drops[i],
                       (unsigned long long)(i == cause ? expected : 0));
}
#define CHECK_DROPS(counters, cause, expected)                                                     \
    check_drops(__FILE__, __LINE__, (counters), (cause), (expected))
#define NO_DROPS NETMAP_DROPS_ROOM

static void send_many(const struct port *port, uint64_t count, uint32_t length)
{
    for (uint64_t i = 0; i < count; i++) {
        struct frame frame = frame_between(1, 2, i, length);

        if (!frame_put(port, 0, &frame)) {
            CHECK_ERR(port_txsync(port), 0);
            CHECK(frame_put(port, 0, &frame));
        }
    }
    CHECK_ERR(port_txsync(port), 0);
}

TEST(counters_of_good_frames, 10)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct netmap_counters counters;

    REQUIRE(a != NULL && b != NULL);
    counters = counters_of(a, true, 0);
    CHECK_EQ(counters.frames, 0);
    CHECK_DROPS(&counters, NO_DROPS, 0);
    send_many(a, 100, 200);
    counters = counters_of(a, true, 0);
    CHECK_EQ(counters.frames, 100);
    CHECK_EQ(counters.bytes, 100 * 200);
    CHECK_EQ(counters.resets, 0);
    CHECK_DROPS(&counters, NO_DROPS, 0);
    counters = counters_of(b, false, 0);
    CHECK_EQ(counters.frames, 100);
    CHECK_EQ(counters.bytes, 100 * 200);
    CHECK_DROPS(&counters, NO_DROPS, 0);
    counters = counters_of(a, false, 0);
    CHECK_EQ(counters.frames, 0);
}

TEST(counters_short_frames, 10)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct netmap_counters counters;

    REQUIRE(a != NULL && b != NULL);
    send_many(a, 7, 13);
    send_many(a, 5, 14);
    counters = counters_of(a, true, 0);
    CHECK_DROPS(&counters, NETMAP_DROP_SHORT, 7);
    counters = counters_of(b, false, 0);
    CHECK_EQ(counters.frames, 5);
}

TEST(counters_bad_slots, 10)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct netmap_counters counters;
    struct netmap_ring *ring;

    REQUIRE(a != NULL && b != NULL);
    ring = tx_ring(a, 0);
    for (uint64_t i = 0; i < 6; i++) {
        struct frame frame = frame_between(1, 2, i, 60);
        struct netmap_slot *slot = &ring->slot[ring->cur];
        uint32_t index = slot->buf_idx;

        CHECK(frame_put(a, 0, &frame));
        if (i % 2 == 0)
            slot->len = 0xffff;
        else
            slot->buf_idx = 0xffffffffu;
        (void)port_txsync(a);
        slot->buf_idx = index;
    }
    counters = counters_of(a, true, 0);
    CHECK_DROPS(&counters, NETMAP_DROP_BAD_SLOT, 6);
    frames_none(b);
}

TEST(counters_no_destination, 10)
{
    struct port *a = port_open("vale1:a");
    struct netmap_counters counters;

    REQUIRE(a != NULL);
    send_many(a, 50, 60);
    counters = counters_of(a, true, 0);
    CHECK_DROPS(&counters, NETMAP_DROP_NO_PORT, 50);
}

TEST(counters_full_destination, 10)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open_with("vale1:b", .nr_rx_slots = 64);
    struct netmap_counters counters;

    REQUIRE(a != NULL && b != NULL);
    send_many(a, 1000, 60);
    counters = counters_of(b, false, 0);
    CHECK_EQ(counters.frames, 63);
    CHECK_DROPS(&counters, NETMAP_DROP_FULL, 1000 - 63);
    counters = counters_of(a, true, 0);
    CHECK_EQ(counters.frames, 1000);
    CHECK_DROPS(&counters, NO_DROPS, 0);
}

/* Traffic without a window: every frame is either received or among the drops. */
TEST(counters_add_up, 60)
{
    struct port *ports[2] = {port_open("vale1:a"), port_open_with("vale1:b", .nr_rx_slots = 128)};
    struct flow flow = flow_make("vale", ports[0], ports[1]);
    struct netmap_counters sender, receiver;

    REQUIRE(ports[0] != NULL && ports[1] != NULL);
    flow.count = FAST_OR_SLOW(200000, 20000);
    flow.lossless = false;
    flow.burst = 256;
    REQUIRE(flow_start(&flow));
    threads_join();
    sender = counters_of(ports[0], true, 0);
    receiver = counters_of(ports[1], false, 0);
    check_note("%llu sent, %llu received, %llu dropped", (unsigned long long)flow.sent,
               (unsigned long long)flow.received,
               (unsigned long long)receiver.drops[NETMAP_DROP_FULL]);
    CHECK_EQ(sender.frames, flow.sent);
    CHECK_DROPS(&sender, NO_DROPS, 0);
    CHECK_EQ(receiver.frames, flow.received);
    CHECK_DROPS(&receiver, NETMAP_DROP_FULL, flow.sent - flow.received);
}

TEST(counters_of_a_pipe, 10)
{
    struct port *master = port_open("x{1");
    struct port *slave = port_open("x}1");
    struct netmap_counters counters;

    REQUIRE(master != NULL && slave != NULL);
    send_many(master, 300, 60);
    CHECK_EQ(frames_discard(slave), 300);
    counters = counters_of(master, true, 0);
    CHECK_EQ(counters.frames, 300);
    CHECK_DROPS(&counters, NO_DROPS, 0);
    counters = counters_of(slave, false, 0);
    CHECK_EQ(counters.frames, 300);
    CHECK_DROPS(&counters, NO_DROPS, 0);
}

TEST(counters_by_name, 10)
{
    struct port *a = port_open_with("vale1:a", .nr_tx_rings = 2);
    struct port *b = port_open("vale1:b");
    struct netmap_counters counters;
    struct frame frame = frame_between(1, 2, 1, 60);
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(a != NULL && b != NULL && fd >= 0);
    CHECK(frame_put(a, 1, &frame));
    CHECK_ERR(port_txsync(a), 0);
    CHECK_EQ(netmap_get_counters(fd, "vale1:a", 1, 0, &counters), 0);
    CHECK_EQ(counters.frames, 0);
    CHECK_EQ(netmap_get_counters(fd, "vale1:a", 1, 1, &counters), 0);
    CHECK_EQ(counters.frames, 1);
    errno = 0;
    CHECK_EQ(netmap_get_counters(fd, "vale1:a", 1, 2, &counters), -1);
    CHECK_ERR(errno, EINVAL);
    CHECK_EQ(netmap_get_counters(fd, "vale1:c", 1, 0, &counters), -1);
    CHECK_ERR(errno, ENXIO);
    CHECK_EQ(netmap_get_counters(fd, NULL, 1, 0, &counters), -1);
    CHECK_ERR(errno, ENXIO);
    CHECK(strcmp(netmap_drop_name(NETMAP_DROP_FULL), "full") == 0);
    close(fd);
}

TEST(counters_resets, 10)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct netmap_counters counters;

    REQUIRE(a != NULL && b != NULL);
    for (unsigned i = 0; i < 3; i++) {
        tx_ring(a, 0)->head = 0xffffffffu;
        CHECK_ERR(port_txsync(a), EINVAL);
        rx_ring(b, 0)->head = 0xffffffffu;
        CHECK_ERR(port_rxsync(b), EINVAL);
    }
    counters = counters_of(a, true, 0);
    CHECK_EQ(counters.resets, 3);
    counters = counters_of(b, false, 0);
    CHECK_EQ(counters.resets, 3);
}
