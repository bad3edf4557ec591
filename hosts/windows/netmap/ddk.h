/*
 * The driver kit's declarations, and what not to use of them.
 *
 * Never call what mingw's headers inline as a read of a kernel-only place (KeGetCurrentIrql: CR8;
 * KeQueryTickCount, KeQuerySystemTime, KeQueryInterruptTime: the shared page at a kernel address;
 * KeGetCurrentProcessorNumber: the processor block): under Wine the driver runs in user mode.
 */
#ifndef NM_WINDOWS_DDK_H
#define NM_WINDOWS_DDK_H

#include <ntifs.h>

#define NM_POOL_TAG ((ULONG)0x50414d4eu) /* "NMAP" in a pool listing */

#endif
