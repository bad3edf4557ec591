/*
 * lib/internal.h - what the files of libnetmap share.
 *
 * Copyright (c) 2026, the netmap for Windows authors.  BSD 2-Clause, see LICENSE.
 */
#ifndef LIB_INTERNAL_H
#define LIB_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include <libnetmap.h>

/* Something nmport_undo_parse() has to undo; the last one registered is undone first. */
struct nmport_cleanup_d {
    struct nmport_cleanup_d *next;
    void (*cleanup)(struct nmport_cleanup_d *self, struct nmport_d *d);
};

/* nmport_options.c: the options nmport_parse() knows. */
struct nmreq_opt_parser *nmport_option_parsers(void);

/*
 * A whole number, decimal or 0x hexadecimal, 0..maximum, that is all of `text`.  -1 with errno
 * EINVAL and a message that names `what`.
 */
int nm_number(struct nmctx *ctx, const char *what, const char *text, uint64_t maximum,
              uint64_t *number);

/* nmport.c: sends `header` to the host over a descriptor.  0, or -1 with errno; no message. */
int nm_request(int fd, struct nmreq_header *header);

/* nmport.c: opens the netmap device.  The descriptor, or -1 with errno and a message that names
 * the port it was for. */
int nm_open_device(struct nmctx *ctx, const char *port);

#endif /* LIB_INTERNAL_H */
