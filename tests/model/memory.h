/*
 * The simulated memory. Two kinds of memory can be declared when a program starts:
 *   words   are atomic. Each has the history of its stores; a load may read any store that is not
 *           older than what its thread has seen, unless something ordered it.
 *   plain   memory holds ordinary data. Any access that is not ordered after the last store, and
 *           any store that is not ordered after all earlier loads, is a failure, so that a missing
 *           fence shows whether or not the value read happens to be stale.
 * Anything else must not be shared between threads.
 */
#ifndef TESTS_MODEL_MEMORY_H
#define TESTS_MODEL_MEMORY_H

#include "tests/model/explore.h"

enum model_order { MODEL_RELAXED, MODEL_ACQUIRE, MODEL_RELEASE };

/* For the next explorations. Checks that must hold use the weakest that will do, checks that a
 * removed fence is missed use the strongest, so that neither leans on what the other forbids. */
void model_set_rmw(enum model_rmw rmw);

/* Declaring; the initial value of a word is given, that of plain memory is what it holds. Only the
 * threads whose bits are set will access what is declared after model_shared_by; this is checked,
 * and lets the memory forget more. */
void model_shared_by(unsigned threads);
void model_word(const void *address, uint64_t value, const char *name);
void model_plain(const void *address, size_t size, const char *name);

uint64_t model_load(const void *address, size_t size, enum model_order order);
void model_store(void *address, size_t size, uint64_t value, enum model_order order);
void model_fence(void);
/* Store operand(old) if compare is NULL or old equals *compare; returns old. */
enum model_operation { MODEL_EXCHANGE, MODEL_ADD };
uint64_t model_update(void *address, size_t size, enum model_operation operation, uint64_t operand,
                      const uint64_t *compare);

void model_plain_load(const void *address, size_t size); /* about to be read by other means */
void model_plain_store(void *address, size_t size, uint64_t value);

/* futex: sleep if the word's newest value is expected; wake all. */
void model_futex_wait(const void *address, uint64_t expected);
void model_futex_wake(const void *address);

/* A sticky counter (eventfd): signal adds one, wait sleeps while it is 0 and then clears it. It
 * orders nothing. Declared like a word. */
void model_counter(const void *address, const char *name);
void model_counter_signal(const void *address);
void model_counter_wait(const void *address);

/* A compiler barrier. When thread 0 is killed, any of its plain stores since the last barrier,
 * release or fence may turn out not to have been done: a compiler may have moved them. */
void model_barrier(void);

/* Sleep until thread 0 is killed; then know all it did, as who sees a process gone does. */
void model_await_death(void);

uint64_t model_newest(const void *address); /* of a word; for finish */

/* ---- for explore.c ---- */
void memory_reset(bool sequential);
uint64_t memory_hash(uint64_t seed);
void memory_killed(void);

#endif
