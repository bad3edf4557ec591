# The lock-free code of the core, explored under a weak memory model. No sanitisers: threads here
# are coroutines, and the checker itself is what looks for races.

MODEL_OBJS := $(patsubst %.c,$(L)/obj/%.o,$(wildcard tests/model/*.c))

$(L)/obj/tests/model/%.o: SANFLAGS :=
$(L)/obj/tests/model/%.o: OPT := -O2 -g
$(L)/obj/tests/model/%.o: CFLAGS_LINUX += -Itests/model

$(L)/tests/test-model: $(MODEL_OBJS)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $^ -o $@

.PHONY: test-model
ifeq ($(SAN),)
TEST_TARGETS += test-model
endif
# The kills take most of the time; quick runs leave them out.
MODEL_TESTS ?= $(if $(NM_QUICK),litmus doors sharing host pipe epoch)

test-model: $(L)/tests/test-model
	$(L)/tests/test-model $(MODEL_TESTS)
