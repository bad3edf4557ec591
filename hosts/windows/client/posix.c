/* open, close, ioctl, mmap and munmap of netmap descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <net/netmap.h>
#include <net/netmap_legacy.h>
#include <netmap_posix.h>

#include "client.h"
#include "core/errors.h"
#include "core/request.h"
#include "hosts/windows/protocol.h"

#define DEVICE_NAME "/dev/netmap"

static int fail(int error_number, const char *message)
{
    nm_client_message("%s", message);
    return nm_client_fail(error_number);
}

int nm_posix_open(const char *path, int flags)
{
    HANDLE device;
    int fd;

    nm_client_message("%s", "");
    if (path == NULL || strcmp(path, DEVICE_NAME) != 0)
        return nm_client_fail(ENOENT);
    if ((flags & (_O_RDONLY | _O_WRONLY | _O_RDWR)) != _O_RDWR)
        return fail(EACCES, "/dev/netmap must be opened with O_RDWR");
    device = nm_client_device_open();
    if (device == INVALID_HANDLE_VALUE)
        return -1;
    fd = nm_client_add(device);
    if (fd < 0)
        CloseHandle(device);
    return fd;
}

int nm_posix_close(int fd)
{
    return nm_client_remove(fd) ? 0 : nm_client_fail(EBADF);
}

int nm_posix_is_netmap(int fd)
{
    struct nm_client_descriptor *descriptor = nm_client_get(fd);

    if (descriptor == NULL)
        return 0;
    nm_client_put(descriptor);
    return 1;
}

/* The C library's names, for programs that open "/dev/netmap": what is not ours goes to the
 * library. The linker takes these from libnetmap before it comes to the C library. */
int open(const char *path, int flags, ...)
{
    va_list arguments;
    int mode = 0;

    if (path != NULL && strcmp(path, DEVICE_NAME) == 0)
        return nm_posix_open(path, flags);
    if ((flags & _O_CREAT) != 0) {
        va_start(arguments, flags);
        mode = va_arg(arguments, int);
        va_end(arguments);
    }
    return _open(path, flags, mode);
}

int close(int fd)
{
    return nm_posix_is_netmap(fd) ? nm_posix_close(fd) : _close(fd);
}

/* Send a packed request; 0 with the reply in *request, or errno's number. */
static int transact(HANDLE device, struct nm_request *request)
{
    uint32_t size = request->size;
    DWORD written;
    DWORD error =
        nm_client_device_call(device, NETMAP_WIN_CONTROL, request, size, request, size, &written);

    nm_client_message("%s", "");
    if (error != 0)
        return nm_client_errno_of_system(error);
    if (written < offsetof(struct nm_request, u))
        return EIO;
    if (request->error == 0)
        return 0;
    request->message[sizeof(request->message) - 1] = 0;
    nm_client_message("%s", request->message);
    return 0;
}

/* The statuses of options are errors too, and go to the program as its C library numbers them. */
static void translate_statuses(struct nm_request *request)
{
    uint64_t at = request->u.header.nr_options;

    /* A reply lists no more options than fit into it. */
    for (size_t i = 0; i < sizeof(request->payload) / sizeof(struct nmreq_option) &&
                       at >= offsetof(struct nm_request, payload) && at % 8 == 0 &&
                       at + sizeof(struct nmreq_option) <= sizeof(*request);
         i++) {
        struct nmreq_option *option = (struct nmreq_option *)(void *)((uint8_t *)request + at);

        if (option->nro_status != 0)
            option->nro_status = (uint32_t)nm_client_errno((int)option->nro_status);
        at = option->nro_next;
    }
}

int netmap_win_control(void *device, struct nmreq_header *header)
{
    struct nm_request request;
    int error;

    if (header == NULL)
        return EFAULT;
    error = nm_request_pack(&request, header);
    if (error != 0) {
        nm_client_message("request %u, API version %u: %s", header->nr_reqtype,
                          header->nr_version, nm_request_problem(header, error));
        return nm_client_errno(error);
    }
    error = transact(device, &request);
    if (error != 0)
        return error;
    translate_statuses(&request);
    nm_request_unpack(&request, header);
    return request.error != 0 ? nm_client_errno(request.error) : 0;
}

static int legacy(HANDLE device, enum nm_request_op op, struct nmreq *argument)
{
    struct nm_request request;
    int error;

    if (argument == NULL)
        return EFAULT;
    nm_request_pack_legacy(&request, op, argument);
    error = transact(device, &request);
    if (error != 0)
        return error;
    *argument = request.u.legacy;
    return request.error != 0 ? nm_client_errno(request.error) : 0;
}

/* 0, or errno's number. */
static int sync(HANDLE device, DWORD code)
{
    DWORD error = nm_client_device_call(device, code, NULL, 0, NULL, 0, NULL);

    if (error == 0)
        return 0;
    nm_client_message("%s", error == ERROR_DEVICE_NOT_CONNECTED
                                ? "the descriptor is bound to no port: register it first"
                                : "");
    return nm_client_errno_of_system(error);
}

int nm_posix_ioctl(int fd, unsigned long request, void *argument)
{
    struct nm_client_descriptor *descriptor = nm_client_get(fd);
    int error;

    if (descriptor == NULL)
        return nm_client_fail(EBADF);
    switch (request) {
    case NIOCTXSYNC:
        error = sync(descriptor->device, NETMAP_WIN_TXSYNC);
        break;
    case NIOCRXSYNC:
        error = sync(descriptor->device, NETMAP_WIN_RXSYNC);
        break;
    case NIOCCTRL:
        error = netmap_win_control(descriptor->device, argument);
        break;
    case NIOCREGIF:
        error = legacy(descriptor->device, NM_OP_REGIF, argument);
        break;
    case NIOCGINFO:
        error = legacy(descriptor->device, NM_OP_GINFO, argument);
        break;
    default:
        error = ENOTTY;
        break;
    }
    nm_client_put(descriptor);
    return error == 0 ? 0 : nm_client_fail(error);
}

int netmap_get_counters(int fd, const char *port, int is_tx, unsigned ring,
                        struct netmap_counters *counters)
{
    struct nm_client_descriptor *descriptor = nm_client_get(fd);
    struct nm_request request;
    int error;

    if (descriptor == NULL)
        return nm_client_fail(EBADF);
    nm_request_pack_counters(&request, port, is_tx != 0, ring);
    error = transact(descriptor->device, &request);
    nm_client_put(descriptor);
    if (error == 0 && request.error != 0)
        error = nm_client_errno(request.error);
    if (error != 0)
        return nm_client_fail(error);
    *counters = request.u.counters.counters;
    return 0;
}

const char *netmap_drop_name(unsigned cause)
{
    return nm_drop_cause_name(cause);
}

void *netmap_win_open(void)
{
    return nm_client_device_open();
}

void *netmap_win_handle(int fd)
{
    struct nm_client_descriptor *descriptor = nm_client_get(fd);
    HANDLE device = INVALID_HANDLE_VALUE;

    if (descriptor != NULL) {
        device = descriptor->device;
        nm_client_put(descriptor);
    }
    return device;
}

static void *map_anonymous(size_t length)
{
    void *memory = VirtualAlloc(NULL, length, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    if (memory != NULL)
        return memory;
    errno = ENOMEM;
    return MAP_FAILED;
}

static void *map_region(HANDLE device, size_t length, uint64_t offset)
{
    struct netmap_win_map reply;
    DWORD written;
    DWORD error =
        nm_client_device_call(device, NETMAP_WIN_MAP, NULL, 0, &reply, sizeof(reply), &written);

    if (error != 0 || written != sizeof(reply)) {
        if (error == ERROR_ACCESS_DENIED)
            nm_client_message("another process registered this descriptor; register it here");
        errno = error != 0 ? nm_client_errno_of_system(error) : EIO;
        return MAP_FAILED;
    }
    if (length == 0 || offset > reply.size || length > reply.size - offset || offset % 4096 != 0) {
        nm_client_message("the region has %llu bytes, not %llu at offset %llu",
                          (unsigned long long)reply.size, (unsigned long long)length,
                          (unsigned long long)offset);
        errno = EINVAL;
        return MAP_FAILED;
    }
    return (void *)(uintptr_t)(reply.address + offset);
}

void *nm_posix_mmap(void *address, size_t length, int protection, int flags, int fd,
                    long long offset)
{
    struct nm_client_descriptor *descriptor;
    void *memory;

    (void)address; /* a hint */
    if ((flags & MAP_FIXED) != 0 || (protection & PROT_EXEC) != 0 || offset < 0) {
        errno = EINVAL;
        return MAP_FAILED;
    }
    if ((flags & MAP_ANONYMOUS) != 0)
        return map_anonymous(length);
    descriptor = nm_client_get(fd);
    if (descriptor == NULL) {
        errno = EBADF;
        return MAP_FAILED;
    }
    memory = map_region(descriptor->device, length, (uint64_t)offset);
    nm_client_put(descriptor);
    return memory;
}

int nm_posix_munmap(void *address, size_t length)
{
    MEMORY_BASIC_INFORMATION information;

    (void)length;
    if (VirtualQuery(address, &information, sizeof(information)) == 0)
        return nm_client_fail(EINVAL);
    /* Ours is private memory when it was anonymous. A region's view belongs to the driver, and may
     * be gone with its last descriptor already. */
    if (information.State == MEM_COMMIT && information.Type == MEM_PRIVATE &&
        information.AllocationBase == address && !VirtualFree(address, 0, MEM_RELEASE))
        return nm_client_fail(EINVAL);
    return 0;
}
