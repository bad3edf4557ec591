/*
 * netmap.sys: the core as a Windows kernel driver. Start and stop; the rest of the room:
 *   device.c dispatch.c   the device, its DACL, its requests
 *   file.c wait.c         open handles, mapped regions, requests that wait
 *   locks.c memory.c segment.c text.c parameters.c   what core/os.h asks of a host
 */
#include "driver.h"
#include "file.h"
#include "memory.h"
#include "wait.h"

struct nm_core nm_driver_core;

DRIVER_INITIALIZE DriverEntry;

/* The system calls this when the last file object is gone, so no request is on its way. */
static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    uint64_t left;
    uint32_t pool;

    if (driver->DeviceObject != NULL)
        nm_device_delete(driver->DeviceObject);
    nm_files_stop();
    nm_waits_stop();
    left = nm_core_stop(&nm_driver_core);
    /* One allocation is the path of the key that the count is about to be written to. */
    pool = nm_memory_outstanding() - 1;
    nm_os_log(left != 0 || pool != 0 ? NM_LOG_ERROR : NM_LOG_INFO,
              "unloaded: %llu core allocations left, %u pool allocations left",
              (unsigned long long)left, pool);
    nm_parameters_write(L"UnloadAllocations",
                        pool > UINT32_MAX - (uint32_t)left ? UINT32_MAX : pool + (uint32_t)left);
    nm_parameters_stop();
}

/* Regions are locked in memory, so all together get half of it, and one what an MDL describes. */
static void limit_memory(struct nm_config *config)
{
    struct nm_system_basic_information information;
    uint64_t half;

    if (config->max_region > UINT32_MAX - 2 * PAGE_SIZE)
        config->max_region = UINT32_MAX - 2 * PAGE_SIZE;
    if (!NT_SUCCESS(ZwQuerySystemInformation(0, &information, sizeof(information), NULL)))
        return;
    half = (uint64_t)information.physical_pages * information.page_size / 2;
    if (config->max_memory > half)
        config->max_memory = half;
}

static NTSTATUS start_core(void)
{
    struct nm_config config;

    nm_config_defaults(&config);
    config.doors = false; /* rings move inside the caller's request */
    limit_memory(&config);
    return nm_core_start(&nm_driver_core, &config) == 0 ? STATUS_SUCCESS
                                                        : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING service_key)
{
    PDEVICE_OBJECT device = NULL;
    NTSTATUS status;

    driver->MajorFunction[IRP_MJ_CREATE] = nm_dispatch;
    driver->MajorFunction[IRP_MJ_CLEANUP] = nm_dispatch;
    driver->MajorFunction[IRP_MJ_CLOSE] = nm_dispatch;
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = nm_dispatch;
    driver->DriverUnload = unload;

    status = nm_parameters_start(service_key);
    if (!NT_SUCCESS(status))
        return status;
    nm_files_start();
    status = start_core();
    if (NT_SUCCESS(status))
        status = nm_waits_start();
    if (NT_SUCCESS(status))
        status = nm_device_create(driver, &device);
    if (!NT_SUCCESS(status)) {
        nm_waits_stop();
        (void)nm_core_stop(&nm_driver_core);
        nm_parameters_stop();
        nm_os_log(NM_LOG_ERROR, "cannot start (status %08x)", (unsigned)status);
        return status;
    }
    nm_os_log(NM_LOG_INFO, "loaded");
    return STATUS_SUCCESS;
}

/* Nothing of ours syncs rings by itself: every sync is made inside some program's request. */
void nm_os_rings_start(struct nm_adapter *adapter)
{
    (void)adapter;
}

void nm_os_rings_stop(struct nm_adapter *adapter)
{
    (void)adapter;
}
