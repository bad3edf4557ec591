/*
 * What the Windows driver embeds in the core's objects (see core/os.h).
 *
 * No DDK header here: the core is compiled with this file, and knows no system. locks.c asserts
 * that the real types fit.
 */
#ifndef NM_OS_TYPES_H
#define NM_OS_TYPES_H

#include <stdint.h>

struct nm_os_lock {
    uintptr_t spin_lock; /* KSPIN_LOCK */
    uint8_t old_irql;    /* of the holder; written and read by the holder only */
};

struct nm_os_mutex {
    uint64_t mutex[7]; /* KMUTEX */
};

struct nm_os_adapter {
    uint32_t generation; /* counts wake-ups of its rings; interlocked */
    uint32_t waiters;    /* poll requests that wait for the next one; interlocked */
};

struct nm_os_ring {
    uint32_t reserved; /* nothing yet; an empty structure is not C */
};

struct nm_os_handle {
    uint32_t reserved;
};

#endif
