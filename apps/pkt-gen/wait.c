#include "apps/pkt-gen/wait.h"

#include "apps/pkt-gen/report.h"
#include "apps/platform.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>

#ifdef BUSYWAIT
const char program_name[] = "pkt-gen-b";
const bool program_busy_waits = true;
#else
const char program_name[] = "pkt-gen";
const bool program_busy_waits = false;
#endif

static bool port_failed(struct worker *worker, const char *call, int error)
{
    const char *port = worker->options->port;

    worker->failed = true;
    if (error == EIO || error == ENXIO)
        complain("%s: the netmap host is gone (netmapd ended, or the driver was stopped); start "
                 "%s again: opening the port reaches or starts a new host",
                 port, program_name);
    else
        complain("%s: %s: %s", port, call, strerror(error));
    return false;
}

bool sync_tx(struct worker *worker)
{
    if (ioctl(worker->port->fd, NIOCTXSYNC, NULL) == 0 || errno == EINTR)
        return true;
    return port_failed(worker, "NIOCTXSYNC", errno);
}

bool sync_rx(struct worker *worker)
{
    if (ioctl(worker->port->fd, NIOCRXSYNC, NULL) == 0 || errno == EINTR)
        return true;
    return port_failed(worker, "NIOCRXSYNC", errno);
}

bool rx_has_frames(const struct worker *worker)
{
    unsigned i;

    for (i = worker->port->first_rx_ring; i <= worker->port->last_rx_ring; i++) {
        if (!nm_ring_empty(rx_ring(worker, i)))
            return true;
    }
    return false;
}

#ifdef BUSYWAIT

#define SPIN_ROUNDS 16

static bool tx_has_room(const struct worker *worker)
{
    unsigned i;

    for (i = worker->port->first_tx_ring; i <= worker->port->last_tx_ring; i++) {
        if (!nm_ring_empty(tx_ring(worker, i)))
            return true;
    }
    return false;
}

/*
 * Without sleeping, but not against the one we wait for: when there are fewer processors than
 * programs that spin, the other side would run only when our time slice is over.
 */
static bool spin(struct worker *worker, bool found)
{
    if (found)
        worker->empty_rounds = 0;
    else if (++worker->empty_rounds > SPIN_ROUNDS)
        sched_yield();
    return true;
}

bool wait_for_room(struct worker *worker, int timeout_ms)
{
    (void)timeout_ms;
    return sync_tx(worker) && spin(worker, tx_has_room(worker));
}

bool wait_for_frames(struct worker *worker, int timeout_ms)
{
    (void)timeout_ms;
    return sync_rx(worker) && spin(worker, rx_has_frames(worker));
}

#else

/* poll() tells that something is wrong, a sync tells what. */
static bool find_error(struct worker *worker, int events)
{
    if (!sync_tx(worker) || !sync_rx(worker))
        return false;
    complain("%s: poll reports an error (events 0x%x) but the port still answers: the host has "
             "reset a ring, or refuses to wait on it; its log says why",
             worker->options->port, (unsigned)events);
    worker->failed = true;
    return false;
}

static bool wait_for(struct worker *worker, short events, int timeout_ms)
{
    struct pollfd waiting = {.fd = worker->port->fd, .events = events};
    int ready = poll(&waiting, 1, timeout_ms);

    worker->poll_value = ready;
    worker->poll_events = waiting.revents;
    if (ready < 0)
        return errno == EINTR ? true : port_failed(worker, "poll", errno);
    if (ready > 0 && (waiting.revents & (POLLERR | POLLHUP | POLLNVAL)))
        return find_error(worker, waiting.revents);
    return true;
}

bool wait_for_room(struct worker *worker, int timeout_ms)
{
    return wait_for(worker, POLLOUT, timeout_ms);
}

bool wait_for_frames(struct worker *worker, int timeout_ms)
{
    return wait_for(worker, POLLIN, timeout_ms);
}

#endif

/* Slots that the host has not given back; a ring always keeps one slot back. */
static uint64_t tx_pending(const struct worker *worker)
{
    uint64_t pending = 0;
    unsigned i;

    for (i = worker->port->first_tx_ring; i <= worker->port->last_tx_ring; i++) {
        struct netmap_ring *ring = tx_ring(worker, i);
        uint32_t room = ring->tail - ring->head;

        if (ring->tail < ring->head)
            room += ring->num_slots;
        pending += ring->num_slots - 1 - room;
    }
    return pending;
}

bool drain_tx(struct worker *worker, unsigned patience_ms)
{
    uint64_t progress_ns = 0;
    uint64_t pause_ns = 0;
    uint64_t before = UINT64_MAX;

    for (;;) {
        uint64_t pending;

        if (!sync_tx(worker))
            return false;
        pending = tx_pending(worker);
        if (pending < before) {
            before = pending;
            progress_ns = platform_now_ns();
            pause_ns = 1000;
            mark_end(worker); /* waiting in vain is not part of the run */
        }
        if (pending == 0 || worker_stopping(worker))
            return true;
        if (platform_now_ns() - progress_ns > patience_ms * 1000000ULL) {
            say("drain_tx", "%llu slots are sent but nobody takes them; leaving them",
                (unsigned long long)pending);
            return true;
        }
        if (program_busy_waits) {
            sched_yield();
        } else {
            platform_sleep_ns(pause_ns);
            pause_ns = pause_ns < 1000000 ? pause_ns * 2 : pause_ns;
        }
    }
}
