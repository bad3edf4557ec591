/* poll(): time-outs, both events, the syncs it implies, several descriptors, several waiters. */
#include "tests/conformance/ports.h"

/* What a helper thread does after a delay. */
struct later {
    struct port *port;
    unsigned delay_ms;
    unsigned count;    /* frames to send, or slots to give back */
    uint64_t sequence; /* of the first frame */
};

static void send_later(void *argument)
{
    const struct later *later = argument;

    sleep_ms(later->delay_ms);
    for (unsigned i = 0; i < later->count; i++) {
        struct frame frame = frame_between(1, 2, later->sequence + i, 60);

        frame_send(later->port, &frame);
    }
}

static void give_back_later(void *argument)
{
    const struct later *later = argument;
    struct netmap_ring *ring = rx_ring(later->port, 0);

    sleep_ms(later->delay_ms);
    CHECK_ERR(port_rxsync(later->port), 0);
    for (unsigned i = 0; i < later->count && ring->head != ring->tail; i++)
        ring->head = ring->cur = nm_ring_next(ring, ring->head);
    CHECK_ERR(port_rxsync(later->port), 0);
}

static uint64_t elapsed_ms(uint64_t start_ns)
{
    return (now_ns() - start_ns) / 1000000u;
}

static void check_timeouts(const char *name, const char *other_name)
{
    struct port *port = port_open(name);
    struct port *other = port_open(other_name);
    uint64_t start;

    REQUIRE(port != NULL && other != NULL);
    start = now_ns();
    CHECK_EQ(port_poll(port, POLLIN, 0), 0);
    CHECK_EQ(port_poll(port, 0, 0), 0);
    CHECK_EQ(port_poll(port, POLLOUT, 0), POLLOUT);
    CHECK_EQ(port_poll(port, POLLIN | POLLOUT, 0), POLLOUT);
    CHECK_MSG(elapsed_ms(start) < 500, "four polls with time-out 0 took %llu ms",
              (unsigned long long)elapsed_ms(start));

    start = now_ns();
    CHECK_EQ(port_poll(port, POLLIN, 100), 0);
    CHECK_MSG(elapsed_ms(start) >= 90 && elapsed_ms(start) < 1500,
              "a poll with time-out 100 ms took %llu ms", (unsigned long long)elapsed_ms(start));
    start = now_ns();
    CHECK_EQ(port_poll(port, POLLIN | POLLOUT, 5000), POLLOUT);
    CHECK_EQ(port_poll(port, POLLOUT, -1), POLLOUT);
    CHECK_MSG(elapsed_ms(start) < 1000, "polls of a writable port took %llu ms",
              (unsigned long long)elapsed_ms(start));
}

TEST(poll_timeouts_vale, 20)
{
    check_timeouts("vale1:a", "vale1:b");
}

TEST(poll_timeouts_pipe, 20)
{
    check_timeouts("x{1", "x}1");
}

static void check_wait(const char *from_name, const char *to_name, int timeout_ms)
{
    struct port *from = port_open(from_name);
    struct port *to = port_open(to_name);

    REQUIRE(from != NULL && to != NULL);
    for (unsigned round = 0; round < 20; round++) {
        struct later later = {from, round % 4 * 10, 1, round};
        struct frame frame = frame_between(1, 2, round, 60);
        uint64_t start = now_ns();

        REQUIRE(thread_start(send_later, &later));
        CHECK_EQ(port_poll(to, POLLIN, timeout_ms), POLLIN);
        CHECK_MSG(elapsed_ms(start) < 1500, "woken after %llu ms",
                  (unsigned long long)elapsed_ms(start));
        threads_join();
        REQUIRE(frame_expect(to, 0, &frame));
        CHECK_ERR(port_rxsync(to), 0);
    }
    frames_none(to);
}

TEST(poll_waits_for_a_frame_vale, 20)
{
    check_wait("vale1:a", "vale1:b", 5000);
}

TEST(poll_waits_without_end_vale, 20)
{
    check_wait("vale1:a", "vale1:b", -1);
}

TEST(poll_waits_for_a_frame_pipe, 20)
{
    check_wait("x{1", "x}1", 5000);
}

TEST(poll_waits_without_end_pipe, 20)
{
    check_wait("x}1", "x{1", -1);
}

/* Frames left in the ring count: poll reports them as long as cur is behind tail. */
TEST(poll_reports_frames_not_yet_read, 10)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct frame frame = frame_between(1, 2, 1, 60);
    struct netmap_ring *ring;

    REQUIRE(a != NULL && b != NULL);
    frame_send(a, &frame);
    CHECK_EQ(port_poll(b, POLLIN, 0), POLLIN);
    CHECK_EQ(port_poll(b, POLLIN, 0), POLLIN);
    ring = rx_ring(b, 0);
    ring->cur = ring->tail; /* seen, kept: wait for more */
    CHECK_EQ(port_poll(b, POLLIN, 50), 0);
    frame_send(a, &frame);
    CHECK_EQ(port_poll(b, POLLIN, 0), POLLIN);
    CHECK_EQ(ring_room(ring), 2);
}

/* Fill the pipe until the sender has no room left. */
static void fill(const struct port *port, uint64_t *sent)
{
    for (unsigned full = 0; full < 5;) {
        struct frame frame = frame_between(1, 2, *sent, 60);

        if (frame_put(port, 0, &frame)) {
            (*sent)++;
        } else {
            full++;
            REQUIRE_ERR(port_txsync(port), 0);
        }
    }
}

TEST(poll_waits_for_room, 20)
{
    struct port *master = port_open_with("x{1", .nr_tx_slots = 64, .nr_rx_slots = 64);
    struct port *slave = port_open("x}1");
    uint64_t sent = 0;

    REQUIRE(master != NULL && slave != NULL);
    for (unsigned round = 0; round < 20; round++) {
        struct later later = {slave, round % 4 * 10, 64, 0};
        uint64_t start;

        fill(master, &sent);
        REQUIRE(check_failures() == 0);
        REQUIRE_EQ(port_poll(master, POLLOUT, 0), 0);
        REQUIRE_EQ(port_poll(master, POLLOUT, 20), 0);
        start = now_ns();
        REQUIRE(thread_start(give_back_later, &later));
        CHECK_EQ(port_poll(master, POLLOUT, round % 2 == 0 ? -1 : 5000), POLLOUT);
        CHECK_MSG(elapsed_ms(start) < 1500, "woken after %llu ms",
                  (unsigned long long)elapsed_ms(start));
        CHECK_MSG(nm_ring_space(tx_ring(master, 0)) > 0, "writable without room");
        threads_join();
    }
}

/* poll does the txsync when it waits for reading only, unless NR_NO_TX_POLL. */
TEST(poll_implies_txsync, 10)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct frame frame = frame_between(1, 2, 1, 60);

    REQUIRE(a != NULL && b != NULL);
    CHECK(frame_put(a, 0, &frame));
    CHECK_EQ(port_poll(a, POLLIN, 0), 0);
    CHECK_EQ(port_poll(b, POLLIN, 2000), POLLIN);
    frame_expect(b, 0, &frame);
}

TEST(poll_no_tx_poll, 10)
{
    struct port *a = port_open_with("vale1:a", .nr_flags = NR_NO_TX_POLL);
    struct port *b = port_open("vale1:b");
    struct frame frame = frame_between(1, 2, 1, 60);

    REQUIRE(a != NULL && b != NULL);
    CHECK(frame_put(a, 0, &frame));
    CHECK_EQ(port_poll(a, POLLIN, 0), 0);
    CHECK_EQ(port_poll(a, POLLIN, 50), 0);
    frames_none(b);
    /* Waiting for writing still does. */
    CHECK_EQ(port_poll(a, POLLOUT, 0), POLLOUT);
    CHECK_EQ(port_poll(b, POLLIN, 2000), POLLIN);
    frame_expect(b, 0, &frame);
}

TEST(poll_do_rx_poll, 10)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open_with("vale1:b", .nr_flags = NR_DO_RX_POLL);
    struct frame frame = frame_between(1, 2, 1, 60);

    REQUIRE(a != NULL && b != NULL);
    frame_send(a, &frame);
    CHECK_EQ(port_poll(b, POLLOUT, 0), POLLOUT);
    CHECK_EQ(ring_room(rx_ring(b, 0)), 1);
}

/* poll gives slots back, as NIOCRXSYNC does. */
TEST(poll_gives_slots_back, 20)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open_with("vale1:b", .nr_rx_slots = 4);

    REQUIRE(a != NULL && b != NULL);
    for (uint64_t i = 0; i < 100; i++) {
        struct frame frame = frame_between(1, 2, i, 60);

        REQUIRE(frame_send(a, &frame));
        REQUIRE_EQ(port_poll(b, POLLIN, 0), POLLIN);
        REQUIRE(frame_expect(b, 0, &frame));
        REQUIRE_EQ(port_poll(b, POLLIN, 0), 0);
    }
}

TEST(poll_several_descriptors, 20)
{
    struct port *sender = port_open("vale1:s");
    struct port *ports[4];
    struct port *pipe[2] = {port_open("x{1"), port_open("x}1")};
    struct pollfd entries[7];
    static const char *const names[] = {"vale1:a", "vale2:b", "vale1:c", "vale2:d"};

    REQUIRE(sender != NULL && pipe[0] != NULL && pipe[1] != NULL);
    for (unsigned i = 0; i < 4; i++) {
        ports[i] = port_open(names[i]);
        REQUIRE(ports[i] != NULL);
        entries[i] = (struct pollfd){.fd = ports[i]->fd, .events = POLLIN};
    }
    entries[4] = (struct pollfd){.fd = -1, .events = POLLIN};
    entries[5] = (struct pollfd){.fd = pipe[1]->fd, .events = POLLIN};
    entries[6] = (struct pollfd){.fd = pipe[0]->fd, .events = POLLIN};
    CHECK_EQ(poll(entries, 7, 0), 0);
    CHECK_EQ(poll(entries, 7, 30), 0);

    for (unsigned round = 0; round < 12; round++) {
        bool by_pipe = round % 3 == 2;
        struct later later = {by_pipe ? pipe[0] : sender, round % 2 * 20, 1, round};
        int count;

        REQUIRE(thread_start(send_later, &later));
        count = poll(entries, 7, 5000);
        threads_join();
        CHECK_MSG(count > 0, "round %u: nothing within five seconds", round);
        /* The frame may have reached one port of the switch a moment before the other. */
        count = poll(entries, 7, 0);
        CHECK_EQ(count, by_pipe ? 1 : 2);
        for (unsigned i = 0; i < 7; i++) {
            bool expected = by_pipe ? i == 5 : i == 0 || i == 2;

            CHECK_MSG(((entries[i].revents & POLLIN) != 0) == expected,
                      "round %u: descriptor %u has revents 0x%x", round, i,
                      (unsigned)entries[i].revents);
        }
        frames_discard(ports[0]);
        frames_discard(ports[2]);
        frames_discard(pipe[1]);
    }

    entries[1].events = POLLIN | POLLOUT;
    CHECK_EQ(poll(entries, 7, 1000), 1);
    CHECK_EQ(entries[1].revents, POLLOUT);
}

/* Two descriptors of one port wait for the same frame: both are woken. */
struct waiter {
    struct port *port;
    int revents;
};

static void wait_for_frame(void *argument)
{
    struct waiter *waiter = argument;

    waiter->revents = port_poll(waiter->port, POLLIN, 5000);
}

TEST(poll_several_waiters, 20)
{
    struct port *sender = port_open("vale1:s");
    struct waiter waiters[3] = {
        {port_open("vale1:a"), 0}, {port_open("vale1:a"), 0}, {port_open("vale1:b"), 0}};
    struct frame frame = frame_between(1, 2, 1, 60);

    REQUIRE(sender != NULL);
    for (unsigned i = 0; i < 3; i++)
        REQUIRE(waiters[i].port != NULL);
    for (unsigned i = 0; i < 3; i++)
        CHECK(thread_start(wait_for_frame, &waiters[i]));
    sleep_ms(50);
    frame_send(sender, &frame);
    threads_join();
    for (unsigned i = 0; i < 3; i++)
        CHECK_MSG(waiters[i].revents == POLLIN, "waiter %u has revents 0x%x", i,
                  (unsigned)waiters[i].revents);
}

/* One thread waits on a descriptor while another sends through the same one; NR_NO_TX_POLL keeps
 * the waiting one's poll from looking at a tx ring that is being written. */
TEST(poll_while_another_thread_sends, 20)
{
    struct waiter waiter = {port_open_with("vale1:a", .nr_flags = NR_NO_TX_POLL), 0};
    struct port *peer = port_open("vale1:b");
    struct frame there = frame_between(1, 2, 1, 60);
    struct frame back = frame_between(2, 1, 2, 60);

    REQUIRE(waiter.port != NULL && peer != NULL);
    REQUIRE(thread_start(wait_for_frame, &waiter));
    sleep_ms(30);
    for (unsigned i = 0; i < 10; i++) {
        frame_send(waiter.port, &there);
        CHECK_ERR(port_rxsync(peer), 0);
        frame_expect(peer, 0, &there);
    }
    frame_send(peer, &back);
    threads_join();
    CHECK_EQ(waiter.revents, POLLIN);
    frame_expect(waiter.port, 0, &back);
}
