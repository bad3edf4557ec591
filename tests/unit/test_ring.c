/* The rules of head and cur: every combination on small rings against a model of the rule; poll;
 * and programs that write anything anywhere. */
#include "tests/unit/unit.h"

#define WISH(...) ((struct nmreq_register){.nr_mode = NR_REG_ALL_NIC, __VA_ARGS__})

static struct nm_core core;
static struct port one, two;
static bool doors;

/* ---- head and cur ---- */

/*
 * The rule itself, written down a second time: the program owns the slots from hwcur up to hwtail,
 * one after the other; head is one of these positions and cur is head or a later one.
 */
static bool allowed(uint32_t head, uint32_t cur, uint32_t hwcur, uint32_t hwtail, uint32_t slots)
{
    bool seen_head = false, seen_cur = false;

    for (uint32_t at = hwcur;; at = at + 1 == slots ? 0 : at + 1) {
        if (at == head)
            seen_head = true;
        if (at == cur && seen_head)
            seen_cur = true;
        if (at == hwtail)
            return seen_cur;
    }
}

static void open_two(const char *first, const char *second, uint16_t slots)
{
    core_begin(&core, doors);
    port_open_with(&one, &core, first, WISH(.nr_tx_slots = slots, .nr_rx_slots = slots));
    port_open_with(&two, &core, second, WISH(.nr_tx_slots = slots, .nr_rx_slots = slots));
}

static void close_two(void)
{
    port_close(&one);
    port_close(&two);
    core_end(&core);
}

/* One sync with these words in the ring; the ring began at hwcur and hwtail. */
static void check_sync(struct port *port, struct netmap_ring *ring, int direction, uint32_t head,
                       uint32_t cur)
{
    uint32_t slots = ring->num_slots, hwcur = ring->head, hwtail = ring->tail;
    bool good = allowed(head, cur, hwcur, hwtail, slots);
    int error;

    ring->head = head;
    ring->cur = cur;
    ring->tail = (head * 7 + cur) % (slots + 3); /* the program's scribble is of no interest */
    error = direction == NM_TX ? port_txsync(port) : port_rxsync(port);
    if (error != (good ? 0 : NM_EINVAL))
        fail_msg("%u slots, [%u, %u], head %u, cur %u: error %d", slots, hwcur, hwtail, head, cur,
                 error);
    assert_int_equal(ring->head, good ? head : hwcur);
    assert_int_equal(ring->cur, good ? cur : hwcur);
    if (!good)
        assert_int_equal(ring->tail, hwtail);
    else if (direction == NM_RX)
        assert_int_equal(ring->tail, hwtail);
    else if (port->handle->adapter->kind == NM_PORT_VALE)
        assert_int_equal(ring->tail, (head + slots - 1) % slots); /* all taken at once */
    else
        assert_int_equal(ring->tail, hwtail); /* the peer has not given anything back */
}

/* Advance both sides to a place in the ring, with `pending` frames on the way. */
static void prepare(uint32_t place, uint32_t pending)
{
    for (uint32_t i = 0; i < place; i++) {
        send_frame(&one, BROADCAST, 1, i);
        assert_int_equal(take_all(&two, 0, NULL, 0), 1);
    }
    assert_int_equal(port_txsync(&one), 0);
    for (uint32_t i = 0; i < pending; i++)
        send_frame(&one, BROADCAST, 1, i);
    assert_int_equal(port_rxsync(&two), 0);
}

/* All heads and curs at one place. A refused sync changes nothing: the ports stay for the next. */
static void check_place(const char *first, const char *second, int direction, uint16_t slots,
                        uint32_t place, uint32_t pending)
{
    bool open = false;

    for (uint32_t head = 0; head < slots + 2u; head++)
        for (uint32_t cur = 0; cur < slots + 2u; cur++) {
            struct netmap_ring *ring;
            uint32_t hwcur, hwtail;
            uint32_t wrong_head = head == slots + 1u ? UINT32_MAX : head;
            uint32_t wrong_cur = cur == slots + 1u ? 0x80000000u : cur;

            if (!open) {
                open_two(first, second, slots);
                prepare(place, pending);
                for (uint32_t i = 0; i < slots; i++) { /* whatever is sent is good */
                    tx_ring(&one, 0)->slot[i].len = 60;
                    tx_ring(&one, 0)->slot[i].flags = 0;
                }
            }
            ring = direction == NM_TX ? tx_ring(&one, 0) : rx_ring(&two, 0);
            hwcur = ring->head;
            hwtail = ring->tail;
            check_sync(direction == NM_TX ? &one : &two, ring, direction, wrong_head, wrong_cur);
            open = !allowed(wrong_head, wrong_cur, hwcur, hwtail, slots);
            if (!open)
                close_two();
        }
    if (open)
        close_two();
}

static void check_all(const char *first, const char *second, int direction)
{
    for (uint16_t slots = 2; slots <= 5; slots++)
        for (uint32_t place = 0; place < slots; place++)
            for (uint32_t pending = 0; pending < slots; pending++)
                check_place(first, second, direction, slots, place, pending);
}

static void test_vale_tx(void **state)
{
    (void)state;
    check_all("vale1:a", "vale1:b", NM_TX);
}

static void test_vale_rx(void **state)
{
    (void)state;
    check_all("vale1:a", "vale1:b", NM_RX);
}

static void test_pipe_tx(void **state)
{
    (void)state;
    check_all("x{1", "x}1", NM_TX);
}

static void test_pipe_rx(void **state)
{
    (void)state;
    check_all("x{1", "x}1", NM_RX);
}

static void test_model_agrees(void **state)
{
    (void)state;
    for (uint32_t slots = 2; slots <= 7; slots++)
        for (uint32_t hwcur = 0; hwcur < slots; hwcur++)
            for (uint32_t hwtail = 0; hwtail < slots; hwtail++)
                for (uint32_t head = 0; head <= slots; head++)
                    for (uint32_t cur = 0; cur <= slots; cur++)
                        assert_int_equal(nm_ring_indices_valid(head, cur, hwcur, hwtail, slots),
                                         allowed(head, cur, hwcur, hwtail, slots));
}

/* cur ahead of head: seen, not given back. */
static void test_cur_ahead(void **state)
{
    (void)state;
    open_two("vale1:a", "vale1:b", 8);
    for (uint32_t i = 0; i < 5; i++)
        send_frame(&one, BROADCAST, 1, i);
    assert_int_equal(port_rxsync(&two), 0);
    rx_ring(&two, 0)->cur = 4;
    rx_ring(&two, 0)->head = 1;
    assert_int_equal(port_rxsync(&two), 0);
    assert_int_equal(ring_room(rx_ring(&two, 0)), 1);
    for (uint32_t i = 0; i < 5; i++)
        send_frame(&one, BROADCAST, 1, i);
    assert_int_equal(drops(rx_kring(&two, 0), NM_DROP_FULL), 2); /* of 7 places one was given */
    assert_int_equal(port_rxsync(&two), 0);
    assert_int_equal(ring_room(rx_ring(&two, 0)), 4);
    close_two();
}

/* Who binds a ring that nobody has begins where the last sync of the one before ended. */
static void test_rewind(void **state)
{
    static const char *const names[2][2] = {{"vale1:a", "vale1:b"}, {"x{1", "x}1"}};

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct port keeper;
        struct netmap_ring *tx, *rx;

        core_begin(&core, doors);
        port_open_with(&keeper, &core, names[kind][0], WISH(.nr_tx_rings = 2, .nr_rx_rings = 2));
        port_close(&keeper);
        port_open_with(&keeper, &core, names[kind][0],
                       (struct nmreq_register){.nr_mode = NR_REG_ONE_NIC, .nr_ringid = 1,
                                               .nr_tx_rings = 2, .nr_rx_rings = 2});
        port_open_with(&one, &core, names[kind][0],
                       (struct nmreq_register){.nr_mode = NR_REG_ONE_NIC, .nr_ringid = 0});
        port_open_with(&two, &core, names[kind][1], WISH(.nr_tx_rings = 2, .nr_rx_rings = 2));
        for (uint32_t i = 0; i < 5; i++)
            send_frame(&one, BROADCAST, 1, i);
        assert_int_equal(take_all(&two, 0, NULL, 0), 5);
        for (uint32_t i = 0; i < 5; i++)
            send_frame(&two, BROADCAST, 2, i);
        assert_int_equal(port_rxsync(&one), 0);
        tx = tx_ring(&one, 0);
        rx = rx_ring(&one, 0);
        assert_int_equal(ring_room(rx), 5);
        rx->head = rx->cur = 2;
        assert_int_equal(port_rxsync(&one), 0);
        rx->head = rx->cur = 4; /* not synced any more */
        for (uint32_t i = 0; i < 3; i++)
            assert_true(put_frame(&one, 0, BROADCAST, 1, 100 + i, 60)); /* likewise */
        tx->tail = rx->tail = 77;
        port_close(&one);
        assert_int_equal(take_all(&two, 0, NULL, 0), 0);
        port_open_with(&one, &core, names[kind][0],
                       (struct nmreq_register){.nr_mode = NR_REG_ONE_NIC, .nr_ringid = 0});
        assert_int_equal(tx->head, 5);
        assert_int_equal(tx->cur, 5);
        assert_int_equal(rx->head, 2);
        assert_int_equal(rx->cur, 2);
        assert_int_equal(port_rxsync(&one), 0);
        assert_int_equal(take_all(&one, 0, NULL, 0), 3);
        assert_int_equal(port_txsync(&one), 0);
        assert_int_equal(take_all(&two, 0, NULL, 0), 0);
        send_frame(&one, BROADCAST, 1, 7);
        assert_int_equal(take_all(&two, 0, NULL, 0), 1);
        port_close(&keeper);
        close_two();
    }
}

/* ---- poll: hosts without doors ---- */

static void test_poll(void **state)
{
    struct netmap_ring *tx;

    (void)state;
    if (doors)
        return;
    open_two("vale1:a", "vale1:b", 8);
    tx = tx_ring(&one, 0);
    assert_int_equal(nm_handle_poll(one.handle, NM_READABLE | NM_WRITABLE), NM_WRITABLE);
    assert_int_equal(nm_handle_poll(one.handle, 0), 0);
    assert_int_equal(nm_handle_poll(one.handle, NM_READABLE), 0);
    /* A poll for reading pushes what is in the tx ring ... */
    assert_true(put_frame(&one, 0, BROADCAST, 1, 1, 60));
    assert_int_equal(nm_handle_poll(one.handle, NM_READABLE), 0);
    assert_int_equal(nm_handle_poll(two.handle, NM_READABLE), NM_READABLE);
    assert_int_equal(take_all(&two, 0, NULL, 0), 1);
    assert_int_equal(nm_handle_poll(two.handle, NM_READABLE), 0);
    /* ... and one for writing does so too, but takes nothing in ... */
    assert_true(put_frame(&one, 0, BROADCAST, 1, 2, 60));
    assert_int_equal(nm_handle_poll(one.handle, NM_WRITABLE), NM_WRITABLE);
    assert_int_equal(rx_ring(&two, 0)->tail, 1);
    assert_int_equal(nm_handle_poll(two.handle, NM_WRITABLE), NM_WRITABLE);
    assert_int_equal(rx_ring(&two, 0)->tail, 1);
    /* ... and errors are told in any case. */
    tx->cur = 99;
    assert_int_equal(nm_handle_poll(one.handle, NM_WRITABLE), NM_POLL_ERROR | NM_WRITABLE);
    assert_int_equal(nm_handle_poll(one.handle, NM_WRITABLE), NM_WRITABLE);
    /* No room between cur and tail: not writable, until the program gives cur back. */
    tx->cur = tx->tail;
    assert_int_equal(nm_handle_poll(one.handle, NM_WRITABLE), 0);
    tx->cur = tx->head;
    assert_int_equal(nm_handle_poll(one.handle, NM_WRITABLE), NM_WRITABLE);
    close_two();
}

static void test_poll_flags(void **state)
{
    (void)state;
    if (doors)
        return;
    core_begin(&core, false);
    port_open_with(&one, &core, "vale1:a", WISH(.nr_flags = NR_NO_TX_POLL));
    port_open_with(&two, &core, "vale1:b", WISH(.nr_flags = NR_DO_RX_POLL));
    assert_true(put_frame(&one, 0, BROADCAST, 1, 1, 60));
    assert_int_equal(nm_handle_poll(one.handle, NM_READABLE), 0);
    assert_int_equal(nm_handle_poll(two.handle, NM_READABLE), 0); /* it was not sent */
    assert_int_equal(nm_handle_poll(one.handle, NM_WRITABLE), NM_WRITABLE);
    assert_int_equal(rx_ring(&two, 0)->tail, 0);
    assert_int_equal(nm_handle_poll(two.handle, NM_WRITABLE), NM_WRITABLE);
    assert_int_equal(rx_ring(&two, 0)->tail, 1); /* taken in on the way */
    close_two();
    core_begin(&core, false);
    port_open_with(&one, &core, "vale1:a", WISH(.nr_flags = NR_RX_RINGS_ONLY));
    port_open_with(&two, &core, "vale1:b", WISH(.nr_flags = NR_TX_RINGS_ONLY));
    assert_int_equal(nm_handle_poll(one.handle, NM_WRITABLE | NM_READABLE), 0);
    assert_int_equal(nm_handle_poll(two.handle, NM_WRITABLE | NM_READABLE), NM_WRITABLE);
    close_two();
}

/* ---- anything anywhere ---- */

static uint64_t some_word(uint64_t *seed, uint64_t near)
{
    switch (random_next(seed) % 6) {
    case 0:
        return random_next(seed);
    case 1:
        return near + random_next(seed) % 40 - 20;
    case 2:
        return 0;
    case 3:
        return UINT64_MAX - random_next(seed) % 3;
    case 4:
        return (uint64_t)INT64_MAX + random_next(seed) % 3;
    default:
        return random_next(seed) % 64;
    }
}

static void scribble(const struct port *port, uint64_t *seed)
{
    const struct nm_region *region = port->handle->adapter->region;
    const struct nm_region_layout *layout = &region->layout;
    int direction = (int)(random_next(seed) & 1);
    struct nm_kring *kring = &port->handle->adapter->krings[direction][0];
    struct netmap_ring *ring = kring->ring;
    uint64_t words = layout->buf_offset / 8; /* objects: everything but buffers and doors */

    switch (random_next(seed) % 8) {
    case 0:
        ((uint64_t *)(void *)region->base)[random_next(seed) % words] = some_word(seed, 0);
        return;
    case 1:
        ring->head = (uint32_t)some_word(seed, kring->hwcur);
        ring->cur = (uint32_t)some_word(seed, kring->hwcur);
        return;
    case 2:
        ring->slot[random_next(seed) % kring->num_slots].buf_idx = (uint32_t)some_word(seed, 20);
        return;
    case 3:
        ring->slot[random_next(seed) % kring->num_slots].len = (uint16_t)some_word(seed, 2048);
        ring->slot[random_next(seed) % kring->num_slots].flags = (uint16_t)random_next(seed);
        return;
    default:
        break;
    }
    if (!doors)
        return;
    switch (random_next(seed) % 5) {
    case 0:
        kring->door->head = some_word(seed, kring->head_count);
        break;
    case 1:
        kring->door->tail = some_word(seed, kring->tail_count);
        break;
    case 2:
        kring->door->head_event = some_word(seed, kring->head_count);
        kring->door->tail_event = some_word(seed, kring->tail_count);
        break;
    case 3:
        kring->door->faults = some_word(seed, 0);
        break;
    default:
        ((uint64_t *)(void *)(region->base + layout->bell_offset))
            [random_next(seed) % ((layout->total_size - layout->bell_offset) / 8)] =
            random_next(seed);
        break;
    }
}

/* A scribbler among two that behave: these get every frame whole, and its close leaves nothing. */
static void test_scribbler(void **state)
{
    uint64_t seed = doors ? 0x5eed : 0xfeed;

    (void)state;
    for (int round = 0; round < 40; round++) {
        struct port hostile;

        open_two("vale1:a", "vale1:b", 16);
        port_open_with(&hostile, &core, "vale1:h", WISH(.nr_extra_bufs = 4));
        send_frame(&two, BROADCAST, 2, 0);
        take_all(&one, 0, NULL, 0);
        for (uint32_t i = 0; i < 500; i++) {
            uint32_t number = UINT32_MAX;
            uint64_t taken;

            for (int n = 0; n < 3; n++)
                scribble(&hostile, &seed);
            if (doors) {
                struct nm_kring *kring = tx_kring(&hostile, 0);

                for (taken = 0; taken <= 16;) {
                    uint32_t some = nm_kring_run(kring, 1024);

                    taken += some;
                    if (some == 0)
                        break;
                }
                assert_true(taken <= 16); /* never more than the ring has */
                (void)edge_ring_rxsync(&hostile.edge, &hostile.edge.rings[NM_RX][0]);
                assert_true(kring->hwcur < 16 && kring->hwtail < 16);
            } else {
                (void)port_txsync(&hostile);
                (void)port_rxsync(&hostile);
            }
            assert_true(rx_kring(&hostile, 0)->hwcur < 16);
            assert_true(rx_kring(&hostile, 0)->hwtail < 16);
            /* What the scribbler sends are frames all the same: take them away first. */
            assert_int_equal(port_rxsync(&two), 0);
            rx_ring(&two, 0)->head = rx_ring(&two, 0)->cur = rx_ring(&two, 0)->tail;
            assert_int_equal(port_rxsync(&two), 0);
            assert_int_equal(port_rxsync(&one), 0);
            rx_ring(&one, 0)->head = rx_ring(&one, 0)->cur = rx_ring(&one, 0)->tail;
            assert_int_equal(port_rxsync(&one), 0);
            /* It may have sent what came from 2, and so taken its address. */
            send_frame(&two, BROADCAST, 2, i);
            send_frame(&one, i % 8 == 0 ? BROADCAST : 2, 1, i);
            assert_int_equal(take_all(&two, 0, &number, 1), 1);
            assert_int_equal(number, i);
        }
        port_close(&hostile);
        close_two();
    }
}

/* The same on one end of a pipe; the other end only must not come to harm. */
static void test_scribbler_pipe(void **state)
{
    uint64_t seed = doors ? 0x5eed1 : 0xfeed1;

    (void)state;
    for (int round = 0; round < 40; round++) {
        struct netmap_ring *tx;

        open_two("x{1", "x}1", 16);
        tx = tx_kring(&two, 0)->ring; /* the way through netmap_if may be spoilt */
        for (uint32_t i = 0; i < 500; i++) {
            for (int n = 0; n < 3; n++)
                scribble(&one, &seed);
            (void)port_txsync(&one);
            (void)port_rxsync(&one);
            tx->head = tx->cur = (tx->head + 1) % 16;
            (void)port_txsync(&two);
            (void)port_rxsync(&two);
            if (random_next(&seed) % 100 == 0) {
                port_close(&one); /* what it leaves behind is looked at, and survived */
                port_open(&one, &core, "x{1");
            }
        }
        close_two();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vale_tx),      cmocka_unit_test(test_vale_rx),
        cmocka_unit_test(test_pipe_tx),      cmocka_unit_test(test_pipe_rx),
        cmocka_unit_test(test_model_agrees), cmocka_unit_test(test_cur_ahead),
        cmocka_unit_test(test_rewind),       cmocka_unit_test(test_poll),
        cmocka_unit_test(test_poll_flags),   cmocka_unit_test(test_scribbler),
        cmocka_unit_test(test_scribbler_pipe),
    };
    int failed = cmocka_run_group_tests_name("rings, without doors", tests, NULL, NULL);

    doors = true;
    return failed + cmocka_run_group_tests_name("rings, with doors", tests, NULL, NULL);
}
