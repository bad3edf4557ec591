/*
 * Epochs: readers of a published table announce themselves without waiting for anybody, and
 * whoever replaced the table waits until all readers that could still see the old one have left.
 *
 * Two generations of counters, spread over lines so that readers on different CPUs do not share
 * one. A reader counts itself into the current generation; the writer turns the generation over
 * and waits until the previous one has drained, twice, because a reader may have fetched the
 * generation number just before it changed.
 */
#ifndef NM_CORE_EPOCH_H
#define NM_CORE_EPOCH_H

#include "core/compiler.h"

#define NM_EPOCH_SHARDS 8

struct nm_epoch_shard {
    NM_ALIGNED(128) uint32_t entered[2];
    uint32_t left[2];
};

struct nm_epoch {
    NM_ALIGNED(128) uint32_t generation;
    struct nm_epoch_shard shards[NM_EPOCH_SHARDS];
};

/* What a reader must give back to leave: shard and generation. */
typedef uint32_t nm_epoch_token;

/* ANY level; may nest. */
nm_epoch_token nm_epoch_enter(struct nm_epoch *epoch);
void nm_epoch_leave(struct nm_epoch *epoch, nm_epoch_token token);

/* Wait until every reader that entered before has left. PASSIVE; callers are serialised by the
 * control lock; must not be called inside an epoch. */
void nm_epoch_wait(struct nm_epoch *epoch);

#endif
