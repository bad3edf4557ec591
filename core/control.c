/* Requests: checks on the envelope, then one function per type. */
#include "core/control.h"

#define PAYLOAD_AT ((uint32_t)offsetof(struct nm_request, payload))

static bool terminated(const char *name, uint32_t size)
{
    while (size-- > 0)
        if (name[size] == '\0')
            return true;
    return false;
}

/* Version, name, body: everything about the envelope that does not depend on the type. */
static int check_header(struct nm_handle *handle, const struct nm_request *request)
{
    const struct nmreq_header *header = &request->u.header;
    uint32_t size = nm_request_body_size(header->nr_reqtype);

    if (header->nr_version < NETMAP_MIN_API || header->nr_version > NETMAP_MAX_API)
        return nm_fail(handle, NM_EINVAL,
                       "API version %u asked for, %u to %u are spoken here; rebuild the program",
                       header->nr_version, NETMAP_MIN_API, NETMAP_MAX_API);
    if (header->nr_reserved != 0)
        return nm_fail(handle, NM_EINVAL, "nr_reserved is %u, it must be 0",
                       header->nr_reserved);
    if (!terminated(header->nr_name, sizeof(header->nr_name)))
        return nm_fail(handle, NM_EINVAL, "the port's name has more than %u characters",
                       (unsigned)sizeof(header->nr_name) - 1);
    if (size == 0 && header->nr_body != 0)
        return nm_fail(handle, NM_EINVAL, "a request of type %u has no body",
                       header->nr_reqtype);
    if (size > 0 && (header->nr_body != PAYLOAD_AT || request->size < PAYLOAD_AT + size))
        return nm_fail(handle, NM_EINVAL, "a request of type %u needs a body of %u bytes",
                       header->nr_reqtype, size);
    return 0;
}

static int execute(struct nm_handle *handle, struct nm_request *request)
{
    struct nmreq_header *header = &request->u.header;
    void *body = request->payload;

    switch (header->nr_reqtype) {
    case NETMAP_REQ_REGISTER:
        return nm_register(handle, header->nr_name, body);
    case NETMAP_REQ_PORT_INFO_GET:
        return nm_port_info_get(handle, header->nr_name, body);
    case NETMAP_REQ_POOLS_INFO_GET:
        return nm_pools_info_get(handle, header->nr_name, body);
    /* These have their place in the contract and come with issues of their own. */
    case NETMAP_REQ_VALE_ATTACH:
    case NETMAP_REQ_VALE_DETACH:
    case NETMAP_REQ_VALE_LIST:
    case NETMAP_REQ_PORT_HDR_SET:
    case NETMAP_REQ_PORT_HDR_GET:
    case NETMAP_REQ_VALE_NEWIF:
    case NETMAP_REQ_VALE_DELIF:
    case NETMAP_REQ_VALE_POLLING_ENABLE:
    case NETMAP_REQ_VALE_POLLING_DISABLE:
    case NETMAP_REQ_SYNC_KLOOP_START:
    case NETMAP_REQ_SYNC_KLOOP_STOP:
    case NETMAP_REQ_CSB_ENABLE:
        return nm_fail(handle, NM_EOPNOTSUPP, "requests of type %u are not there yet",
                       header->nr_reqtype);
    default:
        return nm_fail(handle, NM_EINVAL, "there is no request of type %u", header->nr_reqtype);
    }
}

/* A request that binds must not stay bound when one of its options was refused. */
static int control(struct nm_handle *handle, struct nm_request *request)
{
    bool was_bound = handle->adapter != NULL;
    int error = check_header(handle, request);

    if (error == 0)
        error = nm_options_check(handle, request);
    if (error != 0)
        return error;
    if (request->u.header.nr_options != 0) {
        /* No request of this version takes options: refuse before anything is created. */
        error = nm_options_result(handle, request);
        if (error != 0)
            return error;
    }
    error = execute(handle, request);
    if (error != 0 && !was_bound && handle->adapter != NULL)
        nm_unregister(handle);
    return error;
}

int nm_control(struct nm_handle *handle, struct nm_request *request, size_t received)
{
    struct nm_core *core = handle->core;
    int error;

    nm_os_mutex_lock(&core->control);
    handle->message[0] = '\0';
    if (received < offsetof(struct nm_request, u) || request->size != received ||
        received > sizeof(*request))
        error = nm_fail(handle, NM_EINVAL, "a request of %u bytes is malformed",
                        (unsigned)received);
    else if (request->op == NM_OP_CTRL && received >= PAYLOAD_AT)
        error = control(handle, request);
    else if ((request->op == NM_OP_REGIF || request->op == NM_OP_GINFO) &&
             received == offsetof(struct nm_request, u) + sizeof(struct nmreq))
        error = nm_legacy_request(handle, request);
    else if (request->op == NM_OP_COUNTERS &&
             received == offsetof(struct nm_request, u) + sizeof(request->u.counters))
        error = nm_counters_get(handle, &request->u.counters);
    else
        error = nm_fail(handle, NM_EINVAL, "a request of %u bytes is malformed",
                        (unsigned)received);
    request->error = error;
    memcpy(request->message, handle->message, sizeof(request->message));
    nm_os_mutex_unlock(&core->control);
    return error;
}
