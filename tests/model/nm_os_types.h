/* core/os.h wants these; no code compiled here uses them. See tests/model/pipe_lane.h. */
#ifndef NM_OS_TYPES_H
#define NM_OS_TYPES_H

struct nm_os_lock {
    char unused;
};

struct nm_os_mutex {
    char unused;
};

struct nm_os_adapter {
    char unused;
};

struct nm_os_ring {
    char unused;
};

struct nm_os_handle {
    char unused;
};

#endif
