/* What the programs of the benchmark share: clock, CPUs, vectors. */
#ifndef NM_BENCH_MACHINE_H
#define NM_BENCH_MACHINE_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Keep this thread on a CPU; a negative one means wherever the scheduler likes. Sets errno. */
static inline bool pin_to(int cpu)
{
    cpu_set_t set;

    if (cpu < 0)
        return true;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    return sched_setaffinity(0, sizeof(set), &set) == 0;
}

/* A cache line: moved in as few pieces as the vector registers of the function allow. */
typedef uint64_t block64 __attribute__((vector_size(64), aligned(1), may_alias));

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Functions that must be as fast as this machine allows and yet run on any exist once for each
 * width of its vector registers; which of them to use is found out at start. */
enum vectors { VECTORS_BASELINE, VECTORS_AVX2, VECTORS_AVX512 };

static inline enum vectors vectors_of_this_cpu(void)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
        return VECTORS_AVX512;
    if (__builtin_cpu_supports("avx2"))
        return VECTORS_AVX2;
#endif
    return VECTORS_BASELINE;
}

#endif
