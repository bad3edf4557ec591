#include "harness.h"

#include <stdarg.h>
#include <stdlib.h>

static const char *current = "start";
static unsigned number, passed, failed;
static bool current_failed;

void test_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;

    current_failed = true;
    printf("# %s:%d: ", file, line);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf(" (last error %lu)\n", (unsigned long)GetLastError());
}

void test_run(const char *name, test_function function)
{
    current = name;
    current_failed = false;
    function();
    number++;
    if (current_failed)
        failed++;
    else
        passed++;
    printf("%s %u - %s\n", current_failed ? "not ok" : "ok", number, name);
    fflush(stdout);
}

int test_summary(void)
{
    printf("1..%u\n%u passed, %u failed\n", number, passed, failed);
    fflush(stdout);
    return failed == 0 ? 0 : 1;
}

static DWORD WINAPI watch(LPVOID seconds)
{
    Sleep((DWORD)(uintptr_t)seconds * 1000);
    printf("not ok %u - %s: not finished after %u seconds\n%u passed, %u failed\n", number + 1,
           current, (unsigned)(uintptr_t)seconds, passed, failed + 1);
    fflush(stdout);
    TerminateProcess(GetCurrentProcess(), 3);
    return 0;
}

void test_watchdog(unsigned seconds)
{
    CloseHandle(CreateThread(NULL, 0, watch, (LPVOID)(uintptr_t)seconds, 0, NULL));
}

uint32_t test_random(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15u;

    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 32);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--child") == 0)
        return child_main(argv[2]);
    test_watchdog(150);
    tests_driver_parts();
    tests_loader();
    tests_control();
    tests_wait();
    tests_memory();
    tests_process();
    tests_client();
    tests_unload();
    return test_summary();
}
