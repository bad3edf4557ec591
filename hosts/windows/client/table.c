#include <errno.h>

#include "client.h"
#include "hosts/windows/protocol.h"

/* Above every descriptor a C library makes (at most 8192), and still a small integer. */
#define FIRST_FD 0x4000
#define MAX_FDS  2048

static SRWLOCK lock = SRWLOCK_INIT;
static struct nm_client_descriptor *table[MAX_FDS]; /* under lock */

int nm_client_add(HANDLE device)
{
    struct nm_client_descriptor *descriptor =
        HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*descriptor));
    int i;

    if (descriptor == NULL)
        return nm_client_fail(ENOMEM);
    descriptor->device = device;
    descriptor->references = 1;
    AcquireSRWLockExclusive(&lock);
    for (i = 0; i < MAX_FDS && table[i] != NULL; i++)
        continue;
    if (i < MAX_FDS)
        table[i] = descriptor;
    ReleaseSRWLockExclusive(&lock);
    if (i == MAX_FDS) {
        HeapFree(GetProcessHeap(), 0, descriptor);
        nm_client_message("more than %d netmap descriptors in one process", MAX_FDS);
        return nm_client_fail(EMFILE);
    }
    return FIRST_FD + i;
}

struct nm_client_descriptor *nm_client_get(int fd)
{
    struct nm_client_descriptor *descriptor;

    if (fd < FIRST_FD || fd >= FIRST_FD + MAX_FDS)
        return NULL;
    AcquireSRWLockShared(&lock);
    descriptor = table[fd - FIRST_FD];
    if (descriptor != NULL)
        InterlockedIncrement(&descriptor->references);
    ReleaseSRWLockShared(&lock);
    return descriptor;
}

static bool running_under_wine(void)
{
    return GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != NULL;
}

void nm_client_put(struct nm_client_descriptor *descriptor)
{
    if (InterlockedDecrement(&descriptor->references) != 0)
        return;
    if (running_under_wine())
        (void)nm_client_device_call(descriptor->device, NETMAP_WIN_RELEASE, NULL, 0, NULL, 0, NULL);
    CloseHandle(descriptor->device);
    HeapFree(GetProcessHeap(), 0, descriptor);
}

bool nm_client_remove(int fd)
{
    struct nm_client_descriptor *descriptor = NULL;

    if (fd < FIRST_FD || fd >= FIRST_FD + MAX_FDS)
        return false;
    AcquireSRWLockExclusive(&lock);
    descriptor = table[fd - FIRST_FD];
    table[fd - FIRST_FD] = NULL;
    ReleaseSRWLockExclusive(&lock);
    if (descriptor == NULL)
        return false;
    InterlockedExchange(&descriptor->closed, 1);
    /* The handle closes with its last use; a poll that waits must not hold it for ever. (One that
     * is about to wait sees that the descriptor is closed.) */
    if (*(volatile LONG *)&descriptor->references > 1)
        CancelIoEx(descriptor->device, NULL);
    nm_client_put(descriptor);
    return true;
}
