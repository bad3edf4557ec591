/*
 * What the core needs of a C11 compiler beyond the language, for gcc, clang, mingw-w64 and MSVC.
 *
 * The atomic operations act on ordinary integers, because several of them live in memory shared
 * with programs. Every one of them may be redefined before this header is included: tests/model/
 * compiles the doorbell protocol against a simulated weak memory that way.
 */
#ifndef NM_CORE_COMPILER_H
#define NM_CORE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NM_LINE 128 /* bytes; two x86 cache lines, because the prefetcher fetches lines in pairs */

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#define NM_ALIGNED(n)            __declspec(align(n))
#define NM_LIKELY(x)             (x)
#define NM_UNLIKELY(x)           (x)
#define NM_PREFETCH_READ(p)      _mm_prefetch((const char *)(p), _MM_HINT_T0)
#define NM_PREFETCH_WRITE(p)     _m_prefetchw((const void *)(p))
#define NM_PRINTF(fmt, args)
#define NM_INLINE                static __forceinline
#define NM_CPU_RELAX()           _mm_pause()
#define NM_COMPILER_BARRIER()    _ReadWriteBarrier()
#else
#define NM_ALIGNED(n)            __attribute__((aligned(n)))
#define NM_LIKELY(x)             __builtin_expect(!!(x), 1)
#define NM_UNLIKELY(x)           __builtin_expect(!!(x), 0)
#define NM_PREFETCH_READ(p)      __builtin_prefetch((p), 0)
/* Spelled out: for baseline x86-64 compilers turn a prefetch for writing into one for reading. CPUs
 * without the instruction take it for a no-operation. */
#if defined(__x86_64__)
#define NM_PREFETCH_WRITE(p)     __asm__ volatile("prefetchw %0" ::"m"(*(const char *)(p)))
#else
#define NM_PREFETCH_WRITE(p)     __builtin_prefetch((p), 1)
#endif
#if defined(__MINGW32__)
#define NM_PRINTF(fmt, args)     __attribute__((format(gnu_printf, fmt, args)))
#else
#define NM_PRINTF(fmt, args)     __attribute__((format(printf, fmt, args)))
#endif
#define NM_INLINE                static inline __attribute__((always_inline))
#define NM_CPU_RELAX()           __builtin_ia32_pause()
#define NM_COMPILER_BARRIER()    __asm__ volatile("" ::: "memory")
#endif

#ifndef NM_ATOMICS_DEFINED
#if defined(_MSC_VER) && !defined(__clang__)
/* x86-64 only: aligned volatile accesses are atomic and have acquire / release order. */
NM_INLINE uint16_t nm_load16(const uint16_t *p) { return *(const volatile uint16_t *)p; }
NM_INLINE uint32_t nm_load32(const uint32_t *p) { return *(const volatile uint32_t *)p; }
NM_INLINE uint64_t nm_load64(const uint64_t *p) { return *(const volatile uint64_t *)p; }
NM_INLINE void nm_store16(uint16_t *p, uint16_t v) { *(volatile uint16_t *)p = v; }
NM_INLINE void nm_store32(uint32_t *p, uint32_t v) { *(volatile uint32_t *)p = v; }
NM_INLINE void nm_store64(uint64_t *p, uint64_t v) { *(volatile uint64_t *)p = v; }
NM_INLINE uint32_t nm_load32_acquire(const uint32_t *p)
{
    uint32_t v = *(const volatile uint32_t *)p;
    _ReadWriteBarrier();
    return v;
}
NM_INLINE uint64_t nm_load64_acquire(const uint64_t *p)
{
    uint64_t v = *(const volatile uint64_t *)p;
    _ReadWriteBarrier();
    return v;
}
NM_INLINE void nm_store32_release(uint32_t *p, uint32_t v)
{
    _ReadWriteBarrier();
    *(volatile uint32_t *)p = v;
}
NM_INLINE void nm_store64_release(uint64_t *p, uint64_t v)
{
    _ReadWriteBarrier();
    *(volatile uint64_t *)p = v;
}
NM_INLINE uint32_t nm_exchange32(uint32_t *p, uint32_t v)
{
    return (uint32_t)_InterlockedExchange((volatile long *)p, (long)v);
}
NM_INLINE uint32_t nm_add32(uint32_t *p, uint32_t v) /* returns the value before */
{
    return (uint32_t)_InterlockedExchangeAdd((volatile long *)p, (long)v);
}
NM_INLINE uint64_t nm_add64(uint64_t *p, uint64_t v)
{
    return (uint64_t)_InterlockedExchangeAdd64((volatile long long *)p, (long long)v);
}
NM_INLINE bool nm_cas32(uint32_t *p, uint32_t expected, uint32_t v)
{
    return (uint32_t)_InterlockedCompareExchange((volatile long *)p, (long)v, (long)expected) ==
           expected;
}
NM_INLINE bool nm_cas64(uint64_t *p, uint64_t expected, uint64_t v)
{
    return (uint64_t)_InterlockedCompareExchange64((volatile long long *)p, (long long)v,
                                                   (long long)expected) == expected;
}
NM_INLINE void nm_fence(void) { _mm_mfence(); }
#else
NM_INLINE uint16_t nm_load16(const uint16_t *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }
NM_INLINE uint32_t nm_load32(const uint32_t *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }
NM_INLINE uint64_t nm_load64(const uint64_t *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }
NM_INLINE void nm_store16(uint16_t *p, uint16_t v) { __atomic_store_n(p, v, __ATOMIC_RELAXED); }
NM_INLINE void nm_store32(uint32_t *p, uint32_t v) { __atomic_store_n(p, v, __ATOMIC_RELAXED); }
NM_INLINE void nm_store64(uint64_t *p, uint64_t v) { __atomic_store_n(p, v, __ATOMIC_RELAXED); }
NM_INLINE uint32_t nm_load32_acquire(const uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
NM_INLINE uint64_t nm_load64_acquire(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
NM_INLINE void nm_store32_release(uint32_t *p, uint32_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}
NM_INLINE void nm_store64_release(uint64_t *p, uint64_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}
NM_INLINE uint32_t nm_exchange32(uint32_t *p, uint32_t v)
{
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}
NM_INLINE uint32_t nm_add32(uint32_t *p, uint32_t v) /* returns the value before */
{
    return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);
}
NM_INLINE uint64_t nm_add64(uint64_t *p, uint64_t v)
{
    return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);
}
NM_INLINE bool nm_cas32(uint32_t *p, uint32_t expected, uint32_t v)
{
    return __atomic_compare_exchange_n(p, &expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}
NM_INLINE bool nm_cas64(uint64_t *p, uint64_t expected, uint64_t v)
{
    return __atomic_compare_exchange_n(p, &expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NM_UNDER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(NM_UNDER_TSAN)
/* TSan does not model fences; a sequentially consistent read-modify-write it does. */
NM_INLINE void nm_fence(void)
{
    static uint32_t fence_word;
    (void)__atomic_fetch_add(&fence_word, 0, __ATOMIC_SEQ_CST);
}
#else
NM_INLINE void nm_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
#endif
#endif
#endif /* NM_ATOMICS_DEFINED */

#ifndef NM_ATOMICS_DEFINED
#if defined(_MSC_VER) && !defined(__clang__)
NM_INLINE void nm_store_pointer_release(void **p, void *v)
{
    _ReadWriteBarrier();
    *(void *volatile *)p = v;
}
NM_INLINE void *nm_load_pointer_acquire(void *const *p)
{
    void *v = *(void *const volatile *)p;
    _ReadWriteBarrier();
    return v;
}
#else
NM_INLINE void nm_store_pointer_release(void **p, void *v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}
NM_INLINE void *nm_load_pointer_acquire(void *const *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
#endif
#endif

/* memset and memcpy for sizes known only at run time; a freestanding compiler may call both. */
void *memset(void *destination, int value, size_t size);
void *memcpy(void *destination, const void *source, size_t size);
int memcmp(const void *a, const void *b, size_t size);

#endif
