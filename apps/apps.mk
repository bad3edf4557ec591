# pkt-gen and pkt-gen-b: one source; only wait.c knows which of the two it is compiled for.

PKT_GEN_SOURCES := $(addprefix apps/pkt-gen/,main.c options.c usage.c address.c packet.c verify.c \
        sequence.c sender.c receiver.c pingpong.c pacer.c report.c summary.c json.c) apps/platform.c

PKT_GEN_L := $(PKT_GEN_SOURCES:%.c=$(L)/obj/%.o)
PKT_GEN_W := $(PKT_GEN_SOURCES:%.c=$(W)/obj/%.o)
WAIT_L    := $(L)/obj/apps/pkt-gen/wait.o
WAIT_W    := $(W)/obj/apps/pkt-gen/wait.o
BUSY_L    := $(L)/obj/apps/pkt-gen/wait-busy.o
BUSY_W    := $(W)/obj/apps/pkt-gen/wait-busy.o

LINUX_TARGETS   += $(L)/bin/pkt-gen $(L)/bin/pkt-gen-b
WINDOWS_TARGETS += $(W)/bin/pkt-gen.exe $(W)/bin/pkt-gen-b.exe

# poll.h, sys/ioctl.h and the like for Windows; and printf as C11 has it.
$(PKT_GEN_W) $(WAIT_W) $(BUSY_W): CFLAGS_WIN += -Iinclude/windows -D__USE_MINGW_ANSI_STDIO=1

$(BUSY_L): apps/pkt-gen/wait.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_LINUX) -DBUSYWAIT -MMD -MP -c $< -o $@

$(BUSY_W): apps/pkt-gen/wait.c
	@mkdir -p $(@D)
	$(WINCC) $(CFLAGS_WIN) -DBUSYWAIT -MMD -MP -c $< -o $@

$(L)/bin/pkt-gen: $(PKT_GEN_L) $(WAIT_L) $(L)/lib/libnetmap.a
$(L)/bin/pkt-gen-b: $(PKT_GEN_L) $(BUSY_L) $(L)/lib/libnetmap.a
$(L)/bin/pkt-gen $(L)/bin/pkt-gen-b:
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_LINUX) $^ -lpthread -ldl -lm -o $@

$(W)/bin/pkt-gen.exe: $(PKT_GEN_W) $(WAIT_W) $(W)/lib/libnetmap.a
$(W)/bin/pkt-gen-b.exe: $(PKT_GEN_W) $(BUSY_W) $(W)/lib/libnetmap.a
$(W)/bin/pkt-gen.exe $(W)/bin/pkt-gen-b.exe:
	@mkdir -p $(@D)
	$(WINCC) -static $^ -lws2_32 -lpthread -o $@
