/*
 * flow - frames from one netmap port to another, and how fast.
 *
 * Two ordinary processes, a sender and a receiver, use the public API; this one starts them, looks
 * at their counts at the beginning and at the end of the measured time, and at the CPU time of
 * both and of the host. Everything the sender has sent is accounted for: received or dropped.
 */
#include "bench/flow.h"
#include "bench/machine.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_SECONDS 20 /* for opening and draining; then a process is stuck */
#define NUM_PROCESSES 3

static const char usage_text[] =
    "usage: flow --from PORT --to PORT [options]\n"
    "  --size N        bytes per frame, 60 to 2048 (default 64)\n"
    "  --batch N       most frames between two calls (default 256)\n"
    "  --untouched     neither write nor read the frames\n"
    "  --fill          write all of each frame (default: 64 bytes; 8 are read)\n"
    "  --flows N       so many destination addresses in turn (default 1)\n"
    "  --broadcast     to the broadcast address\n"
    "  --latency       one frame back and forth, with the round trip times\n"
    "  --busy          sync in a loop instead of poll\n"
    "  --prefetch N    the sender fetches buffers N frames ahead (default 0: it does not)\n"
    "  --cpus A,B      keep the sender on CPU A and the receiver on CPU B (-1: anywhere)\n"
    "  --seconds S     measure for S seconds (default 1)\n"
    "  --warm-up S     after S seconds of the same (default 0.2)\n"
    "  --json          one JSON object on one line\n";

struct sample {
    uint64_t time_ns;
    uint64_t frames[2];
    struct cpu_use use[NUM_PROCESSES]; /* sender, receiver, host */
};

struct processes {
    pid_t ids[2];
};

static struct shared *shared;

static void take_sample(const struct processes *processes, struct sample *sample)
{
    sample->time_ns = now_ns();
    for (unsigned i = 0; i < 2; i++)
        sample->frames[i] = atomic_load(&shared->sides[i].frames);
    for (unsigned i = 0; i < 2; i++)
        cpu_use_of(processes->ids[i], &sample->use[i]);
    cpu_use_of(shared->sides[SENDER].host_pid, &sample->use[2]);
}

/* ---- processes ---- */

/* Start one and wait until it is ready; -1 when it is not going to be. */
static pid_t start(enum side_kind kind, const struct flow_options *options)
{
    pid_t parent = getpid(), child;
    int ready[2];
    char byte;
    ssize_t got;

    if (pipe(ready) != 0)
        return -1;
    fflush(NULL);
    child = fork();
    if (child == 0) {
        close(ready[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm((unsigned)(options->seconds + options->warm_up) + 2 * GRACE_SECONDS);
        _exit(getppid() == parent ? run_side(kind, options, shared, ready[1]) : 1);
    }
    close(ready[1]);
    do {
        got = read(ready[0], &byte, 1);
    } while (got < 0 && errno == EINTR);
    close(ready[0]);
    if (child > 0 && got != 1) {
        waitpid(child, NULL, 0);
        child = -1;
    }
    return child;
}

/* Tell one to stop; true when it ended well. */
static bool stop(enum side_kind kind, const struct processes *processes,
                 const struct flow_options *options)
{
    int status;

    atomic_store(&shared->stop[kind], true);
    while (waitpid(processes->ids[kind], &status, 0) < 0)
        if (errno != EINTR)
            return false;
    if (WIFSIGNALED(status))
        fprintf(stderr, "flow: the process on %s ended by signal %d%s\n", options->ports[kind],
                WTERMSIG(status), WTERMSIG(status) == SIGALRM ? ": it was stuck" : "");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void sleep_for(double seconds)
{
    struct timespec rest = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
}

/* False when something failed; it has been said. */
static bool run(const struct flow_options *options, struct sample samples[2])
{
    struct processes processes;
    bool good;

    processes.ids[RECEIVER] = start(RECEIVER, options);
    if (processes.ids[RECEIVER] < 0)
        return false;
    processes.ids[SENDER] = start(SENDER, options);
    if (processes.ids[SENDER] < 0) {
        stop(RECEIVER, &processes, options);
        return false;
    }
    sleep_for(options->warm_up);
    atomic_store(&shared->measuring, true);
    take_sample(&processes, &samples[0]);
    sleep_for(options->seconds);
    take_sample(&processes, &samples[1]);
    good = stop(SENDER, &processes, options);
    return stop(RECEIVER, &processes, options) && good;
}

/* ---- results ---- */

struct result {
    double seconds, mpps, sent_mpps;
    uint64_t sent, received, dropped;
    double cpu_ns[NUM_PROCESSES];           /* per frame received */
    double frames_per_sleep[NUM_PROCESSES]; /* 0: it never slept */
    double median_ns, p90_ns, p99_ns, lowest_ns, highest_ns;
};

static int compare_trips(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

static double percentile(unsigned percent)
{
    return shared->trip_ns[(uint64_t)(shared->trips - 1) * percent / 100];
}

static void evaluate(const struct sample samples[2], struct result *result)
{
    const struct sample *begin = &samples[0], *end = &samples[1];
    double frames = (double)(end->frames[RECEIVER] - begin->frames[RECEIVER]);
    double nanoseconds = (double)(end->time_ns - begin->time_ns);

    memset(result, 0, sizeof(*result));
    result->seconds = nanoseconds / 1e9;
    result->mpps = frames * 1e3 / nanoseconds;
    result->sent_mpps = (double)(end->frames[SENDER] - begin->frames[SENDER]) * 1e3 / nanoseconds;
    result->sent = atomic_load(&shared->sides[SENDER].frames);
    result->received = atomic_load(&shared->sides[RECEIVER].frames);
    result->dropped = result->sent - result->received;
    for (unsigned i = 0; i < NUM_PROCESSES; i++) {
        uint64_t sleeps = end->use[i].sleeps - begin->use[i].sleeps;
        uint64_t run_ns = end->use[i].run_ns - begin->use[i].run_ns;

        if (frames > 0)
            result->cpu_ns[i] = (double)run_ns / frames;
        if (sleeps > 0)
            result->frames_per_sleep[i] = frames / (double)sleeps;
    }
    if (shared->trips == 0)
        return;
    qsort(shared->trip_ns, shared->trips, sizeof(shared->trip_ns[0]), compare_trips);
    result->median_ns = percentile(50);
    result->p90_ns = percentile(90);
    result->p99_ns = percentile(99);
    result->lowest_ns = percentile(0);
    result->highest_ns = percentile(100);
}

static void print_json(const struct flow_options *options, const struct result *result)
{
    printf("{\"from\": \"%s\", \"to\": \"%s\", \"size\": %u, \"batch\": %u, \"slots\": %u, "
           "\"seconds\": %.3f, ",
           options->ports[SENDER], options->ports[RECEIVER], options->size, options->batch,
           shared->sides[SENDER].slots, result->seconds);
    printf("\"mpps\": %.6f, \"sent_mpps\": %.6f, \"gbps\": %.3f, \"sent\": %" PRIu64
           ", \"received\": %" PRIu64 ", \"dropped\": %" PRIu64 ", \"disorder\": %" PRIu64 ", ",
           result->mpps, result->sent_mpps, result->mpps * options->size * 8e-3, result->sent,
           result->received, result->dropped, shared->sides[RECEIVER].disorder);
    if (options->latency)
        printf("\"rtt_ns\": %.0f, \"rtt_ns_p90\": %.0f, \"rtt_ns_p99\": %.0f, "
               "\"rtt_ns_min\": %.0f, \"rtt_ns_max\": %.0f, ",
               result->median_ns, result->p90_ns, result->p99_ns, result->lowest_ns,
               result->highest_ns);
    printf("\"cpu_ns_sender\": %.2f, \"cpu_ns_receiver\": %.2f, \"cpu_ns_host\": %.2f, "
           "\"frames_per_sleep_sender\": %.1f, \"frames_per_sleep_receiver\": %.1f, "
           "\"frames_per_sleep_host\": %.1f}\n",
           result->cpu_ns[0], result->cpu_ns[1], result->cpu_ns[2], result->frames_per_sleep[0],
           result->frames_per_sleep[1], result->frames_per_sleep[2]);
}

static void print_text(const struct flow_options *options, const struct result *result)
{
    printf("%s -> %s, %u bytes, ring %u, batch %u, %.2f s\n", options->ports[SENDER],
           options->ports[RECEIVER], options->size, shared->sides[SENDER].slots, options->batch,
           result->seconds);
    if (options->latency) {
        printf("  round trips  %" PRIu64 "; median %.1f us, 90%% %.1f, 99%% %.1f, "
               "%.1f to %.1f\n",
               result->sent, result->median_ns / 1e3, result->p90_ns / 1e3, result->p99_ns / 1e3,
               result->lowest_ns / 1e3, result->highest_ns / 1e3);
    } else {
        printf("  received     %.3f Mpps, %.2f Gbit/s (sent %.3f Mpps)\n", result->mpps,
               result->mpps * options->size * 8e-3, result->sent_mpps);
        printf("  whole run    %" PRIu64 " sent, %" PRIu64 " dropped, %" PRIu64 " out of order\n",
               result->sent, result->dropped, shared->sides[RECEIVER].disorder);
    }
    printf("  CPU time     %.1f ns a frame: sender %.1f, receiver %.1f, host %.1f\n",
           result->cpu_ns[0] + result->cpu_ns[1] + result->cpu_ns[2], result->cpu_ns[0],
           result->cpu_ns[1], result->cpu_ns[2]);
    printf("  frames per sleep: sender %.0f, receiver %.0f, host %.0f (0: it never slept)\n",
           result->frames_per_sleep[0], result->frames_per_sleep[1], result->frames_per_sleep[2]);
}

/* ---- options ---- */

static bool parse_number(const char *option, const char *text, uint32_t lowest, uint32_t highest,
                         uint32_t *value)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*text >= '0' && *text <= '9' && *end == '\0' && number >= lowest && number <= highest) {
        *value = (uint32_t)number;
        return true;
    }
    fprintf(stderr, "flow: --%s %s: expected a number from %u to %u\n", option, text, lowest,
            highest);
    return false;
}

static bool parse_seconds(const char *option, const char *text, double *value)
{
    char *end;

    *value = strtod(text, &end);
    if (end != text && *end == '\0' && *value >= 0 && *value <= 3600)
        return true;
    fprintf(stderr, "flow: --%s %s: expected a number from 0 to 3600\n", option, text);
    return false;
}

static bool parse_cpus(const char *text, int cpus[2])
{
    char rest;

    if (sscanf(text, "%d,%d%c", &cpus[SENDER], &cpus[RECEIVER], &rest) == 2)
        return true;
    fprintf(stderr, "flow: --cpus %s: expected two CPU numbers, as in --cpus 0,1\n", text);
    return false;
}

enum letter {
    FROM = 'f',
    TO = 't',
    SIZE = 's',
    BATCH = 'b',
    UNTOUCHED = 'u',
    FILL = 'F',
    FLOWS = 'n',
    BROADCAST = 'B',
    LATENCY = 'l',
    BUSY = 'y',
    PREFETCH = 'p',
    CPUS = 'c',
    SECONDS = 'S',
    WARM_UP = 'w',
    JSON = 'j',
    HELP = 'h'
};

static const struct option option_names[] = {
    {"from", required_argument, NULL, FROM},
    {"to", required_argument, NULL, TO},
    {"size", required_argument, NULL, SIZE},
    {"batch", required_argument, NULL, BATCH},
    {"untouched", no_argument, NULL, UNTOUCHED},
    {"fill", no_argument, NULL, FILL},
    {"flows", required_argument, NULL, FLOWS},
    {"broadcast", no_argument, NULL, BROADCAST},
    {"latency", no_argument, NULL, LATENCY},
    {"busy", no_argument, NULL, BUSY},
    {"prefetch", required_argument, NULL, PREFETCH},
    {"cpus", required_argument, NULL, CPUS},
    {"seconds", required_argument, NULL, SECONDS},
    {"warm-up", required_argument, NULL, WARM_UP},
    {"json", no_argument, NULL, JSON},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

static bool parse_option(int letter, struct flow_options *options, bool *json)
{
    switch (letter) {
    case FROM:
        options->ports[SENDER] = optarg;
        return true;
    case TO:
        options->ports[RECEIVER] = optarg;
        return true;
    case SIZE:
        return parse_number("size", optarg, 60, 2048, &options->size);
    case BATCH:
        return parse_number("batch", optarg, 1, 1u << 20, &options->batch);
    case UNTOUCHED:
        options->untouched = true;
        return true;
    case FILL:
        options->fill = true;
        return true;
    case FLOWS:
        return parse_number("flows", optarg, 1, 1u << 24, &options->flows);
    case BROADCAST:
        options->broadcast = true;
        return true;
    case LATENCY:
        options->latency = true;
        return true;
    case BUSY:
        options->busy = true;
        return true;
    case PREFETCH:
        return parse_number("prefetch", optarg, 0, 64, &options->prefetch);
    case CPUS:
        return parse_cpus(optarg, options->cpus);
    case SECONDS:
        return parse_seconds("seconds", optarg, &options->seconds);
    case WARM_UP:
        return parse_seconds("warm-up", optarg, &options->warm_up);
    case JSON:
        *json = true;
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    struct flow_options options = {
        .size = 64, .batch = 256, .flows = 1, .cpus = {-1, -1}, .seconds = 1, .warm_up = 0.2};
    struct sample samples[2];
    struct result result;
    bool json = false;
    int letter;

    while ((letter = getopt_long(argc, argv, "", option_names, NULL)) != -1) {
        if (letter == HELP) {
            fputs(usage_text, stdout);
            return 0;
        }
        if (!parse_option(letter, &options, &json))
            return 2;
    }
    if (optind < argc || options.ports[SENDER] == NULL || options.ports[RECEIVER] == NULL) {
        fputs(usage_text, stderr);
        return 2;
    }
    frames_init();
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("flow: shared memory");
        return 1;
    }
    if (!run(&options, samples))
        return 1;
    evaluate(samples, &result);
    (json ? print_json : print_text)(&options, &result);
    return 0;
}
