/* VALE switches: learning, flooding, dropping; all in one thread, because a sync is a barrier. */
#include "tests/conformance/ports.h"

#include <stdio.h>

#define PORTS 4

/* Ports a, b, c, d of vale1; the switch has learned mac_of(1) .. mac_of(4). */
static bool open_switch(struct port *ports[PORTS])
{
    char name[] = "vale1:a";

    for (unsigned i = 0; i < PORTS; i++) {
        name[6] = (char)('a' + i);
        ports[i] = port_open(name);
        if (ports[i] == NULL)
            return false;
    }
    return true;
}

/* The frame must be at the ports of the mask and nowhere else. */
static void expect_only_at(struct port *const ports[PORTS], unsigned mask,
                           const struct frame *frame)
{
    for (unsigned i = 0; i < PORTS; i++) {
        CHECK_ERR(port_rxsync(ports[i]), 0);
        if ((mask & 1u << i) != 0)
            frame_expect(ports[i], 0, frame);
        frames_none(ports[i]);
    }
}

TEST(vale_unknown_destination_is_flooded, 10)
{
    struct port *ports[PORTS];
    struct frame frame = frame_between(1, 99, 5, 64);

    REQUIRE(open_switch(ports));
    frame_send(ports[0], &frame);
    expect_only_at(ports, 0xe, &frame);
}

TEST(vale_broadcast_and_multicast_are_flooded, 10)
{
    struct port *ports[PORTS];
    struct frame frame = frame_between(1, 2, 5, 64);

    REQUIRE(open_switch(ports));
    ports_introduce(ports, PORTS);
    frame.destination = mac_broadcast();
    frame_send(ports[0], &frame);
    expect_only_at(ports, 0xe, &frame);
    frame.destination = mac_multicast();
    frame.source = mac_of(3);
    frame_send(ports[2], &frame);
    expect_only_at(ports, 0xb, &frame);
}

TEST(vale_unicast_after_learning, 10)
{
    struct port *ports[PORTS];

    REQUIRE(open_switch(ports));
    ports_introduce(ports, PORTS);
    for (unsigned from = 0; from < PORTS; from++) {
        for (unsigned to = 0; to < PORTS; to++) {
            struct frame frame = frame_between(from + 1, to + 1, from * PORTS + to, 100);

            frame_send(ports[from], &frame);
            /* What is addressed to the sender's own port stays there. */
            expect_only_at(ports, from == to ? 0 : 1u << to, &frame);
        }
    }
}

TEST(vale_source_is_learned_from_unicast, 10)
{
    struct port *ports[PORTS];
    struct frame request = frame_between(1, 2, 1, 80);
    struct frame answer = frame_between(2, 1, 2, 90);

    REQUIRE(open_switch(ports));
    frame_send(ports[0], &request);
    expect_only_at(ports, 0xe, &request);
    frame_send(ports[1], &answer);
    expect_only_at(ports, 0x1, &answer);
    frame_send(ports[0], &request);
    expect_only_at(ports, 0x2, &request);
}

TEST(vale_learning_moves_with_the_station, 10)
{
    struct port *ports[PORTS];
    struct frame to_station = frame_between(2, 9, 1, 80);
    struct frame from_station = {mac_broadcast(), mac_of(9), 1, 2, 60};

    REQUIRE(open_switch(ports));
    frame_send(ports[0], &from_station);
    expect_only_at(ports, 0xe, &from_station);
    frame_send(ports[1], &to_station);
    expect_only_at(ports, 0x1, &to_station);
    frame_send(ports[3], &from_station);
    expect_only_at(ports, 0x7, &from_station);
    frame_send(ports[1], &to_station);
    expect_only_at(ports, 0x8, &to_station);
}

TEST(vale_multicast_source_is_not_learned, 10)
{
    struct port *ports[PORTS];
    struct frame odd = {mac_broadcast(), mac_multicast(), 1, 1, 60};
    struct frame group = {mac_multicast(), mac_of(2), 1, 2, 60};

    REQUIRE(open_switch(ports));
    frame_send(ports[0], &odd);
    for (unsigned i = 0; i < PORTS; i++)
        frames_discard(ports[i]);
    frame_send(ports[1], &group);
    expect_only_at(ports, 0xd, &group);
}

TEST(vale_closed_port_is_forgotten, 10)
{
    struct port *ports[PORTS];
    struct frame frame = frame_between(1, 2, 1, 60);

    REQUIRE(open_switch(ports));
    ports_introduce(ports, PORTS);
    port_close(ports[1]);
    frame_send(ports[0], &frame);
    /* Its address is unknown again, and so flooded; not sent to whoever takes the place. */
    CHECK_ERR(port_rxsync(ports[2]), 0);
    frame_expect(ports[2], 0, &frame);
    CHECK_ERR(port_rxsync(ports[3]), 0);
    frame_expect(ports[3], 0, &frame);
    ports[1] = port_open("vale1:e");
    REQUIRE(ports[1] != NULL);
    frame_send(ports[0], &frame);
    expect_only_at(ports, 0xe, &frame);
}

TEST(vale_short_frames_are_dropped, 10)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");

    REQUIRE(a != NULL && b != NULL);
    for (uint32_t length = 0; length <= FRAME_MIN; length++) {
        struct frame frame = frame_between(1, 2, length, length);

        frame_send(a, &frame);
        if (length < FRAME_MIN) {
            frames_none(b);
        } else {
            CHECK_ERR(port_rxsync(b), 0);
            frame_expect(b, 0, &frame);
        }
    }
}

TEST(vale_alone_on_a_switch, 10)
{
    struct port *port = port_open("vale1:a");
    struct netmap_ring *ring;

    REQUIRE(port != NULL);
    ring = tx_ring(port, 0);
    for (unsigned i = 0; i < 3 * ring->num_slots; i++) {
        struct frame frame = frame_between(1, 2, i, 60);

        if (!frame_put(port, 0, &frame)) {
            CHECK_ERR(port_txsync(port), 0);
            REQUIRE(frame_put(port, 0, &frame));
        }
    }
    CHECK_ERR(port_txsync(port), 0);
    CHECK_EQ(nm_ring_space(ring), ring->num_slots - 1);
    frames_none(port);
}

TEST(vale_full_destination_drops_and_never_blocks, 20)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open_with("vale1:b", .nr_rx_slots = 64);
    struct netmap_ring *ring;
    struct frame frame;

    REQUIRE(a != NULL && b != NULL);
    ring = tx_ring(a, 0);
    for (uint64_t i = 0; i < 1000; i++) {
        frame = frame_between(1, 2, i, 60);
        frame_send(a, &frame);
        CHECK_EQ(nm_ring_space(ring), ring->num_slots - 1);
    }
    CHECK_ERR(port_rxsync(b), 0);
    CHECK_EQ(ring_room(rx_ring(b, 0)), 63);
    for (uint64_t i = 0; i < 63; i++) {
        frame = frame_between(1, 2, i, 60);
        frame_expect(b, 0, &frame);
    }
    frames_none(b);
    /* And it goes on where there is room again. */
    frame = frame_between(1, 2, 5000, 60);
    frame_send(a, &frame);
    CHECK_ERR(port_rxsync(b), 0);
    frame_expect(b, 0, &frame);
}

TEST(vale_one_full_port_does_not_starve_others, 20)
{
    struct port *ports[PORTS];
    struct frame frame;

    REQUIRE(open_switch(ports));
    for (uint64_t i = 0; i < 3000; i++) {
        frame = (struct frame){mac_broadcast(), mac_of(1), 1, i, 60};
        frame_send(ports[0], &frame);
        CHECK_ERR(port_rxsync(ports[1]), 0);
        if (!frame_expect(ports[1], 0, &frame))
            break;
    }
}

TEST(vale_switches_are_isolated, 10)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale2:a");
    struct port *c = port_open("vale:a");
    struct frame frame = {mac_broadcast(), mac_of(1), 1, 1, 60};

    REQUIRE(a != NULL && b != NULL && c != NULL);
    frame_send(a, &frame);
    frames_none(b);
    frames_none(c);
    frame_send(b, &frame);
    frames_none(a);
    frames_none(c);
}

TEST(vale_eight_switches, 20)
{
    struct port *ports[8][2];
    struct frame frame;
    char name[32];

    for (unsigned s = 0; s < 8; s++) {
        for (unsigned i = 0; i < 2; i++) {
            snprintf(name, sizeof(name), "vale%u:p%u", s, i);
            ports[s][i] = port_open(name);
            REQUIRE(ports[s][i] != NULL);
        }
    }
    for (unsigned s = 0; s < 8; s++) {
        frame = frame_between(1, 2, s, 60);
        frame_send(ports[s][0], &frame);
    }
    for (unsigned s = 0; s < 8; s++) {
        frame = frame_between(1, 2, s, 60);
        CHECK_ERR(port_rxsync(ports[s][1]), 0);
        frame_expect(ports[s][1], 0, &frame);
        frames_none(ports[s][1]);
    }
    port_close(ports[3][0]);
    port_close(ports[3][1]);
    ports[3][0] = port_open("valefresh:x"); /* a switch without ports makes room for another */
    CHECK(ports[3][0] != NULL);
}

TEST(vale_port_opened_twice_shares_rings, 10)
{
    struct port *first = port_open("vale1:a");
    struct port *second = port_open("vale1:a");
    struct port *peer = port_open("vale1:b");
    struct frame frame = frame_between(1, 2, 1, 70);
    struct frame answer = frame_between(2, 1, 2, 80);

    REQUIRE(first != NULL && second != NULL && peer != NULL);
    frame_send(first, &frame);
    CHECK_ERR(port_rxsync(peer), 0);
    frame_expect(peer, 0, &frame);
    frames_none(peer); /* once, although two descriptors have the port open */
    CHECK_ERR(port_txsync(second), 0);
    CHECK_EQ(tx_ring(second, 0)->head, 1);

    frame_send(peer, &answer);
    CHECK_ERR(port_rxsync(second), 0);
    CHECK_EQ(ring_room(rx_ring(first, 0)), 1);
    frame_expect(second, 0, &answer);
    frames_none(first);

    /* The port stays when one of the two goes. */
    port_close(first);
    frame_send(peer, &answer);
    CHECK_ERR(port_rxsync(second), 0);
    frame_expect(second, 0, &answer);
}

TEST(vale_port_closed_and_opened_again, 20)
{
    struct port *peer = port_open("vale1:b");

    REQUIRE(peer != NULL);
    for (unsigned round = 0; round < FAST_OR_SLOW(100, 20); round++) {
        struct frame frame = {mac_broadcast(), mac_of(1), 1, round, 60};
        struct port *port = port_open("vale1:a");

        REQUIRE(port != NULL);
        frames_none(port);
        frame_send(port, &frame);
        port_close(port);
        CHECK_ERR(port_rxsync(peer), 0);
        REQUIRE(frame_expect(peer, 0, &frame));
    }
}

TEST(vale_all_lengths, 30)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    uint32_t max;

    REQUIRE(a != NULL && b != NULL);
    max = tx_ring(a, 0)->nr_buf_size;
    /* One call per 64 lengths: enough frames to see whether one writes over its neighbour. */
    for (uint32_t length = FRAME_MIN; length <= max; length += 64) {
        uint32_t end = length + 64 <= max + 1 ? length + 64 : max + 1;

        for (uint32_t i = length; i < end; i++) {
            struct frame frame = frame_between(1, 2, i, i);

            REQUIRE(frame_put(a, 0, &frame));
        }
        CHECK_ERR(port_txsync(a), 0);
        CHECK_ERR(port_rxsync(b), 0);
        for (uint32_t i = length; i < end; i++) {
            struct frame frame = frame_between(1, 2, i, i);

            REQUIRE(frame_expect(b, 0, &frame));
        }
    }
    frames_none(b);
}

TEST(vale_order_is_kept_around_the_ring, 30)
{
    struct port *a = port_open_with("vale1:a", .nr_tx_slots = 37);
    struct port *b = port_open_with("vale1:b", .nr_rx_slots = 53);
    uint64_t state = 1;
    uint64_t sent = 0, received = 0;

    REQUIRE(a != NULL && b != NULL);
    for (unsigned round = 0; round < FAST_OR_SLOW(3000, 300); round++) {
        unsigned burst = (unsigned)(random_next(&state) % 36) + 1;

        for (unsigned i = 0; i < burst; i++) {
            struct frame frame = frame_between(1, 2, sent, frame_mixed_length(sent, 14, 300));

            REQUIRE(frame_put(a, 0, &frame));
            sent++;
        }
        REQUIRE_ERR(port_txsync(a), 0);
        REQUIRE_EQ(nm_ring_space(tx_ring(a, 0)), 36);
        REQUIRE_ERR(port_rxsync(b), 0);
        while (received < sent) {
            struct frame frame =
                frame_between(1, 2, received, frame_mixed_length(received, 14, 300));

            REQUIRE(frame_expect(b, 0, &frame));
            received++;
        }
        REQUIRE_ERR(port_rxsync(b), 0); /* gives the slots back: the next round needs them */
    }
    frames_none(b);
}

/* Slots given back late, cur ahead of head: what is not given back must not be overwritten. */
TEST(vale_received_slots_are_kept_until_given_back, 10)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open_with("vale1:b", .nr_rx_slots = 8);
    struct netmap_ring *ring;

    REQUIRE(a != NULL && b != NULL);
    ring = rx_ring(b, 0);
    for (uint64_t i = 0; i < 20; i++) {
        struct frame frame = frame_between(1, 2, i, 60);

        frame_send(a, &frame);
    }
    CHECK_ERR(port_rxsync(b), 0);
    CHECK_EQ(ring_room(ring), 7);
    ring->cur = ring->tail; /* seen all, keep all */
    CHECK_ERR(port_rxsync(b), 0);
    CHECK_EQ(ring_room(ring), 7);
    for (uint64_t i = 20; i < 30; i++) {
        struct frame frame = frame_between(1, 2, i, 60);

        frame_send(a, &frame);
    }
    CHECK_ERR(port_rxsync(b), 0);
    CHECK_EQ(ring_room(ring), 7);
    ring->cur = ring->head;
    for (uint64_t i = 0; i < 7; i++) {
        struct frame frame = frame_between(1, 2, i, 60);

        frame_expect(b, 0, &frame);
    }
    frames_none(b);
}
