/*
 * Waiting in the client: poll, and the barrier of NIOCTXSYNC.
 *
 * A waiter arms its port's bell and the events of the rings it cares about, looks once more, and
 * sleeps on the bell. Before that, one whose ring was busy a moment ago gives the CPU away to
 * whoever wants it for at most one window, and looks in between: a stream then costs no wake-up,
 * which on a virtual machine takes the time of a thousand frames, and a CPU that others need is
 * theirs. Every sleep ends after a quarter of a second to see whether netmapd is still there.
 */
#include "hosts/linux/client/edge.h"
#include "core/errors.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WINDOW_NS   100000 /* about two wake-ups of an idle CPU */
#define GATHER_NS   10000  /* in a window, slots that are too few for a batch wait for more */
#define BATCH       256u   /* slots that are enough */
#define LIVENESS_NS 250000000
#define BUSY_BATCH  64u /* slots found at the last wait that make a ring busy */
#define MAX_BELLS   64
#define CALLS_PER_CHECK 256u

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* Linux 5.16; declared here because Debian 12's headers for C libraries lag behind its kernel. */
struct waitv {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};
#define WAITV_32_SHARED 2u

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool wants_tx(const struct edge *edge, short events)
{
    return edge->num_rings[NM_TX] > 0 && (events & (POLLOUT | POLLWRNORM)) != 0;
}

static bool wants_rx(const struct edge *edge, short events)
{
    return edge->num_rings[NM_RX] > 0 && (events & (POLLIN | POLLRDNORM)) != 0;
}

/* Nobody tells us that netmapd died while we do not sleep: look every so many calls, and whenever
 * there is nothing else to do. */
static bool looks_dead(struct edge *edge, bool idle)
{
    return edge->dead || ((idle || ++edge->calls % CALLS_PER_CHECK == 0) && !edge_alive(edge));
}

/* ---- what is ready ---- */

static bool sync_direction(struct edge *edge, int direction, bool flush, bool *failed)
{
    bool ready = false;

    for (uint32_t i = 0; i < edge->num_rings[direction]; i++) {
        struct edge_ring *ring = &edge->rings[direction][i];
        uint32_t slots;
        int error = direction == NM_TX ? edge_ring_txsync(edge, ring, flush)
                                       : edge_ring_rxsync(edge, ring);

        if (error != 0)
            *failed = true;
        slots = edge_ring_ready(ring);
        if (slots > 0) {
            ring->last_batch = slots;
            ready = true;
        }
    }
    return ready;
}

/* One look at a descriptor, with the implicit syncs of poll. Edge's lock held. */
static short look(struct edge *edge, short events, bool flush)
{
    bool failed = false;
    short revents = 0;

    if (!edge->bound || looks_dead(edge, false))
        return POLLERR;
    if (wants_tx(edge, events) || (edge->flags & NR_NO_TX_POLL) == 0) {
        if (sync_direction(edge, NM_TX, flush, &failed) && wants_tx(edge, events))
            revents |= (short)(events & (POLLOUT | POLLWRNORM));
    }
    if (wants_rx(edge, events) || (edge->flags & NR_DO_RX_POLL) != 0) {
        if (sync_direction(edge, NM_RX, flush, &failed) && wants_rx(edge, events))
            revents |= (short)(events & (POLLIN | POLLRDNORM));
    }
    return failed ? (short)(revents | POLLERR) : revents;
}

static int look_at_all(struct edge_poll *polls, unsigned number, bool flush)
{
    int ready = 0;

    for (unsigned i = 0; i < number; i++) {
        pthread_mutex_lock(&polls[i].edge->lock);
        polls[i].revents = look(polls[i].edge, polls[i].events, flush);
        pthread_mutex_unlock(&polls[i].edge->lock);
        if (polls[i].revents != 0)
            ready++;
    }
    return ready;
}

/* ---- arming ---- */

/* The words a ring waits on: VALE and rx rings wait for tail, the sender of a pipe for the peer's
 * head. */
static uint64_t *event_word(const struct edge_ring *ring)
{
    return ring->peer_door != NULL ? &ring->peer_door->head_event : &ring->door->tail_event;
}

static const uint64_t *count_word(const struct edge_ring *ring)
{
    return ring->peer_door != NULL ? &ring->peer_door->head : &ring->door->tail;
}

static bool arm_direction(struct edge *edge, int direction)
{
    bool there = false;

    for (uint32_t i = 0; i < edge->num_rings[direction]; i++) {
        struct edge_ring *ring = &edge->rings[direction][i];

        if (nm_door_arm(event_word(ring), ring->tail_count + 1, count_word(ring)))
            there = true;
    }
    return there;
}

static bool arm(struct edge *edge, short events, uint32_t *armed)
{
    bool there = false;

    nm_add32(&edge->bell->sleepers, 1);
    *armed = nm_bell_arm(edge->bell);
    if (wants_tx(edge, events))
        there = arm_direction(edge, NM_TX);
    if (wants_rx(edge, events))
        there = arm_direction(edge, NM_RX) || there;
    return there;
}

static void disarm(struct edge *edge, short events)
{
    for (int direction = 0; direction < 2; direction++) {
        if (direction == NM_TX ? !wants_tx(edge, events) : !wants_rx(edge, events))
            continue;
        for (uint32_t i = 0; i < edge->num_rings[direction]; i++)
            nm_door_disarm(event_word(&edge->rings[direction][i]));
    }
    if (nm_add32(&edge->bell->sleepers, UINT32_MAX) > 1)
        edge_wake_bell(edge->bell); /* the others may have relied on what we took back */
}

/* Worth a window before sleeping? Edge's lock held. */
static bool is_busy(const struct edge *edge)
{
    for (int direction = 0; direction < 2; direction++)
        for (uint32_t r = 0; edge->bound && r < edge->num_rings[direction]; r++)
            if (edge->rings[direction][r].last_batch >= BUSY_BATCH)
                return true;
    return false;
}

static bool any_busy(const struct edge_poll *polls, unsigned number)
{
    bool busy = false;

    for (unsigned i = 0; i < number && !busy; i++) {
        pthread_mutex_lock(&polls[i].edge->lock);
        busy = is_busy(polls[i].edge);
        pthread_mutex_unlock(&polls[i].edge->lock);
    }
    return busy;
}

/* ---- sleeping ---- */

/* 0 woken or interrupted by a change, ETIMEDOUT, EINTR. */
static int sleep_on_one(struct nm_bell *bell, uint32_t armed, int64_t nanoseconds)
{
    struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};

    if (syscall(SYS_futex, &bell->word, FUTEX_WAIT, armed, &limit, NULL, 0) == 0)
        return 0;
    return errno == EAGAIN ? 0 : errno;
}

static int sleep_on_all(const struct edge_poll *polls, unsigned number, int64_t nanoseconds)
{
    struct waitv waiters[MAX_BELLS];
    int64_t end = now_ns() + nanoseconds;
    struct timespec limit = {end / 1000000000, end % 1000000000};
    unsigned used = number < MAX_BELLS ? number : MAX_BELLS;

    if (number == 1)
        return sleep_on_one(polls[0].edge->bell, polls[0].armed, nanoseconds);
    for (unsigned i = 0; i < used; i++) {
        waiters[i].value = polls[i].armed;
        waiters[i].address = (uintptr_t)&polls[i].edge->bell->word;
        waiters[i].flags = WAITV_32_SHARED;
        waiters[i].reserved = 0;
    }
    if (syscall(SYS_futex_waitv, waiters, used, 0, &limit, CLOCK_MONOTONIC) >= 0)
        return 0;
    if (errno == ENOSYS) /* before Linux 5.16: the first bell, and a look at the others soon */
        return sleep_on_one(polls[0].edge->bell, polls[0].armed,
                            nanoseconds < 1000000 ? nanoseconds : 1000000);
    return errno == EAGAIN ? 0 : errno;
}

/* Arm everything, look once more, sleep. Returns as sleep_on_one. */
static int wait_once(struct edge_poll *polls, unsigned number, int64_t nanoseconds)
{
    bool there = false;
    int result = 0;

    for (unsigned i = 0; i < number; i++) {
        pthread_mutex_lock(&polls[i].edge->lock);
        there = arm(polls[i].edge, polls[i].events, &polls[i].armed) || there;
        pthread_mutex_unlock(&polls[i].edge->lock);
    }
    if (!there)
        result = sleep_on_all(polls, number, nanoseconds);
    for (unsigned i = 0; i < number; i++)
        disarm(polls[i].edge, polls[i].events);
    return result;
}

static int check_alive(struct edge_poll *polls, unsigned number)
{
    int dead = 0;

    for (unsigned i = 0; i < number; i++) {
        pthread_mutex_lock(&polls[i].edge->lock);
        polls[i].revents = edge_alive(polls[i].edge) ? 0 : POLLERR;
        pthread_mutex_unlock(&polls[i].edge->lock);
        if (polls[i].revents != 0)
            dead++;
    }
    return dead;
}

/* Slots that the last look found on the ring that has most of them, whatever the program wants. */
static uint32_t largest_batch(const struct edge_poll *polls, unsigned number)
{
    uint32_t largest = 0;

    for (unsigned i = 0; i < number; i++) {
        const struct edge *edge = polls[i].edge;

        for (int direction = 0; direction < 2; direction++) {
            if (direction == NM_TX ? !wants_tx(edge, polls[i].events)
                                   : !wants_rx(edge, polls[i].events))
                continue;
            for (uint32_t r = 0; r < edge->num_rings[direction]; r++) {
                uint32_t slots = edge_ring_ready(&edge->rings[direction][r]);

                largest = slots > largest ? slots : largest;
            }
        }
    }
    return largest;
}

/* One window: yield and look. Returns as look_at_all. */
static int yield_window(struct edge_poll *polls, unsigned number, int64_t nanoseconds)
{
    int64_t start = now_ns(), elapsed;
    int ready;

    do {
        sched_yield();
        ready = look_at_all(polls, number, false);
        elapsed = now_ns() - start;
        if (ready > 0 && (elapsed >= GATHER_NS || largest_batch(polls, number) >= BATCH))
            break;
    } while (elapsed < nanoseconds);
    return ready;
}

int edge_poll(struct edge_poll *polls, unsigned number, int64_t timeout_ns)
{
    int64_t end = timeout_ns > 0 ? now_ns() + timeout_ns : 0;
    int ready = look_at_all(polls, number, timeout_ns == 0);

    if (ready > 0 || timeout_ns == 0)
        return ready;
    if (any_busy(polls, number)) {
        ready = yield_window(polls, number,
                             timeout_ns > 0 && timeout_ns < WINDOW_NS ? timeout_ns : WINDOW_NS);
        if (ready > 0)
            return ready;
    }
    /* About to sleep: whoever has something of ours to do shall do it now. */
    ready = look_at_all(polls, number, true);
    while (ready == 0) {
        int64_t limit = LIVENESS_NS;
        int result;

        if (timeout_ns > 0) {
            int64_t left = end - now_ns();

            if (left <= 0)
                return 0;
            if (left < limit)
                limit = left;
        }
        result = wait_once(polls, number, limit);
        ready = look_at_all(polls, number, false);
        if (ready > 0)
            break;
        if (result == EINTR)
            return -EINTR;
        if (result == ETIMEDOUT)
            ready = check_alive(polls, number);
    }
    return ready;
}

/* ---- ioctls ---- */

/* Wait until netmapd has dealt with every frame before head: the barrier. Edge's lock held. */
static int wait_for_host(struct edge *edge, struct edge_ring *ring)
{
    int error = 0;

    while (edge_ring_busy(ring)) {
        uint32_t armed;
        int result = 0;

        nm_add32(&edge->bell->sleepers, 1);
        armed = nm_bell_arm(edge->bell);
        if (!nm_door_arm(&ring->door->tail_event, ring->head_count, &ring->door->tail))
            result = sleep_on_one(edge->bell, armed, LIVENESS_NS);
        nm_door_disarm(&ring->door->tail_event);
        if (nm_add32(&edge->bell->sleepers, UINT32_MAX) > 1)
            edge_wake_bell(edge->bell);
        if (result == ETIMEDOUT && !edge_alive(edge))
            return NM_EIO;
        error = edge_ring_txsync(edge, ring, true);
        if (error != 0)
            break;
    }
    return error;
}

static int check_usable(struct edge *edge)
{
    if (edge->dead) {
        edge_message("%s: netmapd ended; close the port and open it again, which starts a new one",
                     edge->name);
        return NM_EIO;
    }
    if (!edge->bound) {
        edge_message("a descriptor must be bound to a port before it is synced");
        return NM_ENXIO;
    }
    return 0;
}

/* A program that calls in a loop without sleeping, and gets nothing, keeps the CPU from whoever it
 * waits for. */
static bool nothing_ready(const struct edge *edge, int direction)
{
    for (uint32_t i = 0; i < edge->num_rings[direction]; i++)
        if (edge_ring_ready(&edge->rings[direction][i]) > 0)
            return false;
    return true;
}

int edge_txsync(struct edge *edge)
{
    bool full;
    int error;

    pthread_mutex_lock(&edge->lock);
    error = check_usable(edge);
    if (error == 0) {
        for (uint32_t i = 0; i < edge->num_rings[NM_TX]; i++) {
            int result = edge_ring_txsync(edge, &edge->rings[NM_TX][i], true);

            error = result != 0 ? result : error;
        }
        for (uint32_t i = 0; i < edge->num_rings[NM_TX]; i++) {
            int result = wait_for_host(edge, &edge->rings[NM_TX][i]);

            error = result != 0 ? result : error;
        }
    }
    full = error == 0 && nothing_ready(edge, NM_TX);
    if (error == 0 && looks_dead(edge, full))
        error = NM_EIO;
    pthread_mutex_unlock(&edge->lock);
    if (full)
        sched_yield();
    return error;
}

int edge_rxsync(struct edge *edge)
{
    bool empty;
    int error;

    pthread_mutex_lock(&edge->lock);
    error = check_usable(edge);
    for (uint32_t i = 0; error == 0 && i < edge->num_rings[NM_RX]; i++)
        error = edge_ring_rxsync(edge, &edge->rings[NM_RX][i]);
    empty = error == 0 && nothing_ready(edge, NM_RX);
    if (error == 0 && looks_dead(edge, empty))
        error = NM_EIO;
    pthread_mutex_unlock(&edge->lock);
    if (empty)
        sched_yield();
    return error;
}
