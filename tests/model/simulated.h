/*
 * Include before anything of core/: its atomic operations act on the simulated memory. Each fence,
 * release and acquire is a site that can be left out; those without a name in the source are
 * called after their file and line.
 */
#ifndef TESTS_MODEL_SIMULATED_H
#define TESTS_MODEL_SIMULATED_H

#include "tests/model/memory.h"

#define NM_ATOMICS_DEFINED
#define NM_JOURNAL_SLOTS 2u /* small, so that entries are used again within a few slots */

#define MODEL_TEXT_OF(x) #x
#define MODEL_TEXT(x)    MODEL_TEXT_OF(x)
#define MODEL_HERE       __FILE__ ":" MODEL_TEXT(__LINE__)

static inline uint16_t nm_load16(const uint16_t *p)
{
    return (uint16_t)model_load(p, 2, MODEL_RELAXED);
}
static inline uint32_t nm_load32(const uint32_t *p)
{
    return (uint32_t)model_load(p, 4, MODEL_RELAXED);
}
static inline uint64_t nm_load64(const uint64_t *p)
{
    return model_load(p, 8, MODEL_RELAXED);
}
static inline void nm_store16(uint16_t *p, uint16_t v)
{
    model_store(p, 2, v, MODEL_RELAXED);
}
static inline void nm_store32(uint32_t *p, uint32_t v)
{
    model_store(p, 4, v, MODEL_RELAXED);
}
static inline void nm_store64(uint64_t *p, uint64_t v)
{
    model_store(p, 8, v, MODEL_RELAXED);
}
static inline uint32_t nm_exchange32(uint32_t *p, uint32_t v)
{
    return (uint32_t)model_update(p, 4, MODEL_EXCHANGE, v, NULL);
}
static inline uint32_t nm_add32(uint32_t *p, uint32_t v)
{
    return (uint32_t)model_update(p, 4, MODEL_ADD, v, NULL);
}
static inline uint64_t nm_add64(uint64_t *p, uint64_t v)
{
    return model_update(p, 8, MODEL_ADD, v, NULL);
}
static inline bool nm_cas32(uint32_t *p, uint32_t expected, uint32_t v)
{
    uint64_t wanted = expected;

    return model_update(p, 4, MODEL_EXCHANGE, v, &wanted) == expected;
}
static inline bool nm_cas64(uint64_t *p, uint64_t expected, uint64_t v)
{
    return model_update(p, 8, MODEL_EXCHANGE, v, &expected) == expected;
}

static inline uint64_t model_load_at(const char *site, const void *p, size_t size)
{
    return model_load(p, size, model_site_weakened(site) ? MODEL_RELAXED : MODEL_ACQUIRE);
}
static inline void model_store_at(const char *site, void *p, size_t size, uint64_t v)
{
    model_store(p, size, v, model_site_weakened(site) ? MODEL_RELAXED : MODEL_RELEASE);
}
static inline void model_fence_at(const char *site)
{
    if (!model_site_weakened(site))
        model_fence();
}
static inline void model_barrier_at(const char *site)
{
    if (!model_site_weakened(site))
        model_barrier();
}

#define nm_load32_acquire(p)     ((uint32_t)model_load_at(MODEL_HERE, (p), 4))
#define nm_load64_acquire(p)     model_load_at(MODEL_HERE, (p), 8)
#define nm_store32_release(p, v) model_store_at(MODEL_HERE, (p), 4, (v))
#define nm_store64_release(p, v) model_store_at(MODEL_HERE, (p), 8, (v))
#define nm_load_pointer_acquire(p)                                                                 \
    ((void *)(uintptr_t)model_load_at(MODEL_HERE, (p), sizeof(void *)))
#define nm_store_pointer_release(p, v)                                                             \
    model_store_at(MODEL_HERE, (p), sizeof(void *), (uintptr_t)(void *)(v))
#define nm_fence() model_fence_at(MODEL_HERE)

#define NM_FENCE_AT(site)               model_fence_at(#site)
#define NM_STORE_RELEASE_AT(site, p, v) model_store_at(#site, (p), 8, (v))
#define NM_LOAD_ACQUIRE_AT(site, p)     model_load_at(#site, (p), 8)

#include "core/compiler.h"

#undef NM_COMPILER_BARRIER
#define NM_COMPILER_BARRIER() model_barrier_at(MODEL_HERE)

#endif
