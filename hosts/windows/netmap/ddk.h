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

/* Exported by every version, in no driver header. Class 0 answers with the structure. PASSIVE. */
struct nm_system_basic_information {
    ULONG reserved;
    ULONG timer_resolution;
    ULONG page_size;
    ULONG physical_pages;
    ULONG lowest_physical_page;
    ULONG highest_physical_page;
    ULONG allocation_granularity;
    ULONG_PTR lowest_user_address;
    ULONG_PTR highest_user_address;
    ULONG_PTR processors;
    CCHAR number_of_processors;
};
NTSYSAPI NTSTATUS NTAPI ZwQuerySystemInformation(ULONG information_class, PVOID information,
                                                 ULONG size, PULONG written);

#define NM_POOL_TAG ((ULONG)0x50414d4eu) /* "NMAP" in a pool listing */

#endif
