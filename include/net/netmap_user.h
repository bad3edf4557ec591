/*
 * net/netmap_user.h - what a program needs to walk rings and buffers.
 *
 * Copyright (c) 2026, the netmap for Windows authors.  BSD 2-Clause, see LICENSE.
 *
 * Define NETMAP_WITH_LIBS first to have also nm_open(), nm_inject(), nm_dispatch() and their kin
 * (net/netmap_nm_open.h); they are compiled into the program and need no library.  A program that
 * links with libnetmap includes libnetmap.h instead.
 *
 * On Windows compile with -Iinclude/windows, which has <sys/ioctl.h>, <sys/mman.h>, <poll.h> and
 * <net/if.h> for netmap descriptors.
 *
 * Receiving, in outline:
 *
 *     struct nm_desc *d = nm_open("netmap:eth0", NULL, 0, NULL);
 *     struct pollfd pfd = {NETMAP_FD(d), POLLIN, 0};
 *     while (poll(&pfd, 1, -1) >= 0) {
 *         struct netmap_ring *ring = NETMAP_RXRING(d->nifp, d->first_rx_ring);
 *         while (!nm_ring_empty(ring)) {
 *             struct netmap_slot *slot = &ring->slot[ring->cur];
 *             use(NETMAP_BUF_OFFSET(ring, slot), slot->len);
 *             ring->head = ring->cur = nm_ring_next(ring, ring->cur);
 *         }
 *     }
 */
#ifndef NET_NETMAP_USER_H
#define NET_NETMAP_USER_H

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#ifndef _WIN32
#include <sys/time.h>
#include <sys/socket.h> /* struct sockaddr, which some <net/if.h> want */
#include <net/if.h>
#endif

#include <net/netmap.h>

/* What to open.  There is one netmap per system. */
#ifndef NETMAP_DEVICE_NAME
#define NETMAP_DEVICE_NAME "/dev/netmap"
#endif

/* Every function of these headers; __inline is understood in all C dialects. */
#define NM_INLINE static __inline

#ifndef likely
#ifdef __GNUC__
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#else
#define likely(x)   (!!(x))
#define unlikely(x) (!!(x))
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------
 * From offsets to addresses.  `ring` and `nifp` are pointers and are evaluated more than once.
 */

#define NM_AT_OFFSET(type, base, offset) ((type)(void *)((char *)(base) + (offset)))

/* The netmap_if at nr_offset bytes from the start of the mapped region. */
#define NETMAP_IF(mem, nr_offset) NM_AT_OFFSET(struct netmap_if *, mem, nr_offset)

/* Ring number i of a direction.  The host rings follow the NIC rings: numbers from ni_tx_rings,
 * respectively ni_rx_rings, on. */
#define NETMAP_TXRING(nifp, i) NM_AT_OFFSET(struct netmap_ring *, nifp, (nifp)->ring_ofs[i])
#define NETMAP_RXRING(nifp, i)                                                                     \
    NM_AT_OFFSET(struct netmap_ring *, nifp,                                                       \
                 (nifp)->ring_ofs[(i) + (nifp)->ni_tx_rings + (nifp)->ni_host_tx_rings])

/* Buffer number `index` of the region the ring is in, as char *, and back. */
#define NETMAP_BUF(ring, index)                                                                    \
    ((char *)(ring) + (ring)->buf_ofs + (size_t)(index) * (ring)->nr_buf_size)
#define NETMAP_BUF_IDX(ring, buf)                                                                  \
    ((uint32_t)(((char *)(buf) - ((char *)(ring) + (ring)->buf_ofs)) / (ring)->nr_buf_size))

/* Where the data of a slot start in its buffer (0 unless offsets were agreed on): read, write, and
 * the address of the data itself. */
#define NETMAP_ROFFSET(ring, slot) ((slot)->ptr & (ring)->offset_mask)
#define NETMAP_WOFFSET(ring, slot, offset)                                                         \
    do {                                                                                           \
        (slot)->ptr = ((slot)->ptr & ~(ring)->offset_mask) | ((offset) & (ring)->offset_mask);     \
    } while (0)
#define NETMAP_BUF_OFFSET(ring, slot)                                                              \
    (NETMAP_BUF(ring, (slot)->buf_idx) + NETMAP_ROFFSET(ring, slot))

/* ---------------------------------------------------------------------------------------------
 * Positions
 */

/* The slot after slot i, in circular order. */
NM_INLINE uint32_t nm_ring_next(struct netmap_ring *ring, uint32_t i)
{
    return i + 1 == ring->num_slots ? 0 : i + 1;
}

/* How many slots there are between cur and tail: frames to read, or free slots to fill. */
NM_INLINE uint32_t nm_ring_space(struct netmap_ring *ring)
{
    uint32_t cur = ring->cur, tail = ring->tail;

    return tail >= cur ? tail - cur : tail + ring->num_slots - cur;
}

/* Nothing between cur and tail? */
NM_INLINE int nm_ring_empty(struct netmap_ring *ring)
{
    return ring->cur == ring->tail;
}

/* Are there frames of this tx ring the host has not finished with, as far as the last sync saw? */
NM_INLINE int nm_tx_pending(struct netmap_ring *ring)
{
    return nm_ring_next(ring, ring->tail) != ring->head;
}

/*
 * Copies `len` bytes, not one more, between areas that do not overlap.  Made for frames: moves of
 * constant size, the last of them overlapping the one before, instead of a call of memcpy.
 */
NM_INLINE void nm_pkt_copy(const void *source, void *destination, int len)
{
    const char *from = (const char *)source;
    char *to = (char *)destination;
    int done;

    if (unlikely(len < 32 || len > 1024)) {
        if (len > 0)
            memcpy(to, from, (size_t)len);
        return;
    }
    for (done = 0; len - done > 64; done += 64)
        memcpy(to + done, from + done, 64);
    if (len - done > 32)
        memcpy(to + done, from + done, 32);
    memcpy(to + len - 32, from + len - 32, 32);
}

/* ---------------------------------------------------------------------------------------------
 * What nm_open() and libnetmap have in common
 */

/*
 * Which rings of one direction, of `nic` NIC rings followed by `host` host rings, a registration
 * binds: first and last, both included; none are first 1, last 0.
 */
NM_INLINE void nm_ring_range(uint32_t nr_mode, unsigned int ringid, unsigned int nic,
                             unsigned int host, uint16_t *first, uint16_t *last)
{
    unsigned int start = 0, count = nic;

    switch (nr_mode) {
    case NR_REG_SW:
        start = nic;
        count = host;
        break;
    case NR_REG_NIC_SW:
        count = nic + host;
        break;
    case NR_REG_ONE_NIC:
        start = ringid;
        count = 1;
        break;
    case NR_REG_ONE_SW:
        start = nic + ringid;
        count = 1;
        break;
    case NR_REG_NULL:
        count = 0;
        break;
    default:
        break;
    }
    *first = (uint16_t)(count == 0 ? 1 : start);
    *last = (uint16_t)(count == 0 ? 0 : start + count - 1);
}

/* Bytes that fit in a slot's buffer behind its offset. */
NM_INLINE size_t nm_slot_room(const struct netmap_ring *ring, const struct netmap_slot *slot)
{
    uint64_t offset = NETMAP_ROFFSET(ring, slot);

    return offset < ring->nr_buf_size ? (size_t)(ring->nr_buf_size - offset) : 0;
}

/*
 * Copies a frame into a tx ring from cur on, in as many slots as it takes (NS_MOREFRAG), and moves
 * head and cur behind it.  1, or 0 when there is no room for all of it.
 */
NM_INLINE int nm_put_frame(struct netmap_ring *ring, const void *buf, size_t size)
{
    const char *from = (const char *)buf;
    uint32_t space = nm_ring_space(ring), i = ring->cur, slots;
    size_t room = 0, piece;

    for (slots = 1;; slots++, i = nm_ring_next(ring, i)) {
        if (slots > space || slots > NETMAP_MAX_FRAGS)
            return 0;
        room += nm_slot_room(ring, &ring->slot[i]);
        if (room >= size)
            break;
    }
    for (i = ring->cur; slots != 0; slots--, i = nm_ring_next(ring, i)) {
        struct netmap_slot *slot = &ring->slot[i];

        piece = nm_slot_room(ring, slot);
        if (piece > size)
            piece = size;
        nm_pkt_copy(from, NETMAP_BUF_OFFSET(ring, slot), (int)piece);
        slot->len = (uint16_t)piece;
        slot->flags = (uint16_t)((slot->flags & NS_BUF_CHANGED) | (slots > 1 ? NS_MOREFRAG : 0));
        from += piece;
        size -= piece;
    }
    ring->head = ring->cur = i;
    return 1;
}

/*
 * The same into the first ring that has room, of rings first..last, from *cur on and around; *cur
 * becomes its number.  Returns size, or 0 with errno EAGAIN: no room now, or EMSGSIZE: more than
 * NETMAP_MAX_FRAGS slots, or than a ring has, can take.
 */
NM_INLINE int nm_put_frame_somewhere(struct netmap_if *nifp, uint16_t first, uint16_t last,
                                     uint16_t *cur, const void *buf, size_t size)
{
    unsigned int n, rings = (unsigned int)last + 1 - first, ri = *cur;

    errno = EMSGSIZE;
    for (n = 0; n < rings; n++, ri++) {
        struct netmap_ring *ring;
        uint32_t most;

        if (ri < first || ri > last)
            ri = first;
        ring = NETMAP_TXRING(nifp, ri);
        if (nm_put_frame(ring, buf, size)) {
            *cur = (uint16_t)ri;
            return (int)size;
        }
        most = ring->num_slots <= NETMAP_MAX_FRAGS ? ring->num_slots - 1 : NETMAP_MAX_FRAGS;
        if (size <= (size_t)most * ring->nr_buf_size)
            errno = EAGAIN;
    }
    return 0;
}

/* ---------------------------------------------------------------------------------------------
 * Control and status blocks (NETMAP_REQ_CSB_ENABLE): the program's side of the exchange.  The
 * host loads head before cur and the program stores cur before head, so that the host never sees
 * a head beyond its cur; hwtail is loaded first so that hwcur is not older than it.
 */

#ifdef __GNUC__
#define NM_LOAD_ACQUIRE(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define NM_STORE_RELEASE(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#else /* MSVC on x64, where volatile accesses are ordered */
#define NM_LOAD_ACQUIRE(p)     (*(const volatile uint32_t *)(p))
#define NM_STORE_RELEASE(p, v) (*(volatile uint32_t *)(p) = (v))
#endif

/* Publishes cur and head.  Afterwards, with a full fence in between, look at kern_need_kick. */
NM_INLINE void nm_sync_kloop_appl_write(struct nm_csb_atok *atok, uint32_t cur, uint32_t head)
{
    NM_STORE_RELEASE(&atok->cur, cur);
    NM_STORE_RELEASE(&atok->head, head);
}

/* Fetches what the host has published.  Slots below *hwtail may be touched after this. */
NM_INLINE void nm_sync_kloop_appl_read(struct nm_csb_ktoa *ktoa, uint32_t *hwtail, uint32_t *hwcur)
{
    *hwtail = NM_LOAD_ACQUIRE(&ktoa->hwtail);
    *hwcur = NM_LOAD_ACQUIRE(&ktoa->hwcur);
}

/* ---------------------------------------------------------------------------------------------
 * What the host itself said about the calling thread's last netmap call that failed, in one line
 * with the remedy; "" when it said nothing. The text comes from libnetmap or the preload shim; a
 * program that has neither gets "".
 */
#if defined(_WIN32)
const char *netmap_last_message(void);
NM_INLINE const char *nm_host_message(void)
{
    return netmap_last_message();
}
#elif defined(__GNUC__)
const char *netmap_last_message(void) __attribute__((weak));
NM_INLINE const char *nm_host_message(void)
{
    return netmap_last_message != NULL ? netmap_last_message() : "";
}
#else
NM_INLINE const char *nm_host_message(void)
{
    return "";
}
#endif

/*
 * What a user can do about the errno of a request or of opening the device, to put after
 * strerror(errno): "; do this", or "" when there is nothing to say.
 */
NM_INLINE const char *nm_error_remedy(int error)
{
    switch (error) {
    case ENXIO:
    case ENODEV:
        return "; there is no such port: check the name (vale-ctl lists switches and their ports)";
    case EBUSY:
        return "; somebody holds these rings: close the other program, or choose other rings";
    case EACCES:
    case EPERM:
        return "; you have no permission: join the group of the netmap host, or run as "
               "administrator";
    case ENOMEM:
        return "; the memory region has no room: ask for fewer rings, slots or extra buffers, or "
               "raise dev.netmap.buf_num and ring_num";
    case EIO:
        return "; the port carries a virtio-net header: set its length to 0, or set "
               "NR_ACCEPT_VNET_HDR";
    case ENOENT:
        return "; no netmap host is running and none could be started: is netmap installed?";
    default:
        return "";
    }
}

/* ---------------------------------------------------------------------------------------------
 * Messages on stderr for programs: D("format", ...) with time, function and line; RD(n, ...) the
 * same but at most n a second from that place; ND(...) nothing.  Define NETMAP_NO_DEBUG_MACROS to
 * keep these short names for yourself.
 */

#ifdef __GNUC__
__attribute__((format(printf, 3, 4)))
#endif
NM_INLINE void
nm_debug_message(const char *function, int line, const char *format, ...)
{
    char text[512];
    long seconds, microseconds = 0;
    va_list args;
#ifdef _WIN32
    seconds = (long)(time(NULL) % 86400);
#else
    struct timeval now;

    gettimeofday(&now, NULL);
    seconds = (long)(now.tv_sec % 86400);
    microseconds = (long)now.tv_usec;
#endif
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fprintf(stderr, "%05ld.%06ld %s [%d] %s\n", seconds, microseconds, function, line, text);
}

/* One place that sends messages at a limited rate: true when another one may go out now. */
struct nm_debug_rate {
    time_t second;
    unsigned int sent;
};

NM_INLINE int nm_debug_rate_ok(struct nm_debug_rate *rate, unsigned int per_second)
{
    time_t now = time(NULL);

    if (rate->second != now) {
        rate->second = now;
        rate->sent = 0;
    }
    return rate->sent++ < per_second;
}

#ifndef NETMAP_NO_DEBUG_MACROS
#ifndef ND
#define ND(...)                                                                                    \
    do {                                                                                           \
    } while (0)
#endif
#ifndef D
#define D(...) nm_debug_message(__func__, __LINE__, __VA_ARGS__)
#endif
#ifndef RD
#define RD(per_second, ...)                                                                        \
    do {                                                                                           \
        static struct nm_debug_rate nm_debug_rate_here;                                            \
        if (nm_debug_rate_ok(&nm_debug_rate_here, (unsigned int)(per_second)))                     \
            nm_debug_message(__func__, __LINE__, __VA_ARGS__);                                     \
    } while (0)
#endif
#endif

#ifdef __cplusplus
}
#endif

#ifdef NETMAP_WITH_LIBS
#include <net/netmap_nm_open.h>
#endif

#endif /* NET_NETMAP_USER_H */
