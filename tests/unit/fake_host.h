/*
 * The fake host: core/os.h inside a test program.
 *
 * It is a strict host. Blocks of memory remember their size and are checked when they come back;
 * segments lie between pages that fault; calls that may block are refused while a ring's lock is
 * held; locks are counted from init to destroy. A broken rule ends the program with a message.
 * Any allocation can be made to fail, time stands still until a test moves it, and what the core
 * says to the host (wake-ups, log lines) is recorded.
 */
#ifndef NM_TESTS_FAKE_HOST_H
#define NM_TESTS_FAKE_HOST_H

#include "core/core.h"

#define FAKE_WAKES 64 /* the last wake-ups remembered */

struct fake_host {
    uint64_t now_ns;
    /* Allocations (blocks and segments): since the last reset, and alive. The one with number
     * fail_at fails, and with fail_on every later one too; 0: none. */
    unsigned allocations;
    unsigned fail_at;
    bool fail_on;
    unsigned failed;
    unsigned blocks_alive, segments_alive, locks_alive;
    unsigned wakes;
    const struct nm_kring *woken[FAKE_WAKES];
    unsigned starts, stops; /* of an adapter's rings */
    unsigned errors, warnings; /* log lines */
    char last_log[256];
    bool may_use_nics;
};
extern struct fake_host fake;

/* Forget the recordings, fail nothing. What is alive stays counted. */
void fake_reset(void);
/* Forget that too: a test that failed half-way left things behind. */
void fake_forget(void);

/* Every following allocation succeeds, but the n-th (from 1) fails; with `on` all after it too. */
void fake_fail_allocation(unsigned n, bool on);

/* Was this ring woken since the last reset? */
bool fake_woken(const struct nm_kring *kring);

/* Nothing of the host's is alive. */
void fake_assert_empty(void);

#endif
