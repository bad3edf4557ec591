/* rxseq: the 32-bit sequence numbers that txseq writes into its frames. */
#ifndef NM_PKT_GEN_SEQUENCE_H
#define NM_PKT_GEN_SEQUENCE_H

#include "apps/pkt-gen/worker.h"

struct sequence_checker {
    struct sequence_of_ring {
        bool begun;
        uint32_t expected;
    } * rings; /* those of the port, from its first */
    uint64_t reported_ns;
};

bool sequence_setup(struct sequence_checker *checker, const struct worker *worker);
void sequence_check(struct sequence_checker *checker, struct worker *worker, unsigned ring,
                    const uint8_t *frame, unsigned length);
void sequence_free(struct sequence_checker *checker);

#endif
