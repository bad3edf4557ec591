/*
 * The state of the simulated memory, shared by memory.c (declaring, views, plain memory, hashing)
 * and words.c (what threads do to words and counters).
 */
#ifndef TESTS_MODEL_STATE_H
#define TESTS_MODEL_STATE_H

#include "tests/model/memory.h"

#define MAX_WORDS    44u
#define MAX_STORES   20u /* of one word that can still be read */
#define MAX_PLAIN    64u /* pieces */
#define MAX_UNDOS    16u
#define MAX_COUNTERS 4u

struct view {
    uint64_t written;               /* bit per piece of plain memory: saw its last store */
    uint64_t loaded[MODEL_THREADS]; /* and that thread's loads since */
    uint8_t position[MAX_WORDS];    /* only the first num_words count */
};

struct store {
    uint64_t value;
    struct view view;
    bool chained; /* by a read-modify-write of the store before: nothing may come between */
};

struct word {
    const void *address;
    const char *name;
    unsigned threads; /* bits of those that access it */
    unsigned num_stores;
    struct store stores[MAX_STORES];
};

struct plain {
    const uint8_t *address;
    size_t size;
    const char *name;
    unsigned threads;
};

struct counter {
    const void *address;
    const char *name;
    unsigned value;
};

/* A plain store by a thread that may be killed, and what was there before. */
struct undo {
    uint8_t *address;
    size_t size;
    uint64_t before;
};

struct thread_views {
    struct view current, acquire, release;
};

struct memory_state {
    struct word words[MAX_WORDS];
    unsigned num_words;
    struct plain plains[MAX_PLAIN];
    unsigned num_plains;
    struct counter counters[MAX_COUNTERS];
    unsigned num_counters;
    struct thread_views views[MODEL_THREADS];
    struct view fence_view;
    struct undo undos[MAX_UNDOS]; /* since the last barrier */
    unsigned num_undos;
    unsigned sharers; /* of what is declared next */
    bool sequential;
    enum model_rmw rmw_order;
};

extern struct memory_state memory;

/* The word a thread is about to access; NULL when the address is not a word's. */
struct word *touch_word(const void *address);

/* Add what another view has seen to a view. */
void join(struct view *view, const struct view *other);

/* Put a store at a position of a word's list, and move all views. The caller fills it in. */
struct store *insert_store(struct word *word, unsigned position);

/* Drop the stores that no thread can read any more, of all words. */
void drop_all_unreadable(void);

#endif
