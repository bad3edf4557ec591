/*
 * libnetmap.h - opening netmap ports by name.
 *
 * Copyright (c) 2026, the netmap for Windows authors.  BSD 2-Clause, see LICENSE.
 *
 * Link with -lnetmap (on Linux the library also finds the netmap host of the system; on Windows it
 * talks to netmap.sys).  Three layers, each usable alone:
 *
 *   nmport_*  a port with its descriptor and mapping: most programs need only nmport_open(),
 *             nmport_close() and the macros of net/netmap_user.h
 *   nmreq_*   requests, options and names, without any descriptor
 *   nmctx_*   where messages go, where memory comes from, which lock is used
 *
 * Errors: functions that return int return -1, functions that return a pointer NULL; errno is set
 * and one message, naming the port, the value and what to do about it, has gone to the error
 * callback of the context (by default: stderr).
 *
 * A port belongs to one thread at a time; different ports may be used by different threads.
 *
 * Port names
 *
 *     SUBSYSTEM:NAME[PIPE][MODE][@REGION][OPTIONS]
 *
 *   SUBSYSTEM:NAME  netmap:NAME   a NIC, a persistent port; on Windows also an interface index.
 *                                 In double quotes NAME may have any character but '"'
 *                   valeID:NAME   a port of a VALE switch; ID letters, digits, '_', or empty;
 *                                 NAME letters, digits, '_', '.'
 *   PIPE            {ID  }ID      master or slave end of a pipe; ID letters and digits
 *   MODE            (nothing)     all NIC rings         -N  ring pair N
 *                   ^             all host rings        ^N  host ring pair N
 *                   *             NIC and host rings
 *                   then, each optional, '/' and letters: x exclusive, z zero-copy monitor,
 *                   t monitor tx, r monitor rx, R rx rings only, T tx rings only
 *   @REGION         @N            use memory region N (1: the global one)
 *   OPTIONS         any of
 *     @share=PORT                 the region PORT uses, PORT a name as this one without mode
 *     @conf:KEY=N,...             numbers to ask for: rings (tx and rx), tx-rings, rx-rings,
 *                                 host-rings, host-tx-rings, host-rx-rings, slots, tx-slots,
 *                                 rx-slots; the more specific key wins
 *     @extmem=FILE                the region is FILE, an existing file, mapped shared
 *     @extmem:file=FILE,KEY=N,... with sizes: if-num, if-size, ring-num, ring-size, buf-num,
 *                                 buf-size
 *     @offset=N[,bits=N]          frames start N bytes into their buffers; not recognised until
 *                                 nmport_enable_option("offset"), because a program has to use
 *                                 NETMAP_BUF_OFFSET for it to work
 *
 *   All together at most 63 characters for SUBSYSTEM:NAME and PIPE; numbers may be 0x hexadecimal
 *   in options.
 */
#ifndef LIBNETMAP_H
#define LIBNETMAP_H

#include <stddef.h>
#include <stdint.h>

#include <net/netmap.h>
#include <net/netmap_user.h>

#if defined(__GNUC__) && !defined(_WIN32)
#define NM_EXPORT __attribute__((visibility("default")))
#else
#define NM_EXPORT /* a static library on Windows */
#endif

#ifdef __GNUC__
#define NM_PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#else
#define NM_PRINTF_LIKE(text, first)
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct nmctx;
struct nmem_d;
struct nmport_cleanup_d;
struct nmreq_opt_parser;

/* ---------------------------------------------------------------------------------------------
 * Ports
 */

/*
 * One port.  Programs read everything here, may change hdr and reg between nmport_prepare() and
 * nmport_open_desc(), and cur_tx_ring and cur_rx_ring at any time; the rest is the library's.
 */
struct nmport_d {
    struct nmreq_header hdr;   /* the request: name and options */
    struct nmreq_register reg; /* what to ask for; after registration what was got */

    struct nmem_d *mem; /* the mapping, shared by the process's ports of one region */
    struct nmctx *ctx;  /* the context it was made in */

    int register_done;
    int mmap_done;

    struct nmreq_opt_extmem *extmem; /* the external memory option, NULL: none */

    /* Valid after nmport_register(). */
    int fd; /* for ioctl() and poll(); -1: not open */

    /* Valid after nmport_mmap().  First and last ring bound, both included; an empty range has
     * first 1, last 0.  Host rings follow the NIC rings. */
    struct netmap_if *nifp;
    uint16_t first_tx_ring;
    uint16_t last_tx_ring;
    uint16_t first_rx_ring;
    uint16_t last_rx_ring;
    uint16_t cur_tx_ring; /* where nmport_inject() goes on */
    uint16_t cur_rx_ring; /* for the program's own use */

    struct nmport_cleanup_d *clist; /* what to undo in nmport_undo_parse() */
};
NM_ASSERT_SIZE(struct nmport_d, 216);
NM_ASSERT_OFFSET(struct nmport_d, hdr, 0);
NM_ASSERT_OFFSET(struct nmport_d, reg, 88);
NM_ASSERT_OFFSET(struct nmport_d, mem, 144);
NM_ASSERT_OFFSET(struct nmport_d, ctx, 152);
NM_ASSERT_OFFSET(struct nmport_d, register_done, 160);
NM_ASSERT_OFFSET(struct nmport_d, mmap_done, 164);
NM_ASSERT_OFFSET(struct nmport_d, extmem, 168);
NM_ASSERT_OFFSET(struct nmport_d, fd, 176);
NM_ASSERT_OFFSET(struct nmport_d, nifp, 184);
NM_ASSERT_OFFSET(struct nmport_d, first_tx_ring, 192);
NM_ASSERT_OFFSET(struct nmport_d, last_tx_ring, 194);
NM_ASSERT_OFFSET(struct nmport_d, first_rx_ring, 196);
NM_ASSERT_OFFSET(struct nmport_d, last_rx_ring, 198);
NM_ASSERT_OFFSET(struct nmport_d, cur_tx_ring, 200);
NM_ASSERT_OFFSET(struct nmport_d, cur_rx_ring, 202);
NM_ASSERT_OFFSET(struct nmport_d, clist, 208);

/*
 * Opens a port: nmport_prepare() and nmport_open_desc().  errno: EINVAL the name, ENXIO no such
 * port, EBUSY its rings are held, EACCES no permission, ENOMEM no room, EIO a virtio-net header
 * the program did not say it accepts; or what open() and mmap() give.
 */
NM_EXPORT struct nmport_d *nmport_open(const char *portspec);

/* Undoes it all.  NULL is allowed.  Frames that were synced are delivered, others are lost. */
NM_EXPORT void nmport_close(struct nmport_d *d);

/*
 * Copies a frame into the first tx ring, from cur_tx_ring on, that has room for all of it, in as
 * many slots as it takes; does not sync.  Returns size, or 0 with errno EAGAIN: no room now, or
 * EMSGSIZE: it would take more slots than a frame or ring has.
 */
NM_EXPORT int nmport_inject(struct nmport_d *d, const void *buf, size_t size);

/* nmport_open() in two steps, to change reg or add options in between.  nmport_open_desc() undoes
 * its own part when it fails; d stays prepared. */
NM_EXPORT struct nmport_d *nmport_prepare(const char *portspec);
NM_EXPORT int nmport_open_desc(struct nmport_d *d);

/* And backwards.  nmport_undo_prepare() frees d; nmport_undo_open_desc() leaves it prepared. */
NM_EXPORT void nmport_undo_prepare(struct nmport_d *d);
NM_EXPORT void nmport_undo_open_desc(struct nmport_d *d);

/*
 * The single steps, in this order: new, parse, register, mmap.  Each undo leaves d as it was
 * before the step, and does nothing when the step was not done; nmport_undo_register() undoes the
 * mapping first.  nmport_delete() frees d, which must not be registered.
 */
NM_EXPORT struct nmport_d *nmport_new(void);
NM_EXPORT int nmport_parse(struct nmport_d *d, const char *portspec);
NM_EXPORT int nmport_register(struct nmport_d *d);
NM_EXPORT int nmport_mmap(struct nmport_d *d);
NM_EXPORT void nmport_delete(struct nmport_d *d);
NM_EXPORT void nmport_undo_parse(struct nmport_d *d);
NM_EXPORT void nmport_undo_register(struct nmport_d *d);
NM_EXPORT void nmport_undo_mmap(struct nmport_d *d);

/*
 * A new, prepared port with the name, reg and offsets of d, to change and then
 * nmport_open_desc(): the usual way to give each thread a ring of its own.  When d is registered
 * the clone asks for the same region and for no extra buffers.  EINVAL: d has external memory but
 * is not registered, so that there is no region yet to share.
 */
NM_EXPORT struct nmport_d *nmport_clone(struct nmport_d *d);

/*
 * Between prepare and open_desc: use `size` bytes at `base`, page aligned, as the region.  They
 * remain the program's and must stay there until the port is closed.  EINVAL: registered already,
 * or it has external memory already.
 */
NM_EXPORT int nmport_extmem(struct nmport_d *d, void *base, size_t size);

/* The same with an existing file, mapped shared until the port is closed. */
NM_EXPORT int nmport_extmem_from_file(struct nmport_d *d, const char *fname);

/*
 * What to ask for, and after registration what there is, in external memory: NULL when d has
 * none.  Belongs to d.
 */
NM_EXPORT struct nmreq_pools_info *nmport_extmem_getinfo(struct nmport_d *d);

/*
 * Between prepare and open_desc: frames start `initial` bytes into their buffers, and the program
 * may move that up to `maxoff`, in the low `bits` bits of slot.ptr (0: as many as the host has),
 * with `mingap` bytes free behind the longest frame.  EINVAL: initial > maxoff, bits > 64,
 * registered already, or said already.
 */
NM_EXPORT int nmport_offset(struct nmport_d *d, uint64_t initial, uint64_t maxoff, uint64_t bits,
                            uint64_t mingap);

/*
 * Makes nmport_parse() recognise, or no longer recognise, an option ("share", "conf", "extmem",
 * "offset"), for the whole process.  EOPNOTSUPP: there is no such option.
 */
NM_EXPORT int nmport_enable_option(const char *option);
NM_EXPORT int nmport_disable_option(const char *option);

/* ---------------------------------------------------------------------------------------------
 * Requests and names
 */

/* Clears *h and sets version, type and body (NULL: none). */
NM_EXPORT void nmreq_header_init(struct nmreq_header *h, uint16_t reqtype, void *body);

/*
 * Reads SUBSYSTEM:NAME[PIPE] from **ppspec into h->nr_name (without "netmap:", without quotes) and
 * moves *ppspec behind it.  -1 with errno EINVAL, or ENAMETOOLONG; then nothing is changed.
 */
NM_EXPORT int nmreq_header_decode(const char **ppspec, struct nmreq_header *h, struct nmctx *ctx);

/*
 * Reads [MODE][@REGION] from **pmode into nr_mode, nr_ringid, nr_flags and, when there is a
 * @REGION, nr_mem_id of *reg; moves *pmode to the end or to the '@' of the first option.  -1 with
 * errno EINVAL; then nothing is changed.
 */
NM_EXPORT int nmreq_register_decode(const char **pmode, struct nmreq_register *reg,
                                    struct nmctx *ctx);

/*
 * The region the port SUBSYSTEM:NAME[PIPE] at **portname uses, 1..65535; moves *portname behind
 * it.  Asks the host.  -1 with errno as for nmport_open().
 */
NM_EXPORT int32_t nmreq_get_mem_id(const char **portname, struct nmctx *ctx);

/*
 * Option parsers: each option is @PREFIX, then =VALUE for the default key, or :KEY=VALUE, then any
 * number of ,KEY=VALUE.  For each one found nmreq_options_decode() calls the parser's function
 * with the values in keys[] under the keys' ids, NULL where there was none.  Values end at ',' '@'
 * or the end of the text, and live only during the call.
 */
#define NMREQ_OPT_MAXKEYS 16

struct nmreq_parse_ctx {
    struct nmctx *ctx;                   /* for messages */
    void *token;                         /* as given to nmreq_options_decode() */
    const char *keys[NMREQ_OPT_MAXKEYS]; /* by id */
};

/* 0, or -1 with errno set and a message sent. */
typedef int (*nmreq_opt_parser_cb)(struct nmreq_parse_ctx *parse);

struct nmreq_opt_key {
    const char *key;
    int id;             /* 0..NMREQ_OPT_MAXKEYS-1 */
    unsigned int flags; /* NMREQ_OPTK_* */
};
#define NMREQ_OPTK_ALLOWEMPTY (1U << 0) /* KEY alone is the same as KEY= */
#define NMREQ_OPTK_MUSTSET    (1U << 1) /* an option without this key is an error */
#define NMREQ_OPTK_DEFAULT    (1U << 2) /* where =VALUE goes, see default_key */

struct nmreq_opt_parser {
    const char *prefix;
    nmreq_opt_parser_cb parse;
    int default_key; /* id of the key that =VALUE is for, -1: none */
    int nr_keys;
    unsigned int flags; /* NMREQ_OPTF_* */
    struct nmreq_opt_parser *next; /* NULL: the last one */
    struct nmreq_opt_key keys[NMREQ_OPT_MAXKEYS];
};
#define NMREQ_OPTF_DISABLED   (1U << 0) /* known, but refused */
#define NMREQ_OPTF_ALLOWEMPTY (1U << 1) /* @PREFIX alone will do */

/*
 * Reads the options in `opt` ("" or "@..."), with the list of parsers that begins at `parsers`.
 * -1 with errno EINVAL, EOPNOTSUPP for a disabled option, or what a parser's function set; options
 * before the bad one have been handled.
 */
NM_EXPORT int nmreq_options_decode(const char *opt, struct nmreq_opt_parser *parsers, void *token,
                                   struct nmctx *ctx);

/* The options of a request: a list of structures that remain the caller's. */
NM_EXPORT void nmreq_push_option(struct nmreq_header *h, struct nmreq_option *o);
NM_EXPORT void nmreq_remove_option(struct nmreq_header *h, struct nmreq_option *o);
NM_EXPORT struct nmreq_option *nmreq_find_option(struct nmreq_header *h, uint32_t reqtype);

/* Empties the list and frees each option with nmctx_free(nmctx_get(), ...).  Not for
 * nmport_d.hdr, whose options belong to the port. */
NM_EXPORT void nmreq_free_options(struct nmreq_header *h);

/* for-loop over the options; the current one must not be removed. */
#define nmreq_foreach_option(h, o)                                                                 \
    for ((o) = (struct nmreq_option *)(uintptr_t)(h)->nr_options; (o) != NULL;                     \
         (o) = (struct nmreq_option *)(uintptr_t)(o)->nro_next)

/* ---------------------------------------------------------------------------------------------
 * Contexts
 */

/* One mapped region of the process. */
struct nmem_d {
    uint16_t mem_id; /* as nmreq_register.nr_mem_id */
    int refcount;    /* ports using it */
    void *mem;
    size_t size;
    int is_extmem; /* the program's memory: not ours to unmap */
    struct nmem_d *next;
    struct nmem_d *prev;
};
NM_ASSERT_SIZE(struct nmem_d, 48);
NM_ASSERT_OFFSET(struct nmem_d, mem_id, 0);
NM_ASSERT_OFFSET(struct nmem_d, refcount, 4);
NM_ASSERT_OFFSET(struct nmem_d, mem, 8);
NM_ASSERT_OFFSET(struct nmem_d, size, 16);
NM_ASSERT_OFFSET(struct nmem_d, is_extmem, 24);
NM_ASSERT_OFFSET(struct nmem_d, next, 32);
NM_ASSERT_OFFSET(struct nmem_d, prev, 40);

/* A message, one line without newline; memory; and taking (1) or giving up (0) the lock. */
typedef void (*nmctx_error_cb)(struct nmctx *ctx, const char *message);
typedef void *(*nmctx_malloc_cb)(struct nmctx *ctx, size_t size);
typedef void (*nmctx_free_cb)(struct nmctx *ctx, void *memory);
typedef void (*nmctx_lock_cb)(struct nmctx *ctx, int take);

/*
 * A program may make its own, with the callbacks it cares for and zero elsewhere: a callback of
 * NULL means stderr, malloc(), free(), no lock.
 */
struct nmctx {
    int verbose; /* for the callbacks' own use */
    nmctx_error_cb error;
    nmctx_malloc_cb malloc;
    nmctx_free_cb free;
    nmctx_lock_cb lock; /* guards mem_descs: needed when threads open ports */

    struct nmem_d *mem_descs; /* regions mapped by ports of this context */
};
NM_ASSERT_SIZE(struct nmctx, 48);
NM_ASSERT_OFFSET(struct nmctx, verbose, 0);
NM_ASSERT_OFFSET(struct nmctx, error, 8);
NM_ASSERT_OFFSET(struct nmctx, malloc, 16);
NM_ASSERT_OFFSET(struct nmctx, free, 24);
NM_ASSERT_OFFSET(struct nmctx, lock, 32);
NM_ASSERT_OFFSET(struct nmctx, mem_descs, 40);

/* The context new ports get; and setting another one (NULL: the library's own again), which
 * returns the one before.  A context must outlive its ports. */
NM_EXPORT struct nmctx *nmctx_get(void);
NM_EXPORT struct nmctx *nmctx_set_default(struct nmctx *ctx);

/* Gives the current context a lock if it has none.  (The library's own always has one.)  0. */
NM_EXPORT int nmctx_set_threadsafe(void);

/* The callbacks, or what NULL stands for.  nmctx_ferror() leaves errno alone. */
NM_EXPORT void nmctx_ferror(struct nmctx *ctx, const char *format, ...) NM_PRINTF_LIKE(2, 3);
NM_EXPORT void *nmctx_malloc(struct nmctx *ctx, size_t size);
NM_EXPORT void nmctx_free(struct nmctx *ctx, void *memory);
NM_EXPORT void nmctx_lock(struct nmctx *ctx);
NM_EXPORT void nmctx_unlock(struct nmctx *ctx);

#ifdef __cplusplus
}
#endif

#endif /* LIBNETMAP_H */
