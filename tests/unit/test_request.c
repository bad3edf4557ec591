/* Requests: packing in the client, checking in the host, option lists, every malformed length. */
#include "tests/unit/unit.h"

#define PAYLOAD_AT ((uint32_t)offsetof(struct nm_request, payload))

static struct nm_request request;

static struct nmreq_header header_of(uint16_t reqtype, const char *name, void *body)
{
    struct nmreq_header header;

    memset(&header, 0, sizeof(header));
    header.nr_version = NETMAP_API;
    header.nr_reqtype = reqtype;
    snprintf(header.nr_name, sizeof(header.nr_name), "%s", name);
    header.nr_body = (uintptr_t)body;
    return header;
}

static void chain(struct nmreq_header *header, struct nmreq_option *options, unsigned number)
{
    header->nr_options = (uintptr_t)options;
    for (unsigned i = 0; i + 1 < number; i++)
        options[i].nro_next = (uintptr_t)&options[i + 1];
}

/* ---- the client's side ---- */

static void test_pack(void **state)
{
    struct nmreq_register body = {.nr_tx_slots = 77, .nr_mode = NR_REG_ALL_NIC};
    struct nmreq_opt_csb csb = {.nro_opt = {.nro_reqtype = NETMAP_REQ_OPT_CSB}, .csb_atok = 99};
    struct nmreq_option last = {.nro_reqtype = 4711};
    struct nmreq_header header = header_of(NETMAP_REQ_REGISTER, "vale0:a", &body);
    const struct nmreq_option *packed;

    (void)state;
    header.nr_options = (uintptr_t)&csb;
    csb.nro_opt.nro_next = (uintptr_t)&last;
    assert_int_equal(nm_request_pack(&request, &header), 0);
    assert_int_equal(request.op, NM_OP_CTRL);
    assert_int_equal(request.u.header.nr_body, PAYLOAD_AT);
    assert_memory_equal(request.payload, &body, sizeof(body));
    packed = (const void *)((uint8_t *)&request + request.u.header.nr_options);
    assert_int_equal(request.u.header.nr_options % 8, 0);
    assert_int_equal(packed->nro_reqtype, NETMAP_REQ_OPT_CSB);
    assert_int_equal(((const struct nmreq_opt_csb *)packed)->csb_atok, 99);
    packed = (const void *)((uint8_t *)&request + packed->nro_next);
    assert_int_equal(packed->nro_reqtype, 4711);
    assert_int_equal(packed->nro_next, 0);
    assert_true((const uint8_t *)(packed + 1) <= (uint8_t *)&request + request.size);
    /* No address of the program's is in the request. */
    for (uint32_t at = 0; at + 8 <= request.size; at++) {
        uint64_t word;

        memcpy(&word, (uint8_t *)&request + at, sizeof(word));
        assert_true(word != (uintptr_t)&body && word != (uintptr_t)&csb &&
                    word != (uintptr_t)&last);
    }
}

static void test_pack_refuses(void **state)
{
    struct nmreq_register body = {0};
    struct nmreq_header header;

    (void)state;
    for (uint16_t version = 0; version < 40; version++) {
        header = header_of(NETMAP_REQ_REGISTER, "a", &body);
        header.nr_version = version;
        assert_int_equal(nm_request_pack(&request, &header),
                         version == 14 || version == 15 ? 0 : NM_EINVAL);
    }
    for (uint16_t type = 0; type < 40; type++) {
        uint8_t room[256] = {0};

        header = header_of(type, "a", room);
        assert_int_equal(nm_request_pack(&request, &header),
                         nm_request_body_size(type) > 0 ? 0 : NM_EINVAL);
        header.nr_body = 0;
        assert_int_equal(nm_request_pack(&request, &header),
                         nm_request_body_size(type) > 0 ? NM_EINVAL : 0);
    }
}

/* Body and options up to 4096 bytes, not one more; a list that loops; one that is 4096 long. */
static void test_pack_limits(void **state)
{
    static struct nmreq_option options[300];
    struct nmreq_register body = {0};
    struct nmreq_header header = header_of(NETMAP_REQ_REGISTER, "a", &body);
    unsigned most = (NETMAP_REQ_MAXSIZE - (unsigned)sizeof(body)) / (unsigned)sizeof(options[0]);
    struct nmreq_option large = {.nro_reqtype = NETMAP_REQ_OPT_SYNC_KLOOP_EVENTFDS};

    (void)state;
    for (size_t i = 0; i < COUNT(options); i++)
        options[i].nro_reqtype = 1000;
    chain(&header, options, most);
    assert_int_equal(nm_request_pack(&request, &header), 0);
    assert_true(request.size <= sizeof(request));
    chain(&header, options, most + 1);
    assert_int_equal(nm_request_pack(&request, &header), NM_EMSGSIZE);
    assert_true(request.size <= sizeof(request));
    options[most - 1].nro_next = (uintptr_t)&options[0];
    assert_int_equal(nm_request_pack(&request, &header), NM_EMSGSIZE);
    options[0].nro_next = (uintptr_t)&options[0];
    assert_int_equal(nm_request_pack(&request, &header), NM_EMSGSIZE);

    header.nr_options = (uintptr_t)&large;
    for (uint64_t size = NETMAP_REQ_MAXSIZE; size != 0; size = size << 4 | 0xf) {
        large.nro_size = size;
        assert_int_equal(nm_request_pack(&request, &header), NM_EMSGSIZE);
        if (size > UINT64_MAX >> 4)
            break;
    }
}

/* Options of odd lengths: each starts aligned, all of it is there, and comes back. */
static void test_odd_options(void **state)
{
    (void)state;
    for (uint32_t size = sizeof(struct nmreq_option); size < 200; size++) {
        uint8_t *bytes = malloc(size); /* exactly: the sanitised build sees a byte too many */
        struct nmreq_option *odd = (struct nmreq_option *)(void *)bytes;
        struct nmreq_option last = {.nro_reqtype = 4711};
        struct nmreq_header header = header_of(NETMAP_REQ_SYNC_KLOOP_STOP, "a", NULL);
        struct nmreq_option *packed;

        assert_non_null(bytes);
        memset(bytes, 0x5a, size);
        memset(odd, 0, sizeof(*odd));
        odd->nro_reqtype = NETMAP_REQ_OPT_SYNC_KLOOP_EVENTFDS;
        odd->nro_size = size;
        odd->nro_next = (uintptr_t)&last;
        header.nr_options = (uintptr_t)odd;
        assert_int_equal(nm_request_pack(&request, &header), 0);
        packed = (void *)((uint8_t *)&request + request.u.header.nr_options);
        assert_int_equal(packed->nro_next % 8, 0);
        packed->nro_status = 17;
        ((uint8_t *)packed)[size - 1] ^= 1;
        nm_request_unpack(&request, &header);
        assert_int_equal(odd->nro_status, 17);
        assert_ptr_equal((void *)(uintptr_t)odd->nro_next, &last);
        if (size > sizeof(*odd))
            assert_int_equal(bytes[size - 1], 0x5b);
        free(bytes);
    }
}

/* A reply with nonsense in it damages nothing: bodies and options of the right size, or none. */
static void test_unpack_hostile(void **state)
{
    static const uint64_t offsets[] = {0,          1,           8,
                                       PAYLOAD_AT, PAYLOAD_AT - 8, PAYLOAD_AT + 8,
                                       PAYLOAD_AT + 4, 1u << 20,   UINT32_MAX,
                                       UINT64_MAX, UINT64_MAX - 7, UINT64_MAX - 15,
                                       UINT64_MAX - 23, (uint64_t)INT64_MIN};
    uint64_t seed = 7;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct nmreq_register body = {0};
        struct nmreq_opt_extmem extmem = {.nro_opt = {.nro_reqtype = NETMAP_REQ_OPT_EXTMEM}};
        struct nmreq_option last = {.nro_reqtype = 3000};
        struct nmreq_header header = header_of(NETMAP_REQ_REGISTER, "a", &body);
        struct nmreq_option *packed;

        header.nr_options = (uintptr_t)&extmem;
        extmem.nro_opt.nro_next = (uintptr_t)&last;
        assert_int_equal(nm_request_pack(&request, &header), 0);
        packed = (void *)((uint8_t *)&request + request.u.header.nr_options);
        switch (random_next(&seed) % 4) {
        case 0:
            request.u.header.nr_options = offsets[random_next(&seed) % COUNT(offsets)];
            break;
        case 1:
            packed->nro_next = offsets[random_next(&seed) % COUNT(offsets)];
            break;
        case 2:
            request.size = PAYLOAD_AT + (uint32_t)(random_next(&seed) % 200);
            break;
        default:
            packed->nro_reqtype = (uint32_t)(random_next(&seed) % 6);
            break;
        }
        nm_request_unpack(&request, &header);
        assert_ptr_equal((void *)(uintptr_t)header.nr_options, &extmem);
        assert_ptr_equal((void *)(uintptr_t)extmem.nro_opt.nro_next, &last);
        assert_int_equal(extmem.nro_opt.nro_reqtype, NETMAP_REQ_OPT_EXTMEM);
        assert_int_equal(last.nro_next, 0);
        assert_int_equal(last.nro_reqtype, 3000);
    }
}

/* ---- the host's side ---- */

static struct nm_core core;
static struct nm_handle *handle;

static int host_begin(void **state)
{
    (void)state;
    core_begin(&core, true);
    handle = nm_handle_open(&core);
    return handle == NULL;
}

static int host_end(void **state)
{
    (void)state;
    nm_handle_close(handle);
    core_end(&core);
    return 0;
}

static void make_register(const char *name)
{
    struct nmreq_register body = {.nr_mode = NR_REG_ALL_NIC};
    struct nmreq_header header = header_of(NETMAP_REQ_REGISTER, name, &body);

    assert_int_equal(nm_request_pack(&request, &header), 0);
}

/* Every number of bytes that can arrive, truthful or not about itself. */
static void test_truncated(void **state)
{
    static struct nm_request whole;
    const uint32_t good = PAYLOAD_AT + (uint32_t)sizeof(struct nmreq_register);

    (void)state;
    make_register("vale0:a");
    whole = request;
    for (uint32_t op = 0; op < 5; op++)
        for (size_t received = 0; received <= sizeof(request); received++)
            for (int truthful = 0; truthful < 2; truthful++) {
                int error;

                if (truthful && op == NM_OP_CTRL && received >= good)
                    continue; /* those may work; see below */
                if (truthful && op == NM_OP_COUNTERS &&
                    received == offsetof(struct nm_request, u) +
                                    sizeof(struct nm_request_counters))
                    continue; /* see test_info.c */
                request = whole;
                request.op = op;
                if (truthful)
                    request.size = (uint32_t)received;
                else if (received == request.size)
                    continue;
                if (truthful && received == offsetof(struct nm_request, u) + sizeof(struct nmreq))
                    request.u.legacy.nr_version = 3; /* well-formed, but refused */
                error = nm_control(handle, &request, received);
                if (error != NM_EINVAL)
                    fail_msg("op %u, %zu bytes: error %d", op, received, error);
                assert_int_equal(request.error, NM_EINVAL);
                assert_int_not_equal(request.message[0], '\0');
                assert_null(handle->adapter);
            }
    /* More than the body is fine, up to the whole structure and not beyond. */
    for (uint32_t size = good; size <= sizeof(request); size += 37) {
        request = whole;
        request.size = size;
        assert_int_equal(nm_control(handle, &request, size), 0);
        nm_handle_close(handle);
        handle = nm_handle_open(&core);
    }
    request = whole;
    request.size = sizeof(request) + 1;
    assert_int_equal(nm_control(handle, &request, sizeof(request) + 1), NM_EINVAL);
}

static void test_envelope(void **state)
{
    (void)state;
    for (uint32_t version = 0; version < 30; version++) {
        make_register("vale0:a");
        request.u.header.nr_version = (uint16_t)version;
        assert_int_equal(nm_control(handle, &request, request.size),
                         version == 14 || version == 15 ? 0 : NM_EINVAL);
        nm_handle_close(handle);
        handle = nm_handle_open(&core);
    }
    make_register("vale0:a");
    memset(request.u.header.nr_name, 'a', sizeof(request.u.header.nr_name)); /* no end */
    assert_int_equal(nm_control(handle, &request, request.size), NM_EINVAL);
    assert_non_null(strstr(request.message, "63 characters"));
    for (uint64_t body = 0; body < 2 * PAYLOAD_AT; body++) {
        make_register("vale0:a");
        if (body == PAYLOAD_AT)
            continue;
        request.u.header.nr_body = body;
        assert_int_equal(nm_control(handle, &request, request.size), NM_EINVAL);
    }
    for (uint32_t type = 0; type <= UINT16_MAX; type++) { /* what there is not */
        int error;

        if (type == NETMAP_REQ_REGISTER || type == NETMAP_REQ_PORT_INFO_GET ||
            type == NETMAP_REQ_POOLS_INFO_GET)
            continue;
        make_register("vale0:a");
        memset(request.payload, 0, sizeof(request.payload));
        request.u.header.nr_reqtype = (uint16_t)type;
        request.size = PAYLOAD_AT + 256;
        request.u.header.nr_body = nm_request_body_size((uint16_t)type) > 0 ? PAYLOAD_AT : 0;
        error = nm_control(handle, &request, request.size);
        assert_true(error == NM_EINVAL || error == NM_EOPNOTSUPP);
        assert_int_equal(error == NM_EOPNOTSUPP,
                         (type > NETMAP_REQ_REGISTER && type <= NETMAP_REQ_CSB_ENABLE));
    }
}

/* Every port name of random bytes: an error or a port, never anything else. */
static void test_random_names(void **state)
{
    static const char alphabet[] = "vale0:x{}1 .-";
    uint64_t seed = 99;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint32_t length = (uint32_t)(random_next(&seed) % 64);

        make_register("");
        for (uint32_t i = 0; i < length; i++)
            request.u.header.nr_name[i] = alphabet[random_next(&seed) % (sizeof(alphabet) - 1)];
        if (nm_control(handle, &request, request.size) == 0) {
            nm_handle_close(handle);
            handle = nm_handle_open(&core);
        }
    }
}

/* ---- options ---- */

static int with_options(struct nmreq_option *options, unsigned number)
{
    struct nmreq_register body = {.nr_mode = NR_REG_ALL_NIC};
    struct nmreq_header header = header_of(NETMAP_REQ_REGISTER, "vale0:a", &body);
    int error;

    chain(&header, options, number);
    assert_int_equal(nm_request_pack(&request, &header), 0);
    error = nm_control(handle, &request, request.size);
    nm_request_unpack(&request, &header);
    assert_null(handle->adapter); /* no option is taken yet, so nothing may be bound */
    return error;
}

static void test_options(void **state)
{
    struct nmreq_option options[3] = {{.nro_reqtype = 1000}};

    (void)state;
    assert_int_equal(with_options(options, 1), NM_EOPNOTSUPP);
    assert_int_equal(options[0].nro_status, NM_EOPNOTSUPP);

    memset(options, 0, sizeof(options));
    assert_int_equal(with_options(options, 1), NM_EINVAL); /* type 0 */
    assert_int_equal(options[0].nro_status, NM_EINVAL);

    memset(options, 0, sizeof(options));
    options[0].nro_reqtype = options[2].nro_reqtype = NETMAP_REQ_OPT_SYNC_KLOOP_EVENTFDS;
    options[1].nro_reqtype = 2000;
    for (int i = 0; i < 3; i++)
        options[i].nro_size = sizeof(options[i]);
    assert_int_equal(with_options(options, 3), NM_EINVAL); /* twice: on both */
    assert_int_equal(options[0].nro_status, NM_EINVAL);
    assert_int_equal(options[1].nro_status, NM_EOPNOTSUPP);
    assert_int_equal(options[2].nro_status, NM_EINVAL);
}

/* Offsets of options as no client would send them. */
static void test_options_hostile(void **state)
{
    uint64_t seed = 12345;

    (void)state;
    for (int round = 0; round < 50000; round++) {
        struct nmreq_option *option;
        uint64_t at = PAYLOAD_AT + 8 * (random_next(&seed) % 70);

        make_register("vale0:a");
        request.size = PAYLOAD_AT + 48 + (uint32_t)(random_next(&seed) % 500);
        for (uint32_t i = 0; i < 600; i += 8) {
            uint64_t word = random_next(&seed) % 3 == 0 ? random_next(&seed)
                                                        : PAYLOAD_AT + random_next(&seed) % 560;

            memcpy(request.payload + i, &word, sizeof(word));
        }
        switch (random_next(&seed) % 4) {
        case 0:
            at = random_next(&seed);
            break;
        case 1:
            at = UINT64_MAX - random_next(&seed) % 64;
            break;
        default:
            break;
        }
        option = (void *)(request.payload + 64);
        option->nro_reqtype = (uint32_t)(random_next(&seed) % 7);
        request.u.header.nr_options = at;
        assert_int_not_equal(nm_control(handle, &request, request.size), 0);
        assert_null(handle->adapter);
    }
}

/* ---- legacy ---- */

static int legacy(enum nm_request_op op, struct nmreq *req)
{
    int error;

    nm_request_pack_legacy(&request, op, req);
    error = nm_control(handle, &request, request.size);
    *req = request.u.legacy;
    return error;
}

static struct nmreq legacy_of(const char *name)
{
    struct nmreq req;

    memset(&req, 0, sizeof(req));
    req.nr_version = NETMAP_API;
    snprintf(req.nr_name, sizeof(req.nr_name), "%s", name);
    return req;
}

static void test_legacy(void **state)
{
    struct nmreq req = legacy_of("vale0:a");

    (void)state;
    assert_int_equal(legacy(NM_OP_GINFO, &req), 0);
    assert_int_equal(req.nr_tx_rings, 1);
    req = legacy_of("vale0:a");
    req.nr_version = 13;
    assert_int_equal(legacy(NM_OP_REGIF, &req), NM_EINVAL);
    req.nr_version = 1000; /* any from 14 on */
    req.nr_arg3 = 4;
    req.nr_tx_slots = 8;
    assert_int_equal(legacy(NM_OP_REGIF, &req), 0);
    assert_int_equal(req.nr_arg3, 4);
    assert_int_equal(req.nr_tx_slots, 8);
    assert_int_equal(req.nr_arg2, handle->adapter->region->id);
    assert_int_equal(legacy(NM_OP_REGIF, &req), NM_EBUSY);
    nm_handle_close(handle);
    handle = nm_handle_open(&core);

    for (uint16_t cmd = 1; cmd < 20; cmd++) {
        req = legacy_of("vale0:a");
        req.nr_cmd = cmd;
        assert_int_equal(legacy(NM_OP_REGIF, &req), NM_EOPNOTSUPP);
    }
    req = legacy_of("");
    assert_int_equal(legacy(NM_OP_REGIF, &req), NM_EINVAL);
}

static void test_legacy_modes(void **state)
{
    static const struct {
        uint32_t flags;
        uint16_t ringid;
        int error;
        uint32_t mode;
        uint64_t nr_flags;
        const char *name;
    } cases[] = {
        {0, 0, 0, NR_REG_ALL_NIC, 0, "vale0:a"},
        {0, NETMAP_HW_RING | 1, 0, NR_REG_ONE_NIC, 0, "vale0:a"},
        {0, NETMAP_HW_RING | 2, NM_EINVAL, 0, 0, ""},
        {0, NETMAP_SW_RING, NM_EINVAL, 0, 0, ""},
        {0, NETMAP_NO_TX_POLL, 0, NR_REG_ALL_NIC, NR_NO_TX_POLL, "vale0:a"},
        {NR_REG_ALL_NIC, NETMAP_DO_RX_POLL, 0, NR_REG_ALL_NIC, NR_DO_RX_POLL, "vale0:a"},
        {NR_REG_ONE_NIC | NR_EXCLUSIVE, 1, 0, NR_REG_ONE_NIC, NR_EXCLUSIVE, "vale0:a"},
        {NR_REG_PIPE_MASTER, 7, 0, NR_REG_ALL_NIC, 0, "vale0:a{7"},
        {NR_REG_PIPE_SLAVE, 4095, 0, NR_REG_ALL_NIC, 0, "vale0:a}4095"},
        {NR_REG_NULL, 0, NM_EOPNOTSUPP, 0, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct nmreq req = legacy_of("vale0:a");
        int error;

        req.nr_flags = cases[i].flags;
        req.nr_ringid = cases[i].ringid;
        req.nr_tx_rings = req.nr_rx_rings = 2;
        error = legacy(NM_OP_REGIF, &req);
        if (error != cases[i].error)
            fail_msg("case %zu: error %d: %s", i, error, request.message);
        if (error != 0)
            continue;
        assert_int_equal(handle->mode, cases[i].mode);
        assert_int_equal(handle->flags, cases[i].nr_flags);
        assert_string_equal(handle->adapter->name, cases[i].name);
        nm_handle_close(handle);
        handle = nm_handle_open(&core);
    }
}

/* A legacy name fills its field to the last byte, without an end. */
static void test_legacy_long_name(void **state)
{
    struct nmreq req = legacy_of("");

    (void)state;
    memset(req.nr_name, 'b', sizeof(req.nr_name));
    memcpy(req.nr_name, "vale0:", 6);
    req.nr_flags = NR_REG_PIPE_MASTER;
    req.nr_ringid = 4095;
    assert_int_equal(legacy(NM_OP_REGIF, &req), 0);
    assert_string_equal(handle->adapter->name, "vale0:bbbbbbbbb{4095");
}

#define HOST_TEST(test) cmocka_unit_test_setup_teardown(test, host_begin, host_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pack),
        cmocka_unit_test(test_pack_refuses),
        cmocka_unit_test(test_pack_limits),
        cmocka_unit_test(test_odd_options),
        cmocka_unit_test(test_unpack_hostile),
        HOST_TEST(test_truncated),
        HOST_TEST(test_envelope),
        HOST_TEST(test_random_names),
        HOST_TEST(test_options),
        HOST_TEST(test_options_hostile),
        HOST_TEST(test_legacy),
        HOST_TEST(test_legacy_modes),
        HOST_TEST(test_legacy_long_name),
    };

    return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}
