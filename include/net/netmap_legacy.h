/*
 * net/netmap_legacy.h - the older control interface: struct nmreq and NIOCREGIF.
 *
 * Copyright (c) 2026, the netmap for Windows authors.  BSD 2-Clause, see LICENSE.
 *
 * Existing programs (and nm_open()) use it; new ones should use NIOCCTRL.  A host translates each
 * of these requests into one of net/netmap.h, so everything said there holds here.  Included by
 * net/netmap.h.
 */
#include <net/netmap.h> /* does nothing when it is netmap.h that includes this file */

#ifndef NET_NETMAP_LEGACY_H
#define NET_NETMAP_LEGACY_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * NIOCREGIF: with nr_cmd 0 bind the descriptor to nr_name, otherwise do what nr_cmd says.
 * NIOCGINFO: the numbers of a port without binding, or of the allocator when nr_name is empty;
 * with NETMAP_BDG_LIST or NETMAP_BDG_VNET_HDR_GET in nr_cmd also those two.
 * nr_version must be at least 14, else EINVAL.  0 in a size asks for the host's choice, and the
 * host writes the real value back.
 */
struct nmreq {
    char nr_name[NM_IFNAMSIZ]; /* port, NUL terminated */
    uint32_t nr_version;       /* NETMAP_API */
    uint32_t nr_offset;        /* out: bytes from the start of the region to the netmap_if */
    uint32_t nr_memsize;       /* out: bytes of the region */
    uint32_t nr_tx_slots;      /* slots per tx ring */
    uint32_t nr_rx_slots;      /* slots per rx ring */
    uint16_t nr_tx_rings;      /* NIC tx rings */
    uint16_t nr_rx_rings;      /* NIC rx rings */
    uint16_t nr_ringid;        /* ring or pipe number under NETMAP_RING_MASK, and the bits below */
    uint16_t nr_cmd;           /* NETMAP_BDG_*, 0: bind */
    uint16_t nr_arg1;          /* VALE: switch or port index, header length, NETMAP_BDG_HOST */
    uint16_t nr_arg2;          /* region */
    uint32_t nr_arg3;          /* extra buffers; out: how many were given */
    uint32_t nr_flags;         /* NR_REG_* under NR_REG_MASK, and NR_MONITOR_TX ... of netmap.h.
                                  0: the bits of nr_ringid say which rings */
    uint32_t spare2[1];
};
NM_ASSERT_SIZE(struct nmreq, 60);
NM_ASSERT_OFFSET(struct nmreq, nr_name, 0);
NM_ASSERT_OFFSET(struct nmreq, nr_version, 16);
NM_ASSERT_OFFSET(struct nmreq, nr_offset, 20);
NM_ASSERT_OFFSET(struct nmreq, nr_memsize, 24);
NM_ASSERT_OFFSET(struct nmreq, nr_tx_slots, 28);
NM_ASSERT_OFFSET(struct nmreq, nr_rx_slots, 32);
NM_ASSERT_OFFSET(struct nmreq, nr_tx_rings, 36);
NM_ASSERT_OFFSET(struct nmreq, nr_rx_rings, 38);
NM_ASSERT_OFFSET(struct nmreq, nr_ringid, 40);
NM_ASSERT_OFFSET(struct nmreq, nr_cmd, 42);
NM_ASSERT_OFFSET(struct nmreq, nr_arg1, 44);
NM_ASSERT_OFFSET(struct nmreq, nr_arg2, 46);
NM_ASSERT_OFFSET(struct nmreq, nr_arg3, 48);
NM_ASSERT_OFFSET(struct nmreq, nr_flags, 52);
NM_ASSERT_OFFSET(struct nmreq, spare2, 56);

/* nmreq.nr_ringid */
#define NETMAP_HW_RING    0x4000 /* one NIC ring pair: the number */
#define NETMAP_SW_RING    0x2000 /* the host rings */
#define NETMAP_RING_MASK  0x0fff /* the number */
#define NETMAP_NO_TX_POLL 0x1000 /* poll() does no txsync unless it waits for writing */
#define NETMAP_DO_RX_POLL 0x8000 /* poll() does an rxsync even when it waits only for writing */

/* nmreq.nr_cmd */
#define NETMAP_BDG_ATTACH       1  /* "valeX:port": nr_arg1 NETMAP_BDG_HOST adds the host rings */
#define NETMAP_BDG_DETACH       2  /* "valeX:port" */
#define NETMAP_BDG_REGOPS       3  /* kernel modules only: refused */
#define NETMAP_BDG_LIST         4  /* nr_arg1 switch index, nr_arg2 port index */
#define NETMAP_BDG_VNET_HDR     5  /* nr_arg1: set the header length */
#define NETMAP_BDG_NEWIF        6  /* create a persistent port */
#define NETMAP_BDG_DELIF        7  /* destroy it */
#define NETMAP_PT_HOST_CREATE   8  /* passthrough: refused */
#define NETMAP_PT_HOST_DELETE   9  /* passthrough: refused */
#define NETMAP_BDG_POLLING_ON   10 /* poll an attached NIC */
#define NETMAP_BDG_POLLING_OFF  11 /* stop that */
#define NETMAP_VNET_HDR_GET     12 /* nr_arg1: out, the header length */
#define NETMAP_BDG_VNET_HDR_GET NETMAP_VNET_HDR_GET

#define NETMAP_BDG_HOST 1 /* nr_arg1 of NETMAP_BDG_ATTACH */

/*
 * NIOCCONFIG: configuration of a host module that takes opaque data; nothing here does, so it is
 * answered EOPNOTSUPP (EINVAL for a bad name).
 */
#define NM_IFRDATA_LEN 256
struct nm_ifreq {
    char nifr_name[NM_IFNAMSIZ];
    char data[NM_IFRDATA_LEN];
};
NM_ASSERT_SIZE(struct nm_ifreq, 272);
NM_ASSERT_OFFSET(struct nm_ifreq, nifr_name, 0);
NM_ASSERT_OFFSET(struct nm_ifreq, data, 16);

#ifdef NM_NO_SYSTEM_TYPES
#define NIOCGINFO  0xC03C6991u
#define NIOCREGIF  0xC03C6992u
#define NIOCCONFIG 0xC1106996u
#else
#define NIOCGINFO  _IOWR('i', 145, struct nmreq)
#define NIOCREGIF  _IOWR('i', 146, struct nmreq)
#define NIOCCONFIG _IOWR('i', 150, struct nm_ifreq)
#if defined(__x86_64__) || defined(__aarch64__)
NM_STATIC_ASSERT(NIOCGINFO == 0xC03C6991, "NIOCGINFO number");
NM_STATIC_ASSERT(NIOCREGIF == 0xC03C6992, "NIOCREGIF number");
NM_STATIC_ASSERT(NIOCCONFIG == 0xC1106996, "NIOCCONFIG number");
#endif
#endif

#ifdef __cplusplus
}
#endif

#endif /* NET_NETMAP_LEGACY_H */
