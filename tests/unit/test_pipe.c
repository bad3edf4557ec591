/* Pipes: slots exchanged and nothing copied, back-pressure, faults, lives of ends and parents. */
#include "tests/unit/unit.h"

#define WISH(...) ((struct nmreq_register){.nr_mode = NR_REG_ALL_NIC, __VA_ARGS__})

static struct nm_core core;
static struct port master, slave;
static bool doors;

static int begin_pipe(void **state)
{
    (void)state;
    core_begin(&core, doors);
    port_open(&master, &core, "x{1");
    port_open(&slave, &core, "x}1");
    return 0;
}

static int end_pipe(void **state)
{
    const struct nm_region *region =
        master.handle != NULL ? master.handle->adapter->region : slave.handle->adapter->region;

    (void)state;
    buffers_check(&core, region, NULL, 0);
    port_close(&master);
    port_close(&slave);
    core_end(&core);
    return 0;
}

static void expect_room(const struct netmap_ring *ring, uint32_t room)
{
    assert_int_equal(ring_room(ring), room);
}

static void test_swap(void **state)
{
    struct netmap_ring *tx = tx_ring(&master, 0), *rx = rx_ring(&slave, 0);

    (void)state;
    for (uint32_t length = 0; length <= 2048; length += 64) {
        uint32_t at = tx->cur, sent = tx->slot[at].buf_idx, given = rx->slot[at].buf_idx;
        uint16_t flags = (uint16_t)(length == 64 ? NS_MOREFRAG | 3 << 8 : 0);

        tx->slot[at].ptr = 0x1234567800u + length;
        assert_true(put_slot(&master, 0, NULL, length, flags));
        assert_int_equal(port_txsync(&master), 0);
        assert_int_equal(rx->slot[at].buf_idx, sent);
        assert_int_equal(tx->slot[at].buf_idx, given);
        assert_int_equal(rx->slot[at].len, length);
        assert_int_equal(rx->slot[at].flags, flags | NS_BUF_CHANGED);
        assert_true(rx->slot[at].ptr == 0x1234567800u + length);
        assert_true((tx->slot[at].flags & NS_BUF_CHANGED) != 0);
        assert_int_equal(port_rxsync(&slave), 0);
        expect_room(rx, 1);
        rx->head = rx->cur = ring_next(rx, rx->cur);
        assert_int_equal(port_rxsync(&slave), 0);
        assert_int_equal(port_txsync(&master), 0);
        expect_room(tx, 15);
    }
}

/* Full means wait: nothing is dropped, and what is given back becomes room, slot by slot. */
static void test_back_pressure(void **state)
{
    struct netmap_ring *tx = tx_ring(&master, 0), *rx = rx_ring(&slave, 0);
    uint32_t sent = 0, received = 0;

    (void)state;
    for (uint32_t batch = 1; batch < 16; batch++)
        for (uint32_t taken = 1; taken < 16; taken++)
            for (int round = 0; round < 6; round++) {
                struct netmap_slot slot;
                uint8_t bytes[2048];
                uint32_t number;

                for (uint32_t i = 0; i < batch && put_frame(&master, 0, 1, 2, sent, 60); i++)
                    sent++;
                assert_int_equal(port_txsync(&master), 0);
                assert_int_equal(port_rxsync(&slave), 0);
                for (uint32_t i = 0; i < taken && take_slot(&slave, 0, &slot, bytes); i++) {
                    assert_true(frame_good(bytes, slot.len, &number));
                    assert_int_equal(number, received++);
                }
                assert_int_equal(port_rxsync(&slave), 0);
                assert_true(sent - received <= 30); /* at most what both rings hold */
            }
    while (received < sent) {
        uint32_t numbers[32];
        unsigned got;

        assert_int_equal(port_txsync(&master), 0);
        got = take_all(&slave, 0, numbers, 32);
        for (unsigned i = 0; i < got; i++)
            assert_int_equal(numbers[i], received++);
        assert_true(got > 0);
    }
    assert_int_equal(port_txsync(&master), 0);
    expect_room(tx, 15);
    expect_room(rx, 0);
    assert_int_equal(all_drops(tx_kring(&master, 0)), 0);
    assert_int_equal(all_drops(rx_kring(&slave, 0)), 0);
}

/* NIOCTXSYNC leaves tail current: a program that waits until its frames have been taken (as with
 * nm_tx_pending) sees it, however much room it had before. */
static void test_tail_is_current(void **state)
{
    struct netmap_ring *tx = tx_ring(&master, 0);

    (void)state;
    for (uint32_t frames = 1; frames < 16; frames++) {
        for (uint32_t i = 0; i < frames; i++)
            assert_true(put_frame(&master, 0, 1, 2, i, 60));
        assert_int_equal(port_txsync(&master), 0);
        expect_room(tx, 15 - frames);
        assert_int_equal(take_all(&slave, 0, NULL, 0), frames);
        assert_int_equal(port_txsync(&master), 0);
        expect_room(tx, 15);
    }
}

/* What does not fit stays in the tx ring, between head and tail, and goes with a later sync. */
static void test_committed_but_waiting(void **state)
{
    struct netmap_ring *tx = tx_ring(&master, 0);
    uint32_t numbers[32];

    (void)state;
    for (uint32_t i = 0; i < 15; i++)
        assert_true(put_frame(&master, 0, 1, 2, i, 60));
    assert_int_equal(port_txsync(&master), 0);
    expect_room(tx, 0);
    assert_int_equal(port_rxsync(&slave), 0);
    rx_ring(&slave, 0)->head = rx_ring(&slave, 0)->cur = 5;
    assert_int_equal(port_rxsync(&slave), 0);
    assert_int_equal(port_txsync(&master), 0);
    expect_room(tx, 5);
    for (uint32_t i = 15; i < 20; i++)
        assert_true(put_frame(&master, 0, 1, 2, i, 60));
    assert_int_equal(port_txsync(&master), 0);
    assert_int_equal(take_all(&slave, 0, numbers, 32), 15);
    for (uint32_t i = 0; i < 15; i++)
        assert_int_equal(numbers[i], i + 5);
}

/* Both ways, several rings, random steps, against counters; with buffers the programs move between
 * their own rings, and extra ones. */
static void test_random_traffic(void **state)
{
    struct nmreq_register wish = WISH(.nr_tx_rings = 2, .nr_rx_rings = 3, .nr_tx_slots = 8,
                                      .nr_rx_slots = 16, .nr_extra_bufs = 3);
    struct port ends[2];
    uint32_t sent[2][3] = {{0}}, received[2][3] = {{0}};
    uint64_t seed = 31;

    (void)state;
    port_open_with(&ends[0], &core, "y{a", wish);
    port_open_with(&ends[1], &core, "y}a", WISH(.nr_extra_bufs = 2));
    assert_int_equal(ends[1].reg.nr_tx_rings, 3); /* mirrored */
    assert_int_equal(ends[1].reg.nr_tx_slots, 16);
    assert_int_equal(ends[1].reg.nr_rx_slots, 8);
    assert_int_equal(ends[0].reg.nr_mem_id, ends[1].reg.nr_mem_id);
    for (int round = 0; round < 30000; round++) {
        int side = (int)(random_next(&seed) & 1);
        struct port *port = &ends[side];
        uint32_t ring = (uint32_t)(random_next(&seed) % port->reg.nr_tx_rings);
        uint32_t in = (uint32_t)(random_next(&seed) % port->reg.nr_rx_rings);
        struct netmap_ring *tx = tx_ring(port, ring), *rx = rx_ring(port, in);
        struct netmap_slot slot;
        uint8_t bytes[2048];
        uint32_t number;

        switch (random_next(&seed) % 5) {
        case 0:
        case 1:
            if (put_frame(port, ring, 1, 2, sent[side][ring], 60))
                sent[side][ring]++;
            break;
        case 2:
            assert_int_equal(port_txsync(port), 0);
            break;
        case 3:
            assert_int_equal(port_rxsync(port), 0);
            for (uint64_t most = random_next(&seed) % 5; most > 0; most--)
                if (take_slot(port, in, &slot, bytes)) {
                    assert_true(frame_good(bytes, slot.len, &number));
                    assert_int_equal(number, received[!side][in]++);
                }
            break;
        default: /* move buffers between the program's own slots and its list */
            if (ring_room(rx) > 0 && ring_room(tx) > 0) {
                uint32_t index = rx->slot[rx->cur].buf_idx, head = port->nif->ni_bufs_head;
                uint8_t *base = (uint8_t *)rx + rx->buf_ofs;

                assert_true(frame_good(base + (uint64_t)index * 2048, rx->slot[rx->cur].len,
                                       &number));
                assert_int_equal(number, received[!side][in]++);
                rx->slot[rx->cur].buf_idx = head; /* list -> rx -> tx -> list */
                *(uint32_t *)(uintptr_t)&port->nif->ni_bufs_head = tx->slot[tx->cur].buf_idx;
                tx->slot[tx->cur].buf_idx = index;
                memcpy(base + (uint64_t)port->nif->ni_bufs_head * 2048,
                       base + (uint64_t)head * 2048, 4);
                rx->head = rx->cur = ring_next(rx, rx->cur);
            }
            break;
        }
    }
    for (int side = 0; side < 2; side++)
        for (uint32_t ring = 0; ring < ends[side].reg.nr_tx_rings; ring++)
            assert_true(received[side][ring] > 500);
    buffers_check(&core, ends[0].handle->adapter->region,
                  (const struct port *[]){&ends[0], &ends[1]}, 2);
    port_close(&ends[0]);
    assert_int_equal(buffers_allocated(ends[1].handle->adapter->region),
                     buffers_held(&core, ends[1].handle->adapter->region));
    port_close(&ends[1]);
}

/* ---- faults ---- */

/* A bad slot of the sender's: the frames before it go, the ring is reset to it, and it goes once it
 * is mended. */
static void test_bad_tx_slot(void **state)
{
    struct netmap_ring *tx = tx_ring(&master, 0);
    uint32_t limit = master.handle->adapter->region->layout.buf_num;

    (void)state;
    for (int which = 0; which < 6; which++) {
        const uint32_t bad[] = {0, 1, limit, UINT32_MAX, INT32_MAX};
        uint32_t first = tx->cur, at, kept;

        for (uint32_t i = 0; i < 4; i++)
            assert_true(put_frame(&master, 0, 1, 2, i, 60));
        at = (first + 2) % 16;
        kept = tx->slot[at].buf_idx;
        if (which < 5)
            tx->slot[at].buf_idx = bad[which];
        else
            tx->slot[at].len = 2049;
        assert_int_equal(port_txsync(&master), NM_EINVAL);
        assert_int_equal(tx->head, at);
        assert_int_equal(tx->cur, at);
        assert_int_equal(take_all(&slave, 0, NULL, 0), 2);
        tx->slot[at].buf_idx = kept;
        tx->slot[at].len = 60;
        tx->head = tx->cur = (at + 2) % 16;
        assert_int_equal(port_txsync(&master), 0);
        assert_int_equal(take_all(&slave, 0, NULL, 0), 2);
    }
    if (!doors)
        assert_int_equal(drops(tx_kring(&master, 0), NM_DROP_BAD_SLOT), 6);
}

/* The receiver hands back what is no buffer, or one that the sender has. */
static void test_bad_rx_slot(void **state)
{
    struct netmap_ring *tx = tx_ring(&master, 0), *rx = rx_ring(&slave, 0);
    uint32_t limit = master.handle->adapter->region->layout.buf_num;

    (void)state;
    for (int i = 0; i < 20; i++) { /* each slot has been exchanged */
        send_frame(&master, 1, 2, 1);
        assert_int_equal(take_all(&slave, 0, NULL, 0), 1);
    }
    for (int which = 0; which < 5; which++) {
        const uint32_t bad[] = {0, 1, limit, UINT32_MAX, tx->slot[(tx->cur + 3) % 16].buf_idx};
        uint32_t at = tx->cur, kept = rx->slot[at].buf_idx, sent = tx->slot[at].buf_idx;

        rx->slot[at].buf_idx = bad[which];
        assert_true(put_frame(&master, 0, 1, 2, 1, 60));
        assert_int_equal(port_txsync(&master), NM_EINVAL);
        assert_int_equal(tx->head, at);
        assert_int_equal(tx->slot[at].buf_idx, sent); /* the sender keeps its buffer */
        assert_int_equal(take_all(&slave, 0, NULL, 0), 0);
        rx->slot[at].buf_idx = kept;
        assert_true(put_frame(&master, 0, 1, 2, 1, 60));
        assert_int_equal(port_txsync(&master), 0);
        assert_int_equal(take_all(&slave, 0, NULL, 0), 1);
    }
    if (!doors)
        assert_int_equal(drops(tx_kring(&master, 0), NM_DROP_RX_SLOT), 5);
}

/* The receiver scribbles over everything it has: the sender never holds a buffer twice. */
static void test_hostile_receiver(void **state)
{
    struct netmap_ring *tx = tx_ring(&master, 0), *rx = rx_ring(&slave, 0);
    uint32_t limit = master.handle->adapter->region->layout.buf_num;
    uint64_t seed = 77;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint8_t seen[256] = {0};

        assert_true(limit <= sizeof(seen));
        for (int i = 0; i < 3; i++) {
            struct netmap_slot *slot = &rx->slot[random_next(&seed) % 16];

            slot->buf_idx = (uint32_t)(random_next(&seed) % (limit + 2));
        }
        if (random_next(&seed) % 2 == 0) {
            rx->head = (uint32_t)(random_next(&seed) % 17);
            rx->cur = (uint32_t)(random_next(&seed) % 17);
        }
        (void)port_rxsync(&slave);
        (void)put_frame(&master, 0, 1, 2, 1, 60);
        (void)put_frame(&master, 0, 1, 2, 2, 60);
        (void)port_txsync(&master);
        for (uint32_t i = 0; i < 16; i++) {
            uint32_t index = tx->slot[i].buf_idx;

            assert_true(index >= 2 && index < limit);
            assert_int_equal(seen[index]++, 0);
        }
    }
    /* Leave a sane state behind: the pipe's buffers, each in one slot. */
    {
        struct netmap_ring *const rings[4] = {tx, rx, tx_ring(&slave, 0), rx_ring(&master, 0)};
        const struct nm_region *region = master.handle->adapter->region;
        uint32_t number = 0;

        for (uint32_t i = 2; i < limit; i++)
            if ((region->buf_state[i] & NM_BUF_ALLOCATED) != 0) {
                assert_true(number < 64);
                rings[number / 16]->slot[number % 16].buf_idx = i;
                number++;
            }
        assert_int_equal(number, 64);
    }
}

/* ---- ends and parents ---- */

/* Frames sent before the other end is there, and after one end has gone, are not lost. */
static void test_waiting_for_peer(void **state)
{
    uint32_t numbers[16];

    (void)state;
    port_close(&slave);
    for (uint32_t i = 0; i < 10; i++)
        send_frame(&master, 1, 2, i);
    port_open(&slave, &core, "x}1");
    assert_int_equal(take_all(&slave, 0, numbers, 16), 10);
    assert_int_equal(numbers[9], 9);
    for (uint32_t i = 0; i < 12; i++)
        send_frame(&master, 1, 2, 100 + i);
    port_close(&master); /* committed is committed */
    assert_int_equal(take_all(&slave, 0, numbers, 16), 12);
    assert_int_equal(numbers[11], 111);
    port_open(&master, &core, "x{1");
    send_frame(&master, 1, 2, 200);
    assert_int_equal(take_all(&slave, 0, numbers, 16), 1);
    assert_int_equal(numbers[0], 200);
}

static void test_parent_comes_later(void **state)
{
    struct port parent, pipe;

    (void)state;
    port_open(&pipe, &core, "vale3:a{1");
    assert_string_equal(pipe.handle->adapter->parent->name, "vale3:a");
    port_open(&parent, &core, "vale3:a");
    assert_int_equal(parent.reg.nr_mem_id, pipe.reg.nr_mem_id);
    assert_ptr_equal(parent.handle->adapter, pipe.handle->adapter->parent);
    buffers_check(&core, parent.handle->adapter->region, NULL, 0);
    port_close(&pipe);
    port_close(&parent);
    /* The parent of a pipe that is no port of a switch cannot be opened as a port. */
    assert_int_equal(port_try(&parent, &core, "x", NULL), NM_ENXIO);
}

static void test_64_pipes(void **state)
{
    struct port pipes[65];
    struct nm_core own;
    struct nm_config config;
    char name[32];

    (void)state;
    core_config(&config, doors);
    config.default_pipes = 64;
    config.if_num = 128;
    port_close(&master); /* one core at a time on this host */
    port_close(&slave);
    core_end(&core);
    core_begin_with(&own, &config);
    for (unsigned i = 0; i < 65; i++) {
        int error;

        snprintf(name, sizeof(name), "p{%u", i);
        error = port_try(&pipes[i], &own, name, NULL);
        assert_int_equal(error, i < 64 ? 0 : NM_EBUSY);
    }
    assert_non_null(strstr(pipes[64].message, "64 pipes"));
    snprintf(name, sizeof(name), "p}33");
    port_open(&pipes[64], &own, name); /* the other end of one there is */
    buffers_check(&own, pipes[0].handle->adapter->region, NULL, 0);
    for (unsigned i = 0; i < 65; i++)
        port_close(&pipes[i]);
    core_end(&own);
    begin_pipe(NULL);
}

/* More slots than the parent's ring objects have room for. */
static void test_too_large_for_parent(void **state)
{
    struct port parent, pipe;

    (void)state;
    port_open(&parent, &core, "vale3:a");
    assert_int_equal(port_try(&pipe, &core, "vale3:a{1", &WISH(.nr_tx_slots = 64)), NM_ENOMEM);
    assert_non_null(strstr(pipe.message, "64 slots"));
    assert_int_equal(parent.handle->adapter->num_pipes, 0);
    port_close(&parent);
}

static void test_wakes(void **state)
{
    (void)state;
    if (doors) {
        /* The ends wake each other in the client; the host is not asked. */
        send_frame(&master, 1, 2, 1);
        take_all(&slave, 0, NULL, 0);
        assert_int_equal(fake.wakes, 0);
        return;
    }
    send_frame(&master, 1, 2, 1);
    assert_true(fake_woken(rx_kring(&slave, 0)));
    fake_reset();
    take_all(&slave, 0, NULL, 0);
    assert_true(fake_woken(tx_kring(&master, 0))); /* room */
}

#define PIPE_TEST(test) cmocka_unit_test_setup_teardown(test, begin_pipe, end_pipe)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PIPE_TEST(test_swap),
        PIPE_TEST(test_back_pressure),
        PIPE_TEST(test_tail_is_current),
        PIPE_TEST(test_committed_but_waiting),
        PIPE_TEST(test_random_traffic),
        PIPE_TEST(test_bad_tx_slot),
        PIPE_TEST(test_bad_rx_slot),
        PIPE_TEST(test_hostile_receiver),
        PIPE_TEST(test_waiting_for_peer),
        PIPE_TEST(test_parent_comes_later),
        PIPE_TEST(test_64_pipes),
        PIPE_TEST(test_too_large_for_parent),
        PIPE_TEST(test_wakes),
    };
    int failed = cmocka_run_group_tests_name("pipes, without doors", tests, NULL, NULL);

    doors = true;
    return failed + cmocka_run_group_tests_name("pipes, with doors", tests, NULL, NULL);
}
