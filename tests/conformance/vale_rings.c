/* VALE with several rings, and frames in several slots. */
#include "tests/conformance/ports.h"

static void rings_map(uint16_t source_rings, uint16_t destination_rings)
{
    struct port *a =
        port_open_with("vale1:a", .nr_tx_rings = source_rings, .nr_rx_rings = source_rings,
                       .nr_tx_slots = 64, .nr_rx_slots = 64);
    struct port *b =
        port_open_with("vale1:b", .nr_tx_rings = destination_rings,
                       .nr_rx_rings = destination_rings, .nr_tx_slots = 64, .nr_rx_slots = 64);

    REQUIRE(a != NULL && b != NULL);
    for (unsigned ring = 0; ring < source_rings; ring++) {
        struct frame frame = frame_between(1, 2, ring, 60 + ring);

        /* One sync for each: between rings there is no order. */
        CHECK(frame_put(a, ring, &frame));
        CHECK_ERR(port_txsync(a), 0);
        CHECK_ERR(port_rxsync(b), 0);
        frame_expect(b, ring % destination_rings, &frame);
        frames_none(b);
    }
    port_close(a);
    port_close(b);
}

TEST(vale_rings_source_ring_chooses_destination_ring, 20)
{
    rings_map(4, 4);
    rings_map(4, 2);
    rings_map(2, 4);
    rings_map(16, 3);
    rings_map(1, 16);
    rings_map(16, 16);
}

TEST(vale_rings_full_ring_leaves_the_others_alone, 20)
{
    struct port *a = port_open_with("vale1:a", .nr_tx_rings = 2, .nr_rx_rings = 2);
    struct port *b =
        port_open_with("vale1:b", .nr_tx_rings = 2, .nr_rx_rings = 2, .nr_rx_slots = 16);

    REQUIRE(a != NULL && b != NULL);
    for (uint64_t i = 0; i < 100; i++) {
        struct frame frame = frame_between(1, 2, i, 60);

        CHECK(frame_put(a, 0, &frame));
        frame.sequence = 1000 + i;
        CHECK(frame_put(a, 1, &frame));
        CHECK_ERR(port_txsync(a), 0);
        CHECK_ERR(port_rxsync(b), 0);
        REQUIRE(frame_expect(b, 1, &frame));
    }
    CHECK_EQ(ring_room(rx_ring(b, 0)), 15);
}

/* ---- frames in several slots ---- */

/* The length of slot number i of a chain of count. */
static uint32_t piece_length(unsigned i, unsigned count)
{
    return i == 0 ? 60 : 20 + (i * 37) % 200 + (i == count - 1 ? 3 : 0);
}

static void piece_fill(uint8_t *data, uint32_t length, uint64_t chain, unsigned i)
{
    uint64_t state = chain * 1000 + i;

    for (uint32_t k = 0; k < length; k++)
        data[k] = (uint8_t)random_next(&state);
    if (i == 0) { /* the first piece begins with the Ethernet header */
        struct mac from = mac_of(1), to = mac_of(2);

        memcpy(data, to.bytes, 6);
        memcpy(data + 6, from.bytes, 6);
    }
}

/* Puts a chain of count slots; the last one has NS_MOREFRAG too when it is to be bad. */
static bool chain_put(const struct port *port, uint64_t chain, unsigned count, bool unfinished)
{
    struct netmap_ring *ring = tx_ring(port, 0);

    if (!CHECK_MSG(nm_ring_space(ring) >= count, "%u free slots, the chain needs %u",
                   nm_ring_space(ring), count))
        return false;
    for (unsigned i = 0; i < count; i++) {
        struct netmap_slot *slot = &ring->slot[ring->cur];

        slot->len = (uint16_t)piece_length(i, count);
        slot->flags = i + 1 < count || unfinished ? NS_MOREFRAG : 0;
        piece_fill((uint8_t *)NETMAP_BUF(ring, slot->buf_idx), slot->len, chain, i);
        ring->cur = nm_ring_next(ring, ring->cur);
    }
    ring->head = ring->cur;
    return true;
}

static bool chain_expect(const struct port *port, uint64_t chain, unsigned count)
{
    struct netmap_ring *ring = rx_ring(port, 0);
    static uint8_t expected[4096];

    if (!CHECK_MSG(ring_room(ring) >= count, "%u slots received, the chain has %u", ring_room(ring),
                   count))
        return false;
    for (unsigned i = 0; i < count; i++) {
        struct netmap_slot *slot = &ring->slot[ring->head];
        bool more = (slot->flags & NS_MOREFRAG) != 0;
        uint32_t length = piece_length(i, count);

        if (!CHECK_MSG(slot->len == length, "piece %u of %u has %u bytes, expected %u", i, count,
                       slot->len, length))
            return false;
        piece_fill(expected, length, chain, i);
        CHECK_MSG(memcmp(NETMAP_BUF(ring, slot->buf_idx), expected, length) == 0,
                  "piece %u of %u has other contents", i, count);
        CHECK_MSG(more == (i + 1 < count), "piece %u of %u: NS_MOREFRAG is %d", i, count, more);
        CHECK_MSG(NS_RFRAGS(slot) == count, "piece %u of %u: NS_RFRAGS is %u", i, count,
                  (unsigned)NS_RFRAGS(slot));
        ring->head = ring->cur = nm_ring_next(ring, ring->head);
    }
    return true;
}

TEST(vale_chain_arrives_as_a_chain, 20)
{
    static const unsigned counts[] = {2, 3, 7, 32, 63, 64};
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");

    REQUIRE(a != NULL && b != NULL);
    for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct frame single = frame_between(1, 2, i, 100);

        REQUIRE(frame_put(a, 0, &single));
        REQUIRE(chain_put(a, i, counts[i], false));
        REQUIRE(frame_put(a, 0, &single));
        CHECK_ERR(port_txsync(a), 0);
        CHECK_ERR(port_rxsync(b), 0);
        frame_expect(b, 0, &single);
        REQUIRE(chain_expect(b, i, counts[i]));
        frame_expect(b, 0, &single);
        frames_none(b);
    }
}

TEST(vale_single_slot_counts_as_one, 10)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct frame frame = frame_between(1, 2, 1, 100);
    struct netmap_slot *slot;

    REQUIRE(a != NULL && b != NULL);
    frame_send(a, &frame);
    CHECK_ERR(port_rxsync(b), 0);
    slot = &rx_ring(b, 0)->slot[0];
    CHECK_EQ(slot->flags & NS_MOREFRAG, 0);
    CHECK_MSG(NS_RFRAGS(slot) <= 1, "NS_RFRAGS of a frame in one slot is %u",
              (unsigned)NS_RFRAGS(slot));
    frame_expect(b, 0, &frame);
}

TEST(vale_chain_around_the_end_of_the_ring, 20)
{
    struct port *a = port_open_with("vale1:a", .nr_tx_slots = 10);
    struct port *b = port_open_with("vale1:b", .nr_rx_slots = 11);

    REQUIRE(a != NULL && b != NULL);
    for (uint64_t i = 0; i < 100; i++) {
        REQUIRE(chain_put(a, i, 7, false));
        CHECK_ERR(port_txsync(a), 0);
        CHECK_ERR(port_rxsync(b), 0);
        REQUIRE(chain_expect(b, i, 7));
        CHECK_ERR(port_rxsync(b), 0); /* gives the slots back: the next chain needs them */
    }
    frames_none(b);
}

TEST(vale_chain_too_long_is_dropped, 20)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct frame good = frame_between(1, 2, 1, 100);

    REQUIRE(a != NULL && b != NULL);
    REQUIRE(chain_put(a, 1, 65, false));
    REQUIRE(frame_put(a, 0, &good));
    CHECK_ERR(port_txsync(a), 0);
    CHECK_ERR(port_rxsync(b), 0);
    frame_expect(b, 0, &good);
    frames_none(b);
    REQUIRE(chain_put(a, 1, 200, false));
    REQUIRE(frame_put(a, 0, &good));
    CHECK_ERR(port_txsync(a), 0);
    CHECK_ERR(port_rxsync(b), 0);
    frame_expect(b, 0, &good);
    frames_none(b);
}

TEST(vale_chain_unfinished_is_dropped, 20)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct frame good = frame_between(1, 2, 1, 100);

    REQUIRE(a != NULL && b != NULL);
    REQUIRE(frame_put(a, 0, &good));
    REQUIRE(chain_put(a, 1, 5, true));
    CHECK_ERR(port_txsync(a), 0);
    CHECK_ERR(port_rxsync(b), 0);
    frame_expect(b, 0, &good);
    frames_none(b);
    /* What comes next is a frame of its own, not the rest of that one. */
    frame_send(a, &good);
    CHECK_ERR(port_rxsync(b), 0);
    frame_expect(b, 0, &good);
    frames_none(b);
}

TEST(vale_chain_is_delivered_whole_or_not_at_all, 20)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open_with("vale1:b", .nr_rx_slots = 8);

    REQUIRE(a != NULL && b != NULL);
    for (uint64_t i = 0; i < 4; i++)
        REQUIRE(chain_put(a, i, 3, false));
    CHECK_ERR(port_txsync(a), 0);
    CHECK_ERR(port_rxsync(b), 0);
    CHECK_EQ(ring_room(rx_ring(b, 0)), 6);
    chain_expect(b, 0, 3);
    chain_expect(b, 1, 3);
    frames_none(b);
    /* A chain longer than the destination's ring can never arrive, and blocks nothing. */
    REQUIRE(chain_put(a, 9, 8, false));
    REQUIRE(chain_put(a, 10, 3, false));
    CHECK_ERR(port_txsync(a), 0);
    CHECK_ERR(port_rxsync(b), 0);
    chain_expect(b, 10, 3);
    frames_none(b);
}

TEST(vale_chain_is_flooded, 20)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct port *c = port_open("vale1:c");

    REQUIRE(a != NULL && b != NULL && c != NULL);
    REQUIRE(chain_put(a, 1, 10, false)); /* mac_of(2) is unknown */
    CHECK_ERR(port_txsync(a), 0);
    CHECK_ERR(port_rxsync(b), 0);
    CHECK_ERR(port_rxsync(c), 0);
    chain_expect(b, 1, 10);
    chain_expect(c, 1, 10);
    frames_none(a);
    frames_none(b);
    frames_none(c);
}

TEST(vale_chain_with_a_bad_slot_is_dropped, 20)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct netmap_ring *ring;
    struct frame good = frame_between(1, 2, 1, 100);
    uint32_t position, index;
    int error;

    REQUIRE(a != NULL && b != NULL);
    ring = tx_ring(a, 0);
    position = nm_ring_next(ring, ring->cur);
    REQUIRE(chain_put(a, 1, 3, false));
    index = ring->slot[position].buf_idx;
    ring->slot[position].buf_idx = 0xffffffffu;
    REQUIRE(frame_put(a, 0, &good));
    error = port_txsync(a);
    CHECK_MSG(error == 0 || error == EINVAL, "a bad slot gives %s", errno_name(error));
    ring->slot[position].buf_idx = index;
    CHECK_ERR(port_rxsync(b), 0);
    frame_expect(b, 0, &good);
    frames_none(b);
}
