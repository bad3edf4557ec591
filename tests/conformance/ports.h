/*
 * What most tests do with a port: open it through the public calls, put frames in, take them out.
 * Nothing here is hidden behind a library: open, ioctl, mmap, poll and close as programs use them.
 */
#ifndef NM_CONFORMANCE_PORTS_H
#define NM_CONFORMANCE_PORTS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <net/netmap.h>
#include <net/netmap_user.h>

#include "tests/conformance/check.h"
#include "tests/conformance/platform.h"

#define DEVICE "/dev/netmap"

struct port {
    int fd;
    char name[NETMAP_REQ_IFNAMSIZ];
    struct nmreq_register reg; /* as the host answered */
    char *memory;
    struct netmap_if *nifp;
    struct port *next;
};

/* ---- requests; each returns 0 or an errno value ---- */

/* Fill a header for a request; options and everything else are 0. */
void header_set(struct nmreq_header *header, uint16_t reqtype, const char *name, void *body);
int header_send(int fd, struct nmreq_header *header);
int request_send(int fd, uint16_t reqtype, const char *name, void *body);
/* REGISTER on a descriptor of its own that is closed again: what does the host say to this? */
int register_outcome(const char *name, const struct nmreq_register *want);
/* Text of the last failed request of this thread; never NULL. */
const char *last_message(void);

/* ---- ports; closed after the test when it does not close them itself ---- */

/* want: mode NR_REG_ALL_NIC and zeroes when NULL. 0 or an errno value; *result set when 0. */
int port_try(const char *name, const struct nmreq_register *want, struct port **result);
/* NULL, with a failure recorded, when the host refuses. */
struct port *port_open_at(const char *file, int line, const char *name,
                          const struct nmreq_register *want);
#define port_open(name)          port_open_at(__FILE__, __LINE__, (name), NULL)
#define port_open_as(name, want) port_open_at(__FILE__, __LINE__, (name), (want))
/* port_open_with("vale1:a", .nr_tx_rings = 2) */
#define port_open_with(name, ...)                                                                  \
    port_open_at(__FILE__, __LINE__, (name),                                                       \
                 &(struct nmreq_register){.nr_mode = NR_REG_ALL_NIC, __VA_ARGS__})
void port_close(struct port *port);
/* A child that was killed must not stay in the way of the next test: nothing else needs this. */
void ports_close_all(void);

/* 0 or an errno value. */
int port_txsync(const struct port *port);
int port_rxsync(const struct port *port);
/* Returned events; 0 after the time-out; -1 (a failure is recorded) when poll itself fails. */
int port_poll(const struct port *port, short events, int timeout_ms);

struct netmap_ring *tx_ring(const struct port *port, unsigned ring);
struct netmap_ring *rx_ring(const struct port *port, unsigned ring);
/* Slots the program owns, from head to tail. */
uint32_t ring_room(const struct netmap_ring *ring);

/* Number of buffers in the region as the layout shows it: where the mapping ends. */
uint32_t port_buffer_limit(const struct port *port);

/* ---- frames ---- */

struct mac {
    uint8_t bytes[6];
};
struct mac mac_of(unsigned number); /* a unicast address */
struct mac mac_multicast(void);
struct mac mac_broadcast(void);

#define FRAME_MIN    14 /* an Ethernet header */
#define FRAME_MARKED 26 /* from here on a frame holds its whole stream and sequence number */

/*
 * A frame: addresses, stream and sequence number, and a pattern that follows from all of them.
 * Whatever of that does not fit into the length is left out.
 */
struct frame {
    struct mac destination;
    struct mac source;
    uint32_t stream;
    uint64_t sequence;
    uint32_t length;
};
void frame_build(uint8_t *data, const struct frame *frame);
bool frame_matches(const uint8_t *data, const struct frame *frame);
/* Length 14..max of the frame with that number, the same for sender and receiver. */
uint32_t frame_mixed_length(uint64_t sequence, uint32_t min, uint32_t max);
/* Stream and sequence number of received data, if it has them. */
bool frame_read_mark(const uint8_t *data, uint32_t length, uint32_t *stream, uint64_t *sequence);

/* Put the frame into the next free slot of a tx ring; false when there is none. */
bool frame_put(const struct port *port, unsigned ring, const struct frame *frame);
/* The same, a failure when there is none; then NIOCTXSYNC. */
bool frame_send_at(const char *file, int line, const struct port *port, const struct frame *frame);
#define frame_send(port, frame) frame_send_at(__FILE__, __LINE__, (port), (frame))
/* The next slot of an rx ring must hold exactly this frame; gives the slot back. */
bool frame_expect_at(const char *file, int line, const struct port *port, unsigned ring,
                     const struct frame *frame);
#define frame_expect(port, ring, frame) frame_expect_at(__FILE__, __LINE__, (port), (ring), (frame))
/* NIOCRXSYNC, then every bound rx ring must be empty. */
bool frames_none_at(const char *file, int line, const struct port *port);
#define frames_none(port) frames_none_at(__FILE__, __LINE__, (port))
/* Give back everything received: how many slots that were. */
uint32_t frames_discard(const struct port *port);

/* Frame number `sequence` of stream 1 from port address `from` to port address `to`. */
struct frame frame_between(unsigned from, unsigned to, uint64_t sequence, uint32_t length);

/* Send a broadcast frame from each port, so that the switch learns mac_of(index + 1) of each,
 * and throw all of them away. */
void ports_introduce(struct port *const *ports, unsigned count);

#endif
