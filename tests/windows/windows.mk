# Tests of netmap.sys under Wine, and the demo.

ifneq ($(HAVE_WINCC),)

DRIVER_TEST_SRCS := $(addprefix tests/windows/,harness.c device.c port.c process.c loader_tests.c \
        control_tests.c wait_tests.c memory_tests.c process_tests.c client_tests.c \
        driver_parts_tests.c)
DRIVER_TEST_OBJS := $(DRIVER_TEST_SRCS:%.c=$(W)/obj/%.o)

$(DRIVER_TEST_OBJS): CFLAGS_WIN += -Iinclude/windows -D__USE_MINGW_ANSI_STDIO=1

$(W)/obj/tests/windows/driver_parts_tests.o: CFLAGS_WIN += -Ihosts/windows/netmap

# memcpy and its kin of the driver beside those of the C library.
$(W)/obj/tests/windows/runtime.o: hosts/windows/netmap/runtime.c
	@mkdir -p $(@D)
	$(WINCC) $(CFLAGS_WIN) -Wno-missing-prototypes -fno-builtin \
	    -fno-tree-loop-distribute-patterns -Dmemset=driver_memset -Dmemcpy=driver_memcpy \
	    -Dmemmove=driver_memmove -Dmemcmp=driver_memcmp -MMD -MP -c $< -o $@

DRIVER_PARTS := $(W)/obj/tests/windows/runtime.o $(W)/obj/hosts/windows/netmap/text.o \
        $(W)/obj/hosts/windows/netmap/guard.o

$(W)/tests/driver-test.exe: $(DRIVER_TEST_OBJS) $(DRIVER_PARTS) $(W)/lib/libnetmap.a
	@mkdir -p $(@D)
	$(WINCC) -static $^ -ladvapi32 -o $@

# Two files that cannot be loaded: a driver that refuses, and one that is no driver.
$(W)/tests/broken.sys: $(W)/obj/tests/windows/broken_driver.o
	@mkdir -p $(@D)
	$(WINCC) -shared -nostdlib -s -Wl,--subsystem,native -Wl,--entry,DriverEntry -o $@ $^

$(W)/tests/nodriver.sys:
	@mkdir -p $(@D)
	echo 'This is no driver.' > $@

WINDOWS_TEST_FILES := $(W)/netmap.sys $(W)/bin/nm-loader.exe $(W)/tests/driver-test.exe \
        $(W)/tests/broken.sys $(W)/tests/nodriver.sys

.PHONY: test-windows demo-windows
test-windows: $(WINDOWS_TEST_FILES)
	tests/windows/run.sh

demo-windows: $(W)/netmap.sys $(W)/bin/nm-loader.exe $(W)/bin/pkt-gen.exe
	tests/windows/demo-windows.sh

ifneq ($(shell command -v wine64 || ls /usr/lib/wine/wine64 2>/dev/null || command -v wine),)
TEST_TARGETS += test-windows
endif

endif
