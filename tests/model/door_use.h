/*
 * Doors as the hosts use them: the loops around core/door.h that live in hosts/linux, without
 * anything of Linux. One sleeper a bell here; sharing.c has the case of two.
 */
#ifndef TESTS_MODEL_DOOR_USE_H
#define TESTS_MODEL_DOOR_USE_H

#include "tests/model/simulated.h"
#include "core/door.h"

/* One end of a ring: where it counts, where the other end does, how both sleep. */
struct end {
    uint64_t *own_count;
    uint64_t *other_event; /* the other end wants to be woken when own_count reaches it */
    struct nm_bell *other_bell;
    uint64_t *other_count;
    uint64_t *own_event;
    struct nm_bell *own_bell;
};

/* Returns the value of the word to sleep on. */
static inline uint32_t bell_arm(struct nm_bell *bell)
{
    return nm_bell_arm(bell);
}

static inline void end_ring(struct nm_bell *bell)
{
    if (nm_bell_ring(bell))
        model_futex_wake(&bell->word);
}

static inline void end_publish(const struct end *end, uint64_t value)
{
    if (nm_door_publish(end->own_count, value, end->other_event))
        end_ring(end->other_bell);
}

/*
 * Return a count of the other end that is at least wanted and covered by an acquire, sleeping if
 * need be. locals is all that the caller's thread depends on.
 */
static inline uint64_t end_wait(const struct end *end, uint64_t wanted, const void *locals,
                                size_t size)
{
    uint64_t count = NM_LOAD_ACQUIRE_AT(poll_load, end->other_count);

    if (nm_event_reached(count, wanted))
        return count;
    for (;;) {
        uint32_t armed;

        model_point(__LINE__, locals, size);
        armed = bell_arm(end->own_bell);
        if (nm_door_arm(end->own_event, wanted, end->other_count))
            break;
        model_futex_wait(&end->own_bell->word, armed);
    }
    nm_door_disarm(end->own_event);
    return wanted;
}

static inline void door_start(struct nm_door *door)
{
    model_word(&door->head, 0, "head");
    model_word(&door->tail, 0, "tail");
    model_word(&door->head_event, NM_EVENT_NEVER, "head_event");
    model_word(&door->tail_event, NM_EVENT_NEVER, "tail_event");
}

static inline void bell_start(struct nm_bell *bell, const char *name)
{
    model_word(&bell->word, 0, name);
}

#endif
