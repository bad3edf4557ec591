/* Syncs: what a program's NIOCTXSYNC, NIOCRXSYNC and poll do, and what a host's worker runs. */
#include "core/pipe.h"
#include "core/ring.h"
#include "core/vale.h"

uint32_t nm_kring_run(struct nm_kring *kring, uint32_t budget)
{
    uint32_t owned, taken = 0;
    uint64_t head, pending;

    if (budget <= NETMAP_MAX_FRAGS) /* or a long chain would never fit */
        budget = NETMAP_MAX_FRAGS + 1;
    nm_os_lock(&kring->lock);
    head = nm_load64_acquire(&kring->door->head);
    pending = head - kring->head_count;
    owned = nm_ring_distance(kring->hwcur, kring->hwtail, kring->num_slots);
    if (NM_UNLIKELY(pending > owned)) {
        kring->head_count = head; /* hostile: nothing of it is believed */
        kring->counters.resets++;
        nm_kring_fault(kring);
    } else if (pending > 0) {
        uint32_t number = pending < budget ? (uint32_t)pending : budget;

        taken = nm_vale_forward(kring, number, number == pending);
        kring->hwcur = nm_ring_advance(kring->hwcur, taken, kring->num_slots);
        kring->head_count += taken;
        nm_kring_publish(kring,
                         nm_ring_advance(kring->hwcur, kring->num_slots - 1, kring->num_slots));
    }
    nm_os_unlock(&kring->lock);
    return taken;
}

/* Read head and cur once each and check them; false after a reset. Ring's lock held. */
static bool fetch_head(struct nm_kring *kring, uint32_t *head)
{
    uint32_t cur = nm_load32(&kring->ring->cur);
    uint32_t hwtail = nm_load32_acquire(&kring->hwtail);

    /* What the program may have seen is the tail we last showed it, not the newest. */
    *head = nm_load32_acquire(&kring->ring->head);
    if (nm_ring_indices_valid(*head, cur, kring->hwcur, kring->shown_tail, kring->num_slots))
        return true;
    kring->shown_tail = hwtail;
    nm_kring_reset(kring);
    return false;
}

static void show_tail(struct nm_kring *kring)
{
    kring->shown_tail = nm_load32_acquire(&kring->hwtail);
    nm_store32_release(&kring->ring->tail, kring->shown_tail);
}

static int kring_txsync(struct nm_kring *kring)
{
    uint32_t head;
    int error = 0;

    nm_os_lock(&kring->lock);
    if (!fetch_head(kring, &head)) {
        nm_os_unlock(&kring->lock);
        return NM_EINVAL;
    }
    if (kring->adapter->kind == NM_PORT_PIPE) {
        error = nm_pipe_txsync(kring, head);
        if (error != 0)
            nm_kring_reset(kring);
    } else {
        while (kring->hwcur != head) {
            uint32_t number = nm_ring_distance(kring->hwcur, head, kring->num_slots);
            uint32_t taken = nm_vale_forward(kring, number, true);

            kring->hwcur = nm_ring_advance(kring->hwcur, taken, kring->num_slots);
        }
        kring->hwtail = nm_ring_advance(head, kring->num_slots - 1, kring->num_slots);
    }
    show_tail(kring);
    if (kring->faults != kring->faults_reported) {
        kring->faults_reported = kring->faults;
        error = NM_EINVAL;
    }
    nm_os_unlock(&kring->lock);
    return error;
}

static int kring_rxsync(struct nm_kring *kring)
{
    struct nm_kring *sender = NULL;
    uint32_t head;
    int error = 0;

    nm_os_lock(&kring->lock);
    if (!fetch_head(kring, &head)) {
        nm_os_unlock(&kring->lock);
        return NM_EINVAL;
    }
    if (kring->hwcur != head) {
        nm_store32_release(&kring->hwcur, head);
        if (kring->adapter->kind == NM_PORT_PIPE)
            sender = nm_pipe_peer(kring);
    }
    show_tail(kring);
    if (kring->faults != kring->faults_reported) {
        kring->faults_reported = kring->faults;
        error = NM_EINVAL;
    }
    nm_os_unlock(&kring->lock);
    if (sender != NULL)
        nm_os_ring_wake(sender);
    return error;
}

static int sync_rings(struct nm_handle *handle, int direction)
{
    struct nm_adapter *adapter = handle->adapter;
    int error = 0;

    if (adapter == NULL)
        return NM_ENXIO;
    for (uint32_t i = handle->first_ring[direction]; i < handle->end_ring[direction]; i++) {
        struct nm_kring *kring = &adapter->krings[direction][i];
        int result = direction == NM_TX ? kring_txsync(kring) : kring_rxsync(kring);

        if (result != 0)
            error = result;
    }
    return error;
}

int nm_handle_txsync(struct nm_handle *handle)
{
    return sync_rings(handle, NM_TX);
}

int nm_handle_rxsync(struct nm_handle *handle)
{
    return sync_rings(handle, NM_RX);
}

/* Does any bound ring have slots for the program between its cur and the tail just shown? */
static bool any_ready(const struct nm_handle *handle, int direction)
{
    for (uint32_t i = handle->first_ring[direction]; i < handle->end_ring[direction]; i++) {
        const struct nm_kring *kring = &handle->adapter->krings[direction][i];

        if (nm_load32(&kring->ring->cur) != nm_load32(&kring->shown_tail))
            return true;
    }
    return false;
}

static bool any_pending_tx(const struct nm_handle *handle)
{
    for (uint32_t i = handle->first_ring[NM_TX]; i < handle->end_ring[NM_TX]; i++) {
        const struct nm_kring *kring = &handle->adapter->krings[NM_TX][i];

        if (nm_load32(&kring->ring->head) != nm_load32(&kring->hwcur))
            return true;
    }
    return false;
}

unsigned nm_handle_poll(struct nm_handle *handle, unsigned wanted)
{
    unsigned ready = 0;
    bool has_tx, has_rx;

    if (handle->adapter == NULL)
        return NM_POLL_ERROR;
    has_tx = handle->end_ring[NM_TX] > handle->first_ring[NM_TX];
    has_rx = handle->end_ring[NM_RX] > handle->first_ring[NM_RX];
    /* A poll for reading alone also pushes frames out, unless NR_NO_TX_POLL. */
    if (has_tx && ((wanted & NM_WRITABLE) != 0 ||
                   ((handle->flags & NR_NO_TX_POLL) == 0 && any_pending_tx(handle)))) {
        if (nm_handle_txsync(handle) != 0)
            ready |= NM_POLL_ERROR;
        if ((wanted & NM_WRITABLE) != 0 && any_ready(handle, NM_TX))
            ready |= NM_WRITABLE;
    }
    if (has_rx && ((wanted & NM_READABLE) != 0 || (handle->flags & NR_DO_RX_POLL) != 0)) {
        if (nm_handle_rxsync(handle) != 0)
            ready |= NM_POLL_ERROR;
        if ((wanted & NM_READABLE) != 0 && any_ready(handle, NM_RX))
            ready |= NM_READABLE;
    }
    return ready;
}
