/* A sender and a receiver: ordinary programs of the public API. */
#include "bench/flow.h"
#include "bench/machine.h"

#include <errno.h>
#include <libnetmap.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define POLL_MS  50   /* then look whether to stop */
#define DRAIN_MS 5000 /* for the receiver to take what was sent last */
#define STEP_US  1000

struct side {
    enum side_kind kind;
    const struct flow_options *options;
    struct shared *shared;
    struct side_state *state;
    struct nmport_d *port;
};

static bool stopping(const struct side *side)
{
    return atomic_load_explicit(&side->shared->stop[side->kind], memory_order_relaxed);
}

static bool failed(const struct side *side, const char *call)
{
    fprintf(stderr, "flow: %s: %s: %s\n", side->options->ports[side->kind], call, strerror(errno));
    return false;
}

static bool sync_port(const struct side *side, unsigned long request, const char *name)
{
    return ioctl(side->port->fd, request, NULL) == 0 || failed(side, name);
}

#define SYNC_TX(side) sync_port(side, NIOCTXSYNC, "NIOCTXSYNC")
#define SYNC_RX(side) sync_port(side, NIOCRXSYNC, "NIOCRXSYNC")

static bool wait_for(const struct side *side, short events)
{
    struct pollfd waiting = {side->port->fd, events, 0};

    if (poll(&waiting, 1, POLL_MS) < 0)
        return errno == EINTR || failed(side, "poll");
    if ((waiting.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
        errno = EIO;
        return failed(side, "poll");
    }
    return true;
}

static bool wait_for_room(const struct side *side)
{
    return side->options->busy ? SYNC_TX(side) : wait_for(side, POLLOUT);
}

static bool wait_for_frames(const struct side *side)
{
    return side->options->busy ? SYNC_RX(side) : wait_for(side, POLLIN);
}

static struct netmap_ring *tx_ring(const struct side *side)
{
    return NETMAP_TXRING(side->port->nifp, side->port->first_tx_ring);
}

static struct netmap_ring *rx_ring(const struct side *side, unsigned ring)
{
    return NETMAP_RXRING(side->port->nifp, ring);
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void count(struct side_state *state, uint64_t number)
{
    uint64_t before = atomic_load_explicit(&state->frames, memory_order_relaxed);

    atomic_store_explicit(&state->frames, before + number, memory_order_relaxed);
}

/* Until the host has dealt with every frame and, in a pipe, the other end has taken them. */
static bool drain(const struct side *side)
{
    for (unsigned waited = 0; waited < DRAIN_MS * 1000u / STEP_US; waited++) {
        if (!SYNC_TX(side))
            return false;
        if (!nm_tx_pending(tx_ring(side)))
            return true;
        usleep(STEP_US);
    }
    errno = ETIMEDOUT;
    return failed(side, "the frames sent last are not taken");
}

/* ---- throughput ---- */

static bool send_frames(struct side *side)
{
    struct frame_writer writer = {.options = side->options};
    struct netmap_ring *ring = tx_ring(side);

    while (!stopping(side)) {
        uint32_t number;

        if (!wait_for_room(side))
            return false;
        number = smaller(nm_ring_space(ring), side->options->batch);
        if (number == 0)
            continue;
        write_frames(&writer, ring, number);
        count(side->state, number);
    }
    return drain(side);
}

/* The frames that are there, at most a batch per ring. */
static uint32_t take_frames(const struct side *side, struct frame_reader *reader)
{
    uint32_t taken = 0;

    for (unsigned i = side->port->first_rx_ring; i <= side->port->last_rx_ring; i++) {
        struct netmap_ring *ring = rx_ring(side, i);
        uint32_t number = smaller(nm_ring_space(ring), side->options->batch);

        if (number > 0)
            read_frames(reader, ring, number);
        taken += number;
    }
    count(side->state, taken);
    return taken;
}

static bool receive_frames(struct side *side)
{
    struct frame_reader reader = {.options = side->options};

    while (!stopping(side)) {
        if (!wait_for_frames(side))
            return false;
        take_frames(side, &reader);
    }
    do { /* the sender has drained its ring: what is not here now was dropped */
        if (!SYNC_RX(side))
            return false;
    } while (take_frames(side, &reader) > 0);
    side->state->disorder = reader.disorder;
    return true;
}

/* ---- latency ---- */

/* Wait for a frame; false at an error and when told to stop, which errors tell themselves. */
static bool next_trip(const struct side *side, uint64_t *sequence, bool *good)
{
    struct netmap_ring *ring = rx_ring(side, side->port->first_rx_ring);

    *good = true;
    while (nm_ring_empty(ring)) {
        if (stopping(side))
            return false;
        *good = wait_for_frames(side);
        if (!*good)
            return false;
    }
    *sequence = read_trip(ring);
    return true;
}

/* A poll for frames sends what is there to be sent; a busy program has to do it itself. */
static bool send_trip(const struct side *side, uint64_t sequence)
{
    write_trip(side->options, tx_ring(side), sequence, side->kind == RECEIVER);
    return !side->options->busy || SYNC_TX(side);
}

static bool ping(struct side *side)
{
    struct shared *shared = side->shared;
    uint64_t sequence, answer, before;
    bool good = true;

    for (sequence = 1; !stopping(side); sequence++) {
        before = now_ns();
        if (!send_trip(side, sequence))
            return false;
        do {
            if (!next_trip(side, &answer, &good))
                return good;
        } while (answer != sequence);
        if (atomic_load_explicit(&shared->measuring, memory_order_relaxed) &&
            shared->trips < MAX_TRIPS)
            shared->trip_ns[shared->trips++] = (uint32_t)(now_ns() - before);
        count(side->state, 1);
    }
    return true;
}

static bool pong(struct side *side)
{
    uint64_t sequence;
    bool good = true;

    while (next_trip(side, &sequence, &good)) {
        if (!send_trip(side, sequence))
            return false;
        count(side->state, 1);
    }
    return good;
}

/* ---- both ---- */

/* On Linux a netmap descriptor is a socket; elsewhere nothing is learnt and nothing is lost. */
static pid_t host_of(const struct nmport_d *port)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(port->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

/* Let a switch learn the receiver's addresses. A pipe's other end is told nothing. */
static bool announce(const struct side *side)
{
    struct netmap_ring *ring = tx_ring(side);
    uint32_t done = 0;

    if (strncmp(side->options->ports[side->kind], "vale", 4) != 0)
        return true;
    while (done < side->options->flows) {
        uint32_t number = smaller(nm_ring_space(ring), side->options->flows - done);

        announce_frames(ring, done, number);
        done += number;
        if (!SYNC_TX(side)) /* a barrier: they are learnt when it returns */
            return false;
    }
    return true;
}

static bool move_frames(struct side *side)
{
    if (side->options->latency)
        return side->kind == SENDER ? ping(side) : pong(side);
    return side->kind == SENDER ? send_frames(side) : receive_frames(side);
}

int run_side(enum side_kind kind, const struct flow_options *options, struct shared *shared,
             int ready_fd)
{
    struct side side = {kind, options, shared, &shared->sides[kind], NULL};
    bool good = false;

    if (!pin_to(0, options->cpus[kind])) {
        fprintf(stderr, "flow: CPU %d: %s\n", options->cpus[kind], strerror(errno));
        return 1;
    }
    side.port = nmport_open(options->ports[kind]);
    if (side.port == NULL)
        return 1; /* libnetmap has said why */
    side.state->host_pid = host_of(side.port);
    side.state->slots = tx_ring(&side)->num_slots;
    if (options->size > tx_ring(&side)->nr_buf_size) {
        fprintf(stderr, "flow: %s: frames of %u bytes do not fit into buffers of %u\n",
                options->ports[kind], options->size, tx_ring(&side)->nr_buf_size);
        return 1;
    }
    if ((kind == SENDER || announce(&side)) && write(ready_fd, "", 1) == 1)
        good = move_frames(&side);
    nmport_close(side.port);
    return good ? 0 : 1;
}
