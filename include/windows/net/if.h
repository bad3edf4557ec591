/* <net/if.h> as far as netmap programs use it on Windows. */
#ifndef NM_WINDOWS_NET_IF_H
#define NM_WINDOWS_NET_IF_H

#ifndef IFNAMSIZ
/* NM_IFNAMSIZ of the netmap interface; Windows' own names of interfaces are longer. */
#define IFNAMSIZ 16
#endif

#endif
