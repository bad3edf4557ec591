/* The legacy requests NIOCREGIF and NIOCGINFO (struct nmreq), in terms of the present ones. */
#include "core/control.h"
#include "core/name.h"

static bool decimal(char *text, uint32_t *length, uint32_t size, uint32_t value)
{
    char digits[10];
    uint32_t number = 0;

    do {
        digits[number++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    if (*length + number >= size)
        return false;
    while (number > 0)
        text[(*length)++] = digits[--number];
    text[*length] = '\0';
    return true;
}

/* Mode 0 takes the rings from bits of nr_ringid; modes 5 and 6 name a pipe by number. */
static int convert_mode(struct nm_handle *handle, const struct nmreq *legacy,
                        struct nmreq_register *reg, char name[NM_NAME_SIZE])
{
    uint32_t mode = legacy->nr_flags & NR_REG_MASK, length = 0;

    reg->nr_ringid = legacy->nr_ringid & NETMAP_RING_MASK;
    if (mode == NR_REG_DEFAULT) {
        if ((legacy->nr_ringid & NETMAP_SW_RING) != 0)
            mode = NR_REG_SW;
        else if ((legacy->nr_ringid & NETMAP_HW_RING) != 0)
            mode = NR_REG_ONE_NIC;
        else
            mode = NR_REG_ALL_NIC;
    } else if (mode == NR_REG_PIPE_MASTER || mode == NR_REG_PIPE_SLAVE) {
        while (name[length] != '\0')
            length++;
        name[length++] = mode == NR_REG_PIPE_MASTER ? '{' : '}';
        if (!decimal(name, &length, NM_NAME_SIZE, reg->nr_ringid))
            return nm_fail(handle, NM_EINVAL, "%s: the pipe's name is too long", name);
        mode = NR_REG_ALL_NIC;
        reg->nr_ringid = 0;
    }
    reg->nr_mode = mode;
    reg->nr_flags = legacy->nr_flags & ~(uint32_t)NR_REG_MASK;
    if ((legacy->nr_ringid & NETMAP_NO_TX_POLL) != 0)
        reg->nr_flags |= NR_NO_TX_POLL;
    if ((legacy->nr_ringid & NETMAP_DO_RX_POLL) != 0)
        reg->nr_flags |= NR_DO_RX_POLL;
    return 0;
}

static uint32_t clamp32(uint64_t value)
{
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static int legacy_register(struct nm_handle *handle, struct nmreq *legacy, char *name)
{
    struct nmreq_register reg;
    int error;

    memset(&reg, 0, sizeof(reg));
    error = convert_mode(handle, legacy, &reg, name);
    if (error != 0)
        return error;
    reg.nr_tx_slots = legacy->nr_tx_slots;
    reg.nr_rx_slots = legacy->nr_rx_slots;
    reg.nr_tx_rings = legacy->nr_tx_rings;
    reg.nr_rx_rings = legacy->nr_rx_rings;
    reg.nr_mem_id = legacy->nr_arg2;
    reg.nr_extra_bufs = legacy->nr_arg3;
    error = nm_register(handle, name, &reg);
    if (error != 0)
        return error;
    legacy->nr_offset = clamp32(reg.nr_offset);
    legacy->nr_memsize = clamp32(reg.nr_memsize);
    legacy->nr_tx_slots = reg.nr_tx_slots;
    legacy->nr_rx_slots = reg.nr_rx_slots;
    legacy->nr_tx_rings = reg.nr_tx_rings;
    legacy->nr_rx_rings = reg.nr_rx_rings;
    legacy->nr_arg2 = reg.nr_mem_id;
    legacy->nr_arg3 = reg.nr_extra_bufs;
    return 0;
}

static int legacy_info(struct nm_handle *handle, struct nmreq *legacy, const char *name)
{
    struct nmreq_port_info_get info;
    int error;

    memset(&info, 0, sizeof(info));
    info.nr_mem_id = legacy->nr_arg2;
    error = nm_port_info_get(handle, name, &info);
    if (error != 0)
        return error;
    legacy->nr_memsize = clamp32(info.nr_memsize);
    legacy->nr_tx_slots = info.nr_tx_slots;
    legacy->nr_rx_slots = info.nr_rx_slots;
    legacy->nr_tx_rings = info.nr_tx_rings;
    legacy->nr_rx_rings = info.nr_rx_rings;
    legacy->nr_arg2 = info.nr_mem_id;
    return 0;
}

int nm_legacy_request(struct nm_handle *handle, struct nm_request *request)
{
    struct nmreq *legacy = &request->u.legacy;
    char name[NM_NAME_SIZE];

    if (legacy->nr_version < NETMAP_MIN_API)
        return nm_fail(handle, NM_EINVAL, "API version %u asked for, at least %u is spoken here",
                       legacy->nr_version, NETMAP_MIN_API);
    memset(name, 0, sizeof(name));
    for (uint32_t i = 0; i < sizeof(legacy->nr_name) - 1 && legacy->nr_name[i] != '\0'; i++)
        name[i] = legacy->nr_name[i];
    if (legacy->nr_cmd != 0)
        return nm_fail(handle, NM_EOPNOTSUPP, "%s: legacy command %u is not there yet", name,
                       legacy->nr_cmd);
    if (request->op == NM_OP_GINFO)
        return legacy_info(handle, legacy, name);
    return legacy_register(handle, legacy, name);
}
