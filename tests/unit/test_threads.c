/*
 * The core under several threads at once, on one mapping of each region: made for TSan
 * (make SAN=tsan test-unit), which takes two mappings of one memory for two memories and so cannot
 * judge doors and pipes between a real netmapd and its clients. Here programs touch slots and
 * buffers with plain loads and stores, and nothing but head, tail and the doors orders them.
 *
 * Without doors each program syncs in its own thread, as in a driver. With doors the programs run
 * the Linux client edge, and a thread of the test is netmapd's worker.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <sched.h>

#define WISH(...) ((struct nmreq_register){.nr_mode = NR_REG_ALL_NIC, __VA_ARGS__})
#define PORTS 4

static struct nm_core core;
static bool doors;

static uint32_t frames(void)
{
    return getenv("NM_QUICK") != NULL ? 3000 : 10000;
}

/* ---- the worker ---- */

static struct {
    struct nm_kring *krings[32];
    unsigned number;
    uint32_t stop;
    pthread_t threads[2];
} worker;

static void *work(void *unused)
{
    (void)unused;
    while (nm_load32_acquire(&worker.stop) == 0) {
        uint32_t done = 0;

        for (unsigned i = 0; i < worker.number; i++)
            done += nm_kring_run(worker.krings[i], 64);
        if (done == 0)
            sched_yield();
    }
    return NULL;
}

static void worker_add(const struct port *port)
{
    for (uint32_t i = port->handle->first_ring[NM_TX]; i < port->handle->end_ring[NM_TX]; i++)
        worker.krings[worker.number++] = tx_kring(port, i);
}

/* Two of them: any thread may run any ring. */
static void worker_begin(void)
{
    nm_store32_release(&worker.stop, 0);
    for (size_t i = 0; doors && i < COUNT(worker.threads); i++)
        assert_int_equal(pthread_create(&worker.threads[i], NULL, work, NULL), 0);
}

static void worker_end(void)
{
    nm_store32_release(&worker.stop, 1);
    for (size_t i = 0; doors && i < COUNT(worker.threads); i++)
        pthread_join(worker.threads[i], NULL);
    worker.number = 0;
}

/* ---- programs ---- */

/* One direction of one ring, in a thread of its own. */
struct lane {
    struct port *port;
    uint32_t ring;
    unsigned destination, source;
    uint32_t burst;
    bool may_lose;     /* a switch drops, a pipe does not */
    uint32_t received; /* with may_lose: those that came, in order */
    uint32_t *done;    /* set when the sender has sent all */
    pthread_t thread;
};

/* Without cmocka: its asserts are for its own thread. */
static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "test_threads: %s\n", what);
        abort();
    }
}

static int sync_tx(const struct lane *lane)
{
    uint32_t first = lane->port->handle->first_ring[NM_TX];
    struct edge *edge = &lane->port->edge;
    int error;

    if (!doors)
        return nm_handle_txsync(lane->port->handle);
    pthread_mutex_lock(&edge->lock);
    error = edge_ring_txsync(edge, &edge->rings[NM_TX][lane->ring - first], true);
    pthread_mutex_unlock(&edge->lock);
    return error;
}

static int sync_rx(const struct lane *lane)
{
    uint32_t first = lane->port->handle->first_ring[NM_RX];
    struct edge *edge = &lane->port->edge;
    int error;

    if (!doors)
        return nm_handle_rxsync(lane->port->handle);
    pthread_mutex_lock(&edge->lock);
    error = edge_ring_rxsync(edge, &edge->rings[NM_RX][lane->ring - first]);
    pthread_mutex_unlock(&edge->lock);
    return error;
}

static void *send_all(void *argument)
{
    struct lane *lane = argument;
    struct netmap_ring *ring = tx_ring(lane->port, lane->ring);
    uint32_t sent = 0;

    while (sent < frames()) {
        uint32_t before = sent;

        while (sent < frames() && sent - before < lane->burst && ring_room(ring) > 0) {
            struct netmap_slot *slot = &ring->slot[ring->cur];

            slot->len = (uint16_t)(60 + sent % 100);
            slot->flags = 0;
            frame_fill((uint8_t *)ring + ring->buf_ofs + (uint64_t)slot->buf_idx * 2048, slot->len,
                       lane->destination, lane->source, sent++);
            ring->head = ring->cur = ring_next(ring, ring->cur);
        }
        must(sync_tx(lane) == 0, "a txsync failed");
        if (sent == before || !doors)
            sched_yield();
    }
    while (ring->head != ring_next(ring, ring->tail) && lane->may_lose) { /* all taken */
        must(sync_tx(lane) == 0, "a txsync failed");
        sched_yield();
    }
    nm_store32_release(lane->done, 1);
    return NULL;
}

static void *receive_all(void *argument)
{
    struct lane *lane = argument;
    struct netmap_ring *ring = rx_ring(lane->port, lane->ring);
    uint32_t expected = 0;
    bool over = false, empty = false;

    while (lane->may_lose ? !(over && empty) : lane->received < frames()) {
        over = nm_load32_acquire(lane->done) != 0; /* before the look: then none comes later */
        must(sync_rx(lane) == 0, "an rxsync failed");
        empty = ring_room(ring) == 0;
        if (empty)
            sched_yield();
        while (ring_room(ring) > 0) {
            const struct netmap_slot *slot = &ring->slot[ring->cur];
            uint32_t number;

            must(frame_good((uint8_t *)ring + ring->buf_ofs + (uint64_t)slot->buf_idx * 2048,
                            slot->len, &number), "a frame is damaged");
            must(lane->may_lose ? number >= expected : number == expected, "frames out of order");
            expected = number + 1;
            lane->received++;
            ring->head = ring->cur = ring_next(ring, ring->cur);
        }
    }
    return NULL;
}

static void start(struct lane *lane, void *(*program)(void *))
{
    assert_int_equal(pthread_create(&lane->thread, NULL, program, lane), 0);
}

/* ---- a switch ---- */

static uint32_t churn_stop;

/* Somebody opens and closes ports all the time, on the same switch and in the same names. */
static void *churn(void *unused)
{
    static const char *const names[] = {"vale1:x", "vale1:y", "vale2:z", "q{1", "q}1", "vale1:x{2"};
    uint64_t seed = 9;

    (void)unused;
    while (nm_load32_acquire(&churn_stop) == 0) {
        struct nm_handle *handle = nm_handle_open(&core);
        static struct nm_request request;
        struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC, .nr_extra_bufs = 3};
        struct nmreq_header header = {.nr_version = NETMAP_API,
                                      .nr_reqtype = NETMAP_REQ_REGISTER,
                                      .nr_body = (uintptr_t)&reg};

        must(handle != NULL, "out of memory");
        snprintf(header.nr_name, sizeof(header.nr_name), "%s",
                 names[random_next(&seed) % COUNT(names)]);
        must(nm_request_pack(&request, &header) == 0, "a request cannot be packed");
        must(nm_control(handle, &request, request.size) == 0, "a port cannot be opened");
        if (!doors) {
            (void)nm_handle_poll(handle, NM_READABLE | NM_WRITABLE);
            (void)nm_handle_rxsync(handle);
        }
        nm_handle_close(handle);
        sched_yield();
    }
    return NULL;
}

/* Four ports in a ring, each with a thread that sends and one that receives, and the churn. Frames
 * for all come in between, so that every sender visits every port. */
static void test_switch(void **state)
{
    static const char *const names[PORTS] = {"vale1:a", "vale1:b", "vale1:c", "vale1:d"};
    struct port ports[PORTS];
    struct lane senders[PORTS], receivers[PORTS];
    uint32_t done[PORTS] = {0};
    pthread_t churner;

    (void)state;
    core_begin(&core, doors);
    for (unsigned i = 0; i < PORTS; i++) {
        port_open_with(&ports[i], &core, names[i],
                       WISH(.nr_flags = NR_NO_TX_POLL, .nr_tx_slots = 64, .nr_rx_slots = 128));
        worker_add(&ports[i]);
    }
    for (unsigned i = 0; i < PORTS; i++)
        send_frame(&ports[i], BROADCAST, i, 0);
    for (unsigned i = 0; i < PORTS; i++)
        assert_int_equal(take_all(&ports[i], 0, NULL, 0), PORTS - 1);
    worker_begin();
    nm_store32_release(&churn_stop, 0);
    assert_int_equal(pthread_create(&churner, NULL, churn, NULL), 0);
    for (unsigned i = 0; i < PORTS; i++) {
        senders[i] = (struct lane){.port = &ports[i], .destination = (i + 1) % PORTS, .source = i,
                                   .burst = 8 + 8 * i, .may_lose = true, .done = &done[i]};
        receivers[i] = (struct lane){.port = &ports[i], .may_lose = true,
                                     .done = &done[(i + PORTS - 1) % PORTS]};
        start(&senders[i], send_all);
        start(&receivers[i], receive_all);
    }
    for (unsigned i = 0; i < PORTS; i++) {
        pthread_join(senders[i].thread, NULL);
        pthread_join(receivers[i].thread, NULL);
    }
    nm_store32_release(&churn_stop, 1);
    pthread_join(churner, NULL);
    worker_end();
    for (unsigned i = 0; i < PORTS; i++) {
        const struct nm_kring *rx = rx_kring(&ports[(i + 1) % PORTS], 0);

        assert_int_equal(tx_kring(&ports[i], 0)->counters.frames, frames() + 1);
        assert_int_equal(all_drops(tx_kring(&ports[i], 0)), 0);
        assert_int_equal(rx->counters.frames, receivers[(i + 1) % PORTS].received + PORTS - 1);
        assert_int_equal(rx->counters.frames + all_drops(rx), frames() + PORTS - 1);
    }
    for (unsigned i = 0; i < PORTS; i++)
        port_close(&ports[i]);
    core_end(&core);
}

/* Two ports of four rings, each ring with a descriptor and a thread of its own. */
static void test_rings(void **state)
{
    struct port from[4], to[4];
    struct lane senders[4], receivers[4];
    uint32_t done[4] = {0};

    (void)state;
    core_begin(&core, doors);
    for (uint16_t i = 0; i < 4; i++) {
        struct nmreq_register wish = {.nr_mode = NR_REG_ONE_NIC, .nr_ringid = i, .nr_tx_rings = 4,
                                      .nr_rx_rings = 4, .nr_tx_slots = 32, .nr_rx_slots = 64};

        port_open_with(&from[i], &core, "vale1:a", wish);
        port_open_with(&to[i], &core, "vale1:b", wish);
        worker_add(&from[i]);
    }
    worker_begin();
    for (unsigned i = 0; i < 4; i++) {
        senders[i] = (struct lane){.port = &from[i], .ring = i, .burst = 20,
                                   .destination = BROADCAST, .source = 70 + i, .may_lose = true,
                                   .done = &done[i]};
        receivers[i] = (struct lane){.port = &to[i], .ring = i, .may_lose = true,
                                     .done = &done[i]};
    }
    for (unsigned i = 0; i < 4; i++) {
        start(&senders[i], send_all);
        start(&receivers[i], receive_all);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(senders[i].thread, NULL);
        pthread_join(receivers[i].thread, NULL);
    }
    worker_end();
    for (unsigned i = 0; i < 4; i++) {
        const struct nm_kring *rx = rx_kring(&to[i], i);

        assert_int_equal(rx->counters.frames, receivers[i].received);
        assert_int_equal(rx->counters.frames + all_drops(rx), frames());
    }
    for (unsigned i = 0; i < 4; i++) {
        port_close(&from[i]);
        port_close(&to[i]);
    }
    core_end(&core);
}

/* ---- a pipe ---- */

/* Both ways at once, two rings each; each end in four threads. */
static void test_pipe(void **state)
{
    struct port ends[2];
    struct lane senders[4], receivers[4];
    uint32_t done[4] = {0};

    (void)state;
    core_begin(&core, doors);
    port_open_with(&ends[0], &core, "x{1",
                   WISH(.nr_flags = NR_NO_TX_POLL, .nr_tx_rings = doors ? 2 : 1,
                        .nr_rx_rings = doors ? 2 : 1, .nr_tx_slots = 32, .nr_rx_slots = 32));
    port_open_with(&ends[1], &core, "x}1", WISH(.nr_flags = NR_NO_TX_POLL));
    for (unsigned i = 0; i < 4; i++) { /* without doors a sync is for all rings: one each */
        if (i % 2 != 0 && !doors)
            continue;
        senders[i] = (struct lane){.port = &ends[i / 2], .ring = i % 2, .burst = 5 + 9 * i,
                                   .destination = 1, .source = 2, .done = &done[i]};
        receivers[i] = (struct lane){.port = &ends[!(i / 2)], .ring = i % 2, .done = &done[i]};
        start(&senders[i], send_all);
        start(&receivers[i], receive_all);
    }
    for (unsigned i = 0; i < 4; i++) {
        if (i % 2 != 0 && !doors)
            continue;
        pthread_join(senders[i].thread, NULL);
        pthread_join(receivers[i].thread, NULL);
    }
    buffers_check(&core, ends[0].handle->adapter->region, NULL, 0);
    port_close(&ends[0]);
    port_close(&ends[1]);
    core_end(&core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_switch),
        cmocka_unit_test(test_rings),
        cmocka_unit_test(test_pipe),
    };
    int failed = cmocka_run_group_tests_name("threads, without doors", tests, NULL, NULL);

    doors = true;
    return failed + cmocka_run_group_tests_name("threads, with doors", tests, NULL, NULL);
}
