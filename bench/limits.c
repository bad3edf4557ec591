/*
 * limits - what this machine allows, whatever the program: the yardstick of the benchmarks.
 *
 *   descriptor      16-byte descriptors through a ring of 1024 from one process to another, in
 *                   batches of 256; the payload is not touched
 *   descriptor4096  the same through a ring of 4096
 *   touch64         64 bytes written by one process, 8 of them read by the other
 *   copy64          64 bytes written by one process and copied out by the other
 *   copy1500        the same with 1500 bytes
 *   pingpong        round trip of a cache line between two CPUs: where a virtual machine's CPUs
 *                   lie at the moment, on which every other figure depends
 *   futex           round trip between two sleeping processes
 *   futex2          the same with a third process in the middle, as a switch is
 *
 * The two processes share a memfd and busy-poll on a CPU each; those of the futex items sleep and
 * run where the scheduler puts them. Each figure is the median of SLICES slices, with their range.
 */
#include "bench/machine.h"

#include <errno.h>
#include <getopt.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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
#define MAX_SAMPLES    65536u

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

struct bell {
    _Alignas(128) _Atomic uint32_t value;
};

struct shared {
    struct word head; /* the writer's */
    struct word tail; /* the reader's */
    struct word stop;
    struct bell bells[4];
    _Alignas(4096) struct descriptor ring[MAX_SLOTS];
    _Alignas(4096) uint8_t buffers[MAX_SLOTS * BUFFER_STRIDE];
};

static struct shared *shared;
static uint8_t private_buffers[BATCH * PRIVATE_STRIDE];
static int cpus[2] = {-1, -1};     /* of this process and the other one */
static volatile uint64_t consumed; /* so that the compiler keeps what the reader reads */

struct figure {
    double median, lowest, highest;
    double p99; /* of single round trips; 0: not measured */
};

static void die(const char *what)
{
    fprintf(stderr, "limits: %s: %s\n", what, strerror(errno));
    exit(1);
}

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

ALWAYS_INLINE void copy_bytes(uint8_t *destination, const uint8_t *source, uint32_t bytes)
{
    uint32_t at = 0;

    for (; at + 64 <= bytes; at += 64)
        *(block64 *)(destination + at) = *(const block64 *)(source + at);
    if (at < bytes)
        *(block64 *)(destination + bytes - 64) = *(const block64 *)(source + bytes - 64);
    __asm__ volatile("" ::: "memory");
}

ALWAYS_INLINE void write_frames(uint64_t at, uint32_t mask, enum work work, uint32_t bytes)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        uint32_t slot = (uint32_t)(at + i) & mask;
        struct descriptor *descriptor = &shared->ring[slot];

        if (work != WORK_DESCRIPTOR)
            copy_bytes(shared->buffers + (size_t)slot * BUFFER_STRIDE, private_buffers, bytes);
        descriptor->buffer = slot;
        descriptor->length = (uint16_t)bytes;
        descriptor->flags = 0;
        descriptor->sequence = at + i;
    }
}

ALWAYS_INLINE uint64_t read_frames(uint64_t at, uint32_t number, uint32_t mask, enum work work,
                                   uint32_t bytes)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < number; i++) {
        const struct descriptor *descriptor = &shared->ring[(uint32_t)(at + i) & mask];
        const uint8_t *buffer = shared->buffers + (size_t)descriptor->buffer * BUFFER_STRIDE;

        sum += descriptor->length + descriptor->sequence;
        if (work == WORK_TOUCH64)
            sum += *(const volatile uint64_t *)(const void *)buffer;
        else if (work != WORK_DESCRIPTOR)
            copy_bytes(private_buffers + (size_t)i * PRIVATE_STRIDE, buffer, bytes);
    }
    return sum;
}

struct batch_functions {
    void (*write)(enum work work, uint64_t at, uint32_t mask);
    uint64_t (*read)(enum work work, uint64_t at, uint32_t number, uint32_t mask);
};

/* Constant arguments: each case becomes a loop of its own. */
#define BATCH_FUNCTIONS(name, attribute)                                                           \
    attribute static void write_##name(enum work work, uint64_t at, uint32_t mask)                 \
    {                                                                                              \
        switch (work) {                                                                            \
        case WORK_DESCRIPTOR:                                                                      \
            write_frames(at, mask, WORK_DESCRIPTOR, 64);                                           \
            break;                                                                                 \
        case WORK_TOUCH64:                                                                         \
        case WORK_COPY64:                                                                          \
            write_frames(at, mask, WORK_COPY64, 64);                                               \
            break;                                                                                 \
        case WORK_COPY1500:                                                                        \
            write_frames(at, mask, WORK_COPY1500, MAX_BYTES);                                      \
            break;                                                                                 \
        }                                                                                          \
    }                                                                                              \
    attribute static uint64_t read_##name(enum work work, uint64_t at, uint32_t number,            \
                                          uint32_t mask)                                           \
    {                                                                                              \
        switch (work) {                                                                            \
        case WORK_DESCRIPTOR:                                                                      \
            return read_frames(at, number, mask, WORK_DESCRIPTOR, 64);                             \
        case WORK_TOUCH64:                                                                         \
            return read_frames(at, number, mask, WORK_TOUCH64, 64);                                \
        case WORK_COPY64:                                                                          \
            return read_frames(at, number, mask, WORK_COPY64, 64);                                 \
        case WORK_COPY1500:                                                                        \
            return read_frames(at, number, mask, WORK_COPY1500, MAX_BYTES);                        \
        }                                                                                          \
        return 0;                                                                                  \
    }                                                                                              \
    static const struct batch_functions functions_##name = {write_##name, read_##name}

BATCH_FUNCTIONS(plain, );
#ifdef __x86_64__
BATCH_FUNCTIONS(avx2, __attribute__((target("avx2"))));
BATCH_FUNCTIONS(avx512, __attribute__((target("avx512f"))));
#endif

static const struct batch_functions *functions = &functions_plain;

static const char *choose_functions(void)
{
    switch (vectors_of_this_cpu()) {
#ifdef __x86_64__
    case VECTORS_AVX512:
        functions = &functions_avx512;
        return "avx512f";
    case VECTORS_AVX2:
        functions = &functions_avx2;
        return "avx2";
#endif
    default:
        return "baseline";
    }
}

/* ---- processes ---- */

static void pin(int cpu)
{
    if (!pin_to(cpu)) {
        fprintf(stderr, "limits: CPU %d: %s\n", cpu, strerror(errno));
        exit(1);
    }
}

/* The first and the last CPU this process may use; the same one twice when there is only one. */
static void choose_cpus(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        die("sched_getaffinity");
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((unsigned)cpu, &set))
            continue;
        if (cpus[1] < 0)
            cpus[1] = cpu;
        cpus[0] = cpu;
    }
}

/* Nothing came: on a single CPU the other process can only run when this one does not. */
static void idle(void)
{
    if (cpus[0] == cpus[1])
        sched_yield();
    else
        relax();
}

static bool stopping(void)
{
    return atomic_load_explicit(&shared->stop.value, memory_order_relaxed) != 0;
}

/* Start another process that runs body(argument); it never outlives this one. */
static pid_t start(void (*body)(uint64_t argument), uint64_t argument)
{
    pid_t parent = getpid(), child;

    fflush(stdout);
    child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            body(argument);
        _exit(0);
    }
    return child;
}

static void finish(pid_t child)
{
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void reset_shared(void)
{
    atomic_store(&shared->head.value, 0);
    atomic_store(&shared->tail.value, 0);
    atomic_store(&shared->stop.value, 0);
    for (unsigned i = 0; i < 4; i++)
        atomic_store(&shared->bells[i].value, 0);
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
    pin(cpus[1]);
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

/* Read for about `duration`; the rate in millions per second. */
static double read_for(struct reader *reader, uint64_t duration)
{
    uint64_t begin = now_ns(), time = begin, first = reader->tail, sum = 0;
    uint32_t mask = lane.slots - 1, until_clock = CLOCK_FRAMES, spins = 0;

    while (time - begin < duration) {
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
    pid_t child;

    lane.work = work;
    lane.slots = slots;
    reset_shared();
    child = start(writer, 0);
    pin(cpus[0]);
    read_for(&reader, WARM_UP_NS);
    for (unsigned i = 0; i < SLICES; i++)
        rates[i] = read_for(&reader, (uint64_t)(seconds * 1e9 / SLICES));
    atomic_store(&shared->stop.value, 1);
    finish(child);
    summarise(rates, figure);
    return figure->median > 0;
}

static bool measure_descriptor(double seconds, struct figure *figure)
{
    return measure_rate(WORK_DESCRIPTOR, 1024, seconds, figure);
}

static bool measure_descriptor4096(double seconds, struct figure *figure)
{
    return measure_rate(WORK_DESCRIPTOR, 4096, seconds, figure);
}

static bool measure_touch64(double seconds, struct figure *figure)
{
    return measure_rate(WORK_TOUCH64, 1024, seconds, figure);
}

static bool measure_copy64(double seconds, struct figure *figure)
{
    return measure_rate(WORK_COPY64, 1024, seconds, figure);
}

static bool measure_copy1500(double seconds, struct figure *figure)
{
    return measure_rate(WORK_COPY1500, 1024, seconds, figure);
}

/* ---- placement ---- */

static void echo(uint64_t unused)
{
    uint64_t next = 1;

    (void)unused;
    pin(cpus[1]);
    while (!stopping()) {
        if (atomic_load_explicit(&shared->head.value, memory_order_acquire) != next) {
            idle();
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
                idle();
                if (++spins % SPINS_PER_LOOK == 0 && now_ns() - begin > duration + GIVE_UP_NS)
                    return 0;
            }
        }
        time = now_ns();
    }
    return (double)(time - begin) / (double)(*sent - first);
}

static bool measure_pingpong(double seconds, struct figure *figure)
{
    double times[SLICES];
    uint64_t sent = 0;
    bool good = true;
    pid_t child;

    reset_shared();
    child = start(echo, 0);
    pin(cpus[0]);
    good = trips_for(&sent, 1) > 0;
    for (unsigned i = 0; i < SLICES && good; i++) {
        times[i] = trips_for(&sent, (uint64_t)(seconds * 1e9 / SLICES));
        good = times[i] > 0;
    }
    atomic_store(&shared->stop.value, 1);
    finish(child);
    if (good)
        summarise(times, figure);
    return good;
}

/* ---- sleeping processes ---- */

static void ring_bell(unsigned bell)
{
    atomic_store(&shared->bells[bell].value, 1);
    syscall(SYS_futex, &shared->bells[bell].value, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* False when it does not ring for a long time. */
static bool wait_bell(unsigned bell)
{
    struct timespec limit = {(time_t)(GIVE_UP_NS / 1000000000u), 0};

    while (atomic_exchange(&shared->bells[bell].value, 0) == 0)
        if (syscall(SYS_futex, &shared->bells[bell].value, FUTEX_WAIT, 0, &limit, NULL, 0) != 0 &&
            errno == ETIMEDOUT)
            return false;
    return true;
}

/* Wait for one bell, ring another. The pair is packed in the argument. */
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

static bool measure_futex(double seconds, struct figure *figure)
{
    bool good;
    pid_t child;

    reset_shared();
    child = start(relay, 0x0100);
    good = measure_trips(seconds, figure);
    kill(child, SIGKILL);
    finish(child);
    return good;
}

static bool measure_futex2(double seconds, struct figure *figure)
{
    pid_t children[2];
    bool good;

    reset_shared();
    children[0] = start(relay, 0x01030200); /* in the middle: there and back */
    children[1] = start(relay, 0x0302);
    good = measure_trips(seconds, figure);
    for (unsigned i = 0; i < 2; i++) {
        kill(children[i], SIGKILL);
        finish(children[i]);
    }
    return good;
}

/* ---- the items ---- */

struct item {
    const char *name;
    const char *key; /* in JSON */
    const char *unit;
    const char *text;
    bool (*measure)(double seconds, struct figure *figure);
};

/* The sleeping ones come first, before this process pins itself to a CPU. */
static const struct item items[] = {
    {"futex", "futex_ns", "ns", "two sleeping processes, round trip", measure_futex},
    {"futex2", "futex2_ns", "ns", "the same with a third one in the middle", measure_futex2},
    {"pingpong", "pingpong_ns", "ns", "cache line between two CPUs, round trip", measure_pingpong},
    {"descriptor", "descriptor_mpps", "Mpps", "16-byte descriptors, ring 1024", measure_descriptor},
    {"descriptor4096", "descriptor4096_mpps", "Mpps", "16-byte descriptors, ring 4096",
     measure_descriptor4096},
    {"touch64", "touch64_mpps", "Mpps", "64 B written, 8 B read", measure_touch64},
    {"copy64", "copy64_mpps", "Mpps", "64 B written and copied out", measure_copy64},
    {"copy1500", "copy1500_mpps", "Mpps", "1500 B written and copied out", measure_copy1500},
};

#define NUM_ITEMS (sizeof(items) / sizeof(items[0]))

static void usage(FILE *stream)
{
    fprintf(stream, "usage: limits [--json] [--seconds S] [--only NAME[,NAME]...] [--cpus A,B]\n"
                    "  --seconds S  measure each item for S seconds (default 0.5)\n"
                    "  --only NAME  these items only:\n");
    for (unsigned i = 0; i < NUM_ITEMS; i++)
        fprintf(stream, "    %-15s %s\n", items[i].name, items[i].text);
    fprintf(stream, "  --cpus A,B   busy-poll on these CPUs (default: first and last allowed)\n"
                    "  --json       one JSON object, a key a line\n");
}

/* Select the items of a comma-separated list. */
static bool select_items(const char *list, bool *selected)
{
    while (*list != '\0') {
        size_t length = strcspn(list, ",");
        bool found = false;

        for (unsigned i = 0; i < NUM_ITEMS; i++) {
            if (strlen(items[i].name) == length && memcmp(items[i].name, list, length) == 0)
                selected[i] = found = true;
        }
        if (!found) {
            fprintf(stderr, "limits: there is no item '%.*s'; see limits --help\n", (int)length,
                    list);
            return false;
        }
        list += length;
        list += *list == ',';
    }
    return true;
}

static bool parse_cpus(const char *text)
{
    char rest;

    if (sscanf(text, "%d,%d%c", &cpus[1], &cpus[0], &rest) == 2 && cpus[0] >= 0 && cpus[1] >= 0)
        return true;
    fprintf(stderr, "limits: --cpus %s: expected two CPU numbers, as in --cpus 0,1\n", text);
    return false;
}

static bool parse_seconds(const char *text, double *seconds)
{
    char *end;

    *seconds = strtod(text, &end);
    if (*end == '\0' && *seconds >= 0.001 && *seconds <= 3600)
        return true;
    fprintf(stderr, "limits: --seconds %s: expected a number from 0.001 to 3600\n", text);
    return false;
}

static void print_json(const struct item *item, const struct figure *figure)
{
    printf("  \"%s\": %.3f,\n  \"%s_min\": %.3f,\n  \"%s_max\": %.3f,\n", item->key, figure->median,
           item->key, figure->lowest, item->key, figure->highest);
    if (figure->p99 > 0)
        printf("  \"%s_p99\": %.3f,\n", item->key, figure->p99);
}

static void print_text(const struct item *item, const struct figure *figure)
{
    printf("%-15s %9.2f %-4s  (%.2f-%.2f", item->name, figure->median, item->unit, figure->lowest,
           figure->highest);
    if (figure->p99 > 0)
        printf(", 99%% below %.0f", figure->p99);
    printf(")  %s\n", item->text);
    fflush(stdout);
}

static void map_shared(void)
{
    int fd = memfd_create("limits", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, sizeof(*shared)) != 0)
        die("shared memory");
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED)
        die("shared memory");
    close(fd);
    memset(shared, 1, sizeof(*shared)); /* no page fault shall be measured */
    memset(private_buffers, 0x5a, sizeof(private_buffers));
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},       {"seconds", required_argument, NULL, 's'},
        {"only", required_argument, NULL, 'o'}, {"cpus", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
    };
    bool selected[NUM_ITEMS] = {false}, all = true, json = false;
    double seconds = 0.5;
    const char *width;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'j') {
            json = true;
        } else if (option == 'o') {
            all = false;
            if (!select_items(optarg, selected))
                return 2;
        } else if (option == 'h') {
            usage(stdout);
            return 0;
        } else if (option == '?' || (option == 's' && !parse_seconds(optarg, &seconds)) ||
                   (option == 'c' && !parse_cpus(optarg))) {
            return 2;
        }
    }
    if (optind < argc) {
        usage(stderr);
        return 2;
    }
    width = choose_functions();
    if (cpus[0] < 0)
        choose_cpus();
    map_shared();
    if (json)
        printf("{\n");
    for (unsigned i = 0; i < NUM_ITEMS; i++) {
        struct figure figure;

        if (!all && !selected[i])
            continue;
        if (!items[i].measure(seconds, &figure)) {
            fprintf(stderr, "limits: %s: the other process did not answer\n", items[i].name);
            return 1;
        }
        (json ? print_json : print_text)(&items[i], &figure);
    }
    if (json)
        printf("  \"cpu\": [%d, %d],\n  \"copy\": \"%s\"\n}\n", cpus[1], cpus[0], width);
    else
        printf("measured on CPUs %d and %d; copies: %s\n", cpus[1], cpus[0], width);
    return 0;
}
