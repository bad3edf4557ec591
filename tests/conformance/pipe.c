/* Pipes: names and parents, both directions, back-pressure, several at once, coming and going. */
#include "tests/conformance/ports.h"

#include <stdio.h>

/* One frame there, one back. */
static void check_pair(const struct port *one, const struct port *other, uint64_t sequence)
{
    struct frame there = frame_between(1, 2, sequence, 100);
    struct frame back = frame_between(2, 1, sequence, 333);

    REQUIRE(frame_send(one, &there));
    CHECK_ERR(port_rxsync(other), 0);
    frame_expect(other, 0, &there);
    frames_none(other);
    REQUIRE(frame_send(other, &back));
    CHECK_ERR(port_rxsync(one), 0);
    frame_expect(one, 0, &back);
    frames_none(one);
}

TEST(pipe_both_directions, 10)
{
    struct port *master = port_open("x{1");
    struct port *slave = port_open("x}1");

    REQUIRE(master != NULL && slave != NULL);
    for (uint64_t i = 0; i < 10; i++)
        check_pair(master, slave, i);
    for (uint64_t i = 10; i < 20; i++)
        check_pair(slave, master, i);
}

TEST(pipe_slave_may_be_first, 10)
{
    struct port *slave = port_open("x}1");
    struct port *master = port_open("x{1");

    REQUIRE(master != NULL && slave != NULL);
    check_pair(master, slave, 1);
    check_pair(slave, master, 2);
}

TEST(pipe_names_are_alphanumeric, 20)
{
    static const char *const ids[] = {"0", "7", "abc", "A9z", "4095", "longer99"};
    struct port *ends[6][2];
    char name[32];

    for (unsigned i = 0; i < 6; i++) {
        /* Three parents: room for more than a few pipes of one is another test's subject. */
        snprintf(name, sizeof(name), "x%u{%s", i % 3, ids[i]);
        ends[i][0] = port_open_with(name, .nr_tx_slots = 64, .nr_rx_slots = 64);
        snprintf(name, sizeof(name), "x%u}%s", i % 3, ids[i]);
        ends[i][1] = port_open(name);
        REQUIRE(ends[i][0] != NULL && ends[i][1] != NULL);
        check_pair(ends[i][0], ends[i][1], i);
    }
}

TEST(pipe_parents_are_different_places, 10)
{
    struct port *x = port_open("x{1");
    struct port *y = port_open("y{1");
    struct port *x_slave = port_open("x}1");
    struct port *y_slave = port_open("y}1");

    REQUIRE(x != NULL && y != NULL && x_slave != NULL && y_slave != NULL);
    check_pair(x, x_slave, 1);
    check_pair(y, y_slave, 2);
    frames_none(x_slave);
}

TEST(pipe_parent_is_a_port_of_a_switch, 10)
{
    struct port *parent = port_open("vale0:a");
    struct port *peer = port_open("vale0:b");
    struct port *master = port_open("vale0:a{1");
    struct port *slave = port_open("vale0:a}1");
    struct frame frame = {mac_broadcast(), mac_of(1), 1, 1, 60};

    REQUIRE(parent != NULL && peer != NULL && master != NULL && slave != NULL);
    CHECK_EQ(master->reg.nr_mem_id, parent->reg.nr_mem_id);
    CHECK_EQ(slave->reg.nr_mem_id, parent->reg.nr_mem_id);
    check_pair(master, slave, 1);
    /* The pipe and the switch do not see each other's frames. */
    frame_send(parent, &frame);
    frames_none(master);
    frames_none(slave);
    CHECK_ERR(port_rxsync(peer), 0);
    frame_expect(peer, 0, &frame);
    frames_none(peer);
    port_close(master);
    port_close(slave);
    frame_send(peer, &frame);
    CHECK_ERR(port_rxsync(parent), 0);
    frame_expect(parent, 0, &frame);
}

TEST(pipe_missing_parent_is_created, 10)
{
    struct port *master = port_open("vale0:a{1");
    struct port *slave = port_open("vale0:a}1");
    struct port *parent, *peer;
    struct frame frame = {mac_broadcast(), mac_of(1), 1, 1, 60};

    REQUIRE(master != NULL && slave != NULL);
    check_pair(master, slave, 1);
    /* Later the parent may be opened as what its name says. */
    parent = port_open("vale0:a");
    peer = port_open("vale0:b");
    REQUIRE(parent != NULL && peer != NULL);
    CHECK_EQ(parent->reg.nr_mem_id, master->reg.nr_mem_id);
    frame_send(parent, &frame);
    CHECK_ERR(port_rxsync(peer), 0);
    frame_expect(peer, 0, &frame);
    check_pair(slave, master, 2);
}

TEST(pipe_keeps_going_without_its_parent, 10)
{
    struct port *parent = port_open("vale0:a");
    struct port *master = port_open("vale0:a{1");
    struct port *slave = port_open("vale0:a}1");

    REQUIRE(parent != NULL && master != NULL && slave != NULL);
    port_close(parent);
    check_pair(master, slave, 1);
    parent = port_open("vale0:a");
    REQUIRE(parent != NULL);
    CHECK_EQ(parent->reg.nr_mem_id, master->reg.nr_mem_id);
    check_pair(slave, master, 2);
}

TEST(pipe_several_of_one_parent, 20)
{
    enum { PIPES = 3 };
    struct port *ends[PIPES][2];
    char name[32];

    for (unsigned i = 0; i < PIPES; i++) {
        snprintf(name, sizeof(name), "x{%u", i);
        ends[i][0] = port_open_with(name, .nr_tx_slots = 128, .nr_rx_slots = 128);
        snprintf(name, sizeof(name), "x}%u", i);
        ends[i][1] = port_open(name);
        REQUIRE(ends[i][0] != NULL && ends[i][1] != NULL);
        CHECK_EQ(ends[i][0]->reg.nr_mem_id, ends[0][0]->reg.nr_mem_id);
    }
    for (unsigned i = 0; i < PIPES; i++) {
        struct frame frame = frame_between(1, 2, i, 60 + i);

        frame_send(ends[i][0], &frame);
    }
    for (unsigned i = 0; i < PIPES; i++) {
        struct frame frame = frame_between(1, 2, i, 60 + i);

        CHECK_ERR(port_rxsync(ends[i][1]), 0);
        frame_expect(ends[i][1], 0, &frame);
        frames_none(ends[i][1]);
    }
}

TEST(pipe_sixty_four_of_one_parent, 30)
{
    struct port *ends[64];
    struct nmreq_register want = {.nr_mode = NR_REG_ALL_NIC, .nr_tx_slots = 8, .nr_rx_slots = 8};
    struct port *slave;
    char name[32];

    for (unsigned i = 0; i < 64; i++) {
        int error;

        snprintf(name, sizeof(name), "x{%u", i);
        error = port_try(name, &want, &ends[i]);
        /* Where memory is committed when a region is made, it has room for a few pipes only, says
         * so, and names the tunable. */
        if (FAST_OR_SLOW(false, true) && error == ENOMEM &&
            strstr(last_message(), "default_pipes") != NULL)
            SKIP("a region has room for %u pipes (default_pipes)", i);
        REQUIRE_MSG(error == 0, "pipe number %u of 64: %s (%s)", i + 1, errno_name(error),
                    last_message());
    }
    CHECK_MSG(register_outcome("x{64", &want) != 0, "a parent has 65 pipes");
    slave = port_open("x}63");
    REQUIRE(slave != NULL);
    check_pair(ends[63], slave, 1);
    port_close(ends[10]);
    CHECK_ERR(register_outcome("x{64", &want), 0);
}

TEST(pipe_geometry, 10)
{
    struct port *master = port_open_with("x{1", .nr_tx_rings = 3, .nr_rx_rings = 2,
                                         .nr_tx_slots = 50, .nr_rx_slots = 70);
    struct port *slave = port_open("x}1");

    REQUIRE(master != NULL && slave != NULL);
    CHECK_EQ(master->reg.nr_tx_rings, 3);
    CHECK_EQ(master->reg.nr_rx_rings, 2);
    CHECK_EQ(master->reg.nr_tx_slots, 50);
    CHECK_EQ(master->reg.nr_rx_slots, 70);
    CHECK_EQ(slave->reg.nr_tx_rings, 2);
    CHECK_EQ(slave->reg.nr_rx_rings, 3);
    CHECK_EQ(slave->reg.nr_tx_slots, 70);
    CHECK_EQ(slave->reg.nr_rx_slots, 50);
}

TEST(pipe_rings_match_by_number, 10)
{
    struct port *master = port_open_with("x{1", .nr_tx_rings = 8, .nr_rx_rings = 8,
                                         .nr_tx_slots = 32, .nr_rx_slots = 32);
    struct port *slave = port_open("x}1");

    REQUIRE(master != NULL && slave != NULL);
    for (unsigned ring = 0; ring < 8; ring++) {
        struct frame frame = frame_between(1, 2, ring, 60 + ring);

        CHECK(frame_put(master, ring, &frame));
        frame.sequence += 100;
        CHECK(frame_put(slave, ring, &frame));
    }
    CHECK_ERR(port_txsync(master), 0);
    CHECK_ERR(port_txsync(slave), 0);
    CHECK_ERR(port_rxsync(master), 0);
    CHECK_ERR(port_rxsync(slave), 0);
    for (unsigned ring = 0; ring < 8; ring++) {
        struct frame frame = frame_between(1, 2, ring, 60 + ring);

        frame_expect(slave, ring, &frame);
        frame.sequence += 100;
        frame_expect(master, ring, &frame);
    }
    frames_none(master);
    frames_none(slave);
}

TEST(pipe_all_lengths, 20)
{
    struct port *master = port_open("x{1");
    struct port *slave = port_open("x}1");
    uint32_t max;

    REQUIRE(master != NULL && slave != NULL);
    max = tx_ring(master, 0)->nr_buf_size;
    for (uint32_t length = 1; length <= max; length += 50) {
        for (uint32_t i = length; i < length + 50 && i <= max; i++) {
            struct frame frame = frame_between(1, 2, i, i);

            REQUIRE(frame_put(master, 0, &frame));
        }
        CHECK_ERR(port_txsync(master), 0);
        CHECK_ERR(port_rxsync(slave), 0);
        for (uint32_t i = length; i < length + 50 && i <= max; i++) {
            struct frame frame = frame_between(1, 2, i, i);

            REQUIRE(frame_expect(slave, 0, &frame));
        }
    }
    frames_none(slave);
}

TEST(pipe_chains_keep_their_flags, 10)
{
    struct port *master = port_open("x{1");
    struct port *slave = port_open("x}1");
    struct netmap_ring *ring;

    REQUIRE(master != NULL && slave != NULL);
    for (unsigned i = 0; i < 3; i++) {
        struct frame frame = frame_between(1, 2, i, 100);

        CHECK(frame_put(master, 0, &frame));
    }
    tx_ring(master, 0)->slot[0].flags = NS_MOREFRAG;
    tx_ring(master, 0)->slot[1].flags = NS_MOREFRAG;
    CHECK_ERR(port_txsync(master), 0);
    CHECK_ERR(port_rxsync(slave), 0);
    ring = rx_ring(slave, 0);
    REQUIRE_EQ(ring_room(ring), 3);
    CHECK_EQ(ring->slot[0].flags & NS_MOREFRAG, NS_MOREFRAG);
    CHECK_EQ(ring->slot[1].flags & NS_MOREFRAG, NS_MOREFRAG);
    CHECK_EQ(ring->slot[2].flags & NS_MOREFRAG, 0);
}

/* Nobody reads: the sender finds no room, nothing is dropped, and it goes on when there is room. */
TEST(pipe_back_pressure, 20)
{
    struct port *master = port_open_with("x{1", .nr_tx_slots = 64, .nr_rx_slots = 64);
    struct port *slave = port_open("x}1");
    uint64_t sent = 0, received = 0;
    unsigned refused = 0;

    REQUIRE(master != NULL && slave != NULL);
    while (refused < 10) {
        struct frame frame = frame_between(1, 2, sent, frame_mixed_length(sent, 14, 2048));

        if (frame_put(master, 0, &frame))
            sent++;
        else
            refused++;
        REQUIRE_ERR(port_txsync(master), 0);
        REQUIRE_MSG(sent <= 4 * 64, "%llu frames taken and nobody reads", (unsigned long long)sent);
    }
    CHECK_MSG(sent >= 63, "only %llu frames taken by rings of 64 slots", (unsigned long long)sent);
    CHECK_EQ(port_poll(master, POLLOUT, 0), 0);
    /* Room comes as the reader gives slots back. */
    for (unsigned round = 0; round < 200; round++) {
        struct netmap_ring *ring = rx_ring(slave, 0);

        REQUIRE_ERR(port_rxsync(slave), 0);
        for (unsigned i = 0; i < 7 && !nm_ring_empty(ring); i++) {
            struct frame frame =
                frame_between(1, 2, received, frame_mixed_length(received, 14, 2048));

            REQUIRE(frame_expect(slave, 0, &frame));
            received++;
        }
        REQUIRE_ERR(port_rxsync(slave), 0);
        REQUIRE_ERR(port_txsync(master), 0);
        for (;;) {
            struct frame frame = frame_between(1, 2, sent, frame_mixed_length(sent, 14, 2048));

            if (!frame_put(master, 0, &frame))
                break;
            sent++;
        }
        REQUIRE_ERR(port_txsync(master), 0);
    }
    for (unsigned round = 0; round < 100 && received < sent; round++) {
        REQUIRE_ERR(port_txsync(master), 0);
        REQUIRE_ERR(port_rxsync(slave), 0);
        while (!nm_ring_empty(rx_ring(slave, 0))) {
            struct frame frame =
                frame_between(1, 2, received, frame_mixed_length(received, 14, 2048));

            REQUIRE(frame_expect(slave, 0, &frame));
            received++;
        }
    }
    CHECK_EQ(received, sent);
    CHECK_MSG(received > 1000, "only %llu frames went through", (unsigned long long)received);
}

/* The receiving ring is the smaller one: no more than fits, nothing lost. */
TEST(pipe_different_slot_counts, 20)
{
    struct port *master = port_open_with("x{1", .nr_tx_slots = 16, .nr_rx_slots = 100);
    struct port *slave = port_open("x}1");
    uint64_t sent = 0, received = 0;

    REQUIRE(master != NULL && slave != NULL);
    for (unsigned round = 0; round < 300; round++) {
        for (;;) {
            struct frame frame = frame_between(2, 1, sent, 60);

            if (!frame_put(slave, 0, &frame))
                break;
            sent++;
        }
        REQUIRE_ERR(port_txsync(slave), 0);
        REQUIRE_ERR(port_rxsync(master), 0);
        for (unsigned i = 0; i < round % 40 && !nm_ring_empty(rx_ring(master, 0)); i++) {
            struct frame frame = frame_between(2, 1, received, 60);

            REQUIRE(frame_expect(master, 0, &frame));
            received++;
        }
    }
    CHECK_MSG(received > 1000, "only %llu frames went through", (unsigned long long)received);
}

/* Frames sent before the other end is there wait for it, or block the sender; those sent after it
 * came are received without a gap. */
TEST(pipe_sender_before_receiver, 10)
{
    struct port *master = port_open("x{1");
    struct port *slave;
    struct netmap_ring *ring;
    uint32_t stream;
    uint64_t sequence = 0, last = 0;

    REQUIRE(master != NULL);
    for (uint64_t i = 0; i < 10; i++) {
        struct frame frame = frame_between(1, 2, i, 100);

        frame_send(master, &frame);
    }
    slave = port_open("x}1");
    REQUIRE(slave != NULL);
    for (uint64_t i = 10; i < 20; i++) {
        struct frame frame = frame_between(1, 2, i, 100);

        frame_send(master, &frame);
    }
    CHECK_ERR(port_rxsync(slave), 0);
    ring = rx_ring(slave, 0);
    REQUIRE(!nm_ring_empty(ring));
    REQUIRE(frame_read_mark((const uint8_t *)NETMAP_BUF(ring, ring->slot[ring->head].buf_idx), 100,
                            &stream, &sequence));
    CHECK_MSG(sequence <= 10, "the first frame received is number %llu",
              (unsigned long long)sequence);
    for (last = sequence; last < 20; last++) {
        struct frame frame = frame_between(1, 2, last, 100);

        REQUIRE(frame_expect(slave, 0, &frame));
    }
    frames_none(slave);
}

static void reopen_ends(const char *stays_name, const char *goes_name)
{
    struct port *stays = port_open(stays_name);
    struct port *goes;

    REQUIRE(stays != NULL);
    for (unsigned round = 0; round < FAST_OR_SLOW(50, 10); round++) {
        goes = port_open(goes_name);
        REQUIRE(goes != NULL);
        frames_discard(goes);
        frames_discard(stays);
        check_pair(stays, goes, round);
        check_pair(goes, stays, round);
        port_close(goes);
        CHECK_ERR(port_txsync(stays), 0);
        CHECK_ERR(port_rxsync(stays), 0);
    }
}

TEST(pipe_slave_closed_and_opened_again, 20)
{
    reopen_ends("x{1", "x}1");
}

TEST(pipe_master_closed_and_opened_again, 20)
{
    reopen_ends("x}1", "x{1");
}

/* What a receiver did not read when it went away is gone or still there, but never mixed up. */
TEST(pipe_receiver_leaves_frames_unread, 20)
{
    struct port *master = port_open_with("x{1", .nr_tx_slots = 32, .nr_rx_slots = 32);
    struct port *slave;
    uint64_t sent = 0;

    REQUIRE(master != NULL);
    for (unsigned round = 0; round < 50; round++) {
        struct netmap_ring *ring;
        uint64_t last = 0;
        bool any = false;

        slave = port_open("x}1");
        REQUIRE(slave != NULL);
        for (unsigned i = 0; i < 20; i++) {
            struct frame frame = frame_between(1, 2, sent, 100);

            if (frame_put(master, 0, &frame))
                sent++;
            REQUIRE_ERR(port_txsync(master), 0);
        }
        REQUIRE_ERR(port_rxsync(slave), 0);
        ring = rx_ring(slave, 0);
        for (unsigned i = 0; i < 15 && !nm_ring_empty(ring); i++) {
            const uint8_t *data = (const uint8_t *)NETMAP_BUF(ring, ring->slot[ring->cur].buf_idx);
            uint32_t stream;
            uint64_t sequence;
            struct frame frame;

            REQUIRE(frame_read_mark(data, 100, &stream, &sequence));
            REQUIRE_MSG(!any || sequence == last + 1, "frame %llu comes after %llu",
                        (unsigned long long)sequence, (unsigned long long)last);
            frame = frame_between(1, 2, sequence, 100);
            REQUIRE(frame_expect(slave, 0, &frame));
            last = sequence;
            any = true;
        }
        REQUIRE_MSG(any, "round %u: nothing arrives", round);
        if (round % 2 == 0)
            REQUIRE_ERR(port_rxsync(slave), 0);
        port_close(slave);
    }
}
