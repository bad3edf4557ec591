/*
 * net/netmap_nm_open.h - the nm_open() family, compiled into the program.
 *
 * Copyright (c) 2026, the netmap for Windows authors.  BSD 2-Clause, see LICENSE.
 *
 * Included by net/netmap_user.h when NETMAP_WITH_LIBS is defined.  These functions speak the
 * legacy interface (struct nmreq); libnetmap.h has the newer one with the richer names.
 *
 * Port names of nm_open():
 *
 *     netmap:NAME            a NIC, a persistent or other port; on Windows also the interface index
 *     valeSWITCH:PORT        a port of a VALE switch; letters, digits, '_' and '.', SWITCH may be
 *                            empty
 *   followed by at most one of
 *     -N                     ring pair N only
 *     ^                      the host rings only
 *     *                      NIC and host rings
 *     {N  }N                 master or slave end of pipe N
 *   then by
 *     /LETTERS               x exclusive, z zero-copy monitor, t monitor tx, r monitor rx,
 *                            R rx rings only, T tx rings only
 *     @N                     in memory region N
 *
 * N is decimal; ring and pipe numbers are at most 4095, and NAME (valeSWITCH:PORT) has at most 15
 * characters, because struct nmreq has no room for more.
 *
 * A descriptor belongs to one thread at a time.
 */
#ifndef NET_NETMAP_NM_OPEN_H
#define NET_NETMAP_NM_OPEN_H

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#ifndef _MSC_VER
#include <unistd.h>
#endif
#include <sys/time.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <poll.h>
#ifdef _WIN32
#include <net/if.h>
#ifdef __MINGW32__
#include <_bsd_types.h> /* u_char and u_int, which callbacks are usually written with */
#else
typedef unsigned char u_char;
typedef unsigned int u_int;
#endif
#endif

#include <net/netmap_user.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NM_ERRBUF_SIZE 512 /* bytes of nm_desc.msg */
#ifndef MAXERRMSG
#define MAXERRMSG 80 /* bytes of the buffer nm_parse() writes its message to */
#endif

/* The descriptor behind a pointer of any type; whether there is one; its file descriptor. */
#define P2NMD(p)          ((const struct nm_desc *)(p))
#define IS_NETMAP_DESC(d) ((d) && P2NMD(d)->self == P2NMD(d))
#define NETMAP_FD(d)      (P2NMD(d)->fd)

/* nm_pkthdr.flags */
#define NM_MORE_PKTS  1 /* nm_dispatch(): another frame follows in this call */
#define NM_MORE_FRAGS 2 /* nm_nextpkt(): the frame goes on in the next piece */

/* The flags argument of nm_open(), together with NETMAP_NO_TX_POLL and NETMAP_DO_RX_POLL. */
enum {
    NM_OPEN_NO_MMAP = 0x040000, /* no mapping of our own: use arg's when the region is the same;
                                   without arg d->mem and d->nifp stay NULL until nm_mmap() */
    NM_OPEN_IFNAME = 0x080000,  /* ignore ifname: nr_name, nr_ringid and nr_flags from arg->req */
    NM_OPEN_ARG1 = 0x100000,    /* nr_arg1 from arg->req */
    NM_OPEN_ARG2 = 0x200000,    /* nr_arg2 (region) from arg->req */
    NM_OPEN_ARG3 = 0x400000,    /* nr_arg3 (extra buffers) from arg->req */
    NM_OPEN_RING_CFG = 0x800000 /* numbers of rings and slots from arg->req */
};

struct nm_desc;

/* What is known of a received frame, in the manner of pcap. */
struct nm_pkthdr {
    struct timeval ts;        /* when the ring was last synced; needs NR_TIMESTAMP */
    uint32_t caplen;          /* bytes at buf */
    uint32_t len;             /* the same */
    uint64_t flags;           /* NM_MORE_PKTS, NM_MORE_FRAGS */
    struct nm_desc *d;        /* where it came from */
    struct netmap_slot *slot; /* its (first) slot, still the program's during the callback */
    uint8_t *buf;             /* the bytes */
};

struct nm_stat {
    unsigned int ps_recv;   /* frames (nm_nextpkt: pieces) handed to the program */
    unsigned int ps_drop;   /* frames thrown away here: no memory to put their pieces together */
    unsigned int ps_ifdrop; /* not counted */
};

/*
 * An open port.  Read only for programs, except cur_tx_ring, cur_rx_ring and the pcap-like fields
 * from snaplen on, which are stored for the program and not used here.
 */
struct nm_desc {
    struct nm_desc *self; /* this very descriptor, or it is none: see IS_NETMAP_DESC */
    int fd;
    void *mem;      /* the mapped region */
    size_t memsize; /* bytes of it */
    int done_mmap;  /* the mapping is ours, to unmap in nm_close() */
    struct netmap_if *NM_CONST nifp;
    /* First and last ring bound, both included, and where to go on; first > last: none. */
    uint16_t first_tx_ring, last_tx_ring, cur_tx_ring;
    uint16_t first_rx_ring, last_rx_ring, cur_rx_ring;
    struct nmreq req; /* as the host returned it */
    struct nm_pkthdr hdr;

    /* Any ring, and the range the buffers are in, for programs that compute with them. */
    struct netmap_ring *NM_CONST some_ring;
    void *NM_CONST buf_start;
    void *NM_CONST buf_end;

    int snaplen;
    int promisc;
    int to_ms;
    char *errbuf; /* where messages of later calls go: msg, unless the program changed it */

    uint32_t if_flags;
    uint32_t if_reqcap;
    uint32_t if_curcap;

    struct nm_stat st;
    char msg[NM_ERRBUF_SIZE];
};

NM_ASSERT_SIZE(struct nm_stat, 12);
#ifdef _WIN32 /* struct timeval has 8 bytes */
NM_ASSERT_SIZE(struct nm_pkthdr, 48);
NM_ASSERT_OFFSET(struct nm_pkthdr, caplen, 8);
NM_ASSERT_OFFSET(struct nm_pkthdr, len, 12);
NM_ASSERT_OFFSET(struct nm_pkthdr, flags, 16);
NM_ASSERT_OFFSET(struct nm_pkthdr, d, 24);
NM_ASSERT_OFFSET(struct nm_pkthdr, slot, 32);
NM_ASSERT_OFFSET(struct nm_pkthdr, buf, 40);
NM_ASSERT_SIZE(struct nm_desc, 752);
#define NM_DESC_TAIL 8 /* what comes after hdr is this much nearer to the start */
#else
NM_ASSERT_SIZE(struct nm_pkthdr, 56);
NM_ASSERT_OFFSET(struct nm_pkthdr, caplen, 16);
NM_ASSERT_OFFSET(struct nm_pkthdr, len, 20);
NM_ASSERT_OFFSET(struct nm_pkthdr, flags, 24);
NM_ASSERT_OFFSET(struct nm_pkthdr, d, 32);
NM_ASSERT_OFFSET(struct nm_pkthdr, slot, 40);
NM_ASSERT_OFFSET(struct nm_pkthdr, buf, 48);
NM_ASSERT_SIZE(struct nm_desc, 760);
#define NM_DESC_TAIL 0
#endif
NM_ASSERT_OFFSET(struct nm_pkthdr, ts, 0);
NM_ASSERT_OFFSET(struct nm_desc, self, 0);
NM_ASSERT_OFFSET(struct nm_desc, fd, 8);
NM_ASSERT_OFFSET(struct nm_desc, mem, 16);
NM_ASSERT_OFFSET(struct nm_desc, memsize, 24);
NM_ASSERT_OFFSET(struct nm_desc, done_mmap, 32);
NM_ASSERT_OFFSET(struct nm_desc, nifp, 40);
NM_ASSERT_OFFSET(struct nm_desc, first_tx_ring, 48);
NM_ASSERT_OFFSET(struct nm_desc, last_tx_ring, 50);
NM_ASSERT_OFFSET(struct nm_desc, cur_tx_ring, 52);
NM_ASSERT_OFFSET(struct nm_desc, first_rx_ring, 54);
NM_ASSERT_OFFSET(struct nm_desc, last_rx_ring, 56);
NM_ASSERT_OFFSET(struct nm_desc, cur_rx_ring, 58);
NM_ASSERT_OFFSET(struct nm_desc, req, 60);
NM_ASSERT_OFFSET(struct nm_desc, hdr, 120);
NM_ASSERT_OFFSET(struct nm_desc, some_ring, 176 - NM_DESC_TAIL);
NM_ASSERT_OFFSET(struct nm_desc, buf_start, 184 - NM_DESC_TAIL);
NM_ASSERT_OFFSET(struct nm_desc, buf_end, 192 - NM_DESC_TAIL);
NM_ASSERT_OFFSET(struct nm_desc, snaplen, 200 - NM_DESC_TAIL);
NM_ASSERT_OFFSET(struct nm_desc, promisc, 204 - NM_DESC_TAIL);
NM_ASSERT_OFFSET(struct nm_desc, to_ms, 208 - NM_DESC_TAIL);
NM_ASSERT_OFFSET(struct nm_desc, errbuf, 216 - NM_DESC_TAIL);
NM_ASSERT_OFFSET(struct nm_desc, if_flags, 224 - NM_DESC_TAIL);
NM_ASSERT_OFFSET(struct nm_desc, if_reqcap, 228 - NM_DESC_TAIL);
NM_ASSERT_OFFSET(struct nm_desc, if_curcap, 232 - NM_DESC_TAIL);
NM_ASSERT_OFFSET(struct nm_desc, st, 236 - NM_DESC_TAIL);
NM_ASSERT_OFFSET(struct nm_desc, msg, 248 - NM_DESC_TAIL);
#undef NM_DESC_TAIL

/* A frame for nm_dispatch()'s caller: its own argument, what is known of the frame, its bytes. */
typedef void (*nm_cb_t)(unsigned char *arg, const struct nm_pkthdr *hdr, const unsigned char *buf);

/* ---------------------------------------------------------------------------------------------
 * Names
 */

/* Is [s, e) made of letters, digits and '_' only?  (The empty string is.) */
NM_INLINE int nm_is_identifier(const char *s, const char *e)
{
    for (; s != e; s++) {
        if (!((*s >= '0' && *s <= '9') || (*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') ||
              *s == '_'))
            return 0;
    }
    return 1;
}

/* Writes a message about `name` to err (MAXERRMSG bytes), sets errno to EINVAL; always -1. */
NM_INLINE int nm_parse_failed(char *err, const char *name, const char *problem)
{
    snprintf(err, MAXERRMSG, "%.30s: %s", name, problem);
    errno = EINVAL;
    return -1;
}

/* A decimal number 0..maximum at *s; moves *s behind it.  0, or -1: none, or too large. */
NM_INLINE int nm_parse_number(const char **s, unsigned int maximum, unsigned int *number)
{
    const char *p = *s;
    unsigned int value = 0;

    for (; *p >= '0' && *p <= '9'; p++) {
        value = value * 10 + (unsigned int)(*p - '0');
        if (value > maximum)
            return -1;
    }
    if (p == *s)
        return -1;
    *s = p;
    *number = value;
    return 0;
}

/*
 * Reads a port name into d->req: nr_name, the mode and letters in nr_flags (other bits of it are
 * kept), the number in nr_ringid (poll bits are kept), the region in nr_arg2.  Nothing else of d
 * is used.  0, or -1 with errno EINVAL, d->req unchanged and a message in err, MAXERRMSG bytes.
 */
NM_INLINE int nm_parse(const char *ifname, struct nm_desc *d, char *err)
{
    const char *name = ifname, *s, *p;
    unsigned int mode = NR_REG_ALL_NIC, letters = 0, number = 0, region = d->req.nr_arg2;
    size_t length;

    if (strncmp(ifname, "netmap:", 7) == 0) {
        name = ifname + 7;
        s = name + strcspn(name, "-*^/@{}");
        if (s == name)
            return nm_parse_failed(err, ifname, "no port name after netmap:");
    } else if (strncmp(ifname, NM_BDG_NAME, 4) == 0) {
        p = strchr(ifname, ':');
        if (p == NULL || !nm_is_identifier(ifname + 4, p))
            return nm_parse_failed(err, ifname, "want valeSWITCH:PORT");
        s = p + 1 + strcspn(p + 1, "-*^/@{}");
        if (s == p + 1)
            return nm_parse_failed(err, ifname, "no port name after ':'");
        for (p++; p != s; p++) {
            if (*p != '.' && !nm_is_identifier(p, p + 1))
                return nm_parse_failed(err, ifname, "a VALE port has letters, digits, _ and .");
        }
    } else {
        return nm_parse_failed(err, ifname, "want netmap:NAME or valeSWITCH:PORT");
    }
    length = (size_t)(s - name);
    if (length >= sizeof(d->req.nr_name))
        return nm_parse_failed(err, ifname, "more than 15 characters");

    if (*s == '^' || *s == '*') {
        mode = *s++ == '^' ? NR_REG_SW : NR_REG_NIC_SW;
    } else if (*s == '-' || *s == '{' || *s == '}') {
        mode = *s == '-' ? NR_REG_ONE_NIC : *s == '{' ? NR_REG_PIPE_MASTER : NR_REG_PIPE_SLAVE;
        s++;
        if (nm_parse_number(&s, NETMAP_RING_MASK, &number) != 0)
            return nm_parse_failed(err, ifname, "want a number 0..4095 after - { }");
    }
    if (*s == '/') {
        for (s++; *s != '\0' && *s != '@'; s++) {
            switch (*s) {
            case 'x':
                letters |= NR_EXCLUSIVE;
                break;
            case 'z':
                letters |= NR_ZCOPY_MON;
                break;
            case 't':
                letters |= NR_MONITOR_TX;
                break;
            case 'r':
                letters |= NR_MONITOR_RX;
                break;
            case 'R':
                letters |= NR_RX_RINGS_ONLY;
                break;
            case 'T':
                letters |= NR_TX_RINGS_ONLY;
                break;
            default:
                return nm_parse_failed(err, ifname, "want letters of xztrRT after /");
            }
        }
    }
    if (*s == '@') {
        s++;
        if (nm_parse_number(&s, 65535, &region) != 0)
            return nm_parse_failed(err, ifname, "want a region number 0..65535 after @");
    }
    if (*s != '\0')
        return nm_parse_failed(err, ifname, "characters left over at the end");

    memset(d->req.nr_name, 0, sizeof(d->req.nr_name));
    memcpy(d->req.nr_name, name, length);
    d->req.nr_flags = (d->req.nr_flags & ~(uint32_t)NR_REG_MASK) | mode | letters;
    d->req.nr_ringid = (uint16_t)(number | (d->req.nr_ringid & ~(unsigned int)NETMAP_RING_MASK &
                                            (NETMAP_NO_TX_POLL | NETMAP_DO_RX_POLL)));
    d->req.nr_arg2 = (uint16_t)region;
    return 0;
}

/* ---------------------------------------------------------------------------------------------
 * Opening and closing
 */

/* Stores a pointer in one of the members that are const for the program. */
NM_INLINE void nm_desc_store(const void *member, void *pointer)
{
    memcpy((void *)(uintptr_t)member, &pointer, sizeof(pointer));
}

/*
 * Maps the region of d, or uses the parent's mapping when parent is a descriptor of the same
 * region (then it must be closed after d).  Sets mem, memsize, nifp, some_ring, buf_start,
 * buf_end.  0; also when it was done already.  -1 with errno and a message in d->errbuf.
 */
NM_INLINE int nm_mmap(struct nm_desc *d, const struct nm_desc *parent)
{
    struct netmap_if *nifp;
    struct netmap_ring *ring = NULL;
    uint32_t i, rings;
    void *mem;

    if (d->mem != NULL)
        return 0;
    if (IS_NETMAP_DESC(parent) && parent->mem != NULL && parent->req.nr_arg2 == d->req.nr_arg2 &&
        parent->memsize >= d->req.nr_memsize) {
        d->mem = parent->mem;
        d->memsize = parent->memsize;
    } else {
        mem = mmap(NULL, d->req.nr_memsize, PROT_READ | PROT_WRITE, MAP_SHARED, d->fd, 0);
        if (mem == MAP_FAILED) {
            if (d->errbuf != NULL)
                snprintf(d->errbuf, NM_ERRBUF_SIZE, "%.15s: cannot map %lu bytes of region %u: %s",
                         d->req.nr_name, (unsigned long)d->req.nr_memsize,
                         (unsigned int)d->req.nr_arg2, strerror(errno));
            return -1;
        }
        d->mem = mem;
        d->memsize = d->req.nr_memsize;
        d->done_mmap = 1;
    }

    nifp = NETMAP_IF(d->mem, d->req.nr_offset);
    nm_desc_store(&d->nifp, nifp);
    rings = nifp->ni_tx_rings + nifp->ni_host_tx_rings + nifp->ni_rx_rings + nifp->ni_host_rx_rings;
    for (i = 0; i < rings && ring == NULL; i++) {
        if (nifp->ring_ofs[i] != 0)
            ring = NM_AT_OFFSET(struct netmap_ring *, nifp, nifp->ring_ofs[i]);
    }
    nm_desc_store(&d->some_ring, ring);
    nm_desc_store(&d->buf_start, ring != NULL ? NETMAP_BUF(ring, 0) : NULL);
    nm_desc_store(&d->buf_end, (char *)d->mem + d->memsize);
    return 0;
}

/*
 * Closes a descriptor and frees it.  0, or -1 with EINVAL when d is none.  Frames that were synced
 * are delivered, others are lost.
 */
NM_INLINE int nm_close(struct nm_desc *d)
{
    if (!IS_NETMAP_DESC(d)) {
        errno = EINVAL;
        return -1;
    }
    if (d->done_mmap && d->mem != NULL)
        munmap(d->mem, d->memsize);
    if (d->fd != -1)
        close(d->fd);
    memset((void *)d, 0, sizeof(*d));
    free(d);
    return 0;
}

/* Sets the ranges of rings from what the host returned. */
NM_INLINE void nm_desc_set_rings(struct nm_desc *d)
{
    unsigned int ringid = d->req.nr_ringid & NETMAP_RING_MASK;
    uint32_t mode = d->req.nr_flags & NR_REG_MASK;
    /* Legacy requests do not tell how many host rings there are; the mapped netmap_if does. */
    unsigned int host_tx = d->nifp != NULL ? d->nifp->ni_host_tx_rings : 1;
    unsigned int host_rx = d->nifp != NULL ? d->nifp->ni_host_rx_rings : 1;

    if (mode == NR_REG_DEFAULT && (d->req.nr_ringid & NETMAP_SW_RING))
        mode = NR_REG_SW;
    else if (mode == NR_REG_DEFAULT && (d->req.nr_ringid & NETMAP_HW_RING))
        mode = NR_REG_ONE_NIC;
    nm_ring_range(mode, ringid, d->req.nr_tx_rings, host_tx, &d->first_tx_ring, &d->last_tx_ring);
    nm_ring_range(mode, ringid, d->req.nr_rx_rings, host_rx, &d->first_rx_ring, &d->last_rx_ring);
    d->cur_tx_ring = d->first_tx_ring;
    d->cur_rx_ring = d->first_rx_ring;
}

/* Ends a failed nm_open(): says why on stderr, releases d, leaves errno alone; always NULL. */
NM_INLINE struct nm_desc *nm_open_failed(struct nm_desc *d, const char *what, const char *why,
                                         const char *remedy)
{
    int error = errno;

    if (nm_host_message()[0] != '\0')
        fprintf(stderr, "nm_open: %s: %s: %s\n", what, why, nm_host_message());
    else
        fprintf(stderr, "nm_open: %s: %s%s\n", what, why, remedy);
    if (d != NULL)
        nm_close(d);
    errno = error;
    return NULL;
}

/*
 * Opens a port.  `ifname` as at the top of this file; `req`, or NULL, gives the initial values of
 * the request (sizes, nr_arg3 ...), over which go the name, and over those what `flags` take from
 * `arg`.  `arg` may be any descriptor, also one that only nm_parse() has filled; when it is open
 * and the region is the same, its mapping is shared and it must be closed last.
 *
 * Returns a descriptor for nm_close().  NULL with errno and one line on stderr that names the port
 * and the reason: EINVAL bad name or numbers, ENXIO no such port, EBUSY rings held exclusively,
 * EACCES or ENOENT no access to netmap or no host, ENOMEM.
 */
NM_INLINE struct nm_desc *nm_open(const char *ifname, const struct nmreq *req, uint64_t flags,
                                  const struct nm_desc *arg)
{
    const uint64_t from_arg =
        NM_OPEN_IFNAME | NM_OPEN_ARG1 | NM_OPEN_ARG2 | NM_OPEN_ARG3 | NM_OPEN_RING_CFG;
    struct nm_desc *d;
    char what[64], err[MAXERRMSG];

    if ((arg == NULL && (flags & from_arg) != 0) || (ifname == NULL && !(flags & NM_OPEN_IFNAME))) {
        errno = EINVAL;
        return nm_open_failed(NULL, ifname != NULL ? ifname : "(no name)",
                              "neither a name nor a descriptor to take it from", "");
    }
    d = (struct nm_desc *)calloc(1, sizeof(*d));
    if (d == NULL)
        return nm_open_failed(NULL, ifname != NULL ? ifname : arg->req.nr_name, "out of memory",
                              "");
    d->self = d;
    d->fd = -1;
    d->errbuf = d->msg;

    if (req != NULL)
        d->req = *req;
    d->req.nr_version = NETMAP_API;
    if (flags & NM_OPEN_IFNAME) {
        memcpy(d->req.nr_name, arg->req.nr_name, sizeof(d->req.nr_name));
        d->req.nr_name[sizeof(d->req.nr_name) - 1] = '\0';
        d->req.nr_ringid = arg->req.nr_ringid;
        d->req.nr_flags = arg->req.nr_flags;
    } else if (nm_parse(ifname, d, err) != 0) {
        return nm_open_failed(d, "cannot read the name", err, "");
    }
    if (flags & NM_OPEN_ARG1)
        d->req.nr_arg1 = arg->req.nr_arg1;
    if (flags & NM_OPEN_ARG2)
        d->req.nr_arg2 = arg->req.nr_arg2;
    if (flags & NM_OPEN_ARG3)
        d->req.nr_arg3 = arg->req.nr_arg3;
    if (flags & NM_OPEN_RING_CFG) {
        d->req.nr_tx_slots = arg->req.nr_tx_slots;
        d->req.nr_rx_slots = arg->req.nr_rx_slots;
        d->req.nr_tx_rings = arg->req.nr_tx_rings;
        d->req.nr_rx_rings = arg->req.nr_rx_rings;
    }
    d->req.nr_ringid =
        (uint16_t)(d->req.nr_ringid | (flags & (NETMAP_NO_TX_POLL | NETMAP_DO_RX_POLL)));
    snprintf(what, sizeof(what), "%.15s", d->req.nr_name);

    d->fd = open(NETMAP_DEVICE_NAME, O_RDWR);
    if (d->fd == -1)
        return nm_open_failed(d, what, "cannot open " NETMAP_DEVICE_NAME, nm_error_remedy(errno));
    if (ioctl(d->fd, NIOCREGIF, &d->req) == -1)
        return nm_open_failed(d, what, strerror(errno), nm_error_remedy(errno));

    /* With a parent there is nothing to save by waiting: its mapping is used, or one is needed. */
    if (!(flags & NM_OPEN_NO_MMAP) || IS_NETMAP_DESC(arg)) {
        if (nm_mmap(d, arg) != 0)
            return nm_open_failed(d, what, d->msg, "");
    }
    nm_desc_set_rings(d);
    return d;
}

/* ---------------------------------------------------------------------------------------------
 * Frames.  None of these syncs: call ioctl() or poll() on NETMAP_FD(d).
 */

/*
 * Copies a frame into the first tx ring, from cur_tx_ring on, that has room for all of it.  A
 * frame longer than a buffer takes several slots (NS_MOREFRAG).  Returns size, or 0 with errno
 * EAGAIN: no ring has room now, or EMSGSIZE: it would take more slots than a frame or ring has.
 */
NM_INLINE int nm_inject(struct nm_desc *d, const void *buf, size_t size)
{
    return nm_put_frame_somewhere(d->nifp, d->first_tx_ring, d->last_tx_ring, &d->cur_tx_ring, buf,
                                  size);
}

/* Rx ring number n of those bound, counting from cur_rx_ring around. */
NM_INLINE struct netmap_ring *nm_nth_rx_ring(const struct nm_desc *d, unsigned int n)
{
    unsigned int rings = (unsigned int)d->last_rx_ring + 1 - d->first_rx_ring;
    unsigned int start = (unsigned int)d->cur_rx_ring - d->first_rx_ring;

    return NETMAP_RXRING(d->nifp, d->first_rx_ring + (start + n) % rings);
}

/*
 * How many slots the frame `skip` slots behind ring->head has, and its bytes; 0: there is none, or
 * its end has not come yet.  A chain that fills the ring without an end is taken as it is, since
 * no more of it can come.
 */
NM_INLINE uint32_t nm_frame_slots(struct netmap_ring *ring, uint32_t skip, size_t *bytes)
{
    uint32_t space = ring->tail >= ring->head ? ring->tail - ring->head
                                              : ring->tail + ring->num_slots - ring->head;
    uint32_t i = ring->head + skip, slots;

    *bytes = 0;
    if (i >= ring->num_slots)
        i -= ring->num_slots;
    for (slots = 1; skip + slots <= space; slots++, i = nm_ring_next(ring, i)) {
        *bytes += ring->slot[i].len;
        if (!(ring->slot[i].flags & NS_MOREFRAG) || slots == NETMAP_MAX_FRAGS)
            return slots;
    }
    return skip == 0 && space + 1 == ring->num_slots ? space : 0;
}

/* Gives the first `slots` slots of an rx ring back. */
NM_INLINE void nm_release_slots(struct netmap_ring *ring, uint32_t slots)
{
    uint32_t head = ring->head + slots;

    if (head >= ring->num_slots)
        head -= ring->num_slots;
    ring->head = ring->cur = head;
}

/* Describes the slot at ring->head. */
NM_INLINE void nm_fill_header(struct nm_desc *d, struct netmap_ring *ring, struct nm_pkthdr *hdr)
{
    struct netmap_slot *slot = &ring->slot[ring->head];

    hdr->ts.tv_sec = (long)ring->ts.tv_sec;
    hdr->ts.tv_usec = (long)ring->ts.tv_usec;
    hdr->caplen = hdr->len = slot->len;
    hdr->flags = 0;
    hdr->d = d;
    hdr->slot = slot;
    hdr->buf = (uint8_t *)NETMAP_BUF_OFFSET(ring, slot);
}

/* Copies the frame of `slots` slots at ring->head to where there is room for it. */
NM_INLINE void nm_gather(struct netmap_ring *ring, uint32_t slots, uint8_t *to)
{
    uint32_t i = ring->head;

    for (; slots != 0; slots--, i = nm_ring_next(ring, i)) {
        memcpy(to, NETMAP_BUF_OFFSET(ring, &ring->slot[i]), ring->slot[i].len);
        to += ring->slot[i].len;
    }
}

/*
 * Calls `cb` for up to `cnt` received frames (all there are when cnt <= 0), ring after ring from
 * cur_rx_ring on, and gives each frame's slots back after its call, so that the callback may sync
 * the descriptor.  A frame in several slots is put together first, in memory of its own (so only
 * hdr->slot tells of them); one whose last slot has not arrived waits for a later call.  Returns
 * the number of frames.
 */
NM_INLINE int nm_dispatch(struct nm_desc *d, int cnt, nm_cb_t cb, unsigned char *arg)
{
    unsigned int n, k, rings = (unsigned int)d->last_rx_ring + 1 - d->first_rx_ring;
    unsigned int first = d->cur_rx_ring, last = first;
    uint8_t *whole = NULL;
    size_t whole_size = 0, bytes, ignored;
    uint32_t slots;
    int got = 0, more;

    for (n = 0; n < rings; n++) {
        struct netmap_ring *ring = nm_nth_rx_ring(d, n);

        while ((cnt <= 0 || got < cnt) && (slots = nm_frame_slots(ring, 0, &bytes)) != 0) {
            last = d->first_rx_ring + (first - d->first_rx_ring + n) % rings;
            nm_fill_header(d, ring, &d->hdr);
            if (slots > 1) {
                if (whole_size < bytes) {
                    free(whole);
                    whole_size = (size_t)NETMAP_MAX_FRAGS * 2048 > bytes
                                     ? (size_t)NETMAP_MAX_FRAGS * 2048
                                     : bytes;
                    whole = (uint8_t *)malloc(whole_size);
                }
                if (whole == NULL) {
                    whole_size = 0;
                    d->st.ps_drop++;
                    nm_release_slots(ring, slots);
                    continue;
                }
                nm_gather(ring, slots, whole);
                d->hdr.buf = whole;
                d->hdr.caplen = d->hdr.len = (uint32_t)bytes;
            }
            got++;
            more = 0;
            if (cnt <= 0 || got < cnt) {
                more = nm_frame_slots(ring, slots, &ignored) != 0;
                for (k = n + 1; !more && k < rings; k++)
                    more = nm_frame_slots(nm_nth_rx_ring(d, k), 0, &ignored) != 0;
            }
            d->hdr.flags = more ? NM_MORE_PKTS : 0;
            d->st.ps_recv++;
            cb(arg, &d->hdr, d->hdr.buf);
            nm_release_slots(ring, slots);
        }
    }
    d->cur_rx_ring = (uint16_t)last;
    free(whole);
    return got;
}

/*
 * Returns the data of the next received slot, described in *hdr and in d->hdr, or NULL when there
 * is none.  The slot is given back at once: the data stay until the next sync of the descriptor.
 * A frame in several slots comes as so many pieces, all but the last with NM_MORE_FRAGS in
 * hdr->flags; nm_dispatch() puts them together.
 */
NM_INLINE unsigned char *nm_nextpkt(struct nm_desc *d, struct nm_pkthdr *hdr)
{
    unsigned int n, rings = (unsigned int)d->last_rx_ring + 1 - d->first_rx_ring;

    for (n = 0; n < rings; n++) {
        struct netmap_ring *ring = nm_nth_rx_ring(d, n);

        if (ring->head == ring->tail)
            continue;
        nm_fill_header(d, ring, &d->hdr);
        if (d->hdr.slot->flags & NS_MOREFRAG)
            d->hdr.flags = NM_MORE_FRAGS;
        *hdr = d->hdr;
        d->st.ps_recv++;
        nm_release_slots(ring, 1);
        d->cur_rx_ring = (uint16_t)(d->first_rx_ring +
                                    ((unsigned int)d->cur_rx_ring - d->first_rx_ring + n) % rings);
        return hdr->buf;
    }
    return NULL;
}

#ifdef __cplusplus
}
#endif

#endif /* NET_NETMAP_NM_OPEN_H */
