/* Requests that no honest program makes. */
#include "harness.h"

#include "core/errors.h"
#include "core/request.h"

#define BUFFER 8192

static uint8_t in[BUFFER], out[BUFFER];

static void fill(uint8_t *buffer, size_t size)
{
    for (size_t i = 0; i < size; i++)
        buffer[i] = (uint8_t)test_random();
}

/* Is the driver alive, and right about simple things? */
static void check_sane(void)
{
    HANDLE device = device_open();

    CHECK(device != INVALID_HANDLE_VALUE);
    CHECK_EQUAL(device_register(device, "vale3:sane", 0), 0);
    CHECK_EQUAL(device_call(device, NETMAP_WIN_TXSYNC, NULL, 0, NULL, 0, NULL), 0);
    CloseHandle(device);
}

/* One hostile request; the transport may refuse it, but must not write past what it says. */
static void throw_at(HANDLE device, size_t in_size, size_t out_size)
{
    DWORD written = 0, error;

    memset(out, 0xa5, sizeof(out));
    error = device_call(device, NETMAP_WIN_CONTROL, in, in_size, out, out_size, &written);
    if (in_size < offsetof(struct nm_request, u) || in_size > sizeof(struct nm_request) ||
        out_size < in_size) {
        CHECK_EQUAL(error, ERROR_INVALID_USER_BUFFER);
        CHECK_EQUAL(written, 0);
    } else {
        CHECK_EQUAL(error, 0);
        CHECK(written <= in_size);
    }
    for (size_t i = written; i < sizeof(out); i++) {
        if (out[i] != 0xa5) {
            test_fail(__FILE__, __LINE__, "byte %zu of the reply written, of %lu", i,
                      (unsigned long)written);
            break;
        }
    }
}

/* Make random bytes look enough like a request that they get past the first checks. */
static void season(size_t size)
{
    struct nm_request *request = (struct nm_request *)(void *)in;

    if (size < sizeof(uint32_t) * 2 || test_random() % 4 == 0)
        return;
    request->size = (uint32_t)size;
    request->op = 1 + test_random() % 4;
    if (size < offsetof(struct nm_request, payload))
        return;
    request->u.header.nr_version = (uint16_t)(NETMAP_MIN_API + test_random() % 2);
    request->u.header.nr_reqtype = (uint16_t)(test_random() % 17);
    request->u.header.nr_reserved = 0;
    snprintf(request->u.header.nr_name, sizeof(request->u.header.nr_name), "vale%u:%c",
             test_random() % 9, (int)('a' + test_random() % 26));
    /* Offsets near the edges of the buffer. */
    request->u.header.nr_body = offsetof(struct nm_request, payload) +
                                (test_random() % 2 ? 0 : test_random() % (size + 16));
    request->u.header.nr_options = test_random() % 2 ? 0 : test_random() % (size + 32);
    for (int i = 0; i < 4; i++) {
        size_t at = offsetof(struct nm_request, payload) + 8 * (test_random() % 64);

        if (at + 24 <= size) {
            uint64_t next = test_random() % 3 ? 0 : test_random() % (size + 32);
            uint32_t type = test_random() % 8;
            uint64_t bytes = test_random() % 3 ? test_random() % 128 : ~(uint64_t)0 - test_random();

            memcpy(in + at, &next, sizeof(next));
            memcpy(in + at + 8, &type, sizeof(type));
            memcpy(in + at + 16, &bytes, sizeof(bytes));
        }
    }
}

static void hostile(bool seasoned)
{
    HANDLE device = device_open();
    size_t step = 1;

    for (size_t size = 0; size <= 6200; size += step) {
        if (size % 64 == 0) { /* a request may have bound it */
            CloseHandle(device);
            device = device_open();
        }
        fill(in, size);
        if (seasoned)
            season(size);
        throw_at(device, size, size);
        if (size % 8 == 0) {
            throw_at(device, size, 0);
            throw_at(device, size, size + 100);
        }
        step = size < 320 ? 1 : 61;
    }
    CloseHandle(device);
    check_sane();
}

static void hostile_random(void)
{
    hostile(false);
}

static void hostile_seasoned(void)
{
    for (int i = 0; i < 3; i++)
        hostile(true);
}

/* Every code without buffers, with short ones, and codes that do not exist. */
static void no_buffers(void)
{
    HANDLE device = device_open();
    uint8_t small[4] = {0};

    for (int round = 0; round < 2; round++) {
        for (DWORD function = 0x8f0; function < 0x920; function++) {
            DWORD code = NETMAP_WIN_CODE(function), written = 0;

            if (code == NETMAP_WIN_RELEASE)
                continue; /* it ends the handle; see released */
            DWORD error = device_call(device, code, NULL, 0, NULL, 0, &written);
            DWORD expected =
                code == NETMAP_WIN_CONTROL || code == NETMAP_WIN_POLL || code == NETMAP_WIN_MAP
                    ? ERROR_INVALID_USER_BUFFER
                : code == NETMAP_WIN_TXSYNC || code == NETMAP_WIN_RXSYNC
                    ? (round == 0 ? ERROR_DEVICE_NOT_CONNECTED : 0)
                    : ERROR_INVALID_FUNCTION;

            if (error != expected)
                test_fail(__FILE__, __LINE__, "code %#lx: error %lu, not %lu", (unsigned long)code,
                          (unsigned long)error, (unsigned long)expected);
            CHECK_EQUAL(written, 0);
            if (expected == ERROR_INVALID_USER_BUFFER) {
                error =
                    device_call(device, code, small, sizeof(small), small, sizeof(small), &written);
                CHECK_EQUAL(error, expected);
            }
        }
        if (round == 0)
            CHECK_EQUAL(device_register(device, "vale3:n", 0), 0);
    }
    CloseHandle(device);
    check_sane();
}

static void bad_polls(void)
{
    HANDLE device = device_open();
    struct netmap_win_poll poll = {NETMAP_WIN_READABLE, 0};
    struct netmap_win_poll_reply reply;

    CHECK_EQUAL(
        device_call(device, NETMAP_WIN_POLL, &poll, sizeof(poll), &reply, sizeof(reply), NULL),
        ERROR_DEVICE_NOT_CONNECTED);
    CHECK_EQUAL(device_register(device, "vale3:p", 0), 0);
    CHECK_EQUAL(
        device_call(device, NETMAP_WIN_POLL, &poll, sizeof(poll), &reply, sizeof(reply), NULL), 0);
    poll.wanted = 0x80;
    CHECK_EQUAL(
        device_call(device, NETMAP_WIN_POLL, &poll, sizeof(poll), &reply, sizeof(reply), NULL),
        ERROR_INVALID_PARAMETER);
    poll.wanted = NETMAP_WIN_READABLE;
    poll.timeout_ms = -2;
    CHECK_EQUAL(
        device_call(device, NETMAP_WIN_POLL, &poll, sizeof(poll), &reply, sizeof(reply), NULL),
        ERROR_INVALID_PARAMETER);
    CloseHandle(device);
}

static void second_register(void)
{
    HANDLE a = device_open(), b = device_open();

    CHECK_EQUAL(device_register(a, "vale3:x", NR_EXCLUSIVE), 0);
    CHECK_EQUAL(device_register(a, "vale3:y", 0), NM_EBUSY);
    CHECK_EQUAL(device_register(b, "vale3:x", NR_EXCLUSIVE), NM_EBUSY);
    CHECK_EQUAL(device_register(b, "vale3:y", 0), 0);
    CloseHandle(a);
    CloseHandle(b);
}

/* A released handle answers nothing any more, and its port is free at once. */
static void released(void)
{
    HANDLE a = device_open(), b = device_open();
    struct device_poll poll;

    CHECK_EQUAL(device_register(a, "vale3:r", NR_EXCLUSIVE), 0);
    device_poll_start(a, &poll, NETMAP_WIN_READABLE, -1);
    CHECK_EQUAL(device_call(a, NETMAP_WIN_RELEASE, NULL, 0, NULL, 0, NULL), 0);
    CHECK_EQUAL(device_poll_end(a, &poll, 0), ERROR_OPERATION_ABORTED);
    CHECK_EQUAL(device_register(b, "vale3:r", NR_EXCLUSIVE), 0);
    CHECK_EQUAL(device_call(a, NETMAP_WIN_RELEASE, NULL, 0, NULL, 0, NULL), 0);
    CHECK_EQUAL(device_call(a, NETMAP_WIN_TXSYNC, NULL, 0, NULL, 0, NULL), ERROR_OPERATION_ABORTED);
    CHECK_EQUAL(device_register(a, "vale3:s", 0), -1);
    CloseHandle(a);
    CloseHandle(b);
}

/* The device has no inside. */
static void names_below(void)
{
    HANDLE device = CreateFileA(NETMAP_WIN_DEVICE_PATH "\\x", GENERIC_READ | GENERIC_WRITE, 0, NULL,
                                OPEN_EXISTING, 0, NULL);

    CHECK(device == INVALID_HANDLE_VALUE);
}

void tests_control(void)
{
    test_run("control: no names below the device", names_below);
    test_run("control: random bytes of every length", hostile_random);
    test_run("control: hostile requests of every length", hostile_seasoned);
    test_run("control: codes without buffers, short buffers, unknown codes", no_buffers);
    test_run("control: polls that are refused", bad_polls);
    test_run("control: registering twice", second_register);
    test_run("control: released before it is closed", released);
}
