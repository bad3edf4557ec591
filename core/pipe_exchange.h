/*
 * The pipe exchange: one direction of a pipe, a tx ring of one end and the rx ring of the other,
 * whose slots correspond one to one. Sending swaps the buffers of two slots; nothing is copied.
 *
 * The sender does the work, wherever it runs: in its program's own client edge on Linux, in its
 * system call on Windows. It trusts neither its program's slot nor the peer's: both indices are
 * range-checked, and a buffer that the peer hands back must not be one the sender holds already.
 *
 * A sender can be killed between any two instructions. It writes the buffer in flight to a journal
 * word first; then at most one slot pair shows one buffer twice, and the journal holds the one
 * that is missing (nm_pipe_repair). The stores of a killed process are all done in program order,
 * so compiler barriers suffice.
 */
#ifndef NM_CORE_PIPE_EXCHANGE_H
#define NM_CORE_PIPE_EXCHANGE_H

#include "core/ring.h"

/* Slots; a prefetch may run past the ring's end, which is harmless. */
#define NM_PIPE_LOOK_AHEAD 64u

struct nm_pipe_lane {
    struct netmap_slot *tx; /* the sender's ring */
    struct netmap_slot *rx; /* the receiver's ring */
    uint32_t *journal;      /* outlives the sender */
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

/* A run of slots that does not wrap. Returns how many were exchanged. */
NM_INLINE uint32_t nm_pipe_move_run(const struct nm_pipe_lane *lane, struct netmap_slot *tx,
                                    struct netmap_slot *rx, uint32_t count,
                                    enum nm_pipe_fault *fault)
{
    const uint64_t changed = (uint64_t)NS_BUF_CHANGED << 48;
    const uint32_t valid = lane->num_buffers - 2, max_length = lane->buffer_size;
    const uint16_t own_tag = lane->own_tag, peer_tag = lane->peer_tag;
    uint16_t *const owners = lane->owners;
    uint32_t *const journal = lane->journal;
    struct netmap_slot *const start = tx, *const end = tx + count;

    for (; tx < end; tx++, rx++) {
        uint64_t sent = nm_slot_load(tx);
        uint32_t given = nm_load32(&rx->buf_idx), buf = nm_slot_buf(sent);

        NM_PREFETCH_WRITE(rx + NM_PIPE_LOOK_AHEAD); /* the receiver has read it, we shall write */
        if (NM_UNLIKELY(buf - 2 >= valid || nm_slot_len(sent) > max_length)) {
            *fault = NM_PIPE_BAD_TX;
            break;
        }
        if (NM_UNLIKELY(given - 2 >= valid || nm_load16(&owners[given]) == own_tag)) {
            *fault = NM_PIPE_BAD_RX;
            break;
        }
        sent |= changed;
        nm_store32(journal, given);
        NM_COMPILER_BARRIER();
        nm_slot_store(rx, sent);
        nm_store64(&rx->ptr, nm_load64(&tx->ptr));
        NM_COMPILER_BARRIER();
        nm_slot_store(tx, sent - buf + given);
        nm_store16(&owners[buf], peer_tag);
        nm_store16(&owners[given], own_tag);
    }
    return (uint32_t)(tx - start);
}

/*
 * Send slots [at, at + count). Returns how many were exchanged; fewer than count exactly when
 * *fault is not NM_PIPE_GOOD, and then the slot after them is the bad one.
 * The caller publishes the new count, which makes the frames the receiver's.
 */
NM_INLINE uint32_t nm_pipe_move(const struct nm_pipe_lane *lane, uint32_t at, uint32_t count,
                                enum nm_pipe_fault *fault)
{
    uint32_t first = lane->num_slots - at, done;

    *fault = NM_PIPE_GOOD;
    if (first > count)
        first = count;
    done = nm_pipe_move_run(lane, lane->tx + at, lane->rx + at, first, fault);
    if (done == first && first < count)
        done += nm_pipe_move_run(lane, lane->tx, lane->rx, count - first, fault);
    return done;
}

NM_INLINE void nm_pipe_tag(const struct nm_pipe_lane *lane, uint32_t tx_buf, uint32_t rx_buf)
{
    if (rx_buf >= lane->num_buffers || tx_buf >= lane->num_buffers)
        return;
    nm_store16(&lane->owners[rx_buf], lane->peer_tag);
    nm_store16(&lane->owners[tx_buf], lane->own_tag);
}

/* After a sender died: finish the exchange it may have left half done, and the tags of the last one
 * otherwise. Returns the slots mended, 0 or 1 (more only when programs wrote nonsense into their
 * rings). */
NM_INLINE uint32_t nm_pipe_repair(const struct nm_pipe_lane *lane)
{
    uint32_t mended = 0, missing = nm_load32(lane->journal);

    for (uint32_t i = 0; i < lane->num_slots; i++) {
        uint64_t tx = nm_slot_load(&lane->tx[i]);
        uint32_t rx_buf = nm_load32(&lane->rx[i].buf_idx);

        if (nm_slot_buf(tx) == rx_buf) {
            if (mended == 0 && missing >= 2 && missing < lane->num_buffers) {
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
