/*
 * A small exhaustive checker for programs of a few threads on a weak memory.
 *
 * explore.c runs a program again and again, each time with another sequence of choices (which
 * thread steps, which store a load reads, where in the order of its word a store goes, when a
 * thread is killed), until every state the program can reach has been visited. memory.c is the
 * memory the program runs on: release/acquire views over the history of each word, as in RC11
 * without load buffering. Threads are coroutines, so real C sources can be compiled against it.
 *
 * A thread is a deterministic function of the values it was given, so its part of a state is a
 * hash of those; model_point cuts that history where only a few locals matter for what follows.
 */
#ifndef TESTS_MODEL_EXPLORE_H
#define TESTS_MODEL_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_THREADS 3u

/* What a read-modify-write orders beyond its own word. */
enum model_rmw { MODEL_RMW_RELAXED, MODEL_RMW_ACQ_REL, MODEL_RMW_FULL };

struct model_program {
    const char *name;
    const void *parameters;              /* what model_parameters() returns while it runs */
    void (*start)(void);                 /* declare the memory; outside every thread */
    void (*thread[MODEL_THREADS])(void); /* NULL: fewer threads */
    void (*finish)(void);                /* check the outcome once all threads have returned */
    enum model_rmw rmw;                  /* the weakest under which it must hold */
    unsigned daemons;                    /* bits of threads that may sleep for ever in the end */
    bool sequential;                     /* sequentially consistent memory */
    bool killable;                       /* thread 0 may be killed at any access */
};

struct model_result {
    bool failed;
    bool complete;       /* all states visited, no failure, and some run came to its end */
    uint64_t executions; /* runs from the start, most of them cut where a known state was reached */
    uint64_t states;
    uint64_t finished; /* runs that reached the end of all threads, in states not visited before */
    char why[200];
};

/* Explore a program; weakened names the sites to leave out, separated by blanks, NULL none. */
struct model_result model_explore(const struct model_program *program, const char *weakened);
void model_print_trace(void); /* the steps of the last failed run */

/* ---- for programs and memory.c ---- */

const void *model_parameters(void);
unsigned model_self(void);

/* Another thread may step now. The memory calls it before every access that others can see. */
void model_step(void);

/* One of 0 .. count - 1; all of them in turn. */
unsigned model_choose(unsigned count);

/* The run violates a property; does not return. */
void model_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
#define model_assert(condition, ...)                                                               \
    do {                                                                                           \
        if (!(condition))                                                                          \
            model_fail(__VA_ARGS__);                                                               \
    } while (0)

/* This thread has learned value; part of the state from here on. */
void model_learn(uint64_t value);

/* From here the thread depends on nothing it has learned before except these bytes (no padding)
 * and the place, a number that differs between its points. */
void model_point(unsigned place, const void *locals, size_t size);

/* The thread forgets what it has learned since its last store: a loop of loads starts again. */
void model_stored(void);
void model_forget(void);

/* Sleeping: on a word's address or a counter's; wake all. block returns after a wake. */
void model_block(const void *object, const char *name);
void model_wake_all(const void *object);

extern unsigned model_running; /* bits of the threads that have neither returned nor been killed */
void model_await_kill(void);   /* sleep until thread 0 is killed or has returned */
bool model_can_die(void);      /* this thread may be killed */
void model_kill_point(void);   /* an access that only a kill can notice */

/* True for the site left out in this exploration. Also registers the site's name. */
bool model_site_weakened(const char *site);
#define MODEL_SITES 64u
unsigned model_sites(const char **names); /* of the last exploration; how many */

/* One line of the trace. text must live forever. */
void model_note(const char *what, const char *text, uint64_t value, unsigned behind);

#endif
