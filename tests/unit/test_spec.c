/*
 * tests/unit/test_spec.c - the grammar of port names: libnetmap's and nm_open()'s.
 *
 * Copyright (c) 2026, the netmap for Windows authors.  BSD 2-Clause, see LICENSE.
 *
 * No netmap host is needed: nothing here opens a port.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NETMAP_WITH_LIBS
#include <net/netmap_user.h>
#include <libnetmap.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A context that keeps the last message and counts what it gave out. */
static char last_message[1024];
static int allocated;

static void keep_message(struct nmctx *ctx, const char *message)
{
    (void)ctx;
    snprintf(last_message, sizeof(last_message), "%s", message);
}

static void *counted_malloc(struct nmctx *ctx, size_t size)
{
    (void)ctx;
    allocated++;
    return malloc(size);
}

static void counted_free(struct nmctx *ctx, void *memory)
{
    (void)ctx;
    allocated--;
    free(memory);
}

static struct nmctx context = {
    .error = keep_message, .malloc = counted_malloc, .free = counted_free};

static int set_up(void **state)
{
    (void)state;
    nmctx_set_default(&context);
    last_message[0] = '\0';
    allocated = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    nmctx_set_default(NULL);
    return allocated == 0 ? 0 : -1;
}

/* ---------------------------------------------------------------------------------------------
 * Names
 */

static void names_are_read(void **state)
{
    static const struct {
        const char *spec, *name, *rest;
    } good[] = {
        {"netmap:eth0", "eth0", ""},
        {"netmap:12", "12", ""},
        {"netmap:12^", "12", "^"},
        {"netmap:eth0-3/x", "eth0", "-3/x"},
        {"netmap:eth0.100@2", "eth0.100", "@2"},
        {"netmap:x{1", "x{1", ""},
        {"netmap:x}ab7Z*", "x}ab7Z", "*"},
        {"netmap:\"Ethernet 2\"^1", "Ethernet 2", "^1"},
        {"netmap:\"br-lan\"-1", "br-lan", "-1"},
        {"netmap:\"a{b}\"{3", "a{b}{3", ""},
        {"vale0:a", "vale0:a", ""},
        {"vale:a", "vale:a", ""},
        {"vale_x9:p_1.5/z", "vale_x9:p_1.5", "/z"},
        {"vale1:p{q@conf:rings=1", "vale1:p{q", "@conf:rings=1"},
    };
    struct nmreq_header header;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        const char *rest = good[i].spec;

        nmreq_header_init(&header, NETMAP_REQ_REGISTER, NULL);
        assert_int_equal(nmreq_header_decode(&rest, &header, &context), 0);
        assert_string_equal(header.nr_name, good[i].name);
        assert_string_equal(rest, good[i].rest);
        assert_string_equal(last_message, "");
    }
}

static void bad_names_are_refused(void **state)
{
    static const struct {
        const char *spec;
        const char *part; /* of the message */
        int error;
    } bad[] = {
        {"eth0", "netmap:NAME", EINVAL},
        {"", "netmap:NAME", EINVAL},
        {"netmap", "netmap:NAME", EINVAL},
        {"netmap:", "no port name", EINVAL},
        {"netmap:^", "no port name", EINVAL},
        {"netmap:@conf:rings=1", "no port name", EINVAL},
        {"netmap:\"abc", "has no end", EINVAL},
        {"netmap:\"\"", "no port name", EINVAL},
        {"netmap:\"a\"b", "\"b\" after the name", EINVAL},
        {"netmap:x{", "no pipe name", EINVAL},
        {"netmap:x{a_b", "_b", EINVAL},
        {"netmap:x{1{2", "{2", EINVAL},
        {"vale0", "SWITCH:PORT", EINVAL},
        {"vale", "SWITCH:PORT", EINVAL},
        {"vale-1:a", "switch has letters", EINVAL},
        {"vale0:", "no port name", EINVAL},
        {"vale0:a b", "VALE port has letters", EINVAL},
        {"vale0:a:b", "VALE port has letters", EINVAL},
        {"netmap:1234567890123456789012345678901234567890123456789012345678901234", "at most 63",
         ENAMETOOLONG},
        {"netmap:12345678901234567890123456789012345678901234567890123456789012{3", "at most 63",
         ENAMETOOLONG},
    };
    struct nmreq_header header, before;

    (void)state;
    nmreq_header_init(&before, NETMAP_REQ_REGISTER, NULL);
    memset(before.nr_name, 'n', sizeof(before.nr_name) - 1);
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *rest = bad[i].spec;

        header = before;
        errno = 0;
        last_message[0] = '\0';
        assert_int_equal(nmreq_header_decode(&rest, &header, &context), -1);
        assert_int_equal(errno, bad[i].error);
        assert_ptr_equal(rest, bad[i].spec);
        assert_memory_equal(&header, &before, sizeof(header));
        assert_non_null(strstr(last_message, bad[i].part));
        assert_non_null(strstr(last_message, bad[i].spec));
    }
}

static void longest_name_fits(void **state)
{
    const char *rest = "netmap:123456789012345678901234567890123456789012345678901234567890{12";
    struct nmreq_header header;

    (void)state;
    nmreq_header_init(&header, NETMAP_REQ_REGISTER, NULL);
    assert_int_equal(nmreq_header_decode(&rest, &header, &context), 0);
    assert_int_equal(strlen(header.nr_name), 63);
}

/* ---------------------------------------------------------------------------------------------
 * Modes
 */

static void modes_are_read(void **state)
{
    static const struct {
        const char *mode;
        uint32_t nr_mode;
        uint16_t ring, region;
        uint64_t flags;
        const char *rest;
    } good[] = {
        {"", NR_REG_ALL_NIC, 0, 7, 0, ""},
        {"*", NR_REG_NIC_SW, 0, 7, 0, ""},
        {"^", NR_REG_SW, 0, 7, 0, ""},
        {"^3", NR_REG_ONE_SW, 3, 7, 0, ""},
        {"-0", NR_REG_ONE_NIC, 0, 7, 0, ""},
        {"-65535", NR_REG_ONE_NIC, 65535, 7, 0, ""},
        {"/x", NR_REG_ALL_NIC, 0, 7, NR_EXCLUSIVE, ""},
        {"/", NR_REG_ALL_NIC, 0, 7, 0, ""},
        {"-2/zrt", NR_REG_ONE_NIC, 2, 7, NR_ZCOPY_MON | NR_MONITOR_RX | NR_MONITOR_TX, ""},
        {"^1/RT", NR_REG_ONE_SW, 1, 7, NR_RX_RINGS_ONLY | NR_TX_RINGS_ONLY, ""},
        {"@2", NR_REG_ALL_NIC, 0, 2, 0, ""},
        {"*/x@65535", NR_REG_NIC_SW, 0, 65535, NR_EXCLUSIVE, ""},
        {"@3@conf:rings=1", NR_REG_ALL_NIC, 0, 3, 0, "@conf:rings=1"},
        {"^@share=netmap:x", NR_REG_SW, 0, 7, 0, "@share=netmap:x"},
        {"/t@offset=3", NR_REG_ALL_NIC, 0, 7, NR_MONITOR_TX, "@offset=3"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct nmreq_register reg = {.nr_mem_id = 7, .nr_mode = 99, .nr_flags = 99};
        const char *rest = good[i].mode;

        assert_int_equal(nmreq_register_decode(&rest, &reg, &context), 0);
        assert_int_equal(reg.nr_mode, good[i].nr_mode);
        assert_int_equal(reg.nr_ringid, good[i].ring);
        assert_int_equal(reg.nr_mem_id, good[i].region);
        assert_int_equal(reg.nr_flags, good[i].flags);
        assert_string_equal(rest, good[i].rest);
    }
}

static void bad_modes_are_refused(void **state)
{
    static const struct {
        const char *mode, *part;
    } bad[] = {
        {"-", "ring number"},      {"-x", "ring number"}, {"-65536", "ring number"},
        {"^65536", "ring number"}, {"-1-2", "left over"}, {"^*", "left over"},
        {"*3", "left over"},       {"/xq", "'q' after"},  {"/x-1", "'-' after"},
        {"@65536", "region"},      {"@1x", "left over"},  {"@99999999999999", "region"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct nmreq_register reg = {.nr_mem_id = 7, .nr_mode = 99}, before = reg;
        const char *rest = bad[i].mode;

        errno = 0;
        last_message[0] = '\0';
        assert_int_equal(nmreq_register_decode(&rest, &reg, &context), -1);
        assert_int_equal(errno, EINVAL);
        assert_ptr_equal(rest, bad[i].mode);
        assert_memory_equal(&reg, &before, sizeof(reg));
        assert_non_null(strstr(last_message, bad[i].part));
    }
}

/* ---------------------------------------------------------------------------------------------
 * Options
 */

enum { KEY_A, KEY_B, KEY_FLAG, KEYS };

static char seen[256];

static int note_option(struct nmreq_parse_ctx *parse)
{
    char *text = parse->token;
    size_t used = strlen(text);

    for (int i = 0; i < KEYS; i++)
        used += (size_t)snprintf(text + used, sizeof(seen) - used, "[%s]",
                                 parse->keys[i] != NULL ? parse->keys[i] : "-");
    return 0;
}

static struct nmreq_opt_parser bare_parser = {
    .prefix = "bare", .parse = note_option, .default_key = -1, .flags = NMREQ_OPTF_ALLOWEMPTY};

static struct nmreq_opt_parser test_parser = {
    .prefix = "test",
    .parse = note_option,
    .default_key = KEY_A,
    .nr_keys = KEYS,
    .next = &bare_parser,
    .keys = {{"a", KEY_A, NMREQ_OPTK_MUSTSET},
             {"b", KEY_B, 0},
             {"flag", KEY_FLAG, NMREQ_OPTK_ALLOWEMPTY}},
};

static void options_are_cut_up(void **state)
{
    static const struct {
        const char *text, *seen;
    } good[] = {
        {"", ""},
        {"@test=1", "[1][-][-]"},
        {"@test=C:\\x,b=y=z", "[C:\\x][y=z][-]"},
        {"@test:a=1,b=2,flag", "[1][2][]"},
        {"@test:flag=f,a=vale0:p", "[vale0:p][-][f]"},
        {"@bare", "[-][-][-]"},
        {"@test=1@bare@test=2", "[1][-][-][-][-][-][2][-][-]"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        seen[0] = '\0';
        assert_int_equal(nmreq_options_decode(good[i].text, &test_parser, seen, &context), 0);
        assert_string_equal(seen, good[i].seen);
    }
}

static void bad_options_are_refused(void **state)
{
    static const struct {
        const char *text, *part;
    } bad[] = {
        {"test=1", "begins with '@'"},
        {"@", "no such option"},
        {"@nope=1", "@nope: no such option"},
        {"@5", "region number comes before"},
        {"@test", "nothing is said"},
        {"@test:", "nothing is said"},
        {"@test=", "nothing is said"},
        {"@test:b=1", "a has to be given"},
        {"@test:a=1,c=2", "c is not one of its keys"},
        {"@test:a=1,a=2", "a is given twice"},
        {"@test=1,a=2", "a is given twice"},
        {"@test:a", "a has no value"},
        {"@test:a=", "a has no value"},
        {"@bare=1", "no plain value"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        errno = 0;
        seen[0] = last_message[0] = '\0';
        assert_int_equal(nmreq_options_decode(bad[i].text, &test_parser, seen, &context), -1);
        assert_int_equal(errno, EINVAL);
        assert_string_equal(seen, "");
        assert_non_null(strstr(last_message, bad[i].part));
    }
}

static void option_lists(void **state)
{
    struct nmreq_header header;
    struct nmreq_option *one, *two, *o;
    int n = 0;

    (void)state;
    one = nmctx_malloc(&context, sizeof(*one));
    two = nmctx_malloc(&context, sizeof(*two));
    memset(one, 0, sizeof(*one));
    memset(two, 0, sizeof(*two));
    one->nro_reqtype = 1;
    two->nro_reqtype = 2;
    nmreq_header_init(&header, NETMAP_REQ_REGISTER, NULL);
    nmreq_push_option(&header, one);
    nmreq_push_option(&header, two);
    nmreq_foreach_option(&header, o) n++;
    assert_int_equal(n, 2);
    assert_ptr_equal(nmreq_find_option(&header, 1), one);
    assert_null(nmreq_find_option(&header, 3));
    nmreq_remove_option(&header, one);
    nmreq_remove_option(&header, one); /* not there any more: nothing happens */
    assert_null(nmreq_find_option(&header, 1));
    assert_ptr_equal(nmreq_find_option(&header, 2), two);
    nmreq_push_option(&header, one);
    nmreq_free_options(&header);
    assert_int_equal(header.nr_options, 0);
}

/* ---------------------------------------------------------------------------------------------
 * Whole names
 */

static void conf_sets_the_numbers(void **state)
{
    struct nmport_d *d =
        nmport_prepare("vale0:p-1/x@4@conf:rings=2,tx-rings=0x3,host-rings=5,host-rx-rings=6,"
                       "slots=512,rx-slots=4294967295");

    (void)state;
    assert_non_null(d);
    assert_string_equal(d->hdr.nr_name, "vale0:p");
    assert_int_equal(d->hdr.nr_reqtype, NETMAP_REQ_REGISTER);
    assert_int_equal(d->hdr.nr_version, NETMAP_API);
    assert_int_equal(d->hdr.nr_body, (uint64_t)(uintptr_t)&d->reg);
    assert_int_equal(d->reg.nr_mode, NR_REG_ONE_NIC);
    assert_int_equal(d->reg.nr_mem_id, 4);
    assert_int_equal(d->reg.nr_tx_rings, 3);
    assert_int_equal(d->reg.nr_rx_rings, 2);
    assert_int_equal(d->reg.nr_host_tx_rings, 5);
    assert_int_equal(d->reg.nr_host_rx_rings, 6);
    assert_int_equal(d->reg.nr_tx_slots, 512);
    assert_int_equal(d->reg.nr_rx_slots, UINT32_MAX);
    assert_int_equal(d->fd, -1);
    nmport_undo_prepare(d);
}

static void bad_numbers_are_refused(void **state)
{
    static const struct {
        const char *spec, *part;
    } bad[] = {
        {"netmap:a@conf:rings=65536", "rings=65536: want a number 0..65535"},
        {"netmap:a@conf:tx-slots=4294967296", "tx-slots=4294967296"},
        {"netmap:a@conf:slots=12x", "slots=12x"},
        {"netmap:a@conf:slots=-1", "slots=-1"},
        {"netmap:a@conf:slots= 1", "slots= 1"},
        {"netmap:a@conf:slots=0x", "slots=0x"},
        {"netmap:a@conf:slots=0x0x1", "slots=0x0x1"},
        {"netmap:a@conf=3", "no plain value"},
        {"netmap:a@conf:slots=99999999999999999999999", "slots=999"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        errno = 0;
        assert_null(nmport_prepare(bad[i].spec));
        assert_int_equal(errno, EINVAL);
        assert_non_null(strstr(last_message, bad[i].part));
        assert_int_equal(allocated, 0);
    }
}

static void offset_is_off_unless_enabled(void **state)
{
    const struct nmreq_opt_offsets *offsets;
    struct nmport_d *d, *clone;

    (void)state;
    errno = 0;
    assert_null(nmport_prepare("netmap:a@offset=64"));
    assert_int_equal(errno, EOPNOTSUPP);
    assert_non_null(strstr(last_message, "does not support"));

    assert_int_equal(nmport_enable_option("offset"), 0);
    d = nmport_prepare("netmap:a@offset=64,bits=20");
    assert_int_equal(nmport_disable_option("offset"), 0);
    assert_non_null(d);
    offsets = (struct nmreq_opt_offsets *)nmreq_find_option(&d->hdr, NETMAP_REQ_OPT_OFFSETS);
    assert_non_null(offsets);
    assert_int_equal(offsets->nro_initial_offset, 64);
    assert_int_equal(offsets->nro_max_offset, 64);
    assert_int_equal(offsets->nro_offset_bits, 20);
    assert_int_equal(nmport_offset(d, 1, 2, 0, 0), -1);
    assert_int_equal(errno, EINVAL);
    assert_non_null(strstr(last_message, "twice"));

    /* A clone has an option of its own. */
    clone = nmport_clone(d);
    assert_non_null(clone);
    nmport_undo_prepare(d);
    offsets = (struct nmreq_opt_offsets *)nmreq_find_option(&clone->hdr, NETMAP_REQ_OPT_OFFSETS);
    assert_int_equal(offsets->nro_offset_bits, 20);
    assert_int_equal(clone->hdr.nr_body, (uint64_t)(uintptr_t)&clone->reg);
    nmport_undo_prepare(clone);

    assert_int_equal(nmport_enable_option("nope"), -1);
    assert_int_equal(errno, EOPNOTSUPP);
}

static void offset_numbers_are_checked(void **state)
{
    struct nmport_d *d = nmport_prepare("netmap:a");

    (void)state;
    assert_int_equal(nmport_offset(d, 3, 2, 0, 0), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(nmport_offset(d, 1, 2, 65, 0), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(d->hdr.nr_options, 0);
    assert_int_equal(nmport_offset(d, 1, 2, 64, 9), 0);
    nmport_undo_prepare(d);
}

static void extmem_maps_a_file(void **state)
{
    char file[] = "/tmp/test_spec_XXXXXX", spec[128];
    int fd = mkstemp(file);
    struct nmreq_pools_info *info;
    struct nmport_d *d;

    (void)state;
    assert_true(fd >= 0);
    snprintf(spec, sizeof(spec), "netmap:a@extmem=%s", file);
    errno = 0;
    assert_null(nmport_prepare(spec)); /* empty */
    assert_int_equal(errno, EINVAL);
    assert_non_null(strstr(last_message, "empty file"));

    assert_int_equal(ftruncate(fd, 8192), 0);
    snprintf(spec, sizeof(spec), "netmap:a@extmem:file=%s,buf-num=7,ring-size=4096", file);
    d = nmport_prepare(spec);
    assert_non_null(d);
    info = nmport_extmem_getinfo(d);
    assert_non_null(info);
    assert_int_equal(info->nr_memsize, 8192);
    assert_int_equal(info->nr_buf_pool_objtotal, 7);
    assert_int_equal(info->nr_ring_pool_objsize, 4096);
    assert_int_equal(info->nr_if_pool_objtotal, 0);
    assert_ptr_equal(nmreq_find_option(&d->hdr, NETMAP_REQ_OPT_EXTMEM), d->extmem);
    assert_int_equal(nmport_extmem(d, spec, sizeof(spec)), -1); /* there is one */
    assert_int_equal(errno, EINVAL);
    assert_null(nmport_clone(d));
    assert_int_equal(errno, EINVAL);
    nmport_undo_prepare(d);

    snprintf(spec, sizeof(spec), "netmap:a@extmem=%s@extmem=%s", file, file);
    assert_null(nmport_prepare(spec));
    assert_int_equal(errno, EINVAL);
    close(fd);
    unlink(file);

    snprintf(spec, sizeof(spec), "netmap:a@extmem=%s", file);
    assert_null(nmport_prepare(spec));
    assert_int_equal(errno, ENOENT);
    assert_non_null(strstr(last_message, file));
    assert_null(nmport_prepare("netmap:a@extmem:buf-num=3"));
    assert_non_null(strstr(last_message, "file has to be given"));
}

static void share_wants_a_port(void **state)
{
    (void)state;
    assert_null(nmport_prepare("netmap:a@share=eth0"));
    assert_int_equal(errno, EINVAL);
    assert_non_null(strstr(last_message, "eth0"));
    assert_null(nmport_prepare("netmap:a@share"));
    assert_int_equal(errno, EINVAL);
}

static void a_port_can_be_parsed_again(void **state)
{
    struct nmport_d *d = nmport_new();

    (void)state;
    assert_int_equal(nmport_parse(d, "netmap:a-5@conf:rings=3"), 0);
    nmport_undo_parse(d);
    assert_string_equal(d->hdr.nr_name, "");
    assert_int_equal(d->reg.nr_tx_rings, 0);
    assert_int_equal(nmport_parse(d, "netmap:b?x-"), -1);
    assert_string_equal(d->hdr.nr_name, "");
    assert_int_equal(nmport_parse(d, "netmap:c"), 0);
    assert_string_equal(d->hdr.nr_name, "c");
    assert_int_equal(nmport_mmap(d), -1);
    assert_int_equal(errno, EINVAL);
    nmport_undo_open_desc(d); /* nothing to undo */
    nmport_close(d);
    nmport_close(NULL);
}

/* ---------------------------------------------------------------------------------------------
 * nm_open()'s names
 */

static void old_names_are_read(void **state)
{
    static const struct {
        const char *spec, *name;
        uint32_t flags;
        uint16_t ring, region;
    } good[] = {
        {"netmap:eth0", "eth0", NR_REG_ALL_NIC, 0, 7},
        {"netmap:eth0-4095", "eth0", NR_REG_ONE_NIC, 4095, 7},
        {"netmap:12^", "12", NR_REG_SW, 0, 7},
        {"netmap:eth0*/x", "eth0", NR_REG_NIC_SW | NR_EXCLUSIVE, 0, 7},
        {"netmap:x{3", "x", NR_REG_PIPE_MASTER, 3, 7},
        {"netmap:x}3/zrtRT@2", "x",
         NR_REG_PIPE_SLAVE | NR_ZCOPY_MON | NR_MONITOR_RX | NR_MONITOR_TX | NR_RX_RINGS_ONLY |
             NR_TX_RINGS_ONLY,
         3, 2},
        {"vale0:p.1", "vale0:p.1", NR_REG_ALL_NIC, 0, 7},
        {"vale:123456789@0", "vale:123456789", NR_REG_ALL_NIC, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct nm_desc d;
        char err[MAXERRMSG];

        memset(&d, 0, sizeof(d));
        d.req.nr_flags = NR_ACCEPT_VNET_HDR | NR_REG_SW;
        d.req.nr_ringid = NETMAP_NO_TX_POLL | NETMAP_HW_RING | 9;
        d.req.nr_arg2 = 7;
        assert_int_equal(nm_parse(good[i].spec, &d, err), 0);
        assert_string_equal(d.req.nr_name, good[i].name);
        assert_int_equal(d.req.nr_flags, good[i].flags | NR_ACCEPT_VNET_HDR);
        assert_int_equal(d.req.nr_ringid, good[i].ring | NETMAP_NO_TX_POLL);
        assert_int_equal(d.req.nr_arg2, good[i].region);
    }
}

static void bad_old_names_are_refused(void **state)
{
    static const char *const bad[] = {
        "",           "eth0",          "netmap:",
        "netmap:-1",  "netmap:e-4096", "netmap:e-x",
        "netmap:x{a", "netmap:x{1{2",  "netmap:e/q",
        "netmap:e@",  "netmap:e@x",    "netmap:e@65536",
        "netmap:e^1", "netmap:e@1@2",  "netmap:1234567890123456",
        "vale0",      "vale0:",        "vale-0:a",
        "vale0:a b",  "vale0:a:b",     "vale0:12345678901",
    };
    struct nm_desc d, before;
    char err[MAXERRMSG + 1];

    (void)state;
    memset(&before, 3, sizeof(before));
    for (size_t i = 0; i < COUNT(bad); i++) {
        memcpy(&d, &before, sizeof(d));
        memset(err, 'e', sizeof(err));
        errno = 0;
        assert_int_equal(nm_parse(bad[i], &d, err), -1);
        assert_int_equal(errno, EINVAL);
        assert_memory_equal(&d, &before, sizeof(d));
        assert_non_null(memchr(err, '\0', MAXERRMSG));
        assert_int_equal(err[MAXERRMSG], 'e');
        assert_ptr_equal(strstr(err, bad[i]), err);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_names_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(longest_name_fits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(modes_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_modes_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(options_are_cut_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_options_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(option_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(conf_sets_the_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_numbers_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(offset_is_off_unless_enabled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(offset_numbers_are_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(extmem_maps_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(share_wants_a_port, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_port_can_be_parsed_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_names_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_old_names_are_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("port names", tests, NULL, NULL);
}
