/* flow: the parts of the program, and what its processes share. */
#ifndef NM_BENCH_FLOW_H
#define NM_BENCH_FLOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_TRIPS (1u << 18)

enum side_kind { SENDER, RECEIVER };

/* One process's words, written by it and read by the parent a few times a second. */
struct side_state {
    _Alignas(128) _Atomic uint64_t frames;
    uint64_t disorder; /* frames older than the one before them */
    pid_t host_pid;    /* who serves the port; 0: not known */
    uint32_t slots;    /* of its ring */
};

struct shared {
    struct side_state sides[2];
    _Alignas(128) atomic_bool stop[2];
    _Alignas(128) atomic_bool measuring; /* round trips count from now on */
    _Alignas(128) uint32_t trips;
    uint32_t trip_ns[MAX_TRIPS];
};

struct flow_options {
    const char *ports[2];
    uint32_t size;     /* of a frame */
    uint32_t batch;    /* most frames between two calls */
    uint32_t flows;    /* destination addresses */
    uint32_t prefetch; /* the sender fetches buffers so many frames ahead */
    bool untouched;    /* payload neither written nor read */
    bool fill;         /* the sender writes all of each frame, not its first 64 bytes */
    bool broadcast;
    bool busy;    /* sync in a loop instead of poll */
    bool latency; /* one frame back and forth */
    int cpus[2];  /* where the two processes stay; -1: anywhere */
    double seconds, warm_up;
};

/* ---- traffic.c: the life of the two processes ---- */
/* Open the port, write a byte to ready_fd, move frames until told to stop. The exit status. */
int run_side(enum side_kind kind, const struct flow_options *options, struct shared *shared,
             int ready_fd);

/* ---- frames.c: what is done for each frame ---- */
struct netmap_ring;

struct frame_writer {
    const struct flow_options *options;
    uint64_t sequence;
    uint32_t flow;
};

struct frame_reader {
    const struct flow_options *options;
    uint64_t expected; /* sequence number */
    uint64_t disorder;
    uint64_t sum; /* of what was read */
};

void frames_init(void);
/* Fill the next `number` free slots, and give them to the host. */
void write_frames(struct frame_writer *writer, struct netmap_ring *ring, uint32_t number);
/* Read the next `number` frames, and give them back. */
void read_frames(struct frame_reader *reader, struct netmap_ring *ring, uint32_t number);
/* Frames whose source addresses are the destinations of the flows from `first` on, so that a
 * switch learns where they are. */
void announce_frames(struct netmap_ring *ring, uint32_t first, uint32_t number);
/* One frame from the sender (or back), and its sequence number. */
void write_trip(const struct flow_options *options, struct netmap_ring *ring, uint64_t sequence,
                bool back);
uint64_t read_trip(struct netmap_ring *ring);

/* ---- cputime.c ---- */
struct cpu_use {
    uint64_t run_ns; /* on a CPU */
    uint64_t sleeps; /* voluntary switches: how often it waited */
};

/* Of all threads of a process; false when there is no such process. */
bool cpu_use_of(pid_t process, struct cpu_use *use);

#endif
