/*
 * A segment is a section object backed by the page file, so its pages are zeroed, cached and never
 * executable. Programs see it through views. The driver's own view has two bodies:
 *
 *   Windows  a view in system space, valid in every process, with its pages locked in memory so
 *            that they can be touched at DISPATCH level;
 *   Wine     a view in the process that all drivers share (MmMapViewInSystemSpace raises there).
 *
 * Which one is decided by asking whether the kernel exports wine_ntoskrnl_main_loop, which only
 * Wine's does. (The address of MmMapViewInSystemSpace proves nothing: Wine exports a stub.)
 */
#include "segment.h"
#include "core/errors.h"

struct nm_os_segment {
    HANDLE section;
    size_t size;
    void *base;   /* the driver's view */
    PVOID object; /* Windows: the referenced section */
    PMDL locked;  /* Windows: the view's pages */
};

/* MmProbeAndLockPages raises when it cannot; guard.S turns that into a status. PASSIVE. */
NTSTATUS nm_guarded_lock_pages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation);

bool nm_running_under_wine(void)
{
    static int answer = -1; /* every caller writes the same value */

    if (answer < 0) {
        UNICODE_STRING name;

        RtlInitUnicodeString(&name, L"wine_ntoskrnl_main_loop");
        answer = MmGetSystemRoutineAddress(&name) != NULL ? 1 : 0;
    }
    return answer == 1;
}

static NTSTATUS map_in_process(struct nm_os_segment *segment)
{
    return nm_segment_map(segment, ZwCurrentProcess(), segment->size, &segment->base);
}

static NTSTATUS map_in_system_space(struct nm_os_segment *segment)
{
    SIZE_T view_size = segment->size;
    NTSTATUS status;

    if (segment->size > UINT32_MAX - PAGE_SIZE) /* the most one MDL can describe */
        return STATUS_INSUFFICIENT_RESOURCES;
    status = ObReferenceObjectByHandle(segment->section, SECTION_MAP_READ | SECTION_MAP_WRITE, NULL,
                                       KernelMode, &segment->object, NULL);
    if (!NT_SUCCESS(status))
        return status;
    status = MmMapViewInSystemSpace(segment->object, &segment->base, &view_size);
    if (!NT_SUCCESS(status))
        goto release;
    segment->locked = IoAllocateMdl(segment->base, (ULONG)segment->size, FALSE, FALSE, NULL);
    if (segment->locked == NULL) {
        status = STATUS_INSUFFICIENT_RESOURCES;
        goto unmap;
    }
    status = nm_guarded_lock_pages(segment->locked, KernelMode, IoWriteAccess);
    if (NT_SUCCESS(status))
        return STATUS_SUCCESS;
    IoFreeMdl(segment->locked);
    segment->locked = NULL;
unmap:
    (void)MmUnmapViewInSystemSpace(segment->base);
release:
    ObDereferenceObject(segment->object);
    segment->object = NULL;
    segment->base = NULL;
    return status;
}

static void unmap_own_view(struct nm_os_segment *segment)
{
    if (segment->base == NULL)
        return;
    if (segment->object == NULL) {
        (void)ZwUnmapViewOfSection(ZwCurrentProcess(), segment->base);
        return;
    }
    MmUnlockPages(segment->locked);
    IoFreeMdl(segment->locked);
    (void)MmUnmapViewInSystemSpace(segment->base);
    ObDereferenceObject(segment->object);
}

int nm_os_segment_create(struct nm_os_segment **segment_out, size_t size, void **base)
{
    struct nm_os_segment *segment = nm_os_alloc(sizeof(*segment));
    OBJECT_ATTRIBUTES attributes;
    LARGE_INTEGER section_size;
    NTSTATUS status;

    if (segment == NULL)
        return NM_ENOMEM;
    segment->size = size;
    section_size.QuadPart = (LONGLONG)size;
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    status = ZwCreateSection(&segment->section, SECTION_ALL_ACCESS, &attributes, &section_size,
                             PAGE_READWRITE, SEC_COMMIT, NULL);
    if (!NT_SUCCESS(status)) {
        segment->section = NULL;
        goto fail;
    }
    status = nm_running_under_wine() ? map_in_process(segment) : map_in_system_space(segment);
    if (!NT_SUCCESS(status))
        goto fail;
    *base = segment->base;
    *segment_out = segment;
    return 0;

fail:
    nm_os_log(NM_LOG_WARNING, "no memory for a region of %zu bytes (status %08x)", size,
              (unsigned)status);
    nm_os_segment_destroy(segment);
    return NM_ENOMEM;
}

/* Views in programs keep the section alive by themselves. */
void nm_os_segment_destroy(struct nm_os_segment *segment)
{
    if (segment == NULL)
        return;
    unmap_own_view(segment);
    if (segment->section != NULL)
        (void)ZwClose(segment->section);
    nm_os_free(segment, sizeof(*segment));
}

NTSTATUS nm_segment_map(struct nm_os_segment *segment, HANDLE process, size_t size, void **base)
{
    SIZE_T view_size = size;

    if (size == 0 || size > segment->size)
        return STATUS_INVALID_VIEW_SIZE;
    *base = NULL;
    return ZwMapViewOfSection(segment->section, process, base, 0, 0, NULL, &view_size, ViewUnmap, 0,
                              PAGE_READWRITE);
}
