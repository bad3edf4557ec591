/*
 * Packing and unpacking of requests in the client edges, and the sizes both sides agree on.
 * Runs in the program's process; the host checks everything again.
 */
#include "core/request.h"
#include "core/errors.h"

static const struct {
    uint16_t reqtype;
    uint16_t size;
} body_sizes[] = {
    {NETMAP_REQ_REGISTER, sizeof(struct nmreq_register)},
    {NETMAP_REQ_PORT_INFO_GET, sizeof(struct nmreq_port_info_get)},
    {NETMAP_REQ_VALE_ATTACH, sizeof(struct nmreq_vale_attach)},
    {NETMAP_REQ_VALE_DETACH, sizeof(struct nmreq_vale_detach)},
    {NETMAP_REQ_VALE_LIST, sizeof(struct nmreq_vale_list)},
    {NETMAP_REQ_PORT_HDR_SET, sizeof(struct nmreq_port_hdr)},
    {NETMAP_REQ_PORT_HDR_GET, sizeof(struct nmreq_port_hdr)},
    {NETMAP_REQ_VALE_NEWIF, sizeof(struct nmreq_vale_newif)},
    {NETMAP_REQ_VALE_POLLING_ENABLE, sizeof(struct nmreq_vale_polling)},
    {NETMAP_REQ_VALE_POLLING_DISABLE, sizeof(struct nmreq_vale_polling)},
    {NETMAP_REQ_POOLS_INFO_GET, sizeof(struct nmreq_pools_info)},
    {NETMAP_REQ_SYNC_KLOOP_START, sizeof(struct nmreq_sync_kloop_start)},
};

uint32_t nm_request_body_size(uint16_t reqtype)
{
    for (size_t i = 0; i < sizeof(body_sizes) / sizeof(body_sizes[0]); i++)
        if (body_sizes[i].reqtype == reqtype)
            return body_sizes[i].size;
    return 0;
}

const char *nm_drop_cause_name(unsigned cause)
{
    static const char *const names[NETMAP_DROP_CAUSES] = {
        "short", "bad-slot", "bad-chain", "full", "no-port", "rx-slot", "unsupported",
    };

    return cause < NETMAP_DROP_CAUSES ? names[cause] : "unknown";
}

uint32_t nm_option_size(uint32_t reqtype, uint64_t nro_size)
{
    switch (reqtype) {
    case NETMAP_REQ_OPT_EXTMEM:
        return (uint32_t)sizeof(struct nmreq_opt_extmem);
    case NETMAP_REQ_OPT_SYNC_KLOOP_EVENTFDS:
        if (nro_size <= sizeof(struct nmreq_option))
            return (uint32_t)sizeof(struct nmreq_option);
        return (uint32_t)(nro_size < NETMAP_REQ_MAXSIZE ? nro_size : NETMAP_REQ_MAXSIZE + 1);
    case NETMAP_REQ_OPT_CSB:
        return (uint32_t)sizeof(struct nmreq_opt_csb);
    case NETMAP_REQ_OPT_SYNC_KLOOP_MODE:
        return (uint32_t)sizeof(struct nmreq_opt_sync_kloop_mode);
    case NETMAP_REQ_OPT_OFFSETS:
        return (uint32_t)sizeof(struct nmreq_opt_offsets);
    default:
        return (uint32_t)sizeof(struct nmreq_option);
    }
}

/* Append bytes to the payload, 8-aligned; their offset from the start of the request. */
static uint32_t append(struct nm_request *request, const void *bytes, uint32_t size)
{
    uint32_t at = (request->size + 7u) & ~7u;

    memcpy((uint8_t *)request + at, bytes, size);
    request->size = at + size;
    return at;
}

static void start(struct nm_request *request, enum nm_request_op op, uint32_t size)
{
    memset(request, 0, offsetof(struct nm_request, payload));
    request->op = (uint32_t)op;
    request->size = size;
}

static int pack_options(struct nm_request *request, const struct nmreq_header *header,
                        uint32_t used)
{
    const struct nmreq_option *option =
        (const struct nmreq_option *)(uintptr_t)header->nr_options;
    uint64_t *link = &request->u.header.nr_options;

    *link = 0;
    while (option != NULL) {
        uint32_t size = nm_option_size(option->nro_reqtype, option->nro_size);
        uint32_t at;

        used += size;
        if (used > NETMAP_REQ_MAXSIZE)
            return NM_EMSGSIZE; /* a list that loops ends here as well */
        at = append(request, option, size);
        *link = at;
        link = &((struct nmreq_option *)(void *)((uint8_t *)request + at))->nro_next;
        *link = 0;
        option = (const struct nmreq_option *)(uintptr_t)option->nro_next;
    }
    return 0;
}

int nm_request_pack(struct nm_request *request, const struct nmreq_header *header)
{
    uint32_t size = nm_request_body_size(header->nr_reqtype);

    start(request, NM_OP_CTRL, offsetof(struct nm_request, payload));
    if (header->nr_version < NETMAP_MIN_API || header->nr_version > NETMAP_MAX_API)
        return NM_EINVAL;
    if ((size > 0) != (header->nr_body != 0))
        return NM_EINVAL;
    request->u.header = *header;
    request->u.header.nr_body = 0;
    if (size > 0)
        request->u.header.nr_body =
            append(request, (const void *)(uintptr_t)header->nr_body, size);
    return pack_options(request, header, size);
}

const char *nm_request_problem(const struct nmreq_header *header, int error)
{
    if (error == NM_EMSGSIZE)
        return "body and options are longer than 4096 bytes, or loop";
    if (header->nr_version < NETMAP_MIN_API || header->nr_version > NETMAP_MAX_API)
        return "this version is not spoken here; rebuild the program";
    return "a body is missing, or given where none belongs";
}

static const struct nmreq_option *packed_option(const struct nm_request *request, uint64_t at)
{
    if (at < offsetof(struct nm_request, payload) || (at & 7) != 0 || at > request->size ||
        request->size - at < sizeof(struct nmreq_option))
        return NULL;
    return (const struct nmreq_option *)(const void *)((const uint8_t *)request + at);
}

void nm_request_unpack(const struct nm_request *request, struct nmreq_header *header)
{
    uint32_t size = nm_request_body_size(header->nr_reqtype);
    struct nmreq_option *option = (struct nmreq_option *)(uintptr_t)header->nr_options;
    uint64_t at = request->u.header.nr_options;

    if (size > 0 && request->u.header.nr_body == offsetof(struct nm_request, payload))
        memcpy((void *)(uintptr_t)header->nr_body, request->payload, size);
    while (option != NULL) {
        const struct nmreq_option *packed = packed_option(request, at);
        uint64_t next = option->nro_next;
        uint32_t option_size;

        if (packed == NULL || packed->nro_reqtype != option->nro_reqtype)
            return;
        option_size = nm_option_size(option->nro_reqtype, option->nro_size);
        if (request->size - at < option_size)
            return;
        at = packed->nro_next;
        memcpy(option, packed, option_size);
        option->nro_next = next;
        option = (struct nmreq_option *)(uintptr_t)next;
    }
}

void nm_request_pack_legacy(struct nm_request *request, enum nm_request_op op,
                            const struct nmreq *legacy)
{
    start(request, op, offsetof(struct nm_request, u) + sizeof(struct nmreq));
    request->u.legacy = *legacy;
}

void nm_request_pack_counters(struct nm_request *request, const char *name, bool is_tx,
                              uint32_t ring)
{
    struct nm_request_counters *counters = &request->u.counters;

    start(request, NM_OP_COUNTERS, offsetof(struct nm_request, u) + sizeof(*counters));
    for (size_t i = 0; name != NULL && i < sizeof(counters->name) - 1 && name[i] != '\0'; i++)
        counters->name[i] = name[i];
    counters->is_tx = is_tx;
    counters->ring = ring;
}
