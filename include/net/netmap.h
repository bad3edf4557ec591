/*
 * net/netmap.h - the netmap binary interface: shared memory, requests, options, ioctls.
 *
 * Copyright (c) 2026, the netmap for Windows authors.  BSD 2-Clause, see LICENSE.
 *
 * Every layout here is a contract between a program and a netmap host (netmapd on Linux,
 * netmap.sys on Windows) and is the same on both systems, byte for byte; the assertions below
 * each structure say so.  Only 64-bit programs are supported.
 *
 * How a program uses it
 *
 *   1. open("/dev/netmap") gives a descriptor bound to nothing.
 *   2. ioctl(fd, NIOCCTRL, &header) with NETMAP_REQ_REGISTER binds it to a port and tells the size
 *      of the port's memory region and where in it the port's netmap_if is.
 *   3. mmap(fd) shows the region: netmap_if, netmap_rings and packet buffers.
 *   4. The program fills or reads slots between ring->head and ring->tail, moves head and cur, and
 *      calls ioctl(fd, NIOCTXSYNC / NIOCRXSYNC) or poll(fd).
 *   5. close(fd) releases everything.
 *
 * net/netmap_user.h has the pointer arithmetic and the nm_open() family; libnetmap.h has the
 * nmport_open() family.  Most programs need nothing else.
 *
 * Errors of every request are errno values.  "Host" below means the other side of the rings.
 *
 * Freestanding users (the core, kernel drivers) define NETMAP_FREESTANDING: then only <stdint.h>
 * and <stddef.h> are included, and the names that would need a system header are spelled out.
 */
#ifndef NET_NETMAP_H
#define NET_NETMAP_H

#include <stddef.h>
#include <stdint.h>

/* Systems that lack struct timeval, ssize_t and _IOWR in the shape the interface needs. */
#if defined(_WIN32) || defined(NETMAP_FREESTANDING)
#define NM_NO_SYSTEM_TYPES 1
#else
#include <sys/types.h>
#include <sys/time.h>
#include <sys/ioctl.h>
#endif

/* ---------------------------------------------------------------------------------------------
 * Compiler differences, all in one place.
 */

/* NM_STATIC_ASSERT(condition, "text"): at file scope, in any C or C++ dialect. */
#if defined(__cplusplus) && (__cplusplus >= 201103L || defined(_MSC_VER))
#define NM_STATIC_ASSERT(cond, text) static_assert(cond, text)
#elif !defined(__cplusplus) && defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define NM_STATIC_ASSERT(cond, text) _Static_assert(cond, text)
#elif !defined(__cplusplus) && defined(__GNUC__)
#define NM_STATIC_ASSERT(cond, text) __extension__ _Static_assert(cond, text)
#else
#define NM_STATIC_ASSERT(cond, text) extern char nm_static_assertion[(cond) ? 1 : -1]
#endif

/* An array of any length at the end of a structure; C++ has none, but every compiler accepts it. */
#if defined(__GNUC__)
#define NM_FLEXIBLE_ARRAY(type, name) __extension__ type name[]
#elif defined(_MSC_VER)
#define NM_FLEXIBLE_ARRAY(type, name) __pragma(warning(suppress : 4200)) type name[]
#else
#define NM_FLEXIBLE_ARRAY(type, name) type name[]
#endif

/* Alignment of a structure member; written in front of its type. */
#if defined(_MSC_VER)
#define NM_ALIGNED(n) __declspec(align(n))
#else
#define NM_ALIGNED(n) __attribute__((aligned(n)))
#endif

/* NM_ASSERT_SIZE(struct, bytes) and NM_ASSERT_OFFSET(struct, member, bytes). */
#define NM_ASSERT_SIZE(type, bytes) NM_STATIC_ASSERT(sizeof(type) == (bytes), #type " size")
#define NM_ASSERT_OFFSET(type, member, bytes)                                                      \
    NM_STATIC_ASSERT(offsetof(type, member) == (bytes), #type "." #member " offset")

/*
 * Members a program must not write are const in C.  In C++ a structure with const members and no
 * constructor draws a warning at its definition, so there the promise is only in this comment.
 */
#ifdef __cplusplus
#define NM_CONST
#else
#define NM_CONST const
#endif

#ifdef __clang__ /* which does not let __extension__ speak for a flexible array */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpedantic"
#pragma clang diagnostic ignored "-Wc99-extensions"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------
 * Versions and general limits
 */

#define NETMAP_API     14 /* what a program puts in nr_version */
#define NETMAP_MIN_API 14 /* a host refuses anything below with EINVAL ... */
#define NETMAP_MAX_API 15 /* ... and anything above */

#define NM_IFNAMSIZ         16     /* bytes of a legacy port name, with its NUL, on every system */
#define NETMAP_REQ_IFNAMSIZ 64     /* bytes of nmreq_header.nr_name, with its NUL */
#define NETMAP_REQ_MAXSIZE  4096   /* body + all options of one request, in bytes; more: EMSGSIZE */
#define NETMAP_MAX_FRAGS    64     /* most slots of one frame chained by NS_MOREFRAG */
#define NM_CACHE_ALIGN      128    /* alignment of what two CPUs write, in bytes */
#define NM_BDG_NAME         "vale" /* every VALE switch name begins so */

/* The time type of netmap_ring.ts: 16 bytes everywhere. */
#ifdef NM_NO_SYSTEM_TYPES
struct nm_timeval {
    int64_t tv_sec;  /* seconds since 1970-01-01 UTC */
    int64_t tv_usec; /* microseconds, 0..999999 */
};
typedef struct nm_timeval nm_ring_timeval;
typedef int64_t nm_ring_offset;
#else
typedef struct timeval nm_ring_timeval;
typedef ssize_t nm_ring_offset;
#endif
NM_ASSERT_SIZE(nm_ring_timeval, 16);
NM_ASSERT_SIZE(nm_ring_offset, 8);

/* ---------------------------------------------------------------------------------------------
 * Shared memory
 *
 * A region holds netmap_ifs, rings and buffers.  Everything in it is reached by offset, never by
 * pointer, so it may be mapped anywhere.  Buffers have one size (ring->nr_buf_size) and are known
 * by index; indices 0 and 1 are reserved and never appear in a slot a program owns.
 */

/*
 * One frame, or one fragment of it.  Belongs to the program when its position is in
 * [head, tail), to the host otherwise.
 */
struct netmap_slot {
    uint32_t buf_idx; /* buffer holding the data.  A program that replaces it (swaps buffers)
                         must also set NS_BUF_CHANGED */
    uint16_t len;     /* bytes of data in the buffer, at most nr_buf_size less the offset */
    uint16_t flags;   /* NS_*, below */
    uint64_t ptr;     /* with NS_INDIRECT the address of the data in the program's own memory;
                         otherwise, when offsets were agreed on (nmreq_opt_offsets), the low
                         bits under ring->offset_mask are where the data start in the buffer */
};
NM_ASSERT_SIZE(struct netmap_slot, 16);
NM_ASSERT_OFFSET(struct netmap_slot, buf_idx, 0);
NM_ASSERT_OFFSET(struct netmap_slot, len, 4);
NM_ASSERT_OFFSET(struct netmap_slot, flags, 6);
NM_ASSERT_OFFSET(struct netmap_slot, ptr, 8);

/* netmap_slot.flags */
#define NS_BUF_CHANGED 0x0001 /* program: buf_idx was replaced; the host clears it */
#define NS_REPORT      0x0002 /* program, tx: move tail as soon as this slot is done; host clears */
#define NS_FORWARD     0x0004 /* program, rx: pass on, NIC to host stack or back; see NR_FORWARD */
#define NS_NO_LEARN    0x0008 /* program, VALE tx: do not learn this frame's source address */
#define NS_INDIRECT    0x0010 /* program, tx: data are at ptr, not in the buffer */
#define NS_MOREFRAG    0x0020 /* the frame goes on in the next slot; the last slot has it clear */
#define NS_TXMON       0x0040 /* host, monitor rx: the frame was seen in transmission */
#define NS_PORT_SHIFT  8      /* the upper byte: VALE tx: destination port, when not zero ... */
#define NS_PORT_MASK   (0xff << NS_PORT_SHIFT)
/* ... and in received slots: how many slots the frame has. */
#define NS_RFRAGS(slot) (((slot)->flags >> NS_PORT_SHIFT) & 0xff)

/*
 * One ring.  Positions are slot numbers, 0..num_slots-1.  The program writes head, cur, flags and
 * the slots it owns; everything else is the host's.
 *
 *   head  first slot the program owns; slots before it have been given back to the host
 *   cur   where poll() counts from: with cur == tail there is "nothing yet", head <= cur <= tail
 *   tail  first slot the program does not own
 *
 * all in circular order.  On a tx ring the program owns free slots and gives back frames to send;
 * on an rx ring it owns received frames and gives back free slots.  Values change hands only in a
 * sync (NIOCTXSYNC, NIOCRXSYNC, poll); the host validates them there, and a bad one resets the
 * ring to head = cur = (host's own position).
 */
struct netmap_ring {
    NM_CONST int64_t buf_ofs;      /* bytes from this structure to buffer 0 */
    NM_CONST uint32_t num_slots;   /* slots of this ring */
    NM_CONST uint32_t nr_buf_size; /* bytes of one buffer, and the stride between two */
    NM_CONST uint16_t ringid;      /* number among the rings of its direction */
    NM_CONST uint16_t dir;         /* 0 transmit, 1 receive */

    uint32_t head; /* program */
    uint32_t cur;  /* program */
    uint32_t tail; /* host */

    uint32_t flags;     /* program: NR_TIMESTAMP, NR_FORWARD */
    nm_ring_timeval ts; /* host: time of the last sync.  struct timeval, but on Windows (where
                           that has 8 bytes) struct nm_timeval with the same member names */

    NM_CONST uint64_t offset_mask; /* bits of slot.ptr that are the data offset; 0: no offsets */
    NM_CONST uint64_t buf_align;   /* data of a buffer end before the next multiple of this;
                                      a power of 2, or 0 when offsets are not in use */

    NM_ALIGNED(NM_CACHE_ALIGN) uint8_t sem[128]; /* the host's; programs leave it alone */

    NM_FLEXIBLE_ARRAY(struct netmap_slot, slot); /* num_slots of them */
};
NM_ASSERT_SIZE(struct netmap_ring, 256);
NM_ASSERT_OFFSET(struct netmap_ring, buf_ofs, 0);
NM_ASSERT_OFFSET(struct netmap_ring, num_slots, 8);
NM_ASSERT_OFFSET(struct netmap_ring, nr_buf_size, 12);
NM_ASSERT_OFFSET(struct netmap_ring, ringid, 16);
NM_ASSERT_OFFSET(struct netmap_ring, dir, 18);
NM_ASSERT_OFFSET(struct netmap_ring, head, 20);
NM_ASSERT_OFFSET(struct netmap_ring, cur, 24);
NM_ASSERT_OFFSET(struct netmap_ring, tail, 28);
NM_ASSERT_OFFSET(struct netmap_ring, flags, 32);
NM_ASSERT_OFFSET(struct netmap_ring, ts, 40);
NM_ASSERT_OFFSET(struct netmap_ring, offset_mask, 56);
NM_ASSERT_OFFSET(struct netmap_ring, buf_align, 64);
NM_ASSERT_OFFSET(struct netmap_ring, sem, 128);
NM_ASSERT_OFFSET(struct netmap_ring, slot, 256);

/* netmap_ring.flags */
#define NR_TIMESTAMP 0x0002 /* set ts at every sync of this ring */
#define NR_FORWARD   0x0004 /* honour NS_FORWARD in this ring's slots */

/*
 * One registration of a port, read-only except ni_bufs_head.  ring_ofs[] has one entry per ring in
 * the order: ni_tx_rings NIC tx, ni_host_tx_rings host tx, ni_rx_rings NIC rx, ni_host_rx_rings
 * host rx.  Each is an offset in bytes from this structure.  Rings the registration did not ask
 * for may have offset 0: do not touch them.
 */
struct netmap_if {
    char ni_name[NM_IFNAMSIZ];     /* port name, cut to 15 characters */
    NM_CONST uint32_t ni_version;  /* NETMAP_API of the host */
    NM_CONST uint32_t ni_flags;    /* NI_* */
    NM_CONST uint32_t ni_tx_rings; /* NIC tx rings of the port */
    NM_CONST uint32_t ni_rx_rings; /* NIC rx rings of the port */

    uint32_t ni_bufs_head; /* index of the first extra buffer (nr_extra_bufs), 0: none.  The first
                              uint32_t in each buffer is the index of the next, 0 ends the list.
                              Whatever is on the list at close goes back to the region */

    NM_CONST uint32_t ni_host_tx_rings; /* host tx rings (towards the host stack) */
    NM_CONST uint32_t ni_host_rx_rings; /* host rx rings (from the host stack) */

    uint32_t ni_spare1[3];

    NM_FLEXIBLE_ARRAY(NM_CONST nm_ring_offset, ring_ofs);
};
NM_ASSERT_SIZE(struct netmap_if, 56);
NM_ASSERT_OFFSET(struct netmap_if, ni_name, 0);
NM_ASSERT_OFFSET(struct netmap_if, ni_version, 16);
NM_ASSERT_OFFSET(struct netmap_if, ni_flags, 20);
NM_ASSERT_OFFSET(struct netmap_if, ni_tx_rings, 24);
NM_ASSERT_OFFSET(struct netmap_if, ni_rx_rings, 28);
NM_ASSERT_OFFSET(struct netmap_if, ni_bufs_head, 32);
NM_ASSERT_OFFSET(struct netmap_if, ni_host_tx_rings, 36);
NM_ASSERT_OFFSET(struct netmap_if, ni_host_rx_rings, 40);
NM_ASSERT_OFFSET(struct netmap_if, ni_spare1, 44);
NM_ASSERT_OFFSET(struct netmap_if, ring_ofs, 56);

/* netmap_if.ni_flags */
#define NI_PRIV_MEM 0x1 /* the region belongs to this port alone, it is not the global one */

/* ---------------------------------------------------------------------------------------------
 * Requests: ioctl(fd, NIOCCTRL, struct nmreq_header *)
 */

/*
 * Goes in front of every request.  The host copies header, body and options once, acts, and
 * writes the body and every option's nro_status back, the statuses even when the request fails.
 * Errors any request can give: EINVAL (version outside 14..15, reserved not 0, name without NUL,
 * unknown type, body missing or not wanted, an option twice or of type 0), EMSGSIZE (body and
 * options together longer than NETMAP_REQ_MAXSIZE), EOPNOTSUPP (an option the request does not
 * know: its nro_status says so), EFAULT.
 */
struct nmreq_header {
    uint16_t nr_version;               /* NETMAP_API */
    uint16_t nr_reqtype;               /* NETMAP_REQ_* */
    uint32_t nr_reserved;              /* 0 */
    char nr_name[NETMAP_REQ_IFNAMSIZ]; /* port: "eth0", "vale0:a", "x{1", "12" (a Windows interface
                                          index) ...; never the "netmap:" prefix */
    uint64_t nr_options;               /* address of the first struct nmreq_option, 0: none */
    uint64_t nr_body; /* address of the structure that belongs to nr_reqtype, 0: none */
};
NM_ASSERT_SIZE(struct nmreq_header, 88);
NM_ASSERT_OFFSET(struct nmreq_header, nr_version, 0);
NM_ASSERT_OFFSET(struct nmreq_header, nr_reqtype, 2);
NM_ASSERT_OFFSET(struct nmreq_header, nr_reserved, 4);
NM_ASSERT_OFFSET(struct nmreq_header, nr_name, 8);
NM_ASSERT_OFFSET(struct nmreq_header, nr_options, 72);
NM_ASSERT_OFFSET(struct nmreq_header, nr_body, 80);

/* nmreq_header.nr_reqtype, each with the body it takes */
enum {
    NETMAP_REQ_REGISTER = 1,         /* nmreq_register: bind the descriptor to a port */
    NETMAP_REQ_PORT_INFO_GET,        /* nmreq_port_info_get: the same numbers, without binding */
    NETMAP_REQ_VALE_ATTACH,          /* nmreq_vale_attach: put a port on a switch */
    NETMAP_REQ_VALE_DETACH,          /* nmreq_vale_detach: and take it off */
    NETMAP_REQ_VALE_LIST,            /* nmreq_vale_list: look up or walk switches and ports */
    NETMAP_REQ_PORT_HDR_SET,         /* nmreq_port_hdr: virtio-net header length of a port */
    NETMAP_REQ_PORT_HDR_GET,         /* nmreq_port_hdr */
    NETMAP_REQ_VALE_NEWIF,           /* nmreq_vale_newif: create a persistent port */
    NETMAP_REQ_VALE_DELIF,           /* no body: destroy it */
    NETMAP_REQ_VALE_POLLING_ENABLE,  /* nmreq_vale_polling: host threads poll an attached NIC */
    NETMAP_REQ_VALE_POLLING_DISABLE, /* nmreq_vale_polling */
    NETMAP_REQ_POOLS_INFO_GET,       /* nmreq_pools_info: layout of a region */
    NETMAP_REQ_SYNC_KLOOP_START,     /* nmreq_sync_kloop_start: sync in a loop until STOP */
    NETMAP_REQ_SYNC_KLOOP_STOP,      /* no body */
    NETMAP_REQ_CSB_ENABLE            /* no body, option CSB: exchange head/cur/tail through it */
};

/*
 * In front of every option; embedded as the first member, nro_opt.
 */
struct nmreq_option {
    uint64_t nro_next;    /* address of the next option, 0: the last one */
    uint32_t nro_reqtype; /* NETMAP_REQ_OPT_* */
    uint32_t nro_status;  /* host: 0 accepted, or an errno value */
    uint64_t nro_size;    /* for options that end in an array: bytes of the whole option, this
                             structure and the array included; 0 for all others */
};
NM_ASSERT_SIZE(struct nmreq_option, 24);
NM_ASSERT_OFFSET(struct nmreq_option, nro_next, 0);
NM_ASSERT_OFFSET(struct nmreq_option, nro_reqtype, 8);
NM_ASSERT_OFFSET(struct nmreq_option, nro_status, 12);
NM_ASSERT_OFFSET(struct nmreq_option, nro_size, 16);

/* nmreq_option.nro_reqtype */
enum {
    NETMAP_REQ_OPT_EXTMEM = 1,          /* nmreq_opt_extmem, with REGISTER */
    NETMAP_REQ_OPT_SYNC_KLOOP_EVENTFDS, /* nmreq_opt_sync_kloop_eventfds, with SYNC_KLOOP_START */
    NETMAP_REQ_OPT_CSB,                 /* nmreq_opt_csb, with REGISTER or CSB_ENABLE */
    NETMAP_REQ_OPT_SYNC_KLOOP_MODE,     /* nmreq_opt_sync_kloop_mode, with SYNC_KLOOP_START */
    NETMAP_REQ_OPT_OFFSETS,             /* nmreq_opt_offsets, with REGISTER */
    NETMAP_REQ_OPT_MAX                  /* not an option: one past the last */
};

/*
 * NETMAP_REQ_REGISTER.  In: what the program wants, 0 meaning the host's choice.  Out: what it
 * got.  EBUSY the descriptor is bound already, or somebody holds the rings exclusively; ENXIO no
 * such port; EIO the port carries a virtio-net header and NR_ACCEPT_VNET_HDR is not set; ENOMEM
 * the region has no room; EINVAL mode, flags, ring number or option.
 */
struct nmreq_register {
    uint64_t nr_offset;  /* out: bytes from the start of the region to the netmap_if */
    uint64_t nr_memsize; /* out: bytes of the region, what to mmap */

    uint32_t nr_tx_slots; /* slots per tx ring */
    uint32_t nr_rx_slots; /* slots per rx ring */

    uint16_t nr_tx_rings; /* NIC tx rings */
    uint16_t nr_rx_rings; /* NIC rx rings */

    uint16_t nr_host_tx_rings; /* host tx rings */
    uint16_t nr_host_rx_rings; /* host rx rings */

    uint16_t nr_mem_id;     /* region: 0 the host's choice, 1 the global one */
    uint16_t nr_ringid;     /* ring number, with NR_REG_ONE_NIC and NR_REG_ONE_SW */
    uint32_t nr_mode;       /* NR_REG_*: which rings */
    uint32_t nr_extra_bufs; /* buffers besides the rings'; out: how many were given */
    uint64_t nr_flags;      /* NR_MONITOR_TX ... NR_NO_TX_POLL, below */
};
NM_ASSERT_SIZE(struct nmreq_register, 56);
NM_ASSERT_OFFSET(struct nmreq_register, nr_offset, 0);
NM_ASSERT_OFFSET(struct nmreq_register, nr_memsize, 8);
NM_ASSERT_OFFSET(struct nmreq_register, nr_tx_slots, 16);
NM_ASSERT_OFFSET(struct nmreq_register, nr_rx_slots, 20);
NM_ASSERT_OFFSET(struct nmreq_register, nr_tx_rings, 24);
NM_ASSERT_OFFSET(struct nmreq_register, nr_rx_rings, 26);
NM_ASSERT_OFFSET(struct nmreq_register, nr_host_tx_rings, 28);
NM_ASSERT_OFFSET(struct nmreq_register, nr_host_rx_rings, 30);
NM_ASSERT_OFFSET(struct nmreq_register, nr_mem_id, 32);
NM_ASSERT_OFFSET(struct nmreq_register, nr_ringid, 34);
NM_ASSERT_OFFSET(struct nmreq_register, nr_mode, 36);
NM_ASSERT_OFFSET(struct nmreq_register, nr_extra_bufs, 40);
NM_ASSERT_OFFSET(struct nmreq_register, nr_flags, 48);

/* nmreq_register.nr_mode, and the low bits of the legacy nmreq.nr_flags */
enum {
    NR_REG_DEFAULT = 0,     /* legacy only: nr_ringid says which rings */
    NR_REG_ALL_NIC = 1,     /* all NIC rings */
    NR_REG_SW = 2,          /* all host rings */
    NR_REG_NIC_SW = 3,      /* all NIC and all host rings */
    NR_REG_ONE_NIC = 4,     /* NIC ring pair nr_ringid */
    NR_REG_PIPE_MASTER = 5, /* deprecated, legacy only: put "{id" in the name */
    NR_REG_PIPE_SLAVE = 6,  /* deprecated, legacy only: put "}id" in the name */
    NR_REG_NULL = 7,        /* no port at all: memory only, zero rings allowed */
    NR_REG_ONE_SW = 8       /* host ring pair nr_ringid */
};
#define NR_REG_MASK 0xf

/* nmreq_register.nr_flags, and the upper bits of the legacy nmreq.nr_flags */
#define NR_MONITOR_TX      0x100   /* see what the port transmits */
#define NR_MONITOR_RX      0x200   /* see what the port receives */
#define NR_ZCOPY_MON       0x400   /* monitor without copying */
#define NR_EXCLUSIVE       0x800   /* nobody else may bind these rings */
#define NR_RX_RINGS_ONLY   0x2000  /* only the rx rings of the mode */
#define NR_TX_RINGS_ONLY   0x4000  /* only the tx rings of the mode */
#define NR_ACCEPT_VNET_HDR 0x8000  /* the program copes with a virtio-net header before frames */
#define NR_DO_RX_POLL      0x10000 /* poll() does an rxsync even when it waits only for writing */
#define NR_NO_TX_POLL      0x20000 /* poll() does no txsync unless it waits for writing */

/*
 * NETMAP_REQ_PORT_INFO_GET.  An empty nr_name asks for the allocator's numbers only (nr_mem_id
 * chooses it).  ENXIO no such port.
 */
struct nmreq_port_info_get {
    uint64_t nr_memsize;       /* out: bytes of the region */
    uint32_t nr_tx_slots;      /* out: slots per tx ring */
    uint32_t nr_rx_slots;      /* out: slots per rx ring */
    uint16_t nr_tx_rings;      /* out: NIC tx rings */
    uint16_t nr_rx_rings;      /* out: NIC rx rings */
    uint16_t nr_host_tx_rings; /* out: host tx rings */
    uint16_t nr_host_rx_rings; /* out: host rx rings */
    uint16_t nr_mem_id;        /* in and out: region */
    uint16_t pad[3];
};
NM_ASSERT_SIZE(struct nmreq_port_info_get, 32);
NM_ASSERT_OFFSET(struct nmreq_port_info_get, nr_memsize, 0);
NM_ASSERT_OFFSET(struct nmreq_port_info_get, nr_tx_slots, 8);
NM_ASSERT_OFFSET(struct nmreq_port_info_get, nr_rx_slots, 12);
NM_ASSERT_OFFSET(struct nmreq_port_info_get, nr_tx_rings, 16);
NM_ASSERT_OFFSET(struct nmreq_port_info_get, nr_rx_rings, 18);
NM_ASSERT_OFFSET(struct nmreq_port_info_get, nr_host_tx_rings, 20);
NM_ASSERT_OFFSET(struct nmreq_port_info_get, nr_host_rx_rings, 22);
NM_ASSERT_OFFSET(struct nmreq_port_info_get, nr_mem_id, 24);
NM_ASSERT_OFFSET(struct nmreq_port_info_get, pad, 26);

/*
 * NETMAP_REQ_VALE_ATTACH: nr_name is "valeX:port", port being a NIC or a persistent port.  With
 * reg.nr_mode NR_REG_NIC_SW the NIC's host rings are attached as well, as a port of their own.
 * EBUSY already attached; ENXIO no such port; EINVAL not a VALE name.
 */
struct nmreq_vale_attach {
    struct nmreq_register reg; /* how to bind the port */
    uint32_t port_index;       /* out: its number on the switch */
    uint32_t pad1;
};
NM_ASSERT_SIZE(struct nmreq_vale_attach, 64);
NM_ASSERT_OFFSET(struct nmreq_vale_attach, reg, 0);
NM_ASSERT_OFFSET(struct nmreq_vale_attach, port_index, 56);
NM_ASSERT_OFFSET(struct nmreq_vale_attach, pad1, 60);

/* NETMAP_REQ_VALE_DETACH.  ENXIO no such port on the switch; EBUSY it is being polled. */
struct nmreq_vale_detach {
    uint32_t port_index; /* out: the number it had */
    uint32_t pad1;
};
NM_ASSERT_SIZE(struct nmreq_vale_detach, 8);
NM_ASSERT_OFFSET(struct nmreq_vale_detach, port_index, 0);
NM_ASSERT_OFFSET(struct nmreq_vale_detach, pad1, 4);

/*
 * NETMAP_REQ_VALE_LIST.  With a name: out its two indices.  With an empty name: in the indices to
 * begin at, out the first port at or after them and its name in nr_name; ENOENT past the end.
 * To walk: start at 0,0; add 1 to nr_port_idx before each further call.
 */
struct nmreq_vale_list {
    uint16_t nr_bridge_idx; /* number of the switch */
    uint16_t pad1;
    uint32_t nr_port_idx; /* number of the port on it */
};
NM_ASSERT_SIZE(struct nmreq_vale_list, 8);
NM_ASSERT_OFFSET(struct nmreq_vale_list, nr_bridge_idx, 0);
NM_ASSERT_OFFSET(struct nmreq_vale_list, pad1, 2);
NM_ASSERT_OFFSET(struct nmreq_vale_list, nr_port_idx, 4);

/* NETMAP_REQ_PORT_HDR_SET and _GET.  Anything but 0, 10 and 12 is EINVAL. */
struct nmreq_port_hdr {
    uint32_t nr_hdr_len; /* bytes of the virtio-net header before each frame of the port */
    uint32_t pad1;
};
NM_ASSERT_SIZE(struct nmreq_port_hdr, 8);
NM_ASSERT_OFFSET(struct nmreq_port_hdr, nr_hdr_len, 0);
NM_ASSERT_OFFSET(struct nmreq_port_hdr, pad1, 4);

/*
 * NETMAP_REQ_VALE_NEWIF: nr_name (no switch, no colon) becomes a persistent port, usable as
 * "netmap:name" or attached as "valeX:name", until NETMAP_REQ_VALE_DELIF.  0: the host's choice.
 * EEXIST there is one; DELIF: ENXIO there is none, EBUSY it is open or attached.
 */
struct nmreq_vale_newif {
    uint32_t nr_tx_slots; /* slots per tx ring */
    uint32_t nr_rx_slots; /* slots per rx ring */
    uint16_t nr_tx_rings; /* tx rings */
    uint16_t nr_rx_rings; /* rx rings */
    uint16_t nr_mem_id;   /* region, 0: a private one */
    uint16_t pad1;
};
NM_ASSERT_SIZE(struct nmreq_vale_newif, 16);
NM_ASSERT_OFFSET(struct nmreq_vale_newif, nr_tx_slots, 0);
NM_ASSERT_OFFSET(struct nmreq_vale_newif, nr_rx_slots, 4);
NM_ASSERT_OFFSET(struct nmreq_vale_newif, nr_tx_rings, 8);
NM_ASSERT_OFFSET(struct nmreq_vale_newif, nr_rx_rings, 10);
NM_ASSERT_OFFSET(struct nmreq_vale_newif, nr_mem_id, 12);
NM_ASSERT_OFFSET(struct nmreq_vale_newif, pad1, 14);

/*
 * NETMAP_REQ_VALE_POLLING_ENABLE and _DISABLE, for a NIC attached to a switch.  EINVAL there are
 * no such CPUs, or bad mode; EBUSY it is polled already.
 */
struct nmreq_vale_polling {
    uint32_t nr_mode;             /* NETMAP_POLLING_MODE_* */
    uint32_t nr_first_cpu_id;     /* first CPU to use */
    uint32_t nr_num_polling_cpus; /* how many, from there */
    uint32_t pad1;
};
NM_ASSERT_SIZE(struct nmreq_vale_polling, 16);
NM_ASSERT_OFFSET(struct nmreq_vale_polling, nr_mode, 0);
NM_ASSERT_OFFSET(struct nmreq_vale_polling, nr_first_cpu_id, 4);
NM_ASSERT_OFFSET(struct nmreq_vale_polling, nr_num_polling_cpus, 8);
NM_ASSERT_OFFSET(struct nmreq_vale_polling, pad1, 12);

#define NETMAP_POLLING_MODE_SINGLE_CPU 1 /* one CPU polls every ring */
#define NETMAP_POLLING_MODE_MULTI_CPU  2 /* one CPU for each ring */

/*
 * NETMAP_REQ_POOLS_INFO_GET, and inside nmreq_opt_extmem.  The three pools of a region: where each
 * starts (bytes from the start of the region), how many objects it has and how large one is.
 */
struct nmreq_pools_info {
    uint64_t nr_memsize; /* bytes of the region */
    uint16_t nr_mem_id;  /* in and out: region, when nr_name is empty */
    uint16_t pad1[3];
    uint64_t nr_if_pool_offset;
    uint32_t nr_if_pool_objtotal;
    uint32_t nr_if_pool_objsize;
    uint64_t nr_ring_pool_offset;
    uint32_t nr_ring_pool_objtotal;
    uint32_t nr_ring_pool_objsize;
    uint64_t nr_buf_pool_offset;
    uint32_t nr_buf_pool_objtotal;
    uint32_t nr_buf_pool_objsize;
};
NM_ASSERT_SIZE(struct nmreq_pools_info, 64);
NM_ASSERT_OFFSET(struct nmreq_pools_info, nr_memsize, 0);
NM_ASSERT_OFFSET(struct nmreq_pools_info, nr_mem_id, 8);
NM_ASSERT_OFFSET(struct nmreq_pools_info, pad1, 10);
NM_ASSERT_OFFSET(struct nmreq_pools_info, nr_if_pool_offset, 16);
NM_ASSERT_OFFSET(struct nmreq_pools_info, nr_if_pool_objtotal, 24);
NM_ASSERT_OFFSET(struct nmreq_pools_info, nr_if_pool_objsize, 28);
NM_ASSERT_OFFSET(struct nmreq_pools_info, nr_ring_pool_offset, 32);
NM_ASSERT_OFFSET(struct nmreq_pools_info, nr_ring_pool_objtotal, 40);
NM_ASSERT_OFFSET(struct nmreq_pools_info, nr_ring_pool_objsize, 44);
NM_ASSERT_OFFSET(struct nmreq_pools_info, nr_buf_pool_offset, 48);
NM_ASSERT_OFFSET(struct nmreq_pools_info, nr_buf_pool_objtotal, 56);
NM_ASSERT_OFFSET(struct nmreq_pools_info, nr_buf_pool_objsize, 60);

/*
 * NETMAP_REQ_SYNC_KLOOP_START: does not return until another thread sends SYNC_KLOOP_STOP or the
 * descriptor is closed; meanwhile the host syncs the descriptor's rings through the CSB.  EBUSY a
 * loop is running; EINVAL or EOPNOTSUPP the descriptor has no CSB.
 */
struct nmreq_sync_kloop_start {
    uint32_t sleep_us; /* microseconds to sleep when a round found nothing; 0 spins.  Not used
                          with the EVENTFDS option */
    uint32_t pad1;
};
NM_ASSERT_SIZE(struct nmreq_sync_kloop_start, 8);
NM_ASSERT_OFFSET(struct nmreq_sync_kloop_start, sleep_us, 0);
NM_ASSERT_OFFSET(struct nmreq_sync_kloop_start, pad1, 4);

/* ---------------------------------------------------------------------------------------------
 * Options
 */

/*
 * Use the program's own memory as the region.  The memory must be page aligned, stay mapped while
 * any descriptor uses it, and is what the program uses instead of mmap.  Host: nro_info is filled
 * with the layout.  EINVAL too small or badly aligned; EOPNOTSUPP the port has a region already.
 */
struct nmreq_opt_extmem {
    struct nmreq_option nro_opt;
    uint64_t nro_usrptr;              /* address of the memory */
    struct nmreq_pools_info nro_info; /* in: nr_memsize; counts and sizes, 0: the host chooses */
};
NM_ASSERT_SIZE(struct nmreq_opt_extmem, 96);
NM_ASSERT_OFFSET(struct nmreq_opt_extmem, nro_opt, 0);
NM_ASSERT_OFFSET(struct nmreq_opt_extmem, nro_usrptr, 24);
NM_ASSERT_OFFSET(struct nmreq_opt_extmem, nro_info, 32);

/* One entry per ring of the descriptor: tx rings first, then rx.  nro_size is to be set. */
struct nm_kloop_eventfds {
    int32_t ioeventfd; /* the program signals this one: there is work for the host */
    int32_t irqfd;     /* the host signals this one: there is work for the program */
};
NM_ASSERT_SIZE(struct nm_kloop_eventfds, 8);

struct nmreq_opt_sync_kloop_eventfds {
    struct nmreq_option nro_opt;
    NM_FLEXIBLE_ARRAY(struct nm_kloop_eventfds, eventfds);
};
NM_ASSERT_SIZE(struct nmreq_opt_sync_kloop_eventfds, 24);
NM_ASSERT_OFFSET(struct nmreq_opt_sync_kloop_eventfds, nro_opt, 0);
NM_ASSERT_OFFSET(struct nmreq_opt_sync_kloop_eventfds, eventfds, 24);

/* Sync in the context that signals the event instead of the loop's own thread. */
struct nmreq_opt_sync_kloop_mode {
    struct nmreq_option nro_opt;
    uint32_t mode; /* NM_OPT_SYNC_KLOOP_DIRECT_* */
};
NM_ASSERT_SIZE(struct nmreq_opt_sync_kloop_mode, 32);
NM_ASSERT_OFFSET(struct nmreq_opt_sync_kloop_mode, nro_opt, 0);
NM_ASSERT_OFFSET(struct nmreq_opt_sync_kloop_mode, mode, 24);

#define NM_OPT_SYNC_KLOOP_DIRECT_TX 1 /* tx rings */
#define NM_OPT_SYNC_KLOOP_DIRECT_RX 2 /* rx rings */

/*
 * Control and status blocks in the program's memory take the place of head, cur and tail in the
 * rings.  Needs NR_EXCLUSIVE.  Both addresses 64-byte aligned, else EINVAL; one entry per ring of
 * the descriptor, tx rings first, then rx.
 */
struct nmreq_opt_csb {
    struct nmreq_option nro_opt;
    uint64_t csb_atok; /* address of struct nm_csb_atok[], written by the program */
    uint64_t csb_ktoa; /* address of struct nm_csb_ktoa[], written by the host */
};
NM_ASSERT_SIZE(struct nmreq_opt_csb, 40);
NM_ASSERT_OFFSET(struct nmreq_opt_csb, nro_opt, 0);
NM_ASSERT_OFFSET(struct nmreq_opt_csb, csb_atok, 24);
NM_ASSERT_OFFSET(struct nmreq_opt_csb, csb_ktoa, 32);

/* Application to host.  nm_sync_kloop_appl_write() in net/netmap_user.h orders the stores. */
struct nm_csb_atok {
    uint32_t head;           /* as netmap_ring.head */
    uint32_t cur;            /* as netmap_ring.cur */
    uint32_t appl_need_kick; /* 1: signal irqfd when something changed */
    uint32_t sync_flags;     /* flags of the next sync, 0 */
    uint32_t pad[12];
};
NM_ASSERT_SIZE(struct nm_csb_atok, 64);
NM_ASSERT_OFFSET(struct nm_csb_atok, head, 0);
NM_ASSERT_OFFSET(struct nm_csb_atok, cur, 4);
NM_ASSERT_OFFSET(struct nm_csb_atok, appl_need_kick, 8);
NM_ASSERT_OFFSET(struct nm_csb_atok, sync_flags, 12);
NM_ASSERT_OFFSET(struct nm_csb_atok, pad, 16);

/* Host to application.  nm_sync_kloop_appl_read() orders the loads. */
struct nm_csb_ktoa {
    uint32_t hwcur;          /* what the host has taken: slots before it are done with */
    uint32_t hwtail;         /* as netmap_ring.tail */
    uint32_t kern_need_kick; /* 1: signal ioeventfd after moving head */
    uint32_t pad[13];
};
NM_ASSERT_SIZE(struct nm_csb_ktoa, 64);
NM_ASSERT_OFFSET(struct nm_csb_ktoa, hwcur, 0);
NM_ASSERT_OFFSET(struct nm_csb_ktoa, hwtail, 4);
NM_ASSERT_OFFSET(struct nm_csb_ktoa, kern_need_kick, 8);
NM_ASSERT_OFFSET(struct nm_csb_ktoa, pad, 12);

/*
 * Let frames start anywhere in their buffers; the place is in slot.ptr, under ring->offset_mask.
 * EINVAL the buffers are too small for what is asked; EOPNOTSUPP the port cannot.
 */
struct nmreq_opt_offsets {
    struct nmreq_option nro_opt;
    uint64_t nro_max_offset;     /* largest offset the program will use; out: what was granted */
    uint64_t nro_initial_offset; /* written into every slot at registration */
    uint32_t nro_offset_bits;    /* bits of slot.ptr to use, 0: as many as there are; out */
    uint32_t nro_tx_align;       /* alignment tx data will have, 0: none promised */
    uint64_t nro_min_gap;        /* bytes to leave free after the largest frame */
};
NM_ASSERT_SIZE(struct nmreq_opt_offsets, 56);
NM_ASSERT_OFFSET(struct nmreq_opt_offsets, nro_opt, 0);
NM_ASSERT_OFFSET(struct nmreq_opt_offsets, nro_max_offset, 24);
NM_ASSERT_OFFSET(struct nmreq_opt_offsets, nro_initial_offset, 32);
NM_ASSERT_OFFSET(struct nmreq_opt_offsets, nro_offset_bits, 40);
NM_ASSERT_OFFSET(struct nmreq_opt_offsets, nro_tx_align, 44);
NM_ASSERT_OFFSET(struct nmreq_opt_offsets, nro_min_gap, 48);

/* ---------------------------------------------------------------------------------------------
 * Ioctls.  NIOCGINFO, NIOCREGIF and NIOCCONFIG are in net/netmap_legacy.h.
 *
 *   NIOCCTRL    a request; argument struct nmreq_header *
 *   NIOCTXSYNC  hand over frames in the tx rings; no argument.  A barrier: on return every valid
 *               slot before head has been delivered, dropped and counted, or queued behind a full
 *               receiver, and tail is current
 *   NIOCRXSYNC  give back read slots of the rx rings and look for new frames; no argument
 *
 * The numbers are Linux's.  On Windows an ioctl() of ours acts on the same numbers.
 */
#ifdef NM_NO_SYSTEM_TYPES
#define NIOCTXSYNC 0x6994u
#define NIOCRXSYNC 0x6995u
#define NIOCCTRL   0xC0586997u
#else
#define NIOCTXSYNC _IO('i', 148)
#define NIOCRXSYNC _IO('i', 149)
#define NIOCCTRL   _IOWR('i', 151, struct nmreq_header)
#if defined(__x86_64__) || defined(__aarch64__)
NM_STATIC_ASSERT(NIOCTXSYNC == 0x6994, "NIOCTXSYNC number");
NM_STATIC_ASSERT(NIOCRXSYNC == 0x6995, "NIOCRXSYNC number");
NM_STATIC_ASSERT(NIOCCTRL == 0xC0586997, "NIOCCTRL number");
#endif
#endif

#ifdef __cplusplus
}
#endif

#ifdef __clang__
#pragma clang diagnostic pop
#endif

#include <net/netmap_legacy.h>

#endif /* NET_NETMAP_H */
