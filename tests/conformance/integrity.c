/* Many frames of mixed sizes: none corrupted, none reordered within a ring, none lost in a pipe. */
#include "tests/conformance/flow.h"

static uint64_t frames(void)
{
    return env_number("NM_FRAMES",
                      quick() ? FAST_OR_SLOW(200000u, 20000u) : FAST_OR_SLOW(1000000u, 100000u));
}

/* Wait for the flow and judge it. */
static void finish(struct flow *flow, uint64_t start)
{
    uint64_t took;

    threads_join();
    took = (now_ns() - start) / 1000000u;
    check_note("%s: %llu frames sent, %llu received, %llu lost, %llu ms", flow->name,
               (unsigned long long)flow->sent, (unsigned long long)flow->received,
               (unsigned long long)flow->lost, (unsigned long long)took);
    CHECK_EQ(flow->sent, flow->count);
    CHECK_MSG(flow->received > 0, "%s: nothing received", flow->name);
    if (flow->lossless)
        CHECK_EQ(flow->received, flow->count);
}

static void run_one(struct flow *flow)
{
    uint64_t start = now_ns();

    REQUIRE(flow_start(flow));
    finish(flow, start);
}

/* With a window that the receiving ring holds a switch has no reason to drop. */
TEST(integrity_vale_windowed, 120)
{
    struct port *ports[2] = {port_open("vale1:a"), port_open("vale1:b")};
    struct flow flow = flow_make("vale", ports[0], ports[1]);

    REQUIRE(ports[0] != NULL && ports[1] != NULL);
    ports_introduce(ports, 2);
    flow.count = frames();
    flow.min_length = FRAME_MIN;
    flow.max_length = tx_ring(ports[0], 0)->nr_buf_size;
    flow.windowed = true;
    run_one(&flow);
}

/* As fast as the sender can: the switch drops, but what arrives is whole and in order. */
TEST(integrity_vale_flood, 120)
{
    struct port *ports[2] = {port_open("vale1:a"), port_open_with("vale1:b", .nr_rx_slots = 256)};
    struct flow flow = flow_make("vale without window", ports[0], ports[1]);

    REQUIRE(ports[0] != NULL && ports[1] != NULL);
    flow.count = frames() / 2;
    flow.min_length = FRAME_MARKED;
    flow.max_length = tx_ring(ports[0], 0)->nr_buf_size;
    flow.lossless = false;
    flow.burst = 256;
    run_one(&flow);
}

TEST(integrity_pipe, 120)
{
    struct port *ports[2] = {port_open("x{1"), port_open("x}1")};
    struct flow flow = flow_make("pipe", ports[0], ports[1]);

    REQUIRE(ports[0] != NULL && ports[1] != NULL);
    flow.count = frames();
    flow.min_length = FRAME_MIN;
    flow.max_length = tx_ring(ports[0], 0)->nr_buf_size;
    run_one(&flow);
}

/* Small rings, small bursts: the two sides wait for each other all the time. */
TEST(integrity_pipe_small_rings, 120)
{
    struct port *ports[2] = {port_open_with("x{1", .nr_tx_slots = 8, .nr_rx_slots = 8),
                             port_open("x}1")};
    struct flow flow = flow_make("pipe of 8 slots", ports[0], ports[1]);

    REQUIRE(ports[0] != NULL && ports[1] != NULL);
    flow.count = frames() / FAST_OR_SLOW(10, 50);
    flow.burst = 3;
    run_one(&flow);
}

TEST(integrity_vale_small_rings, 120)
{
    struct port *ports[2] = {port_open_with("vale1:a", .nr_tx_slots = 8, .nr_rx_slots = 8),
                             port_open_with("vale1:b", .nr_tx_slots = 8, .nr_rx_slots = 8)};
    struct flow flow = flow_make("vale of 8 slots", ports[0], ports[1]);

    REQUIRE(ports[0] != NULL && ports[1] != NULL);
    ports_introduce(ports, 2);
    flow.count = frames() / FAST_OR_SLOW(20, 100);
    flow.burst = 3;
    flow.windowed = true;
    run_one(&flow);
}

/* The sender never calls NIOCTXSYNC: poll alone moves everything. */
TEST(integrity_only_polls, 120)
{
    struct port *ports[2] = {port_open("vale1:a"), port_open("vale1:b")};
    struct port *ends[2] = {port_open("x{1"), port_open("x}1")};
    struct flow vale = flow_make("vale by poll", ports[0], ports[1]);
    struct flow pipe = flow_make("pipe by poll", ends[0], ends[1]);

    REQUIRE(ports[0] != NULL && ports[1] != NULL && ends[0] != NULL && ends[1] != NULL);
    ports_introduce(ports, 2);
    vale.count = pipe.count = frames() / 5;
    vale.only_polls = pipe.only_polls = true;
    vale.windowed = true;
    run_one(&vale);
    run_one(&pipe);
}

/* One thread receives through the descriptor through which another sends: its poll must leave the
 * tx ring, which the other one is writing to, alone. */
#define TWO_THREADS .nr_flags = NR_NO_TX_POLL

static void both_ways(struct flow *there, struct flow *back)
{
    uint64_t start = now_ns();

    there->count = back->count = frames() / 5;
    back->from_mac = there->to_mac;
    back->to_mac = there->from_mac;
    back->stream = 2;
    REQUIRE(flow_start(there) && flow_start(back));
    finish(there, start);
    finish(back, start);
}

TEST(integrity_pipe_both_ways, 120)
{
    struct port *ports[2] = {port_open_with("x{1", TWO_THREADS),
                             port_open_with("x}1", TWO_THREADS)};
    struct flow there = flow_make("pipe there", ports[0], ports[1]);
    struct flow back = flow_make("pipe back", ports[1], ports[0]);

    REQUIRE(ports[0] != NULL && ports[1] != NULL);
    both_ways(&there, &back);
}

TEST(integrity_vale_both_ways, 120)
{
    struct port *ports[2] = {port_open_with("vale1:a", TWO_THREADS),
                             port_open_with("vale1:b", TWO_THREADS)};
    struct flow there = flow_make("vale there", ports[0], ports[1]);
    struct flow back = flow_make("vale back", ports[1], ports[0]);

    REQUIRE(ports[0] != NULL && ports[1] != NULL);
    ports_introduce(ports, 2);
    there.windowed = back.windowed = true;
    both_ways(&there, &back);
}

/* Two flows over one switch, and each over its own pair of rings. */
TEST(integrity_vale_two_flows, 120)
{
    struct port *ports[4] = {port_open("vale1:a"), port_open("vale1:b"), port_open("vale1:c"),
                             port_open("vale1:d")};
    struct flow first = flow_make("first of two", ports[0], ports[1]);
    struct flow second = flow_make("second of two", ports[2], ports[3]);
    uint64_t start = now_ns();

    for (unsigned i = 0; i < 4; i++)
        REQUIRE(ports[i] != NULL);
    ports_introduce(ports, 4);
    first.count = second.count = frames() / 5;
    second.from_mac = 3;
    second.to_mac = 4;
    second.stream = 2;
    first.windowed = second.windowed = true;
    REQUIRE(flow_start(&first) && flow_start(&second));
    finish(&first, start);
    finish(&second, start);
}
