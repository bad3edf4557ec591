/* Pipes move frames by exchanging buffers: which buffer is where, before and after. */
#include "tests/conformance/buffers.h"

TEST(pipe_swap_receiver_gets_the_senders_buffer, 10)
{
    struct port *master = port_open("x{1");
    struct port *slave = port_open("x}1");
    struct netmap_ring *tx, *rx;
    uint32_t sent[10], was[10];
    struct buffer_set set;

    REQUIRE(master != NULL && slave != NULL);
    tx = tx_ring(master, 0);
    rx = rx_ring(slave, 0);
    for (unsigned i = 0; i < 10; i++) {
        struct frame frame = frame_between(1, 2, i, 100);

        sent[i] = tx->slot[i].buf_idx;
        was[i] = rx->slot[i].buf_idx;
        CHECK(frame_put(master, 0, &frame));
    }
    CHECK_ERR(port_txsync(master), 0);
    CHECK_ERR(port_rxsync(slave), 0);
    REQUIRE_EQ(ring_room(rx), 10);
    for (unsigned i = 0; i < 10; i++) {
        struct frame frame = frame_between(1, 2, i, 100);

        CHECK_MSG(rx->slot[i].buf_idx == sent[i],
                  "rx slot %u has buffer %u, sent was %u (before: %u)", i, rx->slot[i].buf_idx,
                  sent[i], was[i]);
        frame_expect(slave, 0, &frame);
    }
    REQUIRE(buffers_start(&set, master));
    buffers_add_rings(&set, master);
    buffers_add_rings(&set, slave);
    buffers_end(&set);
}

/* Random bursts both ways, with receivers that take some and leave some. */
static void exchange(struct port *const ends[2], unsigned rounds, uint64_t seed, uint64_t sent[2],
                     uint64_t received[2])
{
    uint64_t state = seed;

    for (unsigned round = 0; round < rounds; round++) {
        unsigned from = (unsigned)(random_next(&state) & 1);
        unsigned burst = (unsigned)(random_next(&state) % 40);
        unsigned take = (unsigned)(random_next(&state) % 45);
        struct netmap_ring *ring = rx_ring(ends[!from], 0);
        struct frame frame;

        for (unsigned i = 0; i < burst; i++) {
            frame = frame_between(from + 1, !from + 1, sent[from],
                                  frame_mixed_length(sent[from], 14, 500));
            if (!frame_put(ends[from], 0, &frame))
                break;
            sent[from]++;
        }
        REQUIRE_ERR(port_txsync(ends[from]), 0);
        REQUIRE_ERR(port_rxsync(ends[!from]), 0);
        for (unsigned i = 0; i < take && !nm_ring_empty(ring); i++) {
            frame = frame_between(from + 1, !from + 1, received[from],
                                  frame_mixed_length(received[from], 14, 500));
            REQUIRE(frame_expect(ends[!from], 0, &frame));
            received[from]++;
        }
    }
}

static bool all_unique(struct port *const ends[2], uint32_t extra)
{
    struct buffer_set set;
    bool good;

    if (!buffers_start(&set, ends[0]))
        return false;
    good = buffers_add_rings(&set, ends[0]) && buffers_add_rings(&set, ends[1]);
    good = good && CHECK_EQ(buffers_add_extra(&set, ends[0]), extra);
    buffers_end(&set);
    return good;
}

TEST(pipe_swap_buffers_stay_unique, 30)
{
    struct port *ends[2] = {
        port_open_with("x{1", .nr_tx_slots = 64, .nr_rx_slots = 64, .nr_extra_bufs = 20),
        port_open("x}1"),
    };
    uint64_t sent[2] = {0, 0}, received[2] = {0, 0};

    REQUIRE(ends[0] != NULL && ends[1] != NULL);
    for (unsigned i = 0; i < FAST_OR_SLOW(40, 8); i++) {
        exchange(ends, 100, i, sent, received);
        REQUIRE(check_failures() == 0);
        REQUIRE(all_unique(ends, 20));
    }
    CHECK_MSG(received[0] > 1000 && received[1] > 1000, "%llu and %llu frames went through",
              (unsigned long long)received[0], (unsigned long long)received[1]);
}

/* The sender replaces the buffer of each slot by one of its extra ones; the receiver keeps what
 * it gets and puts others into the ring. */
TEST(pipe_swap_extra_buffers, 30)
{
    struct port *master =
        port_open_with("x{1", .nr_tx_slots = 32, .nr_rx_slots = 32, .nr_extra_bufs = 100);
    struct port *slave = port_open_with("x}1", .nr_extra_bufs = 8);
    struct netmap_ring *tx, *rx;
    struct buffer_set set;
    uint32_t kept[8];
    unsigned num_kept = 0;

    REQUIRE(master != NULL && slave != NULL);
    REQUIRE_EQ(master->reg.nr_extra_bufs, 100);
    REQUIRE_EQ(slave->reg.nr_extra_bufs, 8);
    tx = tx_ring(master, 0);
    rx = rx_ring(slave, 0);
    for (uint64_t i = 0; i < FAST_OR_SLOW(2000, 300); i++) {
        struct frame frame = frame_between(1, 2, i, 200);
        struct netmap_slot *slot = &tx->slot[tx->cur];
        uint32_t old = slot->buf_idx;

        slot->buf_idx = buffers_pop(master);
        slot->flags = NS_BUF_CHANGED;
        slot->len = 200;
        REQUIRE(slot->buf_idx != 0);
        frame_build((uint8_t *)NETMAP_BUF(tx, slot->buf_idx), &frame);
        buffers_push(master, old);
        old = slot->buf_idx;
        tx->head = tx->cur = nm_ring_next(tx, tx->cur);
        REQUIRE_ERR(port_txsync(master), 0);
        REQUIRE_ERR(port_rxsync(slave), 0);
        REQUIRE(!nm_ring_empty(rx));
        slot = &rx->slot[rx->cur];
        REQUIRE_EQ(slot->buf_idx, old);
        /* Keep it, and give back the one kept longest. */
        if (num_kept == 8) {
            uint32_t oldest = kept[i % 8];

            kept[i % 8] = slot->buf_idx;
            CHECK_MSG(frame_matches((const uint8_t *)NETMAP_BUF(rx, slot->buf_idx), &frame),
                      "frame %llu is damaged", (unsigned long long)i);
            slot->buf_idx = oldest;
            slot->flags = NS_BUF_CHANGED;
        } else {
            uint32_t fresh = buffers_pop(slave);

            REQUIRE(fresh != 0);
            kept[num_kept++] = slot->buf_idx;
            slot->buf_idx = fresh;
            slot->flags = NS_BUF_CHANGED;
        }
        rx->head = rx->cur = nm_ring_next(rx, rx->cur);
        REQUIRE_ERR(port_rxsync(slave), 0);
    }
    for (unsigned i = 0; i < num_kept; i++)
        buffers_push(slave, kept[i]);
    REQUIRE(buffers_start(&set, master));
    buffers_add_rings(&set, master);
    buffers_add_rings(&set, slave);
    CHECK_EQ(buffers_add_extra(&set, master), 100);
    CHECK_EQ(buffers_add_extra(&set, slave), 8);
    buffers_end(&set);
}

/* Kept frames keep their contents while others go on through the pipe. */
TEST(pipe_swap_kept_buffer_is_left_alone, 20)
{
    struct port *master = port_open_with("x{1", .nr_tx_slots = 16, .nr_rx_slots = 16);
    struct port *slave = port_open_with("x}1", .nr_extra_bufs = 1);
    struct frame first = frame_between(1, 2, 0, 1500);
    struct netmap_ring *rx;
    struct netmap_slot *slot;
    uint32_t kept;

    REQUIRE(master != NULL && slave != NULL);
    frame_send(master, &first);
    CHECK_ERR(port_rxsync(slave), 0);
    rx = rx_ring(slave, 0);
    REQUIRE(!nm_ring_empty(rx));
    slot = &rx->slot[rx->cur];
    kept = slot->buf_idx;
    slot->buf_idx = buffers_pop(slave);
    slot->flags = NS_BUF_CHANGED;
    REQUIRE(slot->buf_idx != 0);
    rx->head = rx->cur = nm_ring_next(rx, rx->cur);
    for (uint64_t i = 1; i < 200; i++) {
        struct frame frame = frame_between(1, 2, i, 1000);

        REQUIRE(frame_send(master, &frame));
        REQUIRE_ERR(port_rxsync(slave), 0);
        REQUIRE(frame_expect(slave, 0, &frame));
    }
    CHECK_MSG(frame_matches((const uint8_t *)NETMAP_BUF(rx, kept), &first),
              "a frame the receiver kept was overwritten");
    buffers_push(slave, kept);
}

/* Throw away whatever is under way, until both directions are empty. */
static void drain(struct port *const ends[2])
{
    for (unsigned i = 0; i < 4; i++) {
        CHECK_ERR(port_txsync(ends[0]), 0);
        CHECK_ERR(port_txsync(ends[1]), 0);
        frames_discard(ends[0]);
        frames_discard(ends[1]);
    }
}

/* One end comes and goes in the middle of the traffic; the region has what it had before. */
TEST(pipe_swap_reopen_loses_no_buffer, 30)
{
    struct port *parent =
        port_open_with("vale0:a", .nr_extra_bufs = 50, .nr_tx_slots = 64, .nr_rx_slots = 64);
    struct port *stays = port_open_with("vale0:a{1", .nr_tx_slots = 64, .nr_rx_slots = 64);

    REQUIRE(parent != NULL && stays != NULL);
    REQUIRE_EQ(parent->reg.nr_extra_bufs, 50);
    for (unsigned round = 0; round < FAST_OR_SLOW(60, 10); round++) {
        struct port *ends[2] = {stays, port_open("vale0:a}1")};
        uint64_t sent[2] = {0, 0}, received[2] = {0, 0};
        struct buffer_set set;

        REQUIRE_MSG(ends[1] != NULL, "round %u", round);
        drain(ends);
        exchange(ends, 10, round, sent, received);
        REQUIRE(check_failures() == 0);
        REQUIRE(buffers_start(&set, stays));
        buffers_add_rings(&set, parent);
        buffers_add_rings(&set, ends[0]);
        buffers_add_rings(&set, ends[1]);
        CHECK_EQ(buffers_add_extra(&set, parent), 50);
        buffers_end(&set);
        port_close(ends[1]);
        REQUIRE(check_failures() == 0);
    }
}
