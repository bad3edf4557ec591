# Unit tests: the core on a fake host, and libnetmap on a host of one page (test_spec, test_ports).

UNIT_LIB_TESTS  := test_spec test_ports
UNIT_CORE_TESTS := $(filter-out $(UNIT_LIB_TESTS),$(basename $(notdir $(wildcard tests/unit/test_*.c))))
UNIT_PROGRAMS   := $(addprefix $(L)/tests/unit/,$(UNIT_LIB_TESTS) $(UNIT_CORE_TESTS))

UNIT_LIB_OBJS  := $(LIBNETMAP_SRCS:%.c=$(L)/obj/%.o)
# The client edge's ring code needs no host; it drives the rings of cores with doors.
UNIT_CORE_OBJS := $(patsubst %.c,$(L)/obj/%.o,$(CORE_SRCS) hosts/linux/client/sync.c \
                    tests/unit/edge_on_core.c tests/unit/fake_host.c tests/unit/ports.c)

# The types of nm_os_types.h are netmapd's: the core's objects are the same.
$(L)/obj/tests/unit/%.o: CFLAGS_LINUX += -Ihosts/linux/netmapd

$(UNIT_LIB_TESTS:%=$(L)/tests/unit/%): $(L)/tests/unit/%: $(L)/obj/tests/unit/%.o $(UNIT_LIB_OBJS)
$(UNIT_CORE_TESTS:%=$(L)/tests/unit/%): $(L)/tests/unit/%: $(L)/obj/tests/unit/%.o $(UNIT_CORE_OBJS)
$(UNIT_PROGRAMS):
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_LINUX) $^ -lcmocka -lpthread -ldl -o $@

.PHONY: test-unit unit-programs
TEST_TARGETS += test-unit
unit-programs: $(UNIT_PROGRAMS)
test-unit: unit-programs
	@tests/unit/run.sh $(UNIT_PROGRAMS)
