/* Shared segments (core/os.h) and their views in programs. */
#ifndef NM_WINDOWS_SEGMENT_H
#define NM_WINDOWS_SEGMENT_H

#include "core/os.h"
#include "ddk.h"

/* Map the first size bytes of the segment into a process. PASSIVE. */
NTSTATUS nm_segment_map(struct nm_os_segment *segment, HANDLE process, size_t size, void **base);

/* True in a Wine process, where kernel-only services are missing. PASSIVE. */
bool nm_running_under_wine(void);

#endif
