#include <errno.h>

#include "client.h"
#include "hosts/windows/protocol.h"

HANDLE nm_client_device_open(void)
{
    /* Overlapped, or a waiting poll would keep every other call on the handle waiting. */
    HANDLE device = CreateFileA(NETMAP_WIN_DEVICE_PATH, GENERIC_READ | GENERIC_WRITE, 0, NULL,
                                OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);

    if (device != INVALID_HANDLE_VALUE)
        return device;
    switch (GetLastError()) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        nm_client_message("netmap.sys is not loaded: run \"nm-loader l\" as an administrator");
        errno = ENXIO;
        break;
    case ERROR_ACCESS_DENIED:
        nm_client_message("only administrators may open netmap: run the program from a prompt "
                          "that was started with \"Run as administrator\"");
        errno = EACCES;
        break;
    default:
        nm_client_message("cannot open %s: Windows error %lu", NETMAP_WIN_DEVICE_PATH,
                          (unsigned long)GetLastError());
        errno = nm_client_errno_of_system(GetLastError());
        break;
    }
    return INVALID_HANDLE_VALUE;
}

DWORD nm_client_device_call(HANDLE device, DWORD code, const void *in, size_t in_size, void *out,
                            size_t out_size, DWORD *written)
{
    OVERLAPPED overlapped = {.hEvent = nm_client_event(0)};
    DWORD unused;

    if (written == NULL)
        written = &unused;
    *written = 0;
    if (overlapped.hEvent == NULL)
        return ERROR_NO_SYSTEM_RESOURCES;
    if (!DeviceIoControl(device, code, (void *)(uintptr_t)in, (DWORD)in_size, out, (DWORD)out_size,
                         written, &overlapped)) {
        DWORD error = GetLastError();

        if (error != ERROR_IO_PENDING)
            return error;
        if (!GetOverlappedResult(device, &overlapped, written, TRUE))
            return GetLastError();
    }
    return 0;
}
