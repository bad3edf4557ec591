# libnetmap, and the compile-time test of the public headers.
#
# LIBNETMAP_SRCS is for whoever links: on Linux hosts/linux/linux.mk puts the client edge beside it,
# on Windows hosts/windows/windows.mk makes an archive.

LIBNETMAP_SRCS := lib/nmctx.c lib/nmreq.c lib/nmreq_options.c lib/nmport.c lib/nmport_options.c

# <sys/ioctl.h>, <sys/mman.h> ... for netmap descriptors.
$(W)/obj/lib/%.o: CFLAGS_WIN += -Iinclude/windows

CHECK_TARGETS += abi-check
ABI_WARN := -Wall -Wextra -Werror -Wconversion -Wshadow -Wundef -pedantic -fsyntax-only -Iinclude
ABI_SRC  := lib/abi_check.c

.PHONY: abi-check
abi-check:
	@lib/abi-check.sh '$(CC)' '$(WINCC)' $(ABI_SRC) $(ABI_WARN)
