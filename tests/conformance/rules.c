/* Ring rules: what a program may not write into a ring, and what happens when it does. */
#include "tests/conformance/ports.h"

struct positions {
    const char *what;
    uint32_t head;
    uint32_t cur;
};

/* The ring is at head = cur = at, tail as given; nothing of the bad values is left. */
static void check_reset(const struct netmap_ring *ring, const char *what, uint32_t at,
                        uint32_t tail)
{
    CHECK_MSG(ring->head == at && ring->cur == at && ring->tail == tail,
              "after \"%s\": head %u cur %u tail %u, expected %u %u %u", what, ring->head,
              ring->cur, ring->tail, at, at, tail);
}

static void check_usable(const struct port *from, const struct port *to, uint64_t sequence)
{
    struct frame frame = frame_between(1, 2, sequence, 64);

    frame_send(from, &frame);
    CHECK_ERR(port_rxsync(to), 0);
    frame_expect(to, 0, &frame);
    frames_none(to);
}

/* Both ends with 16 slots; 5 frames have gone through, so position 5 is where everything is. */
static void bad_tx_positions(const char *from_name, const char *to_name)
{
    static const struct positions bad[] = {
        {"head beyond the ring", 16, 16}, {"head far beyond the ring", 0xffffffffu, 5},
        {"cur beyond the ring", 5, 16},   {"cur far beyond the ring", 5, 0x80000005u},
        {"head moved back", 4, 5},        {"cur behind head", 8, 6},
    };
    struct port *from = port_open_with(from_name, .nr_tx_slots = 16, .nr_rx_slots = 16);
    struct port *to = port_open_with(to_name, .nr_tx_slots = 16, .nr_rx_slots = 16);
    struct netmap_ring *ring;
    uint32_t at;

    REQUIRE(from != NULL && to != NULL);
    ring = tx_ring(from, 0);
    for (uint64_t i = 0; i < 5; i++)
        check_usable(from, to, i);
    CHECK_ERR(port_txsync(from), 0);
    at = ring->head;
    REQUIRE_EQ(at, 5);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint32_t shift = (at + 16 - 5) % 16; /* the cases are written for position 5 */
        uint32_t tail = ring->tail;

        ring->head = bad[i].head < 16 ? (bad[i].head + shift) % 16 : bad[i].head;
        ring->cur = bad[i].cur < 16 ? (bad[i].cur + shift) % 16 : bad[i].cur;
        CHECK_MSG(port_txsync(from) == EINVAL, "\"%s\" gives %s, expected EINVAL", bad[i].what,
                  errno_name(errno));
        check_reset(ring, bad[i].what, at, tail);
        CHECK_ERR(port_txsync(from), 0);
        check_usable(from, to, 100 + i);
        CHECK_ERR(port_txsync(from), 0);
        at = ring->head;
    }
}

TEST(rules_bad_tx_positions_vale, 20)
{
    bad_tx_positions("vale1:a", "vale1:b");
}

TEST(rules_bad_tx_positions_pipe, 20)
{
    bad_tx_positions("x{1", "x}1");
}

static void bad_rx_positions(const char *from_name, const char *to_name)
{
    /* 3 frames are in the ring at 5, 6, 7; tail is 8. */
    static const struct positions bad[] = {
        {"head beyond the ring", 16, 16}, {"head beyond tail", 10, 10},
        {"cur beyond tail", 5, 9},        {"cur beyond the ring", 6, 0xfffffffeu},
        {"head moved back", 4, 5},        {"cur behind head", 7, 6},
    };
    struct port *from = port_open_with(from_name, .nr_tx_slots = 16, .nr_rx_slots = 16);
    struct port *to = port_open_with(to_name, .nr_tx_slots = 16, .nr_rx_slots = 16);
    struct netmap_ring *ring;

    REQUIRE(from != NULL && to != NULL);
    ring = rx_ring(to, 0);
    for (uint64_t i = 0; i < 5; i++)
        check_usable(from, to, i);
    for (uint64_t i = 10; i < 13; i++) {
        struct frame frame = frame_between(1, 2, i, 64);

        frame_send(from, &frame);
    }
    CHECK_ERR(port_rxsync(to), 0);
    REQUIRE_EQ(ring->head, 5);
    REQUIRE_EQ(ring->tail, 8);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ring->head = bad[i].head;
        ring->cur = bad[i].cur;
        CHECK_MSG(port_rxsync(to) == EINVAL, "\"%s\" gives %s, expected EINVAL", bad[i].what,
                  errno_name(errno));
        check_reset(ring, bad[i].what, 5, 8);
        CHECK_ERR(port_rxsync(to), 0);
    }
    /* The frames are still there, and more can come. */
    for (uint64_t i = 10; i < 13; i++) {
        struct frame frame = frame_between(1, 2, i, 64);

        frame_expect(to, 0, &frame);
    }
    CHECK_ERR(port_rxsync(to), 0);
    check_usable(from, to, 20);
}

TEST(rules_bad_rx_positions_vale, 20)
{
    bad_rx_positions("vale1:a", "vale1:b");
}

TEST(rules_bad_rx_positions_pipe, 20)
{
    bad_rx_positions("x{1", "x}1");
}

TEST(rules_bad_positions_in_poll, 20)
{
    static const char *const names[][2] = {{"vale1:a", "vale1:b"}, {"x{1", "x}1"}};

    for (unsigned i = 0; i < 2; i++) {
        struct port *from = port_open(names[i][0]);
        struct port *to = port_open(names[i][1]);
        struct netmap_ring *ring;

        REQUIRE(from != NULL && to != NULL);
        ring = tx_ring(from, 0);
        ring->head = ring->cur = 0x7fffffff;
        CHECK_MSG((port_poll(from, POLLOUT, 1000) & POLLERR) != 0, "%s: no POLLERR for a bad head",
                  names[i][0]);
        check_reset(ring, "bad head and poll", 0, ring->num_slots - 1);
        ring = rx_ring(to, 0);
        ring->head = ring->cur = ring->num_slots;
        CHECK_MSG((port_poll(to, POLLIN, 1000) & POLLERR) != 0, "%s: no POLLERR for a bad head",
                  names[i][1]);
        check_reset(ring, "bad head and poll", 0, 0);
        CHECK_EQ(port_poll(from, POLLOUT, 1000), POLLOUT);
        check_usable(from, to, 1);
    }
}

/* tail belongs to the host: a program that writes it fools only itself, until the next sync. */
TEST(rules_tail_is_the_hosts, 20)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct netmap_ring *ring;

    REQUIRE(a != NULL && b != NULL);
    ring = rx_ring(b, 0);
    ring->tail = 100;
    (void)port_rxsync(b);
    CHECK_EQ(ring->tail, 0);
    ring->tail = 0xffffffffu;
    (void)port_rxsync(b);
    CHECK_EQ(ring->tail, 0);
    ring = tx_ring(a, 0);
    ring->tail = 0x12345678;
    (void)port_txsync(a);
    CHECK_EQ(ring->tail, ring->num_slots - 1);
    check_usable(a, b, 1);
}

/* Fields that a program must not write are not believed either. */
TEST(rules_constants_are_not_believed, 20)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct netmap_ring *ring;
    struct netmap_ring saved;
    struct frame frame = frame_between(1, 2, 1, 64);

    REQUIRE(a != NULL && b != NULL);
    ring = tx_ring(a, 0);
    CHECK(frame_put(a, 0, &frame));
    memcpy(&saved, ring, sizeof(saved));
    *(uint32_t *)(uintptr_t)&ring->num_slots = 0xffffffffu;
    *(uint32_t *)(uintptr_t)&ring->nr_buf_size = 0xffffffffu;
    *(int64_t *)(uintptr_t)&ring->buf_ofs = -0x7fffffff00000000;
    *(uint16_t *)(uintptr_t)&ring->ringid = 0xffff;
    *(uint64_t *)(uintptr_t)&ring->offset_mask = UINT64_MAX;
    (void)port_txsync(a);
    *(uint32_t *)(uintptr_t)&ring->num_slots = saved.num_slots;
    *(uint32_t *)(uintptr_t)&ring->nr_buf_size = saved.nr_buf_size;
    *(int64_t *)(uintptr_t)&ring->buf_ofs = saved.buf_ofs;
    *(uint16_t *)(uintptr_t)&ring->ringid = saved.ringid;
    *(uint64_t *)(uintptr_t)&ring->offset_mask = saved.offset_mask;
    CHECK_ERR(port_txsync(a), 0);
    CHECK_ERR(port_rxsync(b), 0);
    frame_expect(b, 0, &frame);
    check_usable(a, b, 2);
}

/* A bad slot is dropped and counted, which the sync may report to the program or not. */
static void check_reported(int error)
{
    CHECK_MSG(error == 0 || error == EINVAL, "a sync over a bad slot gives %s, expected EINVAL",
              errno_name(error));
}

/* A bad slot between two good ones is a drop and nothing else. */
TEST(rules_bad_tx_slot_vale, 20)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct netmap_ring *ring;
    uint32_t bad_index[6];

    REQUIRE(a != NULL && b != NULL);
    ring = tx_ring(a, 0);
    bad_index[0] = 0; /* reserved */
    bad_index[1] = 1;
    bad_index[2] = port_buffer_limit(a) + 1;
    bad_index[3] = 0x7fffffff;
    bad_index[4] = 0x80000000u;
    bad_index[5] = 0xffffffffu;
    for (unsigned i = 0; i < 6; i++) {
        struct frame before = frame_between(1, 2, 100 + i, 100);
        struct frame after = frame_between(1, 2, 200 + i, 100);
        struct netmap_slot *slot;
        uint32_t index;

        CHECK(frame_put(a, 0, &before));
        slot = &ring->slot[ring->cur];
        CHECK(frame_put(a, 0, &before));
        CHECK(frame_put(a, 0, &after));
        index = slot->buf_idx;
        slot->buf_idx = bad_index[i];
        slot->flags = NS_BUF_CHANGED;
        check_reported(port_txsync(a));
        slot->buf_idx = index;
        CHECK_ERR(port_rxsync(b), 0);
        frame_expect(b, 0, &before);
        frame_expect(b, 0, &after);
        frames_none(b);
        CHECK_EQ(nm_ring_space(ring), ring->num_slots - 1);
    }
}

TEST(rules_bad_length_vale, 20)
{
    static const uint16_t excess[] = {1, 2, 1000};
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct netmap_ring *ring;

    REQUIRE(a != NULL && b != NULL);
    ring = tx_ring(a, 0);
    for (unsigned i = 0; i < 4; i++) {
        struct frame frame = frame_between(1, 2, i, 100);
        struct netmap_slot *slot = &ring->slot[ring->cur];

        CHECK(frame_put(a, 0, &frame));
        slot->len = i < 3 ? (uint16_t)(ring->nr_buf_size + excess[i]) : 0xffff;
        CHECK(frame_put(a, 0, &frame));
        check_reported(port_txsync(a));
        CHECK_ERR(port_txsync(a), 0); /* once only */
        CHECK_ERR(port_rxsync(b), 0);
        frame_expect(b, 0, &frame);
        frames_none(b);
    }
}

/* The receiver's own slot is bad: its frame is lost, its neighbours' are not. */
TEST(rules_bad_rx_slot_vale, 20)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open_with("vale1:b", .nr_rx_slots = 8);
    struct netmap_ring *ring;
    uint32_t indices[8];
    uint64_t expected = 0;
    bool seen[8] = {false};
    unsigned count = 0;

    REQUIRE(a != NULL && b != NULL);
    ring = rx_ring(b, 0);
    for (unsigned i = 0; i < 8; i++) {
        indices[i] = ring->slot[i].buf_idx;
        if (i == 2)
            ring->slot[i].buf_idx = 0xffffffffu;
        if (i == 4)
            ring->slot[i].buf_idx = 0;
    }
    for (uint64_t i = 0; i < 7; i++) {
        struct frame frame = frame_between(1, 2, i, 100);

        frame_send(a, &frame);
    }
    check_reported(port_rxsync(b));
    for (uint32_t i = ring->head; i != ring->tail; i = nm_ring_next(ring, i)) {
        const struct netmap_slot *slot = &ring->slot[i];
        uint32_t stream = 0;
        uint64_t sequence = 99;

        if (slot->buf_idx != indices[i] || slot->len == 0)
            continue; /* the slot the program spoiled */
        REQUIRE(frame_read_mark((const uint8_t *)NETMAP_BUF(ring, slot->buf_idx), slot->len,
                                &stream, &sequence));
        CHECK_MSG(sequence >= expected && sequence < 7, "frame %llu, expected %llu or later",
                  (unsigned long long)sequence, (unsigned long long)expected);
        if (sequence < 7)
            seen[sequence] = true;
        expected = sequence + 1;
        count++;
    }
    CHECK_MSG(count >= 4, "%u of 7 frames arrived; only those for two bad slots may be lost",
              count);
    CHECK_MSG(seen[0] && seen[1], "frames for good slots before a bad one are lost");
    /* Put right, everything works again. */
    for (unsigned i = 0; i < 8; i++)
        ring->slot[i].buf_idx = indices[i];
    frames_discard(b);
    for (uint64_t i = 0; i < 20; i++)
        check_usable(a, b, 100 + i);
}

/* In a pipe a bad slot never reaches the other end: it is passed over, or the ring is reset to it
 * (nothing is dropped in a pipe) and the program may put it right and go on. */
TEST(rules_bad_tx_slot_pipe, 20)
{
    struct port *master = port_open_with("x{1", .nr_tx_slots = 16, .nr_rx_slots = 16);
    struct port *slave = port_open("x}1");
    struct netmap_ring *tx, *rx;
    uint32_t bad_index[5];
    uint32_t limit;

    REQUIRE(master != NULL && slave != NULL);
    tx = tx_ring(master, 0);
    rx = rx_ring(slave, 0);
    limit = port_buffer_limit(master);
    bad_index[0] = 0;
    bad_index[1] = 1;
    bad_index[2] = limit + 1;
    bad_index[3] = 0x80000000u;
    bad_index[4] = 0xffffffffu;
    for (unsigned i = 0; i < 5; i++) {
        struct frame first = frame_between(1, 2, 1000 + i, 100);
        struct frame second = frame_between(1, 2, 2000 + i, 100);
        uint32_t position = tx->cur;
        struct netmap_slot *slot = &tx->slot[position];
        uint32_t index = slot->buf_idx;
        bool reset;

        CHECK(frame_put(master, 0, &first));
        CHECK(frame_put(master, 0, &second));
        slot->buf_idx = bad_index[i];
        slot->flags = NS_BUF_CHANGED;
        check_reported(port_txsync(master));
        reset = tx->head == position;
        if (reset)
            CHECK_EQ(tx->cur, position);
        CHECK_ERR(port_rxsync(slave), 0);
        for (uint32_t k = rx->head; k != rx->tail; k = nm_ring_next(rx, k))
            CHECK_MSG(rx->slot[k].buf_idx >= 2 && rx->slot[k].buf_idx < limit,
                      "the receiver is shown buffer %u", rx->slot[k].buf_idx);
        if (slot->buf_idx == bad_index[i])
            slot->buf_idx = index;
        if (reset) { /* send both again, in order now */
            tx->head = tx->cur = nm_ring_next(tx, nm_ring_next(tx, position));
            CHECK_ERR(port_txsync(master), 0);
            CHECK_ERR(port_rxsync(slave), 0);
            frame_expect(slave, 0, &first);
        }
        frame_expect(slave, 0, &second);
        frames_none(slave);
        check_usable(master, slave, 100 + i);
    }
}

/* One buffer in two slots: the receiver must not be given it twice at a time. */
TEST(rules_duplicate_buffer_pipe, 20)
{
    struct port *master = port_open_with("x{1", .nr_tx_slots = 16, .nr_rx_slots = 16);
    struct port *slave = port_open("x}1");
    struct netmap_ring *tx, *rx;
    bool twice = false;

    REQUIRE(master != NULL && slave != NULL);
    tx = tx_ring(master, 0);
    rx = rx_ring(slave, 0);
    for (uint64_t i = 0; i < 4; i++) {
        struct frame frame = frame_between(1, 2, i, 100);

        CHECK(frame_put(master, 0, &frame));
    }
    tx->slot[2].buf_idx = tx->slot[1].buf_idx;
    tx->slot[2].flags = NS_BUF_CHANGED;
    (void)port_txsync(master);
    (void)port_rxsync(slave);
    for (uint32_t i = rx->head; i != rx->tail; i = nm_ring_next(rx, i))
        for (uint32_t k = rx->head; k != i; k = nm_ring_next(rx, k))
            twice = twice || rx->slot[i].buf_idx == rx->slot[k].buf_idx;
    /* Both ends share one region and trust each other with it; what must hold is that the host
     * and the other ports come to no harm. */
    if (twice)
        check_note("a duplicate of the sender's own making reaches the receiver");
    port_close(master);
    port_close(slave);
    master = port_open("x{1");
    slave = port_open("x}1");
    REQUIRE(master != NULL && slave != NULL);
    check_usable(master, slave, 1);
}
