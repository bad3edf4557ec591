#include "apps/pkt-gen/verify.h"

#include <string.h>

/*
 * The payload, VERIFY_BYTES and then the pattern:
 *   0 sequence (8)   8 session (4)   12 ring (2)   14 check (4)   18 pattern ...
 * Everything is in the byte order of the machine: sender and receiver share it.
 */
#define AT_SESSION 8
#define AT_RING    12
#define AT_CHECK   14

#define GOLDEN 0x9E3779B97F4A7C15ULL

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

/* What the pattern starts from: other frames, other bytes. */
static uint64_t seed_of(uint32_t session, uint16_t ring, uint64_t sequence)
{
    return mix(sequence + GOLDEN) ^ mix(((uint64_t)session << 16 | ring) + GOLDEN);
}

/*
 * The check covers the length, so that a frame that was cut or padded does not pass, and the
 * headers up to the UDP checksum, which follows from the payload and is looked at by itself.
 */
static uint32_t check_of(uint64_t seed, const uint8_t *frame, unsigned payload, unsigned length)
{
    unsigned headers = payload - 2;
    uint64_t hash = seed + length;
    unsigned i;

    for (i = 0; i + sizeof(hash) <= headers; i += (unsigned)sizeof(hash))
        hash = (hash ^ load_u64(frame + i)) * GOLDEN + (hash >> 29);
    return (uint32_t)mix(hash ^ load_u64(frame + headers - sizeof(hash)));
}

static uint64_t pattern_word(uint64_t *state)
{
    *state += GOLDEN;
    return *state ^ (*state >> 29);
}

void verify_fill(struct packet *packet, uint32_t session, uint16_t ring, uint64_t sequence)
{
    uint8_t *payload = packet->bytes + packet->payload;
    uint8_t *end = packet->bytes + packet->length;
    uint64_t seed = seed_of(session, ring, sequence);
    uint8_t *to;

    store_u64(payload, sequence);
    store_u32(payload + AT_SESSION, session);
    store_u16(payload + AT_RING, ring);
    store_u32(payload + AT_CHECK, check_of(seed, packet->bytes, packet->payload, packet->length));
    /* The last word may end behind the frame, in its padding. */
    for (to = payload + VERIFY_BYTES; to < end; to += sizeof(uint64_t))
        store_u64(to, pattern_word(&seed));
    packet_set_checksum(packet);
}

static bool pattern_right(const uint8_t *from, const uint8_t *end, uint64_t seed)
{
    uint64_t word;

    for (; end - from >= (ptrdiff_t)sizeof(word); from += sizeof(word)) {
        if (load_u64(from) != pattern_word(&seed))
            return false;
    }
    word = pattern_word(&seed);
    return memcmp(from, &word, (size_t)(end - from)) == 0;
}

static struct flow *find_flow(struct verifier *verifier, uint32_t session, uint16_t ring)
{
    struct flow *flow = &verifier->flows[verifier->recent];
    unsigned i;

    if (verifier->flow_count > 0 && flow->session == session && flow->ring == ring)
        return flow;
    for (i = 0; i < verifier->flow_count; i++) {
        flow = &verifier->flows[i];
        if (flow->session == session && flow->ring == ring) {
            verifier->recent = i;
            return flow;
        }
    }
    return NULL;
}

static struct flow *add_flow(struct verifier *verifier, uint32_t session, uint16_t ring,
                             const uint8_t *frame, uint64_t sequence)
{
    struct flow *flow;

    if (verifier->flow_count == MAX_FLOWS)
        return NULL;
    verifier->recent = verifier->flow_count++;
    flow = &verifier->flows[verifier->recent];
    flow->session = session;
    flow->ring = ring;
    memcpy(flow->source_mac, frame + MAC_BYTES, MAC_BYTES);
    flow->expected = sequence; /* we may have come later than the sender */
    verifier->missed += sequence;
    return flow;
}

/*
 * Another sender's frame is not a damaged one of ours. Only its source address can tell: it does
 * not belong to a sender we know. All zero is what an untouched buffer holds, and never foreign.
 */
static bool is_foreign(const struct verifier *verifier, const uint8_t *frame, unsigned length)
{
    static const uint8_t nobody[MAC_BYTES];
    unsigned i;

    if (!verifier->allow_foreign || length < ETHERNET_BYTES ||
        memcmp(frame + MAC_BYTES, nobody, MAC_BYTES) == 0)
        return false;
    for (i = 0; i < verifier->flow_count; i++) {
        if (memcmp(frame + MAC_BYTES, verifier->flows[i].source_mac, MAC_BYTES) == 0)
            return false;
    }
    return true;
}

static bool reject(struct verifier *verifier, const uint8_t *frame, unsigned length)
{
    if (is_foreign(verifier, frame, length))
        verifier->foreign++;
    else
        verifier->corrupted++;
    return false;
}

bool verify_frame(struct verifier *verifier, const uint8_t *frame, unsigned length)
{
    unsigned offset = packet_find_payload(frame, length);
    const uint8_t *payload = frame + offset;
    struct flow *flow;
    uint64_t sequence, seed;
    uint32_t session;
    uint16_t ring;

    if (offset == 0 || length < offset + VERIFY_BYTES)
        return reject(verifier, frame, length);
    sequence = load_u64(payload);
    session = load_u32(payload + AT_SESSION);
    ring = load_u16(payload + AT_RING);
    seed = seed_of(session, ring, sequence);
    if (load_u32(payload + AT_CHECK) != check_of(seed, frame, offset, length) ||
        !pattern_right(payload + VERIFY_BYTES, frame + length, seed) ||
        !packet_checksum_right(frame, length))
        return reject(verifier, frame, length);

    flow = find_flow(verifier, session, ring);
    if (flow == NULL)
        flow = add_flow(verifier, session, ring, frame, sequence);
    if (flow == NULL)
        return reject(verifier, frame, length);
    if (sequence < flow->expected) {
        verifier->reordered++;
        return false;
    }
    verifier->lost += sequence - flow->expected;
    flow->expected = sequence + 1;
    verifier->good++;
    return true;
}
