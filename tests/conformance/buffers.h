/* Which buffers of a region have been seen: none may be in two places, none may get lost. */
#ifndef NM_CONFORMANCE_BUFFERS_H
#define NM_CONFORMANCE_BUFFERS_H

#include "tests/conformance/ports.h"

struct buffer_set {
    uint8_t *seen;
    uint32_t limit; /* valid indices are 2 .. limit - 1 */
    uint32_t count;
};

/* A set for the region the port is in; false with a failure recorded when there is no memory. */
bool buffers_start(struct buffer_set *set, const struct port *port);
void buffers_end(struct buffer_set *set);

/* False, with a failure recorded, when the index is out of range or was seen before. The text and
 * numbers say where it was found. */
bool buffers_add(struct buffer_set *set, uint32_t index, const char *what, unsigned ring,
                 unsigned slot);
/* Every slot of every ring of the port. */
bool buffers_add_rings(struct buffer_set *set, const struct port *port);
/* The list of extra buffers: how many there are. */
uint32_t buffers_add_extra(struct buffer_set *set, const struct port *port);

/* Take a buffer from the port's list of extra ones, 0 when it is empty; put one on it. */
uint32_t buffers_pop(const struct port *port);
void buffers_push(const struct port *port, uint32_t index);

#endif
