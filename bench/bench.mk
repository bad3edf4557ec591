# The benchmark: this machine's limits, and the programs that are measured against them.

FLOW_SOURCES := $(addprefix bench/,flow.c traffic.c frames.c cputime.c)
FLOW_L       := $(FLOW_SOURCES:%.c=$(L)/obj/%.o)

LINUX_TARGETS += $(L)/bench/limits $(L)/bench/flow

LIMITS_SOURCES := $(addprefix bench/,limits.c limits_busy.c limits_sleep.c)
$(L)/bench/limits: $(LIMITS_SOURCES:%.c=$(L)/obj/%.o)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_LINUX) $^ -o $@

$(L)/bench/flow: $(FLOW_L) $(L)/lib/libnetmap.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_LINUX) $^ -lpthread -ldl -o $@

.PHONY: bench
bench: $(L)/bench/limits $(L)/bench/flow $(L)/bin/netmapd
	bench/bench.sh --build $(L) --output build/bench $(BENCH_ARGS)
