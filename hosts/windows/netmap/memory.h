/* Pool memory of the driver, counted: nm_os_alloc of core/os.h serves driver and core alike. */
#ifndef NM_WINDOWS_MEMORY_H
#define NM_WINDOWS_MEMORY_H

#include "core/compiler.h"

/* Allocations that are alive now; zero when the driver has unloaded everything. Any level. */
uint32_t nm_memory_outstanding(void);

#endif
