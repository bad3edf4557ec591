/* VALE: who gets which frame, and that every frame is delivered or counted as dropped; on hosts
 * without doors (syncs) and with (the client edge and the worker's nm_kring_run). */
#include "tests/unit/unit.h"

#define WISH(...) ((struct nmreq_register){.nr_mode = NR_REG_ALL_NIC, __VA_ARGS__})
#define PORTS 4

static struct nm_core core;
static struct port ports[PORTS]; /* station n lives at port n */
static bool doors;

static int begin_ports(void **state)
{
    static const char *const names[PORTS] = {"vale1:a", "vale1:b", "vale1:c", "vale1:d"};

    (void)state;
    core_begin(&core, doors);
    for (unsigned i = 0; i < PORTS; i++)
        port_open(&ports[i], &core, names[i]);
    return 0;
}

static int end_ports(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PORTS; i++)
        port_close(&ports[i]);
    core_end(&core);
    return 0;
}

/* Every tx frame had one fate: the sum over (frame, destination) pairs. flooded: frames that went
 * to `PORTS - 1` ports each. */
static void check_books(uint64_t flooded)
{
    uint64_t sent = 0, unsent = 0, delivered = 0, refused = 0;

    for (unsigned i = 0; i < PORTS; i++) {
        sent += tx_kring(&ports[i], 0)->counters.frames;
        unsent += all_drops(tx_kring(&ports[i], 0));
        delivered += rx_kring(&ports[i], 0)->counters.frames;
        refused += all_drops(rx_kring(&ports[i], 0));
    }
    assert_int_equal(sent + flooded * (PORTS - 2), unsent + delivered + refused);
}

static void expect(unsigned port, unsigned frames)
{
    unsigned got = take_all(&ports[port], 0, NULL, 0);

    if (got != frames)
        fail_msg("port %u has %u frames, not %u", port, got, frames);
}

/* ---- destinations ---- */

static void test_learning(void **state)
{
    (void)state;
    send_frame(&ports[0], 1, 0x100, 1); /* unknown yet: to all but the sender */
    for (unsigned i = 0; i < PORTS; i++)
        expect(i, i == 0 ? 0 : 1);
    send_frame(&ports[1], 0x100, 1, 2); /* the answer goes to port 0 alone */
    for (unsigned i = 0; i < PORTS; i++)
        expect(i, i == 0 ? 1 : 0);
    send_frame(&ports[0], 1, 0x100, 3);
    for (unsigned i = 0; i < PORTS; i++)
        expect(i, i == 1 ? 1 : 0);
    send_frame(&ports[2], 2, 0x100, 4); /* station 100 moved to port 2; 2 is not known */
    for (unsigned i = 0; i < PORTS; i++)
        expect(i, i == 2 ? 0 : 1);
    send_frame(&ports[1], 0x100, 1, 5);
    for (unsigned i = 0; i < PORTS; i++)
        expect(i, i == 2 ? 1 : 0);
    check_books(2);
}

static void test_ageing(void **state)
{
    (void)state;
    send_frame(&ports[0], BROADCAST, 0x100, 1);
    for (unsigned i = 1; i < PORTS; i++)
        expect(i, 1);
    fake.now_ns += 290ull * 1000000000; /* still known */
    send_frame(&ports[1], 0x100, 1, 2);
    expect(0, 1);
    expect(2, 0);
    fake.now_ns += 30ull * 1000000000; /* 320 s since it was seen */
    send_frame(&ports[1], 0x100, 1, 3);
    for (unsigned i = 0; i < PORTS; i++)
        expect(i, i == 1 ? 0 : 1);
    check_books(2);
}

static void test_broadcast_and_multicast(void **state)
{
    uint8_t frame[60];

    (void)state;
    send_frame(&ports[0], BROADCAST, 0x100, 1);
    frame_fill(frame, sizeof(frame), 1, 0x100, 2);
    memcpy(frame, "\x01\x00\x5e\x00\x00\x01", 6);
    assert_true(put_slot(&ports[0], 0, frame, sizeof(frame), 0));
    assert_int_equal(port_txsync(&ports[0]), 0);
    for (unsigned i = 0; i < PORTS; i++)
        expect(i, i == 0 ? 0 : 2);
    /* A multicast source is no station: nothing is learnt. */
    frame_fill(frame, sizeof(frame), BROADCAST, 0, 3);
    memcpy(frame + 6, "\x03\x00\x00\x00\x00\x01", 6);
    assert_true(put_slot(&ports[0], 0, frame, sizeof(frame), 0));
    assert_int_equal(port_txsync(&ports[0]), 0);
    memcpy(frame, "\x03\x00\x00\x00\x00\x01", 6);
    assert_true(put_slot(&ports[1], 0, frame, sizeof(frame), 0));
    assert_int_equal(port_txsync(&ports[1]), 0);
    for (unsigned i = 0; i < PORTS; i++)
        expect(i, i == 0 ? 1 : i == 1 ? 1 : 2);
    /* Neither is the address 0, as a source or a destination. */
    send_frame(&ports[0], NOBODY, NOBODY, 5);
    send_frame(&ports[1], NOBODY, 0x101, 6);
    for (unsigned i = 0; i < PORTS; i++)
        expect(i, i < 2 ? 1 : 2);
    check_books(6);
}

static void test_own_port(void **state)
{
    (void)state;
    send_frame(&ports[0], BROADCAST, 0x100, 1);
    send_frame(&ports[0], 0x100, 0x200, 2); /* to a station behind the sender's own port */
    send_frame(&ports[0], 0x200, 0x200, 3); /* and to itself */
    assert_int_equal(drops(tx_kring(&ports[0], 0), NM_DROP_NO_PORT), 2);
    for (unsigned i = 0; i < PORTS; i++)
        expect(i, i == 0 ? 0 : 1);
    check_books(1);
}

static void test_no_learn(void **state)
{
    uint8_t frame[60];

    (void)state;
    frame_fill(frame, sizeof(frame), BROADCAST, 0x100, 1);
    assert_true(put_slot(&ports[0], 0, frame, sizeof(frame), NS_NO_LEARN));
    assert_int_equal(port_txsync(&ports[0]), 0);
    for (unsigned i = 1; i < PORTS; i++)
        expect(i, 1);
    send_frame(&ports[1], 0x100, 1, 2);
    for (unsigned i = 0; i < PORTS; i++)
        expect(i, i == 1 ? 0 : 1);
    check_books(2);
}

/* Learnt within the very batch: the second frame of one sync uses what the first taught. */
static void test_mixed_batch_order(void **state)
{
    uint32_t numbers[16];

    (void)state;
    send_frame(&ports[1], BROADCAST, 1, 0);
    send_frame(&ports[2], BROADCAST, 2, 0);
    for (unsigned i = 0; i < PORTS; i++)
        take_all(&ports[i], 0, NULL, 0);
    /* To 1, all, 2, 1, unknown, 1, all: port 1 sees all of its own in order. */
    {
        static const unsigned to[] = {1, BROADCAST, 2, 1, 0x999, 1, BROADCAST};

        for (unsigned i = 0; i < COUNT(to); i++)
            assert_true(put_frame(&ports[0], 0, to[i], 0x100, i, 60));
        assert_int_equal(port_txsync(&ports[0]), 0);
    }
    assert_int_equal(take_all(&ports[1], 0, numbers, 16), 6);
    {
        static const uint32_t order[] = {0, 1, 3, 4, 5, 6};

        assert_memory_equal(numbers, order, sizeof(order));
    }
    assert_int_equal(take_all(&ports[2], 0, numbers, 16), 4);
    {
        static const uint32_t order[] = {1, 2, 4, 6};

        assert_memory_equal(numbers, order, sizeof(order));
    }
    expect(3, 3);
    check_books(2 + 3);
}

/* ---- drops ---- */

static void test_lengths(void **state)
{
    uint8_t frame[2048];
    struct netmap_slot slot;

    (void)state;
    send_frame(&ports[1], BROADCAST, 1, 0);
    take_all(&ports[0], 0, NULL, 0);
    for (uint32_t length = 0; length <= 2050; length++) {
        uint64_t shorts = drops(tx_kring(&ports[0], 0), NM_DROP_SHORT);
        uint64_t bad = drops(tx_kring(&ports[0], 0), NM_DROP_BAD_SLOT);
        uint8_t got[2048];

        frame_fill(frame, length <= 2048 ? length : 2048, 1, 0x100, length);
        assert_true(put_slot(&ports[0], 0, length <= 2048 ? frame : NULL, length, 0));
        assert_int_equal(port_txsync(&ports[0]), length <= 2048 ? 0 : NM_EINVAL);
        assert_int_equal(drops(tx_kring(&ports[0], 0), NM_DROP_SHORT), shorts + (length < 14));
        assert_int_equal(drops(tx_kring(&ports[0], 0), NM_DROP_BAD_SLOT), bad + (length > 2048));
        assert_int_equal(port_rxsync(&ports[1]), 0);
        if (length < 14 || length > 2048) {
            assert_int_equal(ring_room(rx_ring(&ports[1], 0)), 0);
            continue;
        }
        assert_true(take_slot(&ports[1], 0, &slot, got));
        assert_int_equal(slot.len, length);
        assert_int_equal(slot.flags, 1 << 8); /* NS_RFRAGS: one slot */
        assert_memory_equal(got, frame, length);
        assert_int_equal(port_rxsync(&ports[1]), 0);
        if (length % 8 == 0)
            take_all(&ports[2], 0, NULL, 0);
    }
    check_books(1);
}

static void test_bad_index(void **state)
{
    static const uint32_t bad[] = {0, 1, UINT32_MAX, INT32_MAX};
    uint32_t limit = ports[0].handle->adapter->region->layout.buf_num;

    (void)state;
    send_frame(&ports[1], BROADCAST, 1, 0);
    take_all(&ports[0], 0, NULL, 0);
    for (unsigned i = 0; i < 5; i++) {
        struct netmap_ring *ring = tx_ring(&ports[0], 0);
        uint32_t at = ring->cur, kept = ring->slot[at].buf_idx;

        assert_true(put_frame(&ports[0], 0, 1, 0x100, 1, 60)); /* good ones around it */
        assert_true(put_frame(&ports[0], 0, 1, 0x100, 2, 60));
        assert_true(put_frame(&ports[0], 0, 1, 0x100, 3, 60));
        at = ring_next(ring, at);
        kept = ring->slot[at].buf_idx;
        ring->slot[at].buf_idx = i < 4 ? bad[i] : limit;
        assert_int_equal(port_txsync(&ports[0]), NM_EINVAL); /* said once */
        ring->slot[at].buf_idx = kept;
        assert_int_equal(port_txsync(&ports[0]), 0);
        assert_int_equal(drops(tx_kring(&ports[0], 0), NM_DROP_BAD_SLOT), i + 1);
        expect(1, 2);
    }
    check_books(1);
}

static void test_indirect(void **state)
{
    uint8_t frame[60];

    (void)state;
    frame_fill(frame, sizeof(frame), BROADCAST, 0x100, 1);
    assert_true(put_slot(&ports[0], 0, frame, sizeof(frame), NS_INDIRECT));
    tx_ring(&ports[0], 0)->slot[0].ptr = 0xdeadbeef000;
    assert_int_equal(port_txsync(&ports[0]), 0);
    assert_int_equal(drops(tx_kring(&ports[0], 0), NM_DROP_UNSUPPORTED), 1);
    expect(1, 0);
    check_books(0);
}

/* A ring of 16 slots holds 15 frames; the others are counted at the receiver, by cause. */
static void test_full(void **state)
{
    (void)state;
    send_frame(&ports[1], BROADCAST, 1, 0);
    take_all(&ports[0], 0, NULL, 0);
    for (unsigned i = 0; i < 40; i++)
        send_frame(&ports[0], 1, 0x100, i);
    assert_int_equal(drops(rx_kring(&ports[1], 0), NM_DROP_FULL), 25);
    assert_int_equal(all_drops(tx_kring(&ports[0], 0)), 0);
    expect(1, 15);
    for (unsigned i = 0; i < 15; i++)
        send_frame(&ports[0], 1, 0x100, i);
    assert_int_equal(drops(rx_kring(&ports[1], 0), NM_DROP_FULL), 25);
    expect(1, 15);
    /* All at once: part of a batch. */
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 10; i++)
            assert_true(put_frame(&ports[0], 0, 1, 0x100, i, 60));
        assert_int_equal(port_txsync(&ports[0]), 0);
    }
    assert_int_equal(drops(rx_kring(&ports[1], 0), NM_DROP_FULL), 30);
    expect(1, 15);
    check_books(1);
}

/* The receiver's own slot names no buffer: its frame is dropped and counted there, and its next
 * sync says so. */
static void test_bad_rx_slot(void **state)
{
    uint32_t kept[2];
    struct netmap_slot slot;
    struct netmap_ring *ring = rx_ring(&ports[1], 0);

    (void)state;
    send_frame(&ports[1], BROADCAST, 1, 0);
    take_all(&ports[0], 0, NULL, 0);
    kept[0] = ring->slot[1].buf_idx;
    kept[1] = ring->slot[2].buf_idx;
    ring->slot[1].buf_idx = UINT32_MAX;
    ring->slot[2].buf_idx = 1;
    for (unsigned i = 0; i < 4; i++)
        assert_true(put_frame(&ports[0], 0, 1, 0x100, i, 60));
    assert_int_equal(port_txsync(&ports[0]), 0); /* not the sender's fault */
    assert_int_equal(drops(rx_kring(&ports[1], 0), NM_DROP_RX_SLOT), 2);
    assert_int_equal(port_rxsync(&ports[1]), NM_EINVAL);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(ring_room(ring), 4 - i);
        if (i == 1 || i == 2)
            ring->slot[ring->cur].buf_idx = kept[i - 1];
        assert_true(take_slot(&ports[1], 0, &slot, NULL));
        assert_int_equal(slot.len, i == 1 || i == 2 ? 0 : 60);
    }
    assert_int_equal(port_rxsync(&ports[1]), 0);
    check_books(1);
}

static void test_alone(void **state)
{
    struct port alone;

    (void)state;
    port_open(&alone, &core, "vale2:x");
    send_frame(&alone, BROADCAST, 1, 1);
    send_frame(&alone, 7, 1, 2);
    assert_int_equal(drops(tx_kring(&alone, 0), NM_DROP_NO_PORT), 2);
    assert_int_equal(tx_kring(&alone, 0)->counters.frames, 2);
    port_close(&alone);
}

/* Nobody has the receiver's rx ring bound. */
static void test_unbound_ring(void **state)
{
    struct port sender, receiver, third;

    (void)state;
    port_open(&sender, &core, "vale2:x");
    port_open_with(&receiver, &core, "vale2:y", WISH(.nr_flags = NR_TX_RINGS_ONLY));
    send_frame(&receiver, BROADCAST, 1, 0);
    assert_int_equal(take_all(&sender, 0, NULL, 0), 1);
    send_frame(&sender, 1, 2, 1);
    send_frame(&sender, BROADCAST, 2, 2);
    assert_int_equal(drops(tx_kring(&sender, 0), NM_DROP_NO_PORT), 2);
    port_open_with(&third, &core, "vale2:y", WISH(.nr_flags = NR_RX_RINGS_ONLY));
    send_frame(&sender, 1, 2, 3);
    assert_int_equal(take_all(&third, 0, NULL, 0), 1);
    port_close(&third);
    send_frame(&sender, 1, 2, 3);
    assert_int_equal(drops(tx_kring(&sender, 0), NM_DROP_NO_PORT), 3);
    port_close(&receiver);
    port_close(&sender);
}

/* A port that has gone is not sent to any more, and its addresses are forgotten. */
static void test_gone(void **state)
{
    (void)state;
    send_frame(&ports[1], BROADCAST, 1, 0);
    for (unsigned i = 0; i < PORTS; i++)
        take_all(&ports[i], 0, NULL, 0);
    port_close(&ports[1]);
    send_frame(&ports[0], 1, 0x100, 1);
    assert_int_equal(take_all(&ports[2], 0, NULL, 0), 1); /* flooded again */
    assert_int_equal(take_all(&ports[3], 0, NULL, 0), 1);
    port_open(&ports[1], &core, "vale1:other"); /* the same place in the table of ports */
    send_frame(&ports[0], 1, 0x100, 2);
    for (unsigned i = 1; i < PORTS; i++)
        expect(i, 1);
}

/* Buffers replaced by the programs, in both rings. */
static void test_moved_buffers(void **state)
{
    uint64_t seed = 5;

    (void)state;
    send_frame(&ports[1], BROADCAST, 1, 0);
    take_all(&ports[0], 0, NULL, 0);
    for (unsigned round = 0; round < 300; round++) {
        struct netmap_ring *rx = rx_ring(&ports[1], 0), *tx = tx_ring(&ports[1], 0);
        uint32_t at = (uint32_t)(random_next(&seed) % 16), index;

        send_frame(&ports[0], 1, 0x100, round);
        assert_int_equal(port_rxsync(&ports[1]), 0);
        assert_int_equal(ring_room(rx), 1);
        index = rx->slot[rx->cur].buf_idx; /* kept in the tx ring */
        rx->slot[rx->cur].buf_idx = tx->slot[at].buf_idx;
        rx->slot[rx->cur].flags |= NS_BUF_CHANGED;
        tx->slot[at].buf_idx = index;
        rx->head = rx->cur = ring_next(rx, rx->cur);
        assert_int_equal(port_rxsync(&ports[1]), 0);
    }
    buffers_check(&core, ports[1].handle->adapter->region, NULL, 0);
    check_books(1);
}

static void test_wakes(void **state)
{
    (void)state;
    if (doors) { /* a wake-up only where one is asked for, at the door */
        struct nm_door *door = rx_kring(&ports[1], 0)->door;

        send_frame(&ports[0], BROADCAST, 0x100, 1);
        assert_false(fake_woken(rx_kring(&ports[1], 0)));
        assert_false(nm_door_arm(&door->tail_event, 3, &door->tail));
        send_frame(&ports[0], BROADCAST, 0x100, 2);
        assert_false(fake_woken(rx_kring(&ports[1], 0)));
        send_frame(&ports[0], BROADCAST, 0x100, 3);
        assert_true(fake_woken(rx_kring(&ports[1], 0)));
        assert_true(nm_door_arm(&door->tail_event, 3, &door->tail));
    } else {
        send_frame(&ports[0], BROADCAST, 0x100, 1);
        for (unsigned i = 0; i < PORTS; i++)
            assert_int_equal(fake_woken(rx_kring(&ports[i], 0)), i != 0);
    }
    for (unsigned i = 0; i < PORTS; i++)
        take_all(&ports[i], 0, NULL, 0);
}

#define PORT_TEST(test) cmocka_unit_test_setup_teardown(test, begin_ports, end_ports)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PORT_TEST(test_learning),
        PORT_TEST(test_ageing),
        PORT_TEST(test_broadcast_and_multicast),
        PORT_TEST(test_own_port),
        PORT_TEST(test_no_learn),
        PORT_TEST(test_mixed_batch_order),
        PORT_TEST(test_lengths),
        PORT_TEST(test_bad_index),
        PORT_TEST(test_indirect),
        PORT_TEST(test_full),
        PORT_TEST(test_bad_rx_slot),
        PORT_TEST(test_alone),
        PORT_TEST(test_unbound_ring),
        PORT_TEST(test_gone),
        PORT_TEST(test_moved_buffers),
        PORT_TEST(test_wakes),
    };
    int failed = cmocka_run_group_tests_name("VALE, without doors", tests, NULL, NULL);

    doors = true;
    return failed + cmocka_run_group_tests_name("VALE, with doors", tests, NULL, NULL);
}
