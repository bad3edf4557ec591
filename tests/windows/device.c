#include "harness.h"

#include "core/request.h"

HANDLE device_open(void)
{
    return CreateFileA(NETMAP_WIN_DEVICE_PATH, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                       FILE_FLAG_OVERLAPPED, NULL);
}

DWORD device_call(HANDLE device, DWORD code, const void *in, size_t in_size, void *out,
                  size_t out_size, DWORD *written)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    DWORD error = 0, unused;

    if (written == NULL)
        written = &unused;
    *written = 0;
    if (!DeviceIoControl(device, code, (void *)(uintptr_t)in, (DWORD)in_size, out, (DWORD)out_size,
                         written, &overlapped)) {
        error = GetLastError();
        if (error == ERROR_IO_PENDING)
            error = GetOverlappedResult(device, &overlapped, written, TRUE) ? 0 : GetLastError();
    }
    CloseHandle(overlapped.hEvent);
    return error;
}

int device_register_at(HANDLE device, const char *name, uint64_t flags, uint64_t *offset)
{
    struct nmreq_register body;
    struct nmreq_header header;
    struct nm_request request;
    DWORD error;

    memset(&body, 0, sizeof(body));
    body.nr_mode = NR_REG_ALL_NIC;
    body.nr_flags = flags;
    memset(&header, 0, sizeof(header));
    header.nr_version = NETMAP_API;
    header.nr_reqtype = NETMAP_REQ_REGISTER;
    snprintf(header.nr_name, sizeof(header.nr_name), "%s", name);
    header.nr_body = (uintptr_t)&body;
    if (nm_request_pack(&request, &header) != 0)
        return -1;
    error = device_call(device, NETMAP_WIN_CONTROL, &request, request.size, &request, request.size,
                        NULL);
    if (error != 0)
        return -1;
    nm_request_unpack(&request, &header);
    *offset = body.nr_offset;
    return request.error;
}

int device_register(HANDLE device, const char *name, uint64_t flags)
{
    uint64_t offset;

    return device_register_at(device, name, flags, &offset);
}

void device_poll_start(HANDLE device, struct device_poll *poll, uint32_t wanted, int timeout_ms)
{
    DWORD written;

    memset(poll, 0, sizeof(*poll));
    poll->overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    poll->request.wanted = wanted;
    poll->request.timeout_ms = timeout_ms;
    if (!DeviceIoControl(device, NETMAP_WIN_POLL, &poll->request, sizeof(poll->request),
                         &poll->reply, sizeof(poll->reply), &written, &poll->overlapped) &&
        GetLastError() != ERROR_IO_PENDING)
        test_fail(__FILE__, __LINE__, "poll refused");
}

DWORD device_poll_end(HANDLE device, struct device_poll *poll, DWORD patience_ms)
{
    DWORD error = 0, written;

    if (WaitForSingleObject(poll->overlapped.hEvent, patience_ms) != WAIT_OBJECT_0)
        error = WAIT_TIMEOUT;
    else if (!GetOverlappedResult(device, &poll->overlapped, &written, FALSE))
        error = GetLastError();
    if (error != WAIT_TIMEOUT)
        CloseHandle(poll->overlapped.hEvent);
    return error;
}
