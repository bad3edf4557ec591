/*
 * ping sends frames that carry the time, and measures how long the answers take; pong answers.
 * The payload of a ping: sequence (4, network order), session (4), time in ns (8, of the sender).
 */
#include "apps/pkt-gen/pacer.h"
#include "apps/pkt-gen/report.h"
#include "apps/pkt-gen/wait.h"

#include <stdlib.h>
#include <string.h>

#define AT_SESSION 4
#define AT_TIME    8

#define ANSWER_WITHIN_NS PLATFORM_NS_PER_SECOND

struct ping {
    struct worker *worker;
    uint32_t session;
    uint32_t sequence; /* of the next frame */
    unsigned open;     /* frames of the running round without an answer */
    uint64_t sent;
};

static unsigned bucket_of(uint64_t ns)
{
    unsigned power;

    if (ns < LATENCY_STEPS)
        return (unsigned)ns;
    power = 63u - (unsigned)__builtin_clzll(ns);
    return (power - 3) * LATENCY_STEPS + (unsigned)(ns >> (power - 4) & (LATENCY_STEPS - 1));
}

/* The largest time that falls into a bucket. */
static uint64_t bucket_limit(unsigned bucket)
{
    unsigned power = bucket / LATENCY_STEPS + 3;

    if (bucket < LATENCY_STEPS)
        return bucket;
    return (((uint64_t)LATENCY_STEPS + bucket % LATENCY_STEPS + 1) << (power - 4)) - 1;
}

void latency_add(struct latency *latency, uint64_t ns)
{
    if (latency->count == 0 || ns < latency->lowest_ns)
        latency->lowest_ns = ns;
    if (ns > latency->highest_ns)
        latency->highest_ns = ns;
    latency->count++;
    latency->sum_ns += ns;
    latency->buckets[bucket_of(ns)]++;
}

uint64_t latency_quantile(const struct latency *latency, double quantile)
{
    uint64_t rank = (uint64_t)(quantile * (double)latency->count);
    uint64_t seen = 0;
    unsigned i;

    for (i = 0; i < LATENCY_BUCKETS; i++) {
        seen += latency->buckets[i];
        if (seen > rank)
            return bucket_limit(i) < latency->highest_ns ? bucket_limit(i) : latency->highest_ns;
    }
    return latency->highest_ns;
}

static void record(struct worker *worker, uint64_t ns)
{
    struct counters *counters = &worker->counters;

    latency_add(worker->latency, ns);
    counter_add(&counters->ping_count, 1);
    counter_add(&counters->ping_sum_ns, ns);
    if (ns < atomic_load_explicit(&counters->ping_lowest_ns, memory_order_relaxed))
        atomic_store_explicit(&counters->ping_lowest_ns, ns, memory_order_relaxed);
}

/* The first tx ring with room; NULL when none has. */
static struct netmap_ring *ring_with_room(const struct worker *worker)
{
    unsigned i;

    for (i = worker->port->first_tx_ring; i <= worker->port->last_tx_ring; i++) {
        if (nm_ring_space(tx_ring(worker, i)) > 0)
            return tx_ring(worker, i);
    }
    return NULL;
}

/* Waits for room. NULL: do not go on. */
static struct netmap_ring *wait_for_ring(struct worker *worker)
{
    struct netmap_ring *ring = ring_with_room(worker);

    while (ring == NULL && !worker_stopping(worker) && wait_for_room(worker, WAIT_MS))
        ring = ring_with_room(worker);
    return ring;
}

static void put(struct netmap_ring *ring, const uint8_t *frame, unsigned length, uint16_t flags)
{
    struct netmap_slot *slot = &ring->slot[ring->head];

    memcpy(NETMAP_BUF(ring, slot->buf_idx), frame, length);
    slot->len = (uint16_t)length;
    slot->flags = flags;
    ring->head = ring->cur = nm_ring_next(ring, ring->head);
}

static bool send_pings(struct ping *ping, unsigned count)
{
    struct worker *worker = ping->worker;
    struct packet *packet = &worker->packet;
    uint8_t *payload = packet->bytes + packet->payload;
    unsigned i;

    for (i = 0; i < count; i++) {
        struct netmap_ring *ring = wait_for_ring(worker);

        if (ring == NULL)
            return false;
        if (ping->sent > 0)
            packet_next(packet);
        store_be32(payload, ping->sequence++);
        store_u32(payload + AT_SESSION, ping->session);
        store_u64(payload + AT_TIME, platform_now_ns());
        packet_set_checksum(packet);
        put(ring, packet->bytes, packet->length, 0);
        ping->sent++;
    }
    ping->open = count;
    count_batch(worker, count, (uint64_t)count * packet->length, 0);
    return sync_tx(worker);
}

/* An answer to one of the running round; what comes later than that counts as lost. */
static void take_answer(struct ping *ping, const uint8_t *frame, unsigned length)
{
    unsigned offset = packet_find_payload(frame, length);
    const uint8_t *payload = frame + offset;
    uint32_t age;

    if (offset == 0 || length < offset + PING_BYTES)
        return;
    age = ping->sequence - load_be32(payload);
    if (load_u32(payload + AT_SESSION) != ping->session || age == 0 ||
        age > ping->worker->options->burst)
        return;
    record(ping->worker, platform_now_ns() - load_u64(payload + AT_TIME));
    if (ping->open > 0)
        ping->open--;
}

static void take_answers(struct ping *ping)
{
    unsigned i;

    for (i = ping->worker->port->first_rx_ring; i <= ping->worker->port->last_rx_ring; i++) {
        struct netmap_ring *ring = rx_ring(ping->worker, i);

        while (!nm_ring_empty(ring)) {
            const struct netmap_slot *slot = &ring->slot[ring->head];

            if (slot->len <= ring->nr_buf_size)
                take_answer(ping, (const uint8_t *)NETMAP_BUF(ring, slot->buf_idx), slot->len);
            ring->head = ring->cur = nm_ring_next(ring, ring->head);
        }
    }
}

static bool collect_answers(struct ping *ping)
{
    uint64_t begin = platform_now_ns();

    while (!worker_stopping(ping->worker)) {
        take_answers(ping);
        if (ping->open == 0)
            return true;
        if (platform_now_ns() - begin > ANSWER_WITHIN_NS)
            break;
        if (!wait_for_frames(ping->worker, WAIT_MS))
            return false;
    }
    if (!worker_stopping(ping->worker)) {
        counter_add(&ping->worker->counters.lost, ping->open);
        if (ping->worker->options->verbose)
            say("ping_body", "no answer to %u of the frames before %u", ping->open, ping->sequence);
    }
    return true;
}

static void ping_loop(struct ping *ping)
{
    struct worker *worker = ping->worker;
    struct pacer pacer;

    pacer_start(&pacer, worker, 0);
    while (!worker_stopping(worker)) {
        uint64_t left = worker->quota != 0 ? worker->quota - ping->sent : UINT64_MAX;
        unsigned burst = worker->options->burst;

        if (left == 0)
            break;
        burst = pacer_wait(&pacer, worker, ping->sent, left < burst ? (unsigned)left : burst);
        if (burst == 0 || !send_pings(ping, burst) || !collect_answers(ping))
            break;
    }
}

/* A frame of one slot, or pingpong cannot send it. */
static bool check_port(struct worker *worker)
{
    const struct netmap_ring *ring = tx_ring(worker, worker->port->first_tx_ring);

    if (worker->options->length <= ring->nr_buf_size)
        return true;
    complain("-l %u: ping sends frames in one slot, and the buffers of %s hold %u bytes",
             worker->options->length, worker->options->port, ring->nr_buf_size);
    return false;
}

void ping_run(struct worker *worker)
{
    struct ping ping = {.worker = worker};

    ping.session = (uint32_t)(random_next(&worker->packet.random) >> 32);
    worker->latency = calloc(1, sizeof(*worker->latency));
    if (worker->latency == NULL || !check_port(worker)) {
        worker->failed = true;
        return;
    }
    mark_start(worker);
    ping_loop(&ping);
    mark_end(worker);
}

struct pong {
    struct worker *worker;
    bool *inside; /* by rx ring: the next slot continues a frame */
    uint64_t answered;
};

/* Sends one slot back; first: it begins a frame. False: do not go on. */
static bool answer(struct worker *worker, const struct netmap_ring *from,
                   const struct netmap_slot *slot, bool first)
{
    struct netmap_ring *ring = wait_for_ring(worker);
    uint8_t *frame;

    if (ring == NULL)
        return false;
    if (slot->len > ring->nr_buf_size)
        return true;
    frame = (uint8_t *)NETMAP_BUF(ring, ring->slot[ring->head].buf_idx);
    put(ring, (const uint8_t *)NETMAP_BUF(from, slot->buf_idx), slot->len,
        slot->flags & NS_MOREFRAG);
    if (first && slot->len >= 2 * MAC_BYTES) {
        memcpy(frame, frame + MAC_BYTES, MAC_BYTES);
        /* Not the address it was sent to: that may be everybody's. */
        memcpy(frame + MAC_BYTES, worker->options->source_mac, MAC_BYTES);
    }
    return true;
}

/* Answers at most one burst of one ring. False: do not go on. */
static bool answer_ring(struct pong *pong, unsigned ring_number)
{
    struct worker *worker = pong->worker;
    struct netmap_ring *ring = rx_ring(worker, ring_number);
    bool *inside = &pong->inside[ring_number - worker->port->first_rx_ring];
    uint32_t space = nm_ring_space(ring);
    uint64_t frames = 0, bytes = 0;
    unsigned burst;

    for (burst = worker->options->burst; burst > 0 && !nm_ring_empty(ring); burst--) {
        const struct netmap_slot *slot = &ring->slot[ring->head];

        if (worker->quota != 0 && pong->answered >= worker->quota)
            break;
        if (!answer(worker, ring, slot, !*inside))
            return false;
        *inside = slot->flags & NS_MOREFRAG;
        bytes += slot->len;
        frames += !*inside;
        pong->answered += !*inside;
        ring->head = ring->cur = nm_ring_next(ring, ring->head);
    }
    if (bytes == 0)
        return true;
    count_batch(worker, frames, bytes, space);
    mark_end(worker);
    return sync_tx(worker);
}

static bool answer_all(struct pong *pong)
{
    unsigned i;

    for (i = pong->worker->port->first_rx_ring; i <= pong->worker->port->last_rx_ring; i++) {
        if (!answer_ring(pong, i))
            return false;
    }
    return true;
}

void pong_run(struct worker *worker)
{
    struct pong pong = {.worker = worker};
    size_t rings = (size_t)(worker->port->last_rx_ring - worker->port->first_rx_ring + 1);
    bool go_on = true;

    pong.inside = calloc(rings, sizeof(*pong.inside));
    if (pong.inside == NULL) {
        complain("no memory");
        worker->failed = true;
        return;
    }
    while (go_on && !worker_stopping(worker) &&
           (worker->quota == 0 || pong.answered < worker->quota)) {
        go_on = wait_for_frames(worker, WAIT_MS);
        if (go_on && pong.answered == 0 && rx_has_frames(worker))
            mark_start(worker);
        go_on = go_on && answer_all(&pong);
    }
    if (!worker->failed)
        sync_tx(worker);
    free(pong.inside);
}
