/*
 * The host as a thread of the test's process, for TSan, which cannot see across processes.
 *
 * Stands around the conformance suite's main(): starts netmapd_run() in a directory of its own,
 * lets the tests run, ends it, and judges how it ended. The tests are its clients, over the real
 * protocol: sockets, memory passed as descriptors, doors, futexes, eventfds.
 *
 * As between processes, each side maps a region at an address of its own. TSan then sees what
 * threads share privately (the core's and the edges' structures and locks), but not the region,
 * whose bytes it takes for different ones. NM_ONE_MAPPING=1 gives the clients the host's own
 * mapping instead, so that TSan judges the region's words and frames too; only for tests of which
 * each keeps to the rules, because a hostile client races by design.
 */
#include "hosts/linux/client/edge.h"
#include "hosts/linux/client/real.h"
#include "hosts/linux/netmapd/netmapd.h"
#include "hosts/linux/protocol.h"

#include <errno.h>
#include <pthread.h>
#include <sanitizer/tsan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SEGMENTS 4096

/* ---- regions (see the linker's --wrap) ---- */

int __real_nm_os_segment_create(struct nm_os_segment **result, size_t size, void **base);
int __wrap_nm_os_segment_create(struct nm_os_segment **result, size_t size, void **base);
void __real_nm_os_segment_destroy(struct nm_os_segment *segment);
void __wrap_nm_os_segment_destroy(struct nm_os_segment *segment);
void *__wrap_real_mmap(void *address, size_t length, int protection, int flags, int fd,
                       off_t offset);
int __wrap_real_munmap(void *address, size_t length);
int __real_edge_mmap(struct edge *edge, size_t length, void **address);
int __wrap_edge_mmap(struct edge *edge, size_t length, void **address);
bool __real_edge_munmap(void *address, size_t length, int *error);
bool __wrap_edge_munmap(void *address, size_t length, int *error);

static bool one_mapping;

static struct {
    pthread_mutex_t lock;
    struct {
        ino_t inode;
        void *base; /* NULL: a free entry */
    } segments[MAX_SEGMENTS];
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static ino_t inode_of(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

static void remember(ino_t inode, void *base)
{
    pthread_mutex_lock(&table.lock);
    for (size_t i = 0; i < MAX_SEGMENTS; i++) {
        if (table.segments[i].base == NULL) {
            table.segments[i].inode = inode;
            table.segments[i].base = base;
            break;
        }
    }
    pthread_mutex_unlock(&table.lock);
}

static void forget(ino_t inode)
{
    pthread_mutex_lock(&table.lock);
    for (size_t i = 0; i < MAX_SEGMENTS; i++)
        if (table.segments[i].base != NULL && table.segments[i].inode == inode)
            table.segments[i].base = NULL;
    pthread_mutex_unlock(&table.lock);
}

static void *base_of(ino_t inode)
{
    void *base = NULL;

    pthread_mutex_lock(&table.lock);
    for (size_t i = 0; i < MAX_SEGMENTS; i++)
        if (table.segments[i].base != NULL && table.segments[i].inode == inode)
            base = table.segments[i].base;
    pthread_mutex_unlock(&table.lock);
    return base;
}

int __wrap_nm_os_segment_create(struct nm_os_segment **result, size_t size, void **base)
{
    int error = __real_nm_os_segment_create(result, size, base);
    struct segment_view view;

    if (error == 0 && one_mapping) {
        os_segment_view(*result, &view);
        remember(inode_of(view.fd), *base);
    }
    return error;
}

void __wrap_nm_os_segment_destroy(struct nm_os_segment *segment)
{
    struct segment_view view;

    if (one_mapping) {
        os_segment_view(segment, &view);
        forget(inode_of(view.fd));
    }
    __real_nm_os_segment_destroy(segment);
}

/* The client edge's mappings, through the functions that TSan watches; the edge's own go past. */
void *__wrap_real_mmap(void *address, size_t length, int protection, int flags, int fd,
                       off_t offset)
{
    void *base = one_mapping && fd >= 0 ? base_of(inode_of(fd)) : NULL;

    return base != NULL ? base : mmap(address, length, protection, flags, fd, offset);
}

/* The host's mapping goes with the region: the descriptor that holds it is closed after this. */
int __wrap_real_munmap(void *address, size_t length)
{
    return one_mapping ? 0 : munmap(address, length);
}

/* The edge knows mappings by their addresses, which are the same for all here: the program's own
 * are not counted. */
int __wrap_edge_mmap(struct edge *edge, size_t length, void **address)
{
    if (!one_mapping)
        return __real_edge_mmap(edge, length, address);
    pthread_mutex_lock(&edge->lock);
    *address = edge->bound ? edge->map->base : NULL;
    pthread_mutex_unlock(&edge->lock);
    return *address != NULL ? 0 : EINVAL;
}

bool __wrap_edge_munmap(void *address, size_t length, int *error)
{
    if (!one_mapping)
        return __real_edge_munmap(address, length, error);
    *error = 0;
    return true;
}

/* ---- closing ---- */

int __real_real_close(int fd);
int __wrap_real_close(int fd);
void __real_nm_handle_close(struct nm_handle *handle);
void __wrap_nm_handle_close(struct nm_handle *handle);

static char closing;

/* What a program did comes before the end of its connection, and the host's clean-up after it. TSan
 * does not know that of a close and an epoll_wait at the other side. */
int __wrap_real_close(int fd)
{
    __tsan_release(&closing);
    return __real_real_close(fd);
}

void __wrap_nm_handle_close(struct nm_handle *handle)
{
    __tsan_acquire(&closing);
    __real_nm_handle_close(handle);
}

/* ---- the host ---- */

int __real_main(int argc, char **argv);
int __wrap_main(int argc, char **argv);

static struct netmapd_options options = {.foreground = true};

static void *run_host(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)netmapd_run(&options);
}

/* Start it and wait until it accepts connections: its end of a pipe closes. */
static bool start_host(pthread_t *thread)
{
    int ready[2];
    char byte;

    if (pipe(ready) != 0)
        return false;
    options.ready_fd = ready[1];
    if (pthread_create(thread, NULL, run_host, NULL) != 0)
        return false;
    while (read(ready[0], &byte, 1) < 0 && errno == EINTR)
        ;
    close(ready[0]);
    return true;
}

int __wrap_main(int argc, char **argv)
{
    const char *mode = getenv("NM_ONE_MAPPING");
    pthread_t thread;
    void *end = NULL;
    int status;

    one_mapping = mode != NULL && strcmp(mode, "1") == 0;
    snprintf(options.directory, sizeof(options.directory), "/tmp/netmap-threads-XXXXXX");
    if (mkdtemp(options.directory) == NULL || setenv("NETMAP_DIR", options.directory, 1) != 0 ||
        setenv("NETMAPD", "/nonexistent", 1) != 0 || /* the one in this process is the only one */
        !start_host(&thread)) {
        fprintf(stderr, "threads: the host cannot be started: %s\n", strerror(errno));
        return 1;
    }
    status = __real_main(argc, argv);
    netmapd_stop();
    pthread_join(thread, &end);
    if (end != NULL) { /* 3: something was not released */
        printf("# the host ended with status %d\n", (int)(intptr_t)end);
        status = 1;
    }
    return status;
}
