/*
 * Rundown protection: users enter and leave; whoever ends the object closes it and waits until the
 * last user has left. Our own type, because Wine lacks the executive's.
 */
#ifndef NM_WINDOWS_RUNDOWN_H
#define NM_WINDOWS_RUNDOWN_H

#include "core/compiler.h"
#include "ddk.h"

struct nm_rundown {
    LONG state;     /* 2 per user; bit 0: closed */
    KEVENT drained; /* set when the last user leaves a closed object */
};

/* PASSIVE. */
void nm_rundown_init(struct nm_rundown *rundown);

/* False when it is closed: the object must not be used. Any level. */
bool nm_rundown_enter(struct nm_rundown *rundown);

/* Any level. The object may be gone when this returns. */
void nm_rundown_leave(struct nm_rundown *rundown);

/* Nobody enters any more. Any level. */
void nm_rundown_close(struct nm_rundown *rundown);
bool nm_rundown_is_closed(const struct nm_rundown *rundown);

/* After close: wait for everybody inside to leave. PASSIVE, no locks that a user may want. */
void nm_rundown_wait(struct nm_rundown *rundown);

#endif
