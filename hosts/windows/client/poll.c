/* poll over several netmap descriptors: one pending request each, and a wait for any of them. */
#include <errno.h>
#include <poll.h>

#include "client.h"
#include "hosts/windows/protocol.h"

/* One descriptor in a poll. Its request is over before poll returns, whatever happens, because it
 * writes to this place. */
struct waiter {
    struct pollfd *fd;
    struct nm_client_descriptor *descriptor;
    OVERLAPPED overlapped;
    struct netmap_win_poll request;
    struct netmap_win_poll_reply reply;
    bool pending;
};

static short events_of(uint32_t ready, short wanted)
{
    int events = 0;

    if ((ready & NETMAP_WIN_READABLE) != 0)
        events |= wanted & POLLIN;
    if ((ready & NETMAP_WIN_WRITABLE) != 0)
        events |= wanted & POLLOUT;
    if ((ready & NETMAP_WIN_POLL_ERROR) != 0)
        events |= POLLERR;
    return (short)events;
}

/* The request is over; say what poll has to report. */
static void finish(struct waiter *waiter, DWORD error)
{
    waiter->pending = false;
    if (error == 0)
        waiter->fd->revents = events_of(waiter->reply.ready, waiter->fd->events);
    else if (error == ERROR_OPERATION_ABORTED)
        waiter->fd->revents = waiter->descriptor->closed ? POLLNVAL : 0;
    else
        waiter->fd->revents = POLLERR;
}

static void start(struct waiter *waiter, int timeout_ms)
{
    short events = waiter->fd->events;
    DWORD written, error = 0;

    waiter->request.wanted = ((events & POLLIN) != 0 ? NETMAP_WIN_READABLE : 0) |
                             ((events & POLLOUT) != 0 ? NETMAP_WIN_WRITABLE : 0);
    waiter->request.timeout_ms = timeout_ms < 0 ? -1 : timeout_ms;
    if (!DeviceIoControl(waiter->descriptor->device, NETMAP_WIN_POLL, &waiter->request,
                         sizeof(waiter->request), &waiter->reply, sizeof(waiter->reply), &written,
                         &waiter->overlapped))
        error = GetLastError();
    if (error != ERROR_IO_PENDING) {
        finish(waiter, error);
        return;
    }
    waiter->pending = true;
    /* A thread that closed the descriptor meanwhile may have looked for requests before ours. */
    MemoryBarrier();
    if (*(volatile LONG *)&waiter->descriptor->closed)
        CancelIoEx(waiter->descriptor->device, &waiter->overlapped);
}

/* The waiter's event is set. */
static void collect(struct waiter *waiter)
{
    DWORD written;

    if (GetOverlappedResult(waiter->descriptor->device, &waiter->overlapped, &written, FALSE)) {
        finish(waiter, 0);
    } else {
        DWORD error = GetLastError();

        /* Wine may leave "incomplete" behind in a request that was cancelled. */
        finish(waiter, error == ERROR_IO_INCOMPLETE ? ERROR_OPERATION_ABORTED : error);
    }
}

/* Take the request back; it may be completed in the same moment, which counts. */
static void stop(struct waiter *waiter)
{
    if (!waiter->pending)
        return;
    CancelIoEx(waiter->descriptor->device, &waiter->overlapped);
    WaitForSingleObject(waiter->overlapped.hEvent, INFINITE);
    collect(waiter);
}

/* Wait until one of the pending requests is over. */
static void wait_for_any(struct waiter *waiters, unsigned count)
{
    HANDLE events[NM_CLIENT_POLL_MAX];
    struct waiter *pending[NM_CLIENT_POLL_MAX];
    DWORD number = 0, signalled;

    for (unsigned i = 0; i < count; i++) {
        if (waiters[i].pending) {
            pending[number] = &waiters[i];
            events[number++] = waiters[i].overlapped.hEvent;
        }
    }
    if (number == 0)
        return;
    signalled = WaitForMultipleObjects(number, events, FALSE, INFINITE);
    if (signalled < WAIT_OBJECT_0 + number)
        collect(pending[signalled - WAIT_OBJECT_0]);
}

int nm_posix_poll(struct pollfd *fds, unsigned long count, int timeout_ms)
{
    struct waiter waiters[NM_CLIENT_POLL_MAX];
    unsigned number = 0;
    bool none_ready = true;
    int ready = 0;

    for (unsigned long i = 0; i < count; i++) {
        struct waiter *waiter = &waiters[number];
        struct nm_client_descriptor *descriptor;

        fds[i].revents = 0;
        if (fds[i].fd < 0)
            continue;
        descriptor = nm_client_get(fds[i].fd);
        if (descriptor == NULL) {
            fds[i].revents = POLLNVAL;
            none_ready = false;
            continue;
        }
        if (number == NM_CLIENT_POLL_MAX || nm_client_event(number) == NULL) {
            nm_client_put(descriptor);
            while (number > 0)
                nm_client_put(waiters[--number].descriptor);
            nm_client_message("poll takes at most %d netmap descriptors", NM_CLIENT_POLL_MAX);
            return nm_client_fail(EINVAL);
        }
        memset(waiter, 0, sizeof(*waiter));
        waiter->fd = &fds[i];
        waiter->descriptor = descriptor;
        waiter->overlapped.hEvent = nm_client_event(number);
        number++;
    }

    /* Every descriptor is asked, also when one is ready already: poll syncs all of them. */
    for (unsigned i = 0; i < number; i++) {
        start(&waiters[i], none_ready ? timeout_ms : 0);
        if (waiters[i].fd->revents != 0)
            none_ready = false;
    }
    if (none_ready && number > 0)
        wait_for_any(waiters, number);
    else if (none_ready && timeout_ms != 0)
        Sleep(timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms);

    for (unsigned i = 0; i < number; i++) {
        stop(&waiters[i]);
        nm_client_put(waiters[i].descriptor);
    }
    for (unsigned long i = 0; i < count; i++)
        ready += fds[i].revents != 0;
    return ready;
}
