# The benchmark: this machine's limits and the programs that are measured against them.

LINUX_TARGETS += $(L)/bench/limits

$(L)/bench/limits: $(L)/obj/bench/limits.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_LINUX) $^ -o $@
