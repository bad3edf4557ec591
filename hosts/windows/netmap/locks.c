/* Locks, time and sleep of core/os.h. */
#include "core/os.h"
#include "ddk.h"

_Static_assert(sizeof(KSPIN_LOCK) == sizeof(((struct nm_os_lock *)0)->spin_lock), "spin lock");
_Static_assert(sizeof(KMUTEX) <= sizeof(struct nm_os_mutex), "mutex");
_Static_assert(_Alignof(KMUTEX) <= _Alignof(struct nm_os_mutex), "mutex alignment");

void nm_os_lock_init(struct nm_os_lock *lock)
{
    KeInitializeSpinLock(&lock->spin_lock);
}

void nm_os_lock_destroy(struct nm_os_lock *lock)
{
    (void)lock;
}

void nm_os_lock(struct nm_os_lock *lock)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&lock->spin_lock);

    lock->old_irql = irql;
}

void nm_os_unlock(struct nm_os_lock *lock)
{
    KeReleaseSpinLock(&lock->spin_lock, lock->old_irql);
}

/*
 * A KMUTEX, because its holder stays at PASSIVE level (a fast mutex would raise to APC level,
 * where sections cannot be created) and cannot be suspended: kernel APCs are off while it is held.
 */
void nm_os_mutex_init(struct nm_os_mutex *mutex)
{
    KeInitializeMutex((PKMUTEX)mutex, 0);
}

void nm_os_mutex_destroy(struct nm_os_mutex *mutex)
{
    (void)mutex;
}

void nm_os_mutex_lock(struct nm_os_mutex *mutex)
{
    (void)KeWaitForSingleObject(mutex, Executive, KernelMode, FALSE, NULL);
}

void nm_os_mutex_unlock(struct nm_os_mutex *mutex)
{
    (void)KeReleaseMutex((PKMUTEX)mutex, FALSE);
}

/* Threads have stacks of their own, so the stack's address tells them apart on every level
 * without reading the processor block, which is not there under Wine. */
unsigned nm_os_cpu_hint(void)
{
    const char here = 0;
    uintptr_t page = (uintptr_t)&here >> 14;

    return (unsigned)((page ^ (page >> 5) ^ (page >> 11)) & 0xff);
}

void nm_os_sleep_us(unsigned microseconds)
{
    LARGE_INTEGER interval;

    interval.QuadPart = -(LONGLONG)microseconds * 10;
    (void)KeDelayExecutionThread(KernelMode, FALSE, &interval);
}

uint64_t nm_os_time_ns(void)
{
    LARGE_INTEGER frequency;
    uint64_t ticks = (uint64_t)KeQueryPerformanceCounter(&frequency).QuadPart;
    uint64_t per_second = (uint64_t)frequency.QuadPart;

    return ticks / per_second * 1000000000u + ticks % per_second * 1000000000u / per_second;
}
