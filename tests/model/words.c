/* What threads do to words: load, store, fence, read-modify-write, sleep. See memory.c. */
#include "tests/model/state.h"

#include <string.h>

/* ---- words ---- */

uint64_t model_load(const void *address, size_t size, enum model_order order)
{
    struct word *word = touch_word(address);
    struct thread_views *mine = &memory.views[model_self()];
    const struct store *store;
    uint64_t value = 0;
    unsigned index, newest, behind;

    if (!word) {
        model_plain_load(address, size);
        memcpy(&value, address, size);
        return value;
    }
    model_step();
    index = (unsigned)(word - memory.words);
    newest = word->num_stores - 1;
    behind = memory.sequential ? 0 : model_choose(newest - mine->current.position[index] + 1);
    store = &word->stores[newest - behind];
    value = store->value;
    mine->current.position[index] = (uint8_t)(newest - behind);
    join(&mine->acquire, &store->view);
    join(&mine->acquire, &mine->current);
    if (order == MODEL_ACQUIRE || memory.sequential)
        join(&mine->current, &store->view);
    model_note(order == MODEL_ACQUIRE ? "acquires" : "loads", word->name, value, behind);
    model_learn(value);
    drop_all_unreadable();
    return value;
}

/* The thread has put a store at the position: set its view and the thread's. */
static void stored(struct word *word, unsigned position, uint64_t value, bool release,
                   const struct view *inherited)
{
    struct thread_views *mine = &memory.views[model_self()];
    struct store *store = &word->stores[position];
    unsigned index = (unsigned)(word - memory.words);

    mine->current.position[index] = (uint8_t)position;
    join(&mine->acquire, &mine->current);
    store->value = value;
    store->view = release || memory.sequential ? mine->current : mine->release;
    if (inherited)
        join(&store->view, inherited);
    store->view.position[index] = (uint8_t)position;
    model_learn(value);
    model_stored();
    drop_all_unreadable();
}

void model_store(void *address, size_t size, uint64_t value, enum model_order order)
{
    struct word *word = touch_word(address);
    unsigned places[MAX_STORES + 1];
    unsigned count = 0;
    unsigned position;

    if (!word) {
        model_plain_store(address, size, value);
        return;
    }
    model_step();
    /* The end of the list first; anywhere else after what this thread has seen of it. */
    for (unsigned i = word->num_stores;
         i > memory.views[model_self()].current.position[word - memory.words]; i--)
        if (i == word->num_stores || !word->stores[i].chained)
            places[count++] = i;
    position = memory.sequential ? word->num_stores : places[model_choose(count)];
    if (order == MODEL_RELEASE && model_can_die())
        memory.num_undos = 0;
    model_note(order == MODEL_RELEASE ? "releases" : "stores", word->name, value,
               word->num_stores - position);
    insert_store(word, position)->chained = false;
    stored(word, position, value, order == MODEL_RELEASE, NULL);
}

static void full_fence(void)
{
    struct thread_views *mine = &memory.views[model_self()];

    join(&mine->acquire, &memory.fence_view);
    mine->current = mine->acquire;
    mine->release = mine->acquire;
    memory.fence_view = mine->acquire;
    drop_all_unreadable();
}

void model_fence(void)
{
    model_step();
    if (model_can_die())
        memory.num_undos = 0;
    full_fence();
    model_note("fence", "", 0, 0);
    model_learn(0);
}

uint64_t model_update(void *address, size_t size, enum model_operation operation, uint64_t operand,
                      const uint64_t *compare)
{
    struct word *word = touch_word(address);
    struct thread_views *mine = &memory.views[model_self()];
    unsigned places[MAX_STORES];
    unsigned count = 0;
    unsigned index, position;
    uint64_t old, value;
    struct view inherited;

    model_assert(word, "read-modify-write of plain memory");
    model_step();
    if (memory.rmw_order == MODEL_RMW_FULL)
        full_fence();
    index = (unsigned)(word - memory.words);
    for (unsigned i = word->num_stores; i-- > mine->current.position[index];)
        if (i + 1 == word->num_stores || !word->stores[i + 1].chained)
            places[count++] = i;
    position = memory.sequential ? word->num_stores - 1 : places[model_choose(count)];
    old = word->stores[position].value;
    inherited = word->stores[position].view;
    mine->current.position[index] = (uint8_t)position;
    join(&mine->acquire, &inherited);
    join(&mine->acquire, &mine->current);
    if (memory.rmw_order != MODEL_RMW_RELAXED || memory.sequential)
        join(&mine->current, &inherited);
    model_learn(old);
    if (compare && *compare != old) {
        model_note("cas fails", word->name, old, 0);
    } else {
        value = operation == MODEL_ADD ? old + operand : operand;
        if (size == 4)
            value = (uint32_t)value;
        model_note(operation == MODEL_ADD ? "adds to" : "swaps", word->name, old,
                   word->num_stores - 1 - position);
        insert_store(word, position + 1)->chained = true;
        /* insert_store moved positions, also in views taken before it. */
        inherited = word->stores[position].view;
        stored(word, position + 1, value, memory.rmw_order != MODEL_RMW_RELAXED, &inherited);
    }
    if (memory.rmw_order == MODEL_RMW_FULL)
        full_fence();
    drop_all_unreadable();
    return old;
}

/* ---- sleeping ---- */

static struct counter *find_counter(const void *address)
{
    for (unsigned i = 0; i < memory.num_counters; i++)
        if (memory.counters[i].address == address)
            return &memory.counters[i];
    model_fail("no such counter");
}

void model_futex_wait(const void *address, uint64_t expected)
{
    struct word *word = touch_word(address);
    struct thread_views *mine = &memory.views[model_self()];
    uint64_t value;

    model_assert(word, "futex on plain memory");
    model_step();
    value = word->stores[word->num_stores - 1].value;
    mine->current.position[word - memory.words] = (uint8_t)(word->num_stores - 1);
    join(&mine->acquire, &word->stores[word->num_stores - 1].view);
    join(&mine->acquire, &mine->current);
    drop_all_unreadable();
    model_learn(value);
    model_note(value == expected ? "sleeps" : "stays up", word->name, value, 0);
    if (value == expected)
        model_block(address, word->name);
}

void model_futex_wake(const void *address)
{
    struct word *word = touch_word(address);

    model_assert(word, "futex on plain memory");
    model_step();
    model_note("wakes", word->name, 0, 0);
    model_learn(0);
    model_wake_all(address);
}

void model_counter_signal(const void *address)
{
    struct counter *counter = find_counter(address);

    model_step();
    counter->value++;
    model_note("signals", counter->name, counter->value, 0);
    model_learn(0);
    model_wake_all(address);
}

void model_counter_wait(const void *address)
{
    struct counter *counter = find_counter(address);

    model_step();
    while (counter->value == 0) {
        model_note("sleeps", counter->name, 0, 0);
        model_block(address, counter->name);
    }
    model_note("wakes up", counter->name, counter->value, 0);
    counter->value = 0;
    model_learn(0);
}
