/* The switch's table of MAC addresses: learning and forgetting. */
#include "core/vale_table.h"

void nm_mac_learn(struct nm_mac_table *table, uint64_t mac, uint8_t port, uint8_t age)
{
    uint64_t *bucket = nm_mac_bucket(table, mac);
    uint64_t wanted = mac << 16 | (uint64_t)port << 8 | age;
    uint32_t victim = 0, victim_age = 0;

    for (uint32_t i = 0; i < NM_MAC_WAYS; i++) {
        uint64_t entry = nm_load64(&bucket[i]);
        uint32_t entry_age = entry == 0 ? 256 : (uint8_t)(age - (uint8_t)entry);

        if (entry == wanted)
            return;
        if (entry >> 16 == mac) {
            nm_store64(&bucket[i], wanted);
            return;
        }
        if (entry_age > victim_age) { /* an empty one, else the oldest */
            victim = i;
            victim_age = entry_age;
        }
    }
    if (victim_age == 0) /* all equally young: a different one for each address */
        victim = (uint32_t)(mac >> 40 ^ mac >> 32) % NM_MAC_WAYS;
    nm_store64(&bucket[victim], wanted);
}

void nm_mac_forget_port(struct nm_mac_table *table, uint8_t port)
{
    for (uint32_t i = 0; i < NM_MAC_BUCKETS * NM_MAC_WAYS; i++) {
        uint64_t entry = nm_load64(&table->entries[i]);

        if (entry != 0 && (uint8_t)(entry >> 8) == port)
            nm_store64(&table->entries[i], 0);
    }
}
