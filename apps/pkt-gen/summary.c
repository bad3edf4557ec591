/* The end of the report: what the whole run amounts to. */
#include "apps/pkt-gen/report.h"
#include "apps/pkt-gen/result.h"

#include <stdio.h>
#include <string.h>

typedef unsigned long long ull;

/* From the first frame of any worker to the last one of any. */
static double run_seconds(const struct run *run)
{
    uint64_t begin = UINT64_MAX, end = 0;
    int i;

    for (i = 0; i < run->worker_count; i++) {
        const struct worker *worker = &run->workers[i];
        uint64_t started = atomic_load(&worker->start_ns);
        uint64_t ended = atomic_load(&worker->end_ns);

        if (started == 0 || ended == 0)
            continue;
        begin = started < begin ? started : begin;
        end = ended > end ? ended : end;
    }
    return end > begin ? (double)(end - begin) / 1e9 : 0;
}

void result_collect(const struct run *run, struct result *result)
{
    struct totals *totals = &result->totals;
    int i;

    memset(result, 0, sizeof(*result));
    totals_read(run, totals);
    for (i = 0; i < run->worker_count; i++) {
        const struct verifier *verifier = run->workers[i].verifier;

        result->reordered += run->workers[i].reordered;
        if (verifier == NULL)
            continue;
        result->good += verifier->good;
        result->missed += verifier->missed;
        result->reordered += verifier->reordered;
        result->corrupted += verifier->corrupted;
        result->foreign += verifier->foreign;
    }
    result->seconds = run_seconds(run);
    if (totals->packets > 0)
        result->average_bytes = (double)totals->bytes / (double)totals->packets;
    if (totals->events > 0)
        result->average_batch = (double)totals->packets / (double)totals->events;
    if (result->seconds > 0) {
        result->pps = (double)totals->packets / result->seconds;
        result->bps = bits_of(run, totals->packets, totals->bytes, false) / result->seconds;
        result->raw_bps = bits_of(run, totals->packets, totals->bytes, true) / result->seconds;
    }
}

static void print_latency(FILE *to, const struct latency *latency, uint64_t lost)
{
    if (latency == NULL || latency->count == 0) {
        fprintf(to, "No answers.\n");
        return;
    }
    fprintf(to,
            "RTT: min %.1f mean %.1f median %.1f p90 %.1f p99 %.1f max %.1f us, %llu answers, "
            "%llu lost\n",
            (double)latency->lowest_ns / 1e3,
            (double)latency->sum_ns / 1e3 / (double)latency->count,
            (double)latency_quantile(latency, 0.50) / 1e3,
            (double)latency_quantile(latency, 0.90) / 1e3,
            (double)latency_quantile(latency, 0.99) / 1e3, (double)latency->highest_ns / 1e3,
            (ull)latency->count, (ull)lost);
}

static void print_checks(FILE *to, const struct run *run, const struct result *result)
{
    const struct options *options = &run->options;

    if (options->function == FUNCTION_PING)
        print_latency(to, run->workers[0].latency, result->totals.lost);
    if (options->function == FUNCTION_RXSEQ)
        fprintf(to, "Sequence: %llu lost, %llu late or repeated\n", (ull)result->totals.lost,
                (ull)result->reordered);
    if (options->function == FUNCTION_RX && options->verify)
        fprintf(to,
                "Verified: %llu good, %llu lost, %llu reordered, %llu corrupted, %llu foreign "
                "(%llu sent before the first one seen)\n",
                (ull)result->good, (ull)result->totals.lost, (ull)result->reordered,
                (ull)result->corrupted, (ull)result->foreign, (ull)result->missed);
}

void report_result(struct run *run)
{
    const struct options *options = &run->options;
    FILE *to = options->json ? stderr : stdout;
    const char *verb = function_sends(options->function)    ? "Sent"
                       : options->function == FUNCTION_PONG ? "Answered"
                                                            : "Received";
    char rate[48], bandwidth[48], raw[48];
    struct result result;

    result_collect(run, &result);
    if (result.totals.packets == 0) {
        fprintf(to, "%s nothing.\n", verb);
    } else {
        format_value(run, result.pps, "pps", rate, sizeof(rate));
        format_value(run, result.bps, "bps", bandwidth, sizeof(bandwidth));
        format_value(run, result.raw_bps, "bps", raw, sizeof(raw));
        fprintf(to, "%s %llu packets %llu bytes, %llu events, %.0f bytes each, in %.2f seconds.\n",
                verb, (ull)result.totals.packets, (ull)result.totals.bytes,
                (ull)result.totals.events, result.average_bytes, result.seconds);
        fprintf(to, "Speed: %s Bandwidth: %s (raw %s). Average batch: %.2f pkts\n", rate, bandwidth,
                raw, result.average_batch);
    }
    print_checks(to, run, &result);
    fflush(to);
    if (options->json)
        json_result(run, &result);
}
