/*
 * The harness of the conformance suite: tests, checks, a time limit for each test.
 *
 *   TEST(group_name, 10)        a test that may take 10 seconds (more on slow systems)
 *   {
 *       CHECK_EQ(ring->tail, 5);           record a failure and go on
 *       REQUIRE(port != NULL);             record a failure and leave the test
 *   }
 *
 * Whatever a test leaves behind (ports, threads) is cleaned up after it, so leaving early is fine.
 */
#ifndef NM_CONFORMANCE_CHECK_H
#define NM_CONFORMANCE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __MINGW_PRINTF_FORMAT
#define CHECK_PRINTF(text, first) __attribute__((format(__MINGW_PRINTF_FORMAT, text, first)))
#else
#define CHECK_PRINTF(text, first) __attribute__((format(printf, text, first)))
#endif

struct test {
    const char *name;
    const char *file;
    int line;
    unsigned limit_s;
    void (*run)(void);
    struct test *next;
};

void test_add(struct test *test);

#define TEST(identifier, limit_seconds)                                                            \
    static void test_##identifier(void);                                                           \
    static struct test entry_##identifier = {#identifier,   __FILE__,          __LINE__,           \
                                             limit_seconds, test_##identifier, 0};                 \
    __attribute__((constructor)) static void register_##identifier(void)                           \
    {                                                                                              \
        test_add(&entry_##identifier);                                                             \
    }                                                                                              \
    static void test_##identifier(void)

/* A program of its own that a test starts again from this executable: `conformance --child NAME
 * arguments...`. It returns the exit status. Used by the tests that exist on one system only. */
struct child {
    const char *name;
    int (*run)(int argc, char **argv);
    struct child *next;
};

void child_add(struct child *child);

#define CHILD(identifier)                                                                          \
    static int child_##identifier(int argc, char **argv);                                          \
    static struct child child_entry_##identifier = {#identifier, child_##identifier, 0};           \
    __attribute__((constructor)) static void register_child_##identifier(void)                     \
    {                                                                                              \
        child_add(&child_entry_##identifier);                                                      \
    }                                                                                              \
    static int child_##identifier(int argc, char **argv)

/* Called after each test, in the order they were added: stop threads, then close ports. */
void cleanup_add(void (*cleanup)(void));

/* From any thread. The message goes out as a "# file:line: " line. */
void check_fail(const char *file, int line, const char *format, ...) CHECK_PRINTF(3, 4);
void check_skip(const char *format, ...) CHECK_PRINTF(1, 2);
void check_note(const char *format, ...) CHECK_PRINTF(1, 2);
unsigned check_failures(void); /* of the running test */

/* True, or false with a failure recorded. */
bool check_equal(const char *file, int line, const char *what, uint64_t actual, uint64_t expected);
bool check_errno(const char *file, int line, const char *what, int actual, int expected);

#define CHECK_HERE(function, ...) function(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(condition)                                                                           \
    ((condition) ? true : (CHECK_HERE(check_fail, "not true: %s", #condition), false))
#define CHECK_MSG(condition, ...)                                                                  \
    ((condition) ? true : (CHECK_HERE(check_fail, __VA_ARGS__), false))
#define CHECK_EQ(actual, expected)                                                                 \
    CHECK_HERE(check_equal, #actual, (uint64_t)(actual), (uint64_t)(expected))
#define FAIL(...) CHECK_HERE(check_fail, __VA_ARGS__)
/* actual and expected are errno values, 0 for success; printed by name. */
#define CHECK_ERR(actual, expected) CHECK_HERE(check_errno, #actual, (actual), (expected))

/* The same, and leave the test (or a helper that returns nothing). */
#define REQUIRE_THAT(check)                                                                        \
    do {                                                                                           \
        if (!(check))                                                                              \
            return;                                                                                \
    } while (0)
#define REQUIRE(condition)            REQUIRE_THAT(CHECK(condition))
#define REQUIRE_MSG(condition, ...)   REQUIRE_THAT(CHECK_MSG(condition, __VA_ARGS__))
#define REQUIRE_EQ(actual, expected)  REQUIRE_THAT(CHECK_EQ(actual, expected))
#define REQUIRE_ERR(actual, expected) REQUIRE_THAT(CHECK_ERR(actual, expected))

#define SKIP(...)                                                                                  \
    do {                                                                                           \
        check_skip(__VA_ARGS__);                                                                   \
        return;                                                                                    \
    } while (0)

/* Name of an errno value: "EINVAL", or "errno 999". */
const char *errno_name(int error);

/* Path of this executable, for tests that start it again. */
const char *check_program(void);

#endif
