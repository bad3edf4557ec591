#include "driver.h"

static UNICODE_STRING key_path; /* ...\Services\netmap\Parameters */

NTSTATUS nm_parameters_start(PCUNICODE_STRING service_key)
{
    static const WCHAR subkey[] = L"\\Parameters";
    size_t size = service_key->Length + sizeof(subkey);

    if (size > UINT16_MAX)
        return STATUS_NAME_TOO_LONG;
    key_path.Buffer = nm_os_alloc(size);
    if (key_path.Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    memcpy(key_path.Buffer, service_key->Buffer, service_key->Length);
    memcpy((uint8_t *)key_path.Buffer + service_key->Length, subkey, sizeof(subkey));
    key_path.MaximumLength = (USHORT)size;
    key_path.Length = (USHORT)(size - sizeof(WCHAR));
    return STATUS_SUCCESS;
}

void nm_parameters_stop(void)
{
    nm_os_free(key_path.Buffer, key_path.MaximumLength);
    key_path.Buffer = NULL;
}

void nm_parameters_write(PCWSTR name, uint32_t value)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING value_name;
    ULONG data = value;
    HANDLE key;

    InitializeObjectAttributes(&attributes, &key_path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
                               NULL, NULL);
    if (!NT_SUCCESS(
            ZwCreateKey(&key, KEY_SET_VALUE, &attributes, 0, NULL, REG_OPTION_NON_VOLATILE, NULL)))
        return;
    RtlInitUnicodeString(&value_name, name);
    (void)ZwSetValueKey(key, &value_name, 0, REG_DWORD, &data, sizeof(data));
    (void)ZwClose(key);
}
