/*
 * The whole contract a host fulfils for the core. A host is netmapd on Linux (hosts/linux), the
 * driver on Windows (hosts/windows/netmap), or the fake host of the unit tests (tests/unit).
 *
 * nm_os_types.h is found on the include path of the host; it defines
 *   struct nm_os_lock     a lock that may be taken at DISPATCH level, held for a bounded time
 *   struct nm_os_mutex    a lock for control work, PASSIVE level only, may block
 *   struct nm_os_adapter  what the host keeps per adapter (embedded in struct nm_adapter, zeroed)
 *   struct nm_os_ring     what the host keeps per ring (embedded in struct nm_kring, zeroed)
 *   struct nm_os_handle   what the host keeps per open descriptor (embedded, zeroed)
 *
 * Each prototype states the level it may be called at: PASSIVE (may block, control lock may be
 * held) or ANY (up to DISPATCH; never blocks). On Linux every level is an ordinary thread.
 */
#ifndef NM_CORE_OS_H
#define NM_CORE_OS_H

#include "core/compiler.h"

#include <stdarg.h>
#include "nm_os_types.h"

struct nm_kring;
struct nm_adapter;
struct nm_handle;

/* Memory: zeroed, aligned to 128 bytes; NULL when there is none. PASSIVE. */
void *nm_os_alloc(size_t size);
void nm_os_free(void *memory, size_t size);

/*
 * Shared segments. PASSIVE.
 * Create a segment of size bytes (a multiple of NM_PAGE) of zeroed pages that programs can be
 * given, mapped at *base in the host for as long as it lives. 0, or NM_ENOMEM.
 * Destroy is called when no port uses the segment any more; the host keeps the pages as long as a
 * program still has them mapped.
 */
#define NM_PAGE 4096u
struct nm_os_segment;
int nm_os_segment_create(struct nm_os_segment **segment, size_t size, void **base);
void nm_os_segment_destroy(struct nm_os_segment *segment);

/* Locks. init and destroy PASSIVE. A lock is ANY and not recursive; a mutex is PASSIVE. */
void nm_os_lock_init(struct nm_os_lock *lock);
void nm_os_lock_destroy(struct nm_os_lock *lock);
void nm_os_lock(struct nm_os_lock *lock);
void nm_os_unlock(struct nm_os_lock *lock);
void nm_os_mutex_init(struct nm_os_mutex *mutex);
void nm_os_mutex_destroy(struct nm_os_mutex *mutex);
void nm_os_mutex_lock(struct nm_os_mutex *mutex);
void nm_os_mutex_unlock(struct nm_os_mutex *mutex);

/* A small number that tends to differ between threads running at once (a CPU number). ANY. */
unsigned nm_os_cpu_hint(void);

/* Give the CPU away for about that long. PASSIVE. */
void nm_os_sleep_us(unsigned microseconds);

/* Monotonic time in nanoseconds; a resolution of 20 ms is enough. ANY. */
uint64_t nm_os_time_ns(void);

/*
 * Slots have become available to the program on this ring (rx: frames arrived; tx: room). Wake
 * whoever waits for them. ANY; usually called with the ring's lock held, once per batch, so the
 * host must not call back into the core from here.
 */
void nm_os_ring_wake(struct nm_kring *kring);

/*
 * The rings of an adapter exist now and its first descriptor is being bound / are about to go.
 * After stop returns no thread of the host's own syncs them. PASSIVE, control lock held.
 */
void nm_os_rings_start(struct nm_adapter *adapter);
void nm_os_rings_stop(struct nm_adapter *adapter);

/* May this descriptor open NICs, and so region 1? PASSIVE. */
bool nm_os_may_use_nics(const struct nm_handle *handle);

/* One line to the host's log. ANY. */
enum nm_log_level { NM_LOG_ERROR, NM_LOG_WARNING, NM_LOG_INFO, NM_LOG_DEBUG };
void nm_os_log(enum nm_log_level level, const char *format, ...) NM_PRINTF(2, 3);

/* vsnprintf of the host, for messages; %s %c %d %u %x %lu %llu %zu at least. PASSIVE. */
int nm_os_vformat(char *text, size_t size, const char *format, va_list arguments);

#endif
