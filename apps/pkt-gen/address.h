/* Ethernet, IP and UDP addresses as the user writes them. */
#ifndef NM_PKT_GEN_ADDRESS_H
#define NM_PKT_GEN_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAC_BYTES          6
#define ADDRESS_TEXT_BYTES 128

/*
 * One side of the traffic: an address and a port, or a range of each. Only the low 64 bits of an
 * address vary (32 for IPv4); the high 64 bits of an IPv6 address are the same in a whole range.
 */
struct endpoint {
    int family; /* 4 or 6 */
    uint64_t high;
    uint64_t low_first, low_last;
    uint16_t port_first, port_last;
};

/* aa:bb:cc:dd:ee:ff, also with one digit a byte. */
bool mac_parse(const char *text, uint8_t mac[MAC_BYTES]);
void mac_format(const uint8_t mac[MAC_BYTES], char *text, size_t size);

/*
 * ip[:port][-ip[:port]]; an IPv6 address that is followed by a port stands in brackets. What the
 * text leaves out stays as it was in *endpoint. On failure *reason says what is wrong.
 */
bool endpoint_parse(const char *text, struct endpoint *endpoint, const char **reason);
void endpoint_format(const struct endpoint *endpoint, char *text, size_t size);
bool endpoint_varies(const struct endpoint *endpoint);

#endif
