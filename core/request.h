/*
 * Requests as they travel from a program to the host: one buffer, no pointers.
 *
 * The client edge packs what the program's structures point to (body, options) into one buffer,
 * with offsets where the pointers were; the host checks and executes it in place and the edge
 * copies bodies and option statuses back to where they came from. Both edges share this file.
 *
 * The host answers NIOCCTRL with success of the transport and the outcome in `error`, because
 * option statuses go back to the program even when the request fails (on Windows a failing
 * DeviceIoControl returns no bytes).
 */
#ifndef NM_CORE_REQUEST_H
#define NM_CORE_REQUEST_H

#include "core/compiler.h"
#include <net/netmap.h>
#include <netmap_counters.h>

enum nm_request_op {
    NM_OP_CTRL = 1,  /* NIOCCTRL: a struct nmreq_header with body and options */
    NM_OP_REGIF = 2, /* legacy NIOCREGIF: a struct nmreq */
    NM_OP_GINFO = 3, /* legacy NIOCGINFO: a struct nmreq */
    NM_OP_COUNTERS = 4, /* a struct nm_request_counters */
};

#define NM_REQUEST_MESSAGE 240 /* bytes, NUL included */
/* Body and options together are at most NETMAP_REQ_MAXSIZE; alignment may add 7 bytes for each of
 * the at most 4096/24 parts. */
#define NM_REQUEST_PAYLOAD (NETMAP_REQ_MAXSIZE + 8u * (NETMAP_REQ_MAXSIZE / 24u + 2u))

struct nm_request_counters {
    char name[64];  /* empty: the port the descriptor is bound to */
    uint32_t is_tx;
    uint32_t ring;
    struct netmap_counters counters; /* reply */
};

struct nm_request {
    uint32_t size;  /* bytes in use, this structure included: header and payload. In and out. */
    uint32_t op;    /* enum nm_request_op */
    int32_t error;  /* reply: 0 or a number of core/errors.h */
    uint32_t reserved;
    char message[NM_REQUEST_MESSAGE]; /* reply: what went wrong and the remedy; may be empty */
    union {
        struct nmreq legacy;        /* NM_OP_REGIF, NM_OP_GINFO */
        struct nm_request_counters counters;
        /* NM_OP_CTRL: nr_body, nr_options and each nro_next are byte offsets from the start of
         * this structure, 0 for none. */
        struct nmreq_header header;
    } u;
    uint8_t payload[NM_REQUEST_PAYLOAD];
};

/* Size of the body of a request type in bytes: 0 for none, and for types that do not exist. */
uint32_t nm_request_body_size(uint16_t reqtype);

/* "full" and so on; "unknown" beyond the last. */
const char *nm_drop_cause_name(unsigned cause);

/* Size of an option with its header, as the program must provide it: for types of variable length
 * from nro_size (the whole option, header included), 24 for types not known. */
uint32_t nm_option_size(uint32_t reqtype, uint64_t nro_size);

/*
 * Client edge: pack the header's body and options, found through its pointers in the caller's
 * address space, into *request. 0; NM_EINVAL for a wrong version or a body pointer where none
 * belongs (or none where one belongs); NM_EMSGSIZE when body and options exceed
 * NETMAP_REQ_MAXSIZE, a looping list included.
 */
int nm_request_pack(struct nm_request *request, const struct nmreq_header *header);

/* What was wrong when nm_request_pack failed, for a message. */
const char *nm_request_problem(const struct nmreq_header *header, int error);

/* Client edge: copy body and options of a reply back to where nm_request_pack found them.
 * The program's structures are found by walking *header again, and no further than the request
 * has parts: the host's offsets are not used. */
void nm_request_unpack(const struct nm_request *request, struct nmreq_header *header);

/* Client edge: a request for the counters of one ring; name NULL for the descriptor's own port. */
void nm_request_pack_counters(struct nm_request *request, const char *name, bool is_tx,
                              uint32_t ring);

/* Client edge: a legacy request. */
void nm_request_pack_legacy(struct nm_request *request, enum nm_request_op op,
                            const struct nmreq *legacy);

#endif
