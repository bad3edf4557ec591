/*
 * The option list of a request, in the host. The buffer is private by now; its offsets are not
 * trusted all the same: a program need not have used our client edge.
 */
#include "core/control.h"

#define PAYLOAD_AT ((uint32_t)offsetof(struct nm_request, payload))

/* The option at an offset, when all of it lies in the payload. */
static struct nmreq_option *option_at(struct nm_request *request, uint64_t at)
{
    struct nmreq_option *option;

    if (at < PAYLOAD_AT || (at & 7) != 0 || at > request->size ||
        request->size - at < sizeof(*option))
        return NULL;
    option = (struct nmreq_option *)(void *)((uint8_t *)request + at);
    return request->size - at < nm_option_size(option->nro_reqtype, option->nro_size) ? NULL
                                                                                        : option;
}

int nm_options_check(struct nm_handle *handle, struct nm_request *request)
{
    struct nmreq_option *seen[NETMAP_REQ_OPT_MAX];
    uint64_t at = request->u.header.nr_options;
    uint32_t used = nm_request_body_size(request->u.header.nr_reqtype);
    int error = 0;

    memset(seen, 0, sizeof(seen));
    while (at != 0) {
        struct nmreq_option *option = option_at(request, at);

        if (option == NULL)
            return nm_fail(handle, NM_EINVAL, "an option lies outside the request");
        used += nm_option_size(option->nro_reqtype, option->nro_size);
        if (used > NETMAP_REQ_MAXSIZE)
            return nm_fail(handle, NM_EMSGSIZE, "body and options exceed %u bytes, or loop",
                           NETMAP_REQ_MAXSIZE);
        option->nro_status = NM_EOPNOTSUPP;
        if (option->nro_reqtype == 0) {
            option->nro_status = NM_EINVAL;
            error = nm_fail(handle, NM_EINVAL, "there is no option of type 0");
        } else if (option->nro_reqtype < NETMAP_REQ_OPT_MAX) {
            struct nmreq_option *other = seen[option->nro_reqtype];

            if (other != NULL) {
                option->nro_status = NM_EINVAL;
                other->nro_status = NM_EINVAL;
                error = nm_fail(handle, NM_EINVAL, "option %u is given twice",
                                option->nro_reqtype);
            }
            seen[option->nro_reqtype] = option;
        }
        at = option->nro_next;
    }
    return error;
}

int nm_options_result(struct nm_handle *handle, struct nm_request *request)
{
    uint64_t at = request->u.header.nr_options;

    while (at != 0) {
        const struct nmreq_option *option = option_at(request, at);

        if (option == NULL)
            return NM_EINVAL;
        if (option->nro_status == NM_EOPNOTSUPP)
            return nm_fail(handle, NM_EOPNOTSUPP, "option %u is not supported by this request",
                           option->nro_reqtype);
        at = option->nro_next;
    }
    return 0;
}
