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
 * run where the scheduler puts them. Each figure is the median of five slices of the time,
 * with their range. When the busy ones had to wait for their CPUs because others ran there, their
 * figures are too low: that is said at the end.
 */
#include "bench/limits.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- processes ---- */

static void die(const char *what)
{
    fprintf(stderr, "limits: %s: %s\n", what, strerror(errno));
    exit(1);
}

pid_t start_process(void (*body)(uint64_t argument), uint64_t argument)
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

void finish_process(pid_t process)
{
    while (waitpid(process, NULL, 0) < 0 && errno == EINTR)
        ;
}

void *shared_memory(size_t size)
{
    int fd = memfd_create("limits", MFD_CLOEXEC);
    void *memory;

    if (fd < 0 || ftruncate(fd, (off_t)size) != 0)
        die("shared memory");
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        die("shared memory");
    close(fd);
    memset(memory, 1, size); /* no page fault shall be measured */
    return memory;
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

static bool parse_cpus(const char *text, int cpus[2])
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

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},       {"seconds", required_argument, NULL, 's'},
        {"only", required_argument, NULL, 'o'}, {"cpus", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
    };
    bool selected[NUM_ITEMS] = {false}, all = true, json = false;
    double seconds = 0.5;
    int option, cpus[2] = {-1, -1};

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
                   (option == 'c' && !parse_cpus(optarg, cpus))) {
            return 2;
        }
    }
    if (optind < argc) {
        usage(stderr);
        return 2;
    }
    busy_init(cpus);
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
        printf("  \"cpu_wait_percent\": %.2f,\n  \"cpu\": [%d, %d],\n  \"copy\": \"%s\"\n}\n",
               busy_waited_percent(), cpus[1], cpus[0], busy_instructions());
    else
        printf("measured on CPUs %d and %d, for which the busy items waited %.1f %% of the time; "
               "copies: %s\n",
               cpus[1], cpus[0], busy_waited_percent(), busy_instructions());
    return 0;
}
