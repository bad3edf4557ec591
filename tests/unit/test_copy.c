/* Copying frames: exactly their bytes, for every length and alignment. */
#include "core/copy.h"
#include "tests/unit/unit.h"

#define MOST 2048
#define EDGE 64 /* around the destination, to be left alone */

static uint8_t source[MOST + EDGE], destination[MOST + 2 * EDGE];

static void check(uint32_t length, uint32_t from, uint32_t to)
{
    memset(destination, 0xc3, sizeof(destination));
    nm_copy_frame(destination + EDGE + to, source + from, length);
    assert_memory_equal(destination + EDGE + to, source + from, length);
    for (uint32_t i = 0; i < EDGE + to; i++)
        assert_int_equal(destination[i], 0xc3);
    for (uint32_t i = EDGE + to + length; i < sizeof(destination); i++)
        assert_int_equal(destination[i], 0xc3);
}

static void fill(void)
{
    for (uint32_t i = 0; i < sizeof(source); i++)
        source[i] = (uint8_t)(i * 151 + (i >> 7));
}

static void test_lengths(void **state)
{
    (void)state;
    fill();
    for (uint32_t length = 0; length <= MOST; length++)
        check(length, 0, 0);
}

static void test_alignments(void **state)
{
    (void)state;
    fill();
    for (uint32_t length = 0; length <= 200; length++)
        for (uint32_t from = 0; from < 17; from++)
            for (uint32_t to = 0; to < 17; to += 3)
                check(length, from, to);
}

/* No byte behind the frame is read either: it ends where its memory ends (the sanitised build, and
 * the page that faults, would tell). */
static void test_no_read_beyond(void **state)
{
    struct nm_os_segment *segment;
    void *base;

    (void)state;
    fake_forget();
    assert_int_equal(nm_os_segment_create(&segment, 4096, &base), 0);
    for (uint32_t length = 0; length <= MOST; length++) {
        uint8_t *end = (uint8_t *)base + 4096;

        memcpy(end - length, source, length);
        nm_copy_frame(destination, end - length, length);
        assert_memory_equal(destination, source, length);
        nm_copy_frame(end - length, source, length); /* nor written */
    }
    nm_os_segment_destroy(segment);
}

/* Through a switch: what lay in the receiver's buffer behind a frame is still there, and nothing of
 * the sender's buffer behind it has come over. */
static void test_through_switch(void **state)
{
    (void)state;
    for (int doors = 0; doors < 2; doors++) {
        struct port sender, receiver;
        struct nm_core core;

        core_begin(&core, doors != 0);
        port_open(&sender, &core, "vale1:a");
        port_open(&receiver, &core, "vale1:b");
        for (uint32_t length = 14; length <= MOST; length++) {
            struct netmap_ring *tx = tx_ring(&sender, 0), *rx = rx_ring(&receiver, 0);
            uint8_t *from = slot_buffer(&sender, &tx->slot[tx->cur]);
            uint8_t *to = slot_buffer(&receiver, &rx->slot[rx->cur]);

            memset(from, 0x11, MOST);
            memset(to, 0x22, MOST);
            frame_fill(from, length, BROADCAST, 1, length);
            assert_true(put_slot(&sender, 0, NULL, length, 0));
            assert_int_equal(port_txsync(&sender), 0);
            assert_memory_equal(to, from, length);
            for (uint32_t i = length; i < MOST; i++)
                assert_int_equal(to[i], 0x22);
            assert_int_equal(take_all(&receiver, 0, NULL, 0), 1);
        }
        port_close(&sender);
        port_close(&receiver);
        core_end(&core);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_alignments),
        cmocka_unit_test(test_no_read_beyond),
        cmocka_unit_test(test_through_switch),
    };

    return cmocka_run_group_tests_name("copying", tests, NULL, NULL);
}
