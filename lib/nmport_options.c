/*
 * lib/nmport_options.c - the options of port names, and the calls that do the same.
 *
 * Copyright (c) 2026, the netmap for Windows authors.  BSD 2-Clause, see LICENSE.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#ifndef _MSC_VER
#include <unistd.h>
#endif
#include <sys/mman.h>

#include "lib/internal.h"

/* ---------------------------------------------------------------------------------------------
 * Options that belong to the port: allocated here, in its list, gone with nmport_undo_parse().
 */

struct option_cleanup {
    struct nmport_cleanup_d base;
    struct nmreq_option *option;
};

static void undo_option(struct nmport_cleanup_d *self, struct nmport_d *d)
{
    struct nmreq_option *option = ((struct option_cleanup *)self)->option;

    nmreq_remove_option(&d->hdr, option);
    if (d->extmem != NULL && &d->extmem->nro_opt == option)
        d->extmem = NULL;
    nmctx_free(d->ctx, option);
}

/* A new option in d's list, cleared but for its type. */
static void *add_option(struct nmport_d *d, uint32_t reqtype, size_t size)
{
    struct option_cleanup *undo = nmctx_malloc(d->ctx, sizeof(*undo));
    struct nmreq_option *option = nmctx_malloc(d->ctx, size);

    if (undo == NULL || option == NULL) {
        nmctx_free(d->ctx, undo);
        nmctx_free(d->ctx, option);
        nmctx_ferror(d->ctx, "%s: out of memory for an option", d->hdr.nr_name);
        errno = ENOMEM;
        return NULL;
    }
    memset(option, 0, size);
    option->nro_reqtype = reqtype;
    nmreq_push_option(&d->hdr, option);
    undo->option = option;
    undo->base.cleanup = undo_option;
    undo->base.next = d->clist;
    d->clist = &undo->base;
    return option;
}

/* Is it too late, or the second time, for an option? */
static int refuse_option(struct nmport_d *d, uint32_t reqtype, const char *what)
{
    if (d->register_done)
        nmctx_ferror(d->ctx, "%s: %s has to be asked for before the port is open", d->hdr.nr_name,
                     what);
    else if (nmreq_find_option(&d->hdr, reqtype) != NULL)
        nmctx_ferror(d->ctx, "%s: %s is asked for twice; once will do", d->hdr.nr_name, what);
    else
        return 0;
    errno = EINVAL;
    return -1;
}

int nmport_extmem(struct nmport_d *d, void *base, size_t size)
{
    struct nmreq_opt_extmem *extmem;

    if (refuse_option(d, NETMAP_REQ_OPT_EXTMEM, "external memory") != 0)
        return -1;
    extmem = add_option(d, NETMAP_REQ_OPT_EXTMEM, sizeof(*extmem));
    if (extmem == NULL)
        return -1;
    extmem->nro_usrptr = (uint64_t)(uintptr_t)base;
    extmem->nro_info.nr_memsize = size;
    d->extmem = extmem;
    return 0;
}

struct file_cleanup {
    struct nmport_cleanup_d base;
    void *memory;
    size_t size;
};

static void undo_file(struct nmport_cleanup_d *self, struct nmport_d *d)
{
    struct file_cleanup *file = (struct file_cleanup *)self;

    (void)d;
    munmap(file->memory, file->size);
}

static int file_failed(struct nmport_d *d, const char *fname, const char *what, int error)
{
    nmctx_ferror(d->ctx, "%s: cannot %s %s for its memory: %s", d->hdr.nr_name, what, fname,
                 strerror(error));
    errno = error;
    return -1;
}

int nmport_extmem_from_file(struct nmport_d *d, const char *fname)
{
    struct file_cleanup *undo;
    int fd, error;
    off_t size;
    void *memory;

    if (refuse_option(d, NETMAP_REQ_OPT_EXTMEM, "external memory") != 0)
        return -1;
    fd = open(fname, O_RDWR);
    if (fd == -1)
        return file_failed(d, fname, "open", errno);
    size = lseek(fd, 0, SEEK_END);
    if (size <= 0) {
        error = size == 0 ? EINVAL : errno;
        close(fd);
        return file_failed(d, fname, size == 0 ? "use the empty file" : "find the size of", error);
    }
    memory = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    error = errno;
    close(fd);
    if (memory == MAP_FAILED)
        return file_failed(d, fname, "map", error);

    undo = nmctx_malloc(d->ctx, sizeof(*undo));
    if (undo == NULL) {
        munmap(memory, (size_t)size);
        return file_failed(d, fname, "remember", ENOMEM);
    }
    undo->memory = memory;
    undo->size = (size_t)size;
    undo->base.cleanup = undo_file;
    undo->base.next = d->clist;
    d->clist = &undo->base;
    return nmport_extmem(d, memory, (size_t)size);
}

struct nmreq_pools_info *nmport_extmem_getinfo(struct nmport_d *d)
{
    return d->extmem != NULL ? &d->extmem->nro_info : NULL;
}

int nmport_offset(struct nmport_d *d, uint64_t initial, uint64_t maxoff, uint64_t bits,
                  uint64_t mingap)
{
    struct nmreq_opt_offsets *offsets;

    if (refuse_option(d, NETMAP_REQ_OPT_OFFSETS, "an offset") != 0)
        return -1;
    if (initial > maxoff || bits > 64) {
        nmctx_ferror(d->ctx,
                     "%s: offset %llu of at most %llu in %llu bits: want offset <= most and bits "
                     "<= 64",
                     d->hdr.nr_name, (unsigned long long)initial, (unsigned long long)maxoff,
                     (unsigned long long)bits);
        errno = EINVAL;
        return -1;
    }
    offsets = add_option(d, NETMAP_REQ_OPT_OFFSETS, sizeof(*offsets));
    if (offsets == NULL)
        return -1;
    offsets->nro_max_offset = maxoff;
    offsets->nro_initial_offset = initial;
    offsets->nro_offset_bits = (uint32_t)bits;
    offsets->nro_min_gap = mingap;
    return 0;
}

/* ---------------------------------------------------------------------------------------------
 * The options as text.  In each table the keys stand in the order of their ids.
 */

static int parse_share(struct nmreq_parse_ctx *parse);
static int parse_conf(struct nmreq_parse_ctx *parse);
static int parse_extmem(struct nmreq_parse_ctx *parse);
static int parse_offset(struct nmreq_parse_ctx *parse);

enum { OFFSET_INITIAL, OFFSET_BITS, OFFSET_KEYS };

static struct nmreq_opt_parser offset_parser = {
    .prefix = "offset",
    .parse = parse_offset,
    .default_key = OFFSET_INITIAL,
    .nr_keys = OFFSET_KEYS,
    .flags = NMREQ_OPTF_DISABLED,
    .keys = {{"initial", OFFSET_INITIAL, NMREQ_OPTK_DEFAULT | NMREQ_OPTK_MUSTSET},
             {"bits", OFFSET_BITS, 0}},
};

enum {
    EXTMEM_FILE,
    EXTMEM_IF_NUM,
    EXTMEM_IF_SIZE,
    EXTMEM_RING_NUM,
    EXTMEM_RING_SIZE,
    EXTMEM_BUF_NUM,
    EXTMEM_BUF_SIZE,
    EXTMEM_KEYS
};

static struct nmreq_opt_parser extmem_parser = {
    .prefix = "extmem",
    .parse = parse_extmem,
    .default_key = EXTMEM_FILE,
    .nr_keys = EXTMEM_KEYS,
    .next = &offset_parser,
    .keys = {{"file", EXTMEM_FILE, NMREQ_OPTK_DEFAULT | NMREQ_OPTK_MUSTSET},
             {"if-num", EXTMEM_IF_NUM, 0},
             {"if-size", EXTMEM_IF_SIZE, 0},
             {"ring-num", EXTMEM_RING_NUM, 0},
             {"ring-size", EXTMEM_RING_SIZE, 0},
             {"buf-num", EXTMEM_BUF_NUM, 0},
             {"buf-size", EXTMEM_BUF_SIZE, 0}},
};

enum {
    CONF_RINGS,
    CONF_TX_RINGS,
    CONF_RX_RINGS,
    CONF_HOST_RINGS,
    CONF_HOST_TX_RINGS,
    CONF_HOST_RX_RINGS,
    CONF_SLOTS,
    CONF_TX_SLOTS,
    CONF_RX_SLOTS,
    CONF_KEYS
};

static struct nmreq_opt_parser conf_parser = {
    .prefix = "conf",
    .parse = parse_conf,
    .default_key = -1,
    .nr_keys = CONF_KEYS,
    .next = &extmem_parser,
    .keys = {{"rings", CONF_RINGS, 0},
             {"tx-rings", CONF_TX_RINGS, 0},
             {"rx-rings", CONF_RX_RINGS, 0},
             {"host-rings", CONF_HOST_RINGS, 0},
             {"host-tx-rings", CONF_HOST_TX_RINGS, 0},
             {"host-rx-rings", CONF_HOST_RX_RINGS, 0},
             {"slots", CONF_SLOTS, 0},
             {"tx-slots", CONF_TX_SLOTS, 0},
             {"rx-slots", CONF_RX_SLOTS, 0}},
};

enum { SHARE_PORT, SHARE_KEYS };

static struct nmreq_opt_parser share_parser = {
    .prefix = "share",
    .parse = parse_share,
    .default_key = SHARE_PORT,
    .nr_keys = SHARE_KEYS,
    .next = &conf_parser,
    .keys = {{"port", SHARE_PORT, NMREQ_OPTK_DEFAULT | NMREQ_OPTK_MUSTSET}},
};

/* The number under key `id`, 0..maximum; *number stays as it is when the key was not given. */
static int key_number(struct nmreq_parse_ctx *parse, const struct nmreq_opt_parser *parser, int id,
                      uint64_t maximum, uint64_t *number)
{
    if (parse->keys[id] == NULL)
        return 0;
    return nm_number(parse->ctx, parser->keys[id].key, parse->keys[id], maximum, number);
}

static int parse_share(struct nmreq_parse_ctx *parse)
{
    struct nmport_d *d = parse->token;
    const char *port = parse->keys[SHARE_PORT];
    int32_t region = nmreq_get_mem_id(&port, parse->ctx);

    if (region == -1)
        return -1;
    if (*port != '\0') {
        nmctx_ferror(parse->ctx, "option @share=%s: \"%s\" is left over; want a port without mode",
                     parse->keys[SHARE_PORT], port);
        errno = EINVAL;
        return -1;
    }
    if (d->reg.nr_mem_id != 0 && d->reg.nr_mem_id != region) {
        nmctx_ferror(parse->ctx, "%s: region %u asked for, but @share=%s is in region %d: say one",
                     d->hdr.nr_name, (unsigned int)d->reg.nr_mem_id, parse->keys[SHARE_PORT],
                     (int)region);
        errno = EINVAL;
        return -1;
    }
    d->reg.nr_mem_id = (uint16_t)region;
    return 0;
}

/* The value of the general key, and over it that of the specific one. */
static int conf_number(struct nmreq_parse_ctx *parse, int general, int specific, uint64_t maximum,
                       uint64_t *number)
{
    if (key_number(parse, &conf_parser, general, maximum, number) != 0)
        return -1;
    return key_number(parse, &conf_parser, specific, maximum, number);
}

static int conf_rings(struct nmreq_parse_ctx *parse, int general, int specific, uint16_t *rings)
{
    uint64_t number = *rings;

    if (conf_number(parse, general, specific, UINT16_MAX, &number) != 0)
        return -1;
    *rings = (uint16_t)number;
    return 0;
}

static int conf_slots(struct nmreq_parse_ctx *parse, int specific, uint32_t *slots)
{
    uint64_t number = *slots;

    if (conf_number(parse, CONF_SLOTS, specific, UINT32_MAX, &number) != 0)
        return -1;
    *slots = (uint32_t)number;
    return 0;
}

static int parse_conf(struct nmreq_parse_ctx *parse)
{
    struct nmport_d *d = parse->token;
    struct nmreq_register *reg = &d->reg;

    if (conf_rings(parse, CONF_RINGS, CONF_TX_RINGS, &reg->nr_tx_rings) != 0 ||
        conf_rings(parse, CONF_RINGS, CONF_RX_RINGS, &reg->nr_rx_rings) != 0 ||
        conf_rings(parse, CONF_HOST_RINGS, CONF_HOST_TX_RINGS, &reg->nr_host_tx_rings) != 0 ||
        conf_rings(parse, CONF_HOST_RINGS, CONF_HOST_RX_RINGS, &reg->nr_host_rx_rings) != 0 ||
        conf_slots(parse, CONF_TX_SLOTS, &reg->nr_tx_slots) != 0 ||
        conf_slots(parse, CONF_RX_SLOTS, &reg->nr_rx_slots) != 0)
        return -1;
    return 0;
}

static int parse_extmem(struct nmreq_parse_ctx *parse)
{
    struct nmport_d *d = parse->token;
    struct nmreq_pools_info *info;
    uint64_t number[EXTMEM_KEYS] = {0};

    for (int id = EXTMEM_IF_NUM; id < EXTMEM_KEYS; id++) {
        if (key_number(parse, &extmem_parser, id, UINT32_MAX, &number[id]) != 0)
            return -1;
    }
    if (nmport_extmem_from_file(d, parse->keys[EXTMEM_FILE]) != 0)
        return -1;
    info = nmport_extmem_getinfo(d);
    info->nr_if_pool_objtotal = (uint32_t)number[EXTMEM_IF_NUM];
    info->nr_if_pool_objsize = (uint32_t)number[EXTMEM_IF_SIZE];
    info->nr_ring_pool_objtotal = (uint32_t)number[EXTMEM_RING_NUM];
    info->nr_ring_pool_objsize = (uint32_t)number[EXTMEM_RING_SIZE];
    info->nr_buf_pool_objtotal = (uint32_t)number[EXTMEM_BUF_NUM];
    info->nr_buf_pool_objsize = (uint32_t)number[EXTMEM_BUF_SIZE];
    return 0;
}

static int parse_offset(struct nmreq_parse_ctx *parse)
{
    struct nmport_d *d = parse->token;
    uint64_t initial = 0, bits = 0;

    if (key_number(parse, &offset_parser, OFFSET_INITIAL, UINT32_MAX, &initial) != 0 ||
        key_number(parse, &offset_parser, OFFSET_BITS, 64, &bits) != 0)
        return -1;
    return nmport_offset(d, initial, initial, bits, 0);
}

struct nmreq_opt_parser *nmport_option_parsers(void)
{
    return &share_parser;
}

static int set_option_flag(const char *option, unsigned int flags)
{
    for (struct nmreq_opt_parser *parser = &share_parser; parser != NULL; parser = parser->next) {
        if (strcmp(parser->prefix, option) == 0) {
            parser->flags = (parser->flags & ~NMREQ_OPTF_DISABLED) | flags;
            return 0;
        }
    }
    nmctx_ferror(nmctx_get(), "option @%s: no such option", option);
    errno = EOPNOTSUPP;
    return -1;
}

int nmport_enable_option(const char *option)
{
    return set_option_flag(option, 0);
}

int nmport_disable_option(const char *option)
{
    return set_option_flag(option, NMREQ_OPTF_DISABLED);
}
