/* The items that busy-poll: a writer and a reader with a ring between them, and a cache line. */
#include "bench/limits.h"
#include "bench/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICES         5
#define BATCH          256u
#define MAX_SLOTS      4096u
#define BUFFER_STRIDE  2048u /* as a netmap region has it */
#define MAX_BYTES      1500u
#define WARM_UP_NS     50000000u
#define GIVE_UP_NS     5000000000u /* without a sign of life from the other process */
#define SPINS_PER_LOOK 4096u
#define CLOCK_FRAMES   16384u /* a clock read costs as much as a dozen descriptors */

/* The copies of reader and writer: a buffer more than the batch, on a stride that is no power of
 * two, because on one core 2048 would put all of them into the same few sets of the L1 cache. */
#define PRIVATE_STRIDE 2112u

enum work { WORK_DESCRIPTOR, WORK_TOUCH64, WORK_COPY64, WORK_COPY1500 };

struct descriptor {
    uint32_t buffer;
    uint16_t length;
    uint16_t flags;
    uint64_t sequence;
};

/* Words that different processes write lie on lines of their own; 128, because CPUs fetch pairs. */
struct word {
    _Alignas(128) _Atomic uint64_t value;
};

struct shared {
    struct word head; /* the writer's */
    struct word tail; /* the reader's */
    struct word stop;
    _Alignas(4096) struct descriptor ring[MAX_SLOTS];
    _Alignas(4096) uint8_t buffers[MAX_SLOTS * BUFFER_STRIDE];
};

static struct shared *shared;
static uint8_t private_buffers[BATCH * PRIVATE_STRIDE];
static int cpus[2];                   /* of this process and the other one */
static uint64_t waited_ns, passed_ns; /* for a CPU; altogether */
static volatile uint64_t consumed;    /* so that the compiler keeps what the reader reads */

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- moving frames ----
 *
 * The batch functions exist once for every width of vector registers and are chosen at start: the
 * limit must be this machine's, and the program must run on any.
 */

ALWAYS_INLINE void copy_bytes(uint8_t *destination, const uint8_t *source, uint32_t bytes,
                              enum vectors vectors)
{
    uint32_t at = 0;

    for (; at + 64 <= bytes; at += 64)
        copy_line(destination + at, source + at, vectors);
    if (at < bytes)
        copy_line(destination + bytes - 64, source + bytes - 64, vectors);
    __asm__ volatile("" ::: "memory");
}

ALWAYS_INLINE void write_frames(uint64_t at, uint32_t mask, enum work work, uint32_t bytes,
                                enum vectors vectors)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        uint32_t slot = (uint32_t)(at + i) & mask;
        struct descriptor *descriptor = &shared->ring[slot];

        if (work != WORK_DESCRIPTOR)
            copy_bytes(shared->buffers + (size_t)slot * BUFFER_STRIDE, private_buffers, bytes,
                       vectors);
        descriptor->buffer = slot;
        descriptor->length = (uint16_t)bytes;
        descriptor->flags = 0;
        descriptor->sequence = at + i;
    }
}

ALWAYS_INLINE uint64_t read_frames(uint64_t at, uint32_t number, uint32_t mask, enum work work,
                                   uint32_t bytes, enum vectors vectors)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < number; i++) {
        const struct descriptor *descriptor = &shared->ring[(uint32_t)(at + i) & mask];
        const uint8_t *buffer = shared->buffers + (size_t)descriptor->buffer * BUFFER_STRIDE;

        sum += descriptor->length + descriptor->sequence;
        if (work == WORK_TOUCH64)
            sum += *(const volatile uint64_t *)(const void *)buffer;
        else if (work != WORK_DESCRIPTOR)
            copy_bytes(private_buffers + (size_t)i * PRIVATE_STRIDE, buffer, bytes, vectors);
    }
    return sum;
}

struct batch_functions {
    void (*write)(enum work work, uint64_t at, uint32_t mask);
    uint64_t (*read)(enum work work, uint64_t at, uint32_t number, uint32_t mask);
};

/* Constant arguments: each case becomes a loop of its own. */
#define BATCH_FUNCTIONS(name, vectors, attribute)                                                  \
    attribute static void write_##name(enum work work, uint64_t at, uint32_t mask)                 \
    {                                                                                              \
        switch (work) {                                                                            \
        case WORK_DESCRIPTOR:                                                                      \
            write_frames(at, mask, WORK_DESCRIPTOR, 64, vectors);                                  \
            break;                                                                                 \
        case WORK_TOUCH64:                                                                         \
        case WORK_COPY64:                                                                          \
            write_frames(at, mask, WORK_COPY64, 64, vectors);                                      \
            break;                                                                                 \
        case WORK_COPY1500:                                                                        \
            write_frames(at, mask, WORK_COPY1500, MAX_BYTES, vectors);                             \
            break;                                                                                 \
        }                                                                                          \
    }                                                                                              \
    attribute static uint64_t read_##name(enum work work, uint64_t at, uint32_t number,            \
                                          uint32_t mask)                                           \
    {                                                                                              \
        switch (work) {                                                                            \
        case WORK_DESCRIPTOR:                                                                      \
            return read_frames(at, number, mask, WORK_DESCRIPTOR, 64, vectors);                    \
        case WORK_TOUCH64:                                                                         \
            return read_frames(at, number, mask, WORK_TOUCH64, 64, vectors);                       \
        case WORK_COPY64:                                                                          \
            return read_frames(at, number, mask, WORK_COPY64, 64, vectors);                        \
        case WORK_COPY1500:                                                                        \
            return read_frames(at, number, mask, WORK_COPY1500, MAX_BYTES, vectors);               \
        }                                                                                          \
        return 0;                                                                                  \
    }                                                                                              \
    static const struct batch_functions functions_##name = {write_##name, read_##name}

BATCH_FUNCTIONS(plain, VECTORS_BASELINE, );
#ifdef __x86_64__
BATCH_FUNCTIONS(avx2, VECTORS_AVX2, __attribute__((target("avx2"))));
BATCH_FUNCTIONS(avx512, VECTORS_AVX512, __attribute__((target("avx512f"))));
#endif

static const struct batch_functions *functions = &functions_plain;

static const char *instructions = "baseline";

static void choose_functions(void)
{
#ifdef __x86_64__
    enum vectors vectors = vectors_of_this_cpu();

    if (vectors == VECTORS_AVX512) {
        functions = &functions_avx512;
        instructions = "avx512f";
    } else if (vectors == VECTORS_AVX2) {
        functions = &functions_avx2;
        instructions = "avx2";
    }
#endif
}

const char *busy_instructions(void)
{
    return instructions;
}

/* ---- the two processes ---- */

static void pin(pid_t process, int cpu)
{
    if (!pin_to(process, cpu)) {
        fprintf(stderr, "limits: CPU %d: %s\n", cpu, strerror(errno));
        exit(1);
    }
}

/* Start the other process and put each on its CPU: the other one too from here, because it begins
 * on ours, where it would have to wait for its turn. */
static pid_t start_other(void (*body)(uint64_t unused))
{
    pid_t other = start_process(body, 0);

    pin(other, cpus[1]);
    pin(0, cpus[0]);
    return other;
}

/* The first and the last CPU this process may use; the same one twice when there is only one. */
static void choose_cpus(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) != 0) {
        perror("limits: sched_getaffinity");
        exit(1);
    }
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((unsigned)cpu, &set))
            continue;
        if (cpus[1] < 0)
            cpus[1] = cpu;
        cpus[0] = cpu;
    }
}

void busy_init(int wanted_cpus[2])
{
    memcpy(cpus, wanted_cpus, sizeof(cpus));
    if (cpus[0] < 0)
        choose_cpus();
    memcpy(wanted_cpus, cpus, sizeof(cpus));
    choose_functions();
    shared = shared_memory(sizeof(*shared));
    memset(private_buffers, 0x5a, sizeof(private_buffers));
}

/* How long a process has waited for a CPU that others had. */
static uint64_t waited_by(pid_t process)
{
    char path[48];
    uint64_t run_ns, wait_ns = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)process);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%" SCNu64 " %" SCNu64, &run_ns, &wait_ns) != 2)
        wait_ns = 0;
    fclose(file);
    return wait_ns;
}

double busy_waited_percent(void)
{
    return passed_ns == 0 ? 0 : 100 * (double)waited_ns / (double)passed_ns;
}

/* Around each measurement, for the two figures above. */
struct watch {
    pid_t other;
    uint64_t begin_ns, waited_ns;
};

static uint64_t waited_by_both(pid_t other)
{
    return waited_by(getpid()) + waited_by(other);
}

static struct watch begin_watch(pid_t other)
{
    struct watch watch = {other, now_ns(), waited_by_both(other)};

    return watch;
}

static void end_watch(const struct watch *watch)
{
    if (cpus[0] == cpus[1])
        return; /* they wait for each other there */
    waited_ns += waited_by_both(watch->other) - watch->waited_ns;
    passed_ns += 2 * (now_ns() - watch->begin_ns);
}

/* On a single CPU the other process can only run when this one does not. */
static void give_way(void)
{
    if (cpus[0] == cpus[1])
        sched_yield();
}

/* Nothing came. A pause keeps the line with the one who writes it, but would be too long where a
 * single round trip is measured. */
static void idle(void)
{
    give_way();
    relax();
}

static bool stopping(void)
{
    return atomic_load_explicit(&shared->stop.value, memory_order_relaxed) != 0;
}

static void reset_shared(void)
{
    atomic_store(&shared->head.value, 0);
    atomic_store(&shared->tail.value, 0);
    atomic_store(&shared->stop.value, 0);
}

/* ---- throughput ---- */

struct lane {
    enum work work;
    uint32_t slots;
};

static struct lane lane;

static void writer(uint64_t unused)
{
    uint64_t head = 0, tail = 0;
    uint32_t mask = lane.slots - 1;

    (void)unused;
    while (!stopping()) {
        if (head + BATCH - tail > lane.slots) {
            tail = atomic_load_explicit(&shared->tail.value, memory_order_acquire);
            if (head + BATCH - tail > lane.slots) {
                idle();
                continue;
            }
        }
        functions->write(lane.work, head, mask);
        head += BATCH;
        atomic_store_explicit(&shared->head.value, head, memory_order_release);
    }
}

struct reader {
    uint64_t head, tail;
};

/* Read for about `duration`, and on until there was something; the rate in millions per second. */
static double read_for(struct reader *reader, uint64_t duration)
{
    uint64_t begin = now_ns(), time = begin, first = reader->tail, sum = 0;
    uint32_t mask = lane.slots - 1, until_clock = CLOCK_FRAMES, spins = 0;

    while (time - begin < duration ||
           (reader->tail == first && time - begin < duration + GIVE_UP_NS)) {
        uint64_t number = reader->head - reader->tail;

        if (number == 0) {
            reader->head = atomic_load_explicit(&shared->head.value, memory_order_acquire);
            if (reader->head == reader->tail) {
                idle();
                if (++spins % SPINS_PER_LOOK == 0)
                    time = now_ns();
            }
            continue;
        }
        if (number > BATCH)
            number = BATCH;
        sum += functions->read(lane.work, reader->tail, (uint32_t)number, mask);
        reader->tail += number;
        atomic_store_explicit(&shared->tail.value, reader->tail, memory_order_release);
        if (until_clock <= number) {
            until_clock = CLOCK_FRAMES;
            time = now_ns();
        } else {
            until_clock -= (uint32_t)number;
        }
    }
    time = now_ns(); /* frames were read since the last look */
    consumed = sum;
    return (double)(reader->tail - first) * 1e3 / (double)(time - begin);
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static void summarise(double *values, struct figure *figure)
{
    qsort(values, SLICES, sizeof(*values), compare_doubles);
    figure->median = values[SLICES / 2];
    figure->lowest = values[0];
    figure->highest = values[SLICES - 1];
    figure->p99 = 0;
}

static bool measure_rate(enum work work, uint32_t slots, double seconds, struct figure *figure)
{
    struct reader reader = {0, 0};
    double rates[SLICES];
    struct watch watch;
    pid_t child;

    lane.work = work;
    lane.slots = slots;
    reset_shared();
    child = start_other(writer);
    read_for(&reader, WARM_UP_NS);
    watch = begin_watch(child);
    for (unsigned i = 0; i < SLICES; i++)
        rates[i] = read_for(&reader, (uint64_t)(seconds * 1e9 / SLICES));
    end_watch(&watch);
    atomic_store(&shared->stop.value, 1);
    finish_process(child);
    summarise(rates, figure);
    return figure->median > 0;
}

bool measure_descriptor(double seconds, struct figure *figure)
{
    return measure_rate(WORK_DESCRIPTOR, 1024, seconds, figure);
}

bool measure_descriptor4096(double seconds, struct figure *figure)
{
    return measure_rate(WORK_DESCRIPTOR, 4096, seconds, figure);
}

bool measure_touch64(double seconds, struct figure *figure)
{
    return measure_rate(WORK_TOUCH64, 1024, seconds, figure);
}

bool measure_copy64(double seconds, struct figure *figure)
{
    return measure_rate(WORK_COPY64, 1024, seconds, figure);
}

bool measure_copy1500(double seconds, struct figure *figure)
{
    return measure_rate(WORK_COPY1500, 1024, seconds, figure);
}

/* ---- placement ---- */

static void echo(uint64_t unused)
{
    uint64_t next = 1;

    (void)unused;
    while (!stopping()) {
        if (atomic_load_explicit(&shared->head.value, memory_order_acquire) != next) {
            give_way();
            continue;
        }
        atomic_store_explicit(&shared->tail.value, next++, memory_order_release);
    }
}

/* Round trips for about `duration`; nanoseconds each, 0 when no answer came. */
static double trips_for(uint64_t *sent, uint64_t duration)
{
    uint64_t begin = now_ns(), time = begin, first = *sent;

    while (time - begin < duration) {
        for (unsigned i = 0; i < 64; i++) {
            uint32_t spins = 0;

            atomic_store_explicit(&shared->head.value, ++*sent, memory_order_release);
            while (atomic_load_explicit(&shared->tail.value, memory_order_acquire) != *sent) {
                give_way();
                if (++spins % SPINS_PER_LOOK == 0 && now_ns() - begin > duration + GIVE_UP_NS)
                    return 0;
            }
        }
        time = now_ns();
    }
    return (double)(time - begin) / (double)(*sent - first);
}

bool measure_pingpong(double seconds, struct figure *figure)
{
    double times[SLICES];
    uint64_t sent = 0;
    struct watch watch;
    bool good;
    pid_t child;

    reset_shared();
    child = start_other(echo);
    good = trips_for(&sent, 1) > 0;
    watch = begin_watch(child);
    for (unsigned i = 0; i < SLICES && good; i++) {
        times[i] = trips_for(&sent, (uint64_t)(seconds * 1e9 / SLICES));
        good = times[i] > 0;
    }
    end_watch(&watch);
    atomic_store(&shared->stop.value, 1);
    finish_process(child);
    if (good)
        summarise(times, figure);
    return good;
}
