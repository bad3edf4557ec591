# The Windows host: netmap.sys, libnetmap.a with its client edge, nm-loader.exe.

ifneq ($(HAVE_WINCC),)

# ---- netmap.sys: the core and hosts/windows/netmap, no C library, no libgcc ----

NETMAP_SYS_SRCS := $(addprefix hosts/windows/netmap/,device.c dispatch.c driver.c file.c locks.c \
        memory.c parameters.c rundown.c runtime.c segment.c status.c text.c wait.c)
NETMAP_SYS_ASM  := hosts/windows/netmap/guard.S
NETMAP_SYS_OBJS := $(NETMAP_SYS_SRCS:%.c=$(W)/obj/%.o) $(NETMAP_SYS_ASM:%.S=$(W)/obj/%.o) \
        $(CORE_SRCS:%.c=$(W)/obj/%.o)

DDK_INCLUDE := $(dir $(shell $(WINCC) -print-file-name=libntoskrnl.a))../include/ddk

# Kernel code has a small stack that is there from the start: no probes, and no large frames.
CFLAGS_KERNEL := -mno-stack-arg-probe -fno-stack-protector -Wframe-larger-than=2048 \
        -Ihosts/windows/netmap

$(W)/obj/core/%.o: CFLAGS_WIN += $(CFLAGS_KERNEL)
$(W)/obj/hosts/windows/netmap/%.o: CFLAGS_WIN += $(CFLAGS_KERNEL) -isystem $(DDK_INCLUDE) \
        -Ihosts/windows
# Or gcc makes the loop of memcpy a call of memcpy.
$(W)/obj/hosts/windows/netmap/runtime.o: CFLAGS_WIN += -fno-tree-loop-distribute-patterns

$(W)/obj/%.o: %.S
	@mkdir -p $(@D)
	$(WINCC) -MMD -MP -c $< -o $@

$(W)/netmap.sys: $(NETMAP_SYS_OBJS)
	@mkdir -p $(@D)
	$(WINCC) -shared -nostdlib -s -Wl,--subsystem,native -Wl,--entry,DriverEntry \
	    -Wl,--exclude-all-symbols -Wl,--dynamicbase -Wl,--nxcompat -o $@ $^ -lntoskrnl -lhal

# ---- libnetmap.a: the library, the client edge, and what the edge shares with the core ----

CLIENT_SRCS := $(addprefix hosts/windows/client/,device.c error.c poll.c posix.c table.c thread.c)
LIBNETMAP_WIN_OBJS := $(patsubst %.c,$(W)/obj/%.o,$(LIBNETMAP_SRCS) $(CLIENT_SRCS) \
        $(EDGE_CORE_SRCS))

$(W)/obj/hosts/windows/client/%.o: CFLAGS_WIN += -Iinclude/windows

$(W)/lib/libnetmap.a: $(LIBNETMAP_WIN_OBJS)
	@mkdir -p $(@D)
	rm -f $@
	$(WINAR) rcs $@ $^

# ---- nm-loader.exe ----

NM_LOADER_OBJS := $(W)/obj/apps/nm-loader/main.o $(W)/obj/apps/nm-loader/message.o \
        $(W)/obj/apps/nm-loader/service.o

$(W)/bin/nm-loader.exe: $(NM_LOADER_OBJS)
	@mkdir -p $(@D)
	$(WINCC) -municode -static $^ -ladvapi32 -o $@

WINDOWS_TARGETS += $(W)/netmap.sys $(W)/lib/libnetmap.a $(W)/bin/nm-loader.exe

endif
