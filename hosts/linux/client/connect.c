/*
 * Which netmapd a process talks to, and starting it.
 *
 * NETMAP_DIR=<directory>   that instance, started if need be
 * NETMAP_INSTANCE=user     an instance of one's own
 * otherwise                the system's; when there is none, root starts it and others get one of
 *                          their own, said once on stderr
 */
#include "hosts/linux/client/edge.h"
#include "core/errors.h"
#include "hosts/linux/client/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef NM_NETMAPD_PATH
#define NM_NETMAPD_PATH "/usr/sbin/netmapd"
#endif

#define START_ATTEMPTS 8
#define ANSWER_SECONDS 10

static int connect_to(const char *directory, int *result)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return errno;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", directory, NM_SOCKET_NAME);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        int error = errno;

        real_close(fd);
        return error;
    }
    *result = fd;
    return 0;
}

/* The greeting shows that netmapd took the connection, and was not just leaving. */
static int greet(int fd)
{
    struct {
        struct nm_message header;
        uint32_t version;
    } message = {{NM_MSG_HELLO, sizeof(uint32_t)}, NM_PROTOCOL_VERSION};
    struct timeval limit = {ANSWER_SECONDS, 0};
    ssize_t got;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (send(fd, &message, sizeof(message), MSG_NOSIGNAL) < 0)
        return errno;
    do {
        got = recv(fd, &message, sizeof(message), 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno;
    if (got != (ssize_t)sizeof(message) || message.header.type != NM_MSG_HELLO)
        return ECONNRESET;
    if (message.version != NM_PROTOCOL_VERSION) {
        edge_message("netmapd speaks protocol %u, this program %u; restart netmapd or rebuild",
                     message.version, NM_PROTOCOL_VERSION);
        return EPROTO;
    }
    return 0;
}

static bool executable(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* netmapd beside a file of ours: in its directory, or in bin/ or sbin/ next to it. */
static bool find_beside(const char *file, char *path, size_t size)
{
    static const char *const places[] = {"netmapd", "../bin/netmapd", "../sbin/netmapd"};
    const char *slash = strrchr(file, '/');

    for (size_t i = 0; slash != NULL && i < sizeof(places) / sizeof(places[0]); i++) {
        snprintf(path, size, "%.*s/%s", (int)(slash - file), file, places[i]);
        if (executable(path))
            return true;
    }
    return false;
}

static bool find_netmapd(char *path, size_t size)
{
    const char *given = secure_getenv("NETMAPD");
    char self[1024];
    ssize_t length;
    Dl_info info;

    if (given != NULL) {
        snprintf(path, size, "%s", given);
        return executable(path);
    }
    if (dladdr((void *)(uintptr_t)&edge_connect, &info) != 0 && info.dli_fname != NULL &&
        info.dli_fname[0] == '/' && find_beside(info.dli_fname, path, size))
        return true;
    length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length > 0) {
        self[length] = '\0';
        if (find_beside(self, path, size))
            return true;
    }
    snprintf(path, size, "%s", NM_NETMAPD_PATH);
    if (executable(path))
        return true;
    snprintf(path, size, "/usr/local/sbin/netmapd");
    return executable(path);
}

/* In the grandchild: nothing of the program's may stay open, or its pipes would never end. */
static void become_netmapd(const char *path, const char *directory, int ready_fd)
{
    const char *idle = getenv("NETMAP_IDLE_MS");
    char ready[16];
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(ready_fd, 3) < 0) /* without close-on-exec; duplicating onto itself keeps it */
        _exit(127);
    fcntl(3, F_SETFD, 0);
    for (int fd = 4; fd < 1024; fd++)
        real_close(fd);
    snprintf(ready, sizeof(ready), "%d", 3);
    unsetenv("LD_PRELOAD");
    execl(path, "netmapd", "--directory", directory, "--ready-fd", ready, "--idle",
          idle != NULL ? idle : "3000", (char *)NULL);
    _exit(127);
}

/* Start netmapd and wait until it accepts connections or has given up: its end of a pipe closes. */
static int start_netmapd(const char *directory)
{
    char path[1100];
    int ready[2];
    char byte;
    pid_t child;

    if (!find_netmapd(path, sizeof(path))) {
        edge_message("netmapd was not found (looked at '%s'); install it, or name it in the "
                     "environment variable NETMAPD",
                     path);
        return ENOENT;
    }
    if (pipe2(ready, O_CLOEXEC) != 0)
        return errno;
    child = fork();
    if (child == 0) {
        setsid();
        if (fork() == 0)
            become_netmapd(path, directory, ready[1]);
        _exit(0);
    }
    real_close(ready[1]);
    if (child > 0) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
        while (read(ready[0], &byte, 1) < 0 && errno == EINTR)
            ;
    }
    real_close(ready[0]);
    return child > 0 ? 0 : EAGAIN;
}

static int connect_or_start(const char *directory, int *fd)
{
    int error = 0;

    for (int attempt = 0; attempt < START_ATTEMPTS; attempt++) {
        struct timespec pause = {0, 20000000};

        error = connect_to(directory, fd);
        if (error == 0) {
            error = greet(*fd);
            if (error == 0)
                return 0;
            real_close(*fd);
            if (error != ECONNRESET && error != EPIPE)
                return error;
            continue; /* it was leaving */
        }
        if (error != ENOENT && error != ECONNREFUSED)
            return error;
        error = start_netmapd(directory);
        if (error != 0)
            return error;
        if (attempt > 0)
            nanosleep(&pause, NULL);
    }
    edge_message("netmapd did not start in %s; see netmapd.log there, or run "
                 "netmapd --foreground --directory %s",
                 directory, directory);
    return ENXIO;
}

/* A directory of the user's own; it must not be another's trap. */
static void user_directory(char *directory, size_t size)
{
    const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
    struct stat status;

    if (runtime != NULL && runtime[0] == '/' && strlen(runtime) < 64 &&
        stat(runtime, &status) == 0 && status.st_uid == geteuid())
        snprintf(directory, size, "%s/netmap", runtime);
    else
        snprintf(directory, size, "/tmp/netmap-%u", geteuid());
}

/* Whoever answers in a directory that others could have made must be the user we expect there. */
static bool served_by(int fd, uid_t user)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == user;
}

static bool owned_by(const char *directory, uid_t user)
{
    struct stat status;

    return lstat(directory, &status) != 0 ||
           (S_ISDIR(status.st_mode) && status.st_uid == user && (status.st_mode & 0022) == 0);
}

static int connect_user(bool explain, int *fd, char directory[EDGE_DIRECTORY])
{
    static bool explained;
    int error;

    user_directory(directory, EDGE_DIRECTORY);
    if (!owned_by(directory, geteuid())) {
        edge_message("%s is not this user's own directory; remove it or set NETMAP_DIR", directory);
        return EACCES;
    }
    if (explain && !explained) {
        explained = true;
        fprintf(stderr, "netmap: no system instance runs; using one of your own in %s\n",
                directory);
    }
    error = connect_or_start(directory, fd);
    if (error == 0 && !served_by(*fd, geteuid())) {
        real_close(*fd);
        edge_message("the netmapd in %s is another user's; set NETMAP_DIR to a directory of your "
                     "own",
                     directory);
        error = EACCES;
    }
    return error;
}

static int denied(const char *directory)
{
    if (getgrnam(NM_GROUP) == NULL)
        edge_message("the system's netmapd (%s) serves root only; root may create the group '%s', "
                     "restart netmapd and add you to it",
                     directory, NM_GROUP);
    else
        edge_message("the system's netmapd (%s) serves root and the group '%s', which you are "
                     "not in; ask for 'usermod -aG %s <you>' and log in again",
                     directory, NM_GROUP, NM_GROUP);
    return EACCES;
}

void edge_wait_served(const char *directory)
{
    int fd;

    if (connect_to(directory, &fd) == 0) {
        greet(fd);
        real_close(fd);
    }
}

int edge_connect(int *fd, char directory[EDGE_DIRECTORY])
{
    const char *given = secure_getenv("NETMAP_DIR");
    const char *instance = getenv("NETMAP_INSTANCE");
    int error;

    if (given != NULL && given[0] != '\0') {
        if (strlen(given) > 90) {
            edge_message("NETMAP_DIR=%s is longer than 90 characters", given);
            return ENAMETOOLONG;
        }
        snprintf(directory, EDGE_DIRECTORY, "%s", given);
        error = connect_or_start(directory, fd);
        return error == EACCES || error == EPERM ? denied(directory) : error;
    }
    if (instance != NULL && strcmp(instance, "user") == 0)
        return connect_user(false, fd, directory);
    snprintf(directory, EDGE_DIRECTORY, "%s", NM_SYSTEM_DIRECTORY);
    if (geteuid() == 0)
        return connect_or_start(directory, fd);
    error = connect_to(directory, fd);
    if (error == 0) {
        error = greet(*fd);
        if (error == 0)
            return 0;
        real_close(*fd);
        if (error != ECONNRESET && error != EPIPE)
            return error;
    }
    if (error == EACCES || error == EPERM)
        return denied(directory);
    return connect_user(true, fd, directory);
}
