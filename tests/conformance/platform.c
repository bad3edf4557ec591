/* Time, threads and settings; pthreads exist on both systems (winpthreads comes with mingw-w64). */
#include "tests/conformance/platform.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/conformance/check.h"

#define MAX_THREADS 32

struct started_thread {
    pthread_t thread;
    void (*function)(void *);
    void *argument;
};

static struct started_thread threads[MAX_THREADS];
static unsigned num_threads;
static bool stop_threads;

void platform_start(void)
{
    setvbuf(stdout, NULL, _IOFBF, 65536); /* lines are flushed one by one where they are printed */
    cleanup_add(threads_stop_and_join);
}

uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void sleep_us(unsigned microseconds)
{
    struct timespec duration;

    duration.tv_sec = (time_t)(microseconds / 1000000u);
    duration.tv_nsec = (long)(microseconds % 1000000u) * 1000;
    nanosleep(&duration, NULL);
}

void sleep_ms(unsigned milliseconds)
{
    sleep_us(milliseconds * 1000u);
}

void yield_cpu(void)
{
    sched_yield();
}

unsigned env_number(const char *name, unsigned fallback)
{
    const char *text = getenv(name);

    return text != NULL && *text != '\0' ? (unsigned)strtoul(text, NULL, 10) : fallback;
}

bool quick(void)
{
    return env_number("NM_QUICK", 0) != 0;
}

unsigned time_scale(void)
{
    unsigned scale = env_number("NM_TIME_SCALE", FAST_OR_SLOW(1, 4));

    return scale > 0 ? scale : 1;
}

static void *run_thread(void *argument)
{
    struct started_thread *started = argument;

    started->function(started->argument);
    return NULL;
}

bool thread_start(void (*function)(void *), void *argument)
{
    struct started_thread *started = &threads[num_threads];

    if (!CHECK_MSG(num_threads < MAX_THREADS, "more than %d threads in one test", MAX_THREADS))
        return false;
    started->function = function;
    started->argument = argument;
    if (!CHECK_MSG(pthread_create(&started->thread, NULL, run_thread, started) == 0,
                   "no thread for the test"))
        return false;
    num_threads++;
    return true;
}

bool threads_should_stop(void)
{
    return __atomic_load_n(&stop_threads, __ATOMIC_ACQUIRE);
}

void threads_join(void)
{
    for (unsigned i = 0; i < num_threads; i++)
        pthread_join(threads[i].thread, NULL);
    num_threads = 0;
}

void threads_stop_and_join(void)
{
    __atomic_store_n(&stop_threads, true, __ATOMIC_RELEASE);
    threads_join();
    __atomic_store_n(&stop_threads, false, __ATOMIC_RELEASE);
}
