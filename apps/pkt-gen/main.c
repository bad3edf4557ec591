/* pkt-gen: opens the port, starts a thread for each ring wanted, watches them, and reports. */
#include "apps/pkt-gen/report.h"
#include "apps/pkt-gen/result.h"
#include "apps/pkt-gen/wait.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define WATCH_MS 50

static volatile sig_atomic_t stop_requested;

static void request_stop(void)
{
    stop_requested = 1;
}

/* Ports that are made of memory have no link to wait for. */
static bool is_virtual(const char *port)
{
    return strncmp(port, "vale", 4) == 0 || strpbrk(port, "{}") != NULL;
}

/* libnetmap has a message for everything that fails, with its remedy. */
static void library_message(struct nmctx *context, const char *message)
{
    (void)context;
    complain("%s", message);
}

/* What the options say about rings, into the request. */
static void configure(const struct options *options, struct nmport_d *port)
{
    struct nmreq_register *request = &port->reg;

    if (options->rings.tx_slots != 0) {
        request->nr_tx_slots = options->rings.tx_slots;
        request->nr_rx_slots = options->rings.rx_slots;
    }
    if (options->rings.tx_rings != 0)
        request->nr_tx_rings = (uint16_t)options->rings.tx_rings;
    if (options->rings.rx_rings != 0)
        request->nr_rx_rings = (uint16_t)options->rings.rx_rings;
    if (options->function == FUNCTION_RX || options->function == FUNCTION_RXSEQ)
        request->nr_flags |= NR_NO_TX_POLL; /* we shall never send */
    if (options->threads == 1)
        return;
    request->nr_mode = NR_REG_ONE_NIC;
    request->nr_ringid = 0;
    if (is_virtual(options->port) && request->nr_tx_rings == 0 && request->nr_rx_rings == 0)
        request->nr_tx_rings = request->nr_rx_rings = (uint16_t)options->threads;
}

/* Whether the port has the rings that the function and the threads need; says what is missing. */
static bool has_rings(const struct options *options, const struct nmport_d *port)
{
    bool sends = function_sends(options->function);
    bool both = options->function == FUNCTION_PING || options->function == FUNCTION_PONG;
    int rings = sends ? port->reg.nr_tx_rings : port->reg.nr_rx_rings;

    if ((sends || both) && port->first_tx_ring > port->last_tx_ring)
        complain("%s: no tx ring is open, and %s must send", options->port,
                 function_name(options->function));
    else if ((!sends || both) && port->first_rx_ring > port->last_rx_ring)
        complain("%s: no rx ring is open, and %s must receive", options->port,
                 function_name(options->function));
    else if (options->threads > 1 && options->threads > rings)
        complain("-p %d: %s has %d rings of that kind, and each thread needs one (@conf:rings=%d "
                 "behind the name asks for more when the port is made)",
                 options->threads, options->port, rings, options->threads);
    else
        return true;
    return false;
}

static struct nmport_d *open_first(const struct options *options)
{
    struct nmport_d *port = nmport_prepare(options->port);

    if (port == NULL)
        return NULL;
    if (options->threads > 1 && port->reg.nr_mode != NR_REG_ALL_NIC &&
        port->reg.nr_mode != NR_REG_DEFAULT) {
        complain("%s: the name chooses rings already, so -p cannot", options->port);
        nmport_close(port);
        return NULL;
    }
    configure(options, port);
    if (nmport_open_desc(port) < 0 || !has_rings(options, port)) {
        nmport_close(port);
        return NULL;
    }
    return port;
}

/* Another descriptor of the same port, bound to one ring of its own. */
static struct nmport_d *open_next(struct nmport_d *first, int ring)
{
    struct nmport_d *port = nmport_clone(first);

    if (port == NULL)
        return NULL;
    port->reg.nr_mode = NR_REG_ONE_NIC;
    port->reg.nr_ringid = (uint16_t)ring;
    if (nmport_open_desc(port) < 0) {
        nmport_close(port);
        return NULL;
    }
    return port;
}

/* Several receivers share the count while they run (receiver.c). */
static uint64_t quota_of(const struct options *options, int index)
{
    uint64_t threads = (uint64_t)options->threads;

    if (options->threads == 1)
        return options->count;
    if (!function_sends(options->function))
        return 0;
    return options->count / threads + ((uint64_t)index < options->count % threads);
}

static bool make_workers(struct run *run)
{
    size_t size = (size_t)run->options.threads * sizeof(*run->workers);
    uint64_t seed = platform_seed();
    uintptr_t start;
    int i;

    /* calloc() aligns to 16 bytes, but the counters want cache lines of their own. */
    run->workers_memory = calloc(1, size + CACHE_LINES);
    if (run->workers_memory == NULL) {
        complain("no memory for %d threads", run->options.threads);
        return false;
    }
    start = (uintptr_t)run->workers_memory;
    run->workers = (struct worker *)((start + CACHE_LINES - 1) & ~(uintptr_t)(CACHE_LINES - 1));
    for (i = 0; i < run->options.threads; i++) {
        struct worker *worker = &run->workers[i];

        worker->run = run;
        worker->options = &run->options;
        worker->index = i;
        worker->quota = quota_of(&run->options, i);
        atomic_init(&worker->counters.min_space, UINT32_MAX);
        atomic_init(&worker->counters.ping_lowest_ns, UINT64_MAX);
        packet_build(&worker->packet, &run->options, random_next(&seed));
    }
    return true;
}

static bool open_ports(struct run *run)
{
    int i;

    for (i = 0; i < run->options.threads; i++) {
        struct nmport_d *first = run->workers[0].port;

        run->workers[i].port = i == 0 ? open_first(&run->options) : open_next(first, i);
        if (run->workers[i].port == NULL)
            return false;
        run->worker_count = i + 1;
    }
    return true;
}

static void close_ports(struct run *run)
{
    int i;

    for (i = run->worker_count - 1; i >= 0; i--) {
        nmport_close(run->workers[i].port);
        free(run->workers[i].verifier);
        free(run->workers[i].latency);
    }
    free(run->workers_memory);
}

static void wait_for_link(const struct options *options)
{
    int seconds = options->link_wait >= 0 ? options->link_wait : is_virtual(options->port) ? 0 : 2;

    if (seconds > 0) {
        uint64_t end = platform_now_ns() + (uint64_t)seconds * PLATFORM_NS_PER_SECOND;

        say("main", "Wait %d secs for phy reset", seconds);
        while (!stop_requested && platform_now_ns() < end)
            platform_sleep_ns(WATCH_MS * 1000000ULL);
    }
    say("main", "Ready...");
}

static void *worker_main(void *argument)
{
    static void (*const bodies[])(struct worker *) = {
        [FUNCTION_RX] = receiver_run,  [FUNCTION_TX] = sender_run,
        [FUNCTION_PING] = ping_run,    [FUNCTION_PONG] = pong_run,
        [FUNCTION_TXSEQ] = sender_run, [FUNCTION_RXSEQ] = receiver_run,
    };
    struct worker *worker = argument;
    const struct options *options = worker->options;

    if (options->first_cpu >= 0) {
        int cpu = options->first_cpu + worker->index % worker->run->cpus;
        int error = platform_pin_thread(cpu);

        if (error != 0)
            complain("-a %d: cannot bind thread %d to processor %d (%s); it runs anywhere",
                     options->first_cpu, worker->index, cpu, strerror(error));
    }
    bodies[options->function](worker);
    atomic_store(&worker->finished, true);
    return NULL;
}

static void start_workers(struct run *run)
{
    int i;

    for (i = 0; i < run->worker_count; i++) {
        struct worker *worker = &run->workers[i];
        int error = pthread_create(&worker->thread, NULL, worker_main, worker);

        worker->started = error == 0;
        if (error == 0)
            continue;
        complain("cannot start thread %d: %s", i, strerror(error));
        worker->failed = true;
        atomic_store(&worker->finished, true);
        atomic_store(&run->stop, true);
    }
}

/* True when no worker runs any more. One that failed takes the others with it. */
static bool all_finished(struct run *run)
{
    bool finished = true;
    int i;

    for (i = 0; i < run->worker_count; i++) {
        if (!atomic_load(&run->workers[i].finished))
            finished = false;
        else if (run->workers[i].failed)
            atomic_store(&run->stop, true);
    }
    return finished;
}

/* Reports while the workers work, and tells them when to stop. */
static void watch(struct run *run)
{
    uint64_t begin = platform_now_ns();
    uint64_t end =
        run->options.seconds > 0 ? begin + (uint64_t)(run->options.seconds * 1e9) : UINT64_MAX;
    uint64_t interval_ns = run->options.report_ms * 1000000ULL;
    uint64_t next_report = begin + interval_ns;

    run->interval_ns = begin;
    while (!all_finished(run)) {
        uint64_t now = platform_now_ns();
        uint64_t next = next_report < end ? next_report : end;
        uint64_t pause = next > now ? next - now : 0;

        platform_sleep_ns(pause < WATCH_MS * 1000000ULL ? pause : WATCH_MS * 1000000ULL);
        now = platform_now_ns();
        if (stop_requested || now >= end) {
            atomic_store(&run->stop, true);
            end = UINT64_MAX;
        }
        if (now >= next_report) {
            report_interval(run);
            next_report += interval_ns;
            if (next_report < now)
                next_report = now + interval_ns;
        }
    }
}

static bool join_workers(struct run *run)
{
    bool failed = false;
    int i;

    for (i = 0; i < run->worker_count; i++) {
        if (run->workers[i].started)
            pthread_join(run->workers[i].thread, NULL);
        failed |= run->workers[i].failed;
    }
    return !failed;
}

static bool frames_were_right(const struct run *run)
{
    struct result result;

    if (!run->options.verify)
        return true;
    result_collect(run, &result);
    return result.corrupted == 0 && result.reordered == 0;
}

static bool run_all(struct run *run)
{
    bool worked;

    nmctx_get()->error = library_message;
    if (!open_ports(run))
        return false;
    run->cpus = platform_cpu_count();
    if (run->options.cpus > 0 && run->options.cpus < run->cpus)
        run->cpus = run->options.cpus;
    platform_on_stop_request(request_stop);
    report_start(run);
    wait_for_link(&run->options);
    start_workers(run);
    watch(run);
    worked = join_workers(run);
    report_result(run);
    return worked && frames_were_right(run);
}

int main(int argc, char **argv)
{
    static struct run run;
    enum exit_code code;
    bool ended, worked;

    code = options_parse(&run.options, argc, argv, &ended);
    if (code != EXIT_CODE_OK || ended)
        return (int)code;
    worked = make_workers(&run) && run_all(&run);
    close_ports(&run);
    return worked ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}
