/* Errors of the core as NTSTATUS, for calls whose outcome is the status itself. */
#ifndef NM_WINDOWS_STATUS_H
#define NM_WINDOWS_STATUS_H

#include "ddk.h"

/* error: 0 or a number of core/errors.h; the way back is in client/error.c. Any level. */
NTSTATUS nm_status(int error);

#endif
