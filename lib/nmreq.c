/*
 * lib/nmreq.c - requests and the names of ports: headers, modes, regions, lists of options.
 *
 * Copyright (c) 2026, the netmap for Windows authors.  BSD 2-Clause, see LICENSE.
 */
#include <errno.h>
#include <string.h>
#ifndef _MSC_VER
#include <unistd.h>
#endif
#include <sys/ioctl.h>

#include "lib/internal.h"

/* Where a name ends: the first character of a pipe, a mode, a region or an option. */
#define NAME_ENDS "-*^/@{}"

void nmreq_header_init(struct nmreq_header *h, uint16_t reqtype, void *body)
{
    memset(h, 0, sizeof(*h));
    h->nr_version = NETMAP_API;
    h->nr_reqtype = reqtype;
    h->nr_body = (uint64_t)(uintptr_t)body;
}

/* Characters are tested without <ctype.h>, whose answers change with the locale. */
static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_alphanumeric(char c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The first character at or after s that is not a letter, a digit or one of `also`. */
static const char *skip_word(const char *s, const char *also)
{
    while (*s != '\0' && (is_alphanumeric(*s) || strchr(also, *s) != NULL))
        s++;
    return s;
}

static int bad_spec(struct nmctx *ctx, const char *spec, const char *problem)
{
    nmctx_ferror(ctx, "%s: %s", spec, problem);
    errno = EINVAL;
    return -1;
}

/*
 * One pass over a name: [begin, end) is what goes into nr_name, except that a quoted part loses
 * its quotes, which is why it comes in two pieces: `name` and, for pipes, `pipe`.
 */
struct spec_name {
    const char *name;
    size_t name_length;
    const char *pipe;
    size_t pipe_length;
    const char *rest;
};

static int split_netmap(struct nmctx *ctx, const char *spec, struct spec_name *out)
{
    const char *s = spec + strlen("netmap:"), *quote;

    if (*s == '"') {
        out->name = s + 1;
        quote = strchr(s + 1, '"');
        if (quote == NULL)
            return bad_spec(ctx, spec, "the quoted name has no end; put a '\"' after it");
        out->name_length = (size_t)(quote - out->name);
        out->rest = quote + 1;
    } else {
        out->name = s;
        out->name_length = strcspn(s, NAME_ENDS);
        out->rest = s + out->name_length;
    }
    if (out->name_length == 0)
        return bad_spec(ctx, spec, "no port name after \"netmap:\"");
    return 0;
}

static int split_vale(struct nmctx *ctx, const char *spec, struct spec_name *out)
{
    const char *s = skip_word(spec + strlen(NM_BDG_NAME), "_"), *end;

    if (*s != ':') {
        if (strchr(s, ':') == NULL)
            return bad_spec(ctx, spec, "no port; write " NM_BDG_NAME "SWITCH:PORT");
        return bad_spec(ctx, spec, "the name of a switch has letters, digits and '_' only");
    }
    s++;
    end = skip_word(s, "_.");
    if (*end != '\0' && strchr(NAME_ENDS, *end) == NULL)
        return bad_spec(ctx, spec, "the name of a VALE port has letters, digits, '_' and '.' only");
    if (end == s)
        return bad_spec(ctx, spec, "no port name after ':'");
    out->name = spec;
    out->name_length = (size_t)(end - spec);
    out->rest = end;
    return 0;
}

int nmreq_header_decode(const char **ppspec, struct nmreq_header *h, struct nmctx *ctx)
{
    const char *spec = *ppspec, *end;
    struct spec_name part = {NULL, 0, "", 0, NULL};
    int split;

    if (strncmp(spec, "netmap:", strlen("netmap:")) == 0)
        split = split_netmap(ctx, spec, &part);
    else if (strncmp(spec, NM_BDG_NAME, strlen(NM_BDG_NAME)) == 0)
        split = split_vale(ctx, spec, &part);
    else
        return bad_spec(ctx, spec, "no such subsystem; write netmap:NAME or valeSWITCH:PORT");
    if (split != 0)
        return -1;

    if (*part.rest == '{' || *part.rest == '}') {
        end = skip_word(part.rest + 1, "");
        if (end == part.rest + 1)
            return bad_spec(ctx, spec, "no pipe name after '{' or '}'; it has letters and digits");
        part.pipe = part.rest;
        part.pipe_length = (size_t)(end - part.rest);
        part.rest = end;
    }
    if (*part.rest != '\0' && strchr("-*^/@", *part.rest) == NULL) {
        nmctx_ferror(ctx, "%s: \"%s\" after the name is no mode; want -N ^ ^N * / or @", spec,
                     part.rest);
        errno = EINVAL;
        return -1;
    }
    if (part.name_length + part.pipe_length >= sizeof(h->nr_name)) {
        nmctx_ferror(ctx, "%s: the name has %u characters, at most %u fit", spec,
                     (unsigned int)(part.name_length + part.pipe_length),
                     (unsigned int)sizeof(h->nr_name) - 1);
        errno = ENAMETOOLONG;
        return -1;
    }

    memset(h->nr_name, 0, sizeof(h->nr_name));
    memcpy(h->nr_name, part.name, part.name_length);
    memcpy(h->nr_name + part.name_length, part.pipe, part.pipe_length);
    *ppspec = part.rest;
    return 0;
}

/* Decimal digits at *s, at most 65535; moves *s behind them. */
static int read_uint16(const char **s, uint16_t *number)
{
    const char *p = *s;
    uint32_t value = 0;

    for (; is_digit(*p); p++) {
        value = value * 10 + (uint32_t)(*p - '0');
        if (value > UINT16_MAX)
            return -1;
    }
    if (p == *s)
        return -1;
    *s = p;
    *number = (uint16_t)value;
    return 0;
}

static uint64_t letter_flag(char letter)
{
    switch (letter) {
    case 'x':
        return NR_EXCLUSIVE;
    case 'z':
        return NR_ZCOPY_MON;
    case 't':
        return NR_MONITOR_TX;
    case 'r':
        return NR_MONITOR_RX;
    case 'R':
        return NR_RX_RINGS_ONLY;
    case 'T':
        return NR_TX_RINGS_ONLY;
    default:
        return 0;
    }
}

int nmreq_register_decode(const char **pmode, struct nmreq_register *reg, struct nmctx *ctx)
{
    const char *mode = *pmode, *s = mode;
    uint32_t nr_mode = NR_REG_ALL_NIC;
    uint16_t ring = 0, region = reg->nr_mem_id;
    uint64_t flags = 0, flag;

    if (*s == '^') {
        s++;
        nr_mode = is_digit(*s) ? NR_REG_ONE_SW : NR_REG_SW;
    } else if (*s == '*') {
        s++;
        nr_mode = NR_REG_NIC_SW;
    } else if (*s == '-') {
        s++;
        nr_mode = NR_REG_ONE_NIC;
    }
    if ((nr_mode == NR_REG_ONE_NIC || nr_mode == NR_REG_ONE_SW) && read_uint16(&s, &ring) != 0)
        return bad_spec(ctx, mode,
                        "want a ring number 0..65535 after '-' or '^' (a name with '-' in it goes "
                        "in double quotes)");
    if (*s == '/') {
        for (s++; *s != '\0' && *s != '@'; s++) {
            flag = letter_flag(*s);
            if (flag == 0) {
                nmctx_ferror(ctx, "%s: '%c' after '/' means nothing; want letters of xztrRT", mode,
                             *s);
                errno = EINVAL;
                return -1;
            }
            flags |= flag;
        }
    }
    if (*s == '@' && is_digit(s[1])) {
        s++;
        if (read_uint16(&s, &region) != 0)
            return bad_spec(ctx, mode, "the region after '@' is a number 0..65535");
    }
    if (*s != '\0' && *s != '@') {
        nmctx_ferror(ctx, "%s: \"%s\" is left over; want /LETTERS, @REGION or options there", mode,
                     s);
        errno = EINVAL;
        return -1;
    }

    reg->nr_mode = nr_mode;
    reg->nr_ringid = ring;
    reg->nr_flags = flags;
    reg->nr_mem_id = region;
    *pmode = s;
    return 0;
}

int32_t nmreq_get_mem_id(const char **portname, struct nmctx *ctx)
{
    struct nmreq_port_info_get info;
    struct nmreq_header header;
    const char *rest = *portname;
    int fd, result, saved;

    nmreq_header_init(&header, NETMAP_REQ_PORT_INFO_GET, &info);
    memset(&info, 0, sizeof(info));
    if (nmreq_header_decode(&rest, &header, ctx) != 0)
        return -1;
    fd = nm_open_device(ctx, header.nr_name);
    if (fd == -1)
        return -1;
    result = nm_request(fd, &header);
    saved = errno;
    close(fd);
    if (result != 0) {
        nmctx_ferror(ctx, "%s: cannot find out its memory region: %s%s", header.nr_name,
                     strerror(saved), nm_error_remedy(saved));
        errno = saved;
        return -1;
    }
    *portname = rest;
    return info.nr_mem_id;
}

void nmreq_push_option(struct nmreq_header *h, struct nmreq_option *o)
{
    o->nro_next = h->nr_options;
    h->nr_options = (uint64_t)(uintptr_t)o;
}

void nmreq_remove_option(struct nmreq_header *h, struct nmreq_option *o)
{
    uint64_t *link = &h->nr_options;

    while (*link != 0) {
        struct nmreq_option *here = (struct nmreq_option *)(uintptr_t)*link;

        if (here == o) {
            *link = o->nro_next;
            o->nro_next = 0;
            return;
        }
        link = &here->nro_next;
    }
}

struct nmreq_option *nmreq_find_option(struct nmreq_header *h, uint32_t reqtype)
{
    struct nmreq_option *o;

    nmreq_foreach_option(h, o) {
        if (o->nro_reqtype == reqtype)
            return o;
    }
    return NULL;
}

void nmreq_free_options(struct nmreq_header *h)
{
    while (h->nr_options != 0) {
        struct nmreq_option *o = (struct nmreq_option *)(uintptr_t)h->nr_options;

        nmreq_remove_option(h, o);
        nmctx_free(nmctx_get(), o);
    }
}
