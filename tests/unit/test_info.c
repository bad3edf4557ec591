/* What can be asked: pools, ports, counters, and the words for what is wrong. */
#include "tests/unit/unit.h"

#define PAYLOAD_AT ((uint32_t)offsetof(struct nm_request, payload))

static struct nm_request request;
static struct nm_core core;
static struct nm_handle *handle;

static int begin(void **state)
{
    (void)state;
    core_begin(&core, true);
    handle = nm_handle_open(&core);
    return handle == NULL;
}

static int end(void **state)
{
    (void)state;
    nm_handle_close(handle);
    core_end(&core);
    return 0;
}

static int pools_of(const char *name, uint16_t region, struct nmreq_pools_info *info)
{
    memset(info, 0, sizeof(*info));
    info->nr_mem_id = region;
    return port_request(handle, NETMAP_REQ_POOLS_INFO_GET, name, info, NULL);
}

static void check_pools(const struct nmreq_pools_info *info)
{
    uint64_t ifs = (uint64_t)info->nr_if_pool_objtotal * info->nr_if_pool_objsize;
    uint64_t rings = (uint64_t)info->nr_ring_pool_objtotal * info->nr_ring_pool_objsize;
    uint64_t buffers = (uint64_t)info->nr_buf_pool_objtotal * info->nr_buf_pool_objsize;

    assert_true(ifs > 0 && rings > 0 && buffers > 0);
    assert_true(info->nr_if_pool_offset + ifs <= info->nr_ring_pool_offset);
    assert_true(info->nr_ring_pool_offset + rings <= info->nr_buf_pool_offset);
    assert_true(info->nr_buf_pool_offset + buffers <= info->nr_memsize);
}

static void test_pools(void **state)
{
    struct nmreq_pools_info info, same;
    struct nmreq_port_info_get port_info;
    struct port port;

    (void)state;
    for (uint16_t region = 0; region <= NM_REGION_GLOBAL; region++) { /* the one NICs share */
        assert_int_equal(pools_of("", region, &info), 0);
        assert_int_equal(info.nr_mem_id, NM_REGION_GLOBAL);
        assert_int_equal(info.nr_buf_pool_objtotal, 163840);
        assert_int_equal(info.nr_buf_pool_objsize, 2048);
        check_pools(&info);
    }
    assert_int_equal(pools_of("", 2, &info), NM_EINVAL);
    port_open(&port, &core, "vale1:a");
    assert_int_equal(pools_of("vale1:a", 0, &info), 0);
    assert_int_equal(pools_of("", port.reg.nr_mem_id, &same), 0); /* the same, by its number */
    assert_memory_equal(&info, &same, sizeof(info));
    check_pools(&info);
    assert_true(info.nr_memsize == port.reg.nr_memsize);
    assert_int_equal(pools_of("vale1:a", (uint16_t)(port.reg.nr_mem_id + 1), &info), NM_EINVAL);
    assert_int_equal(pools_of("eth0", 0, &info), NM_ENXIO);
    /* Without a name PORT_INFO_GET tells about an allocator. */
    memset(&port_info, 0, sizeof(port_info));
    port_info.nr_mem_id = port.reg.nr_mem_id;
    assert_int_equal(port_request(handle, NETMAP_REQ_PORT_INFO_GET, "", &port_info, NULL), 0);
    assert_true(port_info.nr_memsize == port.reg.nr_memsize);
    assert_int_equal(port_info.nr_tx_rings, 0);
    port_info.nr_mem_id = 9999;
    assert_int_equal(port_request(handle, NETMAP_REQ_PORT_INFO_GET, "", &port_info, NULL),
                     NM_EINVAL);
    port_close(&port);
}

/* ---- counters ---- */

static int counters(struct nm_handle *of, const char *name, bool is_tx, uint32_t ring)
{
    nm_request_pack_counters(&request, name, is_tx, ring);
    return nm_control(of, &request, request.size);
}

static void test_counters(void **state)
{
    const struct netmap_counters *got = &request.u.counters.counters;
    struct port a, b;

    (void)state;
    assert_int_equal(counters(handle, NULL, false, 0), NM_ENXIO); /* bound to nothing */
    assert_int_equal(counters(handle, "vale0:a", false, 0), NM_ENXIO);
    port_open(&a, &core, "vale0:a");
    port_open(&b, &core, "vale0:b");
    send_frame(&a, BROADCAST, 1, 0);
    send_frame(&a, 1, 1, 0);
    for (int named = 0; named < 2; named++) { /* by its own descriptor, by another */
        assert_int_equal(counters(named ? handle : a.handle, named ? "vale0:a" : NULL, true, 0),
                         0);
        assert_int_equal(got->frames, 2);
        assert_int_equal(got->bytes, 120);
        assert_int_equal(got->drops[NM_DROP_NO_PORT], 1);
        assert_int_equal(got->drops[NM_DROP_FULL], 0);
        assert_int_equal(got->resets, 0);
    }
    assert_int_equal(counters(handle, "vale0:b", false, 0), 0);
    assert_int_equal(got->frames, 1);
    assert_int_equal(got->bytes, 60);
    tx_ring(&a, 0)->cur = 99;
    assert_int_equal(port_txsync(&a), NM_EINVAL); /* found by the edge, counted at the door */
    assert_int_equal(counters(handle, "vale0:a", true, 0), 0);
    assert_int_equal(got->resets, 1);
    assert_int_equal(counters(handle, "vale0:a", true, 1), NM_EINVAL);
    assert_int_equal(counters(handle, "vale0:a", true, UINT32_MAX), NM_EINVAL);
    assert_int_equal(counters(handle, "vale0:c", true, 0), NM_ENXIO);
    assert_int_equal(counters(handle, "vale0:a", true, 0), 0);
    memset(request.u.counters.name, 'a', sizeof(request.u.counters.name)); /* no end */
    assert_int_equal(nm_control(handle, &request, request.size), NM_ENXIO);
    port_close(&a);
    port_close(&b);
}

/* The ends of a pipe move their frames themselves; the doors tell how many. */
static void test_counters_of_a_pipe(void **state)
{
    const struct netmap_counters *got = &request.u.counters.counters;
    struct port master, slave;

    (void)state;
    port_open(&master, &core, "x{1");
    port_open(&slave, &core, "x}1");
    for (uint32_t i = 0; i < 40; i++) {
        send_frame(&master, 1, 2, i);
        assert_int_equal(take_all(&slave, 0, NULL, 0), 1);
    }
    assert_int_equal(counters(handle, "x{1", true, 0), 0);
    assert_int_equal(got->frames, 40);
    assert_int_equal(counters(handle, "x}1", false, 0), 0);
    assert_int_equal(got->frames, 40);
    assert_int_equal(counters(handle, "x}1", true, 0), 0);
    assert_int_equal(got->frames, 0);
    assert_int_equal(counters(handle, "x", true, 0), NM_ENXIO); /* a parent without rings */
    port_close(&master);
    port_close(&slave);
}

/* ---- words ---- */

static void test_words(void **state)
{
    struct nmreq_header header = {.nr_version = NETMAP_API};

    (void)state;
    assert_string_equal(nm_drop_cause_name(NM_DROP_FULL), "full");
    for (unsigned cause = 0; cause < NM_DROP_CAUSES; cause++)
        for (unsigned other = 0; other < cause; other++)
            assert_string_not_equal(nm_drop_cause_name(cause), nm_drop_cause_name(other));
    assert_string_equal(nm_drop_cause_name(NM_DROP_CAUSES), "unknown");
    assert_non_null(strstr(nm_request_problem(&header, NM_EMSGSIZE), "4096"));
    assert_non_null(strstr(nm_request_problem(&header, NM_EINVAL), "body"));
    header.nr_version = 13;
    assert_non_null(strstr(nm_request_problem(&header, NM_EINVAL), "version"));
}

/* Envelopes that the client edge would not have sent. */
static void test_envelopes(void **state)
{
    struct nmreq_register body = {.nr_mode = NR_REG_ALL_NIC};
    struct nmreq_header header = {.nr_version = NETMAP_API, .nr_reqtype = NETMAP_REQ_REGISTER,
                                  .nr_name = "vale0:a", .nr_body = (uintptr_t)&body};

    (void)state;
    assert_int_equal(nm_request_pack(&request, &header), 0);
    request.u.header.nr_reserved = 1;
    assert_int_equal(nm_control(handle, &request, request.size), NM_EINVAL);
    assert_non_null(strstr(request.message, "nr_reserved"));
    header.nr_reqtype = NETMAP_REQ_CSB_ENABLE; /* has no body */
    header.nr_body = 0;
    assert_int_equal(nm_request_pack(&request, &header), 0);
    request.u.header.nr_body = PAYLOAD_AT;
    assert_int_equal(nm_control(handle, &request, request.size), NM_EINVAL);
    assert_non_null(strstr(request.message, "no body"));
    assert_null(handle->adapter);
}

/* A program that leaves nonsense in its rings is mentioned in the log, and no more. */
static void test_nonsense_is_logged(void **state)
{
    struct port master, slave;

    (void)state;
    port_open_with(&master, &core, "x{1",
                   (struct nmreq_register){.nr_mode = NR_REG_ALL_NIC, .nr_tx_slots = 64,
                                           .nr_rx_slots = 64});
    port_open(&slave, &core, "x}1");
    for (uint32_t i = 0; i < 64; i++)
        tx_ring(&master, 0)->slot[i].buf_idx = rx_ring(&slave, 0)->slot[i].buf_idx;
    port_close(&master);
    assert_int_equal(fake.warnings, 1);
    assert_non_null(strstr(fake.last_log, "x{1"));
    buffers_check(&core, slave.handle->adapter->region, NULL, 0);
    port_close(&slave);
}

#define INFO_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        INFO_TEST(test_pools),          INFO_TEST(test_counters),
        INFO_TEST(test_counters_of_a_pipe), INFO_TEST(test_words),
        INFO_TEST(test_envelopes),      INFO_TEST(test_nonsense_is_logged),
    };

    return cmocka_run_group_tests_name("information", tests, NULL, NULL);
}
