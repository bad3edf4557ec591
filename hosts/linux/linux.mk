# The Linux host: netmapd, and libnetmap with its client edge.
NETMAPD_SRCS := $(addprefix hosts/linux/netmapd/,os.c server.c worker.c)
EDGE_SRCS    := $(addprefix hosts/linux/client/,connect.c edge.c message.c posix.c sync.c wait.c)
CFLAGS_hosts := -Ihosts/linux/netmapd -DNM_VERSION='"$(NM_VERSION)"'

NETMAPD_OBJS  := $(patsubst %.c,$(L)/obj/%.o,$(CORE_SRCS) $(NETMAPD_SRCS))
LIBNETMAP_OBJS := $(patsubst %.c,$(L)/obj/%.o,$(LIBNETMAP_SRCS) $(EDGE_SRCS) $(EDGE_CORE_SRCS))

LINUX_TARGETS += $(L)/bin/netmapd $(L)/lib/libnetmap.so $(L)/lib/libnetmap.a

$(L)/bin/netmapd: $(NETMAPD_OBJS) $(L)/obj/hosts/linux/netmapd/main.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_LINUX) -o $@ $^ -lpthread

$(L)/lib/libnetmap.a: $(LIBNETMAP_OBJS)
	@mkdir -p $(@D)
	rm -f $@
	ar rcs $@ $^

$(L)/lib/libnetmap.so: $(LIBNETMAP_OBJS)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_LINUX) -shared -Wl,-soname,libnetmap.so.1 -o $@ $^ -lpthread -ldl
	ln -sf libnetmap.so $(L)/lib/libnetmap.so.1
