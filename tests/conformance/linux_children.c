/* Processes of their own, and the netmapd processes they use. */
#include "tests/conformance/linux_children.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/conformance/check.h"
#include "tests/conformance/platform.h"

extern char **environ;

#define MAX_CHILDREN    64
#define MAX_ENVIRONMENT 128

static pid_t children[MAX_CHILDREN];
static bool cleanup_added;

static void forget(pid_t pid)
{
    for (unsigned i = 0; i < MAX_CHILDREN; i++)
        if (children[i] == pid)
            children[i] = 0;
}

static void kill_all(void)
{
    for (unsigned i = 0; i < MAX_CHILDREN; i++)
        if (children[i] > 0)
            child_kill(children[i]);
}

static bool remember(pid_t pid)
{
    if (!cleanup_added)
        cleanup_add(kill_all);
    cleanup_added = true;
    for (unsigned i = 0; i < MAX_CHILDREN; i++) {
        if (children[i] == 0) {
            children[i] = pid;
            return true;
        }
    }
    FAIL("more than %d children", MAX_CHILDREN);
    child_kill(pid);
    return false;
}

/* The environment of the child, with what the options change. */
static void make_environment(const struct child_options *options, char *directory, size_t size,
                             char *result[MAX_ENVIRONMENT])
{
    unsigned count = 0;
    bool replace_directory = options->directory != NULL;

    for (char **entry = environ; *entry != NULL && count < MAX_ENVIRONMENT - 8; entry++) {
        bool replaced = replace_directory && strncmp(*entry, "NETMAP_DIR=", 11) == 0;

        for (unsigned i = 0; i < 4 && options->environment[i] != NULL; i++) {
            size_t name = strcspn(options->environment[i], "=") + 1;

            replaced = replaced || strncmp(*entry, options->environment[i], name) == 0;
        }
        if (!replaced)
            result[count++] = *entry;
    }
    for (unsigned i = 0; i < 4 && options->environment[i] != NULL; i++)
        result[count++] = (char *)(uintptr_t)options->environment[i];
    if (replace_directory && options->directory[0] != '\0') {
        snprintf(directory, size, "NETMAP_DIR=%s", options->directory);
        result[count++] = directory;
    }
    result[count] = NULL;
}

/* In the child, between fork and exec: only calls that are safe there. */
static void become(int program, const struct child_options *options, int output, pid_t parent,
                   char *const *arguments, char *const *environment)
{
    if (output >= 0 && dup2(output, 1) < 0)
        _exit(126);
    if (options->user != 0 && (setgroups(0, NULL) != 0 || setgid((gid_t)options->user) != 0 ||
                               setuid(options->user) != 0))
        _exit(125);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(124);
    fexecve(program, arguments, environment);
    _exit(127);
}

static pid_t start(int program, char *const *arguments, const struct child_options *options,
                   int output)
{
    char directory[300];
    char *environment[MAX_ENVIRONMENT];
    pid_t parent = getpid();
    pid_t pid;

    make_environment(options, directory, sizeof(directory), environment);
    fflush(stdout);
    pid = fork();
    if (pid == 0)
        become(program, options, output, parent, arguments, environment);
    if (!CHECK_MSG(pid > 0, "fork: %s", errno_name(errno)))
        return -1;
    return remember(pid) ? pid : -1;
}

pid_t child_start(const char *name, const struct child_options *options, int *from_child)
{
    static const struct child_options none;
    char *arguments[MAX_CHILD_ARGS + 4];
    unsigned count = 0;
    int ends[2] = {-1, -1};
    int program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    pid_t pid;

    if (options == NULL)
        options = &none;
    arguments[count++] = (char *)(uintptr_t) "conformance-child";
    arguments[count++] = (char *)(uintptr_t) "--child";
    arguments[count++] = (char *)(uintptr_t)name;
    for (unsigned i = 0; i < MAX_CHILD_ARGS && options->args[i] != NULL; i++)
        arguments[count++] = (char *)(uintptr_t)options->args[i];
    arguments[count] = NULL;
    if (!CHECK(program >= 0))
        return -1;
    if (from_child != NULL && !CHECK(pipe2(ends, O_CLOEXEC) == 0)) {
        close(program);
        return -1;
    }
    pid = start(program, arguments, options, ends[1]);
    close(program);
    if (from_child != NULL) {
        close(ends[1]);
        *from_child = ends[0];
    }
    return pid;
}

pid_t child_start_program(const char *path, const struct child_options *options)
{
    char *arguments[MAX_CHILD_ARGS + 2];
    unsigned count = 0;
    int program = open(path, O_PATH | O_CLOEXEC);
    pid_t pid;

    if (!CHECK_MSG(program >= 0, "%s: %s", path, errno_name(errno)))
        return -1;
    arguments[count++] = (char *)(uintptr_t)path;
    for (unsigned i = 0; i < MAX_CHILD_ARGS && options->args[i] != NULL; i++)
        arguments[count++] = (char *)(uintptr_t)options->args[i];
    arguments[count] = NULL;
    pid = start(program, arguments, options, -1);
    close(program);
    return pid;
}

int child_wait(pid_t pid, unsigned milliseconds)
{
    uint64_t end = now_ns() + (uint64_t)milliseconds * time_scale() * 1000000u;
    int status;

    for (;;) {
        pid_t waited = waitpid(pid, &status, WNOHANG);

        if (waited == pid) {
            forget(pid);
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        if (waited < 0 && errno != EINTR) {
            forget(pid);
            return -1;
        }
        if (now_ns() > end)
            break;
        sleep_ms(2);
    }
    FAIL("a child has not ended within %u ms", milliseconds * time_scale());
    child_kill(pid);
    return -1;
}

void child_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    forget(pid);
}

bool child_check(const char *name, const struct child_options *options, unsigned milliseconds)
{
    pid_t pid = child_start(name, options, NULL);
    int status;

    if (pid < 0)
        return false;
    status = child_wait(pid, milliseconds);
    return CHECK_MSG(status == 0, "child \"%s\" ended with status %d", name, status);
}

int child_byte(int from_child, unsigned milliseconds)
{
    struct pollfd entry = {.fd = from_child, .events = POLLIN};
    unsigned char byte;

    if (poll(&entry, 1, (int)(milliseconds * time_scale())) != 1)
        return -1;
    return read(from_child, &byte, 1) == 1 ? byte : -1;
}

void child_say(char byte)
{
    if (write(1, &byte, 1) != 1)
        _exit(123);
}

const char *instance_own_directory(void)
{
    const char *directory = getenv("NETMAP_DIR");

    return directory != NULL && directory[0] != '\0' ? directory : NULL;
}

const char *instance_directory(const char *name)
{
    static char path[8][256];
    static unsigned turn;
    char *result = path[turn++ % 8];
    const char *own = instance_own_directory();

    if (own != NULL)
        mkdir(own, 0755);
    snprintf(result, sizeof(path[0]), "%s/%s%u", own != NULL ? own : "/tmp", name,
             (unsigned)getpid() % 10000);
    return result;
}

/* Is this /proc entry a netmapd that serves the directory? */
static bool serves(const char *entry, const char *directory)
{
    char path[300];
    char line[1024];
    const char *base;
    bool found = false;
    ssize_t size;
    int fd;

    snprintf(path, sizeof(path), "/proc/%s/cmdline", entry);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size = read(fd, line, sizeof(line) - 1);
    close(fd);
    if (size <= 0)
        return false;
    line[size] = '\0';
    base = strrchr(line, '/');
    if (strcmp(base != NULL ? base + 1 : line, "netmapd") != 0)
        return false;
    for (const char *word = line; word < line + size; word += strlen(word) + 1)
        found = found || strcmp(word, directory) == 0;
    return found;
}

unsigned instance_count(const char *directory, pid_t *pid)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry;
    unsigned count = 0;

    while (processes != NULL && (entry = readdir(processes)) != NULL) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !serves(entry->d_name, directory))
            continue;
        count++;
        if (pid != NULL)
            *pid = (pid_t)atoi(entry->d_name);
    }
    if (processes != NULL)
        closedir(processes);
    return count;
}

bool instance_wait_count(const char *directory, unsigned count, unsigned milliseconds)
{
    uint64_t end = now_ns() + (uint64_t)milliseconds * time_scale() * 1000000u;

    while (instance_count(directory, NULL) != count) {
        if (now_ns() > end)
            return false;
        sleep_ms(20);
    }
    return true;
}
