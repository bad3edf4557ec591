/*
 * The Linux client edge without a socket: it drives the rings of a descriptor of a core in the same
 * process, through the core's own mapping of the region.
 */
#ifndef NM_TESTS_EDGE_ON_CORE_H
#define NM_TESTS_EDGE_ON_CORE_H

#include "hosts/linux/client/edge.h"

/* The descriptor is bound, and the core has doors. The event descriptor is -1: a ring of the
 * worker's bell goes nowhere, unless the caller sets one. False: out of memory. */
bool edge_on_core(struct edge *edge, struct edge_map *map, const struct nm_handle *handle);
void edge_off_core(struct edge *edge);

#endif
