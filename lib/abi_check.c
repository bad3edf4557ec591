/*
 * lib/abi_check.c - compiled, never linked: every public header, in one translation unit.
 *
 * Copyright (c) 2026, the netmap for Windows authors.  BSD 2-Clause, see LICENSE.
 *
 * The headers assert their own layouts, so compiling is the test.  It is done as C and as C++ by
 * every compiler there is; see lib/abi-check.sh for the macros that choose what is included.
 */
#include <net/netmap.h>

/* net/netmap.h alone gives the legacy interface too. */
int abi_check_legacy(void);
int abi_check_legacy(void)
{
    struct nmreq request = {"", NETMAP_API, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}};

    return request.nr_version == NETMAP_API && NIOCREGIF != 0 && NIOCGINFO != 0;
}

/* Ioctl numbers must be usable as case labels, and differ. */
int abi_check_ioctls(unsigned long number);
int abi_check_ioctls(unsigned long number)
{
    switch (number) {
    case NIOCGINFO:
        return 145;
    case NIOCREGIF:
        return 146;
    case NIOCTXSYNC:
        return 148;
    case NIOCRXSYNC:
        return 149;
    case NIOCCONFIG:
        return 150;
    case NIOCCTRL:
        return 151;
    default:
        return 0;
    }
}

NM_STATIC_ASSERT(NETMAP_REQ_CSB_ENABLE == 15, "last request");
NM_STATIC_ASSERT(NETMAP_REQ_VALE_POLLING_DISABLE == 11, "requests are numbered without holes");
NM_STATIC_ASSERT(NETMAP_REQ_OPT_MAX == 6, "options");
NM_STATIC_ASSERT(NR_REG_ONE_SW == 8, "modes");

#ifndef NETMAP_FREESTANDING
#ifdef ABI_CHECK_WITH_LIBS
#define NETMAP_WITH_LIBS
#endif
#include <net/netmap_user.h>
#include <libnetmap.h>

uint32_t abi_check_user(struct netmap_if *nifp, struct netmap_slot *slot);
uint32_t abi_check_user(struct netmap_if *nifp, struct netmap_slot *slot)
{
    struct netmap_ring *tx = NETMAP_TXRING(nifp, 0), *rx = NETMAP_RXRING(nifp, 1);

    if (unlikely(nm_ring_empty(rx) || nm_tx_pending(tx)))
        RD(1, "nothing in ring %u", (unsigned int)rx->ringid);
    NETMAP_WOFFSET(tx, slot, 2);
    nm_pkt_copy(NETMAP_BUF_OFFSET(rx, slot), NETMAP_BUF(tx, slot->buf_idx), slot->len);
    ND("ignored %d", 1);
    D("%u slots", nm_ring_space(tx));
    return NETMAP_BUF_IDX(tx, NETMAP_BUF(tx, 2)) + NS_RFRAGS(slot);
}

#ifdef ABI_CHECK_WITH_LIBS
static void count_frame(u_char *arg, const struct nm_pkthdr *hdr, const u_char *buf)
{
    (void)buf;
    *arg = (u_char)(*arg + hdr->caplen);
}

/* The types existing programs use. */
int abi_check_nm_open(const char *name);
int abi_check_nm_open(const char *name)
{
    struct nm_desc *d = nm_open(name, NULL, NM_OPEN_NO_MMAP | NETMAP_NO_TX_POLL, NULL);
    struct nm_pkthdr hdr;
    nm_cb_t callback = count_frame;
    u_char sum = 0, *frame;
    int sent;

    if (d == NULL || nm_mmap(d, NULL) != 0)
        return -1;
    sent = nm_inject(d, name, 3) + nm_dispatch(d, -1, callback, &sum);
    frame = nm_nextpkt(d, &hdr);
    return frame != NULL && IS_NETMAP_DESC(d) && NETMAP_FD(d) >= 0 && sent ? nm_close(d) : 1;
}
#endif
#endif
