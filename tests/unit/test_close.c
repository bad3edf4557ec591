/* What a descriptor leaves behind when it is closed: buffers moved between rings and lists, slots
 * full of nonsense, memory that fails; whatever the order, the books are even. */
#include "tests/unit/unit.h"

#define WISH(...) ((struct nmreq_register){.nr_mode = NR_REG_ALL_NIC, __VA_ARGS__})

static const bool modes[] = {false, true};
static struct nm_core core;

static uint32_t *next_of(const struct port *port, uint32_t index)
{
    const struct nm_region *region = port->handle->adapter->region;

    return (uint32_t *)(void *)(region->base + region->layout.buf_offset +
                                (uint64_t)index * region->layout.buf_size);
}

static uint32_t *list_of(const struct port *port)
{
    return (uint32_t *)(uintptr_t)&port->nif->ni_bufs_head;
}

static void books_even(void)
{
    for (const struct nm_region *region = core.regions; region != NULL; region = region->next)
        if (region->segment != NULL)
            assert_int_equal(buffers_allocated(region), buffers_held(&core, region));
}

/* ---- extra buffers ---- */

static void test_extra(void **state)
{
    (void)state;
    for (size_t m = 0; m < COUNT(modes); m++) {
        struct port port, more, again;
        uint32_t spare;

        core_begin(&core, modes[m]);
        port_open_with(&port, &core, "vale1:a", WISH(.nr_extra_bufs = 10));
        buffers_check(&core, port.handle->adapter->region, (const struct port *[]){&port}, 1);
        /* A second descriptor gets as many as there are. */
        port_open_with(&more, &core, "vale1:a", WISH(.nr_extra_bufs = 100000));
        spare = more.reg.nr_extra_bufs;
        assert_int_equal(buffers_allocated(port.handle->adapter->region),
                         port.handle->adapter->region->layout.buf_num - 2);
        buffers_check(&core, port.handle->adapter->region,
                      (const struct port *[]){&port, &more}, 2);
        port_open_with(&again, &core, "vale1:a", WISH(.nr_extra_bufs = 1));
        assert_int_equal(again.reg.nr_extra_bufs, 0);
        assert_int_equal(again.nif->ni_bufs_head, 0);
        port_close(&again);
        port_close(&more);
        for (int i = 0; i < 3; i++) { /* all of them come back, each time */
            port_open_with(&again, &core, "vale1:a", WISH(.nr_extra_bufs = 100000));
            assert_int_equal(again.reg.nr_extra_bufs, spare);
            port_close(&again);
            books_even();
        }
        port_close(&port);
        core_end(&core);
    }
}

/* A program that used its extra buffers in the rings gives back what was in the rings instead. */
static void test_moved_to_rings(void **state)
{
    (void)state;
    for (size_t m = 0; m < COUNT(modes); m++)
        for (int first = 0; first < 2; first++) {
            struct port mover, keeper;

            core_begin(&core, modes[m]);
            port_open_with(&mover, &core, "vale1:a", WISH(.nr_extra_bufs = 8));
            port_open_with(&keeper, &core, "vale1:a", WISH(.nr_extra_bufs = 3));
            for (unsigned i = 0; i < 8; i++) {
                struct netmap_slot *slot = &tx_ring(&mover, 0)->slot[i * 2];
                uint32_t extra = *list_of(&mover), next = *next_of(&mover, extra);

                *next_of(&mover, slot->buf_idx) = next;
                *list_of(&mover) = slot->buf_idx; /* becomes the head */
                slot->buf_idx = extra;
                if (i % 3 == 0) { /* some on to the rx ring */
                    struct netmap_slot *other = &rx_ring(&mover, 0)->slot[i];

                    slot->buf_idx = other->buf_idx;
                    other->buf_idx = extra;
                }
            }
            buffers_check(&core, mover.handle->adapter->region,
                          (const struct port *[]){&mover, &keeper}, 2);
            if (first == 0) {
                port_close(&mover);
                buffers_check(&core, keeper.handle->adapter->region,
                              (const struct port *[]){&keeper}, 1);
                port_close(&keeper);
            } else {
                port_close(&keeper);
                buffers_check(&core, mover.handle->adapter->region,
                              (const struct port *[]){&mover}, 1);
                port_close(&mover);
            }
            core_end(&core);
        }
}

/* As a load balancer does: the parent's buffers stand in the pipes' rings, the pipes' on the list
 * of the parent, and the program goes while the other ends of the pipes stay. */
static void test_parent_and_pipes(void **state)
{
    (void)state;
    for (size_t m = 0; m < COUNT(modes); m++)
        for (int order = 0; order < 2; order++) {
            struct port parent, master, slave, again;
            uint64_t seed = 3;

            core_begin(&core, modes[m]);
            port_open_with(&parent, &core, "vale1:a", WISH(.nr_extra_bufs = 20));
            port_open(&master, &core, "vale1:a{1");
            port_open(&slave, &core, "vale1:a}1");
            for (int round = 0; round < 400; round++) {
                struct netmap_ring *tx = tx_ring(&master, 0);
                struct netmap_slot *slot = &tx->slot[tx->cur];
                uint32_t extra = *list_of(&parent);

                if (random_next(&seed) % 2 == 0) { /* list -> tx */
                    uint32_t next = *next_of(&parent, extra);

                    *next_of(&parent, slot->buf_idx) = next;
                    *list_of(&parent) = slot->buf_idx;
                } else { /* the parent's rx ring -> tx */
                    struct netmap_slot *from = &rx_ring(&parent, 0)->slot[round % 16];

                    extra = from->buf_idx;
                    from->buf_idx = slot->buf_idx;
                }
                slot->buf_idx = extra;
                send_frame(&master, 1, 2, 1);
                if (random_next(&seed) % 3 != 0 || ring_room(tx) == 0)
                    assert_true(take_all(&slave, 0, NULL, 0) > 0);
                assert_int_equal(port_txsync(&master), 0);
                buffers_check(&core, slave.handle->adapter->region,
                              (const struct port *[]){&parent}, 1);
            }
            port_close(order == 0 ? &parent : &master);
            books_even();
            port_close(order == 0 ? &master : &parent);
            buffers_check(&core, slave.handle->adapter->region, NULL, 0);
            port_open_with(&again, &core, "vale1:a", WISH(.nr_extra_bufs = 20));
            buffers_check(&core, slave.handle->adapter->region, (const struct port *[]){&again},
                          1);
            port_close(&again);
            port_close(&slave);
            core_end(&core);
        }
}

/* ---- nonsense ---- */

/* Slots of a program that ends are full of nonsense, others of the region are not. */
static void test_hostile_slots(void **state)
{
    uint64_t seed = 17;

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct port hostile, neighbour, pipe;
        struct netmap_ring *rings[2];
        uint32_t limit;

        core_begin(&core, (round & 1) != 0);
        port_open(&neighbour, &core, "vale1:b");
        port_open_with(&hostile, &core, "vale1:a",
                       WISH(.nr_mem_id = neighbour.reg.nr_mem_id, .nr_extra_bufs = 6));
        port_open(&pipe, &core, "vale1:b{1");
        limit = hostile.handle->adapter->region->layout.buf_num;
        rings[0] = tx_ring(&hostile, 0);
        rings[1] = rx_ring(&hostile, 0);
        for (unsigned i = 0; i < 32; i++) {
            uint32_t *index = &rings[i & 1]->slot[i / 2].buf_idx;

            switch (random_next(&seed) % 6) {
            case 0:
                *index = (uint32_t)random_next(&seed);
                break;
            case 1: /* perhaps one of a neighbour, or free */
                *index = (uint32_t)(random_next(&seed) % (limit + 3));
                break;
            case 2:
                *index = rings[0]->slot[0].buf_idx;
                break;
            case 3: /* one of its own extra buffers */
                *index = *list_of(&hostile);
                break;
            default:
                break;
            }
        }
        *list_of(&hostile) = (uint32_t)random_next(&seed);
        port_close(&hostile);
        books_even();
        /* The neighbours have what they had. */
        buffers_check(&core, neighbour.handle->adapter->region, NULL, 0);
        port_close(&pipe);
        books_even();
        port_close(&neighbour);
        core_end(&core);
    }
}

/* Hostile owner tags (they stand in shared memory with doors): a region may lose spare buffers to
 * such a program while it lives, but the host's books end at zero. */
static void test_hostile_tags(void **state)
{
    uint64_t seed = 19;

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct port ports[4];
        struct nm_region *region;

        core_begin(&core, true);
        port_open_with(&ports[0], &core, "vale1:a", WISH(.nr_extra_bufs = 6));
        port_open(&ports[1], &core, "vale1:a{1");
        port_open_with(&ports[2], &core, "vale1:a}1", WISH(.nr_extra_bufs = 3));
        port_open(&ports[3], &core, "vale1:a");
        region = ports[0].handle->adapter->region;
        for (uint32_t i = 0; i < region->layout.buf_num; i++)
            region->owners[i] = (uint16_t)(random_next(&seed) % 20);
        for (unsigned left = 4; left > 0;) {
            unsigned i = (unsigned)(random_next(&seed) % 4);

            if (ports[i].handle == NULL)
                continue;
            port_close(&ports[i]);
            left--;
        }
        core_end(&core);
    }
}

/* ---- everything at random ---- */

#define NUM_PORTS 12

/* Program-level moves that keep each buffer in one place. */
static void shuffle(const struct port *port, uint64_t *seed)
{
    uint32_t tx_bound = (uint32_t)(port->handle->end_ring[NM_TX] - port->handle->first_ring[NM_TX]);
    uint32_t rx_bound = (uint32_t)(port->handle->end_ring[NM_RX] - port->handle->first_ring[NM_RX]);
    struct netmap_slot *a, *b;
    uint32_t index;

    if (tx_bound == 0 || rx_bound == 0)
        return;
    /* Of a pipe's rx ring the free slots are the sender's. */
    a = &tx_ring(port, 0)->slot[random_next(seed) % tx_ring(port, 0)->num_slots];
    b = &rx_ring(port, 0)->slot[rx_ring(port, 0)->cur];
    index = a->buf_idx;
    if (ring_room(rx_ring(port, 0)) > 0 && random_next(seed) % 2 == 0) {
        a->buf_idx = b->buf_idx;
        b->buf_idx = index;
    } else if (port->reg.nr_extra_bufs > 0) {
        uint32_t head = *list_of(port);

        *next_of(port, index) = *next_of(port, head);
        *list_of(port) = index;
        a->buf_idx = head;
    }
}

static void step(struct port *ports, uint64_t *seed, bool failing)
{
    static const char *const names[] = {"vale1:a",   "vale1:b",   "vale2:a",   "vale1:a{1",
                                        "vale1:a}1", "vale1:a{2", "vale1:a}2", "x{1",
                                        "x}1",       "vale2:a{q"};
    unsigned i = (unsigned)(random_next(seed) % NUM_PORTS);
    struct port *port = &ports[i];

    if (port->handle == NULL) {
        struct nmreq_register wish = {.nr_mode = NR_REG_ALL_NIC};

        wish.nr_tx_rings = (uint16_t)(random_next(seed) % 3);
        wish.nr_rx_rings = (uint16_t)(random_next(seed) % 3);
        wish.nr_extra_bufs = (uint32_t)(random_next(seed) % 5);
        if (random_next(seed) % 8 == 0)
            wish.nr_flags = NR_EXCLUSIVE;
        if (failing && random_next(seed) % 2 == 0)
            fake_fail_allocation(1 + (unsigned)(random_next(seed) % 20), random_next(seed) % 2);
        (void)port_try(port, &core, names[random_next(seed) % COUNT(names)], &wish);
        fake_fail_allocation(0, false);
        return;
    }
    switch (random_next(seed) % 8) {
    case 0:
        if (failing && random_next(seed) % 2 == 0)
            fake_fail_allocation(1, true); /* a close does not need memory */
        port_close(port);
        fake_fail_allocation(0, false);
        break;
    case 1:
    case 2: /* two descriptors on one ring do not get along: each must see the other's head */
        if (port->handle->end_ring[NM_TX] > 0 && tx_kring(port, 0)->users == 1) {
            (void)put_frame(port, 0, BROADCAST, i, 1, 60);
            (void)port_txsync(port);
        }
        break;
    case 3:
    case 4:
        if (port->handle->end_ring[NM_RX] > 0 && rx_kring(port, 0)->users == 1) {
            struct netmap_slot slot;

            (void)port_rxsync(port);
            while (take_slot(port, 0, &slot, NULL) && random_next(seed) % 4 != 0)
                ;
            (void)port_rxsync(port);
        }
        break;
    default:
        if (tx_kring(port, 0)->users == 1 && rx_kring(port, 0)->users == 1)
            shuffle(port, seed);
        break;
    }
}

static void random_life(bool doors, bool failing, uint64_t seed)
{
    struct port ports[NUM_PORTS];

    memset(ports, 0, sizeof(ports));
    core_begin(&core, doors);
    for (int i = 0; i < 3000; i++) {
        step(ports, &seed, failing);
        books_even();
        if (i % 20 == 0)
            for (const struct nm_region *region = core.regions; region != NULL;
                 region = region->next) {
                const struct port *here[NUM_PORTS];
                unsigned number = 0;

                for (unsigned p = 0; p < NUM_PORTS; p++)
                    if (ports[p].handle != NULL && ports[p].handle->adapter->region == region)
                        here[number++] = &ports[p];
                if (region->segment != NULL)
                    buffers_check(&core, region, here, number);
            }
    }
    for (unsigned i = 0; i < NUM_PORTS; i++)
        port_close(&ports[i]);
    core_end(&core);
}

static void test_random_life(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++)
        for (size_t m = 0; m < COUNT(modes); m++)
            random_life(modes[m], false, seed * 1000003);
}

static void test_random_life_failing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++)
        for (size_t m = 0; m < COUNT(modes); m++)
            random_life(modes[m], true, seed * 7368787);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extra),
        cmocka_unit_test(test_moved_to_rings),
        cmocka_unit_test(test_parent_and_pipes),
        cmocka_unit_test(test_hostile_slots),
        cmocka_unit_test(test_hostile_tags),
        cmocka_unit_test(test_random_life),
        cmocka_unit_test(test_random_life_failing),
    };

    return cmocka_run_group_tests_name("closing", tests, NULL, NULL);
}
