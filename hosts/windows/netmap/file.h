/*
 * One open handle of \\.\netmap: the file object's context, and the region's view in its process.
 *
 * Locks: file->control (PASSIVE) serialises requests on one file and is taken before the core's
 * control lock; the list lock (PASSIVE) guards the list of files, the views, and a file's binding.
 */
#ifndef NM_WINDOWS_FILE_H
#define NM_WINDOWS_FILE_H

#include "core/core.h"
#include "ddk.h"
#include "protocol.h"
#include "rundown.h"

struct nm_file {
    LIST_ENTRY link; /* list lock */
    struct nm_handle *handle;
    struct nm_rundown rundown; /* every call in progress, every waiting poll */
    struct nm_os_mutex control;
    uint32_t bound; /* set, with release, when REGISTER has succeeded */
    LONG cleaned_up;
    /* Once bound; list lock. */
    struct nm_os_segment *segment;
    uint64_t memsize;
    PEPROCESS process; /* the one that registered; referenced */
};

/* All PASSIVE. */
void nm_files_start(void);

/* Close what is still open: never anything on Windows, which unloads a driver after its last file
 * object has gone; Wine does not wait. */
void nm_files_stop(void);

/* A file on a new core handle. STATUS_INSUFFICIENT_RESOURCES when there is no memory. */
NTSTATUS nm_file_open(struct nm_core *core, struct nm_file **file);

/*
 * The program has closed its last handle: refuse new calls, cancel those that wait, wait for the
 * others, take the region's view away, close the core handle. Does nothing the second time: Windows
 * calls it for CLEANUP and CLOSE, Wine sends CLOSE only.
 */
void nm_file_cleanup(struct nm_file *file);

/* After cleanup, when no request can refer to the file any more. */
void nm_file_free(struct nm_file *file);

/* Has REGISTER succeeded? Calls that move packets are refused before. Any level. */
static inline bool nm_file_is_bound(const struct nm_file *file)
{
    return nm_load32_acquire(&file->bound) != 0;
}

/* Execute a request for process; see nm_control. */
void nm_file_control(struct nm_file *file, PEPROCESS process, struct nm_request *request,
                     size_t received);

/*
 * The address of the file's region in process, mapping it when no file of that process has done so.
 * STATUS_ACCESS_DENIED when another process registered the file.
 */
NTSTATUS nm_file_map(struct nm_file *file, PEPROCESS process, struct netmap_win_map *reply);

#endif
