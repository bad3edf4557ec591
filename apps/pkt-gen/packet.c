#include "apps/pkt-gen/packet.h"

#include <string.h>

#define IPV4_BYTES 20u
#define IPV6_BYTES 40u
#define UDP_BYTES  8u
#define PROTO_UDP  17

/*
 * Sums for the Internet checksum, over 16-bit words as they lie in memory: a sum with end-around
 * carry comes out right in either byte order, so nothing is swapped.
 */
static uint64_t sum_bytes(const uint8_t *bytes, size_t count, uint64_t sum)
{
    uint64_t second = 0;

    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word = load_u64(bytes);

        sum += word & 0xffffffff;
        second += word >> 32;
    }
    sum += second;
    if (count >= 4) {
        sum += load_u32(bytes);
        bytes += 4;
        count -= 4;
    }
    if (count >= 2) {
        sum += load_u16(bytes);
        bytes += 2;
        count -= 2;
    }
    if (count > 0) {
        uint8_t last[2] = {bytes[0], 0};

        sum += load_u16(last);
    }
    return sum;
}

static uint16_t fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

unsigned packet_header_bytes(int family)
{
    return ETHERNET_BYTES + (family == 4 ? IPV4_BYTES : IPV6_BYTES) + UDP_BYTES;
}

static uint8_t *udp_checksum(struct packet *packet)
{
    return packet->bytes + packet->udp + 6;
}

static uint8_t *ipv4_checksum(struct packet *packet)
{
    return packet->bytes + packet->ip + 10;
}

/* A UDP checksum of zero would mean "none". */
static uint16_t not_zero(uint16_t checksum)
{
    return checksum != 0 ? checksum : 0xffff;
}

/* The sum that a UDP checksum is made of: addresses, protocol, length, and the datagram. */
static uint16_t sum_udp(const uint8_t *frame, int family, unsigned length)
{
    const uint8_t *addresses = frame + ETHERNET_BYTES + (family == 4 ? 12 : 8);
    const uint8_t *udp = frame + packet_header_bytes(family) - UDP_BYTES;
    uint8_t pseudo[2] = {0, PROTO_UDP};
    uint64_t sum;

    sum = sum_bytes(addresses, family == 4 ? 8 : 32, 0);
    sum = sum_bytes(pseudo, sizeof(pseudo), sum);
    sum = sum_bytes(udp + 4, 2, sum); /* its length counts twice */
    return fold(sum_bytes(udp, length - (unsigned)(udp - frame), sum));
}

void packet_set_checksum(struct packet *packet)
{
    store_u16(udp_checksum(packet), 0);
    store_u16(udp_checksum(packet),
              not_zero((uint16_t)~sum_udp(packet->bytes, packet->family, packet->length)));
}

bool packet_checksum_right(const uint8_t *frame, unsigned length)
{
    return sum_udp(frame, frame[12] == 0x08 ? 4 : 6, length) == 0xffff;
}

/* An IP length has 16 bits; longer frames exist in tests only and say the largest one. */
static void store_length(uint8_t *to, unsigned length)
{
    store_be16(to, length <= 0xffff ? length : 0xffff);
}

void packet_set_length(struct packet *packet, unsigned length)
{
    uint8_t *ip = packet->bytes + packet->ip;

    packet->length = length;
    if (length < packet->payload)
        return; /* rubbish has no headers */
    if (packet->family == 4) {
        store_length(ip + 2, length - packet->ip);
        store_u16(ipv4_checksum(packet), 0);
        store_u16(ipv4_checksum(packet), (uint16_t)~fold(sum_bytes(ip, IPV4_BYTES, 0)));
    } else {
        store_length(ip + 4, length - packet->udp);
    }
    store_length(packet->bytes + packet->udp + 4, length - packet->udp);
    packet_set_checksum(packet);
}

static void store_address(const struct packet *packet, uint8_t *to, const struct endpoint *endpoint)
{
    if (packet->family == 4) {
        store_be32(to, (uint32_t)endpoint->low_first);
    } else {
        store_be32(to, (uint32_t)(endpoint->high >> 32));
        store_be32(to + 4, (uint32_t)endpoint->high);
        store_be32(to + 8, (uint32_t)(endpoint->low_first >> 32));
        store_be32(to + 12, (uint32_t)endpoint->low_first);
    }
}

static void build_headers(struct packet *packet, const struct options *options)
{
    uint8_t *ethernet = packet->bytes;
    uint8_t *ip = packet->bytes + packet->ip;
    uint8_t *udp = packet->bytes + packet->udp;

    memcpy(ethernet, options->target_mac, MAC_BYTES);
    memcpy(ethernet + MAC_BYTES, options->source_mac, MAC_BYTES);
    if (packet->family == 4) {
        store_be16(ethernet + 12, 0x0800);
        ip[0] = 0x45;               /* version 4, five words of header */
        store_be16(ip + 6, 0x4000); /* do not fragment */
        ip[8] = 64;
        ip[9] = PROTO_UDP;
        store_address(packet, ip + 12, &packet->source);
        store_address(packet, ip + 16, &packet->target);
    } else {
        store_be16(ethernet + 12, 0x86dd);
        ip[0] = 0x60;
        ip[6] = PROTO_UDP;
        ip[7] = 64;
        store_address(packet, ip + 8, &packet->source);
        store_address(packet, ip + 24, &packet->target);
    }
    store_be16(udp, packet->source_port);
    store_be16(udp + 2, packet->target_port);
}

void packet_build(struct packet *packet, const struct options *options, uint64_t seed)
{
    static const char text[] = "pkt-gen sends this over netmap. ";
    unsigned i;

    memset(packet, 0, sizeof(*packet));
    packet->family = options->family;
    packet->ip = ETHERNET_BYTES;
    packet->udp = packet_header_bytes(options->family) - UDP_BYTES;
    packet->payload = packet->udp + UDP_BYTES;
    packet->source = options->source;
    packet->target = options->target;
    packet->source_low = options->source.low_first;
    packet->target_low = options->target.low_first;
    packet->source_port = options->source.port_first;
    packet->target_port = options->target.port_first;
    packet->random_source = options->what & DO_RANDOM_SOURCE;
    packet->random_target = options->what & DO_RANDOM_TARGET;
    packet->random = seed | 1; /* the generator would stay at zero */
    build_headers(packet, options);
    for (i = packet->payload; i < sizeof(packet->bytes); i++)
        packet->bytes[i] = (uint8_t)text[(i - packet->payload) % (sizeof(text) - 1)];
    packet_set_length(packet, options->length);
}

bool packet_varies(const struct packet *packet)
{
    return packet->random_source || packet->random_target || endpoint_varies(&packet->source) ||
           endpoint_varies(&packet->target);
}

/* Replaces 16 bits of the frame and adjusts one checksum for it (RFC 1624). */
static void adjust(uint8_t *checksum, uint16_t before, uint16_t after)
{
    uint64_t sum = (uint64_t)(uint16_t)~load_u16(checksum) + (uint16_t)~before + after;

    store_u16(checksum, (uint16_t)~fold(sum));
}

static void replace_be16(struct packet *packet, unsigned offset, unsigned value)
{
    uint8_t *field = packet->bytes + offset;
    uint16_t before = load_u16(field);

    store_be16(field, value);
    if (offset < packet->udp && packet->family == 4)
        adjust(ipv4_checksum(packet), before, load_u16(field));
    adjust(udp_checksum(packet), before, load_u16(field));
    store_u16(udp_checksum(packet), not_zero(load_u16(udp_checksum(packet))));
}

void packet_set_be32(struct packet *packet, unsigned payload_offset, uint32_t value)
{
    replace_be16(packet, packet->payload + payload_offset, value >> 16);
    replace_be16(packet, packet->payload + payload_offset + 2, value & 0xffff);
}

unsigned packet_find_payload(const uint8_t *frame, unsigned length)
{
    unsigned type, offset;

    if (length < ETHERNET_BYTES)
        return 0;
    type = (unsigned)frame[12] << 8 | frame[13];
    if (type != 0x0800 && type != 0x86dd)
        return 0;
    offset = packet_header_bytes(type == 0x0800 ? 4 : 6);
    return length >= offset ? offset : 0;
}

/* Writes the part of an address that varies: 32 bits of IPv4, 64 of IPv6. */
static void replace_address(struct packet *packet, bool source, uint64_t low)
{
    unsigned bytes = packet->family == 4 ? 4 : 8;
    unsigned offset = packet->ip + (packet->family == 4 ? (source ? 12 : 16) : (source ? 16 : 32));
    unsigned i;

    for (i = 0; i < bytes; i += 2)
        replace_be16(packet, offset + i, (unsigned)(low >> 8 * (bytes - 2 - i)) & 0xffff);
}

/* A value of [first, last], or any one when the user gave no range. */
static uint64_t random_in(struct packet *packet, uint64_t first, uint64_t last)
{
    uint64_t value = random_next(&packet->random);

    if (first == last)
        return value;
    return last - first == UINT64_MAX ? value : first + value % (last - first + 1);
}

/* Moves one side on. True when its range is through, so that the other side moves too. */
static bool step(struct packet *packet, const struct endpoint *range, bool random, uint64_t *low,
                 uint16_t *port)
{
    if (random) {
        *low = random_in(packet, range->low_first, range->low_last);
        *port = (uint16_t)random_in(packet, range->port_first, range->port_last);
        return true;
    }
    if (*port != range->port_last) {
        (*port)++;
        return false;
    }
    *port = range->port_first;
    if (*low != range->low_last) {
        (*low)++;
        return false;
    }
    *low = range->low_first;
    return true;
}

void packet_next(struct packet *packet)
{
    uint64_t source_low = packet->source_low, target_low = packet->target_low;
    uint16_t source_port = packet->source_port, target_port = packet->target_port;

    if (step(packet, &packet->source, packet->random_source, &packet->source_low,
             &packet->source_port))
        step(packet, &packet->target, packet->random_target, &packet->target_low,
             &packet->target_port);
    if (packet->source_low != source_low)
        replace_address(packet, true, packet->source_low);
    if (packet->target_low != target_low)
        replace_address(packet, false, packet->target_low);
    if (packet->source_port != source_port)
        replace_be16(packet, packet->udp, packet->source_port);
    if (packet->target_port != target_port)
        replace_be16(packet, packet->udp + 2, packet->target_port);
}
