/* The pace of -R: how many frames are due at a time. */
#ifndef NM_PKT_GEN_PACER_H
#define NM_PKT_GEN_PACER_H

#include "apps/pkt-gen/worker.h"

struct pacer {
    double frames_per_ns; /* 0: no limit */
    uint64_t begin_ns;
    uint64_t sent_at_begin;
};

void pacer_start(struct pacer *pacer, const struct worker *worker, uint64_t sent);

/*
 * How many of at most `wanted` frames may be sent now; waits when none is due. 0 when the worker
 * is to stop meanwhile.
 */
unsigned pacer_wait(struct pacer *pacer, const struct worker *worker, uint64_t sent,
                    unsigned wanted);

#endif
