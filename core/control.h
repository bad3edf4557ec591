/* The control requests, one function each. PASSIVE, control lock held. */
#ifndef NM_CORE_CONTROL_H
#define NM_CORE_CONTROL_H

#include "core/core.h"

int nm_register(struct nm_handle *handle, const char *name, struct nmreq_register *reg);
int nm_port_info_get(struct nm_handle *handle, const char *name,
                     struct nmreq_port_info_get *info);
int nm_pools_info_get(struct nm_handle *handle, const char *name, struct nmreq_pools_info *info);

/* Undo nm_register. */
void nm_unregister(struct nm_handle *handle);

int nm_counters_get(struct nm_handle *handle, struct nm_request_counters *request);

/* Legacy requests, expressed through the above. */
int nm_legacy_request(struct nm_handle *handle, struct nm_request *request);

/* Check the option list of a packed request and set every nro_status: what is wrong, or
 * NM_EOPNOTSUPP. 0, NM_EINVAL, NM_EMSGSIZE. */
int nm_options_check(struct nm_handle *handle, struct nm_request *request);
/* After the request: NM_EOPNOTSUPP when an option was not taken by it. */
int nm_options_result(struct nm_handle *handle, struct nm_request *request);

#endif
