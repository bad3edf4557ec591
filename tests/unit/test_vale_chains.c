/* Frames of several slots, batches, and several rings: against a model that knows every frame. */
#include "tests/unit/unit.h"

#define WISH(...) ((struct nmreq_register){.nr_mode = NR_REG_ALL_NIC, __VA_ARGS__})
#define SLOTS 1024

static struct nm_core core;
static struct port sender, receiver;
static bool doors;

static int begin_pair(void **state)
{
    struct nm_config config;

    (void)state;
    core_config(&config, doors);
    config.buf_size = 256;
    core_begin_with(&core, &config);
    port_open_with(&sender, &core, "vale1:a", WISH(.nr_tx_slots = SLOTS, .nr_rx_slots = SLOTS));
    port_open_with(&receiver, &core, "vale1:b", WISH(.nr_tx_slots = SLOTS, .nr_rx_slots = SLOTS));
    send_frame(&receiver, BROADCAST, 1, 0);
    take_all(&sender, 0, NULL, 0);
    return 0;
}

static int end_pair(void **state)
{
    (void)state;
    port_close(&sender);
    port_close(&receiver);
    core_end(&core);
    return 0;
}

/* One frame of `slots` slots, each with its place in it. `last` has no NS_MOREFRAG. */
static void put_chain(uint32_t number, uint32_t slots, bool last)
{
    for (uint32_t i = 0; i < slots; i++) {
        uint8_t bytes[64];

        frame_fill(bytes, sizeof(bytes), 1, 0x100, number * 1000 + i);
        assert_true(put_slot(&sender, 0, bytes, sizeof(bytes) - i % 7,
                             i + 1 < slots || !last ? NS_MOREFRAG : 0));
    }
}

/* The next frame the receiver has: its slots in order and nothing else. False: none. */
static bool take_chain(uint32_t *number, uint32_t *slots)
{
    struct netmap_slot slot;
    uint8_t bytes[256];

    for (*slots = 0;; (*slots)++) {
        uint32_t told;

        if (!take_slot(&receiver, 0, &slot, bytes)) {
            assert_int_equal(*slots, 0); /* never half a frame */
            return false;
        }
        assert_true(frame_good(bytes, slot.len, &told));
        if (*slots == 0)
            *number = told / 1000;
        assert_int_equal(told, *number * 1000 + *slots);
        assert_int_equal(slot.len, 64 - *slots % 7);
        if ((slot.flags & NS_MOREFRAG) == 0)
            break;
    }
    (*slots)++;
    assert_int_equal(NS_RFRAGS(&slot), *slots); /* on each slot; the last one's is checked */
    return true;
}

static void expect_chain(uint32_t number, uint32_t slots)
{
    uint32_t told, length;

    assert_true(take_chain(&told, &length));
    assert_int_equal(told, number);
    assert_int_equal(length, slots);
}

static void expect_none(void)
{
    assert_int_equal(port_rxsync(&receiver), 0);
    assert_int_equal(ring_room(rx_ring(&receiver, 0)), 0);
}

static uint64_t bad_chains(void)
{
    return drops(tx_kring(&sender, 0), NM_DROP_BAD_CHAIN);
}

/* Every frame the sender gave away has one fate. */
static void check_books(void)
{
    const struct nm_kring *tx = tx_kring(&sender, 0), *rx = rx_kring(&receiver, 0);

    assert_int_equal(tx->counters.frames, all_drops(tx) + rx->counters.frames + all_drops(rx));
}

static void test_every_length(void **state)
{
    (void)state;
    for (uint32_t slots = 1; slots <= 130; slots++) {
        uint64_t before = bad_chains();

        put_chain(1, 1, true); /* neighbours are not harmed */
        put_chain(2, slots, true);
        put_chain(3, 1, true);
        assert_int_equal(port_txsync(&sender), 0);
        assert_int_equal(port_rxsync(&receiver), 0);
        expect_chain(1, 1);
        if (slots <= NETMAP_MAX_FRAGS)
            expect_chain(2, slots);
        expect_chain(3, 1);
        expect_none();
        assert_int_equal(bad_chains() - before, slots > NETMAP_MAX_FRAGS);
    }
    check_books();
}

/* All positions of chains of 63, 64 and 65 slots around the limit of a batch, and two in a row. */
static void test_batch_boundary(void **state)
{
    (void)state;
    for (uint32_t before = 180; before <= 260; before++)
        for (uint32_t slots = 63; slots <= 65; slots++) {
            uint64_t bad = bad_chains();

            for (uint32_t i = 0; i < before; i++)
                put_chain(i, 1, true);
            put_chain(1000, slots, true);
            put_chain(1001, slots - 30, true);
            put_chain(1002, 2, true);
            assert_int_equal(port_txsync(&sender), 0);
            assert_int_equal(port_rxsync(&receiver), 0);
            for (uint32_t i = 0; i < before; i++)
                expect_chain(i, 1);
            if (slots <= NETMAP_MAX_FRAGS)
                expect_chain(1000, slots);
            expect_chain(1001, slots - 30);
            expect_chain(1002, 2);
            expect_none();
            assert_int_equal(bad_chains() - bad, slots > NETMAP_MAX_FRAGS);
        }
    check_books();
}

/* Very long chains, over several batches: one frame, one drop, and not a slot of it delivered. */
static void test_endless(void **state)
{
    (void)state;
    for (uint32_t slots = 200; slots <= 900; slots += 7) {
        uint64_t bad = bad_chains(), frames = tx_kring(&sender, 0)->counters.frames;

        put_chain(1, 3, true);
        put_chain(2, slots, true);
        put_chain(3, 3, true);
        assert_int_equal(port_txsync(&sender), 0);
        assert_int_equal(port_rxsync(&receiver), 0);
        expect_chain(1, 3);
        expect_chain(3, 3);
        expect_none();
        assert_int_equal(bad_chains() - bad, 1);
        assert_int_equal(tx_kring(&sender, 0)->counters.frames - frames, 3);
    }
    check_books();
}

/* A chain that does not end before head: dropped, and what follows is a frame of its own. */
static void test_unfinished(void **state)
{
    (void)state;
    for (uint32_t slots = 1; slots <= 700; slots += slots < 70 ? 1 : 37) {
        uint64_t bad = bad_chains(), frames = tx_kring(&sender, 0)->counters.frames;

        put_chain(1, 2, true);
        put_chain(2, slots, false);
        assert_int_equal(port_txsync(&sender), 0);
        assert_int_equal(bad_chains() - bad, 1);
        put_chain(3, 2, true);
        assert_int_equal(port_txsync(&sender), 0);
        assert_int_equal(port_rxsync(&receiver), 0);
        expect_chain(1, 2);
        expect_chain(3, 2);
        expect_none();
        assert_int_equal(bad_chains() - bad, 1);
        assert_int_equal(tx_kring(&sender, 0)->counters.frames - frames, 3);
    }
    check_books();
}

/* A chain with bad slots in it is dropped whole and counted once. */
static void test_bad_slot_in_chain(void **state)
{
    struct netmap_ring *ring = tx_ring(&sender, 0);

    (void)state;
    for (uint32_t which = 0; which < 5 * 32; which++) {
        uint32_t first = ring->head, kept[5];
        uint64_t before = drops(tx_kring(&sender, 0), NM_DROP_BAD_SLOT);
        bool any = (which & 31) != 0;

        put_chain(7, 5, true);
        put_chain(8, 1, true);
        for (uint32_t i = 0; i < 5; i++) {
            struct netmap_slot *slot = &ring->slot[(first + i) % SLOTS];

            kept[i] = slot->buf_idx;
            if ((which & 1u << i) != 0) {
                if (which & 32)
                    slot->len = 257;
                else
                    slot->buf_idx = UINT32_MAX - i;
            }
        }
        assert_int_equal(port_txsync(&sender), any ? NM_EINVAL : 0);
        for (uint32_t i = 0; i < 5; i++)
            ring->slot[(first + i) % SLOTS].buf_idx = kept[i];
        assert_int_equal(drops(tx_kring(&sender, 0), NM_DROP_BAD_SLOT) - before, any);
        assert_int_equal(port_rxsync(&receiver), 0);
        if (!any)
            expect_chain(7, 5);
        expect_chain(8, 1);
        expect_none();
    }
    check_books();
}

/* A chain needs room for all its slots; single frames behind it may still fit. */
static void test_no_room_for_chain(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SLOTS - 1 - 10; i++) {
        put_chain(i, 1, true);
        if (i % 500 == 499)
            assert_int_equal(port_txsync(&sender), 0);
    }
    assert_int_equal(port_txsync(&sender), 0);
    put_chain(1, 11, true);
    put_chain(2, 4, true);
    put_chain(3, 7, true);
    put_chain(4, 6, true);
    put_chain(5, 1, true);
    assert_int_equal(port_txsync(&sender), 0);
    assert_int_equal(drops(rx_kring(&receiver, 0), NM_DROP_FULL), 3);
    assert_int_equal(port_rxsync(&receiver), 0);
    for (uint32_t i = 0; i < SLOTS - 1 - 10; i++)
        expect_chain(i, 1);
    expect_chain(2, 4);
    expect_chain(4, 6);
    expect_none();
    check_books();
}

/* The receiver's slots are bad in the middle of a chain: it is counted once and stays one frame. */
static void test_bad_rx_slots_in_chain(void **state)
{
    struct netmap_ring *ring = rx_ring(&receiver, 0);
    uint32_t kept[3];

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        kept[i] = ring->slot[2 + i].buf_idx;
        ring->slot[2 + i].buf_idx = i;
    }
    ring->slot[4].buf_idx = kept[2]; /* the last of the three is good after all */
    put_chain(1, 6, true);
    put_chain(2, 1, true);
    assert_int_equal(port_txsync(&sender), 0);
    assert_int_equal(drops(rx_kring(&receiver, 0), NM_DROP_RX_SLOT), 1);
    assert_int_equal(rx_kring(&receiver, 0)->counters.frames, 1);
    assert_int_equal(port_rxsync(&receiver), NM_EINVAL);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal((ring->slot[i].flags & NS_MOREFRAG) != 0, i < 5);
    ring->slot[2].buf_idx = kept[0];
    ring->slot[3].buf_idx = kept[1];
    ring->head = ring->cur = 6;
    expect_chain(2, 1);
    expect_none();
    check_books();
}

/* NS_NO_LEARN on any slot of the frame counts for the frame. */
static void test_no_learn_chain(void **state)
{
    uint8_t bytes[64];

    (void)state;
    for (unsigned which = 0; which < 3; which++) {
        for (unsigned i = 0; i < 3; i++) {
            frame_fill(bytes, sizeof(bytes), 1, 0x300 + which, i);
            assert_true(put_slot(&sender, 0, bytes, sizeof(bytes),
                                 (uint16_t)((i < 2 ? NS_MOREFRAG : 0) |
                                            (i == which && which > 0 ? NS_NO_LEARN : 0))));
        }
        assert_int_equal(port_txsync(&sender), 0);
    }
    {
        const uint64_t base = 0x02 | 0x03ull << 32;
        const struct nm_mac_table *macs = &sender.handle->adapter->bridge->macs;

        assert_int_equal(nm_mac_lookup(macs, base | 0x00ull << 40, 0), 0);
        assert_int_equal(nm_mac_lookup(macs, base | 0x01ull << 40, 0), NM_MAC_UNKNOWN);
        assert_int_equal(nm_mac_lookup(macs, base | 0x02ull << 40, 0), NM_MAC_UNKNOWN);
    }
}

/* Random frames, budgets and syncs against a list of what must arrive. */
static void test_random(void **state)
{
    static uint32_t due[4096][2];
    uint64_t seed = 4242;
    uint32_t number = 0;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        uint32_t used = 0, put = 0, got = 0;
        uint64_t dropped = all_drops(tx_kring(&sender, 0)), bad = 0;

        while (used < 700 && random_next(&seed) % 50 != 0) {
            uint32_t kind = (uint32_t)(random_next(&seed) % 20);
            uint32_t slots = kind < 12 ? 1 : 1 + (uint32_t)(random_next(&seed) % 80);

            put_chain(number, slots, true);
            used += slots;
            if (slots <= NETMAP_MAX_FRAGS) {
                due[put][0] = number;
                due[put++][1] = slots;
            } else {
                bad++;
            }
            number = (number + 1) % 100000;
        }
        core.config.bridge_batch = (uint32_t)(random_next(&seed) % 300); /* 0 too */
        assert_int_equal(port_txsync(&sender), 0);
        assert_int_equal(all_drops(tx_kring(&sender, 0)) - dropped, bad);
        assert_int_equal(port_rxsync(&receiver), 0);
        for (got = 0; got < put; got++)
            expect_chain(due[got][0], due[got][1]);
        expect_none();
    }
    check_books();
}

/* ---- several rings ---- */

/* Ring i of the sender goes to ring i mod n of the receiver, in order, whatever their numbers. */
static void test_rings(void **state)
{
    (void)state;
    for (uint16_t tx = 1; tx <= NM_VALE_RINGS; tx++)
        for (uint16_t rx = 1; rx <= NM_VALE_RINGS; rx = (uint16_t)(rx + (rx < 4 ? 1 : 5))) {
            struct port from, to;
            uint32_t numbers[64], count = 0;

            port_open_with(&from, &core, "vale2:a", WISH(.nr_tx_rings = tx, .nr_tx_slots = 8));
            port_open_with(&to, &core, "vale2:b", WISH(.nr_rx_rings = rx, .nr_rx_slots = 64));
            for (uint32_t i = 0; i < tx; i++)
                for (uint32_t f = 0; f < 3; f++)
                    assert_true(put_frame(&from, i, BROADCAST, 0x100 + i, i * 10 + f, 60));
            assert_int_equal(port_txsync(&from), 0);
            for (uint32_t r = 0; r < rx; r++) {
                uint32_t got = take_all(&to, r, numbers, 64), at = 0;

                for (uint32_t i = r; i < tx; i += rx)
                    for (uint32_t f = 0; f < 3; f++)
                        assert_int_equal(numbers[at++], i * 10 + f);
                assert_int_equal(got, at);
                count += got;
            }
            assert_int_equal(count, 3 * tx);
            port_close(&from);
            port_close(&to);
        }
}

#define PAIR_TEST(test) cmocka_unit_test_setup_teardown(test, begin_pair, end_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR_TEST(test_every_length),
        PAIR_TEST(test_batch_boundary),
        PAIR_TEST(test_endless),
        PAIR_TEST(test_unfinished),
        PAIR_TEST(test_bad_slot_in_chain),
        PAIR_TEST(test_no_room_for_chain),
        PAIR_TEST(test_bad_rx_slots_in_chain),
        PAIR_TEST(test_no_learn_chain),
        PAIR_TEST(test_random),
        PAIR_TEST(test_rings),
    };
    int failed = cmocka_run_group_tests_name("chains, without doors", tests, NULL, NULL);

    doors = true;
    return failed + cmocka_run_group_tests_name("chains, with doors", tests, NULL, NULL);
}
