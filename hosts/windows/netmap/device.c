#include "driver.h"

static const WCHAR device_name[] = L"\\Device\\netmap";
static const WCHAR link_name[] = L"\\DosDevices\\netmap";

/* D:P(A;;GA;;;SY)(A;;GA;;;BA): two entries, whose SIDs have at most two subauthorities. */
struct sid {
    UCHAR revision;
    UCHAR count;
    UCHAR authority[6];
    ULONG subauthority[2];
};

#define DACL_SIZE (sizeof(ACL) + 2 * (sizeof(ACCESS_ALLOWED_ACE) + sizeof(struct sid)))

static NTSTATUS restrict_access(PDEVICE_OBJECT device)
{
    struct sid system = {1, 1, {0, 0, 0, 0, 0, 5}, {SECURITY_LOCAL_SYSTEM_RID, 0}};
    struct sid administrators = {
        1, 2, {0, 0, 0, 0, 0, 5}, {SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS}};
    NM_ALIGNED(8) UCHAR buffer[DACL_SIZE];
    PACL dacl = (PACL)(void *)buffer;
    SECURITY_DESCRIPTOR descriptor;
    HANDLE handle;
    NTSTATUS status;

    status = RtlCreateAcl(dacl, sizeof(buffer), ACL_REVISION);
    if (NT_SUCCESS(status))
        status = RtlAddAccessAllowedAce(dacl, ACL_REVISION, GENERIC_ALL, (PSID)&system);
    if (NT_SUCCESS(status))
        status = RtlAddAccessAllowedAce(dacl, ACL_REVISION, GENERIC_ALL, (PSID)&administrators);
    if (NT_SUCCESS(status))
        status = RtlCreateSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION);
    if (NT_SUCCESS(status))
        status = RtlSetDaclSecurityDescriptor(&descriptor, TRUE, dacl, FALSE);
    if (!NT_SUCCESS(status))
        return status;
    descriptor.Control |= SE_DACL_PROTECTED;

    status = ObOpenObjectByPointer(device, OBJ_KERNEL_HANDLE, NULL, WRITE_DAC, NULL, KernelMode,
                                   &handle);
    if (!NT_SUCCESS(status))
        return status;
    status = ZwSetSecurityObject(handle, DACL_SECURITY_INFORMATION, &descriptor);
    (void)ZwClose(handle);
    return status;
}

NTSTATUS nm_device_create(PDRIVER_OBJECT driver, PDEVICE_OBJECT *device_out)
{
    UNICODE_STRING name, link;
    PDEVICE_OBJECT device;
    NTSTATUS status;

    RtlInitUnicodeString(&name, device_name);
    RtlInitUnicodeString(&link, link_name);
    status = IoCreateDevice(driver, 0, &name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE,
                            &device);
    if (!NT_SUCCESS(status))
        return status;
    /* DO_DEVICE_INITIALIZING is on and keeps everybody out until the list is in place. */
    status = restrict_access(device);
    if (NT_SUCCESS(status))
        status = IoCreateSymbolicLink(&link, &name);
    if (!NT_SUCCESS(status)) {
        IoDeleteDevice(device);
        return status;
    }
    device->Flags |= DO_BUFFERED_IO;
    device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    *device_out = device;
    return STATUS_SUCCESS;
}

void nm_device_delete(PDEVICE_OBJECT device)
{
    UNICODE_STRING link;

    RtlInitUnicodeString(&link, link_name);
    (void)IoDeleteSymbolicLink(&link);
    IoDeleteDevice(device);
}
