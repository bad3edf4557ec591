/*
 * --verify: every frame carries the sender's session, the ring it was put on, a sequence number of
 * that ring, and a payload that follows from them, so that the receiver can tell lost, reordered
 * and damaged frames apart.
 */
#ifndef NM_PKT_GEN_VERIFY_H
#define NM_PKT_GEN_VERIFY_H

#include "apps/pkt-gen/packet.h"

#include <stdbool.h>
#include <stdint.h>

/* Writes the payload of the frame and its checksum. */
void verify_fill(struct packet *packet, uint32_t session, uint16_t ring, uint64_t sequence);

#define MAX_FLOWS 256

/* What came from one ring of one sender. */
struct flow {
    uint32_t session;
    uint16_t ring;
    uint8_t source_mac[MAC_BYTES];
    uint64_t expected;
};

struct verifier {
    bool allow_foreign;
    unsigned flow_count;
    unsigned recent; /* the flow of the previous frame */
    struct flow flows[MAX_FLOWS];
    uint64_t good;
    uint64_t missed; /* sent before the first frame that was seen */
    uint64_t lost;
    uint64_t reordered; /* late or twice */
    uint64_t corrupted;
    uint64_t foreign;
};

/* Checks one whole frame. False when it was not good and whole, in order or behind a gap. */
bool verify_frame(struct verifier *verifier, const uint8_t *frame, unsigned length);

#endif
