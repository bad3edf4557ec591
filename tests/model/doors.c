/*
 * core/door.h between two ends that sleep on bells (futexes): a ring of a few slots, one end fills
 * it and publishes tail, the other empties it and publishes head. Nobody may sleep for ever, and
 * every slot must be read after it was written and before it is written again.
 */
#include "tests/model/checks.h"
#include "tests/model/door_use.h"

#include <string.h>

#define MAX_SLOTS 4

struct shape {
    uint64_t slots;
    uint64_t frames;
    uint64_t batch;      /* frames filled before they are published */
    uint64_t room_batch; /* the filler sleeps until so many slots are free */
    uint64_t fill_batch; /* the emptier sleeps until so many frames are there */
};

static struct nm_door door;
static struct nm_bell fill_bell, empty_bell;
static uint32_t slots[MAX_SLOTS];

static const struct end filler_end = {&door.tail, &door.tail_event, &empty_bell,
                                      &door.head, &door.head_event, &fill_bell};
static const struct end emptier_end = {&door.head, &door.head_event, &fill_bell,
                                       &door.tail, &door.tail_event, &empty_bell};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void ring_start(void)
{
    memset(slots, 0, sizeof(slots));
    door_start(&door);
    bell_start(&fill_bell, "fill_bell");
    bell_start(&empty_bell, "empty_bell");
    for (unsigned i = 0; i < MAX_SLOTS; i++)
        model_plain(&slots[i], sizeof(slots[i]), "slot");
}

static void filler(void)
{
    const struct shape *shape = model_parameters();
    struct {
        uint64_t filled, emptied; /* as far as known */
    } my = {0, 0};

    while (my.filled < shape->frames) {
        uint64_t count = least(shape->batch, shape->frames - my.filled);

        model_point(__LINE__, &my, sizeof(my));
        if (my.filled + count - my.emptied > shape->slots) {
            uint64_t room = least(shape->room_batch, shape->frames - my.filled);

            my.emptied = end_wait(&filler_end, my.filled + room - shape->slots, &my, sizeof(my));
            count = least(count, shape->slots - (my.filled - my.emptied));
        }
        for (; count > 0; count--, my.filled++)
            nm_store32(&slots[my.filled % shape->slots], (uint32_t)my.filled + 1);
        end_publish(&filler_end, my.filled);
    }
    model_point(__LINE__, NULL, 0);
}

static void emptier(void)
{
    const struct shape *shape = model_parameters();
    struct {
        uint64_t filled, emptied;
    } my = {0, 0};

    while (my.emptied < shape->frames) {
        model_point(__LINE__, &my, sizeof(my));
        my.filled = end_wait(&emptier_end,
                             my.emptied + least(shape->fill_batch, shape->frames - my.emptied), &my,
                             sizeof(my));
        for (; my.emptied < my.filled; my.emptied++) {
            uint32_t frame = nm_load32(&slots[my.emptied % shape->slots]);

            model_assert(frame == my.emptied + 1, "frame %u read as number %llu", frame,
                         (unsigned long long)my.emptied + 1);
        }
        end_publish(&emptier_end, my.emptied);
    }
    model_point(__LINE__, NULL, 0);
}

static void nothing_to_check(void)
{
}

static struct model_program ring_program(const char *name, const struct shape *shape)
{
    return (struct model_program){.name = name,
                                  .parameters = shape,
                                  .start = ring_start,
                                  .thread = {filler, emptier},
                                  .finish = nothing_to_check};
}

static void check_rings(void)
{
    static const char *const sites[] = {"publish_store", "publish_fence", "arm_fence",
                                        "arm_load",      "poll_load",     NULL};
    static const struct shape shapes[] = {
        {2, 3, 1, 1, 1}, {2, 4, 1, 1, 2}, {2, 4, 1, 2, 1}, {3, 4, 1, 2, 2}, {3, 4, 2, 2, 2},
    };
    static const char *const names[] = {
        "door: 2 slots, 3 frames, wake at 1 and 1",
        "door: 2 slots, 4 frames, wake at 1 and 2",
        "door: 2 slots, 4 frames, wake at 2 and 1",
        "door: 3 slots, 4 frames, wake at 2 and 2",
        "door: 3 slots, 4 frames, batches of 2, wake at 2 and 2",
    };

    for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct model_program program = ring_program(names[i], &shapes[i]);

        check_holds(&program);
        for (unsigned j = 0; i == 0 && sites[j]; j++)
            check_needs(&program, sites[j]);
    }
}

void check_doors(void)
{
    check_rings();
}
