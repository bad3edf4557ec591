/* Several programs: exchanging frames, and dying. */
#include "harness.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <libnetmap.h>

#include "core/errors.h"

#define FRAMES 20000u
#define LENGTH 64

/* ---- children ---- */

static int child_waits(void)
{
    HANDLE device = device_open();
    struct device_poll polls[8];

    if (device_register(device, "vale7:w", NR_EXCLUSIVE) != 0)
        return 10;
    for (int i = 0; i < 8; i++)
        device_poll_start(device, &polls[i], NETMAP_WIN_READABLE, -1);
    child_ready();
    Sleep(60000);
    return 11;
}

static int child_foreign(void)
{
    char value[32];
    struct netmap_win_map reply;
    HANDLE device;

    if (GetEnvironmentVariableA("NETMAP_TEST_HANDLE", value, sizeof(value)) == 0)
        return 10;
    device = (HANDLE)(uintptr_t)strtoull(value, NULL, 10);
    return device_call(device, NETMAP_WIN_MAP, NULL, 0, &reply, sizeof(reply), NULL) ==
                   ERROR_ACCESS_DENIED
               ? 0
               : 11;
}

/* Sends as fast as it can, and never ends by itself. */
static int child_floods(void)
{
    struct nmport_d *d = nmport_open("vale7:flood/x");
    struct netmap_ring *ring;

    if (d == NULL)
        return 10;
    ring = NETMAP_TXRING(d->nifp, 0);
    child_ready();
    for (;;) {
        while (!nm_ring_empty(ring)) {
            uint8_t *frame = (uint8_t *)NETMAP_BUF(ring, ring->slot[ring->head].buf_idx);

            memset(frame, 0xee, LENGTH);
            memset(frame, 0xff, 6);
            ring->slot[ring->head].len = LENGTH;
            ring->head = ring->cur = nm_ring_next(ring, ring->head);
        }
        if (ioctl(d->fd, NIOCTXSYNC, NULL) != 0)
            return 12;
    }
}

/* Sends numbered frames; no more than what the ring has room for at a time. */
static int child_sends(const char *port)
{
    struct nmport_d *d = nmport_open(port);
    struct netmap_ring *ring;
    uint32_t number = 0;

    if (d == NULL)
        return 10;
    ring = NETMAP_TXRING(d->nifp, 0);
    child_ready();
    while (number < FRAMES) {
        struct pollfd fd = {d->fd, POLLOUT, 0};
        unsigned batch = 0;

        if (poll(&fd, 1, 10000) != 1)
            return 11;
        while (!nm_ring_empty(ring) && number < FRAMES && batch++ < 256) {
            uint8_t *frame = (uint8_t *)NETMAP_BUF(ring, ring->slot[ring->head].buf_idx);

            memset(frame, 0xff, 6);
            memset(frame + 6, 2, 6);
            for (unsigned i = 12; i < LENGTH; i += 4)
                memcpy(frame + i, &number, sizeof(number));
            ring->slot[ring->head].len = LENGTH;
            ring->head = ring->cur = nm_ring_next(ring, ring->head);
            number++;
        }
        if (ioctl(d->fd, NIOCTXSYNC, NULL) != 0)
            return 12;
        /* A switch never waits for its receiver: let it keep up. */
        if (strncmp(port, "vale", 4) == 0)
            Sleep(5);
    }
    nmport_close(d);
    return 0;
}

int child_main(const char *role)
{
    if (strcmp(role, "waits") == 0)
        return child_waits();
    if (strcmp(role, "foreign") == 0)
        return child_foreign();
    if (strcmp(role, "floods") == 0)
        return child_floods();
    if (strcmp(role, "vale") == 0)
        return child_sends("vale7:a");
    if (strcmp(role, "pipe") == 0)
        return child_sends("netmap:q{1");
    return 99;
}

/* ---- tests ---- */

static void terminated_while_waiting(void)
{
    for (int i = 0; i < 5; i++) {
        HANDLE device = device_open();
        struct child child;
        int error = NM_EBUSY;

        CHECK(child_start(&child, "waits"));
        CHECK(child_wait_ready(&child));
        CHECK_EQUAL(device_register(device, "vale7:w", NR_EXCLUSIVE), NM_EBUSY);
        CHECK(TerminateProcess(child.process.hProcess, 1));
        CHECK_EQUAL(child_end(&child, 10000), 1);
        for (int tries = 0; tries < 100 && error == NM_EBUSY; tries++) {
            error = device_register(device, "vale7:w", NR_EXCLUSIVE);
            Sleep(20);
        }
        CHECK_EQUAL(error, 0);
        CloseHandle(device);
    }
}

/* Killed in the middle of sending, while two others on the same switch go on. */
static void killed_while_sending(void)
{
    struct port a, b;
    unsigned flooded = 0;

    if (!port_open(&a, "vale7:ka"))
        return;
    if (!port_open(&b, "vale7:kb")) {
        port_close(&a);
        return;
    }
    for (int i = 0; i < 20; i++) {
        struct child child;
        unsigned own = 0, taken;

        CHECK(child_start(&child, "floods"));
        CHECK(child_wait_ready(&child));
        Sleep(20 + test_random() % 60);
        flooded += port_take(&b);
        CHECK(TerminateProcess(child.process.hProcess, 1));
        CHECK_EQUAL(child_end(&child, 10000), 1);
        Sleep(50);
        (void)port_take(&b);
        for (int n = 0; n < 100; n++)
            own += port_put(&a);
        CHECK_EQUAL(device_call(a.device, NETMAP_WIN_TXSYNC, NULL, 0, NULL, 0, NULL), 0);
        taken = port_take(&b);
        CHECK_EQUAL(taken, own);
        CHECK_EQUAL(own, 100);
    }
    printf("# %u frames of the killed ones\n", flooded);
    CHECK(flooded > 0);
    port_close(&a);
    port_close(&b);
}

/* Receive what the child of that role sends: complete, in order, undamaged. */
static void receive(const char *port, const char *role)
{
    struct nmport_d *d = nmport_open(port);
    struct netmap_ring *ring;
    struct child child;
    uint32_t expected = 0;
    unsigned damaged = 0;
    ULONGLONG start;

    CHECK(d != NULL);
    if (d == NULL)
        return;
    ring = NETMAP_RXRING(d->nifp, 0);
    CHECK(child_start(&child, role));
    CHECK(child_wait_ready(&child));
    start = GetTickCount64();
    while (expected < FRAMES) {
        struct pollfd fd = {d->fd, POLLIN, 0};

        if (poll(&fd, 1, 10000) != 1)
            break;
        while (!nm_ring_empty(ring)) {
            const uint8_t *frame =
                (const uint8_t *)NETMAP_BUF(ring, ring->slot[ring->head].buf_idx);
            uint32_t first, last;

            memcpy(&first, frame + 12, sizeof(first));
            memcpy(&last, frame + LENGTH - 4, sizeof(last));
            damaged +=
                first != expected || last != expected || ring->slot[ring->head].len != LENGTH;
            expected++;
            ring->head = ring->cur = nm_ring_next(ring, ring->head);
        }
    }
    CHECK_EQUAL(expected, FRAMES);
    CHECK_EQUAL(damaged, 0);
    printf("# %u frames in %llu ms\n", expected, GetTickCount64() - start);
    nmport_close(d);
    CHECK_EQUAL(child_end(&child, 10000), 0);
}

static void exchange_over_vale(void)
{
    receive("vale7:b", "vale");
}

static void exchange_over_pipe(void)
{
    receive("netmap:q}1", "pipe");
}

void tests_process(void)
{
    test_run("processes: terminated while waiting", terminated_while_waiting);
    test_run("processes: killed while sending", killed_while_sending);
    test_run("processes: vale", exchange_over_vale);
    test_run("processes: pipe", exchange_over_pipe);
}
