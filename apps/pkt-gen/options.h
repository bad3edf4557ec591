/* What the user asked for. */
#ifndef NM_PKT_GEN_OPTIONS_H
#define NM_PKT_GEN_OPTIONS_H

#include "apps/pkt-gen/address.h"

#include <stdbool.h>
#include <stdint.h>

enum exit_code { EXIT_CODE_OK = 0, EXIT_CODE_FAILED = 1, EXIT_CODE_USAGE = 2 };

enum function {
    FUNCTION_RX,
    FUNCTION_TX,
    FUNCTION_PING,
    FUNCTION_PONG,
    FUNCTION_TXSEQ,
    FUNCTION_RXSEQ,
};

/* The bits of -o. */
enum {
    DO_PREFETCH = 1,         /* prefetch buffers ahead of their use */
    DO_ACCESS = 2,           /* rx: read the first bytes of every frame */
    DO_COPY = 4,             /* tx: copy the payload into every frame, to the end */
    DO_MEMCPY = 8,           /* tx: the same with memcpy() instead of nm_pkt_copy() */
    DO_TIMESTAMP = 16,       /* tx: put the time of day into every frame */
    DO_INDIRECT = 32,        /* tx: NS_INDIRECT slots that point to our own buffer */
    DO_DUMP = 64,            /* print the bytes of every frame */
    DO_RUBBISH = 256,        /* tx: send whatever the buffers hold */
    DO_RANDOM_SOURCE = 512,  /* tx: random source address and port */
    DO_RANDOM_TARGET = 1024, /* tx: random destination address and port */
    DO_STATISTICS = 2048,    /* mean and standard deviation of the rates */
    DO_CHECKSUM = 4096,      /* keep UDP checksums right; done anyway, accepted for old scripts */
    DO_ALL = 1 | 2 | 4 | 8 | 16 | 32 | 64 | 256 | 512 | 1024 | 2048 | 4096,
};

#define PORT_NAME_BYTES 256
#define MAX_FRAME_BYTES 65535u /* what the 16 bits of an IP length allow, roughly */
#define MAX_FRAGMENTS   63
#define MAX_THREADS     256
#define MAX_BURST       65536u

struct ring_config {
    unsigned tx_slots, rx_slots, tx_rings, rx_rings;
};

struct options {
    char port[PORT_NAME_BYTES];
    enum function function;
    uint64_t count; /* frames to send or receive; 0 = no limit */
    double seconds; /* run time; 0 = no limit */
    unsigned length, length_min;
    unsigned burst;
    int family; /* 4 or 6 */
    struct endpoint source, target;
    uint8_t source_mac[MAC_BYTES], target_mac[MAC_BYTES];
    int first_cpu; /* -1: do not bind threads */
    int cpus;      /* 0: all */
    int threads;
    unsigned report_ms;
    int link_wait; /* seconds; -1: by the kind of port */
    uint64_t rate; /* frames a second, all threads together; 0 = as fast as possible */
    unsigned what; /* DO_... */
    unsigned fragments;
    unsigned fragment_bytes; /* 0: the frame cut into equal pieces */
    struct ring_config rings;
    int verbose;
    bool exit_if_empty;
    bool plain_numbers;
    bool count_framing;
    bool json;
    bool verify;
    bool allow_foreign;
};

/*
 * Fills *options. EXIT_CODE_OK: go on; anything else: end with that code, the message is printed.
 * *ended is set when all is said and done already (--help, --version).
 */
enum exit_code options_parse(struct options *options, int argc, char **argv, bool *ended);

const char *function_name(enum function function);
bool function_sends(enum function function);

/* The help text, on stdout. */
void usage_print(void);

#endif
