# The conformance suite: one source, run against the Linux host and, under Wine, netmap.sys.

CONFORMANCE_COMMON := $(filter-out tests/conformance/linux_%,$(wildcard tests/conformance/*.c))
CONFORMANCE_LINUX  := $(wildcard tests/conformance/linux_*.c)
CONFORMANCE_L      := $(patsubst %.c,$(L)/obj/%.o,$(CONFORMANCE_COMMON) $(CONFORMANCE_LINUX))
CONFORMANCE_W      := $(CONFORMANCE_COMMON:%.c=$(W)/obj/%.o)

$(CONFORMANCE_W): CFLAGS_WIN += -Iinclude/windows -D__USE_MINGW_ANSI_STDIO=1

# libnetmap before the C library: its open(), ioctl(), poll() ... are the ones that are called.
$(L)/tests/conformance: $(CONFORMANCE_L) $(L)/lib/libnetmap.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_LINUX) $^ -lpthread -ldl -o $@

$(W)/tests/conformance.exe: $(CONFORMANCE_W) $(W)/lib/libnetmap.a
	@mkdir -p $(@D)
	$(WINCC) -static $^ -lws2_32 -lpthread -o $@

ifneq ($(HAVE_WINCC),)
WINDOWS_TARGETS += $(W)/tests/conformance.exe
endif

# A sanitised host is several times slower: more time, fewer frames. The full run kills a hundred
# times in each of the kill tests, and scribbles for half a minute.
CONFORMANCE_ENV := $(if $(SAN),NM_TIME_SCALE=5 NM_QUICK=1,$(if $(NM_QUICK),,\
    NM_KILLS=$(or $(NM_KILLS),100) NM_SCRIBBLE_SECONDS=$(or $(NM_SCRIBBLE_SECONDS),30)))

.PHONY: test-conformance test-conformance-wine
# Not with TSan: it cannot see across processes, and its start-up calls our open() and mmap() too
# early. Host and clients as threads of one process are another test's subject.
ifneq ($(SAN),tsan)
TEST_TARGETS += test-conformance
endif
test-conformance: $(L)/tests/conformance $(L)/bin/netmapd
	@rm -rf $(L)/conformance-run && mkdir -p $(L)/conformance-run
	$(CONFORMANCE_ENV) NETMAP_DIR=$(CURDIR)/$(L)/conformance-run \
	    NETMAPD=$(CURDIR)/$(L)/bin/netmapd $(L)/tests/conformance $(TESTS)

# The same programs against the real driver.
test-conformance-wine: $(W)/tests/conformance.exe $(W)/netmap.sys $(W)/bin/nm-loader.exe
	tests/conformance/run-wine.sh $(TESTS)

ifneq ($(HAVE_WINCC),)
ifneq ($(shell command -v wine64 || ls /usr/lib/wine/wine64 2>/dev/null || command -v wine),)
ifeq ($(SAN),)
TEST_TARGETS += test-conformance-wine
endif
endif
endif
