/*
 * Clients that are threads of one process, with the host in it (host.c): traffic, sleeping,
 * opening and closing, all at the same time. Under TSan every one of these must be silent.
 *
 * Every test keeps to netmap's rules: a ring belongs to one thread at a time. A descriptor does
 * not; with NR_NO_TX_POLL one thread may send through it while another receives.
 */
#include "tests/conformance/flow.h"

#include <netmap_counters.h>

static uint64_t frames(void)
{
    return env_number("NM_THREAD_FRAMES", quick() ? 6000 : 20000);
}

static struct flow make_flow(const char *name, struct port *from, struct port *to)
{
    struct flow flow = flow_make(name, from, to);

    flow.count = frames();
    flow.windowed = true;
    flow.max_length = 300; /* TSan looks at every byte: more frames rather than longer ones */
    return flow;
}

static void finish(struct flow *flows, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        REQUIRE(flow_start(&flows[i]));
    threads_join();
    for (unsigned i = 0; i < count; i++)
        CHECK_EQ(flow_received(&flows[i]), flows[i].count);
}

/* ---- traffic ---- */

/* Four ports of a switch, and through each of them one thread sends while another receives. */
TEST(threads_vale_four_ports, 60)
{
    static const char *const names[4] = {"vale1:a", "vale1:b", "vale1:c", "vale1:d"};
    struct port *ports[4];
    struct flow flows[4];

    for (unsigned i = 0; i < 4; i++) {
        ports[i] = port_open_with(names[i], .nr_flags = NR_NO_TX_POLL);
        REQUIRE(ports[i] != NULL);
    }
    ports_introduce(ports, 4);
    for (unsigned i = 0; i < 4; i++) {
        unsigned to = (i + 1) % 4;

        flows[i] = make_flow(names[i], ports[i], ports[to]);
        flows[i].from_mac = i + 1;
        flows[i].to_mac = to + 1;
        flows[i].stream = i + 1;
        flows[i].burst = 16 + 16 * i;
        flows[i].only_polls = i == 3;
    }
    finish(flows, 4);
}

/* Two senders, faster than the receiver: the switch drops, the doors are busy. */
TEST(threads_vale_flood, 60)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct port *c = port_open_with("vale1:c", .nr_rx_slots = 64);
    struct flow flow;

    REQUIRE(a != NULL && b != NULL && c != NULL);
    flow = make_flow("flood", a, c);
    flow.stream = 7;
    flow.lossless = flow.windowed = false;
    flow.strangers = true; /* the other sender's */
    flow.burst = 256;
    REQUIRE(flow_start(&flow));
    for (uint64_t i = 0; i < frames(); i++) {
        struct frame frame = frame_between(3, 2, i, 60);

        if (!frame_put(b, 0, &frame) || i % 100 == 99)
            CHECK_ERR(port_txsync(b), 0);
    }
    threads_join();
    CHECK(flow_received(&flow) > 0);
}

/* Both directions of two pipes; the second one's parent is a port of a switch. */
TEST(threads_pipes_both_ways, 60)
{
    static const char *const names[4] = {"x{1", "x}1", "vale1:p{1", "vale1:p}1"};
    struct port *ports[4];
    struct flow flows[4];

    for (unsigned i = 0; i < 4; i++) {
        ports[i] = port_open_with(names[i], .nr_flags = NR_NO_TX_POLL,
                                  .nr_tx_slots = i < 2 ? 32 : 0, .nr_rx_slots = i < 2 ? 32 : 0);
        REQUIRE(ports[i] != NULL);
    }
    for (unsigned i = 0; i < 4; i++) {
        flows[i] = make_flow(names[i], ports[i], ports[i ^ 1]);
        flows[i].windowed = false; /* a pipe does not drop */
        flows[i].burst = i < 2 ? 5 : 64;
        flows[i].only_polls = i == 1;
    }
    finish(flows, 4);
}

/* One descriptor per ring, as programs with one thread per ring do. */
TEST(threads_one_per_ring, 60)
{
    enum { RINGS = 4 };
    struct port *from[RINGS], *to[RINGS];
    struct flow flows[RINGS];

    for (uint16_t i = 0; i < RINGS; i++) {
        struct nmreq_register want = {.nr_mode = NR_REG_ONE_NIC,
                                      .nr_ringid = i,
                                      .nr_tx_rings = RINGS,
                                      .nr_rx_rings = RINGS,
                                      .nr_tx_slots = 128,
                                      .nr_rx_slots = 128};

        from[i] = port_open_as("vale1:a", &want);
        to[i] = port_open_as("vale1:b", &want);
        REQUIRE(from[i] != NULL && to[i] != NULL);
    }
    for (unsigned i = 0; i < RINGS; i++) {
        flows[i] = make_flow("ring", from[i], to[i]);
        flows[i].ring = i;
        flows[i].count /= 2;
        flows[i].stream = i + 1;
    }
    finish(flows, RINGS);
}

/* ---- sleeping and waking ---- */

struct pair {
    struct port *from, *to;
    unsigned number;
};

/* After NIOCTXSYNC the frame is in the other port's ring: the barrier. */
static void sync_and_look(void *argument)
{
    struct pair *pair = argument;

    for (uint64_t i = 0; i < frames() / 10 && !threads_should_stop(); i++) {
        struct frame frame = frame_between(2 * pair->number + 1, 2 * pair->number + 2, i, 60);

        REQUIRE(frame_send(pair->from, &frame));
        REQUIRE_ERR(port_rxsync(pair->to), 0);
        REQUIRE(frame_expect(pair->to, 0, &frame));
    }
}

TEST(threads_barrier, 60)
{
    static const char *const names[6] = {"vale1:a", "vale1:b", "vale1:c",
                                         "vale1:d", "vale2:a", "vale2:b"};
    struct port *ports[6];
    struct pair pairs[3];

    for (unsigned i = 0; i < 6; i++) {
        ports[i] = port_open(names[i]);
        REQUIRE(ports[i] != NULL);
    }
    ports_introduce(ports, 6);
    for (unsigned i = 0; i < 3; i++) {
        pairs[i] = (struct pair){ports[2 * i], ports[2 * i + 1], i};
        REQUIRE(thread_start(sync_and_look, &pairs[i]));
    }
    threads_join();
}

/* Ping and pong: each side sleeps until the other has answered. */
static void answer(void *argument)
{
    struct pair *pair = argument;

    for (uint64_t i = 0; i < frames() / 20; i++) {
        struct frame frame = frame_between(1, 2, i, 60);

        while (port_poll(pair->from, POLLIN, 100) == 0)
            if (threads_should_stop())
                return;
        REQUIRE(frame_expect(pair->from, 0, &frame));
        frame = frame_between(2, 1, i, 61);
        REQUIRE(frame_send(pair->from, &frame));
    }
}

static void ping_pong(const char *one, const char *other)
{
    struct port *a = port_open(one);
    struct port *b = port_open(other);
    struct pair pair = {b, NULL, 0};

    REQUIRE(a != NULL && b != NULL);
    REQUIRE(thread_start(answer, &pair));
    for (uint64_t i = 0; i < frames() / 20; i++) {
        struct frame frame = frame_between(1, 2, i, 60);

        REQUIRE(frame_send(a, &frame));
        REQUIRE_EQ(port_poll(a, POLLIN, 5000), POLLIN);
        frame = frame_between(2, 1, i, 61);
        REQUIRE(frame_expect(a, 0, &frame));
    }
    threads_join();
    port_close(a);
    port_close(b);
}

TEST(threads_ping_pong, 60)
{
    ping_pong("vale1:a", "vale1:b");
    ping_pong("x{1", "x}1");
}

struct sleeper {
    struct port *port;
    unsigned woken;
};

static void sleep_on(void *argument)
{
    struct sleeper *sleeper = argument;

    while (!threads_should_stop() && sleeper->woken < 200)
        if (port_poll(sleeper->port, POLLIN, 20) == POLLIN)
            sleeper->woken++;
}

/* Two threads sleep on one descriptor, a third one on another descriptor of the same port; the
 * frames stay in the ring, so that all of them see some. */
TEST(threads_sleep_on_one_port, 60)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open_with("vale1:b", .nr_flags = NR_NO_TX_POLL);
    struct port *again = port_open_with("vale1:b", .nr_flags = NR_NO_TX_POLL);
    struct sleeper sleepers[3] = {{b, 0}, {b, 0}, {again, 0}};

    REQUIRE(a != NULL && b != NULL && again != NULL);
    for (unsigned i = 0; i < 3; i++)
        REQUIRE(thread_start(sleep_on, &sleepers[i]));
    sleep_ms(50);
    for (uint64_t i = 0; i < 50; i++) {
        struct frame frame = frame_between(1, 2, i, 60);

        REQUIRE(frame_send(a, &frame));
        sleep_us(200);
    }
    threads_join();
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(sleepers[i].woken, 200);
}

static void send_some(void *argument)
{
    struct pair *pair = argument;

    for (uint64_t i = 0; i < frames() / 20 && !threads_should_stop(); i++) {
        struct frame frame = frame_between(1, 2, i, 60);

        while (!frame_put(pair->from, 0, &frame) && !threads_should_stop())
            port_poll(pair->from, POLLOUT, 100);
        REQUIRE_ERR(port_txsync(pair->from), 0);
        if (i % 8 == 0)
            sleep_us(100);
    }
}

/* One poll over a switch port and a pipe, each fed by another thread. */
TEST(threads_poll_over_several, 60)
{
    struct pair pairs[2] = {{port_open("vale1:a"), port_open("vale1:b"), 0},
                            {port_open("x{1"), port_open("x}1"), 1}};
    uint64_t expected = frames() / 20, seen[2] = {0, 0};
    uint64_t end = now_ns() + 20000000000u;

    REQUIRE(pairs[0].from != NULL && pairs[0].to != NULL);
    REQUIRE(pairs[1].from != NULL && pairs[1].to != NULL);
    for (unsigned i = 0; i < 2; i++)
        REQUIRE(thread_start(send_some, &pairs[i]));
    while ((seen[0] < expected || seen[1] < expected) && now_ns() < end) {
        struct pollfd fds[2] = {{pairs[0].to->fd, POLLIN, 0}, {pairs[1].to->fd, POLLIN, 0}};

        REQUIRE(poll(fds, 2, 1000) >= 0);
        for (unsigned i = 0; i < 2; i++) {
            REQUIRE((fds[i].revents & POLLERR) == 0);
            while (!nm_ring_empty(rx_ring(pairs[i].to, 0))) {
                struct frame frame = frame_between(1, 2, seen[i], 60);

                REQUIRE(frame_expect(pairs[i].to, 0, &frame));
                seen[i]++;
            }
        }
    }
    threads_join();
    CHECK_EQ(seen[0], expected);
    CHECK_EQ(seen[1], expected);
}

/* ---- opening and closing while others work ---- */

static unsigned rounds(void)
{
    return quick() ? 12 : 30;
}

static void churn(void *argument)
{
    unsigned number = *(const unsigned *)argument;
    char own[32], master[32], slave[32];

    snprintf(own, sizeof(own), "vale1:own%u", number);
    snprintf(master, sizeof(master), "y{%u", number);
    snprintf(slave, sizeof(slave), "y}%u", number);
    for (unsigned i = 0; i < rounds() && !threads_should_stop(); i++) {
        struct port *shared =
            port_open("vale1:shared"); /* of all threads: two, one or none use it */
        struct port *port = port_open_with(own, .nr_tx_rings = (uint16_t)(1 + i % 3));
        struct port *ends[2] = {port_open(master), port_open(slave)};
        struct frame frame = frame_between(20 + number, 30, i, 60);

        REQUIRE(shared != NULL && port != NULL && ends[0] != NULL && ends[1] != NULL);
        CHECK(frame_put(port, 0, &frame));
        if (i % 2 == 0)
            CHECK_ERR(port_txsync(port), 0); /* else the close has something left to send */
        REQUIRE(frame_send(ends[0], &frame));
        REQUIRE_ERR(port_rxsync(ends[1]), 0);
        REQUIRE(frame_expect(ends[1], 0, &frame));
        port_close(i % 2 == 0 ? ends[0] : port);
        port_close(shared);
        port_close(i % 2 == 0 ? port : ends[0]);
        port_close(ends[1]);
    }
}

static void ask(void *argument)
{
    struct port *port = argument;

    for (unsigned i = 0; i < 5 * rounds() && !threads_should_stop(); i++) {
        struct nmreq_port_info_get info = {0};
        struct netmap_counters counters;
        int fd = open(DEVICE, O_RDWR);

        REQUIRE(fd >= 0);
        CHECK_ERR(request_send(fd, NETMAP_REQ_PORT_INFO_GET, port->name, &info), 0);
        CHECK_EQ(netmap_get_counters(fd, port->name, 0, 0, &counters), 0);
        CHECK_EQ(netmap_get_counters(port->fd, NULL, 0, 0, &counters), 0);
        CHECK_ERR(register_outcome("vale1:", NULL), EINVAL);
        close(fd);
    }
}

TEST(threads_open_and_close, 60)
{
    static unsigned numbers[3] = {0, 1, 2};
    struct port *ports[2] = {port_open("vale1:a"), port_open("vale1:b")};
    struct port *ends[2] = {port_open("x{1"), port_open("x}1")};
    struct flow flows[2];

    REQUIRE(ports[0] != NULL && ports[1] != NULL && ends[0] != NULL && ends[1] != NULL);
    ports_introduce(ports, 2);
    flows[0] = make_flow("switch", ports[0], ports[1]);
    flows[0].strangers = true;
    flows[0].lossless = false;
    flows[1] = make_flow("pipe", ends[0], ends[1]);
    flows[1].windowed = false;
    flows[0].count = flows[1].count = 0;
    REQUIRE(flow_start(&flows[0]) && flow_start(&flows[1]));
    for (unsigned i = 0; i < 3; i++)
        REQUIRE(thread_start(churn, &numbers[i]));
    REQUIRE(thread_start(ask, ports[1]));
    sleep_ms(quick() ? 500 : 2000);
    flow_stop(&flows[0]);
    flow_stop(&flows[1]);
    threads_join();
    CHECK_EQ(flows[1].received, flows[1].sent);
    CHECK(flow_received(&flows[0]) > 0);
}
