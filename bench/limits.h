/* limits: what its files share. */
#ifndef NM_BENCH_LIMITS_H
#define NM_BENCH_LIMITS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct figure {
    double median, lowest, highest;
    double p99; /* of single round trips; 0: not measured */
};

/* ---- limits.c ---- */
/* Start another process that runs body(argument); it never outlives this one. */
pid_t start_process(void (*body)(uint64_t argument), uint64_t argument);
/* Wait until it has ended. */
void finish_process(pid_t process);
/* Memory that processes started later share with this one, all of it present. */
void *shared_memory(size_t size);

/* ---- limits_busy.c: two processes that busy-poll on a CPU each ---- */
/* Which CPUs; -1: the first and the last one this process may use. */
void busy_init(int cpus[2]);
/* The instructions that copy. */
const char *busy_instructions(void);
/* How much of the time the two of them waited for their CPUs because others ran there: figures
 * taken with more than a few per cent say nothing about the machine. */
double busy_waited_percent(void);

bool measure_descriptor(double seconds, struct figure *figure);
bool measure_descriptor4096(double seconds, struct figure *figure);
bool measure_touch64(double seconds, struct figure *figure);
bool measure_copy64(double seconds, struct figure *figure);
bool measure_copy1500(double seconds, struct figure *figure);
bool measure_pingpong(double seconds, struct figure *figure);

/* ---- limits_sleep.c: processes that sleep and wake each other ---- */
bool measure_futex(double seconds, struct figure *figure);
bool measure_futex2(double seconds, struct figure *figure);

#endif
