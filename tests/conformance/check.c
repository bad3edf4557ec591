/* The harness: finds the tests, runs them one after the other, says what happened. */
#include "tests/conformance/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/conformance/platform.h"

#define MAX_MESSAGES 20 /* of one test; the rest is only counted */
#define MAX_CLEANUPS 4

static struct test *tests;
static struct child *children;
static void (*cleanups[MAX_CLEANUPS])(void);
static unsigned num_cleanups;
static const char *program;

/* Shared with the watchdog and with the threads of a test. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct test *running;
static uint64_t deadline_ns; /* of the running test */
static unsigned failures;    /* of the running test */
static char skip_reason[256];
static unsigned passed, failed, skipped;
static unsigned test_number;

/* By file, then by line: the order in which a reader finds them. */
void test_add(struct test *test)
{
    struct test **link = &tests;

    while (*link != NULL) {
        int order = strcmp((*link)->file, test->file);

        if (order > 0 || (order == 0 && (*link)->line > test->line))
            break;
        link = &(*link)->next;
    }
    test->next = *link;
    *link = test;
}

void child_add(struct child *child)
{
    child->next = children;
    children = child;
}

void cleanup_add(void (*cleanup)(void))
{
    if (num_cleanups < MAX_CLEANUPS)
        cleanups[num_cleanups++] = cleanup;
}

const char *check_program(void)
{
    return program;
}

void check_fail(const char *file, int line, const char *format, ...)
{
    const char *base = strrchr(file, '/');
    va_list arguments;

    pthread_mutex_lock(&lock);
    if (failures++ < MAX_MESSAGES) {
        printf("# %s:%d: ", base != NULL ? base + 1 : file, line);
        va_start(arguments, format);
        vprintf(format, arguments);
        va_end(arguments);
        printf("\n");
        fflush(stdout);
    }
    pthread_mutex_unlock(&lock);
}

void check_note(const char *format, ...)
{
    va_list arguments;

    pthread_mutex_lock(&lock);
    printf("#   ");
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
    pthread_mutex_unlock(&lock);
}

void check_skip(const char *format, ...)
{
    va_list arguments;

    pthread_mutex_lock(&lock);
    va_start(arguments, format);
    vsnprintf(skip_reason, sizeof(skip_reason), format, arguments);
    va_end(arguments);
    pthread_mutex_unlock(&lock);
}

unsigned check_failures(void)
{
    unsigned count;

    pthread_mutex_lock(&lock);
    count = failures;
    pthread_mutex_unlock(&lock);
    return count;
}

bool check_equal(const char *file, int line, const char *what, uint64_t actual, uint64_t expected)
{
    if (actual == expected)
        return true;
    check_fail(file, line, "%s is %lld (0x%llx), expected %lld (0x%llx)", what, (long long)actual,
               (unsigned long long)actual, (long long)expected, (unsigned long long)expected);
    return false;
}

bool check_errno(const char *file, int line, const char *what, int actual, int expected)
{
    if (actual == expected)
        return true;
    check_fail(file, line, "%s gives %s, expected %s", what, errno_name(actual),
               errno_name(expected));
    return false;
}

const char *errno_name(int error)
{
    static const struct {
        int value;
        const char *name;
    } names[] = {
        {0, "success"},         {EPERM, "EPERM"},           {ENOENT, "ENOENT"}, {EINTR, "EINTR"},
        {EIO, "EIO"},           {ENXIO, "ENXIO"},           {EBADF, "EBADF"},   {EAGAIN, "EAGAIN"},
        {ENOMEM, "ENOMEM"},     {EACCES, "EACCES"},         {EFAULT, "EFAULT"}, {EBUSY, "EBUSY"},
        {EEXIST, "EEXIST"},     {ENODEV, "ENODEV"},         {EINVAL, "EINVAL"}, {EMFILE, "EMFILE"},
        {ENOTTY, "ENOTTY"},     {ENOSPC, "ENOSPC"},         {EPIPE, "EPIPE"},   {ENOSYS, "ENOSYS"},
        {EMSGSIZE, "EMSGSIZE"}, {EOPNOTSUPP, "EOPNOTSUPP"},
    };
    static char text[4][32];
    static unsigned turn;
    unsigned slot;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].value == error)
            return names[i].name;
    slot = __atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED) % 4;
    snprintf(text[slot], sizeof(text[slot]), "errno %d", error);
    return text[slot];
}

/* stdout is a report that others read: a crash in a test must not take earlier lines with it. */
static void print_totals(void)
{
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    fflush(stdout);
}

/* A test that hangs cannot be continued with: say which one, and end the process. */
static void *watchdog(void *unused)
{
    (void)unused;
    for (;;) {
        sleep_ms(100);
        pthread_mutex_lock(&lock);
        if (running != NULL && now_ns() > deadline_ns) {
            printf("# %s: still running after its time limit of %u s; tests after it not run\n",
                   running->name, running->limit_s * time_scale());
            printf("not ok %u - %s\n", test_number, running->name);
            failed++;
            print_totals();
            _exit(1);
        }
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void run_test(const struct test *test)
{
    uint64_t start = now_ns();
    bool is_skipped;
    unsigned failed_checks;

    pthread_mutex_lock(&lock);
    test_number++;
    running = test;
    deadline_ns = start + (uint64_t)test->limit_s * time_scale() * 1000000000u;
    failures = 0;
    skip_reason[0] = '\0';
    pthread_mutex_unlock(&lock);

    test->run();
    for (unsigned i = 0; i < num_cleanups; i++)
        cleanups[i]();

    pthread_mutex_lock(&lock);
    running = NULL;
    failed_checks = failures;
    is_skipped = skip_reason[0] != '\0' && failed_checks == 0;
    if (failed_checks > MAX_MESSAGES)
        printf("# and %u more failed checks\n", failed_checks - MAX_MESSAGES);
    printf("%s %u - %s", failed_checks == 0 ? "ok" : "not ok", test_number, test->name);
    if (is_skipped)
        printf(" # SKIP %s\n", skip_reason);
    else
        printf(" (%llu ms)\n", (unsigned long long)((now_ns() - start) / 1000000u));
    fflush(stdout);
    if (failed_checks > 0)
        failed++;
    else if (is_skipped)
        skipped++;
    else
        passed++;
    pthread_mutex_unlock(&lock);
}

static bool is_selected(const struct test *test, int count, char **patterns)
{
    bool any = false;
    bool selected = false;

    for (int i = 0; i < count; i++) {
        if (patterns[i][0] == '-') { /* a pattern to leave out */
            if (strstr(test->name, patterns[i] + 1) != NULL)
                return false;
        } else {
            any = true;
            selected = selected || strstr(test->name, patterns[i]) != NULL;
        }
    }
    return selected || !any;
}

static int run_child(const char *name, int argc, char **argv)
{
    for (const struct child *child = children; child != NULL; child = child->next)
        if (strcmp(child->name, name) == 0)
            return child->run(argc, argv);
    fprintf(stderr, "conformance: no child program is called %s\n", name);
    return 2;
}

static void usage(void)
{
    printf("usage: conformance [--list] [PATTERN | -PATTERN]...\n"
           "Runs the tests whose names contain a PATTERN and no -PATTERN; all without any.\n"
           "Environment: NM_QUICK=1 shorter runs; NM_FRAMES, NM_SCRIBBLE_SECONDS, NM_KILLS how\n"
           "much of each; NM_TIME_SCALE multiplies the time limits.\n");
}

int main(int argc, char **argv)
{
    pthread_t thread;
    bool list_only = false;
    int first = 1;

    program = argv[0];
    platform_start();
    if (argc > 2 && strcmp(argv[1], "--child") == 0)
        return run_child(argv[2], argc - 3, argv + 3);
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        usage();
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--list") == 0) {
        list_only = true;
        first = 2;
    }
    if (!list_only && pthread_create(&thread, NULL, watchdog, NULL) != 0) {
        fprintf(stderr, "conformance: no thread for the watchdog\n");
        return 1;
    }
    for (const struct test *test = tests; test != NULL; test = test->next) {
        if (!is_selected(test, argc - first, argv + first))
            continue;
        if (list_only)
            printf("%s\n", test->name);
        else
            run_test(test);
    }
    if (list_only)
        return 0;
    print_totals();
    return failed == 0 && passed + skipped > 0 ? 0 : 1;
}
