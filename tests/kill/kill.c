/*
 * kill: SIGKILL at random moments, and a client that scribbles; see kill.h.
 *
 *   NETMAPD=<program> kill [directory]
 *   NM_KILLS=n               kills per test (default 100; 40 with NM_QUICK=1)
 *   NM_SCRIBBLE_SECONDS=n    (default 5; 3 with NM_QUICK=1)
 *   NM_SEED=n                of the random moments (default: the time; it is printed)
 *   NM_STALL_MS=n            a verified flow that receives nothing for so long stalls (2000)
 */
#include "tests/kill/kill.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t seed;
static unsigned passed, failed;

static uint32_t kills(void)
{
    return env_number("NM_KILLS", quick() ? 40 : 100);
}

/* ---- verified flows, and the watchdog ---- */

struct flow {
    pid_t sender, receiver;
    uint64_t received, since_us, longest_us;
};
static struct flow flows[MAX_FLOWS];
static unsigned num_flows;

static void flow_start(const char *from, const char *to, unsigned from_station,
                       unsigned to_station)
{
    char number[16], own[16], other[16];
    struct flow *flow = &flows[num_flows];

    snprintf(number, sizeof(number), "%u", num_flows);
    snprintf(own, sizeof(own), "%u", from_station);
    snprintf(other, sizeof(other), "%u", to_station);
    board->received[num_flows] = board->damaged[num_flows] = 0;
    flow->receiver = client_start("flow-receiver", to, other, number, NULL);
    flow->sender = client_start("flow-sender", from, own, other, number);
    flow->received = flow->longest_us = 0;
    flow->since_us = now_us();
    num_flows++;
}

/* Look at the flows now and then while time goes by. */
static void watch(uint64_t microseconds)
{
    uint64_t end = now_us() + microseconds, now;

    do {
        uint64_t left;

        now = now_us();
        for (unsigned i = 0; i < num_flows; i++) {
            uint64_t received = __atomic_load_n(&board->received[i], __ATOMIC_RELAXED);

            if (received != flows[i].received) {
                flows[i].received = received;
                flows[i].since_us = now;
            } else if (now - flows[i].since_us > flows[i].longest_us) {
                flows[i].longest_us = now - flows[i].since_us;
            }
        }
        left = end > now ? end - now : 0;
        sleep_us(left < 2000 ? left : 2000);
    } while (now < end);
}

static void flows_check(void)
{
    uint32_t stall_ms = env_number("NM_STALL_MS", 2000);

    for (unsigned i = 0; i < num_flows; i++) {
        check(board->damaged[i] == 0, "flow %u: %lu frames damaged or out of order", i,
              (unsigned long)board->damaged[i]);
        check(flows[i].longest_us < stall_ms * 1000ull, "flow %u stood still for %lu ms", i,
              (unsigned long)(flows[i].longest_us / 1000));
    }
    netmapd_alive();
}

static void flows_end(void)
{
    flows_check();
    __atomic_store_n(&board->stop, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < num_flows; i++) {
        check(board->received[i] > 1000, "flow %u: only %lu frames came", i,
              (unsigned long)board->received[i]);
        printf("# flow %u: %lu frames, longest pause %lu ms\n", i,
               (unsigned long)board->received[i], (unsigned long)(flows[i].longest_us / 1000));
        check(client_wait(flows[i].sender) == 0, "flow %u: the sender did not end well", i);
        check(client_wait(flows[i].receiver) == 0, "flow %u: the receiver did not end well", i);
    }
    num_flows = 0;
}

static void moment(uint64_t least_us, uint64_t spread_us)
{
    watch(least_us + random_next(&seed) % spread_us);
}

/* ---- tests ---- */

/* On the switch of two others, a sender and a receiver are killed: one, the other, or both. */
static void test_kill_on_a_switch(void)
{
    pid_t sender = 0, receiver = 0;

    flow_start("vale1:a", "vale1:b", 1, 2);
    for (uint32_t i = 0; i < kills() && !test_failed; i++) {
        uint64_t which = random_next(&seed) % 3;

        if (receiver <= 0)
            receiver = client_start("victim-receiver", "vale1:y", "12", NULL, NULL);
        if (sender <= 0) /* to the other victim, or at a port of the flow's, which gets fuller */
            sender = client_start("victim-sender", "vale1:x", "11",
                                  random_next(&seed) % 4 == 0 ? "2" : "12", NULL);
        moment(500, 20000);
        if (which != 0) {
            client_kill(sender);
            sender = 0;
        }
        if (which == 2 && random_next(&seed) % 2 == 0)
            moment(0, 2000);
        if (which != 1) {
            client_kill(receiver);
            receiver = 0;
        }
        flows_check();
    }
    client_kill(sender);
    client_kill(receiver);
    flows_end();
}

/* The same on pipes, while another pipe and a switch carry verified frames. */
static void test_kill_beside_a_pipe(void)
{
    static const char *const names[2] = {"p{1", "p}1"};
    pid_t ends[2] = {0, 0};

    flow_start("q{1", "q}1", 1, 2);
    flow_start("vale1:a", "vale1:b", 1, 2);
    for (uint32_t i = 0; i < kills() && !test_failed; i++) {
        uint64_t which = random_next(&seed) % 3;

        for (int end = 0; end < 2; end++)
            if (ends[end] <= 0)
                ends[end] = client_start("pipe-victim", names[end], "-1", "3", "3");
        moment(500, 20000);
        for (int end = 0; end < 2; end++)
            if (which == 2 || which == (uint64_t)end) {
                client_kill(ends[end]);
                ends[end] = 0;
            }
        flows_check();
    }
    client_kill(ends[0]);
    client_kill(ends[1]);
    flows_end();
}

/*
 * All buffers that rings and lists show are different ones, and as many as there must be. (That the
 * host's books say the same is seen in tests/unit/test_close.c: to count a region's spare buffers
 * from outside one would have to take them all, and a million buffers are memory.)
 */
static void expect_buffers(const struct port *const *ports, unsigned number, uint32_t expected,
                           uint32_t kill)
{
    char why[160];
    uint32_t found = buffers_count(ports, number, 1u << 20, why, sizeof(why));

    check(found != 0, "kill %u: %s", kill, why);
    check(found == 0 || found == expected, "kill %u: %u buffers in rings and lists, not %u", kill,
          found, expected);
}

/* What a surviving end does, until a client is dead: it sends, takes, and forwards what it gets. */
static void survivor_works(struct port *port, pid_t until)
{
    while (!client_is_dead(until)) {
        for (uint32_t r = 0; r < 2; r++) {
            struct netmap_ring *rx = NETMAP_RXRING(port->nif, r);
            struct netmap_ring *tx = NETMAP_TXRING(port->nif, r);

            while (!nm_ring_empty(rx) && !nm_ring_empty(tx)) {
                struct netmap_slot *from = &rx->slot[rx->cur], *to = &tx->slot[tx->cur];
                uint32_t index = from->buf_idx;

                from->buf_idx = to->buf_idx;
                to->buf_idx = index;
                to->len = from->len < 60 ? 60 : from->len;
                from->flags = to->flags = NS_BUF_CHANGED;
                rx->head = rx->cur = nm_ring_next(rx, rx->cur);
                tx->head = tx->cur = nm_ring_next(tx, tx->cur);
            }
            rx->head = rx->cur = rx->tail;
        }
        check(port_rxsync(port) == 0, "the surviving end cannot receive");
        check(port_txsync(port) == 0, "the surviving end cannot send");
    }
}

static uint32_t slots_of(const struct port *port)
{
    return port->reg.nr_tx_rings * port->reg.nr_tx_slots +
           port->reg.nr_rx_rings * port->reg.nr_rx_slots;
}

/*
 * One end of a pipe is killed in the middle of anything, a hundred times; the other end, in this
 * process, and the parent with extra buffers live on. habits: what the victim does with its own
 * buffers; shared: each ring of the end has a victim, and one of them lives.
 */
static void kill_pipe_end(const char *habits, bool shared)
{
    struct port parent, survivor, again;
    const struct port *const all[3] = {&parent, &survivor, &again};
    uint32_t expected;

    if (!port_open_soon(&parent, "vale1:p", 50, 2, -1, PIPE_SLOTS) ||
        !port_open_soon(&survivor, "vale1:p}1", 20, 2, -1, PIPE_SLOTS))
        return;
    if (!port_open_soon(&again, "vale1:p{1", 0, 2, -1, PIPE_SLOTS))
        return;
    expected = slots_of(&parent) + slots_of(&survivor) + slots_of(&again) + 50 + 20;
    expect_buffers(all, 3, expected, 0);
    port_close(&again);
    for (uint32_t i = 1; i <= kills() && !test_failed; i++) {
        pid_t victim = client_start("pipe-victim", "vale1:p{1", shared ? "0" : "-1", "8", habits);
        pid_t witness = shared ? client_start("pipe-victim", "vale1:p{1", "1", "8", "0") : 0;

        client_kill_later(victim, 500 + random_next(&seed) % 10000);
        survivor_works(&survivor, victim);
        client_kill(victim);
        if (shared) { /* the ring was repaired while the other ring was in use */
            client_kill_later(witness, random_next(&seed) % 3000);
            survivor_works(&survivor, witness);
            client_kill(witness);
        }
        if (!port_open_soon(&again, "vale1:p{1", 0, 0, -1, 0))
            break;
        expect_buffers(all, 3, expected, i);
        port_close(&again);
    }
    port_close(&survivor);
    expect_buffers(all, 1, slots_of(&parent) + 50, kills());
    port_close(&parent);
}

static void test_kill_in_the_exchange(void)
{
    kill_pipe_end("0", false);
}

static void test_kill_between_own_slots(void)
{
    kill_pipe_end("1", false);
}

static void test_kill_with_extra_buffers(void)
{
    kill_pipe_end("3", false);
}

static void test_kill_one_ring_of_an_end(void)
{
    kill_pipe_end("0", true);
}

/* Both ends are killed, one after the other or at once; the parent lives, in this process. */
static void test_kill_both_ends(void)
{
    static const char *const names[2] = {"vale1:p{1", "vale1:p}1"};
    struct port parent, ends[2];
    const struct port *const all[3] = {&parent, &ends[0], &ends[1]};

    if (!port_open_soon(&parent, "vale1:p", 50, 2, -1, PIPE_SLOTS))
        return;
    for (uint32_t i = 1; i <= kills() && !test_failed; i++) {
        int first = (int)(random_next(&seed) % 2);
        pid_t victims[2];

        for (int end = 0; end < 2; end++)
            victims[end] = client_start("pipe-victim", names[end], "-1", "8", "3");
        sleep_us(500 + random_next(&seed) % 15000);
        kill(victims[first], SIGKILL);
        if (random_next(&seed) % 2 == 0)
            sleep_us(random_next(&seed) % 3000);
        client_kill(victims[!first]);
        client_kill(victims[first]);
        if (!port_open_soon(&ends[0], names[0], 0, 2, -1, PIPE_SLOTS) ||
            !port_open_soon(&ends[1], names[1], 0, 2, -1, PIPE_SLOTS))
            break;
        expect_buffers(all, 3, slots_of(&parent) + slots_of(&ends[0]) + slots_of(&ends[1]) + 50,
                       i);
        port_close(&ends[0]);
        port_close(&ends[1]);
        expect_buffers(all, 1, slots_of(&parent) + 50, i);
    }
    port_close(&parent);
}

/* Clients that write anything anywhere in their regions; others exchange verified frames. */
static void test_scribblers(void)
{
    static const char *const names[3] = {"vale1:s", "vale2:s{1", "r}1"};
    uint32_t seconds = env_number("NM_SCRIBBLE_SECONDS", quick() ? 3 : 5);
    uint64_t end = now_us() + seconds * 1000000ull;
    pid_t scribblers[3] = {0, 0, 0};

    board->scribbles = 0;
    flow_start("vale1:a", "vale1:b", 1, 2);
    flow_start("q{1", "q}1", 1, 2);
    while (now_us() < end && !test_failed) {
        for (int i = 0; i < 3; i++) {
            char text[32], time[16];

            if (scribblers[i] > 0)
                continue;
            snprintf(text, sizeof(text), "%llu", (unsigned long long)random_next(&seed) | 1);
            snprintf(time, sizeof(time), "%u", seconds);
            scribblers[i] = client_start("scribbler", names[i], time, text, NULL);
        }
        moment(200000, 600000);
        if (random_next(&seed) % 2 == 0) { /* and it ends at any moment */
            int i = (int)(random_next(&seed) % 3);

            client_kill(scribblers[i]);
            scribblers[i] = 0;
        }
        flows_check();
    }
    for (int i = 0; i < 3; i++)
        client_kill(scribblers[i]);
    check(board->scribbles > 100000, "only %lu words were scribbled",
          (unsigned long)board->scribbles);
    flows_end();
}

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    {"kill_on_a_switch", test_kill_on_a_switch},
    {"kill_beside_a_pipe", test_kill_beside_a_pipe},
    {"kill_in_the_exchange", test_kill_in_the_exchange},
    {"kill_between_own_slots", test_kill_between_own_slots},
    {"kill_with_extra_buffers", test_kill_with_extra_buffers},
    {"kill_one_ring_of_an_end", test_kill_one_ring_of_an_end},
    {"kill_both_ends", test_kill_both_ends},
    {"scribblers", test_scribblers},
};

/* Each test has a netmapd of its own, which must end with nothing left. */
static void run(const char *directory, size_t number)
{
    uint64_t start = now_us();

    test_failed = false;
    memset(board, 0, sizeof(*board));
    netmapd_begin(directory);
    tests[number].run();
    check(netmapd_end(), "netmapd did not end well");
    printf("%sok %zu - %s (%lu ms)\n", test_failed ? "not " : "", number + 1, tests[number].name,
           (unsigned long)(now_us() - start) / 1000);
    fflush(stdout);
    if (test_failed)
        failed++;
    else
        passed++;
}

static const struct {
    const char *name;
    int (*run)(char **arguments);
} roles[] = {
    {"flow-sender", role_flow_sender},         {"flow-receiver", role_flow_receiver},
    {"victim-sender", role_victim_sender},     {"victim-receiver", role_victim_receiver},
    {"pipe-victim", role_pipe_victim},         {"scribbler", role_scribbler},
};

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : "/tmp/netmap-kill";
    const char *only = getenv("TESTS");

    for (size_t i = 0; argc > 3 && i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (strcmp(argv[1], roles[i].name) == 0) {
            board_map(argv[2], false);
            return roles[i].run(argv + 3);
        }
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    mkdir(directory, 0700);
    setenv("NETMAP_DIR", directory, 1);
    board_map(directory, true);
    seed = env_number("NM_SEED", (uint32_t)now_us() | 1);
    printf("# NM_SEED=%lu NM_KILLS=%u\n", (unsigned long)seed, kills());
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        if (only == NULL || only[0] == '\0' || strstr(tests[i].name, only) != NULL)
            run(directory, i);
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
