/*
 * tx and txseq. Frames that are all alike are copied into the buffers of the rings at first; when
 * every buffer must have had one, only the length and the flags of each slot are written, which is
 * what a program that fills its buffers in place would do for netmap.
 */
#include "apps/pkt-gen/pacer.h"
#include "apps/pkt-gen/report.h"
#include "apps/pkt-gen/wait.h"

#include <stdlib.h>
#include <string.h>

#define COPY_AT_LEAST  100000u
#define COPY_ROUNDS    8u /* ... and that many times the slots of the port: pipes swap buffers */
#define DRAIN_MS       2000
#define PREFETCH_AHEAD 4u

struct sender {
    struct worker *worker;
    const struct options *options;
    struct packet *packet;
    unsigned first_ring, last_ring;
    bool compose;        /* every frame differs from the one before */
    bool plain;          /* one slot a frame, one length, nothing else to do for it */
    bool copying;        /* buffers must be written */
    uint64_t copy_until; /* frames after which a plain sender stops copying */
    uint64_t sent;
    unsigned next_length; /* of the next frame */
    uint32_t session;
    uint32_t sequence;   /* txseq */
    uint64_t *sequences; /* --verify, by ring */
};

/* Writes one run of consecutive slots: the fast path, nothing but two stores a frame. */
static void fill_slots(struct netmap_slot *slot, unsigned count, uint16_t length)
{
    const struct netmap_slot *end = slot + count;

    for (; slot < end; slot++) {
        slot->len = length;
        slot->flags = 0;
    }
}

static unsigned send_untouched(struct netmap_ring *ring, unsigned frames, unsigned length)
{
    uint32_t head = ring->head;
    uint32_t to_end = ring->num_slots - head;
    uint32_t last;

    if (frames < to_end) {
        fill_slots(&ring->slot[head], frames, (uint16_t)length);
        last = head + frames - 1;
    } else {
        fill_slots(&ring->slot[head], to_end, (uint16_t)length);
        fill_slots(&ring->slot[0], frames - to_end, (uint16_t)length);
        last = frames > to_end ? frames - to_end - 1 : ring->num_slots - 1;
    }
    ring->slot[last].flags = NS_REPORT;
    ring->head = ring->cur = nm_ring_next(ring, last);
    return frames;
}

static unsigned piece_bytes(const struct options *options, unsigned length)
{
    if (options->fragment_bytes != 0)
        return options->fragment_bytes;
    return options->fragments == 1 ? length
                                   : (length + options->fragments - 1) / options->fragments;
}

/* Makes the next frame, for this ring. */
static void compose_frame(struct sender *sender, const struct netmap_ring *ring)
{
    struct packet *packet = sender->packet;
    unsigned what = sender->options->what;

    if (packet->length != sender->next_length)
        packet_set_length(packet, sender->next_length);
    if (sender->options->length_min != sender->options->length)
        sender->next_length =
            random_between(&packet->random, sender->options->length_min, sender->options->length);
    if (what & DO_RUBBISH)
        return;
    if (sender->sent > 0)
        packet_next(packet);
    if (sender->options->verify) {
        verify_fill(packet, sender->session, ring->ringid, sender->sequences[ring->ringid]++);
    } else if (sender->options->function == FUNCTION_TXSEQ) {
        packet_set_be32(packet, 0, sender->sequence++);
    } else if (what & DO_TIMESTAMP) {
        store_u64(packet->bytes + packet->payload, platform_clock_ns(CLOCK_REALTIME));
        packet_set_checksum(packet);
    }
}

static void fill_buffer(const struct sender *sender, struct netmap_ring *ring,
                        struct netmap_slot *slot, unsigned offset, unsigned bytes)
{
    uint8_t *from = sender->packet->bytes + offset;
    unsigned what = sender->options->what;

    if (what & DO_INDIRECT) {
        slot->ptr = (uint64_t)(uintptr_t)from;
        slot->flags |= NS_INDIRECT;
    } else if (what & DO_MEMCPY) {
        memcpy(NETMAP_BUF(ring, slot->buf_idx), from, bytes);
    } else if (sender->copying) {
        nm_pkt_copy(from, NETMAP_BUF(ring, slot->buf_idx), (int)bytes);
    }
}

/* Puts the frame into as many slots as it takes. Returns the slot behind. */
static uint32_t put_frame(const struct sender *sender, struct netmap_ring *ring, uint32_t head,
                          unsigned piece)
{
    unsigned length = sender->packet->length;
    unsigned offset = 0;

    while (offset < length) {
        struct netmap_slot *slot = &ring->slot[head];
        unsigned bytes = length - offset < piece ? length - offset : piece;

        if (sender->options->what & DO_PREFETCH) {
            uint32_t ahead = head + PREFETCH_AHEAD;

            if (ahead >= ring->num_slots)
                ahead -= ring->num_slots;
            __builtin_prefetch(NETMAP_BUF(ring, ring->slot[ahead].buf_idx), 1);
        }
        slot->len = (uint16_t)bytes;
        slot->flags = offset + bytes < length ? NS_MOREFRAG : 0;
        fill_buffer(sender, ring, slot, offset, bytes);
        if (sender->options->what & DO_DUMP)
            dump_frame(sender->worker->run,
                       sender->options->what & DO_RUBBISH
                           ? (const uint8_t *)NETMAP_BUF(ring, slot->buf_idx)
                           : sender->packet->bytes + offset,
                       bytes);
        offset += bytes;
        head = nm_ring_next(ring, head);
    }
    return head;
}

/* The path for everything that is not plain. */
static unsigned send_composed(struct sender *sender, struct netmap_ring *ring, unsigned frames,
                              uint32_t space, uint64_t *bytes)
{
    uint32_t head = ring->head;
    uint32_t last = head;
    unsigned done = 0;

    while (done < frames) {
        unsigned piece = piece_bytes(sender->options, sender->next_length);
        uint32_t slots =
            piece == sender->next_length ? 1 : (sender->next_length + piece - 1) / piece;

        if (slots > space)
            break;
        space -= slots;
        if (sender->compose)
            compose_frame(sender, ring);
        last = head;
        head = put_frame(sender, ring, head, piece);
        *bytes += sender->packet->length;
        sender->sent++;
        done++;
    }
    if (done > 0 && ring->slot[last].flags == 0)
        ring->slot[last].flags = NS_REPORT;
    ring->head = ring->cur = head;
    return done;
}

static unsigned send_on_ring(struct sender *sender, struct netmap_ring *ring, unsigned wanted)
{
    uint32_t space = nm_ring_space(ring);
    uint64_t bytes = 0;
    unsigned frames;

    if (wanted > space)
        wanted = space;
    if (wanted == 0)
        return 0;
    if (sender->plain && !sender->copying) {
        frames = send_untouched(ring, wanted, sender->next_length);
        bytes = (uint64_t)frames * sender->next_length;
        sender->sent += frames;
    } else {
        frames = send_composed(sender, ring, wanted, space, &bytes);
    }
    if (frames > 0)
        count_batch(sender->worker, frames, bytes, space);
    return frames;
}

static void send_batch(struct sender *sender, uint64_t left)
{
    unsigned i;

    for (i = sender->first_ring; i <= sender->last_ring && left > 0; i++) {
        unsigned burst = sender->options->burst;

        left -=
            send_on_ring(sender, tx_ring(sender->worker, i), left < burst ? (unsigned)left : burst);
    }
    if (sender->plain && sender->copying && sender->sent >= sender->copy_until) {
        sender->copying = false;
        if (sender->options->verbose)
            say("sender_body",
                "every buffer is filled after %llu frames: from now on only lengths and flags "
                "are written (-o 4 copies to the end)",
                (unsigned long long)sender->sent);
    }
}

/* Refuses what the port cannot carry. */
static bool check_port(struct sender *sender)
{
    const struct options *options = sender->options;
    const struct netmap_ring *ring = tx_ring(sender->worker, sender->first_ring);
    unsigned piece = piece_bytes(options, options->length);

    if ((options->what & DO_INDIRECT) && sender->compose) {
        complain("-I: all slots point to one frame of ours, so the frames must be alike");
        return false;
    }
    if (piece > ring->nr_buf_size) {
        complain("-l %u: the buffers of %s hold %u bytes; send such frames in pieces, with -F or "
                 "-M %u",
                 options->length, options->port, ring->nr_buf_size, ring->nr_buf_size);
        return false;
    }
    if ((options->length + piece - 1) / piece >= ring->num_slots) {
        complain("-l %u: a frame needs more slots than the rings of %s have (%u)", options->length,
                 options->port, ring->num_slots);
        return false;
    }
    return true;
}

static bool sender_setup(struct sender *sender, struct worker *worker)
{
    const struct options *options = worker->options;
    bool one_length = options->length_min == options->length;
    uint64_t slots;

    memset(sender, 0, sizeof(*sender));
    sender->worker = worker;
    sender->options = options;
    sender->packet = &worker->packet;
    sender->first_ring = worker->port->first_tx_ring;
    /* A sequence over several rings would arrive in any order. */
    sender->last_ring =
        options->function == FUNCTION_TXSEQ ? sender->first_ring : worker->port->last_tx_ring;
    sender->next_length = options->length;
    sender->session = (uint32_t)(random_next(&worker->packet.random) >> 32);
    sender->compose = options->function == FUNCTION_TXSEQ || options->verify || !one_length ||
                      (options->what & DO_TIMESTAMP) || packet_varies(sender->packet);
    sender->copying = !(options->what & (DO_RUBBISH | DO_INDIRECT));
    sender->plain = !sender->compose && piece_bytes(options, options->length) == options->length &&
                    !(options->what & (DO_COPY | DO_MEMCPY | DO_INDIRECT | DO_DUMP));
    slots = (uint64_t)tx_ring(worker, sender->first_ring)->num_slots *
            (sender->last_ring - sender->first_ring + 1);
    sender->copy_until = slots * COPY_ROUNDS > COPY_AT_LEAST ? slots * COPY_ROUNDS : COPY_AT_LEAST;
    if (options->verify) {
        sender->sequences = calloc(UINT16_MAX + 1, sizeof(*sender->sequences));
        if (sender->sequences == NULL) {
            complain("no memory for the sequence numbers");
            return false;
        }
    }
    return check_port(sender);
}

static bool send_all(struct sender *sender)
{
    struct worker *worker = sender->worker;
    struct pacer pacer;

    pacer_start(&pacer, worker, 0);
    while (!worker_stopping(worker)) {
        uint64_t left = worker->quota != 0 ? worker->quota - sender->sent : UINT64_MAX;

        if (left == 0)
            break;
        if (sender->options->rate != 0) {
            unsigned burst = sender->options->burst;

            left = pacer_wait(&pacer, worker, sender->sent, left < burst ? (unsigned)left : burst);
        }
        if (!wait_for_room(worker, WAIT_MS))
            return false;
        send_batch(sender, left);
        /* What was due now must not wait for the next batch. */
        if (sender->options->rate != 0 && !sync_tx(worker))
            return false;
    }
    return sync_tx(worker) && drain_tx(worker, DRAIN_MS);
}

void sender_run(struct worker *worker)
{
    struct sender sender;

    if (sender_setup(&sender, worker)) {
        mark_start(worker);
        if (!send_all(&sender))
            mark_end(worker); /* with the error reported, and worker->failed set */
    } else {
        worker->failed = true;
    }
    free(sender.sequences);
}
