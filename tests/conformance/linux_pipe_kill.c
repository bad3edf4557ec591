/* SIGKILL in the middle of a pipe's exchange of buffers, while the parent and its extra buffers
 * live on: no buffer may be in two places afterwards, none may be lost. */
#include "tests/conformance/buffers.h"
#include "tests/conformance/linux_children.h"

#include <stdlib.h>

#define PIPE_SLOTS  64
#define EXTRA       50
#define SPARE_LIMIT (1u << 20)

static unsigned kills(void)
{
    return env_number("NM_KILLS", quick() ? 6 : 20);
}

/* One end of a pipe with traffic both ways and buffers replaced all the time; for ever. */
CHILD(pipe_end)
{
    struct port *port =
        argc == 1 ? port_open_with(argv[0], .nr_tx_slots = PIPE_SLOTS, .nr_rx_slots = PIPE_SLOTS)
                  : NULL;
    uint64_t sequence = 0;
    uint64_t state = (uint64_t)getpid();

    if (port == NULL)
        return 1;
    child_say('R');
    for (;;) {
        struct netmap_ring *rx = rx_ring(port, 0);
        struct netmap_ring *tx = tx_ring(port, 0);
        unsigned burst = 1 + (unsigned)(random_next(&state) % 40);

        for (unsigned i = 0; i < burst; i++) {
            struct frame frame = frame_between(1, 2, sequence++, 60);

            if (!frame_put(port, 0, &frame))
                break;
        }
        port_txsync(port);
        port_rxsync(port);
        /* Forwarding without copying, as a program between two ports does. */
        while (!nm_ring_empty(rx) && !nm_ring_empty(tx) && random_next(&state) % 8 != 0) {
            struct netmap_slot *from = &rx->slot[rx->cur];
            struct netmap_slot *to = &tx->slot[tx->cur];
            uint32_t index = to->buf_idx;

            to->buf_idx = from->buf_idx;
            from->buf_idx = index;
            to->len = from->len;
            to->flags = from->flags = NS_BUF_CHANGED;
            rx->head = rx->cur = nm_ring_next(rx, rx->cur);
            tx->head = tx->cur = nm_ring_next(tx, tx->cur);
        }
        if (random_next(&state) % 4 == 0)
            rx->head = rx->cur = rx->tail;
    }
}

/*
 * How many extra buffers the region could still give: all its spare ones. Asking touches them all,
 * which may be gigabytes, so only in a thorough run.
 */
static uint32_t spare_buffers(const char *name)
{
    uint32_t low = 0, high = SPARE_LIMIT;

    if (kills() < 100)
        return 0;
    while (low < high) {
        struct nmreq_register want = {.nr_mode = NR_REG_ALL_NIC,
                                      .nr_extra_bufs = (low + high + 1) / 2};
        struct port *port;
        int error = port_try(name, &want, &port);
        uint32_t given = error == 0 ? port->reg.nr_extra_bufs : 0;

        port_close(port);
        if (error == 0 && given < want.nr_extra_bufs)
            return given; /* as many as there are */
        if (error == 0)
            low = want.nr_extra_bufs;
        else
            high = want.nr_extra_bufs - 1;
    }
    return low;
}

static bool start_end(const char *name, pid_t *pid)
{
    struct child_options options = {.args = {name}};
    int from_child = -1;

    *pid = child_start("pipe_end", &options, &from_child);
    if (*pid < 0)
        return false;
    CHECK_MSG(child_byte(from_child, 5000) == 'R', "%s does not start", name);
    close(from_child);
    return check_failures() == 0;
}

/* Open an end; the one that was killed may still be on its way out. */
static struct port *open_end(const char *name)
{
    return port_open_with(name, .nr_tx_slots = PIPE_SLOTS, .nr_rx_slots = PIPE_SLOTS);
}

/* Everything the three ports show must be different buffers, and as many as ever. */
static bool check_all(const struct port *parent, const struct port *one, const struct port *other)
{
    struct buffer_set set;
    uint32_t expected = parent->reg.nr_tx_slots + parent->reg.nr_rx_slots + EXTRA;
    bool good;

    if (!buffers_start(&set, parent))
        return false;
    good = buffers_add_rings(&set, parent) && CHECK_EQ(buffers_add_extra(&set, parent), EXTRA);
    if (one != NULL) {
        good = good && buffers_add_rings(&set, one);
        expected += one->reg.nr_tx_slots + one->reg.nr_rx_slots;
    }
    if (other != NULL) {
        good = good && buffers_add_rings(&set, other);
        expected += other->reg.nr_tx_slots + other->reg.nr_rx_slots;
    }
    good = good && CHECK_EQ(set.count, expected);
    buffers_end(&set);
    return good;
}

static struct port *open_parent(void)
{
    struct port *parent =
        port_open_with("vale0:a", .nr_tx_slots = 64, .nr_rx_slots = 64, .nr_extra_bufs = EXTRA);

    if (parent != NULL)
        CHECK_EQ(parent->reg.nr_extra_bufs, EXTRA);
    return parent;
}

TEST(linux_pipe_kill_both_ends, 120)
{
    struct port *parent = open_parent();
    uint64_t state = 3;
    uint32_t spare;

    REQUIRE(parent != NULL);
    spare = spare_buffers("vale0:a");
    for (unsigned round = 0; round < kills(); round++) {
        struct port *ends[2];
        pid_t pids[2];

        REQUIRE(start_end("vale0:a{1", &pids[0]) && start_end("vale0:a}1", &pids[1]));
        sleep_us(5000 + (unsigned)(random_next(&state) % 20000));
        child_kill(pids[round % 2]);
        if (round % 4 < 2)
            sleep_us((unsigned)(random_next(&state) % 5000));
        child_kill(pids[!(round % 2)]);
        ends[0] = open_end("vale0:a{1");
        ends[1] = open_end("vale0:a}1");
        REQUIRE_MSG(ends[0] != NULL && ends[1] != NULL, "after kill %u", round);
        REQUIRE_MSG(check_all(parent, ends[0], ends[1]), "after kill %u", round);
        port_close(ends[0]);
        port_close(ends[1]);
    }
    CHECK_EQ(spare_buffers("vale0:a"), spare);
    REQUIRE(check_all(parent, NULL, NULL));
}

/* The other end lives on, in this process, and goes on exchanging while its peer dies. */
TEST(linux_pipe_kill_one_end, 120)
{
    struct port *parent = open_parent();
    struct port *survivor;
    uint64_t state = 4;
    uint32_t spare;

    REQUIRE(parent != NULL);
    spare = spare_buffers("vale0:a");
    survivor = open_end("vale0:a}1");
    REQUIRE(survivor != NULL);
    for (unsigned round = 0; round < kills(); round++) {
        struct netmap_ring *rx = rx_ring(survivor, 0);
        struct port *again;
        uint64_t end, sequence = 0, received = 0;
        pid_t pid;

        REQUIRE(start_end("vale0:a{1", &pid));
        end = now_ns() + 5000000 + random_next(&state) % 20000000;
        while (now_ns() < end) {
            struct frame frame = frame_between(2, 1, sequence, 60);

            REQUIRE_ERR(port_rxsync(survivor), 0);
            received += ring_room(rx);
            rx->head = rx->cur = rx->tail;
            while (frame_put(survivor, 0, &frame))
                sequence++;
            REQUIRE_ERR(port_txsync(survivor), 0);
        }
        child_kill(pid);
        CHECK_MSG(received > 0, "kill %u: nothing came through the pipe before", round);
        /* It may go on using its rings, whatever is in them. */
        for (unsigned i = 0; i < 3; i++) {
            REQUIRE_ERR(port_rxsync(survivor), 0);
            rx->head = rx->cur = rx->tail;
            REQUIRE_ERR(port_txsync(survivor), 0);
        }
        again = open_end("vale0:a{1");
        REQUIRE_MSG(again != NULL, "after kill %u", round);
        REQUIRE_MSG(check_all(parent, again, survivor), "after kill %u", round);
        port_close(again);
    }
    port_close(survivor);
    CHECK_EQ(spare_buffers("vale0:a"), spare);
    REQUIRE(check_all(parent, NULL, NULL));
}
