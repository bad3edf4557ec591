#include "wait.h"

#define NEVER  UINT64_MAX
#define ROUNDS 8 /* of nm_waits_run in one caller; what is left goes to our thread */

struct wait {
    LIST_ENTRY link;
    PIRP irp;
    struct nm_file *file;       /* one use of its rundown */
    struct nm_adapter *adapter; /* the file's; it lives as long as the file's handle is open */
    uint64_t deadline;          /* nm_os_time_ns, or NEVER */
    unsigned wanted;
    uint32_t generation; /* of the adapter, before the handle was last polled */
};

static struct {
    struct nm_os_lock lock;
    LIST_ENTRY queue;
    uint64_t next_deadline; /* our thread wakes up by itself then; under lock */
    uint32_t due;           /* a waiter may be behind its adapter's generation */
    uint32_t stop;
    KEVENT kick;
    PVOID thread;
} waits;

_Static_assert(NETMAP_WIN_READABLE == NM_READABLE && NETMAP_WIN_WRITABLE == NM_WRITABLE &&
                   NETMAP_WIN_POLL_ERROR == NM_POLL_ERROR,
               "the core's events travel as they are");

/*
 * The interlocked add orders the ring's new state before the look at waiters; settle() has the
 * other half. Any level, ring lock held.
 */
void nm_os_ring_wake(struct nm_kring *kring)
{
    struct nm_os_adapter *adapter = &kring->adapter->os;

    nm_add32(&adapter->generation, 1);
    if (nm_load32(&adapter->waiters) != 0)
        nm_store32(&waits.due, 1);
}

static NTSTATUS complete(PIRP irp, NTSTATUS status, unsigned ready)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = 0;
    if (NT_SUCCESS(status)) {
        struct netmap_win_poll_reply *reply = irp->AssociatedIrp.SystemBuffer;

        reply->ready = ready;
        reply->reserved = 0;
        irp->IoStatus.Information = sizeof(*reply);
    }
    IoCompleteRequest(irp, IO_NETWORK_INCREMENT);
    return status;
}

/* The caller has claimed the wait. The file may be gone when this returns. */
static void finish(struct wait *wait, NTSTATUS status, unsigned ready)
{
    struct nm_file *file = wait->file;
    PIRP irp = wait->irp;

    nm_add32(&wait->adapter->os.waiters, UINT32_MAX);
    nm_os_free(wait, sizeof(*wait));
    (void)complete(irp, status, ready);
    nm_rundown_leave(&file->rundown);
}

/* Runs with the system's cancel lock held, at DISPATCH, which it must release. */
static VOID NTAPI cancel_wait(PDEVICE_OBJECT device, PIRP irp)
{
    struct wait *wait = irp->Tail.Overlay.DriverContext[0];

    (void)device;
    IoReleaseCancelSpinLock(irp->CancelIrql);
    /* Whoever wanted to claim the wait has seen that this routine was taken and left it queued. */
    nm_os_lock(&waits.lock);
    RemoveEntryList(&wait->link);
    nm_os_unlock(&waits.lock);
    finish(wait, STATUS_CANCELLED, 0);
}

/* Queue lock held. False when the cancel routine has the request. */
static bool claim(struct wait *wait, PLIST_ENTRY claimed)
{
    if (IoSetCancelRoutine(wait->irp, NULL) == NULL)
        return false;
    RemoveEntryList(&wait->link);
    InsertTailList(claimed, &wait->link);
    return true;
}

/* Queue a claimed wait. False when it has to be completed as cancelled instead. */
static bool enqueue(struct wait *wait)
{
    bool kick = false, queued = true;

    nm_os_lock(&waits.lock);
    if (nm_rundown_is_closed(&wait->file->rundown)) {
        queued = false; /* nm_waits_cancel may have gone through the queue already */
    } else {
        InsertTailList(&waits.queue, &wait->link);
        IoSetCancelRoutine(wait->irp, cancel_wait);
        if (wait->irp->Cancel && IoSetCancelRoutine(wait->irp, NULL) != NULL) {
            /* Cancelled before the routine was there, so nobody called it. */
            RemoveEntryList(&wait->link);
            queued = false;
        } else if (wait->deadline < waits.next_deadline) {
            waits.next_deadline = wait->deadline;
            kick = true;
        }
    }
    nm_os_unlock(&waits.lock);
    if (kick)
        (void)KeSetEvent(&waits.kick, IO_NO_INCREMENT, FALSE);
    return queued;
}

/* Poll for a claimed wait: complete it, or queue it again. */
static void settle(struct wait *wait)
{
    const struct nm_adapter *adapter = wait->adapter;
    uint32_t generation = nm_load32(&adapter->os.generation);
    unsigned ready;

    wait->generation = generation;
    nm_fence(); /* what this generation announced is seen by the poll that follows */
    ready = nm_handle_poll(wait->file->handle, wait->wanted);
    if (ready != 0) {
        finish(wait, STATUS_SUCCESS, ready);
        return;
    }
    if (wait->deadline != NEVER && nm_os_time_ns() >= wait->deadline) {
        finish(wait, STATUS_SUCCESS, 0);
        return;
    }
    if (!enqueue(wait)) {
        finish(wait, STATUS_CANCELLED, 0);
        return;
    }
    /*
     * A wake-up that came between the poll and the queue found nobody there, or made a run that
     * found nobody there. From here on the wait belongs to others, and so may the adapter: the
     * caller still holds the file, or is inside nm_waits_run for it (see there).
     */
    nm_fence();
    if (nm_load32(&adapter->os.generation) != generation)
        nm_store32(&waits.due, 1);
}

/* Claim and settle everything that is behind, or whose time is over when now is not 0. */
static void run_once(uint64_t now)
{
    LIST_ENTRY claimed;
    uint64_t next_deadline = NEVER;

    InitializeListHead(&claimed);
    nm_os_lock(&waits.lock);
    for (PLIST_ENTRY entry = waits.queue.Flink, next; entry != &waits.queue; entry = next) {
        struct wait *wait = CONTAINING_RECORD(entry, struct wait, link);

        next = entry->Flink;
        if ((wait->deadline <= now ||
             wait->generation != nm_load32(&wait->adapter->os.generation)) &&
            claim(wait, &claimed))
            continue;
        if (wait->deadline < next_deadline)
            next_deadline = wait->deadline;
    }
    if (now != 0)
        waits.next_deadline = next_deadline;
    nm_os_unlock(&waits.lock);

    while (!IsListEmpty(&claimed)) {
        struct wait *wait = CONTAINING_RECORD(RemoveHeadList(&claimed), struct wait, link);
        struct nm_file *file = wait->file;

        /* settle may give the wait away and then still look at the file's adapter. A closed
         * rundown refuses us, and settle then cannot queue the wait, so it looks no further. */
        bool inside = nm_rundown_enter(&file->rundown);

        settle(wait);
        if (inside)
            nm_rundown_leave(&file->rundown);
    }
}

void nm_waits_run(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        if (nm_load32(&waits.due) == 0 || nm_exchange32(&waits.due, 0) == 0)
            return;
        run_once(0);
    }
    (void)KeSetEvent(&waits.kick, IO_NO_INCREMENT, FALSE);
}

NTSTATUS nm_waits_poll(struct nm_file *file, PIRP irp, const struct netmap_win_poll *poll)
{
    unsigned ready = nm_handle_poll(file->handle, poll->wanted);
    struct wait *wait;

    if (ready != 0 || poll->timeout_ms == 0)
        return complete(irp, STATUS_SUCCESS, ready);
    wait = nm_os_alloc(sizeof(*wait));
    if (wait == NULL)
        return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    if (!nm_rundown_enter(&file->rundown)) {
        nm_os_free(wait, sizeof(*wait));
        return complete(irp, STATUS_CANCELLED, 0);
    }
    wait->irp = irp;
    wait->file = file;
    wait->adapter = file->handle->adapter;
    wait->wanted = poll->wanted;
    wait->deadline = NEVER;
    if (poll->timeout_ms > 0)
        wait->deadline = nm_os_time_ns() + (uint64_t)poll->timeout_ms * 1000000u;
    irp->Tail.Overlay.DriverContext[0] = wait;
    nm_add32(&wait->adapter->os.waiters, 1);
    IoMarkIrpPending(irp);
    settle(wait);
    return STATUS_PENDING;
}

void nm_waits_cancel(struct nm_file *file)
{
    LIST_ENTRY claimed;

    InitializeListHead(&claimed);
    nm_os_lock(&waits.lock);
    for (PLIST_ENTRY entry = waits.queue.Flink, next; entry != &waits.queue; entry = next) {
        struct wait *wait = CONTAINING_RECORD(entry, struct wait, link);

        next = entry->Flink;
        if (wait->file == file)
            (void)claim(wait, &claimed);
    }
    nm_os_unlock(&waits.lock);
    while (!IsListEmpty(&claimed))
        finish(CONTAINING_RECORD(RemoveHeadList(&claimed), struct wait, link), STATUS_CANCELLED, 0);
}

static VOID NTAPI thread_main(PVOID context)
{
    (void)context;
    while (nm_load32_acquire(&waits.stop) == 0) {
        uint64_t now = nm_os_time_ns(), deadline;
        LARGE_INTEGER timeout;

        nm_store32(&waits.due, 0);
        nm_fence();
        run_once(now);
        nm_waits_run(); /* polling may have woken others */

        nm_os_lock(&waits.lock);
        deadline = waits.next_deadline;
        nm_os_unlock(&waits.lock);
        /* Rounded up to the clock's unit, so that the deadline has passed on waking. */
        timeout.QuadPart = deadline > now ? -(LONGLONG)((deadline - now) / 100 + 1) : 0;
        (void)KeWaitForSingleObject(&waits.kick, Executive, KernelMode, FALSE,
                                    deadline == NEVER ? NULL : &timeout);
    }
    (void)PsTerminateSystemThread(STATUS_SUCCESS);
}

NTSTATUS nm_waits_start(void)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE thread;
    NTSTATUS status;

    nm_os_lock_init(&waits.lock);
    InitializeListHead(&waits.queue);
    waits.next_deadline = NEVER;
    KeInitializeEvent(&waits.kick, SynchronizationEvent, FALSE);
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    status = PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, &attributes, NULL, NULL, thread_main,
                                  NULL);
    if (!NT_SUCCESS(status))
        return status;
    status = ObReferenceObjectByHandle(thread, SYNCHRONIZE, NULL, KernelMode, &waits.thread, NULL);
    if (!NT_SUCCESS(status)) {
        /* Cannot happen with a handle just made; the thread must not outlive the driver. */
        nm_store32_release(&waits.stop, 1);
        (void)KeSetEvent(&waits.kick, IO_NO_INCREMENT, FALSE);
        (void)ZwWaitForSingleObject(thread, FALSE, NULL);
    } else {
        (void)KeSetPriorityThread(waits.thread, LOW_REALTIME_PRIORITY);
    }
    (void)ZwClose(thread);
    return status;
}

void nm_waits_stop(void)
{
    if (waits.thread == NULL)
        return;
    nm_store32_release(&waits.stop, 1);
    (void)KeSetEvent(&waits.kick, IO_NO_INCREMENT, FALSE);
    (void)KeWaitForSingleObject(waits.thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(waits.thread);
    waits.thread = NULL;
}
