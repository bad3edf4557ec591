/*
 * The switch's table of MAC addresses: buckets of eight entries, one cache line each.
 *
 * An entry is one 64-bit word, so readers and writers need no lock: address (48 bits), port (8),
 * age (8, in units of about 8.6 s). Two writers may at worst lose one of two entries, which is
 * learnt again from the next frame. Nothing is written when nothing changed.
 */
#ifndef NM_CORE_VALE_TABLE_H
#define NM_CORE_VALE_TABLE_H

#include "core/compiler.h"

#define NM_MAC_BUCKET_BITS 14
#define NM_MAC_BUCKETS     (1u << NM_MAC_BUCKET_BITS) /* 131072 addresses, 1 MiB */
#define NM_MAC_WAYS        8u
#define NM_MAC_AGE_SHIFT   33   /* nanoseconds to age units */
#define NM_MAC_AGE_LIMIT   35u  /* units: about 300 s, as bridges usually have it */
#define NM_MAC_UNKNOWN     0xffffu

struct nm_mac_table {
    uint64_t *entries;
};

NM_INLINE size_t nm_mac_table_size(void)
{
    return (size_t)NM_MAC_BUCKETS * NM_MAC_WAYS * sizeof(uint64_t);
}

/* mac: six bytes in the low 48 bits, first byte lowest. */
NM_INLINE uint64_t *nm_mac_bucket(const struct nm_mac_table *table, uint64_t mac)
{
    uint64_t hash = mac * 0x9e3779b97f4a7c15ull;

    return table->entries + (hash >> (64 - NM_MAC_BUCKET_BITS)) * NM_MAC_WAYS;
}

NM_INLINE bool nm_mac_is_multicast(uint64_t mac)
{
    return (mac & 1) != 0;
}

/* The port an address was last seen on, or NM_MAC_UNKNOWN. */
NM_INLINE uint32_t nm_mac_lookup(const struct nm_mac_table *table, uint64_t mac, uint8_t age)
{
    const uint64_t *bucket = nm_mac_bucket(table, mac);

    for (uint32_t i = 0; i < NM_MAC_WAYS; i++) {
        uint64_t entry = nm_load64(&bucket[i]);

        if (entry >> 16 == mac && (uint8_t)(age - (uint8_t)entry) <= NM_MAC_AGE_LIMIT)
            return (uint32_t)(entry >> 8) & 0xffu;
    }
    return NM_MAC_UNKNOWN;
}

/* Remember that the address was seen on the port. Not called for multicast addresses or 0. */
void nm_mac_learn(struct nm_mac_table *table, uint64_t mac, uint8_t port, uint8_t age);

/* Forget every address of a port that goes away. */
void nm_mac_forget_port(struct nm_mac_table *table, uint8_t port);

#endif
