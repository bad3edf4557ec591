/* Frames: Ethernet, IPv4 or IPv6, UDP, payload. */
#ifndef NM_PKT_GEN_PACKET_H
#define NM_PKT_GEN_PACKET_H

#include "apps/pkt-gen/options.h"

#include <stdint.h>
#include <string.h>

/* What the functions write at the start of the payload. */
#define SEQUENCE_BYTES  4  /* txseq, rxseq */
#define TIMESTAMP_BYTES 8  /* -o 16 */
#define PING_BYTES      16 /* ping, pong */
#define VERIFY_BYTES    18 /* --verify */

#define ETHERNET_BYTES 14

/* nm_pkt_copy() reads up to the next multiple of 64 bytes. */
#define PACKET_PADDING 64

/* One frame in memory of our own, and the addresses its successors will have. */
struct packet {
    uint8_t bytes[MAX_FRAME_BYTES + PACKET_PADDING + 1];
    unsigned length;
    int family;
    unsigned ip;      /* offset of the IP header */
    unsigned udp;     /* ... of the UDP header */
    unsigned payload; /* ... of what is behind it */
    struct endpoint source, target;
    bool random_source, random_target;
    uint64_t source_low, target_low; /* the addresses in the frame */
    uint16_t source_port, target_port;
    uint64_t random; /* state of the generator */
};

unsigned packet_header_bytes(int family);

/* Builds the first frame. Cuts or lengthens it later with packet_set_length(). */
void packet_build(struct packet *packet, const struct options *options, uint64_t seed);
void packet_set_length(struct packet *packet, unsigned length);

/* Makes the UDP checksum right after the payload was changed. */
void packet_set_checksum(struct packet *packet);

/* Whether the UDP checksum of a frame whose payload packet_find_payload() has found is right. */
bool packet_checksum_right(const uint8_t *frame, unsigned length);

/* Replaces 32 bits of the payload, and adjusts the checksum. */
void packet_set_be32(struct packet *packet, unsigned payload_offset, uint32_t value);

/* Where the payload of a received frame starts; 0 when it is none of ours. */
unsigned packet_find_payload(const uint8_t *frame, unsigned length);

/* True when each frame has other addresses than the one before. */
bool packet_varies(const struct packet *packet);

/* Takes the next addresses: source port, source, destination port, destination, like a counter. */
void packet_next(struct packet *packet);

/* Numbers without a pattern; the quality of a game, the speed of one multiplication. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545F4914F6CDD1DULL;
}

/* In [low, high]; the bias is below one in 2^32 for the ranges used here. No division. */
static inline unsigned random_between(uint64_t *state, unsigned low, unsigned high)
{
    return low + (unsigned)((random_next(state) >> 32) * (uint64_t)(high - low + 1) >> 32);
}

static inline void store_u64(uint8_t *to, uint64_t value)
{
    memcpy(to, &value, sizeof(value));
}

static inline uint64_t load_u64(const uint8_t *from)
{
    uint64_t value;

    memcpy(&value, from, sizeof(value));
    return value;
}

static inline void store_u32(uint8_t *to, uint32_t value)
{
    memcpy(to, &value, sizeof(value));
}

static inline uint32_t load_u32(const uint8_t *from)
{
    uint32_t value;

    memcpy(&value, from, sizeof(value));
    return value;
}

static inline void store_u16(uint8_t *to, uint16_t value)
{
    memcpy(to, &value, sizeof(value));
}

static inline uint16_t load_u16(const uint8_t *from)
{
    uint16_t value;

    memcpy(&value, from, sizeof(value));
    return value;
}

/* The same in network order. */
static inline void store_be16(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static inline void store_be32(uint8_t *to, uint32_t value)
{
    store_be16(to, value >> 16);
    store_be16(to + 2, value & 0xffff);
}

static inline uint32_t load_be32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

#endif
