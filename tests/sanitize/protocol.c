/*
 * Doors and the pipe exchange between two threads on the same memory: what two processes do to a
 * region, where TSan can see both. The slots of a pipe are exchanged with relaxed atomics, frames
 * and the programs' own slots are read and written plainly; only the doors order them, so any hole
 * in their protocol is a report, a wrong frame, or a sleep that nobody ends.
 *
 * This finds a missing release or acquire. A missing full fence it would meet only by luck, because
 * TSan knows the order that the program asks for, not what a weaker machine would make of it: that
 * is for tests/model/.
 */
#include "core/door.h"
#include "core/pipe_exchange.h"
#include "tests/conformance/check.h"
#include "tests/conformance/platform.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_SLOTS   64u
#define WORDS       8u /* of a frame */
#define EXTRAS      3u /* buffers that an end has besides its rings' */
#define MAX_BUFFERS (2 + 4 * MAX_SLOTS + 2 * EXTRAS)
#define SLEEP_S     10 /* nobody sleeps that long: more is a wake-up that was lost */

/* One direction; `door` is the receiver's. */
struct lane {
    struct netmap_slot tx[MAX_SLOTS], rx[MAX_SLOTS];
    struct nm_door door;
    uint32_t journal[NM_JOURNAL_SLOTS];
};

/* All that both ends see. */
static struct {
    struct lane lanes[2]; /* lane e is sent by end e */
    struct nm_bell bells[2];
    uint16_t owners[MAX_BUFFERS];
    uint64_t frames[MAX_BUFFERS][WORDS];
} memory;

/* What an end has for itself. */
struct end {
    unsigned number;
    uint32_t num_slots;
    uint64_t count; /* frames to send, and to receive */
    struct nm_pipe_lane lane;
    uint64_t sent, released;  /* as sender: filled, and given back by the receiver */
    uint64_t taken, received; /* as receiver: given back, and filled by the sender */
    uint32_t extras[EXTRAS];
    uint64_t random;
    uint64_t sleeps;
};

static uint64_t word_of(unsigned sender, uint64_t number, unsigned word)
{
    return (number << 8 | word << 1 | sender) * 0x9E3779B97F4A7C15u;
}

static uint32_t slot_of(const struct end *end, uint64_t count)
{
    return (uint32_t)(count % end->num_slots);
}

static uint32_t some(struct end *end, uint32_t most)
{
    return 1 + (uint32_t)(random_next(&end->random) % most);
}

/* ---- sending ---- */

static uint32_t room(const struct end *end)
{
    return end->num_slots - 1 - (uint32_t)(end->sent - end->released);
}

static void ring_bell(unsigned number)
{
    struct nm_bell *bell = &memory.bells[number];

    if (nm_bell_ring(bell))
        syscall(SYS_futex, &bell->word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static bool send_some(struct end *end)
{
    struct lane *lane = &memory.lanes[end->number];
    enum nm_pipe_fault fault;
    uint32_t number;

    end->released = nm_load64_acquire(&lane->door.head);
    number = room(end);
    if (number > end->count - end->sent)
        number = (uint32_t)(end->count - end->sent);
    if (number == 0)
        return false;
    number = some(end, number);
    for (uint32_t i = 0; i < number; i++) {
        struct netmap_slot *slot = &lane->tx[slot_of(end, end->sent + i)];

        for (unsigned w = 0; w < WORDS; w++)
            memory.frames[slot->buf_idx][w] = word_of(end->number, end->sent + i, w);
        slot->len = (uint16_t)(60 + (end->sent + i) % 1000);
        slot->flags = 0;
        slot->ptr = end->sent + i;
    }
    CHECK_EQ(nm_pipe_move(&end->lane, slot_of(end, end->sent), number, &fault), number);
    CHECK_EQ(fault, NM_PIPE_GOOD);
    end->sent += number;
    if (nm_door_publish(&lane->door.tail, end->sent, &lane->door.tail_event))
        ring_bell(!end->number);
    return true;
}

/* ---- receiving ---- */

static bool check_frame(const struct end *end, const struct netmap_slot *slot)
{
    uint64_t number = end->taken, wrong = 0;

    if (slot->buf_idx < 2 || slot->buf_idx >= MAX_BUFFERS)
        return CHECK_MSG(false, "frame %llu in buffer %u", (unsigned long long)number,
                         slot->buf_idx);
    for (unsigned w = 0; w < WORDS; w++)
        wrong |= memory.frames[slot->buf_idx][w] ^ word_of(!end->number, number, w);
    return CHECK_MSG(wrong == 0 && slot->len == 60 + number % 1000 && slot->ptr == number &&
                         (slot->flags & NS_BUF_CHANGED) != 0,
                     "end %u: frame %llu is damaged", end->number, (unsigned long long)number);
}

/* A program may keep a frame and give back another buffer. */
static void keep(struct end *end, struct netmap_slot *slot)
{
    uint32_t *extra = &end->extras[end->taken % EXTRAS];
    uint32_t buf = slot->buf_idx;

    slot->buf_idx = *extra;
    slot->flags = NS_BUF_CHANGED;
    *extra = buf;
}

static bool receive_some(struct end *end)
{
    struct lane *lane = &memory.lanes[!end->number];
    uint32_t number;

    end->received = nm_load64_acquire(&lane->door.tail);
    if (end->received == end->taken)
        return false;
    number = some(end, (uint32_t)(end->received - end->taken));
    for (uint32_t i = 0; i < number; i++, end->taken++) {
        struct netmap_slot *slot = &lane->rx[slot_of(end, end->taken)];

        if (!check_frame(end, slot))
            break;
        if (random_next(&end->random) % 4 == 0)
            keep(end, slot);
    }
    if (nm_door_publish(&lane->door.head, end->taken, &lane->door.head_event))
        ring_bell(!end->number);
    return true;
}

/* ---- sleeping ---- */

static bool finished(const struct end *end)
{
    return end->sent == end->count && end->taken == end->count;
}

/* Until a frame comes, or room for one (at random: for half a ring). */
static void sleep_until_work(struct end *end)
{
    struct nm_bell *bell = &memory.bells[end->number];
    struct nm_door *out = &memory.lanes[end->number].door;
    struct nm_door *in = &memory.lanes[!end->number].door;
    uint64_t wanted = random_next(&end->random) % 2 == 0 ? 1 : end->num_slots / 2;
    bool sends = end->sent < end->count, there = false;
    struct timespec limit = {SLEEP_S, 0};
    uint32_t armed;

    armed = nm_bell_arm(bell);
    if (sends)
        there = nm_door_arm(&out->head_event, end->released + wanted, &out->head);
    if (nm_door_arm(&in->tail_event, end->received + 1, &in->tail))
        there = true;
    if (!there) {
        end->sleeps++;
        if (syscall(SYS_futex, &bell->word, FUTEX_WAIT, armed, &limit, NULL, 0) != 0)
            CHECK_MSG(errno == EAGAIN || errno == EINTR, "end %u: nobody woke it", end->number);
    }
    nm_door_disarm(&out->head_event);
    nm_door_disarm(&in->tail_event);
}

static void run_end(void *argument)
{
    struct end *end = argument;

    while (!finished(end) && !threads_should_stop() && check_failures() == 0) {
        bool received = receive_some(end);

        if (received && random_next(&end->random) % 8 == 0)
            continue; /* at times only receive, so that the other side runs ahead */
        if (!send_some(end) && !received)
            sleep_until_work(end);
    }
}

/* ---- the tests ---- */

static uint32_t place_buffers(struct netmap_slot *slots, uint32_t number, uint32_t next)
{
    for (uint32_t i = 0; i < number; i++)
        slots[i].buf_idx = next++;
    return next;
}

static uint32_t start_lane(struct lane *lane, uint32_t num_slots, uint32_t next)
{
    next = place_buffers(lane->tx, num_slots, next);
    next = place_buffers(lane->rx, num_slots, next);
    nm_door_disarm(&lane->door.head_event);
    nm_door_disarm(&lane->door.tail_event);
    return next;
}

static void start_end(struct end *end, unsigned number, uint32_t num_slots, uint64_t count)
{
    struct lane *lane = &memory.lanes[number];

    memset(end, 0, sizeof(*end));
    end->number = number;
    end->num_slots = num_slots;
    end->count = count;
    end->random = number + num_slots;
    end->lane = (struct nm_pipe_lane){
        .tx = lane->tx,
        .rx = lane->rx,
        .journal = lane->journal,
        .owners = memory.owners,
        .num_slots = num_slots,
        .num_buffers = MAX_BUFFERS,
        .buffer_size = 2048,
        .own_tag = (uint16_t)(1 + number),
        .peer_tag = (uint16_t)(2 - number),
    };
}

/* Every buffer is where it was put or has been exchanged: once, somewhere. */
static void count_buffers(const struct end *ends, uint32_t used)
{
    unsigned found[MAX_BUFFERS] = {0};

    for (unsigned e = 0; e < 2; e++) {
        for (uint32_t i = 0; i < ends[e].num_slots; i++) {
            found[memory.lanes[e].tx[i].buf_idx]++;
            found[memory.lanes[e].rx[i].buf_idx]++;
        }
        for (unsigned i = 0; i < EXTRAS; i++)
            found[ends[e].extras[i]]++;
    }
    for (uint32_t i = 2; i < used; i++)
        CHECK_MSG(found[i] == 1, "buffer %u is in %u places", i, found[i]);
}

static void exchange(uint32_t num_slots, uint64_t count)
{
    static struct end ends[2];
    uint32_t next = 2;

    memset(&memory, 0, sizeof(memory));
    for (unsigned e = 0; e < 2; e++) {
        next = start_lane(&memory.lanes[e], num_slots, next);
        start_end(&ends[e], e, num_slots, count);
        for (unsigned i = 0; i < EXTRAS; i++)
            ends[e].extras[i] = next++;
    }
    for (unsigned e = 0; e < 2; e++)
        REQUIRE(thread_start(run_end, &ends[e]));
    threads_join();
    check_note("%u slots: %llu frames each way, %llu and %llu sleeps", num_slots,
               (unsigned long long)count, (unsigned long long)ends[0].sleeps,
               (unsigned long long)ends[1].sleeps);
    for (unsigned e = 0; e < 2; e++) {
        CHECK_EQ(ends[e].sent, count);
        CHECK_EQ(ends[e].taken, count);
    }
    count_buffers(ends, next);
}

TEST(protocol_pipe_of_4_slots, 60)
{
    exchange(4, quick() ? 100000 : 200000);
}

TEST(protocol_pipe_of_8_slots, 60)
{
    exchange(8, quick() ? 100000 : 300000);
}

TEST(protocol_pipe_of_64_slots, 60)
{
    exchange(64, quick() ? 100000 : 500000);
}

/* ---- one publisher, several sleepers on one bell ---- */

#define SLEEPERS 3

static struct {
    struct nm_door door;
    struct nm_bell bell;
    uint64_t values[4096];   /* plain; value i is there once tail has passed it */
    uint64_t seen[SLEEPERS]; /* each sleeper's own */
} shared;

struct sleeper {
    unsigned number;
    uint64_t count;
};

/* As the client edge does it: who leaves rings for those who stay, and all look again at times,
 * because they share one event and one may overwrite what another has asked for. */
static void follow(void *argument)
{
    const struct sleeper *sleeper = argument;
    const struct timespec limit = {0, 250000000};
    uint64_t taken = 0;

    while (taken < sleeper->count && !threads_should_stop()) {
        uint64_t tail = nm_load64_acquire(&shared.door.tail);
        uint32_t armed;

        for (; taken < tail; taken++)
            if (shared.values[taken] != word_of(1, taken, 0))
                FAIL("sleeper %u: value %llu is wrong", sleeper->number, (unsigned long long)taken);
        nm_store64_release(&shared.seen[sleeper->number], taken);
        if (taken == sleeper->count)
            break;
        nm_add32(&shared.bell.sleepers, 1);
        armed = nm_bell_arm(&shared.bell);
        if (!nm_door_arm(&shared.door.tail_event, taken + 1, &shared.door.tail))
            syscall(SYS_futex, &shared.bell.word, FUTEX_WAIT, armed, &limit, NULL, 0);
        nm_door_disarm(&shared.door.tail_event);
        if (nm_add32(&shared.bell.sleepers, UINT32_MAX) > 1 && nm_bell_ring(&shared.bell))
            syscall(SYS_futex, &shared.bell.word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    }
}

static bool all_have_seen(uint64_t number)
{
    for (unsigned i = 0; i < SLEEPERS; i++)
        if (nm_load64_acquire(&shared.seen[i]) < number)
            return false;
    return true;
}

TEST(protocol_sleepers_on_one_bell, 60)
{
    struct sleeper sleepers[SLEEPERS];
    uint64_t count = sizeof(shared.values) / sizeof(shared.values[0]);

    memset(&shared, 0, sizeof(shared));
    nm_door_disarm(&shared.door.tail_event);
    for (unsigned i = 0; i < SLEEPERS; i++) {
        sleepers[i] = (struct sleeper){i, count};
        REQUIRE(thread_start(follow, &sleepers[i]));
    }
    for (uint64_t i = 0; i < count; i++) {
        shared.values[i] = word_of(1, i, 0);
        if (nm_door_publish(&shared.door.tail, i + 1, &shared.door.tail_event) &&
            nm_bell_ring(&shared.bell))
            syscall(SYS_futex, &shared.bell.word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
        for (unsigned spins = 0; i % 4 == 0 && spins < 1000 && !all_have_seen(i + 1); spins++)
            yield_cpu();
    }
    threads_join();
    CHECK(all_have_seen(count));
}
