# SIGKILL and scribbling against a netmapd of the test's own.

KILL_OBJS := $(patsubst %.c,$(L)/obj/%.o,$(wildcard tests/kill/*.c))

# libnetmap before the C library: its open(), ioctl(), poll() ... are the ones that are called.
$(L)/tests/kill: $(KILL_OBJS) $(L)/lib/libnetmap.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_LINUX) $^ -lpthread -ldl -o $@

.PHONY: test-kill
TEST_TARGETS += test-kill
test-kill: $(L)/tests/kill $(L)/bin/netmapd
	@rm -rf $(L)/kill-run && mkdir -p $(L)/kill-run
	NETMAPD=$(CURDIR)/$(L)/bin/netmapd $(L)/tests/kill $(CURDIR)/$(L)/kill-run
