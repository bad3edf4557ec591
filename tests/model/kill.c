/*
 * A sender killed anywhere in core/pipe_exchange.h. Its stores up to then are done, in the order
 * of the program as far as compiler barriers keep it. Then netmapd repairs the lane, and a new
 * sender on the same end sends the rest: nothing that was published is lost, no buffer is in two
 * slots or in none, and the new sender finds no fault with any slot.
 */
#include "tests/model/checks.h"
#include "tests/model/pipe_lane.h"

#include <string.h>

struct shape {
    uint32_t slots;
    uint32_t frames;
    uint64_t batch;
};

static void kill_start(void)
{
    const struct shape *shape = model_parameters();

    pipe_start(shape->slots, 1);
}

/* Send from where the lane stands up to the last frame. */
static void send_frames(uint64_t filled, uint64_t released)
{
    const struct shape *shape = model_parameters();
    struct lane *lane = &pipe_under_test.lanes[0];
    struct {
        uint64_t filled, released;
    } my = {filled, released};

    while (my.filled < shape->frames) {
        uint64_t room = shape->slots - 1 - (my.filled - my.released);
        uint64_t count = shape->frames - my.filled;
        enum nm_pipe_fault fault;
        uint32_t moved;

        model_point(__LINE__, &my, sizeof(my));
        if (room == 0) {
            my.released =
                end_wait(&lane->sender, my.filled + 1 - (shape->slots - 1), &my, sizeof(my));
            room = shape->slots - 1 - (my.filled - my.released);
        }
        count = count < room ? count : room;
        count = count < shape->batch ? count : shape->batch;
        for (uint64_t i = 0; i < count; i++)
            pipe_fill(lane, pipe_at(my.filled + i), (uint32_t)(my.filled + i + 1));
        model_barrier(); /* the call from the program into the client edge */
        moved = nm_pipe_move(&lane->move, pipe_at(my.filled), (uint32_t)count, &fault);
        model_assert(fault == NM_PIPE_GOOD && moved == count, "%u of %llu frames sent, fault %d",
                     moved, (unsigned long long)count, (int)fault);
        my.filled += count;
        end_publish(&lane->sender, my.filled);
    }
    model_point(__LINE__, NULL, 0);
}

static void mortal_sender(void)
{
    send_frames(0, 0);
}

/* The dead may have published, even taken the peer's bell down, and not come to the wake-up. So
 * the peer must wake whatever the bell says: by the host, or as on Linux by a time-out. */
static void wake_peer(struct nm_bell *bell)
{
    if (model_site_weakened("wake_after_death")) {
        end_ring(bell);
        return;
    }
    nm_exchange32(&bell->word, 0);
    model_futex_wake(&bell->word);
}

static void heir(void)
{
    struct lane *lane = &pipe_under_test.lanes[0];

    model_await_death();
    nm_pipe_repair(&lane->move);
    pipe_count_buffers();
    wake_peer(lane->sender.other_bell);
    send_frames(nm_load64(&lane->rx_door.tail), nm_load64(&lane->rx_door.head));
}

static void receiver(void)
{
    const struct shape *shape = model_parameters();
    struct lane *lane = &pipe_under_test.lanes[0];

    for (uint64_t i = 0; i < shape->frames; i++) {
        model_point(__LINE__, &i, sizeof(i));
        end_wait(&lane->receiver, i + 1, &i, sizeof(i));
        pipe_check(lane, pipe_at(i), (uint32_t)i + 1);
        end_publish(&lane->receiver, i + 1);
    }
    model_point(__LINE__, NULL, 0);
}

/* What orders the two programs is the subject of pipe.c; here only what a death can break counts.
 */
static bool matters_to_death(const char *site)
{
    static const char *const others[] = {"publish_store", "publish_fence", "arm_fence", "arm_load",
                                         "poll_load"};

    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(site, others[i]) == 0)
            return false;
    return true;
}

void check_kill(void)
{
    static const struct shape shapes[] = {{2, 3, 1}, {3, 4, 2}, {4, 4, 3}};
    static const char *const names[] = {
        "kill: 2 slots, 3 frames",
        "kill: 3 slots, 4 frames, batches of 2",
        "kill: 4 slots, 4 frames, batches of 3",
    };
    struct model_program program = {.start = kill_start,
                                    .thread = {mortal_sender, receiver, heir},
                                    .finish = pipe_count_buffers,
                                    .sequential = true,
                                    .killable = true};
    const char *sites[MODEL_SITES];
    unsigned num_sites;

    for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        program.name = names[i];
        program.parameters = &shapes[i];
        if (!check_holds(&program))
            return;
    }
    num_sites = model_sites(sites);
    for (unsigned i = 0; i < num_sites; i++)
        if (matters_to_death(sites[i]))
            check_needs(&program, sites[i]);
}
