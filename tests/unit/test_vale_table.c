/* The table of MAC addresses: learning, ageing, eviction, ports that go away. */
#include "tests/unit/unit.h"

static struct nm_mac_table table;

static int begin(void **state)
{
    (void)state;
    table.entries = aligned_alloc(64, nm_mac_table_size());
    if (table.entries == NULL)
        return -1;
    memset(table.entries, 0, nm_mac_table_size());
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(table.entries);
    return 0;
}

static unsigned entries_used(void)
{
    unsigned used = 0;

    for (uint32_t i = 0; i < NM_MAC_BUCKETS * NM_MAC_WAYS; i++)
        used += table.entries[i] != 0;
    return used;
}

/* The n-th address that falls into the bucket of address 1. */
static uint64_t colliding(unsigned n)
{
    uint64_t mac = 0;

    for (unsigned found = 0; found <= n;)
        if (nm_mac_bucket(&table, ++mac) == nm_mac_bucket(&table, 1))
            found++;
    return mac;
}

static void test_learn(void **state)
{
    (void)state;
    assert_int_equal(nm_mac_lookup(&table, 0x112233445502, 0), NM_MAC_UNKNOWN);
    nm_mac_learn(&table, 0x112233445502, 7, 0);
    assert_int_equal(nm_mac_lookup(&table, 0x112233445502, 0), 7);
    assert_int_equal(nm_mac_lookup(&table, 0x112233445500, 0), NM_MAC_UNKNOWN);
    nm_mac_learn(&table, 0x112233445502, 0, 0); /* moved, to port 0 */
    assert_int_equal(nm_mac_lookup(&table, 0x112233445502, 0), 0);
    assert_int_equal(entries_used(), 1);
    nm_mac_learn(&table, 0xfffffffffffe, 253, 0);
    assert_int_equal(nm_mac_lookup(&table, 0xfffffffffffe, 0), 253);
}

static void test_many(void **state)
{
    uint64_t seed = 1;
    unsigned lost = 0;

    (void)state;
    for (unsigned i = 0; i < 20000; i++)
        nm_mac_learn(&table, (random_next(&seed) & 0xfffffffffffe) | 2, (uint8_t)(i % 254), 0);
    seed = 1;
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t port = nm_mac_lookup(&table, (random_next(&seed) & 0xfffffffffffe) | 2, 0);

        assert_true(port == i % 254 || port == NM_MAC_UNKNOWN);
        lost += port == NM_MAC_UNKNOWN;
    }
    assert_true(lost < 10); /* 20000 of 131072 places: full buckets are rare */
}

static void test_ageing(void **state)
{
    (void)state;
    for (unsigned start = 0; start < 256; start++) { /* the age wraps */
        nm_mac_learn(&table, 42, 3, (uint8_t)start);
        for (unsigned age = 0; age < 256; age++)
            assert_int_equal(nm_mac_lookup(&table, 42, (uint8_t)(start + age)),
                             age <= NM_MAC_AGE_LIMIT ? 3 : NM_MAC_UNKNOWN);
    }
    assert_int_equal(entries_used(), 1);
    nm_mac_learn(&table, 42, 3, 0);
    nm_mac_learn(&table, 42, 3, NM_MAC_AGE_LIMIT); /* seen again */
    assert_int_equal(nm_mac_lookup(&table, 42, 2 * NM_MAC_AGE_LIMIT), 3);
}

/* A full bucket: the oldest entry goes. */
static void test_eviction(void **state)
{
    uint64_t macs[NM_MAC_WAYS + 1];

    (void)state;
    for (unsigned i = 0; i < COUNT(macs); i++)
        macs[i] = colliding(i);
    for (unsigned i = 0; i < NM_MAC_WAYS; i++)
        nm_mac_learn(&table, macs[i], (uint8_t)i, (uint8_t)(i == 5 ? 1 : 10 + i));
    assert_int_equal(entries_used(), NM_MAC_WAYS);
    nm_mac_learn(&table, macs[NM_MAC_WAYS], 99, 20);
    assert_int_equal(entries_used(), NM_MAC_WAYS);
    for (unsigned i = 0; i < NM_MAC_WAYS; i++)
        assert_int_equal(nm_mac_lookup(&table, macs[i], 20), i == 5 ? NM_MAC_UNKNOWN : i);
    assert_int_equal(nm_mac_lookup(&table, macs[NM_MAC_WAYS], 20), 99);
}

/* All equally young: one goes, the newcomer is there. */
static void test_eviction_same_age(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        nm_mac_learn(&table, colliding(i), (uint8_t)i, 5);
        assert_int_equal(nm_mac_lookup(&table, colliding(i), 5), i);
    }
    assert_int_equal(entries_used(), NM_MAC_WAYS);
}

static void test_empty_before_old(void **state)
{
    (void)state;
    nm_mac_learn(&table, colliding(0), 1, 0);
    nm_mac_learn(&table, colliding(1), 2, 255); /* as old as can be */
    assert_int_equal(entries_used(), 2);
    assert_int_equal(nm_mac_lookup(&table, colliding(0), 10), 1);
}

static void test_forget_port(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 1000; i++)
        nm_mac_learn(&table, i * 2, (uint8_t)(i % 10), 0);
    nm_mac_forget_port(&table, 4);
    for (unsigned i = 1; i <= 1000; i++)
        assert_int_equal(nm_mac_lookup(&table, i * 2, 0),
                         i % 10 == 4 ? NM_MAC_UNKNOWN : i % 10);
    nm_mac_forget_port(&table, 200);
    nm_mac_forget_port(&table, 0);
    for (unsigned i = 10; i <= 1000; i += 10)
        assert_int_equal(nm_mac_lookup(&table, i * 2, 0), NM_MAC_UNKNOWN);
}

#define TABLE_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(test_learn),        TABLE_TEST(test_many),
        TABLE_TEST(test_ageing),       TABLE_TEST(test_eviction),
        TABLE_TEST(test_eviction_same_age), TABLE_TEST(test_empty_before_old),
        TABLE_TEST(test_forget_port),
    };

    return cmocka_run_group_tests_name("addresses", tests, NULL, NULL);
}
