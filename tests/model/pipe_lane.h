/*
 * A small pipe for pipe.c and kill.c: two ends, of which each can send to the other on a lane of
 * core/pipe_exchange.h. Buffers have indices from 2; what a buffer carries is one number.
 */
#ifndef TESTS_MODEL_PIPE_LANE_H
#define TESTS_MODEL_PIPE_LANE_H

#include "tests/model/door_use.h"
#include "net/netmap.h"
#include "core/pipe_exchange.h"

#define LANE_SLOTS   4u /* at most */
#define LANE_BUFFERS (2 + 2 * 2 * LANE_SLOTS)

/* One direction: the sender's tx ring, the receiver's rx ring and the doors of both. */
struct lane {
    NM_ALIGNED(16) struct netmap_slot tx[LANE_SLOTS], rx[LANE_SLOTS];
    struct nm_door tx_door, rx_door;
    struct nm_pipe_lane move;
    struct end sender, receiver; /* how they use the rx ring's door */
};

struct pipe {
    struct nm_bell bells[2]; /* of the ends */
    struct lane lanes[2];    /* by the end that sends */
    uint16_t owners[LANE_BUFFERS];
    uint32_t payload[LANE_BUFFERS];
    uint32_t num_slots;
    uint32_t num_lanes;
    uint32_t num_buffers;
};

extern struct pipe pipe_under_test;

/* A new pipe with all its buffers in its slots; lanes is 1 or 2. */
void pipe_start(uint32_t num_slots, uint32_t num_lanes);

/* The program's part of sending: put a number into the buffer of a tx slot. */
void pipe_fill(struct lane *lane, uint32_t at, uint32_t number);

/* The receiver's: check that a slot brings a number; returns the slot's first word. */
uint64_t pipe_check(const struct lane *lane, uint32_t at, uint32_t number);

/* Every buffer is in exactly one slot. After all threads. */
void pipe_count_buffers(void);

static inline uint32_t pipe_at(uint64_t count)
{
    return (uint32_t)(count % pipe_under_test.num_slots);
}

#endif
