/* What the programs of the benchmark share: clock, CPUs, vectors. */
#ifndef NM_BENCH_MACHINE_H
#define NM_BENCH_MACHINE_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Keep a thread (0: this one) on a CPU; a negative one means wherever the scheduler likes. Sets
 * errno. */
static inline bool pin_to(pid_t thread, int cpu)
{
    cpu_set_t set;

    if (cpu < 0)
        return true;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    return sched_setaffinity(thread, sizeof(set), &set) == 0;
}

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

typedef uint64_t vector16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t vector32 __attribute__((vector_size(32), aligned(1), may_alias));
typedef uint64_t vector64 __attribute__((vector_size(64), aligned(1), may_alias));

/* Copy a cache line. `vectors` is a constant and what the calling function is compiled for: gcc
 * takes vectors that the target does not have through the stack. */
ALWAYS_INLINE void copy_line(uint8_t *destination, const uint8_t *source, enum vectors vectors)
{
    if (vectors == VECTORS_AVX512) {
        *(vector64 *)destination = *(const vector64 *)source;
    } else if (vectors == VECTORS_AVX2) {
        *(vector32 *)destination = *(const vector32 *)source;
        *(vector32 *)(destination + 32) = *(const vector32 *)(source + 32);
    } else {
        *(vector16 *)destination = *(const vector16 *)source;
        *(vector16 *)(destination + 16) = *(const vector16 *)(source + 16);
        *(vector16 *)(destination + 32) = *(const vector16 *)(source + 32);
        *(vector16 *)(destination + 48) = *(const vector16 *)(source + 48);
    }
}

#endif
