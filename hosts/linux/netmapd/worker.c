/*
 * The worker: moves frames between VALE ports, on one thread.
 *
 * A tx ring is either armed or active. Armed: nothing pending; its door asks for a ring at the
 * next frame, which comes as an event on the client's eventfd. Active: the worker looks at it in
 * every pass and its door asks for nothing. When a pass finds no work, and there was enough of it a
 * moment ago, the worker gives its CPU away for at most one window and looks in between; then it
 * arms all its rings and sleeps without a time limit: an idle netmapd never wakes.
 */
#include "hosts/linux/netmapd/netmapd.h"
#include "core/pipe.h"
#include "core/region.h"
#include "core/ring.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PASSES_PER_LOOK 16u /* looks at the eventfds while there is other work */
#define MAX_EVENTS      64
#define WINDOW_NS       100000 /* about two wake-ups of an idle CPU */
#define GATHER_NS       10000  /* in a window, slots that are too few for a batch wait for more */
#define BATCH           256u   /* slots that are enough */
#define BUSY_BATCH      64u    /* slots in the last pass that make a window worth while */
#define WAKE_SLOT       UINT32_MAX

/* Events name a watch by slot and generation: one fetched before its watch was removed is stale,
 * and seen to be so under the lock. */
struct watch {
    int event_fd;
    uint32_t generation;
    struct nm_adapter *adapter; /* NULL: a free slot */
};

static struct {
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;     /* the data path; see netmapd.h */
    pthread_cond_t resumed;   /* the control thread has what it wanted */
    atomic_int control_waits; /* control threads that want or have the lock */
    atomic_bool stop;
    int epoll_fd;
    int wake_fd;              /* to end a sleep from inside netmapd */
    struct nm_kring *active;
    uint32_t last_taken;      /* slots, in the last pass that found any */
    struct watch *watches;
    uint32_t num_watches;
} worker = {.lock = PTHREAD_MUTEX_INITIALIZER, .resumed = PTHREAD_COND_INITIALIZER,
            .epoll_fd = -1, .wake_fd = -1};

/* ---- waking programs ---- */

/* A program killed between its publication and its wake-up has silenced the bell and woken nobody:
 * wake whoever sleeps there, whatever the bell says. */
static void wake_after_death(struct nm_adapter *adapter)
{
    struct nm_bell *bell = nm_region_bell(adapter->region, adapter->bell);

    nm_store32(&bell->word, (nm_load32(&bell->word) | 1) + 1);
    syscall(SYS_futex, &bell->word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

void nm_os_ring_wake(struct nm_kring *kring)
{
    struct nm_bell *bell = nm_region_bell(kring->adapter->region, kring->adapter->bell);

    if (nm_bell_ring(bell))
        syscall(SYS_futex, &bell->word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

/* ---- rings ---- */

static bool pending(const struct nm_kring *kring)
{
    return nm_load64_acquire(&kring->door->head) != kring->head_count;
}

static void activate(struct nm_kring *kring)
{
    nm_door_disarm(&kring->door->head_event);
    kring->os.active = true;
    kring->os.next = worker.active;
    worker.active = kring;
}

/* Ask for a ring at the next frame; true when one is there already. */
static bool arm(struct nm_kring *kring)
{
    return nm_door_arm(&kring->door->head_event, kring->head_count + 1, &kring->door->head) ||
           pending(kring); /* a count that ran backwards is dealt with by the next sync */
}

static void look_at(struct nm_adapter *adapter)
{
    for (uint32_t i = 0; i < adapter->geometry.num_rings[NM_TX]; i++) {
        struct nm_kring *kring = &adapter->krings[NM_TX][i];

        if (!kring->os.active && pending(kring))
            activate(kring);
        else if (!kring->os.active && arm(kring)) /* a client took the event back in vain */
            activate(kring);
    }
}

/* Collect rings of the bell; wait for one, or only look. */
static void look_at_events(bool wait)
{
    struct epoll_event events[MAX_EVENTS];
    uint64_t ignored;
    int number = epoll_wait(worker.epoll_fd, events, MAX_EVENTS, wait ? -1 : 0);

    if (number <= 0)
        return;
    pthread_mutex_lock(&worker.lock);
    for (int i = 0; i < number; i++) {
        uint32_t slot = (uint32_t)events[i].data.u64;
        uint32_t generation = (uint32_t)(events[i].data.u64 >> 32);

        if (slot == WAKE_SLOT)
            (void)!read(worker.wake_fd, &ignored, sizeof(ignored));
        else if (worker.watches[slot].generation == generation &&
                 worker.watches[slot].adapter != NULL)
            look_at(worker.watches[slot].adapter);
    }
    pthread_mutex_unlock(&worker.lock);
}

/* Let the control thread in; it counts itself before it takes the lock and signals when it is done.
 * (Unlocking and locking again would not do: on a busy machine the worker would win every time.) */
static void give_way(void)
{
    while (atomic_load(&worker.control_waits) > 0)
        pthread_cond_wait(&worker.resumed, &worker.lock);
}

/* One round over the active rings; true when any had work. */
static bool pass(void)
{
    uint32_t taken = 0;

    for (struct nm_kring *kring = worker.active; kring != NULL; kring = kring->os.next)
        taken += nm_kring_run(kring, kring->adapter->core->config.bridge_batch);
    if (taken > 0)
        worker.last_taken = taken;
    return taken > 0;
}

static uint64_t all_pending(void)
{
    uint64_t slots = 0;

    for (const struct nm_kring *kring = worker.active; kring != NULL; kring = kring->os.next)
        slots += nm_load64_acquire(&kring->door->head) - kring->head_count;
    return slots;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Give the CPU away to whoever wants it, and look in between. True when there is work. */
static bool yield_window(void)
{
    int64_t start = now_ns(), elapsed;
    uint64_t slots;

    do {
        pthread_mutex_unlock(&worker.lock);
        sched_yield();
        pthread_mutex_lock(&worker.lock);
        give_way();
        slots = all_pending();
        elapsed = now_ns() - start;
        if (slots >= BATCH || (slots > 0 && elapsed >= GATHER_NS))
            break;
    } while (elapsed < WINDOW_NS);
    return slots > 0;
}

/* Arm every active ring that has nothing pending. */
static void arm_active(void)
{
    struct nm_kring **link = &worker.active;

    while (*link != NULL) {
        struct nm_kring *kring = *link;

        if (arm(kring)) {
            nm_door_disarm(&kring->door->head_event);
            link = &kring->os.next;
        } else {
            *link = kring->os.next;
            kring->os.active = false;
        }
    }
}

static void sleep_until_work(void)
{
    if (worker.active != NULL && worker.last_taken >= BUSY_BATCH && yield_window())
        return;
    arm_active();
    if (worker.active != NULL)
        return;
    pthread_mutex_unlock(&worker.lock);
    look_at_events(true);
    pthread_mutex_lock(&worker.lock);
}

static void *worker_main(void *unused)
{
    struct sched_param parameters = {0};
    unsigned passes = 0;

    (void)unused;
    prctl(PR_SET_NAME, "netmapd-worker");
    sched_setscheduler(0, SCHED_BATCH, &parameters); /* no wake-up preemption of programs */
    pthread_mutex_lock(&worker.lock);
    while (!atomic_load(&worker.stop)) {
        if (!pass()) {
            sleep_until_work();
        } else if (++passes % PASSES_PER_LOOK == 0) {
            pthread_mutex_unlock(&worker.lock);
            look_at_events(false);
            pthread_mutex_lock(&worker.lock);
        }
        give_way();
    }
    pthread_mutex_unlock(&worker.lock);
    return NULL;
}

/* ---- for the control thread ---- */

static void kick_worker(void)
{
    uint64_t one = 1;

    (void)!write(worker.wake_fd, &one, sizeof(one));
}

void worker_pause(void)
{
    atomic_fetch_add(&worker.control_waits, 1);
    pthread_mutex_lock(&worker.lock);
}

void worker_resume(void)
{
    if (atomic_fetch_sub(&worker.control_waits, 1) == 1)
        pthread_cond_signal(&worker.resumed);
    pthread_mutex_unlock(&worker.lock);
}

void nm_os_rings_start(struct nm_adapter *adapter)
{
    if (adapter->kind != NM_PORT_VALE)
        return; /* the ends of a pipe serve themselves */
    worker_pause();
    adapter->os.served = true;
    for (uint32_t i = 0; i < adapter->geometry.num_rings[NM_TX]; i++)
        if (arm(&adapter->krings[NM_TX][i]))
            activate(&adapter->krings[NM_TX][i]);
    worker_resume();
}

static void forget(struct nm_kring *kring)
{
    struct nm_kring **link;

    for (link = &worker.active; *link != NULL; link = &(*link)->os.next) {
        if (*link == kring) {
            *link = kring->os.next;
            break;
        }
    }
    kring->os.active = false;
}

void nm_os_rings_stop(struct nm_adapter *adapter)
{
    if (adapter->kind == NM_PORT_PIPE && adapter->pipe->ends[!adapter->pipe_role]->active > 0)
        wake_after_death(adapter->pipe->ends[!adapter->pipe_role]);
    if (!adapter->os.served)
        return;
    worker_pause();
    adapter->os.served = false;
    for (uint32_t i = 0; i < adapter->geometry.num_rings[NM_TX]; i++)
        forget(&adapter->krings[NM_TX][i]);
    worker_resume();
}

/* A free slot, enlarging the table when there is none; WAKE_SLOT when out of memory. */
static uint32_t find_slot(void)
{
    uint32_t number = worker.num_watches == 0 ? 64 : 2 * worker.num_watches;
    struct watch *larger;

    for (uint32_t i = 0; i < worker.num_watches; i++)
        if (worker.watches[i].adapter == NULL)
            return i;
    larger = realloc(worker.watches, number * sizeof(*larger));
    if (larger == NULL)
        return WAKE_SLOT;
    memset(larger + worker.num_watches, 0, (number - worker.num_watches) * sizeof(*larger));
    worker.watches = larger;
    number = worker.num_watches;
    worker.num_watches = number == 0 ? 64 : 2 * number;
    return number;
}

int worker_watch(int event_fd, struct nm_adapter *adapter)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    uint32_t slot;
    int result = -1;

    worker_pause();
    slot = find_slot();
    if (slot != WAKE_SLOT) {
        struct watch *watch = &worker.watches[slot];

        event.data.u64 = slot | (uint64_t)(watch->generation + 1) << 32;
        if (epoll_ctl(worker.epoll_fd, EPOLL_CTL_ADD, event_fd, &event) == 0) {
            watch->generation++;
            watch->event_fd = event_fd;
            watch->adapter = adapter;
            result = (int)slot;
        }
    }
    worker_resume();
    return result;
}

void worker_unwatch(int watch)
{
    worker_pause();
    epoll_ctl(worker.epoll_fd, EPOLL_CTL_DEL, worker.watches[watch].event_fd, NULL);
    worker.watches[watch].adapter = NULL;
    worker_resume();
}

int worker_start(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE_SLOT};

    worker.active = NULL;
    atomic_store(&worker.stop, false);
    worker.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    worker.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker.epoll_fd < 0 || worker.wake_fd < 0 ||
        epoll_ctl(worker.epoll_fd, EPOLL_CTL_ADD, worker.wake_fd, &event) != 0)
        return -1;
    if (pthread_create(&worker.thread, NULL, worker_main, NULL) != 0)
        return -1;
    worker.running = true;
    return 0;
}

void worker_stop(void)
{
    if (worker.running) {
        atomic_store(&worker.stop, true);
        kick_worker();
        pthread_join(worker.thread, NULL);
        worker.running = false;
    }
    if (worker.epoll_fd >= 0)
        close(worker.epoll_fd);
    if (worker.wake_fd >= 0)
        close(worker.wake_fd);
    worker.epoll_fd = -1;
    worker.wake_fd = -1;
    free(worker.watches);
    worker.watches = NULL;
    worker.num_watches = 0;
}
