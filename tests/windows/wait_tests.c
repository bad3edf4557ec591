/* Poll requests: any number on a handle, each ends once and for the right reason. */
#include "harness.h"

#define WAITERS  64
#define PATIENCE 5000

static struct port a, b;

static bool open_pair(void)
{
    if (!port_open(&a, "vale4:a"))
        return false;
    if (port_open(&b, "vale4:b"))
        return true;
    port_close(&a);
    return false;
}

static void close_pair(void)
{
    port_close(&a);
    port_close(&b);
}

static void send_one(struct port *port)
{
    CHECK(port_put(port));
    CHECK_EQUAL(device_call(port->device, NETMAP_WIN_TXSYNC, NULL, 0, NULL, 0, NULL), 0);
}

static bool is_pending(const struct device_poll *poll)
{
    return WaitForSingleObject(poll->overlapped.hEvent, 0) == WAIT_TIMEOUT;
}

static void at_once(void)
{
    struct device_poll poll;

    if (!open_pair())
        return;
    device_poll_start(b.device, &poll, NETMAP_WIN_READABLE, 0);
    CHECK_EQUAL(device_poll_end(b.device, &poll, PATIENCE), 0);
    CHECK_EQUAL(poll.reply.ready, 0);
    device_poll_start(b.device, &poll, NETMAP_WIN_READABLE | NETMAP_WIN_WRITABLE, -1);
    CHECK_EQUAL(device_poll_end(b.device, &poll, PATIENCE), 0);
    CHECK_EQUAL(poll.reply.ready, NETMAP_WIN_WRITABLE);
    send_one(&a);
    device_poll_start(b.device, &poll, NETMAP_WIN_READABLE, -1);
    CHECK_EQUAL(device_poll_end(b.device, &poll, PATIENCE), 0);
    CHECK_EQUAL(poll.reply.ready, NETMAP_WIN_READABLE);
    close_pair();
}

static void many_woken(void)
{
    static struct device_poll polls[WAITERS];

    if (!open_pair())
        return;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < WAITERS; i++)
            device_poll_start(b.device, &polls[i], NETMAP_WIN_READABLE, i % 2 ? -1 : 60000);
        for (int i = 0; i < WAITERS; i++)
            CHECK(is_pending(&polls[i]));
        send_one(&a);
        for (int i = 0; i < WAITERS; i++) {
            CHECK_EQUAL(device_poll_end(b.device, &polls[i], PATIENCE), 0);
            CHECK_EQUAL(polls[i].reply.ready, NETMAP_WIN_READABLE);
        }
        CHECK_EQUAL(port_take(&b), 1);
    }
    close_pair();
}

/* Of those that wait for the same, every second is cancelled; the others are still woken. */
static void half_cancelled(void)
{
    static struct device_poll polls[WAITERS];

    if (!open_pair())
        return;
    for (int i = 0; i < WAITERS; i++)
        device_poll_start(b.device, &polls[i], NETMAP_WIN_READABLE, -1);
    for (int i = 0; i < WAITERS; i += 2)
        CHECK(CancelIoEx(b.device, &polls[i].overlapped));
    for (int i = 0; i < WAITERS; i += 2)
        CHECK_EQUAL(device_poll_end(b.device, &polls[i], PATIENCE), ERROR_OPERATION_ABORTED);
    for (int i = 1; i < WAITERS; i += 2)
        CHECK(is_pending(&polls[i]));
    send_one(&a);
    for (int i = 1; i < WAITERS; i += 2)
        CHECK_EQUAL(device_poll_end(b.device, &polls[i], PATIENCE), 0);
    close_pair();
}

static void time_outs(void)
{
    static struct device_poll polls[WAITERS];
    ULONGLONG start;

    if (!open_pair())
        return;
    start = GetTickCount64();
    for (int i = 0; i < WAITERS; i++)
        device_poll_start(b.device, &polls[i], NETMAP_WIN_READABLE, 200 + (i * 37) % 200);
    for (int i = 0; i < WAITERS; i++) {
        CHECK_EQUAL(device_poll_end(b.device, &polls[i], PATIENCE), 0);
        CHECK_EQUAL(polls[i].reply.ready, 0);
    }
    CHECK(GetTickCount64() - start >= 380);
    CHECK(GetTickCount64() - start < 3000);

    /* One that is woken early does not wait for its time. */
    start = GetTickCount64();
    device_poll_start(b.device, &polls[0], NETMAP_WIN_READABLE, 20000);
    send_one(&a);
    CHECK_EQUAL(device_poll_end(b.device, &polls[0], PATIENCE), 0);
    CHECK(GetTickCount64() - start < 2000);
    close_pair();
}

/* A full tx ring becomes writable when the other end of the pipe makes room. */
static void writable(void)
{
    struct device_poll poll;
    struct port master, slave;
    unsigned sent = 0;

    if (!port_open(&master, "w{1"))
        return;
    if (!port_open(&slave, "w}1")) {
        port_close(&master);
        return;
    }
    for (int i = 0; i < 3; i++) { /* until ring and peer are full */
        while (port_put(&master))
            sent++;
        CHECK_EQUAL(device_call(master.device, NETMAP_WIN_TXSYNC, NULL, 0, NULL, 0, NULL), 0);
    }
    device_poll_start(master.device, &poll, NETMAP_WIN_WRITABLE, -1);
    CHECK(is_pending(&poll));
    CHECK(port_take(&slave) > 0);
    CHECK_EQUAL(device_poll_end(master.device, &poll, PATIENCE), 0);
    CHECK_EQUAL(poll.reply.ready, NETMAP_WIN_WRITABLE);
    port_close(&master);
    port_close(&slave);
}

static void close_while_waiting(void)
{
    static struct device_poll polls[WAITERS];

    if (!open_pair())
        return;
    for (int i = 0; i < WAITERS; i++)
        device_poll_start(b.device, &polls[i], NETMAP_WIN_READABLE, i % 2 ? -1 : 60000);
    CloseHandle(b.device);
    for (int i = 0; i < WAITERS; i++) {
        CHECK_EQUAL(WaitForSingleObject(polls[i].overlapped.hEvent, PATIENCE), WAIT_OBJECT_0);
        CHECK_EQUAL(polls[i].overlapped.Internal, 0xc0000120u); /* STATUS_CANCELLED */
        CloseHandle(polls[i].overlapped.hEvent);
    }
    /* The port is gone with its handle. */
    CHECK(port_open(&b, "vale4:b"));
    close_pair();
}

/* Threads that wait, cancel, send and receive on the same two handles at random. */
static volatile LONG stress_stop;
static LONG stress_ends[3]; /* ready, time over, cancelled */

static DWORD WINAPI stress_waiter(LPVOID argument)
{
    uint32_t state = (uint32_t)(uintptr_t)argument * 2654435761u;

    while (!stress_stop) {
        struct device_poll poll;
        DWORD error;

        state = state * 1664525u + 1013904223u;
        device_poll_start(b.device, &poll, NETMAP_WIN_READABLE, (int)(state >> 28));
        if ((state >> 16) % 3 == 0)
            CancelIoEx(b.device, &poll.overlapped);
        error = device_poll_end(b.device, &poll, PATIENCE);
        if (error == 0)
            InterlockedIncrement(&stress_ends[poll.reply.ready != 0 ? 0 : 1]);
        else if (error == ERROR_OPERATION_ABORTED || error == ERROR_IO_INCOMPLETE)
            InterlockedIncrement(&stress_ends[2]);
        else
            test_fail(__FILE__, __LINE__, "a waiter ended with error %lu", (unsigned long)error);
    }
    return 0;
}

static void stress(void)
{
    HANDLE threads[6];
    ULONGLONG end = GetTickCount64() + 4000;
    unsigned sent = 0, taken = 0;

    if (!open_pair())
        return;
    stress_stop = 0;
    for (int i = 0; i < 6; i++)
        threads[i] = CreateThread(NULL, 0, stress_waiter, (LPVOID)(uintptr_t)(i + 1), 0, NULL);
    while (GetTickCount64() < end) {
        send_one(&a);
        sent++;
        Sleep(test_random() % 3);
        taken += port_take(&b);
    }
    stress_stop = 1;
    CHECK_EQUAL(WaitForMultipleObjects(6, threads, TRUE, PATIENCE), WAIT_OBJECT_0);
    for (int i = 0; i < 6; i++)
        CloseHandle(threads[i]);
    CHECK_EQUAL(taken, sent);
    printf("# %u frames; polls: %ld ready, %ld time over, %ld cancelled\n", sent, stress_ends[0],
           stress_ends[1], stress_ends[2]);
    CHECK(stress_ends[0] > 0 && stress_ends[1] > 0 && stress_ends[2] > 0);
    close_pair();
}

void tests_wait(void)
{
    test_run("wait: ready at once, and not waiting", at_once);
    test_run("wait: many on one handle, all woken", many_woken);
    test_run("wait: half of many cancelled", half_cancelled);
    test_run("wait: time-outs", time_outs);
    test_run("wait: for room in a pipe", writable);
    test_run("wait: the handle is closed", close_while_waiting);
    test_run("wait: at random", stress);
}
