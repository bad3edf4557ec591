/*
 * What the programs need from the system and POSIX does not give on both: the one place in apps/
 * that may know whether it is compiled for Linux or for Windows.
 */
#ifndef NM_APPS_PLATFORM_H
#define NM_APPS_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* Lets the compiler check the arguments of our own printf-like functions. */
#ifdef __MINGW_PRINTF_FORMAT
#define PLATFORM_PRINTF(at, first) __attribute__((format(__MINGW_PRINTF_FORMAT, at, first)))
#else
#define PLATFORM_PRINTF(at, first) __attribute__((format(printf, at, first)))
#endif

#define PLATFORM_NS_PER_SECOND ((uint64_t)1000000000)

/* Number of processors that this program may use; at least 1. */
int platform_cpu_count(void);

/* Binds the calling thread to one processor. 0, or an errno value. */
int platform_pin_thread(int cpu);

/*
 * Calls handler once when somebody asks the program to end (Ctrl-C, SIGTERM, a closed console);
 * asked again more than a second later, the program ends at once, whatever it is doing. The handler
 * runs in a signal handler, on Windows in a thread of its own, so it must only set a flag.
 */
void platform_on_stop_request(void (*handler)(void));

/* Text to an address in network order, 4 or 16 bytes. */
bool platform_parse_ipv4(const char *text, uint8_t address[4]);
bool platform_parse_ipv6(const char *text, uint8_t address[16]);

/* Bytes that differ from one start of a program to the next; no secrets are made from them. */
uint64_t platform_seed(void);

static inline uint64_t platform_clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * PLATFORM_NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* Time that only moves forward. */
static inline uint64_t platform_now_ns(void)
{
    return platform_clock_ns(CLOCK_MONOTONIC);
}

/* Sleeps about that long; returns early when a signal arrives. */
static inline void platform_sleep_ns(uint64_t duration_ns)
{
    struct timespec duration;

    duration.tv_sec = (time_t)(duration_ns / PLATFORM_NS_PER_SECOND);
    duration.tv_nsec = (long)(duration_ns % PLATFORM_NS_PER_SECOND);
    nanosleep(&duration, NULL);
}

#endif
