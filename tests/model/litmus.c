/*
 * The memory model against the classic small programs: the outcomes it can reach must be exactly
 * those RC11 (without load buffering) allows, or nothing it says about the doors means anything.
 *
 * A thread is a list of one-letter words x y z and values:
 *   x=1 relaxed store    x:1 release store    x? relaxed load    x! acquire load
 *   x+ add one (relaxed) F full fence
 * An outcome is the digits of all loads, thread by thread, then the final x and y.
 */
#include "tests/model/checks.h"
#include "tests/model/memory.h"

#include <stdio.h>
#include <string.h>

struct litmus {
    const char *thread[MODEL_THREADS];
    const char *outcomes; /* all that are allowed, without the final values ('.': any) */
};

#define MAX_OUTCOMES 64u
#define OUTCOME_SIZE 12u

static uint32_t memory[3];
static char loads[MODEL_THREADS][OUTCOME_SIZE];
static char reached[MAX_OUTCOMES][OUTCOME_SIZE];
static unsigned num_reached;

static void litmus_start(void)
{
    model_word(&memory[0], 0, "x");
    model_word(&memory[1], 0, "y");
    model_word(&memory[2], 0, "z");
    memset(loads, 0, sizeof(loads));
}

static void litmus_thread(void)
{
    const struct litmus *litmus = model_parameters();
    const char *code = litmus->thread[model_self()];
    char *load = loads[model_self()];

    for (; code && *code; code++) {
        uint32_t *word = &memory[*code - 'x'];

        if (*code == 'F') {
            model_fence();
        } else if (*code >= 'x' && *code <= 'z') {
            char operation = *++code;

            if (operation == '=' || operation == ':')
                model_store(word, 4, (uint64_t)(*++code - '0'),
                            operation == ':' ? MODEL_RELEASE : MODEL_RELAXED);
            else if (operation == '+')
                *load++ = (char)('0' + model_update(word, 4, MODEL_ADD, 1, NULL));
            else
                *load++ =
                    (char)('0' +
                           model_load(word, 4, operation == '!' ? MODEL_ACQUIRE : MODEL_RELAXED));
        }
    }
}

static void litmus_finish(void)
{
    char outcome[OUTCOME_SIZE * 4];

    snprintf(outcome, sizeof(outcome), "%s%s%s-%u%u", loads[0], loads[1], loads[2],
             (unsigned)model_newest(&memory[0]), (unsigned)model_newest(&memory[1]));
    for (unsigned i = 0; i < num_reached; i++)
        if (strcmp(reached[i], outcome) == 0)
            return;
    model_assert(num_reached < MAX_OUTCOMES && strlen(outcome) < OUTCOME_SIZE, "too many outcomes");
    memcpy(reached[num_reached++], outcome, strlen(outcome) + 1);
}

static bool matches(const char *outcome, const char *pattern, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (pattern[i] != '.' && pattern[i] != outcome[i])
            return false;
    return strlen(outcome) == length;
}

/* The outcomes reached are those listed: each listed one is reached and no other. */
static void check_litmus(const char *name, struct litmus litmus)
{
    struct model_program program = {.name = name,
                                    .parameters = &litmus,
                                    .start = litmus_start,
                                    .thread = {litmus_thread, litmus_thread, litmus_thread},
                                    .finish = litmus_finish};
    struct model_result result;
    const char *pattern = litmus.outcomes;
    bool listed[MAX_OUTCOMES] = {false};
    char text[100];

    num_reached = 0;
    result = model_explore(&program, NULL);
    snprintf(text, sizeof(text), "litmus: %s, %llu executions", name,
             (unsigned long long)result.executions);
    if (!result.complete) {
        check_report(false, text, result.why);
        return;
    }
    while (*pattern) {
        size_t length = strcspn(pattern, " ");
        bool found = false;

        for (unsigned i = 0; i < num_reached; i++)
            if (matches(reached[i], pattern, length))
                found = listed[i] = true;
        if (!found) {
            snprintf(result.why, sizeof(result.why), "%.*s is allowed and not reached", (int)length,
                     pattern);
            check_report(false, text, result.why);
            return;
        }
        pattern += length;
        pattern += strspn(pattern, " ");
    }
    for (unsigned i = 0; i < num_reached; i++) {
        if (!listed[i]) {
            snprintf(result.why, sizeof(result.why), "%s is reached and forbidden", reached[i]);
            check_report(false, text, result.why);
            return;
        }
    }
    check_report(true, text, NULL);
}

void check_litmus_tests(void)
{
    model_set_rmw(MODEL_RMW_RELAXED);
    check_litmus("store buffering",
                 (struct litmus){{"x=1 y?", "y=1 x?"}, "00-11 01-11 10-11 11-11"});
    check_litmus("store buffering, release/acquire",
                 (struct litmus){{"x:1 y!", "y:1 x!"}, "00-11 01-11 10-11 11-11"});
    check_litmus("store buffering, fences",
                 (struct litmus){{"x=1 F y?", "y=1 F x?"}, "01-11 10-11 11-11"});
    check_litmus("store buffering, one fence",
                 (struct litmus){{"x=1 F y?", "y=1 x?"}, "00-11 01-11 10-11 11-11"});
    check_litmus("message passing, relaxed",
                 (struct litmus){{"x=1 y=1", "y? x?"}, "00-11 01-11 10-11 11-11"});
    check_litmus("message passing, release only",
                 (struct litmus){{"x=1 y:1", "y? x?"}, "00-11 01-11 10-11 11-11"});
    check_litmus("message passing, acquire only",
                 (struct litmus){{"x=1 y=1", "y! x?"}, "00-11 01-11 10-11 11-11"});
    check_litmus("message passing, release/acquire",
                 (struct litmus){{"x=1 y:1", "y! x?"}, "00-11 01-11 11-11"});
    check_litmus("message passing, fences",
                 (struct litmus){{"x=1 F y=1", "y? F x?"}, "00-11 01-11 11-11"});
    check_litmus("load buffering is outside the model",
                 (struct litmus){{"x? y=1", "y? x=1"}, "00-11 01-11 10-11"});
    check_litmus("coherence of loads",
                 (struct litmus){{"x=1 x=2", "x? x?"}, "00-20 01-20 02-20 11-20 12-20 22-20"});
    check_litmus("2+2W", (struct litmus){{"x=1 y=2", "y=1 x=2"}, "-12 -21 -22 -11"});
    check_litmus("2+2W, fences", (struct litmus){{"x=1 F y=2", "y=1 F x=2"}, "-12 -22 -21"});
    check_litmus("R", (struct litmus){{"x=1 y=1", "y=2 x?"}, "0-11 0-12 1-11 1-12"});
    check_litmus("R, fences", (struct litmus){{"x=1 F y=1", "y=2 F x?"}, "0-11 1-11 1-12"});
    check_litmus("S, release/acquire", (struct litmus){{"x=2 y:1", "y! x=1"}, "0-11 0-21 1-11"});
    check_litmus("atomicity of updates", (struct litmus){{"x+", "x+"}, "01-20 10-20"});
    check_litmus("updates and stores", (struct litmus){{"x+ x+", "x=5"}, "05-60 56-70 01-50"});
    check_litmus("release through an update",
                 (struct litmus){{"y=1 x:3", "x+", "x! y?"},
                                 "000-31 001-31 010-31 011-31 "
                                 "031-31 300-41 301-41 331-41 341-41"});
    check_litmus("causality, relaxed", (struct litmus){{"x=1", "x? y=1", "y! x?"},
                                                       "000-11 001-11 010-11 011-11 "
                                                       "100-11 101-11 110-11 111-11"});
    check_litmus("causality, release/acquire", (struct litmus){{"x=1", "x! y:1", "y! x?"},
                                                               "000-11 001-11 010-11 011-11 "
                                                               "100-11 101-11 111-11"});
}
