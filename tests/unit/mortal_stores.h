/*
 * The core's atomic operations for a process that is going to die: its stores count, and leave
 * through longjmp when its time has come. Included before anything of the core's.
 */
#ifndef NM_TESTS_MORTAL_STORES_H
#define NM_TESTS_MORTAL_STORES_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

static jmp_buf death;
static long stores_left = -1; /* negative: lives for ever */

static inline void store_happens(void)
{
    if (stores_left == 0)
        longjmp(death, 1);
    if (stores_left > 0)
        stores_left--;
}

#define NM_ATOMICS_DEFINED
#define DEFINE_LOAD(name, type)                                                                    \
    static inline type name(const type *p)                                                         \
    {                                                                                              \
        return __atomic_load_n(p, __ATOMIC_ACQUIRE);                                               \
    }
#define DEFINE_STORE(name, type)                                                                   \
    static inline void name(type *p, type v)                                                       \
    {                                                                                              \
        store_happens();                                                                           \
        __atomic_store_n(p, v, __ATOMIC_RELEASE);                                                  \
    }
DEFINE_LOAD(nm_load16, uint16_t)
DEFINE_LOAD(nm_load32, uint32_t)
DEFINE_LOAD(nm_load64, uint64_t)
DEFINE_LOAD(nm_load32_acquire, uint32_t)
DEFINE_LOAD(nm_load64_acquire, uint64_t)
DEFINE_STORE(nm_store16, uint16_t)
DEFINE_STORE(nm_store32, uint32_t)
DEFINE_STORE(nm_store64, uint64_t)
DEFINE_STORE(nm_store32_release, uint32_t)
DEFINE_STORE(nm_store64_release, uint64_t)
static inline uint32_t nm_exchange32(uint32_t *p, uint32_t v)
{
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}
static inline uint32_t nm_add32(uint32_t *p, uint32_t v)
{
    return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);
}
static inline uint64_t nm_add64(uint64_t *p, uint64_t v)
{
    return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);
}
static inline bool nm_cas32(uint32_t *p, uint32_t expected, uint32_t v)
{
    return __atomic_compare_exchange_n(p, &expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}
static inline bool nm_cas64(uint64_t *p, uint64_t expected, uint64_t v)
{
    return __atomic_compare_exchange_n(p, &expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}
static inline void nm_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
