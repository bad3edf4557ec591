/* Switches: as many as there may be, as many ports, and ports that come and go at full memory. */
#include "tests/unit/unit.h"

#define WISH(...) ((struct nmreq_register){.nr_mode = NR_REG_ALL_NIC, __VA_ARGS__})

static struct nm_core core;
static struct port ports[NM_VALE_PORTS + 1];

static void begin(bool doors, uint32_t slots)
{
    struct nm_config config;

    core_config(&config, doors);
    config.default_pipes = 0;
    config.vale_slots = slots;
    config.if_num = 4;
    core_begin_with(&core, &config);
}

static void open_number(unsigned number)
{
    char name[32];

    snprintf(name, sizeof(name), "vale1:p%u", number);
    port_open(&ports[number], &core, name);
}

static void test_254_ports(void **state)
{
    (void)state;
    for (int doors = 0; doors < 2; doors++) {
        uint64_t seed = 11;

        begin(doors != 0, 4);
        for (unsigned i = 0; i < NM_VALE_PORTS; i++)
            open_number(i);
        assert_int_equal(port_try(&ports[NM_VALE_PORTS], &core, "vale1:more", NULL), NM_ENOSPC);
        assert_non_null(strstr(ports[NM_VALE_PORTS].message, "254 ports"));
        assert_int_equal(port_try(&ports[NM_VALE_PORTS], &core, "vale2:more", NULL), 0);
        port_close(&ports[NM_VALE_PORTS]);
        /* One to all, then everybody to another. */
        send_frame(&ports[17], BROADCAST, 17, 1);
        for (unsigned i = 0; i < NM_VALE_PORTS; i++)
            assert_int_equal(take_all(&ports[i], 0, NULL, 0), i != 17);
        for (unsigned i = 0; i < NM_VALE_PORTS; i++) {
            send_frame(&ports[i], BROADCAST, i, 1);
            for (unsigned j = 0; j < NM_VALE_PORTS; j++)
                take_all(&ports[j], 0, NULL, 0);
        }
        for (unsigned i = 0; i < NM_VALE_PORTS; i++)
            send_frame(&ports[i], (i + 100) % NM_VALE_PORTS, i, i);
        for (unsigned i = 0; i < NM_VALE_PORTS; i++) {
            uint32_t number;

            assert_int_equal(take_all(&ports[i], 0, &number, 1), 1);
            assert_int_equal(number, (i + NM_VALE_PORTS - 100) % NM_VALE_PORTS);
        }
        /* A place becomes free in the middle, and is taken again. */
        port_close(&ports[100]);
        open_number(100);
        send_frame(&ports[100], BROADCAST, 100, 1);
        assert_int_equal(take_all(&ports[253], 0, NULL, 0), 1);
        for (unsigned left = NM_VALE_PORTS; left > 0;) { /* closed in any order */
            unsigned i = (unsigned)(random_next(&seed) % NM_VALE_PORTS);

            if (ports[i].handle == NULL)
                continue;
            port_close(&ports[i]);
            left--;
        }
        core_end(&core);
    }
}

static void test_all_switches_used(void **state)
{
    struct port more;
    char name[32];

    (void)state;
    begin(true, 16);
    for (unsigned i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "vale%u:a", i);
        port_open(&ports[i], &core, name);
    }
    assert_int_equal(port_try(&more, &core, "vale8:a", NULL), NM_ENXIO);
    assert_non_null(strstr(more.message, "max_bridges"));
    assert_int_equal(port_try(&more, &core, "vale8:a{1", NULL), NM_ENXIO);
    port_open(&more, &core, "vale3:b"); /* of those there are */
    port_close(&more);
    port_close(&ports[3]);
    port_open(&ports[3], &core, "vale8:a"); /* the last port took its switch with it */
    for (unsigned i = 0; i < 8; i++)
        port_close(&ports[i]);
    core_end(&core);
}

/* Two switches do not know of each other, whatever the addresses. */
static void test_switches_are_apart(void **state)
{
    (void)state;
    begin(false, 16);
    port_open(&ports[0], &core, "vale1:a");
    port_open(&ports[1], &core, "vale1:b");
    port_open(&ports[2], &core, "vale2:a");
    port_open(&ports[3], &core, "vale2:b");
    send_frame(&ports[0], BROADCAST, 7, 1);
    send_frame(&ports[3], 7, 8, 2);
    assert_int_equal(take_all(&ports[0], 0, NULL, 0), 0);
    assert_int_equal(take_all(&ports[1], 0, NULL, 0), 1);
    assert_int_equal(take_all(&ports[2], 0, NULL, 0), 1);
    for (unsigned i = 0; i < 4; i++)
        port_close(&ports[i]);
    core_end(&core);
}

/* A port is detached although there is no memory for a new table. */
static void test_detach_without_memory(void **state)
{
    (void)state;
    for (unsigned gone = 0; gone < 5; gone++) {
        begin(true, 16);
        for (unsigned i = 0; i < 5; i++)
            open_number(i);
        send_frame(&ports[gone], BROADCAST, 70, 1);
        for (unsigned i = 0; i < 5; i++)
            assert_int_equal(take_all(&ports[i], 0, NULL, 0), i != gone);
        fake_fail_allocation(1, true);
        port_close(&ports[gone]);
        assert_true(fake.failed > 0);
        fake_fail_allocation(0, false);
        for (unsigned i = 0; i < 5; i++) {
            if (i == gone)
                continue;
            send_frame(&ports[i], 70, i, 2); /* forgotten: to all that are there, once each */
            for (unsigned j = 0; j < 5; j++)
                if (j != gone)
                    assert_int_equal(take_all(&ports[j], 0, NULL, 0), i != j);
        }
        open_number(gone);
        send_frame(&ports[gone == 0 ? 1 : 0], BROADCAST, 1, 2);
        for (unsigned j = 0; j < 5; j++)
            assert_int_equal(take_all(&ports[j], 0, NULL, 0), j != (gone == 0 ? 1 : 0));
        for (unsigned i = 0; i < 5; i++)
            port_close(&ports[i]);
        core_end(&core);
    }
}

/* A port lives as long as somebody has it open, and looking at it does not make it. */
static void test_port_life(void **state)
{
    struct nmreq_port_info_get info;
    struct nmreq_pools_info pools;
    struct nm_handle *handle;
    struct port again;

    (void)state;
    begin(true, 16);
    handle = nm_handle_open(&core);
    memset(&info, 0, sizeof(info));
    info.nr_tx_rings = 3;
    assert_int_equal(port_request(handle, NETMAP_REQ_PORT_INFO_GET, "vale1:a", &info, NULL), 0);
    assert_int_equal(info.nr_tx_rings, 3);
    assert_int_equal(info.nr_rx_rings, 1);
    assert_int_equal(info.nr_rx_slots, 16);
    assert_null(core.adapters);
    port_open_with(&ports[0], &core, "vale1:a", WISH(.nr_rx_rings = 2));
    memset(&info, 0, sizeof(info));
    assert_int_equal(port_request(handle, NETMAP_REQ_PORT_INFO_GET, "vale1:a", &info, NULL), 0);
    assert_int_equal(info.nr_rx_rings, 2);
    assert_int_equal(info.nr_mem_id, ports[0].reg.nr_mem_id);
    assert_true(info.nr_memsize == ports[0].reg.nr_memsize);
    memset(&pools, 0, sizeof(pools));
    assert_int_equal(port_request(handle, NETMAP_REQ_POOLS_INFO_GET, "vale1:a", &pools, NULL), 0);
    assert_int_equal(pools.nr_mem_id, ports[0].reg.nr_mem_id);
    assert_int_equal(pools.nr_ring_pool_objtotal,
                     ports[0].handle->adapter->region->layout.ring_num);
    assert_true(pools.nr_buf_pool_offset + (uint64_t)pools.nr_buf_pool_objtotal *
                                               pools.nr_buf_pool_objsize <= pools.nr_memsize);
    assert_int_equal(port_request(handle, NETMAP_REQ_PORT_INFO_GET, "vale1:", &info, NULL),
                     NM_EINVAL);
    port_open(&again, &core, "vale1:a");
    port_close(&ports[0]);
    assert_int_equal(again.reg.nr_rx_rings, 2);
    assert_int_equal(fake.stops, 0);
    port_close(&again);
    assert_null(core.adapters);
    assert_int_equal(fake.stops, 1);
    nm_handle_close(handle);
    core_end(&core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_254_ports),
        cmocka_unit_test(test_all_switches_used),
        cmocka_unit_test(test_switches_are_apart),
        cmocka_unit_test(test_detach_without_memory),
        cmocka_unit_test(test_port_life),
    };

    return cmocka_run_group_tests_name("switches", tests, NULL, NULL);
}
