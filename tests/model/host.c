/*
 * core/door.h between programs and netmapd's worker. The worker sleeps on one sticky counter (an
 * eventfd) for all rings; a program that reaches head_event takes it away by compare-and-swap, and
 * only the winner signals, so that each event costs one system call. The other direction is the
 * bell of doors.c.
 */
#include "tests/model/checks.h"
#include "tests/model/door_use.h"

#include <string.h>

#define MAX_SLOTS    2
#define MAX_PROGRAMS 2

struct shape {
    unsigned programs;
    uint64_t slots;
    uint64_t frames[MAX_PROGRAMS];
    uint64_t batch; /* the worker sleeps until a program has so many ready */
};

struct ring {
    struct nm_door door;
    struct nm_bell bell;
    uint32_t slots[MAX_SLOTS];
};

static struct ring rings[MAX_PROGRAMS];
static uint32_t counter; /* only its address counts */

static void host_start(void)
{
    const struct shape *shape = model_parameters();

    model_counter(&counter, "eventfd");
    for (unsigned i = 0; i < shape->programs; i++) {
        model_shared_by(1u << i | 1u << shape->programs); /* the program and the worker */
        memset(rings[i].slots, 0, sizeof(rings[i].slots));
        door_start(&rings[i].door);
        bell_start(&rings[i].bell, "bell");
        for (unsigned j = 0; j < shape->slots; j++)
            model_plain(&rings[i].slots[j], sizeof(rings[i].slots[j]), "slot");
    }
}

/* Publish slots; the event that is reached is signalled by whoever takes it away. */
static void publish_to_host(struct nm_door *door, uint64_t value)
{
    uint64_t event;

    if (!nm_door_publish(&door->head, value, &door->head_event))
        return;
    event = nm_load64(&door->head_event);
    if (event != NM_EVENT_NEVER && nm_cas64(&door->head_event, event, NM_EVENT_NEVER))
        model_counter_signal(&counter);
}

static void program_thread(void)
{
    const struct shape *shape = model_parameters();
    struct ring *ring = &rings[model_self()];
    struct nm_door *door = &ring->door;
    const struct end end = {&door->head, &door->head_event, NULL,
                            &door->tail, &door->tail_event, &ring->bell};
    struct {
        uint64_t filled, emptied;
    } my = {0, 0};

    while (my.filled < shape->frames[model_self()]) {
        model_point(__LINE__, &my, sizeof(my));
        if (my.filled - my.emptied == shape->slots)
            my.emptied = end_wait(&end, my.filled + 1 - shape->slots, &my, sizeof(my));
        nm_store32(&ring->slots[my.filled % shape->slots], (uint32_t)my.filled + 1);
        my.filled++;
        publish_to_host(door, my.filled);
    }
    model_point(__LINE__, NULL, 0);
}

/* Take what a program has published. */
static void run_ring(struct ring *ring, uint64_t slots, uint64_t *emptied, uint64_t filled)
{
    if (*emptied == filled)
        return;
    for (; *emptied < filled; ++*emptied) {
        uint32_t frame = nm_load32(&ring->slots[*emptied % slots]);

        model_assert(frame == *emptied + 1, "frame %u read as number %llu", frame,
                     (unsigned long long)*emptied + 1);
    }
    if (nm_door_publish(&ring->door.tail, *emptied, &ring->door.tail_event))
        end_ring(&ring->bell);
}

static void worker_thread(void)
{
    const struct shape *shape = model_parameters();
    struct {
        uint64_t emptied[MAX_PROGRAMS];
    } my = {{0}};

    for (;;) {
        bool idle = true, done = true;

        model_point(__LINE__, &my, sizeof(my));
        for (unsigned i = 0; i < shape->programs; i++)
            run_ring(&rings[i], shape->slots, &my.emptied[i],
                     NM_LOAD_ACQUIRE_AT(poll_load, &rings[i].door.head));
        model_point(__LINE__, &my, sizeof(my));
        for (unsigned i = 0; i < shape->programs; i++) {
            uint64_t left = shape->frames[i] - my.emptied[i];
            uint64_t wanted = my.emptied[i] + (left < shape->batch ? left : shape->batch);

            if (left == 0)
                continue;
            done = false;
            if (nm_door_arm(&rings[i].door.head_event, wanted, &rings[i].door.head)) {
                idle = false;
                nm_door_disarm(&rings[i].door.head_event);
                /* What arm has seen may be taken at once. */
                run_ring(&rings[i], shape->slots, &my.emptied[i], wanted);
            }
        }
        if (done)
            break;
        if (idle)
            model_counter_wait(&counter);
    }
    model_point(__LINE__, NULL, 0);
}

static void nothing_to_check(void)
{
}

void check_host(void)
{
    static const char *const sites[] = {"publish_store", "publish_fence", "arm_fence",
                                        "arm_load",      "poll_load",     NULL};
    static const struct shape one = {1, 2, {4, 0}, 1}, batches = {1, 2, {4, 0}, 2},
                              two = {2, 2, {2, 1}, 1};
    struct model_program program = {.name = "host: 1 program, 2 slots, 4 frames, wake at 1",
                                    .parameters = &one,
                                    .start = host_start,
                                    .thread = {program_thread, worker_thread},
                                    .finish = nothing_to_check};

    check_holds(&program);
    for (unsigned i = 0; sites[i]; i++)
        check_needs(&program, sites[i]);
    program.name = "host: 1 program, 2 slots, 4 frames, wake at 2";
    program.parameters = &batches;
    check_holds(&program);
    program.name = "host: 2 programs, 2 slots each, 2 and 1 frames";
    program.parameters = &two;
    program.thread[1] = program_thread;
    program.thread[2] = worker_thread;
    check_holds(&program);
}
