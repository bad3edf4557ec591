/*
 * Waiting: poll requests that stay pending until their handle is ready.
 *
 * A wake-up (nm_os_ring_wake) arrives with a ring lock held, so it only counts up the adapter's
 * generation and notes that something is due. Whoever called the core looks after the waiters when
 * the call is back: nm_waits_run polls each one whose generation is behind, in that thread, without
 * any lock. A thread of ours does the same for time-outs, and when there is too much for a caller.
 *
 * A waiter is in the queue, or in the hands of exactly one thread (claimed). Only the queue's lock
 * and IoSetCancelRoutine move it from one state to the other, so a request is completed once.
 */
#ifndef NM_WINDOWS_WAIT_H
#define NM_WINDOWS_WAIT_H

#include "file.h"

/* PASSIVE. Stop is safe after a failed or missing start; no file may be open. */
NTSTATUS nm_waits_start(void);
void nm_waits_stop(void);

/*
 * Execute a poll request on a bound file, inside its rundown: complete it, or keep it pending.
 * Returns what the dispatch routine must return. PASSIVE.
 */
NTSTATUS nm_waits_poll(struct nm_file *file, PIRP irp, const struct netmap_win_poll *poll);

/* Complete the waiters whose handle has become ready. After every call into the core, with no lock
 * held. Up to DISPATCH. */
void nm_waits_run(void);

/* Complete all waiters of a file whose rundown is closed with STATUS_CANCELLED. PASSIVE. */
void nm_waits_cancel(struct nm_file *file);

#endif
