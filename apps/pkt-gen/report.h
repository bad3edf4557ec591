/* Everything the program says. */
#ifndef NM_PKT_GEN_REPORT_H
#define NM_PKT_GEN_REPORT_H

#include "apps/platform.h"

#include <stddef.h>
#include <stdint.h>

struct run;

/* A line on stderr that begins with the time and who says it. */
void say(const char *who, const char *format, ...) PLATFORM_PRINTF(2, 3);

/* A line on stderr that begins with the name of the program: an error and its remedy. */
void complain(const char *format, ...) PLATFORM_PRINTF(1, 2);

/* The bytes of a frame: on stdout, or on stderr when stdout carries JSON. */
void dump_frame(const struct run *run, const uint8_t *frame, unsigned length);

/* What is about to be done: port, rings, addresses. */
void report_start(const struct run *run);

/* Called each -T milliseconds by the main thread: the rates since the last call. */
void report_interval(struct run *run);

/* The summary. */
void report_result(struct run *run);

#endif
