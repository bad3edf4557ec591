#include "apps/pkt-gen/wait.h"

#include "apps/pkt-gen/report.h"
#include "apps/platform.h"

#include <errno.h>
#include <poll.h>
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

#ifdef BUSYWAIT

bool wait_for_room(struct worker *worker, int timeout_ms)
{
    (void)timeout_ms;
    return sync_tx(worker);
}

bool wait_for_frames(struct worker *worker, int timeout_ms)
{
    (void)timeout_ms;
    return sync_rx(worker);
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
    uint64_t progress_ns = platform_now_ns();
    uint64_t pause_ns = 1000;
    uint64_t before = UINT64_MAX;

    for (;;) {
        uint64_t pending;

        if (!sync_tx(worker))
            return false;
        pending = tx_pending(worker);
        if (pending == 0 || worker_stopping(worker))
            return true;
        if (pending < before) {
            before = pending;
            progress_ns = platform_now_ns();
            pause_ns = 1000;
        } else if (platform_now_ns() - progress_ns > patience_ms * 1000000ULL) {
            say("drain_tx", "%llu frames or pieces are sent but nobody takes them; leaving them",
                (unsigned long long)pending);
            return true;
        }
        if (!program_busy_waits) {
            platform_sleep_ns(pause_ns);
            pause_ns = pause_ns < 1000000 ? pause_ns * 2 : pause_ns;
        }
    }
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

void pacer_start(struct pacer *pacer, const struct worker *worker, uint64_t sent)
{
    pacer->frames_per_ns =
        (double)worker->options->rate / worker->options->threads / PLATFORM_NS_PER_SECOND;
    pacer->begin_ns = platform_now_ns();
    pacer->sent_at_begin = sent;
}

/* Sleeps in pieces, so that a low rate does not delay the end of the program. */
static void pause_until(uint64_t due_ns, const struct worker *worker)
{
    uint64_t now;

    while ((now = platform_now_ns()) < due_ns && !worker_stopping(worker)) {
        uint64_t left = due_ns - now;

        if (!program_busy_waits)
            platform_sleep_ns(left < WAIT_MS * 1000000ULL ? left : WAIT_MS * 1000000ULL);
    }
}

unsigned pacer_wait(struct pacer *pacer, const struct worker *worker, uint64_t sent,
                    unsigned wanted)
{
    /* Sleeps are not exact; what one takes too long, the next batch makes up for. */
    const double catch_up_ns = 100e6;
    const double least_pause_ns = 500e3;
    double unit = pacer->frames_per_ns * least_pause_ns;

    if (pacer->frames_per_ns <= 0)
        return wanted;
    unit = unit < 1 ? 1 : unit > wanted ? wanted : unit;
    while (!worker_stopping(worker)) {
        double passed = (double)(platform_now_ns() - pacer->begin_ns);
        double due = passed * pacer->frames_per_ns + 1 - (double)(sent - pacer->sent_at_begin);

        if (due > catch_up_ns * pacer->frames_per_ns + wanted) {
            pacer_start(pacer, worker, sent); /* we were held up; do not send it all at once */
            continue;
        }
        if (due >= unit)
            return due < wanted ? (unsigned)due : wanted;
        pause_until(platform_now_ns() + (uint64_t)((unit - due) / pacer->frames_per_ns) + 1,
                    worker);
    }
    return 0;
}
