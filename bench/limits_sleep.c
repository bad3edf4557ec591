/* The items that sleep: processes that ring each other's bells. */
#include "bench/limits.h"
#include "bench/machine.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GIVE_UP_SECONDS 5 /* without a sign of life from the other processes */
#define MAX_SAMPLES     65536u
#define BELLS           4u

/* Each on lines of its own; 128, because CPUs fetch pairs. */
struct bell {
    _Alignas(128) _Atomic uint32_t value;
};

static struct bell *bells;

static void reset_bells(void)
{
    if (bells == NULL)
        bells = shared_memory(BELLS * sizeof(*bells));
    for (unsigned i = 0; i < BELLS; i++)
        atomic_store(&bells[i].value, 0);
}

static void ring_bell(unsigned bell)
{
    atomic_store(&bells[bell].value, 1);
    syscall(SYS_futex, &bells[bell].value, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* False when it does not ring for a long time. */
static bool wait_bell(unsigned bell)
{
    struct timespec limit = {GIVE_UP_SECONDS, 0};

    while (atomic_exchange(&bells[bell].value, 0) == 0)
        if (syscall(SYS_futex, &bells[bell].value, FUTEX_WAIT, 0, &limit, NULL, 0) != 0 &&
            errno == ETIMEDOUT)
            return false;
    return true;
}

/* Wait for one bell, ring another, for ever. Two pairs of bells are packed in the argument; in an
 * unused one both are the same. */
static void relay(uint64_t pairs)
{
    for (;;) {
        for (unsigned shift = 0; shift < 32; shift += 16) {
            unsigned from = (unsigned)(pairs >> shift) & 0xff;
            unsigned to = (unsigned)(pairs >> (shift + 8)) & 0xff;

            if (from == to)
                continue;
            if (!wait_bell(from))
                return;
            ring_bell(to);
        }
    }
}

static int compare_samples(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

/* Ring bell 0, wait for bell 1, in turns. */
static bool measure_trips(double seconds, struct figure *figure)
{
    static uint32_t samples[MAX_SAMPLES];
    uint64_t begin = now_ns(), duration = (uint64_t)(seconds * 1e9), before, after = begin;
    uint32_t number = 0;

    while (number < MAX_SAMPLES && (number == 0 || after - begin < duration)) {
        before = now_ns();
        ring_bell(0);
        if (!wait_bell(1))
            return false;
        after = now_ns();
        samples[number++] = (uint32_t)(after - before);
    }
    qsort(samples, number, sizeof(samples[0]), compare_samples);
    figure->median = samples[number / 2];
    figure->lowest = samples[0];
    figure->highest = samples[number - 1];
    figure->p99 = samples[(uint64_t)number * 99 / 100];
    return true;
}

bool measure_futex(double seconds, struct figure *figure)
{
    bool good;
    pid_t child;

    reset_bells();
    child = start_process(relay, 0x0100);
    good = measure_trips(seconds, figure);
    kill(child, SIGKILL);
    finish_process(child);
    return good;
}

bool measure_futex2(double seconds, struct figure *figure)
{
    pid_t children[2];
    bool good;

    reset_bells();
    children[0] = start_process(relay, 0x01030200); /* in the middle: there and back */
    children[1] = start_process(relay, 0x0302);
    good = measure_trips(seconds, figure);
    for (unsigned i = 0; i < 2; i++) {
        kill(children[i], SIGKILL);
        finish_process(children[i]);
    }
    return good;
}
