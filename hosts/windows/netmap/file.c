#include "file.h"
#include "segment.h"
#include "wait.h"

/*
 * A region's view in one process. It belongs to all files of that process that are bound to the
 * region, because programs map once and use the address with every descriptor they have on it;
 * it goes away with the last of these files.
 */
struct view {
    LIST_ENTRY link;
    struct nm_os_segment *segment;
    PEPROCESS process; /* compared only; kept alive by the files and by handle */
    HANDLE handle;     /* kernel handle of the process: cleanup may run in another one */
    void *base;
    uint64_t size;
};

static struct nm_os_mutex list_lock;
static LIST_ENTRY files;
static LIST_ENTRY views;

void nm_files_start(void)
{
    nm_os_mutex_init(&list_lock);
    InitializeListHead(&files);
    InitializeListHead(&views);
}

void nm_files_stop(void)
{
    while (!IsListEmpty(&files)) {
        struct nm_file *file = CONTAINING_RECORD(files.Flink, struct nm_file, link);

        nm_file_cleanup(file);
        nm_file_free(file);
    }
}

NTSTATUS nm_file_open(struct nm_core *core, struct nm_file **file_out)
{
    struct nm_file *file = nm_os_alloc(sizeof(*file));

    if (file == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    file->handle = nm_handle_open(core);
    if (file->handle == NULL) {
        nm_os_free(file, sizeof(*file));
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    nm_rundown_init(&file->rundown);
    nm_os_mutex_init(&file->control);
    nm_os_mutex_lock(&list_lock);
    InsertTailList(&files, &file->link);
    nm_os_mutex_unlock(&list_lock);
    *file_out = file;
    return STATUS_SUCCESS;
}

/* List lock held. */
static struct view *find_view(const struct nm_os_segment *segment, PEPROCESS process)
{
    for (PLIST_ENTRY entry = views.Flink; entry != &views; entry = entry->Flink) {
        struct view *view = CONTAINING_RECORD(entry, struct view, link);

        if (view->segment == segment && view->process == process)
            return view;
    }
    return NULL;
}

/* List lock held. */
static bool region_in_use(const struct nm_os_segment *segment, PEPROCESS process)
{
    for (PLIST_ENTRY entry = files.Flink; entry != &files; entry = entry->Flink) {
        struct nm_file *file = CONTAINING_RECORD(entry, struct nm_file, link);

        if (file->segment == segment && file->process == process)
            return true;
    }
    return false;
}

/* Take the file off the list, and its region's view from the process when it was the last. */
static void leave_region(struct nm_file *file)
{
    struct nm_os_segment *segment = file->segment;
    struct view *view;

    nm_os_mutex_lock(&list_lock);
    RemoveEntryList(&file->link);
    file->segment = NULL;
    if (segment != NULL && !region_in_use(segment, file->process)) {
        view = find_view(segment, file->process);
        if (view != NULL) {
            RemoveEntryList(&view->link);
            /* Fails when the process is going away, and its views with it. */
            (void)ZwUnmapViewOfSection(view->handle, view->base);
            (void)ZwClose(view->handle);
            nm_os_free(view, sizeof(*view));
        }
    }
    nm_os_mutex_unlock(&list_lock);
}

void nm_file_cleanup(struct nm_file *file)
{
    if (InterlockedExchange(&file->cleaned_up, 1) != 0)
        return;
    nm_rundown_close(&file->rundown);
    nm_waits_cancel(file);
    nm_rundown_wait(&file->rundown);
    /* The segment's address identifies the view, so the view goes before the core may free the
     * segment and give its address to another. */
    leave_region(file);
    nm_handle_close(file->handle);
    file->handle = NULL;
    nm_waits_run();
}

void nm_file_free(struct nm_file *file)
{
    if (file->process != NULL)
        ObDereferenceObject(file->process);
    nm_os_mutex_destroy(&file->control);
    nm_os_free(file, sizeof(*file));
}

/* REGISTER has just succeeded for process. */
static void bind(struct nm_file *file, PEPROCESS process, struct nm_os_segment *segment,
                 uint64_t memsize)
{
    ObReferenceObject(process);
    nm_os_mutex_lock(&list_lock);
    file->segment = segment;
    file->memsize = memsize;
    file->process = process;
    nm_os_mutex_unlock(&list_lock);
    nm_store32_release(&file->bound, 1);
}

void nm_file_control(struct nm_file *file, PEPROCESS process, struct nm_request *request,
                     size_t received)
{
    struct nm_os_segment *segment;
    uint64_t memsize = 0, total_size = 0;

    nm_os_mutex_lock(&file->control);
    (void)nm_control(file->handle, request, received);
    if (!nm_file_is_bound(file)) {
        segment = nm_handle_segment(file->handle, &memsize, &total_size);
        if (segment != NULL)
            bind(file, process, segment, memsize);
    }
    nm_os_mutex_unlock(&file->control);
    nm_waits_run();
}

/* List lock held. */
static NTSTATUS create_view(struct nm_file *file, struct view **view_out)
{
    struct view *view = nm_os_alloc(sizeof(*view));
    NTSTATUS status;

    if (view == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    view->segment = file->segment;
    view->process = file->process;
    view->size = file->memsize;
    /* The object type is left out: mingw's PsProcessType is not importable, and the kernel knows
     * what it is referencing. */
    status = ObOpenObjectByPointer(file->process, OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS, NULL,
                                   KernelMode, &view->handle);
    if (!NT_SUCCESS(status)) {
        nm_os_free(view, sizeof(*view));
        return status;
    }
    status = nm_segment_map(view->segment, view->handle, (size_t)view->size, &view->base);
    if (!NT_SUCCESS(status)) {
        (void)ZwClose(view->handle);
        nm_os_free(view, sizeof(*view));
        return status;
    }
    InsertTailList(&views, &view->link);
    *view_out = view;
    return STATUS_SUCCESS;
}

NTSTATUS nm_file_map(struct nm_file *file, PEPROCESS process, struct netmap_win_map *reply)
{
    NTSTATUS status = STATUS_SUCCESS;
    struct view *view;

    if (!nm_file_is_bound(file))
        return STATUS_DEVICE_NOT_CONNECTED;
    nm_os_mutex_lock(&list_lock);
    if (file->process != process) {
        status = STATUS_ACCESS_DENIED;
        goto out;
    }
    view = find_view(file->segment, process);
    if (view == NULL) {
        status = create_view(file, &view);
        if (!NT_SUCCESS(status))
            goto out;
    }
    reply->address = (uintptr_t)view->base;
    reply->size = view->size;
out:
    nm_os_mutex_unlock(&list_lock);
    return status;
}

/* The device's DACL lets nobody but SYSTEM and administrators open it, and these may. */
bool nm_os_may_use_nics(const struct nm_handle *handle)
{
    (void)handle;
    return true;
}
