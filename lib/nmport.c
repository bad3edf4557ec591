/*
 * lib/nmport.c - ports: parse, register, map, inject, and everything backwards.
 *
 * Copyright (c) 2026, the netmap for Windows authors.  BSD 2-Clause, see LICENSE.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#ifndef _MSC_VER
#include <unistd.h>
#endif
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/internal.h"

/* ---------------------------------------------------------------------------------------------
 * Talking to the host
 */

int nm_request(int fd, struct nmreq_header *header)
{
    return ioctl(fd, NIOCCTRL, header) == -1 ? -1 : 0;
}

int nm_open_device(struct nmctx *ctx, const char *port)
{
    int fd = open(NETMAP_DEVICE_NAME, O_RDWR);

    if (fd == -1 && nm_host_message()[0] != '\0')
        nmctx_ferror(ctx, "%s: cannot open %s: %s", port, NETMAP_DEVICE_NAME, nm_host_message());
    else if (fd == -1)
        nmctx_ferror(ctx, "%s: cannot open %s: %s%s", port, NETMAP_DEVICE_NAME, strerror(errno),
                     nm_error_remedy(errno));
    return fd;
}

/* ---------------------------------------------------------------------------------------------
 * New, parse
 */

struct nmport_d *nmport_new(void)
{
    struct nmctx *ctx = nmctx_get();
    struct nmport_d *d = nmctx_malloc(ctx, sizeof(*d));

    if (d == NULL) {
        nmctx_ferror(ctx, "cannot make a port: out of memory");
        errno = ENOMEM;
        return NULL;
    }
    memset(d, 0, sizeof(*d));
    nmreq_header_init(&d->hdr, NETMAP_REQ_REGISTER, &d->reg);
    d->ctx = ctx;
    d->fd = -1;
    return d;
}

void nmport_undo_parse(struct nmport_d *d)
{
    struct nmport_cleanup_d *undo;

    while ((undo = d->clist) != NULL) {
        d->clist = undo->next;
        undo->cleanup(undo, d);
        nmctx_free(d->ctx, undo);
    }
    nmreq_header_init(&d->hdr, NETMAP_REQ_REGISTER, &d->reg);
    memset(&d->reg, 0, sizeof(d->reg));
}

void nmport_delete(struct nmport_d *d)
{
    nmport_undo_parse(d);
    nmctx_free(d->ctx, d);
}

int nmport_parse(struct nmport_d *d, const char *portspec)
{
    const char *rest = portspec;
    int saved;

    if (d->register_done) {
        nmctx_ferror(d->ctx, "%s: the port is open already as %s; close it first", portspec,
                     d->hdr.nr_name);
        errno = EINVAL;
        return -1;
    }
    if (nmreq_header_decode(&rest, &d->hdr, d->ctx) == 0 &&
        nmreq_register_decode(&rest, &d->reg, d->ctx) == 0 &&
        nmreq_options_decode(rest, nmport_option_parsers(), d, d->ctx) == 0)
        return 0;
    saved = errno;
    nmport_undo_parse(d);
    errno = saved;
    return -1;
}

/* ---------------------------------------------------------------------------------------------
 * Register
 */

static const char *option_name(uint32_t reqtype)
{
    switch (reqtype) {
    case NETMAP_REQ_OPT_EXTMEM:
        return "external memory";
    case NETMAP_REQ_OPT_SYNC_KLOOP_EVENTFDS:
        return "sync loop events";
    case NETMAP_REQ_OPT_CSB:
        return "control blocks";
    case NETMAP_REQ_OPT_SYNC_KLOOP_MODE:
        return "sync loop mode";
    case NETMAP_REQ_OPT_OFFSETS:
        return "offsets";
    default:
        return "an unknown option";
    }
}

static void report_register(struct nmport_d *d, int error)
{
    struct nmreq_option *o;

    nmreq_foreach_option(&d->hdr, o) {
        if (o->nro_status != 0) {
            nmctx_ferror(d->ctx, "%s: the host refused %s: %s; leave it out or change its values",
                         d->hdr.nr_name, option_name(o->nro_reqtype), strerror((int)o->nro_status));
            return;
        }
    }
    if (nm_host_message()[0] != '\0')
        nmctx_ferror(d->ctx, "%s", nm_host_message());
    else if (error == EINVAL)
        nmctx_ferror(d->ctx,
                     "%s: the host refused mode %u, ring %u, flags 0x%llx or the numbers asked "
                     "for: check the name, and whether the port has such rings",
                     d->hdr.nr_name, d->reg.nr_mode, (unsigned int)d->reg.nr_ringid,
                     (unsigned long long)d->reg.nr_flags);
    else
        nmctx_ferror(d->ctx, "%s: cannot open: %s%s", d->hdr.nr_name, strerror(error),
                     nm_error_remedy(error));
}

/* What was asked for, before the reply replaced it: a port that is opened again asks the same, and
 * not for the region and the sizes it happened to have. */
struct asked_cleanup {
    struct nmport_cleanup_d base;
    struct nmreq_register reg;
};

static void undo_asked(struct nmport_cleanup_d *self, struct nmport_d *d)
{
    d->reg = ((struct asked_cleanup *)self)->reg;
}

static void restore_asked(struct nmport_d *d)
{
    struct nmport_cleanup_d **link = &d->clist;

    while (*link != NULL && (*link)->cleanup != undo_asked)
        link = &(*link)->next;
    if (*link != NULL) {
        struct nmport_cleanup_d *undo = *link;

        *link = undo->next;
        undo_asked(undo, d);
        nmctx_free(d->ctx, undo);
    }
}

int nmport_register(struct nmport_d *d)
{
    struct asked_cleanup *asked;
    int saved;

    if (d->register_done) {
        nmctx_ferror(d->ctx, "%s: the port is open already", d->hdr.nr_name);
        errno = EINVAL;
        return -1;
    }
    asked = nmctx_malloc(d->ctx, sizeof(*asked));
    if (asked == NULL) {
        nmctx_ferror(d->ctx, "%s: out of memory", d->hdr.nr_name);
        errno = ENOMEM;
        return -1;
    }
    d->fd = nm_open_device(d->ctx, d->hdr.nr_name);
    if (d->fd == -1) {
        saved = errno;
        nmctx_free(d->ctx, asked);
        errno = saved;
        return -1;
    }
    asked->base.cleanup = undo_asked;
    asked->reg = d->reg;
    if (nm_request(d->fd, &d->hdr) != 0) {
        saved = errno;
        report_register(d, saved);
        close(d->fd);
        d->fd = -1;
        d->reg = asked->reg;
        nmctx_free(d->ctx, asked);
        errno = saved;
        return -1;
    }
    asked->base.next = d->clist;
    d->clist = &asked->base;
    d->register_done = 1;
    return 0;
}

void nmport_undo_register(struct nmport_d *d)
{
    if (!d->register_done)
        return;
    /* A mapping kept beyond its port could be taken for that of a later region of the same id. */
    nmport_undo_mmap(d);
    close(d->fd);
    d->fd = -1;
    d->register_done = 0;
    restore_asked(d);
}

/* ---------------------------------------------------------------------------------------------
 * Map: one mapping for each region, shared by the context's ports
 */

static struct nmem_d *find_region(struct nmctx *ctx, uint16_t mem_id, uint64_t size)
{
    for (struct nmem_d *mem = ctx->mem_descs; mem != NULL; mem = mem->next) {
        if (mem->mem_id == mem_id && mem->size >= size)
            return mem;
    }
    return NULL;
}

/* A new mapping of d's region in the context's list.  NULL with errno; no message. */
static struct nmem_d *map_region(struct nmport_d *d)
{
    struct nmctx *ctx = d->ctx;
    struct nmem_d *mem = nmctx_malloc(ctx, sizeof(*mem));

    if (mem == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    memset(mem, 0, sizeof(*mem));
    mem->mem_id = d->reg.nr_mem_id;
    if (d->extmem != NULL) {
        mem->is_extmem = 1;
        mem->mem = (void *)(uintptr_t)d->extmem->nro_usrptr;
        mem->size = (size_t)d->extmem->nro_info.nr_memsize;
    } else {
        mem->size = (size_t)d->reg.nr_memsize;
        mem->mem = mmap(NULL, mem->size, PROT_READ | PROT_WRITE, MAP_SHARED, d->fd, 0);
        if (mem->mem == MAP_FAILED) {
            int saved = errno;

            nmctx_free(ctx, mem);
            errno = saved;
            return NULL;
        }
    }
    mem->next = ctx->mem_descs;
    if (mem->next != NULL)
        mem->next->prev = mem;
    ctx->mem_descs = mem;
    return mem;
}

int nmport_mmap(struct nmport_d *d)
{
    /* A direction that was not asked for has no rings, as in a null port. */
    uint32_t tx_mode = d->reg.nr_flags & NR_RX_RINGS_ONLY ? NR_REG_NULL : d->reg.nr_mode;
    uint32_t rx_mode = d->reg.nr_flags & NR_TX_RINGS_ONLY ? NR_REG_NULL : d->reg.nr_mode;
    struct nmem_d *mem;
    int error;

    if (d->mmap_done || !d->register_done) {
        nmctx_ferror(d->ctx, "%s: cannot map, the port is %s", d->hdr.nr_name,
                     d->mmap_done ? "mapped already" : "not registered yet");
        errno = EINVAL;
        return -1;
    }
    nmctx_lock(d->ctx);
    mem = find_region(d->ctx, d->reg.nr_mem_id, d->reg.nr_memsize);
    if (mem == NULL)
        mem = map_region(d);
    error = errno;
    if (mem != NULL)
        mem->refcount++;
    nmctx_unlock(d->ctx);
    if (mem == NULL) {
        nmctx_ferror(d->ctx, "%s: cannot map %llu bytes of region %u: %s", d->hdr.nr_name,
                     (unsigned long long)d->reg.nr_memsize, (unsigned int)d->reg.nr_mem_id,
                     strerror(error));
        errno = error;
        return -1;
    }

    d->mem = mem;
    d->nifp = NETMAP_IF(mem->mem, d->reg.nr_offset);
    nm_ring_range(tx_mode, d->reg.nr_ringid, d->reg.nr_tx_rings, d->reg.nr_host_tx_rings,
                  &d->first_tx_ring, &d->last_tx_ring);
    nm_ring_range(rx_mode, d->reg.nr_ringid, d->reg.nr_rx_rings, d->reg.nr_host_rx_rings,
                  &d->first_rx_ring, &d->last_rx_ring);
    d->cur_tx_ring = d->first_tx_ring;
    d->cur_rx_ring = d->first_rx_ring;
    d->mmap_done = 1;
    return 0;
}

void nmport_undo_mmap(struct nmport_d *d)
{
    struct nmem_d *mem = d->mem;

    if (!d->mmap_done)
        return;
    nmctx_lock(d->ctx);
    if (--mem->refcount == 0) {
        if (mem->prev != NULL)
            mem->prev->next = mem->next;
        else
            d->ctx->mem_descs = mem->next;
        if (mem->next != NULL)
            mem->next->prev = mem->prev;
        if (!mem->is_extmem)
            munmap(mem->mem, mem->size);
        nmctx_free(d->ctx, mem);
    }
    nmctx_unlock(d->ctx);
    d->mem = NULL;
    d->nifp = NULL;
    d->first_tx_ring = d->last_tx_ring = d->cur_tx_ring = 0;
    d->first_rx_ring = d->last_rx_ring = d->cur_rx_ring = 0;
    d->mmap_done = 0;
}

/* ---------------------------------------------------------------------------------------------
 * The steps together
 */

struct nmport_d *nmport_prepare(const char *portspec)
{
    struct nmport_d *d = nmport_new();
    int saved;

    if (d == NULL)
        return NULL;
    if (nmport_parse(d, portspec) != 0) {
        saved = errno;
        nmport_delete(d);
        errno = saved;
        return NULL;
    }
    return d;
}

void nmport_undo_prepare(struct nmport_d *d)
{
    nmport_delete(d);
}

int nmport_open_desc(struct nmport_d *d)
{
    int saved;

    if (nmport_register(d) != 0)
        return -1;
    if (nmport_mmap(d) != 0) {
        saved = errno;
        nmport_undo_register(d);
        errno = saved;
        return -1;
    }
    return 0;
}

void nmport_undo_open_desc(struct nmport_d *d)
{
    nmport_undo_mmap(d);
    nmport_undo_register(d);
}

struct nmport_d *nmport_open(const char *portspec)
{
    struct nmport_d *d = nmport_prepare(portspec);
    int saved;

    if (d == NULL)
        return NULL;
    if (nmport_open_desc(d) != 0) {
        saved = errno;
        nmport_undo_prepare(d);
        errno = saved;
        return NULL;
    }
    return d;
}

void nmport_close(struct nmport_d *d)
{
    if (d == NULL)
        return;
    nmport_undo_open_desc(d);
    nmport_undo_prepare(d);
}

struct nmport_d *nmport_clone(struct nmport_d *d)
{
    const struct nmreq_opt_offsets *offsets;
    struct nmctx *ctx = d->ctx;
    struct nmport_d *clone;

    if (d->extmem != NULL && !d->register_done) {
        nmctx_ferror(ctx, "%s: cannot clone a port with external memory before it is open",
                     d->hdr.nr_name);
        errno = EINVAL;
        return NULL;
    }
    clone = nmctx_malloc(ctx, sizeof(*clone));
    if (clone == NULL) {
        nmctx_ferror(ctx, "%s: cannot clone: out of memory", d->hdr.nr_name);
        errno = ENOMEM;
        return NULL;
    }
    memset(clone, 0, sizeof(*clone));
    clone->hdr = d->hdr;
    clone->hdr.nr_options = 0;
    clone->hdr.nr_body = (uint64_t)(uintptr_t)&clone->reg;
    clone->reg = d->reg;
    if (d->register_done)
        clone->reg.nr_extra_bufs = 0;
    clone->ctx = ctx;
    clone->fd = -1;

    offsets = (const struct nmreq_opt_offsets *)nmreq_find_option(&d->hdr, NETMAP_REQ_OPT_OFFSETS);
    if (offsets != NULL &&
        nmport_offset(clone, offsets->nro_initial_offset, offsets->nro_max_offset,
                      offsets->nro_offset_bits, offsets->nro_min_gap) != 0) {
        int saved = errno;

        nmport_delete(clone);
        errno = saved;
        return NULL;
    }
    return clone;
}

int nmport_inject(struct nmport_d *d, const void *buf, size_t size)
{
    return nm_put_frame_somewhere(d->nifp, d->first_tx_ring, d->last_tx_ring, &d->cur_tx_ring, buf,
                                  size);
}
