/* Port names as they arrive in requests: what kind of port is meant, and its parts. */
#ifndef NM_CORE_NAME_H
#define NM_CORE_NAME_H

#include "core/core.h"

#define NM_PIPE_MASTER 0 /* parent{id */
#define NM_PIPE_SLAVE  1 /* parent}id */

struct nm_name {
    bool is_vale;
    bool is_pipe;
    uint8_t pipe_role;              /* NM_PIPE_MASTER or NM_PIPE_SLAVE */
    char base[NM_NAME_SIZE];        /* without the pipe suffix */
    char bridge[NM_NAME_SIZE];      /* VALE: "vale1" */
    char pipe_id[NM_NAME_SIZE];
};

/* Split a name of at most 63 characters. 0, or NM_EINVAL with a message in the handle. */
int nm_name_parse(struct nm_handle *handle, const char *text, struct nm_name *name);

bool nm_name_equal(const char *a, const char *b);
void nm_name_copy(char destination[NM_NAME_SIZE], const char *source);

#endif
