/*
 * tests/unit/test_ports.c - opening ports and moving frames with nm_open() and nmport_open(),
 * against a host of one page of code.
 *
 * Copyright (c) 2026, the netmap for Windows authors.  BSD 2-Clause, see LICENSE.
 *
 * open() and ioctl() below take the place of libc's: the device is a file in memory laid out as a
 * region, so that the real mmap() works on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NETMAP_WITH_LIBS
#include <net/netmap_user.h>
#include <libnetmap.h>

#define NIC_RINGS      2u
#define HOST_RINGS     2u
#define SLOTS          8u
#define BUF_SIZE       64u
#define REGION         65536u
#define IF_OFFSET      4096u
#define RING_OFFSET(i) (8192u + (i)*1024u)
#define BUF_OFFSET     20480u

/* ---------------------------------------------------------------------------------------------
 * The host
 */

static int region_fd = -1;
static int open_error, request_error; /* errno of the next calls, 0: they succeed */
static uint32_t option_status;        /* for the first option of the next request */
static int opened;                    /* descriptors given out */
static struct nmreq last_legacy;
static struct nmreq_header last_header;
static struct nmreq_register last_register;
static char last_message[1024];

static void store(const void *member, const void *value, size_t size)
{
    memcpy((void *)(uintptr_t)member, value, size); /* what programs may not write is const */
}

#define STORE(lvalue, type, value)                                                                 \
    do {                                                                                           \
        type stored = (value);                                                                     \
        store(&(lvalue), &stored, sizeof(stored));                                                 \
    } while (0)

/* Tx rings are handed out empty, with all slots but one free; rx rings without frames. */
static void make_region(void)
{
    const uint32_t rings = 2 * (NIC_RINGS + HOST_RINGS);
    struct netmap_if *nifp;
    uint32_t buffer = 2;
    char *mem;

    region_fd = memfd_create("region", 0);
    assert_true(region_fd >= 0);
    assert_int_equal(ftruncate(region_fd, REGION), 0);
    mem = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_SHARED, region_fd, 0);
    assert_ptr_not_equal(mem, MAP_FAILED);
    nifp = NETMAP_IF(mem, IF_OFFSET);
    STORE(nifp->ni_tx_rings, uint32_t, NIC_RINGS);
    STORE(nifp->ni_rx_rings, uint32_t, NIC_RINGS);
    STORE(nifp->ni_host_tx_rings, uint32_t, HOST_RINGS);
    STORE(nifp->ni_host_rx_rings, uint32_t, HOST_RINGS);
    for (uint32_t i = 0; i < rings; i++) {
        struct netmap_ring *ring = NM_AT_OFFSET(struct netmap_ring *, mem, RING_OFFSET(i));

        STORE(nifp->ring_ofs[i], ssize_t, (ssize_t)RING_OFFSET(i) - (ssize_t)IF_OFFSET);
        STORE(ring->num_slots, uint32_t, SLOTS);
        STORE(ring->nr_buf_size, uint32_t, BUF_SIZE);
        STORE(ring->buf_ofs, int64_t, (int64_t)BUF_OFFSET - (int64_t)RING_OFFSET(i));
        ring->tail = i < rings / 2 ? SLOTS - 1 : 0;
        for (uint32_t s = 0; s < SLOTS; s++)
            ring->slot[s].buf_idx = buffer++;
    }
    munmap(mem, REGION);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    if (strcmp(path, NETMAP_DEVICE_NAME) == 0) {
        if (open_error != 0) {
            errno = open_error;
            return -1;
        }
        opened++;
        return dup(region_fd);
    }
    va_start(args, flags);
    mode = (flags & O_CREAT) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static int handle_legacy(struct nmreq *req)
{
    last_legacy = *req;
    req->nr_offset = IF_OFFSET;
    req->nr_memsize = REGION;
    req->nr_tx_rings = req->nr_rx_rings = NIC_RINGS;
    if (req->nr_arg2 == 0)
        req->nr_arg2 = 1;
    return 0;
}

static int handle_request(struct nmreq_header *header)
{
    last_header = *header;
    if (header->nr_options != 0)
        ((struct nmreq_option *)(uintptr_t)header->nr_options)->nro_status = option_status;
    if (header->nr_reqtype == NETMAP_REQ_PORT_INFO_GET) {
        struct nmreq_port_info_get *info = (struct nmreq_port_info_get *)(uintptr_t)header->nr_body;

        info->nr_mem_id = 9;
    } else {
        struct nmreq_register *reg = (struct nmreq_register *)(uintptr_t)header->nr_body;

        last_register = *reg;
        reg->nr_offset = IF_OFFSET;
        reg->nr_memsize = REGION;
        reg->nr_tx_rings = reg->nr_rx_rings = NIC_RINGS;
        reg->nr_host_tx_rings = reg->nr_host_rx_rings = HOST_RINGS;
        if (reg->nr_mem_id == 0)
            reg->nr_mem_id = 1;
    }
    return 0;
}

int ioctl(int fd, unsigned long number, ...)
{
    va_list args;
    void *argument;

    assert_true(fcntl(fd, F_GETFD) != -1);
    va_start(args, number);
    argument = va_arg(args, void *);
    va_end(args);
    if (request_error != 0) {
        if (number == NIOCCTRL)
            handle_request(argument);
        errno = request_error;
        return -1;
    }
    if (number == NIOCREGIF)
        return handle_legacy(argument);
    if (number == NIOCCTRL)
        return handle_request(argument);
    errno = ENOTTY;
    return -1;
}

static void keep_message(struct nmctx *ctx, const char *message)
{
    (void)ctx;
    snprintf(last_message, sizeof(last_message), "%s", message);
}

static struct nmctx context = {.error = keep_message};

/* nm_open() says why on stderr; this keeps it out of the test's output. */
static int saved_stderr;

static int set_up(void **state)
{
    (void)state;
    make_region();
    open_error = request_error = 0;
    option_status = 0;
    opened = 0;
    last_message[0] = '\0';
    nmctx_set_default(&context);
    fflush(stderr);
    saved_stderr = dup(STDERR_FILENO);
    int null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO);
    close(null);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    nmctx_set_default(NULL);
    close(region_fd);
    return context.mem_descs == NULL ? 0 : -1;
}

/* ---------------------------------------------------------------------------------------------
 * Opening
 */

static void nm_open_fills_the_descriptor(void **state)
{
    struct nmreq req = {.nr_tx_slots = 77, .nr_arg3 = 5};
    struct nm_desc *d = nm_open("netmap:eth0-1/x@3", &req, NETMAP_NO_TX_POLL, NULL);

    (void)state;
    assert_non_null(d);
    assert_true(IS_NETMAP_DESC(d));
    assert_int_equal(last_legacy.nr_version, NETMAP_API);
    assert_string_equal(last_legacy.nr_name, "eth0");
    assert_int_equal(last_legacy.nr_flags, NR_REG_ONE_NIC | NR_EXCLUSIVE);
    assert_int_equal(last_legacy.nr_ringid, 1 | NETMAP_NO_TX_POLL);
    assert_int_equal(last_legacy.nr_arg2, 3);
    assert_int_equal(last_legacy.nr_arg3, 5);
    assert_int_equal(last_legacy.nr_tx_slots, 77);
    assert_int_equal(d->memsize, REGION);
    assert_ptr_equal(d->nifp, NETMAP_IF(d->mem, IF_OFFSET));
    assert_ptr_equal(d->some_ring, NETMAP_TXRING(d->nifp, 0));
    assert_ptr_equal(d->buf_start, (char *)d->mem + BUF_OFFSET);
    assert_ptr_equal(d->buf_end, (char *)d->mem + REGION);
    assert_ptr_equal(d->errbuf, d->msg);
    assert_int_equal(nm_close(d), 0);
    assert_int_equal(nm_close(NULL), -1);
    assert_int_equal(errno, EINVAL);
}

static void modes_bind_their_rings(void **state)
{
    static const struct {
        const char *name;
        uint16_t first, last;
    } cases[] = {
        {"netmap:a", 0, 1},  {"netmap:a-0", 0, 0}, {"netmap:a-1", 1, 1}, {"netmap:a^", 2, 3},
        {"netmap:a*", 0, 3}, {"netmap:a^1", 3, 3}, {"netmap:a{1", 0, 1}, {"netmap:a/R", 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct nmport_d *port = nmport_open(cases[i].name);
        struct nm_desc *d = nm_open(cases[i].name, NULL, 0, NULL);

        assert_non_null(port);
        assert_int_equal(port->first_rx_ring, cases[i].first);
        assert_int_equal(port->last_rx_ring, cases[i].last);
        assert_int_equal(port->cur_rx_ring, cases[i].first);
        if (port->reg.nr_flags & NR_RX_RINGS_ONLY) { /* an empty range */
            assert_true(port->first_tx_ring > port->last_tx_ring);
            assert_int_equal(nmport_inject(port, "x", 1), 0);
        } else {
            assert_int_equal(port->first_tx_ring, cases[i].first);
            assert_int_equal(port->last_tx_ring, cases[i].last);
        }
        nmport_close(port);
        if (strcmp(cases[i].name, "netmap:a^1") == 0) { /* not in nm_open()'s grammar */
            assert_null(d);
            continue;
        }
        assert_non_null(d);
        assert_int_equal(d->first_rx_ring, cases[i].first);
        assert_int_equal(d->last_rx_ring, cases[i].last);
        nm_close(d);
    }
}

static void descriptors_share_a_mapping(void **state)
{
    struct nm_desc *d = nm_open("netmap:a", NULL, 0, NULL);
    struct nm_desc copy, *same, *other, *bare;

    (void)state;
    memcpy(&copy, d, sizeof(copy));
    copy.self = &copy;
    copy.req.nr_flags = NR_REG_ONE_NIC;
    copy.req.nr_ringid = 1;
    same = nm_open(NULL, NULL, NM_OPEN_IFNAME | NM_OPEN_NO_MMAP | NM_OPEN_ARG3, &copy);
    assert_non_null(same);
    assert_string_equal(last_legacy.nr_name, "a");
    assert_int_equal(same->first_tx_ring, 1);
    assert_ptr_equal(same->mem, d->mem);
    assert_false(same->done_mmap);
    assert_ptr_equal(same->nifp, d->nifp);

    other = nm_open("netmap:b@5", NULL, 0, d); /* another region */
    assert_ptr_not_equal(other->mem, d->mem);
    assert_true(other->done_mmap);

    bare = nm_open("netmap:c", NULL, NM_OPEN_NO_MMAP, NULL);
    assert_null(bare->mem);
    assert_null(bare->nifp);
    assert_int_equal(nm_mmap(bare, d), 0);
    assert_ptr_equal(bare->mem, d->mem);

    nm_close(bare);
    nm_close(other);
    nm_close(same);
    nm_close(d);
}

static void nm_open_fails_cleanly(void **state)
{
    (void)state;
    open_error = EACCES;
    assert_null(nm_open("netmap:a", NULL, 0, NULL));
    assert_int_equal(errno, EACCES);
    open_error = 0;
    request_error = ENXIO;
    assert_null(nm_open("netmap:a", NULL, 0, NULL));
    assert_int_equal(errno, ENXIO);
    assert_null(nm_open("nothing", NULL, 0, NULL));
    assert_int_equal(errno, EINVAL);
    assert_null(nm_open(NULL, NULL, 0, NULL));
    assert_int_equal(errno, EINVAL);
    assert_null(nm_open("netmap:a", NULL, NM_OPEN_ARG1, NULL));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(opened, 1);
}

static void ports_share_a_mapping(void **state)
{
    struct nmport_d *a = nmport_open("netmap:a"), *b, *c, *clone;

    (void)state;
    assert_non_null(a);
    b = nmport_open("netmap:b");
    c = nmport_open("netmap:c@share=netmap:b");
    assert_non_null(b);
    assert_non_null(c);
    assert_int_equal(last_register.nr_mem_id, 9);
    assert_ptr_equal(a->mem, b->mem);
    assert_int_equal(a->mem->refcount, 2);
    assert_ptr_not_equal(a->mem, c->mem);

    a->reg.nr_extra_bufs = 8;
    clone = nmport_clone(a);
    clone->reg.nr_mode = NR_REG_ONE_NIC;
    clone->reg.nr_ringid = 1;
    assert_int_equal(nmport_open_desc(clone), 0);
    assert_int_equal(last_register.nr_mem_id, 1);
    assert_int_equal(last_register.nr_extra_bufs, 0);
    assert_string_equal(last_header.nr_name, "a");
    assert_int_equal(clone->first_tx_ring, 1);
    assert_int_equal(a->mem->refcount, 3);

    nmport_close(a);
    assert_int_equal(b->mem->refcount, 2);
    assert_int_equal(b->nifp->ni_tx_rings, NIC_RINGS); /* still mapped */
    nmport_undo_register(b);                           /* undoes the mapping too */
    assert_false(b->mmap_done);
    assert_null(b->nifp);
    assert_int_equal(b->fd, -1);
    assert_int_equal(nmport_open_desc(b), 0); /* and again */
    nmport_close(clone);
    nmport_close(c);
    nmport_close(b);
}

static void external_memory_is_not_mapped(void **state)
{
    void *base = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_SHARED, region_fd, 0);
    struct nmport_d *d = nmport_prepare("netmap:a@6"), *clone;

    (void)state;
    assert_int_equal(nmport_extmem(d, base, REGION), 0);
    assert_int_equal(nmport_open_desc(d), 0);
    assert_ptr_equal(d->mem->mem, base);
    assert_true(d->mem->is_extmem);
    clone = nmport_clone(d);
    assert_int_equal(nmport_open_desc(clone), 0);
    assert_ptr_equal(clone->mem, d->mem);
    nmport_close(d);
    nmport_close(clone);
    assert_int_equal(*(char *)base, 0); /* still there */
    munmap(base, REGION);
}

static void failures_say_why(void **state)
{
    static const struct {
        int error;
        const char *part;
    } cases[] = {
        {ENXIO, "check the name"}, {EBUSY, "holds these rings"}, {EIO, "NR_ACCEPT_VNET_HDR"},
        {ENOMEM, "fewer rings"},   {EINVAL, "mode 4, ring 7"},   {EPERM, "permission"},
    };
    struct nmport_d *d;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_error = cases[i].error;
        assert_null(nmport_open("vale0:prt-7"));
        assert_int_equal(errno, cases[i].error);
        assert_non_null(strstr(last_message, cases[i].part));
        assert_non_null(strstr(last_message, "vale0:prt"));
    }
    d = nmport_prepare("netmap:a");
    assert_int_equal(nmport_offset(d, 1, 2, 3, 4), 0);
    request_error = EOPNOTSUPP;
    option_status = EOPNOTSUPP;
    assert_int_equal(nmport_open_desc(d), -1);
    assert_int_equal(errno, EOPNOTSUPP);
    assert_non_null(strstr(last_message, "refused offsets"));
    assert_int_equal(d->fd, -1);
    nmport_undo_prepare(d);

    request_error = 0;
    open_error = ENOENT;
    assert_null(nmport_open("netmap:a"));
    assert_int_equal(errno, ENOENT);
    assert_non_null(strstr(last_message, "no netmap host"));
}

/* ---------------------------------------------------------------------------------------------
 * Frames
 */

static char data[70 * BUF_SIZE];

static void fill_data(void)
{
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 7 + i / 256);
}

static void copies_are_exact(void **state)
{
    static char to[1300];

    (void)state;
    fill_data();
    for (int len = 0; len <= 1200; len++) {
        memset(to, '#', sizeof(to));
        nm_pkt_copy(data, to + 1, len);
        assert_int_equal(to[0], '#');
        assert_memory_equal(to + 1, data, (size_t)len);
        assert_int_equal(to[len + 1], '#');
    }
}

/* What is in a tx ring from slot `from` on, put together. */
static void check_sent(struct netmap_ring *ring, uint32_t from, size_t size)
{
    size_t done = 0;

    for (uint32_t i = from; done < size; i = nm_ring_next(ring, i)) {
        struct netmap_slot *slot = &ring->slot[i];

        assert_memory_equal(NETMAP_BUF_OFFSET(ring, slot), data + done, slot->len);
        done += slot->len;
        assert_int_equal(!!(slot->flags & NS_MOREFRAG), done < size);
    }
    assert_int_equal(done, size);
}

static void injected_frames_are_in_the_rings(void **state)
{
    struct nmport_d *port = nmport_open("netmap:a");
    struct nm_desc *d = nm_open("netmap:a", NULL, 0, NULL);
    struct netmap_ring *tx0 = NETMAP_TXRING(d->nifp, 0), *tx1 = NETMAP_TXRING(d->nifp, 1);

    (void)state;
    fill_data();
    tx0->slot[0].flags = NS_REPORT | NS_BUF_CHANGED;
    assert_int_equal(nm_inject(d, data, BUF_SIZE), BUF_SIZE);
    assert_int_equal(tx0->head, 1);
    assert_int_equal(tx0->cur, 1);
    assert_int_equal(tx0->slot[0].flags, NS_BUF_CHANGED);
    check_sent(tx0, 0, BUF_SIZE);
    assert_int_equal(nm_inject(d, data, 3 * BUF_SIZE + 1), 3 * BUF_SIZE + 1); /* four slots */
    check_sent(tx0, 1, 3 * BUF_SIZE + 1);
    assert_int_equal(tx0->head, 5);

    /* Two are left here: the next one goes to the other ring, and stays there. */
    assert_int_equal(nmport_inject(port, data, 2 * BUF_SIZE + 5), 2 * BUF_SIZE + 5);
    assert_int_equal(port->cur_tx_ring, 1);
    check_sent(tx1, 0, 2 * BUF_SIZE + 5);
    assert_int_equal(nmport_inject(port, data, 4 * BUF_SIZE), 4 * BUF_SIZE);
    assert_int_equal(tx1->head, 7);
    assert_int_equal(nmport_inject(port, data, 1), 1); /* wraps round to ring 0 */
    assert_int_equal(tx0->head, 6);
    assert_int_equal(port->cur_tx_ring, 0);

    assert_int_equal(nm_inject(d, data, 2 * BUF_SIZE), 0);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(nmport_inject(port, data, 2 * BUF_SIZE), 0);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(nm_inject(d, data, 7 * BUF_SIZE), 0);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(nm_inject(d, data, 7 * BUF_SIZE + 1), 0);
    assert_int_equal(errno, EMSGSIZE);
    assert_int_equal(nmport_inject(port, data, 65 * BUF_SIZE), 0);
    assert_int_equal(errno, EMSGSIZE);
    assert_int_equal(nm_inject(d, data, 0), 0);
    nm_close(d);
    nmport_close(port);
}

static void offsets_leave_room(void **state)
{
    struct nmport_d *port = nmport_open("netmap:a-0");
    struct netmap_ring *tx = NETMAP_TXRING(port->nifp, 0);

    (void)state;
    fill_data();
    STORE(tx->offset_mask, uint64_t, 0xff);
    for (uint32_t i = 0; i < SLOTS; i++)
        NETMAP_WOFFSET(tx, &tx->slot[i], 16u);
    tx->slot[0].ptr |= 0xabc00; /* the rest of ptr is nobody's business */
    assert_int_equal(NETMAP_ROFFSET(tx, &tx->slot[0]), 16);
    assert_int_equal(nmport_inject(port, data, BUF_SIZE), BUF_SIZE); /* 48 + 16 */
    assert_int_equal(tx->head, 2);
    assert_int_equal(tx->slot[0].len, 48);
    check_sent(tx, 0, BUF_SIZE);
    assert_memory_equal(NETMAP_BUF(tx, tx->slot[0].buf_idx) + 16, data, 48);
    nmport_close(port);
}

/* Puts a frame of `slots` full slots into an rx ring; the last one may be missing. */
static void receive(struct netmap_ring *ring, uint32_t slots, int complete)
{
    for (uint32_t n = 0; n < slots; n++) {
        struct netmap_slot *slot = &ring->slot[ring->tail];

        slot->len = BUF_SIZE;
        slot->flags = n + 1 < slots || !complete ? NS_MOREFRAG : 0;
        memcpy(NETMAP_BUF(ring, slot->buf_idx), data + n * BUF_SIZE, BUF_SIZE);
        ring->tail = nm_ring_next(ring, ring->tail);
    }
}

static struct {
    uint32_t frames, bytes, more, heads;
} counted;

static void count(u_char *arg, const struct nm_pkthdr *hdr, const u_char *buf)
{
    const struct nm_desc *d = (const struct nm_desc *)(void *)arg;

    assert_ptr_equal(hdr->d, d);
    assert_int_equal(hdr->len, hdr->caplen);
    assert_ptr_equal(hdr->buf, buf);
    assert_memory_equal(buf, data, hdr->len);
    counted.frames++;
    counted.bytes += hdr->len;
    counted.more += !!(hdr->flags & NM_MORE_PKTS);
    /* The slots are not given back before the callback has returned. */
    counted.heads += NETMAP_RXRING(d->nifp, 0)->head;
}

static void dispatch_puts_frames_together(void **state)
{
    struct nm_desc *d = nm_open("netmap:a", NULL, 0, NULL);
    struct netmap_ring *rx0 = NETMAP_RXRING(d->nifp, 0), *rx1 = NETMAP_RXRING(d->nifp, 1);

    (void)state;
    fill_data();
    assert_int_equal(nm_dispatch(d, -1, count, (u_char *)d), 0);

    rx0->ts.tv_sec = 12;
    receive(rx0, 1, 1);
    receive(rx0, 3, 1);
    receive(rx0, 2, 0);
    receive(rx1, 1, 1);
    memset(&counted, 0, sizeof(counted));
    assert_int_equal(nm_dispatch(d, 0, count, (u_char *)d), 3);
    assert_int_equal(counted.frames, 3);
    assert_int_equal(counted.bytes, 5 * BUF_SIZE);
    assert_int_equal(counted.more, 2);
    assert_int_equal(counted.heads, 0 + 1 + 4);
    assert_int_equal(rx0->head, 4); /* the frame without end waits */
    assert_int_equal(rx0->cur, 4);
    assert_int_equal(rx1->head, 1);
    assert_int_equal(d->cur_rx_ring, 1);
    assert_int_equal(d->st.ps_recv, 3);

    receive(rx0, 1, 1); /* its end, and one more behind */
    receive(rx0, 1, 1);
    receive(rx1, 1, 1);
    memset(&counted, 0, sizeof(counted));
    assert_int_equal(nm_dispatch(d, 1, count, (u_char *)d), 1); /* ring 1 has its turn */
    assert_int_equal(rx1->head, 2);
    assert_int_equal(counted.more, 0); /* not in this call */
    memcpy(NETMAP_BUF(rx0, rx0->slot[6].buf_idx), data + 2 * BUF_SIZE, BUF_SIZE);
    assert_int_equal(nm_dispatch(d, 9, count, (u_char *)d), 2);
    assert_int_equal(rx0->head, 0);
    assert_int_equal(rx0->tail, 0);

    receive(rx0, 7, 0); /* a full ring of a frame that cannot end */
    memset(&counted, 0, sizeof(counted));
    assert_int_equal(nm_dispatch(d, -1, count, (u_char *)d), 1);
    assert_int_equal(counted.bytes, 7 * BUF_SIZE);
    assert_true(nm_ring_empty(rx0));
    nm_close(d);
}

static void nextpkt_gives_pieces(void **state)
{
    struct nm_desc *d = nm_open("netmap:a", NULL, 0, NULL);
    struct netmap_ring *rx0 = NETMAP_RXRING(d->nifp, 0), *rx1 = NETMAP_RXRING(d->nifp, 1);
    struct nm_pkthdr hdr;
    u_char *piece;

    (void)state;
    fill_data();
    assert_null(nm_nextpkt(d, &hdr));
    receive(rx0, 2, 1);
    receive(rx1, 1, 1);
    rx0->ts.tv_sec = 12;
    piece = nm_nextpkt(d, &hdr);
    assert_memory_equal(piece, data, BUF_SIZE);
    assert_int_equal(hdr.flags, NM_MORE_FRAGS);
    assert_int_equal(hdr.caplen, BUF_SIZE);
    assert_int_equal(hdr.len, BUF_SIZE);
    assert_int_equal(hdr.ts.tv_sec, 12);
    assert_ptr_equal(hdr.slot, &rx0->slot[0]);
    piece = nm_nextpkt(d, &hdr);
    assert_memory_equal(piece, data + BUF_SIZE, BUF_SIZE);
    assert_int_equal(hdr.flags, 0);
    assert_int_equal(rx0->head, 2);
    assert_non_null(nm_nextpkt(d, &hdr));
    assert_int_equal(d->cur_rx_ring, 1);
    assert_null(nm_nextpkt(d, &hdr));
    nm_close(d);
}

static void positions(void **state)
{
    struct nm_desc *d = nm_open("netmap:a", NULL, 0, NULL);
    struct netmap_ring *tx = NETMAP_TXRING(d->nifp, 0);

    (void)state;
    assert_int_equal(nm_ring_space(tx), SLOTS - 1);
    assert_false(nm_tx_pending(tx));
    tx->head = tx->cur = 3;
    assert_true(nm_tx_pending(tx));
    assert_int_equal(nm_ring_space(tx), 4);
    tx->tail = 2;
    assert_int_equal(nm_ring_space(tx), SLOTS - 1);
    tx->cur = 2;
    assert_true(nm_ring_empty(tx));
    assert_int_equal(nm_ring_next(tx, SLOTS - 1), 0);
    assert_int_equal(NETMAP_BUF_IDX(tx, NETMAP_BUF(tx, 33)), 33);
    assert_ptr_equal(NETMAP_RXRING(d->nifp, 0),
                     NM_AT_OFFSET(void *, d->mem, RING_OFFSET(NIC_RINGS + HOST_RINGS)));
    nm_close(d);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nm_open_fills_the_descriptor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(modes_bind_their_rings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(descriptors_share_a_mapping, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nm_open_fails_cleanly, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ports_share_a_mapping, set_up, tear_down),
        cmocka_unit_test_setup_teardown(external_memory_is_not_mapped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failures_say_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies_are_exact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(injected_frames_are_in_the_rings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(offsets_leave_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dispatch_puts_frames_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nextpkt_gives_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(positions, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
