/*
 * The pipe exchange: one direction of a pipe, a tx ring of one end and the rx ring of the other,
 * whose slots correspond one to one. Sending swaps the buffers of two slots; nothing is copied.
 *
 * The sender does the work, wherever it runs: in its program's own client edge on Linux, in its
 * system call on Windows. It trusts neither its program's slot nor the peer's: both indices are
 * range-checked, and a buffer that the peer hands back must not be one the sender holds already.
 *
 * It works in chunks of NM_JOURNAL_SLOTS slots: first all slots of the chunk are read and checked,
 * then the receiver's slots are written, then the sender's. The receiver's lines come from another
 * CPU, and stores leave a CPU in order: one that waits holds up all behind it, so they go together.
 *
 * A sender can be killed between any two instructions. Before it writes the slots of a chunk it
 * writes the buffers it will be given to the journal. Whenever it dies, a slot pair that shows one
 * buffer twice has its other buffer there (nm_pipe_repair). The stores of a killed process are all
 * done in program order, so compiler barriers suffice.
 */
#ifndef NM_CORE_PIPE_EXCHANGE_H
#define NM_CORE_PIPE_EXCHANGE_H

#include "core/ring.h"

/* Slots; a prefetch may run past the ring's end, which is harmless. */
#define NM_PIPE_LOOK_AHEAD 64u

struct nm_pipe_lane {
    struct netmap_slot *tx; /* the sender's ring */
    struct netmap_slot *rx; /* the receiver's ring */
    uint32_t *journal;      /* NM_JOURNAL_SLOTS entries, by slot; outlives the sender */
    uint16_t *owners;       /* the region's owner tags, one per buffer */
    uint32_t num_slots;     /* of either ring */
    uint32_t num_buffers;
    uint32_t buffer_size;
    uint16_t own_tag, peer_tag; /* owner tags of the two ends, see core/region.h; never 0 */
};

enum nm_pipe_fault {
    NM_PIPE_GOOD,
    NM_PIPE_BAD_TX, /* the sender's slot: index or length */
    NM_PIPE_BAD_RX, /* the peer's slot: index out of range, or a buffer the sender holds already */
};

/* What a chunk has read, checked, and not yet written. */
struct nm_pipe_chunk {
    uint64_t sent[NM_JOURNAL_SLOTS];
    uint32_t given[NM_JOURNAL_SLOTS];
};

/* Does the sender hold this buffer: in its ring, or given a moment ago? Asked when the buffer's tag
 * says so. A program that holds both ends may have put an extra buffer of its own into the peer's
 * ring, and a dead sender may have tagged what it never got; those are no duplicates. */
NM_INLINE bool nm_pipe_holds(const struct nm_pipe_lane *lane, const struct nm_pipe_chunk *chunk,
                             uint32_t in_chunk, uint32_t buf)
{
    for (uint32_t i = 0; i < in_chunk; i++)
        if (chunk->given[i] == buf)
            return true;
    for (uint32_t i = 0; i < lane->num_slots; i++)
        if (nm_load32(&lane->tx[i].buf_idx) == buf)
            return true;
    return false;
}

/* Read and check the slots of a chunk; note the buffers the peer gives. Returns the good ones. */
NM_INLINE uint32_t nm_pipe_read_chunk(const struct nm_pipe_lane *lane, uint32_t at, uint32_t count,
                                      struct nm_pipe_chunk *chunk, enum nm_pipe_fault *fault)
{
    const uint32_t valid = lane->num_buffers - 2, max_length = lane->buffer_size;
    const uint16_t own_tag = lane->own_tag;
    uint32_t *const journal = lane->journal + at % NM_JOURNAL_SLOTS;
    const struct netmap_slot *tx = lane->tx + at, *rx = lane->rx + at;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t sent = nm_slot_load(&tx[i]);
        uint32_t given = nm_load32(&rx[i].buf_idx);

        if (NM_UNLIKELY(nm_slot_buf(sent) - 2 >= valid || nm_slot_len(sent) > max_length)) {
            *fault = NM_PIPE_BAD_TX;
            return i;
        }
        if (NM_UNLIKELY(given - 2 >= valid || (nm_load16(&lane->owners[given]) == own_tag &&
                                               nm_pipe_holds(lane, chunk, i, given)))) {
            *fault = NM_PIPE_BAD_RX;
            return i;
        }
        chunk->sent[i] = sent;
        chunk->given[i] = given;
        nm_store32(&journal[i], given);
        nm_store16(&lane->owners[given], own_tag);
    }
    return count;
}

/* Exchange the slots of one chunk. Returns how many. */
NM_INLINE uint32_t nm_pipe_move_chunk(const struct nm_pipe_lane *lane, uint32_t at, uint32_t count,
                                      enum nm_pipe_fault *fault)
{
    const uint64_t changed = (uint64_t)NS_BUF_CHANGED << 48;
    struct netmap_slot *tx = lane->tx + at, *rx = lane->rx + at;
    struct nm_pipe_chunk chunk;

    for (uint32_t i = 0; i < NM_JOURNAL_SLOTS; i += 4) /* four slots on a line */
        NM_PREFETCH_WRITE(rx + NM_PIPE_LOOK_AHEAD + i);
    count = nm_pipe_read_chunk(lane, at, count, &chunk, fault);
    NM_COMPILER_BARRIER();
    for (uint32_t i = 0; i < count; i++) {
        nm_slot_store(&rx[i], chunk.sent[i] | changed);
        nm_store64(&rx[i].ptr, nm_load64(&tx[i].ptr));
    }
    NM_COMPILER_BARRIER();
    for (uint32_t i = 0; i < count; i++) {
        uint32_t buf = nm_slot_buf(chunk.sent[i]);

        nm_slot_store(&tx[i], (chunk.sent[i] | changed) - buf + chunk.given[i]);
        nm_store16(&lane->owners[buf], lane->peer_tag);
    }
    NM_COMPILER_BARRIER();
    return count;
}

/*
 * Send slots [at, at + count). Returns how many were exchanged; fewer than count exactly when
 * *fault is not NM_PIPE_GOOD, and then the slot after them is the bad one.
 * The caller publishes the new count, which makes the frames the receiver's.
 */
NM_INLINE uint32_t nm_pipe_move(const struct nm_pipe_lane *lane, uint32_t at, uint32_t count,
                                enum nm_pipe_fault *fault)
{
    uint32_t done = 0;

    *fault = NM_PIPE_GOOD;
    while (done < count) {
        /* Chunks end where the journal does, and at the end of the ring. */
        uint32_t chunk = NM_JOURNAL_SLOTS - at % NM_JOURNAL_SLOTS, moved;

        if (chunk > lane->num_slots - at)
            chunk = lane->num_slots - at;
        if (chunk > count - done)
            chunk = count - done;
        moved = nm_pipe_move_chunk(lane, at, chunk, fault);
        done += moved;
        at = nm_ring_advance(at, moved, lane->num_slots);
        if (NM_UNLIKELY(moved < chunk))
            break;
    }
    return done;
}

NM_INLINE void nm_pipe_tag(const struct nm_pipe_lane *lane, uint32_t tx_buf, uint32_t rx_buf)
{
    if (rx_buf >= lane->num_buffers || tx_buf >= lane->num_buffers)
        return;
    nm_store16(&lane->owners[rx_buf], lane->peer_tag);
    nm_store16(&lane->owners[tx_buf], lane->own_tag);
}

/* After a sender died: finish the exchanges it may have left half done, and their tags. Returns the
 * slots mended: at most a chunk, unless programs wrote nonsense into their rings. */
NM_INLINE uint32_t nm_pipe_repair(const struct nm_pipe_lane *lane)
{
    uint32_t mended = 0;

    for (uint32_t i = 0; i < lane->num_slots; i++) {
        uint32_t missing = nm_load32(&lane->journal[i % NM_JOURNAL_SLOTS]);
        uint32_t rx_buf = nm_load32(&lane->rx[i].buf_idx);
        uint64_t tx = nm_slot_load(&lane->tx[i]);

        if (nm_slot_buf(tx) == rx_buf) {
            if (mended < NM_JOURNAL_SLOTS && missing >= 2 && missing < lane->num_buffers) {
                nm_slot_store(&lane->tx[i],
                              nm_slot_make(missing, nm_slot_len(tx), nm_slot_flags(tx)));
                nm_pipe_tag(lane, missing, rx_buf);
            }
            mended++;
        } else if (nm_slot_buf(tx) == missing) {
            nm_pipe_tag(lane, missing, rx_buf);
        }
    }
    return mended;
}

#endif
