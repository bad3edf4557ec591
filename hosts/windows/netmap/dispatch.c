/*
 * Requests from programs. A handler gets the system buffer (which the program cannot touch) and
 * both lengths, checks them first, and says how many bytes it wrote.
 */
#include "driver.h"
#include "file.h"
#include "protocol.h"
#include "status.h"
#include "wait.h"

struct call {
    struct nm_file *file;
    PIRP irp;
    void *buffer; /* holds the input; takes the output */
    ULONG in;
    ULONG out;
    ULONG_PTR written;
};

/* Shortest request that has room for the reply's error and message. */
#define MIN_REQUEST offsetof(struct nm_request, u)

#define POLL_EVENTS (NETMAP_WIN_READABLE | NETMAP_WIN_WRITABLE | NETMAP_WIN_POLL_ERROR)

static NTSTATUS control(struct call *call)
{
    struct nm_request *request;
    size_t reply;

    if (call->in < MIN_REQUEST || call->in > sizeof(*request) || call->out < call->in)
        return STATUS_INVALID_BUFFER_SIZE;
    /* The core wants room for a whole request, whatever was sent. */
    request = nm_os_alloc(sizeof(*request));
    if (request == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    memcpy(request, call->buffer, call->in);
    nm_file_control(call->file, IoGetRequestorProcess(call->irp), request, call->in);
    reply = request->size;
    if (reply < MIN_REQUEST)
        reply = MIN_REQUEST;
    if (reply > call->in)
        reply = call->in;
    memcpy(call->buffer, request, reply);
    nm_os_free(request, sizeof(*request));
    call->written = reply;
    return STATUS_SUCCESS;
}

static NTSTATUS sync(struct call *call, int (*function)(struct nm_handle *handle))
{
    int error = NM_ENXIO;

    if (nm_file_is_bound(call->file))
        error = function(call->file->handle);
    nm_waits_run();
    return nm_status(error);
}

static NTSTATUS map(struct call *call)
{
    struct netmap_win_map reply = {0, 0};
    NTSTATUS status;

    if (call->in != 0 || call->out < sizeof(reply))
        return STATUS_INVALID_BUFFER_SIZE;
    status = nm_file_map(call->file, IoGetRequestorProcess(call->irp), &reply);
    if (NT_SUCCESS(status)) {
        memcpy(call->buffer, &reply, sizeof(reply));
        call->written = sizeof(reply);
    }
    return status;
}

/* *taken: the request was read, and is completed already or pending; leave it alone. */
static NTSTATUS poll(struct call *call, bool *taken)
{
    struct netmap_win_poll request;
    NTSTATUS status;

    if (call->in != sizeof(request) || call->out < sizeof(struct netmap_win_poll_reply))
        return STATUS_INVALID_BUFFER_SIZE;
    memcpy(&request, call->buffer, sizeof(request));
    if ((request.wanted & ~POLL_EVENTS) != 0 || request.timeout_ms < -1)
        return STATUS_INVALID_PARAMETER;
    if (!nm_file_is_bound(call->file))
        return STATUS_DEVICE_NOT_CONNECTED;
    *taken = true;
    status = nm_waits_poll(call->file, call->irp, &request);
    nm_waits_run();
    return status;
}

static NTSTATUS complete(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS device_control(struct nm_file *file, PIRP irp, PIO_STACK_LOCATION stack)
{
    struct call call = {
        .file = file,
        .irp = irp,
        .buffer = irp->AssociatedIrp.SystemBuffer,
        .in = stack->Parameters.DeviceIoControl.InputBufferLength,
        .out = stack->Parameters.DeviceIoControl.OutputBufferLength,
    };
    bool taken = false;
    NTSTATUS status;

    if (file != NULL && stack->Parameters.DeviceIoControl.IoControlCode == NETMAP_WIN_RELEASE) {
        /* Waits for everybody inside the rundown, so it must not be inside. */
        nm_file_cleanup(file);
        return complete(irp, STATUS_SUCCESS, 0);
    }
    /* Inside the rundown, the file outlives the request even when it is completed early. */
    if (file == NULL || !nm_rundown_enter(&file->rundown))
        return complete(irp, STATUS_CANCELLED, 0);
    switch (stack->Parameters.DeviceIoControl.IoControlCode) {
    case NETMAP_WIN_CONTROL:
        status = control(&call);
        break;
    case NETMAP_WIN_TXSYNC:
        status = sync(&call, nm_handle_txsync);
        break;
    case NETMAP_WIN_RXSYNC:
        status = sync(&call, nm_handle_rxsync);
        break;
    case NETMAP_WIN_POLL:
        status = poll(&call, &taken);
        break;
    case NETMAP_WIN_MAP:
        status = map(&call);
        break;
    default:
        status = STATUS_INVALID_DEVICE_REQUEST;
        break;
    }
    if (!taken)
        (void)complete(irp, status, NT_SUCCESS(status) ? call.written : 0);
    nm_rundown_leave(&file->rundown);
    return status;
}

NTSTATUS NTAPI nm_dispatch(PDEVICE_OBJECT device, PIRP irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    struct nm_file *file = stack->FileObject != NULL ? stack->FileObject->FsContext : NULL;
    NTSTATUS status = STATUS_SUCCESS;

    (void)device;
    switch (stack->MajorFunction) {
    case IRP_MJ_CREATE:
        if (stack->FileObject->FileName.Length != 0) { /* \\.\netmap\something */
            status = STATUS_OBJECT_NAME_NOT_FOUND;
            break;
        }
        status = nm_file_open(&nm_driver_core, &file);
        if (NT_SUCCESS(status))
            stack->FileObject->FsContext = file;
        break;
    case IRP_MJ_CLEANUP:
        if (file != NULL)
            nm_file_cleanup(file);
        break;
    case IRP_MJ_CLOSE:
        /* Wine sends no CLEANUP, and leaves pending requests with us. */
        if (file != NULL) {
            nm_file_cleanup(file);
            stack->FileObject->FsContext = NULL;
            nm_file_free(file);
        }
        break;
    case IRP_MJ_DEVICE_CONTROL:
        return device_control(file, irp, stack);
    default:
        status = STATUS_INVALID_DEVICE_REQUEST;
        break;
    }
    return complete(irp, status, 0);
}
