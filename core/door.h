/*
 * Doors: the words through which the two sides of a ring tell each other how far they are.
 *
 * A ring has two sides. The program's side moves `head` forward (tx: slots filled; rx: slots given
 * back); the host's side moves `tail` forward (tx: slots reclaimed; rx: slots filled). For a ring
 * of a VALE port the host's side is netmapd; for the rx ring of a pipe it is the peer's client
 * edge, which fills the ring itself. All counts run freely from 0 and never wrap (64 bits); the
 * slot is found by adding differences to a private index, so no side divides and no side believes
 * a difference larger than the ring.
 *
 * Each word stands on a line of its own: a side writes its own two words and reads the other's
 * two, and reading a line that the other does not write costs nothing.
 *
 * The protocol, in both directions:
 *   publisher: store the count (release), full fence, load the other side's event; when the count
 *              has reached the event, ring that side's bell.
 *   sleeper:   arm the bell, store the event, full fence, load the count (acquire); when the count
 *              has not reached the event, sleep on the bell.
 * The two fences make it impossible that the publisher misses the event and the sleeper misses the
 * count. An event of NM_EVENT_NEVER says that nobody waits.
 * tests/model/ explores this file exhaustively under a weak memory model.
 */
#ifndef NM_CORE_DOOR_H
#define NM_CORE_DOOR_H

#include "core/compiler.h"

#define NM_EVENT_NEVER ((uint64_t)INT64_MAX)

/* The model checker gives each fence a name and leaves one out at a time. */
#ifndef NM_FENCE_AT
#define NM_FENCE_AT(site)                   nm_fence()
#define NM_STORE_RELEASE_AT(site, p, v)     nm_store64_release((p), (v))
#define NM_LOAD_ACQUIRE_AT(site, p)         nm_load64_acquire(p)
#endif

#ifndef NM_JOURNAL_SLOTS /* the model checker takes 2, to see it used again */
#define NM_JOURNAL_SLOTS 16u /* a power of two */
#endif

/* Lives in shared memory, one per ring; both sides treat every word as hostile. */
struct nm_door {
    NM_ALIGNED(128) uint64_t head; /* written by the program's side */
    uint64_t resets;               /* likewise: times its head or cur was out of range */
    NM_ALIGNED(128) uint64_t tail; /* written by the host's side (pipe: by the peer) */
    uint64_t faults; /* host's side: bad slots and counts met so far; a sync reports a change */
    /* Ring the host's bell when head reaches this. Written by the host's side; a program that
     * rings netmapd may replace it by NM_EVENT_NEVER, so that one event is rung once. */
    NM_ALIGNED(128) uint64_t head_event;
    NM_ALIGNED(128) uint64_t tail_event; /* wake the program when tail reaches this */
    /* Pipes, tx rings: buffers in flight, written by the sender. See core/pipe_exchange.h. */
    NM_ALIGNED(128) uint32_t journal[NM_JOURNAL_SLOTS];
};

/*
 * A place to sleep, one per port: all descriptors bound to the port sleep there, and whoever rings
 * wakes them all, so each re-arms for itself. A sleeper that leaves while others stay rings for
 * them, because it may have taken back an event they rely on.
 */
struct nm_bell {
    NM_ALIGNED(128) uint32_t word; /* odd while somebody sleeps or is about to; every ring adds 1 */
    uint32_t sleepers;             /* how many; too high after a sleeper was killed, never too low */
};

/* Has count reached the event? Differences are taken modulo 2^64, so hostile values only mislead. */
NM_INLINE bool nm_event_reached(uint64_t count, uint64_t event)
{
    return (int64_t)(count - event) >= 0;
}

/*
 * Publish a count; true when the other side asked to be woken for it.
 * The release makes the slots written before visible to whoever reads the count.
 */
NM_INLINE bool nm_door_publish(uint64_t *count, uint64_t value, const uint64_t *event)
{
    NM_STORE_RELEASE_AT(publish_store, count, value);
    NM_FENCE_AT(publish_fence);
    return nm_event_reached(value, nm_load64(event));
}

/*
 * Announce that the caller wants to sleep until count reaches wanted. True when it is there
 * already (do not sleep). The caller has armed its bell before.
 */
NM_INLINE bool nm_door_arm(uint64_t *event, uint64_t wanted, const uint64_t *count)
{
    nm_store64(event, wanted);
    NM_FENCE_AT(arm_fence);
    return nm_event_reached(NM_LOAD_ACQUIRE_AT(arm_load, count), wanted);
}

NM_INLINE void nm_door_disarm(uint64_t *event)
{
    nm_store64(event, NM_EVENT_NEVER);
}

/* Arm a bell before arming any event that points to it. Returns the value to sleep on: once the
 * bell has been rung for one sleeper, another that arms it again does not put the first to sleep. */
NM_INLINE uint32_t nm_bell_arm(struct nm_bell *bell)
{
    uint32_t word = nm_load32(&bell->word);

    while ((word & 1) == 0 && !nm_cas32(&bell->word, word, word + 1))
        word = nm_load32(&bell->word);
    return word | 1;
}

/* True when somebody sleeps on the bell: the caller must then wake all sleepers on &bell->word.
 * When the exchange fails, whoever changed the word wakes them. */
NM_INLINE bool nm_bell_ring(struct nm_bell *bell)
{
    uint32_t word = nm_load32(&bell->word);

    return (word & 1) != 0 && nm_cas32(&bell->word, word, word + 1);
}

#endif
