/*
 * One run of the program, and its workers: threads that own one netmap port each and move frames.
 * The main thread reads their counters while they run, so these are atomic; each has one writer.
 */
#ifndef NM_PKT_GEN_WORKER_H
#define NM_PKT_GEN_WORKER_H

#include "apps/pkt-gen/options.h"
#include "apps/pkt-gen/packet.h"
#include "apps/pkt-gen/verify.h"
#include "apps/platform.h"

#include <libnetmap.h>
#include <net/netmap_user.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* How long a worker sleeps at most before it looks whether it is to stop. */
#define WAIT_MS 200

#define CACHE_LINES 128

/* Round-trip times, in buckets that are a sixteenth of their power of two wide. */
#define LATENCY_STEPS   16
#define LATENCY_BUCKETS (64 * LATENCY_STEPS)

struct latency {
    uint64_t count, sum_ns, lowest_ns, highest_ns;
    uint64_t buckets[LATENCY_BUCKETS];
};

struct counters {
    alignas(CACHE_LINES) _Atomic uint64_t packets; /* whole frames */
    _Atomic uint64_t bytes;
    _Atomic uint64_t events; /* batches that were not empty */
    _Atomic uint64_t lost;   /* gaps: rxseq, --verify, pings without an answer */
    _Atomic uint64_t ping_count, ping_sum_ns, ping_lowest_ns; /* lowest: of this interval */
    _Atomic uint32_t min_space; /* of this interval; UINT32_MAX: none */
};

struct run;

struct worker {
    struct run *run;
    const struct options *options;
    struct nmport_d *port;
    int index;
    uint64_t quota; /* frames this worker is to move; 0 = no limit */
    pthread_t thread;
    bool started;              /* the thread exists */
    _Atomic bool finished;     /* ... and has ended */
    bool failed;               /* ... because of an error, which it has reported */
    _Atomic uint64_t start_ns; /* when it moved the first frame; 0: not yet */
    _Atomic uint64_t end_ns;   /* when it was done with the last */
    struct counters counters;
    struct packet packet;
    struct verifier *verifier; /* rx --verify */
    struct latency *latency;   /* ping */
    uint64_t reordered;        /* rxseq */
    int poll_value;            /* what the last poll() returned ... */
    int poll_events;           /* ... and the events it found */
    unsigned empty_rounds;     /* busy waiting: how often in a row nothing was found */
};

/* A sum of the counters of all workers. */
struct totals {
    uint64_t packets, bytes, events, lost, ping_count, ping_sum_ns, ping_lowest_ns;
    uint32_t min_space;
};

/* Mean and variance of the rates so far (Welford). */
struct statistics {
    unsigned count;
    double mean, squares;
};

struct run {
    struct options options;
    _Atomic bool stop;
    _Atomic uint64_t received; /* by several receivers that share a count */
    int cpus;                  /* how many processors -a binds to */
    int worker_count;
    struct worker *workers;
    void *workers_memory; /* what to free */
    uint64_t interval_ns; /* when the running interval began */
    struct totals interval_totals;
    struct statistics statistics;
};

/*
 * The bodies of the functions; each returns when it is done, told to stop, or failed. The sender is
 * tx and txseq, the receiver rx and rxseq.
 */
void sender_run(struct worker *worker);
void receiver_run(struct worker *worker);
void ping_run(struct worker *worker);
void pong_run(struct worker *worker);

static inline bool worker_stopping(const struct worker *worker)
{
    return atomic_load_explicit(&worker->run->stop, memory_order_relaxed);
}

/* One writer, so no locked instruction is needed. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

/* A batch was moved; space is the room, or the number of frames, that was found before. */
static inline void count_batch(struct worker *worker, uint64_t packets, uint64_t bytes,
                               uint32_t space)
{
    struct counters *counters = &worker->counters;

    counter_add(&counters->packets, packets);
    counter_add(&counters->bytes, bytes);
    counter_add(&counters->events, 1);
    if (space < atomic_load_explicit(&counters->min_space, memory_order_relaxed))
        atomic_store_explicit(&counters->min_space, space, memory_order_relaxed);
}

static inline void mark_start(struct worker *worker)
{
    atomic_store_explicit(&worker->start_ns, platform_now_ns(), memory_order_relaxed);
}

static inline void mark_end(struct worker *worker)
{
    atomic_store_explicit(&worker->end_ns, platform_now_ns(), memory_order_relaxed);
}

void latency_add(struct latency *latency, uint64_t ns);
uint64_t latency_quantile(const struct latency *latency, double quantile);

#endif
