/*
 * A sender killed between any two stores of a pipe's exchange: afterwards no buffer is in two
 * places and none is lost, and the end goes on working when it is opened again, whether or not the
 * other end and the parent live on.
 *
 * The exchange (core/pipe_exchange.h) is compiled here with the stores of mortal_stores.h.
 * Everything else is the ordinary core.
 */
#include "tests/unit/mortal_stores.h"
#include "tests/unit/unit.h"

#define WISH(...) ((struct nmreq_register){.nr_mode = NR_REG_ALL_NIC, __VA_ARGS__})
#define SLOTS 32 /* two chunks of the exchange */
#define STORES_PER_SLOT 6

static struct nm_core core;
static struct port parent, victim, other;
static uint32_t parent_buffers;
static const struct nmreq_register both_rings = {.nr_mode = NR_REG_ALL_NIC, .nr_tx_rings = 2,
                                                 .nr_rx_rings = 2};

static void begin(bool with_parent)
{
    struct nm_config config;

    core_config(&config, true);
    config.vale_slots = SLOTS;
    core_begin_with(&core, &config);
    if (with_parent) {
        port_open_with(&parent, &core, "vale1:a", WISH(.nr_extra_bufs = 5));
        parent_buffers = buffers_allocated(parent.handle->adapter->region);
    }
    port_open_with(&victim, &core, "vale1:a{1", both_rings);
    port_open_with(&other, &core, "vale1:a}1", WISH(.nr_extra_bufs = 2));
}

static void end(bool with_parent)
{
    port_close(&victim);
    port_close(&other);
    if (with_parent) {
        assert_int_equal(buffers_allocated(parent.handle->adapter->region), parent_buffers);
        port_close(&parent);
    }
    core_end(&core);
}

static void check_buffers(bool with_parent)
{
    const struct port *lists[2] = {&other, &parent};

    buffers_check(&core, other.handle->adapter->region, lists, with_parent ? 2 : 1);
}

/* Traffic both ways, so that buffers have been everywhere; `shift` moves the place in the ring. */
static void exchange(unsigned frames)
{
    for (unsigned i = 0; i < frames; i++)
        for (uint32_t ring = 0; ring < 2; ring++) {
            assert_true(put_frame(&victim, ring, 1, 2, i, 60));
            assert_int_equal(port_txsync(&victim), 0);
            assert_int_equal(take_all(&other, ring, NULL, 0), 1);
            assert_true(put_frame(&other, ring, 1, 2, i, 60));
            assert_int_equal(port_txsync(&other), 0);
            assert_int_equal(take_all(&victim, ring, NULL, 0), 1);
        }
}

/* Forward received buffers from the victim's rx to its tx ring: they carry its tag. */
static void turn_buffers_round(void)
{
    struct netmap_ring *rx = rx_ring(&victim, 0), *tx = tx_ring(&victim, 0);

    for (unsigned i = 0; i < SLOTS - 1; i++) {
        uint32_t index;

        assert_true(put_frame(&other, 0, 1, 2, i, 60));
        assert_int_equal(port_txsync(&other), 0);
        assert_int_equal(port_rxsync(&victim), 0);
        index = rx->slot[rx->cur].buf_idx;
        rx->slot[rx->cur].buf_idx = tx->slot[(tx->cur + i) % SLOTS].buf_idx;
        tx->slot[(tx->cur + i) % SLOTS].buf_idx = index;
        rx->head = rx->cur = ring_next(rx, rx->cur);
        assert_int_equal(port_rxsync(&victim), 0);
    }
}

/* The victim sends `frames` on a ring and dies after so many stores; true when it died. */
static bool die_sending(uint32_t ring, uint32_t frames, long stores)
{
    struct nm_pipe_lane lane;
    enum nm_pipe_fault fault;
    uint32_t at;

    for (uint32_t i = 0; i < frames; i++)
        assert_true(put_frame(&victim, ring, 1, 2, i, 60));
    nm_pipe_lane_init(&lane, tx_kring(&victim, ring));
    at = victim.edge.rings[NM_TX][ring].hwcur;
    if (setjmp(death) == 0) {
        stores_left = stores;
        (void)nm_pipe_move(&lane, at, frames, &fault);
        stores_left = -1;
        return false;
    }
    stores_left = -1;
    return true;
}

/* Every moment of sending up to 12 frames, from many places in the ring. */
static void kill_everywhere(bool with_parent, bool other_dies_too, bool own_buffers)
{
    for (unsigned shift = 0; shift < SLOTS; shift += with_parent ? 9 : 13)
        for (uint32_t frames = 1; frames <= 12; frames = frames * 3 / 2 + 1) {
            bool died = true;

            for (long stores = 0; died; stores++) {
                begin(with_parent);
                exchange(shift);
                if (own_buffers)
                    turn_buffers_round();
                died = die_sending(shift % 2, frames, stores);
                port_close(&victim);
                check_buffers(with_parent);
                if (other_dies_too)
                    port_close(&other);
                port_open_with(&victim, &core, "vale1:a{1", both_rings);
                if (other_dies_too)
                    port_open_with(&other, &core, "vale1:a}1", WISH(.nr_extra_bufs = 2));
                check_buffers(with_parent);
                exchange(2 * SLOTS); /* all slots, twice */
                check_buffers(with_parent);
                end(with_parent);
                assert_true(died || stores == STORES_PER_SLOT * (long)frames);
            }
        }
}

static void test_other_end_lives(void **state)
{
    (void)state;
    kill_everywhere(true, false, false);
    kill_everywhere(true, false, true);
}

static void test_parent_lives(void **state)
{
    (void)state;
    kill_everywhere(true, true, false);
}

static void test_all_alone(void **state)
{
    (void)state;
    kill_everywhere(false, true, true);
}

/* The victim has one ring of the end open, and another program the other: the end lives on. */
static void test_end_is_shared(void **state)
{
    struct port neighbour;

    (void)state;
    for (long stores = 0; stores <= 3 * STORES_PER_SLOT; stores++) {
        begin(true);
        exchange(3);
        port_close(&victim);
        port_open_with(&victim, &core, "vale1:a{1",
                       (struct nmreq_register){.nr_mode = NR_REG_ONE_NIC, .nr_ringid = 0});
        port_open_with(&neighbour, &core, "vale1:a{1",
                       (struct nmreq_register){.nr_mode = NR_REG_ONE_NIC, .nr_ringid = 1});
        die_sending(0, 3, stores);
        port_close(&victim);
        check_buffers(true);
        port_open_with(&victim, &core, "vale1:a{1",
                       (struct nmreq_register){.nr_mode = NR_REG_ONE_NIC, .nr_ringid = 0});
        for (unsigned i = 0; i < 2 * SLOTS; i++) {
            assert_true(put_frame(&victim, 0, 1, 2, i, 60));
            assert_int_equal(port_txsync(&victim), 0);
            assert_int_equal(take_all(&other, 0, NULL, 0), 1);
        }
        check_buffers(true);
        port_close(&neighbour);
        end(true);
    }
}

/* A program that forwards without copying is killed between its two stores: both of its slots show
 * one buffer and the other is nowhere. */
static void test_killed_between_own_slots(void **state)
{
    (void)state;
    for (unsigned from = 0; from < 3; from++) {
        struct netmap_ring *rx, *tx;

        begin(true);
        exchange(from);
        for (unsigned i = 0; i < 3; i++)
            assert_true(put_frame(&other, 0, 1, 2, i, 60));
        assert_int_equal(port_txsync(&other), 0);
        assert_int_equal(port_rxsync(&victim), 0);
        rx = rx_ring(&victim, 0);
        tx = tx_ring(&victim, 0);
        if (from == 0)
            tx->slot[tx->cur].buf_idx = rx->slot[rx->cur].buf_idx;
        else if (from == 1)
            rx->slot[rx->cur].buf_idx = tx->slot[tx->cur].buf_idx;
        else
            rx->slot[rx->cur].buf_idx = 0xbad00000;
        port_close(&victim);
        check_buffers(true);
        port_open(&victim, &core, "vale1:a{1");
        assert_int_equal(port_rxsync(&victim), 0);
        assert_int_equal(ring_room(rx), 3); /* one of the frames may be spoilt */
        rx->head = rx->cur = rx->tail;
        assert_int_equal(port_rxsync(&victim), 0);
        exchange(2 * SLOTS);
        check_buffers(true);
        end(true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_end_lives),
        cmocka_unit_test(test_parent_lives),
        cmocka_unit_test(test_all_alone),
        cmocka_unit_test(test_end_is_shared),
        cmocka_unit_test(test_killed_between_own_slots),
    };

    return cmocka_run_group_tests_name("pipes and kill", tests, NULL, NULL);
}
