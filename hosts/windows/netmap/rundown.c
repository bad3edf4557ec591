#include "rundown.h"

#define CLOSED 1
#define USER   2

void nm_rundown_init(struct nm_rundown *rundown)
{
    rundown->state = 0;
    KeInitializeEvent(&rundown->drained, NotificationEvent, FALSE);
}

bool nm_rundown_enter(struct nm_rundown *rundown)
{
    LONG seen = *(volatile LONG *)&rundown->state;

    for (;;) {
        LONG found;

        if ((seen & CLOSED) != 0)
            return false;
        found = InterlockedCompareExchange(&rundown->state, seen + USER, seen);
        if (found == seen)
            return true;
        seen = found;
    }
}

void nm_rundown_leave(struct nm_rundown *rundown)
{
    /* While the object is open a waiter cannot exist, and once the count is zero and closed only
     * the one who brought it there signals: the waiter frees the object after that. */
    if (InterlockedExchangeAdd(&rundown->state, -USER) == (USER | CLOSED))
        (void)KeSetEvent(&rundown->drained, IO_NO_INCREMENT, FALSE);
}

void nm_rundown_close(struct nm_rundown *rundown)
{
    if (InterlockedOr(&rundown->state, CLOSED) == 0)
        (void)KeSetEvent(&rundown->drained, IO_NO_INCREMENT, FALSE);
}

bool nm_rundown_is_closed(const struct nm_rundown *rundown)
{
    return (*(const volatile LONG *)&rundown->state & CLOSED) != 0;
}

void nm_rundown_wait(struct nm_rundown *rundown)
{
    (void)KeWaitForSingleObject(&rundown->drained, Executive, KernelMode, FALSE, NULL);
}
