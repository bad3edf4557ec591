/*
 * rx and rxseq. Unless asked to look at the frames, the receiver reads the slots only: how many
 * frames, how many bytes.
 */
#include "apps/pkt-gen/report.h"
#include "apps/pkt-gen/sequence.h"
#include "apps/pkt-gen/wait.h"

#include <stdlib.h>
#include <string.h>

#define PREFETCH_AHEAD 8u
#define CHAIN_BYTES    (NETMAP_MAX_FRAGS * 2048u)

struct receiver {
    struct worker *worker;
    const struct options *options;
    bool inspect;      /* look at the frames, not at the slots only */
    uint64_t received; /* whole frames */
    uint8_t *chain;    /* a frame of several slots, put together */
    unsigned chain_bytes;
    uint64_t touched; /* what -o 2 has read; kept so that the compiler must read it */
    struct sequence_checker sequence;
};

struct tally {
    uint64_t frames, bytes;
};

static void count_slots(const struct netmap_slot *slot, unsigned count, struct tally *tally)
{
    const struct netmap_slot *end = slot + count;
    uint64_t frames = 0, bytes = 0;

    for (; slot < end; slot++) {
        bytes += slot->len;
        frames += (slot->flags & NS_MOREFRAG) == 0;
    }
    tally->frames += frames;
    tally->bytes += bytes;
}

/* One whole frame, in one piece. */
static void inspect_frame(struct receiver *receiver, unsigned ring, const uint8_t *frame,
                          unsigned length)
{
    struct worker *worker = receiver->worker;

    if (receiver->options->what & DO_DUMP)
        dump_frame(worker->run, frame, length);
    if (worker->verifier != NULL)
        verify_frame(worker->verifier, frame, length);
    if (receiver->options->function == FUNCTION_RXSEQ)
        sequence_check(&receiver->sequence, worker, ring, frame, length);
}

static void append_to_chain(struct receiver *receiver, const uint8_t *bytes, unsigned length)
{
    if (receiver->chain_bytes + length > CHAIN_BYTES)
        length = CHAIN_BYTES - receiver->chain_bytes; /* cut, so its check will fail */
    memcpy(receiver->chain + receiver->chain_bytes, bytes, length);
    receiver->chain_bytes += length;
}

static void inspect_slot(struct receiver *receiver, struct netmap_ring *ring, unsigned ring_number,
                         const struct netmap_slot *slot)
{
    const uint8_t *bytes = (const uint8_t *)NETMAP_BUF(ring, slot->buf_idx);
    bool more = slot->flags & NS_MOREFRAG;
    /* Never read beyond a buffer, whoever may have written to this slot. */
    unsigned length = slot->len <= ring->nr_buf_size ? slot->len : ring->nr_buf_size;

    if (receiver->options->what & DO_ACCESS)
        receiver->touched += load_u64(bytes);
    if (more || receiver->chain_bytes > 0)
        append_to_chain(receiver, bytes, length);
    if (more)
        return;
    if (receiver->chain_bytes > 0)
        inspect_frame(receiver, ring_number, receiver->chain, receiver->chain_bytes);
    else
        inspect_frame(receiver, ring_number, bytes, length);
    receiver->chain_bytes = 0;
}

/*
 * Only whole frames are taken when they are looked at: the batch is made longer, or cut, to end
 * where a frame ends.
 */
static unsigned to_frame_end(struct netmap_ring *ring, unsigned wanted, uint32_t space)
{
    uint32_t last = ring->head + wanted - 1;

    if (last >= ring->num_slots)
        last -= ring->num_slots;
    while (wanted < space && (ring->slot[last].flags & NS_MOREFRAG)) {
        last = nm_ring_next(ring, last);
        wanted++;
    }
    while (wanted > 0 && (ring->slot[last].flags & NS_MOREFRAG)) {
        last = last == 0 ? ring->num_slots - 1 : last - 1;
        wanted--;
    }
    return wanted;
}

static void inspect_slots(struct receiver *receiver, struct netmap_ring *ring, unsigned ring_number,
                          unsigned count, struct tally *tally)
{
    uint32_t at = ring->head;
    unsigned i;

    for (i = 0; i < count; i++) {
        if (receiver->options->what & DO_PREFETCH) {
            uint32_t ahead = at + PREFETCH_AHEAD;

            if (ahead >= ring->num_slots)
                ahead -= ring->num_slots;
            __builtin_prefetch(NETMAP_BUF(ring, ring->slot[ahead].buf_idx));
        }
        count_slots(&ring->slot[at], 1, tally);
        inspect_slot(receiver, ring, ring_number, &ring->slot[at]);
        at = nm_ring_next(ring, at);
    }
}

static void receive_on_ring(struct receiver *receiver, unsigned ring_number, uint64_t left)
{
    struct netmap_ring *ring = rx_ring(receiver->worker, ring_number);
    uint32_t space = nm_ring_space(ring);
    uint32_t to_end = ring->num_slots - ring->head;
    unsigned wanted = receiver->options->burst;
    struct tally tally = {0, 0};

    if (wanted > left)
        wanted = (unsigned)left;
    if (wanted > space)
        wanted = space;
    if (receiver->inspect && wanted > 0)
        wanted = to_frame_end(ring, wanted, space);
    if (wanted == 0)
        return;
    if (receiver->inspect) {
        inspect_slots(receiver, ring, ring_number, wanted, &tally);
    } else if (wanted <= to_end) {
        count_slots(&ring->slot[ring->head], wanted, &tally);
    } else {
        count_slots(&ring->slot[ring->head], to_end, &tally);
        count_slots(&ring->slot[0], wanted - to_end, &tally);
    }
    ring->head = ring->cur = wanted < to_end ? ring->head + wanted : wanted - to_end;
    receiver->received += tally.frames;
    count_batch(receiver->worker, tally.frames, tally.bytes, space);
}

/* Several receivers share the count: none can know beforehand to which ring frames come. */
static void share_count(struct receiver *receiver, uint64_t frames)
{
    struct run *run = receiver->worker->run;

    if (run->options.threads == 1 || run->options.count == 0)
        return;
    if (atomic_fetch_add(&run->received, frames) + frames >= run->options.count)
        atomic_store(&run->stop, true);
}

/* Returns false when it found nothing. */
static bool receive_batch(struct receiver *receiver)
{
    struct worker *worker = receiver->worker;
    uint64_t events = atomic_load_explicit(&worker->counters.events, memory_order_relaxed);
    uint64_t before = receiver->received;
    unsigned i;

    for (i = worker->port->first_rx_ring; i <= worker->port->last_rx_ring; i++) {
        uint64_t left = worker->quota != 0 ? worker->quota - receiver->received : UINT64_MAX;

        receive_on_ring(receiver, i, left);
    }
    share_count(receiver, receiver->received - before);
    if (worker->verifier != NULL)
        atomic_store_explicit(&worker->counters.lost, worker->verifier->lost, memory_order_relaxed);
    return atomic_load_explicit(&worker->counters.events, memory_order_relaxed) != events;
}

/* Waits for the first frame. False: do not go on. */
static bool wait_for_first(struct worker *worker)
{
    uint64_t told_ns = platform_now_ns();

    if (!wait_for_frames(worker, 0))
        return false;
    if (worker->options->exit_if_empty && !rx_has_frames(worker)) {
        say("receiver_body", "all rx rings are empty: ending, as -W asks for");
        return false;
    }
    while (!worker_stopping(worker)) {
        uint64_t now;

        if (rx_has_frames(worker))
            return true;
        if (!wait_for_frames(worker, WAIT_MS))
            return false;
        now = platform_now_ns();
        if (now - told_ns >= PLATFORM_NS_PER_SECOND && !rx_has_frames(worker)) {
            told_ns = now;
            say("receiver_body", "waiting for initial packets, poll returns %d %d",
                worker->poll_value, worker->poll_events);
        }
    }
    return false;
}

static void receive_all(struct receiver *receiver)
{
    struct worker *worker = receiver->worker;

    if (!wait_for_first(worker))
        return;
    mark_start(worker);
    while (!worker_stopping(worker)) {
        /* One clock reading a batch, so that waiting after the last frame is not counted. */
        if (receive_batch(receiver))
            mark_end(worker);
        if (worker->quota != 0 && receiver->received >= worker->quota)
            break;
        if (!wait_for_frames(worker, WAIT_MS))
            return;
    }
    sync_rx(worker); /* give the last slots back */
}

static bool receiver_setup(struct receiver *receiver, struct worker *worker)
{
    const struct options *options = worker->options;

    memset(receiver, 0, sizeof(*receiver));
    receiver->worker = worker;
    receiver->options = options;
    receiver->inspect = options->verify || options->function == FUNCTION_RXSEQ ||
                        (options->what & (DO_ACCESS | DO_DUMP | DO_PREFETCH));
    if (!receiver->inspect)
        return true;
    receiver->chain = malloc(CHAIN_BYTES);
    if (options->verify) {
        worker->verifier = calloc(1, sizeof(*worker->verifier));
        if (worker->verifier != NULL)
            worker->verifier->allow_foreign = options->allow_foreign;
    }
    if (receiver->chain == NULL || (options->verify && worker->verifier == NULL)) {
        complain("no memory to look at frames");
        return false;
    }
    return options->function != FUNCTION_RXSEQ || sequence_setup(&receiver->sequence, worker);
}

void receiver_run(struct worker *worker)
{
    struct receiver receiver;

    if (receiver_setup(&receiver, worker))
        receive_all(&receiver);
    else
        worker->failed = true;
    if (worker->options->verbose && (worker->options->what & DO_ACCESS))
        say("receiver_body", "sum of what was read: %llx", (unsigned long long)receiver.touched);
    free(receiver.chain);
    sequence_free(&receiver.sequence);
}
