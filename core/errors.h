/*
 * Error numbers inside the core and on the wire between a host and its client edge.
 *
 * They are the Linux numbers on every system, so that a reply means the same everywhere; each
 * client edge maps them to its own errno once (Windows numbers EOPNOTSUPP and EMSGSIZE
 * differently). Functions of the core return 0 or one of these, positive.
 */
#ifndef NM_CORE_ERRORS_H
#define NM_CORE_ERRORS_H

#define NM_EPERM      1
#define NM_ENOENT     2
#define NM_EINTR      4
#define NM_EIO        5
#define NM_ENXIO      6
#define NM_EBADF      9
#define NM_EAGAIN     11
#define NM_ENOMEM     12
#define NM_EACCES     13
#define NM_EFAULT     14
#define NM_EBUSY      16
#define NM_EEXIST     17
#define NM_ENODEV     19
#define NM_EINVAL     22
#define NM_EMFILE     24
#define NM_ENOTTY     25
#define NM_ENOSPC     28
#define NM_EMSGSIZE   90
#define NM_EOPNOTSUPP 95

#endif
