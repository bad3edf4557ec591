/* REGISTER and its undoing: what is bound and shared, what is refused, and that a failure at any
 * point leaves nothing behind. */
#include "tests/unit/unit.h"

#define WISH(...) ((struct nmreq_register){.nr_mode = NR_REG_ALL_NIC, __VA_ARGS__})

static const bool modes[] = {false, true};

static void test_reply(void **state)
{
    (void)state;
    for (size_t m = 0; m < COUNT(modes); m++) {
        struct nm_core core;
        struct port port;

        core_begin(&core, modes[m]);
        port_open_with(&port, &core, "vale1:a",
                       WISH(.nr_tx_slots = 8, .nr_rx_slots = 32, .nr_tx_rings = 2,
                            .nr_rx_rings = 3, .nr_extra_bufs = 7));
        assert_int_equal(port.reg.nr_tx_slots, 8);
        assert_int_equal(port.reg.nr_rx_slots, 32);
        assert_int_equal(port.reg.nr_tx_rings, 2);
        assert_int_equal(port.reg.nr_rx_rings, 3);
        assert_int_equal(port.reg.nr_extra_bufs, 7);
        assert_true(port.reg.nr_mem_id > 1);
        assert_string_equal(port.nif->ni_name, "vale1:a");
        assert_int_equal(port.nif->ni_tx_rings, 2);
        assert_int_equal(port.nif->ni_rx_rings, 3);
        assert_int_equal(port.nif->ni_flags & NI_PRIV_MEM, NI_PRIV_MEM);
        for (uint32_t i = 0; i < 5; i++) {
            struct netmap_ring *ring = i < 2 ? tx_ring(&port, i) : rx_ring(&port, i - 2);

            assert_int_equal(ring->num_slots, i < 2 ? 8 : 32);
            assert_int_equal(ring->nr_buf_size, 2048);
            assert_int_equal(ring->ringid, i < 2 ? i : i - 2);
            assert_int_equal(ring->dir, i < 2 ? NM_TX : NM_RX);
            assert_int_equal(ring->head, 0);
            assert_int_equal(ring->cur, 0);
            assert_int_equal(ring->tail, i < 2 ? 7 : 0);
            for (uint32_t s = 0; s < ring->num_slots; s++) /* as programs find buffers */
                assert_ptr_equal((uint8_t *)ring + ring->buf_ofs +
                                     (uint64_t)ring->slot[s].buf_idx * ring->nr_buf_size,
                                 slot_buffer(&port, &ring->slot[s]));
        }
        buffers_check(&core, port.handle->adapter->region, (const struct port *[]){&port}, 1);
        assert_int_equal(fake.starts, 1);
        port_close(&port);
        core_end(&core);
    }
}

static void test_defaults(void **state)
{
    struct nm_core core;
    struct port port;

    (void)state;
    core_begin(&core, false);
    port_open(&port, &core, "vale1:a");
    assert_int_equal(port.reg.nr_tx_slots, 16);
    assert_int_equal(port.reg.nr_rx_slots, 16);
    assert_int_equal(port.reg.nr_tx_rings, 1);
    assert_int_equal(port.reg.nr_rx_rings, 1);
    assert_int_equal(port.reg.nr_host_tx_rings, 0);
    port_close(&port);
    core_end(&core);
}

/* Every refusal: the error, a message that names the thing, and nothing left. */
static void test_refusals(void **state)
{
    static const struct {
        const char *name;
        struct nmreq_register wish;
        int error;
        const char *says;
    } cases[] = {
        {"", {0}, NM_EINVAL, "names no port"},
        {"eth0", {0}, NM_ENXIO, "eth0"},
        {"vale1", {0}, NM_EINVAL, "vale1:<port>"},
        {"vale1:", {0}, NM_EINVAL, "missing"},
        {"vale1:a", {.nr_tx_slots = 1}, NM_EINVAL, "1 tx slots"},
        {"vale1:a", {.nr_rx_slots = 4097}, NM_EINVAL, "4097 rx slots"},
        {"vale1:a", {.nr_tx_rings = 17}, NM_EINVAL, "17 tx rings"},
        {"vale1:a", {.nr_rx_rings = 65535}, NM_EINVAL, "65535 rx rings"},
        {"vale1:a", {.nr_mem_id = 77}, NM_EINVAL, "region 77"},
        {"vale1:a", {.nr_mode = NR_REG_NULL}, NM_EOPNOTSUPP, "null"},
        {"vale1:a", {.nr_mode = 9}, NM_EINVAL, "mode 9"},
        {"vale1:a", {.nr_mode = NR_REG_SW}, NM_EINVAL, "host rings"},
        {"vale1:a", {.nr_mode = NR_REG_NIC_SW}, NM_EINVAL, "host rings"},
        {"vale1:a", {.nr_mode = NR_REG_ONE_SW}, NM_EINVAL, "host rings"},
        {"vale1:a", {.nr_mode = NR_REG_ONE_NIC, .nr_ringid = 1}, NM_EINVAL, "no ring 1"},
        {"vale1:a", {.nr_mode = 1, .nr_flags = NR_MONITOR_TX}, NM_EOPNOTSUPP, "monitor"},
        {"vale1:a", {.nr_mode = 1, .nr_flags = NR_ZCOPY_MON}, NM_EOPNOTSUPP, "monitor"},
        {"vale1:a", {.nr_extra_bufs = NM_MAX_EXTRA + 1}, NM_ENOMEM, "extra buffers"},
        {"vale1:a", {.nr_extra_bufs = NM_MAX_EXTRA}, NM_ENOMEM, "limit"},
        {"x{1", {.nr_tx_rings = 257}, NM_EINVAL, "257 tx rings"},
        {"x{1", {.nr_tx_rings = 256, .nr_tx_slots = 4096}, NM_ENOMEM, "limit"},
        {"x{1", {.nr_mode = NR_REG_SW}, NM_EINVAL, "host rings"},
    };

    (void)state;
    for (size_t m = 0; m < COUNT(modes); m++) {
        struct nm_config config;
        struct nm_core core;

        core_config(&config, modes[m]);
        config.max_region = 64 << 20;
        core_begin_with(&core, &config);
        for (size_t i = 0; i < COUNT(cases); i++) {
            struct port port;
            int error = port_try(&port, &core, cases[i].name, &cases[i].wish);

            if (error != cases[i].error || strstr(port.message, cases[i].says) == NULL)
                fail_msg("case %zu, '%s': error %d, %s", i, cases[i].name, error, port.message);
            assert_null(core.adapters);
            assert_null(core.regions);
        }
        core_end(&core);
    }
}

static void test_bound_twice(void **state)
{
    struct nmreq_register again = {.nr_mode = NR_REG_ALL_NIC};
    char message[NM_REQUEST_MESSAGE];
    struct nm_core core;
    struct port port;

    (void)state;
    core_begin(&core, true);
    port_open(&port, &core, "vale1:a");
    assert_int_equal(port_request(port.handle, NETMAP_REQ_REGISTER, "vale1:b", &again, message),
                     NM_EBUSY);
    assert_non_null(strstr(message, "vale1:a"));
    assert_int_equal(port_request(port.handle, NETMAP_REQ_REGISTER, "vale1:a", &again, NULL),
                     NM_EBUSY);
    port_close(&port);
    core_end(&core);
}

/* ---- who may have which rings ---- */

static void test_exclusive(void **state)
{
    const struct nmreq_register alone = WISH(.nr_flags = NR_EXCLUSIVE, .nr_tx_rings = 2,
                                             .nr_rx_rings = 2);
    struct port first, second, third;
    struct nm_core core;

    (void)state;
    core_begin(&core, true);
    port_open_with(&first, &core, "vale1:a", alone);
    assert_int_equal(port_try(&second, &core, "vale1:a", NULL), NM_EBUSY);
    assert_int_equal(port_try(&second, &core, "vale1:a", &alone), NM_EBUSY);
    port_close(&first);

    port_open_with(&first, &core, "vale1:a", WISH(.nr_tx_rings = 2, .nr_rx_rings = 2));
    assert_int_equal(port_try(&second, &core, "vale1:a", &alone), NM_EBUSY);
    port_open(&second, &core, "vale1:a"); /* shared is fine */
    assert_int_equal(tx_kring(&first, 0)->users, 2);
    port_close(&first);
    assert_int_equal(tx_kring(&second, 0)->users, 1);
    port_close(&second);

    /* Rings one by one: exclusive ring 0 and somebody else's ring 1. */
    port_open_with(&first, &core, "vale1:a",
                   (struct nmreq_register){.nr_mode = NR_REG_ONE_NIC, .nr_tx_rings = 2,
                                           .nr_rx_rings = 2, .nr_flags = NR_EXCLUSIVE});
    port_open_with(&second, &core, "vale1:a",
                   (struct nmreq_register){.nr_mode = NR_REG_ONE_NIC, .nr_ringid = 1});
    assert_int_equal(port_try(&third, &core, "vale1:a", NULL), NM_EBUSY);
    assert_int_equal(tx_kring(&second, 1)->users, 1); /* untouched by the failure */
    assert_int_equal(rx_kring(&second, 1)->users, 1);
    assert_false(tx_kring(&second, 1)->exclusive);
    port_close(&first);
    port_open(&third, &core, "vale1:a");
    port_close(&third);
    port_close(&second);
    core_end(&core);
}

static void test_directions(void **state)
{
    struct port sender, receiver, other;
    struct nm_core core;

    (void)state;
    core_begin(&core, true);
    port_open_with(&sender, &core, "vale1:a",
                   WISH(.nr_flags = NR_TX_RINGS_ONLY | NR_EXCLUSIVE));
    port_open_with(&receiver, &core, "vale1:a",
                   WISH(.nr_flags = NR_RX_RINGS_ONLY | NR_EXCLUSIVE));
    assert_int_equal(sender.handle->end_ring[NM_RX], sender.handle->first_ring[NM_RX]);
    assert_int_equal(receiver.handle->end_ring[NM_TX], receiver.handle->first_ring[NM_TX]);
    assert_int_equal(port_try(&other, &core, "vale1:a", NULL), NM_EBUSY);
    port_close(&sender);
    port_open_with(&other, &core, "vale1:a", WISH(.nr_flags = NR_TX_RINGS_ONLY));
    port_close(&other);
    port_close(&receiver);
    core_end(&core);
}

/* One ring more in one direction than in the other: ring 2 has only an rx side. */
static void test_uneven_rings(void **state)
{
    struct port whole, one, none;
    struct nm_core core;

    (void)state;
    core_begin(&core, true);
    port_open_with(&whole, &core, "vale1:a", WISH(.nr_tx_rings = 2, .nr_rx_rings = 3));
    port_open_with(&one, &core, "vale1:a",
                   (struct nmreq_register){.nr_mode = NR_REG_ONE_NIC, .nr_ringid = 2});
    assert_int_equal(one.handle->first_ring[NM_RX], 2);
    assert_int_equal(one.handle->end_ring[NM_RX], 3);
    assert_int_equal(one.handle->first_ring[NM_TX], one.handle->end_ring[NM_TX]);
    assert_int_equal(port_try(&none, &core, "vale1:a",
                              &(struct nmreq_register){.nr_mode = NR_REG_ONE_NIC,
                                                       .nr_ringid = 3}), NM_EINVAL);
    assert_int_equal(port_rxsync(&one), 0);
    assert_int_equal(port_txsync(&one), 0);
    port_close(&one);
    port_close(&whole);
    core_end(&core);
}

/* As often as a region has netmap_if objects, and after a close once more. */
static void test_open_limit(void **state)
{
    struct port ports[17];
    struct nm_core core;

    (void)state;
    core_begin(&core, true);
    for (int i = 0; i < 16; i++)
        port_open(&ports[i], &core, "vale1:a");
    assert_int_equal(port_try(&ports[16], &core, "vale1:a", NULL), NM_ENOMEM);
    assert_non_null(strstr(ports[16].message, "16 times"));
    assert_int_equal(tx_kring(&ports[0], 0)->users, 16);
    port_close(&ports[7]);
    port_open(&ports[7], &core, "vale1:a");
    for (int i = 0; i < 16; i++)
        port_close(&ports[i]);
    core_end(&core);
}

static void test_shared_region(void **state)
{
    struct port first, second, third;
    struct nm_core core;

    (void)state;
    core_begin(&core, true);
    port_open(&first, &core, "vale1:a");
    port_open_with(&second, &core, "vale1:b", WISH(.nr_mem_id = first.reg.nr_mem_id));
    assert_int_equal(second.reg.nr_mem_id, first.reg.nr_mem_id);
    assert_ptr_equal(second.handle->adapter->region, first.handle->adapter->region);
    assert_int_equal(port_try(&third, &core, "vale1:a",
                              &(struct nmreq_register){.nr_mode = NR_REG_ALL_NIC,
                                                       .nr_mem_id = 60000}), NM_EINVAL);
    port_close(&first); /* the region lives on */
    port_open(&third, &core, "vale1:c");
    send_frame(&second, 3, 2, 1);
    assert_int_equal(take_all(&third, 0, NULL, 0), 1);
    port_close(&second);
    port_close(&third);
    core_end(&core);
}

/* ---- what a region has no room for ---- */

/* Rings for which the region of their parent has no ring objects, or no buffers. */
static void test_pool_exhausted(void **state)
{
    (void)state;
    for (size_t m = 0; m < COUNT(modes); m++)
        for (uint16_t rings = 1; rings < 12; rings++)
            for (uint16_t slots = 4; slots <= 16; slots = (uint16_t)(slots * 2)) {
                struct nmreq_register wish = WISH(.nr_tx_rings = rings, .nr_rx_rings = rings,
                                                  .nr_tx_slots = slots, .nr_rx_slots = slots);
                struct port parent, master, slave;
                struct nm_core core;
                int error;

                core_begin(&core, modes[m]);
                port_open(&parent, &core, "vale1:a");
                error = port_try(&master, &core, "vale1:a{1", &wish);
                if (4u * rings <= 8) /* of ten ring objects two are the parent's */
                    assert_int_equal(error, 0);
                else
                    assert_int_equal(error, NM_ENOMEM);
                assert_int_equal(buffers_allocated(parent.handle->adapter->region),
                                 buffers_held(&core, parent.handle->adapter->region));
                if (error == 0) {
                    port_open(&slave, &core, "vale1:a}1");
                    port_close(&slave);
                    port_close(&master);
                }
                assert_int_equal(parent.handle->adapter->num_pipes, 0);
                port_close(&parent);
                core_end(&core);
            }
}

/* A parent made for few rings has small netmap_if objects: a pipe with many must not be squeezed
 * into one and run over the next. */
static void test_many_rings_on_small_parent(void **state)
{
    struct port parent, neighbour, master;
    struct nm_config config;
    struct nm_core core;
    int error;

    (void)state;
    core_config(&config, true);
    config.default_pipes = 64;
    core_begin_with(&core, &config);
    port_open(&parent, &core, "vale1:a");
    for (uint16_t rings = 58; rings <= 64; rings++) {
        struct nmreq_register wish = WISH(.nr_tx_rings = rings, .nr_rx_rings = rings,
                                          .nr_tx_slots = 4, .nr_rx_slots = 4);
        uint32_t if_size = parent.handle->adapter->region->layout.if_size;

        error = port_try(&master, &core, "vale1:a{1", &wish);
        if (error == 0) {
            assert_true(sizeof(struct netmap_if) + 8u * 2 * rings <= if_size);
            port_open(&neighbour, &core, "vale1:a");
            assert_int_equal(rx_ring(&master, rings - 1u)->ringid, rings - 1);
            port_close(&neighbour);
            port_close(&master);
        } else {
            assert_int_equal(error, NM_ENOMEM);
        }
    }
    port_close(&parent);
    core_end(&core);
}

/* ---- every allocation failed once ---- */

/* Opens something; an error, or 0 with everything open. close_all undoes it. */
struct scenario {
    const char *what;
    const char *before; /* a port that is open already; NULL: none */
    const char *names[3];
    struct nmreq_register wish;
};

static unsigned run_scenario(const struct scenario *scenario, bool doors, bool on)
{
    unsigned n = 0, failed;

    do {
        struct port before, ports[3] = {{0}};
        uint32_t allocated = 0;
        struct nm_core core;

        core_begin(&core, doors);
        if (scenario->before != NULL) {
            port_open_with(&before, &core, scenario->before, WISH(.nr_extra_bufs = 3));
            allocated = buffers_allocated(before.handle->adapter->region);
        }
        fake_fail_allocation(++n, on);
        failed = 0;
        for (unsigned i = 0; i < 3 && scenario->names[i] != NULL; i++) {
            unsigned refused = fake.failed;
            int error = port_try(&ports[i], &core, scenario->names[i], &scenario->wish);

            if ((error != 0) != (fake.failed > refused) || (error != 0 && error != NM_ENOMEM))
                fail_msg("%s, allocation %u, %s: error %d", scenario->what, n,
                         scenario->names[i], error);
            failed += error != 0;
        }
        fake_fail_allocation(0, false);
        for (unsigned i = 0; i < 3; i++) /* what failed works now */
            if (scenario->names[i] != NULL && ports[i].handle == NULL)
                port_open_with(&ports[i], &core, scenario->names[i], scenario->wish);
        for (unsigned i = 0; i < 3; i++)
            port_close(&ports[i]);
        if (scenario->before != NULL) {
            assert_int_equal(buffers_allocated(before.handle->adapter->region), allocated);
            port_close(&before);
        }
        core_end(&core);
    } while (failed > 0);
    return n - 1;
}

static const struct scenario scenarios[] = {
    {"a port", NULL, {"vale1:a"}, {.nr_mode = 1, .nr_extra_bufs = 5}},
    {"four rings", NULL, {"vale1:a"}, {.nr_mode = 1, .nr_tx_rings = 4, .nr_rx_rings = 4}},
    {"a second port", "vale1:b", {"vale1:a"}, {.nr_mode = 1}},
    {"two switches", NULL, {"vale1:a", "vale2:a"}, {.nr_mode = 1}},
    {"a pipe", NULL, {"x{1", "x}1"}, {.nr_mode = 1, .nr_extra_bufs = 5}},
    {"a pipe of a port", NULL, {"vale1:a{1", "vale1:a}1", "vale1:a"}, {.nr_mode = 1}},
    {"a pipe of an open port", "vale1:a", {"vale1:a{1", "vale1:a}1"}, {.nr_mode = 1}},
};

static void test_allocations_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(scenarios); i++)
        for (size_t m = 0; m < COUNT(modes); m++) {
            /* Each alone, then everything from one on. */
            assert_true(run_scenario(&scenarios[i], modes[m], false) > 8);
            assert_true(run_scenario(&scenarios[i], modes[m], true) > 8);
        }
}

static void test_core_start_fails(void **state)
{
    struct nm_config config;
    struct nm_core core;

    (void)state;
    memset(&core, 0, sizeof(core));
    assert_int_equal(nm_core_stop(&core), 0); /* never started */
    nm_config_defaults(&config);
    fake_forget();
    fake_fail_allocation(1, false);
    assert_int_equal(nm_core_start(&core, &config), NM_ENOMEM);
    assert_int_equal(nm_core_stop(&core), 0);
    assert_int_equal(nm_core_stop(&core), 0);
    fake_assert_empty();
    memset(&core, 0, sizeof(core));
    config.max_bridges = 65; /* nonsense becomes the default */
    fake_forget();
    assert_int_equal(nm_core_start(&core, &config), 0);
    assert_int_equal(core.config.max_bridges, 8);
    core_end(&core);
}

/* What is not released is counted and named. */
static void test_leak_is_seen(void **state)
{
    struct nm_core core;
    struct nm_handle *handle;

    (void)state;
    core_begin(&core, false);
    handle = nm_handle_open(&core);
    assert_int_equal(nm_core_stop(&core), 1);
    assert_int_equal(fake.errors, 1);
    assert_non_null(strstr(fake.last_log, "1 descriptors"));
    nm_os_free(handle, sizeof(*handle));
    fake_assert_empty();
}

static void test_unbound(void **state)
{
    struct nm_handle *handle;
    uint64_t memsize, total;
    struct nm_core core;

    (void)state;
    core_begin(&core, false);
    handle = nm_handle_open(&core);
    assert_int_equal(nm_handle_txsync(handle), NM_ENXIO);
    assert_int_equal(nm_handle_rxsync(handle), NM_ENXIO);
    assert_int_equal(nm_handle_poll(handle, NM_READABLE | NM_WRITABLE), NM_POLL_ERROR);
    assert_null(nm_handle_segment(handle, &memsize, &total));
    nm_handle_close(handle);
    core_end(&core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_bound_twice),
        cmocka_unit_test(test_exclusive),
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_uneven_rings),
        cmocka_unit_test(test_open_limit),
        cmocka_unit_test(test_shared_region),
        cmocka_unit_test(test_pool_exhausted),
        cmocka_unit_test(test_many_rings_on_small_parent),
        cmocka_unit_test(test_allocations_fail),
        cmocka_unit_test(test_core_start_fails),
        cmocka_unit_test(test_leak_is_seen),
        cmocka_unit_test(test_unbound),
    };

    return cmocka_run_group_tests_name("register", tests, NULL, NULL);
}
