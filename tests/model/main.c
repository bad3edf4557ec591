/*
 * test-model: explores the core's lock-free code under a weak memory model, whole and with each
 * fence left out. Arguments choose subjects (see the table below); none: all. -v prints the failing
 * executions.
 */
#include "tests/model/checks.h"
#include "tests/model/memory.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static unsigned passed, failed;
static bool verbose;

void check_report(bool ok, const char *text, const char *why)
{
    printf("%s  %s%s%s\n", ok ? "ok  " : "FAIL", text, why ? ": " : "", why ? why : "");
    fflush(stdout);
    if (ok)
        passed++;
    else
        failed++;
}

bool check_holds(const struct model_program *program)
{
    struct model_result result;
    char text[160];

    model_set_rmw(program->rmw);
    result = model_explore(program, NULL);
    snprintf(text, sizeof(text), "%s holds: %llu executions, %llu states", program->name,
             (unsigned long long)result.executions, (unsigned long long)result.states);
    check_report(result.complete, text, result.complete ? NULL : result.why);
    if (!result.complete)
        model_print_trace();
    return result.complete;
}

static void check_fails_without(const struct model_program *program, const char *sites,
                                const char *what)
{
    struct model_result result;
    char text[160];

    model_set_rmw(MODEL_RMW_FULL);
    result = model_explore(program, sites);
    snprintf(text, sizeof(text), "%s fails without %s: execution %llu", program->name, what,
             (unsigned long long)result.executions);
    check_report(result.failed, text, result.failed ? result.why : "it holds");
    if (result.failed && verbose)
        model_print_trace();
}

void check_needs(const struct model_program *program, const char *site)
{
    check_fails_without(program, site, site);
}

void check_needs_some(const struct model_program *program, const char *file)
{
    const char *sites[MODEL_SITES];
    unsigned num_sites = model_sites(sites);
    char list[1024] = "", what[80];
    unsigned number = 0;

    for (unsigned i = 0; i < num_sites; i++) {
        size_t length = strlen(list);

        if (!strstr(sites[i], file))
            continue;
        number++;
        snprintf(list + length, sizeof(list) - length, "%s%s", length ? " " : "", sites[i]);
    }
    snprintf(what, sizeof(what), "the %u sites of %s", number, file);
    check_fails_without(program, list, what);
}

void check_limit(const struct model_program *program)
{
    struct model_result result;
    char text[160];

    model_set_rmw(program->rmw);
    result = model_explore(program, NULL);
    snprintf(text, sizeof(text), "%s: known limit, execution %llu", program->name,
             (unsigned long long)result.executions);
    check_report(result.failed, text, result.failed ? result.why : "it holds now: make it a check");
}

static const struct {
    const char *name;
    void (*check)(void);
} subjects[] = {
    {"litmus", check_litmus_tests}, {"doors", check_doors}, {"sharing", check_sharing},
    {"host", check_host},           {"pipe", check_pipe},   {"epoch", check_epochs},
    {"kill", check_kill},
};

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        bool wanted = true;
        struct timespec before, after;

        for (int j = 1; j < argc; j++) {
            if (strcmp(argv[j], "-v") == 0) {
                verbose = true;
                continue;
            }
            wanted = strcmp(argv[j], subjects[i].name) == 0;
            if (wanted)
                break;
        }
        if (!wanted)
            continue;
        clock_gettime(CLOCK_MONOTONIC, &before);
        subjects[i].check();
        clock_gettime(CLOCK_MONOTONIC, &after);
        printf("      %s took %.1f s\n", subjects[i].name,
               (double)(after.tv_sec - before.tv_sec) +
                   (double)(after.tv_nsec - before.tv_nsec) / 1e9);
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed ? 1 : 0;
}
