/* core/os.h for netmapd: memory, sealed segments, locks, time, log. */
#include "hosts/linux/netmapd/netmapd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

void *nm_os_alloc(size_t size)
{
    void *memory = NULL;

    /* Large blocks come as fresh zero pages that cost nothing until used. */
    if (size >= 1u << 16) {
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return memory == MAP_FAILED ? NULL : memory;
    }
    if (posix_memalign(&memory, NM_LINE, size == 0 ? 1 : size) != 0)
        return NULL;
    return memset(memory, 0, size);
}

void nm_os_free(void *memory, size_t size)
{
    if (size >= 1u << 16)
        munmap(memory, size);
    else
        free(memory);
}

struct nm_os_segment {
    int fd;
    size_t size;
    void *base;
};

int nm_os_segment_create(struct nm_os_segment **result, size_t size, void **base)
{
    struct nm_os_segment *segment = malloc(sizeof(*segment));

    if (segment == NULL)
        return NM_ENOMEM;
    segment->size = size;
    segment->fd = memfd_create("netmap-region", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (segment->fd < 0)
        goto fail;
    /* Sealed in size: a program that shrank it would make us fault on our own rings. */
    if (ftruncate(segment->fd, (off_t)size) != 0 ||
        fcntl(segment->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        goto fail_fd;
    segment->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, segment->fd, 0);
    if (segment->base == MAP_FAILED)
        goto fail_fd;
    *result = segment;
    *base = segment->base;
    return 0;
fail_fd:
    close(segment->fd);
fail:
    nm_os_log(NM_LOG_WARNING, "a region of %zu bytes: %s", size, strerror(errno));
    free(segment);
    return NM_ENOMEM;
}

void nm_os_segment_destroy(struct nm_os_segment *segment)
{
    munmap(segment->base, segment->size);
    close(segment->fd);
    free(segment);
}

void os_segment_view(const struct nm_os_segment *segment, struct segment_view *view)
{
    view->fd = segment->fd;
    view->size = segment->size;
}

void nm_os_lock_init(struct nm_os_lock *lock)
{
    pthread_mutex_init(&lock->mutex, NULL);
}
void nm_os_lock_destroy(struct nm_os_lock *lock)
{
    pthread_mutex_destroy(&lock->mutex);
}
void nm_os_lock(struct nm_os_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
}
void nm_os_unlock(struct nm_os_lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}
void nm_os_mutex_init(struct nm_os_mutex *mutex)
{
    pthread_mutex_init(&mutex->mutex, NULL);
}
void nm_os_mutex_destroy(struct nm_os_mutex *mutex)
{
    pthread_mutex_destroy(&mutex->mutex);
}
void nm_os_mutex_lock(struct nm_os_mutex *mutex)
{
    pthread_mutex_lock(&mutex->mutex);
}
void nm_os_mutex_unlock(struct nm_os_mutex *mutex)
{
    pthread_mutex_unlock(&mutex->mutex);
}

/* One worker and one control thread: the number of the thread's creation would do; the address of
 * a thread's stack does as well and costs nothing. */
unsigned nm_os_cpu_hint(void)
{
    int here;

    return (unsigned)((uintptr_t)&here >> 20);
}

void nm_os_sleep_us(unsigned microseconds)
{
    struct timespec delay = {microseconds / 1000000, (long)(microseconds % 1000000) * 1000};

    nanosleep(&delay, NULL);
}

uint64_t nm_os_time_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool nm_os_may_use_nics(const struct nm_handle *handle)
{
    (void)handle;
    return false; /* no NIC back end in this host yet */
}

static FILE *log_file;
static unsigned log_verbose;

void os_log_open(const char *path, unsigned verbose)
{
    log_verbose = verbose;
    if (path != NULL)
        log_file = fopen(path, "ae");
}

void nm_os_log(enum nm_log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    FILE *out = log_file != NULL ? log_file : stderr;
    struct timespec now;
    char text[512];
    va_list arguments;

    if (level > NM_LOG_INFO && log_verbose == 0)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    clock_gettime(CLOCK_REALTIME, &now);
    fprintf(out, "%lld.%03ld netmapd[%d] %s: %s\n", (long long)now.tv_sec,
            now.tv_nsec / 1000000, (int)getpid(), names[level], text);
    fflush(out);
}

int nm_os_vformat(char *text, size_t size, const char *format, va_list arguments)
{
    return vsnprintf(text, size, format, arguments);
}
