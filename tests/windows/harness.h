/* Tests of netmap.sys under Wine: a small harness, and raw access to the device. */
#ifndef NM_TESTS_WINDOWS_HARNESS_H
#define NM_TESTS_WINDOWS_HARNESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <windows.h>

#include <net/netmap.h>

#include "hosts/windows/protocol.h"

/* ---- harness.c ---- */

typedef void (*test_function)(void);

/* Run a test: it passes when no CHECK in it failed. */
void test_run(const char *name, test_function function);

/* Print "N passed, N failed"; returns the exit status. */
int test_summary(void);

/* End the process when the whole run takes longer. */
void test_watchdog(unsigned seconds);

void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(gnu_printf, 3, 4)));

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            test_fail(__FILE__, __LINE__, "%s", #condition);                                       \
    } while (0)

/* Compare two numbers, and show them when they differ. */
#define CHECK_EQUAL(found, expected)                                                               \
    do {                                                                                           \
        unsigned long long found_ = (unsigned long long)(found);                                   \
        unsigned long long expected_ = (unsigned long long)(expected);                             \
        if (found_ != expected_)                                                                   \
            test_fail(__FILE__, __LINE__, "%s is %llu, not %llu", #found, found_, expected_);      \
    } while (0)

/* A pseudo-random number; the same sequence in every run. */
uint32_t test_random(void);

/* ---- device.c ---- */

/* INVALID_HANDLE_VALUE and GetLastError() on failure. */
HANDLE device_open(void);

/* A control code, waited for. 0 or a Windows error. */
DWORD device_call(HANDLE device, DWORD code, const void *in, size_t in_size, void *out,
                  size_t out_size, DWORD *written);

/* REGISTER by hand; the request's error, or -1. Offset: where the netmap_if is in the region. */
int device_register(HANDLE device, const char *name, uint64_t flags);
int device_register_at(HANDLE device, const char *name, uint64_t flags, uint64_t *offset);

/* ---- port.c ---- */

/* A registered handle with its memory. */
struct port {
    HANDLE device;
    uint8_t *memory;
    struct netmap_if *nifp;
    struct netmap_ring *tx, *rx; /* the first ones */
};
/* False, and a failed check, when it cannot be had. */
bool port_open(struct port *port, const char *name);
void port_close(struct port *port);
/* Put one frame of 60 bytes for everybody into the first tx ring; no sync. False: no room. */
bool port_put(struct port *port);
/* Sync, take all frames out of the first rx ring, give the slots back; their number. */
unsigned port_take(struct port *port);

/* ---- device.c ---- */

/* One poll that stays pending, or is over at once. */
struct device_poll {
    OVERLAPPED overlapped;
    struct netmap_win_poll request;
    struct netmap_win_poll_reply reply;
};
void device_poll_start(HANDLE device, struct device_poll *poll, uint32_t wanted, int timeout_ms);
/* Wait for its end: 0 or a Windows error; WAIT_TIMEOUT when it does not end. */
DWORD device_poll_end(HANDLE device, struct device_poll *poll, DWORD patience_ms);

/* ---- process.c: this program once more, as a child ---- */

struct child {
    PROCESS_INFORMATION process;
    HANDLE ready; /* the child sets it, see child_ready */
};
bool child_start(struct child *child, const char *role);
bool child_wait_ready(struct child *child);
/* Its exit status, or WAIT_TIMEOUT. Closes the handles. */
DWORD child_end(struct child *child, DWORD patience_ms);
void child_ready(void);

/* Run nm-loader; its exit status, and what it printed in output. */
int loader_run(const char *arguments, char *output, size_t size);

/* ---- the tests ---- */

void tests_driver_parts(void);
void tests_loader(void); /* before netmap.sys is loaded, and loading it */
void tests_control(void);
void tests_wait(void);
void tests_memory(void);
void tests_process(void);
void tests_client(void);
void tests_unload(void); /* the last */
int child_main(const char *role);

#endif
