/*
 * Exploration: depth-first over choices, by running the program again from its start. A run is cut
 * where it reaches a state visited before; states are told apart by 64-bit hashes (for a million
 * states the odds of taking two for one are below 1 in 10^7).
 */
#include "tests/model/explore.h"
#include "tests/model/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STACK_SIZE  (256u * 1024)
#define MAX_CHOICES 4096u
#define MAX_NOTES   4096u
#define TRACE_LINES 80u
#define MAX_STATES  (1u << 24) /* a program that needs more is too large for a test */

enum thread_state { ABSENT, READY, BLOCKED, RETURNED, KILLED };

/* Threads switch with _setjmp and _longjmp, which make no system call; ucontext only gives each a
 * stack. A thread is started by jumping to base, whose frame never returns. */
struct thread {
    jmp_buf base;
    jmp_buf here;
    bool begun;
    enum thread_state state;
    const void *blocked_on;
    const char *blocked_name;
    uint64_t learned;  /* hash of what it has been told */
    uint64_t at_store; /* the same just after its last store */
};

struct choice {
    uint16_t taken;
    uint16_t count;
};

struct note {
    const char *what;
    const char *text;
    uint64_t value;
    unsigned thread;
    unsigned behind;
};

static struct thread threads[MODEL_THREADS];
static ucontext_t thread_contexts[MODEL_THREADS];
static ucontext_t explorer_context;
static jmp_buf explorer; /* where a run ends */
static bool coroutines_ready;

static const struct model_program *program;
static const char *weakened_site;
static struct model_result result;
static unsigned running; /* the thread that steps */
unsigned model_running;
static bool killed;

static struct choice choices[MAX_CHOICES];
static unsigned num_choices; /* made so far in this run or left from the one before */
static unsigned next_choice;
static unsigned num_replayed; /* the run repeats these before it reaches new ground */

static uint64_t *visited; /* open addressing, 0 is free */
static uint64_t visited_size;

static struct note notes[MAX_NOTES];
static unsigned num_notes;
static const char *sites[MODEL_SITES]; /* by address: one name may be there twice */
static bool site_weakened[MODEL_SITES];
static unsigned num_sites;

enum run_end { RUN_STARTS, RUN_ENDED };

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) + 0x9e3779b97f4a7c15u;
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
    return hash ^ (hash >> 31);
}

const void *model_parameters(void)
{
    return program->parameters;
}

unsigned model_self(void)
{
    return running;
}

void model_note(const char *what, const char *text, uint64_t value, unsigned behind)
{
    if (num_notes < MAX_NOTES)
        notes[num_notes++] = (struct note){what, text, value, running, behind};
}

void model_print_trace(void)
{
    unsigned first = num_notes > TRACE_LINES ? num_notes - TRACE_LINES : 0;

    if (first > 0)
        printf("      ... %u steps\n", first);
    for (unsigned i = first; i < num_notes; i++) {
        printf("      thread %u: %-9s %-24s %llu", notes[i].thread, notes[i].what, notes[i].text,
               (unsigned long long)notes[i].value);
        if (notes[i].behind)
            printf("   (%u newer)", notes[i].behind);
        printf("\n");
    }
}

/* weakened_site may name several, separated by blanks. */
static bool is_weakened(const char *site)
{
    size_t length = strlen(site);

    for (const char *at = weakened_site; at; at = strstr(at + 1, site)) {
        if (strncmp(at, site, length) == 0 && (at[length] == '\0' || at[length] == ' ') &&
            (at == weakened_site || at[-1] == ' '))
            return true;
    }
    return false;
}

bool model_site_weakened(const char *site)
{
    unsigned i;

    for (i = 0; i < num_sites && sites[i] != site; i++)
        ;
    if (i == num_sites) {
        if (num_sites == MODEL_SITES)
            model_fail("more than %u sites", MODEL_SITES);
        sites[num_sites] = site;
        site_weakened[num_sites++] = is_weakened(site);
    }
    return site_weakened[i];
}

unsigned model_sites(const char **names)
{
    unsigned count = 0;

    for (unsigned i = 0; i < num_sites; i++) {
        unsigned j;

        for (j = 0; j < count && strcmp(names[j], sites[i]) != 0; j++)
            ;
        if (j == count)
            names[count++] = sites[i];
    }
    return count;
}

/* ---- ends of a run ---- */

static void end_run(void)
{
    _longjmp(explorer, RUN_ENDED);
}

void model_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(result.why, sizeof(result.why), format, arguments);
    va_end(arguments);
    result.failed = true;
    _longjmp(explorer, RUN_ENDED);
}

/* ---- choices and states ---- */

unsigned model_choose(unsigned count)
{
    if (count <= 1)
        return 0;
    if (next_choice == num_choices) {
        if (num_choices == MAX_CHOICES)
            model_fail("a run of more than %u choices", MAX_CHOICES);
        choices[num_choices++] = (struct choice){0, (uint16_t)count};
    } else if (choices[next_choice].count != count) {
        model_fail("the program is not deterministic");
    }
    return choices[next_choice++].taken;
}

static void grow_visited(void)
{
    uint64_t *old = visited;
    uint64_t old_size = visited_size;

    visited_size = old_size ? old_size * 4 : 1u << 16;
    visited = calloc(visited_size, sizeof(*visited));
    if (!visited) {
        fprintf(stderr, "test-model: no memory for %llu states\n",
                (unsigned long long)visited_size);
        exit(2);
    }
    for (uint64_t i = 0; i < old_size; i++) {
        uint64_t at = old[i] & (visited_size - 1);

        if (!old[i])
            continue;
        while (visited[at])
            at = (at + 1) & (visited_size - 1);
        visited[at] = old[i];
    }
    free(old);
}

/* Is the present state new? */
static bool visit(void)
{
    uint64_t hash = mix(0, killed);
    uint64_t at;

    for (unsigned i = 0; i < MODEL_THREADS; i++) {
        hash = mix(hash, (uint64_t)threads[i].state << 1 | threads[i].begun);
        hash = mix(hash, (uintptr_t)threads[i].blocked_on);
        hash = mix(mix(hash, threads[i].learned), threads[i].at_store);
    }
    hash = memory_hash(hash);
    hash += !hash;
    if (result.states * 2 >= visited_size)
        grow_visited();
    for (at = hash & (visited_size - 1); visited[at]; at = (at + 1) & (visited_size - 1))
        if (visited[at] == hash)
            return false;
    visited[at] = hash;
    if (++result.states > MAX_STATES)
        model_fail("more than %u states", MAX_STATES);
    return true;
}

void model_learn(uint64_t value)
{
    threads[running].learned = mix(threads[running].learned, value);
}

void model_point(unsigned place, const void *locals, size_t size)
{
    const uint8_t *bytes = locals;
    uint64_t hash = mix(1, place);

    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t eight = 0;

        memcpy(&eight, bytes + i, size - i < sizeof(eight) ? size - i : sizeof(eight));
        hash = mix(hash, eight);
    }
    threads[running].learned = hash;
    threads[running].at_store = hash;
}

void model_stored(void)
{
    threads[running].at_store = threads[running].learned;
}

void model_forget(void)
{
    threads[running].learned = mix(threads[running].at_store, 1);
}

/* ---- threads ---- */

/* Continue with any thread that can; the one running goes first, which saves switches. */
static void schedule(void)
{
    unsigned ready[MODEL_THREADS];
    unsigned count = 0;
    unsigned self = running;

    if (next_choice >= num_replayed && !visit())
        end_run();
    for (unsigned i = 0; i < MODEL_THREADS; i++) {
        unsigned thread = (self + i) % MODEL_THREADS;

        if (threads[thread].state == READY)
            ready[count++] = thread;
    }
    if (count == 0) {
        for (unsigned i = 0; i < MODEL_THREADS; i++)
            if (threads[i].state == BLOCKED && !(program->daemons >> i & 1))
                model_fail("thread %u sleeps on %s for ever", i, threads[i].blocked_name);
        program->finish();
        result.finished++;
        end_run();
    }
    running = ready[model_choose(count)];
    if (running == self && threads[self].begun)
        return;
    if (threads[self].state == RETURNED || threads[self].state == KILLED || !threads[self].begun ||
        _setjmp(threads[self].here) == 0) {
        struct thread *next = &threads[running];
        bool begun = next->begun;

        next->begun = true;
        _longjmp(begun ? next->here : next->base, 1);
    }
}

void model_wake_all(const void *object)
{
    for (unsigned i = 0; i < MODEL_THREADS; i++) {
        if (threads[i].state == BLOCKED && threads[i].blocked_on == object) {
            threads[i].state = READY;
            threads[i].blocked_on = NULL;
        }
    }
}

/* Thread 0 of a killable program is gone: how, only its memory shows. */
static void die(void)
{
    killed = true;
    model_wake_all(&killed);
}

bool model_can_die(void)
{
    return program->killable && running == 0;
}

static void thread_main(void)
{
    unsigned self = running;

    /* Comes back here each time the thread is started. */
    if (_setjmp(threads[self].base) == 0)
        swapcontext(&thread_contexts[self], &explorer_context);
    program->thread[running]();
    threads[running].state = RETURNED;
    model_running &= ~(1u << running);
    if (model_can_die())
        die();
    schedule();
    abort();
}

static void prepare_coroutines(void)
{
    for (running = 0; running < MODEL_THREADS; running++) {
        ucontext_t *context = &thread_contexts[running];

        getcontext(context);
        context->uc_stack.ss_sp = malloc(STACK_SIZE);
        context->uc_stack.ss_size = STACK_SIZE;
        if (!context->uc_stack.ss_sp)
            abort();
        makecontext(context, thread_main, 0);
        swapcontext(&explorer_context, context);
    }
    coroutines_ready = true;
}

/* Where only a kill makes a difference: others need not step, their accesses commute with this. */
void model_kill_point(void)
{
    if (!model_can_die() || model_choose(2) == 0)
        return;
    model_note("is killed", "", 0, 0);
    threads[0].state = KILLED;
    model_running &= ~1u;
    threads[0].learned = 0;
    threads[0].at_store = 0;
    memory_killed();
    die();
    schedule();
}

void model_step(void)
{
    schedule();
    model_kill_point();
}

void model_block(const void *object, const char *name)
{
    threads[running].state = BLOCKED;
    threads[running].blocked_on = object;
    threads[running].blocked_name = name;
    schedule();
}

void model_await_kill(void)
{
    model_step();
    if (!killed)
        model_block(&killed, "a death");
}

/* ---- exploring ---- */

static void run_once(void)
{
    if (_setjmp(explorer) == RUN_ENDED)
        return;
    num_notes = 0;
    next_choice = 0;
    killed = false;
    running = 0;
    model_running = 0;
    for (unsigned i = 0; i < MODEL_THREADS; i++) {
        threads[i].state = program->thread[i] ? READY : ABSENT;
        if (program->thread[i])
            model_running |= 1u << i;
        threads[i].begun = false;
        threads[i].blocked_on = NULL;
        threads[i].learned = 0;
        threads[i].at_store = 0;
    }
    memory_reset(program->sequential);
    program->start();
    schedule();
}

/* The next combination of choices in depth-first order; false when there is none. */
static bool advance(void)
{
    while (num_choices > 0) {
        struct choice *last = &choices[num_choices - 1];

        if (++last->taken < last->count)
            break;
        num_choices--;
    }
    num_replayed = num_choices;
    return num_choices > 0;
}

struct model_result model_explore(const struct model_program *which, const char *weakened)
{
    if (!coroutines_ready)
        prepare_coroutines();
    program = which;
    weakened_site = weakened;
    memset(&result, 0, sizeof(result));
    num_sites = 0;
    num_choices = 0;
    num_replayed = 0;
    free(visited);
    visited = NULL;
    visited_size = 0;
    do {
        run_once();
        result.executions++;
    } while (!result.failed && advance());
    if (!result.failed && result.finished == 0)
        snprintf(result.why, sizeof(result.why), "no execution comes to its end");
    result.complete = !result.failed && result.finished > 0;
    return result;
}
