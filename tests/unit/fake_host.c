/* The fake host; see fake_host.h. */
#include "tests/unit/fake_host.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

struct fake_host fake;

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER; /* of the recordings */
static _Thread_local unsigned locks_held, mutexes_held;

static void broken(const char *rule)
{
    fprintf(stderr, "fake host: the core broke a rule: %s\n", rule);
    abort();
}

static void passive(const char *rule)
{
    if (locks_held > 0)
        broken(rule);
}

void fake_forget(void)
{
    memset(&fake, 0, sizeof(fake));
    locks_held = mutexes_held = 0;
}

void fake_reset(void)
{
    struct fake_host kept = fake;

    memset(&fake, 0, sizeof(fake));
    fake.now_ns = kept.now_ns;
    fake.blocks_alive = kept.blocks_alive;
    fake.segments_alive = kept.segments_alive;
    fake.locks_alive = kept.locks_alive;
    fake.starts = kept.starts;
    fake.stops = kept.stops;
}

void fake_fail_allocation(unsigned n, bool on)
{
    fake.allocations = 0;
    fake.failed = 0;
    fake.fail_at = n;
    fake.fail_on = on;
}

bool fake_woken(const struct nm_kring *kring)
{
    unsigned number = fake.wakes < FAKE_WAKES ? fake.wakes : FAKE_WAKES;

    for (unsigned i = 0; i < number; i++)
        if (fake.woken[i] == kring)
            return true;
    return false;
}

void fake_assert_empty(void)
{
    if (fake.blocks_alive != 0)
        broken("memory is left");
    if (fake.segments_alive != 0)
        broken("a segment is left");
    if (fake.locks_alive != 0)
        broken("a lock was not destroyed");
}

/* ---- memory ---- */

/* Is this allocation one of those that fail? */
static bool refuse(void)
{
    bool refused;

    pthread_mutex_lock(&guard);
    fake.allocations++;
    refused = fake.fail_at != 0 && (fake.allocations == fake.fail_at ||
                                    (fake.fail_on && fake.allocations > fake.fail_at));
    if (refused)
        fake.failed++;
    pthread_mutex_unlock(&guard);
    return refused;
}

static void count(unsigned *counter, int change)
{
    pthread_mutex_lock(&guard);
    *counter += (unsigned)change;
    pthread_mutex_unlock(&guard);
}

struct block {
    NM_ALIGNED(128) size_t size;
    uint64_t magic;
};
#define BLOCK_MAGIC 0x6b636f6c62207461ull

#define LARGE 65536 /* fresh pages are zeroed already */

void *nm_os_alloc(size_t size)
{
    size_t whole = sizeof(struct block) + (size == 0 ? 1 : size);
    struct block *block;

    passive("nm_os_alloc with a lock held");
    if (refuse())
        return NULL;
    if (size >= LARGE) {
        block = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED)
            return NULL;
    } else {
        if (posix_memalign((void **)&block, NM_LINE, whole) != 0)
            return NULL;
        memset(block, 0, whole);
    }
    block->size = size;
    block->magic = BLOCK_MAGIC;
    count(&fake.blocks_alive, 1);
    return block + 1;
}

void nm_os_free(void *memory, size_t size)
{
    struct block *block = (struct block *)memory - 1;

    passive("nm_os_free with a lock held");
    if (block->magic != BLOCK_MAGIC)
        broken("nm_os_free of what is not, or not any more, a block");
    if (block->size != size)
        broken("nm_os_free with another size than nm_os_alloc");
    if (size >= LARGE) {
        munmap(block, sizeof(*block) + size);
    } else {
        memset(block, 0xdb, sizeof(*block) + size); /* use after free shows */
        free(block);
    }
    count(&fake.blocks_alive, -1);
}

struct nm_os_segment {
    size_t size;
    uint8_t *mapping; /* with a page on either side that nobody may touch */
};

int nm_os_segment_create(struct nm_os_segment **result, size_t size, void **base)
{
    struct nm_os_segment *segment;

    passive("nm_os_segment_create with a lock held");
    if (size == 0 || size % NM_PAGE != 0)
        broken("a segment of no whole number of pages");
    if (refuse())
        return NM_ENOMEM;
    segment = malloc(sizeof(*segment));
    if (segment == NULL)
        return NM_ENOMEM;
    segment->size = size;
    segment->mapping = mmap(NULL, size + 2 * NM_PAGE, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (segment->mapping == MAP_FAILED ||
        mprotect(segment->mapping + NM_PAGE, size, PROT_READ | PROT_WRITE) != 0) {
        free(segment);
        return NM_ENOMEM;
    }
    count(&fake.segments_alive, 1);
    *result = segment;
    *base = segment->mapping + NM_PAGE;
    return 0;
}

void nm_os_segment_destroy(struct nm_os_segment *segment)
{
    passive("nm_os_segment_destroy with a lock held");
    munmap(segment->mapping, segment->size + 2 * NM_PAGE);
    free(segment);
    count(&fake.segments_alive, -1);
}

/* ---- locks ---- */

void nm_os_lock_init(struct nm_os_lock *lock)
{
    passive("nm_os_lock_init with a lock held");
    pthread_mutex_init(&lock->mutex, NULL);
    count(&fake.locks_alive, 1);
}

void nm_os_lock_destroy(struct nm_os_lock *lock)
{
    passive("nm_os_lock_destroy with a lock held");
    if (pthread_mutex_destroy(&lock->mutex) != 0)
        broken("nm_os_lock_destroy of a lock that is held");
    count(&fake.locks_alive, -1);
}

/* A sync holds the lock of a tx ring and of one rx ring at most. */
void nm_os_lock(struct nm_os_lock *lock)
{
    if (locks_held == 2)
        broken("three locks at once");
    pthread_mutex_lock(&lock->mutex);
    locks_held++;
}

void nm_os_unlock(struct nm_os_lock *lock)
{
    if (locks_held == 0)
        broken("nm_os_unlock without a lock");
    locks_held--;
    pthread_mutex_unlock(&lock->mutex);
}

void nm_os_mutex_init(struct nm_os_mutex *mutex)
{
    pthread_mutex_init(&mutex->mutex, NULL);
    count(&fake.locks_alive, 1);
}

void nm_os_mutex_destroy(struct nm_os_mutex *mutex)
{
    if (pthread_mutex_destroy(&mutex->mutex) != 0)
        broken("nm_os_mutex_destroy of a mutex that is held");
    count(&fake.locks_alive, -1);
}

void nm_os_mutex_lock(struct nm_os_mutex *mutex)
{
    passive("nm_os_mutex_lock with a lock held");
    pthread_mutex_lock(&mutex->mutex);
    mutexes_held++;
}

void nm_os_mutex_unlock(struct nm_os_mutex *mutex)
{
    passive("nm_os_mutex_unlock with a lock held");
    mutexes_held--;
    pthread_mutex_unlock(&mutex->mutex);
}

/* ---- time and threads ---- */

unsigned nm_os_cpu_hint(void)
{
    int here;

    return (unsigned)((uintptr_t)&here >> 20);
}

void nm_os_sleep_us(unsigned microseconds)
{
    struct timespec delay = {0, (long)microseconds * 1000};

    passive("nm_os_sleep_us with a lock held");
    nanosleep(&delay, NULL);
}

uint64_t nm_os_time_ns(void)
{
    return nm_load64(&fake.now_ns);
}

/* ---- what the core tells its host ---- */

/* Without the guard, and relaxed: the recordings must not order the threads that TSan watches. */
void nm_os_ring_wake(struct nm_kring *kring)
{
    unsigned number = __atomic_fetch_add(&fake.wakes, 1, __ATOMIC_RELAXED);

    __atomic_store_n(&fake.woken[number % FAKE_WAKES], kring, __ATOMIC_RELAXED);
}

void nm_os_rings_start(struct nm_adapter *adapter)
{
    passive("nm_os_rings_start with a lock held");
    if (mutexes_held != 1)
        broken("nm_os_rings_start without the control lock");
    if (adapter->os.served)
        broken("nm_os_rings_start twice");
    adapter->os.served = true;
    count(&fake.starts, 1);
}

void nm_os_rings_stop(struct nm_adapter *adapter)
{
    passive("nm_os_rings_stop with a lock held");
    if (mutexes_held != 1)
        broken("nm_os_rings_stop without the control lock");
    if (!adapter->os.served)
        broken("nm_os_rings_stop without start");
    adapter->os.served = false;
    count(&fake.stops, 1);
}

bool nm_os_may_use_nics(const struct nm_handle *handle)
{
    (void)handle;
    return fake.may_use_nics;
}

void nm_os_log(enum nm_log_level level, const char *format, ...)
{
    va_list arguments;

    pthread_mutex_lock(&guard);
    if (level == NM_LOG_ERROR)
        fake.errors++;
    else if (level == NM_LOG_WARNING)
        fake.warnings++;
    va_start(arguments, format);
    vsnprintf(fake.last_log, sizeof(fake.last_log), format, arguments);
    va_end(arguments);
    pthread_mutex_unlock(&guard);
}

int nm_os_vformat(char *text, size_t size, const char *format, va_list arguments)
{
    passive("nm_os_vformat with a lock held");
    return vsnprintf(text, size, format, arguments);
}
