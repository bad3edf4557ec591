/* A sync is a barrier: what NIOCTXSYNC committed the other side sees in its next sync or poll,
 * without any waiting, in the same thread. */
#include "tests/conformance/ports.h"

enum receive { BY_RXSYNC, BY_POLL, BY_BOTH };

static void receive_sync(const struct port *port, enum receive how, unsigned round)
{
    if (how == BY_RXSYNC || (how == BY_BOTH && round % 2 == 0))
        REQUIRE_ERR(port_rxsync(port), 0);
    else
        REQUIRE_MSG((port_poll(port, POLLIN, 0) & POLLIN) != 0,
                    "round %u: poll with time-out 0 after NIOCTXSYNC sees nothing", round);
}

/* Every round: burst frames, one txsync, one look at the other side, all of them there. */
static void check_rounds(const struct port *from, const struct port *to, enum receive how,
                         unsigned rounds, unsigned burst)
{
    uint64_t sent = 0, received = 0;

    for (unsigned round = 0; round < rounds; round++) {
        unsigned count = 1 + round % burst;

        for (unsigned i = 0; i < count; i++) {
            struct frame frame = frame_between(1, 2, sent, 60);

            REQUIRE_MSG(frame_put(from, 0, &frame), "round %u: no room in the tx ring", round);
            sent++;
        }
        REQUIRE_ERR(port_txsync(from), 0);
        receive_sync(to, how, round);
        REQUIRE_MSG(ring_room(rx_ring(to, 0)) == count, "round %u: %u frames of %u are visible",
                    round, ring_room(rx_ring(to, 0)), count);
        while (received < sent) {
            struct frame frame = frame_between(1, 2, received, 60);

            REQUIRE(frame_expect(to, 0, &frame));
            received++;
        }
        REQUIRE(check_failures() == 0);
    }
}

static void check_names(const char *from_name, const char *to_name, enum receive how,
                        unsigned rounds, unsigned burst)
{
    struct port *from = port_open(from_name);
    struct port *to = port_open(to_name);

    REQUIRE(from != NULL && to != NULL);
    check_rounds(from, to, how, rounds, burst);
}

#define ROUNDS (quick() ? 1000u : FAST_OR_SLOW(5000u, 500u))

TEST(barrier_vale_rxsync, 30)
{
    check_names("vale1:a", "vale1:b", BY_RXSYNC, ROUNDS, 1);
}

TEST(barrier_vale_poll, 30)
{
    check_names("vale1:a", "vale1:b", BY_POLL, ROUNDS, 1);
}

TEST(barrier_vale_bursts, 30)
{
    check_names("vale1:a", "vale1:b", BY_BOTH, ROUNDS, 200);
}

TEST(barrier_pipe_rxsync, 30)
{
    check_names("x{1", "x}1", BY_RXSYNC, ROUNDS, 1);
}

TEST(barrier_pipe_poll, 30)
{
    check_names("x}1", "x{1", BY_POLL, ROUNDS, 1);
}

TEST(barrier_pipe_bursts, 30)
{
    check_names("x{1", "x}1", BY_BOTH, ROUNDS, 200);
}

/* There and back through the same thread: the shape of many test programs. */
static void ping_pong(const char *one_name, const char *other_name)
{
    struct port *one = port_open(one_name);
    struct port *other = port_open(other_name);

    REQUIRE(one != NULL && other != NULL);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct frame ping = frame_between(1, 2, round, 60);
        struct frame pong = frame_between(2, 1, round, 60);

        REQUIRE(frame_send(one, &ping));
        REQUIRE_ERR(port_rxsync(other), 0);
        REQUIRE(frame_expect(other, 0, &ping));
        REQUIRE(frame_send(other, &pong));
        REQUIRE_ERR(port_rxsync(one), 0);
        REQUIRE(frame_expect(one, 0, &pong));
    }
}

TEST(barrier_vale_ping_pong, 60)
{
    ping_pong("vale1:a", "vale1:b");
}

TEST(barrier_pipe_ping_pong, 60)
{
    ping_pong("x{1", "x}1");
}

TEST(barrier_reaches_every_port, 30)
{
    struct port *ports[5];
    static const char *const names[] = {"vale1:a", "vale1:b", "vale1:c", "vale1:d", "vale1:e"};

    for (unsigned i = 0; i < 5; i++) {
        ports[i] = port_open(names[i]);
        REQUIRE(ports[i] != NULL);
    }
    for (unsigned round = 0; round < ROUNDS / 4; round++) {
        struct frame frame = {mac_broadcast(), mac_of(1), 1, round, 60};

        REQUIRE(frame_send(ports[0], &frame));
        for (unsigned i = 1; i < 5; i++) {
            receive_sync(ports[i], BY_BOTH, round + i);
            REQUIRE(frame_expect(ports[i], 0, &frame));
        }
    }
}

/* After NIOCTXSYNC on a switch all slots are free again: delivered or dropped. */
TEST(barrier_tail_is_current, 20)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct netmap_ring *ring;
    uint64_t sequence = 0;

    REQUIRE(a != NULL && b != NULL);
    ring = tx_ring(a, 0);
    for (unsigned round = 0; round < 50; round++) {
        uint32_t count = ring->num_slots - 1;

        REQUIRE_EQ(nm_ring_space(ring), count);
        for (uint32_t i = 0; i < count; i++) {
            struct frame frame = frame_between(1, 2, sequence++, 60);

            REQUIRE(frame_put(a, 0, &frame));
        }
        CHECK_EQ(nm_ring_space(ring), 0);
        REQUIRE_ERR(port_txsync(a), 0);
        CHECK_EQ(nm_tx_pending(ring), 0);
    }
}

/* Programs end by waiting until nothing is pending: in a pipe, until the peer gave the slots back.
 * That must be seen whether or not the sender is short of room. */
TEST(barrier_tail_is_current_pipe, 20)
{
    struct port *master = port_open("x{1");
    struct port *slave = port_open("x}1");
    struct netmap_ring *ring;
    uint64_t sequence = 0;

    REQUIRE(master != NULL && slave != NULL);
    ring = tx_ring(master, 0);
    for (unsigned round = 0; round < 200; round++) {
        unsigned count = 1 + round % 100;

        for (unsigned i = 0; i < count; i++) {
            struct frame frame = frame_between(1, 2, sequence++, 60);

            REQUIRE(frame_put(master, 0, &frame));
        }
        REQUIRE_ERR(port_txsync(master), 0);
        REQUIRE_ERR(port_rxsync(slave), 0);
        REQUIRE_EQ(ring_room(rx_ring(slave, 0)), count);
        frames_discard(slave);
        REQUIRE_ERR(port_txsync(master), 0);
        REQUIRE_MSG(nm_tx_pending(ring) == 0,
                    "round %u: all was received and given back, but tail is %u, head %u", round,
                    ring->tail, ring->head);
    }
}

static void close_keeps_frames(const char *from_name, const char *to_name)
{
    struct port *to = port_open(to_name);

    REQUIRE(to != NULL);
    for (unsigned round = 0; round < FAST_OR_SLOW(50, 10); round++) {
        struct port *from = port_open(from_name);

        REQUIRE(from != NULL);
        frames_discard(to);
        for (uint64_t i = 0; i < 100; i++) {
            struct frame frame = frame_between(1, 2, i, 200);

            REQUIRE(frame_put(from, 0, &frame));
        }
        REQUIRE_ERR(port_txsync(from), 0);
        port_close(from);
        REQUIRE_ERR(port_rxsync(to), 0);
        for (uint64_t i = 0; i < 100; i++) {
            struct frame frame = frame_between(1, 2, i, 200);

            REQUIRE(frame_expect(to, 0, &frame));
        }
        frames_none(to);
    }
}

TEST(barrier_close_after_sync_keeps_frames_vale, 20)
{
    close_keeps_frames("vale1:a", "vale1:b");
}

TEST(barrier_close_after_sync_keeps_frames_pipe, 20)
{
    close_keeps_frames("x{1", "x}1");
}

/* A poll that returned "writable" has told the host of the frames: no further call is needed. */
static void poll_tells_the_host(const char *from_name, const char *to_name)
{
    struct port *from = port_open(from_name);
    struct port *to = port_open(to_name);
    uint64_t sent = 0, received = 0;

    REQUIRE(from != NULL && to != NULL);
    for (unsigned round = 0; round < FAST_OR_SLOW(300, 60); round++) {
        unsigned count = 1 + round % 50;

        for (unsigned i = 0; i < count; i++) {
            struct frame frame = frame_between(1, 2, sent++, 60);

            REQUIRE(frame_put(from, 0, &frame));
        }
        REQUIRE_MSG((port_poll(from, POLLOUT, 1000) & POLLOUT) != 0,
                    "round %u: not writable within a second", round);
        while (received < sent) {
            REQUIRE_MSG((port_poll(to, POLLIN, 2000) & POLLIN) != 0,
                        "round %u: %llu of %llu frames after two seconds", round,
                        (unsigned long long)received, (unsigned long long)sent);
            while (!nm_ring_empty(rx_ring(to, 0))) {
                struct frame frame = frame_between(1, 2, received, 60);

                REQUIRE(frame_expect(to, 0, &frame));
                received++;
            }
        }
    }
}

TEST(barrier_poll_tells_the_host_vale, 30)
{
    poll_tells_the_host("vale1:a", "vale1:b");
}

TEST(barrier_poll_tells_the_host_pipe, 30)
{
    poll_tells_the_host("x{1", "x}1");
}
