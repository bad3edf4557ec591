/*
 * Two descriptors of one port (two threads of one program, each with its own ring, or two programs
 * on one ring): both sleep on the port's bell, and if they wait for the same ring they share its
 * event word. The loop is that of hosts/linux/client/wait.c without its windows
 * and time-outs, which would end any sleep after a quarter of a second.
 */
#include "tests/model/checks.h"
#include "tests/model/door_use.h"

struct shape {
    unsigned ring[2];   /* that each waiter waits for */
    uint64_t wanted[2]; /* the count each waits for; one that does not come: a daemon */
};

static struct nm_door doors[2];
static struct nm_bell bell;

static void sharing_start(void)
{
    const struct shape *shape = model_parameters();

    door_start(&doors[0]);
    if (shape->ring[1] == 1)
        door_start(&doors[1]);
    bell_start(&bell, "bell");
    model_word(&bell.sleepers, 0, "sleepers");
}

/* One frame on ring 0, and no more. */
static void publisher(void)
{
    if (nm_door_publish(&doors[0].tail, 1, &doors[0].tail_event))
        end_ring(&bell);
    model_point(__LINE__, NULL, 0);
}

static void wait_once(struct nm_door *door, uint64_t known)
{
    uint32_t armed;

    nm_add32(&bell.sleepers, 1);
    armed = bell_arm(&bell);
    if (!nm_door_arm(&door->tail_event, known + 1, &door->tail))
        model_futex_wait(&bell.word, armed);
    nm_door_disarm(&door->tail_event);
    if (nm_add32(&bell.sleepers, UINT32_MAX) > 1)
        end_ring(&bell);
}

static void waiter(void)
{
    const struct shape *shape = model_parameters();
    struct nm_door *door = &doors[shape->ring[model_self()]];
    uint64_t wanted = shape->wanted[model_self()];

    for (;;) {
        uint64_t known;

        model_point(__LINE__, NULL, 0);
        known = NM_LOAD_ACQUIRE_AT(poll_load, &door->tail);
        if (known >= wanted)
            break;
        model_point(__LINE__, &known, sizeof(known));
        wait_once(door, known);
    }
    model_point(__LINE__, NULL, 0);
}

static void nothing_to_check(void)
{
}

void check_sharing(void)
{
    static const struct shape both = {{0, 0}, {1, 1}};
    static const struct shape ahead = {{0, 0}, {1, 2}};
    static const struct shape other = {{0, 1}, {1, 1}};
    struct model_program program = {.start = sharing_start,
                                    .thread = {waiter, waiter, publisher},
                                    .finish = nothing_to_check,
                                    .rmw = MODEL_RMW_FULL};

    program.name = "sharing: two waiters for one frame";
    program.parameters = &both;
    check_holds(&program);

    program.daemons = 2;
    program.name = "sharing: the other waits for another ring";
    program.parameters = &other;
    check_holds(&program);
    /*
     * A known limit of events that overwrite each other: B has seen the frame, asks for the next
     * one, and the publisher finds B's event where A's was. A's time-out ends its sleep.
     */
    program.name = "sharing: the other waits for one frame more";
    program.parameters = &ahead;
    check_limit(&program);
}
