#include "status.h"
#include "core/errors.h"

NTSTATUS nm_status(int error)
{
    switch (error) {
    case 0:
        return STATUS_SUCCESS;
    case NM_EPERM:
        return STATUS_PRIVILEGE_NOT_HELD;
    case NM_EACCES:
        return STATUS_ACCESS_DENIED;
    case NM_ENOENT:
        return STATUS_OBJECT_NAME_NOT_FOUND;
    case NM_EIO:
        return STATUS_IO_DEVICE_ERROR;
    case NM_ENXIO:
        return STATUS_DEVICE_NOT_CONNECTED;
    case NM_EBADF:
        return STATUS_INVALID_HANDLE;
    case NM_ENOMEM:
        return STATUS_INSUFFICIENT_RESOURCES;
    case NM_EBUSY:
        return STATUS_DEVICE_BUSY;
    case NM_EINVAL:
        return STATUS_INVALID_PARAMETER;
    case NM_EOPNOTSUPP:
        return STATUS_NOT_SUPPORTED;
    default:
        return STATUS_UNSUCCESSFUL;
    }
}
