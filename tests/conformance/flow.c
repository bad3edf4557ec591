/* Traffic between two ports, every frame checked. */
#include "tests/conformance/flow.h"

#define POLL_MS    100
#define STALL_MS   (10000u * time_scale()) /* nothing received for so long: a failure */
#define IDLE_POLLS 3 /* a switch may drop: the end of a flow is when nothing comes any more */

static uint64_t get(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void set(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static bool is_set(const bool *flag)
{
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void raise_flag(bool *flag)
{
    __atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

struct flow flow_make(const char *name, struct port *from, struct port *to)
{
    return (struct flow){
        .name = name,
        .from = from,
        .to = to,
        .from_mac = 1,
        .to_mac = 2,
        .stream = 1,
        .min_length = 60,
        .max_length = 1514,
        .burst = 64,
        .lossless = true,
    };
}

static struct frame flow_frame(const struct flow *flow, uint64_t sequence)
{
    return (struct frame){
        mac_of(flow->to_mac),
        mac_of(flow->from_mac),
        flow->stream,
        sequence,
        frame_mixed_length(sequence, flow->min_length, flow->max_length),
    };
}

static bool must_end(const struct flow *flow)
{
    return is_set(&flow->failed) || threads_should_stop();
}

/* How many frames may be sent now; what is in the receiver's hands still occupies its ring, hence
 * the half. */
static uint64_t allowance(const struct flow *flow, uint64_t sent)
{
    uint64_t window = rx_ring(flow->to, flow->ring)->num_slots / 2 - 1;
    uint64_t under_way = sent - get(&flow->received);

    if (!flow->windowed)
        return flow->burst;
    return under_way >= window ? 0 : window - under_way;
}

static bool sender_call(struct flow *flow, bool full, uint64_t turn)
{
    int events;
    int error;

    if (!full && !flow->only_polls && turn % 4 != 3) {
        error = port_txsync(flow->from);
        return CHECK_MSG(error == 0, "%s: NIOCTXSYNC gives %s", flow->name, errno_name(error));
    }
    events = port_poll(flow->from, POLLOUT, full ? POLL_MS : 0);
    return CHECK_MSG(events >= 0 && (events & POLLERR) == 0, "%s: the sender's poll says 0x%x",
                     flow->name, (unsigned)events);
}

static void flow_sender(void *argument)
{
    struct flow *flow = argument;
    struct netmap_ring *ring = tx_ring(flow->from, flow->ring);
    uint64_t sent = 0;
    unsigned waits = 0;

    for (uint64_t turn = 0; !must_end(flow); turn++) {
        uint64_t allowed = allowance(flow, sent);
        uint32_t space = nm_ring_space(ring);
        uint32_t filled = 0;

        if (is_set(&flow->stop) || (flow->count != 0 && sent == flow->count))
            break;
        if (allowed == 0) {
            if (++waits < 20)
                yield_cpu();
            else
                sleep_us(50);
            continue;
        }
        waits = 0;
        while (filled < space && filled < allowed && filled < flow->burst &&
               (flow->count == 0 || sent < flow->count)) {
            struct frame frame = flow_frame(flow, sent);

            frame_put(flow->from, flow->ring, &frame);
            filled++;
            sent++;
        }
        set(&flow->sent, sent);
        if (!sender_call(flow, filled == 0, turn)) {
            raise_flag(&flow->failed);
            break;
        }
    }
    if (!is_set(&flow->failed))
        port_txsync(flow->from);
    raise_flag(&flow->sender_done);
}

static void flow_wrong(struct flow *flow, const char *what, uint64_t sequence, uint32_t length)
{
    FAIL("%s: %s: number %llu, %u bytes; next is number %llu, received so far %llu", flow->name,
         what, (unsigned long long)sequence, length, (unsigned long long)flow->next,
         (unsigned long long)flow->received);
    raise_flag(&flow->failed);
}

/* Check one received frame; false when the flow cannot go on. */
static bool receive_frame(struct flow *flow, const uint8_t *data, uint32_t length)
{
    struct frame frame = flow_frame(flow, flow->next);
    struct mac destination = mac_of(flow->to_mac);
    uint32_t stream = 0;
    uint64_t sequence = flow->next;
    bool marked = frame_read_mark(data, length, &stream, &sequence);

    if (flow->strangers && (!marked || stream != flow->stream ||
                            memcmp(data, destination.bytes, sizeof(destination.bytes)) != 0)) {
        set(&flow->skipped, flow->skipped + 1);
        return true;
    }
    if (length == frame.length && frame_matches(data, &frame)) {
        set(&flow->next, flow->next + 1);
        return true;
    }
    if (!marked || stream != flow->stream) {
        flow_wrong(flow, "damaged, or not of this flow", sequence, length);
        return false;
    }
    if (sequence < flow->next) {
        flow_wrong(flow, "out of order", sequence, length);
        return false;
    }
    if (sequence > flow->next && flow->lossless) {
        flow_wrong(flow, "frames are missing before", sequence, length);
        return false;
    }
    frame = flow_frame(flow, sequence);
    if (length != frame.length || !frame_matches(data, &frame)) {
        flow_wrong(flow, "damaged", sequence, length);
        return false;
    }
    set(&flow->lost, flow->lost + (sequence - flow->next));
    set(&flow->next, sequence + 1);
    return true;
}

/* Look at everything in the ring; returns the number of slots, or -1. */
static int receive_batch(struct flow *flow)
{
    struct netmap_ring *ring = rx_ring(flow->to, flow->ring);
    uint64_t skipped = flow->skipped;
    uint32_t count = 0;

    while (!nm_ring_empty(ring)) {
        const struct netmap_slot *slot = &ring->slot[ring->cur];

        if (!receive_frame(flow, (const uint8_t *)NETMAP_BUF(ring, slot->buf_idx), slot->len))
            return -1;
        ring->head = ring->cur = nm_ring_next(ring, ring->cur);
        count++;
    }
    set(&flow->received, flow->received + count - (flow->skipped - skipped));
    return (int)count;
}

/* Everything that was sent is here, or will never come. */
static bool receiver_finished(const struct flow *flow, unsigned idle_polls)
{
    if (!is_set(&flow->sender_done))
        return false;
    if (flow->next == get(&flow->sent))
        return true;
    return !flow->lossless && idle_polls >= IDLE_POLLS;
}

static void flow_receiver(void *argument)
{
    struct flow *flow = argument;
    uint64_t last_progress = now_ns();
    unsigned idle_polls = 0;

    while (!must_end(flow) && !receiver_finished(flow, idle_polls)) {
        uint64_t before = flow->next;
        int events = port_poll(flow->to, POLLIN, POLL_MS);

        if (events < 0 || (events & POLLERR) != 0) {
            FAIL("%s: the receiver's poll says 0x%x (%s)", flow->name, (unsigned)events,
                 last_message());
            raise_flag(&flow->failed);
            break;
        }
        if (receive_batch(flow) < 0)
            break;
        idle_polls = flow->next == before ? idle_polls + 1 : 0;
        if (flow->next != before) {
            uint64_t now = now_ns();

            if (before != 0 && now - last_progress > flow->longest_gap_ns)
                set(&flow->longest_gap_ns, now - last_progress);
            last_progress = now;
        } else if (now_ns() - last_progress > (uint64_t)STALL_MS * 1000000u &&
                   (flow->lossless || !is_set(&flow->sender_done))) {
            FAIL("%s: stalled; sent %llu, received %llu", flow->name,
                 (unsigned long long)get(&flow->sent), (unsigned long long)flow->received);
            raise_flag(&flow->failed);
        }
    }
    port_rxsync(flow->to);
    raise_flag(&flow->receiver_done);
}

bool flow_start(struct flow *flow)
{
    return thread_start(flow_receiver, flow) && thread_start(flow_sender, flow);
}

void flow_stop(struct flow *flow)
{
    raise_flag(&flow->stop);
}

uint64_t flow_received(const struct flow *flow)
{
    return get(&flow->received);
}

bool flow_progresses(const struct flow *flow, unsigned milliseconds, const char *when)
{
    uint64_t before = get(&flow->received);
    uint64_t start = now_ns();
    uint64_t limit = (uint64_t)milliseconds * time_scale() * 1000000u;

    /* A stall is a failure; how long it lasts tells a slow host from a forgotten wake-up. */
    while (now_ns() - start < limit + 5000000000u && !is_set(&flow->failed)) {
        if (get(&flow->received) != before)
            break;
        sleep_us(200);
    }
    if (now_ns() - start <= limit)
        return !is_set(&flow->failed);
    FAIL("%s: nothing received for %llu ms, %s; sent %llu, received %llu before and %llu now",
         flow->name, (unsigned long long)((now_ns() - start) / 1000000u), when,
         (unsigned long long)get(&flow->sent), (unsigned long long)before,
         (unsigned long long)get(&flow->received));
    return false;
}
