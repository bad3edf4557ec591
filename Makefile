# One make builds everything whose compilers are present; output goes to build/ only.
#
#   make             Linux programs, and the Windows ones when mingw-w64 is installed
#   make linux       netmapd, libnetmap, the programs
#   make windows     netmap.sys and the Windows programs (x86_64-w64-mingw32-gcc)
#   make check       what can be checked without running: headers, formats
#   make test        every test group this machine can run
#   make list-tests  the test groups, for ./run test; list-checks likewise
#   make clean
#
#   SAN=asan|tsan    a sanitised Linux build, in build/linux-asan or build/linux-tsan
#   CONFIG=Debug     assertions on, no optimisation (default: Release)
#   V=1              show the commands
#
# Each room has a fragment <room>/<room>.mk that adds its objects and targets to the lists below.

NM_VERSION := 0.1.0

CONFIG ?= Release
SAN    ?=
CC     := $(if $(filter default,$(origin CC)),gcc,$(CC))
WINCC  ?= x86_64-w64-mingw32-gcc
WINAR  ?= x86_64-w64-mingw32-ar

Q := $(if $(V),,@)

L := build/linux$(if $(SAN),-$(SAN))
W := build/windows

WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
        -Wpointer-arith -Wwrite-strings -Wundef -Wvla
OPT  := $(if $(filter Debug,$(CONFIG)),-O1 -DNM_DEBUG=1,-O2) -g
SANFLAGS := $(if $(filter asan,$(SAN)),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all -DNM_DEBUG=1) \
            $(if $(filter tsan,$(SAN)),-fsanitize=thread -DNM_DEBUG=1)

CFLAGS_ALL    = -std=gnu11 $(OPT) $(WARN) $(SANFLAGS) -fno-strict-aliasing -Iinclude -I. $(CFLAGS)
CFLAGS_LINUX  = $(CFLAGS_ALL) -D_GNU_SOURCE -fPIC -fvisibility=hidden
LDFLAGS_LINUX = $(SANFLAGS) $(LDFLAGS)
CFLAGS_WIN    = -std=gnu11 $(OPT) $(WARN) -fno-strict-aliasing -Iinclude -I. $(CFLAGS)

# Fragments add to these.
LINUX_TARGETS   :=
WINDOWS_TARGETS :=
CHECK_TARGETS   :=
TEST_TARGETS    :=

HAVE_WINCC := $(shell command -v $(WINCC) 2>/dev/null)

.PHONY: all linux windows check test list-tests list-checks clean
all: linux $(if $(HAVE_WINCC),windows)

# Objects: the source path, below the output directory of its system.
$(L)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC       $<"
	$(Q)$(CC) $(CFLAGS_LINUX) $(CFLAGS_$(firstword $(subst /, ,$<))) -MMD -MP -c $< -o $@

$(W)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC (win) $<"
	$(Q)$(WINCC) $(CFLAGS_WIN) -MMD -MP -c $< -o $@

include $(wildcard core/core.mk lib/lib.mk hosts/linux/linux.mk hosts/windows/windows.mk \
        apps/apps.mk tests/*/*.mk bench/bench.mk)

# A second compiler reads the Linux sources: other warnings, the same rules.
CLANG      ?= clang
CLANG_SRCS  = $(sort $(CORE_SRCS) $(NETMAPD_SRCS) hosts/linux/netmapd/main.c $(LIBNETMAP_SRCS) \
              $(EDGE_SRCS) $(EDGE_CORE_SRCS) $(PKT_GEN_SOURCES) apps/pkt-gen/wait.c)
CFLAGS_CLANG = $(filter-out -O%,$(CFLAGS_LINUX)) -O2 -fsyntax-only

.PHONY: check-clang check-scripts
check-clang:
	$(Q)$(foreach source,$(CLANG_SRCS),$(CLANG) $(CFLAGS_CLANG) \
	    $(CFLAGS_$(firstword $(subst /, ,$(source)))) $(source) &&) \
	    echo "check-clang: $(words $(CLANG_SRCS)) files"

# SC1007 dislikes the idiom CDPATH= cd.
check-scripts:
	$(Q)shellcheck --shell=sh --severity=warning --exclude=SC1007 run .ci/run $(wildcard *.sh */*.sh */*/*.sh)

CHECK_TARGETS += $(if $(shell command -v $(CLANG)),check-clang) \
        $(if $(shell command -v shellcheck),check-scripts)

linux: $(LINUX_TARGETS)
windows: $(WINDOWS_TARGETS)
check: $(CHECK_TARGETS)
test: $(TEST_TARGETS)
list-tests:
	@echo $(TEST_TARGETS)
list-checks:
	@echo $(CHECK_TARGETS)

clean:
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)
