#include "apps/pkt-gen/sequence.h"

#include "apps/pkt-gen/report.h"
#include "apps/pkt-gen/wait.h"

#include <stdlib.h>

bool sequence_setup(struct sequence_checker *checker, const struct worker *worker)
{
    size_t count = (size_t)(worker->port->last_rx_ring - worker->port->first_rx_ring + 1);

    checker->reported_ns = 0;
    checker->rings = calloc(count, sizeof(*checker->rings));
    if (checker->rings == NULL)
        complain("no memory for the sequence numbers");
    return checker->rings != NULL;
}

void sequence_free(struct sequence_checker *checker)
{
    free(checker->rings);
}

/* Every gap with -v, else one a second: a receiver that is too slow has millions of them. */
static void report_gap(struct sequence_checker *checker, const struct worker *worker, unsigned ring,
                       uint32_t expected, uint32_t found)
{
    uint64_t now = platform_now_ns();

    if (worker->options->verbose == 0 && now - checker->reported_ns < PLATFORM_NS_PER_SECOND)
        return;
    checker->reported_ns = now;
    say("rxseq_body", "ring %u: sequence gap, expected %u, found %u", ring, expected, found);
}

void sequence_check(struct sequence_checker *checker, struct worker *worker, unsigned ring,
                    const uint8_t *frame, unsigned length)
{
    struct sequence_of_ring *state = &checker->rings[ring - worker->port->first_rx_ring];
    unsigned payload = packet_find_payload(frame, length);
    uint32_t found;
    int32_t distance;

    if (payload == 0 || length < payload + SEQUENCE_BYTES)
        return; /* somebody else's */
    found = load_be32(frame + payload);
    distance = state->begun ? (int32_t)(found - state->expected) : 0;
    if (distance != 0)
        report_gap(checker, worker, ring, state->expected, found);
    if (distance < 0) {
        worker->reordered++; /* late, or a sender that has begun anew: follow it */
    } else {
        counter_add(&worker->counters.lost, (uint32_t)distance);
    }
    state->begun = true;
    state->expected = found + 1;
}
