#include "apps/platform.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void (*stop_handler)(void);
static uint64_t stop_requested_ns;

/*
 * True when the program is to be ended at once: it was asked a second time, and not in the same
 * breath; timeout(1), for one, signals the program and then its whole process group.
 */
static bool stop_again(void)
{
    uint64_t now = platform_now_ns();

    if (stop_requested_ns != 0)
        return now - stop_requested_ns > PLATFORM_NS_PER_SECOND;
    stop_requested_ns = now;
    stop_handler();
    return false;
}

#ifdef _WIN32

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

int platform_cpu_count(void)
{
    DWORD_PTR usable, present;
    int count = 0;

    if (!GetProcessAffinityMask(GetCurrentProcess(), &usable, &present))
        return 1;
    for (; usable != 0; usable &= usable - 1)
        count++;
    return count > 0 ? count : 1;
}

int platform_pin_thread(int cpu)
{
    if (cpu < 0 || cpu >= (int)(8 * sizeof(DWORD_PTR)))
        return EINVAL;
    return SetThreadAffinityMask(GetCurrentThread(), (DWORD_PTR)1 << cpu) != 0 ? 0 : EINVAL;
}

static BOOL WINAPI console_event(DWORD event)
{
    (void)event;
    return !stop_again(); /* FALSE: the default handler ends the process */
}

void platform_on_stop_request(void (*handler)(void))
{
    stop_handler = handler;
    SetConsoleCtrlHandler(console_event, TRUE);
}

static uint64_t process_id(void)
{
    return GetCurrentProcessId();
}

#else

#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

int platform_cpu_count(void)
{
    cpu_set_t usable;

    if (sched_getaffinity(0, sizeof(usable), &usable) == 0 && CPU_COUNT(&usable) > 0)
        return CPU_COUNT(&usable);
    return 1;
}

int platform_pin_thread(int cpu)
{
    cpu_set_t one;

    if (cpu < 0 || cpu >= CPU_SETSIZE)
        return EINVAL;
    CPU_ZERO(&one);
    CPU_SET((unsigned)cpu, &one);
    return pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

static void stop_signal(int signal_number)
{
    if (stop_again())
        _exit(128 + signal_number);
}

void platform_on_stop_request(void (*handler)(void))
{
    struct sigaction action;

    stop_handler = handler;
    memset(&action, 0, sizeof(action));
    action.sa_handler = stop_signal;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static uint64_t process_id(void)
{
    return (uint64_t)getpid();
}

#endif

bool platform_parse_ipv4(const char *text, uint8_t address[4])
{
    return inet_pton(AF_INET, text, address) == 1;
}

bool platform_parse_ipv6(const char *text, uint8_t address[16])
{
    return inet_pton(AF_INET6, text, address) == 1;
}

uint64_t platform_seed(void)
{
    uint64_t seed = platform_clock_ns(CLOCK_REALTIME) ^ (process_id() << 32) ^
                    (platform_now_ns() * 0x9E3779B97F4A7C15ULL);

    /* A round of mixing, so that starts a microsecond apart share no bits. */
    seed = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9ULL;
    seed = (seed ^ (seed >> 27)) * 0x94D049BB133111EBULL;
    return seed ^ (seed >> 31);
}
