# The core: freestanding, the same sources in netmapd, netmap.sys and the tests' fake host.
CORE_SRCS := $(addprefix core/,adapter.c control.c core.c counters.c epoch.c handle.c legacy.c name.c \
             options.c pipe.c region.c register.c request.c ring.c sweep.c sync.c vale_forward.c \
             vale_switch.c vale_table.c)
# What a client edge links: no os.h behind it.
EDGE_CORE_SRCS := core/request.c
CFLAGS_core := -Ihosts/linux/netmapd
