/*
 * The weak memory: an operational form of RC11 without load buffering.
 *
 * Every word has a list of its stores in modification order. A view says, for each word, up to
 * which store its owner has seen it, and for each piece of plain memory whether it has seen the
 * last store and the last loads. Threads have three views: current (what bounds the next load),
 * acquire (what an acquire fence would add: the views of all stores read so far) and release (what
 * a relaxed store passes on: the view at the last release fence). A store carries a view to the
 * loads that read it. A full fence joins the thread's view with one view that all fences share.
 *
 * Positions in a list are kept small: stores that no thread can read any more are dropped, which
 * also makes equal states look equal.
 */
#include "tests/model/state.h"

#include <string.h>

struct memory_state memory;

void model_set_rmw(enum model_rmw rmw)
{
    memory.rmw_order = rmw;
}

/* ---- declaring ---- */

void memory_reset(bool is_sequential)
{
    memory.sequential = is_sequential;
    memory.num_words = 0;
    memory.num_plains = 0;
    memory.num_counters = 0;
    memory.num_undos = 0;
    memory.sharers = ~0u;
    memset(&memory.fence_view, 0, sizeof(memory.fence_view));
    memory.fence_view.written = UINT64_MAX;
    memset(memory.fence_view.loaded, 0xff, sizeof(memory.fence_view.loaded));
    for (unsigned i = 0; i < MODEL_THREADS; i++)
        memory.views[i] =
            (struct thread_views){memory.fence_view, memory.fence_view, memory.fence_view};
}

void model_shared_by(unsigned threads)
{
    memory.sharers = threads;
}

void model_word(const void *address, uint64_t value, const char *name)
{
    struct word *word = &memory.words[memory.num_words++];

    model_assert(memory.num_words <= MAX_WORDS, "too many words");
    word->address = address;
    word->name = name;
    word->threads = memory.sharers;
    word->num_stores = 1;
    word->stores[0].value = value;
    word->stores[0].view = memory.fence_view;
    word->stores[0].chained = false;
}

void model_plain(const void *address, size_t size, const char *name)
{
    model_assert(memory.num_plains < MAX_PLAIN, "too much plain memory");
    memory.plains[memory.num_plains++] = (struct plain){address, size, name, memory.sharers};
}

void model_counter(const void *address, const char *name)
{
    model_assert(memory.num_counters < MAX_COUNTERS, "too many counters");
    memory.counters[memory.num_counters++] = (struct counter){address, name, 0};
}

/* NULL when address is not a word. */
static struct word *find_word(const void *address)
{
    for (unsigned i = 0; i < memory.num_words; i++)
        if (memory.words[i].address == address)
            return &memory.words[i];
    return NULL;
}

/* The same for a thread that is about to access it. */
struct word *touch_word(const void *address)
{
    struct word *word = find_word(address);

    model_assert(!word || (word->threads >> model_self() & 1), "thread %u has no business with %s",
                 model_self(), word->name);
    return word;
}

uint64_t model_newest(const void *address)
{
    struct word *word = find_word(address);

    model_assert(word, "no such word");
    return word->stores[word->num_stores - 1].value;
}

/* ---- views ---- */

void join(struct view *view, const struct view *other)
{
    view->written |= other->written;
    for (unsigned i = 0; i < MODEL_THREADS; i++)
        view->loaded[i] |= other->loaded[i];
    for (unsigned i = 0; i < memory.num_words; i++)
        if (view->position[i] < other->position[i])
            view->position[i] = other->position[i];
}

/* Call action for every view there is. */
static void each_view(void (*action)(struct view *, unsigned), unsigned argument)
{
    action(&memory.fence_view, argument);
    for (unsigned i = 0; i < MODEL_THREADS; i++) {
        action(&memory.views[i].current, argument);
        action(&memory.views[i].acquire, argument);
        action(&memory.views[i].release, argument);
    }
    for (unsigned i = 0; i < memory.num_words; i++)
        for (unsigned j = 0; j < memory.words[i].num_stores; j++)
            action(&memory.words[i].stores[j].view, argument);
}

static unsigned moving_word; /* the word whose positions shift or unshift move */

/* So many stores have been dropped from the beginning. */
static void shift(struct view *view, unsigned by)
{
    view->position[moving_word] =
        (uint8_t)(view->position[moving_word] > by ? view->position[moving_word] - by : 0);
}

/* A store has been put at this position. */
static void unshift(struct view *view, unsigned position)
{
    if (view->position[moving_word] >= position)
        view->position[moving_word]++;
}

static void drop_unreadable(struct word *word)
{
    unsigned index = (unsigned)(word - memory.words);
    unsigned oldest = word->num_stores - 1;

    for (unsigned i = 0; !memory.sequential && i < MODEL_THREADS; i++)
        if ((word->threads & model_running) >> i & 1 &&
            memory.views[i].current.position[index] < oldest)
            oldest = memory.views[i].current.position[index];
    if (oldest == 0)
        return;
    word->num_stores -= oldest;
    memmove(word->stores, word->stores + oldest, word->num_stores * sizeof(word->stores[0]));
    moving_word = index;
    each_view(shift, oldest);
}

void drop_all_unreadable(void)
{
    for (unsigned i = 0; i < memory.num_words; i++)
        if (memory.words[i].num_stores > 1)
            drop_unreadable(&memory.words[i]);
}

struct store *insert_store(struct word *word, unsigned position)
{
    model_assert(word->num_stores < MAX_STORES, "more than %u stores to %s can be read", MAX_STORES,
                 word->name);
    memmove(word->stores + position + 1, word->stores + position,
            (word->num_stores - position) * sizeof(word->stores[0]));
    word->num_stores++;
    /* The new store's own view is set by the caller. */
    word->stores[position].view = memory.fence_view;
    moving_word = (unsigned)(word - memory.words);
    each_view(unshift, position);
    return &word->stores[position];
}

/* ---- plain memory ---- */

static void unsee_store(struct view *view, unsigned piece)
{
    view->written &= ~(1ull << piece);
    for (unsigned i = 0; i < MODEL_THREADS; i++)
        view->loaded[i] |= 1ull << piece;
}

static void unsee_load(struct view *view, unsigned piece)
{
    view->loaded[model_self()] &= ~(1ull << piece);
}

/* Pieces that [address, address + size) touches; each must be declared as a whole or not at all. */
static bool touches(const struct plain *plain, const void *address, size_t size)
{
    return (const uint8_t *)address < plain->address + plain->size &&
           plain->address < (const uint8_t *)address + size;
}

static bool access_plain(const void *address, size_t size, bool is_store)
{
    struct thread_views *mine = &memory.views[model_self()];
    bool found = false;

    model_kill_point();
    for (unsigned i = 0; i < memory.num_plains; i++) {
        uint64_t bit = 1ull << i;

        if (!touches(&memory.plains[i], address, size))
            continue;
        found = true;
        model_assert(memory.plains[i].threads >> model_self() & 1,
                     "thread %u has no business with %s", model_self(), memory.plains[i].name);
        model_note(is_store ? "writes" : "reads", memory.plains[i].name, 0, 0);
        if (memory.sequential)
            continue;
        model_assert(mine->current.written & bit, "thread %u %s %s, not ordered after its store",
                     model_self(), is_store ? "writes" : "reads", memory.plains[i].name);
        if (!is_store) {
            each_view(unsee_load, i);
            mine->current.loaded[model_self()] |= bit;
            mine->acquire.loaded[model_self()] |= bit;
            continue;
        }
        for (unsigned j = 0; j < MODEL_THREADS; j++)
            model_assert(j == model_self() || (mine->current.loaded[j] & bit),
                         "thread %u writes %s, not ordered after the load by thread %u",
                         model_self(), memory.plains[i].name, j);
        each_view(unsee_store, i);
        mine->current.written |= bit;
        mine->acquire.written |= bit;
    }
    return found;
}

void model_plain_load(const void *address, size_t size)
{
    uint64_t value = 0;

    model_assert(access_plain(address, size, false), "load of memory that was not declared");
    for (size_t i = 0; i < size; i += sizeof(value)) {
        value = 0;
        memcpy(&value, (const uint8_t *)address + i,
               size - i < sizeof(value) ? size - i : sizeof(value));
        model_learn(value);
    }
}

void model_plain_store(void *address, size_t size, uint64_t value)
{
    model_assert(access_plain(address, size, true), "store to memory that was not declared");
    if (model_can_die()) {
        model_assert(memory.num_undos < MAX_UNDOS, "too many stores without a barrier");
        memory.undos[memory.num_undos] = (struct undo){address, size, 0};
        memcpy(&memory.undos[memory.num_undos++].before, address, size);
    }
    memcpy(address, &value, size);
    model_learn(0);
    model_stored();
}

void model_barrier(void)
{
    if (model_can_die()) {
        model_kill_point();
        memory.num_undos = 0;
        model_learn(0);
    }
}

/* Undo any of the stores a compiler may have moved, the last one first. */
void memory_killed(void)
{
    while (memory.num_undos > 0) {
        struct undo *undo = &memory.undos[--memory.num_undos];

        if (model_choose(2) == 1) {
            model_note("undone", "", memory.num_undos, 0);
            memcpy(undo->address, &undo->before, undo->size);
        }
    }
}

void model_await_death(void)
{
    model_await_kill();
    join(&memory.views[model_self()].current, &memory.views[0].current);
    join(&memory.views[model_self()].acquire, &memory.views[model_self()].current);
    model_note("sees the death", "", 0, 0);
    model_learn(0);
}

/* ---- hashing ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash ^= value;
    hash *= 0x9fb21c651e98df25u;
    hash ^= hash >> 28;
    hash *= 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 32);
}

/* What every thread has seen of plain memory: whether another view knows it makes no difference. */
static struct view common;

static void find_common(void)
{
    common.written = UINT64_MAX;
    memset(common.loaded, 0xff, sizeof(common.loaded));
    for (unsigned i = 0; i < MODEL_THREADS; i++) {
        uint64_t never = 0; /* bits of the pieces the thread does not access */

        if (!(model_running >> i & 1))
            continue;
        for (unsigned j = 0; j < memory.num_plains; j++)
            if (!(memory.plains[j].threads >> i & 1))
                never |= 1ull << j;
        common.written &= memory.views[i].current.written | never;
        for (unsigned j = 0; j < MODEL_THREADS; j++)
            common.loaded[j] &= memory.views[i].current.loaded[j] | never;
    }
}

static uint64_t hash_view(uint64_t hash, const struct view *view)
{
    if (memory.sequential)
        return hash;
    hash = mix(hash, view->written | common.written);
    for (unsigned i = 0; i < MODEL_THREADS; i++)
        hash = mix(hash, view->loaded[i] | common.loaded[i]);
    for (unsigned i = 0; i < memory.num_words; i += 8) {
        uint64_t eight = 0;

        for (unsigned j = 0; j < 8 && i + j < memory.num_words; j++)
            eight |= (uint64_t)view->position[i + j] << (8 * j);
        hash = mix(hash, eight);
    }
    return hash;
}

uint64_t memory_hash(uint64_t hash)
{
    find_common();
    for (unsigned i = 0; i < memory.num_words; i++) {
        hash = mix(hash, memory.words[i].num_stores);
        for (unsigned j = 0; j < memory.words[i].num_stores; j++) {
            const struct store *store = &memory.words[i].stores[j];

            hash = hash_view(mix(mix(hash, store->value), store->chained), &store->view);
        }
    }
    for (unsigned i = 0; i < MODEL_THREADS; i++) {
        if (!(model_running >> i & 1))
            continue;
        hash = hash_view(hash, &memory.views[i].current);
        hash = hash_view(hash, &memory.views[i].acquire);
        hash = hash_view(hash, &memory.views[i].release);
    }
    hash = hash_view(hash, &memory.fence_view);
    for (unsigned i = 0; i < memory.num_undos; i++)
        hash = mix(mix(hash, (uintptr_t)memory.undos[i].address), memory.undos[i].before);
    for (unsigned i = 0; i < memory.num_counters; i++)
        hash = mix(hash, memory.counters[i].value);
    for (unsigned i = 0; i < memory.num_plains; i++)
        for (size_t j = 0; j < memory.plains[i].size; j++)
            hash = mix(hash, memory.plains[i].address[j]);
    return hash;
}
