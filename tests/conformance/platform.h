/* Time, threads and settings, the same for both systems. */
#ifndef NM_CONFORMANCE_PLATFORM_H
#define NM_CONFORMANCE_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

/* How often things are done: the first figure on a fast system, the second where every call is
 * slow (Wine: about 250 microseconds each). */
#ifdef _WIN32
#define FAST_OR_SLOW(fast, slow) (slow)
#else
#define FAST_OR_SLOW(fast, slow) (fast)
#endif

void platform_start(void);

uint64_t now_ns(void); /* moves only forward */
void sleep_ms(unsigned milliseconds);
void sleep_us(unsigned microseconds);
void yield_cpu(void);

/* A number from the environment, or the fallback. */
unsigned env_number(const char *name, unsigned fallback);
bool quick(void);          /* NM_QUICK is set */
unsigned time_scale(void); /* multiplies time limits */

/*
 * Threads of a test. A test that leaves early does not know its threads any more, so they are kept
 * here, asked to stop and joined after the test. A thread function must look at
 * threads_should_stop() at least every 100 ms.
 */
bool thread_start(void (*function)(void *), void *argument);
bool threads_should_stop(void);
void threads_join(void);          /* wait until all have returned by themselves */
void threads_stop_and_join(void); /* ask them to */

/* Random numbers of a test: good enough to look random, the same in every run. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t x = *state += 0x9E3779B97F4A7C15u;

    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

#endif
