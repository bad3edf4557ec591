/* <net/if.h> as far as netmap programs use it on Windows. */
#ifndef NM_WINDOWS_NET_IF_H
#define NM_WINDOWS_NET_IF_H

#ifndef IFNAMSIZ
#define IFNAMSIZ 16 /* NM_IFNAMSIZ of the netmap interface; not Windows' own names of interfaces */
#endif

#endif
