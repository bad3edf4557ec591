/* What report.c, summary.c and json.c share. */
#ifndef NM_PKT_GEN_RESULT_H
#define NM_PKT_GEN_RESULT_H

#include "apps/pkt-gen/worker.h"

/* Preamble, start, checksum and gap that a frame takes on an Ethernet cable. */
#define FRAMING_BYTES 24

/* The whole run, all workers together. */
struct result {
    struct totals totals;
    double seconds; /* from the first frame to the last */
    double pps, bps, raw_bps;
    double average_batch, average_bytes;
    /* --verify and rxseq */
    uint64_t good, missed, reordered, corrupted, foreign;
};

void result_collect(const struct run *run, struct result *result);

void totals_read(const struct run *run, struct totals *totals);
double bits_of(const struct run *run, uint64_t packets, uint64_t bytes, bool framing);
double statistics_deviation(const struct statistics *statistics);
void format_value(const struct run *run, double value, const char *unit, char *text, size_t size);

void json_interval(const struct run *run, const struct totals *delta, double seconds);
void json_result(const struct run *run, const struct result *result);

#endif
