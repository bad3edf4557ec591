/* The checks of tests/model, one function per subject, and how they report. */
#ifndef TESTS_MODEL_CHECKS_H
#define TESTS_MODEL_CHECKS_H

#include "tests/model/explore.h"

/* One line per check; why says what went wrong. */
void check_report(bool passed, const char *text, const char *why);

/* The program has no failing execution. Prints the failing one otherwise. */
bool check_holds(const struct model_program *program);

/* With the site left out, it has one. */
void check_needs(const struct model_program *program, const char *site);

/* The program just explored has one when all sites of a file are left out together, of which each
 * may cover for another. */
void check_needs_some(const struct model_program *program, const char *file);

/* A fault that is known and lived with: fails when the program has come to hold. */
void check_limit(const struct model_program *program);

void check_litmus_tests(void);
void check_doors(void);
void check_sharing(void);
void check_host(void);
void check_epochs(void);
void check_pipe(void);
void check_kill(void);

#endif
