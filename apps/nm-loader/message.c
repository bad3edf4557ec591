#include "loader.h"

#include <stdarg.h>
#include <stdlib.h>

#ifndef ERROR_INVALID_IMAGE_HASH /* not in mingw's winerror.h */
#define ERROR_INVALID_IMAGE_HASH 577L
#endif

void loader_print(FILE *stream, const wchar_t *format, ...)
{
    static wchar_t text[4096];
    static char bytes[3 * 4096];
    va_list arguments;
    int length;
    UINT encoding = GetConsoleOutputCP();

    va_start(arguments, format);
    length = _vsnwprintf(text, sizeof(text) / sizeof(text[0]) - 1, format, arguments);
    va_end(arguments);
    if (length < 0)
        length = (int)(sizeof(text) / sizeof(text[0]) - 1);
    /* Without a console (a service, a pipe) the number is 0, which the call takes as the system's
     * own encoding. */
    length = WideCharToMultiByte(encoding, 0, text, length, bytes, (int)sizeof(bytes), NULL, NULL);
    fwrite(bytes, 1, (size_t)length, stream);
    fputc('\n', stream);
    fflush(stream);
}

/* What to do about an error of the service manager or the kernel's loader; NULL when we do not
 * know more than Windows says. */
static const wchar_t *remedy_for(DWORD error)
{
    switch (error) {
    case ERROR_ACCESS_DENIED:
        return L"Run nm-loader as an administrator: right-click the command prompt and choose "
               L"\"Run as administrator\".";
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return L"Put netmap.sys beside nm-loader.exe, or name it: nm-loader l C:\\path\\netmap.sys";
    case ERROR_DRIVER_BLOCKED:
    case ERROR_INVALID_IMAGE_HASH:
        return L"Windows blocks drivers that it cannot verify. For a test-signed netmap.sys switch "
               L"Secure Boot off in the firmware, run \"bcdedit /set testsigning on\" as an "
               L"administrator, and restart.";
    case ERROR_BAD_EXE_FORMAT:
    case ERROR_EXE_MACHINE_TYPE_MISMATCH:
        return L"The file is no driver for this Windows: netmap.sys needs 64-bit Windows on x86.";
    case ERROR_GEN_FAILURE:
        return L"The driver refused to start; its reason is in the kernel's debug output "
               L"(DebugView, \"Capture Kernel\").";
    case ERROR_SERVICE_DISABLED:
        return L"Enable the service: sc config netmap start= demand";
    case ERROR_SERVICE_MARKED_FOR_DELETE:
        return L"The service is being deleted: close all programs that use netmap (and the list of "
               L"services or the device manager), or restart Windows.";
    case ERROR_SERVICE_CANNOT_ACCEPT_CTRL:
        return L"The driver is being loaded or unloaded: close the programs that use netmap and "
               L"try again.";
    default:
        return NULL;
    }
}

int loader_failed(const wchar_t *what, DWORD error)
{
    const wchar_t *remedy = remedy_for(error);
    wchar_t *text = NULL;
    DWORD length;

    length = FormatMessageW(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM |
                                FORMAT_MESSAGE_IGNORE_INSERTS,
                            NULL, error, 0, (wchar_t *)(void *)&text, 0, NULL);
    while (length > 0 &&
           (text[length - 1] == L'\n' || text[length - 1] == L'\r' || text[length - 1] == L' '))
        text[--length] = 0;
    loader_print(stderr, L"nm-loader: %ls: Windows error %lu: %ls", what, (unsigned long)error,
                 length > 0 ? text : L"(no text)");
    if (remedy != NULL)
        loader_print(stderr, L"nm-loader: %ls", remedy);
    LocalFree(text);
    return LOADER_FAILED;
}
