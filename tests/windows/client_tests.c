/* The client edge: POSIX calls on netmap descriptors. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libnetmap.h>
#include <netmap_posix.h>

#define FAILS(call, number)                                                                        \
    do {                                                                                           \
        errno = 0;                                                                                 \
        CHECK((call) == -1);                                                                       \
        CHECK_EQUAL(errno, (number));                                                              \
    } while (0)

static void wrong_calls(void)
{
    int fd = open("/dev/netmap", O_RDWR | O_CLOEXEC);
    struct nmreq_header header;

    CHECK(fd >= 0);
    CHECK(nm_posix_is_netmap(fd));
    FAILS(open("/dev/netmap", O_RDONLY), EACCES);
    FAILS(ioctl(fd, NIOCTXSYNC, NULL), ENXIO);
    FAILS(ioctl(fd, 12345, NULL), ENOTTY);
    FAILS(ioctl(fd, NIOCCTRL, NULL), EFAULT);
    FAILS(ioctl(1, NIOCTXSYNC, NULL), EBADF);
    errno = 0;
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    CHECK_EQUAL(errno, ENXIO);
    errno = 0;
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 1, 0) == MAP_FAILED);
    CHECK_EQUAL(errno, EBADF);

    memset(&header, 0, sizeof(header));
    header.nr_version = 9999;
    FAILS(ioctl(fd, NIOCCTRL, &header), EINVAL);
    CHECK_EQUAL(close(fd), 0);
    FAILS(close(fd), EBADF);
    FAILS(ioctl(fd, NIOCTXSYNC, NULL), EBADF);
}

/* The host's message comes with the failing request, and goes with the next that succeeds. */
static void messages(void)
{
    int fd = open("/dev/netmap", O_RDWR);
    struct nmreq_register body;
    struct nmreq_header header;

    memset(&body, 0, sizeof(body));
    body.nr_mode = NR_REG_ALL_NIC;
    memset(&header, 0, sizeof(header));
    header.nr_version = NETMAP_API;
    header.nr_reqtype = NETMAP_REQ_REGISTER;
    header.nr_body = (uintptr_t)&body;
    snprintf(header.nr_name, sizeof(header.nr_name), "nosuchnic");
    CHECK(ioctl(fd, NIOCCTRL, &header) == -1);
    printf("# errno %d: %s\n", errno, netmap_last_message());
    CHECK(strstr(netmap_last_message(), "nosuchnic") != NULL);
    snprintf(header.nr_name, sizeof(header.nr_name), "vale2:ok");
    CHECK_EQUAL(ioctl(fd, NIOCCTRL, &header), 0);
    CHECK_EQUAL(netmap_last_message()[0], 0);
    close(fd);
}

static void other_files(void)
{
    char path[MAX_PATH], byte = 'x';
    int fd;

    GetTempPathA(sizeof(path) - 20, path);
    strcat(path, "netmap-test.txt");
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK(!nm_posix_is_netmap(fd));
    CHECK_EQUAL(write(fd, &byte, 1), 1);
    CHECK_EQUAL(close(fd), 0);
    CHECK_EQUAL(unlink(path), 0);
}

static void anonymous_memory(void)
{
    char *memory = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(memory != MAP_FAILED);
    memory[9999] = 1;
    CHECK_EQUAL(munmap(memory, 10000), 0);
}

/* ---- poll ---- */

static struct nmport_d *ports[3];

static void open_ports(void)
{
    ports[0] = nmport_open("vale2:p0");
    ports[1] = nmport_open("vale2:p1");
    ports[2] = nmport_open("vale2:p2");
    CHECK(ports[0] != NULL && ports[1] != NULL && ports[2] != NULL);
}

static void close_ports(void)
{
    for (int i = 0; i < 3; i++)
        nmport_close(ports[i]);
}

static void send_from(struct nmport_d *d, unsigned last_byte)
{
    struct netmap_ring *ring = NETMAP_TXRING(d->nifp, 0);
    uint8_t *frame = (uint8_t *)NETMAP_BUF(ring, ring->slot[ring->head].buf_idx);

    memset(frame, 2, 60);
    frame[0] = 0xff;
    memset(frame, last_byte == 0 ? 0xff : 2, 6);
    frame[5] = (uint8_t)(last_byte == 0 ? 0xff : last_byte);
    ring->slot[ring->head].len = 60;
    ring->head = ring->cur = nm_ring_next(ring, ring->head);
    CHECK_EQUAL(ioctl(d->fd, NIOCTXSYNC, NULL), 0);
}

static DWORD WINAPI send_soon(LPVOID argument)
{
    Sleep(200);
    send_from(argument, 0);
    return 0;
}

static void fill_fds(struct pollfd fds[4])
{
    for (int i = 0; i < 3; i++)
        fds[i] = (struct pollfd){ports[i]->fd, POLLIN, 0x7f};
    fds[3] = (struct pollfd){-1, POLLIN, 0x7f};
}

static void poll_several(void)
{
    struct pollfd fds[4];
    ULONGLONG start;
    HANDLE thread;

    open_ports();
    fill_fds(fds);
    CHECK_EQUAL(poll(fds, 4, 0), 0);
    start = GetTickCount64();
    CHECK_EQUAL(poll(fds, 4, 300), 0);
    CHECK(GetTickCount64() - start >= 290 && GetTickCount64() - start < 3000);
    CHECK_EQUAL(fds[0].revents | fds[1].revents | fds[2].revents | fds[3].revents, 0);

    /* Woken by one that was not there when it began. A broadcast reaches ports 1 and 2. */
    thread = CreateThread(NULL, 0, send_soon, ports[0], 0, NULL);
    CHECK(poll(fds, 4, -1) >= 1);
    CHECK((fds[1].revents | fds[2].revents) & POLLIN);
    CHECK_EQUAL(fds[0].revents, 0);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    CHECK_EQUAL(poll(fds, 4, -1), 2);
    CHECK(fds[1].revents == POLLIN || fds[1].revents == (POLLIN & 0x7fff));

    /* Some ready, one not a descriptor: no waiting. */
    fds[0].events = POLLIN | POLLOUT;
    fds[3].fd = 12345;
    CHECK_EQUAL(poll(fds, 4, -1), 4);
    CHECK_EQUAL(fds[0].revents, POLLOUT);
    CHECK_EQUAL(fds[3].revents, POLLNVAL);
    close_ports();
}

static DWORD WINAPI close_soon(LPVOID argument)
{
    Sleep(200);
    CHECK_EQUAL(close((int)(intptr_t)argument), 0);
    return 0;
}

static void close_while_polling(void)
{
    int fd = open("/dev/netmap", O_RDWR);
    struct pollfd pollfd = {fd, POLLIN, 0};
    struct nmreq_register body;
    struct nmreq_header header;
    HANDLE thread;

    memset(&body, 0, sizeof(body));
    body.nr_mode = NR_REG_ALL_NIC;
    memset(&header, 0, sizeof(header));
    header.nr_version = NETMAP_API;
    header.nr_reqtype = NETMAP_REQ_REGISTER;
    header.nr_body = (uintptr_t)&body;
    snprintf(header.nr_name, sizeof(header.nr_name), "vale2:c");
    CHECK_EQUAL(ioctl(fd, NIOCCTRL, &header), 0);
    thread = CreateThread(NULL, 0, close_soon, (LPVOID)(intptr_t)fd, 0, NULL);
    CHECK_EQUAL(poll(&pollfd, 1, 10000), 1);
    CHECK_EQUAL(pollfd.revents, POLLNVAL);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

static void many_descriptors(void)
{
    static int fds[500];

    for (int i = 0; i < 500; i++) {
        fds[i] = open("/dev/netmap", O_RDWR);
        CHECK(fds[i] >= 0);
    }
    for (int i = 0; i < 500; i++)
        CHECK_EQUAL(close(fds[i]), 0);
}

void tests_client(void)
{
    test_run("client: wrong calls and their errno", wrong_calls);
    test_run("client: the message of a failing request", messages);
    test_run("client: other files", other_files);
    test_run("client: anonymous memory", anonymous_memory);
    test_run("client: poll over several descriptors", poll_several);
    test_run("client: closed by another thread while polling", close_while_polling);
    test_run("client: five hundred descriptors", many_descriptors);
}
