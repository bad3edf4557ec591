#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <netmap_posix.h>

#include "client.h"
#include "core/errors.h"

int nm_client_errno(int error)
{
    switch (error) {
    case NM_EPERM:
        return EPERM;
    case NM_ENOENT:
        return ENOENT;
    case NM_EINTR:
        return EINTR;
    case NM_EIO:
        return EIO;
    case NM_ENXIO:
        return ENXIO;
    case NM_EBADF:
        return EBADF;
    case NM_EAGAIN:
        return EAGAIN;
    case NM_ENOMEM:
        return ENOMEM;
    case NM_EACCES:
        return EACCES;
    case NM_EFAULT:
        return EFAULT;
    case NM_EBUSY:
        return EBUSY;
    case NM_EEXIST:
        return EEXIST;
    case NM_ENODEV:
        return ENODEV;
    case NM_EINVAL:
        return EINVAL;
    case NM_EMFILE:
        return EMFILE;
    case NM_ENOTTY:
        return ENOTTY;
    case NM_ENOSPC:
        return ENOSPC;
    case NM_EMSGSIZE:
        return EMSGSIZE;
    case NM_EOPNOTSUPP:
        return EOPNOTSUPP;
    default:
        return EIO;
    }
}

int nm_client_errno_of_system(DWORD system_error)
{
    switch (system_error) {
    case ERROR_PRIVILEGE_NOT_HELD:
        return EPERM;
    case ERROR_ACCESS_DENIED:
        return EACCES;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return ENOENT;
    case ERROR_IO_DEVICE:
        return EIO;
    case ERROR_DEVICE_NOT_CONNECTED:
        return ENXIO;
    case ERROR_INVALID_HANDLE:
    case ERROR_OPERATION_ABORTED: /* another thread closed the descriptor */
        return EBADF;
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_NOT_ENOUGH_MEMORY:
        return ENOMEM;
    case ERROR_BUSY:
        return EBUSY;
    case ERROR_INVALID_PARAMETER:
    case ERROR_INVALID_USER_BUFFER:
        return EINVAL;
    case ERROR_INVALID_FUNCTION:
        return ENOTTY;
    case ERROR_NOT_SUPPORTED:
        return EOPNOTSUPP;
    default:
        return EIO;
    }
}

void nm_client_message(const char *format, ...)
{
    struct nm_client_thread *thread = nm_client_thread();
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(thread->message, sizeof(thread->message), format, arguments);
    va_end(arguments);
}

const char *netmap_last_message(void)
{
    return nm_client_thread()->message;
}

int nm_client_fail(int error_number)
{
    errno = error_number;
    return -1;
}
