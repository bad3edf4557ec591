/* Processes of their own, for tests about dying, other users, and other instances (Linux). */
#ifndef NM_CONFORMANCE_LINUX_CHILDREN_H
#define NM_CONFORMANCE_LINUX_CHILDREN_H

#include <stdbool.h>
#include <sys/types.h>

#define MAX_CHILD_ARGS 6

struct child_options {
    const char *directory;      /* NETMAP_DIR; NULL: as this process has it; "": none at all */
    uid_t user;                 /* 0: stay who we are */
    const char *environment[4]; /* further "NAME=value", up to the first NULL */
    const char *args[MAX_CHILD_ARGS]; /* up to the first NULL */
};

/*
 * Start CHILD(name) of this program. The child ends when this process does, and after the test.
 * -1 with a failure recorded. What the child writes to stdout stays on stdout unless *from_child
 * is given: then that descriptor reads it.
 */
pid_t child_start(const char *name, const struct child_options *options, int *from_child);
/* Start a program, which stays in the foreground, in the same way. */
pid_t child_start_program(const char *path, const struct child_options *options);
/* Wait for it; the exit status, 128 + signal, or -1 (killed, a failure recorded) after the time. */
int child_wait(pid_t pid, unsigned milliseconds);
void child_kill(pid_t pid); /* SIGKILL, and wait */
/* Start and wait: true when it exited with 0; otherwise a failure is recorded. */
bool child_check(const char *name, const struct child_options *options, unsigned milliseconds);
/* One byte from a child's output within the time; -1 when none comes. */
int child_byte(int from_child, unsigned milliseconds);
/* In a child: one byte to the parent at once. */
void child_say(char byte);

/* A fresh directory for an instance of netmapd, below the one this process uses. */
const char *instance_directory(const char *name);
/* How many netmapd run for that directory; one of their pids in *pid. */
unsigned instance_count(const char *directory, pid_t *pid);
/* Wait until that many run. */
bool instance_wait_count(const char *directory, unsigned count, unsigned milliseconds);
/* The directory of this process's own instance, or NULL. */
const char *instance_own_directory(void);

#endif
