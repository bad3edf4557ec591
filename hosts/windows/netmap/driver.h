/* The driver's own state and entry points. One device, one core. */
#ifndef NM_WINDOWS_DRIVER_H
#define NM_WINDOWS_DRIVER_H

#include "core/core.h"
#include "ddk.h"

extern struct nm_core nm_driver_core;

/*
 * \Device\netmap and its link \DosDevices\netmap. The device admits SYSTEM and administrators only,
 * and has no name for programs before that is so. PASSIVE.
 */
NTSTATUS nm_device_create(PDRIVER_OBJECT driver, PDEVICE_OBJECT *device);
void nm_device_delete(PDEVICE_OBJECT device);

/* IRP_MJ_CREATE, CLEANUP, CLOSE and DEVICE_CONTROL. PASSIVE. */
NTSTATUS NTAPI nm_dispatch(PDEVICE_OBJECT device, PIRP irp);

/* The key of the driver's service, of which the Parameters subkey is ours. PASSIVE. */
NTSTATUS nm_parameters_start(PCUNICODE_STRING service_key);
void nm_parameters_stop(void);
/* Leave a number there for people and tests to read; failing is harmless. PASSIVE. */
void nm_parameters_write(PCWSTR name, uint32_t value);

#endif
