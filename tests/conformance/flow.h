/*
 * A flow: one thread that sends numbered, patterned frames through a port, and one that receives
 * and checks them at another. Used wherever traffic must go on while something else happens.
 */
#ifndef NM_CONFORMANCE_FLOW_H
#define NM_CONFORMANCE_FLOW_H

#include "tests/conformance/ports.h"

struct flow {
    /* Set by the test. */
    const char *name; /* for messages */
    struct port *from;
    struct port *to;
    unsigned ring;     /* of both */
    unsigned from_mac; /* mac_of() of both ends */
    unsigned to_mac;
    uint32_t stream;
    uint64_t count; /* frames to send; 0: until flow_stop */
    uint32_t min_length;
    uint32_t max_length;
    uint32_t burst;  /* frames per call */
    bool lossless;   /* a missing frame is a failure */
    bool windowed;   /* never more under way than the receiving ring holds: a switch then has
                        no reason to drop */
    bool strangers;  /* frames that are not of this flow may turn up: skip them */
    bool only_polls; /* the sender uses poll and never NIOCTXSYNC */

    /* Written by the threads; read with the functions below. */
    uint64_t sent;
    uint64_t received;       /* frames of this flow */
    uint64_t next;           /* number after the last one received */
    uint64_t lost;           /* numbers that were passed over */
    uint64_t skipped;        /* frames of strangers */
    uint64_t longest_gap_ns; /* between two batches received, while there was more to come */
    bool stop;
    bool sender_done;
    bool receiver_done;
    bool failed;
};

/* Sensible settings: lengths 60..1514, bursts of 64, lossless. */
struct flow flow_make(const char *name, struct port *from, struct port *to);
bool flow_start(struct flow *flow);
/* Ask the sender to stop; threads_join() then waits until everything sent was received. */
void flow_stop(struct flow *flow);
uint64_t flow_received(const struct flow *flow);
/* Did it receive anything within the time? A failure otherwise. */
bool flow_progresses(const struct flow *flow, unsigned milliseconds, const char *when);

#endif
