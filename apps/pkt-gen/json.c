/* --json: one object a line on stdout; the man page lists the members. */
#include "apps/pkt-gen/result.h"
#include "apps/pkt-gen/wait.h"

#include <stdio.h>

typedef unsigned long long ull;

static void put_string(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < ' ')
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

void json_interval(const struct run *run, const struct totals *delta, double seconds)
{
    printf("{\"type\":\"interval\",\"seconds\":%.6f,\"packets\":%llu,\"bytes\":%llu,"
           "\"events\":%llu,\"pps\":%.0f,\"bps\":%.0f,\"lost\":%llu",
           seconds, (ull)delta->packets, (ull)delta->bytes, (ull)delta->events,
           (double)delta->packets / seconds,
           bits_of(run, delta->packets, delta->bytes, false) / seconds, (ull)delta->lost);
    if (delta->min_space != UINT32_MAX)
        printf(",\"min_space\":%u", delta->min_space);
    if (delta->ping_count > 0)
        printf(",\"rtt_ns\":{\"count\":%llu,\"min\":%llu,\"mean\":%.0f}", (ull)delta->ping_count,
               (ull)delta->ping_lowest_ns, (double)delta->ping_sum_ns / (double)delta->ping_count);
    puts("}");
    fflush(stdout);
}

static void put_latency(const struct latency *latency)
{
    printf(",\"rtt_ns\":{\"count\":%llu", (ull)latency->count);
    if (latency->count > 0)
        printf(",\"min\":%llu,\"mean\":%.0f,\"p50\":%llu,\"p90\":%llu,\"p99\":%llu,\"max\":%llu",
               (ull)latency->lowest_ns, (double)latency->sum_ns / (double)latency->count,
               (ull)latency_quantile(latency, 0.50), (ull)latency_quantile(latency, 0.90),
               (ull)latency_quantile(latency, 0.99), (ull)latency->highest_ns);
    putchar('}');
}

void json_result(const struct run *run, const struct result *result)
{
    const struct totals *totals = &result->totals;
    int failed = 0;
    int i;

    for (i = 0; i < run->worker_count; i++)
        failed |= run->workers[i].failed;
    printf("{\"type\":\"result\",\"program\":\"%s\",\"function\":\"%s\",\"port\":", program_name,
           function_name(run->options.function));
    put_string(run->options.port);
    printf(",\"packets\":%llu,\"bytes\":%llu,\"events\":%llu,\"seconds\":%.6f,\"pps\":%.0f,"
           "\"bps\":%.0f,\"raw_bps\":%.0f,\"average_batch\":%.2f,\"failed\":%s",
           (ull)totals->packets, (ull)totals->bytes, (ull)totals->events, result->seconds,
           result->pps, result->bps, result->raw_bps, result->average_batch,
           failed ? "true" : "false");
    if (run->options.function == FUNCTION_PING || run->options.function == FUNCTION_RXSEQ)
        printf(",\"lost\":%llu", (ull)totals->lost);
    if (run->options.function == FUNCTION_RXSEQ)
        printf(",\"reordered\":%llu", (ull)result->reordered);
    if (run->options.verify && run->options.function == FUNCTION_RX)
        printf(",\"verify\":{\"good\":%llu,\"lost\":%llu,\"missed\":%llu,\"reordered\":%llu,"
               "\"corrupted\":%llu,\"foreign\":%llu}",
               (ull)result->good, (ull)totals->lost, (ull)result->missed, (ull)result->reordered,
               (ull)result->corrupted, (ull)result->foreign);
    if (run->options.function == FUNCTION_PING && run->workers[0].latency != NULL)
        put_latency(run->workers[0].latency);
    if (run->options.what & DO_STATISTICS)
        printf(",\"mean_pps\":%.0f,\"stddev_pps\":%.0f", run->statistics.mean,
               statistics_deviation(&run->statistics));
    puts("}");
    fflush(stdout);
}
