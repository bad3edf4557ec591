# The sanitizers: ASan and UBSan over everything that runs as processes, TSan over host and clients
# as threads of one process, and over the protocol itself.

SANITIZE_RENAMED := $(CONFORMANCE_COMMON) $(LIBNETMAP_SRCS) hosts/linux/client/posix.c \
                    tests/sanitize/threads.c
SANITIZE_PLAIN   := $(CORE_SRCS) $(NETMAPD_SRCS) $(filter-out %/posix.c,$(EDGE_SRCS)) \
                    tests/sanitize/host.c
SANITIZE_HARNESS := tests/conformance/check.c tests/conformance/platform.c

$(L)/obj/tests/sanitize/%.o: CFLAGS_LINUX += -Ihosts/linux/netmapd

# What calls netmap's open(), mmap() ... gets them under other names: see posix_names.h.
$(L)/obj/renamed/%.o: %.c tests/sanitize/posix_names.h
	@mkdir -p $(@D)
	@echo "  CC       $< (renamed)"
	$(Q)$(CC) $(CFLAGS_LINUX) $(CFLAGS_$(firstword $(subst /, ,$<))) \
	    -include tests/sanitize/posix_names.h -MMD -MP -c $< -o $@

SANITIZE_WRAP := main real_close real_mmap real_munmap edge_mmap edge_munmap nm_handle_close \
                 nm_os_segment_create nm_os_segment_destroy

$(L)/tests/threads: $(SANITIZE_RENAMED:%.c=$(L)/obj/renamed/%.o) $(SANITIZE_PLAIN:%.c=$(L)/obj/%.o)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_LINUX) $(SANITIZE_WRAP:%=-Wl,--wrap=%) $^ -lpthread -ldl -o $@

$(L)/tests/protocol: $(L)/obj/tests/sanitize/protocol.o $(SANITIZE_HARNESS:%.c=$(L)/obj/%.o)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_LINUX) $^ -lpthread -o $@

# libasan and libubsan as libraries share one report path, and libubsan loses it: the report of a
# netmapd in the background would go to /dev/null. clang's runtime is one, and static, anyway.
ifeq ($(SAN),asan)
$(L)/bin/netmapd: LDFLAGS += $(if $(findstring clang,$(CC)),,-static-libasan -static-libubsan)
endif

# What tests/sanitize/run.sh runs, for one sanitizer.
.PHONY: sanitize-asan-programs sanitize-tsan-programs
sanitize-asan-programs: $(L)/bin/netmapd $(L)/tests/conformance unit-programs
sanitize-tsan-programs: $(L)/tests/threads $(L)/tests/protocol

# Only in the build without sanitizer: it builds the others.
ifeq ($(SAN),)
.PHONY: test-sanitize
TEST_TARGETS += test-sanitize
test-sanitize:
	+@$(MAKE) --no-print-directory SAN=asan sanitize-asan-programs
	+@$(MAKE) --no-print-directory SAN=tsan sanitize-tsan-programs
	@tests/sanitize/run.sh build/linux-asan build/linux-tsan
endif
