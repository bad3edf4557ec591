#include "apps/pkt-gen/report.h"

#include "apps/pkt-gen/result.h"
#include "apps/pkt-gen/wait.h"
#include "apps/pkt-gen/worker.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES 1024

/* One write a line, so that the lines of several threads do not mix. */
static void put_line(FILE *to, const char *prefix, const char *format, va_list arguments)
{
    char line[LINE_BYTES];

    vsnprintf(line, sizeof(line), format, arguments);
    fprintf(to, "%s%s\n", prefix, line);
    fflush(to);
}

void say(const char *who, const char *format, ...)
{
    uint64_t now_us = platform_clock_ns(CLOCK_REALTIME) / 1000;
    char prefix[80];
    va_list arguments;

    snprintf(prefix, sizeof(prefix), "%03u.%06u %s ", (unsigned)(now_us / 1000000 % 1000),
             (unsigned)(now_us % 1000000), who);
    va_start(arguments, format);
    put_line(stderr, prefix, format, arguments);
    va_end(arguments);
}

void complain(const char *format, ...)
{
    char prefix[32];
    va_list arguments;

    snprintf(prefix, sizeof(prefix), "%s: ", program_name);
    va_start(arguments, format);
    put_line(stderr, prefix, format, arguments);
    va_end(arguments);
}

static char printable(uint8_t byte)
{
    return byte >= ' ' && byte < 127 ? (char)byte : '.';
}

void dump_frame(const struct run *run, const uint8_t *frame, unsigned length)
{
    FILE *to = run->options.json ? stderr : stdout;
    unsigned at, i;

    fprintf(to, "frame of %u bytes\n", length);
    for (at = 0; at < length; at += 16) {
        unsigned here = length - at < 16 ? length - at : 16;

        fprintf(to, "%5u: ", at);
        for (i = 0; i < 16; i++) {
            if (i < here)
                fprintf(to, "%02x ", frame[at + i]);
            else
                fputs("   ", to);
        }
        for (i = 0; i < here; i++)
            fputc(printable(frame[at + i]), to);
        fputc('\n', to);
    }
}

void format_value(const struct run *run, double value, const char *unit, char *text, size_t size)
{
    static const char *const scales[] = {"", "K", "M", "G", "T"};
    unsigned scale = 0;

    if (run->options.plain_numbers) {
        snprintf(text, size, "%.0f %s", value, unit);
        return;
    }
    while (value >= 1000 && scale + 1 < sizeof(scales) / sizeof(scales[0])) {
        value /= 1000;
        scale++;
    }
    snprintf(text, size, "%.3f %s%s", value, scales[scale], unit);
}

void totals_read(const struct run *run, struct totals *totals)
{
    int i;

    memset(totals, 0, sizeof(*totals));
    for (i = 0; i < run->worker_count; i++) {
        struct counters *counters = &run->workers[i].counters;

        totals->packets += atomic_load_explicit(&counters->packets, memory_order_relaxed);
        totals->bytes += atomic_load_explicit(&counters->bytes, memory_order_relaxed);
        totals->events += atomic_load_explicit(&counters->events, memory_order_relaxed);
        totals->lost += atomic_load_explicit(&counters->lost, memory_order_relaxed);
        totals->ping_count += atomic_load_explicit(&counters->ping_count, memory_order_relaxed);
        totals->ping_sum_ns += atomic_load_explicit(&counters->ping_sum_ns, memory_order_relaxed);
    }
}

/* The lowest values of an interval start anew with the next one. */
static void take_lowest(struct run *run, struct totals *totals)
{
    int i;

    totals->min_space = UINT32_MAX;
    totals->ping_lowest_ns = UINT64_MAX;
    for (i = 0; i < run->worker_count; i++) {
        struct counters *counters = &run->workers[i].counters;
        uint32_t space = atomic_exchange(&counters->min_space, UINT32_MAX);
        uint64_t lowest = atomic_exchange(&counters->ping_lowest_ns, UINT64_MAX);

        if (space < totals->min_space)
            totals->min_space = space;
        if (lowest < totals->ping_lowest_ns)
            totals->ping_lowest_ns = lowest;
    }
}

double bits_of(const struct run *run, uint64_t packets, uint64_t bytes, bool framing)
{
    return 8.0 * ((double)bytes +
                  (framing || run->options.count_framing ? FRAMING_BYTES * (double)packets : 0));
}

static void statistics_add(struct statistics *statistics, double value)
{
    double distance = value - statistics->mean;

    statistics->count++;
    statistics->mean += distance / statistics->count;
    statistics->squares += distance * (value - statistics->mean);
}

double statistics_deviation(const struct statistics *statistics)
{
    return statistics->count > 1 ? sqrt(statistics->squares / (statistics->count - 1)) : 0;
}

void report_start(const struct run *run)
{
    const struct options *options = &run->options;
    const struct nmport_d *port = run->workers[0].port;
    bool sends = function_sends(options->function);
    char source[ADDRESS_TEXT_BYTES], target[ADDRESS_TEXT_BYTES];
    char source_mac[32], target_mac[32];

    say("main", "%s on %s: %d queues, %d threads and %d cpus%s.",
        sends                                ? "Sending"
        : options->function == FUNCTION_PONG ? "Answering"
                                             : "Receiving",
        options->port, sends ? port->reg.nr_tx_rings : port->reg.nr_rx_rings, options->threads,
        run->cpus, program_busy_waits ? ", busy waiting" : "");
    if (options->verbose)
        say("main", "memory region %u, %u bytes; tx %u x %u slots, rx %u x %u slots",
            port->reg.nr_mem_id, (unsigned)port->reg.nr_memsize, port->reg.nr_tx_rings,
            port->reg.nr_tx_slots, port->reg.nr_rx_rings, port->reg.nr_rx_slots);
    if (!sends || (options->what & DO_RUBBISH))
        return;
    endpoint_format(&options->source, source, sizeof(source));
    endpoint_format(&options->target, target, sizeof(target));
    mac_format(options->source_mac, source_mac, sizeof(source_mac));
    mac_format(options->target_mac, target_mac, sizeof(target_mac));
    say("main", "%s -> %s (%s -> %s)", source, target, source_mac, target_mac);
}

/* The part of the line that only some functions have. */
static void format_extras(const struct run *run, const struct totals *delta, char *text,
                          size_t size)
{
    const struct options *options = &run->options;
    int used = 0;

    text[0] = '\0';
    if (options->function == FUNCTION_PING && delta->ping_count > 0)
        used =
            snprintf(text, size, " RTT min %.1f avg %.1f us", (double)delta->ping_lowest_ns / 1e3,
                     (double)delta->ping_sum_ns / 1e3 / (double)delta->ping_count);
    if (delta->lost > 0)
        used += snprintf(text + used, size - (size_t)used, " %llu lost",
                         (unsigned long long)delta->lost);
    if ((options->what & DO_STATISTICS) && run->statistics.count > 0) {
        char mean[48], deviation[48];

        format_value(run, run->statistics.mean, "pps", mean, sizeof(mean));
        format_value(run, statistics_deviation(&run->statistics), "pps", deviation,
                     sizeof(deviation));
        snprintf(text + used, size - (size_t)used, " mean %s std %s", mean, deviation);
    }
}

static void say_interval(const struct run *run, const struct totals *delta, double seconds)
{
    double bits = bits_of(run, delta->packets, delta->bytes, false);
    double batch = delta->events > 0 ? (double)delta->packets / (double)delta->events : 0;
    char rate[48], packets[48], bandwidth[48], extras[256];

    format_value(run, (double)delta->packets / seconds, "pps", rate, sizeof(rate));
    format_value(run, (double)delta->packets, "pkts", packets, sizeof(packets));
    format_value(run, bits / seconds, "bps", bandwidth, sizeof(bandwidth));
    format_extras(run, delta, extras, sizeof(extras));
    say("main_thread", "%s (%s %s in %.0f usec) %.2f avg_batch %u min_space%s", rate, packets,
        bandwidth, seconds * 1e6, batch, delta->min_space == UINT32_MAX ? 99999 : delta->min_space,
        extras);
}

void report_interval(struct run *run)
{
    uint64_t now = platform_now_ns();
    double seconds = (double)(now - run->interval_ns) / 1e9;
    struct totals totals, delta;

    totals_read(run, &totals);
    delta = totals;
    delta.packets -= run->interval_totals.packets;
    delta.bytes -= run->interval_totals.bytes;
    delta.events -= run->interval_totals.events;
    delta.lost -= run->interval_totals.lost;
    delta.ping_count -= run->interval_totals.ping_count;
    delta.ping_sum_ns -= run->interval_totals.ping_sum_ns;
    take_lowest(run, &delta);
    run->interval_totals = totals;
    run->interval_ns = now;
    if (delta.packets > 0)
        statistics_add(&run->statistics, (double)delta.packets / seconds);
    say_interval(run, &delta, seconds);
    if (run->options.json)
        json_interval(run, &delta, seconds);
}
