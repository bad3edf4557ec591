/* Regions in programs. */
#include "harness.h"

#include <net/netmap_user.h>

static DWORD map(HANDLE device, struct netmap_win_map *reply)
{
    return device_call(device, NETMAP_WIN_MAP, NULL, 0, reply, sizeof(*reply), NULL);
}

static bool is_mapped(const void *address)
{
    MEMORY_BASIC_INFORMATION information;

    return VirtualQuery(address, &information, sizeof(information)) != 0 &&
           information.State == MEM_COMMIT;
}

/* Closing is done when the driver has seen it, a moment after CloseHandle returns. */
static bool is_unmapped_soon(const void *address)
{
    for (int i = 0; i < 100 && is_mapped(address); i++)
        Sleep(20);
    return !is_mapped(address);
}

static void map_twice(void)
{
    HANDLE device = device_open();
    struct netmap_win_map first, second;

    CHECK_EQUAL(map(device, &first), ERROR_DEVICE_NOT_CONNECTED);
    CHECK_EQUAL(device_register(device, "vale5:m", 0), 0);
    CHECK_EQUAL(map(device, &first), 0);
    CHECK_EQUAL(map(device, &second), 0);
    CHECK_EQUAL(first.address, second.address);
    CHECK_EQUAL(first.size, second.size);
    CHECK(first.size > 0 && first.size % 4096 == 0);
    CHECK(is_mapped((void *)(uintptr_t)first.address));
    CHECK(is_mapped((void *)(uintptr_t)(first.address + first.size - 1)));
    CloseHandle(device);
    CHECK(is_unmapped_soon((void *)(uintptr_t)first.address));
}

/* Both ends of a pipe are in one region: one mapping, alive until the last of them is closed. */
static void shared_region(void)
{
    struct port master, slave;

    if (!port_open(&master, "m{1"))
        return;
    if (port_open(&slave, "m}1")) {
        CHECK_EQUAL((uintptr_t)master.memory, (uintptr_t)slave.memory);
        port_close(&master);
        Sleep(200);
        CHECK(is_mapped(slave.memory));
        CHECK_EQUAL(slave.rx->num_slots, slave.tx->num_slots);
        port_close(&slave);
        CHECK(is_unmapped_soon(slave.memory));
    } else {
        port_close(&master);
    }
}

/* A handle that another process registered does not show its memory here. */
static void foreign_process(void)
{
    HANDLE device = device_open();
    struct child child;
    char value[32];

    CHECK_EQUAL(device_register(device, "vale5:f", 0), 0);
    SetHandleInformation(device, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    snprintf(value, sizeof(value), "%llu", (unsigned long long)(uintptr_t)device);
    SetEnvironmentVariableA("NETMAP_TEST_HANDLE", value);
    CHECK(child_start(&child, "foreign"));
    CHECK_EQUAL(child_end(&child, 20000), 0);
    CloseHandle(device);
}

/* The driver zeroes what it hands out. */
static void zeroed(void)
{
    static const char name[] = "vale5:z";
    struct port port;

    for (int round = 0; round < 2; round++) {
        uint32_t buffer;
        const uint8_t *bytes;
        bool zero = true;

        if (!port_open(&port, name))
            return;
        buffer = port.tx->slot[5].buf_idx;
        bytes = (const uint8_t *)NETMAP_BUF(port.tx, buffer);
        for (unsigned i = 0; i < port.tx->nr_buf_size; i++)
            zero = zero && bytes[i] == 0;
        CHECK(zero);
        memset((void *)(uintptr_t)bytes, 0x5a, port.tx->nr_buf_size);
        port_close(&port);
        Sleep(100);
    }
}

/* A program that writes anything anywhere into its region, while two others exchange frames. */
static void scribble(void)
{
    ULONGLONG end = GetTickCount64() + 3000;
    struct port bad, a, b;
    struct netmap_win_map region;
    unsigned sent = 0, taken = 0, syncs = 0;

    if (!port_open(&bad, "vale5:bad"))
        return;
    CHECK_EQUAL(map(bad.device, &region), 0);
    /* On another switch: what a scribbler sends to its own is its business. */
    if (!port_open(&a, "vale6:a") || !port_open(&b, "vale6:b"))
        return;
    while (GetTickCount64() < end) {
        struct device_poll poll;
        uint32_t *words = (uint32_t *)(void *)bad.memory;
        /* Mostly where the rings are, at the start. */
        uint64_t reach = test_random() % 4 ? 200000 : region.size;

        for (int i = 0; i < 200; i++)
            words[(test_random() % reach) / 4] =
                test_random() % 2 ? test_random() : test_random() % 2048;
        device_call(bad.device, test_random() % 2 ? NETMAP_WIN_TXSYNC : NETMAP_WIN_RXSYNC, NULL, 0,
                    NULL, 0, NULL);
        device_poll_start(bad.device, &poll, NETMAP_WIN_READABLE | NETMAP_WIN_WRITABLE, 0);
        device_poll_end(bad.device, &poll, 5000);
        syncs++;
        if (port_put(&a))
            sent++;
        CHECK_EQUAL(device_call(a.device, NETMAP_WIN_TXSYNC, NULL, 0, NULL, 0, NULL), 0);
        taken += port_take(&b);
    }
    CHECK_EQUAL(taken, sent);
    printf("# %u rounds of scribbling, %u frames between others\n", syncs, taken);
    port_close(&bad);
    port_close(&a);
    port_close(&b);
}

void tests_memory(void)
{
    test_run("memory: mapped twice, gone with the handle", map_twice);
    test_run("memory: one mapping for a region", shared_region);
    test_run("memory: refused to another process", foreign_process);
    test_run("memory: zeroed", zeroed);
    test_run("memory: a program that scribbles over its region", scribble);
}
