/* Per-thread state through fiber-local storage, whose callback runs when a thread ends; it needs
 * nothing of the compiler or of the program's C library. */
#include "client.h"

static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static DWORD slot = FLS_OUT_OF_INDEXES;
static struct nm_client_thread nobody;

static VOID WINAPI thread_end(PVOID data)
{
    struct nm_client_thread *thread = data;

    if (thread == NULL)
        return;
    for (unsigned i = 0; i < NM_CLIENT_POLL_MAX; i++) {
        if (thread->events[i] != NULL)
            CloseHandle(thread->events[i]);
    }
    HeapFree(GetProcessHeap(), 0, thread);
}

static BOOL CALLBACK make_slot(PINIT_ONCE unused, PVOID parameter, PVOID *context)
{
    (void)unused;
    (void)parameter;
    (void)context;
    slot = FlsAlloc(thread_end);
    return TRUE;
}

struct nm_client_thread *nm_client_thread(void)
{
    struct nm_client_thread *thread;

    InitOnceExecuteOnce(&once, make_slot, NULL, NULL);
    if (slot == FLS_OUT_OF_INDEXES)
        return &nobody;
    thread = FlsGetValue(slot);
    if (thread == NULL) {
        thread = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*thread));
        if (thread == NULL)
            return &nobody;
        FlsSetValue(slot, thread);
    }
    return thread;
}

HANDLE nm_client_event(unsigned index)
{
    struct nm_client_thread *thread = nm_client_thread();

    /* The shared state has no events: two threads must not wait on one. */
    if (thread == &nobody)
        return NULL;
    if (thread->events[index] == NULL)
        thread->events[index] = CreateEventW(NULL, TRUE, FALSE, NULL);
    return thread->events[index];
}
