/*
 * What the unit tests of the core share: a core on the fake host, and ports opened on it.
 *
 * A port is used in the same way in both modes. Without doors a sync is the core's own, as in a
 * driver. With doors it is the Linux client edge's (hosts/linux/client/sync.c) on the same mapping
 * as the core's, followed by what netmapd's worker would do.
 */
#ifndef NM_TESTS_UNIT_H
#define NM_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pipe.h"
#include "core/region.h"
#include "core/ring.h"
#include "core/vale.h"
#include "tests/unit/edge_on_core.h"
#include "tests/unit/fake_host.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Rings of 16 slots, small regions, room for two pipes. */
void core_config(struct nm_config *config, bool doors);
void core_begin(struct nm_core *core, bool doors);
void core_begin_with(struct nm_core *core, const struct nm_config *config);
/* Nothing is alive, in the core's books and in the host's. */
void core_end(struct nm_core *core);

struct port {
    struct nm_core *core;
    struct nm_handle *handle; /* NULL: not open */
    struct nmreq_register reg;
    struct netmap_if *nif;
    struct edge edge; /* doors only */
    struct edge_map map;
    char message[NM_REQUEST_MESSAGE]; /* why it could not be opened */
};

/* REGISTER: 0 or the error; the wish may be NULL (all rings, defaults). */
int port_try(struct port *port, struct nm_core *core, const char *name,
             const struct nmreq_register *wish);
/* The same, and it must work. */
void port_open(struct port *port, struct nm_core *core, const char *name);
void port_open_with(struct port *port, struct nm_core *core, const char *name,
                    struct nmreq_register wish);
/* One request on a descriptor. */
int port_request(struct nm_handle *handle, uint16_t reqtype, const char *name, void *body,
                 char *message);
void port_close(struct port *port);

struct netmap_ring *tx_ring(const struct port *port, uint32_t ring);
struct netmap_ring *rx_ring(const struct port *port, uint32_t ring);
struct nm_kring *tx_kring(const struct port *port, uint32_t ring);
struct nm_kring *rx_kring(const struct port *port, uint32_t ring);
uint8_t *slot_buffer(const struct port *port, const struct netmap_slot *slot);
/* As in net/netmap_user.h, whose macros clash with the core's. */
uint32_t ring_next(const struct netmap_ring *ring, uint32_t index);
uint32_t ring_room(const struct netmap_ring *ring); /* slots between cur and tail */

int port_txsync(struct port *port);
int port_rxsync(struct port *port);

/* ---- frames ---- */

#define HEADER 14u
/* Station n has the address 02:00:00:00:00:n (n < 65536); its frames carry a number. */
void frame_fill(uint8_t *bytes, uint32_t length, unsigned destination, unsigned source,
                uint32_t number);
#define BROADCAST 0xffffffu /* as a destination: to all */
#define NOBODY    0xfffffeu /* the address 0 */
bool frame_good(const uint8_t *bytes, uint32_t length, uint32_t *number);

/* Put one slot into a tx ring; false when it is full. Not synced. */
bool put_slot(struct port *port, uint32_t ring, const uint8_t *bytes, uint32_t length,
              uint16_t flags);
bool put_frame(struct port *port, uint32_t ring, unsigned destination, unsigned source,
               uint32_t number, uint32_t length);
/* The same, and a txsync that must succeed. */
void send_frame(struct port *port, unsigned destination, unsigned source, uint32_t number);
/* Rxsync, then take all slots of an rx ring: how many, each a good frame; numbers may be NULL. */
unsigned take_all(struct port *port, uint32_t ring, uint32_t *numbers, unsigned most);
/* Take one slot as it is; false when the ring is empty. Not synced. */
bool take_slot(struct port *port, uint32_t ring, struct netmap_slot *slot, uint8_t *bytes);

uint64_t drops(const struct nm_kring *kring, unsigned cause);
uint64_t all_drops(const struct nm_kring *kring);

/* ---- the buffers of a region ---- */

/* Allocated, by the region's own books. */
uint32_t buffers_allocated(const struct nm_region *region);
/* What rings and descriptors should hold by the core's books. */
uint32_t buffers_held(const struct nm_core *core, const struct nm_region *region);
/* Every slot of every ring in the region shows another allocated buffer, none of which is on one
 * of the lists; no buffer is on two places of the lists either. */
void buffers_check(const struct nm_core *core, const struct nm_region *region,
                   const struct port *const *ports, unsigned number);

/* xorshift; a test's own sequence. */
uint64_t random_next(uint64_t *state);

#endif
