/*
 * core/pipe_exchange.h between two programs: frames arrive whole, once and in order, no buffer is
 * ever in two places, and nobody sleeps for ever. The sender's and the receiver's loops are those
 * of the client edge, without anything of Linux.
 */
#include "tests/model/checks.h"
#include "tests/model/pipe_lane.h"

struct shape {
    uint32_t slots;
    uint32_t frames;
    uint64_t batch;      /* frames sent by one call */
    uint64_t room_batch; /* the sender sleeps until so many slots are free */
    uint64_t fill_batch; /* the receiver sleeps until so many frames are there */
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void move(struct lane *lane, uint64_t from, uint64_t count)
{
    enum nm_pipe_fault fault;
    uint32_t moved = nm_pipe_move(&lane->move, pipe_at(from), (uint32_t)count, &fault);

    model_assert(fault == NM_PIPE_GOOD && moved == count, "%u of %llu frames sent, fault %d", moved,
                 (unsigned long long)count, (int)fault);
    end_publish(&lane->sender, from + count);
}

/* ---- one way ---- */

static void one_way_start(void)
{
    const struct shape *shape = model_parameters();

    pipe_start(shape->slots, 1);
}

static void sender(void)
{
    const struct shape *shape = model_parameters();
    struct lane *lane = &pipe_under_test.lanes[0];
    struct {
        uint64_t filled, released;
    } my = {0, 0};

    while (my.filled < shape->frames) {
        uint64_t left = shape->frames - my.filled, room, count;

        model_point(__LINE__, &my, sizeof(my));
        room = shape->slots - 1 - (my.filled - my.released);
        if (room < least(shape->batch, left)) {
            uint64_t wanted = my.filled + least(shape->room_batch, left) - (shape->slots - 1);

            my.released = end_wait(&lane->sender, wanted, &my, sizeof(my));
            room = shape->slots - 1 - (my.filled - my.released);
        }
        count = least(least(room, shape->batch), left);
        for (uint64_t i = 0; i < count; i++)
            pipe_fill(lane, pipe_at(my.filled + i), (uint32_t)(my.filled + i + 1));
        move(lane, my.filled, count);
        my.filled += count;
    }
    model_point(__LINE__, NULL, 0);
}

static void receiver(void)
{
    const struct shape *shape = model_parameters();
    struct lane *lane = &pipe_under_test.lanes[0];
    struct {
        uint64_t filled, released;
    } my = {0, 0};

    while (my.released < shape->frames) {
        uint64_t wanted = my.released + least(shape->fill_batch, shape->frames - my.released);

        model_point(__LINE__, &my, sizeof(my));
        my.filled = end_wait(&lane->receiver, wanted, &my, sizeof(my));
        for (; my.released < my.filled; my.released++)
            pipe_check(lane, pipe_at(my.released), (uint32_t)my.released + 1);
        end_publish(&lane->receiver, my.released);
    }
    model_point(__LINE__, NULL, 0);
}

/* ---- there and back: end 1 returns each buffer it gets, by swapping slots as programs do ---- */

static void both_ways_start(void)
{
    const struct shape *shape = model_parameters();

    pipe_start(shape->slots, 2);
}

static void asking_end(void)
{
    const struct shape *shape = model_parameters();
    struct lane *out = &pipe_under_test.lanes[0], *back = &pipe_under_test.lanes[1];

    for (uint64_t i = 0; i < shape->frames; i++) {
        uint64_t room = shape->slots - 1;

        model_point(__LINE__, &i, sizeof(i));
        if (i >= room) /* the answers say that the slots are free, but not that we may use them */
            end_wait(&out->sender, i + 1 - room, &i, sizeof(i));
        pipe_fill(out, pipe_at(i), (uint32_t)i + 1);
        move(out, i, 1);
        model_point(__LINE__, &i, sizeof(i));
        end_wait(&back->receiver, i + 1, &i, sizeof(i));
        pipe_check(back, pipe_at(i), (uint32_t)i + 1);
        end_publish(&back->receiver, i + 1);
    }
    model_point(__LINE__, NULL, 0);
}

static void answering_end(void)
{
    const struct shape *shape = model_parameters();
    struct lane *in = &pipe_under_test.lanes[0], *back = &pipe_under_test.lanes[1];

    for (uint64_t i = 0; i < shape->frames; i++) {
        uint64_t room = shape->slots - 1, received, ours, ptr;

        model_point(__LINE__, &i, sizeof(i));
        end_wait(&in->receiver, i + 1, &i, sizeof(i));
        received = pipe_check(in, pipe_at(i), (uint32_t)i + 1);
        model_point(__LINE__, &(uint64_t[2]){i, received}, 16);
        if (i >= room)
            end_wait(&back->sender, i + 1 - room, &(uint64_t[2]){i, received}, 16);
        ours = nm_slot_load(&back->tx[pipe_at(i)]);
        ptr = nm_load64(&in->rx[pipe_at(i)].ptr);
        nm_slot_store(&in->rx[pipe_at(i)], ours);
        nm_slot_store(&back->tx[pipe_at(i)], received);
        nm_store64(&back->tx[pipe_at(i)].ptr, ptr);
        end_publish(&in->receiver, i + 1);
        move(back, i, 1);
    }
    model_point(__LINE__, NULL, 0);
}

void check_pipe(void)
{
    static const char *const sites[] = {"publish_store", "publish_fence", "arm_fence",
                                        "arm_load",      "poll_load",     NULL};
    static const struct shape shapes[] = {
        {2, 3, 1, 1, 1},
        {3, 4, 1, 1, 1},
        {3, 4, 2, 1, 2},
        {3, 4, 2, 2, 1},
    };
    static const char *const names[] = {
        "pipe: 2 slots, 3 frames, wake at 1 and 1",
        "pipe: 3 slots, 4 frames, wake at 1 and 1",
        "pipe: 3 slots, 4 frames in batches, wake at 1 and 2",
        "pipe: 3 slots, 4 frames in batches, wake at 2 and 1",
    };
    static const struct shape both_ways = {2, 2, 1, 1, 1};
    struct model_program program = {.finish = pipe_count_buffers};

    program.start = one_way_start;
    program.thread[0] = sender;
    program.thread[1] = receiver;
    for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        program.name = names[i];
        program.parameters = &shapes[i];
        check_holds(&program);
        for (unsigned j = 0; i == 0 && sites[j]; j++)
            check_needs(&program, sites[j]);
    }
    program.name = "pipe: 2 slots, 2 frames there and back";
    program.parameters = &both_ways;
    program.start = both_ways_start;
    program.thread[0] = asking_end;
    program.thread[1] = answering_end;
    check_holds(&program);
}
